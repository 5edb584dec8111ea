"""Bounds that spare Lloyd's iteration distances: the arrays that are kept, and when it is worth keeping them."""

import math

import numpy as np

from .._kernels import lloyd
from .._kernels import panels as kernels
from ..workers import split
from . import aligned
from .cells import USELESS, CellLabels, Cells, making, passing, suits
from .npy_file import affordable

# Share of the labels that the last assignment changed, above which bounds are not thought of: the centers still move too far.
CALM_SHARE = 0.3
# Steps of the centers like the last one that bounds should outlast, to be worth beginning. The next ones are shorter: with one
# instead of two, 40 iterations on seven data sets (32 to 1,024 features, 12 to 500 centers) took 0.88 to 1.00 of the work, as
# estimated here; with 0.75 up to 1.11.
AHEAD_STEPS = 1.0
# Share of the time of a pass without bounds that a pass with them may take, to be worth beginning.
WORTH_SHARE = 0.8
# Assignments over which the cost of making the bounds is spread.
LASTING_STEPS = 20
# Nanoseconds of a coordinate difference in a pass, as estimated here, by instruction set. With 0.015 for AVX2 too, bytes and bounds
# came too late there: eleven fits of 4 to 768 features and 20 to 1,000 centers took 0.72 to 1.03 times as long with 0.021. A pass
# with SSE2 takes 3.4 times what it takes with AVX2.
PER_DIFFERENCE = {"sse2": 0.07, "avx2": 0.021, "avx512": 0.015, "neon": 0.015}
# Nanoseconds of a pass, as estimated here, up to which no bounds are tried: they cost more than they could spare.
QUICK = 1e6
# Nanoseconds of a pass, as estimated here, up to which several passes are made before bounds are thought of again.
SHORT = 1e7
# Spreads of the rows that a center may be away: of the scores of centers beyond that, bounds would say nothing.
FAR = 1e15
# Features above which bounds are kept for groups of centers, unless told otherwise: they take the place of the panels then.
MANY_FEATURES = 48
# Features up to which algorithm="auto" thinks of cells: with 6, fits of blobs took as long as without (2e5 rows, k=256 to 1000).
CELL_FEATURES = 5
# Updates that are counted on where nobody knows how many there will be: with a tolerance they may soon end.
UNKNOWN_STEPS = 3
# Share of the labels that the last pass changed, up to which cells are not made any more unless labels have settled slowly.
# (1e6 x 2 and 3, k=16: runs that changed more after 20 updates mostly took 20 more or longer.)
CELLS_CALM = 0.002
# Updates that are counted on where labels are not that calm, if so many may come: of sixteen runs on blobs and noise (1e6 x 2 to 4,
# 2e5 x 3, k=4 to 30) two took fewer.
LIKELY_STEPS = 20
# Passes after which it is asked anew whether cells pay: fewer tell little of how labels settle (as above).
LOOK_STEPS = 5
# Numbers of the centers that are compared at once with those before: they stay in the cache.
PIECE = 1 << 15
# Drift, in packed units, at which bounds are begun anew: larger sums of it would cost them digits.
LONG = 64.0


