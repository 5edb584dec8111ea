"""The local search as a whole: starts, Lloyd's iteration, polishing and swaps, until the best value keeps coming back."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from .exchange import polish
from .lloyd import lloyd, settle
from .oversampling import kmeans_parallel
from .rows import Clustering, Rows
from .seeding import kmeans_plusplus, random_rows
from .solution import Solution
from .swap import proposals
from .workers import Expired, Workers

SAME = 1e-9  # relative difference up to which two inertias count as the same minimum
# n_init="auto" ends once so many restarts have reached the best value ...
ENOUGH_HITS = 3
# ... or so many, as long as they have cost no more coordinate differences than this ...
EASY_HITS, EASY_WORK = 8, 5e6
MOST_RESTARTS = 20  # ... or after so many restarts ...
# ... or this many coordinate differences, or WORK_RATIO times those of the first Lloyd run if that is more.
MOST_WORK = 5e8
WORK_RATIO = 4
MOST_ORDERS = (
    8  # times that the centers of the result are put in order, each move of a row lowering the inertia
)
SWAP_REACH = 0.02  # a swap still further than this share above its restart after a few iterations is given up
POLISH_REACH = 0.001  # one that ends further than this above it is not worth polishing
PATIENCE = 8  # swaps in a row without success, if there are not more clusters, that end a restart

# `init` in a word.
STARTS = {
    "k-means++": kmeans_plusplus,
    "plain k-means++": partial(kmeans_plusplus, n_candidates=1),
    "k-means||": kmeans_parallel,
    "random": random_rows,
}


@dataclass(frozen=True, eq=False)
class LocalSolution(Solution):
    """The best clustering of a local search.

    Attributes
    ----------
    n_iter : int
        Updates of the centers in the restart that found it.
    n_restarts, n_hits : int
        Restarts completed, and how many of them reached the best inertia (to a relative 1e-9).
    doubtful_share : float
        Share of the labels given on the way that the scores could not tell: exact comparisons did.
    """

    n_iter: int
    n_restarts: int
    n_hits: int
    doubtful_share: float

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
    algorithm="auto",
    rng=None,
    n_threads=None,
    progress=None,
):
    """Search for a clustering of low inertia. Arguments are taken as checked; see `KMeans` for what they mean.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous; or NpyFile
        The rows of a file are never polished, nor are centers swapped; n_init="auto" is one restart then.
    sample_weight : ndarray of shape (n_samples,), float64, or None
    init : a word of STARTS, ndarray of shape (n_clusters, n_features), or callable(X, n_clusters, rng)
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
        deadline, workers.deadline = (
            workers.deadline,
            np.inf,
        )  # one look at the rows is needed whatever the limit
        rows = Rows(X, sample_weight, workers, algorithm=algorithm)
        search = _Search(rows, n_clusters, init, n_init, max_iter, tol, polish, rng)
        workers.deadline = deadline
        stop_reason = None
        try:
            search.run(X, progress)
        except Expired:
            workers.deadline = np.inf
            stop_reason = "time_limit"
        except KeyboardInterrupt:
            if search.best is None and search.current is None:
                raise
            stop_reason = "interrupted"
        return search.solution(stop_reason)


