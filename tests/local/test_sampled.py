"""Searches that begin in a sample: what is drawn, and that the result is a clustering of all rows like any other."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from clocks import Clock
from sklearn.datasets import make_blobs

from ckmeans import KMeans
from ckmeans.local import hybrid, restarts, sampled
from ckmeans.local.merging import merged
from ckmeans.local.random_stream import RandomStream
from ckmeans.local.rows import Rows
from ckmeans.local.sampled import sample_size
from ckmeans.local.samples import draw_from_clusters, draw_sample
from ckmeans.workers import Workers


def sample_of(X, size, weights=None, seed=0):
    with Workers(1) as workers:
        sample = draw_sample(Rows(X, weights, workers), size, RandomStream(seed))
        return sample.X, sample.weights()


def test_sizes():
    assert sample_size(4095, 3) == 4095  # all
    assert sample_size(5000, 3) == sampled.LEAST_ROWS
    assert sample_size(10**5, 30) == 10**5 // sampled.ONE_IN
    assert sample_size(10**6, 3) == 3 * sampled.MOST_ROWS_A_CLUSTER
    assert sample_size(10**5, 1000) == 1000 * sampled.ROWS_A_CLUSTER
    assert sample_size(50_000, 1000) == 50_000


def test_weights_stand_for_all_rows():
    """Sums over the sample are, on average, sums over all rows; and rows far out are there with small weights."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(20_000, 2)), rng.normal(size=(40, 2)) + 300])
    rows, weights = sample_of(X, 1000)
    assert weights.sum() == pytest.approx(len(X), rel=0.05)
    assert weights @ (rows**2).sum(axis=1) == pytest.approx((X**2).sum(), rel=0.05)
    far = rows.min(axis=1) > 200
    assert far.sum() >= 35 and weights[far].max() < 5 < weights[~far].max()


def test_whole_weights_are_copies():
    rng = np.random.default_rng(1)
    X, counts = rng.normal(size=(3000, 3)), rng.integers(0, 4, 3000)
    rows, weights = sample_of(X, 500, counts.astype(float))
    copies, their = sample_of(np.repeat(X, counts, axis=0), 500)
    distinct, inverse = np.unique(copies, axis=0, return_inverse=True)
    order = np.lexsort(rows.T[::-1])
    assert np.array_equal(distinct, rows[order])
    assert np.bincount(inverse.ravel(), their) == pytest.approx(weights[order])


@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_have_their_share_of_the_draws(weighted):
    """Weights of the rows drawn from a stratum add up to its own; rare rows far out are there."""
    rng = np.random.default_rng(0)
    centers = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 400.0]])
    truth = rng.choice(3, 20_000, p=[0.7, 0.298, 0.002])
    X = rng.normal(size=(20_000, 2)) + centers[truth]
    weights = rng.uniform(0.5, 2, len(X)) if weighted else None
    with Workers(1) as workers:
        sample = draw_from_clusters(Rows(X, weights, workers), 1000, RandomStream(0), centers)
    assert 900 < sample.n_samples <= 1000
    own = np.argmin(((sample.X[:, None] - centers) ** 2).sum(axis=2), axis=1)
    assert np.bincount(own, sample.weights()) == pytest.approx(np.bincount(truth, weights))
    assert np.bincount(own)[2] >= 30


@pytest.mark.parametrize("row", [0, 4999])
def test_rows_without_weight_are_never_drawn(row):
    weights = np.zeros(5000)
    weights[[row, 17, 18]] = 1.0, 1e-300, 3.0
    rows, _ = sample_of(np.arange(10_000.0).reshape(-1, 2), 1024, weights)
    assert set(rows[:, 0]) <= {2.0 * row, 34.0, 36.0} and 2.0 * row in rows[:, 0]


def test_drawing_takes_two_numbers_a_row():
    """The masses and their sums, and nothing else as long as the rows."""
    X = np.random.default_rng(0).normal(size=(400_000, 1))
    with Workers(1) as workers:
        rows = Rows(X, None, workers)
        tracemalloc.start()
        try:
            draw_sample(rows, 2000, RandomStream(0))
            assert tracemalloc.get_traced_memory()[1] < 2.3 * X.nbytes
        finally:
            tracemalloc.stop()


