"""Models written as JSON and read again: the same labels, and nothing believed that does not fit together."""

import json

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from ckmeans import (
    BisectingKMeans,
    ExactKMeans,
    KMeans,
    MiniBatchKMeans,
    SphericalKMeans,
    SphericalMixture,
    load_model,
    save_model,
)
from ckmeans.estimators.model_files import own_distances

RNG = np.random.default_rng(3)
X = np.concatenate([RNG.normal(5 * k, 1.0, (30, 3)) for k in range(3)]) * [1.0, 1e-3, 1e4]
OTHERS = RNG.normal(4, 6, (200, 3)) * [1.0, 1e-3, 1e4]
MODELS = {
    "KMeans": KMeans(3, random_state=0),
    "given centers": KMeans(3, init=X[[0, 40, 80]], n_init=1),
    "MiniBatchKMeans": MiniBatchKMeans(3, random_state=0),
    "ExactKMeans": ExactKMeans(3, time_limit=20, random_state=0),
    "BisectingKMeans": BisectingKMeans(3, random_state=0),
    "SphericalKMeans": SphericalKMeans(3, random_state=0),
    "SphericalMixture": SphericalMixture(3, variance="tied", random_state=0),
    "KMeans, standardized": make_pipeline(StandardScaler(), KMeans(3, random_state=0)),
    "mixture, standardized": make_pipeline(StandardScaler(), SphericalMixture(3, random_state=0)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_same_model_again(name, dtype, tmp_path):
    model = MODELS[name].fit(X.astype(dtype))
    save_model(model, tmp_path / "model.json", X.astype(dtype))
    again = load_model(tmp_path / "model.json")
    assert type(again) is type(model)
    for rows in (X.astype(dtype), OTHERS.astype(dtype)):
        assert again.predict(rows).tolist() == model.predict(rows).tolist()
    last, first = getattr(again, "steps", [("", again)])[-1][1], getattr(model, "steps", [("", model)])[-1][1]
    assert last.stop_reason_ == first.stop_reason_
    given = {name: value for name, value in first.get_params().items() if name != "init"}
    assert {name: value for name, value in last.get_params().items() if name != "init"} == given
    labels = first.labels_
    away = own_distances(model, X.astype(dtype), labels)
    told = last.about_["rows"]
    assert told["sizes"].tolist() == np.bincount(labels).tolist()
    assert told["farthest"].tolist() == [away[labels == k, 0].max() for k in range(3)]


def test_batches_are_not_told_of_as_the_rows_of_the_fit(tmp_path):
    model = MiniBatchKMeans(3, random_state=0).partial_fit(X[:40]).partial_fit(X[40:])
    save_model(model, tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    assert again.about_["rows"] == {} and again.predict(X).tolist() == model.predict(X).tolist()


def test_distances_to_the_own_and_the_next_center():
    model = KMeans(3, random_state=0).fit(X)
    away = np.sort(model.transform(OTHERS), axis=1)[:, :2]
    np.testing.assert_allclose(own_distances(model, OTHERS, model.predict(OTHERS)), away, rtol=1e-12)
    huge = KMeans(3, random_state=0).fit(X * 2.0**600)
    again = own_distances(huge, OTHERS * 2.0**600, huge.predict(OTHERS * 2.0**600))
    np.testing.assert_allclose(again, away * 2.0**600, rtol=1e-12)
    lonely = own_distances(KMeans(1).fit(X), X, np.where(np.arange(len(X)) < 2, -1, 0))
    assert np.isnan(lonely[:2]).all() and np.isnan(lonely[:, 1]).all() and (lonely[2:, 0] > 0).all()


def test_distances_of_angles_and_of_sparse_rows():
    rows = sparse.csr_array(np.where(np.abs(OTHERS) > 3, OTHERS, 0.0))
    angles = SphericalKMeans(3, random_state=0, zero_rows="leave out").fit(rows)
    cosines = np.sort(angles.transform(rows), axis=1)[:, ::-1]
    away = own_distances(angles, rows, angles.labels_)
    given = angles.labels_ >= 0
    assert given.any()
    np.testing.assert_allclose(away[given], 1 - cosines[given, :2], atol=1e-14)
    kmeans = KMeans(3, random_state=0).fit(rows)
    away = own_distances(kmeans, rows.tocoo(), kmeans.labels_)
    np.testing.assert_allclose(away, np.sort(kmeans.transform(rows), axis=1)[:, :2], rtol=1e-12)


@pytest.mark.parametrize("n_clusters", [1, 2, 9])
def test_a_tree_of_clusters(n_clusters, tmp_path):
    model = BisectingKMeans(n_clusters, random_state=0).fit(X)
    save_model(model, tmp_path / "model.json")
    assert load_model(tmp_path / "model.json").predict(X).tolist() == model.labels_.tolist()
    said = json.loads((tmp_path / "model.json").read_text("utf-8"))
    for below in ([-1, 0], [0, n_clusters], [-9, 0]):  # a circle, no cluster, no split
        said["fitted"]["_below"] = {"dtype": "<i4", "shape": [1, 2], "values": below}
        said["fitted"]["_split_centers"] = {"dtype": "<f8", "shape": [1, 2, 3], "values": [0.0] * 6}
        (tmp_path / "model.json").write_text(json.dumps(said), "utf-8")
        with pytest.raises(ValueError, match="its splits do not lead to its"):
            load_model(tmp_path / "model.json")


def test_names_of_features(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    for model in (KMeans(3, random_state=0), make_pipeline(StandardScaler(), KMeans(3, random_state=0))):
        save_model(model.fit(frame), tmp_path / "model.json")
        assert json.loads((tmp_path / "model.json").read_text("utf-8"))["columns"] == ["a", "b", "c"]
        assert load_model(tmp_path / "model.json").predict(frame).tolist() == model.predict(frame).tolist()
    with pytest.raises(ValueError, match="2 names, the model 3 features"):
        save_model(model, tmp_path / "model.json", columns=["a", "b"])


def test_what_no_file_can_hold_is_refused(tmp_path):
    with pytest.raises(TypeError, match="MinMaxScaler"):
        save_model(make_pipeline(MinMaxScaler(), KMeans(2)).fit(X), tmp_path / "model.json")
    with pytest.raises(NotFittedError):
        save_model(KMeans(2), tmp_path / "model.json")
    with pytest.raises(TypeError, match="with_mean"):
        save_model(make_pipeline(StandardScaler(with_mean=False), KMeans(2)).fit(X), tmp_path / "m")
    assert not list(tmp_path.iterdir())


def test_parameters_that_are_functions_are_left_out(tmp_path):
    model = KMeans(3, init=lambda X, k, random_state: X[:k], random_state=np.random.RandomState(0)).fit(X)
    save_model(model, tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    assert again.init == "k-means++" and again.random_state is None and again.n_clusters == 3


def test_parameters_of_any_kind(tmp_path):
    """Centers in lists, numbers of NumPy, and those that are not finite."""
    model = KMeans(np.int32(3), init=X[:3].tolist(), n_init=np.int64(1), tol=np.float64(0.5)).fit(X)
    model.n_iter_, model.inertia_ = np.int64(7), np.inf
    save_model(model, tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    assert (again.n_iter_, again.inertia_, again.n_clusters, again.n_init, again.tol) == (
        7,
        np.inf,
        3,
        1,
        0.5,
    )
    assert np.array_equal(again.init, X[:3])


CHANGES = {
    "another attribute": lambda said: said["fitted"].update(predict=1),
    "a feature less": lambda said: said["fitted"].update(n_features_in_=2),
    "no centers": lambda said: said["fitted"].pop("cluster_centers_"),
    "objects": lambda said: said["fitted"]["cluster_centers_"].update(dtype="|O"),
    "too few numbers": lambda said: said["fitted"]["cluster_centers_"]["values"].pop(),
    "NaN": lambda said: said["fitted"]["cluster_centers_"]["values"].__setitem__(0, float("nan")),
    "text": lambda said: said["fitted"]["cluster_centers_"]["values"].__setitem__(0, "x"),
    "a name less": lambda said: said.update(columns=["a", "b"]),
    "an unknown class": lambda said: said.update(estimator="Popen"),
    "an unknown parameter": lambda said: said["parameters"].update(shell=True),
    "another scaling": lambda said: said.update(scaling={"mean": [0.0], "scale": [1.0]}),
    "a scaling of another shape": lambda said: said.update(
        scaling=dict.fromkeys(("mean", "scale"), said["fitted"]["cluster_centers_"]) | {"named": False}
    ),
    "other rows": lambda said: said.update(rows={"sizes": [1]}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_refused(change, tmp_path):
    save_model(KMeans(3, random_state=0).fit(X), tmp_path / "model.json", X, columns=["a", "b", "c"])
    said = json.loads((tmp_path / "model.json").read_text("utf-8"))
    CHANGES[change](said)
    (tmp_path / "model.json").write_text(json.dumps(said), "utf-8")
    with pytest.raises(ValueError, match=r"model\.json is damaged or was changed"):
        load_model(tmp_path / "model.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"1", b"\xff\xfe", b"[" * 100_000])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(ValueError, match="is no model file"):
        load_model(tmp_path / "model.json")
    (tmp_path / "model.json").write_text('{"ckmeans_model": 2}')
    with pytest.raises(ValueError, match="format 2, which this version does not know"):
        load_model(tmp_path / "model.json")
