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
from rounded cimport below, distance
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

cdef enum:
    FEW = 10  # rows of a panel, up to which they are put together with those of others: 20 took 4 to 10 % longer in all

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
    float limits[SCREEN_ROWS]         # scores that the least is not above, of rows that are not settled by their bytes

cdef struct row_bounds:               # as distance_bounds.pxd has them, in packed units; all NULL without bounds
    float* separation                 # (n_samples,)
    const double* drift               # (n_clusters,)
    double furthest                   # the most of the drift

cdef struct screen_buffers:           # those of ScreenScratch (screen8.pyx), of one thread
    float* value                      # (n_features + 16,)
    uint8_t* value_bytes              # (n_features + 16,)
    int32_t* products                 # (2, SCREEN_BLOCK, SCREEN_ROWS)
    float* reach                      # (n + 16,): bounds of the errors of scores ...
    float* near_reach                 # (n + 16,): ... for the rows that wait
    row_bytes passing                 # a panel that is not kept
    row_set picked                    # rows whose bound does not settle them, among others that it does
    row_set waiting                   # rows that are not settled by their bytes
    int32_t* near                     # (SCREEN_ROWS * n,): centers that can be nearest to them
    double* distances                 # (SCREEN_ROWS * n,): their squared distances
    const double* lengths             # (n_samples,): what rows are divided by before all else, or NULL for nothing
    double* units                     # (SCREEN_ROWS, n_features): some rows, divided
    # Counted since the kernel was called.
    Py_ssize_t n_seen                 # rows that were looked at
    Py_ssize_t n_open                 # rows that were not settled by their bytes
    Py_ssize_t n_near                 # centers that could be nearest to these


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
    """An upper bound of the score of row i with center k, whose lower bound is known; also in single precision."""
    cdef double limit = low + (2 * norm * s.reach[k] + c.s.slack[k]) * (1 + 1e-6)
    if c.shown != NULL:
        limit += rests(c, i, k)
    return limit + (limit if limit > 0 else -limit) * 1.2e-7


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


cdef inline Py_ssize_t told_apart(
    const center_bytes* c, screen_buffers* s, Py_ssize_t n, Py_ssize_t* n_left, double* most, double* beyond
) noexcept nogil:
    """Drop from the n centers near the rows that wait those that their coordinates, in single precision, tell not to be nearest.

    Returns how many are left, and sets for each row how many of them are its own, an upper bound of the least score, and a lower
    bound of the scores of all that are not left.
    """
    cdef Py_ssize_t j, r, k, i, m = 0
    cdef double low, error
    cdef double length[SCREEN_ROWS]
    cdef row_set* some = &s.waiting
    for r in range(some.n):
        n_left[r], most[r], beyond[r] = 0, INFINITY, some.limits[r]
        length[r] = coordinate_error(some.q.squares[r])
    for j in range(n):
        r, k = s.near[j] % SCREEN_ROWS, s.near[j] // SCREEN_ROWS
        i = some.rows[r]
        error = length[r] * c.s.length[k] + 1e-36
        low = coordinate_score(c, i, k, error)
        s.distances[j] = low
        most[r] = min(most[r], low + 2 * error + c.s.slack[k] + rests(c, i, k))
    for j in range(n):
        r = s.near[j] % SCREEN_ROWS
        if s.distances[j] <= most[r]:
            s.near[m] = s.near[j]
            n_left[r] += 1
            m += 1
        else:
            beyond[r] = min(beyond[r], s.distances[j])
    return m


