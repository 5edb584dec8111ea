"""The bound of the principal components: never above the optimum, and what the checker finds in its proof."""

from fractions import Fraction

import numpy as np
import pytest

from ckmeans import check, reference
from ckmeans.exact.principal import principal_bound, rounded
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
