"""The landscape of local minima: where many starts end, how often, and how far from the best that is."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .certificate import Certificate
from .chance import Numbers
from .checks import (
    check_centers,
    check_flag,
    check_matrix,
    check_n_clusters,
    check_number,
    check_weights,
    check_whole,
)
from .minima import Descents, Everything, Minima, TooMany, add_all
from .restarts import STARTS
from .rules import SAME
from .workers import Expired, Workers

MOST_PARTITIONS = 1 << 22  # that are looked through unasked: in less than a second
MOST_ROWS = 4096  # with more of them nobody asks how many are distinct
MOST_PAIRED = 4096  # minima, of which all pairs are compared


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
        No clustering into as many clusters costs less: proved, where a certificate said so; 0.0 if nothing is known.
    proved : bool
        Whether the best minimum is proved to be the best of all partitions.
    complete : bool
        Whether every partition at which Lloyd's iteration rests is listed, because all partitions were looked through.
    stop_reason : {"finished", "time_limit", "interrupted"}

    References
    ----------
    Good (1953), "The population frequencies of species and the estimation of population parameters", Biometrika
    40:237-264, doi:10.1093/biomet/40.3-4.237. Hubert & Arabie (1985), "Comparing partitions", J. Classification 2:193-218,
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
        """Share of the starts that end in each minimum, of shape (n_minima,): the size of its basin."""
        return self.counts / self.n_starts

    @property
    def excess(self) -> NDArray[np.float64]:
        """How far each inertia is above the best one, as a share of that, of shape (n_minima,)."""
        return _above(self.inertia, self.inertia[0])

    @property
    def excess_over_bound(self) -> NDArray[np.float64]:
        """How far each inertia is, at most, above the best possible one, as a share of the bound; inf without a bound."""
        return _above(self.inertia, self.lower_bound)

    @property
    def exchange_optimal(self) -> NDArray[np.bool_]:
        """Whether no move of a single row would lower the inertia (Hartigan), of shape (n_minima,)."""
        return self.n_movable == 0

    # ---- how many restarts

    @property
    def hit_rate(self) -> float:
        """Share of the starts that ended in the best minimum, or in one as good to a relative 1e-9."""
        return float(self.counts[self.inertia <= self.inertia[0] * (1 + SAME)].sum() / self.n_starts)

    def chance(self, n_restarts: ArrayLike) -> NDArray[np.float64]:
        """The chance that so many restarts find the best minimum of those seen: 1 - (1 - hit_rate)**n_restarts.

        Parameters
        ----------
        n_restarts : array-like of ints

        Returns
        -------
        ndarray of float64, of the same shape
        """
        return 1 - (1 - self.hit_rate) ** np.asarray(n_restarts)

    def restarts_needed(self, chance: float = 0.99) -> float:
        """The least number of restarts that find the best minimum of those seen with this chance; inf if no start did.

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
        if self.hit_rate == 0:
            return math.inf
        if self.hit_rate == 1:
            return 1.0
        least = max(1, round(math.log1p(-chance) / math.log1p(-self.hit_rate)) - 1)
        return float(next(r for r in range(least, least + 4) if self.chance(r) >= chance * (1 - 1e-12)))

    @property
    def unseen_mass(self) -> float:
        """Chance that one more start ends in a minimum no start has come to: the share of minima seen once (Good-Turing)."""
        return float((self.counts == 1).sum() / self.n_starts)

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

    # ---- in words

    def __str__(self) -> str:
        n, shown = len(self), min(len(self), 10)
        what = "every partition at rest is listed" if self.complete else "those that were seen"
        lines = [
            f"{self.n_starts} starts, {self.n_clusters} clusters of {self.labels.shape[1]} rows: "
            f"{n} local {'minimum' if n == 1 else 'minima'} ({what})",
            "",
            "minimum      inertia   excess  over bound   share  updates  movable rows  Rand to best",
        ]
        agreement = self.agreement(0)
        for i in range(shown):
            over = f"{100 * self.excess_over_bound[i]:9.3g}%" if self.lower_bound > 0 else f"{'-':>10}"
            n_iter = f"{self.n_iter[i]:7.1f}" if self.counts[i] else f"{'-':>7}"
            lines.append(
                f"{i:7} {self.inertia[i]:12.8g} {100 * self.excess[i]:7.3g}% {over} {100 * self.share[i]:7.3g}% {n_iter}"
                f" {self.n_movable[i]:13} {agreement[i]:13.3f}"
            )
        if shown < n:
            lines.append(f"    ... {n - shown} more, up to an excess of {100 * self.excess[-1]:.3g}%")
        needed = self.restarts_needed()
        lines += [
            "",
            f"best minimum   {'proved to be the best of all partitions' if self.proved else 'the best that was seen'}",
            f"restarts       {needed:.0f} find it with a chance of 99%"
            if needed < math.inf
            else "restarts       no start found it",
            f"not yet seen   the next start ends in a new minimum with a chance of about {100 * self.unseen_mass:.1f}%",
        ]
        if self.stop_reason != "finished":
            lines.append(f"stopped        {self.stop_reason.replace('_', ' ')} after {self.n_starts} starts")
        return "\n".join(lines)