cdef inline void settle_waiting(
    const floating[:, ::1] X, const center_bytes* c, int[::1] labels, const row_bounds* bounds, thread_buffers* b,
    screen_buffers* s,
) noexcept nogil:
    """Label the rows that wait, by their coordinates or by differences from those centers that can be nearest to them."""
    cdef Py_ssize_t n, j, r, k, d = c.n_features
    cdef double least[SCREEN_ROWS]
    cdef double margin[SCREEN_ROWS]
    cdef double second[SCREEN_ROWS]
    cdef Py_ssize_t chosen[SCREEN_ROWS]
    cdef bint doubtful[SCREEN_ROWS]
    cdef bint closer
    cdef Py_ssize_t n_left[SCREEN_ROWS]
    cdef double most[SCREEN_ROWS]
    cdef double beyond[SCREEN_ROWS]
    cdef row_set* some = &s.waiting
    cdef bint divided = s.lengths != NULL
    cdef double rounded = 1e-15 * (d + 10), far
    for r in range(SCREEN_ROWS):
        least[r], second[r], chosen[r], doubtful[r], n_left[r], beyond[r] = INFINITY, INFINITY, -1, False, 0, some.limits[r]
    for r in range(some.n, SCREEN_ROWS):
        some.limits[r] = <float> -INFINITY
    n = c.kernels.within(
        &c.s, c.dots.dots, some.q.bytes, some.q.scales, some.q.norms, some.q.ratios[0], s.products, s.near_reach,
        some.limits, s.near,
    )
    if c.shown != NULL:
        n = told_apart(c, s, n, n_left, most, beyond)
    for r in range(some.n * divided):
        if n_left[r] != 1:
            c.kernels.unit(&X[some.rows[r], 0], floating is double, d, s.lengths[some.rows[r]], s.units + r * d)
    for j in range(n):
        r = s.near[j] % SCREEN_ROWS
        k = s.near[j] // SCREEN_ROWS
        if n_left[r] == 1:
            s.distances[j] = least[r] = 0
            continue
        s.n_near += 1
        s.distances[j] = c.kernels.sq_apart(
            s.units + r * d if divided else <const void*> &X[some.rows[r], 0], divided or floating is double,
            c.centers + k * d, d,
        )
        second[r] = min(second[r], max(least[r], s.distances[j]))
        least[r] = min(least[r], s.distances[j])
    for r in range(some.n):  # as nearest_center (metric.pxd) has it
        margin[r] = least[r] * (1 + (2 * d + 10) * 1.2e-16) + 1e-290
    for j in range(n):
        r = s.near[j] % SCREEN_ROWS
        if s.distances[j] <= margin[r]:
            k = s.near[j] // SCREEN_ROWS
            if chosen[r] < 0:
                chosen[r] = k
                continue
            doubtful[r] = True
            if divided:
                closer = nearer(<const double*> (s.units + r * d), c.centers + k * d, c.centers + chosen[r] * d, d)
            else:
                closer = nearer(&X[some.rows[r], 0], c.centers + k * d, c.centers + chosen[r] * d, d)
            if closer:
                chosen[r] = k
    for r in range(some.n):
        b.n_recomputed += doubtful[r]
        b.n_exact += doubtful[r]
        if bounds.separation != NULL:
            far = min(sqrt(second[r]) * c.scale * (1 - rounded), at_least(some.q.squares[r], beyond[r], d))
            if n_left[r] == 1:
                far -= at_most(some.q.squares[r], most[r], d)
            else:
                far -= sqrt(least[r]) * c.scale * (1 + rounded) + 1e-60
            bounds.separation[some.rows[r]] = <float> below(far + bounds.drift[chosen[r]])
        if chosen[r] != labels[some.rows[r]]:
            list_move(b, &labels[0], some.rows[r], chosen[r])
    some.n = 0
    some.q.ratios[0] = 0