def test_equal_rows():
    X = np.full((5000, 2), 7.0)
    model = KMeans(3, random_state=0).fit(X)
    assert model.inertia_ == 0 and set(model.labels_) == {0} and model.status_ == "optimal"


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("shift, scale", [(0, 1.0), (1e8, 1.0), (0, 2.0**-400), (0, 2.0**500)])
def test_the_result_is_one_of_all_rows(kind, shift, scale):
    if kind == np.float32 and (shift or scale != 1):
        pytest.skip("beyond its digits")
    X = ((make_blobs(6000, 3, centers=9, random_state=2)[0] + shift) * scale).astype(kind)
    model = KMeans(9, random_state=0, n_threads=1).fit(X)
    assert model.n_restarts_ == 1 and model.stop_reason_ == "converged"
    assert np.array_equal(model.predict(X), model.labels_)
    again = KMeans(9, init=model.cluster_centers_, polish=False).fit(X)  # a fixed point
    assert np.array_equal(again.labels_, model.labels_)
    one = KMeans(9, init="k-means++", n_init=1, random_state=0).fit(X)
    assert model.inertia_ <= one.inertia_ * (1 + 1e-6)
    for n_threads in (2, 3):
        other = KMeans(9, random_state=0, n_threads=n_threads).fit(X)
        assert np.array_equal(other.cluster_centers_, model.cluster_centers_)
        assert other.inertia_ == model.inertia_


@pytest.mark.parametrize("init", ["k-means++", "plain k-means++", "k-means||", "random"])
def test_clusters_well_apart_are_found(init):
    """100 clusters, of which a start of k-means++ misses some: children move the centers that are not needed to them."""
    X, truth, centers = make_blobs(
        8000, 8, centers=100, cluster_std=0.05, random_state=0, return_centers=True
    )
    best = KMeans(100, init=centers).fit(X).inertia_
    hits = [
        KMeans(100, init=init, random_state=seed).fit(X).inertia_ <= best * (1 + 1e-9) for seed in range(3)
    ]
    assert sum(hits) >= (2 if init == "k-means++" else 0)


def test_max_iter_and_tol_are_kept_to():
    X = np.random.default_rng(0).normal(size=(5000, 4))
    model = KMeans(8, max_iter=2, random_state=0).fit(X)
    assert model.n_iter_ <= 2
    assert KMeans(8, tol=0.5, random_state=0).fit(X).stop_reason_ in ("tol", "converged")


