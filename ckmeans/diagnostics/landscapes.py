"""The landscape of local minima: where many starts end, how often, and how far from the best that is."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arithmetic import usual
from ..local.random_stream import RandomStream
from ..local.restarts import STARTS
from ..local.search import local_search
from ..local.stopping import SAME
from ..proofs.certificate import Certificate
from ..validation import (
    check_centers,
    check_flag,
    check_matrix,
    check_n_clusters,
    check_number,
    check_seed,
    check_weights,
    check_whole,
)
from ..workers import Expired, Workers
from .intervals import seen_interval, unseen_interval
from .landscape_words import html_of, text_of
from .minima import FixedPointSearch, LloydRuns, Minima, TooManyFixedPoints, add_all

# exhaustive="auto" looks through all partitions where there are no more than this: it takes less than a second.
MOST_PARTITIONS = 1 << 22
# With more rows than this, exhaustive="auto" does not count the distinct ones.
MOST_ROWS = 4096
# Sums of squares are the same if they differ by less than this share.
ROUNDING = 1e-12
# With more minima than this, adjusted_rand does not compare all pairs of them.
MOST_PAIRED = 4096


@usual
@dataclass(frozen=True, eq=False)
class Landscape:
    """The local minima that Lloyd's iteration was seen to end in, the best first.

    Attributes
    ----------
    labels : ndarray of shape (n_minima, n_samples), int32
        The partitions, each numbered in the order of its first rows.
    centers : ndarray of shape (n_minima, n_clusters, n_features), float64
        Their means.
    inertia : ndarray of shape (n_minima,), float64
        In squared units of X, ascending.
    counts : ndarray of shape (n_minima,), int64
        Starts that ended there. 0 for what only the enumeration found.
    n_iter : ndarray of shape (n_minima,), float64
        Updates of the centers on the way there, on average; NaN where no start went.
    n_movable : ndarray of shape (n_minima,), int64
        Rows whose move to another cluster, all others staying, would lower the inertia.
    ends : ndarray of shape (n_starts,), int64
        For each start, in their order, the minimum it came to.
    lower_bound : float
        No clustering into as many clusters costs less; 0.0 if nothing is known.
    proved : bool
        Whether the best minimum is proved to be the best of all partitions: exactly, by a certificate.
    complete : bool
        Whether every fixed point of Lloyd's iteration is listed, because all partitions were looked through.
    stop_reason : {"finished", "time_limit", "interrupted"}
    bound_from : {"nothing", "caller", "proof", "unchecked proof"}
        Where the lower bound is from; "proof" is one that the checker has accepted.
    kmeans_inertia : float
        What ``KMeans(n_clusters, random_state=random_state)`` finds; NaN if there was no time for it.

    Notes
    -----
    Chances are for starts of the same kind, each independent of the others. Intervals have a confidence of 95 %, and what is
    said of restarts is on the safe side of them. That of the best minimum is Clopper and Pearson's, given that it was seen:
    the best of those seen is only known because some start came to it, so that a single hit does not tell how rare it is.

    References
    ----------
    Clopper & Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika
    26:404-413, doi:10.1093/biomet/26.4.404. Good (1953), "The population frequencies of species and the estimation of
    population parameters", Biometrika 40:237-264, doi:10.1093/biomet/40.3-4.237. Esty (1983), "A normal limit law for a
    nonparametric estimator of the coverage of a random sample", Annals of Statistics 11:905-912,
    doi:10.1214/aos/1176346256. Hubert & Arabie (1985), "Comparing partitions", J. Classification 2:193-218,
    doi:10.1007/BF01908075.

    Examples
    --------
    >>> minima = landscape([[0.0], [1.0], [5.0], [6.0]], 2, random_state=0)
    >>> len(minima), minima.inertia.tolist(), minima.complete
    (1, [1.0], True)
    """

    labels: NDArray[np.int32] = field(repr=False)
    centers: NDArray[np.float64] = field(repr=False)
    inertia: NDArray[np.float64]
    counts: NDArray[np.int64]
    n_iter: NDArray[np.float64]
    n_movable: NDArray[np.int64]
    ends: NDArray[np.int64] = field(repr=False)
    lower_bound: float
    proved: bool
    complete: bool
    stop_reason: str
    bound_from: str = "caller"
    kmeans_inertia: float = math.nan

    @property
    def n_starts(self) -> int:
        """Starts made."""
        return len(self.ends)

    @property
    def n_clusters(self) -> int:
        return self.centers.shape[1]

    def __len__(self) -> int:
        """Number of minima."""
        return len(self.inertia)

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the starts made that ended in each minimum, of shape (n_minima,)."""
        return self.counts / self.n_starts

    @property
    def excess(self) -> NDArray[np.float64]:
        """How far each inertia is above the best one seen, as a share of that, of shape (n_minima,)."""
        return _above(self.inertia, self.inertia[0])

    @property
    def excess_over_bound(self) -> NDArray[np.float64]:
        """How far each inertia is, at most, above the best possible one, as a share of the bound, to 1e-12; inf without one."""
        return _above(self.inertia, self.lower_bound)

    @property
    def exchange_optimal(self) -> NDArray[np.bool_]:
        """Whether no move of a single row would lower the inertia (Hartigan), of shape (n_minima,)."""
        return self.n_movable == 0

    # ---- how many restarts

    @property
    def n_hits(self) -> int:
        """Starts that ended in the best minimum of those seen, or in one as good to a relative 1e-9."""
        return int(self.counts[self.inertia <= self.inertia[0] * (1 + SAME)].sum())

    @property
    def hit_rate(self) -> float:
        """Share of the starts made that ended in the best minimum of those seen, or in one as good to a relative 1e-9."""
        return self.n_hits / self.n_starts

    @cached_property
    def hit_interval(self) -> tuple[float, float]:
        """Limits, with a confidence of 95 %, of the chance that a start ends in a minimum as good as the best of those seen."""
        low, high = seen_interval(self.n_hits, self.n_starts)
        return float(low), float(high)

    def chance(self, n_restarts: ArrayLike) -> NDArray[np.float64]:
        """The chance, at least, that `n_restarts` restarts find a minimum as good as the best of those seen: 1 - (1 - low)**n_restarts.

        With ``low, high = hit_interval``: the counts bear no greater one. 0 where the best was hit once, or by no start.

        Parameters
        ----------
        n_restarts : array-like of ints

        Returns
        -------
        ndarray of float64, of the same shape
        """
        return 1 - (1 - self.hit_interval[0]) ** np.asarray(n_restarts)

    def restarts_needed(self, chance: float = 0.99) -> float:
        """A number of restarts that is enough to find a minimum as good as the best of those seen with this chance.

        The least one that is enough if a start finds it with the lower limit of `hit_interval`; inf where the counts tell of
        none that is, as where the best was hit once.

        Parameters
        ----------
        chance : float
            Above 0 and below 1.

        Raises
        ------
        ValueError, TypeError
        """
        return self.restarts_interval(chance)[1]

    def restarts_interval(self, chance: float = 0.99) -> tuple[float, float]:
        """The least numbers of restarts that find it with this chance, for either limit of `hit_interval`: fewest and most.

        Parameters
        ----------
        chance : float
            Above 0 and below 1.

        Raises
        ------
        ValueError, TypeError
        """
        chance = check_number("chance", chance, strict=True)
        if chance >= 1:
            raise ValueError(f"chance={chance} is out of range: give a number below 1, such as 0.99.")
        low, high = self.hit_interval
        return _restarts(high, chance), _restarts(low, chance)

    @property
    def unseen_mass(self) -> float:
        """Estimate of the chance that one more start ends in a minimum no start has come to (Good): the share of those seen once."""
        return float((self.counts == 1).sum() / self.n_starts)

    @cached_property
    def unseen_interval(self) -> tuple[float, float]:
        """Limits of that chance, with a confidence of 95 %."""
        return unseen_interval(self.ends, self.counts)

    # ---- how different

    def agreement(self, i: int) -> NDArray[np.float64]:
        """The adjusted Rand index of every minimum with minimum i, of shape (n_minima,): 1 for the same, about 0 by chance."""
        k, own = self.n_clusters, self.labels[i].astype(np.int64) * self.n_clusters
        pairs = np.array([_pairs(np.bincount(own + other, minlength=k * k)) for other in self.labels])
        sizes = self._pairs_within
        expected = sizes * sizes[i] / max(1.0, _pairs(np.array([self.labels.shape[1]])))
        most = (sizes + sizes[i]) / 2
        return np.where(
            most == expected, 1.0, (pairs - expected) / np.where(most == expected, 1.0, most - expected)
        )

    @cached_property
    def _pairs_within(self):
        """Pairs of rows that are in the same cluster."""
        return np.array([_pairs(np.bincount(own, minlength=self.n_clusters)) for own in self.labels])

    @cached_property
    def adjusted_rand(self) -> NDArray[np.float64]:
        """The adjusted Rand index of all pairs of minima, of shape (n_minima, n_minima).

        Raises
        ------
        ValueError
            For more than 4096 minima: `agreement` compares one with all.
        """
        if len(self) > MOST_PAIRED:
            raise ValueError(
                f"{len(self)} minima are more than {MOST_PAIRED}: compare one with all, by agreement(i)."
            )
        return np.array([self.agreement(i) for i in range(len(self))])

    def __str__(self) -> str:
        return text_of(self)

    def _repr_html_(self) -> str:
        return html_of(self)


