"""scikit-learn's callbacks: each restart is a task, and one may end the fit."""

import importlib.util
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from ckmeans import KMeans
from ckmeans.estimators import callbacks

needs_callbacks = pytest.mark.skipif(not callbacks.FRAMES, reason="scikit-learn has no callbacks before 1.9")
IRIS = load_iris().data


class Noting:
    """Notes what it is told, and asks to stop after some restarts."""

    def __init__(self, most=np.inf):
        self.most, self.told, self.models = most, [], []

    def setup(self, estimator, context):
        self.told.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.told.append(f"end {context.task_name}")
        assert X.shape == (150, 4)
        self.models.append(fitted_estimator)
        return context.task_name == "restart" and context.task_id + 1 >= self.most

    def teardown(self, estimator, context):
        self.told.append("teardown")


@pytest.mark.parametrize(
    "given", [{"n_init": 3}, {"n_init": 3, "init": "random"}, {"n_init": "auto"}], ids=str
)
def test_each_restart_is_a_task(given):
    noting, plain = Noting(), KMeans(3, random_state=0, **given).fit(IRIS)
    model = clone(plain).set_callbacks(noting).fit(IRIS)
    restarts = ["begin restart", "end restart"] * plain.n_restarts_
    assert noting.told == ["setup", "begin fit", *restarts, "end fit", "teardown"]
    assert np.array_equal(noting.models[-1].predict(IRIS), plain.labels_) and noting.models[0] is None
    assert model.cluster_centers_.tobytes() == plain.cluster_centers_.tobytes()
    assert not [name for name in vars(model) if "callback_fit" in name or "teardown" in name]


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_a_callback_ends_the_fit(init):
    model = KMeans(3, init=init, n_init=10, random_state=0, verbose=0).set_callbacks(Noting(2)).fit(IRIS)
    assert (model.stop_reason_, model.n_restarts_) == ("callback", 2)
    assert np.array_equal(model.predict(IRIS), model.labels_)


@needs_callbacks
def test_progress_bars_of_scikit_learn():
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    model = KMeans(3, n_init=4, random_state=0, verbose=1).set_callbacks(ProgressBar()).fit(IRIS)
    assert model.inertia_ == KMeans(3, n_init=4, random_state=0).fit(IRIS).inertia_


@needs_callbacks
def test_an_error_leaves_no_context_behind():
    noting = Noting()
    model = KMeans(3).set_callbacks(noting)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((5, 2), np.nan))
    with pytest.raises(ValueError, match="n_samples=150 should be"):
        model.set_params(n_clusters=151).fit(IRIS)
    assert noting.told == ["setup", "begin fit", "teardown"]


def test_scikit_learn_without_callbacks(monkeypatch):
    """Then methods are as they are, and no frame is between them and who calls them."""
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)
    spec = importlib.util.spec_from_file_location("ckmeans.estimators.without", callbacks.__file__)
    without = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(without)
    assert without.FRAMES == 0 and without.with_callbacks(len) is len
    assert not vars(without.CallbackSupportMixin()) and not without.are_asked_for(KMeans())
