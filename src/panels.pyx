"""Rows in panels, and their nearest centers by the register tiles of tile.h, exactly.

A panel holds a fixed number of rows, feature-major, shifted by an origin and scaled by a power of two. The tiles give each
row its two least scores |c|^2/2 - x.c, which settle the nearest center unless they are closer than their error bounds;
such rows are decided by differences in double and, where these cannot tell, in exact arithmetic.
"""

from cython cimport floating
from fixed cimport cluster_means, shift_rows
from libc.math cimport sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy
from metric cimport nearest, sq_distance, sq_distances
from tile cimport INSTRUCTION_SETS, instruction_set, n_supported

cdef int chosen = n_supported() - 1

# Relative slack of bounds that may be kept in single precision.
cdef double ROUND_UP = 1 + 3e-7
cdef double ROUND_DOWN = 1 - 3e-7
cdef Py_ssize_t TIGHTEN = 48  # centers from which on one exact distance is cheap beside those to all


def instruction_sets():
    """Names of the instruction sets this processor supports, the one in use last."""
    return [INSTRUCTION_SETS[i].name.decode() for i in range(n_supported()) if i != chosen] + [
        INSTRUCTION_SETS[chosen].name.decode()
    ]


def use(name):
    """Use the kernels of another supported instruction set from now on. Panels packed before are of no use then."""
    global chosen
    for i in range(n_supported()):
        if INSTRUCTION_SETS[i].name.decode() == name:
            chosen = i
            return
    raise ValueError(f"instruction set {name!r} is not among {instruction_sets()}, which this processor supports.")


def panel_rows(bint double):
    """Number of rows in a panel of float or double."""
    return INSTRUCTION_SETS[chosen].n_rows[double]


def tile_centers():
    """Number of centers in a tile."""
    return INSTRUCTION_SETS[chosen].n_tile


