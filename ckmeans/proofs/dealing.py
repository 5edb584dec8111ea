"""The groups of a sum: how many rows a semidefinite bound is of, who is in which, and all threads on them, each in its share of the time."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Lock, get_ident
from time import monotonic

import numpy as np

from ..exact.anticlusters import anticlusters
from ..exact.semidefinite import Relaxation
from ..workers import Workers
from .proof_lines import sum_proof, trivial_proof

# After this many steps the bound of 250 to 1000 rows of overlapping clusters in 12 features, k=3, is within 0.1 % of their optimum. A step takes
# time in proportion to the square of the rows, about: 0.9e-7 s for each of 250**2, and 0.7e-7 for each of 1000**2. How long it takes
# here and now is tried on PROBE rows, in TRIED steps.
STEPS, PROBE, TRIED = 400, 200, 6
# Seconds that the checker takes for m rows, over m**3 (92 s for 16 groups of 682 rows); at most CHECKING of the time limit is for
# that. It gives up after 2**32 steps: MOST_CHECKED is what m**3 may add up to.
CHECK, CHECKING, MOST_CHECKED = 1.8e-8, 0.2, 6e9
# The same for one matrix of all rows, which proves more: its search ends early enough.
CHECKING_ONE = 0.35
# Rows at least, whatever the time, as groups of fewer are too unlike the whole; and at most, as memory goes up with the square.
LEAST, FOR_EACH_CLUSTER, MOST = 120, 20, 1800
# Up to this many rows are always one matrix: there is time for them in 10 s.
FEW = 300
# Rows of a group without a time limit, in the same terms: of 10,000 rows in 12 features, k=3 and 5, the optima of groups of 500 add up to
# 0.1 and 0.4 % less than the whole, of 250 to 0.2 and 0.9 %, and of 120 to 1.2 and 3.8 %.
UNLIMITED, UNLIMITED_FOR_EACH_CLUSTER = 500, 50
# One of so many rows of a matrix is shared by all groups, each of which has its part of the weight: those that cost most, without which groups
# of heavy tails are unlike the whole. 10,000 rows in 16 features, k=5, of Student's t with 3 degrees of freedom: the optima of groups of
# 600 add up to 5.9 % less than the whole, with 50 shared to 0.86, with 150 to 0.97 %. Where tails are light it makes no difference.
SHARED = 12
# Rows in a group, for each cluster, and the limits of a group, by prices: these take longer in a larger one, and prove more.
GROUP, LEAST_GROUP, MOST_GROUP = 60, 200, 1200
# Share of the time limit after which rows are dealt out as they are: a later end makes groups more alike.
DEALING = 0.35


def seconds_of_a_step():
    """Of the semidefinite bound, over the square of the rows."""
    X = np.random.default_rng(0).normal(size=(PROBE, 8))
    relaxation = Relaxation(X, np.ones(PROBE), 4, np.arange(PROBE) % 4)
    relaxation.step()
    begin = monotonic()
    for _ in range(TRIED):
        relaxation.step()
    return (monotonic() - begin) / (TRIED * PROBE**2)


def rows_of_a_matrix(n_rows, n_clusters, deadline, n_threads=1):
    """As many rows as each of the groups may have that the rows are dealt to, so that there is time to prove and check all of them.

    Parameters
    ----------
    n_rows, n_clusters : int
    deadline : Deadline
    n_threads : int
        Groups that are proved side by side.
    """
    least = max(LEAST, FOR_EACH_CLUSTER * n_clusters)
    if deadline.seconds == math.inf:
        rows = max(UNLIMITED, UNLIMITED_FOR_EACH_CLUSTER * n_clusters)
    else:
        squares = max(0.0, deadline.left()) / (
            STEPS * seconds_of_a_step()
        )  # of the rows that one thread has time for
        checked = math.sqrt(CHECKING * deadline.seconds / (n_rows * CHECK))
        rows = min(squares * n_threads / n_rows, math.sqrt(squares), checked)
    return int(min(max(least, rows), math.sqrt(MOST_CHECKED / n_rows), MOST))


def seconds_to_check(n_rows):
    """That the checker takes for the semidefinite bound of so many rows."""
    return CHECK * n_rows**3


def is_one_matrix(n_rows, n_clusters, deadline, share):
    """Whether one matrix of all rows is sooner than groups of them: it has one thread, and a share of the time."""
    if n_rows > MOST or deadline.seconds == math.inf or n_rows <= max(FEW, 2 * FOR_EACH_CLUSTER * n_clusters):
        return n_rows <= MOST
    checked = seconds_to_check(n_rows) <= CHECKING_ONE * deadline.seconds
    return checked and n_rows**2 * STEPS * seconds_of_a_step() <= deadline.left(share)


@dataclass(eq=False)
class Group:
    """Some rows, what is proved of them, what that adds to the bound, and whether it is all that their method finds."""

    rows: np.ndarray
    proof: list | None = None
    lower: Fraction = Fraction(0)
    done: bool = False


@dataclass(eq=False)
class Groups:
    """Parts of the rows, and the rows that each of them has besides, with its part of their weight."""

    parts: list
    shared: np.ndarray = field(default_factory=lambda: np.empty(0, int))

    @property
    def times(self):
        """By how much the weights of the others, and all costs, are multiplied, so that shared rows have theirs."""
        return len(self.parts) if len(self.shared) else 1

    @property
    def lower(self):
        return sum((part.lower for part in self.parts), Fraction(0))

    def rows_of(self, part):
        """All its rows, in increasing order; and by how much the weight of each is multiplied, None for ones."""
        if not len(self.shared):
            return part.rows, None
        rows = np.sort(np.concatenate([part.rows, self.shared]))
        return rows, np.where(np.isin(rows, self.shared), 1, self.times)

    def proof(self):
        """The lines of the sum."""
        parts = [part for part in self.parts if part.proof is not None]
        if not parts:
            return trivial_proof()
        if len(self.shared):  # by their number weights are divided
            proofs = [part.proof or trivial_proof() for part in self.parts]
            return sum_proof([part.rows for part in self.parts], proofs, self.shared)
        return sum_proof([part.rows for part in parts], [part.proof for part in parts])

    def proof_of(self, part):
        """The lines of a sum with what is proved of one group, the last: of each other one, where rows are shared, there is one row."""
        others = [own.rows[:1] for own in self.parts if own is not part] if len(self.shared) else []
        proofs = [*(trivial_proof() for _ in others), part.proof]
        return sum_proof([*others, part.rows], proofs, self.shared)

    def to_dict(self):
        return {"groups": [list(vars(part).values()) for part in self.parts], "shared": self.shared}

    @classmethod
    def from_dict(cls, known):
        return cls([Group(*part) for part in known["groups"]], known["shared"])


def dealt_out(instance, incumbent, run, rows):
    """The groups, before anything is proved of them."""
    k, n, n_shared = instance.n_clusters, len(rows), 0
    if instance.many_axes:
        n_threads = Workers(run.n_threads).n_threads if run.deadline.seconds < math.inf else 1
        size = min(n, rows_of_a_matrix(n * SHARED // (SHARED - 1), k, run.deadline, n_threads))
        n_shared = size // SHARED
        n_groups = -(-(n - n_shared) // (size - n_shared))
        if n_groups > n_threads:  # so that no thread has to wait
            n_groups = -(-n_groups // n_threads) * n_threads
    else:
        n_groups = round(n / min(max(GROUP * k, LEAST_GROUP), MOST_GROUP))
    samples = instance.first[rows]
    X, labels = instance.X[samples], incumbent.labels[samples]
    shared = np.empty(0, int)
    if n_shared:
        costs = _costs(X, [instance.problem.weights[row] for row in rows], labels)
        shared = np.sort(np.argsort(-costs, kind="stable")[:n_shared])
    others = np.delete(np.arange(n), shared)
    n_groups = min(max(2, n_groups), len(others) // (k + 1))
    seconds = run.deadline.seconds_for(DEALING)
    members = anticlusters(X[others], labels[others], n_groups, seconds)
    return Groups([Group(rows[others[own]]) for own in members], rows[shared])


def _costs(X, weights, labels):
    """What each row costs at the mean of its cluster, to some digits and in no unit."""
    X = np.ldexp(X, -int(np.frexp(np.abs(X).max())[1]))  # squares of these do not overflow
    most, costs = max(weights), np.empty(len(X))
    weights = np.array([weight / most for weight in weights])
    for label in np.unique(labels):
        own = labels == label
        mean = weights[own] @ X[own] / weights[own].sum()
        costs[own] = weights[own] * ((X[own] - mean) ** 2).sum(axis=1)
    return costs


class _Stopped(Exception):
    """Nothing more is to be begun."""


def in_turn(things, work, after, deadline, n_threads):
    """Work on each thing, on all threads; returns why that ended: "unresolved" if by itself.

    Parameters
    ----------
    things : list
    work : callable(thing, seconds, check)
        Takes so long, None for no limit, and calls check() often, which may raise; returns why it ended.
    after : callable()
        Called on the calling thread when it has done something, and in the end.
    deadline : Deadline
    n_threads : int or None
    """
    lock, caller, waiting, reasons = Lock(), get_ident(), len(things), set()
    workers = Workers(n_threads)

    def one(thing):
        nonlocal waiting
        left = deadline.left()
        with lock:
            share = min(workers.n_threads, waiting) / waiting
            waiting -= 1
        ended = "time_limit"
        if left > 0:
            try:
                ended = work(thing, None if left == math.inf else share * left, workers.check_time)
            except MemoryError:
                ended = "memory_limit"
        reasons.add(ended)
        if get_ident() == caller:
            after()
        if ended in ("interrupted", "memory_limit"):
            raise _Stopped

    try:
        with workers:
            workers.run(one, [(thing,) for thing in things])
    except _Stopped:
        pass
    after()
    return next(
        (why for why in ("interrupted", "memory_limit", "time_limit") if why in reasons), "unresolved"
    )
