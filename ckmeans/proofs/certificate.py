"""Certificates: what is known about a clustering, with the proof, which can be saved, loaded and checked by others."""

import os
import re
import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import check
from ..arithmetic import usual
from ..files import write_whole
from ..notebook import as_html
from ..rationals import float_down, float_up, relative_gap
from ..words import at_most_above, down, method_words
from .problem import ExactProblem
from .proof_lines import header, proof_text, sealed
from .sphere import AngleProblem


class Bounded:
    """An exact cost and an exact lower bound, as floats on the safe side."""

    exact_inertia: Fraction
    exact_lower_bound: Fraction
    status: str

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
        if self.status in ("optimal", "optimal-unique"):
            return 0.0
        return relative_gap(self.exact_inertia, self.exact_lower_bound)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


@usual
@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Bounded):
    """What is known about a clustering: its exact cost, a lower bound that no clustering is below, and the proof.

    Attributes
    ----------
    problem : ExactProblem
        The rows and weights; where the metric is "cosine" those of the squared distances that the proof is about.
    n_clusters : int
        The bound holds for all clusterings into at most this many clusters.
    labels : ndarray of shape (n_samples,), int32
        The clustering; -1 for rows of zeros that were left out, where the metric is "cosine".
    exact_inertia, exact_lower_bound : Fraction
        Its cost and the lower bound, in squared units of X. Where the metric is "cosine", the sum of weight * (1 - cosine),
        rounded up by less than 1e-20 of the weights, and a bound for that, which stays below it where it is optimal too.
    status : {"optimal-unique", "optimal", "bounded"}
        "optimal-unique" if every other partition (of the samples with weight) costs more. Of a loaded file what the file claims.
    stop_reason : str
        Why the search ended: "proved"; "gap", closed by a bound that the checker has accepted; "time_limit"; "interrupted";
        "memory_limit", when a method had not enough; "unchecked", when the checker gave up a proof; "unresolved", when all
        methods have ended. "loaded" of one that was read from a file.
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
    closed : list of int, or None
        Where the metric is "cosine" and the proof is one of optimality for its squared distances: what all other clusterings cost
        more than, in the units of `problem`, and the labels that are optimal.

    Examples
    --------
    >>> from ckmeans.proofs.problem import ExactProblem
    >>> from ckmeans.proofs.proof_lines import line_proof
    >>> problem = ExactProblem(np.array([[0.0], [1.0], [5.0], [6.5]]))
    >>> labels = np.array([0, 0, 1, 1])
    >>> cost, proof = problem.cost(labels), line_proof(8 * problem.unit)
    >>> certificate = Certificate(problem, 2, labels, cost, cost, "optimal", "proved", "line", proof)
    >>> print(certificate)
    2 clusters of 4 rows, inertia 1.625: optimal: proved by dynamic programming
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
    closed: list[int] | None = None

    @property
    def metric(self) -> str:
        """What the inertia is a sum of: "euclidean", squared distances to the means, or "cosine", 1 - cosine of the angles."""
        return self.problem.metric

    @property
    def better_labels(self) -> NDArray[np.int32] | None:
        """The labels of the better clustering, None if none was found."""
        return None if self.better is None else self.better.labels

    def text(self, with_rows: bool = True) -> str:
        """The text of the proof file. Without the rows it is short, and to check it takes the data."""
        labels = np.maximum(self.labels, 0).tolist()
        return proof_text(
            self.problem,
            self.n_clusters,
            labels,
            self.status,
            self.proof,
            self.exact_lower_bound,
            with_rows,
            self.exact_inertia,
            self.closed,
        )

    def save(self, path: str | os.PathLike[str], with_rows: bool = True) -> None:
        """Write the proof file, whole or not at all: `python -m ckmeans.check PATH` checks it, if without the rows then with the data."""
        write_whole(path, self.text(with_rows).encode("ascii"))

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
                lines[3:3] = header(ExactProblem(X), 1)[3:]
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
        rows = found.problem.given if found.metric == "cosine" else found.problem
        own = rows.sample_weight
        if not alone and not rows.is_of(X, own):  # but for a power of two
            raise ValueError(f"{path} is for other data: give the rows that it is for, bit for bit.")
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
        sphere = problem.sphere
        least = problem.U if sphere is None else sphere.cost()
        wrong = (
            problem.value < least or problem.value > least and sphere is None or problem.lower > problem.value
        )
        check.refuse_if(wrong, "the labels do not cost what is claimed")
        method = (lines[at : at + 1] or [""])[0].removeprefix("proof ").split(" ")[0]
        check.refuse_if(
            method not in {*check.KINDS, "branch", "sum"}, "there is no proof in it", check.MALFORMED
        )
        scale = dict(re.findall(r"(\w+)=(\S+)", lines[2]))["scale"]
        X = np.array([_fractions(line, scale) for line in lines[:at] if line.startswith("X ")])
        scales = [line.partition("=")[2] for line in lines[:at] if line.startswith("weights ")]
        weights = [_fractions(line, scales[0]) for line in lines[:at] if line.startswith("W ")]
        labels, *closed = (
            [int(label, 16) for label in line.split(" ")[1:]]
            for line in lines[:at]
            if line.startswith(("labels ", "closed "))
        )
        labels = np.array(labels, np.int32)
        cost, lower = (Fraction(value) / problem.unit for value in (problem.value, problem.lower))
        own = ExactProblem(X, np.array(weights[0]) if weights else None)
        if sphere is not None:
            unit = 1 << own.weight_scale + sphere.finer
            masses = np.array([float(Fraction(mass, unit)) for mass in sphere.masses])
            own = AngleProblem(own, masses, sphere.scale, sphere.finer)
            exact = own.sample_weights == sphere.masses and own.samples == sphere.rows
            check.refuse_if(not exact, "its masses or its grid are finer than floats are", check.MALFORMED)
            labels = np.where(own.given.X.any(axis=1), labels, -1).astype(np.int32)
        known = cls(own, problem.k, labels, cost, lower, problem.status, "loaded", method, lines[at:])
        return replace(known, closed=closed[0]) if closed else known

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
        n, by = len(self.problem.place), method_words(self.method)
        by = f" by {by}" if self._accepted else f" ({by})" * (self.exact_lower_bound > 0)
        name = "inertia by angle" if self.metric == "cosine" else "inertia"
        said = f"{self.n_clusters} clusters of {n} rows, {name} {self.inertia:.6g}: {self.verdict}{by}"
        if self.better is None:
            return said
        return (
            f"{said}; a better clustering was found, inertia {self.better.inertia:.6g}: {self.better.verdict}"
        )

    def _repr_html_(self) -> str:
        facts = {
            "inertia": f"{self.inertia:.10g}{' by angle (1 - cosine)' if self.metric == 'cosine' else ''}",
            "lower bound": down(self.exact_lower_bound, 10),
            "clusters": self.n_clusters,
            "rows": f"{len(self.problem.place):,}",
            "proof": method_words(self.method),
            "better": "" if self.better is None else str(self.better),
            "seconds": ", ".join(
                f"{method_words(method)} {took:.2f}" for method, took in self.seconds.items()
            ),
        }
        return as_html(self.verdict, facts=facts)


def _fractions(line, scale):
    return [float(Fraction(int(token, 16), 1 << int(scale, 16))) for token in line.split(" ")[1:]]
