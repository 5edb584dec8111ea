"""Hybrid genetic search: a few good clusterings are crossed, changed a little and improved by local search, over and over.

Where restarts find the same minima again and again, this goes on from one minimum to better ones.
"""

from weakref import WeakKeyDictionary

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from .._kernels import hybrid as kernels
from ..interrupts import Held
from ..workers import Workers, split
from .cutoffs import SwapCutoff
from .exchange import polish
from .lloyd import lloyd
from .random_stream import RandomStream
from .restarts import LARGE, STARTS, Restarts, run_until_limit
from .rows import Clustering
from .seeding import count_candidates
from .small import BLOCK_WORK, END, ITERATIONS, Plan, as_bytes, iteration_work
from .stopping import SAME

# Members of a population, and founders of each. More keep more kinds of clusterings, and take longer to agree.
MEMBERS = 8
# Children of a generation, made before any of them becomes a member. Not the number of threads: the result must not depend on it.
CHILDREN = 8
# Share of the inertia of the worst member by which a child may be above it after three updates; else it is given up.
REACH = 0.1
# Share of the crossed children that have a center moved to a row, too.
SWAPPED = 0.5
# A population ends after PATIENCE_LEAST + PATIENCE * n_clusters children in a row that were no better than the best, or after
# PATIENCE_EASY * n_clusters if all founders were the same clustering. More trade time for better minima.
PATIENCE_LEAST = 50
PATIENCE = 10
PATIENCE_EASY = 2
# n_init="auto" ends once ENOUGH populations have reached the best value; after MOST_POPULATIONS; or after MOST_WORK coordinate
# differences, or WORK_RATIO times those of the founders if that is more.
ENOUGH = 3
MOST_POPULATIONS = 50
MOST_WORK = 1e11
WORK_RATIO = 20
# And it ends after STALE times the coordinate differences that led to the best so far, if these are more than EASY. In 14 runs over 7
# data sets no better clustering came after more than 5.9 times those that led to the one before; they took up to 21 times as many.
STALE = 8
EASY = 1e9
# Populations between two rounds of the elites, the best members of each. On u1060 with 100 clusters these rounds led from 1.3e-4
# above the best known value to the value itself, in 10 s of one thread.
ELITE_ROUND = 4
# Clusters up to which the centers of two members are matched, which takes a matrix of all pairs.
MOST_MATCHED = 2048
# Coordinate differences in an iteration up to which a local search is one compiled call on one thread. Larger ones run one after
# the other, each on all threads.
COMPILED_WORK = 1 << 24


def hybrid_search(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_seconds=None,
    rng=None,
    n_threads=None,
    progress=None,
    held=None,
    single=False,
):
    """Search for a clustering of low inertia by populations. Arguments are taken as checked; see `KMeans`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous
    init : a word of STARTS, ndarray of shape (n_clusters, n_features), or callable(X, n_clusters, rng)
        Given centers are the first founder of each population, the others come from k-means++.
    rng : int, RandomState or Generator
    progress : callable(n, inertia), optional
        Called with the number of the population, from 1 on, when there is a better clustering.
    held, single : optional
        As in `local_search`.

    Returns
    -------
    LocalSolution
        Its restarts are populations.

    References
    ----------
    Gribel & Vidal (2019), "HG-means: a scalable hybrid genetic algorithm for minimum sum-of-squares clustering", Pattern
    Recognition 88:569-583, doi:10.1016/j.patcog.2018.12.022. Departures: founders from k-means++, exchanges of rows, fewer
    members that live as long as they are good enough, hopeless children given up early, and populations until some agree.
    """
    numbers = RandomStream(np.random.default_rng() if rng is None else rng)
    with Held() as own, Workers(n_threads, max_seconds) as workers:
        return run_until_limit(
            lambda rows: Hybrid(rows, n_clusters, init, n_init, numbers),
            X,
            sample_weight,
            workers,
            progress,
            held or own,
            single,
        )


