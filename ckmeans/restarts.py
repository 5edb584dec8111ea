"""The local search as a whole: starts, Lloyd's iteration, polishing and swaps, until the best value keeps coming back."""

from dataclasses import dataclass

import numpy as np

from .exchange import polish as exchange_rows
from .lloyd import Incumbent, Rows, lloyd, settle
from .seeding import kmeans_plusplus, random_rows
from .solution import Solution
from .swap import swapped
from .workers import Expired, Workers

SAME = 1e-9  # relative difference up to which two inertias count as the same minimum
ENOUGH_HITS = 3  # n_init="auto" ends once so many restarts have reached the best value ...
MOST_RESTARTS = 20  # ... or after so many restarts ...
MOST_WORK = 1e9  # ... or this many coordinate differences, or WORK_RATIO times the first Lloyd run if that is more
WORK_RATIO = 4
SWAP_REACH = 0.01  # a swap that ends further than this share above its restart is not worth polishing
PATIENCE = 8  # swaps in a row without success that end a restart


@dataclass(frozen=True, eq=False)
class LocalSolution(Solution):
    """The best clustering of a local search.

    Attributes
    ----------
    n_iter : int
        Updates of the centers in the restart that found it.
    n_restarts, n_hits : int
        Restarts completed, and how many of them reached the best inertia (to a relative 1e-9).
    """

    n_iter: int
    n_restarts: int
    n_hits: int

    @property
    def hit_rate(self):
        """Share of the restarts that reached the best inertia."""
        return self.n_hits / self.n_restarts if self.n_restarts else 0.0


def local_search(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=None,
    tol=0.0,
    polish=True,
    max_seconds=None,
    rng=None,
    n_threads=None,
    progress=None,
):
    """Search for a clustering of low inertia. Arguments are taken as checked; see `KMeans` for what they mean.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous
    sample_weight : ndarray of shape (n_samples,), float64, or None
    init : {"k-means++", "random"}, ndarray of shape (n_clusters, n_features), or callable(X, n_clusters, rng)
    rng : RandomState or Generator
    progress : callable(n_restarts, inertia), optional
        Called after each restart with their number so far and the best inertia.

    Returns
    -------
    LocalSolution
        The best so far when the time is up or on Ctrl-C, stop_reason then being "time_limit" or "interrupted".

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C before the first assignment of all rows is complete: there is nothing to return yet.
    """
    rng = np.random.default_rng() if rng is None else rng
    with Workers(n_threads, max_seconds) as workers:
        search = _Search(Rows(X, sample_weight, workers), n_clusters, init, n_init, max_iter, tol, polish, rng)
        try:
            search.run(X, progress)
            stop_reason = None
        except Expired:
            workers.deadline = float("inf")
            search.ensure_incumbent()
            stop_reason = "time_limit"
        except KeyboardInterrupt:
            if search.incumbent.best is None:
                raise
            stop_reason = "interrupted"
        return search.solution(stop_reason, X, sample_weight)


