"""Rows labelled by their bytes, by pairs of centers in 16 bits, by coordinates in a subspace, and by differences: what is first to tell."""

from cython cimport floating
from eight_bits cimport (
    SCREEN_BLOCK, SCREEN_ROWS, at_least, at_most, center_bytes, coordinate_error, coordinate_score, put, quantise_panel, rests,
    row_bounds, row_bytes, row_set, screen_buffers, upper,
)
from libc.math cimport sqrt
from libc.stdint cimport int32_t
from metric cimport nearer
from pairs cimport fine_score, pair_error, pair_score, score_error
from processor cimport prefetch
from rounded cimport below
from shared cimport list_move, thread_buffers

cdef extern from "math.h" nogil:
    double INFINITY

cdef enum:
    FEW = 10  # rows of a panel, up to which they are put together with those of others: 20 took 4 to 10 % longer in all

cdef struct panel_rows:               # what pairs of centers tell of the rows of a panel
    double best[SCREEN_ROWS]          # the least score that is known, ...
    double above[SCREEN_ROWS]         # ... an upper bound of it, where the row is told by it, ...
    double beyond[SCREEN_ROWS]        # ... and a lower bound of those that were dropped
    Py_ssize_t chosen[SCREEN_ROWS]    # the center of the least
    Py_ssize_t n_near[SCREEN_ROWS]    # centers that are left
    Py_ssize_t n_open                 # rows that have more than one of these


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
    if c.pairs.n:
        n = s.n_listed
    else:
        n = c.kernels.within(
            &c.s, c.dots.dots, some.q.bytes, some.q.scales, some.q.norms, some.q.ratios[0], s.products, s.near_reach,
            some.limits, s.near,
        )
    s.n_listed = 0
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


cdef inline Py_ssize_t tell_pairs(
    const row_bytes* q, const center_bytes* c, screen_buffers* s, bint fine, int32_t* near, Py_ssize_t m, panel_rows* rows
) noexcept nogil:
    """Drop from the m centers near rows of a panel those that one of the others is nearer than for sure; returns how many are left.

    If not `fine`, the first bytes of the centers tell, alone.
    """
    cdef Py_ssize_t j, k, r, n = 0
    cdef const int32_t* fine_products = s.products + 2 * SCREEN_BLOCK * SCREEN_ROWS
    cdef double error, off, least
    for r in range(SCREEN_ROWS):
        rows.best[r], rows.n_near[r] = INFINITY, 0
    for j in range(m):
        r, k = near[j] % SCREEN_ROWS, near[j] // SCREEN_ROWS
        s.distances[j] = pair_score(&c.pairs, k, s.products[near[j]], q.scales[r])
        if fine:
            s.distances[j] -= fine_score(&c.pairs, k, fine_products[near[j]], q.scales[r])
        if s.distances[j] < rows.best[r]:
            rows.best[r], rows.chosen[r] = s.distances[j], k
    for j in range(m):
        r, k = near[j] % SCREEN_ROWS, near[j] // SCREEN_ROWS
        error = <double> q.norms[r] * q.ratios[0]
        least = s.distances[j] - rows.best[r] - pair_error(&c.pairs, rows.chosen[r], k, q.norms[r], error, fine)
        if k == rows.chosen[r] or not least > 0:
            near[n] = near[j]
            n += 1
            rows.n_near[r] += 1
        else:
            off = score_error(&c.pairs, k, q.norms[r], error, fine)
            rows.beyond[r] = min(rows.beyond[r], s.distances[j] - off)
    rows.n_open = 0
    for r in range(SCREEN_ROWS):
        rows.n_open += rows.n_near[r] > 1
        rows.above[r] = rows.best[r]
        if rows.n_near[r] == 1:
            error = <double> q.norms[r] * q.ratios[0]
            rows.above[r] += score_error(&c.pairs, rows.chosen[r], q.norms[r], error, fine)
    return n


