"""Where the centers start: greedy k-means++, or rows at random."""

import math

import numpy as np

from ._kernels import seeding as kernels


def kmeans_plusplus(rows, n_clusters, rng):
    """Greedy k-means++ with weights: each center is a row drawn by its weighted squared distance to those before.

    Of 2 + log(n_clusters) draws, the one that lowers the inertia most is taken.

    Parameters
    ----------
    rows : lloyd.Rows
    n_clusters : int
    rng : RandomState or Generator

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
        Copies of the first center fill up where there are fewer distinct rows with weight than clusters.

    References
    ----------
    Arthur & Vassilvitskii (2007), "k-means++: the advantages of careful seeding", SODA, 1027-1035; the greedy form
    is in its section 5.
    """
    weights = rows.weights()
    centers = np.empty((n_clusters, rows.n_features))
    centers[:] = rows.X[draw(np.cumsum(weights), rng, 1)[0]]
    closest = np.full(rows.n_samples, np.inf)
    n_candidates = count_candidates(n_clusters)
    for k in range(n_clusters):
        if k:
            cumulated = np.cumsum(weights * closest)
            if not cumulated[-1]:
                break
            candidates = rows.X[draw(cumulated, rng, n_candidates)].astype(np.float64)

            def potentials(start, stop, sums, candidates=candidates):
                kernels.potentials(rows.X, rows.sample_weight, closest, candidates, start, stop, sums)

            centers[k] = candidates[rows.sum(potentials, n_candidates, (n_candidates,))[1].argmin()]
        rows.run(lambda start, stop, center=centers[k]: kernels.take(rows.X, center, start, stop, closest), 1)
    return centers


def count_candidates(n_clusters):
    """Draws of which greedy k-means++ takes the best."""
    return 2 + int(math.log(n_clusters))


def random_rows(rows, n_clusters, rng):
    """Rows drawn without replacement by their weights; rows without weight only where the others do not suffice."""
    weights = rows.weights()
    p = weights / weights.sum()  # can vanish next to a weight that is 1e308 times as large
    n_heavy = min(n_clusters, np.count_nonzero(p))
    chosen = rng.choice(rows.n_samples, n_heavy, replace=False, p=p)
    light = np.flatnonzero(p == 0)
    light = light[np.argsort(-weights[light], kind="stable")][: n_clusters - n_heavy]
    return rows.X[np.concatenate([chosen, light])].astype(np.float64)


def draw(cumulated, rng, n):
    """Indices of n rows drawn by their masses, given cumulated; never one without mass."""
    drawn = np.searchsorted(cumulated, rng.uniform(size=n) * cumulated[-1], side="right")
    return np.minimum(drawn, np.searchsorted(cumulated, cumulated[-1]))  # the last row with mass
