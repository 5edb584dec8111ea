"""The semidefinite bound: never above the optimum whatever its multipliers are, and mostly as high."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from children import interrupted, needs_signals
from clocks import Clock

from ckmeans import certify, check, reference
from ckmeans._kernels import semidefinite as kernels
from ckmeans.exact import semidefinite
from ckmeans.exact.items import Items
from ckmeans.exact.semidefinite import Relaxation, _Scaled, semidefinite_bound
from ckmeans.proofs.portfolio import prove
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.proof_lines import proof_text, semidefinite_proof
from ckmeans.workers import Expired


def instance(seed):
    """A small problem with its optimum; often ties, equal rows and weights."""
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(4, 9)), int(rng.integers(1, 4)), int(rng.integers(2, 4))
    X = rng.integers(0, 4, (n, d)).astype(float) if seed % 2 else np.round(rng.normal(size=(n, d)), 2)
    X = X * 2.0 ** int(rng.choice([0, 0, -30, 40])) + float(rng.choice([0, 0, 1e6]))
    weights = rng.integers(1, 4, n) / 2 if seed % 3 == 0 else None
    labels, best = reference.best_partition(X.tolist(), k, None if weights is None else weights.tolist())
    return rng, X, weights, k, np.array(labels), best


def found_by_the_checker(problem, k, labels, found, status="optimal-unique"):
    text = proof_text(problem, k, labels, status, semidefinite_proof(*found[1:-2]), Fraction(0))
    reader = check.Reader(text.encode())
    return check.prove(check.read_problem(reader, None), reader)


def rows_and_labels(problem, labels):
    first = [problem.place.index(row) for row in range(len(problem.rows))]
    return problem.rows, problem.weights, labels[first]


def test_below_the_optimum_and_as_checked():
    n_all = n_tight = 0
    for seed in range(48):
        rng, X, weights, k, labels, best = instance(seed)
        problem = ExactProblem(X, weights)
        rows, masses, own = rows_and_labels(problem, labels)
        if len(rows) <= k or not best:
            continue
        if seed % 4 == 0:  # a poor clustering to start from
            own = rng.integers(0, k, len(rows))
        found = semidefinite_bound(rows, masses, k, own, best * problem.unit)
        assert found.bound <= best * problem.unit
        assert set(found.labels.tolist()) <= set(range(k))
        bound, unique = found_by_the_checker(problem, k, labels.tolist(), found)
        assert found.bound <= bound <= best * problem.unit
        plain = found_by_the_checker(problem, k, labels.tolist(), found, "bounded")[0]
        assert plain <= best * problem.unit
        n_all += 1
        n_tight += found.bound >= best * problem.unit * (1 - Fraction(1, 10**6))
        if unique:
            costs = [
                reference.cost(X.tolist(), list(p), None if weights is None else weights.tolist())
                for p in reference.partitions(len(X), k)
            ]
            equal = len(rows) < len(X)  # equal rows may part only where that costs more
            assert sum(cost == best for cost in costs) == 1 or equal
    assert n_all > 25 and n_tight > 0.8 * n_all


@pytest.mark.parametrize("seed", range(20))
def test_any_multipliers_give_a_bound(seed):
    rng, X, weights, k, labels, best = instance(seed)
    problem = ExactProblem(X, weights)
    rows, masses, own = rows_and_labels(problem, labels)
    if len(rows) <= k:
        return
    scaled = _Scaled(Items.of(rows, masses))
    relaxation = Relaxation(scaled.X, scaled.weights, k, own)
    n = len(rows)
    below = rng.random((n, n)) * 10.0 ** rng.integers(-6, 1)
    cuts = np.array([(i, *sorted(rng.choice(np.delete(np.arange(n), i), 2))) for i in range(n)], np.int32)
    found = scaled.whole(relaxation, (below + below.T, cuts, rng.random(n)), "")
    assert found.bound <= best * problem.unit
    bound = found_by_the_checker(problem, k, labels.tolist(), found)[0]
    assert found.bound <= bound <= best * problem.unit


def test_the_float_bound_is_that_of_the_integers():
    X = np.random.default_rng(0).normal(size=(40, 5))
    problem = ExactProblem(X)
    scaled = _Scaled(Items.of(problem.rows, problem.weights))
    relaxation = Relaxation(scaled.X, scaled.weights, 3, np.arange(40) % 3)
    for _ in range(4):
        for _ in range(10):
            relaxation.step()
        relaxation.cut()
        relaxation.balance()
        whole = scaled.whole(relaxation, relaxation.multipliers(), "").bound
        assert float(whole / scaled.unit) == pytest.approx(relaxation.bound(), rel=1e-7)
    assert len(relaxation.cuts) > 0


def test_cuts_that_are_violated_most():
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(12, 12))
    Z = Z + Z.T
    violations, partners = np.empty((12, 12)), np.empty((12, 12), np.int32)
    kernels.separate(Z, 0, 12, violations, partners)
    for i in range(12):
        for j in range(12):
            if i == j:
                assert violations[i, j] == -1
                continue
            by = {h: Z[i, j] + (Z[i, h] - Z[j, h] if h != j else 0) - Z[i, i] for h in range(j, 12) if h != i}
            assert violations[i, j] == pytest.approx(max(by.values()))
            assert by[partners[i, j]] == max(by.values())


def test_the_projection_satisfies_the_cuts():
    rng = np.random.default_rng(2)
    n = 9
    weights = rng.random(n) + 0.5
    inverse = 1 / np.sqrt(weights)
    A = rng.normal(size=(n, n))
    A = A + A.T
    cuts = [(i, j, h) for i in range(n) for j, h in combinations([r for r in range(n) if r != i], 2)]
    cuts += [(i, j, j) for i in range(n) for j in range(n) if i != j]
    cuts, by, B = np.array(cuts, np.int32), np.zeros(len(cuts)), A.copy()
    for _ in range(3000):
        kernels.project(B, inverse, cuts, by, 0, 100)
        kernels.project(B, inverse, cuts, by, 100, len(cuts))
    Z = B * np.outer(inverse, inverse)
    i, j, h = cuts.T
    left = np.where(j == h, Z[i, i] - Z[i, j], Z[i, i] + Z[j, h] - Z[i, j] - Z[i, h])
    assert left.min() > -1e-9
    assert by.min() >= 0 and np.abs(by * left).max() < 1e-6
    total = A.copy()
    kernels.combine(inverse, cuts, by, total)
    assert total == pytest.approx(B)


@pytest.mark.parametrize("n, d, k", [(60, 8, 2), (40, 12, 3)])
def test_many_features(n, d, k):
    """Separate groups are proved unique, noise to within a little."""
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, d))
    found = prove(X, k, methods=["search", "sdp"], rng=0)
    assert found.gap < 0.05 and found.checked
    X[np.arange(n) % k == 0] += 2
    found = prove(X, k, methods=["search", "sdp"], rng=0)
    assert (found.method, found.status) == ("sdp", "optimal-unique")
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_where_the_method_is_taken():
    rng = np.random.default_rng(0)
    assert certify(rng.normal(size=(50, 10)), n_clusters=2, random_state=0).method == "sdp"


def test_a_better_clustering_comes_of_it():
    X = np.random.default_rng(3).normal(size=(30, 6)) + 3 * (np.arange(30) % 2)[:, None]
    found = prove(X, 2, labels=(np.arange(30) // 15).astype(np.int32), methods=["sdp"])
    assert found.better is not None and found.better.status == "optimal-unique"


def test_no_time(monkeypatch):
    X = np.random.default_rng(0).normal(size=(150, 10))
    problem = ExactProblem(X)
    labels = np.arange(150) % 3
    cost = problem.cost(labels) * problem.unit
    steps, step = [], semidefinite.Relaxation.step
    monkeypatch.setattr(semidefinite.Relaxation, "step", lambda own: (steps.append(0), step(own)))
    found = semidefinite_bound(problem.rows, problem.weights, 3, labels, cost, max_seconds=0)
    assert found.stop_reason == "time_limit" and len(steps) <= 1
    assert found_by_the_checker(problem, 3, labels.tolist(), found)[0] >= found.bound > 0


def test_making_numbers_of_rows_takes_of_the_time():
    """And as much again is left for a bound of whole numbers: of 200 x 3,000 each took half a second, beyond the limit."""
    with Clock(0.4) as clock:
        begin = clock()
        assert semidefinite.time_left(begin, None) is None
        assert semidefinite.time_left(begin, 5) == pytest.approx(5 - 2 * 0.4)
        assert semidefinite.time_left(begin, 1) == 0


def test_products_of_items():
    rng = np.random.default_rng(0)
    rows, weights = rng.integers(-(2**60), 2**60, (9, 7)).tolist(), [1, 3, 2**40, 1, 1, 5, 7, 1, 2]
    scaled = _Scaled(Items.of(rows, weights))
    for (x, w), with_center, own in zip(zip(rows, weights), *scaled.products):
        assert with_center == sum(c * (2 * w * v - w * c) for v, c in zip(x, scaled.center))
        assert own == sum((w * v) ** 2 for v in x)


def test_interrupted():
    X = np.random.default_rng(0).normal(size=(150, 10))
    problem, seen = ExactProblem(X), []

    def progress(lower):
        seen.append(lower)
        if len(seen) == 3:
            raise KeyboardInterrupt

    labels = np.arange(150) % 3
    cost = problem.cost(labels) * problem.unit
    found = semidefinite_bound(problem.rows, problem.weights, 3, labels, cost, progress=progress)
    assert found.stop_reason == "interrupted"
    assert abs(found.bound / seen[-1] - 1) < Fraction(1, 10**6)


@needs_signals
def test_ctrl_c():
    """No thread of ours is left behind, and none was there before."""
    told = interrupted("""
