"""The cheapest path of k steps through few nodes against all paths, with ties and with weights far apart."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from clocks import Clock

from ckmeans import certify
from ckmeans.exact import rational_paths
from ckmeans.exact.rational_paths import best_path, gain, total
from ckmeans.workers import Expired


def sums_before(values, weights):
    """Sums of the weights, and of the weighted values, before each node."""
    own, totals = [Fraction(0)], [Fraction(0)]
    for value, weight in zip(map(Fraction, values), map(Fraction, weights)):
        own.append(own[-1] + weight)
        totals.append(totals[-1] + weight * value)
    return own, totals


def all_steps(n):
    return [range(node) for node in range(n + 1)]


def gained(weights, totals, path):
    return total([gain(weights, totals, i, j) for i, j in zip(path, path[1:])])


@pytest.mark.parametrize("fine", [64, 0])
@pytest.mark.parametrize("seed", range(25))
def test_best_of_all_paths(seed, fine, monkeypatch):
    """Also where the integers tell hardly any paths apart, so that the fractions have to."""
    monkeypatch.setattr(rational_paths, "FINE", fine)
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    values = [range(n), np.cumsum(rng.integers(1, 4, n)), np.cumsum(rng.random(n))][seed % 3]
    weights = [np.ones(n), rng.integers(1, 3, n), 10.0 ** rng.integers(-300, 300, n)][seed // 3 % 3]
    own, totals = sums_before([float(v) for v in values], [float(w) for w in weights])
    costs = {}
    for k in range(1, n + 1):
        paths = [[0, *inner, n] for inner in combinations(range(1, n), k - 1)]
        most = max(gained(own, totals, path) for path in paths)
        costs[k] = most
        wanted = min(
            (path for path in paths if gained(own, totals, path) == most), key=lambda path: path[::-1]
        )
        path, penalty = best_path(own, totals, all_steps(n), k)
        assert path == wanted
        costs[k] = most, penalty
    for k, (most, penalty) in costs.items():
        assert all(most - k * penalty >= other - j * penalty for j, (other, _) in costs.items())


def test_no_such_path():
    own, totals = sums_before([0.0, 1.0, 5.0], [1.0, 1.0, 1.0])
    with pytest.raises(ArithmeticError, match="no best path of 2 steps"):
        best_path(own, totals, [[], [0], [1], [0, 2]], 2)
    with pytest.raises(ArithmeticError, match="no best path of 4 steps"):
        best_path(own, totals, all_steps(3), 4)


def test_nodes_that_no_step_leads_to():
    own, totals = sums_before([0.0, 1.0, 5.0], [1.0, 1.0, 1.0])
    assert best_path(own, totals, [[], [], [0, 1], [1, 2]], 2)[0] == [0, 2, 3]


def far_apart(n):
    """Values, and weights of hundreds of magnitudes."""
    rng = np.random.default_rng(0)
    return rng.normal(size=n), 10.0 ** rng.uniform(-299, 299, n)


def test_long_numbers_can_be_interrupted():
    """Before each node there is a look, so none is longer than the steps to one node."""
    values, weights = far_apart(60)
    own, totals = sums_before(np.sort(values).tolist(), weights.tolist())
    looks = []
    best_path(own, totals, all_steps(60), 4, check=lambda: looks.append(None))
    assert len(looks) >= 2 * 60

    def stop():
        raise Expired

    with pytest.raises(Expired):
        best_path(own, totals, all_steps(60), 4, check=stop)


def test_line_keeps_the_time_limit():
    values, weights = far_apart(60)
    with Clock() as clock:
        found = certify(values[:, None], np.arange(60) % 4, sample_weight=weights, time_limit=100)
    assert (found.method, found.stop_reason) == ("trivial", "time_limit") and clock.looks < 150
    found = certify(values[:, None], np.arange(60) % 4, sample_weight=weights, time_limit=None)
    assert found.method == "line" and found.better.status.startswith("optimal")
