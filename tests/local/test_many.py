"""Many arrays at once: each as KMeans would have it, whatever stands beside it."""

import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from ckmeans import KMeans, fit_many
from ckmeans.local import many, small
from ckmeans.workers import Expired, Workers, split

FAST = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)
IRIS = load_iris().data


def some_arrays(rng, n_items, plain=False):
    """Of all sizes, kinds and types, large and unusual ones among them."""
    arrays = []
    for _ in range(n_items):
        n, d = (12, 2) if plain else (int(rng.integers(3, 60)), int(rng.integers(1, 4)))
        X = rng.normal(size=(n, d)) if rng.random() < 0.5 else rng.integers(0, 4, (n, d)).astype(float)
        arrays.append(X if plain or rng.random() < 0.7 else X.astype(np.float32))
    if not plain:
        arrays.insert(1, rng.normal(size=(small.MOST_ROWS + 1, 1)))
        arrays.insert(2, np.vstack([rng.normal(size=(9, 2)), [[1e30, 0]]]))
        arrays.insert(3, np.ones((5, 2)))
    return arrays


def same_as_alone(result, arrays, n_clusters, weights=None, **options):
    for i, X in enumerate(arrays):
        w = None if weights is None else weights[i]
        k = int(np.broadcast_to(n_clusters, len(arrays))[i])
        model = KMeans(k, random_state=int(result.seeds[i]), **options).fit(X, sample_weight=w)
        item = result[i]
        assert item.labels.dtype == np.int32 and item.n_restarts == model.n_restarts_
        assert (
            model.n_iter_ - (model.n_iter_ > 1) <= item.n_iter <= model.n_iter_
        )  # less the one that moves nothing
        if model.cluster_centers_.dtype == np.float32:  # rounded in the end
            assert np.array_equal(item.labels, model.labels_)
            assert np.allclose(item.centers, model.cluster_centers_, rtol=1e-7)
            assert item.inertia == pytest.approx(model.inertia_, rel=1e-6)
        else:
            assert item.labels.tobytes() == model.labels_.tobytes()
            assert item.centers.tobytes() == model.cluster_centers_.tobytes()
            assert item.inertia == model.inertia_
        assert (item.hit_rate, item.stop_reason) == (model.hit_rate_, model.stop_reason_)
        assert np.array_equal(result.labels[i], item.labels)
        assert np.array_equal(result.centers[i], item.centers)
        assert (result.inertia[i], result.n_iter[i]) == (item.inertia, item.n_iter)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 5]),
    st.sampled_from(["auto", 1, 4]),
    st.sampled_from([{}, {"max_iter": 2}, {"polish": False}]),
    st.sampled_from([1, 3]),
    st.booleans(),
    st.booleans(),
)
@FAST
def test_each_is_as_alone(seed, block_work, n_init, options, n_threads, weighted, each):
    rng = np.random.default_rng(seed)
    arrays = some_arrays(rng, 8)
    k = [int(rng.integers(1, 4)) for _ in arrays] if each else 2
    weights = (
        [None if rng.random() < 0.3 else rng.uniform(0, 2, len(X)) for X in arrays] if weighted else None
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many, "BLOCK_WORK", 10**block_work)
        result = fit_many(
            arrays, k, n_init=n_init, sample_weight=weights, random_state=seed, n_threads=n_threads, **options
        )
    assert len(result) == len(arrays) == len(result.inertia)
    same_as_alone(result, arrays, k, weights, n_init=n_init, **options)


def test_items_that_take_long_and_many_numbers(monkeypatch):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(100, 3)) for _ in range(6)]
    expected = fit_many(arrays, 6, random_state=0, n_threads=1)
    monkeypatch.setattr(small, "SLICE_WORK", 1 << 18)
    monkeypatch.setattr(small, "SWAPS", 0)
    monkeypatch.setattr(many, "MORE_NUMBERS", 1.1)
    monkeypatch.setattr(many, "uniform_rows", lambda seeds, n, draw=many.uniform_rows: draw(seeds, int(n)))
    for n_threads in (1, 2):
        result = fit_many(arrays, 6, random_state=0, n_threads=n_threads)
        assert result.centers.tobytes() == expected.centers.tobytes()
        assert np.array_equal(result.labels, expected.labels)
        assert np.array_equal(result.n_restarts, expected.n_restarts)


