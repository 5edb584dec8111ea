"""The data: blobs that overlap, noise, colors and embeddings, each with the centers that every contender starts from."""

from typing import NamedTuple

import numpy as np

SEED = (
    6  # the first with which all shapes converge within some 120 iterations: others take up to 300 and more
)
# Values generated at a time, so that there is never a second copy of the data.
CHUNK = 1 << 22


DTYPES = ("float32", "float64")


class Workload(NamedTuple):
    """A shape, and what fills it.

    Attributes
    ----------
    separation : float
        How far apart the blobs are: the typical distance of two centers, in standard deviations of a blob. It is chosen so that
        Lloyd's iteration takes some tens of iterations from random rows to its fixed point.
    kinds, dtypes : tuple of str
        The data that are made of that shape, the most important first.
    most : int or None
        Iterations after which runs end; None for those of the kind.
    """

    name: str
    n_samples: int
    n_features: int
    n_clusters: int
    separation: float
    kinds: tuple = ("blobs", "uniform")
    dtypes: tuple = DTYPES
    most: int | None = None


WORKLOADS = (
    Workload("1e6 x 2, k=16", 1_000_000, 2, 16, 10),
    Workload("1e6 x 8, k=32", 1_000_000, 8, 32, 8),
    Workload("2e5 x 32, k=100", 200_000, 32, 100, 7),
    Workload("1e5 x 128, k=256", 100_000, 128, 256, 7),
    Workload("6e4 x 784, k=10", 60_000, 784, 10, 3),
    Workload("1e5 x 64, k=1000", 100_000, 64, 1000, 10),
    Workload("1e4 x 16, k=50", 10_000, 16, 50, 5),
    Workload("1e6 x 2, k=1000", 1_000_000, 2, 1000, 0, ("uniform",), DTYPES[:1]),
    Workload("1e6 x 3, k=256", 1_000_000, 3, 256, 0, ("colors",), DTYPES[:1]),
    Workload("5e4 x 768, k=1000", 50_000, 768, 1000, 0, ("embeddings",), DTYPES[:1]),
    Workload("1e6 x 128, k=4096", 1_000_000, 128, 4096, 0, ("embeddings",), DTYPES[:1], 10),
)
# Others than blobs have no fixed point within reach: their runs end here.
MOST_ITERATIONS = {"blobs": 300, "uniform": 20, "colors": 20, "embeddings": 20}
FULL_ITERATIONS = {"blobs": 1000, "uniform": 300, "colors": 300, "embeddings": 300}
# Of the generated photograph: things in it, each of one color in light and shadow. Of embeddings: their rank, and topics.
THINGS, RANK, TOPICS = 24, 32, 200
# `shrunk` leaves at least this many rows for each cluster.
FEWEST_PER_CLUSTER = 10


def shrunk(workload, shrink):
    """The workload with fewer rows."""
    fewest = min(workload.n_samples, FEWEST_PER_CLUSTER * workload.n_clusters)
    return workload._replace(n_samples=max(fewest, int(workload.n_samples * shrink)))


def make(workload, kind, dtype):
    """Rows, and centers to start from.

    Blobs are spherical Gaussians of variance one and equal weight, around centers that are Gaussian themselves; noise is
    uniform on the unit cube. Colors are whole numbers from 0 to 255: some things of one color each, in light and shadow, with noise.
    Embeddings are of unit length, near a space of 32 dimensions of which the later matter less, and around topics. The start is
    n_clusters distinct rows, drawn at random. Both dtypes get the same numbers.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), read-only
    centers : ndarray of shape (n_clusters, n_features), of the same dtype
    """
    n, d, k = workload.n_samples, workload.n_features, workload.n_clusters
    rng = np.random.default_rng(SEED)
    draw = _DRAWS[kind](rng, workload)
    X = np.empty((n, d), dtype)
    for start in range(0, n, max(1, CHUNK // d)):
        part = X[start : start + max(1, CHUNK // d)]
        part[:] = draw(part.shape)
    X.setflags(write=False)
    chosen = rng.choice(n, k, replace=False)
    if kind == "colors":  # many are equal
        distinct = np.unique(X[rng.choice(n, min(n, 50 * k), replace=False)], axis=0)
        if len(distinct) >= k:
            return X, distinct[rng.choice(len(distinct), k, replace=False)]
    return X, X[chosen]


def _blobs(rng, workload):
    _, _, d, k, separation, *_ = workload
    means = rng.standard_normal((k, d)) * separation / np.sqrt(2 * d)
    return lambda shape: rng.standard_normal(shape) + means[rng.integers(0, k, shape[0])]


def _uniform(rng, workload):
    rng.standard_normal(
        (workload.n_clusters, workload.n_features)
    )  # the blobs' centers: noise has always come after them
    return rng.random


def _colors(rng, workload):
    colors, shares = rng.uniform(0, 255, (THINGS, workload.n_features)), rng.dirichlet(np.ones(THINGS))

    def draw(shape):
        things = rng.choice(THINGS, shape[0], p=shares)
        light = rng.beta(4, 2, (shape[0], 1)) * 1.4
        return np.clip(np.rint(colors[things] * light + rng.normal(0, 4, shape)), 0, 255)

    return draw


def _embeddings(rng, workload):
    rank = min(RANK, workload.n_features)
    scales = 1 / np.sqrt(1 + np.arange(rank))
    turn, topics = rng.standard_normal((rank, workload.n_features)), rng.standard_normal((TOPICS, rank))

    def draw(shape):
        inner = (topics[rng.integers(0, TOPICS, shape[0])] + rng.standard_normal((shape[0], rank))) * scales
        rows = inner @ turn + 0.1 * rng.standard_normal(shape)
        return rows / np.sqrt((rows**2).sum(axis=1, keepdims=True))

    return draw


_DRAWS = {"blobs": _blobs, "uniform": _uniform, "colors": _colors, "embeddings": _embeddings}
