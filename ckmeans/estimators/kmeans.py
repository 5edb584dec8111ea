"""The scikit-learn face of the local search: check the input once, call the solver, set the attributes."""

import warnings
from collections.abc import Callable
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..arithmetic import usual
from ..blocks.block_search import block_search
from ..blocks.sources import Source
from ..interrupts import Held
from ..local import small
from ..local.hybrid import hybrid_search
from ..local.restarts import STARTS
from ..local.search import local_search
from ..local.sparse import rows_for
from ..validation import (
    check_centers,
    check_fitted,
    check_flag,
    check_n_clusters,
    check_number,
    check_weights,
    check_whole,
)
from ..workers import Workers
from .callbacks import FRAMES, CallbackSupportMixin, Told, are_asked_for, with_callbacks
from .distances import distances
from .inputs import adopt, check_rows, rows_to_fit
from .over_blocks import distances_over, labels_over, score_over
from .partial_fit import PartialFit, known_costs, opened_summary
from .stored import Printed, count_updates, stored, warn_of

# What `algorithm` may be, and which of our ways that is.
ALGORITHMS = {name: name for name in ("auto", "lloyd", "hamerly", "yinyang", "cells", "hybrid")}
ALGORITHMS |= {"elkan": "hamerly", "full": "lloyd"}


def _is_seed(random_state):
    """Whether the generator is RandomState(random_state), which local_search can have for less than it takes to make."""
    return type(random_state) is int and 0 <= random_state < 2**32


