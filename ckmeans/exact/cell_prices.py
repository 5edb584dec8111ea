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
# Boxes that are looked at side by side, those of the greatest bounds, as long as their cells are not more than MOST_SIDE_BY_SIDE: of 13 cells
# in space a box takes 20 us instead of 250.
SIDE_BY_SIDE, MOST_SIDE_BY_SIDE = 256, 1 << 15
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
            top = min(top, -boxes[0][0])
            if top <= best + tolerance:
                boxes = []
                break
            if check is not None:
                check()
            taken, size = [], 0
            while (
                boxes
                and len(taken) < SIDE_BY_SIDE
                and size < MOST_SIDE_BY_SIDE
                and -boxes[0][0] > best + tolerance
            ):
                taken.append(heapq.heappop(boxes))
                size += len(taken[-1][4])
            n_boxes, n_looked = n_boxes + len(taken), n_looked + size
            bounds, points, rest = self._looked_at(prices, taken)
            bounds = np.minimum(bounds, [-box[0] for box in taken])
            at = points[bounds.argmax()]
            value = self.earned(prices, at) if bounds.max() > best else best
            if value > best:
                best, place = value, at
            for j in np.flatnonzero(bounds > best + tolerance):
                low, high = taken[j][2:4]
                axis = (high - low).argmax()
                middle = (low[axis] + high[axis]) / 2
                for side in range(2):
                    ends = low.copy(), high.copy()
                    ends[1 - side][axis] = middle
                    count += 1
                    heapq.heappush(boxes, (-bounds[j], count, *ends, *rest[j]))
        most = max([best + tolerance, *(min(top, -box[0]) for box in boxes[:1])])
        return most + SLACK * (most - best), place

    def _looked_at(self, prices, boxes):
        """Of some boxes, side by side: upper bounds, where these are reached, and for each the cells that are cut and the sum of those inside."""
        n = len(boxes)
        low, high = (np.array([box[at] for box in boxes]) for at in (2, 3))
        live, of = (
            np.concatenate([box[4] for box in boxes]),
            np.repeat(np.arange(n), [len(box[4]) for box in boxes]),
        )
        near, far = self._ends(low[of], high[of], live)
        price, mass, means, scatters = prices[live], self.weights[live], self.means[live], self.scatters[live]
        full = far <= price
        kept = (near < price) & ~full

        def sums(some, *parts):
            return [np.bincount(of[some], part[some], n) for part in parts]

        squares = mass * (price - (means**2).sum(axis=1)) - scatters
        A, K, *S = sums(full, mass, squares, *(mass * m for m in means.T))
        A, K = A + [box[5][0] for box in boxes], K + [box[5][1] for box in boxes]
        S = np.array(S).T + [box[5][2] for box in boxes]
        inside = list(zip(A, K, S))
        share, lift = self._chords(price, near, far, mass)
        own = share * mass
        parts = own, share * squares + lift, *(own * m for m in means.T)
        a, k, *s = (total + part for total, part in zip((A, K, *S.T), sums(kept, *parts)))
        s = np.array(s).T
        at = np.clip(np.divide(s, a[:, None], out=low.copy(), where=a[:, None] > 0), low, high)
        bounds = k + (at * (2 * s - a[:, None] * at)).sum(axis=1)
        # No point of a box is the mean of what is inside and of some rows of the cells that are cut.
        up = [mass * np.maximum(self.upper[live, f] - low[of, f], 0.0) for f in range(low.shape[1])]
        down = [mass * np.minimum(self.lower[live, f] - high[of, f], 0.0) for f in range(low.shape[1])]
        up, down = (np.array(sums(kept, *side)).T for side in (up, down))
        slack = A + sums(kept, mass)[0]
        slack = 1e-9 * (np.abs(S) + slack[:, None] * np.maximum(np.abs(low), np.abs(high)))
        never = (S - A[:, None] * low + up < -slack) | (S - A[:, None] * high + down > slack)
        bounds[never.any(axis=1)] = -np.inf
        cells = np.split(live[kept], np.cumsum(np.bincount(of[kept], minlength=n))[:-1])
        return bounds, at, list(zip(cells, inside))
