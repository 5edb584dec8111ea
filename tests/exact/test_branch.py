"""Repetitive branch and bound: the optima of all suffixes against the reference, the nodes it takes, and the way it stops."""

import os
from fractions import Fraction

import numpy as np
import pytest
from children import interrupted, needs_signals
from clocks import Clock

from ckmeans import check, reference
from ckmeans.exact import branch
from ckmeans.exact.branch import _Search, branch_and_bound
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.proof_lines import proof_text, tree_proof
from ckmeans.workers import Workers

FACTOR = int(os.environ.get("CKMEANS_TEST_FACTOR", 1))


def solve(X, k, weights=None, **kwargs):
    problem = ExactProblem(np.asarray(X, float), None if weights is None else np.asarray(weights, float))
    return problem, branch_and_bound(problem.rows, problem.weights, k, **kwargs)


def checked(problem, k, found):
    """The bound that the checker finds, and whether no other clustering reaches it."""
    labels = found.labels[np.array(problem.place)].tolist()
    text = proof_text(problem, k, labels, "optimal", tree_proof(found.order, found.suffix))
    reader = check.Reader(text.encode())
    return check.prove(check.read_problem(reader, None), reader)


def instances(n):
    rng = np.random.default_rng(5)
    for at in range(n):
        n_rows, d, k = int(rng.integers(1, 8)), int(rng.integers(1, 4)), int(rng.integers(1, 5))
        X = [
            rng.integers(0, 3, (n_rows, d)),
            rng.random((n_rows, d)),
            rng.integers(0, 2, (n_rows, d)) * 2.0**40 + rng.random((n_rows, d)),
        ][at % 3].astype(float)
        yield X, k, rng.integers(1, 4, n_rows) * 0.25 if at % 2 else np.ones(n_rows)


def test_the_optimum_of_every_suffix():
    for X, k, weights in instances(60 * FACTOR):
        problem, found = solve(X, k, weights)
        rows = [[Fraction(x, 2**problem.scale) for x in row] for row in problem.rows]
        own = [Fraction(w, 2**problem.weight_scale) for w in problem.weights]
        assert found.stop_reason == "proved" and found.cost == found.suffix[0]
        assert reference.cost(rows, found.labels.tolist(), own) * problem.unit == found.cost
        assert sorted(found.order) == list(range(len(rows)))
        for first, claimed in enumerate(found.suffix):
            part = found.order[first:]
            best = reference.best_partition([rows[i] for i in part], k, [own[i] for i in part])[1]
            assert best * problem.unit == claimed


def blobs(n, d, k, spread, seed=0):
    rng = np.random.default_rng(seed)
    centers = spread * rng.normal(size=(k, d))
    return (centers[rng.integers(k, size=n)] + rng.normal(size=(n, d))).round(3)


# Nodes as they are now: a change that makes them more has to say why.
NODES = [
    (np.random.default_rng(0).random((30, 2)).round(3), 3, 3_100),
    (np.random.default_rng(1).random((50, 2)).round(3), 3, 9_400),
    (np.random.default_rng(0).random((60, 2)).round(3), 2, 8_000),
    (blobs(200, 3, 5, 12.0), 5, 24_000),
    (blobs(240, 2, 6, 20.0, 1), 6, 30_000),
]


@pytest.mark.parametrize("X, k, most", NODES, ids=[f"{len(X)}-{k}" for X, k, _ in NODES])
def test_nodes(X, k, most):
    """Pruning gets no worse."""
    problem, found = solve(X, k, max_nodes=10**6)
    assert found.stop_reason == "proved" and found.n_nodes <= most
    assert checked(problem, k, found) == (found.cost, True)


def test_a_good_order_spares_nodes():
    X = np.random.default_rng(1).random((24, 2))
    _, found = solve(X, 3)
    _, other = solve(X, 3, order=np.random.default_rng(0).permutation(24).tolist())
    assert found.cost == other.cost and 2 * found.n_nodes < other.n_nodes


def test_rows_are_moved_about_in_the_order_where_that_spares_nodes(monkeypatch):
    X = np.random.default_rng(0).random((30, 2))
    _, found = solve(X, 5)
    monkeypatch.setattr(branch, "FEW", 10**9)
    _, first = solve(X, 5)
    assert found.cost == first.cost and 2 * found.n_nodes < first.n_nodes
    assert found.n_looked_at > first.n_looked_at == first.n_nodes


def test_the_same_for_every_number_of_threads(monkeypatch):
    """Subtrees are given away at every opportunity."""
    X, order = np.random.default_rng(0).random((24, 2)), np.random.default_rng(0).permutation(24).tolist()
    _, whole = solve(X, 4, order=order, n_threads=1)
    monkeypatch.setattr(branch, "WORK", 0)
    monkeypatch.setattr(branch, "LEAST_NODES", 7)
    parts = [solve(X, 4, order=order, n_threads=n)[1] for n in (1, 2, 5)]
    for found in parts:
        assert (found.suffix, found.n_looked_at) == (parts[0].suffix, parts[0].n_looked_at)
        assert np.array_equal(found.labels, parts[0].labels)
    assert parts[0].suffix == whole.suffix


def test_no_subtree_is_lost(monkeypatch):
    """With the optima known, the nodes are the same however the search is cut."""
    problem, order = ExactProblem(np.random.default_rng(0).random((20, 2))), list(range(20))
    search = _Search(problem.rows, problem.weights, 4, 10**9)
    with Workers(2) as search.workers:
        search.begin(None)
        search.trial(order, 10**9)
        counts = search.trial(order, 10**9).counts
        for search.slice, most in ((1, 1), (7, 3), (7, 32), (100, 32)):
            monkeypatch.setattr(branch, "MOST_TASKS", most)
            assert search.trial(order, 10**9).counts == counts
    assert sum(counts) > 3000