@usual
class Centers(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """What can be done with the centers of a fit, `cluster_centers_`."""

    _kept_types = ("float64", "float32")  # of rows for which the centers are of the same type

    @property
    def _n_features_out(self):
        return len(self.cluster_centers_)

    def _checked(self, X, sample_weight=None):
        if "cluster_centers_" not in vars(self):
            check_is_fitted(self)
        return check_rows(self, X, False, True, True, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = list(self._kept_types)
        return tags

    def _double_centers(self):
        """The centers in double precision, where they are an array of float32."""
        centers = self.cluster_centers_
        single = type(centers) is np.ndarray and centers.dtype == np.float32
        return centers.astype(np.float64) if single else centers

    def _with_centers(self, X, workers, sample_weight=None):
        """The rows, and the centers, which are checked: they may have been set by hand."""
        centers = check_fitted("cluster_centers_", self.cluster_centers_, (None, X.shape[1]))
        weights = check_weights(sample_weight, X.shape[0])
        return rows_for(X, weights, workers, compared_with=centers), centers

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """Index of the exact nearest center of each row, ties going to the lowest index.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features), or rows in blocks, as in `fit`

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32, or lazy where X is
        """
        X = self._checked(X)
        if isinstance(X, Source):
            return labels_over(self, X)
        labels = small.labels_of(X, self._double_centers())
        if labels is not None:
            return labels
        with Workers(self.n_threads) as workers:
            rows, centers = self._with_centers(X, workers)
            return rows.nearest(centers)

    def fit_predict(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """Cluster the rows of X and return `labels_`. See `fit`."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Distances to the centers.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features)

        Returns
        -------
        distances : ndarray of shape (n_samples, n_clusters), float64; or float32 where both X and the centers are
            In the units of X; computed in double precision.
        """
        X = self._checked(X)
        if isinstance(X, Source):
            return distances_over(self, X)
        found = small.distances_to(X, self._double_centers())
        if found is None:
            centers = check_fitted("cluster_centers_", self.cluster_centers_, (None, X.shape[1]))
            found = distances(X, centers, self.n_threads)
        if X.dtype == np.float32 == getattr(self.cluster_centers_, "dtype", None):
            with np.errstate(over="ignore"):
                return found.astype(np.float32)
        return found

    def fit_transform(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.floating]:
        """Cluster the rows of X and return their distances to the centers. See `fit` and `transform`."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Minus the inertia of X with the nearest of the fitted centers.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features), or rows in blocks, as in `fit`
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        score : float
            In squared units of X; higher is better.
        """
        X = self._checked(X, sample_weight)
        if isinstance(X, Source):
            return score_over(self, X)
        if sample_weight is None:
            inertia = small.inertia_of(X, self._double_centers())
            if inertia is not None:
                return -inertia
        with Workers(self.n_threads) as workers:
            rows, centers = self._with_centers(X, workers, sample_weight)
            return -rows.inertia(rows.nearest(centers), centers)


@usual
class KMeans(CallbackSupportMixin, PartialFit, Centers):
    """k-means by local search: Lloyd's iteration, polished by exchanges of rows and swaps of centers.

    Labels are the exact nearest centers, ties going to the lowest index, for all finite numbers, and all results have the
    same bits for every number of threads. The centers are the means as floats: where a row is exactly as far from two means
    and one of them is no float, rounding decides. Of 10,000 runs of plain Lloyd over 60 points of an 8 x 8 grid, 17 ended
    otherwise than in rational numbers.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    init : {"k-means++", "plain k-means++", "k-means||", "random"}, array-like of shape (n_clusters, n_features) or \
callable, default="k-means++"
        Where the centers start: greedy k-means++, the best of a few draws for each center (Arthur & Vassilvitskii 2007);
        k-means++ with one draw; k-means|| (Bahmani et al. 2012), which draws in a few rounds what k-means++ draws one by
        one; rows at random; given centers; or ``init(X, n_clusters, random_state)``, which returns them. From some 100
        clusters on, "k-means||" takes a third to a fifth of the time of "k-means++", and is no worse; of sparse rows,
        as much time.
    n_init : "auto" or int, default="auto"
        Number of restarts over all rows. With "auto" it depends on the number of rows. Up to 4,096: restarts, each with
        random swaps of centers, until three of them (eight where they are cheap) have reached the best inertia, 20 are made, or
        a modest budget of work is spent. With more than 4,096 rows: one run over all rows, from the best of the clusterings that
        a search of a sample has found. With fewer than 64 features it takes steps beyond the means where that lowers the inertia, so
        that it ends at a fixed point of Lloyd's iteration sooner, whatever `algorithm`; an int has none. A callable `init` is called for each restart whatever the number of rows. Given centers are
        started from once.
    max_iter : int or None, default=None
        Most updates of the centers in a restart; None goes on to the fixed point. There is a ConvergenceWarning where the best
        restart had to end so.
    tol : float, default=0.0
        A restart ends after an update that moves the centers by no more than this: the sum of the squares of their shifts, as
        a share of the mean variance of the features, as in scikit-learn. It is not polished then. 0 goes on to a true
        fixed point, where no label changes.
    polish : bool, default=True
        Go on from each fixed point by moving single rows while that lowers the inertia (Hartigan 1975), to one where no
        move does. With ``n_init="auto"``, with more than 4,096 rows, it ends earlier: after a round of moves that gains less than
        2e-6 of the inertia for each update of the centers, or when its share of the work is spent. ``polish=False, n_init=1, init=centers`` is plain Lloyd.
    max_seconds : float or None, default=None
        Time limit; the best clustering so far is kept. Where not one assignment of all rows was complete when the time was
        up, or at Ctrl-C, the rows go to as many centers as the next tenth of a second allows, the others being copies of the
        first.
    algorithm : {"auto", "lloyd", "hamerly", "elkan", "yinyang", "cells", "hybrid"}, default="auto"
        "hybrid" searches for longer, and finds better clusterings where there are many clusters: it crosses a few good ones by
        matching their centers, moves single centers to other rows, and improves that by Lloyd's iteration and exchanges of
        rows (Gribel & Vidal 2019). A restart is such a population then: ``n_init="auto"`` goes on until three have reached the
        best inertia, or eight times the work that led to it is done, or a budget of work is spent, which takes seconds rather
        than minutes; an int is a number of populations. Each population begins with the given centers too, if there are any. X has to be in memory, and `max_iter`,
        `tol` and `polish` are left at their defaults.
        The others are ways to compute Lloyd's iteration; the result has the same bits. "hamerly" keeps a bound for each row, which
        spares most of the distances once the centers move little (Hamerly 2010); "yinyang" keeps one more for each group of
        16 centers (Ding et al. 2015). "cells", for up to 8 features, labels boxes of rows as a whole where one center is nearest to
        all of a box (Kanungo et al. 2002); it keeps 11 to 14 bytes a row and a copy of X in single precision. "auto" takes cells
        for up to 5 features, if the passes likely to follow pay for them, and groups from 48 features on; bounds begin once few
        labels change, and go on as long as the rows and distances that are left cost less than all of them would. "elkan",
        scikit-learn's word for bounds, is "hamerly"; "full", its old word for "lloyd", is deprecated.
    verbose : int or callable, default=0
        1 prints a line after each restart, with "hybrid" for each better clustering, of rows in blocks after each pass, and the share of labels that took an exact comparison; ``verbose(n_restarts, best_inertia)`` is called instead if callable.
    random_state : int, RandomState instance or None, default=None
        Seed of the restarts.
    n_threads : int or None, default=None
        Number of threads; None for as many as there are processors, shared with what else runs in this process.
        OMP_NUM_THREADS, which joblib and Dask set in their workers, and control groups count; without it, a process that
        `multiprocessing` has started, for a pool or for joblib, has one thread. Never changes the result.
    copy_x : bool, default=True
        Taken for the sake of code written for scikit-learn, and without effect: X is never written to.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), float64, or float32 where X is
        The means of the clusters, in lexicographic order unless `init` gave centers, those that no row has last. They are
        computed in double precision, and rounded in the end: labels and inertia are those of the centers as they are here. Of
        a search that was stopped they are the centers that the rows were assigned to last, in any order where putting them
        in order takes long, and float64 where rounding them does.
    labels_ : ndarray of shape (n_samples,), int32
        Index of the nearest center of each row; equal to ``predict(X)``.
    inertia_ : float
        Sum of the weighted squared distances of the rows to their centers.
    lower_bound_ : float
        No clustering into as many clusters has a lower inertia; 0.0 where nothing better is known.
    status_ : {"optimal", "bounded"}
        "optimal" for one cluster at its mean, and where every row lies on its center.
    n_iter_ : int
        Updates of the centers in the restart that was best. The last one, which finds that nothing moves, counts, as in
        scikit-learn.
    n_restarts_ : int
        Restarts that were made; 1 with ``n_init="auto"`` with more than 4,096 rows.
    hit_rate_ : float
        Share of the restarts made that reached the best inertia of them, to a relative 1e-9. It is evidence only where there
        were several restarts: of one it is 1.0, however good or bad. An int as `n_init` makes several of any number of rows.
    stop_reason_ : {"converged", "tol", "max_iter", "time_limit", "interrupted", "callback"}
        Why the search ended. "callback": one of scikit-learn's callbacks, which ``set_callbacks`` takes from version 1.9 on,
        asked for it after a restart; each restart is a task of the fit.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Where the column names of X are strings.

    References
    ----------
    Lloyd (1982), "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28:129-137, doi:10.1109/TIT.1982.1056489.
    Arthur & Vassilvitskii (2007), "k-means++: the advantages of careful seeding", SODA, 1027-1035. Bahmani, Moseley,
    Vattani, Kumar & Vassilvitskii (2012), "Scalable k-means++", PVLDB 5(7):622-633, doi:10.14778/2180912.2180915.
    Hamerly (2010), "Making k-means even faster", SIAM Data Mining, 130-140, doi:10.1137/1.9781611972801.12.
    Ding et al. (2015), "Yinyang k-means: a drop-in replacement of the classic k-means", ICML, PMLR 37:579-587.
    Hartigan (1975), Clustering Algorithms, ch. 4. Fränti (2018), "Efficiency of random swap clustering", J. Big Data 5:13,
    doi:10.1186/s40537-018-0122-y. Gribel & Vidal (2019), "HG-means: a scalable hybrid genetic algorithm for minimum
    sum-of-squares clustering", Pattern Recognition 88:569-583, doi:10.1016/j.patcog.2018.12.022.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import KMeans
    >>> kmeans = KMeans(3, random_state=0).fit(load_iris().data)
    >>> round(kmeans.inertia_, 4)
    78.8514
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
        polish: bool = True,
        max_seconds: float | None = None,
        algorithm: Literal[
            "auto", "lloyd", "hamerly", "elkan", "yinyang", "cells", "hybrid", "full"
        ] = "auto",
        verbose: int | Callable[[int, float], object] = 0,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
        copy_x: bool = True,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.polish = polish
        self.max_seconds = max_seconds
        self.algorithm = algorithm
        self.verbose = verbose
        self.random_state = random_state
        self.n_threads = n_threads
        self.copy_x = copy_x

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.algorithm != "hybrid"
        return tags

    @with_callbacks
    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Cluster the rows of X.

        Parameters
        ----------
        X : array-like or sparse array of shape (n_samples, n_features), rows in blocks, or Summary
            Float32 and float64 are taken as they are, without a copy if C-contiguous. An array of the rows in another order is
            kept beside it, unless X is a mapped file or takes more than half of the memory that is free.
            In blocks: the path of a .npy or Parquet file, a list of paths, a pattern such as ``"rows/*.parquet"``, a callable that
            returns an iterable of arrays, a Dask array or frame, or a Ray Dataset. The rows stay where they are, and the result
            has the bits that they give in one array. `labels_` are lazy where X is.
            Sparse rows are taken as CSR, without a copy if indices ascend, once each, and no entry is zero. Time and memory go by
            the entries, and by the numbers of the centers, which are dense. These rows are not polished, centers are not swapped,
            and with more than 4,096 rows ``n_init="auto"`` is one restart.
            Of a `Summary` the cells are clustered: `labels_` has one label for each, and `inertia_` is what the rows of the cells
            cost with these centers, of which no row was rounded.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, at least 0. Of rows in blocks also the name of a column, or a Dask array or series; not of a Summary.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For data or parameters out of their range; the message tells which, and the remedy. A wrong type raises what is both.
        KeyboardInterrupt
            On Ctrl-C, after the attributes were set to the best clustering so far. Where X was still being looked at, and
            after an error, the estimator is as it was before.
        """
        self._check_algorithm()
        with Held() as held:
            summary, X, sample_weight = opened_summary(X, sample_weight)
            X, features = rows_to_fit(self, X, True, True, sample_weight)
            weights = None if isinstance(X, Source) else check_weights(sample_weight, X.shape[0])
            self._warn_of_parameters()
            progress = self._progress(X, y, weights)
            solution = self._search(X, weights, held, progress)
            stopped = isinstance(progress, Told) and progress.stopped
            labels, centers, n_found = stored(X, solution)
            inertia, lower_bound, status = known_costs(summary, labels, centers, solution)
            adopt(
                self,
                features,
                cluster_centers_=centers,
                labels_=labels,
                inertia_=inertia,
                lower_bound_=lower_bound,
                status_=status,
                n_iter_=count_updates(solution, self.init, self.max_iter),
                n_restarts_=solution.n_restarts,
                hit_rate_=solution.hit_rate,
                stop_reason_="callback" if stopped else solution.stop_reason,
            )
        if isinstance(progress, Told):
            progress.end()
        if self.verbose and not callable(self.verbose):
            print(
                f"labels decided by exact comparisons: {solution.doubtful_share:.2g} of all given on the way"
            )
        warn_of(solution.stop_reason, self.max_iter, n_found, len(centers), FRAMES)
        return self

    def _check_algorithm(self):
        if not isinstance(self.algorithm, str) or self.algorithm not in ALGORITHMS:
            raise ValueError(
                f"algorithm={self.algorithm!r} is unknown: give one of {', '.join(map(repr, ALGORITHMS))}."
            )

    def _warn_of_parameters(self):
        """Warn of what is taken, and does not do what its words say."""
        if self.algorithm == "full":
            warnings.warn(
                "algorithm='full' is deprecated: give 'lloyd', which is the same.",
                FutureWarning,
                stacklevel=4 + FRAMES,
            )
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warnings.warn(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
                RuntimeWarning,
                stacklevel=4 + FRAMES,
            )
        given = not (self.init is None or isinstance(self.init, str) or callable(self.init))
        if given and self.algorithm != "hybrid" and self.n_init not in ("auto", 1):
            warnings.warn(
                f"Explicit initial center position passed: performing only one init in {type(self).__name__} instead of"
                f" n_init={self.n_init}.",
                RuntimeWarning,
                stacklevel=4 + FRAMES,
            )

    def _progress(self, X, y, weights):
        """What is called after each restart, or None."""
        progress = self.verbose if callable(self.verbose) else None
        if self.verbose and progress is None:
            progress = Printed("population" if self.algorithm == "hybrid" else "restart")
        if not are_asked_for(self):
            return progress
        most = self.n_init if isinstance(self.n_init, int) and self.algorithm != "hybrid" else None
        metadata = None if weights is None else {"sample_weight": weights}
        return Told(self, most, progress, X=X, y=y, metadata=metadata)

    def _search(self, X, weights, held, progress):
        """Check what is left to check, and search: a LocalSolution."""
        hybrid = self.algorithm == "hybrid"
        n_clusters = check_n_clusters(self.n_clusters, X.shape[0])
        if callable(self.init) and isinstance(X, Source):
            raise ValueError("init is a callable, and X comes in blocks: give the centers instead.")
        if hybrid:
            self._check_hybrid(X)
        own = {
            "max_iter": check_whole("max_iter", self.max_iter, 1, none=True),
            "tol": check_number("tol", self.tol),
            "polish": check_flag("polish", self.polish),
            "algorithm": ALGORITHMS[self.algorithm],
        }
        check_flag("copy_x", self.copy_x)
        search = hybrid_search if hybrid else block_search if isinstance(X, Source) else local_search
        return search(
            X,
            n_clusters,
            sample_weight=weights,
            init=self._checked_init(n_clusters, X.shape[1], not issparse(X)),
            n_init=check_whole("n_init", self.n_init, 1, word="auto"),
            max_seconds=check_number("max_seconds", self.max_seconds, none=True),
            rng=self.random_state if _is_seed(self.random_state) else check_random_state(self.random_state),
            n_threads=check_whole("n_threads", self.n_threads, 1, none=True),
            progress=progress,
            held=held,
            single=X.dtype == np.float32,
            **({} if hybrid else own),
        )

    def _check_hybrid(self, X):
        """Refuse what algorithm="hybrid" has no use for."""
        if isinstance(X, Source):
            raise ValueError("algorithm='hybrid' and X comes in blocks: give it as one array.")
        if issparse(X):
            raise ValueError(
                "algorithm='hybrid' and X is sparse: give X.toarray() if that fits into memory, or another algorithm."
            )
        for name, default in (("max_iter", None), ("tol", 0), ("polish", True)):
            if getattr(self, name) != default:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} is for the other algorithms: algorithm='hybrid' goes on to where no"
                    f" exchange of rows helps; leave it at {default}, and limit the search by max_seconds or n_init."
                )

    def _checked_init(self, n_clusters, n_features, copy):
        if self.init is None or isinstance(self.init, str):
            if self.init not in STARTS:
                raise ValueError(
                    f"init={self.init!r} is unknown: give one of {', '.join(map(repr, STARTS))}, an array of centers or a"
                    " callable."
                )
            return self.init
        return self.init if callable(self.init) else check_centers(self.init, n_clusters, n_features, copy)

    def _init_centroids(
        self, X, x_squared_norms, init, random_state, sample_weight, init_size=None, n_centroids=None
    ):
        """The centers that a word of STARTS gives: scikit-learn's private method, which other packages call."""
        with Workers(self.n_threads) as workers:
            return STARTS[init](
                rows_for(X, sample_weight, workers), n_centroids or self.n_clusters, random_state
            )
