"""The loops over partitions of enumeration_table.h; what they compute is said in enumeration.h."""

from libc.stddef cimport ptrdiff_t

cdef extern from "enumeration_table.h" nogil:
    ctypedef struct enumeration_kernels:
        void (*fill)(
            const double* low_sums, const double* low_weights, ptrdiff_t n_low, ptrdiff_t n, const double* weights,
            const double* total, ptrdiff_t k, ptrdiff_t d, int reduced, double shift, double scale,
            double* columns, ptrdiff_t stride) noexcept nogil
        void (*raise_ "raise")(
            const double* columns, ptrdiff_t stride, ptrdiff_t m, const double* u, ptrdiff_t n_prefixes,
            ptrdiff_t count, ptrdiff_t n, double* top) noexcept nogil
        void (*weigh)(
            const double* columns, ptrdiff_t stride, ptrdiff_t m, const double* u, ptrdiff_t n_prefixes,
            ptrdiff_t n, double* values, double* sums) noexcept nogil
        double (*fold)(
            const double* values, const int* stems, const int* tails, ptrdiff_t n_stems, double* cells) noexcept nogil
        void (*deal)(
            const double* cells, ptrdiff_t n_cells, const signed char* labels, ptrdiff_t n_rows, ptrdiff_t k,
            double* sheets) noexcept nogil
    const enumeration_kernels ENUMERATION_KERNELS[]
    int n_supported()
    const char* instruction_set_name(int set)
