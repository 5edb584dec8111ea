"""Columns of cells, gathered block by block: their numbers, or why a column has none, or a refusal that names a cell."""

import mmap
import re
import shlex

import numpy as np

from ..validation import EXACT_INTEGERS
from .numerals import (
    LEAST_NORMAL,
    MISSING,
    TRUTH,
    Words,
    group_words,
    keeps_digits,
    like_number,
    lost_integers,
    may_be_number,
)
from .terminal import quoted


def refuse(message):
    raise ValueError(f"{message}.")


def room(n_rows, n_columns, dtype=np.float64):
    """An array of NaN in memory of its own, which the system has back as soon as it is dropped: blocks are many."""
    pages = mmap.mmap(-1, max(1, n_rows * n_columns * np.dtype(dtype).itemsize))
    numbers = np.frombuffer(pages, dtype, n_rows * n_columns).reshape(n_rows, n_columns)
    numbers.fill(np.nan)
    return numbers


class Columns:
    """The wanted columns of a table that is read block by block.

    Parameters
    ----------
    names : list of str
        Names of the columns.
    must : dict
        Name of a column that was asked for -> what to do if it cannot be used.
    remedies : Remedies
        For the others.
    unit : {"line", "row"}
    notation : Notation
    missing : frozenset of str
        Cells without a value.
    """

    def __init__(self, names, must, remedies, unit, notation, missing=MISSING):
        self.names, self.must, self.remedies, self.unit, self.notation = names, must, remedies, unit, notation
        self.missing = missing
        self.blocks, self.lines, self.short = [], [], []
        self.words = [None] * len(names)
        self.n_given = np.zeros(len(names), int)
        self.n_rows, self.float32 = 0, set()  # columns of that type
        self.fixed = {}  # columns that cannot hold numbers -> why
        self.lost = {}  # columns with a number whose float is another one -> that number, and whether it is tiny

    def add(self, numbers):
        """A block of rows of shape (n, n_columns), NaN where there is no number."""
        given = np.count_nonzero(~np.isnan(numbers), axis=0)
        some = np.flatnonzero(given)  # columns of words take no room
        if len(some) < len(given):
            kept = room(len(numbers), len(some), numbers.dtype)
            kept[:] = numbers[:, some]
            numbers = kept
        self.blocks.append((some, numbers))
        self.n_given += given
        self.n_rows += len(numbers)

    def integers(self, f, values, numbers):
        """Find whole numbers that floats would merge."""
        if np.abs(numbers).max(initial=0) >= EXACT_INTEGERS and len(lost := lost_integers(values)):
            self.lost.setdefault(f, (str(values[lost[0]]), False))

    def texts(self, f, cells, numbers):
        """Convert text, None where a value is missing, into numbers; words are counted."""
        plain, words, n_words, missing = self.notation.plain, self.words[f] or Words(), 0, self.missing
        for i, cell in enumerate(cells):
            if cell.__class__ is not str:
                if cell is None or cell != cell:
                    continue
                cell = str(cell)
            if not may_be_number(cell):  # most cells of a column of words
                if cell.strip() in missing:
                    continue
                n_words += 1
                if words.first is None:
                    words.first = self.n_rows + i, cell.strip()
                continue
            cell = cell.strip(" \t\n")
            if (text := plain(cell)) is not None:
                number = float(text)
                if not keeps_digits(text, number):
                    self.lost.setdefault(f, (cell, abs(number) < 1))
                numbers[i] = number
            elif cell not in missing:
                words.add(self.n_rows + i, cell)
                numbers[i] = TRUTH.get(cell, np.nan)
        words.n_words += n_words
        self.words[f] = words if words.n_words else None

    def truths(self, f, values, numbers):
        """A block of truth values."""
        self.words[f] = words = self.words[f] or Words()
        words.n_truths += len(values)
        words.n_words += len(values)
        words.first = words.first or (self.n_rows, str(bool(values[0])))
        numbers[:] = values

    def digits(self, f, cells, numbers, tiny=False):
        """Find text of numbers beyond 2**53, or of tiny ones if wanted, that its float is not."""
        size = np.abs(numbers)
        for i in np.flatnonzero((size >= EXACT_INTEGERS) | (tiny & (size < LEAST_NORMAL))).tolist():
            cell = str(cells[i]).strip(" \t\n")
            if size[i] >= 1 and len(cell) < 18 and "e" in cell.lower():  # at most fifteen digits
                continue
            text = self.notation.plain(cell)
            if text is not None and not keeps_digits(text, float(numbers[i])):
                self.lost.setdefault(f, (cell, size[i] < 1))

    def _check_digits(self, f):
        if f not in self.lost:
            return
        shown, tiny = self.lost[f]
        shown = shown if len(shown) <= 40 else f"{shown[:20]}..."
        if tiny:
            refuse(
                f"column {self.names[f]} holds {shown}, out of the range of float64, which has fewer digits below 2.2e-308:"
                " give it in other units"
            )
        refuse(
            f"column {self.names[f]} holds {shown}, beyond 2**53, up to which float64 is exact: subtract the minimum first"
        )

    def reason(self, f, lines):
        """Why the column is left out, or None where it is one of numbers; it is refused where most cells look like numbers."""
        title, words = self.names[f], self.words[f]
        must = self.must.get(title, "")
        if f in self.fixed:
            return self.fixed[f]
        if words is None:
            self._check_digits(f)
            return None if must or self.n_given[f] else "no value in any row"
        n_plain = int(self.n_given[f]) - words.n_truths
        if not n_plain and words.n_words == words.n_truths:
            return None if must else f"true or false{self.remedies.truths}"
        if not must and n_plain + words.n_like <= (n_plain + words.n_words) / 2:
            return f"not numeric: {words.first[1][:30]!r}"
        row, cell = words.first if must or n_plain >= words.n_like else words.first_like
        count = f"{words.n_words:,} of {self.n_rows:,} rows" if words.n_words > 1 else "one row"
        option = group_words(cell, self.notation) if self.unit == "line" else ""
        said = f"say {option}, " * bool(option)
        if like_number(cell) is None and len(cell) <= 30:
            said = f"say --missing {shlex.quote(quoted(cell))} if it means that there is no value, "
        refuse(
            f"column {title} has {cell[:30]!r} in {self.unit} {lines[row]}, which is no plain number (so in {count}): "
            f"correct it, {said}or {(must or self.remedies.other).format(title)}"
        )

    def column(self, f):
        """The numbers of one column."""
        return self._joined([f], np.float64, list(self.blocks))[:, 0]

    def take(self, wanted):
        """The numbers of some columns as an array; the blocks are given up, so that there is one copy at a time."""
        blocks, self.blocks = self.blocks, None
        return self._joined(wanted, np.float32 if self.float32.issuperset(wanted) else np.float64, blocks)

    def _joined(self, wanted, dtype, blocks):
        X, stop, wanted = np.empty((self.n_rows, len(wanted)), dtype), self.n_rows, np.array(wanted)
        while blocks:
            some, numbers = blocks.pop()
            part, stop = X[stop - len(numbers) : stop], stop - len(numbers)
            if np.array_equal(some, wanted):
                part[:] = numbers
                continue
            part[:] = np.nan
            here = np.flatnonzero(np.isin(wanted, some))
            part[:, here] = numbers[:, np.searchsorted(some, wanted[here])]
        return X

    def drop_first(self):
        """Without the first row."""
        some, numbers = self.blocks[0]
        self.n_given[some] -= ~np.isnan(numbers[0])
        self.blocks[0], self.n_rows = (some, numbers[1:]), self.n_rows - 1
        self.short = [row - 1 for row in self.short if row]


def counts_rows(values):
    """Do the numbers rise by one from row to row?"""
    return len(values) > 1 and bool((np.diff(values) == 1).all())


def unique_names(names):
    """A name for each column, a second one of a name with a number; line breaks in names are blanks."""
    unique = {}
    for f, title in enumerate(names, 1):
        name = title = re.sub(r"\s*[\r\n]\s*", " ", title).strip() or f"x{f}"
        while name in unique:
            unique[title] += 1
            name = f"{title}.{unique[title]}"
        unique[name] = 0
    return list(unique)
