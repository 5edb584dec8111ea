"""What is known about each number of clusters (choosing.py finds it), and the table of it."""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..notebook import as_html
from ..proofs.certificate import Certificate
from ..words import above_best, percent_up


class Criterion(NamedTuple):
    """How a criterion is shown, how it chooses, and what it asks."""

    head: str  # of its column, a line for each word
    digits: int
    better: Literal["high", "low", "first"]
    title: str
    asks: str


CRITERIA = {
    "gap": Criterion(
        "gap",
        3,
        "first",
        "gap statistic",
        "how much tighter the clusters are than those of rows spread evenly",
    ),
    "silhouette": Criterion(
        "silhouette",
        3,
        "high",
        "silhouette",
        "how much nearer rows are to their own cluster than to the next",
    ),
    "simplified_silhouette": Criterion(
        "silhouette (centers)", 3, "high", "silhouette (centers)", "the same, by distances to centers"
    ),
    "calinski_harabasz": Criterion(
        "Calinski- Harabasz",
        1,
        "high",
        "Calinski-Harabasz",
        "how far clusters are apart, against how wide they are",
    ),
    "davies_bouldin": Criterion(
        "Davies- Bouldin",
        3,
        "low",
        "Davies-Bouldin",
        "how wide neighboring clusters are, against how far apart",
    ),
    "bic": Criterion(
        "BIC",
        1,
        "low",
        "information criterion (BIC)",
        "how likely the rows are, with a price on each cluster",
    ),
    "pham": Criterion(
        "f(K)",
        3,
        "low",
        "distortion ratio f(K)",
        "what one more cluster brings, against rows without clusters",
    ),
    "stability": Criterion(
        "stability", 3, "high", "stability", "how alike the clusters of resampled rows are"
    ),
}
LEGEND = """\
* what a criterion suggests: the highest value; of Davies-Bouldin, BIC and f(K) the lowest;
  of gap the first that the next does not beat by a standard error."""

CERTIFIED = """\
above the best: how far the inertia is, at most, above the best possible one; proved, but for what has a "?":
  a bound that the checker has not yet seen."""


@dataclass(frozen=True, eq=False, repr=False)
class ChoiceOfK:
    """What each criterion says about each number of clusters. `print` shows the table.

    Attributes
    ----------
    n_clusters : ndarray of shape (n_tried,), int
        The numbers of clusters, increasing.
    inertia : ndarray of shape (n_tried,), float64
        Of the best clustering found for each.
    criteria : dict of str to ndarray of shape (n_tried,), float64
        The values of "gap", "silhouette", "simplified_silhouette", "calinski_harabasz", "davies_bouldin", "bic", "pham" and
        "stability"; NaN where one is not defined or was not reached, infinite where all rows lie on fewer centers than rows.
    suggested : dict of str to int
        The number of clusters that each criterion is for; one that is for none is not in it.
    spread : dict of str to ndarray of shape (n_tried,), float64
        Of "gap" the standard error of the rule of Tibshirani et al., of "stability" the standard deviation.
    labels : dict of int to ndarray of shape (n_samples,), int32
        The clusterings that were judged.
    certified : dict of int to Certificate
        Where asked: how far the clustering is, at most, above the best possible one, and the proof.
    stop_reason : {"complete", "time_limit", "interrupted"}
    notes : tuple of str
        What has to be known to read the table.

    Examples
    --------
    >>> from ckmeans import choose_k
    >>> choice = choose_k([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]], [2, 3], random_state=0)
    >>> choice.n_clusters, choice.inertia
    (array([2, 3]), array([4. , 2.5]))
    >>> choice.suggested["silhouette"]
    2
    """

    n_clusters: NDArray[np.int64]
    inertia: NDArray[np.float64]
    criteria: dict[str, NDArray[np.float64]]
    suggested: dict[str, int]
    spread: dict[str, NDArray[np.float64]]
    labels: dict[int, NDArray[np.int32]]
    certified: dict[int, Certificate] = field(default_factory=dict)
    stop_reason: str = "complete"
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Which criteria are for which number of clusters, in a sentence."""
        if not self.suggested:
            return "No criterion suggests a number of clusters."
        by_k: dict[int, list[str]] = {}
        for name, k in self.suggested.items():
            by_k.setdefault(k, []).append(CRITERIA[name].title)
        if len(by_k) == 1:
            return f"All {len(self.suggested)} criteria that suggest a number suggest {next(iter(by_k))}."
        said = "; ".join(f"{k} by {', '.join(names)}" for k, names in sorted(by_k.items()))
        return f"The criteria disagree: {said}."

    def __str__(self) -> str:
        columns = [["", "k", *map(str, self.n_clusters)], _column("inertia", self.inertia, 6)]
        for name, values in self.criteria.items():
            head, digits, *_ = CRITERIA[name]
            columns.append(_column(head, values, digits, self.n_clusters == self.suggested.get(name)))
        if self.certified:
            cells = [_above(self.certified.get(k)) for k in self.n_clusters.tolist()]
            columns.append(["above the best", "at most", *cells])
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() for row in zip(*columns)
        ]
        lines += ["", LEGEND, *([CERTIFIED] if self.certified else []), self.verdict]
        return "\n".join([*lines, *self.notes])

    def _repr_html_(self) -> str:
        columns, marked = {"k": self.n_clusters, "inertia": [f"{value:.6g}" for value in self.inertia]}, []
        for name, values in self.criteria.items():
            head = CRITERIA[name].title
            columns[head] = [_number(value, CRITERIA[name].digits, False) for value in values]
            marked += [(head, int(i)) for i in np.flatnonzero(self.n_clusters == self.suggested.get(name))]
        if self.certified:
            cells = [_above(self.certified.get(k)) for k in self.n_clusters.tolist()]
            columns["above the best, at most"] = cells
        return as_html(self.verdict, columns, {"notes": " ".join(self.notes)}, marked)

    def __repr__(self) -> str:
        return f"<ChoiceOfK: {self.verdict}>"


def _column(head, values, digits, marked=None):
    """Two lines of a head, and the values; those suggested with a star."""
    marks = [""] * len(values) if marked is None else ["*" if mark else " " for mark in marked]
    cells = [_number(value, digits, marked is None) + mark for value, mark in zip(values, marks)]
    above, _, below = head.rpartition(" ")
    pad = "" if marked is None else " "
    return [above + pad * bool(above), below + pad, *cells]


def _number(value, digits, plain):
    if not math.isfinite(value):
        return "-" if math.isnan(value) else f"{value}"
    return f"{value:.{digits}g}" if plain or abs(value) >= 1e7 else f"{value:.{digits}f}"


def _above(certificate):
    """How far the clustering is above the best possible one, at most."""
    if certificate is None:
        return "-"
    if certificate.status != "bounded":
        return "optimal"
    share = above_best(certificate.exact_inertia, certificate.exact_lower_bound)
    return "any number" if share is None else percent_up(share, 2) + " ?" * (not certificate.checked)
