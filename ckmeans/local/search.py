"""The front door of the local search: which of its ways a problem goes."""

import numpy as np

from ..interrupts import Held
from ..rationals import TINY
from ..rationals import inertia as exact_inertia
from ..workers import Expired, Workers
from . import small
from .random_stream import RandomStream
from .restarts import LocalSolution, Restarts, run_until_limit
from .rows import Clustering, Rows
from .sampled import LEAST_SAMPLED, Sampled
from .trivial_bound import trivial_bound


def local_search(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=None,
    tol=0.0,
    polish=True,
    max_seconds=None,
    algorithm="auto",
    rng=None,
    n_threads=None,
    progress=None,
    held=None,
    single=False,
):
    """Search for a clustering of low inertia. Arguments are taken as checked; see `KMeans` for what they mean.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous; or NpyFile
        The rows of a file are never polished, nor are centers swapped; n_init="auto" is one restart then.
    sample_weight : ndarray of shape (n_samples,), float64, or None
    init : a word of STARTS, ndarray of shape (n_clusters, n_features), or callable(X, n_clusters, rng)
    rng : int, RandomState or Generator
        An int is the seed of a RandomState.
    progress : callable(n_restarts, inertia), optional
        Called after each restart with their number so far and the best inertia.
    held : Held, optional
        Begins when the search is over: Ctrl-C waits from then on, until the caller ends it.
    single : bool
        For float32 rows: whether the centers are to be numbers of float32. They are computed in double all the same, and
        rounded in the end; of a search that was stopped they are not where that would take long.

    Returns
    -------
    LocalSolution
        The best so far when the time is up or on Ctrl-C, stop_reason then being "time_limit" or "interrupted". Where
        there is nothing yet, the centers are rows at random, or those given: as many of them as the rows can be assigned
        to in no time, and copies of the first.
    """
    numbers, interrupted = RandomStream(np.random.default_rng() if rng is None else rng), False
    with Held() as own, Workers(n_threads, max_seconds) as workers:
        held = held or own
        plan = small.Plan(X.shape[1], n_clusters, init, n_init, max_iter, polish)
        if isinstance(X, np.ndarray) and plan.suits(len(X)) and not tol:
            try:
                solution = _small_search(
                    small.Search(plan, X, sample_weight, numbers, workers), progress, held, single
                )
            except KeyboardInterrupt:
                solution, interrupted = None, True
            if solution is not None:
                return solution
        kind = Restarts
        if n_init == "auto" and isinstance(init, str) and isinstance(X, np.ndarray) and n_clusters > 1:
            kind = Sampled if len(X) >= LEAST_SAMPLED else Restarts
        return run_until_limit(
            lambda rows: kind(rows, n_clusters, init, n_init, max_iter, tol, polish, numbers),
            X,
            sample_weight,
            workers,
            progress,
            held,
            single,
            algorithm,
            interrupted,
        )


def _small_search(search, progress, held, single):
    """The same by the kernels for small data; None where they leave it to others."""
    stop_reason = None
    try:
        try:
            try:
                search.run(progress)
            except Expired:
                stop_reason = "time_limit"
            held.begin()
        except KeyboardInterrupt:
            held.begin()
            if not search.has_clustering:
                raise
            stop_reason = "interrupted"
        if not search.has_clustering:
            held.end()
            return None
        labels, centers, report = search.conclude()
    except small.Unsupported:
        held.end()
        if stop_reason == "interrupted":
            raise KeyboardInterrupt from None
        return None
    inertia = report.inertia
    stop_reason = stop_reason or ("max_iter" if report.at_max_iter else "converged")
    X, weights = search.X, search.weights
    if single:
        labels, centers, inertia = _rounded(X, weights, Clustering(labels, centers, inertia))
    if inertia < TINY:
        inertia = exact_inertia(X, labels, centers, weights)
    known = trivial_bound(
        X,
        weights,
        Clustering(labels, centers, inertia),
        stop_reason == "converged",
        lambda: Rows(X, weights if len(weights) else None, Workers(1)),
    )
    return LocalSolution(
        labels=labels,
        centers=centers,
        inertia=inertia,
        **known,
        stop_reason=stop_reason,
        n_iter=report.n_iter,
        n_restarts=report.n_restarts,
        n_hits=report.n_hits,
        doubtful_share=report.n_recomputed / report.n_labelled,
        computed_share=1.0,
    )


def _rounded(X, weights, found):
    """The same with centers rounded to float32, and the labels and the inertia of just these."""
    centers = found.centers.astype(np.float32).astype(np.float64)
    if np.array_equal(centers, found.centers):
        return found
    if not len(weights) and (labels := small.labels_of(X, centers)) is not None:
        return Clustering(labels, centers, small.inertia_with(X, labels, centers))
    rows = Rows(X, weights if len(weights) else None, Workers(1), compared_with=centers)
    labels = rows.nearest(centers)
    return Clustering(labels, centers, rows.inertia(labels, centers))
