"""Rows that come batch by batch and are not kept: k-means of a summary of them."""

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from ..arithmetic import usual
from ..blocks.summary import Summary
from ..interrupts import Held
from ..local.search import local_search
from ..local.sparse import rows_for
from ..validation import check_weights, check_whole
from ..workers import Workers
from .inputs import FEATURES, SEEN, adopt, check_rows, rows_to_fit

# Cells of a `partial_fit`, at least, and for each cluster: of a million rows in the plane, 50 clusters, the centers cost 0.4 % more than those
# of a fit of all rows, and a batch of 10,000 rows takes 50 ms (benchmarks/summary.py).
CELLS, CELLS_A_CLUSTER = 5000, 20


def opened_summary(X, sample_weight):
    """What there is to be clustered: the summary or None, rows, which are the means of its cells, and weights.

    Raises
    ------
    ValueError
        For a summary and weights.
    """
    if not isinstance(X, Summary):
        return None, X, sample_weight
    if sample_weight is not None:
        raise ValueError("sample_weight is given with a Summary: give the weights to its partial_fit.")
    return X, X.cells.means, X.cells.weights


def known_costs(summary, labels, centers, solution):
    """The inertia, a lower bound of all, and the status: those of the solution, or of all rows that a summary has seen."""
    if summary is None:
        return solution.inertia, solution.lower_bound, solution.status
    inertia = _nearest_float(summary.exact_cells.cost(labels, centers))
    if summary.cells.scatters.any():
        return inertia, 0.0, "bounded"
    return inertia, min(inertia, solution.lower_bound), solution.status


@usual
class PartialFit:
    """`partial_fit` for KMeans."""

    def partial_fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Take in a batch of rows, which are not kept, and cluster all that came by so far.

        A `Summary` keeps what they add up to. The clustering goes on from the last one, and is searched for anew whenever twice
        as many rows have come: there is no learning rate, no batch counts for less than another, and no cluster is lost. As
        soon as there were as many different rows as clusters, there are that many clusters. After a `fit` the first batch begins anew.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            One row is enough.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, at least 0.

        Returns
        -------
        self
            With `labels_` for the rows of this batch, `inertia_` for all rows so far (the exact cost of the cells of the summary,
            each given whole to a center), and `n_steps_`, the number of batches.

        Raises
        ------
        ValueError, TypeError
            For data or parameters out of their range; the estimator is as it was before.
        KeyboardInterrupt
            On Ctrl-C, likewise, or after the attributes were set.
        """
        self._check_algorithm()
        with Held() as held:
            seen, searched, n_steps = vars(self).get(SEEN, (None, 0, 0))
            X, features = self._batch(X, seen)
            weights = check_weights(sample_weight, len(X))
            n_clusters = check_whole("n_clusters", self.n_clusters, 1)
            if seen is None:
                seen = Summary(max(CELLS, CELLS_A_CLUSTER * n_clusters), n_threads=self.n_threads)
            seen = seen.copy().partial_fit(X, weights)
            anew = seen.n_rows >= 2 * searched
            searched = seen.n_rows if anew else searched
            solution = self._clustered(seen.cells, n_clusters, anew, held)
            held.begin()
            centers = solution.centers.astype(X.dtype)
            double = centers.astype(np.float64)
            with Workers(self.n_threads) as workers:
                labels = rows_for(X, None, workers, compared_with=double).nearest(double)
            adopt(
                self,
                features,
                cluster_centers_=centers,
                labels_=labels,
                inertia_=_nearest_float(seen.exact_cells.cost(solution.labels, double)),
                lower_bound_=0.0,
                status_="bounded",
                n_iter_=solution.n_iter,
                n_restarts_=solution.n_restarts,
                hit_rate_=solution.hit_rate,
                stop_reason_=solution.stop_reason,
                n_steps_=n_steps + 1,
                **{SEEN: (seen, searched, n_steps + 1)},
            )
        return self

    def _batch(self, X, seen):
        """The rows, checked, and what the first batch tells of the features."""
        if seen is None:
            return rows_to_fit(self, X)
        X = check_rows(self, X, reset=False)
        return X, {name: value for name, value in vars(self).items() if name in FEATURES}

    def _clustered(self, cells, n_clusters, anew, held):
        """A clustering of the cells: from the centers there are, or found anew; each a cluster where they are few."""
        n = len(cells.means)
        if n <= n_clusters:
            centers = np.concatenate([cells.means, np.repeat(cells.means[:1], n_clusters - n, axis=0)])
            return Trivial(np.arange(n, dtype=np.int32), centers)
        if anew or len(self.cluster_centers_) != n_clusters:
            return self._search(cells.means, cells.weights, held, None)
        return local_search(
            cells.means,
            n_clusters,
            sample_weight=cells.weights,
            init=self._double_centers(),
            n_init=1,
            rng=0,
            n_threads=self.n_threads,
            held=held,
        )


class Trivial(NamedTuple):
    """The clustering of so few cells that each is a cluster."""

    labels: np.ndarray
    centers: np.ndarray
    n_iter: int = 0
    n_restarts: int = 1
    hit_rate: float = 1.0
    stop_reason: str = "converged"


def _nearest_float(cost):
    """A Fraction as the nearest float, inf beyond their range."""
    try:
        return cost.numerator / cost.denominator
    except OverflowError:
        return math.inf
