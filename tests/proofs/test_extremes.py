"""Data and weights from one end of the floats to the other: every method gives a true bound, and raises nothing.

CKMEANS_TEST_FACTOR=50 makes the random instances thousands.
"""

import os
import warnings

import numpy as np
import pytest

from ckmeans import ExactKMeans, certify, check, reference
from ckmeans.exact import columns
from ckmeans.exact.prices import PricingProblem
from ckmeans.proofs import dealing, methods, portfolio
from ckmeans.proofs.portfolio import prove
from ckmeans.rationals import near_one

FACTOR = int(os.environ.get("CKMEANS_TEST_FACTOR", 1))


def rows(rng, shape=None):
    """Few rows, of any size, of sizes far apart, and with single numbers that are."""
    n, d = shape or (int(rng.integers(1, 8)), int(rng.integers(1, 4)))
    X = rng.normal(size=(n, d)) if rng.random() < 0.5 else rng.integers(-4, 5, (n, d)).astype(float)
    kind = rng.integers(8)
    if kind == 0:
        return np.ldexp(X, int(rng.choice([-1073, -1060, 1000, 1020])))
    if kind == 1:  # features far apart
        return np.ldexp(X, rng.integers(-1074, 1020, d))
    if kind == 2:  # numbers far apart
        return np.ldexp(X, rng.integers(-1074, 1020, (n, d)))
    if kind == 3:
        X[rng.integers(n), rng.integers(d)] = rng.choice([1.7e-140, 5e-324, 1e-310, 1e155, 1.7e308])
        return X
    elif kind == 4:
        return rng.choice([1.7e308, -1.7e308, 1e308, 0.0, 5e-324], (n, d))
    elif kind == 5:  # equal rows
        return X[rng.integers(0, n, n)] * 10.0 ** rng.integers(-300, 300)
    elif kind == 6:  # a great number in all rows, which says nothing, beside tiny ones, which do
        return np.column_stack([np.full(n, 1e300), X * 1e-300])
    return X.astype(np.float32).astype(float) + 1e15


def weights(rng, n):
    kind = rng.integers(6)
    if kind == 0:
        return np.full(n, float(rng.choice([5e-324, 1e-300, 1e300])))
    if kind == 1:
        return 10.0 ** rng.uniform(-300, 300, n)
    if kind == 2:
        found = rng.choice([5e-324, 1.0, 0.0, 1e300], n)
        found[rng.integers(n)] = 1.0
        return found
    return 10.0 ** rng.uniform(-14, 14, n) if kind == 3 else None


