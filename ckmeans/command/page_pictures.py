"""The pictures of the report page (page.py), as SVG. Matplotlib is imported when they are drawn."""

import io

import numpy as np

from ..plots.choice import SilhouetteDisplay
from ..plots.common import color, plain
from ..plots.gap import GapDisplay
from ..plots.plane import ClusterDisplay
from ..plots.units import bin_edges, exponent_of, in_units, unit_words
from ..words import printable

MOST_CELLS = 40  # centers are drawn feature by feature up to this number of clusters, and of features
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "ckmeans",  # the same picture, the same file
}


def pictures(X, labels, centers, columns, weights=None, recorder=None, certificate=None):
    """Draw what there is to be seen.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,)
    centers : ndarray of shape (n_clusters, n_features)
    columns : list of str
    weights : ndarray of shape (n_samples,) or None
    recorder : GapRecorder or None
    certificate : Certificate or None
        What was proved, and how it went.

    Returns
    -------
    list of (svg, alternative text, caption)
        None for a picture that cannot be drawn, and the caption says why.
    """
    n_clusters, n_features = centers.shape
    wanted = []
    if n_features == 1:
        wanted.append(lambda: _histogram(X[:, 0], labels, centers[:, 0], columns[0]))
    else:
        wanted.append(lambda: _plane(X, labels, centers, columns, weights))
    if 1 < len(np.unique(labels)) < len(labels):
        wanted.append(lambda: _silhouettes(X, labels))
    if n_features > 1 and 1 < n_clusters <= MOST_CELLS and n_features <= MOST_CELLS:
        wanted.append(lambda: _profile(X, centers, columns))
    if recorder is not None and len(recorder.seconds) > 2:
        wanted.append(lambda: _gap(recorder, certificate))
    return [_drawn(draw) for draw in wanted]


def _drawn(draw):
    """A picture, or why there is none: a result is worth a page without it."""
    try:
        return draw()
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return None, "", f"A picture is missing here: {reason}"


def _canvas(width, height):
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        return figure, figure.add_subplot()


def _svg(figure):
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(
            text, format="svg", metadata={"Date": None}, dpi=200, bbox_inches="tight", pad_inches=0.05
        )
    return text.getvalue()


def _plane(X, labels, centers, columns, weights):
    """Rows, centers and their cells in the plane."""
    import pandas as pd

    figure, ax = _canvas(7.2, 5.4)
    ClusterDisplay.from_labels(
        pd.DataFrame(X, columns=columns), labels, centers=centers, sample_weight=weights, ax=ax
    )
    ax.title.set_fontsize(10)
    caption = "Rows, centers and the cells that are nearest to each."
    return _svg(figure), f"Scatter plot of the rows in {len(centers)} clusters", caption


def _silhouettes(X, labels):
    figure, ax = _canvas(7.2, min(8.0, 2.0 + 0.4 * len(np.unique(labels))))
    SilhouetteDisplay.from_labels(X, labels, ax=ax)
    caption = "How much nearer rows are to their own cluster than to the next: a line for each, sorted. Below zero, the next is nearer."
    return _svg(figure), "Silhouettes by cluster", caption


def _gap(recorder, certificate):
    """Inertia and lower bound over time."""
    figure, ax = _canvas(7.2, 3.8)
    GapDisplay.from_recorder(recorder, certificate, ax=ax)
    agreed = ": proved." if certificate.checked else ", if the checker, which has not yet seen it, agrees."
    caption = f"How inertia and bound came together: no clustering costs less than the bound{agreed}"
    return _svg(figure), "Inertia and lower bound over time", caption


def _histogram(values, labels, centers, column):
    figure, ax = _canvas(7.2, 3.4)
    unit = exponent_of(values)
    values, centers = in_units(values, unit), in_units(centers, unit)
    edges = bin_edges(values, min(120, max(10, len(values) // 4)))
    order = np.argsort(centers)
    ax.hist([values[labels == k] for k in order], bins=edges, stacked=True, color=[color(k) for k in order])
    look = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
    for k in order:
        ax.axvline(centers[k], color="black", linewidth=1)
        ax.annotate(str(k), (centers[k], 1), xytext=(3, -2), fontweight="bold", **look)
    greatest = [values[labels == k].max() for k in order if (labels == k).any()][:-1]
    for value in greatest:
        ax.axvline(value, color="0.4", linewidth=0.9, linestyle=":")
    ax.set_ylim(0, 1.15 * ax.get_ylim()[1])
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel(plain(column) + unit_words(unit))
    ax.set_ylabel("rows")
    caption = "Rows by value. Lines are centers, dotted lines the breaks between clusters."
    return _svg(figure), f"Histogram of {column} by cluster", caption


def _profile(X, centers, columns):
    """Centers by feature, in standard deviations from the mean."""
    away = np.column_stack([_deviations(*pair) for pair in zip(X.T, centers.T)])
    short = [name if len(name) <= 22 else name[:20] + ".." for name in map(printable, columns)]
    room = 6.6 / max(max(map(len, short)) * 0.085, 0.5)  # columns whose names have it side by side
    turned = {}
    if len(short) > room:
        turned = {"rotation": 30 if len(short) < 12 else 90, "ha": "right", "va": "center"}
        turned["rotation_mode"] = "anchor"
    figure, ax = _canvas(max(7.2, 0.38 * len(columns)), 0.6 + 1.2 * bool(turned) + 0.36 * len(centers))
    most = max(1.0, np.abs(away).max())
    corners = np.arange(len(columns) + 1) - 0.5, np.arange(len(centers) + 1) - 0.5
    ax.pcolormesh(*corners, away, cmap="PuOr_r", vmin=-most, vmax=most, edgecolor="white", linewidth=1.5)
    ax.invert_yaxis()
    look = {"ha": "center", "va": "center", "fontsize": 7 if len(columns) > 16 else 9.5}
    for k, f in np.ndindex(away.shape):
        ink = "white" if abs(away[k, f]) > 0.62 * most else "black"
        ax.text(f, k, f"{away[k, f]:+.1f}", color=ink, **look)
    ax.set_xticks(range(len(columns)), map(plain, short), **turned)
    ax.set_yticks(range(len(centers)), range(len(centers)))
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_ylabel("cluster")
    caption = "Centers in standard deviations from the mean of each feature: what makes a cluster."
    return _svg(figure), "Centers by feature", caption


def _deviations(values, centers):
    """The centers of a feature in its standard deviations from its mean."""
    unit = exponent_of(values)
    values, centers = in_units(values, unit), in_units(centers, unit)
    mean = values.mean()
    inner = exponent_of(values - mean)
    spread = in_units(values - mean, inner).std()
    return in_units(centers - mean, inner) / (spread if spread > 0 else 1)