cdef inline void settle_by_pairs(
    const floating[:, ::1] X, const row_bytes* q, const Py_ssize_t* numbers, const float* limits, const center_bytes* c,
    int[::1] labels, const row_bounds* bounds, thread_buffers* b, screen_buffers* s,
) noexcept nogil:
    """Label the rows of a panel that have a limit, a score that the least is not above; those wait that no pairs of centers tell."""
    cdef Py_ssize_t i, j, k, r, f, n, d = c.n_features, n_bytes = d * <Py_ssize_t> sizeof(X[0, 0])
    cdef int32_t* near = s.near + SCREEN_ROWS * c.s.n
    cdef double far
    cdef panel_rows rows
    cdef Py_ssize_t place[SCREEN_ROWS]
    cdef bint listed[SCREEN_ROWS]
    n = c.kernels.within(&c.s, NULL, q.bytes, q.scales, q.norms, q.ratios[0], s.products, s.near_reach, limits, near)
    for r in range(SCREEN_ROWS):
        rows.beyond[r], listed[r] = limits[r], limits[r] > -INFINITY
    i = 0
    for j in range(n):                # a score that is below all numbers is listed for other rows, too
        if listed[near[j] % SCREEN_ROWS]:
            near[i] = near[j]
            i += 1
    n = tell_pairs(q, c, s, False, near, i, &rows)
    if rows.n_open >= c.pairs.least_open:
        # Rows that are told already have one center each, which stays, and so does what is beyond it.
        c.dots.dots(q.bytes, c.s.n_quads, c.pairs.fine, c.s.stride, c.s.n, s.products + 2 * SCREEN_BLOCK * SCREEN_ROWS)
        n = tell_pairs(q, c, s, True, near, n, &rows)
    if s.waiting.n + rows.n_open > SCREEN_ROWS:
        settle_waiting(X, c, labels, bounds, b, s)
    for r in range(SCREEN_ROWS):
        if not listed[r]:
            continue
        if rows.n_near[r] == 1:
            k = rows.chosen[r]
            if bounds.separation != NULL:
                far = at_least(q.squares[r], rows.beyond[r], d) - at_most(q.squares[r], rows.above[r], d)
                bounds.separation[numbers[r]] = <float> below(far + bounds.drift[k])
            if k != labels[numbers[r]]:
                list_move(b, &labels[0], numbers[r], k)
            continue
        for f in range(0, n_bytes, 64):
            prefetch(<const char*> &X[0, 0] + numbers[r] * n_bytes + f)
        i = place[r] = s.waiting.n
        s.waiting.rows[i], s.waiting.q.squares[i] = numbers[r], q.squares[r]
        s.waiting.limits[i] = <float> (rows.beyond[r] * (1 + 1.2e-7 if rows.beyond[r] < 0 else 1 - 1.2e-7))
        s.waiting.n += 1
    for j in range(n):
        r = near[j] % SCREEN_ROWS
        if rows.n_near[r] > 1:
            s.near[s.n_listed] = near[j] - <int32_t> r + <int32_t> place[r]
            s.n_listed += 1
    s.n_open += rows.n_open


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
    cdef float limits[SCREEN_ROWS]    # of rows that pairs of centers may tell
    cdef bint paired = False
    for r in range(SCREEN_ROWS):
        limits[r] = <float> -INFINITY
    c.kernels.least_two(
        &c.s, c.dots.dots, q.bytes, q.scales, q.norms, q.ratios[0], s.products, s.reach, first, second, nearest
    )
    s.n_seen += n
    for r in range(n):
        k = nearest[r]
        limit = upper(c, s, first[r], q.norms[r], rows[r], k)
        if not second[r] > limit:
            if c.pairs.n:
                limits[r] = <float> limit
                paired = True
                continue
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
    if paired:
        settle_by_pairs(X, q, rows, limits, c, labels, bounds, b, s)


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
