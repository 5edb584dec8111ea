"""Loops over rows, one after the other, by differences in double: sums, and what moves of centers cost."""

from cython cimport floating
from metric cimport sq_distance, sq_distances


cdef inline double accumulate_rows(
    const floating* X, Py_ssize_t n, Py_ssize_t n_features,
    const double* sample_weight,      # (n,), or NULL for ones
    const int* labels,                # (n,)
    const double* centers,            # (n_clusters, n_features)
    double* shifts,                   # INOUT (n_clusters, n_features): += weight * (row - its center)
    double* masses,                   # INOUT (n_clusters,): += weight
    double inertia,                   # of rows before these
) noexcept nogil:
    """Sum the rows of each cluster relative to its center; returns the inertia, that of rows before included."""
    cdef Py_ssize_t i, f
    cdef double weight = 1, difference, sq
    cdef const double* center
    cdef double* shift
    for i in range(n):
        center = centers + labels[i] * n_features
        shift = shifts + labels[i] * n_features
        if sample_weight != NULL:
            weight = sample_weight[i]
        sq = 0
        for f in range(n_features):
            difference = <double> X[i * n_features + f] - center[f]
            sq += difference * difference
            shift[f] += weight * difference
        inertia += weight * sq
        masses[labels[i]] += weight
    return inertia


cdef inline double inertia_of(
    const floating* X, Py_ssize_t n, Py_ssize_t n_features, const double* sample_weight, const int* labels,
    const double* centers, double inertia,
) noexcept nogil:
    """The same inertia alone. Four rows go side by side, since each waits for its own last addition."""
    cdef Py_ssize_t i, j, f
    cdef double difference
    cdef double sq[4]
    cdef const floating* x[4]
    cdef const double* center[4]
    for i in range(0, n, 4):
        for j in range(4):  # after the last one, that again
            x[j] = X + min(i + j, n - 1) * n_features
            center[j] = centers + labels[min(i + j, n - 1)] * n_features
            sq[j] = 0
        for f in range(n_features):
            for j in range(4):
                difference = <double> x[j][f] - center[j][f]
                sq[j] += difference * difference
        for j in range(min(<Py_ssize_t> 4, n - i)):
            inertia += sq[j] if sample_weight == NULL else sample_weight[i + j] * sq[j]
    return inertia


cdef inline void two_nearest_rows(
    const floating* X, Py_ssize_t n, Py_ssize_t n_features,
    const double* centers_t,          # (n_features, n_clusters)
    Py_ssize_t n_clusters,
    const int* labels,                # (n,): the nearest centers
    double* scratch,                  # (n_clusters,)
    double* first,                    # OUT (n,): squared distance to the own center
    double* second,                   # OUT (n,): squared distance to the nearest of the others
) noexcept nogil:
    cdef Py_ssize_t i, k
    for i in range(n):
        sq_distances(X + i * n_features, centers_t, n_features, n_clusters, scratch)
        first[i] = scratch[labels[i]]
        scratch[labels[i]] = 1e308
        second[i] = scratch[0]
        for k in range(1, n_clusters):
            second[i] = min(second[i], scratch[k])


cdef inline void loss_rows(
    const floating* X, Py_ssize_t n, Py_ssize_t n_features,
    const double* sample_weight,      # (n,), or NULL for ones
    const int* labels,                # (n,)
    const double* first,              # (n,)
    const double* second,             # (n,)
    const double* candidate,          # (n_features,): the center that would come
    double* sums,                     # INOUT (n_clusters,): += what giving up its center costs the rows that stay
) noexcept nogil:
    cdef Py_ssize_t i
    cdef double weight = 1, sq
    for i in range(n):
        if sample_weight != NULL:
            weight = sample_weight[i]
        sq = sq_distance(X + i * n_features, candidate, n_features)
        if sq > first[i]:
            sums[labels[i]] += weight * ((sq if sq < second[i] else second[i]) - first[i])


cdef inline void removal_gain_rows(
    const floating* X, Py_ssize_t n, Py_ssize_t n_features,
    const double* sample_weight,      # (n,), or NULL for ones
    const int* labels,                # (n,)
    const double* centers,            # (n_clusters, n_features), the means of the labels
    const double* masses,             # (n_clusters,)
    double* gains,                    # OUT (n,): how much the inertia falls when a row becomes a cluster of its own
) noexcept nogil:
    cdef Py_ssize_t i
    cdef double weight = 1, rest
    for i in range(n):
        if sample_weight != NULL:
            weight = sample_weight[i]
        rest = masses[labels[i]] - weight
        gains[i] = 0
        if rest > 0:
            gains[i] = (
                sq_distance(X + i * n_features, centers + labels[i] * n_features, n_features)
                * weight * (masses[labels[i]] / rest)
            )
