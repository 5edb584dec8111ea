"""The walk over all partitions: tables, blocks, scores with their error, and the order in which they come.

The rows are split in three: head | middle | low. A block of work is one head with all the middles that continue it
and, for each of these, all low entries (src/exhaustive.pyx). Blocks take a few ms, so a walk can be stopped after
any of them, and the share of the partitions done is known exactly.
"""

import math
from collections import namedtuple
from fractions import Fraction
from itertools import islice

import numpy as np

from .._kernels import exhaustive as kernels
from ..rationals import ExactRows
from ..workers import Expired

U = 2.0**-53  # the largest relative error of one operation
# The low table has at most this many entries, each for one way to label the last rows.
MAX_ENTRIES = 1024
# A block of work takes at most this many seconds by `seconds_each`: the time until Ctrl-C or a time limit is noticed.
BLOCK_SECONDS = 0.008
# This many blocks for each thread are done between two looks at the results, and no more than MAX_ROUND: the fewer, the more often
# the threads wait for each other. Results are collected in one order in any case.
ROUND, MAX_ROUND = 8, 4096
# This many blocks are kept for a second look. In them up to MAX_CANDIDATES partitions that are too close for double precision are
# sought out, and up to MAX_EXACT of these are compared in exact arithmetic; where there are more, the answer is "ties".
MAX_BLOCKS, MAX_CANDIDATES, MAX_EXACT = 512, 1 << 16, 1 << 14


def count_labellings(n_rows, n_open, n_clusters):
    """Number of ways to label n_rows further rows when n_open clusters are open already."""
    k = min(n_clusters, n_open + n_rows)
    ways = [0] * (k + 2)
    ways[min(n_open, k)] = 1
    for _ in range(n_rows):  # a row joins one of the m open clusters, or opens the next one
        ways = [m * ways[m] + (ways[m - 1] if m else 0) for m in range(k + 1)] + [0]
    return sum(ways)


def seconds_each(d, k, n_coefs, weighted, summing=False):
    """Seconds per partition on one thread, somewhat more than with AVX2 and less than with SSE2 or NEON."""
    columns = k * (d + 1) * (0.6 if weighted else 0.008 * k)  # made for one prefix, or shared by those alike
    return 1e-9 * (0.1 * n_coefs + columns + (3.0 if summing else 0.0))


def number_of_coefs(d, k, reduced):
    """Coefficients of a prefix."""
    return 1 + d if reduced and k == 2 else k + (k - 1 if reduced else k) * d


def _filled(array):
    """A copy whose last axis has the multiple of entries that the kernels want, the new ones zero."""
    more = -array.shape[-1] % kernels.PADDING
    return np.ascontiguousarray(np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, more)]))


