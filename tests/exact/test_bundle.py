"""The quadratic program of the bundle: best prices against the clusters known, and a solve that can be stopped."""

import numpy as np
import pytest
from scipy.linalg import LinAlgError

from ckmeans.exact.bundle import Bundle, different, first_step


def bundle(rng, n=30, k=4, m=60):
    found = Bundle(np.ones(n), k)
    sets = np.append(rng.random((m, n)) < 0.3, np.zeros((1, n), bool), axis=0)
    found.add(sets, rng.random(m + 1) * sets.sum(axis=1), np.zeros((m + 1, 2)))
    found.seed(np.ones(k))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_no_prices_near_by_are_better(seed):
    rng = np.random.default_rng(seed)
    known, center, t = bundle(rng), rng.random(30), 0.1

    def value(prices):
        return (
            prices.sum() - 4 * known.reduced_profits(prices).max() - ((prices - center) ** 2).sum() / (2 * t)
        )

    prices, level = known.solve(center, t, 1e-12)
    assert known.reduced_profits(prices).max() == pytest.approx(level, abs=1e-9)
    assert known.primal_weights.sum() == pytest.approx(4) and known.primal_weights.min() >= 0
    for size in (1e-1, 1e-3, 1e-5):
        assert value(prices + size * rng.normal(size=30)) < value(prices)


@pytest.mark.parametrize("prices", [[0.0, 0.0, 0.0, 6.0], [0.0, 0.0, 0.0], [2.0, 4.0, 6.0], []])
def test_the_first_step_goes_somewhere(prices):
    """Half of the rows may cost nothing, or all: a solve divides by the step."""
    assert 0 < first_step(np.array(prices)) < np.inf
    known = bundle(np.random.default_rng(0))
    center = np.resize(np.array(prices or [0.0]), 30)
    found, level = known.solve(center, first_step(center), 1e-12)
    assert np.isfinite(found).all() and np.isfinite(level)


def test_many_clusters_share_the_prices():
    """More than there was room for at first."""
    n = 120
    known, center = Bundle(np.ones(n), n), np.zeros(n)
    known.add(np.eye(n, dtype=bool), np.zeros(n), np.zeros((n, 2)))
    known.seed(np.ones(n))
    prices, level = known.solve(center, 0.1, 1e-12)
    assert known.primal_weights == pytest.approx(np.ones(n)) and prices == pytest.approx(center, abs=1e-9)
    assert level == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("weights, center", [(0.0, 1.0), (1.0, np.nan)])
def test_what_has_no_solution_is_refused(weights, center):
    known = bundle(np.random.default_rng(0))
    known.seed(np.full(4, weights))
    with pytest.raises(LinAlgError):
        known.solve(np.full(30, center), 0.1, 1e-9)


def test_it_can_be_stopped():
    def stop():
        raise KeyboardInterrupt

    known = bundle(np.random.default_rng(0))
    with pytest.raises(KeyboardInterrupt):
        known.solve(np.ones(30), 0.1, 1e-9, stop)


def test_the_oldest_are_forgotten_where_rows_are_many(monkeypatch):
    monkeypatch.setattr("ckmeans.exact.bundle.MOST_WEIGHTS", 30 * 40)
    monkeypatch.setattr("ckmeans.exact.bundle.LEAST_CLUSTERS", 20)
    known = bundle(np.random.default_rng(0))
    for _ in range(30):
        known.solve(np.ones(30), 0.1, 1e-9)
    active = known.sets[known.primal_weights > 0].copy()
    known.forget()
    assert known.n < 61 and all((known.sets == own).all(axis=1).any() for own in active)


@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (40, 3), (60, 17)])
def test_different_sets(shape):
    members = np.random.default_rng(3).random(shape) < 0.5
    members = np.concatenate([members, members[::2]])
    assert (different(members) == np.unique(members, axis=0)).all() and different(members).shape[1] == shape[
        1
    ]
