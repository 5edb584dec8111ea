"""The labels of the rows while they change, with the sums that the means of the clusters come from."""

from collections import deque
from typing import NamedTuple

import numpy as np

from .._kernels import panels
from .distance_bounds import Choice

MOVED = 2048  # rows that move before the sums follow: a few panels, which are still in a cache


class _Scratch(NamedTuple):
    """What one thread needs for a block; `sums` holds what that thread has added up so far."""

    scores: np.ndarray
    distances: np.ndarray
    moved: np.ndarray
    left: np.ndarray
    sums: np.ndarray


class Partition:
    """Labels of all rows, and the sums of the rows of each cluster, which follow as labels change."""

    def __init__(self, rows, n_clusters, summed=True, labels=None):
        self.rows, self.n_clusters, self.summed = rows, n_clusters, summed
        self.labels = np.full(rows.n_samples, -1, np.int32) if labels is None else labels
        self.choice = Choice(rows, n_clusters)
        self.idle = deque()
        # What the threads have added up, each for itself, and the number of those that have a part in it.
        self.sums = np.zeros((rows.workers.n_threads, n_clusters * summed, rows.n_features + 1, 2), np.int64)
        self._unused = list(range(rows.workers.n_threads))[::-1]

    def scratch(self):
        """Buffers that no other thread uses now."""
        d, dtype = self.rows.n_features, self.rows.panel_dtype
        try:
            found = self.idle.popleft()
            if found.scores.dtype == dtype:
                return found
            return found._replace(scores=np.empty((2 + d) * self.rows.panel_rows, dtype))
        except IndexError:
            return _Scratch(
                np.empty((2 + d) * self.rows.panel_rows, dtype),
                np.empty(self.n_clusters),
                np.empty(MOVED, np.intp),
                np.empty(MOVED, np.int32),
                self.sums[self._unused.pop()],
            )

    def parts(self):
        """The sums of the threads that have one."""
        return self.sums[: max(1, len(self.sums) - len(self._unused))]

    def _total(self):
        parts = self.parts()
        return parts[0] if len(parts) == 1 else parts.sum(axis=0)

    def copy(self):
        """A partition that goes its own way from here."""
        other = Partition(self.rows, self.n_clusters)
        other.labels[:] = self.labels
        other.sums[0] = self._total()
        return other

    def inertia(self, centers):
        """The inertia with the means of the clusters as centers, to a rounding of the scatter; costs next to nothing."""
        means, masses = self.means(centers)
        return self.rows.scatter - masses @ ((means - self.rows.origin) ** 2).sum(axis=1)

    def means(self, centers):
        """The means of the clusters (a center without weight stays) and their masses."""
        if self.rows.fixed_point_loses_digits:
            return self.rows.update(self.labels, centers)[:2]
        centers, masses = centers.copy(), np.empty(len(centers))
        panels.means(self._total(), self.rows._units, centers, masses)
        return centers, masses
