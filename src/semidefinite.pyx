"""Cuts that every matrix Z of a partition satisfies (Peng & Wei 2007): found where they are violated, and projected to.

Z[i, j] is 1 / (weight of the cluster of i and j), and 0 for rows that are in different ones. Matrices here are scaled by the
roots r of the weights: A[i, j] = r[i] Z[i, j] r[j]. A cut is three rows i, j, h: Z[i, i] + Z[j, h] >= Z[i, j] + Z[i, h], or,
where j is h, Z[i, i] >= Z[i, j].
"""


def project(
    double[:, ::1] A,                 # INOUT (n, n), symmetric
    const double[::1] inverse,        # IN  (n,): 1 / r
    const int[:, ::1] cuts,           # IN  (n_cuts, 3): i, j, h with j <= h
    double[::1] multipliers,          # INOUT (n_cuts,), >= 0
    Py_ssize_t start,                 # IN  the cuts of the block
    Py_ssize_t stop,
):
    """One round over a block of cuts (Hildreth 1957): A goes to the nearest matrix that satisfies the next cut.

    A less the sum of multipliers times cuts stays what it is.
    """
    cdef Py_ssize_t c, i, j, h
    cdef double ii, jh, ij, ih, left, step
    with nogil:
        for c in range(start, stop):
            i, j, h = cuts[c, 0], cuts[c, 1], cuts[c, 2]
            ii, ij = inverse[i] * inverse[i], inverse[i] * inverse[j]
            if j == h:
                left = A[i, i] * ii - A[i, j] * ij
                step = -left / (ii * ii + 0.5 * ij * ij)
                if step < -multipliers[c]:
                    step = -multipliers[c]
                if step != 0:
                    multipliers[c] += step
                    A[i, i] += step * ii
                    A[i, j] -= 0.5 * step * ij
                    A[j, i] = A[i, j]
                continue
            jh, ih = inverse[j] * inverse[h], inverse[i] * inverse[h]
            left = A[i, i] * ii + A[j, h] * jh - A[i, j] * ij - A[i, h] * ih
            step = -left / (ii * ii + 0.5 * (jh * jh + ij * ij + ih * ih))
            if step < -multipliers[c]:
                step = -multipliers[c]
            if step != 0:
                multipliers[c] += step
                A[i, i] += step * ii
                A[j, h] += 0.5 * step * jh
                A[h, j] = A[j, h]
                A[i, j] -= 0.5 * step * ij
                A[j, i] = A[i, j]
                A[i, h] -= 0.5 * step * ih
                A[h, i] = A[i, h]


def combine(
    const double[::1] inverse,        # IN  (n,): 1 / r
    const int[:, ::1] cuts,           # IN  (n_cuts, 3)
    const double[::1] multipliers,    # IN  (n_cuts,)
    double[:, ::1] total,             # INOUT (n, n), symmetric
):
    """Add the sum of multipliers times cuts, as symmetric matrices."""
    cdef Py_ssize_t c, i, j, h
    cdef double a
    with nogil:
        for c in range(cuts.shape[0]):
            i, j, h = cuts[c, 0], cuts[c, 1], cuts[c, 2]
            a = multipliers[c]
            total[i, i] += a * inverse[i] * inverse[i]
            a *= 0.5
            total[i, j] -= a * inverse[i] * inverse[j]
            total[j, i] = total[i, j]
            if j != h:
                total[i, h] -= a * inverse[i] * inverse[h]
                total[h, i] = total[i, h]
                total[j, h] += a * inverse[j] * inverse[h]
                total[h, j] = total[j, h]


def separate(
    const double[:, ::1] Z,           # IN  (n, n), symmetric, not scaled by the weights
    Py_ssize_t start,                 # IN  the rows i of the block
    Py_ssize_t stop,
    double[:, ::1] violations,        # OUT (n, n): for i and j that of the cut that Z violates most, -1 for i == j
    int[:, ::1] partners,             # OUT (n, n): the h >= j of this cut
):
    """Of the cuts with the same i and j the one that is violated most: many others hardly differ from it."""
    cdef Py_ssize_t i, j, h, n = Z.shape[0], best
    cdef double most, violation
    with nogil:
        for i in range(start, stop):
            for j in range(n):
                most = 0  # of the pair cut: j in place of h takes away Z[i, j] - Z[i, j]
                best = j
                for h in range(j + 1, n):
                    violation = Z[i, h] - Z[j, h]
                    if violation > most and h != i:
                        most = violation
                        best = h
                violations[i, j] = most + Z[i, j] - Z[i, i] if i != j else -1
                partners[i, j] = <int> best


def nonnegative(
    double[:, ::1] A,                 # INOUT (n, n)
    double[:, ::1] below,             # INOUT (n, n): what was added to entries the last time
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
):
    """A - below goes to the nearest matrix without negative entries off the diagonal; `below` becomes what that adds."""
    cdef Py_ssize_t i, j, n = A.shape[0]
    cdef double value
    with nogil:
        for i in range(start, stop):
            value = A[i, i] - below[i, i]
            for j in range(n):
                A[i, j] -= below[i, j]
                below[i, j] = -A[i, j] if A[i, j] < 0 else 0
                A[i, j] = A[i, j] if A[i, j] > 0 else 0
            A[i, i] = value
            below[i, i] = 0


def add_up(
    const double[:, ::1] start,       # IN  (n, n)
    const double[:, ::1] new,         # IN  (n, n)
    const double[:, ::1] projection,  # IN  (n, n)
    const double[:, ::1] near,        # IN  (n, n)
    double[:, ::1] dual,              # INOUT (n, n): start - new is added
    double[:, ::1] squares,           # OUT (n, 2): of each row those of projection - new, and of new - near
):
    """What a step changes, in one pass."""
    cdef Py_ssize_t i, j, n = new.shape[0]
    cdef double apart, moved, a, b
    with nogil:
        for i in range(n):
            apart = moved = 0
            for j in range(n):
                dual[i, j] += start[i, j] - new[i, j]
                a = projection[i, j] - new[i, j]
                b = new[i, j] - near[i, j]
                apart += a * a
                moved += b * b
            squares[i, 0] = apart
            squares[i, 1] = moved
