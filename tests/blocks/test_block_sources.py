"""Rows that come in blocks: the bits of one array for any blocks, and the sources that are refused."""

import os
import re
import sys

import numpy as np
import pytest

import ckmeans.blocks.block_rows
import ckmeans.blocks.opening
import ckmeans.blocks.parts
import ckmeans.blocks.questions
import ckmeans.blocks.sources
import ckmeans.local.rows
from ckmeans import KMeans
from ckmeans.blocks.block_rows import BlockRows
from ckmeans.blocks.opening import source_of
from ckmeans.workers import Workers

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
K = 6
# Where an array is cut: nowhere; with single rows and empty blocks; in many; and at random.
CUTS = {
    "one": [],
    "odd": [0, 1, 1, 2, 4000, 4000, 5199],
    "many": list(range(100, 5200, 100)),
    "halves": [2601],
}
HOW = {
    "given": {"init": "given"},
    "random": {"init": "random", "n_init": 2},
    "k-means++": {"init": "k-means++", "n_init": 2, "max_iter": 3},
    "k-means||": {"init": "k-means||", "n_init": 1},
    "default": {},
    "tol": {"init": "given", "tol": 1e-3, "polish": False},
    "yinyang": {"init": "given", "algorithm": "yinyang", "polish": False},
    "one cluster": {"n_clusters": 1},
}


@pytest.fixture(autouse=True)
def tiny_parts(monkeypatch):
    """Many slabs, and many parts, of few rows."""
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 13)
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 14)
    yield
    for known in ckmeans.blocks.parts._parts, ckmeans.blocks.parts._sizes, ckmeans.blocks.parts._kept:
        known.clear()  # of sources that a test has made itself


def blobs(dtype=np.float64, n=5200, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) + rng.uniform(-4, 4, (K, d))[rng.integers(K, size=n)]).astype(dtype)


def model(X, how="given", **options):
    options = {"n_clusters": K, "random_state": 3, **HOW[how], **options}
    if options.get("init") == "given":
        options["init"] = X[: options["n_clusters"]]
    return KMeans(**options)


def block_rows(X):
    return BlockRows(source_of(lambda: [X]), Workers(1), 3)


def assert_the_same(found, expected):
    assert np.array_equal(np.asarray(found.labels_), expected.labels_)
    assert found.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    for name in (
        "inertia_",
        "n_iter_",
        "n_restarts_",
        "stop_reason_",
        "status_",
        "lower_bound_",
        "hit_rate_",
    ):
        assert getattr(found, name) == getattr(expected, name), name


@DTYPES
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("how", HOW)
def test_any_blocks_give_the_bits_of_one_array(how, weighted, dtype, monkeypatch):
    X, rng = blobs(dtype), np.random.default_rng(1)
    weights = rng.integers(0, 4, len(X)) / 3 if weighted else None
    expected = model(X, how).fit(X, sample_weight=weights)
    for n_threads, (name, cuts) in zip((1, 3, None, 2), CUTS.items()):
        monkeypatch.setattr(ckmeans.blocks.parts, "TAKEN", 1e18 if name == "odd" else 2.5)  # nothing is kept
        found = model(X, how, n_threads=n_threads).fit(
            lambda cuts=cuts: np.split(X, cuts), sample_weight=weights
        )
        assert_the_same(found, expected)


