"""Closing the gap that a semidefinite bound leaves: what its multipliers rule out, a smaller problem of what is left, and branches.

Partitions that cost no more than the incumbent satisfy what the checker's `settled` says (docs/proofs.md, "sdp"), once k items are known to
be apart. Where two of these are not yet known to be, they are put together in one branch, whose bound is soon above the incumbent's
cost. What is settled becomes one item for each cluster, so that the next bound is of few items, and better; where that settles
no more, the item that the matrix is least sure of is with a cluster in one branch, and not in the other.
"""

import math
from fractions import Fraction
from itertools import combinations
from time import monotonic
from typing import NamedTuple

import numpy as np

from ..check import settled
from ..exact.items import Items
from ..exact.semidefinite import Ascent, time_left
from ..workers import Expired
from .proof_lines import branch_proof, line_of, semidefinite_proof, trivial_proof

# In a branch the search for a bound ends after STALE rounds without progress, or where it is BEYOND the incumbent's cost, in proportion.
STALE, BEYOND = 12, 1e-7
# Items of each cluster that may be its seed.
CANDIDATES = 6
# Sweeps over the clusters, from as many seeds to begin with, by which seeds are chosen.
SWEEPS = 12
# Pairs of seeds, for each cluster, that may need a branch of all items.
MISSING = 1.5
# A branch is made where the items that are left would be more than this share of those that are there.
SHRUNK = 0.9
# Branches within branches; and the sum of n**3 over all matrices of n items, for which the checker takes some 1e-8 s, and gives up beyond.
DEEPEST, MOST_CHECKED = 30, 6e9
# Shares of the time after which a proof is tried, where at most MOST_OPEN of the rows are undecided, and the gap is below WORTH.
SHARES, MOST_OPEN, WORTH = (0.125, 0.25, 0.5, 0.75, 1.0), 0.7, Fraction(3, 1000)
# For that there is this share of the time that the search for the bound took: prices are next, which end in 0.3 s for 345 rows in 6 features,
# k=4, that branches do not close in 28 s.
TRYING = 0.5


class Stuck(Exception):
    """No proof is in sight."""


class Node(NamedTuple):
    """Some items, in an `Ascent`; the first row of each; the cluster of each in the incumbent, or None where it is not among these
    partitions; and the depth."""

    ascent: Ascent
    first: list
    labels: np.ndarray | None
    depth: int = 0


