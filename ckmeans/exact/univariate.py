"""One feature: the best clustering at any size, proved, by dynamic programming over the sorted values (see segmentation.py)."""

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._kernels import univariate as kernels
from ..arithmetic import usual
from ..notebook import as_html
from ..rationals import float_down, float_up
from ..validation import check_n_clusters
from .penalized_paths import SLICE, slices
from .segmentation import Line
from .shaped import Shaped

# Up to this many values NumPy sorts, in one go; more are sorted in slices, between which Ctrl-C acts.
SHORT = 1 << 18
# Differences of numbers up to 1, and products of these, are off by less than this.
ROUNDED = 1e-12


@usual
@dataclass(frozen=True, eq=False)
class Breaks:
    """The best classes of some values, without their labels: all that `NaturalBreaks` has but these and `tried`."""

    n_clusters: int
    breaks: np.ndarray
    centers: np.ndarray
    counts: np.ndarray
    sizes: np.ndarray
    within: np.ndarray
    total: float
    between: float
    inertia: float
    lower_bound: float
    goodness_of_variance_fit: float
    bic: float
    status: str
    stop_reason: str

    @property
    def gap(self) -> float:
        """0.0: no clustering is better."""
        return 0.0

    @property
    def bins(self) -> np.ndarray:
        """The upper bounds, as mapclassify has them: the breaks without the least value, an array of shape (n_clusters,)."""
        return self.breaks[1:]

    def classify(self, values: ArrayLike, *, missing: Literal["error", "separate"] = "error") -> np.ndarray:
        """The clusters that values fall in, the outer ones for what is beyond the breaks.

        Parameters
        ----------
        values : array-like
            Real numbers of any shape; infinite ones are beyond all breaks.
        missing : {"error", "separate"}
            As in `natural_breaks`.

        Returns
        -------
        labels : ndarray of int32, masked array or DataArray, of the same shape

        Raises
        ------
        ValueError
            For missing values and what is no real number.

        Examples
        --------
        >>> natural_breaks([4, 1, 2, 40, 38, 41, 7], 3).classify([[0.5, 100], [np.nan, 4]], missing="separate")
        array([[ 0,  2],
               [-1,  0]], dtype=int32)
        """
        shaped = Shaped(values, missing, infinite=True)
        return shaped.labels(self._classes(shaped.flat))

    def _repr_html_(self) -> str:
        fit = f"{100 * self.goodness_of_variance_fit:.2f} % of the variance"
        columns = {
            "class": range(self.n_clusters),
            "from": [f"{low:.6g}" for low in self.breaks[:-1].tolist()],
            "to": [f"{high:.6g}" for high in self.bins.tolist()],
            "values": [f"{count:,}" for count in self.counts.tolist()],
            "mean": [f"{mean:.6g}" for mean in self.centers.tolist()],
        }
        return as_html(f"{self.n_clusters} natural breaks, proved optimal: {fit}", columns)

    def _classes(self, values):
        labels = np.empty(len(values), np.int32)
        for start, stop in slices(0, len(values), SLICE):
            labels[start:stop] = np.searchsorted(self.breaks[1:-1], values[start:stop])
        return labels