class _Member:
    """A clustering of the population, a local minimum."""

    def __init__(self, rows, inertia, centers, labels, n_iter):
        self.rows, self.inertia, self.n_iter = rows, inertia, n_iter
        self.centers, self.labels = centers, labels
        self._matches, self.closest, self._needless = WeakKeyDictionary(), None, None

    def match(self, other):
        """Of each own center the one of the other's that it is matched with, to the least sum of squared distances."""
        if other not in self._matches:
            self._matches[other] = linear_sum_assignment(cdist(self.centers, other.centers, "sqeuclidean"))[1]
        return self._matches[other]

    def look(self):
        """Find out, once, how far the rows are from their centers, and how heavy the clusters are; the labels are then dropped."""
        if self.closest is not None:
            return
        rows = self.rows
        self.closest = closest = np.empty(rows.n_samples)

        def block(start, stop):
            away = rows.X[start:stop] - self.centers[self.labels[start:stop]]
            closest[start:stop] = np.einsum("if,if->i", away, away)

        rows.run(block, 1)
        self.cumulated = np.cumsum(rows.sample_weight * closest if len(rows.sample_weight) else closest)
        self.masses = np.bincount(self.labels, rows.weights(), len(self.centers))
        self.labels = None

    def draw(self, numbers):
        """Rows in double, drawn by their squared distances to their centers; None where all lie on theirs."""
        self.look()
        total = self.cumulated[-1]
        if not total > 0:
            return None
        drawn = np.searchsorted(self.cumulated, np.multiply(numbers, total), side="right")
        return self.rows.take(np.minimum(drawn, np.searchsorted(self.cumulated, total)))

    def needless_first(self):
        """The centers in the order of what it costs to merge their cluster with another one, cheapest first (Ward 1963)."""
        if self._needless is None:
            self.look()
            k, parts = len(self.centers), 1 / np.maximum(self.masses, np.finfo(float).tiny)
            costs = np.empty(k)

            def block(start, stop):
                merged = cdist(self.centers[start:stop], self.centers, "sqeuclidean")
                merged /= parts[start:stop, None] + parts
                merged[np.arange(stop - start), np.arange(start, stop)] = np.inf
                costs[start:stop] = merged.min(axis=1)

            self.rows.run(block, k, k)
            self._needless = costs.argsort(kind="stable")
        return self._needless


def crossed(centers, others, taken):
    """Centers, but where `taken` the ones of the others that these are matched with."""
    match = linear_sum_assignment(cdist(centers, others, "sqeuclidean"))[1]
    return np.where(taken[:, None], others[match], centers)


