"""Fewer clusters from more: the two whose merging raises the inertia least become one, until as many are left as are wanted."""

import numpy as np
from scipy.spatial.distance import cdist

from .._kernels import merging as kernels
from ..workers import split

# Clusters that are merged at most: more would take 8 MB and more for the costs of all pairs.
MOST = 1024
# Pairs that are looked at in one call, which nothing can interrupt: a millisecond or two.
WORK = 1 << 21


def merged(centers, masses, n_clusters, workers):
    """Centers of n_clusters clusters that are merged from more.

    Parameters
    ----------
    centers : ndarray of shape (n, n_features), float64
    masses : ndarray of shape (n,), float64
        Clusters without mass are left out.
    workers : Workers
        Is asked now and then whether the time is up.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
        None if fewer clusters have mass.

    References
    ----------
    Ward (1963), "Hierarchical grouping to optimize an objective function", J. Am. Stat. Assoc. 58:236-244.
    """
    there = np.flatnonzero(masses)
    n = len(there)
    if n < n_clusters:
        return None
    centers, masses = centers[there], masses[there]
    workers.check_time()
    costs = cdist(centers, centers, "sqeuclidean")
    parts, left = 1 / masses, masses.copy()
    costs /= parts[:, None] + parts
    np.fill_diagonal(costs, np.inf)
    nearest = costs.argmin(axis=1).astype(np.int32)
    least, into = costs.min(axis=1), np.arange(n, dtype=np.int32)
    for start, stop in split(n - n_clusters, max(1, WORK // (8 * n))):
        workers.check_time()
        kernels.merge(costs, left, nearest, least, into, stop - start)
    while not np.array_equal(into, into[into]):
        into = into[into]
    shares = masses / left[into]
    found = np.zeros_like(centers)
    np.add.at(found, into, centers * shares[:, None])
    return found[left > 0]
