"""What cells keep of their rows: sums in whole numbers, which have no order, and boxes."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from .._kernels import cell_sums as kernels
from ..rationals import mantissas

# Rows are added in digits of 32 bits if a sum has at most so many, and as Python's integers otherwise: one value of 1e300 must not
# make all cells long. A million rows in 15,000 cells of the plane, 10,000 at a time, take 0.05 s so, and 1.3 s as integers.
MOST_DIGITS = 8
# Numbers that may be added to a digit of 32 bits in one of 64.
MOST_ADDED = 1 << 30
# Rows whose whole numbers are in memory at a time, Python's integers of some 40 bytes each.
CHUNK = 1 << 14


class Cells(NamedTuple):
    """Cells of rows that are gone, rounded to floats.

    Attributes
    ----------
    weights : ndarray of shape (n_cells,)
        Sums of the weights of the rows.
    means : ndarray of shape (n_cells, n_features)
    scatters : ndarray of shape (n_cells,)
        Sums of the weighted squared distances of the rows to the mean.
    lower, upper : ndarray of shape (n_cells, n_features)
        The boxes: least and greatest value of each feature.
    """

    weights: np.ndarray
    means: np.ndarray
    scatters: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


# What CellSums has of its cells.
ARRAYS = "_weights", "_sums", "_squares", "lower", "upper"


def whole_numbers(values, scale):
    """Floats in units of 2**-scale as Python's integers, in an array of objects, and the scale, raised where that is needed."""
    whole, exponents = mantissas(values)
    lowest = np.frexp((whole & -whole).astype(float))[1] - 1 + exponents  # exponent of the lowest bit
    scale = max(scale, -int(lowest.min(where=whole != 0, initial=0)))
    shifts = exponents + scale
    whole >>= np.clip(-shifts, 0, 63)  # what is shifted out is zero
    return whole.astype(object) << np.maximum(shifts, 0).astype(object), scale


def _reach(values):
    """The exponents of a unit in which all floats are whole, at most 1, and of a power of two that none reaches."""
    found = np.empty(2, np.int32)
    kernels.extent(np.ascontiguousarray(values), found)
    return min(int(found[0]), 0), int(found[1])


