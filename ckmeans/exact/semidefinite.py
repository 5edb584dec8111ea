"""The semidefinite bound (Peng & Wei 2007), with cuts: for few clusters in many features.

For a partition let Z[i, j] = 1 / (weight of the cluster of i and j), and 0 for rows that are in different ones. With the Gram
matrix G of the weighted rows, all matrices scaled by the roots r of the weights, a partition into k clusters costs
trace G - <G, Z>; Z is a projection of rank k with Z r = r; Z >= 0; and it satisfies the cuts of src/semidefinite.pyx. So for
any M with <M, Z> >= 0 for all these Z (a sum of nonnegative multiples of entries and of cuts), with K = G + M and P the
projection to what is orthogonal to r, it costs at least

    trace G - r' K r / r' r - sum of the k - 1 greatest eigenvalues of P K P,

as Z - r r' / r' r is a projection of rank k - 1 too. The best M is found by alternating directions: between the projections,
which takes eigenvalues, and the matrices that satisfy what is known of the cuts.
"""

import math
from copy import copy
from fractions import Fraction
from functools import cached_property
from time import monotonic
from typing import NamedTuple

import numpy as np

from .._kernels import semidefinite as kernels
from ..check import dot
from ..spectrum import gram, greatest, multiply, product
from ..workers import Expired
from .items import Items
from .principal import rounded
from .subspace import Subspace

# The bound is computed after each round of ROUND steps, and cuts are added after each second round: a step in between costs less. Up to
# step EARLY rounds are of SHORT steps: of 250 rows in 12 features, k=3, that left 0.09 % after 100 steps, and rounds of 25 steps 0.6 %.
ROUND, SHORT, EARLY = 25, 10, 200
# At most CUTS new cuts for each row are added at a time, each violated by more than NEGLIGIBLE times the average of Z[i, i]: with
# more cuts the bound gets better in fewer rounds, but each step is slower.
CUTS, NEGLIGIBLE = 20, 1e-3
# In each step there are three passes over the cuts, in blocks of SLICE cuts, which nothing can interrupt.
PASSES, SLICE = 3, 1 << 18
# The eigenvalues for a step are those of a subspace where they are less than this share of all: beyond, all of them are sooner.
FEW = 1 / 3
# Vectors that are kept besides those that a projection needs, for the next one.
SPARE = 8
# The bound is of exact eigenvalues in each TOLD-th round, where the gap is below EXACT, and in the end: only such a bound is told. In
# between it is of a subspace that is taken nearer to their vectors BOUND times, and may be too high: of 715 rows in 12 features, k=3, it
# was 0.059 % below the cost where the true one was 0.077 %.
TOLD, EXACT, BOUND = 5, 1e-4, 3
# A step goes this much further than to the nearest projection (over-relaxation; between 1 and 2).
OVER = 1.6
# The search ends after this many rounds in which the bound rose by less than PROGRESS times the gap.
STALE, PROGRESS = 24, 1e-4
# A relative gap that counts as closed.
NEAR = 1e-11
# The largest multiplier is written with DIGITS binary digits; the greatest eigenvalue has FINE of them in the units of the proof.
DIGITS, FINE = 32, 100
# Multipliers that are all below this are taken as zero.
NONE = 1e-200


class SemidefiniteBound(NamedTuple):
    """A bound, in units of the rows and weights, and the integers that show it: docs/proofs.md, "sdp", has their meaning.

    The bound is what the checker finds, or a little less: it allows for more rounding. The labels are a clustering of the rows,
    the best one where the relaxation is tight.
    """

    bound: Fraction
    scale: int
    shift: int
    tau: int
    mu: list
    top: list
    below: list
    cuts: list
    labels: np.ndarray
    stop_reason: str


