"""What cells keep of their rows: sums in whole numbers, which have no order, and boxes."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..rationals import mantissas

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


def whole_numbers(values, scale):
    """Floats in units of 2**-scale as Python's integers, in an array of objects, and the scale, raised where that is needed."""
    whole, exponents = mantissas(values)
    lowest = np.frexp((whole & -whole).astype(float))[1] - 1 + exponents  # exponent of the lowest bit
    scale = max(scale, -int(lowest.min(where=whole != 0, initial=0)))
    shifts = exponents + scale
    whole >>= np.clip(-shifts, 0, 63)  # what is shifted out is zero
    return whole.astype(object) << np.maximum(shifts, 0).astype(object), scale


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
        self.weights, self.squares = np.zeros(n_cells, object), np.zeros(n_cells, object)
        self.sums = np.zeros((n_cells, n_features), object)
        self.lower = np.full((n_cells, n_features), np.inf)
        self.upper = -self.lower

    def copy(self):
        """Another one with the same sums."""
        return self.taken(slice(None))

    def taken(self, cells):
        """Those of some cells, in arrays of their own."""
        other = object.__new__(CellSums)
        other.scale, other.weight_scale = self.scale, self.weight_scale
        for name in ("weights", "squares", "sums", "lower", "upper"):
            setattr(other, name, getattr(self, name)[cells].copy())
        return other

    def grow(self, n_more):
        """Room for more cells, which have no rows yet."""
        more = CellSums(n_more, self.sums.shape[1])
        for name in ("weights", "squares", "sums", "lower", "upper"):
            setattr(self, name, np.concatenate([getattr(self, name), getattr(more, name)]))

    def rescale(self, scale, weight_scale):
        """Go on in finer units."""
        finer, lighter = scale - self.scale, weight_scale - self.weight_scale
        if finer or lighter:
            self.weights = self.weights << lighter
            self.sums = self.sums << lighter + finer
            self.squares = self.squares << lighter + 2 * finer
        self.scale, self.weight_scale = scale, weight_scale

    def add(self, X, sample_weight, labels):
        """Add rows to the cells of these labels.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float64
        sample_weight : ndarray of shape (n_samples,), float64, > 0; or None
        labels : ndarray of shape (n_samples,)
        """
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
        self.weights[at] += np.add.reduceat(weights, starts)
        self.sums[at] += np.add.reduceat(sums, starts, axis=0)
        self.squares[at] += np.add.reduceat(squares, starts)
        self.lower[at] = np.minimum(self.lower[at], np.minimum.reduceat(lower, starts, axis=0))
        self.upper[at] = np.maximum(self.upper[at], np.maximum.reduceat(upper, starts, axis=0))

    def merge(self, other, labels):
        """Add the cells of another one to the cells of these labels."""
        other = other.copy()
        scales = max(self.scale, other.scale), max(self.weight_scale, other.weight_scale)
        self.rescale(*scales)
        other.rescale(*scales)
        order = np.argsort(labels, kind="stable")
        parts = other.weights, other.sums, other.squares, other.lower, other.upper
        if len(order):
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
        if not len(labels):
            return Fraction(0)
        names, own = np.unique(labels, return_inverse=True)
        total = CellSums(len(names), self.sums.shape[1])
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
