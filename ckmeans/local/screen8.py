"""Rows and centers in 8 bits: where dot products of bytes tell most labels, a pass takes a fraction of the time; same labels."""

import numpy as np
from scipy.spatial.distance import cdist

from .._kernels import screen8 as kernels
from ..spectrum import gram, greatest, multiply
from ..workers import check_room, split
from . import aligned
from .directed import stored
from .npy_file import affordable

# Features below which a pass in bytes spares nothing: what it does for each score is more than the products.
LEAST_FEATURES = 12
# Largest coordinate of a center, in packed units: scores in single precision stay within its range.
FAR = 1e15
# Nanoseconds of a pass in bytes, measured on two cores with AMX as ratios to passes in single precision: for a score, and for a
# product of it, by the kind of product. For a row and each of its bytes, for a row that its bytes leave open, and for one coordinate
# of a center near it: likewise with AVX-512 VNNI (16 to 784 features, 10 to 500 centers; 0.9 to 1.15 of what these say).
PER_ROW, PER_SHOWN, PER_SCORE = 8.0, 0.08, 0.12
PER_PRODUCT = {"amx": 0.0012, "avx512vnni": 0.004, "avxvnni": 0.0075, "avx2": 0.012, "neon": 0.006}
PER_OPEN, PER_NEAR = 50.0, 0.25
# Features from which on pairs of up to 32 centers, in 16 bits, tell rows that bytes leave open (pairs.pxd). Of 784 features they left 0.05 open in place of
# 0.29 (10 blobs) and 0.32 of 0.67 (noise), and a pass took 0.54 and 0.60 times as long; of 384 and 256 features 0.8 to 1.0 times, of 128 1.5 times (VNNI).
LEAST_PAIRED = 256
# Nanoseconds for each coordinate of a row that is made bytes, and passes over which that is spread where these are kept.
PER_BYTE, LASTING_PASSES = 0.9, 12
# Nanoseconds that a pass takes however few the rows.
PER_PASS = 2e5
# Most coordinates in a subspace, the length of the rest among them; the least number of features for which such are made; and rows
# that tell the subspace. With 64, a pass over 50,000 x 768 rows like embeddings, k=1000, takes 0.025 s, not 0.27 (AVX-512 VNNI).
N_SHOWN, LEAST_REDUCED, N_TELLING = 64, 384, 256
# Nanoseconds of a pass, of all rows by their features, from which on a subspace is looked for, which takes a tenth of a second (1e4 x 784).
LEAST_PASS = 2e7
# What the squares of the rests may grow by, as some rows tell, where fewer coordinates are taken, by STEP of them: with 48 instead
# of 64 of the same rows, bytes left less open, and a pass took 21 ms instead of 25.
GROWTH, STEP = 1.25, 16
# Share of the lengths that is added to those of the rests: products of coordinates are off by less than the square of it.
ROUNDING = 1e-5
# What single precision is rounded up by. No coordinates.
ABOVE, NONE_SHOWN = np.float32(1 + 2.4e-7), np.empty((0, N_SHOWN), np.float32)
# Numbers of the rows in a block that is projected: in the cache of one core.
COORDINATES_WORK = 1 << 16
# Nanoseconds for each feature: of a row of a panel with up to 8 candidates for a center of k-means++, and of a pair of a row and a
# candidate that bytes do not tell apart and differences do (1e5 x 64 and 5e4 x 768, AVX-512, on a busy machine).
SCREENED_PANEL, PER_VAIN = 0.25, 1.0
# Nanoseconds that a call takes for candidates, however few the rows.
PER_CANDIDATES = 1.5e5
# Nanoseconds for each feature of a row whose coordinates in a subspace are computed.
PER_COORDINATE = 10.0
# Passes that go by without bytes where these told too little; twice as many the next time.
PAUSE = 3
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
        self.subspace = self.row_shown = self.found = None

    def cost(self, n_clusters, n_features, kept):
        """Nanoseconds for a row, as estimated; inf where there is no fast product."""
        per_product = PER_PRODUCT.get(kernels.dots_in_use(), np.inf)
        shown = self.subspace.n_shown if self.subspace and kept else n_features
        scores = n_clusters * (PER_SCORE + per_product * shown)
        if not (self.subspace and kept) and _are_paired(n_clusters, n_features):
            scores *= 2
        left = self.share_open * (PER_OPEN + scores + self.n_near * PER_NEAR * n_features)
        return (
            PER_ROW
            + PER_SHOWN * shown
            + self.share_seen * scores
            + left
            + (0 if kept else PER_BYTE * n_features)
        )

    def suits(self, rows, centers, per_pass, kept):
        """Whether to use bytes for these centers, where a row takes per_pass nanoseconds without."""
        n_clusters, d = centers.shape
        if self.wait:
            self.wait -= 1
            return False
        if d < LEAST_FEATURES or d > 4 * kernels.shape()[3] or not rows.panels.in_range:
            return False
        if rows.panels.dtype != np.float32 or not rows.panels.furthest(centers) < FAR:
            return False
        if self.share_open is None:
            self.share_open = 0.0
            if not self._pays(rows, n_clusters, per_pass, kept):
                self.share_open = None
                return False
            self._probe(rows, centers, kept, per_pass)
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
        if kept and self.rows8 is None:
            overhead += PER_BYTE * rows.n_features / LASTING_PASSES
        return self.cost(n_clusters, rows.n_features, kept) + overhead < per_pass

    def _probe(self, rows, centers, kept, per_pass):
        """Find out what bytes leave open of some rows, of their features or of coordinates in a subspace: what takes less is kept."""
        some, before = rows.take(rows.some()), (self.subspace, self.rows8, self.row_shown)
        self.subspace = self.rows8 = self.row_shown = None
        self._choose(rows, some, centers, kept, per_pass)
        if self.subspace is before[0]:  # the bytes that the seeding has left
            _, self.rows8, self.row_shown = before

    def _choose(self, rows, some, centers, kept, per_pass):
        """Features or coordinates, by what is left open of these rows; features where a pass is soon over in any case."""
        self._look(rows, some, None, self.centers(rows, centers), len(centers))
        cost = self.cost(*centers.shape, True)
        short = rows.n_samples * min(cost, per_pass) < LEAST_PASS
        if not kept or rows.n_features < LEAST_REDUCED or short:
            return
        plain = self.share_seen, self.share_open, self.n_near
        self.subspace = self.found_subspace(rows)
        rows8, row_shown = self._in_bytes(rows, some)
        self._look(rows, some, rows8, self.centers(rows, centers, row_shown), len(centers))
        if not self._reduces(cost, self.cost(*centers.shape, True)):
            self.subspace, (self.share_seen, self.share_open, self.n_near) = None, plain

    def _reduces(self, cost, reduced):
        """Whether bytes of coordinates in a subspace are used, for what passes with and without cost."""
        return reduced < cost

    def _look(self, rows, some, rows8, screened, n_clusters):
        """Take note of what bytes leave open of some rows."""
        labels, moved = np.full(len(some), -1, np.int32), max(len(some), 6 * kernels.shape()[0])
        counts = kernels.assign(
            some,
            np.empty(0),
            np.empty(0),
            rows8,
            screened,
            0,
            -(-len(some) // kernels.shape()[0]),
            labels,
            *_no_bounds(),
            np.empty(moved, np.intp),
            np.empty(moved, np.int32),
            rows.units,
            np.empty((0, 1, 2), np.int64),
            scratch(n_clusters, rows.n_features),
        )
        self.record(len(some), *counts[2:])

    def record(self, n_rows, n_seen, n_open, n_near):
        """Take note of how many rows were looked at, and what bytes left open."""
        self.share_seen, self.share_open, self.n_near = (
            n_seen / n_rows,
            n_open / n_rows,
            n_near / max(1, n_open),
        )

    def centers(self, rows, centers, row_shown=None):
        """The centers as the kernel wants them; by the subspace where the rows are, whose coordinates are given or kept."""
        row_shown = self.row_shown if row_shown is None else row_shown
        n_clusters = len(centers)
        shown, shown_origin, shown_scale, single = centers, rows.origin, rows.panels.scale, NONE_SHOWN
        if row_shown is not None:
            n_shown = self.subspace.n_shown
            shown, sq_norms = np.empty((n_clusters, n_shown)), np.empty(n_clusters)
            for start, stop in split(n_clusters, max(1, COORDINATES_WORK // rows.n_features)):
                shown[start:stop], sq_norms[start:stop] = self.subspace.coordinates(rows, centers[start:stop])
            shown_origin, shown_scale, single = np.zeros(n_shown), 1.0, _single(shown)
        block, stride = kernels.shape()[1], _stride(shown.shape[1])
        n = -(-n_clusters // block) * block
        numbers = np.zeros((7, n + 16), np.float32)
        n_paired = n_clusters if row_shown is None and _are_paired(n_clusters, rows.n_features) else 0
        fine = aligned.empty((n if n_paired else 0, stride), np.int8)
        fine[:] = 0
        screened = kernels.ScreenedCenters(
            centers,
            rows.origin,
            rows.panels.scale,
            shown,
            shown_origin,
            shown_scale,
            single,
            NONE_SHOWN if row_shown is None else row_shown,
            aligned.empty((n, stride), np.int8),
            numbers,
            np.empty(shown.shape[1] + 8),
            fine,
            np.empty((n_paired and kernels.pair_numbers() + n_paired, n_paired)),
            _least_open(n_clusters, rows.n_features),
        )
        if row_shown is not None:  # those of the centers themselves, to the safe side as the kernel has it
            numbers[2, :n_clusters] = sq_norms / 2 * (1 - 1.3e-6) - 1e-36
        return screened

    def keep(self, rows):
        """Keep the bytes of all rows, if there is memory for them."""
        size = 5 * self.subspace.n_shown if self.subspace else _n_quads(rows.n_features) * 4
        if self.rows8 is None and affordable(rows.X, size * rows.n_samples):
            if self.subspace:
                self.rows8, self.row_shown = self._in_bytes(rows, rows.X)
                return
            n_panels = -(-rows.n_samples // kernels.shape()[0])
            rows8, _ = _rows_in_bytes(n_panels, rows.n_features)

            def block(start, stop):
                room = scratch(1, rows.n_features)
                kernels.quantise(*stored(rows.X), rows.origin, rows.panels.scale, start, stop, rows8, room)

            rows.workers.run(block, self.blocks(rows, 64))
            self.rows8 = rows8

    def _in_bytes(self, rows, X):
        """The bytes of the coordinates of some rows in the subspace, and these coordinates."""
        n_panels = -(-len(X) // kernels.shape()[0])
        n_shown = self.subspace.n_shown
        shown, sq_norms = np.empty((len(X), n_shown), np.float32), np.empty(len(X), np.float32)

        def project(start, stop):
            shown[start:stop], sq_norms[start:stop] = self.subspace.coordinates(rows, X[start:stop])

        rows.workers.run(project, split(len(X), max(1, COORDINATES_WORK // rows.n_features)))
        rows8, squares = _rows_in_bytes(n_panels, n_shown)

        def block(start, stop):
            room = scratch(1, n_shown)
            kernels.quantise(shown, np.empty(0), np.zeros(n_shown), 1.0, start, stop, rows8, room)

        rows.workers.run(block, split(n_panels, 64))
        squares[: len(X)] = sq_norms
        return rows8, _single(shown)

    def drop(self):
        """Give the memory of the bytes back."""
        self.rows8 = self.row_shown = None

    # ---- draws of k-means++ (seeding.py) ----

    def keep_for_draws(self, rows, n_clusters, n_candidates):
        """Keep the bytes of all rows where they tell faster than panels which rows a candidate for a center can be nearer to."""
        d, workers = rows.n_features, rows.workers
        if d < LEAST_FEATURES or d > 4 * kernels.shape()[3] or not rows.panels.in_range:
            return False
        if rows.panels.dtype != np.float32:
            return False
        each = _spared(d, d, n_candidates) - PER_CANDIDATES / rows.n_samples
        if not n_clusters * each > PER_BYTE * d + PER_PASS * workers.n_threads / rows.n_samples:
            return False
        self._choose_for_draws(rows, n_clusters, n_candidates)
        self.keep(rows)
        return self.rows8 is not None

    def _choose_for_draws(self, rows, n_clusters, n_candidates):
        """Bytes of coordinates in a subspace, or of all features: what takes less, as some rows tell."""
        if self.rows8 is not None:
            return
        self.subspace, d = None, rows.n_features
        less = _spared(d, N_SHOWN, n_candidates) - _spared(d, d, n_candidates)
        making = 5 * LEAST_PASS + PER_COORDINATE * d * rows.n_samples
        if d >= LEAST_REDUCED and self._reduces(n_clusters * less * rows.n_samples, making):
            subspace = self.found_subspace(rows)
            lost = n_candidates * PER_VAIN * d * subspace.vain(rows, n_clusters)
            self.subspace = subspace if self._reduces(less, lost) else None

    def found_subspace(self, rows):
        """The subspace of the rows, which is looked for once."""
        self.found = self.found or Subspace(rows)
        return self.found

    def nearer(self, rows, candidates, thresholds, passed):
        """The function that marks, for each candidate, the rows of a slab whose score may be below a threshold of their own."""
        screened, idle, n_rows = self.centers(rows, candidates), [], screen_rows()

        def mark(start, stop):
            try:
                room = idle.pop()
            except IndexError:
                room = scratch(*candidates.shape)
            kernels.nearer(
                self.rows8, screened, thresholds, start // n_rows, -(-stop // n_rows), passed, room
            )
            idle.append(room)

        return mark

    def spared_by_draws(self, rows, n_candidates, n_vain):
        """Nanoseconds that the bytes have spared, where n_vain pairs of a row and a candidate were not told apart by them."""
        shown, d = self.subspace.n_shown if self.subspace else rows.n_features, rows.n_features
        return rows.n_samples * _spared(d, shown, n_candidates) - n_vain * PER_VAIN * d

    def blocks(self, rows, n_clusters):
        """Runs of panels: blocks of BLOCK_WORK, and some for each thread."""
        n_panels = -(-rows.n_samples // kernels.shape()[0])
        width = self.subspace.n_shown if self.rows8 and self.subspace else rows.n_features
        size = BLOCK_WORK // (kernels.shape()[0] * (width * (n_clusters + 64) + rows.n_features))
        return split(n_panels, max(1, min(size, -(-n_panels // (8 * rows.workers.n_threads)))))

    def label(self, rows, screened, labels, bounds, lists, room, start, stop):
        """Label the rows of some panels; the counts of kernels.assign."""
        return kernels.assign(
            *stored(rows.X),
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


def _are_paired(n_clusters, n_features):
    """Whether rows that their bytes leave open are told by pairs of centers, in 16 bits (pairs.pxd)."""
    return n_clusters <= kernels.shape()[1] and n_features >= LEAST_PAIRED


def _least_open(n_clusters, n_features):
    """Rows of a panel that take as long by differences as second bytes of the centers for all of them, of which these tell most."""
    products = kernels.shape()[0] * n_clusters * n_features * PER_PRODUCT.get(kernels.dots_in_use(), 0.0)
    return 1 + int(products / (0.7 * (PER_OPEN + 2 * PER_NEAR * n_features)))


def _spared(n_features, n_shown, n_candidates):
    """Nanoseconds that bytes of n_shown coordinates spare, for a row and one more center of k-means++."""
    per_product = PER_PRODUCT.get(kernels.dots_in_use(), np.inf)
    return SCREENED_PANEL * n_features - PER_ROW - n_candidates * (PER_SCORE + per_product * n_shown)


def screen_rows():
    """Rows of a panel in bytes."""
    return kernels.shape()[0]


def _no_bounds():
    return np.empty(0, np.float32), np.empty(0)


def scratch(n_clusters, n_features):
    """Buffers of one thread."""
    n_rows, block, _, _ = kernels.shape()
    units, n_features = np.empty((n_rows, n_features)), max(n_features, N_SHOWN)
    n = -(-n_clusters // block) * block
    return kernels.ScreenScratch(
        *[_rows_in_bytes(1, n_features)[0] for _ in range(3)],
        np.empty(n_features + 16, np.float32),
        np.empty(n_features + 16, np.uint8),
        aligned.empty(3 * block * n_rows, np.int32),
        np.empty((2, n + 16), np.float32),
        np.empty(2 * n_rows * n, np.int32),
        np.empty(n_rows * n),
        units,
        np.empty(n_rows),
        np.empty(n_rows, np.int32),
    )


def _n_quads(n_features):
    return -(-n_features // 4)


def _stride(n_features):
    return -(-n_features // 64) * 64


def _rows_in_bytes(n_panels, n_features):
    """Room for rows in bytes, and their squared norms there."""
    n_rows, _, slack, _ = kernels.shape()
    numbers = np.zeros((3, n_panels * n_rows), np.float32)
    bytes = aligned.empty(n_panels * _n_quads(n_features) * 4 * n_rows + slack, np.uint8)
    return kernels.ScreenedRows(bytes, *numbers, np.zeros(n_panels, np.float32)), numbers[2]


def _single(shown):
    """Coordinates in single precision, the rest rounded up."""
    single = shown.astype(np.float32, copy=False)
    single[:, -1] *= ABOVE
    return single


def _orthonormal(columns):
    """Columns at right angles, of length one, and of the same span: by Cholesky factors, twice; BLAS would leave threads that wait busily."""
    try:
        found = columns
        for _ in range(2):
            found = multiply(found, np.ascontiguousarray(np.linalg.inv(np.linalg.cholesky(gram(found))).T))
        if np.abs(gram(found) - np.eye(found.shape[1])).max() < 1e-12:
            return found
    except np.linalg.LinAlgError:
        pass  # nearly fewer directions than columns
    return np.ascontiguousarray(np.linalg.qr(columns)[0])


class Subspace:
    """Leading directions of the rows: of rows near few of them, less bytes tell more.

    With y and z the coordinates of a row x and a center c, B the directions, and x' and c' what is left of them, x.c = y.z + x'.c',
    where x'.c' is within |x'| |c'| of zero (Cauchy-Schwarz). With |x'| and |c'| as one more coordinate, the scores |c|^2/2 - x.c
    are not below those of the coordinates, and above them by 2 |x'| |c'| at most. Nothing depends on which directions these are.

    Parameters
    ----------
    rows : Rows
    """

    def __init__(self, rows):
        check_room()
        some = rows.take(np.arange(0, rows.n_samples, -(-rows.n_samples // N_TELLING)))
        columns = np.ascontiguousarray(((some - rows.origin) * rows.panels.scale).T)
        products = gram(columns)
        squares, vectors = (found[::-1] for found in greatest(products, min(N_SHOWN, len(some))))
        total = np.trace(products) or 1.0
        shown = np.append(0, np.cumsum(np.append(squares, np.zeros(N_SHOWN))))  # of so many directions
        # No less than what is added to the lengths of all rests.
        sq_rests = np.maximum(1 - shown[STEP - 1 : N_SHOWN : STEP] / total, ROUNDING**2)
        self.n_shown = STEP * (1 + int(np.argmax(sq_rests <= GROWTH * sq_rests[-1])))
        # Of length one, or shorter where the rows hardly have so many directions: what is left there is rounding.
        own = (vectors / np.sqrt(np.maximum(squares, 1e-14 * total))[:, None])[: self.n_shown - 1]
        # Turned among each other, none of them stands out: coordinates are alike, and bytes, multiples of the largest, are finer.
        turn = np.random.default_rng(0).standard_normal((len(own), len(own)))
        turned = multiply(columns, multiply(np.ascontiguousarray(own.T), turn))
        self.directions = _orthonormal(turned)

    def vain(self, rows, n_clusters):
        """The share of pairs of rows that coordinates leave open: whether one is nearer to the other than to some centers."""
        n = 2 * min(n_clusters, N_TELLING // 2)
        some, others = rows.take(rows.some()[::4]), rows.take(np.arange(n) * rows.n_samples // n)
        squares = cdist(some, others, "sqeuclidean") * rows.panels.scale**2
        bounds = cdist(*(self.coordinates(rows, x)[0] for x in (some, others)), "sqeuclidean")
        closest = squares[:, ::2].min(axis=1, keepdims=True)
        return np.mean((bounds < closest)[:, 1::2] & (squares >= closest)[:, 1::2])

    def coordinates(self, rows, X):
        """Coordinates of some rows or centers, of shape (n, n_shown), the length of the rest the last; and squared norms."""
        X = X - rows.origin
        X *= rows.panels.scale
        shown = np.zeros((len(X), self.n_shown))
        width = self.directions.shape[1]
        sq_norms = np.einsum("if,if->i", X, X)
        shown[:, :width] = multiply(X, self.directions)  # BLAS would leave threads that wait busily
        # Directions are orthogonal to some roundings of their number, which the square of ROUNDING is far above.
        sq_rest = sq_norms - np.einsum("if,if->i", shown, shown)
        shown[:, -1] = np.sqrt(np.maximum(sq_rest, 0)) + ROUNDING * np.sqrt(sq_norms)
        return shown, sq_norms
