"""`certify(..., metric="cosine")`: a bound for the angles from one for squared distances (check_angles.py has the reason).

Which squared distances is free: there is a mass for each row. Those of the best clustering that is known lose nothing in it; where
the squared distances have a better one, other masses may tell more.
"""

import math
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np

from ..local.search import local_search
from ..local.spherical import spherical_search, unit_rows
from ..solution import same_partition
from .asking import accepted
from .certificate import Certificate
from .instance import Deadline
from .portfolio import prove
from .problem import ExactProblem
from .proof_lines import proof_text
from .sphere import AngleProblem

# Shares of the time after which the search for a clustering, and that for masses, end.
SEARCHING, TUNING = 0.2, 0.3
# Masses are tried so often, and for up to so many numbers in X: each time takes a local search. On 400 random problems of 5 to 9
# rows the bound for the masses of the best clustering was 0.24 % below the optimum on the average, after 30 steps 0.02 %.
STEPS, MOST_TUNED = 30, 1 << 17
# No mass is less than this share of the weight: rows would get so much longer.
LEAST = 2.0**-4
# Binary digits of the masses and of the grid where a row costs 1 on the average; beyond these more where it costs less. The bound
# loses 2**-32 of itself or so to each.
MASS_DIGITS, GRID_DIGITS, MOST_GRID = 17, 33, 48
# Most often that the squared distances lead to a better clustering, for which they are then others.
ROUNDS = 3
# The gap at which a certificate is as good as closed: that is left to rounding.
CLOSED = 1e-8


def _scaled(value, exponent):
    """A float times a power of two, inf beyond the floats."""
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf


class Found(NamedTuple):
    """A bound for the angles, and its proof: that of a certificate for the squared distances of a problem."""

    lower: Fraction
    problem: AngleProblem
    inner: Certificate


def prove_by_angle(
    X,
    n_clusters,
    *,
    sample_weight=None,
    labels=None,
    time_limit=None,
    gap=0.0,
    rng=None,
    n_threads=None,
    progress=None,
):
    """Prove how good a clustering by angle is. Arguments are taken as checked; rows of zeros are left out.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
        At least one row has a direction and weight.
    labels : ndarray of shape (n_samples,), int32, or None
        Those of rows of zeros do not matter.
    sample_weight, n_clusters, time_limit, gap, rng, n_threads, progress
        As `prove` has them.

    Returns
    -------
    Certificate
    """
    clock, told = Deadline(time_limit), progress or (lambda method, inertia, lower: None)
    task = _Angles(X, n_clusters, sample_weight, {"rng": rng, "n_threads": n_threads})
    best, stopped = task.search(labels, clock.seconds_for(SEARCHING))
    told("search", task.float_cost(best), 0.0)
    bounds = []
    for _ in range(ROUNDS):
        shares = task.shares(best)
        if not stopped:
            try:
                best, shares = task.tuned(best, clock)
            except KeyboardInterrupt:
                stopped = True
        problem = AngleProblem(task.exact, *task.masses(best, shares))
        pure = task.exact_cost(problem, best) == 0
        inner = prove(
            problem.X,
            n_clusters,
            sample_weight=problem.sample_weight,
            labels=best,
            time_limit=None if time_limit is None else max(0.0, clock.left(1.0)),
            gap=task.inner_gap(gap, best, shares),
            progress=partial(task.tell, told, best, shares),
            methods=["trivial"] if stopped or pure else None,
            problem=problem,
            **task.options,
        )
        bounds += [task.found(problem, own) for own in (inner, inner.better) if own is not None]
        other = (inner.better or inner).labels
        better = task.float_cost(other) < task.float_cost(best) * (1 - 1e-9)
        stopped = stopped or inner.stop_reason == "interrupted"
        best = other if better else best
        if stopped or not better or clock.left() <= 0:
            break
    reason = "interrupted" if stopped else inner.stop_reason
    return task.certificate(labels, best, max(bounds, key=lambda own: own.lower), gap, reason, clock.end)


