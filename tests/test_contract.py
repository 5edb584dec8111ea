"""What every way to a clustering keeps, whoever computes it: one body for all algorithms, solvers and estimators."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from clocks import Clock
from problems import exact_cost
from scipy.sparse import csr_array

from ckmeans import (
    ExactKMeans,
    KMeans,
    SphericalMixture,
    certify,
    choose_k,
    exhaustive_search,
    fit_many,
    landscape,
    natural_breaks,
    reference,
)
from ckmeans.local import small


class Found(NamedTuple):
    """A clustering, and what else there is: None for what the solver does not tell."""

    labels: np.ndarray
    inertia: float | None = None
    lower_bound: float = 0.0
    stop_reason: str | None = None
    bits: tuple = ()  # whatever else must be the same for every number of threads


class Solver(NamedTuple):
    """How to call a solver, and what it has.

    Attributes
    ----------
    solve : callable(X, n_clusters, sample_weight, **options)
    n_rows : int
        Random rows that it has no time to put into four clusters under a limit of a few looks at the clock.
    n_shared : int
        Random rows that it does put into four clusters, on any number of threads.
    limit : str or None
        Name of the parameter with the seconds.
    threads : bool
        Whether there is `n_threads`.
    n_features : int
    """

    solve: Callable
    n_rows: int = 300
    n_shared: int = 300
    limit: str | None = None
    threads: bool = True
    n_features: int = 2


def of_model(model):
    """What a fitted estimator has."""
    others = [
        getattr(model, name)
        for name in ("cluster_centers_", "means_", "lower_bounds_")
        if hasattr(model, name)
    ]
    mixture = isinstance(model, SphericalMixture)  # its lower bound is of something else
    inertia, bound = (None, 0.0) if mixture else (model.inertia_, model.lower_bound_)
    return Found(model.labels_, inertia, bound, model.stop_reason_, (model.n_features_in_, *others))


def estimator(make):
    def solve(X, k, weights, **options):
        model = make(k, random_state=0, **options)
        try:
            model.fit(X, sample_weight=weights)
        except KeyboardInterrupt:
            if not hasattr(model, "labels_"):
                raise
        else:
            assert np.array_equal(model.predict(X), model.labels_)
        return of_model(model)

    return solve


def by_general_kernels(X, k, weights, **options):
    """As of large data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "MOST_ROWS", 0)
        return by_algorithm("auto")(X, k, weights, **options)


def by_sparse_rows(X, k, weights, **options):
    X = np.asarray(X)
    X = csr_array(X.astype(X.dtype.newbyteorder("=")))
    return estimator(lambda k, **options: KMeans(k, n_init=20, **options))(X, k, weights, **options)


def by_landscape(X, k, weights, **options):
    found = landscape(X, k, 30, sample_weight=weights, random_state=0, **options)
    bits = found.labels, found.inertia, found.counts, found.n_iter
    return Found(found.labels[0], found.inertia[0], 0.0, found.stop_reason, bits)


def by_choose_k(X, k, weights, **options):
    draws = {"n_references": 2, "n_resamples": 2, "random_state": 0}
    found = choose_k(X, [k, k + 1], sample_weight=weights, **draws, **options)
    return Found(
        found.labels.get(k), found.inertia[0], 0.0, found.stop_reason, tuple(found.criteria.values())
    )


def by_certify(X, k, weights, **options):
    found = certify(X, n_clusters=k, sample_weight=weights, random_state=0, **options)
    return Found(found.labels, found.inertia, found.lower_bound, found.stop_reason, (found.text(),))


def of_solution(found):
    return Found(found.labels, found.inertia, found.lower_bound, found.stop_reason, (found.centers,))


def by_fit_many(X, k, weights, **options):
    found = fit_many(
        [X, X], k, sample_weight=None if weights is None else [weights] * 2, random_state=0, **options
    )
    return Found(found[1].labels, found[1].inertia, 0.0, None, (found[1].centers, found[0].inertia))


def by_exhaustive_search(X, k, weights, **options):
    return of_solution(exhaustive_search(X, k, sample_weight=weights, **options))