def test_an_interrupt_leaves_centers_and_their_labels():
    X = np.random.default_rng(0).normal(size=(5000, 4))
    with Clock() as clock:
        KMeans(8, random_state=0, n_threads=1).fit(X)
    for look in range(3, clock.looks, max(1, clock.looks // 15)):
        model = KMeans(8, random_state=0, n_threads=1)
        with Clock(interrupt=look), pytest.raises(KeyboardInterrupt):
            model.fit(X)
        assert model.stop_reason_ == "interrupted" and model.cluster_centers_.shape == (8, 4)
        assert np.array_equal(model.predict(X), model.labels_)


def test_an_interrupt_of_the_founders_leaves_the_first_of_them(monkeypatch):
    """It is far better than rows at random."""
    X = make_blobs(20_000, 3, centers=300, cluster_std=0.01, random_state=0)[0]
    found = []

    def interrupted(*args):
        if found:
            raise KeyboardInterrupt
        found.append(merged(*args))
        return found[0]

    monkeypatch.setattr(sampled, "merged", interrupted)
    monkeypatch.setattr(restarts, "GRACE", 1e9)  # however slow the machine is
    model = KMeans(300, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert np.array_equal(model.cluster_centers_, found[0])
    assert np.array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_order_of_need_is_that_of_all_pairs(kind):
    """Of 1,100 centers, in blocks; a cluster without weight is needed least."""
    rng = np.random.default_rng(0)
    X, centers = rng.normal(size=(1500, 2)).astype(kind), rng.normal(size=(1100, 2))
    labels = rng.integers(0, 1099, 1500).astype(np.int32)  # the last has no rows
    with Workers(2) as workers:
        member = hybrid._Member(Rows(X, None, workers), 1.0, centers, labels, 0)
        order = member.needless_first()
        assert member.needless_first() is order
    masses = np.maximum(np.bincount(labels, minlength=1100), 1e-300)
    costs = ((centers[:, None] - centers) ** 2).sum(axis=2) / (1 / masses + 1 / masses[:, None])
    np.fill_diagonal(costs, np.inf)
    costs = costs.min(axis=1)
    assert sorted(order) == list(range(1100))
    assert np.all(np.diff(costs[order]) >= -1e-12 * costs.max())
    assert order[0] in np.flatnonzero(masses == 1e-300)


def test_runs_over_all_rows_are_crossed_where_a_start_of_many_updates_pays_for_it(monkeypatch):
    """On noise; the same bits with any number of threads, and no children where the updates are limited."""
    X, made = np.random.default_rng(0).random((20_000, 12)), []
    cross = sampled.Sampled.cross

    def counted(self, budget):
        best = cross(self, budget)
        made.append(self.n_children)
        return best

    monkeypatch.setattr(sampled.Sampled, "cross", counted)
    one, three = (KMeans(16, random_state=0, n_threads=n).fit(X) for n in (1, 3))
    assert made[-1] > 0 and np.array_equal(one.cluster_centers_, three.cluster_centers_)
    with_children, made[:] = made[:], []
    assert with_children[: len(with_children) // 2] == with_children[len(with_children) // 2 :]
    KMeans(16, random_state=0, max_iter=40).fit(X)
    assert not made


def test_children_have_centers_of_both_parents():
    one = np.array([[0.0, 0.0], [5.0, 5.0], [9.0, 0.0]])
    other = one[[2, 0, 1]] + 0.5
    assert np.array_equal(hybrid.crossed(one, other, np.zeros(3, bool)), one)
    assert np.array_equal(hybrid.crossed(one, other, np.ones(3, bool)), one + 0.5)
    assert np.array_equal(hybrid.crossed(one, other, np.array([False, True, False])), one + [[0], [0.5], [0]])


def test_searches_of_a_sample_end_at_fixed_points_of_lloyd():
    """Exchanges would lead on from there: they are for all rows."""
    X = np.random.default_rng(0).normal(size=(600, 3))
    with Workers(1) as workers:
        rows, ends = Rows(X, None, workers), {}
        for polished in (False, True):
            found = [None] * 6
            hybrid.Compiled(rows, 9, polished).run(6, RandomStream(0), np.inf, found)
            ends[polished] = np.array([inertia for inertia, *_ in found])
            centers, labels = found[0][1:3]
            assert np.array_equal(labels, ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1))
        assert (ends[True] < ends[False]).all()


def _a_run():
    return sampled.Sampled(
        Rows(np.random.default_rng(0).normal(size=(6000, 3)), None, Workers(1)),
        5,
        "k-means++",
        "auto",
        None,
        0.0,
        True,
        None,
    )


def test_iterations_are_told_by_the_mean_of_two_starts_if_these_cost_little(monkeypatch):
    run = _a_run()
    for cost, expected in ((0.0, 20.0), (np.inf, 10.0)):
        told = iter([10, 30, 50])
        monkeypatch.setattr(sampled, "iterations", lambda *_, told=told: next(told))
        monkeypatch.setattr(sampled, "told_price", lambda *_, cost=cost: cost)
        assert run.told_iterations(run.rows) == expected


def test_a_run_that_hardly_moves_does_not_lower_the_price(monkeypatch):
    """The start from a sample was near its end: a start from k-means++ would not have been. With few clusters it would."""
    run, budgets = _a_run(), []
    few = run.n_clusters
    assert few <= sampled.FEW_CLUSTERS
    run.n_clusters = sampled.FEW_CLUSTERS + 1
    run.whole, run.price, run.runs, run.rest = 1e12, 1e12, [0, 0], SimpleNamespace(moving=0)
    monkeypatch.setattr(sampled.Sampled, "cross", lambda self, budget: budgets.append(budget) or 0)
    assert run.go_on_from(None, None, 3) == (None, None, 3)
    run.n_clusters = few
    run.go_on_from(None, None, 3)
    assert budgets[0] > 0.7e12 > 1e6 > budgets[1]
