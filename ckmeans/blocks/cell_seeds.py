"""Seeds of cells: rows drawn by their squared distances, and the exact nearest seed of a row."""

import numpy as np

from .._kernels import cell_seeds as kernels
from .._kernels import small
from ..local.rows import Rows
from ..workers import Workers, split

# Draws are made in this many rounds, as in k-means||, each by the squared distances to the seeds of those before.
ROUNDS = 8
# Updates of the seeds among the rows they were drawn from: two lower the scatter of 300,000 rows in 4,000 cells by 7 to 14 %.
REFINE = 2
# A tree finds the seeds of rows with at most this many features (the kernel has room for no more): of 16,000 seeds, per million rows,
# in 0.19 s (2 features), 0.31 s (3) and 0.47 s (4), where SciPy's takes 0.64, 0.87 and 1.27; with 8 the panel kernels are faster.
MOST_BY_TREE = 4
# Seeds in a leaf of the tree, on the average: with 4 rows take a tenth longer, with 12 as long.
LEAF = 8
# Rows that one thread looks up at a time, a millisecond or two.
ROWS = 4096
# Distances that differ by a smaller share are decided by the exact kernel: rounding is some 1e-15.
NEAR = 1e-12
# Distances outside this range are too: their squares may overflow, or vanish. (The tree of `cell_seeds.pyx` keeps to the same.)
LEAST, MOST = 1e-140, 1e140


class Seeds:
    """Points that rows are given to, each to the exact nearest one, ties going to the lowest index.

    Parameters
    ----------
    points : ndarray of shape (n_seeds, n_features), float64
    n_threads : int or None

    Examples
    --------
    >>> Seeds(np.array([[0.0], [2.0]]), 1).nearest(np.array([[1.0], [1.5]]))
    array([0, 1])
    """

    def __init__(self, points, n_threads):
        self.points, self.n_threads = points, n_threads
        self._tree = _Tree(points) if points.shape[1] <= MOST_BY_TREE else None

    def with_more(self, points):
        """Those of more points, which begin with the present ones."""
        other = object.__new__(Seeds)
        other.points, other.n_threads = points, self.n_threads
        other._tree = None if self._tree is None else self._tree.with_more(points)
        return other

    def nearest(self, X):
        """The index of the nearest seed of each row."""
        if self._tree is None:
            return self._by_panels(X)
        labels = np.empty(len(X), np.intp)

        def block(start, stop):
            self._tree.find(X, labels, start, stop)

        with Workers(self.n_threads) as workers:
            workers.run(block, split(len(X), ROWS))
        if len(unsure := np.flatnonzero(labels < 0)):
            labels[unsure] = self._by_panels(X[unsure])
        return labels

    def _by_panels(self, X):
        with Workers(self.n_threads) as workers:
            rows = Rows(X, None, workers, compared_with=self.points, algorithm="lloyd")
            return rows.nearest(self.points).astype(np.intp)


class _Tree:
    """The tree of `cell_seeds.pyx` over points."""

    def __init__(self, points):
        n, n_leaves = len(points), 1 << (len(points) // LEAF).bit_length()
        self.points, self.n_built = points, n
        order, starts = np.arange(n), np.zeros(n_leaves + 1, np.intp)
        starts[-1] = n
        features, cuts, copies = (
            np.empty(n_leaves - 1, np.int32),
            np.empty(n_leaves - 1),
            np.empty_like(points),
        )
        kernels.build(points, order, starts, features, cuts, copies)
        self.parts = order, starts, features, cuts, copies
        self.first, self.after = np.full(n_leaves, -1, np.int32), np.full(n, -1, np.int32)

    def with_more(self, points):
        """That of more points, which begin with these; it is built anew when many have come since."""
        if len(points) > 2 * self.n_built:
            return _Tree(points)
        other = object.__new__(_Tree)
        vars(other).update(vars(self))
        _, _, features, cuts, _ = self.parts
        other.points, other.first, other.after = points, self.first.copy(), np.resize(self.after, len(points))
        kernels.hang(points, len(self.points), features, cuts, other.first, other.after)
        return other

    def find(self, X, labels, start, stop):
        """The nearest points of rows start to stop - 1; -1 where that is not sure."""
        kernels.find(X, self.points, *self.parts, self.first, self.after, labels, start, stop)


def sq_distances(X, points):
    """Squared distances of rows to points, one each or one for all; the same bits for each row however many there are."""
    total = np.zeros(len(X))
    with np.errstate(over="ignore", under="ignore"):
        for f in range(X.shape[1]):
            off = X[:, f] - points[..., f]
            total += off * off
    return total


def nearer(X, known, new, sq_known, sq_new):
    """Whether rows are nearer to a new point than to the ones they have, exactly, ties going to the latter."""
    with np.errstate(over="ignore", invalid="ignore"):
        sure = np.abs(sq_new - sq_known) > NEAR * np.maximum(sq_new, sq_known)
        sure &= (np.maximum(sq_new, sq_known) < MOST**2) & (np.maximum(sq_new, sq_known) > LEAST**2)
    found, scratch, label = sq_new < sq_known, np.empty(2 * (1 + len(new))), np.empty(1, np.int32)
    for i in np.flatnonzero(~sure):
        small.label_rows(X[i : i + 1], np.stack([known[i], new]), scratch, label)
        found[i] = label[0]
    return found


def draw_seeds(X, sample_weight, n_seeds, rng, n_threads):
    """Seeds for rows: all different rows where they are few, else rows drawn as in k-means||, moved to the means of their rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
    sample_weight : ndarray of shape (n_samples,), float64, or None
    n_seeds : int
        At most so many.
    rng : Generator

    Returns
    -------
    seeds : ndarray of shape (at most n_seeds, n_features), float64
    """
    _, first = np.unique(X, axis=0, return_index=True)
    if len(first) <= n_seeds:
        return X[np.sort(first)]
    weights = np.ones(len(X)) if sample_weight is None else sample_weight / sample_weight.max()
    masses, chosen = weights, np.zeros(0, np.intp)
    for left in range(ROUNDS, 0, -1):
        n = -(-(n_seeds - len(chosen)) // left)
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.cumsum(masses)
        if not n or not 0 < total[-1] < np.inf:
            break
        drawn = np.searchsorted(total, rng.uniform(size=n) * total[-1], side="right")
        chosen = np.union1d(chosen, np.minimum(drawn, len(X) - 1))
        seeds = Seeds(X[chosen], n_threads)
        with np.errstate(over="ignore", under="ignore"):
            masses = weights * sq_distances(X, seeds.points[seeds.nearest(X)])
    seeds = np.unique(X[chosen], axis=0)
    for _ in range(REFINE):
        seeds = _moved(X, weights, seeds, Seeds(seeds, n_threads).nearest(X))
    return np.unique(seeds, axis=0)


def _moved(X, weights, seeds, labels):
    """The means of the rows of each seed; one without rows stays."""
    mass = np.bincount(labels, weights, len(seeds))
    moved = seeds.copy()
    for f in range(X.shape[1]):
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            shift = np.bincount(labels, weights * (X[:, f] - seeds[labels, f]), len(seeds))
            means = seeds[:, f] + shift / np.where(mass > 0, mass, 1)
        moved[:, f] = np.where(np.isfinite(means), means, seeds[:, f])
    return moved
