"""k-means that proves how good its answer is."""

from importlib import import_module

# Public name -> the module that holds it. Loaded on first use: importing ckmeans stays as cheap as NumPy.
_HOMES = {
    "BisectingKMeans": "estimators.bisecting",
    "Certificate": "proofs.certificate",
    "ChoiceOfK": "diagnostics.choice",
    "ExactKMeans": "estimators.exact",
    "KMeans": "estimators.kmeans",
    "MiniBatchKMeans": "estimators.minibatch",
    "SphericalKMeans": "estimators.spherical",
    "SphericalMixture": "estimators.mixture",
    "Solution": "solution",
    "SourceCertificate": "proofs.source_certificate",
    "Summary": "blocks.summary",
    "ExhaustiveSolution": "exact.exhaustive",
    "PartitionPosterior": "exact.exhaustive",
    "ClusterStability": "diagnostics.stability",
    "Clusterings": "local.many",
    "SummaryCertificate": "proofs.summary_certificate",
    "certify": "proofs.certification",
    "cluster_stability": "diagnostics.stability",
    "choose_k": "diagnostics.choosing",
    "count_partitions": "exact.exhaustive",
    "estimated_seconds": "exact.exhaustive",
    "exhaustive_search": "exact.exhaustive",
    "fit_many": "local.many",
    "k_means": "estimators.functions",
    "kmeans_plusplus": "estimators.functions",
    "Landscape": "diagnostics.landscapes",
    "landscape": "diagnostics.landscapes",
    "load_model": "estimators.model_files",
    "NaturalBreaks": "exact.univariate",
    "lloyd_path": "diagnostics.paths",
    "LloydPath": "diagnostics.paths",
    "natural_breaks": "exact.univariate",
    "partition_posterior": "exact.exhaustive",
    "save_model": "estimators.model_files",
    "register_onnx_converters": "estimators.onnx",
    "show_config": "configuration",
    "summarize": "blocks.summary",
    "BoxDisplay": "plots.profiles",
    "BreaksDisplay": "plots.breaks",
    "ChoiceDisplay": "plots.choice",
    "ClusterDisplay": "plots.plane",
    "PathDisplay": "plots.paths",
    "ProfileDisplay": "plots.profiles",
    "ResponsibilityDisplay": "plots.responsibilities",
    "SilhouetteDisplay": "plots.choice",
    "GapDisplay": "plots.gap",
    "GapRecorder": "plots.gap",
    "LandscapeDisplay": "plots.landscape",
    "RestartDisplay": "plots.landscape",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name):
    if name == "__version__":
        from importlib.metadata import version

        return version("certified-kmeans")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__():
    return sorted(__all__)
