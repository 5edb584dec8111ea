"""Processes that call functions side by side, for work that Python's lock lets only one thread do at a time.

Each is this Python once more, with the same path for imports. Nothing of the caller's script is run in it, so a script needs no
guard for that. One that dies is begun anew, and what it was asked is asked again.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from threading import local

# Processes that may die, one after the other, of one call.
TRIES = 3
SERVE = "import sys; sys.path[:] = {path!r}; from ckmeans.blocks.crew import serve; serve()"
# Linear algebra takes no threads in a process that is one of several.
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Crew:
    """Processes for the calls in a with statement; of one alone, this process is it.

    Parameters
    ----------
    n_processes : int

    Examples
    --------
    >>> import math
    >>> with Crew(1) as crew:
    ...     [found for _, found in in_order(crew, math.isqrt, [(9,), (16,)])]
    [3, 4]
    """

    def __init__(self, n_processes):
        self.width = 2 * n_processes if n_processes > 1 else 1
        self._pool = ThreadPoolExecutor(n_processes, "ckmeans crew") if n_processes > 1 else None
        self._own, self._children, self._ended = local(), [], False

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._ended = True
        for child in self._children:
            child.kill()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for child in self._children:
            child.communicate()

    def submit(self, function, *args):
        """A future of function(*args); of the function only its name is sent, so it has to be a module's."""
        if self._pool is not None:
            return self._pool.submit(self._call, function, args)
        future = Future()
        future.set_result(function(*args))
        return future

    def _call(self, function, args):
        for _ in range(TRIES):
            child = self._child()
            try:
                pickle.dump((function, args), child.stdin, pickle.HIGHEST_PROTOCOL)
                child.stdin.flush()
                fine, found = pickle.load(child.stdout)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):  # it died
                child.kill()
                self._own.child = None
                if self._ended:
                    break
                continue
            if fine:
                return found
            raise found
        raise RuntimeError(
            f"{TRIES} processes died, one after the other, in {function.__name__}: was there too little memory? n_threads=1 takes none."
        )

    def _child(self):
        """The process of this thread."""
        if getattr(self._own, "child", None) is None:
            apart = {"start_new_session": True} if os.name == "posix" else {}  # Ctrl-C is for the caller
            self._own.child = subprocess.Popen(
                [sys.executable, "-c", SERVE.format(path=sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **ALONE},
                **apart,
            )
            self._children.append(self._own.child)
            if self._ended:  # while it began
                self._own.child.kill()
        return self._own.child


def serve():
    """Answer calls from the standard input until there are no more."""
    calls, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is no answer
    while True:
        try:
            function, args = pickle.load(calls)
        except EOFError:
            return
        try:
            found = True, function(*args)
        except Exception as error:
            found = False, error
        pickle.dump(found, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def in_order(crew, function, calls):
    """Yield (args, function(*args)) for each of some args, in their order; no more are taken ahead than keep all busy."""
    pending = deque()
    for args in calls:
        pending.append((args, crew.submit(function, *args)))
        if len(pending) >= crew.width:
            args, future = pending.popleft()
            yield args, future.result()
    while pending:
        args, future = pending.popleft()
        yield args, future.result()
