"""Certificates: what is known about a clustering, and the proof files (.ckc) that `ckmeans.check` reads.

The writers below turn the numbers that make up a proof into its lines; docs/proofs.md describes them. Everything is exact:
rows and weights as integers over a power of two, costs and bounds as fractions.
"""

import hashlib
import html
import math
import os
import re
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import check
from ..rationals import ExactRows, float_down, float_up, relative_gap
from ..words import at_most_above, down


def _hex(value):
    return f"{int(value):x}"


def _line(word, values):
    return " ".join([word, *map(_hex, values)])


def _ratio(value):
    value = Fraction(value)
    return _hex(value.numerator) + ("" if value.denominator == 1 else f"/{value.denominator:x}")


def _scale(values):
    """The least s >= 0 for which all values are whole in units of 2**-s."""
    sizes, exponents = np.frexp(values)
    whole = np.ldexp(sizes, 53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(float))[1] + exponents  # 54 + the exponent of the lowest bit
    return max(0, 54 - int(lowest.min(where=whole != 0, initial=54)))


def dyadic(values, scale=None):
    """Integers and the power s for which an array of floats == integers / 2**s, s >= 0 and least, or as given."""
    scale = _scale(values) if scale is None else scale
    sizes, exponents = np.frexp(np.ravel(values))
    whole, shifts = np.ldexp(sizes, 53).astype(np.int64), exponents.astype(np.int64) - 53 + scale
    whole >>= np.clip(-shifts, 0, 63)  # what is shifted out is zero
    return [x << s for x, s in zip(whole.tolist(), np.maximum(shifts, 0).tolist())], scale


class ExactProblem:
    """A clustering problem as the checker sees it: distinct rows of integers with integer weights.

    Equal rows are one row with their weights added, rows of weight zero are none; the others stay in the order in which
    they come first. Proofs name rows by that order, and count costs in units of `1 / unit`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite numbers, taken as float64.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights >= 0, not all 0; None for one each.

    Attributes
    ----------
    rows, samples : list of tuple of int
        The distinct rows, and all, in units of 2**-scale.
    first : list of int
        Of each row its first sample.
    weights : list of int
        Their weights, in units of 2**-weight_scale.
    place : list of int or None
        For each sample its row; None where it has no weight.
    unit : int
        2**(2 * scale + weight_scale).
    """

    def __init__(self, X, sample_weight=None):
        X = np.ascontiguousarray(X, np.float64)
        X = X.reshape(len(X), -1) + 0.0  # no minus zero, which would not have the bits of zero
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight, np.float64) + 0.0
        self.sample_weights, self.weight_scale = (
            ([1] * len(X), 0) if sample_weight is None else dyadic(self.sample_weight)
        )
        self.n_features, self.scale, self._X = X.shape[1], _scale(X), X
        self.unit = 1 << (2 * self.scale + self.weight_scale)
        order, self.weights, self.place, self.first = {}, [], [], []
        width, content = X.shape[1] * X.itemsize, X.tobytes()
        for i, weight in enumerate(self.sample_weights):
            at = order.setdefault(content[i * width : (i + 1) * width], len(order)) if weight else None
            self.place.append(at)
            if at is not None and at == len(self.weights):
                self.weights.append(0)
                self.first.append(i)
            if at is not None:
                self.weights[at] += weight

    def whole(self, samples):
        """Samples, given by an index for them, as tuples of integers in units of 2**-scale."""
        some = self._X[samples]
        return list(zip(*[iter(dyadic(some, self.scale)[0])] * self.n_features)) if some.size else []

    @cached_property
    def samples(self):
        return self.whole(slice(None))

    @cached_property
    def rows(self):
        return self.whole(self.first)

    def cost(self, labels):
        """The cost of labels of the samples, an exact Fraction in squared units of X."""
        return self.exact.cost(labels)

    def is_of(self, X, sample_weight=None):
        """Whether these are its rows and weights, number for number."""
        ones = np.ones(len(self._X))
        own, other = (ones if weights is None else weights for weights in (self.sample_weight, sample_weight))
        return np.array_equal(self._X, X) and np.array_equal(own, other)

    @cached_property
    def exact(self):
        return ExactRows(self._X, self.sample_weight)

    def cost_of(self, rows, labels):
        """What some rows cost with these labels, a Fraction in units of 1 / unit."""
        members = {}
        for row, label in zip(rows, labels):
            members.setdefault(label, []).append(row)
        return sum(
            (self.own_price(own) * sum(self.weights[row] for row in own) for own in members.values()),
            Fraction(0),
        )

    def own_price(self, rows):
        """What rows that are together cost per unit of weight, a Fraction in squared units of the integers."""
        if len(rows) == 1:
            return Fraction(0)
        weight = sum(self.weights[i] for i in rows)
        squares = sum(self.weights[i] * sum(x * x for x in self.rows[i]) for i in rows)
        sums = (sum(self.weights[i] * self.rows[i][f] for i in rows) for f in range(self.n_features))
        return Fraction(squares, weight) - Fraction(sum(s * s for s in sums), weight**2)

    def header(self, n_clusters, with_rows=True):
        """The first lines of a proof file."""
        data = [self._X] if self.sample_weight is None else [self._X, self.sample_weight]
        sha = hashlib.sha256(b"".join(part.astype("<f8").tobytes() for part in data)).hexdigest()
        n, d, weighted = map(_hex, (len(self._X), self.n_features, self.sample_weight is not None))
        lines = [
            "CKC 1",
            f"problem sse n={n} d={d} k={n_clusters:x} weights={weighted}",
            f"data sha256={sha} scale={self.scale:x}",
        ]
        if with_rows:
            lines += [_line("X", row) for row in self.samples]
        if self.sample_weight is not None:
            lines += [f"weights scale={self.weight_scale:x}", _line("W", self.sample_weights)]
        return lines


