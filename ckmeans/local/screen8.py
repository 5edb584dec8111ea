"""Rows and centers in 8 bits: where dot products of bytes tell most labels, a pass takes a fraction of the time; same labels."""

import numpy as np

from .._kernels import screen8 as kernels
from ..workers import split
from .npy_file import affordable

# Features below which a pass in bytes spares nothing: what it does for each score is more than the products.
LEAST_FEATURES = 12
# Largest coordinate of a center, in packed units: scores in single precision stay within its range.
FAR = 1e15
# Nanoseconds of a pass in bytes, measured on two cores with AMX as ratios to passes in single precision: for a row; for a score
# and for a product of it, by the kind of product; for a row that its bytes leave open, and for one coordinate of a center near it.
PER_ROW, PER_SCORE = 8.0, 0.12
PER_PRODUCT = {"amx": 0.0012, "avx512vnni": 0.004, "avxvnni": 0.0075, "avx2": 0.012, "neon": 0.006}
PER_OPEN, PER_NEAR = 150.0, 0.5
# Nanoseconds for each coordinate of a row that is made bytes on the way.
PER_BYTE = 0.9
# Nanoseconds that a pass takes however few the rows.
PER_PASS = 2e5
# Passes that go by without bytes where these told too little; twice as many the next time.
PAUSE = 8
# Score products in a block: some milliseconds, as BLOCK_WORK of panels.py.
BLOCK_WORK = 1 << 28


