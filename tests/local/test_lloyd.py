"""The compiled Lloyd iteration against the exact one."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from problems import (
    assign,
    exact_cost,
    exact_grid,
    exact_inertia,
    exact_run,
    near_ties,
    numbers,
    plain,
    rows_of,
    run,
    trace,
)

from ckmeans import KMeans, reference
from ckmeans._kernels import panels
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

# Time is no measure on a busy machine, and many random starts lose a cluster or are ambiguous.
UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
FAST = settings(deadline=None, max_examples=30, suppress_health_check=UNHURRIED)
SEEDS = st.integers(0, 2**32 - 1)
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)


# ---- assignment: exact nearest centers, ties to the lowest index ----


@DTYPES
@given(SEEDS, st.integers(1, 20), st.integers(1, 40))
@FAST
def test_labels_on_integer_grids(dtype, seed, d, k):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (12, d)).astype(dtype)
    centers = rng.integers(0, 7, (k, d)) / 2
    assert assign(X, centers).tolist() == reference.assign(numbers(X), numbers(centers))


@pytest.mark.parametrize("offset", [0.0, 1e8, -1e8])
@pytest.mark.parametrize("scale", [0, 498, -498, 664, -664], ids=lambda e: f"2**{e}")  # 1, 1e+-150, 1e+-200
@given(SEEDS, st.integers(1, 20), st.integers(2, 40))
@settings(FAST, max_examples=12)
def test_labels_one_unit_in_the_last_place_apart(offset, scale, seed, d, k):
    X, centers = near_ties(np.random.default_rng(seed), 8, d, k, offset=offset)
    X, centers = np.ldexp(X, scale), np.ldexp(centers, scale)
    assert assign(X, centers).tolist() == reference.assign(numbers(X), numbers(centers))


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e5])
@given(SEEDS, st.integers(1, 20), st.integers(2, 40))
@settings(FAST, max_examples=20)
def test_labels_one_unit_apart_in_single_precision(offset, seed, d, k):
    X, centers = near_ties(np.random.default_rng(seed), 8, d, k, dtype=np.float32, offset=offset)
    assert X.dtype == np.float32
    assert assign(X, centers).tolist() == reference.assign(numbers(X), numbers(centers))


@given(SEEDS, st.integers(1, 20))
@settings(FAST, max_examples=20)
def test_labels_among_copies_and_antipodes(seed, d):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(6, d)) * 10.0 ** rng.integers(-140, 140)
    centers = rng.permutation(
        np.vstack([half, half, -half])
    )  # each is there twice; 0 lies between all antipodes
    X = np.vstack([half[:3], np.zeros((1, d)), np.ldexp(half[:1], -70)])
    assert assign(X, centers).tolist() == reference.assign(numbers(X), numbers(centers))


@DTYPES
@given(SEEDS, st.integers(2, 20), st.integers(2, 30))
@FAST
def test_labels_where_computed_distances_differ_and_true_ones_do_not(dtype, seed, d, k):
    """The same coordinates in another order: as far from the origin, but the rounded sums of squares vary."""
    rng = np.random.default_rng(seed)
    X = np.vstack([np.zeros((1, d)), rng.normal(size=(1, d)) * 1e-17, rng.normal(size=(2, d))]).astype(dtype)
    arm = rng.normal(size=d)
    centers = np.array([rng.permutation(arm) * rng.choice([-1, 1], d) for _ in range(k)])
    nudged = rng.random(k) < 0.3
    centers[nudged, 0] = np.nextafter(centers[nudged, 0], rng.choice([-9, 9], nudged.sum()))
    assert assign(X, centers).tolist() == reference.assign(numbers(X), numbers(centers))


@pytest.mark.parametrize(
    "X, centers",
    [
        ([[0.5, 1e-200]], [[0, 3e-200], [1, 1e-200]]),  # the second feature breaks the tie of the first
        ([[1.0], [1e-170], [3e-170]], [[0], [4e-170], [1]]),
    ],
)
def test_labels_where_squares_underflow(X, centers):
    assert assign(np.array(X), np.array(centers, float)).tolist() == reference.assign(X, centers)


@pytest.fixture(params=panels.instruction_sets())
def instruction_set(request):
    """Each set that this processor has, in turn."""
    before = panels.instruction_sets()[-1]
    panels.use(request.param)
    yield request.param
    panels.use(before)


@DTYPES
def test_labels_by_every_instruction_set(instruction_set, dtype):
    """Rows and centers around whole panels and tiles, near ties and small offsets among them."""
    rng = np.random.default_rng(0)
    for n, d, k in [
        (1, 1, 1),
        (7, 2, 3),
        (64, 3, 4),
        (65, 4, 5),
        (129, 5, 8),
        (31, 16, 9),
        (33, 17, 33),
        (200, 2, 40),
    ]:
        for offset in (0.0, 1e4):
            X, centers = near_ties(rng, n, d, k, dtype, offset)
            centers[::3] = X[rng.integers(n, size=len(centers[::3]))] + rng.normal(
                size=(len(centers[::3]), d)
            )
            some = rng.integers(n, size=8)
            labels = assign(X, centers)
            assert labels[some].tolist() == reference.assign(numbers(X[some]), numbers(centers))
            sq = ((X[:, None].astype(np.longdouble) - centers) ** 2).sum(axis=2)
            assert (sq[np.arange(n), labels] <= sq.min(axis=1) * (1 + 1e-15)).all()


@DTYPES
@pytest.mark.parametrize("weighted", [False, True])
def test_every_instruction_set_goes_the_same_way(instruction_set, dtype, weighted):
    rng = np.random.default_rng(1)
    X, weights = rng.normal(size=(3000, 3)).astype(dtype), rng.uniform(0, 2, 3000) if weighted else None
    panels.use("sse2" if "sse2" in panels.instruction_sets() else instruction_set)
    expected = KMeans(9, random_state=0, n_init=2).fit(X, sample_weight=weights)
    panels.use(instruction_set)
    model = KMeans(9, random_state=0, n_init=2).fit(X, sample_weight=weights)
    assert model.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    assert np.array_equal(model.labels_, expected.labels_) and model.inertia_ == expected.inertia_


@pytest.mark.parametrize("distance", [1e10, 1e19, 1e25, 1e38, 1e60, 1e150, 1e170, 1e250])
@DTYPES
def test_labels_with_centers_far_from_all_rows(dtype, distance):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X, centers = rng.normal(size=(9, 2)).astype(dtype), rng.normal(size=(5, 2))
        centers[rng.permutation(5)[: rng.integers(1, 6)]] *= distance
        rows = rows_of(X)
        labels = rows.panels.assign(centers)
        assert labels.tolist() == reference.assign(numbers(X), numbers(centers))


def test_labels_of_thousands_of_centers():
    rng = np.random.default_rng(0)
    centers = rng.integers(0, 60, (3001, 2)).astype(float)
    X = rng.integers(0, 120, (3000, 2)) / 2
    sq = ((X[:, None, :] - centers) ** 2).sum(axis=2)  # small dyadic numbers: nothing rounds
    assert np.array_equal(assign(X, centers), sq.argmin(axis=1))


def test_rows_times_clusters_beyond_31_bits():
    n = 47_000
    X = np.arange(n)[:, None] * 2.0 + 1  # half of the rows lie halfway between two centers
    centers = np.arange(n)[::-1, None] * 4.0
    assert n * n > 2**31
    labels = assign(X[:: n // 40], centers)
    assert np.array_equal(assign(X, centers, n_threads=2)[:: n // 40], labels)
    assert labels.tolist() == np.abs(X[:: n // 40] - centers.T).argmin(axis=1).tolist()


@DTYPES
def test_distances_are_squared_and_right(dtype):
    rng = np.random.default_rng(0)
    X, centers = rng.normal(size=(20, 5)).astype(dtype), rng.normal(size=(7, 5))
    exact = [[float(reference.sq_distance(x, c)) for c in numbers(centers)] for x in numbers(X)]
    assert np.allclose(rows_of(X).distances(centers), exact, rtol=1e-15, atol=0)


# ---- iteration ----


@DTYPES
@pytest.mark.parametrize("weighted", [False, True])
@given(SEEDS, st.integers(1, 10), st.integers(1, 4), st.integers(1, 5))
@FAST
@example(0, 10, 1, 2)
def test_lloyd_label_for_label(dtype, weighted, seed, n, d, k):
    n = min(n, 6) if weighted and dtype == np.float32 else n
    X, weights, start = exact_grid(np.random.default_rng(seed), n, d, min(k, n), dtype, weighted)
    labels, centers, n_iter, emptied = exact_run(X, start, weights)
    assume(not emptied)
    model = plain(X, start, sample_weight=weights)
    assert model.labels_.tolist() == labels
    assert numbers(model.cluster_centers_) == centers
    assert model.n_iter_ == n_iter + (
        n_iter > 1 or centers != numbers(start)
    )  # the last finds that nothing moves
    assert model.inertia_ == pytest.approx(float(exact_cost(X, labels, weights)), rel=1e-15)
    assert model.stop_reason_ == "converged"


@given(SEEDS)
@settings(FAST, max_examples=10)
def test_lloyd_label_for_label_on_reals(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 2)) + 1e8 * rng.integers(0, 2)
    start = X[rng.choice(40, 4, replace=False)]
    labels, centers, n_iter, emptied = exact_run(X, start)
    assume(not emptied)
    model = plain(X, start)
    assert model.labels_.tolist() == labels
    assert np.allclose(model.cluster_centers_, np.array(centers, float), rtol=1e-15, atol=1e-15)
    assert model.n_iter_ == n_iter + 1


@DTYPES
@given(SEEDS, st.integers(2, 10), st.integers(1, 3), st.integers(1, 5))
@FAST
def test_the_exact_objective_never_rises(dtype, seed, n, d, k):
    """Nothing rounds here, so not by a single bit; clusters may lose all rows on the way."""
    X, _, start = exact_grid(np.random.default_rng(seed), n, d, min(k, n), dtype)
    steps, reason = trace(rows_of(X), start)
    last = run(rows_of(X), start)[0]
    exact = [exact_inertia(X, labels, centers) for labels, centers, _ in steps]
    assert all(after <= before for before, after in pairwise(exact))
    assert reason == "converged"
    assert exact[-1] == exact_inertia(X, last.labels, last.centers) == exact_cost(X, last.labels)


def test_progress_below_the_rounding_of_the_inertia():
    """Two rows far apart in one cluster make an inertia of 2e18, whose last bit is 256; the others still iterate."""
    x = np.sort(np.random.default_rng(0).permutation(2**10)[:150]) / 2.0**10
    X = np.vstack([np.c_[x, 0 * x], [[2.0**30, 2.0**30], [-(2.0**30), 2.0**30]]])
    start = np.vstack([X[:4], [[0, 2.0**30]]])
    labels, _, n_iter, emptied = exact_run(X, start)
    assert n_iter > 12 and not emptied
    model = plain(X, start)
    assert model.stop_reason_ == "converged"
    assert model.labels_.tolist() == labels


@pytest.mark.parametrize("exponent", [0, 20, 40, 60, 80, 100, 200])
def test_a_column_that_is_large_and_constant(exponent):
    """It takes no part in any distance, and must not take the digits of the others."""
    for seed in range(25):
        X, _, start = exact_grid(np.random.default_rng(seed), 9, 1, 3)
        X, start = (np.c_[np.full(len(A), 2.0**exponent), A * 2.0**-30] for A in (X, start))
        labels, centers, _, emptied = exact_run(X, start)
        if not emptied:
            model = plain(X, start, max_iter=1000)
            assert model.stop_reason_ == "converged"
            assert model.labels_.tolist() == labels
            assert numbers(model.cluster_centers_) == centers


@pytest.mark.parametrize("value", [1e10, 1e20, 1e30, 3.4e38, 1e99, 1e150])
def test_one_value_far_from_all_others(value):
    """3.4e38 and the like mark what is missing, in some files: a cluster of its own, and the rest as without it."""
    X = np.random.default_rng(0).normal(size=(200, 2))
    alone = plain(X, X[:3])
    model = plain(np.vstack([X, [[value, value]]]), np.vstack([X[:3], [[value, value]]]), max_iter=1000)
    assert model.stop_reason_ == "converged"
    assert np.array_equal(model.labels_, np.r_[alone.labels_, 3])
    assert np.allclose(model.cluster_centers_[:3], alone.cluster_centers_, rtol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_tol_is_the_squared_shift_as_a_share_of_the_variance(weighted):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(2000, 2)) * [1, 3] + 100, rng.integers(0, 3, 2000)
    copies = np.repeat(X, weights if weighted else 1, axis=0)
    for tol in (0.3, 0.03, 0.003):
        rows = rows_of(X, weights.astype(float) if weighted else None)
        here, n_iter, reason = run(rows, X[:8], tol=tol)
        steps = trace(rows_of(copies), X[:8], tol)[0]
        shifts = [((a.centers - b.centers) ** 2).sum() for a, b in pairwise(steps)]
        assert reason == "tol" and n_iter == len(shifts)
        assert here.inertia == pytest.approx(steps[-1].inertia, rel=1e-12)
        assert shifts[-1] <= tol * copies.var(axis=0).mean() < min(shifts[:-1])


@pytest.mark.parametrize("tol", [0.1, 1e-3, 1e-5, 0])
def test_tol_and_the_count_of_updates_are_those_of_scikit_learn(tol):
    for seed in range(10):
        X = np.random.default_rng(seed).normal(size=(300, 3)) * [1, 2, 5]
        theirs = sklearn.cluster.KMeans(6, init=X[:6], tol=tol, n_init=1).fit(X)
        model = KMeans(6, init=X[:6], tol=tol, n_init=1, polish=False).fit(X)
        assert model.n_iter_ == theirs.n_iter_ and np.array_equal(model.labels_, theirs.labels_)
        assert np.allclose(model.cluster_centers_, theirs.cluster_centers_)


@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_max_iter_counts_updates(max_iter):
    X = np.random.default_rng(0).normal(size=(60, 2))
    centers = numbers(X[:5])
    for _ in range(max_iter):
        _, centers = reference.lloyd_step(numbers(X), centers)
    model = plain(X, X[:5], max_iter=max_iter)
    assert (model.n_iter_, model.stop_reason_) == (max_iter, "max_iter")
    assert np.allclose(model.cluster_centers_, np.array(centers, float), rtol=1e-14)
    assert np.array_equal(model.labels_, model.predict(X))


# ---- weights ----


@DTYPES
@given(SEEDS, st.booleans())
@settings(FAST, max_examples=15)
def test_rows_without_weight_count_for_nothing(dtype, seed, seeded):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(60, 2)).astype(dtype), rng.integers(0, 3, 60) * rng.uniform(0.5, 2, 60)
    kept = weights > 0
    kwargs = {
        "init": "k-means++" if seeded else X[kept][:3],
        "n_init": 1 + seeded,
        "random_state": seed,
    }
    every = KMeans(3, **kwargs).fit(X, sample_weight=weights)
    some = KMeans(3, **kwargs).fit(X[kept], sample_weight=weights[kept])
    assert np.array_equal(every.labels_[kept], some.labels_)
    assert np.allclose(
        every.cluster_centers_, some.cluster_centers_, rtol=1e-13 if dtype == np.float64 else 2e-7, atol=1e-15
    )
    assert every.inertia_ == pytest.approx(some.inertia_, rel=1e-14 if dtype == np.float64 else 1e-12)
    assert np.array_equal(every.predict(X), every.labels_)


@given(SEEDS)
@FAST
def test_whole_weights_are_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    X, weights, start = exact_grid(rng, 9, 2, 4, weighted=True)
    if seed % 2:
        start[rng.permutation(4)[:2]] = 1e6 * X.max() + 1  # two that get no row
    copies = weights.astype(int)
    assume(copies.sum() >= 4)
    weighted, repeated = plain(X, start, sample_weight=weights), plain(np.repeat(X, copies, axis=0), start)
    assert np.array_equal(weighted.cluster_centers_, repeated.cluster_centers_)
    assert np.array_equal(np.repeat(weighted.labels_, copies), repeated.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-14)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-100, 1e100, 1e300])
def test_the_scale_of_the_weights_is_a_unit(scale):
    X = np.random.default_rng(0).normal(size=(50, 2))
    weights = np.random.default_rng(1).integers(1, 4, 50)
    one, other = (plain(X, X[:4], sample_weight=weights * unit) for unit in (1.0, scale))
    assert np.array_equal(one.labels_, other.labels_)
    assert np.isfinite(other.cluster_centers_).all()
    assert other.inertia_ / scale == pytest.approx(one.inertia_, rel=1e-12 if scale > 1e-310 else 1e-3)


@pytest.mark.parametrize("shift", [0, -100])
@pytest.mark.parametrize("exponent", [-900, -490, -250, 250, 490, 900])
def test_the_scale_of_the_rows_is_a_unit(exponent, shift):
    X = np.random.default_rng(0).normal(size=(50, 2)) + shift
    scaled = np.ldexp(X, exponent)
    one, other = KMeans(4, random_state=0).fit(X), KMeans(4, random_state=0).fit(scaled)
    assert np.array_equal(one.labels_, other.labels_)
    assert np.array_equal(np.ldexp(one.cluster_centers_, exponent), other.cluster_centers_)
    assert np.array_equal(other.predict(scaled), one.labels_)
    with np.errstate(over="ignore", under="ignore"):
        assert other.inertia_ == np.ldexp(one.inertia_, 2 * exponent) == -other.score(scaled)


def test_rows_whose_sum_overflows():
    X = np.linspace(1e308, 1.7e308, 12)[:, None]
    model, scaled = plain(X, X[:3]), plain(X / 2.0**100, X[:3] / 2.0**100)
    assert np.array_equal(model.labels_, scaled.labels_)
    assert np.array_equal(model.cluster_centers_, scaled.cluster_centers_ * 2.0**100)


# ---- threads ----


class CountingWorkers(Workers):
    """Workers that remember the most blocks they were given at once."""

    most = 0

    def run(self, kernel, blocks):
        blocks = list(blocks)
        self.most = max(self.most, len(blocks))
        super().run(kernel, blocks)


@DTYPES
@pytest.mark.parametrize("weighted", [False, True])
def test_same_bits_for_any_number_of_threads(dtype, weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160_000, 3)).astype(dtype) + 100
    weights = rng.uniform(0, 2, len(X)) if weighted else None
    results = []
    for n_threads in (1, 2, 3, 7):
        with CountingWorkers(n_threads) as workers:
            rows = Rows(X, weights, workers)
            rows.panels.pack()
            clustering, n_iter, _ = run(rows, X[:17], 6)
            assert workers.most >= 8  # several slabs; the blocks of `assign`:
            workers.most = 0
            assert np.array_equal(rows.panels.assign(clustering.centers), clustering.labels)
            assert workers.most >= 2
            sq = rows.distances(clustering.centers)
        results.append(
            [a.tobytes() for a in (*clustering[:2], np.float64(clustering.inertia), sq)] + [n_iter]
        )
    assert all(result == results[0] for result in results)


def test_same_bits_from_the_estimator():
    X = np.random.default_rng(0).normal(size=(60_000, 2))
    first, *others = (
        KMeans(5, random_state=0, max_iter=20, n_init=2, n_threads=n).fit(X) for n in (1, 2, 3, 7)
    )
    for other in others:
        assert first.cluster_centers_.tobytes() == other.cluster_centers_.tobytes()
        assert np.array_equal(first.labels_, other.labels_)
        assert (first.inertia_, first.n_iter_, first.n_restarts_) == (
            other.inertia_,
            other.n_iter_,
            other.n_restarts_,
        )


# ---- where the peers fail ----


def test_a_large_offset():
    """X = 1e8 + N(0, 1): scikit-learn 1.9 predicts 8,430 of 10,000 labels wrong."""
    X = 1e8 + np.random.default_rng(0).normal(size=(10_000, 8))
    model = KMeans(10, random_state=0, n_init=1).fit(X)
    # All numbers are whole multiples of 2**-27 near 1e8: 64-bit integers decide exactly.
    whole, centers = (((a - 1e8) * 2.0**27).astype(np.int64) for a in (X, model.cluster_centers_))
    assert np.array_equal(whole / 2.0**27 + 1e8, X) and np.array_equal(
        centers / 2.0**27 + 1e8, model.cluster_centers_
    )
    sq = np.array([((whole - center) ** 2).sum(axis=1, dtype=object) for center in centers])
    assert np.array_equal(model.labels_, sq.argmin(axis=0))
    assert np.array_equal(model.predict(X), model.labels_)
    assert model.inertia_ == pytest.approx(float(Fraction(int(sq.min(axis=0).sum()), 2**54)), rel=1e-13)
    assert -model.score(X) == model.inertia_


@pytest.mark.parametrize(
    "dtype, distance, grain",
    [(np.float64, 1e9, 2.0**-10), (np.float32, 1e5, 2.0**-6)],
    ids=["float64", "float32"],
)
def test_two_far_groups_started_at_the_optimum(dtype, distance, grain):
    """scikit-learn 1.9 leaves the optimum for a value 20 times as large."""
    rng = np.random.default_rng(0)
    noise = [np.rint(rng.normal(size=(150, 2)) / grain) * grain for _ in range(2)]
    halves = [KMeans(2, random_state=0).fit(part) for part in noise]
    X = np.vstack([noise[0] - distance, noise[1] + distance]).astype(dtype)
    assert np.array_equal(X[:150], noise[0] - distance)  # the offset costs no bit
    start = np.vstack([halves[0].cluster_centers_ - distance, halves[1].cluster_centers_ + distance])
    costs = [exact_cost(X, clustering.labels) for clustering in trace(rows_of(X), start)[0]]
    assert all(after <= before for before, after in pairwise(costs))
    expected = halves[0].inertia_ + halves[1].inertia_
    for model in (plain(X, start), KMeans(4, random_state=0).fit(X)):
        more = 1e-9 if dtype == np.float64 else 1e-4  # the centers are rounded
        assert model.inertia_ <= expected * (1 + more)
        assert float(exact_cost(X, model.labels_)) <= expected * (1 + more)
    assert np.array_equal(plain(X, start).labels_, np.r_[halves[0].labels_, halves[1].labels_ + 2])


@pytest.mark.parametrize("name", panels.instruction_sets())
def test_every_instruction_set_gives_the_same_bits(name):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(5000, 3)), 1)
    expected = KMeans(7, random_state=0, n_init=2).fit(X)
    used = panels.instruction_sets()[-1]
    panels.use(name)
    try:
        for algorithm in ("lloyd", "hamerly", "yinyang", "cells"):
            model = KMeans(7, random_state=0, n_init=2, algorithm=algorithm).fit(X)
            assert np.array_equal(model.cluster_centers_, expected.cluster_centers_)
            assert np.array_equal(model.labels_, expected.labels_) and model.inertia_ == expected.inertia_
            assert np.array_equal(model.predict(X), model.labels_)
        for dtype in (np.float32, np.float64):
            grid = rng.integers(0, 5, (400, 4)).astype(dtype)
            centers = rng.integers(0, 10, (11, 4)) / 2
            assert assign(grid, centers).tolist() == reference.assign(numbers(grid), numbers(centers))
    finally:
        panels.use(used)
