"""The pictures of the report page (page.py), as SVG. Matplotlib is imported when they are drawn."""

import io

import numpy as np

from ..plots.choice import SilhouetteDisplay
from ..plots.common import color, plain
from ..plots.gap import GapDisplay
from ..plots.plane import ClusterDisplay
from ..plots.profiles import ProfileDisplay
from ..plots.units import bin_edges, exponent_of, in_units, unit_words

MOST_CELLS = 40  # centers are drawn feature by feature up to this number of clusters, and of features
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "ckmeans",  # the same picture, the same file
}


def overview(X, labels, centers, columns, weights, away):
    """Pictures for everyone: where the clusters are, and what makes them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,)
    centers : ndarray of shape (n_clusters, n_features)
    columns : list of str
    weights : ndarray of shape (n_samples,) or None
    away : ndarray of shape (n_clusters, n_features)
        The means in standard deviations from those of all rows.

    Returns
    -------
    list of (svg, alternative text, caption)
        None for a picture that cannot be drawn, and the caption says why.
    """
    n_clusters, n_features = centers.shape
    if n_features == 1:
        return [_drawn(lambda: _histogram(X[:, 0], labels, centers[:, 0], columns[0]))]
    wanted = [lambda: _plane(X, labels, centers, columns, weights)]
    if 1 < n_clusters <= MOST_CELLS and n_features <= MOST_CELLS:
        wanted.append(lambda: _profile(away, labels, columns))
    return [_drawn(draw) for draw in wanted]


def evidence(X, labels, recorder=None, certificate=None):
    """Pictures of how good they are: silhouettes, and how the proof went; arguments and result as above."""
    wanted = []
    if 1 < len(np.unique(labels)) < len(labels):
        wanted.append(lambda: _silhouettes(X, labels))
    if recorder is not None and len(recorder.seconds) > 2:
        wanted.append(lambda: _gap(recorder, certificate))
    return [_drawn(draw) for draw in wanted]


def display(picture, alt, caption):
    """What a display of `ckmeans` draws, as above; `picture()` makes it."""
    return _drawn(lambda: (_svg_of(picture), alt, caption))


def _svg_of(picture):
    import matplotlib

    matplotlib.use("Agg")  # a window has nothing to show
    with matplotlib.rc_context(STYLE):
        return _svg(picture().figure_)


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
    ax.set_title("")
    caption = "Rows as points, each cluster with a color, a mark and a number. A cross is the middle of a cluster, lines are borders."
    if len(columns) > 2:
        ax.set(xlabel="the direction in which rows differ most", ylabel="the next such direction")
        caption += f" Of {len(columns)} columns the picture has room for two directions: clusters may be farther apart than they look."
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


def _profile(away, labels, columns):
    figure, ax = _canvas(max(7.2, 0.42 * len(columns) + 1), 1.9 + 0.36 * len(away))
    ProfileDisplay(away, np.bincount(labels, minlength=len(away)), list(columns)).plot(ax)
    ax.set_title("")
    caption = "What makes a cluster: orange is above the mean of all rows, purple below. One is a usual distance from the mean"
    caption += " (a standard deviation), two is far away."
    return _svg(figure), "Means of the clusters, column by column", caption
