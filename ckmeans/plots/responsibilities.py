"""Rows in the plane with their responsibilities as blended colors."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..validation import check_matrix, check_values
from .common import INK, Display, color, marker, percent, some
from .plane import (
    CENTERS,
    MOST_NAMES,
    Plane,
    bounding_box,
    named_rows,
    plane_axes,
    size_of_dots,
    write_beside,
)
from .units import exponent_of, in_units


@dataclass(eq=False)
class ResponsibilityDisplay(Display):
    """Rows in the colors of their clusters, blended by the responsibilities; those in doubt have a ring.

    Use `from_estimator` or `from_responsibilities`. The circles have a radius of one standard deviation.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        The rows in the plane.
    responsibilities : ndarray of shape (n_samples, n_clusters)
    means : ndarray of shape (n_clusters, 2)
        The means in the plane.
    variances : ndarray of shape (n_clusters,) or None
    plane : Plane

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import ResponsibilityDisplay, SphericalMixture
    >>> X = load_iris().data
    >>> model = SphericalMixture(3, variance="tied", random_state=0).fit(X)
    >>> ResponsibilityDisplay.from_estimator(model, X).ax_.get_title().splitlines()[0]
    '3 clusters: 7 of 150 rows in doubt (ringed: below 90 %)'
    """

    points: NDArray[np.float64]
    responsibilities: NDArray[np.float64]
    means: NDArray[np.float64]
    variances: NDArray[np.float64] | None
    plane: Plane

    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, *, ax: Any = None) -> Self:
        """Draw the responsibilities of a fitted mixture.

        Parameters
        ----------
        estimator : SphericalMixture, or with `predict_proba` and `means_`
        X : array-like of shape (n_samples, n_features)
        ax : matplotlib Axes or None

        Returns
        -------
        ResponsibilityDisplay
        """
        find = getattr(estimator, "responsibilities", None) or estimator.predict_proba
        variances = getattr(estimator, "variances_", None)
        return cls.from_responsibilities(X, find(X), estimator.means_, variances=variances, ax=ax)

    @classmethod
    def from_responsibilities(
        cls,
        X: ArrayLike,
        responsibilities: ArrayLike,
        means: ArrayLike,
        *,
        variances: ArrayLike | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw given responsibilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        responsibilities : array-like of shape (n_samples, n_clusters)
        means : array-like of shape (n_clusters, n_features)
        variances : array-like of shape (n_clusters,), float, or None
        ax : matplotlib Axes or None

        Returns
        -------
        ResponsibilityDisplay
        """
        rows, names = named_rows(X)
        unit = exponent_of(rows)
        rows, means = in_units(rows, unit), in_units(check_matrix(means, "means"), unit)
        plane = Plane.of(rows, None, names, unit)
        if variances is not None:
            variances = np.broadcast_to(check_values(variances, "variances"), len(means))
        shares = check_matrix(responsibilities, "responsibilities")
        return cls(plane.project(rows), shares, plane.project(means), variances, plane).plot(ax=ax)

    def _draw(self, ax):
        from matplotlib.colors import to_rgb
        from matplotlib.patches import Circle

        n_clusters = len(self.means)
        palette = np.array([to_rgb(color(k)) for k in range(n_clusters)])
        shown, box = some(len(self.points)), bounding_box(np.vstack([self.points, self.means]))
        ax, size = plane_axes(ax, box, self.plane), size_of_dots(len(shown), n_clusters)
        edge = 0.3 if len(shown) < 500 else 0
        labels, sure = self.responsibilities.argmax(axis=1), self.responsibilities.max(axis=1)
        for k in range(n_clusters):
            for doubtful in (False, True):
                own = shown[(labels[shown] == k) & ((sure[shown] < 0.9) == doubtful)]
                look = {"edgecolors": "white", "zorder": 2, "s": size, "linewidths": edge}
                if doubtful:
                    look = {"edgecolors": INK, "zorder": 3, "s": 1.6 * size, "linewidths": 0.9}
                blended = np.clip(self.responsibilities[own] @ palette, 0, 1)
                ax.scatter(*self.points[own].T, c=blended, marker=marker(k), rasterized=True, **look)
            if self.variances is not None:
                radius = in_units(self.variances[k] ** 0.5, self.plane.exponent)
                ring = Circle(self.means[k], radius, fill=False, edgecolor=color(k), lw=1.5, zorder=1)
                ax.add_patch(ring)
            ax.scatter(*self.means[k], **CENTERS)
        if n_clusters <= MOST_NAMES:
            write_beside(ax, self.points[shown], self.means, [str(k) for k in range(n_clusters)], box)
        n_doubt = int((sure < 0.9).sum())
        said = f"{n_clusters} clusters: {n_doubt} of {len(sure)} rows in doubt (ringed: below 90 %)"
        if len(self.plane.mean) > 2:
            said += f"\n{percent(self.plane.shown)} of the variance shown"
        ax.set_title(said, fontsize=11)
        return ax
