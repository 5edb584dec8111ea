"""Certificates of clusterings of rows that come in blocks: a sum of bounds of groups, or a bound of which one can be confident."""

import os
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from ..blocks.block_rows import BlockRows
from ..blocks.crew import in_order
from ..blocks.parts import LabelsOf
from ..rationals import float_up
from ..validation import check_fitted, check_labels, check_n_clusters
from ..words import at_most_above, format_plural
from ..workers import Workers
from .certificate import Bounded
from .instance import Deadline
from .mean_limit import mean_limit
from .proof_folder import ProofFolder
from .row_batches import asked, batch_size, batches, bound, costs_of_batches, deal, group_size, moments

# Bytes of rows that are here at a time, on their way to those that find proofs.
GATHERED = 1 << 28
# Shares of the time limit after which rows are no longer dealt out, and groups get no more bounds.
DEALING, ENDING = 0.2, 0.95
# Groups of a batch of which one is drawn: of more of them, each batch is nearer to the whole, and takes longer to be dealt out. With 40 of
# 150 rows (blobs-10000000x8) that took 0.8 s of a processor, more than the bound of the group.
DRAWN_OF = 20
# Seconds for each row of a group, at least: with less, of blobs-20000x8 (benchmarks/proved.py), it gets no bound. And at most, where
# groups are drawn: with more, rather more groups.
LEAST, MOST = 3e-3, 8e-3
# Groups drawn between two passes over the rows, at first, and the most that are drawn.
DRAWS, MOST_DRAWN = 64, 8192
# Share of the cost that sums of floats may be off by: some (features + rows of a part) roundings.
ROUNDED = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class SourceCertificate(Bounded):
    """What is known about a clustering of rows in blocks: its exact cost, and a lower bound for all others.

    Without `confidence` the bound is proved: it is the sum of the bounds of groups of rows, each accepted by the checker. With it, it is
    a statement about groups that were drawn at random, and "proved" is said of nothing.

    Attributes
    ----------
    n_rows, n_features : int
    n_clusters : int
        The bound holds for all clusterings into at most this many clusters.
    exact_inertia, exact_lower_bound : Fraction
        The cost of the rows with the means of their clusters, and the lower bound, in squared units of the rows.
    n_groups : int
        Groups of rows; of a bound with confidence the groups that were drawn.
    n_bounded : int
        Those with a bound above 0.
    stop_reason : str
        "unresolved" where all groups have their bounds, "time_limit", "interrupted", or "gap".
    confidence : float or None
        How often, at least, such a bound is true.
    folder : str or None
        Where the proofs are: ``python -m ckmeans.check_parts FOLDER`` checks them.
    status : {"bounded", "bounded with confidence"}
    method : {"sum", "sample"}

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ckmeans import KMeans, certify
    >>> X = np.repeat([[0.0], [1.0], [5.0], [7.0]], 50, axis=0)
    >>> def blocks():
    ...     return X[:125], X[125:]
    >>> kmeans = KMeans(2, random_state=0).fit(blocks)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     certificate = certify(blocks, kmeans, folder=folder, n_threads=1)
    >>> certificate.inertia, certificate.gap < 0.01, certificate.status
    (125.0, True, 'bounded')
    """

    n_rows: int
    n_features: int
    n_clusters: int
    exact_inertia: Fraction
    exact_lower_bound: Fraction
    n_groups: int
    n_bounded: int
    stop_reason: str
    confidence: float | None = None
    folder: str | None = None

    @property
    def status(self) -> str:
        return "bounded" if self.confidence is None else "bounded with confidence"

    @property
    def method(self) -> str:
        return "sum" if self.confidence is None else "sample"

    @property
    def checked(self) -> bool:
        """Whether the checker has accepted what the bound is made of, and nothing else."""
        return self.confidence is None

    @property
    def verdict(self) -> str:
        """What is known, in words: never "proved" of a bound with confidence."""
        claim = at_most_above(self.exact_inertia, self.exact_lower_bound)
        if self.exact_lower_bound <= 0 < self.exact_inertia:
            return claim
        return (
            f"{claim}: proved" if self.confidence is None else f"with confidence {self.confidence:g} {claim}"
        )

    def __str__(self) -> str:
        groups = format_plural(self.n_groups, "group") + " drawn at random" * (self.confidence is not None)
        return f"{self.n_clusters} clusters of {self.n_rows} rows, inertia {self.inertia:.6g}: {self.verdict}, by {groups}"


