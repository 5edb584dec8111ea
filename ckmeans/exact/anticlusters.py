"""Groups of rows that each look like the whole: what their optima add up to is near the optimum of all rows."""

import math
from time import monotonic

import numpy as np

# Passes over the rows of a cluster, and rows that each may swap with in a pass: more of them cost time in proportion and bring
# the means of the groups a little nearer.
PASSES, PARTNERS = 10, 50


def anticlusters(X, labels, n_groups, seconds=None):
    """Deal the rows out to groups, row by row along each cluster, so that every group has its share of every place.

    Then rows of the same cluster are swapped until each group's part of it has nearly the same mean.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,), int
        Of a good clustering.
    n_groups : int
    seconds : float or None
        No more rows are swapped after these.

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
    >>> [group.tolist() for group in anticlusters(X, np.array([0, 1, 0, 1, 0, 1]), 2)]
    [[0, 3, 4], [1, 2, 5]]
    """
    X = np.ldexp(X, -int(np.frexp(np.abs(X).max())[1]))  # squares of these do not overflow
    until = math.inf if seconds is None else monotonic() + seconds
    clusters = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    order = np.concatenate([own[cell] for own in clusters for cell in halved(X[own], 2)])
    group = np.empty(len(X), int)
    group[order] = np.arange(len(X)) % n_groups
    for own in clusters:
        _swap(X[own] - X[own].mean(axis=0), own, group, n_groups, until)
    return [np.flatnonzero(group == g) for g in range(n_groups)]


def _swap(X, own, group, n_groups, until):
    """Swap rows of one cluster between groups as long as that brings the groups' means nearer to the cluster's.

    Around the cluster's mean, m rows of a group that add up to S cost |S|^2 / m more than around their own.
    """
    g, rng = group[own], np.random.default_rng(0)
    counts = np.bincount(g, minlength=n_groups)
    sums = np.array([np.bincount(g, x, n_groups) for x in X.T]).T
    for _ in range(PASSES):
        n_swaps = 0
        for i in rng.permutation(len(own)):
            if monotonic() >= until:
                break
            others = rng.integers(len(own), size=PARTNERS)
            h = g[others]
            to_there, to_here = X[i] - X[others], X[others] - X[i]
            a, b = counts[g[i]], np.maximum(counts[h], 1)
            # |S_g - x_i + x_j|^2 / m_g + |S_h - x_j + x_i|^2 / m_h less what these are now.
            step = (to_here * (2 * sums[g[i]] + to_here)).sum(axis=1) / a
            step += (to_there * (2 * sums[h] + to_there)).sum(axis=1) / b
            step[h == g[i]] = 0
            best = int(step.argmin())
            if step[best] < 0:
                j = others[best]
                sums[g[i]] += X[j] - X[i]
                sums[g[j]] += X[i] - X[j]
                g[i], g[j] = g[j], g[i]
                n_swaps += 1
        if n_swaps < len(own) / 20 or monotonic() >= until:
            break
    group[own] = g


def halved(X, most):
    """Cells of at most so many rows, neighbours near each other: halves of the rows, split in turn where they are widest.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    most : int

    Returns
    -------
    list of ndarray of indices

    Examples
    --------
    >>> [cell.tolist() for cell in halved(np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 1.0], [6.0, 0.0]]), 2)]
    [[0, 2], [1, 3]]
    """
    cells, pending = [], [np.arange(len(X))]
    while pending:
        rows = pending.pop()
        if len(rows) <= most:
            cells.append(rows)
            continue
        feature = np.argmax(np.ptp(X[rows], axis=0))
        rows = rows[np.argsort(X[rows, feature], kind="stable")]
        half = len(rows) // 2
        pending += [rows[half:], rows[:half]]
    return cells
