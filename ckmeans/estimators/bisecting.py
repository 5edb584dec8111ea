"""Bisecting k-means: one cluster after the other is split in two, the small ones in the best way there is."""

from collections.abc import Callable
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import check_random_state

from ..arithmetic import usual
from ..exact.exhaustive import exhaustive_search
from ..exact.sweep import best_halves
from ..exact.univariate import natural_breaks
from ..local.restarts import STARTS
from ..local.search import local_search
from ..local.sparse import rows_for
from ..validation import check_flag, check_n_clusters, check_number, check_weights, check_whole
from ..workers import Workers
from .inputs import adopt, rows_to_fit
from .kmeans import ALGORITHMS, Centers
from .stored import warn_of

STRATEGIES = ("biggest_inertia", "largest_cluster")
# Different rows up to which all ways to split them are looked at, and up to which a line turns about each where they lie in the
# plane: 2 ms and 4 ms on one thread.
MOST_EXHAUSTIVE = 14
MOST_TURNED = 200
# Numbers, zeros included, up to which sparse rows are split as dense ones, 8 MB: of random tables of this size, with 1 to 10 % of
# entries, a split took 0.04 to 0.23 s of CPU time either way, and as dense rows, which are polished, cost up to 0.07 % less.
MOST_DENSE = 1 << 20


class Cluster:
    """A cluster of the tree: its rows, their weight, its center, its inertia, and its halves if it is split."""

    def __init__(self, rows, mass, center, inertia):
        self.rows, self.mass, self.center, self.inertia = rows, mass, center, inertia
        self.halves, self.whole = (), False  # whole: it cannot be split

    def leaves(self):
        """The clusters below it that are not split, from left to right."""
        leaves, open_ = [], [self]
        while open_:  # not by calls of itself: a tree may be as deep as it has clusters
            one = open_.pop()
            open_.extend(reversed(one.halves))
            leaves += [] if one.halves else [one]
        return leaves

    def splits(self):
        """The clusters that are split, each after the one that it is a half of."""
        found = [self] if self.halves else []
        for one in found:
            found.extend(half for half in one.halves if half.halves)
        return found


