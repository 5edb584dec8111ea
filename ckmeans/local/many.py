"""Many small data sets, each clustered by itself."""

from collections.abc import Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._kernels import small as kernels
from ..arithmetic import usual
from ..frames import as_array, opened
from ..notebook import as_html
from ..validation import (
    check_finite,
    check_flag,
    check_integers,
    check_kinds,
    check_n_clusters,
    check_weights,
    check_whole,
)
from ..workers import Workers
from .random_stream import RandomStream, uniform_rows
from .search import local_search
from .small import (
    BLOCK_WORK,
    DONE,
    END,
    ITERATIONS,
    MOST_NUMBERS,
    NEEDS_NUMBERS,
    ONES,
    PAUSED,
    REPORT,
    UNSUPPORTED,
    Plan,
    Search,
    Unsupported,
    as_bytes,
)

DOUBLE = np.dtype(np.float64)
READY = (DOUBLE, np.dtype(np.float32))
# Multiple of the random numbers that a search begins with, if it swaps centers: to begin anew costs more than to draw them.
MORE_NUMBERS = 4
# Restarts that n_init="auto" is expected to make, for the size of blocks.
EXPECTED_RESTARTS = 6
# What an item takes beside its iterations, in coordinate differences, for the size of blocks.
ITEM_WORK = 1 << 12


class Item(NamedTuple):
    """What was found for one array; see `Clusterings`."""

    labels: np.ndarray
    centers: np.ndarray
    inertia: float
    n_iter: int
    n_restarts: int
    hit_rate: float
    stop_reason: str
    seed: int


@usual
@dataclass(frozen=True, eq=False)
class Clusterings(Sequence):
    """What was found for each of many arrays: a sequence of items, and all of them in arrays.

    Attributes
    ----------
    labels : ndarray of shape (n_items, n_samples), or list of ndarrays of shape (n_samples,); int32
        Index of the nearest center of each row. A list unless all items have as many rows.
    centers : ndarray of shape (n_items, n_clusters, n_features), or list of ndarrays; float64
        The means of the clusters, in lexicographic order. A list unless all are of the same shape.
    inertia : ndarray of shape (n_items,), float64
        Sum of the weighted squared distances of the rows to their centers.
    n_iter, n_restarts : ndarray of shape (n_items,), int64
        Updates of the centers in the restart that was best, and restarts made.
    hit_rate : ndarray of shape (n_items,), float64
        Share of the restarts that reached the best inertia, to a relative 1e-9.
    converged : ndarray of shape (n_items,), bool
        Whether the best restart ended at a fixed point, and not at max_iter.
    seeds : ndarray of shape (n_items,), uint32
        The ``random_state`` with which `KMeans` finds the same.

    Examples
    --------
    >>> from ckmeans import fit_many
    >>> many = fit_many([[[0.0], [1.0], [9.0]], [[0.0], [4.0], [5.0], [6.0]]], 2, random_state=0)
    >>> many
    <2 clusterings of 7 rows>
    >>> many[1].centers.tolist(), many.inertia.tolist()
    ([[0.0], [5.0]], [0.5, 2.0])
    """

    centers: np.ndarray | list
    inertia: np.ndarray
    n_iter: np.ndarray
    n_restarts: np.ndarray
    hit_rate: np.ndarray
    converged: np.ndarray
    seeds: np.ndarray
    _labels: np.ndarray  # of all rows
    _offsets: np.ndarray  # where those of each item begin

    @cached_property
    def labels(self):
        lengths = np.diff(self._offsets)
        if len(lengths) and (lengths == lengths[0]).all():
            return self._labels.reshape(len(lengths), lengths[0])
        return [self._labels[a:b] for a, b in zip(self._offsets[:-1], self._offsets[1:])]

    def __len__(self):
        return len(self.seeds)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        return Item(
            self._labels[self._offsets[i] : self._offsets[i + 1]],
            self.centers[i],
            float(self.inertia[i]),
            int(self.n_iter[i]),
            int(self.n_restarts[i]),
            float(self.hit_rate[i]),
            "converged" if self.converged[i] else "max_iter",
            int(self.seeds[i]),
        )

    def __repr__(self):
        return f"<{len(self)} clusterings of {len(self._labels)} rows>"

    def _repr_html_(self):
        columns = {
            "item": range(len(self)),
            "rows": [f"{n:,}" for n in np.diff(self._offsets)],
            "clusters": [len(centers) for centers in self.centers],
            "inertia": [f"{value:.10g}" for value in self.inertia],
            "restarts": self.n_restarts,
        }
        return as_html(repr(self).strip("<>"), columns)


