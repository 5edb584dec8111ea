"""The instances of benchmarks/proved.py that need no folder of files: as they are shipped, and what is told of them."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "benchmarks" / "data").is_dir():
    pytest.skip("the benchmarks are not part of a source distribution", allow_module_level=True)
sys.path.append(str(ROOT))

from benchmarks import proved  # noqa: E402

SIZES = {
    "r_USArrests": (50, 4),
    "r_faithful": (272, 2),
    "r_mtcars": (32, 11),
    "r_quakes": (1000, 5),
    "sk_diabetes": (442, 10),
    "sk_iris": (150, 4),
    "segments-200x5": (200, 5),
    "blobs-50x3": (50, 3),
}


@pytest.mark.parametrize("name", SIZES)
def test_rows(name, tmp_path):
    """The same each time; scaled, each feature has mean 0 and variance 1."""
    X = proved.rows_of(name, tmp_path)
    assert X.shape == SIZES[name] and np.array_equal(X, proved.rows_of(name, tmp_path))
    scaled = proved.rows_of(name + "-scaled", tmp_path)
    assert np.allclose(scaled.mean(axis=0), 0) and np.allclose(scaled.std(axis=0), 1)


def test_a_line_of_the_table(tmp_path):
    """50 states of the USA, as R has them."""
    X = proved.rows_of("r_USArrests", tmp_path)
    row = proved.measured("r_USArrests", X, 2, (60, 0.0), None, {})
    assert row["accepted"] and proved.reached(row) and row["status"] == "optimal-unique"
    assert row["cost"] == pytest.approx(96399.02814, rel=1e-9)
