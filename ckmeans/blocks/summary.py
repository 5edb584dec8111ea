"""Summaries: what is kept of rows that are seen once, in cells whose sums are exact."""

import os
from collections.abc import Callable, Iterable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arithmetic import usual
from ..validation import check_matrix, check_values, check_weights, check_whole
from .cell_seeds import Seeds, draw_seeds, nearer, sq_distances
from .cell_sums import Cells, CellSums
from .opening import are_paths, source_of
from .sources import made_by
from .summary_files import read, write

# Rows for each cell that are kept until the seeds are drawn from them: of 300,000 rows in the plane 2, 4 and 8 led to scatters within 7 %.
BUFFERED = 4
# Share of the cells that have seeds then; the others are for rows that come later and lie far from all seeds, 800 of a million rows of
# Gaussian clusters.
SEEDED = 0.75
# Rows that are given to cells at a time: a cell that is opened costs a look at those after it, 20 to 50 us.
CHUNK = 1 << 14


class _State:
    """The cells, or the first rows while there are no seeds yet. A batch changes a copy, which takes its place in the end."""

    def __init__(self, n_features):
        self.n_features, self.n_rows = n_features, 0
        self.held, self.n_held = [], 0  # (rows, weights or None), and how many rows these are
        self.seeds, self.sums = None, None
        self.reach, self.n_reductions = 0.0, 0  # farther from all seeds, in squares, a row opens a cell

    def copy(self):
        other = object.__new__(_State)
        vars(other).update(vars(self))
        other.held = list(self.held)
        other.sums = None if self.sums is None else self.sums.copy()
        return other

    def held_rows(self):
        """The rows that are held, in one array, and their weights or None."""
        X = np.concatenate([rows for rows, _ in self.held] or [np.empty((0, self.n_features))])
        if all(weights is None for _, weights in self.held):
            return X, None
        weights = [np.ones(len(rows)) if own is None else own for rows, own in self.held]
        return X, np.concatenate(weights)


