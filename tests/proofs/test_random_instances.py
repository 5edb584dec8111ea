"""The campaign: random instances with n <= 9 and k <= 4, ties, equal rows and weights among them, for each method that proves.

What is called optimal costs as much, as a fraction, as the best of all partitions; what is called unique is. The oracle here
enumerates by sets of rows, in integers, and is itself held against the reference. In CI CKMEANS_TEST_INSTANCES=20000.
"""

import math
import os
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from ckmeans import reference
from ckmeans.proofs import methods
from ckmeans.proofs.portfolio import prove

INSTANCES = int(os.environ.get("CKMEANS_TEST_INSTANCES", 150))
MOST_ROWS, MOST_CLUSTERS, MOST_WEIGHT = 9, 4, 3
UNIT = math.lcm(*range(1, MOST_ROWS * MOST_WEIGHT + 1))  # costs are whole numbers of 1 / UNIT
TOPS = 3, 8, 50, 800  # coordinates are whole numbers below: 27 weights * 3 * 800^2 UNIT is below 2^63
PROVES = {"line", "tree", "prices"}  # every instance to the end
CLAIMS = PROVES | ({"sdp"} & set(methods.METHODS))  # what is claimed is so


def instance(rng):
    """Rows, weights or None, and a number of clusters: often with ties, equal rows, rows of no weight, rows on a line."""
    n, d = int(rng.integers(1, MOST_ROWS + 1)), int(rng.integers(1, 4))
    X = rng.integers(0, TOPS[rng.integers(4)], (n, d))
    if rng.random() < 0.2:
        X = X[rng.integers(0, n, n)]
    weights = None
    if rng.random() < 0.4:
        weights = rng.integers(0, MOST_WEIGHT + 1, n)
        weights[rng.integers(n)] = 1
    return X, weights, int(rng.integers(1, min(MOST_CLUSTERS, n) + 1))


@cache
def pairs(n):
    """For all sets of n rows in order: the subsets with the set's first row, what they leave, and where each set begins."""
    subsets, starts = [], []
    for whole in range(1, 1 << n):
        first, others = whole & -whole, whole & (whole - 1)
        starts.append(len(subsets))
        sub = others
        while True:
            subsets.append((sub | first, others & ~sub))
            if not sub:
                break
            sub = (sub - 1) & others
    return *np.array(subsets).T, np.array(starts)


def optimum(X, k, weights=None):
    """The least cost of a partition of the rows with weight into at most k clusters, and how many partitions cost that."""
    weights = np.ones(len(X), int) if weights is None else weights
    X, weights = X[weights > 0], weights[weights > 0]
    n = len(X)
    members = np.arange(1 << n)[:, None] >> np.arange(n) & 1
    mass, squares = members @ weights, members @ (weights * (X**2).sum(axis=1))
    sums = members @ (weights[:, None] * X)
    mass[0] = 1
    sse = (squares * mass - (sums**2).sum(axis=1)) * (UNIT // mass)
    subset, rest, starts = pairs(n)
    best, ways = sse.copy(), np.ones(1 << n, int)  # of each set in one cluster, in two, ...
    ways[0], infinite = 0, np.iinfo(np.int64).max // 2
    best[0] = infinite
    results = [(int(best[-1]), 1)]
    for _ in range(k - 1):
        costs = np.minimum(sse[subset] + best[rest], infinite)
        least = np.minimum.reduceat(costs, starts)
        reaches = (costs == np.repeat(least, np.diff(np.r_[starts, len(costs)]))) & (costs < infinite)
        ways[1:] = np.add.reduceat(reaches * ways[rest], starts)
        best[1:] = least
        results.append((int(best[-1]), int(ways[-1])))
    least = min(cost for cost, _ in results)
    return Fraction(least, UNIT), sum(count for cost, count in results if cost == least)


def as_lists(X, weights):
    return X.tolist(), None if weights is None else weights.tolist()


def test_the_oracle():
    rng, n_ties = np.random.default_rng(11), 0
    for _ in range(150):
        X, weights, k = instance(rng)
        X, weights = X[:6], None if weights is None else np.maximum(weights[:6], rng.integers(2))
        if weights is not None and not weights.any():
            continue
        rows, own = as_lists(X, weights)
        least, count = optimum(X, k, weights)
        assert least == reference.best_partition(rows, k, own)[1]
        heavy = np.ones(len(X), bool) if weights is None else weights > 0
        rows, own = as_lists(X[heavy], None if weights is None else weights[heavy])
        costs = [reference.cost(rows, labels, own) for labels in reference.partitions(len(rows), k)]
        assert costs.count(least) == count
        n_ties += count > 1
    assert n_ties > 10


@cache
def campaign():
    """The instances, with their optima."""
    rng = np.random.default_rng(20)
    found = []
    for _ in range(INSTANCES):
        X, weights, k = instance(rng)
        found.append((X, weights, k, *optimum(X, k, weights)))
    return found


@pytest.mark.parametrize("method", sorted(CLAIMS))
def test_the_optimum_of_every_instance(method):
    """Each method alone; from a poor clustering every other time."""
    n_proved = n_ties = 0
    for at, (X, weights, k, least, count) in enumerate(campaign()):
        own = None if weights is None else weights.astype(float)
        if method == "line":
            X = X[:, :1]
            least, count = optimum(X, k, weights)
        labels = (np.arange(len(X)) % k).astype(np.int32) if at % 2 else None
        found = prove(
            X.astype(float), k, sample_weight=own, labels=labels, methods=[method], rng=0, n_threads=1
        )
        last = found if found.better is None else found.better
        said = X.tolist(), own, k, last.status, last.exact_inertia, least
        assert last.exact_lower_bound <= least <= last.exact_inertia <= found.exact_inertia, said
        if last.status != "bounded":
            assert last.exact_inertia == least and last.checked, said
        assert last.status != "optimal-unique" or count == 1, said
        if method in PROVES:
            assert least == 0 or last.status != "bounded", said  # what costs nothing is seen without them
        n_proved += last.status != "bounded"
        n_ties += count > 1
    assert n_proved > INSTANCES / 20 and n_ties > INSTANCES / 50
