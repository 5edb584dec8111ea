"""Steps beyond the means: fewer updates, and an end that is a fixed point of Lloyd's iteration."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from ckmeans.local.extrapolation import FIRST, SPAN, Extrapolation
from ckmeans.local.lloyd import lloyd
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers


def run(X, centers, weights=None, n_threads=1, max_iter=None, algorithm="auto"):
    with Workers(n_threads) as workers:
        rows = Rows(X, weights, workers, algorithm=algorithm)
        rows.panels.pack()
        partition, centers, n_iter, reason = lloyd(rows, centers, max_iter, extrapolation=Extrapolation())
        means = rows.update(partition.labels, centers)[0]
        return partition.labels, centers, n_iter, reason, np.abs(means - centers).max()


def noise(n, d):
    return np.random.default_rng(0).random((n, d))


def test_a_geometric_way_is_gone_at_once():
    steps, goal = Extrapolation(), np.array([[3.0, -1.0]])
    way = [goal + 0.9**n * np.array([[1.0, 2.0]]) for n in range(5)]
    for n, means in enumerate(way[:2]):
        assert steps.step(FIRST + 1 + n * SPAN, means, 10.0 - n) is means and not steps.stepped
    assert steps.step(FIRST + 1 + 2 * SPAN, way[2], 8.0) == pytest.approx(goal)
    assert steps.stepped
    assert steps.judge(FIRST + 1 + 2 * SPAN, 7.0) is None and not steps.stepped


def test_a_step_that_is_no_gain_is_taken_back():
    steps = Extrapolation()
    way = [np.array([[1.0 / 2**n]]) for n in range(3)]
    for n, means in enumerate(way):
        steps.step(FIRST + 1 + n * SPAN, means, 1.0)
    assert steps.judge(FIRST + 6, 1.0) is way[2]


@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly", "yinyang"])
@pytest.mark.parametrize("n, d, k", [(6000, 2, 20), (6000, 4, 5), (9000, 60, 8)])
def test_the_end_is_a_fixed_point_whatever_the_threads(n, d, k, algorithm):
    X = noise(n, d)
    labels, centers, n_iter, reason, off = run(X, X[:k], algorithm=algorithm)
    assert reason == "converged" and off < 1e-12
    assert np.array_equal(labels, run(X, centers)[0])  # the nearest of their means
    other = run(X, X[:k], n_threads=3)
    assert np.array_equal(other[1], centers) and other[2] == n_iter


def test_fewer_updates():
    X = noise(30_000, 4)
    with Workers(1) as workers:
        rows = Rows(X, None, workers)
        rows.panels.pack()
        plain, stepped = (lloyd(rows, X[:5], extrapolation=steps)[2] for steps in (None, Extrapolation()))
    assert stepped < plain


@pytest.mark.parametrize("max_iter", range(FIRST, FIRST + 12))
def test_max_iter_is_kept_to(max_iter):
    X = noise(6000, 4)
    labels, centers, n_iter, reason, _ = run(X, X[:8], max_iter=max_iter)
    assert n_iter == max_iter and reason == "max_iter"
    nearest = ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert np.array_equal(labels, nearest)


@pytest.mark.parametrize("seed", range(5))
def test_clusters_that_run_empty_and_weights(seed):
    X = make_blobs(5000, 2, centers=4, random_state=seed)[0]
    weights = np.random.default_rng(seed).integers(0, 3, 5000).astype(float)
    centers = np.concatenate([X[:6], np.full((3, 2), 1e3), X[6:8]])
    labels, _, _, reason, off = run(X, centers, weights)
    assert reason == "converged" and off < 1e-9 and len(set(labels)) == len(centers)