def certify_source(
    source: Any,
    clustering: Any,
    centers: Any,
    n_clusters: int | None,
    folder: str | os.PathLike[str] | None,
    confidence: float | None,
    options: dict[str, Any],
) -> SourceCertificate:
    """`certify` of rows in blocks; arguments but the clustering are taken as checked.

    Parameters
    ----------
    source : Source
    clustering : fitted estimator, array-like of shape (n_samples,), or None
    centers : ndarray of shape (n_clusters, n_features) or None
    options : dict
        time_limit, gap, rng, n_threads and progress, as `prove` takes them.

    Raises
    ------
    ValueError, TypeError
        For a clustering or rows that are not as described, and for blocks that change from pass to pass.
    OSError
        For files that have vanished.
    """
    deadline = Deadline(options["time_limit"])
    labels, n_clusters = _labels(source, clustering, centers, n_clusters)
    kept = None if folder is None else ProofFolder(folder)
    with Workers(options["n_threads"]) as workers:
        try:
            compared_with = labels.centers if isinstance(labels, LabelsOf) else None
            rows = BlockRows(source, workers, n_clusters, compared_with=compared_with)
            search = _Sums(source, labels, n_clusters, rows.weighted, deadline, options, kept)
            return search.whole() if confidence is None else search.sampled(confidence)
        finally:
            source.close()


def _labels(source, clustering, centers, n_clusters):
    """An array of labels, or LabelsOf; and the number of clusters."""
    n, d = source.shape
    model = clustering if hasattr(clustering, "cluster_centers_") else None
    if clustering is None and centers is None:
        raise ValueError("X comes in blocks: give the KMeans that was fitted to it, labels, or centers.")
    if model is not None:
        known = getattr(model, "labels_", None)
        n_clusters = len(model.cluster_centers_) if n_clusters is None else n_clusters
        if isinstance(known, np.ndarray) and known.shape == (n,):
            clustering = known
        else:
            centers = check_fitted("cluster_centers_", model.cluster_centers_, (None, d))
    if centers is None:
        return check_labels(clustering, n, n_clusters)
    if len(centers) > (n_clusters or len(centers)):
        raise ValueError(
            f"n_clusters={n_clusters}, but there are {len(centers)} centers: ask for at least as many."
        )
    return LabelsOf(np.asarray(centers, np.float64)), check_n_clusters(n_clusters or len(centers), n)