# ---- Proofs, as lists of lines


def trivial_proof():
    """One cluster, no more items than clusters, a cost of zero, or more items that are all apart than clusters."""
    return ["proof trivial"]


def branch_proof(i, j, together, apart):
    """Rows i and j are in one cluster, or they are not; a proof for either."""
    return [_line("proof branch", (i, j)), *together, *apart]


def sum_proof(groups, proofs):
    """Groups of rows that share none, and a proof for each."""
    groups = [_line("group", rows) for rows in groups]
    return [f"proof sum {len(groups):x}", *groups, *chain.from_iterable(proofs)]


def tree_proof(order, suffix):
    """Repetitive branch and bound: an order of the items, suffix[j] <= optimum of items order[j:], in units of 1 / unit."""
    return ["proof tree", _line("order", order), " ".join(["suffix", *map(_ratio, suffix)])]


def line_proof(penalty):
    """One feature: penalty >= 0 per cluster, a Fraction in units of 1 / unit and of the rows' own feature."""
    return [f"proof line penalty={_ratio(penalty)}"]


def prices_proof(prices, most, shift):
    """Prices of the items per unit of weight, and `most` that a center earns: integers, in units of 4**-shift.

    (The square of a unit of the rows' integers is the unit where `shift` is 0.) An item that is several rows earns its
    weight times its price, less w |x - y|^2 of every row: the price has to pay for the items' own cost too.
    """
    return [f"proof prices shift={shift:x} m={most:x}", _line("price", prices)]


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
    return [f"proof pca scale={scale:x} tau={tau:x}", *(_line("V", row) for row in top)]


def semidefinite_proof(scale, shift, tau, mu, top, below, cuts):
    """Multipliers of the semidefinite relaxation, integers in units of 4**-scale; docs/proofs.md tells what they are for.

    top: k - 1 vectors v, in units of 2**-scale. below: for each item i its N[i, j], j < i; cuts: i, j, h and its multiplier.
    Both in units of 2**shift * 4**-scale.
    """
    lines = [
        f"proof sdp scale={scale:x} shift={shift:x} tau={tau:x}",
        _line("mu", mu),
        *(_line("V", v) for v in top),
    ]
    return [*lines, *(_line("N", row) for row in below), *(_line("cut", cut) for cut in cuts)]


