"""Runs nogil kernels over blocks on a few threads, so that Ctrl-C and time limits act between blocks."""

import math
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from time import monotonic

# One entry for each thread of this process that runs kernels now.
_running = deque()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_running.clear)


class Expired(Exception):
    """The time is up; the blocks not yet begun were left out."""


def available_cpus():
    """Number of processors this process may use.

    Counted are those it may run on, no more than its control group pays for and than OMP_NUM_THREADS allows: joblib and
    Dask set that in their workers, so that all of them together keep to the machine.
    """
    try:
        n_cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        n_cpus = os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(1, min(n_cpus, _quota(), int(asked) if asked.isdecimal() and int(asked) else math.inf))


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
    """A thread pool for one call, that counts the calling thread as one of its threads.

    No thread is started before there are two blocks to run. The kernels are expected to take at most some 20 ms
    a block: that is how late Ctrl-C and the time limit are noticed.

    Parameters
    ----------
    n_threads : int or None
        Threads to use; None for as many as there are processors, less those that run kernels for other calls.
    seconds : float or None
        Time from now after which `run` raises `Expired`.
    """

    def __init__(self, n_threads=None, seconds=None):
        self._asked = n_threads
        self.deadline = float("inf") if seconds is None else monotonic() + seconds
        self._pool = None

    @cached_property
    def n_threads(self):
        return available_cpus() if self._asked is None else self._asked

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._pool is not None:
            self._pool.shutdown()

    def check_time(self):
        """Raise `Expired` when the time is up."""
        if monotonic() >= self.deadline:
            raise Expired

    def run(self, kernel, blocks):
        """Call kernel(*block) once for each block, in any order, and return when all are done."""
        queue = deque(blocks)
        _running.append(None)
        try:
            n_helpers = min(self.n_threads, len(queue)) - 1
            if self._asked is None:
                n_helpers = min(n_helpers, self.n_threads - len(_running))
            if n_helpers > 0:
                self._share(kernel, queue, n_helpers)
            else:
                self._drain(kernel, queue)
        finally:
            _running.pop()

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
        """Empty the queue on this thread and some others."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads - 1, thread_name_prefix="ckmeans")

        def help_out():
            try:
                self._drain(kernel, queue, helps=True)
            finally:
                _running.pop()

        _running.extend([None] * n_helpers)
        helpers = [self._pool.submit(help_out) for _ in range(n_helpers)]
        try:
            self._drain(kernel, queue)
        except BaseException:  # interrupted, expired or failed: begin nothing more, and go on with nothing
            queue.clear()
            deadline, self.deadline = self.deadline, -math.inf
            wait(helpers)
            self.deadline = deadline
            raise
        for helper in helpers:
            helper.result()

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
