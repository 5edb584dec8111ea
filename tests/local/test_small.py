"""The kernels for small data against the general way: the same bits, and the same errors."""

import pickle
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from problems import near_ties, numbers
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import NotFittedError

from ckmeans import KMeans, reference
from ckmeans._kernels import panels
from ckmeans._kernels import small as kernels
from ckmeans.local import search, small, stopping
from ckmeans.local.random_stream import RandomStream
from ckmeans.local.search import local_search
from ckmeans.workers import Expired, Workers

FAST = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SEEDS = st.integers(0, 2**32 - 1)
IRIS = load_iris().data

KINDS = {
    "normal": lambda rng, n, d: rng.normal(size=(n, d)),
    "grid": lambda rng, n, d: rng.integers(0, 4, (n, d)).astype(float),
    "blobs": lambda rng, n, d: rng.normal(size=(n, d)) + 5 * rng.integers(0, 3, (n, d)),
    "offset": lambda rng, n, d: rng.normal(size=(n, d)) + 1e6,
    "far": lambda rng, n, d: rng.normal(size=(n, d)) + 1e8 * rng.integers(0, 2, (n, 1)),
    "apart": lambda rng, n, d: rng.normal(size=(n, d)) + 1e4 * rng.integers(0, 2, (n, 1)),
    "outlier": lambda rng, n, d: np.vstack([rng.normal(size=(n - 1, d)), np.full((1, d), 1e5)]),
    "tiny": lambda rng, n, d: rng.normal(size=(n, d)) * 1e-30,
}


def everything(solution):
    """All that a search tells, for comparison bit by bit."""
    return (
        solution.labels.tobytes(),
        solution.labels.dtype,
        solution.centers.tobytes(),
        solution.inertia,
        solution.n_iter,
        solution.n_restarts,
        solution.n_hits,
        solution.stop_reason,
        solution.status,
    )


def by_the_kernels(X, k, monkeypatch=None, **kwargs):
    """What the kernels for small data find; None where they leave it to others."""
    found, general = [], search._small_search
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_small_search", lambda *args: found.append(general(*args)) or found[-1])
        solution = local_search(X, k, **kwargs)
    return solution if found and found[-1] is solution else None


def the_general_way(X, k, **kwargs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "MOST_ROWS", 0)
        return local_search(X, k, **kwargs)


def drawn(seed, kind, n, d, k, dtype, weights):
    rng = np.random.default_rng(seed)
    X = KINDS[kind](rng, n, d).astype(dtype)
    w = {"none": None, "real": rng.uniform(0.1, 2, n), "whole": rng.integers(0, 3, n).astype(float)}[weights]
    if weights == "whole":
        w[0] = 1
    return X, min(k, n), w


# ---- what both sides know by name ----


def test_records_are_what_the_kernels_see():
    """Names, order, types and places of the fields: the dtypes of Python against the structs of C."""
    dtypes = small.SETTINGS, small.END, small.REPORT
    arrays = [np.array([tuple(range(3, 3 + len(dtype)))], dtype) for dtype in dtypes]
    for array, seen in zip(arrays, kernels.records(*arrays)):
        assert list(seen.items()) == list(zip(array.dtype.names, array[0].item()))
        assert [type(value) for value in seen.values()] == [type(value) for value in array[0].item()]


def test_another_order_of_fields_is_refused():
    """What the test above would see, if a struct and its dtype went different ways."""
    arrays = [np.zeros(1, dtype) for dtype in (small.SETTINGS, small.END, small.REPORT)]
    names = small.END.names[::-1]
    with pytest.raises(ValueError, match="mismatch"):
        kernels.records(arrays[0], np.zeros(1, [(name, small.END[name]) for name in names]), arrays[2])


def test_what_calls_return_has_the_same_names():
    names = ("DONE", "UNSUPPORTED", "NEEDS_NUMBERS", "PAUSED", "NEEDS_DOUBLE")
    assert kernels.statuses() == {name: getattr(small, name) for name in names}


