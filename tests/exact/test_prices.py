"""The search over one center: its value against all sets of rows, its list of sets against all of them, in fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from ckmeans.exact import prices as module
from ckmeans.exact.prices import PricingProblem, balanced_prices


def instance(rng, top_n=9):
    n, d = int(rng.integers(1, top_n)), int(rng.integers(1, 5))
    X = rng.random((n, d)) if rng.random() < 0.3 else rng.integers(0, 6, (n, d)).astype(float)
    weights = rng.integers(1, 4, n).astype(float)
    return X + rng.choice([0, 1e6]), weights, rng.random(n) * rng.choice([0, 2, 8])


def earning(X, weights, prices, rows):
    """What a set of rows earns at its mean, as a fraction."""
    own = [([Fraction(v) for v in X[i].tolist()], Fraction(weights[i]), Fraction(prices[i])) for i in rows]
    mass = sum(w for _, w, _ in own)
    mean = [sum(w * x[f] for x, w, _ in own) / mass for f in range(X.shape[1])]
    return sum(w * (price - sum((a - b) ** 2 for a, b in zip(x, mean))) for x, w, price in own)


def earnings(X, weights, prices, pairs=()):
    """{set of rows: what it earns}, of all that hold no two rows that are apart."""
    result = {}
    for choice in product([0, 1], repeat=len(X)):
        rows = [i for i, chosen in enumerate(choice) if chosen]
        if rows and not any(choice[a] and choice[b] for a, b in pairs):
            result[tuple(rows)] = earning(X, weights, prices, rows)
    return result


def pairs_of(rng, n):
    if n < 2:
        return []
    return [tuple(sorted(rng.choice(n, 2, replace=False).tolist())) for _ in range(rng.integers(0, 3))]


@pytest.mark.parametrize("seed", range(120))
def test_greatest_value(seed):
    rng = np.random.default_rng(seed)
    X, weights, prices = instance(rng)
    pairs = pairs_of(rng, len(X)) if seed % 2 else []
    pricing = PricingProblem(X, weights)
    unit = Fraction(4) ** -pricing.exponent
    best = max(0, *earnings(X, weights, prices, pairs).values())
    found = pricing.search(prices * float(unit), cannot_link=pairs)
    # Where rows are apart too, boxes do not shrink to where a row begins to count.
    assert found.n_boxes <= 100
    upper = Fraction(found.upper) / unit
    assert best <= upper <= best + Fraction(1, 10**8) * (1 + best)


@pytest.mark.parametrize("seed", range(60))
def test_list_of_sets(seed):
    """With a slack, every set of rows that earns more than the level less the slack is listed."""
    rng = np.random.default_rng(seed)
    X, weights, prices = instance(rng, 8)
    pairs = pairs_of(rng, len(X)) if seed % 2 else []
    pricing = PricingProblem(X, weights)
    unit = 4.0**-pricing.exponent
    known = earnings(X, weights, prices, pairs)
    upper = pricing.search(prices * unit, cannot_link=pairs).upper
    slack = rng.choice([1e-6, 0.1, 1.0]) * max(upper, 1e-3)
    result = pricing.search(
        prices * unit,
        upper - slack,
        best_only=False,
        slack=slack,
        cannot_link=pairs,
        most=10**6,
        most_boxes=10**7,
    )
    assert result.n_unresolved == 0 and result.upper < np.inf
    listed = {tuple(np.flatnonzero(row).tolist()) for row in result.members}
    wanted = {rows for rows, value in known.items() if value * Fraction(unit) > Fraction(upper - slack)}
    assert wanted <= listed
    assert not any(a in rows and b in rows for rows in listed for a, b in pairs)


def test_tolerance_leaves_the_bound_valid():
    rng = np.random.default_rng(0)
    X, weights = rng.random((60, 2)), np.ones(60)
    pricing = PricingProblem(X, weights)
    prices = np.full(60, 0.05)
    exact = pricing.search(prices).upper
    eased = pricing.search(prices, tolerance=0.1 * exact)
    assert exact <= eased.upper <= 1.2 * exact
    assert eased.n_boxes < pricing.search(prices).n_boxes


def test_local_maxima_end_on_the_mean_of_what_counts():
    rng = np.random.default_rng(1)
    pricing = PricingProblem(rng.random((50, 3)), np.ones(50))
    points, values, members = pricing.local_maxima(np.full(50, 0.1), pricing.rows)
    costs, means = pricing.clusters(members)
    np.testing.assert_allclose(points, means, atol=1e-12)
    np.testing.assert_allclose(values, members.sum(axis=1) * 0.1 - costs, atol=1e-12)
    assert values.max() <= pricing.search(np.full(50, 0.1)).upper


def test_merged_rows_earn_the_same():
    rng = np.random.default_rng(2)
    X, weights = rng.random((6, 2)), np.ones(6)
    groups = np.array([0, 0, 1, 2, 3, 3])
    whole, merged = PricingProblem(X, weights), PricingProblem(X, weights).merged(groups)
    sets = np.array([[True, True, False, True]])
    (cost,), (mean,) = merged.clusters(sets)
    inner = sum(whole.clusters((groups == g)[None])[0][0] for g in (0, 1, 3))
    (full,), (center,) = whole.clusters(sets[:, groups])
    assert cost + inner == pytest.approx(full)
    np.testing.assert_allclose(mean, center)


def test_buffers_grow(monkeypatch):
    """A search that starts with far too little room finds the same."""
    rng = np.random.default_rng(3)
    X, prices = rng.random((80, 3)), np.full(80, 0.1)
    expected = PricingProblem(X, np.ones(80)).search(prices)
    small = PricingProblem(X, np.ones(80))
    small._stacks = module._Stacks(80, small.rows.shape[1], 2, 90)
    monkeypatch.setattr(module, "SLICE", 500)
    found = small.search(prices)
    assert (found.upper, found.n_boxes) == (expected.upper, expected.n_boxes)


def test_check_ends_a_search(monkeypatch):
    monkeypatch.setattr(module, "SLICE", 100)
    pricing = PricingProblem(np.random.default_rng(4).random((100, 2)), np.ones(100))

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pricing.search(np.full(100, 0.05), check=stop)


def test_rows_of_many_features_are_fewer_in_a_slice(monkeypatch):
    """A look at the clock comes after as many numbers, not after as many rows."""
    monkeypatch.setattr(module, "SLICE", 2000)
    pricing, looks = PricingProblem(np.random.default_rng(7).random((100, 20)), np.ones(100)), []
    found = pricing.search(
        np.full(100, 1.5), best_only=False, most_boxes=3000, check=lambda: looks.append(None)
    )
    assert found.n_boxes > 3000 and found.n_boxes <= 6 * (len(looks) + 1)  # each takes 20 of 100 and its rows


def test_climbs_in_pieces(monkeypatch):
    pricing = PricingProblem(np.random.default_rng(8).random((50, 3)), np.ones(50))
    expected, calls, kernel = (
        pricing.local_maxima(np.full(50, 0.1), pricing.rows),
        [],
        module.kernels.local_maxima,
    )
    monkeypatch.setattr(module, "CLIMBING", 10 * pricing.rows.size)
    monkeypatch.setattr(module.kernels, "local_maxima", lambda *args: (calls.append(None), kernel(*args)))
    found = pricing.local_maxima(np.full(50, 0.1), pricing.rows)
    assert len(calls) == 5
    for own, other in zip(found, expected):
        assert (own == other).all()


def test_balanced_prices_lie_between_the_centers():
    rng = np.random.default_rng(5)
    X = np.concatenate([rng.normal(c, 0.1, (20, 2)) for c in range(3)])
    labels = np.repeat(np.arange(3), 20)
    pricing = PricingProblem(X, np.ones(60))
    prices = balanced_prices(pricing, labels, 3)
    means = pricing.clusters(labels == np.arange(3)[:, None])[1]
    sq_distances = ((pricing.rows[:, None] - means) ** 2).sum(axis=-1)
    assert (prices >= sq_distances.min(axis=1) * (1 - 1e-9)).all()
    assert (prices <= np.sort(sq_distances, axis=1)[:, 1] * (1 + 1e-9)).all()
