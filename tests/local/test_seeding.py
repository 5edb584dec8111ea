"""Where the centers start: draws by mass, greedy k-means++, rows at random."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import each_instruction_set, rows_of

from ckmeans._kernels import panels
from ckmeans.local import seeding
from ckmeans.local.oversampling import kmeans_parallel
from ckmeans.local.rows import Rows
from ckmeans.local.seeding import draw, kmeans_plusplus, random_rows
from ckmeans.workers import Workers

FAST = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
SEEDS = st.integers(0, 2**32 - 1)


class Fixed:
    """A generator whose uniform numbers are given."""

    def __init__(self, *values):
        self.values = values

    def uniform(self, size):
        return np.resize(self.values, size)


def close_to(counts, probabilities, n):
    """Whether counts of n draws are within five standard deviations of what is expected."""
    for key, p in probabilities.items():
        assert abs(counts[key] - n * p) <= 5 * (n * p * (1 - p)) ** 0.5 + 1e-9, (key, counts[key], n * p)
    assert sum(counts[key] for key in probabilities) == n


def test_draw_never_takes_a_row_without_mass():
    masses = np.cumsum([0, 0, 2.0, 0, 1.0, 0])
    assert draw(masses, Fixed(0.0, 0.5, 2 / 3, np.nextafter(1, 0)), 4).tolist() == [2, 2, 4, 4]
    assert draw(masses, Fixed(1.0), 1).tolist() == [4]  # rounding can reach the total
    drawn = Counter(draw(masses, np.random.default_rng(0), 3000).tolist())
    close_to(drawn, {2: 2 / 3, 4: 1 / 3}, 3000)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("solver", [kmeans_plusplus, kmeans_parallel])
@given(SEEDS, st.integers(1, 12))
@FAST
def test_as_many_distinct_centers_as_there_are_rows_with_weight(solver, dtype, seed, k):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (20, 2)).astype(dtype)
    weights = rng.integers(0, 2, 20)
    weights[0] = 1
    heavy = {tuple(x) for x, w in zip(X.tolist(), weights) if w}
    for generator in (rng, np.random.RandomState(seed)):
        centers = solver(rows_of(X, weights), k, generator)
        assert centers.shape == (k, 2) and centers.dtype == np.float64
        found = {tuple(c) for c in centers.tolist()}
        assert len(found) == min(k, len(heavy))
        assert found <= heavy if solver is kmeans_plusplus else k < len(heavy) or found == heavy


def test_kmeans_plusplus_draws_by_weighted_squared_distance_and_takes_the_best():
    """Two clusters: of the two candidates, the one is kept that leaves less."""
    x, weights, n = np.array([0.0, 1, 3, 7]), np.array([1.0, 2, 1, 0.5]), 4000
    expected = Counter()
    for first in range(4):
        p = weights * (x - x[first]) ** 2 / (weights * (x - x[first]) ** 2).sum()
        left = [(weights * np.minimum((x - x[first]) ** 2, (x - c) ** 2)).sum() for c in x]
        for a in range(4):
            for b in range(4):
                kept = a if left[a] <= left[b] else b
                expected[x[first], x[kept]] += weights[first] / weights.sum() * p[a] * p[b]
    rows, rng = rows_of(x[:, None], weights), np.random.default_rng(0)
    counts = Counter(tuple(kmeans_plusplus(rows, 2, rng).ravel().tolist()) for _ in range(n))
    close_to(counts, {pair: p for pair, p in expected.items() if p > 0}, n)


@given(SEEDS, st.integers(1, 12))
@FAST
def test_random_rows_are_drawn_without_replacement(seed, k):
    rng = np.random.default_rng(seed)
    X = rng.permutation(12)[:, None].astype(float)
    weights = rng.integers(0, 3, 12) * 1.5
    weights[3] = 1
    for w in (None, weights):
        for generator in (rng, np.random.RandomState(seed)):
            centers = random_rows(rows_of(X, w), k, generator)
            assert centers.shape == (k, 1) and len(set(centers.ravel())) == k
            heavy = set(X[:, 0] if w is None else X[w > 0, 0])
            assert len(heavy & set(centers.ravel())) == min(k, len(heavy))


EXTREME = [[1e80, 1e-300, 1e-300, 0, 0, 0], [1e80, 1e-300, 1e-300, 0, 0, 1e300], [1, 1e-308, 5e-324, 0, 0, 0]]


@pytest.mark.parametrize("weights", EXTREME)
@pytest.mark.parametrize("k", [1, 3, 4, 6])
def test_random_rows_with_weights_of_any_range(weights, k):
    centers = random_rows(rows_of(np.arange(6.0)[:, None], weights), k, np.random.RandomState(0))
    assert len(set(centers.ravel())) == k


instructions = each_instruction_set(panels)


def data(kind, dtype, n=3000, d=5, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + 6 * rng.integers(0, 3, (n, 1))
    if kind == "grid":
        X = rng.integers(0, 3, (n, d))
    if kind == "far":
        X += 1e6 if dtype == np.float32 else 1e12
    if kind == "tiny":
        X *= 1e-30 if dtype == np.float32 else 1e-160
    if kind == "huge":
        X *= 1e37 if dtype == np.float32 else 1e300
    if kind == "coarse":
        X[::50] *= 1e18 if dtype == np.float32 else 1e30
    return X.astype(dtype)


KINDS = ["blobs", "grid", "far", "tiny", "huge", "coarse"]


def pass_all(X, *others):
    rows = np.uint64(1) << np.arange(64, dtype=np.uint64)
    n_rows = panels.panel_rows(others[-2].dtype == np.float64)
    for p in range(len(others[-1])):
        others[-1][p] = rows[: min(n_rows, len(X) - p * n_rows)].sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_rows_passed_over_change_nothing(monkeypatch, kind, dtype, weighted):
    """The screen leaves out rows that gain nothing: without it, the same bits."""
    X = data(kind, dtype)
    weights = np.random.default_rng(1).integers(0, 4, len(X)) if weighted else None
    results, computed = [], []
    for screened in (True, False):
        if not screened:
            monkeypatch.setattr(seeding.panel_kernels, "screen", pass_all)
        rows = Rows(X, None if weights is None else weights.astype(float), Workers(1))
        results.append(
            [kmeans_plusplus(rows, 12, np.random.default_rng(s), t) for s in (0, 1) for t in (1, 5)]
        )
        computed.append(rows.n_distances)
        assert rows.n_distances + rows.n_spared == 2 * len(X) * (12 + 12 + 1 + 11 + 1 + 11 * 5)
    assert np.array_equal(results[0], results[1])
    assert computed[0] < computed[1] or kind == "coarse"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_seeds_by_every_instruction_set_and_number_of_threads(instructions, dtype):
    X = data("blobs", dtype, 30_001, 3)
    weights = np.random.default_rng(0).uniform(0, 2, len(X))
    expected = None
    for n_threads in (1, 3):
        for rows in (rows_of(X, weights, n_threads), Rows(X, weights, Workers(n_threads))):
            centers = kmeans_plusplus(rows, 20, np.random.default_rng(0))
            expected = centers if expected is None else expected
            assert centers.tobytes() == expected.tobytes()
    assert hashlib.sha256(expected).hexdigest() == SEEDS_OF.setdefault(
        dtype, hashlib.sha256(expected).hexdigest()
    )


SEEDS_OF = {}  # by the first instruction set


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(SEEDS, st.integers(2, 14), st.integers(2, 20))
@FAST
def test_gains_are_what_the_inertia_falls_by(dtype, seed, k, n_candidates):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(60, 3)).astype(dtype), rng.integers(0, 3, 60).astype(float)
    weights[0] = 1
    rows, candidates = rows_of(X, weights), X[rng.integers(60, size=n_candidates)].astype(float)
    distances, closest = rows.follow(4), np.full(60, np.inf)
    for center in X[rng.integers(60, size=k)].astype(float):
        distances.gains(center[None])
        distances.lower(center)
        closest = np.minimum(closest, ((X - center) ** 2).sum(axis=1))
        assert np.allclose(distances.closest, closest, rtol=1e-14)
        assert np.isclose(distances.masses.sum(), (weights * closest).sum(), rtol=1e-13)
    fall = [(weights * np.maximum(closest - ((X - c) ** 2).sum(axis=1), 0)).sum() for c in candidates]
    assert np.allclose(distances.gains(candidates), fall, rtol=1e-12, atol=1e-13)
