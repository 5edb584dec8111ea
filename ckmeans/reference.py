"""What k-means means, in exact fractions: the oracle every compiled solver is tested against.

Rows and centers are sequences of numbers, taken exactly as they are (a float is the dyadic fraction it stores).
Clusters are numbered from 0. Nothing here is fast, nothing here rounds, and nothing that is shipped imports it.
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction


def sq_distance(x, y):
    """Squared Euclidean distance between two points."""
    return sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x, y, strict=True))


def assign(X, centers):
    """The nearest center of each row; among equally near ones the lowest index."""
    return [min(range(len(centers)), key=lambda k: (sq_distance(x, centers[k]), k)) for x in X]


def mean(rows, weights):
    """Weighted mean of some rows, or None where no weight is."""
    total = sum(map(Fraction, weights))
    if not total:
        return None
    return [sum(Fraction(w) * Fraction(v) for w, v in zip(weights, column)) / total for column in zip(*rows)]


def update(X, labels, n_clusters, weights=None):
    """The weighted mean of each cluster; None for a cluster without weight."""
    weights = weights or [1] * len(X)
    members = [[i for i, label in enumerate(labels) if label == k] for k in range(n_clusters)]
    return [mean([X[i] for i in own], [weights[i] for i in own]) if own else None for own in members]


def inertia(X, labels, centers, weights=None):
    """Sum over the rows of weight times squared distance to the row's center."""
    weights = weights or [1] * len(X)
    return sum(
        Fraction(w) * sq_distance(x, centers[label]) for x, label, w in zip(X, labels, weights) if w
    ) + Fraction(0)


def cost(X, labels, weights=None):
    """Inertia of a partition: each row against the mean of its cluster, which is the best center."""
    return inertia(X, labels, update(X, labels, max(labels) + 1, weights), weights)


def lloyd_step(X, centers, weights=None):
    """Labels of the nearest centers, and the means of those labels (a center without rows stays)."""
    labels = assign(X, centers)
    means = update(X, labels, len(centers), weights)
    return labels, [old if new is None else new for old, new in zip(centers, means)]


def lloyd(X, centers, weights=None):
    """Lloyd's iteration from given centers to its fixed point: labels and centers."""
    labels = None
    while True:
        new_labels, centers = lloyd_step(X, centers, weights)
        if new_labels == labels:
            return labels, centers
        labels = new_labels


def partitions(n, n_clusters):
    """Every partition of n rows into at most n_clusters clusters, once, as restricted growth strings.

    A restricted growth string opens its clusters in order: its first label is 0 and each label is at most one
    more than the largest before it (Knuth, TAOCP 4A, 7.2.1.5). They come in lexicographic order.
    """
    prefixes = [([], 0)]
    while prefixes:
        labels, n_open = prefixes.pop()
        if len(labels) == n:
            yield labels
            continue
        for label in reversed(range(min(n_open + 1, n_clusters))):
            prefixes.append((labels + [label], max(n_open, label + 1)))


def best_partition(X, n_clusters, weights=None):
    """The first partition, in lexicographic order, of least cost: labels and cost."""
    best = min(partitions(len(X), n_clusters), key=lambda labels: cost(X, labels, weights))
    return best, cost(X, best, weights)


def stirling(n, k):
    """Number of partitions of n rows into exactly k non-empty clusters (Stirling, second kind)."""
    terms = ((-1) ** (k - j) * math.comb(k, j) * j**n for j in range(k + 1))
    return sum(terms) // math.factorial(k)


def count_partitions(n, n_clusters):
    """Number of partitions of n rows into at most n_clusters clusters."""
    return sum(stirling(n, k) for k in range(min(n, n_clusters) + 1))


# The soft side. Logarithms are not rational, so here every step is correctly rounded to DIGITS significant
# digits; the results are good to well over 30.
DIGITS = 50


def _decimal(value):
    value = Fraction(value)
    return Decimal(value.numerator) / Decimal(value.denominator)


def log_joint(X, centers, variances, mixing):
    """log(mixing_k N(x_i | center_k, variance_k I)) for each row and component, as Decimals."""
    with localcontext() as context:
        context.prec = DIGITS
        two_pi = 2 * _decimal("3.14159265358979323846264338327950288419716939937510582097494459")
        half = Decimal(len(X[0])) / 2
        return [
            [
                _decimal(p).ln()
                - half * (two_pi * _decimal(v)).ln()
                - _decimal(sq_distance(x, c) / (2 * Fraction(v)))
                for c, v, p in zip(centers, variances, mixing, strict=True)
            ]
            for x in X
        ]


def log_likelihood(X, centers, variances, mixing, weights=None):
    """Weighted sum over the rows of the log density of a mixture of spherical Gaussians."""
    weights = weights or [1] * len(X)
    with localcontext() as context:
        context.prec = DIGITS
        rows = log_joint(X, centers, variances, mixing)
        return sum(
            _decimal(w) * (sum((v - max(row)).exp() for v in row).ln() + max(row))
            for w, row in zip(weights, rows)
        )


def responsibilities(X, centers, variances, mixing):
    """The posterior probability of each component for each row."""
    with localcontext() as context:
        context.prec = DIGITS
        powers = [[(v - max(row)).exp() for v in row] for row in log_joint(X, centers, variances, mixing)]
        return [[p / sum(row) for p in row] for row in powers]