def _restarts(chance_of_one, chance):
    """The least number of restarts that gives success the wanted chance; inf if none does."""
    if chance_of_one in (0, 1):
        return 1.0 if chance_of_one else math.inf
    least = max(1, round(math.log1p(-chance) / math.log1p(-chance_of_one)) - 1)
    enough = (r for r in range(least, least + 4) if 1 - (1 - chance_of_one) ** r >= chance * (1 - 1e-12))
    return float(next(enough, least + 4))


def _above(values, least):
    """By which share values are above the least; inf where that is 0 and they are not."""
    if least == 0:
        return np.where(values > 0, np.inf, 0.0)
    above = (values - least) / least
    return np.where(above > ROUNDING, above, 0.0)


def _pairs(sizes):
    """Pairs within groups."""
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


@usual
def landscape(
    X: ArrayLike,
    n_clusters: int,
    n_starts: int = 1000,
    *,
    sample_weight: ArrayLike | None = None,
    init: str | ArrayLike = "k-means++",
    certificate: Certificate | None = None,
    lower_bound: float | None = None,
    exhaustive: bool | str = "auto",
    max_seconds: float | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    n_threads: int | None = None,
    progress: Callable[[int, float], object] | None = None,
) -> Landscape:
    """Where Lloyd's iteration gets stuck, how often, and how far from the best that is.

    Many starts are made, each followed to a fixed point of Lloyd's iteration, without exchanges or swaps: what a
    plain k-means program does. Where there are few partitions all of them are looked through, so that every fixed point
    is listed, also where no start came to it.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite real numbers.
    n_clusters : int
        1 to n_samples.
    n_starts : int
        With init="k-means++" or another word they are those of
        ``KMeans(n_clusters, init=init, n_init=n_starts, polish=False, random_state=random_state)``.
    sample_weight : array-like of shape (n_samples,) or None
        Weights >= 0, not all zero.
    init : {"k-means++", "plain k-means++", "k-means||", "random"} or array-like of shape (n_starts, n_clusters, n_features)
        As for `KMeans`, or the centers of every start; `n_starts` is then their number.
    certificate : Certificate or None
        What `certify` found for these data and at least as many clusters: its bound is taken, and what it proved.
    lower_bound : float or None
        Instead of a certificate, a bound that is known: no clustering costs less.
    exhaustive : "auto" or bool
        Whether to look through all partitions; "auto" does if they are at most 4,194,304 and no more than 65,536 are fixed
        points. With one feature only cuts of the sorted values can be fixed points, which are fewer.
    max_seconds : float or None
        Time limit. At least one start is made.
    random_state : int, RandomState, Generator or None
        Seed of the starts.
    n_threads : int or None
        Number of threads, which changes nothing in the result; None for as many as there are processors.
    progress : callable(n_starts, inertia) or None
        Called now and then with the starts so far and the best inertia.

    Returns
    -------
    Landscape
        The minima, best first, and what follows from how often each was found. When the time is up, and on Ctrl-C (which is
        not raised again once there is a start), those of the starts made until then.

    Raises
    ------
    ValueError, TypeError
        For data and parameters that are not as described, a certificate of other data, or more fixed points than
        can be listed with exhaustive=True.

    Notes
    -----
    A partition is a fixed point of Lloyd's iteration ("at rest") if no row is nearer to the mean of another cluster than to
    that of its own, and the clusters can be numbered so that rows that are as near to another stay: ties go to the lowest
    number. Whether such a partition is a minimum for moves of single rows too is told by `exchange_optimal`.

    References
    ----------
    Steinley (2006), "Profiling local optima in K-means clustering: developing a diagnostic technique", Psychological Methods
    11:178-192, doi:10.1037/1082-989X.11.2.178.

    Examples
    --------
    >>> from ckmeans import landscape
    >>> X = [[0.0, 0.0], [0.0, 2.0], [3.0, 0.0], [3.0, 2.0]]
    >>> found = landscape(X, 2, 100, random_state=0)
    >>> found.inertia, found.complete, found.exchange_optimal
    (array([4., 9.]), True, array([ True, False]))
    >>> found.labels
    array([[0, 0, 1, 1],
           [0, 1, 0, 1]], dtype=int32)
    """
    X = check_matrix(X)
    weights = check_weights(sample_weight, len(X))
    n_clusters = check_n_clusters(n_clusters, len(X))
    if isinstance(init, str):
        if init not in STARTS:
            raise ValueError(f"init={init!r} is none of {', '.join(STARTS)}: give one of these, or centers.")
    else:
        init = np.array([check_centers(start, n_clusters, X.shape[1]) for start in init])
        n_starts = len(init)
    n_starts = check_whole("n_starts", n_starts, 1)
    if exhaustive != "auto":
        exhaustive = check_flag("exhaustive", exhaustive)
    max_seconds = check_number("max_seconds", max_seconds, none=True)
    n_threads = check_whole("n_threads", n_threads, 1, none=True)
    bound, bound_from = _bound(X, n_clusters, weights, certificate, lower_bound)
    random_state = check_seed(random_state)
    random_state = np.random.default_rng() if random_state is None else random_state
    minima, complete, stop_reason, begin = Minima(n_clusters), False, "finished", monotonic()
    with Workers(n_threads, max_seconds) as workers:
        runs = LloydRuns(X, n_clusters, weights, init, RandomStream(random_state), workers, minima)
        try:
            runs.run(n_starts, progress)
            complete = _enumerate(X, n_clusters, weights, exhaustive, workers, minima, runs.rows)
        except Expired:
            stop_reason = "time_limit"
        except KeyboardInterrupt:
            if not minima.ends:
                raise
            stop_reason = "interrupted"
    default = math.nan
    if stop_reason == "finished":
        left = None if max_seconds is None else max(0.0, max_seconds - (monotonic() - begin))
        try:
            found = local_search(
                X, n_clusters, sample_weight=weights, rng=random_state, max_seconds=left, n_threads=n_threads
            )
            default = found.inertia if found.stop_reason == "converged" else math.nan
            stop_reason = "interrupted" if found.stop_reason == "interrupted" else "finished"
        except KeyboardInterrupt:  # while its result was put together
            stop_reason = "interrupted"
    known = {"lower_bound": bound, "bound_from": bound_from, "complete": complete, "kmeans_inertia": default}
    return _sorted(minima, certificate, **known, stop_reason=stop_reason)