class Hybrid(Restarts):
    """Populations one after the other; a restart of the base class is a population here."""

    n_founders, n_children = MEMBERS, CHILDREN
    most_crossed = MOST_MATCHED  # clusters up to which members are crossed
    most_polished = None  # updates of the centers in polishing that is not compiled
    n_more = 0  # random numbers that `move` takes, beside two

    def __init__(self, rows, n_clusters, init, n_init, numbers):
        super().__init__(rows, n_clusters, init, n_init, None, 0.0, True, numbers)
        self.auto = n_init == "auto"
        self.n_init = 1 if n_clusters == 1 else MOST_POPULATIONS if self.auto else n_init
        self.improver = Compiled(rows, n_clusters) if Compiled.suits(rows, n_clusters) else Stepwise(self)
        self.best_member = None  # the best member of all populations
        self.best_work = 0  # coordinate differences up to it
        self.members, self.elites, self.progress = [], [], None

    def run(self, X, progress):
        self.progress = progress
        for _ in range(self.n_init):
            best = self.evolve(X)
            self.elites.append(best)
            if len(self.elites) == ELITE_ROUND:
                best = self.restart_from_elites(best)
            self.ends.append((best.inertia, best.n_iter, "converged"))
            clear = self.is_clear and len(self.ends) == 1
            if best.inertia == 0 or self.auto and (clear or self.n_hits() >= ENOUGH or self.spent()):
                break

    def evolve(self, X):
        """One population, until it has not become better for long; returns its best member."""
        self.members = []
        self.make_founders(X)
        if self.budget == np.inf:
            self.budget = max(MOST_WORK, WORK_RATIO * self.work())
        patience = PATIENCE_LEAST + PATIENCE * self.n_clusters
        return self.breed(PATIENCE_EASY * self.n_clusters if self.is_clear else patience)

    def restart_from_elites(self, best):
        """One more population, of the best members of the last ones; returns its best member if it is better than all."""
        elites, self.elites, self.members = self.elites, [], []
        for elite in sorted(elites, key=lambda member: member.inertia):
            if all(abs(elite.inertia - member.inertia) > SAME * elite.inertia for member in self.members):
                self.members.append(elite)
        known = self.best_member.inertia
        if len(self.members) > 1:
            self.breed(PATIENCE_LEAST + PATIENCE * self.n_clusters)
        self.elites = self.members[:1]
        return self.members[0] if self.members[0].inertia < known * (1 - SAME) else best

    def breed(self, patience):
        """Generations, until `patience` children in a row were no better than the best member, which is returned."""
        failures, best = 0, self.members[0]
        while failures < patience and best.inertia > 0 and self.n_clusters > 1 and not self.spent():
            self.improve(self.children(), self.members[-1].inertia)
            failures = failures + self.n_children if self.members[0] is best else 0
            best = self.members[0]
        return best

    def spent(self):
        """Whether the budget of n_init="auto" is."""
        return self.auto and self.work() > min(self.budget, max(EASY, STALE * self.best_work))

    def make_founders(self, X):
        """The founders; `is_clear` says whether all are the same clustering."""
        n = 1 if self.n_clusters == 1 else self.n_founders
        compiled = isinstance(self.improver, Compiled)
        if compiled and isinstance(self.init, str) and self.init == "k-means++":
            inertia = self.improve(n)
        else:
            given, starts = isinstance(self.init, np.ndarray), []
            for i in range(n):
                self.rows.workers.check_time()
                later = given and i
                starts.append(
                    STARTS["k-means++"](self.rows, self.n_clusters, self.numbers)
                    if later
                    else self.start(X)[0]
                )
                if not compiled:
                    self.current = starts[-1]
            inertia = self.improve(np.array(starts))
        if not self.members:  # the kernels for few rows find all starts unusual
            self.improver = Stepwise(self)
            return self.make_founders(X)
        self.is_clear = inertia.max() <= inertia.min() * (1 + SAME)

    def improve(self, starts, worst=np.inf):
        """Local searches from the centers `starts`, or from that number of draws of k-means++; their ends may become members."""
        n = starts if isinstance(starts, int) else len(starts)
        ends = [None] * n
        try:
            self.improver.run(starts, self.numbers, worst, ends)
        finally:
            for end in ends:
                if end is not None and end[0] < np.inf:
                    self.take(*end)
        return np.array([end[0] for end in ends])

    def take(self, inertia, centers, labels, n_iter):
        """Make a clustering a member, unless it is one already, or worse than all of them."""
        members = self.members
        if len(members) == MEMBERS and inertia >= members[-1].inertia:
            return
        if any(abs(member.inertia - inertia) <= SAME * inertia for member in members):
            return
        member = _Member(self.rows, inertia, centers.copy(), labels.copy(), n_iter)
        members.append(member)
        members.sort(key=lambda member: member.inertia)
        del members[MEMBERS:]
        if self.best_member is None or inertia < self.best_member.inertia * (1 - SAME):
            self.best_member, self.kept = member, Clustering(member.labels, member.centers, None)
            self.best_work = self.work()
            if self.progress is not None:
                known = self.rows.unscale(Clustering(None, centers, inertia)).inertia
                self.progress(len(self.ends) + 1, known)

    def children(self):
        """The starts of a generation: crossed members, a center of some moved to a row far from its own."""
        k, members = self.n_clusters, self.members
        starts = np.empty((self.n_children, *members[0].centers.shape))
        numbers = self.numbers.uniform((self.n_children, 7 + k + self.n_more))
        for start, (a, b, c, d, *others) in zip(starts, numbers):
            one, other = (members[int(len(members) * min(pair))] for pair in ((a, b), (c, d)))
            start[:] = one.centers
            crossed = one is not other and k <= self.most_crossed
            if crossed:
                taken = np.array(others[3 : 3 + k]) < 0.5
                start[taken] = other.centers[one.match(other)[taken]]
            if not crossed or others[0] < SWAPPED:
                self.move(start, one, *others[1:3], others[3 + k :])
        return starts

    def move(self, centers, member, row, center, more):
        """Move one of the centers, any of them, to a row drawn by its squared distance to the center of the member."""
        drawn = member.draw([row])
        if drawn is not None:
            centers[int(self.n_clusters * center)] = drawn[0]

    def n_hits(self):
        if not self.ends:
            return 0
        best = self.best_member.inertia if self.best is None else self.best.inertia
        return sum(inertia <= best * (1 + SAME) for inertia, _, _ in self.ends)

    def best_end(self):
        if not self.ends and self.best_member is not None:  # cut off in the first population
            return self.best_member.inertia, self.best_member.n_iter, "converged"
        return super().best_end()

    def finish(self):
        """The best clustering, once more by the kernels for all data, with which it is exact."""
        if self.best_member is not None and self.best is None:
            self.init = "k-means++"  # centers are put in order
            rows, best = self.rows, self.best_member
            rows.panels.pack()
            partition, centers, _ = polish(rows, *lloyd(rows, best.centers)[:2])
            inertia = self.offer(partition, centers)
            self.ends = [
                (inertia if end <= best.inertia * (1 + SAME) else end, *more) for end, *more in self.ends
            ]
        super().finish()


