"""The portfolio: which way to a proof to try next, until the gap is closed or the time is up.

Each method (methods.py) gives a lower bound with a proof of it, or a better clustering. The best of both are kept; "optimal" is
said only where the checker (check.py) has accepted the proof, in exact integers.
"""

import math
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from time import monotonic
from typing import NamedTuple

import numpy as np

from ..check import Refused
from ..interrupts import Held
from ..rationals import float_down, float_up
from ..workers import Expired, check_room
from .asking import bound_of, bounds_of
from .certificate import Certificate
from .checkpoint import Checkpoint
from .dealing import is_one_matrix
from .instance import Clustering, Deadline, Instance
from .methods import CUTTING, METHODS, Evidence, Run
from .proof_lines import header, proof_text, trivial_proof
from .resumed import check_known, from_dict, groups_proved_again, to_dict

# Rows for which branch and bound is worth a try: with more of them it hardly ever ends.
MOST_TREE = 300
# Prices take all rows at once in up to FEW_FEATURES features, or where three axes hold 99 % (`Instance.many_axes`): there one search is
# soonest. Else they do so for up to MOST_ROWS rows, and more rows are proved group by group. (4177 abalones in ten features,
# k=3, are proved in 3.5 s and 12 s with the checker; by groups a gap of 8e-5 is left.)
FEW_FEATURES, MOST_ROWS = 4, 2000
# Where more rows are of up to this dimension (`Instance.dimension`), prices are tried until this share of the time limit is over, and go
# on where no gap above PROMISING, which is what groups leave of 2000 rows in 5 features, would be left in the end if it went on falling
# SLOWER times as fast as of late; else the groups are next.
TRIED, TRYING, PROMISING, SLOWER = 6, 0.2, 3e-3, 0.5
# Where all rows are one matrix, but AXES axes hold 95 %, prices are tried before it for SHORT seconds times the square of the
# rows, a third of what 400 steps of the matrix take, at least SHORTEST, and go on after it. In 24 problems of 50 to 345 rows with 2
# to 5 such axes they ended in 0.83 s at most, and 1e-5 times that square or 0.07 s; the matrix took 0.1 to 60 s. Of seven problems
# of 440 to 683 rows with 7 axes or more three did not end, and three had proofs that take the checker 4 s or more.
AXES, SHORT, SHORTEST = 5, 1.5e-5, 0.2
# Prices under these names end sooner, and go on later.
FIRST = ("first prices", "short prices")
# Seconds that the checker takes, at least, to read an entry of X: with less time left it is not asked.
READING = 5e-6


def prove(
    X,
    n_clusters,
    *,
    sample_weight=None,
    labels=None,
    time_limit=None,
    gap=0.0,
    rng=None,
    n_threads=None,
    progress=None,
    methods=None,
    checkpoint=None,
    problem=None,
):
    """Prove how good a clustering is. Arguments are taken as checked.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float64
    n_clusters : int
    labels : ndarray of shape (n_samples,), int32, or None
    time_limit, gap : as `certify` has them
    rng : as `local_search` takes it
    progress : callable(method, inertia, lower_bound), optional
    methods : sequence of str, optional
        Names of METHODS to take, one after the other; None for whatever suits the data.
    checkpoint : str or Path, optional
        A file to go on from, and to write.
    problem : ExactProblem, optional
        X and the weights in integers, where they are known.

    Returns
    -------
    Certificate
        On Ctrl-C, when the time is up and where a method has not enough memory what is known until then.

    Raises
    ------
    MemoryError
        Where there is not enough of it for any method to find something.
    """
    run = Run(Deadline(time_limit), gap, rng, n_threads, labels)
    portfolio = Portfolio(Instance(X, n_clusters, sample_weight, problem), run, progress)
    try:
        portfolio.open(checkpoint)
        for method in portfolio.suitable() if methods is None else methods:
            portfolio.take(method)
            if portfolio.closed():
                break
    except KeyboardInterrupt:
        portfolio.stop_reason = "interrupted"
    except MemoryError:
        if not portfolio.found:
            raise
        portfolio.stop_reason = "memory_limit"
    while True:
        try:
            with suppress(MemoryError):  # then the file stays as it was
                portfolio.keep(now=True)
            return portfolio.certificate()
        except KeyboardInterrupt:  # what is left to do is short
            portfolio.stop_reason = "interrupted"


class Bound(NamedTuple):
    """A lower bound, what it is from, and whether the checker has accepted it."""

    evidence: Evidence
    method: str
    accepted: bool = False

    @property
    def lower(self):
        return self.evidence.lower


