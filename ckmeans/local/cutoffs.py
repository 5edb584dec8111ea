"""Which runs of Lloyd's iteration are worth going on with; the others are given up early."""

import numpy as np
from scipy.spatial.distance import cdist

from ..workers import split

# Updates of the centers after which a swap is compared with the clustering it came from. More would be spent on swaps that fail,
# fewer would give up some that do not.
EARLY = 3
# Share of the inertia: a swap is on its way back if moving its centers to those before it would cost less than this.
NEAR = 1e-3
# Coordinate differences of centers that are computed at a time: some 5 ms on a virtual machine, in which Ctrl-C waits.
WORK = 1 << 24
# Looks whether centers are at rest, in each doubling of the updates; each takes no more than the means of the clusters.
LOOKS = 8


class Rest:
    """Gives up no run, but looks now and then whether its centers still move.

    Attributes
    ----------
    moving : int
        Updates at the last look at which an update moved them by more than `tolerance`, sum of squares.
    """

    def __init__(self, tolerance):
        self.tolerance, self.next_check, self.moving = tolerance, 1, 0

    def is_lost(self, partition, centers, n_iter):
        if ((partition.means(centers)[0] - centers) ** 2).sum() <= self.tolerance:
            self.next_check = np.inf
        else:
            self.moving, self.next_check = n_iter, n_iter + 1 + n_iter // LOOKS
        return False


class SwapCutoff:
    """Gives up a run that starts from a swap of centers and will hardly get below the clustering it came from.

    Parameters
    ----------
    inertia : float
    centers : ndarray of shape (n_clusters, n_features), float64
        Of the clustering it came from.
    reach : float
        Share of the inertia by which it may be above after EARLY updates.
    repeated : bool
        Whether to check again after twice, four, ... times as many updates. The run is given up if it would not get below
        the clustering it came from by gaining as much again as since the last check, or if it is on its way back there.
    """

    def __init__(self, inertia, centers, reach, repeated):
        self.inertia, self.centers, self.repeated = inertia, centers, repeated
        self.next_check, self.last, self.allowed = EARLY, None, inertia * (1 + reach)

    def is_lost(self, partition, centers, n_iter):
        """Whether to give up the run, which is here after n_iter updates, `next_check` or more."""
        inertia = (
            partition.inertia(centers)
            if self.repeated
            else partition.rows.update(partition.labels, centers)[2]  # as the kernels for small data have it
        )
        expected = inertia if self.last is None else inertia - (self.last - inertia)
        lost = expected > self.allowed
        self.last, self.allowed = inertia, self.inertia
        self.next_check = 2 * n_iter if self.repeated else np.inf
        return lost or (self.repeated and inertia >= self.inertia and self._returns(partition, centers))

    def _returns(self, partition, centers):
        """Whether each center is near one of those before the swap, another one for each."""
        old, nearest = np.empty(len(centers), np.intp), np.empty(len(centers))
        for start, stop in split(len(centers), max(1, WORK // centers.size)):
            partition.rows.workers.check_time()
            distances = cdist(centers[start:stop], self.centers, "sqeuclidean")
            old[start:stop], nearest[start:stop] = distances.argmin(axis=1), distances.min(axis=1)
        masses = partition.means(centers)[1]
        near = masses @ nearest <= NEAR * self.inertia
        return near and len(np.unique(old)) == len(old)
