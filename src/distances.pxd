"""The squared distances of distances_table.h; the arguments are said in distances.h."""

from libc.stddef cimport ptrdiff_t

cdef extern from "distances_table.h" nogil:
    ctypedef void (*distances_function)(
        const double* x, ptrdiff_t n_features, const double* centers_t, ptrdiff_t n_clusters, double* out) noexcept nogil
    const distances_function DISTANCES[]
    enum: ABREAST
    int n_supported()
    const char* instruction_set_name(int set)
