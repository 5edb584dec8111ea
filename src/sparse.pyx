"""Sparse rows, in CSR: extremes of the features, means, and distances. Indices ascend within a row, and no entry is zero."""

from cython cimport floating
from fixed cimport cluster_mean, to_fixed
from libc.stdint cimport int32_t, int64_t
from processor cimport prefetch

cdef enum:
    FAR = 4  # moves between the one that is made and the one whose entries are fetched from memory

cdef double CANCELLED = 2.0 ** -10  # share of a difference below which it is computed in another way

ctypedef fused index:
    int32_t
    int64_t


def column_extremes(
    const floating[::1] data,         # IN  (n_entries,)
    const index[::1] indices,         # IN  (n_entries,)
    Py_ssize_t start,                 # IN  the entries of the block
    Py_ssize_t stop,
    double[::1] low,                  # INOUT (n_features,): lowered to the least entries
    double[::1] high,                 # INOUT (n_features,): raised to the greatest
    int64_t[::1] counts,              # INOUT (n_features,): += entries
):
    """Least and greatest entry of each feature."""
    cdef Py_ssize_t e, f
    cdef double value
    with nogil:
        for e in range(start, stop):
            f = indices[e]
            value = data[e]
            low[f] = min(low[f], value)
            high[f] = max(high[f], value)
            counts[f] += 1


def means(
    const floating[::1] data,         # IN  (n_entries,)
    const index[::1] indices,         # IN  (n_entries,)
    const int64_t[::1] indptr,        # IN  (n_samples + 1,)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const double[::1] units,          # IN  (n_features + 2,), as in fixed.pxd
    const Py_ssize_t[::1] order,      # IN  (n_samples,): the rows, cluster by cluster
    const Py_ssize_t[::1] starts,     # IN  (n_clusters + 1,): where the clusters begin there
    const Py_ssize_t[::1] some,       # IN  the clusters to do ...
    Py_ssize_t start,                 # IN  ... and which of them
    Py_ssize_t stop,
    double[:, ::1] centers,           # OUT (n_clusters, n_features): the means, zeros before; without weight zeros stay
    double[::1] masses,               # OUT (n_clusters,)
    int32_t[::1] position,            # room for (n_features,): where the sums of a feature are, all -1, before and after
    int32_t[::1] features,            # room for (n_features,)
    long long[::1] sums,              # room for (2 * n_features + 2,)
    double[::1] own_units,            # room for (n_features + 2,)
    double[::1] mean,                 # room for (n_features,)
):
    """The means of some clusters, of sums as in fixed.pxd, but about zero: those of dense rows to a rounding or two."""
    cdef Py_ssize_t s, k, r, i, e, f, n, n_features = centers.shape[1]
    cdef double weight = 1
    cdef bint weighted = sample_weight.shape[0] > 0
    cdef long long pair[2]
    cdef long long mass[2]
    with nogil:
        for s in range(start, stop):
            k = some[s]
            n = 0
            mass[0] = mass[1] = 0
            for r in range(starts[k], starts[k + 1]):
                i = order[r]
                if weighted:
                    weight = sample_weight[i]
                to_fixed(1, weighted, weight, units[n_features], units[n_features + 1], pair)
                mass[0] += pair[0]
                mass[1] += pair[1]
                for e in range(indptr[i], indptr[i + 1]):
                    f = indices[e]
                    if position[f] < 0:
                        position[f] = <int32_t> n
                        features[n] = <int32_t> f
                        own_units[n] = units[f]
                        sums[2 * n] = sums[2 * n + 1] = 0
                        n += 1
                    to_fixed(data[e], weighted, weight, units[f], units[n_features + 1], pair)
                    sums[2 * position[f]] += pair[0]
                    sums[2 * position[f] + 1] += pair[1]
            sums[2 * n], sums[2 * n + 1] = mass[0], mass[1]
            own_units[n], own_units[n + 1] = units[n_features], units[n_features + 1]
            masses[k] = cluster_mean(&sums[0], &own_units[0], n, &mean[0])
            for r in range(n):
                f = features[r]
                position[f] = -1
                if masses[k] > 0:
                    centers[k, f] = mean[r]


def shift(
    const floating[::1] data,         # IN  (n_entries,)
    const index[::1] indices,         # IN  (n_entries,)
    const int64_t[::1] indptr,        # IN  (n_samples + 1,)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const double[::1] units,          # IN  (n_features + 2,), as in fixed.pxd
    const Py_ssize_t[::1] moved,      # IN  (n_moved,): rows that joined a cluster or left it ...
    const Py_ssize_t[::1] clusters,   # IN  (n_moved,): ... the cluster ...
    const int64_t[::1] signs,         # IN  (n_moved,): ... and 1 or -1
    Py_ssize_t start,                 # IN  the moves of the block
    Py_ssize_t stop,
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2)
):
    """Bring sums, as in fixed.pxd, up to date with the rows that moved."""
    cdef Py_ssize_t m, i, e, f, n_features = sums.shape[1] - 1
    cdef double weight = 1
    cdef bint weighted = sample_weight.shape[0] > 0
    cdef long long pair[2]
    cdef long long* own
    cdef long long sign
    with nogil:
        for m in range(start, stop):
            if m + FAR < stop:
                i = moved[m + FAR]
                for e in range(indptr[i], indptr[i + 1], 8):
                    prefetch(&data[e])
                    prefetch(&indices[e])
            if m + 1 < stop:
                i = moved[m + 1]
                own = &sums[clusters[m + 1], 0, 0]
                for e in range(indptr[i], indptr[i + 1]):
                    prefetch(&own[2 * indices[e]])
                    prefetch(&units[indices[e]])
            i = moved[m]
            own = &sums[clusters[m], 0, 0]
            sign = signs[m]
            if weighted:
                weight = sample_weight[i]
            to_fixed(1, weighted, weight, units[n_features], units[n_features + 1], pair)
            own[2 * n_features] += sign * pair[0]
            own[2 * n_features + 1] += sign * pair[1]
            for e in range(indptr[i], indptr[i + 1]):
                f = indices[e]
                to_fixed(data[e], weighted, weight, units[f], units[n_features + 1], pair)
                own[2 * f] += sign * pair[0]
                own[2 * f + 1] += sign * pair[1]


