"""Where large data start: few of the rows are searched for long, and all rows go on from what is found there.

A search of 2,000 rows costs less than one pass over 100,000 takes to repay: the sample is where many clusterings are tried,
and all rows see one run of Lloyd's iteration.
"""

import math

import numpy as np

from .hybrid import PATIENCE, PATIENCE_EASY, PATIENCE_LEAST, Hybrid
from .lloyd import lloyd
from .restarts import Restarts
from .rows import Clustering, Rows
from .seeding import count_candidates

# Rows of a sample: LEAST_ROWS, or ROWS_A_CLUSTER for each cluster, or one row in ONE_IN, whichever is most. More rows have
# minima that are nearer to those of all rows, and leave time for fewer of them.
LEAST_ROWS = 1024
ROWS_A_CLUSTER = 30
ONE_IN = 20
# Rows of data that are sampled. Fewer are searched quickly as they are, and no sample is as good.
LEAST_SAMPLED = 4097
# Share of the draws that go by weight; the others go by squared distance to the mean as well.
BY_WEIGHT = 0.5
# What the search of the sample may cost, in assignments of all rows: this share of the assignments that one founder takes, and
# SEEDINGS times what it takes to choose the centers by k-means++. A pass has some work for each distance beside that for each
# feature: it counts as ITERATION_FEATURES or SEEDING_FEATURES more features. benchmarks/default_quality.py is the judge.
SHARE = 0.15
SEEDINGS = 2.0
ITERATION_FEATURES = 24
SEEDING_FEATURES = 2
# Coordinate differences that the search may cost besides: some milliseconds, which nobody notices.
QUICK_WORK = 4e7
# Clusters at which seeding counts double: its steps are as many as the clusters.
MANY_CENTERS = 250
# Founders: fewer than MOST_FOUNDERS where the sample is not much smaller than the data.
LEAST_FOUNDERS = 2
MOST_FOUNDERS = 8
# A child moves one center, or more where there are more than FEW_CENTERS.
FEW_CENTERS = 32
# Clusters up to which members are crossed; beyond, a child of two is worse than both.
MOST_CROSSED = 256
# Share of the inertia that polishing has to gain for each update of the centers: in the sample, and over all rows.
SAMPLE_GAIN = 1e-4
LEAST_GAIN = 2e-6
# Updates of the centers that polishing may take in any case; with many features it could go on for long.
MOST_POLISHED = 3
# Members that are tried on all rows, for UPDATES updates of the centers, if they are within the share NEAR of the best inertia.
CARRIED = 2
UPDATES = 2
NEAR = 0.01


class Sampled(Restarts):
    """One run over all rows, from what was found in a sample."""

    def __init__(self, rows, n_clusters, init, n_init, max_iter, tol, polish, numbers):
        super().__init__(rows, n_clusters, init, 1, max_iter, tol, polish, numbers)

    def start(self, X):
        """Search a sample, and choose among the best of its clusterings by what they are for all rows."""
        rows = self.rows
        sample = draw_sample(rows, sample_size(rows.n_samples, self.n_clusters), self.numbers)
        search = SampleSearch(sample, self.n_clusters, self.init, self.numbers, rows.n_samples)
        try:
            search.evolve(sample.X)
        finally:
            members = search.members
            known = members[0].centers if members else search.current
            if known is not None:
                self.current = search.unscaled(known, rows)
        near = [member for member in members[:CARRIED] if member.inertia <= members[0].inertia * (1 + NEAR)]
        starts = [search.unscaled(member.centers, rows) for member in near]
        if len(starts) == 1 or sample is rows:
            return starts[0], None, 0
        ends = []
        rows.panels.pack()
        for centers in starts:
            partition, centers, n_iter, _ = lloyd(rows, centers, min(UPDATES, self.max_iter or UPDATES))
            ends.append((partition.inertia(centers), len(ends), centers, partition, n_iter))
            self.current = min(ends)[2]
        return min(ends)[2:]

    def enough(self, n_iter):
        """Polishing ends when it gains little, or has taken as many updates as were made before."""
        return LEAST_GAIN, max(n_iter, MOST_POLISHED)


