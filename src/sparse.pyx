"""Sparse rows, in CSR: labels from an inverted index of the centers, means, and distances.

The scores |c|^2/2 - x.c of a row take its entries alone: each is a feature, and the index tells which centers have it. They are
in single precision. Centers whose scores are too close to tell are compared in double, and exactly if that is too close too.
Indices ascend within a row, and no entry is zero.
"""

from cython cimport floating
from fixed cimport cluster_mean, to_fixed
from libc.math cimport fabs, sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy
from metric cimport exact_add_product, exact_clear, exact_expect, exact_is_negative, exact_sum
from scores cimport error_bound

cdef extern from "inverted_table.h" nogil:
    ctypedef struct inverted_centers:
        ptrdiff_t stride
        const int32_t* place
        const float* full
        const int64_t* starts
        const int32_t* owners
        const float* values
    ctypedef struct inverted_kernels:
        void (*subtract)(
            const inverted_centers* c, const float* values, const ptrdiff_t* features, ptrdiff_t n, float* scores
        ) noexcept nogil
        float (*least)(const float* scores, ptrdiff_t n) noexcept nogil
        ptrdiff_t (*up_to)(const float* scores, ptrdiff_t n, float bound, int32_t* list) noexcept nogil
    const inverted_kernels INVERTED_KERNELS[]
    int n_supported()
    const char* instruction_set_name(int set)

cdef extern from "math.h" nogil:
    double INFINITY

include "chosen.pxi"

cdef enum:
    CHUNK = 64  # entries that are looked up together

cdef double CANCELLED = 2.0 ** -10  # share of a difference below which it is computed in another way

ctypedef fused index:
    int32_t
    int64_t


cdef inline double distance(double sq, double share) noexcept nogil:
    return sqrt(sq if sq > 0 else 0.0) * share


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


# ---- the inverted index of the centers ----

def count_owners(
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    Py_ssize_t start,                 # IN  the features of the block
    Py_ssize_t stop,
    int32_t[::1] counts,              # OUT (n_features,): centers that have the feature
    double[::1] sq_norms,             # OUT (n_clusters,): of these features alone
):
    """Count the centers that have each feature."""
    cdef Py_ssize_t k, f
    cdef double total
    with nogil:
        for f in range(start, stop):
            counts[f] = 0
        for k in range(centers.shape[0]):
            total = 0
            for f in range(start, stop):
                counts[f] += centers[k, f] != 0
            for f in range(start, stop):
                total += centers[k, f] * centers[k, f]
            sq_norms[k] = total


def invert(
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    double scale,                     # IN
    Py_ssize_t start,                 # IN  the features of the block
    Py_ssize_t stop,
    const int32_t[::1] place,         # IN  (n_features,): number of the feature among the full ones, or -1
    const int64_t[::1] starts,        # IN  (n_features + 1,)
    int64_t[::1] ends,                # INOUT (n_features,): a copy of the starts, which become the ends
    float[:, ::1] full,               # OUT (n_full, stride), zeros before
    int32_t[::1] owners,              # OUT (n_listed,)
    float[::1] values,                # OUT (n_listed,)
):
    """Write down the centers that have each feature, scaled."""
    cdef Py_ssize_t k, f
    cdef double value
    with nogil:
        for k in range(centers.shape[0]):
            for f in range(start, stop):
                value = centers[k, f]
                if value == 0:
                    continue
                if place[f] >= 0:
                    full[place[f], k] = <float> (value * scale)
                else:
                    owners[ends[f]] = <int32_t> k
                    values[ends[f]] = <float> (value * scale)
                    ends[f] += 1


