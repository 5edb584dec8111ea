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
from pairs cimport center_pairs
from rounded cimport distance

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
            float* value, uint8_t* bytes, uint8_t* out, float* scale, float* norm, float* square) noexcept nogil
        void (*unit)(const void* row, int is_double, ptrdiff_t n, double length, double* out) noexcept nogil
        double (*sq_apart)(const void* row, int is_double, const double* center, ptrdiff_t n) noexcept nogil
        float (*product)(const float* a, const float* b, ptrdiff_t n) noexcept nogil
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

cdef extern from "float.h" nogil:
    float MOST_SCORE "FLT_MAX"        # what fills up the centers has an infinite one

cdef struct center_bytes:             # those of ScreenedCenters (screen8.pyx)
    screened_centers s
    const screen_kernels* kernels
    const dots_kind* dots
    Py_ssize_t n_clusters, n_features
    const double* centers             # (n_clusters, n_features)
    const double* origin              # (n_features,): subtracted from rows and centers ...
    double scale                      # ... which are multiplied by this power of two then
    # Where bytes are of coordinates in a subspace and of the length of the rest, which counts as one more coordinate: a score is
    # never below what these tell, and above it by no more than twice the product of the rests. Else NULL.
    Py_ssize_t n_shown
    const float* shown                # (n_clusters, n_shown): to one rounding; the rest, the last of them, not below what it is
    const float* row_shown            # (n_samples, n_shown): likewise
    center_pairs pairs

cdef struct row_bytes:                # those of some panels of SCREEN_ROWS rows
    uint8_t* bytes                    # (n_panels, n_quads, SCREEN_ROWS, 4), and SCREEN_SLACK more
    float* scales                     # (n_panels, SCREEN_ROWS): what the bytes, less 128, are multiples of
    float* norms                      # (n_panels, SCREEN_ROWS): bounds of |q|
    float* squares                    # (n_panels, SCREEN_ROWS): |x|^2, roughly
    float* ratios                     # (n_panels,): no |e| is longer than this times the bound of |q|

cdef struct row_set:                  # a panel of rows from anywhere
    row_bytes q
    Py_ssize_t n
    Py_ssize_t rows[SCREEN_ROWS]      # their numbers
    float limits[SCREEN_ROWS]         # of rows that are not settled: scores that the least is not above; with pairs, lower bounds of those dropped

cdef struct row_bounds:               # as distance_bounds.pxd has them, in packed units; all NULL without bounds
    float* separation                 # (n_samples,)
    const double* drift               # (n_clusters,)
    double furthest                   # the most of the drift

cdef struct screen_buffers:           # those of ScreenScratch (screen8.pyx), of one thread
    float* value                      # (n_features + 16,)
    uint8_t* value_bytes              # (n_features + 16,)
    int32_t* products                 # (3, SCREEN_BLOCK, SCREEN_ROWS): the third of second bytes of centers
    float* reach                      # (n + 16,): bounds of the errors of scores ...
    float* near_reach                 # (n + 16,): ... for the rows that wait
    row_bytes passing                 # a panel that is not kept
    row_set picked                    # rows whose bound does not settle them, among others that it does
    row_set waiting                   # rows that are not settled by their bytes
    int32_t* near                     # (2, SCREEN_ROWS * n): centers that can be nearest to them, and to the rows of a panel
    double* distances                 # (SCREEN_ROWS * n,): their squared distances, or scores
    const double* lengths             # (n_samples,): what rows are divided by before all else, or NULL for nothing
    double* units                     # (SCREEN_ROWS, n_features): some rows, divided
    # Counted since the kernel was called.
    Py_ssize_t n_seen                 # rows that were looked at
    Py_ssize_t n_open                 # rows that were not settled by their bytes
    Py_ssize_t n_near                 # centers that could be nearest to these
    Py_ssize_t n_listed               # how many of `near` are listed already, of rows that wait


