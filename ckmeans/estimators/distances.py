"""Distances of rows to centers, as all estimators give them."""

from ..local import small
from ..local.sparse import rows_for
from ..workers import Workers


def distances(X, centers, n_threads=None):
    """Distances of rows to centers, each in double precision, in their units.

    Parameters
    ----------
    X : ndarray or sparse array of shape (n_samples, n_features), or NpyFile
        As `check_rows` has it.
    centers : ndarray of shape (n_clusters, n_features), float64
    n_threads : int or None

    Returns
    -------
    ndarray of shape (n_samples, n_clusters), float64
    """
    found = small.distances_to(X, centers)
    if found is None:
        with Workers(n_threads) as workers:
            rows = rows_for(X, None, workers, compared_with=centers)
            squares = rows.distances(rows.scale(centers))
            found = small.roots(squares, X, centers, rows.exponent)
    return found
