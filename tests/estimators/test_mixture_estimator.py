"""SphericalMixture: scikit-learn's own checks, its inputs, what it refuses, and how it is interrupted."""

import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import sklearn
from children import interrupted, needs_signals
from clocks import Clock, press
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import parametrize_with_checks

from ckmeans import SphericalMixture
from ckmeans.estimators import mixture as mixture_estimator
from ckmeans.local import restarts, search, small
from ckmeans.local.posteriors import Passes
from ckmeans.local.search import local_search

try:
    import polars as pl
except ImportError:  # it has no wheels for free-threaded builds
    pl = None

IRIS = load_iris().data


@parametrize_with_checks(
    [
        SphericalMixture(),
        SphericalMixture(2, variance="tied", mixing="uniform", n_init=2),
        SphericalMixture(2, variance=0.01, anneal=5),
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)


def mixture(**parameters):
    return SphericalMixture(**{"n_clusters": 3, "variance": "tied", "random_state": 0} | parameters)


def test_attributes_and_methods_belong_together():
    fitted = mixture(variance="per-cluster").fit(IRIS)
    assert fitted.converged_ and fitted.stop_reason_ == "converged"
    assert (fitted.labels_ == fitted.predict(IRIS)).all() and fitted.labels_.dtype == np.int32
    assert (fitted.predict_proba(IRIS).argmax(axis=1) == fitted.labels_).all()
    assert (fitted.responsibilities(IRIS) == fitted.predict_proba(IRIS)).all()
    density = fitted.score_samples(IRIS)
    assert fitted.log_likelihood_ == pytest.approx(density.sum(), rel=1e-13)
    assert fitted.lower_bound_ == pytest.approx(fitted.score(IRIS), rel=1e-13) == fitted.lower_bounds_[-1]
    assert len(fitted.lower_bounds_) == fitted.n_iter_ + 1 and (np.diff(fitted.lower_bounds_) >= 0).all()
    assert (mixture(variance="per-cluster").fit_predict(IRIS) == fitted.labels_).all()
    rows, labels = fitted.sample(20)
    assert rows.shape == (20, 4) and labels.shape == (20,)


def test_criteria_are_those_of_gaussian_mixture():
    fitted = mixture(variance="per-cluster").fit(IRIS)
    peer = GaussianMixture(3, covariance_type="spherical", random_state=0).fit(IRIS)
    peer.means_, peer.covariances_, peer.weights_ = fitted.means_, fitted.variances_, fitted.weights_
    peer.precisions_cholesky_ = fitted.variances_**-0.5
    assert fitted.bic(IRIS) == pytest.approx(peer.bic(IRIS), rel=1e-12)
    assert fitted.aic(IRIS) == pytest.approx(peer.aic(IRIS), rel=1e-12)
    twice = np.full(150, 2.0)
    assert fitted.bic(IRIS, twice) == pytest.approx(fitted.bic(np.vstack([IRIS, IRIS])), rel=1e-12)
    assert fitted.aic(IRIS, twice) == pytest.approx(fitted.aic(np.vstack([IRIS, IRIS])), rel=1e-12)
    n_parameters = {
        ("tied", "estimated"): 15,
        ("tied", "uniform"): 13,
        (1.0, "uniform"): 12,
        (1.0, "estimated"): 14,
    }
    for (variance, mixing), n in n_parameters.items():
        other = mixture(variance=variance, mixing=mixing).fit(IRIS)
        assert other.aic(IRIS) + 2 * other.log_likelihood_ == pytest.approx(2 * n)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("variance", [1.0, "tied", "per-cluster"])
def test_order_and_repetition_of_rows_do_not_matter(variance):
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, size=150)
    order = rng.permutation(weight.sum())
    weighted = mixture(variance=variance, max_iter=50, tol=0).fit(IRIS, sample_weight=weight)
    repeated = mixture(variance=variance, max_iter=50, tol=0).fit(np.repeat(IRIS, weight, axis=0)[order])
    assert weighted.means_ == pytest.approx(repeated.means_, rel=1e-5)
    assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-10)
    assert weighted.score(IRIS, sample_weight=weight) == pytest.approx(weighted.lower_bound_, rel=1e-12)


