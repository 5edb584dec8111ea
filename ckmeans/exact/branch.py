"""Repetitive branch and bound: the optimum of every suffix of an order of the rows, from the last row to the first.

A partition of a suffix costs at least what the clusters of its first rows cost and the optimum of the rows after these. So
the optima of the shorter suffixes rule out most prefixes of the longer ones; and the order with these optima is a proof
that anyone can check by going the same way. How many prefixes are left over depends on the order: rows of different
clusters take turns, those far from each other first, and then rows are moved about in the order as long as that pays.

References
----------
Koontz, Narendra & Fukunaga (1975), "A branch and bound clustering algorithm", IEEE Trans. Computers C-24:908-915,
doi:10.1109/T-C.1975.224336. Brusco (2006), "A repetitive branch-and-bound procedure for minimum within-cluster sums of
squares partitioning", Psychometrika 71:347-363, doi:10.1007/s11336-004-1218-1.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import numpy as np
from numpy.typing import NDArray

from .._kernels import branch as kernels
from .._kernels import exchange
from ..workers import Expired, Workers

DONE, PAUSED, LEAF = range(3)  # what the kernel returns
U = 2.0**-53  # the largest relative error of one operation
# A subtree is searched for WORK operations, and at least LEAST_NODES nodes, between two looks at the clock: some 10 ms. An operation
# compares with one feature of a center.
WORK, LEAST_NODES = 10_000_000, 1000
# This many subtrees are searched side by side: a fixed number, since the nodes must not depend on the number of threads.
MOST_TASKS = 32
# This many leaves of a subtree are collected before they are compared exactly: memory against rounds of the search.
MOST_LEAVES = 1024
# A clustering to start from is improved by exchanges for at most this many rounds.
MOST_MOVES = 100
# A row counts in floats as if it weighed at least this share of the heaviest one; the margin pays for the difference.
LIGHTEST = 2.0**-500
# The least difference that two costs can have is computed where the products of the clusters' weights have no more binary digits.
MOST_BITS = 20_000
# An order with fewer nodes than this is not improved: the checker takes a quarter of a second for them.
FEW = 50_000


@dataclass(frozen=True, eq=False)
class BranchAndBoundResult:
    """What a search found out.

    Attributes
    ----------
    order : list of int
        The rows, in the order of the search.
    suffix : list of Fraction, one for each row
        The optimum of the rows from this one on, in the order; where the search did not get to, that of the longest suffix
        that it did, which is a lower bound.
    labels : ndarray of shape (n_rows,), int32
        The best clustering of all rows that is known.
    cost : Fraction
        What it costs: suffix[0] where `stop_reason` is "proved".
    n_nodes : int
        Prefixes that were not ruled out, in the searches of this order: about the steps of who checks the proof.
    n_looked_at : int
        The same, in the searches of other orders too.
    stop_reason : {"proved", "node_limit", "time_limit", "interrupted"}
    """

    order: list[int]
    suffix: list[Fraction]
    labels: NDArray[np.int32]
    cost: Fraction
    n_nodes: int
    n_looked_at: int
    stop_reason: str


def branch_and_bound(
    rows,
    weights,
    n_clusters,
    *,
    labels=None,
    order=None,
    max_nodes=None,
    time_limit=None,
    n_threads=None,
):
    """The best partition of some rows into at most n_clusters clusters, and the optima of suffixes that prove it.

    Costs are compared in double precision with a bound on all errors, and exactly where that cannot tell. Neither the
    result nor the number of nodes depends on the number of threads. Arguments are taken as checked.

    Parameters
    ----------
    rows : list of tuple of int
        All different.
    weights : list of int
        All positive.
    labels : array-like of shape (n_rows,) or None
        A clustering to start from: the better it is, the fewer nodes.
    order : list of int or None
        The order of the rows, which then stays; None for a good one.
    max_nodes : int or None
        The search gives up where no order is found with which it takes no more nodes.
    time_limit : float or None
        Seconds.

    Returns
    -------
    BranchAndBoundResult
        The best so far when the time is up and on Ctrl-C, which is not raised again.

    Examples
    --------
    >>> found = branch_and_bound([(0,), (1,), (5,), (7,)], [1, 1, 1, 1], 2)
    >>> found.cost, found.stop_reason
    (Fraction(5, 2), 'proved')
    >>> (found.labels == found.labels[0]).tolist()
    [True, True, False, False]
    """
    search = _Search(rows, weights, n_clusters, math.inf if max_nodes is None else max_nodes)
    reason = None
    try:
        with Workers(n_threads, time_limit) as search.workers:
            search.begin(labels)
            first = search.order() if order is None else [int(row) for row in order]
            search.trial(first, search.max_nodes)
            if order is None:
                search.improve()
    except Expired:
        reason = "time_limit"
    except KeyboardInterrupt:
        reason = "interrupted"
    return search.result(reason)


class _Trial:
    """What the search in one order came to."""

    def __init__(self, order):
        n = len(order)
        self.order, self.suffix, self.counts, self.reached = order, [Fraction(0)] * (n + 1), [0] * n, n
        self.floats = np.zeros(n + 1)  # the optima in the units of the search

    def rank(self):
        """Less is better."""
        return self.reached, sum(self.counts)


class _Search:
    def __init__(self, rows, weights, k, max_nodes):
        self.n, self.d, self.k, self.max_nodes = len(rows), len(rows[0]), k, max_nodes
        # Of each row its weight, weight times row, and weight times the sum of its squares.
        self.moments = [(w, [w * v for v in x], w * sum(v * v for v in x)) for x, w in zip(rows, weights)]
        total = sum(weights)
        middle = [sum(own[1][f] for own in self.moments) for f in range(self.d)]
        offs = [[total * v - m for v, m in zip(x, middle)] for x in rows]
        size, most = (1 << max(1, max(values)).bit_length() for values in (map(abs, sum(offs, [])), weights))
        # Rows around their mean and weights as floats, none above 1, and the factor from exact costs to theirs.
        self.y = np.array([[v / size for v in off] for off in offs])
        self.w = np.maximum([w / most for w in weights], LIGHTEST)
        self.scale = Fraction(total**2, size**2 * most)
        self.squares = self.w * (self.y**2).sum(axis=1)
        # What a prefix costs is a sum of n squares less the |sums|^2 / weight of its clusters, which change n times: all
        # together that is off by less than (6 n + 2 d + 14) U times the sum of the squares. The last term is for underflow;
        # weights that were raised to the lightest one make clusters dearer by less than the term after it.
        self.margin = float(16 * (self.n + self.d + 1) * U * self.squares.sum()) + 2.0**-900
        if self.w.min() == LIGHTEST:
            self.margin += 4 * self.n * self.d * LIGHTEST
        # Costs of two partitions are fractions over the products of their clusters' weights.
        self.tells = False
        if k * total.bit_length() < MOST_BITS:
            least = Fraction(1, max(Fraction(total, m) ** (2 * m) for m in range(1, k + 1)))
            self.tells = 2 * Fraction(self.margin) < least * self.scale
        self.slice = max(LEAST_NODES, WORK // (k * (self.d + 8)))
        self.known = {}  # optima, and labels of all rows that have them: of sets of rows, the bits of integers
        self.labels = self.cost = self.best = None
        self.n_looked_at = 0

    def exact(self, rows, labels):
        """What labels of some rows cost, exactly."""
        sums, squares = {}, 0
        for row, label in zip(rows, labels):
            weight, values, square = self.moments[row]
            squares += square
            held = sums.get(label)
            sums[label] = (
                (weight, values)
                if held is None
                else (held[0] + weight, [a + b for a, b in zip(held[1], values)])
            )
        explained = sum(Fraction(sum(s * s for s in own), weight) for weight, own in sums.values())
        return squares - explained

    def float(self, cost):
        return float(cost * self.scale)

    # ---- a clustering and an order to start from

    def exchanged(self, labels, rows):
        """Labels that no move of one of some rows makes better."""
        labels, own = labels.copy(), labels[rows]
        masses = np.bincount(own, self.w[rows], self.k)
        with np.errstate(invalid="ignore"):
            centers_t = np.array([np.bincount(own, self.w[rows] * y, self.k) for y in self.y[rows].T])
            centers_t = np.nan_to_num(centers_t / masses)
        scratch = np.empty(self.k)
        for _ in range(MOST_MOVES):
            if not exchange.exchange(self.y, self.w, rows, scratch, labels, centers_t, masses):
                break
        return labels

    def explained(self, labels, rows):
        """Sum of |sums|^2 / weight over the clusters of some rows: the cost less what is the same for all labels."""
        own, w = labels[rows], self.w[rows]
        masses = np.bincount(own, w, self.k)
        squares = sum(np.bincount(own, w * y, self.k) ** 2 for y in self.y[rows].T)
        return float(np.sum(squares[masses > 0] / masses[masses > 0]))

    def begin(self, labels):
        """The clustering to start from: the better one of that given, and that of some rows far from each other."""
        rows = np.arange(self.n)
        if self.n <= self.k:
            self.labels, self.cost = rows.astype(np.int32), Fraction(0)
            return
        seeds = self.y[_apart(self.y)[: self.k]]
        starts = [((self.y[:, None] - seeds) ** 2).sum(axis=2).argmin(axis=1)]
        if labels is not None:
            starts.append(np.asarray(labels))
        starts = [self.exchanged(start.astype(np.int32), rows) for start in starts]
        if labels is not None:
            starts.append(np.asarray(labels, np.int32))
        self.labels = max(starts, key=lambda start: self.explained(start, rows))
        self.cost = self.exact(range(self.n), self.labels.tolist())

    def order(self):
        """The clusters take turns by their sizes, each with rows far from those it had first: prefixes cost much."""
        turns = []
        for label in range(self.k):
            own = np.flatnonzero(self.labels == label)
            turns += [((at + 0.5) / len(own), label, int(own[i])) for at, i in enumerate(_apart(self.y[own]))]
        return [row for *_, row in sorted(turns)]

    # ---- the search in one order

    def trial(self, order, max_nodes, old=None, unchanged=None):
        """Solve one suffix after the other.

        Those from `unchanged` on are the same as in an old trial. Ends where there are more nodes than max_nodes.
        """
        trial, rows, left = _Trial(order), np.array(order), max_nodes
        view = _View(self, rows)
        if old is not None:
            trial.suffix[unchanged:], trial.counts[unchanged:] = (
                old.suffix[unchanged:],
                old.counts[unchanged:],
            )
            trial.floats[unchanged:], trial.reached = old.floats[unchanged:], unchanged
            left -= sum(trial.counts)
        if self.best is None:
            self.best = trial  # for what there is of it when the time is up
        mask = sum(1 << row for row in order[trial.reached :])
        for first in reversed(range(trial.reached)):
            after, mask = mask, mask | 1 << order[first]
            if self.n - first > self.k:
                found = self.known.get(mask)
                if found is None:
                    found = self.first_guess(rows[first:], after)
                    done = self.suffix(view, trial, first, left, *found)
                else:
                    done = self.suffix(view, trial, first, left, *found, known=True)
                if done is None:
                    break
                self.known[mask] = done
                trial.suffix[first], trial.floats[first] = done[0], self.float(done[0])
                left -= trial.counts[first]
            trial.reached = first
        return trial

    def first_guess(self, rows, after):
        """The cost of a good clustering of a suffix, and that clustering: from those of all rows, and of the rows after it."""
        starts = [self.labels]
        if after in self.known:
            joined = self.known[after][1].copy()
            # These are more than k different rows: no cluster of their optimum is empty.
            mass = np.bincount(joined[rows[1:]], self.w[rows[1:]], self.k)
            sums = np.array(
                [np.bincount(joined[rows[1:]], self.w[rows[1:]] * y, self.k) for y in self.y[rows[1:]].T]
            )
            w, off = self.w[rows[0]], ((sums / mass - self.y[rows[0]][:, None]) ** 2).sum(axis=0)
            joined[rows[0]] = (w * mass / (w + mass) * off).argmin()
            starts.append(joined)
        if len(rows) < self.n:
            starts = [self.exchanged(start, rows) for start in starts]
        labels = max(starts, key=lambda start: self.explained(start, rows))
        return self.exact(rows.tolist(), labels[rows].tolist()), labels

    def suffix(self, view, trial, first, max_nodes, cost, labels, known=False):
        """The optimum of a suffix, and labels that have it; None where that takes more nodes than max_nodes."""
        view.lay(first, trial.floats)
        tasks, n_nodes = [_Task(view, first)], 0
        while tasks:
            limit = self.float(cost) + self.margin
            wanted = -math.inf if known else limit - 2 * self.margin if self.tells else limit
            budget = int(min(self.slice, max_nodes - n_nodes + 1))
            self.workers.run(view.advance, [(task, limit, wanted, budget) for task in tasks])
            for task in tasks:
                n_nodes += task.new
                for path in task.found:
                    exact = self.exact(view.rows[first:].tolist(), path[first:].tolist())
                    if exact < cost:
                        cost, labels = exact, labels.copy()
                        labels[view.rows[first:]] = path[first:]
                        if first == 0:
                            self.labels, self.cost = labels, cost
            trial.counts[first] = n_nodes
            self.n_looked_at += sum(task.new for task in tasks)
            tasks = [task for task in tasks if not task.done]
            if tasks and n_nodes > max_nodes:
                return None
            for task in tasks[: MOST_TASKS - len(tasks)]:
                tasks += task.split()
        return cost, labels

    # ---- a better order

    def improve(self):
        """Move single rows to another place in the order, as long as that spares nodes and is worth it."""
        rng, best = Random(0), self.best
        # A node costs us a two-hundredth of what it costs the checker.
        end = self.n_looked_at + (50 * sum(best.counts) if best.reached == 0 else 12 * self.max_nodes)
        while self.n_looked_at < end and (self.max_nodes if best.reached else sum(best.counts)) > FEW:
            i, j = rng.sample(range(self.n), 2)
            order = best.order.copy()
            order.insert(j, order.pop(i))
            unchanged = max(i, j) + 1
            if unchanged <= best.reached:
                continue
            nodes = self.max_nodes if best.reached else sum(best.counts)
            trial = self.trial(order, nodes, best, unchanged)
            if trial.rank() <= best.rank():
                self.best = best = trial

    def result(self, reason):
        best = self.best or _Trial(list(range(self.n)))
        suffix = best.suffix[:-1]
        for at in reversed(range(best.reached)):
            suffix[at] = best.suffix[best.reached]
        if best.reached == 0:
            reason = "proved"
            self.cost, self.labels = self.known.get((1 << self.n) - 1, (self.cost, self.labels))
        if self.labels is None:
            self.labels = np.zeros(self.n, np.int32)
            self.cost = self.exact(range(self.n), self.labels.tolist())
        return BranchAndBoundResult(
            best.order,
            suffix,
            self.labels,
            self.cost,
            sum(best.counts),
            self.n_looked_at,
            reason or "node_limit",
        )


class _View:
    """The rows in an order, as the kernel takes them."""

    def __init__(self, search, rows):
        self.rows, self.k, self.margin, self.tells = rows, search.k, search.margin, search.tells
        self.weights, self.squares = search.w[rows], search.squares[rows]
        self.sums = np.ascontiguousarray(self.weights[:, None] * search.y[rows])
        self.base = np.zeros(len(rows) + 1)

    def lay(self, first, suffix):
        """Prepare for the search of a suffix."""
        self.first = first
        self.base[first] = 0
        np.cumsum(self.squares[first:], out=self.base[first + 1 :])
        self.base[first + 1 :] += suffix[first + 1 :]

    def advance(self, task, limit, wanted, budget):
        """Go on with a subtree; its leaves are collected, and make the limit lower."""
        task.found, before = [], int(task.state[1])
        status = LEAF
        while status == LEAF and len(task.found) < MOST_LEAVES:
            status = kernels.search(
                self.sums,
                self.weights,
                self.base,
                self.k,
                self.first,
                task.floor,
                limit,
                wanted,
                budget - (int(task.state[1]) - before),
                task.labels,
                task.state,
                *task.buffers,
            )
            if status == LEAF:
                task.found.append(task.labels.copy())
                cost = self.base[-1] - task.buffers[2][-1]
                limit = min(limit, cost + 2 * self.margin)
                wanted = min(wanted, cost if self.tells else limit)
        task.done, task.new = status == DONE, int(task.state[1]) - before


class _Task:
    """A subtree: those partitions that begin with the labels before the floor."""

    def __init__(self, view, first, floor=None, labels=None):
        n, width = len(view.rows), 2 + view.sums.shape[1]
        self.view, self.first, self.floor = view, first, first if floor is None else floor
        self.labels = np.zeros(n, np.int32) if labels is None else labels
        self.state = np.array([self.floor, 0])
        self.buffers = (
            np.empty((view.k, width)),
            np.empty((n, width)),
            np.empty(n + 1),
            np.empty(n + 1, np.int32),
        )
        self.found, self.done, self.new = [], False, 0

    def split(self):
        """Give away what is left at the first row that has labels left."""
        n_open = self.buffers[3]
        for at in range(self.floor, min(int(self.state[0]), len(self.labels) - 1)):
            self.floor = at + 1
            label = self.labels[at] + 1
            if label < self.view.k and label <= n_open[at]:
                labels = self.labels.copy()
                labels[at] = label
                return [_Task(self.view, self.first, at, labels)]
        return []


def _apart(y):
    """An order of rows in which each is far from those before it, beginning with the one farthest from the mean."""
    if not len(y):
        return []
    order = [int(((y - y.mean(axis=0)) ** 2).sum(axis=1).argmax())]
    nearest = np.full(len(y), np.inf)
    while len(order) < len(y):
        nearest = np.minimum(nearest, ((y - y[order[-1]]) ** 2).sum(axis=1))
        nearest[order] = -1
        order.append(int(nearest.argmax()))
    return order
