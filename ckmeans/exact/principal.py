"""The bound of the principal components: what no clustering into k clusters can be below, for any number of rows.

What clusters explain of the scatter matrix M is its trace after a projection to k - 1 dimensions, so at most the sum of its
k - 1 greatest eigenvalues (Ding & He 2004, "K-means clustering via principal component analysis", ICML,
doi:10.1145/1015330.1015408).
"""

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..check import shortfall
from ..spectrum import greatest

# Vectors are written with this many binary digits: fewer make a shorter proof and a lower bound.
DIGITS = 56
# This many products of integers are made in one go, which neither Ctrl-C nor the time limit can end: some 20 ms.
SLICE = 200_000
# This share of the greatest eigenvalue, for each feature, is added to tau, so that rounding makes no eigenvalue negative.
SPARE = 2.0**-46


class PrincipalBound(NamedTuple):
    """A bound, in units of the rows, and the integers that show it.

    With S the scatter matrix times the total weight, V V' + (tau + delta) I - 4**scale S has no negative eigenvalue for the
    delta that the checker finds: the k - 1 greatest of S add up to at most (trace V V' + (k - 1) max(0, tau + delta)) /
    4**scale.
    """

    bound: Fraction
    scale: int
    tau: int
    top: list


def principal_bound(rows, weights, n_clusters, check=lambda: None):
    """The bound, exact whatever the eigenvalues' rounding errors.

    Parameters
    ----------
    rows : sequence of sequences of int
    weights : sequence of int
        All > 0.
    n_clusters : int
    check : callable()
        Called between blocks of products; what it raises ends the search.

    Returns
    -------
    PrincipalBound

    Examples
    --------
    >>> round(float(principal_bound([(0, 0), (0, 1), (9, 0), (9, 1)], [1, 1, 1, 1], 2).bound), 9)
    1.0
    """
    A, w = np.array(rows, object).reshape(len(rows), -1), np.array(weights, object)
    total, sums, d = w.sum(), w @ A, A.shape[1]
    S, size = -np.outer(sums, sums), max(1, SLICE // d**2)
    for some in (slice(at, at + size) for at in range(0, len(A), size)):
        check()
        S += (A[some] * (total * w[some])[:, None]).T @ A[some]
    # As floats near 1: S == 4**size * small.
    size = (max(abs(v) for v in S.ravel()).bit_length() + 1) // 2
    unit = 4**size
    small = np.array([[v / unit for v in row] for row in S.tolist()])
    n_top = min(n_clusters - 1, d)
    values, axes = greatest(small, min(n_top + 1, d))
    values, axes = values[::-1], axes[::-1].T
    tau = max(0.0, float(values[n_top])) if n_top < d else 0.0
    scale = max(0, DIGITS - size)
    top = rounded(axes[:, :n_top] * np.sqrt(np.maximum(values[:n_top] - tau, 0)), 1 << scale + size)
    tau = 1 + math.ceil(Fraction(tau + SPARE * d * max(values[0], 0)) * 4 ** (scale + size))

    V, R = np.array(top, object).reshape(d, -1), []  # R: the rows of the lower half
    for f in range(d):
        check()
        R.append((V[: f + 1] @ V[f] - S[f, : f + 1] * 4**scale).tolist())
        R[f][f] += tau
    delta = shortfall(R, [1] * d, lambda *_: check())
    most = Fraction((V * V).sum() + (n_clusters - 1) * max(0, tau + delta), 4**scale)
    return PrincipalBound((np.trace(S) - most) / total, scale, tau, top)


def rounded(values, factor):
    """The integers nearest to a matrix of floats times an integer, halves to even: as round() of fractions, but sooner.

    Examples
    --------
    >>> rounded(np.array([[0.5, 1.5, -0.5], [0.1, 2.0, 1e300]]), 1)[0], rounded(np.array([[0.1]]), 10**20)
    ([0, 2, 0], [[10000000000000000555]])
    """
    return [[_rounded(*value.as_integer_ratio(), factor) for value in row] for row in values.tolist()]


def _rounded(above, below, factor):
    whole, rest = divmod(above * factor, below)
    return whole + (2 * rest > below or 2 * rest == below and whole % 2)
