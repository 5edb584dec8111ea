"""The lines of proof files (.ckc): these functions write them, `ckmeans.check` reads them, docs/proofs.md describes them.

Everything is exact: integers are in hexadecimal, fractions are two of them.
"""

import hashlib
import math
from fractions import Fraction
from itertools import chain

import numpy as np


def _hex(value):
    return f"{int(value):x}"


def line_of(word, values):
    """A line of a word and whole numbers."""
    return " ".join([word, *[f"{value:x}" for value in map(int, values)]])


def ratio_of(value):
    """A number as it is written: as a whole one, or a ratio of two."""
    value = Fraction(value)
    return _hex(value.numerator) + ("" if value.denominator == 1 else f"/{value.denominator:x}")


def trivial_proof():
    """One cluster, no more items than clusters, a cost of zero, or more items that are all apart than clusters."""
    return ["proof trivial"]


def branch_proof(i, j, together, apart):
    """Rows i and j are in one cluster, or they are not; a proof for either."""
    return [line_of("proof branch", (i, j)), *together, *apart]


def sum_proof(groups, proofs, shared=()):
    """Groups of rows, and a proof for each; every group has the `shared` rows too, with its part of their weight."""
    lines = [f"proof sum {len(groups):x}", *(line_of("group", rows) for rows in groups)]
    if len(shared):
        lines.append(line_of("shared", shared))
    return [*lines, *chain.from_iterable(proofs)]


def tree_proof(order, suffix):
    """Repetitive branch and bound: an order of the items, suffix[j] <= optimum of items order[j:], in units of 1 / unit."""
    return ["proof tree", line_of("order", order), " ".join(["suffix", *map(ratio_of, suffix)])]


def line_proof(penalty):
    """One feature: penalty >= 0 per cluster, a Fraction in units of 1 / unit and of the rows' own feature."""
    return [f"proof line penalty={ratio_of(penalty)}"]


def prices_proof(prices, most, shift):
    """Prices of the items per unit of weight, and `most` that a center earns: integers, in units of 4**-shift.

    (The square of a unit of the rows' integers is the unit where `shift` is 0.) An item that is several rows earns its
    weight times its price, less w |x - y|^2 of every row: the price has to pay for the items' own cost too.
    """
    return [f"proof prices shift={shift:x} m={most:x}", line_of("price", prices)]


def turned_proof(axes, shift, fine, prices, most):
    """The same of rows that are turned: `axes`, rows of integers. All along them is in units of 2**shift and rounded; `fine` says
    how the loss by rounding is shared out (docs/proofs.md). Prices do not pay for the items' own cost, and count squares of these units.
    """
    lines = [
        f"proof prices shift={shift:x} m={most:x}",
        line_of("turned", [fine]),
        *(line_of("axis", axis) for axis in axes),
    ]
    return [*lines, line_of("price", prices)]


def columns_proof(problem, node, rows=None):
    """The proof of a search by prices, branches included.

    Parameters
    ----------
    problem : ExactProblem
    node : tuple
        ("prices", groups, prices, level): rows of the same group are together; each group has a price per unit of its
        weight, and at no center do the groups leave more than `level`, each its weight times (price - squared distance of
        its mean). In squared units of X, and weights as they are; floats or fractions. ("branch", i, j, together, apart):
        rows i and j, a node for either case. Groups are numbered from 0.
    rows : sequence of int, optional
        The problem's number of each row that the node speaks of; None if it has the problem's numbers.
    """
    rows = range(len(problem.rows)) if rows is None else [int(row) for row in rows]
    if node[0] == "branch":
        _, i, j, *sides = node
        return branch_proof(rows[i], rows[j], *(columns_proof(problem, side, rows) for side in sides))
    _, groups, prices, level = node
    members = {}
    for row, group in sorted(zip(rows, np.asarray(groups).tolist())):
        members.setdefault(group, []).append(row)
    level = Fraction(level) * problem.unit
    shift = max(0, 64 - int(level).bit_length()) // 2
    own = [problem.own_price(inside) for inside in members.values()]
    paid = [Fraction(prices[group]) * 4**problem.scale for group in members]
    # Prices are rounded down and the level up: what is left at a center only gets less.
    prices = [math.floor((price + cost) * 4**shift) for price, cost in zip(paid, own)]
    return prices_proof(prices, math.ceil(level * 4**shift), shift)


