"""What an estimator does with rows that come in blocks: features, labels, distances and the score."""

import warnings

import numpy as np
from sklearn.utils.validation import validate_data

from ..blocks.block_search import inertia_of
from ..blocks.labelling import distances, nearest
from ..validation import check_fitted
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
    return source.apply(nearest(centers), (), np.dtype(np.int32), estimator.n_threads)


def distances_over(estimator, source):
    """Distances of each row to all centers."""
    centers = _centers(estimator, source)
    single = source.dtype == np.float32 == getattr(estimator.cluster_centers_, "dtype", None)
    dtype = np.dtype(np.float32 if single else np.float64)
    return source.apply(distances(centers, dtype), (len(centers),), dtype, estimator.n_threads)


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
