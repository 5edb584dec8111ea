"""The Cholesky factor L of a matrix whose rows and columns come and go, with the solutions of L y = b for two right-hand sides.

A row that comes takes one substitution, one that goes a rotation for each row after it (Golub & Van Loan, Matrix Computations,
6.5.4): m**2 / 2 products, where a new factor takes m**3 / 3.
"""

from libc.math cimport sqrt


cdef inline double dot(const double* a, const double* b, Py_ssize_t m) noexcept nogil:
    """Four sums side by side."""
    cdef Py_ssize_t j = 0
    cdef double s0 = 0, s1 = 0, s2 = 0, s3 = 0
    while j + 4 <= m:
        s0 += a[j] * b[j]
        s1 += a[j + 1] * b[j + 1]
        s2 += a[j + 2] * b[j + 2]
        s3 += a[j + 3] * b[j + 3]
        j += 4
    while j < m:
        s0 += a[j] * b[j]
        j += 1
    return (s0 + s1) + (s2 + s3)


def append(
    double[:, ::1] L,                 # INOUT (most, most): the lower half of m rows
    Py_ssize_t m,
    const double[::1] row,            # IN  (m + 1,): of the matrix, with the new diagonal entry
    double least,                     # IN  no pivot is less, whatever rounding makes of it
    const double[::1] b,              # IN  (2,): the entries of the right-hand sides
    double[:, ::1] y,                 # INOUT (2, most): solutions
):
    """Add a row."""
    cdef Py_ssize_t j
    cdef double* own = &L[m, 0]
    cdef double pivot
    with nogil:
        for j in range(m):
            own[j] = (row[j] - dot(own, &L[j, 0], j)) / L[j, j]
        pivot = row[m] - dot(own, own, m)
        own[m] = sqrt(pivot if pivot > least else least)
        for j in range(2):
            y[j, m] = (b[j] - dot(own, &y[j, 0], m)) / own[m]


def drop(
    double[:, ::1] L,                 # INOUT (most, most): the lower half of m rows
    Py_ssize_t m,
    Py_ssize_t p,                     # IN  the row that goes
    double[:, ::1] y,                 # INOUT (2, most): solutions
    double[:, ::1] turns,             #     (2, most)
):
    """Take a row away: those after it move up, and rotations of two columns each make their half a triangle again."""
    cdef Py_ssize_t i, j
    cdef double a, b, c, s
    cdef double* old
    cdef double* new
    with nogil:
        for i in range(p, m - 1):
            old = &L[i + 1, 0]
            new = &L[i, 0]
            for j in range(p):
                new[j] = old[j]
            a = old[p]
            for j in range(p, i):
                b = old[j + 1]
                new[j] = turns[0, j] * a + turns[1, j] * b
                a = turns[0, j] * b - turns[1, j] * a
            b = old[i + 1]
            new[i] = sqrt(a * a + b * b)
            turns[0, i] = a / new[i]
            turns[1, i] = b / new[i]
        for i in range(2):
            a = y[i, p]
            for j in range(p, m - 1):
                b = y[i, j + 1]
                c = turns[0, j]
                s = turns[1, j]
                y[i, j] = c * a + s * b
                a = c * b - s * a


def forward(
    const double[:, ::1] L,           # IN  (most, most): the lower half of m rows
    Py_ssize_t m,
    double[::1] x,                    # INOUT (m,): the right-hand side, and then the solution
):
    """Solve L x = b."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(m):
            x[i] = (x[i] - dot(&L[i, 0], &x[0], i)) / L[i, i]


def backward(
    const double[:, ::1] L,           # IN  (most, most): the lower half of m rows
    Py_ssize_t m,
    double[::1] x,                    # INOUT (m,): the right-hand side, and then the solution
):
    """Solve L' x = b."""
    cdef Py_ssize_t i, j
    cdef double v
    with nogil:
        for i in range(m - 1, -1, -1):
            x[i] /= L[i, i]
            v = x[i]
            for j in range(i):
                x[j] -= v * L[i, j]


def combine(
    const double[:, ::1] M,           # IN  (n_rows, n)
    const Py_ssize_t[::1] rows,       # IN  (m,)
    const double[::1] by,             # IN  (m,)
    double[::1] total,                # OUT (n_columns,), n_columns <= n
):
    """The sum of some rows, each times a number."""
    cdef Py_ssize_t r, j
    cdef double v
    cdef const double* row
    with nogil:
        for j in range(total.shape[0]):
            total[j] = 0
        for r in range(rows.shape[0]):
            row = &M[rows[r], 0]
            v = by[r]
            for j in range(total.shape[0]):
                total[j] += v * row[j]
