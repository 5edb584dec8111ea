"""Rows that their bytes leave open, where there are few centers: centers in 16 bits, and what tells two of them apart.

A row is x = q + e, a center c = p + r, with p known to 16 bits. Which of two centers is nearer depends on
(|b|^2 - |a|^2)/2 - x.(b - a), and this is known from the products q.p to |e| |b - a| + |q| (|r_a| + |r_b|): less than what
two scores are off by, each of which has |e| |c|, and a residual of a center in 8 bits.
"""

from libc.math cimport rint, sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int8_t, int32_t

ctypedef double (*sq_apart_function)(
    const void* row, int is_double, const double* center, ptrdiff_t n) noexcept nogil

cdef enum:
    PAIR_NUMBERS = 8                  # rows of `numbers` of ScreenedCenters before those of the distances

cdef struct center_pairs:             # of as many centers as are multiplied at once; n is 0 where there are more
    Py_ssize_t n
    int8_t* fine                      # (n, stride): the second bytes
    double* half                      # (n,): |c|^2/2
    double* unit                      # (n,): what the first bytes are multiples of ...
    double* fine_unit                 # (n,): ... and the second
    double* offset                    # (n,): what is taken off the products of the first bytes ...
    double* fine_offset               # (n,): ... and of the second
    double* first_residual            # (n,): bounds of |r| of the first bytes alone, ...
    double* residual                  # (n,): ... of both ...
    double* length                    # (n,): ... and of |c|
    double* apart                     # (n, n): bounds of the distances of the centers
    Py_ssize_t least_open             # rows of a panel, from which on it is worth while to multiply second bytes
    double rounding                   # far above what products and sums of the features lose, as a share of their sizes


cdef inline void make_pair_numbers(
    center_pairs* c, const double* centers, const double* origin, double scale, Py_ssize_t d, const int8_t* bytes,
    const float* unit, Py_ssize_t stride, int level, int offset, sq_apart_function sq_apart,
) noexcept nogil:
    """The second bytes of the centers, whose first ones are known, and all their numbers."""
    cdef Py_ssize_t a, b, f
    cdef double value, rest, first, left, norm, total, fine_total, inverse, fine
    c.rounding = 1e-15 * (d + 16)
    for a in range(c.n):
        c.unit[a], c.fine_unit[a] = unit[a], unit[a] / (2 * level)
        inverse = 1 / c.fine_unit[a] if unit[a] > 0 else 0
        first = left = norm = total = fine_total = 0
        for f in range(d):
            value = (centers[a * d + f] - origin[f]) * scale
            rest = value - c.unit[a] * bytes[a * stride + f]
            first += rest * rest
            fine = min(max(rint(rest * inverse), -<double> level), <double> level)
            rest -= fine * c.fine_unit[a]
            c.fine[a * stride + f] = <int8_t> <int> fine
            left += rest * rest
            norm += value * value
            total += bytes[a * stride + f]
            fine_total += fine
        c.half[a], c.offset[a], c.fine_offset[a] = norm / 2, offset * total, offset * fine_total
        c.first_residual[a] = sqrt(first) * (1 + 1e-9) + c.rounding * sqrt(norm)
        c.residual[a], c.length[a] = sqrt(left) * (1 + 1e-9) + c.rounding * sqrt(norm), sqrt(norm) * (1 + 1e-9)
        for b in range(a):
            # Squares below the least number, of each feature, come to less than 1e-150 in all.
            value = (sqrt(sq_apart(centers + a * d, True, centers + b * d, d)) * (1 + 1e-9) + 1e-150) * scale
            c.apart[a * c.n + b] = c.apart[b * c.n + a] = value


cdef inline double pair_score(const center_pairs* c, Py_ssize_t k, int32_t product, double scale) noexcept nogil:
    """What the product of the first bytes with those of a row, multiples of `scale`, tells of the score |c|^2/2 - x.c."""
    return c.half[k] - scale * (c.unit[k] * (product - c.offset[k]))


cdef inline double fine_score(const center_pairs* c, Py_ssize_t k, int32_t product, double scale) noexcept nogil:
    """What the product of the second bytes takes off it."""
    return scale * (c.fine_unit[k] * (product - c.fine_offset[k]))


cdef inline double score_error(
    const center_pairs* c, Py_ssize_t k, double norm, double error, bint fine
) noexcept nogil:
    """A bound of what that is off by, with second bytes or without; `norm` and `error` are bounds of |q| and |e|."""
    cdef double residual = c.residual[k] if fine else c.first_residual[k]
    # 1e-36 is for the squared norm that bounds of distances are made of with it: squares below the least float may round up to that.
    return error * c.length[k] + norm * residual + c.rounding * (c.half[k] + norm * c.length[k]) + 1e-36


cdef inline double pair_error(
    const center_pairs* c, Py_ssize_t a, Py_ssize_t b, double norm, double error, bint fine
) noexcept nogil:
    """A bound of what the difference of two of them is off by."""
    cdef double residual = c.residual[a] + c.residual[b] if fine else c.first_residual[a] + c.first_residual[b]
    return (
        error * c.apart[a * c.n + b] + norm * residual
        + c.rounding * (c.half[a] + c.half[b] + norm * (c.length[a] + c.length[b])) + 1e-300
    )
