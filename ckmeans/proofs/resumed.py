"""What a checkpoint says (checkpoint.py): its form is checked here, and nothing in it is more than a hint of where to go on.

Anyone can write such a file. So the costs of its labels are computed again, its bounds and claims are candidates until the checker
has accepted them, and what methods had not finished is proved again by them.
"""

from fractions import Fraction

import numpy as np

from ..exact import nodes
from .dealing import Groups
from .methods import METHODS, Evidence


def check_known(known, instance):
    """Refuse what `Portfolio.known` would not have given.

    Raises
    ------
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError
    """
    _labels(known["labels"], len(instance.X), instance.n_clusters)
    done, inner = known["done"], known["inner"]
    _refuse_if(not isinstance(done, list) or not isinstance(inner, dict), "no methods")
    _refuse_if(known["method"] not in METHODS or not set(done) <= set(METHODS), "no such method")
    _evidence(known["best"])
    if known["claim"] is not None:
        _evidence(known["claim"])
        _refuse_if(known["claimed by"] not in METHODS, "no such method")
    _refuse_if(not set(inner) <= {"prices", "sum"}, "no such method")
    if "prices" in inner:
        samples = instance.samples_of(instance.heavy_rows())
        _labels(inner["prices"]["labels"], len(samples), instance.n_clusters)
        row_of, weighted = np.full(len(samples), -1), instance.row_of[samples] >= 0
        row_of[weighted] = np.unique(instance.row_of[samples][weighted], return_inverse=True)[1]
        nodes.read(inner["prices"]["nodes"], row_of)
    if "sum" in inner:
        _groups(inner["sum"]["groups"], inner["sum"]["shared"], instance.n_rows)


def from_dict(found):
    """As a method gives it; to be believed when the checker has accepted it."""
    return Evidence(found["proof"], found["lower"], None, found["optimal"])


def to_dict(evidence):
    return {"proof": evidence.proof, "lower": evidence.lower, "optimal": evidence.optimal}


def groups_proved_again(known, bounds_of):
    """Ask the checker about the groups of a file, and take back what it does not find; False where there is no time for that."""
    dealt = Groups.from_dict(known)
    parts = [part for part in dealt.parts if part.proof is not None]
    found = bounds_of(dealt.proof_of(part) for part in parts)
    for part, bound in zip(parts, found or ()):
        if bound is None or bound < part.lower or not part.lower:
            part.proof, part.lower, part.done = None, Fraction(0), False
    known |= dealt.to_dict()
    return found is not None


def _evidence(found):
    _lines(found["proof"])
    _bound(found["lower"])
    _refuse_if(type(found["optimal"]) is not bool, "neither true nor false")


def _groups(groups, shared, n_rows):
    _refuse_if(not isinstance(groups, list) or not groups, "no groups")
    taken = np.zeros(n_rows, bool)

    def take(rows):
        _refuse_if(not isinstance(rows, np.ndarray) or rows.dtype.kind != "i" or rows.ndim != 1, "no rows")
        _refuse_if((rows < 0).any() or (np.diff(rows) <= 0).any(), "rows are out of order")
        _refuse_if(taken[rows].any(), "a row in two groups")
        taken[rows] = True

    take(shared)
    for rows, proof, lower, ended in groups:
        take(rows)
        _refuse_if(not rows.size, "a group without rows")
        if proof is not None:
            _lines(proof)
        _bound(lower)
        _refuse_if(proof is None and lower, "a bound without a proof")
        _refuse_if(type(ended) is not bool, "neither true nor false")


def _labels(labels, n_samples, n_clusters):
    labels = np.asarray(labels)
    _refuse_if(labels.dtype.kind != "i", "no labels")
    fine = labels.shape == (n_samples,) and labels.min() >= 0 and labels.max() < n_clusters
    _refuse_if(not fine, "labels are out of range")


def _lines(lines):
    fine = isinstance(lines, list) and lines and all(type(line) is str and line.isascii() for line in lines)
    _refuse_if(not fine or any("\n" in line for line in lines), "no lines of a proof")


def _bound(lower):
    _refuse_if(not isinstance(lower, Fraction) or lower < 0, "no lower bound")


def _refuse_if(condition, reason):
    if condition:
        raise ValueError(reason)
