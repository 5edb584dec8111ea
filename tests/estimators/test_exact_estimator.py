"""ExactKMeans: scikit-learn's contract, and attributes that belong together."""

import pickle

import numpy as np
import pytest
from children import interrupted, needs_signals
from clocks import Clock, press
from problems import exact_cost
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from ckmeans import ExactKMeans, KMeans, check, reference
from ckmeans.estimators import exact as exact_estimator
from ckmeans.interrupts import Held
from ckmeans.local import restarts, search
from ckmeans.proofs import methods

IRIS = load_iris().data


@parametrize_with_checks([ExactKMeans(time_limit=300), ExactKMeans(2, time_limit=200, gap=0.1, n_threads=1)])
def test_scikit_learn_contract(estimator, check):
    with Clock():
        check(estimator)


@pytest.mark.parametrize("seed", range(8))
def test_against_the_oracle(seed):
    rng = np.random.default_rng(seed)
    for _ in range(4):
        n, d, k = int(rng.integers(1, 9)), int(rng.integers(1, 4)), int(rng.integers(1, 5))
        X, k = rng.integers(0, 6, (n, d)).astype([np.float64, np.float32][seed % 2]), min(k, n)
        weights = rng.integers(0, 3, n) + (np.arange(n) == 0) if rng.random() < 0.5 else None
        model = ExactKMeans(k, random_state=0).fit(X, sample_weight=weights)
        best = reference.best_partition(X.tolist(), k, None if weights is None else weights.tolist())[1]
        assert model.certificate_.exact_inertia == best == exact_cost(X, model.labels_, weights)
        assert model.status_ in ("optimal", "optimal-unique") and model.gap_ == 0.0
        assert model.lower_bound_ <= best <= model.inertia_
        assert np.array_equal(model.labels_, model.predict(X))
        assert model.cluster_centers_.tolist() == sorted(model.cluster_centers_.tolist())
        assert check.verdict(model.certificate_.text().encode())[0] == check.PROVED


def test_iris():
    model = ExactKMeans(3, random_state=0).fit(IRIS)
    plain = KMeans(3, random_state=0).fit(IRIS)
    assert (model.status_, model.stop_reason_, model.gap_) == ("optimal-unique", "proved", 0.0)
    assert np.array_equal(model.labels_, plain.labels_)
    assert np.allclose(model.cluster_centers_, plain.cluster_centers_, rtol=1e-15)
    assert model.inertia_ == pytest.approx(-model.score(IRIS), rel=1e-14)
    assert model.transform(IRIS).shape == (150, 3)
    assert pickle.loads(pickle.dumps(model)).certificate_.text() == model.certificate_.text()
    assert clone(model).get_params() == model.get_params()


def test_the_same_for_every_number_of_threads():
    one, two = (ExactKMeans(4, random_state=0, n_threads=n).fit(IRIS[::2]) for n in (1, 2))
    assert one.certificate_.text() == two.certificate_.text()


def test_verbose(capsys):
    ExactKMeans(3, random_state=0, verbose=1).fit(IRIS)
    assert "prices: inertia 78.85144143, lower bound" in capsys.readouterr().out
    seen = []
    ExactKMeans(3, random_state=0, verbose=lambda *known: seen.append(known)).fit(IRIS)
    assert seen and len(seen[0]) == 3


def test_interrupted():
    def stop(method, inertia, lower_bound):
        if lower_bound > 0:
            raise KeyboardInterrupt

    model = ExactKMeans(6, random_state=0, verbose=stop)
    with pytest.raises(KeyboardInterrupt):
        model.fit(np.random.default_rng(0).normal(size=(400, 5)))
    assert (model.status_, model.stop_reason_) == ("bounded", "interrupted")
    assert 0 < model.lower_bound_ < model.inertia_


@pytest.mark.parametrize("few", [0, 10**6])
def test_interrupted_while_the_search_puts_its_result_together(few, monkeypatch):
    def solution(**known):
        press()
        return LocalSolution(**known)

    LocalSolution = search.LocalSolution
    monkeypatch.setattr(methods, "FEW", few)
    for where in (restarts, search):
        monkeypatch.setattr(where, "LocalSolution", solution)
    model = ExactKMeans(3, random_state=0)
    with Clock(), pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    assert model.stop_reason_ == "interrupted" and model.inertia_ == pytest.approx(78.851441426)


def test_interrupted_between_the_proof_and_the_attributes(monkeypatch):
    begin, presses = Held.begin, [KeyboardInterrupt]

    def prove(*args, **kwargs):
        found = portfolio_prove(*args, **kwargs)
        monkeypatch.setattr(Held, "begin", begun)
        return found

    def begun(self):
        if presses:
            raise presses.pop()
        begin(self)

    portfolio_prove = exact_estimator.prove
    monkeypatch.setattr(exact_estimator, "prove", prove)
    model = ExactKMeans(3, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    assert (model.status_, model.stop_reason_) == ("optimal-unique", "proved") and not presses


@needs_signals
def test_ctrl_c():
    """In the midst of a method."""
    told = interrupted("""
from ckmeans import ExactKMeans
from ckmeans.exact.prices import PricingProblem
PricingProblem.search = held(PricingProblem.search)
model = ExactKMeans(4, random_state=0)
X = np.random.default_rng(0).normal(size=(200, 2))
try:
    model.fit(X)
except KeyboardInterrupt:
    same = bool((model.predict(X) == model.labels_).all())
    tell(reason=model.stop_reason_, status=model.status_, lower=model.lower_bound_, inertia=model.inertia_, same=same)
""")
    assert (told["status"], told["reason"]) == ("bounded", "interrupted") and told["same"]
    assert 0 < told["lower"] < told["inertia"]


def test_a_failed_fit_leaves_the_old_one(monkeypatch):
    model = ExactKMeans(3, random_state=0).fit(IRIS[::3])
    before = {name: value for name, value in vars(model).items() if name.endswith("_")}

    def fails(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(exact_estimator, "prove", fails)
    with pytest.raises(MemoryError):
        model.fit(IRIS[:, :2])
    after = {name: value for name, value in vars(model).items() if name.endswith("_")}
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)
    assert np.array_equal(model.labels_, model.predict(IRIS[::3]))


@pytest.mark.parametrize(
    "kwargs", [{"n_clusters": 0}, {"time_limit": -1}, {"gap": -0.1}, {"n_threads": 0}, {"n_clusters": 151}]
)
def test_bad_parameters(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        ExactKMeans(**kwargs).fit(IRIS)
