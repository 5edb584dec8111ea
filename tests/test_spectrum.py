"""The greatest eigenvalues against LAPACK's."""

import numpy as np
import pytest

from ckmeans import spectrum
from ckmeans._kernels import spectrum as kernels
from ckmeans.proofs.instance import Instance
from ckmeans.spectrum import gram, greatest, multiply

SIZES = [1, 2, 3, 4, 7, 8, 9, 16, 17, 50, 133]


def matrices(n):
    rng = np.random.default_rng(n)
    A, B = rng.normal(size=(n, n)), rng.normal(size=(n, 2))
    steps = np.ldexp(1.0, -rng.integers(0, 500, n))
    far_apart = np.ldexp(A, -rng.integers(0, 1000, (n, n)))
    sparse = np.zeros((n, n))
    sparse[0, 0] = 1
    return [
        A + A.T,
        B @ B.T,
        sparse,
        np.zeros((n, n)),
        np.eye(n),
        1e-150 * (A + A.T),
        np.diag(np.arange(n) - 2.0),
        np.outer(steps, steps) * (A + A.T),
        far_apart + far_apart.T,
    ]


@pytest.mark.parametrize("n", SIZES)
def test_values_and_vectors(n):
    for M in matrices(n):
        size = np.abs(M).max()
        for n_values in {1, (n + 1) // 2, n}:
            kept = M.copy()
            values, vectors = greatest(M, n_values)
            assert (M == kept).all()
            assert values == pytest.approx(np.linalg.eigvalsh(M)[n - n_values :], abs=1e-13 * n * size)
            assert greatest(M, n_values, vectors=False)[0] == pytest.approx(values, abs=1e-13 * n * size)
            assert np.abs(vectors @ vectors.T - np.eye(n_values)).max() < 1e-12 * n
            assert np.abs(M @ vectors.T - vectors.T * values).max() <= 1e-13 * n * size


def test_of_values_that_hardly_differ_the_greatest_are_found():
    """LAPACK's stemr takes others, 1e-12 to 1e-10 less, for one in some thousand such matrices."""
    rng = np.random.default_rng(776)
    n, n_values = int(rng.integers(5, 9)), int(rng.integers(2, 6))
    turned = np.linalg.qr(rng.normal(size=(n, n)))[0]
    M = (turned * np.append(-3.0, 0.25 + 1e-10 * rng.random(n - 1))) @ turned.T
    assert greatest(M, n_values)[0] == pytest.approx(np.linalg.eigvalsh(M)[n - n_values :], abs=1e-14)


def test_the_wrong_ones_are_noticed(monkeypatch):
    """As it took the ones before the greatest."""
    M, true, asked = np.diag([1.0, 2.0, 3.0, 4.0]), spectrum.eigh_tridiagonal, []

    def wrong(diagonal, off, **how):
        asked.append(how.get("lapack_driver"))
        if how.get("lapack_driver") == "stemr" and "select_range" in how:
            first, last = how["select_range"]
            how["select_range"] = first - 1, last - 1
        return true(diagonal, off, **how)

    monkeypatch.setattr(spectrum, "eigh_tridiagonal", wrong)
    values, vectors = greatest(M, 2)
    assert values.tolist() == [3.0, 4.0] and asked.count("stemr") == 2
    assert np.abs(vectors) == pytest.approx(np.eye(4)[2:])


@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (60, 33), (0, 4)])
def test_sums_of_outer_products(shape):
    rows = np.random.default_rng(0).normal(size=shape)
    assert gram(rows) == pytest.approx(rows.T @ rows, abs=1e-12)
    other = np.random.default_rng(1).normal(size=(shape[1], 21))
    assert multiply(rows, other) == pytest.approx(rows @ other, abs=1e-12)


def test_the_same_bits_on_every_processor():
    rng, found = np.random.default_rng(0), set()
    A, B = rng.normal(size=(61, 61)), rng.normal(size=(61, 61))
    usual = kernels.instruction_sets()[-1]
    for name in kernels.instruction_sets():
        kernels.use(name)
        results = (multiply(A, B), gram(A), *greatest(A + A.T, 40))
        found.add(b"".join(result.tobytes() for result in results))
    kernels.use(usual)
    assert len(found) == 1


def test_no_values():
    values, vectors = greatest(np.eye(3), 0)
    assert values.shape == (0,) and vectors.shape == (0, 3)


@pytest.fixture
def failing_drivers(monkeypatch):
    """LAPACK as it is where its drivers for some of the eigenvalues do not converge."""
    whole = spectrum.eigh_tridiagonal

    def only_stev(diagonal, off, **options):
        if options.get("lapack_driver") != "stev":
            raise np.linalg.LinAlgError("did not converge")
        return whole(diagonal, off, **options)

    monkeypatch.setattr(spectrum, "eigh_tridiagonal", only_stev)


def test_where_lapack_does_not_converge(failing_drivers):
    rng = np.random.default_rng(0)
    A = rng.normal(size=(12, 12))
    M = A + A.T
    for n_values in (1, 5, 12):
        expected = np.linalg.eigvalsh(M)[12 - n_values :]
        values, vectors = greatest(M, n_values)
        assert values == pytest.approx(expected, abs=1e-12)
        assert np.abs(M @ vectors.T - vectors.T * values).max() < 1e-12
        assert greatest(M, n_values, vectors=False)[0] == pytest.approx(expected, abs=1e-12)
    assert Instance(rng.normal(size=(60, 12)), 3).many_axes
    assert not Instance(rng.normal(size=(60, 12)) * 10.0 ** -np.arange(12), 3).many_axes
