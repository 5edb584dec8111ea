"""Hartigan's exchange: from a fixed point of Lloyd's iteration on to where no single row can move and lower the inertia."""

from itertools import count

import numpy as np

from .._kernels import exchange as kernels
from ..workers import split
from .lloyd import lloyd

# Rounds after which the inertia must have fallen, or the exchange ends: rounding could in theory go in circles. The kernels for
# small data stop there too, and leave the search to this module (src/search.pxd).
CHECK = 64
# Coordinate differences of the moves that one call tries, which nothing can interrupt: on a virtual machine 2 ms where no row
# moves, 8 ms where many do.
MOVES_WORK = 1 << 24


def polish(rows, partition, centers, on_centers=None, max_iter=None, least_gain=0.0, enough=np.inf):
    """Exchange single rows until none is left that would lower the inertia.

    Every result is a fixed point of Lloyd's iteration, not the other way round. Rows that could move with all others
    staying are found first, then tried one after the other; Lloyd's iteration closes each round.

    Parameters
    ----------
    rows : Rows
        Its panels are packed.
    partition : Partition
        At a fixed point of Lloyd's iteration; it is changed.
    centers : ndarray of shape (n_clusters, n_features), float64
    on_centers : callable(centers, labels), optional
        As in `lloyd`.
    max_iter : int or None
        Most updates of the centers by Lloyd's iteration; None for no limit.
    least_gain : float
        Stop after a round that lowers the inertia by less than this share of it for each update of the centers.
    enough : int
        Stop after the round that brings the updates to this number.

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
    n_iter, last = 0, np.inf
    before = partition.inertia(centers) if least_gain else None
    for n_rounds in count(1):
        if n_iter == max_iter:
            break
        means, masses = partition.means(centers)
        centers_t = np.ascontiguousarray(means.T)
        if not _move(rows, *rows.movable(partition.labels, means, centers_t, masses), centers_t, masses):
            break
        updates_left = None if max_iter is None else max_iter - n_iter
        partition, centers, more, _ = lloyd(
            rows, np.ascontiguousarray(centers_t.T), updates_left, 0.0, on_centers, partition
        )
        n_iter += more
        if least_gain:
            inertia = partition.inertia(centers)
            if before - inertia < least_gain * (1 + more) * before:
                break
            before = inertia
        if n_iter >= enough:
            break
        if n_rounds % CHECK == 0:
            inertia = rows.update(partition.labels, centers)[2]
            if inertia >= last:
                break
            last = inertia
    return partition, centers, n_iter


def _move(rows, X, sample_weight, candidates, labels, centers_t, masses):
    """Move rows that lower the inertia, one after the other; returns the number of moves."""
    n_moves, scratch = 0, np.empty(len(masses))
    for start, stop in split(len(candidates), max(1, MOVES_WORK // centers_t.size)):
        rows.workers.check_time()
        n_moves += kernels.exchange(
            X, sample_weight, candidates[start:stop], scratch, labels, centers_t, masses
        )
    return n_moves