class _Sums:
    """The cost of a clustering, and bounds that are sums."""

    def __init__(self, source, labels, n_clusters, weighted, deadline, options, folder):
        self.source, self.labels, self.k, self.weighted = source, labels, n_clusters, weighted
        self.deadline, self.options, self.folder = deadline, options, folder
        self.cost, self.centers = self._cost()
        self.stop_reason = "unresolved"

    def _cost(self):
        """The exact cost, and the means of the clusters as floats; rows with weight are counted."""
        clusters, squares, self.n_heavy = {}, Fraction(0), 0
        for n_heavy, own, own_squares in asked(self.source, moments, self.labels, self.weighted):
            self.n_heavy += n_heavy
            squares += own_squares
            for label, (weight, sums) in own.items():
                before = clusters.get(label, (0, [0] * len(sums)))
                clusters[label] = before[0] + weight, [a + b for a, b in zip(before[1], sums)]
        explained = sum((sum(s * s for s in sums) / w for w, sums in clusters.values() if w), Fraction(0))
        centers = np.zeros((self.k, self.source.shape[1]))
        for label, (weight, sums) in clusters.items():
            centers[label] = [float(s / weight) if weight else 0.0 for s in sums]
        return squares - explained, centers

    def progress(self, method, lower):
        """Tell what is known."""
        if self.options["progress"] is not None:
            inertia = float_up(self.cost)
            self.options["progress"](method, inertia, min(inertia, float(lower)))

    def known(self, lower, n_groups, n_bounded, confidence=None):
        """The certificate."""
        n, d = self.source.shape
        folder = None if self.folder is None or self.stop_reason == "interrupted" else self.folder.path
        lower = max(Fraction(0), min(lower, self.cost))
        facts = self.cost, lower, n_groups, n_bounded, self.stop_reason, confidence, folder
        return SourceCertificate(n, d, self.k, *facts)

    # ---- all groups ----

    def whole(self):
        """A bound that is the sum of those of all groups."""
        n, d = self.source.shape
        n_batches = max(1, round(self.n_heavy / batch_size(self.k)))
        step = max(1, int(GATHERED / (8 * d * n / n_batches)))
        self.lower, self.n_groups, self.n_bounded, self.left = Fraction(0), 0, 0, n
        if self.folder is not None:
            self.folder.begin(n, d, self.k, self.weighted)
        try:
            with self.source.crew(self.options["n_threads"]) as crew:
                for first in range(0, n_batches, step):
                    wanted = list(range(first, min(first + step, n_batches)))
                    some = batches(self.source, self.labels, self.weighted, n_batches, wanted)
                    some = {number: batch for number, batch in some.items() if len(batch.rows)}
                    self._bound_all(crew, some, n_batches)
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"
        if self.folder is not None and self.stop_reason != "interrupted":
            self.folder.end(self.lower, self.cost)
        return self.known(self.lower, self.n_groups, self.n_bounded)

    def _bound_all(self, crew, some, n_batches):
        """Deal out batches, and bound their groups."""
        seconds = self.deadline.seconds_for(DEALING)
        seconds = seconds and seconds * crew.width / (2 * n_batches)
        before = [None if self.folder is None else self.folder.dealt(number) for number in some]
        calls = (
            (batch.X, batch.weights, batch.labels, self.k, None, seconds, known)
            for batch, known in zip(some.values(), before)
        )
        groups = []
        for (number, batch), known, (_, found) in zip(some.items(), before, in_order(crew, deal, calls)):
            method, dealt, _ = found
            groups += [(batch, own, method) for own in dealt]
            if self.folder is not None and known is None:
                self.folder.keep_dealt(number, dealt)
        found = in_order(crew, bound, self._calls(crew, groups))
        for (batch, own, _), ((*_, seconds, _, _, _), (lower, text)) in zip(groups, found):
            self.lower += lower
            self.n_groups += 1
            self.n_bounded += lower > 0
            if seconds == 0 >= lower:
                self.stop_reason = "time_limit"
            if self.folder is not None:
                self.folder.add(batch.rows[own], text, lower)
            self.progress("sum", self.lower)

    def _calls(self, crew, groups):
        """What `bound` takes, with a share of the time that is left; when that is up only what a folder has to have."""
        for number, (batch, own, method) in enumerate(groups, self.n_groups):
            seconds = self.deadline.seconds_for(ENDING)
            if seconds == 0 and self.folder is None:
                self.stop_reason = "time_limit"
                return
            if seconds:
                share = seconds * max(1, crew.width // 2) / max(self.left, 1)
                seconds = min(seconds, max(share, LEAST) * len(own))
            self.left -= len(own)
            gap = self.options["gap"] / 2  # the rest is for what groups lack
            before = None if self.folder is None else self.folder.proof(number)
            yield *_part_of(batch, own), self.k, method, seconds, gap, self.folder is not None, before

    # ---- some groups ----

    def sampled(self, confidence):
        """A bound that holds with a confidence. Groups are drawn with probabilities in proportion to what they cost, with replacement: then
        the mean of (cost - bound) / cost of one is the gap of the sum of all, and lies between 0 and 1."""
        d = self.source.shape[1]
        n_batches = max(1, round(self.n_heavy / ((DRAWN_OF if d > 1 else 1) * group_size(self.k, d, True))))
        answers = asked(self.source, costs_of_batches, self.labels, self.weighted, self.centers, n_batches)
        costs = np.sum(answers, axis=0)
        gaps, limit, n_draws = [], 1.0, DRAWS
        self.dealt, self.gaps = {}, {}  # batches, and the gaps of groups, that were looked at
        rng = self.options["rng"]
        rng = rng if hasattr(rng, "random") else np.random.default_rng(rng)
        try:
            with self.source.crew(self.options["n_threads"]) as crew:
                while costs.any() and len(gaps) < MOST_DRAWN:
                    for gap in self._drawn(crew, costs, rng.random((n_draws, 2))):
                        gaps.append(gap)
                        if len(gaps) % DRAWS == 0:
                            limit = min(limit, mean_limit(np.array(gaps), confidence))
                            self.progress("sample", costs.sum() * (1 - limit))
                    if self.stop_reason == "time_limit" or self._is_enough(costs, limit):
                        break
                    n_draws = min(2 * n_draws, MOST_DRAWN - len(gaps))
        except KeyboardInterrupt:
            self.stop_reason = "interrupted"
        # Every limit on the way holds, all at once.
        limit = min(limit, mean_limit(np.array(gaps), confidence)) if gaps else 1.0
        lower = Fraction(costs.sum().item()) * Fraction(1 - limit) * Fraction(1 - ROUNDED)
        return self.known(lower, len(gaps), sum(gap < 1 for gap in gaps), confidence)

    def _is_enough(self, costs, limit):
        if costs.sum() * (1 - limit) < float_up(self.cost) * (1 - self.options["gap"]):
            return False
        self.stop_reason = "gap"
        return True

    def _drawn(self, crew, costs, numbers):
        """The gaps of groups that are drawn; in the order of the draws, until the time is up."""
        at = np.searchsorted(costs.cumsum() / costs.sum(), numbers[:, 0], side="right")
        at = np.minimum(at, np.flatnonzero(costs)[-1])
        d = self.source.shape[1]
        step = max(1, int(GATHERED / (8 * d * DRAWN_OF * group_size(self.k, d, True))))
        for first in range(0, len(at), step):
            here = at[first : first + step].tolist()
            some = batches(self.source, self.labels, self.weighted, len(costs), sorted(set(here)))
            draws = iter(zip(here, numbers[first : first + step, 1].tolist()))
            while self.deadline.left(ENDING) > 0 and (few := list(islice(draws, crew.width))):
                yield from self._bounded(crew, some, few)
        if self.deadline.left(ENDING) <= 0:
            self.stop_reason = "time_limit"

    def _bounded(self, crew, some, draws):
        """The gaps of the groups that some draws stand for; none is dealt out, or bounded, twice."""
        new = [number for number in dict.fromkeys(number for number, _ in draws) if number not in self.dealt]
        calls = ((some[at].X, some[at].weights, some[at].labels, self.k, self.centers) for at in new)
        self.dealt.update(zip(new, (found for _, found in in_order(crew, deal, calls))))
        drawn = []
        for number, u in draws:
            costs = self.dealt[number][2]
            group = np.searchsorted(costs.cumsum() / costs.sum(), u, side="right")
            drawn.append((number, min(int(group), int(np.flatnonzero(costs)[-1]))))
        new = [key for key in dict.fromkeys(drawn) if key not in self.gaps]
        calls = (self._sampled_call(some[number], *self.dealt[number][:2], group) for number, group in new)
        for (number, group), (_, (lower, _)) in zip(new, in_order(crew, bound, calls)):
            cost = self.dealt[number][2][group]
            self.gaps[number, group] = min(1.0, max(0.0, 1 - float(lower) / cost))
        return [self.gaps[key] for key in drawn]

    def _sampled_call(self, batch, method, groups, group):
        own, seconds = groups[group], self.deadline.seconds_for(ENDING)
        seconds = seconds and min(seconds, MOST * len(own))
        return *_part_of(batch, own), self.k, method, seconds, self.options["gap"] / 2, False


def _part_of(batch, own):
    """Rows, weights and labels of some rows of a batch."""
    return batch.X[own], None if batch.weights is None else batch.weights[own], batch.labels[own]
