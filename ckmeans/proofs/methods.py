"""The methods of the portfolio (portfolio.py): each is a way to a lower bound with a proof, and perhaps to a better clustering.

Each takes what is known so far, a `Portfolio`, and returns its `Evidence`, or None where it has none to give.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..check import Refused
from ..exact.anticlusters import alike
from ..exact.branch import branch_and_bound
from ..exact.columns import column_generation
from ..exact.principal import principal_bound
from ..exact.semidefinite import semidefinite_bound, spectral_bound
from ..exact.spectrum import gram, greatest
from ..exact.sweep import best_halves
from ..exact.univariate import collinear
from ..exact.univariate import line_proof as best_on_a_line
from ..local.hybrid import hybrid_search
from ..local.restarts import local_search
from ..rationals import float_down, near_one
from .proof_lines import (
    branch_proof,
    columns_proof,
    line_proof,
    principal_proof,
    semidefinite_proof,
    sum_proof,
    tree_proof,
    trivial_proof,
)

FINDING = 0.75  # share of the time limit after which the rest is left to the checker
SEARCHING = 0.25  # share of the time that the search for a clustering may take
FEW = 20  # rows up to which restarts will do
GROUP = 60  # rows in a group for each cluster
LEAST_GROUP, MOST_GROUP = 200, 1200
MOST_STEPS = 4_000_000  # of the checker in a tree: of some (4 d + 40) k each, it takes 2**32
STEPS = 5_000  # of these for each second that is left: it takes some 5 us for one,
LEAST_STEPS = 20_000  # and so many more
BRANCHING = 5e-5  # seconds that must be left for each number before branch and bound begins: it takes some 5e-6 to prepare
MOST_SWEPT = 2000  # rows about which a line is turned: some 0.06 us for each pair
LOW = 4  # features up to which prices are sooner
MATRIX, LEAST_MATRIX = 20, 120  # rows in a group for each cluster, and at least, where it has a matrix
ENOUGH = 1e-3  # gap of a group
MOST_MATRIX = 700  # rows of which there is a matrix
NEARLY = Fraction(1, 10**4)  # a gap that may turn out to be none
LIGHT = (
    100  # binary digits by which a row may weigh less than the heaviest and still count beside it in floats,
)
LIGHT_MATRIX = 40  # and in a matrix
FEW_AXES = 3
READING = 5e-6  # seconds that the checker takes, at least, to read a number
MOST_SEEN = 1_000_000  # numbers by which is judged along how many axes rows lie
DEALING = 0.35  # share of the time in which rows are dealt out to groups
CUTTING = 0.5  # share of the time that the semidefinite bound may take
EXACT_PRODUCTS = 5_000_000  # of whole numbers in a second, about,
DIGITS = 128  # of up to so many binary digits


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a method found.

    Attributes
    ----------
    proof : list of str
        Its lines.
    lower : Fraction
        The lower bound that these lines state, in squared units of X.
    labels : ndarray of shape (n_samples,) or None
        A clustering.
    optimal : bool
        Whether the clustering is optimal according to the method: then the checker is asked.
    stop_reason : str
    """

    proof: list
    lower: Fraction
    labels: np.ndarray | None = None
    optimal: bool = False
    stop_reason: str = "unresolved"


def heavy(portfolio, digits=LIGHT):
    """The rows that do not vanish beside the heaviest one in floats; without the others all costs are less."""
    if portfolio.sample_weight is None:
        return np.arange(portfolio.n_rows)
    sizes = np.array([weight.bit_length() for weight in portfolio.problem.weights])
    return np.flatnonzero(sizes > sizes.max() - digits)


def heavy_samples(portfolio):
    """The samples of these rows."""
    rows = heavy(portfolio)
    if len(rows) == portfolio.n_rows:
        return np.arange(len(portfolio.X))
    return np.flatnonzero(np.isin(portfolio.place, rows))


def _for_all(portfolio, rows, lines):
    """The lines of a proof for some rows as one for all of them."""
    return lines if len(rows) == portfolio.n_rows else sum_proof([rows], [lines])


def trivial(portfolio):
    """One cluster, no more rows than clusters, a cost of zero; else a bound of zero."""
    place, n_rows = portfolio.place, portfolio.n_rows
    if portfolio.k == 1:
        labels = np.zeros(len(place), np.int32)
        return Evidence(trivial_proof(), portfolio.problem.cost(labels), labels, True)
    labels = np.maximum(place, 0).astype(np.int32) if n_rows <= portfolio.k else None
    return Evidence(trivial_proof(), Fraction(0), labels, labels is not None or not portfolio.incumbent[1])


