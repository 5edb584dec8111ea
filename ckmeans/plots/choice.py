"""How good clusters are: by every criterion, and row by row."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..diagnostics.choice import CRITERIA
from ..validation import check_labels, check_matrix
from ..words import format_plural
from .common import COLORS, INK, LINE, PALE, Display, axes_for, color, panels, some
from .units import exponent_of, in_units, unit_words


@dataclass(eq=False)
class ChoiceDisplay(Display):
    """What each criterion says about the number of clusters, side by side, and how many agree.

    Use `from_choice`.

    Parameters
    ----------
    choice : object with `n_clusters`, `criteria` and `suggested`
        As `choose_k` returns it: numbers of clusters, an array for each name, and the number that each name suggests.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One for each criterion, and the last for how many suggest each number.
    ax_ : matplotlib Axes
        The last of them.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from ckmeans import ChoiceDisplay
    >>> choice = SimpleNamespace(
    ...     n_clusters=[2, 3, 4], criteria={"silhouette": [0.5, 0.7, 0.6], "bic": [9, 8, 7]}, suggested={"silhouette": 3, "bic": 4}
    ... )
    >>> [ax.get_title() for ax in ChoiceDisplay.from_choice(choice).axes_]
    ['silhouette: 3', 'information criterion (BIC): 4', '2 criteria, 2 answers']
    """

    choice: Any

    @classmethod
    def from_choice(cls, choice: Any, *, ax: Any = None) -> Self:
        """Draw what `choose_k` found, on new axes or in the place of those given."""
        return cls(choice).plot(ax=ax)

    def _draw(self, ax):
        from matplotlib.ticker import FixedLocator, MaxNLocator

        k = np.asarray(self.choice.n_clusters)
        criteria, suggested = self.choice.criteria, self.choice.suggested
        n_panels = len(criteria) + 1
        self.axes_ = panels(ax, n_panels, 2.3)
        for panel, (name, values) in zip(self.axes_, criteria.items()):
            self._criterion(panel, k, name, np.asarray(values, float), suggested.get(name))
        last = self.axes_[-1]
        self._votes(last, k, [suggested[name] for name in criteria if suggested.get(name) is not None])
        for i, panel in enumerate(self.axes_):
            panel.xaxis.set_major_locator(
                FixedLocator(k) if len(k) <= 12 else MaxNLocator(nbins=8, integer=True)
            )
            panel.set_xlim(k.min() - 0.6, k.max() + 0.6)
            if i + (2 if n_panels == 4 else 3) >= n_panels or i == len(self.axes_) - 1:
                panel.set_xlabel("clusters", fontsize=9)
        return last

    def _criterion(self, ax, k, name, values, chosen):
        axes_for(ax)
        unit = exponent_of(values)
        values = in_units(np.where(np.isfinite(values), values, np.nan), unit)
        ax.plot(k, values, color=COLORS[0], marker="o", markersize=3.5, linewidth=1.4, zorder=2)
        if chosen is not None:
            ax.axvline(chosen, color=PALE, linestyle=":", linewidth=1, zorder=1)
            at = np.flatnonzero(k == chosen)
            look = {"marker": "D", "markersize": 8, "color": COLORS[3], "markeredgecolor": "white"}
            ax.plot(k[at], values[at], linestyle="", zorder=3, **look)
        if unit:
            ax.set_ylabel(unit_words(unit).lstrip(", "), fontsize=8)
        title = CRITERIA[name].title if name in CRITERIA else name.replace("_", " ")
        ax.set_title(f"{title}: {'no answer' if chosen is None else chosen}", fontsize=10)
        ax.tick_params(labelsize=8)
        ax.ticklabel_format(axis="y", scilimits=(-3, 5), useOffset=False)
        ax.yaxis.get_offset_text().set_fontsize(8)
        ax.grid(axis="y", color=LINE, linewidth=0.5, zorder=0)

    def _votes(self, ax, k, votes):
        axes_for(ax)
        counts = np.array([sum(vote == value for vote in votes) for value in k])
        bars = ax.bar(k, counts, width=0.7, facecolor=PALE, linewidth=0, zorder=2)
        ax.bar_label(bars, ["" if count == 0 else str(count) for count in counts], fontsize=8, padding=1)
        ax.set_title(f"{len(votes)} criteria, {format_plural(len(set(votes)), 'answer')}", fontsize=10)
        ax.set_yticks([])
        ax.set_ylim(0, max(1, counts.max(initial=0)) * 1.25)
        ax.tick_params(labelsize=8)


@dataclass(eq=False)
class SilhouetteDisplay(Display):
    """The silhouette of each row, cluster by cluster: how much nearer it is to its own cluster than to the next.

    Use `from_estimator` or `from_labels`.

    Parameters
    ----------
    silhouettes : ndarray of shape (n_samples,)
        From -1 to 1.
    labels : ndarray of shape (n_samples,), int
    n_samples : int
        Rows that these are some of.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    References
    ----------
    Rousseeuw (1987), "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis", J. Comput. Appl.
    Math. 20:53-65, doi:10.1016/0377-0427(87)90125-7.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import KMeans, SilhouetteDisplay
    >>> X = load_iris().data
    >>> SilhouetteDisplay.from_labels(X, KMeans(3, random_state=0).fit_predict(X)).ax_.get_title()
    'silhouettes of 3 clusters, on average 0.553'
    """

    silhouettes: NDArray[np.float64]
    labels: NDArray[np.int32]
    n_samples: int

    @classmethod
    def from_estimator(cls, estimator: Any, X: ArrayLike, *, most: int = 5000, ax: Any = None) -> Self:
        """Draw those of the labels that a fitted estimator with `predict` finds; the rest as for `from_labels`."""
        return cls.from_labels(X, estimator.predict(X), most=most, ax=ax)

    @classmethod
    def from_labels(cls, X: ArrayLike, labels: ArrayLike, *, most: int = 5000, ax: Any = None) -> Self:
        """Draw those of given labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        labels : array-like of shape (n_samples,)
            Whole numbers, or names: 2 to n_samples - 1 different ones.
        most : int
            Of more rows, as many, evenly spread, are compared with each other: the time grows with the square.
        ax : matplotlib Axes or None

        Returns
        -------
        SilhouetteDisplay
        """
        from sklearn.metrics import silhouette_samples

        rows = check_matrix(X)
        chosen = some(len(rows), most)
        labels = check_labels(labels, len(rows))[0][chosen]
        # Silhouettes depend neither on the unit nor on the origin; the distances of scikit-learn are exact near to zero only.
        near = in_units(rows[chosen], exponent_of(rows))
        near = near - near.mean(axis=0)
        near = in_units(near, exponent_of(near))
        return cls(silhouette_samples(near, labels), labels, len(rows)).plot(ax=ax)

    def _draw(self, ax):
        ax = axes_for(ax)
        clusters = np.unique(self.labels)
        space, at, middles = max(1.0, 0.02 * len(self.labels)), 0.0, []
        for k in clusters:
            own = np.sort(self.silhouettes[self.labels == k])
            y = at + np.repeat(np.arange(len(own) + 1), 2)[1:-1]
            look = {"facecolor": color(k), "linewidth": 0}
            ax.fill_betweenx(y, 0, np.repeat(own, 2), zorder=2, **look)
            middles.append(at + len(own) / 2)
            at += len(own) + space
        mean = float(self.silhouettes.mean())
        ax.axvline(0, color=INK, linewidth=0.8, zorder=3)
        ax.axvline(mean, color=INK, linewidth=1.2, linestyle="--", zorder=3, label="average")
        sizes = [(self.labels == k).sum() for k in clusters]
        names = [f"{k}  ({n})" for k, n in zip(clusters, sizes)]
        ax.set_yticks(*([], []) if len(clusters) > 30 else (middles, names))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color=LINE, linewidth=0.6, zorder=0)
        ax.set(xlabel="silhouette", ylabel="cluster (rows)")
        ax.set(xlim=(min(-0.05, self.silhouettes.min() - 0.02), 1.0), ylim=(-space, at))
        ax.invert_yaxis()
        title = f"silhouettes of {len(clusters)} clusters, on average {mean:.3f}"
        if len(self.labels) < self.n_samples:
            title += f"\n{len(self.labels)} of {self.n_samples} rows"
        ax.set_title(title, fontsize=11)
        ax.spines["left"].set_color(PALE)
        return ax