@usual
class Summary:
    """Rows that are seen once: cells that keep weight, mean and scatter of their rows exactly, for clusterings of all of them.

    ``KMeans(k).fit(summary)`` clusters the cells, and its `inertia_` is the exact cost of that clustering over every row seen.
    The sums are of whole numbers, which have no order: cells are the same for any cut of the rows into batches. The first rows
    are kept, four for each cell, until seeds are drawn from them; each row goes to the exact nearest seed. A row that lies
    farther from all seeds than any of the first rows did opens a cell. When there are as many cells as there may be, the
    nearest are merged, as sums are: no step of it makes a cost less exact.

    Parameters
    ----------
    max_cells : int, default=20000
        Most cells. While there are no more different rows than this, each of them is a cell.
    seeds : array-like of shape (n_seeds, n_features) or None, default=None
        Seeds that stay as they are, such as ``other.seeds``: every row goes to the nearest one, no cell is opened, and
        summaries of parts of the data, made anywhere, add up to the very cells that one summary of all rows would have.
    random_state : int, default=0
        Seed of the draws of seeds.
    n_threads : int or None, default=None
        As for `KMeans`; never changes the result.

    Attributes
    ----------
    n_rows : int
        Rows seen so far.
    weight : float
        Their weight.
    cells : Cells
        The cells that have rows, as floats: `weights`, `means`, `scatters`, and boxes from `lower` to `upper`.
    box : ndarray of shape (2, n_features)
        Least and greatest value of each feature.
    seeds : ndarray of shape (n_seeds, n_features) or None
        None while the first rows are held.

    References
    ----------
    Zhang, Ramakrishnan & Livny (1996), "BIRCH: an efficient data clustering method for very large databases", SIGMOD, 103-114,
    doi:10.1145/233269.233324, whose clustering features these cells keep, here exactly. Bahmani et al. (2012), "Scalable
    k-means++", PVLDB 5(7):622-633, doi:10.14778/2180912.2180915. Fichtenberger, Gillé, Schmidt, Schwiegelshohn & Sohler
    (2013), "BICO: BIRCH meets coresets for k-means clustering", ESA, 481-492, doi:10.1007/978-3-642-40450-4_41.

    Examples
    --------
    >>> import numpy as np
    >>> from ckmeans import KMeans, Summary
    >>> rng = np.random.default_rng(0)
    >>> summary = Summary(max_cells=200)
    >>> for day in range(5):
    ...     summary = summary.partial_fit(rng.normal(size=(1000, 2)))
    >>> kmeans = KMeans(3, random_state=0).fit(summary)
    >>> summary.n_rows, len(summary.cells.weights) <= 200, kmeans.predict([[0.1, 2.0]]).shape
    (5000, True, (1,))
    """

    @usual
    def __init__(
        self,
        max_cells: int = 20_000,
        *,
        seeds: ArrayLike | None = None,
        random_state: int = 0,
        n_threads: int | None = None,
    ) -> None:
        self.max_cells = check_whole("max_cells", max_cells, 4)
        self.random_state = check_whole("random_state", random_state, 0)
        self.n_threads = check_whole("n_threads", n_threads, 1, none=True)
        self.fixed = seeds is not None
        self._state, self._finder, self._found = None, None, None
        if self.fixed:
            seeds = check_matrix(seeds, "seeds").copy() + 0.0
            self._state = self._new_state(seeds.shape[1])
            self._state.seeds, self._state.sums = seeds, CellSums(*seeds.shape)

    # ---- rows

    def partial_fit(self, batch: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Take the rows of a batch into the cells.

        Parameters
        ----------
        batch : array-like of shape (n_samples, n_features)
            Float32 and float64 are taken as they are; one row is a batch too.
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0. Rows without weight are counted, and leave no other trace.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For NaN, infinity, other numbers of features and what is no table of real numbers: the summary stays as it was.
        """
        X = check_matrix(batch, "batch")
        weights = _batch_weights(sample_weight, len(X))
        self._check_width(X.shape[1])
        state = self._new_state(X.shape[1]) if self._state is None else self._state.copy()
        state.n_rows += len(X)
        if weights is not None and not weights.all():
            X, weights = X[weights > 0], weights[weights > 0]
        self._take(state, X + 0.0, weights)
        self._adopt(state)
        return self

    def _check_width(self, n_features):
        if self._state is not None and n_features != self._state.n_features:
            raise ValueError(
                f"batch has {n_features} features, the summary {self._state.n_features}: give the same features, in their order."
            )

    @staticmethod
    def _new_state(n_features):
        return _State(n_features)

    def _adopt(self, state):
        self._state, self._found = state, None

    def _holds(self, n_rows):
        """Whether so many first rows are held, while there are no seeds."""
        return n_rows < BUFFERED * self.max_cells

    def _take(self, state, X, weights):
        """Hold the first rows; give the others to cells."""
        if state.seeds is None:
            n_first = BUFFERED * self.max_cells - state.n_held
            head = None if weights is None else weights[:n_first]
            state.held.append((X[:n_first].copy(), None if head is None else head.copy()))
            state.n_held += len(X[:n_first])
            if self._holds(state.n_held):
                return
            self._seed(state)
            X, weights = X[n_first:], None if weights is None else weights[n_first:]
        start = 0
        while start < len(X):
            some = slice(start, start + CHUNK)
            start += self._place(state, X[some], None if weights is None else weights[some])

    def _draw(self, state, X, weights):
        """Seeds for some rows; each draw of a summary has random numbers of its own."""
        rng = np.random.default_rng((self.random_state, state.n_reductions))
        distinct = len(np.unique(X, axis=0))
        n_seeds = self.max_cells if distinct <= self.max_cells and not state.n_reductions else None
        return draw_seeds(X, weights, n_seeds or int(SEEDED * self.max_cells), rng, self.n_threads)

    def _seed(self, state):
        """Draw seeds from the rows that are held, and give these to them."""
        X, weights = state.held_rows()
        state.seeds = self._draw(state, X, weights)
        labels = Seeds(state.seeds, self.n_threads).nearest(X)
        state.sums = CellSums(*state.seeds.shape)
        state.sums.add(X, weights, labels)
        state.reach = sq_distances(X, state.seeds[labels]).max()
        state.held, state.n_held = [], 0

    def _place(self, state, X, weights):
        """Give rows to cells, and open cells for those far from all; returns how many rows there was room for."""
        if self._finder is None or self._finder.points is not state.seeds:
            self._finder = Seeds(state.seeds, self.n_threads)
        labels = self._finder.nearest(X)
        if not self.fixed:
            known = state.seeds[labels]
            off = sq_distances(X, known)
            opened, n_known, at = [], len(state.seeds), 0
            while len(far := np.flatnonzero(off[at:] > state.reach)):
                at += far[0]
                if n_known + len(opened) == self.max_cells:
                    X, weights = X[:at], None if weights is None else weights[:at]
                    break
                own = sq_distances(X[at:], X[at])
                moves = at + np.flatnonzero(nearer(X[at:], known[at:], X[at], off[at:], own))
                labels[moves], off[moves], known[moves] = n_known + len(opened), own[moves - at], X[at]
                opened.append(X[at : at + 1])
            if opened:
                state.seeds = np.concatenate([state.seeds, *opened])
                state.sums.grow(len(opened))
                self._finder = self._finder.with_more(state.seeds)
        state.sums.add(X, weights, labels[: len(X)])
        if len(X) < len(labels):
            self._reduce(state)
        return len(X)

    def _reduce(self, state):
        """Merge cells, so that there are fewer than there may be."""
        state.n_reductions += 1
        filled = np.flatnonzero(state.sums.weights > 0)
        sums = state.sums.taken(filled)
        cells = sums.rounded()
        state.seeds = self._draw(state, cells.means, cells.weights)
        labels = Seeds(state.seeds, self.n_threads).nearest(cells.means)
        state.sums = CellSums(*state.seeds.shape)
        state.sums.merge(sums, labels)
        with np.errstate(over="ignore"):
            state.reach = max(2 * state.reach, sq_distances(cells.means, state.seeds[labels]).max())

    # ---- merging

    def __add__(self, other: "Summary") -> "Summary":
        """A summary of the rows of both; of fixed seeds that are the same, and of few rows, with the cells that one would have."""
        if not isinstance(other, Summary):
            return NotImplemented
        if other._state is None or self._state is None:
            return (self if other._state is None else other).copy()
        self._check_width(other._state.n_features)
        one, two = (self, other) if self._state.seeds is not None else (other, self)
        total = one.copy()
        if two._state.seeds is None:
            if one._state.seeds is None:  # both hold rows, in order
                total, two = self.copy(), other
            state = total._state
            state.n_rows += two._state.n_rows
            total._take(state, *two._state.held_rows())
            return total
        state = total._state
        state.n_rows += two._state.n_rows
        if self.fixed and other.fixed and np.array_equal(state.seeds, two._state.seeds):
            state.sums.merge(two._state.sums, np.arange(len(state.seeds)))
            return total
        total.fixed = False
        seeds = np.concatenate([self._state.seeds, other._state.seeds])
        state.seeds, labels = np.unique(seeds, axis=0, return_inverse=True)
        state.sums, labels = CellSums(*state.seeds.shape), labels.reshape(-1)
        state.sums.merge(self._state.sums, labels[: len(self._state.seeds)])
        state.sums.merge(other._state.sums, labels[len(self._state.seeds) :])
        state.reach = max(self._state.reach, other._state.reach)
        state.n_reductions = max(self._state.n_reductions, other._state.n_reductions)
        if not state.sums.weights.any():  # of no rows: seeds are drawn from the first ones
            state.seeds = state.sums = None
        elif len(state.seeds) > total.max_cells:
            total._reduce(state)
        return total

    def __radd__(self, other: int) -> "Summary":
        """So that `sum` adds up summaries."""
        return self.copy() if isinstance(other, int) and other == 0 else NotImplemented

    def copy(self) -> Self:
        """Another summary of the same rows."""
        other = object.__new__(Summary)
        vars(other).update(vars(self))
        other._state = None if self._state is None else self._state.copy()
        other._found = None
        return other

    # ---- what is known

    @property
    def n_rows(self) -> int:
        return 0 if self._state is None else self._state.n_rows

    @property
    def seeds(self) -> NDArray[np.float64] | None:
        return None if self._state is None or self._state.seeds is None else self._state.seeds.copy()

    def _known(self):
        """The cells that have rows, in whole numbers and in floats."""
        if self._found is None:
            state = self._state
            if state is not None and state.seeds is None and state.n_held:
                state = state.copy()
                self._seed(state)
            filled = [] if state is None or state.sums is None else np.flatnonzero(state.sums.weights > 0)
            if not len(filled):
                raise ValueError("The summary has no rows with weight: give it some by partial_fit.")
            sums = state.sums.taken(filled)
            self._found = sums, sums.rounded()
        return self._found

    @property
    def exact_cells(self) -> CellSums:
        """The cells that have rows, in whole numbers."""
        return self._known()[0]

    @property
    def cells(self) -> Cells:
        return self._known()[1]

    def cells_of(self, X: ArrayLike) -> NDArray[np.intp]:
        """The cell that each row of X would be given to now, among those of `cells`; -1 where it would be the first of its cell.

        Of a summary with given `seeds`, and rows that it has seen, the cell that they are in.
        """
        X = check_matrix(X)
        self._check_width(X.shape[1])
        self._known()
        if self._state.seeds is None:
            raise ValueError("The summary still holds its first rows, which are in no cell: give `seeds`.")
        place = np.full(len(self._state.seeds), -1)
        filled = np.flatnonzero(self._state.sums.weights > 0)
        place[filled] = np.arange(len(filled))
        return place[Seeds(self._state.seeds, self.n_threads).nearest(X + 0.0)]

    @property
    def weight(self) -> float:
        return float(self.exact_cells.weight)

    @property
    def box(self) -> NDArray[np.float64]:
        return np.array([self.exact_cells.lower.min(axis=0), self.exact_cells.upper.max(axis=0)])

    def __repr__(self) -> str:
        return f"<Summary of {self.n_rows} rows, at most {self.max_cells} cells>"

    # ---- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the summary as plain .npz, without pickle, whole or not at all."""
        write(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a summary that `save` has written, which goes on from there as it would have.

        Raises
        ------
        OSError, ValueError
            For what is no such file, or cannot be of any rows.
        """
        return read(path, cls)


@usual
def summarize(
    source: Iterable[ArrayLike] | Callable[[], Iterable[ArrayLike]] | str | os.PathLike[str],
    max_cells: int = 20_000,
    *,
    seeds: ArrayLike | None = None,
    random_state: int = 0,
    n_threads: int | None = None,
) -> Summary:
    """A summary of all blocks of a source, each read once.

    Parameters
    ----------
    source : iterable of array-like of shape (n_samples, n_features), or of (block, sample_weight)
        An array is one block. Empty blocks are passed over. Also a callable that returns such an iterable, and the path of a
        .npy or Parquet file, a list of paths, or a pattern such as ``"rows/*.parquet"``.
    max_cells, seeds, random_state, n_threads
        As for `Summary`.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError, TypeError
        For blocks that are no rows, and parameters out of range.

    References
    ----------
    Those of `Summary`.

    Examples
    --------
    >>> import numpy as np
    >>> from ckmeans import summarize
    >>> summarize(np.full((10, 2), float(month)) for month in range(12))
    <Summary of 120 rows, at most 20000 cells>
    """
    summary = Summary(max_cells, seeds=seeds, random_state=random_state, n_threads=n_threads)
    for number, block in enumerate(_blocks(source)):
        block, weights = block if isinstance(block, tuple) and len(block) == 2 else (block, None)
        try:
            if len(block):
                summary.partial_fit(block, weights)
        except (ValueError, TypeError) as error:
            raise type(error)(f"block {number} of the source: {error}") from None
    return summary


def _blocks(source):
    """The blocks of a source, in an iterable."""
    if hasattr(source, "shape"):
        return [source]
    if isinstance(source, (str, os.PathLike)) or are_paths(source):
        files = source_of(source)
        files.cut(1, 1)
        return (files.load(number) for number in range(len(files.bounds)))
    if callable(source):
        return made_by(source)
    if not hasattr(source, "__iter__"):
        raise TypeError(
            f"source is a {type(source).__name__}: give an iterable of blocks, or paths of files."
        )
    return source


def _batch_weights(sample_weight, n_samples):
    """Weights as a float64 array, or None for ones; in a batch all may be zero."""
    if sample_weight is not None:
        given = check_values(sample_weight, "sample_weight", 1)
        if given.shape in ((), (n_samples,)) and not given.any():
            return np.zeros(n_samples)
    return check_weights(sample_weight, n_samples)
