"""Prices of rows that are turned to their principal axes: the checker accepts them, and hardly anything is lost by rounding."""

from fractions import Fraction

import numpy as np
import proofs
import pytest

from ckmeans import check
from ckmeans.proofs import methods, proof_lines
from ckmeans.proofs.portfolio import prove
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.turned import Turning


def bound_of(small, parts, lines):
    text = proof_lines.proof_text(
        small.problem, small.k, small.labels(parts), "bounded", lines, Fraction(-(10**9))
    )
    problem, bound, _ = proofs.derived(text)
    return Fraction(bound, small.problem.unit) if problem.status == "bounded" else None


def test_turned_prices_prove_what_they_say():
    """Of one row or of several, of any weights and sizes: the least m of exact prices, and these turned."""
    for seed in range(80):
        rng = np.random.default_rng(seed)
        n, d, k = int(rng.integers(2, 8)), int(rng.integers(1, 5)), int(rng.integers(1, 3))
        X = (
            rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) * 10.0 ** rng.integers(-150, 150)
            + rng.integers(0, 2) * 1e3
        )
        weights = rng.choice([0.5, 1.0, 3.0, np.pi], n) if seed % 3 == 0 else None
        problem = ExactProblem(X, weights)
        small = proofs.Small(problem, k)
        if small.n < 2:
            continue
        cost, parts = small.optimum()
        scale = max(small.sse) / sum(problem.weights) / problem.unit * 2**problem.weight_scale
        prices = [scale * Fraction(float(rng.random()) + 0.2) for _ in range(small.n)]
        w = [Fraction(own, 1 << problem.weight_scale) for own in problem.weights]
        level = max(
            sum(w[i] * prices[i] for i in range(small.n) if mask >> i & 1) - own / problem.unit
            for mask, own in enumerate(small.sse)
        )
        exact = sum(map(Fraction.__mul__, w, prices)) - k * level
        lines, bound = Turning(problem).proof(k, [[i] for i in range(small.n)], prices, level)
        assert bound_of(small, parts, lines) == bound <= exact
        assert exact - bound <= Fraction(1, 10**7) * sum(map(Fraction.__mul__, w, prices))


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_that_are_wide_are_not_turned(weighted, monkeypatch):
    """Both ways of writing prices close the gap, with branches too; turned ones in fewer boxes, where features are correlated."""
    rng = np.random.default_rng(3)
    plane = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 12, axis=0) + rng.normal(size=(36, 2))
    X = plane @ rng.normal(size=(2, 6)) + 0.01 * rng.normal(size=(36, 6))
    weights = rng.integers(1, 4, 36).astype(float) if weighted else None
    seen, boxes, bounds = [], [], check.Block.bounds
    monkeypatch.setattr(check.Block, "bounds", lambda *own: boxes.append(1) or bounds(*own))
    for most in (400, 0):
        monkeypatch.setattr(methods, "MOST_TURNED", most)
        found = prove(X, 3, sample_weight=weights, methods=["search", "prices"], rng=0)
        assert found.status == "optimal-unique"
        assert any(line.startswith("axis") for line in found.proof) == bool(most)
        before = len(boxes)
        assert check.verdict(found.text().encode())[0] == check.PROVED
        seen.append(len(boxes) - before)
    assert seen[0] < seen[1]
