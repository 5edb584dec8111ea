"""Squared Euclidean distances by differences, and the exact comparison of two of them."""

from cython cimport floating
from libc.math cimport fabs, frexp, ldexp

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


# ---- exact comparison: floating-point expansions (Shewchuk 1997, Discrete Comput. Geom. 18:305-363) ----

cdef inline Py_ssize_t grow(double* expansion, Py_ssize_t length, double value) noexcept nogil:
    """Add a double to a non-overlapping expansion, dropping zeros (Shewchuk, GROW-EXPANSION, fig. 6)."""
    cdef Py_ssize_t i, kept = 0
    cdef double total, part, error
    for i in range(length):
        part = expansion[i]
        total = value + part
        error = total - value
        error = (value - (total - error)) + (part - error)
        if error != 0:
            expansion[kept] = error
            kept += 1
        value = total
    if value != 0:
        expansion[kept] = value
        kept += 1
    return kept


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


cdef inline Py_ssize_t grow_product(double* expansion, Py_ssize_t length, double a, double b) noexcept nogil:
    """Add a * b, exactly."""
    cdef double parts[2]
    if a == 0 or b == 0:
        return length
    two_product(a, b, parts)
    length = grow(expansion, length, parts[1])
    return grow(expansion, length, parts[0])


cdef inline bint nearer(
    const floating* x,
    const double* a,
    const double* b,
    Py_ssize_t n_features,
    double* expansion,                # scratch: (16 * n_features + 1,)
) noexcept nogil:
    """Whether |x - a|^2 < |x - b|^2 in exact arithmetic, as sum_f (b_f - a_f) ((x_f - a_f) + (x_f - b_f)) < 0.

    Both factors are brought to the middle of the range by powers of two first, so that no product vanishes.
    """
    cdef Py_ssize_t f, i, length = 0
    cdef double u[2]
    cdef double v[4]
    cdef double value, largest_u = 0, largest_v = 0
    cdef int shift_u, shift_v
    for f in range(n_features):
        if a[f] != b[f]:
            value = x[f]
            largest_u = max(largest_u, fabs(b[f] - a[f]))
            largest_v = max(largest_v, max(fabs(value - a[f]), fabs(value - b[f])))
    frexp(largest_u, &shift_u)
    frexp(largest_v, &shift_v)
    for f in range(n_features):
        if a[f] == b[f]:
            continue
        value = x[f]
        split_difference(b[f], a[f], u)
        split_difference(value, a[f], v)
        split_difference(value, b[f], v + 2)
        for i in range(2):
            u[i] = ldexp(u[i], 450 - shift_u)
        for i in range(4):
            v[i] = ldexp(v[i], 450 - shift_v)
        for i in range(4):
            length = grow_product(expansion, length, u[0], v[i])
            length = grow_product(expansion, length, u[1], v[i])
    return length > 0 and expansion[length - 1] < 0  # the last component is the largest and has the sign


cdef inline void split_difference(double a, double b, double* parts) noexcept nogil:
    """parts[0] + parts[1] = a - b, exactly (Shewchuk, TWO-DIFF)."""
    cdef double virtual
    parts[0] = a - b
    virtual = a - parts[0]
    parts[1] = (a - (parts[0] + virtual)) + (virtual - b)


cdef inline Py_ssize_t nearest(
    const floating* x,
    const double* centers,            # (n_clusters, n_features)
    Py_ssize_t n_features,
    Py_ssize_t n_clusters,
    const double* distances,          # (n_clusters,) as computed by sq_distances
    double* expansion,                # scratch: (16 * n_features + 1,)
    bint* doubtful,                   # OUT whether the exact comparison was needed
) noexcept nogil:
    """The exact nearest center; among equally near ones the lowest index.

    A computed squared distance has a relative error below (n_features + 3) 2^-53 (Higham 2002, section 3.1), so only
    centers within twice that of the least need to be compared exactly.
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
                or nearer(x, centers + k * n_features, centers + best * n_features, n_features, expansion)
            ):
                best = k
    return best


cdef extern from "math.h" nogil:
    double INFINITY
