"""What holds in every public function: floating point as IEEE 754 has it by default, and MemoryError where memory is short."""

from functools import cached_property, wraps
from types import FunctionType

from ._kernels import arithmetic as kernels

# What Python says where NumPy's allocations fail in a ufunc, and it returns without an error.
SILENT = "returned NULL without setting an exception"


def usual(thing):
    """A function that rounds to nearest and has subnormal numbers, and leaves the modes as it found them; of a class, what is public of it.

    Libraries that were compiled with -ffast-math, or set the modes themselves, leave threads that round otherwise, or take
    numbers below 2.2e-308 for 0: exact sums of floats are wrong then, and so are bounds. The threads that a call starts
    begin with its modes, or with the usual ones. Where NumPy fails for want of memory, and does not say so, this does.

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
        except SystemError as error:
            if SILENT not in str(error):
                raise
            raise MemoryError(
                "NumPy has run out of memory: give it more, or fewer rows at a time."
            ) from error
        finally:
            kernels.end(before)

    return function
