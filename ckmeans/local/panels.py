"""The rows in panels, for the kernels that score them: labels, Lloyd's iteration, and candidates for exchanges."""

import weakref
from functools import partial

import numpy as np

from .._kernels import panels as kernels
from ..workers import split
from . import aligned
from .directed import make_whole
from .npy_file import affordable
from .partition import Partition
from .screen8 import Screen, scratch

# Coordinate differences in a run of iterations, which nothing can interrupt: 20 ms or less. More would make Ctrl-C late.
SLICE_WORK = 1 << 28
# Coordinate differences in a block of the panel kernels: some milliseconds. Longer blocks leave threads idle at the end of a
# pass, shorter ones cost more calls.
BLOCK_WORK = 1 << 26
# Coordinate differences in a pass over all rows below which one thread does it: waking others would take longer.
SHARED_WORK = 1 << 22
# The type that panels begin with: twice as many numbers fit a register as in double, and few rows need more digits.
FIRST_DTYPE = np.float32
# Share of the labels that differences in double have to decide, beyond which panels go on in double: a row decided by differences
# takes many times as long. In groups 1,000 spreads apart, double took a pass from 149 ms to 17 ms (1e6 x 8, k=32, one thread).
DOUBLE_SHARE = 1 / 64
# With this many rows or more, a few of them are tried beforehand, so that not even the first assignment is slow.
PROBED_ROWS = 4096


