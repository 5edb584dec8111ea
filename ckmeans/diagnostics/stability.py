"""How stable each cluster is: how much of it comes again where rows are drawn anew."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from ..arithmetic import usual
from ..estimators.kmeans import KMeans
from ..notebook import as_html
from ..validation import (
    check_labels,
    check_matrix,
    check_n_clusters,
    check_number,
    check_weights,
    check_whole,
)
from ..words import format_plural
from ..workers import Expired

# What Hennig (2007, section 4) calls a cluster by its mean index: at least this is stable, below the second it has dissolved.
STABLE, DISSOLVED = 0.75, 0.5


@dataclass(frozen=True, eq=False)
class ClusterStability:
    """How much of each cluster came again in clusterings of bootstrap samples. `print` shows it.

    Attributes
    ----------
    jaccard : ndarray of shape (n_clusters,), float64
        The mean over the samples of the greatest Jaccard index of the cluster with one of the sample: rows in both over rows
        in either, of the rows drawn. 1 is the very same; NaN where no sample had a row of it.
    recovered, dissolved : ndarray of shape (n_clusters,), float64
        The share of the samples in which that was at least 0.75, and below 0.5.
    labels : ndarray of shape (n_samples,), int32
        The clustering that was judged.
    n_resamples : int
        Samples that were clustered.
    stop_reason : {"complete", "time_limit", "interrupted"}

    Examples
    --------
    >>> from ckmeans import cluster_stability
    >>> print(cluster_stability([[0.0], [1.0], [50.0], [51.0]] * 5, 2, n_resamples=10, random_state=0))
    cluster     rows  Jaccard  recovered  dissolved
          0       10    1.000      100%         0%
          1       10    1.000      100%         0%
    <BLANKLINE>
    stable: 0, 1 (of 10 bootstrap samples)
    """

    jaccard: NDArray[np.float64]
    recovered: NDArray[np.float64]
    dissolved: NDArray[np.float64]
    labels: NDArray[np.int32]
    n_resamples: int
    stop_reason: str

    @property
    def verdict(self) -> str:
        """Which clusters are stable, in a sentence."""
        groups = {
            "stable": self.jaccard >= STABLE,
            "in doubt": (self.jaccard >= DISSOLVED) & (self.jaccard < STABLE),
            "dissolved": self.jaccard < DISSOLVED,
        }
        said = [
            f"{name}: {', '.join(map(str, np.flatnonzero(some)))}"
            for name, some in groups.items()
            if some.any()
        ]
        return f"{'; '.join(said) or 'no cluster was seen'} (of {format_plural(self.n_resamples, 'bootstrap sample')})"

    def __str__(self) -> str:
        sizes = np.bincount(self.labels, minlength=len(self.jaccard))
        lines = ["cluster     rows  Jaccard  recovered  dissolved"]
        for k, (size, *shares) in enumerate(zip(sizes, self.jaccard, self.recovered, self.dissolved)):
            lines.append("{:7}{:9,}{:9.3f}{:10.0%} {:10.0%}".format(k, size, *shares))
        return "\n".join([*lines, "", self.verdict])

    def _repr_html_(self) -> str:
        columns = {
            "cluster": range(len(self.jaccard)),
            "rows": [f"{n:,}" for n in np.bincount(self.labels, minlength=len(self.jaccard))],
            "Jaccard": [f"{value:.3f}" for value in self.jaccard],
            "recovered": [f"{value:.0%}" for value in self.recovered],
            "dissolved": [f"{value:.0%}" for value in self.dissolved],
        }
        return as_html(self.verdict, columns)


@usual
def cluster_stability(
    X: ArrayLike,
    n_clusters: int | None = None,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    n_resamples: int = 100,
    time_limit: float | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_threads: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> ClusterStability:
    """How stable each cluster is under resampling (Hennig 2007): a cluster that is in the data comes again where rows are drawn anew.

    Rows are drawn with replacement and clustered by `KMeans`; each cluster is compared with the one of the sample that is
    most like it. A stable cluster need not mean anything; one that dissolves certainly does not.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    n_clusters : int or None
        May be left out where labels are given.
    labels : array-like of shape (n_samples,), optional
        The clustering to judge; by default that of `KMeans`.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the rows, as in `KMeans`; they do not count in the Jaccard index.
    n_resamples : int, default=100
    time_limit : float or None, default=None
        Seconds; what is known until then is returned.
    random_state : int, RandomState instance or None, default=None
    n_threads : int or None, default=None
        Never changes the result.
    progress : callable(n_resamples) or None, default=None
        Called after each sample.

    Returns
    -------
    ClusterStability
        When the time is up or on Ctrl-C, which is not raised again, of the samples until then.

    Raises
    ------
    ValueError, TypeError
        For data and parameters that are not as described.
    KeyboardInterrupt
        On Ctrl-C before a sample was clustered.

    References
    ----------
    Hennig (2007), "Cluster-wise assessment of cluster stability", Comput. Stat. Data Anal. 52:258-271,
    doi:10.1016/j.csda.2006.11.025; as `clusterboot` of the R package fpc does it, by bootstrap.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import cluster_stability
    >>> found = cluster_stability(load_iris().data, 3, n_resamples=20, random_state=0)
    >>> (found.jaccard > 0.75).tolist()
    [True, True, True]
    """
    limit = check_number("time_limit", time_limit, none=True)
    deadline = np.inf if limit is None else monotonic() + limit
    n_resamples = check_whole("n_resamples", n_resamples, 1)
    X = check_matrix(X)
    weights = check_weights(sample_weight, len(X))
    rng = check_random_state(random_state)
    if labels is None:
        n_clusters = check_n_clusters(n_clusters, len(X))
        labels = (
            KMeans(n_clusters, random_state=rng.randint(2**31), n_threads=n_threads)
            .fit(X, sample_weight=weights)
            .labels_
        )
    else:
        labels, n_clusters = check_labels(labels, len(X), n_clusters)
    found, reason = [], "complete"
    try:
        for i in range(n_resamples):
            found.append(_best_matches(X, labels, n_clusters, weights, rng, n_threads, deadline))
            if progress is not None:
                progress(i + 1)
            if monotonic() >= deadline and i + 1 < n_resamples:
                raise Expired
    except Expired:
        reason = "time_limit"
    except KeyboardInterrupt:
        if not found:
            raise
        reason = "interrupted"
    values = np.array(found).reshape(-1, n_clusters)
    seen = ~np.isnan(values)
    counts = np.where(seen.any(axis=0), seen.sum(axis=0), np.nan)

    def share(true):
        return (true & seen).sum(axis=0) / counts

    return ClusterStability(
        np.where(seen, values, 0.0).sum(axis=0) / counts,
        share(values >= STABLE),
        share(values < DISSOLVED),
        labels,
        len(values),
        reason,
    )


def _best_matches(X, labels, n_clusters, weights, rng, n_threads, deadline):
    """The greatest Jaccard index of each cluster with one of a bootstrap sample; NaN where no row of it was drawn."""
    seed, drawn = rng.randint(2**31), np.zeros(0, int)
    while not len(drawn) or weights is not None and not weights[drawn].any():
        counts = np.bincount(rng.randint(0, len(X), len(X)), minlength=len(X))
        drawn = np.flatnonzero(counts)
    rest = deadline - monotonic()
    if rest <= 0:
        raise Expired
    model = KMeans(
        min(n_clusters, len(drawn)),
        random_state=seed,
        n_threads=n_threads,
        max_seconds=None if rest == np.inf else rest,
    )
    own = counts[drawn] if weights is None else counts[drawn] * weights[drawn]
    model.fit(X[drawn], sample_weight=own)
    if model.stop_reason_ == "time_limit":  # a clustering that was cut off says nothing
        raise Expired
    table = np.zeros((n_clusters, model.n_clusters), np.int64)
    np.add.at(table, (labels[drawn], model.labels_), 1)
    either = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
    with np.errstate(invalid="ignore"):
        best = (table / np.maximum(either, 1)).max(axis=1)
    return np.where(table.any(axis=1), best, np.nan)
