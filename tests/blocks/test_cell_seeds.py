"""The tree finds the exact nearest of seeds, of those too that came after it was built."""

import numpy as np
import pytest
from summaries import KINDS, rows_of

from ckmeans.blocks import cell_seeds
from ckmeans.blocks.cell_seeds import Seeds


@pytest.mark.parametrize("kind", KINDS)
def test_more_seeds(kind, monkeypatch):
    X = rows_of(kind, 400)
    points = X[np.sort(np.unique(X[::3], axis=0, return_index=True)[1])]
    few = Seeds(points[: len(points) // 3], 1)
    more = few.with_more(points[:-5]).with_more(points)
    found = [seeds.nearest(X).tolist() for seeds in (few, more)]
    monkeypatch.setattr(cell_seeds, "MOST_BY_TREE", 0)
    expected = [Seeds(seeds.points, 1).nearest(X).tolist() for seeds in (few, more)]
    assert found == expected


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 300])
def test_sizes_of_the_tree(d, n, monkeypatch):
    """Rows on the points, in the middle of two of them, far outside, and where squares vanish."""
    rng = np.random.default_rng(n)
    points = rng.normal(size=(n, d))
    middles = (points[:-1] + points[1:]) / 2
    X = np.concatenate(
        [points, middles, rng.normal(size=(500, d)), 1e3 * points, 1e200 * points, 1e-200 * points]
    )
    found = Seeds(points, 2).nearest(X).tolist(), Seeds(points * 1e-170, 1).nearest(X * 1e-170).tolist()
    monkeypatch.setattr(cell_seeds, "MOST_BY_TREE", 0)
    assert found[0] == Seeds(points, 1).nearest(X).tolist()
    assert found[1] == Seeds(points * 1e-170, 1).nearest(X * 1e-170).tolist()
