"""Sums of the rows of each cluster in fixed point, kept up to date as rows move.

A number is rounded to a multiple of a power of two and split into two 64-bit integers of some 40 to 50 bits each. Integer
addition is associative: the sums have the same bits for any number of threads and any order, depend on the labels alone,
and what was added can be taken away again without a trace.
"""

from cython cimport floating
from metric cimport two_product

cdef double ROUND = 6755399441055744.0  # 1.5 * 2**52: adding and subtracting it rounds to a whole number


cdef inline void put(double value, double fine, long long sign, long long* pair) noexcept nogil:
    """Add a number that was scaled to whole units, its fraction in units of 1 / fine."""
    cdef double whole = (value + ROUND) - ROUND
    pair[0] += sign * <long long> whole
    pair[1] += sign * <long long> (((value - whole) * fine + ROUND) - ROUND)


def shift(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const int[::1] labels,            # IN  (n_samples,): labels now
    const Py_ssize_t[::1] moved,      # IN  (>= n_moved,): rows whose label changed
    const int[::1] left,              # IN  (>= n_moved,): their labels before, negative for none
    Py_ssize_t n_moved,
    double scale,                     # IN  units in one of X, a power of two
    double weight_scale,              # IN  units in one of sample_weight, a power of two
    double fine,                      # IN  parts of a unit, a power of two
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2): weighted sums, the weights last
):
    """Take the moved rows out of the clusters they left and put them into those they joined."""
    cdef Py_ssize_t m, i, f, n_features = X.shape[1]
    cdef double weight = 1, value
    cdef long long* joined
    cdef long long* quit
    cdef long long sink[2]
    with nogil:
        for m in range(n_moved):
            i = moved[m]
            if sample_weight.shape[0] > 0:
                weight = sample_weight[i]
            joined = &sums[labels[i], 0, 0]
            if left[m] < 0:
                for f in range(n_features):
                    put(weight * X[i, f] * scale, fine, 1, joined + 2 * f)
                put(weight * weight_scale, fine, 1, joined + 2 * n_features)
                continue
            quit = &sums[left[m], 0, 0]
            for f in range(n_features + 1):
                sink[0] = sink[1] = 0
                value = weight * X[i, f] * scale if f < n_features else weight * weight_scale
                put(value, fine, 1, sink)
                joined[2 * f] += sink[0]
                joined[2 * f + 1] += sink[1]
                quit[2 * f] -= sink[0]
                quit[2 * f + 1] -= sink[1]


cdef inline void get(const long long* pair, double unit, double fine, double* parts) noexcept nogil:
    """The number, as an unevaluated sum of two doubles."""
    cdef double high = <double> pair[0], low, total
    low = (<double> (pair[0] - <long long> high) + <double> pair[1] / fine) / unit
    high = high / unit
    total = high + low
    parts[1] = low - (total - high)
    parts[0] = total


def means(
    const long long[:, :, ::1] sums,  # IN  (n_clusters, n_features + 1, 2)
    double scale,                     # IN  as in shift
    double weight_scale,
    double fine,
    double[:, ::1] centers,           # INOUT (n_clusters, n_features): the means; a center without weight stays
    double[::1] masses,               # OUT (n_clusters,): the sums of the weights
):
    """The means of the clusters, to the last bit or nearly, by a division in twice the precision."""
    cdef Py_ssize_t k, f, n_features = centers.shape[1]
    cdef double mass[2]
    cdef double total[2]
    cdef double product[2]
    cdef double quotient
    with nogil:
        for k in range(centers.shape[0]):
            get(&sums[k, n_features, 0], weight_scale, fine, mass)
            masses[k] = mass[0]
            if mass[0] <= 0:
                masses[k] = 0
                continue
            for f in range(n_features):
                get(&sums[k, f, 0], scale, fine, total)
                quotient = total[0] / mass[0]
                two_product(quotient, mass[0], product)
                centers[k, f] = quotient + (
                    ((total[0] - product[0]) - product[1]) + (total[1] - quotient * mass[1])
                ) / mass[0]
