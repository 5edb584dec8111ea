"""Exact arithmetic on floats: a float is a dyadic fraction, so a few shifts turn every input into an integer."""

import math
from fractions import Fraction

import numpy as np

TINY = 2.0**-900  # sums of squares below this may have lost what vanished


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


def inertia(X, labels, centers, sample_weight=()):
    """The sum of weighted squared distances to given centers, as the nearest float; for rows of which most lie on their centers.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
    labels : ndarray of shape (n_samples,), int32
    centers : ndarray of shape (n_clusters, n_features), float64
    sample_weight : ndarray of shape (n_samples,) or (0,)
        Without any, all are one.

    Returns
    -------
    float
        Infinite beyond the floats.
    """
    away = np.flatnonzero((X != centers[labels]).any(axis=1))
    total = Fraction(0)
    for i in away.tolist():
        weight = Fraction(float(sample_weight[i])) if len(sample_weight) else 1
        if weight:
            pairs = zip(X[i].tolist(), centers[labels[i]].tolist())
            total += weight * sum((Fraction(x) - Fraction(c)) ** 2 for x, c in pairs)
    try:
        return float(total)
    except OverflowError:
        return math.inf


def float_down(value):
    """The greatest float that is not above a Fraction."""
    try:
        nearest = value.numerator / value.denominator
    except OverflowError:
        return np.finfo(float).max.item() if value > 0 else -math.inf
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def float_up(value):
    """The least float that is not below a Fraction."""
    return 0.0 - float_down(-value)  # 0.0 for 0, not -0.0
