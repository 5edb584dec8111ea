"""Lloyd's iteration: rows to their nearest centers, centers to the means of their rows, until nothing changes."""

from typing import NamedTuple

import numpy as np

from ._kernels import lloyd as kernels
from .workers import split

BLOCK_WORK = 1 << 21  # coordinate differences in a block: some milliseconds


class Clustering(NamedTuple):
    """Labels that are the nearest centers, and the inertia of these labels with these centers."""

    labels: np.ndarray
    centers: np.ndarray
    inertia: float


class Incumbent:
    """The best clustering seen so far; always a complete one, whenever the search is cut off."""

    def __init__(self):
        self.best = None

    def offer(self, clustering):
        """Keep the clustering if it is better than all before."""
        if self.best is None or clustering.inertia < self.best.inertia:
            self.best = clustering


class Rows:
    """The rows to cluster, as the kernels want them, and the threads that run the kernels.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous
    sample_weight : ndarray of shape (n_samples,), float64, or None for ones
    workers : Workers
    reach : ndarray, optional
        Centers from elsewhere that are to be compared with the rows.

    Notes
    -----
    Float64 data whose largest magnitude is outside 2**-300 .. 2**300 are scaled by a power of two, exactly, so that no
    square overflows or vanishes; weights likewise. `unscale` takes results back.
    """

    def __init__(self, X, sample_weight, workers, reach=None):
        self.exponent = _exponent(X if reach is None else np.array([X.max(), X.min(), reach.max(), reach.min()]))
        self.X = np.ldexp(X.astype(np.float64, copy=False), -self.exponent) if self.exponent else X
        self.weight_exponent = 0 if sample_weight is None else _exponent(sample_weight)
        self.sample_weight = np.empty(0) if sample_weight is None else np.ldexp(sample_weight, -self.weight_exponent)
        self.n_samples, self.n_features = X.shape
        self.workers = workers
        self.n_distances = 0  # squared distances computed so far: the machine-independent measure of work

    def weights(self):
        """The weights as an array of shape (n_samples,), ones included."""
        return self.sample_weight if len(self.sample_weight) else np.ones(self.n_samples)

    def run(self, kernel, n_centers):
        """Call kernel(start, stop) over all rows, blocks sized for work on n_centers distances a row."""
        self.n_distances += self.n_samples * n_centers
        size = max(1, BLOCK_WORK // (self.n_features * n_centers + 8))
        self.workers.run(kernel, split(self.n_samples, size))

    def sum(self, kernel, n_centers, *shapes):
        """Add up over slabs what kernel(start, stop, *outs) adds to zeroed outs and returns: (total, *outs).

        The slabs depend on the shape of the data alone and are added in order, so the sums have the same bits for
        every number of threads.
        """
        self.n_distances += self.n_samples * n_centers
        longest = (8 * BLOCK_WORK) // (self.n_features * n_centers + 8)
        size = max(1, 4 * max(shape[0] for shape in shapes), min(longest, max(4096, -(-self.n_samples // 64))))
        slabs = split(self.n_samples, size)
        outs = [np.zeros((len(slabs), *shape)) for shape in shapes]
        totals = [0.0] * len(slabs)

        def slab(index, start, stop):
            totals[index] = kernel(start, stop, *[out[index] for out in outs])

        self.workers.run(slab, [(index, *rows) for index, rows in enumerate(slabs)])
        total = None if totals[0] is None else sum(totals)
        return total, *[out[0] if len(slabs) == 1 else out.sum(axis=0) for out in outs]

    def assign(self, centers):
        """Labels of the exact nearest centers, ties to the lowest index."""
        labels = np.empty(self.n_samples, np.int32)
        centers_t = np.ascontiguousarray(centers.T)

        def block(start, stop):
            scratch = np.empty(len(centers) + 16 * self.n_features + 1)
            kernels.assign(self.X, centers, centers_t, start, stop, scratch, labels)

        self.run(block, len(centers))
        return labels

    def update(self, labels, centers):
        """The means of the labels (a center without weight stays), their masses, the inertia with the old centers."""

        def slab(start, stop, shifts, masses):
            return kernels.accumulate(self.X, self.sample_weight, labels, centers, start, stop, shifts, masses)

        inertia, shifts, masses = self.sum(slab, 1, centers.shape, (len(centers),))
        return centers + shifts / np.where(masses > 0, masses, 1)[:, None], masses, inertia

    def distances(self, centers):
        """Squared distances of every row to every center, of shape (n_samples, n_clusters)."""
        out = np.empty((self.n_samples, len(centers)))
        centers_t = np.ascontiguousarray(centers.T)
        self.run(lambda start, stop: kernels.distances(self.X, centers_t, start, stop, out), len(centers))
        return out

    def clustering(self, centers):
        """The rows with their nearest centers."""
        labels = self.assign(centers)
        return Clustering(labels, centers, self.update(labels, centers)[2])

    def scale(self, centers):
        """Centers in the units of the kernels."""
        return np.ascontiguousarray(np.ldexp(centers, -self.exponent) if self.exponent else centers)

    def unscale(self, clustering):
        """A clustering in the units of the data; an inertia beyond the range of float64 is inf."""
        with np.errstate(over="ignore", under="ignore"):
            inertia = float(np.ldexp(clustering.inertia, 2 * self.exponent + self.weight_exponent))
            return clustering._replace(centers=np.ldexp(clustering.centers, self.exponent), inertia=inertia)


def _exponent(values):
    largest = max(float(values.max()), -float(values.min()))
    exponent = int(np.frexp(largest)[1])
    return exponent if largest and not -300 < exponent < 300 else 0


def lloyd(rows, centers, max_iter, tol, incumbent):
    """Lloyd's iteration from given centers (Lloyd 1982, IEEE Trans. Inf. Theory 28:129-137).

    Parameters
    ----------
    rows : Rows
    centers : ndarray of shape (n_clusters, n_features), float64
    max_iter : int or None
        Most updates of the centers; None for no limit.
    tol : float
        Stop when an iteration lowers the inertia by no more than this share; 0 goes on until no label changes.
    incumbent : Incumbent
        Is offered the clustering of every iteration.

    Returns
    -------
    clustering : Clustering
    n_iter : int
        Updates of the centers.
    stop_reason : {"converged", "tol", "max_iter"}
    """
    previous, last, n_iter, stalled = None, np.inf, 0, set()
    while True:
        labels = rows.assign(centers)
        means, masses, inertia = rows.update(labels, centers)
        here = Clustering(labels, centers, inertia)
        incumbent.offer(here)
        if previous is not None and np.array_equal(labels, previous):
            return here, n_iter, "converged"
        if inertia >= last:  # progress below rounding, or, where these labels stalled before, rounding going in circles
            stall = hash(labels.tobytes())
            if stall in stalled:
                return here, n_iter, "converged"
            stalled.add(stall)
        if n_iter and tol > 0 and last - inertia <= tol * last:
            return here, n_iter, "tol"
        if n_iter == max_iter:
            return here, n_iter, "max_iter"
        centers = relocate(rows, labels, means, masses)
        previous, last, n_iter = labels, inertia, n_iter + 1


def relocate(rows, labels, means, masses):
    """Move each center without weight to the row whose own cluster lowers the inertia most, one after the other.

    With fewer distinct rows than clusters there is no such row in the end; what is left over lies on center 0 or 1, where,
    ties going to the lowest index, it stays empty.
    """
    empty = np.flatnonzero(masses == 0)
    if not len(empty):
        return means
    labels, gains, weights = labels.copy(), np.empty(rows.n_samples), rows.weights()
    for n_filled, k in enumerate(empty):
        rows.run(
            lambda start, stop: kernels.removal_gains(
                rows.X, rows.sample_weight, labels, means, masses, start, stop, gains
            ),
            1,
        )
        row = gains.argmax()
        old = labels[row]
        if gains[row] == 0:
            means[empty[n_filled:]] = means[np.flatnonzero(masses)[0]]
            break
        masses[old] -= weights[row]
        means[old] -= weights[row] / masses[old] * (rows.X[row] - means[old])
        means[k], masses[k], labels[row] = rows.X[row], weights[row], k
    return means


def settle(rows, clustering):
    """Round off a fixed point: centers that are the means of the labels to the last bit, as far as labels allow."""
    for _ in range(3):
        means, _, inertia = rows.update(clustering.labels, clustering.centers)
        clustering = clustering._replace(inertia=inertia)
        if np.array_equal(means, clustering.centers) or not np.array_equal(rows.assign(means), clustering.labels):
            break
        clustering = clustering._replace(centers=means, inertia=rows.update(clustering.labels, means)[2])
    return clustering
