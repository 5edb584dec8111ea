"""k-means of rows that are not kept: KMeans.partial_fit, KMeans.fit of a summary, and MiniBatchKMeans."""

import pickle
import warnings
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks
from summaries import KINDS, rows_of, state_of, weights_for

from ckmeans import KMeans, MiniBatchKMeans, Summary, load_model, save_model, summarize
from ckmeans.estimators import partial_fit


@parametrize_with_checks([MiniBatchKMeans(3, random_state=0)])
def test_as_scikit_learn_wants_it(estimator, check):
    check(estimator)


def blobs(n, d=2, k=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-20, 20, (k, d))[rng.integers(k, size=n)] + rng.normal(size=(n, d))


def exact_cost(X, labels, centers, weights=None):
    weights = np.ones(len(X)) if weights is None else weights
    total = Fraction(0)
    for row, label, weight in zip(X.tolist(), labels, weights.tolist()):
        pairs = zip(row, centers[label].tolist())
        total += Fraction(weight) * sum((Fraction(x) - Fraction(c)) ** 2 for x, c in pairs)
    return total


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "extreme"])
def test_inertia_of_a_summary_is_exact(kind):
    """What the rows cost with the centers of their cells, to the last bit."""
    X, weights = rows_of(kind), weights_for(rows_of(kind))
    seeds = np.unique(X, axis=0)[::30]
    summary = Summary(seeds=seeds).partial_fit(X, weights)
    k = min(4, len(summary.cells.weights))
    kmeans = KMeans(k, random_state=0).fit(summary)
    assert len(kmeans.labels_) == len(summary.cells.weights)
    assert np.array_equal(kmeans.predict(summary.cells.means), kmeans.labels_)
    off = ((X[:, None] - seeds) ** 2).sum(axis=2)
    own = off.argmin(axis=1)  # ties go to the first
    filled = np.unique(own[weights > 0])
    place = np.zeros(len(seeds), int)
    place[filled] = np.arange(len(filled))
    heavy = weights > 0
    labels = kmeans.labels_[place[own[heavy]]]
    assert kmeans.inertia_ == float(exact_cost(X[heavy], labels, kmeans.cluster_centers_, weights[heavy]))
    assert kmeans.inertia_ >= -kmeans.score(X, sample_weight=weights) * (1 - 1e-9)


def test_few_different_rows_are_fitted_as_themselves():
    X = blobs(300)
    one, two = KMeans(5, random_state=0).fit(summarize([X[:100], X[100:]])), KMeans(5, random_state=0).fit(X)
    assert np.array_equal(one.cluster_centers_, two.cluster_centers_)
    assert one.inertia_ == pytest.approx(two.inertia_, rel=1e-12)


def test_many_cells_cost_little():
    X = blobs(40_000, k=12)
    summary = summarize(X, 2000)
    kmeans, full = KMeans(12, random_state=0).fit(summary), KMeans(12, random_state=0).fit(X)
    assert full.inertia_ * 0.999 < kmeans.inertia_ < 1.02 * full.inertia_
    assert -kmeans.score(X) < 1.01 * full.inertia_
    assert kmeans.status_ == "bounded" and kmeans.lower_bound_ == 0


def test_offsets_cost_no_digits():
    X = np.round(blobs(3000) * 256) / 256
    near, far = (KMeans(5, random_state=0).fit(summarize(rows, 300)) for rows in (X, X + 1e8))
    assert far.inertia_ == pytest.approx(near.inertia_, rel=1e-3)
    assert np.allclose(far.cluster_centers_ - 1e8, near.cluster_centers_, atol=0.1)


def test_a_summary_with_weights_is_refused():
    with pytest.raises(ValueError, match="sample_weight"):
        KMeans(2).fit(summarize(blobs(20)), sample_weight=np.ones(20))
    with pytest.raises(ValueError, match="n_clusters"):
        KMeans(21).fit(summarize(blobs(20)))


def fed(X, sizes, model, weights=None):
    at, turn = 0, 0
    while at < len(X):
        stop = at + sizes[turn % len(sizes)]
        model.partial_fit(X[at:stop], sample_weight=None if weights is None else weights[at:stop])
        at, turn = stop, turn + 1
    return model


def test_batches_lead_to_the_same_summary(monkeypatch):
    monkeypatch.setattr(partial_fit, "CELLS", 50)
    X = blobs(1200)
    models = [fed(X, sizes, KMeans(2, random_state=0)) for sizes in ([1200], [77], [1, 300])]
    assert len({str(state_of(model._seen[0])) for model in models}) == 1
    full = KMeans(2, random_state=0).fit(X)
    for model in models:
        assert model.inertia_ < 1.05 * full.inertia_
        assert np.array_equal(model.predict(X[-10:]), model.predict(X)[-10:])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "extreme"])
