"""Panels in single precision for all data, and in double where that tells too few rows: the labels are the same."""

import numpy as np
import pytest
from problems import each_instruction_set, near_ties, numbers

from ckmeans import KMeans, reference
from ckmeans._kernels import panels
from ckmeans.local import panels as panels_module
from ckmeans.local import screen8, seeding
from ckmeans.local.lloyd import lloyd
from ckmeans.local.partition import Partition
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)


instructions = each_instruction_set(panels)


def problem(kind, n, d):
    rng = np.random.default_rng(d)
    return {
        "blobs": lambda: rng.normal(size=(n, d)) + 4 * rng.integers(0, 4, (n, d)),
        "offset": lambda: rng.normal(size=(n, d)) + 1e8,
        "grid": lambda: rng.integers(0, 4, (n, d)).astype(float),
        "far": lambda: rng.normal(size=(n, d)) + 1e5 * rng.choice([-1, 1], (n, 1)),
        "near copies": lambda: rng.normal(size=(n, d)) * 1e-9 + rng.integers(0, 4, (n, 1)),
        "one far": lambda: np.vstack([rng.normal(size=(n - 1, d)), np.full((1, d), 1e9)]),
        "huge": lambda: rng.normal(size=(n, d)) * 1e290,
        "tiny": lambda: rng.normal(size=(n, d)) * 1e-290,
    }[kind]()


KINDS = ["blobs", "offset", "grid", "far", "near copies", "one far", "huge", "tiny"]


def search(X, start, weights, algorithm, n_threads=2, packed=True):
    """All that a run of Lloyd's iteration finds, from its bits, and the rows."""
    with Workers(n_threads) as workers:
        rows = Rows(X, weights, workers, algorithm=algorithm)
        if packed:
            rows.panels.pack()
        partition, centers, n_iter, reason = lloyd(rows, rows.scale(start), 25)
        inertia = rows.update(partition.labels, centers)[2]
    return (partition.labels.tobytes(), centers.tobytes(), n_iter, reason, inertia), rows


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d, k", [(1, 2), (2, 5), (3, 9), (4, 30), (11, 17), (50, 35)])
def test_the_same_bits_as_in_double(monkeypatch, dtype, kind, d, k):
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << 12)
    with np.errstate(over="ignore", under="ignore"):
        X = problem(kind, 1300, d).astype(dtype)
    if not np.isfinite(X).all() or not X.any():
        return
    rng = np.random.default_rng(1)
    start = X[rng.choice(len(X), k, replace=False)].astype(float)
    for weights in (None, rng.integers(0, 3, len(X)).astype(float)):
        found = set()
        for begin in (np.float32, np.float64):
            monkeypatch.setattr(panels_module, "FIRST_DTYPE", begin)
            for algorithm in ("lloyd", "hamerly", "yinyang", "cells", "auto"):
                result, rows = search(X, start, weights, algorithm)
                found.add(result)
                assert begin == np.float32 or rows.panels.dtype == np.float64
            found.add(search(X, start, weights, "lloyd", packed=False)[0])
        assert len(found) == 1


@DTYPES
@pytest.mark.parametrize("begin", [np.float32, np.float64])
@pytest.mark.parametrize("packed", [False, True])
def test_labels_of_every_mixture(monkeypatch, instructions, dtype, begin, packed):
    """Rows and centers around whole panels and tiles, near ties among them, against exact fractions."""
    monkeypatch.setattr(panels_module, "FIRST_DTYPE", begin)
    rng = np.random.default_rng(0)
    for n, d, k in [(1, 1, 1), (7, 2, 3), (64, 3, 4), (65, 4, 5), (129, 5, 8), (31, 16, 9), (33, 17, 33)]:
        for offset in (0.0, 1e4):
            X, centers = near_ties(rng, n, d, k, dtype, offset)
            rows = Rows(X, None, Workers(1), compared_with=centers)
            assert rows.panels.dtype == begin
            some = rng.integers(n, size=8)
            if packed:
                rows.panels.pack()
            labels = rows.panels.assign(centers)
            assert labels[some].tolist() == reference.assign(numbers(X[some]), numbers(centers))


@DTYPES
@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly", "auto"])
@pytest.mark.parametrize("few", [False, True])
def test_groups_far_apart_go_on_in_double(monkeypatch, instructions, dtype, algorithm, few):
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << (24 if few else 12))
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(3000, 5)) + 1000 * rng.choice([-1, 1], (3000, 1))).astype(dtype)
    start = X[:12].astype(float)
    expected, work = None, set()
    for n_threads in (1, 2, 5):
        with Workers(n_threads) as workers:
            rows = Rows(X, None, workers, algorithm=algorithm)
            rows.panels.pack()
            partition = Partition(rows, 12)
            assert rows.panels.dtype == np.float32
            centers = rows.panels.iterate(start, partition, 3, True)[0]
            assert rows.n_recomputed > 0.5 * rows.n_labelled and rows.panels.dtype == np.float32
            before = rows.n_recomputed
            for _ in range(4):  # the buffers of the threads, and bounds, change too
                rows.panels.assign(centers, partition)
                centers = partition.means(centers)[0]
            assert rows.panels.dtype == rows.panels.arrays_or_empty()[0].dtype == np.float64
            assert partition.scratch().scores.dtype == np.float64
            assert rows.n_recomputed - before < 0.01 * len(X)
            work.add((rows.n_distances, rows.n_recomputed, rows.n_labelled, rows.n_spared))
        found = partition.labels.tobytes(), centers.tobytes()
        expected = expected or found
        assert found == expected
    assert len(work) == 1