def line(portfolio):
    """One feature, or rows on one line."""
    straight = collinear(portfolio.X[portfolio.first])
    if straight is None:
        return None
    feature, factor = straight
    try:
        found = best_on_a_line(portfolio.X[:, feature].copy(), portfolio.k, portfolio.sample_weight)
    except ValueError:  # numbers too far apart
        return None
    lines = line_proof(found.penalty * factor * portfolio.problem.unit)
    return Evidence(lines, found.cost * factor, found.labels, True)


def search(portfolio):
    """A better clustering: from the one given, and from scratch."""
    init, searched = "k-means++", hybrid_search
    if portfolio.n_rows <= FEW:
        searched = local_search
    elif portfolio.given is not None:
        centers = portfolio.problem.exact.centers(portfolio.given[0])
        if len(centers) == portfolio.k:
            init = np.array([centers[label] for label in sorted(centers)])
    found = searched(
        portfolio.X, portfolio.k, sample_weight=portfolio.sample_weight, init=init, rng=portfolio.rng,
        max_seconds=portfolio.seconds_for(SEARCHING), n_threads=portfolio.n_threads,
        progress=lambda _, inertia: portfolio.report_progress("search", inertia),
    )  # fmt: skip
    portfolio.offer(found.labels)
    portfolio.report_progress("search")
    if found.stop_reason == "interrupted":
        raise KeyboardInterrupt


def tree(portfolio):
    """Repetitive branch and bound: not far where prices are likely to be sooner."""
    return (
        _branch(portfolio, LEAST_STEPS)
        if _breadth(portfolio.X[portfolio.first]) <= LOW
        else longer_tree(portfolio)
    )


def longer_tree(portfolio):
    """The same as far as the checker can follow."""
    return _branch(portfolio, int(min(MOST_STEPS, LEAST_STEPS + STEPS * max(0, portfolio.left()))))


def _branch(portfolio, steps):
    problem = portfolio.problem
    if BRANCHING * portfolio.X[portfolio.first].size > portfolio.left():
        return Evidence(trivial_proof(), Fraction(0), stop_reason="time_limit")
    found = branch_and_bound(
        problem.rows, problem.weights, portfolio.k, labels=portfolio.incumbent[0][portfolio.first], max_nodes=steps,
        time_limit=portfolio.seconds_for(FINDING), n_threads=portfolio.n_threads,
    )  # fmt: skip
    labels, proved = found.labels[np.maximum(portfolio.place, 0)], found.stop_reason == "proved"
    reason = "unresolved" if found.stop_reason == "node_limit" else found.stop_reason
    lines = tree_proof(found.order, found.suffix)
    return Evidence(lines, found.suffix[0] / problem.unit, labels, proved, reason)


def sweep(portfolio):
    """The best two clusters in the plane; the proof is left to the methods after it."""
    X = portfolio.X[portfolio.first]
    if portfolio.k != 2 or X.shape[1] != 2 or not 2 < len(X) <= MOST_SWEPT:
        return
    most = max(portfolio.problem.weights)
    weights = np.maximum([own / most for own in portfolio.problem.weights], 2.0**-500)  # it proves nothing
    found = best_halves(
        X, weights, time_limit=portfolio.seconds_for(SEARCHING), n_threads=portfolio.n_threads
    )
    portfolio.offer(found.labels[np.maximum(portfolio.place, 0)])
    portfolio.report_progress("sweep")
    if found.stop_reason == "interrupted":
        raise KeyboardInterrupt


def _breadth(X):
    """How many features of equal variance are as hard: (sum of v)^2 / sum of v^2 for the variances v of the components."""
    X = near_one(X)[0]
    squares = X.T @ X if X.shape[1] <= len(X) else X @ X.T
    return np.trace(squares) ** 2 / max((squares**2).sum(), 1e-300)


