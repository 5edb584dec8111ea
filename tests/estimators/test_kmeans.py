"""The estimator: scikit-learn's contract, and what belongs together."""

import json
import os
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import sklearn
from children import signalled
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from problems import consistent, exact_grid, numbers
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from ckmeans import KMeans, reference

try:
    import polars as pl
except ImportError:  # it has no wheels for free-threaded builds
    pl = None

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
    n_init = 1 if init == "array" else 2
    model = KMeans(4, init=starts.get(init, init), random_state=seed, n_init=n_init, **kwargs)
    consistent(model.fit(X, sample_weight=weights), X, weights)
    if not kwargs:  # at a fixed point the centers are the means, to the last bit but one
        means = reference.update(numbers(X), model.labels_.tolist(), 4, numbers(weights))
        if dtype == np.float64:
            assert np.allclose(model.cluster_centers_, np.array(means, float), rtol=4e-16, atol=1e-15)
        elif offset != -1e7:  # where rounding the centers moves labels
            assert np.allclose(model.cluster_centers_, np.array(means, float), rtol=1e-7, atol=1e-15)
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
    for container in ("pandas", "polars") if pl else ("pandas",):
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
    of_polars = [pl.DataFrame(IRIS)] if pl else []
    for X in (pd.DataFrame(IRIS), *of_polars, IRIS.tolist(), pd.DataFrame(IRIS).convert_dtypes()):
        other = KMeans(3, random_state=0).fit(X, sample_weight=pd.Series(np.ones(150)))
        assert np.array_equal(other.cluster_centers_, model.cluster_centers_)
        assert np.array_equal(other.predict(X), model.labels_)
    with pytest.warns(UserWarning, match="feature names"):
        KMeans(3).fit(pd.DataFrame(IRIS, columns=list("abcd"))).predict(IRIS)
    small = KMeans(3, random_state=0).fit(IRIS.astype(np.float32))
    assert small.cluster_centers_.dtype == np.float32 and np.array_equal(small.labels_, model.labels_)
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
    with pytest.warns(RuntimeWarning, match="only one init in KMeans instead of n_init=10"):
        given_start = KMeans(3, init=IRIS[:3], n_init=10, polish=False).fit(IRIS)
    assert given_start.n_restarts_ == 1 and given_start.inertia_ == model.inertia_
    # Given centers keep their order, others are in lexicographic order.
    upside_down = KMeans(3, init=IRIS[:3][::-1], polish=False).fit(IRIS)
    assert np.array_equal(upside_down.cluster_centers_, given_start.cluster_centers_[::-1])
    assert model.cluster_centers_.tolist() == sorted(model.cluster_centers_.tolist())
    tree = AgglomerativeClustering(3).fit_predict(IRIS)
    means = np.array([IRIS[tree == k].mean(axis=0) for k in range(3)])
    assert KMeans(3, init=means).fit(IRIS).inertia_ == pytest.approx(IRIS_OPTIMUM)


# ---- processes and threads ----


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_after_a_fit():
    """In a process of its own, in which no other threads are."""
    script = """
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
"""
    quiet = "ignore:.*fork:DeprecationWarning"
    code, lines, errors = signalled([sys.executable, "-W", quiet, "-c", script])
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