cdef inline void quantise_panel(
    const screen_kernels* kernels, const floating[:, ::1] X, const double* origin, double scale, Py_ssize_t start,
    const row_bytes* q, screen_buffers* s,
) noexcept nogil:
    """The rows that begin with number `start` in bytes, into one panel; zeros where X ends."""
    cdef Py_ssize_t r, d = X.shape[1]
    cdef float error
    cdef bint divided = s.lengths != NULL
    q.ratios[0] = 0
    if start + SCREEN_ROWS > X.shape[0]:
        memset(q.bytes, 128, (d + 3) // 4 * 4 * SCREEN_ROWS)
    for r in range(SCREEN_ROWS):
        q.scales[r], q.norms[r], q.squares[r] = 0, <float> 1e-30, 0
        if start + r < X.shape[0]:
            if divided:
                kernels.unit(&X[start + r, 0], floating is double, d, s.lengths[start + r], s.units)
            error = kernels.quantise(
                s.units if divided else <const void*> &X[start + r, 0], divided or floating is double, d, origin, scale, 4 * SCREEN_ROWS, s.value, s.value_bytes,
                q.bytes + 4 * r, q.scales + r, q.norms + r, q.squares + r,
            )
            q.ratios[0] = max(q.ratios[0], <float> (error / q.norms[r] * 1.000001))


cdef inline void put(
    const row_bytes* q, Py_ssize_t n_quads, Py_ssize_t r, Py_ssize_t row, float limit, row_set* some
) noexcept nogil:
    """Put row r of a panel, which has a number, among some others."""
    cdef Py_ssize_t t, n = some.n
    for t in range(n_quads):
        memcpy(some.q.bytes + (t * SCREEN_ROWS + n) * 4, q.bytes + (t * SCREEN_ROWS + r) * 4, 4)
    some.q.scales[n], some.q.norms[n], some.q.squares[n] = q.scales[r], q.norms[r], q.squares[r]
    some.q.ratios[0] = max(some.q.ratios[0], q.ratios[0])
    some.rows[n], some.limits[n] = row, limit
    some.n += 1


cdef inline double rests(const center_bytes* c, Py_ssize_t i, Py_ssize_t k) noexcept nogil:
    """Twice the product of the rests of row i and center k, rounded up."""
    return 2 * (1 + 1e-6) * <double> c.row_shown[(i + 1) * c.n_shown - 1] * c.shown[(k + 1) * c.n_shown - 1]


cdef inline double upper(
    const center_bytes* c, const screen_buffers* s, double low, double norm, Py_ssize_t i, Py_ssize_t k
) noexcept nogil:
    """An upper bound of the score of row i with center k, whose lower bound is known; also in single precision, where it is finite."""
    cdef double limit = low + (2 * norm * s.reach[k] + c.s.slack[k]) * (1 + 1e-6)
    if c.shown != NULL:
        limit += rests(c, i, k)
    limit += (limit if limit > 0 else -limit) * 1.2e-7
    return limit if limit < MOST_SCORE else MOST_SCORE


cdef inline double at_least(double square, double score, Py_ssize_t d) noexcept nogil:
    """A lower bound of a distance from one of its score."""
    return distance(square * (1 - 1.3e-7 * (d + 8)) + 2 * score, 1 - 1e-15)


cdef inline double at_most(double square, double score, Py_ssize_t d) noexcept nogil:
    """An upper bound of a distance from one of its score."""
    return distance(square * (1 + 1.3e-7 * (d + 8)) + 2 * score + 1e-33, 1 + 1e-15)


cdef inline void mark_nearer(
    const row_bytes* kept, const center_bytes* c, Py_ssize_t p, const float[::1] thresholds, unsigned long long* passed,
    Py_ssize_t stride, screen_buffers* s,
) noexcept nogil:
    """Set bit r of passed[k * stride] where the score of row r of a panel with center k may be below the row's threshold."""
    cdef Py_ssize_t r, k, j, n, i = p * SCREEN_ROWS, n_here = min(<Py_ssize_t> SCREEN_ROWS, thresholds.shape[0] - i)
    cdef float limits[SCREEN_ROWS]
    cdef double length[SCREEN_ROWS]
    for r in range(SCREEN_ROWS):
        limits[r] = min(thresholds[i + r], MOST_SCORE) if r < n_here else <float> -INFINITY
        length[r] = coordinate_error(kept.squares[i + r])
    n = c.kernels.within(
        &c.s, c.dots.dots, kept.bytes + p * c.s.n_quads * 4 * SCREEN_ROWS, kept.scales + i, kept.norms + i, kept.ratios[p],
        s.products, s.near_reach, limits, s.near,
    )
    for j in range(n):
        r, k = s.near[j] % SCREEN_ROWS, s.near[j] // SCREEN_ROWS
        if c.shown == NULL or coordinate_score(c, i + r, k, length[r] * c.s.length[k] + 1e-36) <= limits[r]:
            passed[k * stride] |= <unsigned long long> 1 << r


cdef inline double coordinate_error(double square) noexcept nogil:
    """What times the length of a center is a bound of the error of a product of coordinates in single precision."""
    return 2e-6 * (sqrt(square) + 1e-22)  # 9 roundings, and those of both factors, are below 7e-7


cdef inline double coordinate_score(const center_bytes* c, Py_ssize_t i, Py_ssize_t k, double error) noexcept nogil:
    """A lower bound of the score of row i with center k from coordinates in a subspace, whose product has that error."""
    return c.s.half[k] - c.kernels.product(c.row_shown + i * c.n_shown, c.shown + k * c.n_shown, c.n_shown) - error
