"""Clusters that lose all rows, and rows too few for the clusters."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from problems import (
    exact_grid,
    numbers,
    plain,
    rows_of,
    run,
)

from ckmeans import KMeans, reference

# Time is no measure on a busy machine, and many random starts lose a cluster or are ambiguous.
UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
FAST = settings(deadline=None, max_examples=30, suppress_health_check=UNHURRIED)
SEEDS = st.integers(0, 2**32 - 1)
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)


def relocated(X, labels, k, weights):
    """Means after each cluster without weight took the point that lowers the cost most, and whether that was unique."""
    X, weights, labels, unique = numbers(X), numbers(weights), list(labels), True
    for empty in [c for c, mean in enumerate(reference.update(X, labels, k, weights)) if mean is None]:
        moved = {tuple(x): [empty if y == x else label for y, label in zip(X, labels)] for x in X}
        costs = {x: reference.cost(X, other, weights) for x, other in moved.items()}
        least = min(costs.values())
        unique &= list(costs.values()).count(least) == 1
        labels = next(moved[x] for x, cost in costs.items() if cost == least)
    return reference.update(X, labels, k, weights), unique


@pytest.mark.parametrize("weighted", [False, True])
@given(SEEDS, st.integers(4, 8), st.integers(1, 2))
@example(91620, 8, 2)
@settings(FAST, max_examples=30)
def test_empty_clusters_go_to_where_they_lower_the_inertia_most(weighted, seed, n, d):
    rng = np.random.default_rng(seed)
    X, weights, start = exact_grid(rng, n, d, 4, weighted=weighted, top=9)
    start[rng.permutation(4)[:2]] = 1e6 * X.max() + 1  # two that get no row
    weights = np.ones(n) if weights is None else weights
    labels = reference.assign(numbers(X), numbers(start))
    expected, unique = relocated(X, labels, 4, weights)
    assume(unique and None not in expected)
    model = plain(X, start, sample_weight=weights, max_iter=1)
    centers = numbers(model.cluster_centers_)
    if len(set(model.labels_)) < 4:  # a cluster that no row is nearest to comes last
        centers, expected = sorted(centers), sorted(expected)
    assert centers == expected


@DTYPES
@given(SEEDS, st.integers(1, 6), st.integers(1, 12), st.booleans())
@example(97, 5, 11, False)  # once went in circles
@FAST
def test_fewer_distinct_rows_than_clusters(dtype, seed, n_distinct, k, far):
    rng = np.random.default_rng(seed)
    distinct = rng.normal(size=(n_distinct, 2)).astype(dtype)
    X = distinct[np.r_[0:n_distinct, rng.integers(0, n_distinct, 15)]]
    weights = rng.uniform(0.1, 3, len(X)) if seed % 2 else None
    k = max(k, n_distinct)
    for init in ("k-means++", "random", rng.normal(size=(k, 2)) * (1e6 if far else 1)):
        for polish in (False, True):
            model = KMeans(k, init=init, polish=polish, n_init=1, random_state=0).fit(
                X, sample_weight=weights
            )
            assert model.inertia_ == 0
            assert np.array_equal(model.cluster_centers_[model.labels_], X)
            assert np.array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("tol", [0.0, 1e-9], ids=["compiled", "step by step"])
@given(SEEDS, st.integers(1, 6), st.integers(2, 4))
@settings(FAST, max_examples=20)
def test_clusters_without_rows_come_last_whatever_the_seed(tol, seed, n_distinct, more):
    rng = np.random.default_rng(seed)
    distinct = np.unique(rng.integers(-5, 5, size=(n_distinct, 2)), axis=0).astype(float)
    own = np.r_[0 : len(distinct), rng.integers(len(distinct), size=12)]
    for init in ("k-means++", "random", "k-means||"):
        for random_state in range(4):
            model = KMeans(len(distinct) + more, init=init, n_init=1, tol=tol, random_state=random_state).fit(
                distinct[own]
            )
            assert np.array_equal(model.labels_, own)
            assert np.array_equal(model.cluster_centers_[: len(distinct)], distinct)
            assert (model.cluster_centers_[len(distinct) :] == distinct[-1]).all()


def test_equal_rows_are_one_point():
    rng = np.random.default_rng(0)
    X = rng.integers(-1, 2, size=(500, 4)) * [1.0, 0.0, 1e-100, 1e80]
    weights = rng.uniform(0, 2, 500)
    points, mass = rows_of(X, weights).points
    _, expected = np.unique(X + 0.0, axis=0, return_inverse=True)
    assert len(set(zip(points.tolist(), expected.ravel().tolist()))) == 27 == points.max() + 1
    assert np.array_equal(mass, np.bincount(points, weights)[points])


@pytest.mark.parametrize("weight", [1e-300, 1e-30, 1e-17])
def test_a_row_of_next_to_no_weight_does_not_move_for_ever(weight):
    model = KMeans(2, random_state=55, max_iter=1000).fit([[0.0], [1.0], [1.0]], sample_weight=[weight, 1, 1])
    assert model.stop_reason_ == "converged" and model.inertia_ == 0
    assert model.labels_.tolist() == [0, 1, 1] and model.cluster_centers_.tolist() == [[0], [1]]


@DTYPES
def test_means_of_equal_rows_are_these_rows(dtype):
    """A mean that is off by a bit draws an empty cluster to its rows, which are then off by a bit themselves."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        distinct = rng.normal(size=(6, 2)).astype(dtype)
        X, weights = distinct[rng.permutation(np.r_[0:6, rng.integers(0, 6, 15)])], rng.uniform(0.1, 3, 21)
        for init in ("k-means++", "random"):
            model = KMeans(9, init=init, n_init=1, random_state=0, max_iter=1000).fit(
                X, sample_weight=weights
            )
            assert (model.stop_reason_, model.inertia_) == ("converged", 0)
            assert model.n_iter_ < 20


def test_thousands_of_clusters_too_many():
    """The rows are looked through once for all clusters that nothing is left for, not once for each."""
    X = np.random.default_rng(0).integers(0, 20, (20_000, 2)).astype(float)
    rows = rows_of(X)
    model = plain(X, X[:3000])
    assert model.inertia_ == 0 and np.array_equal(model.predict(X), model.labels_)
    _, n_iter, _ = run(rows, X[:3000])
    assert rows.n_distances <= 20_000 * (
        (n_iter + 1) * 3001 + n_iter * 401
    )  # 401: the distinct rows, and one look more


def test_one_cluster_and_one_for_each_row():
    X = np.random.default_rng(0).normal(size=(40, 3)) + 1e8
    mean = np.array(reference.update(numbers(X), [0] * 40, 1)[0], float)
    assert np.array_equal(KMeans(1).fit(X).cluster_centers_, [mean])
    for init in ("k-means++", "random", X):
        model = KMeans(40, init=init).fit(X)
        assert model.inertia_ == 0 and len(set(model.labels_)) == 40
        assert np.array_equal(model.cluster_centers_[model.labels_], X)
