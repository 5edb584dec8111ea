"""Pictures of numbers that no axis holds as they are: in units of a power of ten, as those of the same numbers of usual size."""

from types import SimpleNamespace

import numpy as np
import pytest

from ckmeans import (
    BreaksDisplay,
    ChoiceDisplay,
    ClusterDisplay,
    GapDisplay,
    GapRecorder,
    ResponsibilityDisplay,
    SilhouetteDisplay,
    natural_breaks,
)
from ckmeans.plots.units import bin_edges, exponent_of, in_units

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

RNG = np.random.default_rng(0)
USUAL = np.vstack([RNG.normal(size=(9, 3)) + center for center in (-6, 0, 6)])
USUAL = USUAL / np.abs(USUAL).max()
LABELS = np.repeat([0, 1, 2], 9)
SCALES = [(1.7, 308), (1.0, 300), (1.0, 160), (1.0, -160), (1.0, -300), (1.0, -306)]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("factor, power", SCALES)
def test_units(factor, power):
    values = factor * USUAL * 10.0**power
    unit = exponent_of(values)
    assert 1 <= np.abs(in_units(values, unit)).max() < 10
    np.testing.assert_allclose(in_units(values, unit) * 10.0 ** (unit - power), factor * USUAL, rtol=1e-12)
    back = in_units(in_units(values, unit), -unit)
    np.testing.assert_allclose(back, values, rtol=1e-12)


def test_usual_numbers_are_left_alone():
    assert exponent_of(np.zeros(3)) == exponent_of(np.array([1e100, -1e-300])) == exponent_of() == 0
    assert in_units(USUAL, 0) is USUAL


@pytest.mark.parametrize(
    "values",
    [
        np.ones(5),
        np.full(3, 1e17),
        1e16 + 2.0 * np.arange(5),
        np.array([5e-1, 0.5 + 2**-53]),
        np.arange(100.0),
    ],
)
@pytest.mark.parametrize("n_bins", [1, 10, 80])
def test_bins_have_a_width(values, n_bins):
    edges = bin_edges(values, n_bins)
    assert len(edges) <= n_bins + 1 and (np.diff(edges) > 0).all()
    assert edges[0] <= values.min() and values.max() <= edges[-1]
    assert np.histogram(values, edges)[0].sum() == len(values)


def places(display):
    """Where the rows and the rest are drawn, as shares of the axes."""
    display.figure_.canvas.draw()
    ax = display.ax_
    drawn = [np.asarray(points.get_offsets()) for points in ax.collections]
    drawn = [ax.transData.transform(points) for points in drawn if len(points) and points.any()]
    return np.vstack([ax.transAxes.inverted().transform(points) for points in drawn])


@pytest.mark.parametrize("n_features, weight", [(1, None), (2, 1e300), (3, None)])
@pytest.mark.parametrize("factor, power", SCALES)
def test_clusters(factor, power, weight, n_features):
    usual = USUAL[:, :n_features]
    weights = None if weight is None else np.arange(1.0, 28)
    expected = ClusterDisplay.from_labels(usual, LABELS, sample_weight=weights)
    weights = None if weight is None else weight * weights
    found = ClusterDisplay.from_labels(factor * usual * 10.0**power, LABELS, sample_weight=weights)
    np.testing.assert_allclose(found.shares, expected.shares, rtol=1e-9)
    np.testing.assert_allclose(places(found), places(expected), atol=1e-9)
    unit = exponent_of(factor * usual * 10.0**power)
    assert power - 1 <= unit <= power and f"in units of 1e{unit:+d}" in found.ax_.get_xlabel()
    assert found.inertia == np.inf or found.inertia == 0 or -330 < np.log10(found.inertia) < 309


def test_given_centers_are_in_the_same_units():
    centers = np.array([USUAL[LABELS == k].mean(axis=0) for k in range(3)])
    found = ClusterDisplay.from_labels(USUAL * 1e300, LABELS, centers=centers * 1e300)
    np.testing.assert_allclose(
        found.centers, ClusterDisplay.from_labels(USUAL * 1e300, LABELS).centers, rtol=1e-9
    )


