"""Where the centers start: k-means++, greedy or plain, or rows at random."""

import math

import numpy as np

from .._kernels import panels as panel_kernels
from .._kernels import seeding as kernels

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
    """Distances that follow as centers come; scores tell which rows a center can be nearer to, and only these are computed."""

    def __init__(self, rows, n_clusters):
        super().__init__(rows)
        rows.panels.choose_dtype(rows.take(np.arange(n_clusters) * rows.n_samples // n_clusters))
        size = 8 + (1 + rows.n_features) * rows.panels.dtype.itemsize
        narrow = size > MOST * rows.n_features * rows.X.dtype.itemsize and rows.n_samples >= MANY
        rows.panels.drop() if narrow else rows.panels.pack()
        self.thresholds = np.full(rows.n_samples, np.inf, rows.panels.dtype)
        self.passed = np.empty(-(-rows.n_samples // rows.panels.n_rows), np.uint64)
        self.margin = kernels.score_error(
            rows.panels.max_norm, rows.panels.max_norm, rows.n_features, rows.panels.dtype == np.float64
        )

    def _parts(self, start, stop):
        """What the kernels take of the rows of a slab."""
        rows, own = self.rows, slice(start, stop)
        p = slice(start // rows.panels.n_rows, -(-stop // rows.panels.n_rows))
        return (
            rows.X[own],
            rows.sample_weight[own],
            self.closest[own],
            self.thresholds[own],
            self.passed[p],
            p,
        )

    def gains(self, candidates):
        """By how much the inertia would fall with each candidate as one more center. Only one has nothing to win."""
        return self.falls(candidates)[1].ravel()[: len(candidates)]

    def falls(self, candidates):
        """The same summed up as `Rows.sum` does."""
        rows, n = self.rows, len(candidates)
        packed = rows.panels.packed_centers(candidates)
        eights = np.zeros((-(-n // 8), 8, rows.n_features))
        eights.reshape(-1, rows.n_features)[:n] = -candidates
        eights = np.ascontiguousarray(eights.transpose(0, 2, 1))

        def slab(start, stop, sums):
            X, weights, closest, thresholds, passed, p = self._parts(start, stop)
            panels = rows.panels.arrays_or_empty()[0][p]
            panel_kernels.screen(X, panels, packed, rows.panels.scores(), thresholds, passed)
            if n > 1:
                kernels.gains(
                    X, weights, closest, passed, rows.panels.n_rows, panel_kernels.in_use(), eights, sums
                )

        return rows.sum(slab, n, (len(eights), 8))

    def lower(self, center):
        """Take one of the candidates whose gains were asked for last."""
        rows, counts = self.rows, np.empty(len(self.slabs), np.intp)

        def slab(s, start, stop):
            X, weights, closest, thresholds, passed, _ = self._parts(start, stop)
            self.masses[s], counts[s] = kernels.take(
                X,
                weights,
                center,
                passed,
                rows.panels.n_rows,
                rows.origin,
                rows.panels.scale,
                self.margin,
                closest,
                thresholds,
            )

        rows.workers.run(slab, [(s, *slab) for s, slab in enumerate(self.slabs)])
        rows.n_distances += int(counts.sum())
        rows.n_spared += rows.n_samples - int(counts.sum())


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
