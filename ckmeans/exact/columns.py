"""Column generation: the best prices, the clusters that matter at these, and the optimum among them.

The price bound (prices.py) is improved by a proximal bundle method (bundle.py), each search for the best center giving new
clusters. Once the bound L is near the cost U of the incumbent, every cluster of a partition that costs at most U earns at
least m - (U - L): the search lists all of these, and the best partition made of them is optimal. Where they are too many,
two rows are put together in one branch and kept apart in the other.

References
----------
du Merle, Hansen, Jaumard, Mladenovic (2000), "An interior point algorithm for minimum sum-of-squares clustering", SIAM J.
Sci. Comput. 21, 1485-1505. Aloise, Hansen, Liberti (2012), "An improved column generation algorithm for minimum
sum-of-squares clustering", Mathematical Programming 131, 195-220. The list of all columns within the gap, in vehicle
routing: Baldacci, Christofides, Mingozzi (2008), Mathematical Programming 115, 351-385.
"""

import heapq
import math
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic

import numpy as np
from scipy.linalg import LinAlgError

from ..local.restarts import local_search
from ..rationals import ExactRows, float_down, float_up
from ..solution import Solution
from ..workers import Expired
from .bundle import Bundle
from .exact_cover import TooManyCovers, covers
from .nodes import Node, joined, read, written
from .prices import PricingProblem, balanced_prices, few

MOST_SETS = 3000  # clusters within the gap that are listed
MOST_UNDECIDED = 100  # rows that make less of a difference than the gap, from which on these are too many
MOST_DEPTH = 30  # rows apart
SERIOUS = 0.1  # share of the predicted gain that moves the center of the prices
EASE = 0.05  # share of the gap by which a search may leave the bound too low
STALE = 0.05  # share of the gap below which a predicted gain is not worth a search
MANY_BOXES = 20_000  # of a search, from which on the next are made in steps
PATIENCE = 100  # solves that may gain less than a hundredth of the gap, one after the other


@dataclass(frozen=True, eq=False)
class ColumnGenerationSolution(Solution):
    """The best clustering found, with the prices that bound all of them.

    Attributes
    ----------
    proof : tuple
        ("prices", groups, prices, level): the samples of each group are together (group -1: they have no weight), and at no
        center do the groups leave more than the level, each its weight times price less squared distance of its mean. ("branch", i, j, together, apart):
        samples i and j, and a proof of each case. ("open",) where the search did not get to.
    exact_bound : Fraction
        `lower_bound` before rounding.
    n_nodes, n_searches : int
        Branches looked at, and searches over all centers.
    """

    proof: tuple
    exact_bound: Fraction
    n_nodes: int
    n_searches: int


def column_generation(
    X, n_clusters, *, sample_weight=None, labels=None, max_seconds=None, gap=0.0, rng=0, progress=None, known=None,
    keep=None,
):  # fmt: skip
    """Search for the optimum, with a lower bound at every moment. Arguments are taken as checked.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
    n_clusters : int
        At most the number of distinct rows with weight. What these weigh should be within a factor of 2**100.
    labels : ndarray of shape (n_samples,) or None
        A clustering to start from; None for the best of a local search.
    gap : float
        Stop where (inertia - lower_bound) / inertia is not above this.
    progress : callable(inertia, lower_bound), optional
        Called after each search.
    known : dict, optional
        What an earlier call for the same data passed to `keep`: the search goes on from there.
    keep : callable(known), optional
        Called after each search with a function that gives what is known: numbers, arrays, fractions, in dicts and lists.

    Returns
    -------
    ColumnGenerationSolution
        The best so far when the time is up or on Ctrl-C.
    """
    search = _Search(X, n_clusters, sample_weight, max_seconds, gap, rng, progress, keep)
    reason = "gap"
    try:
        if known is None:
            search.begin(labels)
        else:
            search.resume(known, labels)
        reason = search.run()
    except Expired:
        reason = "time_limit"
    except KeyboardInterrupt:
        reason = "interrupted"
    except LinAlgError:  # rounding has the last word: what is known stays true
        reason = "unresolved"
    if keep is not None and search.root is not None:
        keep(search.known)
    return search.solution(reason)


