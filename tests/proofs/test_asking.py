"""The checker with a time limit: how often it looks at the clock."""

import numpy as np
import pytest

from ckmeans.proofs import asking
from ckmeans.proofs.portfolio import prove

K = 3


@pytest.mark.parametrize(
    "method, shape, n_looks, steps",
    [
        ("sdp", (60, 5), 60, 60 * (K + 5 + 20)),
        ("pca", (60, 30), 30, 30 * (60 + K - 1 + 10)),
        ("pca", (20, 70), 20, 20 * (K + 70 + 20)),
        ("line", (60, 1), 60, 20),
    ],
)
def test_the_checker_looks_at_the_clock_row_by_row(method, shape, n_looks, steps, monkeypatch):
    """It counts the steps of each row before it takes them, where it once counted those of all rows at once."""
    looks = []

    class Counted(asking._TimedReader):
        def spend(self, steps, bits=0):
            looks.append(steps)
            super().spend(steps, bits)

    monkeypatch.setattr(asking, "_TimedReader", Counted)
    found = prove(np.random.default_rng(0).normal(size=shape), K, methods=["search", method], rng=0)
    assert found.method == method and found.checked
    assert looks.count(steps) >= n_looks
