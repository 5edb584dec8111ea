"""Runs nogil kernels over blocks on a few threads, so that Ctrl-C and time limits act between blocks."""

import math
import mmap
import os
import sys
from collections import deque
from contextlib import contextmanager
from functools import cache, cached_property, partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, RLock, Thread, get_ident
from time import monotonic
from weakref import ref

from .interrupts import Held

BUFFERS = 64 << 20  # bytes of address space: more than the buffers that OpenBLAS asks for
FORGOTTEN = 5.0  # seconds without a job, after which a helper ends if its Workers are gone

# The threads of this process that run kernels now, by their idents: an entry is made and taken out by the thread itself.
_running = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)


class Expired(Exception):
    """The time is up; the blocks not yet begun were left out."""


def available_cpus():
    """Number of processors this process may use.

    Counted are those it may run on, no more than its control group pays for and than OMP_NUM_THREADS allows: joblib and
    Dask set that in their workers, so that all of them together keep to the machine. A process that `multiprocessing` has
    started, for itself, for `concurrent.futures` or for joblib's backend of that name, is one of several, and nobody tells
    it of how many: without OMP_NUM_THREADS it has one.
    """
    try:
        n_cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        n_cpus = os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    most = int(asked) if asked.isdecimal() and int(asked) else 1 if _is_one_of_several() else math.inf
    return max(1, min(n_cpus, _quota(), most))


def _is_one_of_several():
    """Whether `multiprocessing` has started this process."""
    processes = sys.modules.get("multiprocessing.process")  # it is loaded in all that it starts
    return processes is not None and processes.parent_process() is not None


@cache
def _quota(folder="/sys/fs/cgroup"):
    """Processors that the control group pays for, rounded up; infinity without a limit."""
    for names in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        try:
            quota, period = " ".join(Path(folder, name).read_text() for name in names).split()
            return math.ceil(int(quota) / int(period)) if int(quota) > 0 else math.inf
        except (OSError, ValueError):  # there is no such file, or it says "max"
            continue
    return math.inf


def check_room():
    """Raise MemoryError where linear algebra has no room: OpenBLAS, without memory for its buffers, ends the process or hangs."""
    try:
        mmap.mmap(-1, BUFFERS).close()
    except (OSError, ValueError):
        raise MemoryError(f"no {BUFFERS >> 20} MB of address space are left for linear algebra") from None


def available_memory():
    """Bytes of memory that are free; infinite where the system does not tell."""
    try:
        with open("/proc/meminfo") as lines:
            return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):  # not Linux
        return float("inf")


def split(n, size):
    """The ranges (start, stop) that cut n items into runs of `size`, the last one shorter."""
    return [(start, min(start + size, n)) for start in range(0, n, size)]


