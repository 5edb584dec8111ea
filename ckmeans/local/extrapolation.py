"""Longer steps for Lloyd's iteration where the centers creep: a fixed point in fewer passes over the rows."""

import numpy as np

# Updates between two looks at the centers. Of 2, 4 and 8, noise (3e5 x 4, k=5) took 130, 148 and 205 updates, 392 without steps.
SPAN = 2
# Updates before the first look: runs of some 30 updates, as of 2e4 x 128 and k=100, took a third longer with steps from the start.
FIRST = 16
# Most ways like the last one that a step goes on by; noise near its fixed point, where ways halve in hundreds of updates, takes that.
FARTHEST = 30.0


class Extrapolation:
    """Steps along the way of the centers, to where a geometric series of such ways would end (Aitken's delta-squared).

    Near a fixed point each way is about a constant share of the one before. A step is taken back if the inertia of the rows, each
    with its nearest center, is not less after it: so the iteration still goes down only, and ends at a fixed point of Lloyd's.

    Parameters
    ----------
    first : int
        Updates before the first look.

    Attributes
    ----------
    next_look : int
        Updates after which the next one is a call of `step`.
    stepped : bool
        Whether the centers are those of a step that is not judged yet, and not the means of their rows.

    References
    ----------
    Aitken (1926), "On Bernoulli's numerical solution of algebraic equations", Proc. R. Soc. Edinburgh 46:289-305.
    """

    def __init__(self, first=FIRST):
        self.stepped, self.next_look = False, first
        self._points, self._back, self._inertia = [], None, np.inf

    def restart(self, n_iter):
        """Forget the way so far, after n_iter updates."""
        self._points, self.next_look = [], n_iter + SPAN

    def step(self, n_iter, means, inertia):
        """The centers of update n_iter, in place of the means, which make this inertia."""
        self._points.append(means)
        self.next_look = n_iter - 1 + SPAN
        if len(self._points) < 3:
            return means
        first, second = np.diff(self._points, axis=0)
        ratio = np.vdot(first, second) / max(np.vdot(first, first), np.finfo(float).tiny)
        if not 0 < ratio < 1:
            del self._points[0]
            return means
        self.stepped, self._back, self._inertia = True, means, inertia
        return means + min(ratio / (1 - ratio), FARTHEST) * second

    def judge(self, n_iter, inertia):
        """Once rows have gone to the nearest of the new centers: None if the step was good, or the centers to go back to."""
        self.stepped = False
        self.restart(n_iter)
        return None if inertia < self._inertia else self._back