cdef class InvertedCenters:
    """The index, and what else labels are made from. Keeps the arrays alive."""

    cdef inverted_centers c
    cdef const double[:, ::1] centers
    cdef const double[::1] sq_norms
    cdef const float[::1] half_norms
    cdef double scale, max_norm
    cdef object arrays

    def __init__(
        self,
        const double[:, ::1] centers,     # (n_clusters, n_features)
        const double[::1] sq_norms,       # (n_clusters,)
        double scale,                     # power of two, as of the index
        const float[::1] half_norms,      # (stride,): half of the squared norms, scaled, infinite at the end
        const int32_t[::1] place,         # as in `invert`
        const int64_t[::1] starts,
        const float[:, ::1] full,         # (n_full, stride), n_full > 0
        const int32_t[::1] owners,        # (n_listed,), n_listed > 0
        const float[::1] values,
    ):
        self.arrays = place, starts, full, owners, values
        self.centers, self.sq_norms, self.half_norms, self.scale = centers, sq_norms, half_norms, scale
        self.max_norm = sqrt(max(sq_norms)) * scale * (1 + 1e-6)
        self.c.stride, self.c.place, self.c.full = full.shape[1], &place[0], &full[0, 0]
        self.c.starts, self.c.owners, self.c.values = &starts[0], &owners[0], &values[0]


# ---- labels ----

cdef inline bint nearer(
    const floating* data, const index* indices, Py_ssize_t n, const double* a, const double* b, Py_ssize_t n_features
) noexcept nogil:
    """Whether |x - a|^2 < |x - b|^2 in exact arithmetic, as in metric.pxd, for a row of n entries."""
    cdef exact_sum total
    cdef Py_ssize_t f, e
    total.least, total.most = 2048, -1
    for f in range(n_features):
        if a[f] != b[f]:
            exact_expect(&total, a[f])
            exact_expect(&total, b[f])
    if total.most < 0:  # a = b
        return False
    for e in range(n):
        if a[indices[e]] != b[indices[e]]:
            exact_expect(&total, data[e])
    exact_clear(&total)
    for f in range(n_features):
        if a[f] != b[f]:
            exact_add_product(&total, a[f], a[f], 0, 1)
            exact_add_product(&total, b[f], b[f], 0, -1)
    for e in range(n):
        f = indices[e]
        if a[f] != b[f]:
            exact_add_product(&total, data[e], a[f], 1, -1)
            exact_add_product(&total, data[e], b[f], 1, 1)
    return exact_is_negative(&total)


cdef inline Py_ssize_t settle(
    const floating* data, const index* indices, Py_ssize_t n, InvertedCenters c, const int32_t* list,
    Py_ssize_t n_listed, double* scores,
) noexcept nogil:
    """The exact nearest of the centers that are listed in order; among equally near ones the first."""
    cdef Py_ssize_t j, e, best = -1, n_features = c.centers.shape[1]
    cdef double least = INFINITY, norm = 0, margin
    cdef const double* center
    for e in range(n):
        norm += <double> data[e] * data[e]
    for j in range(n_listed):
        center = &c.centers[list[j], 0]
        scores[j] = 0.5 * c.sq_norms[list[j]]
        for e in range(n):
            scores[j] -= data[e] * center[indices[e]]
        least = min(least, scores[j])
    # The norms of the centers have been added up in any order.
    margin = error_bound(sqrt(norm) * (1 + 1e-6), c.max_norm / c.scale, n + n_features, True)
    for j in range(n_listed):
        if not scores[j] - least > margin:
            if best < 0 or nearer(data, indices, n, &c.centers[list[j], 0], &c.centers[best, 0], n_features):
                best = list[j]
    return best