@usual
@dataclass(frozen=True, eq=False)
class NaturalBreaks(Breaks):
    """The best classes of some values, as `natural_breaks` finds them.

    Attributes
    ----------
    n_clusters : int
    breaks : ndarray of shape (n_clusters + 1,), float64
        The least value, then the greatest of each cluster: cluster c has the values above breaks[c] and not above
        breaks[c + 1]; the first has the least value too.
    centers : ndarray of shape (n_clusters,), float64
        The means of the clusters, each the nearest float. Where there are fewer different values than clusters, the
        first is repeated.
    counts : ndarray of shape (n_clusters,), int64
        Number of values in each cluster, those of weight 0 left out.
    sizes : ndarray of shape (n_clusters,), float64
        Sum of the weights in each cluster.
    within : ndarray of shape (n_clusters,), float64
        Sum of weighted squared distances to the center, of each cluster.
    total, between : float
        The inertia of a single cluster, and what it is more than the sum of `within`, as nearest floats.
    inertia, lower_bound : float
        The exact sum of weighted squared distances to the centers, rounded up and down. No clustering costs less.
    goodness_of_variance_fit : float
        1 - inertia / (inertia of a single cluster); 1 is a perfect fit.
    bic : float
        Bayesian information criterion, lower is better: of normal clusters of one variance, inertia / n, or of a variance
        each, within / sizes, and of weights by their sizes; 2 n_clusters or 3 n_clusters - 1 parameters. A variance is taken
        to be at least that of rounding to the least distance between two values.
    status, stop_reason : str
        "optimal" and "proved".
    labels : array of int32, of the shape of the values
        Cluster of each value, in the order given; clusters are numbered from the least values up, -1 is a missing value. A masked
        array or a DataArray where the values are one.
    tried : dict of int to Breaks
        The best classes for each number of clusters that was asked for: all of this but `labels` and `tried`.

    Examples
    --------
    >>> from ckmeans import NaturalBreaks, natural_breaks
    >>> found = natural_breaks([4, 1, 2, 40, 38, 41, 7], range(2, 4))
    >>> isinstance(found, NaturalBreaks), found.bins.tolist(), found.counts.tolist(), sorted(found.tried)
    (True, [7.0, 41.0], [4, 3], [2, 3])
    >>> found.classify([3, 1000]).tolist()
    [0, 1]
    """

    labels: np.ndarray = field(repr=False)
    tried: dict[int, Breaks] = field(repr=False)


class PenaltyProof(NamedTuple):
    """What shows that a clustering of one feature is optimal.

    With this penalty s, the least cost of any number of clusters plus s for each of them, p_n, is cost + n_clusters * s:
    the optimum is p_n - n_clusters * s, as an equality of rational numbers.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int32
    cost, penalty : Fraction
        In squared units of the values.
    """

    labels: np.ndarray
    cost: Fraction
    penalty: Fraction


