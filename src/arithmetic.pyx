"""The modes of this thread's floating point: rounding, subnormal numbers, exceptions."""

from libc.stdint cimport uint64_t

cdef extern from "arithmetic.h" nogil:
    uint64_t get_modes()
    uint64_t usual_modes(uint64_t now)
    void set_modes(uint64_t modes)


def begin():
    """Round to nearest, with subnormal numbers and without exceptions, from now on; what there was before, for `end`."""
    cdef uint64_t before = get_modes(), usual = usual_modes(before)
    if before != usual:
        set_modes(usual)
    return before


def end(
    uint64_t before                   # IN  what `begin` returned
):
    """As it was before."""
    if get_modes() != before:
        set_modes(before)
