"""Hartigan's exchange: where it ends, no row can move and lower the inertia; in exact arithmetic."""

from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import each_instruction_set, exact_cost, exact_grid, exact_inertia, numbers, rows_of

from ckmeans import KMeans, reference
from ckmeans._kernels import exchange as kernels
from ckmeans.local.exchange import polish
from ckmeans.local.lloyd import lloyd

FAST = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
SEEDS = st.integers(0, 2**32 - 1)


instructions = each_instruction_set(kernels)


def best_exchange(X, labels, k, weights=None):
    """Most that moving one row to another cluster lowers the exact cost (negative: it can only rise)."""
    labels, cost = np.asarray(labels).tolist(), exact_cost(X, labels, weights)
    others = [
        labels[:i] + [new] + labels[i + 1 :] for i in range(len(X)) for new in range(k) if new != labels[i]
    ]
    return max((cost - exact_cost(X, other, weights) for other in others), default=0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("weighted", [False, True])
@given(SEEDS, st.integers(1, 9), st.integers(1, 3), st.integers(1, 4))
@FAST
def test_no_exchange_improves_and_lloyd_stays(dtype, weighted, seed, n, d, k):
    n = min(n, 6) if weighted and dtype == np.float32 else n
    k = min(k, n)
    X, weights, start = exact_grid(np.random.default_rng(seed), n, d, k, dtype, weighted, top=4)
    model = KMeans(k, init=start, n_init=1).fit(X, sample_weight=weights)
    labels = model.labels_.tolist()
    assert best_exchange(X, labels, k, weights) <= 0
    assert reference.assign(numbers(X), numbers(model.cluster_centers_)) == labels
    means = reference.update(numbers(X), labels, k, numbers(weights))
    assert all(m is None or m == c for m, c in zip(means, numbers(model.cluster_centers_)))
    start_cost = exact_inertia(X, reference.assign(numbers(X), numbers(start)), start, weights)
    assert exact_cost(X, labels, weights) <= start_cost


@pytest.mark.parametrize("offset", [0, 1e6])
@given(SEEDS)
@settings(FAST, max_examples=5)
def test_no_exchange_improves_on_reals(offset, seed):
    X = np.random.default_rng(seed).normal(size=(24, 2)) + offset
    model = KMeans(3, init=X[:3], n_init=1).fit(X)
    gain = best_exchange(X, model.labels_, 3)
    assert float(gain) <= 1e-9 * model.inertia_


def test_a_lloyd_fixed_point_that_exchange_leaves():
    """Telgarsky & Vattani (2010): rows 0, 2 and 3 in clusters {0, 2}, {3} stay under Lloyd; {0}, {2, 3} is better."""
    X = np.array([[0.0], [2.0], [3.0]])
    start = np.array([[1.0], [3.0]])
    assert KMeans(2, init=start, polish=False).fit(X).labels_.tolist() == [0, 0, 1]
    model = KMeans(2, init=start).fit(X)
    assert model.labels_.tolist() == [0, 1, 1]
    assert model.inertia_ == 0.5


def test_an_exchange_that_gains_nothing_is_not_made():
    """{0, 2}, {4} and {0}, {2, 4} cost the same."""
    X, start = np.array([[0.0], [2.0], [4.0]]), np.array([[1.0], [4.0]])
    models = [KMeans(2, init=start, polish=polish).fit(X) for polish in (False, True)]
    assert [model.labels_.tolist() for model in models] == [[0, 0, 1]] * 2
    assert models[0].n_iter_ == models[1].n_iter_


def _follow(followed, centers, labels):
    followed["last"] = centers


def test_polish_never_raises():
    X = np.random.default_rng(0).normal(size=(400, 2))
    rows = rows_of(X)
    worse = 0
    for seed in range(10):
        start = X[np.random.default_rng(seed).choice(400, 8, replace=False)]
        partition, centers, _, _ = lloyd(rows, start)
        before = rows.update(partition.labels, centers)[2]
        followed = {}
        partition, centers, _ = polish(rows, partition, centers, partial(_follow, followed))
        after = rows.update(partition.labels, centers)[2]
        assert after <= before
        assert np.array_equal(rows.panels.assign(centers), partition.labels)
        assert not followed or np.array_equal(followed["last"], centers)
        worse += after < before
    assert worse >= 3  # it does find something


def test_exchange_below_the_rounding_of_the_inertia():
    """The polished three rows beside two rows that are 2**31 apart and share a cluster."""
    X = np.array([[0, 0], [2, 0], [3, 0], [2.0**30, 2.0**32], [-(2.0**30), 2.0**32]])
    model = KMeans(3, init=[[1, 0], [3, 0], [0, 2.0**32]]).fit(X)
    assert best_exchange(X, model.labels_, 3) <= 0
    assert model.labels_.tolist() == [0, 1, 1, 2, 2]


def test_the_clock_is_looked_at_between_the_rows_that_may_move(monkeypatch):
    """With many clusters and features a pass over them takes long: Ctrl-C and time limits act in between, the result is the same."""
    X = np.random.default_rng(0).normal(size=(400, 3))
    rows, looks = rows_of(X), []

    def polished():
        looks.clear()
        partition, centers, _ = polish(rows, *lloyd(rows, X[:9].copy())[:2])
        return partition.labels.tolist(), centers.tolist(), len(looks)

    monkeypatch.setattr(rows.workers, "check_time", lambda: looks.append(0))
    *whole, n_looks = polished()
    monkeypatch.setattr("ckmeans.local.exchange.MOVES_WORK", 1)
    *parts, n_more = polished()
    assert parts == whole and n_more > n_looks


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("d", [1, 7, 30])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 33])
def test_scan_in_vectors_is_the_loop(instructions, dtype, weighted, d, k):
    """Whole, half and no vectors of centers; parts of the rows that are no whole number of rows abreast."""
    rng = np.random.default_rng(k)
    X = rng.normal(size=(50, d)).astype(dtype)
    weights = rng.uniform(0, 2, 50) * (rng.uniform(size=50) < 0.8) if weighted else np.empty(0)
    labels = np.append(np.arange(k), rng.integers(0, k, 50 - k)).astype(np.int32)
    masses = np.bincount(labels, weights if weighted else None, k).astype(float)
    means = rng.normal(size=(k, d)) / 4
    rows = rng.permutation(50)[:43]
    moves, scratch = np.full(43, 7, np.uint8), np.empty((kernels.abreast(), d + k))
    for start, stop in [(0, 1), (1, 7), (7, 15), (15, 42)]:
        kernels.scan(
            X, weights, rows, labels, np.ascontiguousarray(means.T), masses, start, stop, scratch, moves
        )
    assert moves[42] == 7
    for row, move in zip(rows[:42], moves):
        sq_distances, weight = np.zeros(k), weights[row] if weighted else 1.0
        for f in range(d):
            sq_distances += (float(X[row, f]) - means[:, f]) ** 2
        own, rest = labels[row], masses[labels[row]] - weight
        lost = sq_distances[own] * (masses[own] / rest) * (1 - 1e-11) if weight > 0 and rest > 0 else 0.0
        costs = np.delete(sq_distances * (masses / (masses + weight)) if weight > 0 else sq_distances, own)
        assert move == (costs < lost).any()
