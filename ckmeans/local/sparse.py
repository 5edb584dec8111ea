"""Sparse rows (CSR): what `Rows` does, at a price that goes by their entries."""

import weakref

import numpy as np
from scipy.sparse import issparse

from .._kernels import inverted
from .._kernels import panels as panel_kernels
from .._kernels import sparse as kernels
from ..scaling import unit
from ..workers import split
from . import aligned
from .distance_bounds import Bounds
from .rows import Rows
from .seeding import Distances

# Products of an entry and a center in a block of rows: some milliseconds.
BLOCK_WORK = 1 << 23
# Numbers of the centers in a block of features: a millisecond or so.
INDEX_WORK = 1 << 20
# Share of the centers that have a feature, from which on it is kept for all of them: in full it takes less time, in a list less memory
# (from 1/8 to 1/64 the time of TF-IDF rows, 1e5 x 5e4 with 62 entries each and k=100, did not differ by more than noise).
FULL_SHARE = 1 / 12
# Share of the features up to which those of a center are listed, to be gone through where that takes much less than all: a list
# takes four bytes a feature, an eighth of the center's eight for each. Not tuned.
MOST_LISTED = 1 / 8
# Rows up to which n_init="auto" makes restarts; with more it is one, which takes long enough.
MOST_RESTARTED = 4096
# Multiple of the memory of the rows that sums of the clusters may take: so a fit of the TF-IDF rows above takes less memory than
# scikit-learn's, 141 MB against 163 at k=100.
MOST_SUMS = 0.5
# Steps of a feature that 16 bits count up to, and the least and the largest step, in single precision: far from what it can hold.
LARGEST, LEAST_STEP, MOST_STEP = 32766, 1e-30, 1e30
NOTHING = np.empty(0, np.int32)
NO_BOUNDS = np.empty(0), np.empty(0, np.float32)


def rows_for(X, sample_weight, workers, **options):
    """`SparseRows` of a sparse array, `Rows` of others."""
    return (SparseRows if issparse(X) else Rows)(X, sample_weight, workers, **options)


