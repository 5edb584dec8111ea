"""The local search as a whole: starts, Lloyd's iteration, polishing and swaps, until the best value keeps coming back."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

import numpy as np

from ..solution import Solution
from ..validation import check_centers
from ..workers import Expired
from .cutoffs import SwapCutoff
from .exchange import polish
from .lloyd import lloyd, round_off
from .oversampling import kmeans_parallel
from .rows import Clustering
from .seeding import kmeans_plusplus, random_rows
from .small import ITERATION_WORK, iteration_work
from .sparse import rows_for
from .stopping import (
    EASY_HITS,
    EASY_WORK,
    ENOUGH_HITS,
    MOST_ORDERS,
    MOST_RESTARTS,
    MOST_WORK,
    PATIENCE,
    POLISH_REACH,
    SAME,
    SMALL_WORK,
    SWAP_REACH,
    WORK_RATIO,
)
from .swap import proposals
from .trivial_bound import trivial_bound

# Coordinate differences in a pass over the rows, above which the data are large: it pays then to look more often whether a run
# is worth going on with, and n_init="auto" is the business of sampled.py.
LARGE = 1 << 20
# Seconds that a search which was stopped may take for what it returns. More would make Ctrl-C and time limits late.
GRACE = 0.06
# Seconds between two copies of the labels, as long as no restart has ended: what an interrupted search returns then.
KEEP_SECONDS = 0.1
# Share of the time that making these copies may take.
KEEP_SHARE = 0.05

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
        Restarts made, and how many of them reached the best inertia (to a relative 1e-9).
    doubtful_share : float
        Share of the labels given on the way that the scores could not tell: exact comparisons did.
    computed_share : float
        Share of the squared distances on the way that were computed; bounds spared the others.
    """

    n_iter: int
    n_restarts: int
    n_hits: int
    doubtful_share: float
    computed_share: float

    @property
    def hit_rate(self):
        """Share of the restarts that reached the best inertia."""
        return self.n_hits / self.n_restarts if self.n_restarts else 0.0


def run_until_limit(
    search_of,
    X,
    sample_weight,
    workers,
    progress,
    held,
    single,
    algorithm="auto",
    interrupted=False,
    rows_of=rows_for,
):
    """Run the search that search_of(rows) returns, until it ends, the time is up, or there was Ctrl-C: a LocalSolution."""
    with workers.without_limit():  # one look at the rows is needed whatever the limit
        search = search_of(rows_of(X, sample_weight, workers, algorithm=algorithm))
    search.listener, search.single = progress if hasattr(progress, "began") else None, single
    solution, stop_reason = None, "time_limit"
    try:
        if interrupted:
            raise KeyboardInterrupt
        with suppress(Expired):
            search.run(X, progress)
            solution = search.solution(held)
        held.begin()
    except KeyboardInterrupt:
        held.begin()
        stop_reason = "interrupted"
    return solution or search.so_far(stop_reason)