class Closing:
    """A search for the proof that an incumbent is optimal.

    Parameters
    ----------
    n_clusters : int
    cost : Fraction
        Of the incumbent, in units of the items.
    check : callable()
        Raises `Expired` where the time is up.
    most_open : float
        Share of the rows that may be left undecided in the beginning.
    """

    def __init__(self, n_clusters, cost, check, most_open):
        self.k, self.cost, self.check, self.most_open = n_clusters, cost, check, most_open
        self.left = MOST_CHECKED

    def proof(self, node, found):
        """Its lines, and the bound that these state, for the partitions of a node and a `SemidefiniteBound` of them.

        Raises
        ------
        Expired
            Where the time is up.
        Stuck
            Where there is no proof that the incumbent is optimal.
        """
        self.check()
        self.left -= len(node.first) ** 3
        if self.left < 0:
            raise Stuck
        own = semidefinite_proof(*found[1:-2])
        if found.bound > self.cost:
            return own, found.bound
        slack = -((found.bound - self.cost) * 4**found.scale // 1)
        N = _multipliers(found, slack)
        labels = found.labels if node.labels is None else node.labels
        seeds, missing = self.seeds(node, N, np.unique(labels, return_inverse=True)[1])
        if seeds is None or len(missing) > MISSING * self.k or missing and node.depth > 2:
            raise Stuck
        apart = [*node.ascent.apart, *missing]
        may = self.settled(node, found, seeds, apart, slack)
        togethers = [
            self.together(node, apart[: len(node.ascent.apart) + at], i, j, None)
            for at, (i, j) in enumerate(missing)
        ]
        lines, bound = self.rest(node, own, seeds, apart, may)
        for (i, j), (side, least) in zip(reversed(missing), reversed(togethers)):
            lines, bound = branch_proof(node.first[i], node.first[j], side, lines), min(bound, least)
        return lines, bound

    def seeds(self, node, N, labels):
        """An item of each cluster, as far apart as can be shown, and the pairs of them of which it is not."""
        n, k = len(N), self.k
        if labels.max() + 1 < k:
            return None, None
        w = np.array([float(own) for own in node.ascent.items.weights])
        clusters = (labels[:, None] == np.arange(k)).astype(float)
        far = N @ clusters / (w @ clusters)
        far[np.arange(n), labels] = np.inf
        most = np.lexsort((-far.min(axis=1), -w))
        if w.max() < 2 * w.mean():
            most = np.argsort(-far.min(axis=1), kind="stable")
        own = [most[labels[most] == c][:CANDIDATES] for c in range(k)]
        among = np.concatenate(own)
        V = _excess(N, w, among, node.ascent.apart)
        places = np.split(np.arange(len(among)), np.cumsum([len(some) for some in own])[:-1])
        best = _one_of_each(places, np.minimum(V, 0) / w.sum() - (V <= 0))
        pairs = sorted((V[a, b], a, b) for a, b in combinations(best, 2) if V[a, b] <= 0)
        missing = [tuple(sorted((int(among[a]), int(among[b])))) for _, a, b in pairs]
        return [int(among[at]) for at in best], missing

    def together(self, node, apart, i, j, labels):
        """The proof where two items are together."""
        groups = [i if at == j else at for at in range(len(node.first))]
        return self.child(node, groups, apart, labels)

    def settled(self, node, found, seeds, apart, slack):
        """What the checker's function of this name says where the seeds are apart."""
        N = [[v << found.shift for v in row] for row in found.below]
        cuts = [(*cut, a << found.shift) for *cut, a in found.cuts]
        among, foes = [[i] for i in seeds], _foes(len(N), apart)
        may = settled(node.ascent.items.weights, among, foes, N, cuts, slack, _Unlimited())
        if may is None:
            raise Stuck
        n_open = sum(own.bit_count() > 1 for own in may)
        if all(may) and not node.depth and self.k + n_open > self.most_open * len(N):
            raise Stuck
        return may

    def rest(self, node, own, seeds, apart, may):
        """The proof where the seeds are apart."""
        n = len(node.first)
        lines = [*own, line_of("seeds", seeds)]
        if not all(may):
            return lines, self.cost
        held = [at.bit_length() - 1 if at.bit_count() == 1 else None for at in may]
        # With all of them held what is settled is the incumbent, which is among these partitions.
        if node.labels is not None and None not in held:
            return lines, self.cost
        first = [held.index(c) for c in range(self.k)]
        if len(first) + held.count(None) <= SHRUNK * n:
            groups = [i if c is None else first[c] for i, c in enumerate(held)]
            others = [
                (first[c], i)
                for i, own in enumerate(may)
                if held[i] is None
                for c in range(self.k)
                if not own >> c & 1
            ]
            pairs = [*apart, *combinations(first, 2), *others]
            inside, bound = self.child(node, groups, pairs, node.labels)
            return [*lines, "left", *inside], min(bound, self.cost)
        if node.depth >= DEEPEST:
            raise Stuck
        i, j = self.least_sure(node, may, held, first)
        return self.split(node, apart, i, j)

    def least_sure(self, node, may, held, first):
        """An item that is undecided, and the first one of the cluster that it is likely to be in."""
        relaxation = node.ascent.relaxation
        Z = relaxation.near * np.outer(relaxation.inverse, relaxation.roots)
        shares = np.zeros((len(held), self.k))
        for j, c in enumerate(held):
            if c is not None:
                shares[:, c] += Z[:, j]
        open_to = np.array([[own >> c & 1 for c in range(self.k)] for own in may])
        shares = np.where(open_to, shares, -1)
        shares[[c is not None for c in held]] = -1
        second = np.sort(shares, axis=1)[:, -2]
        i = int(second.argmax())
        return tuple(sorted((i, first[int(shares[i].argmax())])))

    def split(self, node, apart, i, j):
        same = node.labels is not None and node.labels[i] == node.labels[j]
        a, least = self.together(node, apart, i, j, node.labels if same else None)
        b, bound = self.child(node, range(len(node.first)), [*apart, (i, j)], None if same else node.labels)
        return branch_proof(node.first[i], node.first[j], a, b), min(least, bound)

    def child(self, node, groups, apart, labels):
        """The proof of a smaller node: for each item the first one that it is put together with, itself if there is none."""
        self.check()
        firsts = sorted(set(groups))
        place = {own: at for at, own in enumerate(firsts)}
        groups = np.array([place[own] for own in groups])
        pairs = sorted({tuple(sorted((int(groups[i]), int(groups[j])))) for i, j in apart})
        if any(i == j for i, j in pairs):
            return trivial_proof(), self.cost + 1
        items = node.ascent.items.merged(groups.tolist())
        labels = None if labels is None else np.asarray(labels)[firsts]
        first = [node.first[i] for i in firsts]
        if len(firsts) == self.k:
            bound = items.within()
            if bound < self.cost:
                raise Stuck  # a better clustering: it is for the search to find
            return trivial_proof(), bound
        begin = np.arange(len(firsts)) % self.k
        ascent = Ascent(items, self.k, begin, self.cost, pairs, (node.ascent, groups))
        if ascent.run(-BEYOND, check=self.check, stale=STALE) == "interrupted":
            raise KeyboardInterrupt
        return self.proof(Node(ascent, first, labels, node.depth + 1), ascent.found())


class _Unlimited:
    """Takes the place of the checker's reader, which counts steps."""

    def room(self, numbers, bits=0):
        pass

    spend = room


def _multipliers(found, slack):
    """Those of the entries, over the slack."""
    n, unit = len(found.mu), float(Fraction(1 << found.shift, max(1, slack)))
    N = np.zeros((n, n))
    for i, row in enumerate(found.below):
        N[i, :i] = row
    return np.maximum((N + N.T) * unit, 0)


def _excess(N, w, among, apart):
    """By how much, above 0, some items are shown to be apart from each other: what `check.settled` looks at, without its cuts."""
    foes = np.zeros((len(N), len(N)), bool)
    for i, j in apart:
        foes[i, j] = foes[j, i] = True
    V = np.empty((len(among), len(among)))
    for at, i in enumerate(among):
        less = np.minimum(2 * (N[i] + N[among]) - w, 0)
        less[foes[among] | foes[i]] = 0
        less[:, i] = less[np.arange(len(among)), among] = 0
        V[at] = 2 * N[i, among] - w[i] - w[among] + less.sum(axis=1)
        V[at, foes[i, among]] = w.sum()
    return V - 1e-9 * w.sum()


def _one_of_each(places, worth):
    """A place of each cluster, so that all pairs of them are worth most: one cluster after the other is improved, from some starts."""
    best, value = None, -np.inf
    for begin in range(SWEEPS):
        chosen = [some[begin % len(some)] for some in places]
        for _ in range(SWEEPS):
            for c, some in enumerate(places):
                others = chosen[:c] + chosen[c + 1 :]
                chosen[c] = some[worth[np.ix_(some, others)].sum(axis=1).argmax()]
        total = worth[np.ix_(chosen, chosen)][~np.eye(len(places), dtype=bool)].sum()
        if total > value:
            best, value = list(chosen), total
    return best


def _foes(n, apart):
    foes = [0] * n
    for i, j in apart:
        foes[i] |= 1 << j
        foes[j] |= 1 << i
    return foes


def prove_by_matrix(
    rows, weights, n_clusters, labels, cost, *, gap=0.0, max_seconds=None, progress=None, check=lambda: None
):
    """As `semidefinite_bound`; and the lines of a proof that the labels are optimal, or None."""
    begin, lines = monotonic(), None
    ascent = Ascent(Items.of(rows, weights), n_clusters, labels, cost)
    begin, max_seconds = monotonic(), time_left(begin, max_seconds)
    labels, end = np.unique(labels, return_inverse=True)[1], math.inf

    def check_time():
        check()
        if monotonic() > end:
            raise Expired

    for share in SHARES:
        left = None if max_seconds is None else max(0.0, share * max_seconds - (monotonic() - begin))
        stop_reason = ascent.run(gap, left, progress, check)
        found = ascent.found(stop_reason)
        if stop_reason != "interrupted" and Fraction(gap) * cost < cost - found.bound < WORTH * cost:
            most_open, now = MOST_OPEN if stop_reason == "time_limit" else 1.0, monotonic()
            end = min(now + TRYING * (now - begin), math.inf if max_seconds is None else begin + max_seconds)
            try:
                node = Node(ascent, list(range(len(rows))), labels)
                lines, bound = Closing(n_clusters, cost, check_time, most_open).proof(node, found)
                lines = lines if bound >= cost else None
            except KeyboardInterrupt:
                return found._replace(stop_reason="interrupted"), None
            except (Expired, Stuck, np.linalg.LinAlgError):
                pass
        if lines or stop_reason != "time_limit":
            break
    return found, lines
