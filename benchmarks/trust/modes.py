"""Modes: another library has left the thread of the caller, or a thread that it calls from, in another floating-point mode."""

import ctypes
import platform
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ckmeans import KMeans, SphericalKMeans, certify, summarize

from .numbers import ENTRIES, blobs
from .rows import given_or_refused, row

# MXCSR stands in glibc's fenv_t at this place; these are modes of it.
PLACE, USUAL = 28, 0x1F80
MODES = {"down": 0x2000, "up": 0x4000, "to zero": 0x6000, "no subnormal numbers": 0x8040}


def switched(mode, call):
    """What a call gives in a mode, or its error, and whether the mode is the same after it."""
    libm, modes = ctypes.CDLL("libm.so.6"), ctypes.create_string_buffer(64)

    def put(value):
        libm.fegetenv(modes)
        before = int.from_bytes(modes[PLACE : PLACE + 4], "little")
        modes[PLACE : PLACE + 4] = value.to_bytes(4, "little")
        libm.fesetenv(modes)
        return before

    put(USUAL | mode)
    try:
        found = given_or_refused(call, (Exception,))
    finally:
        after = put(USUAL)
    return found, after & ~0x3F == USUAL | mode


def bits(model):
    """Of whatever there is in a model."""
    kept = [(name, np.asarray(value).tobytes()) for name, value in vars(model).items() if name[-1] == "_"]
    return sorted(kept)


PROOFS = {
    "a fit on two threads": lambda X: bits(
        KMeans(3, n_init=1, random_state=0, n_threads=2).fit(np.tile(X, (2000, 1)))
    ),
    "distances": lambda X: KMeans(3, random_state=0).fit(X).transform(X).tobytes(),
    "cosine": lambda X: bits(SphericalKMeans(3, random_state=0).fit(X)),
    "a proof": lambda X: certify(X, n_clusters=3, random_state=0).text(),
    "a summary": lambda X: [part.tobytes() for part in summarize([X[:20], X[20:]], 8).cells],
}


def said(call, X):
    found = call(X)
    return found.tolist() if isinstance(found, np.ndarray) else found


@row(
    "rounding or flush to zero switched by another library: the same bits and proofs, the mode as it was",
    20,
    1,
)
def another_mode(tally, rng, n):
    if platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc":
        return
    with ThreadPoolExecutor(1) as pool:
        for at in range(n):
            X = blobs(rng, 40, 3, 3) * 2.0 ** (-1060, 0, -990)[at % 3]
            for name, call in {**ENTRIES, **PROOFS}.items():
                right = given_or_refused(lambda call=call, X=X: said(call, X), (Exception,))
                for mode, value in MODES.items():
                    arguments = value, lambda call=call, X=X: said(call, X)
                    own = pool.submit(switched, *arguments).result() if at % 2 else switched(*arguments)
                    wrong = repr(own[0]) != repr(right) or not own[1]
                    tally.add(wrong, None, f"{name}, {mode}: {repr(own[0])[:60]}")
