"""Labels by dot products of bytes: the same as from any other way, and bounds of errors that hold in exact arithmetic."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from problems import each_instruction_set, near_ties, numbers

from ckmeans import KMeans, SphericalKMeans, reference
from ckmeans._kernels import screen8 as kernels
from ckmeans.local import screen8, seeding
from ckmeans.local.directed import UnitRows, directions, with_lengths
from ckmeans.local.distance_bounds import Bounds
from ckmeans.local.lloyd import lloyd
from ckmeans.local.partition import Partition
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)

instructions = each_instruction_set(kernels)


@pytest.fixture(params=kernels.dots_kinds())
def dots(request):
    """Each kind of dot product in turn."""
    usual = kernels.dots_in_use()
    kernels.use_dots(request.param)
    yield request.param
    kernels.use_dots(usual)


@pytest.fixture(params=[False, True], ids=["scores", "pairs"])
def forced(request, monkeypatch):
    """Bytes are used wherever they can be, of coordinates from 66 features on, or pairs of centers; how many rows they labelled, and left open."""
    seen = [0, 0]
    record = screen8.Screen.record

    def noted(self, n_rows, n_seen, n_open, n_near):
        seen[0] += n_rows
        seen[1] += n_open
        record(self, n_rows, n_seen, n_open, n_near)

    monkeypatch.setattr(screen8.Screen, "_pays", lambda *_: True)
    monkeypatch.setattr(screen8.Screen, "record", noted)
    monkeypatch.setattr(screen8.Screen, "_reduces", lambda *_: not request.param)
    monkeypatch.setattr(screen8, "LEAST_PAIRED", 1 if request.param else 10**6)
    monkeypatch.setattr(screen8, "_least_open", lambda n_clusters, _: n_clusters // 5)  # both ways in turn
    monkeypatch.setattr(screen8, "LEAST_FEATURES", 1)
    monkeypatch.setattr(screen8, "LEAST_REDUCED", 66)
    monkeypatch.setattr(screen8, "LEAST_PASS", 0.0)
    return seen


def problem(kind, n, d):
    rng = np.random.default_rng(d)
    noise = rng.normal(size=(n, d))
    return {
        "blobs": lambda: noise + 4 * rng.integers(0, 2, (n, d)),
        "offset": lambda: noise + 1e8,
        "grid": lambda: rng.integers(0, 2, (n, d)).astype(float),
        "near copies": lambda: noise * 1e-9 + rng.integers(0, 4, (n, 1)),
        "zeros": lambda: noise * (rng.random((n, 1)) < 0.5),
        "one feature": lambda: noise * np.append(1e6, np.ones(d - 1)),
        "one far": lambda: np.vstack([noise[1:], np.full((1, d), 1e9)]),
        "scales": lambda: noise * 10.0 ** rng.integers(-12, 3, (n, 1)),
        "huge": lambda: noise * 1e290,
        "tiny": lambda: noise * 1e-290,
        "subnormal": lambda: noise * 1e-40,
    }[kind]()


KINDS = (
    "blobs",
    "offset",
    "grid",
    "near copies",
    "zeros",
    "one feature",
    "one far",
    "scales",
    "huge",
    "tiny",
    "subnormal",
)


def draws(X, weights, k, n_threads=1, n_candidates=None):
    """The centers that k-means++ draws, from their bits, and whether bytes told rows apart to the end."""
    with Workers(n_threads) as workers:
        rows, followed = Rows(X, weights, workers), []
        follow, rows.follow = rows.follow, lambda n: followed.append(follow(n)) or followed[0]
        centers = seeding.kmeans_plusplus(rows, k, np.random.default_rng(0), n_candidates)
        return centers.tobytes(), followed[0].by_bytes


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d, k", [(37, 24), (130, 12)])
def test_the_same_draws_as_without_bytes(forced, monkeypatch, dtype, kind, d, k):
    X = data(kind, 500, d, dtype)
    monkeypatch.setattr(screen8, "_spared", lambda *_: np.inf)
    for weights in (None, np.random.default_rng(1).integers(0, 3, len(X)).astype(float)):
        for n_candidates, n_threads in ((None, 1), (1, 1), (11, 3)):
            found = draws(X, weights, k, n_threads, n_candidates)
            with monkeypatch.context() as patch:
                patch.setattr(screen8.Screen, "keep_for_draws", lambda *_: False)
                expected, by_bytes = draws(X, weights, k, 1, n_candidates)
            assert not by_bytes and found[0] == expected
            assert found[1] or kind in ("huge", "tiny", "subnormal")


@pytest.mark.usefixtures("instructions", "dots", "forced")
@pytest.mark.parametrize("d", [20, 70])
def test_the_same_draws_by_every_instruction_set_and_dot_product(monkeypatch, d):
    X = data("blobs", 700, d, np.float32)
    expected, by_bytes = draws(X, None, 30)
    monkeypatch.setattr(screen8, "_spared", lambda *_: np.inf)
    assert draws(X, None, 30) == (expected, True) and not by_bytes


@pytest.mark.parametrize("d", [20, 70])
def test_the_same_draws_where_bytes_are_given_up(forced, monkeypatch, d):
    """Bytes that tell too little have cost more than they spared: panels go on."""
    X = data("blobs", 1100, d, np.float32)
    expected, _ = draws(X, None, 30)
    monkeypatch.setattr(screen8, "_spared", lambda *_: np.inf)
    left = iter([1.0] * 9)
    monkeypatch.setattr(screen8.Screen, "spared_by_draws", lambda *_: next(left, -10.0))
    assert draws(X, None, 30) == (expected, False)


@DTYPES
def test_draws_among_rows_of_length_one_make_no_copy(forced, monkeypatch, dtype):
    X = data("scales", 1500, 70, dtype)
    X[40] = 0
    for weights in (None, np.random.default_rng(1).integers(0, 3, len(X)).astype(float)):
        whole, _ = draws(directions(X), weights, 40)
        units = with_lengths(X, Workers(1))
        with monkeypatch.context() as patch:
            patch.setattr(screen8, "_spared", lambda *_: np.inf)
            patch.setattr(UnitRows, "whole", None)
            assert draws(units, weights, 40) == (whole, True)


def test_many_features_are_told_apart_by_a_subspace_where_they_are_near_one():
    rng = np.random.default_rng(0)
    near = rng.normal(size=(3000, 20)) @ rng.normal(size=(20, 400)) + 0.1 * rng.normal(size=(3000, 400))
    for X, reduced in ((near, True), (rng.normal(size=(3000, 400)), False)):
        rows = Rows(X.astype(np.float32), None, Workers(1))
        subspace = screen8.Subspace(rows)
        assert (subspace.vain(rows, 100) < 0.02) == reduced


@pytest.mark.parametrize(
    "n, rank, spread, n_shown",
    [(3000, 20, 0, 32), (3000, 20, 6, 32), (20, 400, 0, 32), (300, 1, 0, 16), (300, 0, 0, 16)],
)
def test_a_subspace_of_rows_of_few_directions(n, rank, spread, n_shown):
    """All of their directions are found, the smallest of a millionth too, and made up to some at right angles."""
    rng = np.random.default_rng(1)
    X = (rng.normal(size=(n, rank)) * np.logspace(0, -spread, rank)) @ rng.normal(size=(rank, 400)) + 3
    rows = Rows(X, None, Workers(1))
    subspace = screen8.Subspace(rows)
    directions = subspace.directions
    assert subspace.n_shown == n_shown and np.allclose(
        directions.T @ directions, np.eye(directions.shape[1]), rtol=0, atol=1e-13
    )
    coordinates, squares = subspace.coordinates(rows, X)
    assert (coordinates[:, -1] <= 1.01 * screen8.ROUNDING * np.sqrt(squares)).all()


def search(X, start, weights, n_threads, algorithm="lloyd"):
    """All that a run of Lloyd's iteration finds, from its bits."""
    with Workers(n_threads) as workers:
        rows = Rows(X, weights, workers, algorithm=algorithm)
        partition, centers, n_iter, reason = lloyd(rows, rows.scale(start), 12)
        inertia = rows.update(partition.labels, centers)[2]
        again = rows.panels.assign(centers)
    assert np.array_equal(again, partition.labels) or reason != "converged"
    return partition.labels.tobytes(), centers.tobytes(), n_iter, reason, inertia


