"""The estimator: scikit-learn's contract, and what belongs together."""

import json
import os
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from children import interrupted, needs_signals, signalled
from clocks import Clock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from problems import consistent, exact_grid, numbers
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris, make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from ckmeans import KMeans, reference, workers
from ckmeans.local import restarts, small

IRIS = load_iris().data
IRIS_OPTIMUM = 78.85144142614601  # proved: Peng & Wei (2007), du Merle et al. (2000)


@parametrize_with_checks(
    [
        KMeans(),
        KMeans(n_init=3, polish=False),
        KMeans(2, max_iter=300, n_threads=2, max_seconds=60),
        KMeans(algorithm="hybrid"),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


# ---- attributes belong together ----


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.float64, np.float32]),
    st.sampled_from(["k-means++", "random", "array", "callable"]),
    st.sampled_from(
        [{}, {"max_iter": 1}, {"max_iter": 3}, {"tol": 0.1}, {"polish": False}, {"max_seconds": 0}]
    ),
    st.booleans(),
    st.sampled_from([0, 1e4, -1e7]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_labels_centers_and_inertia_belong_together(seed, dtype, init, kwargs, weighted, offset):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(40, 2)) + offset).astype(dtype)
    weights = rng.uniform(0, 2, 40) if weighted else None
    starts = {"array": X[:4] + 0.1, "callable": lambda X, k, rng: X[rng.permutation(len(X))[:k]]}
    model = KMeans(4, init=starts.get(init, init), random_state=seed, n_init=2, **kwargs)
    consistent(model.fit(X, sample_weight=weights), X, weights)
    if not kwargs:  # at a fixed point the centers are the means, to the last bit but one
        means = reference.update(numbers(X), model.labels_.tolist(), 4, numbers(weights))
        assert np.allclose(model.cluster_centers_, np.array(means, float), rtol=4e-16, atol=1e-15)
    assert model.n_iter_ <= (model.max_iter or np.inf)
    assert 0 <= model.hit_rate_ <= 1


@pytest.mark.parametrize("polish", [False, True])
@given(st.integers(0, 2**32 - 1), st.integers(2, 10), st.integers(1, 2), st.integers(2, 5))
@example(582, 10, 2, 5)  # one move of a label is not enough
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
def test_the_order_of_the_centers_leaves_a_fixed_point(polish, seed, n, d, k):
    """Centers are put in lexicographic order in the end; where rows lie halfway between two, that moves labels."""
    X, _, _ = exact_grid(np.random.default_rng(seed), n, d, min(k, n))
    model = KMeans(min(k, n), n_init=1, polish=polish, random_state=seed % 1000).fit(X)
    consistent(model, X)
    means = reference.update(numbers(X), model.labels_.tolist(), model.n_clusters)
    assert all(mean is None or mean == center for mean, center in zip(means, numbers(model.cluster_centers_)))
    assert model.cluster_centers_.tolist() == sorted(model.cluster_centers_.tolist())


@pytest.mark.parametrize("max_iter", [1, 2, 3, 4])
def test_max_iter_holds_for_exchanges_and_swaps_too(max_iter):
    X = np.random.default_rng(0).normal(size=(60, 2))
    for seed in range(30):
        assert KMeans(3, max_iter=max_iter, random_state=seed).fit(X).n_iter_ <= max_iter


def test_fit_transform_and_the_names_of_its_columns():
    frame = pd.DataFrame(IRIS, columns=list("abcd"))
    model = KMeans(3, random_state=0)
    distances = model.fit_transform(frame)
    assert np.array_equal(distances, clone(model).fit(frame).transform(frame))
    exact = [
        [float(reference.sq_distance(x, c)) ** 0.5 for c in numbers(model.cluster_centers_)]
        for x in numbers(IRIS)
    ]
    assert np.allclose(distances, exact, rtol=1e-14)
    assert model.get_feature_names_out().tolist() == ["kmeans0", "kmeans1", "kmeans2"]
    assert model.feature_names_in_.tolist() == list("abcd") and model.n_features_in_ == 4
    for container in ("pandas", "polars"):
        out = clone(model).set_output(transform=container).fit_transform(frame)
        assert type(out).__module__.startswith(container)
        assert list(out.columns) == ["kmeans0", "kmeans1", "kmeans2"] and np.array_equal(out, distances)
    assert np.array_equal(model.fit_predict(frame), model.labels_)


