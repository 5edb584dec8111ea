"""The fixed points of Lloyd's iteration: where many starts lead, and all there are where rows are few."""

from contextlib import nullcontext
from fractions import Fraction
from math import comb
from typing import NamedTuple

import numpy as np

from .._kernels import minima as kernels
from ..exact.partitions import count_labellings
from ..local.lloyd import lloyd
from ..local.restarts import STARTS
from ..local.rows import Clustering, Rows
from ..local.small import BLOCK_WORK, ITERATIONS, NEEDS_DOUBLE, ONES, UNSUPPORTED, Plan
from ..workers import split

# Random numbers, or labels, that are in memory at a time.
CHUNK = 1 << 21
# Partitions that one call of the kernel looks at: some 10 ms.
SLICE = 1 << 16
# All partitions are cut into at least this many parts, which the threads share.
PREFIXES = 64
# The greatest number of fixed points that one call of the kernel can return.
ROOM = 1024
# The greatest number of fixed points that are listed: with many features nearly all partitions are fixed points.
MOST_FOUND = 1 << 16


class Minimum(NamedTuple):
    """A fixed point of Lloyd's iteration; `n_movable` rows would lower the inertia by moving alone."""

    number: int
    centers: np.ndarray
    inertia: float
    n_movable: int


class Minima:
    """Distinct fixed points of Lloyd's iteration, and which of them each start came to.

    Attributes
    ----------
    found : dict of bytes to Minimum
        By their labels, numbered in the order of their first rows.
    ends : list of (int, int)
        Of each start the number of its minimum, and the updates that led there.
    """

    def __init__(self, n_clusters):
        self.n_clusters, self.found, self.ends = n_clusters, {}, []
        self.dtype = np.uint8 if n_clusters <= 256 else np.int32  # of the labels that are kept

    def add(self, labels, centers, inertia, n_movable):
        """The number of a partition, whose labels are numbered in the order of their first rows."""
        return self.add_key(labels.astype(self.dtype, copy=False).tobytes(), centers, inertia, n_movable)

    def add_key(self, key, centers, inertia, n_movable):
        """The same for labels as bytes; the centers are copied if they are new."""
        known = self.found.get(key)
        if known is None:
            known = Minimum(len(self.found), centers.copy(), inertia, int(n_movable))
            self.found[key] = known
        return known.number

    def labels(self):
        """Those of all partitions, of shape (n_minima, n_samples)."""
        return np.array([np.frombuffer(key, self.dtype) for key in self.found], np.int32)


def numbered(labels, n_clusters):
    """Labels numbered in the order of their first rows, and the order of the old ones; those without rows come last."""
    seen, first = np.unique(labels, return_index=True)
    order = np.append(seen[np.argsort(first)], np.setdiff1d(np.arange(n_clusters), seen))
    return np.argsort(order)[labels].astype(np.int32), order


# ---- from many starts ----