def data(kind, n, d, dtype):
    with np.errstate(over="ignore", under="ignore"):
        X = problem(kind, n, d).astype(dtype)
    if not np.isfinite(X).all() or not X.any():
        pytest.skip("not of this type")
    return X


@DTYPES
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d, k", [(1, 2), (3, 33), (16, 9), (37, 64), (130, 40)])
def test_the_same_bits_as_without_bytes(forced, monkeypatch, dtype, kind, d, k):
    X = data(kind, 1100, d, dtype)
    rng = np.random.default_rng(1)
    start = X[rng.choice(len(X), k, replace=False)].astype(float)
    for weights in (None, rng.integers(0, 3, len(X)).astype(float)):
        by_bytes = {
            search(X, start, weights, *way) for way in ((1, "lloyd"), (3, "lloyd"), (1, "auto"), (2, "auto"))
        }
        with monkeypatch.context() as patch:
            patch.setattr(screen8.Screen, "suits", lambda *_: False)
            assert by_bytes == {search(X, start, weights, 2)}
    assert forced[0] > 0 or kind in ("huge", "tiny", "subnormal")


@DTYPES
@pytest.mark.parametrize("kind", ["blobs", "offset", "grid", "one feature", "scales"])
def test_every_variant_gives_the_same_bits(forced, monkeypatch, instructions, dots, dtype, kind):
    for d, k in [(5, 7), (64, 33), (67, 70)]:
        X = data(kind, 700, d, dtype)
        start = X[:k].astype(float)
        found = search(X, start, None, 1, "auto")
        with monkeypatch.context() as patch:
            patch.setattr(screen8.Screen, "suits", lambda *_: False)
            assert found == search(X, start, None, 1)
    assert forced[0] > 0


