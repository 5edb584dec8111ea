"""Labels of sparse rows, in CSR, from an inverted index of the centers.

The scores |c|^2/2 - x.c of a row take its entries alone: each is a feature, and the index tells which centers have it, in 16 bits
where most do. Scores are in single precision. Centers whose scores are too close to tell are compared in double, and exactly if
that is too close too. Indices ascend within a row, and no entry is zero.
"""

from cython cimport floating
from libc.math cimport fabs, sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int16_t, int32_t, int64_t
from libc.string cimport memcpy
from metric cimport exact_add_product, exact_clear, exact_expect, exact_is_negative, exact_sum
from processor cimport prefetch
from scores cimport error_bound

cdef extern from "inverted_table.h" nogil:
    ctypedef struct inverted_kernels:
        void (*subtract)(
            const int16_t** records, const float* factors, ptrdiff_t n, ptrdiff_t stride, float* scores
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
    CHUNK = 64  # entries that are subtracted together
    LINE = 32  # numbers of 16 bits in a cache line

ctypedef fused index:
    int32_t
    int64_t


cdef inline double distance(double sq, double share) noexcept nogil:
    return sqrt(sq if sq > 0 else 0.0) * share


# ---- the inverted index of the centers ----

def count_owners(
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    Py_ssize_t start,                 # IN  the features of the block
    Py_ssize_t stop,
    int32_t[::1] counts,              # OUT (n_features,): centers that have the feature
    double[::1] largest,              # OUT (n_features,): the largest magnitude
    double[::1] sq_norms,             # OUT (n_clusters,): of these features alone
):
    """Count the centers that have each feature."""
    cdef Py_ssize_t k, f
    cdef double total, size
    with nogil:
        for f in range(start, stop):
            counts[f] = 0
            largest[f] = 0
        for k in range(centers.shape[0]):
            total = 0
            for f in range(start, stop):
                size = fabs(centers[k, f])
                counts[f] += size > 0
                largest[f] = size if size > largest[f] else largest[f]
            for f in range(start, stop):
                total += centers[k, f] * centers[k, f]
            sq_norms[k] = total


cdef inline int16_t steps_of(double value) noexcept nogil:
    """Rounded to a whole number of 16 bits."""
    value = value if value < 32767 else 32767
    value = value if value > -32767 else -32767
    return <int16_t> (value + (0.5 if value > 0 else -0.5))


def invert(
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    double scale,                     # IN
    const float[::1] steps,           # IN  (n_features,): what the numbers of 16 bits of a feature count
    Py_ssize_t start,                 # IN  the features of the block
    Py_ssize_t stop,
    const int32_t[::1] place,         # IN  (n_features,): number of the feature among the full ones, or -1
    const int64_t[::1] starts,        # IN  (n_features + 1,)
    int64_t[::1] ends,                # INOUT (n_features,): a copy of the starts, which become the ends
    int16_t[:, ::1] full,             # OUT (n_full, stride), zeros before
    int32_t[::1] owners,              # OUT (n_listed,)
    float[::1] values,                # OUT (n_listed,)
):
    """Write down the centers that have each feature, scaled."""
    cdef Py_ssize_t first, last, k, f
    cdef double value, factor
    with nogil:
        for first in range(0, centers.shape[0], 16):
            last = min(first + 16, centers.shape[0])
            for f in range(start, stop):
                if place[f] >= 0:
                    factor = scale / steps[f]
                    for k in range(first, last):
                        full[place[f], k] = steps_of(centers[k, f] * factor)
                elif ends[f] < starts[f + 1]:
                    for k in range(first, last):
                        value = centers[k, f]
                        if value != 0:
                            owners[ends[f]] = <int32_t> k
                            values[ends[f]] = <float> (value * scale)
                            ends[f] += 1


cdef class InvertedCenters:
    """The index, and what else labels are made from. Keeps the arrays alive."""

    cdef const double[:, ::1] centers
    cdef const double[::1] sq_norms
    cdef const float[::1] half_norms, steps, values
    cdef const int32_t[::1] place, owners
    cdef const int64_t[::1] starts
    cdef const int16_t[:, ::1] full
    cdef double scale, max_norm

    def __init__(
        self,
        const double[:, ::1] centers,     # (n_clusters, n_features)
        const double[::1] sq_norms,       # (n_clusters,)
        double scale,                     # power of two, as of the index
        const float[::1] half_norms,      # (stride,): half of the squared norms, scaled, infinite at the end
        const float[::1] steps,           # as in `invert`
        const int32_t[::1] place,
        const int64_t[::1] starts,
        const int16_t[:, ::1] full,       # (n_full, stride), n_full > 0
        const int32_t[::1] owners,        # (n_listed,), n_listed > 0
        const float[::1] values,
    ):
        self.centers, self.sq_norms, self.half_norms, self.scale = centers, sq_norms, half_norms, scale
        self.max_norm = sqrt(max(sq_norms)) * scale * (1 + 1e-6)
        self.steps, self.place, self.starts, self.full = steps, place, starts, full
        self.owners, self.values = owners, values


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


ctypedef struct row_scores:  # of a row whose last entries are still to be subtracted
    float* scores  # (stride,)
    double sq_norm
    double rough  # sum of |entry| * step of its feature
    Py_ssize_t m  # entries that are still to be subtracted ...
    float factors[CHUNK]  # ... entry * step of its feature ...
    const int16_t* records[CHUNK]  # ... and what the centers have, in such steps


cdef inline void look_up(
    const floating* data, const index* indices, Py_ssize_t n, InvertedCenters c, const inverted_kernels* isa, row_scores* row
) noexcept nogil:
    """Begin with the scores of a row; what the centers have for its last entries is fetched from memory meanwhile."""
    cdef Py_ssize_t e, f, j, m = 0, stride = c.full.shape[1], n_lines = (stride - 1) / LINE + 1
    cdef double sq_norm = 0, rough = 0, scale = c.scale
    cdef float value
    cdef const int16_t* record
    cdef const int16_t* full = &c.full[0, 0]
    cdef const int32_t* place = &c.place[0]
    cdef const float* steps = &c.steps[0]
    memcpy(row.scores, &c.half_norms[0], stride * sizeof(float))
    for e in range(n):
        f = indices[e]
        value = <float> (data[e] * scale)
        sq_norm += <double> value * value
        if place[f] < 0:
            for j in range(c.starts[f], c.starts[f + 1]):
                row.scores[c.owners[j]] -= value * c.values[j]
            continue
        if m == CHUNK:
            isa.subtract(row.records, row.factors, CHUNK, stride, row.scores)
            m = 0
        record = full + place[f] * stride
        for j in range(n_lines):
            prefetch(record + j * LINE)
        value *= steps[f]
        row.records[m] = record
        row.factors[m] = value
        rough += fabs(value)
        m += 1
    row.sq_norm, row.rough, row.m = sq_norm, rough, m


cdef inline Py_ssize_t next_open(
    Py_ssize_t i, Py_ssize_t stop, const int[::1] labels, const double[::1] drift, const float[::1] separation
) noexcept nogil:
    """The first row from i on that no bound keeps with its center."""
    if separation.shape[0] > 0:
        while i < stop and labels[i] >= 0 and separation[i] > drift[labels[i]]:
            i += 1
    return i


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
    float[:, ::1] scores,             # room for (2, stride)
    int32_t[::1] list,                # room for (stride + 16,)
    double[::1] wide_scores,          # room for (n_clusters,)
):
    """Label rows with their exact nearest centers; returns how many moved, were compared in double, and were looked at.

    Rows that a bound keeps with their center are not looked at. While a row is, the next one is looked up.
    """
    cdef const inverted_kernels* isa = &INVERTED_KERNELS[chosen]
    cdef Py_ssize_t i, after, m, n, k, n_moved = 0, n_recomputed = 0, n_seen = 0
    cdef Py_ssize_t n_clusters = c.centers.shape[0], stride = scores.shape[1]
    cdef double norm, margin, bound, least, low, slack
    cdef bint bounded = separation.shape[0] > 0, safe
    cdef row_scores[2] both
    cdef row_scores* row
    # Without any entry in the data nothing is read there.
    cdef const floating* values = &data[0] if data.shape[0] else NULL
    cdef const index* features = &indices[0] if data.shape[0] else NULL
    both[0].scores, both[1].scores = &scores[0, 0], &scores[1, 0]
    with nogil:
        i = next_open(start, stop, labels, drift, separation)
        if i < stop:
            look_up(values + indptr[i], features + indptr[i], indptr[i + 1] - indptr[i], c, isa, &both[0])
        while i < stop:
            row = &both[n_seen % 2]
            n_seen += 1
            after = next_open(i + 1, stop, labels, drift, separation)
            if after < stop:
                n = indptr[after + 1] - indptr[after]
                look_up(values + indptr[after], features + indptr[after], n, c, isa, &both[n_seen % 2])
            isa.subtract(row.records, row.factors, row.m, stride, row.scores)
            n = indptr[i + 1] - indptr[i]
            norm = sqrt(row.sq_norm) * (1 + 1e-6) + 1e-37
            # Half a step is lost in rounding each number, and as much again by steps that are too small for floats.
            margin = error_bound(norm, c.max_norm, n, False) + row.rough * (1 + 1e-6) + n * 1e-40
            safe = c.max_norm * (c.max_norm + norm) < 1e36  # no score overflows
            if safe:
                least = isa.least(row.scores, stride)
                bound = least + margin
                m = isa.up_to(row.scores, stride, <float> (bound + fabs(bound) * 1.2e-7), &list[0])
            else:
                m = n_clusters
                for k in range(m):
                    list[k] = <int32_t> k
            k = list[0]
            if m > 1:
                n_recomputed += 1
                k = settle(values + indptr[i], features + indptr[i], n, c, &list[0], m, &wide_scores[0])
            if bounded and not safe:
                separation[i] = -INFINITY
            elif bounded:
                low = least
                if m == 1:
                    row.scores[k] = INFINITY
                    low = isa.least(row.scores, stride)
                slack = 2 * margin + 2.5e-7 * row.sq_norm
                bound = distance(row.sq_norm + 2 * low - slack, 1 - 4e-16) - distance(row.sq_norm + 2 * least + slack, 1 + 4e-16)
                bound += drift[k]
                separation[i] = <float> (bound - min(fabs(bound), 1e30) * 1.2e-7)
            if k != labels[i]:
                if labels[i] >= 0:
                    changed[labels[i]] = 1
                changed[k] = 1
                labels[i] = <int> k
                n_moved += 1
            i = after
    return n_moved, n_recomputed, n_seen
