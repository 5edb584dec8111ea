"""Times and peak memory of the local search, for asv: a second or less each, so that commits can be compared."""

import numpy as np
from sklearn.datasets import load_iris

from ckmeans import KMeans


def blobs(n_samples, n_features, n_clusters, separation, dtype):
    """Overlapping spherical Gaussians, and rows to start from."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((n_clusters, n_features)) * separation / np.sqrt(2 * n_features)
    X = rng.standard_normal((n_samples, n_features)) + means[rng.integers(0, n_clusters, n_samples)]
    X = X.astype(dtype)
    return X, X[rng.choice(n_samples, n_clusters, replace=False)]


class Convergence:
    """From given centers to the fixed point, on one thread."""

    shapes = {"flat": (200_000, 2, 16, 10), "middle": (20_000, 32, 100, 7), "wide": (5_000, 784, 10, 3)}
    params = (list(shapes), ["float32", "float64"], ["auto", "lloyd"])
    param_names = ("shape", "dtype", "algorithm")

    def setup(self, shape, dtype, algorithm):
        self.X, start = blobs(*self.shapes[shape], dtype)
        self.model = KMeans(
            len(start), init=start, n_init=1, max_iter=100, polish=False, algorithm=algorithm, n_threads=1
        )

    def time_fit(self, shape, dtype, algorithm):
        self.model.fit(self.X)

    def track_iterations(self, shape, dtype, algorithm):
        return self.model.fit(self.X).n_iter_

    track_iterations.unit = "iterations"

    def peakmem_fit(self, shape, dtype, algorithm):
        self.model.fit(self.X)


class Iteration:
    """Ten iterations of Lloyd's over data without clusters, on all threads."""

    params = ["float32", "float64"]
    param_names = ("dtype",)

    def setup(self, dtype):
        X = np.random.default_rng(0).random((200_000, 16)).astype(dtype)
        self.X, start = X, X[:64]
        self.model = KMeans(64, init=start, n_init=1, max_iter=10, polish=False, algorithm="lloyd")

    def time_fit(self, dtype):
        self.model.fit(self.X)


class Small:
    """What a call costs where the data are small."""

    def setup(self):
        self.X = load_iris().data
        self.model = KMeans(3, random_state=0).fit(self.X)

    def time_fit_restarts(self):
        KMeans(3, n_init=10, random_state=0).fit(self.X)

    def time_fit_default(self):
        KMeans(3, random_state=0).fit(self.X)

    def time_predict_row(self):
        self.model.predict(self.X[:1])