@DTYPES
@pytest.mark.parametrize("kind", ["grid", "near copies", "zeros", "scales"])
def test_rows_of_length_one_are_the_same_made_on_the_way(forced, instructions, dots, dtype, kind):
    """Divided by their lengths where they are needed, or before; ties, copies and zeros among them."""
    rng = np.random.default_rng(2)
    for d, k in [(37, 33), (130, 40)]:
        X = data(kind, 300, d, dtype)
        X[::50] = X[1]
        with Workers(1) as workers:
            asked_for = with_lengths(X, workers)
        assert isinstance(asked_for, UnitRows)
        units = directions(X)
        assert np.array_equal(units, asked_for[:]) and np.array_equal(units[5:9], asked_for[np.arange(5, 9)])
        for weights in (None, rng.integers(0, 3, len(X)).astype(float)):
            found = {search(units, units[:k], weights, 1), search(units, units[:k], weights, 1, "auto")}
            for n_threads in (1, 3):
                found |= {search(asked_for, units[:k], weights, n_threads, way) for way in ("lloyd", "auto")}
            assert len(found) == 1
    assert forced[0] > 0


@DTYPES
def test_labels_of_near_ties(forced, instructions, dots, dtype):
    """Against exact fractions, with rows and centers around whole panels and blocks, kept or made bytes on the way."""
    rng = np.random.default_rng(0)
    for n, d, k in [(1, 1, 1), (7, 2, 3), (64, 3, 4), (65, 4, 5), (33, 16, 31), (31, 65, 33)]:
        for offset in (0.0, 1e4, 1e8):
            X, centers = near_ties(rng, n, d, k, dtype, offset)
            rows = Rows(X, None, Workers(1), compared_with=centers)
            some = rng.integers(n, size=8)
            expected = reference.assign(numbers(X[some]), numbers(centers))
            screen = rows.panels.screen
            for kept in ("nothing", "features", "coordinates")[: 1 + 2 * (n > 1)]:
                if kept != "nothing":
                    screen.drop()
                    screen.subspace = screen8.Subspace(rows) if kept == "coordinates" else None
                    screen.keep(rows)
                assert rows.panels.assign(centers)[some].tolist() == expected
    assert forced[1] > 0


def exact_scores(rows, i, centers):
    """|c|^2/2 - x.c of row i and each center, less the origin and times the scale, in fractions."""
    scale, origin = Fraction(rows.panels.scale), [Fraction(value) for value in rows.origin]

    def units(values):
        return [(Fraction(float(value)) - o) * scale for value, o in zip(values, origin)]

    x = units(rows.X[i])
    return [sum(b * b for b in c) / 2 - sum(a * b for a, b in zip(x, c)) for c in map(units, centers)]


