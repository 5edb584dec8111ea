"""k-means++ over a block of rows: what each candidate would gain, and the distances once one is taken.

Most rows come no closer to a new center, and their scores (panels.pyx) tell: a score below the threshold of the row is
possible only with a squared distance below that to the nearest center so far. Only the rows that passed, bit r of passed[p]
for row r of panel p, are computed, by differences; what the others would add is exactly zero.
"""

from cython cimport floating
from gains cimport GAINS_KERNELS
from libc.math cimport fabs
from libc.stddef cimport ptrdiff_t
from metric cimport sq_distance
from processor cimport lowest_bit, prefetch
from scores cimport error_bound, packing

cdef extern from "math.h" nogil:
    double INFINITY


def score_error(double max_norm, double max_center_norm, Py_ssize_t n_features, bint double_precision):
    """Twice a bound of the error of a score, in packed units."""
    return error_bound(max_norm, max_center_norm, n_features, double_precision)


cdef enum:
    ROOM = 256  # rows that are listed before they are looked at, at most


cdef inline Py_ssize_t list_rows(
    const floating[:, ::1] X, unsigned long long passed, Py_ssize_t start, ptrdiff_t* rows
) noexcept nogil:
    """List the rows of a panel that passed, and start to fetch them from memory; returns how many."""
    cdef Py_ssize_t n = 0
    while passed:
        rows[n] = start + lowest_bit(passed)
        prefetch(&X[rows[n], 0])
        prefetch(&X[rows[n], X.shape[1] - 1])
        passed &= passed - 1
        n += 1
    return n


cdef void make_units(
    const floating[:, ::1] X, const double[::1] lengths, const ptrdiff_t* rows, Py_ssize_t n, double[:, ::1] units
) noexcept nogil:
    """Divide the n listed rows by their lengths."""
    cdef Py_ssize_t j, f
    cdef double length
    for j in range(n):
        length = lengths[rows[j]]
        for f in range(X.shape[1]):
            units[j, f] = X[rows[j], f] / length


def gains(
    const floating[:, ::1] X,         # IN  (n, n_features): the rows of a block
    const double[::1] lengths,        # IN  (n,): what rows are divided by before all else, or (0,)
    const double[::1] sample_weight,  # IN  (n,), or (0,) for ones
    const double[::1] closest,        # IN  (n,): squared distances to the nearest center so far
    const unsigned long long[::1] passed, # IN (n_panels,)
    Py_ssize_t panel_rows,            # IN
    int instructions,                 # IN  number of the instruction set
    const double[:, :, ::1] opposites, # IN (n_eights, n_features, 8): minus the candidates
    double[:, ::1] units,             #     (ROOM, n_features) for rows that are divided, or (0, n_features)
    double[:, ::1] sums,              # INOUT (n_eights, 8): += weight * what the squared distance would fall by
):
    """Sum, for each candidate, by how much the inertia would fall."""
    cdef Py_ssize_t p, e, j, n = 0
    cdef const double* weights = NULL
    cdef ptrdiff_t rows[ROOM]
    cdef ptrdiff_t places[ROOM]
    cdef double near[ROOM]
    cdef double heavy[ROOM]
    with nogil:
        if sample_weight.shape[0] > 0:
            weights = &sample_weight[0]
        for p in range(passed.shape[0]):
            n += list_rows(X, passed[p], p * panel_rows, &rows[n])
            if n <= ROOM - 64 and p + 1 < passed.shape[0]:
                continue
            if lengths.shape[0] > 0:
                make_units(X, lengths, rows, n, units)
                for j in range(n):
                    places[j], near[j] = j, closest[rows[j]]
                    if weights != NULL:
                        heavy[j] = weights[rows[j]]
            for e in range(opposites.shape[0]):
                if lengths.shape[0] > 0:
                    GAINS_KERNELS[instructions].of_double(
                        &units[0, 0], X.shape[1], NULL if weights == NULL else heavy, near, places, n,
                        &opposites[e, 0, 0], &sums[e, 0],
                    )
                elif floating is float:
                    GAINS_KERNELS[instructions].of_float(
                        &X[0, 0], X.shape[1], weights, &closest[0], rows, n, &opposites[e, 0, 0], &sums[e, 0]
                    )
                else:
                    GAINS_KERNELS[instructions].of_double(
                        &X[0, 0], X.shape[1], weights, &closest[0], rows, n, &opposites[e, 0, 0], &sums[e, 0]
                    )
            n = 0


cdef inline void four_sq_distances(
    const floating[:, ::1] X, const ptrdiff_t* rows, const double* center, double scale, double* out
) noexcept nogil:
    """The squared distances of four rows, scaled; side by side, since each waits for its own last addition."""
    cdef double difference
    cdef Py_ssize_t f, j
    for j in range(4):
        out[j] = 0
    for f in range(X.shape[1]):
        for j in range(4):
            difference = (<double> X[rows[j], f] - center[f]) * scale
            out[j] += difference * difference


