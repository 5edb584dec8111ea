"""Every partition: the best one, proved best, and the sum over all of them (the walk is in partitions.py)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from time import monotonic

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arithmetic import usual
from ..notebook import as_html
from ..rationals import ExactRows, float_down, float_up
from ..solution import Solution
from ..validation import (
    check_matrix,
    check_n_clusters,
    check_number,
    check_weights,
    check_whole,
)
from ..words import borne, format_count
from ..workers import Workers, available_cpus
from .partitions import Search, Sums, Walk, count_labellings, number_of_coefs, scaled_rows, seconds_each

# A search that is estimated to take longer than a day is refused, unless it has a time limit.
MAX_SECONDS = 86_400
# Labels in the kernels are signed bytes.
MAX_CLUSTERS = 127


@dataclass(frozen=True, eq=False)
class ExhaustiveSolution(Solution):
    """A `Solution` with the number of partitions that were examined.

    Attributes
    ----------
    n_partitions : int
        Partitions of the rows with weight that were examined, each once. 0 where none had to be: rows with at most
        n_clusters different values cost nothing.
    labels, centers, inertia, lower_bound, status, stop_reason
        As in `Solution`.

    Examples
    --------
    >>> solution = exhaustive_search([[0.0], [1.0], [5.0], [6.0]], 2)
    >>> solution.n_partitions, solution.inertia, solution.status
    (8, 1.0, 'optimal')
    """

    n_partitions: int


@dataclass(frozen=True, eq=False)
class PartitionPosterior:
    """The sum over all partitions into at most n_clusters clusters, and what follows from it.

    Attributes
    ----------
    log_sum : float
        Logarithm of the sum of exp(-SSE / (2 variance)) over the partitions examined: if those are not all, a lower
        bound of the logarithm of the whole sum.
    log_sum_upper : float
        The whole sum is not above exp of this. Equal to `log_sum` when all partitions were examined.
    log_evidence : float
        Logarithm of the average, over all partitions (a uniform prior), of the density of the rows when each is
        normal around the mean of its cluster (centers at their most likely values, not integrated out) with this
        variance in each feature: log_sum - log(number of partitions) - W n_features log(2 pi variance) / 2, where W
        is the sum of the weights: a weight counts how often a row was seen. A lower bound if `log_sum` is.
    error : float
        Bound on the absolute error of the logarithms that is due to rounding in the scores.
    together : ndarray of shape (n_samples, n_samples), float64
        Posterior probability that two rows are in the same cluster. NaN unless all partitions were examined: those
        that come first in lexicographic order are no fair sample.
    best : ExhaustiveSolution
        The most probable partition.
    n_partitions : int
        Partitions in `log_sum`.
    status : {"complete", "bounded"}
        Whether these are all.
    stop_reason : {"finished", "time_limit", "interrupted"}

    Examples
    --------
    >>> posterior = partition_posterior([[0.0], [1.0], [5.0]], 2, variance=1.0)
    >>> posterior.n_partitions, posterior.status, posterior.best.labels.tolist()
    (4, 'complete', [0, 0, 1])
    """

    log_sum: float
    log_sum_upper: float
    log_evidence: float
    error: float
    together: NDArray[np.float64]
    best: ExhaustiveSolution
    n_partitions: int
    status: str
    stop_reason: str

    def _repr_html_(self) -> str:
        facts = {
            "log evidence": borne(self.log_evidence, self.error, 10),
            "partitions": format_count(self.n_partitions),
            "most probable": f"inertia {self.best.inertia:.10g}, {self.best.status}",
            "stopped": "" if self.status == "complete" else self.stop_reason.replace("_", " "),
        }
        least = "all of them" if self.status == "complete" else "not all of them: bounds"
        return as_html(f"The sum over {format_count(self.n_partitions)} partitions, {least}", facts=facts)


def count_partitions(n_samples: int, n_clusters: int) -> int:
    """Number of partitions of n_samples rows into at most n_clusters non-empty clusters.

    Parameters
    ----------
    n_samples, n_clusters : int
        Both >= 0.

    Returns
    -------
    int
        The sum of the Stirling numbers of the second kind.

    Raises
    ------
    TypeError, ValueError
        For anything but whole numbers of at least 0.

    References
    ----------
    Knuth (2011), The Art of Computer Programming 4A, section 7.2.1.5.

    Examples
    --------
    >>> count_partitions(30, 2)
    536870912
    """
    n_samples, n_clusters = check_whole("n_samples", n_samples, 0), check_whole("n_clusters", n_clusters, 0)
    return count_labellings(n_samples, 0, n_clusters)


def estimated_seconds(
    n_samples: int,
    n_features: int,
    n_clusters: int,
    *,
    n_threads: int | None = None,
    weighted: bool = False,
    posterior: bool = False,
) -> float:
    """About how long `exhaustive_search` (or `partition_posterior`) will take: good to a factor of 3.

    Meant for a core of 2023 to itself, whichever instruction set it has.

    Parameters
    ----------
    n_samples, n_features, n_clusters : int
        Shape of the problem.
    n_threads : int or None
        Threads to use; None for as many as there are processors. More than these do not help.
    weighted : bool
        Whether the rows have unequal weights.
    posterior : bool
        Whether it is the sum over all partitions that is wanted.

    Returns
    -------
    float
        Seconds; inf where the number of partitions is beyond the floats.

    Raises
    ------
    TypeError, ValueError
        For numbers of rows or clusters that are no whole numbers of at least 0.

    Examples
    --------
    >>> estimated_seconds(30, 2, 2, n_threads=2) < 1
    True
    """
    n_coefs = number_of_coefs(n_features, n_clusters, True)
    seconds = seconds_each(n_features, n_clusters, n_coefs, weighted)
    if posterior:
        seconds += seconds_each(n_features, n_clusters, n_coefs, weighted, True)
    try:
        return (
            count_partitions(n_samples, n_clusters) * seconds / min(n_threads or math.inf, available_cpus())
        )
    except OverflowError:
        return math.inf


class _Progress:
    """Calls progress(fraction) at most every 0.1 s, and at the end."""

    def __init__(self, progress):
        self.progress, self.last = progress, monotonic()

    def __call__(self, fraction):
        if self.progress is not None and (fraction == 1 or monotonic() - self.last >= 0.1):
            self.last = monotonic()
            self.progress(fraction)


def _distinct(X):
    """Labels that give each different row a cluster of its own, in order of appearance, and how many there are."""
    seen = {}
    return np.array([seen.setdefault(tuple(row), len(seen)) for row in X.tolist()], np.int32), len(seen)


def _solve(X, weights, k, workers, report):
    """The best partition of all rows."""
    heavy = np.flatnonzero(weights > 0)
    rows, own = np.ascontiguousarray(X[heavy]), weights[heavy]
    labels, n_distinct = _distinct(rows)
    if n_distinct <= k or k == 1:
        exact, n_done, lower, proved, stop_reason = ExactRows(rows, own), 0, Fraction(0), True, "proved"
        if n_distinct > k:
            labels, n_done = np.zeros(len(rows), np.int32), 1
            lower = exact.cost(labels)
    else:
        search = Search(rows, own, k, workers)
        stop_reason = search.run(report)
        exact, n_done, labels = search.exact, search.n_done, search.labels
        lower, proved = search.lower, search.proved
    means = exact.centers(labels)
    centers = np.array([means.get(c, means[0]) for c in range(k)])
    full = np.empty(len(X), np.int32)
    full[heavy] = labels
    for i in np.flatnonzero(weights == 0):  # costs nothing anywhere: its nearest center
        points = np.array([X[i], *centers])
        points = np.ldexp(points, -1 - np.frexp(np.max(np.abs(points)))[1])
        full[i] = np.argmin(np.sum((points[0] - points[1:]) ** 2, axis=1))
    return ExhaustiveSolution(
        labels=full,
        centers=centers,
        inertia=float_up(exact.cost(labels)),
        lower_bound=float_down(lower),
        status="optimal" if proved else "bounded",
        stop_reason=stop_reason,
        n_partitions=n_done,
    )


@usual
def exhaustive_search(
    X: ArrayLike,
    n_clusters: int,
    *,
    sample_weight: ArrayLike | None = None,
    time_limit: float | None = None,
    n_threads: int | None = None,
    progress: Callable[[float], object] | None = None,
) -> ExhaustiveSolution:
    """The best of all partitions of the rows into at most n_clusters clusters.

    Every partition is looked at, once, in double precision with a bound on its error; those within the error of the
    best are compared in exact arithmetic. So the result is optimal for the float64 numbers given, not to a tolerance.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite real numbers.
    n_clusters : int
        1 to n_samples.
    sample_weight : array-like of shape (n_samples,) or None
        Weights >= 0, not all zero. A row of weight zero costs nothing anywhere: it takes no part in the search and gets
        the label of the nearest center.
    time_limit : float or None
        Seconds after which the best partition so far is returned.
    n_threads : int or None
        Threads to use; None for as many as there are processors. The result does not depend on it.
    progress : callable or None
        Called as progress(fraction) about every 0.1 s with the share of the partitions that is done.

    Returns
    -------
    ExhaustiveSolution
        With status "optimal" and stop_reason "proved" it is the first of the best partitions in lexicographic order of
        the labels (restricted growth strings), `inertia` and `lower_bound` are its exact cost rounded up and down, and
        `centers` its means, correctly rounded. Where fewer than n_clusters clusters are used, the centers left over
        repeat the first.

        A search that ended early has status "bounded", the best of the `n_partitions` examined and lower_bound 0; its
        stop_reason is "time_limit", or "interrupted" after Ctrl-C: the KeyboardInterrupt is not raised again, that is
        left to the caller. A complete search in which too many partitions are too close to
        each other to be compared exactly has status "bounded" and stop_reason "ties"; its lower_bound is rigorous.

    Raises
    ------
    ValueError
        For input that is not as described, and when the search is estimated to take more than a day and there is no
        time_limit.

    References
    ----------
    .. [1] D. E. Knuth, The Art of Computer Programming, volume 4A, 2011, section 7.2.1.5.

    Examples
    --------
    >>> solution = exhaustive_search([[0.0], [1.0], [5.0], [7.0]], 2)
    >>> solution.labels.tolist(), solution.inertia, solution.status, solution.n_partitions
    ([0, 0, 1, 1], 2.5, 'optimal', 8)
    """
    X, weights, k = _checked(X, n_clusters, sample_weight, time_limit, n_threads)
    if time_limit is None:
        _refuse_hopeless(X, weights, k, n_threads, posterior=False)
    count, meter = count_partitions(np.count_nonzero(weights), k), _Progress(progress)
    with Workers(n_threads, time_limit) as workers:
        return _solve(X, weights, k, workers, lambda done: meter(done / count))


@usual
def partition_posterior(
    X: ArrayLike,
    n_clusters: int,
    variance: float,
    *,
    sample_weight: ArrayLike | None = None,
    time_limit: float | None = None,
    n_threads: int | None = None,
    progress: Callable[[float], object] | None = None,
) -> PartitionPosterior:
    """The sum of exp(-SSE / (2 variance)) over all partitions, and the probability of each pair of rows.

    Local search finds one partition; the posterior weighs them all: with a uniform prior over the partitions into at
    most n_clusters clusters and rows that are normal around the mean of their cluster, with the given variance in each
    feature, a partition has probability proportional to exp(-SSE / (2 variance)). The best partition is found first
    and all terms are relative to it, so nothing overflows.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite real numbers.
    n_clusters : int
        1 to n_samples.
    variance : float
        Variance of each feature within a cluster, > 0, in squared units of X.
    sample_weight : array-like of shape (n_samples,) or None
        Weights > 0, counting how often a row was seen.
    time_limit : float or None
        Seconds after which the sum so far is returned.
    n_threads : int or None
        Threads to use; None for as many as there are processors. The result does not depend on it.
    progress : callable or None
        Called as progress(fraction) about every 0.1 s with the share of the work that is done.

    Returns
    -------
    PartitionPosterior
        After a time limit or Ctrl-C (which is not raised again: see `stop_reason`) its status is "bounded", `log_sum`
        and `log_evidence` are lower bounds and `together` is NaN.

    Raises
    ------
    ValueError
        For input that is not as described, for a variance so small that rounding errors decide, and when the sum
        is estimated to take more than a day and there is no time_limit.

    References
    ----------
    .. [1] D. E. Knuth, The Art of Computer Programming, volume 4A, 2011, section 7.2.1.5.

    Examples
    --------
    >>> posterior = partition_posterior([[0.0], [1.0], [5.0], [7.0]], 2, variance=1.0)
    >>> posterior.together.round(3)[0].tolist()
    [1.0, 1.0, 0.003, 0.0]
    """
    X, weights, k = _checked(X, n_clusters, sample_weight, time_limit, n_threads)
    variance = check_number("variance", variance, strict=True)
    if not weights.all():
        raise ValueError(
            f"sample_weight[{np.argmin(weights)}] is 0: a row without weight has no part in the posterior; drop it."
        )
    if time_limit is None:
        _refuse_hopeless(X, weights, k, n_threads, posterior=True)
    walk, scale, error = _summing_walk(X, weights, k, variance)
    count = walk.n_partitions
    search, both = (
        estimated_seconds(1, walk.d, k, weighted=weights.min() != weights.max(), posterior=posterior)
        for posterior in (False, True)
    )
    share, meter = search / both, _Progress(progress)
    sums = Sums(walk, float(scale))
    with Workers(n_threads, time_limit) as workers:
        best = _solve(X, weights, k, workers, lambda done: meter(share * (done / count)))
        if best.stop_reason in ("time_limit", "interrupted"):
            stop_reason = best.stop_reason
        else:
            stop_reason = sums.run(
                workers, best.labels, lambda done: meter(1 - (1 - share) * ((count - done) / count))
            )
    if best.inertia == math.inf:
        raise ValueError(
            "The least cost is beyond the largest float: divide X by a power of ten, variance by its square."
        )
    return _posterior(sums, best, variance, float(weights.sum()), error, stop_reason)


def _summing_walk(X, weights, k, variance):
    """The walk over all partitions, the factor from its costs to exponents, and a bound on the error of an exponent."""
    y, scaled, factor = scaled_rows(X, weights)
    walk = Walk(y, scaled, k, summing=True)
    scale = factor / (2 * Fraction(variance))
    error = float_up(2 * Fraction(walk.margin) * scale)
    if error > 1:
        least = float_up(Fraction(walk.margin) * factor)
        remedy = (
            f"use a variance above {1.01 * least:.3g}" if least < math.inf else "divide X by a power of ten"
        )
        raise ValueError(
            f"variance={variance:g} is too small for these rows: rounding errors reach {error:.3g} in the exponents;"
            f" {remedy}, or exhaustive_search, which is the limit of variance 0."
        )
    return walk, scale, error


def _posterior(sums, best, variance, weight, error, stop_reason):
    """What follows from the sum over the partitions that were examined, and the best one; `weight` is that of all rows."""
    walk, count = sums.walk, sums.walk.n_partitions
    complete = sums.n_done == count
    exponent = -float(Fraction(best.inertia) / (2 * Fraction(variance)))
    log_sum = exponent + (math.log(sums.total) if sums.total > 0 else 0.0)
    log_upper = log_sum
    if not complete:
        rest = math.log(count - sums.n_done) - float(Fraction(best.lower_bound) / (2 * Fraction(variance)))
        log_upper = float(np.logaddexp(log_sum if sums.total > 0 else -math.inf, rest))
    constant = math.log(count) + weight * walk.d / 2 * (math.log(2 * math.pi) + math.log(variance))
    return PartitionPosterior(
        log_sum=log_sum,
        log_sum_upper=log_upper,
        log_evidence=log_sum - constant,
        error=error,
        together=sums.together() if complete else np.full((walk.n, walk.n), np.nan),
        best=best,
        n_partitions=sums.n_done,
        status="complete" if complete else "bounded",
        stop_reason=stop_reason,
    )


# Input.


def _checked(X, n_clusters, sample_weight, time_limit, n_threads):
    """X and weights as float64, C-contiguous, and n_clusters as an int; the first thing wrong raises ValueError."""
    if hasattr(X, "toarray"):
        raise ValueError("X is sparse, which exhaustive search is not for: give X.toarray().")
    X = check_matrix(X)
    weights = check_weights(sample_weight, len(X))
    k = check_n_clusters(n_clusters, len(X))
    if k > MAX_CLUSTERS:
        raise ValueError(
            f"n_clusters={k} exceeds {MAX_CLUSTERS}, the most for exhaustive search: use ckmeans.KMeans."
        )
    check_number("time_limit", time_limit, none=True)
    check_whole("n_threads", n_threads, 1, none=True)
    return X, np.ones(len(X)) if weights is None else weights, k


def _refuse_hopeless(X, weights, k, n_threads, posterior):
    n, d = np.count_nonzero(weights), X.shape[1]
    weighted = weights[weights > 0].min() != weights.max()
    if k == 1 or not posterior and _distinct(X[weights > 0])[1] <= k:
        return
    seconds = estimated_seconds(n, d, k, n_threads=n_threads, weighted=weighted, posterior=posterior)
    if seconds > MAX_SECONDS:
        count = count_partitions(n, k)
        raise ValueError(
            f"{n} rows have {_power(count)} partitions into at most {k} clusters; to try them all would take about"
            f" {_duration(seconds)}, more than a day. Use ckmeans.KMeans, take fewer rows or clusters, or set"
            " time_limit to get the best partition found until then."
        )


def _power(count):
    return f"{count:,}" if count < 10**15 else f"about 10^{round(count.bit_length() * math.log10(2))}"


def _duration(seconds):
    days = seconds / 86_400
    if days < 365:
        return f"{days:.1f} days"
    return f"{days / 365.25:.2g} years" if days < math.inf else "10^300 years and more"