@pytest.mark.parametrize("start", ["none", "poor"])
def test_ties_by_the_dozen(start):
    """Rows on a grid: many partitions cost the same; integers tell that without comparing each."""
    X = np.array([[i, j] for i in range(5) for j in range(5)], float)
    labels = None if start == "none" else [0] * 25
    problem, found = solve(X, 4, labels=labels)
    assert found.stop_reason == "proved"
    bound, unique = checked(problem, 4, found)
    assert bound == found.cost and not unique


def test_floats_that_cannot_tell():
    """Costs that differ by less than doubles can tell, and far offsets: decided exactly."""
    X = np.array([[0.0], [1.0], [2.0 - 2.0**-52], [1e9], [1e9 + 1]])
    problem, found = solve(X, 3)
    best = reference.best_partition(X.tolist(), 3)[1]
    assert found.cost == best * problem.unit and found.labels[1] == found.labels[2]
    X = np.ldexp(np.random.default_rng(0).random((8, 2)), -600) + [[2.0**-590, 0]]
    _, tiny = solve(X, 3)
    _, large = solve(np.ldexp(X, 1100), 3)
    assert tiny.labels.tolist() == large.labels.tolist()


def test_limits():
    X = np.random.default_rng(0).normal(size=(40, 10)).round(3)
    _, found = solve(X, 4, max_nodes=3000)
    assert found.stop_reason == "node_limit"
    with Clock() as clock:
        problem, other = solve(X, 4, time_limit=50)
    assert other.stop_reason == "time_limit" and clock.looks >= 50
    for result in (found, other):
        assert 0 < result.suffix[0] < result.cost
        assert result.cost == problem.cost(result.labels.tolist()) * problem.unit
    lines, lower = tree_proof(found.order, found.suffix), found.suffix[0] / problem.unit
    text = proof_text(problem, 4, found.labels.tolist(), "bounded", lines, lower)
    assert check.verdict(text.encode())[0] == check.PROVED
    _, none = solve(X, 4, time_limit=0)
    assert none.stop_reason == "time_limit" and none.suffix[0] == 0


def test_interrupted():
    X = np.random.default_rng(0).normal(size=(60, 8))
    for look in (1, 2, 50):
        with Clock(interrupt=look):
            problem, found = solve(X, 5)
        assert found.stop_reason == "interrupted"
        assert found.cost == problem.cost(found.labels.tolist()) * problem.unit > found.suffix[0]


def test_other_orders_are_tried_before_it_gives_up(monkeypatch):
    X = np.random.default_rng(0).normal(size=(25, 10)).round(3)
    _, first = solve(X, 4, max_nodes=300)
    monkeypatch.setattr(branch, "FEW", 0)
    problem, found = solve(X, 4, max_nodes=300)
    assert found.stop_reason == first.stop_reason == "node_limit"
    assert found.n_looked_at > first.n_looked_at and 0 < found.suffix[0] < found.cost
    assert len(set(found.suffix)) >= len(set(first.suffix))  # as many rows are solved, or more


def test_weights_lighter_than_floats_can_add_up():
    X, weights = np.array([[0.0], [1.0], [4.0], [9.0], [9.5]]), [1.0, 1e-200, 1.0, 1e-220, 1.0]
    problem, found = solve(X, 3, weights)
    assert found.stop_reason == "proved"
    best = reference.best_partition(X.tolist(), 3, weights)[1]
    assert found.cost == best * problem.unit > 0


@needs_signals
def test_ctrl_c():
    """In the midst of a kernel."""
    told = interrupted("""
from ckmeans.exact import branch
from ckmeans.proofs.problem import ExactProblem
from ckmeans.workers import Workers
X = np.random.default_rng(0).normal(size=(60, 8))
problem, run = ExactProblem(X), Workers.run
Workers.run = lambda workers, kernel, blocks: run(workers, held(kernel), blocks)
found = branch.branch_and_bound(problem.rows, problem.weights, 5, n_threads=1)
true = found.cost == problem.cost(found.labels.tolist()) * problem.unit > found.suffix[0]
tell(reason=found.stop_reason, true=true)
""")
    assert told == {"reason": "interrupted", "true": True}


@pytest.mark.parametrize("n, k", [(1, 1), (1, 3), (3, 3), (2, 5), (5, 1)])
def test_few_rows(n, k):
    problem, found = solve(np.arange(n)[:, None] ** 2.0, k)
    best = reference.best_partition([[i * i] for i in range(n)], k)[1]
    assert (found.cost, found.stop_reason) == (best, "proved")
    assert problem.cost(found.labels.tolist()) == best


@pytest.mark.parametrize("name, value", [("MOST_MOVES", 1), ("MOST_BITS", 0)])
def test_what_only_saves_time(monkeypatch, name, value):
    """Exchanges that end early, and costs whose fractions are too long to be told apart beforehand: the same optima."""
    plain = [solve(*own)[1] for own in instances(40)]
    monkeypatch.setattr(branch, name, value)
    for found, own in zip(plain, instances(40)):
        again = solve(*own)[1]
        assert again.stop_reason == "proved" and (again.cost, again.suffix[0]) == (
            found.cost,
            found.suffix[0],
        )


def test_interrupted_before_there_are_labels(monkeypatch):
    """One cluster of all rows, with what it costs, and bounds of 0."""

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(_Search, "begin", interrupted)
    X = np.random.default_rng(0).normal(size=(40, 3))
    problem, found = solve(X, 3)
    assert found.stop_reason == "interrupted" and not found.labels.any() and not found.suffix[0]
    assert found.cost == problem.cost([0] * 40) * problem.unit