@usual
def natural_breaks(
    values: ArrayLike,
    n_clusters: int | Iterable[int],
    *,
    sample_weight: ArrayLike | None = None,
    variances: Literal["equal", "unequal"] = "equal",
    missing: Literal["error", "separate"] = "error",
) -> NaturalBreaks:
    """The best clusters of numbers: Jenks' natural breaks, exactly.

    The cut of the sorted values into classes of least inertia, for data of any size, in about the time of a few sorts
    for any number of clusters. Floats find it, and it is proved optimal in exact arithmetic, for the numbers given, not to a
    tolerance, wherever they lie: no digits are lost to a large offset, as of time stamps.

    Parameters
    ----------
    values : array-like of any shape, such as (n_samples,) or (n_samples, 1), or (height, width) of a raster
        Finite real numbers. What is masked takes no part.
    n_clusters : int or iterable of int
        1 to the number of values. Of several, such as ``range(1, 11)``, the one of least BIC is chosen; all are in `tried`.
    sample_weight : array-like of shape (n_samples,) or of the shape of the values, or None
        Weights >= 0, not all zero. Values of weight zero take no part, and get the label of the class they fall in.
    variances : {"equal", "unequal"}, default="equal"
        Whether the BIC takes the classes to have one variance, as k-means does, or one each, as R's Ckmeans.1d.dp does; it
        finds fewer classes then.
    missing : {"error", "separate"}, default="error"
        Whether NaN is refused, or takes no part and gets the label -1.

    Returns
    -------
    NaturalBreaks
        With status "optimal". Of several best cuts it is the one whose last break comes first, then the last but one, and
        so on. Where there are fewer different values than clusters, each has a cluster of its own and the others are empty;
        there is a UserWarning.

    Raises
    ------
    ValueError, TypeError
        For NaN, infinity, text, no values, numbers of clusters that are out of range, and for very many values (or weights)
        that are more than 2**199 (2**80, all together) times as large as others.

    References
    ----------
    W. D. Fisher (1958), "On grouping for maximum homogeneity", J. Am. Stat. Assoc. 53:789-798, doi:10.2307/2281952: best
    clusters of numbers are runs. G. F. Jenks (1977), "Optimal data classification for choropleth maps", University of
    Kansas, Geography occasional paper 2. H. Wang, M. Song (2011), "Ckmeans.1d.dp: optimal k-means clustering in one
    dimension by dynamic programming", R Journal 3(2):29-33, doi:10.32614/RJ-2011-015. A. Grønlund, K. G. Larsen, A.
    Mathiasen, J. S. Nielsen, S. Schneider, M. Song (2017), "Fast exact k-means, k-medians and Bregman divergence clustering
    in 1D", arXiv:1701.07204: the search over penalties, here with a proof.

    Examples
    --------
    >>> from ckmeans import natural_breaks
    >>> result = natural_breaks([4, 1, 2, 40, 38, 41, 7], 3)
    >>> result.breaks.tolist(), result.labels.tolist(), round(result.inertia, 3), result.status
    ([1.0, 4.0, 7.0, 41.0], [0, 0, 0, 2, 2, 2, 1], 9.333, 'optimal')
    >>> natural_breaks([4, 1, 2, 40, 38, 41, 7], range(1, 5)).n_clusters
    2
    """
    if variances not in ("equal", "unequal"):
        raise ValueError(f'variances={variances!r} is unknown: give "equal" or "unequal".')
    shaped, weights, wanted = _checked(values, n_clusters, sample_weight, missing)
    rows, line, own = _sorted(shaped.flat, weights)
    if max(wanted) > line.n_distinct:
        warnings.warn(
            f"n_clusters={max(wanted)}, but there are {line.n_distinct} different values: the other classes are empty.",
            UserWarning,
            stacklevel=3,
        )
    table = _Table(rows, line, own, variances)
    tried = {k: table.breaks(k) for k in wanted}
    best = min(tried.values(), key=lambda breaks: breaks.bic)
    return NaturalBreaks(**vars(best), labels=shaped.labels(best._classes(shaped.flat)), tried=tried)


def penalty_proof(values, n_clusters, sample_weight=None, check=None):
    """The best clusters of numbers, and what shows it.

    Parameters
    ----------
    values, n_clusters, sample_weight
        As in `natural_breaks`; n_clusters is one number.
    check : callable(), optional
        Called now and then where fractions decide between many or long numbers; what it raises ends the search.

    Returns
    -------
    PenaltyProof

    Examples
    --------
    >>> proof = penalty_proof([0.0, 1.0, 5.0, 7.0], 2)
    >>> proof.labels.tolist(), proof.cost, proof.penalty > 2
    ([0, 0, 1, 1], Fraction(5, 2), True)
    """
    shaped, weights, (k,) = _checked(values, n_clusters, sample_weight)
    rows, line, own = _sorted(shaped.flat, weights, check)
    labels = _Table(rows, line, own).breaks(k)._classes(shaped.flat)
    n_runs = min(k, line.n_distinct)
    return PenaltyProof(labels, line.cut(n_runs).cost, line.penalty(n_runs))


