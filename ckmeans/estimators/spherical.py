"""Spherical k-means as a scikit-learn estimator: clusters by the angle between rows."""

from collections.abc import Callable
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..arithmetic import usual
from ..interrupts import Held
from ..local.restarts import STARTS
from ..local.spherical import cosines, nearest_by_angle, rows_with_direction, spherical_search, unit_rows
from ..validation import (
    check_centers,
    check_fitted,
    check_n_clusters,
    check_number,
    check_weights,
    check_whole,
)
from ..workers import Workers
from .inputs import adopt, check_rows, rows_to_fit
from .kmeans import Centers


@usual
class SphericalKMeans(Centers):
    """Spherical k-means: rows count by their direction, as is usual for texts and embeddings.

    The cost of a row is 1 - cos of the angle to its center, times its weight. Rows need not have length one: give
    ``sample_weight=np.linalg.norm(X, axis=1)`` where longer rows are to count for more. Labels are the exact least angles, ties
    going to the lowest index, and all results have the same bits for every number of threads. `certify(X, model)` proves how far the
    clustering is, at most, from the best possible one, and often that it is the best.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    init : {"k-means++", "plain k-means++", "k-means||", "random"}, array-like of shape (n_clusters, n_features) or \
callable, default="k-means++"
        Where the centers start, as for `KMeans`, of rows of length one. Of given centers the directions count.
    n_init : "auto" or int, default="auto"
        Number of restarts. "auto": until three of them have reached the best cost, 20 are made, or a modest budget of work is
        spent; one with more than 4,096 sparse rows, and from given centers.
    max_iter : int or None, default=None
        Most updates of the centers in a restart; None goes on to the fixed point.
    tol : float, default=0.0
        A restart ends when an iteration lowers the cost by no more than this share of it.
    max_seconds : float or None, default=None
        Time limit; the best clustering so far is kept.
    zero_rows : {"refuse", "leave out"}, default="refuse"
        What to do with rows that are zero and have no direction. Those left out have label -1, no cost, and cosine 0 to each center.
    verbose : int or callable, default=0
        1 prints a line after each restart; ``verbose(n_restarts, best_inertia)`` is called instead if callable.
    random_state : int, RandomState instance or None, default=None
        Seed of the restarts.
    n_threads : int or None, default=None
        As for `KMeans`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), float64
        The directions of the sums of the rows of each cluster, scaled to length one; in lexicographic order unless `init` gave
        centers.
    labels_ : ndarray of shape (n_samples,), int32
        Index of the center at the least angle from each row; equal to ``predict(X)``.
    inertia_ : float
        Sum of weight * (1 - cosine).
    lower_bound_ : float
        No clustering into as many clusters has a lower inertia; 0.0 where nothing better is known: `certify` finds more.
    status_ : {"optimal", "bounded"}
        "optimal" for one cluster, and where every row has the direction of its center.
    n_iter_ : int
        Updates of the centers in the restart that was best.
    n_restarts_ : int
        Restarts that were made.
    hit_rate_ : float
        Share of them that reached the best inertia, to a relative 1e-9.
    stop_reason_ : {"converged", "tol", "max_iter", "time_limit", "interrupted"}
        Why the search ended.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Where the column names of X are strings.

    References
    ----------
    Dhillon & Modha (2001), "Concept decompositions for large sparse text data using clustering", Machine Learning 42:143-175,
    doi:10.1023/A:1007612920971. Hornik, Feinerer, Kober & Buchta (2012), "Spherical k-means clustering", J. Stat. Software
    50(10), doi:10.18637/jss.v050.i10.

    Examples
    --------
    >>> from ckmeans import SphericalKMeans
    >>> X = [[1.0, 0.0], [9.0, 1.0], [0.0, 2.0], [0.1, 5.0]]
    >>> SphericalKMeans(2, random_state=0).fit_predict(X).tolist()
    [1, 1, 0, 0]
    """

    cluster_centers_: NDArray[np.float64]
    labels_: NDArray[np.int32]
    inertia_: float
    lower_bound_: float
    status_: str
    n_iter_: int
    n_restarts_: int
    hit_rate_: float
    stop_reason_: str
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | ArrayLike | Callable[..., ArrayLike] = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        max_iter: int | None = None,
        tol: float = 0.0,
        max_seconds: float | None = None,
        zero_rows: Literal["refuse", "leave out"] = "refuse",
        verbose: int | Callable[[int, float], object] = 0,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.max_seconds = max_seconds
        self.zero_rows = zero_rows
        self.verbose = verbose
        self.random_state = random_state
        self.n_threads = n_threads

    _kept_types = ("float64",)
    _metric = "cosine"  # which `certify` takes for it

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Cluster the rows of X by their directions.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features)
            Dense rows that are told apart by their bytes, as many features are, are scaled to length one as they are looked at; else, and
            for k-means++, a copy in double is kept beside them.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, at least 0.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For data or parameters out of their range, and for rows that are zero; the message tells which, and the remedy.
        KeyboardInterrupt
            On Ctrl-C, after the attributes were set to the best clustering so far.
        """
        with Held() as held:
            X, features = rows_to_fit(self, X, sparse=True)
            weights = check_weights(sample_weight, X.shape[0])
            kept = rows_with_direction(X, self.zero_rows)
            some, own = X, weights
            if len(kept) < X.shape[0]:
                if not len(kept):
                    raise ValueError(f"All {X.shape[0]} rows of X are zero: give at least one that is not.")
                some, own = X[kept], None if weights is None else check_weights(weights[kept], len(kept))
            solution = self._search(some, own, held)
            labels = np.full(X.shape[0], -1, np.int32)
            labels[kept] = solution.labels
            adopt(
                self,
                features,
                cluster_centers_=solution.centers,
                labels_=labels,
                inertia_=solution.inertia,
                lower_bound_=solution.lower_bound,
                status_=solution.status,
                n_iter_=solution.n_iter,
                n_restarts_=solution.n_restarts,
                hit_rate_=solution.hit_rate,
                stop_reason_=solution.stop_reason,
            )
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """Index of the center at the least angle from each row, exactly, ties going to the lowest index.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            -1 for rows that are zero, where `zero_rows` leaves them out.
        """
        X, centers, kept = self._for_use(X)
        labels = np.full(X.shape[0], -1, np.int32)
        with Workers(self.n_threads) as workers:
            labels[kept] = nearest_by_angle(X if len(kept) == X.shape[0] else X[kept], centers, workers)
        return labels

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Cosines of the angles to the centers.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features)

        Returns
        -------
        cosines : ndarray of shape (n_samples, n_clusters), float64
            The nearest center has the greatest.
        """
        X, centers, _ = self._for_use(X)
        return cosines(unit_rows(X), centers)

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the inertia of X with the nearest of the fitted centers.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        score : float
            Higher is better.
        """
        X, centers, kept = self._for_use(X)
        weights = check_weights(sample_weight, X.shape[0])
        away = 1 - cosines(unit_rows(X), centers).max(axis=1)[kept]
        return -float((away if weights is None else away * weights[kept]).sum())

    def _for_use(self, X):
        """The rows, the centers, and the indices of the rows that have a direction."""
        check_is_fitted(self)
        X = check_rows(self, X, reset=False, sparse=True)
        centers = check_fitted("cluster_centers_", self.cluster_centers_, (None, X.shape[1]))
        if not centers.any(axis=1).all():
            raise ValueError("cluster_centers_ holds a zero, which has no direction: fit again.")
        return X, centers, rows_with_direction(X, self.zero_rows)

    def _search(self, X, weights, held):
        """Check what is left to check, and search: a LocalSolution."""
        n_clusters = check_n_clusters(self.n_clusters, X.shape[0])
        progress = self.verbose if callable(self.verbose) else None
        if self.verbose and progress is None:
            progress = lambda n, inertia: print(f"restart {n}: best inertia {inertia:.10g}", flush=True)  # noqa: E731
        return spherical_search(
            X,
            n_clusters,
            sample_weight=weights,
            init=self._checked_init(X, n_clusters),
            n_init=check_whole("n_init", self.n_init, 1, word="auto"),
            max_iter=check_whole("max_iter", self.max_iter, 1, none=True),
            tol=check_number("tol", self.tol),
            max_seconds=check_number("max_seconds", self.max_seconds, none=True),
            rng=check_random_state(self.random_state),
            n_threads=check_whole("n_threads", self.n_threads, 1, none=True),
            progress=progress,
            held=held,
        )

    def _checked_init(self, X, n_clusters):
        init = self.init
        if init is None or isinstance(init, str):
            if init not in STARTS:
                raise ValueError(
                    f"init={init!r} is unknown: give one of {', '.join(map(repr, STARTS))}, an array of centers or a callable."
                )
            return init
        if callable(init):
            return lambda *arguments: self._with_direction(init(*arguments), n_clusters, X.shape[1])
        return self._with_direction(init, n_clusters, X.shape[1])

    def _with_direction(self, centers, n_clusters, n_features):
        centers = check_centers(centers, n_clusters, n_features)
        if not centers.any(axis=1).all():
            raise ValueError("init gives a center that is zero, which has no direction: give others.")
        return centers
