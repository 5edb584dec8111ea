"""Standardized features: those of scikit-learn, and the same for numbers that it cannot square."""

import numpy as np
import pytest
from command_line import report, run
from sklearn.preprocessing import StandardScaler

from ckmeans import KMeans
from ckmeans.command.standard import Standardizer

X = np.random.default_rng(0).normal(size=(30, 3)) * [1.0, 1e3, 1e-5] + [0.0, 5.0, 1.0]
WEIGHTS = np.arange(1.0, 31)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_usual_numbers_are_those_of_scikit_learn(weights):
    expected = StandardScaler().fit(X, sample_weight=weights)
    found = Standardizer(X, weights)
    assert (found.transform(X) == expected.transform(X)).all()
    assert (found.inverse_transform(X) == expected.inverse_transform(X)).all()


@pytest.mark.parametrize("scale", [2.0**1010, 2.0**600, 2.0**-600, 2.0**-1000])
@pytest.mark.parametrize("weights, mass", [(None, 1.0), (WEIGHTS, 2.0**1000)])
def test_numbers_without_squares(scale, weights, mass):
    """One feature is extreme, the others are not."""
    huge = X * [scale, 1.0, 1.0]
    expected = Standardizer(X, weights)
    found = Standardizer(huge, None if weights is None else weights * mass)
    np.testing.assert_allclose(found.transform(huge), expected.transform(X), rtol=1e-12)
    np.testing.assert_allclose(found.inverse_transform(found.transform(huge)), huge, rtol=1e-9)


def test_a_scale_beyond_the_floats():
    """The deviation of these is less than the least float: in their own units no pipeline can have it."""
    values = np.zeros((50, 1))
    values[0] = 1e-323
    found = Standardizer(values)
    assert found.transform(values).std() == pytest.approx(1)
    with pytest.raises(ValueError, match="beyond the floats"):
        found.before(KMeans(2))


@pytest.mark.parametrize("scale", [1.7e308, 1e-300])
def test_extreme_rows(here, scale):
    rows = np.vstack([X[:9] + center for center in (-20, 0, 20)])
    rows /= np.abs(rows).max()
    np.save("usual.npy", rows)
    np.save("x.npy", rows * scale)
    usual, found = (
        report("fit", name, "-k", 3, "--n-init", 8, "--standardize")["result"]
        for name in ("usual.npy", "x.npy")
    )
    assert found["sizes"] == usual["sizes"] and found["inertia"] == pytest.approx(usual["inertia"])
    np.testing.assert_allclose(np.array(found["centers"]) / scale, usual["centers"], rtol=1e-9)
    shown = run("fit", "x.npy", "-k", 3).stdout
    assert ("inertia   beyond the floats" in shown) == (scale > 1) and "inf" not in shown.split("inertia")[1]
