"""The greatest eigenvalues of a symmetric matrix that changes little from one time to the next: a subspace that follows it.

Each time a Chebyshev polynomial of the matrix, which is small where eigenvalues are not wanted, takes the vectors of the time before
near to those of now (Zhou, Saad, Tiago & Chelikowsky 2006, "Self-consistent-field calculations using Chebyshev-filtered subspace
iteration", J. Computational Physics 219:172-184), and the matrix is diagonalised between them (Rayleigh-Ritz). That takes a few products of
n x n x m for m vectors, and not n**3. What is found is not exact, and is not meant to be.
"""

import numpy as np

from ..spectrum import greatest, multiply

# Degree of the polynomial; with 2 the bounds of 250 rows were as good after as many steps as with 4.
DEGREE = 2
# Vectors that are new are filtered so many times.
FRESH = 4
# Steps by which the least eigenvalue is found (Lanczos), and how often it is.
LANCZOS, OFTEN = 12, 25


class Subspace:
    """Vectors near those of the greatest eigenvalues, all orthogonal to one.

    Parameters
    ----------
    normal : ndarray of shape (n,)
        The one, of length 1.

    Examples
    --------
    >>> M = np.diag(np.arange(40.0))
    >>> subspace = Subspace(np.eye(40)[39])
    >>> for _ in range(20):
    ...     values, vectors = subspace.greatest(M, 6)
    >>> values[-2:].round(6).tolist()
    [37.0, 38.0]
    """

    def __init__(self, normal):
        self.normal, self.rng = normal, np.random.default_rng(0)
        self.vectors = np.empty((0, len(normal)))
        self.n_times, self.least = 0, 0.0

    def greatest(self, M, n_values):
        """About the greatest eigenvalues in increasing order, and a row for the vector of each."""
        fresh = n_values - len(self.vectors)
        if fresh > 0:
            new = self._beside(self.rng.normal(size=(fresh, len(M))))
            self.vectors = np.concatenate([new, self.vectors])
        V = self.vectors[len(self.vectors) - n_values :]
        if self.n_times % OFTEN == 0 or fresh > 0:
            self.least = self._least(M)
        self.n_times += 1
        edge = None if fresh > 0 else self.edge
        for _ in range(FRESH if fresh > 0 else 1):
            if edge is not None:
                V = self._filtered(M, V, edge)
            values, V = self._diagonal(M, V)
            edge = values[0]
            self.least = min(self.least, values[0])
        self.vectors, self.edge = V, edge
        return values, V

    def _beside(self, V):
        return V - np.outer((V * self.normal).sum(axis=1), self.normal)

    def _times(self, M, V):
        return self._beside(multiply(V, M))

    def _least(self, M):
        """A number below the least eigenvalue, or a little above."""
        v = self._beside(self.rng.normal(size=(1, len(M))))
        before, beta, ends = np.zeros_like(v), 0.0, []
        diagonal, off = [], []
        for _ in range(min(LANCZOS, len(M))):
            size = np.sqrt((v * v).sum())
            if not size:
                break
            ends.append(size)
            v = v / size
            w = self._times(M, v) - beta * before
            diagonal.append((w * v).sum())
            w -= diagonal[-1] * v
            beta = np.sqrt((w * w).sum())
            off.append(beta)
            before, v = v, w
        T = np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1)
        return -greatest(-T, 1, vectors=False)[0][0] - off[-1]

    def _filtered(self, M, V, edge):
        """Each vector times a polynomial that is between -1 and 1 from the least eigenvalue to the edge, and grows beyond."""
        half, middle = (edge - self.least) / 2, (edge + self.least) / 2
        if half <= 0:
            return V
        before, now = V, (self._times(M, V) - middle * V) / half
        for _ in range(DEGREE - 1):
            before, now = now, 2 / half * (self._times(M, now) - middle * now) - before
        return now / np.maximum(np.sqrt((now * now).sum(axis=1)), 1e-300)[:, None]

    def _diagonal(self, M, V):
        """Orthonormal vectors that span the same, for which the matrix is diagonal: its values, and they."""
        sizes, own = greatest(multiply(V, np.ascontiguousarray(V.T)), len(V))
        kept = sizes > 1e-14 * sizes[-1]
        W = multiply(own / np.sqrt(np.where(kept, sizes, np.inf))[:, None], V)
        inner = multiply(self._times(M, W), np.ascontiguousarray(W.T))
        inner[~kept] = inner[:, ~kept] = 0
        inner[~kept, ~kept] = self.least
        values, own = greatest((inner + inner.T) / 2, len(V))
        return values, multiply(own, W)
