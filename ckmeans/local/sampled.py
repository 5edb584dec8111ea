"""Where large data start: few of the rows are searched for long, and all rows go on from what is found there.

A search of 2,000 rows costs less than one pass over 100,000 takes to repay: the sample is where many clusterings are tried,
and all rows see the best of them, fewer and fewer for longer and longer.
"""

import math
from itertools import pairwise

import numpy as np

from ..spectrum import multiply
from .cutoffs import Rest
from .exchange import polish
from .extrapolation import Extrapolation
from .hybrid import PATIENCE, PATIENCE_LEAST, Compiled, Hybrid, Stepwise, crossed
from .lloyd import lloyd
from .merging import MOST as MOST_MERGED
from .merging import merged
from .oversampling import draw_candidates
from .price import (
    ROUND_UPDATES,
    TOLERANCE,
    WIDE,
    begin_price,
    draw_price,
    iterations,
    pass_price,
    polish_price,
    price,
    search_price,
    strata_price,
    told_price,
)
from .restarts import Restarts
from .rows import Clustering
from .samples import draw_from_clusters, draw_sample
from .seeding import count_candidates, kmeans_plusplus
from .stopping import SAME

# Rows of a sample: LEAST_ROWS, or ROWS_A_CLUSTER for each cluster, or one row in ONE_IN, whichever is most; but no more than
# MOST_ROWS_A_CLUSTER. More rows have minima that are nearer to those of all rows, and leave time for fewer of them: 5,000 of 3e5 x 4
# even rows did as well as 15,000, k=5.
LEAST_ROWS = 1024
ROWS_A_CLUSTER, MOST_ROWS_A_CLUSTER = 30, 1000
ONE_IN = 20
# Rows of data that are sampled. Fewer are searched quickly as they are, and no sample is as good.
LEAST_SAMPLED = 4097
# What the parts may cost, in shares of the price of a start of scikit-learn (price.py). benchmarks/default_quality.py is the judge
# of these and of all that follow here: more would take more time than that start does on some of its data sets.
SEARCHED, RACED, POLISHED = 0.32, 0.3, 0.26
# Where all rows are searched, since a sample would not be much smaller, nothing but exchanges follows. (Noise, 5e4 x 2, k=1000: in six
# seeds never worse than ten restarts, with SEARCHED in one of five; 0.68 times the time of a start of scikit-learn.)
SEARCHED_WHOLE = 0.6
# The last run goes on to a fixed point: for so many times the updates that a start of scikit-learn makes. What they cost is taken off
# the price first (3e5 x 4 even rows, k=5: 150 to 220 updates after 22 to 50), of which LEFT is left in any case, and LEFT_OF_FEW where
# there are few clusters, for which there is little to search. With less, of five seeds one was 0.6 % above scikit-learn's default on
# heavy-tailed data and on clusters of unequal size.
LAST_RUN, LEFT, FEW_CLUSTERS, LEFT_OF_FEW = 3, 0.85, 8, 0.5
# The larger sample that follows on the first: as many rows as can be searched by SEARCHES local searches of at least SOON
# iterations, and at most one row in ONE_IN_LARGEST.
SEARCHES = 25
SOON = 30
ONE_IN_LARGEST = 4
# Starts in the sample that tell how many iterations one takes: as many as cost this share of its price, and MOST_TOLD at most. By one
# start the price of 5e4 scaled one-hot rows (x 54, k=20) was 114 to 301 in twelve trials, by two 148 to 260.
TOLD, MOST_TOLD = 0.05, 2
# Strata that it is drawn from, for each cluster, if that costs no more than this share of the price. Scaled one-hot columns (5e4 x
# 54, k=20) made the best of ten starts 4 to 6 % worse than others in a sample that was drawn otherwise, and 0 to 1 % so.
# They are rows of some rounds of draws, and not made for up to FEW_CLUSTERS clusters, which have many rows each in any sample.
STRATA, STRATA_ROUNDS = 6, 4
STRATIFIED = 0.1
# Nanoseconds that the search may take besides, which nobody notices; that a move takes for each row and each row it chooses
# from; and a child, and each pair of its centers. Measured on 2.5e4 x 2, k=50.
QUICK = 4e6
MOVE = 6.0
CHILD, PAIR = 1e5, 50.0
# Founders: fewer than MOST_FOUNDERS where the sample is not much smaller than this share of the data.
SHARE = 0.15
LEAST_FOUNDERS, MOST_FOUNDERS = 2, 8
# Founders are merged from FACTOR times as many clusters as are wanted, a local minimum; or where local searches are not compiled
# from MERGED_ROUNDS times as many rows, drawn in as many rounds, after MERGED_UPDATES updates. In trials of six founders, made much
# like these, the median inertia in the sample, above the least that was found, was 0.0 % beside 6.3 % of founders from
# k-means++ (3e4 x 128, k=100, blobs apart), 0.2 beside
# 1.0 % (blobs that overlap), 0.4 beside 3.6 % (clusters of unequal size), and no worse on noise (5e4 x 16, k=20).
FACTOR, MERGED_ROUNDS, MERGED_UPDATES = 2, 3, 2
# A child moves one center, or more where there are more than FEW_CENTERS.
FEW_CENTERS = 32
# Clusters up to which members are crossed; beyond, a child of two is worse than both.
MOST_CROSSED = 256
# Share of the inertia that polishing has to gain for each update of the centers: in the sample, and over all rows.
SAMPLE_GAIN = 1e-4
LEAST_GAIN = 2e-6
# Updates of the centers that polishing may take in any case; with many features it could go on for long.
MOST_POLISHED = 3
# Most members that are tried on all rows, if they are within the share NEAR of the best inertia: each for UPDATES updates of the
# centers, then the better half for twice as many, and so on.
CARRIED = 8
UPDATES = 8
NEAR = 0.01
# Runs over all rows that are crossed; updates of a child, and those before its first step beyond the means. On noise (5e4 x 16, k=20),
# with 700 updates in all, the median inertia of seven seeds above the best known was 0.09 % with 30 updates and 0.15 % with 16, from
# the same starts 0.16 % without children.
CROSSED, CHILD_UPDATES, SOONER = 4, 30, 4
# A start of scikit-learn is taken to make LONGER times the updates after which the centers of a run from a sample, with longer steps,
# were last seen to move by more than its tolerance. Medians on seven data sets, noise to heavy tails: 1.3 to 2.4 times as many.
LONGER = 1.25
# Share of the price by the sample up to which they are crossed before the last run; with 0.62 clusters of unequal size took 1.16 times
# the time of a start of scikit-learn.
EARLY = 0.5
# Share of the price, once it is known how many updates a run takes, up to which runs are crossed. From 0.8 to 0.9, and the price not
# below that by the sample, the worst of 16 seeds came from 0.57 to 0.24 % above ten restarts on heavy-tailed data, in 1.12 times the
# time; with 1.0 lognormal data (6e4 x 12, k=25) took 1.07 times that of a start of scikit-learn. A run from there to its end is
# expected to take LAST_AGAIN times the updates of the first.
SPENT, LAST_AGAIN = 0.9, 0.5


