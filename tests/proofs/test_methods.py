"""What the methods of the portfolio give where they come to nothing, or to less: no time, rounding, rows of little weight."""

import numpy as np
import pytest
from scipy.linalg import LinAlgError

from ckmeans import check
from ckmeans.check import Refused
from ckmeans.proofs import dealing, methods
from ckmeans.proofs.instance import Clustering, Deadline, Instance
from ckmeans.proofs.methods import METHODS, Run
from ckmeans.proofs.portfolio import prove
from ckmeans.workers import Expired


def some(n=40, d=6, k=3, weights=None):
    """Rows, a clustering of them, and what the methods are given."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d)) + 3 * rng.normal(size=(k, d))[np.arange(n) % k]
    own, labels = Instance(X, k, weights), (np.arange(n) % k).astype(np.int32)
    return own, Clustering(labels, own.problem.cost(labels))


def far_apart():
    rng = np.random.default_rng(0)
    X = np.ldexp(rng.normal(size=(300, 1)), rng.integers(-1000, 1000, (300, 1)))
    own = Instance(X, 3)
    return own, Clustering(np.zeros(300, np.int32), own.problem.cost([0] * 300))


@pytest.mark.parametrize("method", ["line", "tree", "longer tree", "sdp"])
def test_no_time(method):
    """A bound of 0, and the word why."""
    given = far_apart() if method == "line" else some()
    found = METHODS[method](*given, Run(Deadline(0)))
    assert (found.stop_reason, found.lower, found.proof) == ("time_limit", 0, ["proof trivial"])
    assert METHODS[method](*given, Run(Deadline(None))).lower > 0


def test_no_time_for_more_rows_than_clusters():
    """Of so few rows there is no bound: with more time there may be one."""
    found = methods.pca(*some(60, 300, 3), Run(Deadline(0)))
    assert found.again and found.lower == 0
    assert methods.pca(*some(60, 300, 3), Run(Deadline(None))).lower > 0


@pytest.mark.parametrize("error, reason", [(Refused, None), (LinAlgError, None), (Expired, "time_limit")])
def test_principal_components_that_come_to_nothing(monkeypatch, error, reason):
    def fails(*given):
        raise error

    monkeypatch.setattr(methods, "principal_bound", fails)
    found = methods.pca(*some(), Run(Deadline(None)))
    assert found is None if reason is None else (found.stop_reason, found.lower) == (reason, 0)


@pytest.mark.parametrize("method, name", [("sdp", "prove_by_matrix"), ("sum", "semidefinite_bound")])
def test_a_matrix_without_eigenvalues(monkeypatch, method, name):
    def fails(*given, **options):
        raise LinAlgError

    monkeypatch.setattr(methods, name, fails)
    X = some()[0].X
    found = prove(X, 3, methods=["search", method], rng=0)
    assert (found.stop_reason, found.exact_lower_bound) == ("unresolved", 0)
    monkeypatch.undo()
    assert prove(X, 3, methods=["search", method], rng=0).lower_bound > 0


def test_a_matrix_for_clusters_that_cost_nothing():
    """There is no gap that it could close."""
    own, labels = Instance(np.eye(4).repeat(3, axis=0), 4), np.arange(4, dtype=np.int32).repeat(3)
    best = Clustering(labels, own.problem.cost(labels))
    assert best.cost == 0
    assert methods._by_matrix(own, best, np.arange(4), None, 0.0) == (None, None)


@pytest.mark.parametrize("method", ["prices", "sdp"])
def test_rows_of_little_weight_are_left_out(method):
    """In floats they would vanish beside the others: the bound is that of the others, and the proof says so."""
    weights = np.ones(40)
    weights[30:] = 2.0**-200
    given = some(weights=weights)
    found = METHODS[method](*given, Run(Deadline(None)))
    assert found.proof[0] == "proof sum 1" and found.stop_reason == "unresolved"
    text = prove(given[0].X, 3, sample_weight=weights, methods=["search", method], rng=0)
    assert 0 < text.exact_lower_bound <= text.exact_inertia and text.checked and text.status == "bounded"
    assert check.verdict(text.text().encode())[0] == check.PROVED


@pytest.mark.parametrize("low, same", [(1, True), (99, False)])
def test_a_tree_is_not_longer_where_prices_are_next(monkeypatch, low, same):
    """In few dimensions it ends after a number of nodes, with more of them it has all of the time."""
    monkeypatch.setattr(methods, "LEAST_STEPS", 10)
    monkeypatch.setattr(methods, "LOW", low)
    short, long = (METHODS[name](*some(30), Run(Deadline(1e6))) for name in ("tree", "longer tree"))
    assert (short.lower == long.lower) == same and long.lower >= short.lower


def test_a_poorer_start_has_no_center_for_each_cluster():
    """A clustering with an empty cluster is no start: the search has one of its own."""
    own, best = some(60)
    given = np.zeros(60, np.int32)
    found = methods.search(own, best, Run(Deadline(None), rng=0, given=given))
    assert own.problem.cost(found.labels) <= best.cost


def test_groups_for_all_threads(monkeypatch):
    """As many groups for each thread, where there is a limit."""
    monkeypatch.setattr(dealing, "rows_of_a_matrix", lambda *given: 100)
    own, best = some(450)
    for n_threads, n_groups in ((1, 5), (2, 6), (8, 5)):
        dealt = dealing.dealt_out(own, best, Run(Deadline(1e6), n_threads=n_threads), np.arange(450))
        assert len(dealt.parts) == n_groups and len(dealt.shared) == 100 // dealing.SHARED
        rows = np.concatenate([dealt.shared, *(part.rows for part in dealt.parts)])
        assert sorted(rows.tolist()) == list(range(450))
