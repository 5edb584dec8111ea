"""Bisecting k-means: one cluster after the other is split in two, the small ones in the best way there is."""

from collections.abc import Callable
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..exact.exhaustive import exhaustive_search
from ..exact.sweep import best_halves
from ..exact.univariate import natural_breaks
from ..local.restarts import STARTS
from ..local.rows import Rows
from ..local.search import local_search
from ..validation import check_flag, check_n_clusters, check_number, check_weights, check_whole
from ..workers import Workers
from .inputs import adopt, check_rows, rows_to_fit
from .kmeans import ALGORITHMS, Centers
from .stored import warn_of

STRATEGIES = ("biggest_inertia", "largest_cluster")
# Different rows up to which all ways to split them are looked at, and up to which a line turns about each where they lie in the
# plane: 2 ms and 4 ms on one thread.
MOST_EXHAUSTIVE = 14
MOST_TURNED = 200


class Cluster:
    """A cluster of the tree: its rows, their weight, its center, its inertia, and its halves if it is split."""

    def __init__(self, rows, mass, center, inertia):
        self.rows, self.mass, self.center, self.inertia = rows, mass, center, inertia
        self.halves, self.whole = (), False  # whole: it cannot be split

    def leaves(self):
        """The clusters below it that are not split, from left to right."""
        return [leaf for half in self.halves for leaf in half.leaves()] if self.halves else [self]

    def tree(self, numbers):
        """Nested pairs of centers and of what is below each: a pair again, or the number of a cluster."""
        if not self.halves:
            return next(numbers)
        return np.array([half.center for half in self.halves]), [half.tree(numbers) for half in self.halves]


class BisectingKMeans(Centers):
    """k-means that splits one cluster in two until there are as many as wanted: a tree of clusters.

    Small clusters are split in the best way there is: rows in one feature, up to 14 different rows, and up to 200 different
    rows in two features. Others are split by the search of `KMeans` for two clusters.

    Parameters
    ----------
    n_clusters : int, default=8
    init : {"k-means++", "plain k-means++", "k-means||", "random"} or callable, default="k-means++"
        Where the two centers of a split start, as for `KMeans`; small clusters need no start.
    n_init : "auto" or int, default="auto"
        Restarts in each split.
    random_state : int, RandomState instance or None, default=None
    max_iter : int or None, default=None
        Most updates of the centers in a restart.
    verbose : int, default=0
        1 prints each split.
    tol : float, default=0.0
        As for `KMeans`.
    copy_x : bool, default=True
        Without effect: X is never written to.
    algorithm : {"auto", "lloyd", "hamerly", "elkan", "yinyang"}, default="auto"
        As for `KMeans`.
    bisecting_strategy : {"biggest_inertia", "largest_cluster"}, default="biggest_inertia"
        Which cluster is split next: that with the largest sum of weighted squared distances, or that with the most weight.
    n_threads : int or None, default=None

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), float64, or float32 where X is
        The means of the clusters, in the order of the tree. Where there are fewer different rows than clusters, the last is
        repeated.
    labels_ : ndarray of shape (n_samples,), int32
        The cluster of each row: of the two centers of each split, from the first one down, the nearest; equal to ``predict(X)``.
        Another cluster's center may be nearer.
    inertia_ : float
        Sum of the weighted squared distances of the rows to the centers of their clusters.
    stop_reason_ : {"converged"}
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Where the column names of X are strings.

    References
    ----------
    Steinbach, Karypis & Kumar (2000), "A comparison of document clustering techniques", KDD workshop on text mining.

    Examples
    --------
    >>> from ckmeans import BisectingKMeans
    >>> model = BisectingKMeans(3, random_state=0).fit([[1], [2], [20], [22], [50], [51]])
    >>> model.labels_.tolist(), model.inertia_
    ([0, 0, 1, 1, 2, 2], 3.0)
    """

    cluster_centers_: NDArray[np.floating]
    labels_: NDArray[np.int32]
    inertia_: float
    stop_reason_: str
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | Callable[..., ArrayLike] = "k-means++",
        n_init: int | Literal["auto"] = "auto",
        random_state: int | np.random.RandomState | None = None,
        max_iter: int | None = None,
        verbose: int = 0,
        tol: float = 0.0,
        copy_x: bool = True,
        algorithm: Literal["auto", "lloyd", "hamerly", "elkan", "yinyang"] = "auto",
        bisecting_strategy: Literal["biggest_inertia", "largest_cluster"] = "biggest_inertia",
        n_threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.random_state = random_state
        self.max_iter = max_iter
        self.verbose = verbose
        self.tol = tol
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.bisecting_strategy = bisecting_strategy
        self.n_threads = n_threads

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Split the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, at least 0.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For data or parameters out of their range; the message tells which, and the remedy.
        KeyboardInterrupt
            On Ctrl-C. After that, and after an error, the estimator is as it was before.
        """
        X, features = rows_to_fit(self, X)
        weights = check_weights(sample_weight, len(X))
        n_clusters, options = self._options(len(X))
        root = Cluster(np.arange(len(X)), np.inf, None, np.inf)
        leaves = [root]
        while len(leaves) < n_clusters and not all(leaf.whole for leaf in leaves):
            best = max((leaf for leaf in leaves if not leaf.whole), key=self._score)
            own = None if weights is None else weights[best.rows]
            best.halves = split(np.ascontiguousarray(X[best.rows]), own, best.rows, options)
            best.whole = not best.halves
            leaves = root.leaves()
            if self.verbose and best.halves:
                sizes = " and ".join(str(len(half.rows)) for half in best.halves)
                print(f"{len(leaves)} clusters: {len(best.rows)} rows are split into {sizes}", flush=True)
        if root.center is None:
            root.center = local_search(X, 1, sample_weight=weights, single=X.dtype == np.float32).centers[0]
        labels = np.empty(len(X), np.int32)
        for k, leaf in enumerate(leaves):
            labels[leaf.rows] = k
        centers = np.array([leaf.center for leaf in leaves + leaves[-1:] * (n_clusters - len(leaves))])
        with Workers(self.n_threads) as workers:
            inertia = Rows(X, weights, workers, compared_with=centers).inertia(labels, centers)
        adopt(
            self,
            features,
            cluster_centers_=centers.astype(X.dtype),
            labels_=labels,
            inertia_=inertia,
            stop_reason_="converged",
            _tree=root.tree(iter(range(len(leaves)))),
        )
        warn_of("converged", None, len(leaves), n_clusters)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """The cluster of each row: in each split, from the first one down, that of the nearest center.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        labels = np.zeros(len(X), np.int32)
        with Workers(self.n_threads) as workers:
            open_ = [(self._tree, np.arange(len(X)))]
            while open_:
                node, rows = open_.pop()
                if isinstance(node, int):
                    labels[rows] = node
                elif len(rows):
                    own = Rows(np.ascontiguousarray(X[rows]), None, workers, compared_with=node[0])
                    side = own.nearest(node[0])
                    open_ += [(below, rows[side == s]) for s, below in enumerate(node[1])]
        return labels

    def _score(self, leaf):
        return leaf.inertia if self.bisecting_strategy == "biggest_inertia" else leaf.mass

    def _options(self, n_samples):
        """The number of clusters, and what `split` takes."""
        if self.bisecting_strategy not in STRATEGIES:
            raise ValueError(
                f"bisecting_strategy={self.bisecting_strategy!r} is unknown: give one of {', '.join(map(repr, STRATEGIES))}."
            )
        if self.algorithm not in ALGORITHMS or self.algorithm == "hybrid":
            raise ValueError(f"algorithm={self.algorithm!r} is unknown: give 'auto', 'lloyd' or 'elkan'.")
        if not callable(self.init) and not (isinstance(self.init, str) and self.init in STARTS):
            raise ValueError(
                f"init={self.init!r} is unknown: give one of {', '.join(map(repr, STARTS))}, or a callable."
            )
        check_flag("copy_x", self.copy_x)
        return check_n_clusters(self.n_clusters, n_samples), {
            "init": self.init,
            "n_init": check_whole("n_init", self.n_init, 1, word="auto"),
            "max_iter": check_whole("max_iter", self.max_iter, 1, none=True),
            "tol": check_number("tol", self.tol),
            "algorithm": ALGORITHMS[self.algorithm],
            "rng": check_random_state(self.random_state),
            "n_threads": check_whole("n_threads", self.n_threads, 1, none=True),
        }


