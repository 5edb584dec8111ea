"""The loops of few_table.h."""

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t

cdef extern from "few_table.h" nogil:
    ctypedef struct few_kernels:
        ptrdiff_t n_rows[2]
        ptrdiff_t (*label[2])(
            const void* panels, ptrdiff_t n_panels, ptrdiff_t d, const void* centers, ptrdiff_t k, double margin,
            void* scores, int32_t* nearest, const int32_t* labels, int32_t* to_relabel) noexcept nogil
        ptrdiff_t (*exchange_candidates[2])(
            const void* scores, const double* norms, ptrdiff_t n_panels, double factor, double slack, double norm_error,
            int32_t* rows) noexcept nogil
        void (*lower)(
            const double* columns, ptrdiff_t stride, ptrdiff_t d, ptrdiff_t row, const double* closest, double* out
        ) noexcept nogil
    const few_kernels FEW_KERNELS[]
    void add_up(const double* values, const double* weights, ptrdiff_t n, double* run) noexcept nogil
    void add_gains(
        const double* closest, const double* lowered, const double* weights, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t m,
        double* gains) noexcept nogil
    void shift(
        const long long* pairs, ptrdiff_t width, const int32_t* moved, const int32_t* old_labels, ptrdiff_t n_moved,
        const int32_t* labels, long long* sums) noexcept nogil
