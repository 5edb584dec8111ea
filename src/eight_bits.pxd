"""Rows and centers in 8 bits, which tell most rows their nearest center; the others are settled by differences.

A row x = q + e is known by its bytes, q, and a bound of |e|, and likewise a center c = p + r. The score |c|^2/2 - x.c is then
|c|^2/2 - q.p to within |e| |c| + |q| |r| (Cauchy-Schwarz), with q.p exact in integers. Where only one center can have the
least score, it is the nearest. Of all other rows the centers that can be the nearest are told apart by differences in double,
and, if these are too close too, in exact arithmetic: the same labels as from any other way.
"""

from cython cimport floating
from libc.math cimport sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t
from libc.string cimport memcpy, memset
from metric cimport nearer
from processor cimport prefetch
from shared cimport list_move, thread_buffers

cdef extern from "screen8_table.h" nogil:
    enum: SCREEN_ROWS
    enum: SCREEN_BLOCK
    enum: SCREEN_SLACK
    enum: MOST_QUADS
    enum: N_DOTS_KINDS
    ctypedef void (*dots_function)(
        const uint8_t* rows, ptrdiff_t n_quads, const int8_t* centers, ptrdiff_t stride, ptrdiff_t n, int32_t* out) noexcept nogil
    ctypedef struct dots_kind:
        const char* name
        dots_function dots
        int level
        int offset
        void (*begin)() noexcept nogil
        void (*end)() noexcept nogil
    const dots_kind DOTS_KINDS[]
    bint dots_supported(int kind)
    ctypedef struct screened_centers:
        ptrdiff_t n, stride, n_quads
        const int8_t* bytes
        const float* scale
        const float* offset
        const float* half
        const float* residual
        const float* length
        const float* slack
        const float* number
    ctypedef void (*shift_function)(
        const void* X, ptrdiff_t n_features, const int32_t* labels, const ptrdiff_t* moved, const int32_t* old_labels,
        ptrdiff_t n_moved, const double* units, int64_t* sums) noexcept nogil
    ctypedef struct screen_kernels:
        void (*least_two)(
            const screened_centers* c, dots_function dots, const uint8_t* rows, const float* scales, const float* norms,
            float ratio, int32_t* products, float* reach, float* first, float* second, int32_t* nearest) noexcept nogil
        ptrdiff_t (*within)(
            const screened_centers* c, dots_function dots, const uint8_t* rows, const float* scales, const float* norms,
            float ratio, int32_t* products, float* reach, const float* limits, int32_t* list) noexcept nogil
        float (*quantise)(
            const void* row, int is_double, ptrdiff_t n_features, const double* origin, double factor, ptrdiff_t stride,
            float* value, uint8_t* bytes, uint8_t* out, float* scale, float* norm) noexcept nogil
        double (*sq_apart)(const void* row, int is_double, const double* center, ptrdiff_t n) noexcept nogil
        void (*quantise_center)(
            const double* center, ptrdiff_t n_features, const double* origin, double factor, int level, ptrdiff_t j,
            ptrdiff_t stride, double* value, int8_t* bytes, int offset, float* scale, float* offsets, float* half,
            float* residual, float* length, float* slack) noexcept nogil
        shift_function shift[2]
    const screen_kernels SCREEN_KERNELS[]
    int n_supported()
    const char* instruction_set_name(int set)

cdef extern from "math.h" nogil:
    double INFINITY

cdef struct center_bytes:             # those of ScreenedCenters (screen8.pyx)
    screened_centers s
    const screen_kernels* kernels
    const dots_kind* dots
    Py_ssize_t n_clusters, n_features
    const double* centers             # (n_clusters, n_features)
    const double* origin              # (n_features,): subtracted from rows and centers ...
    double scale                      # ... which are multiplied by this power of two then

