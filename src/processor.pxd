"""Fetching ahead and counting bits, by processor.h."""

from libc.stdint cimport uint64_t

cdef extern from "processor.h" nogil:
    void prefetch(const void*)
    int lowest_bit(uint64_t)
