"""The pictures of the report page (page.py), as SVG. Matplotlib is imported when they are drawn."""

import io

import numpy as np

# Okabe and Ito (2008): told apart by the colour-blind, and by lightness; numbers and markers say it once more.
COLORS = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C00", "#444444"
MARKERS = "os^DvPX*"
MOST_DRAWN = 4000  # rows: as many as a page of reasonable size can hold
MOST_CELLS = 40  # clusters, and features, of which centers are drawn
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "0.4",
    "axes.labelcolor": "0.2",
    "xtick.color": "0.3",
    "ytick.color": "0.3",
    "figure.constrained_layout.use": True,
    "font.size": 10.5,
    "svg.fonttype": "path",
    "svg.hashsalt": "ckmeans",  # the same picture, the same file
}


def pictures(X, labels, centers, columns, weights=None, trace=()):
    """Draw what there is to be seen.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,)
    centers : ndarray of shape (n_clusters, n_features)
    columns : list of str
    weights : ndarray of shape (n_samples,) or None
    trace : sequence of (seconds, inertia, lower_bound)

    Returns
    -------
    list of (svg, alternative text, caption)
    """
    scale = np.abs(X).max() or 1.0
    X, centers = X / scale, centers / scale  # squares that neither overflow nor vanish
    some = np.arange(len(X))
    if len(X) > MOST_DRAWN:
        some = np.sort(np.random.default_rng(0).choice(len(X), MOST_DRAWN, replace=False))
    sampled = (
        f" {MOST_DRAWN:,} of the {len(X):,} rows, drawn at random, are shown." if len(some) < len(X) else ""
    )
    drawn = []
    if X.shape[1] == 1:
        drawn.append(_histogram(X[:, 0] * scale, labels, centers[:, 0] * scale, columns[0]))
    else:
        drawn.append(_plane(X, some, labels, centers, columns, scale, sampled))
    if len(centers) > 1:
        drawn.append(_silhouettes(X[some], labels[some], centers, sampled))
    if X.shape[1] > 1 and 1 < len(centers) <= MOST_CELLS and X.shape[1] <= MOST_CELLS:
        drawn.append(_profile(X, centers, columns))
    if len(trace) > 2:
        drawn.append(_closing(trace))
    return drawn


def _canvas(width, height):
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        return figure, figure.add_subplot()