class Stepwise:
    """Local searches one after the other, each on all threads."""

    def __init__(self, search):
        self.search = search

    def run(self, starts, numbers, worst, ends):
        rows = self.search.rows
        rows.panels.pack()
        large = rows.X.size * starts.shape[1] > LARGE
        for c, start in enumerate(starts):
            cutoff = SwapCutoff(worst, start, REACH, large) if worst < np.inf else None
            on_centers = self.search.remember if self.search.best_member is None else None
            partition, centers, n_iter, reason = lloyd(rows, start, on_centers=on_centers, cutoff=cutoff)
            if reason == "hopeless":
                ends[c] = np.inf, centers, partition.labels, n_iter
                continue
            partition, centers, more = polish(
                rows, partition, centers, on_centers, self.search.most_polished, *self.search.enough(n_iter)
            )
            ends[c] = rows.update(partition.labels, centers)[2], centers, partition.labels, n_iter + more


class Compiled:
    """Local searches of few rows, each one compiled call on one thread."""

    def __init__(self, rows, n_clusters, polished=True):
        self.rows, self.shape = rows, (n_clusters, rows.n_features)
        self.settings = Plan(rows.n_features, n_clusters, "k-means++", "auto", None, polished).settings
        self.n_numbers = 1 + (n_clusters - 1) * count_candidates(n_clusters)
        # Searches that are worth a thread.
        self.size = max(1, BLOCK_WORK // (ITERATIONS * self.work(rows, n_clusters)))
        self.wide = False  # whether panels are of double
        self.idle = []  # workspaces that no thread uses now

    @staticmethod
    def work(rows, n_clusters):
        """Coordinate differences in an iteration, about."""
        return iteration_work(rows.n_samples, rows.n_features, n_clusters)

    @classmethod
    def suits(cls, rows, n_clusters):
        return cls.work(rows, n_clusters) <= COMPILED_WORK

    def workspace(self):
        """A search, with the rows made ready; None where they are unusual."""
        X, weights, k = self.rows.X, self.rows.sample_weight, self.shape[0]
        workspace = kernels.Workspace(np.empty(kernels.room(*X.shape, k, self.settings, self.wide)))
        return None if kernels.prepare(X, weights, k, self.settings, self.wide, workspace) else workspace

    def run(self, starts, numbers, worst, ends):
        n, rows = len(ends), self.rows
        seeds = numbers.uniform((n, self.n_numbers)) if isinstance(starts, int) else np.empty((0, 1))
        centers = np.empty((n, *self.shape)) if isinstance(starts, int) else starts
        labels, records = np.empty((n, rows.n_samples), np.int32), np.empty(n, END)
        counts = np.zeros((n, 2), np.int64)  # distances, and labels that differences decided, of each block

        def block(start, stop):
            try:
                workspace = self.idle.pop()
            except IndexError:
                workspace = self.workspace()
            if workspace is None:
                ends[start:stop] = [(np.inf, None, None, 0)] * (stop - start)
                return
            before = workspace.n_distances, workspace.n_recomputed
            at, fresh = start, True
            while at < stop:
                done = kernels.improve(
                    rows.X,
                    rows.sample_weight,
                    at,
                    stop,
                    fresh,
                    seeds,
                    worst * (1 + REACH),
                    workspace,
                    centers,
                    labels,
                    as_bytes(records),
                )
                for c in range(at, done):
                    ends[c] = float(records["inertia"][c]), centers[c], labels[c], int(records["n_iter"][c])
                if done < stop:
                    rows.workers.check_time()
                at, fresh = done, False
            counts[start] = np.subtract((workspace.n_distances, workspace.n_recomputed), before)
            self.idle.append(workspace)

        rows.workers.run(block, split(n, self.size))
        n_distances, n_recomputed = counts.sum(axis=0).tolist()
        n_labelled = n_distances // self.shape[0]
        rows.n_distances += n_distances
        rows.n_labelled += n_labelled
        rows.n_recomputed += n_recomputed
        if not self.wide and rows.X.dtype == np.float64 and 8 * n_recomputed > n_labelled:
            self.wide, self.idle = True, []
