"""Where the centers start: k-means++, greedy or plain, or rows at random."""

import math

import numpy as np

from .._kernels import panels as panel_kernels
from .._kernels import seeding as kernels
from .directed import make_whole, stored
from .screen8 import screen_rows

# Rows from this number up share their memory between panels and what k-means++ knows of each row (a distance and a threshold).
MANY = 1 << 18
# Multiple of the memory of X that both together may take there; else rows are packed on the way, in each pass.
MOST = 1.5


def kmeans_plusplus(rows, n_clusters, rng, n_candidates=None, indices=None):
    """k-means++ with weights: each center is a row drawn by its weighted squared distance to those before.

    Of several draws, the one that lowers the inertia most is taken.

    Parameters
    ----------
    rows : Rows
    n_clusters : int
    rng : RandomState or Generator
    n_candidates : int, optional
        Draws for each center; by default 2 + log(n_clusters), which is greedy k-means++. 1 is k-means++ as it was first.
    indices : ndarray of shape (n_clusters,), int, optional
        Is filled with the numbers of the rows.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
        Copies of the first center fill up where there are fewer distinct rows with weight than clusters.

    References
    ----------
    Arthur & Vassilvitskii (2007), "k-means++: the advantages of careful seeding", SODA, 1027-1035; the greedy form
    is in its section 5.
    """
    n_candidates = n_candidates or count_candidates(n_clusters)
    distances = rows.follow(n_clusters)
    centers, drawn = np.empty((n_clusters, rows.n_features)), distances.draw(rng, 1)
    indices = np.empty(n_clusters, np.intp) if indices is None else indices
    centers[:], indices[:] = rows.take(drawn), drawn
    for k in range(n_clusters):
        candidates = rows.take(drawn)
        best = distances.gains(candidates).argmax()
        centers[k], indices[k] = candidates[best], drawn[best]
        distances.lower(centers[k])
        if k + 1 == n_clusters or not distances.masses.any():
            break
        drawn = distances.draw(rng, n_candidates)
    return centers


def count_candidates(n_clusters):
    """How many rows greedy k-means++ draws for each center, to take the best."""
    return 2 + int(math.log(n_clusters))


class Distances:
    """Squared distances of the rows to the nearest of some centers, and draws of rows by them.

    Parameters
    ----------
    rows : Rows
    closest : ndarray of shape (n_samples,), float64, optional
        The squared distances; by default those to no center, inf.

    Attributes
    ----------
    masses : ndarray of shape (n_slabs,)
        Sums of weight times squared distance, of weight where there is no center. The slabs depend on the shape alone.
    """

    def __init__(self, rows, closest=None):
        self.rows, self.slabs = rows, rows.slabs()
        self.closest = np.full(rows.n_samples, np.inf) if closest is None else closest
        self.masses = np.array([self._masses(slab).sum() for slab in self.slabs])

    def _masses(self, slab):
        """Masses of the rows of a slab."""
        start, stop = slab
        weights = self.rows.sample_weight[start:stop]
        if self.closest[start] == np.inf:
            return weights if len(weights) else np.ones(stop - start)
        return weights * self.closest[start:stop] if len(weights) else self.closest[start:stop]

    def draw(self, rng, n):
        """Indices of n rows, drawn by their masses: the slab first, where there are several."""
        if len(self.slabs) == 1:
            return self.draw_in_slabs({0: rng.uniform(size=n)})[0]
        slabs = draw(np.cumsum(self.masses), rng, n)
        wanted = {s: rng.uniform(size=np.count_nonzero(slabs == s)) for s in np.unique(slabs).tolist()}
        drawn = np.empty(n, np.intp)
        for s, found in zip(wanted, self.draw_in_slabs(wanted)):
            drawn[slabs == s] = self.slabs[s][0] + found
        return drawn

    def draw_in_slabs(self, wanted):
        """Places in the slabs s that `wanted` has, for numbers wanted[s] in [0, 1)."""
        return [place(np.cumsum(self._masses(self.slabs[s])), numbers) for s, numbers in wanted.items()]


