"""The methods of the portfolio (portfolio.py): each is a way to a lower bound with a proof, or to a better clustering.

Each takes the problem (an `Instance`), the best clustering so far (a `Clustering`) and its `Run`, and returns its `Evidence`,
or None where it has none to give.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Lock
from typing import Any

import numpy as np

from ..check import Refused
from ..exact.branch import branch_and_bound
from ..exact.columns import column_generation
from ..exact.items import Items
from ..exact.principal import principal_bound
from ..exact.semidefinite import semidefinite_bound, spectral_bound
from ..exact.sweep import best_halves
from ..exact.univariate import penalty_proof
from ..interrupts import Held
from ..local.hybrid import hybrid_search
from ..local.search import local_search
from ..rationals import float_down
from ..workers import Expired
from .closing import prove_by_matrix
from .dealing import MOST, Groups, dealt_out, in_turn, seconds_to_check
from .instance import FINDING, LIGHT, Deadline
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
from .turned import MOST_TURNED

# Shares of the time limit after which a search for a clustering, and the semidefinite bound end. A later end makes them better,
# and leaves less time for the methods after them.
SEARCHING, CUTTING = 0.25, 0.5
# Rows up to which restarts find the best clustering, so that the hybrid search need not begin.
FEW = 20
# Relative gap at which the semidefinite bound of a group ends: without a time limit the groups together are further from the optimum
# anyway, with one they are larger, and all of the time is theirs.
ENOUGH, ALL = 1e-3, 1e-5
# Relative gap of a semidefinite bound that may be closed in exact arithmetic: then the checker is asked.
NEARLY = Fraction(1, 10**4)
# Binary digits by which a row may weigh less than the heaviest one and still count beside it in a matrix of floats.
LIGHT_MATRIX = 40
# Nodes of a tree: LEAST_STEPS, and STEPS for each second that is left, up to MOST_STEPS. The checker takes some 5 us for a node
# in few features, and some (4 d + 40) k of the 2**32 steps after which it gives up.
STEPS, LEAST_STEPS, MOST_STEPS = 5_000, 20_000, 4_000_000
# Seconds that must be left for each entry of X before branch and bound begins; to prepare it takes some 5e-6.
BRANCHING = 5e-5
# Seconds that must be left for each entry of X before the semidefinite bound begins: to make floats of whole numbers, and a bound of
# whole numbers of floats, takes some 1.5e-6 (200 x 3,000).
ROUNDED = 2e-6
# Dimension (Instance.dimension) up to which prices are sooner than a tree that goes on until the time is up.
LOW = 4
# Dimension beyond which prices, that come after the semidefinite bound, find nothing in the time that is left: that has all of it.
HIGH = 10
# Rows about which a line is turned, in some 0.06 us for each pair of them.
MOST_SWEPT = 2000
# Products of whole numbers in a second, about, where these have up to DIGITS binary digits.
EXACT_PRODUCTS, DIGITS = 5_000_000, 128


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a method found.

    Attributes
    ----------
    proof : list of str or None
        Its lines; None if there is only a clustering.
    lower : Fraction
        The lower bound that these lines state, in squared units of X.
    labels : ndarray of shape (n_samples,) or None
        A clustering.
    optimal : bool
        Whether the clustering is optimal according to the method: then the checker is asked.
    stop_reason : str
        "proved" or "unresolved" if the method has ended by itself.
    again : bool
        Whether a later call that goes on from a checkpoint should try the method again, even if it ended by itself.
    """

    proof: list | None = None
    lower: Fraction = Fraction(0)
    labels: np.ndarray | None = None
    optimal: bool = False
    stop_reason: str = "unresolved"
    again: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """What a method may take, and whom it tells.

    Attributes
    ----------
    deadline : Deadline
    gap : float
        The method may end where the relative gap is not above this.
    rng : as `local_search` takes it
    n_threads : int or None
    given : ndarray of shape (n_samples,) or None
        The clustering that was given.
    held : Held
        Begins when there is a result, so that Ctrl-C does not lose it before it is kept.
    report : callable(inertia=inf, lower=0.0)
        Is told what the method knows on the way, as floats.
    known : dict or None
        What a checkpoint has of this method.
    keep : callable(known)
        Writes a checkpoint; `known` is a function that gives what is to be in it.
    most : float
        Seconds after which prices end, if not the time limit ends them sooner.
    """

    deadline: Deadline
    gap: float = 0.0
    rng: Any = None
    n_threads: int | None = None
    given: np.ndarray | None = None
    held: Held | None = None
    report: Callable = lambda inertia=math.inf, lower=0.0: None
    known: dict | None = None
    keep: Callable = lambda known: None
    most: float = math.inf


