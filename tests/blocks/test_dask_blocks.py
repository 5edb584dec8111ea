"""Dask arrays and frames: the bits of one array, lazy labels, and workers that die."""

import os
import sys
from concurrent.futures import CancelledError
from threading import Event

import numpy as np
import pytest

import ckmeans.blocks.sources
import ckmeans.local.rows
from ckmeans import KMeans, certify
from ckmeans.blocks.parts import ChangedError
from ckmeans.proofs import certification, row_batches
from ckmeans.workers import Expired

dask = pytest.importorskip("dask")
da, dd = pytest.importorskip("dask.array"), pytest.importorskip("dask.dataframe")
pd = pytest.importorskip("pandas")
dask_blocks = pytest.importorskip("ckmeans.blocks.dask_blocks")

K = 5


@pytest.fixture(autouse=True)
def tiny_parts(monkeypatch):
    """Many slabs, and many parts, of few rows."""
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 13)
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 14)
    monkeypatch.setattr(dask_blocks, "PART_BYTES", 1 << 14)


def blobs(dtype=np.float64, n=5200):
    rng = np.random.default_rng(0)
    return (rng.normal(size=(n, 3)) + rng.uniform(-4, 4, (K, 3))[rng.integers(K, size=n)]).astype(dtype)


X = blobs()
WEIGHTS = np.random.default_rng(1).uniform(size=len(X))


def frame(dtype=np.float64):
    table = pd.DataFrame(X.astype(dtype), columns=list("abc")).assign(w=WEIGHTS)
    return dd.from_pandas(table.set_index(np.arange(len(X)) * 10), npartitions=4)


def model(**options):
    return KMeans(K, random_state=3, **options)


def assert_the_same(found, expected):
    assert np.array_equal(np.asarray(found.labels_), expected.labels_)
    assert found.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    for name in ("inertia_", "n_iter_", "n_restarts_", "stop_reason_", "status_"):
        assert getattr(found, name) == getattr(expected, name), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "options", [{"init": X[:K]}, {}, {"init": "k-means||", "n_init": 1}], ids=["given", "default", "||"]
)
def test_arrays(options, dtype):
    rows = X.astype(dtype)
    chunks = ((1, 0, 1, 2498, 2700), (1, 2))
    for weights, lazy in ((None, None), (WEIGHTS, da.from_array(WEIGHTS, chunks=1000))):
        expected = model(**options).fit(rows, sample_weight=weights)
        lazy_rows = da.from_array(rows, chunks=chunks)
        found = model(**options).fit(lazy_rows, sample_weight=lazy)
        assert_the_same(found, expected)
        assert isinstance(found.labels_, da.Array) and found.labels_.chunks == chunks[:1]
        assert found.labels_.dtype == np.int32
        predicted, distances = found.predict(lazy_rows), found.transform(lazy_rows)
        assert isinstance(predicted, da.Array) and np.array_equal(predicted.compute(), expected.labels_)
        assert distances.compute().tobytes() == expected.transform(rows).tobytes()
        assert found.score(lazy_rows, sample_weight=lazy) == -found.inertia_


def test_frames_of_unknown_length():
    expected = model(init=X[:K]).fit(X, sample_weight=WEIGHTS)
    table = frame()
    for rows, weights in (
        (table, "w"),
        (table[["a", "b", "c"]], table["w"]),
        (table[["a", "b", "c"]].to_dask_array(), WEIGHTS),
        (table[["a", "b", "c"]].to_dask_array(), table["w"].to_dask_array()),
    ):
        found = model(init=X[:K]).fit(rows, sample_weight=weights)
        assert_the_same(found, expected)
    found = model(init=X[:K]).fit(table, sample_weight="w")
    assert found.feature_names_in_.tolist() == ["a", "b", "c"]
    labels = found.labels_.compute()
    assert labels.index.equals(table.index.compute()) and labels.dtype == np.int32
    assert found.transform(table[["a", "b", "c"]]).compute().columns.tolist() == [
        f"kmeans{k}" for k in range(K)
    ]
    assert_the_same(model().fit(frame(np.float32)[["a", "b", "c"]]), model().fit(X.astype(np.float32)))