def _above(values, least):
    """By which share values are above the least; inf where that is 0 and they are not."""
    if least == 0:
        return np.where(values > 0, np.inf, 0.0)
    return np.maximum(0.0, (values - least) / least)


def _pairs(sizes):
    """Pairs within groups."""
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1)).sum() / 2)


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

    Many starts are made, each followed to the partition at which Lloyd's iteration rests, without exchanges or swaps: what a
    plain k-means program does. Where there are few partitions all of them are looked through, so that every one at
    rest is listed, also those that no start came to.

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
        Whether to look through all partitions; "auto" does if they are at most 4,194,304 and no more than 65,536 are at rest.
        With one feature only cuts of the sorted values can be at rest, which are fewer.
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
        For data and parameters that are not as described, a certificate of other data, or more partitions at rest than
        can be listed with exhaustive=True.

    Notes
    -----
    A partition is at rest if no row is nearer to the mean of another cluster than to that of its own, and the clusters can be
    numbered so that rows that are as near to another stay: ties go to the lowest number. Whether such a partition is a minimum
    for moves of single rows too is told by `exchange_optimal`.

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
    bound, proved_at = _bound(X, n_clusters, weights, certificate, lower_bound)
    if not hasattr(random_state, "random"):
        random_state = check_whole(
            "random_state", random_state, 0, 2**32 - 1, "2**32 - 1, the greatest seed", none=True
        )
        random_state = np.random.default_rng() if random_state is None else random_state
    minima, complete, stop_reason = Minima(n_clusters), False, "finished"
    with Workers(n_threads, max_seconds) as workers:
        descents = Descents(X, n_clusters, weights, init, Numbers(random_state), workers, minima)
        try:
            descents.run(n_starts, progress)
            complete = _enumerate(X, n_clusters, weights, exhaustive, workers, minima, descents.rows)
        except Expired:
            stop_reason = "time_limit"
        except KeyboardInterrupt:
            if not minima.ends:
                raise
            stop_reason = "interrupted"
    return _sorted(minima, bound, proved_at, complete, stop_reason)


def _bound(X, n_clusters, weights, certificate, lower_bound):
    """The lower bound, and the inertia that is proved to be the least, inf if none is."""
    if certificate is None:
        return check_number("lower_bound", 0.0 if lower_bound is None else lower_bound), -math.inf
    if lower_bound is not None:
        raise ValueError("certificate and lower_bound are both given: give one of them.")
    if certificate.n_clusters < n_clusters:
        raise ValueError(
            f"the certificate is for at most {certificate.n_clusters} clusters, n_clusters is {n_clusters}: certify that many."
        )
    certificate = certificate.better or certificate
    problem = certificate.problem
    same = len(problem.samples) == len(X) and problem.n_features == X.shape[1]
    if same:
        w = np.ones(len(X)) if weights is None else weights
        cost = 0.0
        for k in np.unique(certificate.labels):
            own = certificate.labels == k
            if w[own].any():
                cost += w[own] @ ((X[own] - np.average(X[own], axis=0, weights=w[own])) ** 2).sum(axis=1)
        same = math.isclose(cost, certificate.inertia, rel_tol=1e-6, abs_tol=1e-300)
    if not same:
        raise ValueError("the certificate is of other data or weights: certify these.")
    optimal = certificate.status.startswith("optimal") and certificate.n_clusters == n_clusters
    return certificate.lower_bound, certificate.inertia * (1 + SAME) if optimal else -math.inf


def _enumerate(X, n_clusters, weights, exhaustive, workers, minima, rows):
    """Add what no start came to, if there are few partitions; returns whether that was done."""
    if exhaustive is False or exhaustive == "auto" and len(X) > MOST_ROWS:
        return False
    everything = Everything(X, n_clusters, weights)
    if exhaustive == "auto" and everything.n_partitions > MOST_PARTITIONS:
        return False
    try:
        everything.run(workers)
    except TooMany:
        if exhaustive is True:
            raise ValueError(
                f"more than 65536 of the {everything.n_partitions} partitions are at rest: give exhaustive=False."
            ) from None
        return False
    add_all(minima, rows, everything)
    return True


def _sorted(minima, bound, proved_at, complete, stop_reason):
    """The result: minima by inertia, those that cost the same by their labels."""
    labels, found = minima.labels(), minima.found.values()
    inertia = np.array([minimum.inertia for minimum in found])
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
        lower_bound=bound,
        proved=bool(inertia[0] <= proved_at),
        complete=complete,
        stop_reason=stop_reason,
    )
