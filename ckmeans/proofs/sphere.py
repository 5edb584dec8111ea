"""The problem of squared distances by which a proof speaks of angles: check_angles.py tells why it does."""

import numpy as np

from ..check_angles import Sphere
from ..local.spherical import directions
from .problem import ExactProblem, dyadic


class NoLimits:
    """In place of a reader of the checker: nothing is too long."""

    spend = room = staticmethod(lambda *counted: None)


class AngleProblem(ExactProblem):
    """Rows w u / m, cut to a grid, of weights m, for rows of weight w and direction u.

    Parameters
    ----------
    given : ExactProblem
        The rows as they are, and their weights.
    masses : ndarray of shape (n_samples,), float64
        Above 0 for rows that have weight and a direction, 0 for all others.
    scale : int
        The grid is that of 2**-scale. No coordinate may need more than 53 binary digits.
    finer : int, optional
        See below; None for the least that does.

    Attributes
    ----------
    sphere : check_angles.Sphere
        What the checker has of it.
    finer : int
        The unit of the masses is 2**-finer of that of the weights.
    """

    metric = "cosine"

    def __init__(self, given, masses, scale, finer=None):
        self.given, own_scale = given, dyadic(masses)[1]
        self.finer = max(0, own_scale - given.weight_scale) if finer is None else finer
        whole = dyadic(masses, given.weight_scale + self.finer)[0]
        self.sphere = Sphere(NoLimits, given.samples, given.sample_weights, whole, scale, self.finer)
        X = [[y / (1 << scale) for y in row] for row in self.sphere.rows]
        super().__init__(np.array(X), masses, scale, given.weight_scale + self.finer)

    def is_of(self, X, sample_weight=None):
        """Whether the rows of another problem are these: those of a clustering by squared distances are not."""
        return False

    @property
    def units(self):
        """The rows, of length one but for rounding to the grid."""
        return directions(self.X)

    def centers(self, labels):
        """{label: direction of the sum of its rows}, for the clusters that have weight."""
        means = super().centers(labels)
        return dict(zip(means, directions(np.array(list(means.values()))).tolist()))