def test_no_cluster_is_lost(kind, monkeypatch):
    """As many clusters as there were different rows, up to k, after every batch."""
    monkeypatch.setattr(partial_fit, "CELLS", 60)
    monkeypatch.setattr(partial_fit, "CELLS_A_CLUSTER", 6)
    X, model = rows_of(kind, 600), MiniBatchKMeans(7, random_state=0)
    stops = [1, 2, 5, 9, 20, 60, 150, 280, 420, 600]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        for start, stop in zip([0, *stops], stops):
            model.partial_fit(X[start:stop])
            different = len(np.unique(X[:stop], axis=0))
            assert len(np.unique(model.cluster_centers_, axis=0)) == min(7, different)
            assert len(model.labels_) == stop - start and model.n_steps_ == stops.index(stop) + 1
            assert np.array_equal(model.labels_, model.predict(X[start:stop]))
    assert len(np.unique(model.predict(X))) == min(7, different)


def test_weights_are_copies_of_rows(monkeypatch):
    X, weights = blobs(200), np.random.default_rng(0).integers(0, 4, 200).astype(float)
    one = fed(X, [50], KMeans(5, random_state=0), weights)
    two = KMeans(5, random_state=0).fit(np.repeat(X, weights.astype(int), axis=0))
    assert one.inertia_ == pytest.approx(two.inertia_, rel=1e-9)


def test_a_failed_batch_changes_nothing():
    model = fed(blobs(300), [100], KMeans(3, random_state=0))
    before = {name: value for name, value in vars(model).items()}
    for batch, weights in (
        ([[np.nan, 0.0]], None),
        ([[0.0]], None),
        ([[0.0, 1.0]], [-1.0]),
        ([[0.0, 1.0]], [0.0]),
        ([["a", "b"]], None),
    ):
        with pytest.raises(ValueError):
            model.partial_fit(batch, sample_weight=weights)
    assert all(vars(model)[name] is value for name, value in before.items())


def test_an_inertia_beyond_the_floats():
    X = np.array([[1e300], [-1e300], [1e300], [-1e300], [0.0], [1.0]])
    assert KMeans(1).partial_fit(X).inertia_ == np.inf


def test_fit_begins_anew():
    X = blobs(300)
    model = fed(X, [100], KMeans(3, random_state=0))
    assert not hasattr(clone(model), "cluster_centers_")
    model.fit(X[:100])
    assert "_seen" not in vars(model)
    assert model.partial_fit(X[:50]).n_steps_ == 1 and model._seen[0].n_rows == 50


def test_float32_stays():
    X = blobs(300).astype(np.float32)
    model = fed(X, [100], KMeans(3, random_state=0))
    assert model.cluster_centers_.dtype == np.float32
    assert model.transform(X).dtype == np.float32
    model.n_clusters = 4
    assert model.partial_fit(X).cluster_centers_.shape == (4, 2)


def test_models_in_files(tmp_path):
    X = blobs(300)
    model = fed(X, [100], KMeans(3, random_state=0))
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.partial_fit(X).cluster_centers_, model.partial_fit(X).cluster_centers_)
    save_model(model, tmp_path / "model.json")
    assert np.array_equal(load_model(tmp_path / "model.json").predict(X), model.predict(X))


def test_names_of_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(blobs(100), columns=["a", "b"])
    model = KMeans(2, random_state=0).partial_fit(frame).partial_fit(frame)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        model.partial_fit(frame[["b", "a"]])


def test_parameters_are_checked():
    X = blobs(20)
    for words in ({"n_clusters": 0}, {"algorithm": "x"}, {"n_threads": 0}, {"init": "x"}):
        with pytest.raises(ValueError):
            KMeans(**{"n_clusters": 3, **words}).partial_fit(X)


def test_mini_batch_takes_the_parameters_of_scikit_learn():
    import sklearn.cluster

    theirs = sklearn.cluster.MiniBatchKMeans(4, random_state=0)
    ours = MiniBatchKMeans(**theirs.get_params())
    assert set(ours.get_params()) == set(theirs.get_params())
    X = blobs(500)
    assert ours.fit(X).inertia_ <= theirs.fit(X).inertia_ * (1 + 1e-9)
    assert np.array_equal(ours.cluster_centers_, KMeans(4, random_state=0).fit(X).cluster_centers_)
