"""Where a row should move (exchange.pyx), and the moves of some rows in turn."""

from cython cimport floating
from metric cimport sq_distances


cdef inline Py_ssize_t better_cluster(
    const floating* x, double weight, Py_ssize_t own, const double* centers_t, const double* masses,
    Py_ssize_t n_features, Py_ssize_t n_clusters, double* scratch,
) noexcept nogil:
    """The cluster to which the row should move, or its own."""
    if weight <= 0 or masses[own] <= weight:
        return own
    sq_distances(x, centers_t, n_features, n_clusters, scratch)
    return better_by(scratch, weight, own, masses, n_clusters)


cdef inline Py_ssize_t better_by(
    const double* sq_distance,        # (n_clusters,)
    double weight, Py_ssize_t own, const double* masses, Py_ssize_t n_clusters,
) noexcept nogil:
    """The same, with the squared distances of the row known."""
    cdef Py_ssize_t k, best = own
    cdef double least, cost
    if weight <= 0 or masses[own] <= weight:  # nothing to gain: no weight, or alone in its cluster
        return own
    # A move must lower its own terms by a share of 1e-11, so that rounding cannot make rows move for ever.
    least = sq_distance[own] * (masses[own] / (masses[own] - weight)) * (1 - 1e-11)
    for k in range(n_clusters):
        cost = sq_distance[k] * (masses[k] / (masses[k] + weight))
        if cost < least and k != own:
            least = cost
            best = k
    return best


cdef inline Py_ssize_t move_rows(
    const floating* X,                # (n_samples, n_features)
    const double* sample_weight,      # (n_samples,), or NULL for ones
    const Py_ssize_t* rows,           # (n_rows,): rows to try, in this order
    Py_ssize_t n_rows,
    int* labels,                      # INOUT (n_samples,)
    double* centers_t,                # INOUT (n_features, n_clusters)
    double* masses,                   # INOUT (n_clusters,)
    Py_ssize_t n_features,
    Py_ssize_t n_clusters,
    double* scratch,                  # (n_clusters,)
) noexcept nogil:
    """Move each row that lowers the inertia, the two means following at once; returns the number of moves."""
    cdef Py_ssize_t r, i, f, new, old, n_moves = 0
    cdef double weight = 1
    cdef double* mean
    for r in range(n_rows):
        i = rows[r]
        old = labels[i]
        if sample_weight != NULL:
            weight = sample_weight[i]
        new = better_cluster(
            X + i * n_features, weight, old, centers_t, masses, n_features, n_clusters, scratch
        )
        if new == old:
            continue
        masses[old] -= weight
        masses[new] += weight
        for f in range(n_features):
            mean = centers_t + f * n_clusters
            mean[old] -= (weight / masses[old]) * (<double> X[i * n_features + f] - mean[old])
            mean[new] += (weight / masses[new]) * (<double> X[i * n_features + f] - mean[new])
        labels[i] = <int> new
        n_moves += 1
    return n_moves
