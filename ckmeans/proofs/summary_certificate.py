"""Certificates of clusterings of rows that are gone: the price bound of their summary, with a proof file."""

import os
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arithmetic import usual
from ..blocks.cell_sums import CellSums, whole_numbers
from ..blocks.summary import Summary
from ..check import Refused
from ..exact.cell_bundle import best_prices
from ..files import write_whole
from ..rationals import float_up
from ..validation import check_labels, check_matrix, check_n_clusters
from ..words import at_most_above
from ..workers import Expired
from .asking import summary_bound_of
from .certificate import Bounded
from .instance import Deadline
from .proof_lines import line_of, ratio_of, sealed

# A search over all centers in whole numbers takes long with more features: the boxes are cut along one after the other.
MOST_FEATURES = 4
# Binary digits of the greatest price, at least.
DIGITS = 48
# Shares of the cost of a cluster that are added to what a center earns at most, one after the other, where rounding was too coarse for the checker.
MORE = 0, 1e-7, 1e-5, 1e-3
# Seconds that the checker takes for a feature of a cell of a box, and some more to be sure: 3 us with two features, on a busy machine 4.4. With
# 8e-6 searches ended too soon: a gap of 0.55 % in place of 0.19 (a million rows, 16,149 cells, ten clusters, 120 s).
CHECKING = 5e-6
# Share of the time that the checker may take, and cells of boxes that it looks at without a limit.
SHARE, MOST_LOOKED = 0.25, 1e7
# Share of the time for the prices of the means.
FIRST = 0.3


@usual
@dataclass(frozen=True, eq=False, repr=False)
class SummaryCertificate(Bounded):
    """What is known about a clustering of the rows that a summary has seen: its exact cost, and a lower bound for all others.

    The bound is for all clusterings of the rows themselves, which may part the rows of a cell.

    Attributes
    ----------
    cells : CellSums
        The cells, in whole numbers.
    n_rows : int
        Rows seen.
    n_clusters : int
        The bound holds for all clusterings into at most this many clusters.
    labels : ndarray of shape (n_cells,), int32
        The clustering: each cell is given whole to a cluster.
    exact_inertia, exact_lower_bound : Fraction
        The cost of all rows with the means of their clusters, and the lower bound, in squared units of the rows.
    status : {"bounded"}
    stop_reason : str
        "time_limit", "unresolved" where no better prices were found, "interrupted", or "unchecked" where the checker gave up.
    method : {"prices", "none"}
    proof : list of str
        The lines of the proof; none where there was no time to find one.
    checked : bool
        Whether the checker, `ckmeans.check_summary`, has accepted the proof.

    Examples
    --------
    >>> import numpy as np
    >>> from ckmeans import KMeans, certify, summarize
    >>> X = np.repeat([[0.0], [1.0], [5.0], [7.0]], 25, axis=0)
    >>> summary = summarize([X[::2], X[1::2]])
    >>> certificate = certify(summary, KMeans(2, random_state=0).fit(summary))
    >>> certificate.inertia, certificate.gap < 0.001, certificate.checked
    (62.5, True, True)
    """

    cells: CellSums
    n_rows: int
    n_clusters: int
    labels: NDArray[np.int32]
    exact_inertia: Fraction
    exact_lower_bound: Fraction
    stop_reason: str
    method: str
    proof: list[str] = field(default_factory=list)
    checked: bool = False
    status: str = "bounded"

    @property
    def verdict(self) -> str:
        """What is known, in words."""
        claim = at_most_above(self.exact_inertia, self.exact_lower_bound)
        return f"{claim}: proved" if self.checked and self.proof else claim

    def text(self, rows: NDArray[np.intp] | None = None) -> str:
        """The text of the proof file, with the cell of each row if it is to be checked against the rows."""
        return sealed(_lines(self, rows))

    def save(
        self,
        path: str | os.PathLike[str],
        X: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        summary: Summary | None = None,
    ) -> None:
        """Write the proof file, whole or not at all: ``python -m ckmeans.check_summary PATH`` checks it.

        Parameters
        ----------
        path : str or Path
        X : array-like of shape (n_samples, n_features), optional
            All rows, where they are at hand after all: the file then tells in which cell each of them is, and
            ``python -m ckmeans.check_summary PATH DATA [WEIGHTS]`` checks that the summary is of DATA.
        sample_weight : array-like of shape (n_samples,), optional
        summary : Summary, optional
            With X: the summary, which has to be one of given seeds. Only these tell where a row went.

        Raises
        ------
        ValueError
            Where there is no proof, or the summary is not of these rows.
        """
        if not self.proof:
            raise ValueError("There is no proof to be saved: certify with more time.")
        rows = None if X is None else _cells_of(self, summary, check_matrix(X), sample_weight)
        write_whole(path, self.text(rows).encode("ascii"))

    def __str__(self) -> str:
        return (
            f"{self.n_clusters} clusters of {self.n_rows} rows in {len(self.labels)} cells, inertia {self.inertia:.6g}:"
            f" {self.verdict}"
        )


