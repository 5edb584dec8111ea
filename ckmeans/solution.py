"""What every solver returns: a clustering, its cost, a lower bound, and why the solver stopped."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .notebook import as_html
from .rationals import relative_gap
from .words import down, format_cost


@dataclass(frozen=True, eq=False)
class Solution:
    """A clustering with what is known about its quality.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int32
        Cluster of each row.
    centers : ndarray of shape (n_clusters, n_features), float64
        Center of each cluster.
    inertia : float
        Sum of weighted squared distances of the rows to their centers, in squared units of X.
    lower_bound : float
        No clustering into as many clusters costs less. 0.0 where nothing better is known.
    status : {"optimal", "bounded"}
        "optimal" only where it is proved, in exact arithmetic, that no clustering costs less.
    stop_reason : str
        "proved", "converged", "max_iter", "tol", "time_limit" or "interrupted".

    Examples
    --------
    >>> Solution(np.array([0, 0]), np.array([[0.5]]), 0.5, 0.25, "bounded", "time_limit").gap
    0.5
    """

    labels: NDArray[np.int32]
    centers: NDArray[np.float64]
    inertia: float
    lower_bound: float
    status: str
    stop_reason: str

    @property
    def gap(self) -> float:
        """(inertia - lower_bound) / inertia, rounded up: the best is at most this share of it below; 0.0 if optimal."""
        return 0.0 if self.status == "optimal" else relative_gap(self.inertia, self.lower_bound)

    def _repr_html_(self) -> str:
        sizes = np.bincount(self.labels, minlength=len(self.centers))
        facts = {
            "inertia": format_cost(self.inertia),
            "lower bound": down(self.lower_bound, 12),
            "status": f"{self.status} ({self.stop_reason})",
        }
        said = f"{len(self.centers)} clusters of {len(self.labels):,} rows: {self.status}"
        return as_html(said, {"cluster": range(len(sizes)), "rows": [f"{size:,}" for size in sizes]}, facts)


def same_partition(labels, others):
    """Whether two labelings part the rows in the same way, whatever the numbers of the clusters.

    Examples
    --------
    >>> same_partition(np.array([0, 0, 1]), np.array([2, 2, 0])), same_partition(np.array([0, 0, 1]), np.array([0, 1, 1]))
    (True, False)
    """
    pairs = np.unique([labels, others], axis=1)
    return all(len(np.unique(own)) == len(own) for own in pairs)
