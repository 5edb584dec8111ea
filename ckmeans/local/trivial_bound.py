"""What is known of a clustering without a search: where there is but one cluster, and where every row is on its center."""

import numpy as np
from scipy.sparse import issparse

from ..workers import split
from .rows import Clustering


def trivial_bound(X, sample_weight, clustering, converged, rows):
    """Lower bound and status of a local optimum.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    sample_weight : ndarray of shape (n_samples,), or (0,) for ones
    clustering : Clustering
    converged : bool
        Whether its centers are the means of its clusters.
    rows : callable
        Rows of X; called where they are needed.

    Returns
    -------
    dict of lower_bound and status, as in `Solution`
    """
    labels, centers, inertia = clustering
    lower_bound, optimal = 0.0, inertia == 0 and _on_centers(X, sample_weight, labels, centers)
    if len(centers) == 1:
        lower_bound, optimal = bound_of_one_cluster(rows(), centers), optimal or converged
    return {"lower_bound": lower_bound, "status": "optimal" if optimal else "bounded"}


def _on_centers(X, sample_weight, labels, centers):
    """Whether every row with weight lies exactly on its center."""
    n_samples = X.shape[0]
    n_nonzero = np.count_nonzero(centers, axis=1) if issparse(X) else None
    for start, stop in split(n_samples, 4096):
        own = labels[start:stop]
        if issparse(X):  # each of its entries is that of the center, which has no others
            some = X[start:stop]
            counts = np.diff(some.indptr)
            away = counts != n_nonzero[own]
            line = np.repeat(np.arange(len(own)), counts)
            away[line[some.data != centers[own[line], some.indices]]] = True
        else:
            away = (X[start:stop] != centers[own]).any(axis=1)
        if (away & (sample_weight[start:stop] > 0) if len(sample_weight) else away).any():
            return False
    return True


def bound_of_one_cluster(rows, centers):
    """No one center has an inertia below this: that of the given one, less its mass times its squared distance to the mean.

    A sum of n squared distances has a relative error of at most (n + d + 3) roundings (Higham 2002, section 4.2). The mean is a
    sum of differences, whose error is at most (n + d + 3) roundings of their root mean square.
    """
    if rows.lossy:
        return 0.0
    centers = rows.scale(centers)
    means, masses, inertia = rows.update(rows.alike(), centers)
    error = rows.inertia_error
    with np.errstate(over="ignore"):  # of large features without spread: then nothing is known
        way = (
            np.linalg.norm(means - centers)
            + 4e-16 * np.linalg.norm(means)
            + error * np.sqrt(inertia / masses[0])
        )
        bound = max(0.0, (inertia * (1 - error) - masses[0] * way**2 * (1 + error)) * (1 - 1e-15))
    bound = rows.unscale(Clustering(None, centers, bound)).inertia
    return max(0.0, float(np.nextafter(bound, -np.inf)))
