"""k-means||: candidates by rounds, weighted by their rows, clustered."""

import numpy as np
import pytest
from problems import rows_of
from scipy import sparse
from test_seeding import KINDS, close_to, data

from ckmeans import KMeans, SphericalKMeans
from ckmeans.local import oversampling
from ckmeans.local.oversampling import kmeans_parallel
from ckmeans.local.rows import Rows
from ckmeans.local.sparse import SparseRows
from ckmeans.workers import Workers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_same_bits_for_every_number_of_threads(kind, dtype, weighted):
    X = data(kind, dtype, 20_000, 3)
    weights = np.random.default_rng(1).integers(0, 4, len(X)) if weighted else None
    results = []
    for n_threads in (1, 3):
        rows = rows_of(X, weights, n_threads)
        centers = kmeans_parallel(rows, 9, np.random.default_rng(0))
        assert np.isfinite(centers).all()
        results.append(centers.tobytes())
    assert results[0] == results[1]
    if kind == "blobs":
        seeded = rows.clustering(centers).inertia
        assert seeded < 1.5 * rows.clustering(rows_of(X, weights).take(np.arange(9) * 2000)).inertia


def test_candidates_are_drawn_by_weighted_squared_distance_and_weigh_their_rows(monkeypatch):
    """One draw in one round: the rows and masses that are left to be clustered."""
    monkeypatch.setattr(oversampling, "ROUNDS", 1)
    seen = []
    monkeypatch.setattr(oversampling, "rows_for", lambda *args: seen.append(args) or Rows(*args))
    monkeypatch.setattr(oversampling, "FACTOR", 1)
    x, weights, n = np.array([0.0, 1, 3, 7]), np.array([1.0, 2, 1, 0.5]), 3000
    rows, rng, counts = rows_of(x[:, None], weights), np.random.default_rng(0), {}
    for _ in range(n):
        kmeans_parallel(rows, 1, rng)
        candidates, masses, _ = seen.pop()
        owners = abs(x[:, None] - candidates[:, 0]).argmin(axis=1)
        assert np.array_equal(masses, np.bincount(owners, weights, 2))
        pair = tuple(candidates.ravel().tolist())
        counts[pair] = counts.get(pair, 0) + 1
    expected = {}
    for first in range(4):
        p = weights * (x - x[first]) ** 2 / (weights * (x - x[first]) ** 2).sum()
        for second in range(4):
            if p[second]:
                expected[x[first], x[second]] = weights[first] / weights.sum() * p[second]
    close_to(counts, expected, n)


@pytest.mark.parametrize("init", ["k-means||", "plain k-means++"])
def test_by_name(init):
    X = data("blobs", np.float64)
    model = KMeans(5, init=init, random_state=0).fit(X)
    assert np.array_equal(model.predict(X), model.labels_)
    assert model.inertia_ < 1.01 * KMeans(5, random_state=0).fit(X).inertia_
    with pytest.raises(ValueError, match="'k-means\\+\\+', 'plain k-means\\+\\+', 'k-means\\|\\|', 'random'"):
        KMeans(5, init="k-means").fit(X)


def test_time_limit():
    model = KMeans(5, init="k-means||", max_seconds=0).fit(data("blobs", np.float64))
    assert model.stop_reason_ == "time_limit"


def thin(n=3000, d=80):
    """Rows of nine groups, each with features of its own, most of them zero."""
    rng = np.random.default_rng(0)
    X = np.round(rng.random((n, d)), 2) * (rng.random((n, d)) < 0.1)
    X[np.arange(n), np.arange(n) % 9] += 5
    return X


@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_rows(weighted):
    X = np.concatenate([thin(), thin()])
    weights = np.random.default_rng(1).integers(0, 4, len(X)).astype(float) if weighted else None
    results = []
    for n_threads in (1, 3):
        rows = SparseRows(sparse.csr_array(X), weights, Workers(n_threads))
        results.append(kmeans_parallel(rows, 9, np.random.RandomState(0)))
    assert np.array_equal(*results)
    own = [np.flatnonzero((X == center).all(axis=1)) for center in results[0]]
    assert all(len(same) == 2 for same in own) and len({same[0] % 9 for same in own}) == 9
    assert weights is None or all(weights[same].any() for same in own)


def test_sparse_rows_that_are_fewer_than_clusters():
    X = sparse.csr_array(np.eye(3)[np.arange(30) % 3])
    centers = kmeans_parallel(SparseRows(X, None, Workers(1)), 5, np.random.RandomState(0))
    assert sorted(np.unique(centers, axis=0).tolist()) == sorted(np.eye(3).tolist()) and len(centers) == 5


@pytest.mark.parametrize("kind", [KMeans, SphericalKMeans])
def test_sparse_rows_by_name(kind):
    X = sparse.csr_array(thin())
    model = kind(9, init="k-means||", n_init=1, random_state=0).fit(X)
    assert np.array_equal(model.predict(X), model.labels_)
    assert len(np.unique(np.stack([model.labels_, np.arange(3000) % 9]), axis=1).T) == 9


@pytest.mark.parametrize("kind", [np.array, sparse.csr_array])
def test_the_best_of_some_clusterings_of_the_candidates(monkeypatch, kind):
    """As many as there are a hundred rows for each candidate, and ten at most; what is best for the candidates mostly is for the rows."""
    X = data("blobs", np.float64, 6000, 3)
    monkeypatch.setattr(oversampling, "ROWS", 0.1)
    found, tried, clustered = {}, [], oversampling._clustered
    monkeypatch.setattr(oversampling, "_clustered", lambda *args: tried.append(clustered(*args)) or tried[-1])
    for most in (1, 10):
        monkeypatch.setattr(oversampling, "TRIES", most)
        found[most] = []
        for seed in range(20):
            rows = rows_of(X) if kind is np.array else SparseRows(kind(X), None, Workers(1))
            tried.clear()
            centers = kmeans_parallel(rows, 9, np.random.default_rng(seed))
            assert len(tried) == most
            assert np.array_equal(centers, min(tried, key=lambda one: one.inertia).centers)
            found[most].append(((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1).sum())
    assert np.median(found[10]) < 0.99 * np.median(found[1])
    X[0, 0] = 1e220  # of weight 0, for which all others are scaled: so are the centers that are compared
    rows = rows_of(X, np.append(0.0, np.ones(len(X) - 1)))
    tried.clear()
    candidates, make = [], oversampling.rows_for
    with monkeypatch.context() as patch:
        patch.setattr(oversampling, "rows_for", lambda *args: candidates.append(make(*args)) or candidates[0])
        kmeans_parallel(rows, 9, np.random.default_rng(0))
    assert candidates[0].exponent < 0 and len(tried) == 10
    for one in tried:
        squares = ((candidates[0].X[:, None] - one.centers) ** 2).sum(axis=2).min(axis=1)
        assert one.inertia == pytest.approx(candidates[0].sample_weight @ squares, rel=1e-9, abs=0)
    monkeypatch.setattr(oversampling, "ROWS", 1000)  # 45 candidates, or so
    tried.clear()
    kmeans_parallel(rows_of(X), 9, np.random.default_rng(0))
    assert len(tried) == 1