def trivial(instance, incumbent, run):
    """One cluster, no more rows than clusters, a cost of zero; else a bound of zero."""
    if instance.n_clusters == 1:
        labels = np.zeros(len(instance.X), np.int32)
        return Evidence(trivial_proof(), instance.problem.cost(labels), labels, True)
    few = instance.n_rows <= instance.n_clusters
    labels = instance.to_samples(np.arange(instance.n_rows, dtype=np.int32)) if few else None
    return Evidence(trivial_proof(), Fraction(0), labels, few or not incumbent.cost)


def line(instance, incumbent, run):
    """One feature, or rows on one line."""
    if instance.line is None:
        return None
    feature, factor = instance.line
    try:
        found = penalty_proof(
            instance.X[:, feature].copy(), instance.n_clusters, instance.sample_weight, run.deadline.check
        )
    except Expired:
        return Evidence(trivial_proof(), stop_reason="time_limit")
    lines = line_proof(found.penalty * factor * instance.problem.unit)
    return Evidence(lines, found.cost * factor, found.labels, True)


def search(instance, incumbent, run):
    """A better clustering: from the one given, and from scratch."""
    init, searched = "k-means++", hybrid_search
    if instance.n_rows <= FEW:
        searched = local_search
    elif run.given is not None:
        centers = instance.problem.exact.centers(run.given)
        if len(centers) == instance.n_clusters:
            init = np.array([centers[label] for label in sorted(centers)])
    found = searched(
        instance.X,
        instance.n_clusters,
        sample_weight=instance.sample_weight,
        init=init,
        rng=run.rng,
        max_seconds=run.deadline.seconds_for(SEARCHING),
        n_threads=run.n_threads,
        progress=lambda _, inertia: run.report(inertia),
        held=run.held,
    )
    return _only_labels(found, found.labels, again=run.deadline.left(SEARCHING) <= 0)


def sweep(instance, incumbent, run):
    """The best two clusters in the plane; the proof is left to the methods after it."""
    X, weights = instance.rows, instance.problem.weights
    if instance.n_clusters != 2 or X.shape[1] != 2 or not 2 < len(X) <= MOST_SWEPT:
        return None
    # Weights as floats, the lightest raised: a sweep proves nothing.
    weights = np.maximum([own / max(weights) for own in weights], 2.0**-500)
    seconds = run.deadline.seconds_for(SEARCHING)
    found = best_halves(X, weights, time_limit=seconds, n_threads=run.n_threads)
    return _only_labels(found, instance.to_samples(found.labels))


def _only_labels(found, labels, again=False):
    """What a search for a clustering found: its limit is its own, and not why the whole ends."""
    reason = "interrupted" if found.stop_reason == "interrupted" else "unresolved"
    return Evidence(labels=labels, stop_reason=reason, again=again)


def tree(instance, incumbent, run):
    """Repetitive branch and bound: not far where prices are likely to be sooner."""
    if instance.dimension <= LOW:
        return _branch(instance, incumbent, run, LEAST_STEPS)
    return longer_tree(instance, incumbent, run)


def longer_tree(instance, incumbent, run):
    """The same, with more nodes the more time is left, within what the checker accepts."""
    steps = LEAST_STEPS + STEPS * max(0, run.deadline.left())
    return _branch(instance, incumbent, run, int(min(MOST_STEPS, steps)))


def _branch(instance, incumbent, run, steps):
    problem = instance.problem
    if BRANCHING * instance.rows.size > run.deadline.left():
        return Evidence(trivial_proof(), stop_reason="time_limit")
    found = branch_and_bound(
        problem.rows,
        problem.weights,
        instance.n_clusters,
        labels=incumbent.labels[instance.first],
        max_nodes=steps,
        time_limit=run.deadline.seconds_for(FINDING),
        n_threads=run.n_threads,
    )
    reason = "unresolved" if found.stop_reason == "node_limit" else found.stop_reason
    return Evidence(
        tree_proof(found.order, found.suffix),
        found.suffix[0] / problem.unit,
        instance.to_samples(found.labels),
        found.stop_reason == "proved",
        reason,
    )


