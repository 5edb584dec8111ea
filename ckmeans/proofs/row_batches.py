"""Rows of a block source, dealt out to groups that each look like the whole: what the optima of the groups add up to is a lower bound.

Rows go to batches at random, by their index alone: the batches are the same for any blocks, and files that are sorted do no harm. A
batch fits into memory, and is dealt out to groups there (anticlusters.py).
"""

import math
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..blocks.parts import LabelsOf
from ..check import Refused
from ..exact.anticlusters import anticlusters
from ..rationals import ExactRows, float_down
from ..workers import Expired
from .asking import bound_of
from .instance import FEW_AXES, many_axes
from .portfolio import prove
from .problem import ExactProblem
from .proof_folder import bound_before, dealt_before
from .proof_lines import trivial_proof

# Rows in a batch, and for each cluster. A random batch lacks about 1 / (rows for a cluster) of the optimum: of blobs-100000x2, groups of 2,500
# rows left 0.13 to 0.18 % in batches of 20,000 rows, 0.07 % in one of 100,000.
BATCH, BATCH_OF = 100_000, 500
# Rows in a group for each cluster, and the least and the most of them: where a group gets the semidefinite bound, and where it gets
# prices. Of ten clusters of blobs-20000x8 (benchmarks/proved.py), with some 4 ms of a processor for each row, groups of 100 rows left a
# gap of 1.4 %, of 150 one of 1.2 %, and groups of 200 had too little time. Of blobs-100000x2 groups of 600 rows left 0.50 % and took
# 1.1 ms a row, of 2,500 rows 0.18 % and 0.7 ms. Where groups are drawn, more small ones are better than a few.
MATRIX = 15, 60, 400
PRICED = 250, 500, 2500
PRICED_DRAWN = 60, 200, 1200
# The same where a group has one feature, and the bound is the optimum.
LINE = 500, 20_000, 50_000
LINE_DRAWN = 100, 1000, 5000
# Relative gap at which the bound of a group ends, at least: the groups together are further from the optimum anyway.
ENOUGH = {"sdp": 1e-3, "prices": 3e-4, "line": 0.0}


class Batch(NamedTuple):
    """Some rows: their indices among all, what they hold, weights or None, and labels."""

    rows: np.ndarray
    X: np.ndarray
    weights: np.ndarray | None
    labels: np.ndarray


def batches_of(first, n, n_batches):
    """The batch of each of n rows, the first of which has that index: drawn by SplitMix64 (Steele, Lea & Flood 2014,
    "Fast splittable pseudorandom number generators", OOPSLA, doi:10.1145/2660193.2660195, figure 17).

    Examples
    --------
    >>> batches_of(0, 6, 3).tolist() == [*batches_of(0, 2, 3), *batches_of(2, 4, 3)]
    True
    """
    z = (np.arange(first, first + n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z >> np.uint64(33)) * np.uint64(n_batches) >> np.uint64(31)).astype(np.intp)


def group_size(n_clusters, n_features, drawn=False):
    """Rows of a group, about; of one that gets prices where they have at most FEW_AXES features."""
    line, priced = (LINE_DRAWN, PRICED_DRAWN) if drawn else (LINE, PRICED)
    each, least, most = line if n_features == 1 else priced if n_features <= FEW_AXES else MATRIX
    return max(min(max(each * n_clusters, least), most), n_clusters + 1)


def batch_size(n_clusters):
    """Rows of a batch, about."""
    return max(BATCH, BATCH_OF * n_clusters)


def asked(source, question, labels, *args):
    """The answers of all parts to a question about their rows and labels: an array of all labels, or LabelsOf."""
    lazy = isinstance(labels, LabelsOf)
    own = {
        number: (labels if lazy else labels[start:stop],)
        for number, (start, stop) in enumerate(source.bounds)
    }
    return source.ask(question, *args, own=own)


def batches(source, labels, weighted, n_batches, wanted):
    """Some batches: a dict by their numbers, which ascend."""
    answers = asked(source, _some_rows, labels, weighted, n_batches, np.asarray(wanted))
    at, rows, X, weights, own = (
        None if columns[0] is None else np.concatenate(columns) for columns in zip(*answers)
    )
    order = np.argsort(at, kind="stable")
    parts = np.split(order, np.searchsorted(at[order], wanted, side="right")[:-1])
    return {
        number: Batch(rows[part], X[part], None if weights is None else weights[part], own[part])
        for number, part in zip(wanted, parts)
    }