def _svg(figure):
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def _plane(X, some, labels, centers, columns, scale, sampled):
    """Rows and centers in the plane of the two features, or of the first two principal components."""
    middle = X.mean(axis=0)
    if X.shape[1] == 2:
        points, marks, names = X[some] * scale, centers * scale, columns
        caption = "Rows and centers."
    else:
        values, vectors = np.linalg.eigh(np.cov(X.T))
        axes = vectors[:, ::-1][:, :2]
        shares = np.maximum(values[::-1], 0) / max(values.sum(), np.finfo(float).tiny)
        points, marks = (X[some] - middle) @ axes * scale, (centers - middle) @ axes * scale
        names = [f"{word} component, {100 * share:.1f} %" for word, share in zip(("first", "second"), shares)]
        caption = f"Rows and centers in the plane of the first two principal components, which shows {100 * shares[:2].sum():.1f} % of the variance."
    width, height = np.ptp(points, axis=0)
    even = 0.2 * width < height < width if X.shape[1] > 2 else False  # else the axes have scales of their own
    figure, ax = _canvas(7.6, 1.0 + 6.7 * height / width if even else 5.2)
    for k in range(len(centers)):
        own = labels[some] == k
        ax.scatter(
            *points[own].T, s=18, color=COLORS[k % 8], marker=MARKERS[k // 8 % 8 if len(centers) > 8 else k],
            alpha=0.75, linewidth=0,
        )  # fmt: skip
    if len(centers) <= MOST_CELLS:
        for k, mark in enumerate(marks):
            box = {
                "boxstyle": "circle,pad=0.25",
                "facecolor": "white",
                "edgecolor": COLORS[k % 8],
                "linewidth": 1.8,
            }
            ax.text(*mark, str(k), ha="center", va="center", fontweight="bold", fontsize=9.5, bbox=box)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    if even:
        ax.set_aspect("equal", adjustable="datalim")
    caption += (
        " Numbers are the clusters of the table, at their centers." * (len(centers) <= MOST_CELLS) + sampled
    )
    return _svg(figure), f"Scatter plot of the rows in {len(centers)} clusters", caption


def _histogram(values, labels, centers, column):
    figure, ax = _canvas(7.6, 3.4)
    edges = np.histogram_bin_edges(values, bins=min(120, max(10, len(values) // 4)))
    order = np.argsort(centers)
    ax.hist(
        [values[labels == k] for k in order], bins=edges, stacked=True, color=[COLORS[k % 8] for k in order]
    )
    for k in order:
        ax.axvline(centers[k], color="black", linewidth=1)
        ax.annotate(
            str(k), (centers[k], 1), xycoords=("data", "axes fraction"), xytext=(3, -2), textcoords="offset points",
            va="top", fontweight="bold",
        )  # fmt: skip
    greatest = [values[labels == k].max() for k in order if (labels == k).any()][:-1]
    for value in greatest:
        ax.axvline(value, color="0.4", linewidth=0.9, linestyle=":")
    ax.set_ylim(0, 1.15 * ax.get_ylim()[1])
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel(column)
    ax.set_ylabel("rows")
    return (
        _svg(figure),
        f"Histogram of {column} by cluster",
        "Rows by value. Lines are centers, dotted lines the breaks between clusters.",
    )


def _silhouettes(X, labels, centers, sampled):
    """How much nearer each row is to its center than to the next one."""
    from scipy.spatial.distance import cdist

    nearest = np.sort(cdist(X, centers), axis=1)[:, :2]
    values = 1 - nearest[:, 0] / np.maximum(nearest[:, 1], np.finfo(float).tiny)
    figure, ax = _canvas(7.6, min(7.0, 1.6 + 0.45 * len(centers)))
    bottom, gap = 0.0, len(values) * 0.02
    for k in reversed(range(len(centers))):
        own = np.sort(values[labels == k])
        if len(own):
            at = bottom + np.arange(len(own) + 1)
            ax.fill_betweenx(at, np.append(own, own[-1]), step="post", color=COLORS[k % 8], linewidth=0)
            if len(centers) <= MOST_CELLS:
                ax.text(-0.015, bottom + len(own) / 2, str(k), ha="right", va="center", fontweight="bold")
            bottom += len(own) + gap
    mean = values.mean()
    ax.axvline(mean, color="black", linewidth=1, linestyle="--")
    ax.annotate(
        f"mean {mean:.2f}", (mean, 1), xycoords=("data", "axes fraction"), xytext=(4, 0), textcoords="offset points",
        va="bottom",
    )  # fmt: skip
    ax.set(xlim=(0, 1), yticks=[])
    ax.spines.left.set_visible(False)
    ax.set_xlabel("silhouette: 1 at a center, 0 halfway to the next")
    caption = f"How sure the rows are of their clusters, by distances to the centers; a line for each row, sorted.{sampled}"
    return _svg(figure), f"Silhouettes by cluster, mean {mean:.2f}", caption


def _profile(X, centers, columns):
    """Centers by feature, in standard deviations from the mean."""
    spread = X.std(axis=0)
    away = (centers - X.mean(axis=0)) / np.where(spread > 0, spread, 1)
    short = [name if len(name) <= 22 else name[:20] + ".." for name in columns]
    room = 6.6 / max(max(map(len, short)) * 0.085, 0.5)  # columns whose names have it side by side
    turned = {
        "rotation": 30 if len(short) < 12 else 90,
        "ha": "right",
        "va": "center",
        "rotation_mode": "anchor",
    }
    turned = turned if len(short) > room else {}
    figure, ax = _canvas(max(7.6, 0.38 * len(columns)), 0.6 + 1.2 * bool(turned) + 0.36 * len(centers))
    most = max(1.0, np.abs(away).max())
    corners = np.arange(len(columns) + 1) - 0.5, np.arange(len(centers) + 1) - 0.5
    ax.pcolormesh(*corners, away, cmap="PuOr_r", vmin=-most, vmax=most, edgecolor="white", linewidth=1.5)
    ax.invert_yaxis()
    small = len(columns) > 16
    for k, f in np.ndindex(away.shape):
        color = "white" if abs(away[k, f]) > 0.62 * most else "black"
        ax.text(
            f, k, f"{away[k, f]:+.1f}", ha="center", va="center", color=color, fontsize=7 if small else 9.5
        )
    ax.set_xticks(range(len(columns)), short, **turned)
    ax.set_yticks(range(len(centers)), range(len(centers)))
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_ylabel("cluster")
    return (
        _svg(figure),
        "Centers by feature",
        "Centers in standard deviations from the mean of each feature: what makes a cluster.",
    )


def _closing(trace):
    """Inertia and lower bound over time."""
    seconds, inertia, lower = np.array(trace, float).T
    lower = np.maximum.accumulate(lower)
    figure, ax = _canvas(7.6, 3.4)
    ax.fill_between(seconds, lower, inertia, step="post", color="0.92", linewidth=0)
    ax.step(seconds, inertia, where="post", color=COLORS[0], label="inertia of the best clustering so far")
    ax.step(seconds, lower, where="post", color=COLORS[5], linestyle="--", label="lower bound")
    ax.set_ylim(0, 1.5 * inertia[lower > 0].max(initial=inertia[-1]))
    ax.set_xlabel("seconds")
    ax.set_ylabel("inertia")
    ax.legend(frameon=False, loc="upper right")
    return (
        _svg(figure),
        "Inertia and lower bound over time",
        "How the gap closed. No clustering costs less than the bound.",
    )
