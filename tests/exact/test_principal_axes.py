"""Rows on their principal axes: distances stay, in pieces too, and what rounding does to them is known."""

import numpy as np
import pytest

from ckmeans import spectrum
from ckmeans.exact import principal_axes
from ckmeans.exact.principal_axes import on_principal_axes
from ckmeans.workers import Expired


def distances(rows):
    return np.sqrt(((rows[:, None] - rows) ** 2).sum(axis=2))


def centered(rows):
    return rows - rows.mean(axis=0)


def low_rank(rng, n, d, rank=3):
    return centered(rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)))


@pytest.fixture
def in_pieces(monkeypatch):
    monkeypatch.setattr(spectrum, "PRODUCTS", 2000)
    monkeypatch.setattr(principal_axes, "PRODUCTS", 2000)
    monkeypatch.setattr(principal_axes, "BLOCK", 7)


SHAPES = [(40, 2), (40, 20), (40, 70), (20, 200), (90, 90)]


@pytest.mark.parametrize("rank", [3, None])
@pytest.mark.parametrize("n, d", SHAPES)
def test_distances_stay(n, d, rank):
    rng = np.random.default_rng(n + d)
    rows = low_rank(rng, n, d) if rank else centered(rng.normal(size=(n, d)))
    found, error = on_principal_axes(rows, np.ones(n))
    assert error < 1e-9 and np.abs(distances(found) - distances(rows)).max() <= 2 * error
    if rank:
        assert found.shape[1] == min(rank, d)
    widths = np.ptp(found, axis=0)
    assert d == 2 or widths[0] > 0.5 * widths.max()


@pytest.mark.parametrize("rank", [3, None])
@pytest.mark.parametrize("n, d", SHAPES)
def test_pieces(n, d, rank, in_pieces):
    test_distances_stay(n, d, rank)


@pytest.mark.parametrize("rank", [3, None])
def test_many_axes(rank, monkeypatch):
    """Where there are too many to find all of them, those of a low rank are found, and others are left as they are."""
    monkeypatch.setattr(principal_axes, "MOST_AXES", 66)
    monkeypatch.setattr(principal_axes, "LEADING", 5)
    rng = np.random.default_rng(0)
    rows = low_rank(rng, 100, 80) if rank else centered(rng.normal(size=(100, 80)))
    found, error = on_principal_axes(rows, np.ones(100))
    assert error < 1e-9 and np.abs(distances(found) - distances(rows)).max() <= 2 * error
    assert found.shape == ((100, 3) if rank else (100, 80))


def test_looks_between_pieces(in_pieces):
    looks = []
    on_principal_axes(np.eye(70), np.ones(70), lambda: looks.append(None))
    assert len(looks) > 100

    def stop():
        raise Expired

    with pytest.raises(Expired):
        on_principal_axes(np.eye(70), np.ones(70), stop)


def test_products_in_pieces(in_pieces):
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(50, 30)), rng.normal(size=(30, 20))
    np.testing.assert_allclose(spectrum.product(A, B), A @ B, atol=1e-12)