def test_settings_are_those_of_the_plan_and_of_the_rules():
    plan = small.Plan(4, 3, "k-means++", 10**30, 7, False)
    seen = dict(zip(small.SETTINGS.names, plan.settings.view(small.SETTINGS)[0].item()))
    assert (seen["n_init"], seen["max_iter"], seen["polished"]) == (small.MOST, 7, 0)
    assert (seen["same"], seen["most_orders"], seen["swap_reach"]) == (
        stopping.SAME,
        stopping.MOST_ORDERS,
        stopping.SWAP_REACH,
    )


ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT / "CONTRIBUTING.md").exists(), reason="the source tree is not there")
def test_the_table_of_both_ways_names_what_there_is():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    text = text.split("### Two ways")[1].split("##")[0]
    names = [
        name
        for line in text.splitlines()
        if line.startswith("| ") and ".p" in line and not line.startswith("| step")
        for name in re.findall("`([^`]+)`", line)
    ]
    files = {name for name in names if re.search(r"\.(py|pyx|pxd|h)$", name)}
    source = ""
    for name in files:
        path = ROOT / ("ckmeans/local" if name.endswith(".py") else "src") / name
        source += path.read_text(encoding="utf-8")
    assert len(files) > 15
    for name in set(names) - files - {"ckmeans/local/", "src/"}:
        word = re.escape(name.split(".")[-1])
        assert re.search(rf"(def|class|inline [\w* ]+) {word}\b|^{word} = |NAME\({word}\)", source, re.M), (
            name
        )


# ---- the same bits ----


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("kind", KINDS)
@given(
    SEEDS,
    st.sampled_from([3, 8, 20, 60, 150, 400]),
    st.sampled_from([1, 2, 3, 4, 5, 9, 16]),
    st.integers(1, 12),
    st.sampled_from(["none", "none", "real", "whole"]),
    st.sampled_from(["auto", "auto", 1, 3, 10]),
    st.sampled_from([{}, {}, {"max_iter": 2}, {"max_iter": 5}, {"polish": False}]),
    st.booleans(),
)
@settings(FAST, max_examples=15)
def test_the_same_bits(kind, dtype, seed, n, d, k, weights, n_init, options, given_centers):
    X, k, w = drawn(seed, kind, n, d, k, dtype, weights)
    init = X[np.random.default_rng(seed).permutation(n)[:k]].astype(float) if given_centers else "k-means++"
    arguments = dict(sample_weight=w, init=init, n_init=n_init, n_threads=1, **options)
    found = by_the_kernels(X, k, rng=seed, **arguments)
    assume(found is not None)
    assert everything(found) == everything(the_general_way(X, k, rng=seed, **arguments))
    again = by_the_kernels(X, k, rng=np.random.RandomState(seed), **arguments)
    assert everything(found) == everything(again)


def test_little_is_unusual():
    counts = Counter()
    for seed in range(60):
        for kind in ("normal", "blobs", "offset", "far"):
            X, k, w = drawn(
                seed, kind, 150, 1 + seed % 5, 2 + seed % 4, np.float64, ["none", "real"][seed % 2]
            )
            counts[by_the_kernels(X, k, sample_weight=w, n_init=3, rng=seed) is None] += 1
    assert counts[True] <= 6


@given(
    SEEDS,
    st.sampled_from([1, 2, 3]),
    st.sampled_from([1, 10**4, 10**8]),
    st.sampled_from([1 << 10, 1 << 16]),
    st.sampled_from(["auto", 7, 12]),
    st.booleans(),
)
@settings(FAST, max_examples=40)
def test_the_same_bits_in_slices_and_on_threads(seed, n_threads, slice_work, block_work, n_init, talks):
    X, k, w = drawn(seed, "blobs", 150, 3, 1 + seed % 9, np.float64, ["none", "real"][seed % 2])
    expected = local_search(X, k, sample_weight=w, n_init=n_init, rng=seed, n_threads=1)
    told = []
    progress = (lambda *state: told.append(state)) if talks else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "SLICE_WORK", slice_work)
        patch.setattr(small, "BLOCK_WORK", block_work)
        found = by_the_kernels(
            X, k, sample_weight=w, n_init=n_init, rng=seed, n_threads=n_threads, progress=progress
        )
    assume(found is not None)
    assert everything(found) == everything(expected)
    assert len(told) == (found.n_restarts if talks else 0)
    assert not told or told[-1] == (found.n_restarts, pytest.approx(found.inertia, rel=1e-12))


