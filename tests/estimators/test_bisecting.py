"""Bisecting k-means: a tree of splits, the small ones the best there are."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import sklearn.cluster
from problems import exact_cost, numbers
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from ckmeans import BisectingKMeans, reference
from ckmeans.estimators import bisecting

IRIS = load_iris().data


@parametrize_with_checks([BisectingKMeans(), BisectingKMeans(4, bisecting_strategy="largest_cluster")])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n, d", [(9, 1), (60, 1), (8, 3), (9, 2), (40, 2)])
def test_the_first_split_is_the_best(n, d, weighted):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X, weights = rng.integers(0, 40, (n, d)) / 4, rng.integers(0, 3, n) if weighted else None
        model = BisectingKMeans(2, random_state=seed).fit(X, sample_weight=weights)
        cost = exact_cost(X, model.labels_, weights)
        if n < 10:
            assert cost == reference.best_partition(X.tolist(), 2, numbers(weights))[1]
        others = [
            BisectingKMeans(2, random_state=s, n_init=3).fit(X, sample_weight=weights) for s in range(3)
        ]
        assert all(cost <= exact_cost(X, other.labels_, weights) for other in others)
        assert model.inertia_ == pytest.approx(float(cost), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("strategy", ["biggest_inertia", "largest_cluster"])
def test_labels_are_those_of_the_tree(dtype, strategy):
    X = IRIS.astype(dtype)
    model = BisectingKMeans(7, bisecting_strategy=strategy, random_state=0).fit(X)
    assert np.array_equal(model.predict(X), model.labels_) and set(model.labels_) == set(range(7))
    assert model.cluster_centers_.dtype == model.transform(X).dtype == dtype
    means = [X[model.labels_ == k].mean(axis=0, dtype=float) for k in range(7)]
    assert np.allclose(model.cluster_centers_, means, rtol=1e-6 if dtype == np.float32 else 1e-14)
    away = X.astype(float) - model.cluster_centers_[model.labels_]
    assert model.inertia_ == pytest.approx((away**2).sum(), rel=1e-12)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(X[::-1]), model.labels_[::-1])


def test_no_worse_than_scikit_learn():
    for seed in range(5):
        X = np.random.default_rng(seed).normal(size=(300, 3))
        theirs = sklearn.cluster.BisectingKMeans(8, random_state=seed).fit(X).inertia_
        ours = BisectingKMeans(8, random_state=seed).fit(X).inertia_
        assert ours <= theirs * 1.02


def test_parameters_of_scikit_learn():
    given = sklearn.cluster.BisectingKMeans(3, random_state=0).get_params()
    assert len(set(BisectingKMeans(**given).fit_predict(IRIS))) == 3


def test_fewer_different_rows_than_clusters():
    X = np.repeat([[0.0, 0], [1, 1], [5, 5]], 4, axis=0)
    model = BisectingKMeans(5, random_state=0)
    with pytest.warns(
        ConvergenceWarning, match=r"distinct clusters \(3\) found smaller than n_clusters \(5\)"
    ):
        model.fit(X)
    assert set(model.labels_) == {0, 1, 2} and model.inertia_ == 0 and model.cluster_centers_.shape == (5, 2)
    assert np.array_equal(model.cluster_centers_[3:], model.cluster_centers_[[2, 2]])
    assert BisectingKMeans(1).fit(X).cluster_centers_.tolist() == [[2, 2]]


@pytest.mark.parametrize(
    "given, match",
    [
        ({"bisecting_strategy": "x"}, "bisecting_strategy='x' is unknown"),
        ({"algorithm": "hybrid"}, "algorithm='hybrid' is unknown"),
        ({"init": IRIS[:2]}, "is unknown"),
        ({"n_clusters": 151}, "n_samples=150 should be >= n_clusters=151"),
    ],
)
def test_bad_parameters(given, match):
    with pytest.raises(ValueError, match=match):
        BisectingKMeans(**given).fit(IRIS)


def thin(seed, n, d, density=0.2):
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(size=(n, d)), 1) * (rng.random((n, d)) < density)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_sparse_rows_are_split_as_dense_ones(kind, dtype):
    X = thin(0, 300, 40).astype(dtype)
    weights = np.random.default_rng(1).integers(0, 3, len(X))
    found, dense = (
        BisectingKMeans(9, random_state=0).fit(rows, sample_weight=weights) for rows in (kind(X), X)
    )
    assert np.array_equal(found.labels_, dense.labels_)
    assert np.array_equal(found.cluster_centers_, dense.cluster_centers_)
    assert found.inertia_ == pytest.approx(dense.inertia_, rel=1e-12)
    assert np.array_equal(found.predict(kind(X)), found.labels_)
    assert np.array_equal(found.predict(X), found.labels_)


@pytest.mark.parametrize("n, d, used", [(13, 40, 5), (150, 40, 2), (150, 40, 1), (400, 1, 1)])
def test_small_clusters_of_sparse_rows_are_split_in_the_best_way(n, d, used, monkeypatch):
    """Of the few columns in use, where the rows are too large to be dense."""
    X = np.zeros((n, d))
    X[:, d // 2 : d // 2 + used] = thin(n, n, used, 0.7)
    dense = BisectingKMeans(2, random_state=0).fit(X)
    monkeypatch.setattr(bisecting, "MOST_DENSE", n * used)
    rows = sparse.csr_array(X)
    found = BisectingKMeans(2, random_state=0).fit(rows)
    assert np.array_equal(found.labels_, dense.labels_)
    assert found.inertia_ == pytest.approx(dense.inertia_, rel=1e-12)


def test_large_sparse_rows_stay_sparse(monkeypatch):
    monkeypatch.setattr(bisecting, "MOST_DENSE", 0)
    n = 1 << 18
    own = np.arange(n, dtype=np.int32) % 5
    rows = sparse.csr_array((1.0 + own, own, np.arange(n + 1)), shape=(n, n))
    model = BisectingKMeans(5, random_state=0).fit(rows)
    assert model.inertia_ == 0 and np.array_equal(model.predict(rows), model.labels_)
    X = thin(3, 500, 60)
    model = BisectingKMeans(8, random_state=0).fit(sparse.csr_array(X))
    assert np.array_equal(model.predict(X), model.labels_)
    means = [X[model.labels_ == k].mean(axis=0) for k in range(8)]
    assert np.allclose(model.cluster_centers_, means, rtol=1e-13, atol=1e-15)


def test_a_tree_as_deep_as_it_has_clusters():
    root = last = bisecting.Cluster(None, 1, 0.0, 0)
    for _ in range(3000):
        last.halves = (bisecting.Cluster(None, 1, 0.0, 0), bisecting.Cluster(None, 1, 0.0, 0))
        last = last.halves[1]
    leaves, splits = root.leaves(), root.splits()
    assert len(leaves) == 3001 and len(splits) == 3000 and leaves[0] is root.halves[0]
    assert all(splits.index(half) > i for i, one in enumerate(splits) for half in one.halves if half.halves)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_many_rows_in_one_feature_are_split_in_the_best_way(kind, monkeypatch):
    monkeypatch.setattr(bisecting, "MOST_DENSE", 1000)
    X = kind(np.tile([[0.0], [1], [2], [10], [11], [30]], (200, 1)))
    assert bisecting.best_start(X, None).tolist() == [[4.8], [30]]


def test_verbose_tells_of_each_split(capsys):
    model = BisectingKMeans(3, random_state=0, verbose=1).fit(IRIS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 clusters: 150 rows are split into ") and len(lines) == 2
    sizes = sorted(map(int, re.findall(r"\d+", lines[0])[2:]))
    assert sum(sizes) == 150 and set(np.bincount(model.labels_)) & set(sizes)


def test_rows_on_one_side_only():
    """A side of the tree to which no row goes is not looked at any further."""
    model = BisectingKMeans(5, random_state=0).fit(IRIS)
    for i in range(0, 150, 30):
        assert model.predict(IRIS[i : i + 1]).tolist() == [model.labels_[i]]


def test_a_row_with_all_the_weight_is_not_split():
    """One with weight, of many: there is nothing that a split would gain."""
    weights = np.zeros(150)
    weights[7] = 1
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(1\)"):
        model = BisectingKMeans(2, random_state=0).fit(IRIS, sample_weight=weights)
    assert model.inertia_ == 0 and np.array_equal(model.cluster_centers_[model.labels_[7]], IRIS[7])


def test_ctrl_c_in_a_split(monkeypatch):
    plain = bisecting.local_search
    ended = {"stop_reason": "interrupted"}
    monkeypatch.setattr(bisecting, "local_search", lambda *args, **kw: replace(plain(*args, **kw), **ended))
    with pytest.raises(KeyboardInterrupt):
        BisectingKMeans(3, random_state=0).fit(IRIS)
