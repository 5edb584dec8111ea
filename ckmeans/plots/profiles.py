"""What makes clusters: their means as deviations from all rows, and their values feature by feature."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..validation import check_labels, check_weights
from ..words import printable
from .common import (
    INK,
    LINE,
    Display,
    axes_for,
    color,
    panels,
    plain,
    plain_ticks,
    tint,
)
from .plane import named_rows
from .units import exponent_of, in_units, unit_words

MOST_NUMBERS = 600  # cells that have their number written in them
MOST_BOXES = 24  # clusters side by side in a panel


@dataclass(eq=False)
class ProfileDisplay(Display):
    """The mean of each cluster in each feature, as standard deviations above or below the mean of all rows: a heat map.

    Use `from_estimator` or `from_labels`. Purple is below the mean of all rows, orange above; the number is written too.

    Parameters
    ----------
    deviations : ndarray of shape (n_clusters, n_features)
        0 for features that do not vary, NaN for clusters without rows.
    sizes : ndarray of shape (n_clusters,), int
    names : list of str
        Of the features.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import KMeans, ProfileDisplay
    >>> iris = load_iris(as_frame=True).data
    >>> display = ProfileDisplay.from_estimator(KMeans(3, random_state=0).fit(iris), iris)
    >>> display.ax_.get_title()
    'how clusters differ from all rows, in standard deviations'
    >>> display.deviations[0].round(1).tolist()
    [-1.0, 0.9, -1.3, -1.3]
    """

    deviations: NDArray[np.float64]
    sizes: NDArray[np.int64]
    names: list[str]

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, sample_weight: ArrayLike | None = None, ax: Any = None
    ) -> Self:
        """Draw those of the labels that a fitted estimator with `predict` finds; the rest as for `from_labels`."""
        return cls.from_labels(X, estimator.predict(X), sample_weight=sample_weight, ax=ax)

    @classmethod
    def from_labels(
        cls, X: ArrayLike, labels: ArrayLike, *, sample_weight: ArrayLike | None = None, ax: Any = None
    ) -> Self:
        """Draw those of clusters of any origin.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A frame has names for its columns.
        labels : array-like of shape (n_samples,)
            Whole numbers, or names.
        sample_weight : array-like of shape (n_samples,) or None
        ax : matplotlib Axes or None

        Returns
        -------
        ProfileDisplay

        Raises
        ------
        ValueError, TypeError
            For data, labels or weights that are not as described.
        """
        rows, names = named_rows(X)
        weights = check_weights(sample_weight, len(rows))
        labels, n_clusters = check_labels(labels, len(rows))
        away = deviations(rows, labels, n_clusters, weights)
        return cls(away, np.bincount(labels, minlength=n_clusters), _names(names, rows.shape[1])).plot(ax=ax)

    def _draw(self, ax):
        n_clusters, n_features = self.deviations.shape
        short = [name if len(name) <= 22 else name[:20] + ".." for name in map(printable, self.names)]
        turned = {}
        if n_features * max(map(len, short)) * 0.085 > 6:  # else the names have room side by side
            turned = {"rotation": 35 if n_features < 12 else 90, "ha": "right", "va": "center"}
            turned["rotation_mode"] = "anchor"
        height = 1.1 + 0.9 * bool(turned) + 0.36 * n_clusters
        ax = axes_for(ax, (min(24.0, max(7.2, 0.42 * n_features + 1)), min(24.0, height)))
        most = max(1.0, np.nanmax(np.abs(self.deviations), initial=0.0))
        edges = np.arange(n_features + 1) - 0.5, np.arange(n_clusters + 1) - 0.5
        few = self.deviations.size <= MOST_NUMBERS
        look = {"cmap": "PuOr_r", "vmin": -most, "vmax": most, "rasterized": not few}
        ax.pcolormesh(*edges, self.deviations, edgecolor="white", linewidth=1.5 * few, **look)
        ax.invert_yaxis()
        look = {"ha": "center", "va": "center", "fontsize": 7 if n_features > 16 else 9.5}
        for k, f in np.ndindex(self.deviations.shape) if few else ():
            away = self.deviations[k, f]
            ink = "white" if abs(away) > 0.62 * most else "black"
            if np.isfinite(away):
                ax.text(f, k, f"{away:+.1f}" if abs(away) >= 0.05 else "0", color=ink, **look)
        ax.set_xticks(range(n_features), map(plain, short), **turned)
        rows = [f"{k}  ({n:,})" for k, n in enumerate(self.sizes.tolist())]
        ax.set_yticks(range(n_clusters), rows) if n_clusters <= 60 else ax.set_yticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_ylabel("cluster (rows)")
        ax.set_title("how clusters differ from all rows, in standard deviations", fontsize=11)
        return ax


@dataclass(eq=False)
class BoxDisplay(Display):
    """The values of each feature in each cluster, as box plots: a panel for each feature.

    Use `from_estimator` or `from_labels`. A box has the middle half of the rows, the line in it is the median, whiskers reach
    to the last row within one and a half box lengths, points are beyond. The features come in the order of how far they tell
    the clusters apart: the share of their variance between clusters.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,), int
    names : list of str
    most : int
        Features that are drawn, at most.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each feature that is drawn.
    ax_ : matplotlib Axes
        The last of them.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import BoxDisplay, KMeans
    >>> iris = load_iris(as_frame=True).data
    >>> display = BoxDisplay.from_estimator(KMeans(3, random_state=0).fit(iris), iris)
    >>> [ax.get_title() for ax in display.axes_][:2]
    ['petal length (cm)', 'petal width (cm)']
    """

    rows: NDArray[np.float64]
    labels: NDArray[np.int32]
    names: list[str]
    most: int = 9

    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, *, most: int = 9, ax: Any = None) -> Self:
        """Draw those of the labels that a fitted estimator with `predict` finds; the rest as for `from_labels`."""
        return cls.from_labels(X, estimator.predict(X), most=most, ax=ax)

    @classmethod
    def from_labels(cls, X: ArrayLike, labels: ArrayLike, *, most: int = 9, ax: Any = None) -> Self:
        """Draw those of clusters of any origin.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A frame has names for its columns.
        labels : array-like of shape (n_samples,)
            Whole numbers, or names.
        most : int
            Features that are drawn, at most.
        ax : matplotlib Axes or None
            In whose place they are drawn.

        Returns
        -------
        BoxDisplay

        Raises
        ------
        ValueError, TypeError
            For data or labels that are not as described.
        """
        rows, names = named_rows(X)
        labels, _ = check_labels(labels, len(rows))
        return cls(rows, labels, _names(names, rows.shape[1]), most).plot(ax=ax)

    def _draw(self, ax):
        n_clusters, n_features = int(self.labels.max()) + 1, self.rows.shape[1]
        told = [_told(column, self.labels, n_clusters) for column in self.rows.T]
        chosen = np.argsort(-np.array(told), kind="stable")[: self.most]
        self.axes_ = panels(ax, len(chosen), 2.2)
        shown = range(min(n_clusters, MOST_BOXES))
        for panel, f in zip(self.axes_, chosen):
            axes_for(panel)
            unit = exponent_of(self.rows[:, f])
            values = in_units(self.rows[:, f], unit)
            drawn = panel.boxplot(
                [values[self.labels == k] for k in shown],
                positions=list(shown),
                widths=0.65,
                patch_artist=True,
                flierprops={"markersize": 2.5, "markeredgecolor": INK, "markeredgewidth": 0.5},
                medianprops={"color": INK, "linewidth": 1.6},
            )
            for k, box in enumerate(drawn["boxes"]):
                box.set(facecolor=tint(k, 0.45), edgecolor=color(k))
            panel.set_title(plain(self.names[f]) + unit_words(unit), fontsize=10)
            panel.set_xticks(list(shown), map(str, shown), fontsize=8 if n_clusters <= 12 else 6)
            plain_ticks(panel.yaxis, 5)
            panel.tick_params(axis="y", labelsize=8)
            panel.tick_params(axis="x", length=0)
            panel.grid(axis="y", color=LINE, linewidth=0.5, zorder=0)
        left = [f"{n_features - len(chosen)} more features"] * (len(chosen) < n_features)
        left += [f"{n_clusters - MOST_BOXES} more clusters"] * (n_clusters > MOST_BOXES)
        self.axes_[-1].set_xlabel("cluster" + (f"; not drawn: {', '.join(left)}" if left else ""), fontsize=9)
        return self.axes_[-1]


def deviations(X, labels, n_clusters, weights=None):
    """The means of clusters in each feature, in its standard deviations from its mean.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,), int
    n_clusters : int
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    ndarray of shape (n_clusters, n_features)
        NaN for clusters without rows.
    """
    return np.column_stack([_deviations(column, labels, n_clusters, weights) for column in X.T])


def _deviations(values, labels, n_clusters, weights=None):
    """The same of one feature."""
    own = np.ones(len(values)) if weights is None else in_units(weights, exponent_of(weights))
    values = in_units(values, exponent_of(values))
    away = values - np.average(values, weights=own)
    away = in_units(away, exponent_of(away))
    spread = np.sqrt(np.average(away**2, weights=own))
    with np.errstate(invalid="ignore"):
        means = np.bincount(labels, own * away, n_clusters) / np.bincount(labels, own, n_clusters)
    return means / (spread if spread > 0 else 1)


def _told(values, labels, n_clusters):
    """The share of the variance of a feature that is between clusters."""
    away = _deviations(values, labels, n_clusters)
    return float(np.nansum(np.bincount(labels, minlength=n_clusters) * away**2)) / len(values)


def _names(names, n_features):
    return list(names) if names is not None else [f"feature {f}" for f in range(n_features)]