def collinear(X):
    """The feature that tells the rows of X apart if they lie on one line, and what its squared distances are to be
    multiplied with; None if the rows, in exact arithmetic, are not on a line.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64

    Returns
    -------
    (int, Fraction) or None
        Every clustering of the rows costs factor times what it costs in this feature alone.

    Examples
    --------
    >>> import numpy as np
    >>> collinear(np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 6.0]]))
    (1, Fraction(5, 4))
    """
    if X.shape[1] == 1:
        return 0, Fraction(1)
    with np.errstate(over="ignore", invalid="ignore"):
        feature = int(np.argmax(np.ptp(X, axis=0)))
        offs = X / np.abs(X).max()
        offs -= offs[0]
        far = offs[np.argmax(np.abs(offs[:, feature]))]
        if (np.abs(offs * far[feature] - offs[:, feature, None] * far) > ROUNDED).any():
            return None  # by more than rounding can be: as nearly always
        farthest = np.argmax(np.abs(X[:, feature] - X[0, feature]))
    first = [Fraction(v) for v in X[0].tolist()]
    far = [Fraction(v) for v in X[farthest].tolist()]
    direction = [b - a for a, b in zip(first, far)]
    if not direction[feature]:
        return (feature, Fraction(1)) if (X == X[0]).all() else None
    slopes = [d / direction[feature] for d in direction]
    for row in X:
        along = Fraction(float(row[feature])) - first[feature]
        if any(Fraction(float(v)) != a + along * s for v, a, s in zip(row, first, slopes)):
            return None
    return feature, sum(s * s for s in slopes)


class _Table:
    """The results for each number of clusters, with what they have in common."""

    def __init__(self, rows, line, weights, variances="equal"):
        self.rows, self.line, self.weights, self.variances = rows, line, weights, variances
        # A power of two by which squares of distances neither overflow nor vanish.
        self.exponent = int(np.frexp(max(abs(rows[0]), abs(rows[-1])))[1])

    @cached_property
    def grain(self):
        """The least distance between two values."""
        with np.errstate(over="ignore"):
            distances = np.minimum(np.diff(self.rows), np.finfo(float).max)
        return float(distances[distances > 0].min()) if self.line.n_distinct > 1 else 1.0

    def breaks(self, k):
        n_runs = min(k, self.line.n_distinct)
        cut = self.line.cut(n_runs)
        scatter = self.line.scatter
        empty = k - n_runs
        centers = [_nearest(total, weight) for weight, total in zip(cut.weights, cut.totals)]
        upper = self.rows[cut.ends[1:] - 1]
        sizes, ends = [float(weight) for weight in cut.weights], cut.ends.tolist()
        within = [self._within(*run) for run in zip(ends[:-1], ends[1:], centers, sizes)]
        return Breaks(
            n_clusters=k,
            breaks=np.concatenate((self.rows[:1], upper[:1].repeat(empty), upper)),
            centers=np.array(centers[:1] * empty + centers),
            counts=np.insert(np.diff(cut.ends), 1, [0] * empty),
            sizes=np.insert(sizes, 1, [0.0] * empty),
            within=np.insert(self._unscaled(np.array(within)), 1, [0.0] * empty),
            total=_float(scatter),
            between=_float(scatter - cut.cost),
            inertia=float_up(cut.cost),
            lower_bound=float_down(cut.cost),
            goodness_of_variance_fit=float(1 - cut.cost / scatter) if scatter else 1.0,
            bic=self._bic(cut, k) if self.variances == "equal" else self._bic_unequal(sizes, within, k),
            status="optimal",
            stop_reason="proved",
        )

    def _within(self, start, stop, center, size):
        """The inertia of a run about its mean, next to which the center is, in squared units of 2**exponent."""
        center, total, shift = np.ldexp(center, -self.exponent), 0.0, 0.0
        for a, b in slices(start, stop, SLICE):
            away = np.ldexp(self.rows[a:b], -self.exponent) - center
            heavy = away if self.weights is None else self.weights[a:b] * away
            total, shift = total + float(heavy @ away), shift + float(heavy.sum())
        return max(0.0, total - shift * (shift / size))

    def _unscaled(self, squares):
        with np.errstate(over="ignore", under="ignore"):
            return np.ldexp(squares, 2 * self.exponent)

    def _bic_unequal(self, sizes, within, k):
        sizes, n = np.array(sizes), sum(sizes)
        with np.errstate(divide="ignore"):
            known = np.log(within) - np.log(sizes) + 2 * self.exponent * math.log(2)
        log_variances = np.maximum(known, 2 * math.log(self.grain) - math.log(12))
        log_likelihood = sizes @ np.log(np.maximum(sizes / n, 5e-324)) - (
            sizes @ (math.log(2 * math.pi) + log_variances + np.exp(known - log_variances)) / 2
        )
        return float((3 * k - 1) * math.log(n) - 2 * log_likelihood)

    def _bic(self, cut, k):
        masses = np.array([float(weight) for weight in cut.weights])
        n = masses.sum()
        log_variance = _log(cut.cost) - math.log(n)
        # The least distance is at most the average one.
        average = (Fraction(float(self.rows[-1])) - Fraction(float(self.rows[0]))) / max(
            self.line.n_distinct - 1, 1
        )
        if log_variance < 2 * _log(average) - math.log(12) or not cut.cost:
            log_variance = max(log_variance, 2 * math.log(self.grain) - math.log(12))
        log_likelihood = masses @ np.log(np.maximum(masses / n, 5e-324)) - n / 2 * (
            math.log(2 * math.pi) + log_variance + 1
        )
        return float(2 * k * math.log(n) - 2 * log_likelihood)