@pytest.mark.parametrize("exponent", [-1000, -700, 700, 1000])
def test_transform_is_in_the_units_of_the_data(exponent):
    X = np.ldexp(IRIS, exponent)
    one, other = KMeans(3, random_state=0).fit(IRIS), KMeans(3, random_state=0).fit(X)
    assert np.array_equal(np.ldexp(one.transform(IRIS), exponent), other.transform(X))


@pytest.mark.parametrize("exponent", [-1060, -1000, -900, 900])
def test_rows_of_another_scale_than_those_of_the_fit(exponent):
    X = np.ldexp(IRIS, exponent)
    model = KMeans(3, random_state=0).fit(X)
    for others in (IRIS, -IRIS, np.zeros((1, 4)) + X[:1]):
        assert model.predict(others).tolist() == reference.assign(
            numbers(others), numbers(model.cluster_centers_)
        )
    norms = np.linalg.norm(np.ldexp(model.cluster_centers_, -exponent), axis=1)
    if exponent > 0:  # the rows are as nothing
        assert np.allclose(np.ldexp(model.transform(IRIS), -exponent), norms, rtol=1e-14)
    near = KMeans(3, random_state=0).fit(IRIS)
    assert near.predict(X).tolist() == reference.assign(numbers(X), numbers(near.cluster_centers_))
    if exponent < 0:  # the rows are as nothing, and none of this warns
        norms = np.linalg.norm(near.cluster_centers_, axis=1)
        assert np.allclose(near.transform(X), norms, rtol=1e-14)
        assert near.score(X) == pytest.approx(-150 * norms.min() ** 2)


@pytest.mark.parametrize("tiny", [1e-300, 1e-308, 1e-315])
def test_features_of_very_different_scale(tiny):
    X = np.column_stack([IRIS[:, 0], IRIS[:, 1] * tiny])
    model = KMeans(3, random_state=0).fit(X)
    consistent(model, X)
    means = [X[model.labels_ == k].mean(axis=0) for k in range(3)]
    assert np.allclose(model.cluster_centers_, means, rtol=1e-12, atol=1e-322)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("grain", [5e-324, 2.0**-1054])
def test_denormal_rows_whose_means_are_rounded(seed, grain):
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (30, 2)) * grain
    consistent(KMeans(3, random_state=seed, n_init=2).fit(X), X)


def test_the_label_of_a_row_depends_on_no_other_row():
    model = KMeans(3, random_state=0).fit(IRIS)
    batch = np.vstack([IRIS, np.full((1, 4), 1.7e308)])  # such values mark what is missing, in some files
    assert np.array_equal(model.predict(batch)[:150], model.labels_)


def test_distances_beyond_the_largest_number_are_infinite():
    X = np.array([[1.7e308], [-1.7e308], [1.6e308], [-1.6e308]])
    model = KMeans(2, random_state=0).fit(X)
    assert sorted(model.labels_) == [0, 0, 1, 1] and model.inertia_ == np.inf == -model.score(X)
    assert np.isinf(model.transform(X)).sum() == 4


def test_frames_and_lists():
    model = KMeans(3, random_state=0).fit(IRIS)
    for X in (pd.DataFrame(IRIS), pl.DataFrame(IRIS), IRIS.tolist(), pd.DataFrame(IRIS).convert_dtypes()):
        other = KMeans(3, random_state=0).fit(X, sample_weight=pd.Series(np.ones(150)))
        assert np.array_equal(other.cluster_centers_, model.cluster_centers_)
        assert np.array_equal(other.predict(X), model.labels_)
    with pytest.warns(UserWarning, match="feature names"):
        KMeans(3).fit(pd.DataFrame(IRIS, columns=list("abcd"))).predict(IRIS)
    small = KMeans(3, random_state=0).fit(IRIS.astype(np.float32))
    assert small.cluster_centers_.dtype == np.float64 and np.array_equal(small.labels_, model.labels_)
    assert np.array_equal(KMeans(2, random_state=0).fit([[True], [False]]).inertia_, 0)