def test_neighbours_make_no_difference():
    arrays = some_arrays(np.random.default_rng(1), 10, plain=True)
    result = fit_many(arrays, 3, random_state=5)
    fewer = fit_many(arrays[:4], 3, random_state=5)
    assert np.array_equal(fewer.seeds, result.seeds[:4])
    assert np.array_equal(fewer.centers, result.centers[:4]) and np.array_equal(
        fewer.labels, result.labels[:4]
    )
    others = [*arrays[:5], np.zeros((3, 7)), *arrays[6:]]
    mixed = fit_many(others, 3, random_state=5)
    assert all(np.array_equal(mixed[i].centers, result[i].centers) for i in range(10) if i != 5)
    assert isinstance(result.labels, np.ndarray) and isinstance(mixed.labels, list)
    assert isinstance(result.centers, np.ndarray) and isinstance(mixed.centers, list)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8", np.int16, bool, object])
def test_a_stack_of_arrays(dtype):
    stack = np.random.default_rng(0).integers(0, 9, (20, 15, 3)).astype(dtype)
    result = fit_many(stack, 2, random_state=0, sample_weight=np.ones((20, 15)))
    assert result.labels.shape == (20, 15) and result.centers.shape == (20, 2, 3)
    for others in (list(stack), tuple(stack), stack.transpose(0, 2, 1).copy().transpose(0, 2, 1)):
        other = fit_many(others, 2, random_state=0)
        assert np.array_equal(other.labels, result.labels) and np.array_equal(other.centers, result.centers)
    same_as_alone(result, stack, 2)


def test_anything_that_holds_numbers():
    arrays = [
        IRIS,
        pd.DataFrame(IRIS),
        IRIS.tolist(),
        np.asfortranarray(IRIS),
        IRIS[::-1][::-1],
        IRIS.astype(">f8"),
    ]
    result = fit_many(iter(arrays), 3, random_state=0)
    assert (result.inertia == result.inertia[0]).all()
    assert len({item.centers.tobytes() for item in result}) == 1
    frozen = IRIS.copy()
    frozen.flags.writeable = False
    assert fit_many([frozen], 3, random_state=0).inertia == result.inertia[0]


def test_random_state():
    first = fit_many([IRIS] * 2, 3)
    assert len({*first.seeds, *fit_many([IRIS] * 2, 3).seeds}) == 4
    for make in (np.random.RandomState, np.random.default_rng):
        one, other = (fit_many([IRIS] * 2, 3, random_state=make(3)).seeds for _ in range(2))
        assert np.array_equal(one, other)
        source = make(3)
        assert not np.array_equal(
            fit_many([IRIS], 3, random_state=source).seeds, fit_many([IRIS], 3, random_state=source).seeds
        )


def test_a_sequence_of_results():
    result = fit_many([IRIS] * 4, 3, random_state=0)
    assert [item.seed for item in result] == result.seeds.tolist() == [item.seed for item in result[:]]
    assert (
        result[-1].seed == result.seeds[3]
        and [item.seed for item in result[1:3]] == result.seeds[1:3].tolist()
    )
    assert repr(result) == "<4 clusterings of 600 rows>"
    with pytest.raises(IndexError):
        result[4]
    empty = fit_many([], 3)
    assert len(empty) == 0 and list(empty) == [] and empty.inertia.shape == (0,) and list(empty.labels) == []