class _Search:
    """The incumbent, and the branches still open."""

    def __init__(self, X, n_clusters, sample_weight, max_seconds, gap, rng, progress, keep=None):
        self.X, self.n_clusters, self.sample_weight = X, n_clusters, sample_weight
        self.deadline = math.inf if max_seconds is None else monotonic() + max_seconds
        self.gap, self.rng, self.progress, self.keep = gap, rng, progress, keep
        self.exact = ExactRows(X, sample_weight)
        weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        heavy = weights > 0
        distinct, of = np.unique(X[heavy], axis=0, return_inverse=True)
        self.row_of = np.zeros(
            len(X), int
        )  # of each sample the distinct row; anything where it has no weight
        self.row_of[heavy] = of.ravel()
        self.heavy = heavy
        self.n_rows = len(distinct)
        # Weights near 1, rounded up; exactly they are the true ones.
        self.heaviest = Fraction(2) ** int(np.frexp(weights.max())[1] - 1)
        near = np.ldexp(weights[heavy], 1 - int(np.frexp(weights.max())[1]))
        self.weights = np.bincount(of.ravel(), near) * (1 + len(X) * 2.3e-16)
        self.true_weights = [Fraction(0)] * self.n_rows
        for i in np.flatnonzero(heavy):
            self.true_weights[self.row_of[i]] += Fraction(float(weights[i])) / self.heaviest
        self.rows = distinct
        self.labels, self.cost = None, None
        self.root, self.open, self.closed = None, [], []
        self.n_nodes = self.n_searches = 0

    def check(self):
        if monotonic() >= self.deadline:
            raise Expired

    def prepare(self):
        """The pricing problem of all rows, which for many features takes its time."""
        self.pricing = PricingProblem(self.rows, self.weights, self.check)
        self.area = Fraction(4) ** self.pricing.exponent  # that is 1 in the pricing problem
        self.unit = 1 / (self.area * self.heaviest)

    def begin(self, labels):
        """The incumbent, and the prices it suggests."""
        if labels is None:
            labels = local_search(
                self.X, self.n_clusters, sample_weight=self.sample_weight, rng=self.rng,
                max_seconds=None if self.deadline == math.inf else max(0.0, (self.deadline - monotonic()) / 4),
            ).labels  # fmt: skip
        self.offer(labels)
        self.prepare()
        own = np.zeros(self.n_rows, int)
        own[self.row_of[self.heavy]] = np.unique(labels[self.heavy], return_inverse=True)[1]
        groups = np.arange(self.n_rows)
        sets = own == np.arange(own.max() + 1)[:, None]
        # In few dimensions no search takes so many boxes that it is made in steps.
        n_boxes = 0 if self.pricing.rows.shape[1] < 3 else math.inf
        self.root = Node(groups, [], np.zeros(self.n_rows), sets, Fraction(0), n_boxes=n_boxes)
        self.open = [self.root]
        self.root.prices = balanced_prices(self.pricing, own, self.n_clusters, self.check)

    def known(self):
        """All that the search would go on from, with the branch that is being looked at."""
        return {"labels": self.labels, "nodes": written(self.root, self.open)}

    def resume(self, known, labels):
        """The branches as they were. What they prove is established anew, parents first: it holds for their children."""
        self.offer(known["labels"])
        if labels is not None:
            self.offer(labels)
        self.prepare()
        nodes = read(known["nodes"], np.where(self.heavy, self.row_of, -1))
        self.root, self.open = nodes[0], nodes[:1]
        for node in nodes:
            _Branch(self, node).restore()
            if node.children:
                self.open.remove(node)
                self.open += node.children
                for child in node.children:
                    child.bound = node.bound
        heapq.heapify(self.open)

    def offer(self, labels):
        """Take a clustering if it is better than the incumbent."""
        cost = self.exact.cost(labels)
        if self.cost is None or cost < self.cost:
            self.labels, self.cost = np.asarray(labels, np.int32).copy(), cost
            return True
        return False

    def run(self):
        while self.open:
            if self.bound() >= self.cost * (1 - Fraction(self.gap)):
                return "proved" if self.bound() >= self.cost else "gap"
            node = self.open[0]  # the least bound; it stays there, since no other's changes meanwhile
            closed = _Branch(self, node).run()
            if closed is None:
                return "gap"
            if not closed and not node.children:
                return "unresolved"
            heapq.heapify(self.open)  # its bound has grown
            self.open.remove(node)
            self.open += node.children
            heapq.heapify(self.open)
        return "proved"

    def bound(self):
        """What is proved: the least bound of the open branches, or the cost of the incumbent."""
        return min([node.bound for node in self.open] + [self.cost])

    def solution(self, reason):
        n_clusters = self.n_clusters
        if self.labels is None:
            self.offer(np.zeros(len(self.X), np.int32))
        bound = self.bound() if self.root is not None else Fraction(0)
        bound = max(bound, Fraction(0))
        centers = self.exact.centers(self.labels)
        rows = np.zeros((n_clusters, self.X.shape[1]))
        for label, center in centers.items():
            rows[label] = center
        optimal = bound >= self.cost
        return ColumnGenerationSolution(
            labels=self.labels,
            centers=rows,
            inertia=float_up(self.cost),
            lower_bound=float_down(bound),
            status="optimal" if optimal else "bounded",
            stop_reason="proved" if optimal else reason,
            proof=self.proof(self.root) if self.root is not None else ("open",),
            exact_bound=bound,
            n_nodes=self.n_nodes,
            n_searches=self.n_searches,
        )

    def proof(self, node):
        """What is known of a branch, in terms of samples and units of X."""
        if node.children:
            sides = [self.proof(child) for child in node.children]
            if ("open",) not in sides:
                return ("branch", *node.pair, *sides)
        if node.priced is None:
            return ("open",)
        groups = np.where(self.heavy, node.groups[self.row_of], -1)
        prices = [Fraction(price) * self.area for price in node.prices.tolist()]
        return ("prices", groups, prices, Fraction(node.level) / self.unit)