class BoundsPolicy:
    """Whether the next assignment uses bounds.

    With algorithm="auto", bounds are begun when they would have spared enough of the assignment, had there been any in the
    last one; some rows tell. They are given up again when they spare too little.
    """

    def __init__(self, rows, n_clusters):
        self.rows, self.n_clusters, self.algorithm = rows, n_clusters, rows.algorithm
        self.bounds, self.bounds8, self.fresh, self.cell_labels = None, None, False, None
        self.changed, self.wait, self.last = 1.0, 0, None
        self.n_steps, self.n_left = UNKNOWN_STEPS, 0.0
        if not affordable(rows.X) or not rows.panels.in_range:
            self.algorithm = "lloyd"
        self._weigh()

    def _weigh(self):
        """What things take with the panels as they are, in nanoseconds on some machine; their ratios decide."""
        rows, n_clusters, d = self.rows, self.n_clusters, self.rows.n_features
        self.bounds, self.dtype = None, rows.panels.dtype
        own, unit = rows.X.dtype.itemsize / 4, rows.panels.dtype.itemsize / 4  # of X, of panels
        n_groups = -(-n_clusters // kernels.group_shape()[1])
        difference = PER_DIFFERENCE.get(kernels.instruction_sets()[kernels.in_use()], 0.07)
        work = n_clusters * (0.055 + difference * d) * unit
        self.per_pass = self.without = (0.4 + 0.15 * d) * unit + work  # a row in a pass over all of them
        self.quick = self.algorithm == "auto" and rows.n_samples * self.per_pass < QUICK
        # Passes until bounds are thought of again.
        self.pause = 6 if rows.n_samples * self.per_pass < SHORT else 1
        # Bounds of groups take the place of the panels, and of no more than half as much again.
        small = d >= MANY_FEATURES and n_groups <= 1.5 * d
        self.grouped = self.algorithm == "yinyang" or (self.algorithm == "auto" and small)
        self.per_row = 70 + 0.8 * d * own + n_groups if self.grouped else 12 + 2.8 * d + work
        self.per_look = (1.5 if self.grouped else 0.4 * unit) + 5e5 / rows.n_samples
        self.spared = (
            self.per_pass - passing(rows.n_samples, n_clusters, d) - 1e5 / rows.n_samples
        )  # a row in a pass, by cells
        self.per_distance = (9 + 20 * difference * d * unit) / 16 if self.grouped else 0.0

    def cost(self, seen, distances):
        """What a row takes on the average with bounds.

        `seen` is the share of the rows that bounds do not settle, `distances` the number of distances that are computed, per row.
        """
        return self.per_look + seen * self.per_row + distances * self.per_distance

    def assignments_without_bounds(self, few, n_steps):
        """How many assignments may go without bounds now, and the number of moved rows at which they are to stop early.

        Where rows are few, or passes over them quick, bounds cost more than they spare. `n_steps` more updates may follow, as
        far as is known; of 0 nothing is known.
        """
        self.n_steps = n_steps or UNKNOWN_STEPS
        if self.dtype != self.rows.panels.dtype:
            self._weigh()
        if self._cells_pay(few):
            return 0, 0
        if few or self.quick or self.algorithm == "lloyd":
            return self._passes_until_cells_pay(few), 0
        if self.wait:
            return self.wait, 0
        if self.bounds is not None or self.algorithm != "auto" or self.changed <= CALM_SHARE:
            return 0, 0
        return np.inf, int(CALM_SHARE * self.rows.n_samples)

    def record_plain(self, n_assignments, n_moved):
        """Take note of assignments without bounds, and how many rows the last one moved."""
        self.wait = max(0, self.wait - n_assignments)
        self._look_ahead(n_assignments, n_moved)
        self.last = self.cell_labels = None
        self.rows.could_have_spared += n_assignments * self.spared

    def _look_ahead(self, n_assignments, n_moved):
        """How many passes there will be until no label changes, if these go on getting fewer as in the last passes.

        Of real data that is too few: what changes the fewer labels goes on for the longer.
        """
        before, self.changed = self.changed * self.rows.n_samples, n_moved / self.rows.n_samples
        if before == self.rows.n_samples or n_moved <= 1:  # the first pass labels all rows
            self.n_left = 0.0
        elif n_moved >= before:
            self.n_left = np.inf
        else:
            self.n_left = n_assignments * math.log(n_moved) / math.log(before / n_moved)

    # ---- cells (cells.py) ----

    def _cells_pay(self, few):
        """Whether the next assignment is to go over cells."""
        if self.algorithm == "cells":
            return self.rows.cells is not None or suits(self.rows)
        return self._passes_until_cells_pay(few) == 0

    def _passes_until_cells_pay(self, few):
        """After how many passes over all rows cells are made, if labels still change then.

        That is where the passes that follow will pay for them, as far as one can tell, or the last ones would have paid for half.
        """
        rows = self.rows
        thinks = self.algorithm == "auto" and not few and rows.n_features <= CELL_FEATURES
        if not thinks or self.spared <= 0 or rows.cells is USELESS:
            return np.inf
        if rows.cells is not None:
            return 0
        cost = making(rows.n_features)
        if self.n_steps * self.spared < cost or not suits(rows):
            return np.inf
        calm = self.changed <= CELLS_CALM
        if min(max(self.n_left, 0 if calm else LIKELY_STEPS), self.n_steps) * self.spared >= cost:
            return 0
        wait = np.inf if calm else math.ceil((cost / 2 - rows.could_have_spared) / self.spared)
        return max(0, min(wait, LOOK_STEPS))

    def cells_for(self, partition, centers):
        """The labels of the partition on cells, if the next assignment is to go over these, or None."""
        rows = self.rows
        pays = self._cells_pay(len(rows.panels.blocks(self.n_clusters)) == 1)
        if not pays or not rows.panels.furthest(centers) < FAR:
            self.cell_labels = None
            return None
        if rows.cells is None:
            rows.panels.drop()
            rows.cells = Cells(rows)
        self.bounds = None
        if self.cell_labels is None:
            self.cell_labels = CellLabels(rows.cells, partition)
        return self.cell_labels

    # ---- bounds ----

    def bounds_for(self, centers, cost=None):
        """The bounds to use for these centers, or None; `cost` is what a row takes without, where that is not as estimated."""
        if self.dtype != self.rows.panels.dtype:
            self._weigh()
        if self.algorithm == "lloyd" or not self.rows.panels.furthest(centers) < FAR:
            self.bounds = None
            return None
        if self.bounds is None:
            self.without = cost or self.per_pass
            if self.algorithm == "auto" and not self._promising(centers):
                return None
        self.fresh = self.bounds is None
        if self.fresh or not self.bounds.move_to(centers):  # else they are for these centers now
            self.bounds = None
            if self.grouped:
                self.rows.panels.drop()
            self.bounds = Bounds(self.rows, centers, self.grouped)
        return self.bounds

    def allows_bytes(self):
        """Whether rows may be told apart by their bytes (screen8.py): not where other bounds are kept, or asked for."""
        return self.algorithm in ("auto", "lloyd") and self.bounds is None

    def bounds_in_bytes(self, centers):
        """The bounds to use where rows are told apart by their bytes: one for each row costs next to nothing there."""
        if self.algorithm == "lloyd":
            self.bounds8 = None
        elif self.bounds8 is None or not self.bounds8.move_to(centers):
            self.bounds8 = Bounds(self.rows, centers, False)
        return self.bounds8

    def _promising(self, centers):
        """Whether bounds would spare enough: how far the other centers are, a step ago, against how far all have moved."""
        if self.quick or self.wait or self.changed > CALM_SHARE:
            self.wait, self.last = max(0, self.wait - 1), None
            return False
        size = kernels.group_shape()[1] if self.grouped else self.n_clusters
        last, self.last = self.last, (centers, *gaps(self.rows, centers, size))
        if last is None:
            return False
        before, own, gap, order = last
        moved = np.sqrt(((centers - before) ** 2).sum(axis=1))
        furthest = np.maximum.reduceat(moved[order], np.arange(0, len(moved), size))
        needed = gap <= AHEAD_STEPS * (moved[own][:, None] + furthest)
        cost = self.cost(needed.any(axis=1).mean(), size * needed.sum(axis=1).mean())
        cost = (cost + self.cost(1, self.n_clusters) / LASTING_STEPS) / self.without
        if cost > WORTH_SHARE:
            self.wait = max(self.pause, min(8, int(8 * (cost - WORTH_SHARE))))
            return False
        self.last = None
        return True

    def record(self, n_moved, n_seen, n_distances):
        """Take note of how many labels an assignment changed, and how much it had to look at."""
        n = self.rows.n_samples
        self._look_ahead(1, n_moved)
        if self.cell_labels is not None:
            self.cell_labels.last = n_seen, n_distances
            if self.algorithm == "auto" and self.cell_labels.cost(n_seen, n_distances) > n * self.per_pass:
                self.rows.cells, self.cell_labels = USELESS, None
            return
        if self.bounds is None:
            self.rows.could_have_spared += self.spared
        if self.bounds is None or self.algorithm != "auto" or self.fresh:
            return
        if self.cost(n_seen / n, n_distances / n) > self.without:
            self.bounds, self.wait = None, 4


def gaps(rows, centers, size):
    """How far apart centers are, as some rows see them.

    Returns, of each of these rows, the number of its nearest center, and by how much the nearest other center of each group is
    further away; and the order of the centers in these groups, of `size` each.
    """
    some = rows.X[rows.some()]
    n = len(some)
    distances = np.empty((n, len(centers)))
    lloyd.distances(some, np.ascontiguousarray(centers.T), 0, n, distances)
    order = neighbours(centers, size)
    own, line = distances.argmin(axis=1), np.arange(n)
    nearest = np.sqrt(distances[line, own])
    distances[line, own] = np.inf
    others = np.minimum.reduceat(distances[:, order], np.arange(0, len(centers), size), axis=1)
    return own, np.sqrt(others) - nearest[:, None], order


class Bounds:
    """The bounds of all rows (src/distance_bounds.pxd), and how far the centers have moved since these were made.

    Parameters
    ----------
    rows : Rows
    centers : ndarray of shape (n_clusters, n_features)
    grouped : bool
        Whether there is a bound for each group of centers that are near each other, or one for all.
    """

    def __init__(self, rows, centers, grouped):
        n_clusters, size = len(centers), kernels.group_shape()[1]
        self.rows, self.centers, self.grouped = rows, centers.copy(), grouped
        self.center_at = neighbours(centers, size) if grouped else np.arange(n_clusters, dtype=np.intc)
        self.place = np.empty(n_clusters, np.intc)
        self.place[self.center_at] = np.arange(n_clusters)
        self.starts = np.arange(0, n_clusters, size)
        self.drift, self.own_drift = np.zeros(n_clusters), np.zeros(n_clusters)
        self.group_drift = np.zeros(len(self.starts))
        self.separation = np.full(rows.n_samples, -np.inf, rows.panels.dtype)
        if grouped:
            self.upper_bounds = np.empty(rows.n_samples, rows.panels.dtype)
            self.group_lower_bounds = np.empty((rows.n_samples + 16, len(self.starts)), rows.panels.dtype)

    def move_to(self, centers):
        """Take note of how far the centers have moved, rounded up; whether the bounds are still of use."""
        slack = 1 + 1e-15 * (10 + centers.shape[1])
        moved = np.empty(len(centers))
        for start, stop in split(len(centers), max(1, PIECE // centers.shape[1])):
            step = (centers[start:stop] - self.centers[start:stop]) * self.rows.panels.scale
            moved[start:stop] = slack * np.sqrt((step**2).sum(axis=1)) + 1e-145
        self.centers[:] = centers
        fastest = moved.argmax()
        others = np.full(len(moved), moved[fastest])
        others[fastest] = np.delete(moved, fastest).max(initial=0.0)
        self.drift = (self.drift + moved + others) * (1 + 1e-15)
        self.own_drift = (self.own_drift + moved) * (1 + 1e-15)
        self.group_drift = (self.group_drift + np.maximum.reduceat(moved[self.center_at], self.starts)) * (
            1 + 1e-15
        )
        return self.drift.max() < LONG

    def groups(self, centers):
        """The centers in groups and row by row, as the kernel wants them, and how far they have drifted."""
        rows, panels, (n_clusters, d) = self.rows, self.rows.panels, centers.shape
        groups = aligned.empty((len(self.starts), 1 + d, kernels.group_shape()[1]), panels.dtype)
        kernels.PackedCenters(
            centers[self.center_at], rows.origin, panels.scale, groups, np.empty((d, n_clusters))
        )
        padded = aligned.empty((n_clusters, stride(d)), panels.dtype)
        padded[:, d:] = 0
        padded[:, :d] = (centers - rows.origin) * panels.scale
        minus_origin = (-rows.origin * panels.scale).astype(panels.dtype)
        rounded_up = np.append(self.group_drift * (1 + 1.2e-7), np.zeros(16)).astype(panels.dtype)
        return kernels.CenterGroups(
            minus_origin if rows.X.dtype == panels.dtype else rows.origin,
            groups,
            padded,
            self.place,
            self.center_at,
            self.drift,
            self.own_drift,
            self.group_drift,
            rounded_up,
        )

    def scratch(self):
        """Buffers of one thread, beside those of all assignments."""
        n_groups, n_rows = len(self.starts), kernels.group_shape()[0]
        batch = aligned.empty((n_rows, stride(self.rows.n_features)), self.rows.panels.dtype)
        lists = np.empty((n_groups + 1, max(n_groups, n_rows + 1)), np.intc)
        return kernels.GroupScratch(batch, lists, np.empty(n_groups + 16, np.uint8))


def stride(n_features):
    """Numbers that a row takes in the buffers of the kernel."""
    return -(-n_features // 32) * 32


def neighbours(centers, size):
    """An order of the centers in which each run of `size` are near each other: halves along the widest feature."""

    def split(some):
        if len(some) <= size:
            return [some]
        feature = np.ptp(centers[some], axis=0).argmax()
        some = some[np.argsort(centers[some, feature], kind="stable")]
        half = -(-len(some) // (2 * size)) * size
        return split(some[:half]) + split(some[half:])

    return np.concatenate(split(np.arange(len(centers), dtype=np.intc)))
