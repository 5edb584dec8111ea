"""Rows on their principal axes, in pieces of linear algebra that Ctrl-C does not have to wait for."""

import numpy as np

from ..spectrum import PRODUCTS, greatest, pieces, product

U = 2.3e-16  # more than twice the unit roundoff
# An axis is dropped along which the rows are no wider than this share of the longest row.
FLAT = 1e-14
# Up to this many features LAPACK finds the axes in one go; beyond, `greatest`, which can be interrupted.
SMALL = 64
# Up to this many features all axes are found: LAPACK takes 0.2 s in one go for the vectors of 800, 1.1 s for those of 2000 (on one
# core). Of more features only the first LEADING axes are found, also in 0.2 s.
MOST_AXES, LEADING = 800, 300
# Many columns are made orthonormal in blocks of this many.
BLOCK = 64


def on_principal_axes(rows, weights, check=None):
    """The rows in coordinates along their principal axes, without those along which they have no width.

    Of more than 800 features, the axes are either those of a few dimensions in which all rows lie, or those of the features.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
        Around their mean.
    weights : ndarray of shape (n_samples,)
    check : callable(), optional
        Called between the pieces; what it raises ends the work.

    Returns
    -------
    rows : ndarray of shape (n_samples, n_axes)
    error : float
        There is an isometry that maps each row to within this distance of where it is put.

    Examples
    --------
    >>> rows, error = on_principal_axes(np.array([[-3.0, 0.0, -4.0], [0.0, 0.0, 0.0], [3.0, 0.0, 4.0]]), np.ones(3))
    >>> rows.shape, np.abs(rows).round(9).tolist(), bool(error < 1e-13)
    ((3, 1), [[5.0], [0.0], [5.0]], True)
    """
    n, d = rows.shape
    length = np.sqrt((rows**2).sum(axis=1).max(initial=0.0))
    error = 2 * U * length
    if d > max(n, SMALL):  # rows span no more than n dimensions
        rows, more = _projected(rows, _orthonormal(rows.T, check), length, check)
        error, d = error + more, n
    if d <= 2:
        return rows, error
    squares = product(rows.T * weights, rows, check)
    axes = (
        np.linalg.eigh(squares)[1]
        if d <= SMALL
        else greatest(squares, d if d <= MOST_AXES else LEADING, check=check)[1].T
    )
    axes = axes[:, ::-1]
    if d <= MOST_AXES:
        rows, error = product(rows, axes, check), error + (_skew(axes, check) + 2 * d * U) * length
    else:
        inside, more = _projected(rows, axes, length, check)
        if more > 2 * d * d * U * length:
            return rows, error
        rows, error = inside, error + more
    flat = np.ptp(rows, axis=0) <= FLAT * length
    flat[0] = False
    error += np.sqrt((np.abs(rows[:, flat]).max(axis=0, initial=0.0) ** 2).sum())
    return rows[:, ~flat], error


def _projected(rows, axes, length, check):
    """Rows in coordinates along fewer axes than features, and a bound on what is lost: outside of these, and by rounding."""
    d, outside = len(axes), 0.0
    inside = product(rows, axes, check)
    for some in pieces(len(rows), axes.size, check):
        outside = max(outside, ((rows[some] - inside[some] @ axes.T) ** 2).sum(axis=1).max())
    return inside, np.sqrt(outside) + (_skew(axes, check) + 4 * d * U) * length


def _skew(axes, check):
    """How far axes are from orthonormal."""
    d, m = axes.shape
    return np.linalg.norm(product(axes.T, axes, check) - np.eye(m)) + 2 * d * m * U


def _orthonormal(columns, check):
    """Orthonormal axes of all columns: QR, of many block by block, each made orthogonal to those before it more than once."""
    d, n = columns.shape
    if d * n * n <= PRODUCTS:
        return np.linalg.qr(columns)[0]
    axes = np.empty((d, n))
    for start in range(0, n, BLOCK):
        before, own = axes[:, :start], np.linalg.qr(columns[:, start : start + BLOCK])[0]
        for _ in range(3):  # what rounding leaves of a column that is nearly dependent points anywhere
            own = np.linalg.qr(own - product(before, product(before.T, own, check), check))[0]
        axes[:, start : start + BLOCK] = own
    return axes
