"""Prices from a bundle of clusters: the quadratic program of a proximal bundle method, by active sets.

Cluster C with mean y earns a_C.l - c_C for prices l, with a_Ci = w_i for its rows and c_C its cost. Against the clusters
known so far, and near a center c of prices, the best prices maximise

    w.l - k m - |l - c|^2 / (2 t),    m >= a_C.l - c_C for every C,

with |.|^2 weighted by w_i. Its dual has a primal weight x_C >= 0 for each cluster, sum x_C = k: l = c + t (1 - sum of those of
the clusters a row is in). Where prices are best, the primal weights solve the linear program of set partitioning.

References
----------
Kiwiel (1990), "Proximity control in bundle methods for convex nondifferentiable minimization", Mathematical Programming 46,
105-122. Wolfe (1976), "Finding the nearest point in a polytope", Mathematical Programming 11, 128-149.
"""

import numpy as np
from scipy.linalg import LinAlgError

from .._kernels import factor as kernels

# A bundle forgets clusters where it has more than MOST_CLUSTERS; of many rows, where its clusters times rows are more than
# MOST_WEIGHTS (400 MB), but not below LEAST_CLUSTERS. The fewer, the faster a solve, and the more often one has to be found again.
MOST_CLUSTERS, LEAST_CLUSTERS = 2000, 200
MOST_WEIGHTS = 50_000_000
# Not before there are MORE times as many: forgetting took a quarter of the time of 4461 rows in the plane, k=20.
MORE = 1.25
# A cluster may be forgotten when it had no primal weight in the last 25 solves.
OLD = 25
# Of the median price, how far the first step may change a price; later steps are longer where the last one brought what it promised.
FIRST_STEP = 0.3


def first_step(prices):
    """The t of the first solve near some prices, above 0: half of the rows may cost nothing, or all."""
    return FIRST_STEP * (np.median(prices) or prices.mean() or 1.0) if len(prices) else 1.0


def different(members):
    """The different ones of some sets of rows, in lexicographic order.

    As by np.unique along the axis, which for 100 sets of 100,000 rows takes 0.5 s in one go.

    Parameters
    ----------
    members : ndarray of shape (n_sets, n_samples), bool
    """
    first = {}
    for j, key in enumerate(map(bytes, np.packbits(members, axis=1))):
        first.setdefault(key, j)
    return members[np.array([first[key] for key in sorted(first)], int)]


