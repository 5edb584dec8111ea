"""Allocations that fail, one or all of those after it, in every call: MemoryError or a result, and the next call is right."""

import faulthandler
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from ckmeans import check

from .rows import row

# The allocator of the process, whose n-th allocation of LEAST bytes or more fails, once or with all after it.
LEAST = 64
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
static long at = -1, most, count;
static size_t least;
void fail_at(long n, long times, size_t size) { count = 0; most = times; least = size; at = n; }
long allocations(void) { long n = count; at = -1; return n; }
static int fails(size_t size)
{
    if (__atomic_load_n(&at, __ATOMIC_RELAXED) < 0 || size < least) return 0;
    long n = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
    return n >= at && n < at + most ? (errno = ENOMEM, 1) : 0;
}
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
void *malloc(size_t n) { return fails(n) ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return fails(n * m) ? NULL : __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return fails(n) ? NULL : __libc_realloc(p, n); }
void *aligned_alloc(size_t a, size_t n) { return fails(n) ? NULL : __libc_memalign(a, n); }
void *memalign(size_t a, size_t n) { return fails(n) ? NULL : __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n) { return fails(n) || !(*p = __libc_memalign(a, n)) ? ENOMEM : 0; }
"""
# What a call may do then. NO_WORD is what the interpreter says where NumPy (`array ** 2`) or itself (`inspect.getattr_static`) does
# not say that it had no memory; and `np.errstate` ends the process (SECURITY.md).
NO_WORD, IN_NUMPY = "SystemError: error return without exception set", "ended by -11 in NumPy"
FINE = "returned", "MemoryError", "_ArrayMemoryError", NO_WORD, IN_NUMPY
# What the child does that has this allocator: each try in a fork of its own, for a crash ends no more than one.
CHILD = """
import ctypes, json, os, random, sys, threading, warnings
import numpy as np
from benchmarks.trust.allocations import CALLS, tries
warnings.simplefilter("ignore")
name, n, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
tries(ctypes.CDLL(None), CALLS[name], n, random.Random(seed))
"""


def of_a_summary(X):
    """The bits of a summary, of clusters of it, and of a proof about them."""
    from ckmeans import KMeans, certify, summarize

    summary = summarize([X[:12, :1]], 12)
    model = KMeans(2, random_state=0).fit(summary)
    found = certify(summary, model, time_limit=None)
    return [own.tobytes() for own in (summary.cells.weights, model.cluster_centers_)], found.text()


def _calls():
    from . import modes, numbers

    bits = {f"{name} (bits)": call for name, call in modes.PROOFS.items()}
    return {**numbers.ENTRIES, **bits, "summaries": of_a_summary}


CALLS = _calls()


def tries(shim, call, n, draw):
    """Print what becomes of a call in which an allocation fails, n times."""
    import numpy as np

    from .numbers import blobs

    shim.fail_at.argtypes = [__import__("ctypes").c_long] * 2 + [__import__("ctypes").c_size_t]
    X = blobs(np.random.default_rng(0), 40, 3, 3)
    call(X)
    right = repr(call(X))
    shim.fail_at(1 << 40, 1, LEAST)
    call(X)
    size = shim.allocations()
    for _ in range(n):
        at, times = draw.randrange(size), draw.choice((1, 1, 3, 1 << 40))
        print(
            json.dumps([at, times if times < 99 else "all", *_one(shim, call, X, right, at, times)]),
            flush=True,
        )


def as_good(found, right):
    """Whether a result is the right one; or a proof of less, as another method had no memory, that the checker accepts."""
    proof = isinstance(found, str) and found.startswith("CKC")
    return repr(found) == right or proof and check.verdict(found.encode())[0] == check.PROVED


def _one(shim, call, X, right, at, times):
    """What a fork says of one try."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(60)
        faulthandler.enable(writer)
        said = "returned"
        shim.fail_at(at, times, LEAST)
        try:
            found = call(X)
        except BaseException as error:
            shim.allocations()
            said = type(error).__name__ + ("" if isinstance(error, MemoryError) else f": {error}"[:200])
            found = None
        shim.allocations()
        if found is not None and not as_good(found, right):
            said = "another result"
        if repr(call(X)) != right:
            said += ", and the next call is wrong"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == 0:
        return [said]
    innermost = next((line for line in said.splitlines() if line.startswith("  File ")), "")
    return [f"ended by {code}" + (" in NumPy" if "/numpy/_core/" in innermost else "")]


@row(
    "allocations of every call that fail, one or all from then on: MemoryError or the result, the next call right",
    200,
    5,
)
def allocations(tally, rng, n):
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        source, shim = Path(folder, "shim.c"), Path(folder, "shim.so")
        source.write_text(SHIM)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", source, "-o", shim], check=True)
        own = {**os.environ, "LD_PRELOAD": str(shim), "PYTHONMALLOC": "malloc", "OPENBLAS_NUM_THREADS": "1"}
        for name in CALLS:
            words = [sys.executable, "-c", CHILD, name, str(n), str(int(rng.integers(2**31)))]
            done = subprocess.run(words, env=own, capture_output=True, text=True)
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            for at, times, said in lines:
                fine = said in FINE
                tally.add(not fine, None, f"{name}, {times} from {at}: {said}")
            if len(lines) < n:
                tally.add(True, None, f"{name}: {done.stderr[-200:]}")
