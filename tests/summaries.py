"""Rows for summaries, and what a summary knows of them."""

from fractions import Fraction

import numpy as np


def rows_of(kind, n=700, seed=0):
    """Rows of many kinds; grids have ties everywhere, drift moves on, and units that are far apart."""
    rng = np.random.default_rng(seed)
    if kind == "blobs":
        return rng.normal(size=(n, 2)) + 10 * rng.integers(3, size=(n, 1))
    if kind == "grid":
        return rng.integers(-6, 7, size=(n, 2)).astype(float)
    if kind == "drift":
        return rng.normal(size=(n, 2)) + np.arange(n)[:, None] ** 1.5
    if kind == "offset":
        return rng.normal(size=(n, 2)) + 1e8
    if kind == "wide":
        return rng.normal(size=(n, 6))
    if kind == "line":
        return rng.normal(size=(n, 1)) ** 3
    if kind == "extreme":
        return rng.normal(size=(n, 2)) * 10.0 ** rng.integers(-300, 300, size=(n, 1))
    return rng.integers(3, size=(n, 2)).astype(float)  # few


KINDS = "blobs grid drift offset wide line extreme few".split()


def state_of(summary):
    """All that a summary knows, to be compared."""
    sums = summary.exact_cells
    unit, weight_unit = Fraction(1, 1 << sums.scale), Fraction(1, 1 << sums.weight_scale)
    exact = [
        [w * weight_unit for w in sums.weights.tolist()],
        [[s * weight_unit * unit for s in row] for row in sums.sums.tolist()],
        [q * weight_unit * unit**2 for q in sums.squares.tolist()],
    ]
    return summary.n_rows, exact, sums.lower.tolist(), sums.upper.tolist()


def weights_for(X):
    return np.random.default_rng(1).choice([0.0, 0.25, 1.0, 3.5], len(X))
