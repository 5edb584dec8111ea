"""Floating point as IEEE 754 has it by default, whatever mode another library has left the caller's thread in."""

from functools import cached_property, wraps
from types import FunctionType

from ._kernels import arithmetic as kernels


def usual(thing):
    """A function that rounds to nearest and has subnormal numbers, and leaves the modes as it found them; of a class, what is public of it.

    Libraries that were compiled with -ffast-math, or set the modes themselves, leave threads that round otherwise, or take
    numbers below 2.2e-308 for 0: exact sums of floats are wrong then, and so are bounds. The threads that a call starts
    begin with its modes, or with the usual ones.

    Examples
    --------
    >>> @usual
    ... def third():
    ...     return 1 / 3
    >>> third()
    0.3333333333333333
    """
    if isinstance(thing, type):
        for name, member in list(vars(thing).items()):
            if name[0] == "_" and name not in ("__call__", "__add__"):
                continue
            if isinstance(member, FunctionType):
                setattr(thing, name, usual(member))
            elif isinstance(member, property):
                setattr(thing, name, property(usual(member.fget), member.fset, member.fdel))
            elif isinstance(member, cached_property):
                member.func = usual(member.func)
        return thing

    @wraps(thing)
    def function(*args, **kwargs):
        before = kernels.begin()
        try:
            return thing(*args, **kwargs)
        finally:
            kernels.end(before)

    return function