def test_refused():
    bad = X.copy()
    bad[4321, 1] = np.nan
    with pytest.raises(
        ValueError, match=r"contains NaN .* in 1 of 5200 rows: 4321 \(the first is row 121 of block 14\)\."
    ):
        model().fit(da.from_array(bad, chunks=(300, 3)))
    with pytest.raises(ValueError, match="column 'name' holds .*, not numbers"):
        model().fit(frame().assign(name="x"))
    with pytest.raises(ValueError, match="sample_weight='v' is no column of X, which has 'a', 'b', 'c', 'w'"):
        model().fit(frame(), sample_weight="v")
    with pytest.raises(ValueError, match="sample_weight='v' is no column of X, which is no frame"):
        model().fit(da.from_array(X), sample_weight="v")
    with pytest.raises(ValueError, match=r"sample_weight\[7\] is -1.0"):
        model().fit(
            da.from_array(X), sample_weight=da.from_array(np.where(np.arange(len(X)) == 7, -1.0, 1.0))
        )
    with pytest.raises(ValueError, match="sample_weight has 4 blocks, X has 3"):
        model().fit(da.from_array(X, chunks=(2000, 3)), sample_weight=frame()["w"])


def test_blocks_that_are_not_as_they_were():
    """Seen by whoever has them, before anything is made of them."""
    with pytest.raises(ValueError, match="block 4 has 3 rows and 2 weights"):
        dask_blocks._description(np.ones((3, 2)), np.ones(2), 4)
    for stop, whole in ((2, True), (4, True), (4, False)):
        with pytest.raises(ChangedError, match="block 4 has 3 rows, and had others before"):
            dask_blocks._piece(np.ones((3, 2)), None, 0, stop, whole, 4)
    with pytest.raises(ValueError, match="X has 0 rows in all of its blocks"):
        model().fit(da.from_array(np.empty((0, 3))))


def test_few_rows_are_gathered_to_be_certified():
    """With the centers, where the labels of the model are as lazy as the rows."""
    some = da.from_array(X[:200], chunks=(60, 3))
    own = model().fit(some)
    found, expected = (
        certify(some, own, time_limit=0),
        certify(X[:200], centers=own.cluster_centers_, time_limit=0),
    )
    assert found.exact_inertia == expected.exact_inertia and np.array_equal(found.labels, expected.labels)


def test_without_distributed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert dask_blocks._client() is None


