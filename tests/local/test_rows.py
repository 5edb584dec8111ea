"""What is done with all rows before the search: survey, panels."""

from fractions import Fraction

import numpy as np
import pytest
from problems import each_instruction_set, rows_of

from ckmeans._kernels import panels
from ckmeans.local import panels as panels_module
from ckmeans.local.directed import with_lengths
from ckmeans.local.partition import MOVED, Partition
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

DTYPES = [np.float32, np.float64]


instructions = each_instruction_set(panels)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("begin", DTYPES)
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 33])
def test_panels_hold_the_rows_with_one_rounding(monkeypatch, instructions, dtype, begin, d):
    monkeypatch.setattr(panels_module, "FIRST_DTYPE", begin)
    rng = np.random.default_rng(d)
    X = (1e4 + rng.normal(size=(100, d)) * 10.0 ** rng.integers(-3, 4, d)).astype(dtype)
    rows = rows_of(X)
    packed, reach = rows.panels._arrays
    values = packed.transpose(0, 2, 1).reshape(-1, d)
    exact = dtype if dtype == begin else np.float64
    expected = ((X.astype(exact) - rows.origin.astype(exact)) * exact(rows.panels.scale)).astype(begin)
    assert values.dtype == begin and np.array_equal(values[:100], expected)
    assert not values[100:].any()
    norms = np.zeros(len(values))
    norms[:100] = np.sqrt((expected.astype(np.float64) ** 2).sum(axis=1))
    norms = norms.reshape(len(reach), -1).max(axis=1)
    assert (reach >= norms).all() and (reach <= norms * 1.00001).all()


@pytest.mark.parametrize("values", [[-3e38, 3e38, 3e38, 3e38], [1e30, 1e30, 1e30, 1e30 + 1e23]])
def test_panels_of_extreme_rows(instructions, values):
    """Neither a difference beyond the range of float32, nor a large feature without spread beside a small one."""
    X = np.column_stack([np.resize(values, 64), np.resize([0.0, 1e-30], 64)]).astype(np.float32)
    for part in (X, X[:, :1], np.tile(X, 4), np.column_stack([np.full(64, 1e30, np.float32), X[:, 1]])):
        rows = rows_of(part)
        assert np.isfinite(rows.panels._arrays[0]).all() and np.isfinite(rows.panels._arrays[1]).all()
        assert 0.25 <= abs(rows.panels._arrays[0]).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 2, 3, 5, 8, 11, 16, 17, 31, 40, 784])
def test_survey(instructions, dtype, d):
    rng = np.random.default_rng(d)
    for n in (1, 2, 7, 16, 33, 300):
        X = rng.normal(size=(n + 2, d)).astype(dtype)
        total, low, high = rng.normal(size=(3, d))
        expected = total + X[1:-1].sum(axis=0, dtype=np.float64), low.copy(), high.copy()
        X[[0, -1]] = 1e9  # rows that are none of its business
        panels.column_extremes(X, 1, n + 1, total, low, high)
        assert np.allclose(total, expected[0], rtol=0, atol=1e-4 if dtype == np.float32 else 1e-11)
        assert np.array_equal(low, np.minimum(expected[1], X[1:-1].min(axis=0)))
        assert np.array_equal(high, np.maximum(expected[2], X[1:-1].max(axis=0)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 8, 17])
def test_sums_without_weights_are_those_with_ones(instructions, dtype, d):
    """Two kernels, one vectorized; more rows move than are listed at a time, from no cluster and then from one."""
    rng = np.random.default_rng(d)
    X = (rng.normal(size=(MOVED + 700, d)) * 10.0 ** rng.integers(-12, 3, (MOVED + 700, d))).astype(dtype)
    parts = []
    for weights in (None, np.ones(len(X))):
        rows = rows_of(X, weights)
        partition = Partition(rows, 5)
        for seed in range(3):
            centers = X[np.random.default_rng(seed).integers(len(X), size=5)].astype(float)
            rows.panels.assign(centers, partition)
            assert np.array_equal(rows.units[:-2], rows_of(X).units[:-2])
        parts.append((partition.labels, partition._total()))
    assert np.array_equal(parts[0][0], parts[1][0])
    assert np.array_equal(parts[0][1][:, :-1], parts[1][1][:, :-1])
    assert np.array_equal(parts[0][1][:, -1, 0], np.bincount(parts[0][0], minlength=5))
    exact = sum(map(Fraction, X[parts[0][0] == 2, 0].tolist())) * Fraction(rows.units[0])
    high, low = map(int, parts[0][1][2, 0])
    assert abs(high + Fraction(low) / Fraction(rows.units[-1]) - exact) * Fraction(rows.units[-1]) <= len(X)


# ---- threads that go through the iterations together ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_team_of_any_size_finds_the_same(dtype):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(20_000, 8)).astype(dtype)
    centers = X[:20].astype(np.float64)

    def run(n_threads, come):
        with Workers(n_threads) as workers:
            rows = Rows(X, None, workers)
            rows.panels.pack()
            share = workers.run
            workers.run = lambda kernel, blocks: share(kernel, blocks if come else blocks[:1])
            partition = Partition(rows, len(centers))
            steps = []
            found, fresh = centers, True
            for _ in range(3):
                found, n_iter, n_changed, _ = rows.panels.iterate(found, partition, 7, fresh)
                steps.append((n_iter, n_changed))
                found, fresh = partition.means(found)[0], False
            assert len(partition.idle) == min(n_threads, 6)
            return steps, found.tobytes(), partition.labels.tobytes(), rows.n_distances

    alone = run(1, True)
    assert alone[0][0][0] == 7
    for n_threads, come in ((2, True), (6, True), (6, False)):
        assert run(n_threads, come) == alone


def test_who_waits_for_a_leader_in_vain_goes():
    rows = Rows(np.random.default_rng(0).normal(size=(300, 2)), None, Workers(1))
    rows.panels.pack()
    partition, packed = Partition(rows, 3), rows.panels.packed_centers(np.zeros((3, 2)))
    board, total = np.zeros(panels.board(), np.int64), partition.sums[0].copy()
    team = panels.Team(partition.parts(), total, np.zeros(3), board, n_steps=5, enough=0, fresh=True)
    arrays = rows.X, rows.sample_weight, *rows.panels.arrays_or_empty()
    panels.iterate(*arrays, packed, partition.labels, partition.scratch(), team, leads=False)
    assert team.n_iter == team.n_changed == 0 and (partition.labels == -1).all()


def test_the_inertia_alone_has_the_bits_of_that_with_the_sums():
    """Four rows side by side, of numbers of rows that four divides or not, in one slab or several, and made as they are asked for."""
    rng = np.random.default_rng(0)
    for n, d, k in [(1, 3, 1), (2, 5, 2), (7, 1, 3), (64, 40, 5), (4099, 8, 4), (20_001, 40, 9)]:
        X, labels = rng.normal(size=(n, d)), rng.integers(k, size=n).astype(np.int32)
        centers = rng.normal(size=(k, d))
        for weights in (None, rng.integers(0, 3, n) + 0.5):
            for some in (X, X.astype(np.float32), with_lengths(X, Workers(1))):
                rows = Rows(some, weights, Workers(2))
                assert rows.cost(labels, centers) == rows.update(labels, centers)[2]