def proof_text(problem, n_clusters, labels, status, proof, lower=None, with_rows=True):
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
    """
    value = _ratio(problem.cost(labels) * problem.unit)
    claim = f"claim {status} value={value}"
    if status == "bounded":
        claim = f"claim bounded lower={_ratio(lower * problem.unit)} value={value}"
    lines = [*problem.header(n_clusters, with_rows), _line("labels", labels), claim, *proof]
    return sealed(lines)


def sealed(lines):
    """Lines with the last one, which tells their number and their sha256."""
    body = "".join(line + "\n" for line in lines)
    return f"{body}end lines={len(lines):x} sha256={hashlib.sha256(body.encode()).hexdigest()}\n"


# ---- What a user holds


@dataclass(frozen=True, eq=False, repr=False)
class Certificate:
    """What is known about a clustering: its exact cost, a lower bound that no clustering is below, and the proof.

    Attributes
    ----------
    problem : ExactProblem
        The rows and weights.
    n_clusters : int
        The bound holds for all clusterings into at most so many clusters.
    labels : ndarray of shape (n_samples,), int32
        The clustering.
    exact_inertia, exact_lower_bound : Fraction
        Its cost and the lower bound, in squared units of X.
    status : {"optimal-unique", "optimal", "bounded"}
        "optimal-unique" if every other partition (of the samples with weight) costs more. Of a loaded file what the file claims.
    stop_reason : str
        "proved", "gap", "time_limit", "interrupted", ...; "loaded" of one that was read from a file.
    method : str
        What gave the bound: "line", "tree", "prices", "sdp", "sum", "pca", ...
    proof : list of str
        The lines of the proof.
    seconds : dict of str to float
        How long each method took.
    better : Certificate or None
        That of a clustering of less cost, where the search for a proof found one.
    checked : bool
        Whether the checker has accepted the proof here. Only then is anything called proved. If not, it had not the time, or
        the proof was read from a file: `python -m ckmeans.check` has the time.

    Examples
    --------
    >>> problem = ExactProblem(np.array([[0.0], [1.0], [5.0], [6.5]]))
    >>> labels = np.array([0, 0, 1, 1])
    >>> cost, proof = problem.cost(labels), line_proof(8 * problem.unit)
    >>> certificate = Certificate(problem, 2, labels, cost, cost, "optimal", "proved", "line", proof)
    >>> print(certificate)
    2 clusters of 4 rows, inertia 1.625: optimal: proved by line
    >>> certificate.save("four.ckc")  # doctest: +SKIP
    """

    problem: ExactProblem
    n_clusters: int
    labels: NDArray[np.int32]
    exact_inertia: Fraction
    exact_lower_bound: Fraction
    status: str
    stop_reason: str
    method: str
    proof: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    better: "Certificate | None" = None
    checked: bool = False

    @property
    def better_labels(self) -> NDArray[np.int32] | None:
        """The labels of the better clustering, None if none was found."""
        return None if self.better is None else self.better.labels

    @property
    def inertia(self) -> float:
        """The cost as a float, rounded up."""
        return float_up(self.exact_inertia)

    @property
    def lower_bound(self) -> float:
        """The lower bound as a float, rounded down."""
        return float_down(self.exact_lower_bound)

    @property
    def gap(self) -> float:
        """(inertia - lower_bound) / inertia, rounded up: the best possible cost is at most this share of this one below it.

        How far this one is above the best possible is a share of that, and greater: `verdict` has it.
        """
        return relative_gap(self.exact_inertia, self.exact_lower_bound)

    def text(self, with_rows: bool = True) -> str:
        """The text of the proof file. Without the rows it is short, and to check it takes the data."""
        return proof_text(
            self.problem, self.n_clusters, np.asarray(self.labels).tolist(), self.status, self.proof,
            self.exact_lower_bound, with_rows,
        )  # fmt: skip

    def save(self, path: str | os.PathLike[str], with_rows: bool = True) -> None:
        """Write the proof file: `python -m ckmeans.check PATH` checks it, if without the rows then with the data."""
        Path(path).write_text(self.text(with_rows), encoding="ascii", newline="")

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], X: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Read a proof file. What it costs is computed again; the proof is not checked, and `verdict` says so: `python -m
        ckmeans.check PATH` checks it.

        Parameters
        ----------
        path : str or Path
        X, sample_weight : ndarray, optional
            The data, if the file is without the rows; weights are always in it, those given have to be the same.

        Returns
        -------
        Certificate
            With `checked` False.

        Raises
        ------
        ValueError
            For what is no proof file, was altered, or is for other data.
        """
        content = Path(path).read_bytes()
        try:
            check.Reader(content)
            lines = content.decode("ascii").split("\n")[:-2]
            alone = any(line.startswith("X ") for line in lines)
            if not alone and X is not None:
                lines[3:3] = ExactProblem(X).header(1)[3:]
            found = cls._of(lines) if alone or X is not None else None
        except check.Refused as refused:
            code, reason = refused.args
            if code == check.OTHER_DATA:
                raise ValueError(
                    f"{path} is for other data: give the rows that it is for, bit for bit."
                ) from None
            raise ValueError(
                f"{path} is no proof file, or was truncated or altered ({reason}): get it again from who wrote it."
            ) from None
        except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError, struct.error) as error:
            raise ValueError(
                f"{path} is no proof file, or X are no rows for it ({error}): get it again from who wrote it."
            ) from None
        if found is None:
            raise ValueError(f"{path} is without the rows: give X, and sample_weight if there was one.")
        own = found.problem.sample_weight
        if sample_weight is not None and (own is None or not np.array_equal(own, sample_weight)):
            raise ValueError(
                f"{path} is for other weights: give those that it is for, or none, as they are in it."
            )
        return found

    @classmethod
    def _of(cls, lines):
        """From lines with the rows among them; the checker reads all before the proof."""
        reader = check.Reader(sealed(lines).encode())
        problem, at = check.read_problem(reader, None), reader.at
        wrong = problem.value != problem.U or problem.lower > problem.U
        check.refuse_if(wrong, "the labels do not cost what is claimed")
        method = (lines[at : at + 1] or [""])[0].removeprefix("proof ").split(" ")[0]
        check.refuse_if(
            method not in {*check.KINDS, "branch", "sum"}, "there is no proof in it", check.MALFORMED
        )
        scale = dict(re.findall(r"(\w+)=(\S+)", lines[2]))["scale"]
        X = np.array([_fractions(line, scale) for line in lines[:at] if line.startswith("X ")])
        scales = [line.partition("=")[2] for line in lines[:at] if line.startswith("weights ")]
        weights = [_fractions(line, scales[0]) for line in lines[:at] if line.startswith("W ")]
        labels = np.array([int(label, 16) for label in lines[at - 2].split(" ")[1:]], np.int32)
        cost, lower = (Fraction(value) / problem.unit for value in (problem.value, problem.lower))
        own = ExactProblem(X, np.array(weights[0]) if weights else None)
        return cls(own, problem.k, labels, cost, lower, problem.status, "loaded", method, lines[at:])

    @property
    def verdict(self) -> str:
        """What is known, in words: "proved" is said of what the checker accepted, and of nothing else."""
        claim = at_most_above(self.exact_inertia, self.exact_lower_bound)
        if self.status != "bounded":
            claim = "optimal" + ", and the only clustering that is" * (self.status == "optimal-unique")
        elif self.exact_lower_bound <= 0 < self.exact_inertia:
            return claim
        if self._accepted:
            return f"{claim}: proved"
        if self.stop_reason == "loaded":
            return f"{claim}, as the proof file has it, which was not checked"
        return f"{claim}, by a bound that the checker has not yet seen"

    @property
    def _accepted(self):
        """Whether the checker accepted what is claimed: optimality is claimed for no other reason, but by a file."""
        return self.checked or self.status != "bounded" and self.stop_reason != "loaded"

    def __str__(self) -> str:
        n, by = len(self.problem.place), f"by {self.method}" if self._accepted else f"({self.method})"
        said = f"{self.n_clusters} clusters of {n} rows, inertia {self.inertia:.6g}: {self.verdict} {by}"
        if self.better is None:
            return said
        return (
            f"{said}; a better clustering was found, inertia {self.better.inertia:.6g}: {self.better.verdict}"
        )

    def __repr__(self) -> str:
        return f"<Certificate: {self}>"

    def _repr_html_(self) -> str:
        entries = {
            "inertia": f"{self.inertia:.10g}",
            "lower bound": down(self.exact_lower_bound, 10),
            "verdict": self.verdict,
            "proof": self.method,
            "better": "" if self.better is None else str(self.better),
            "seconds": ", ".join(f"{method} {took:.2f}" for method, took in self.seconds.items()),
        }
        cells = (
            f"<tr><th>{name}</th><td>{html.escape(said)}</td></tr>" for name, said in entries.items() if said
        )
        return f"<table>{''.join(cells)}</table>"


def _fractions(line, scale):
    return [float(Fraction(int(token, 16), 1 << int(scale, 16))) for token in line.split(" ")[1:]]
