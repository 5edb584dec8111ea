"""Clusters in the plane with the cells of their centers, and responsibilities as blended colors."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..frames import column_names
from ..validation import check_labels, check_matrix, check_values, check_weights
from .common import INK, Display, axes_for, color, halo, marker, percent, plain, pyplot, some
from .units import exponent_of, in_units, unit_words

# Up to this number of features, or of rows, all principal components are computed, else two.
MOST_DENSE = 1000
# How centers are marked.
CENTERS = {"s": 90, "marker": "X", "c": INK, "edgecolors": "white", "linewidths": 1.2, "zorder": 4}


@dataclass(eq=False)
class Plane:
    """The plane that rows are shown in: two features, or the first two principal components.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
    axes : ndarray of shape (n_features, 2)
        Orthonormal columns; for one feature the second is 0.
    names : (str, str)
    shown : float
        Share of the variance that the plane shows.
    exponent : int
        Rows in the plane are in units of this power of ten, 0 for all but extreme data.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    names: tuple[str, str]
    shown: float
    exponent: int = 0

    @classmethod
    def of(
        cls,
        X: NDArray[np.float64],
        weights: NDArray[np.float64] | None = None,
        feature_names: list[str] | None = None,
        exponent: int = 0,
    ) -> Self:
        """The plane of some rows, which are in units of a power of ten."""
        n_features, unit = X.shape[1], unit_words(exponent)
        if n_features <= 2:
            names = feature_names or [f"feature {f}" for f in range(n_features)]
            names = (*(name + unit for name in names), "")[:2]
            return cls(np.zeros(n_features), np.eye(n_features, 2), names, 1.0, exponent)
        weights = np.ones(len(X)) if weights is None else in_units(weights, exponent_of(weights))
        mean = np.average(X, axis=0, weights=weights)
        variances, axes = _principal(X - mean, weights)
        shares = variances[:2] / max(variances.sum(), np.finfo(float).tiny)
        axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
        first = f"principal component 1 ({percent(shares[0])} of the variance)"
        names = first + unit, f"component 2 ({percent(shares[1])}){unit}"
        return cls(mean, axes, names, float(shares.sum()), exponent)

    def project(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows in the plane."""
        return (X - self.mean) @ self.axes

    def sq_heights(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared distances of rows from the plane."""
        return np.maximum(0.0, ((X - self.mean) ** 2).sum(axis=1) - (self.project(X) ** 2).sum(axis=1))


def _principal(centered, weights):
    """The greatest variances, all or two and the rest, and the first two principal components as columns."""
    n_rows, n_features = centered.shape
    if n_features <= MOST_DENSE:
        variances, vectors = np.linalg.eigh((centered * weights[:, None]).T @ centered)
        return np.maximum(variances[::-1], 0), vectors[:, ::-1][:, :2]
    # Of wide rows a matrix of features by features is larger than the rows: their singular vectors tell the same.
    rows = centered * np.sqrt(weights)[:, None]
    if n_rows <= MOST_DENSE:
        _, values, vectors = np.linalg.svd(rows, full_matrices=False)
    else:
        from scipy.sparse.linalg import svds

        _, values, vectors = svds(rows, k=2, v0=np.ones(min(rows.shape)))
        order = np.argsort(-values)
        values, vectors = values[order], vectors[order]
    axes = np.zeros((n_features, 2))
    axes[:, : len(vectors)] = vectors[:2].T
    most = np.pad(values, (0, 2))[:2] ** 2
    return np.append(most, max(0.0, (rows**2).sum() - most.sum())), axes


def _rows(X):
    """Rows as float64, checked, and the names of the columns if they have any."""
    return check_matrix(X), column_names(X)


def _means(X, labels, n_clusters, weights):
    weights = np.ones(len(X)) if weights is None else in_units(weights, exponent_of(weights))
    masses = np.bincount(labels, weights, minlength=n_clusters)
    sums = np.array([np.bincount(labels, weights * column, minlength=n_clusters) for column in X.T]).T
    return sums / np.where(masses > 0, masses, 1)[:, None]


def _shares(rows, centers, labels, weights, unit):
    """The share of each cluster in the inertia, and the inertia in units of the data, infinite or 0 where no float holds it."""
    sq, mass = ((rows - centers[labels]) ** 2).sum(axis=1), 0
    if weights is not None:
        mass = exponent_of(weights)
        sq = sq * in_units(weights, mass)
    within = np.bincount(labels, sq, minlength=len(centers))
    total = float(within.sum())
    with np.errstate(over="ignore"):
        inertia = float(in_units(np.float64(total), -2 * unit - mass))
    return within / total if total > 0 else np.zeros(len(centers)), inertia


def cells(
    centers: NDArray[np.float64], sq_heights: NDArray[np.float64], box: tuple[float, float, float, float]
) -> list[NDArray[np.float64]]:
    """For each center the part of a box that is nearer to it than to the others: polygons of shape (n_corners, 2).

    Where centers are off the plane, this is how the plane cuts their Voronoi cells: a power diagram.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, 2)
    sq_heights : ndarray of shape (n_clusters,)
        Squared distances of the centers from the plane.
    box : (left, right, bottom, top)
    """
    left, right, bottom, top = box
    polygons, powers = [], (centers**2).sum(axis=1) + sq_heights
    for k in range(len(centers)):
        polygon = np.array([[left, bottom], [right, bottom], [right, top], [left, top]], float)
        for j in range(len(centers)):
            if j == k or not len(polygon):
                continue
            # Beyond the line where j is as near: 2 (c_j - c_k) u > |c_j|^2 - |c_k|^2, heights included.
            beyond = polygon @ (2 * (centers[j] - centers[k])) - (powers[j] - powers[k])
            corners = []
            for a, b, p, q in zip(polygon, np.roll(polygon, -1, axis=0), beyond, np.roll(beyond, -1)):
                if p <= 0:
                    corners.append(a)
                if (p < 0) != (q < 0) and p != q and p * q < 0:
                    corners.append(a + p / (p - q) * (b - a))
            polygon = np.array(corners).reshape(-1, 2)
        polygons.append(polygon)
    return polygons


def _box(points):
    """Limits with some room around the points, for a name above the topmost."""
    low, high = points.min(axis=0), points.max(axis=0)
    pad = np.maximum(high - low, 1e-12 * max(1.0, np.abs(points).max()))
    pad = np.where(high > low, pad, max(pad.max(), 0.5))
    return low[0] - 0.06 * pad[0], high[0] + 0.06 * pad[0], low[1] - 0.06 * pad[1], high[1] + 0.13 * pad[1]


def _ratio(box, plane):
    """Height by width, where both axes have the same unit and the picture is not too narrow; else None."""
    left, right, bottom, top = box
    ratio = (top - bottom) / (right - left)
    return ratio if len(plane.mean) > 1 and 0.2 < ratio < 5 else None


def _axes(ax, box, plane):
    """Axes of the right shape."""
    ratio = _ratio(box, plane)
    height = (
        2.6 if len(plane.mean) == 1 else 4.8 if ratio is None else float(np.clip(1.2 + 5.6 * ratio, 3.0, 5.6))
    )
    ax = axes_for(ax, (6.4, height))
    ax.set(xlim=box[:2], ylim=box[2:], xlabel=plain(plane.names[0]), ylabel=plain(plane.names[1]))
    if len(plane.mean) == 1:
        ax.set_yticks([])
    elif ratio is not None:
        ax.set_aspect("equal", adjustable="box")  # so that cells are seen to be halfway between centers
    return ax


def _dots(n):
    """Size of markers, and width of their edges."""
    return {"s": 28, "linewidths": 0.3} if n < 500 else {"s": 11 if n < 2000 else 5, "linewidths": 0}


def _top(center, points, cell, box):
    """Where to write above a center: above the points there, so as to cover few, but within its cell."""
    width, height = box[1] - box[0], box[3] - box[2]
    near = points[np.abs(points[:, 0] - center[0]) < 0.1 * width]
    above = np.concatenate([[center[1]], near[:, 1]]).max()
    inside = [
        a[1] + (center[0] - a[0]) / (b[0] - a[0]) * (b[1] - a[1])
        for a, b in zip(cell, np.roll(cell, -1, axis=0))
        if a[0] != b[0] and min(a[0], b[0]) <= center[0] <= max(a[0], b[0])
    ]
    room = max(inside, default=box[3]) - 0.08 * height
    return center[0], above if above <= room else max(center[1], room) if len(points) < 50 else center[1]


def _write(ax, text, at):
    look = {"ha": "center", "va": "bottom", "fontsize": 10, "fontweight": "bold", "color": INK, "zorder": 5}
    halo(ax.annotate(text, at, xytext=(0, 6), textcoords="offset points", **look))


@dataclass(eq=False)
class ClusterDisplay(Display):
    """Clusters in the plane, with the cells of their centers and what each adds to the inertia.

    Use `from_estimator` or `from_labels`. With more than two features the plane is that of the first two principal
    components, and the axes tell what share of the variance they show; the cells are as this plane cuts them.

    Parameters
    ----------
    points : ndarray of shape (n_samples, 2)
        The rows in the plane.
    labels : ndarray of shape (n_samples,), int
    centers : ndarray of shape (n_clusters, 2)
        The centers in the plane.
    sq_heights : ndarray of shape (n_clusters,)
        Their squared distances from it.
    shares : ndarray of shape (n_clusters,)
        Share of each cluster in the inertia.
    inertia : float
    plane : Plane
        What is in the plane is in units of a power of ten where the rows are extreme: see `plane.exponent`.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import ClusterDisplay, KMeans
    >>> X = load_iris().data
    >>> display = ClusterDisplay.from_estimator(KMeans(3, random_state=0).fit(X), X)
    >>> display.ax_.get_xlabel()
    'principal component 1 (92.5 % of the variance)'
    """

    points: NDArray[np.float64]
    labels: NDArray[np.int32]
    centers: NDArray[np.float64]
    sq_heights: NDArray[np.float64]
    shares: NDArray[np.float64]
    inertia: float
    plane: Plane

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, sample_weight: ArrayLike | None = None, ax: Any = None
    ) -> Self:
        """Draw what an estimator with `predict` and `cluster_centers_` (or `means_`) finds, of ckmeans or of scikit-learn.

        Parameters
        ----------
        estimator : fitted estimator
        X : array-like of shape (n_samples, n_features)
        sample_weight : array-like of shape (n_samples,) or None
        ax : matplotlib Axes or None

        Returns
        -------
        ClusterDisplay
        """
        centers = estimator.cluster_centers_ if hasattr(estimator, "cluster_centers_") else estimator.means_
        return cls.from_labels(X, estimator.predict(X), centers=centers, sample_weight=sample_weight, ax=ax)

    @classmethod
    def from_labels(
        cls,
        X: ArrayLike,
        labels: ArrayLike,
        *,
        centers: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw clusters of any origin.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        labels : array-like of shape (n_samples,)
            Whole numbers, or names.
        centers : array-like of shape (n_clusters, n_features) or None
            None for the means.
        sample_weight : array-like of shape (n_samples,) or None
        ax : matplotlib Axes or None

        Returns
        -------
        ClusterDisplay

        Raises
        ------
        ValueError, TypeError
            For data, labels or weights that are not as described.
        """
        rows, names = _rows(X)
        weights = check_weights(sample_weight, len(rows))
        unit = exponent_of(rows)
        rows = in_units(rows, unit)
        if centers is None:
            labels, n_clusters = check_labels(labels, len(rows))
            centers = _means(rows, labels, n_clusters, weights)
        else:
            centers = in_units(check_matrix(centers, "centers"), unit)
            labels, _ = check_labels(labels, len(rows), len(centers))
        plane = Plane.of(rows, weights, names, unit)
        shares, inertia = _shares(rows, centers, labels, weights, unit)
        heights = plane.sq_heights(centers) if rows.shape[1] > 2 else np.zeros(len(centers))
        display = cls(plane.project(rows), labels, plane.project(centers), heights, shares, inertia, plane)
        return display.plot(ax=ax)

    def _draw(self, ax):
        shown, n_clusters = some(len(self.points)), len(self.centers)
        box = _box(np.vstack([self.points, self.centers]))
        ax = _axes(ax, box, self.plane)
        grey, most = pyplot().get_cmap("Greys"), max(self.shares.max(), 1e-12)
        self.cells_ = []
        polygons = cells(self.centers, self.sq_heights, box)
        for k, polygon in enumerate(polygons):
            if len(polygon) > 2:  # the more of the inertia, the darker
                shade = grey(0.01 + 0.22 * self.shares[k] / most)
                self.cells_ += ax.fill(*polygon.T, facecolor=shade, edgecolor=INK, linewidth=0.8, zorder=1)
        for k in range(n_clusters):
            own = self.points[shown[self.labels[shown] == k]]
            look = {
                "c": color(k),
                "marker": marker(k),
                "edgecolors": "white",
                "zorder": 2,
                **_dots(len(shown)),
            }
            ax.scatter(*own.T, label=f"cluster {k}", rasterized=True, **look)
            if n_clusters <= 24:
                text = f"{k}: {percent(self.shares[k], 2)}" if n_clusters <= 12 else str(k)
                _write(ax, text, _top(self.centers[k], own, polygons[k], box))
        ax.scatter(*self.centers.T, label="centers", **CENTERS)
        ax.set_title(self._title(len(shown)), fontsize=11)
        return ax

    def _title(self, n_shown):
        inertia = f"{self.inertia:.6g}"
        if self.inertia == np.inf or self.inertia == 0 < self.shares.max():
            inertia = f"{'beyond' if self.inertia else 'below'} the floats"
        said = f"{len(self.centers)} clusters, inertia {inertia}"
        said += (
            ": share of each, the darker the more"
            if len(self.centers) <= 12
            else ": the darker, the more of it"
        )
        notes = []
        if self.plane.shown < 1 and len(self.plane.mean) > 2:
            notes.append(f"{percent(self.plane.shown)} of the variance shown; cells as this plane cuts them")
        if n_shown < len(self.points):
            notes.append(f"{n_shown} of {len(self.points)} rows drawn")
        return "\n".join([said, *(["; ".join(notes)] if notes else [])])


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
        rows, names = _rows(X)
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
        shown, box = some(len(self.points)), _box(np.vstack([self.points, self.means]))
        ax, dots = _axes(ax, box, self.plane), _dots(len(shown))
        labels, sure = self.responsibilities.argmax(axis=1), self.responsibilities.max(axis=1)
        for k in range(n_clusters):
            for doubtful in (False, True):
                own = shown[(labels[shown] == k) & ((sure[shown] < 0.9) == doubtful)]
                look = {"edgecolors": "white", "zorder": 2, **dots}
                if doubtful:
                    look = {"edgecolors": INK, "zorder": 3, "s": 1.6 * dots["s"], "linewidths": 0.9}
                blended = np.clip(self.responsibilities[own] @ palette, 0, 1)
                ax.scatter(*self.points[own].T, c=blended, marker=marker(k), rasterized=True, **look)
            if self.variances is not None:
                radius = in_units(self.variances[k] ** 0.5, self.plane.exponent)
                ring = Circle(self.means[k], radius, fill=False, edgecolor=color(k), lw=1.5, zorder=1)
                ax.add_patch(ring)
            ax.scatter(*self.means[k], **CENTERS)
            if n_clusters <= 24:
                _write(ax, str(k), self.means[k])
        n_doubt = int((sure < 0.9).sum())
        said = f"{n_clusters} clusters: {n_doubt} of {len(sure)} rows in doubt (ringed: below 90 %)"
        if len(self.plane.mean) > 2:
            said += f"\n{percent(self.plane.shown)} of the variance shown"
        ax.set_title(said, fontsize=11)
        return ax
