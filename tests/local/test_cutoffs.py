"""Runs that are given up: which ones, and that the result is none of them."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from ckmeans import KMeans
from ckmeans.local import restarts, small
from ckmeans.local.cutoffs import Rest, SwapCutoff
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

OLD = np.array([[0.0, 0.0], [10.0, 0.0]])


class Run:
    """A partition that has nothing but its inertia and masses."""

    labels = None

    def __init__(self, inertia):
        self.value, self.rows, self.workers = inertia, self, Workers(1)

    def update(self, labels, centers):
        return None, None, self.value

    def inertia(self, centers):
        return self.value

    def means(self, centers):
        return centers, np.ones(len(centers))


def looks(cutoff, values, centers=OLD + 3):
    """What the cutoff says at each look, and the updates after which it looked."""
    said = []
    for value in values:
        look = cutoff.next_check
        said.append((look, cutoff.is_lost(Run(value), centers, look)))
    return said


def test_rest_is_when_centers_move_no_more():
    """Looks become rarer; the last one with centers that moved counts."""
    rest, centers = Rest(0.01), np.zeros((2, 2))

    class Moving(Run):
        def means(self, centers):
            return centers + self.value, np.ones(len(centers))

    seen = []
    while rest.next_check < np.inf:
        seen.append(rest.next_check)
        assert not rest.is_lost(Moving(1 / seen[-1]), centers, seen[-1])
    assert seen[:9] == [1, 2, 3, 4, 5, 6, 7, 8, 10] and 4 / seen[-1] ** 2 <= 0.01 < 4 / seen[-2] ** 2
    assert rest.moving == seen[-2]


def test_a_swap_is_lost_that_is_far_above_after_a_few_updates():
    assert looks(SwapCutoff(100, OLD, 0.02, repeated=False), [102.1]) == [(3, True)]
    swap = SwapCutoff(100, OLD, 0.02, repeated=False)
    assert looks(swap, [101.9]) == [(3, False)] and swap.next_check == np.inf


def test_a_swap_is_lost_that_gains_too_slowly():
    assert looks(SwapCutoff(100, OLD, 0.02, repeated=True), [102, 101, 100.6]) == [
        (3, False),
        (6, False),
        (12, True),
    ]
    swap = SwapCutoff(100, OLD, 0.02, repeated=True)
    assert looks(swap, [102, 101, 100.4, 99, 99, 99]) == [(3 * 2**i, False) for i in range(6)]


@pytest.mark.parametrize("work", [1, 1 << 24])
def test_a_swap_is_lost_on_its_way_back(monkeypatch, work):
    monkeypatch.setattr("ckmeans.local.cutoffs.WORK", work)
    there, crossed = OLD[::-1] + 0.1, np.array([[0.0, 0.1], [0.1, 0.0]])
    for centers, lost in ((there, True), (crossed, False), (OLD + 3, False)):
        assert looks(SwapCutoff(100, OLD, 0.02, repeated=True), [100.05], centers) == [(3, lost)]
    assert looks(SwapCutoff(100, OLD, 0.02, repeated=True), [99.9], there) == [(3, False)]
    assert looks(SwapCutoff(100, OLD, 0.02, repeated=False), [100.05], there) == [(3, False)]


@pytest.mark.parametrize("all_lost", [True, False])
def test_what_is_given_up_is_not_the_result(monkeypatch, all_lost):
    X = make_blobs(2000, centers=12, cluster_std=1.5, random_state=0)[0]
    monkeypatch.setattr(small.Plan, "suits", lambda self, n_samples: False)
    monkeypatch.setattr(restarts, "LARGE", 0)
    if all_lost:
        monkeypatch.setattr(SwapCutoff, "is_lost", lambda *_: True)
    model = KMeans(12, random_state=0).fit(X)
    assert np.array_equal(model.predict(X), model.labels_)
    again = KMeans(12, init=model.cluster_centers_).fit(X)  # it is a fixed point that no exchange improves
    assert np.array_equal(again.cluster_centers_, model.cluster_centers_)
    others = [KMeans(12, random_state=0, n_threads=n).fit(X).cluster_centers_ for n in (1, 3)]
    assert all(np.array_equal(model.cluster_centers_, centers) for centers in others)


def test_giving_up_saves_work_and_costs_nothing(monkeypatch):
    X = np.random.default_rng(0).normal(size=(3000, 4))
    found = []
    for large in (0, np.inf):
        monkeypatch.setattr(restarts, "LARGE", large)
        with Workers(1) as workers:
            search = restarts.Restarts(
                Rows(X, None, workers),
                6,
                "k-means++",
                "auto",
                None,
                0.0,
                True,
                np.random.RandomState(0),
            )
            search.run(X, None)
        found.append((search.work() / len(search.ends), search.best.inertia))
    assert found[0][0] < 0.7 * found[1][0] and found[0][1] < found[1][1] * 1.002


@pytest.mark.parametrize("offset", [0, 1e6])
def test_the_inertia_of_a_partition(offset):
    X = np.random.default_rng(0).normal(size=(500, 3)) + offset
    with Workers(1) as workers:
        rows = Rows(X, np.arange(500) % 3.0, workers)
        rows.panels.pack()
        partition = restarts.lloyd(rows, X[:7])[0]
        means = partition.means(X[:7])[0]
        assert partition.inertia(X[:7]) == pytest.approx(rows.update(partition.labels, means)[2], rel=1e-9)
