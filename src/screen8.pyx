"""Rows and centers in 8 bits: most labels from dot products of bytes, the same labels as from panels.pyx."""

from cython cimport floating
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int8_t, int32_t, int64_t
from fixed cimport AHEAD, shift_rows
from pairs cimport PAIR_NUMBERS, fine_score, make_pair_numbers, pair_error, pair_score, score_error
from eight_bits cimport (
    DOTS_KINDS, MOST_QUADS, N_DOTS_KINDS, SCREEN_BLOCK, SCREEN_KERNELS, SCREEN_ROWS, SCREEN_SLACK, center_bytes,
    dots_supported, instruction_set_name, n_supported, quantise_panel, row_bounds, row_bytes, mark_nearer, screen_buffers,
    upper,
)
from processor cimport prefetch
from settle cimport label_screened, settle_picked, settle_waiting
from shared cimport clear_counters, thread_buffers

include "chosen.pxi"

cdef extern from "math.h" nogil:
    double INFINITY

cdef int chosen_kind = -1             # of dot products; -1 until it is asked for, since AMX changes the process


# ---- the arrays that belong together ----

cdef class ScreenedRows:
    """Rows in bytes (eight_bits.pxd), in panels of SCREEN_ROWS. Keeps the arrays alive."""

    cdef row_bytes q
    cdef object arrays

    def __init__(
        self,
        unsigned char[::1] bytes,     #     (n_panels * n_quads * SCREEN_ROWS * 4 + SCREEN_SLACK,)
        float[::1] scales,            #     (n_panels * SCREEN_ROWS,)
        float[::1] norms,             #     (n_panels * SCREEN_ROWS,)
        float[::1] squares,           #     (n_panels * SCREEN_ROWS,)
        float[::1] ratios,            #     (n_panels,)
    ):
        self.arrays = bytes, scales, norms, squares, ratios
        self.q.bytes, self.q.scales, self.q.norms = &bytes[0], &scales[0], &norms[0]
        self.q.squares, self.q.ratios = &squares[0], &ratios[0]


