"""Sums of the rows of each cluster in fixed point, kept up to date as rows move.

A number is rounded to a multiple of a power of two and split into two 64-bit integers of some 40 to 50 bits each. Integer
addition is associative: the sums have the same bits for any number of threads and any order, depend on the labels alone,
and what was added can be taken away again without a trace.
"""

from cython cimport floating
from metric cimport two_product
from processor cimport prefetch
from shared cimport thread_buffers

cdef enum:
    AHEAD = 16  # rows between the one that is added and the one that is fetched from memory for later


# Adding and subtracting 1.5 * 2**52 rounds to a whole number.


cdef inline void to_fixed(
    double value, bint weighted, double weight, double unit, double fine, long long* pair
) noexcept nogil:
    """Split weight * value into whole units of size 1 / unit, and the rest into parts of such a unit, `fine` in each."""
    cdef double product[2]
    cdef double whole
    product[0] = value * unit
    product[1] = 0
    if weighted:  # what the product loses is kept: the mean of equal rows is that row
        two_product(weight, product[0], product)
    whole = (product[0] + 6755399441055744.0) - 6755399441055744.0
    pair[0] = <long long> whole
    pair[1] = <long long> (
        (((product[0] - whole) + product[1]) * fine + 6755399441055744.0) - 6755399441055744.0
    )


cdef inline void from_fixed(const long long* pair, double size, double part, double* parts) noexcept nogil:
    """The number, as an unevaluated sum of two doubles, from the size of a unit and of its parts: powers of two.

    Integers are taken in two halves of 32 bits, which vectorize.
    """
    cdef double top = <double> <int> (pair[0] >> 32) * 4294967296.0, rest = <double> <unsigned int> pair[0]
    cdef double parts_top = <double> <int> (pair[1] >> 32) * 4294967296.0
    cdef double high = top + rest, low
    low = ((rest - (high - top)) + (parts_top + <double> <unsigned int> pair[1]) * part) * size
    high = high * size
    parts[0] = high + low
    parts[1] = low - (parts[0] - high)


cdef inline void shift_rows(
    const floating[:, ::1] X, const double[::1] sample_weight, const int[::1] labels, const thread_buffers* b
) noexcept nogil:
    """Take the listed rows out of the clusters they left and put them into those they joined.

    b.units has, for each feature and then for sample_weight, the number of units in 1; then the number of parts of a unit. All
    are powers of two. b.sums has, for each cluster, the weighted sum of each feature of its rows, and then of their weights.
    """
    cdef Py_ssize_t m, i, f, n_features = X.shape[1]
    cdef double weight = 1
    cdef bint weighted = sample_weight.shape[0] > 0
    cdef long long pair[2]
    cdef long long* joined
    cdef long long* quit
    for m in range(b.n_listed):
        if m + AHEAD < b.n_listed:
            prefetch(&X[b.moved[m + AHEAD], 0])
        i = b.moved[m]
        if weighted:
            weight = sample_weight[i]
        joined = b.sums + labels[i] * 2 * (n_features + 1)
        quit = b.sums + b.old_labels[m] * 2 * (n_features + 1) if b.old_labels[m] >= 0 else NULL
        for f in range(n_features + 1):
            to_fixed(X[i, f] if f < n_features else 1, weighted, weight, b.units[f], b.units[n_features + 1], pair)
            joined[2 * f] += pair[0]
            joined[2 * f + 1] += pair[1]
            if quit != NULL:
                quit[2 * f] -= pair[0]
                quit[2 * f + 1] -= pair[1]


cdef inline double cluster_mean(
    const long long* sums, const double* units, Py_ssize_t n_features,
    double* center,                   # OUT (n_features,): the mean; stays without weight
) noexcept nogil:
    """The mean of a cluster, to the last bit or nearly, by a division in twice the precision; returns its mass."""
    cdef Py_ssize_t f
    cdef double mass[2]
    cdef double total[2]
    cdef double product[2]
    cdef double quotient, part = 1 / units[n_features + 1]
    from_fixed(&sums[2 * n_features], 1 / units[n_features], part, mass)
    if mass[0] <= 0:
        return 0
    for f in range(n_features):
        from_fixed(&sums[2 * f], 1 / units[f], part, total)
        quotient = total[0] / mass[0]
        two_product(quotient, mass[0], product)
        center[f] = quotient + (((total[0] - product[0]) - product[1]) + (total[1] - quotient * mass[1])) / mass[0]
    return mass[0]


cdef inline void add_up(const long long[:, :, :, ::1] parts, long long[:, :, ::1] total) noexcept nogil:
    """The sum of several arrays of sums."""
    cdef Py_ssize_t p, j, size = total.shape[0] * total.shape[1] * total.shape[2]
    cdef long long* out = &total[0, 0, 0]
    cdef const long long* part
    for j in range(size):
        out[j] = 0
    for p in range(parts.shape[0]):
        part = &parts[p, 0, 0, 0]
        for j in range(size):
            out[j] += part[j]


cdef inline Py_ssize_t cluster_means(
    const long long* sums,            # (n_clusters, n_features + 1, 2)
    const double* units,              # (n_features + 2,)
    Py_ssize_t n_clusters,
    Py_ssize_t n_features,
    double* centers,                  # INOUT (n_clusters, n_features): the means; a center without weight stays
    double* masses,                   # OUT (n_clusters,): the sums of the weights
) noexcept nogil:
    """The means of all clusters; returns the number of those without weight."""
    cdef Py_ssize_t k, n_empty = 0
    for k in range(n_clusters):
        masses[k] = cluster_mean(sums + k * 2 * (n_features + 1), units, n_features, centers + k * n_features)
        n_empty += masses[k] == 0
    return n_empty
