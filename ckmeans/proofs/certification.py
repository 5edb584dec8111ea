"""`certify`: checks what it is given, once, and hands it on to the portfolio."""

import math
import os
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from ..arithmetic import usual
from ..blocks.block_search import gathered
from ..blocks.opening import source_of
from ..blocks.sources import Array
from ..blocks.summary import Summary
from ..frames import as_array, opened
from ..local.rows import Rows
from ..local.spherical import nearest_by_angle, rows_with_direction
from ..validation import (
    check_labels,
    check_matrix,
    check_n_clusters,
    check_number,
    check_seed,
    check_structure,
    check_weights,
    check_whole,
)
from ..workers import Workers
from .angles import prove_by_angle
from .certificate import Certificate
from .portfolio import prove
from .source_certificate import SourceCertificate, certify_source
from .summary_certificate import SummaryCertificate, certify_summary

# Numbers, zeros included, up to which sparse rows are made dense: 1 GiB. The proof writes down dense rows.
MOST_DENSE = 1 << 27
# Rows in blocks up to which they are taken as one array: groups of a batch of them would prove less.
MOST_GATHERED = 20_000


@usual
def certify(
    X: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    metric: Literal["euclidean", "cosine"] | None = None,
    centers: ArrayLike | None = None,
    n_clusters: int | None = None,
    sample_weight: ArrayLike | None = None,
    time_limit: float | None = 60,
    gap: float = 0.0,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    n_threads: int | None = None,
    progress: Callable[[str, float, float], object] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    zero_rows: Literal["refuse", "leave out"] | None = None,
    folder: str | os.PathLike[str] | None = None,
    confidence: float | None = None,
) -> Certificate | SummaryCertificate | SourceCertificate:
    """How far a clustering is, at most, from the best possible one, with a proof that others can check.

    Works on labels from any library. One after the other these are tried: what is plain to see, dynamic programming where the
    rows are on a line, a search for a better clustering, branch and bound of few rows, the principal components, and column
    generation, of all rows or, where they are many, of groups that each look like the whole; where many features matter also the
    semidefinite bound, of all of up to 1800 rows if the time allows, or of groups on all threads.

    For ``metric="cosine"``, spherical k-means, the same methods are taken for squared distances of rows of length one that are
    scaled so that their bound, as one for the angles, loses nothing in the best clustering that is known.

    Parameters
    ----------
    X : array-like or sparse array of shape (n_samples, n_features), Summary, or rows in blocks
        Finite real numbers; what is proved holds for these very floats. Sparse rows are made dense, up to 1 GiB. Of a `Summary` of
        at most 4 features, what is proved holds for all rows it has seen. Rows in blocks are all that `KMeans` takes: paths, a
        callable, Dask, Ray. With few of them it is as if they were one array; with many, groups of rows that each look like the
        whole are bounded side by side: on all processors, or by the workers of the cluster.
    labels : array-like of shape (n_samples,), fitted estimator, or None; with a Summary a KMeans fitted to it or labels of cells
        The clustering: whole numbers, or names, or an estimator that has them as `labels_`. Without labels (and centers) the
        best clustering that is found is certified.
    metric : {"euclidean", "cosine"} or None
        What the inertia is a sum of: weight times squared distance to the mean of the cluster, or weight times (1 - cosine) of
        the angle to its center, as for `SphericalKMeans`. None is "cosine" for a `SphericalKMeans`, and "euclidean" for all else.
    centers : array-like of shape (n_clusters, n_features) or None
        Instead of labels: each row is in the cluster of the nearest center. The means of the clusters, not these centers, are
        what the inertia is for; for angles the directions of the means.
    n_clusters : int or None
        The bound holds for all clusterings into at most this many clusters; None for as many as there are labels or centers.
    sample_weight : array-like of shape (n_samples,) or None
        Weights >= 0, not all zero.
    time_limit : float or None
        Seconds, a quarter of them for the checker if it needs that; None for no limit. The rows are always read.
    gap : float
        Stop when (inertia - lower_bound) / inertia is not above this.
    random_state : int, RandomState, Generator or None
        Seed of the search for a clustering.
    n_threads : int or None
        As for `KMeans`.
    progress : callable(method, inertia, lower_bound) or None
        Called now and then with what is known.
    checkpoint : str or Path or None
        A file that is written every few seconds, whole or not at all, and from which a later call for the same rows, weights
        and n_clusters goes on: after `kill -9` too. It stays when the proof is done. Not for angles.
    zero_rows : {"refuse", "leave out"} or None
        For angles: what to do with rows that are zero, as for `SphericalKMeans`. Those left out have no cost, and label -1. None is
        as the estimator has it that is given for labels, else "refuse".
    folder : str or Path or None
        Where the proofs are written, one file for each group of rows, and an index: ``python -m ckmeans.check_parts FOLDER`` checks
        them. Not for a sample. What a run that was stopped has left there is gone on from: its proofs are checked again, not
        found again, and groups without a bound get theirs. A file that is truncated, forged, or of other data is refused.
    confidence : float or None
        Between 0 and 1, as 0.999: only groups that are drawn at random are bounded, and the bound is one that holds with
        this confidence. So many rows need no more time than few. Nothing is called proved then.

    Returns
    -------
    Certificate; of a Summary a SummaryCertificate, which is "bounded"; of many rows in blocks, and with `folder` or `confidence`, a SourceCertificate
        Its `status` is "optimal" or "optimal-unique" only where the checker, `ckmeans.check`, has accepted the proof: for
        angles, whose cosines are irrational, that no other clustering costs less than this one. On
        Ctrl-C, which is not raised again once the rows were read, when the time is up, and where a method has not enough
        memory it is "bounded", with what was known until then. Where the search found a better clustering than the one given,
        `better` is that one's certificate.
        `checked` is True where the checker has accepted what it says; what it finds to be less is given as it finds it.
        Costs beyond the range of floats are inf, and lower bounds the greatest float, as attributes; the fractions are exact.

    Raises
    ------
    ValueError, TypeError
        For data, labels and parameters that are not as described; the message tells which, and the remedy.
    MemoryError
        Where there is not enough of it to find anything.

    References
    ----------
    Aloise, Hansen & Liberti (2012), "An improved column generation algorithm for minimum sum-of-squares clustering",
    Mathematical Programming 131:195-220, doi:10.1007/s10107-010-0349-7. Koontz, Narendra & Fukunaga (1975), "A branch and
    bound clustering algorithm", IEEE Trans. Computers C-24:908-915, doi:10.1109/T-C.1975.224336. Ding & He (2004),
    "K-means clustering via principal component analysis", ICML, doi:10.1145/1015330.1015408. Peng & Wei (2007), "Approximating
    K-means-type clustering via semidefinite programming", SIAM J. Optimization 18:186-205, doi:10.1137/050641983.

    Examples
    --------
    >>> from ckmeans import certify
    >>> X = [[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 2.0], [9.0, 9.0]]
    >>> certificate = certify(X, [0, 0, 1, 1, 2])
    >>> certificate.status, certificate.inertia, certificate.gap
    ('optimal-unique', 2.5, 0.0)
    >>> certificate = certify(X, ["a", "a", "a", "b", "c"])
    >>> certificate.status, certificate.gap > 0.5, certificate.better.status
    ('bounded', True, 'optimal-unique')
    >>> certificate = certify([[1.0, 0.0], [9.0, 1.0], [0.0, 2.0], [0.1, 5.0]], [0, 0, 1, 1], metric="cosine")
    >>> round(certificate.inertia, 6), certificate.status, certificate.gap == 0
    (0.00316, 'optimal-unique', True)
    """
    if isinstance(X, Summary):
        if not all(given is None for given in (centers, sample_weight, checkpoint, metric, zero_rows)):
            raise ValueError(
                "centers, sample_weight, metric, zero_rows and checkpoint are not for a Summary: give the KMeans that was fitted to it, or"
                " labels of its cells."
            )
        time_limit = check_number("time_limit", time_limit, none=True)
        return certify_summary(X, labels, n_clusters, time_limit, progress)
    options = {
        "time_limit": check_number("time_limit", time_limit, none=True),
        "gap": check_number("gap", gap),
        "rng": check_seed(random_state),
        "n_threads": check_whole("n_threads", n_threads, 1, none=True),
        "progress": progress,
    }
    source = source_of(X, sample_weight)
    if source is not None or folder is not None or confidence is not None:
        _refuse_for_blocks(
            labels, centers, folder, confidence, metric=metric, zero_rows=zero_rows, checkpoint=checkpoint
        )
        if source is None:
            X = check_matrix(_dense(X))
            source = Array(X, check_weights(sample_weight, len(X)))
        centers = None if centers is None else _centers(source, centers)
        if len(source) > MOST_GATHERED or folder is not None or confidence is not None:
            return certify_source(source, labels, centers, n_clusters, folder, confidence, options)
        X, sample_weight = _gathered(source, options["n_threads"])
        if centers is None and not isinstance(getattr(labels, "labels_", np.empty(0)), np.ndarray):
            labels, centers = None, labels.cluster_centers_  # labels that are lazy
    metric, labels, n_clusters, zero_rows = _opened(metric, labels, n_clusters, zero_rows)
    X = check_matrix(_dense(X))
    weights = check_weights(sample_weight, len(X))
    if labels is not None and centers is not None:
        raise ValueError("labels and centers are both given: give one of them.")
    if labels is None and centers is None and n_clusters is None:
        raise ValueError("there is nothing to certify: give labels, centers or n_clusters.")
    if metric == "cosine":
        if checkpoint is not None:
            raise ValueError(f"checkpoint={checkpoint!r} is not for metric='cosine': give none.")
        return _by_angle(X, labels, centers, n_clusters, weights, zero_rows, options)
    if centers is not None:
        labels = _nearest(X, centers, weights, options["n_threads"])
        n_clusters = len(centers) if n_clusters is None else n_clusters
    if labels is not None:
        labels, n_clusters = check_labels(labels, len(X), n_clusters)
    n_clusters = check_n_clusters(n_clusters, len(X))
    return prove(X, n_clusters, sample_weight=weights, labels=labels, checkpoint=checkpoint, **options)