class Panels:
    """The rows in panels: a fixed number of rows each, feature by feature, shifted by the origin and scaled.

    Panels are in single precision, whatever the type of X. Where that leaves many rows to differences, as in groups far
    apart, later assignments go on with panels in double; the labels are the same.

    Parameters
    ----------
    rows : Rows
    low, high : ndarray of shape (n_features,)
        Least and largest value of each feature.

    Attributes
    ----------
    scale : float
        The power of two that rows and centers are multiplied by, once the origin is subtracted.
    max_norm : float
        No row is longer, in these units.
    in_range : bool
        Whether float32 can hold rows and scores in these units, if X is of that type.
    dtype : numpy.dtype
        Of the panels.
    """

    def __init__(self, rows, low, high):
        # Rows own their panels: a circle would keep the memory of both until the garbage collector comes by.
        self._rows = weakref.ref(rows)
        spread = max((high - rows.origin).max(), (rows.origin - low).max())
        self.scale = np.ldexp(1.0, np.minimum(-np.frexp(spread)[1], 1023))
        corner = np.maximum(high - rows.origin, rows.origin - low) * self.scale
        self.max_norm = np.sqrt((corner**2).sum()) * (1 + 1e-6)
        self.in_range = rows.X.dtype == np.float64 or 1e-30 < self.scale < 1e30
        self.dtype = np.dtype(FIRST_DTYPE if self.in_range else np.float64)
        self._arrays = None  # the panels, and a bound of the norms of the rows of each
        self._needs_double, self._probed = False, False
        self.screen = Screen()

    @property
    def rows(self):
        """The rows that these panels hold."""
        return self._rows()

    def furthest(self, centers):
        """The largest coordinate of the centers, less the origin, in packed units."""
        origin = self.rows.origin
        return np.maximum(centers.max(axis=0) - origin, origin - centers.min(axis=0)).max() * self.scale

    @property
    def n_rows(self):
        """Rows in a panel."""
        return kernels.panel_rows(self.dtype == np.float64)

    def blocks(self, n_centers, spared=1):
        """Runs of panels: blocks of BLOCK_WORK, or `spared` times that, and some for each thread."""
        n_panels = -(-self.rows.n_samples // self.n_rows)
        work = self.n_rows * (self.rows.n_features + 3) * (n_centers + 8)
        if n_panels * work <= SHARED_WORK:
            return [(0, n_panels)]
        size = min(BLOCK_WORK * spared // work, -(-n_panels // (4 * self.rows.workers.n_threads)))
        return split(n_panels, max(1, size, SHARED_WORK // (4 * work)))

    # ---- memory ----

    def pack(self):
        """Keep the panels, for all assignments that follow: some memory, so not where X is large.

        What is not packed is packed on the way, panel by panel, in each assignment.
        """
        self.choose_dtype()
        rows = self.rows
        make_whole(rows)
        size = rows.n_samples * rows.n_features * self.dtype.itemsize
        if self._arrays is None and affordable(rows.X, size):
            n_panels = -(-rows.n_samples // self.n_rows)
            shape = n_panels, rows.n_features, self.n_rows
            arrays = aligned.empty(shape, self.dtype), np.empty(n_panels, np.float32)

            def block(start, stop):
                kernels.pack(rows.X, rows.origin, self.scale, start, stop, *arrays)

            self.screen.drop()
            rows.workers.run(block, self.blocks(1))
            self._arrays = arrays

    def drop(self):
        """Give the memory of the panels back, and that of the bytes."""
        self._arrays = None
        self.screen.drop()

    def arrays_or_empty(self):
        """The panels, and a bound of the norms of the rows of each; arrays of length 0 where they are not packed."""
        return self._arrays or self._no_arrays()

    def _no_arrays(self):
        return np.empty((0, self.rows.n_features, self.n_rows), self.dtype), np.empty(0, np.float32)

    def choose_dtype(self, centers=None):
        """Go on in double where single precision told too few rows, or tells too few of some with the first centers."""
        if centers is not None and not self._probed and self.dtype == np.float32:
            self._probed = True
            self._needs_double |= self.rows.n_samples >= PROBED_ROWS and self._fails_on_some(centers)
        if self._needs_double and self.dtype == np.float32:
            packed = self._arrays is not None
            self.dtype, self._arrays = np.dtype(np.float64), None
            if packed:
                self.pack()

    def _fails_on_some(self, centers):
        """Whether single precision leaves many of some rows to differences, as in groups far apart."""
        some = self.rows.take(self.rows.some())
        scratch = self.scratch(len(centers), len(some) + self.n_rows, np.empty((0, 1, 2), np.int64))
        _, n_recomputed, n_exact = kernels.assign(
            some,
            np.empty(0),
            *self._no_arrays(),
            self.packed_centers(centers),
            np.full(len(some), -1, np.int32),
            scratch,
        )
        return n_recomputed - n_exact > len(some) / 8

    # ---- arguments of the kernels ----

    def packed_centers(self, centers):
        """Centers as the panel kernels want them."""
        n_clusters, n_features = centers.shape
        n_tile = kernels.tile_centers()
        tiles = np.empty((-(-n_clusters // n_tile), 1 + n_features, n_tile), self.dtype)
        centers_t = np.empty((n_features, n_clusters))
        return kernels.PackedCenters(centers, self.rows.origin, self.scale, tiles, centers_t)

    def scores(self):
        """Room for the scores of a panel, and for a panel that is packed on the way."""
        return aligned.empty((2 + self.rows.n_features) * self.n_rows, self.dtype)

    def scratch(self, n_clusters, n_moved, sums):
        """Buffers of one thread, which lists up to n_moved rows as moved before `sums` follow."""
        return kernels.Scratch(
            self.scores(),
            np.empty(n_clusters),
            np.empty(n_moved, np.intp),
            np.empty(n_moved, np.int32),
            self.rows.units,
            sums,
        )

    # ---- over all rows ----

    def assign(self, centers, partition=None):
        """Label every row with its exact nearest center, ties to the lowest index; returns how many labels changed.

        With a `Partition`, its labels and sums follow. Without, the labels are returned instead.
        """
        self.choose_dtype(centers)
        rows, target = self.rows, partition or Partition(self.rows, len(centers), summed=False)
        summed = partition is not None and partition.summed
        cells = target.policy.cells_for(target, centers) if summed or rows.cells is not None else None
        by_bytes = (
            cells is None
            and target.policy.allows_bytes()
            and self.screen.suits(rows, centers, target.policy.per_pass, summed)
        )
        bounds = None
        if summed and cells is None and not (by_bytes and self.screen.outdoes_bounds(target.policy.grouped)):
            cost = self.screen.cost(*centers.shape, True) if by_bytes else None
            bounds = target.policy.bounds_for(centers, cost)
        if by_bytes and bounds is None:
            return self._assign_screened(centers, target, partition)
        make_whole(rows)
        target.policy.bounds8 = None
        if summed and cells is None and not (bounds and bounds.grouped):
            self.pack()
        packed = None if cells else self.packed_centers(centers)
        blocks = cells.blocks() if cells else self.blocks(len(centers), 1 if bounds is None else 2)
        if cells:
            label = cells.labels_for(centers)
        elif bounds is None:
            label = partial(self._label, packed, len(centers), target.labels)
        elif bounds.grouped:
            label = partial(
                self._label_by_group_bounds, packed, bounds.groups(centers), bounds, target.labels
            )
        else:
            label = partial(self._label_by_bounds, packed, len(centers), bounds, target.labels)
        counts = []

        def block(start, stop):
            scratch = target.scratch()
            counts.append(label(start, stop, scratch))
            target.idle.append(scratch)

        rows.workers.run(block, blocks)
        n_moved, n_recomputed, n_exact, n_distances, n_seen = map(sum, zip(*counts))
        rows.n_distances += n_distances
        rows.n_spared += rows.n_samples * len(centers) - n_distances
        self._record(rows.n_samples, n_recomputed, n_exact)
        if partition is None:
            return target.labels
        partition.policy.record(n_moved, n_seen, n_distances)
        return n_moved

    def _assign_screened(self, centers, target, partition):
        """The same by the bytes of rows and centers, and differences where these do not tell (screen8.py)."""
        rows, screen, policy, counts, idle = self.rows, self.screen, target.policy, [], []
        if target.summed:
            self._arrays = None
            screen.keep(rows)
        screened = screen.centers(rows, centers)
        bounds = policy.bounds_in_bytes(centers) if target.summed else None

        def block(start, stop):
            lists = target.scratch()
            try:
                room = idle.pop()
            except IndexError:
                room = scratch(*centers.shape)
            counts.append(screen.label(rows, screened, target.labels, bounds, lists, room, start, stop))
            target.idle.append(lists)
            idle.append(room)

        rows.workers.run(block, screen.blocks(rows, len(centers)))
        n_moved, n_exact, n_seen, n_open, n_near = map(sum, zip(*counts))
        rows.n_distances += n_seen * len(centers)
        rows.n_spared += (rows.n_samples - n_seen) * len(centers)
        self._record(rows.n_samples, n_exact, n_exact)
        screen.record(rows.n_samples, n_seen, n_open, n_near)
        return target.labels if partition is None else n_moved

    def _rows_of(self, start, stop):
        """The first row of some panels, and the row after their last."""
        return start * self.n_rows, min(stop * self.n_rows, self.rows.n_samples)

    # Three ways to label the rows of some panels. All return the number of rows that moved, were decided by differences, and
    # exactly; the number of squared distances computed; and the number of rows looked at.

    def _label(self, packed, n_clusters, labels, start, stop, scratch):
        """All rows of some panels."""
        rows, (panels, max_norms) = self.rows, self.arrays_or_empty()
        own = slice(*self._rows_of(start, stop))
        n_seen = own.stop - own.start
        counts = kernels.assign(
            rows.X[own],
            rows.sample_weight[own],
            panels[start:stop],
            max_norms[start:stop],
            packed,
            labels[own],
            scratch,
        )
        return *counts, n_seen * n_clusters, n_seen

    def _label_by_bounds(self, packed, n_clusters, bounds, labels, start, stop, scratch):
        """Rows whose one bound does not settle their label."""
        rows = self.rows
        *counts, n_seen = kernels.assign_hamerly(
            rows.X,
            rows.sample_weight,
            packed,
            bounds.drift,
            *self._rows_of(start, stop),
            labels,
            bounds.separation,
            scratch,
        )
        return *counts, n_seen * n_clusters, n_seen

    def _label_by_group_bounds(self, packed, groups, bounds, labels, start, stop, scratch):
        """Rows whose bounds for groups of centers do not settle their label."""
        return kernels.assign_yinyang(
            self.rows.X,
            self.rows.sample_weight,
            packed,
            groups,
            *self._rows_of(start, stop),
            labels,
            bounds.separation,
            bounds.upper_bounds,
            bounds.group_lower_bounds,
            scratch,
            bounds.scratch(),
        )

    def _record(self, n_labelled, n_recomputed, n_exact):
        """Take note of labels given, how many of them differences decided, and for how many these were too close too."""
        self.rows.n_labelled += n_labelled
        self.rows.n_recomputed += n_recomputed
        self._needs_double |= n_recomputed - n_exact > DOUBLE_SHARE * n_labelled

    def iterate(self, centers, partition, n_steps, fresh):
        """Assign all rows and, as long as labels change, update the centers and assign again, up to n_steps times.

        Parameters
        ----------
        centers : ndarray of shape (n_clusters, n_features), float64
        partition : Partition
            Follows.
        n_steps : int
            Most updates; 0 to assign the rows. Fewer are made where they would take long; none where the rows fill more
            than one block, or where their fixed-point sums are of no use.
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
        self.choose_dtype(centers)
        rows = self.rows
        work = rows.n_samples * (rows.n_features + 3) * (len(centers) + 8)
        most, enough = partition.policy.assignments_without_bounds(
            len(self.blocks(len(centers))) == 1, n_steps
        )
        quick = 2 * work <= SLICE_WORK and most > 0 and partition.summed and not rows.fixed_point_loses_digits
        quick = quick and not (
            partition.policy.allows_bytes()
            and self.screen.suits(rows, centers, partition.policy.per_pass, True)
        )
        if quick:
            self.pack()
        if not quick or self._arrays is None:
            return centers, 0, self.assign(centers, partition), None
        rows.workers.check_time()
        partition.policy.bounds8 = None
        centers, masses = centers.copy(), np.empty(len(centers))
        n_steps = min(n_steps, most, SLICE_WORK // work)
        n_threads = min(rows.workers.n_threads, 1 + work * 4 // SHARED_WORK)
        team = self._run_team(
            n_threads, centers, masses, partition, n_steps=n_steps, enough=enough, fresh=fresh
        )
        partition.policy.record_plain(team.n_iter + 1, team.n_changed)
        n_labelled = rows.n_samples * (team.n_iter + 1 - (team.n_empty > 0))
        rows.n_distances += n_labelled * len(centers)
        self._record(n_labelled, team.n_recomputed, team.n_exact)
        return centers, team.n_iter, team.n_changed, masses if team.n_empty else None

    def _run_team(self, n_threads, centers, masses, partition, **limits):
        """Iterate with several threads, which update centers and masses; returns the team, which has counted."""
        rows, packed = self.rows, self.packed_centers(centers)
        buffers = [partition.scratch() for _ in range(n_threads)]
        total, board = np.empty(partition.sums.shape[1:], np.int64), np.zeros(kernels.board(), np.int64)
        team = kernels.Team(partition.parts(), total, masses, board, **limits)
        arrays = rows.X, rows.sample_weight, *self._arrays

        def member(n):
            kernels.iterate(*arrays, packed, partition.labels, buffers[n], team, leads=n == 0)

        rows.workers.run(member, [(n,) for n in range(n_threads)])
        partition.idle.extend(buffers)
        return team

    def exchange_candidates(self, labels, centers, masses):
        """Rows that could lower the inertia by moving to another cluster, all others staying, and perhaps some more."""
        rows, (panels, max_norms) = self.rows, self.arrays_or_empty()
        packed, mask = self.packed_centers(centers), np.empty(self.rows.n_samples, np.uint8)

        def block(start, stop):
            own = slice(*self._rows_of(start, stop))
            kernels.exchange_candidates(
                rows.X[own],
                rows.sample_weight[own],
                panels[start:stop],
                max_norms[start:stop],
                packed,
                labels[own],
                masses,
                self.scores(),
                mask[own],
            )

        rows.workers.run(block, self.blocks(len(centers)))
        rows.n_distances += rows.n_samples * len(centers)
        return np.flatnonzero(mask)
