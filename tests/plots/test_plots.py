"""The pictures: what is drawn, and what is said about it. Drawn on the Agg backend; no pixel is looked at."""

import builtins
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.cluster import KMeans as Other
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import silhouette_score

import ckmeans
from ckmeans import (
    BoxDisplay,
    BreaksDisplay,
    ChoiceDisplay,
    ClusterDisplay,
    GapDisplay,
    GapRecorder,
    KMeans,
    LandscapeDisplay,
    PathDisplay,
    ProfileDisplay,
    ResponsibilityDisplay,
    RestartDisplay,
    SilhouetteDisplay,
    SphericalMixture,
    certify,
    landscape,
    lloyd_path,
    natural_breaks,
)
from ckmeans.diagnostics.intervals import seen_interval

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from ckmeans.plots import common as plots  # noqa: E402
from ckmeans.plots import plane as plots_plane  # noqa: E402

IRIS = load_iris().data
PLANE = IRIS[:, 2:]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(display):
    found = [*display.figure_.legends, *[ax.get_legend() for ax in display.figure_.axes if ax.get_legend()]]
    return [text.get_text() for each in found for text in each.get_texts()]


def recorded():
    recorder = GapRecorder()
    certificate = certify(IRIS[::3], n_clusters=3, random_state=0, progress=recorder)
    return recorder, certificate


