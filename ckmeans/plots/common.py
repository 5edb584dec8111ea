"""What the pictures share: colors, markers, lines and axes. Matplotlib is imported when something is drawn.

Every picture tells its clusters by marker, number or line style too: printed in grey it says the same. The colors are those of
Okabe & Ito, which people who do not see red or green tell apart.
"""

from decimal import Decimal
from typing import Any, Self

import numpy as np

from ..words import apart, printable

# Taken in turn; clusters of the same color have different markers, and every other one of them is drawn hollow.
COLORS = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C7A00", "#000000"
MARKERS = "o", "s", "^", "D", "v", "P", "X", "*", "<", ">"
INK = "#222222"  # of text and thick lines
PALE = "#8A8A8A"  # of what is beside it
LINE = "#D0D0D0"  # of thin lines
MOST_POINTS = 5000  # rows that are drawn, at most


class Display:
    """A picture: `ax_` and `figure_` are what it is drawn on."""

    ax_: Any
    figure_: Any

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None
            None for new ones.

        Returns
        -------
        self
            With `ax_` and `figure_`.
        """
        self.ax_ = self._draw(ax)
        self.figure_ = self.ax_.figure
        return self

    def _draw(self, ax):
        """Draw, and return the axes."""
        raise NotImplementedError


def axes_for(ax: Any, size: tuple[float, float] = (6.4, 4.8)) -> Any:
    """Axes to draw on: those given, or new ones.

    Raises
    ------
    ImportError
        Where there is no matplotlib.
    """
    plt = pyplot()
    if ax is None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def panels(ax: Any, n: int, height: float) -> list:
    """Axes for several small pictures, three in a row (four: two and two): on a figure of their own, or in the place of those given."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    n_columns = 2 if n == 4 else min(3, n)
    n_rows = -(-n // n_columns)
    if ax is None:
        size = (3.2 * n_columns, height * n_rows)
        grid = pyplot().figure(figsize=size, layout="constrained").add_gridspec(n_rows, n_columns)
        figure = grid.figure
    else:
        figure = ax.figure
        ax.set_axis_off()
        grid = GridSpecFromSubplotSpec(n_rows, n_columns, ax.get_subplotspec(), wspace=0.45, hspace=0.9)
    return [figure.add_subplot(grid[i // n_columns, i % n_columns]) for i in range(n)]


def pyplot() -> Any:
    """matplotlib.pyplot.

    Raises
    ------
    ImportError
        Where there is none.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError('Pictures need matplotlib: pip install "certified-kmeans[plots]"') from None
    return plt


def color(k: int) -> str:
    """The color of cluster k."""
    return COLORS[k % len(COLORS)]


def marker(k: int) -> str:
    """Its marker: color and marker together are the same for no two of 40 clusters."""
    return MARKERS[(k + k // len(COLORS)) % len(MARKERS)]


def dots(k: int, edge: float = 0.3) -> dict[str, Any]:
    """How its rows are drawn: filled, or hollow where an earlier cluster has the same color."""
    hollow = k // len(COLORS) % 2 == 1
    look = {"facecolors": "white" if hollow else color(k), "edgecolors": color(k) if hollow else "white"}
    return {"marker": marker(k), "linewidths": max(1.0, edge) if hollow else edge, **look}


def tint(k: int, share: float = 0.13) -> tuple[float, float, float]:
    """Its color, thinned with white."""
    from matplotlib.colors import to_rgb

    red, green, blue = (1 - share + share * part for part in to_rgb(color(k)))
    return red, green, blue


def written(values: Any, digits: int = 4) -> list[str]:
    """Numbers as people write them: 45,920 and 0.0031, with as many digits as tell them apart.

    Examples
    --------
    >>> written([45918.2, 0.5, 1234567.0]), written([1e30])
    (['45,920', '0.5', '1,235,000'], ['1e+30'])
    """
    shown = apart([float(value) for value in values], digits)
    return [text if not 1e-5 <= abs(float(text)) < 1e15 else f"{Decimal(text):,f}" for text in shown]


def plain_ticks(axis: Any, most: int = 6) -> None:
    """Ticks of an axis, few, with numbers as people write them; those of a scale of powers stay where they are."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    if axis.get_scale() == "linear":
        axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: written([value], 10)[0] if value else "0"))
    axis.set_minor_formatter(NullFormatter())


def some(n: int, most: int = MOST_POINTS) -> np.ndarray:
    """Indices of rows to draw: all, or as many as are seen, evenly spread."""
    return np.arange(n) if n <= most else np.arange(most) * n // most


def halo(text: Any) -> Any:
    """Text with a white edge, to be read on anything."""
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    return text


def plain(name: str) -> str:
    """A name of the data's own as it is written in a picture: no mathematics between its dollars, nothing that is not seen."""
    return printable(name).replace("$", r"\$")


def percent(share: float, digits: int = 3) -> str:
    """A share in percent, with this number of digits, and more where it would seem to be all."""
    shown = f"{100 * share:.{digits}g}"
    while share < 1 and float(shown) == 100 and digits < 17:
        digits += 1
        shown = f"{100 * share:.{digits}g}"
    plainly = f"{float(shown):.{max(6, digits)}g}"
    return f"{plainly if 'e' not in plainly else shown} %"


def percent_ticks(axis: Any) -> None:
    """Ticks of an axis as percentages without needless zeros."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))
    axis.set_minor_formatter(NullFormatter())


def legend_below(ax: Any, handles: list, columns: int = 2) -> None:
    """A legend that cannot cover the data: below the figure where the layout leaves room for it, or below the axes."""
    look = {"handles": handles, "ncols": columns, "frameon": False, "fontsize": 9}
    own = len([other for other in ax.figure.axes if other.get_label() != "<colorbar>"]) == 1
    if own and ax.figure.get_layout_engine() is not None:
        ax.figure.legend(loc="outside lower center", **look)
    else:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), **look)
