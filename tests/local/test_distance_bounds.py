"""Bounds spare distances and change nothing else."""

from itertools import product

import numpy as np
import pytest
from problems import in_turn, numbers

from ckmeans import reference
from ckmeans._kernels import panels
from ckmeans.local import distance_bounds as bounds
from ckmeans.local import panels as panels_module
from ckmeans.local.lloyd import lloyd
from ckmeans.local.partition import Partition
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
ALGORITHMS = "lloyd", "hamerly", "yinyang", "auto"


def problem(kind, n, d):
    rng = np.random.default_rng(0)
    return {
        "blobs": lambda: rng.normal(size=(n, d)) + 4 * rng.integers(0, 4, (n, d)),
        "uniform": lambda: rng.uniform(size=(n, d)),
        "grid": lambda: rng.integers(0, 4, (n, d)).astype(float),  # ties, and rows on their centers
        "far": lambda: rng.normal(size=(n, d)) + 1000 * rng.integers(0, 2, (n, 1)),
        "offset": lambda: rng.uniform(size=(n, d)) + 1e5,
    }[kind]()


KINDS = "blobs", "uniform", "grid", "far", "offset"
SHAPES = [(1, 2), (2, 5), (3, 1), (6, 60), (7, 17), (33, 16), (50, 35)]
WAYS = [*product([False, True], [np.float64, np.float32])]


@pytest.mark.parametrize("kind, shape, weighted, dtype", in_turn(product(KINDS, SHAPES), WAYS))
def test_the_same_bits_with_and_without(monkeypatch, kind, shape, weighted, dtype):
    d, k = shape
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << 12)
    X = problem(kind, 1501, d).astype(dtype)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 3, len(X)).astype(float) if weighted else None
    start = X[rng.choice(len(X), k, replace=False)].astype(float)
    nudge = rng.normal(size=start.shape) / 50
    results = {}
    for algorithm in ALGORITHMS:
        with Workers(2) as workers:
            rows = Rows(X, weights, workers, algorithm=algorithm)
            rows.panels.pack()
            assert len(rows.panels.blocks(k)) > 1
            partition, centers, n_iter, reason = lloyd(rows, start)
            labels = partition.labels.copy()
            partition, moved, more, _ = lloyd(rows, centers + nudge, partition=partition)
        results[algorithm] = labels.tobytes(), centers.tobytes(), n_iter, reason, moved.tobytes(), more
        if algorithm == "lloyd":
            assert rows.n_spared == 0
    assert len(set(results.values())) == 1
    assert labels[:20].tolist() == reference.assign(numbers(X[:20]), numbers(centers))


@DTYPES
@pytest.mark.parametrize("algorithm", ["hamerly", "yinyang"])
@pytest.mark.parametrize("d, k", [(2, 5), (8, 40), (50, 100)])
def test_bounds_hold_and_spare_distances(monkeypatch, algorithm, dtype, d, k):
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << 12)
    X = problem("blobs", 3000, d).astype(dtype)
    centers = X[:k].astype(float)
    with Workers(2) as workers:
        rows = Rows(X, None, workers, algorithm=algorithm)
        rows.panels.pack()
        partition = Partition(rows, k)
        for _ in range(12):
            rows.panels.assign(centers, partition)
            kept, labels = partition.policy.bounds, partition.labels
            distances = np.sqrt(rows.distances(centers)) * rows.panels.scale
            own = distances[np.arange(len(X)), labels]
            distances[np.arange(len(X)), labels] = np.inf
            slack = 1e-12 * (1 + distances.min(axis=1))
            assert (kept.separation - kept.drift[labels] <= distances.min(axis=1) - own + slack).all()
            if kept.grouped:
                groups = np.split(distances[:, kept.center_at], kept.starts[1:], axis=1)
                least = np.column_stack([group.min(axis=1) for group in groups])
                assert (kept.group_lower_bounds[: len(X)] - kept.group_drift <= least + 1e-12).all()
            centers = partition.means(centers)[0]
    if algorithm == "yinyang" or d < 50:
        assert rows.n_spared > 0.05 * (rows.n_distances + rows.n_spared)


def test_every_group_holds_neighbours_and_every_center_once():
    centers = np.random.default_rng(0).normal(size=(53, 3))
    order = bounds.neighbours(centers, 16)
    assert sorted(order) == list(range(53))
    alone = sum(centers[order[i : i + 16]].var(axis=0).sum() for i in range(0, 53, 16))
    mixed = sum(centers[i : i + 16].var(axis=0).sum() for i in range(0, 53, 16))
    assert alone < 0.8 * mixed


@pytest.mark.parametrize("name", panels.instruction_sets())
@DTYPES
def test_every_instruction_set_gives_the_same_bits(name, dtype):
    X = problem("blobs", 4000, 19).astype(dtype)
    used = panels.instruction_sets()[-1]
    results = []
    try:
        for algorithm in ALGORITHMS:
            panels.use(name)
            with Workers(1) as workers:
                rows = Rows(X, None, workers, algorithm=algorithm)
                rows.panels.pack()
                partition, centers, n_iter, _ = lloyd(rows, X[:70].astype(float))
            results.append((partition.labels.tobytes(), centers.tobytes(), n_iter))
            panels.use(used)
            if algorithm == "lloyd":
                with Workers(1) as workers:
                    rows = Rows(X, None, workers, algorithm=algorithm)
                    rows.panels.pack()
                    partition, centers, n_iter, _ = lloyd(rows, X[:70].astype(float))
                results.append((partition.labels.tobytes(), centers.tobytes(), n_iter))
    finally:
        panels.use(used)
    assert len(set(results)) == 1


@DTYPES
def test_centers_far_away_and_bounds_worn_out_do_no_harm(monkeypatch, dtype):
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << 10)
    X = problem("uniform", 700, 3).astype(dtype)
    start = X[:20].astype(float)
    start[3] = 1e20
    results = set()
    for algorithm in ALGORITHMS:
        for long in (64.0, 0.05):
            monkeypatch.setattr(bounds, "LONG", long)
            with Workers(1) as workers:
                rows = Rows(X, None, workers, algorithm=algorithm)
                rows.panels.pack()
                partition, centers, n_iter, _ = lloyd(rows, start)
            results.add((partition.labels.tobytes(), centers.tobytes(), n_iter))
    assert len(results) == 1


@DTYPES
@pytest.mark.parametrize("algorithm", ["hamerly", "yinyang", "auto"])
def test_rows_that_move_are_added_up_where_the_last_of_a_block_stay(monkeypatch, algorithm, dtype):
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << 12)
    X = problem("uniform", 64 * 200, 2)
    X[np.arange(len(X)) % 1280 >= 640] += 50  # long runs that are settled at once
    X = X.astype(dtype)
    start = np.vstack([X[:7], X[640:641]]).astype(float)
    found = set()
    for name in ("lloyd", algorithm):
        with Workers(2) as workers:
            rows = Rows(X, None, workers, algorithm=name)
            rows.panels.pack()
            partition, centers, n_iter, _ = lloyd(rows, start)
        found.add((partition.labels.tobytes(), centers.tobytes(), n_iter))
    assert len(found) == 1
