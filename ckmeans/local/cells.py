"""Boxes of rows that are near each other, for few features: labels go to a whole box where one center is nearest to all of it."""

from collections import deque
from functools import partial

import numpy as np

from .._kernels import cells as kernels
from .._kernels import panels as panel_kernels
from ..workers import split
from .npy_file import affordable

# Rows, evenly spread, whose quantiles tell where a feature has its values: more take longer to sort than the rest to prepare.
SAMPLED = 4096
# Share of the rows at either end of a feature that get a share of the steps of the curve to themselves: else outliers would leave
# few to the others. With equally many rows to each step boxes were a quarter worse (1e6 x 4, k=100).
TAIL, TAIL_STEPS = 0.02, 1 / 32
# Rows in a block of what is done once, some milliseconds.
BLOCK_ROWS = 1 << 18
# Blocks of an assignment for each thread, and the most rows of one: 2 to 20 ms with one thread (1e6 x 2, k=1000).
BLOCKS, MOST_ROWS = 2, 1 << 20
# Nanoseconds of an assignment, as estimated here, up to which one thread does it: waking others would take longer.
SHARED = 3e5
# The label of a node whose rows have several (src/cells.pxd).
MIXED = -2
# In the place of cells that are not worth it.
USELESS = object()


def suits(rows):
    """Whether cells can be made of these rows."""
    n, d = rows.X.shape
    size = n * (24 + 1.3 * d * rows.panels.dtype.itemsize)
    return (
        d <= kernels.shape()[2]
        and n < 2**31
        and not rows.fixed_point_loses_digits
        and affordable(rows.X, size)
    )


# Nanoseconds, as distance_bounds.py counts them.


def making(n_features):
    """What a row takes when cells are made (1e6 rows, one thread: 22 ms with d=2, 31 with d=3, 31 to 45 with d=4 to 5)."""
    return 10 + 8 * n_features


def passing(n_samples, n_clusters, n_features):
    """About what a row takes in an assignment over cells: 5 where it is looked at, which rows of leaves between clusters are.

    The number of such leaves grows as surfaces do. Measured with uniform rows and overlapping blobs (1e6 rows, one thread, k=4
    to 1000): 0.1 to 2.4 ms with d=2, 0.5 to 4 with d=3, 2 to 3.5 with d=4, 3 to 4.5 with d=5.
    """
    leaf = kernels.shape()[0]
    return 0.1 + 5 * min(1.0, 2.2 * (n_clusters * leaf / n_samples) ** (1 / n_features))