def by_natural_breaks(X, k, weights):
    return of_solution(natural_breaks(X, k, sample_weight=weights))


def by_algorithm(name):
    return estimator(lambda k, **options: KMeans(k, algorithm=name, **options))


def tied(k, **options):
    return SphericalMixture(k, variance="tied", **options)


SOLVERS = {
    "KMeans": Solver(by_algorithm("auto"), 6000, 3000, "max_seconds"),
    "KMeans lloyd": Solver(by_algorithm("lloyd"), 6000, 3000, "max_seconds"),
    "KMeans hamerly": Solver(by_algorithm("hamerly"), 6000, 3000, "max_seconds"),
    "KMeans yinyang": Solver(by_algorithm("yinyang"), 6000, 3000, "max_seconds"),
    "KMeans cells": Solver(by_algorithm("cells"), 6000, 3000, "max_seconds"),
    "KMeans hybrid": Solver(by_algorithm("hybrid"), 6000, 300, "max_seconds"),
    "KMeans of large data": Solver(by_general_kernels, 6000, 3000, "max_seconds"),
    "KMeans of sparse rows": Solver(by_sparse_rows, 6000, 3000, "max_seconds"),
    "ExactKMeans": Solver(estimator(ExactKMeans), 60, 14, "time_limit"),
    "SphericalMixture": Solver(estimator(tied), 6000, 3000, "max_seconds"),
    "fit_many": Solver(by_fit_many),
    "landscape": Solver(by_landscape, 6000, 300, "max_seconds"),
    "choose_k": Solver(by_choose_k, 300, 60, "time_limit"),
    "certify": Solver(by_certify, 60, 14, "time_limit"),
    "exhaustive_search": Solver(by_exhaustive_search, 18, 12, "time_limit"),
    "natural_breaks": Solver(by_natural_breaks, threads=False, n_features=1),
}
every = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
with_threads = [pytest.param(solver, id=name) for name, solver in SOLVERS.items() if solver.threads]
with_limit = [pytest.param(solver, id=name) for name, solver in SOLVERS.items() if solver.limit]


def plain(n_features):
    """Nine rows in three clusters that nobody misses, on a grid that float32 holds."""
    rng = np.random.default_rng(n_features)
    centers = np.array([[0, 0], [40, 8], [16, 56]])[:, :n_features]
    return (centers[np.arange(9) % 3] + rng.integers(-3, 4, (9, n_features))).astype(float)


@cache
def optimum(n_features):
    """Labels and cost by the oracle."""
    return reference.best_partition(plain(n_features).tolist(), 3)


def same_clusters(one, other):
    """Whether labels mean the same, whatever the clusters are called."""
    return len(set(zip(one, other))) == len(set(one)) == len(set(other))


def is_consistent(found, X, weights=None):
    """Labels are labels, and cost what is said, which no bound exceeds."""
    assert found.labels.dtype == np.int32 and found.labels.shape == (len(X),)
    if found.inertia is not None:
        cost = float(exact_cost(X, found.labels, weights))
        assert cost * (1 - 1e-12) <= found.inertia and found.lower_bound <= found.inertia
    return True


@every
def test_the_best_clusters_and_what_they_cost(solver):
    X, (labels, cost) = plain(solver.n_features), optimum(solver.n_features)
    found = solver.solve(X, 3, None)
    assert is_consistent(found, X) and same_clusters(found.labels, labels)
    assert found.inertia is None or found.inertia == pytest.approx(float(cost), rel=1e-12)


@every
def test_whole_weights_are_repeated_rows(solver):
    X = plain(solver.n_features)
    weights = np.arange(9) % 3 + 1.0
    copies = np.repeat(np.arange(9), weights.astype(int))
    found, repeated = solver.solve(X, 3, weights), solver.solve(X[copies], 3, None)
    assert same_clusters(found.labels[copies], repeated.labels)
    assert found.inertia is None or found.inertia == pytest.approx(repeated.inertia, rel=1e-12)


