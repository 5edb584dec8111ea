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
from shared cimport packed_centers, thread_buffers
from tile cimport n_sums, tile_kernels


cdef inline void label_panels(
    const tile_kernels* isa, const floating[:, ::1] X, const packing[:, :, ::1] panels, const float[::1] max_norms,
    const packed_centers* c, Py_ssize_t start, Py_ssize_t stop, int[::1] labels, thread_buffers* b,
) noexcept nogil:
    """Label the rows of some panels, and list the rows that moved. Arguments as in assign."""
    cdef bint wide = packing is double, doubtful = False, packed = panels.shape[0] > 0, safe
    cdef Py_ssize_t n_rows = isa.n_rows[wide], n_features = X.shape[1], p, r, i, n, k, n_listed = b.n_listed
    cdef double norm, margin, max_norm = c.max_norm
    cdef const void* tiles = c.tiles
    cdef Py_ssize_t n_tiles = c.n_tiles
    cdef packing* first = <packing*> b.scores
    cdef packing* second = first + n_rows
    cdef const packing* panel
    cdef Py_ssize_t* moved = b.moved
    cdef int* old_labels = b.old_labels
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
            norm = fill(isa, X, c.origin, c.scale, p * n_rows, second + n_rows)
        n = min(n_rows, X.shape[0] - p * n_rows)
        before = <const int32_t*> &labels[p * n_rows]
        if n < n_rows:
            memcpy(tail, before, n * sizeof(int32_t))
            before = tail
        margin = error_bound(norm, max_norm, n_sums(n_features), wide)
        safe = max_norm * (max_norm + norm) < (1e300 if wide else 1e36)  # no score overflows
        needs_relabel = ~(<uint64_t> 0)
        if safe:
            needs_relabel = isa.panel[wide](
                panel, n_features, tiles, n_tiles, first, second, nearest, before, margin
            )
        needs_relabel &= (~(<uint64_t> 0)) >> (64 - n)
        while needs_relabel:
            r = lowest_bit(needs_relabel)
            needs_relabel &= needs_relabel - 1
            i = p * n_rows + r
            k = nearest[r]
            if not safe or second[r] - first[r] <= margin:
                b.n_recomputed += 1
                sq_distances(&X[i, 0], c.centers_t, n_features, c.n_clusters, b.distances)
                k = nearest_center(&X[i, 0], c.centers, n_features, c.n_clusters, b.distances, &doubtful)
                b.n_exact += doubtful
            if k != labels[i]:
                prefetch(&X[i, 0])
                moved[n_listed] = i
                old_labels[n_listed] = labels[i]
                labels[i] = <int> k
                n_listed += 1
    b.n_listed = n_listed


cdef inline void update_sums(
    const tile_kernels* isa, const floating[:, ::1] X, const double[::1] sample_weight, const int[::1] labels,
    thread_buffers* b,
) noexcept nogil:
    """Bring the sums up to date with the rows that are listed as moved; the list is empty then."""
    if b.sums == NULL or b.n_listed == 0:
        pass
    elif sample_weight.shape[0] > 0:
        shift_rows(X, sample_weight, labels, b)
    else:
        isa.shift[floating is double](
            &X[0, 0], X.shape[1], <const int32_t*> &labels[0], <const ptrdiff_t*> b.moved, <const int32_t*> b.old_labels,
            b.n_listed, b.units, <int64_t*> b.sums,
        )
    b.n_moved += b.n_listed
    b.n_listed = 0


cdef inline void relabel(
    const tile_kernels* isa, const floating[:, ::1] X, const double[::1] sample_weight,
    const packing[:, :, ::1] panels, const float[::1] max_norms, const packed_centers* c, Py_ssize_t start,
    Py_ssize_t stop, int[::1] labels, thread_buffers* b,
) noexcept nogil:
    """Label the rows of some panels, as many panels at a time as moved rows can be listed of; the sums follow."""
    cdef Py_ssize_t p = start, step = b.room // isa.n_rows[packing is double]
    while p < stop:
        label_panels(isa, X, panels, max_norms, c, p, min(p + step, stop), labels, b)
        update_sums(isa, X, sample_weight, labels, b)
        p += step
