"""Ten ways to cut rows into blocks, and what is asked of all of them: the bits of one array."""

from itertools import pairwise

import numpy as np

from ckmeans import KMeans

N, K = 5200, 5  # more than what is searched as small data
CUTS = {
    "one": [],
    "two": [2600],
    "one row first": [1],
    "one row last": [N - 1],
    "nothing around": [0, N],
    "nothing within": [700, 700, 700],
    "single rows": [10, 11, 12, 13],
    "many": list(range(260, N, 260)),
    "at random": sorted(np.random.default_rng(2).integers(N, size=7).tolist()),
    "single rows and nothing": [0, 0, 1, 1, 2, 5000, 5000, N - 1, N],
}
# Types, and whether rows have weights: both, or the others.
KINDS = [(np.float32, False), (np.float64, True)], [(np.float32, True), (np.float64, False)]

_rng = np.random.default_rng(0)
X = _rng.normal(size=(N, 3)) + _rng.uniform(-4, 4, (K, 3))[_rng.integers(K, size=N)]
WEIGHTS = _rng.integers(0, 4, N) / 3


def model():
    """Some iterations from given centers: other ways to begin have tests of their own."""
    return KMeans(K, init=X[:K], max_iter=4, tol=0.0, polish=False)


def array(dtype, weighted):
    """The rows of that type, their weights or None, and the clustering of the rows as one array."""
    rows, weights = X.astype(dtype), WEIGHTS if weighted else None
    return rows, weights, model().fit(rows, sample_weight=weights)


def lengths(cuts):
    """Rows of each block."""
    return tuple(stop - start for start, stop in pairwise([0, *cuts, N]))


def assert_the_same(found, labels, expected):
    """Labels, centers and inertia to the bit."""
    assert np.array_equal(labels, expected.labels_)
    assert found.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    assert (found.inertia_, found.n_iter_) == (expected.inertia_, expected.n_iter_)