cdef class ScreenedCenters:
    """Centers in bytes (eight_bits.pxd). Keeps the arrays alive."""

    cdef center_bytes c
    cdef object arrays

    def __init__(
        self,
        const double[:, ::1] centers, #     (n_clusters, n_features)
        const double[::1] origin,     #     (n_features,)
        double scale,                 #     as the rows have it
        const double[:, ::1] shown,   #     (n_clusters, n_shown): what bytes are made of: the centers, or coordinates ...
        const double[::1] shown_origin, #   (n_shown,): ... less this ...
        double shown_scale,           #     ... and times this
        const float[:, ::1] single,   #     (n_clusters, n_shown) or (0, n_shown): `shown` of center_bytes
        const float[:, ::1] row_single, #   (n_samples, n_shown) or (0, n_shown)
        signed char[:, ::1] bytes,    #     room for (n, stride): a multiple of SCREEN_BLOCK, and of 64
        float[:, ::1] numbers,        #     room for (7, n + 16)
        double[::1] value,            #     room for (n_shown + 8,)
        signed char[:, ::1] fine,     #     room for as many as `bytes`, zeros, or (0, stride): no pairs of centers
        double[:, ::1] pairs,         #     room for (PAIR_NUMBERS + n_clusters, n_clusters), or (0, 0)
        Py_ssize_t least_open,        #     rows of a panel that the first bytes leave open, from which on the second are asked
    ):
        cdef center_bytes* c = &self.c
        cdef Py_ssize_t k
        self.arrays = centers, origin, single, row_single, bytes, numbers, value, fine, pairs
        c.n_shown = single.shape[1]
        c.shown = &single[0, 0] if single.shape[0] else NULL
        c.row_shown = &row_single[0, 0] if row_single.shape[0] else NULL
        c.kernels, c.dots = &SCREEN_KERNELS[chosen], &DOTS_KINDS[best_kind()]
        c.n_clusters, c.n_features = centers.shape[0], centers.shape[1]
        c.centers, c.origin, c.scale = &centers[0, 0], &origin[0], scale
        c.s.n, c.s.stride, c.s.n_quads = (c.n_clusters + 3) // 4 * 4, bytes.shape[1], (shown.shape[1] + 3) // 4
        c.s.bytes, c.s.scale, c.s.offset, c.s.half = <int8_t*> &bytes[0, 0], &numbers[0, 0], &numbers[1, 0], &numbers[2, 0]
        c.s.residual, c.s.length, c.s.slack, c.s.number = (
            &numbers[3, 0], &numbers[4, 0], &numbers[5, 0], &numbers[6, 0]
        )
        for k in range(numbers.shape[1]):
            numbers[2, k], numbers[6, k] = <float> INFINITY, k
        for k in range(c.n_clusters):
            c.kernels.quantise_center(
                &shown[k, 0], shown.shape[1], &shown_origin[0], shown_scale, c.dots.level, k, c.s.stride, &value[0],
                <int8_t*> &bytes[k, 0], c.dots.offset, &numbers[0, 0], &numbers[1, 0], &numbers[2, 0], &numbers[3, 0],
                &numbers[4, 0], &numbers[5, 0],
            )
        c.pairs.n = pairs.shape[1]
        if c.pairs.n:
            c.pairs.fine, c.pairs.half, c.pairs.unit = <int8_t*> &fine[0, 0], &pairs[0, 0], &pairs[1, 0]
            c.pairs.fine_unit, c.pairs.offset, c.pairs.fine_offset = &pairs[2, 0], &pairs[3, 0], &pairs[4, 0]
            c.pairs.first_residual, c.pairs.residual, c.pairs.length = &pairs[5, 0], &pairs[6, 0], &pairs[7, 0]
            c.pairs.apart, c.pairs.least_open = &pairs[PAIR_NUMBERS, 0], least_open
            make_pair_numbers(
                &c.pairs, c.centers, c.origin, scale, c.n_features, c.s.bytes, c.s.scale, c.s.stride, c.dots.level, c.dots.offset,
                c.kernels.sq_apart,
            )


cdef class ScreenScratch:
    """Buffers of one thread for rows in bytes. Keeps the arrays alive."""

    cdef screen_buffers b
    cdef object arrays
    cdef double[:, ::1] units
    cdef double[::1] unit_weights
    cdef int[::1] unit_labels

    def __init__(
        self,
        ScreenedRows passing not None, #    of one panel
        ScreenedRows picked not None, #     of one panel
        ScreenedRows waiting not None, #    of one panel
        float[::1] value,             #     (n_features + 16,)
        unsigned char[::1] value_bytes, #   (n_features + 16,)
        int[::1] products,            #     (3 * SCREEN_BLOCK * SCREEN_ROWS,)
        float[:, ::1] reach,          #     (2, n + 16), for the centers of ScreenedCenters
        int[::1] near,                #     (2 * SCREEN_ROWS * n,)
        double[::1] distances,        #     (SCREEN_ROWS * n,)
        double[:, ::1] units,         #     (SCREEN_ROWS, n_features)
        double[::1] unit_weights,     #     (SCREEN_ROWS,)
        int[::1] unit_labels,         #     (SCREEN_ROWS,)
    ):
        cdef screen_buffers* b = &self.b
        self.arrays = passing, picked, waiting, value, value_bytes, products, reach, near, distances
        self.units, self.unit_weights, self.unit_labels, b.units = units, unit_weights, unit_labels, &units[0, 0]
        b.passing, b.picked.q, b.waiting.q = passing.q, picked.q, waiting.q
        b.value, b.value_bytes, b.products = &value[0], &value_bytes[0], <int32_t*> &products[0]
        b.reach, b.near_reach, b.near, b.distances = &reach[0, 0], &reach[1, 0], <int32_t*> &near[0], &distances[0]

# ---- what is compiled in ----