def _refuse_for_blocks(labels, centers, folder, confidence, **others):
    """Refuse what is not for groups of rows."""
    metric = getattr(labels, "_metric", None) or others["metric"]
    given = [
        name
        for name, value in others.items()
        if value is not None and (name, value) != ("metric", "euclidean")
    ]
    if metric == "cosine" or given:
        raise ValueError(
            f"{', '.join(given) or 'a SphericalKMeans'} is not for rows in blocks, nor for folder and confidence: give one array, without"
            " these."
        )
    if labels is not None and centers is not None:
        raise ValueError("labels and centers are both given: give one of them.")
    if confidence is None:
        return
    if not 0 < check_number("confidence", confidence) < 1:
        raise ValueError(f"confidence={confidence!r} is not between 0 and 1: give 0.999, for example.")
    if folder is not None:
        raise ValueError(
            f"folder={os.fspath(folder)!r} is for proofs, and confidence={confidence:g} for a bound that is none: give one of them."
        )


def _gathered(source, n_threads):
    """Rows in blocks as one array, and weights or None."""
    with Workers(n_threads) as workers:
        try:
            return gathered(source, workers)
        finally:
            source.close()


def _opened(metric, labels, n_clusters, zero_rows):
    """Metric, labels, number of clusters and what to do with rows of zeros, as an estimator has them that is given for labels."""
    model = labels if hasattr(labels, "labels_") else None
    if model is not None:
        labels = model.labels_
        if n_clusters is None and hasattr(model, "cluster_centers_"):
            n_clusters = len(model.cluster_centers_)
    metric = getattr(model, "_metric", "euclidean") if metric is None else metric
    if metric not in ("euclidean", "cosine"):
        raise ValueError(f"metric={metric!r} is unknown: give 'euclidean' or 'cosine'.")
    if zero_rows is not None and metric != "cosine":
        raise ValueError(f"zero_rows={zero_rows!r} is for metric='cosine': give none, or that metric.")
    if zero_rows is None:
        zero_rows = getattr(model, "zero_rows", "refuse")
    return metric, labels, n_clusters, zero_rows