class Sampled(Restarts):
    """One run over all rows, from what was found in a sample."""

    def __init__(self, rows, n_clusters, init, n_init, max_iter, tol, polish, numbers):
        super().__init__(rows, n_clusters, init, 1, max_iter, tol, polish, numbers)
        self.runs = []  # the best over all rows before the last
        self.n_children = 0  # runs from crossed ones
        self.moving = 0  # updates after which the centers still moved, as scikit-learn sees it
        self.done = 0.0  # what was spent before all rows were gone over, in nanoseconds as they are counted
        self.before, self.rest, self.whole = 0, None, 0.0

    def start(self, X):
        """Search a sample, and choose among the best of its clusterings by what they are for all rows."""
        rows = self.rows
        sample, price = self.choose_sample()
        search = SampleSearch(sample, self.n_clusters, self.init, self.numbers, rows.X, price)
        try:
            search.evolve(sample.X)
        finally:
            members = search.members
            known = members[0].centers if members else search.current
            if known is not None:
                self.current = self.unscaled(sample, known)
        self.price = search.price
        self.done = search.done() + draw_price(*rows.X.shape)
        near = [member for member in members if member.inertia <= members[0].inertia * (1 + NEAR)]
        starts = [self.unscaled(sample, member.centers) for member in near]
        if sample is rows:
            return starts[0], None, 0
        rows.panels.pack()
        best = self.race(starts[: self.n_raced(self.price)])
        if self.crosses():
            best = self.cross(EARLY * self.price)
        centers, n_iter, self.moving = best.centers, best.n_iter, best.moving
        if rows.n_features < WIDE or not self.polish or self.tol:
            return centers, None, n_iter
        return self.exchange_early(centers, n_iter)

    def choose_sample(self):
        """The rows to search, and what the search may go by; None if that is not known yet."""
        rows, k = self.rows, self.n_clusters
        sample = draw_sample(rows, sample_size(rows.n_samples, k), self.numbers)
        if sample is rows:
            return rows, None
        n_iter = self.told_iterations(sample)
        whole = self.whole = price(rows.X, k, n_iter)
        last = LAST_RUN * n_iter * pass_price(rows.n_samples, rows.n_features, k)
        whole = max((LEFT if k > FEW_CLUSTERS else LEFT_OF_FEW) * whole, whole - last)
        each = SEARCHES * max(n_iter, SOON) * search_price(rows.n_features, k)
        size = int(min(SEARCHED * whole / each, rows.n_samples // ONE_IN_LARGEST))
        if (
            k > FEW_CLUSTERS
            and strata_price(rows.n_samples, rows.n_features, STRATA * k) <= STRATIFIED * whole
        ):
            n_draws = min(STRATA * k, sample.n_samples // 4) // STRATA_ROUNDS
            centers = draw_candidates(sample, n_draws, STRATA_ROUNDS, self.numbers)
            centers = self.unscaled(sample, centers)
            sample = draw_from_clusters(rows, max(size, sample.n_samples), self.numbers, centers)
        return sample, whole

    def told_iterations(self, sample):
        """Iterations that a start of scikit-learn makes, by the mean of some starts in the sample, if these cost little."""
        rows, k, found = self.rows, self.n_clusters, []
        while len(found) < MOST_TOLD:
            found.append(iterations(sample, rows.n_samples, k, self.numbers))
            n_iter = float(np.mean(found))
            cost_with_next = told_price(sample, k, len(found)) * (1 + 1 / len(found))
            if cost_with_next > TOLD * price(rows.X, k, n_iter):
                break
        return n_iter

    def n_raced(self, whole):
        """How many members can be tried on all rows."""
        each = pass_price(*self.rows.X.shape, self.n_clusters)
        for n in range(CARRIED, 1, -1):
            if n * math.ceil(math.log2(n)) * (1 + UPDATES) * each <= RACED * whole:
                return n
        return 1

    def race(self, starts):
        """Lloyd's iteration over all rows from some starts, fewer and fewer of them, each for longer; the best of them."""
        runs, left = [_Run(number, centers) for number, centers in enumerate(starts)], []
        n_updates = UPDATES
        while len(runs) > 1 and not all(run.ended for run in runs):
            for run in runs:
                if not run.ended:
                    self.go_on(run, n_updates)
            runs.sort(key=_Run.rank)
            distinct = runs[:1] + [
                run for before, run in pairwise(runs) if run.inertia > before.inertia * (1 + SAME)
            ]
            half = -(-len(runs) // 2)
            runs, left = distinct[:half], distinct[half:] + left
            n_updates *= 2
        self.runs = sorted(runs + left, key=_Run.rank)[:CROSSED]
        return runs[0]

    def crosses(self):
        """Whether runs are crossed."""
        return self.max_iter is None and not self.tol and 2 < self.n_clusters <= MOST_CROSSED

    def cross(self, budget):
        """Runs over all rows from crossed runs, as long as the budget allows; the best of the runs."""
        runs, n_failed = self.runs, 0
        shape = self.rows.X.shape
        each = CHILD_UPDATES * pass_price(*shape, self.n_clusters) + begin_price(*shape)
        while len(runs) > 1 and n_failed < PATIENCE_LEAST and self.spent() + each <= budget:
            one, two, three, *numbers = self.numbers.uniform(3 + self.n_clusters)
            parent = int(len(runs) * min(one, two))
            other = (parent + 1 + int((len(runs) - 1) * three)) % len(runs)
            taken = np.array(numbers) < 0.5
            self.n_children += 1
            run = _Run(CARRIED + self.n_children, crossed(runs[parent].centers, runs[other].centers, taken))
            run.n_iter = runs[parent].n_iter
            self.go_on(run, CHILD_UPDATES, SOONER)
            n_failed += 1
            if all(abs(run.inertia - known.inertia) > SAME * run.inertia for known in runs):
                n_failed *= run.inertia > runs[0].inertia
                runs.append(run)
                runs.sort(key=_Run.rank)
                del runs[CROSSED:]
        return runs[0]

    def go_on(self, run, n_updates, *first):
        """Some more updates of the centers in a run of the race."""
        left, rest = self.updates_left(run.n_iter), Rest(TOLERANCE * self.rows.variance)
        partition, run.centers, n_iter, reason = lloyd(
            self.rows,
            run.centers,
            n_updates if left is None else min(left, n_updates),
            cutoff=rest,
            extrapolation=self.extrapolation(*first),
        )
        self.done += begin_price(*self.rows.X.shape)
        if rest.moving:
            run.moving = max(run.moving, run.n_made + rest.moving)
        run.n_made += n_iter
        run.n_iter += n_iter
        run.inertia, run.ended = partition.inertia(run.centers), reason == "converged" or left == n_iter
        self.current = run.centers

    def watch(self, before):
        self.before, self.rest = before, Rest(TOLERANCE * self.rows.variance)
        return self.rest

    def go_on_from(self, partition, centers, n_iter):
        """Cross runs once more, as the price of a start allows it that makes as many updates as were made."""
        if not self.crosses() or len(self.runs) < 2:
            return partition, centers, n_iter
        shape, first = (*self.rows.X.shape, self.n_clusters), self.runs[0]
        moving = self.before + self.rest.moving if self.rest.moving else self.moving
        whole = price(self.rows.X, self.n_clusters, LONGER * moving)
        # A run that begins near its end tells too little of a start from k-means++.
        if self.n_clusters > FEW_CLUSTERS:
            whole = max(self.whole, whole)
        last = LAST_AGAIN * n_iter * pass_price(*shape) + min(polish_price(*shape), POLISHED * whole) / 2
        run = self.cross(SPENT * whole - last)
        if run is first:
            return partition, centers, n_iter
        found, ends, more, _ = lloyd(self.rows, run.centers, extrapolation=self.extrapolation())
        if found.inertia(ends) < partition.inertia(centers):
            return found, ends, run.n_iter + more
        return partition, centers, n_iter

    def spent(self):
        """What was spent so far, in nanoseconds as they are counted."""
        n, d, k = *self.rows.X.shape, self.n_clusters
        return self.done + self.work() / (n * d * k) * pass_price(n, d, k)

    def exchange_early(self, centers, n_iter):
        """A round of exchanges before the fixed point, and more only if there is time for them: one way to a fixed point, not two."""
        left = self.updates_left(n_iter)
        partition, centers, more, _ = lloyd(
            self.rows, centers, UPDATES if left is None else min(left, UPDATES)
        )
        n_iter += more
        partition, centers, more = polish(
            self.rows, partition, centers, self.remember, self.updates_left(n_iter), 0.0, 1
        )
        self.polish = self.n_rounds() >= 1
        return centers, partition, n_iter + more

    def extrapolation(self, *first):
        return Extrapolation(*first) if self.rows.n_features < WIDE and not self.tol else None

    def enough(self, n_iter):
        """Polishing ends when it gains little, has taken as many updates as were made before, or its share of the price."""
        affordable = int(ROUND_UPDATES * max(1.0, self.n_rounds()))
        return LEAST_GAIN, min(max(n_iter, MOST_POLISHED), affordable)

    def n_rounds(self):
        """Rounds of exchanges that their share of the price pays for."""
        round_price = polish_price(self.rows.n_samples, self.rows.n_features, self.n_clusters)
        return POLISHED * self.price / round_price

    def unscaled(self, sample, centers):
        """Centers of a sample in the units of all rows."""
        return centers if sample is self.rows else sample.unscale(Clustering(None, centers, 0.0)).centers


class _Run:
    """A run of the race, and where it is."""

    def __init__(self, number, centers):
        self.number, self.centers, self.inertia, self.ended = number, centers, np.inf, False
        # Updates, those since it was crossed, and those of them after which the centers still moved.
        self.n_iter = self.n_made = self.moving = 0

    def rank(self):
        return self.inertia, self.number


class SampleSearch(Hybrid):
    """A population of clusterings of the sample.

    Parameters
    ----------
    rows : Rows
        The sample.
    X : ndarray of shape (n_samples, n_features)
        The data.
    price : float or None
        What a start of scikit-learn takes, by which the budget goes; None where the founders are to tell.
    """

    n_children = 4
    most_crossed = MOST_CROSSED

    def __init__(self, rows, n_clusters, init, numbers, X, price):
        super().__init__(rows, n_clusters, init, "auto", numbers)
        self.whole, self.price = X, price
        self.n_founders = int(np.clip(SHARE * len(X) / rows.n_samples, LEAST_FOUNDERS, MOST_FOUNDERS))
        self.most_polished = 0 if rows.n_features >= WIDE else None
        self.n_made = self.n_moved = 0  # children, and centers moved
        self.most_moves = max(1, n_clusters // FEW_CENTERS)
        self.n_more = self.most_moves * (count_candidates(n_clusters) + 1)

    def enough(self, n_iter):
        """Polishing the sample ends soon: it goes on over all rows."""
        return SAMPLE_GAIN, MOST_POLISHED

    def evolve(self, X):
        """Founders, and generations until the budget is spent."""
        n, d, k = self.rows.n_samples, self.rows.n_features, self.n_clusters
        few = MERGED_ROUNDS * k <= min(MOST_MERGED, n // 2)
        self.merge_founders() if few and self.init.endswith("k-means++") else self.make_founders(X)
        share = SEARCHED if self.price is not None else SEARCHED_WHOLE
        if self.price is None:
            self.price = price(self.whole, k, int(self.work() / (3 * self.n_founders * n * d * k)))
        self.budget = share * self.price + QUICK
        self.breed(self.patience())

    def patience(self):
        """Children in a row without success that end the search."""
        k = self.n_clusters
        return k if self.is_clear else PATIENCE_LEAST + PATIENCE * k

    def merge_founders(self):
        """Founders from more clusters than are wanted, the cheapest pairs of which are merged."""
        starts = np.array([self.merge(*more) for more in self.more_clusters()])
        inertia = self.improve(starts)
        if not self.members:  # the kernels for few rows find all starts unusual
            self.improver = Stepwise(self)
            inertia = self.improve(starts)
        self.is_clear = inertia.max() <= inertia.min() * (1 + SAME)

    def more_clusters(self):
        """Centers and masses of more clusters than are wanted, for each founder."""
        rows, n_more = self.rows, FACTOR * self.n_clusters
        if Compiled.suits(rows, n_more):
            ends = [None] * self.n_founders
            Compiled(rows, n_more, polished=False).run(self.n_founders, self.numbers, np.inf, ends)
            if all(inertia < np.inf for inertia, *_ in ends):
                for _, centers, labels, _ in ends:
                    yield centers, np.bincount(labels, rows.weights(), n_more)
                return
        for _ in range(self.n_founders):
            rows.workers.check_time()
            centers = draw_candidates(rows, self.n_clusters, MERGED_ROUNDS, self.numbers)
            partition, centers, _, _ = lloyd(rows, centers, MERGED_UPDATES)
            yield partition.means(centers)

    def merge(self, centers, masses):
        """As many clusters as are wanted, from more; from k-means++ where too few of these have rows."""
        found = merged(centers, masses, self.n_clusters, self.rows.workers)
        found = kmeans_plusplus(self.rows, self.n_clusters, self.numbers) if found is None else found
        self.current = found if self.current is None else self.current
        return found

    def children(self):
        self.n_made += self.n_children
        return super().children()

    def spent(self):
        """Whether the budget is."""
        return self.done() > self.budget

    def done(self):
        """What the search has taken so far, in nanoseconds as they are counted."""
        n, d, k = self.rows.n_samples, self.rows.n_features, self.n_clusters
        done = self.work() / (d * k) * search_price(d, k) + self.n_moved * n * MOVE * count_candidates(k)
        return done + self.n_made * (CHILD + PAIR * k * k)

    def move(self, centers, member, row, center, more):
        """Move centers that are hardly needed to rows, each the best of a few drawn by their squared distances.

        How many is drawn too, few being more likely than many; as in k-means++ each lowers the distances for the next.
        """
        n_moves, n_draws = int(self.most_moves**center), count_candidates(self.n_clusters)
        drawn = member.draw(more[: n_moves * n_draws])
        if drawn is None:
            return
        # Half of the centers given up are among the 2 * n_moves that are needed least.
        power = max(1.0, math.log2(self.n_clusters / (2 * n_moves)))
        closest, weights, needless = member.closest, self.rows.weights(), member.needless_first()
        self.n_moved += n_moves
        for c in range(n_moves):
            candidates = drawn[c * n_draws : (c + 1) * n_draws]
            nearer = np.minimum(closest[:, None], self.rows.distances(candidates))
            best = multiply(weights[None], nearer).argmin()
            closest = nearer[:, best]
            centers[needless[int(self.n_clusters * more[-1 - c] ** power)]] = candidates[best]


def sample_size(n_samples, n_clusters):
    """Rows of the first sample: all, where a good one would not be much smaller."""
    size = max(
        LEAST_ROWS, ROWS_A_CLUSTER * n_clusters, min(n_samples // ONE_IN, MOST_ROWS_A_CLUSTER * n_clusters)
    )
    return size if n_samples >= max(LEAST_SAMPLED, 2 * size) else n_samples
