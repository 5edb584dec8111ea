"""The bits of one array, for any blocks: of files, callables, Dask arrays and frames, on one to four processes of a cluster."""

from itertools import pairwise

import numpy as np
import pytest
from chunkings import CUTS, KINDS, WEIGHTS, array, assert_the_same, lengths, model

import ckmeans.blocks.sources
import ckmeans.local.rows

pytestmark = pytest.mark.filterwarnings("ignore:max_iter=4")  # which was asked for


@pytest.fixture(autouse=True)
def tiny_parts(monkeypatch):
    """Many slabs, and many parts, of few rows."""
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 13)
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 14)


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("dtype, weighted", [kind for kinds in KINDS for kind in kinds])
def test_callables_and_files(tmp_path, name, dtype, weighted):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows, weights, expected = array(dtype, weighted)
    blocks, own = np.split(rows, CUTS[name]), np.split(WEIGHTS, CUTS[name])
    for number, (block, w) in enumerate(zip(blocks, own)):
        np.save(tmp_path / f"{number:02}.npy", block)
        pq.write_table(
            pa.table({"a": block[:, 0], "w": w, "b": block[:, 1], "c": block[:, 2]}),
            tmp_path / f"{number:02}.parquet",
            row_group_size=300,
        )
    for n_threads, source in enumerate((lambda: blocks, sorted(tmp_path.glob("*.npy"))), 1):
        found = model().set_params(n_threads=n_threads).fit(source, sample_weight=weights)
        assert_the_same(found, np.asarray(found.labels_), expected)
    if weighted:  # else the column of weights is a feature
        found = model().fit(sorted(tmp_path.glob("*.parquet")), sample_weight="w")
        assert_the_same(found, np.asarray(found.labels_), expected)


@pytest.fixture(scope="module")
def cluster():
    """A cluster of processes on this machine."""
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "spawn"}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as found,
        distributed.Client(found) as client,
    ):
        yield found, client


@pytest.mark.parametrize("n_workers", [1, 2, 3, 4])
def test_workers(cluster, monkeypatch, n_workers):
    dask, da, dd, pd = map(pytest.importorskip, ("dask", "dask.array", "dask.dataframe", "pandas"))
    dask_blocks = pytest.importorskip("ckmeans.blocks.dask_blocks")
    monkeypatch.setattr(dask_blocks, "PART_BYTES", 1 << 14)
    processes, client = cluster
    processes.scale(n_workers)
    client.wait_for_workers(n_workers)
    clusterings = {kind: array(*kind) for kinds in KINDS for kind in kinds}
    for number, cuts in enumerate(CUTS.values()):
        for kind in KINDS[(number + n_workers) % 2]:
            rows, weights, expected = clusterings[kind]
            lazy = da.from_array(rows, chunks=(lengths(cuts), 3))
            found = model().fit(lazy, sample_weight=weights)
            assert found.labels_.chunks == (lengths(cuts),)
            assert_the_same(found, found.labels_.compute(), expected)
        frame, weighted = pd.DataFrame(rows, columns=list("abc")).assign(w=WEIGHTS), kind[1]
        frames = [dask.delayed(frame[start:stop]) for start, stop in pairwise([0, *cuts, len(rows)])]
        table = dd.from_delayed(frames, meta=frame[:0])  # of unknown lengths
        given = table if weighted else table[["a", "b", "c"]]
        found = model().fit(given, sample_weight="w" if weighted else None)
        assert_the_same(found, found.labels_.compute().to_numpy(), expected)
