"""The best cut of sorted values into k runs, proved: floats rule out, rational numbers decide.

1. In doubles, the least costs of all paths from the left end to each node and from each node to the right end, with a bound on
   the error of both that takes nothing on trust. A node where they add up to more than a path of k steps can cost lies on
   no optimal one.
2. The same with pairs of doubles on the nodes that remain: as a rule just the k + 1 of one path, or those tied with them.
3. The best path over what is left, in rational numbers. By what 1 and 2 have ruled out it is the best of all.
"""

from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._kernels import univariate as kernels
from .penalized_paths import SLICE, Paths, slices
from .rational_paths import best_path, gain, total

ROUNDING = 2.0**-53  # relative error of a double
PAIR_ROUNDING = 2.0**-99  # and of a pair of doubles, with some to spare
# Values whose binary exponents differ by no more than this have products of three that are exact in pairs.
RANGE = 199
# Values that are too far apart for pairs are cut in rational numbers where there are no more than this: the steps between them
# are as many as half of its square.
MANY = 600
# This many steps at most are compared in rational numbers.
MOST_STEPS = 1_000_000
# The exact sums of this many nodes are in memory at a time.
CHUNK = 1 << 15


class Cut(NamedTuple):
    """A best cut into k runs.

    Attributes
    ----------
    ends : ndarray of shape (k + 1,)
        Number of rows before each of the boundaries, 0 and n among them.
    weights, totals : list of k Fractions
        Sums of the weights, and of the weighted values, of each run.
    cost : Fraction
    penalty : Fraction or None
        Best costs of any number of runs, with this for each run, are nowhere below those of k; None if that has not been
        shown on the way.
    """

    ends: np.ndarray
    weights: list
    totals: list
    cost: Fraction
    penalty: Fraction | None


