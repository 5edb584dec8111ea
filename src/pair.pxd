"""Numbers of twice the precision of a double: the unevaluated sum of two (Dekker 1971; Hida, Li, Bailey 2001).

Each result is within 2**-102 of the exact one, relative to it; for sums of numbers of different sign too, since the parts
are added separately (Joldes, Muller, Popescu 2017, doi:10.1145/3121432, algorithms 6, 12 and 17).
"""

from metric cimport two_product

cdef struct Pair:
    double high
    double low


cdef inline Pair fast_sum(double a, double b) noexcept nogil:
    """a + b, exactly, for |a| >= |b| or a = 0."""
    cdef Pair total
    total.high = a + b
    total.low = b - (total.high - a)
    return total


cdef inline Pair two_sum(double a, double b) noexcept nogil:
    """a + b, exactly (Knuth)."""
    cdef Pair total
    cdef double part
    total.high = a + b
    part = total.high - a
    total.low = (a - (total.high - part)) + (b - part)
    return total


cdef inline Pair plus(Pair a, Pair b) noexcept nogil:
    cdef Pair high = two_sum(a.high, b.high), low = two_sum(a.low, b.low)
    high = fast_sum(high.high, high.low + low.high)
    return fast_sum(high.high, high.low + low.low)


cdef inline Pair minus(Pair a, Pair b) noexcept nogil:
    b.high = -b.high
    b.low = -b.low
    return plus(a, b)


cdef inline Pair square(Pair a) noexcept nogil:
    cdef double parts[2]
    two_product(a.high, a.high, parts)
    return fast_sum(parts[0], parts[1] + (2 * (a.high * a.low) + a.low * a.low))


cdef inline Pair quotient(Pair a, Pair b) noexcept nogil:
    cdef double parts[2]
    cdef double first = a.high / b.high, rest
    cdef Pair product, left
    two_product(first, b.high, parts)
    product = fast_sum(parts[0], parts[1] + first * b.low)
    left = minus(a, product)
    rest = (left.high + left.low) / b.high
    return fast_sum(first, rest)
