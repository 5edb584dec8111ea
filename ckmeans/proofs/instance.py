"""What the methods have to know of a problem with its number of clusters: each is looked up once."""

import math
from fractions import Fraction
from functools import cached_property
from time import monotonic
from typing import NamedTuple

import numpy as np

from ..exact.univariate import collinear
from ..rationals import near_one
from ..spectrum import gram, greatest
from ..workers import Expired
from .problem import ExactProblem
from .turned import Turning

# Share of the time limit after which methods end: a later end finds more, and leaves the checker less time for it.
FINDING = 0.75
# Binary digits by which a row may weigh less than the heaviest one and still count beside it in floats, which have 53.
LIGHT = 100
# Entries of X from which `many_axes` judges: of more rows it takes some, which is quicker and a little less sure.
MOST_SEEN = 1_000_000
# Axes that a search over all centers can take; where rows vary along more of them, the semidefinite bound is sooner.
FEW_AXES = 3


class Clustering(NamedTuple):
    """The labels of the samples, and their exact cost in squared units of X."""

    labels: np.ndarray
    cost: Fraction


class Deadline:
    """The time limit of one call, from now on.

    Parameters
    ----------
    seconds : float or None
        None for no limit.
    """

    def __init__(self, seconds):
        self.start, self.seconds = monotonic(), math.inf if seconds is None else seconds
        self.reserved = 0.0

    @property
    def end(self):
        """When the time is up, as `monotonic` tells it."""
        return self.start + self.seconds

    def left(self, share=FINDING):
        """Seconds until a share of the time is used up, or all but what is reserved; infinite without a limit."""
        used = self.seconds if share == 1 else min(share * self.seconds, self.seconds - self.reserved)
        return self.start + used - monotonic()

    def reserve(self, seconds):
        """Leave the checker so many seconds at the end, but half of the time at most."""
        self.reserved = max(self.reserved, min(seconds, self.seconds / 2))

    def check(self):
        """Raise `Expired` where the time is up but for what is left to the checker."""
        if self.left() <= 0:
            raise Expired

    def seconds_for(self, share):
        """The same as other solvers take it: at least 0, None without a limit."""
        return None if self.seconds == math.inf else max(0.0, self.left(share))


def many_axes(X):
    """Whether rows spread along so many axes that the semidefinite bound is sooner than a search over all centers."""
    return _are_many(_spread(X))


def _are_many(sizes):
    return sizes[-FEW_AXES:].sum() < 0.99 * sizes.sum()


def _spread(X):
    """How far rows spread along their principal axes, in increasing order."""
    offs = near_one(X[:: -(-X.size // MOST_SEEN)])[0]
    squares = gram(np.ascontiguousarray(offs.T) if offs.shape[1] > len(offs) else offs)
    return greatest(squares, len(squares), vectors=False)[0]


class Instance:
    """Rows, weights and a number of clusters.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
    n_clusters : int
    sample_weight : ndarray of shape (n_samples,) or None
    problem : ExactProblem, optional
        The same in integers, where it is known.

    Attributes
    ----------
    problem : ExactProblem
        The same in integers. Its rows are the distinct ones that have weight.
    row_of : ndarray of shape (n_samples,)
        The row of each sample, -1 where it has no weight.
    first : ndarray of shape (n_rows,)
        The first sample of each row.
    rows : ndarray of shape (n_rows, n_features)
        The distinct rows as floats.
    """

    def __init__(self, X, n_clusters, sample_weight=None, problem=None):
        self.X, self.n_clusters, self.sample_weight = X, n_clusters, sample_weight
        self.problem = ExactProblem(X, sample_weight) if problem is None else problem
        self.row_of = np.array([-1 if row is None else row for row in self.problem.place])
        self.first = np.array(self.problem.first)
        self.n_rows = len(self.first)

    @cached_property
    def rows(self):
        return self.X[self.first]

    @cached_property
    def turning(self):
        """Its rows along their principal axes."""
        return Turning(self.problem)

    @cached_property
    def line(self):
        """Where all rows are on a line what `collinear` says of it, else None."""
        return collinear(self.rows)

    @cached_property
    def spread(self):
        """How far its rows spread along their principal axes, in increasing order."""
        return _spread(self.rows)

    @property
    def many_axes(self):
        """Whether `many_axes` says so of the rows."""
        return _are_many(self.spread)

    def spreads_along(self, n_axes):
        """Whether so many axes hold 95 % of how far rows spread."""
        return self.spread[-n_axes:].sum() >= 0.95 * self.spread.sum()

    @cached_property
    def dimension(self):
        """How many features of equal variance are as hard: (sum of v)^2 / sum of v^2 for the variances v of the components."""
        X = near_one(self.rows)[0]
        squares = X.T @ X if X.shape[1] <= len(X) else X @ X.T
        return np.trace(squares) ** 2 / max((squares**2).sum(), 1e-300)

    def heavy_rows(self, digits=LIGHT):
        """The rows that do not vanish beside the heaviest one in sums of floats; without the others all costs are less."""
        if self.sample_weight is None:
            return np.arange(self.n_rows)
        sizes = np.array([weight.bit_length() for weight in self.problem.weights])
        return np.flatnonzero(sizes > sizes.max() - digits)

    def samples_of(self, rows):
        """The samples of some rows; where these are all rows, those without weight too."""
        if len(rows) == self.n_rows:
            return np.arange(len(self.X))
        return np.flatnonzero(np.isin(self.row_of, rows))

    def to_samples(self, labels):
        """Labels of the rows as labels of the samples; those without weight, whose label changes no cost, get that of row 0."""
        return np.asarray(labels)[np.maximum(self.row_of, 0)]