def test_pickle_and_clone():
    model = KMeans(3, random_state=0).fit(IRIS)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict(IRIS), model.labels_) and again.inertia_ == model.inertia_
    fresh = clone(KMeans(3, init=IRIS[:3], max_seconds=1, polish=False))
    assert not hasattr(fresh, "labels_") and fresh.polish is False and np.array_equal(fresh.init, IRIS[:3])


def test_weights_travel_through_pipelines():
    weights = np.arange(150.0)
    alone = KMeans(3, random_state=0).fit(StandardScaler().fit_transform(IRIS), sample_weight=weights)
    chain = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(
        IRIS, kmeans__sample_weight=weights
    )
    assert np.array_equal(chain[-1].cluster_centers_, alone.cluster_centers_)
    with sklearn.config_context(enable_metadata_routing=True):
        model = (
            KMeans(3, random_state=0)
            .set_fit_request(sample_weight=True)
            .set_score_request(sample_weight=True)
        )
        chain = make_pipeline(FunctionTransformer(), model).fit(IRIS, sample_weight=weights)
        alone = KMeans(3, random_state=0).fit(IRIS, sample_weight=weights)
        assert np.array_equal(chain[-1].cluster_centers_, alone.cluster_centers_)
        assert chain.score(IRIS, sample_weight=weights) == -alone.inertia_


def test_random_state_makes_runs_repeatable():
    X = np.random.default_rng(0).normal(size=(300, 2))
    for init in ("k-means++", "random"):
        make = lambda state, init=init: KMeans(12, init=init, n_init=1, random_state=state).fit(X)  # noqa: E731
        assert np.array_equal(make(7).cluster_centers_, make(7).cluster_centers_)
        assert np.array_equal(make(7).cluster_centers_, make(np.random.RandomState(7)).cluster_centers_)
        assert len({make(seed).inertia_ for seed in range(5)}) > 1


def test_callable_and_array_init():
    calls = []

    def init(X, n_clusters, random_state):
        calls.append((X.shape, n_clusters, type(random_state)))
        return X[:n_clusters]

    model = KMeans(3, init=init, n_init=2, polish=False).fit(IRIS)
    assert calls == [((150, 4), 3, np.random.RandomState)] * 2
    given_start = KMeans(3, init=IRIS[:3], n_init=10, polish=False).fit(IRIS)
    assert given_start.n_restarts_ == 1 and given_start.inertia_ == model.inertia_
    # Given centers keep their order, others are in lexicographic order.
    upside_down = KMeans(3, init=IRIS[:3][::-1], polish=False).fit(IRIS)
    assert np.array_equal(upside_down.cluster_centers_, given_start.cluster_centers_[::-1])
    assert model.cluster_centers_.tolist() == sorted(model.cluster_centers_.tolist())
    tree = AgglomerativeClustering(3).fit_predict(IRIS)
    means = np.array([IRIS[tree == k].mean(axis=0) for k in range(3)])
    assert KMeans(3, init=means).fit(IRIS).inertia_ == pytest.approx(IRIS_OPTIMUM)


def test_restarts_are_counted_and_reported(capsys):
    model = KMeans(3, n_init=7, random_state=0, polish=False, verbose=1).fit(IRIS)
    *lines, last = capsys.readouterr().out.splitlines()
    assert last.startswith("labels decided by exact comparisons: ")
    assert model.n_restarts_ == 7 == len(lines) and lines[0].startswith("restart 1: best inertia ")
    assert lines[-1].endswith(f"{model.inertia_:.10g}")
    singles, state = [], np.random.RandomState(0)
    for _ in range(7):
        singles.append(KMeans(3, n_init=1, random_state=state, polish=False).fit(IRIS).inertia_)
    assert model.inertia_ == pytest.approx(min(singles), rel=1e-12)
    assert model.hit_rate_ == np.mean(np.array(singles) <= min(singles) * (1 + 1e-9))
    assert 0 < model.hit_rate_ < 1
    auto = KMeans(3, random_state=0).fit(IRIS)
    assert auto.n_restarts_ * auto.hit_rate_ == pytest.approx(8)  # so many where they are cheap
    assert KMeans(1).fit(IRIS).n_restarts_ == 1


