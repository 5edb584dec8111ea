"""Sparse rows are what the dense ones are: the same labels and means, exactly, from any way of writing them down."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import assign, each_instruction_set
from problems import rows_of as dense_rows
from scipy import sparse

from ckmeans import KMeans
from ckmeans._kernels import inverted as kernels
from ckmeans.local import sparse as module
from ckmeans.local.lloyd import lloyd
from ckmeans.local.sparse import SparseRows
from ckmeans.workers import Workers

SEEDS = st.integers(0, 2**32 - 1)
FAST = settings(deadline=None, max_examples=60)
instructions = each_instruction_set(kernels)


def problem(seed, n=60, whole=None, dtype=np.float64):
    """Sparse rows, some of them empty or equal, and as many centers as some."""
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(2, n), rng.integers(1, 160), rng.integers(1, 40)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < rng.uniform(0.02, 0.7))
    whole = rng.random() < 0.5 if whole is None else whole
    X = np.round(2 * X) if whole else X * 10.0 ** rng.integers(-6, 6, d)
    X[rng.random(n) < 0.1] = 0
    X = X[rng.integers(n, size=n)].astype(dtype)
    centers = X[rng.integers(n, size=k)].astype(float)
    return X, centers if whole else centers * rng.choice([1, 1 + 1e-12, 0.7], (k, 1))


def sparse_rows(X, sample_weight=None, n_threads=1, compared_with=None):
    return SparseRows(sparse.csr_array(X), sample_weight, Workers(n_threads), compared_with=compared_with)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(SEEDS)
@FAST
def test_labels_are_the_exact_nearest_centers(dtype, seed):
    X, centers = problem(seed, dtype=dtype)
    rows = sparse_rows(X, compared_with=centers)
    assert rows.panels.assign(centers).tolist() == assign(X, centers).tolist()


def test_each_instruction_set(instructions):
    for seed in range(20):
        X, centers = problem(seed)
        assert sparse_rows(X).panels.assign(centers).tolist() == assign(X, centers).tolist()


@pytest.mark.parametrize("share", [0, 2])
def test_features_are_kept_in_full_or_in_lists(monkeypatch, share):
    monkeypatch.setattr(module, "FULL_SHARE", share)
    for seed in range(20):
        X, centers = problem(seed)
        assert sparse_rows(X).panels.assign(centers).tolist() == assign(X, centers).tolist()


@pytest.mark.parametrize("scale", [1e-200, 1e-40, 1e25, 1e150])
def test_large_and_small_numbers(scale):
    for seed in range(10):
        X, centers = problem(seed, whole=True)
        X, centers = X * scale, centers * scale
        rows = sparse_rows(X, compared_with=centers)
        assert rows.nearest(centers).tolist() == assign(X, centers).tolist()


def test_centers_far_away_are_told_apart():
    X = np.eye(3)
    centers = np.array([[1e30, 0, 0], [1e30 * (1 - 1e-15), 0, 0], [1e25, 1, 0]])
    assert sparse_rows(X).panels.assign(centers).tolist() == assign(X, centers).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(SEEDS)
@FAST
def test_means_have_the_bits_of_dense_ones(dtype, seed):
    X, centers = problem(seed, dtype=dtype)
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 3, len(X)) * 0.7 + (rng.random() < 0.5)
    weights[0] = 1
    dense, rows = dense_rows(X, weights), sparse_rows(X, weights)
    partition, other = dense.partition(len(centers)), rows.partition(len(centers))
    dense.panels.assign(centers, partition)
    rows.panels.assign(centers, other)
    for found, expected in zip(other.means(centers), partition.means(centers)):
        assert dense.fixed_point_loses_digits or np.array_equal(found, expected)


@pytest.fixture(params=[0, np.inf], ids=["means anew", "sums kept"])
def sums(request, monkeypatch):
    """Both ways to the means; bounds are used with the sums."""
    monkeypatch.setattr(module, "MOST_SUMS", request.param)


def test_means_follow_as_labels_change(sums):
    for seed in range(40):
        X, centers = problem(seed)
        weights = np.random.default_rng(seed).integers(0, 3, len(X)) * 0.3
        weights[0] = 1
        rows = sparse_rows(X, weights, n_threads=2)
        partition = rows.partition(len(centers))
        for _ in range(6):
            rows.panels.assign(centers, partition)
            assert np.array_equal(partition.labels, rows.panels.assign(centers))
            before, (centers, masses) = centers, partition.means(centers)
            expected = rows.partition(len(centers), labels=partition.labels).means(before)
            assert np.array_equal(centers, expected[0]) and np.array_equal(masses, expected[1])


def test_bounds_spare_distances_and_change_nothing(monkeypatch):
    monkeypatch.setattr(module, "MOST_SUMS", np.inf)
    rng = np.random.default_rng(0)
    X = sparse.random_array((2000, 300), density=0.05, rng=rng, format="csr")
    X.data += 1
    found = []
    for algorithm in ("lloyd", "hamerly"):
        rows = SparseRows(X, None, Workers(1), algorithm=algorithm)
        partition, centers, n_iter, _ = lloyd(rows, rows.take(np.arange(7)))
        found.append((partition.labels.tolist(), centers.tolist(), n_iter, rows.n_spared > 0))
    assert found[0][:3] == found[1][:3] and not found[0][3] and found[1][3]


@given(SEEDS)
@settings(deadline=None, max_examples=20)
def test_distances(seed):
    X, centers = problem(seed, n=12)
    rows = sparse_rows(X, compared_with=centers)
    exact = [
        [sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x, c)) for c in centers.tolist()]
        for x in X.tolist()
    ]
    floats = np.array(exact, float)
    assert np.allclose(rows.distances(centers), floats, rtol=1e-11, atol=1e-290)
    labels = rows.nearest(centers)
    assert labels.tolist() == [row.index(min(row)) for row in exact]
    assert rows.cost(labels, centers) == pytest.approx(floats.min(axis=1).sum(), rel=1e-11, abs=1e-290)


@given(SEEDS)
@FAST
def test_equal_rows_are_found(seed):
    X, _ = problem(seed, whole=True)
    points, weights = sparse_rows(X).points
    same = (X[:, None] == X[None]).all(axis=2)
    assert np.array_equal(points[:, None] == points[None], same)
    assert np.array_equal(weights, same.sum(axis=1))


def test_lloyd_goes_the_way_of_dense_rows(sums):
    for seed in range(60):
        X, centers = problem(seed)
        if len(centers) > len(X):
            continue
        given = {"n_clusters": len(centers), "init": centers, "n_init": 1, "polish": False, "max_iter": 40}
        model, dense = KMeans(**given).fit(sparse.csr_array(X)), KMeans(**given).fit(X)
        assert np.array_equal(model.labels_, dense.labels_)
        assert model.n_iter_ == dense.n_iter_ and model.stop_reason_ == dense.stop_reason_
        away = np.abs(model.cluster_centers_ - dense.cluster_centers_)
        assert (away <= 1e-14 * np.abs(X).max(axis=0)).all()
        assert model.inertia_ == pytest.approx(dense.inertia_, rel=1e-10, abs=1e-20)
        assert model.status_ == dense.status_


@pytest.mark.parametrize("share", [0, 1])
def test_features_of_centers_are_listed_or_not(monkeypatch, share):
    monkeypatch.setattr(module, "MOST_LISTED", share)
    for seed in range(30):
        X, centers = problem(seed)
        exact = ((X[:, None] - centers) ** 2).sum(axis=2)
        assert np.allclose(sparse_rows(X, compared_with=centers).distances(centers), exact, rtol=1e-11)


def test_seeding_draws_distinct_rows():
    X = sparse.csr_array(np.eye(30)[np.arange(300) % 30] * 3)
    for init in ("k-means++", "plain k-means++"):
        model = KMeans(30, init=init, n_init=1, random_state=0).fit(X)
        assert model.inertia_ == 0 and model.status_ == "optimal"


@pytest.mark.filterwarnings("ignore:max_iter")
def test_labels_of_texts_are_those_of_whole_numbers():
    """Rows of length one with few features of many, by brute force over a sample."""
    rng = np.random.default_rng(0)
    n, d, k, width, power = 1500, 4000, 20, 30, 2**240
    words = (d * rng.random((n, width)) ** 3).astype(np.int32)
    starts = np.arange(0, n * width + 1, width)
    X = sparse.csr_array((rng.random(n * width), words.ravel(), starts), shape=(n, d))
    X.sum_duplicates()
    X.data /= np.repeat(np.sqrt(np.asarray((X * X).sum(axis=1)).ravel()), np.diff(X.indptr))
    model = KMeans(k, init=X[:k].toarray(), n_init=1, max_iter=4).fit(X)
    some, centers = rng.choice(n, 60, replace=False), model.cluster_centers_

    def as_whole(value):  # in units of 2**-240
        above, below = value.as_integer_ratio()
        assert power % below == 0
        return above * (power // below)

    whole = [[as_whole(c) for c in center] for center in centers.tolist()]
    norms = [sum(c * c for c in center) for center in whole]
    for i in some:
        own = [(int(f), as_whole(v)) for f, v in zip(X[[i]].indices, X[[i]].data.tolist())]
        away = [norm - 2 * sum(v * center[f] for f, v in own) for norm, center in zip(norms, whole)]
        assert model.labels_[i] == away.index(min(away))