class Screen:
    """When rows are told apart by their bytes, and the bytes of all rows, a quarter of float32.

    Attributes
    ----------
    share_seen, share_open, n_near : float
        The last share of the rows that was looked at, the share that bytes left open, and how many centers could be nearest to
        one of these.
    """

    def __init__(self):
        self.share_seen, self.share_open, self.n_near, self.rows8 = 1.0, None, 0.0, None
        self.wait, self.pause = 0, PAUSE

    def cost(self, n_clusters, n_features, kept):
        """Nanoseconds for a row, as estimated; inf where there is no fast product."""
        per_product = PER_PRODUCT.get(kernels.dots_in_use(), np.inf)
        scores = n_clusters * (PER_SCORE + per_product * n_features)
        left = self.share_open * (PER_OPEN + scores + self.n_near * PER_NEAR * n_features)
        return PER_ROW + self.share_seen * scores + left + (0 if kept else PER_BYTE * n_features)

    def suits(self, rows, centers, per_pass, kept):
        """Whether to use bytes for these centers, where a row takes per_pass nanoseconds without."""
        n_clusters, d = centers.shape
        if self.wait:
            self.wait -= 1
            return False
        if d < LEAST_FEATURES or d > 4 * kernels.shape()[3] or not rows.panels.in_range:
            return False
        furthest = np.abs(centers - rows.origin).max() * rows.panels.scale
        if not furthest < FAR or rows.panels.dtype != np.float32:
            return False
        if self.share_open is None:
            self.share_open = 0.0
            if not self._pays(rows, n_clusters, per_pass, kept):
                self.share_open = None
                return False
            self._probe(rows, centers)
        if self._pays(rows, n_clusters, per_pass, kept):
            return True
        self.drop()
        self.share_open, self.wait, self.pause = None, self.pause, min(2 * self.pause, 64)
        return False

    def outdoes_bounds(self, grouped):
        """Whether bounds, of groups of centers or of all, are not even thought of: a pass is over before they would pay."""
        return grouped and kernels.dots_in_use() in ("amx", "avx512vnni")

    def _pays(self, rows, n_clusters, per_pass, kept):
        overhead = PER_PASS * rows.workers.n_threads / rows.n_samples
        return self.cost(n_clusters, rows.n_features, kept) + overhead < per_pass

    def _probe(self, rows, centers):
        """Find out what bytes leave open of some rows."""
        some = rows.take(rows.some())
        labels, moved = np.full(len(some), -1, np.int32), max(len(some), 6 * kernels.shape()[0])
        counts = kernels.assign(
            some,
            np.empty(0),
            None,
            self.centers(rows, centers),
            0,
            -(-len(some) // kernels.shape()[0]),
            labels,
            *_no_bounds(),
            np.empty(moved, np.intp),
            np.empty(moved, np.int32),
            rows.units,
            np.empty((0, 1, 2), np.int64),
            scratch(len(centers), rows.n_features),
        )
        self.record(len(some), *counts[2:])

    def record(self, n_rows, n_seen, n_open, n_near):
        """Take note of how many rows were looked at, and what bytes left open."""
        self.share_seen, self.share_open, self.n_near = (
            n_seen / n_rows,
            n_open / n_rows,
            n_near / max(1, n_open),
        )

    def centers(self, rows, centers):
        """The centers as the kernel wants them."""
        n_clusters, d = centers.shape
        block = kernels.shape()[1]
        n = -(-n_clusters // block) * block
        return kernels.ScreenedCenters(
            centers,
            rows.origin,
            rows.panels.scale,
            aligned(n * _stride(d), np.int8).reshape(n, _stride(d)),
            np.zeros((7, n + 16), np.float32),
            np.empty(d + 8),
        )

    def keep(self, rows):
        """Keep the bytes of all rows, if there is memory for them."""
        if self.rows8 is None and affordable(rows.X, _n_quads(rows.n_features) * 4 * rows.n_samples):
            n_panels = -(-rows.n_samples // kernels.shape()[0])
            rows8 = _rows_in_bytes(n_panels, rows.n_features)

            def block(start, stop):
                room = scratch(1, rows.n_features)
                kernels.quantise(rows.X, rows.origin, rows.panels.scale, start, stop, rows8, room)

            rows.workers.run(block, self.blocks(rows, 64))
            self.rows8 = rows8

    def drop(self):
        """Give the memory of the bytes back."""
        self.rows8 = None

    def blocks(self, rows, n_clusters):
        """Runs of panels: blocks of BLOCK_WORK, and some for each thread."""
        n_panels = -(-rows.n_samples // kernels.shape()[0])
        size = BLOCK_WORK // (kernels.shape()[0] * rows.n_features * (n_clusters + 64))
        return split(n_panels, max(1, min(size, -(-n_panels // (8 * rows.workers.n_threads)))))

    def label(self, rows, screened, labels, bounds, lists, room, start, stop):
        """Label the rows of some panels; the counts of kernels.assign."""
        return kernels.assign(
            rows.X,
            rows.sample_weight,
            self.rows8,
            screened,
            start,
            stop,
            labels,
            *((bounds.separation, bounds.drift) if bounds else _no_bounds()),
            lists.moved,
            lists.old_labels,
            lists.units,
            lists.sums,
            room,
        )


def _no_bounds():
    return np.empty(0, np.float32), np.empty(0)


def scratch(n_clusters, n_features):
    """Buffers of one thread."""
    n_rows, block, _, _ = kernels.shape()
    n = -(-n_clusters // block) * block
    return kernels.ScreenScratch(
        *[_rows_in_bytes(1, n_features) for _ in range(3)],
        np.empty(n_features + 16, np.float32),
        np.empty(n_features + 16, np.uint8),
        aligned(2 * block * n_rows, np.int32),
        np.empty((2, n + 16), np.float32),
        np.empty(n_rows * n, np.int32),
        np.empty(n_rows * n),
    )


def _n_quads(n_features):
    return -(-n_features // 4)


def _stride(n_features):
    return -(-n_features // 64) * 64


def _rows_in_bytes(n_panels, n_features):
    n_rows, _, slack, _ = kernels.shape()
    return kernels.ScreenedRows(
        aligned(n_panels * _n_quads(n_features) * 4 * n_rows + slack, np.uint8),
        *np.zeros((3, n_panels * n_rows), np.float32),
        np.zeros(n_panels, np.float32),
    )


def aligned(n, dtype):
    """Room for n numbers that begins with a line of the cache: products of bytes take twice the time otherwise."""
    raw = np.empty(n * np.dtype(dtype).itemsize + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + n * np.dtype(dtype).itemsize].view(dtype)
