"""Times of the search over every partition, for asv."""

import numpy as np

from ckmeans import exhaustive_search


class Partitions:
    """Two clusters of some points in the plane, and three of fewer."""

    params = ([(24, 2), (15, 3)],)
    param_names = ("n_samples, n_clusters",)

    def setup(self, size):
        self.X, self.n_clusters = np.random.default_rng(0).random((size[0], 2)), size[1]

    def time_search(self, size):
        exhaustive_search(self.X, self.n_clusters)
