"""The price bound of rows that are gone: what any center can earn from cells of which weight, mean, scatter and a box are known.

With a price l for each cell, a row x of it earns max(0, l - |x - y|^2) at a center y. On the box of the cell l - |x - y|^2 lies
between lo and hi, its greatest and least squared distance, so that the convex function max(0, .) lies below its chord there, and
the cell earns at most

    W (l - |m - y|^2) - S                                              if lo >= 0: all rows count, and nothing is lost,
    0                                                                  if hi <= 0,
    hi / (hi - lo) (W (l - |m - y|^2) - S - W lo)                      else.

So k clusters of all rows cost at least sum W l - k max_y of the sum of these, as in prices.py. Only cells which the sphere around
y cuts lose anything, and that in second order of their size.
"""

import heapq

import numpy as np

# Boxes that a search looks at. In the plane 10,000 were enough for 5,000 cells; with more features, and where prices are far above the
# cost, the bound that is known then is taken. The checker looks at about as many.
MOST_BOXES = 20_000
# Share of what a search has left open that is added, so that the checker, whose chords are rounded, comes to an end where this did.
SLACK = 0.05
# Points at which a search begins to look for the greatest value; each is moved a few times to the mean of what counts there.
CLIMBS = 20


class CellPricing:
    """Cells, over which centers are searched for. Floats: what is found is to be checked.

    Parameters
    ----------
    weights, scatters : ndarray of shape (n_cells,)
    means, lower, upper : ndarray of shape (n_cells, n_features)
    most_looked : float
        A search ends after looking at so many cells of boxes: the checker has to look at about as many.

    Examples
    --------
    >>> cells = [[2.0, 1.0], [[0.5], [9.0]], [0.5, 0.0], [[0.0], [9.0]], [[1.0], [9.0]]]
    >>> pricing = CellPricing(*map(np.array, cells))
    >>> pricing.earned(np.array([4.0, 1.0]), np.array([0.5]))  # 2 * 4 - 0.5
    7.5
    >>> bool(pricing.greatest(np.array([4.0, 1.0]), 1e-3)[0] < 7.502)
    True
    """

    def __init__(self, weights, means, scatters, lower, upper, most_looked=np.inf):
        self.weights, self.means, self.scatters = weights, means, scatters
        self.lower, self.upper = lower, upper
        self.most_looked = most_looked

    def earned(self, prices, y):
        """What the cells earn at a point, at most."""
        near, far = self._ends(y, y, slice(None))
        return self._quadratics(prices, near, far, slice(None), y)

    def _ends(self, low, high, some):
        """Least and greatest squared distance of points in a box to those in the boxes of some cells."""
        lower, upper = self.lower[some], self.upper[some]
        gaps = np.maximum(np.maximum(lower - high, low - upper), 0.0)
        reach = np.maximum(upper - low, high - lower)
        return (gaps * gaps).sum(axis=1), (reach * reach).sum(axis=1)

    def _quadratics(self, prices, near, far, some, y):
        """The sum of the terms at a point."""
        own = self._chords(prices[some], near, far, self.weights[some])
        share, lift = own
        squares = ((self.means[some] - y) ** 2).sum(axis=1)
        terms = self.weights[some] * (prices[some] - squares) - self.scatters[some]
        return float((share * terms + lift).sum())

    @staticmethod
    def _chords(prices, near, far, weights):
        """A share of each term and what is added to it: 1 and 0 inside, 0 and 0 outside, else the chord."""
        high, low = prices - near, np.minimum(prices - far, 0.0)
        share = np.where(high > 0, high / np.maximum(high - low, 1e-300), 0.0)
        return share, -share * weights * low

    def climb(self, prices, y):
        """Uphill from a point: to the mean of what counts, again and again; where, and the value there."""
        best, at = self.earned(prices, y), y
        for _ in range(CLIMBS):
            near, far = self._ends(at, at, slice(None))
            masses = self._chords(prices, near, far, self.weights)[0] * self.weights
            if not masses.any():
                break
            y = masses @ self.means / masses.sum()
            value = self.earned(prices, y)
            if value <= best:
                break
            best, at = value, y
        return at, best

    def cut(self, prices, y):
        """What is earned at a point as a linear function of prices, which is right at these and not above for others.

        Returns
        -------
        shares : ndarray of shape (n_cells,)
            weights * shares is the slope.
        cost : float
            weights * shares @ prices - cost is earned.
        """
        near, far = self._ends(y, y, slice(None))
        own = ((self.means - y) ** 2).sum(axis=1) + self.scatters / self.weights
        shares = np.clip((far - own) / np.maximum(far - near, 1e-300), 0.0, 1.0)
        shares = np.where(prices <= near, 0.0, np.where(prices >= far, 1.0, shares))
        return shares, (self.weights * shares) @ prices - self.earned(prices, y)

    def greatest(self, prices, tolerance, starts=(), check=None):
        """A number that no center earns more than, hardly more than the greatest that is found plus the tolerance, or what is known of that when boxes are many; and the center that earns most.

        Parameters
        ----------
        prices : ndarray of shape (n_cells,)
        tolerance : float
        starts : iterable of ndarray of shape (n_features,)
            Points to climb from.
        check : callable(), optional
            Called for each box; what it raises ends the search.
        """
        best, place = 0.0, self.means[0]
        for start in starts:
            at, value = self.climb(prices, start)
            if value > best:
                best, place = value, at
        low, high = self.lower.min(axis=0), self.upper.max(axis=0)
        empty = 0.0, 0.0, np.zeros(len(low))
        boxes, count = [(-np.inf, 0, low, high, np.arange(len(prices)), empty)], 0
        top, n_boxes, n_looked = np.inf, 0, 0
        while boxes and n_boxes < MOST_BOXES and n_looked < self.most_looked:
            bound, _, low, high, live, inside = heapq.heappop(boxes)
            top, n_boxes = min(top, -bound), n_boxes + 1
            if top <= best + tolerance:
                boxes = []
                break
            if check is not None:
                check()
            n_looked += len(live)
            live, inside, bound, at = self._looked_at(prices, low, high, live, inside)
            bound = min(bound, top)
            if bound <= best + tolerance:
                continue
            value = self.earned(prices, at)
            if value > best:
                best, place = value, at
            axis = (high - low).argmax()
            middle = (low[axis] + high[axis]) / 2
            for side in range(2):
                ends = low.copy(), high.copy()
                ends[1 - side][axis] = middle
                count += 1
                heapq.heappush(boxes, (-bound, count, *ends, live, inside))
        most = max([best + tolerance, *(min(top, -box[0]) for box in boxes[:1])])
        return most + SLACK * (most - best), place

    def _looked_at(self, prices, low, high, live, inside):
        """The cells that are cut on a box, the sum of those inside, an upper bound, and where it is reached."""
        near, far = self._ends(low, high, live)
        price = prices[live]
        cut, full = (near < price) & (far > price), far <= price
        whole = live[full]
        w, s = self.weights[whole], self.weights[whole] @ self.means[whole]
        constant = w @ (prices[whole] - (self.means[whole] ** 2).sum(axis=1)) - self.scatters[whole].sum()
        inside = inside[0] + w.sum(), inside[1] + constant, inside[2] + s
        live, near, far = live[cut], near[cut], far[cut]
        mass, means = self.weights[live], self.means[live]
        if self._is_no_mean(low, high, live, inside):
            return live, inside, -np.inf, low
        share, lift = self._chords(prices[live], near, far, mass)
        own = share * mass
        a = inside[0] + own.sum()
        k = (
            inside[1]
            + own @ (prices[live] - (means**2).sum(axis=1))
            - share @ self.scatters[live]
            + lift.sum()
        )
        s = inside[2] + own @ means
        at = np.clip(s / a if a > 0 else low, low, high)
        return live, inside, k + at @ (2 * s - a * at), at

    def _is_no_mean(self, low, high, live, inside):
        """Whether no point of a box can be the mean of what is inside and of some rows of the cells that are cut."""
        mass, _, sums = inside
        w = self.weights[live]
        up = sums - mass * low + w @ np.maximum(self.upper[live] - low, 0.0)
        down = sums - mass * high + w @ np.minimum(self.lower[live] - high, 0.0)
        slack = 1e-9 * (np.abs(sums) + (mass + w.sum()) * np.maximum(np.abs(low), np.abs(high)))
        return bool((up < -slack).any() or (down > slack).any())