class SparseRows(Rows):
    """The rows of a CSR array, as `Rows` has them, but not centered: so that what is zero stays so.

    Parameters
    ----------
    X : sparse array of shape (n_samples, n_features), float32 or float64, CSR
        Indices ascend within a row, and no entry is zero.

    Notes
    -----
    As those of a file, rows are not moved one by one, nor are centers swapped (`plain`).
    """

    def __init__(self, X, sample_weight, workers, compared_with=None, algorithm="auto"):
        self._begin(X, sample_weight, workers, algorithm)
        self.once = self.n_samples > MOST_RESTARTED
        self.plain, self.streamed, self.lossy, self.fixed_point_loses_digits = True, False, False, False
        self.width = max(1, X.nnz // self.n_samples)
        self.arrays = X.data, X.indices, X.indptr.astype(np.int64)
        low, high = self._column_extremes()
        most = np.array([low, high]) if compared_with is None else np.vstack([low, high, compared_with])
        self.exponent = unit(most.min(axis=0), most.max(axis=0))
        if self.exponent:
            self._scale(X)
            low, high = self._column_extremes()
        self.origin = np.zeros(self.n_features)
        self.panels = Inverted(self, np.ldexp(abs(most).max(), -self.exponent))
        self.units = self._fixed_point(np.maximum(high, -low))

    def _scale(self, X):
        """Divide the entries by 2**exponent."""
        data, given = np.ldexp(X.data.astype(np.float64), -self.exponent), X.data
        if not np.array_equal(np.ldexp(data, self.exponent), given):
            raise ValueError(
                f"X is sparse and holds {abs(given).max():.3g} and {abs(given).min():.3g}, too far apart: give X.toarray()."
            )
        self.X = X._with_data(data, copy=False)
        self.arrays = data, *self.arrays[1:]

    def _column_extremes(self):
        """Least and largest value of each feature, zeros included."""
        data, indices, indptr = self.arrays
        low, high = np.full(self.n_features, np.inf), np.full(self.n_features, -np.inf)
        counts = np.zeros(self.n_features, np.int64)
        for start, stop in split(int(indptr[-1]), BLOCK_WORK // 4):
            self.workers.check_time()
            kernels.column_extremes(data, indices, start, stop, low, high, counts)
        some_zero = counts < self.n_samples
        low[some_zero] = np.minimum(low[some_zero], 0)
        high[some_zero] = np.maximum(high[some_zero], 0)
        return low, high

    @property
    def inertia_error(self):
        """As of Rows; what is left of |c|^2 loses up to ten bits."""
        return 1024 * super().inertia_error

    def partition(self, n_clusters, summed=True, labels=None):
        """Labels, none so far or given ones, that assignments keep up to date."""
        return SparsePartition(self, n_clusters, labels)

    def follow(self, n_clusters):
        """The squared distances to the nearest of some centers, as these come one by one."""
        return _Followed(self)

    def take(self, indices):
        """The rows of these indices, dense and in double."""
        return self.X[indices].toarray().astype(np.float64)

    def update(self, labels, centers, partition=None):
        """As of Rows; a partition that has these labels may know their sums."""
        partition = partition or self.partition(len(centers), labels=labels)
        return *partition.means(centers), self.cost(labels, centers)

    def norms_of(self, centers):
        """What distances to centers take: their squared norms, and of those that have few features these, all in one list."""
        n_features = centers.shape[1]
        few = np.count_nonzero(centers, axis=1) <= MOST_LISTED * n_features
        lists = [np.flatnonzero(c).astype(np.int32) if few[k] else NOTHING for k, c in enumerate(centers)]
        starts = np.append(0, np.cumsum([len(features) for features in lists], dtype=np.int64))
        return (
            np.einsum("kf,kf->k", centers, centers),
            starts,
            np.concatenate([*lists, np.zeros(1, np.int32)]),
        )

    def _own_distances(self, labels, centers, known, start, stop):
        """Squared distances to the own center, of the rows from start to stop."""
        out = np.empty(stop - start)
        kernels.own_distances(*self.arrays, labels, centers, *known, start, stop, out)
        return out

    def cost(self, labels, centers):
        """The inertia of labels with centers, in the units of the kernels."""
        known = self.norms_of(centers)
        self.n_distances += self.n_samples

        def slab(start, stop):
            own = self._own_distances(labels, centers, known, start, stop)
            return [float((own * self.sample_weight[start:stop] if len(self.sample_weight) else own).sum())]

        return self.workers.fold(slab, self.slabs(), [0.0])[0]

    def removal_gains(self, known, weights, labels, means, masses, start, stop):
        """How much the inertia falls when a row becomes a cluster of its own, for the rows from start to stop."""
        own, whole = (
            self._own_distances(labels, means, known, start, stop),
            masses[labels[start:stop]],
        )
        rest = whole - weights
        return np.where(rest > 0, own * weights * (whole / np.where(rest > 0, rest, 1)), 0.0)

    def approach(self, known, new, labels, first, start, stop, closest, owners):
        """As of Rows."""
        away = self._own_distances(labels, new, known, start, stop)
        nearer = away < closest
        closest[nearer] = away[nearer]
        owners[nearer] = first + labels[start:stop][nearer]
        weights = self.sample_weight[start:stop]
        return float((closest * weights if len(weights) else closest).sum())

    def _keys(self, start, stop, odd):
        data, indices, indptr = self.arrays
        begin, end = indptr[start], indptr[stop]
        bits = data[begin:end].astype(np.float64).view(np.uint64)
        total = np.append(
            np.uint64(0), np.cumsum((bits ^ bits >> 29) * odd[indices[begin:end]], dtype=np.uint64)
        )
        return np.diff(total[indptr[start : stop + 1] - begin])

    def _differ(self, some, others):
        return np.asarray((self.X[some] != self.X[others]).sum(axis=1)).ravel() > 0

    def distances(self, centers):
        """Squared distances of every row to every center, of shape (n_samples, n_clusters)."""
        out, known = np.empty((self.n_samples, len(centers))), self.norms_of(centers)
        for first in range(0, len(centers), 8):
            some = centers[first : first + 8]
            features, place = np.flatnonzero(some.any(axis=0)), np.zeros(self.n_features, np.int32)
            place[features] = np.arange(1, 1 + len(features))
            few = np.zeros((1 + len(features), 8))
            few[1:, : len(some)] = some[:, features].T

            def block(start, stop, first=first, of_few=(place, few)):
                kernels.distances(*self.arrays, centers, *of_few, *known, first, start, stop, out)

            self.run(block, len(some))
        return out


class SparsePartition:
    """Labels of sparse rows, and the means of the clusters.

    Where that takes no more memory than the rows, the sums are kept and follow as labels change, and so is a bound for each row
    (distance_bounds.py). Else the means of the clusters that have changed are made anew.

    Parameters
    ----------
    rows : SparseRows
    n_clusters : int
    labels : ndarray of shape (n_samples,), int32, optional
        None so far by default.
    """

    def __init__(self, rows, n_clusters, labels=None):
        self.rows, self.n_clusters = rows, n_clusters
        self.labels = np.full(rows.n_samples, -1, np.int32) if labels is None else labels
        self.changed = np.ones(n_clusters, bool)  # clusters that are not those of the last means
        self.last = None  # means and masses
        size = 16 * n_clusters * (rows.n_features + 1)
        self.is_small = size <= MOST_SUMS * (rows.X.data.nbytes + rows.X.indices.nbytes)
        self.sums = self.summed = self.bounds = None  # the sums, and the labels that they are of

    def inertia(self, centers):
        """The inertia with the means of the clusters as centers."""
        return self.rows.cost(self.labels, self.means(centers)[0])

    def last_bounds(self):
        """The bounds that the last assignment used, or None."""
        return self.bounds

    def is_quick(self):
        """As of Partition."""
        return self.bounds is not None

    def bounds_for(self, centers):
        """The bounds to use for these centers, or None."""
        if not self.is_small or self.rows.algorithm == "lloyd":
            return None
        if self.bounds is None or not self.bounds.move_to(centers):
            self.bounds = Bounds(self.rows, centers, False)
        return self.bounds

    def means(self, centers):
        """The means of the clusters (a center without weight stays) and their masses."""
        if self.is_small:
            self._sum_up()
            centers, masses = centers.copy(), np.empty(self.n_clusters)

            def block(start, stop):
                own = slice(start, stop)
                panel_kernels.means(self.sums[own], self.rows.units, centers[own], masses[own])

            size = max(1, INDEX_WORK // (4 * self.rows.n_features))
            self.rows.workers.run(block, split(self.n_clusters, size))
            return centers, masses
        if self.last is None or self.last[0] is not centers:
            self.changed[:] = True
        self.last = self._fresh_means(centers)
        self.changed[:] = False
        return self.last

    def _sum_up(self):
        """Bring the sums up to date."""
        rows, k = self.rows, self.n_clusters
        if self.sums is None:
            self.sums = np.zeros((k, rows.n_features + 1, 2), np.int64)
            self.summed = np.full(rows.n_samples, -1, np.int32)
        moved = np.flatnonzero(self.labels != self.summed)
        left = moved[self.summed[moved] >= 0]
        clusters = np.concatenate([self.labels[moved], self.summed[left]]).astype(np.intp)
        order, moved = np.argsort(clusters, kind="stable"), np.concatenate([moved, left])
        signs = np.where(order < len(moved) - len(left), 1, -1)
        moved, clusters = moved[order], clusters[order]
        starts = np.searchsorted(clusters, np.arange(k + 1))

        def block(first, last):  # no two threads add to the same cluster
            start, stop = starts[first], starts[last]
            for begin, end in split(stop - start, max(1, BLOCK_WORK // (8 * rows.width))):
                rows.workers.check_time()
                of_moves = moved, clusters, signs, start + begin, start + end
                kernels.shift(*rows.arrays, rows.sample_weight, rows.units, *of_moves, self.sums)

        rows.workers.run(block, split(k, -(-k // (4 * rows.workers.n_threads))))
        self.summed[:] = self.labels

    def _fresh_means(self, old):
        """The means and masses, made anew of the clusters that have changed."""
        rows, k = self.rows, self.n_clusters
        some, centers = np.flatnonzero(self.changed), np.zeros(old.shape)
        np.copyto(centers, old, where=~self.changed[:, None])
        masses = np.zeros(k) if len(some) == k else self.last[1].copy()
        order = np.argsort(self.labels.astype(np.min_scalar_type(k)), kind="stable")
        starts = np.append(0, np.cumsum(np.bincount(self.labels, minlength=k)))

        def block(start, stop):
            d = rows.n_features
            position, room = np.full(d, -1, np.int32), (np.empty(d, np.int32), np.empty(2 * d + 2, np.int64))
            scratch = position, *room, np.empty(d + 2), np.empty(d)
            of_rows = *rows.arrays, rows.sample_weight, rows.units, order, starts
            size = 1 + (stop - start) * BLOCK_WORK // (32 * rows.X.nnz + 1)
            for first, last in split(stop - start, size):
                rows.workers.check_time()
                kernels.means(*of_rows, some, start + first, start + last, centers, masses, *scratch)

        rows.workers.run(block, split(len(some), max(1, -(-len(some) // (4 * rows.workers.n_threads)))))
        centers[masses == 0] = old[masses == 0]
        return centers, masses


class Inverted:
    """Labels of sparse rows, from an inverted index of the centers that is made for each assignment; in place of `Panels`.

    Parameters
    ----------
    rows : SparseRows
    extreme : float
        No entry is larger in magnitude.
    """

    def __init__(self, rows, extreme):
        self._rows, self.dtype = weakref.ref(rows), np.dtype(np.float32)
        self.scale = np.ldexp(1.0, -max(-1000, min(1000, int(np.frexp(extreme)[1]))))

    @property
    def rows(self):
        """The rows that are labelled."""
        return self._rows()

    def pack(self):
        """Nothing is kept for later assignments."""

    def assign(self, centers, partition=None):
        """Label every row with its exact nearest center, ties to the lowest index; returns how many labels changed.

        With a `SparsePartition`, its labels follow. Without, the labels are returned instead.
        """
        rows, target = self.rows, partition or SparsePartition(self.rows, len(centers))
        if target.last is not None and target.last[0] is not centers:
            target.changed[:] = True
        bounds = None if partition is None else partition.bounds_for(centers)
        of_bounds = NO_BOUNDS if bounds is None else (bounds.drift, bounds.separation)
        index, counts = self._index(centers), []

        def block(start, stop):
            changed, stride = np.zeros(len(centers), np.uint8), -(-len(centers) // 16) * 16
            room = (
                aligned.empty((2, stride), np.float32),
                np.empty(stride + 16, np.int32),
                np.empty(len(centers)),
            )
            found = inverted.label(
                *rows.arrays, index, start, stop, target.labels, changed, *of_bounds, *room
            )
            counts.append((*found, changed))

        rows.workers.run(block, split(rows.n_samples, max(1, BLOCK_WORK // (rows.width * len(centers) + 64))))
        n_moved, n_recomputed, n_seen, changed = (np.sum(column, axis=0) for column in zip(*counts))
        target.changed |= changed > 0
        rows.n_distances += int(n_seen) * len(centers)
        rows.n_spared += (rows.n_samples - int(n_seen)) * len(centers)
        rows.n_labelled += rows.n_samples
        rows.n_recomputed += int(n_recomputed)
        return target.labels if partition is None else int(n_moved)

    def iterate(self, centers, partition, n_steps, fresh):
        """Assign all rows, as Panels.iterate; no updates are made."""
        return centers, 0, self.assign(centers, partition), None

    def _index(self, centers):
        """The inverted index of some centers."""
        rows, (k, d) = self.rows, centers.shape
        stride = -(-k // 16) * 16
        blocks = split(d, max(1, INDEX_WORK // k))
        counts, largest, sq_norms = np.empty(d, np.int32), np.empty(d), np.empty((len(blocks), k))

        def count(b, start, stop):
            inverted.count_owners(centers, start, stop, counts, largest, sq_norms[b])

        rows.workers.run(count, [(b, *block) for b, block in enumerate(blocks)])
        sq_norms = sq_norms.sum(axis=0)
        is_full = counts > FULL_SHARE * k
        place = np.where(is_full, np.cumsum(is_full) - 1, -1).astype(np.int32)
        starts = np.append(0, np.cumsum(np.where(is_full, 0, counts), dtype=np.int64))
        ends, owners, values = (
            starts[:-1].copy(),
            np.empty(1 + starts[-1], np.int32),
            np.empty(1 + starts[-1], np.float32),
        )
        full = aligned.empty((1 + np.count_nonzero(is_full), stride), np.int16)
        full[:, k:] = 0
        half_norms = np.full(stride, np.inf, np.float32)
        with np.errstate(over="ignore"):
            steps = (largest * (self.scale / LARGEST)).clip(LEAST_STEP, MOST_STEP).astype(np.float32)
            half_norms[:k] = 0.5 * sq_norms * self.scale**2

        def invert(start, stop):
            inverted.invert(
                centers, self.scale, steps, start, stop, place, starts, ends, full, owners, values
            )

        rows.workers.run(invert, blocks)
        return inverted.InvertedCenters(
            centers, sq_norms, self.scale, half_norms, steps, place, starts, full, owners, values
        )


class _Followed(Distances):
    """Squared distances that follow as centers come, those of all candidates at once."""

    def gains(self, candidates):
        """By how much the inertia would fall with each candidate as one more center. Only one has nothing to win."""
        rows, n = self.rows, len(candidates)
        self.found = rows.distances(candidates)

        def slab(start, stop, sums):
            fall = np.maximum(self.closest[start:stop, None] - self.found[start:stop], 0)
            sums += (fall * rows.sample_weight[start:stop, None] if len(rows.sample_weight) else fall).sum(
                axis=0
            )

        self.falls = np.zeros(1) if n == 1 else rows.sum(slab, 0, (n,))[1]
        return self.falls

    def lower(self, center):
        """Take the best of the candidates whose gains were asked for last."""
        found = self.found[:, self.falls.argmax()]

        def slab(s, start, stop):
            np.minimum(self.closest[start:stop], found[start:stop], out=self.closest[start:stop])
            self.masses[s] = self._masses((start, stop)).sum()

        self.rows.workers.run(slab, [(s, *slab) for s, slab in enumerate(self.slabs)])
