"""The landscape of local minima, and what restarts bring."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from ..diagnostics.intervals import seen_interval
from ..diagnostics.landscape_words import is_beaten
from ..words import above_best, down, percent_up
from .common import (
    COLORS,
    INK,
    LINE,
    PALE,
    Display,
    axes_for,
    halo,
    legend_below,
    percent,
    percent_ticks,
    pyplot,
)


def _excess_axis(ax, values, which):
    """A scale for shares above the least that shows 0, and small ones beside large ones; returns where it is linear up to."""
    least = None
    positive = values[np.isfinite(values) & (values > 0)]
    axis = ax.xaxis if which == "x" else ax.yaxis
    if len(positive) and positive.max() > 30 * positive.min():
        least = 10.0 ** np.floor(np.log10(max(positive.min(), positive.max() * 1e-8)))
        getattr(ax, f"set_{which}scale")("symlog", linthresh=least, linscale=0.6)
        decades = np.arange(np.log10(least), np.ceil(np.log10(positive.max())) + 0.5)
        step = max(1, int(np.ceil(len(decades) / 6)))
        axis.set_ticks([0.0, *10.0 ** decades[::-step][::-1]])
        axis.set_ticks([], minor=True)
    else:
        axis.get_major_locator().set_params(nbins=6 if which == "y" else 5)
    percent_ticks(axis)
    return least


# Of more minima than this the marks would cover each other.
MOST_MINIMA = 100


@dataclass(eq=False)
class LandscapeDisplay(Display):
    """The local minima by how far they are above the best and how often starts end in them, with the bound as a line.

    Use `from_landscape`. Full circles are minima that no move of a single row would lower, open squares the others;
    crosses below the line were found by enumeration only: no start ended there. Of more than a hundred minima the
    distribution is drawn: what share of the starts ended how far above the best, light where no move of a row would lower
    the end.

    Parameters
    ----------
    landscape : Landscape

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import LandscapeDisplay, landscape
    >>> found = landscape(load_iris().data, 3, random_state=0)
    >>> print(LandscapeDisplay.from_landscape(found).ax_.get_title())
    1,000 starts of 3 clusters end in 4 local minima
    78.8514 is the best that was seen
    """

    landscape: Any

    @classmethod
    def from_landscape(cls, landscape: Any, *, ax: Any = None) -> Self:
        """Draw a landscape, on the axes given or on new ones."""
        return cls(landscape).plot(ax=ax)

    def _draw(self, ax):
        found, ax = self.landscape, axes_for(ax)
        excess = np.where(np.isfinite(found.excess), found.excess, np.nan)
        excess = np.where(np.isfinite(excess), excess, np.nanmax(excess))
        bound = None
        if found.lower_bound > 0 and found.inertia[0] > 0:
            bound = min(0.0, found.lower_bound / found.inertia[0] - 1)
            ax.axvline(bound, color=COLORS[3], linestyle="--", linewidth=1.6, zorder=2)
        many = len(found) > MOST_MINIMA
        handles = self._distribution(ax, excess, bound) if many else self._minima(ax, excess, bound)
        if bound is not None:
            said = f"bound: none is below {down(found.lower_bound, 6)}"
            said = "proved: none is lower" if found.proved else said
            said += ", not yet checked" * (found.bound_from == "unchecked proof")
            handles.append(_line([], [], color=COLORS[3], linestyle="--", label=said))
        ax.set(xlabel="inertia above the best of them", ylabel="share of the starts that ended there")
        ax.set_title(self._title(), fontsize=11)
        legend_below(ax, handles)
        return ax

    def _title(self):
        found = self.landscape
        n = f"{len(found):,} local {'minimum' if len(found) == 1 else 'minima'}"
        best = "the best of all that are at rest" if found.complete else "the best that was seen"
        best = "proved to be the best possible" if found.proved else best
        said = f"{found.n_starts:,} starts of {found.n_clusters} clusters end in {n}\n"
        said += f"{found.inertia[0]:.6g} is {best}"
        if is_beaten(found):
            said += f", but KMeans finds {found.kmeans_inertia:.6g}"
        return said

    def _minima(self, ax, excess, bound):
        """A mark for each minimum; returns handles for the legend."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import ListedColormap, Normalize
        from matplotlib.ticker import LogLocator

        found, share, seen = self.landscape, self.landscape.share, self.landscape.counts > 0
        floor, agreement = 0.5 / found.n_starts, np.clip(found.agreement(0), 0, 1)
        likeness = ListedColormap(pyplot().get_cmap("cividis")(np.linspace(0, 0.9, 256)))
        shades = likeness(agreement)
        ax.set_yscale("log")
        ax.vlines(excess[seen], floor, share[seen], color=LINE, linewidth=1, zorder=1)
        for optimal, marker in ((True, "o"), (False, "s")):
            own = seen & (found.exchange_optimal == optimal)
            look = {"facecolors": shades[own], "edgecolors": INK, "linewidths": 0.8}
            if not optimal:
                look = {"facecolors": "white", "edgecolors": shades[own], "linewidths": 1.8}
            ax.scatter(excess[own], share[own], s=52, marker=marker, zorder=4 if optimal else 3, **look)
        low = np.full((~seen).sum(), floor * 1.15)
        ax.scatter(excess[~seen], low, s=30, marker="x", c=PALE, linewidths=1.2, zorder=2)
        self._frame(ax, excess, bound)
        ax.set_ylim(floor, min(1.7, 4 * share.max()))
        ax.yaxis.set_major_locator(LogLocator(numticks=6))
        percent_ticks(ax.yaxis)
        if len(found) > 1:
            shown = ScalarMappable(Normalize(0, 1), likeness)
            bar = ax.figure.colorbar(shown, ax=ax, fraction=0.04, pad=0.02)
            bar.set_label("how alike the best (adjusted Rand index)", fontsize=9)
            bar.outline.set_visible(False)
        return self._handles(seen)

    def _distribution(self, ax, excess, bound):
        """Bars for what share of the starts ended how far above the best; returns handles for the legend."""
        found, seen = self.landscape, self.landscape.counts > 0
        excess, share, optimal = excess[seen], found.share[seen], found.exchange_optimal[seen]
        self._frame(ax, excess, bound)
        # Bars have the same width on the scale of the axis, whatever that is.
        scale = ax.xaxis.get_transform()
        ends = scale.transform(np.array([0.0, excess.max()]))
        edges = scale.inverted().transform(np.linspace(*ends, 41))
        edges[[0, -1]] = 0.0, max(edges[-1], excess.max())
        parts = [excess[optimal], excess[~optimal]], [share[optimal], share[~optimal]]
        look = {
            "stacked": True,
            "color": [COLORS[5], COLORS[0]],
            "edgecolor": "white",
            "linewidth": 0.4,
            "zorder": 3,
        }
        ax.hist(parts[0], bins=edges, weights=parts[1], **look)
        half = float(np.median(np.repeat(excess, found.counts[seen])))
        ax.axvline(half, color=INK, linewidth=1, linestyle=":", zorder=4)
        percent_ticks(ax.yaxis)
        handles = [
            _line(
                [],
                [],
                color=INK,
                linestyle=":",
                label=f"median of the starts: {percent(half, 2)} above",
            )
        ]
        for own, color, said in (
            (optimal, COLORS[5], "no move of a row lowers it"),
            (~optimal, COLORS[0], "moving a row would lower it"),
        ):
            if own.any():
                handles.append(_line([], [], color=color, linewidth=6, label=said))
        return handles

    def _frame(self, ax, excess, bound):
        """The axis of the excess, with the bound on it."""
        shown = excess if bound is None or bound > -1e-9 else np.append(excess, -bound)
        linear = _excess_axis(ax, shown, "x")
        left = 0.0 if bound is None else bound
        if linear is None:
            span = max(excess.max() - left, 1e-6)
            ax.set_xlim(left - 0.04 * span, max(excess.max(), 0.1 * span) + 0.05 * span)
        else:
            ax.set_xlim(min(1.3 * left, -0.4 * linear), 1.5 * excess.max())

    def _handles(self, seen):
        found, handles, dot = self.landscape, [], {"linestyle": "", "markersize": 7, "markeredgecolor": INK}
        if (seen & found.exchange_optimal).any():
            handles.append(
                _line([], [], marker="o", markerfacecolor=PALE, label="no move of a row lowers it", **dot)
            )
        if (seen & ~found.exchange_optimal).any():
            said = "moving a row would lower it"
            handles.append(_line([], [], marker="s", markerfacecolor="white", label=said, **dot))
        if (~seen).any():
            handles.append(_line([], [], marker="x", linestyle="", color=PALE, label="no start ended there"))
        return handles


