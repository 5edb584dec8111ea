"""Small data: whole searches, and labels of a few rows, in one compiled call; steps from Python would take longer than they do.

The results have the same bits as those of restarts.py and rows.py. What the kernels find unusual goes that way.
"""

import math
from threading import Lock

import numpy as np

from ._kernels import lloyd, panels
from ._kernels import small as kernels
from .exact import TINY
from .rules import MOST_RESTARTS, PATIENCE, RULES
from .seeding import count_candidates
from .workers import split

MOST_ROWS = 4096  # sums go through one slab up to here (rows.py)
ITERATION_WORK = 1 << 20  # coordinate differences in an iteration: hundreds of them take less than 20 ms
SLICE_WORK = 1 << 27  # coordinate differences after which a call returns: less than 20 ms
BLOCK_WORK = 1 << 24  # those that are worth a thread: a millisecond or two
ITERATIONS = 16  # in a restart: what is expected
SWAPS = 8  # numbers for swaps, in times of the patience with them, at first
FEW = 1 << 16  # coordinate differences in the labels of a few rows
LARGEST = 2.0**300  # magnitudes above this, and below its inverse, are scaled (rows.py)
ONES = np.empty(0)
DONE, LEFT, SHORT, PAUSE = range(4)  # what the kernels return (src/small.pyx)


class Unusual(Exception):
    """The kernels for small data leave these to others."""


class Plan:
    """How to fit small data with n_features to n_clusters; arguments as those of local_search."""

    def __init__(self, n_features, n_clusters, init, n_init, max_iter, polish):
        given = isinstance(init, np.ndarray)
        self.possible = given or isinstance(init, str) and init == "k-means++"
        self.n_features, self.n_clusters = n_features, n_clusters
        self.init = init if given else np.empty((0, n_features))
        self.n_init = 1 if given or n_clusters == 1 else MOST_RESTARTS if n_init == "auto" else n_init
        self.swapped = n_init == "auto" and self.n_init > 1
        n_candidates = count_candidates(n_clusters)
        self.n_numbers = 0 if given else self.n_init * (1 + (n_clusters - 1) * n_candidates)
        if self.swapped:
            self.n_numbers += SWAPS * max(PATIENCE, n_clusters)
        most_distances = SLICE_WORK * n_clusters // ((n_features + 3) * (n_clusters + 8))
        self.settings = np.array(
            [n_candidates, most_distances, self.n_init, self.swapped, polish, -1 if max_iter is None else max_iter,
             panels.in_use(), *RULES], float,
        )  # fmt: skip

    def work(self, n_samples):
        """Coordinate differences in an iteration, as rows.py counts them."""
        return n_samples * (self.n_features + 3) * (self.n_clusters + 8)

    def suits(self, n_samples):
        """Whether so many rows (or each entry of an array of numbers of rows) are few enough."""
        return (n_samples <= MOST_ROWS) & (self.work(n_samples) <= ITERATION_WORK) & self.possible

    def blocks(self, n_samples):
        """Runs of restarts that do not depend on each other, each worth a thread."""
        worth = BLOCK_WORK // (ITERATIONS * self.work(n_samples))
        return split(self.n_init, self.n_init if self.swapped else max(1, worth))

    def scratch(self, X):
        """Room for a search over as many rows."""
        return np.empty(
            kernels.room(len(X), self.n_features, self.n_clusters, self.settings, X.dtype.char == "d")
        )


