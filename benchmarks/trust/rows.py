"""A row of the table: what is tried, how often, and what went wrong with ours and with theirs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Tally:
    """What became of the cases of a row.

    Attributes
    ----------
    tried, ours : int
        Cases, and how many of them went wrong here.
    theirs : int or None
        How many of them went wrong in scikit-learn; None where it has nothing of the kind.
    told : list of str
        What went wrong here, the first of them.
    """

    tried: int = 0
    ours: int = 0
    theirs: int | None = None
    told: list = field(default_factory=list)

    def add(self, wrong, theirs=None, what="", cases=1):
        """Count `cases` cases, of which so many were wrong here and, if it is a number, in scikit-learn."""
        self.tried += cases
        self.ours += int(wrong)
        if theirs is not None:
            self.theirs = (self.theirs or 0) + int(theirs)
        if wrong and len(self.told) < 5:
            self.told.append(f"{what} ({int(wrong)})" if cases > 1 else what)


@dataclass(frozen=True)
class Row:
    """What is tried, and `n` times in a whole campaign, `quick` times in the cut of it.

    Attributes
    ----------
    name, part, words : str
    run : callable(tally, rng, n)
    """

    name: str
    part: str
    words: str
    run: Callable
    n: int
    quick: int


ROWS = {}


def row(words, n, quick):
    """Put a function into the table, under its own name; the part is that of its module."""

    def put(run):
        part = run.__module__.rpartition(".")[2]
        ROWS[run.__name__] = Row(run.__name__, part, words, run, n, quick)
        return run

    return put


def given_or_refused(call, refusals=(ValueError, TypeError)):
    """What a call gives, or the error by which it refuses, as documented."""
    try:
        return call()
    except refusals as error:
        return error


def same_partition(a, b):
    """Whether two clusterings are equal but for the numbers of their clusters."""
    a, b = np.asarray(a), np.asarray(b)
    pairs = set(zip(a.tolist(), b.tolist()))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))
