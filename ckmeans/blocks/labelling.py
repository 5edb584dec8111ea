"""Labels of and distances from the rows of a block, wherever it is."""

from functools import partial

import numpy as np

from ..local import small
from ..local.rows import Rows
from ..validation import refuse_rows
from ..workers import Workers


def nearest(centers):
    """A function(X, first, n_samples): the nearest of these centers for each row of a block, whose first has that index."""
    return partial(_labels, np.asarray(centers, dtype=np.float64))


def distances(centers, dtype):
    """The same, with the distances to all centers."""
    return partial(_distances, np.asarray(centers, dtype=np.float64), dtype)


def _checked(X, first, n_samples):
    bad = np.flatnonzero(~np.isfinite(X).all(axis=1)) if not np.isfinite(X.sum()) else []
    if len(bad):
        refuse_rows(first + bad, n_samples, np.isnan(X[bad]).any())
    return X


def _labels(centers, X, first, n_samples):
    X = _checked(X, first, n_samples)
    if not len(X):
        return np.empty(0, np.int32)
    return Rows(X, None, Workers(1), compared_with=centers).nearest(centers)


def _distances(centers, dtype, X, first, n_samples):
    X = _checked(X, first, n_samples)
    if not len(X):
        return np.empty((0, len(centers)), dtype)
    return distances_to(X, centers, Workers(1)).astype(dtype, copy=False)


def distances_to(X, centers, workers):
    """Distances of all rows to all centers, in the units of the data."""
    rows = Rows(X, None, workers, compared_with=centers)
    return small.roots(rows.distances(rows.scale(centers)), X, centers, rows.exponent)