@pytest.mark.parametrize("kind", ["blobs", "offset", "scales", "one feature", "zeros"])
@DTYPES
def test_bounds_hold_in_exact_arithmetic(instructions, dots, dtype, kind):
    """The score that bytes give each row and center is off by no more than the bound, in fractions."""
    rng = np.random.default_rng(3)
    for d, k in [(3, 5), (33, 6), (80, 4)]:
        X = problem(kind, 40, d).astype(dtype)
        centers = X[:k].astype(float) + rng.normal(size=(k, d)) * np.abs(X[:k]).max() / 30
        rows = Rows(X, None, Workers(1), compared_with=centers)
        screen, scratch = screen8.Screen(), screen8.scratch(1, d)
        low, high = np.empty((2, k, len(X)))
        for j in range(k):
            kernels.least_bounds(rows.X, screen.centers(rows, centers[j : j + 1]), scratch, low[j], high[j])
        for i in rng.integers(len(X), size=6):
            for j, score in enumerate(exact_scores(rows, i, centers)):
                assert Fraction(low[j, i]) <= score <= Fraction(high[j, i])


@pytest.mark.parametrize("kind", ["blobs", "offset", "scales", "one feature", "zeros", "near copies"])
@pytest.mark.parametrize("fine", [False, True])
@DTYPES
def test_bounds_of_pairs_hold_in_exact_arithmetic(monkeypatch, instructions, dots, dtype, kind, fine):
    """Scores of two centers, and their difference, are off by no more than the bounds, in fractions; these are much the smaller."""
    rng = np.random.default_rng(3)
    monkeypatch.setattr(screen8, "LEAST_PAIRED", 1)
    for d, k in [(3, 5), (33, 6), (80, 4)]:
        X = problem(kind, 40, d).astype(dtype)
        centers = X[:k].astype(float) + rng.normal(size=(k, d)) * np.abs(X[:k]).max() / 30
        rows = Rows(X, None, Workers(1), compared_with=centers)
        scores, errors = np.empty((2, len(X), k))
        pair_errors = np.empty((len(X), k, k))
        screened = screen8.Screen().centers(rows, centers)
        kernels.pair_bounds(rows.X, screened, screen8.scratch(k, d), fine, scores, errors, pair_errors)
        for i in rng.integers(len(X), size=6):
            off = [exact - Fraction(score) for exact, score in zip(exact_scores(rows, i, centers), scores[i])]
            assert all(abs(one) <= Fraction(most) for one, most in zip(off, errors[i]))
            for a in range(k):
                assert all(abs(off[b] - off[a]) <= Fraction(pair_errors[i, a, b]) for b in range(k) if b != a)


def test_pairs_of_centers_leave_less_open(monkeypatch):
    X = np.random.default_rng(0).normal(size=(3000, 300)).astype(np.float32)
    means = X[:10].astype(float)
    shares = []
    for least in (10**6, 256):
        monkeypatch.setattr(screen8, "LEAST_PAIRED", least)
        screen = screen8.Screen()
        with Workers(1) as workers:
            rows = Rows(X, None, workers)
            screen._look(rows, X, None, screen.centers(rows, means), 10)
        shares.append(screen.share_open)
    assert shares[0] > 0.05 and shares[1] < 0.7 * shares[0]


def test_bytes_are_used_where_they_pay_and_left_where_they_do_not(monkeypatch):
    kinds = kernels.dots_kinds()
    if len(kinds) < 2:
        pytest.skip("no fast product of bytes")
    rng = np.random.default_rng(0)
    means = 2 * rng.normal(size=(200, 128))
    X = (rng.normal(size=(20_000, 128)) + means[rng.integers(200, size=20_000)]).astype(np.float32)
    alike = (1 + 1e-5 * rng.normal(size=(20_000, 128))).astype(np.float32)
    alike[:10] += 100  # the scale of all bytes, which tell the others nothing
    for rows, centers, expected in ((X, means, True), (alike, alike[-200:].astype(float), False)):
        with Workers(1) as workers:
            some = Rows(rows, None, workers, algorithm="lloyd")
            lloyd(some, centers, 3)
        assert (some.panels.screen.rows8 is not None) == expected
        assert not expected or some.panels._arrays is None