@usual
def fit_many(
    arrays: Iterable[ArrayLike],
    n_clusters: int | Sequence[int],
    *,
    n_init: int | Literal["auto"] = "auto",
    max_iter: int | None = None,
    polish: bool = True,
    sample_weight: Iterable[ArrayLike | None] | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    n_threads: int | None = None,
) -> Clusterings:
    """Cluster each of many arrays by itself, as `KMeans` would: for a million small things.

    Item i is, bit for bit, what ``KMeans(n_clusters, random_state=result.seeds[i])`` with the same options finds for
    ``arrays[i]``, of float32 arrays before it rounds the centers; `n_iter` leaves out the last update of `KMeans`, which finds
    that nothing moves. It depends on no other item and not on the number of threads: its seed is made from `random_state`
    and from i alone.

    Parameters
    ----------
    arrays : sequence of array-likes of shape (n_samples, n_features), or array of shape (n_items, n_samples, n_features)
        They may differ in shape. Float32 and float64 are taken as they are, other numbers as float64.
    n_clusters : int or sequence of ints
        Number of clusters, of all or of each.
    n_init : "auto" or int, default="auto"
    max_iter : int or None, default=None
    polish : bool, default=True
        As in `KMeans`.
    sample_weight : sequence of array-likes of shape (n_samples,), one for each array, or None, default=None
        Weights of the rows, at least 0. An entry may be None for ones.
    random_state : int, RandomState, Generator or None, default=None
        What the seeds of the items are made from.
    n_threads : int or None, default=None
        Number of threads; None for as many as there are processors, shared with what else runs in this process.

    Returns
    -------
    Clusterings
        A sequence of items with `labels`, `centers`, `inertia`, ...; and the same of all items in arrays.

    Raises
    ------
    ValueError, TypeError
        For data or parameters out of their range; the message tells the index of the array.

    References
    ----------
    Those of `KMeans`.

    Examples
    --------
    >>> import numpy as np
    >>> from ckmeans import fit_many
    >>> result = fit_many([[[0.0], [1.0], [9.0]], [[2.0, 0.0], [2.0, 1.0]]], [2, 1], random_state=0)
    >>> result.inertia
    array([0.5, 0.5])
    >>> result[0].labels
    array([0, 0, 1], dtype=int32)
    >>> result[1].centers
    array([[2. , 0.5]])
    """
    n_init = check_whole("n_init", n_init, 1, word="auto")
    max_iter = check_whole("max_iter", max_iter, 1, none=True)
    polish = check_flag("polish", polish)
    n_threads = check_whole("n_threads", n_threads, 1, none=True)
    many = _Many(arrays, n_clusters, sample_weight, random_state)
    options = {"n_init": n_init, "max_iter": max_iter, "polish": polish}
    with Workers(n_threads) as workers:
        for plan, blocks in many.blocks(options):
            workers.run(lambda items, plan=plan: many.fit(plan, items, workers), blocks)
    for i in np.flatnonzero(many.report["status"] != DONE).tolist():
        many.fit_alone(i, n_threads=n_threads, **options)
    return many.result()


