"""What a default run may cost: about what one start of scikit-learn's `KMeans` takes, as its work is counted.

All is in nanoseconds of one machine; only their ratios decide, so that the same data are searched alike everywhere.
"""

import math

from .partition import Partition
from .seeding import count_candidates, kmeans_plusplus

# scikit-learn 1.9, for numbers of 4 and of 8 bytes: of each row, and number of X; of each row, number of X, distance, and coordinate
# difference in an iteration; of each distance, and coordinate difference to a candidate of k-means++. Fitted to iterations of 40
# shapes, 2 to 400 features and 3 to 200 clusters; of 15 to 60 starts on each of ten data sets of 30,000 rows and more the median is
# 0.97 to 1.09 times what is told by the iterations they took on eight, and 1.3 and 1.5 times on two with one-hot columns.
ROW = {4: (75.0, 1.7), 8: (75.0, 3.0)}
ITERATION = {4: (3.0, 0.3, 0.65, 0.026), 8: (5.0, 0.5, 0.85, 0.047)}
CANDIDATE = {4: (5.0, 0.22), 8: (3.0, 0.16)}
# Iterations end there once the centers move by less than this share of the mean variance, sum of squares.
TOLERANCE = 1e-4
MOST_ITERATIONS = 300
# All rows take more iterations than a sample. Where the sample ended by the tolerance they take GROWTH, as a power of the ratio of
# their numbers, times as many. Where no row changed sides any more, and that of one row would have moved the centers by more than the
# tolerance, they take more: by FROZEN, as a power of the ratio up to which a cluster has FULL rows. Medians of four starts are told so
# to within a factor of 1.5 on 13 of 20 data sets, of that benchmark and others; with 0.2 as the power for all it was 8.
GROWTH, FROZEN, FULL = 0.1, 0.5, 500
# Share of the price of seeding that a search may count on: where it is most of the price, few iterations show that clusters are clear.
SEEDING = 0.75
# Features from which on exchanges are so dear, beside passes of panels, that there is one round of them.
WIDE = 64
# Features from which on panels and tiles fall out of the first-level cache, and a pass takes twice as long for each.
MANY = 512
# Calls of a run over all rows, however few: 30 updates of 1e4 x 2, k=30, took 2.0 ms where passes and sums are 1.25.
CALLS = 7e5
# Updates of the centers that a round of exchanges leads to, about.
ROUND_UPDATES = 8


def price(X, n_clusters, n_iter):
    """What greedy k-means++ and n_iter iterations over all rows take there."""
    n_samples, n_features = X.shape
    row, number = ROW[X.dtype.itemsize]
    own, each, distance, difference = ITERATION[X.dtype.itemsize]
    iteration = own + each * n_features + n_clusters * (distance + difference * n_features)
    distance, difference = CANDIDATE[X.dtype.itemsize]
    seeding = SEEDING * n_clusters * count_candidates(n_clusters) * (distance + difference * n_features)
    return n_samples * (row + number * n_features + n_iter * iteration + seeding)


def pass_price(n_samples, n_features, n_clusters):
    """What one assignment of all rows takes here."""
    own = n_samples * (0.4 + 0.15 * n_features + n_clusters * (0.055 + 0.0185 * n_features))
    return own if n_features < MANY else 2 * own


def search_price(n_features, n_clusters):
    """What a row takes in an assignment of a search of few rows, the exchanges of fewer than WIDE features included."""
    difference = (0.04 if n_features < MANY else 0.08) if n_features >= WIDE else 0.02 + 0.0015 * n_features
    return 3 + n_clusters * (0.1 + difference * n_features)


def draw_price(n_samples, n_features):
    """What it takes here to look at the rows and to draw a sample of them."""
    return n_samples * (25 + 4 * n_features)


def begin_price(n_samples, n_features):
    """What a run over all rows takes here besides its passes: sums of all rows, and of those that move at first; and calls."""
    return CALLS + n_samples * (15 + 3 * n_features)


def strata_price(n_samples, n_features, n_strata):
    """What it takes here to find the stratum of each row, its squared distance to the center, and an order of the rows."""
    return pass_price(n_samples, n_features, n_strata) + begin_price(n_samples, n_features)


def polish_price(n_samples, n_features, n_clusters):
    """What a round of exchanges takes here."""
    scan = n_samples * n_clusters * 0.3 * n_features
    return scan + ROUND_UPDATES * pass_price(n_samples, n_features, n_clusters)


def told_price(rows, n_clusters, n_starts):
    """What was done so far with a sample takes here, n_starts of `iterations`: mostly calls, 0.1 ms for each center that is drawn."""
    n, d = rows.n_samples, rows.n_features
    work = rows.n_distances + rows.n_spared
    return work / (n * n_clusters) * pass_price(n, d, n_clusters) + 1e5 * n_clusters * n_starts


def iterations(rows, n_samples, n_clusters, numbers):
    """Iterations of n_samples rows after k-means++, ended as scikit-learn ends them, by those of a sample."""
    centers = kmeans_plusplus(rows, n_clusters, numbers)
    tolerance = TOLERANCE * rows.scatter / rows.weights().sum() / rows.n_features
    partition = Partition(rows, n_clusters)
    rows.panels.pack()
    n_iter, moved = 0, math.inf
    while moved > tolerance and n_iter < MOST_ITERATIONS:
        rows.workers.check_time()
        rows.panels.assign(centers, partition)
        means = partition.means(centers)[0]
        moved, centers, n_iter = ((means - centers) ** 2).sum(), means, n_iter + 1
    ratio = n_samples / rows.n_samples
    if moved:
        return n_iter * ratio**GROWTH
    return n_iter * max(1.0, min(ratio, FULL * n_clusters / rows.n_samples)) ** FROZEN
