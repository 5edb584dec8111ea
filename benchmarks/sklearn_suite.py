"""scikit-learn's own tests of k-means, of the version that is installed, with our classes in the place of theirs.

    python -m benchmarks.sklearn_suite

Nothing of them is copied: the names in `sklearn.cluster` and `sklearn.mixture` are replaced, then their files are run. The exit
code is 1 where a test fails that no reason is known for.
"""

import argparse
import inspect
import os
import re
import sys
import tempfile
import warnings

import pytest
import sklearn
import sklearn.cluster
import sklearn.mixture

import ckmeans

# Why a test may fail, by the beginning of its name.
ARGUED = {
    "test_kmeans_init_auto_with_initial_centroids": 'asks for the private `_n_init`: `n_init="auto"` is no fixed number here',
    "test_n_init_auto": "the same",
    "test_kmeans_empty_cluster_relocated": "two ways to fill an empty cluster are equally good, and the centers come in the other"
    " order: the row that comes first is taken",
    "test_check_weights": "asks for the words of an error",
    "test_check_means": "asks for the words of an error",
    "test_check_precisions": "asks for the words of an error",
    "test_gaussian_mixture_fit_convergence_warning": "asks for the words of a warning",
    "test_sample": "asks for the words of an error",
    "test_regularisation": "there is a floor of the variances instead of `reg_covar`, and a warning instead of an error",
    "test_gaussian_mixture_precisions_init": "calls the private `_set_parameters`",
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": "is about full covariances",
}
# Names by which a test says that it is about what is ours.
ABOUT = {
    "k-means": r"\b(KMeans|k_means|kmeans_plusplus|Estimator|Klass)\b",
    "mixture": r"\bGaussianMixture\b",
}
FUNCTIONS = r"kmeans_plusplus|k_means_function"


class GaussianMixture(ckmeans.SphericalMixture):
    """Theirs for spherical covariances, by their names."""

    def __init__(
        self,
        n_components=1,
        *,
        covariance_type="spherical",
        tol=1e-3,
        reg_covar=1e-6,
        max_iter=100,
        n_init=1,
        init_params="kmeans",
        weights_init=None,
        means_init=None,
        precisions_init=None,
        random_state=None,
        warm_start=False,
        verbose=0,
        verbose_interval=10,
    ):
        if covariance_type != "spherical":
            pytest.skip("not spherical")
        init = {"kmeans": "k-means"}.get(init_params, "random")
        given = {"weights_init": weights_init, "means_init": means_init, "precisions_init": precisions_init}
        limits = {"tol": tol, "max_iter": max_iter, "n_init": n_init, "random_state": random_state}
        super().__init__(
            n_components,
            variance="per-cluster",
            init=init,
            warm_start=warm_start,
            verbose=verbose,
            **given,
            **limits,
        )
        self.n_components, self.covariance_type, self.reg_covar = n_components, covariance_type, reg_covar
        self.init_params, self.verbose_interval = init_params, verbose_interval


# What is tested: the file, and what takes which place there.
SUITES = {
    "k-means": (
        "sklearn.cluster.tests.test_k_means",
        sklearn.cluster,
        {name: getattr(ckmeans, name) for name in ("KMeans", "k_means", "kmeans_plusplus")},
    ),
    "mixture": (
        "sklearn.mixture.tests.test_gaussian_mixture",
        sklearn.mixture,
        {"GaussianMixture": GaussianMixture},
    ),
}


class Results:
    """A plugin of pytest that takes the tests of what is ours, and notes how each ended."""

    def __init__(self, suite, only):
        self.suite, self.only, self.ended, self.why = suite, only, {}, {}

    def pytest_collection_modifyitems(self, config, items):
        taken = [item for item in items if self.is_ours(item) and self.only in item.name]
        config.hook.pytest_deselected(items=[item for item in items if item not in taken])
        items[:] = taken
        for module in {item.module for item in taken if hasattr(item.module, "COVARIANCE_TYPE")}:
            only_spherical(module)

    def is_ours(self, item):
        """Whether a test is about what is ours, and neither about MiniBatchKMeans nor about what is inside theirs."""
        values = item.callspec.params.values() if hasattr(item, "callspec") else []
        if any(value is sklearn.cluster.MiniBatchKMeans for value in values) or "minibatch" in item.name:
            return False
        if any(isinstance(value, str) and value in ("full", "tied", "diag") for value in values):
            return False
        return bool(re.search(ABOUT[self.suite], inspect.getsource(item.function)))

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.rpartition("::")[2]
        if report.when == "call" or report.outcome != "passed":
            self.ended[name] = report.outcome
        if report.failed:
            self.why[name] = report.longrepr.reprcrash.message.strip().splitlines()[0]

    def failed(self):
        """The tests that did not pass, but for those that were skipped."""
        return [name for name, outcome in self.ended.items() if outcome not in ("passed", "skipped")]

    def count(self, name_matches, outcomes=("passed", "failed", "error")):
        """How many tests ended so, of those whose names match."""
        return sum(outcome in outcomes and bool(name_matches(name)) for name, outcome in self.ended.items())


def only_spherical(module):
    """Let the tests of a module go through spherical covariances alone; their data are made for all."""
    every, make = module.COVARIANCE_TYPE, module.RandomData.__init__

    def make_for_all(self, *args, **kwargs):
        module.COVARIANCE_TYPE = every
        make(self, *args, **kwargs)
        module.COVARIANCE_TYPE = ["spherical"]

    module.COVARIANCE_TYPE, module.RandomData.__init__ = ["spherical"], make_for_all


def run(suite, only=""):
    """Run one of their files: Results."""
    file, home, ours = SUITES[suite]
    theirs = {name: getattr(home, name) for name in ours}
    results = Results(suite, only)
    os.environ.setdefault("SKLEARN_RUN_FLOAT32_TESTS", "1")
    try:
        for name, value in ours.items():
            setattr(home, name, value)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            quiet = ["-q", "--no-header", "--no-summary", "--tb=short", "--show-capture=no"]
            rooted = ["-p", "no:cacheprovider", f"--rootdir={folder}", "-c", os.devnull]
            pytest.main([*quiet, *rooted, "--pyargs", file], [results])
    finally:
        for name, value in theirs.items():
            setattr(home, name, value)
    return results


def reason(name):
    """Why a test may fail, or None."""
    return next((why for beginning, why in ARGUED.items() if name.startswith(beginning)), None)


def report(suite, results):
    """Lines of text."""
    of_class = lambda name: not re.search(FUNCTIONS, name)  # noqa: E731
    n_passed, n_all = results.count(of_class, ["passed"]), results.count(of_class)
    yield f"{suite}: {n_passed} of {n_all} tests of the class pass (scikit-learn {sklearn.__version__})"
    if n_functions := results.count(lambda name: re.search(FUNCTIONS, name)):
        n_passed = results.count(lambda name: re.search(FUNCTIONS, name), ["passed"])
        yield f"{suite}: {n_passed} of {n_functions} tests of the functions pass"
    for name in results.failed():
        yield f"  {name}: {reason(name) or 'NO REASON: ' + results.why.get(name, '')[:120]}"


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="run the tests whose names contain this")
    parser.add_argument("--suite", choices=SUITES, help="run one of the files")
    options = parser.parse_args(arguments)
    lines, unknown = [], 0
    for suite in [options.suite] if options.suite else SUITES:
        results = run(suite, options.only)
        lines += report(suite, results)
        unknown += sum(reason(name) is None for name in results.failed())
    print("\n".join(lines))
    return bool(unknown)


if __name__ == "__main__":
    sys.exit(main())