class Workers:
    """Threads for one call, which counts the calling thread as one of them.

    No thread is started before there are two blocks to run; where the system has no room for another one, the
    present ones do the work. The kernels are expected to take at most some 20 ms a block: that is how late Ctrl-C and the time
    limit are noticed. When `run` has returned, or raised, no thread is in a kernel any more.

    Parameters
    ----------
    n_threads : int or None
        Threads to use; None for as many as there are processors, less the threads that run kernels for other calls.
    seconds : float or None
        Time from now after which `run` raises `Expired`.
    """

    def __init__(self, n_threads=None, seconds=None):
        self._asked = n_threads
        self.deadline = math.inf if seconds is None else monotonic() + seconds
        self._helpers, self._jobs, self._full = [], SimpleQueue(), False
        self._held = Held()

    @cached_property
    def n_threads(self):
        return available_cpus() if self._asked is None else self._asked

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if not self._helpers:
            return
        with Held() as held:
            held.begin()
            for _ in self._helpers:
                self._jobs.put(None)
            for helper in self._helpers:
                helper.join()

    def check_time(self):
        """Raise `Expired` when the time is up; on the main thread, let a Ctrl-C take effect that waits for that."""
        self._held.check()
        if monotonic() >= self.deadline:
            raise Expired

    @contextmanager
    def without_limit(self):
        """In a with statement no time is up: for what is needed however late it is."""
        deadline, self.deadline = self.deadline, math.inf
        try:
            yield
        finally:
            self.deadline = deadline

    def run(self, kernel, blocks):
        """Call kernel(*block) once for each block, in any order, and return when all are done."""
        queue = deque(blocks)
        try:
            _running[get_ident()] = True
            n_helpers = min(self.n_threads, len(queue)) - 1
            if self._asked is None:
                n_helpers = min(n_helpers, self.n_threads - len(_running))
            if n_helpers > 0:
                self._share(kernel, queue, n_helpers)
            else:
                self._drain(kernel, queue)
        finally:
            _running.pop(get_ident(), None)

    def _drain(self, kernel, queue, helps=False):
        """Run blocks until none is left, or as a helper until other calls need the processor."""
        while queue and not (helps and self._asked is None and len(_running) > self.n_threads):
            self.check_time()
            try:
                block = queue.popleft()
            except IndexError:  # another thread took the last one
                return
            kernel(*block)

    def _share(self, kernel, queue, n_helpers):
        """Empty the queue on this thread and some others. Ctrl-C acts between blocks, so that none is left behind.

        A helper has its lock while it runs blocks. Who waits for it takes the lock, which takes a job from a helper that has
        not begun, and may be done again where the handler of some other signal raises.
        """
        with Held() as self._held:
            self._held.begin()
            n_helpers, deadline = self._grow(n_helpers), self.deadline
            errors, locks = [None] * n_helpers, [RLock() for _ in range(n_helpers)]
            # In a list that is emptied: the job of a helper that never began must not keep the kernel's arrays alive.
            drain = [partial(self._drain, kernel, queue, helps=True)]
            failure, ended = None, False
            while not ended:
                try:
                    if failure is None:
                        for n, lock in enumerate(locks):
                            self._jobs.put((drain, errors, n, lock))
                        self._drain(kernel, queue)
                    else:
                        self.deadline = -math.inf  # for kernels that look at it
                        queue.clear()
                    for lock in locks:
                        lock.acquire()
                    ended = True
                except BaseException as error:  # interrupted, expired or failed: once more, but begin nothing
                    failure = error
            self.deadline = deadline
            drain.clear()
            try:
                for error in (failure, *errors):
                    if error is not None:
                        raise error
            finally:
                error = errors = failure = None  # or they and their tracebacks would keep each other alive

    def _grow(self, n_helpers):
        """Start helpers up to this number, or as many as there is room for; returns their number."""
        while len(self._helpers) < n_helpers and not self._full:
            helper = Thread(
                target=_help, args=(self._jobs, ref(self)), name=f"ckmeans-{len(self._helpers)}", daemon=True
            )
            try:
                helper.start()
                self._helpers.append(helper)
            except (RuntimeError, MemoryError):  # no room for its stack
                self._full = True
        return min(n_helpers, len(self._helpers))

    def fold(self, kernel, blocks, total):
        """Add up what kernel(*block) returns, lists of numbers and arrays, in the order of the blocks; returns the total.

        Each is added as soon as those before it are, so that few are kept.
        """
        order, waiting, lock = iter(range(len(blocks))), {}, Lock()
        turn = [next(order)]

        def part(n, *block):
            result = kernel(*block)
            with lock:
                waiting[n] = result
                while turn[0] in waiting:
                    for i, value in enumerate(waiting.pop(turn[0])):
                        total[i] += value
                    turn[0] = next(order, None)

        self.run(part, [(n, *block) for n, block in enumerate(blocks)])
        return total


def _help(jobs, owner):
    """What a helping thread does: drain the queues it is given, until it is sent away, or nobody is left to send it away."""
    while True:
        try:
            job = jobs.get(timeout=FORGOTTEN)
        except Empty:
            if owner() is None:
                return
            continue
        if job is None:
            return
        drain, errors, n, lock = job
        if lock.acquire(blocking=False):
            try:
                _running[get_ident()] = True
                drain[0]()
            except BaseException as error:
                errors[n] = error
            finally:
                _running.pop(get_ident(), None)
                lock.release()
        del job, drain, errors, lock  # or they would live on until the next one
