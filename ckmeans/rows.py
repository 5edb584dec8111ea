"""The rows to cluster, as the kernels want them, and what the solvers do with all of them at once."""

from collections import deque
from typing import NamedTuple

import numpy as np

from ._kernels import lloyd as kernels
from ._kernels import panels
from .streaming import affordable
from .workers import split

SLICE_WORK = 1 << 26  # in a run of iterations over few rows, which nothing can interrupt: less than 20 ms
BLOCK_WORK = 1 << 24  # coordinate differences in a block of the panel kernels: a millisecond or a few
SLAB_WORK = 1 << 22  # likewise in a slab
SHARED_WORK = 1 << 22  # where all the rows are less than this, one thread does them
MOVED = 2048  # rows that move before the sums follow: a few panels, which are still in a cache
GATHER = 32  # what it costs to gather a row, in the distances that a panel does meanwhile
FAR = 1e15  # centers so many spreads of the rows away, for whose scores the bounds are not made
WORTHWHILE = 16  # distances of a row, in vector operations over two of them, from which on bounds are cheaper
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
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous; or NpyFile
    sample_weight : ndarray of shape (n_samples,), float64, or None for ones
    workers : Workers
    reach : ndarray, optional
        Centers from elsewhere that are to be compared with the rows.
    algorithm : {"auto", "lloyd", "hamerly"}
        Whether bounds spare the iteration distances; the labels are the same.

    Notes
    -----
    Float64 data whose largest magnitude is outside 2**-300 .. 2**300 are scaled by a power of two, exactly, so that no
    square overflows or vanishes; weights likewise. `scale` takes centers into these units, `unscale` results back.
    """

    def __init__(self, X, sample_weight, workers, reach=None, algorithm="auto"):
        self.algorithm = algorithm
        self.n_samples, self.n_features = X.shape
        self.workers = workers
        self.n_distances = 0  # squared distances computed so far ...
        self.n_spared = 0  # ... and those that bounds spared
        self.n_labelled = 0  # labels given so far ...
        self.n_doubtful = 0  # ... and those for which the two best scores were too close to tell
        self.X = X
        total, low, high = self._survey()
        self.streamed = not isinstance(X, np.ndarray)
        if self.streamed and not np.isfinite(total + low + high).all():
            X.check_finite()
        extreme = max(high.max(), -low.min(), *([] if reach is None else [reach.max(), -reach.min()]))
        self.exponent = _unsafe(extreme)
        if self.exponent and self.streamed:
            raise ValueError(
                f"X holds {extreme:.3g} where a file is taken as it is: scale it to within 2**-{SAFE} .. 2**{SAFE}."
            )
        if self.exponent:
            self.X = np.ldexp(X.astype(np.float64, copy=False), -self.exponent)
            total, low, high = self._survey()  # again: the sum may have overflowed
        self.weight_exponent = 0 if sample_weight is None else _unsafe(sample_weight.max())
        self.sample_weight = (
            np.empty(0) if sample_weight is None else np.ldexp(sample_weight, -self.weight_exponent)
        )
        self.origin = (total / self.n_samples).astype(self.X.dtype).astype(np.float64)
        spread = max((high - self.origin).max(), (self.origin - low).max())
        self.pack_scale = np.ldexp(1.0, -int(np.frexp(spread)[1]))
        corner = np.maximum(high - self.origin, self.origin - low) * self.pack_scale
        self.reach = np.sqrt((corner**2).sum()) * (1 + 1e-6)  # no row is longer, in packed units
        self._panels = None
        self._units = self._fixed_point(np.maximum(high, -low))
        self.coarse = self._coarse()

    def _survey(self):
        """Sum, least and largest value of each feature."""
        slabs = self.slabs()
        total = np.zeros((len(slabs), self.n_features))
        low, high = np.full_like(total, np.inf), np.full_like(total, -np.inf)

        def slab(s, start, stop):
            panels.survey(self.X[start:stop], 0, stop - start, total[s], low[s], high[s])

        self.workers.run(slab, [(s, *slab) for s, slab in enumerate(slabs)])
        with np.errstate(over="ignore"):
            return total.sum(axis=0), low.min(axis=0), high.max(axis=0)

    def _fixed_point(self, extremes):
        """Units of the fixed-point sums: of each feature and of the weights, and parts of a unit (src/fixed.pxd)."""
        bits = min(62 - self.n_samples.bit_length(), 50)
        weight = self.sample_weight.max() if len(self.sample_weight) else 1.0
        units = np.ldexp(1.0, bits - 1 - np.frexp(weight * np.append(extremes, 1.0))[1])
        if not len(self.sample_weight):
            units[-1] = 1.0
        return np.append(units, np.ldexp(1.0, bits))

    def _coarse(self):
        """Whether some values are so large that the fixed-point sums would lose digits of most others."""
        some = self.take(np.arange(0, self.n_samples, max(1, self.n_samples // 64)))
        typical = np.median(np.abs(some - some[len(some) // 2]), axis=0)
        return bool((self._units[:-2] * self._units[-1] * typical < 2.0**60).any(where=typical > 0))

    def weights(self):
        """The weights as an array of shape (n_samples,), ones included."""
        return self.sample_weight if len(self.sample_weight) else np.ones(self.n_samples)

    # ---- over all rows, row by row ----

    def run(self, kernel, n_centers, n_rows=None):
        """Call kernel(start, stop) over all rows, or n_rows of them, blocks sized for n_centers distances a row."""
        n_rows = self.n_samples if n_rows is None else n_rows
        self.n_distances += n_rows * n_centers
        size = max(1, BLOCK_WORK // SLOW // (self.n_features * n_centers + 8))
        self.workers.run(kernel, split(n_rows, size))

    def slabs(self, n_centers=1, n_out=1):
        """(start, stop) of the slabs that sums go through: they depend on the shape of the data alone."""
        longest = SLAB_WORK // (self.n_features * n_centers + 8)
        size = max(1, 4 * n_out, min(longest, max(4096, -(-self.n_samples // 64))))
        return split(self.n_samples, -(-size // 64) * 64)  # whole panels

    def take(self, indices):
        """Some rows, in double."""
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
        return self.workers.fold(slab, self.slabs(n_centers, max(shape[0] for shape in shapes)), total)

    def update(self, labels, centers):
        """The means of the labels (a center without weight stays), their masses, the inertia with the old centers."""

        def slab(start, stop, shifts, masses):
            return kernels.accumulate(
                self.X[start:stop], self.sample_weight[start:stop], labels[start:stop], centers, 0, stop - start,
                shifts, masses,
            )  # fmt: skip

        inertia, shifts, masses = self.sum(slab, 1, centers.shape, (len(centers),))
        return centers + shifts / np.where(masses > 0, masses, 1)[:, None], masses, inertia

    def distances(self, centers):
        """Squared distances of every row to every center, of shape (n_samples, n_clusters)."""
        out = np.empty((self.n_samples, len(centers)))
        centers_t = np.ascontiguousarray(centers.T)

        def block(start, stop):
            kernels.distances(self.X[start:stop], centers_t, 0, stop - start, out[start:stop])

        self.run(block, len(centers))
        return out

    # ---- over all rows, in panels ----

    @property
    def panel_rows(self):
        """Rows in a panel."""
        return panels.panel_rows(self.X.dtype == np.float64)

    def _blocks(self, n_centers):
        """Runs of panels: blocks of BLOCK_WORK, smaller ones where that leaves a thread without."""
        n_panels = -(-self.n_samples // self.panel_rows)
        work = self.panel_rows * (self.n_features + 3) * (n_centers + 8)
        if n_panels * work <= SHARED_WORK:
            return [(0, n_panels)]
        size = min(BLOCK_WORK // work, -(-n_panels // (2 * self.workers.n_threads)))
        return split(n_panels, max(1, size, SHARED_WORK // (4 * work)))

    def pack(self):
        """Keep the rows in panels too, for as many assignments as follow: as much memory as X again, so not where X is large.

        What is not packed is packed on the way, panel by panel, in each assignment.
        """
        if self._panels is None and affordable(self.X):
            n_panels = -(-self.n_samples // self.panel_rows)
            panels_ = np.empty((n_panels, self.n_features, self.panel_rows), self.X.dtype), np.empty(n_panels)

            def block(start, stop):
                panels.pack(self.X, self.origin, self.pack_scale, start, stop, *panels_)

            self.workers.run(block, self._blocks(1))
            self._panels = panels_
        return self

    def unpack(self):
        """Give the memory of the panels back."""
        self._panels = None

    def packed(self):
        """The panels and their reaches; arrays without rows if there are none."""
        return self._panels or (np.empty((0, self.n_features, self.panel_rows), self.X.dtype), np.empty(0))

    def tiles(self, n_clusters):
        """Room for centers as the panel kernels want them: in tiles, and transposed."""
        n_tile = panels.tile_centers()
        tiles = np.empty((-(-n_clusters // n_tile), 1 + self.n_features, n_tile), self.X.dtype)
        return tiles, np.empty((self.n_features, n_clusters))

    def assign(self, centers, partition=None):
        """Label every row with its exact nearest center, ties to the lowest index; returns how many labels changed.

        With a `Partition`, its labels and sums follow. Without, the labels are returned instead.
        """
        target = partition or Partition(self, len(centers), summed=False)
        tiles, centers_t = self.tiles(len(centers))
        center_reach = panels.pack_centers(centers, self.origin, self.pack_scale, tiles, centers_t)
        packed = self.packed()
        blocks, counts = self._blocks(len(centers)), []
        bounds = None if partition is None else partition.choose_bounds(center_reach)
        drift = bounds and bounds.drift(centers, self.pack_scale)

        def bounded(start, stop):
            scratch = target.scratch()
            counts.append(
                panels.assign_bounded(
                    self.X, self.sample_weight, packed[0], self.pack_scale, tiles, center_reach, centers, centers_t,
                    *drift, start, stop, scratch.scores, scratch.distances,
                    target.labels, scratch.moved, scratch.left, self._units, scratch.sums, bounds.upper, bounds.lower,
                )
            )  # fmt: skip
            target.idle.append(scratch)

        def block(start, stop):
            scratch, own = target.scratch(), slice(start * self.panel_rows, stop * self.panel_rows)
            counts.append(
                panels.assign(
                    self.X[own], self.sample_weight[own], packed[0][start:stop], packed[1][start:stop], self.origin,
                    self.pack_scale, tiles, center_reach, centers, centers_t, 0, stop - start, scratch.scores,
                    scratch.distances, target.labels[own], scratch.moved, scratch.left, self._units, scratch.sums,
                )
            )  # fmt: skip
            target.idle.append(scratch)

        self.workers.run(bounded if bounds else block, blocks)
        n_moved, n_doubtful, *n_seen = map(sum, zip(*counts))
        n_seen = n_seen[0] if bounds else self.n_samples
        self.n_distances += n_seen * len(centers)
        self.n_spared += (self.n_samples - n_seen) * len(centers)
        self.n_labelled += self.n_samples
        self.n_doubtful += n_doubtful
        if partition is None:
            return target.labels
        partition.learn(n_moved, n_seen)
        return n_moved

    def iterate(self, centers, partition, n_steps, fresh):
        """Assign all rows and, as long as labels change, update the centers and assign again, up to n_steps times.

        Parameters
        ----------
        centers : ndarray of shape (n_clusters, n_features), float64
        partition : Partition
            Follows.
        n_steps : int
            Most updates. Fewer are made where they would take long; none where the rows fill more than one block, or
            where their fixed-point sums are of no use.
        fresh : bool
            Whether the labels may be those of other centers.

        Returns
        -------
        centers : ndarray of shape (n_clusters, n_features), float64
        n_iter : int
            Updates made.
        n_changed : int
            Labels changed in the last assignment.
        masses : ndarray of shape (n_clusters,), or None
            The masses, where a cluster is left without weight; the centers are not assigned yet in this case.
        """
        if self.coarse or self._panels is None or len(self._blocks(len(centers))) > 1:
            return centers, 0, self.assign(centers, partition), None
        self.workers.check_time()
        centers, masses = centers.copy(), np.empty(len(centers))
        scratch = partition.scratch()
        slice_steps = SLICE_WORK // (self.n_samples * (self.n_features + 3) * (len(centers) + 8))
        tiles, centers_t = self.tiles(len(centers))
        n_iter, n_changed, n_doubtful, n_empty = panels.iterate(
            self.X, self.sample_weight, *self._panels, self.origin, self.pack_scale, tiles, centers, centers_t,
            scratch.scores, scratch.distances, partition.labels, scratch.moved, scratch.left, self._units,
            scratch.sums, masses, min(n_steps, slice_steps), fresh,
        )  # fmt: skip
        partition.idle.append(scratch)
        n_labelled = self.n_samples * (n_iter + 1 - (n_empty > 0))
        self.n_distances += n_labelled * len(centers)
        self.n_labelled += n_labelled
        self.n_doubtful += n_doubtful
        return centers, n_iter, n_changed, masses if n_empty else None

    def restless(self, labels, centers, masses):
        """Rows that could lower the inertia by moving to another cluster, all others staying, and perhaps some more."""
        tiles, centers_t = self.tiles(len(centers))
        center_reach = panels.pack_centers(centers, self.origin, self.pack_scale, tiles, centers_t)
        mask = np.empty(self.n_samples, np.uint8)

        def block(start, stop):
            scores = np.empty((2 + self.n_features) * self.panel_rows, self.X.dtype)
            panels.restless(
                self.X, self.sample_weight, *self.packed(), self.origin, self.pack_scale, tiles, center_reach, labels,
                masses, start, stop, scores, mask,
            )  # fmt: skip

        self.workers.run(block, self._blocks(len(centers)))
        self.n_distances += self.n_samples * len(centers)
        return np.flatnonzero(mask)

    def clustering(self, centers):
        """The rows with their nearest centers."""
        labels = self.assign(centers)
        return Clustering(labels, centers, self.update(labels, centers)[2])

    def on_centers(self, clustering):
        """Whether every row with weight lies exactly on its center."""
        for start, stop in self.slabs():
            away = (self.X[start:stop] != clustering.centers[clustering.labels[start:stop]]).any(axis=1)
            if (away & (self.sample_weight[start:stop] > 0) if len(self.sample_weight) else away).any():
                return False
        return True

    def scale(self, centers):
        """Centers in the units of the kernels."""
        return np.ascontiguousarray(np.ldexp(centers, -self.exponent) if self.exponent else centers)

    def unscale(self, clustering):
        """A clustering in the units of the data; an inertia beyond the range of float64 is inf."""
        with np.errstate(over="ignore", under="ignore"):
            inertia = float(np.ldexp(clustering.inertia, 2 * self.exponent + self.weight_exponent))
            return clustering._replace(centers=np.ldexp(clustering.centers, self.exponent), inertia=inertia)


def _unsafe(extreme):
    """Binary exponent by which a magnitude is out of the range whose squares are safe; 0 within."""
    exponent = int(np.frexp(extreme)[1])
    return exponent - max(-SAFE, min(exponent, SAFE)) if extreme else 0


class _Scratch(NamedTuple):
    """What one thread needs for a block; `sums` holds what that thread has added up so far."""

    scores: np.ndarray
    distances: np.ndarray
    moved: np.ndarray
    left: np.ndarray
    sums: np.ndarray


class _Bounds:
    """For each row, in packed units: its distance to its own center at most, and to any other at least."""

    def __init__(self, rows):
        self.upper = np.full(rows.n_samples, np.inf, rows.X.dtype)
        self.lower = np.zeros(rows.n_samples, rows.X.dtype)
        self.centers = None  # those that the bounds are for

    def drift(self, centers, scale):
        """How far each center has moved since, rounded up; which moved most; and how far the others at most."""
        last, self.centers = self.centers, centers.copy()
        if last is None:
            return np.zeros(len(centers)), 0, 0.0
        slack = 1 + 1e-15 * (10 + centers.shape[1])
        drift = scale * slack * np.sqrt(((centers - last) ** 2).sum(axis=1)) + 1e-145
        fastest = int(drift.argmax())
        return drift, fastest, float(np.delete(drift, fastest).max(initial=0.0))


class Partition:
    """Labels of all rows, and the sums of the rows of each cluster, which follow as labels change.

    With algorithm="auto", bounds are kept where a row's distances cost more than looking at its bounds, from the first
    iteration on that changes few labels; where they settle too few rows they are left for 4, 8, 16, ... iterations. Rows
    that are left over cost more than in plain passes, by what it takes to gather them.
    """

    def __init__(self, rows, n_clusters, summed=True, labels=None):
        self.rows, self.n_clusters = rows, n_clusters
        self.labels = np.full(rows.n_samples, -1, np.int32) if labels is None else labels
        self.idle = deque()
        self._shape = (n_clusters * summed, rows.n_features + 1, 2)
        self._parts, self._spare = [], []
        self._bounds, self._changed, self._wait, self._pause = None, 1.0, 0, 4
        self._gathered = (
            1 + GATHER / n_clusters
        )  # cost of a row that is gathered, in those of a row in its panel

    def choose_bounds(self, center_reach):
        """The bounds to use in the next assignment, or None."""
        rows = self.rows
        if rows.algorithm == "lloyd" or rows._panels is None or center_reach > FAR or not self._shape[0]:
            self._bounds = None
            return None
        if self._bounds is None and rows.algorithm == "auto":
            if self.n_clusters * (rows.n_features + 5) < WORTHWHILE * rows.panel_rows:
                return None
            if self._wait or self._changed * self._gathered > 0.3:
                self._wait = max(0, self._wait - 1)
                return None
        if self._bounds is None:
            self._bounds = _Bounds(rows)
            self._pause = -self._pause  # the first time all rows are looked at
        return self._bounds

    def learn(self, n_moved, n_seen):
        """Take note of how many labels an assignment changed, and how many rows it had to look at."""
        self._changed = n_moved / self.rows.n_samples
        if self._pause < 0:
            self._pause = -self._pause
        elif (
            self._bounds
            and self.rows.algorithm == "auto"
            and n_seen * self._gathered > 0.8 * self.rows.n_samples
        ):
            self._bounds, self._wait, self._pause = None, self._pause, 2 * self._pause

    def scratch(self):
        """Buffers that no other thread uses now."""
        try:
            return self.idle.popleft()
        except IndexError:
            try:  # not: if there is one, since another thread may take it in between
                sums = self._spare.pop()
            except IndexError:
                sums = np.zeros(self._shape, np.int64)
            self._parts.append(sums)
            d, dtype = self.rows.n_features, self.rows.X.dtype
            return _Scratch(
                np.empty((2 + d) * self.rows.panel_rows, dtype),
                np.empty(self.n_clusters + 16 * d + 1),
                np.empty(MOVED, np.intp),
                np.empty(MOVED, np.int32),
                sums,
            )

    def _total(self):
        return self._parts[0] if len(self._parts) == 1 else sum(self._parts)

    def copy(self):
        """A partition that goes its own way from here."""
        other = Partition(self.rows, self.n_clusters)
        other.labels[:] = self.labels
        other._spare.append(self._total().copy())
        return other

    def means(self, centers):
        """The means of the clusters (a center without weight stays) and their masses."""
        if self.rows.coarse:
            return self.rows.update(self.labels, centers)[:2]
        centers, masses = centers.copy(), np.empty(len(centers))
        panels.means(self._total(), self.rows._units, centers, masses)
        return centers, masses
