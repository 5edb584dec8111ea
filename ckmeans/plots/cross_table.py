"""What two clusterings of the same rows have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .common import INK, Display, axes_for, plain

MOST_NUMBERS = 400  # cells that have their number written in them


@dataclass(eq=False)
class CrossTableDisplay(Display):
    """How many rows of each cluster of one clustering are in each of another: a cell is as dark as its share of its line.

    Parameters
    ----------
    table : ndarray of shape (n_first, n_second), int
        Rows that are in both.
    names : (list of str, list of str)
        Of the clusters.
    titles : (str, str)
        Of the clusterings.
    matched : list of (int, int)
        Cells of clusters that are taken for the same: they have a frame.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    table: NDArray[np.int64]
    names: tuple[list[str], list[str]]
    titles: tuple[str, str]
    matched: list[tuple[int, int]]

    def _draw(self, ax):
        from matplotlib.patches import Rectangle

        n_first, n_second = self.table.shape
        short = [[name if len(name) <= 18 else name[:16] + ".." for name in side] for side in self.names]
        turned = n_second * max(map(len, short[1])) * 0.1 > 6  # else the names have room side by side
        height = 1.3 + 0.4 * n_first + 0.9 * turned
        ax = axes_for(ax, (min(16.0, max(7.2, 2.2 + 0.75 * n_second)), min(16.0, height)))
        shares = self.table / np.maximum(1, self.table.sum(axis=1, keepdims=True))
        edges = np.arange(n_second + 1) - 0.5, np.arange(n_first + 1) - 0.5
        ax.pcolormesh(*edges, shares, cmap="Blues", vmin=0, vmax=1.15, edgecolor="white", linewidth=1.5)
        ax.invert_yaxis()
        for a, b in np.ndindex(self.table.shape) if self.table.size <= MOST_NUMBERS else ():
            if self.table[a, b]:
                ink = "white" if shares[a, b] > 0.7 else INK
                ax.text(b, a, f"{self.table[a, b]:,}", ha="center", va="center", fontsize=9.5, color=ink)
        for a, b in self.matched:
            ax.add_patch(
                Rectangle((b - 0.47, a - 0.47), 0.94, 0.94, fill=False, edgecolor=INK, linewidth=1.6)
            )
        look = {"rotation": 35, "ha": "right", "va": "center", "rotation_mode": "anchor"} if turned else {}
        ax.set_xticks(range(n_second), map(plain, short[1]), **look)
        ax.set_yticks(range(n_first), map(plain, short[0]))
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set(ylabel=plain(f"clusters of {self.titles[0]}"), xlabel=plain(f"clusters of {self.titles[1]}"))
        ax.set_title("rows that are in both; a frame: taken for the same", fontsize=11)
        return ax
