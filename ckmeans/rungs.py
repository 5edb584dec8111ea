"""The rungs of the ladder (ladder.py): each is a way to a lower bound with a proof, and perhaps to a better clustering.

Each takes what is known so far, a `_Ladder`, and returns its `Evidence`, or None where it has none to give.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .certificate import line_proof, principal_proof, semidefinite_proof, sum_proof, tree_proof, trivial_proof
from .exact import ExactRows, float_down
from .exhaustive import exhaustive_search
from .groups import alike
from .principal import principal_bound
from .restarts import local_search
from .semidefinite import semidefinite_bound
from .univariate import collinear
from .univariate import line_proof as best_on_a_line

FINDING = 0.75  # share of the time limit after which the rest is left to the checker
SEARCHING = 0.25  # share of the time that the search for a clustering may take
GROUP = 60  # rows in a group for each cluster
LEAST_GROUP, MOST_GROUP = 200, 1200
MOST_MATRIX = 700  # rows of which there is a matrix
NEARLY = 1e-4  # a gap that may turn out to be none
FEW_AXES = 3
CUTTING = 0.5  # share of the time that the semidefinite bound may take
EXACT_PRODUCTS = 5_000_000  # of whole numbers in a second, about


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a rung found.

    Attributes
    ----------
    proof : list of str
        Its lines.
    lower : Fraction
        The lower bound that these lines state, in squared units of X.
    labels : ndarray of shape (n_samples,) or None
        A clustering.
    optimal : bool
        Whether the clustering is optimal according to the rung: then the checker is asked.
    stop_reason : str
    """

    proof: list
    lower: Fraction
    labels: np.ndarray | None = None
    optimal: bool = False
    stop_reason: str = "unresolved"


def trivial(ladder):
    """One cluster, no more rows than clusters, a cost of zero; else a bound of zero."""
    place, n_rows = ladder.place, len(ladder.problem.rows)
    if ladder.k == 1:
        labels = np.zeros(len(place), np.int32)
        return Evidence(trivial_proof(), ladder.problem.cost(labels), labels, True)
    labels = np.maximum(place, 0).astype(np.int32) if n_rows <= ladder.k else None
    return Evidence(trivial_proof(), Fraction(0), labels, labels is not None or not ladder.incumbent[1])


def line(ladder):
    """One feature, or rows on one line."""
    straight = collinear(ladder.X[ladder.first])
    if straight is None:
        return None
    feature, factor = straight
    try:
        found = best_on_a_line(ladder.X[:, feature].copy(), ladder.k, ladder.sample_weight)
    except ValueError:  # numbers too far apart
        return None
    lines = line_proof(found.penalty * factor * ladder.problem.unit)
    return Evidence(lines, found.cost * factor, found.labels, True)


def search(ladder):
    """A better clustering, by local search: from the one given, and from scratch."""
    starts = ["k-means++"]
    if ladder.given is not None:
        centers = ladder.problem.exact.centers(ladder.given[0])
        if len(centers) == ladder.k:
            starts.insert(0, np.array([centers[label] for label in sorted(centers)]))
    for init in starts:
        found = local_search(
            ladder.X, ladder.k, sample_weight=ladder.sample_weight, init=init, rng=ladder.rng,
            max_seconds=ladder.seconds_for(SEARCHING), n_threads=ladder.n_threads,
        )  # fmt: skip
        ladder.offer(found.labels)
        ladder.tell("search")
        if found.stop_reason == "interrupted":
            raise KeyboardInterrupt


def tree(ladder):
    """Every partition: of the rows in an order, and of each suffix of it, for the proof by repetitive branch and bound."""
    problem, X = ladder.problem, ladder.X[ladder.first]
    exact = [Fraction(weight, 1 << problem.weight_scale) for weight in problem.weights]
    weights = np.array([float(weight) for weight in exact])
    if any(Fraction(weight) != own for weight, own in zip(weights.tolist(), exact)):
        return None  # those of equal rows add up to no float
    order = _apart(X)
    suffix, labels, optimal, stop_reason = [Fraction(0)] * (len(X) + 1), None, False, "proved"
    for start in reversed(range(len(X))):
        own, suffix[start] = order[start:], suffix[start + 1]
        if len(own) <= ladder.k and start:
            continue
        found = exhaustive_search(
            X[own], min(ladder.k, len(own)), sample_weight=weights[own], time_limit=ladder.seconds_for(FINDING),
            n_threads=ladder.n_threads,
        )  # fmt: skip
        optimal, stop_reason = found.status == "optimal", found.stop_reason
        if not optimal:
            break
        suffix[start] = ExactRows(X[own], weights[own]).cost(found.labels)
    if optimal:
        labels = np.empty(len(X), np.int32)
        labels[order] = found.labels
        labels = labels[np.maximum(ladder.place, 0)]
    lines = tree_proof(order, [cost * problem.unit for cost in suffix[:-1]])
    return Evidence(lines, suffix[0], labels, optimal, stop_reason)