class Bundle:
    """Clusters, each a set of rows, and the best prices against them.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,)
    n_clusters : int
    """

    def __init__(self, weights, n_clusters):
        self.weights, self.n_clusters = weights, n_clusters
        self.metric = 1 / weights
        n = len(weights)
        self._sets, self._costs, self._means = np.empty((0, n)), np.empty(0), None
        self._products, self._primal_weights, self._ages = np.empty((0, 0)), np.empty(0), np.empty(0, int)
        self._keys, self.n, self._active = [], 0, _Active()
        self.most = min(MOST_CLUSTERS, max(LEAST_CLUSTERS, MOST_WEIGHTS // n))
        self._known = set()

    @property
    def sets(self):
        """ndarray of shape (n_sets, n_samples), float64: the weight of each row in each cluster."""
        return self._sets[: self.n]

    @property
    def primal_weights(self):
        """ndarray of shape (n_sets,): of each cluster, in the latest solution."""
        return self._primal_weights[: self.n]

    @property
    def means(self):
        return self._means[: self.n]

    def add(self, members, costs, means):
        """Add clusters that are not known yet; returns how many those are. Members may be shares of rows too, floats."""
        fresh = []
        keys = np.packbits(members, axis=1) if members.dtype == bool else members
        for j, key in enumerate(map(bytes, keys)):
            if key not in self._known:
                self._known.add(key)
                self._keys.append(key)
                fresh.append(j)
        if not fresh:
            return 0
        start, stop = self.n, self.n + len(fresh)
        if self._means is None:
            self._means = np.empty((0, means.shape[1]))
        if stop > len(self._sets):
            self._grow(max(2 * stop, min(256, self.most)))
        self._sets[start:stop] = members[fresh] * self.weights
        self._costs[start:stop], self._means[start:stop] = costs[fresh], means[fresh]
        self._primal_weights[start:stop] = self._ages[start:stop] = 0
        products = (self._sets[start:stop] * self.metric) @ self._sets[:stop].T
        self._products[start:stop, :stop] = products
        self._products[:start, start:stop] = products[:, :start].T
        self.n = stop
        return len(fresh)

    def _grow(self, size):
        more = size - len(self._sets)
        for name in ("_sets", "_costs", "_means", "_primal_weights", "_ages"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros((more, *array.shape[1:]), array.dtype)]))
        self._products = np.pad(self._products, ((0, more), (0, more)))

    def forget(self):
        """Drop clusters long without a primal weight where there are many more than enough: to move the others takes its time."""
        if self.n <= MORE * self.most:
            return
        keep = np.flatnonzero((self._ages[: self.n] < OLD) | (self.primal_weights > 0))
        m = len(keep)
        for array in (self._sets, self._costs, self._means, self._primal_weights, self._ages):
            array[:m] = array[keep]
        self._products[:m, :m] = self._products[np.ix_(keep, keep)]
        self._keys = [self._keys[j] for j in keep]
        self._known = set(self._keys)
        self._active.renumber(keep)
        self.n = m

    def reduced_profits(self, prices):
        """Reduced profits: what each cluster earns."""
        return self.sets @ prices - self._costs[: self.n]

    def seed(self, primal_weights):
        """Primal weights to start from."""
        self._primal_weights[: self.n] = 0
        self._primal_weights[: len(primal_weights)] = primal_weights

    def solve(self, center, t, tolerance, check=None):
        """Best prices near a center, and the level m that no known cluster exceeds by more than the tolerance.

        `check` is called from time to time; what it raises ends the search.

        Returns
        -------
        prices : ndarray of shape (n_samples,)
        level : float

        Raises
        ------
        LinAlgError
            Where rounding leaves no primal weights.
        """
        k, primal_weights, active = self.n_clusters, self.primal_weights, self._active
        full = self.reduced_profits(center + t * self.metric * self.weights) / t  # with no primal weights
        if not primal_weights.any():
            raise LinAlgError("no cluster has a primal weight")
        primal_weights *= k / primal_weights.sum()
        active.begin(self._products, full, primal_weights)
        fresh, barred, taken = set(), set(), np.empty(self.n)
        for _ in range(20 * self.n + 100):
            moved = False
            while True:
                if check is not None:
                    check()
                x, level = active.balance(k)
                order = active.order
                old = primal_weights[order]
                if x.min() >= -1e-11 * k:
                    primal_weights[order] = np.maximum(x, 0)
                    break
                falls = x < 0
                ratio = old[falls] / (old[falls] - x[falls])
                step = ratio.min()
                moved |= step > 0
                new = old + step * (x - old)
                out = np.flatnonzero(falls)[ratio <= step * (1 + 1e-9)]
                new[out] = 0
                new[new < 1e-13 * k] = 0
                primal_weights[order] = new
                if step <= 0:
                    barred.update(order[out].tolist())
                stays = new > 0
                stays |= np.isin(order, list(fresh))
                stays[out] = False
                if step > 0:
                    fresh &= set(order[stays].tolist())
                for place in np.flatnonzero(~stays)[::-1]:
                    active.drop(place)
            if moved:
                barred.clear()
            kernels.combine(self._products, active.order, primal_weights[active.order], taken)
            above = full - taken - level
            above[active.order] = above[list(barred)] = -np.inf
            most = 1 if barred else max(1, active.m // 4)
            fresh = [int(c) for c in np.argsort(-above)[:most] if t * above[c] > tolerance]
            if not fresh:
                break
            for c in sorted(fresh):
                active.add(c)
            fresh = set(fresh)
        self._ages[: self.n] += 1
        self._ages[active.order] = 0
        return center + t * self.metric * (self.weights - self.sets.T @ primal_weights), t * level


class _Active:
    """Clusters that may have a primal weight, and the Cholesky factor L of their products.

    `solutions`: those of L y = b, with for b what the clusters earn, and ones.
    """

    def __init__(self):
        self.m, self.ridge, self._order = 0, 0.0, np.empty(0, np.intp)
        self._make_room(64)

    def _make_room(self, most):
        old = self.m
        L, order = np.zeros((most, most)), np.empty(most, np.intp)
        solutions = np.zeros((2, most))
        if old:
            L[:old, :old], order[:old] = self.L[:old, :old], self._order[:old]
            solutions[:, :old] = self.solutions[:, :old]
        self.L, self._order, self.solutions, self.turns = L, order, solutions, np.empty((2, most))

    @property
    def order(self):
        return self._order[: self.m]

    def begin(self, products, full, primal_weights):
        """Those with a primal weight, and no others."""
        self.products, self.full = products, full
        if not self.m:
            diagonal = products.diagonal()[np.flatnonzero(primal_weights)]
            self.ridge = 1e-10 * (diagonal.mean() or 1.0)
        for place in np.flatnonzero(primal_weights[self.order] <= 0)[::-1]:
            self.drop(place)
        for own, b in zip(self.solutions, (full[self.order], np.ones(self.m))):
            own[: self.m] = b
            kernels.forward(self.L, self.m, own)
        new = primal_weights > 0
        new[self.order] = False
        for c in np.flatnonzero(new):
            self.add(c)

    def add(self, c):
        if self.m == len(self._order):
            self._make_room(2 * self.m)
        self._order[self.m] = c
        row = self.products[c, self._order[: self.m + 1]]
        row[-1] += self.ridge
        b = np.array([self.full[c], 1.0])
        kernels.append(self.L, self.m, row, self.ridge / 4, b, self.solutions)
        self.m += 1

    def drop(self, place):
        kernels.drop(self.L, self.m, place, self.solutions, self.turns)
        self._order[place : self.m - 1] = self._order[place + 1 : self.m].copy()
        self.m -= 1

    def renumber(self, kept):
        """Clusters are known by their place among those that are kept; all that are active are."""
        self._order[: self.m] = np.searchsorted(kept, self.order)

    def balance(self, k):
        """Primal weights that add up to k and let the active clusters all earn the same; and what that is."""
        earned, one = self.solutions[:, : self.m]
        level = (one @ earned - k) / (one @ one)
        x = earned - level * one
        kernels.backward(self.L, self.m, x)
        if not np.isfinite(x).all():
            raise LinAlgError("primal weights are not finite")
        return x, level
