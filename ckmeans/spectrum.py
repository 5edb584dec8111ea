"""The greatest eigenvalues of a symmetric matrix and their vectors, and products, in pieces; the loops are in src/spectrum.pyx."""

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ._kernels import spectrum as kernels

# This many multiplications are in a call of a kernel, which nothing can interrupt, and in a call of BLAS: there some 50 ms on one core.
SLICE, PRODUCTS = 2_000_000, 1 << 29
# Of two values that differ by less than this share of them either may be taken for the other.
EXACT = 8 * np.finfo(float).eps


def greatest(M, n_values, *, vectors=True, check=None):
    """The greatest eigenvalues in increasing order, and a row for the vector of each.

    Parameters
    ----------
    M : ndarray of shape (n, n), float64
        Symmetric; finite.
    n_values : int
        How many; at most n.
    vectors : bool
        Without them the second result is None.
    check : callable(), optional
        Called between the pieces of the work, each of some ms but for LAPACK's on a tridiagonal matrix: 0.2 s for all vectors of 800
        rows; what it raises ends the work.

    Returns
    -------
    values : ndarray of shape (n_values,)
    vectors : ndarray of shape (n_values, n), or None

    Examples
    --------
    >>> values, vectors = greatest(np.array([[2.0, 1.0], [1.0, 2.0]]), 1)
    >>> values.round(12).tolist(), np.abs(vectors).round(12).tolist()
    ([3.0], [[0.707106781187, 0.707106781187]])
    """
    n, most = len(M), np.abs(M).max()
    if not n_values:
        return np.empty(0), np.empty((0, n))
    unit = int(np.frexp(most)[1])  # so that squares are neither too great nor too small
    A = np.ldexp(M, -unit)
    pending, factors, diagonal, off = np.zeros((2, n)), np.zeros(n), np.empty(n), np.empty(n - 1)
    i = n - 1
    while i >= 0:
        stop = max(-1, i - 1 - SLICE // (i + 1) ** 2)
        if check is not None:
            check()
        kernels.reduce(A, pending, factors, diagonal, off, i, stop)
        i = stop
    if n == 1:
        return np.ldexp(diagonal, unit), np.ones((1, 1))
    values, columns = _tridiagonal(diagonal, off, n_values, vectors)
    if not vectors:
        return np.ldexp(values, unit), None
    own = np.ascontiguousarray(columns.T)
    step = max(1, SLICE // n**2)
    for start in range(0, n_values, step):
        if check is not None:
            check()
        kernels.reflect(A, factors, own, start, min(start + step, n_values))
    return np.ldexp(values, unit), own


def _tridiagonal(diagonal, off, n_values, vectors):
    """The greatest eigenvalues of a tridiagonal matrix in increasing order, and a column for the vector of each, or None.

    LAPACK's drivers for some of them may not converge where entries are of sizes too far apart: that for all, "stev", does. For
    all values of 1000 it takes 0.02 s, the one for some of them 0.4 s. And "stemr" counts values to some 1e-10 only: of some that are
    nearer to each other it may take the wrong ones. So the least is looked at, and with a wrong one all are found.
    """
    n = len(diagonal)
    some = {"select": "i", "select_range": (n - n_values, n - 1), "check_finite": False}
    try:
        if vectors:
            found = eigh_tridiagonal(diagonal, off, lapack_driver="stemr", **some)
            if n_values < n:
                some["select_range"] = n - n_values, n - n_values
                (least,) = eigh_tridiagonal(diagonal, off, eigvals_only=True, **some)
                if found[0][0] < least - EXACT * max(abs(found[0][0]), abs(least)):
                    values, columns = eigh_tridiagonal(
                        diagonal, off, lapack_driver="stemr", check_finite=False
                    )
                    found = values[-n_values:], columns[:, -n_values:]
            return found
        if n_values < n:
            return eigh_tridiagonal(diagonal, off, eigvals_only=True, **some), None
    except np.linalg.LinAlgError:
        pass
    found = eigh_tridiagonal(
        diagonal, off, eigvals_only=not vectors, check_finite=False, lapack_driver="stev"
    )
    return (
        (found[0][n - n_values :], found[1][:, n - n_values :]) if vectors else (found[n - n_values :], None)
    )


def gram(vectors):
    """The sum of the outer products of rows with themselves."""
    m, n = vectors.shape
    if not m:
        return np.zeros((n, n))
    total, panel = np.empty((n, n)), np.empty(m * kernels.panel_columns())
    step = max(1, PRODUCTS // 16 // (m * n))
    for start in range(0, n, step):
        kernels.product(vectors, total, panel, start, min(start + step, n))
    return total


def multiply(A, B):
    """A @ B on the calling thread, with the same bits on every processor; both C-contiguous."""
    (m, n), p = A.shape, B.shape[1]
    if not m * n:
        return np.zeros((m, p))
    out, width = np.empty((m, p)), kernels.panel_columns()
    panel, step = np.empty(n * width), width * max(1, PRODUCTS // 16 // (m * n * width))
    for start in range(0, p, step):
        kernels.multiply(A, B, out, panel, start, min(start + step, p))
    return out


def product(A, B, check=None):
    """A @ B; in pieces, between which `check` is called, where that takes long."""
    if A.size * B.shape[1] <= PRODUCTS:
        return A @ B
    return np.concatenate([A[some] @ B for some in pieces(len(A), B.size, check)])


def pieces(n, products, check=None):
    """Slices of n rows that take some 50 ms; each row takes `products` multiplications. Before each slice, `check` is called."""
    size = max(1, PRODUCTS // max(1, products))
    for start in range(0, n, size):
        if check is not None:
            check()
        yield slice(start, start + size)
