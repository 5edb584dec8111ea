"""Rows in panels labelled with their nearest centers, and the sums of the clusters, which follow."""

from cython cimport floating
from fixed cimport shift_rows
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.string cimport memcpy
from metric cimport nearest_center, sq_distances
from processor cimport lowest_bit, prefetch
from scores cimport error_bound, packing
from screen cimport fill
from tile cimport tile_kernels


cdef inline Py_ssize_t label_panels(
    const tile_kernels* isa, const floating[:, ::1] X, const packing[:, :, ::1] panels, const double[::1] max_norms,
    const double[::1] origin, double scale, const packing[:, :, ::1] tiles, double max_center_norm, const double[:, ::1] centers,
    const double[:, ::1] centers_t, Py_ssize_t start, Py_ssize_t stop, packing[::1] scores, double[::1] scratch,
    int[::1] labels, Py_ssize_t[::1] moved, int[::1] left, Py_ssize_t* n_close,
) noexcept nogil:
    """Label the rows of some panels, and list those that moved; returns their number. Arguments as in assign.

    n_close += rows decided by differences, and those of them whose differences are too close to tell either.
    """
    cdef bint wide = packing is double, doubtful = False, packed = panels.shape[0] > 0, safe
    cdef Py_ssize_t n_rows = isa.n_rows[wide], n_features = X.shape[1], n_clusters = centers.shape[0]
    cdef Py_ssize_t p, r, i, n, k, n_moved = 0
    cdef double norm, margin
    cdef packing* first = &scores[0]
    cdef packing* second = first + n_rows
    cdef const packing* panel
    cdef int32_t nearest[64]
    cdef int32_t tail[64]
    cdef const int32_t* before
    cdef uint64_t needs_relabel
    for p in range(start, stop):
        if packed:
            panel = &panels[p, 0, 0]
            norm = max_norms[p]
        else:
            panel = second + n_rows
            norm = fill(isa, X, origin, scale, p * n_rows, second + n_rows)
        n = min(n_rows, X.shape[0] - p * n_rows)
        before = <const int32_t*> &labels[p * n_rows]
        if n < n_rows:
            memcpy(tail, before, n * sizeof(int32_t))
            before = tail
        margin = error_bound(norm, max_center_norm, n_features, wide)
        safe = max_center_norm * (max_center_norm + norm) < (1e300 if wide else 1e36)  # no score overflows
        needs_relabel = ~(<uint64_t> 0)
        if safe:
            needs_relabel = isa.panel[wide](
                panel, n_features, &tiles[0, 0, 0], tiles.shape[0], first, second, nearest, before, margin
            )
        needs_relabel &= (~(<uint64_t> 0)) >> (64 - n)
        while needs_relabel:
            r = lowest_bit(needs_relabel)
            needs_relabel &= needs_relabel - 1
            i = p * n_rows + r
            k = nearest[r]
            if not safe or second[r] - first[r] <= margin:
                n_close[0] += 1
                sq_distances(&X[i, 0], &centers_t[0, 0], n_features, n_clusters, &scratch[0])
                k = nearest_center(
                    &X[i, 0], &centers[0, 0], n_features, n_clusters, &scratch[0], &doubtful
                )
                n_close[1] += doubtful
            if k != labels[i]:
                prefetch(&X[i, 0])
                moved[n_moved] = i
                left[n_moved] = labels[i]
                labels[i] = <int> k
                n_moved += 1
    return n_moved


cdef inline void update_sums(
    const tile_kernels* isa, const floating[:, ::1] X, const double[::1] sample_weight, const int[::1] labels,
    const Py_ssize_t[::1] moved, const int[::1] left, Py_ssize_t n_moved, const double[::1] units, long long[:, :, ::1] sums,
) noexcept nogil:
    """The sums follow the rows that moved."""
    if sample_weight.shape[0] > 0:
        shift_rows(X, sample_weight, labels, moved, left, n_moved, units, sums)
    elif n_moved:
        isa.shift[floating is double](
            &X[0, 0], X.shape[1], <const int32_t*> &labels[0], <const ptrdiff_t*> &moved[0], <const int32_t*> &left[0],
            n_moved, &units[0], <int64_t*> &sums[0, 0, 0],
        )


cdef inline Py_ssize_t relabel(
    const tile_kernels* isa, const floating[:, ::1] X, const double[::1] sample_weight,
    const packing[:, :, ::1] panels, const double[::1] max_norms, const double[::1] origin, double scale, const packing[:, :, ::1] tiles,
    double max_center_norm, const double[:, ::1] centers, const double[:, ::1] centers_t, Py_ssize_t start, Py_ssize_t stop,
    packing[::1] scores, double[::1] scratch, int[::1] labels, Py_ssize_t[::1] moved, int[::1] left,
    const double[::1] units, long long[:, :, ::1] sums, Py_ssize_t* n_close,
) noexcept nogil:
    """Label the rows of some panels, as many panels at a time as `moved` has room for; returns how many rows moved."""
    cdef Py_ssize_t p = start, n, n_moved = 0, step = moved.shape[0] // isa.n_rows[packing is double]
    while p < stop:
        n = label_panels(
            isa, X, panels, max_norms, origin, scale, tiles, max_center_norm, centers, centers_t, p, min(p + step, stop), scores,
            scratch, labels, moved, left, n_close,
        )
        if sums.shape[0] > 0:
            update_sums(isa, X, sample_weight, labels, moved, left, n, units, sums)
        n_moved += n
        p += step
    return n_moved
