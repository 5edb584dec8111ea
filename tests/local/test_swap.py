"""Swap proposals: one center given up, the cheapest to lose, for one row that is off its center."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import numbers, rows_of

from ckmeans import reference
from ckmeans.local.swap import proposals


@pytest.mark.parametrize("weighted", [False, True])
@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=12)
def test_the_center_given_up_is_the_one_that_costs_least(weighted, seed, k):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 32, (20, 2)).astype(float)
    weights = rng.integers(0, 3, 20).astype(float) if weighted else None
    if weighted:
        weights[0] = 1
    rows = rows_of(X, weights)
    clustering = rows.clustering(X[rng.choice(20, k, replace=False)] + 0.5)
    for proposal in islice(proposals(rows, clustering.labels, clustering.centers, rng), 3):
        [changed] = np.flatnonzero((proposal != clustering.centers).any(axis=1))
        newcomer = proposal[changed]
        assert any((X[i] == newcomer).all() and (weights is None or weights[i] > 0) for i in range(20))
        costs = []
        for lost in range(k):
            other = clustering.centers.copy()
            other[lost] = newcomer
            labels = reference.assign(numbers(X), numbers(other))
            costs.append(reference.inertia(numbers(X), labels, numbers(other), numbers(weights)))
        assert costs[changed] == min(costs)


def test_no_proposal_where_every_row_lies_on_its_center():
    X = np.arange(5.0)[:, None]
    rows = rows_of(X)
    assert next(proposals(rows, rows.panels.assign(X), X, np.random.default_rng(0)), None) is None
