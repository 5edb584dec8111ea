"""One branch of column generation (columns.py): some rows together, some apart, and prices that become better.

A proximal bundle method: the best prices against the clusters that are known (bundle.py), the search over all centers for what
they prove (prices.py) and for clusters that are not known yet, and the next prices; until all clusters that a better partition
could have are listed, or two rows are to be put together in one branch and kept apart in another.
"""

import math
from enum import Enum
from fractions import Fraction

import numpy as np

from ..local.search import local_search
from ..rationals import float_down, float_up
from .bundle import Bundle, different, first_step
from .exact_cover import TooManyCovers, covers
from .nodes import Node, joined
from .prices import few

# A branch is closed by a list of at most this many clusters (four times as many in the last attempt): beyond, the branch is split
# instead of searching for a partition among them.
MOST_SETS = 3000
# It is not listed at all where at some center more than this many rows change the cost by less than the gap: all of their subsets may
# be clusters.
MOST_UNDECIDED = 100
# No split is made that would put more than twice as many rows in pairs that are kept apart: the search has to branch on these rows.
MOST_DEPTH = 30
# Prices become the center of the next ones where they bring this share of the predicted gain (a serious step; Kiwiel 1990).
SERIOUS = 0.1
# A search over all centers may leave the bound too low by this share of the gap: a larger share makes it shorter and the bound worse.
EASE = 0.05
# A predicted gain below this share of the gap is not worth a search over all centers.
STALE = 0.05
# After a search of more boxes than this the next ones begin with a large tolerance, which becomes smaller step by step.
# Where a step does not look at GROWING times as many boxes as the one before, the smallest is next: 4177 abalones, k=8, are searched in 24,000
# to 28,000 boxes for all but the first two of nine tolerances. Where the smallest did not either, it is the only one from
# then on: 2000 rows of four overlapping segments in 5 features are searched in a third of the time.
MANY_BOXES, GROWING = 20_000, 1.5
# Where searches are of so many boxes, up to HASTY steps in a row are taken by the clusters that are found uphill from known ones, as long as
# these are new and promise more than POLISHED of the gap: of those 2000 rows, k=4, a search takes 1 s and a step 0.03 s.
HASTY, POLISHED = 25, 0.1
# After this many solves in a row that each gain less than a hundredth of the gap, the next ones count as stale.
PATIENCE = 100
# A branch is split after more than this many stale solves in a row; after each the prices may be farther from the center.
MOST_STALE = 4
# Of the clusters that a step finds those that earn most are added to the bundle, this many, or as many as there are to be: 4461 rows in the plane,
# k=20, have a gap of 0.58 % after 12 s with 60 of them, and of 0.77 % with all, some 300.
MOST_NEW = 60
# Of more rows than this, for which a matrix takes 70 MB, rows that are in the same clusters are looked at once when a branch is split.
MOST_PAIRED = 3000


class Outcome(Enum):
    """How the work on a branch ended."""

    CLOSED = "no partition of it is better than the incumbent"
    GAP_REACHED = "its bound is as near to the incumbent as was asked for"
    SPLIT = "it has two children"
    STUCK = "it can neither be closed nor split"


