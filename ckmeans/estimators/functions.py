"""The functions that scikit-learn has beside its estimator, with the same parameters and results."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from ..arithmetic import usual
from ..local import seeding
from ..local.sparse import rows_for
from ..validation import check_n_clusters, check_weights, check_whole
from ..workers import Workers
from .inputs import check_rows
from .kmeans import KMeans


@usual
def k_means(
    X: ArrayLike,
    n_clusters: int,
    *,
    sample_weight: ArrayLike | None = None,
    init: str | ArrayLike | Callable[..., ArrayLike] = "k-means++",
    n_init: int | Literal["auto"] = "auto",
    max_iter: int | None = None,
    verbose: int | Callable[[int, float], object] = 0,
    tol: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
    copy_x: bool = True,
    algorithm: str = "auto",
    return_n_iter: bool = False,
) -> tuple:
    """Cluster the rows of X: `KMeans` as a function, as `sklearn.cluster.k_means` is.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), or rows in blocks, as `KMeans.fit` takes them
    n_clusters : int
    sample_weight : array-like of shape (n_samples,), optional
    init, n_init, max_iter, verbose, tol, random_state, copy_x, algorithm
        As in `KMeans`, with its defaults.
    return_n_iter : bool, default=False
        Whether to return the number of updates too.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
    labels : ndarray of shape (n_samples,), int32
    inertia : float
    n_iter : int
        Only with ``return_n_iter=True``.

    Raises
    ------
    ValueError, TypeError, KeyboardInterrupt
        As `KMeans.fit`.

    References
    ----------
    Lloyd (1982), "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28:129-137, doi:10.1109/TIT.1982.1056489.

    Examples
    --------
    >>> from ckmeans import k_means
    >>> centers, labels, inertia = k_means([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], 2, random_state=0)
    >>> centers.tolist(), labels.tolist(), inertia
    ([[1.0, 2.0], [10.0, 2.0]], [0, 0, 0, 1, 1, 1], 16.0)
    """
    model = KMeans(
        n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        verbose=verbose,
        tol=tol,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
    ).fit(X, sample_weight=sample_weight)
    found = model.cluster_centers_, model.labels_, model.inertia_
    return (*found, model.n_iter_) if return_n_iter else found


@usual
def kmeans_plusplus(
    X: ArrayLike,
    n_clusters: int,
    *,
    sample_weight: ArrayLike | None = None,
    x_squared_norms: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_local_trials: int | None = None,
) -> tuple[NDArray[np.floating], NDArray[np.intp]]:
    """Choose rows to start from, by k-means++, as `sklearn.cluster.kmeans_plusplus` does.

    Parameters
    ----------
    X : array-like or sparse array of shape (n_samples, n_features)
    n_clusters : int
        Number of rows to choose.
    sample_weight : array-like of shape (n_samples,), optional
    x_squared_norms : array-like of shape (n_samples,), optional
        Taken for the sake of code written for scikit-learn, and without effect.
    random_state : int, RandomState instance or None, default=None
    n_local_trials : int, optional
        Draws for each row but the first, of which the best is taken; by default 2 + log(n_clusters).

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
        ``X[indices]``, float32 where X is, else float64.
    indices : ndarray of shape (n_clusters,)
        Where there are fewer different rows than clusters, the first is repeated.

    Raises
    ------
    ValueError, TypeError

    References
    ----------
    Arthur & Vassilvitskii (2007), "k-means++: the advantages of careful seeding", SODA, 1027-1035.

    Examples
    --------
    >>> from ckmeans import kmeans_plusplus
    >>> centers, indices = kmeans_plusplus([[0.0], [1.0], [90.0]], 2, random_state=0)
    >>> sorted(centers.ravel().tolist())[1], len(indices)
    (90.0, 2)
    """
    X = check_rows(BaseEstimator(), X, reset=True, sparse=True)
    if x_squared_norms is not None and len(x_squared_norms) != X.shape[0]:
        raise ValueError(
            f"The length of x_squared_norms {len(x_squared_norms)} should be equal to the length of n_samples {X.shape[0]}: leave"
            " it out, it has no effect."
        )
    given = check_n_clusters(n_clusters, X.shape[0]), check_weights(sample_weight, X.shape[0])
    n_trials = check_whole("n_local_trials", n_local_trials, 1, none=True)
    return chosen_rows(X, *given, check_random_state(random_state), n_trials)


def chosen_rows(X, n_clusters, sample_weight, random_state, n_local_trials=None):
    """Rows by k-means++, and their numbers."""
    indices = np.empty(n_clusters, np.intp)
    with Workers(None) as workers:
        seeding.kmeans_plusplus(
            rows_for(X, sample_weight, workers), n_clusters, random_state, n_local_trials, indices
        )
    return X[indices].toarray() if issparse(X) else X[indices], indices