def test_frames():
    expected, names = mixture().fit(IRIS), list("abcd")
    of_polars = [pl.DataFrame(IRIS, schema=names)] if pl else []
    for X in (pd.DataFrame(IRIS, columns=names), *of_polars):
        fitted = mixture().fit(X)
        assert (fitted.means_ == expected.means_).all() and (fitted.predict(X) == expected.labels_).all()
    assert fitted.feature_names_in_.tolist() == names
    single = mixture().fit(IRIS.astype(np.float32))
    assert single.means_ == pytest.approx(expected.means_, rel=1e-5) and single.means_.dtype == np.float32


def test_offset():
    """Far from the origin the same rows give the same mixture, from the same seeds."""
    X = np.round(IRIS * 64) / 64
    near, far = mixture(variance="per-cluster").fit(X), mixture(variance="per-cluster").fit(X + 2.0**27)
    assert far.means_ - 2.0**27 == pytest.approx(near.means_, abs=1e-7)
    assert far.variances_ == pytest.approx(near.variances_, rel=1e-6)
    assert (far.labels_ == near.labels_).all()


@pytest.mark.parametrize("scale", [2.0**-530, 2.0**500])
def test_variances_beyond_the_floats(scale):
    """Labels go by variances in other units, those that are put there since go by what they are."""
    usual = SphericalMixture(3, variance="tied", random_state=0).fit(IRIS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SphericalMixture(3, variance="tied", random_state=0).fit(IRIS * scale)
    assert any("multiply X by a power of two" in str(warning.message) for warning in caught) == (scale < 1)
    assert np.array_equal(model.predict(IRIS * scale), usual.predict(IRIS))
    assert np.allclose(model.predict_proba(IRIS * scale), usual.predict_proba(IRIS))
    if scale > 1:
        model.variances_, usual.variances_ = 4 * model.variances_, 4 * usual.variances_
        assert np.allclose(model.predict_proba(IRIS * scale), usual.predict_proba(IRIS))


def test_starts():
    means = IRIS[[0, 60, 140]]
    given = mixture(init=means, n_init=5).fit(IRIS)
    called = mixture(init=lambda X, n_clusters, random_state: X[[0, 60, 140]]).fit(IRIS)
    assert (given.means_ == called.means_).all()
    scores = [mixture(init="random", n_init=n, n_clusters=5).fit(IRIS).lower_bound_ for n in (1, 5, 20)]
    assert scores == sorted(scores)
    fewer = mixture(n_clusters=4, variance=0.1).fit(np.repeat([[0.0], [9.0]], 3, axis=0))
    assert sorted(set(fewer.means_[:, 0].round(6))) == [0.0, 9.0]


def test_anneal():
    fitted = mixture(variance=1e-6, mixing="uniform", anneal=20).fit(IRIS)
    assert ((IRIS - fitted.means_[fitted.labels_]) ** 2).sum() == pytest.approx(78.851441426146)
    again = mixture(variance=1e-6, mixing="uniform", anneal=20, n_threads=1).fit(IRIS)
    assert (again.means_ == fitted.means_).all()
    listed = mixture(variance=0.05, anneal=[3.0, 0.5, 0.05]).fit(IRIS)
    assert (listed.variances_ == 0.05).all()


def test_scikit_learn_habits():
    fitted = mixture().fit(IRIS)
    assert (pickle.loads(pickle.dumps(fitted)).predict(IRIS) == fitted.labels_).all()
    assert clone(fitted).get_params() == fitted.get_params()
    with sklearn.config_context(enable_metadata_routing=True):
        mixture().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)