def split(X, weights, rows, options):
    """Two clusters of the rows; none where they cannot be told apart.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous
    weights : ndarray of shape (n_samples,), float64, or None
    rows : ndarray of shape (n_samples,), int
        What to call them.
    options : dict
        For `local_search`.

    Returns
    -------
    list of Cluster
    """
    if len(rows) < 2 or weights is not None and np.count_nonzero(weights) < 2:
        return []
    start = best_start(X, weights)
    options = options if start is None else {**options, "init": start, "n_init": 1}
    found = local_search(X, 2, sample_weight=weights, single=X.dtype == np.float32, **options)
    if found.stop_reason == "interrupted":
        raise KeyboardInterrupt
    halves = []
    for k in range(2):
        own = found.labels == k
        away = ((X[own] - found.centers[k]) ** 2).sum(axis=1)
        heavy = np.ones(len(away)) if weights is None else weights[own]
        halves.append(Cluster(rows[own], heavy.sum(), found.centers[k], heavy @ away))
    return halves if all(len(half.rows) for half in halves) else []


def best_start(X, weights):
    """The means of the best two clusters where these are quickly found, else None."""
    if len(X) > MOST_TURNED and X.shape[1] > 1:
        return None
    heavy = np.ones(len(X)) if weights is None else weights
    points, own = np.unique(X[heavy > 0].astype(np.float64), axis=0, return_inverse=True)
    masses = np.bincount(own.ravel(), heavy[heavy > 0])
    if len(points) < 2:
        return None
    if X.shape[1] == 1:
        labels = natural_breaks(points[:, 0], 2, sample_weight=masses).labels
    elif len(points) <= MOST_EXHAUSTIVE:
        labels = exhaustive_search(points, 2, sample_weight=masses).labels
    elif X.shape[1] == 2:
        labels = best_halves(points, masses).labels
    else:
        return None
    means = [np.average(points[labels == k], axis=0, weights=masses[labels == k]) for k in range(2)]
    return np.array(sorted(map(tuple, means)))