def test_every_instruction_set_gives_the_same_bits():
    used, results = panels.instruction_sets()[-1], set()
    X = make_blobs(300, centers=9, random_state=0)[0]
    try:
        for name in panels.instruction_sets():
            panels.use(name)
            for data in (X, X.astype(np.float32)):
                results.add((data.dtype, *everything(by_the_kernels(data, 9, rng=0))))
    finally:
        panels.use(used)
    assert len(results) == 2


def test_rows_that_single_precision_cannot_tell_apart():
    """Scores are made in single precision first; where they decide too little, in double."""
    X = KINDS["apart"](np.random.default_rng(0), 200, 2)
    solution = by_the_kernels(X, 6, n_init=5, rng=0)
    assert everything(solution) == everything(the_general_way(X, 6, n_init=5, rng=0))
    assert solution.doubtful_share < 0.01


# ---- limits ----


def test_the_best_so_far_when_the_time_is_up(monkeypatch):
    X = make_blobs(2000, centers=30, random_state=0)[0]
    monkeypatch.setattr(small, "SLICE_WORK", 1)
    looks = []

    def check_time(workers):
        looks.append(0)
        if len(looks) > 20:
            raise Expired

    monkeypatch.setattr(Workers, "check_time", check_time)
    solution = by_the_kernels(X, 30, rng=0)
    assert solution.stop_reason == "time_limit"
    labels = KMeans(30, init=solution.centers, max_iter=1, polish=False).fit(X).labels_
    assert solution.inertia > 0 and len(set(labels.tolist())) == 30
    monkeypatch.undo()
    assert np.array_equal(reference.assign(numbers(X[:50]), numbers(solution.centers)), solution.labels[:50])


def test_hits_are_counted_before_rounding_off(monkeypatch):
    """That may lower the best inertia, here to 0, but not those of the restarts it is held against."""
    X = 1e5 * np.array([[1.0, 2.0], [0.0, 0.0], [-2.0, 2.0], [0.0, -0.0], [-2.0, 0.0]])
    weights = np.array([1e-14, 1e-8, 1e-15, 1e-3, 1e-19])
    for options in (
        {"init": 1e5 * np.array([[-2.0, 2.0], [0.0, 0.0], [1.0, 2.0], [-2.0, 2.0]])},
        {"n_init": 3},
    ):
        models = []
        for rows in (small.MOST_ROWS, 0):
            monkeypatch.setattr(small, "MOST_ROWS", rows)
            models.append(KMeans(4, random_state=0, **options).fit(X, sample_weight=weights))
        few, many = models
        assert few.hit_rate_ == many.hit_rate_ > 0 and few.n_restarts_ == many.n_restarts_