def _by_angle(X, labels, centers, n_clusters, weights, zero_rows, options):
    """The certificate for angles."""
    some = rows_with_direction(X, zero_rows)
    if not len(some):
        raise ValueError(f"All {len(X)} rows of X are zero: give at least one that is not.")
    if weights is not None:
        check_weights(weights[some], len(some))
    if centers is not None:
        centers = _centers(X, centers)
        if not centers.any(axis=1).all():
            raise ValueError("centers hold a zero, which has no direction: give others.")
        n_clusters = len(centers) if n_clusters is None else n_clusters
        with Workers(options["n_threads"]) as workers:
            own = nearest_by_angle(X[some], centers, workers)
    elif labels is not None:
        own = labels if len(some) == len(X) else _of_some(labels, some, len(X))
    if labels is not None or centers is not None:
        own, n_clusters = check_labels(own, len(some), n_clusters)
        labels = np.zeros(len(X), np.int32)
        labels[some] = own
    n_clusters = check_n_clusters(n_clusters, len(some))
    return prove_by_angle(X, n_clusters, sample_weight=weights, labels=labels, **options)


def _dense(X):
    """The rows, dense; refused by their size where they are sparse and too many."""
    if not issparse(X):
        return X
    X = X.tocsr()
    check_structure(X)
    size = math.prod(X.shape)
    if size > MOST_DENSE:
        raise ValueError(
            f"X is sparse, and its {' x '.join(map(str, X.shape))} numbers would take {size / 2**27:.3g} GiB, where a proof takes"
            " dense rows: give fewer rows, or fewer features."
        )
    return X.toarray()


def _of_some(labels, some, n_samples):
    """The labels of some rows."""
    listed = isinstance(labels, (list, tuple))
    labels = labels if listed else as_array(opened(labels, "labels"), "labels")
    if len(labels) != n_samples:
        raise ValueError(f"there are {len(labels)} labels; X has {n_samples} rows: give one label for each.")
    return [labels[i] for i in some] if listed else labels[some]


def _centers(X, centers):
    centers = check_matrix(centers, "centers")
    if centers.shape[1] != X.shape[1]:
        raise ValueError(
            f"centers have {centers.shape[1]} features, X has {X.shape[1]}: give a center of as many for each cluster."
        )
    return centers


def _nearest(X, centers, weights, n_threads):
    """The exact nearest center of each row."""
    centers = _centers(X, centers)
    with Workers(n_threads) as workers:
        return Rows(X, weights, workers, compared_with=centers).nearest(centers)
