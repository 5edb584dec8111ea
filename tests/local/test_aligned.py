"""Arrays that begin a cache line."""

import numpy as np
import pytest

from ckmeans.local import aligned
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers


@pytest.mark.parametrize("shape", [1, 7, (3, 5), (70, 1, 64)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_empty(shape, dtype):
    kept = [aligned.empty(shape, dtype) for _ in range(5)]
    for array in kept:
        assert array.shape == np.empty(shape).shape and array.dtype == dtype
        assert array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % aligned.LINE == 0


def test_panels_and_scores():
    for n, d in [(70, 1), (1000, 3), (5000, 129)]:
        rows = Rows(np.random.default_rng(0).normal(size=(n, d)), None, Workers(1))
        rows.panels.pack()
        panels, scores = rows.panels.arrays_or_empty()[0], rows.panels.scores()
        assert panels.ctypes.data % aligned.LINE == scores.ctypes.data % aligned.LINE == 0