def survey(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] total,                # INOUT (n_features,): += the sum, roughly
    double[::1] low,                  # INOUT (n_features,): min with the least value
    double[::1] high,                 # INOUT (n_features,): max with the largest
):
    """Sum, least and largest value of each feature over some rows.

    Strips of 16 values, which vectorize, hold several narrow rows or part of a wide one.
    """
    cdef bint wide = floating is double
    cdef Py_ssize_t d = X.shape[1], together = max(1, 16 // d), stride = together * d, n, i, f
    with nogil:
        while (stop - start) * d - 16 >= stride:  # the last strip of a row may reach into the next one
            n = min(max(1, 32768 // stride), ((stop - start) * d - 16) // stride)
            for f in range(0, d, 16):
                INSTRUCTION_SETS[chosen].survey[wide](
                    &X[start, f], n, stride, min(16, stride - f), d, &total[f], &low[f], &high[f]
                )
            start += n * together
        for i in range(start, stop):
            for f in range(d):
                total[f] += X[i, f]
                low[f] = min(low[f], <double> X[i, f])
                high[f] = max(high[f], <double> X[i, f])


cdef inline double fill(
    const floating[:, ::1] X, const double[::1] origin, double scale, Py_ssize_t start, Py_ssize_t n_rows, floating* panel,
) noexcept nogil:
    """Pack rows from `start` into a panel, zeros where X ends; returns a bound of the largest norm."""
    cdef bint wide = floating is double
    cdef Py_ssize_t r, f, n_features = X.shape[1]
    cdef double value, norm, reach = 0
    if start + n_rows <= X.shape[0]:
        reach = INSTRUCTION_SETS[chosen].pack[wide](&X[start, 0], n_features, &origin[0], scale, panel)
    else:
        for r in range(n_rows):
            norm = 0
            for f in range(n_features):
                value = (<double> X[start + r, f] - origin[f]) * scale if start + r < X.shape[0] else 0
                norm += value * value
                panel[f * n_rows + r] = <floating> value
            reach = max(reach, norm)
    return sqrt(reach) * (1 + (n_features + 4) * (1.2e-16 if wide else 6e-8))


def pack(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] origin,         # IN  (n_features,), exact in the type of X
    double scale,                     # IN  a power of two
    Py_ssize_t start,                 # IN  the panels to pack
    Py_ssize_t stop,
    floating[:, :, ::1] panels,       # OUT (n_panels, n_features, panel_rows)
    double[::1] reach,                # OUT (n_panels,): bound of the norms of the rows
):
    """Pack rows into panels."""
    cdef Py_ssize_t p, n_rows = panels.shape[2]
    with nogil:
        for p in range(start, stop):
            reach[p] = fill(X, origin, scale, p * n_rows, n_rows, &panels[p, 0, 0])


cdef inline double fill_tiles(
    const double[:, ::1] centers, const double[::1] origin, double scale, floating[:, :, ::1] tiles, double[:, ::1] centers_t
) noexcept nogil:
    """Pack centers into tiles, and transpose them; returns the largest norm of a center."""
    cdef Py_ssize_t k, f, n_tile = tiles.shape[2], n_features = centers.shape[1]
    cdef floating value
    cdef double norm, reach = 0
    for k in range(tiles.shape[0] * n_tile):
        norm = 0
        for f in range(n_features):
            value = 0
            if k < centers.shape[0]:
                value = <floating> ((centers[k, f] - origin[f]) * scale)
                centers_t[f, k] = centers[k, f]
            tiles[k // n_tile, 1 + f, k % n_tile] = value
            norm += <double> value * value
        tiles[k // n_tile, 0, k % n_tile] = <floating> (norm / 2 if k < centers.shape[0] else INFINITY)
        reach = max(reach, norm)
    return sqrt(reach)


def pack_centers(
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the rows were packed
    floating[:, :, ::1] tiles,        # OUT (n_tiles, 1 + n_features, tile_centers)
    double[:, ::1] centers_t,         # OUT (n_features, n_clusters)
):
    """Pack centers into tiles, and transpose them; returns the largest norm of a center."""
    return fill_tiles(centers, origin, scale, tiles, centers_t)


cdef inline double error_bound(double reach, double center_reach, Py_ssize_t n_features, bint double_precision) noexcept nogil:
    """Twice a bound of the error of a score, with u the unit roundoff: 2 (d + 8) u (C^2/2 + R C), with some slack.

    One rounding each of the row, the center and |c|^2/2, and at most d + 1 in the sum (Higham 2002, section 3.1).
    """
    cdef double u = 1.2e-16 if double_precision else 6e-8
    return 2.5 * (n_features + 8) * u * (center_reach * (0.5 * center_reach + reach)) + (1e-290 if double_precision else 1e-37)


cdef inline Py_ssize_t label_panels(
    const floating[:, ::1] X, const floating[:, :, ::1] panels, const double[::1] reach, const double[::1] origin,
    double scale, const floating[:, :, ::1] tiles, double center_reach, const double[:, ::1] centers,
    const double[:, ::1] centers_t, Py_ssize_t start, Py_ssize_t stop, floating[::1] scores, double[::1] scratch,
    int[::1] labels, Py_ssize_t[::1] moved, int[::1] left, Py_ssize_t* n_doubtful,
) noexcept nogil:
    """Label the rows of some panels, and list those that moved; returns their number. Arguments as in assign."""
    cdef const instruction_set* isa = &INSTRUCTION_SETS[chosen]
    cdef bint wide = floating is double, doubtful = False, packed = panels.shape[0] > 0, safe
    cdef Py_ssize_t n_rows = isa.n_rows[wide], n_features = X.shape[1], n_clusters = centers.shape[0]
    cdef Py_ssize_t p, r, i, n, k, n_moved = 0
    cdef double norm, margin
    cdef floating* first = &scores[0]
    cdef floating* second = first + n_rows
    cdef const floating* panel
    cdef int32_t found[64]
    cdef int32_t before[64]
    for p in range(start, stop):
        if packed:
            panel = &panels[p, 0, 0]
            norm = reach[p]
        else:
            panel = second + n_rows
            norm = fill(X, origin, scale, p * n_rows, n_rows, second + n_rows)
        n = min(n_rows, X.shape[0] - p * n_rows)
        memcpy(before, &labels[p * n_rows], n * sizeof(int32_t))
        margin = error_bound(norm, center_reach, n_features, wide)
        safe = center_reach * (center_reach + norm) < (1e300 if wide else 1e36)  # no score overflows
        if safe:
            isa.panel[wide](panel, n_features, &tiles[0, 0, 0], tiles.shape[0], first, second, found)
            if not isa.stirs[wide](first, second, margin, found, before):
                continue
        for r in range(n):
            i = p * n_rows + r
            k = found[r]
            if not safe or second[r] - first[r] <= margin:
                n_doubtful[0] += 1
                sq_distances(&X[i, 0], &centers_t[0, 0], n_features, n_clusters, &scratch[0])
                k = nearest(
                    &X[i, 0], &centers[0, 0], n_features, n_clusters, &scratch[0], &scratch[n_clusters], &doubtful
                )
            if k != before[r]:
                labels[i] = <int> k
                moved[n_moved] = i
                left[n_moved] = before[r]
                n_moved += 1
    return n_moved


cdef inline void shift(
    const floating[:, ::1] X, const double[::1] sample_weight, const int[::1] labels, const Py_ssize_t[::1] moved,
    const int[::1] left, Py_ssize_t n_moved, const double[::1] units, long long[:, :, ::1] sums,
) noexcept nogil:
    """The sums follow the rows that moved."""
    if sample_weight.shape[0] > 0:
        shift_rows(X, sample_weight, labels, moved, left, n_moved, units, sums)
    elif n_moved:
        INSTRUCTION_SETS[chosen].shift[floating is double](
            &X[0, 0], X.shape[1], <const int32_t*> &labels[0], <const ptrdiff_t*> &moved[0], <const int32_t*> &left[0], n_moved, &units[0],
            <int64_t*> &sums[0, 0, 0],
        )


cdef inline Py_ssize_t relabel(
    const floating[:, ::1] X, const double[::1] sample_weight, const floating[:, :, ::1] panels,
    const double[::1] reach, const double[::1] origin, double scale, const floating[:, :, ::1] tiles,
    double center_reach, const double[:, ::1] centers, const double[:, ::1] centers_t, Py_ssize_t start, Py_ssize_t stop,
    floating[::1] scores, double[::1] scratch, int[::1] labels, Py_ssize_t[::1] moved, int[::1] left,
    const double[::1] units, long long[:, :, ::1] sums, Py_ssize_t* n_doubtful,
) noexcept nogil:
    """Label the rows of some panels, as many panels at a time as `moved` has room for; returns how many rows moved."""
    cdef Py_ssize_t p = start, n, n_moved = 0, step = moved.shape[0] // INSTRUCTION_SETS[chosen].n_rows[floating is double]
    while p < stop:
        n = label_panels(
            X, panels, reach, origin, scale, tiles, center_reach, centers, centers_t, p, min(p + step, stop), scores,
            scratch, labels, moved, left, n_doubtful,
        )
        if sums.shape[0] > 0:
            shift(X, sample_weight, labels, moved, left, n, units, sums)
        n_moved += n
        p += step
    return n_moved


def assign(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const floating[:, :, ::1] panels, # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const double[::1] reach,          # IN  (n_panels,) of pack, or (0,)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the centers were packed
    const floating[:, :, ::1] tiles,  # IN  of pack_centers
    double center_reach,              # IN  of pack_centers
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters)
    Py_ssize_t start,                 # IN  the panels of the block
    Py_ssize_t stop,
    floating[::1] scores,             #     ((2 + n_features) * panel_rows,)
    double[::1] scratch,              #     (n_clusters + 16 * n_features + 1,)
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    Py_ssize_t[::1] moved,            #     (at least panel_rows,)
    int[::1] left,                    #     (at least panel_rows,)
    const double[::1] units,          # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2), or (0, ...) for none
):
    """Label the rows of some panels with their exact nearest centers, ties to the lowest index; the sums follow.

    Returns the number of rows moved, and the number that had to be decided by differences.
    """
    cdef Py_ssize_t n_moved, n_doubtful = 0
    with nogil:
        n_moved = relabel(
            X, sample_weight, panels, reach, origin, scale, tiles, center_reach, centers, centers_t, start, stop, scores,
            scratch, labels, moved, left, units, sums, &n_doubtful,
        )
    return n_moved, n_doubtful


cdef inline Py_ssize_t label_pending(
    const floating[:, ::1] X, const floating[:, :, ::1] panels, double scale, const floating[:, :, ::1] tiles,
    double center_reach, const double[:, ::1] centers, const double[:, ::1] centers_t, const Py_ssize_t* pending,
    Py_ssize_t n_pending, floating[::1] scores, double[::1] scratch, int[::1] labels, Py_ssize_t* moved, int* left,
    floating[::1] upper, floating[::1] lower, Py_ssize_t* n_doubtful,
) noexcept nogil:
    """Label up to a panel of rows from anywhere, and renew their bounds; returns how many moved."""
    cdef const instruction_set* isa = &INSTRUCTION_SETS[chosen]
    cdef bint wide = floating is double, doubtful = False
    cdef Py_ssize_t n_rows = isa.n_rows[wide], n_features = X.shape[1], n_clusters = centers.shape[0]
    cdef Py_ssize_t r, f, i, k, n_moved = 0
    cdef double norm = 0, margin, slack, high, low, unsure = (n_features + 4) * 1.2e-16 if wide else 2.5e-7
    cdef floating* first = &scores[0]
    cdef floating* second = first + n_rows
    cdef floating* panel = second + n_rows
    cdef double norms[64]
    cdef int32_t found[64]
    for r in range(n_pending):
        i = pending[r]
        norms[r] = 0
        for f in range(n_features):
            panel[f * n_rows + r] = panels[i // n_rows, f, i % n_rows]
            norms[r] += <double> panel[f * n_rows + r] * panel[f * n_rows + r]
        norm = max(norm, norms[r])
    margin = error_bound(sqrt(norm * (1 + unsure)), center_reach, n_features, wide)
    isa.panel[wide](panel, n_features, &tiles[0, 0, 0], tiles.shape[0], first, second, found)
    for r in range(n_pending):
        i = pending[r]
        k = found[r]
        slack = 2 * margin + unsure * norms[r]
        high = norms[r] + 2 * <double> first[r] + slack
        low = norms[r] + 2 * <double> second[r] - slack
        if second[r] - first[r] <= margin:
            n_doubtful[0] += 1
            sq_distances(&X[i, 0], &centers_t[0, 0], n_features, n_clusters, &scratch[0])
            k = nearest(
                &X[i, 0], &centers[0, 0], n_features, n_clusters, &scratch[0], &scratch[n_clusters], &doubtful
            )
            low = norms[r] + 2 * <double> first[r] - slack
        upper[i] = <floating> (sqrt(max(0.0, high)) * ROUND_UP)
        lower[i] = <floating> (sqrt(max(0.0, low)) * ROUND_DOWN)
        if k != labels[i]:
            moved[n_moved] = i
            left[n_moved] = labels[i]
            labels[i] = <int> k
            n_moved += 1
    return n_moved


def assign_bounded(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const floating[:, :, ::1] panels, # IN  (n_panels, n_features, panel_rows) of pack
    double scale,                     # IN  as the rows were packed
    const floating[:, :, ::1] tiles,  # IN  of pack_centers
    double center_reach,              # IN  of pack_centers
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters)
    const double[::1] drift,          # IN  (n_clusters,): how far each center moved, in packed units, rounded up
    Py_ssize_t fastest,               # IN  the center that moved most
    double runner_up,                 # IN  how far any other moved at most
    Py_ssize_t start,                 # IN  the panels of the block
    Py_ssize_t stop,
    floating[::1] scores,             #     ((2 + n_features) * panel_rows,)
    double[::1] scratch,              #     (n_clusters + 16 * n_features + 1,)
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    Py_ssize_t[::1] moved,            #     (at least panel_rows,)
    int[::1] left,                    #     (at least panel_rows,)
    const double[::1] units,          # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2)
    floating[::1] upper,              # INOUT (n_samples,): at least the distance to the own center; inf at first
    floating[::1] lower,              # INOUT (n_samples,): at most the distance to any other; 0 at first
):
    """As assign, but only for rows whose bounds do not settle the label (Hamerly 2010, SIAM Data Mining, 130-140).

    Rows that are left over are gathered into panels. The labels are the same as without bounds. Returns the number of
    rows moved, the number decided by differences, and the number looked at.
    """
    cdef Py_ssize_t n_rows = INSTRUCTION_SETS[chosen].n_rows[floating is double], n_features = X.shape[1]
    cdef Py_ssize_t i, first_row = start * n_rows, last_row = min(stop * n_rows, X.shape[0])
    cdef Py_ssize_t n_pending = 0, n = 0, n_moved = 0, n_doubtful = 0, n_seen = 0
    cdef bint tighten = centers.shape[0] >= TIGHTEN
    cdef double u, l, most = drift[fastest]
    cdef int own
    cdef Py_ssize_t pending[64]
    with nogil:
        for i in range(first_row, last_row):
            own = labels[i]
            if own >= 0:
                u = (upper[i] + drift[own]) * ROUND_UP
                l = (lower[i] - (runner_up if own == fastest else most)) * ROUND_DOWN
                if u >= l and tighten:
                    u = scale * sqrt(sq_distance(&X[i, 0], &centers[own, 0], n_features)) * (
                        1 + (n_features + 10) * 1.2e-16
                    ) * ROUND_UP
                upper[i] = <floating> u
                lower[i] = <floating> max(l, 0.0)
                if u < l:
                    continue
            pending[n_pending] = i
            n_pending += 1
            n_seen += 1
            if n_pending == n_rows:
                n += label_pending(
                    X, panels, scale, tiles, center_reach, centers, centers_t, pending, n_pending, scores, scratch,
                    labels, &moved[n], &left[n], upper, lower, &n_doubtful,
                )
                n_pending = 0
                if n + n_rows > moved.shape[0]:
                    shift(X, sample_weight, labels, moved, left, n, units, sums)
                    n_moved += n
                    n = 0
        if n_pending:
            n += label_pending(
                X, panels, scale, tiles, center_reach, centers, centers_t, pending, n_pending, scores, scratch,
                labels, &moved[n], &left[n], upper, lower, &n_doubtful,
            )
        shift(X, sample_weight, labels, moved, left, n, units, sums)
        n_moved += n
    return n_moved, n_doubtful, n_seen


def score_error(double reach, double center_reach, Py_ssize_t n_features, bint double_precision):
    """Twice a bound of the error of a score, in packed units."""
    return error_bound(reach, center_reach, n_features, double_precision)


def screen(
    const floating[:, ::1] X,         # IN  (n, n_features)
    const floating[:, :, ::1] panels, # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the centers were packed
    const floating[:, :, ::1] tiles,  # IN  of pack_centers
    floating[::1] scores,             #     ((2 + n_features) * panel_rows,)
    const floating[::1] thresholds,   # IN  (n,)
    unsigned long long[::1] passed,   # OUT (n_panels,): bit r for row r
):
    """Mark the rows whose least score is below a threshold of their own. There must be no score that overflows."""
    cdef const instruction_set* isa = &INSTRUCTION_SETS[chosen]
    cdef bint wide = floating is double
    cdef Py_ssize_t n_rows = isa.n_rows[wide], p, r, n
    cdef const floating* panel = &scores[0] + 2 * n_rows
    cdef uint64_t bits
    cdef int32_t found[64]
    with nogil:
        for p in range(passed.shape[0]):
            n = X.shape[0] - p * n_rows
            if panels.shape[0] > 0:
                panel = &panels[p, 0, 0]
            else:
                fill(X, origin, scale, p * n_rows, n_rows, &scores[0] + 2 * n_rows)
            isa.panel[wide](panel, X.shape[1], &tiles[0, 0, 0], tiles.shape[0], &scores[0], &scores[n_rows], found)
            if n >= n_rows:
                bits = isa.below[wide](&scores[0], &thresholds[p * n_rows])
            else:
                bits = 0
                for r in range(n):
                    bits |= <uint64_t> (scores[r] < thresholds[p * n_rows + r]) << r
            passed[p] = bits


def means(
    const long long[:, :, ::1] sums,  # IN  (n_clusters, n_features + 1, 2)
    const double[::1] units,          # IN  (n_features + 2,)
    double[:, ::1] centers,           # INOUT (n_clusters, n_features): the means; a center without weight stays
    double[::1] masses,               # OUT (n_clusters,): the sums of the weights
):
    """The means of the clusters; returns the number of clusters without weight."""
    return cluster_means(sums, units, centers, masses)


def iterate(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const floating[:, :, ::1] panels, # IN  of pack
    const double[::1] reach,          # IN  of pack
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the rows were packed
    floating[:, :, ::1] tiles,        #     (n_tiles, 1 + n_features, tile_centers)
    double[:, ::1] centers,           # INOUT (n_clusters, n_features)
    double[:, ::1] centers_t,         #     (n_features, n_clusters)
    floating[::1] scores,             #     (2 * panel_rows,)
    double[::1] scratch,              #     (n_clusters + 16 * n_features + 1,)
    int[::1] labels,                  # INOUT (n_samples,)
    Py_ssize_t[::1] moved,            #     (at least panel_rows,)
    int[::1] left,                    #     (at least panel_rows,)
    const double[::1] units,          # IN  (n_features + 2,)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2)
    double[::1] masses,               # OUT (n_clusters,)
    Py_ssize_t n_steps,               # IN  most updates of the centers
    bint fresh,                       # IN  whether the labels may be those of other centers
):
    """Lloyd's iteration in one go, for data that fit into one block: assign, then update while labels change.

    Stops early, before the assignment, when a cluster is left without weight. Returns the updates, the rows moved last,
    the rows decided by differences, and the clusters without weight.
    """
    cdef Py_ssize_t n_iter = 0, n_moved, n_doubtful = 0, n_empty = 0
    cdef double center_reach
    with nogil:
        while True:
            center_reach = fill_tiles(centers, origin, scale, tiles, centers_t)
            n_moved = relabel(
                X, sample_weight, panels, reach, origin, scale, tiles, center_reach, centers, centers_t, 0,
                panels.shape[0], scores, scratch, labels, moved, left, units, sums, &n_doubtful,
            )
            if n_iter == n_steps or (n_moved == 0 and not fresh):
                break
            fresh = False
            n_empty = cluster_means(sums, units, centers, masses)
            n_iter += 1
            if n_empty:
                break
    return n_iter, n_moved, n_doubtful, n_empty


def restless(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const floating[:, :, ::1] panels, # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const double[::1] reach,          # IN  (n_panels,) of pack, or (0,)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the centers were packed
    const floating[:, :, ::1] tiles,  # IN  of pack_centers
    double center_reach,              # IN  of pack_centers
    const int[::1] labels,            # IN  (n_samples,): the nearest centers
    const double[::1] masses,         # IN  (n_clusters,)
    Py_ssize_t start,                 # IN  the panels of the block
    Py_ssize_t stop,
    floating[::1] scores,             #     ((2 + n_features) * panel_rows,)
    unsigned char[::1] mask,          # OUT (n_samples,)
):
    """Mark the rows that could lower the inertia by moving to another cluster (exchange.pyx), and perhaps some more.

    Moving costs at least w B / (B + w) times the second least squared distance, for the least mass B, and gains at most
    w A / (A - w) times the least; both squared distances are bounded from the scores.
    """
    cdef const instruction_set* isa = &INSTRUCTION_SETS[chosen]
    cdef bint wide = floating is double
    cdef Py_ssize_t n_rows = isa.n_rows[wide], n_features = X.shape[1], p, r, f, i, k
    cdef double margin, norm, length, slack, weight = 1, rest, least = INFINITY
    cdef const floating* panel
    cdef double unsure = (n_features + 4) * 1.2e-16 if wide else 2.5e-7
    cdef int32_t found[64]
    with nogil:
        for k in range(masses.shape[0]):
            least = min(least, masses[k])
        for p in range(start, stop):
            if panels.shape[0] > 0:
                panel = &panels[p, 0, 0]
                length = reach[p]
            else:
                panel = &scores[2 * n_rows]
                length = fill(X, origin, scale, p * n_rows, n_rows, &scores[2 * n_rows])
            isa.panel[wide](panel, n_features, &tiles[0, 0, 0], tiles.shape[0], &scores[0], &scores[n_rows], found)
            margin = error_bound(length, center_reach, n_features, wide)
            for r in range(min(n_rows, X.shape[0] - p * n_rows)):
                i = p * n_rows + r
                norm = 0
                for f in range(n_features):
                    norm += <double> panel[f * n_rows + r] * panel[f * n_rows + r]
                slack = 2 * margin + unsure * norm
                if sample_weight.shape[0] > 0:
                    weight = sample_weight[i]
                rest = masses[labels[i]] - weight
                mask[i] = (
                    weight > 0
                    and rest > 0
                    and masses[labels[i]] * (least + weight) * (norm + 2 * <double> scores[r] + slack)
                    > rest * least * (norm + 2 * <double> scores[n_rows + r] - slack)
                )


cdef extern from "math.h" nogil:
    double INFINITY
