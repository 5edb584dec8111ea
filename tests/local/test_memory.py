"""How much memory the search takes beside the data and the labels."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from ckmeans import KMeans
from ckmeans._kernels import panels as kernels
from ckmeans.local.lloyd import lloyd
from ckmeans.local.npy_file import affordable
from ckmeans.local.partition import Partition
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers, available_memory

N = 400_000


def blobs(dtype, d, k=16):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, d)).astype(dtype)
    X += rng.uniform(-4, 4, (k, d)).astype(dtype)[rng.integers(k, size=N)]
    return X


def extra(X, k=16, **parameters):
    """Most memory that fit took at a time beside X and labels_, in units of X, and the model."""
    model = KMeans(k, random_state=0, max_iter=5, n_threads=2, **parameters)
    tracemalloc.start()
    try:
        model.fit(X)
        return (tracemalloc.get_traced_memory()[1] - model.labels_.nbytes) / X.nbytes, model
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype, d", [(np.float32, 2), (np.float32, 8), (np.float64, 2), (np.float64, 8)])
def test_extra_memory(dtype, d):
    X = blobs(dtype, d)
    start = X[:16].astype(np.float64)
    few = kernels.panel_rows(False) < 16  # a bound of the norms is kept for so many rows
    assert extra(X, init=start, polish=False, algorithm="lloyd")[0] < (1.25 if few else 1.2)
    assert extra(X, init=start, polish=False)[0] < 1.6
    assert extra(X, n_init=1, polish=False)[0] < 1.6
    if d == 8:
        assert extra(X, init=start, polish=False, algorithm="hamerly")[0] < 1.6


@pytest.mark.parametrize("d", [1, 2, 8])
def test_cells_take_a_copy_in_single_precision_and_some_bytes_a_row(d):
    X = blobs(np.float64, d)
    taken = extra(X, init=X[:16], polish=False, algorithm="cells")[0] * X.nbytes / N
    assert 4 * d + 8 < taken < 4 * d + 16


def test_bounds_of_groups_take_the_place_of_panels():
    X = np.random.default_rng(1).normal(size=(100_000, 48)).astype(np.float32)
    taken = extra(X, k=600, init=X[:600], polish=False, algorithm="yinyang")[0]
    assert 0.8 < taken < 1.5  # 38 groups: 38 / 48 of X; panels would be as much as X besides


@pytest.mark.parametrize("polish", [False, True])
def test_mapped_files_are_not_copied(tmp_path, polish):
    X = blobs(np.float32, 8)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert affordable(X) and not affordable(np.asarray(mapped)[5:]) and affordable(mapped[:100])
    taken, model = extra(mapped, init=X[:16].astype(np.float64), polish=polish)
    assert taken < (0.5 if polish else 0.2)
    expected = KMeans(16, init=X[:16], max_iter=5, polish=polish).fit(X)
    assert np.array_equal(model.labels_, expected.labels_)
    assert model.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()


def test_memory_that_is_free(monkeypatch):
    assert available_memory() > 2**26
    X = np.lib.stride_tricks.as_strided(np.zeros(1), (2**28, 1), (0, 0))
    monkeypatch.setattr("ckmeans.local.npy_file.available_memory", lambda: 3 * X.nbytes)
    assert affordable(X)
    monkeypatch.setattr("ckmeans.local.npy_file.available_memory", lambda: 3 * X.nbytes // 2)
    assert not affordable(X)
    rows = Rows(np.ones((10, 1)), None, Workers(1))
    rows.panels.pack()
    assert rows.panels._arrays is not None
    rows.panels.drop()
    assert rows.panels._arrays is None


def test_rows_and_panels_are_gone_with_their_last_name():
    """No circle keeps them until the garbage collector comes by, which sees few objects, however large they are."""
    gc.disable()
    try:
        rows = Rows(np.random.default_rng(0).normal(size=(500, 3)), None, Workers(1))
        rows.panels.pack()
        partition = Partition(rows, 4)
        lloyd(rows, rows.take(range(4)), partition=partition)
        gone = [weakref.ref(each) for each in (rows, rows.panels, rows.panels._arrays[0], partition)]
        del rows, partition
        assert [each() for each in gone] == [None] * 4
    finally:
        gc.enable()