def certify_summary(
    summary: Summary,
    clustering: Any,
    n_clusters: int | None,
    time_limit: float | None,
    progress: Any = None,
) -> SummaryCertificate:
    """`certify` of a summary; arguments but the clustering are taken as checked.

    Parameters
    ----------
    clustering : KMeans fitted to the summary, or array-like of shape (n_cells,)

    Raises
    ------
    ValueError, TypeError
        For labels that are not one for each cell, and more than MOST_FEATURES features.
    """
    deadline = Deadline(time_limit)
    sums, cells = summary.exact_cells, summary.cells
    labels = getattr(clustering, "labels_", clustering)
    n_clusters = getattr(clustering, "n_clusters", None) if n_clusters is None else n_clusters
    labels, n_clusters = check_labels(labels, len(cells.weights), n_clusters)
    n_clusters = check_n_clusters(n_clusters, len(cells.weights))
    if cells.means.shape[1] > MOST_FEATURES:
        raise ValueError(
            f"The summary has {cells.means.shape[1]} features, and the bound of a summary is for at most {MOST_FEATURES}: certify"
            " rows of a few of them, or the rows themselves."
        )
    cost = sums.cost(labels)
    reason, best, a_cell = "unresolved", None, CHECKING * cells.means.shape[1]
    # The best prices leave the checker the time that it needs: it looks at about as many cells as the search did.
    seconds = deadline.seconds_for(FIRST)
    most_looked = MOST_LOOKED if time_limit is None else SHARE * time_limit / a_cell
    try:
        for best in best_prices(
            cells, n_clusters, labels, float_up(cost), deadline.check, seconds, most_looked
        ):
            if progress is not None:
                progress("prices", float_up(cost), best[2])
    except Expired:
        reason = "time_limit"
    except KeyboardInterrupt:
        reason = "interrupted"
    known = SummaryCertificate(sums, summary.n_rows, n_clusters, labels, cost, Fraction(0), reason, "none")
    if best is None:
        return known
    try:
        return _checked(known, *best[:2], deadline)
    except (Expired, Refused):
        return replace(known, stop_reason="unchecked")
    except KeyboardInterrupt:
        return replace(known, stop_reason="interrupted")


def _checked(known, prices, most, deadline):
    """The certificate with a proof that the checker has accepted.

    Raises
    ------
    Expired, Refused
    """
    cells, k = known.cells, known.n_clusters
    size = (Fraction(float(prices.max())) * 4**cells.scale).__floor__().bit_length()
    shift = max(0, DIGITS + 1 - size) // 2
    fine = 4 ** (cells.scale + shift)
    whole = [floor(Fraction(price) * fine) for price in prices.tolist()]
    paid = sum(w * price for w, price in zip(cells.weights.tolist(), whole))
    for more in MORE:
        level = Fraction(float(most)) + Fraction(more) * known.exact_inertia / k
        level = ceil(level * fine * 2**cells.weight_scale)
        bound = max(Fraction(0), Fraction(paid - k * level, cells.unit * 4**shift))
        proof = [f"proof prices shift={shift:x} m={level:x}", line_of("price", whole)]
        claimed = replace(known, exact_lower_bound=bound, method="prices", proof=proof, checked=True)
        try:
            if summary_bound_of(claimed.text(), deadline.end) >= bound * cells.unit:
                return claimed
        except Refused:
            if more == MORE[-1]:
                raise
    return known


def _lines(certificate, rows=None):
    """The lines of the file; ckmeans/check_summary.py reads them, docs/summary.md tells of them."""
    cells, scale = certificate.cells, certificate.cells.scale
    n, d = cells.sums.shape
    lines = [
        "CKC 1",
        f"problem summary n={certificate.n_rows:x} d={d:x} k={certificate.n_clusters:x} cells={n:x}",
        f"data scale={scale:x} weights={cells.weight_scale:x}",
    ]
    boxes = [whole_numbers(values, scale)[0].tolist() for values in (cells.lower, cells.upper)]
    parts = cells.weights.tolist(), cells.sums.tolist(), cells.squares.tolist(), *boxes
    lines += [line_of("cell", (w, *sums, square, *low, *high)) for w, sums, square, low, high in zip(*parts)]
    if rows is not None:
        lines.append(line_of("rows", rows))
    value, lower = (
        ratio_of(cost * cells.unit) for cost in (certificate.exact_inertia, certificate.exact_lower_bound)
    )
    return [
        *lines,
        line_of("labels", certificate.labels),
        f"claim bounded lower={lower} value={value}",
        *certificate.proof,
    ]


def _cells_of(certificate, summary, X, sample_weight):
    """The cell of each row, of a summary with seeds that are given; it is looked at whether the cells are of these rows."""
    if not isinstance(summary, Summary) or not summary.fixed:
        raise ValueError(
            "which cell a row is in is known of summaries with given seeds only: make one of these rows, Summary(seeds=summary.seeds), and"
            " certify that."
        )
    again = Summary(seeds=summary.seeds, n_threads=summary.n_threads).partial_fit(X, sample_weight)
    cells, own = certificate.cells, again.exact_cells
    same = (
        own.sums.shape == cells.sums.shape
        and again.n_rows == certificate.n_rows
        and own.cost(np.arange(len(own.weights))) == cells.cost(np.arange(len(cells.weights)))
    )
    if not same:
        raise ValueError(
            "The summary that was certified is not of these rows: give all of them, with their weights."
        )
    return np.maximum(again.cells_of(X), 0)  # rows without weight may be said to be in any