# ---- quality ----


def test_iris_from_many_seeds():
    inertias = [KMeans(3, random_state=seed).fit(IRIS).inertia_ for seed in range(40)]
    assert inertias == pytest.approx([IRIS_OPTIMUM] * 40, rel=1e-14)


@pytest.mark.parametrize("std, n_best", [(0.3, 20), (0.2, 20)])
def test_the_default_finds_the_best_value(std, n_best):
    """scikit-learn's default finds it in 2.5 % (12 %) of seeds; benchmarks/default_quality.py has the exact counts."""
    X, _ = make_blobs(3000, centers=30, cluster_std=std, random_state=0)
    best = {0.3: 507.766890065599, 0.2: 228.26405336290944}[std]
    hits = sum(KMeans(30, random_state=seed).fit(X).inertia_ <= best * (1 + 1e-9) for seed in range(n_best))
    assert hits >= n_best - 1


# ---- limits ----


@pytest.fixture(scope="module")
def some():
    return np.random.default_rng(0).normal(size=(6000, 4))


@pytest.mark.parametrize("seconds", [0, 1, 5, 20, 45])
@pytest.mark.parametrize("init", ["k-means++", "array"])
def test_max_seconds(some, seconds, init):
    """Nothing is begun that the time does not allow, but the labels of what there is."""
    with Clock() as clock:
        init = some[:20] if init == "array" else init
        model = KMeans(20, init=init, max_seconds=seconds, random_state=0, n_threads=1).fit(some)
        assert clock.looks <= seconds + 40  # a pass takes 6 of them
    assert model.stop_reason_ == "time_limit"
    assert model.n_restarts_ == 0 == model.hit_rate_
    consistent(model, some)


def test_more_time_is_no_worse(some):
    values = []
    for seconds in (0, 10, 100, 10**6):
        with Clock():
            model = KMeans(20, max_seconds=seconds, n_init=1, random_state=0).fit(some)
        values.append(model.inertia_)
    assert model.stop_reason_ == "converged" and values[-1] <= min(values)


@pytest.mark.parametrize("init", ["k-means++", "array"])
def test_an_interrupt_leaves_the_best_so_far(some, init):
    """At whatever look at the clock it comes: while seeding, in Lloyd's iteration, in exchanges, in the second restart."""
    model = KMeans(20, init=some[:20] if init == "array" else init, n_init=2, random_state=0, n_threads=1)
    with Clock() as clock:
        model.fit(some)
    looks = clock.looks
    assert looks > 50
    for look in [*range(1, 20), *range(20, looks, 7), *range(looks - 10, looks + 1)]:
        model = clone(model)
        with Clock(interrupt=look):
            with pytest.raises(KeyboardInterrupt):
                model.fit(some)
        if hasattr(model, "labels_"):
            assert model.stop_reason_ in ("interrupted", "converged"), look
            consistent(model, some)
        else:  # while the rows are being looked at first there is nothing to keep
            assert look <= 2 and not [name for name in vars(model) if name.endswith("_")]
    assert not workers._running


def test_ctrl_c_while_seeding(monkeypatch):
    """There is a clustering even before the first one is complete: that of random rows, as with max_seconds."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(restarts.STARTS, "k-means++", interrupt)
    monkeypatch.setattr(small.Search, "run", interrupt)
    for model in (KMeans(5), KMeans(5, max_seconds=60, n_init=1, tol=0.1), KMeans(5, init=interrupt)):
        with pytest.raises(KeyboardInterrupt):
            model.fit(IRIS)
        assert model.stop_reason_ == "interrupted" and model.n_restarts_ == 0
        consistent(model, IRIS)


# Where a fit is when the signal comes, in the midst of what the kernels do there.
PHASES = {
    "while seeding": "restarts.STARTS['k-means++'] = held(restarts.STARTS['k-means++'])",
    "in Lloyd's iteration": "restarts.lloyd = held(restarts.lloyd)",
    "in exchanges": """
