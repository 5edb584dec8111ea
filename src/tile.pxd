"""The panel kernels of tile_table.h."""

from cython cimport floating
from libc.math cimport sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t, uint64_t
from shared cimport packed_centers

cdef extern from "tile_table.h" nogil:
    ctypedef uint64_t (*panel_function)(
        const void* x, ptrdiff_t n_features, const void* tiles, ptrdiff_t n_tiles,
        void* first, void* second, int32_t* nearest, const int32_t* labels, double margin) noexcept nogil
    ctypedef void (*group_function)(
        const void* rows, ptrdiff_t stride, const int32_t* list, ptrdiff_t n, ptrdiff_t n_features, const void* tile,
        void* first, void* second, int32_t* nearest) noexcept nogil
    ctypedef double (*fetch_function)(
        const void* row, int other, const void* origin, double scale, ptrdiff_t n_features, ptrdiff_t stride, void* out,
        const void* center, double half_norm, double* norm) noexcept nogil
    ctypedef double (*need_function)(
        const void* bounds, const void* drift, ptrdiff_t n, double near, unsigned char* needed) noexcept nogil
    ctypedef double (*least_function)(const void* bounds, const void* drift, ptrdiff_t n) noexcept nogil
    ctypedef double (*pack_function)(
        const void* x, ptrdiff_t n_features, const double* origin, double scale, void* panel) noexcept nogil
    ctypedef void (*column_extremes_function)(
        const void* x, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t n_values, ptrdiff_t n_features,
        double* total, double* low, double* high) noexcept nogil
    ctypedef void (*shift_function)(
        const void* X, ptrdiff_t n_features, const int32_t* labels, const ptrdiff_t* moved, const int32_t* old_labels,
        ptrdiff_t n_moved, const double* units, int64_t* sums) noexcept nogil
    ctypedef uint64_t (*below_function)(const void* scores, const void* thresholds) noexcept nogil
    ctypedef struct tile_kernels:
        int n_rows[2]
        int n_tile
        panel_function panel[2]
        group_function group[2]
        fetch_function fetch[2]
        need_function need[2]
        least_function least[2]
        pack_function pack[2]
        pack_function convert[2]
        column_extremes_function column_extremes[2]
        shift_function shift[2]
        below_function below[2]
    const tile_kernels TILE_KERNELS[]
    enum: GROUP, BLOCK
    int n_supported()
    const char* instruction_set_name(int set)


cdef inline Py_ssize_t n_sums(Py_ssize_t n_features) noexcept nogil:
    """Most sums that a product goes through in a score of tile.h: those of its block of features, and of the blocks."""
    cdef Py_ssize_t n_blocks = (n_features + BLOCK - 1) // BLOCK
    return n_features if n_blocks == 1 else (n_features + n_blocks - 1) // n_blocks + n_blocks


cdef inline void fill_tiles(packed_centers* c, floating* tiles) noexcept nogil:
    """Pack the centers into their tiles, c.tiles, and transpose them."""
    cdef Py_ssize_t k, f, n_tile = c.n_tile, n_features = c.n_features
    cdef floating value
    cdef floating* tile
    cdef double norm, largest = 0
    for k in range(c.n_tiles * n_tile):
        norm = 0
        tile = tiles + k // n_tile * n_tile * (1 + n_features) + k % n_tile
        for f in range(n_features):
            value = 0
            if k < c.n_clusters:
                value = <floating> ((c.centers[k * n_features + f] - c.origin[f]) * c.scale)
                c.centers_t[f * c.n_clusters + k] = c.centers[k * n_features + f]
            tile[(1 + f) * n_tile] = value
            norm += <double> value * value
        tile[0] = <floating> (norm / 2 if k < c.n_clusters else INFINITY)
        largest = max(largest, norm)
    c.max_norm = sqrt(largest)


cdef extern from "math.h" nogil:
    double INFINITY