def test_warnings():
    with pytest.warns(ConvergenceWarning, match="max_iter=1 "):
        mixture(max_iter=1).fit(IRIS)
    with pytest.warns(ConvergenceWarning, match="3 of 3 variances shrank to the floor"):
        mixture(variance="per-cluster").fit(np.repeat(IRIS[[0, 60, 140]], 3, axis=0))
    with pytest.warns(ConvergenceWarning, match="Use a fixed variance, or fewer clusters"):
        assert mixture(variance="tied").fit(np.repeat(IRIS[[0, 60, 140]], 3, axis=0)).n_collapsed_ == 3
    assert mixture(variance="tied").fit(IRIS).n_collapsed_ == 0


def test_a_log_likelihood_beyond_the_floats():
    weight = np.r_[1e308, np.full(149, 1e-308)]
    assert (
        mixture(variance=1.0, init=IRIS[[60, 70, 80]], tol=1).fit(IRIS, sample_weight=weight).log_likelihood_
        == -np.inf
    )


def test_verbose(capsys):
    mixture(n_init=2, verbose=1, init="random").fit(IRIS)
    assert capsys.readouterr().out.count("iterations (converged)") == 2


NAN, INF, COMPLEX = IRIS.copy(), IRIS.copy(), IRIS + 1j
NAN[[3, 7]] = np.nan
INF[5, 1] = -np.inf


@pytest.mark.parametrize(
    "X, parameters, weight, message",
    [
        (NAN, {}, None, "NaN .* in 2 of 150 rows: 3, 7. Drop"),
        (INF, {}, None, "infinity .* in 1 of 150 rows: 5. Drop"),
        (COMPLEX, {}, None, "[Cc]omplex"),
        ([["a", "b"]] * 3, {}, None, "must hold numbers"),
        (np.array([[1, {}]] * 3, dtype=object), {}, None, "float"),
        (np.empty((0, 4)), {}, None, "0 sample"),
        (IRIS[:, 0], {}, None, "Expected 2D"),
        (IRIS, {"n_clusters": 0}, None, "n_clusters=0 .* at least 1"),
        (IRIS, {"n_clusters": 2.5}, None, "n_clusters=2.5 is not a whole number"),
        (IRIS, {"n_clusters": 151}, None, "n_samples=150 should be >= n_clusters=151: ask for"),
        (IRIS, {"variance": 0}, None, "variance=0 is out of range"),
        (IRIS, {"variance": -1.0}, None, "variance=-1.0 is out of range"),
        (IRIS, {"variance": np.nan}, None, "variance=nan is out of range"),
        (IRIS, {"variance": "full"}, None, "variance='full' is unknown: use"),
        (IRIS, {"variance": None}, None, "variance=None is not a number"),
        (IRIS, {"mixing": "equal"}, None, "mixing='equal' is unknown: use"),
        (IRIS, {"init": "best"}, None, "init='best' is unknown: use"),
        (IRIS, {"init": None}, None, "init=None is unknown: use"),
        (IRIS, {"init": IRIS[:3].astype(str)}, None, "init must hold numbers.* text, '5.1'"),
        (
            IRIS,
            {"init": IRIS[:2]},
            None,
            r"initial centers \(2, 4\) does not match the number of clusters 3: .* \(3, 4\)",
        ),
        (IRIS, {"init": NAN[3:6]}, None, "init gives centers that contain NaN"),
        (IRIS, {"n_init": 0}, None, "n_init=0"),
        (IRIS, {"max_iter": -1}, None, "max_iter=-1"),
        (IRIS, {"weights_init": [0.5, 0.5, 0.5]}, None, "weights_init sums to 1.5"),
        (IRIS, {"weights_init": [0.5, 0.5]}, None, "weights_init has shape"),
        (IRIS, {"precisions_init": [1, 0, 1]}, None, "precisions_init holds 0"),
        (IRIS, {"means_init": IRIS[:2]}, None, r"initial centers \(2, 4\)"),
        (IRIS, {"tol": -1}, None, "tol=-1"),
        (IRIS, {"n_threads": 0}, None, "n_threads=0"),
        (IRIS, {"max_seconds": -1}, None, "max_seconds=-1"),
        (IRIS, {"anneal": 0}, None, "anneal=0"),
        (IRIS, {"anneal": [1.0, 2.0]}, None, "decrease"),
        (IRIS, {"anneal": [1.0, 1.0]}, None, "decrease"),
        (IRIS, {"anneal": [1.0, -1.0]}, None, "decrease"),
        (IRIS, {"anneal": []}, None, "decrease"),
        (IRIS, {"anneal": [np.inf, 1.0]}, None, "decrease"),
        (IRIS, {"anneal": "slow"}, None, "anneal='slow' must be"),
        (IRIS, {"anneal": [4.0, 0.1], "variance": 1.0}, None, "anneal ends at 0.1, below variance=1.0"),
        (IRIS, {}, -np.ones(150), r"sample_weight\[0\] is -1.0: weights must be finite and at least 0"),
        (IRIS, {}, np.zeros(150), "All 150 weights are zero"),
        (IRIS, {}, NAN[:, 0], r"sample_weight\[3\] is nan"),
        (IRIS, {}, np.ones(149), r"sample_weight has shape \(149,\); X has 150 rows"),
        (IRIS, {}, np.full(150, 1e307), "more than 1.8e308"),
        (
            np.vstack([IRIS, [[1e200] * 4]]),
            {"variance": 1.0, "init": IRIS[:3]},
            None,
            "so far out .* 150. Remove",
        ),
        (IRIS * 1e170, {"variance": "tied"}, [1.0] + [0.0] * 149, r"reaches 7.9e\+170, .* divide X"),
    ],
)
def test_refusals(X, parameters, weight, message):
    with pytest.raises((ValueError, TypeError), match=message):
        mixture(**parameters).fit(X, sample_weight=weight)


