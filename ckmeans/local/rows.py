"""The rows to cluster, in units that suit the kernels, and loops over all of them, row by row."""

from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from .._kernels import exchange as exchange_kernels
from .._kernels import lloyd as kernels
from .._kernels import panels as panel_kernels
from .._kernels import seeding as seeding_kernels
from .._kernels import small as exact_kernels
from ..rationals import TINY
from ..rationals import inertia as exact_inertia
from ..scaling import SAFE, unit, unsafe
from ..workers import split
from .directed import UnitRows, make_whole, pieces
from .panels import Panels
from .partition import Partition
from .seeding import Approached, Screened

# Coordinate differences in a block of the kernels that go row by row: some milliseconds. These take about 64 times as long for
# each as the kernels of panels.py.
BLOCK_WORK = 1 << 20
# Coordinate differences in a slab, the rows that are added up before all else. Part of the result: other slabs round otherwise.
SLAB_WORK = 1 << 22
# Share of a gain, or of a weight, that may be rounding: gains that differ by less count as equal. With less the row that is taken
# could depend on rounding, with more it would not be the best.
ROUNDED = 1e-12
# Rows up to which equal rows are looked for, to fill empty clusters; sorting more would take long, for a rare case.
MOST_SORTED = 1 << 21


class Clustering(NamedTuple):
    """The number of each row's nearest center, the centers, and the inertia of both."""

    labels: np.ndarray
    centers: np.ndarray
    inertia: float


