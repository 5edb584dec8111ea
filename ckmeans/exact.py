"""Exact arithmetic on floats: a float is a dyadic fraction, so a few shifts turn every input into an integer."""

import math
from fractions import Fraction

import numpy as np


def _integers(values):
    """Python integers and their common denominator, a power of two: values[i] == integers[i] / denominator."""
    ratios = [value.as_integer_ratio() for value in values]
    denominator = max(q for _, q in ratios)
    return [p * (denominator // q) for p, q in ratios], denominator


class ExactRows:
    """Rows and weights as integers, for the exact cost of partitions of them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
        Finite numbers, taken exactly as they are stored.
    sample_weight : ndarray of shape (n_samples,), float64, or None
        Weights >= 0; None for one each.
    """

    def __init__(self, X, sample_weight=None):
        n_samples, n_features = X.shape
        flat, self._unit = _integers(np.asarray(X, np.float64).ravel().tolist())
        weights = (
            [1.0] * n_samples if sample_weight is None else np.asarray(sample_weight, np.float64).tolist()
        )
        self._weights, self._weight_unit = _integers(weights)
        self._rows = [
            [w * v for v in flat[i * n_features : (i + 1) * n_features]] for i, w in enumerate(self._weights)
        ]
        self._squares = sum(
            self._weights[i] * v * v
            for i in range(n_samples)
            for v in flat[i * n_features : (i + 1) * n_features]
        )

    def _sums(self, labels):
        """{label: (sum of weights, sums of weighted features)}, in units of this instance."""
        members = {}
        for i, label in enumerate(labels):
            members.setdefault(int(label), []).append(i)
        return {
            label: (sum(self._weights[i] for i in own), [sum(c) for c in zip(*(self._rows[i] for i in own))])
            for label, own in members.items()
        }

    def cost(self, labels):
        """Sum over the rows of weight times squared distance to the weighted mean of the row's cluster, a Fraction."""
        explained = sum(
            (
                Fraction(sum(s * s for s in sums), weight)
                for weight, sums in self._sums(labels).values()
                if weight
            ),
            Fraction(0),
        )
        return (self._squares - explained) / (self._unit**2 * self._weight_unit)

    def centers(self, labels):
        """{label: weighted mean, each coordinate the nearest float}, for the clusters that have weight."""
        return {
            label: [s / (weight * self._unit) for s in sums]
            for label, (weight, sums) in self._sums(labels).items()
            if weight
        }


def cost(X, labels, sample_weight=None):
    """The exact cost of a partition: each row against the weighted mean of its cluster.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite numbers; anything but float64 is first converted to it.
    labels : sequence of n_samples integers
        Cluster of each row.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights >= 0; None for one each.

    Returns
    -------
    Fraction
        In squared units of X.

    Examples
    --------
    >>> import numpy as np
    >>> cost(np.array([[0.0], [1.0], [5.0]]), [0, 0, 1])
    Fraction(1, 2)
    """
    return ExactRows(np.asarray(X, np.float64), sample_weight).cost(labels)


def near_one(X, weights=None):
    """Rows around their mean as floats of at most 2, and the exponent of their unit: X is mean + 2**exponent * rows.

    Each is off by a rounding of itself and, underflow, 2**-1073. Feature by feature, so that nothing overflows and none
    vanishes beside another one's offset.

    Examples
    --------
    >>> rows, exponent = near_one(np.array([[1e300, 3e-320], [1e300, 5e-320]]))
    >>> rows.tolist(), 2.0 ** (exponent + 1074)  # 3e-320 is 6072 times 2**-1074
    ([[0.0, -0.98828125], [0.0, 0.98828125]], 2048.0)
    """
    exponents = np.frexp(np.abs(X).max(axis=0))[1]
    rows = np.ldexp(X, -exponents)
    rows -= np.average(rows, axis=0, weights=weights)
    rows[:, (X == X[0]).all(axis=0)] = 0.0
    reach = np.abs(rows).max(axis=0)
    sizes = (np.frexp(reach)[1] + exponents)[reach > 0]
    exponent = int(sizes.max()) if len(sizes) else 0
    return np.ldexp(rows, exponents - exponent), exponent


def float_down(value):
    """The greatest float that is not above a Fraction: beyond their range the greatest of all, or -inf."""
    try:
        nearest = value.numerator / value.denominator
    except OverflowError:
        return np.finfo(float).max.item() if value > 0 else -math.inf
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def float_up(value):
    """The least float that is not below a Fraction: beyond their range inf, or the least of all."""
    return 0.0 - float_down(-value)  # 0.0 for 0, not -0.0


def relative_gap(inertia, lower_bound):
    """(inertia - lower_bound) / inertia of floats or fractions, rounded up: the best is at most this share of it below."""
    inertia, lower_bound = Fraction(inertia), Fraction(lower_bound)
    return float_up(1 - lower_bound / inertia) if inertia > lower_bound else 0.0