@pytest.mark.parametrize("method", [*sorted(methods.METHODS), "shared sum"])
def test_every_method(monkeypatch, method):
    """Its bound is true before the checker has looked at it; and then the checker accepts it."""
    rng, check_bound = np.random.default_rng(2), portfolio.Portfolio.check_bound
    shape, method = ((8, 5), "sum") if method == "shared sum" else (None, method)
    monkeypatch.setattr(dealing, "SHARED", 4)  # two of eight rows
    for _ in range(12 * FACTOR):
        X = np.ascontiguousarray(rows(rng, shape))
        own, k = weights(rng, len(X)), 2 if shape else int(rng.integers(1, min(4, len(X)) + 1))
        best = reference.best_partition(X.tolist(), k, None if own is None else own.tolist())[1]
        start = (np.arange(len(X)) % k).astype(np.int32) if rng.random() < 0.5 else None
        believed = rng.random() < 0.5
        monkeypatch.setattr(
            portfolio.Portfolio, "check_bound", (lambda self: None) if believed else check_bound
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = prove(X, k, sample_weight=own, labels=start, methods=[method], rng=0, n_threads=1)
        last = found.better or found
        assert 0 <= last.exact_lower_bound <= best <= last.exact_inertia <= found.exact_inertia, (X, own, k)
        assert last.status == "bounded" or last.exact_inertia == best
        assert last.checked or believed
        assert 0 <= found.gap <= 1 and found.lower_bound <= found.inertia and str(found)
        assert check.verdict(found.text().encode())[0] == check.PROVED, (X, own, k)


N = np.random.default_rng(0).normal(size=(26, 3))
WIDE = {
    "one p-value": (np.where(np.arange(78).reshape(26, 3) == 3, 1.7e-140, N), None),
    "denormal": (np.ldexp(N, -1062), None),
    "huge": (np.ldexp(N, 1018), None),
    "great": (N * 1e155, None),
    "weights are denormal": (N, np.full(26, 5e-324)),
    "weights are great": (N, np.full(26, 1e300)),
}


@pytest.mark.parametrize("method", ["prices", "sdp", "sum"])
@pytest.mark.parametrize("name", WIDE)
def test_scale_costs_nothing(name, method):
    """The bound is as good as that of the same rows at another scale."""
    X, own = WIDE[name]
    usual = prove(N.copy(), 3, methods=["search", method], rng=0, gap=0.05)
    found = prove(np.ascontiguousarray(X), 3, sample_weight=own, methods=["search", method], rng=0, gap=0.05)
    assert found.checked and found.gap < 1.3 * max(usual.gap, 0.05)
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_parts_of_denormal_weights():
    """Half of the least float is none: rows that groups share have that part of their weight all the same."""
    X = np.random.default_rng(2).standard_t(2, (60, 6))
    usual, found = (
        prove(X, 3, sample_weight=own, methods=["search", "sum"], rng=0)
        for own in (None, np.full(60, 5e-324))
    )
    assert "\nshared " in found.text() and found.checked
    assert found.gap < 1.001 * usual.gap


@pytest.mark.parametrize("method", ["pca", "sdp", "sum"])
def test_numbers_far_apart(method):
    """A matrix whose entries have squares that are no floats has eigenvalues all the same."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = np.ldexp(rng.normal(size=(8, 5)), rng.integers(-1074, 1018, (8, 5)))
        found = prove(X, 2, methods=[method], rng=0, n_threads=1, labels=np.arange(8, dtype=np.int32) % 2)
        assert check.verdict(found.text().encode())[0] == check.PROVED


def test_denormal_weights_on_ctrl_c():
    """A bound that nobody had the time to check is true as well."""
    rng = np.random.default_rng(320)
    X, own = rng.normal(size=(60, 2)), np.full(60, 5e-324)

    def stop(method, inertia, lower):
        if method == "prices" and lower > 0:
            raise KeyboardInterrupt

    found = certify(X, n_clusters=4, sample_weight=own, random_state=0, progress=stop)
    assert found.stop_reason == "interrupted" and not found.checked and found.exact_lower_bound > 0
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_weights_from_one_end_to_the_other():
    X, own = np.random.default_rng(0).normal(size=(40, 3)), 10.0 ** np.linspace(-300, 300, 40)
    found = certify(X, n_clusters=2, sample_weight=own, random_state=0, time_limit=2)
    assert check.verdict(found.text().encode())[0] == check.PROVED
    model = ExactKMeans(2, random_state=0, time_limit=2).fit(X, sample_weight=own)
    assert 0 <= model.lower_bound_ <= model.inertia_


def test_beyond_the_range_of_floats():
    """The cost of these rows is no float: it is told as inf, and exactly."""
    X = np.array([[1.7e308, 0.0], [-1.7e308, 1.0], [1e308, 5.0], [0.0, 1e300], [3.0, 3.0]])
    found = certify(X, n_clusters=2, random_state=0)
    assert found.inertia == np.inf and found.lower_bound == np.finfo(float).max
    assert found.exact_inertia == found.exact_lower_bound == reference.best_partition(X.tolist(), 2)[1]
    assert (found.gap, found.status) == (0.0, "optimal-unique")


def test_the_rows_of_one_feature_do_not_vanish():
    """Rows of 1e150 beside a feature of 1e-301: their cost is not 0."""
    X = np.array([[1e150, 0.0], [1e150, 1e-301], [-1e150, 0.0], [-1e150, 3e-301]])
    found = certify(X, n_clusters=2, random_state=0)
    assert (
        found.status == "optimal-unique"
        and found.exact_inertia == reference.cost(X.tolist(), [0, 0, 1, 1]) > 0
    )


def test_near_one():
    rng = np.random.default_rng(0)
    for _ in range(200):
        X = rows(rng)
        near, exponent = near_one(X)
        assert np.isfinite(near).all() and np.abs(near).max() <= 1
        assert (X == X[0]).all() or np.abs(near).max() >= 0.25
        for a, b in zip(near.T, near_one(X[:, ::-1])[0].T[::-1]):
            assert np.array_equal(a, b)


def test_no_one_center_earns_more():
    """The landscape of rows of any size allows for all that it rounds."""
    rng = np.random.default_rng(0)
    for _ in range(40 * FACTOR):
        X = np.unique(rows(rng), axis=0)
        pricing = PricingProblem(X, np.ones(len(X)))
        price = rng.random(len(X)) * rng.choice([0.1, 1.0, 4.0])
        area = columns.Fraction(4) ** pricing.exponent
        upper = columns.Fraction(pricing.search(price).upper) * area
        for mask in range(1, 1 << len(X)):
            own = [i for i in range(len(X)) if mask >> i & 1]
            earned = sum(columns.Fraction(price[i]) for i in own) * area - reference.cost(
                X[own].tolist(), [0] * len(own)
            )
            assert earned <= upper
