"""Random swap: give up one center, put one on a row drawn by its squared distance, and search on from there."""

import numpy as np

from ._kernels import swap as kernels
from .seeding import draw


def swapped(rows, clustering, rng):
    """Endless proposals of centers, each with one center of the clustering moved to another row.

    The row is drawn as in k-means++; the center given up is the one whose rows lose least, the others staying.

    Parameters
    ----------
    rows : lloyd.Rows
    clustering : lloyd.Clustering
    rng : RandomState or Generator

    Yields
    ------
    centers : ndarray of shape (n_clusters, n_features), float64

    References
    ----------
    Fränti (2018), "Efficiency of random swap clustering", J. Big Data 5:13. Lattanzi & Sohler (2019), "A better
    k-means++ algorithm via local search", ICML, 3662-3671, section 2.
    """
    labels, centers, _ = clustering
    n_clusters = len(centers)
    first, second = np.empty(rows.n_samples), np.empty(rows.n_samples)
    centers_t = np.ascontiguousarray(centers.T)

    def two_nearest(start, stop):
        kernels.two_nearest(rows.X, centers_t, labels, start, stop, np.empty(n_clusters), first, second)

    rows.run(two_nearest, n_clusters)
    masses = rows.weights() * first
    while masses.any():
        candidate = rows.X[draw(masses, rng, 1)[0]].astype(np.float64)

        def losses(start, stop, sums):
            kernels.losses(rows.X, rows.sample_weight, labels, first, second, candidate, start, stop, sums)

        proposal = centers.copy()
        proposal[rows.sum(losses, 1, (n_clusters,))[1].argmin()] = candidate
        yield proposal
