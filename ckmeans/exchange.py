"""Hartigan's exchange: from a fixed point of Lloyd's iteration on to where no single row can move and lower the inertia."""

import numpy as np

from ._kernels import exchange as kernels
from .lloyd import lloyd


def polish(rows, partition, centers, follow=None):
    """Exchange single rows until none is left that would lower the inertia.

    Every result is a fixed point of Lloyd's iteration, not the other way round. Rows that might move are found in
    parallel with all others staying, then tried one after the other; Lloyd's iteration closes each round.

    Parameters
    ----------
    rows : Rows
        Packed.
    partition : Partition
        At a fixed point of Lloyd's iteration; it is changed.
    centers : ndarray of shape (n_clusters, n_features), float64
    follow : callable(centers), optional
        Is called with the centers of every completed assignment.

    Returns
    -------
    partition : Partition
    centers : ndarray of shape (n_clusters, n_features), float64
    n_iter : int
        Updates of the centers by Lloyd's iteration.

    References
    ----------
    Hartigan (1975), Clustering Algorithms, ch. 4. Telgarsky & Vattani (2010), "Hartigan's method: k-means clustering
    without Voronoi", AISTATS, 820-827.
    """
    n_iter = 0
    while True:
        means, masses = partition.means(centers)
        candidates = _movable(rows, partition.labels, means, masses)
        labels, centers_t = partition.labels.copy(), np.ascontiguousarray(means.T)
        if not kernels.exchange(
            rows.X, rows.sample_weight, candidates, np.empty(len(means)), labels, centers_t, masses
        ):
            return partition, centers, n_iter
        rows.n_distances += len(candidates) * len(means)
        partition, centers, more, _ = lloyd(rows, np.ascontiguousarray(centers_t.T), None, 0.0, follow, partition)
        n_iter += more


def _movable(rows, labels, means, masses):
    """Rows that could lower the inertia by moving, all others staying, and some more: bounds decide."""
    first, second = rows.runners_up(means)
    weights = rows.weights()
    rest = masses[labels] - weights
    positive = masses > 0
    with np.errstate(divide="ignore"):
        leaves = np.where(rest > 0, masses[labels] / rest, 0) * first
    joins = masses[positive].min() / (masses[positive].min() + weights) if positive.all() else 0
    return np.flatnonzero((leaves > joins * second) & (weights > 0) & (rest > 0))