@every
def test_rows_without_weight_count_for_nothing(solver):
    X = plain(solver.n_features)
    weights = np.arange(9) % 4 + 0.0
    some = weights > 0
    found, fewer = solver.solve(X, 3, weights), solver.solve(X[some], 3, weights[some])
    assert same_clusters(found.labels[some], fewer.labels)
    assert found.inertia is None or found.inertia == pytest.approx(fewer.inertia, rel=1e-12)


@every
def test_the_order_of_the_rows_means_nothing(solver):
    X = plain(solver.n_features)
    order = np.random.default_rng(0).permutation(9)
    one, other = solver.solve(X, 3, None), solver.solve(X[order], 3, None)
    assert same_clusters(one.labels[order], other.labels)
    assert one.inertia is None or one.inertia == pytest.approx(other.inertia, rel=1e-12)


@every
@pytest.mark.parametrize("exponent", [-400, -30, 30, 400])
def test_the_unit_means_nothing(solver, exponent):
    X = plain(solver.n_features)
    one, other = solver.solve(X, 3, None), solver.solve(np.ldexp(X, exponent), 3, None)
    assert np.array_equal(one.labels, other.labels)
    assert one.inertia is None or other.inertia == np.ldexp(one.inertia, 2 * exponent)


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
def test_any_layout_gives_the_same_bits(solver, dtype, tmp_path):
    X = plain(solver.n_features).astype(dtype)
    X.tofile(tmp_path / "X")
    frozen, wide = X.copy(), np.zeros((18, 7), dtype)
    frozen.flags.writeable = False
    wide[::2, 1 : 2 * X.shape[1] : 2] = X
    layouts = {
        "read-only": frozen,
        "mapped": np.memmap(tmp_path / "X", dtype, "r", shape=X.shape),
        "Fortran": np.asfortranarray(X),
        "strided": wide[::2, 1 : 2 * X.shape[1] : 2],
        "backwards": X[::-1].copy()[::-1],
        "bytes swapped": X.astype(X.dtype.newbyteorder()),
    }
    if dtype == np.float64:
        layouts |= {"integers": X.astype(np.int16), "lists": X.tolist()}
    expected = solver.solve(X, 3, None)
    for name, layout in layouts.items():
        before = np.array(layout)
        assert bits(solver.solve(layout, 3, np.ones(18)[::2])) == bits(expected), name
        assert np.array_equal(layout, before), name


@every
def test_single_precision_means_the_same(solver):
    X = plain(solver.n_features)
    one, other = solver.solve(X, 3, None), solver.solve(X.astype(np.float32), 3, None)
    assert np.array_equal(one.labels, other.labels)
    assert one.inertia is None or one.inertia == pytest.approx(other.inertia, rel=1e-12)


def even(n, solver):
    """Rows without clusters."""
    return np.random.default_rng(0).normal(size=(n, solver.n_features))


def bits(found):
    return [np.asarray(value).tobytes() for value in (found.labels, found.inertia, *found.bits)]


@pytest.mark.parametrize("solver", with_threads)
def test_the_same_bits_for_any_number_of_threads(solver):
    X = even(solver.n_shared, solver)
    one, *others = (solver.solve(X, 4, None, n_threads=n) for n in (1, 2, 3))
    assert is_consistent(one, X) and all(bits(other) == bits(one) for other in others)


@pytest.mark.parametrize("solver", with_limit)
def test_a_limit_leaves_a_clustering(solver):
    X = even(solver.n_rows, solver)
    with Clock():
        found = solver.solve(X, 4, None, n_threads=1, **{solver.limit: 8})
    assert found.stop_reason == "time_limit"
    assert found.labels is None or is_consistent(found, X)


@pytest.mark.parametrize("solver", with_limit)
def test_ctrl_c_leaves_a_clustering_or_nothing(solver):
    """Estimators raise it again with their attributes set; functions return what there is."""
    X, n_found = even(solver.n_rows, solver), 0
    for look in (1, 4, 9, 40):
        with Clock(interrupt=look):
            try:
                found = solver.solve(X, 4, None, n_threads=1, **{solver.limit: 300})
            except KeyboardInterrupt:  # there was nothing yet
                continue
        assert found.stop_reason == "interrupted" and (found.labels is None or is_consistent(found, X))
        n_found += found.labels is not None
    assert n_found
