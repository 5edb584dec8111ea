"""Process: threads, forks, signals, memory, time, and the rest of the process left as it was."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ckmeans import KMeans, SphericalMixture, certify

from .. import latency
from .rows import row

# Seconds in which a forked child has to end.
FORKED = 30


def bits(model):
    centers = model.means_ if hasattr(model, "means_") else model.cluster_centers_
    return model.labels_.tobytes(), np.asarray(centers).tobytes(), model.n_iter_


@row("the same bits for 1 to 8 threads, again and again, in both types", 20, 1)
def threads(tally, rng, n):
    from sklearn import cluster
    from threadpoolctl import threadpool_limits

    for _ in range(n):
        for dtype in (float, np.float32):
            X = rng.normal(size=(10_000, 8)).astype(dtype)
            first = {}
            for n_threads in range(1, 9):
                makes = {
                    "KMeans": lambda t=n_threads: KMeans(16, n_init=1, n_threads=t, random_state=0),
                    "SphericalMixture": lambda t=n_threads: SphericalMixture(
                        4, n_init=1, max_iter=20, n_threads=t, random_state=0
                    ),
                }
                for name, make in makes.items():
                    found = bits(make().fit(X))
                    theirs = None
                    if name == "KMeans":
                        with threadpool_limits(n_threads):
                            own = bits(cluster.KMeans(16, n_init=1, random_state=0).fit(X))
                        theirs = first.setdefault("theirs", own) != own
                    wrong = first.setdefault(name, found) != found
                    tally.add(wrong, theirs, f"{name}, {n_threads} threads, {np.dtype(dtype)}")


@row("forks after a fit, and during that of another thread: none hangs", 100, 6)
def forks(tally, rng, n):
    X = rng.normal(size=(30_000, 8))
    KMeans(16, n_init=1, random_state=0).fit(X)
    with ThreadPoolExecutor(1) as pool:
        for at in range(n):
            other = pool.submit(lambda: KMeans(16, n_init=2, random_state=0).fit(X)) if at % 2 else None
            child = os.fork()
            if child == 0:
                fine = False
                try:
                    fine = KMeans(16, n_init=1, random_state=0).fit(X).inertia_ > 0
                finally:
                    os._exit(0 if fine else 1)
            tally.add(ended(child) != 0, None, "during another fit" if other else "after a fit")
            if other:
                other.result()


def ended(child):
    """The exit code of a child; None where it hangs, and is killed."""
    late = time.monotonic() + FORKED
    while time.monotonic() < late:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


@row("8 threads that fit at once: each has the bits of a fit alone", 100, 10)
def at_once(tally, rng, n):
    X = [rng.normal(size=(size, 6)) for size in (200, 3000, 20_000)]
    alone = [bits(KMeans(8, n_init=2, random_state=0).fit(own)) for own in X]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda at: bits(KMeans(8, n_init=2, random_state=0).fit(X[at % 3])), range(8 * n))
        for at, own in enumerate(found):
            tally.add(own != alone[at % 3], None, f"{len(X[at % 3])} rows")


def surroundings():
    """What a call has to leave as it was."""
    from threadpoolctl import threadpool_info

    names, position = np.random.get_state()[1:3]  # noqa: NPY002 what others use
    return {
        "threads of other libraries": [(own["prefix"], own["num_threads"]) for own in threadpool_info()],
        "environment": dict(os.environ),
        "signal handlers": [signal.getsignal(own) for own in (signal.SIGINT, signal.SIGTERM)],
        "errors of NumPy": np.geterr(),
        "random state": (names.tobytes(), position),
        "working directory": os.getcwd(),
        "subnormal numbers": float(np.float64(5e-324) * 1.0) > 0,
        "rounding": float(np.float64(1.0) / 3.0),
    }


@row("threads of BLAS, environment, signal handlers, random state and floating point are as before", 20, 3)
def left_alone(tally, rng, n):
    X = rng.normal(size=(5000, 6))
    calls = {
        "KMeans": lambda: KMeans(8, random_state=0).fit(X).predict(X),
        "SphericalMixture": lambda: SphericalMixture(4, max_iter=20, random_state=0).fit(X),
        "certify": lambda: certify(X[:150], n_clusters=4, time_limit=2, random_state=0),
        "in a thread": lambda: ThreadPoolExecutor(1).submit(KMeans(8, random_state=0).fit, X).result(),
    }
    for _ in range(n):
        for name, call in calls.items():
            before = surroundings()
            call()
            after = surroundings()
            changed = [what for what in before if before[what] != after[what]]
            tally.add(bool(changed), None, f"{name}: {', '.join(changed)}")


SCIKIT_LEARN = "from sklearn.cluster import KMeans as Theirs"
THEIRS = (50_000, f"{latency.BLOBS}; {SCIKIT_LEARN}", "Theirs(50, n_init=20, random_state=0).fit(X)")


def _counted(tally, found, theirs, what):
    """Seconds too late, or words that should not be."""
    wrong = [isinstance(own, str) or own > latency.INTERRUPT for own in found]
    other = [isinstance(own, str) or own > latency.INTERRUPT for own in theirs]
    for own, value in zip(wrong, found):
        tally.add(own, None, f"{what}: {value}")
    if other:
        tally.theirs = (tally.theirs or 0) + sum(other)


@row(f"Ctrl-C at random moments of every call: answered within {latency.INTERRUPT} s", 20, 1)
def interrupts(tally, rng, n):
    for name, entry in latency.CALLS.items():
        theirs = latency.interrupts(THEIRS, n, 1.0) if name == "KMeans" else ()
        _counted(tally, list(latency.interrupts(entry, n, 1.0)), list(theirs), name)


@row(f"time limits of 0, 0.5 and 2 s: overrun by no more than {latency.LIMIT} s", 4, 1)
def time_limits(tally, rng, n):
    for name, entry in latency.LIMITS.items():
        for limit in (0.0, 0.5, 2.0):
            for late in latency.limits(entry, limit, n, 1.0):
                tally.add(isinstance(late, str) or late > latency.LIMIT, None, f"{name}, {limit} s: {late}")


@row("so little address space that allocations fail: a result or MemoryError", len(latency.ROOM), 2)
def memory(tally, rng, n):
    # With more room most calls go on to their time limits: what is quick has little.
    rooms = latency.ROOM if n == len(latency.ROOM) else latency.ROOM[2 : 2 + n]
    for name, entry in latency.CALLS.items():
        for said in latency.memory(entry, rooms, 0.1):
            tally.add(said not in ("returned", "MemoryError"), None, f"{name}: {said}")
    theirs = list(latency.memory(THEIRS, rooms, 0.1))
    tally.theirs = sum(said not in ("returned", "MemoryError") for said in theirs)
