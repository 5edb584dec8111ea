"""Fitted estimators in other hands: skops files and ONNX graphs."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ckmeans import (
    BisectingKMeans,
    ExactKMeans,
    KMeans,
    SphericalKMeans,
    SphericalMixture,
    register_onnx_converters,
)

IRIS = load_iris().data


@pytest.mark.parametrize("make", [KMeans, BisectingKMeans, SphericalKMeans, SphericalMixture, ExactKMeans])
def test_skops(make):
    io = pytest.importorskip("skops.io")
    model = make(3, random_state=0).fit(IRIS)
    data = io.dumps(model)
    unknown = io.get_untrusted_types(data=data)
    assert all(name.startswith(("ckmeans.", "fractions.")) for name in unknown)
    again = io.loads(data, trusted=unknown)
    assert np.array_equal(again.predict(IRIS), model.labels_)


@pytest.mark.parametrize("make", [KMeans, ExactKMeans])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_onnx(make, dtype):
    skl2onnx, runtime = pytest.importorskip("skl2onnx"), pytest.importorskip("onnxruntime")
    register_onnx_converters()
    X = IRIS.astype(dtype)
    for model in (
        make(3, random_state=0).fit(X),
        make_pipeline(StandardScaler(), make(3, random_state=0)).fit(X),
    ):
        graph = skl2onnx.to_onnx(model, X[:1]).SerializeToString()
        session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        labels, distances = session.run(None, {"X": X})
        assert np.array_equal(labels, model.predict(X))
        assert np.allclose(distances, model.transform(X), atol=1e-3 if dtype == np.float32 else 1e-6)


def test_without_skl2onnx(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "skl2onnx", None)
    with pytest.raises(ImportError):
        register_onnx_converters()