@DTYPES
@pytest.mark.parametrize("begin", [np.float32, np.float64])
@pytest.mark.parametrize("blocks, more", [(1, -1), (1, 0), (1, 1), (2, 0), (2, 1), (3, -1)])
def test_features_in_blocks(monkeypatch, instructions, dtype, begin, blocks, more):
    """Around whole blocks of features and whole sheets of tiles; with whole numbers, squared distances are exact in double."""
    monkeypatch.setattr(panels_module, "FIRST_DTYPE", begin)
    rng = np.random.default_rng(0)
    d = blocks * panels.block_features() + more
    for k in (1, 5, 32 * panels.tile_centers() + 3):
        X = rng.integers(-3, 4, (67, d)).astype(dtype)
        centers = rng.integers(-3, 4, (k, d)).astype(float)
        centers[k // 2] = centers[0]
        X[3] = centers[-1]
        rows = Rows(X, None, Workers(1), compared_with=centers)
        sq_distances = (
            (X.astype(float) ** 2).sum(axis=1)[:, None] + (centers**2).sum(axis=1) - 2 * X @ centers.T
        )
        expected = sq_distances.argmin(axis=1)
        for packed in (False, True):
            if packed:
                rows.panels.pack()
            assert np.array_equal(rows.panels.assign(centers), expected)
        apart = np.diff(np.sort(sq_distances, axis=1)[:, :2]) if k > 1 else np.full(1, np.inf)
        assert rows.n_recomputed <= 2 * (apart < 0.01 * d).sum()


def test_few_rows_of_many_features_are_in_doubt(monkeypatch, instructions):
    """0.13 % of them; it was 0.98 % where the features were added up in one go, and 6.7 times as much was thought lost."""
    monkeypatch.setattr(screen8.Screen, "suits", lambda *_: False)
    X = np.random.default_rng(0).normal(size=(5000, 784)).astype(np.float32)
    rows = Rows(X, None, Workers(1), algorithm="lloyd")
    rows.panels.assign(X[:30].astype(float))
    assert rows.n_labelled == len(X) and rows.n_recomputed < 0.004 * len(X)


def test_ties_are_no_reason_to_go_on_in_double():
    X = np.random.default_rng(0).integers(0, 4, (2000, 2)).astype(float)
    rows = Rows(X, None, Workers(1))
    rows.panels.pack()
    centers = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    rows.panels.assign(centers)
    assert rows.n_recomputed > 0.2 * len(X)
    rows.panels.assign(centers)
    assert rows.panels.dtype == np.float32


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("many", [False, True])
def test_the_same_seeds_as_in_double(monkeypatch, dtype, kind, many):
    if many:
        monkeypatch.setattr(seeding, "MANY", 1)
    with np.errstate(over="ignore", under="ignore"):
        X = problem(kind, 3000, 2).astype(dtype)
    if not np.isfinite(X).all() or not X.any():
        return
    found = set()
    for begin in (np.float32, np.float64):
        monkeypatch.setattr(panels_module, "FIRST_DTYPE", begin)
        rows = Rows(X, None, Workers(1))
        found.add(seeding.kmeans_plusplus(rows, 12, np.random.default_rng(0)).tobytes())
    assert len(found) == 1
    assert not many or rows.panels._arrays is None


@DTYPES
def test_models_are_the_same(monkeypatch, dtype):
    X = problem("far", 20_000, 6).astype(dtype)
    found = set()
    for begin in (np.float32, np.float64):
        monkeypatch.setattr(panels_module, "FIRST_DTYPE", begin)
        model = KMeans(9, random_state=0, n_init=2, n_threads=2).fit(X)
        found.add((model.labels_.tobytes(), model.cluster_centers_.tobytes(), model.inertia_, model.n_iter_))
        assert np.array_equal(model.predict(X), model.labels_)
    assert len(found) == 1


@DTYPES
@pytest.mark.parametrize("packed", [False, True])
def test_some_rows_tell_beforehand(dtype, packed):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(6000, 3)) + 1000 * rng.choice([-1, 1], (6000, 1))).astype(dtype)
    centers = X[:9].astype(float)
    rows = Rows(X, None, Workers(1))
    if packed:
        rows.panels.pack()
    labels = rows.panels.assign(centers)
    assert rows.panels.dtype == np.float64 and rows.n_recomputed < 0.01 * len(X)
    few = Rows(X[:1000], None, Workers(1))
    assert np.array_equal(few.panels.assign(centers), labels[:1000])
    assert few.panels.dtype == np.float32 and few.n_recomputed > 0.5 * 1000
    near = Rows(rng.normal(size=(6000, 3)).astype(dtype), None, Workers(1))
    near.panels.pack()
    near.panels.assign(near.take(range(9)))
    assert near.panels.dtype == np.float32
