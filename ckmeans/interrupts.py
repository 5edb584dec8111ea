"""Ctrl-C at moments of one's own choosing: held back where half of the work would be worse than a little more of it."""

# The plain functions: those of the module signal make enums, which takes 5 us each time.
from _signal import SIGINT, getsignal, signal
from threading import current_thread, main_thread
from time import monotonic

SIGNAL = SIGINT  # what interrupts; the command has another one where a shell has it ignore Ctrl-C
INSISTS = 1.0  # seconds without an answer to Ctrl-C, after which another Ctrl-C takes effect at once


class Held:
    """From `begin` to the end of the with statement Ctrl-C is noted only; what it would have done is done then, or by `check`.

    Python runs signal handlers in the main thread alone: elsewhere there is nothing to hold, and this does nothing. Nor does
    it inside another one that has begun: that one decides.

    Examples
    --------
    >>> with Held() as held:
    ...     held.begin()
    ...     labels, centers = [0, 1], [[0.5], [2.5]]  # never one without the other
    """

    def __init__(self):
        self._handler = None  # what stands back
        self._since = None  # when Ctrl-C was noted first

    def begin(self):
        """Hold Ctrl-C back from now on."""
        if self._handler is not None or current_thread() is not main_thread():
            return
        handler = getsignal(SIGNAL)
        if not callable(handler) or isinstance(getattr(handler, "__self__", None), Held):
            return  # there is no Python code to wait for, or it waits already
        try:
            signal(SIGNAL, self._note)
        except ValueError:  # this is not the main interpreter
            return
        self._handler = handler

    @property
    def noted(self):
        """Whether there is a Ctrl-C that is held back."""
        return self._since is not None

    def check(self):
        """Let a Ctrl-C that was noted take effect. In any other thread but the main one nothing happens."""
        if self._since is not None and current_thread() is main_thread():
            self._since = None
            self._handler(SIGNAL, None)

    def _note(self, number, frame):
        if self._since is None:
            self._since = monotonic()
        elif monotonic() >= self._since + INSISTS:
            self.end()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.end()

    def end(self):
        """Hold Ctrl-C back no longer, and let one that was noted take effect."""
        if self._handler is not None:
            handler, self._handler = self._handler, None
            signal(SIGNAL, handler)
            if self._since is not None:
                self._since = None
                handler(SIGNAL, None)
