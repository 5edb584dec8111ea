"""The rungs of the ladder (ladder.py): each is a way to a lower bound with a proof, and perhaps to a better clustering.

Each takes what is known so far, a `_Ladder`, and returns its `Evidence`, or None where it has none to give.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .branch import branch_and_bound
from .certificate import line_proof, principal_proof, semidefinite_proof, sum_proof, tree_proof, trivial_proof
from .exact import float_down
from .groups import alike
from .hybrid import hybrid_search
from .principal import principal_bound
from .restarts import local_search
from .semidefinite import semidefinite_bound
from .sweep import best_halves
from .univariate import collinear
from .univariate import line_proof as best_on_a_line

FINDING = 0.75  # share of the time limit after which the rest is left to the checker
SEARCHING = 0.25  # share of the time that the search for a clustering may take
FEW = 20  # rows up to which restarts will do
GROUP = 60  # rows in a group for each cluster
LEAST_GROUP, MOST_GROUP = 200, 1200
MOST_STEPS = 4_000_000  # of the checker in a tree: of some (4 d + 40) k each, it takes 2**32
STEPS = 5_000  # of these for each second that is left: it takes some 5 us for one,
LEAST_STEPS = 20_000  # and so many more
MOST_SWEPT = 2000  # rows about which a line is turned: some 0.06 us for each pair
LOW = 4  # features up to which prices are sooner
MATRIX, LEAST_MATRIX = 20, 120  # rows in a group for each cluster, and at least, where it has a matrix
ENOUGH = 1e-3  # gap of a group
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
    """A better clustering: from the one given, and from scratch."""
    init, searched = "k-means++", hybrid_search
    if len(ladder.problem.rows) <= FEW:
        searched = local_search
    elif ladder.given is not None:
        centers = ladder.problem.exact.centers(ladder.given[0])
        if len(centers) == ladder.k:
            init = np.array([centers[label] for label in sorted(centers)])
    found = searched(
        ladder.X, ladder.k, sample_weight=ladder.sample_weight, init=init, rng=ladder.rng,
        max_seconds=ladder.seconds_for(SEARCHING), n_threads=ladder.n_threads,
        progress=lambda _, inertia: ladder.tell("search", inertia),
    )  # fmt: skip
    ladder.offer(found.labels)
    ladder.tell("search")
    if found.stop_reason == "interrupted":
        raise KeyboardInterrupt


def tree(ladder):
    """Repetitive branch and bound: not far where prices are likely to be sooner."""
    return _branch(ladder, LEAST_STEPS) if _breadth(ladder.X[ladder.first]) <= LOW else longer_tree(ladder)


def longer_tree(ladder):
    """The same as far as the checker can follow."""
    return _branch(ladder, int(min(MOST_STEPS, LEAST_STEPS + STEPS * max(0, ladder.left()))))


def _branch(ladder, steps):
    problem = ladder.problem
    found = branch_and_bound(
        problem.rows, problem.weights, ladder.k, labels=ladder.incumbent[0][ladder.first], max_nodes=steps,
        time_limit=ladder.seconds_for(FINDING), n_threads=ladder.n_threads,
    )  # fmt: skip
    labels, proved = found.labels[np.maximum(ladder.place, 0)], found.stop_reason == "proved"
    reason = "unresolved" if found.stop_reason == "node_limit" else found.stop_reason
    lines = tree_proof(found.order, found.suffix)
    return Evidence(lines, found.suffix[0] / problem.unit, labels, proved, reason)


def sweep(ladder):
    """The best two clusters in the plane; the proof is left to the rungs after it."""
    X = ladder.X[ladder.first]
    if ladder.k != 2 or X.shape[1] != 2 or not 2 < len(X) <= MOST_SWEPT:
        return
    weights = np.array(
        [float(Fraction(own, 1 << ladder.problem.weight_scale)) for own in ladder.problem.weights]
    )
    found = best_halves(X, weights, time_limit=ladder.seconds_for(SEARCHING), n_threads=ladder.n_threads)
    ladder.offer(found.labels[np.maximum(ladder.place, 0)])
    ladder.tell("sweep")
    if found.stop_reason == "interrupted":
        raise KeyboardInterrupt


def _breadth(X):
    """How many features of equal variance are as hard: (sum of v)^2 / sum of v^2 for the variances v of the components."""
    X = X - X.mean(axis=0)
    X = X / max(np.abs(X).max(), 1e-300)
    squares = X.T @ X if X.shape[1] <= len(X) else X @ X.T
    return np.trace(squares) ** 2 / max((squares**2).sum(), 1e-300)


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
    labels = ladder.incumbent[0]
    found, lines, lower = ladder.by_prices(
        np.arange(len(ladder.X)), labels if len(np.unique(labels)) == ladder.k else None, ladder.seconds_for(FINDING),
        lambda inertia, lower: ladder.tell("prices", inertia, lower), ladder.inner.get("prices"),
        lambda known: ladder.keep({"prices": known}),
    )  # fmt: skip
    return Evidence(lines, lower, found.labels, found.status == "optimal", found.stop_reason)


def many_axes(X):
    """Whether a search over all centers has so many axes to look along that the semidefinite bound is sooner there."""
    with np.errstate(over="ignore", invalid="ignore"):
        offs = X - X.mean(axis=0)
        offs /= max(np.abs(offs).max(), 1e-300)
        sizes = np.linalg.eigvalsh(offs.T @ offs)
    return sizes[-FEW_AXES:].sum() < 0.99 * sizes.sum()


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
    """The sum over groups of rows that each look like the whole; each by column generation, or the semidefinite bound."""
    n, wide = len(ladder.problem.rows), many_axes(ladder.X[ladder.first])
    size = min(MOST_MATRIX, max(MATRIX * ladder.k, LEAST_MATRIX)) if wide else GROUP * ladder.k
    size = size if wide else min(max(size, LEAST_GROUP), MOST_GROUP)
    if n < 2 * (ladder.k + 1):
        return None
    n_groups = min(max(2, round(n / size)), n // (ladder.k + 1))
    kept = ladder.inner.get("sum")
    if kept is None:
        members = alike(ladder.X[ladder.first], ladder.incumbent[0][ladder.first], n_groups)
        kept = {
            "groups": [[rows, None, Fraction(0), False] for rows in members]
        }  # proof, its bound, and if that is all
    stop_reason, todo = "unresolved", [own for own in kept["groups"] if not own[3]]
    for at, own in enumerate(todo):
        if ladder.left() <= 0:
            stop_reason = "time_limit"
            break
        seconds = None if ladder.limit == math.inf else ladder.left() / (len(todo) - at)
        if wide:
            ended, lines, lower = _matrix(ladder, own[0], seconds)
        else:
            found, lines, lower = ladder.by_prices(
                np.flatnonzero(np.isin(ladder.place, own[0])), None, seconds
            )
            ended = found.stop_reason
        if lower > own[2]:
            own[1:3] = lines, lower
        own[3] = ended not in ("interrupted", "time_limit")
        ladder.keep({"sum": kept})
        ladder.tell("sum", lower=float_down(sum(lower for *_, lower, _ in kept["groups"])))
        if ended == "interrupted":
            stop_reason = "interrupted"
            break
        if ended == "time_limit":
            stop_reason = "time_limit"
    proved = [own for own in kept["groups"] if own[1] is not None]
    parts, proofs, total = (
        [own[0] for own in proved],
        [own[1] for own in proved],
        sum((own[2] for own in proved), Fraction(0)),
    )
    lines = sum_proof(parts, proofs) if parts else trivial_proof()
    return Evidence(lines, total, None, False, stop_reason)


def _matrix(ladder, rows, seconds):
    """The semidefinite bound of a group: why it ended, the lines of its proof, and the bound."""
    problem, labels = ladder.problem, ladder.incumbent[0][ladder.first][rows]
    weights = [problem.weights[row] for row in rows]
    share = np.array([float(Fraction(weight, max(weights))) for weight in weights])
    X, cost = ladder.X[ladder.first][rows], 0.0
    for label in np.unique(labels):
        own = labels == label
        cost += share[own] @ ((X[own] - np.average(X[own], axis=0, weights=share[own])) ** 2).sum(axis=1)
    cost = Fraction(cost) * problem.unit * Fraction(max(weights), 1 << problem.weight_scale)
    found = semidefinite_bound(
        [problem.rows[row] for row in rows], weights, ladder.k, labels, cost,
        gap=max(ladder.gap, ENOUGH), max_seconds=seconds,
    )  # fmt: skip
    return found.stop_reason, semidefinite_proof(*found[1:-2]), found.bound / problem.unit


RUNGS = {
    "trivial": trivial, "line": line, "search": search, "tree": tree, "sweep": sweep, "pca": pca, "prices": prices, "sdp": sdp,
    "longer tree": longer_tree, "sum": groups,
}  # fmt: skip
