"""SphericalKMeans beside every partition of few rows, in exact angles, dense and sparse."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.utils.estimator_checks import parametrize_with_checks

from ckmeans import SphericalKMeans

SEEDS = st.integers(0, 2**32 - 1)
FAST = settings(deadline=None, max_examples=40)


@parametrize_with_checks(
    [
        SphericalKMeans(2, zero_rows="leave out"),
        SphericalKMeans(2, zero_rows="leave out", n_init=60, max_iter=300, n_threads=2),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def rows(seed, n=7, d=3):
    """Rows on a grid or anywhere, some of them in one direction, none zero; and weights."""
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, n + 1), rng.integers(1, d + 1)
    X = rng.integers(-2, 3, (n, d)).astype(float) if rng.random() < 0.5 else rng.normal(size=(n, d))
    X[~X.any(axis=1)] = 1
    X = X[rng.integers(n, size=n)] * rng.uniform(0.1, 9, (n, 1)).round(1)
    return X, rng.integers(1, 4, n).astype(float)


def least_cost(X, weights, k):
    """The least cost of all partitions, the weight less the length of the sum of each cluster; and the directions of these."""
    units = weights[:, None] * X / np.linalg.norm(X, axis=1)[:, None]
    longest, sums = max(
        (
            (sum(map(np.linalg.norm, sums)), sums)
            for labels in product(range(k), repeat=len(X))
            for sums in [[units[np.array(labels) == c].sum(axis=0) for c in range(k)]]
        ),
        key=lambda found: found[0],
    )
    return weights.sum() - longest, np.array(sums)


def exact_labels(X, centers):
    """The least angles in fractions, ties to the lowest index."""
    labels = []
    for x in X.tolist():
        cosines = []
        for c in centers.tolist():
            dot = sum(Fraction(a) * Fraction(b) for a, b in zip(x, c))
            cosines.append(dot * abs(dot) / sum(Fraction(b) ** 2 for b in c))
        labels.append(cosines.index(max(cosines)))
    return labels


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@given(SEEDS, st.integers(1, 3))
@FAST
def test_the_least_cost_of_all_partitions(kind, seed, k):
    X, weights = rows(seed)
    k = min(k, len(X))
    least, sums = least_cost(X, weights, k)
    best = SphericalKMeans(k, init=np.where(sums.any(axis=1)[:, None], sums, X[:1])).fit(
        kind(X), sample_weight=weights
    )
    assert best.inertia_ == pytest.approx(least, rel=1e-9, abs=1e-12)
    model = SphericalKMeans(k, n_init=20, random_state=0).fit(kind(X), sample_weight=weights)
    assert model.inertia_ >= least - 1e-12
    assert model.lower_bound_ <= least + 1e-12
    assert np.allclose(np.linalg.norm(model.cluster_centers_, axis=1), 1)
    assert -model.score(kind(X), sample_weight=weights) == pytest.approx(model.inertia_, abs=1e-12)
    assert np.array_equal(model.predict(kind(X)), model.labels_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@given(SEEDS)
@FAST
def test_labels_are_the_exact_least_angles(kind, dtype, seed):
    X = rows(seed, 30, 6)[0].astype(dtype)
    rng = np.random.default_rng(seed)
    model = SphericalKMeans(1).fit(X)
    model.cluster_centers_ = X[rng.integers(len(X), size=5)].astype(float) * rng.choice([1, 3.0, 0.1], (5, 1))
    model.cluster_centers_[0] *= -1
    assert model.predict(kind(X)).tolist() == exact_labels(X, model.cluster_centers_)


@given(SEEDS)
@FAST
def test_dense_and_sparse_rows_come_to_the_same(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 40)) * (rng.random((200, 40)) < 0.2)
    X[:, 0] = 0.3
    given = {"init": X[rng.choice(200, 9, replace=False)], "n_init": 1}
    model, other = SphericalKMeans(9, **given).fit(X), SphericalKMeans(9, **given).fit(sparse.csc_array(X))
    assert np.array_equal(model.labels_, other.labels_) and model.n_iter_ == other.n_iter_
    assert np.allclose(model.cluster_centers_, other.cluster_centers_, rtol=0, atol=1e-15)
    assert model.inertia_ == pytest.approx(other.inertia_, rel=1e-12)
    assert np.allclose(model.transform(X), other.transform(sparse.csr_array(X)), rtol=0, atol=1e-14)
    assert np.array_equal(model.transform(X).argmax(axis=1), model.labels_)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_the_same_bits_for_any_number_of_threads(kind):
    rng = np.random.default_rng(0)
    X = kind(rng.normal(size=(5000, 20)) * (rng.random((5000, 20)) < 0.4) + np.eye(5000, 20))
    X = X[:1000] if kind is np.asarray else X
    found = set()
    for n_threads in (1, 2, 3):
        model = SphericalKMeans(6, n_init=2, random_state=0, zero_rows="leave out", n_threads=n_threads).fit(
            X
        )
        found.add((model.labels_.tobytes(), model.cluster_centers_.tobytes(), model.inertia_))
    assert len(found) == 1


def test_lengths_mean_nothing():
    X = np.random.default_rng(0).normal(size=(60, 3))
    one, other = SphericalKMeans(4, random_state=0), SphericalKMeans(4, random_state=0)
    one.fit(X)
    other.fit(X * 2.0 ** np.random.default_rng(1).integers(-500, 500, (60, 1)))
    assert np.array_equal(one.labels_, other.labels_) and one.inertia_ == other.inertia_


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_zero_rows(kind):
    X = np.array([[0, 0], [1, 0], [2, 0], [0, 0], [0, 3.0]])
    with pytest.raises(ValueError, match=r"2 of 5 rows of X are zero.*0, 3.*zero_rows='leave out'"):
        SphericalKMeans(2).fit(kind(X))
    model = SphericalKMeans(2, zero_rows="leave out", random_state=0).fit(kind(X))
    assert model.labels_.tolist() == [-1, 1, 1, -1, 0]
    assert model.inertia_ == 0 and model.status_ == "optimal"
    assert model.predict(kind(X)).tolist() == model.labels_.tolist()
    assert not model.transform(kind(X))[[0, 3]].any() and model.score(kind(X)) == 0
    with pytest.raises(ValueError, match="All 5 rows"):
        model.fit(kind(X * 0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"init": [[0.0, 0], [1, 1]]}, "no direction"),
        ({"init": lambda X, k, rng: np.zeros((k, 2))}, "no direction"),
        ({"init": "best"}, "unknown"),
        ({"zero_rows": "keep"}, "zero_rows='keep'"),
        ({"n_init": 0}, "too small"),
    ],
)
def test_refused_by_name(parameters, message):
    with pytest.raises(ValueError, match=message):
        SphericalKMeans(2, **parameters).fit(sparse.csr_array(np.eye(2)))


@pytest.mark.parametrize(
    "init", ["k-means++", "plain k-means++", "k-means||", "random", lambda X, k, rng: X[::20]]
)
def test_starts(init):
    X = np.repeat(np.eye(4), 20, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(80, 4))
    model = SphericalKMeans(4, init=init, n_init=5, random_state=0, verbose=lambda n, inertia: None).fit(X)
    assert len(set(zip(np.arange(80) // 20, model.labels_))) == 4


def test_stopped_at_once():
    X = np.random.default_rng(0).normal(size=(3000, 8))
    for rows in (X, sparse.csr_array(X)):
        model = SphericalKMeans(9, random_state=1, max_seconds=0.0).fit(rows)
        assert model.stop_reason_ == "time_limit" and np.array_equal(model.predict(rows), model.labels_)


def test_verbose(capsys):
    model = SphericalKMeans(3, n_init=2, random_state=0, verbose=1).fit(
        np.random.default_rng(0).normal(size=(60, 3))
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["restart 1", "restart 2"]
    assert lines[-1].endswith(f"best inertia {model.inertia_:.10g}")


@pytest.mark.parametrize("method", ["predict", "transform", "score"])
def test_a_center_of_zero_set_by_hand(method):
    model = SphericalKMeans(2, random_state=0).fit(np.eye(2))
    model.cluster_centers_ = np.array([[0.0, 1], [0, 0]])
    with pytest.raises(ValueError, match="cluster_centers_ holds a zero"):
        getattr(model, method)(np.eye(2))