class LloydRuns:
    """Lloyd's iteration from many starts, one after the other or on threads.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous
    n_clusters : int
    sample_weight : ndarray of shape (n_samples,), float64, or None
    init : a word of STARTS, or ndarray of shape (n_starts, n_clusters, n_features)
    numbers : RandomStream
    workers : Workers
    minima : Minima
        Where they are noted.
    """

    def __init__(self, X, n_clusters, sample_weight, init, numbers, workers, minima):
        self.X, self.n_clusters, self.init, self.numbers = X, n_clusters, init, numbers
        self.workers, self.minima = workers, minima
        with workers.without_limit():  # one look at the rows is needed whatever the limit
            self.rows = Rows(X, sample_weight, workers)
        self.weights = ONES if sample_weight is None else sample_weight
        self.plan = Plan(X.shape[1], n_clusters, "k-means++", 1, None, False)
        self.small = bool(self.plan.suits(len(X))) and not self.rows.exponent
        self.wide = False

    def run(self, n_starts, progress=None):
        """Make the starts. What was done stays in `minima` when this raises Expired or KeyboardInterrupt."""
        size = 1
        while (done := len(self.minima.ends)) < n_starts:
            if done:
                self.workers.check_time()
            stop = min(n_starts, done + (size if self.small else 1))
            with (
                nullcontext() if done else self.workers.without_limit()
            ):  # one start is made whatever the time
                if self.small:
                    self._on_threads(done, stop)
                else:
                    self._one(self._centers(done))
            if progress is not None:
                progress(len(self.minima.ends), min(found.inertia for found in self.minima.found.values()))
            size = max(1, CHUNK // max(self.plan.n_numbers, len(self.X)))

    def _given(self, start, stop):
        """Centers to begin with, or random numbers that lead to them."""
        k, d = self.n_clusters, self.X.shape[1]
        if isinstance(self.init, str) and self.init == "k-means++":
            n = self.plan.n_numbers
            return np.empty((0, k, d)), self.numbers.uniform(n * (stop - start)).reshape(-1, n)
        init = np.array([self._centers(j) for j in range(start, stop)])
        return init, np.empty((stop - start, 0))

    def _centers(self, j):
        """Those that start j begins with, in the units of the kernels."""
        if isinstance(self.init, str):
            return STARTS[self.init](self.rows, self.n_clusters, self.numbers)
        return self.rows.scale(self.init[j])

    def _one(self, centers):
        """A start of any kind."""
        rows = self.rows
        rows.panels.pack()
        partition, centers, n_iter, _ = lloyd(rows, centers)
        labels, order = numbered(partition.labels, self.n_clusters)
        inertia = rows.update(partition.labels, centers)[2]
        means, masses = partition.means(centers)
        n_movable = len(rows.movable(partition.labels, means, np.ascontiguousarray(means.T), masses)[2])
        found = rows.unscale(Clustering(labels, centers[order], inertia))
        self.minima.ends.append((self.minima.add(labels, found.centers, found.inertia, n_movable), n_iter))

    def _on_threads(self, start, stop):
        """Starts over few rows: all of a block in one compiled call."""
        init, numbers = self._given(start, stop)
        worth = max(1, BLOCK_WORK // (ITERATIONS * self.plan.work(len(self.X))))
        blocks, found = split(stop - start, worth), {}

        def block(first, last):
            found[first] = self._block(init[first:last], numbers[first:last])

        try:
            self.workers.run(block, blocks)
        finally:  # up to the first that is missing
            for first, last in blocks:
                if first not in found:
                    break
                if found[first] is None:  # unusual rows
                    self.small = False
                self._keep(found[first], init[first:last], numbers[first:last])

    def _block(self, init, numbers):
        """Labels as bytes, centers and ends of some starts; None where other kernels have to do it."""
        n = len(numbers)
        labels, ends = np.empty((n, len(self.X)), np.int32), np.empty((n, 3))
        centers, memory = np.empty((n, self.n_clusters, self.X.shape[1])), self.plan.memory(self.X)
        given, found = (self.X, self.weights, init, numbers, self.plan.settings), (labels, centers, ends)
        status = kernels.lloyd_runs(*given, self.wide, memory, *found)
        if status == NEEDS_DOUBLE:
            self.wide = True
            status = kernels.lloyd_runs(*given, self.wide, memory, *found)
        if status == UNSUPPORTED:
            return None
        return labels.astype(self.minima.dtype).tobytes(), centers, ends.T.tolist()

    def _keep(self, found, init, numbers):
        """Note the ends of a block, in order."""
        keys, centers, ends = found or (b"", None, [[-1] * len(numbers)] * 3)
        size = len(keys) // max(1, len(numbers))
        for n, (inertia, n_iter, n_movable) in enumerate(zip(*ends)):
            if inertia >= 0:
                key = keys[n * size : (n + 1) * size]
                number = self.minima.add_key(key, centers[n], inertia, n_movable)
                self.minima.ends.append((number, int(n_iter)))
            elif len(init):
                self._one(init[n])
            else:
                self._one(STARTS["k-means++"](self.rows, self.n_clusters, _Given(numbers[n])))


class _Given:
    """Random numbers that were drawn before."""

    def __init__(self, numbers):
        self._left = numbers

    def uniform(self, size):
        taken, self._left = self._left[:size], self._left[size:]
        return taken


# ---- all partitions ----


class TooManyFixedPoints(Exception):
    """There are more fixed points than can be listed."""


class FixedPointSearch:
    """All partitions of few rows into n_clusters clusters, looked through for the fixed points of Lloyd's iteration.

    A partition is a fixed point if no row is nearer to the mean of another cluster than to that of its own, and the clusters
    can be numbered so that rows that are as near to another stay, ties going to the lowest number. Equal rows are in the same
    cluster; rows of weight zero have no part. Rows of one feature are put in order: only their cuts are tried.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    n_clusters : int
    sample_weight : ndarray of shape (n_samples,) or None
    """

    def __init__(self, X, n_clusters, sample_weight=None):
        weights = np.ones(len(X)) if sample_weight is None else sample_weight
        self.heavy = np.flatnonzero(weights > 0)
        X = X[self.heavy].astype(np.float64) + 0.0
        self.distinct, self.own = np.unique(X, axis=0, return_inverse=True)
        self.own = self.own.reshape(-1)
        self.ordered = X.shape[1] == 1
        if not self.ordered:  # in the order in which they come first, so that the labels are numbered
            first = np.unique(self.own, return_index=True)[1].argsort()
            self.distinct, self.own = self.distinct[first], first.argsort()[self.own]
        self.weights = weights[self.heavy]
        self.k = min(n_clusters, len(self.distinct))
        self.found, self.n_found = [], 0

    @property
    def n_partitions(self):
        """Partitions to look at."""
        n, k = len(self.distinct), self.k
        return (
            comb(n - 1, k - 1) if self.ordered else count_labellings(n, 0, k) - count_labellings(n, 0, k - 1)
        )

    def run(self, workers):
        """Find them: `found` has the labels of the rows with weight."""
        low, high = self.distinct.min(axis=0), self.distinct.max(axis=0)
        exponent = np.frexp(max(high.max(), -low.min()))[1]
        X = np.ldexp(self.distinct, -exponent - 1)
        X = X - X.mean(axis=0)
        X = np.ascontiguousarray(np.ldexp(X, -np.frexp(np.abs(X).max())[1]))
        exact_weights = [Fraction(0)] * len(X)
        for row, weight in zip(self.own.tolist(), self.weights.tolist()):
            exact_weights[row] += Fraction(weight)
        weights = np.array([float(weight / max(exact_weights)) for weight in exact_weights])
        n, d = X.shape
        # Means of coordinates below 1 are off by at most n + 4 roundings, and scores of d of them by as many again.
        margin = 8 * (n + d + 8) * d * 1.2e-16
        prefixes, found = self._prefixes(), {}

        def walk(p):
            labels, parts = np.zeros(n, np.int32), []
            labels[: len(prefixes[p])] = prefixes[p]
            sums, lines = np.zeros((n, self.k, 1 + d)), np.empty((self.k, 1 + d))
            rows, ties = np.empty((ROOM, n), np.int32), np.empty(ROOM, np.uint8)
            finished = False
            while not finished:
                n_found, finished = kernels.fixed_points(
                    X,
                    weights,
                    margin,
                    self.ordered,
                    len(prefixes[p]),
                    not parts,
                    SLICE,
                    labels,
                    sums,
                    lines,
                    rows,
                    ties,
                )
                parts.append((rows[:n_found].copy(), ties[:n_found].copy()))
                self.n_found += n_found
                if self.n_found > MOST_FOUND:
                    raise TooManyFixedPoints
                workers.check_time()
            found[p] = parts

        workers.run(walk, [(p,) for p in range(len(prefixes))])
        exact = None
        for labels, ties in (part for p in range(len(prefixes)) for part in found[p]):
            for own, tie in zip(labels, ties):
                if tie and exact is None:
                    exact = _Exact(self.distinct, exact_weights)
                if not tie or exact.is_fixed_point(own.tolist()):
                    self.found.append(own[self.own])

    def _prefixes(self):
        """Labels of the first rows, in all ways."""
        prefixes = [[0]]
        while len(prefixes) < PREFIXES and len(prefixes[0]) < len(self.distinct) - 1 and self.k > 1:
            prefixes = [
                [*labels, label]
                for labels in prefixes
                for label in range(labels[-1] if self.ordered else 0, min(max(labels) + 2, self.k))
            ]
        return prefixes


class _Exact:
    """Rows and weights as fractions."""

    def __init__(self, X, weights):
        self.rows, self.weights = [list(map(Fraction, row)) for row in X.tolist()], weights

    def is_fixed_point(self, labels):
        """Whether no row leaves its cluster, the clusters being numbered as suits."""
        means = []
        for k in range(max(labels) + 1):
            own = [i for i, label in enumerate(labels) if label == k]
            weights, columns = [self.weights[i] for i in own], zip(*(self.rows[i] for i in own))
            means.append([sum(w * x for w, x in zip(weights, column)) / sum(weights) for column in columns])
        # Pairs (a, b): cluster a has to have a lower number than b, to win a tie between them.
        before = {(label, label) for label in labels}
        for row, label in zip(self.rows, labels):
            sq_distances = [sum((x - m) ** 2 for x, m in zip(row, mean)) for mean in means]
            if sq_distances[label] > min(sq_distances):
                return False
            before |= {(label, k) for k, sq in enumerate(sq_distances) if sq == sq_distances[label]}
        left = set(labels)
        while left:
            free = {k for k in left if not any((other, k) in before for other in left - {k})}
            if not free:
                return False
            left -= free
        return True


def add_all(minima, rows, search):
    """Note the fixed points that no start came to."""
    n, k = rows.n_samples, minima.n_clusters
    labels = np.zeros((len(search.found), n), np.int32)
    labels[:, search.heavy] = search.found
    light = np.setdiff1d(np.arange(n), search.heavy)
    if len(light) or search.ordered:
        for own in labels:
            if len(light):
                centers = _measured(rows, own[None], k)[0][0]
                own[light] = rows.panels.assign(centers)[light]
            own[:] = numbered(own, k)[0]
    keys = labels.astype(minima.dtype)
    labels = labels[[key.tobytes() not in minima.found for key in keys]]
    for own, centers, (inertia, n_movable) in zip(labels, *_measured(rows, labels, k)):
        found = rows.unscale(Clustering(own, centers, inertia))
        minima.add(own, found.centers, found.inertia, int(n_movable))


def _measured(rows, labels, k):
    """Centers, inertia and number of movable rows of partitions, in units of the rows."""
    centers, ends = np.zeros((len(labels), k, rows.n_features)), np.empty((len(labels), 2))
    kernels.measure(
        rows.X,
        rows.sample_weight,
        labels,
        np.empty(k * (1 + 2 * rows.n_features)),
        np.empty(k),
        centers,
        ends,
    )
    return centers, ends