class SampleSearch(Hybrid):
    """A population of clusterings of the sample.

    Parameters
    ----------
    rows : Rows
        The sample.
    n_samples : int
        Rows of the data, by which the budget goes.
    """

    n_children = 4
    most_crossed = MOST_CROSSED

    def __init__(self, rows, n_clusters, init, numbers, n_samples):
        super().__init__(rows, n_clusters, init, "auto", numbers)
        self.n_samples = n_samples
        self.n_founders = int(np.clip(SHARE * n_samples / rows.n_samples, LEAST_FOUNDERS, MOST_FOUNDERS))
        self.most_moves = max(1, n_clusters // FEW_CENTERS)
        self.n_more = self.most_moves * (count_candidates(n_clusters) + 1)

    def enough(self, n_iter):
        """Polishing the sample ends soon: it goes on over all rows."""
        return SAMPLE_GAIN, MOST_POLISHED

    def evolve(self, X):
        """Founders, and generations until the budget is spent."""
        self.make_founders(X)
        n, d, k = self.rows.n_samples, self.rows.n_features, self.n_clusters
        n_passes = self.work() / (self.n_founders * n * d * k)
        seeding = (2 + math.log(k)) * (1 + k / MANY_CENTERS)
        features = SHARE * n_passes * (d + ITERATION_FEATURES) + SEEDINGS * seeding * (d + SEEDING_FEATURES)
        self.budget = features * self.n_samples * k + QUICK_WORK
        self.breed(PATIENCE_EASY * k if self.is_clear else PATIENCE_LEAST + PATIENCE * k)

    def unscaled(self, centers, rows):
        """Centers in the units of all rows."""
        if self.rows is rows:
            return centers
        return self.rows.unscale(Clustering(None, centers, 0.0)).centers

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
        for c in range(n_moves):
            candidates = drawn[c * n_draws : (c + 1) * n_draws]
            nearer = np.minimum(closest[:, None], self.rows.distances(candidates))
            best = (weights @ nearer).argmin()
            closest = nearer[:, best]
            centers[needless[int(self.n_clusters * more[-1 - c] ** power)]] = candidates[best]


def sample_size(n_samples, n_clusters):
    """Rows of the sample: all, where a good one would not be much smaller."""
    size = max(LEAST_ROWS, ROWS_A_CLUSTER * n_clusters, n_samples // ONE_IN)
    return size if n_samples >= max(LEAST_SAMPLED, 2 * size) else n_samples


def draw_sample(rows, size, numbers):
    """A sample: Rows with weights with which they stand for all; the rows themselves if size is their number.

    One is drawn from each of `size` equal shares of all rows in their order: half by weight, half by weight times squared
    distance to the mean, so that what lies far out is not missed. For one size, whole weights do what as many copies of
    the row would.

    References
    ----------
    Bachem, Lucic & Krause (2018), "Scalable k-means clustering via lightweight coresets", KDD, 1119-1127.
    """
    if size == rows.n_samples:
        return rows
    weights, mean = rows.sample_weight, rows.origin[None]
    if len(weights):
        mean = rows.update(np.zeros(rows.n_samples, np.int32), mean)[0]
    masses = rows.distances(mean)[:, 0]
    if len(weights):
        masses *= weights
    scatter = masses.sum()
    if scatter > 0:
        masses *= 1 - BY_WEIGHT
        masses /= scatter
    masses += BY_WEIGHT * weights / weights.sum() if len(weights) else BY_WEIGHT / rows.n_samples
    cumulated = np.cumsum(masses)
    shares = (np.arange(size) + numbers.uniform(size)) / size * cumulated[-1]
    drawn = np.minimum(
        np.searchsorted(cumulated, shares, side="right"), np.searchsorted(cumulated, cumulated[-1])
    )
    drawn, counts = np.unique(drawn, return_counts=True)
    weights = counts * (weights[drawn] if len(weights) else 1.0) / masses[drawn] / size
    return Rows(np.ascontiguousarray(rows.X[drawn]), weights, rows.workers)
