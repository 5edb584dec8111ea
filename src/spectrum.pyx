"""Eigenvalues of symmetric matrices, in slices and on the calling thread: to tridiagonal form and back (Householder).

LAPACK's way takes as long in one call, holds the interpreter, and starts BLAS threads that wait for each other on a busy machine.
"""

from libc.math cimport sqrt
from libc.stddef cimport ptrdiff_t

cdef double LEAST = 1e-75             # what is less beside 1 is 0: its powers down to the fourth are numbers

cdef extern from "spectrum_table.h" nogil:
    ctypedef struct spectrum_kernels:
        int tile_rows
        int tile_columns
        double (*dot)(const double* a, const double* b, ptrdiff_t n) noexcept nogil
        void (*subtract)(double* a, const double* b, double factor, ptrdiff_t n) noexcept nogil
        double (*update)(
            double* a, const double* v, const double* w, const double* x, double* p, double v_r, double w_r, double x_r,
            ptrdiff_t n) noexcept nogil
        void (*tile)(
            const double* a, ptrdiff_t row, ptrdiff_t column, const double* panel, ptrdiff_t n_terms, ptrdiff_t n_rows,
            double* out, ptrdiff_t stride, ptrdiff_t n_columns) noexcept nogil
    const spectrum_kernels SPECTRUM_KERNELS[]
    int n_supported()
    const char* instruction_set_name(int set)

include "chosen.pxi"


def reduce(
    double[:, ::1] A,                 # INOUT (n, n): the lower half of the matrix, of entries up to 1; below the diagonal of done rows their reflectors
    double[:, ::1] pending,           # INOUT (2, n): w of the step before, that A has not seen yet; and a buffer; zeros before
    double[::1] factors,              # OUT (n,): row i stands for the reflection 1 - factors[i] v v'
    double[::1] diagonal,             # OUT (n,)
    double[::1] off,                  # OUT (n - 1,)
    Py_ssize_t start,                 # IN  the rows of the block, downwards from n - 1 to 0
    Py_ssize_t stop,
):
    """Row by row from the last up: a reflection leaves nothing in the row but the entry beside the diagonal (Golub & Van Loan, 8.3.1).

    The change that a row makes to those above it is made when the next row's product goes over them anyway.
    """
    cdef Py_ssize_t i = start, r, c, n = A.shape[0]
    cdef double* v                    # the reflector of the row before
    cdef double* w = &pending[0, 0]
    cdef double* p = &pending[1, 0]
    cdef double* x
    cdef double size, factor, half
    cdef const spectrum_kernels* own = &SPECTRUM_KERNELS[chosen]
    with nogil:
        while i > stop:
            x = &A[i, 0]
            v = &A[i + 1, 0] if i + 1 < n else x
            if i + 1 < n:
                half = v[i]
                for c in range(i + 1):
                    x[c] -= half * w[c] + w[i] * v[c]
            diagonal[i] = x[i]
            if i == 0:
                i -= 1
                continue
            size = sqrt(own.dot(x, x, i))
            if size > LEAST:
                off[i - 1] = -size if x[i - 1] > 0 else size
                x[i - 1] -= off[i - 1]
                factor = 1 / (size * (x[i - 1] if x[i - 1] > 0 else -x[i - 1]))
            else:
                off[i - 1] = factor = 0
            factors[i] = factor
            for r in range(i):
                p[r] = 0
            for r in range(i):
                if i + 1 < n:
                    p[r] += own.update(&A[r, 0], v, w, x, p, v[r], w[r], x[r], r)
                    A[r, r] -= 2 * v[r] * w[r]
                else:
                    p[r] += own.dot(&A[r, 0], x, r)
                    for c in range(r):
                        p[c] += x[r] * A[r, c]
                p[r] += A[r, r] * x[r]
            half = 0.5 * factor * factor * own.dot(p, x, i)
            for r in range(i):
                w[r] = factor * p[r] - half * x[r]
            i -= 1


def reflect(
    const double[:, ::1] A,           # IN  (n, n): from `reduce`
    const double[::1] factors,        # IN  (n,)
    double[:, ::1] vectors,           # INOUT (m, n): of the tridiagonal matrix, then of the whole one
    Py_ssize_t start,                 # IN  the vectors of the block
    Py_ssize_t stop,
):
    """Vectors back, by the reflections in turn."""
    cdef Py_ssize_t i, m, n = A.shape[0]
    cdef const spectrum_kernels* own = &SPECTRUM_KERNELS[chosen]
    with nogil:
        for m in range(start, stop):
            for i in range(1, n):
                own.subtract(&vectors[m, 0], &A[i, 0], factors[i] * own.dot(&A[i, 0], &vectors[m, 0], i), i)


def panel_columns():
    """Columns of the right matrix that a product takes side by side."""
    return SPECTRUM_KERNELS[chosen].tile_columns


def multiply(
    const double[:, ::1] A,           # IN  (m, n)
    const double[:, ::1] B,           # IN  (n, p)
    double[:, ::1] out,               # OUT (m, p): A B
    double[::1] panel,                #     (n * panel_columns(),)
    Py_ssize_t start,                 # IN  the columns of the block: `start` is a multiple of panel_columns()
    Py_ssize_t stop,
):
    """A product, each entry summed up in the order of its terms."""
    cdef Py_ssize_t i, j = start, m = A.shape[0], n = A.shape[1], p = B.shape[1]
    cdef const spectrum_kernels* own = &SPECTRUM_KERNELS[chosen]
    with nogil:
        while j < stop:
            fill(B, j, own.tile_columns, panel)
            i = 0
            while i < m:
                own.tile(&A[i, 0], n, 1, &panel[0], n, min(m - i, own.tile_rows), &out[i, j], p, p - j)
                i += own.tile_rows
            j += own.tile_columns


def product(
    const double[:, ::1] vectors,     # IN  (m, n)
    double[:, ::1] total,             # OUT (n, n): vectors' vectors
    double[::1] panel,                #     (m * panel_columns(),)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
):
    """The sum of the outer products of vectors with themselves."""
    cdef Py_ssize_t i, j = 0, m = vectors.shape[0], n = vectors.shape[1]
    cdef const spectrum_kernels* own = &SPECTRUM_KERNELS[chosen]
    with nogil:
        while j < stop:
            fill(vectors, j, own.tile_columns, panel)
            i = max(start, j)  # rows above the panel have these entries from below the diagonal
            while i < stop:
                own.tile(&vectors[0, i], 1, n, &panel[0], m, min(stop - i, own.tile_rows), &total[i, j], n, stop - j)
                i += own.tile_rows
            j += own.tile_columns
        for i in range(start, stop):
            for j in range(i):
                total[j, i] = total[i, j]


cdef inline void fill(const double[:, ::1] B, Py_ssize_t j, Py_ssize_t width, double[::1] panel) noexcept nogil:
    """Columns of B from j on, zeros after the last one."""
    cdef Py_ssize_t b, c, some = min(width, B.shape[1] - j)
    for b in range(B.shape[0]):
        for c in range(some):
            panel[b * width + c] = B[b, j + c]
        for c in range(some, width):
            panel[b * width + c] = 0
