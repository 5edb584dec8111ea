"""A line that turns about one row: the slopes of the others, and what the rows on either side explain after each change."""


def slopes(
    const double[:, ::1] columns,     # IN  (2, n)
    Py_ssize_t pivot,
    double[::1] found,                # OUT (n,): in [-inf, inf], infinite straight up; the pivot's is below all
):
    """The direction in which each row is seen from one of them."""
    cdef Py_ssize_t i, n = columns.shape[1]
    cdef double across, up, x = columns[0, pivot], y = columns[1, pivot]
    cdef double infinite = 1e308 * 10
    with nogil:
        for i in range(n):
            across = columns[0, i] - x
            up = columns[1, i] - y
            found[i] = up / across if across != 0 else infinite
        found[pivot] = -infinite


def turn(
    const double[:, ::1] columns,     # IN  (2, n)
    const double[:, ::1] moments,     # IN  (3, n): weight, weight times row (around the mean)
    const Py_ssize_t[::1] order,      # IN  (n,): by slopes; the pivot may be anywhere
    Py_ssize_t pivot,
    double total,                     # IN  sum of the weights
    double least,                     # IN  least weight
    signed char[::1] sides,           # OUT (n,): 1 for rows on the left of the line as it starts, else 0; the pivot 0
    double[:, ::1] values,            # OUT (2, n): |sum|^2 total / (W1 W2) after each change, the pivot right and left
):
    """Turn the line from straight down to straight up: rows change sides in the order of their slopes."""
    cdef Py_ssize_t i, s, at = 0, n = columns.shape[1]
    cdef double x = columns[0, pivot], y = columns[1, pivot], across, sign, mass = 0, a = 0, b = 0, p, q, r, both
    cdef double bound = least * (total - least) / 2
    with nogil:
        for i in range(n):
            across = columns[0, i] - x
            sides[i] = across > 0 or (across == 0 and columns[1, i] > y)
            if sides[i]:
                mass += moments[0, i]
                a += moments[1, i]
                b += moments[2, i]
        for s in range(n + 1):
            if s > 0:
                i = order[s - 1]
                if i == pivot:
                    continue
                sign = -1 if sides[i] else 1
                mass += sign * moments[0, i]
                a += sign * moments[1, i]
                b += sign * moments[2, i]
            both = mass * (total - mass)
            values[0, at] = (a * a + b * b) * total / both if both > bound else 0
            p = mass + moments[0, pivot]
            q = a + moments[1, pivot]
            r = b + moments[2, pivot]
            both = p * (total - p)
            values[1, at] = (q * q + r * r) * total / both if both > bound else 0
            at += 1