def label(
    const floating[::1] data,         # IN  (n_entries,)
    const index[::1] indices,         # IN  (n_entries,)
    const int64_t[::1] indptr,        # IN  (n_samples + 1,)
    InvertedCenters c,                # IN
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    int[::1] labels,                  # INOUT (n_samples,)
    unsigned char[::1] changed,       # INOUT (n_clusters,): 1 for clusters that rows left or joined
    const double[::1] drift,          # IN  (n_clusters,): as in distance_bounds.pxd, or (0,) without bounds
    float[::1] separation,            # INOUT (n_samples,): the bounds, -inf at first, or (0,)
    float[::1] scores,                # room for (stride,)
    int32_t[::1] list,                # room for (stride + 16,)
    double[::1] wide_scores,          # room for (n_clusters,)
):
    """Label rows with their exact nearest centers; returns how many moved, were compared in double, and were looked at.

    Rows that a bound keeps with their center are not looked at.
    """
    cdef const inverted_kernels* isa = &INVERTED_KERNELS[chosen]
    cdef Py_ssize_t i, e, m, n, j, k, first, n_moved = 0, n_recomputed = 0, n_seen = 0, n_clusters = c.centers.shape[0]
    cdef double sq_norm, norm, margin, bound, least, low, slack
    cdef bint bounded = separation.shape[0] > 0, safe
    cdef float values[CHUNK]
    cdef ptrdiff_t features[CHUNK]
    with nogil:
        for i in range(start, stop):
            if bounded and labels[i] >= 0 and separation[i] > drift[labels[i]]:
                continue
            n_seen += 1
            first = indptr[i]
            n = indptr[i + 1] - first
            sq_norm = e = 0
            memcpy(&scores[0], &c.half_norms[0], c.c.stride * sizeof(float))
            while e < n:
                m = min(<Py_ssize_t> CHUNK, n - e)
                for j in range(m):
                    values[j] = <float> (data[first + e + j] * c.scale)
                    features[j] = indices[first + e + j]
                    sq_norm += <double> values[j] * values[j]
                isa.subtract(&c.c, values, features, m, &scores[0])
                e += m
            norm = sqrt(sq_norm) * (1 + 1e-6) + 1e-37
            margin = error_bound(norm, c.max_norm, n, False)
            safe = c.max_norm * (c.max_norm + norm) < 1e36  # no score overflows
            if safe:
                least = isa.least(&scores[0], c.c.stride)
                bound = least + margin
                m = isa.up_to(&scores[0], c.c.stride, <float> (bound + fabs(bound) * 1.2e-7), &list[0])
            else:
                m = n_clusters
                for k in range(m):
                    list[k] = <int32_t> k
            k = list[0]
            if m > 1:
                n_recomputed += 1
                if n > 0:
                    k = settle(&data[first], &indices[first], n, c, &list[0], m, &wide_scores[0])
                else:
                    k = settle(<const floating*> NULL, <const index*> NULL, 0, c, &list[0], m, &wide_scores[0])
            if bounded:
                low = least
                if m == 1:
                    scores[k] = INFINITY
                    low = isa.least(&scores[0], c.c.stride)
                slack = 2 * margin + 2.5e-7 * sq_norm
                bound = distance(sq_norm + 2 * low - slack, 1 - 4e-16) - distance(sq_norm + 2 * least + slack, 1 + 4e-16)
                bound += drift[k]
                separation[i] = <float> (bound - min(fabs(bound), 1e30) * 1.2e-7) if safe else -INFINITY
            if k != labels[i]:
                if labels[i] >= 0:
                    changed[labels[i]] = 1
                changed[k] = 1
                labels[i] = <int> k
                n_moved += 1
    return n_moved, n_recomputed, n_seen


# ---- means and distances ----

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
    with nogil:
        for m in range(start, stop):
            i = moved[m]
            own = &sums[clusters[m], 0, 0]
            if weighted:
                weight = sample_weight[i]
            to_fixed(1, weighted, weight, units[n_features], units[n_features + 1], pair)
            own[2 * n_features] += signs[m] * pair[0]
            own[2 * n_features + 1] += signs[m] * pair[1]
            for e in range(indptr[i], indptr[i + 1]):
                f = indices[e]
                to_fixed(data[e], weighted, weight, units[f], units[n_features + 1], pair)
                own[2 * f] += signs[m] * pair[0]
                own[2 * f + 1] += signs[m] * pair[1]


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
    cdef Py_ssize_t i, k
    with nogil:
        for i in range(start, stop):
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