def test_refusals_after_fit():
    with pytest.raises(NotFittedError):
        mixture().predict(IRIS)
    fitted = mixture().fit(IRIS)
    with pytest.raises(ValueError, match="X has 3 features, but SphericalMixture is expecting 4"):
        fitted.predict(IRIS[:, :3])
    with pytest.raises(ValueError, match="NaN .* rows: 3, 7"):
        fitted.score_samples(NAN)


def test_interrupted_fit_keeps_the_best(monkeypatch):
    accumulate, left = Passes.accumulate, [12]

    def interrupted(self, *args, **kwargs):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return accumulate(self, *args, **kwargs)

    monkeypatch.setattr(Passes, "accumulate", interrupted)
    model = mixture(n_init=50, tol=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    assert model.stop_reason_ == "interrupted"
    assert (
        model.lower_bound_ == pytest.approx(model.score(IRIS))
        and (model.labels_ == model.predict(IRIS)).all()
    )


def test_interrupt_with_a_message_is_no_array_of_means():
    def init(X, n_clusters, random_state):
        raise KeyboardInterrupt("enough")

    model = mixture(init=init)
    with pytest.raises(KeyboardInterrupt, match="enough"):
        model.fit(IRIS)
    assert not hasattr(model, "means_")


@pytest.mark.parametrize("n_done", [0, 2])
@pytest.mark.parametrize("variance", [1.0, "tied", "per-cluster"])
def test_interrupted_while_it_looks_for_means(monkeypatch, variance, n_done):
    left = [n_done]

    def seed(rows, n_clusters, rng):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return rows.X[:n_clusters].astype(float)

    monkeypatch.setattr(small.Plan, "suits", lambda self, n_samples: False)
    monkeypatch.setitem(restarts.STARTS, "k-means++", seed)
    monkeypatch.setattr(mixture_estimator, "local_search", partial(local_search, n_init=1))
    model = mixture(variance=variance, n_init=5, anneal=3)
    with pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    assert model.stop_reason_ == "interrupted" and not left[0] and (model.n_iter_ == 0) == (n_done == 0)
    assert model.means_.shape == (3, 4) and model.labels_.tolist() == model.predict(IRIS).tolist()
    assert model.lower_bound_ == pytest.approx(model.score(IRIS))


@pytest.mark.parametrize("n_done", [0, 2])
def test_interrupted_while_means_are_put_together(monkeypatch, n_done):
    LocalSolution, left = search.LocalSolution, [n_done]

    def solution(**known):
        if not left[0]:
            press()
        left[0] -= 1
        return LocalSolution(**known)

    monkeypatch.setattr(search, "LocalSolution", solution)
    model = mixture(n_init=5, max_iter=2)
    with Clock(), pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    assert model.stop_reason_ == "interrupted" and left == [-1] and (model.n_iter_ == 0) == (n_done == 0)
    assert model.lower_bound_ == pytest.approx(model.score(IRIS)) and model.lower_bound_ > -2.8


@pytest.mark.parametrize("grace, share", [(-1.0, 1 / 3), (1e9, 1.0)])
def test_labels_of_an_interrupted_fit_are_those_there_is_time_for(monkeypatch, grace, share):
    def init(X, n_clusters, random_state):
        raise KeyboardInterrupt(X[:n_clusters].copy())

    monkeypatch.setattr(mixture_estimator, "GRACE", grace)
    monkeypatch.setattr(mixture_estimator, "LABEL_WORK", 50 * 3 * (4 + 8))
    model = mixture(init=init)
    with pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    n = int(share * len(IRIS))
    assert model.labels_[:n].tolist() == model.predict(IRIS[:n]).tolist()
    assert (model.labels_[n:] == -1).all()


@pytest.mark.parametrize("grace, n", [(-1.0, 100), (1e9, 150)])
def test_interrupted_while_rows_are_labelled(monkeypatch, grace, n):
    """All that was found is there, and of the labels as many as there is time for."""
    score, calls = SphericalMixture._score, []

    def scored(self, *args, **kwargs):
        calls.append(None)
        if len(calls) == 1:
            press()
        return score(self, *args, **kwargs)

    monkeypatch.setattr(mixture_estimator, "GRACE", grace)
    monkeypatch.setattr(mixture_estimator, "LABEL_WORK", 50 * 3 * (4 + 8))
    monkeypatch.setattr(SphericalMixture, "_score", scored)
    model = mixture()
    with Clock(), pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    assert model.converged_ and model.labels_[:n].tolist() == model.predict(IRIS)[:n].tolist()
    assert (model.labels_[n:] == -1).all()


@needs_signals
def test_ctrl_c_is_prompt():
    """In the midst of a pass: after it there is one for the log-likelihood and one for the labels at the most."""
    told = interrupted("""
from ckmeans import SphericalMixture
from ckmeans.local.posteriors import Passes
X = np.random.default_rng(0).normal(size=(60_000, 8))
blocks, accumulate, begun = Blocks(), Passes.accumulate, []
def fourth(*args, **kwargs):
    begun.append(len(blocks.begun))
    return (held(accumulate) if len(begun) == 4 else accumulate)(*args, **kwargs)
Passes.accumulate = fourth
model = SphericalMixture(30, variance="tied", tol=0, max_iter=10**6, init=X[:30], random_state=0)
try:
    model.fit(X)
except KeyboardInterrupt:
    passes = blocks.late() / (begun[2] - begun[1])
    tell(reason=model.stop_reason_, passes=passes, same=bool(((model.labels_ == model.predict(X)) | (model.labels_ == -1)).all()))
""")
    assert told["reason"] == "interrupted" and told["same"]
    assert told["passes"] <= 3


@pytest.mark.parametrize("seconds", [0, 10, 200])
def test_time_limit(seconds):
    X = np.random.default_rng(0).normal(size=(2000, 4))
    with Clock():
        model = mixture(n_clusters=20, tol=0, max_iter=10**6, max_seconds=seconds).fit(X)
    assert model.stop_reason_ == "time_limit" and not model.converged_
    assert model.labels_.tolist() == model.predict(X).tolist()


def test_a_start_does_not_use_up_the_time(monkeypatch):
    """Nor do the starts after the first one add to it."""
    given = []

    def search(X, n_clusters, max_seconds, **_):
        given.append(max_seconds)
        return local_search(X, n_clusters, rng=np.random.RandomState(0), n_init=1)

    monkeypatch.setattr(mixture_estimator, "local_search", search)
    with Clock():
        mixture(n_init=3, max_seconds=1e6).fit(IRIS)
    assert 5e5 >= given[0] > given[1] > given[2] > 4e5
    mixture().fit(IRIS)
    assert given[3] is None


# ---- the names of GaussianMixture ----


def test_single_precision_stays():
    X = IRIS.astype(np.float32)
    model = mixture(random_state=0).fit(X)
    kept = model.means_, model.variances_, model.weights_, model.predict_proba(X), model.precisions_
    assert {values.dtype for values in kept} == {np.dtype(np.float32)}
    assert model.lower_bound_ == pytest.approx(model.score(X), rel=1e-6) and len(model.sample(9)[0]) == 9
    tiny = SphericalMixture(2, variance="per-cluster", random_state=0).fit(np.float32(1e-25) * X)
    assert tiny.variances_.dtype == np.float64 and tiny.variances_.min() > 0
    assert np.array_equal(model.labels_, model.predict(X))
    assert model.predict_proba(IRIS).dtype == model.score_samples(X).dtype == np.float64


def test_attributes_and_starts_of_gaussian_mixture():
    given = {"n_components": 3, "covariance_type": "spherical", "reg_covar": 0, "tol": 1e-9, "max_iter": 2000}
    means, weights, precisions = IRIS[[0, 60, 120]], [0.2, 0.3, 0.5], [2.0, 1.0, 4.0]
    starts = {"means_init": means, "weights_init": weights, "precisions_init": precisions}
    theirs = GaussianMixture(**given, **starts).fit(IRIS)
    ours = SphericalMixture(3, variance="per-cluster", tol=1e-9, max_iter=2000, **starts).fit(IRIS)
    for name in ("means_", "covariances_", "precisions_", "precisions_cholesky_", "weights_"):
        assert np.allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-4), name
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-9)
    assert ours.bic(IRIS) == pytest.approx(theirs.bic(IRIS), rel=1e-9)
    assert np.allclose(ours.predict_proba(IRIS), theirs.predict_proba(IRIS), atol=1e-3)


