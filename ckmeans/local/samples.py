"""Samples: few rows, with weights with which they stand for all."""

import numpy as np

from .._kernels import lloyd as kernels
from .rows import Rows

# Share of the draws that go by weight; the others go by squared distance as well, or an equal part to each cluster.
BY_WEIGHT = 0.5
BY_DISTANCE = 0.25
LITTLE = np.finfo(float).tiny


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
    mean, labels, known = rows.origin[None], rows.alike(), rows.memo()
    if rows.weighted:
        mean = rows.update(labels, mean)[0]
    scatter, whole = rows.fold_slabs(_sums, [0.0, np.zeros(1)], known, labels, mean)
    each = np.array([BY_WEIGHT / whole[0]])
    X, weights, _ = _drawn(
        rows, size, numbers, known, labels, mean, (1 - BY_WEIGHT) / max(scatter, LITTLE), each
    )
    return Rows(X, weights, rows.workers)


def draw_from_clusters(rows, size, numbers, centers):
    """The same with the rows in the order of their nearest centers: each cluster has its share of the draws, to one row.

    Half go by weight; a quarter by weight times squared distance to the nearest center; and a quarter to all clusters alike.
    The weights of a cluster's rows add up to the cluster's.

    References
    ----------
    Bachem, Lucic & Krause (2017), "Practical coreset constructions for machine learning", arXiv:1703.06476, section 2.
    """
    rows.panels.pack()
    labels, k, known = rows.panels.assign(centers), len(centers), rows.memo()
    scatter, whole = rows.fold_slabs(_sums, [0.0, np.zeros(k)], known, labels, centers)
    each = BY_WEIGHT / whole.sum() + (1 - BY_WEIGHT - BY_DISTANCE) / k / np.maximum(whole, LITTLE)
    X, weights, own = _drawn(
        rows, size, numbers, known, labels, centers, BY_DISTANCE / max(scatter, LITTLE), each
    )
    weights *= whole[own] / np.bincount(own, weights, k)[own]
    return Rows(X, weights, rows.workers)


def _drawn(rows, size, numbers, known, labels, centers, by_distance, each):
    """Rows drawn by their masses, one from each of `size` equal shares of the clusters one after the other.

    The mass of a row is its weight times (by_distance times its squared distance to its center, and what `each` has for its
    cluster). It is added up within the rows of a cluster in a slab first: so draws are the same wherever the slabs are.

    Returns
    -------
    X : ndarray of shape (n_drawn, n_features)
    weights : ndarray of shape (n_drawn,)
        With which they stand for all.
    own : ndarray of shape (n_drawn,), int
        Their clusters.
    """
    arguments = known, labels, centers, by_distance, each
    cells = np.array(rows.each_slab(_cell_masses, *arguments)).T  # of each cluster in each slab
    cumulated = np.cumsum(cells)
    shares = (np.arange(size) + numbers.uniform(size)) / size * cumulated[-1]
    drawn = np.minimum(
        np.searchsorted(cumulated, shares, side="right"), np.searchsorted(cumulated, cumulated[-1])
    )
    shares -= np.concatenate([[0.0], cumulated])[drawn]
    clusters, slabs = np.unravel_index(drawn, cells.shape)
    order = np.argsort(slabs, kind="stable")
    some, first = np.unique(slabs[order], return_index=True)
    parts = np.split(clusters[order], first[1:]), np.split(shares[order], first[1:])
    wanted = dict(zip(some.tolist(), zip(*parts)))
    found = rows.some_slabs(_draw_in_slab, wanted, *arguments)
    X, weights, own = map(np.concatenate, zip(*found))
    order = np.argsort(own, kind="stable")
    return np.ascontiguousarray(X[order]), weights[order] / size, own[order]


# ---- of the rows of a slab ----


def _squares(rows, start, stop, known, labels, centers):
    """Squared distances to the centers of their labels; `known`, if there is one, has what was found for them last."""
    if known and start in known:
        return known.pop(start)
    X = rows.X[start:stop]
    if len(centers) == 1:
        squares = np.empty((stop - start, 1))
        kernels.distances(X, np.ascontiguousarray(centers.T), 0, len(X), squares)
        squares = squares[:, 0]
    else:
        away = X - centers[rows.own(labels, start, stop)]
        squares = np.einsum("if,if->i", away, away)
    if known is not None:
        known[start] = squares
    return squares


def _sums(rows, start, stop, known, labels, centers):
    """Weighted squared distances, and the weight of each cluster."""
    squares, weights = _squares(rows, start, stop, known, labels, centers), None
    if rows.weighted:
        weights = rows.sample_weight[start:stop]
        squares = squares * weights
    if len(centers) == 1:
        return [squares.sum(), np.array([stop - start if weights is None else weights.sum()])]
    return [squares.sum(), np.bincount(rows.own(labels, start, stop), weights, len(centers))]


def _masses(rows, start, stop, known, labels, centers, by_distance, each):
    own = rows.own(labels, start, stop)
    if known and (start, "masses") in known:
        return known.pop((start, "masses")), own
    masses = _squares(rows, start, stop, known, labels, centers) * by_distance
    masses += each[0] if len(each) == 1 else each[own]
    if rows.weighted:
        masses *= rows.sample_weight[start:stop]
    if known is not None:
        known[start, "masses"] = masses
    return masses, own


def _cell_masses(rows, start, stop, known, labels, centers, by_distance, each):
    """The mass of each cluster."""
    masses, own = _masses(rows, start, stop, known, labels, centers, by_distance, each)
    return np.bincount(own, masses, len(centers)) if len(centers) > 1 else np.array([masses.sum()])


def _draw_in_slab(rows, start, stop, wanted, known, labels, centers, by_distance, each):
    """The rows where shares of the mass of a cluster end, for some clusters: what they hold, weights, and clusters."""
    masses, own = _masses(rows, start, stop, known, labels, centers, by_distance, each)
    (clusters, shares), order, ends = wanted, np.arange(stop - start), np.array([stop - start])
    if len(centers) > 1:
        order = np.argsort(own.astype(np.min_scalar_type(len(centers))), kind="stable")
        ends = np.cumsum(np.bincount(own, minlength=len(centers)))
    cumulated = np.cumsum(masses[order])
    before = np.concatenate([[0.0], cumulated])[np.concatenate([[0], ends[:-1]])]
    last = np.searchsorted(cumulated, cumulated[ends - 1])  # the last row with mass of each cluster
    places = np.searchsorted(cumulated, before[clusters] + shares, side="right")
    drawn, counts = np.unique(order[np.minimum(places, last[clusters])], return_counts=True)
    weights = counts / masses[drawn]
    if rows.weighted:
        weights *= rows.sample_weight[start:stop][drawn]
    return rows.X[start:stop][drawn], weights, own[drawn]
