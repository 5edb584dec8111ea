"""Hartigan's exchange: from a fixed point of Lloyd's iteration on to where no single row can move and lower the inertia."""

import numpy as np

from ._kernels import exchange as kernels
from .lloyd import lloyd


def polish(rows, clustering, incumbent, max_iter=None):
    """Exchange single rows until none is left that would lower the inertia.

    Every result is a fixed point of Lloyd's iteration, not the other way round. Rows that could move are found in
    parallel with all others staying, then tried one after the other; Lloyd's iteration closes each round.

    Parameters
    ----------
    rows : lloyd.Rows
    clustering : lloyd.Clustering
        Its centers are the means of its labels.
    incumbent : lloyd.Incumbent
    max_iter : int or None
        Most updates of the centers; None for no limit.

    Returns
    -------
    clustering : lloyd.Clustering
    n_iter : int
        Updates of the centers by Lloyd's iteration.

    References
    ----------
    Hartigan (1975), Clustering Algorithms, ch. 4. Telgarsky & Vattani (2010), "Hartigan's method: k-means clustering
    without Voronoi", AISTATS, 820-827.
    """
    n_clusters, total, level = len(clustering.centers), 0, set()
    movable, scratch = np.empty(rows.n_samples, np.uint8), np.empty(n_clusters)
    while total != max_iter:
        labels = clustering.labels
        means, masses, _ = rows.update(labels, clustering.centers)
        centers_t = np.ascontiguousarray(means.T)

        def scan(start, stop):
            kernels.scan(
                rows.X, rows.sample_weight, labels, centers_t, masses, start, stop, np.empty(n_clusters), movable
            )

        rows.run(scan, n_clusters)
        candidates = np.flatnonzero(movable)
        labels = labels.copy()
        if not kernels.exchange(rows.X, rows.sample_weight, candidates, scratch, labels, centers_t, masses):
            return clustering, total
        left = None if max_iter is None else max_iter - total
        better, n_iter, _ = lloyd(rows, np.ascontiguousarray(centers_t.T), left, 0.0, incumbent)
        total += n_iter
        if better.inertia < clustering.inertia:
            level.clear()
        mark = hash(better.labels.tobytes())
        if better.inertia > clustering.inertia or mark in level:  # the gain was below rounding, or rounding goes in circles
            return clustering, total
        level.add(mark)
        clustering = better
    return clustering, total
