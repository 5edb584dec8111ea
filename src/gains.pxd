"""The gains of gains_table.h; the arguments are said in gains.h."""

from libc.stddef cimport ptrdiff_t

cdef extern from "gains_table.h" nogil:
    ctypedef struct gains_kernels:
        void (*of_float)(
            const float* X, ptrdiff_t n_features, const double* sample_weight, const double* closest,
            const ptrdiff_t* rows, ptrdiff_t n_rows, const double* opposites, double* sums) noexcept nogil
        void (*of_double)(
            const double* X, ptrdiff_t n_features, const double* sample_weight, const double* closest,
            const ptrdiff_t* rows, ptrdiff_t n_rows, const double* opposites, double* sums) noexcept nogil
    const gains_kernels GAINS_KERNELS[]
