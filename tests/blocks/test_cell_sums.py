"""Sums in digits are those in Python's integers."""

from fractions import Fraction

import numpy as np
import pytest
from summaries import KINDS, rows_of, weights_for

from ckmeans.blocks import cell_sums
from ckmeans.blocks.cell_sums import CellSums


def values(sums):
    """All sums, as fractions."""
    up, weight_up = 1 << sums.scale, 1 << sums.weight_scale
    return (
        [Fraction(w, weight_up) for w in sums.weights.tolist()],
        [[Fraction(s, weight_up * up) for s in row] for row in sums.sums.tolist()],
        [Fraction(q, weight_up * up**2) for q in sums.squares.tolist()],
        sums.lower.tolist(),
        sums.upper.tolist(),
    )


def taken(X, weights, labels, size):
    """Sums of rows that come in batches."""
    sums = CellSums(5, X.shape[1])
    for start in range(0, len(X), size):
        some = slice(start, start + size)
        sums.add(X[some], None if weights is None else weights[some], labels[some])
    return sums


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_digits_and_integers(kind, weighted, monkeypatch):
    X = rows_of(kind, 300)
    X[::7] = -X[::7]
    X[5] = 0.0
    weights = weights_for(X) + 2.0**-40 if weighted else None
    labels = np.arange(300) % 5
    found = [taken(X, weights, labels, size) for size in (300, 7)]
    monkeypatch.setattr(cell_sums, "MOST_DIGITS", 0)
    expected = taken(X, weights, labels, 300)
    assert expected._recent.n_added == 0
    for sums in found:
        assert sums._recent.n_added or kind == "extreme"
        assert values(sums) == values(expected) and (sums.scale, sums.weight_scale) == (
            expected.scale,
            expected.weight_scale,
        )


def test_the_ends_of_the_range(monkeypatch):
    """The least and greatest floats, subnormal ones, and whatever has all bits."""
    monkeypatch.setattr(cell_sums, "MOST_DIGITS", 1000)
    ends = [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1 / 3, -5e-324, -1.7976931348623157e308]
    X = np.array([[a, b] for a in ends for b in ends])
    for weights in (None, np.resize([5e-324, 1.0, 1 / 3, 1e308], len(X))):
        sums = taken(X, weights, np.zeros(len(X), np.intp), 5)
        assert sums._recent.n_added
        w = [Fraction(1) if weights is None else Fraction(weights[i]) for i in range(len(X))]
        found = values(sums)
        assert found[0][0] == sum(w)
        assert found[1][0] == [sum(a * Fraction(x) for a, x in zip(w, column)) for column in X.T.tolist()]
        assert found[2][0] == sum(a * sum(Fraction(x) ** 2 for x in row) for a, row in zip(w, X.tolist()))


def test_digits_do_not_overflow(monkeypatch):
    """Before that could be they are taken into the integers."""
    monkeypatch.setattr(cell_sums, "MOST_ADDED", 100)
    X, labels = rows_of("blobs", 300), np.arange(300) % 5
    sums = taken(X, None, labels, 10)
    assert sums._recent.n_added <= 100
    monkeypatch.undo()
    assert values(sums) == values(taken(X, None, labels, 300))


def test_one_far_value_makes_no_cell_long():
    X, labels = rows_of("blobs", 300), np.arange(300) % 5
    sums = taken(X, None, labels, 300)
    before = sums._recent.digits.nbytes
    sums.add(np.array([[1e300, 1.0]]), None, np.array([3]))
    sums.add(X, None, labels)
    assert sums._recent.digits.nbytes == before
    assert sums.weights.tolist() == [120, 120, 120, 121, 120]


def test_copies_are_apart():
    X, labels = rows_of("blobs", 300), np.arange(300) % 5
    sums = taken(X, None, labels, 300)
    other, before = sums.copy(), values(sums.copy())
    other.add(X, None, labels)
    other.grow(2)
    other.add(X[:1], None, np.array([6]))
    assert values(sums) == before and other.weights.tolist() == [120] * 5 + [0, 1]