class _Branch:
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
        self.tried = math.inf
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
        """True if the branch is closed, False if it has to be split, None if the gap asked for is reached."""
        search, node = self.search, self.node
        bundle = self.bundle = Bundle(self.weights, self.k)
        center, scale = node.prices, float((search.cost - self.constant) * search.unit)
        sets = np.append(node.sets, np.zeros((1, len(self.weights)), bool), axis=0)  # a cluster may be empty
        bundle.add(sets, *self.pricing.clusters(sets))
        best, members = self.evaluate(center, bundle.means)
        bundle.add(members, *self.pricing.clusters(members))
        bundle.seed(np.ones(min(bundle.n, self.k)))
        t = 0.3 * np.median(center) if len(center) else 1.0
        stale, n_poor, reached = 0, 0, node.priced
        while True:
            search.check()
            if self.closed():
                return True
            if search.progress is not None:
                search.progress(float_up(search.cost), float_down(search.bound()))
            if search.keep is not None:
                search.keep(self.known)
            if node.bound >= search.cost * (1 - Fraction(search.gap)):
                return None if node.bound < search.cost else True
            gap = max(self.gap(), 1e-12 * scale)
            prices, level = bundle.solve(center, t, 0.003 * gap / self.k, search.check)
            predicted = self.weights @ prices - self.k * level - best
            n_poor = 0 if node.priced > reached + Fraction(gap / 100) / search.unit else n_poor + 1
            reached = max(reached, node.priced)
            if predicted < max(STALE * gap, 1e-11 * scale) or n_poor > PATIENCE:
                stale += 1
                t *= 4
                if stale > 4:
                    if self.closed(last=True):
                        return True
                    return self.split()
            else:
                stale = 0
            self.round_primal_weights()
            value, members = self.evaluate(prices, self.starts(), best + SERIOUS * predicted)
            if value - best >= SERIOUS * predicted:
                center = prices
                t *= 1.5 if value - best > 0.5 * predicted else 1
            elif value < best - 2 * predicted:
                t *= 0.8
            best = max(best, value)
            if len(members):
                bundle.add(members, *self.pricing.clusters(members))
            bundle.forget()

    def known(self):
        self.node.sets = self.bundle.sets > 0
        return self.search.known()

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
        members = np.unique(self._legal(members, prices), axis=0)
        costs, means = self.pricing.clusters(members)
        reduced_profits = (members * self.weights) @ prices - costs
        floor = reduced_profits.max(initial=0.0) * (1 - 1e-12)
        value = self.weights @ prices - self.k * floor
        if value < wanted and self.bundle.add(members, costs, means):
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
        return value, np.unique(members, axis=0)

    def tolerances(self, prices, floor):
        """By how much searches may leave the bound too low: at once a small share of the gap, or by and by where that is hard."""
        search, node = self.search, self.node
        most = float((search.cost - self.constant) * search.unit)
        open_gap = most - (self.weights @ prices - self.k * floor)
        gap = most if node.priced is None else max(self.gap(), 0.0)
        least = EASE * max(open_gap, 1e-3 * gap, 1e-9 * most) / self.k
        if self.node.n_boxes > MANY_BOXES:
            tolerance = 0.3 * gap / self.k
            while tolerance > least:
                yield tolerance
                tolerance *= 0.3
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
        if len(start) < self.k:
            return
        found = local_search(search.X, self.k, sample_weight=search.sample_weight, init=start, n_threads=1)
        if found.inertia < float_up(search.cost) * (1 - 1e-14):
            search.offer(found.labels)

    def closed(self, last=False):
        """Whether no partition of this branch is better than the incumbent: all that could be are looked at."""
        search, node = self.search, self.node
        gap = self.gap()
        if gap < 0:
            return True
        if (
            gap > 0.5 * self.tried
            and not last
            or gap >= node.level
            or self.most_undecided(gap) > MOST_UNDECIDED
        ):
            return False
        self.tried = gap
        result = self.pricing.search(
            node.prices, np.nextafter(node.level - gap, -np.inf), best_only=False, slack=gap, cannot_link=node.cannot_link,
            most=MOST_SETS * (4 if last else 1), most_boxes=max(2000, 30 * self.node.n_boxes) * (5 if last else 1), check=search.check,
        )  # fmt: skip
        if result.upper == np.inf or result.n_unresolved:
            return False
        sets = np.unique(result.members, axis=0)
        sets = sets[sets.any(axis=1)]
        try:
            for chosen in covers(sets, self.k, search.check):
                labels = sets[chosen].argmax(axis=0)
                search.offer(labels[node.groups[search.row_of]])
        except TooManyCovers:
            return False
        return True

    def most_undecided(self, gap):
        """The most rows at any center with a primal weight that make so little difference that all of their subsets may count."""
        pricing, means = self.pricing, self.bundle.means[self.bundle.primal_weights > 0]
        terms = [self.weights * (self.node.prices - ((pricing.rows - y) ** 2).sum(axis=1)) for y in means]
        return max((np.count_nonzero(np.abs(own) <= gap) for own in terms), default=0)

    def split(self):
        """Two branches: two rows together, or apart."""
        node, bundle = self.node, self.bundle
        active = np.flatnonzero(bundle.primal_weights > 1e-9 * self.k)
        sets = bundle.sets[active] > 0
        together = (sets * bundle.primal_weights[active][:, None]).T @ sets.astype(float)
        np.fill_diagonal(together, 0)
        i, j = np.unravel_index(np.argmin(np.abs(together - 0.5), axis=None), together.shape)
        if (
            not 1e-6 < together[i, j] < 1 - 1e-6
            or len(np.unique(node.cannot_link + [(i, j)])) > 2 * MOST_DEPTH
        ):
            return False
        i, j = sorted((int(i), int(j)))
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
                old[node.groups], [(int(old[a]), int(old[b])) for a, b in node.cannot_link], np.maximum(prices, 0),
                np.delete(known[same], j, axis=1)[-500:], node.bound,
            ),
            Node(node.groups, [*node.cannot_link, (i, j)], node.prices, known[~both][-500:], node.bound, n_boxes=0),
        ]  # fmt: skip
        return False