class Screened(Distances):
    """Distances that follow as centers come; scores tell which rows a center can be nearer to, and only these are computed.

    Scores are those of panels, or lower bounds from bytes where these take less time: the same sums either way, since a row
    that comes no closer adds exactly zero.
    """

    def __init__(self, rows, n_clusters):
        super().__init__(rows)
        self.n_candidates = count_candidates(n_clusters)
        rows.panels.choose_dtype(rows.take(np.arange(n_clusters) * rows.n_samples // n_clusters))
        self.by_bytes = rows.panels.screen.keep_for_draws(rows, n_clusters, self.n_candidates)
        if not self.by_bytes:
            self._pack()
        self.thresholds = np.full(rows.n_samples, np.inf, rows.panels.dtype)
        # Bit r of passed[c, p]: whether candidate c can be nearer to row r of panel p. By panels, one for all candidates.
        self.passed = self.candidates = self.panel_rows = None
        self.gained = 0.0  # nanoseconds that bytes have spared, as estimated
        self.margin = kernels.score_error(
            rows.panels.max_norm, rows.panels.max_norm, rows.n_features, rows.panels.dtype == np.float64
        )

    def _pack(self):
        """Have the rows in panels, if there is memory for them."""
        rows = self.rows
        make_whole(rows)
        size = 8 + (1 + rows.n_features) * rows.panels.dtype.itemsize
        narrow = size > MOST * rows.n_features * rows.X.dtype.itemsize and rows.n_samples >= MANY
        rows.panels.drop() if narrow else rows.panels.pack()

    def _parts(self, start, stop):
        """What the kernels take of the rows of a slab."""
        rows, own = self.rows, slice(start, stop)
        X, lengths = stored(rows.X)
        return X[own], lengths[own], rows.sample_weight[own], self.closest[own]

    def _panels(self, start, stop):
        """The panels of the rows of a slab."""
        return slice(start // self.panel_rows, -(-stop // self.panel_rows))

    def _units(self):
        """Room for rows that are to be divided by their lengths."""
        rows = self.rows
        return np.empty((kernels.room() if len(stored(rows.X)[1]) else 0, rows.n_features))

    def gains(self, candidates):
        """By how much the inertia would fall with each candidate as one more center. Only one has nothing to win."""
        return self.falls(candidates)[1].ravel()[: len(candidates)]

    def falls(self, candidates):
        """The same summed up as `Rows.sum` does."""
        rows, n = self.rows, len(candidates)
        screen, instructions = self._screen(candidates), panel_kernels.in_use()
        eights = np.zeros((-(-n // 8), 8, rows.n_features))
        eights.reshape(-1, rows.n_features)[:n] = -candidates
        eights = np.ascontiguousarray(eights.transpose(0, 2, 1))

        def slab(start, stop, sums):
            screen(start, stop)
            if n > 1:
                passed = np.bitwise_or.reduce(self.passed[:, self._panels(start, stop)])
                of_rows, units = self._parts(start, stop), self._units()
                kernels.gains(*of_rows, passed, self.panel_rows, instructions, eights, units, sums)

        return rows.sum(slab, n, (len(eights), 8))

    def _screen(self, candidates):
        """The function that marks rows of a slab that candidates can be nearer to."""
        rows, screen, first = self.rows, self.rows.panels.screen, self.closest[0] == np.inf
        by_bytes = self.by_bytes and screen.rows8 is not None and (self.gained >= 0 or first)
        if self.by_bytes and not by_bytes:
            self.by_bytes = False
            self._pack()
        self.panel_rows = screen_rows() if by_bytes else rows.panels.n_rows
        n_masks, n_panels = len(candidates) if by_bytes else 1, -(-rows.n_samples // self.panel_rows)
        if self.passed is None or self.passed.shape != (n_masks, n_panels):
            self.passed = np.empty((n_masks, n_panels), np.uint64)
        self.candidates = candidates
        if by_bytes and first:
            every = (1 << self.panel_rows) - 1
            self.passed[:], self.passed[:, -1] = every, every >> -rows.n_samples % self.panel_rows
            return lambda start, stop: None
        if by_bytes:
            return screen.nearer(rows, candidates, self.thresholds, self.passed)
        packed = rows.panels.packed_centers(candidates)

        def by_scores(start, stop):
            p = self._panels(start, stop)
            panels = rows.panels.arrays_or_empty()[0][p]
            of_rows = self.thresholds[start:stop], self.passed[0, p]
            panel_kernels.screen(rows.X[start:stop], panels, packed, rows.panels.scores(), *of_rows)

        return by_scores

    def lower(self, center):
        """Take one of the candidates whose gains were asked for last."""
        rows, counts = self.rows, np.empty((len(self.slabs), 2), np.intp)
        taken = np.flatnonzero((self.candidates == center).all(axis=1))[0] if len(self.passed) > 1 else 0

        def slab(s, start, stop):
            *of_rows, closest = self._parts(start, stop)
            self.masses[s], *counts[s] = kernels.take(
                *of_rows,
                center,
                self.passed[taken, self._panels(start, stop)],
                self.panel_rows,
                rows.origin,
                rows.panels.scale,
                self.margin,
                self._units(),
                closest,
                self.thresholds[start:stop],
            )

        rows.workers.run(slab, [(s, *slab) for s, slab in enumerate(self.slabs)])
        n_passed, n_nearer = counts.sum(axis=0).tolist()
        rows.n_distances += n_passed
        rows.n_spared += rows.n_samples - n_passed
        if self.by_bytes:
            n_vain = (n_passed - n_nearer) * len(self.candidates)
            self.gained += rows.panels.screen.spared_by_draws(rows, len(self.candidates), n_vain)


class Approached(Distances):
    """Distances that follow as centers come, many at a time, and whose they are."""

    def __init__(self, rows):
        super().__init__(rows)
        self.owners, self.n_centers = np.zeros(rows.n_samples, np.int32), 0

    def approach(self, new):
        """Lower the squared distances by new centers."""
        rows = self.rows
        labels, known = rows.panels.assign(new), rows.norms_of(new)

        def slab(s, start, stop):
            own = slice(start, stop)
            self.masses[s] = rows.approach(
                known, new, labels, self.n_centers, start, stop, self.closest[own], self.owners[own]
            )

        rows.workers.run(slab, [(s, *slab) for s, slab in enumerate(self.slabs)])
        rows.n_distances += rows.n_samples
        self.n_centers += len(new)

    def owned(self, n_centers):
        """The weight of the rows that are nearest to each center."""
        return self.owned_sums(n_centers)[1]

    def owned_sums(self, n_centers):
        """The same summed up as `Rows.sum` does."""
        weights = self.rows.sample_weight

        def slab(start, stop, out):
            out += np.bincount(
                self.owners[start:stop], weights[start:stop] if len(weights) else None, n_centers
            )

        return self.rows.sum(slab, 0, (n_centers,))


def random_rows(rows, n_clusters, rng):
    """Rows drawn without replacement by their weights; rows without weight only where the others do not suffice."""
    if not len(rows.sample_weight):
        return rows.take(rng.choice(rows.n_samples, n_clusters, replace=False))
    weights = rows.sample_weight
    p = weights / weights.sum()  # can vanish next to a weight that is 1e308 times as large
    n_heavy = min(n_clusters, np.count_nonzero(p))
    chosen = rng.choice(rows.n_samples, n_heavy, replace=False, p=p)
    light = np.flatnonzero(p == 0)
    light = light[np.argsort(-weights[light], kind="stable")][: n_clusters - n_heavy]
    return rows.take(np.concatenate([chosen, light]))


def draw(cumulated, rng, n):
    """Indices of n rows drawn by their masses, given cumulated; never one without mass."""
    return place(cumulated, rng.uniform(size=n))


def place(cumulated, numbers):
    """The rows that numbers in [0, 1) stand for."""
    drawn = np.searchsorted(cumulated, numbers * cumulated[-1], side="right")
    return np.minimum(drawn, np.searchsorted(cumulated, cumulated[-1]))  # the last row with mass