cdef int best_kind() noexcept:
    global chosen_kind
    cdef int kind
    if chosen_kind < 0:
        for kind in range(N_DOTS_KINDS):
            if dots_supported(kind):
                chosen_kind = kind
    return chosen_kind


def dots_kinds():
    """Names of the kinds of dot products this processor supports, the plainest first."""
    return [DOTS_KINDS[kind].name.decode() for kind in range(N_DOTS_KINDS) if dots_supported(kind)]


def dots_in_use():
    """Name of the kind in use: the last one that is supported, unless told otherwise."""
    return DOTS_KINDS[best_kind()].name.decode()


def use_dots(name):
    """Use another supported kind of dot products from now on."""
    global chosen_kind
    cdef int kind
    for kind in range(N_DOTS_KINDS):
        if DOTS_KINDS[kind].name.decode() == name and dots_supported(kind):
            chosen_kind = kind
            return
    raise ValueError(f"dot product {name!r} is not among {dots_kinds()}, which this processor supports.")


def shape():
    """Rows of a panel, centers of a block, bytes after the last panel, and the most quads of features."""
    return SCREEN_ROWS, SCREEN_BLOCK, SCREEN_SLACK, MOST_QUADS


def pair_numbers():
    """Rows of the numbers of pairs of centers before those of their distances."""
    return PAIR_NUMBERS


# ---- over the rows of a block ----

def quantise(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] lengths,        # IN  (n_samples,): what rows are divided by before all else, or (0,)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  a power of two
    Py_ssize_t start,                 # IN  the panels to make
    Py_ssize_t stop,
    ScreenedRows rows,                # INOUT
    ScreenScratch scratch,
):
    """Make bytes of the rows."""
    cdef Py_ssize_t p, n_bytes = (X.shape[1] + 3) // 4 * 4 * SCREEN_ROWS
    cdef row_bytes q
    scratch.b.lengths = &lengths[0] if lengths.shape[0] > 0 else NULL
    with nogil:
        for p in range(start, stop):
            q.bytes, q.ratios = rows.q.bytes + p * n_bytes, rows.q.ratios + p
            q.scales, q.norms = rows.q.scales + p * SCREEN_ROWS, rows.q.norms + p * SCREEN_ROWS
            q.squares = rows.q.squares + p * SCREEN_ROWS
            quantise_panel(&SCREEN_KERNELS[chosen], X, &origin[0], scale, p * SCREEN_ROWS, &q, &scratch.b)


def assign(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] lengths,        # IN  (n_samples,): what rows are divided by before all else, or (0,)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    ScreenedRows rows,                # IN  all rows in bytes, or None: make them so on the way
    ScreenedCenters centers not None, # IN
    Py_ssize_t start,                 # IN  the panels to label
    Py_ssize_t stop,
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    float[::1] separation,            # INOUT (n_samples,): distance_bounds.pxd; -inf at first; or (0,) for no bounds
    const double[::1] drift,          # IN  (n_clusters,): how far each center and any other have moved, added up
    Py_ssize_t[::1] moved,            #     (at least 6 * SCREEN_ROWS,)
    int[::1] old_labels,              #     as many
    const double[::1] units,          # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2), or (0, ...) for none
    ScreenScratch scratch not None,
):
    """Label rows with their exact nearest centers, ties to the lowest index; the sums follow.

    Returns the number of rows moved, decided in exact arithmetic, looked at, and not settled by their bytes, and the number of
    centers that could be nearest to these.
    """
    cdef thread_buffers b
    cdef screen_buffers* s = &scratch.b
    cdef const center_bytes* c = &centers.c
    cdef const row_bytes* kept = NULL if rows is None else &rows.q
    cdef row_bounds bounds
    cdef Py_ssize_t p
    s.lengths = &lengths[0] if lengths.shape[0] > 0 else NULL
    bounds.separation, bounds.drift, bounds.furthest = NULL, NULL, 0
    if separation.shape[0] > 0:
        bounds.separation, bounds.drift = &separation[0], &drift[0]
    with nogil:
        for p in range(drift.shape[0]):
            bounds.furthest = max(bounds.furthest, drift[p])
        clear_counters(&b)
        b.moved, b.old_labels, b.units = &moved[0], &old_labels[0], &units[0]
        b.sums = &sums[0, 0, 0] if sums.shape[0] > 0 else NULL
        b.room = min(moved.shape[0], old_labels.shape[0]) - 3 * SCREEN_ROWS
        s.n_seen = s.n_open = s.n_near = s.n_listed = s.picked.n = s.waiting.n = 0
        s.picked.q.ratios[0] = s.waiting.q.ratios[0] = 0
        c.dots.begin()
        for p in range(start, stop):
            label_screened(X, kept, c, p, labels, &bounds, &b, s)
            if b.n_listed > b.room:
                update(X, sample_weight, labels, &b, scratch)
        if s.picked.n:
            settle_picked(X, c, labels, &bounds, &b, s)
        if s.waiting.n:
            settle_waiting(X, c, labels, &bounds, &b, s)
        c.dots.end()
        update(X, sample_weight, labels, &b, scratch)
    return b.n_moved, b.n_exact, s.n_seen, s.n_open, s.n_near


