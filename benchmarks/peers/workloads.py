"""The data: blobs that overlap, and noise without clusters, each with the centers that every contender starts from."""

from typing import NamedTuple

import numpy as np

SEED = (
    6  # the first with which all shapes converge within some 120 iterations: others take up to 300 and more
)
# Values generated at a time, so that there is never a second copy of the data.
CHUNK = 1 << 22


class Workload(NamedTuple):
    """A shape, and how far apart the blobs are: the typical distance of two centers, in standard deviations of a blob.

    It is chosen so that Lloyd's iteration takes some tens of iterations from random rows to its fixed point.
    """

    name: str
    n_samples: int
    n_features: int
    n_clusters: int
    separation: float


WORKLOADS = (
    Workload("1e6 x 2, k=16", 1_000_000, 2, 16, 10),
    Workload("1e6 x 8, k=32", 1_000_000, 8, 32, 8),
    Workload("2e5 x 32, k=100", 200_000, 32, 100, 7),
    Workload("1e5 x 128, k=256", 100_000, 128, 256, 7),
    Workload("6e4 x 784, k=10", 60_000, 784, 10, 3),
    Workload("1e5 x 64, k=1000", 100_000, 64, 1000, 10),
    Workload("1e4 x 16, k=50", 10_000, 16, 50, 5),
)
KINDS = ("blobs", "uniform")
DTYPES = ("float32", "float64")
# Noise has no fixed point within reach: its runs end here.
MOST_ITERATIONS = {"blobs": 300, "uniform": 20}
FULL_ITERATIONS = {"blobs": 1000, "uniform": 300}
# `shrunk` leaves at least this many rows for each cluster.
FEWEST_PER_CLUSTER = 10


def shrunk(workload, shrink):
    """The workload with fewer rows."""
    fewest = min(workload.n_samples, FEWEST_PER_CLUSTER * workload.n_clusters)
    return workload._replace(n_samples=max(fewest, int(workload.n_samples * shrink)))


def make(workload, kind, dtype):
    """Rows, and centers to start from.

    Blobs are spherical Gaussians of variance one and equal weight, around centers that are Gaussian themselves; noise is
    uniform on the unit cube. The start is n_clusters distinct rows, drawn at random. Both dtypes get the same numbers.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), read-only
    centers : ndarray of shape (n_clusters, n_features), of the same dtype
    """
    _, n, d, k, separation = workload
    rng = np.random.default_rng(SEED)
    means = rng.standard_normal((k, d)) * separation / np.sqrt(2 * d)
    X = np.empty((n, d), dtype)
    for start in range(0, n, max(1, CHUNK // d)):
        part = X[start : start + max(1, CHUNK // d)]
        if kind == "blobs":
            part[:] = rng.standard_normal(part.shape) + means[rng.integers(0, k, len(part))]
        else:
            part[:] = rng.random(part.shape)
    X.setflags(write=False)
    return X, X[rng.choice(n, k, replace=False)]
