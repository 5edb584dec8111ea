"""Every partition: how many there are, what is refused, and what bad input is told."""

import math

import numpy as np
import pytest
from scipy.sparse import csr_array

import ckmeans.exact.exhaustive
from ckmeans import reference
from ckmeans.exact.exhaustive import (
    count_partitions,
    estimated_seconds,
    exhaustive_search,
    partition_posterior,
)

rng = np.random.default_rng(5)
ok = [[0.0, 1.0], [2.0, 3.0], [5.0, 5.0]]


def test_counts():
    for n in range(9):
        for k in range(10):
            assert (
                count_partitions(n, k)
                == reference.count_partitions(n, k)
                == len(list(reference.partitions(n, k)))
            )
    assert count_partitions(30, 2) == 536_870_912
    assert count_partitions(20, 3) == 581_130_734


def test_hopeless_searches_are_refused_with_figures():
    X = rng.normal(size=(60, 2))
    with pytest.raises(
        ValueError, match=r"60 rows have about 10\^28 partitions .* years.*ckmeans\.KMeans.*time_limit"
    ):
        exhaustive_search(X, 3)
    with pytest.raises(
        ValueError, match=r"49 rows .* 281,474,976,710,656 partitions into at most 2 clusters.* days"
    ):
        partition_posterior(X[:49], 2, 1.0, n_threads=1)
    assert estimated_seconds(60, 2, 3) > 86_400
    assert estimated_seconds(10_000, 2, 3) == math.inf
    assert estimated_seconds(20, 2, 3, n_threads=1, posterior=True) > estimated_seconds(20, 2, 3, n_threads=2)


@pytest.mark.parametrize(
    "message, X, k, options",
    [
        (r"NaN .* in 2 of 3 rows: 0, 2\. Drop", [[np.nan], [1], [np.inf]], 1, {}),
        (r"1 dimension\(s\).*reshape\(-1, 1\)", [1.0, 2.0], 1, {}),
        (r"shape \(0, 2\)", np.empty((0, 2)), 1, {}),
        (r"shape \(2, 0\)", np.empty((2, 0)), 1, {}),
        (r"complex128", [[1j], [2]], 1, {}),
        (r"text, 'a'", [["a"], ["b"]], 1, {}),
        (r"text, 'a'", np.array([["a"], [1]], object), 1, {}),
        (r"X holds dict.*real number", np.array([[{}], [1]], object), 1, {}),
        (r"X is sparse.*toarray", csr_array(np.eye(3)), 1, {}),
        (r"n_clusters=0 is too small: give at least 1", ok, 0, {}),
        (r"n_samples=3 should be >= n_clusters=4: ask for at most one cluster per sample\.", ok, 4, {}),
        (r"n_clusters=1.5 is not a whole number", ok, 1.5, {}),
        (r"n_clusters=128 exceeds 127", np.arange(200.0)[:, None], 128, {}),
        (r"shape \(2,\); X has 3 rows", ok, 2, {"sample_weight": [1, 2]}),
        (r"sample_weight\[1\] is -2.0", ok, 2, {"sample_weight": [1, -2, 0]}),
        (r"sample_weight\[2\] is nan", ok, 2, {"sample_weight": [1, 2, np.nan]}),
        (r"All 3 weights are zero", ok, 2, {"sample_weight": [0, 0, 0]}),
        (r"sample_weight must hold", ok, 2, {"sample_weight": ["a", "b", "c"]}),
        (r"time_limit=-1", ok, 2, {"time_limit": -1}),
        (r"n_threads=0", ok, 2, {"n_threads": 0}),
    ],
)
def test_bad_input_is_refused(message, X, k, options):
    with pytest.raises((ValueError, TypeError), match=message):
        exhaustive_search(X, k, **options)
    with pytest.raises((ValueError, TypeError), match=message):
        partition_posterior(X, k, 1.0, **options)


@pytest.mark.parametrize("n, k", [(-1, 2), (5, -2), (5.0, 2), ("5", 2), (True, 2)])
def test_only_whole_numbers_of_rows_and_clusters_are_counted(n, k):
    with pytest.raises((ValueError, TypeError), match="give an int of at least 0|give at least 0"):
        count_partitions(n, k)


def test_more_threads_than_there_are_processors():
    """Neither memory nor the estimate goes along with a number beyond reason."""
    rows = rng.normal(size=(10, 2))
    assert exhaustive_search(rows, 2, n_threads=10**30).status == "optimal"
    estimate = estimated_seconds(40, 2, 2, n_threads=10**30)
    assert estimate == estimated_seconds(40, 2, 2, n_threads=ckmeans.exact.exhaustive.available_cpus())


def test_no_cost_is_zero_without_a_sign():
    assert math.copysign(1, exhaustive_search(np.ones((3, 1)), 2).inertia) == 1


@pytest.mark.parametrize("variance", [0, -1.0, math.nan, math.inf, "x", None])
def test_bad_variance_is_refused(variance):
    with pytest.raises((ValueError, TypeError), match="variance=.* above 0"):
        partition_posterior(ok, 2, variance)


def test_what_the_posterior_cannot_do_is_said():
    with pytest.raises(ValueError, match=r"sample_weight\[1\] is 0"):
        partition_posterior(ok, 2, 1.0, sample_weight=[1, 0, 1])
    with pytest.raises(ValueError, match="variance=1 is too small .*; divide X by a power of ten"):
        partition_posterior([[1e308], [-1e308], [0]], 2, 1)
    with pytest.raises(
        ValueError, match=r"variance=1e-20 is too small .*use a variance above .*exhaustive_search"
    ):
        partition_posterior(ok, 2, 1e-20)
    with pytest.raises(ValueError, match="beyond the largest float"):
        partition_posterior([[0.0], [1e200], [3e200]], 2, 1e308, sample_weight=[1e-80, 1e-80, 1e-80])
    assert partition_posterior([[2.0], [2.0]], 1, 1e-290).log_sum == 0
