"""What a part of the rows is asked, where it is at work: each takes the part, and says all that its answer depends on."""

import numpy as np

from ..local.rows import whole_weights
from ..workers import split
from .parts import fingerprint


def survey(part, slab):
    """Of each slab, the sum, the least and the largest value of each feature; what is bad; the weights; and a check sum."""
    from .._kernels import panels as kernels

    X, weights, columns = part.X, part.weights, []
    for start, stop in split(len(X), slab):
        total = np.zeros(X.shape[1])
        low, high = np.full_like(total, np.inf), np.full_like(total, -np.inf)
        kernels.column_extremes(X[start:stop], 0, stop - start, total, low, high)
        columns.append((total, low, high))
    bad, nan = [], False
    if not all(np.isfinite(total + low + high).all() for total, low, high in columns):
        finite = np.isfinite(X).all(axis=1)
        bad = (part.first + np.flatnonzero(~finite)).tolist()
        nan = bool(np.isnan(X[~finite]).any())
    return columns, bad, nan, _survey_of_weights(part), fingerprint(X, weights)


def _survey_of_weights(part):
    """The least, the largest and the sum of the weights; and the first that is none, with its index."""
    if part.weights is None:
        return 1.0, 1.0, float(len(part.X)), None
    bad = np.flatnonzero(~(np.isfinite(part.weights) & (part.weights >= 0)))[:1]
    first = (part.first + int(bad[0]), float(part.weights[bad[0]])) if len(bad) else None
    with np.errstate(over="ignore", invalid="ignore"):
        return part.weights.min(), part.weights.max(), part.weights.sum(), first


def step(part, centers, before, summed):
    """How many labels change from those of the centers `before`; the work; and the sums of the clusters."""
    rows = part.rows
    was = rows.n_distances, rows.n_spared, rows.n_labelled, rows.n_recomputed
    n_moved = (
        part.move_to(centers, None if before is None else before.centers)
        if summed
        else part.labels_here(centers, before)
    )
    work = rows.n_distances, rows.n_spared, rows.n_labelled, rows.n_recomputed
    counts = np.array([n_moved, *np.subtract(work, was)])
    return counts, part.partition.parts().sum(axis=0) if summed else 0


def shifts(part, labels, centers):
    """`Rows.shifts` of each slab."""
    return part.rows.shifts(part.labels_as_array(labels), centers)


def each_slab(part, function, *args):
    """`Rows.each_slab`."""
    return part.rows.each_slab(function, *args)


def some_slabs(part, wanted, function, *args):
    """`Rows.some_slabs`, of the part's own."""
    return part.rows.some_slabs(function, wanted, *args)


def take(rows, start, stop, indices):
    """Rows of a slab, in double."""
    return rows.X[start:stop][indices].astype(np.float64)


def weights_of(part):
    """The weights, in the units of the kernels."""
    return part.rows.sample_weight


def arrays(part):
    """The rows as they are, and their weights."""
    return part.X, part.weights


def apply(part, function, n_samples):
    """A function of the rows."""
    return function(part.X, part.first, n_samples)


def labels(part, of):
    """The labels themselves."""
    return part.labels_as_array(of)


def count(part, of):
    """Rows of each cluster."""
    return np.bincount(part.labels_as_array(of), minlength=len(of.centers))


def is_on_centers(part, of, centers):
    """Whether every row with weight lies exactly on its center."""
    away = (part.X != centers[part.labels_as_array(of)]).any(axis=1)
    return not (away if part.weights is None else away & (part.weights > 0)).any()


def distances(part, one_by_one, n_clusters, batches):
    """Weighted squared distances of each slab."""
    return part.distances_to(one_by_one, n_clusters, batches).distances.masses


def draws(part, wanted, one_by_one, n_clusters, batches):
    """Places in some slabs."""
    return part.distances_to(one_by_one, n_clusters, batches).distances.draw_in_slabs(wanted)


def falls(part, candidates, n_clusters, batches):
    """By how much the inertia would fall with each candidate, of each slab."""
    return part.distances_to(True, n_clusters, batches).falls(candidates)


def owned(part, n_centers, n_clusters, batches):
    """The weight that is nearest to each center, of each slab."""
    return part.distances_to(False, n_clusters, batches).distances.owned_sums(n_centers)


def movable(part, of, means, centers_t, masses):
    """Rows that would lower the inertia by moving, their weights, and their labels."""
    rows = part.rows
    rows.panels.pack()
    X, weights, candidates, own = rows.movable(part.labels_as_array(of), means, centers_t, masses)
    return X[candidates], weights[candidates] if len(weights) else weights, own[candidates]


def keys(part, odd):
    """A number for each row, the same for equal rows."""
    return part.rows._keys(0, len(part.X), odd)


def most_apart(part, of, means, masses, points_weight):
    """The largest gain of a row that becomes a cluster of its own."""
    return _gains_apart(part, of, means, masses, points_weight)[0].max()


def first_apart(part, enough, of, means, masses, points_weight):
    """The first row that gains enough so: its index, what it holds, its label and its weight; None if there is none."""
    gains, own, weights = _gains_apart(part, of, means, masses, points_weight)
    found = np.flatnonzero(gains >= enough)[:1]
    if not len(found):
        return None
    i = found[0]
    return part.first + int(i), part.X[i].astype(np.float64), int(own[i]), weights[i]


def _gains_apart(part, of, means, masses, points_weight):
    own, rows = part.labels_as_array(of), part.rows
    weights, (indices, others) = rows.weights(), points_weight
    here = slice(*np.searchsorted(indices, [part.first, part.first + len(own)]))
    weights = weights.copy()
    weights[indices[here] - part.first] = others[here]
    whole = whole_weights(weights, masses[own])
    known = rows.norms_of(means)
    return rows.removal_gains(known, whole, own, means, masses, 0, len(own)), own, weights