class Portfolio:
    """The incumbent, the best bound, and what is proved of them.

    Attributes
    ----------
    given, incumbent : Clustering
        The clustering that was given, or None, and the best one.
    bounds : list of Bound
    closing : Bound or None
        What the checker accepted as a proof of optimality.
    status : str or None
        "optimal" or "optimal-unique" when it has.
    refused : bool
        Whether the checker, when it was last asked, refused.
    found : bool
        Whether any method has found something.
    stop_reason : str
    seconds : dict of str to float
    checkpoint : Checkpoint or None
    done : list of str
        Methods that need not be tried again.
    inner : dict
        Of methods that have not ended what they know: a dict, or a function that gives it.
    hearsay : Bound or None
        The bound of the file, until the checker was asked about it.
    gaps : list of (float, float)
        When a method told what it knows, and the gap that it told.
    claim : (Evidence, str) or None
        What is optimal according to a method, and which one, until the checker was asked about it.
    """

    def __init__(self, instance, run, progress=None):
        self.instance, self.problem, self.run = instance, instance.problem, run
        self.deadline, self.progress = run.deadline, progress
        self.given = None if run.given is None else Clustering(run.given, self.problem.cost(run.given))
        self.incumbent = self.given
        if self.given is None:
            self.offer(np.zeros(len(instance.X), np.int32))
        self.bounds = [Bound(Evidence(trivial_proof()), "trivial")]
        self.closing = self.status = self.checkpoint = self.hearsay = None
        self.refused = self.found = False
        self.stop_reason, self.seconds, self.done, self.inner = "unresolved", {}, [], {}
        self.gaps = []
        self.claim = None

    # ---- What is kept

    def open(self, path):
        """Go on from a file, and write to it from now on."""
        if path is None:
            return
        lines = header(self.problem, self.instance.n_clusters, with_rows=False)
        self.checkpoint = Checkpoint(path, "; ".join(lines[1:3]))
        known = self.checkpoint.read(lambda known: check_known(known, self.instance))
        if known is None:
            return
        self.offer(known["labels"])
        self.found, self.done, self.inner = True, known["done"], known["inner"]
        self.hearsay = Bound(from_dict(known["best"]), known["method"])
        if known["claim"] is not None:
            claimed = from_dict(known["claim"])
            if self.denied(self.confirm(claimed, known["claimed by"]), claimed):
                self.done, self.inner = [], {}
        if self.status is None or self.given is not None:
            self.believe()
        if self.status is None and self.best.lower >= self.incumbent.cost:
            self.confirm(self.best.evidence, self.best.method)

    def believe(self):
        """Ask the checker about the bound of the file. Where that is not true, nothing in it is."""
        found = self.ask("bounded", self.hearsay.evidence)
        if found is not None:
            evidence = replace(self.hearsay.evidence, lower=min(found[0], self.hearsay.lower))
            self.bounds = [*self.bounds, Bound(evidence, self.hearsay.method, True)]
        if self.denied(found, self.hearsay.evidence):
            self.done, self.inner = [], {}
        if found is not None or self.refused:
            self.hearsay = None

    def denied(self, found, evidence):
        """Whether the checker, which found that, finds less than a file tells: then its methods are not done."""
        return self.refused if found is None else found[0] < evidence.lower

    @property
    def best(self):
        """The greatest lower bound."""
        return max(self.bounds, key=lambda own: own.lower)

    def keep(self, inner=None, now=False):
        """Write what is known, with what is known of methods that have not ended."""
        self.inner.update(inner or {})
        if self.checkpoint is not None:
            self.checkpoint.write(self.known, now)

    def known(self):
        """What a checkpoint has to tell."""
        claim, method = self.claim or (None, None)
        best = max(filter(None, (self.best, self.hearsay)), key=lambda own: own.lower)
        return {
            "labels": self.incumbent.labels,
            "best": to_dict(best.evidence),
            "method": best.method,
            "done": self.done,
            "inner": {name: known() if callable(known) else known for name, known in self.inner.items()},
            "claim": claim and to_dict(claim),
            "claimed by": method,
        }

    # ---- The methods

    def suitable(self):
        """The names of the methods, in the order in which they are likely to close the gap soonest."""
        n_rows, d = self.instance.rows.shape
        yield "trivial"
        if d == 1 or self.instance.line is not None:
            yield "line"
        yield "search"
        if n_rows <= MOST_TREE:
            yield "tree"
        if d == 2 == self.instance.n_clusters:
            yield "sweep"
        yield "pca"
        one = is_one_matrix(n_rows, self.instance.n_clusters, self.deadline, CUTTING)
        matrix = "sdp" if one else "sum"
        few = d <= FEW_FEATURES or not self.instance.many_axes
        if one and self.instance.many_axes and self.instance.spreads_along(AXES):
            yield "short prices"
        if not one and not few and self.instance.dimension <= TRIED:
            yield "first prices"
            few = self.gap_ahead() <= PROMISING
        prices = ["prices"] if n_rows <= MOST_ROWS or few else []
        soon = not few or matrix == "sdp" and self.instance.many_axes
        yield from [matrix, *prices] if soon else [*prices, matrix]
        if n_rows <= MOST_TREE:
            yield "longer tree"

    def take(self, method):
        """Try a method, and keep what it found."""
        most = self.seconds_of(method)
        method = "prices" if method in FIRST else method
        if method in self.done:
            return
        always = ["trivial", "line"] if self.given is not None else ["trivial", "line", "search"]
        if self.deadline.left() <= 0 and method not in always:
            self.stop_reason = "time_limit"
            return
        check_room()
        self.gaps = []
        if method == "sum" and not self.prove_groups_again():
            self.stop_reason = "time_limit"
            return
        begin = monotonic()
        with Held() as held:  # what a method has found is kept before Ctrl-C takes effect
            try:
                evidence = METHODS[method](self.instance, self.incumbent, self.run_of(method, held, most))
                held.begin()
            finally:
                self.seconds[method] = self.seconds.get(method, 0.0) + monotonic() - begin
            if evidence is not None and most < math.inf and evidence.stop_reason == "time_limit":
                evidence = replace(evidence, stop_reason="unresolved", again=True)
            self.accept(method, evidence)
        if evidence is None:
            self.done.append(method)
            return
        self.report_progress(method)
        if evidence.stop_reason == "interrupted":
            raise KeyboardInterrupt
        optimal = evidence.optimal or evidence.lower >= self.incumbent.cost
        claimed = optimal and evidence.proof is not None
        self.claim = (evidence, method) if claimed else self.claim
        if evidence.stop_reason in ("proved", "unresolved") and not evidence.again:
            self.done.append(method)
            self.inner.pop(method, None)
        if claimed:
            self.confirm(evidence, method)

    def seconds_of(self, method):
        """At most for a method, as far as its name says that."""
        if method not in FIRST:
            return math.inf
        short = max(SHORTEST, SHORT * len(self.instance.rows) ** 2)
        return min(short if method == "short prices" else math.inf, self.deadline.left(TRYING))

    def run_of(self, method, held, most):
        """What a method may take, and whom it tells."""
        known = self.inner.get(method)
        return replace(
            self.run,
            held=held,
            report=lambda inertia=math.inf, lower=0.0: self.report_progress(method, inertia, lower),
            known=known() if callable(known) else known,
            most=most,
            keep=lambda known: self.keep({method: known}),
        )

    def accept(self, method, evidence):
        """Keep the clustering and the bound that a method found."""
        if evidence is None:
            return
        self.found = self.found or evidence.labels is not None or evidence.lower > 0
        if evidence.labels is not None:
            self.offer(evidence.labels)
        if evidence.lower > self.best.lower:
            self.bounds = [*self.bounds, Bound(evidence, method)]
        if evidence.stop_reason != "unresolved":
            self.stop_reason = evidence.stop_reason

    def offer(self, labels):
        """Take a clustering if it is better than the incumbent."""
        labels = np.asarray(labels, np.int32)
        if self.incumbent is not None and np.array_equal(labels, self.incumbent.labels):
            return
        cost = self.problem.cost(labels)
        if self.incumbent is None or cost < self.incumbent.cost:
            self.incumbent = Clustering(labels, cost)

    def closed(self):
        """Whether there is nothing left to do. That the gap is closed is said of bounds that the checker has accepted."""
        if self.status is not None:
            return True
        enough = self.incumbent.cost * (1 - Fraction(self.run.gap))
        if self.best.lower >= enough:
            self.check_bound()
        if self.best.lower < enough:
            return False
        if self.best.lower < self.incumbent.cost:
            late = "time_limit" if self.deadline.left(1.0) <= 0 else "unchecked"
            self.stop_reason = "gap" if self.best.accepted else late
        return True

    def gap_ahead(self):
        """The gap that the latest method is likely to leave in the end, from what it did in the second half of its time."""
        gap, now = float_up(1 - self.best.lower / self.incumbent.cost), monotonic()
        told = [own for own in self.gaps if own[0] <= (self.gaps[0][0] + now) / 2] if self.gaps else []
        if not told or now <= told[-1][0] or self.deadline.seconds == math.inf:
            return gap
        when, before = told[-1]
        return gap * min(1.0, gap / max(before, 1e-300)) ** (SLOWER * self.deadline.left() / (now - when))

    def report_progress(self, method, inertia=math.inf, lower=0.0):
        inertia = min(inertia, float_up(self.incumbent.cost))
        lower = min(inertia, max(lower, float_down(self.best.lower)))
        if lower < inertia:
            self.gaps.append((monotonic(), 1 - lower / inertia))
        if self.progress is not None:
            self.progress(method, inertia, lower)

    # ---- What the checker says

    def confirm(self, evidence, method):
        """Ask the checker whether the incumbent is optimal, and if it is the only one; returns what it found, as `ask` does."""
        self.claim = evidence, method
        self.keep(now=True)
        found = self.ask("optimal", evidence)
        if found is not None and found[0] >= self.incumbent.cost:
            self.closing = Bound(evidence, method, True)
            n_rows, n_weighted = self.instance.n_rows, np.count_nonzero(self.instance.row_of >= 0)
            few = n_rows < self.instance.n_clusters and n_rows < n_weighted  # equal rows may be parted
            self.status = "optimal-unique" if found[1] and not few else "optimal"
            self.stop_reason = "proved"
        elif found is None and self.deadline.left(1.0) <= 0:
            self.stop_reason = "time_limit"
        if self.status is None and (found is not None or self.refused):
            self.claim = None
        return found

    def ask(self, status, evidence):
        """The lower bound that the checker finds, and whether it rules out all other clusterings; None if it finds none."""
        labels = (self.incumbent if status != "bounded" else self.published).labels
        found = self._asked(
            lambda: self._text(labels, status, evidence.proof, evidence.lower),
            lambda text: bound_of(text, self.deadline.end),
        )
        return found and (found[0] / self.problem.unit, found[1])

    def prove_groups_again(self):
        """Ask the checker about the groups of a file; False where the time is up before that."""
        known = self.inner.get("sum")
        if not isinstance(known, dict):
            return True
        return groups_proved_again(known, self.bounds_of)

    def bounds_of(self, proofs):
        """Those that the checker finds in some proofs, None for each that it refuses; None where the time is up before that."""
        found = self._asked(
            lambda: self._text(self.incumbent.labels, "bounded", trivial_proof(), Fraction(0)),
            lambda text: bounds_of(text, proofs, self.deadline.end),
        )
        return found and [bound and bound / self.problem.unit for bound in found]

    def _text(self, labels, status, proof, lower):
        if self.problem.metric == "cosine":  # what is asked is about the problem of squared distances
            closed, zero = None if status == "bounded" else [0, *labels.tolist()], Fraction(0)
            return proof_text(
                self.problem,
                self.instance.n_clusters,
                labels.tolist(),
                "bounded",
                proof,
                zero,
                True,
                zero,
                closed,
            )
        return proof_text(self.problem, self.instance.n_clusters, labels.tolist(), status, proof, lower)

    def _asked(self, text, checker):
        begin, self.refused = monotonic(), False
        if self.deadline.left(1.0) <= READING * self.instance.X.size:
            return None
        try:
            return checker(text())
        except (Expired, MemoryError, Refused) as error:
            self.refused = isinstance(error, Refused)
            return None
        finally:
            self.seconds["check"] = self.seconds.get("check", 0.0) + monotonic() - begin

    def check_bound(self):
        """Have the checker accept the best bound, while there is time: what it finds to be less is as much as it finds, or gone."""
        while not self.best.accepted and self.deadline.left(1.0) > 0:
            best, found = self.best, self.ask("bounded", self.best.evidence)
            if found is None and not self.refused:
                return
            others = [own for own in self.bounds if own is not best]
            if found is not None:
                least = replace(best.evidence, lower=min(found[0], best.lower))
                others.append(Bound(least, best.method, True))
            if not others:
                return
            self.bounds = others

    # ---- What is handed over

    @property
    def published(self):
        """The clustering that the certificate is for: the one that was given, or the best."""
        return self.incumbent if self.given is None or self.given.cost == self.incumbent.cost else self.given

    def certificate(self):
        """What is known now."""
        if self.status is None and self.stop_reason == "proved":
            self.stop_reason = "unchecked"
        best = None
        if self.status is not None:
            best = self.as_certificate(self.incumbent, self.incumbent.cost, self.closing, self.status)
        if (best is None or self.published is not self.incumbent) and self.stop_reason != "interrupted":
            self.check_bound()
        best = best or self.as_certificate(self.incumbent, self.best.lower, self.best, "bounded")
        if self.published is self.incumbent:
            return best
        return self.as_certificate(self.given, self.best.lower, self.best, "bounded", best)

    def as_certificate(self, clustering, lower, bound, status, better=None):
        return Certificate(
            self.problem,
            self.instance.n_clusters,
            clustering.labels,
            clustering.cost,
            min(lower, clustering.cost),
            status,
            self.stop_reason,
            bound.method,
            bound.evidence.proof,
            dict(self.seconds),
            better,
            bound.accepted,
        )
