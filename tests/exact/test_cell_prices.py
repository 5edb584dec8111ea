"""What cells of rows that are gone earn at a center, at most: never less than the rows, nor much more, at points and on boxes."""

import numpy as np
import pytest

from ckmeans import check_summary
from ckmeans.check_summary import SLOPE, Cell, Spread
from ckmeans.exact.cell_prices import CellPricing, _ends


def made(rng):
    """Some cells of rows, and prices."""
    d, n = rng.integers(1, 4), rng.integers(1, 6)
    cells = [
        rng.normal(size=(rng.integers(1, 6), d)) * rng.uniform(0.05, 1) + 2 * rng.normal(size=d)
        for _ in range(n)
    ]
    weights = np.array([float(len(rows)) for rows in cells])
    means = np.array([rows.mean(axis=0) for rows in cells])
    scatters = np.array([((rows - rows.mean(axis=0)) ** 2).sum() for rows in cells])
    boxes = np.array([rows.min(axis=0) for rows in cells]), np.array([rows.max(axis=0) for rows in cells])
    return cells, CellPricing(weights, means, scatters, *boxes), rng.uniform(0, 8, n)


def mean_earned(cells, prices, y):
    """What a row of each cell earns, in the mean."""
    parts = zip(cells, prices)
    return np.array([np.maximum(0, price - ((rows - y) ** 2).sum(axis=1)).mean() for rows, price in parts])


@pytest.mark.parametrize("seed", range(60))
def test_no_less_than_the_rows_earn(seed):
    rng = np.random.default_rng(seed)
    cells, pricing, prices = made(rng)
    for y in 2 * rng.normal(size=(10, pricing.means.shape[1])):
        earned = mean_earned(cells, prices, y)
        some, most, *_ = pricing._earned(prices, y)
        assert (most >= earned[some] - 1e-12).all() and not np.delete(earned, some).any()
        half = rng.uniform(0.01, 1, len(y))
        low, high = (y - half)[None], (y + half)[None]
        near, far = _ends(low, high, pricing.lower, pricing.upper)
        share, lift, _ = pricing._bounds(prices, near, far, low, high, slice(None))
        for at in y + half * rng.uniform(-1, 1, (5, len(y))):
            mean = prices - ((pricing.means - at) ** 2).sum(axis=1) - pricing.spreads
            most = np.where(prices <= near, 0, np.where(prices >= far, mean, share * mean + lift))
            assert (most >= mean_earned(cells, prices, at) - 1e-12).all()


@pytest.mark.parametrize("seed", range(30))
def test_a_cut_is_right_where_it_was_made_and_below_elsewhere(seed):
    rng = np.random.default_rng(seed)
    _, pricing, prices = made(rng)
    for y in 2 * rng.normal(size=(10, pricing.means.shape[1])):
        shares, cost = pricing.cut(prices, y)
        assert (pricing.weights * shares) @ prices - cost == pytest.approx(
            pricing.earned(prices, y), abs=1e-12
        )
        for others in prices * rng.uniform(0.3, 2, (10, len(prices))):
            assert (pricing.weights * shares) @ others - cost <= pricing.earned(others, y) + 1e-9


def test_rows_that_reach_the_bound():
    """Two rows far from the center, at its price less and more the same: half of them earn, as much as any rows of this variance can."""
    rows, y, price = np.array([[99.0], [101.0]]), np.zeros(1), 10_001.0
    pricing = CellPricing(*map(np.array, ([2.0], [[100.0]], [2.0], [[90.0]], [[110.0]])))
    earned = np.maximum(0, price - (rows[:, 0] - y) ** 2).sum()
    assert earned <= pricing.earned(np.array([price]), y) <= 1.06 * earned
    near, far = _ends(y, y, pricing.lower, pricing.upper)
    chord = 2 * (price - near) * (price - 100.0**2 - 1 - price + far) / (far - near)
    assert chord > 9 * earned  # what only the mean and the ends of the box tell


def integers(rng):
    """A cell of whole rows with weights, as the checker has it, and a box for the center; some so large that it hardly rounds."""
    d, n = rng.integers(1, 4), rng.integers(1, 7)
    reach = int(rng.integers(2, 60)) << int(rng.choice([0, 12]))
    X, w = rng.integers(-reach, reach + 1, (n, d)), rng.integers(1, 5, n)
    spare = rng.integers(0, 3, (2, d))
    sums, squares = (w @ X).tolist(), int(w @ (X**2).sum(axis=1))
    low, high = (X.min(axis=0) - spare[0]).tolist(), (X.max(axis=0) + spare[1]).tolist()
    ends = np.sort(rng.integers(-3 * reach, 3 * reach + 1, (2, d)), axis=0)
    if rng.random() < 0.5:  # a point
        ends[1] = ends[0]
    return X, w, Cell(int(w.sum()), sums, squares, low, high), ends


@pytest.mark.parametrize("seed", range(300))
def test_what_the_checker_says_of_a_cell(seed):
    """In whole numbers: t f(y) + W c is no less than what the rows earn, for all y of the box; and at a point no more than the chord."""
    rng = np.random.default_rng(seed)
    for _ in range(20):
        X, w, cell, (low, high) = integers(rng)
        near, far = check_summary.ends_of(low.tolist(), high.tolist(), cell.low, cell.high)
        if far - near < 2:
            continue
        price = int(rng.integers(near + 1, far))
        t, c = Spread(cell).above(low.tolist(), high.tolist(), price, near, far)
        assert 0 <= t <= 1 << SLOPE
        for y in [low, high, *rng.integers(low, high + 1, (6, len(low)))]:
            q = price - ((X - y) ** 2).sum(axis=1)
            assert t * int(w @ q) + cell.W * c >= int(w @ np.maximum(0, q)) << SLOPE
        if (low == high).all():
            mean, rounded = int(w @ q), 8 * np.sqrt(far) + 8
            chord = (price - near) * (mean + (far - price) * cell.W) / (far - near)
            assert (t * mean + cell.W * c) / (1 << SLOPE) <= chord + cell.W * (0.01 * (far - near) + rounded)