# ---- questions to parts (blocks/parts.py) ----


def _some_rows(part, labels, weighted, n_batches, wanted):
    at = batches_of(part.first, len(part.X), n_batches)
    some = np.flatnonzero(np.isin(at, wanted))
    weights = part.weights[some] if weighted else None
    return at[some], part.first + some, part.X[some].astype(np.float64), weights, _labels(part, labels)[some]


def costs_of_batches(part, labels, weighted, centers, n_batches):
    """What the rows of each batch cost with the centers of their labels."""
    at, weights = batches_of(part.first, len(part.X), n_batches), part.weights if weighted else None
    return np.bincount(at, _costs(part.X, weights, _labels(part, labels), centers), n_batches)


def moments(part, labels, weighted):
    """Rows that have weight; of each cluster the exact weight and sums, and the exact sum of all squares: see `ExactRows.moments`."""
    weights = part.weights if weighted else None
    n_heavy = len(part.X) if weights is None else np.count_nonzero(weights)
    return n_heavy, *ExactRows(part.X, weights).moments(_labels(part, labels))


def _labels(part, labels):
    return part.labels_as_array(labels) if isinstance(labels, LabelsOf) else labels


def _costs(X, weights, labels, centers):
    costs = np.empty(len(X))
    for start in range(0, len(X), 1 << 14):
        some = slice(start, start + (1 << 14))
        costs[some] = ((X[some] - centers[labels[some]]) ** 2).sum(axis=1)
    return costs if weights is None else costs * weights


# ---- calls (blocks/crew.py) ----


def deal(X, weights, labels, n_clusters, centers=None, seconds=None, before=None):
    """How a batch is dealt out, or was before: name and content of the file that tells it.

    Returns
    -------
    method : {"line", "prices", "sdp"}
        Which bound its groups get.
    groups : list of ndarray
        Rows of the batch; every row is in one.
    costs : ndarray of shape (n_groups,) or None
        What each costs with these centers.
    """
    heavy = np.arange(len(X)) if weights is None else np.flatnonzero(weights > 0)
    method = "line" if X.shape[1] == 1 else "sdp" if many_axes(X) else "prices"
    size = group_size(n_clusters, 2 if method == "prices" else X.shape[1], centers is not None)
    n_groups = max(1, min(round(len(heavy) / size), len(heavy) // (n_clusters + 1)))
    if n_clusters == 1 or n_groups == 1:
        groups = [np.arange(len(X))]
    elif before is not None:
        groups = dealt_before(*before, np.isin(np.arange(len(X)), heavy), n_groups)
    else:
        groups = [heavy[own] for own in anticlusters(X[heavy], labels[heavy], n_groups, seconds)]
        light = np.setdiff1d(np.arange(len(X)), heavy)
        groups[0] = np.sort(np.append(groups[0], light))
    if centers is None:
        return method, groups, None
    costs = _costs(X, weights, labels, centers)
    return method, groups, np.array([costs[own].sum() for own in groups])


def bound(X, weights, labels, n_clusters, method, seconds, gap, with_text, before=None):
    """The lower bound of a group that the checker has accepted, 0 where there is none, and its proof file or None.

    The checker has the time it needs, beyond these seconds too: without it what was found is lost. If the file of a run before, of which
    the name and the content are given, has a bound above 0, then that is it, when the checker has accepted it again.
    """
    if before is not None:
        lower = bound_before(*before, ExactProblem(X, weights), n_clusters, labels.tolist())
        if lower > 0:
            return Fraction(float_down(lower)), before[1]
    found = prove(
        X,
        n_clusters,
        sample_weight=weights,
        labels=labels,
        time_limit=seconds,
        gap=max(gap, ENOUGH[method]),
        rng=0,
        n_threads=1,
        methods=dict.fromkeys(("trivial", "line", method)),
    )
    lower = found.exact_lower_bound
    if not found.checked and lower:
        with suppress(Refused, Expired):
            lower = min(lower, bound_of(found.text(), math.inf)[0] / found.problem.unit)
            found = replace(found, exact_lower_bound=lower, checked=True)
    if not found.checked:  # a bound of 0 needs no proof
        found = replace(found, exact_lower_bound=Fraction(0), status="bounded", proof=trivial_proof())
    lower = Fraction(float_down(found.exact_lower_bound))  # sums of many fractions would get very long
    return lower, found.text().encode("ascii") if with_text else None