def _apart(X):
    """An order of the rows in which each is far from those before it: prefixes cost much, and rule out much."""
    with np.errstate(over="ignore"):
        scaled = (X - X.mean(axis=0)) / max(np.abs(X - X.mean(axis=0)).max(), 1e-300)
    order, nearest = [int((scaled**2).sum(axis=1).argmax())], np.full(len(X), np.inf)
    while len(order) < len(X):
        nearest = np.minimum(nearest, ((scaled - scaled[order[-1]]) ** 2).sum(axis=1))
        nearest[order] = -1
        order.append(int(nearest.argmax()))
    return order


def pca(ladder):
    """The principal components, of as many of the rows as can be looked at."""
    problem, d = ladder.problem, ladder.X.shape[1]
    if ladder.k > d:
        return None  # they explain all
    n = len(problem.rows)
    most = int(EXACT_PRODUCTS * max(0.5, min(30.0, 0.1 * ladder.left())) / d**2)
    some = range(0, n, -(-n // max(1, most)))
    found = principal_bound([problem.rows[i] for i in some], [problem.weights[i] for i in some], ladder.k)
    lines = principal_proof(found.scale, found.tau, found.top)
    if len(some) < n:
        lines = sum_proof([some], [lines])
    return Evidence(lines, found.bound / problem.unit)


def prices(ladder):
    """Column generation over all rows."""
    if ladder.k >= len(ladder.problem.rows):
        return None
    found, lines, lower = ladder.by_prices(
        np.arange(len(ladder.X)), ladder.incumbent[0], ladder.seconds_for(FINDING),
        lambda inertia, lower: ladder.tell("prices", inertia, lower), ladder.inner.get("prices"),
        lambda known: ladder.keep({"prices": known}),
    )  # fmt: skip
    return Evidence(lines, lower, found.labels, found.status == "optimal", found.stop_reason)


def many_axes(X):
    """Whether a search over all centers has so many axes to look along that the semidefinite bound is sooner there."""
    with np.errstate(over="ignore", invalid="ignore"):
        offs = X - X.mean(axis=0)
        sizes = np.linalg.svd(offs / max(np.abs(offs).max(), 1e-300), compute_uv=False) ** 2
    return len(X) <= MOST_MATRIX and sizes[:FEW_AXES].sum() < 0.99 * sizes.sum()


def sdp(ladder):
    """The semidefinite bound with cuts."""
    problem, cost = ladder.problem, ladder.incumbent[1] * ladder.problem.unit
    if not 2 <= ladder.k < len(problem.rows) <= MOST_MATRIX or not cost:
        return None
    found = semidefinite_bound(
        problem.rows, problem.weights, ladder.k, ladder.incumbent[0][ladder.first], cost,
        gap=ladder.gap, max_seconds=ladder.seconds_for(CUTTING),
        progress=lambda lower: ladder.tell("sdp", lower=float_down(lower / problem.unit)),
    )  # fmt: skip
    lines, labels = semidefinite_proof(*found[1:-2]), found.labels[np.maximum(ladder.place, 0)]
    cost = min(cost, problem.cost(labels) * problem.unit)
    return Evidence(
        lines, found.bound / problem.unit, labels, cost - found.bound < NEARLY * cost, found.stop_reason
    )


def groups(ladder):
    """The sum over groups of rows that each look like the whole; each by column generation, in its share of the time."""
    n = len(ladder.problem.rows)
    size = min(max(GROUP * ladder.k, LEAST_GROUP), MOST_GROUP)
    if n < 2 * (ladder.k + 1):
        return None
    n_groups = min(max(2, round(n / size)), n // (ladder.k + 1))
    members = alike(ladder.X[ladder.first], ladder.incumbent[0][ladder.first], n_groups)
    parts, proofs, total, stop_reason = [], [], Fraction(0), "unresolved"
    for at, rows in enumerate(members):
        if ladder.left() <= 0:
            stop_reason = "time_limit"
            break
        seconds = None if ladder.limit == math.inf else ladder.left() / (len(members) - at)
        samples = np.flatnonzero(np.isin(ladder.place, rows))
        found, lines, lower = ladder.by_prices(samples, None, seconds)
        if lower > 0:
            parts.append(np.sort(rows))
            proofs.append(lines)
            total += lower
        ladder.tell("sum", lower=float_down(total))
        if found.stop_reason == "interrupted":
            stop_reason = "interrupted"
            break
        if found.stop_reason == "time_limit":
            stop_reason = "time_limit"
    lines = sum_proof(parts, proofs) if parts else trivial_proof()
    return Evidence(lines, total, None, False, stop_reason)


RUNGS = {
    "trivial": trivial, "line": line, "search": search, "tree": tree, "pca": pca, "prices": prices, "sdp": sdp, "sum": groups,
}  # fmt: skip
