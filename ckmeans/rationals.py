"""Exact arithmetic on floats: a float is a whole number times a power of two, so sums and products of floats are too.

Whole numbers of any size are digits in base 2**18: products of digits and sums of millions of them are exact in 64 bits, so
NumPy adds them up.
"""

import math
from fractions import Fraction

import numpy as np

# Bits of a digit, and a digit with all bits set.
BITS = 18
LOW = (1 << BITS) - 1
# Numbers whose digits are in memory at a time, and digits of sums.
CHUNK, SOME = 1 << 16, 1 << 20
# Sums of squares below this may lack squares that underflowed.
TINY = 2.0**-900


def mantissas(values):
    """Floats as whole numbers of at most 53 bits times powers of two: two arrays of int64, these and the exponents."""
    sizes, exponents = np.frexp(values)
    return np.ldexp(sizes, 53).astype(np.int64), exponents.astype(np.int64) - 53


def _reach(values):
    """The exponents of the unit in which all floats are whole, and of a power of two that none reaches."""
    sizes = np.frexp(values[values != 0])[1]
    return (int(sizes.min()) - 53, int(sizes.max())) if len(sizes) else (0, 0)


def _digits(values, unit):
    """Floats as whole numbers, in units of 2**unit: each is 2**(18 * place) times the sum of digit[t] * 2**(18 * t)."""
    rest, exponents = mantissas(values)
    place, shift = np.divmod(np.where(rest == 0, 0, exponents - unit), BITS)
    carry, digits = 0, []
    for _ in range(3):
        carry = carry + ((rest & LOW) << shift)
        digits.append(carry & LOW)
        carry, rest = carry >> BITS, rest >> BITS
    digits.append(carry + (rest << shift))  # which has the sign
    return place, digits


def _product(a, b):
    """The products of such numbers."""
    (place, a), (other, b) = a, b
    carry, digits = 0, []
    for t in range(len(a) + len(b) - 1):
        for s in range(max(0, t + 1 - len(b)), min(t + 1, len(a))):
            carry = carry + a[s] * b[t - s]
        digits.append(carry & LOW)
        carry = carry >> BITS
    return place + other, [*digits, carry]


def _add(total, at, number):
    """Add each number to the sum that it belongs to: total[:, at], the digits of that."""
    place, digits = number
    first = (place * total.shape[1] + at).ravel()
    for t, own in enumerate(digits):
        own = np.bincount(first + t * total.shape[1], own.ravel().astype(float), total.size)
        total += own.reshape(total.shape).astype(np.int64)
    for t in range(len(total) - 1):  # leave 18 bits to each but the last, which has the sign
        total[t + 1] += total[t] >> BITS
        total[t] &= LOW


def _integers(total):
    """The sums as Python's integers."""
    triples = total[::3] + (total[1::3] << BITS) + (total[2::3] << 2 * BITS)
    values = triples[-1].tolist()
    for digits in triples[-2::-1].tolist():
        values = [(value << 3 * BITS) + digit for value, digit in zip(values, digits)]
    return values


class ExactRows:
    """Rows and weights as whole numbers, for the exact cost of partitions of them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
        Finite numbers, taken exactly as they are stored.
    sample_weight : ndarray of shape (n_samples,), float64, or None
        Weights >= 0; None for one each.

    Examples
    --------
    >>> import numpy as np
    >>> ExactRows(np.array([[0.0], [1.0], [5.0]])).cost([0, 0, 1])
    Fraction(1, 2)
    """

    def __init__(self, X, sample_weight=None):
        self._X = np.ascontiguousarray(X, np.float64)
        self._weights = None if sample_weight is None else np.array(sample_weight, np.float64)[:, None]
        self._unit, self._most = _reach(self._X)  # exponents of powers of two
        self._weight_unit, self._most_weight = (0, 0) if sample_weight is None else _reach(self._weights)
        total = np.zeros((self._size(2), 1), np.int64)
        for some in self._chunks(self._X.shape[1]):
            for first in range(0, self._X.shape[1], CHUNK):
                numbers = _digits(self._X[some, first : first + CHUNK], self._unit)
                _add(total, 0, self._weighted(_product(numbers, numbers), some))
        (self._squares,) = _integers(total)

    def _chunks(self, width):
        """Slices of rows that are looked at together, for rows of `width` numbers."""
        size = max(1, CHUNK // width)
        return [slice(at, at + size) for at in range(0, len(self._X), size)]

    def _size(self, power):
        """Room for the digits of a sum of weighted powers of features, a multiple of three."""
        bits = power * (self._most - self._unit) + self._most_weight - self._weight_unit
        return (bits // BITS + 15) // 3 * 3

    def _weighted(self, numbers, some):
        if self._weights is None:
            return numbers
        return _product(numbers, _digits(self._weights[some], self._weight_unit))

    def _sums(self, labels):
        """{label: (sum of weights, sums of weighted features)}, in units of this instance."""
        names, first, at = np.unique(np.asarray(labels), return_index=True, return_inverse=True)
        n_labels, d = len(names), self._X.shape[1]
        weights = np.bincount(at, minlength=n_labels).tolist()
        if self._weights is not None:
            total = np.zeros((self._size(0), n_labels), np.int64)
            for some in self._chunks(1):
                _add(total, at[some, None], _digits(self._weights[some], self._weight_unit))
            weights = _integers(total)
        size, sums = self._size(1), [[] for _ in names]
        width = max(1, min(d, CHUNK, SOME // (n_labels * size)))
        for start in range(0, d, width):
            X = self._X[:, start : start + width]
            features = np.arange(X.shape[1])
            total = np.zeros((size, n_labels * X.shape[1]), np.int64)
            for some in self._chunks(X.shape[1]):
                numbers = self._weighted(_digits(X[some], self._unit), some)
                _add(total, at[some, None] * X.shape[1] + features, numbers)
            for i, value in enumerate(_integers(total)):
                sums[i // X.shape[1]].append(value)
        return {names[i].item(): (weights[i], sums[i]) for i in np.argsort(first)}

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
        return (self._squares - explained) * Fraction(2) ** (2 * self._unit + self._weight_unit)

    def moments(self, labels):
        """{label: (weight, sums of weighted features)} and the sum of all weighted squares, fractions: those of more rows add up."""
        unit, of_weights = (Fraction(2) ** own for own in (self._unit, self._weight_unit))
        found = {
            label: (weight * of_weights, [s * unit * of_weights for s in sums])
            for label, (weight, sums) in self._sums(labels).items()
        }
        return found, self._squares * unit**2 * of_weights

    def centers(self, labels):
        """{label: weighted mean, each coordinate the nearest float}, for the clusters that have weight."""
        up, down = 1 << max(self._unit, 0), 1 << max(-self._unit, 0)
        return {
            label: [s * up / (weight * down) for s in sums]
            for label, (weight, sums) in self._sums(labels).items()
            if weight
        }


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


def inertia(X, labels, centers, sample_weight=()):
    """The sum of weighted squared distances to given centers, as the nearest float. Quick where most rows lie on their centers.

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
    """(inertia - lower_bound) / inertia of floats or fractions, rounded up: the best is at most this share of it below.

    1 where the inertia is inf, a cost beyond the floats: nothing is known of its share.
    """
    if inertia == math.inf:
        return 1.0
    inertia, lower_bound = Fraction(inertia), Fraction(lower_bound)
    return float_up(1 - lower_bound / inertia) if inertia > lower_bound else 0.0
