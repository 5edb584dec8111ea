"""Small data: whole searches, and labels of a few rows, in one compiled call; a call for each step would take longer.

The results have the same bits as those of restarts.py and rows.py, which are used for everything that the kernels find unusual.
CONTRIBUTING.md sets the two side by side, step by step.
"""

import math
from collections import namedtuple
from functools import lru_cache
from threading import Lock

import numpy as np

from .._kernels import lloyd, panels
from .._kernels import small as kernels
from ..rationals import TINY
from ..workers import split
from . import stopping
from .seeding import count_candidates
from .stopping import MOST_RESTARTS, PATIENCE

# Rows of small data: up to this number the sums of rows.py go through one slab, as those of the kernels do.
MOST_ROWS = 4096
# Coordinate differences in an iteration over small data: hundreds of iterations take less than 20 ms, after which a call returns.
ITERATION_WORK = 1 << 20
# Coordinate differences after which a call returns: less than 20 ms. More would make Ctrl-C late.
SLICE_WORK = 1 << 27
# Coordinate differences that are worth a thread of their own: a millisecond or two.
BLOCK_WORK = 1 << 24
# Iterations that a restart is expected to take, for the size of blocks.
ITERATIONS = 16
# Random numbers that are drawn at a time: some milliseconds, 8 MB.
MOST_NUMBERS = 1 << 20
# Random numbers for swaps that a search begins with, in multiples of the patience with swaps. With too few it has to be asked
# for more, with too many they are drawn in vain.
SWAPS = 8
# Coordinate differences in the labels of a few rows: up to this number one call without blocks or threads is the quickest.
FEW = 1 << 16
# Magnitudes above this, and below its inverse, are scaled (rows.py).
LARGEST = 2.0**300
# Counts beyond this mean no limit.
MOST = 2**62
ONES = np.empty(0)  # as weights: they are all 1

# Records that the kernels take and fill: the structs of these names, with the same fields, are in src/problem.pxd.
SETTINGS = np.dtype(
    [
        ("n_candidates", np.intp),
        ("most_distances", np.intp),
        ("n_init", np.intp),
        ("swapped", np.intp),
        ("polished", np.intp),
        ("max_iter", np.intp),
        ("instructions", np.intp),
        ("enough_hits", np.intp),
        ("easy_hits", np.intp),
        ("patience", np.intp),
        ("most_orders", np.intp),
        ("same", np.float64),
        ("easy_work", np.float64),
        ("most_work", np.float64),
        ("work_ratio", np.float64),
        ("swap_reach", np.float64),
        ("polish_reach", np.float64),
    ]
)
END = np.dtype([("inertia", np.float64), ("n_iter", np.intp), ("at_max_iter", np.intp)])
REPORT = np.dtype(
    [
        ("status", np.intp),
        ("inertia", np.float64),
        ("n_iter", np.intp),
        ("at_max_iter", np.intp),
        ("n_restarts", np.intp),
        ("n_hits", np.intp),
        ("n_recomputed", np.intp),
        ("n_labelled", np.intp),
    ]
)
# What the kernels return, and the status of a report: whether a search is done, or why not (src/search.pxd).
DONE, UNSUPPORTED, NEEDS_NUMBERS, PAUSED, NEEDS_DOUBLE = range(5)


class Unsupported(Exception):
    """The kernels for small data leave these to others."""


Report = namedtuple("Report", REPORT.names)


def as_bytes(records):
    """Records as the kernels take them: for a small search it would take long to compare the fields in each call."""
    return records.view(np.uint8)


@lru_cache(maxsize=256)
def _settings(**values):
    """SETTINGS as the kernels take them; a setting that is not given is the constant of stopping.py."""
    settings = np.zeros(1, SETTINGS)
    for name in SETTINGS.names:
        settings[name] = values[name] if name in values else getattr(stopping, name.upper())
    return as_bytes(settings)