cdef inline double total_mass(const double[::1] sample_weight, const double[::1] closest) noexcept nogil:
    """The sum of weight * closest, in four sums."""
    cdef Py_ssize_t i, r, n = closest.shape[0]
    cdef double mass[4]
    for r in range(4):
        mass[r] = 0
    if sample_weight.shape[0] > 0:
        for i in range(n):
            mass[i & 3] += sample_weight[i] * closest[i]
    else:
        for i in range(n // 4):
            for r in range(4):
                mass[r] += closest[4 * i + r]
        for i in range(n // 4 * 4, n):
            mass[i & 3] += closest[i]
    return (mass[0] + mass[1]) + (mass[2] + mass[3])


def take(
    const floating[:, ::1] X,         # IN  (n, n_features): the rows of a block
    const double[::1] lengths,        # IN  (n,): what rows are divided by before all else, or (0,)
    const double[::1] sample_weight,  # IN  (n,), or (0,) for ones
    const double[::1] center,         # IN  (n_features,): the new one
    const unsigned long long[::1] passed, # IN (n_panels,)
    Py_ssize_t panel_rows,            # IN
    const double[::1] origin,         # IN  (n_features,) of the panels
    double scale,                     # IN  of the panels
    double margin,                    # IN  twice a bound of the error of a score
    double[:, ::1] units,             #     (ROOM, n_features) for rows that are divided, or (0, n_features)
    double[::1] closest,              # INOUT (n,): lowered to the squared distances to the new center
    packing[::1] thresholds,          # INOUT (n,): a center whose score is not below this is no nearer
):
    """Take one more center; returns the sum of weight * closest, and the number of rows that passed, and that came closer."""
    cdef Py_ssize_t p, r, i, n = 0, n_passed = 0, n_nearer = 0
    cdef bint first = closest[0] == INFINITY
    cdef double mass, threshold, fall, half = 0.5 * scale * scale, slack = 1e-15 * (X.shape[1] + 20)
    cdef double single = 3e-16 if packing is double else 2.5e-7
    cdef double sq[4]
    cdef double norm[4]
    cdef ptrdiff_t rows[ROOM]
    cdef ptrdiff_t places[4]
    with nogil:
        for p in range(passed.shape[0]):
            n += list_rows(X, passed[p], p * panel_rows, &rows[n])
            if n <= ROOM - 64 and p + 1 < passed.shape[0]:
                continue
            for r in range(n, (n + 3) // 4 * 4):
                rows[r] = rows[n - 1]
            if lengths.shape[0] > 0:
                make_units(X, lengths, rows, (n + 3) // 4 * 4, units)
            for r in range(n):
                if r % 4 == 0 and lengths.shape[0] > 0:
                    for i in range(4):
                        places[i] = r + i
                    four_sq_distances(units, places, &center[0], 1, sq)
                    if first:
                        four_sq_distances(units, places, &origin[0], scale, norm)
                elif r % 4 == 0:
                    four_sq_distances(X, rows + r, &center[0], 1, sq)
                    if first:
                        four_sq_distances(X, rows + r, &origin[0], scale, norm)
                i = rows[r]
                if first:  # |x - c|^2 = |x|^2 + 2 score, and half of the margin is the error of a score
                    threshold = half * (sq[r % 4] * (1 + slack)) - 0.5 * norm[r % 4] * (1 - slack) + margin
                    fall = 1
                else:  # without branches, which would be mispredicted
                    fall = max(closest[i] - sq[r % 4], 0.0)
                    threshold = thresholds[i] - half * fall
                n_nearer += fall > 0
                thresholds[i] = <packing> (threshold + (fall > 0) * single * fabs(threshold))
                closest[i] = min(closest[i], sq[r % 4])
            n_passed += n
            n = 0
        mass = total_mass(sample_weight, closest)
    return mass, n_passed, n_nearer


def room():
    """Rows that `units` of `gains` and `take` have room for."""
    return ROOM


def approach(
    const floating[:, ::1] X,         # IN  (n, n_features): the rows of a block
    const double[::1] sample_weight,  # IN  (n,), or (0,) for ones
    const double[:, ::1] centers,     # IN  (n_clusters, n_features): new ones
    const int[::1] labels,            # IN  (n,): the nearest of them
    int first,                        # IN  index of the first of them
    double[::1] closest,              # INOUT (n,): lowered to the squared distances to the new centers
    int[::1] owners,                  # INOUT (n,): index of the nearest center
):
    """Take many more centers; returns the sum of weight * closest."""
    cdef Py_ssize_t i
    cdef double sq
    with nogil:
        for i in range(X.shape[0]):
            sq = sq_distance(&X[i, 0], &centers[labels[i], 0], X.shape[1])
            if sq < closest[i]:
                closest[i] = sq
                owners[i] = first + labels[i]
        sq = total_mass(sample_weight, closest)
    return sq
