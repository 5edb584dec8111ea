"""The classes of one feature: its histogram in the colors of a map, and their legend."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..validation import check_finite, check_values, check_weights
from .common import INK, axes_for, percent, plain, plain_ticks, pyplot, written
from .units import bin_edges, exponent_of, in_units, unit_words

# Values are drawn on a scale of powers where their median is below this share of their range: most of them would be in the first
# bars. Incomes, populations and prices are far below it (0.04 to 0.1); a normal or a uniform sample is at 0.5.
SKEWED = 0.15
MOST_CLASSES = 20  # that the legend names


@dataclass(eq=False)
class BreaksDisplay:
    """The classes of one feature over its histogram, in the colors that a map of them would have, with the legend of that map.

    Use `from_breaks`. Dashed lines are the breaks. The scale is one of powers where the values are positive and most of them
    are near the least.

    Parameters
    ----------
    breaks : Breaks
        What `natural_breaks` found.
    values : ndarray of shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,) or None

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    colors_ : list of str
        Of each class, from light to dark: for a map.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import BreaksDisplay, natural_breaks
    >>> x = load_iris().data[:, 2]
    >>> display = BreaksDisplay.from_breaks(natural_breaks(x, 3), x, name="petal length")
    >>> print(display.ax_.get_title())
    petal length in 3 classes: proved the best
    94.7 % of the variance is between them
    >>> display.colors_
    ['#dcf1b2', '#2ea3c2', '#13266f']
    """

    breaks: Any
    values: NDArray[np.float64]
    sample_weight: NDArray[np.float64] | None = None

    @classmethod
    def from_breaks(
        cls,
        breaks: Any,
        values: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        name: str | None = None,
        log: bool | None = None,
        cmap: str = "YlGnBu",
        ax: Any = None,
    ) -> Self:
        """Draw natural breaks.

        Parameters
        ----------
        breaks : Breaks
        values : array-like of shape (n_samples,) or (n_samples, 1)
        sample_weight : array-like of shape (n_samples,) or None
        name : str or None
            Of the feature; that of a Series by default.
        log : bool or None
            Whether the scale is one of powers; None decides by the values.
        cmap : str
            The colormap of matplotlib that classes have their colors from.
        ax : matplotlib Axes or None

        Returns
        -------
        BreaksDisplay

        Raises
        ------
        ValueError
            For a scale of powers where values are not positive.
        """
        numbers = check_values(values, "values", 1).reshape(-1)
        check_finite(numbers[:, None])
        weights = check_weights(sample_weight, len(numbers))
        name = getattr(values, "name", None) if name is None else name
        return cls(breaks, numbers, weights).plot(ax=ax, name=name, log=log, cmap=cmap)

    def plot(
        self, ax: Any = None, *, name: str | None = None, log: bool | None = None, cmap: str = "YlGnBu"
    ) -> Self:
        """Draw once more, as `from_breaks` does; returns itself, with `ax_`, `figure_` and `colors_`."""
        ax, found = axes_for(ax, (7.6, 4.4)), self.breaks
        unit = exponent_of(self.values)
        values, breaks = in_units(self.values, unit), in_units(found.breaks, unit)
        log = _is_skewed(values) if log is None else log
        if log and values.min() <= 0:
            raise ValueError(
                f"The least value is {self.values.min():.6g}: a scale of powers is for values above 0; leave log out."
            )
        self.colors_ = _ramp(cmap, found.n_clusters)
        ylabel = self._draw_rows(ax, values, breaks, log)
        for value in breaks[1:-1]:
            ax.axvline(value, color=INK, linewidth=0.9, linestyle="--", zorder=3)
        name = plain(str(name)) if name else "value"
        ax.set(xlabel=name + unit_words(unit), ylabel=ylabel)
        if log:
            ax.set_xscale("log")
        plain_ticks(ax.xaxis)
        plain_ticks(ax.yaxis)
        self._legend(ax)
        many = f"{found.n_clusters} class{'es' * (found.n_clusters > 1)}"
        shown = percent(found.goodness_of_variance_fit)
        title = f"{name} in {many}: proved the best\n{shown} of the variance is between them"
        ax.set_title(title, fontsize=11)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_rows(self, ax, values, breaks, log):
        """The histogram, each bar in the color of its class; returns what heights are."""
        weights, ylabel = self.sample_weight, "rows"
        if weights is not None:
            unit = exponent_of(weights)
            weights, ylabel = in_units(weights, unit), "weight" + unit_words(unit)
        n_bins = int(np.clip(2 * len(values) ** 0.4, 10, 60))
        edges = np.exp(bin_edges(np.log(values), n_bins)) if log else bin_edges(values, n_bins)
        labels, n_classes = self.breaks.labels, self.breaks.n_clusters
        own = [labels == k for k in range(n_classes)]
        look = {"stacked": True, "color": self.colors_, "edgecolor": INK, "linewidth": 0.4, "zorder": 2}
        parts = None if weights is None else [weights[rows] for rows in own]
        if log:
            edges[[0, -1]] = min(edges[0], values.min()), max(edges[-1], values.max())
        ax.hist([values[rows] for rows in own], bins=edges, weights=parts, **look)
        return ylabel

    def _legend(self, ax):
        """The legend of a map: the color, the bounds and the rows of each class."""
        from matplotlib.patches import Patch

        found, bounds = self.breaks, written(self.breaks.breaks)
        handles = [
            Patch(
                facecolor=self.colors_[k],
                edgecolor=INK,
                linewidth=0.4,
                label=f"{bounds[k]} – {bounds[k + 1]}:  {n:,}",
            )
            for k, n in enumerate(found.counts[:MOST_CLASSES].tolist())
        ]
        more = found.n_clusters - MOST_CLASSES
        if more > 0:
            handles.append(Patch(alpha=0, label=f"and {more} more classes"))
        look = {
            "frameon": False,
            "fontsize": 8.5,
            "title": "from – to:  rows",
            "title_fontsize": 8.5,
            "alignment": "left",
        }
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0, **look)


def _is_skewed(values):
    """Whether a scale of powers shows more of the values."""
    low, high = float(values.min()), float(values.max())
    return low > 0 and high > 20 * low and float(np.median(values)) - low < SKEWED * (high - low)


def _ramp(cmap, n):
    """Colors from light to dark, as hexadecimal text."""
    from matplotlib.colors import to_hex

    shades = pyplot().get_cmap(cmap)(np.linspace(0.18, 0.95, n) if n > 1 else [0.5])
    return [to_hex(shade) for shade in shades]