GOOD = [IRIS[:9], IRIS[9:20]]


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (dict(arrays=[*GOOD, IRIS[:9] * np.nan]), ValueError, r"^arrays\[2\]: X contains NaN"),
        (
            dict(arrays=[*GOOD, np.where(IRIS > 7, np.inf, IRIS)]),
            ValueError,
            r"^arrays\[2\]: X contains infinity",
        ),
        (dict(arrays=[*GOOD, np.full((5000, 2), np.inf)]), ValueError, r"^arrays\[2\]: X contains infinity"),
        (dict(arrays=[*GOOD, IRIS[0]]), ValueError, r"^arrays\[2\]: X has shape \(4,\)"),
        (dict(arrays=IRIS), ValueError, r"^arrays\[0\]: X has shape \(4,\)"),
        (dict(arrays=[*GOOD, IRIS[:0]]), ValueError, r"^arrays\[2\] has shape \(0, 4\)"),
        (dict(arrays=[*GOOD, IRIS[:, :0]]), ValueError, r"^arrays\[2\] has shape \(150, 0\)"),
        (dict(arrays=[*GOOD, [["a"], ["b"]]]), ValueError, r"^arrays\[2\]: .*text"),
        (dict(arrays=[*GOOD, [[1, 2], [3]]]), ValueError, r"^arrays\[2\]: "),
        (dict(arrays=[*GOOD, IRIS * 1j]), ValueError, r"^arrays\[2\]: .*[Cc]omplex"),
        (dict(arrays=[*GOOD, [[2**60 + 1], [2**60], [0]]]), ValueError, r"^arrays\[2\]: .*2\*\*53"),
        (dict(arrays=[*GOOD, IRIS[:2]]), ValueError, r"^arrays\[2\]: n_samples=2 should be >= n_clusters=3"),
        (dict(n_clusters=0), ValueError, "^n_clusters=0 is too small"),
        (dict(n_clusters=2.0), TypeError, "^n_clusters=2.0 is not a whole number"),
        (dict(n_clusters=[3]), ValueError, "^n_clusters has 1 entries; there are 2"),
        (dict(n_clusters=[3, 0]), ValueError, r"^n_clusters\[1\]=0 is too small"),
        (dict(n_clusters=[3, 12]), ValueError, r"^arrays\[1\]: n_samples=11 should be >= n_clusters=12"),
        (dict(n_init=0), ValueError, "^n_init=0"),
        (dict(max_iter=0), ValueError, "^max_iter=0"),
        (dict(polish=1), TypeError, "^polish=1"),
        (dict(n_threads=0), ValueError, "^n_threads=0"),
        (dict(random_state=-1), ValueError, "^random_state=-1"),
        (dict(random_state="x"), TypeError, "^random_state='x'"),
        (dict(sample_weight=[np.ones(9)]), ValueError, "^sample_weight has 1 entries; there are 2"),
        (dict(sample_weight=[None, np.ones(9)]), ValueError, r"^arrays\[1\]: sample_weight has shape \(9,\)"),
        (dict(sample_weight=[None, -np.ones(11)]), ValueError, r"^arrays\[1\]: sample_weight\[0\] is -1"),
        (
            dict(sample_weight=[None, np.full(11, np.nan)]),
            ValueError,
            r"^arrays\[1\]: sample_weight\[0\] is nan",
        ),
        (dict(sample_weight=[np.zeros(9), None]), ValueError, r"^arrays\[0\]: All 9 weights are zero"),
        (dict(sample_weight=[np.full(9, 1e308), None]), ValueError, r"^arrays\[0\]: .*sums to more"),
    ],
)
def test_what_is_bad_is_named(arguments, error, message):
    arguments = {"arrays": GOOD, "n_clusters": 3, "n_threads": 2, **arguments}
    with pytest.raises(error, match=message):
        fit_many(**arguments)


def test_an_interrupt_ends_long_items_on_other_threads():
    """The helpers look at the time between two slices of an item: there they learn that the call is over."""
    begun, never, ends = threading.Event(), threading.Event(), []

    def kernel(start, stop):
        if threading.current_thread() is threading.main_thread():
            begun.wait()
            raise KeyboardInterrupt
        begun.set()
        try:
            while not never.wait(0.001):
                own.check_time()
        except Expired:
            ends.append(start)
            raise

    with Workers(2) as own:
        with pytest.raises(KeyboardInterrupt):
            own.run(kernel, split(50, 1))
        own.check_time()
    assert len(ends) == 1  # the item that was begun, and no other
