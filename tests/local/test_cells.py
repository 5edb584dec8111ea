"""Cells spare distances and change nothing else: labels, centers, inertia and updates have the bits of the plain way."""

from itertools import product

import numpy as np
import pytest
from clocks import Clock
from problems import each_instruction_set, in_turn, numbers

from ckmeans import KMeans, reference
from ckmeans._kernels import panels
from ckmeans.local import cells as cells_module
from ckmeans.local import distance_bounds, restarts
from ckmeans.local import panels as panels_module
from ckmeans.local.cells import USELESS, CellLabels, Cells
from ckmeans.local.lloyd import lloyd
from ckmeans.local.npy_file import NpyFile
from ckmeans.local.partition import Partition
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
KINDS = {
    "blobs": lambda rng, n, d: rng.normal(size=(n, d)) + 4 * rng.integers(0, 4, (n, d)),
    "uniform": lambda rng, n, d: rng.uniform(size=(n, d)),
    "grid": lambda rng, n, d: rng.integers(0, 4, (n, d)).astype(float),  # ties, rows on their centers
    "copies": lambda rng, n, d: np.repeat(rng.normal(size=(-(-n // 70), d)), 70, axis=0)[:n],
    "colours": lambda rng, n, d: np.rint(60 * rng.normal(size=(n, d))).clip(-128, 127),
    "heavy": lambda rng, n, d: rng.standard_cauchy((n, d)),
    "far": lambda rng, n, d: rng.normal(size=(n, d)) + 1e4 * rng.integers(0, 2, (n, 1)),
    "offset": lambda rng, n, d: rng.uniform(size=(n, d)) + 1e8,
    "tiny": lambda rng, n, d: np.ldexp(rng.uniform(size=(n, d)), -300),
    "huge": lambda rng, n, d: np.ldexp(rng.uniform(size=(n, d)), 300),
}
instructions = each_instruction_set(panels)


@pytest.fixture(params=[0.0, np.inf], ids=["blocks", "one block"])
def blocks(request, monkeypatch):
    """Whether the leaves go to several blocks, or all to one."""
    monkeypatch.setattr(cells_module, "SHARED", request.param)


def problem(kind, n, d, dtype=np.float64):
    with np.errstate(over="ignore", under="ignore"):
        return KINDS[kind](np.random.default_rng(0), n, d).astype(dtype)


def search(X, start, weights=None, algorithm="cells", n_threads=2):
    """Two runs, the second from near where the first has ended: all that is to be the same, and the rows."""
    nudge = np.random.default_rng(1).normal(size=start.shape) / 50
    with Workers(n_threads) as workers:
        rows = Rows(X, weights, workers, algorithm=algorithm)
        partition, centers, n_iter, reason = lloyd(rows, rows.scale(start), 40)
        labels = partition.labels.copy()
        other, moved, more, _ = lloyd(rows, centers + nudge, 15, partition=partition.copy())
        means, masses = other.means(moved)
        inertia = rows.update(labels, centers)[2]
    arrays = [each.tobytes() for each in (labels, centers, moved, other.labels, means, masses)]
    return (*arrays, n_iter, reason, more, inertia), rows


SHAPES = [(1, 2), (2, 5), (2, 90), (3, 1), (4, 17), (6, 60), (8, 30)]
WAYS = [*product([0.0, np.inf], [False, True], [np.float64, np.float32])]


@pytest.mark.parametrize(
    "kind, shape, blocks, weighted, dtype", in_turn(product(KINDS, SHAPES), WAYS), indirect=["blocks"]
)
def test_the_same_bits_as_the_plain_way(kind, shape, blocks, weighted, dtype):
    d, k = shape
    X = problem(kind, 9001, d, dtype)
    if dtype == np.float32 and kind in ("tiny", "huge"):
        X = np.ldexp(problem("uniform", 9001, d), 90 if kind == "huge" else -90).astype(dtype)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 3, len(X)).astype(float) if weighted else None
    start = X[rng.choice(len(X), k, replace=False)].astype(float)
    expected, _ = search(X, start, weights, "lloyd")
    found, rows = search(X, start, weights)
    assert found == expected
    assert rows.cells is not None or rows.fixed_point_loses_digits
    labels = np.frombuffer(found[0], np.int32)[:20].tolist()
    centers = np.ldexp(np.frombuffer(found[1]).reshape(k, d), rows.exponent)
    assert labels == reference.assign(numbers(X[:20]), numbers(centers))


@DTYPES
def test_every_instruction_set_and_number_of_threads(monkeypatch, instructions, dtype):
    for kind, n, d, k in [
        ("blobs", 30_000, 2, 40),
        ("grid", 3000, 3, 9),
        ("uniform", 5000, 5, 70),
        ("far", 4000, 7, 8),
    ]:
        X = problem(kind, n, d, dtype)
        start = X[:k].astype(float)
        expected, _ = search(X, start, algorithm="lloyd")
        for n_threads in (1, 2, 3, 4):
            monkeypatch.setattr(cells_module, "SHARED", 1e3 * n_threads)
            assert search(X, start, n_threads=n_threads)[0] == expected


@DTYPES
@pytest.mark.parametrize("n", [1, 63, 64, 65, 1024, 1025, 16385])
def test_the_boxes_hold_the_rows_below_and_their_sums(instructions, dtype, n):
    X = problem("blobs", n, 3, dtype)
    weights = np.random.default_rng(2).integers(0, 4, n).astype(float)
    weights[0] = 1
    for some in (None, weights):
        with Workers(2) as workers:
            rows = Rows(X, some, workers)
            cells = Cells(rows)
        assert sorted(cells.order) == list(range(n))
        packed = ((X.astype(float) - rows.origin) * rows.panels.scale)[cells.order]
        for first, n_nodes, n_leaves in cells.levels:
            for node in range(n_nodes):
                own = slice(node * n_leaves * cells.leaf, (node + 1) * n_leaves * cells.leaf)
                low, high = cells.boxes[(first + node) // cells.group, :, :, node % cells.group].astype(float)
                assert np.allclose(packed[own].min(axis=0), low, rtol=1e-6, atol=0)
                assert np.allclose(packed[own].max(axis=0), high, rtol=1e-6, atol=0)
                parts = cells.sums[first + node, :, 0] + cells.sums[first + node, :, 1] / rows.units[-1]
                ones = np.ones(n) if some is None else some
                total = np.append(ones[cells.order[own]] @ X[cells.order[own]], ones[cells.order[own]].sum())
                assert np.allclose(parts / rows.units[:-1], total, rtol=1e-9, atol=1e-9)
            assert n_nodes == -(-n // (n_leaves * cells.leaf))


def test_rows_along_the_curve_are_near_each_other():
    X = problem("uniform", 20_000, 2)
    with Workers(1) as workers:
        cells = Cells(Rows(X, None, workers))
    steps = np.abs(np.diff(X[cells.order], axis=0)).sum(axis=1)
    assert np.median(steps) < 0.02 and steps.max() < 0.2  # a Z-curve jumps
    widths = cells.boxes[:20, 1] - cells.boxes[:20, 0]
    assert np.median(widths) < 0.2


@pytest.mark.parametrize("kind", ["grid", "copies", "uniform"])
def test_clusters_that_lose_all_rows(blocks, kind):
    X = problem(kind, 4000, 2)
    start = np.concatenate([X[:6], X[:4], np.full((3, 2), 50.0)]).astype(float)
    weights = (np.arange(len(X)) % 5 > 0).astype(float)
    for some in (None, weights):
        assert search(X, start, some)[0] == search(X, start, some, "lloyd")[0]


@pytest.mark.parametrize("kind, k", [("far", 2), ("far", 5), ("blobs", 7)])
def test_the_blocks_may_change_from_one_assignment_to_the_next(monkeypatch, kind, k):
    X = problem(kind, 40_000, 2)  # three levels: nodes of the highest are in several blocks
    centers = X[np.argsort(X[:, 0])[:: len(X) // k][:k]].astype(float)
    with Workers(2) as workers:
        rows = Rows(X, None, workers, algorithm="cells")
        partition = Partition(rows, k)
        for n in range(15):
            monkeypatch.setattr(cells_module, "SHARED", 0.0 if n % 3 else np.inf)
            rows.panels.assign(centers, partition)
            assert np.array_equal(partition.labels, rows.panels.assign(centers))
            again = Partition(rows, k)
            rows.panels.assign(centers, again)
            assert np.array_equal(partition._total(), again._total())
            centers = np.roll(partition.means(centers)[0], n % 2, axis=0)


def test_distances_are_spared(blocks):
    X = problem("uniform", 30_000, 2)
    _, rows = search(X, X[:100].astype(float))
    assert rows.n_distances < 0.1 * (rows.n_distances + rows.n_spared)
    assert rows.panels._arrays is None  # cells take the place of panels


def test_near_the_middle_of_a_leaf_single_precision_tells_rows_apart():
    X = problem("uniform", 30_000, 2).astype(np.float32)
    start = X[:300].astype(float)
    shares = []
    for algorithm in ("lloyd", "cells"):
        _, rows = search(X, start, algorithm=algorithm)
        shares.append(rows.n_recomputed / rows.n_labelled)
    assert shares[1] < 0.1 * shares[0]


def test_what_goes_the_plain_way(tmp_path):
    nine = problem("blobs", 3000, 9)
    np.save(tmp_path / "X.npy", nine[:, :2].copy())
    outliers = problem("blobs", 3000, 2)
    outliers[0] = 1e16  # fixed-point sums would lose digits
    for X in (nine, NpyFile(tmp_path / "X.npy"), outliers, 1e-35 * nine[:, :2].astype(np.float32)):
        found, rows = search(X, X[:5].astype(float))
        assert rows.cells is None
        assert found == search(X, X[:5].astype(float), algorithm="lloyd")[0]


@DTYPES
def test_auto_takes_cells_up_and_gives_them_up(monkeypatch, dtype):
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << 12)
    monkeypatch.setattr(distance_bounds, "passing", lambda n_samples, n_clusters, n_features: -1000.0)
    X = problem("uniform", 20_000, 2, dtype)
    start = X[:60].astype(float)
    expected, _ = search(X, start, algorithm="lloyd")
    for cost in (0.0, 6000.0):
        monkeypatch.setattr(distance_bounds, "making", lambda n_features, cost=cost: cost)
        monkeypatch.setattr(distance_bounds, "LIKELY_STEPS", 0 if cost else 20)
        found, rows = search(X, start, algorithm="auto")
        assert found == expected and isinstance(rows.cells, Cells)
        assert rows.could_have_spared < cost or not cost
    monkeypatch.setattr(CellLabels, "cost", lambda self, n_seen, n_distances: np.inf)
    found, rows = search(X, start, algorithm="auto")
    assert found == expected and rows.cells is USELESS


def test_auto_makes_cells_where_labels_settle_slowly(monkeypatch):
    """Each pass spares 1000, cells take 10,500: half of that after six passes, all of it where eleven more are to come."""
    monkeypatch.setattr(panels_module, "SHARED_WORK", 1 << 12)
    monkeypatch.setattr(distance_bounds, "making", lambda n_features: 10_500.0)
    X = problem("uniform", 20_000, 2)

    def waits(*passes, n_steps=100, likely=0):
        monkeypatch.setattr(distance_bounds, "LIKELY_STEPS", likely)
        with Workers(1) as workers:
            rows = Rows(X, None, workers)
            policy = rows.partition(50).policy
            policy.spared = 1000.0
            for n_assignments, n_moved in passes:
                policy.record_plain(n_assignments, n_moved)
            return policy.assignments_without_bounds(False, n_steps)[0] if passes else None

    assert waits((1, 20_000)) == distance_bounds.LOOK_STEPS  # nothing is known yet
    assert waits((1, 20_000), likely=11) == 0  # runs mostly take longer
    assert waits((1, 20_000), n_steps=11, likely=20) == 0
    assert waits((1, 20_000), n_steps=10, likely=20) > 10  # never: the run ends before
    assert waits((2, 1000), (1, 100)) == 3  # a tenth from one to the next: two more
    assert waits((2, 1000), (1, 700)) == 0  # eighteen more
    assert waits((2, 1000), (1, 1000)) == 0
    assert waits((2, 1000), (2, 550)) == 0
    assert (
        waits((2, 1000), (4, 1)) == distance_bounds.LOOK_STEPS
    )  # so calm that half of the cost does not count
    assert waits((2, 30), (2, 25), likely=20) == 0  # calm, but slowly


def test_auto_leaves_small_and_quick_problems_and_many_features_alone():
    for n, d, k in [(20_000, 2, 8), (3000, 2, 50), (40_000, 8, 64)]:
        X = problem("uniform", n, d, np.float32)
        assert search(X, X[:k].astype(float), algorithm="auto")[1].cells is None


def test_restarts_share_the_cells(monkeypatch):
    made = []
    monkeypatch.setattr(cells_module.Cells, "__init__", _noting(made, cells_module.Cells.__init__))
    X = problem("blobs", 6000, 3)
    models = [
        KMeans(20, n_init=3, random_state=0, algorithm=algorithm, polish=True).fit(X)
        for algorithm in ("lloyd", "cells")
    ]
    assert len(made) == 1
    assert models[0].inertia_ == models[1].inertia_
    assert np.array_equal(models[0].labels_, models[1].labels_)
    assert np.array_equal(models[0].cluster_centers_, models[1].cluster_centers_)


def _noting(calls, function):
    def noting(*args):
        calls.append(args)
        return function(*args)

    return noting


@pytest.mark.parametrize("look", [8, 9, 10, 13, 21, 34, 55, 89])
def test_an_interrupt_leaves_labels_that_belong_together(monkeypatch, blocks, look):
    monkeypatch.setattr(cells_module, "BLOCK_ROWS", 1 << 12)
    monkeypatch.setattr(restarts, "KEEP_SECONDS", 0.0)
    X = problem("uniform", 20_000, 2)
    model = KMeans(50, init=X[:50], polish=False, algorithm="cells", n_threads=2)
    with Clock(seconds=0.0, interrupt=look):
        try:
            model.fit(X)
        except KeyboardInterrupt:
            assert model.stop_reason_ == "interrupted"
    assert model.labels_.shape == (20_000,) and np.isfinite(model.inertia_)
    if model.stop_reason_ == "converged":
        assert np.array_equal(model.labels_, model.predict(X))


def test_an_assignment_that_was_cut_off_goes_on(monkeypatch):
    monkeypatch.setattr(cells_module, "SHARED", 0.0)
    monkeypatch.setattr(cells_module, "BLOCKS", 5)
    X = problem("uniform", 30_000, 2)
    centers = X[:40].astype(float)
    with Workers(1) as workers:
        rows = Rows(X, None, workers, algorithm="cells")
        partition = Partition(rows, 40)
        for n in range(1, 5):
            blocks = partition.policy.cells_for(partition, centers).blocks()
            assert len(blocks) == 5
            with monkeypatch.context() as patch:
                some = blocks[:n]  # the others are not reached
                patch.setattr(CellLabels, "blocks", lambda self, some=some: some)
                rows.panels.assign(centers, partition)
            rows.panels.assign(centers, partition)
            assert np.array_equal(partition.labels, rows.panels.assign(centers))
            centers = partition.means(centers)[0]


def test_labels_without_sums_go_over_cells_that_are_there(instructions):
    for weighted in (False, True):
        X = problem("uniform", 20_000, 3)
        weights = np.random.default_rng(2).integers(0, 4, len(X)).astype(float) if weighted else None
        _, rows = search(X, X[:30].astype(float), weights)
        centers = X[100:140].astype(float)
        before = rows.n_spared
        found = rows.panels.assign(centers)
        assert rows.n_spared > before
        given = rows.partition(40, summed=False, labels=found.copy())
        rows.panels.assign(centers[::-1].copy(), given)
        plain = Rows(X, weights, rows.workers, algorithm="lloyd")
        expected = plain.panels.assign(centers)
        assert np.array_equal(found, expected)
        assert np.array_equal(39 - given.labels, expected)  # no ties here


@pytest.mark.parametrize("algorithm", ["cells", "hamerly"])
def test_centers_are_rounded_to_float32_by_what_the_search_has_kept(monkeypatch, algorithm):
    """Neither another pass over all distances, nor rounds in double that float32 would round away."""
    X = problem("uniform", 20_000, 2, np.float32)
    start = X[:40]
    plain = KMeans(40, init=start, polish=False, tol=0, algorithm="lloyd").fit(X)
    passes = []
    monkeypatch.setattr(panels_module.Panels, "_label", _noting(passes, panels_module.Panels._label))
    monkeypatch.setattr(restarts, "round_off", None)
    model = KMeans(40, init=start, polish=False, tol=0, algorithm=algorithm).fit(X)
    assert not passes
    assert model.stop_reason_ == "converged" and model.n_iter_ == plain.n_iter_
    assert np.array_equal(model.labels_, model.predict(X))
    assert np.array_equal(model.labels_, plain.labels_) and model.inertia_ == plain.inertia_
    assert np.array_equal(model.cluster_centers_, plain.cluster_centers_)