class Restarts:
    """The restarts: where each ended, the best centers of all, and the latest of the one that is running."""

    def __init__(self, rows, n_clusters, init, n_init, max_iter, tol, polish, numbers):
        self.rows, self.n_clusters, self.init, self.numbers = rows, n_clusters, init, numbers
        self.max_iter, self.tol, self.polish = max_iter, tol, polish and not rows.plain
        self.auto = n_init == "auto" and not rows.once
        once = isinstance(init, np.ndarray) or n_clusters == 1 or rows.once and n_init == "auto"
        self.n_init = 1 if once else MOST_RESTARTS if self.auto else n_init
        self.best = self.current = self.partition = None  # Clustering; centers; Partition of the best
        self.single = False  # whether the centers of the result are float32
        self.listener = (
            None  # is told where each restart begins, and where its iteration ends, if there is one
        )
        self.kept, self.keep_at = None, 0.0  # labels and centers of the restart that is running, not long ago
        self.ends = []  # (inertia, n_iter, stop_reason) of each restart
        # How many restarts reached the best inertia: counted before the best is put in order, which may lower it.
        self.hits = None
        self.budget = np.inf  # work allowed in all
        self.large = self.auto and self.rows.X.size * n_clusters > LARGE

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
        centers, partition, before = self.start(X)
        if self.listener is not None:
            self.listener.began()
        partition, centers, n_iter, stop_reason = lloyd(
            self.rows,
            centers,
            self.updates_left(before),
            self.tol,
            self.remember,
            partition,
            self.watch(before),
            self.extrapolation(),
        )
        n_iter += before
        if self.listener is not None:
            here = self.rows.update(partition.labels, centers)[2]
            inertia = self.rows.unscale(Clustering(None, centers, here)).inertia
            self.listener.ended(n_iter, inertia, stop_reason, self.tol)
        if stop_reason == "converged":
            partition, centers, n_iter = self.go_on_from(partition, centers, n_iter)
        if self.budget == np.inf:
            each = iteration_work(self.rows.n_samples, self.rows.n_features, self.n_clusters)
            allowed = SMALL_WORK if each <= ITERATION_WORK else MOST_WORK
            self.budget = max(allowed, WORK_RATIO * self.work())
        if not self.polish or stop_reason != "converged":
            return self.offer(partition, centers), n_iter, stop_reason
        first = n_iter
        partition, centers, more = polish(
            self.rows, partition, centers, self.remember, self.updates_left(n_iter), *self.enough(n_iter)
        )
        n_iter += more
        inertia = self.offer(partition, centers)
        if self.auto and self.n_init > 1:
            inertia, n_iter = self.swap(partition, centers, inertia, n_iter)
        return inertia, n_iter, "max_iter" if first < n_iter == self.max_iter else "converged"

    def swap(self, partition, centers, inertia, n_iter):
        """Random swaps, until one leads to the best inertia of all restarts, or too many in a row have failed."""
        rows, failures = self.rows, 0
        swaps = proposals(rows, partition.labels, centers, self.numbers)
        patience = max(PATIENCE, self.n_clusters)
        while failures < patience and self.work() <= self.budget and n_iter != self.max_iter:
            if self.ends and self.best.inertia * (1 - SAME) <= inertia <= self.best.inertia * (1 + SAME):
                break
            proposal = next(swaps, None)
            if proposal is None:  # every row lies on its center
                break
            failures += 1
            cutoff = SwapCutoff(inertia, centers, SWAP_REACH, self.large)
            other, moved, more, reason = lloyd(
                rows, proposal, self.updates_left(n_iter), partition=partition.copy(), cutoff=cutoff
            )
            if reason == "hopeless":
                continue
            ratio = rows.update(other.labels, moved)[2] / inertia
            if ratio > 1 + POLISH_REACH or 1 - SAME <= ratio <= 1 + SAME:
                continue
            other, moved, last = polish(rows, other, moved, max_iter=self.updates_left(n_iter + more))
            value = self.offer(other, moved)
            if value < inertia * (1 - SAME):
                failures, partition, centers, inertia, n_iter = 0, other, moved, value, n_iter + more + last
                swaps = proposals(rows, partition.labels, centers, self.numbers)
        return inertia, n_iter

    def updates_left(self, n_iter):
        """Updates of the centers that max_iter still allows in this restart; None without a limit."""
        return None if self.max_iter is None else self.max_iter - n_iter

    def extrapolation(self):
        """For the run from the start, if it need not be Lloyd's trajectory."""
        return None

    def watch(self, before):
        """What looks on, as a cutoff, at the run from the start, which `before` updates lead to."""
        return None

    def go_on_from(self, partition, centers, n_iter):
        """A fixed point that is no worse, and the updates that led to it: this one."""
        return partition, centers, n_iter

    def enough(self, n_iter):
        """Where polishing may end, as `polish` has it, after n_iter updates of the centers: nowhere but at its end."""
        return ()

    def remember(self, centers, labels):
        """Remember the centers of the restart that is running, and now and then the labels."""
        self.current = centers
        if self.best is None and (now := monotonic()) >= self.keep_at:
            self.kept = Clustering(_compact(labels, self.n_clusters), centers, None)
            self.keep_at = max(now + KEEP_SECONDS, monotonic() + (monotonic() - now) / KEEP_SHARE)

    def offer(self, partition, centers):
        """Keep the clustering if it is the best so far, with the labels as they are; returns its inertia."""
        inertia = self.rows.cost(partition.labels, centers)
        if self.best is None or inertia < self.best.inertia:
            self.best, self.partition = Clustering(partition.labels, centers, inertia), partition
            self.kept = None
        return inertia

    def start(self, X):
        """Centers to begin with, in the units of the kernels, and a partition of the rows that is near, or None, and the updates made."""
        if isinstance(self.init, str):
            return STARTS[self.init](self.rows, self.n_clusters, self.numbers), None, 0
        centers = self.init
        if callable(centers):
            centers = centers(X, self.n_clusters, self.numbers.rng)
            centers = check_centers(centers, self.n_clusters, X.shape[1])
        return self.rows.scale(centers), None, 0

    def work(self):
        """Coordinate differences so far, those spared by bounds included: the same on every machine."""
        return (self.rows.n_distances + self.rows.n_spared) * self.rows.n_features

    def n_hits(self):
        """Restarts that reached the best inertia."""
        return sum(inertia <= self.best.inertia * (1 + SAME) for inertia, _, _ in self.ends)

    def best_end(self):
        """The restart that ended best."""
        return min(self.ends, default=(np.inf, 0, "time_limit"))

    def finish(self):
        """Put the best clustering in order, with labels made for just these centers. May be called again where it was cut off."""
        rows, best, partition = self.rows, self.best, self.partition
        self.hits = self.n_hits() if self.hits is None else self.hits
        if best is None:  # cut off in the first restart
            self.best = rows.clustering(self.current)
            return
        converged = self.best_end()[2] == "converged"
        # What follows may be cut off while labels change: then it goes on from these.
        best = best._replace(labels=best.labels.astype(np.int32, copy=False))
        self.best = best._replace(labels=_compact(best.labels, self.n_clusters))
        self.partition = None
        if isinstance(self.init, np.ndarray):
            # Sums in fixed point make means to the last bit or nearly: float32 needs no more of them.
            rounded = converged and (rows.fixed_point_loses_digits or not self.single)
            self.best = round_off(rows, best, partition) if rounded else best
            self.partition = partition
            return
        for _ in range(MOST_ORDERS):  # the same partition gets the same numbers from every seed
            # The labels there were make room for others.
            centers, best, partition = in_order(best.centers), None, None
            best = rows.clustering(centers)
            best = round_off(rows, best) if converged else best
            if np.array_equal(in_order(best.centers), best.centers):
                break  # else a row halfway between two centers has changed sides, and the means with it
        self.best = best

    def round_centers(self):
        """Round the centers to float32, with labels made for just these. May be called again where it was cut off."""
        best, centers = self.best, self.best.centers.astype(np.float32).astype(np.float64)
        if not np.array_equal(centers, best.centers):
            labels, partition, self.partition = best.labels.astype(np.int32, copy=False), self.partition, None
            self.best = best._replace(labels=_compact(labels, self.n_clusters))
            if partition is None or partition.labels is not labels or not partition.is_quick():
                partition = self.rows.partition(self.n_clusters, summed=False, labels=labels)
            self.rows.panels.assign(centers, partition)
            labels = partition.labels
            self.best = Clustering(labels, centers, self.rows.cost(labels, centers))

    def so_far(self, stop_reason):
        """The solution of a search that was stopped, without delay: if there is no time for new labels, with those it has."""
        workers = self.rows.workers
        workers.deadline = monotonic() + GRACE
        try:
            if self.best is None and self.kept is None:
                self.best = self.first()
            else:
                self.finish()
                if self.single:
                    self.round_centers()
        except Expired:
            workers.deadline = np.inf
            if self.best is None:
                labels, centers = self.kept.labels.astype(np.int32), self.kept.centers
                self.best = Clustering(labels, centers, self.rows.cost(labels, centers))
        workers.deadline = np.inf
        return self.outcome(stop_reason)

    def first(self):
        """Where not one assignment is complete: the rows with the nearest of as many centers as there is time for."""
        rows, workers, k = self.rows, self.rows.workers, self.n_clusters
        centers = rows.scale(self.init) if isinstance(self.init, np.ndarray) else self.current
        if centers is None:
            centers = random_rows(rows, k, self.numbers)
        partition = rows.partition(k, summed=False)
        try:
            rows.panels.assign(centers, partition)
        except Expired:
            # What a row takes goes up with k + 8. Copies of the first center are the nearest of no row: ties go to the first.
            share = np.count_nonzero(partition.labels >= 0) / rows.n_samples
            n = max(1, int(0.8 * share * (k + 8)) - 8)
            centers = np.concatenate([centers[:n], np.repeat(centers[:1], k - n, axis=0)])
            workers.deadline = np.inf
            partition.labels = rows.panels.assign(np.ascontiguousarray(centers[:n]))
        workers.deadline = np.inf
        return Clustering(partition.labels, centers, rows.cost(partition.labels, centers))

    def solution(self, held):
        """What the estimator hands on when the search has ended by itself."""
        self.finish()
        if self.single:
            self.round_centers()
        held.begin()
        self.rows.workers.deadline = np.inf
        return self.outcome(None)

    def outcome(self, stop_reason):
        """The best clustering, and what is known of it."""
        rows, best = self.rows, self.best
        best = best._replace(labels=best.labels.astype(np.int32, copy=False))
        labels, centers, inertia = clustering = rows.published(best)
        centers = centers.copy() if centers is self.init else centers
        converged = stop_reason is None and self.best_end()[2] == "converged"
        return self.solved(stop_reason, labels, centers, inertia, **self.known(clustering, converged))

    def known(self, clustering, converged):
        """Lower bound and status of a clustering in the units of the data."""
        rows = self.rows
        return trivial_bound(rows.given, rows.given_weight, clustering, converged, lambda: rows)

    def solved(self, stop_reason, labels, centers, inertia, **known):
        """A solution: with how it was found what is known of it, `lower_bound` and `status`."""
        rows = self.rows
        _, n_iter, reason = self.best_end()
        return LocalSolution(
            labels=labels,
            centers=centers,
            inertia=inertia,
            **known,
            stop_reason=stop_reason or reason,
            n_iter=n_iter,
            n_restarts=len(self.ends),
            n_hits=self.n_hits() if self.hits is None else self.hits,
            doubtful_share=rows.n_recomputed / max(1, rows.n_labelled),
            computed_share=rows.n_distances / max(1, rows.n_distances + rows.n_spared),
        )


def _compact(labels, n_clusters):
    """A copy of labels in as few bytes as do: labels may take half as much memory as the rows."""
    return labels.astype(np.min_scalar_type(n_clusters - 1))


def in_order(centers):
    """Centers in lexicographic order; a copy of another center, which no row is labelled with, becomes a copy of the last."""
    n = 0
    while n < centers.shape[1]:  # few features tell, and many take long
        n = min(centers.shape[1], 4 * n + 16)
        order = np.lexsort(centers[:, :n].T[::-1])
        first = centers[order, :n]
        if (first[1:] != first[:-1]).any(axis=1).all():
            break
    centers = np.ascontiguousarray(centers[order])
    different = np.append(True, (centers[1:] != centers[:-1]).any(axis=1))
    if different.all():
        return centers
    centers[: different.sum()] = centers[different]
    centers[different.sum() :] = centers[different.sum() - 1]
    return centers