cdef struct row_bytes:                # those of some panels of SCREEN_ROWS rows
    uint8_t* bytes                    # (n_panels, n_quads, SCREEN_ROWS, 4), and SCREEN_SLACK more
    float* scales                     # (n_panels, SCREEN_ROWS): what the bytes, less 128, are multiples of
    float* norms                      # (n_panels, SCREEN_ROWS): bounds of |q|
    float* ratios                     # (n_panels,): no |e| is longer than this times the bound of |q|

cdef struct screen_buffers:           # those of ScreenScratch (screen8.pyx), of one thread
    float* value                      # (n_features + 16,)
    uint8_t* value_bytes              # (n_features + 16,)
    int32_t* products                 # (2, SCREEN_BLOCK, SCREEN_ROWS)
    float* reach                      # (n + 16,): bounds of the errors of scores ...
    float* near_reach                 # (n + 16,): ... for the rows that wait
    row_bytes passing                 # a panel that is not kept
    row_bytes waiting                 # a panel of rows that are not settled, from anywhere
    Py_ssize_t n_waiting
    Py_ssize_t rows[SCREEN_ROWS]      # their numbers
    float limits[SCREEN_ROWS]         # scores that the least is not above
    int32_t* near                     # (SCREEN_ROWS * n,): centers that can be nearest to them
    double* distances                 # (SCREEN_ROWS * n,): their squared distances
    # Counted since the kernel was called.
    Py_ssize_t n_open                 # rows that were not settled by their bytes
    Py_ssize_t n_near                 # centers that could be nearest to these


