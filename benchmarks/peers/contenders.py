"""Who takes part, and how each is told to do the same thing: plain k-means from given centers, without early stopping.

To add one, write a function that imports it and returns its `Contender`s, and list it in LOADERS.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
DEFAULT, PLAIN = "ckmeans", "ckmeans lloyd"
# Algorithms of ckmeans that are measured, where the installed version has them.
ALGORITHMS = ("lloyd", "hamerly", "yinyang", "cells")


# Trees of mlpack are tried up to this number of features.
FEW_FEATURES = 8


class Fit(NamedTuple):
    """What a contender says it found; None where it does not say."""

    labels: np.ndarray
    centers: np.ndarray | None
    n_iter: int | None
    inertia: float | None


@dataclass(frozen=True)
class Contender:
    """A program with an algorithm.

    Attributes
    ----------
    name : str
    fit : callable(X, centers, n_iter) -> Fit
        From given centers, without early stopping, up to n_iter updates of the centers.
    restart : callable(X, n_clusters, n_init, seed) -> float or None
        As a user would write it, with its own seeding; returns the inertia, where it says.
    plain : bool
        Whether each iteration computes every distance: Lloyd's algorithm without bounds.
    dtypes : tuple of str
        What it computes in; other data it would convert.
    most_features : int or None
        It is not tried with more features: trees, which would run for hours.
    """

    name: str
    fit: Callable
    restart: Callable | None = None
    plain: bool = True
    dtypes: tuple = ("float32", "float64")
    most_features: int | None = None

    @property
    def ours(self):
        """Whether this is ckmeans."""
        return self.name.startswith("ckmeans")


def thread_environment(n_threads):
    """The environment of a process whose libraries are to use `n_threads` threads, to be set before they are loaded."""
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(n_threads))}


def _estimator(make):
    """`fit` of a class that has scikit-learn's parameters; `make` is called with parameters that all of them have."""

    def fit(X, centers, n_iter):
        model = make(len(centers), init=centers, n_init=1, max_iter=n_iter, tol=0).fit(X)
        return Fit(model.labels_, model.cluster_centers_, model.n_iter_, model.inertia_)

    return fit


def _ckmeans(n_threads):
    from ckmeans import KMeans

    def make(algorithm):
        return lambda *args, **more: KMeans(
            *args, **more, polish=False, algorithm=algorithm, n_threads=n_threads
        )

    def restart(X, n_clusters, n_init, seed, **more):
        model = KMeans(n_clusters, n_init=n_init, random_state=seed, n_threads=n_threads, **more)
        return model.fit(X).inertia_

    def known(algorithm):
        try:
            KMeans(2, algorithm=algorithm).fit([[0.0], [1.0]])
        except ValueError:
            return False
        return True

    yield Contender(DEFAULT, _estimator(make("auto")), restart, plain=False)
    for algorithm in filter(known, ALGORITHMS):
        plain = algorithm == "lloyd"
        unpolished = (lambda *args: restart(*args, polish=False)) if plain else None
        yield Contender(f"ckmeans {algorithm}", _estimator(make(algorithm)), unpolished, plain)


def _sklearn(n_threads):
    from sklearn.cluster import KMeans

    def make(algorithm):
        return lambda *args, **more: KMeans(*args, **more, algorithm=algorithm)

    def restart(X, n_clusters, n_init, seed):
        return KMeans(n_clusters, n_init=n_init, random_state=seed).fit(X).inertia_

    yield Contender("scikit-learn lloyd", _estimator(make("lloyd")), restart)
    yield Contender("scikit-learn elkan", _estimator(make("elkan")), plain=False)


def _intelex(n_threads):
    import daal4py
    from sklearnex.cluster import KMeans  # its own class: scikit-learn itself is not patched

    daal4py.daalinit(n_threads)

    def restart(X, n_clusters, n_init, seed):
        return KMeans(n_clusters, n_init=n_init, random_state=seed).fit(X).inertia_

    # Its algorithm="elkan" runs the same code.
    yield Contender("scikit-learn-intelex", _estimator(KMeans), restart)


def _faiss(n_threads):
    import faiss

    faiss.omp_set_num_threads(n_threads)
    everything = dict(max_points_per_centroid=2**31 - 1, min_points_per_centroid=1)  # no subsampling
    # Else 1.15 stops where its objective, summed in float32, does not fall: before the labels have settled.
    further = dict(early_stop_threshold=-1.0) if hasattr(faiss.Clustering, "early_stop_threshold") else {}

    def fit(X, centers, n_iter):
        model = faiss.Kmeans(X.shape[1], len(centers), niter=n_iter, **everything, **further)
        model.train(X, init_centroids=centers)
        return Fit(model.assign(X)[1], model.centroids, len(model.obj), None)

    def restart(X, n_clusters, n_init, seed):
        # Its default is 25 iterations at most.
        model = faiss.Kmeans(X.shape[1], n_clusters, nredo=n_init, seed=seed + 1, **everything)
        model.train(X)
        return float(model.assign(X)[0].sum(dtype=np.float64))

    yield Contender("FAISS", fit, restart, dtypes=("float32",))


def _mlpack(n_threads):
    from mlpack import kmeans

    def make(algorithm):
        def fit(X, centers, n_iter):
            found = kmeans(
                clusters=len(centers),
                input_=X,
                initial_centroids=centers,
                max_iterations=n_iter,
                algorithm=algorithm,
                labels_only=True,
                allow_empty_clusters=True,
            )
            # Its "centroid" may be those of an iteration before (4.8.0, float64): only the labels are taken.
            return Fit(found["output"].ravel().astype(np.int64), None, None, None)

        return fit

    for algorithm in ("naive", "hamerly", "elkan"):
        yield Contender(f"mlpack {algorithm}", make(algorithm), plain=algorithm == "naive")
    for algorithm in ("dualtree", "pelleg-moore"):
        yield Contender(f"mlpack {algorithm}", make(algorithm), plain=False, most_features=FEW_FEATURES)


LOADERS = {
    "ckmeans": ("certified-kmeans", _ckmeans),
    "scikit-learn": ("scikit-learn", _sklearn),
    "scikit-learn-intelex": ("scikit-learn-intelex", _intelex),
    "FAISS": ("faiss-cpu", _faiss),
    "mlpack": ("mlpack", _mlpack),
}
# Programs that are in the table of approximate.py only, and their distributions.
APPROXIMATE = {"SuperKMeans": "superkmeans", "fastkmeanspp": "fastkmeanspp"}


def load(n_threads, only=None):
    """The contenders that are installed, ckmeans first, and why others are not there.

    Parameters
    ----------
    n_threads : int
        The process must have been started with `thread_environment(n_threads)`.
    only : collection of str, optional
        Programs to compare with; the others are left out.

    Returns
    -------
    contenders : list of Contender
    missing : dict of str to str
    """
    contenders, missing = [], {}
    for program, (_, loader) in LOADERS.items():
        if only is not None and program != "ckmeans" and program not in only:
            missing[program] = "left out"
            continue
        try:
            contenders += loader(n_threads)
        except ImportError as error:
            missing[program] = f"not installed ({error})"
    return contenders, missing


def versions():
    """The version of each program that is installed."""
    found = {}
    for program, distribution in ({p: d for p, (d, _) in LOADERS.items()} | APPROXIMATE).items():
        try:
            found[program] = version(distribution)
        except PackageNotFoundError:
            pass
    return found
