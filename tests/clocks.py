"""Time for the tests: it passes by looking at the clock, so that limits and interrupts come where they are meant to come."""

import signal
import sys
import threading
from math import ceil
from time import monotonic


def press():
    """What Ctrl-C does in the main thread: the handler of this moment is called, without a signal to the process."""
    signal.getsignal(signal.SIGINT)(signal.SIGINT, None)


class Clock:
    """In a with statement the clock of the package: each look at it, by any thread, is some seconds after the last one.

    At the look with the number `interrupt`, or at the next one of the main thread, there is Ctrl-C: what Python does then,
    which is to call the handler of that moment, without a signal to the process that runs the tests.
    """

    def __init__(self, seconds=1.0, interrupt=None):
        self.seconds, self.interrupt, self.looks = seconds, interrupt, 0

    def __enter__(self):
        self._start = ceil(monotonic())  # whole, so that differences are not rounded
        self._lock = threading.Lock()
        self._handler = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore SIGINT
        self._modules = [
            module
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] == "ckmeans" and hasattr(module, "monotonic")
        ]
        for module in self._modules:
            module.monotonic = self
        return self

    def __exit__(self, *exception):
        for module in self._modules:
            module.monotonic = monotonic
        signal.signal(signal.SIGINT, self._handler)

    def __call__(self):
        with self._lock:
            self.looks += 1
            now = self._start + self.looks * self.seconds
        if self.interrupt is not None and self.looks >= self.interrupt:
            if threading.current_thread() is threading.main_thread():
                self.interrupt = None
                press()
        return now