def pca(instance, incumbent, run):
    """The principal components, of the features, or of the rows where these are fewer."""
    problem, k = instance.problem, instance.n_clusters
    if k > instance.X.shape[1]:
        return None  # they explain all
    some, wide = _affordable_rows(instance, run.deadline)
    if k >= len(some):
        return Evidence(trivial_proof(), again=True)  # with more time, of more rows, there may be a bound
    rows, weights = problem.whole(instance.first[some]), [problem.weights[i] for i in some]
    try:
        if wide:  # the semidefinite bound without its cuts is the same, by the matrix of the rows
            found = spectral_bound(rows, weights, k)
            lines = semidefinite_proof(*found[1:-2])
        else:
            found = principal_bound(rows, weights, k, run.deadline.check)
            lines = principal_proof(found.scale, found.tau, found.top)
    except (Refused, np.linalg.LinAlgError):  # rounding made an eigenvalue negative
        return None
    except Expired:
        return Evidence(trivial_proof(), stop_reason="time_limit")
    return Evidence(_for_all(instance, some, lines), found.bound / problem.unit)


def _affordable_rows(instance, deadline):
    """As many rows as there is time for with exact products, evenly spaced; and whether these are fewer than features."""
    problem, d = instance.problem, instance.X.shape[1]
    digits = problem.scale + int(np.frexp(np.abs(instance.X).max())[1]) + max(problem.weights).bit_length()
    left = max(0.0, deadline.left())
    seconds = max(min(0.5, left), min(30.0, 0.1 * left))
    most = EXACT_PRODUCTS * seconds / max(1, digits / DIGITS) ** 2
    # The matrix takes d**2 products for each row, V V' half of that for each cluster, and the factor of both some d**3 / 3.
    n_rows = max(1, int(most / d**2 - instance.n_clusters / 2 - d / 3))
    some = np.arange(0, instance.n_rows, -(-instance.n_rows // n_rows))
    if len(some) >= d:
        return some, False
    some = instance.heavy_rows(LIGHT_MATRIX)
    n_rows = max(2, int(min(math.sqrt(2 * most / d), (3 * most) ** (1 / 3))))
    return some[:: -(-len(some) // n_rows)], True


def prices(instance, incumbent, run):
    """Column generation over all rows."""
    rows = instance.heavy_rows()
    if instance.n_clusters >= len(rows):
        return None
    samples = instance.samples_of(rows)
    labels, seconds = incumbent.labels[samples], min(run.most, run.deadline.left())
    found, lines, lower = _by_prices(
        instance,
        samples,
        run,
        None if seconds == math.inf else max(0.0, seconds),
        labels=labels if len(np.unique(labels)) == instance.n_clusters else None,
        progress=run.report,
        known=run.known,
        keep=run.keep,
    )
    if len(rows) < instance.n_rows:
        reason = "unresolved" if found.stop_reason == "proved" else found.stop_reason
        return Evidence(_for_all(instance, rows, lines), lower, stop_reason=reason)
    return Evidence(lines, lower, found.labels, found.status == "optimal", found.stop_reason)


def sdp(instance, incumbent, run):
    """The semidefinite bound with cuts."""
    problem, rows = instance.problem, instance.heavy_rows(LIGHT_MATRIX)
    if not 2 <= instance.n_clusters < len(rows) <= MOST:
        return None
    if ROUNDED * instance.rows.size > run.deadline.left():
        return Evidence(trivial_proof(), stop_reason="time_limit")
    run.deadline.reserve(seconds_to_check(len(rows)))
    found, lines = _by_matrix(
        instance,
        incumbent,
        rows,
        run.deadline.seconds_for(CUTTING if instance.dimension <= HIGH else FINDING),
        run.gap,
        lambda lower: run.report(lower=float_down(lower / problem.unit)),
        closing=len(rows) == instance.n_rows,
    )
    if found is None:
        return None
    lower, own = found.bound / problem.unit, lines or semidefinite_proof(*found[1:-2])
    evidence = Evidence(_for_all(instance, rows, own), lower, stop_reason=found.stop_reason)
    if len(rows) < instance.n_rows:
        return evidence
    labels = instance.to_samples(found.labels)
    least = min(incumbent.cost, problem.cost(labels))
    near = least - lower < NEARLY * least
    return replace(evidence, labels=labels, optimal=lines is not None or near)


def groups(instance, incumbent, run):
    """The sum over groups of rows that each look like the whole; each by column generation, or the semidefinite bound."""
    rows = instance.heavy_rows(LIGHT_MATRIX if instance.many_axes else LIGHT)
    if len(rows) < 2 * (instance.n_clusters + 1):
        return None
    dealt = dealt_out(instance, incumbent, run, rows) if run.known is None else Groups.from_dict(run.known)
    lock = Lock()

    def known():
        with lock:
            return dealt.to_dict()

    def after():
        run.keep(known)
        run.report(lower=float_down(dealt.lower))

    stop_reason = in_turn(
        [part for part in dealt.parts if not part.done],
        lambda *args: _bound_of_group(instance, incumbent, run, dealt, *args, lock),
        after,
        run.deadline,
        run.n_threads if instance.many_axes else 1,  # prices have BLAS on threads of its own
    )
    return Evidence(dealt.proof(), dealt.lower, stop_reason=stop_reason)


def _bound_of_group(instance, incumbent, run, dealt, group, seconds, check, lock):
    """Prove as much of a group as the time allows; returns why that ended."""
    if instance.many_axes or len(dealt.shared):
        enough = run.gap / 2 if run.gap else ENOUGH if seconds is None else ALL
        rows, times = dealt.rows_of(group)
        found, _ = _by_matrix(instance, incumbent, rows, seconds, enough, check=check, times=times)
        if found is None:
            lines, lower, ended = None, 0, "unresolved"
        else:
            lines, lower = (
                semidefinite_proof(*found[1:-2]),
                found.bound / (instance.problem.unit * dealt.times),
            )
            ended = found.stop_reason
    else:
        found, lines, lower = _by_prices(instance, instance.samples_of(group.rows), run, seconds)
        ended = found.stop_reason
    with lock:
        if lower > group.lower:
            group.proof, group.lower = lines, lower
        group.done = ended not in ("interrupted", "time_limit")
    return ended


def _for_all(instance, rows, lines):
    """The lines of a proof for some rows as one for all of them."""
    return lines if len(rows) == instance.n_rows else sum_proof([rows], [lines])


def _by_matrix(
    instance, incumbent, rows, seconds, gap, progress=None, check=lambda: None, closing=False, times=None
):
    """The semidefinite bound of some rows, None where floats do not come to one, or it is 0; and a proof that no more is to be had, or None.

    `times` multiplies the weights of the rows, an array of whole numbers; None for ones.
    """
    problem, labels = instance.problem, incumbent.labels[instance.first[rows]]
    weights = [problem.weights[row] for row in rows]
    if times is not None:
        weights = [weight * many for weight, many in zip(weights, times.tolist())]
    given = [problem.rows[row] for row in rows], weights
    own = Items.of(*given).merged(np.unique(labels, return_inverse=True)[1].tolist()).within()
    if not own or not 2 <= instance.n_clusters < len(rows):
        return None, None
    options = {"gap": gap, "max_seconds": seconds, "progress": progress, "check": check}
    try:
        if closing:
            return prove_by_matrix(*given, instance.n_clusters, labels, own, **options)
        return semidefinite_bound(*given, instance.n_clusters, labels, own, **options), None
    except np.linalg.LinAlgError:
        return None, None


def _by_prices(instance, samples, run, seconds, **options):
    """Column generation for some samples: what it found, the lines of its proof, and the bound that these state."""
    found = column_generation(
        instance.X[samples],
        instance.n_clusters,
        sample_weight=None if instance.sample_weight is None else instance.sample_weight[samples],
        max_seconds=seconds,
        gap=run.gap,
        rng=0,
        **options,
    )
    rows, at = np.unique(instance.row_of[samples], return_index=True)
    weighted = rows >= 0
    return found, *_lines_of(instance, found.proof, samples, rows[weighted], at[weighted])


def _lines_of(instance, node, samples, rows, at):
    """The lines for a tree of prices and branches, and the bound they state; `at` has for each of the rows one of the samples."""
    if node[0] == "open":
        return trivial_proof(), Fraction(0)
    if node[0] == "branch":
        _, i, j, *sides = node
        (together, a), (apart, b) = (_lines_of(instance, side, samples, rows, at) for side in sides)
        i, j = instance.row_of[samples[[i, j]]].tolist()
        return branch_proof(i, j, together, apart), min(a, b)
    _, groups, prices, level = node
    problem, items = instance.problem, {}
    for row, group in zip(rows.tolist(), groups[at].tolist()):
        items.setdefault(group, []).append(row)
    if instance.X.shape[1] > MOST_TURNED:
        lines = columns_proof(problem, ("prices", groups[at], prices, level), rows)
        shift, most = (int(word.partition("=")[2], 16) for word in lines[0].split(" ")[2:])
        masses = [sum(problem.weights[row] for row in own) for own in items.values()]
        paid = sum(mass * int(word, 16) for mass, word in zip(masses, lines[1].split(" ")[1:]))
        return lines, Fraction(paid - instance.n_clusters * most, 4**shift * problem.unit)
    prices = [Fraction(prices[group]) for group in items]
    return instance.turning.proof(instance.n_clusters, list(items.values()), prices, Fraction(level))


METHODS = {
    "trivial": trivial,
    "line": line,
    "search": search,
    "tree": tree,
    "sweep": sweep,
    "pca": pca,
    "prices": prices,
    "sdp": sdp,
    "longer tree": longer_tree,
    "sum": groups,
}