def _aligned(*shape):
    """An uninitialised array on a boundary of 64 bytes: vectors then lie in one line of the cache."""
    size = math.prod(shape)
    array = np.empty(size + 7)
    start = -(array.ctypes.data // 8) % 8
    return array[start : start + size].reshape(shape)


_Head = namedtuple("_Head", "labels sums weights n_open")  # (h,), (k, d), (k,), int
_Middles = namedtuple(
    "_Middles", "labels sums weights starts n_open"
)  # as the kernels want them, before the head
_Low = namedtuple("_Low", "labels sums weights n_stem stems tails n_cells")
_Table = namedtuple("_Table", "labels sums weights n_open")


def _continuations(rows, weights, k, n_open):
    """All labellings of some rows when n_open clusters are open already, in lexicographic order, with their sums."""
    d = rows.shape[1]
    table = _Table(np.zeros((1, 0), np.int8), np.zeros((1, k, d)), np.zeros((1, k)), np.array([n_open]))
    for row, weight in zip(rows, weights):
        n_choices = np.minimum(table.n_open + 1, k)
        parent = np.repeat(np.arange(len(n_choices)), n_choices)
        label = np.arange(len(parent)) - np.repeat(np.cumsum(n_choices) - n_choices, n_choices)
        labels = np.column_stack([table.labels[parent], label.astype(np.int8)])
        sums, totals = table.sums[parent], table.weights[parent]  # copies: nothing is ever undone
        sums[np.arange(len(parent)), label] += row
        totals[np.arange(len(parent)), label] += weight
        table = _Table(labels, sums, totals, np.maximum(table.n_open[parent], label + 1))
    return table


def _places(opened, sizes):
    """Where the tails of each stem are summed, after a cell for each stem, and how many cells there are.

    Stems that leave as many clusters open have the same tails.
    """
    places, end = {}, len(sizes) + -len(sizes) % 8
    for key, size in zip(opened.tolist(), sizes.tolist()):
        if key not in places:
            places[key], end = end, end + size
    return np.array([places[key] for key in opened.tolist()], np.int32), end + -end % 8


class Walk:
    """All partitions of some rows into at most k clusters, cut into blocks."""

    def __init__(self, y, weights, k, summing=False):
        self.n, self.d = y.shape
        self.k, self.summing = k, summing
        self.y, self.weights, self.rows = y, weights, weights[:, None] * y
        self.spread = float(np.sum(weights * np.sum(y * y, axis=1)))
        ratio = float(weights.sum() / weights.min())
        self.reduced = ratio <= 1024
        self.n_coefs = number_of_coefs(self.d, k, self.reduced)
        self.margin = self._margin(ratio)
        weighted = weights.min() != weights.max()
        most = BLOCK_SECONDS / seconds_each(self.d, k, self.n_coefs, weighted, summing)
        n_low = min(self.n, max(1, int(math.log(MAX_ENTRIES, max(k, 2)) + 1e-9)))
        n_middle = min(self.n - n_low, max(0, int(math.log(max(1.0, most / k**n_low), max(k, 2)))))
        self.n_head = self.n - n_low - n_middle
        self.n_high = self.n - n_low
        self.total = self.rows[: self.n_high].sum(axis=0)
        self.n_partitions = count_labellings(self.n, 0, k)
        self._low, self._middles = {}, {}

    def _margin(self, ratio):
        """Bound on the rounding error of a score, be it the kernel's or that of `near`.

        Each score is a sum of products of two cluster sums over a cluster weight, accurate to
        (4 n + n_coefs + 48) U relative to its absolute value, with fused multiply-adds (a rounding less each) or
        without. By Cauchy and Schwarz these absolute values add up to 4 times the spread when every cluster has its
        own sum, and to 4 + 4 ratio times the spread when the last one is eliminated, ratio = total weight / least
        weight. Rounding y costs 2 U spread more; the last term is for underflow.
        """
        size = (4 + 4 * ratio if self.reduced else 4) * self.spread
        return (4 * self.n + self.n_coefs + 48) * U * size + 2.0**-990 / self.weights.min()

    def heads(self):
        """The labellings of the head rows, in lexicographic order, each with its sums."""
        stack = [_Head((), np.zeros((self.k, self.d)), np.zeros(self.k), 0)]
        while stack:
            head = stack.pop()
            i = len(head.labels)
            if i == self.n_head:
                yield head
                continue
            for label in reversed(range(min(head.n_open + 1, self.k))):
                sums, weights = head.sums.copy(), head.weights.copy()
                sums[label] += self.rows[i]
                weights[label] += self.weights[i]
                stack.append(_Head((*head.labels, label), sums, weights, max(head.n_open, label + 1)))

    def blocks(self):
        """(head, middles) for all partitions; the middles of one block leave the same number of clusters open."""
        for head in self.heads():
            for middles in self.middles(head.n_open):
                yield head, middles

    def middles(self, n_open):
        if n_open not in self._middles:
            own = slice(self.n_head, self.n_high)
            table = _continuations(self.rows[own], self.weights[own], self.k, n_open)
            self._middles[n_open] = [self._classes(table, m) for m in np.unique(table.n_open).tolist()]
        return self._middles[n_open]

    def _classes(self, table, n_open):
        own = np.flatnonzero(table.n_open == n_open)
        own = own[np.lexsort(table.weights[own].T)]
        weights = table.weights[own]
        starts = np.flatnonzero(np.r_[True, np.any(weights[1:] != weights[:-1], axis=1)])
        ends = np.r_[starts, len(own)].astype(np.int32)
        return _Middles(table.labels[own], table.sums[own], weights[starts], ends, n_open)

    def low(self, n_open):
        if n_open not in self._low:
            own = slice(self.n_high, self.n)
            table = _continuations(self.rows[own], self.weights[own], self.k, n_open)
            n_stem = (self.n - self.n_high) // 2
            stem = table.labels[:, :n_stem]
            stems = np.flatnonzero(np.r_[True, np.any(stem[1:] != stem[:-1], axis=1)])
            opened = np.maximum(stem[stems].max(axis=1, initial=-1) + 1, n_open)
            tails, n_cells = _places(opened, np.diff(np.r_[stems, len(stem)]))
            self._low[n_open] = _Low(
                np.ascontiguousarray(table.labels),
                _filled(table.sums.transpose(1, 2, 0)),
                _filled(table.weights.T),
                n_stem,
                np.r_[stems, len(stem)].astype(np.int32),
                tails,
                n_cells,
            )
        return self._low[n_open]

    def size(self, head, middles):
        """Number of partitions in a block."""
        return len(middles.labels) * len(self.low(middles.n_open).labels)

    def best_scores(self, head, middles):
        """The greatest score of each low entry in a block."""
        low = self.low(middles.n_open)
        top = _aligned(low.weights.shape[1])
        kernels.best_scores(
            middles.sums + head.sums,
            middles.weights + head.weights,
            middles.starts,
            self.total,
            low.sums,
            low.weights,
            self.reduced,
            np.empty((self.n_coefs, len(middles.labels))),
            _aligned(1 + self.n_coefs, kernels.CHUNK),
            top,
        )
        return top[: len(low.labels)]

    def sum_scores(self, head, middles, shift, scale):
        """Sum of exp((score - shift) scale) over a block, and the same by pairs of rows (i < j)."""
        low = self.low(middles.n_open)
        n_prefixes, n_low = len(middles.labels), low.weights.shape[1]
        pairs = np.zeros((self.n, self.n))
        total = kernels.sum_scores(
            middles.sums + head.sums,
            middles.weights + head.weights,
            middles.starts,
            self.total,
            low.sums,
            low.weights,
            self.reduced,
            shift,
            scale,
            np.array(head.labels, np.int8),
            middles.labels,
            low.labels,
            low.n_stem,
            low.stems,
            low.tails,
            np.empty((self.n_coefs, n_prefixes)),
            _aligned(1 + self.n_coefs, n_low),
            _aligned(n_low),
            _aligned(low.n_cells),
            np.zeros((middles.labels.shape[1], self.k, low.n_cells)),
            np.empty(n_prefixes),
            _aligned(n_low),
            pairs,
        )
        return total, pairs

    def score(self, labels):
        """The score of one partition."""
        total = np.bincount(labels, self.weights)
        sums = np.array([np.bincount(labels, column) for column in self.rows.T])
        return float(np.sum(sums**2 / np.where(total > 0, total, 1.0)))

    def near(self, head, middles, threshold):
        """Labels of the partitions of a block whose score reaches a threshold, (m, n) arrays, piece by piece."""
        low = self.low(middles.n_open)
        prefix_sums, classes = middles.sums + head.sums, middles.weights + head.weights
        prefix_weights = np.repeat(classes, np.diff(middles.starts), axis=0)
        for e in np.flatnonzero(self.best_scores(head, middles) >= threshold):
            total = prefix_weights + low.weights[:, e]
            squares = np.sum((prefix_sums + low.sums[:, :, e]) ** 2, axis=2)
            scores = np.sum(squares / np.where(total > 0, total, 1.0), axis=1)
            own = middles.labels[scores >= threshold]
            if len(own):
                first, last = np.array(head.labels, np.int8), low.labels[e]
                yield np.hstack([np.tile(first, (len(own), 1)), own, np.tile(last, (len(own), 1))])


def drive(walk, workers, work, collect, report):
    """Do work(block) for all blocks and collect(block, result) in a fixed order, a round at a time.

    Ends early by `Expired` or KeyboardInterrupt; what was done until then has been collected.
    """

    def run(results, slot, block):
        results[slot] = work(*block)

    blocks = walk.blocks()
    done = 0
    while batch := list(islice(blocks, min(ROUND * workers.n_threads, MAX_ROUND))):
        results = [None] * len(batch)
        for _, middles in batch:
            walk.low(middles.n_open)  # made here, so that threads only read
        try:
            workers.run(run, [(results, *item) for item in enumerate(batch)])
        finally:
            for block, result in zip(batch, results):
                if result is not None:
                    done += walk.size(*block)
                    collect(block, result)
        report(done)


def scaled_rows(X, weights):
    """Centered rows and weights near 1, and the Fraction that takes a cost of theirs to one of X's.

    All scaling is by powers of two, thus exact (but for underflow), and first within each feature, so that nothing
    overflows and no digits of a small feature drown in a large one's. Equal weights become 1.
    """
    _, own = np.frexp(np.max(np.abs(X), axis=0))
    y = np.ldexp(X, -own)
    if weights.min() == weights.max():
        scaled, factor = np.ones(len(X)), Fraction(weights[0])
    else:
        _, exponent = np.frexp(weights.max())
        scaled = np.maximum(np.ldexp(weights, -exponent), 2.0**-900)
        factor = Fraction(2) ** int(exponent)
    y = y - (scaled @ y) / scaled.sum()
    size = np.max(np.abs(y), axis=0)
    if not size.any():
        return y, scaled, factor
    _, left = np.frexp(size)
    exponent = int(np.max((own + left)[size > 0]))
    return np.ldexp(y, own - exponent), scaled, factor * Fraction(2) ** (2 * exponent)


def cost_bounds(walk, labels):
    """Bounds on the cost, in the walk's units, of some partitions (m, n): two arrays of shape (m,).

    The cost is summed from differences to the means, which is accurate to (4 n + 4 d + 64) U relative, but for the
    errors of the means, which add at most the square of that times the spread (the cost around any other point is
    larger by the square of the shift). Rounding y moves the square root of the cost, the distance of the rows to a subspace, by at
    most U sqrt(spread).
    """
    relative = (4 * walk.n + 4 * walk.d + 64) * U
    slip = 2 * U * math.sqrt(walk.spread) + 2.0**-480
    costs = np.zeros(len(labels))
    for k in range(walk.k):
        own = (labels == k) * walk.weights
        total = own.sum(axis=1)
        means = (own @ walk.y) / np.where(total > 0, total, 1.0)[:, None]
        for f in range(walk.d):
            costs += np.sum(own * (walk.y[:, f] - means[:, f, None]) ** 2, axis=1)
    least = np.maximum(0.0, costs * (1 - relative) - relative**2 * walk.spread - 2.0**-900)
    least = np.maximum(0.0, np.sqrt(least) - slip) ** 2 * (1 - 8 * U)
    return least, (np.sqrt(costs * (1 + relative)) + slip) ** 2 * (1 + 8 * U) + 2.0**-900


def _stopped(work, *arguments):
    """Why work(*arguments) ended before its end; None if it did not."""
    try:
        work(*arguments)
    except Expired:
        return "time_limit"
    except KeyboardInterrupt:
        return "interrupted"


class Search:
    """The best partition of rows with weight: looks at all of them in double precision, decides exactly."""

    def __init__(self, X, weights, k, workers):
        y, scaled, self.factor = scaled_rows(X, weights)
        self.walk, self.exact, self.workers = Walk(y, scaled, k), ExactRows(X, weights), workers
        self.top, self.n_done = -math.inf, 0
        # (score, block) near the top, and the best score there was no room for.
        self.kept, self.dropped = [], -math.inf
        self.labels = np.zeros(len(X), np.int32)  # until something better is known: all rows together
        self.lower, self.proved = Fraction(0), False

    def work(self, head, middles):
        return self.walk.best_scores(head, middles).max()

    def collect(self, block, score):
        self.top = max(self.top, score)
        self.kept.append((score, block))
        if len(self.kept) > 2 * MAX_BLOCKS:
            near = [item for item in self.kept if item[0] >= self.threshold]
            near.sort(key=lambda item: -item[0])
            self.dropped = max([self.dropped, *(score for score, _ in near[MAX_BLOCKS:])])
            self.kept = near[:MAX_BLOCKS]
        self.n_done += self.walk.size(*block)  # last: an interrupt in here must not count what is not kept

    @property
    def threshold(self):
        """The best partition seen scores at least this, in the kernel and in `near`."""
        return self.top - 2 * self.walk.margin

    def run(self, report):
        """Returns why it stopped; the result is in the attributes."""
        reason = _stopped(drive, self.walk, self.workers, self.work, self.collect, report)
        if self.n_done:
            reason = _stopped(self.decide) or reason
        return reason or ("proved" if self.proved else "ties")

    def decide(self):
        """Take the best in double precision, bound the optimum if all were seen, then try to prove it exactly."""
        walk = self.walk
        _, block = max(self.kept, key=lambda item: item[0])
        labels = np.vstack(list(islice(walk.near(*block, self.threshold), 16)))
        self.labels = labels[np.argmin(cost_bounds(walk, labels)[1])].astype(np.int32)
        if self.n_done < walk.n_partitions:
            return
        spread = Fraction(walk.spread) * (1 - Fraction(4 * U) * (walk.n + walk.d + 4))
        self.lower = max(Fraction(0), spread - Fraction(self.top) - Fraction(walk.margin)) * self.factor
        labels = self.candidates()
        if labels is None:
            return
        bounds = [cost_bounds(walk, labels[start : start + 4096]) for start in range(0, len(labels), 4096)]
        least, most = (np.concatenate(parts) for parts in zip(*bounds))
        self.labels = labels[np.argmin(most)].astype(np.int32)
        self.lower = max(self.lower, Fraction(least.min()) * self.factor)
        labels = labels[least <= most.min()]
        if len(labels) <= MAX_EXACT:
            self.lower, best = self.least_cost(labels)
            self.labels, self.proved = np.array(best, np.int32), True

    def candidates(self):
        """All partitions that double precision cannot tell from the best, (m, n); None if they are too many."""
        found, size = [], 0
        if self.dropped >= self.threshold:
            return None
        for score, block in self.kept:
            self.workers.check_time()
            for labels in self.walk.near(*block, self.threshold) if score >= self.threshold else ():
                found.append(labels)
                size += len(labels)
                if size > MAX_CANDIDATES:
                    return None
        return np.vstack(found)

    def least_cost(self, labels):
        best = (math.inf,)
        for row in labels.tolist():
            self.workers.check_time()
            best = min(best, (self.exact.cost(row), row))
        return best


class Sums:
    """The sum over all partitions, relative to the best one."""

    def __init__(self, walk, scale):
        self.walk, self.scale = walk, scale
        self.shift, self.total, self.n_done = 0.0, 0.0, 0
        self.pairs = np.zeros((walk.n, walk.n))

    def work(self, head, middles):
        return self.walk.sum_scores(head, middles, self.shift, self.scale)

    def collect(self, block, result):
        total, pairs = result
        self.total += total
        self.pairs += pairs
        self.n_done += self.walk.size(*block)

    def run(self, workers, best, report):
        """Returns why it stopped."""
        self.shift = self.walk.score(best)
        return _stopped(drive, self.walk, workers, self.work, self.collect, report) or "finished"

    def together(self):
        both = (self.pairs + self.pairs.T) / self.total
        np.fill_diagonal(both, 1.0)
        return np.minimum(both, 1.0)