polish = restarts.polish
restarts.polish = held(lambda rows, partition, *more: polish(rows, partition.copy(), *more))""",
    "in swaps": """
lloyd, kept = restarts.lloyd, held(restarts.lloyd)
restarts.lloyd = lambda *args, **kwargs: (lloyd if kwargs.get('partition') is None else kept)(*args, **kwargs)""",
    "later": """
def progress(n, inertia):
    if n == 2:
        restarts.lloyd = held(restarts.lloyd)
model.set_params(verbose=progress, n_init=1000)""",
    "on few rows": """
X, Search = X[:1000].copy(), restarts.small.Search
Search.run = held(Search.run)
model.set_params(n_init=1000)""",
}


@needs_signals
@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_is_prompt(phase):
    """After it nothing is begun but what the result needs, which is there and is whole."""
    told = interrupted(f"""
from ckmeans import KMeans, workers
from ckmeans.local import restarts
X = np.random.default_rng(0).normal(size=(30_000, 8))
model, blocks = KMeans(20, random_state=0, n_threads=2), Blocks()
{PHASES[phase]}
try:
    model.fit(X)
except KeyboardInterrupt:
    late, begun = blocks.late(), len(blocks.begun)
    model.predict(X)
    pass_ = len(blocks.begun) - begun
    same = bool((model.predict(X) == model.labels_).all())
    tell(late=late, pass_=pass_, same=same, reason=model.stop_reason_, running=len(workers._running))
""")
    assert told["same"] and told["reason"] == "interrupted" and told["running"] == 0
    assert told["late"] <= 6 * told["pass_"]  # of a fit that would not end


@needs_signals
@pytest.mark.parametrize(
    "n_rows, step", [(6000, "round_off"), (6000, "trivial_bound"), (1000, "trivial_bound")]
)
def test_ctrl_c_while_the_result_is_put_together(n_rows, step):
    """The search has ended: nothing of it is lost."""
    told = interrupted(f"""
from ckmeans import KMeans
from ckmeans.local import restarts
X = np.random.default_rng(0).normal(size=({n_rows}, 4))
model, plain = KMeans(5, random_state=0), restarts.{step}
best = model.fit(X).inertia_
def late(*args, **kwargs):
    restarts.{step} = plain
    here()
    return plain(*args, **kwargs)
restarts.{step} = late
model = KMeans(5, random_state=0)
try:
    model.fit(X)
except KeyboardInterrupt:
    tell(same=bool((model.predict(X) == model.labels_).all()), inertia=[model.inertia_, best])
""")
    assert told["same"] and told["inertia"][0] == pytest.approx(told["inertia"][1], rel=1e-12)


# ---- processes and threads ----


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_after_a_fit():
    """In a process of its own, in which no other threads are."""
    code, lines, errors = signalled([sys.executable, "-W", "ignore:.*fork:DeprecationWarning", "-c", """
import multiprocessing
import numpy as np
from ckmeans import KMeans
from sklearn.datasets import load_iris
def fit(queue):
    queue.put(KMeans(3, random_state=0, n_threads=2).fit(load_iris().data).inertia_)
big = np.random.default_rng(0).normal(size=(120_000, 8))
KMeans(8, n_init=1, max_iter=3, n_threads=4).fit(big)  # warm: threads were used
context = multiprocessing.get_context("fork")
queue = context.Queue()
children = [context.Process(target=fit, args=(queue,)) for _ in range(2)]
for child in children:
    child.start()
print([queue.get() for _ in children])
for child in children:
    child.join()
    print(child.exitcode)
"""])  # fmt: skip
    assert (code, lines[1:]) == (0, ["0", "0"]), errors
    assert json.loads(lines[0]) == pytest.approx([IRIS_OPTIMUM] * 2)


def test_concurrent_fits():
    X = np.random.default_rng(0).normal(size=(30_000, 4))
    fit = lambda seed: KMeans(6, random_state=seed, n_init=1, max_iter=20).fit(X).cluster_centers_  # noqa: E731
    alone = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, range(4)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together))
    left = [thread for thread in threading.enumerate() if thread.name.startswith("ckmeans")]
    assert not left
