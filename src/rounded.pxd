"""Bounds rounded to the safe side, in single precision too."""

from libc.math cimport fabs, sqrt


cdef inline double below(double value) noexcept nogil:
    """A value that is no higher in single precision either."""
    return value - min(fabs(value), 1e30) * 1.2e-7


cdef inline double above(double value) noexcept nogil:
    """A value that is no lower in single precision either."""
    return value + min(fabs(value), 1e30) * 1.2e-7


cdef inline double distance(double sq, double share) noexcept nogil:
    return sqrt(sq if sq > 0 else 0.0) * share