def test_no_iterations_keep_the_start():
    weights, precisions = [0.2, 0.3, 0.5], [2.0, 1.0, 4.0]
    model = SphericalMixture(
        3,
        variance="per-cluster",
        max_iter=0,
        means_init=IRIS[:3],
        weights_init=weights,
        precisions_init=precisions,
    )
    with pytest.warns(ConvergenceWarning, match="max_iter=0"):
        model.fit(IRIS)
    assert model.n_iter_ == 0 and not model.converged_
    order = np.argsort(model.means_[:, 1])
    assert np.array_equal(model.means_[order], IRIS[:3][np.argsort(IRIS[:3, 1])])
    assert sorted(model.precisions_) == sorted(precisions) and sorted(model.weights_) == weights


def test_a_warm_start_goes_on():
    cold = SphericalMixture(3, variance="per-cluster", tol=0, random_state=0, max_iter=6)
    warm = SphericalMixture(3, variance="per-cluster", tol=0, random_state=0, max_iter=3, warm_start=True)
    with pytest.warns(ConvergenceWarning):
        cold.fit(IRIS)
        first = warm.fit(IRIS).lower_bound_
        again = warm.fit(IRIS)
    assert again.lower_bound_ > first and np.allclose(again.means_, cold.means_, rtol=1e-12)
    assert np.allclose(again.lower_bound_, cold.lower_bound_, rtol=1e-14)
    with pytest.raises(ValueError, match="means_ has shape"):
        again.set_params(n_clusters=4).fit(IRIS)
