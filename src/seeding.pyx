"""k-means++ over a block of rows: what each candidate would gain, and the distances once one is taken.

Most rows come no closer to a new center, and their scores (panels.pyx) tell: a score below the threshold of the row is
possible only with a squared distance below that to the nearest center so far. Only the rows that passed, bit r of passed[p]
for row r of panel p, are computed, by differences; what the others would add is exactly zero.
"""

from cython cimport floating
from eights cimport INSTRUCTION_SETS, lowest_bit, n_supported, prefetch
from libc.math cimport fabs
from libc.stddef cimport ptrdiff_t

cdef int chosen = n_supported() - 1


def instruction_sets():
    """Names of the instruction sets this processor supports, the one in use last."""
    return [INSTRUCTION_SETS[i].name.decode() for i in range(n_supported()) if i != chosen] + [
        INSTRUCTION_SETS[chosen].name.decode()
    ]


def use(name):
    """Use the kernels of another supported instruction set from now on."""
    global chosen
    for i in range(n_supported()):
        if INSTRUCTION_SETS[i].name.decode() == name:
            chosen = i
            return
    raise ValueError(f"instruction set {name!r} is not among {instruction_sets()}, which this processor supports.")


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


def gains(
    const floating[:, ::1] X,         # IN  (n, n_features): the rows of a block
    const double[::1] sample_weight,  # IN  (n,), or (0,) for ones
    const double[::1] closest,        # IN  (n,): squared distances to the nearest center so far
    const unsigned long long[::1] passed, # IN (n_panels,)
    Py_ssize_t panel_rows,            # IN
    const double[:, :, ::1] opposites, # IN (n_eights, n_features, 8): minus the candidates
    double[:, ::1] sums,              # INOUT (n_eights, 8): += weight * what the squared distance would fall by
):
    """Sum, for each candidate, by how much the inertia would fall."""
    cdef Py_ssize_t p, e, n = 0
    cdef const double* weights = NULL
    cdef ptrdiff_t rows[256]
    with nogil:
        if sample_weight.shape[0] > 0:
            weights = &sample_weight[0]
        for p in range(passed.shape[0]):
            n += list_rows(X, passed[p], p * panel_rows, &rows[n])
            if n <= 192 and p + 1 < passed.shape[0]:
                continue
            for e in range(opposites.shape[0]):
                if floating is float:
                    INSTRUCTION_SETS[chosen].of_float(
                        &X[0, 0], X.shape[1], weights, &closest[0], rows, n, &opposites[e, 0, 0], &sums[e, 0]
                    )
                else:
                    INSTRUCTION_SETS[chosen].of_double(
                        &X[0, 0], X.shape[1], weights, &closest[0], rows, n, &opposites[e, 0, 0], &sums[e, 0]
                    )
            n = 0


cdef inline double sq_distance(
    const floating* x, const double* center, double scale, Py_ssize_t n_features
) noexcept nogil:
    """The squared distance, scaled, in four sums that vectorize."""
    cdef double sums[4]
    cdef double difference
    cdef Py_ssize_t f = 0, j
    for j in range(4):
        sums[j] = 0
    while f + 4 <= n_features:
        for j in range(4):
            difference = (<double> x[f + j] - center[f + j]) * scale
            sums[j] += difference * difference
        f += 4
    for j in range(n_features - f):
        difference = (<double> x[f + j] - center[f + j]) * scale
        sums[j] += difference * difference
    return (sums[0] + sums[1]) + (sums[2] + sums[3])


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
    const double[::1] sample_weight,  # IN  (n,), or (0,) for ones
    const double[::1] center,         # IN  (n_features,): the new one
    const unsigned long long[::1] passed, # IN (n_panels,)
    Py_ssize_t panel_rows,            # IN
    const double[::1] origin,         # IN  (n_features,) of the panels
    double scale,                     # IN  of the panels
    double margin,                    # IN  twice a bound of the error of a score
    double[::1] closest,              # INOUT (n,): lowered to the squared distances to the new center
    floating[::1] thresholds,         # INOUT (n,): scores from which on a center is no nearer
):
    """Take one more center; returns the sum of weight * closest, and the number of rows that passed."""
    cdef Py_ssize_t p, r, i, n = 0, n_passed = 0
    cdef bint first = closest[0] == INFINITY
    cdef double sq, norm, threshold, fall, half = 0.5 * scale * scale, slack = 1e-15 * (X.shape[1] + 20), single = 3e-16 if floating is double else 2.5e-7
    cdef ptrdiff_t rows[256]
    with nogil:
        for p in range(passed.shape[0]):
            n += list_rows(X, passed[p], p * panel_rows, &rows[n])
            if n <= 192 and p + 1 < passed.shape[0]:
                continue
            for r in range(n):
                i = rows[r]
                sq = sq_distance(&X[i, 0], &center[0], 1, X.shape[1])
                if first:  # |x - c|^2 = |x|^2 + 2 score, and half of the margin is the error of a score
                    norm = sq_distance(&X[i, 0], &origin[0], scale, X.shape[1])
                    threshold = half * (sq * (1 + slack)) - 0.5 * norm * (1 - slack) + margin
                    fall = 1
                else:  # without branches, which would be mispredicted
                    fall = max(closest[i] - sq, 0.0)
                    threshold = thresholds[i] - half * fall
                thresholds[i] = <floating> (threshold + (fall > 0) * single * fabs(threshold))
                closest[i] = sq if sq < closest[i] else closest[i]
            n_passed += n
            n = 0
        sq = total_mass(sample_weight, closest)
    return sq, n_passed


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
            sq = sq_distance(&X[i, 0], &centers[labels[i], 0], 1, X.shape[1])
            if sq < closest[i]:
                closest[i] = sq
                owners[i] = first + labels[i]
        sq = total_mass(sample_weight, closest)
    return sq


cdef extern from "math.h" nogil:
    double INFINITY
