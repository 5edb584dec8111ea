"""Clusters by angle: labels that bounds make sure of need no cosines."""

import numpy as np
import pytest

from ckmeans.local.directed import with_lengths
from ckmeans.local.random_stream import RandomStream
from ckmeans.local.screen8 import Screen
from ckmeans.local.sparse import rows_for
from ckmeans.local.spherical import _SphericalRestarts, nearest_by_angle
from ckmeans.workers import Workers


@pytest.mark.parametrize("start", ["k-means++", "array"])
@pytest.mark.parametrize("way", ["lloyd", "hamerly", "yinyang", "bytes"])
def test_sure_labels_are_those_by_angle(monkeypatch, way, start):
    monkeypatch.setattr(Screen, "_pays", lambda *_: way == "bytes")
    X = np.random.default_rng(0).normal(size=(400, 20))
    X[::7] = X[0]  # rows alike: some center may be halfway between
    workers = Workers(1)
    rows = rows_for(with_lengths(X, workers), None, workers, algorithm="auto" if way == "bytes" else way)
    init = start if start != "array" else X[1:9]
    search = _SphericalRestarts(X, rows, 8, init, 1, None, 0.0, False, RandomStream(np.random.default_rng(1)))
    search.run(X, None)
    search.finish()
    centers = search.best.centers
    sure, expected = search._sure_labels(centers), nearest_by_angle(X, centers, workers)
    known = sure >= 0
    assert np.array_equal(sure[known], expected[known])
    assert known.sum() >= 390 if way != "lloyd" else not known.any()
    assert (search._sure_labels(centers + 1e-9) < 0).all()  # the bounds are those of other centers