@pytest.mark.parametrize("power", [150, -150])
def test_responsibilities(power):
    """Circles have the radius of one standard deviation."""
    shares = np.eye(3)[LABELS]
    X = USUAL[:, :2]
    expected = ResponsibilityDisplay.from_responsibilities(X, shares, X[[0, 9, 18]], variances=0.04)
    scale = 10.0**power
    found = ResponsibilityDisplay.from_responsibilities(
        X * scale, shares, X[[0, 9, 18]] * scale, variances=0.04 * scale**2
    )
    np.testing.assert_allclose(places(found), places(expected), atol=1e-9)
    radii = [
        [circle.radius / np.ptp(d.ax_.get_xlim()) for circle in d.ax_.patches] for d in (found, expected)
    ]
    np.testing.assert_allclose(*radii, rtol=1e-9)


@pytest.mark.parametrize("factor, power", SCALES)
def test_silhouettes(factor, power):
    expected = SilhouetteDisplay.from_labels(USUAL, LABELS).silhouettes
    found = SilhouetteDisplay.from_labels(factor * USUAL * 10.0**power, LABELS).silhouettes
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_silhouettes_far_from_zero():
    expected = SilhouetteDisplay.from_labels(USUAL, LABELS).silhouettes
    far = USUAL + 2.0**40
    found = SilhouetteDisplay.from_labels(far, LABELS).silhouettes
    np.testing.assert_allclose(
        found, SilhouetteDisplay.from_labels(far - 2.0**40, LABELS).silhouettes, atol=1e-9
    )
    np.testing.assert_allclose(found, expected, atol=1e-2)


@pytest.mark.parametrize("factor, power", SCALES)
def test_breaks(factor, power):
    x = factor * USUAL[:, 0] * 10.0**power
    found = natural_breaks(x, 3)
    display = BreaksDisplay.from_breaks(found, x, sample_weight=np.full(27, 1e300), name="size")
    display.figure_.canvas.draw()
    unit = exponent_of(x)
    assert display.ax_.get_xlabel() == f"size, in units of 1e{unit:+d}"
    assert display.ax_.get_ylabel() == "weight, in units of 1e+300"
    lines = [line.get_xdata()[0] for line in display.ax_.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(lines, in_units(found.breaks[1:-1], unit))
    said = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert [text.partition(" ")[0] for text in said[1:]] == [f"{value:.4g}" for value in found.breaks[1:-1]]


def test_breaks_of_neighbours():
    x = np.array([1e16, 1e16 + 2, 1e16 + 4])
    BreaksDisplay.from_breaks(natural_breaks(x, 2), x).figure_.canvas.draw()


@pytest.mark.parametrize("top", [1.7e308, 1e-300])
def test_gap(top):
    told = GapRecorder()
    for bound in (0.0, 0.4, 0.45):
        told("prices", 0.5 * top, bound * top)
    display = GapDisplay.from_recorder(told)
    display.figure_.canvas.draw()
    assert display.ax_.get_title().startswith("at most 11.2 % above the best possible after")
    assert "inertia, in units of 1e" in display.ax_.get_ylabel()
    above, below = (line.get_ydata() for line in display.ax_.lines[:2])
    np.testing.assert_allclose(below[-1] / above[-1], 0.9)


def test_no_line_leads_to_an_infinite_inertia():
    told = GapRecorder()
    told("prices", np.inf, 1.0)
    with pytest.raises(ValueError, match="divide X by a power of ten"):
        GapDisplay.from_recorder(told)


def test_choice():
    criteria = {
        "large": [1.7e308, -1.7e308, 1.0],
        "tiny": [1e-300, 2e-300, 5e-301],
        "infinite": [np.inf, 1.0, 2.0],
    }
    choice = SimpleNamespace(
        n_clusters=[2, 3, 4], criteria=criteria, suggested={"large": 2, "tiny": 3, "infinite": 2}
    )
    display = ChoiceDisplay.from_choice(choice)
    display.figure_.canvas.draw()
    assert [ax.get_ylabel() for ax in display.axes_] == ["in units of 1e+308", "in units of 1e-300", "", ""]
