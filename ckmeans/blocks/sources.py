"""What a block source is, and those that this process reads itself: files, and what gives blocks one after the other."""

from contextlib import suppress
from functools import partial
from uuid import uuid4

import numpy as np

from ..workers import Workers, available_cpus
from . import parts, questions
from .crew import Crew

# Bytes of the rows of a part: some tens of milliseconds of work for each pass, so that threads share it and a time limit is seen.
PART_BYTES = 1 << 24


class Source:
    """Rows that come in blocks, cut into parts at rows of our own choosing.

    Attributes
    ----------
    shape : tuple of (n_samples, n_features)
    dtype : numpy.dtype
        float32 or float64.
    names : list of str, or None
        Of the columns.
    weights : ndarray of shape (n_samples,), float64, or None
        Where they are at hand; else they come with the rows.
    bounds : list of (start, stop)
        The rows of each part.
    n_bytes : int
        Bytes of the rows that were gone over so far, in all passes.
    frame : Frame or None
        None until the rows were looked at.
    """

    names = weights = frame = workers = None

    def __init__(self):
        self.token = uuid4().hex
        self.bounds, self.n_bytes = [], 0

    def __len__(self):
        return self.shape[0]

    @property
    def size(self):
        """Numbers in all rows."""
        return self.shape[0] * self.shape[1]

    @property
    def row_bytes(self):
        """Bytes of a row."""
        return self.shape[1] * self.dtype.itemsize

    def cut(self, unit, slab):
        """Cut the rows into parts of whole units, each of some slabs."""
        size = max(1, PART_BYTES // (unit * self.row_bytes)) * unit
        self.bounds = [(start, min(start + size, len(self))) for start in range(0, len(self), size)]

    def blocks(self):
        """What to call each block of the data, and its rows."""
        raise NotImplementedError

    def place(self, row):
        """Where a row is, in the words of who has the data."""
        names, lengths = zip(*self.blocks())
        ends = np.cumsum(lengths)
        number = int(np.searchsorted(ends, row, side="right"))
        return f"row {row - int(ends[number]) + lengths[number]} of {names[number]}"

    def with_weights(self, start, stop, X):
        """The rows, and their weights or None."""
        return X, None if self.weights is None else self.weights[start:stop]

    def load(self, number):
        """The rows of a part, and weights or None."""
        start, stop = self.bounds[number]
        return self.with_weights(start, stop, self.read(start, stop))

    def asked(self, own):
        """The numbers of the parts that are asked now."""
        numbers = range(len(self.bounds)) if own is None else sorted(own)
        self.n_bytes += self.row_bytes * sum(self.bounds[n][1] - self.bounds[n][0] for n in numbers)
        return numbers

    def ask(self, question, *args, own=None):
        """The answers of all parts, in their order, or with `own` of some, each with arguments of its own before the others.

        Here threads share the parts; each reads its own.
        """
        numbers = self.asked(own)
        found = [None] * len(numbers)

        def one(place, number):
            found[place] = self._perform(number, question, *(own[number] if own else ()), *args)

        self.workers.run(one, list(enumerate(numbers)))
        return found

    def _perform(self, number, question, *args):
        load = partial(self.load, number)
        workers = _Inner(self.workers)
        first = self.bounds[number][0]
        return parts.perform(self.token, number, first, load, self.frame, question, *args, workers=workers)

    def total(self, question, *args):
        """The sum of the answers of all parts, where these are integers, or tuples of integers."""
        answers = self.ask(question, *args)
        total = answers[0]
        for answer in answers[1:]:
            total = added(total, answer)
        return total

    def close(self):
        """Forget what is kept of the rows."""
        parts.forget(self.token)

    def gathered(self):
        """All rows in memory, and weights or None."""
        X, weights = zip(*self.ask(questions.arrays))
        return np.concatenate(X), None if weights[0] is None else np.concatenate(weights)

    def labelled(self, of):
        """What is kept as the labels of a fit: the nearest of these centers for each row."""
        found = self.ask(questions.labels, of)
        self.close()  # what is kept would be in the way of one more array
        return np.concatenate(found)

    def crew(self, n_threads=None):
        """What calls functions side by side, in a with statement: see `Crew`."""
        return Crew(available_cpus() if n_threads is None else n_threads)

    def apply(self, function, shape, dtype, n_threads=None):
        """function(X, first, n_samples) of all rows; for each row the result has this shape and dtype."""
        with Workers(n_threads) as self.workers:
            self.cut(1, 1)
            try:
                found = self.ask(questions.apply, function, len(self))
            finally:
                self.close()
        return np.concatenate(found)


def added(total, answer):
    """The sum of two answers that are integers, or tuples of integers."""
    if isinstance(answer, tuple):
        return tuple(map(added, total, answer))
    return total + answer


class _Inner(Workers):
    """One thread inside a part, which stops when the others do."""

    def __init__(self, outer):
        self._outer = outer
        super().__init__(1)

    @property
    def deadline(self):
        return self._outer.deadline

    @deadline.setter
    def deadline(self, value):
        pass


class Array(Source):
    """Rows that are in memory.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, in C order
    weights : ndarray of shape (n_samples,), float64, or None
    """

    def __init__(self, X, weights=None):
        super().__init__()
        self.X, self.shape, self.dtype, self.weights = X, X.shape, X.dtype, weights

    def read(self, start, stop):
        """Rows start:stop."""
        return self.X[start:stop]


class Files(Source):
    """Rows in files, one after the other.

    Parameters
    ----------
    files : list
        Each with `path`, `shape` and `dtype`, and file[start:stop].
    """

    def __init__(self, files):
        super().__init__()
        self.files = [file for file in files if len(file)]
        check_alike([(f"{file.path}", file.shape[1], file.dtype) for file in files])
        if not self.files:
            raise ValueError("X has 0 rows in all of its files: give at least one row.")
        self.ends = np.cumsum([len(file) for file in self.files])
        self.shape, self.dtype = (int(self.ends[-1]), self.files[0].shape[1]), self.files[0].dtype
        self.names = getattr(self.files[0], "names", None)
        for file in files:
            if getattr(file, "names", None) != self.names:
                raise ValueError(
                    f"{file.path} has other columns, or in another order, than {files[0].path}: give files with the same columns."
                )

    def cut(self, unit, slab):
        """As of Source; where rows are read in groups, a part has as many."""
        size = max(PART_BYTES // self.row_bytes, *(getattr(file, "group", 1) for file in self.files), unit)
        size = size // unit * unit
        self.bounds = [(start, min(start + size, len(self))) for start in range(0, len(self), size)]

    def blocks(self):
        """As of Source."""
        return [(file.path, len(file)) for file in self.files]

    def weigh_by(self, column):
        """Take one of the columns as weights."""
        for file in self.files:
            file.weigh_by(column)
        self.weights, self.names = Column(self), self.files[0].names
        self.shape = len(self), self.files[0].shape[1]
        self.dtype = self.files[0].dtype

    def read(self, start, stop):
        """Rows start:stop, in memory of their own."""
        out = np.empty((stop - start, self.shape[1]), self.dtype)
        first, last = np.searchsorted(self.ends, start, side="right"), np.searchsorted(self.ends, stop)
        for file, end in zip(self.files[first : last + 1], self.ends[first : last + 1]):
            begin = int(end) - len(file)
            a, b = max(start, begin), min(stop, int(end))
            out[a - start : b - start] = file[a - begin : b - begin]
        return out


class Column:
    """The weights that are a column of files."""

    def __init__(self, source):
        self.source = source

    def __getitem__(self, rows):
        source, found = self.source, []
        for file, end in zip(source.files, source.ends):
            begin = int(end) - len(file)
            a, b = max(rows.start, begin), min(rows.stop, int(end))
            if a < b:
                found.append(file.weights(a - begin, b - begin))
        return np.concatenate(found)


class Blocks(Source):
    """Blocks that a callable gives one after the other, anew for each pass.

    Parameters
    ----------
    factory : callable
        Returns an iterable of arrays of shape (n, n_features).
    """

    def __init__(self, factory):
        super().__init__()
        self.factory, self.lengths, seen = factory, [], []
        for number, block in enumerate(self._blocks()):
            seen.append((f"block {number}", block.shape[1], block.dtype))
            self.lengths.append(len(block))
        check_alike(seen)
        if not sum(self.lengths):
            raise ValueError("X() gives no rows: give at least one.")
        self.shape, self.dtype = (sum(self.lengths), seen[0][1]), seen[0][2]

    def blocks(self):
        """As of Source."""
        return [(f"block {number}", n) for number, n in enumerate(self.lengths)]

    def _blocks(self):
        for number, block in enumerate(made_by(self.factory)):
            yield as_floats(block, f"block {number}")

    def _parts(self):
        """The rows of each part, in one pass over the blocks."""
        bounds, have, n_have, n = iter(self.bounds), [], 0, 0
        start, stop = next(bounds)
        for block in self._blocks():
            n += len(block)
            if block.shape[1:] != self.shape[1:] or block.dtype != self.dtype:
                raise parts.ChangedError(
                    f"A block has {block.shape[1]} columns of {block.dtype}, where the pass before had {self.shape[1]} of"
                    f" {self.dtype}: X() must give the same rows each time."
                )
            while len(block) and start < stop:
                few = block[: stop - start - n_have]
                have.append(few)
                n_have += len(few)
                block = block[len(few) :]
                if n_have == stop - start:
                    yield np.ascontiguousarray(np.concatenate(have))
                    have, n_have = [], 0
                    start, stop = next(bounds, (len(self), len(self)))
        if n_have or start != stop or n > len(self):
            raise parts.ChangedError(
                f"X() gave {n} rows or more in this pass, where the first one gave {len(self)}: it must give the same rows"
                " each time, so a new iterator; of what can be read only once take summarize(X())."
            )

    def ask(self, question, *args, own=None):
        """As of Source. Blocks are gone through once, but not where all parts that are asked are kept."""
        if all(parts.has(self.token, number) for number in (range(len(self.bounds)) if own is None else own)):
            self._X = None
            with suppress(_Gone):
                return super().ask(question, *args, own=own)
        self.asked(own)
        found = []
        for number, X in enumerate(self._parts()):
            self.workers.check_time()
            if own is None or number in own:
                self._X = X
                found.append(self._perform(number, question, *(own[number] if own else ()), *args))
        return found

    def read(self, start, stop):
        """The rows of the part that is at hand."""
        if self._X is None:
            raise _Gone
        return self._X


class _Gone(Exception):
    """Rows that were kept a moment ago are not any more: memory was short."""


class RemoteBlocks(Source):
    """Rows in blocks that others keep, and describe when they are asked for the first time.

    Attributes
    ----------
    lengths : list of int
        Rows of each block.
    """

    _shape = None

    @property
    def shape(self):
        """(n_samples, n_features); lengths that are not known are asked for."""
        self._describe()
        return self._shape

    @property
    def dtype(self):
        """float32 or float64."""
        self._describe()
        return self._dtype

    def blocks(self):
        """As of Source."""
        return [(f"block {number}", n) for number, n in enumerate(self.lengths)]

    def take_descriptions(self, seen):
        """Take the number of rows, the number of columns and the type of each block."""
        self.lengths = [n for n, _, _ in seen]
        check_alike(
            [(f"block {number}", d, np.dtype(dtype)) for number, (n, d, dtype) in enumerate(seen) if n]
        )
        if not sum(self.lengths):
            raise ValueError("X has 0 rows in all of its blocks: give at least one row.")
        d, dtype = next((d, dtype) for n, d, dtype in seen if n)
        self._shape, self._dtype = (sum(self.lengths), d), np.dtype(dtype)


def made_by(factory):
    """An iterator over the blocks that a callable gives."""
    found = factory()
    if hasattr(found, "shape") or not hasattr(found, "__iter__"):
        raise TypeError(
            f"X() gives a {type(found).__name__}: let it give an iterable of blocks, such as a list of arrays or a generator."
        )
    return iter(found)


def check_alike(blocks):
    """Refuse blocks of different widths or types; each is (what to call it, columns, type)."""
    for where, n_features, dtype in blocks:
        for value, wanted, what in ((n_features, blocks[0][1], "columns"), (dtype, blocks[0][2], "as type")):
            if value != wanted:
                raise ValueError(
                    f"{where} has {value} {what}, where {blocks[0][0]} has {wanted}: give all blocks the same columns of one type."
                )
    if blocks and not blocks[0][1]:
        raise ValueError(f"{blocks[0][0]} has no columns: give at least one feature.")


def as_floats(block, where):
    """A block as an array of float32 or float64, two-dimensional and in C order."""
    block = np.asarray(block)
    if block.ndim != 2:
        raise ValueError(f"{where} has the shape {block.shape}: give blocks of shape (n, n_features).")
    kind, size = block.dtype.kind, block.dtype.itemsize
    if kind in "biu" or kind == "f" and size == 2:
        if size == 8 and block.size and max(int(block.max()), -int(block.min())) > 2**53:
            raise ValueError(
                f"{where} holds whole numbers beyond 2**53, which float64 would change: scale or shift them."
            )
        block = block.astype(np.float64)
    elif kind != "f" or size > 8:
        raise ValueError(f"{where} holds {block.dtype}: give blocks of numbers, as float32 or float64.")
    return np.ascontiguousarray(block, dtype=block.dtype.newbyteorder("="))