def _bound(X, n_clusters, weights, certificate, lower_bound):
    """The lower bound, and where it is from."""
    if certificate is None:
        bound = check_number("lower_bound", 0.0 if lower_bound is None else lower_bound)
        return bound, "caller" if bound > 0 else "nothing"
    if lower_bound is not None:
        raise ValueError("certificate and lower_bound are both given: give one of them.")
    if certificate.n_clusters < n_clusters:
        raise ValueError(
            f"the certificate is for at most {certificate.n_clusters} clusters, n_clusters is {n_clusters}: certify that many."
        )
    if not certificate.problem.is_of(X, weights):
        raise ValueError("the certificate is of other data or weights: certify these.")
    certificate = certificate.better or certificate
    if certificate.lower_bound <= 0:
        return 0.0, "nothing"
    return certificate.lower_bound, "proof" if certificate.checked else "unchecked proof"


def _is_least(labels, certificate):
    """Whether labels cost what the checker accepted that no clustering is below, exactly."""
    certificate = certificate.better or certificate
    return bool(certificate.checked and certificate.problem.cost(labels) <= certificate.exact_lower_bound)


def _enumerate(X, n_clusters, weights, exhaustive, workers, minima, rows):
    """Add what no start came to, if there are few partitions; returns whether that was done."""
    if exhaustive is False or exhaustive == "auto" and len(X) > MOST_ROWS:
        return False
    search = FixedPointSearch(X, n_clusters, weights)
    if exhaustive == "auto" and search.n_partitions > MOST_PARTITIONS:
        return False
    try:
        search.run(workers)
    except TooManyFixedPoints:
        if exhaustive is True:
            raise ValueError(
                f"more than 65536 of the {search.n_partitions} partitions are at rest: give exhaustive=False."
            ) from None
        return False
    add_all(minima, rows, search)
    return True


def _sorted(minima, certificate, **known):
    """The result: minima by inertia, and by labels where that is equal."""
    labels, found = minima.labels(), minima.found.values()
    inertia = np.array([minimum.inertia for minimum in found])
    if inertia.max() == np.inf:
        raise ValueError(
            "Some costs are beyond the largest float, so that none is the best: divide X by a power of ten."
        )
    order = np.array(sorted(range(len(found)), key=lambda i: (inertia[i], labels[i].tobytes())), np.intp)
    ends, n_iter = np.array(minima.ends, np.int64).T
    ends = np.argsort(order)[ends]
    counts = np.bincount(ends, minlength=len(order))
    with np.errstate(invalid="ignore"):
        n_iter = np.bincount(ends, weights=n_iter, minlength=len(order)) / counts
    inertia = inertia[order]
    return Landscape(
        labels=labels[order],
        centers=np.array([minimum.centers for minimum in found])[order],
        inertia=inertia,
        counts=counts,
        n_iter=n_iter,
        n_movable=np.array([minimum.n_movable for minimum in found])[order],
        ends=ends,
        proved=certificate is not None and _is_least(labels[order[0]].tolist(), certificate),
        **known,
    )