def ask_or_die(question, times, before=dask_blocks._ask):
    """Ends the process that is asked this question for the time of this number; `mark` + a number tells that it was asked."""
    mark = os.environ["CKMEANS_MARK"]

    def ask(place, own, common, data):
        if common[1].__name__ == question and place[1] == 0:
            n = len([name for name in os.listdir(mark)])
            open(os.path.join(mark, str(n)), "w").close()
            if n == times:
                os._exit(9)
        return before(place, own, common, data)

    return ask


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two processes on this machine: it takes some seconds to begin them."""
    distributed = pytest.importorskip("distributed")
    cloudpickle = pytest.importorskip("cloudpickle")
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    mark = tmp_path_factory.mktemp("mark")
    with (
        pytest.MonkeyPatch.context() as patch,
        dask.config.set({"distributed.worker.multiprocessing-method": "spawn"}),
    ):
        patch.setenv("CKMEANS_MARK", str(mark))
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(**options) as found, distributed.Client(found):
            yield mark
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_a_process_that_dies(cluster, monkeypatch):
    """`python -m benchmarks.blocks_campaign` kills more of them, at other moments."""
    expected = model(init=X[:K], polish=False).fit(X)
    monkeypatch.setattr(dask_blocks, "_ask", ask_or_die("step", 3))
    found = model(init=X[:K], polish=False).fit(da.from_array(X, chunks=(1000, 3)))
    assert_the_same(found, expected)
    assert len(list(cluster.iterdir())) > 4  # asked once more than it has died


@pytest.mark.parametrize("n_threads", [1, 1000])
def test_large_questions_and_many_parts(monkeypatch, n_threads):
    """A question may be a task of its own, and answers may be added up in tasks."""
    expected = model(init=X[:K], polish=False).fit(X)
    monkeypatch.setattr(dask_blocks, "SMALL", 0)
    monkeypatch.setattr(dask_blocks, "BRANCHES", 2)
    monkeypatch.setattr(dask_blocks.DaskBlocks, "_n_threads", lambda self: n_threads)
    assert_the_same(model(init=X[:K], polish=False).fit(da.from_array(X, chunks=(500, 3))), expected)


def test_rows_that_are_not_kept(cluster, monkeypatch):
    """They are computed again in each pass, and of those that are asked for alone."""
    monkeypatch.setattr(dask_blocks, "KEPT", 0)
    assert_the_same(model().fit(da.from_array(X, chunks=(700, 3)) + 0.0), model().fit(X))


@pytest.mark.parametrize("left, kept, room", [(10**6, True, 350_000), (10**4, False, 7500), (0, False, 0)])
def test_workers_of_little_memory(cluster, monkeypatch, left, kept, room):
    """Parts are as small as the smallest worker needs; rows that all of them cannot keep are computed in each pass."""
    lazy, made = da.from_array(X, chunks=(100, 3)) + 0.0, []
    source = dask_blocks.DaskBlocks(lazy)
    monkeypatch.setattr(source, "_memory_left", lambda: [(left, 2), (10 * left, 1)])
    monkeypatch.setattr(dask, "persist", lambda *data: made.append(data) or data)
    source.cut(100, 100)
    assert bool(made) == kept and source.room.get("of_rows", 1) == kept
    assert source.room["room"] == pytest.approx(room)
    assert max(stop - start for start, stop in source.bounds) * 24 <= 2 * max(left / 64, 2400)
    assert source.bounds[0][0] == 0 and source.bounds[-1][1] == len(X)


def test_what_workers_may_still_take(cluster):
    """Less what they have; none of them has a limit of 0."""
    source = dask_blocks.DaskBlocks(da.ones((1000, 2)))
    before = source._memory_left()
    rows = da.random.random((1_000_000, 2), chunks=(500_000, 2)).persist()
    pytest.importorskip("distributed").wait(rows)
    after = source._memory_left()
    assert [n_threads for _, n_threads in after] == [n_threads for _, n_threads in before]
    assert sum(some for some, _ in before) - sum(some for some, _ in after) == 16_000_000


def test_certify_on_a_cluster(cluster, monkeypatch, tmp_path):
    monkeypatch.setattr(row_batches, "BATCH", 1000)
    monkeypatch.setattr(row_batches, "BATCH_OF", 1)
    monkeypatch.setattr(certification, "MOST_GATHERED", 0)
    rows, given = X[:, :1].copy(), {"time_limit": None, "gap": 0.01, "n_threads": 1}
    kmeans = model().fit(rows)
    expected = certify(rows, kmeans, folder=tmp_path / "array", **given)
    found = certify(da.from_array(rows, chunks=(1700, 1)), kmeans, folder=tmp_path / "dask", **given)
    for path in (tmp_path / "array").iterdir():
        assert path.read_bytes() == (tmp_path / "dask" / path.name).read_bytes()
    assert found.exact_inertia == expected.exact_inertia and found.gap < 0.05 and found.n_groups == 5


def test_the_time_is_looked_at_while_answers_travel(monkeypatch):
    """An answer that never comes, of a worker that died with it, does not outlast the limit."""
    cancelled = Event()

    class Client:
        def compute(self, tasks, optimize_graph):
            return list(tasks)

        def gather(self, futures):
            cancelled.wait()
            raise CancelledError

        def cancel(self, futures):
            cancelled.set()

    class Late:
        def check_time(self):
            raise Expired

    monkeypatch.setattr(dask_blocks, "LOOK", 0.0)
    source = dask_blocks.DaskBlocks(da.from_array(X))
    source._client, source.workers = Client(), Late()
    with pytest.raises(Expired):
        source._compute(["an answer"])
    assert cancelled.is_set()


def test_what_a_worker_raises_is_raised():
    class Client:
        def compute(self, tasks, optimize_graph):
            return list(tasks)

        def gather(self, futures):
            raise ValueError("block 4 has 3 rows and 2 weights")

    source = dask_blocks.DaskBlocks(da.from_array(X))
    source._client = Client()
    with pytest.raises(ValueError, match="block 4 has 3 rows and 2 weights"):
        source._compute(["an answer"])
