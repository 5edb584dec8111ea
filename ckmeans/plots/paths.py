"""The path of Lloyd's iteration, beside the best there is: the trap."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..validation import check_labels
from ..words import above_best, format_plural, percent_up
from .common import INK, PALE, Display, axes_for, dots, plain, pyplot, some, tint
from .plane import CENTERS, Plane, bounding_box, cells, cluster_means, named_rows, size_of_dots
from .units import exponent_of, in_units


@dataclass(eq=False)
class PathDisplay(Display):
    """The path of Lloyd's iteration, and beside it the best clusters: where it is stuck, and where it should be.

    Use `from_path`; `animate` sets it in motion. Lines are the ways of the centers, rings where they began. With more than
    two features the plane is that of the first two principal components.

    Parameters
    ----------
    path : LloydPath
    rows : ndarray of shape (n_samples, n_features)
        In the units of `plane`.
    plane : Plane
    best : tuple of (labels, str, float or None), or None
        A clustering to compare with, what is known of it, and its inertia if it is proved to be the best.
    step : int
        Which step is drawn.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        The path, and the best if it is given.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from ckmeans import PathDisplay, certify, lloyd_path
    >>> X = np.array([[0.0, 0.0], [0.0, 2.0], [5.0, 0.0], [5.0, 2.0]])
    >>> path = lloyd_path(X, 2, init=[[2.5, 0.0], [2.5, 2.0]])
    >>> display = PathDisplay.from_path(path, X, best=certify(X, n_clusters=2))
    >>> for ax in display.axes_:
    ...     print(ax.get_title())
    Lloyd's iteration is stuck at 25
    525 % above the best
    the best possible: 4
    proved
    """

    path: Any
    rows: NDArray[np.float64]
    plane: Plane
    best: tuple[NDArray[np.int32], str, float | None] | None = None
    step: int = -1

    @classmethod
    def from_path(cls, path: Any, X: ArrayLike, *, best: Any = None, step: int = -1, ax: Any = None) -> Self:
        """Draw a path.

        Parameters
        ----------
        path : LloydPath
            As `lloyd_path` returns it.
        X : array-like of shape (n_samples, n_features)
            Its rows.
        best : Certificate, fitted estimator, array-like of shape (n_samples,), or None
            A clustering to compare with. It is called the best possible if it comes with a proof that the checker accepted.
        step : int
            The step that is drawn; -1 is the last.
        ax : matplotlib Axes or None
            In whose place it is drawn.

        Returns
        -------
        PathDisplay

        Raises
        ------
        ValueError, TypeError
            For rows or labels that are not those of the path.
        """
        rows, names = named_rows(X)
        if len(rows) != path.labels.shape[1]:
            raise ValueError(
                f"X has {len(rows)} rows, the path is about {path.labels.shape[1]}: give the rows of the path."
            )
        unit = exponent_of(rows)
        rows = in_units(rows, unit)
        return cls(path, rows, Plane.of(rows, None, names, unit), _clustering(best, len(rows)), step).plot(
            ax=ax
        )

    def animate(self, interval: float = 700.0, hold: int = 3) -> Any:
        """Set the path in motion, on the axes that it is drawn on.

        Parameters
        ----------
        interval : float
            Milliseconds for each step.
        hold : int
            Steps that the end stays for.

        Returns
        -------
        matplotlib.animation.FuncAnimation
            ``animation.save("trap.gif")`` writes it; in a notebook, ``HTML(animation.to_jshtml())`` shows it.
        """
        from matplotlib.animation import FuncAnimation

        frames = [*range(len(self.path)), *[len(self.path) - 1] * hold]

        def draw(step):
            self.ax_.clear()
            self._draw_step(self.ax_, step)
            return ()

        return FuncAnimation(self.figure_, draw, frames, interval=interval)

    def _draw(self, ax):
        n = 1 if self.best is None else 2
        if ax is None:
            _, axes = pyplot().subplots(1, n, figsize=(4.6 * n, 4.2), layout="constrained", squeeze=False)
            self.axes_ = list(axes[0])
        elif n == 1:
            self.axes_ = [ax]
        else:
            ax.set_axis_off()
            parts = ax.get_subplotspec().subgridspec(1, 2)
            self.axes_ = [ax.figure.add_subplot(parts[i]) for i in range(2)]
        self._draw_step(self.axes_[0], self.step)
        if self.best is not None:
            labels, said, _ = self.best
            means = cluster_means(self.rows, labels, int(labels.max()) + 1, None)
            self._draw_clusters(self.axes_[1], means, labels)
            self.axes_[1].set_title(said, fontsize=11)
        return self.axes_[0]

    def _draw_step(self, ax, step):
        """Rows, centers and cells after some updates, and the way that centers have come."""
        path, step = self.path, range(len(self.path))[step]
        centers = in_units(path.centers, self.plane.exponent)
        self._draw_clusters(ax, centers[step], path.labels[step])
        ways = np.array([self.plane.project(centers[i]) for i in range(step + 1)])
        for k in range(ways.shape[1]):
            ax.plot(*ways[:, k].T, color=INK, linewidth=1.3, zorder=5)
        look = {"s": 45, "facecolors": "white", "edgecolors": INK, "linewidths": 1.2, "zorder": 5}
        ax.scatter(*ways[0].T, **look)
        ax.scatter(*ways[-1].T, **CENTERS | {"zorder": 6})
        ax.set_title(self._title(step), fontsize=11)

    def _title(self, step):
        inertia, last = f"{self.path.inertia[step]:.5g}", step == len(self.path) - 1
        if not (last and self.path.converged):
            return f"Lloyd's iteration after {format_plural(step, 'update')}: {inertia}\n"
        if self.best is None or self.best[2] is None:
            return f"Lloyd's iteration ends at {inertia}\n"
        above = above_best(float(self.path.inertia[step]), self.best[2])
        if above is not None and above < 1e-9:
            return f"Lloyd's iteration ends at {inertia}\nthe best"
        by = "" if above is None else f"{percent_up(above)} above the best"
        return f"Lloyd's iteration is stuck at {inertia}\n{by}"

    def _draw_clusters(self, ax, centers, labels):
        axes_for(ax)
        plane, points = self.plane, self.plane.project(self.rows)
        box = bounding_box(np.vstack([points, *plane.project(in_units(self.path.centers, plane.exponent))]))
        ax.set(xlim=box[:2], ylim=box[2:], xlabel=plain(plane.names[0]), ylabel=plain(plane.names[1]))
        heights = plane.sq_heights(centers) if len(plane.mean) > 2 else np.zeros(len(centers))
        shown, at = some(len(points)), plane.project(centers)
        for k, polygon in enumerate(cells(at, heights, box)):
            if len(polygon) > 2:
                ax.fill(*polygon.T, facecolor=tint(k), edgecolor=PALE, linewidth=0.8, zorder=1)
            own = points[shown[labels[shown] == k]]
            ax.scatter(*own.T, s=size_of_dots(len(shown), len(at)), zorder=2, **dots(k))
        ax.scatter(*at.T, **CENTERS)


def _clustering(best, n_samples):
    """Labels, and a title that says what is known of them."""
    if best is None:
        return None
    proof = best if hasattr(best, "exact_inertia") else getattr(best, "certificate_", None)
    if proof is None:
        labels = check_labels(getattr(best, "labels_", best), n_samples)[0]
        return labels, "another clustering\n", None
    better = proof.better if proof.better is not None else proof
    labels = check_labels(better.labels, n_samples)[0]
    if better.verdict.startswith("optimal") and better.verdict.endswith(": proved"):
        return labels, f"the best possible: {better.inertia:.5g}\nproved", better.inertia
    return labels, f"the best known: {better.inertia:.5g}\n{better.verdict}", None