def principal_proof(scale, tau, top):
    """The rows of V, where V V' + tau I - M has no eigenvalue below 0, or hardly; M is the scatter matrix times the total weight."""
    return [f"proof pca scale={scale:x} tau={tau:x}", *(line_of("V", row) for row in top)]


def semidefinite_proof(scale, shift, tau, mu, top, below, cuts):
    """Multipliers of the semidefinite relaxation, integers in units of 4**-scale; docs/proofs.md tells what they are for.

    top: k - 1 vectors v, in units of 2**-scale. below: for each item i its N[i, j], j < i; cuts: i, j, h and its multiplier.
    Both in units of 2**shift * 4**-scale.
    """
    lines = [
        f"proof sdp scale={scale:x} shift={shift:x} tau={tau:x}",
        line_of("mu", mu),
        *(line_of("V", v) for v in top),
    ]
    return [*lines, *(line_of("N", row) for row in below), *(line_of("cut", cut) for cut in cuts)]


def header(problem, n_clusters, with_rows=True):
    """The first lines of a proof file."""
    if problem.metric == "cosine":
        lines = header(problem.given, n_clusters, with_rows)
        lines[1] = lines[1].replace("sse", "cosine")
        scales = f"scale={problem.scale:x} masses={problem.finer:x}"
        return [*lines, f"sphere {scales}", line_of("M", problem.sample_weights)]
    data = [problem.X] if problem.sample_weight is None else [problem.X, problem.sample_weight]
    sha = hashlib.sha256(b"".join(part.astype("<f8").tobytes() for part in data)).hexdigest()
    n, d, weighted = map(_hex, (len(problem.X), problem.n_features, problem.sample_weight is not None))
    lines = [
        "CKC 1",
        f"problem sse n={n} d={d} k={n_clusters:x} weights={weighted}",
        f"data sha256={sha} scale={problem.scale:x}",
    ]
    if with_rows:
        lines += [line_of("X", row) for row in problem.samples]
    if problem.sample_weight is not None:
        lines += [f"weights scale={problem.weight_scale:x}", line_of("W", problem.sample_weights)]
    return lines


def proof_text(
    problem, n_clusters, labels, status, proof, lower=None, with_rows=True, cost=None, closed=None
):
    """The text of a proof file.

    Parameters
    ----------
    problem : ExactProblem
    n_clusters : int
    labels : sequence of int, one for each sample
    status : {"bounded", "optimal", "optimal-unique"}
    proof : list of str
        From the functions above.
    lower : Fraction, optional
        The lower bound that is claimed where the status is "bounded", in squared units of X.
    with_rows : bool
        Whether the rows go into the file; if not, the checker needs the data beside it.
    cost : Fraction, optional
        What the labels cost at most, for a problem of angles.
    closed : sequence of int, optional
        What all others cost more than, and labels, one for each sample, that the proof shows to be the best ones of the problem of
        squared distances by which it proves one of angles.
    """
    angles = problem.metric == "cosine"
    unit = 1 << problem.given.weight_scale if angles else problem.unit
    value = ratio_of((cost if angles else problem.cost(labels)) * unit)
    claim = f"claim {status} value={value}"
    if status == "bounded":
        claim = f"claim bounded lower={ratio_of(lower * unit)} value={value}"
    closing = [] if closed is None else [line_of("closed", closed)]
    return sealed(
        [*header(problem, n_clusters, with_rows), line_of("labels", labels), *closing, claim, *proof]
    )


def sealed(lines):
    """Lines with the last one, which tells their number and their sha256."""
    body = "".join(line + "\n" for line in lines)
    return f"{body}end lines={len(lines):x} sha256={hashlib.sha256(body.encode()).hexdigest()}\n"