class _Search:
    """The restarts: where each ended, the best centers of all, and the latest of the one that is running."""

    def __init__(self, rows, n_clusters, init, n_init, max_iter, tol, polish, rng):
        self.rows, self.n_clusters, self.init, self.rng = rows, n_clusters, init, rng
        self.max_iter, self.tol, self.polish = max_iter, tol, polish and not rows.streamed
        self.auto = n_init == "auto" and not rows.streamed
        once = isinstance(init, np.ndarray) or n_clusters == 1 or rows.streamed and n_init == "auto"
        self.n_init = 1 if once else MOST_RESTARTS if self.auto else n_init
        self.best = self.current = None  # Clustering; centers
        self.ends = []  # (inertia, n_iter, stop_reason) of each restart
        self.budget = np.inf

    def run(self, X, progress):
        """Restart until there is enough evidence, or n_init times."""
        for _ in range(self.n_init):
            self.ends.append(self.restart(X))
            self.current = None
            if progress is not None:
                progress(len(self.ends), self.rows.unscale(self.best).inertia)
            if self.best.inertia == 0:
                break
            enough = EASY_HITS if self.work() <= EASY_WORK else ENOUGH_HITS
            if self.auto and (self.n_hits() >= enough or self.work() > self.budget):
                break

    def restart(self, X):
        """One start, to where neither Lloyd's iteration, nor exchanges, nor a few swaps lead on."""
        centers = self.start(X)
        self.rows.pack()
        partition, centers, n_iter, stop_reason = lloyd(
            self.rows, centers, self.max_iter, self.tol, self.follow
        )
        if self.budget == np.inf:
            self.budget = max(MOST_WORK, WORK_RATIO * self.work())
        if not self.polish or stop_reason != "converged":
            return self.offer(partition, centers), n_iter, stop_reason
        first = n_iter
        partition, centers, more = polish(self.rows, partition, centers, self.follow, self.left(n_iter))
        n_iter += more
        inertia = self.offer(partition, centers)
        if self.auto and self.n_init > 1:
            inertia, n_iter = self.swap(partition, centers, inertia, n_iter)
        return inertia, n_iter, "max_iter" if first < n_iter == self.max_iter else "converged"

    def swap(self, partition, centers, inertia, n_iter):
        """Random swaps until one leads to what is the best of all so far anyway, or too many in a row have failed."""
        rows, failures = self.rows, 0
        swaps = proposals(rows, partition.labels, centers, self.rng)
        patience = max(PATIENCE, self.n_clusters)
        while failures < patience and self.work() <= self.budget and n_iter != self.max_iter:
            if self.ends and self.best.inertia * (1 - SAME) <= inertia <= self.best.inertia * (1 + SAME):
                break
            proposal = next(swaps, None)
            if proposal is None:  # every row lies on its center
                break
            failures += 1
            ceiling = inertia * (1 + SWAP_REACH)
            other, moved, more, reason = lloyd(
                rows, proposal, self.left(n_iter), partition=partition.copy(), ceiling=ceiling
            )
            if reason == "hopeless":
                continue
            reached = rows.update(other.labels, moved)[2] / inertia
            if reached > 1 + POLISH_REACH or 1 - SAME <= reached <= 1 + SAME:
                continue
            other, moved, last = polish(rows, other, moved, max_iter=self.left(n_iter + more))
            reached = self.offer(other, moved)
            if reached < inertia * (1 - SAME):
                failures, partition, centers, inertia, n_iter = 0, other, moved, reached, n_iter + more + last
                swaps = proposals(rows, partition.labels, centers, self.rng)
        return inertia, n_iter

    def left(self, n_iter):
        """Updates of the centers that max_iter still allows in this restart; None without a limit."""
        return None if self.max_iter is None else self.max_iter - n_iter

    def follow(self, centers):
        """Remember the centers of the restart that is running."""
        self.current = centers

    def offer(self, partition, centers):
        """Keep the clustering if it is the best so far, with the labels as they are; returns its inertia."""
        inertia = self.rows.update(partition.labels, centers)[2]
        if self.best is None or inertia < self.best.inertia:
            self.best = Clustering(partition.labels, centers, inertia)
        return inertia

    def start(self, X):
        """Centers to begin with, in the units of the kernels."""
        if isinstance(self.init, str):
            return STARTS[self.init](self.rows, self.n_clusters, self.rng)
        centers = self.init(X, self.n_clusters, self.rng) if callable(self.init) else self.init
        return self.rows.scale(check_centers(centers, self.n_clusters, X.shape[1]))

    def work(self):
        """Coordinate differences so far, those spared by bounds included: the same on every machine."""
        return (self.rows.n_distances + self.rows.n_spared) * self.rows.n_features

    def n_hits(self):
        """Restarts that reached the best inertia."""
        return sum(inertia <= self.best.inertia * (1 + SAME) for inertia, _, _ in self.ends)

    def best_end(self):
        """The restart that ended best."""
        return min(self.ends, default=(np.inf, 0, "time_limit"))

    def finished(self):
        """The best clustering, with labels made for just these centers."""
        rows, best = self.rows, self.best
        if self.current is not None and best is None:  # cut off in the first restart
            return rows.clustering(self.current)
        if best is None:  # cut off before the first assignment
            given = isinstance(self.init, np.ndarray)
            return rows.clustering(
                rows.scale(self.init) if given else random_rows(rows, self.n_clusters, self.rng)
            )
        converged = self.best_end()[2] == "converged"
        if isinstance(self.init, np.ndarray):
            return settle(rows, best) if converged else best
        for _ in range(MOST_ORDERS):  # the same partition gets the same numbers from every seed
            best = rows.clustering(np.ascontiguousarray(best.centers[np.lexsort(best.centers.T[::-1])]))
            best = settle(rows, best) if converged else best
            if (np.lexsort(best.centers.T[::-1]) == np.arange(self.n_clusters)).all():
                break  # else a row halfway between two centers has changed sides, and the means with it
        return best

    def solution(self, stop_reason):
        """What the estimator hands on."""
        clustering = self.finished()
        _, n_iter, reason = self.best_end()
        labels, centers, inertia = self.rows.unscale(clustering)
        return LocalSolution(
            labels=labels,
            centers=centers,
            inertia=inertia,
            lower_bound=0.0,
            status="optimal" if clustering.inertia == 0 and self.rows.on_centers(clustering) else "bounded",
            stop_reason=stop_reason or reason,
            n_iter=n_iter,
            n_restarts=len(self.ends),
            n_hits=self.n_hits(),
            doubtful_share=self.rows.n_doubtful / self.rows.n_labelled,
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
