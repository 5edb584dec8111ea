"""Numbers of any size beside each other: labels, distances and inertia held against fractions."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckmeans import ExactKMeans, KMeans, SphericalMixture, choose_k
from ckmeans.local.npy_file import NpyFile
from ckmeans.local.rows import Rows
from ckmeans.scaling import unit_of
from ckmeans.workers import Workers

SEEDS = st.integers(0, 2**32 - 1)
RANGE = {np.float64: (-1074, 1023), np.float32: (-149, 127)}


def sq_distance(x, c):
    return sum((Fraction(float(a)) - Fraction(float(b))) ** 2 for a, b in zip(x, c))


def nearest(X, centers):
    """Labels and squared distances by the definition."""
    sq = [[sq_distance(x, c) for c in centers] for x in X]
    return [min(range(len(centers)), key=row.__getitem__) for row in sq], sq


def wild(rng, n, d, dtype, least=None, most=None):
    """Rows of features of random sizes, between which there may be all the powers of two that there are."""
    low, high = RANGE[dtype]
    low, high = max(low, low if least is None else least), min(high, high if most is None else most)
    ends = np.sort(rng.integers(low, high + 1, size=(2, d)), axis=0)
    exponents = rng.integers(*ends + [[0], [1]], size=(n, d))
    shares = np.where(
        rng.random((n, d)) < 0.5, rng.integers(-3, 4, size=(n, d)) / 4, rng.uniform(-1, 1, (n, d))
    )
    with np.errstate(under="ignore"):
        return np.ldexp(shares, exponents).astype(dtype)


def centers_near_ties(rng, X, k):
    """Rows, mirror images of rows, and neighbours of both among the floats."""
    centers = X[rng.integers(len(X), size=k)].astype(np.float64)
    flip = rng.random(centers.shape) < 0.4
    centers[flip] *= -1
    f = rng.integers(X.shape[1])
    centers[k // 2 :, f] = np.nextafter(centers[k // 2 :, f], np.inf)
    centers[:, rng.random(X.shape[1]) < 0.4] = 0
    return centers


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_labels_are_the_exact_nearest_of_any_finite_centers(dtype, seed):
    rng = np.random.default_rng(seed)
    d, k = int(rng.integers(1, 5)), int(rng.integers(2, 6))
    X = wild(rng, 12, d, dtype)
    X[: rng.integers(4)] = 0
    centers = centers_near_ties(rng, X, k)
    expected = nearest(X, centers)[0]
    model = KMeans(k, init=X[:k].astype(np.float64), n_init=1, max_iter=1).fit(X)
    model.cluster_centers_ = centers
    assert model.predict(X).tolist() == expected
    for n_threads in (1, 2):
        with Workers(n_threads) as workers:
            assert Rows(X, None, workers, compared_with=centers).nearest(centers).tolist() == expected
    assert model.predict(np.repeat(X, 1200, axis=0)).tolist() == np.repeat(expected, 1200).tolist()


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_labels_of_a_file_are_exact(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    X = wild(rng, 40, 3, np.float64, -1074, 299)
    X[-1, 0] = 1.0  # files of nothing but extreme numbers are refused
    centers = centers_near_ties(rng, X, 4)
    path = tmp_path_factory.mktemp("rows") / "X.npy"
    np.save(path, X)
    with Workers(2) as workers:
        found = Rows(NpyFile(path), None, workers, compared_with=centers).nearest(centers)
    assert found.tolist() == nearest(X, centers)[0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_a_fit_of_wild_rows_says_nothing_false(dtype, seed):
    rng = np.random.default_rng(seed)
    X = wild(rng, 14, int(rng.integers(1, 4)), dtype)
    X = X[rng.integers(len(X), size=20)]
    for algorithm in ("auto", "yinyang"):
        model = KMeans(3, n_init=2, random_state=0, algorithm=algorithm).fit(X)
        labels, sq = nearest(X, model.cluster_centers_)
        assert model.labels_.tolist() == labels == model.predict(X).tolist()
        inertia = sum(row[label] for row, label in zip(sq, labels))
        assert (model.status_ == "optimal") <= (inertia == 0)
        _close(model.inertia_, inertia)
        _close(-model.score(X), inertia)
        for found, exact in zip(model.transform(X.astype(float)).ravel().tolist(), sum(sq, [])):
            _close(found, exact, power=2)


def _close(found, exact, power=1):
    """Whether a float is (the root of) an exact number to some roundings, or infinite where no float is that large."""
    if found == math.inf:
        assert exact > Fraction(1.79e308) ** power
    else:
        slack = Fraction(found) * Fraction(1e-13) + Fraction(1e-322)
        assert max(0, Fraction(found) - slack) ** power <= exact <= (Fraction(found) + slack) ** power


def test_what_is_lost_beside_large_numbers_is_not_called_optimal():
    X = np.column_stack([np.full(6, 1e150), [1e-301, 2e-301, 3e-301, 9e-301, 1e-300, 1.1e-300]])
    model = KMeans(2, random_state=0).fit(X)
    assert model.status_ == "bounded" and model.labels_.tolist() == nearest(X, model.cluster_centers_)[0]
    X[:, 0] = 1e30
    model = KMeans(2, random_state=0).fit(X)
    assert model.status_ == "bounded" and model.labels_.tolist() == [0, 0, 0, 1, 1, 1]
    assert np.allclose(model.cluster_centers_[:, 1], [2e-301, 1e-300], rtol=1e-12)
    two = np.array([[1e150, 1e-301], [1e150, 3e-301], [-1e150, 5e-301], [-1e150, 5e-301]])
    model = KMeans(2, random_state=0).fit(two)
    assert model.status_ == "bounded" and np.allclose(
        model.cluster_centers_[:, 1], [5e-301, 2e-301], rtol=1e-15
    )
    assert model.labels_.tolist() == [1, 1, 0, 0]


def test_bounds_of_centers_that_move_by_next_to_nothing_beside_a_large_feature():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(5000), 1e-200 * rng.normal(size=5000), 1e-200 * rng.normal(size=5000)])
    start = X[:12]
    found = {
        name: KMeans(12, init=start, algorithm=name, polish=False).fit(X).labels_.tobytes()
        for name in ("lloyd", "hamerly", "yinyang", "cells")
    }
    same = KMeans(12, init=1e200 * start[:, 1:], polish=False).fit(1e200 * X[:, 1:])
    assert len(set(found.values())) == 1
    assert np.mean(np.frombuffer(found["lloyd"], np.int32) == same.labels_) > 0.999


def test_the_tiny_weights_of_rows_far_away_count():
    X, weights = [[0.0], [1.0], [5.0]], [1e300, 1e-300, 1e300]
    model = KMeans(2, init=[[0.0], [5.0]], polish=False).fit(X, sample_weight=weights)
    assert model.labels_.tolist() == [0, 0, 1]
    assert model.status_ == "bounded" and model.inertia_ == pytest.approx(1e-300)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_large_features_without_spread():
    """The bound of one cluster is about means that are large beside all differences."""
    model = KMeans(1).fit([[1e150, 1e-301], [1e150, 3e-301]])
    assert (model.status_, model.lower_bound_, model.inertia_) == ("optimal", 0.0, 0.0)
    assert KMeans(1).fit([[1e308, -1e308]]).status_ == "optimal"
    assert choose_k(np.full((5, 2), 1e300), [1, 2], n_references=1, n_resamples=1).n_clusters.tolist() == [
        1,
        2,
    ]


def test_exact_estimator_labels_wild_rows():
    X = [[1e150, 1e-301], [1e150, 3e-301], [-1e150, 5e-301]]
    model = ExactKMeans(2, random_state=0, time_limit=5).fit(X)
    assert model.labels_.tolist() == nearest(X, model.cluster_centers_)[0]


# ---- a power of two changes nothing ----


def blobs():
    rng = np.random.default_rng(0)
    return np.repeat([[0.0, 0], [10, 10]], 20, axis=0) + rng.normal(size=(40, 2))


@pytest.mark.parametrize("variance", ["tied", "per-cluster"])
@pytest.mark.parametrize("exponent", [-1000, -700, -525, -400, -200, 200, 400, 500])
@pytest.mark.parametrize("weighted", [False, True])
def test_mixture_of_scaled_data(variance, exponent, weighted):
    X, weights = (
        np.round(blobs() * 2**20) / 2**20,
        np.random.default_rng(1).uniform(0.1, 3, 40) if weighted else None,
    )
    one = SphericalMixture(2, variance=variance, random_state=0).fit(X, sample_weight=weights)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        other = SphericalMixture(2, variance=variance, random_state=0).fit(
            np.ldexp(X, exponent), sample_weight=weights
        )
    assert np.array_equal(other.labels_, one.labels_)
    assert np.array_equal(other.means_, np.ldexp(one.means_, exponent))
    assert np.array_equal(other.variances_, np.ldexp(one.variances_, 2 * exponent))
    assert bool(told) == (exponent < -505) and all("lose digits or are 0" in str(w.message) for w in told)
    total = 40 if weights is None else weights.sum()
    shift = total * 2 * exponent * math.log(2)
    assert other.log_likelihood_ == pytest.approx(one.log_likelihood_ - shift, rel=1e-13)
    new = X + 0.25
    assert np.array_equal(other.predict(np.ldexp(new, exponent)), one.predict(new))
    assert np.allclose(
        other.predict_proba(np.ldexp(new, exponent)), one.predict_proba(new), rtol=1e-12, atol=0
    )
    assert np.allclose(
        other.score_samples(np.ldexp(new, exponent)),
        one.score_samples(new) - 2 * exponent * math.log(2),
        rtol=1e-12,
    )
    assert np.array_equal(other.sample(5)[0], np.ldexp(one.sample(5)[0], exponent))


@pytest.mark.parametrize("variance", [1.0, 2])
def test_a_given_variance_beside_extreme_data(variance):
    tiny = SphericalMixture(2, variance=variance, random_state=0).fit(np.ldexp(blobs(), -600))
    assert (
        np.allclose(tiny.predict_proba(np.ldexp(blobs(), -600)), tiny.weights_)
        and (tiny.variances_ == variance).all()
    )
    with pytest.raises(ValueError, match="so far out"):
        SphericalMixture(2, variance=variance, random_state=0).fit(np.ldexp(blobs(), 600))
    ratio = SphericalMixture(2, variance=2.0**-1000, random_state=0).fit(np.ldexp(blobs(), -500))
    one = SphericalMixture(2, variance=1.0, random_state=0).fit(blobs())
    assert np.array_equal(ratio.means_, np.ldexp(one.means_, -500))


def test_variances_put_there_by_hand_are_used():
    X = np.ldexp(blobs(), -400)
    model = SphericalMixture(2, variance="tied", random_state=0).fit(X)
    density = model.score_samples(X)
    model.variances_ = model.variances_ * 4
    assert not np.allclose(model.score_samples(X), density, rtol=1e-6)


@pytest.mark.parametrize("exponent", [-700, 520, 900])
def test_choice_of_scaled_data(exponent):
    rng = np.random.default_rng(1)
    X = np.round(np.vstack([rng.normal(size=(10, 2)) + c for c in ([0, 0], [8, 0], [0, 8])]) * 2**20) / 2**20
    given = {"n_references": 3, "n_resamples": 2, "random_state": 0}
    one = choose_k(X, range(1, 5), **given)
    other = choose_k(np.ldexp(X, exponent), range(1, 5), **given)
    assert one.suggested == other.suggested
    for name in one.criteria:
        shift = -2 * 30 * 2 * exponent * -math.log(2) if name == "bic" else 0.0
        assert np.allclose(other.criteria[name], one.criteria[name] + shift, rtol=1e-10, equal_nan=True), name
    assert any("beyond the range" in note for note in other.notes)


def test_units():
    assert unit_of(np.array([[1e-30, 5.0], [1e30, 5.0]])) == 0
    assert unit_of(np.array([[2.0**-700, 1.0], [2.0**-699, 1.0]])) < -300
    assert unit_of(np.full((3, 2), 1e300)) > 300
    assert unit_of(np.zeros((3, 2))) == 0