@pytest.fixture
def folder(tmp_path):
    """Rows in .npy files, and with a column of weights in Parquet files."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    X = blobs()
    weights = np.random.default_rng(1).uniform(size=len(X))
    for number, (some, own) in enumerate(zip(np.split(X, CUTS["odd"]), np.split(weights, CUTS["odd"]))):
        np.save(tmp_path / f"{number}.npy", some)
        table = pa.table({"a": some[:, 0], "w": own, "b": some[:, 1], "c": some[:, 2]})
        pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=700)
    return tmp_path, X, weights


def test_files(folder):
    folder, X, weights = folder
    paths = [folder / f"{number}.npy" for number in range(8)]
    expected = model(X, "default").fit(X)
    found = model(X, "default").fit(paths)
    assert_the_same(found, expected)
    assert found.labels_.dtype == np.int32 and not hasattr(found, "feature_names_in_")
    assert np.array_equal(found.predict(paths), found.labels_)
    assert found.score(paths) == -found.inertia_
    assert found.transform(paths).tobytes() == expected.transform(X).tobytes()
    found = model(X).fit(str(folder / "*.parquet"), sample_weight="w")
    expected = model(X).fit(X, sample_weight=weights)
    assert_the_same(found, expected)
    assert found.feature_names_in_.tolist() == ["a", "b", "c"]
    assert found.score(str(folder / "*.parquet"), sample_weight="w") == -found.inertia_
    with pytest.raises(ValueError, match="X has 4 features, but KMeans is expecting 3"):
        found.predict(str(folder / "*.parquet"))


def test_types_that_become_floats():
    X = np.arange(40).reshape(20, 2) % 7
    expected = KMeans(3, random_state=0).fit(X)
    for block in (X, X.astype(np.int8), X.astype(np.float16), X.tolist()):
        assert_the_same(KMeans(3, random_state=0).fit(lambda block=block: [block]), expected)


def test_equal_rows_are_one_point_where_a_cluster_is_empty():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (5000, 2)).astype(float)
    X[4000] = 50
    for weights in (None, rng.integers(0, 3, len(X)) / 7):
        start = np.vstack([X[:3], np.full((4, 2), 1e4) + np.arange(4)[:, None]])
        expected = KMeans(7, init=start).fit(X, sample_weight=weights)
        found = KMeans(7, init=start).fit(lambda: np.array_split(X, 9), sample_weight=weights)
        assert_the_same(found, expected)


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_fewer_different_rows_than_clusters():
    """No row lies apart from its center, so none moves into a cluster without rows."""
    X = np.repeat(np.eye(3), 800, axis=0)
    start = np.vstack([np.eye(3), np.full((2, 3), 9.0)])
    expected = KMeans(5, init=start, n_init=1).fit(X)
    found = KMeans(5, init=start, n_init=1).fit(lambda: np.array_split(X, 7))
    assert_the_same(found, expected)
    assert found.inertia_ == 0 and len(np.unique(found.labels_)) == 3


def test_sums_that_lose_digits_are_made_otherwise():
    X = blobs()
    X[17] *= 1e17
    expected = model(X).fit(X)
    assert_the_same(model(X).fit(lambda: np.array_split(X, 9)), expected)


def test_what_is_forgotten_is_made_anew():
    """Any answer may come from a worker that has answered nothing before."""
    X, before = blobs(), ckmeans.blocks.parts.perform

    def perform(token, *args, **options):
        ckmeans.blocks.parts.forget(token)
        return before(token, *args, **options)

    for how in ("given", "k-means++", "k-means||"):
        expected = model(X, how).fit(X)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ckmeans.blocks.parts, "perform", perform)
            assert_the_same(model(X, how, n_threads=1).fit(lambda: np.array_split(X, 5)), expected)
    parts = ckmeans.blocks.parts
    assert not parts._parts and not parts._sizes and not parts._kept


@pytest.mark.parametrize("how", ["given", "k-means++", "k-means||"])
def test_parts_keep_to_their_room(monkeypatch, how):
    """And what they have no room for is made anew: the less room, the more assignments, and the same bits."""
    X, parts, n_assigned = blobs(), ckmeans.blocks.parts, []
    expected, before, assign = model(X, how).fit(X), parts.perform, parts.Panels.assign
    monkeypatch.setattr(parts.Panels, "assign", lambda *args: n_assigned.append(None) or assign(*args))
    n_in_all, most = [], []
    for share, of_rows in ((1000, 1), (1000, 0), (0.6, 0), (0.6, 0.5), (0.1, 0), (0, 0)):
        room = share * (most[1] if len(most) > 1 else X.nbytes)

        def perform(*args, room=room, of_rows=of_rows, **options):
            found = before(*args, room=room, of_rows=of_rows, **options)
            assert sum(parts._sizes.values()) <= room
            assert of_rows or not parts._kept
            for key, part in parts._parts.items():
                if key not in parts._kept:
                    assert part.X is None and part.rows is None
                    assert part.partition is None or part.partition.labels.dtype == np.uint8
                    assert {found.dtype for found in part.labels.values()} <= {np.dtype(np.uint8)}
            most[-1:] = [max(most[-1], sum(parts._sizes.values()))]
            return found

        n_assigned.clear()
        most.append(0)
        with monkeypatch.context() as patch:
            patch.setattr(parts, "perform", perform)
            assert_the_same(model(X, how, n_threads=1).fit(lambda: np.array_split(X, 5)), expected)
        n_in_all.append(len(n_assigned))
    assert (
        most[0] > 2 * X.nbytes > 2 * most[1] and 0 == most[-1] < most[4] < most[2] and 0.4 * most[1] < most[2]
    )
    assert n_in_all[0] == n_in_all[1] <= n_in_all[2] <= n_in_all[4] <= n_in_all[5] > n_in_all[0]


def test_where_memory_runs_out_nothing_is_kept(monkeypatch):
    X, opened, failures = blobs(), ckmeans.blocks.parts.Part.open, []
    expected = model(X).fit(X)

    def open_(self, *args):
        opened(self, *args)
        if len(ckmeans.blocks.parts._kept) > 4 and len(failures) < 3:
            failures.append(self.number)
            raise MemoryError

    monkeypatch.setattr(ckmeans.blocks.parts.Part, "open", open_)
    assert_the_same(model(X, n_threads=1).fit(lambda: np.array_split(X, 5)), expected)
    assert len(failures) == 3


def test_parts_at_work_keep_their_rows_where_room_is_made():
    """And those that another question has given up are no rows any more."""
    parts = ckmeans.blocks.parts
    for number in range(2):
        parts.perform("t", number, 0, lambda: (X0[:9], None), None, asked_for_rows, room=1 << 30)
    parts._kept.add(("t", 2))
    busy, idle = parts._parts["t", 0], parts._parts["t", 1]
    with busy.lock:
        parts._make_room()
    assert busy.X is not None and idle.X is None
    assert ("t", 0) in parts._kept and ("t", 1) not in parts._kept


def part_with_labels(number, turn):
    """A part that is here, with its rows and 1000 labels."""
    parts = ckmeans.blocks.parts
    part = parts._parts["t", number] = parts.Part(number, 0)
    part.X, part.labels[b""], part.turn = X0[:9], np.zeros(1000, np.uint8), turn
    return part


@pytest.mark.parametrize("turn, stays", [(2, {0}), (3, {1})])
def test_parts_that_are_asked_elsewhere_make_room(turn, stays):
    """A part that was not asked in the last pass, nor yet in this one, is somewhere else now."""
    parts = ckmeans.blocks.parts
    for number, last in ((0, 1), (1, turn)):
        parts._keep(("t", number), part_with_labels(number, last), 1500, 0)
    assert {number for _, number in parts._parts} == {number for _, number in parts._sizes} == stays


@pytest.mark.parametrize("since, stays", [(599, {"old"}), (601, {"t"})])
def test_sources_that_were_given_up_make_room(since, stays):
    parts = ckmeans.blocks.parts
    old = part_with_labels(0, 0)
    parts._parts["old", 0] = parts._parts.pop(("t", 0))
    parts._keep(("old", 0), old, 1500, 0)
    new = part_with_labels(1, 0)
    old.asked, new.asked = 1.0, 1.0 + since
    parts._keep(("t", 1), new, 1500, 0)
    assert {token for token, _ in parts._parts} == stays


def test_where_memory_runs_out_as_room_is_made(monkeypatch):
    """Labels are made smaller, for which there may be no memory either: nothing is known of such a part then."""
    parts, small = ckmeans.blocks.parts, ckmeans.blocks.parts._small
    for number in range(2):
        parts._keep(("t", number), part_with_labels(number, 0), 10**6, 1)
    assert len(parts._kept) == 2
    failures = [MemoryError]

    def fails_once(labels):
        if failures:
            raise failures.pop()
        return small(labels)

    monkeypatch.setattr(parts, "_small", fails_once)
    parts._make_room()
    assert not parts._kept and len(parts._parts) == 1 and [*parts._parts] == [*parts._sizes]


def test_weights_of_rows_that_are_kept_count():
    part = part_with_labels(0, 0)
    before = part.size()
    part.weights = np.ones(9)
    assert part.size() == before + 2 * part.weights.nbytes


def test_rows_that_are_gone_as_they_are_asked_for_come_from_the_next_pass(monkeypatch):
    """All parts of a callable are kept, until memory is short in the middle of a pass."""
    X, parts = blobs(), ckmeans.blocks.parts
    expected, has, times = model(X).fit(X), parts.has, []

    def has_until_then(token, number):
        found = has(token, number)
        if found and number == max(number for _, number in parts._parts):
            times.append(number)
            if len(times) == 3:
                for part in parts._parts.values():
                    part.close()
                parts._kept.clear()
        return found

    monkeypatch.setattr(parts, "has", has_until_then)
    assert_the_same(model(X, n_threads=1).fit(lambda: np.array_split(X, 5)), expected)
    assert len(times) > 3


def test_rows_beyond_a_part_are_not_gathered(monkeypatch):
    monkeypatch.setattr(ckmeans.blocks.sources.Source, "gathered", None)
    X = blobs()
    model(X, "default").fit(lambda: np.array_split(X, 3))


def test_limits():
    X = blobs()
    for few in (X, X[:700]):  # which are gathered
        for how in ("given", "default"):
            found = model(X, how, max_seconds=0).fit(lambda few=few: np.array_split(few, 3))
            assert found.stop_reason_ == "time_limit" or few is not X
            assert np.array_equal(found.labels_, found.predict(few))
    with pytest.warns(match="did not lead to a fixed point"):
        found = model(X, max_iter=1, polish=False).fit(lambda: np.array_split(X, 3))
    assert found.n_iter_ == 1 and found.stop_reason_ == "max_iter"


def test_an_interrupt_leaves_the_best_so_far(monkeypatch):
    X, steps, total = blobs(), [], ckmeans.blocks.sources.Source.total

    def interrupted(self, question, *args):
        steps.append(question.__name__)
        if question.__name__ == "step" and steps.count("step") == 3:
            raise KeyboardInterrupt
        return total(self, question, *args)

    monkeypatch.setattr(ckmeans.blocks.sources.Source, "total", interrupted)
    found = model(X)
    with pytest.raises(KeyboardInterrupt):
        found.fit(lambda: np.array_split(X, 3))
    assert found.stop_reason_ == "interrupted" and np.array_equal(found.labels_, found.predict(X))
    assert found.inertia_ == -found.score(X)


def test_an_interrupt_in_the_first_step_leaves_what_a_sample_led_to(monkeypatch):
    """Centers that were found already, and not rows at random."""
    X, starts, total = blobs(), [], ckmeans.blocks.sources.Source.total

    def interrupted(self, question, *args):
        if question.__name__ == "step" and not starts:
            starts.append(args[0])
            raise KeyboardInterrupt
        return total(self, question, *args)

    monkeypatch.setattr(ckmeans.blocks.sources.Source, "total", interrupted)
    found = model(X, "default")
    with pytest.raises(KeyboardInterrupt):
        found.fit(lambda: np.array_split(X, 3))
    assert found.stop_reason_ == "interrupted" and found.inertia_ == -found.score(X)
    assert np.diff(found.cluster_centers_, axis=0) == pytest.approx(np.diff(starts[0], axis=0), abs=1e-9)


# ---- what is refused ----


def asked_for_rows(part):
    return len(part.X)


def with_nan(X):
    X = X.copy()
    X[4321, 1] = np.nan
    return X


X0 = blobs()


@pytest.mark.parametrize(
    "source, message",
    [
        (
            lambda: np.array_split(with_nan(X0), 20),
            r"contains NaN .* in 1 of 5200 rows: 4321 \(the first is row 161 of block 16\)\.",
        ),
        (lambda: [X0[:5], X0[5:, :2]], "block 1 has 2 columns, where block 0 has 3"),
        (
            lambda: [X0[:5], X0[5:].astype(np.float32)],
            "block 1 has float32 as type, where block 0 has float64",
        ),
        (lambda: [X0[:5], X0[5:, 0]], r"block 1 has the shape \(5195,\)"),
        (lambda: [X0.astype(str)], "block 0 holds <U.*give blocks of numbers"),
        (lambda: [X0[:0], X0[:0]], "gives no rows"),
        (lambda: [], "gives no rows"),
        (lambda: [X0 * 1e200], r"X holds .*e\+200 in blocks, whose squares"),
        (iter([X0]), "can be read only once: give a callable"),
        ((block for block in [X0]), "a generator, which can be read only once"),
        (lambda: [np.full((3, 2), 2**60)], r"whole numbers beyond 2\*\*53"),
        (lambda: [np.empty((3, 0))], "block 0 has no columns"),
    ],
)
def test_sources_that_are_refused(source, message):
    with pytest.raises(ValueError, match=message):
        KMeans(2).fit(source)


@pytest.mark.parametrize("given", [X0, None, 3])
def test_callables_that_give_no_blocks(given):
    with pytest.raises(TypeError, match="let it give an iterable of blocks"):
        KMeans(2).fit(lambda: given)


def test_files_that_are_refused(folder):
    folder, X, _ = folder
    with pytest.raises(IsADirectoryError, match="is a folder: give a pattern of the files in it"):
        KMeans(2).fit(str(folder) + "/.")
    np.save(folder / "nan.npy", with_nan(X0)[4000:])
    with pytest.raises(ValueError, match=r"the first is row 321 of .*nan.npy\)"):
        KMeans(2).fit([folder / "0.npy", folder / "nan.npy"])
    with pytest.raises(FileNotFoundError, match="No file matches"):
        KMeans(2).fit(folder / "*.none.npy")
    with pytest.raises(FileNotFoundError):
        KMeans(2).fit([folder / "0.npy", folder / "none.npy"])
    with pytest.raises(FileNotFoundError):
        KMeans(2).fit(folder / "none.parquet")
    np.save(folder / "wide.npy", X[:5, :2])
    with pytest.raises(ValueError, match="wide.npy has 2 columns"):
        KMeans(2).fit([folder / "0.npy", folder / "4.npy", folder / "wide.npy"])
    (folder / "bad.parquet").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match="bad.parquet is no readable Parquet file"):
        KMeans(2).fit(folder / "bad.parquet")
    with pytest.raises(ValueError, match="sample_weight='v' is no column of .*'a', 'w', 'b', 'c'"):
        KMeans(2).fit(folder / "4.parquet", sample_weight="v")
    with pytest.raises(ValueError, match="X has no names of columns"):
        KMeans(2).fit(folder / "4.npy", sample_weight="v")


def test_rows_that_lie_on_their_centers():
    """No distance: that is optimal, whatever the blocks; and so is one cluster."""
    X = np.repeat(np.eye(3), 400, axis=0)
    found = KMeans(3, init=np.eye(3)).fit(lambda: np.array_split(X, 7))
    assert (found.status_, found.inertia_) == ("optimal", 0)
    for options in ({}, {"max_seconds": 0.0}):
        one = KMeans(1, random_state=0, **options).fit(lambda: np.array_split(X0, 7))
        assert one.lower_bound_ <= one.inertia_ and (one.status_ == "optimal" or options)


def test_equal_rows_are_not_looked_for_among_too_many(monkeypatch):
    """Then each row is a point of its own."""
    rows = block_rows(np.repeat(X0[:40], 2, axis=0))
    assert rows.points[0].max() == 39 and not block_rows(X0[:40]).points[0]
    monkeypatch.setattr(ckmeans.blocks.block_rows, "MOST_SORTED", 79)
    assert block_rows(np.repeat(X0[:40], 2, axis=0)).points[0] is None


def test_a_limit_of_the_address_space(monkeypatch):
    """What may be kept follows from what is left below it; without one, or where it is not told, it is no limit."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1 << 50, resource.RLIM_INFINITY))
    left = ckmeans.blocks.parts._address_space()
    assert 1 << 49 < left < 1 << 50 or not os.path.exists("/proc/self/status")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert ckmeans.blocks.parts._address_space() == np.inf
    monkeypatch.setitem(sys.modules, "resource", None)
    assert ckmeans.blocks.parts._address_space() == np.inf


