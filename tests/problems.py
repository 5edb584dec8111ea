"""Data for the tests of the local search, and exact answers to compare with."""

import math
from fractions import Fraction
from itertools import cycle

import numpy as np
import pytest

from ckmeans import KMeans, reference
from ckmeans.local.lloyd import lloyd
from ckmeans.local.rows import Clustering, Rows
from ckmeans.rationals import ExactRows
from ckmeans.workers import Workers


def in_turn(many, few, times=2):
    """Each of many settings with some of few others that take turns: all with all would be more than is learnt from them."""
    turn = cycle(few)
    return [(*one, *next(turn)) for one in many for _ in range(times)]


def each_instruction_set(kernels):
    """A fixture: the kernels of each instruction set in turn."""

    @pytest.fixture(params=kernels.instruction_sets())
    def instructions(request):
        usual = kernels.instruction_sets()[-1]
        kernels.use(request.param)
        yield request.param
        kernels.use(usual)

    return instructions


def rows_of(X, sample_weight=None, n_threads=1, compared_with=None):
    """Rows as the solvers take them."""
    weights = None if sample_weight is None else np.asarray(sample_weight, float)
    rows = Rows(np.ascontiguousarray(X), weights, Workers(n_threads), compared_with=compared_with)
    rows.panels.pack()
    return rows


def assign(X, centers, n_threads=1):
    """Labels by the compiled code."""
    rows = rows_of(X, n_threads=n_threads, compared_with=centers)
    return rows.panels.assign(rows.scale(centers))


def run(rows, start, max_iter=None, tol=0.0, algorithm=lloyd):
    """Where Lloyd's iteration ends, the updates it made, and why it stopped."""
    partition, centers, n_iter, reason = algorithm(rows, np.array(start, np.float64), max_iter, tol)
    labels = partition.labels.copy()
    return Clustering(labels, centers, rows.update(labels, centers)[2]), n_iter, reason


def plain(X, centers, **kwargs):
    """Plain Lloyd, fitted."""
    sample_weight = kwargs.pop("sample_weight", None)
    model = KMeans(len(centers), init=centers, n_init=1, polish=False, **kwargs)
    return model.fit(X, sample_weight=sample_weight)


def trace(rows, start, tol=0.0):
    """The clustering after each update of Lloyd's iteration, that of the start first; and why it stopped."""
    steps, reason = [rows.clustering(np.array(start, np.float64))], "max_iter"
    while reason == "max_iter":
        clustering, _, reason = run(rows, start, len(steps), tol)
        steps.append(clustering)
    return steps, reason


def numbers(array):
    """An array as the lists that the reference takes; None stays."""
    return None if array is None else np.asarray(array, dtype=np.float64).tolist()


def exact_grid(rng, n, d, k, dtype=np.float64, weighted=False, top=5):
    """Rows, weights and centers on a grid so wide that every mean that can occur is on the next finer one.

    Coordinates are multiples of lcm(1, ..., total weight): each mean is a whole number, nothing ever rounds, and the
    compiled iteration must follow the exact one label for label and center for center, ties included.
    """
    weights = rng.integers(0, 3, n).astype(float) if weighted else None
    if weighted:
        weights[rng.integers(n)] = 2
    step = math.lcm(*range(1, 1 + int(n if weights is None else weights.sum())))
    assert step * top < (2**24 if dtype == np.float32 else 2**53)
    X = rng.integers(0, top + 1, (n, d)) * float(step)
    centers = rng.integers(0, top + 1, (k, d)) * float(step)
    return X.astype(dtype), weights, centers


def near_ties(rng, n, d, k, dtype=np.float64, offset=0.0):
    """Rows and centers in exact ties, about half of them then broken by one unit in the last place of a center."""
    grain = 2.0**-4 if dtype == np.float32 else 2.0**-10
    X = (offset + rng.integers(-64, 65, (n, d)) * grain).astype(dtype)
    centers = np.empty((k, d))
    arm = rng.integers(1, 9, d) * grain
    for c in range(k):
        centers[c] = X[rng.integers(n) if rng.random() < 0.3 else 0] + rng.permutation(arm) * rng.choice(
            [-1, 1], d
        )
        if rng.random() < 0.5:
            f = rng.integers(d)
            centers[c, f] = np.nextafter(centers[c, f], rng.choice([-np.inf, np.inf]))
    return X, centers


def exact_run(X, centers, weights=None):
    """The exact Lloyd run: its last labels, its centers, the updates, and whether a cluster lost all weight."""
    X, weights, n_iter, emptied = numbers(X), numbers(weights), 0, False
    labels, centers = None, [list(map(Fraction, c)) for c in numbers(centers)]
    while True:
        new = reference.assign(X, centers)
        means = reference.update(X, new, len(centers), weights)
        emptied |= None in means
        if new == labels:
            return labels, centers, n_iter, emptied
        labels, n_iter = new, n_iter + 1
        centers = [old if mean is None else mean for old, mean in zip(centers, means)]


def exact_inertia(X, labels, centers, weights=None):
    """Inertia of given labels and centers, as a Fraction."""
    return reference.inertia(numbers(X), np.asarray(labels).tolist(), numbers(centers), numbers(weights))


def quick_cost(X, labels, weights=None):
    """The same as exact_cost by the compiled package, which test_rationals.py holds against it: 50 times as fast."""
    return ExactRows(X, weights).cost(labels)


def exact_cost(X, labels, weights=None):
    """Inertia of a partition with its exact means, as a Fraction."""
    return reference.cost(numbers(X), np.asarray(labels).tolist(), numbers(weights))


def consistent(model, X, sample_weight=None):
    """Labels are the nearest centers, and the inertia is that of the labels with the centers; exactly checked."""
    X = np.asarray(X)
    assert model.labels_.dtype == np.int32 and model.labels_.shape == (len(X),)
    assert model.cluster_centers_.shape == (model.n_clusters, X.shape[1])
    assert np.array_equal(model.predict(X), model.labels_)
    if len(X) <= 400:
        assert reference.assign(numbers(X), numbers(model.cluster_centers_)) == model.labels_.tolist()
        exact = float(exact_inertia(X, model.labels_, model.cluster_centers_, sample_weight))
    else:
        weights = 1 if sample_weight is None else sample_weight
        exact = (
            ((X.astype(float) - model.cluster_centers_[model.labels_]) ** 2)
            .sum(axis=1)
            .dot(weights * np.ones(len(X)))
        )
    assert model.inertia_ == pytest.approx(exact, rel=1e-12)
    assert model.score(X, sample_weight=sample_weight) == -model.inertia_
