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
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic

import numpy as np
from scipy.linalg import LinAlgError

from ..local.search import local_search
from ..rationals import ExactRows, float_down, float_up
from ..solution import Solution
from ..workers import Expired
from .anticlusters import halved
from .column_branch import Branch, Outcome
from .nodes import Node, read, written
from .prices import PricingProblem, balanced_prices, ways

# Of more than MANY_ROWS rows the first prices are those of cells of up to CELL neighbouring rows, which are improved up to a gap of CELLS_GAP,
# for CELLS_TIME of the time at most; of many cells the first ones are those of larger cells. 100,000 rows in the plane, k=10: 0.13 % are left
# by the first search, after 8 s; with cells of 32 rows 0.45 %, after 4 s.
MANY_ROWS, CELL, CELLS_GAP, CELLS_TIME = 8000, 8, 1e-4, 0.5


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
    X,
    n_clusters,
    *,
    sample_weight=None,
    labels=None,
    max_seconds=None,
    gap=0.0,
    rng=0,
    progress=None,
    known=None,
    keep=None,
):
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
    except LinAlgError:  # rounding stopped the search; what is known stays true
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
        # The distinct row of each sample; anything for a sample without weight.
        self.row_of = np.zeros(len(X), int)
        self.row_of[heavy] = of.ravel()
        self.heavy = heavy
        self.n_rows = len(distinct)
        # Weights near 1, rounded up; exactly they are the true ones.
        self.heaviest = Fraction(2) ** int(np.frexp(weights.max())[1] - 1)
        near = np.ldexp(weights[heavy], 1 - int(np.frexp(weights.max())[1]))
        self.weights = np.bincount(of.ravel(), near) * (1 + len(X) * 2.3e-16)
        if sample_weight is None:
            self.true_weights = [Fraction(n) for n in np.bincount(of.ravel()).tolist()]
        else:
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
                self.X,
                self.n_clusters,
                sample_weight=self.sample_weight,
                rng=self.rng,
                max_seconds=None
                if self.deadline == math.inf
                else max(0.0, (self.deadline - monotonic()) / 4),
            ).labels
        self.offer(labels)
        self.check()
        self.prepare()
        own = np.zeros(self.n_rows, int)
        own[self.row_of[self.heavy]] = np.unique(labels[self.heavy], return_inverse=True)[1]
        groups = np.arange(self.n_rows)
        sets = own == np.arange(own.max() + 1)[:, None]
        # In one or two dimensions searches are short: none is made in steps of the tolerance.
        n_boxes = 0 if self.pricing.rows.shape[1] < 3 else math.inf
        self.root = Node(groups, [], np.zeros(self.n_rows), sets, Fraction(0), n_boxes=n_boxes)
        self.open = [self.root]
        self.root.prices = self.first_prices(own)

    def first_prices(self, own):
        """Balanced ones; of many rows those as far between the own and the next center as the best ones of cells of rows are."""
        pricing, k = self.pricing, self.n_clusters
        if self.n_rows <= MANY_ROWS or own.max() == 0:
            return balanced_prices(pricing, own, k, self.check)
        cells = []
        for label in range(own.max() + 1):
            self.check()
            rows = np.flatnonzero(own == label)
            cells += [rows[cell] for cell in halved(pricing.rows[rows], CELL)]
        if 2 * len(cells) > self.n_rows:
            return balanced_prices(pricing, own, k, self.check)
        cell_of = np.empty(self.n_rows, int)
        cell_of[np.concatenate(cells)] = np.repeat(np.arange(len(cells)), list(map(len, cells)))
        masses = np.bincount(cell_of, pricing.weights)
        columns = [*pricing.rows.T, pricing.squares, *ways(pricing, own)[:2]]
        *means, squares, lengths, way = [np.bincount(cell_of, pricing.weights * x) / masses for x in columns]
        means, left = np.array(means).T.copy(), self.deadline - monotonic()
        coarse = _Search(means, k, masses, CELLS_TIME * left, CELLS_GAP, self.rng, None)
        branch = None
        with suppress(Expired, LinAlgError):
            coarse.begin(own[[cell[0] for cell in cells]])
            branch = Branch(coarse, coarse.root)
            branch.run()
        self.check()
        if branch is None or coarse.root.priced is None:
            return balanced_prices(pricing, own, k, self.check)
        prices = coarse.root.prices[coarse.row_of] * float(coarse.area)
        above = prices - (lengths - squares + (means**2).sum(axis=1))  # than what the mean of the cell costs
        share = np.clip(above / np.maximum(way, 1e-300), 0, 1)[cell_of]
        self.root.sets = np.concatenate([self.root.sets, branch.active()[:, coarse.row_of[cell_of]]])
        return columns[-2] + share * columns[-1]

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
            Branch(self, node).restore()
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
            outcome = Branch(self, node).run()
            if outcome is Outcome.GAP_REACHED:
                return "gap"
            if outcome is Outcome.STUCK:
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
