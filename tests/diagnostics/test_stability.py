"""The stability of each cluster under resampling."""

import numpy as np
import pytest
from clocks import Clock

from ckmeans import KMeans, cluster_stability
from ckmeans.diagnostics import stability


class CutOff(KMeans):
    """Ends by the time limit, wherever it is then."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, sample_weight=sample_weight)
        self.stop_reason_ = "time_limit"
        return self


RNG = np.random.default_rng(1)
BLOBS = np.concatenate([RNG.normal(20 * k, 1, (30, 2)) for k in range(3)])


def test_clusters_that_are_there_come_again():
    found = cluster_stability(BLOBS, 3, n_resamples=20, random_state=0)
    assert found.jaccard.tolist() == [1, 1, 1] == found.recovered.tolist()
    assert found.dissolved.tolist() == [0, 0, 0] and found.stop_reason == "complete"
    assert found.verdict == "stable: 0, 1, 2 (of 20 bootstrap samples)"
    assert "100%" in str(found)


def test_a_cluster_that_is_cut_in_two_does_not():
    labels = np.repeat([0, 1, 2], 30)
    labels[:15] = 3  # any half of the first
    found = cluster_stability(BLOBS, labels=labels, n_resamples=20, random_state=0)
    assert (found.jaccard[[1, 2]] > 0.6).all() and (found.jaccard[[0, 3]] < found.jaccard[[1, 2]].min()).all()


def test_by_its_definition():
    """The first sample, counted row by row."""
    X = RNG.normal(size=(40, 2))
    labels = KMeans(4, random_state=0).fit(X).labels_
    rng = np.random.RandomState(3)
    seed = rng.randint(2**31)
    counts = np.bincount(rng.randint(0, 40, 40), minlength=40)
    drawn = np.flatnonzero(counts)
    other = KMeans(4, random_state=seed).fit(X[drawn], sample_weight=counts[drawn]).labels_
    expected = []
    for k in range(4):
        own = {int(i) for i in drawn if labels[i] == k}
        sets = [{int(i) for i, label in zip(drawn, other) if label == j} for j in range(4)]
        expected.append(max(len(own & rows) / len(own | rows) for rows in sets))
    found = cluster_stability(X, labels=labels, n_resamples=1, random_state=np.random.RandomState(3))
    assert found.jaccard.tolist() == expected
    assert found.recovered.tolist() == [float(value >= 0.75) for value in expected]


def test_the_same_for_every_number_of_threads():
    X = RNG.normal(size=(300, 3))
    one, two = (cluster_stability(X, 5, n_resamples=5, random_state=0, n_threads=n) for n in (1, 2))
    assert one.jaccard.tolist() == two.jaccard.tolist()


def test_clusters_of_no_row_and_weights():
    labels = np.zeros(90, int)
    labels[0] = 1
    weights = np.ones(90)
    weights[0] = 1e-300
    found = cluster_stability(
        BLOBS, labels=labels, n_clusters=3, sample_weight=weights, n_resamples=10, random_state=0
    )
    assert np.isnan(found.jaccard[2]) and np.isfinite(found.jaccard[:2]).all()
    alone = np.zeros(90)
    alone[5] = 1.0  # drawn in some samples only
    assert cluster_stability(BLOBS, 1, sample_weight=alone, n_resamples=3, random_state=0).n_resamples == 3


def test_limits(monkeypatch):
    found = cluster_stability(BLOBS, 3, time_limit=0, random_state=0)
    assert found.n_resamples == 0 and found.stop_reason == "time_limit" and np.isnan(found.jaccard).all()

    def pressed(n):
        if n == 2:
            raise KeyboardInterrupt

    found = cluster_stability(BLOBS, 3, random_state=0, progress=pressed)
    assert (
        found.n_resamples == 2 and found.stop_reason == "interrupted" and found.jaccard.tolist() == [1, 1, 1]
    )
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):  # before there is anything
        patch.setattr(stability, "_best_matches", lambda *given: pressed(2))
        cluster_stability(BLOBS, 3, random_state=0)
    with monkeypatch.context() as patch:  # a clustering that was cut off says nothing
        patch.setattr(stability, "KMeans", CutOff)
        found = cluster_stability(BLOBS, 3, time_limit=100, random_state=0)
        assert (found.n_resamples, found.stop_reason) == (0, "time_limit")
    with Clock():  # between two samples, and in the search of one
        some = [
            cluster_stability(BLOBS, 3, time_limit=seconds, random_state=0) for seconds in range(2, 60, 3)
        ]
    assert all(found.stop_reason == "time_limit" or found.n_resamples == 100 for found in some)
    counts = [found.n_resamples for found in some]
    assert counts == sorted(counts) and 0 < counts[-1]
    with pytest.raises(ValueError, match="n_clusters=100"):
        cluster_stability(BLOBS, 100)
    with pytest.raises(ValueError, match="n_resamples"):
        cluster_stability(BLOBS, 3, n_resamples=0)