class _Many:
    """The arrays, checked, and what is found for them."""

    def __init__(self, arrays, n_clusters, sample_weight, random_state):
        if isinstance(arrays, np.ndarray) and arrays.ndim == 3:
            self.arrays = _numbers(arrays, 3, "arrays")
            shapes = np.tile(arrays.shape[1:], (len(arrays), 1))
            double = np.full(len(arrays), self.arrays.dtype == DOUBLE)
        else:
            self.arrays = [
                X
                if type(X) is np.ndarray and X.dtype in READY and X.ndim == 2 and X.flags.c_contiguous
                else _numbers(X, 2, f"arrays[{i}]")
                for i, X in enumerate(arrays)
            ]
            shapes = np.array([X.shape for X in self.arrays], np.intp).reshape(-1, 2)
            double = np.array([X.dtype == DOUBLE for X in self.arrays], bool)
        self.n_samples, self.n_features = shapes.T
        for i in np.flatnonzero(~shapes.all(axis=1))[:1]:
            raise ValueError(
                f"arrays[{i}] has shape {(*shapes[i].tolist(),)}: drop it, or give rows and features."
            )
        self.n_clusters = _one_for_each("n_clusters", n_clusters, len(shapes))
        for i in np.flatnonzero((self.n_clusters < 1) | (self.n_clusters > self.n_samples))[:1]:
            with _naming(f"arrays[{i}]"):
                check_n_clusters(int(self.n_clusters[i]), int(self.n_samples[i]))
        self.weights = None if sample_weight is None else _weights(sample_weight, self.n_samples)
        self.seeds = _seeds(random_state, len(shapes))
        self.offsets = np.append(0, np.cumsum(self.n_samples)).astype(np.intp)
        self.labels = np.empty(self.offsets[-1], np.int32)
        self.report = np.zeros(len(shapes), REPORT)
        self.report["status"] = UNSUPPORTED  # if they come into no block
        # Items of the same number go into the same calls.
        self.kinds = (
            self.n_features * (int(self.n_clusters.max(initial=0)) + 1) + self.n_clusters
        ) * 2 + double
        alike = len(shapes) and (self.kinds // 2 == self.kinds[0] // 2).all()
        self.centers = (
            np.empty((len(shapes), self.n_clusters[0], self.n_features[0])) if alike else [None] * len(shapes)
        )

    def blocks(self, options):
        """A plan for each kind of items, and blocks of them, each worth a thread."""
        kinds, kind = np.unique(self.kinds, return_inverse=True)
        for g in range(len(kinds)):
            items = np.flatnonzero(kind == g) if len(kinds) > 1 else np.arange(len(kind))
            k, d = int(self.n_clusters[items[0]]), int(self.n_features[items[0]])
            plan = Plan(d, k, "k-means++", **options)
            if plan.n_numbers > MOST_NUMBERS:  # of each item: it is fitted alone, with as many at a time
                continue
            items = items[plan.suits(self.n_samples[items])]
            n_restarts = EXPECTED_RESTARTS if plan.swapped else plan.n_init
            work = ITEM_WORK + ITERATIONS * n_restarts * plan.work(self.n_samples[items])
            bounds = np.flatnonzero(np.diff(np.cumsum(work) // BLOCK_WORK)) + 1
            yield plan, [(block,) for block in np.split(items, bounds) if len(block)]

    def fit(self, plan, items, workers):
        """Fit some items of a kind: in one call of the kernel, but one by one if they take long."""
        n_samples, seeds = self.n_samples[items], self.seeds[items]
        offsets = np.append(0, np.cumsum(n_samples)).astype(np.intp)
        X = np.concatenate([self.arrays[i] for i in items.tolist()])
        weights = ONES if self.weights is None else self._joined_weights(items)
        labels, report = np.empty(len(X), np.int32), np.empty(len(items), REPORT)
        centers = np.empty((len(items), plan.n_clusters, plan.n_features))
        workspace, ends = plan.workspace(X[: n_samples.max()]), np.empty(plan.n_init, END)

        def run(start, stop, n_numbers):
            return kernels.fits(
                X,
                weights,
                offsets,
                start,
                stop,
                plan.init,
                uniform_rows(seeds[start:stop], n_numbers),
                plan.settings,
                workspace,
                as_bytes(ends),
                labels,
                centers,
                as_bytes(report),
            )

        n_numbers = plan.n_numbers * (MORE_NUMBERS if plan.swapped else 1)
        if run(0, len(items), n_numbers):
            for j in np.flatnonzero(report["status"] != DONE).tolist():
                while report["status"][j] == NEEDS_NUMBERS:
                    n_numbers *= MORE_NUMBERS
                    run(j, j + 1, n_numbers)
                if report["status"][j] == PAUSED:
                    rows, numbers = slice(offsets[j], offsets[j + 1]), RandomStream(int(seeds[j]))
                    search = Search(plan, X[rows], weights[rows], numbers, workers)
                    with suppress(Unsupported):
                        search.run(on_threads=False)
                        labels[rows], centers[j], report[j] = search.conclude()
                else:
                    with _naming(f"arrays[{items[j]}]"):
                        check_finite(self.arrays[items[j]])
        self.report[items] = report
        if isinstance(self.centers, np.ndarray):
            self.centers[items] = centers
        else:
            for i, own in zip(items.tolist(), centers):
                self.centers[i] = own
        if items[-1] - items[0] == len(items) - 1:
            self.labels[self.offsets[items[0]] : self.offsets[items[-1] + 1]] = labels
        else:
            for i, own in zip(items.tolist(), np.split(labels, offsets[1:-1])):
                self.labels[self.offsets[i] : self.offsets[i + 1]] = own

    def _joined_weights(self, items):
        """The weights of the rows of some items, checked."""
        given = [self.weights[i] for i in items.tolist()]
        weights = np.concatenate(
            [np.ones(n) if w is None else w for w, n in zip(given, self.n_samples[items].tolist())]
        )
        starts = np.cumsum(self.n_samples[items]) - self.n_samples[items]
        with np.errstate(over="ignore", invalid="ignore"):
            sums = np.add.reduceat(weights, starts)
        if not ((weights >= 0).all() and (sums > 0).all() and np.isfinite(sums).all()):
            for i in items.tolist():
                with _naming(f"arrays[{i}]"):
                    check_weights(self.weights[i], int(self.n_samples[i]))
        return weights

    def fit_alone(self, i, **options):
        """Fit an item that is large or unusual."""
        X, weights = self.arrays[i], None if self.weights is None else self.weights[i]
        with _naming(f"arrays[{i}]"):
            check_finite(X)
            weights = check_weights(weights, len(X))
        solution = local_search(
            X, int(self.n_clusters[i]), sample_weight=weights, rng=int(self.seeds[i]), **options
        )
        if solution.stop_reason == "interrupted":
            raise KeyboardInterrupt
        self.labels[self.offsets[i] : self.offsets[i + 1]] = solution.labels
        self.centers[i] = solution.centers
        report = self.report[i]
        report["inertia"], report["n_iter"] = solution.inertia, solution.n_iter
        report["at_max_iter"] = solution.stop_reason == "max_iter"
        report["n_restarts"], report["n_hits"] = solution.n_restarts, solution.n_hits

    def result(self):
        """All that was found."""
        report = self.report
        return Clusterings(
            centers=self.centers,
            inertia=report["inertia"].copy(),
            n_iter=report["n_iter"].astype(np.int64),
            n_restarts=report["n_restarts"].astype(np.int64),
            hit_rate=report["n_hits"] / report["n_restarts"],
            converged=report["at_max_iter"] == 0,
            seeds=self.seeds,
            _labels=self.labels,
            _offsets=self.offsets,
        )


# ---- what is given ----


@contextmanager
def _naming(name):
    """Begin the message of an error with the name of what is wrong."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name}: {error}") from None


def _numbers(X, n_dimensions, name):
    """X as a C-contiguous array of float32 or float64."""
    with _naming(name):
        X = opened(X)
        check_kinds(X)
        array = as_array(X, "X")
        if array.dtype.newbyteorder("=") not in READY:
            check_integers(X)
            array = array.astype(np.float64)
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        if np.ndim(X) != n_dimensions:
            raise ValueError(f"X has shape {np.shape(X)}: give an array of shape (n_samples, n_features).")
    return array


def _one_for_each(name, value, n_items):
    """One whole number for each item, from one for all or a sequence of them."""
    if np.ndim(value) == 0:
        return np.full(n_items, check_whole(name, value, 1))
    if len(value) != n_items:
        raise ValueError(
            f"{name} has {len(value)} entries; there are {n_items} arrays: give one for each, or one for all."
        )
    return np.array([check_whole(f"{name}[{i}]", v, 1) for i, v in enumerate(value)], np.int64)


def _weights(sample_weight, n_samples):
    """The weights of each array, or None for ones; the values are checked later if they need no conversion."""
    if len(sample_weight) != len(n_samples):
        raise ValueError(
            f"sample_weight has {len(sample_weight)} entries; there are {len(n_samples)} arrays: give the weights of each,"
            " or None."
        )
    weights = list(sample_weight)
    for i, (w, n) in enumerate(zip(weights, n_samples.tolist())):
        if not (type(w) is np.ndarray and w.dtype == DOUBLE and w.shape == (n,)):
            with _naming(f"arrays[{i}]"):
                weights[i] = check_weights(w, n)
    return weights


def _seeds(random_state, n_items):
    """A seed for each item, that depends on its index and on random_state alone."""
    if hasattr(random_state, "bytes"):  # RandomState or Generator
        entropy = int.from_bytes(random_state.bytes(16), "little")
    else:
        entropy = check_whole("random_state", random_state, 0, none=True)
    return np.random.SeedSequence(entropy).generate_state(n_items)
