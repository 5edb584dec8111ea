"""Rows, or sets of rows that are together, as whole numbers."""

from fractions import Fraction
from typing import NamedTuple

from ..check import dot


class Items(NamedTuple):
    """What is clustered: rows, or sets of rows that are together. Integers: of each the weight, the sum of w x, and that of w |x|^2."""

    weights: list
    sums: list
    squares: list

    @classmethod
    def of(cls, rows, weights):
        sums = [row if w == 1 else [w * x for x in row] for row, w in zip(rows, weights)]
        return cls(list(weights), sums, [w * dot(row, row) for row, w in zip(rows, weights)])

    def merged(self, groups):
        """Those of the same group, numbered from 0, as one."""
        weights, squares = [0] * (max(groups) + 1), [0] * (max(groups) + 1)
        sums = [[0] * len(self.sums[0]) for _ in weights]
        for i, group in enumerate(groups):
            weights[group] += self.weights[i]
            squares[group] += self.squares[i]
            sums[group] = [a + b for a, b in zip(sums[group], self.sums[i])]
        return Items(weights, sums, squares)

    def within(self):
        """What they cost, each by itself."""
        costs = (square - Fraction(dot(s, s), w) for w, s, square in zip(*self))
        return sum(costs, Fraction(0))
