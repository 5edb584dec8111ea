"""Runs nogil kernels over blocks on a few threads, so that Ctrl-C and time limits act between blocks."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from time import monotonic


class Expired(Exception):
    """The time is up; the blocks not yet begun were left out."""


def available_cpus():
    """Number of processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


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
        Threads to use; None for as many as there are processors.
    seconds : float or None
        Time from now after which `run` raises `Expired`.
    """

    def __init__(self, n_threads=None, seconds=None):
        self.n_threads = available_cpus() if n_threads is None else n_threads
        self.deadline = float("inf") if seconds is None else monotonic() + seconds
        self._pool = None

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

        def drain():
            while queue:
                self.check_time()
                try:
                    block = queue.popleft()
                except IndexError:  # another thread took the last one
                    return
                kernel(*block)

        n_helpers = min(self.n_threads, len(queue)) - 1
        if n_helpers < 1:
            return drain()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_threads - 1, thread_name_prefix="ckmeans")
        helpers = [self._pool.submit(drain) for _ in range(n_helpers)]
        try:
            drain()
        finally:
            if queue:  # interrupted, expired or failed: begin nothing more
                queue.clear()
            wait(helpers)
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