def pca(portfolio):
    """The principal components, of as many of the rows as can be looked at: of the features, or of the rows where these are fewer."""
    problem, n, d = portfolio.problem, portfolio.n_rows, portfolio.X.shape[1]
    if portfolio.k > d:
        return None  # they explain all
    digits = problem.scale + int(np.frexp(np.abs(portfolio.X).max())[1]) + max(problem.weights).bit_length()
    most = EXACT_PRODUCTS * max(0.5, min(30.0, 0.1 * portfolio.left())) / max(1, digits / DIGITS) ** 2
    some = np.arange(0, n, -(-n // max(1, int(most / d**2 - d / 3))))
    wide = len(some) < d
    if wide:
        some = heavy(portfolio, LIGHT_MATRIX)
        some = some[:: -(-len(some) // max(2, int(min(math.sqrt(2 * most / d), (3 * most) ** (1 / 3)))))]
    if portfolio.k >= len(some):
        return None
    rows, weights = problem.whole([problem.first[i] for i in some]), [problem.weights[i] for i in some]
    try:
        if wide:  # the semidefinite bound without its cuts is the same, by the matrix of the rows
            found = spectral_bound(rows, weights, portfolio.k)
            lines = semidefinite_proof(*found[1:-2])
        else:
            found = principal_bound(rows, weights, portfolio.k)
            lines = principal_proof(found.scale, found.tau, found.top)
    except (Refused, np.linalg.LinAlgError):  # rounding made an eigenvalue negative
        return None
    if len(some) < n:
        lines = sum_proof([some], [lines])
    return Evidence(lines, found.bound / problem.unit)


def prices(portfolio):
    """Column generation over all rows."""
    rows = heavy(portfolio)
    if portfolio.k >= len(rows):
        return None
    samples = heavy_samples(portfolio)
    labels = portfolio.incumbent[0][samples]
    found, lines, lower = by_prices(
        portfolio, samples, labels if len(np.unique(labels)) == portfolio.k else None, portfolio.seconds_for(FINDING),
        lambda inertia, lower: portfolio.report_progress("prices", inertia, lower), portfolio.inner.get("prices"),
        lambda known: portfolio.keep({"prices": known}),
    )  # fmt: skip
    if len(rows) < portfolio.n_rows:
        reason = "unresolved" if found.stop_reason == "proved" else found.stop_reason
        return Evidence(_for_all(portfolio, rows, lines), lower, stop_reason=reason)
    return Evidence(lines, lower, found.labels, found.status == "optimal", found.stop_reason)


def many_axes(X):
    """Whether a search over all centers has so many axes to look along that the semidefinite bound is sooner there."""
    X = X[:: -(-X.size // MOST_SEEN)]
    offs = near_one(X)[0]
    squares = gram(np.ascontiguousarray(offs.T) if offs.shape[1] > len(offs) else offs)
    try:
        sizes, _ = greatest(squares, len(squares), vectors=False)
    except np.linalg.LinAlgError:  # of entries that are far apart
        return False
    return sizes[-FEW_AXES:].sum() < 0.99 * sizes.sum()


def sdp(portfolio):
    """The semidefinite bound with cuts."""
    problem, rows = portfolio.problem, heavy(portfolio, LIGHT_MATRIX)
    if not 2 <= portfolio.k < len(rows) <= MOST_MATRIX:
        return None
    found = _matrix(
        portfolio, rows, portfolio.seconds_for(CUTTING), portfolio.gap,
        lambda lower: portfolio.report_progress("sdp", lower=float_down(lower / problem.unit)),
    )  # fmt: skip
    if found is None:
        return None
    lines, lower = _for_all(portfolio, rows, semidefinite_proof(*found[1:-2])), found.bound / problem.unit
    if len(rows) < portfolio.n_rows:
        return Evidence(lines, lower, stop_reason=found.stop_reason)
    labels = found.labels[np.maximum(portfolio.place, 0)]
    cost = min(portfolio.incumbent[1], problem.cost(labels))
    return Evidence(lines, lower, labels, cost - lower < NEARLY * cost, found.stop_reason)


def groups(portfolio):
    """The sum over groups of rows that each look like the whole; each by column generation, or the semidefinite bound."""
    wide = many_axes(portfolio.X[portfolio.first])
    rows = heavy(portfolio, LIGHT_MATRIX if wide else LIGHT)
    n = len(rows)
    size = min(MOST_MATRIX, max(MATRIX * portfolio.k, LEAST_MATRIX)) if wide else GROUP * portfolio.k
    size = size if wide else min(max(size, LEAST_GROUP), MOST_GROUP)
    if n < 2 * (portfolio.k + 1):
        return None
    n_groups = min(max(2, round(n / size)), n // (portfolio.k + 1))
    kept = portfolio.inner.get("sum")
    if kept is not None and not _proved_again(portfolio, kept["groups"]):
        return Evidence(trivial_proof(), Fraction(0), stop_reason="time_limit")
    if kept is None:
        first = portfolio.first[rows]
        members = alike(
            portfolio.X[first], portfolio.incumbent[0][first], n_groups, portfolio.seconds_for(DEALING)
        )
        # Rows, the proof, its bound, and whether that is all.
        kept = {"groups": [[rows[own], None, Fraction(0), False] for own in members]}
    stop_reason, todo = "unresolved", [own for own in kept["groups"] if not own[3]]
    for at, own in enumerate(todo):
        if portfolio.left() <= 0:
            stop_reason = "time_limit"
            break
        seconds = None if portfolio.limit == math.inf else portfolio.left() / (len(todo) - at)
        if wide:
            found, ended, lines, lower = (
                _matrix(portfolio, own[0], seconds, max(portfolio.gap, ENOUGH)),
                "unresolved",
                None,
                0,
            )
            if found is not None:
                ended, lines = found.stop_reason, semidefinite_proof(*found[1:-2])
                lower = found.bound / portfolio.problem.unit
        else:
            found, lines, lower = by_prices(
                portfolio, np.flatnonzero(np.isin(portfolio.place, own[0])), None, seconds
            )
            ended = found.stop_reason
        if lower > own[2]:
            own[1:3] = lines, lower
        own[3] = ended not in ("interrupted", "time_limit")
        portfolio.keep({"sum": kept})
        portfolio.report_progress("sum", lower=float_down(sum(lower for *_, lower, _ in kept["groups"])))
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


def _proved_again(portfolio, groups):
    """Whether there was time to ask the checker about the groups of a file; what it does not find is taken back."""
    known = [own for own in groups if own[1] is not None]
    found = portfolio.bounds_of([sum_proof([own[0]], [own[1]]) for own in known])
    for own, bound in zip(known, found or ()):
        own[2] = own[2] if bound is not None and bound >= own[2] else Fraction(0)
        if not own[2]:
            own[1:] = None, Fraction(0), False
    return found is not None


def _matrix(portfolio, rows, seconds, gap, progress=None):
    """The semidefinite bound of some rows; None where floats do not come to one, or it is 0."""
    problem, labels = portfolio.problem, portfolio.incumbent[0][portfolio.first[rows]]
    cost = problem.cost_of(rows.tolist(), labels.tolist())
    if not cost or portfolio.k < 2:
        return None
    try:
        return semidefinite_bound(
            [problem.rows[row] for row in rows], [problem.weights[row] for row in rows], portfolio.k, labels, cost,
            gap=gap, max_seconds=seconds, progress=progress,
        )  # fmt: skip
    except np.linalg.LinAlgError:
        return None


def by_prices(portfolio, samples, labels, seconds, progress=None, known=None, keep=None):
    """Column generation for some samples: what it found, the lines of its proof, and the bound that these state."""
    weights = None if portfolio.sample_weight is None else portfolio.sample_weight[samples]
    found = column_generation(
        portfolio.X[samples], portfolio.k, sample_weight=weights, labels=labels, max_seconds=seconds, gap=portfolio.gap,
        rng=0, progress=progress, known=known, keep=keep,
    )  # fmt: skip
    rows, at = np.unique(portfolio.place[samples], return_index=True)
    if rows[0] < 0:
        rows, at = rows[1:], at[1:]
    return found, *lines_of(portfolio, found.proof, samples, rows, at)


def lines_of(portfolio, node, samples, rows, at):
    """The lines for a tree of prices and branches, and the bound they state."""
    if node[0] == "open":
        return trivial_proof(), Fraction(0)
    if node[0] == "branch":
        _, i, j, *sides = node
        (together, a), (apart, b) = (lines_of(portfolio, side, samples, rows, at) for side in sides)
        i, j = (int(portfolio.place[samples[row]]) for row in (i, j))
        return branch_proof(i, j, together, apart), min(a, b)
    _, groups, prices, level = node
    lines = columns_proof(portfolio.problem, ("prices", groups[at], prices, level), rows)
    masses = {}  # of the items, in the order of their first rows
    for row, group in zip(rows.tolist(), groups[at].tolist()):
        masses[group] = masses.get(group, 0) + portfolio.problem.weights[row]
    shift, most = (int(word.partition("=")[2], 16) for word in lines[0].split(" ")[2:])
    paid = sum(mass * int(word, 16) for mass, word in zip(masses.values(), lines[1].split(" ")[1:]))
    return lines, Fraction(paid - portfolio.k * most, 4**shift * portfolio.problem.unit)


METHODS = {
    "trivial": trivial, "line": line, "search": search, "tree": tree, "sweep": sweep, "pca": pca, "prices": prices, "sdp": sdp,
    "longer tree": longer_tree, "sum": groups,
}  # fmt: skip
