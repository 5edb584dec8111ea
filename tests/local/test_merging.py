"""Merging of clusters: the cheapest pair each time, as by comparing all pairs anew."""

import numpy as np
import pytest

from ckmeans.local import merging
from ckmeans.local.merging import merged
from ckmeans.workers import Workers


def by_all_pairs(centers, masses, n_clusters):
    """Every cost is computed anew before each merge, from the centers."""
    clusters = [(mass, center) for mass, center in zip(masses, centers) if mass > 0]
    while len(clusters) > n_clusters:
        pairs = [(a, b) for a in range(len(clusters)) for b in range(a)]
        costs = [
            clusters[a][0]
            * clusters[b][0]
            / (clusters[a][0] + clusters[b][0])
            * ((clusters[a][1] - clusters[b][1]) ** 2).sum()
            for a, b in pairs
        ]
        a, b = pairs[int(np.argmin(costs))]
        (mass, center), (other, there) = clusters.pop(a), clusters[b]
        clusters[b] = mass + other, (mass * center + other * there) / (mass + other)
    return np.array([center for _, center in clusters])


def in_order(centers):
    return centers[np.lexsort(centers.T)]


@pytest.mark.parametrize("work", [merging.WORK, 1])
@pytest.mark.parametrize("n, d, n_clusters", [(2, 1, 1), (40, 2, 15), (60, 5, 1), (30, 3, 27)])
def test_the_cheapest_pair_is_merged(n, d, n_clusters, work, monkeypatch):
    monkeypatch.setattr(merging, "WORK", work)
    rng = np.random.default_rng(n)
    centers, masses = rng.normal(size=(n, d)), rng.uniform(0.01, 0.9, n)
    masses[n // 2] *= n < 30  # without mass
    with Workers(1) as workers:
        found = merged(centers, masses, n_clusters, workers)
    assert in_order(found) == pytest.approx(in_order(by_all_pairs(centers, masses, n_clusters)))


def test_equal_centers_and_too_few():
    centers = np.repeat([[0.0], [1.0], [5.0]], 4, axis=0)
    with Workers(1) as workers:
        assert merged(centers, np.ones(12), 3, workers).ravel().tolist() == [0.0, 1.0, 5.0]
        assert merged(centers, np.arange(12.0) > 9, 3, workers) is None
