"""The problem that a proof is about: rows and weights as integers over a power of two, exactly the floats that were given."""

from fractions import Fraction
from functools import cached_property

import numpy as np

from ..rationals import ExactRows, mantissas


def _scale(values):
    """The least s >= 0 for which all values are whole in units of 2**-s."""
    whole, exponents = mantissas(values)
    lowest = np.frexp((whole & -whole).astype(float))[1] + exponents  # 1 + the exponent of the lowest bit
    return max(0, 1 - int(lowest.min(where=whole != 0, initial=1)))


def dyadic(values, scale=None):
    """Integers and the power s for which an array of floats == integers / 2**s, s >= 0 and least, or as given."""
    scale = _scale(values) if scale is None else scale
    whole, exponents = mantissas(np.ravel(values))
    shifts = exponents + scale
    whole >>= np.clip(-shifts, 0, 63)  # what is shifted out is zero
    return [x << s for x, s in zip(whole.tolist(), np.maximum(shifts, 0).tolist())], scale


class ExactProblem:
    """A clustering problem as the checker sees it: distinct rows of integers with integer weights.

    Equal rows are one row with their weights added, rows of weight zero are none; the others stay in the order in which
    they come first. Proofs name rows by that order, and count costs in units of `1 / unit`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite numbers, taken as float64.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights >= 0, not all 0; None for one each.
    scale, weight_scale : int, optional
        At least those for which all is whole, which they are if None.

    Attributes
    ----------
    rows, samples : list of tuple of int
        The distinct rows, and all, in units of 2**-scale.
    first : list of int
        Of each row its first sample.
    weights : list of int
        Their weights, in units of 2**-weight_scale.
    place : list of int or None
        For each sample its row; None where it has no weight.
    unit : int
        2**(2 * scale + weight_scale).
    """

    metric = "euclidean"

    def __init__(self, X, sample_weight=None, scale=None, weight_scale=None):
        X = np.ascontiguousarray(X, np.float64)
        X = X.reshape(len(X), -1) + 0.0  # no minus zero, which would not have the bits of zero
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight, np.float64) + 0.0
        self.sample_weights, self.weight_scale = (
            ([1] * len(X), 0) if sample_weight is None else dyadic(self.sample_weight, weight_scale)
        )
        self.n_features, self.scale, self.X = X.shape[1], _scale(X) if scale is None else scale, X
        self.unit = 1 << (2 * self.scale + self.weight_scale)
        order, self.weights, self.place, self.first = {}, [], [], []
        width, content = X.shape[1] * X.itemsize, X.tobytes()
        for i, weight in enumerate(self.sample_weights):
            at = order.setdefault(content[i * width : (i + 1) * width], len(order)) if weight else None
            self.place.append(at)
            if at is not None and at == len(self.weights):
                self.weights.append(0)
                self.first.append(i)
            if at is not None:
                self.weights[at] += weight

    def whole(self, samples):
        """Samples, given by an index for them, as tuples of integers in units of 2**-scale."""
        some = self.X[samples]
        return list(zip(*[iter(dyadic(some, self.scale)[0])] * self.n_features)) if some.size else []

    @cached_property
    def samples(self):
        return self.whole(slice(None))

    @cached_property
    def rows(self):
        return self.whole(self.first)

    def cost(self, labels):
        """The cost of labels of the samples, an exact Fraction in squared units of X."""
        return self.exact.cost(labels)

    def is_of(self, X, sample_weight=None):
        """Whether these are its rows and weights, number for number."""
        ones = np.ones(len(self.X))
        own, other = (ones if weights is None else weights for weights in (self.sample_weight, sample_weight))
        return np.array_equal(self.X, X) and np.array_equal(own, other)

    def centers(self, labels):
        """{label: mean, each coordinate the nearest float}, for the clusters that have weight."""
        return self.exact.centers(labels)

    @cached_property
    def exact(self):
        return ExactRows(self.X, self.sample_weight)

    def own_price(self, rows):
        """What rows that are together cost per unit of weight, a Fraction in squared units of the integers."""
        if len(rows) == 1:
            return Fraction(0)
        weight = sum(self.weights[i] for i in rows)
        squares = sum(self.weights[i] * sum(x * x for x in self.rows[i]) for i in rows)
        sums = (sum(self.weights[i] * self.rows[i][f] for i in rows) for f in range(self.n_features))
        return Fraction(squares, weight) - Fraction(sum(s * s for s in sums), weight**2)
