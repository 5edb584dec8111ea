"""The checker (check.py) with a time limit: what it finds of a proof, while there is time."""

from contextlib import contextmanager
from fractions import Fraction
from time import monotonic

from .. import check, check_summary
from ..workers import Expired
from .proof_lines import sealed


def bound_of(text, deadline):
    """The lower bound that the checker finds in a proof file, in its units, and whether it rules out all other clusterings.

    Raises
    ------
    Expired
        Where the time is up.
    check.Refused
    """
    with _limits():
        reader = _TimedReader(text.encode(), deadline)
        bound, unique = check.prove(check.read_problem(reader, None), reader)
        return Fraction(bound), unique


def accepted(text, deadline):
    """Whether the checker accepts that the labels of a proof file about angles are optimal, and that no others are; neither where
    it refuses, or the time is up.
    """
    try:
        with _limits():
            reader = _TimedReader(text.encode(), deadline)
            problem = check.read_problem(reader, None)
            return problem.sphere.proved(problem, *check.prove(problem, reader))[1:]
    except (check.Refused, Expired, MemoryError):
        return False, False


def summary_bound_of(text, deadline):
    """The lower bound that the checker of summaries finds, in its units.

    Raises
    ------
    Expired
        Where the time is up.
    check.Refused
    """
    with _limits():
        reader = _TimedReader(text.encode(), deadline)
        return Fraction(check_summary.prove(check_summary.read_problem(reader), reader))


def bounds_of(text, proofs, deadline):
    """Those of several proofs for the problem of a file, None for each that is refused.

    Raises
    ------
    Expired
        Where the time is up before the last of them.
    """
    with _limits():
        problem, bounds = check.read_problem(_TimedReader(text.encode(), deadline), None), []
    for lines in proofs:
        try:
            with _limits():
                reader = _TimedReader(sealed(["CKC 1", *lines]).encode(), deadline)
                reader.size = max(reader.size, len(text))
                bounds.append(Fraction(check.prove(problem, reader)[0]))
        except check.Refused:
            bounds.append(None)
    return bounds


@contextmanager
def _limits():
    """What the checker gives up, because it takes too many steps or too much memory, it has not refused."""
    try:
        yield
    except check.Refused as refused:
        if "this takes too" in refused.args[1]:
            raise Expired from None
        raise


class _TimedReader(check.Reader):
    """Reads on only while there is time."""

    def __init__(self, content, deadline):
        super().__init__(content)
        self.deadline = deadline

    def words(self, word):
        if monotonic() >= self.deadline:
            raise Expired
        return super().words(word)

    def spend(self, steps, bits=0):
        if monotonic() >= self.deadline:
            raise Expired
        super().spend(steps, bits)