class _Search:
    """The restarts: where each ended, and the best clustering seen."""

    def __init__(self, rows, n_clusters, init, n_init, max_iter, tol, polish, rng):
        self.rows, self.n_clusters, self.init, self.rng = rows, n_clusters, init, rng
        self.max_iter, self.tol, self.polish = max_iter, tol, polish
        self.auto = n_init == "auto"
        self.n_init = 1 if isinstance(init, np.ndarray) or n_clusters == 1 else MOST_RESTARTS if self.auto else n_init
        self.incumbent = Incumbent()
        self.ends = []  # (inertia, n_iter, stop_reason) of each restart
        self.end = None  # the clustering of the best of them
        self.budget = np.inf

    def run(self, X, progress):
        """Restart until there is enough evidence, or n_init times."""
        for _ in range(self.n_init):
            self.ends.append(self.restart(X))
            if progress is not None:
                progress(len(self.ends), self.rows.unscale(self.incumbent.best).inertia)
            if self.end.inertia == 0 or (self.auto and (self.n_hits() >= ENOUGH_HITS or self.work() > self.budget)):
                break
        best = self.end  # not the incumbent: an iterate just before the fixed point may look better by a rounding error
        if not isinstance(self.init, np.ndarray):  # the same partition gets the same numbers from every seed
            best = self.rows.clustering(np.ascontiguousarray(best.centers[np.lexsort(best.centers.T[::-1])]))
        self.incumbent.best = settle(self.rows, best) if self.best_end()[2] == "converged" else best

    def restart(self, X):
        """One start, to where neither Lloyd's iteration, nor exchanges, nor a few swaps lead on."""
        rows, incumbent = self.rows, self.incumbent
        clustering, n_iter, stop_reason = lloyd(rows, self.start(X), self.max_iter, self.tol, incumbent)
        if self.budget == np.inf:
            self.budget = max(MOST_WORK, WORK_RATIO * self.work())
        if self.polish and stop_reason == "converged":
            first = n_iter
            clustering, more = exchange_rows(rows, clustering, incumbent, self.left(n_iter))
            n_iter += more
            if self.auto and self.n_init > 1:
                clustering, n_iter = self.swap(clustering, n_iter)
            if n_iter > first and n_iter == self.max_iter:
                stop_reason = "max_iter"
        if self.end is None or clustering.inertia < self.end.inertia:
            self.end = clustering
        return clustering.inertia, n_iter, stop_reason

    def swap(self, clustering, n_iter):
        """Random swaps until PATIENCE of them in a row have failed."""
        failures, proposals = 0, swapped(self.rows, clustering, self.rng)
        while failures < PATIENCE and self.work() <= self.budget and n_iter != self.max_iter:
            centers = next(proposals, None)
            if centers is None:  # every row lies on its center
                break
            other, more, _ = lloyd(self.rows, centers, self.left(n_iter), 0.0, self.incumbent)
            if other.inertia < clustering.inertia * (1 + SWAP_REACH):
                other, last = exchange_rows(self.rows, other, self.incumbent, self.left(n_iter + more))
                more += last
            failures += 1
            if other.inertia < clustering.inertia * (1 - SAME):
                failures, clustering, n_iter = 0, other, n_iter + more
                proposals = swapped(self.rows, clustering, self.rng)
        return clustering, n_iter

    def left(self, n_iter):
        """Updates of the centers that max_iter still allows in this restart; None without a limit."""
        return None if self.max_iter is None else self.max_iter - n_iter

    def start(self, X):
        """Centers to begin with, in the units of the kernels."""
        if isinstance(self.init, str) and self.init == "k-means++":
            return kmeans_plusplus(self.rows, self.n_clusters, self.rng)
        if isinstance(self.init, str):
            return random_rows(self.rows, self.n_clusters, self.rng)
        centers = self.init(X, self.n_clusters, self.rng) if callable(self.init) else self.init
        return self.rows.scale(check_centers(centers, self.n_clusters, X.shape[1]))

    def ensure_incumbent(self):
        """Some clustering, where the time did not even suffice for the first assignment."""
        if self.incumbent.best is None:
            given = isinstance(self.init, np.ndarray)
            centers = self.rows.scale(self.init) if given else random_rows(self.rows, self.n_clusters, self.rng)
            self.incumbent.offer(self.rows.clustering(centers))

    def work(self):
        """Coordinate differences computed so far."""
        return self.rows.n_distances * self.rows.n_features

    def n_hits(self):
        """Restarts that reached the best inertia."""
        return sum(inertia <= self.incumbent.best.inertia * (1 + SAME) for inertia, _, _ in self.ends)

    def best_end(self):
        """The restart that ended best."""
        return min(self.ends, default=(np.inf, 0, "time_limit"))

    def solution(self, stop_reason, X, sample_weight):
        """What the estimator hands on."""
        labels, centers, inertia = self.rows.unscale(self.incumbent.best)
        optimal = False
        if inertia == 0:  # which the squares of small numbers can be without being small enough
            off_center = (X != centers[labels]).any(axis=1)
            optimal = not (off_center if sample_weight is None else off_center & (sample_weight > 0)).any()
        _, n_iter, reason = self.best_end()
        return LocalSolution(
            labels=labels,
            centers=centers,
            inertia=inertia,
            lower_bound=0.0,
            status="optimal" if optimal else "bounded",
            stop_reason=stop_reason or reason,
            n_iter=n_iter,
            n_restarts=len(self.ends),
            n_hits=self.n_hits(),
        )


def check_centers(centers, n_clusters, n_features):
    """Given centers as a float64 array.

    Raises
    ------
    ValueError
        If the shape is not (n_clusters, n_features), or a value is not a finite number.
    """
    try:
        if np.asarray(centers).dtype.kind == "c":
            raise TypeError("these are complex")
        centers = np.array(centers, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"init gives centers that are not rows of numbers: {error}.") from None
    if centers.shape != (n_clusters, n_features):
        raise ValueError(
            f"init gives centers of shape {centers.shape}, where (n_clusters, n_features) is {(n_clusters, n_features)}."
        )
    if not np.isfinite(centers).all():
        raise ValueError("init gives centers that contain NaN or infinity: give finite numbers.")
    return centers
