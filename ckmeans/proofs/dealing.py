"""How many rows a semidefinite bound is of, and the groups of a sum on all threads, each in its share of the time."""

import math
from threading import Lock, get_ident
from time import monotonic

import numpy as np

from ..exact.semidefinite import Relaxation
from ..workers import Workers

# After this many steps the bound of 250 to 1000 rows of overlapping clusters in 12 features, k=3, is within 0.1 % of their optimum. A step takes
# time in proportion to the square of the rows, about: 0.9e-7 s for each of 250**2, and 0.7e-7 for each of 1000**2. How long it takes
# here and now is tried on PROBE rows, in TRIED steps.
STEPS, PROBE, TRIED = 400, 200, 6
# Seconds that the checker takes for m rows, over m**3; at most CHECKING of the time limit is for that. It gives up after
# 2**32 steps: MOST_CHECKED is what m**3 may add up to.
CHECK, CHECKING, MOST_CHECKED = 1e-8, 0.2, 6e9
# Rows at least, whatever the time, as groups of fewer are too unlike the whole; and at most, as memory goes up with the square.
LEAST, FOR_EACH_CLUSTER, MOST = 120, 20, 1800
# Up to this many rows are always one matrix: there is time for them in 10 s.
FEW = 300
# Rows of a group without a time limit, in the same terms: of 10,000 rows in 12 features, k=3 and 5, the optima of groups of 500 add up to
# 0.1 and 0.4 % less than the whole, of 250 to 0.2 and 0.9 %, and of 120 to 1.2 and 3.8 %.
UNLIMITED, UNLIMITED_FOR_EACH_CLUSTER = 500, 50


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


def is_one_matrix(n_rows, n_clusters, deadline, share):
    """Whether one matrix of all rows is sooner than groups of them: it has one thread, and a share of the time."""
    if n_rows > MOST or deadline.seconds == math.inf or n_rows <= max(FEW, 2 * FOR_EACH_CLUSTER * n_clusters):
        return n_rows <= MOST
    checked = n_rows**3 * CHECK <= CHECKING * deadline.seconds
    return checked and n_rows**2 * STEPS * seconds_of_a_step() <= deadline.left(share)


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
