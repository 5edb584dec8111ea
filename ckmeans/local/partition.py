"""The labels of the rows while they change, with the sums that the means of the clusters come from."""

from collections import deque

import numpy as np

from .._kernels import panels as kernels
from .distance_bounds import BoundsPolicy

# Rows that are listed as moved before the sums follow: those of a few panels, which are still in a cache then.
MOVED = 2048


class Partition:
    """Labels of all rows, and the sums of the rows of each cluster, which follow as labels change."""

    def __init__(self, rows, n_clusters, summed=True, labels=None):
        self.rows, self.n_clusters, self.summed = rows, n_clusters, summed
        self.labels = np.full(rows.n_samples, -1, np.int32) if labels is None else labels
        self.policy = BoundsPolicy(rows, n_clusters)
        self.idle = deque()
        # The sums of each thread, and the indices of the sums that no thread uses yet.
        self.sums = np.zeros((rows.workers.n_threads, n_clusters * summed, rows.n_features + 1, 2), np.int64)
        self._unused = list(range(rows.workers.n_threads))[::-1]

    def scratch(self):
        """Buffers that no other thread uses now, with the sums of what was added up by those who used them before."""
        panels = self.rows.panels
        try:
            idle = self.idle.popleft()
        except IndexError:
            return panels.scratch(self.n_clusters, MOVED, self.sums[self._unused.pop()])
        if idle.scores.dtype == panels.dtype:
            return idle
        return kernels.Scratch(
            panels.scores(), idle.distances, idle.moved, idle.old_labels, idle.units, idle.sums
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

    def last_bounds(self):
        """The bounds that the last assignment used, or None."""
        return self.policy.bounds8 or self.policy.bounds

    def is_quick(self):
        """Whether bounds, or cells, spare most of an assignment to centers that are nearly those of the last one."""
        return self.last_bounds() is not None or self.policy.cell_labels is not None

    def inertia(self, centers):
        """The inertia with the means of the clusters as centers, to a rounding of the scatter; costs next to nothing."""
        means, masses = self.means(centers)
        return self.rows.scatter - masses @ ((means - self.rows.origin) ** 2).sum(axis=1)

    def means(self, centers):
        """The means of the clusters (a center without weight stays) and their masses."""
        if self.rows.fixed_point_loses_digits:
            return self.rows.update(self.labels, centers)[:2]
        centers, masses = centers.copy(), np.empty(len(centers))
        kernels.means(self._total(), self.rows.units, centers, masses)
        return centers, masses