@usual
class BisectingKMeans(Centers):
    """k-means that splits one cluster in two until there are as many as wanted: a tree of clusters.

    Small clusters are split in the best way there is: rows in one feature, up to 14 different rows, and up to 200 rows in two
    features, not counting features in which all are equal. Others are split by the search of `KMeans` for two clusters.

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
    # The tree: the two centers of each split, of shape (n_splits, 2, n_features), and what is below them: the number of a cluster,
    # or -1 less that of a split further on.
    _split_centers: NDArray[np.float64]
    _below: NDArray[np.int32]

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
        X : array-like or sparse array of shape (n_samples, n_features)
            Sparse rows are split as dense ones where a cluster has no more than 2**20 numbers, zeros included; as `KMeans` takes
            them where it has more.
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
        X, features = rows_to_fit(self, X, sparse=True)
        n_samples = X.shape[0]
        weights = check_weights(sample_weight, n_samples)
        n_clusters, options = self._options(n_samples)
        root = Cluster(np.arange(n_samples), np.inf, None, np.inf)
        leaves = [root]
        while len(leaves) < n_clusters and not all(leaf.whole for leaf in leaves):
            best = max((leaf for leaf in leaves if not leaf.whole), key=self._score)
            own = None if weights is None else weights[best.rows]
            best.halves = split(X[best.rows], own, best.rows, options)
            best.whole = not best.halves
            leaves = root.leaves()
            if self.verbose and best.halves:
                sizes = " and ".join(str(len(half.rows)) for half in best.halves)
                print(f"{len(leaves)} clusters: {len(best.rows)} rows are split into {sizes}", flush=True)
        root.center = local_search(X, 1, sample_weight=weights, single=X.dtype == np.float32).centers[0]
        labels = np.empty(n_samples, np.int32)
        for k, leaf in enumerate(leaves):
            labels[leaf.rows] = leaf.number = k
        centers = np.array([leaf.center for leaf in leaves + leaves[-1:] * (n_clusters - len(leaves))])
        with Workers(self.n_threads) as workers:
            inertia = rows_for(X, weights, workers, compared_with=centers).inertia(labels, centers)
        adopt(
            self,
            features,
            cluster_centers_=centers.astype(X.dtype),
            labels_=labels,
            inertia_=inertia,
            stop_reason_="converged",
            **tree_of(root, X.shape[1]),
        )
        warn_of("converged", None, len(leaves), n_clusters)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """The cluster of each row: in each split, from the first one down, that of the nearest center.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
        """
        X = self._checked(X)
        labels = np.zeros(X.shape[0], np.int32)
        with Workers(self.n_threads) as workers:
            open_ = [(-1, np.arange(X.shape[0]))] if len(self._below) else []
            while open_:
                node, rows = open_.pop()
                if node >= 0:
                    labels[rows] = node
                elif len(rows):
                    centers = self._split_centers[-1 - node]
                    side = rows_for(X[rows], None, workers, compared_with=centers).nearest(centers)
                    open_ += [(below, rows[side == s]) for s, below in enumerate(self._below[-1 - node])]
        return labels

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

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


def tree_of(root, n_features):
    """The splits as the arrays that `predict` goes by."""
    splits = root.splits()
    for number, one in enumerate(splits):
        one.number = -1 - number
    pairs = [one.halves for one in splits]
    centers = np.array([[half.center for half in pair] for pair in pairs], np.float64)
    below = np.array([[half.number for half in pair] for pair in pairs], np.int32)
    return {"_split_centers": centers.reshape(-1, 2, n_features), "_below": below.reshape(-1, 2)}


def check_tree(centers, below, n_clusters, n_features):
    """Refuse arrays that are no tree of splits down to these clusters, as those of a file may be.

    Raises
    ------
    ValueError
    """
    own = np.arange(len(below))[:, None]
    fits = (
        below.dtype == np.int32
        and below.shape == (len(below), 2)
        and centers.shape == (*below.shape, n_features)
    )
    if (
        not fits
        or not ((below < n_clusters) & (below > -1 - len(below)) & ((below >= 0) | (-1 - below > own))).all()
    ):
        raise ValueError(f"its splits do not lead to its {n_clusters} clusters")


def split(X, weights, rows, options):
    """Two clusters of the rows; none where they cannot be told apart.

    Parameters
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features), float32 or float64
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
    if issparse(X) and X.shape[0] * X.shape[1] <= MOST_DENSE:
        X = X.toarray()
    X = X if issparse(X) else np.ascontiguousarray(X)
    start = best_start(X, weights)
    options = options if start is None else {**options, "init": start, "n_init": 1}
    found = local_search(X, 2, sample_weight=weights, single=X.dtype == np.float32, **options)
    if found.stop_reason == "interrupted":
        raise KeyboardInterrupt
    halves = []
    for k in range(2):
        own = found.labels == k
        heavy = None if weights is None else weights[own]
        mass = np.count_nonzero(own) if weights is None else heavy.sum()
        halves.append(Cluster(rows[own], mass, found.centers[k], _inertia(X[own], heavy, found.centers[k])))
    return halves if all(len(half.rows) for half in halves) else []


def _inertia(X, weights, center):
    """The sum of the weighted squared distances of rows to one center."""
    if not X.shape[0] or weights is not None and not weights.any():
        return 0.0
    with Workers(1) as workers:
        rows = rows_for(X, weights, workers, compared_with=center[None])
        return rows.inertia(np.zeros(X.shape[0], np.int32), center[None])


def best_start(X, weights):
    """The means of the best two clusters where these are quickly found, else None."""
    n_samples, n_features = X.shape
    if n_samples > MOST_TURNED and n_features > 1:
        return None
    heavy = np.ones(n_samples) if weights is None else weights
    some = X[heavy > 0]
    used = np.unique(some.indices) if issparse(some) else np.arange(n_features)
    if issparse(some) and n_features > 1 and len(used) * some.shape[0] > MOST_DENSE:
        return None
    some = (some[:, used].toarray() if issparse(some) else some).astype(np.float64)
    differ = some.min(axis=0) < some.max(axis=0)
    points, own = np.unique(some[:, differ], axis=0, return_inverse=True)
    masses = np.bincount(own.ravel(), heavy[heavy > 0])
    if len(points) < 2:
        return None
    if points.shape[1] == 1:
        halves = natural_breaks(points[:, 0], 2, sample_weight=masses).labels
    elif len(points) <= MOST_EXHAUSTIVE:
        halves = exhaustive_search(points, 2, sample_weight=masses).labels
    elif points.shape[1] == 2:
        halves = best_halves(points, masses).labels
    else:
        return None
    means = [np.average(points[halves == k], axis=0, weights=masses[halves == k]) for k in range(2)]
    start = np.zeros((2, n_features))
    start[:, used] = some[0]
    start[:, used[differ]] = sorted(map(tuple, means))
    return start
