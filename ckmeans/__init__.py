"""k-means that proves how good its answer is."""

from importlib import import_module

# Public name -> the module that holds it. Loaded on first use: importing ckmeans stays as cheap as NumPy.
_HOMES = {
    "Certificate": "certificate",
    "ChoiceOfK": "choice",
    "ExactKMeans": "exact_estimator",
    "KMeans": "estimators",
    "SphericalMixture": "mixture_estimator",
    "Solution": "solution",
    "ExhaustiveSolution": "exhaustive",
    "PartitionPosterior": "exhaustive",
    "certify": "ladder",
    "choose_k": "choosing",
    "count_partitions": "exhaustive",
    "estimated_seconds": "exhaustive",
    "exhaustive_search": "exhaustive",
    "fit_many": "many",
    "Landscape": "landscapes",
    "landscape": "landscapes",
    "natural_breaks": "univariate",
    "partition_posterior": "exhaustive",
    "show_config": "configuration",
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
