"""The portfolio: which way to a proof to try next, until the gap is closed or the time is up.

Each method (methods.py) gives a lower bound with a proof of it, and perhaps a better clustering. The best of both are kept;
"optimal" is said only where the checker (check.py) has accepted the proof, in exact integers.
"""

import math
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..check import Refused
from ..exact.univariate import collinear
from ..local.rows import Rows
from ..rationals import float_down, float_up
from ..validation import (
    check_labels,
    check_matrix,
    check_n_clusters,
    check_number,
    check_weights,
    check_whole,
)
from ..workers import Expired, Workers, check_room
from .asking import bound_of, bounds_of
from .certificate import Certificate
from .checkpoint import Checkpoint
from .methods import FINDING, METHODS, MOST_MATRIX, READING, SEARCHING, Evidence, many_axes
from .problem import ExactProblem
from .proof_lines import header, proof_text, trivial_proof
from .resumed import check_known, denied, from_dict, to_dict

MOST_TREE = 300  # rows for which branch and bound is worth a try
FEW_FEATURES = 4  # features up to which one search by prices is best for any number of rows
MOST_ROWS = 2000  # rows for which it is in more of them; more are proved group by group


def certify(
    X: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    centers: ArrayLike | None = None,
    n_clusters: int | None = None,
    sample_weight: ArrayLike | None = None,
    time_limit: float | None = 60,
    gap: float = 0.0,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    n_threads: int | None = None,
    progress: Callable[[str, float, float], object] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Certificate:
    """How far a clustering is, at most, from the best possible one, with a proof that others can check.

    Works on labels from any library. One after the other these are tried: what is plain to see, dynamic programming where the
    rows are on a line, a search for a better clustering, branch and bound of few rows, the principal components, and column
    generation, of all rows or, where they are many, of groups that each look like the whole; of up to 700 rows also the
    semidefinite bound, before the column generation where many features matter.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite real numbers; what is proved holds for these very floats.
    labels : array-like of shape (n_samples,) or None
        The clustering: whole numbers, or names. Without labels (and centers) the best clustering that is found is certified.
    centers : array-like of shape (n_clusters, n_features) or None
        Instead of labels: each row is in the cluster of the nearest center. The means of the clusters, not these centers, are
        what the inertia is for.
    n_clusters : int or None
        The bound holds for all clusterings into at most so many clusters; None for as many as there are labels or centers.
    sample_weight : array-like of shape (n_samples,) or None
        Weights >= 0, not all zero.
    time_limit : float or None
        Seconds, of which a quarter is left for the checker if need be; None for no limit. The rows are always read.
    gap : float
        Stop when (inertia - lower_bound) / inertia is not above this.
    random_state : int, RandomState, Generator or None
        Seed of the search for a clustering.
    n_threads : int or None
        As for `KMeans`.
    progress : callable(method, inertia, lower_bound) or None
        Called now and then with what is known.
    checkpoint : str or Path or None
        A file that is written every few seconds, whole or not at all, and from which a later call for the same rows, weights
        and n_clusters goes on: after `kill -9` too. It stays when the proof is done.

    Returns
    -------
    Certificate
        Its `status` is "optimal" or "optimal-unique" only where the checker, `ckmeans.check`, has accepted the proof. On
        Ctrl-C, which is not raised again once the rows were read, and when the time is up it is "bounded", with what was
        known until then. Where the search found a better clustering than the one given, `better` is that one's certificate.
        `checked` is True where the checker has accepted what it says; what it finds to be less is given as it finds it.
        Costs beyond the range of floats are inf, and lower bounds the greatest float, as attributes; the fractions are exact.

    Raises
    ------
    ValueError, TypeError
        For data, labels and parameters that are not as described; the message tells which, and the remedy.

    References
    ----------
    Aloise, Hansen & Liberti (2012), "An improved column generation algorithm for minimum sum-of-squares clustering",
    Mathematical Programming 131:195-220, doi:10.1007/s10107-010-0349-7. Koontz, Narendra & Fukunaga (1975), "A branch and
    bound clustering algorithm", IEEE Trans. Computers C-24:908-915, doi:10.1109/T-C.1975.224336. Ding & He (2004),
    "K-means clustering via principal component analysis", ICML, doi:10.1145/1015330.1015408. Peng & Wei (2007), "Approximating
    K-means-type clustering via semidefinite programming", SIAM J. Optimization 18:186-205, doi:10.1137/050641983.

    Examples
    --------
    >>> from ckmeans import certify
    >>> X = [[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 2.0], [9.0, 9.0]]
    >>> certificate = certify(X, [0, 0, 1, 1, 2])
    >>> certificate.status, certificate.inertia, certificate.gap
    ('optimal-unique', 2.5, 0.0)
    >>> certificate = certify(X, ["a", "a", "a", "b", "c"])
    >>> certificate.status, certificate.gap > 0.5, certificate.better.status
    ('bounded', True, 'optimal-unique')
    """
    X = check_matrix(X)
    weights = check_weights(sample_weight, len(X))
    n_threads = check_whole("n_threads", n_threads, 1, none=True)
    if labels is not None and centers is not None:
        raise ValueError("labels and centers are both given: give one of them.")
    if labels is None and centers is None and n_clusters is None:
        raise ValueError("there is nothing to certify: give labels, centers or n_clusters.")
    if centers is not None:
        labels = _nearest(X, centers, weights, n_threads)
        n_clusters = len(centers) if n_clusters is None else n_clusters
    if labels is not None:
        labels, n_clusters = check_labels(labels, len(X), n_clusters)
    return prove(
        X,
        check_n_clusters(n_clusters, len(X)),
        sample_weight=weights,
        labels=labels,
        time_limit=check_number("time_limit", time_limit, none=True),
        gap=check_number("gap", gap),
        rng=_seed(random_state),
        n_threads=n_threads,
        progress=progress,
        checkpoint=checkpoint,
    )


def _seed(random_state):
    if random_state is None or hasattr(random_state, "random"):
        return random_state
    return check_whole("random_state", random_state, 0, 2**32 - 1, "2**32 - 1, the greatest seed")


def _nearest(X, centers, weights, n_threads):
    """The exact nearest center of each row."""
    centers = check_matrix(centers, "centers")
    if centers.shape[1] != X.shape[1]:
        raise ValueError(
            f"centers have {centers.shape[1]} features, X has {X.shape[1]}: give a center of as many for each cluster."
        )
    with Workers(n_threads) as workers:
        return Rows(X, weights, workers, reach=centers).nearest(centers)


def prove(
    X, n_clusters, *, sample_weight=None, labels=None, time_limit=None, gap=0.0, rng=None, n_threads=None,
    progress=None, methods=None, checkpoint=None,
):  # fmt: skip
    """Prove how good a clustering is. Arguments are taken as checked.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
    n_clusters : int
    labels : ndarray of shape (n_samples,), int32, or None
        The clustering; None for the best that is found.
    time_limit : float or None
    gap : float
        Stop where (inertia - lower_bound) / inertia is not above this.
    rng : as `local_search` takes it
    progress : callable(method, inertia, lower_bound), optional
    methods : sequence of str, optional
        Names of METHODS to take, one after the other; None for those that suit the data.
    checkpoint : str or Path, optional
        A file to go on from, and to write.

    Returns
    -------
    Certificate
        On Ctrl-C and when the time is up what is known until then.
    """
    portfolio = Portfolio(X, n_clusters, sample_weight, labels, time_limit, gap, rng, n_threads, progress)
    try:
        portfolio.open(checkpoint)
        for method in portfolio.suitable() if methods is None else methods:
            portfolio.take(method)
            if portfolio.closed():
                break
        portfolio.keep(now=True)
        return portfolio.certificate()
    except KeyboardInterrupt:
        portfolio.stop_reason = "interrupted"
    while True:  # whatever was interrupted, this is short
        try:
            portfolio.keep(now=True)
            return portfolio.certificate()
        except KeyboardInterrupt:
            continue


class _Bound(NamedTuple):
    """A lower bound, what it is from, and whether the checker has accepted it."""

    evidence: Evidence
    method: str
    accepted: bool = False


class Portfolio:
    """The incumbent, the best bound, and what is proved of them."""

    def __init__(self, X, n_clusters, sample_weight, labels, time_limit, gap, rng, n_threads, progress):
        self.start, self.limit = monotonic(), math.inf if time_limit is None else time_limit
        self.X, self.k, self.sample_weight = X, n_clusters, sample_weight
        self.gap, self.rng, self.n_threads, self.progress = gap, rng, n_threads, progress
        self.problem = ExactProblem(X, sample_weight)
        # Of each sample its row, -1 where it has no weight; of each row the first sample.
        self.place = np.array([-1 if row is None else row for row in self.problem.place])
        self.first, self.n_rows = np.array(self.problem.first), len(self.problem.first)
        self.given = None if labels is None else (labels, self.problem.cost(labels))
        self.incumbent = self.given  # labels and cost
        if labels is None:
            self.offer(np.zeros(len(X), np.int32))
        # Lower bounds, and what the checker accepted as a proof of optimality.
        self.bounds = [_Bound(Evidence(trivial_proof(), Fraction(0)), "trivial")]
        self.closing = None
        self.status, self.refused = None, False
        self.stop_reason, self.seconds = "unresolved", {}
        # The file, what it says of methods, its bound while the checker has not accepted it, and what is claimed to be optimal.
        self.checkpoint, self.done, self.inner, self.hearsay, self.claim = None, [], {}, None, None

    # ---- What is kept

    def open(self, path):
        """Go on from a file, and write to it from now on."""
        if path is None:
            return
        self.checkpoint = Checkpoint(path, "; ".join(header(self.problem, self.k, with_rows=False)[1:3]))
        known = self.checkpoint.read(lambda known: check_known(known, self))
        if known is None:
            return
        self.offer(known["labels"])
        self.done, self.inner = known["done"], known["inner"]
        self.hearsay = _Bound(from_dict(known["best"]), known["method"])
        if known["claim"] is not None:
            claimed = from_dict(known["claim"])
            if denied(self, self.confirm(claimed, known["claimed by"]), claimed):
                self.done, self.inner = [], {}
        if self.status is None or self.given is not None:
            self.believe()
        if self.status is None and self.best.evidence.lower >= self.incumbent[1]:
            self.confirm(self.best.evidence, self.best.method)

    def believe(self):
        """Ask the checker about the bound of the file. Where that is not true, nothing in it is."""
        found = self.ask("bounded", self.hearsay.evidence)
        if found is not None:
            evidence = replace(self.hearsay.evidence, lower=min(found[0], self.hearsay.evidence.lower))
            self.bounds = [*self.bounds, _Bound(evidence, self.hearsay.method, True)]
        if denied(self, found, self.hearsay.evidence):
            self.done, self.inner = [], {}
        if found is not None or self.refused:
            self.hearsay = None

    @property
    def best(self):
        """The greatest lower bound."""
        return max(self.bounds, key=lambda own: own.evidence.lower)

    def keep(self, inner=None, now=False):
        """Write what is known, with that of methods not done: `inner` has a function for each that gives it."""
        self.inner.update(inner or {})
        if self.checkpoint is not None:
            self.checkpoint.write(self.known, now)

    def known(self):
        claim, method = self.claim or (None, None)
        best = max(filter(None, (self.best, self.hearsay)), key=lambda own: own.evidence.lower)
        inner = {name: known() if callable(known) else known for name, known in self.inner.items()}
        return {
            "labels": self.incumbent[0], "best": to_dict(best.evidence), "method": best.method, "done": self.done, "inner": inner,
            "claim": claim and to_dict(claim), "claimed by": method,
        }  # fmt: skip

    # ---- The methods

    def suitable(self):
        """The names of the methods, in the order in which they are likely to close the gap soonest."""
        n_rows, d = self.X[self.first].shape
        yield "trivial"
        if d == 1 or collinear(self.X[self.first]) is not None:
            yield "line"
        yield "search"
        if n_rows <= MOST_TREE:
            yield "tree"
        if d == 2 == self.k:
            yield "sweep"
        yield "pca"
        matrix = "sdp" if n_rows <= MOST_MATRIX else "sum"
        prices = ["prices"] if n_rows <= MOST_ROWS or d <= FEW_FEATURES else []
        soon = (d > FEW_FEATURES or matrix == "sdp") and many_axes(self.X[self.first])
        yield from [matrix, *prices] if soon else [*prices, matrix]
        if n_rows <= MOST_TREE:
            yield "longer tree"

    def take(self, method):
        """Try a method, and keep what it found."""
        if method in self.done:
            return
        if self.left() <= 0 and not (
            method in ("trivial", "line") or method == "search" and self.given is None
        ):
            self.stop_reason = "time_limit"
            return
        check_room()
        begin = monotonic()
        try:
            evidence = METHODS[method](self)
        finally:
            self.seconds[method] = monotonic() - begin
        if method != "search" and evidence is None or method == "search" and self.left(SEARCHING) > 0:
            self.done.append(method)
        if evidence is None:
            return
        if evidence.labels is not None:
            self.offer(evidence.labels)
        if evidence.lower > self.best.evidence.lower:
            self.bounds = [*self.bounds, _Bound(evidence, method)]
        if evidence.stop_reason != "unresolved":
            self.stop_reason = evidence.stop_reason
        self.report_progress(method)
        if evidence.stop_reason == "interrupted":
            raise KeyboardInterrupt
        claimed = evidence.optimal or evidence.lower >= self.incumbent[1]
        self.claim = (evidence, method) if claimed else self.claim
        if evidence.stop_reason in ("proved", "unresolved"):
            self.done.append(method)
            self.inner.pop(method, None)
        if claimed:
            self.confirm(evidence, method)

    def offer(self, labels):
        """Take a clustering if it is better than the incumbent."""
        labels = np.asarray(labels, np.int32)
        cost = self.problem.cost(labels)
        if self.incumbent is None or cost < self.incumbent[1]:
            self.incumbent = labels, cost

    def closed(self):
        """Whether there is nothing left to do."""
        cost, lower = self.incumbent[1], self.best.evidence.lower
        if self.status is None and cost > lower >= cost * (1 - Fraction(self.gap)):
            self.stop_reason = "gap"
            return True
        return self.status is not None or lower >= cost

    def left(self, share=FINDING):
        """Seconds until a share of the time is used up."""
        return self.start + share * self.limit - monotonic()

    def seconds_for(self, share):
        """The same as other solvers take it: None without a limit."""
        return None if self.limit == math.inf else max(0.0, self.left(share))

    def report_progress(self, method, inertia=math.inf, lower=0.0):
        if self.progress is not None:
            inertia = min(inertia, float_up(self.incumbent[1]))
            self.progress(method, inertia, min(inertia, max(lower, float_down(self.best.evidence.lower))))

    # ---- What the checker says

    def confirm(self, evidence, method):
        """Ask the checker whether the incumbent is optimal, and if it is the only one; returns what it found, as `ask` does."""
        self.claim = evidence, method
        self.keep(now=True)
        found = self.ask("optimal", evidence)
        cost = self.incumbent[1]
        if found is not None and found[0] >= cost:
            self.closing = _Bound(evidence, method, True)
            few = self.n_rows < self.k and self.n_rows < np.count_nonzero(self.place >= 0)
            self.status = "optimal-unique" if found[1] and not few else "optimal"
            self.stop_reason = "proved"
        elif found is None and self.left(1.0) <= 0:
            self.stop_reason = "time_limit"
        if self.status is None and (found is not None or self.refused):
            self.claim = None
        return found

    def ask(self, status, evidence):
        """The lower bound that the checker finds, and whether it rules out all other clusterings; None if it finds none."""
        labels = (self.incumbent if status != "bounded" else self.published)[0]
        found = self._asked(
            lambda: proof_text(self.problem, self.k, labels.tolist(), status, evidence.proof, evidence.lower),
            lambda text: bound_of(text, self.start + self.limit),
        )
        return found and (found[0] / self.problem.unit, found[1])

    def bounds_of(self, proofs):
        """Those that the checker finds in some proofs, None for each that it refuses; None where the time is up before that."""
        lines, labels = trivial_proof(), self.incumbent[0].tolist()
        return self._asked(
            lambda: proof_text(self.problem, self.k, labels, "bounded", lines, Fraction(0)),
            lambda text: [
                bound and bound / self.problem.unit
                for bound in bounds_of(text, proofs, self.start + self.limit)
            ],
        )

    def _asked(self, text, checker):
        begin, self.refused = monotonic(), False
        if self.left(1.0) <= READING * self.X.size:
            return None
        try:
            return checker(text())
        except (Expired, Refused) as error:
            self.refused = isinstance(error, Refused)
            return None
        finally:
            self.seconds["check"] = self.seconds.get("check", 0.0) + monotonic() - begin

    @property
    def published(self):
        """The clustering that the certificate is for: the one that was given, or the best."""
        return self.incumbent if self.given is None or self.given[1] == self.incumbent[1] else self.given

    def certificate(self):
        """What is known now."""
        if self.status is None and self.stop_reason == "proved":
            self.stop_reason = "unchecked"
        best = None
        if self.status is not None:
            best = self.as_certificate(self.incumbent, self.incumbent[1], self.closing, self.status)
        if best is None or self.published is not self.incumbent:
            self.check_bound()
        best = best or self.as_certificate(self.incumbent, self.best.evidence.lower, self.best, "bounded")
        if self.published is self.incumbent:
            return best
        return self.as_certificate(self.given, self.best.evidence.lower, self.best, "bounded", best)

    def check_bound(self):
        """Have the checker accept the bound, while there is time: what it finds to be less is as much as it finds, or gone."""
        try:
            while not self.best.accepted and self.stop_reason != "interrupted" and self.left(1.0) > 0:
                if self.best.method == "pca" and self.left(1.0) < self.seconds.get("pca", 0.0):
                    return  # the checker takes as long, in one go
                best, found = self.best, self.ask("bounded", self.best.evidence)
                if found is None and not self.refused:
                    return
                others = [own for own in self.bounds if own is not best]
                if found is not None:
                    least = replace(best.evidence, lower=min(found[0], best.evidence.lower))
                    others.append(_Bound(least, best.method, True))
                if not others:
                    return
                self.bounds = others
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"

    def as_certificate(self, clustering, lower, bound, status, better=None):
        labels, cost = clustering
        return Certificate(
            self.problem, self.k, labels, cost, min(lower, cost), status, self.stop_reason, bound.method, bound.evidence.proof,
            dict(self.seconds), better, bound.accepted,
        )  # fmt: skip