def _log(fraction):
    return math.log(fraction.numerator) - math.log(fraction.denominator) if fraction else -math.inf


def _float(fraction):
    """The nearest float, or inf."""
    try:
        return float(fraction)
    except OverflowError:
        return math.inf


def _nearest(total, weight):
    """The quotient of two Fractions as the nearest float."""
    return float(total / weight)


def _sorted(values, weights, check=None):
    """The values that have weight in increasing order, the same as a Line, and their weights in that order."""
    if weights is not None:
        values, weights = values[weights > 0], weights[weights > 0]
        if (weights == 1).all():
            weights = None
    if len(values) > SHORT:
        rows, own = _dealt(values, weights)
    elif weights is None:
        rows, own = np.sort(values), None
    else:
        order = np.argsort(values)
        rows, own = values[order], weights[order]
    return rows, Line(rows.copy(), own, check), own


def _dealt(values, weights):
    """Sorted in slices, between which an interrupt acts: by one digit after the other, as cards once were."""
    n, values = len(values), np.ascontiguousarray(values)
    keys, counts = np.empty(n, np.uint64), np.zeros((8, 256), np.intp)
    own = np.empty(0) if weights is None else np.array(weights)
    for start, stop in slices(0, n, SLICE):
        kernels.sort_keys(values, keys, counts, start, stop)
    other, others = np.empty_like(keys), np.empty_like(own)
    for digit in np.flatnonzero(counts.max(axis=1) < n).tolist():
        places = np.cumsum(counts[digit]) - counts[digit]
        for start, stop in slices(0, n, SLICE):
            kernels.sort_pass(keys, own, digit, places, other, others, start, stop)
        keys, other, own, others = other, keys, others, own
    rows = other.view(np.float64)
    for start, stop in slices(0, n, SLICE):
        kernels.sort_values(keys, rows, start, stop)
    return rows, None if weights is None else own


def _checked(values, n_clusters, sample_weight, missing="error"):
    """Values, weights, and the numbers of clusters; the first thing wrong raises."""
    shaped = Shaped(values, missing, column=True)
    if hasattr(values, "columns") and shaped.here.ndim > 1:
        raise ValueError(
            f"values have shape {shaped.here.shape}: give one number for each sample; for several features use ckmeans.KMeans."
        )
    if not len(shaped.flat):
        raise ValueError("values are empty: give at least one number.")
    weights = shaped.weights(sample_weight)
    several = (
        n_clusters if np.iterable(n_clusters) and not isinstance(n_clusters, (str, bytes)) else [n_clusters]
    )
    wanted = [check_n_clusters(k, len(shaped.flat)) for k in several]
    if not wanted:
        raise ValueError(f"n_clusters={n_clusters!r} is empty: give one number of clusters, or several.")
    return shaped, weights, wanted