cdef inline double gap(const double* center, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Sum of squares of center[start:stop], in eight sums."""
    cdef double sums[8]
    cdef Py_ssize_t f = start, j
    for j in range(8):
        sums[j] = 0
    while f + 8 <= stop:
        for j in range(8):
            sums[j] += center[f + j] * center[f + j]
        f += 8
    while f < stop:
        sums[0] += center[f] * center[f]
        f += 1
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))


cdef inline double sq_distance(
    const floating[::1] data, const index[::1] indices, Py_ssize_t start, Py_ssize_t stop, const double* center,
    Py_ssize_t n_features, double sq_norm, const int32_t* listed, Py_ssize_t n_listed,
) noexcept nogil:
    """Squared distance of a row to a center: where the row has entries by differences, elsewhere what is left of |c|^2.

    The features that the center has, if few, are listed.
    """
    cdef Py_ssize_t e, j, last = 0
    cdef double total = 0, own = 0, value
    for e in range(start, stop):
        value = center[indices[e]]
        own += value * value
        value = data[e] - value
        total += value * value
    if sq_norm - own >= sq_norm * CANCELLED:
        return total + (sq_norm - own)
    e = start  # too little is left to tell
    for j in range(n_listed):
        while e < stop and indices[e] < listed[j]:
            e += 1
        if e == stop or indices[e] > listed[j]:
            total += center[listed[j]] * center[listed[j]]
    if n_listed > 0:
        return total
    for e in range(start, stop):
        total += gap(center, last, indices[e])
        last = indices[e] + 1
    return total + gap(center, last, n_features)


def own_distances(
    const floating[::1] data,         # IN  (n_entries,)
    const index[::1] indices,         # IN  (n_entries,)
    const int64_t[::1] indptr,        # IN  (n_samples + 1,)
    const int[::1] labels,            # IN  (n_samples,)
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[::1] sq_norms,       # IN  (n_clusters,)
    const int64_t[::1] starts,        # IN  (n_clusters + 1,): where in `listed` the features of a center begin
    const int32_t[::1] listed,        # IN  (starts[n_clusters],): in order; none of a center that has many
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] out,                  # OUT (stop - start,)
):
    """Squared distances of rows to their own centers."""
    cdef Py_ssize_t i, k, e
    cdef const double* center
    with nogil:
        for i in range(start, stop):
            if i + 1 < stop:
                center = &centers[labels[i + 1], 0]
                for e in range(indptr[i + 1], indptr[i + 2]):
                    prefetch(center + indices[e])
            k = labels[i]
            out[i - start] = sq_distance(
                data, indices, indptr[i], indptr[i + 1], &centers[k, 0], centers.shape[1], sq_norms[k],
                &listed[starts[k]], starts[k + 1] - starts[k],
            )


def distances(
    const floating[::1] data,         # IN  (n_entries,)
    const index[::1] indices,         # IN  (n_entries,)
    const int64_t[::1] indptr,        # IN  (n_samples + 1,)
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const int32_t[::1] place,         # IN  (n_features,): where a feature is in `few`; 0 if none of them has it
    const double[:, ::1] few,         # IN  (n_places, 8): the centers from `first` on; zeros at first, and at the end of each
    const double[::1] sq_norms,       # IN  (n_clusters,)
    const int64_t[::1] starts,        # IN  as in own_distances
    const int32_t[::1] listed,        # IN
    Py_ssize_t first,                 # IN
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[:, ::1] out,               # OUT (n_samples, n_clusters): up to eight columns of it
):
    """Squared distances of rows to eight centers."""
    cdef Py_ssize_t i, e, j, n = min(<Py_ssize_t> 8, centers.shape[0] - first)
    cdef double norm, value, sq
    cdef double products[8]
    cdef const double* center
    with nogil:
        for i in range(start, stop):
            norm = 0
            for j in range(8):
                products[j] = 0
            for e in range(indptr[i], indptr[i + 1]):
                value = data[e]
                norm += value * value
                center = &few[place[indices[e]], 0]
                for j in range(8):
                    products[j] += value * center[j]
            for j in range(n):
                sq = sq_norms[first + j] - 2 * products[j] + norm
                if sq < (norm + sq_norms[first + j]) * CANCELLED:
                    sq = sq_distance(
                        data, indices, indptr[i], indptr[i + 1], &centers[first + j, 0], centers.shape[1],
                        sq_norms[first + j], &listed[starts[first + j]], starts[first + j + 1] - starts[first + j],
                    )
                out[i, first + j] = sq