cdef inline void quantise_panel(
    const screen_kernels* kernels, const floating[:, ::1] X, const double* origin, double scale, Py_ssize_t start,
    uint8_t* bytes, float* scales, float* norms, float* ratio, screen_buffers* s,
) noexcept nogil:
    """The rows that begin with number `start` in bytes; zeros where X ends."""
    cdef Py_ssize_t r, d = X.shape[1]
    cdef float error
    ratio[0] = 0
    if start + SCREEN_ROWS > X.shape[0]:
        memset(bytes, 128, (d + 3) // 4 * 4 * SCREEN_ROWS)
    for r in range(SCREEN_ROWS):
        scales[r], norms[r] = 0, <float> 1e-30
        if start + r < X.shape[0]:
            error = kernels.quantise(
                &X[start + r, 0], floating is double, d, origin, scale, 4 * SCREEN_ROWS, s.value, s.value_bytes,
                bytes + 4 * r, scales + r, norms + r,
            )
            ratio[0] = max(ratio[0], <float> (error / norms[r] * 1.000001))


cdef inline void settle_waiting(
    const floating[:, ::1] X, const center_bytes* c, int[::1] labels, thread_buffers* b, screen_buffers* s
) noexcept nogil:
    """Label the rows that wait, by differences from those centers that can be nearest to them."""
    cdef Py_ssize_t n, j, r, k, d = c.n_features
    cdef double least[SCREEN_ROWS]
    cdef Py_ssize_t chosen[SCREEN_ROWS]
    cdef bint doubtful[SCREEN_ROWS]
    cdef const floating* x
    for r in range(SCREEN_ROWS):
        least[r], chosen[r], doubtful[r] = INFINITY, -1, False
    for r in range(s.n_waiting, SCREEN_ROWS):
        s.limits[r] = <float> -INFINITY
    n = c.kernels.within(
        &c.s, c.dots.dots, s.waiting.bytes, s.waiting.scales, s.waiting.norms, s.waiting.ratios[0], s.products, s.near_reach,
        s.limits, s.near,
    )
    s.n_near += n
    for j in range(n):
        r = s.near[j] % SCREEN_ROWS
        k = s.near[j] // SCREEN_ROWS
        s.distances[j] = c.kernels.sq_apart(&X[s.rows[r], 0], floating is double, c.centers + k * d, d)
        least[r] = min(least[r], s.distances[j])
    for r in range(s.n_waiting):  # as nearest_center (metric.pxd) has it
        least[r] = least[r] * (1 + (2 * d + 10) * 1.2e-16) + 1e-290
    for j in range(n):
        r = s.near[j] % SCREEN_ROWS
        if s.distances[j] <= least[r]:
            k = s.near[j] // SCREEN_ROWS
            x = &X[s.rows[r], 0]
            if chosen[r] < 0:
                chosen[r] = k
            else:
                doubtful[r] = True
                if nearer(x, c.centers + k * d, c.centers + chosen[r] * d, d):
                    chosen[r] = k
    for r in range(s.n_waiting):
        b.n_recomputed += doubtful[r]
        b.n_exact += doubtful[r]
        if chosen[r] != labels[s.rows[r]]:
            list_move(b, &labels[0], s.rows[r], chosen[r])
    s.n_waiting = 0
    s.waiting.ratios[0] = 0


cdef inline void wait(
    const row_bytes* q, Py_ssize_t n_quads, Py_ssize_t r, Py_ssize_t row, float limit, screen_buffers* s
) noexcept nogil:
    """Put row r of a panel among those that wait."""
    cdef Py_ssize_t t, n = s.n_waiting
    for t in range(n_quads):
        memcpy(s.waiting.bytes + (t * SCREEN_ROWS + n) * 4, q.bytes + (t * SCREEN_ROWS + r) * 4, 4)
    s.waiting.scales[n], s.waiting.norms[n] = q.scales[r], q.norms[r]
    s.waiting.ratios[0] = max(s.waiting.ratios[0], q.ratios[0])
    s.rows[n], s.limits[n] = row, limit
    s.n_waiting += 1
    s.n_open += 1


cdef inline double upper(const center_bytes* c, const screen_buffers* s, double low, double norm, Py_ssize_t k) noexcept nogil:
    """An upper bound of the score of a row with center k, whose lower bound is known; also in single precision."""
    cdef double limit = low + (2 * norm * s.reach[k] + c.s.slack[k]) * (1 + 1e-6)
    return limit + (limit if limit > 0 else -limit) * 1.2e-7


cdef inline void label_screened(
    const floating[:, ::1] X, const row_bytes* kept, const center_bytes* c, Py_ssize_t start, Py_ssize_t stop,
    int[::1] labels, thread_buffers* b, screen_buffers* s,
) noexcept nogil:
    """Label the rows of some panels of SCREEN_ROWS, and list the rows that moved; some of them may wait then.

    Without rows that are kept in bytes (`kept`), they are made so on the way.
    """
    cdef Py_ssize_t p, r, i, k, f, n_quads = c.s.n_quads, n_bytes = X.shape[1] * <Py_ssize_t> sizeof(X[0, 0])
    cdef row_bytes q = s.passing
    cdef float first[SCREEN_ROWS]
    cdef float second[SCREEN_ROWS]
    cdef int32_t nearest[SCREEN_ROWS]
    cdef double limit
    for p in range(start, stop):
        if kept != NULL:
            q.bytes = kept.bytes + p * n_quads * 4 * SCREEN_ROWS
            q.scales, q.norms, q.ratios = kept.scales + p * SCREEN_ROWS, kept.norms + p * SCREEN_ROWS, kept.ratios + p
        else:
            quantise_panel(
                c.kernels, X, c.origin, c.scale, p * SCREEN_ROWS, q.bytes, q.scales, q.norms, q.ratios, s
            )
        c.kernels.least_two(
            &c.s, c.dots.dots, q.bytes, q.scales, q.norms, q.ratios[0], s.products, s.reach, first, second, nearest
        )
        for r in range(min(<Py_ssize_t> SCREEN_ROWS, X.shape[0] - p * SCREEN_ROWS)):
            i = p * SCREEN_ROWS + r
            k = nearest[r]
            limit = upper(c, s, first[r], q.norms[r], k)
            if not second[r] > limit:
                for f in range(0, n_bytes, 64):
                    prefetch(<const char*> &X[i, 0] + f)
                wait(&q, n_quads, r, i, <float> limit, s)
                if s.n_waiting == SCREEN_ROWS:
                    settle_waiting(X, c, labels, b, s)
            elif k != labels[i]:
                list_move(b, &labels[0], i, k)