class Relaxation:
    """The matrices of the method of alternating directions.

    Parameters
    ----------
    X : ndarray of shape (n, n_features), float64
    weights : ndarray of shape (n,), float64
        All > 0.
    n_clusters : int
        At least 2, at most n.
    labels : ndarray of shape (n,)
        A clustering to start from.
    apart : ndarray of shape (n_pairs, 2), optional
        Items that are not in the same cluster.
    """

    def __init__(self, X, weights, n_clusters, labels, apart=()):
        self.n, self.k, self.roots = len(X), n_clusters, np.sqrt(weights)
        self.inverse, self.mass = 1 / self.roots, float(weights.sum())
        A = (X - np.average(X, axis=0, weights=weights)) * self.roots[:, None]
        self.gram = gram(np.ascontiguousarray(A.T))
        # The greatest eigenvalue of the Gram matrix, which it is divided by.
        self.size = greatest(gram(A) if X.shape[1] <= self.n else self.gram, 1, vectors=False)[0].item()
        self.gram /= self.size
        self.mean = np.outer(self.roots, self.roots) / self.mass
        self.near = np.zeros((self.n, self.n))  # the matrix near the projections that satisfies the cuts
        for label in np.unique(labels):
            own = np.where(labels == label, self.roots, 0.0)
            self.near += np.outer(own, own) / (own @ own)
        self.dual, self.below = np.zeros((self.n, self.n)), np.zeros((self.n, self.n))
        self.cuts, self.by = np.zeros((0, 3), np.int32), np.zeros(0)
        first, second = np.array(apart, int).reshape(-1, 2).T
        self.apart_pairs = np.concatenate([first, second]), np.concatenate([second, first])
        self.penalty, self.n_vectors = 1.0, 2 * self.k + SPARE
        self.subspace = Subspace(self.roots / math.sqrt(self.mass))

    def begin_like(self, other, groups):
        """Go on from where another relaxation is, of items that are put together here: those of the same group, numbered from 0."""
        ratio = other.size / self.size
        of = np.zeros((self.n, other.n))
        of[groups, np.arange(other.n)] = other.roots / self.roots[groups]
        near, below = (product(product(of, M), np.ascontiguousarray(of.T)) for M in (other.near, other.below))
        # Of multipliers for two items that are one here nothing is left, and a cut that leaves is one of two items.
        np.fill_diagonal(below, 0)
        cuts, by = groups[other.cuts].astype(np.int32), other.by
        i, j, h = cuts.T
        split, kept = (j == h) & (other.cuts[:, 1] != other.cuts[:, 2]), (i != j) & (i != h)
        by = np.where(split, 2 * by, by)[kept]
        cuts = cuts[kept]
        cuts[:, 1:].sort(axis=1)
        self.cuts, at = np.unique(cuts, axis=0, return_inverse=True)
        self.cuts = np.ascontiguousarray(self.cuts)
        self.by = np.bincount(at.ravel(), by, len(self.cuts)) * ratio
        self.near, self.below = (near + near.T) / 2, (below + below.T) / 2 * ratio
        self.penalty = other.penalty
        self.dual = -self.below
        kernels.combine(self.inverse, self.cuts, -self.by, self.dual)
        self.n_vectors = other.n_vectors
        if len(other.subspace.vectors):
            self.subspace.vectors = product(other.subspace.vectors, np.ascontiguousarray(of.T))
            self.subspace.edge = other.subspace.edge

    def centered(self, M):
        """P M P, but that its eigenvalue for r is far below all others."""
        q = (M * self.roots).sum(axis=1) / self.mass
        P = M - np.outer(q, self.roots) - np.outer(self.roots, q) + self.mean * (q @ self.roots)
        return P - (1 + 4 * np.abs(P).sum(axis=1).max()) * self.mean

    def step(self):
        """To the nearest projection, and from there to the nearest matrix that satisfies the cuts."""
        self.projection = self.mean + self._nearest_projection(
            self.near - self.dual + self.gram / self.penalty
        )
        start = OVER * self.projection + (1 - OVER) * self.near
        # Less the cuts times their multipliers, this is where the step before ended.
        new = start.copy()
        for _ in range(PASSES):
            for at in range(0, len(self.cuts), SLICE):
                kernels.project(new, self.inverse, self.cuts, self.by, at, min(at + SLICE, len(self.cuts)))
            kernels.nonnegative(new, self.below, 0, self.n)
            self.below[self.apart_pairs] -= new[self.apart_pairs]
            new[self.apart_pairs] = 0
        squares = np.empty((self.n, 2))
        kernels.add_up(start, new, self.projection, self.near, self.dual, squares)
        self.apart, self.moved = np.sqrt(squares.sum(axis=0)).tolist()
        self.near = new

    def _nearest_projection(self, M):
        """With eigenvalues between 0 and 1 that add up to k - 1."""
        while True:
            whole = self.n_vectors > FEW * self.n
            if whole:
                values, vectors = greatest(self.centered(M), self.n)
            else:
                values, vectors = self.subspace.greatest(M, self.n_vectors)
            sizes = _cropped(values, self.k - 1)
            if whole or sizes[0] == 0:
                break
            self.n_vectors += max(SPARE, self.n_vectors // 2)
        kept = sizes > 0
        self.n_vectors = int(kept.sum()) + SPARE
        if whole:
            self.subspace.vectors = vectors
            self.subspace.edge = values[-min(self.n, self.n_vectors)]
        return gram(vectors[kept] * np.sqrt(sizes[kept])[:, None])

    def balance(self):
        """Neither of the two sets should pull more than the other."""
        factor = 1.5 if self.apart > 3 * self.moved else 1 / 1.5 if self.moved > 3 * self.apart else 1.0
        self.penalty *= factor
        for own in (self.dual, self.below, self.by):
            own /= factor

    @property
    def is_whole(self):
        """Whether so many vectors are wanted that all are computed."""
        return len(self.subspace.vectors) > FEW * self.n

    def bound(self, exact=True):
        """The bound that the multipliers give now; if not exact, hardly more."""
        K = self.gram - self.penalty * self.dual
        if exact or self.is_whole:
            top, _ = greatest(self.centered(K), self.k - 1, vectors=False)
        else:
            subspace = copy(self.subspace)  # the vectors are near those of the last projection
            for _ in range(BOUND):
                top = subspace.greatest(K, len(subspace.vectors))[0][1 - self.k :]
        mean = (K * np.outer(self.roots, self.roots)).sum() / self.mass
        return float((np.trace(self.gram) - mean - top.sum()) * self.size)

    def multipliers(self):
        """Those of the entries, the cuts, and those of the cuts."""
        return self.penalty * self.below, self.cuts, self.penalty * self.by

    def cut(self):
        """Add the cuts that are violated most, of different rows i and j, and drop the ones without a multiplier."""
        Z, n = self.projection * np.outer(self.inverse, self.inverse), self.n
        Z = np.ascontiguousarray((Z + Z.T) / 2)
        violations, partners = np.empty((n, n)), np.empty((n, n), np.int32)
        for i in range(n):
            kernels.separate(Z, i, i + 1, violations, partners)
        violations = violations.ravel()
        most = np.argpartition(violations, -CUTS * n)[-CUTS * n :] if n > CUTS else np.arange(n * n)
        most = np.sort(most[violations[most] > NEGLIGIBLE * np.diag(Z).mean()])
        cuts = np.column_stack([most // n, most % n, partners.ravel()[most]]).astype(np.int32)
        kept = self.by > 0
        new = cuts[~np.isin(self._keys(cuts), self._keys(self.cuts[kept]))]
        self.cuts = np.ascontiguousarray(np.concatenate([self.cuts[kept], new]))
        self.by = np.concatenate([self.by[kept], np.zeros(len(new))])

    def clustering(self, X):
        """Labels: each row is replaced by a mean of the rows, weighted by how far it is together with each."""
        means = product(self.near * np.outer(self.inverse, self.roots), X)
        at, sq_distances, nearest = int(((means - X.mean(axis=0)) ** 2).sum(axis=1).argmax()), [], math.inf
        while len(sq_distances) < self.k:  # the next center is the mean farthest from those before it
            sq_distances.append(((means - means[at]) ** 2).sum(axis=1))
            nearest = np.minimum(nearest, sq_distances[-1])
            at = int(nearest.argmax())
        return np.argmin(sq_distances, axis=0)

    def _keys(self, cuts):
        return (cuts[:, 0].astype(np.int64) * self.n + cuts[:, 1]) * self.n + cuts[:, 2]


def _leading(M, k):
    """The rows of V, k - 1, and tau, where V'V + tau I - M has no eigenvalue below 0, but for rounding."""
    values, vectors = greatest(M, k)
    own = vectors[1:]
    # LAPACK's vectors are orthogonal, and eigenvectors, to some 1e-13 only: so much more may be the greatest eigenvalue of what they leave.
    off = _norm(multiply(own, M) - values[1:, None] * own)
    skew = _norm(own @ own.T - np.eye(k - 1)) * float(values[-1] - values[0])
    V = own * np.sqrt(np.maximum(values[1:] - values[0], 0))[:, None]
    return V, float(values[0]) + 4 * (off + skew)


def _norm(M):
    return math.sqrt((M * M).sum())


def _cropped(values, total):
    """max(0, min(1, values - shift)) with the shift for which they add up to `total`; values ascend."""
    tails = np.append(values[::-1].cumsum()[::-1], 0.0)

    def above(shifts):  # the sum of max(0, values - shift)
        at = np.searchsorted(values, shifts)
        return tails[at] - (len(values) - at) * shifts

    shifts = np.sort(np.concatenate([values - 1, values]))
    shift = np.interp(-total, above(shifts + 1) - above(shifts), shifts)  # linear between these
    return np.clip(values - shift, 0, 1)


def semidefinite_bound(
    rows, weights, n_clusters, labels, cost, *, gap=0.0, max_seconds=None, progress=None, check=None
):
    """The bound, exact whatever the rounding errors of the search for it; the best found when the time is up.

    Parameters
    ----------
    rows : sequence of n sequences of int
        Distinct.
    weights : sequence of n int
        All > 0.
    n_clusters : int
        At least 2, less than n.
    labels : ndarray of shape (n,)
        A clustering.
    cost : Fraction
        What it costs. The search ends where the bound is as near as `gap` times that, or makes no progress.
    gap : float
    max_seconds : float or None
    progress : callable(lower), optional
        Called with better bounds, Fractions: true but for the rounding of floats, and not proved yet.
    check : callable(), optional
        Called before each step but the first; the search ends where it raises `Expired` or KeyboardInterrupt.

    Returns
    -------
    SemidefiniteBound

    References
    ----------
    Peng & Wei (2007), "Approximating K-means-type clustering via semidefinite programming", SIAM J. Optimization 18:186-205,
    doi:10.1137/050641983. Piccialli, Sudoso & Wiegele (2022), "SOS-SDP: an exact solver for minimum sum-of-squares
    clustering", INFORMS J. Computing 34:2144-2162, doi:10.1287/ijoc.2022.1166. Wen, Goldfarb & Yin (2010), "Alternating
    direction augmented Lagrangian methods for semidefinite programming", Math. Programming Computation 2:203-230,
    doi:10.1007/s12532-010-0017-1.

    Examples
    --------
    >>> rows, labels = [(0,), (2,), (10,), (13,)], np.array([0, 0, 1, 1])
    >>> found = semidefinite_bound(rows, [1, 1, 1, 1], 2, labels, Fraction(13, 2))
    >>> round(float(found.bound), 3)
    6.5
    """
    begin = monotonic()
    search = Ascent(Items.of(rows, weights), n_clusters, labels, cost)
    return search.found(search.run(gap, time_left(begin, max_seconds), progress, check))


def time_left(begin, max_seconds):
    """Seconds for steps, of those since the beginning; making a bound of integers takes as long as making floats of them took."""
    return None if max_seconds is None else max(0.0, max_seconds - 2 * (monotonic() - begin))


class Ascent:
    """The search for the best bound, which may go on after it has ended.

    Parameters
    ----------
    items : Items
    n_clusters, labels, cost : as `semidefinite_bound` has them
    apart : sequence of (int, int)
        Items that are not in the same cluster.
    parent : (Ascent, ndarray), optional
        One to go on from, and for each of its items the one that it is part of here.
    """

    def __init__(self, items, n_clusters, labels, cost, apart=(), parent=None):
        self.items, self.apart = items, apart
        before, groups = parent or (None, None)
        self.scaled = scaled = _Scaled(items, before and before.scaled)
        self.within = items.within()
        self.cost = float((cost - self.within) / scaled.unit)
        self.relaxation = Relaxation(scaled.X, scaled.weights, n_clusters, labels, apart)
        if before:
            self.relaxation.begin_like(before.relaxation, groups)
        self.lower = self.relaxation.bound() if before else -math.inf
        self.best, self.n_steps = self.relaxation.multipliers(), 0

    def run(self, gap=0.0, max_seconds=None, progress=None, check=None, stale=STALE):
        """Go on; returns why that ended. "unresolved": the bound has risen little in so many rounds, or is near enough."""
        begin, relaxation, cost = monotonic(), self.relaxation, self.cost
        n_poor = n_untold = 0
        try:
            while n_poor < stale:
                if check is not None and self.n_steps:
                    check()
                relaxation.step()
                self.n_steps += 1
                late = max_seconds is not None and monotonic() - begin > max_seconds
                steps = SHORT if self.n_steps <= EARLY else ROUND
                if self.n_steps % steps and not late:
                    continue
                n_untold += 1
                exact = late or n_untold == TOLD or self.lower == -math.inf or relaxation.is_whole
                if exact or relaxation.bound(exact=False) > cost * (1 - EXACT):
                    found = relaxation.bound()
                    little = found <= self.lower + n_untold * PROGRESS * (cost - self.lower)
                    n_poor, n_untold = n_poor + n_untold if little else 0, 0
                    if found > self.lower:
                        self.lower, self.best = found, relaxation.multipliers()
                        if progress is not None:
                            progress(self.within + Fraction(found) * self.scaled.unit)
                if late or self.lower >= cost * (1 - max(gap, NEAR) if gap >= 0 else 1 - gap):
                    return "time_limit" if late else "unresolved"
                if self.n_steps % (2 * steps) == 0:
                    relaxation.cut()
                relaxation.balance()
        except KeyboardInterrupt:
            return "interrupted"
        except Expired:
            return "time_limit"
        return "unresolved"

    def found(self, stop_reason="unresolved"):
        """The best bound, as integers."""
        return self.scaled.whole(self.relaxation, self.best, stop_reason)


def spectral_bound(rows, weights, n_clusters):
    """The same without multipliers: the bound of the principal components, by the matrix of the rows.

    Examples
    --------
    >>> found = spectral_bound([(0, 0), (0, 1), (9, 0), (9, 1)], [1, 1, 1, 1], 2)
    >>> round(float(found.bound), 6)
    1.0
    """
    scaled = _Scaled(Items.of(rows, weights))
    relaxation = Relaxation(scaled.X, scaled.weights, n_clusters, np.arange(len(rows)) % n_clusters)
    return scaled.whole(relaxation, relaxation.multipliers(), "unresolved")


class _Scaled:
    """Items with integer weights as floats near 1: mean = 2**exponent * X + center, weight = 4**weight_exponent * weights.

    `like` is one whose exponents are taken."""

    def __init__(self, items, like=None):
        self.items, masses, mass = items, items.weights, sum(items.weights)
        self.center = [sum(column) // mass for column in zip(*items.sums)]
        offs = [[s - w * c for s, c in zip(own, self.center)] for own, w in zip(items.sums, masses)]
        farthest = max(max(map(abs, off)) // w for off, w in zip(offs, masses))
        self.exponent = like.exponent if like else farthest.bit_length()
        self.weight_exponent = like.weight_exponent if like else max(masses).bit_length() // 2
        wide = [w << self.exponent for w in masses]
        self.X = np.array([np.array([v / w for v in off]) for off, w in zip(offs, wide)])
        self.weights = np.array([float(Fraction(w, 4**self.weight_exponent)) for w in masses])
        self.unit = 4 ** (self.exponent + self.weight_exponent)

    @cached_property
    def products(self):
        """Of each item, w x being its sum: c.(2 w x - w c), c the center, and |w x|^2."""
        items, of_center = self.items, dot(self.center, self.center)
        with_center = [2 * dot(self.center, own) - w * of_center for w, own in zip(items.weights, items.sums)]
        return with_center, [dot(own, own) for own in items.sums]

    def whole(self, relaxation, multipliers, stop_reason):
        """Multipliers as integers, and the bound that these prove."""
        (below, cuts, by), k, n = multipliers, relaxation.k, relaxation.n
        roots, inverse = relaxation.roots, relaxation.inverse
        size = Fraction(relaxation.size) * self.unit
        scale = max(0, FINE + 2 * self.weight_exponent + 1 - math.floor(size).bit_length()) // 2
        size *= 4**scale  # one of the relaxation's units, in units of 4**-scale
        below = np.tril(below, -1) * np.outer(roots, roots)
        largest = max(np.abs(below).max(), by.max(initial=0.0))
        if largest < NONE:
            below, by, largest = np.zeros_like(below), np.zeros_like(by), 1.0
        most = math.floor(size * 4**self.weight_exponent * Fraction(largest))
        shift = max(0, most.bit_length() - DIGITS)
        factor = float(size * 4**self.weight_exponent / 2**shift)
        below, by = np.rint(below * factor), np.rint(by * factor)
        cuts, by = np.ascontiguousarray(cuts[by > 0]), by[by > 0]
        # With these multipliers tau I + V V' + (m r' + r m') / 2 - K is 0 for r, and nowhere negative but for rounding.
        K = (below + below.T) * np.outer(inverse, inverse) / factor
        kernels.combine(inverse, cuts, by / factor, K)
        # The center is a row of integers, so the Gram matrix is not quite the centered one.
        A = self.X * roots[:, None]
        K += gram(np.ascontiguousarray(A.T)) / relaxation.size
        centered = relaxation.centered(K)
        V, tau = _leading(centered, k)
        V *= inverse
        q = (K * roots).sum(axis=1) / relaxation.mass
        m = 2 * q - roots * ((q @ roots + tau) / relaxation.mass)
        # Errors are of the size of what was decomposed, in which the eigenvalue for r is far below all others.
        tau += 8 * n * np.finfo(float).eps * _norm(centered)

        tau = math.ceil(Fraction(tau) * size)
        # The rows of V are scaled by the root, since the bound has their squares.
        root = math.isqrt(math.floor(size)) >> self.weight_exponent
        top = rounded(V, root)
        mu = [round(Fraction(x) * size) for x in (m * roots).tolist()]
        # Of the rows themselves, not of what is left when the center is taken off.
        masses, _, squares = self.items
        mu = [one + (of_center << 2 * scale) for one, of_center in zip(mu, self.products[0])]
        spans = [w * sum(v[i] ** 2 for v in top) for i, w in enumerate(masses)]
        # In the checker's factor each remainder in a row is less than the diagonal.
        ends = zip(masses, spans, mu, self.products[1])
        widest = max(2 * (w * (tau + span + own) - (square << 2 * scale)) for w, span, own, square in ends)
        delta = -(-n * (math.isqrt(max(widest, 1)) + 1) // min(masses))
        paid = 2 * (sum(mu) + k * tau + sum(spans)) + k * delta
        return SemidefiniteBound(
            sum(squares) - Fraction(paid, 2 * 4**scale),
            scale,
            shift,
            tau,
            mu,
            top,
            [row[:i] for i, row in enumerate(below.astype(np.int64).tolist())],
            [(*cut, a) for cut, a in zip(cuts.tolist(), by.astype(np.int64).tolist())],
            relaxation.clustering(self.X),
            stop_reason,
        )
