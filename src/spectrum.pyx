"""Eigenvalues of symmetric matrices, in slices and on the calling thread: to tridiagonal form and back (Householder).

LAPACK's way takes as long in one call, holds the interpreter, and starts BLAS threads that wait for each other on a busy machine.
"""

from libc.math cimport sqrt

cdef double LEAST = 1e-75             # what is less beside 1 is 0: its powers down to the fourth are numbers

cdef extern from "spectrum.h" nogil:
    double dot(const double* a, const double* b, Py_ssize_t n)
    void subtract(double* a, const double* b, double factor, Py_ssize_t n)
    double update(
        double* a, const double* v, const double* w, const double* x, double* p, double v_r, double w_r, double x_r,
        Py_ssize_t n)


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
            size = sqrt(dot(x, x, i))
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
                    p[r] += update(&A[r, 0], v, w, x, p, v[r], w[r], x[r], r)
                    A[r, r] -= 2 * v[r] * w[r]
                else:
                    p[r] += dot(&A[r, 0], x, r)
                    for c in range(r):
                        p[c] += x[r] * A[r, c]
                p[r] += A[r, r] * x[r]
            half = 0.5 * factor * factor * dot(p, x, i)
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
    with nogil:
        for m in range(start, stop):
            for i in range(1, n):
                subtract(&vectors[m, 0], &A[i, 0], factors[i] * dot(&A[i, 0], &vectors[m, 0], i), i)


def product(
    const double[:, ::1] vectors,     # IN  (m, n)
    double[:, ::1] total,             # OUT (n, n): vectors' vectors
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
):
    """The sum of the outer products of vectors with themselves."""
    cdef Py_ssize_t i, j, m, n = vectors.shape[1]
    with nogil:
        for i in range(start, stop):
            for j in range(i + 1):
                total[i, j] = 0
            for m in range(vectors.shape[0]):
                subtract(&total[i, 0], &vectors[m, 0], -vectors[m, i], i + 1)
            for j in range(i):
                total[j, i] = total[i, j]
