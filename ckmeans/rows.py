"""The rows to cluster, as the kernels want them, and what the solvers do with all of them at once."""

from collections import deque
from typing import NamedTuple

import numpy as np

from ._kernels import lloyd as kernels
from ._kernels import panels, sums
from .workers import split

BLOCK_WORK = 1 << 24  # coordinate differences in a block of the panel kernels: a millisecond or a few
SLOW = 16  # the kernels that go row by row take about this many times as long
SAFE = 300  # float64 data of a binary exponent beyond this are scaled


class Clustering(NamedTuple):
    """Labels that are the nearest centers, and the inertia of these labels with these centers."""

    labels: np.ndarray
    centers: np.ndarray
    inertia: float


class Rows:
    """The rows, their weights, and the threads that run the kernels.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous
    sample_weight : ndarray of shape (n_samples,), float64, or None for ones
    workers : Workers
    reach : ndarray, optional
        Centers from elsewhere that are to be compared with the rows.

    Notes
    -----
    Float64 data whose largest magnitude is outside 2**-300 .. 2**300 are scaled by a power of two, exactly, so that no
    square overflows or vanishes; weights likewise. `scale` takes centers into these units, `unscale` results back.
    """

    def __init__(self, X, sample_weight, workers, reach=None):
        self.n_samples, self.n_features = X.shape
        self.workers = workers
        self.n_distances = 0  # squared distances computed so far: the machine-independent measure of work
        self.n_doubtful = 0  # rows so far whose two best scores were too close to tell
        self.X = X
        total, low, high = self._survey()
        extreme = max(high.max(), -low.min(), *([] if reach is None else [reach.max(), -reach.min()]))
        self.exponent = _unsafe(extreme)
        if self.exponent:
            self.X = np.ldexp(X.astype(np.float64, copy=False), -self.exponent)
            total, low, high = (np.ldexp(value, -self.exponent) for value in (total, low, high))
        self.weight_exponent = 0 if sample_weight is None else _unsafe(sample_weight.max())
        self.sample_weight = np.empty(0) if sample_weight is None else np.ldexp(sample_weight, -self.weight_exponent)
        self.origin = total / self.n_samples
        spread = max((high - self.origin).max(), (self.origin - low).max())
        self.pack_scale = np.ldexp(1.0, -int(np.frexp(spread)[1]))
        self._panels = None
        self._scales = self._fixed_point(max(high.max(), -low.min()))

    def _survey(self):
        """Sum, least and largest value of each feature."""
        slabs = self._slabs(1, 1)
        total = np.zeros((len(slabs), self.n_features))
        low, high = np.full_like(total, np.inf), np.full_like(total, -np.inf)
        self.workers.run(
            lambda s, start, stop: kernels.survey(self.X, start, stop, total[s], low[s], high[s]), slabs
        )
        with np.errstate(over="ignore"):
            return total.sum(axis=0), low.min(axis=0), high.max(axis=0)

    def _fixed_point(self, extreme):
        """Units of the fixed-point sums: of X and of the weights, and parts of a unit (see src/sums.pyx)."""
        bits = min(62 - self.n_samples.bit_length(), 50)
        weight = self.sample_weight.max() if len(self.sample_weight) else 1.0
        weight_scale = np.ldexp(1.0, bits - 1 - int(np.frexp(weight)[1])) if len(self.sample_weight) else 1.0
        return np.ldexp(1.0, bits - 1 - int(np.frexp(weight * extreme)[1])), weight_scale, np.ldexp(1.0, bits)

    def weights(self):
        """The weights as an array of shape (n_samples,), ones included."""
        return self.sample_weight if len(self.sample_weight) else np.ones(self.n_samples)

    # ---- over all rows, row by row ----

    def run(self, kernel, n_centers):
        """Call kernel(start, stop) over all rows, blocks sized for work on n_centers distances a row."""
        self.n_distances += self.n_samples * n_centers
        size = max(1, BLOCK_WORK // SLOW // (self.n_features * n_centers + 8))
        self.workers.run(kernel, split(self.n_samples, size))

    def _slabs(self, n_centers, n_out):
        """(index, start, stop) of the slabs that sums go through: they depend on the shape of the data alone."""
        longest = BLOCK_WORK // (self.n_features * n_centers + 8)
        size = max(1, 4 * n_out, min(longest, max(4096, -(-self.n_samples // 64))))
        return [(index, *rows) for index, rows in enumerate(split(self.n_samples, size))]

    def sum(self, kernel, n_centers, *shapes):
        """Add up over slabs what kernel(start, stop, *outs) adds to zeroed outs and returns: (total, *outs).

        The slabs are added in order, so the sums have the same bits for every number of threads.
        """
        self.n_distances += self.n_samples * n_centers
        slabs = self._slabs(n_centers, max(shape[0] for shape in shapes))
        outs = [np.zeros((len(slabs), *shape)) for shape in shapes]
        totals = [0.0] * len(slabs)

        def slab(index, start, stop):
            totals[index] = kernel(start, stop, *[out[index] for out in outs])

        self.workers.run(slab, slabs)
        total = None if totals[0] is None else sum(totals)
        return total, *[out[0] if len(slabs) == 1 else out.sum(axis=0) for out in outs]

    def update(self, labels, centers):
        """The means of the labels (a center without weight stays), their masses, the inertia with the old centers."""

        def slab(start, stop, shifts, masses):
            return kernels.accumulate(self.X, self.sample_weight, labels, centers, start, stop, shifts, masses)

        inertia, shifts, masses = self.sum(slab, 1, centers.shape, (len(centers),))
        return centers + shifts / np.where(masses > 0, masses, 1)[:, None], masses, inertia

    def distances(self, centers):
        """Squared distances of every row to every center, of shape (n_samples, n_clusters)."""
        out = np.empty((self.n_samples, len(centers)))
        centers_t = np.ascontiguousarray(centers.T)
        self.run(lambda start, stop: kernels.distances(self.X, centers_t, start, stop, out), len(centers))
        return out

    # ---- over all rows, in panels ----

    @property
    def panel_rows(self):
        """Rows in a panel."""
        return panels.panel_rows(self.X.dtype == np.float64)

    def _blocks(self, n_centers):
        """Runs of panels."""
        size = max(1, BLOCK_WORK // (self.panel_rows * (self.n_features + 3) * (n_centers + 8)))
        return split(-(-self.n_samples // self.panel_rows), size)

    def pack(self):
        """Keep the rows in panels too, for as many assignments as follow: as much memory as X again."""
        n_panels = -(-self.n_samples // self.panel_rows)
        packed = np.empty((n_panels, self.n_features, self.panel_rows), self.X.dtype), np.empty(n_panels)

        def block(start, stop):
            panels.pack(self.X, self.origin, self.pack_scale, start, stop, *packed)

        self.workers.run(block, self._blocks(1))
        self._panels = packed
        return self

    def tiles(self, centers):
        """The centers as the panel kernels want them, and their reach."""
        n_tile = panels.tile_centers()
        tiles = np.empty((-(-len(centers) // n_tile), 1 + self.n_features, n_tile), self.X.dtype)
        return tiles, panels.pack_centers(centers, self.origin, self.pack_scale, tiles)

    def assign(self, centers, partition=None):
        """Label every row with its exact nearest center, ties to the lowest index; returns how many labels changed.

        With a `Partition`, its labels and sums follow. Without, the labels are returned instead.
        """
        target = partition or Partition(self, len(centers), summed=False)
        tiles, center_reach = self.tiles(centers)
        centers_t = np.ascontiguousarray(centers.T)
        packed = self._panels or (np.empty((0, self.n_features, self.panel_rows), self.X.dtype), np.empty(0))
        blocks, counts = self._blocks(len(centers)), []
        longest = (blocks[0][1] - blocks[0][0]) * self.panel_rows

        def block(start, stop):
            scratch = target.scratch(longest)
            n_moved, n_doubtful = panels.assign(
                self.X, *packed, self.origin, self.pack_scale, tiles, center_reach, centers, centers_t,
                start, stop, scratch.scores, scratch.distances, target.labels, scratch.moved, scratch.left,
            )  # fmt: skip
            if partition is not None:
                sums.shift(
                    self.X, self.sample_weight, target.labels, scratch.moved, scratch.left, n_moved,
                    *self._scales, scratch.sums,
                )  # fmt: skip
            counts.append((n_moved, n_doubtful))
            target.idle.append(scratch)

        self.workers.run(block, blocks)
        self.n_distances += self.n_samples * len(centers)
        self.n_doubtful += sum(n for _, n in counts)
        return target.labels if partition is None else sum(n for n, _ in counts)

    def runners_up(self, centers):
        """Bounds of the squared distances to the two nearest centers: at least the least, at most the second."""
        tiles, center_reach = self.tiles(centers)
        first, second = np.empty(self.n_samples), np.empty(self.n_samples)

        def block(start, stop):
            scores = np.empty(2 * self.panel_rows, self.X.dtype)
            panels.runners_up(self.X, *self._panels, tiles, center_reach, start, stop, scores, first, second)

        self.workers.run(block, self._blocks(len(centers)))
        self.n_distances += self.n_samples * len(centers)
        unit = self.pack_scale**-2
        return first * unit, second * unit

    def clustering(self, centers):
        """The rows with their nearest centers."""
        labels = self.assign(centers)
        return Clustering(labels, centers, self.update(labels, centers)[2])

    def scale(self, centers):
        """Centers in the units of the kernels."""
        return np.ascontiguousarray(np.ldexp(centers, -self.exponent) if self.exponent else centers)

    def unscale(self, clustering):
        """A clustering in the units of the data; an inertia beyond the range of float64 is inf."""
        with np.errstate(over="ignore", under="ignore"):
            inertia = float(np.ldexp(clustering.inertia, 2 * self.exponent + self.weight_exponent))
            return clustering._replace(centers=np.ldexp(clustering.centers, self.exponent), inertia=inertia)


def _unsafe(extreme):
    """The binary exponent of a magnitude, or 0 where its squares are safe."""
    exponent = int(np.frexp(extreme)[1])
    return exponent if extreme and not -SAFE < exponent < SAFE else 0


class _Scratch(NamedTuple):
    """What one thread needs for a block; `sums` holds what that thread has added up so far."""

    scores: np.ndarray
    distances: np.ndarray
    moved: np.ndarray
    left: np.ndarray
    sums: np.ndarray


class Partition:
    """Labels of all rows, and the sums of the rows of each cluster, which follow as labels change."""

    def __init__(self, rows, n_clusters, summed=True):
        self.rows = rows
        self.labels = np.full(rows.n_samples, -1, np.int32)
        self.idle = deque()
        self._shape = (n_clusters, (rows.n_features + 1) * summed, 2)
        self._parts = []

    def scratch(self, n_rows):
        """Buffers that no other thread uses now."""
        try:
            return self.idle.popleft()
        except IndexError:
            d = self.rows.n_features
            self._parts.append(np.zeros(self._shape, np.int64))
            return _Scratch(
                np.empty((2 + d) * self.rows.panel_rows, self.rows.X.dtype),
                np.empty(self._shape[0] + 16 * d + 1),
                np.empty(n_rows, np.intp),
                np.empty(n_rows, np.int32),
                self._parts[-1],
            )

    def copy(self):
        """A partition that goes its own way from here."""
        other = Partition(self.rows, self._shape[0])
        other.labels[:] = self.labels
        other._parts.append(sum(self._parts))
        return other

    def means(self, centers):
        """The means of the clusters (a center without weight stays) and their masses."""
        centers, masses = centers.copy(), np.empty(len(centers))
        total = self._parts[0] if len(self._parts) == 1 else sum(self._parts)
        sums.means(total, *self.rows._scales, centers, masses)
        return centers, masses