cdef inline void settle_rows(
    const floating[:, ::1] X, const row_bytes* q, const Py_ssize_t* rows, Py_ssize_t n, const center_bytes* c,
    int[::1] labels, const row_bounds* bounds, thread_buffers* b, screen_buffers* s,
) noexcept nogil:
    """Label the n rows of a panel whose numbers are given; those that their bytes do not settle wait then."""
    cdef Py_ssize_t r, k, f, d = c.n_features, n_bytes = d * <Py_ssize_t> sizeof(X[0, 0])
    cdef const char* first_byte = <const char*> &X[0, 0]  # of what the rows that wait are told by
    if c.shown != NULL:
        first_byte, n_bytes = <const char*> c.row_shown, c.n_shown * <Py_ssize_t> sizeof(float)
    cdef float first[SCREEN_ROWS]
    cdef float second[SCREEN_ROWS]
    cdef int32_t nearest[SCREEN_ROWS]
    cdef double limit, far
    c.kernels.least_two(
        &c.s, c.dots.dots, q.bytes, q.scales, q.norms, q.ratios[0], s.products, s.reach, first, second, nearest
    )
    s.n_seen += n
    for r in range(n):
        k = nearest[r]
        limit = upper(c, s, first[r], q.norms[r], rows[r], k)
        if not second[r] > limit:
            for f in range(0, n_bytes, 64):
                prefetch(first_byte + rows[r] * n_bytes + f)
            put(q, c.s.n_quads, r, rows[r], <float> limit, &s.waiting)
            s.n_open += 1
            if s.waiting.n == SCREEN_ROWS:
                settle_waiting(X, c, labels, bounds, b, s)
            continue
        if bounds.separation != NULL:
            far = at_least(q.squares[r], second[r], d) - at_most(q.squares[r], limit, d)
            bounds.separation[rows[r]] = <float> below(far + bounds.drift[k])
        if k != labels[rows[r]]:
            list_move(b, &labels[0], rows[r], k)


cdef inline void settle_picked(
    const floating[:, ::1] X, const center_bytes* c, int[::1] labels, const row_bounds* bounds, thread_buffers* b,
    screen_buffers* s,
) noexcept nogil:
    """Label the rows that were picked."""
    settle_rows(X, &s.picked.q, s.picked.rows, s.picked.n, c, labels, bounds, b, s)
    s.picked.n = 0
    s.picked.q.ratios[0] = 0


cdef inline void label_screened(
    const floating[:, ::1] X, const row_bytes* kept, const center_bytes* c, Py_ssize_t p, int[::1] labels,
    const row_bounds* bounds, thread_buffers* b, screen_buffers* s,
) noexcept nogil:
    """Label the rows of a panel that their bound does not settle, and list the rows that moved; some may be left for later.

    Without rows that are kept in bytes (`kept`), they are made so on the way.
    """
    cdef Py_ssize_t r, i = p * SCREEN_ROWS, n = min(<Py_ssize_t> SCREEN_ROWS, X.shape[0] - i), n_here = 0
    cdef Py_ssize_t here[SCREEN_ROWS]
    cdef row_bytes q = s.passing
    if bounds.separation == NULL:
        n_here = n
    else:
        for r in range(n):
            n_here += not bounds.separation[i + r] > bounds.furthest
        if n_here == 0:
            return
        n_here = 0
        for r in range(n):
            here[n_here] = i + r
            n_here += labels[i + r] < 0 or not bounds.separation[i + r] > bounds.drift[max(labels[i + r], 0)]
        if n_here == 0:
            return
    if kept != NULL:
        q.bytes = kept.bytes + p * c.s.n_quads * 4 * SCREEN_ROWS
        q.scales, q.norms, q.squares = kept.scales + i, kept.norms + i, kept.squares + i
        q.ratios = kept.ratios + p
    else:
        quantise_panel(c.kernels, X, c.origin, c.scale, i, &q, s)
    if bounds.separation == NULL or n_here > FEW:
        for r in range(n):
            here[r] = i + r
        settle_rows(X, &q, here, n, c, labels, bounds, b, s)
        return
    for r in range(n_here):
        put(&q, c.s.n_quads, here[r] - i, here[r], 0, &s.picked)
        if s.picked.n == SCREEN_ROWS:
            settle_picked(X, c, labels, bounds, b, s)
