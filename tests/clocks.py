"""Time for the tests: it passes by looking at the clock, so that limits and interrupts come where they are meant to come."""

import sys
import threading
from time import monotonic


class Clock:
    """The clock of all modules of the package: each look at it, from any thread, is some seconds after the last one.

    At the look with the number `interrupt`, or the next one that the main thread takes, there is Ctrl-C.
    """

    def __init__(self, monkeypatch, seconds=1.0, interrupt=None):
        self.seconds, self.interrupt, self.looks = seconds, interrupt, 0
        self._start, self._lock = monotonic(), threading.Lock()
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "ckmeans" and hasattr(module, "monotonic"):
                monkeypatch.setattr(module, "monotonic", self)

    def __call__(self):
        with self._lock:
            self.looks += 1
            now = self._start + self.looks * self.seconds
        if self.interrupt is not None and self.looks >= self.interrupt:
            if threading.current_thread() is threading.main_thread():
                self.interrupt = None
                raise KeyboardInterrupt
        return now
