"""Two clusters in the plane: a line that turns about each row tells all the ways to part the rows in two.

The best two clusters lie on either side of a line, and there are no more than n (n - 1) ways for a line to part n rows: O(n^2
log n) steps look at all of them. That none was missed follows from this argument, which is not a proof that `ckmeans.check`
reads: let D be the distance of the two best means, W the total weight, w the least one, R the greatest distance from the
mean, u = 2^-53.

1. No row gains by moving to the other cluster, so it is farther from the bisector of the means than w D / (8 W).
2. Move the bisector until it touches a cluster A, and roll it along A's hull by an angle of w D / (32 W R): the other rows stay
   on its other side. It touches at most n rows p meanwhile, so one of them for an angle of 1 / n of that; where that is above
   twice the error of an angle, 4 u, sorting the computed angles about p passes by A without p.
3. Every set that is passed by has its value computed from sums, with a bound on the error; those as good as the best within
   that error are compared exactly.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .._kernels import sweep as kernels
from ..rationals import ExactRows
from ..workers import Expired, Workers, split

U = 2.0**-53  # the largest relative error of one operation
# This many angles are in a block of work: some ms.
BLOCK = 20_000
# This many different partitions at most are compared exactly; where more are as good, the search is not complete.
MOST = 1024


@dataclass(frozen=True, eq=False)
class SweepResult:
    """The best two clusters that a turning line passes by.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,), int32
    cost : Fraction
        What they cost, exactly.
    complete : bool
        Whether no two clusters cost less, by the argument above; False where the search was stopped, and where rows are so
        far off, or weights so unequal, that doubles do not tell.
    stop_reason : {"complete", "time_limit", "interrupted", "rounding"}
    """

    labels: NDArray[np.int32]
    cost: Fraction
    complete: bool
    stop_reason: str


def best_halves(X, sample_weight=None, *, time_limit=None, n_threads=None):
    """The best two clusters of rows in the plane. Arguments are taken as checked.

    Parameters
    ----------
    X : ndarray of shape (n_rows, 2), float64
        Different rows, at least two.
    sample_weight : ndarray of shape (n_rows,) or None
        Positive.
    time_limit : float or None
        Seconds.

    Returns
    -------
    SweepResult
        The same for every number of threads, but for a time limit; on Ctrl-C, which is not raised again, the best so far.

    References
    ----------
    Inaba, Katoh & Imai (1994), "Applications of weighted Voronoi diagrams and randomization to variance-based k-clustering",
    SoCG, 332-339, doi:10.1145/177424.178042.

    Examples
    --------
    >>> found = best_halves(np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 1.0], [4.0, 0.0]]))
    >>> found.cost, found.complete, (found.labels == found.labels[0]).tolist()
    (Fraction(3, 2), True, [True, True, False, False])
    """
    sweep, reason = _Sweep(X, sample_weight), "complete"
    try:
        with Workers(n_threads, time_limit) as workers:
            workers.run(sweep.turn, split(len(X), max(1, BLOCK // len(X))))
    except Expired:
        reason = "time_limit"
    except KeyboardInterrupt:
        reason = "interrupted"
    return sweep.result(reason)


class _Sweep:
    def __init__(self, X, sample_weight):
        self.exact, n = ExactRows(X, sample_weight), len(X)
        self.weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
        self.weights = self.weights / self.weights.max()
        # Scaled so that no difference overflows: the relative error of each is at most U.
        self.X = np.ldexp(X, -1 - int(np.frexp(np.abs(X).max())[1]))
        self.total = float(self.weights.sum())
        self.columns = np.ascontiguousarray(self.X.T)
        y = self.X - (self.weights @ self.X) / self.total
        y -= (self.weights @ y) / self.total
        self.moments = np.ascontiguousarray(np.vstack([self.weights, self.weights * y.T]))
        self.max_norm, least = float(np.sqrt((y**2).sum(axis=1).max())), float(self.weights.min())
        # Sums of n terms are off by e = 2 n u W R at most, values |sum|^2 W / (W1 W2) by 8 R e, and e^2 for the least weight.
        error = 4 * n * U * self.total * self.max_norm
        self.margin = 8 * self.max_norm * error + 2 * error**2 / least
        self.least, self.n = least, n
        self.smallest = np.abs(self.X[self.X != 0]).min(initial=1.0)
        self.found = {}  # of each pivot: (values, numbers of the states, sides)

    def states(self, pivot, slopes, sides, values):
        """The order in which rows change sides of a line that turns about one; their first sides, and the values after each."""
        kernels.slopes(self.columns, pivot, slopes)
        order = np.argsort(slopes)
        kernels.turn(self.columns, self.moments, order, pivot, self.total, self.least, sides, values)
        return order

    def buffers(self):
        return np.empty(self.n), np.empty(self.n, np.int8), np.empty((2, self.n))

    def halves(self, order, left, pivot, side, state):
        """The rows on the same side as the first, after some changes."""
        halves = left.astype(bool)
        halves[order[order != pivot][:state]] ^= True
        halves[pivot] = side
        return halves ^ halves[0]

    def turn(self, start, stop):
        slopes, left, values = self.buffers()
        for pivot in range(start, stop):
            self.states(pivot, slopes, left, values)
            top = values.max()
            sides, at = np.nonzero(values >= top - 2 * self.margin)
            self.found[pivot] = top, sides[:MOST], at[:MOST], len(at) <= MOST

    def result(self, reason):
        found = dict(self.found)
        top = max((own[0] for own in found.values()), default=0.0)
        (slopes, left, values), labels, compared = self.buffers(), {}, True
        for pivot in sorted(found):
            own, sides, at, whole = found[pivot]
            if own < top - 2 * self.margin:
                continue
            compared &= whole
            order = self.states(pivot, slopes, left, values)
            for side, state in zip(sides.tolist(), at.tolist()):
                if values[side, state] >= top - 2 * self.margin:
                    halves = self.halves(order, left, pivot, side, state)
                    labels.setdefault(halves.tobytes(), halves)
                    compared &= len(labels) <= MOST
            if not compared:
                break
        every = [halves.astype(np.int32) for halves in list(labels.values())[:MOST]]
        every = every or [np.zeros(self.n, np.int32)]
        costs = [self.exact.cost(halves) for halves in every]
        best = min(range(len(costs)), key=costs.__getitem__)
        # D^2 W1 W2 / W is what the best halves explain, W1 W2 / W at most W / 4.
        apart = 2 * np.sqrt(max(0.0, top - self.margin) / self.total)
        tells = (
            self.least * apart > 512 * self.n * U * self.total * self.max_norm and self.smallest > 2.0**-900
        )
        if reason == "complete" and not (compared and tells):
            reason = "rounding"
        return SweepResult(every[best], costs[best], reason == "complete", reason)
