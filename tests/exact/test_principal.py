"""The bound of the principal components: never above the optimum, and what the checker finds in its proof."""

from fractions import Fraction

import numpy as np
import pytest
from clocks import Clock

from ckmeans import check, reference
from ckmeans.exact import principal
from ckmeans.exact.principal import principal_bound, rounded
from ckmeans.proofs import methods
from ckmeans.proofs.instance import Deadline, Instance
from ckmeans.proofs.portfolio import prove
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.proof_lines import principal_proof, proof_text


@pytest.mark.parametrize("seed", range(30))
def test_below_the_optimum_and_as_checked(seed):
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(2, 8)), int(rng.integers(1, 5)), int(rng.integers(1, 4))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-200, 200) + rng.integers(0, 2) * 1e3
    weights = rng.integers(1, 4, n) / 2 if seed % 2 else None
    problem = ExactProblem(X, weights)
    found = principal_bound(problem.rows, problem.weights, k)
    best = reference.best_partition(X.tolist(), k, None if weights is None else weights.tolist())[1]
    assert found.bound / problem.unit <= best
    lines = principal_proof(found.scale, found.tau, found.top)
    text = proof_text(problem, k, [0] * n, "bounded", lines, max(found.bound / problem.unit, Fraction(-1)))
    reader = check.Reader(text.encode())
    assert check.prove(check.read_problem(reader, None), reader)[0] == found.bound


def test_as_tight_as_the_eigenvalues():
    X = np.random.default_rng(0).normal(size=(200, 6)) * [9, 5, 3, 2, 1, 1]
    problem = ExactProblem(X)
    for k in (2, 3, 6):
        centered = X - X.mean(axis=0)
        expected = np.linalg.eigvalsh(centered.T @ centered)[::-1][k - 1 :].sum()
        bound = float(principal_bound(problem.rows, problem.weights, k).bound / problem.unit)
        assert bound == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("factor", [1, 3, 1 << 80, 10**30])
def test_rounded_as_fractions_are(factor):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 20)) * 10.0 ** rng.integers(-30, 5, (40, 20))
    values[0] = rng.integers(-9, 9, 20) / 2  # halves, to even
    assert rounded(values, factor) == [[round(Fraction(x) * factor) for x in row] for row in values.tolist()]


# ---- The time limit


def test_looks_between_blocks_of_products(monkeypatch):
    """While the matrix is made, and while V V' and the factor are, which take as long."""
    n, d, k = 200, 30, 20
    monkeypatch.setattr(principal, "SLICE", 10 * d**2)
    problem, looks = ExactProblem(np.random.default_rng(0).normal(size=(n, d))), []
    found = principal_bound(problem.rows, problem.weights, k, lambda: looks.append(None))
    assert found == principal_bound(problem.rows, problem.weights, k)
    assert len(looks) == n / 10 + 2 * d

    for n_looks in (1, n // 10 + 1, n // 10 + d + 1):
        answer = iter([1] * (n_looks - 1) + [0]).__next__
        with pytest.raises(ZeroDivisionError):
            principal_bound(problem.rows, problem.weights, k, lambda answer=answer: 1 // answer())


def test_the_time_limit_ends_it(monkeypatch):
    X = np.random.default_rng(0).normal(size=(200, 30))
    labels = (np.arange(len(X)) % 20).astype(np.int32)
    monkeypatch.setattr(principal, "SLICE", 10 * 30**2)
    with Clock() as clock:
        found = prove(X, 20, labels=labels, time_limit=40, methods=["pca"])
    assert (found.stop_reason, found.lower_bound) == ("time_limit", 0) and clock.looks < 50
    with Clock():
        found = prove(X, 20, labels=labels, time_limit=400, methods=["pca"])
    assert found.stop_reason == "unresolved" and found.lower_bound > 0


@pytest.mark.parametrize("limit, seconds", [(None, 30), (1000, 30), (100, 7.5), (2, 0.5), (0.4, 0.3)])
def test_as_many_rows_as_there_is_time_for(limit, seconds, monkeypatch):
    """By all products: those of the matrix, of V V' (its lower half), and of the factor."""
    monkeypatch.setattr(methods, "EXACT_PRODUCTS", 100_000)
    n, d = 4000, 15
    X = np.random.default_rng(0).integers(0, 9, (n, d)).astype(float)
    for k in (2, 10, 15):
        with Clock(0):
            rows, wide = methods._affordable_rows(Instance(X, k), Deadline(limit))
        products = len(rows) * d**2 + d**2 * (k - 1) / 2 + d**3 / 6
        assert not wide and products <= 100_000 * seconds
        assert len(rows) == n or len(rows) * d**2 > 100_000 * seconds / 2 - d**3 - d**2 * k


def test_more_clusters_leave_time_for_fewer_rows(monkeypatch):
    monkeypatch.setattr(methods, "EXACT_PRODUCTS", 66 * 15**2 / 30)
    X = np.random.default_rng(0).integers(0, 9, (60, 15)) + np.arange(60.0)[:, None]
    n_rows = {k: len(methods._affordable_rows(Instance(X, k), Deadline(None))[0]) for k in (2, 15)}
    assert n_rows == {2: 60, 15: 30}


def test_rows_that_the_time_was_too_short_for_are_tried_again(monkeypatch, tmp_path):
    """A checkpoint does not have it that there is no bound."""
    X = np.random.default_rng(0).normal(size=(100, 4))
    labels, path = (np.arange(len(X)) % 3).astype(np.int32), tmp_path / "a.ckpt"
    with monkeypatch.context() as patch:
        patch.setattr(methods, "EXACT_PRODUCTS", 1)
        assert prove(X, 3, labels=labels, methods=["pca"], checkpoint=path).lower_bound == 0
    assert prove(X, 3, labels=labels, methods=["pca"], checkpoint=path).lower_bound > 0
