"""What a start of scikit-learn takes, as it is counted."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from ckmeans.local.price import GROWTH, iterations, pass_price, price
from ckmeans.local.random_stream import RandomStream
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(10**4, 2, 3), (10**5, 50, 100), (10**6, 784, 10)])
def test_a_start_costs_more_than_the_passes_it_makes_here(shape, dtype):
    *size, k = shape
    X = np.broadcast_to(np.zeros(1, dtype), size)
    assert price(X, k, 30) > 30 * pass_price(*shape)
    assert price(X, k, 60) > price(X, k, 30) > price(X, k, 10)


def test_double_precision_costs_more():
    assert price(np.zeros((100, 30)), 20, 30) > 1.2 * price(np.zeros((100, 30), np.float32), 20, 30)


def test_iterations_end_as_they_do_in_scikit_learn():
    X = np.random.default_rng(0).random((6000, 3))
    theirs = [KMeans(6, random_state=seed).fit(X).n_iter_ for seed in range(10)]
    with Workers(1) as workers:
        rows = Rows(X, None, workers)
        ours = [iterations(rows, len(X), 6, RandomStream(seed)) for seed in range(10)]
        assert iterations(rows, 32 * len(X), 6, RandomStream(0)) == pytest.approx(32**GROWTH * ours[0])
    assert 0.5 * np.median(theirs) < np.median(ours) < 2 * np.median(theirs)


def test_few_rows_come_to_rest_before_many_do():
    """Of 20 rows a cluster none changes sides after some iterations; more would go on, but not more and more."""
    X = np.random.default_rng(0).random((600, 8))
    with Workers(1) as workers:
        rows = Rows(X, None, workers)
        n_iter = [iterations(rows, n * len(X), 30, RandomStream(0)) for n in (1, 16, 25, 10**4)]
    assert n_iter[1:] == pytest.approx([4 * n_iter[0], 5 * n_iter[0], 5 * n_iter[0]])
