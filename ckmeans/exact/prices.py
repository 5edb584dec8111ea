"""The price bound: with a price for each row, how much any center can earn bounds the cost of every clustering.

For prices l_i >= 0, M the greatest value of sum_i w_i max(0, l_i - |x_i - y|^2) over all points y, and k clusters, every
clustering costs at least sum_i w_i l_i - k M. What each of its clusters C with mean y earns, sum_{i in C}
w_i (l_i - |x_i - y|^2), is at most M, and all of them together earn the sum of the prices less the cost.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels import prices as kernels
from ..rationals import near_one
from .principal_axes import on_principal_axes

DONE, SPENT, FULL = range(3)  # what the kernel returns
U = 2.3e-16  # more than twice the unit roundoff
# A search looks at this many rows of boxes between two looks at the clock, some 20 ms; of more than FEW_FEATURES, at this many numbers.
SLICE, FEW_FEATURES = 1 << 20, 5
# Climbs to local maxima are made side by side as long as a round of all of them looks at no more numbers: some 40 ms for all rounds.
CLIMBING = 4_000_000
# The first prices, which are only a start, are compared on about this many of the rows.
MANY = 3000
# A set of rows is given up where the search has branched on this many of its rows.
MOST_BRANCHED = 128


@dataclass(frozen=True, eq=False)
class PricingResult:
    """What a search over all centers found.

    Attributes
    ----------
    points : ndarray of shape (n_found, n_features)
        In the coordinates of the pricing problem.
    values : ndarray of shape (n_found,)
    members : ndarray of shape (n_found, n_samples), bool
        The rows that count at the point.
    upper : float
        f is nowhere greater, but at the points found.
    n_boxes, n_unresolved : int
        Boxes looked at, and boxes given up because rounding decides in them.
    """

    points: np.ndarray
    values: np.ndarray
    members: np.ndarray
    upper: float
    n_boxes: int
    n_unresolved: int


class PricingProblem:
    """Rows, on their principal axes and scaled by a power of two, over which centers are searched for.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
    weights : ndarray of shape (n_samples,), float64
        All > 0, near 1.
    check : callable(), optional
        Called every 50 ms or so; what it raises ends the work.

    Attributes
    ----------
    exponent : int
        2**exponent in X is 1 here.
    """

    def __init__(self, X, weights, check=None):
        centered, self.exponent = near_one(X, weights)
        # An isometry maps each row to within `projection_error` of where it is put.
        rows, self.projection_error = on_principal_axes(centered, weights, check)
        self.rows = np.ascontiguousarray(rows)
        self.weights = np.ascontiguousarray(weights, np.float64)
        self._measure()

    def merged(self, groups):
        """The pricing problem of groups of rows, each put at its mean."""
        if len(groups) == groups.max() + 1:
            return self
        pricing = object.__new__(PricingProblem)
        pricing.exponent, pricing.weights = self.exponent, np.bincount(groups, self.weights)
        pricing.rows = np.column_stack(
            [np.bincount(groups, self.weights * x) / pricing.weights for x in self.rows.T]
        )
        pricing.projection_error = self.projection_error + 2 * U * len(groups) * np.sqrt(self.max_sq_norm)
        pricing._measure()
        return pricing

    def _measure(self):
        self.squares = (self.rows**2).sum(axis=1)
        self.lower, self.upper = self.rows.min(axis=0), self.rows.max(axis=0)
        self.mass = self.weights.sum()
        self.max_sq_norm = (np.maximum(np.abs(self.lower), np.abs(self.upper)) ** 2).sum()
        n, d = self.rows.shape
        self._stacks = _Stacks(n, d, 64, 8 * n + 64)

    def padded(self, prices):
        """Prices that in the coordinates of the pricing problem earn at least what the given ones do in those of X."""
        prices = prices * (1 + 2 * U)
        return prices + 4 * self.projection_error * np.sqrt(prices) + 4 * self.projection_error**2

    def local_maxima(self, prices, starts):
        """Local maxima uphill from some points: points, values, and the rows that count."""
        return local_maxima(self.rows, self.weights, prices, starts)

    def search(
        self,
        prices,
        threshold=0.0,
        *,
        best_only=True,
        tolerance=0.0,
        slack=None,
        cannot_link=(),
        most=256,
        most_boxes=np.inf,
        check=None,
    ):
        """Search all centers for values above a threshold.

        Parameters
        ----------
        prices : ndarray of shape (n_samples,)
            In squared units of the pricing problem.
        threshold : float
            Values up to this are not looked for.
        best_only : bool
            Whether only the greatest value is of interest.
        tolerance : float
            How much `upper` may then be above the greatest value.
        slack : float or None
            Terms nearer to 0 than this count as undecided (for the closure); None for exactly 0.
        cannot_link : sequence of (int, int)
            Rows that must not count both.
        most, most_boxes : int
            Stop after this many points or boxes unless `best_only`; `upper` is then infinite.
        check : callable(), optional
            Called every 20 ms or so; what it raises ends the search.

        Returns
        -------
        PricingResult
        """
        padded_prices = self.padded(prices)
        cannot_link = np.asarray(cannot_link, np.intc).reshape(-1, 2)
        far = padded_prices.max(initial=0.0) + 4 * self.max_sq_norm
        rows_and_limits, kappa = self._arguments(padded_prices, far, slack, cannot_link)
        if best_only:  # what rounding alone can make of nothing is not looked for
            threshold = max(threshold + tolerance, kappa * self.mass)
        n, d = self.rows.shape
        stacks, budget = self._stacks, SLICE if d <= FEW_FEATURES else SLICE // d
        stacks.start(self.lower, self.upper)
        found, branched_rows = np.empty((64, 1 + d)), np.empty((64, MOST_BRANCHED), np.intc)
        bounds, state = np.array([threshold, -np.inf]), np.array([1, 0, 0, 0])
        all_found, members, upper = [np.empty((0, 1 + d))], [np.empty((0, n), bool)], np.inf
        while True:
            status = kernels.search(
                *rows_and_limits,
                best_only,
                tolerance,
                budget,
                *stacks.arrays,
                found,
                branched_rows,
                bounds,
                state,
                *stacks.scratch,
            )
            n_found, state[1] = state[1], 0
            if n_found:
                all_found.append(found[:n_found].copy())
                members.append(self._members(padded_prices, all_found[-1], branched_rows, cannot_link))
            if status == DONE:
                upper = bounds.max()
                break
            if not best_only and (sum(map(len, all_found)) >= most or state[2] > most_boxes):
                break
            if status == FULL and not n_found:
                stacks.grow()
            if check is not None:
                check()
        all_found = np.concatenate(all_found)
        return PricingResult(
            all_found[:, 1:].copy(),
            all_found[:, 0].copy(),
            np.concatenate(members),
            float(upper),
            int(state[2]),
            int(state[3]),
        )

    def _arguments(self, padded_prices, far, slack, cannot_link):
        """The rows as the kernel takes them and the bounds on its rounding; `far` bounds all prices and squared distances."""
        n, d = self.rows.shape
        slacks = np.zeros(n)
        if slack is not None:
            slacks = slack / self.weights * (1 + 4 * U)
            slacks = slacks + 4 * (d + 8) * U * far + 8 * self.projection_error * np.sqrt(far)
        has_cannot_link = np.zeros(n, np.uint8)
        has_cannot_link[cannot_link] = 1
        norm = np.sqrt(self.max_sq_norm)
        rounding, kappa, tiny = (
            2 * (n + 8) * U * self.mass * norm,
            2 * (n + 2 * d + 10) * U * far,
            1e-12 * norm,
        )
        tops = padded_prices - self.squares
        rows = self.rows, self.weights, padded_prices, tops, slacks, has_cannot_link, cannot_link
        # The sums of a bound by means are of squared distances of up to 5 norms.
        return (*rows, rounding, kappa, tiny, norm, 16 * kappa * self.mass), kappa

    def _members(self, padded_prices, found, branched_rows, cannot_link):
        """The rows that count at points found; for rows that the search has branched on, what it decided about them."""
        n, points = len(self.rows), found[:, 1:].copy()
        terms = padded_prices - self.squares + 2 * points @ self.rows.T - (points**2).sum(axis=1)[:, None]
        members = terms > 0
        for j, (size, *branched) in enumerate(branched_rows[: len(points)].tolist()):
            for i in branched[:size]:  # as in boxes.pxd: i is undecided, ~i counts, n + i does not
                members[j, i if 0 <= i < n else ~i if i < 0 else i - n] = i < n
            for a, b in cannot_link:  # only where the search did not get so far
                if members[j, a] and members[j, b]:
                    members[j, a if terms[j, a] < terms[j, b] else b] = False
        return members

    def clusters(self, members):
        """Costs and means of some clusters."""
        weights = members * self.weights
        masses, sums = weights.sum(axis=1), weights @ self.rows
        means = sums / np.maximum(masses, 1e-300)[:, None]
        return weights @ self.squares - (sums * means).sum(axis=1), means


def local_maxima(rows, weights, prices, starts):
    """Local maxima uphill from some points: points, values, and the rows that count."""
    starts = np.array(starts, np.float64)
    members = np.empty((len(starts), len(rows)), np.uint8)
    values = np.empty(len(starts))
    step = max(1, CLIMBING // rows.size)
    for first in range(0, len(starts), step):
        some = slice(first, first + step)
        kernels.local_maxima(rows, weights, prices, starts[some], values[some], members[some])
    return starts, values, members.view(bool)


def few(n):
    """The number of rows, out of n, to climb from: the time is in proportion to both numbers."""
    return max(5, min(100, 200_000 // n))


def ways(pricing, labels):
    """The squared distance of each row to its own mean, how much farther the nearest other one is, and the means."""
    n = len(labels)
    _, means = pricing.clusters(labels == np.arange(labels.max() + 1)[:, None])
    sq_distances = np.maximum(
        pricing.squares[:, None] - 2 * pricing.rows @ means.T + (means**2).sum(axis=1), 0
    )
    own = sq_distances[np.arange(n), labels]
    sq_distances[np.arange(n), labels] = np.inf
    return own, np.maximum(sq_distances.min(axis=1) - own, 0), means


def balanced_prices(pricing, labels, n_clusters, check=None):
    """Prices between the squared distances of each row to its own and its second nearest center, best for the bound.

    Within a cluster all prices are the same share of the way from the one to the other: the share with which all clusters earn the same.
    """
    n = len(labels)
    own, way, means = ways(pricing, labels)
    if len(means) < 2:
        return own
    most = np.bincount(labels, pricing.weights * way)
    best, prices = -np.inf, own
    starts, some = np.concatenate([means, pricing.rows[:: 1 + n // few(n)]]), slice(None, None, 1 + n // MANY)
    rows, weights = pricing.rows[some].copy(), pricing.weights[some].copy()
    for earned in np.unique(
        np.outer(np.quantile(most, [0, 0.05, 0.1, 0.25, 0.5]), [1, 0.5, 0.25, 0.1, 0.03])
    ):
        trial = own + np.minimum(earned / np.maximum(most, 1e-300), 1)[labels] * way
        value = (
            weights @ trial[some]
            - n_clusters * local_maxima(rows, weights, trial[some].copy(), starts)[1].max()
        )
        if value > best:
            best, prices = value, trial
        if check is not None:
            check()
    return prices


class _Stacks:
    """The buffers of a search: boxes still to look at, and the rows undecided in them."""

    def __init__(self, n, d, depth, size):
        self.n, self.d = n, d
        self.arrays = np.empty((depth, 3 * d + 2)), np.empty((depth, 2), np.intp), np.empty(size, np.intc)
        self.scratch = np.zeros(n, np.uint8), np.empty((7, 2 + d))

    def start(self, lower, upper):
        """One box, all rows undecided."""
        boxes, lists, pool = self.arrays
        boxes[0] = np.concatenate([lower, upper, np.zeros(2 + self.d)])
        lists[0] = 0, self.n
        pool[: self.n] = np.arange(self.n)

    def grow(self):
        """Twice the room, what is there stays."""
        self.arrays = tuple(np.concatenate([array, np.empty_like(array)]) for array in self.arrays)