def test_rows_to_be_labelled_that_are_not_finite():
    model = KMeans(2, init=X0[:2], n_init=1).fit(lambda: [X0])
    for method in (model.predict, model.transform):
        with pytest.raises(ValueError, match=r"contains NaN .* in 1 of 5200 rows: 4321\."):
            list(method(lambda: np.array_split(with_nan(X0), 20)))


@pytest.mark.parametrize(
    "weights, message",
    [
        (np.zeros(5200), "All 5200 weights are zero"),
        (np.full(5200, 1e308), r"sums to more than 1\.8e308"),
        (np.r_[np.ones(5199), -1], r"sample_weight\[5199\] is -1\.0"),
    ],
)
def test_weights_in_files_that_are_refused(tmp_path, weights, message):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"a": X0[:, 0], "w": weights}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=message):
        KMeans(2).fit(tmp_path / "x.parquet", sample_weight="w")


def test_files_without_rows_and_with_other_names(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for name, columns in (("ab", "ab"), ("ba", "ba")):
        pq.write_table(pa.table(dict.fromkeys(columns, X0[:, 0])), tmp_path / f"{name}.parquet")
    pq.write_table(pa.table({"a": X0[:0, 0]}), tmp_path / "none.parquet")
    with pytest.raises(ValueError, match="ba.parquet has other columns, or in another order, than"):
        KMeans(2).fit([tmp_path / "ab.parquet", tmp_path / "ba.parquet"])
    with pytest.raises(ValueError, match="X has 0 rows in all of its files"):
        KMeans(2).fit(tmp_path / "none.parquet")


def test_columns_that_are_no_numbers(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"a": [1.0, 2], "name": ["x", "y"]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="column 'name' holds string, not numbers"):
        KMeans(2).fit(tmp_path / "x.parquet")
    pq.write_table(pa.table({"a": [1.0, None, 3]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"contains NaN .* in 1 of 3 rows: 1 .*row 1 of .*x.parquet"):
        KMeans(2).fit(tmp_path / "x.parquet")
    for whole in ([2**53 + 1, 1], [None, 2**60]):
        pq.write_table(pa.table({"a": whole}), tmp_path / "x.parquet")
        with pytest.raises(ValueError, match=r"whole numbers beyond 2\*\*53"):
            KMeans(1).fit(tmp_path / "x.parquet")
    pq.write_table(pa.table({"a": [1, 2, 5]}), tmp_path / "x.parquet")
    assert KMeans(1).fit(tmp_path / "x.parquet").cluster_centers_.tolist() == [[8 / 3]]


def test_pyarrow_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(ImportError, match="read by pyarrow, which is not installed"):
        KMeans(2).fit(tmp_path / "x.parquet")


def test_what_blocks_have_not():
    with pytest.raises(ValueError, match="init is a callable, and X comes in blocks"):
        KMeans(2, init=lambda X, k, rng: X[:k]).fit(lambda: [X0])
    with pytest.raises(ValueError, match="algorithm='hybrid' and X comes in blocks"):
        KMeans(2, algorithm="hybrid").fit(lambda: [X0])
    with pytest.raises(ValueError, match=r"sample_weight has shape \(3,\); X has 5200 rows"):
        KMeans(2).fit(lambda: [X0], sample_weight=[1, 2, 3])


@pytest.mark.parametrize(
    "after, message",
    [
        (lambda: [X0[::-1]], "are not those of the pass before"),
        (lambda: [X0[:-1]], "X.. gave 5199 rows"),
        (lambda: [X0, X0], "gave 10400 rows"),
        (lambda: [X0[:, :2]], "A block has 2 columns of float64, where the pass before had 3"),
    ],
)
def test_blocks_that_change(monkeypatch, after, message):
    """They are noticed as soon as they are read again; where rows are kept they are not."""
    monkeypatch.setattr(ckmeans.blocks.parts, "TAKEN", 1e18)
    passes = []

    def source():
        passes.append(1)
        return [X0] if len(passes) < 4 else after()

    with pytest.raises(ValueError, match=message):
        model(X0).fit(source)
    assert not ckmeans.blocks.parts._parts


def test_a_file_that_vanishes(folder, monkeypatch):
    folder, X, _ = folder
    monkeypatch.setattr(ckmeans.blocks.parts, "TAKEN", 1e18)
    source = ckmeans.blocks.opening.source_of(folder / "4.npy")
    with Workers(1) as workers:
        ckmeans.blocks.block_rows.BlockRows(source, workers, 2)
        (folder / "4.npy").unlink()
        with pytest.raises(FileNotFoundError):
            source.ask(ckmeans.blocks.questions.weights_of)


@pytest.mark.parametrize("columns", [["a", "b"], None])
def test_a_parquet_file_that_changes(folder, monkeypatch, columns):
    """Into one without a column, and into what is no Parquet; one that vanishes is missing."""
    folder, X, _ = folder
    path = folder / "4.parquet"
    monkeypatch.setattr(ckmeans.blocks.parts, "TAKEN", 1e18)
    source = source_of(path)
    with Workers(1) as workers:
        BlockRows(source, workers, 2)
        if columns is None:
            path.write_bytes(b"PAR1, and no more")
        else:
            pq = pytest.importorskip("pyarrow.parquet")
            pq.write_table(pq.read_table(path, columns=columns), path)
        with pytest.raises(ValueError, match="4.parquet was changed while it was read: "):
            source.ask(ckmeans.blocks.questions.weights_of)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            source.ask(ckmeans.blocks.questions.weights_of)


@pytest.mark.parametrize("weighted", [False, True])
def test_progress_tells_of_each_pass(capsys, weighted):
    """Bytes gone over, rows that moved, and the inertia, down to the one that is found; the bits are the same."""
    X = blobs()
    weights = np.random.default_rng(0).integers(1, 9, len(X)) * 2.0**600 if weighted else None
    expected = model(X, "k-means||", polish=False).fit(X, sample_weight=weights)
    found = model(X, "k-means||", polish=False, verbose=1).fit(
        lambda: np.array_split(X, 5), sample_weight=weights
    )
    assert_the_same(found, expected)
    lines = re.findall(
        r"^([\d.,]+) MB gone over: (?:(start)|([\d,]+) rows moved), inertia (\S+)$",
        capsys.readouterr().out,
        re.M,
    )
    read, starts, moved, inertias = zip(*lines)
    assert len(starts) - starts.count("start") == expected.n_iter_ and starts.count("start") >= 6
    read = [float(n.replace(",", "")) for n in read]
    assert read == sorted(read) and read[-1] > (len(lines) + 1) * X.nbytes / 1e6
    inertias = [float(inertia) for inertia in inertias]
    n = starts.count("start")
    assert inertias[:n] == sorted(inertias[:n], reverse=True) and inertias[n:] == sorted(
        inertias[n:], reverse=True
    )
    assert inertias[-1] == pytest.approx(expected.inertia_, rel=1e-9)
    assert moved[n] == f"{len(X):,}" and moved[-1] == "0"
