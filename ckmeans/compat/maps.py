"""A classifier for maps, for mapclassify and for what is built on it, geopandas: Fisher and Jenks' classes, proved best."""

from contextlib import contextmanager

import numpy as np
from mapclassify import _classify_API
from mapclassify.classifiers import MapClassifier
from numpy.typing import ArrayLike

from ..exact.univariate import natural_breaks


class FisherJenks(MapClassifier):
    """Classes of values of least sum of squares, as `mapclassify.FisherJenks` has them, in exact arithmetic and in milliseconds.

    mapclassify's own takes time and memory that grow with the square of the number of values, and works in float32 where it
    has numba.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Finite numbers.
    k : int, default=5
        Number of classes, at most as many as there are different values.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the values, such as areas or inhabitants.

    Attributes
    ----------
    bins : ndarray of shape (k,)
        Upper bound of each class, which it includes.
    yb : ndarray of shape (n_samples,)
        Class of each value.
    counts : ndarray of shape (k,)
        Number of values in each class.
    exact : NaturalBreaks
        All of the result: see `ckmeans.natural_breaks`.

    Raises
    ------
    ValueError, TypeError
        For missing and infinite values, and for numbers of classes that are out of range.

    Examples
    --------
    >>> classes = FisherJenks([1, 2, 4, 7, 38, 40, 41], k=3)
    >>> classes.bins.tolist(), classes.counts.tolist()
    ([4.0, 7.0, 41.0], [3, 1, 3])
    """

    def __init__(self, y: ArrayLike, k: int = 5, sample_weight: ArrayLike | None = None) -> None:
        y = np.asarray(y).ravel()
        n_distinct = len(np.unique(y))
        if n_distinct < k:
            raise ValueError(f"k={k}, and there are {n_distinct} different values: ask for at most as many.")
        self.k, self._weight = k, sample_weight
        super().__init__(y)
        self.name = "FisherJenks"

    def _set_bins(self):
        self.exact = natural_breaks(self.y, self.k, sample_weight=self._weight)
        self.bins = self.exact.breaks[1:]

    def update(
        self, y: ArrayLike | None = None, inplace: bool = False, **kwargs: object
    ) -> "FisherJenks | None":
        """Classes of these values and more, with the same k unless another is given; weights hold for the first ones only.

        Raises
        ------
        ValueError
            For a classifier with weights: make another one of all values and all weights.
        """
        if self._weight is not None:
            raise ValueError(
                "this classifier has weights: make another one of all values with their weights."
            )
        kwargs.setdefault("k", self.k)
        if inplace:
            self._update(y, **kwargs)
            return None
        other = type(self)(self.y, self.k)
        other._update(y, **kwargs)
        return other

    def plot(self, gdf: object, **kwargs: object) -> tuple[object, object]:
        """These classes on a map, by the arguments of `mapclassify.FisherJenks.plot`: that one asks for five classes anew, without weights.

        Returns
        -------
        figure, axes
            Of matplotlib.
        """
        with _schemes(fisherjenks=lambda y, k: self):
            return super().plot(gdf, **kwargs)


@contextmanager
def _schemes(**classifiers):
    """While it is open, mapclassify and geopandas classify by these where they are given their names."""
    known = _classify_API._classifiers
    before = {name: known[name] for name in classifiers}
    known.update(classifiers)
    try:
        yield
    finally:
        known.update(before)


@contextmanager
def exact_schemes():
    """While it is open, the schemes "FisherJenks" and "NaturalBreaks" of mapclassify and geopandas are the exact classes.

    Examples
    --------
    >>> import mapclassify
    >>> with exact_schemes():
    ...     mapclassify.classify([1, 2, 4, 7, 38, 40, 41], "FisherJenks", k=3).bins.tolist()
    [4.0, 7.0, 41.0]
    """
    with _schemes(fisherjenks=FisherJenks, naturalbreaks=lambda y, k, initial=None: FisherJenks(y, k)):
        yield
