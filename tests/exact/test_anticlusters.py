"""Groups that look alike: every row once, sizes and sums near each other."""

import numpy as np

from ckmeans.exact import anticlusters as module
from ckmeans.exact.anticlusters import anticlusters


def test_every_row_once_and_alike():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1003, 3)) * [5, 2, 1]
    labels = (X[:, 0] > 0) + 2 * (X[:, 1] > 2)
    groups = anticlusters(X, labels, 10)
    assert np.array_equal(np.sort(np.concatenate(groups)), np.arange(1003))
    assert {len(group) for group in groups} == {100, 101}
    spread = [np.abs(X[group].mean(axis=0) - X.mean(axis=0)) for group in groups]
    random = [np.abs(X[rng.permutation(1003)[:100]].mean(axis=0) - X.mean(axis=0)) for _ in range(10)]
    assert np.mean(spread) < np.mean(random) / 2
    for label in np.unique(labels):
        counts = [np.count_nonzero(labels[group] == label) for group in groups]
        assert max(counts) - min(counts) <= 1


def test_more_groups_than_rows_of_a_cluster():
    groups = anticlusters(np.zeros((5, 2)), np.array([0, 0, 1, 1, 1]), 5)
    assert [group.tolist() for group in groups] == [[0], [1], [2], [3], [4]] or all(
        len(group) == 1 for group in groups
    )


def test_means_are_near_those_of_the_clusters():
    """In many features, where a row's place says little about the group's mean: what the groups lose by it is little."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(2000, 12)), np.arange(2000) % 4
    X += 10 * labels[:, None]
    whole = sum(((X[labels == c] - X[labels == c].mean(axis=0)) ** 2).sum() for c in range(4))
    parts = [group[labels[group] == c] for group in anticlusters(X, labels, 10) for c in range(4)]
    assert sum(((X[own] - X[own].mean(axis=0)) ** 2).sum() for own in parts) > 0.998 * whole


def test_no_row_is_swapped_when_the_time_is_up(monkeypatch):
    X, labels = np.random.default_rng(0).normal(size=(90, 3)), np.arange(90) % 2
    found = anticlusters(X, labels, 10, seconds=-1.0)
    monkeypatch.setattr(module, "PASSES", 0)
    assert all(map(np.array_equal, found, anticlusters(X, labels, 10)))


def test_one_pass_is_better_than_none(monkeypatch):
    """The swaps end after some passes, whether there are more of them or not."""
    rng = np.random.default_rng(0)
    X, labels, away = rng.normal(size=(600, 3)) * [5, 2, 1], np.zeros(600, int), []
    for passes in (0, 1, 10):
        monkeypatch.setattr(module, "PASSES", passes)
        groups = anticlusters(X, labels, 10)
        assert np.array_equal(np.sort(np.concatenate(groups)), np.arange(600))
        away.append(sum(((X[group].mean(axis=0) - X.mean(axis=0)) ** 2).sum() for group in groups))
    assert away[0] > away[1] >= away[2]