def nearer(
    ScreenedRows rows not None,       # IN  all rows in bytes
    ScreenedCenters centers not None, # IN
    const float[::1] thresholds,      # IN  (n_samples,)
    Py_ssize_t start,                 # IN  the panels to look at
    Py_ssize_t stop,
    unsigned long long[:, ::1] passed, # INOUT (n_clusters, n_panels): bit r of [k, p] for row r of panel p and center k
    ScreenScratch scratch not None,
):
    """Mark, for each center, the rows of which its score may be below a threshold of their own."""
    cdef Py_ssize_t p, k
    with nogil:
        centers.c.dots.begin()
        for p in range(start, stop):
            for k in range(passed.shape[0]):
                passed[k, p] = 0
            mark_nearer(&rows.q, &centers.c, p, thresholds, &passed[0, p], passed.shape[1], &scratch.b)
        centers.c.dots.end()


def least_bounds(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    ScreenedCenters centers not None, # IN
    ScreenScratch scratch not None,
    double[::1] low,                  # OUT (n_samples,): the least lower bound of the scores of each row ...
    double[::1] high,                 # OUT (n_samples,): ... and the upper bound of the same score
):
    """What bytes tell of the scores |c|^2/2 - x.c, of rows and centers less the origin and times the scale."""
    cdef screen_buffers* s = &scratch.b
    cdef const center_bytes* c = &centers.c
    cdef row_bytes q = s.passing
    cdef Py_ssize_t p, i, r
    cdef float first[SCREEN_ROWS]
    cdef float second[SCREEN_ROWS]
    cdef int32_t nearest[SCREEN_ROWS]
    s.lengths = NULL
    with nogil:
        c.dots.begin()
        for p in range((X.shape[0] + SCREEN_ROWS - 1) // SCREEN_ROWS):
            i = p * SCREEN_ROWS
            quantise_panel(c.kernels, X, c.origin, c.scale, i, &q, s)
            c.kernels.least_two(
                &c.s, c.dots.dots, q.bytes, q.scales, q.norms, q.ratios[0], s.products, s.reach, first, second, nearest
            )
            for r in range(min(<Py_ssize_t> SCREEN_ROWS, X.shape[0] - i)):
                low[i + r], high[i + r] = first[r], upper(c, s, first[r], q.norms[r], i + r, nearest[r])
        c.dots.end()


def pair_bounds(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    ScreenedCenters centers not None, # IN
    ScreenScratch scratch not None,
    bint fine,                        # IN  with second bytes of the centers
    double[:, ::1] scores,            # OUT (n_samples, n_clusters) ...
    double[:, ::1] errors,            # OUT ... and what they are off by at most
    double[:, :, ::1] pair_errors,    # OUT (n_samples, n_clusters, n_clusters): what differences of two of them are off by
):
    """What bytes tell of the scores |c|^2/2 - x.c, as in least_bounds, and of two of them."""
    cdef screen_buffers* s = &scratch.b
    cdef const center_bytes* c = &centers.c
    cdef row_bytes q = s.passing
    cdef int32_t* fine_products = s.products + SCREEN_BLOCK * SCREEN_ROWS
    cdef double norm, error
    cdef Py_ssize_t i, r, j, k
    s.lengths = NULL
    with nogil:
        c.dots.begin()
        for i in range(X.shape[0]):
            r = i % SCREEN_ROWS
            if r == 0:
                quantise_panel(c.kernels, X, c.origin, c.scale, i, &q, s)
                c.dots.dots(q.bytes, c.s.n_quads, c.s.bytes, c.s.stride, c.s.n, s.products)
                c.dots.dots(q.bytes, c.s.n_quads, c.pairs.fine, c.s.stride, c.s.n, fine_products)
            norm, error = q.norms[r], <double> q.norms[r] * q.ratios[0]
            for j in range(c.pairs.n):
                k = j * SCREEN_ROWS + r
                scores[i, j] = pair_score(&c.pairs, j, s.products[k], q.scales[r])
                if fine:
                    scores[i, j] -= fine_score(&c.pairs, j, fine_products[k], q.scales[r])
                errors[i, j] = score_error(&c.pairs, j, norm, error, fine)
                for k in range(c.pairs.n):
                    pair_errors[i, j, k] = pair_error(&c.pairs, j, k, norm, error, fine)
        c.dots.end()


cdef inline void update(
    const floating[:, ::1] X, const double[::1] sample_weight, const int[::1] labels, thread_buffers* b, ScreenScratch scratch
) noexcept nogil:
    """Bring the sums up to date with the rows that are listed as moved, as relabel.pxd does."""
    if b.sums != NULL and scratch.b.lengths == NULL:
        shift(X, sample_weight, labels, b)
    elif b.sums != NULL:
        shift_units(X, sample_weight, labels, b, scratch)
    b.n_moved += b.n_listed
    b.n_listed = 0


cdef inline void shift(
    const floating[:, ::1] X, const double[::1] sample_weight, const int[::1] labels, const thread_buffers* b
) noexcept nogil:
    """Take the listed rows out of the clusters they left and put them into those they joined."""
    if sample_weight.shape[0] > 0:
        shift_rows(X, sample_weight, labels, b)
    elif b.n_listed:
        SCREEN_KERNELS[chosen].shift[floating is double](
            &X[0, 0], X.shape[1], <const int32_t*> &labels[0], <const ptrdiff_t*> b.moved, <const int32_t*> b.old_labels,
            b.n_listed, b.units, <int64_t*> b.sums,
        )


cdef void shift_units(
    const floating[:, ::1] X, const double[::1] sample_weight, const int[::1] labels, const thread_buffers* b,
    ScreenScratch scratch,
) noexcept nogil:
    """The same for rows that are to be divided by their lengths."""
    cdef thread_buffers some = b[0]
    cdef Py_ssize_t p, m, i, j, d = X.shape[1]
    cdef Py_ssize_t place[SCREEN_ROWS]
    some.moved = place
    for p in range((b.n_listed + SCREEN_ROWS - 1) // SCREEN_ROWS):
        m = p * SCREEN_ROWS
        some.n_listed, some.old_labels = min(<Py_ssize_t> SCREEN_ROWS, b.n_listed - m), b.old_labels + m
        for j in range(some.n_listed):
            i = b.moved[m + j]
            place[j], scratch.unit_labels[j] = j, labels[i]
            if m + j + AHEAD < b.n_listed:
                prefetch(&X[b.moved[m + j + AHEAD], 0])
            SCREEN_KERNELS[chosen].unit(&X[i, 0], floating is double, d, scratch.b.lengths[i], &scratch.units[j, 0])
            if sample_weight.shape[0] > 0:
                scratch.unit_weights[j] = sample_weight[i]
        shift(scratch.units, scratch.unit_weights[: sample_weight.shape[0]], scratch.unit_labels, &some)