def _line(*args, **look):
    from matplotlib.lines import Line2D

    return Line2D(*args, **look)


@dataclass(eq=False)
class RestartDisplay(Display):
    """What restarts bring: the best inertia after each number of them, in most runs and in the unlucky ones.

    Use `from_landscape`. The curves follow from how often starts ended in each minimum or a better one, on the safe side of
    a confidence of 95 % (`Landscape.hit_interval`): at least half of all runs are on the first or below it, at least 95 and 99
    of a hundred on the others or below them. What is above the best of those seen is counted from it, known as the best there
    is or not; a curve does not come down to it where it was hit but once. The thin line is the run that was made.

    Parameters
    ----------
    landscape : Landscape

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import RestartDisplay, landscape
    >>> found = landscape(load_iris().data, 3, random_state=0)
    >>> print(RestartDisplay.from_landscape(found).ax_.get_title())
    8 to 9 restarts find one as good as the best of 4 minima seen
    with a chance of 99 %
    """

    landscape: Any

    @classmethod
    def from_landscape(cls, landscape: Any, *, ax: Any = None) -> Self:
        """Draw what the shares of the minima tell about restarts, on the axes given or on new ones."""
        return cls(landscape).plot(ax=ax)

    def quantile(self, n_restarts: int, chance: float) -> float:
        """The excess that the best of n restarts does not exceed with at least this chance, as a share of the best inertia.

        inf where the counts do not bear it, for any minimum that was seen.
        """
        enough = self._worse**n_restarts <= 1 - chance + 1e-12
        return float(self.landscape.excess[np.argmax(enough)]) if enough.any() else np.inf

    @cached_property
    def _worse(self):
        """For each minimum, how great the chance may be that a start ends in one that is worse."""
        return 1 - seen_interval(np.cumsum(self.landscape.counts), self.landscape.n_starts)[0]

    def _draw(self, ax):
        found, ax = self.landscape, axes_for(ax)
        (fewest, needed), most = found.restarts_interval(), found.n_starts
        most = max(10, most, int(min(2 * needed, 100 * most)) if np.isfinite(needed) else most)
        restarts = np.unique(np.round(np.geomspace(1, most, 200)).astype(int))
        run = np.minimum.accumulate(found.excess[found.ends])
        ax.step(
            np.arange(1, len(run) + 1),
            run,
            where="post",
            color=PALE,
            linewidth=1.0,
            label="this run",
            zorder=2,
        )
        drawn = [run]
        for chance, style, color in ((0.99, ":", COLORS[3]), (0.95, "--", COLORS[1]), (0.5, "-", COLORS[0])):
            drawn.append(np.array([self.quantile(int(r), chance) for r in restarts]))
            said = (
                f"at least {'half of all' if chance == 0.5 else f'{100 * chance:.0f} of 100'} runs get here"
            )
            ax.step(
                restarts,
                drawn[-1],
                where="post",
                color=color,
                linestyle=style,
                linewidth=2,
                label=said,
                zorder=3,
            )
        ax.set_xscale("log")
        drawn = np.concatenate(drawn)
        linear = _excess_axis(ax, drawn := drawn[np.isfinite(drawn)], "y")
        if np.isfinite(needed):  # what the counts bear is an interval, and not a number
            ax.axvspan(fewest, max(needed, 1.01 * fewest), color=LINE, alpha=0.6, linewidth=0, zorder=0)
            many = f"{fewest:,.0f}" if fewest == needed else f"{fewest:,.0f} to {needed:,.0f}"
            look = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
            halo(ax.annotate(many, (needed, 1), xytext=(4, -2), fontsize=9, color=INK, **look))
        top = max(drawn.max(), 0.01 * (linear is None))
        ax.set_ylim(
            -0.03 * top if linear is None else -0.25 * linear, 1.05 * top if linear is None else 1.5 * top
        )
        ax.xaxis.set_major_formatter("{x:,.0f}")
        ax.set(xlabel="restarts", ylabel="best inertia, above the best seen", xlim=(1, most))
        ax.grid(axis="y", color=LINE, linewidth=0.6, zorder=0)
        ax.set_title(self._title(fewest, needed), fontsize=11)
        legend_below(ax, ax.get_legend_handles_labels()[0][::-1])
        return ax

    def _title(self, fewest, most):
        """What the counts tell about the best of those seen, and whether something better is known."""
        found = self.landscape
        n = int((found.counts > 0).sum())
        best = "the only minimum seen" if n == 1 else f"the best of {n} minima seen"
        if found.n_hits == 0:
            said = f"no start found the best of {len(found)} minima"
        elif found.n_hits == 1:
            said = f"{best} was hit once:\nhow many restarts find one as good is not known"
        else:
            many = f"{most:,.0f}" if fewest == most else f"{fewest:,.0f} to {most:,.0f}"
            said = f"{many} restarts find one as good as {best}\nwith a chance of 99 %"
        if is_beaten(found):
            above = above_best(found.inertia[0], found.kmeans_inertia)
            by = "" if above is None else f": this is {percent_up(above)} above"
            said += f"\nbut KMeans finds a better one{by}"
        return said
