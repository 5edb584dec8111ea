"""The best prices of cells whose rows are gone: a proximal bundle method (bundle.py) on the bound of cell_prices.py.

What a cell earns at a given center is convex and piecewise linear in its price: nothing up to the least squared distance of its box,
then along the chord, then with its whole weight. So every center gives a cut, as a cluster does among rows.
"""

import numpy as np
from scipy.linalg import LinAlgError

from .bundle import Bundle, first_step
from .cell_prices import CellPricing
from .columns import column_generation
from .prices import PricingProblem, balanced_prices

# Share of the gap that a search over all centers may leave: as in column_branch.py.
EASE = 0.02
# A step is serious, and prices are the next ones to go on from, with this share of the gain that was predicted.
SERIOUS = 0.1
# The search for prices ends where the cuts promise less than this share of the gap.
STALE = 0.03
# Solves at most: of 1,700 to 4,800 cells in the plane some 20 to 60 were enough.
MOST_SOLVES = 200
# It ends where a search over all centers brings neither a better bound nor a cut, and after PATIENCE in a row without a better bound: where
# they end at their most boxes, others do too.
PATIENCE = 10
# A gap below this share of the cost is small enough: the cells lose more in any case, and a search for less looks at very many boxes.
NEAR_ENOUGH = 1e-3


def best_prices(cells, n_clusters, labels, cost, check, seconds=None, most_looked=np.inf):
    """Prices of cells that bound the cost of all clusterings, better and better ones.

    Parameters
    ----------
    cells : Cells
    n_clusters : int
    labels : ndarray of shape (n_cells,)
        A clustering.
    cost : float
        What it costs.
    check : callable()
        What it raises ends the search.
    seconds : float, optional
        Time for the prices of the means, which are where the search begins.
    most_looked : float
        Of cells of boxes in one search over all centers.

    Yields
    ------
    prices : ndarray of shape (n_cells,)
        In squared units of the rows.
    most : float
        No center earns more.
    bound : float
        Lower bound of the cost of all clusterings, but for rounding.
    """
    mean = cells.weights @ cells.means / cells.weights.sum()
    reach = max(np.abs(cells.lower - mean).max(), np.abs(cells.upper - mean).max())
    unit, heavy = np.ldexp(1.0, np.frexp([reach, cells.weights.max()])[1])
    own = [(values - mean) / unit for values in (cells.means, cells.lower, cells.upper)]
    weights, area = cells.weights / heavy, heavy * unit**2
    pricing = CellPricing(weights, own[0], cells.scatters / area, *own[1:], most_looked)
    for prices, most, bound in _Search(pricing, n_clusters, labels, cost / area, check).run(seconds):
        yield prices * unit**2, most * area, bound * area


class _Search:
    """Prices, and the cuts that are known."""

    def __init__(self, pricing, n_clusters, labels, cost, check):
        self.pricing, self.k, self.labels, self.cost, self.check = pricing, n_clusters, labels, cost, check
        self.weights = pricing.weights
        self.bundle = Bundle(self.weights, n_clusters)

    def first(self, seconds):
        """Prices that are best where each cell is one row at its mean, and the scatter is paid for."""
        means = self.pricing.means
        found = column_generation(
            means,
            self.k,
            sample_weight=self.weights,
            labels=self.labels,
            max_seconds=seconds,
            gap=NEAR_ENOUGH / 10,
        ).proof
        if found[0] == "prices":
            prices = np.array([float(found[2][group]) for group in found[1]])
        else:
            problem = PricingProblem(means, self.weights, self.check)
            prices = balanced_prices(problem, self.labels, self.k, self.check) * 4.0**problem.exponent
        return prices + self.pricing.scatters / self.weights

    def run(self, seconds):
        centers = np.array(
            [
                self.weights[self.labels == label]
                @ self.pricing.means[self.labels == label]
                / self.weights[self.labels == label].sum()
                for label in np.unique(self.labels)
            ]
        )
        center = self.first(seconds)
        best = self.searched(center, self.cost, centers)
        yield center, *best
        self.bundle.add(np.zeros((1, len(center))), np.zeros(1), centers[:1])
        self.climbed(center, centers)
        self.bundle.seed(np.ones(min(self.bundle.n, self.k)))
        t, shown, best, n_poor = first_step(center), best[1], best[1], 0
        for _ in range(MOST_SOLVES):
            gap = self.cost - best
            try:
                prices, level = self.bundle.solve(center, t, 0.003 * gap / self.k, self.check)
            except LinAlgError:
                return
            prices = np.maximum(prices, 0.0)
            predicted = self.weights @ prices - self.k * level - best
            if predicted < STALE * max(gap, NEAR_ENOUGH * self.cost):
                return
            starts, n_cuts = self.bundle.means[self.bundle.primal_weights > 0], self.bundle.n
            floor, n_new = self.climbed(prices, starts)
            value = self.weights @ prices - self.k * floor
            if not n_new or value >= best + SERIOUS * predicted:
                most, value = self.searched(prices, gap, starts)
                n_poor += 1
                if value > shown:
                    shown, n_poor = value, 0
                    yield prices, most, value
                if n_poor > PATIENCE or n_poor and self.bundle.n == n_cuts:
                    return
                if value >= best + SERIOUS * predicted:
                    center, best = prices, value
                    t *= 1.5
                    continue
            if value < best - 2 * predicted:
                t *= 0.8
            self.bundle.forget()

    def climbed(self, prices, starts):
        """Add the cuts of local maxima uphill from some points; the greatest value, and how many cuts are new."""
        floor, ends = 0.0, []
        for start in starts:
            self.check()
            at, value = self.pricing.climb(prices, start)
            floor = max(floor, value)
            ends.append(at)
        return floor, self.add(prices, ends)

    def add(self, prices, points):
        """Add what is earned at some points; how many of these cuts are new."""
        shares, costs = zip(*(self.pricing.cut(prices, at) for at in points))
        return self.bundle.add(np.array(shares), np.array(costs), np.array(points))

    def searched(self, prices, gap, starts):
        """What no center earns more than, and the bound; the cut of the greatest is added."""
        most, at = self.pricing.greatest(
            prices, EASE * max(gap, NEAR_ENOUGH * self.cost) / self.k, starts, self.check
        )
        self.add(prices, [at])
        return most, self.weights @ prices - self.k * most
