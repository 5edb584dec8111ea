"""Spherical k-means: rows and centers count by their directions, and the cost of a row is one less the cosine of the angle.

Of rows u and centers c of length one |u - c|^2 = 2 - 2 cos: the nearest center is found as in Lloyd's iteration, and the best
center of a cluster is the direction of its mean. Hornik, Feinerer, Kober & Buchta (2012), "Spherical k-means clustering",
J. Stat. Software 50(10), doi:10.18637/jss.v050.i10.
"""

from fractions import Fraction

import numpy as np
from scipy.sparse import issparse

from ..interrupts import Held
from ..workers import Workers, check_room, split
from .directed import directions, with_lengths
from .lloyd import CHECK, MOST_RELOCATIONS, relocate
from .random_stream import RandomStream
from .restarts import Restarts, in_order, run_until_limit
from .rows import Clustering
from .stopping import MOST_WORK, WORK_RATIO

# Numbers of a block of rows, or of their cosines: a megabyte or two.
BLOCK = 1 << 18
# Largest error of cosines up to which these are computed in single precision first. Of 50,000 x 768 rows like embeddings and 1,000
# centers, with an error of 1e-4, 0.12 % of the rows are left to double, and labels take 1.1 s instead of 1.7.
MOST_SINGLE = 1e-3


def spherical_search(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=None,
    tol=0.0,
    max_seconds=None,
    rng=None,
    n_threads=None,
    progress=None,
    held=None,
):
    """Search for a spherical clustering of low cost, as `local_search`; no row is zero, and `init` holds no zero center.

    Returns
    -------
    LocalSolution
        Centers have length one; the inertia is the sum of weight * (1 - cosine), and labels are exact for X and these centers.
    """
    numbers = RandomStream(np.random.default_rng() if rng is None else rng)
    with Held() as own, Workers(n_threads, max_seconds) as workers:
        with workers.without_limit():
            units = unit_rows(X) if issparse(X) else with_lengths(X, workers)
        return run_until_limit(
            lambda rows: _SphericalRestarts(X, rows, n_clusters, init, n_init, max_iter, tol, False, numbers),
            units,
            sample_weight,
            workers,
            progress and (lambda n, cost: progress(n, cost / 2)),
            held or own,
            single=False,
        )


class _SphericalRestarts(Restarts):
    """Restarts over rows of length one; `given` are the rows as they were given."""

    def __init__(self, given, *arguments):
        super().__init__(*arguments)
        self.given, self.ended = given, None  # the best restart, as it ended
        if isinstance(self.init, np.ndarray):
            self.init = directions(self.init)

    def restart(self, X):
        """One start, to a fixed point."""
        centers = directions(self.start(self.given)[0])
        partition, centers, n_iter, stop_reason = spherical_lloyd(
            self.rows, centers, self.max_iter, self.tol, self.remember
        )
        if self.budget == np.inf:
            self.budget = max(MOST_WORK, WORK_RATIO * self.work())
        return self.offer(partition, centers), n_iter, stop_reason

    def finish(self):
        """Centers in order; `outcome` makes the labels."""
        self.hits = self.n_hits() if self.hits is None else self.hits
        if self.best is not None and self.best.labels is not None:
            self.ended = self.best
        centers = self.current if self.best is None else self.best.centers
        centers = centers if isinstance(self.init, np.ndarray) else in_order(centers)
        self.best = Clustering(None, centers, None)

    def outcome(self, stop_reason):
        """The best clustering, its labels exact for the rows as they were given."""
        rows, centers = self.rows, self.best.centers
        labels = nearest_by_angle(self.given, centers, rows.workers, rows.X, self._sure_labels(centers))
        inertia = rows.unscale(Clustering(None, centers, self._cost(labels, centers) / 2)).inertia
        alone = len(centers) == 1 and stop_reason is None and self.best_end()[2] == "converged"
        optimal = inertia == 0 or alone
        return self.solved(
            stop_reason,
            labels,
            centers,
            inertia,
            lower_bound=inertia * (1 - rows.inertia_error) if optimal else 0.0,
            status="optimal" if optimal else "bounded",
        )

    def _cost(self, labels, centers):
        """What rows.cost has, without a look at the rows where the best restart ended with these labels and centers."""
        number = self.ended and _numbers(self.ended.centers, centers)
        if number is not None and np.array_equal(number[self.ended.labels], labels):
            return self.ended.inertia
        return self.rows.cost(labels, centers)

    def _sure_labels(self, centers):
        """The labels by angle that the bounds of the last assignment leave no doubt of, and -1 for the other rows."""
        sure = np.full(self.rows.n_samples, -1, np.int32)
        bounds = self.partition and self.partition.last_bounds()
        if bounds is None:
            return sure
        number = _numbers(bounds.centers, centers)
        if number is None:
            return sure
        # Of vectors of length one, the cosines differ by half of the difference of the squared distances, which is more than the
        # square of that of the distances. Lengths are one to some roundings, which a few margins are far above.
        labels = self.partition.labels
        lead = (bounds.separation - bounds.drift[labels]) / self.rows.panels.scale
        is_sure = lead > np.sqrt(8 * _margin(centers.shape[1]))
        sure[is_sure] = number[labels[is_sure]]
        return sure


def _numbers(before, centers):
    """The number that each of some centers has in another order; None if the others are not the same, or some are copies."""
    numbers = {center.tobytes(): k for k, center in enumerate(centers)}
    number = np.array([numbers.get(center.tobytes(), -1) for center in before], np.int32)
    return number if np.array_equal(np.sort(number), np.arange(len(centers))) else None