class Rows:
    """The rows, their weights, and the threads that run the kernels.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous; NpyFile; or UnitRows
    sample_weight : ndarray of shape (n_samples,), float64, or None for ones
    workers : Workers
    compared_with : ndarray, optional
        Centers from elsewhere that are to be compared with the rows.
    algorithm : {"auto", "lloyd", "hamerly", "yinyang", "cells"}
        Whether bounds, or cells, spare the iteration distances; the labels are the same.

    Attributes
    ----------
    streamed : bool
        Whether X is a file, which is read block by block.
    plain : bool
        Whether rows are not moved one by one, nor centers swapped.
    once : bool
        Whether n_init="auto" is one restart.

    Notes
    -----
    Float64 data whose spread is outside 2**-300 .. 2**300 are scaled by a power of two, so that squares of differences
    neither overflow nor all vanish; weights likewise. `scale` takes centers into these units, `unscale` results back. Of
    numbers that are some 2**1300 apart the small ones lose digits by that (`lossy`): what is published, by `nearest` and
    `published`, is then made of the rows as they were given.
    """

    def __init__(self, X, sample_weight, workers, compared_with=None, algorithm="auto"):
        self._begin(X, sample_weight, workers, algorithm)
        self.width = self.n_features
        total, low, high = self._column_extremes()
        self.streamed = self.plain = self.once = not isinstance(X, (np.ndarray, UnitRows))
        if self.streamed and not np.isfinite(total + low + high).all():
            X.check_finite()
        most = np.array([low, high]) if compared_with is None else np.vstack([low, high, compared_with])
        extreme = abs(most).max()
        self.exponent = unit(most.min(axis=0), most.max(axis=0))
        if self.streamed and unsafe(extreme):
            raise ValueError(
                f"X holds {extreme:.3g} where a file is taken as it is: scale it to within 2**-{SAFE} .. 2**{SAFE}."
            )
        self.exponent *= not self.streamed
        self.lossy = False
        if self.exponent:
            make_whole(self)
            self.X, whole = np.ldexp(self.X.astype(np.float64, copy=False), -self.exponent), self.X
            self.lossy = self.exponent > 0 and not np.array_equal(np.ldexp(self.X, self.exponent), whole)
            total, low, high = self._column_extremes()  # again: the sum may have overflowed
        self.origin = (total / self.n_samples).astype(self.X.dtype).astype(np.float64)
        self.origin[low == high] = low[low == high]
        self.panels = Panels(self, low, high)
        self.units = self._fixed_point(np.maximum(high, -low))
        self.fixed_point_loses_digits = self._fixed_point_loses_digits()

    def _begin(self, X, sample_weight, workers, algorithm):
        """What does not depend on what the rows hold."""
        self.algorithm = algorithm
        self.n_samples, self.n_features = X.shape
        self.workers = workers
        self.n_distances = 0  # squared distances computed so far
        self.n_spared = 0  # squared distances that bounds have made unnecessary so far
        self.n_labelled = 0  # labels given so far
        self.n_recomputed = 0  # labels for which the two best scores were too close to tell
        self.cells = None  # cells.py
        # Nanoseconds of a row, by cells in the passes so far, as distance_bounds.py estimates them.
        self.could_have_spared = 0.0
        self.X = self.given = X
        self.given_weight = np.empty(0) if sample_weight is None else sample_weight
        self.weight_exponent = 0 if sample_weight is None else unsafe(sample_weight.max())
        self.sample_weight = (
            np.empty(0) if sample_weight is None else np.ldexp(sample_weight, -self.weight_exponent)
        )

    def _column_extremes(self):
        """Sum, least and largest value of each feature."""
        slabs = self.slabs()
        total = np.zeros((len(slabs), self.n_features))
        low, high = np.full_like(total, np.inf), np.full_like(total, -np.inf)

        def slab(s, start, stop):
            for own in pieces(self.X, start, stop):
                some = self.X[own]
                panel_kernels.column_extremes(some, 0, len(some), total[s], low[s], high[s])

        self.workers.run(slab, [(s, *slab) for s, slab in enumerate(slabs)])
        with np.errstate(over="ignore"):
            return total.sum(axis=0), low.min(axis=0), high.max(axis=0)

    def _fixed_point(self, extremes):
        """Units of the fixed-point sums: of each feature and of the weights, and parts of a unit (src/fixed.pxd)."""
        bits = min(62 - self.n_samples.bit_length(), 50)
        units = _power(bits - 1 - np.frexp(self.largest_weight * np.append(extremes, 1.0))[1])
        if not self.weighted:
            units[-1] = 1.0
        return np.append(units, np.ldexp(1.0, bits))

    def _fixed_point_loses_digits(self):
        """Whether some values are so large that the fixed-point sums would lose digits of most others."""
        some = self.take(np.arange(0, self.n_samples, max(1, self.n_samples // 64)))
        typical = np.median(np.abs(some - some[len(some) // 2]), axis=0)
        return bool((self.units[:-2] * typical * self.units[-1] < 2.0**60).any(where=typical > 0))

    def weights(self):
        """The weights as an array of shape (n_samples,), ones included."""
        return self.sample_weight if len(self.sample_weight) else np.ones(self.n_samples)

    @property
    def inertia_error(self):
        """Bound of the relative error of an inertia: a sum of n squared distances has at most n + d + 3 roundings."""
        return (self.n_samples + self.n_features + 16) * 1.2e-16

    # ---- over all rows, row by row ----

    def run(self, kernel, n_centers, n_rows=None):
        """Call kernel(start, stop) over all rows, or n_rows of them, blocks sized for n_centers distances a row."""
        n_rows = self.n_samples if n_rows is None else n_rows
        self.n_distances += n_rows * n_centers
        size = max(1, BLOCK_WORK // (self.width * n_centers + 8))
        self.workers.run(kernel, split(n_rows, size))

    @cached_property
    def slab(self):
        """Rows of a slab: it depends on the shape of the data alone."""
        size = max(1, min(SLAB_WORK // (self.width + 8), max(4096, -(-self.n_samples // 64))))
        return -(-size // 64) * 64  # whole panels

    def slabs(self, n_out=1):
        """(start, stop) of the slabs that sums go through; of whole ones, where what is added up has more than a few numbers."""
        return split(self.n_samples, max(1, -(-4 * n_out // self.slab)) * self.slab)

    def some(self):
        """Indices of 64 to 256 rows, evenly spread, or of all if they are fewer."""
        n = min(self.n_samples, max(64, min(256, self.n_samples // 1024)))
        return np.arange(0, self.n_samples, self.n_samples // n)[:n]

    def take(self, indices):
        """The rows of these indices, in double."""
        return self.X[indices].astype(np.float64)

    def sum(self, kernel, n_centers, *shapes):
        """Add up over slabs what kernel(start, stop, *outs) returns and adds to zeroed outs: (total, *outs).

        The slabs are added in order, so the sums have the same bits for every number of threads.
        """
        self.n_distances += self.n_samples * n_centers

        def slab(start, stop):
            outs = [np.zeros(shape) for shape in shapes]
            return [kernel(start, stop, *outs) or 0.0, *outs]

        total = [0.0, *[np.zeros(shape) for shape in shapes]]
        return self.workers.fold(slab, self.slabs(max(shape[0] for shape in shapes)), total)

    def each_slab(self, function, *args):
        """What function(rows, start, stop, *args) returns for each slab, in their order."""
        found = [None] * len(self.slabs())

        def slab(s, start, stop):
            found[s] = function(self, start, stop, *args)

        self.workers.run(slab, [(s, *slab) for s, slab in enumerate(self.slabs())])
        return found

    def some_slabs(self, function, wanted, *args):
        """The same as function(rows, start, stop, wanted[s], *args) of the slabs s that `wanted` has, in their order."""
        found, slabs = dict.fromkeys(sorted(wanted)), self.slabs()

        def slab(s):
            found[s] = function(self, *slabs[s], wanted[s], *args)

        self.workers.run(slab, [(s,) for s in found])
        return list(found.values())

    def fold_slabs(self, function, total, *args):
        """Add up the lists that function(rows, start, stop, *args) returns for each slab, in their order."""

        def slab(start, stop):
            return function(self, start, stop, *args)

        return self.workers.fold(slab, self.slabs(), total)

    def memo(self):
        """What the functions of slabs may keep for each other, if they are called here."""
        return {}

    @property
    def largest_weight(self):
        """The largest weight of a row."""
        return self.sample_weight.max() if self.weighted else 1.0

    @property
    def weighted(self):
        """Whether rows have weights."""
        return len(self.sample_weight) > 0

    def alike(self):
        """Labels of one cluster."""
        return np.zeros(self.n_samples, np.int32)

    def own(self, labels, start, stop):
        """The labels of the rows from start to stop."""
        return labels[start:stop]

    def partition(self, n_clusters, summed=True, labels=None):
        """Labels, none so far or given ones, that assignments keep up to date."""
        return Partition(self, n_clusters, summed, labels)

    def follow(self, n_clusters):
        """The squared distances to the nearest of some centers, as these come one by one."""
        return Screened(self, n_clusters)

    def approached(self):
        """The same as these come in batches, with which of them is the nearest."""
        return Approached(self)

    def shifts(self, labels, centers, summed=True):
        """The inertia; if summed, also the weighted differences of the rows of each cluster to its center, and its weight."""
        shapes = [centers.shape, (len(centers),)] if summed else [(len(centers), 0), (0,)]  # the same slabs

        def slab(start, stop, shifts, masses):
            inertia = 0.0
            for own in pieces(self.X, start, stop):
                some, n = (self.X[own], self.sample_weight[own], labels[own]), own.stop - own.start
                inertia = kernels.accumulate(*some, centers, 0, n, shifts, masses, inertia)
            return inertia

        return self.sum(slab, 1, *shapes)

    def update(self, labels, centers, partition=None):
        """The means of the labels (a center without weight stays), their masses, the inertia with the old centers.

        A partition that has these labels is of use to sparse rows alone.
        """
        inertia, shifts, masses = self.shifts(labels, centers)
        return centers + shifts / np.where(masses > 0, masses, 1)[:, None], masses, inertia

    def cost(self, labels, centers):
        """The inertia of labels with centers, in the units of the kernels."""
        return self.shifts(labels, centers, summed=False)[0]

    def norms_of(self, centers):
        """What distances to these centers take; nothing, by differences."""

    def removal_gains(self, known, weights, labels, means, masses, start, stop):
        """How much the inertia falls when a row becomes a cluster of its own, for the rows from start to stop.

        `known` is from `norms_of(means)`.
        """
        gains = np.empty(stop - start)
        kernels.removal_gains(
            self.X[start:stop], weights, labels[start:stop], means, masses, 0, stop - start, gains
        )
        return gains

    def approach(self, known, new, labels, first, start, stop, closest, owners):
        """Lower squared distances of the rows from start to stop by many more centers; returns the sum of their masses.

        `known` is from `norms_of(new)`, `labels` tell the nearest of `new`, which are numbered from `first`; `closest` and
        `owners`, of these rows alone, follow.
        """
        own = slice(start, stop)
        weights = self.sample_weight[own]
        return seeding_kernels.approach(self.X[own], weights, new, labels[own], first, closest, owners)

    def most_apart(self, labels, means, masses):
        """The point whose own cluster lowers the inertia most.

        Returns
        -------
        (row, x, label, weight, same) or None
            The first of its rows, what that holds, and its label; the weight of the point, and an index of all its rows. None if
            nothing lowers the inertia.
        """
        points, points_weight = self.points
        largest, candidates, known = [], [], self.norms_of(means)

        def gains_of(start, stop):
            whole = masses[labels[start:stop]]
            weights = whole_weights(points_weight[start:stop], whole)
            return self.removal_gains(known, weights, labels, means, masses, start, stop)

        def most_of(start, stop):
            largest.append(gains_of(start, stop).max())

        def first_of(enough, start, stop):
            candidates.extend(start + np.flatnonzero(gains_of(start, stop) >= enough)[:1])

        self.run(most_of, 1)
        enough = max(largest) * (1 - ROUNDED)
        if enough == 0:
            return None
        # The first of the rows whose gains differ by rounding alone. (These distances have been counted.)
        self.run(partial(first_of, enough), 1)
        self.n_distances -= self.n_samples
        row = min(candidates)
        same = row if points is None else points == points[row]
        return row, self.take([row])[0], labels[row], points_weight[row], same

    @cached_property
    def points(self):
        """A number for each row that it shares with equal rows alone, and the weight of all rows with that number.

        The numbers are None if equal rows are not looked for. A row without weight is no point: its weight is 0.
        """
        if self.streamed or self.n_samples > MOST_SORTED:
            return None, self.weights()
        odd = np.random.RandomState(0).randint(2**62, size=self.n_features, dtype=np.uint64) * 2 + 1
        keys = np.empty(self.n_samples, np.uint64)
        for start, stop in split(self.n_samples, max(1, SLAB_WORK // self.width)):
            keys[start:stop] = self._keys(start, stop, odd)
        order = np.argsort(keys, kind="stable")
        fresh = np.ones(self.n_samples, bool)
        for start, stop in split(self.n_samples - 1, max(1, SLAB_WORK // self.width)):
            here = order[start : stop + 1]
            fresh[start + 1 : stop + 1] = self._differ(here[1:], here[:-1])
        points = np.empty(self.n_samples, np.intp)
        points[order] = np.cumsum(fresh) - 1
        weights = self.weights()
        return points, np.where(weights > 0, np.bincount(points, weights)[points], 0.0)

    def _keys(self, start, stop, odd):
        """A number for each row from start to stop, the same for equal rows, from an odd number for each feature."""
        bits = (self.X[start:stop] + 0.0).astype(np.float64).view(np.uint64)
        return ((bits ^ bits >> 29) * odd).sum(axis=1, dtype=np.uint64)

    def _differ(self, some, others):
        """Whether rows of these indices differ."""
        return (self.X[some] != self.X[others]).any(axis=1)

    def movable(self, labels, means, centers_t, masses):
        """Rows that would lower the inertia by moving, all others staying: bounds rule out most, differences decide.

        Returns
        -------
        X, sample_weight : ndarray
            Rows, and their weights.
        candidates : ndarray of int
            Which of them these are.
        labels : ndarray
            A copy of their labels.
        """
        candidates, labels = self.panels.exchange_candidates(labels, means, masses), labels.copy()
        moves = np.empty(len(candidates), np.uint8)

        def block(start, stop):
            scratch = np.empty((exchange_kernels.abreast(), self.n_features + len(means)))
            of_rows = self.X, self.sample_weight, candidates, labels
            exchange_kernels.scan(*of_rows, centers_t, masses, start, stop, scratch, moves)

        self.run(block, len(means), len(candidates))
        # Not counted as work, since the bounds leave over more with one instruction set than with another.
        self.n_distances -= len(means) * len(candidates)
        return self.X, self.sample_weight, candidates[moves.view(bool)], labels

    @cached_property
    def _about_origin(self):
        return self.update(self.alike(), self.origin[None])

    @property
    def scatter(self):
        """The inertia of all rows about the origin."""
        return self._about_origin[2]

    @property
    def variance(self):
        """The mean variance of the features, a weight counting as copies of its row."""
        mean, masses, scatter = self._about_origin
        return max(0.0, scatter / masses[0] - ((mean - self.origin) ** 2).sum()) / self.n_features

    def distances(self, centers):
        """Squared distances of every row to every center, of shape (n_samples, n_clusters)."""
        out = np.empty((self.n_samples, len(centers)))
        centers_t = np.ascontiguousarray(centers.T)

        def block(start, stop):
            kernels.distances(self.X[start:stop], centers_t, 0, stop - start, out[start:stop])

        self.run(block, len(centers))
        return out

    def clustering(self, centers):
        """The rows with their nearest centers."""
        labels = self.panels.assign(centers)
        return Clustering(labels, centers, self.cost(labels, centers))

    def nearest(self, centers):
        """The exact nearest center of each row, of centers in the units of the data."""
        scaled = self.scale(centers)
        if not self.lossy and np.array_equal(self.unscale(Clustering(None, scaled, 0.0)).centers, centers):
            return self.panels.assign(scaled)
        labels = np.empty(self.n_samples, np.int32)
        self.n_labelled += self.n_samples

        def block(start, stop):
            scratch = np.empty(centers.size + len(centers))
            exact_kernels.label_rows(self.given[start:stop], centers, scratch, labels[start:stop])

        self.run(block, len(centers))
        return labels

    def inertia(self, labels, centers):
        """The inertia of labels with centers in the units of the data, in squares of these; infinite beyond the floats."""
        return self._inertia(labels, centers, self.cost(labels, self.scale(centers)))

    def _inertia(self, labels, centers, known):
        if known < TINY and not self.plain:
            return exact_inertia(self.given, labels, centers, self.given_weight)
        return self.unscale(Clustering(None, centers, known)).inertia

    def published(self, clustering):
        """A clustering in the units of the data; its labels are the nearest of just these centers."""
        labels, centers, inertia = clustering
        centers = self.unscale(clustering).centers
        if self.lossy:
            centers = self._means(labels, centers)
        if self.lossy or self.exponent and not np.array_equal(self.scale(centers), clustering.centers):
            labels = self.nearest(centers)
            return Clustering(labels, centers, self.inertia(labels, centers))
        return Clustering(labels, centers, self._inertia(labels, centers, inertia))

    def _means(self, labels, centers):
        """The means of the rows as they were given, each feature scaled for itself; a center without weight stays."""
        centers = centers.copy()
        for f, column in enumerate(self.given.T):
            exponent = np.frexp(abs(column).max())[1]
            column = np.ldexp(column.astype(np.float64), -exponent)
            for k in range(len(centers)):
                own = np.flatnonzero(labels == k)
                weights = self.weights()[own]
                if weights.any():
                    first = column[own[0]]
                    centers[k, f] = np.ldexp(
                        first + weights @ (column[own] - first) / weights.sum(), exponent
                    )
        return centers

    def scale(self, centers):
        """Centers in the units of the kernels."""
        return np.ascontiguousarray(np.ldexp(centers, -self.exponent) if self.exponent else centers)

    def unscale(self, clustering):
        """A clustering in the units of the data; an inertia beyond the range of float64 is inf."""
        with np.errstate(over="ignore", under="ignore"):
            inertia = float(np.ldexp(clustering.inertia, 2 * self.exponent + self.weight_exponent))
            centers = np.ldexp(clustering.centers, self.exponent) if self.exponent else clustering.centers
            return clustering._replace(centers=centers, inertia=inertia)


def whole_weights(weights, whole):
    """Weights of points, and where one is all of the weight of its cluster, `whole`, just that, rounding or not."""
    return np.where(weights >= whole * (1 - ROUNDED), whole, weights)


def _power(exponent):
    """2**exponent, or the largest power of two where that is beyond the range."""
    return np.ldexp(1.0, np.minimum(exponent, 1023))
