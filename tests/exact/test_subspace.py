"""A subspace that follows a matrix, against LAPACK's eigenvalues."""

import numpy as np

from ckmeans.exact.subspace import Subspace


def test_follows_a_matrix_that_changes():
    rng = np.random.default_rng(0)
    n, normal = 80, np.full(80, 80**-0.5)
    A = rng.normal(size=(n, n))
    M, subspace = A + A.T, Subspace(normal)
    P = np.eye(n) - np.outer(normal, normal)
    for _ in range(12):
        B = rng.normal(size=(n, n))
        M += 0.02 * (B + B.T)
        values, vectors = subspace.greatest(M, 20)
    true = np.linalg.eigvalsh(P @ M @ P)[-20:]
    assert np.abs(values - true)[10:].max() < 0.02 * true[-1]
    assert np.abs(vectors @ vectors.T - np.eye(20)).max() < 1e-10
    assert np.abs(vectors @ normal).max() < 1e-10


def test_more_vectors_than_there_are():
    """A matrix of low rank, and of nothing: no vector is made of rounding errors."""
    for M in (np.zeros((30, 30)), np.diag((np.arange(30) < 2) * 5.0)):
        values, vectors = Subspace(np.eye(30)[29]).greatest(M, 12)
        assert np.isfinite(values).all() and np.isfinite(vectors).all()
        assert np.allclose(values[-2:], M.diagonal()[:2])