class Cells:
    """Rows along a space-filling curve, in leaves, and a hierarchy of boxes around these, with the sums of their rows.

    It depends on the rows alone, so that it serves all restarts.

    Parameters
    ----------
    rows : Rows
        In memory; no more features than `kernels.shape` says.

    Attributes
    ----------
    order : ndarray of shape (n_samples,), int32
        The rows along the curve.
    levels : ndarray of shape (n_levels, 3), int64
        First node, number of nodes, and leaves of each, of the levels of the hierarchy; the leaves first.
    """

    def __init__(self, rows):
        self.dtype, self.isa = rows.panels.dtype, panel_kernels.in_use()
        self.leaf, self.group = kernels.shape()[:2]
        self.order = _along_the_curve(rows, self.isa)
        n_leaves = -(-rows.n_samples // self.leaf)
        levels = [(0, n_leaves, 1)]
        while levels[-1][1] > self.group:
            first, n_nodes, size = levels[-1]
            n_groups = -(-n_nodes // self.group)
            levels.append((first + n_groups * self.group, n_groups, size * self.group))
        self.levels = np.array(levels, np.int64)
        self.n_nodes = levels[-1][0] + self.group
        d = rows.n_features
        self.leaves = np.empty((n_leaves, d, self.leaf), self.dtype)
        # Rows of the type of the leaves lie there as they are: their digits are those that the sums take.
        self.bases = np.empty((n_leaves if rows.X.dtype == self.dtype else 0, d), self.dtype)
        self.middles, self.norms = np.empty((n_leaves, d)), np.empty(n_leaves)
        self.boxes = np.zeros((self.n_nodes // self.group, 2, d, self.group), self.dtype)
        self.sums = np.empty((self.n_nodes, d + 1, 2), np.int64)

        def fill(start, stop):
            kernels.fill(
                rows.X,
                rows.sample_weight,
                self.order,
                rows.origin,
                rows.panels.scale,
                rows.units,
                start,
                stop,
                self.leaves,
                self.bases,
                self.middles,
                self.norms,
                self.boxes,
                self.sums,
                self.isa,
            )

        rows.workers.run(fill, split(n_leaves, BLOCK_ROWS // self.leaf // 4))
        for below, (first, n_nodes, _) in zip(levels, levels[1:]):
            join = partial(self._join, below, first)
            rows.workers.run(join, split(n_nodes, BLOCK_ROWS // self.leaf))

    def _join(self, below, first, start, stop):
        """Boxes and sums of some nodes of a level, from those of the level below."""
        kernels.join(below[1], below[0], first, start, stop, self.boxes, self.sums)


def _along_the_curve(rows, isa):
    """The numbers of the rows, in their order along a Hilbert curve: a radix sort."""
    n, d = rows.n_samples, rows.n_features
    width = kernels.shape()[3]
    n_digits = 2 if n <= 1 << 20 else 3
    bits = min(32, width * n_digits) // d
    some = np.arange(0, n, max(1, n // SAMPLED))
    some = (rows.take(some) - rows.origin) * rows.panels.scale
    knots = np.quantile(some, [0, TAIL, 1 - TAIL, 1], axis=0).T
    widths = np.diff(knots, axis=1)
    steps = (2**bits - 1) * np.array([TAIL_STEPS, 1 - 2 * TAIL_STEPS, TAIL_STEPS])
    rates = np.zeros(widths.shape, np.float32)
    np.divide(steps, widths, out=rates, where=widths > 1e-30, casting="unsafe")
    lines = np.ascontiguousarray(knots[:, :-1], np.float32), rates, steps.astype(np.float32)
    words, other = np.empty(n, np.uint64), np.empty(n, np.uint64)
    none, order = np.empty(0, np.uint64), np.empty(0, np.intc)
    blocks = split(n, BLOCK_ROWS)

    def keys(start, stop):
        kernels.keys(rows.X, rows.origin, rows.panels.scale, *lines, bits, start, stop, words, isa)

    rows.workers.run(keys, blocks)
    for digit in range(n_digits - 1):
        _by_digit(rows.workers, blocks, digit, words, other, order)
        words, other = other, words
    del other
    order = np.empty(n, np.intc)
    _by_digit(rows.workers, blocks, n_digits - 1, words, none, order)
    return order


def _by_digit(workers, blocks, digit, words, out, order):
    """Words in the order of a digit, in `out`; or the numbers of their rows alone, in `order`."""
    n_values = 1 << kernels.shape()[3]
    counts = np.empty((len(blocks), n_values), np.int64)

    def count(b, start, stop):
        kernels.count(words, digit, start, stop, counts[b])

    def spread(b, start, stop):
        kernels.spread(words, digit, start, stop, places[b], out, order)

    workers.run(count, [(b, *block) for b, block in enumerate(blocks)])
    ends = counts.T.ravel().cumsum().reshape(n_values, -1).T
    places = np.ascontiguousarray(ends - counts)
    workers.run(spread, [(b, *block) for b, block in enumerate(blocks)])


class CellLabels:
    """The labels of one partition along the curve, and those of whole nodes."""

    def __init__(self, cells, partition):
        rows, labels = partition.rows, partition.labels
        self.cells, self.partition = cells, partition
        self.own = np.full(rows.n_samples + cells.leaf, -1, np.int32)
        self.node_labels = np.full(cells.n_nodes, -1, np.int32)
        self.idle, self.n_blocks = deque(), 0
        self.last = rows.n_samples, 0  # rows looked at, and distances, by the last assignment
        if (labels >= 0).any():
            self.node_labels[:] = MIXED

            def block(start, stop):
                kernels.take_labels(labels, cells.order, start, stop, self.own, self.node_labels)

            rows.workers.run(block, split(len(cells.leaves), BLOCK_ROWS // cells.leaf))

    def blocks(self):
        """Runs of whole groups of leaves, some for each thread."""
        n, group = len(self.cells.leaves), self.cells.group
        n_threads = self.partition.rows.workers.n_threads
        size = min(-(-n // (BLOCKS * n_threads)), MOST_ROWS // self.cells.leaf)
        if self.cost(*self.last) <= SHARED and n * self.cells.leaf <= MOST_ROWS:
            size = n
        blocks = split(n, max(1, -(-size // group)) * group)
        if len(blocks) != self.n_blocks:
            self.n_blocks = len(blocks)
            self._push_down()
        return blocks

    def _push_down(self):
        """Leave the labels to leaves: what nodes are in several blocks is another question now, and these have none."""
        levels = self.cells.levels[::-1]
        for (first, n_nodes, _), (first_below, n_below, _) in zip(levels, levels[1:]):
            labels = self.node_labels[first : first + n_nodes]
            below = self.node_labels[first_below : first_below + n_below]
            pushed = np.repeat(labels, self.cells.group)[:n_below]
            np.copyto(below, pushed, where=pushed != MIXED)
            labels[:] = MIXED

    def cost(self, n_seen, n_distances):
        """Nanoseconds of an assignment on some machine, as distance_bounds.py counts them."""
        return 1.5 * n_seen + 0.5 * n_distances

    def labels_for(self, centers):
        """What labels the rows of some leaves with the nearest of these centers, as Panels.assign wants it."""
        cells, rows, labels = self.cells, self.partition.rows, self.partition.labels
        packed = np.empty((len(centers), 1 + rows.n_features), cells.dtype)
        packed[:, 1:] = shifted = (centers - rows.origin) * rows.panels.scale
        norms = (packed[:, 1:].astype(np.float64) ** 2).sum(axis=1)
        packed[:, 0] = norms / 2
        max_center_norm = float(np.sqrt(norms.max()))

        def label(start, stop, scratch):
            own = self._scratch(len(centers), len(scratch.moved))
            counts = kernels.assign(
                rows.X,
                rows.sample_weight,
                cells.order,
                cells.levels,
                cells.leaves,
                cells.bases,
                rows.panels.scale,
                cells.middles,
                cells.norms,
                cells.boxes,
                cells.sums,
                rows.panels.max_norm,
                centers,
                packed,
                shifted,
                max_center_norm,
                start,
                stop,
                labels,
                self.own,
                self.node_labels,
                scratch.distances,
                scratch.moved,
                scratch.old_labels,
                scratch.units,
                scratch.sums,
                *own,
                cells.isa,
            )
            self.idle.append(own)
            return counts

        return label

    def _scratch(self, n_clusters, n_moved):
        try:
            return self.idle.popleft()
        except IndexError:
            n_levels = len(self.cells.levels)
            lists = np.empty((n_levels + 1, n_clusters), np.intc)
            lists[0] = np.arange(n_clusters)
            return (
                lists,
                np.empty((n_levels, n_clusters), np.uint16),
                np.empty(n_clusters * self.cells.group, self.cells.dtype),
                np.empty((n_clusters, self.partition.rows.n_features)),
                np.empty(n_moved, np.intc),
            )