def test_ctrl_c_between_two_restarts():
    def progress(n_restarts, inertia):
        if n_restarts == 3:
            raise KeyboardInterrupt

    solution = by_the_kernels(IRIS, 3, n_init=10, rng=0, progress=progress)
    assert (solution.stop_reason, solution.n_restarts) == ("interrupted", 3)
    model = KMeans(3, verbose=progress, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(IRIS)
    assert model.stop_reason_ == "interrupted" and np.array_equal(model.predict(IRIS), model.labels_)


# ---- random numbers ----


@pytest.mark.parametrize("source", [5, 2**32 - 1, np.random.RandomState, np.random.default_rng])
def test_numbers_come_in_the_order_of_the_generator(source):
    make = (lambda: source) if isinstance(source, int) else lambda: source(3)
    plain = np.random.RandomState(source) if isinstance(source, int) else source(3)
    expected = plain.uniform(size=40)
    ahead = RandomStream(make())
    for n in (4, 10, 7):
        assert np.array_equal(ahead.peek(n), expected[:n])
    taken = np.concatenate([ahead.uniform(size=n) for n in (1, 6, 20, 13)])
    assert np.array_equal(taken, expected)
    assert np.array_equal(np.concatenate([RandomStream(make()).uniform(size=40)]), expected)


def test_a_seed_and_its_generator_are_the_same():
    for X in (IRIS, np.repeat(IRIS, 50, axis=0)):
        one, other = (KMeans(3, n_init=2, random_state=r).fit(X) for r in (7, np.random.RandomState(7)))
        assert np.array_equal(one.cluster_centers_, other.cluster_centers_) and one.n_iter_ == other.n_iter_


# ---- a few rows ----


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
@given(SEEDS, st.integers(1, 12), st.integers(1, 20))
@settings(FAST, max_examples=25)
def test_labels_of_a_few_rows_are_exact(dtype, seed, d, k):
    X, centers = near_ties(np.random.default_rng(seed), 8, d, k, dtype)
    expected = reference.assign(numbers(X), numbers(centers))
    assert small.labels_of(X, centers).tolist() == expected
    model = KMeans(k).fit(np.random.default_rng(0).normal(size=(k + 30, d)))
    model.cluster_centers_ = centers  # no state of the fit is kept beside it
    assert model.predict(X).tolist() == expected == [model.predict(X[i : i + 1])[0] for i in range(len(X))]
    model.cluster_centers_[:] = centers[::-1].copy()
    assert model.predict(X).tolist() == reference.assign(numbers(X), numbers(centers))
    assert pickle.loads(pickle.dumps(model)).predict(X).tolist() == model.predict(X).tolist()


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_a_few_rows_and_all_of_them(scale, monkeypatch):
    model = KMeans(3, random_state=0).fit(IRIS * scale)
    quick = model.predict(IRIS * scale), model.transform(IRIS * scale), model.score(IRIS * scale)
    assert small.labels_of(IRIS * scale, model.cluster_centers_) is not None
    assert (small.distances_to(IRIS * scale, model.cluster_centers_) is None) == (scale != 1)
    monkeypatch.setattr(small, "FEW", 0)
    slow = model.predict(IRIS * scale), model.transform(IRIS * scale), model.score(IRIS * scale)
    assert all(
        np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype for a, b in zip(quick, slow)
    )


def test_centers_of_any_kind_may_be_set():
    model = KMeans(3, random_state=0).fit(IRIS)
    expected = model.predict(IRIS)
    model.cluster_centers_ = np.asfortranarray(model.cluster_centers_)
    assert np.array_equal(model.predict(IRIS), expected) and np.array_equal(
        model.predict(IRIS[:1]), expected[:1]
    )


# ---- the same errors ----


BAD = {
    "nan": (IRIS[:5] * [1, 1, np.nan, 1], ValueError, "NaN"),
    "infinity": (IRIS[:5] + [0, np.inf, 0, 0], ValueError, "infinity"),
    "features": (IRIS[:5, :3].copy(), ValueError, "4 features"),
    "one dimension": (IRIS[0], ValueError, "2D"),
    "no rows": (IRIS[:0], ValueError, "0 sample"),
    "complex": (IRIS[:5] * 1j, ValueError, "[Cc]omplex"),
    "text": (IRIS[:5].astype(str), ValueError, "text"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("method", ["predict", "transform", "score", "fit"])
def test_bad_rows(name, method):
    X, error, message = BAD[name]
    model = KMeans(3, random_state=0).fit(IRIS)
    if (name, method) == ("features", "fit"):
        assert model.fit(X).n_features_in_ == 3
        return
    with pytest.raises(error, match=message):
        getattr(model, method)(X)


def test_what_is_bad_is_told_in_the_same_order():
    with pytest.raises(ValueError, match="NaN"):
        KMeans(0, n_init=-1).fit(IRIS * np.nan)
    with pytest.raises(ValueError, match="n_clusters=0"):
        KMeans(0, n_init=-1).fit(IRIS)
    with pytest.raises(ValueError, match="should be >= n_clusters"):
        KMeans(9).fit(IRIS[:8])
    with pytest.raises(ValueError, match="[Ss]eed"):
        KMeans(3, random_state=-1).fit(IRIS)
    with pytest.raises(ValueError, match="[Ss]eed"):
        KMeans(3, random_state="x").fit(IRIS)
    for method in ("predict", "transform", "score"):
        with pytest.raises(NotFittedError):
            getattr(KMeans(3), method)(IRIS)


def test_names_of_features_come_and_go():
    frame = pd.DataFrame(IRIS, columns=list("abcd"))
    model = KMeans(3, random_state=0).fit(frame)
    assert model.feature_names_in_.tolist() == list("abcd")
    with pytest.warns(UserWarning, match="feature names"):
        model.predict(IRIS)
    model.fit(IRIS)
    assert not hasattr(model, "feature_names_in_") and model.n_features_in_ == 4
    with pytest.warns(UserWarning, match="feature names"):
        model.predict(frame)
