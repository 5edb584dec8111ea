"""Groups of rows that each look like the whole: what their optima add up to is near the optimum of all rows."""

import numpy as np


def alike(X, labels, n_groups):
    """Deal the rows out to groups, row by row along each cluster, so that every group has its share of every place.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,), int
        Of a good clustering.
    n_groups : int

    Returns
    -------
    list of n_groups ndarrays of indices, each in increasing order

    References
    ----------
    Papenberg & Klau (2021), "Using anticlustering to partition data sets into equivalent parts", Psychological Methods
    26:161-174, doi:10.1037/met0000301.

    Examples
    --------
    >>> X = np.array([[0.0], [10.0], [1.0], [11.0], [2.0], [12.0]])
    >>> [group.tolist() for group in alike(X, np.array([0, 1, 0, 1, 0, 1]), 2)]
    [[0, 3, 4], [1, 2, 5]]
    """
    order = np.concatenate(
        [own[_along(X[own])] for own in map(np.flatnonzero, labels == np.unique(labels)[:, None])]
    )
    return [np.sort(order[start::n_groups]) for start in range(n_groups)]


def _along(X):
    """An order in which neighbours are near: cells of halves of the rows, split in turn where they are widest."""
    order, pending = [], [np.arange(len(X))]
    while pending:
        rows = pending.pop()
        if len(rows) <= 2:
            order.extend(rows.tolist())
            continue
        feature = np.argmax(np.ptp(X[rows], axis=0))
        rows = rows[np.argsort(X[rows, feature], kind="stable")]
        half = len(rows) // 2
        pending += [rows[half:], rows[:half]]
    return np.array(order, int)
