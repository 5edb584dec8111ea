"""Squared Euclidean distances by differences, and the exact comparison of two of them."""

from cython cimport floating

cdef inline double sq_distance(const floating* x, const double* center, Py_ssize_t n_features) noexcept nogil:
    cdef double total = 0, difference
    cdef Py_ssize_t f
    for f in range(n_features):
        difference = <double> x[f] - center[f]
        total += difference * difference
    return total


cdef inline void sq_distances(
    const floating* x,
    const double* centers_t,          # (n_features, n_clusters): the loop over clusters is the one that vectorizes
    Py_ssize_t n_features,
    Py_ssize_t n_clusters,
    double* out,                      # (n_clusters,)
) noexcept nogil:
    cdef Py_ssize_t f, k
    cdef double value, difference
    for k in range(n_clusters):
        out[k] = 0
    for f in range(n_features):
        value = x[f]
        for k in range(n_clusters):
            difference = value - centers_t[f * n_clusters + k]
            out[k] += difference * difference


# ---- the product of two doubles, in two ----

cdef inline void two_product(double a, double b, double* parts) noexcept nogil:
    """parts[0] + parts[1] = a * b, exactly (Dekker 1971; Shewchuk, TWO-PRODUCT)."""
    cdef double spread = 134217729.0 * a, a_high, a_low, b_high, b_low
    a_high = spread - (spread - a)
    a_low = a - a_high
    spread = 134217729.0 * b
    b_high = spread - (spread - b)
    b_low = b - b_high
    parts[0] = a * b
    parts[1] = a_low * b_low - (((parts[0] - a_high * b_high) - a_low * b_high) - a_high * b_low)


# ---- exact comparison ----

cdef extern from "exact.h" nogil:
    ctypedef struct exact_sum:
        int least
        int most
    void exact_expect(exact_sum* total, double value)
    void exact_clear(exact_sum* total)
    void exact_add_product(exact_sum* total, double a, double b, int doublings, long long sign)
    bint exact_is_negative(exact_sum* total)


cdef inline bint nearer(const floating* x, const double* a, const double* b, Py_ssize_t n_features) noexcept nogil:
    """Whether |x - a|^2 < |x - b|^2 in exact arithmetic, as sum_f a_f^2 - b_f^2 - 2 x_f (a_f - b_f) < 0: for any finite numbers."""
    cdef exact_sum total
    cdef Py_ssize_t f
    total.least, total.most = 2048, -1
    for f in range(n_features):
        if a[f] != b[f]:
            exact_expect(&total, a[f])
            exact_expect(&total, b[f])
            exact_expect(&total, x[f])
    if total.most < 0:  # a = b
        return False
    exact_clear(&total)
    for f in range(n_features):
        if a[f] != b[f]:
            exact_add_product(&total, a[f], a[f], 0, 1)
            exact_add_product(&total, b[f], b[f], 0, -1)
            exact_add_product(&total, x[f], a[f], 1, -1)
            exact_add_product(&total, x[f], b[f], 1, 1)
    return exact_is_negative(&total)


cdef inline Py_ssize_t nearest_center(
    const floating* x,
    const double* centers,            # (n_clusters, n_features)
    Py_ssize_t n_features,
    Py_ssize_t n_clusters,
    const double* distances,          # (n_clusters,) as computed by sq_distances
    bint* doubtful,                   # OUT whether the exact comparison was needed
) noexcept nogil:
    """The exact nearest center; among equally near ones the lowest index.

    A computed squared distance has a relative error below (n_features + 3) 2^-53 (Higham 2002, section 3.1). Only centers
    whose distance is within twice that error of the least need to be compared exactly.
    """
    cdef Py_ssize_t k, best = 0
    cdef double first = distances[0], second = INFINITY, margin
    for k in range(1, n_clusters):
        if distances[k] < first:
            second = first
            first = distances[k]
            best = k
        elif distances[k] < second:
            second = distances[k]
    margin = first * (1 + (2 * n_features + 10) * 1.2e-16) + 1e-290  # squares may have vanished
    doubtful[0] = second <= margin
    if doubtful[0]:
        best = -1
        for k in range(n_clusters):
            if distances[k] <= margin and (
                best < 0
                or nearer(x, centers + k * n_features, centers + best * n_features, n_features)
            ):
                best = k
    return best


cdef extern from "math.h" nogil:
    double INFINITY
