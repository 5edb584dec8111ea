"""Proofs by prices of rows that are turned to their principal axes: where features are correlated the checker, which searches
boxes along the axes, needs far fewer of them.
"""

import math
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..rationals import near_one
from .proof_lines import turned_proof

# Binary digits of the axes, and of the widest coordinate along them. With fewer the checker has less to multiply; with more less is lost
# by rounding: with 38 some 1e-9 of the cost, and for up to 500 rows in 8 features the checker's fields have 96 bits, three machine digits.
AXIS, COORDINATE = 40, 38
# Up to this many features rows are turned: beyond, the axes take more room in the file than what most rows are.
MOST_TURNED = 400


class Turning:
    """The axes, and the rows along them, in exact integers.

    Parameters
    ----------
    problem : ExactProblem
    """

    def __init__(self, problem):
        self.problem = problem

    @cached_property
    def axes(self):
        """Axes of the rows, as long as 2**40: list of lists of n_features integers."""
        X, d = near_one(self.problem.X[self.problem.first])[0], self.problem.n_features
        if d <= 2:
            axes = np.eye(d)
        elif d <= len(X):
            axes = np.linalg.eigh(X.T @ X)[1].T[::-1]
        else:
            axes = np.linalg.svd(X, full_matrices=False)[2]
        return [list(map(int, axis)) for axis in np.rint(axes * 2.0**AXIS).tolist()]

    @cached_property
    def length(self):
        """A bound of the eigenvalues of Q Q', as the checker finds it."""
        Q = np.array(self.axes, object)
        return int(np.abs(Q @ Q.T).sum(axis=1).max())

    @cached_property
    def places(self):
        """The rows along the axes: list of lists of integers, one for each axis."""
        return [[sum(map(int.__mul__, axis, row)) for row in self.problem.rows] for axis in self.axes]

    @cached_property
    def shift(self):
        """Binary digits of these that are rounded off."""
        return max(0, max(max(own) - min(own) for own in self.places).bit_length() - COORDINATE)

    def proof(self, n_clusters, items, prices, level):
        """Lines of a proof, and the bound that they state.

        Parameters
        ----------
        items : list of list of int
            The rows of each item, in the order of their first rows.
        prices : list of Fraction
            For each item, per unit of its weight, in squared units of X.
        level : Fraction
            What no center earns more than, in these units times those of the weights as they are.
        """
        problem, n_axes, fine = self.problem, len(self.axes), COORDINATE - 1
        weights = [sum(problem.weights[row] for row in rows) for rows in items]
        unit = Fraction(((1 << fine) + 1) * self.length, 1 << 2 * self.shift + fine)
        loss = Fraction(((1 << fine) + 1) * n_axes, 4)
        own = [math.floor(price * 4**problem.scale * unit + loss) for price in prices]
        # What prices leave at a center when all is rounded is more than before by no more than this share of the greatest price.
        share = Fraction(4, 1 << fine) + 2 * abs(Fraction(self.length, 4**AXIS) - 1)
        most = math.ceil(level * problem.unit * unit + sum(weights) * (2 * loss + share * max(own)))
        costs = sum(w * problem.own_price(rows) for w, rows in zip(weights, items) if len(rows) > 1)
        paid = sum(map(int.__mul__, weights, own)) - sum(weights) * loss - n_clusters * most
        lines = turned_proof(self.axes, self.shift, fine, own, most)
        return lines, (costs + paid / unit) / problem.unit