class Line:
    """Values in increasing order, to be cut into runs.

    Parameters
    ----------
    values : ndarray of shape (n_samples,), float64
        Increasing, finite; scaled in place.
    sample_weight : ndarray of shape (n_samples,), float64, or None
        Positive weights; None for ones.
    check : callable(), optional
        Called now and then where fractions decide between many or long numbers; what it raises ends the search.

    Attributes
    ----------
    n_distinct : int
    scatter : Fraction
        The cost of a single run; there once a cut was made.

    Raises
    ------
    ValueError
        For many values whose magnitudes, or weights, are too far apart for pairs of floats.
    """

    def __init__(self, values, sample_weight=None, check=None):
        self._check = check
        changes = np.flatnonzero(values[1:] != values[:-1])
        self.n_distinct = len(changes) + 1
        self._ends = np.arange(len(values) + 1)  # rows before each node
        if self.n_distinct < len(values):
            self._ends = np.concatenate(([0], changes + 1, [len(values)]))
        self._wild = _wild(values, sample_weight)
        if self._wild:
            if self.n_distinct > MANY:
                raise ValueError(
                    f"{self._wild}, which takes exact arithmetic for {self.n_distinct} different values,"
                    f" more than {MANY}: round the small ones to zero, or drop them."
                )
            self._exact = _Fractions(values, sample_weight)
        else:
            self._values, exponent = _scaled(values)
            self._weights, weight_exponent = np.empty(0), 0
            if sample_weight is not None:
                self._weights, weight_exponent = _scaled(sample_weight.copy())
            origin = np.average(self._values, weights=self._weights if len(self._weights) else None)
            self._origin = float(origin) if abs(origin) > 2.0**-60 else 0.0
            self._units = Fraction(2) ** weight_exponent, Fraction(2) ** exponent
        self._cuts = {}

    def cut(self, k):
        """The best cut into k runs, 1 <= k <= n_distinct; of several that whose last boundary comes first, and so on."""
        if k not in self._cuts:
            self._cuts[k] = self._cut(k)
        return self._cuts[k]

    def penalty(self, k):
        """A penalty s, a Fraction, with OPT_k + k s <= OPT_j + j s for any number of runs j."""
        if k == self.n_distinct:
            return Fraction(0)
        if k == 1:
            return self.cut(1).cost
        found = self.cut(k).penalty
        return self.cut(k - 1).cost - self.cut(k).cost if found is None else found  # OPT is convex

    def _cut(self, k):
        n = self.n_distinct
        if self._wild:
            return self._decide(
                self._exact, np.arange(n + 1), k, [range(j) for j in range(n + 1)], None, True
            )
        if k in (1, n):
            nodes = np.arange(0, n + 1, n // k)
            return self._decide(self._sums(nodes), nodes, k, [[], *([j] for j in range(k))], None, False)
        coarse, whole, nodes = self._coarse, True, np.arange(n + 1)
        if coarse is not None:
            coarse.find(k)
            whole = coarse.count == k
            nodes, *_ = coarse.sieve(k)
        few = len(nodes) <= CHUNK
        sums = self._sums(nodes) if few else None
        fine = Paths(sums.pairs() if few else self._pairs(nodes), PAIR_ROUNDING * self._size, self._scatter)
        if coarse is None or fine.run(coarse.penalty) != k:
            fine.find(k)
            whole = coarse is None
        kept, reach, excess = fine.sieve(k)
        steps = _steps(fine.table[kept], excess, reach, fine.penalty)
        sums = sums.take(kept) if few else self._sums(nodes[kept])
        return self._decide(sums, nodes[kept], k, steps, fine.penalty, whole)

    def _decide(self, sums, nodes, k, steps, penalty, whole):
        """The best cut with the steps given, among which those of all best cuts are."""
        weight_unit, unit = self._units if not self._wild else (1, 1)
        start = Fraction(penalty) / sums.unit if penalty else None
        path, found = best_path(sums.weights, sums.totals, steps, k, start, self._check)
        gains = total([gain(sums.weights, sums.totals, i, j) for i, j in zip(path, path[1:])])
        scale = sums.unit * weight_unit * unit**2
        self.scatter = (sums.squares - gain(sums.weights, sums.totals, 0, -1)) * scale
        weights = [
            (sums.weights[j] - sums.weights[i]) * sums.unit * weight_unit for i, j in zip(path, path[1:])
        ]
        totals = [
            (sums.totals[j] - sums.totals[i]) * sums.unit * weight_unit * unit for i, j in zip(path, path[1:])
        ]
        if not self._wild:
            shift = Fraction(self._origin) * unit
            totals = [t + w * shift for t, w in zip(totals, weights)]
        whole = whole and (self._wild or found == start)
        return Cut(
            self._ends[nodes[path]],
            weights,
            totals,
            (sums.squares - gains) * scale,
            found * scale if whole else None,
        )

    # Floats.

    @cached_property
    def _coarse(self):
        """All nodes in doubles; None where the weights are too far apart for that."""
        n, sums = len(self._values), np.zeros(6)
        table = np.zeros((n + 1, 3))
        for first, stop in slices(0, n, SLICE):
            kernels.accumulate(self._values, self._weights, self._origin, table, sums, first, stop)
        if self.n_distinct < n:
            table = table[self._ends]
        weight, sizes, squares = sums[0], 1.001 * sums[4], 1.001 * sums[5]
        radius = max(abs(self._values[0] - self._origin), abs(self._values[-1] - self._origin))
        weighted = len(self._weights) > 0
        # Rounding in W, S, h and the values themselves, each of at most a few units of the largest there can be.
        spread = 16 * squares + 28 * sizes * radius + 8 * weight * radius**2 * weighted
        self._error = ROUNDING * (1 + ROUNDING * n**2) * spread
        self._size = squares + sizes * radius + weight * radius**2
        self._scatter = squares
        if weighted and self._weights.min() < 2.0**-40 * weight:
            return None
        return Paths(table, self._error, squares)

    def _limbs(self, nodes, squares):
        """Exact sums of the rows between one node and the next."""
        rows, segment = np.ascontiguousarray(self._ends[nodes], np.intp), 0
        limbs = np.zeros((len(rows) - 1, 2, kernels.N_LIMBS), np.int64)
        for first, stop in slices(int(rows[0]), int(rows[-1]), SLICE):
            segment = kernels.add_up(
                self._values, self._weights, self._origin, rows[:-1], limbs, squares, segment, first, stop
            )
        return limbs

    def _sums(self, nodes):
        squares = np.zeros(kernels.N_LIMBS, np.int64)
        return _Limbs(self._limbs(nodes, squares), squares)

    def _pairs(self, nodes):
        """The sums before many nodes, in pairs."""
        table, squares = np.empty((len(nodes), 6)), np.zeros(kernels.N_LIMBS, np.int64)
        before = None
        for first, stop in slices(0, len(nodes) - 1, CHUNK):
            sums = _Limbs(self._limbs(nodes[first : stop + 1], squares), squares, before)
            table[first : stop + 1] = sums.pairs()
            before = sums.before[-1]
        return table


def _steps(table, excess, reach, penalty):
    """For each node the starts of the steps to it that paths can have which cost at most `reach` more than the best.

    Where a start before the best one falls behind by so much, it does so for all later nodes too.
    """
    steps, low, n_steps = [[]], 0, 0
    for j in range(1, len(table)):
        lag = np.empty(j - low)
        kernels.lags(table, penalty, j, low, lag)
        steps.append((low + np.flatnonzero(lag + excess[j] <= 2 * reach)).tolist())
        low += int(np.argmax(lag <= 4 * reach))
        n_steps += len(steps[-1])
        if n_steps > MOST_STEPS:
            raise ValueError(
                f"more than {MOST_STEPS} runs of values cannot be told apart in twice the precision of floats: the clumps"
                " of values are too tight for their distances; ask for fewer clusters, or cut each clump by itself."
            )
    return steps


# Exact sums.


class _Limbs:
    """Sums before some nodes as integers, from fixed-point numbers for each segment between them."""

    unit = Fraction(1, 2**kernels.LOWEST_BIT)

    def __init__(self, limbs, squares, before=None):
        self.before = np.zeros((len(limbs) + 1, *limbs.shape[1:]), np.int64)
        np.cumsum(limbs, axis=0, out=self.before[1:])
        if before is not None:
            self.before += before
        _carry(self.before)
        squares = squares.copy()
        _carry(squares)
        self.squares = _integer(squares)

    def pairs(self):
        """A table of nodes: W, S and no h yet, then the low parts."""
        table = np.zeros((len(self.before), 6))
        for column in (0, 1):
            high, low = np.zeros((2, len(table)))
            for limb in range(kernels.N_LIMBS - 1, -1, -1):
                part = np.ldexp(self.before[:, column, limb].astype(float), 32 * limb - kernels.LOWEST_BIT)
                total = high + part
                virtual = total - high
                low += (high - (total - virtual)) + (part - virtual)
                high = total
            table[:, column] = high + low
            table[:, column + 3] = low - (table[:, column] - high)
        return table

    def take(self, nodes):
        """The same for some of the nodes."""
        chosen = object.__new__(_Limbs)
        chosen.before, chosen.squares = self.before[nodes], self.squares
        return chosen

    @cached_property
    def weights(self):
        return [_integer(limbs) for limbs in self.before[:, 0]]

    @cached_property
    def totals(self):
        return [_integer(limbs) for limbs in self.before[:, 1]]


class _Fractions:
    """Sums before all nodes as fractions."""

    unit = 1

    def __init__(self, values, sample_weight):
        self.weights, self.totals, self.squares = [], [], Fraction(0)
        weight = total = Fraction(0)
        weights = [1] * len(values) if sample_weight is None else sample_weight.tolist()
        last = None
        for w, v in zip(map(Fraction, weights), map(Fraction, values.tolist())):
            if v != last:
                self.weights.append(weight)
                self.totals.append(total)
            weight, total, last = weight + w, total + w * v, v
            self.squares += w * v * v
        self.weights.append(weight)
        self.totals.append(total)


def _carry(limbs):
    """Leave 32 bits to each limb, in place, the last one has the sign."""
    for limb in range(limbs.shape[-1] - 1):
        limbs[..., limb + 1] += limbs[..., limb] >> 32
        limbs[..., limb] &= 0xFFFFFFFF


def _integer(limbs):
    return int.from_bytes(limbs.astype("<u4").tobytes(), "little", signed=True)


def _scaled(values):
    """In place, so that the largest magnitude is at most 1; and the exponent of the power of two."""
    exponent = int(np.frexp(max(-values.min(), values.max()))[1])
    if abs(exponent) < 1000:
        values *= 2.0**-exponent
    else:
        np.ldexp(values, -exponent, out=values)
    return values, exponent


def _wild(values, sample_weight):
    """What is too far apart for pairs of floats, in words; an empty text if nothing is."""
    negative, not_positive = np.searchsorted(values, 0.0), np.searchsorted(values, 0.0, "right")
    nearest = [max(negative - 1, 0), min(not_positive, len(values) - 1)]
    sizes = np.abs(values[[0, *nearest, -1]])
    if _exponents(sizes) > RANGE:
        return f"values of magnitudes from {sizes[sizes > 0].min():.3g} to {sizes.max():.3g} are too far apart for floats"
    if sample_weight is not None and _exponents(sample_weight) + len(sample_weight).bit_length() > 80:
        return f"weights from {sample_weight.min():.3g} to {sample_weight.max():.3g} are too far apart for floats"
    return ""


def _exponents(sizes):
    """Binary exponents between the least and the largest that is not zero."""
    sizes = sizes[sizes > 0]
    return int(np.frexp(sizes.max())[1] - np.frexp(sizes.min())[1]) if len(sizes) else 0