def spherical_lloyd(rows, centers, max_iter=None, tol=0.0, on_centers=None):
    """Rows of length one to their nearest centers, centers to the directions of the means; as `lloyd`.

    The center of a cluster whose mean is zero stays where it is.
    """
    partition, last, n_iter, n_relocations = rows.partition(len(centers)), np.inf, 0, 0
    while True:
        n_changed = rows.panels.assign(centers, partition)
        if on_centers is not None:
            on_centers(centers, partition.labels)
        if n_iter and not n_changed:
            return partition, centers, n_iter, "converged"
        if tol > 0 or n_iter and n_iter % CHECK == 0:
            cost = rows.cost(partition.labels, centers)
            if n_iter and last - cost <= tol * last:
                return partition, centers, n_iter, "tol" if tol > 0 else "converged"
            last = cost
        if n_iter == max_iter:
            return partition, centers, n_iter, "max_iter"
        means, masses = partition.means(centers)
        if not masses.all() and n_relocations < MOST_RELOCATIONS:
            n_relocations += 1
            means = relocate(rows, partition.labels, means, masses)
        centers = directions(means, centers)
        n_iter += 1


def unit_rows(X):
    """The rows of an array or CSR array, scaled to length one, in double; zeros stay."""
    if not issparse(X):
        return directions(X)
    lines = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    largest = np.zeros(X.shape[0])
    np.maximum.at(largest, lines, np.abs(X.data))
    data = np.ldexp(X.data.astype(np.float64), -np.frexp(largest)[1][lines])
    lengths = np.sqrt(np.bincount(lines, data**2, X.shape[0]))
    data /= lengths[lines]
    some = data != 0
    if some.all():
        return X._with_data(data, copy=False)
    out = X._with_data(data)
    out.eliminate_zeros()
    return out


def rows_with_direction(X, zero_rows):
    """Indices of the rows that are not zero; others are refused unless they are to be left out.

    Raises
    ------
    ValueError
        For zero_rows="refuse" where there are some, for any other but "leave out", and where all are zero.
    """
    if zero_rows not in ("refuse", "leave out"):
        raise ValueError(f"zero_rows={zero_rows!r} is unknown: give 'refuse' or 'leave out'.")
    none = np.diff(X.indptr) == 0 if issparse(X) else ~X.any(axis=1)
    zero = np.flatnonzero(none)
    if len(zero) and zero_rows == "refuse":
        shown = ", ".join(map(str, zero[:10])) + (", ..." if len(zero) > 10 else "")
        raise ValueError(
            f"{len(zero)} of {X.shape[0]} rows of X are zero, which has no direction: {shown}. Drop these rows, or give"
            " zero_rows='leave out'."
        )
    return np.flatnonzero(~none)


def cosines(units, centers):
    """Cosines of the angles between rows of length one and centers of any length."""
    check_room()
    return np.clip(units @ directions(centers).T, -1, 1)


def _margin(n_features):
    """By how much cosines of rows and centers of length one must differ, as computed in double, for sure to be different."""
    # A product of unit vectors has an error of d + 2 roundings, and the lengths have as many.
    return (n_features + 8) * 1e-15


def nearest_by_angle(X, centers, workers, units=None, known=None):
    """The center at the least angle from each row, exactly, for rows and centers as they are; ties to the lowest index.

    Labels that are known, not -1, stay.
    """
    check_room()
    if units is None:
        units = unit_rows(X) if issparse(X) else with_lengths(X, workers)
    distinct, first = np.unique(centers, axis=0, return_index=True)
    order = np.argsort(first)
    distinct, first = distinct[order], first[order]
    there = directions(distinct).T.copy()
    labels = np.full(X.shape[0], -1, np.int32) if known is None else known
    open_rows = np.flatnonzero(labels < 0)
    # Single precision, which takes half of the time, leaves few rows to double, and that few to fractions.
    margin, single = _margin(X.shape[1]), (X.shape[1] + 8) * 2.0**-23
    screened = not issparse(units) and single < MOST_SINGLE
    roughly = there.astype(np.float32) if screened else there

    def block(start, stop):
        some_rows = open_rows[start:stop]
        own = units[some_rows]
        # All of this is finite; but BLAS may add up what lies beside the numbers too, and NumPy tell of that.
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            found = (own.astype(np.float32) if screened else own) @ roughly
        best = found.argmax(axis=1)
        near = found >= (found[np.arange(len(best)), best] - (single if screened else margin))[:, None]
        for i in np.flatnonzero(near.sum(axis=1) > 1):
            some = np.flatnonzero(near[i])
            if screened:
                products = own[i] @ there[:, some]
                some = some[products >= products.max() - margin]
            if len(some) > 1:
                x = X[some_rows[i : i + 1]]
                some = [_at_least_angle((x.toarray() if issparse(x) else x)[0], distinct, some)]
            best[i] = some[0]
        labels[some_rows] = first[best]

    width = X.nnz // X.shape[0] if issparse(X) else X.shape[1]
    workers.run(block, split(len(open_rows), max(1, BLOCK // (len(distinct) + width))))
    return labels


def _at_least_angle(x, centers, some):
    """Which of some centers has the largest cosine, in fractions: by the sign and the square of x.c / |c|."""
    own = np.flatnonzero(x)
    values = [Fraction(v) for v in x[own].tolist()]
    best, most = some[0], None
    for k in some:
        product = sum(a * Fraction(b) for a, b in zip(values, centers[k, own].tolist()))
        length = sum(Fraction(c) ** 2 for c in centers[k][centers[k] != 0].tolist())
        cosine = product * abs(product) / length
        if most is None or cosine > most:
            best, most = k, cosine
    return best
