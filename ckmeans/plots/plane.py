"""Clusters in the plane, with the cells of their centers."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..frames import column_names
from ..validation import check_labels, check_matrix, check_weights
from ..words import format_plural
from .common import INK, PALE, Display, axes_for, dots, halo, percent, plain, some, tint
from .units import exponent_of, in_units, unit_words

# Up to this number of features, or of rows, all principal components are computed, else two.
MOST_DENSE = 1000
# Up to this number of clusters each is named: more names than that find no room.
MOST_NAMES = 40
# Pixels of a letter and of a line of names, at 100 dots per inch.
LETTER_WIDTH, LINE_HEIGHT = 8.4, 14.0
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


def named_rows(X):
    """Rows as float64, checked, and the names of the columns if they have any."""
    return check_matrix(X), column_names(X)


def cluster_means(X, labels, n_clusters, weights):
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


def bounding_box(points):
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


def plane_axes(ax, box, plane):
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


def size_of_dots(n, n_clusters=1):
    """Size of markers: large enough to tell them apart where colors repeat."""
    return 28 if n < 500 else max(18 * (n_clusters > 8), 11 if n < 2000 else 5)


def _places(points, centers, texts, box, units):
    """Where to write beside each center: the nearest place that covers neither rows nor what is written before.

    Parameters
    ----------
    points, centers : ndarray of shape (n, 2)
    texts : list of str
    box : (left, right, bottom, top)
    units : (float, float)
        Width of a letter and height of a line.

    Returns
    -------
    ndarray of shape (n_clusters, 2)
        The middle of each text.
    """
    (left, right, bottom, top), (letter, line) = box, units
    angles, found, taken = np.linspace(0, 2 * np.pi, 24, endpoint=False) + np.pi / 2, [], []
    ring = np.column_stack([np.cos(angles) * letter * LINE_HEIGHT / LETTER_WIDTH, np.sin(angles) * line])
    far = np.concatenate([1.6 * r * ring for r in np.arange(0.75, 9, 0.5)])
    points = np.vstack([points, centers])
    for center, text in zip(centers, texts):
        half = np.array([0.5 * letter * len(text) + 0.7 * letter, 0.85 * line])  # with room for marks
        at = center + far
        inside = (at - half >= (left, bottom)).all(axis=1) & (at + half <= (right, top)).all(axis=1)
        at = at[inside] if inside.any() else center[None]
        covered = (np.abs(points[None] - at[:, None]) < half).all(axis=2).sum(axis=1).astype(float)
        for other, size in taken:
            covered += 1e3 * (np.abs(at - other) < half + size).all(axis=1)
        taken.append((at[covered.argmin()], half))
        found.append(taken[-1][0])
    return np.array(found)


def write_beside(ax, points, centers, texts, box):
    """Write beside centers, off the rows, with a thin line to those that are farther away."""
    ax.figure.draw_without_rendering()  # so that axes of equal scales have their size
    area = ax.get_window_extent()
    units = (box[1] - box[0]) * LETTER_WIDTH / area.width, (box[3] - box[2]) * LINE_HEIGHT / area.height
    units = tuple(size * ax.figure.dpi / 100 for size in units)
    look = {"ha": "center", "va": "center", "fontsize": 9.5, "fontweight": "bold", "color": INK, "zorder": 6}
    for k, (place, text) in enumerate(zip(_places(points, centers, texts, box, units), texts)):
        line = {"arrowstyle": "-", "color": INK, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 5}
        halo(ax.annotate(text, centers[k], xytext=place, arrowprops=line, **look))


@dataclass(eq=False)
class ClusterDisplay(Display):
    """Clusters in the plane, each with its number and how many rows it has, and the cells of their centers.

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

        Raises
        ------
        NotFittedError
            Where the estimator has no centers yet.
        """
        centers = getattr(estimator, "cluster_centers_", getattr(estimator, "means_", None))
        if centers is None:
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"This {type(estimator).__name__} has no centers yet: call fit(X) before it is drawn."
            )
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
        rows, names = named_rows(X)
        weights = check_weights(sample_weight, len(rows))
        unit = exponent_of(rows)
        rows = in_units(rows, unit)
        if centers is None:
            labels, n_clusters = check_labels(labels, len(rows))
            centers = cluster_means(rows, labels, n_clusters, weights)
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
        box = bounding_box(np.vstack([self.points, self.centers]))
        ax = plane_axes(ax, box, self.plane)
        self.cells_ = []
        for k, polygon in enumerate(cells(self.centers, self.sq_heights, box)):
            if len(polygon) > 2:
                look = {"facecolor": tint(k), "edgecolor": PALE, "linewidth": 0.8, "zorder": 1}
                self.cells_ += ax.fill(*polygon.T, **look)
        size = size_of_dots(len(shown), n_clusters)
        for k in range(n_clusters):
            own = self.points[shown[self.labels[shown] == k]]
            look = {"s": size, "zorder": 2, "rasterized": True, **dots(k, 0.3 if len(shown) < 500 else 0)}
            ax.scatter(*own.T, label=f"cluster {k}", **look)
        ax.scatter(*self.centers.T, label="centers", **CENTERS)
        if n_clusters <= MOST_NAMES:
            rows = np.bincount(self.labels, minlength=n_clusters).tolist()
            many = [
                f"{k}: {format_plural(n, 'row')}" if n_clusters <= 12 else str(k) for k, n in enumerate(rows)
            ]
            write_beside(ax, self.points[shown], self.centers, many, box)
        ax.set_title(self._title(len(shown)), fontsize=11)
        return ax

    def _title(self, n_shown):
        said, notes = f"{len(self.points):,} rows in {format_plural(len(self.centers), 'cluster')}", []
        if self.plane.shown < 1 and len(self.plane.mean) > 2:
            notes.append(
                f"this view shows {percent(self.plane.shown)} of the variance of {len(self.plane.mean)} features"
            )
        if n_shown < len(self.points):
            notes.append(f"{n_shown:,} of the rows are drawn")
        return "\n".join([said, *(["; ".join(notes)] if notes else [])])
