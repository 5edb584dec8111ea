"""The price bound of rows that are gone: what any center can earn from cells of which weight, mean, scatter and a box are known.

With a price l for each cell, a row x of it earns max(0, q) at a center y, q = l - |x - y|^2. On the box of the cell q lies between
lo = l - far and hi = l - near, its greatest and least squared distance. Over the rows q has the mean v = l - |m - y|^2 - T, where T
= S / W, and hardly more variance than 4 |m - y|^2 T: as |x - m|^2 is between 0 and R^2 with mean T, it is at most

    V = T (2 |m - y| + sqrt(R^2 - T))^2.

So the cell earns nothing if hi <= 0, W v if lo >= 0, and else at most W times the least of

    hi (v - lo) / (hi - lo),                        the chord of the convex function max(0, .),
    h ((v + b)^2 + V) / (h + b)^2                   for h = b > 0 (Scarf 1958), or h = hi <= b,
    v + h ((v - b)^2 + V) / (h + b)^2               for h = b > 0, or h = -lo <= b,

the means of parabolas that are nowhere on [lo, hi] below max(0, .). So k clusters of all rows cost at least sum W l - k max_y of the
sum of these, as in prices.py. Only cells which the sphere around y cuts lose anything, and that in second order of their size.

References
----------
Scarf (1958), "A min-max solution of an inventory problem", Studies in the Mathematical Theory of Inventory and Production, 201-209.
De Schepper & Heijnen (2007), "Distribution-free option pricing", Insurance: Mathematics and Economics 40:179-199, has it with bounds on q.
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
# Divisors that may be zero are not below this, whose square is a number too.
TINY = 1e-150


def _ends(low, high, lower, upper):
    """Least and greatest squared distance of points in some boxes to those in others."""
    gaps = np.maximum(np.maximum(lower - high, low - upper), 0.0)
    reach = np.maximum(upper - low, high - lower)
    return (gaps * gaps).sum(axis=1), (reach * reach).sum(axis=1)


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
        self.spreads = scatters / weights
        sq_reach = (np.maximum(means - lower, upper - means) ** 2).sum(axis=1)
        self.rests = np.sqrt(np.maximum(sq_reach - self.spreads, 0.0))

    def earned(self, prices, y):
        """What the cells earn at a point, at most."""
        some, value, *_ = self._earned(prices, y)
        return float((self.weights[some] * value).sum())

    def _earned(self, prices, y):
        """The cells that may earn something at a point; of each what a row of it earns in the mean, at most, how that grows with the mean v of
        q and with the price."""
        gaps = np.maximum(np.maximum(self.lower - y, y - self.upper), 0.0)
        near = np.einsum("ij,ij->i", gaps, gaps)
        some = np.flatnonzero(near < prices)
        near, prices = near[some], prices[some]
        far = _ends(y, y, self.lower[some], self.upper[some])[1]
        share, lift, mean = self._bounds(prices, near, far, y, y, some)
        share = np.where(prices >= far, 1.0, share)
        value = np.where(prices >= far, mean, share * mean + lift)
        # For the chord, and where a row is at an end of [lo, hi], it is a straight line from where nothing, or all, is earned.
        rising = value / np.maximum(prices - near, TINY)
        falling = (value - mean) / np.maximum(far - prices, TINY)
        return some, value, share, np.where(prices >= far, 1.0, np.clip(share, rising, 1 - falling))

    def _bounds(self, prices, near, far, low, high, some):
        """Of cells that are cut by a sphere around some point of a box: v may be multiplied by `share`, and `lift` added, to have an upper
        bound of what a row earns in the mean; and v in the middle of where it is on the box."""
        means, spread = self.means[some], self.spreads[some]
        least, most = _ends(low, high, means, means)
        one, two = prices - most - spread, prices - least - spread
        mean, top, bottom = (one + two) / 2, np.maximum(prices - near, 0.0), np.maximum(far - prices, 0.0)
        width = np.maximum(far - near, TINY)
        chord = top / width
        V = spread * (2 * np.sqrt(most) + self.rests[some]) ** 2
        # As they are best at the mean: of a row that is one of two, one of them at an end.
        s = np.sqrt(mean * mean + V)
        turned = bottom < top
        h = np.where(turned, bottom, top)
        v = np.where(turned, -mean, mean)
        b = np.maximum(h, V / np.maximum(h - v, TINY) - v)
        h, b = np.where(s <= h, s, h), np.where(s <= h, s, b)
        c = h / np.maximum(h + b, TINY) ** 2
        share = c * (np.where(turned, -one - two, one + two) + 2 * b)
        share, lift = np.where(turned, 1 - share, share), c * (b * b - one * two + V)
        worse = share * mean + lift >= chord * mean + chord * bottom
        return np.where(worse, chord, share), np.where(worse, chord * bottom, lift), mean

    def climb(self, prices, y):
        """Uphill from a point: to the mean of what counts, again and again; where, and the value there."""
        best, at = -np.inf, y
        for _ in range(CLIMBS + 1):
            some, value, share, _ = self._earned(prices, y)
            earned = float((self.weights[some] * value).sum())
            if earned <= best:
                break
            best, at = earned, y
            masses = share * self.weights[some]
            if not masses.any():
                break
            y = masses @ self.means[some] / masses.sum()
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
        some, value, _, own = self._earned(prices, y)
        shares = np.zeros(len(prices))
        shares[some] = own
        return shares, (self.weights * shares) @ prices - (self.weights[some] * value).sum()

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
        near, far = _ends(low[of], high[of], self.lower[live], self.upper[live])
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
        cut = live[kept]
        share, lift, _ = self._bounds(price[kept], near[kept], far[kept], low[of[kept]], high[of[kept]], cut)
        share, lift = share * mass[kept], lift * mass[kept] + share * squares[kept]
        parts = share, lift, *(share * m for m in means[kept].T)
        own = (np.bincount(of[kept], part, n) for part in parts)
        a, k, *s = (total + part for total, part in zip((A, K, *S.T), own))
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
        cells = np.split(cut, np.cumsum(np.bincount(of[kept], minlength=n))[:-1])
        return bounds, at, list(zip(cells, inside))
