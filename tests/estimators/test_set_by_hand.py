"""Fitted attributes that a user sets: what can not be right is refused, what can is taken."""

import numpy as np
import pytest

from ckmeans import KMeans, SphericalMixture

X = np.random.default_rng(0).normal(size=(1000, 4))

SHAPES = [
    np.zeros((2, 2)),
    np.zeros((2, 4)),
    np.zeros((0, 3)),
    np.zeros(3),
    np.full((2, 3), np.nan),
    None,
    "abc",
    np.zeros((2, 3, 1)),
    [[1.0, 2.0], [3.0]],
    np.zeros((2, 3), complex),
]
FINE = [
    np.zeros((2, 3), np.float32),
    np.zeros((2, 3), int),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.zeros((2, 6))[:, ::2],
    [[0.0] * 3] * 2,
    np.zeros((2, 3), ">f8"),
    np.zeros((5, 3)),
]


@pytest.mark.parametrize("n_samples", [12, 40_000])
@pytest.mark.parametrize("method", ["predict", "transform", "score"])
def test_centers_set_by_hand(n_samples, method):
    rows = np.resize(X, (n_samples, 3))
    model = KMeans(2, random_state=0).fit(rows[:12])
    for centers in SHAPES:
        model.cluster_centers_ = centers
        with pytest.raises(ValueError, match="cluster_centers_"):
            getattr(model, method)(rows)
    for centers in FINE:
        model.cluster_centers_ = centers
        found = getattr(model, method)(rows)
        model.cluster_centers_ = np.array(centers, float, order="C")
        assert np.array_equal(found, getattr(model, method)(rows))


@pytest.mark.parametrize("name", ["means_", "variances_", "weights_"])
def test_parameters_set_by_hand(name):
    model = SphericalMixture(2, random_state=0).fit(X[:30, :3])
    good = getattr(model, name)
    for bad in (
        None,
        good[:1].tolist() * 3 + [[1]],
        np.full_like(good, np.nan),
        good[:0],
        np.zeros((2, 7)),
        good[..., None],
    ):
        setattr(model, name, bad)
        for method in ("predict", "predict_proba", "score_samples", "score", "bic"):
            with pytest.raises(ValueError, match="fit again"):
                getattr(model, method)(X[:30, :3])
    for bad in {"means_": (), "variances_": (0 * good, -good), "weights_": (0 * good, good - 1)}[name]:
        setattr(model, name, bad)
        with pytest.raises(ValueError, match="variances_ holds|not shares of a whole"):
            model.predict(X[:30, :3])
    for fine in (good.tolist(), np.asfortranarray(good), good.astype(">f8")):
        setattr(model, name, fine)
        assert np.isfinite(model.score(X[:30, :3]))
