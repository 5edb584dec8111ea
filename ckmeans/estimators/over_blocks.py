"""What an estimator does with rows that come in blocks: features, labels, distances and the score."""

import warnings
from functools import partial

import numpy as np
from sklearn.utils.validation import validate_data

from ..blocks.block_search import inertia_of
from ..local import small
from ..local.rows import Rows
from ..validation import check_fitted, refuse_rows
from ..workers import Workers


def note_features(estimator, source, reset):
    """Take note of the columns of a block source, or compare them with those of the fit."""
    names = source.names
    named = names is not None and all(isinstance(name, str) for name in names)
    if reset:
        vars(estimator).pop("feature_names_in_", None)
        estimator.n_features_in_ = source.shape[1]
        if named:
            estimator.feature_names_in_ = np.array(names, dtype=object)
        return
    with warnings.catch_warnings():
        if named:
            warnings.simplefilter("ignore", UserWarning)  # that the row of zeros has no names
        validate_data(estimator, np.zeros((1, source.shape[1])), reset=False)
    known = vars(estimator).get("feature_names_in_")
    if named and known is not None and list(known) != names:
        raise ValueError(
            "The feature names should match those that were passed during fit: give the columns"
            f" {', '.join(map(repr, known))}, in this order."
        )


def labels_over(estimator, source):
    """The nearest center of each row."""
    centers = _centers(estimator, source)
    return source.apply(partial(_labels, centers), (), np.dtype(np.int32), estimator.n_threads)


def distances_over(estimator, source):
    """Distances of each row to all centers."""
    centers = _centers(estimator, source)
    single = source.dtype == np.float32 == getattr(estimator.cluster_centers_, "dtype", None)
    dtype = np.dtype(np.float32 if single else np.float64)
    return source.apply(partial(_distances, centers, dtype), (len(centers),), dtype, estimator.n_threads)


def score_over(estimator, source):
    """Minus the inertia of the rows with their nearest centers."""
    centers = _centers(estimator, source)
    with Workers(estimator.n_threads) as workers:
        try:
            return -inertia_of(source, workers, centers)
        finally:
            source.close()


def _centers(estimator, source):
    return check_fitted("cluster_centers_", estimator.cluster_centers_, (None, source.shape[1]))


# ---- of the rows of a block, of which the first has the index `first` ----


def _checked(X, first, n_samples):
    bad = np.flatnonzero(~np.isfinite(X).all(axis=1)) if not np.isfinite(X.sum()) else []
    if len(bad):
        refuse_rows(first + bad, n_samples, np.isnan(X[bad]).any())
    return np.ascontiguousarray(X)


def _labels(centers, X, first, n_samples):
    X = _checked(X, first, n_samples)
    return (
        Rows(X, None, Workers(1), compared_with=centers).nearest(centers) if len(X) else np.empty(0, np.int32)
    )


def _distances(centers, dtype, X, first, n_samples):
    X = _checked(X, first, n_samples)
    if not len(X):
        return np.empty((0, len(centers)), dtype)
    return distances_to(X, centers, Workers(1)).astype(dtype, copy=False)


def distances_to(X, centers, workers):
    """Distances of all rows to all centers, in the units of the data."""
    rows = Rows(X, None, workers, compared_with=centers)
    return small.roots(rows.distances(rows.scale(centers)), X, centers, rows.exponent)