CHOICE = SimpleNamespace(
    n_clusters=np.arange(2, 6),
    criteria={
        "gap": np.array([1.0, 2, 3, np.nan]),
        "silhouette": np.array([0.5, 0.7, 0.6, 0.1]),
        "pham": np.ones(4),
    },
    suggested={"gap": 4, "silhouette": 3},
)
ALL = {
    "ClusterDisplay": lambda ax: ClusterDisplay.from_labels(
        IRIS, Other(3, n_init=1, random_state=0).fit_predict(IRIS), ax=ax
    ),
    "ResponsibilityDisplay": lambda ax: ResponsibilityDisplay.from_estimator(
        SphericalMixture(3).fit(IRIS), IRIS, ax=ax
    ),
    "SilhouetteDisplay": lambda ax: SilhouetteDisplay.from_estimator(KMeans(3).fit(IRIS), IRIS, ax=ax),
    "LandscapeDisplay": lambda ax: LandscapeDisplay.from_landscape(landscape(IRIS, 3, 50), ax=ax),
    "RestartDisplay": lambda ax: RestartDisplay.from_landscape(landscape(IRIS, 3, 50), ax=ax),
    "PathDisplay": lambda ax: PathDisplay.from_path(lloyd_path(IRIS, 3, random_state=4), IRIS, ax=ax),
    "GapDisplay": lambda ax: GapDisplay.from_recorder(*recorded(), ax=ax),
    "ChoiceDisplay": lambda ax: ChoiceDisplay.from_choice(CHOICE, ax=ax),
    "ProfileDisplay": lambda ax: ProfileDisplay.from_labels(IRIS, np.arange(150) // 50, ax=ax),
    "BoxDisplay": lambda ax: BoxDisplay.from_estimator(KMeans(3).fit(IRIS), IRIS, ax=ax),
    "BreaksDisplay": lambda ax: BreaksDisplay.from_breaks(natural_breaks(IRIS[:, 2], 3), IRIS[:, 2], ax=ax),
}


def test_no_display_is_left_out():
    assert set(ALL) == {name for name in ckmeans.__all__ if name.endswith("Display")}


@pytest.mark.parametrize("name", ALL)
def test_conventions(name):
    """On axes of its own, and on those given; plot returns the display, and saves to any format."""
    display = ALL[name](None)
    assert type(display).__name__ == name
    assert display.ax_.figure is display.figure_
    assert display.ax_.get_title()
    display.figure_.canvas.draw()
    figure, axes = plt.subplots(1, 2)
    given = ALL[name](axes[0])
    assert given.figure_ is figure
    if name not in ("ChoiceDisplay", "BoxDisplay"):
        assert given.ax_ is axes[0] and given.plot() is given and given.ax_ is not axes[0]
    figure.canvas.draw()
    assert not axes[1].get_title() and not axes[1].has_data()


@pytest.mark.parametrize("name", ALL)
def test_nothing_written_is_outside_the_figure(name):
    display = ALL[name](None)
    display.figure_.canvas.draw()
    width, height = display.figure_.canvas.get_width_height()
    for ax in display.figure_.axes:
        for text in [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]:
            box = text.get_window_extent()
            if text.get_text():
                assert -2 <= box.x0 and box.x1 <= width + 2 and -2 <= box.y0 and box.y1 <= height + 2, (
                    text.get_text()
                )


@pytest.mark.parametrize("name", ALL)
def test_tick_labels_do_not_overlap(name):
    display = ALL[name](None)
    display.figure_.canvas.draw()
    for ax in display.figure_.axes:
        boxes = [
            t.get_window_extent()
            for t in ax.get_xticklabels(which="both")
            if t.get_text() and t.get_visible()
        ]
        low, high = ax.get_window_extent().x0 - 1, ax.get_window_extent().x1 + 1
        boxes = sorted((b.x0, b.x1) for b in boxes if low <= (b.x0 + b.x1) / 2 <= high)
        assert all(a[1] <= b[0] for a, b in zip(boxes, boxes[1:]))


def test_without_matplotlib(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "certified-kmeans\[plots\]"'):
        BreaksDisplay.from_breaks(natural_breaks(IRIS[:, 2], 3), IRIS[:, 2])


def test_matplotlib_is_not_imported_before_something_is_drawn():
    code = "import sys, ckmeans; [getattr(ckmeans, n) for n in ckmeans.__all__]; print('matplotlib' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    )


def test_looks_tell_clusters_apart_without_color():
    assert len({(plots.color(k), plots.marker(k)) for k in range(40)}) == 40
    assert len({plots.marker(k) for k in range(8)}) == 8
    lightness = sorted(np.dot(to_rgb(color), [0.299, 0.587, 0.114]) for color in plots.COLORS[:4])
    assert min(np.diff(lightness)) > 0.01


def test_a_part_is_not_shown_as_all():
    assert (
        plots.percent(0.9996) == "99.96 %"
        and plots.percent(1.0) == "100 %"
        and plots.percent(0.999) == "99.9 %"
    )
    assert plots.percent(1 - 2**-53) != "100 %"


def test_percent():
    said = [plots.percent(share) for share in (0, 1, 0.978, 0.0000536, 0.01, 12, 1e-9)]
    assert said == ["0 %", "100 %", "97.8 %", "0.00536 %", "1 %", "1200 %", "1e-07 %"]


# ---- clusters in the plane


def test_cells_are_where_their_center_is_nearest():
    rng = np.random.default_rng(0)
    centers, heights = rng.normal(size=(7, 2)), rng.uniform(0, 1, 7)
    box = (-2.0, 2.5, -3.0, 2.0)
    polygons = plots_plane.cells(centers, heights, box)

    def area(polygon):
        x, y = polygon.T
        return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2

    assert sum(area(polygon) for polygon in polygons if len(polygon)) == pytest.approx(4.5 * 5)
    for k, polygon in enumerate(polygons):
        for inner in rng.dirichlet(np.ones(max(1, len(polygon))), 20) @ polygon if len(polygon) else []:
            assert ((inner - centers) ** 2).sum(axis=1)[k] + heights[k] <= (
                ((inner - centers) ** 2).sum(axis=1) + heights
            ).min() + 1e-9


def test_clusters_in_two_features():
    model = KMeans(3, random_state=0).fit(PLANE)
    display = ClusterDisplay.from_estimator(model, PLANE)
    assert display.ax_.get_xlabel() == "feature 0" and display.ax_.get_ylabel() == "feature 1"
    assert len(display.cells_) == 3
    within = [((PLANE[model.labels_ == k] - model.cluster_centers_[k]) ** 2).sum() for k in range(3)]
    assert display.shares == pytest.approx(np.array(within) / model.inertia_)
    assert texts(display.ax_) == [f"{k}: {n} rows" for k, n in enumerate(np.bincount(model.labels_))]
    assert display.ax_.get_title() == "150 rows in 3 clusters"
    drawn = [np.asarray(points.get_offsets()) for points in display.ax_.collections]
    assert [len(points) for points in drawn] == [*np.bincount(model.labels_), 3]
    assert drawn[3] == pytest.approx(model.cluster_centers_)
    # Each row is in the cell of its cluster.
    for k, cell in enumerate(display.cells_):
        path = cell.get_path()
        assert (
            path.contains_points(PLANE[model.labels_ == k], radius=1e-9).all()
            or path.contains_points(PLANE[model.labels_ == k], radius=-1e-9).all()
        )


def test_names_are_off_the_rows():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(60, 2)) + 9 * np.array([k % 4, k // 4]) for k in range(12)])
    display = ClusterDisplay.from_labels(X, np.arange(720) // 60)
    display.figure_.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in display.ax_.texts]  # without their lines
    drawn = display.ax_.transData.transform(X)
    assert sum(box.contains(*point) for box in boxes for point in drawn) <= 10
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_clusters_of_one_color_look_different():
    X = np.random.default_rng(0).normal(size=(64, 2))
    drawn = ClusterDisplay.from_labels(X, np.arange(64) // 4).ax_.collections[:16]
    looks = [(*to_rgb(d.get_facecolor()[0]), *to_rgb(d.get_edgecolor()[0])) for d in drawn]
    assert len(set(looks)) == 16 and to_rgb(drawn[8].get_facecolor()[0]) == (1, 1, 1)


def test_an_unfitted_model_says_so():
    with pytest.raises(NotFittedError, match=r"This KMeans has no centers yet: call fit\(X\)"):
        ClusterDisplay.from_estimator(KMeans(3), IRIS)


def test_numbers_as_people_write_them():
    assert plots.written([59980.0, 1.5, 1e-4, 0.0]) == ["59,980", "1.5", "0.0001", "0"]
    assert plots.written([1e-300, 123456.0, 123457.0]) == ["1e-300", "123,456", "123,457"]


def test_clusters_by_principal_components():
    import pandas as pd

    display = ClusterDisplay.from_estimator(KMeans(3, random_state=0).fit(IRIS), IRIS)
    assert "component 1 (92.5 % of the variance)" in display.ax_.get_xlabel()
    assert "5.31 %" in display.ax_.get_ylabel()
    assert "97.8 % of the variance of 4 features" in display.ax_.get_title()
    frame = pd.DataFrame(PLANE, columns=["length", "width"])
    named = ClusterDisplay.from_labels(frame, np.arange(150) % 2, sample_weight=np.arange(1.0, 151))
    assert (named.ax_.get_xlabel(), named.ax_.get_ylabel()) == ("length", "width")
    w = np.arange(1.0, 151)[::2]
    assert named.centers[0] == pytest.approx(np.average(PLANE[::2], axis=0, weights=w))


@pytest.mark.parametrize("n", [40, 150])
def test_components_of_wide_rows_are_those_of_their_singular_vectors(monkeypatch, n):
    """Rows with many features, fewer rows than that or more."""
    w = np.arange(1.0, n + 1)
    narrow = ClusterDisplay.from_labels(IRIS[:n], np.arange(n) % 2, sample_weight=w)
    monkeypatch.setattr(plots_plane, "MOST_DENSE", 3 if n > 40 else 40)
    wide = ClusterDisplay.from_labels(
        np.hstack([IRIS[:n], np.zeros((n, 41))]), np.arange(n) % 2, sample_weight=w
    )
    assert np.abs(wide.points) == pytest.approx(np.abs(narrow.points), abs=1e-9)
    assert wide.plane.shown == pytest.approx(narrow.plane.shown)


def test_a_center_far_off_the_plane_has_no_cell_on_it():
    X = np.column_stack([PLANE, np.zeros(150)])
    centers = [[1.0, 0.0, 0.0], [5.0, 2.0, 0.0], [3.0, 1.0, 100.0]]
    display = ClusterDisplay.from_labels(X, np.arange(150) % 3, centers=centers)
    assert len(display.cells_) == 2
    moving = PathDisplay.from_path(lloyd_path(X, 3, init=centers), X).animate()
    moving._draw_frame(0)
    assert len(moving._fig.axes[0].patches) == 2
    moving._draw_was_started = True  # so that it does not warn that nobody saw it


def test_any_labels_and_models():
    named = ClusterDisplay.from_labels(PLANE, np.array(["b", "a", "c"])[np.arange(150) % 3])
    assert named.labels[:3].tolist() == [1, 0, 2]
    mixture = ClusterDisplay.from_estimator(SphericalMixture(3, random_state=0).fit(PLANE), PLANE)
    assert len(mixture.cells_) == 3
    with pytest.raises(ValueError, match="noise"):
        ClusterDisplay.from_labels(PLANE, np.arange(150) % 3 - 1)
    with pytest.raises(ValueError, match="shape"):
        SilhouetteDisplay.from_labels(PLANE, [0, 1])


def test_many_rows_and_clusters():
    X = np.random.default_rng(0).normal(size=(6000, 2))
    display = ClusterDisplay.from_labels(X, np.arange(6000) % 30)
    assert "6,000 rows in 30 clusters\n5,000 of the rows are drawn" in display.ax_.get_title()
    assert sum(len(points.get_offsets()) for points in display.ax_.collections[:-1]) == 5000
    assert texts(display.ax_) == [str(k) for k in range(30)]
    assert not texts(ClusterDisplay.from_labels(X, np.arange(6000) % 50).ax_)


@pytest.mark.parametrize("X", [np.zeros((4, 1)), np.zeros((4, 2)), np.zeros((4, 3)), np.arange(4.0)[:, None]])
def test_degenerate_rows(X):
    ClusterDisplay.from_labels(X, [0, 0, 1, 1]).figure_.canvas.draw()
    ResponsibilityDisplay.from_responsibilities(X, np.eye(2)[[0, 0, 1, 1]], X[1:3]).figure_.canvas.draw()


def test_responsibilities_are_blended():
    shares = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    X = np.array([[0.0, 0.0], [1.0, 0.5], [2.0, 1.0]])
    display = ResponsibilityDisplay.from_responsibilities(X, shares, X[[0, 2]], variances=0.25)
    blue, orange = (np.array(to_rgb(plots.color(k))) for k in (0, 1))
    drawn = {
        tuple(points.get_offsets()[0]): points
        for points in display.ax_.collections
        if len(points.get_offsets()) == 1
    }
    assert drawn[1.0, 0.5].get_facecolor()[0, :3] == pytest.approx((blue + orange) / 2)
    assert drawn[1.0, 0.5].get_edgecolor()[0, :3] == pytest.approx(to_rgb(plots.INK))
    assert [circle.radius for circle in display.ax_.patches] == [0.5, 0.5]
    assert "1 of 3 rows in doubt" in display.ax_.get_title()
    many = np.random.default_rng(0).normal(size=(90, 2))
    for n_clusters in (40, 41):  # more names than that are not written
        shares = np.eye(n_clusters)[np.arange(90) % n_clusters]
        display = ResponsibilityDisplay.from_responsibilities(many, shares, many[:n_clusters])
        assert len(texts(display.ax_)) >= n_clusters if n_clusters == 40 else not texts(display.ax_)


# ---- silhouettes, choice, breaks


def test_silhouettes():
    labels = KMeans(3, random_state=0).fit_predict(IRIS)
    display = SilhouetteDisplay.from_labels(IRIS, labels)
    assert (
        display.ax_.get_title()
        == f"silhouettes of 3 clusters, on average {silhouette_score(IRIS, labels):.3f}"
    )
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == [
        f"{k}  ({n})" for k, n in enumerate(np.bincount(labels))
    ]
    assert len({tuple(bar.get_facecolor()[0]) for bar in display.ax_.collections}) == 3
    assert "50 of 150 rows" in SilhouetteDisplay.from_labels(IRIS, labels, most=50).ax_.get_title()


def test_choice():
    display = ChoiceDisplay.from_choice(CHOICE)
    assert [ax.get_title() for ax in display.axes_] == [
        "gap statistic: 4",
        "silhouette: 3",
        "distortion ratio f(K): no answer",
        "2 criteria, 2 answers",
    ]
    marked = [line for line in display.axes_[1].lines if line.get_marker() == "D"]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in marked] == [(3, 0.7)]
    assert [bar.get_height() for bar in display.axes_[-1].patches] == [0, 1, 1, 0]


def test_breaks():
    x = IRIS[:, 2]
    found = natural_breaks(x, 3)
    display = BreaksDisplay.from_breaks(found, x, name="petal length")
    lines = [line.get_xdata()[0] for line in display.ax_.lines if line.get_linestyle() == "--"]
    assert lines == found.breaks[1:-1].tolist()
    said = legend(display)
    assert said == ["1 – 1.9:  50", "1.9 – 4.9:  54", "4.9 – 6.9:  46"]
    colors = [to_rgb(c) for c in display.colors_]
    assert [to_rgb(patch.get_facecolor()) for patch in display.ax_.get_legend().get_patches()] == colors
    assert np.diff([np.dot(c, [0.299, 0.587, 0.114]) for c in colors]).max() < -0.1  # darker and darker
    assert sum(bar.get_height() for bars in display.ax_.containers for bar in bars) == 150
    assert display.ax_.get_xlabel() == "petal length" and display.ax_.get_ylabel() == "rows"
    weighted = BreaksDisplay.from_breaks(natural_breaks(x, 40, sample_weight=x), x, sample_weight=x)
    assert weighted.ax_.get_ylabel() == "weight" and legend(weighted)[-1].startswith("and ")
    BreaksDisplay.from_breaks(natural_breaks(np.ones(5), 2), np.ones(5)).figure_.canvas.draw()


def test_breaks_of_skewed_values():
    """A scale of powers, and no number as machines write it."""
    x = np.random.default_rng(0).lognormal(10.5, 1, 500)
    display = BreaksDisplay.from_breaks(natural_breaks(x, 5), x)
    assert display.ax_.get_xscale() == "log"
    display.figure_.canvas.draw()
    said = [*legend(display), *(t.get_text() for t in display.ax_.get_xticklabels())]
    assert "10,000" in said and not any("e+" in text or "$" in text for text in said)
    assert sum(bar.get_height() for bars in display.ax_.containers for bar in bars) == 500
    assert BreaksDisplay.from_breaks(natural_breaks(x, 5), x, log=False).ax_.get_xscale() == "linear"
    assert BreaksDisplay.from_breaks(natural_breaks(IRIS[:, 2], 3), IRIS[:, 2]).ax_.get_xscale() == "linear"
    with pytest.raises(ValueError, match="The least value is -1"):
        BreaksDisplay.from_breaks(natural_breaks([-1.0, 2, 3], 2), [-1.0, 2, 3], log=True)


def test_profiles():
    import pandas as pd

    labels = np.arange(150) // 50
    display = ProfileDisplay.from_labels(pd.DataFrame(IRIS, columns=list("abcd")), labels)
    expected = [(IRIS[labels == k].mean(axis=0) - IRIS.mean(axis=0)) / IRIS.std(axis=0) for k in range(3)]
    assert display.deviations == pytest.approx(np.array(expected))
    assert texts(display.ax_)[:2] == ["-1.0", "+0.9"]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == [f"{k}  (50)" for k in range(3)]
    weights = np.arange(1.0, 151)
    weighted = ProfileDisplay.from_labels(IRIS, labels, sample_weight=weights).deviations
    mean = np.average(IRIS, axis=0, weights=weights)
    spread = np.average((IRIS - mean) ** 2, axis=0, weights=weights) ** 0.5
    own = np.average(IRIS[50:100], axis=0, weights=weights[50:100])
    assert weighted[1] == pytest.approx((own - mean) / spread)
    model = KMeans(3, random_state=0).fit(IRIS)
    own = ProfileDisplay.from_estimator(model, IRIS)
    assert np.array_equal(own.deviations, ProfileDisplay.from_labels(IRIS, model.labels_).deviations)
    flat = ProfileDisplay.from_labels(np.column_stack([np.ones(4), np.arange(4.0) * 1e300]), [0, 0, 1, 1])
    assert flat.deviations[:, 0].tolist() == [0, 0] and np.isfinite(flat.deviations).all()
    partly = ProfileDisplay.from_labels(IRIS, labels, sample_weight=np.where(labels == 1, 0.0, 1.0))
    assert np.isnan(partly.deviations[1]).all() and len(texts(partly.ax_)) == 8  # nothing is said of no rows
    large = ProfileDisplay.from_labels(np.random.default_rng(0).normal(size=(200, 70)), np.arange(200) % 20)
    assert not texts(large.ax_)


def test_boxes():
    display = BoxDisplay.from_labels(IRIS, np.arange(150) // 50, most=3)
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == ["feature 2", "feature 3", "feature 0"] and len(display.axes_) == 3
    assert "not drawn: 1 more features" in display.ax_.get_xlabel()
    medians = [line.get_ydata()[0] for line in display.axes_[0].lines if line.get_linewidth() == 1.6]
    assert medians == [np.median(IRIS[50 * k : 50 * k + 50, 2]) for k in range(3)]
    BoxDisplay.from_labels(np.ones((4, 1)), [0, 0, 1, 1]).figure_.canvas.draw()
    BoxDisplay.from_labels(np.arange(60.0)[:, None], np.arange(60)).figure_.canvas.draw()


# ---- searches


def test_landscape():
    found = landscape(IRIS, 3, 300, random_state=0, certificate=certify(IRIS, n_clusters=3, random_state=0))
    display = LandscapeDisplay.from_landscape(found)
    title = display.ax_.get_title()
    assert (
        f"300 starts of 3 clusters end in {len(found)} local minima" in title
        and "proved to be the best possible" in title
    )
    assert {"no move of a row lowers it", "moving a row would lower it", "proved: none is lower"} <= set(
        legend(display)
    )
    points = np.vstack(
        [
            c.get_offsets()
            for c in display.ax_.collections
            if c.get_offsets().shape[0] and "Path" in type(c).__name__
        ]
    )
    points = points[np.argsort(points[:, 0])]
    np.testing.assert_allclose(points, np.column_stack([found.excess, found.share]))
    bounded = LandscapeDisplay.from_landscape(landscape(IRIS, 3, 50, random_state=0, lower_bound=75.0))
    line = next(line for line in bounded.ax_.lines if line.get_linestyle() == "--")
    assert line.get_xdata()[0] == pytest.approx(75 / 78.8514414 - 1, rel=1e-6)
    left, right = bounded.ax_.get_xlim()
    assert left < line.get_xdata()[0] < right
    assert "bound: none is below 75" in legend(bounded)


def test_landscape_of_many_minima_is_a_distribution(monkeypatch):
    X = np.random.default_rng(0).normal(size=(200, 3))
    found = landscape(X, 8, 150, random_state=0)
    display = LandscapeDisplay.from_landscape(found)
    assert len(found) > 100
    bars = [bar for bars in display.ax_.containers for bar in bars]
    assert sum(bar.get_height() for bar in bars) == pytest.approx(1)
    half = next(line.get_xdata()[0] for line in display.ax_.lines if line.get_linestyle() == ":")
    assert half == pytest.approx(np.median(found.excess[found.ends]))
    assert any(text.startswith("median of the starts: 3.3 % above") for text in legend(display))
    assert {"no move of a row lowers it", "moving a row would lower it"} < set(legend(display))
    monkeypatch.setattr(type(found), "exchange_optimal", np.ones(len(found), bool))
    vars(found).pop("exchange_optimal", None)
    assert "moving a row would lower it" not in legend(LandscapeDisplay.from_landscape(found))


def test_landscape_of_everything():
    found = landscape([[0.0], [1.0], [4.0], [5.0], [9.0], [10.0]], 3, 20, random_state=0)
    display = LandscapeDisplay.from_landscape(found)
    assert "no start ended there" in legend(display)
    for data, k in (([[0.0], [1.0]], 1), ([[0.0], [1.0], [1.0]], 2), ([[0.0], [1.0], [3.0], [3.5]], 4)):
        alone = landscape(data, k, 5, random_state=0)
        LandscapeDisplay.from_landscape(alone).figure_.canvas.draw()
        RestartDisplay.from_landscape(alone).figure_.canvas.draw()


def test_restarts():
    found = landscape(IRIS, 3, 300, random_state=0)
    display = RestartDisplay.from_landscape(found)
    fewest, needed = map(int, found.restarts_interval())
    best = f"the best of {len(found)} minima seen"
    assert (
        display.ax_.get_title()
        == f"{fewest} to {needed} restarts find one as good as {best}\nwith a chance of 99 %"
    )
    assert texts(display.ax_) == [f"{fewest} to {needed}"]
    assert display.quantile(needed, 0.99) == 0 < display.quantile(needed - 1, 0.99)
    below = seen_interval(np.cumsum(found.counts), found.n_starts)[
        0
    ]  # no worse than each minimum, at least so often
    for r, chance in ((1, 0.3), (1, 0.995), (3, 0.9), (2, 0.5)):
        enough = 1 - (1 - below) ** r >= chance - 1e-12
        assert display.quantile(r, chance) == (found.excess[np.argmax(enough)] if enough.any() else np.inf)
    styles = [line.get_linestyle() for line in display.ax_.lines]
    assert {"-", "--", ":"} <= set(styles)
    assert display.ax_.get_ylim()[0] <= 0
    with_trap = landscape([[0.0, 0], [0, 1], [5, 0], [5, 1], [9, 9]], 3, init=[[[0, 0], [0, 1], [7, 5]]])
    assert "was hit once" in RestartDisplay.from_landscape(with_trap).ax_.get_title()
    with_trap = landscape([[0.0, 0], [0, 1], [5, 0], [5, 1]], 2, init=[[[2, 0], [2, 1]]])
    assert RestartDisplay.from_landscape(with_trap).ax_.get_title().startswith("no start found the best of")


def test_restarts_of_a_best_that_was_hit_once():
    """No number of restarts, no curve that comes down to it, and what the default search found."""
    found = landscape(IRIS, 10, 20, init="random", random_state=0)
    assert found.n_hits == 1 and found.kmeans_inertia < found.inertia[0]
    display = RestartDisplay.from_landscape(found)
    title = " ".join(display.ax_.get_title().split())
    assert (
        f"the best of {len(found)} minima seen was hit once: how many restarts find one as good is not known"
        in title
    )
    assert "KMeans finds a better one" in title and "99 %" not in title
    assert display.quantile(10**6, 0.5) > 0 and display.quantile(1, 0.999) == np.inf
    display.figure_.canvas.draw()
    assert "but KMeans finds" in LandscapeDisplay.from_landscape(found).ax_.get_title()


def test_the_trap():
    """Stuck beside proved, and in motion."""
    rng = np.random.default_rng(0)
    X = np.vstack([0.5 * rng.normal(size=(15, 2)) + center for center in ([0, 0], [6, 0], [6, 3])])
    path = lloyd_path(X, 3, init=[[-0.4, 0.3], [0.4, -0.3], [4.5, 1.5]])
    proof = certify(X, n_clusters=3, random_state=0)
    display = PathDisplay.from_path(path, X, best=proof)
    stuck, best = (ax.get_title() for ax in display.axes_)
    assert stuck.startswith("Lloyd's iteration is stuck at") and stuck.endswith("above the best")
    assert best == f"the best possible: {proof.inertia:.5g}\nproved"
    assert float(best.split()[3]) < path.inertia[-1]
    moving = display.animate()
    moving._draw_frame(0)
    assert display.ax_.get_title() == f"Lloyd's iteration after 0 updates: {path.inertia[0]:.5g}\n"
    moving._draw_frame(len(path) - 1)
    assert display.ax_.get_title() == stuck
    at_best = lloyd_path(X, 3, init=[X[proof.labels == k].mean(axis=0) for k in range(3)])
    reached = PathDisplay.from_path(at_best, X, best=proof).axes_[0].get_title()
    assert reached == f"Lloyd's iteration ends at {proof.inertia:.5g}\nthe best"
    bounded = PathDisplay.from_path(path, X, best=certify(X, n_clusters=3, time_limit=0, random_state=0))
    assert any("the best known: " in ax.get_title() for ax in bounded.axes_)
    unproved = PathDisplay.from_path(path, X, best=KMeans(3, random_state=0).fit(X))
    assert unproved.axes_[1].get_title() == "another clustering\n" and "best" not in unproved.ax_.get_title()
    figure, given = plt.subplots(1, 2)
    assert PathDisplay.from_path(path, X, best=proof.labels, ax=given[0]).figure_ is figure
    with pytest.raises(ValueError, match="X has 44 rows"):
        PathDisplay.from_path(path, X[:-1])
    moving._draw_was_started = True  # so that it does not warn that nobody saw it


def test_gap():
    recorder, certificate = recorded()
    assert (
        len(recorder.seconds)
        == len(recorder.methods)
        == len(recorder.inertia)
        == len(recorder.lower_bound)
        > 1
    )
    display = GapDisplay.from_recorder(recorder, certificate)
    assert display.ax_.get_title().startswith("gap closed after")
    assert legend(display) == ["best clustering", "lower bound, proved"]
    above, below = (line.get_ydata() for line in display.ax_.lines[:2])
    assert (above >= below).all() and above[-1] == below[-1] == pytest.approx(certificate.inertia)
    assert (np.diff(above) <= 0).all() and (np.diff(below) >= 0).all()
    told = GapRecorder()
    for inertia, bound in ((100.0, 0.0), (50.0, 40.0), (50.0, 45.0)):
        told("prices", inertia, bound)
    assert (
        GapDisplay.from_recorder(told)
        .ax_.get_title()
        .startswith("at most 11.2 % above the best possible after")
    )
    heard = []
    GapRecorder(then=lambda *said: heard.append(said))("pca", 2.0, 1.0)
    assert heard == [("pca", 2.0, 1.0)]
    with pytest.raises(ValueError, match="told nothing"):
        GapDisplay.from_recorder(GapRecorder())