def test_predict_is_the_same(forced, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 40)).astype(np.float32)
    model = KMeans(30, init=X[:30], n_init=1, max_iter=3, polish=False).fit(X)
    other = rng.normal(size=(999, 40))
    labels = model.predict(other)
    monkeypatch.setattr(screen8.Screen, "suits", lambda *_: False)
    assert np.array_equal(labels, model.predict(other))


def test_rows_of_length_one_take_no_memory(forced):
    X = np.random.default_rng(0).normal(size=(50_000, 64)).astype(np.float32)
    tracemalloc.start()
    try:
        SphericalKMeans(50, init=X[:50], n_init=1, max_iter=3, n_threads=2).fit(X)
        extra = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert extra < X.nbytes  # where a copy in double would take twice that
    assert forced[0] > 0


def test_bytes_take_the_place_of_panels_and_a_quarter_of_their_memory(forced):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50_000, 64)).astype(np.float32)
    for algorithm in ("lloyd", "auto"):
        tracemalloc.start()
        try:
            with Workers(2) as workers:
                rows = Rows(X, None, workers, algorithm=algorithm)
                lloyd(rows, X[:50].astype(float), 3)
            extra = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert extra < 0.5 * X.nbytes
    assert forced[0] > 0


@pytest.mark.parametrize(
    "use, said",
    [
        (kernels.use, "instruction set 'none' is not among"),
        (kernels.use_dots, "dot product 'none' is not among"),
    ],
)
def test_what_the_processor_has_not(use, said):
    before = kernels.in_use() if hasattr(kernels, "in_use") else None, kernels.dots_in_use()
    with pytest.raises(ValueError, match=said):
        use("none")
    assert before == (kernels.in_use() if hasattr(kernels, "in_use") else None, kernels.dots_in_use())


@DTYPES
def test_bounds_of_rows_whose_squares_are_below_all_numbers(forced, instructions, dots, dtype):
    """Their squared norms round up, each by half of the least number; a bound made of them kept a row in its cluster."""
    d, v = 257, 2.74e-23
    small, large = np.append(np.ones(d - 1), 0), np.append(np.zeros(d - 1), 0.99)
    X = np.vstack([v * small] * 32 + [-v * small] * 32 + [large, -large]).astype(dtype)
    centers = np.vstack([0 * small, 2.1 * v * small, -1.9 * v * small, large, -large])
    with Workers(1) as workers:
        rows = Rows(X, None, workers)
        partition = Partition(rows, len(centers))
        bounds, lists = Bounds(rows, centers, False), partition.scratch()
        for factor in (1.0, 1.9 / 2.1):
            moved = centers * np.array([1.0, factor, 1.0, 1.0, 1.0])[:, None]
            bounds.move_to(moved)
            screened, room = rows.panels.screen.centers(rows, moved), screen8.scratch(*moved.shape)
            rows.panels.screen.label(rows, screened, partition.labels, bounds, lists, room, 0, 3)
            some = [0, 31, 32, 64, 65]
            expected = reference.assign(numbers(X[some].astype(float)), numbers(moved))
            assert partition.labels[some].tolist() == expected


@DTYPES
def test_a_row_near_the_origin_and_a_center_far_away(forced, monkeypatch, instructions, dots, dtype):
    """A row too short for bytes made errors of a score that single precision does not hold, for all rows of its panel."""
    rng = np.random.default_rng(0)
    X = 0.99 * rng.choice([-1.0, 1.0], (300, 300))
    X = np.vstack([X, -X])
    X[0] = 1.2e-10 * np.sign(X[0])
    X[300] = -X[0]
    X = X.astype(dtype)
    start = np.vstack([X[1:8], np.full((1, X.shape[1]), 9.5e14)]).astype(float)
    found = search(X, start, None, 1, "auto")
    assert forced[0] > 0 and min(np.frombuffer(found[0], np.int32)) >= 0
    monkeypatch.setattr(screen8.Screen, "suits", lambda *_: False)
    assert found == search(X, start, None, 1)