import threading
from ckmeans.exact import semidefinite
from ckmeans.proofs.problem import ExactProblem
problem, labels = ExactProblem(np.random.default_rng(0).normal(size=(60, 10))), np.arange(60) % 3
semidefinite.Relaxation.step, seen = held(semidefinite.Relaxation.step), []
cost = problem.cost(labels) * problem.unit
found = semidefinite.semidefinite_bound(problem.rows, problem.weights, 3, labels, cost, progress=seen.append)
threads = [thread.name for thread in threading.enumerate()]
tell(reason=found.stop_reason, below=bool(found.bound <= cost), threads=threads)
""")
    assert told == {"reason": "interrupted", "below": True, "threads": ["MainThread"]}


def test_what_is_told_on_the_way_is_true():
    """A bound of eigenvalues that are not exact is too high: of these rows it was by 2e-5 of it."""
    rng = np.random.default_rng(0)
    X = np.vstack([own + rng.normal(size=(90, 10)) for own in 2.4 * np.eye(3, 10)])
    problem, labels, told, n_looks = ExactProblem(X), np.repeat([0, 1, 2], 90), [], 0

    def check():
        nonlocal n_looks
        n_looks += 1
        if n_looks == 240:
            raise Expired

    given = problem.rows, problem.weights, 3, labels, problem.cost(labels) * problem.unit
    found = semidefinite_bound(*given, progress=told.append, check=check)
    assert len(told) > 3 and told == sorted(told)
    assert found.stop_reason == "time_limit" and abs(1 - found.bound / told[-1]) < 1e-7
