"""The oracle itself: against counts and values from the literature, and against what must always hold."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckmeans import reference

EXACT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)

WHOLE = st.integers(-6, 6)


@st.composite
def problems(draw, n_most=9, k_most=4):
    """Rows on a small grid, weights (zeros among them) and centers."""
    d = draw(st.integers(1, 3))
    point = st.lists(WHOLE, min_size=d, max_size=d)
    X = draw(st.lists(point, min_size=1, max_size=n_most))
    weights = draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X)).filter(any))
    return X, weights, draw(st.lists(point, min_size=1, max_size=k_most))


def test_stirling_numbers():
    # Graham, Knuth & Patashnik (1994), Concrete Mathematics, table 258.
    assert [reference.stirling(8, k) for k in range(9)] == [0, 1, 127, 966, 1701, 1050, 266, 28, 1]
    assert [reference.count_partitions(n, n) for n in range(11)] == [
        1,
        1,
        2,
        5,
        15,
        52,
        203,
        877,
        4140,
        21147,
        115975,
    ]
    assert reference.count_partitions(30, 2) == 2**29


@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("n_clusters", range(1, 5))
def test_every_partition_once_in_lexicographic_order(n, n_clusters):
    seen = list(reference.partitions(n, n_clusters))
    assert len(seen) == reference.count_partitions(n, n_clusters)
    assert all(a < b for a, b in pairwise(seen))  # strictly increasing: none twice
    for labels in seen:
        assert max(labels) < n_clusters
        assert [labels.index(k) for k in range(max(labels) + 1)] == sorted(
            labels.index(k) for k in set(labels)
        )


def test_five_partitions_of_three():
    assert list(reference.partitions(3, 3)) == [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [0, 1, 2]]


def test_ties_go_to_the_lowest_index():
    assert reference.assign([[1], [3], [2]], [[2], [0], [4]]) == [0, 0, 0]
    assert reference.assign([[1]], [[2], [0]]) == [0] == reference.assign([[1]], [[0], [2]])


def test_floats_are_the_fractions_they_store():
    assert reference.sq_distance([0.1], [0]) == Fraction(0.1) ** 2 != Fraction(1, 100)


@given(problems())
@settings(EXACT)
def test_lloyd_never_raises_the_inertia_and_ends_at_a_fixed_point(problem):
    X, weights, centers = problem
    last = None
    for _ in range(50):
        labels, new = reference.lloyd_step(X, centers, weights)
        before = reference.inertia(X, labels, centers, weights)
        after = reference.inertia(X, labels, new, weights)
        assert after <= before
        assert last is None or before <= last
        centers, last = new, after
    final, fixed = reference.lloyd(X, problem[2], weights)
    assert reference.lloyd_step(X, fixed, weights) == (final, fixed)
    assert reference.inertia(X, final, fixed, weights) == last


@given(problems(), st.data())
@settings(EXACT)
def test_the_mean_is_the_best_center(problem, data):
    X, weights, _ = problem
    labels = [0] * len(X)
    [mean] = reference.update(X, labels, 1, weights)
    other = data.draw(
        st.lists(st.fractions(-7, 7, max_denominator=9), min_size=len(mean), max_size=len(mean))
    )
    # Huygens: the inertia about any point is that about the mean plus the mass times the squared shift.
    shift = sum(weights) * reference.sq_distance(mean, other)
    assert reference.inertia(X, labels, [other], weights) == reference.cost(X, labels, weights) + shift


@given(problems())
@settings(EXACT)
def test_integer_weights_are_repeated_rows(problem):
    X, weights, centers = problem
    repeated = [x for x, w in zip(X, weights) for _ in range(w)]
    labels = reference.assign(X, centers)
    every = [label for label, w in zip(labels, weights) for _ in range(w)]
    assert reference.assign(repeated, centers) == every
    assert reference.update(X, labels, len(centers), weights) == reference.update(
        repeated, every, len(centers)
    )
    assert reference.cost(X, labels, weights) == reference.cost(repeated, every)


@given(problems(n_most=6), st.integers(1, 3))
@settings(EXACT, max_examples=25)
def test_the_best_partition_is_a_fixed_point_and_beats_lloyd(problem, n_clusters):
    X, weights, centers = problem
    labels, least = reference.best_partition(X, n_clusters, weights)
    assert least == reference.cost(X, labels, weights)
    final, fixed = reference.lloyd(X, centers[:n_clusters], weights)
    assert least <= reference.inertia(X, final, fixed, weights)
    means = [c for c in reference.update(X, labels, n_clusters, weights) if c is not None]
    assert reference.inertia(X, reference.assign(X, means), means, weights) == least


def test_known_optimum():
    # Six points in two triangles: 2 * (4/3) about the centroids.
    X = [[0, 0], [1, 0], [0, 1], [9, 9], [8, 9], [9, 8]]
    assert reference.best_partition(X, 2) == ([0, 0, 0, 1, 1, 1], Fraction(8, 3))


@given(problems(n_most=5, k_most=3), st.integers(-20, 20))
@settings(EXACT, max_examples=25)
def test_responsibilities(problem, exponent):
    X, weights, centers = problem
    n, variances = len(centers), [2.0**exponent] * len(centers)
    soft = reference.responsibilities(X, centers, variances, [Fraction(1, n)] * n)
    for x, row in zip(X, soft):
        assert abs(sum(map(Fraction, row)) - 1) < Fraction(1, 10**40)
        order = sorted(range(n), key=lambda k: reference.sq_distance(x, centers[k]))
        assert all(row[a] >= row[b] for a, b in pairwise(order))


def test_log_likelihood_of_one_gaussian():
    # log N(x | 1, 4) at x = 3 is -log(2 pi 4)/2 - 1/2; two components that are equal change nothing.
    expected = -0.5 * math.log(8 * math.pi) - 0.5
    assert float(reference.log_likelihood([[3]], [[1]], [4], [1])) == pytest.approx(expected, rel=1e-15)
    twice = reference.log_likelihood([[3]], [[1], [1]], [4, 4], [Fraction(1, 4), Fraction(3, 4)], [2])
    assert float(twice) == pytest.approx(2 * expected, rel=1e-15)
