"""The gains of eights.h; the arguments are said in gains.h."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport uint64_t

cdef extern from "eights.h" nogil:
    ctypedef struct instruction_set:
        const char* name
        void (*of_float)(
            const float* X, ptrdiff_t n_features, const double* sample_weight, const double* closest,
            const ptrdiff_t* rows, ptrdiff_t n_rows, const double* opposites, double* sums) noexcept nogil
        void (*of_double)(
            const double* X, ptrdiff_t n_features, const double* sample_weight, const double* closest,
            const ptrdiff_t* rows, ptrdiff_t n_rows, const double* opposites, double* sums) noexcept nogil
    const instruction_set INSTRUCTION_SETS[]
    int n_supported()
    int lowest_bit(uint64_t)
    void prefetch(const void*)
