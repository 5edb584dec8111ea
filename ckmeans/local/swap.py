"""Random swap: give up one center, put one on a row drawn by its squared distance, and search on from there."""

import numpy as np

from .._kernels import swap as kernels
from .seeding import Distances


def proposals(rows, labels, centers, rng):
    """Endless proposals of centers, each with one center of a clustering moved to another row.

    The row is drawn as in k-means++; the center given up is the one whose rows lose least, the others staying.

    Parameters
    ----------
    rows : Rows
    labels : ndarray of shape (n_samples,), int32
        The nearest centers.
    centers : ndarray of shape (n_clusters, n_features), float64
    rng : RandomState or Generator

    Yields
    ------
    centers : ndarray of shape (n_clusters, n_features), float64

    References
    ----------
    Fränti (2018), "Efficiency of random swap clustering", J. Big Data 5:13. Lattanzi & Sohler (2019), "A better
    k-means++ algorithm via local search", ICML, 3662-3671, section 2.
    """
    n_clusters, centers_t = len(centers), np.ascontiguousarray(centers.T)
    first, second = np.empty(rows.n_samples), np.empty(rows.n_samples)

    def two_nearest(start, stop):
        kernels.two_nearest(rows.X, centers_t, labels, start, stop, np.empty(n_clusters), first, second)

    rows.run(two_nearest, n_clusters)
    distances = Distances(rows, first)
    while distances.masses.any():
        candidate = rows.take(distances.draw(rng, 1))[0]

        def losses(start, stop, sums, candidate=candidate):
            kernels.losses(rows.X, rows.sample_weight, labels, first, second, candidate, start, stop, sums)

        proposal = centers.copy()
        proposal[rows.sum(losses, 1, (n_clusters,))[1].argmin()] = candidate
        yield proposal