def iteration_work(n_samples, n_features, n_clusters):
    """Coordinate differences in an iteration, about."""
    return n_samples * (n_features + 3) * (n_clusters + 8)


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
        self.n_seeds = 0 if given else 1 + (n_clusters - 1) * n_candidates
        self.n_numbers = self.n_init * self.n_seeds
        if self.swapped:
            self.n_numbers += SWAPS * max(PATIENCE, n_clusters)
        most_distances = SLICE_WORK * n_clusters // ((n_features + 3) * (n_clusters + 8))
        self.settings = _settings(
            n_candidates=n_candidates,
            most_distances=most_distances,
            n_init=min(self.n_init, MOST),
            swapped=self.swapped,
            polished=polish,
            max_iter=-1 if max_iter is None else min(max_iter, MOST),
            instructions=panels.in_use(),
            most_work=stopping.SMALL_WORK,
        )

    def work(self, n_samples):
        """Coordinate differences in an iteration, as rows.py counts them."""
        return iteration_work(n_samples, self.n_features, self.n_clusters)

    def suits(self, n_samples):
        """Whether n_samples rows are few enough, or each entry of an array of such numbers."""
        return (n_samples <= MOST_ROWS) & (self.work(n_samples) <= ITERATION_WORK) & self.possible

    def share(self, n_samples):
        """Number of restarts that are worth a thread."""
        return max(1, BLOCK_WORK // (ITERATIONS * self.work(n_samples)))

    def memory(self, X):
        """What a search over as many rows needs."""
        double = X.dtype.char == "d"
        return np.empty(kernels.room(len(X), self.n_features, self.n_clusters, self.settings, double))

    def workspace(self, X):
        """A search over as many rows, in which nothing is found yet."""
        return kernels.Workspace(self.memory(X))


class Search:
    """A search over one item, as that of restarts.py; it can be concluded as soon as it `has_clustering`."""

    def __init__(self, plan, X, sample_weight, numbers, workers):
        self.plan, self.X, self.numbers, self.workers = plan, X, numbers, workers
        self.weights = ONES if sample_weight is None else sample_weight
        self.n_numbers = plan.n_numbers
        self.ends = []  # arrays of END, for each restart
        # With several searches: the workspace with the best of all restarts, and its inertia and number.
        self.best, self.rank = None, (math.inf, 0)
        self.labels = np.empty(len(X), np.int32)
        self.centers = np.empty((1, plan.n_clusters, plan.n_features))
        self.report = np.empty(1, REPORT)
        self._lock, self._idle, self._apart, self._concluded = Lock(), [], False, False

    @property
    def has_clustering(self):
        """Whether there is a clustering."""
        return self.best is not None and self.best.inertia < math.inf

    def run(self, progress=None, on_threads=True):
        """Make all restarts.

        Raises
        ------
        Unsupported
        Expired
            When the time is up; `conclude` then has what was found until then.
        """
        n_init = self.plan.n_init
        size = self.plan.share(len(self.X)) if progress is None else 1
        if on_threads and not self.plan.swapped and size < n_init:
            self._run_apart(size, progress)
            return
        self.best, ends = self.plan.workspace(self.X), np.empty(n_init, END)
        self.ends = [ends]
        if progress is not None:
            for n in range(n_init):
                self._restarts(self.best, -1 if n else 0, n + 1, ends)
                progress(n + 1, self.best.inertia)
                if self.best.finished:
                    break
            return
        numbers = self.numbers.peek(self.n_numbers).reshape(1, self.n_numbers)
        self._concluded = not kernels.fits(
            self.X,
            self.weights,
            np.array([0, len(self.X)]),
            0,
            1,
            self.plan.init,
            numbers,
            self.plan.settings,
            self.best,
            as_bytes(ends),
            self.labels,
            self.centers,
            as_bytes(self.report),
        )
        if not self._concluded:
            self._restarts(self.best, -1, n_init, ends, status=self.report["status"][0])

    def _run_apart(self, size, progress):
        """Restarts that do not depend on each other, `size` of them in a search: on threads, or one by one with progress."""
        n_init, n_seeds, self._apart = self.plan.n_init, self.plan.n_seeds, True
        mark, stop = self.numbers.mark(), 0
        try:
            while stop < n_init and self.rank[0] > 0:
                start, stop = stop, min(n_init, stop + max(size, MOST_NUMBERS // n_seeds))
                numbers = self.numbers.uniform((stop - start) * n_seeds)
                ends = np.zeros(stop - start, END)
                ends["inertia"] = np.inf
                self.ends.append(ends)
                blocks = [
                    (start + a, numbers[a * n_seeds : b * n_seeds], ends[a:b])
                    for a, b in split(stop - start, size)
                ]
                if progress is None:
                    self.workers.run(self._block, blocks)
                    continue
                for block in blocks:
                    self.workers.run(self._block, [block])
                    progress(block[0] + 1, self.rank[0])
                    if self.rank[0] == 0:
                        break
        except Unsupported:
            self.numbers.back(mark)
            raise

    def _restarts(self, workspace, start, stop, ends, numbers=None, status=DONE):
        """Restarts up to number `stop`: a new search from number `start`, or if that is negative on with the one there is."""
        while True:
            if status == UNSUPPORTED:
                raise Unsupported
            if status == NEEDS_NUMBERS:
                self.n_numbers *= 2
            if start < 0:
                self.workers.check_time()
            status = kernels.restarts(
                self.X,
                self.weights,
                start,
                stop,
                self.plan.n_clusters,
                self.plan.init,
                self.numbers.peek(self.n_numbers) if numbers is None else numbers,
                self.plan.settings,
                workspace,
                as_bytes(ends),
            )
            if status == DONE:
                return
            start = -1

    def _block(self, first, numbers, ends):
        """Independent restarts from number `first` on, in a search of their own."""
        with self._lock:
            workspace = self._idle.pop() if self._idle else self.plan.workspace(self.X)
        workspace.clear()
        try:
            self._restarts(workspace, 0, len(ends), ends, numbers)
        finally:
            rank = workspace.inertia, first + workspace.best_restart
            with self._lock:  # of restarts that are as good, the first counts
                if rank[0] < math.inf and rank < self.rank:
                    workspace, self.best, self.rank = self.best, workspace, rank
                if workspace is not None:
                    self._idle.append(workspace)

    def conclude(self):
        """Labels and centers, the result of the restarts made, and the Report of them. Raises Unsupported."""
        if not self._concluded:
            n_restarts, ends = self.best.n_restarts, self.ends[0]
            if self._apart:  # those made, in several searches, up to the first that leaves nothing to lower
                ends = np.concatenate(self.ends)
                ends = ends[np.isfinite(ends["inertia"])]
                inertia = ends["inertia"]
                n_restarts = len(ends) if inertia.all() else int(inertia.argmin()) + 1
            if kernels.conclude(
                self.X,
                self.weights,
                not len(self.plan.init),
                n_restarts,
                as_bytes(ends),
                self.best,
                self.labels,
                self.centers[0],
                as_bytes(self.report),
            ):
                raise Unsupported
        return self.labels, self.centers[0], Report(*self.report[0].item())


# ---- a few rows, and centers from elsewhere: None where this is not the quickest way, or the numbers are not safe ----


def is_small_float_array(X):
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


def is_finite(X):
    """Whether all numbers are finite."""
    return kernels.extent(X) < math.inf


def _are_small_float_arrays(X, centers):
    return (
        is_small_float_array(X)
        and is_small_float_array(centers)
        and centers.dtype.char == "d"
        and centers.shape[1] == X.shape[1]
        and len(X) * centers.size <= FEW
    )


def _safe_and_small(X, centers):
    if not _are_small_float_arrays(X, centers):
        return False
    extent = max(kernels.extent(X), kernels.extent(centers))
    return 1 / LARGEST <= extent < LARGEST / 2 or extent == 0


def labels_of(X, centers):
    """The nearest centers, as Rows.nearest."""
    return _labels(X, centers) if _are_small_float_arrays(X, centers) and is_finite(centers) else None


def _labels(X, centers):
    labels = np.empty(len(X), np.int32)
    kernels.label_rows(X, centers, np.empty(centers.size + len(centers)), labels)
    return labels


def distances_to(X, centers):
    """Distances to all centers."""
    if not _safe_and_small(X, centers):
        return None
    out = np.empty((len(X), len(centers)))
    lloyd.distances(X, np.ascontiguousarray(centers.T), 0, len(X), out)
    return np.sqrt(out, out) if out.min() >= TINY else roots(out, X, centers)


def roots(squares, X, centers, exponent=0):
    """Distances in the units of the data, from squares in units of 2**exponent; computed anew if these may have vanished."""
    with np.errstate(over="ignore", under="ignore"):
        distances = np.ldexp(np.sqrt(squares), exponent)
    if squares.min() < TINY:
        rows, nearby = np.nonzero(squares < TINY)
        for some in np.array_split(np.arange(len(rows)), 1 + X.shape[1] * len(rows) // FEW):
            taken = X[rows[some]]
            taken = taken.toarray() if hasattr(taken, "toarray") else taken
            away = taken.astype(np.float64) - centers[nearby[some]]
            longest = np.abs(away).max(axis=1)
            shares = away / np.where(longest > 0, longest, 1)[:, None]
            distances[rows[some], nearby[some]] = longest * np.sqrt((shares**2).sum(axis=1))
    return distances


def inertia_of(X, centers):
    """The sum of the squared distances to the nearest centers."""
    if X.shape[0] > MOST_ROWS or not _safe_and_small(X, centers):
        return None
    inertia = inertia_with(X, _labels(X, centers), centers)
    return inertia if inertia >= TINY else None


def inertia_with(X, labels, centers):
    """The inertia of few rows with these labels, as Rows.update."""
    return lloyd.accumulate(
        X, ONES, labels, centers, 0, len(X), np.zeros_like(centers), np.zeros(len(centers))
    )
