"""Samples: few rows, with weights with which they stand for all."""

import numpy as np

from .rows import Rows

# Share of the draws that go by weight; the others go by squared distance as well, or an equal part to each cluster.
BY_WEIGHT = 0.5
BY_DISTANCE = 0.25


def draw_sample(rows, size, numbers):
    """A sample: Rows with weights with which they stand for all; the rows themselves if size is their number.

    One is drawn from each of `size` equal shares of all rows in their order: half by weight, half by weight times squared
    distance to the mean, so that what lies far out is not missed. For one size, whole weights do what as many copies of
    the row would.

    References
    ----------
    Bachem, Lucic & Krause (2018), "Scalable k-means clustering via lightweight coresets", KDD, 1119-1127.
    """
    if size == rows.n_samples:
        return rows
    weights, mean = rows.sample_weight, rows.origin[None]
    if len(weights):
        mean = rows.update(np.zeros(rows.n_samples, np.int32), mean)[0]
    masses = rows.distances(mean)[:, 0]
    if len(weights):
        masses *= weights
    scatter = masses.sum()
    if scatter > 0:
        masses *= 1 - BY_WEIGHT
        masses /= scatter
    masses += BY_WEIGHT * weights / weights.sum() if len(weights) else BY_WEIGHT / rows.n_samples
    drawn, weights = _drawn(masses, weights, size, numbers)
    return Rows(np.ascontiguousarray(rows.X[drawn]), weights, rows.workers)


def draw_from_clusters(rows, size, numbers, centers):
    """The same with the rows in the order of their nearest centers: each cluster has its share of the draws, to one row.

    Half go by weight; a quarter by weight times squared distance to the nearest center; and a quarter to all clusters alike.
    The weights of a cluster's rows add up to the cluster's.

    References
    ----------
    Bachem, Lucic & Krause (2017), "Practical coreset constructions for machine learning", arXiv:1703.06476, section 2.
    """
    rows.panels.pack()
    labels, weights = rows.panels.assign(centers), rows.sample_weight
    masses, k = np.empty(rows.n_samples), len(centers)

    def block(start, stop):
        away = rows.X[start:stop] - centers[labels[start:stop]]
        masses[start:stop] = np.einsum("if,if->i", away, away)

    rows.run(block, 1)
    if len(weights):
        masses *= weights
    whole = np.bincount(labels, weights if len(weights) else None, k)
    masses *= BY_DISTANCE / max(masses.sum(), np.finfo(float).tiny)
    each = BY_WEIGHT / whole.sum() + (1 - BY_WEIGHT - BY_DISTANCE) / k / np.maximum(
        whole, np.finfo(float).tiny
    )
    labels = labels.astype(np.min_scalar_type(k - 1))
    for start, stop in rows.slabs():
        more = each[labels[start:stop]]
        masses[start:stop] += more * weights[start:stop] if len(weights) else more
    order = np.argsort(labels, kind="stable")
    masses = masses[order]
    drawn, weights = _drawn(masses, weights[order] if len(weights) else weights, size, numbers)
    drawn = order[drawn]
    own = labels[drawn]
    weights *= whole[own] / np.bincount(own, weights, k)[own]
    return Rows(np.ascontiguousarray(rows.X[drawn]), weights, rows.workers)


def _drawn(masses, weights, size, numbers):
    """Indices of rows drawn by their masses, one from each of `size` equal shares, and with which weights they stand for all."""
    cumulated = np.cumsum(masses)
    shares = (np.arange(size) + numbers.uniform(size)) / size * cumulated[-1]
    drawn = np.minimum(
        np.searchsorted(cumulated, shares, side="right"), np.searchsorted(cumulated, cumulated[-1])
    )
    drawn, counts = np.unique(drawn, return_counts=True)
    return drawn, counts * (weights[drawn] if len(weights) else 1.0) / masses[drawn] / size