class _Angles:
    """Rows of length one, in floats that find and prove nothing, and the exact ones.

    Attributes
    ----------
    weights : ndarray of shape (n_samples,)
        Of at most 1, 0 for rows of zeros; 2**exponent times these are those that were given.
    """

    def __init__(self, X, n_clusters, sample_weight, options):
        self.X, self.n_clusters, self.sample_weight, self.options = X, n_clusters, sample_weight, options
        self.exact, self.units, self.has_way = ExactProblem(X, sample_weight), unit_rows(X), X.any(axis=1)
        weights = np.ones(len(X)) if sample_weight is None else sample_weight
        self.exponent = int(np.frexp(weights[self.has_way].max())[1])
        self.weights = np.where(self.has_way, np.ldexp(weights, -self.exponent), 0.0)
        self.total = self.weights.sum()

    def lengths(self, labels):
        """|S| of each cluster."""
        sums = [self.weights[own] @ self.units[own] for own in labels == np.arange(self.n_clusters)[:, None]]
        return np.linalg.norm(sums, axis=1)

    def float_cost(self, labels):
        return _scaled(max(0.0, self.total - self.lengths(labels).sum()), self.exponent)

    def masses_of(self, labels, shares):
        return np.bincount(labels, self.weights * shares, self.n_clusters)

    def shares(self, labels):
        """For each row |S| / w(C): the mass over the weight with which nothing is lost in its cluster."""
        masses = self.masses_of(labels, np.ones(len(labels)))
        shares = np.divide(self.lengths(labels), masses, where=masses > 0, out=np.ones(self.n_clusters))
        return np.maximum(shares, LEAST)[labels]

    def search(self, labels, seconds):
        """The better of some labels and those found by a search, and whether it was interrupted."""
        some = self.has_way
        weights = None if self.sample_weight is None else self.sample_weight[some]
        found = spherical_search(
            self.X[some], self.n_clusters, sample_weight=weights, max_seconds=seconds, **self.options
        )
        best = np.zeros(len(self.X), np.int32)
        best[some] = found.labels
        if labels is not None and self.float_cost(labels) <= self.float_cost(best):
            best = labels
        return best, found.stop_reason == "interrupted"

    # ---- The masses

    def tuned(self, best, clock):
        """Shares with a bound as high as a search for the clustering that limits it tells, and the best clustering known then.

        The bound is the least over all partitions of half of 2 w - m - sum |S|^2 / m(C), a concave function of m with a gradient of
        ((|S| / m(C))^2 - 1) / 2 where one partition is the least: steps of Polyak (1969).
        """
        shares, weighted = self.shares(best), self.weights > 0
        tried, found, highest, step = shares, shares, -np.inf, 1.0
        for _ in range(STEPS if self.X.size <= MOST_TUNED else 0):
            if clock.left(TUNING) <= 0:
                break
            other = best.copy()
            other[weighted] = local_search(
                np.ascontiguousarray(self.units[weighted] / tried[weighted, None]),
                self.n_clusters,
                sample_weight=self.weights[weighted] * tried[weighted],
                max_seconds=clock.seconds_for(TUNING),
                **self.options,
            ).labels
            least, cost = self.total - self.lengths(best).sum(), self.total - self.lengths(other).sum()
            if cost < least - 1e-9 * least - 1e-14 * self.total:
                best, step, least, highest = other, 1.0, cost, -np.inf
                tried = found = self.shares(best)
                continue
            lower, limiting = min(((self.value(own, tried), at) for at, own in enumerate((best, other))))
            found, highest, step = (tried, lower, step) if lower > highest else (found, highest, step / 2)
            own = (best, other)[limiting]
            masses = self.masses_of(own, tried)
            ratios = np.divide(self.lengths(own), masses, where=masses > 0, out=np.ones(self.n_clusters))
            slope = (ratios[own] ** 2 - 1) / 2
            size = self.weights @ slope**2
            if not size or lower >= least - 1e-9 * least - 1e-14 * self.total:
                break
            tried = np.clip(tried + step * (least - lower) / size * slope, LEAST, 1 / LEAST)
        return best, found

    def value(self, labels, shares):
        """The bound that squared distances give if these labels are the best ones for them."""
        masses = self.masses_of(labels, shares)
        explained = np.divide(self.lengths(labels) ** 2, masses, where=masses > 0, out=np.zeros(len(masses)))
        return self.total - (self.weights @ shares + explained.sum()) / 2

    def masses(self, best, shares):
        """The masses as floats of few digits where the weights are, and the scale of the grid."""
        cost = max(2.0**-60, 1 - self.lengths(best).sum() / self.total)
        more = math.ceil(-math.log2(cost) / 2)
        shares = np.ldexp(np.round(np.ldexp(shares, MASS_DIGITS + more)), -MASS_DIGITS - more)
        weights = np.where(self.has_way, 1.0 if self.sample_weight is None else self.sample_weight, 0.0)
        masses = weights * shares
        wide = math.ceil(math.log2(self.X.shape[1]) / 2)
        return np.where(masses == 0, weights, masses), min(MOST_GRID, GRID_DIGITS + more + wide)

    def tell(self, told, best, shares, method, _, lower):
        """Tell cost and bound for the angles, as floats, where `lower` is a bound for the squared distances."""
        spread = 2 * self.total - self.weights @ shares - self.weights @ (1 / shares)
        cost, scaled = self.float_cost(best), math.ldexp(lower, -self.exponent)
        told(method, cost, min(cost, max(0.0, _scaled((spread + scaled) / 2, self.exponent))))

    def inner_gap(self, gap, best, shares):
        """The gap for squared distances where that for the angles is as given."""
        squares = (
            self.weights @ (1 / shares) - 2 * (self.total - self.value(best, shares)) + self.weights @ shares
        )
        cost = self.total - self.lengths(best).sum()
        return min(1.0, max(0.0, 2 * gap * cost / squares)) if squares > 0 else gap

    # ---- What the checker says

    def exact_cost(self, problem, labels):
        return problem.sphere.cost(labels.tolist()) / (1 << self.exact.weight_scale)

    def found(self, problem, inner):
        """The bound for the angles from a certificate for the squared distances."""
        bound = inner.exact_lower_bound * problem.unit
        return Found(problem.sphere.by_angle(bound) / (1 << self.exact.weight_scale), problem, inner)

    def certificate(self, labels, best, found, gap, stop_reason, end):
        """That of the labels that were given, or else the best ones."""
        if labels is not None and self.is_same(labels, best):
            best, labels = labels, None
        cost = self.exact_cost(found.problem, best)
        status, closing = "optimal" if not cost else "bounded", {}
        if cost and found.inner.status == "optimal-unique" and self.is_same(best, found.inner.labels):
            level, proof = self.raised(found, best)
            closing = {"proof": proof, "closed": [level, *best.tolist()]}
            text = proof_text(found.problem, self.n_clusters, best.tolist(), "optimal", cost=cost, **closing)
            try:
                optimal, unique = accepted(text, end)
            except KeyboardInterrupt:
                optimal, unique, stop_reason = False, False, "interrupted"
            status = "optimal-unique" if unique else "optimal" if optimal else "bounded"
        closing = {} if status == "bounded" else closing
        made = self.made(best, cost, found, gap, stop_reason, status, **closing)
        if labels is None:
            return made
        own = self.exact_cost(found.problem, labels)
        better = made if own > cost else None
        return self.made(labels, own, found, gap, stop_reason, "bounded" if own else "optimal", better=better)

    def is_same(self, labels, others):
        """Whether two labelings are of the same partition of the rows that count."""
        return same_partition(labels[self.weights > 0], others[self.weights > 0])

    def raised(self, found, labels):
        """What others have to cost more than, in squared distances, so that they do by angle; and lines that say so."""
        problem, sphere = found.problem, found.problem.sphere
        level, cost = math.ceil(found.inner.exact_inertia * problem.unit), sphere.cost(labels.tolist())
        while (short := cost - sphere.by_angle(level)) >= 0:
            level += 1 + math.ceil(short * (2 << 2 * problem.scale + problem.finer))
        head, *lines = found.inner.proof
        if head == "proof tree":
            order, suffix = lines
            word, _, *rest = suffix.split(" ")
            return level, [head, order, " ".join([word, f"{level:x}", *rest])]
        return level, [head, *lines]

    def made(self, labels, cost, found, gap, stop_reason, status, *, better=None, proof=None, closed=None):
        """A certificate."""
        inner, lower = found.inner, min(found.lower, cost)
        if closed is None and inner.status != "bounded":
            closed = [0, *inner.labels.tolist()]
        if status != "bounded":
            stop_reason = "proved"
        elif inner.checked and stop_reason != "interrupted" and cost - lower <= max(gap, CLOSED) * cost:
            stop_reason = "gap"
        elif stop_reason in ("proved", "gap"):
            stop_reason = "unresolved"
        return Certificate(
            found.problem,
            self.n_clusters,
            np.where(self.has_way, labels, -1).astype(np.int32),
            cost,
            lower,
            status,
            stop_reason,
            inner.method,
            inner.proof if proof is None else proof,
            dict(inner.seconds),
            better,
            inner.checked,
            closed,
        )
