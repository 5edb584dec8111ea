"""exp for loops that the compiler vectorises: no branch, no table, no call."""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy


cdef inline double exponential(double x) noexcept nogil:
    """exp(x) for -708 <= x <= 709, relative error below 1e-15.

    x = m log 2 + r with |r| <= 0.3466; exp(r) by its Taylor polynomial of degree 12 (remainder below 2e-16), 2^m put
    together from its bits (Muller, Elementary Functions, 3rd ed., 2016, section 11.1: range reduction by Cody and
    Waite, whose first constant has 32 trailing zeros, so that its product with m is exact). Clamp x in a loop of its own: a
    comparison with a constant in here splits the caller's loop, and it is no longer vectorised.
    """
    cdef:
        double t, m, r, s, p, q, power
        uint64_t bits
    t = x * 1.4426950408889634 + 6755399441055744.0   # 1.5 * 2^52: the last bits of the sum hold m
    m = t - 6755399441055744.0
    r = (x - m * 6.93147180369123816490e-01) - m * 1.90821492927058770002e-10
    s = r * r   # even and odd powers apart: two short chains instead of a long one
    p = 1.0 / 479001600
    p = p * s + 1.0 / 3628800
    p = p * s + 1.0 / 40320
    p = p * s + 1.0 / 720
    p = p * s + 1.0 / 24
    p = p * s + 0.5
    q = 1.0 / 39916800
    q = q * s + 1.0 / 362880
    q = q * s + 1.0 / 5040
    q = q * s + 1.0 / 120
    q = q * s + 1.0 / 6
    p = (p + q * r) * s + r + 1.0
    memcpy(&bits, &t, 8)
    bits = (bits << 52) + (<uint64_t> 1023 << 52)
    memcpy(&power, &bits, 8)
    return p * power