class Search:
    """A search over one item, as that of restarts.py; it can be concluded as soon as there is a `best`."""

    def __init__(self, plan, X, sample_weight, numbers, workers):
        self.plan, self.X, self.numbers, self.workers = plan, X, numbers, workers
        self.weights = ONES if sample_weight is None else sample_weight
        self.n_numbers = plan.n_numbers
        self.ends = np.empty((plan.n_init, 3))  # inertia, updates, and whether max_iter stopped each restart
        self.best = None  # scratch with the best of all restarts
        self.labels = np.empty(len(X), np.int32)
        self.centers = np.empty((1, plan.n_clusters, plan.n_features))
        self.report = np.empty((1, 7))  # of src/small.pyx
        self._lock, self._idle, self._apart = Lock(), [], False

    def run(self, progress=None, on_threads=True):
        """Make all restarts.

        Raises
        ------
        Unusual
        Expired
            When the time is up; `conclude` then has what was found until then.
        """
        n_init = self.plan.n_init
        if progress is not None:
            self.best = self.plan.scratch(self.X)
            for n in range(n_init):
                self._restarts(self.best, -1 if n else 0, n + 1)
                inertia, _, _, finished = kernels.standing(self.best)
                progress(n + 1, inertia)
                if finished:
                    break
        elif on_threads and len(blocks := self.plan.blocks(len(self.X))) > 1 and self.workers.n_threads > 1:
            self._apart = True
            self.ends.fill(np.inf)
            self.numbers.look(self.n_numbers)  # not in a thread
            self.workers.run(self._block, blocks)
        else:
            self.best = self.plan.scratch(self.X)
            numbers = self.numbers.look(self.n_numbers).reshape(1, self.n_numbers)
            if kernels.fits(
                self.X, self.weights, np.array([0, len(self.X)]), 0, 1, self.plan.init, numbers, self.plan.settings,
                self.best, self.ends, self.labels, self.centers, self.report,
            ):  # fmt: skip
                self._restarts(self.best, -1, n_init, -self.report[0, 0])
            else:
                self.conclude = self.result

    def _restarts(self, scratch, start, stop, status=DONE):
        """Restarts up to number `stop`: from `start` on in a new search, or those that follow in that in scratch."""
        while True:
            if status == LEFT:
                raise Unusual
            if status == SHORT:
                self.n_numbers *= 2
            if start < 0:
                self.workers.check_time()
            status = kernels.restarts(
                self.X, self.weights, start, stop, self.plan.n_clusters, self.plan.init,
                self.numbers.look(self.n_numbers), self.plan.settings, scratch, self.ends,
            )  # fmt: skip
            if status == DONE:
                return
            start = -1

    def _block(self, start, stop):
        """Independent restarts, in a thread."""
        with self._lock:
            scratch = self._idle.pop() if self._idle else self.plan.scratch(self.X)
        try:
            self._restarts(scratch, start, stop)
        finally:
            with self._lock:  # of restarts that are as good, the first counts
                if self.best is None or kernels.standing(scratch)[:2] < kernels.standing(self.best)[:2]:
                    scratch, self.best = self.best, scratch
                if scratch is not None:
                    self._idle.append(scratch)

    def conclude(self):
        """The result of the restarts made. Raises Unusual."""
        n_restarts = kernels.standing(self.best)[2]
        if self._apart:  # those made, in several searches, up to the first that leaves nothing to lower
            self.ends = self.ends[np.isfinite(self.ends[:, 0])]
            n_restarts = len(self.ends) if self.ends[:, 0].all() else int(self.ends[:, 0].argmin()) + 1
        if kernels.conclude(
            self.X, self.weights, not len(self.plan.init), n_restarts, self.ends, self.best, self.labels,
            self.centers[0], self.report[0],
        ):  # fmt: skip
            raise Unusual
        return self.result()

    def result(self):
        """Labels, centers, and what the kernel reports of them."""
        return self.labels, self.centers[0], self.report[0].tolist()


# ---- a few rows, and centers from elsewhere: None where this is not the quickest way, or the numbers are not safe ----


def plain(X):
    """Whether X is an array that needs no conversion, and is small: the checks that it needs are quickly made."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype.char in "df"
        and X.flags.c_contiguous
        and X.flags.aligned
        and X.dtype.isnative
        and 0 < X.size <= FEW
    )


def finite(X):
    """Whether all numbers are finite."""
    return kernels.extent(X) < math.inf


def _plain(X, centers):
    return plain(X) and plain(centers) and centers.dtype.char == "d" and len(X) * centers.size <= FEW


def _quick(X, centers):
    if not _plain(X, centers):
        return False
    extent = max(kernels.extent(X), kernels.extent(centers))
    return 1 / LARGEST <= extent < LARGEST / 2 or extent == 0


def labels_of(X, centers):
    """The nearest centers, as Rows.nearest."""
    return _labels(X, centers) if _plain(X, centers) else None


def _labels(X, centers):
    labels = np.empty(len(X), np.int32)
    kernels.label_rows(X, centers, np.empty(centers.size + len(centers)), labels)
    return labels


def distances_to(X, centers):
    """Distances to all centers."""
    if not _quick(X, centers):
        return None
    out = np.empty((len(X), len(centers)))
    lloyd.distances(X, np.ascontiguousarray(centers.T), 0, len(X), out)
    return np.sqrt(out, out) if out.min() >= TINY else roots(out, X, centers)


def roots(squares, X, centers, exponent=0):
    """Distances in the units of the data, from squares in units of 2**exponent; those whose squares may have vanished anew."""
    with np.errstate(over="ignore", under="ignore"):
        distances = np.ldexp(np.sqrt(squares), exponent)
    if squares.min() < TINY:
        rows, nearby = np.nonzero(squares < TINY)
        for some in np.array_split(np.arange(len(rows)), 1 + X.shape[1] * len(rows) // FEW):
            away = X[rows[some]].astype(np.float64) - centers[nearby[some]]
            longest = np.abs(away).max(axis=1)
            shares = away / np.where(longest > 0, longest, 1)[:, None]
            distances[rows[some], nearby[some]] = longest * np.sqrt((shares**2).sum(axis=1))
    return distances


def inertia_of(X, centers):
    """The sum of the squared distances to the nearest centers."""
    if len(X) > MOST_ROWS or not _quick(X, centers):
        return None
    labels = _labels(X, centers)
    inertia = lloyd.accumulate(
        X, ONES, labels, centers, 0, len(X), np.zeros_like(centers), np.zeros(len(centers))
    )
    return inertia if inertia >= TINY else None