class Branch:
    """One branch: its rows merged, its prices improved until it is closed or has to be split."""

    def __init__(self, search, node):
        self.search, self.node = search, node
        self.pricing = search.pricing.merged(node.groups)
        self.k, self.weights = search.n_clusters, self.pricing.weights
        self.cannot_link = np.asarray(node.cannot_link, int).reshape(-1, 2)
        n_groups = len(self.weights)
        members = [[] for _ in range(n_groups)]
        for row, group in enumerate(node.groups.tolist()):
            members[group].append(row)
        weights = [sum((search.true_weights[r] for r in own), Fraction(0)) for own in members]
        self.low_weights = None if set(weights) == {1} else np.array(list(map(float_down, weights)))
        self.constant = self._constant(members)
        self.tried, self.staged = math.inf, True  # whether hard searches begin with a large tolerance
        search.n_nodes += 1

    def _constant(self, members):
        """What the rows of the groups cost by being together, exactly."""
        if len(members) == self.search.n_rows:
            # Rows that are the same cost nothing.
            return Fraction(0)
        return self.search.exact.cost(np.where(self.search.heavy, self.node.groups[self.search.row_of], 0))

    def to_bound(self, prices, level):
        """The lower bound of some prices, no more rounded down than floats have to be."""
        paid = np.nextafter(self.low_weights * prices, 0.0) if self.low_weights is not None else prices
        total = Fraction(math.nextafter(math.fsum(paid.tolist()), -math.inf))
        return (total - self.k * Fraction(level)) / self.search.unit + self.constant

    def gap(self):
        """Cost of the incumbent less what the prices prove, in units of the pricing problem, rounded up."""
        return float_up((self.search.cost - self.node.priced) * self.search.unit)

    def restore(self):
        """Establish anew what the prices prove: a search at a level that is true finds nothing above it."""
        search, node = self.search, self.node
        search.n_searches += 1
        level = min(node.level, 4.0 * self.pricing.mass * (node.prices.max() + self.pricing.max_sq_norm))
        result = self.pricing.search(node.prices, level, cannot_link=node.cannot_link, check=search.check)
        node.level, node.priced = result.upper, self.to_bound(node.prices, result.upper)
        node.bound = max(node.bound, node.priced)

    def run(self):
        """Improve the prices until the branch is closed or split, or there is no more to do; an Outcome."""
        self.begin()
        while True:
            self.search.check()
            if self.closed():
                return Outcome.CLOSED
            self.report()
            if self.is_near_enough():
                return Outcome.GAP_REACHED if self.node.bound < self.search.cost else Outcome.CLOSED
            gap = max(self.gap(), 1e-12 * self.scale)
            prices, predicted = self.propose(gap)
            if self.n_hasty and (self.n_hasty >= HASTY or predicted < POLISHED * gap):
                self.settle()
                continue
            if self.is_exhausted(predicted, gap):
                return Outcome.CLOSED if self.closed(last=True) else self.split()
            self.round_primal_weights()
            self.step(prices, predicted)

    def begin(self):
        """The bundle, with the known clusters and the ones that matter at the prices of the node."""
        search, node = self.search, self.node
        bundle = self.bundle = Bundle(self.weights, self.k)
        self.center, self.scale = node.prices, float((search.cost - self.constant) * search.unit)
        sets = np.append(node.sets, np.zeros((1, len(self.weights)), bool), axis=0)  # a cluster may be empty
        bundle.add(sets, *self.pricing.clusters(sets))
        self.best, members = self.evaluate(self.center, bundle.means)
        bundle.add(members, *self.pricing.clusters(members))
        bundle.seed(np.ones(min(bundle.n, self.k)))
        self.t = first_step(self.center)
        self.n_stale, self.n_poor, self.reached = 0, 0, node.priced
        self.n_hasty = 0  # steps since all centers were searched
        self.n_taken = 0  # clusters added
        self.is_idle = False  # whether the latest step added none and gained nothing
        self.predicted = 0.0  # before the latest step that was too short

    def report(self):
        """Tell who asked for it what is known."""
        search = self.search
        if search.progress is not None:
            search.progress(float_up(search.cost), float_down(search.bound()))
        if search.keep is not None:
            search.keep(self.known)

    def is_near_enough(self):
        """Whether the bound is as near to the incumbent's cost as was asked for."""
        return self.node.bound >= self.search.cost * (1 - Fraction(self.search.gap))

    def propose(self, gap):
        """The best prices against the clusters that are known, and by how much these say the bound may rise."""
        prices, level = self.bundle.solve(self.center, self.t, 0.003 * gap / self.k, self.search.check)
        return prices, self.weights @ prices - self.k * level - self.best

    def is_exhausted(self, predicted, gap):
        """Whether nothing is to be gained any more. Where these prices promise nothing, or the same ones brought nothing, the next ones may be
        farther from the center."""
        rises = self.node.priced > self.reached + Fraction(gap / 100) / self.search.unit
        self.n_poor = 0 if rises else self.n_poor + 1
        self.reached = max(self.reached, self.node.priced)
        promising = predicted >= max(STALE * gap, 1e-11 * self.scale) and self.n_poor <= PATIENCE
        if promising and not self.is_idle:
            self.n_stale = 0
            return False
        # A gain that searches far from the optimum are too coarse for shows where it is larger.
        grows, self.predicted = predicted > 1.5 * self.predicted, predicted
        self.n_stale = 0 if promising and grows else self.n_stale + 1
        self.t *= 4
        return self.n_stale > MOST_STALE

    def step(self, prices, predicted):
        """Find what the prices prove, and the clusters they lack; the prices become the center where that is a serious gain."""
        hasty = self.node.n_boxes > MANY_BOXES
        n_taken = self.n_taken
        n_searches, wanted = self.search.n_searches, math.inf if hasty else self.best + SERIOUS * predicted
        value, members = self.evaluate(prices, self.starts(), wanted)
        self.n_hasty = self.n_hasty + 1 if hasty and n_searches == self.search.n_searches else 0
        gain = value - self.best
        if gain >= SERIOUS * predicted:
            self.center = prices
            self.t *= 1.5 if gain > 0.5 * predicted else 1
        elif value < self.best - 2 * predicted:
            self.t *= 0.8
        self.best = max(self.best, value)
        self.learn(members, prices)
        self.is_idle = gain < SERIOUS * predicted and self.n_taken == n_taken

    def settle(self):
        """Find what the prices of the center prove, to which steps have led without a search of all centers."""
        self.n_hasty = 0
        self.best, members = self.evaluate(self.center, self.starts())
        self.learn(members, self.center)

    def learn(self, members, prices):
        """Add clusters to the bundle. What the center was taken to prove is no more than any of them leaves of it."""
        if len(members):
            self.take(members, *self.pricing.clusters(members), prices)
        level = self.bundle.reduced_profits(self.center).max()
        self.best = min(self.best, self.weights @ self.center - self.k * level)
        self.bundle.forget()

    def take(self, members, costs, means, prices):
        """Add to the bundle those of some clusters that earn most; returns how many of these are new."""
        most = np.argsort(-((members * self.weights) @ prices - costs), kind="stable")[
            : max(MOST_NEW, self.k)
        ]
        n_new = self.bundle.add(members[most], costs[most], means[most])
        self.n_taken += n_new
        return n_new

    def known(self):
        self.node.sets = self.bundle.sets > 0
        return self.search.known()

    def active(self):
        """The clusters with a primal weight."""
        return self.bundle.sets[self.bundle.primal_weights > 0] > 0

    def starts(self):
        """Points to climb from: the means of the clusters with a primal weight, and now and then some rows."""
        means = self.bundle.means[self.bundle.primal_weights > 0]
        if self.search.n_searches % 8:
            return means
        n = len(self.pricing.rows)
        return np.concatenate([means, self.pricing.rows[self.search.n_searches % 7 :: 1 + n // few(n)]])

    def evaluate(self, prices, starts, wanted=-math.inf):
        """The bound of some prices, and clusters that earn much.

        Where known clusters already keep the bound below what is wanted, and some are new, all centers are not searched.
        """
        search, node = self.search, self.node
        prices = np.maximum(prices, 0.0)
        _, _, members = self.pricing.local_maxima(prices, starts)
        members = different(self._legal(members, prices))
        costs, means = self.pricing.clusters(members)
        reduced_profits = (members * self.weights) @ prices - costs
        floor = reduced_profits.max(initial=0.0) * (1 - 1e-12)
        value = self.weights @ prices - self.k * floor
        if value < wanted and self.take(members, costs, means, prices):
            return value, members[:0]
        for tolerance in self.tolerances(prices, floor):
            search.n_searches += 1
            result = self.pricing.search(
                prices, floor, tolerance=tolerance, cannot_link=node.cannot_link, check=search.check
            )
            self.node.n_boxes = result.n_boxes
            bound = self.to_bound(prices, result.upper)
            if node.priced is None or bound > node.priced:
                node.prices, node.level, node.priced = prices, result.upper, bound
                node.bound = max(node.bound, bound)
            members = np.concatenate([members, result.members])
            floor = max(floor, result.upper - tolerance)
        if len(result.points):
            _, _, more = self.pricing.local_maxima(prices, result.points)
            members = np.concatenate([members, self._legal(more, prices)])
        members = members[members.any(axis=1)]
        value = self.weights @ prices - self.k * result.upper
        return value, different(members)

    def tolerances(self, prices, floor):
        """By how much searches may leave the bound too low: at once a small share of the gap, or by and by where that is hard."""
        search, node = self.search, self.node
        most = float((search.cost - self.constant) * search.unit)
        open_gap = most - (self.weights @ prices - self.k * floor)
        gap = most if node.priced is None else max(self.gap(), 0.0)
        share = 1 if self.node.n_boxes > MANY_BOXES else 1e-3
        least = EASE * max(open_gap, share * gap, 1e-9 * most) / self.k
        if self.node.n_boxes > MANY_BOXES and self.staged:
            first = before = 0
            tolerance, boxes = 0.3 * gap / self.k, 1
            while tolerance > least and boxes > GROWING * before:
                yield tolerance
                before, boxes = boxes, self.node.n_boxes
                first = first or boxes
                tolerance *= 0.3
            yield least
            self.staged = self.node.n_boxes > GROWING * first
        else:
            yield least

    def _legal(self, members, prices):
        """Of two rows that are apart, only one stays."""
        for a, b in self.cannot_link:
            members[members[:, a] & members[:, b], a if prices[a] < prices[b] else b] = False
        return members

    def round_primal_weights(self):
        """A clustering around the means of the clusters with the greatest primal weights, if it is better."""
        search, bundle = self.search, self.bundle
        most = np.argsort(-bundle.primal_weights, kind="stable")[: self.k]
        centers = bundle.means[most]
        sq_distances = (
            self.pricing.squares[:, None] - 2 * self.pricing.rows @ centers.T + (centers**2).sum(axis=1)
        )
        cost = self.weights @ sq_distances.min(axis=1)
        if cost > 1.03 * float((search.cost - self.constant) * search.unit):
            return
        key = tuple(sorted(most.tolist()))
        if key == getattr(self, "_rounded", None):
            return
        self._rounded = key
        nearest = sq_distances.argmin(axis=1)[self.node.groups[search.row_of]]
        if len(np.unique(nearest)) < self.k:
            return
        start = search.exact.centers(nearest)
        start = np.array([start[c] for c in sorted(start)])
        found = local_search(search.X, self.k, sample_weight=search.sample_weight, init=start, n_threads=1)
        if found.inertia < float_up(search.cost) * (1 - 1e-14):
            search.offer(found.labels)

    def closed(self, last=False):
        """Whether no partition of this branch is better than the incumbent: all that could be are looked at."""
        search, node = self.search, self.node
        gap = self.gap()
        if gap < 0:
            return True
        if gap > 0.5 * self.tried and not last or gap >= node.level or self.is_undecided(gap):
            return False
        self.tried = gap
        result = self.pricing.search(
            node.prices,
            np.nextafter(node.level - gap, -np.inf),
            best_only=False,
            slack=gap,
            cannot_link=node.cannot_link,
            most=MOST_SETS * (4 if last else 1),
            most_boxes=max(2000, 30 * self.node.n_boxes) * (5 if last else 1),
            check=search.check,
        )
        if result.upper == np.inf or result.n_unresolved:
            return False
        sets = different(result.members)
        sets = sets[sets.any(axis=1)]
        try:
            for chosen in covers(sets, self.k, search.check):
                labels = sets[chosen].argmax(axis=0)
                search.offer(labels[node.groups[search.row_of]])
        except TooManyCovers:
            return False
        self.lower_level(max(result.upper, result.values.max(initial=0.0)))
        return True

    def lower_level(self, level):
        """No center earns more than the best of the clusters listed: the less the level is above that, the fewer of them a checker finds."""
        node = self.node
        if level < node.level:
            node.level, node.priced = level, self.to_bound(node.prices, level)
            node.bound = max(node.bound, node.priced)

    def is_undecided(self, gap):
        """Whether at a center with a primal weight so many rows make so little difference that all of their subsets may count."""
        pricing, means = self.pricing, self.bundle.means[self.bundle.primal_weights > 0]
        terms = (self.weights * (self.node.prices - ((pricing.rows - y) ** 2).sum(axis=1)) for y in means)
        return any(np.count_nonzero(np.abs(own) <= gap) > MOST_UNDECIDED for own in terms)

    def _least_decided(self):
        """Two groups that are together in about half of the clusters, by their primal weights, and that share."""
        weights = self.bundle.primal_weights
        active = np.flatnonzero(weights > 1e-9 * self.k)
        sets, groups = self.bundle.sets[active] > 0, np.arange(len(self.weights))
        if len(groups) > MOST_PAIRED:
            groups = np.sort(np.unique(np.packbits(sets, axis=0), axis=1, return_index=True)[1])
            sets = sets[:, groups]
        together = (sets * weights[active][:, None]).T @ sets.astype(float)
        np.fill_diagonal(together, 0)
        i, j = np.unravel_index(np.argmin(np.abs(together - 0.5), axis=None), together.shape)
        return int(groups[i]), int(groups[j]), together[i, j]

    def split(self):
        """Two branches: two rows together, or apart; Outcome.STUCK where no two rows are undecided."""
        node, bundle = self.node, self.bundle
        i, j, together = self._least_decided()
        if not 1e-6 < together < 1 - 1e-6 or len(np.unique(node.cannot_link + [(i, j)])) > 2 * MOST_DEPTH:
            return Outcome.STUCK
        i, j = sorted((i, j))
        groups = np.where(self.search.heavy, node.groups[self.search.row_of], -1)
        node.pair = tuple(int(np.flatnonzero(groups == g)[0]) for g in (i, j))
        known = bundle.sets > 0
        both = known[:, i] & known[:, j]
        old = joined(len(self.weights), i, j)
        masses = np.bincount(old, self.weights)
        cost = self.pricing.clusters(np.isin(np.arange(len(old)), [i, j])[None])[0][0]
        prices = np.bincount(old, self.weights * node.prices) / masses
        prices[i] -= cost / masses[i]
        same = known[:, i] == known[:, j]
        node.children = [
            Node(
                old[node.groups],
                [(int(old[a]), int(old[b])) for a, b in node.cannot_link],
                np.maximum(prices, 0),
                np.delete(known[same], j, axis=1)[-500:],
                node.bound,
            ),
            Node(
                node.groups,
                [*node.cannot_link, (i, j)],
                node.prices,
                known[~both][-500:],
                node.bound,
                n_boxes=0,
            ),
        ]
        return Outcome.SPLIT
