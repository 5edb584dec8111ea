"""jenkspy's function and class: the same arguments, types and errors, with breaks that are proved best, at any size."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..exact.univariate import natural_breaks


def jenks_breaks(values: Sequence[float], n_classes: int) -> list[float]:
    """Natural breaks of numbers (Fisher 1958), as `jenkspy.jenks_breaks` gives them.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Finite numbers.
    n_classes : int
        From 1 to the number of different values.

    Returns
    -------
    breaks : list of float, of length n_classes + 1
        The least value, then the greatest of each class: a class has the values above one break and up to the next.

    Raises
    ------
    TypeError
        For what is no sequence of numbers, and for a number of classes that is not whole.
    ValueError
        For arrays that are not one-dimensional, values that are not finite, and numbers of classes that are out of range.

    Notes
    -----
    No classes have a lower sum of squares, in exact arithmetic; jenkspy adds up squares in floats, and loses the differences
    of values far from zero. Of several best ones these are those whose last break comes first. See `ckmeans.natural_breaks`
    for weights and several numbers of classes.

    Examples
    --------
    >>> jenks_breaks([1.3, 7.1, 7.3, 2.3, 3.9, 4.1, 7.8, 1.2, 4.3, 7.3, 5.0, 4.3], 3)
    [1.2, 2.3, 5.0, 7.8]
    """
    values, n_classes = _checked(values, n_classes)
    return natural_breaks(values, n_classes).breaks.tolist()


class JenksNaturalBreaks:
    """A classifier of numbers by natural breaks, as jenkspy's class of this name.

    Parameters
    ----------
    n_classes : int, default=6

    Attributes
    ----------
    breaks_, inner_breaks_ : list of float
        See `jenks_breaks`; without the first and the last.
    labels_ : ndarray of shape (n_samples,)
        Class of each value of `fit`.
    groups_ : list of ndarray
        The values of each class.

    Examples
    --------
    >>> classes = JenksNaturalBreaks(2)
    >>> classes.fit([0, 1, 2, 10, 11])
    >>> classes.predict([3, 12]).tolist(), classes.inner_breaks_
    ([1, 1], [2.0])
    """

    def __init__(self, n_classes: int = 6) -> None:
        self.n_classes = _whole(n_classes)
        if self.n_classes < 1:
            raise ValueError(f"n_classes={n_classes}: ask for at least 1.")

    def __repr__(self) -> str:
        return f"JenksNaturalBreaks(n_classes={self.n_classes})"

    def fit(self, x: Sequence[float]) -> None:
        """Find the breaks of values, and the class of each. Raises as `jenks_breaks` does."""
        self.breaks_ = jenks_breaks(x, self.n_classes)
        self.inner_breaks_ = self.breaks_[1:-1]
        self.labels_ = self.predict(x)
        self.groups_ = self.group(x)

    def predict(self, x: float | Iterable[float]) -> NDArray[np.int_]:
        """The class of a value, or of each: the first whose upper break is not below it, else the last."""
        x = x if np.isscalar(x) or isinstance(x, np.ndarray) else list(x)
        labels = np.searchsorted(self.inner_breaks_, np.asarray(x, np.float64))
        return np.asarray(labels)

    def get_label_(self, val: float, idx: int = 0) -> int:
        """The class of one value, from class `idx` on."""
        return max(int(self.predict(val)), idx)

    def group(self, x: Sequence[float]) -> list[NDArray]:
        """The values of each class, in their order."""
        x = np.asarray(x)
        labels = self.predict(x)
        return [x[labels == label] for label in range(self.n_classes)]

    def goodness_of_variance_fit(self, x: Sequence[float]) -> float:
        """1 - (sum of squares within the classes of `fit`) / (that of x around its mean)."""
        x = np.asarray(x, np.float64)
        within = sum(((group - np.mean(group)) ** 2).sum() for group in self.groups_ if len(group))
        total = ((x - x.mean()) ** 2).sum()
        return float((total - within) / total) if total else 1.0


def _whole(n_classes):
    if isinstance(n_classes, (float, np.floating)) and int(n_classes) == n_classes:
        n_classes = int(n_classes)
    if not isinstance(n_classes, (int, np.integer)) or isinstance(n_classes, bool):
        raise TypeError(f"n_classes={n_classes!r} is no whole number: ask for 1 class or more.")
    return int(n_classes)


def _checked(values, n_classes):
    if not isinstance(values, Iterable) or isinstance(values, (str, bytes)):
        raise TypeError(f"values is of type {type(values).__name__}: give a sequence of numbers.")
    n_classes = _whole(n_classes)
    values = values if hasattr(values, "__array__") else list(values)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise ValueError(f"values has {values.ndim} dimensions: give one, as values.ravel() has.")
    try:
        floats = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"values are no numbers, or beyond the floats: {error}.") from None
    if np.asarray(values).dtype == object and any(isinstance(v, int) and abs(v) >= 2**63 for v in values):
        raise TypeError("values has a whole number beyond 64 bits: subtract the least one from all first.")
    if not np.isfinite(floats).all():
        raise ValueError("values are not all finite: drop NaN and infinite ones first.")
    n_distinct = len(np.unique(floats))
    if not 1 <= n_classes <= n_distinct:
        raise ValueError(
            f"n_classes={n_classes}, and there are {n_distinct} different values: ask for 1 to as many."
        )
    return values, n_classes
