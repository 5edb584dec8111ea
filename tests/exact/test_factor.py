"""The factor of a matrix whose rows come and go, against one that is made anew."""

import numpy as np
import pytest

from ckmeans._kernels import factor


@pytest.mark.parametrize("seed", range(4))
def test_rows_come_and_go(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(40, 40))
    A, b = A @ A.T + np.eye(40), np.column_stack([rng.normal(size=40), np.ones(40)])
    L, y, turns, order = np.zeros((40, 40)), np.zeros((2, 40)), np.empty((2, 40)), []
    for _ in range(200):
        m, others = len(order), [i for i in range(40) if i not in order]
        if others and (m < 2 or rng.random() < 0.6):
            order.append(int(rng.choice(others)))
            factor.append(L, m, A[order[-1], order].copy(), 1e-9, b[order[-1]].copy(), y)
        else:
            at = int(rng.integers(m))
            factor.drop(L, m, at, y, turns)
            del order[at]
        m, own = len(order), np.tril(L)[: len(order), : len(order)]
        assert own @ own.T == pytest.approx(A[np.ix_(order, order)], abs=1e-9)
        for solution, right in zip(y, b[order].T):
            x = right.copy()
            factor.forward(L, m, x)
            assert solution[:m] == pytest.approx(x, abs=1e-9)
            factor.backward(L, m, x)
            assert A[np.ix_(order, order)] @ x == pytest.approx(right, abs=1e-8)


def test_what_rounding_leaves_of_a_pivot():
    L, y = np.zeros((2, 2)), np.zeros((2, 2))
    for m in range(2):
        factor.append(L, m, np.ones(m + 1), 1e-4, np.ones(2), y)
    assert L[1].tolist() == [1.0, 0.01]


def test_a_sum_of_rows():
    M, total = np.arange(12.0).reshape(3, 4), np.full(3, np.nan)
    factor.combine(M, np.array([2, 0]), np.array([1.0, 10.0]), total)
    assert total.tolist() == [8.0, 19.0, 30.0]
