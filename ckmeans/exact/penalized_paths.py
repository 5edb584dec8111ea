"""Shortest paths over the nodes of sorted values, one penalty for each step; the loops are in src/univariate.pyx.

For each number of steps k there is a penalty whose shortest path has k steps, or one of several tied paths has, since
the least cost is convex in k (Aggarwal, Schieber, Tokuyama 1994, doi:10.1007/BF02574380).
"""

import math
from fractions import Fraction
from functools import cached_property

import numpy as np

from .._kernels import univariate as kernels

# This many nodes are in a call of a kernel, which nothing can interrupt; fewer where they are pairs of floats, which take longer.
SLICE, FINE_SLICE = 1 << 17, 1 << 14
# The search for a penalty ends after this many runs; what it has found until then is right too, if slower to prove.
MOST_RUNS = 200


def slices(first, stop, size):
    """The ranges (start, stop) that cut a range, upwards or downwards, into runs of `size`, the last one shorter."""
    while first != stop:
        until = min(first + size, stop) if first < stop else max(first - size, stop)
        yield first, until
        first = until


def _sum(a, b):
    """a + b as an unevaluated sum, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


class Paths:
    """Nodes and the shortest paths from the first to all the others, for one penalty after the other.

    Parameters
    ----------
    table : ndarray of shape (n_nodes, 3 or 6)
        W, S and h, see univariate.pyx.
    error : float
        A step's computed value is off by at most this.
    scatter : float
        The cost of a single cluster, about.

    Attributes
    ----------
    penalty, count : float, int
        Of the last run, and the steps of its path from end to end.
    vertices : dict
        For each number of steps that was met the lowest and the highest penalty it was met with, and the cost without
        the penalties, as a Fraction.
    """

    def __init__(self, table, error, scatter):
        self.table, self.error, self.scatter = table, error, scatter
        self.n = len(table) - 1
        self.slice = SLICE if table.shape[1] == 3 else FINE_SLICE
        self.vertices, self.penalty, self.count, self.tried = {}, None, None, set()

    @cached_property
    def _buffers(self):
        return np.zeros(self.n + 1, np.int32), np.empty((self.n + 1, 2), np.int32)

    def run(self, penalty):
        """Find the shortest paths for this penalty; the number of steps from end to end."""
        before, queue = self._buffers
        state = np.array([1, 0, 0], np.intp)
        for _, stop in slices(1, self.n + 1, self.slice):
            kernels.shortest(self.table, penalty, before, queue, state, stop)
        self.penalty, self.count, node = penalty, 0, self.n
        while node:
            node = before[node]
            self.count += 1
        self.tried.add(penalty)
        low, high, _ = self.vertices.get(self.count, (penalty, penalty, 0))
        self.vertices[self.count] = (
            min(low, penalty),
            max(high, penalty),
            self._reached() - self.count * Fraction(penalty),
        )
        return self.count

    def _reached(self):
        """The cost of the whole path with its penalties, as computed."""
        return sum(map(Fraction, self.table[-1, 2::3].tolist()))

    # The search for the penalty.

    def find(self, k):
        """For k > 1: run until the path has k steps, or no penalty is left that could lead to that: then k is tied with others."""
        for turn in range(MOST_RUNS):
            penalty = self._proposal(k, turn)
            if penalty is None or self.run(penalty) == k:
                return

    def _proposal(self, k, turn):
        """The penalty to try next."""
        if k in self.vertices:
            low, high, _ = self.vertices[k]
            return low if turn else math.sqrt(low * high)
        fewer = max((count for count in self.vertices if count < k), default=None)
        more = min((count for count in self.vertices if count > k), default=None)
        if fewer is None and more is None:
            return self._first(k)
        if fewer is None or more is None:  # the penalties of smooth densities go with the third power
            near = more if fewer is None else fewer
            low, high, _ = self.vertices[near]
            factor = (near / k) ** 3 * (1.3 if fewer is None else 0.7)
            penalty = (high if fewer is None else low) * factor ** min(turn + 1, 10)
            # With twice the scatter there is one step; `error` allows for no more.
            penalty = min(penalty, 2 * self.scatter)
            return penalty if penalty > 1e-3 * self.error and penalty not in self.tried else None
        (high, _, cost_fewer), (_, low, cost_more) = self.vertices[fewer], self.vertices[more]
        penalty = 0.0
        if turn % 3 < 2 and 0 < low < high:
            share = math.log(k / more) / math.log(fewer / more)
            penalty = math.exp(math.log(low) + share * math.log(high / low))
        if not low < penalty < high or penalty in self.tried:  # where the two cost the same
            penalty = min(max(float((cost_fewer - cost_more) / (more - fewer)), low), high)
        return None if penalty in self.tried else penalty

    def _first(self, k):
        """A penalty to begin with: the middle of those for k in a thinned problem, where that costs little."""
        thinned = self._thinned
        if thinned is None or thinned.n < 16 * k:
            return 2 * self.scatter / k**3
        for count in (k, k - 1, k + 1):
            thinned.find(count)
        near = [thinned.vertices.get(count) for count in (k - 1, k, k + 1)]
        if near[0] and near[2]:
            return float(near[0][2] - near[2][2]) / 2
        return near[1][0] if near[1] else thinned.penalty

    @cached_property
    def _thinned(self):
        """About every sixteenth node, and more where the values are sparse; None where there are few."""
        if self.n < 4096 or self.table.shape[1] == 6:
            return None
        size = self.n // 16
        chosen = np.empty(2 * size + 2, np.intp)
        chosen = chosen[: kernels.thin(self.table, size, chosen)]
        return Paths(self.table[chosen], self.error, self.scatter)

    # What is certain about a run.

    def _tolerance(self):
        """The least cost of m steps from the first node to another is at least h - m * tolerance."""
        worst = 0.0
        for first, last, direction in ((1, self.n + 1, 1), (self.n, 0, -1)):
            chosen, lost = np.array([0 if direction > 0 else self.n], np.intp), np.zeros(1)
            for start, stop in slices(first, last, self.slice):
                found = kernels.verify(
                    self.table, self._buffers[0], 2 * self.error, start, stop, direction, chosen, lost
                )
                worst = max(worst, found)
        return worst + 2 * self.error

    def sieve(self, k):
        """The nodes that paths of k - 1, k or k + 1 steps go through that cost as little as the best of k steps.

        Costs are meant with the penalties of the last run.

        Returns
        -------
        nodes : ndarray of increasing node numbers
        reach : float
            Such a path costs at most this more than h of the last node.
        excess : ndarray of shape (len(nodes),)
            How much more than that the least of the paths through each node costs.
        """
        mirror = Paths(np.negative(self.table[::-1]), self.error, self.scatter)
        mirror.table[0, 2::3] = 0
        mirror.run(self.penalty)
        tolerance = max(self._tolerance(), mirror._tolerance()) + 2 * self.error
        reach = self._above(k) + (k + 2 + self.count) * tolerance
        left, right = self.table[:, 2::3], mirror.table[::-1, 2::3]
        if left.shape[1] == 1:
            excess = left[:, 0] + right[:, 0]
            excess -= left[-1, 0]
        else:
            excess, rest = _sum(left[:, 0], right[:, 0])
            excess += -left[-1, 0] + (rest + left[:, 1] + right[:, 1] - left[-1, 1])
        nodes = np.flatnonzero(excess <= reach)
        return nodes, reach, excess[nodes]

    def _above(self, k):
        """A bound on the best cost of k steps above that of the last run, but for rounding: by convexity."""
        if self.count == k:
            return 0.0
        others = [count for count in self.vertices if (count < k) == (self.count > k) and count != k]
        if not others and self.count < k:  # more clusters never cost more, but for their penalties
            return 1.001 * (k - self.count) * self.penalty
        if not others:  # nor than a single one
            weight, total = self.table[-1, :2]
            return 1.001 * max(
                float(k * Fraction(self.penalty) - self._reached()) - total * total / weight, 0.0
            )
        other = min(others, key=lambda count: abs(count - k))
        above = float(self.vertices[other][2] + other * Fraction(self.penalty) - self._reached())
        share = (k - self.count) / (other - self.count)
        return 1.001 * share * (max(above, 0.0) + 2 * (other + self.count) * self.error)