class _Recent:
    """Rows that came last, in the digits of `cell_sums.pyx`, as long as what they reach fits into few."""

    def __init__(self):
        self.reaches, self.digits, self.n_added = None, None, 0

    def copy(self):
        other = self.emptied()
        other.digits, other.n_added = None if self.digits is None else self.digits.copy(), self.n_added
        return other

    def emptied(self):
        """Another one without rows, for what reaches as far."""
        other = _Recent()
        other.reaches = self.reaches
        return other

    def grow(self, n_more):
        if self.digits is not None:
            self.digits = np.concatenate([self.digits, np.zeros((n_more, self.digits.shape[1]), np.int64)])

    def covers(self, reaches):
        """Whether the digits are enough for rows, and weights, that reach so far down and up."""
        return self.digits is not None and all(
            low <= own_low and own_high <= high
            for (low, high), (own_low, own_high) in zip(self.reaches, reaches)
        )

    def widened(self, n_cells, n_features, reaches):
        """One without rows that covers these too, if that takes no more digits than there may be."""
        if self.reaches is not None:
            reaches = [(min(a, c), max(b, d)) for (a, b), (c, d) in zip(self.reaches, reaches)]
        reaches = [(low // 32 * 32, high) for low, high in reaches]
        other = _Recent()
        other.reaches = reaches
        n_weight, n_sum, n_square = other.sizes()
        if n_sum > MOST_DIGITS:
            return self.emptied()
        other.digits = np.zeros((n_cells, n_weight + n_features * n_sum + n_square), np.int64)
        return other

    def sizes(self):
        """How many digits a weight, a sum of w x and one of w |x|^2 have."""
        (low, high), (weight_low, weight_high) = self.reaches
        x, w = max(high - low, 1), weight_high - weight_low
        return w // 32 + 1, (x + w) // 32 + 1, (2 * x + w) // 32 + 1

    def add(self, X, sample_weight, labels, lower, upper):
        (base, _), (weight_base, _) = self.reaches
        weights = np.empty(0) if sample_weight is None else np.ascontiguousarray(sample_weight)
        n_weight, n_sum, _ = self.sizes()
        kernels.add(X, weights, labels, self.digits, lower, upper, base, weight_base, n_weight, n_sum)
        self.n_added += X.size

    def integers(self, sums):
        """Sums of w, w x and w |x|^2 in the units of some CellSums."""
        (base, _), (weight_base, _) = self.reaches
        n_weight, n_sum, n_square = self.sizes()
        parts = np.split(self.digits, [n_weight, self.digits.shape[1] - n_square], axis=1)
        shape = len(self.digits), -1, n_sum
        parts[1] = parts[1].reshape(shape)
        for digits, exponent, scale in zip(
            parts,
            (weight_base, weight_base + base, weight_base + 2 * base),
            (sums.weight_scale, sums.weight_scale + sums.scale, sums.weight_scale + 2 * sums.scale),
        ):
            total = digits[..., -1].astype(object)
            for place in range(digits.shape[-1] - 2, -1, -1):
                total = (total << 32) + digits[..., place].astype(object)
            yield total << max(exponent + scale, 0) >> max(-exponent - scale, 0)


class CellSums:
    """For each cell the sums of w, w x and w |x|^2 over its rows, exactly, and a box around them.

    Parameters
    ----------
    n_cells, n_features : int

    Attributes
    ----------
    scale, weight_scale : int
        Rows are whole numbers in units of 2**-scale, weights in units of 2**-weight_scale.
    weights, squares : ndarray of shape (n_cells,), object
        Integers: sums of w, and of w |x|^2.
    sums : ndarray of shape (n_cells, n_features), object
        Integers: sums of w x.
    lower, upper : ndarray of shape (n_cells, n_features), float64
        inf and -inf where a cell has no rows.

    Examples
    --------
    >>> sums = CellSums(2, 1)
    >>> sums.add(np.array([[1e8], [1e8 + 0.5], [3.0]]), None, np.array([0, 0, 1]))
    >>> sums.cost(np.array([0, 1])), sums.cost(np.array([0, 1]), np.array([[1e8], [2.0]]))
    (Fraction(1, 8), Fraction(5, 4))
    """

    def __init__(self, n_cells, n_features):
        self.scale = self.weight_scale = 0
        self._weights, self._squares = np.zeros(n_cells, object), np.zeros(n_cells, object)
        self._sums = np.zeros((n_cells, n_features), object)
        self.lower = np.full((n_cells, n_features), np.inf)
        self.upper = -self.lower
        self._recent = _Recent()

    @property
    def weights(self):
        return self._settled()._weights

    @property
    def squares(self):
        return self._settled()._squares

    @property
    def sums(self):
        return self._settled()._sums

    def _settled(self):
        """Itself, with the rows that are still in digits among the integers."""
        if self._recent.n_added:
            weights, sums, squares = self._recent.integers(self)
            # At once, or Ctrl-C in between would count rows twice.
            vars(self).update(
                _weights=self._weights + weights,
                _sums=self._sums + sums,
                _squares=self._squares + squares,
                _recent=self._recent.emptied(),
            )
        return self

    def copy(self):
        """Another one with the same sums."""
        other = self._of(slice(None))
        other._recent = self._recent.copy()
        return other

    def _of(self, cells):
        other = object.__new__(CellSums)
        other.scale, other.weight_scale, other._recent = self.scale, self.weight_scale, _Recent()
        for name in ARRAYS:
            setattr(other, name, getattr(self, name)[cells].copy())
        return other

    def taken(self, cells):
        """Those of some cells, in arrays of their own."""
        return self._settled()._of(cells)

    def grow(self, n_more):
        """Room for more cells, which have no rows yet."""
        more = CellSums(n_more, self._sums.shape[1])
        for name in ARRAYS:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(more, name)]))
        self._recent.grow(n_more)

    def rescale(self, scale, weight_scale):
        """Go on in finer units."""
        finer, lighter = scale - self.scale, weight_scale - self.weight_scale
        if finer or lighter:
            self._weights = self._weights << lighter
            self._sums = self._sums << lighter + finer
            self._squares = self._squares << lighter + 2 * finer
        self.scale, self.weight_scale = scale, weight_scale

    def add(self, X, sample_weight, labels):
        """Add rows to the cells of these labels.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float64
        sample_weight : ndarray of shape (n_samples,), float64, > 0; or None
        labels : ndarray of shape (n_samples,)
        """
        X = np.ascontiguousarray(X)
        reaches = _reach(X), (0, 1) if sample_weight is None else _reach(sample_weight[:, None])
        if self._recent.n_added + X.size > MOST_ADDED or not self._recent.covers(reaches):
            self._settled()
            self._recent = self._recent.widened(len(self._weights), X.shape[1], reaches)
        if self._recent.covers(reaches):
            self.rescale(max(self.scale, -reaches[0][0]), max(self.weight_scale, -reaches[1][0]))
            self._recent.add(X, sample_weight, labels, self.lower, self.upper)
            return
        for start in range(0, len(X), CHUNK):
            some = slice(start, start + CHUNK)
            self._add(X[some], None if sample_weight is None else sample_weight[some], labels[some])

    def _add(self, X, sample_weight, labels):
        order = np.argsort(labels, kind="stable")
        X, labels = X[order], labels[order]
        rows, scale = whole_numbers(X, self.scale)
        if sample_weight is None:
            weights, weight_scale = np.full(len(X), 1 << self.weight_scale, object), self.weight_scale
        else:
            weights, weight_scale = whole_numbers(sample_weight[order], self.weight_scale)
        self.rescale(scale, weight_scale)
        squares = (rows * rows).sum(axis=1)
        if sample_weight is None:
            weighted = rows << weight_scale
            squares = squares << weight_scale
        else:
            weighted = rows * weights[:, None]
            squares = squares * weights
        self._fold(labels, weights, weighted, squares, X, X)

    def _fold(self, labels, weights, sums, squares, lower, upper):
        """Add what is in order of its labels."""
        starts = np.flatnonzero(np.diff(labels, prepend=-1))
        at = labels[starts]
        self._weights[at] += np.add.reduceat(weights, starts)
        self._sums[at] += np.add.reduceat(sums, starts, axis=0)
        self._squares[at] += np.add.reduceat(squares, starts)
        self.lower[at] = np.minimum(self.lower[at], np.minimum.reduceat(lower, starts, axis=0))
        self.upper[at] = np.maximum(self.upper[at], np.maximum.reduceat(upper, starts, axis=0))

    def merge(self, other, labels):
        """Add the cells of another one to the cells of these labels."""
        other = other.taken(slice(None))
        scales = max(self.scale, other.scale), max(self.weight_scale, other.weight_scale)
        self.rescale(*scales)
        other.rescale(*scales)
        order = np.argsort(labels, kind="stable")
        parts = other.weights, other.sums, other.squares, other.lower, other.upper
        self._fold(labels[order], *(part[order] for part in parts))

    @property
    def unit(self):
        """Costs in whole numbers are this many times those in squared units of the rows."""
        return 1 << 2 * self.scale + self.weight_scale

    @property
    def weight(self):
        """The weight of all rows, a Fraction."""
        return Fraction(self.weights.sum() if len(self.weights) else 0, 1 << self.weight_scale)

    def is_possible(self):
        """Whether some rows in the boxes have these sums. (Not more: that takes the rows.)"""
        for w, sums, square, *box in zip(
            self.weights.tolist(),
            self.sums.tolist(),
            self.squares.tolist(),
            self.lower.tolist(),
            self.upper.tolist(),
        ):
            if not w:
                continue
            low, high = ([Fraction(x) * (1 << self.scale) for x in ends] for ends in box)
            norm = sum(s * s for s in sums)
            # The mean is in the box, and no rows in it are farther from their mean than those at its ends.
            if any(s < w * a or s > w * b for s, a, b in zip(sums, low, high)) or square * w < norm:
                return False
            if square * w - norm > sum((s - w * a) * (w * b - s) for s, a, b in zip(sums, low, high)):
                return False
        return True

    def rounded(self):
        """The cells, which all have rows, as the nearest floats."""
        weights, unit = self.weights.tolist(), self.unit
        up = 1 << self.scale
        means = [[s / (w * up) for s in row] for w, row in zip(weights, self.sums.tolist())]
        scatters = []
        for w, row, square in zip(weights, self.sums.tolist(), self.squares.tolist()):
            scatters.append(_quotient(square * w - sum(s * s for s in row), w * unit))
        return Cells(
            np.array([_quotient(w, 1 << self.weight_scale) for w in weights]),
            np.array(means).reshape(self.sums.shape),
            np.array(scatters),
            self.lower.copy(),
            self.upper.copy(),
        )

    def cost(self, labels, centers=None):
        """What the cells cost with these labels, each given whole to a center, a Fraction in squared units of the rows.

        Parameters
        ----------
        labels : ndarray of shape (n_cells,)
        centers : ndarray of shape (n_clusters, n_features), float64, optional
            By default the means of the clusters.
        """
        names, own = np.unique(labels, return_inverse=True)
        total = CellSums(len(names), self._sums.shape[1])
        total.merge(self, own)
        if centers is None:
            explained = zip(total.weights.tolist(), total.sums.tolist())
            explained = sum((Fraction(sum(s * s for s in row), w) for w, row in explained if w), Fraction(0))
            return (total.squares.sum() - explained) / total.unit
        points, scale = whole_numbers(np.asarray(centers, np.float64)[names], total.scale)
        total.rescale(scale, total.weight_scale)
        crossed = 2 * (points * total.sums).sum() - (total.weights * (points * points).sum(axis=1)).sum()
        return Fraction(total.squares.sum() - crossed, total.unit)


def _quotient(top, below):
    """A fraction >= 0 as a float, inf beyond their range."""
    try:
        return top / below
    except OverflowError:
        return np.inf
