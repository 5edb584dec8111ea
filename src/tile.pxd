"""The panel kernels of simd.h."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t, uint64_t

cdef extern from "simd.h" nogil:
    ctypedef void (*panel_function)(
        const void* x, ptrdiff_t n_features, const void* tiles, ptrdiff_t n_tiles,
        void* first, void* second, int32_t* nearest) noexcept nogil
    ctypedef int (*stirs_function)(
        const void* first, const void* second, double margin, const int32_t* nearest, const int32_t* labels
    ) noexcept nogil
    ctypedef double (*pack_function)(
        const void* x, ptrdiff_t n_features, const double* origin, double scale, void* panel) noexcept nogil
    ctypedef void (*survey_function)(
        const void* x, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t n_values, ptrdiff_t n_features,
        double* total, double* low, double* high) noexcept nogil
    ctypedef void (*shift_function)(
        const void* X, ptrdiff_t n_features, const int32_t* labels, const ptrdiff_t* moved, const int32_t* left,
        ptrdiff_t n_moved, const double* units, int64_t* sums) noexcept nogil
    ctypedef uint64_t (*below_function)(const void* scores, const void* thresholds) noexcept nogil
    ctypedef struct instruction_set:
        const char* name
        int n_rows[2]
        int n_tile
        panel_function panel[2]
        stirs_function stirs[2]
        pack_function pack[2]
        survey_function survey[2]
        shift_function shift[2]
        below_function below[2]
    const instruction_set INSTRUCTION_SETS[]
    int N_INSTRUCTION_SETS
    int n_supported()
