"""The records of a text with a delimiter: quoted fields may hold line breaks, comments and blank lines are left out."""

import csv
import re
import sys
from contextlib import contextmanager

import numpy as np

QUOTE = '"'
ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NUM!", "#NAME?", "#NULL!")  # of spreadsheets: no comments
ONE = "\x1f"  # no delimiter: each record is one field


@contextmanager
def long_fields():
    """Fields may be as long as the file; the limit of the csv module belongs to the process, and is put back."""
    limit = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


class Records:
    """The records of some lines, as (line number, fields), in order.

    Parameters
    ----------
    lines : iterable of str
        Without line breaks at their ends.
    delimiter : str
        A blank is any run of blanks and tabs; `ONE` is none at all.
    comments : tuple of str
        What lines begin with that are skipped, where no quote is open.
    first : int
        Number of the first line.

    Attributes
    ----------
    skipped : list of (int, str)
        The comments, with their lines.
    kept : list of str
        The lines that are left.
    n_before : int
        How many of these are before the last record.
    """

    def __init__(self, lines, delimiter, comments, first=1):
        self.lines, self.delimiter, self.comments, self.first = lines, delimiter, tuple(comments), first
        self.skipped, self.kept, self.n_before, self._start, self._fresh = [], [], 0, first, True

    def _open_lines(self):
        for number, line in enumerate(self.lines, self.first):
            if self._fresh:
                if not line.strip():
                    continue
                if self.comments and line.startswith(self.comments) and not line.startswith(ERRORS):
                    self.skipped.append((number, line))
                    continue
                self._start, self.n_before, self._fresh = number, len(self.kept), False
            self.kept.append(line)
            yield line + "\n"

    def starts(self):
        """The line on which each record begins, where there is no quote and each line is a record."""
        for _ in self._open_lines():
            self._fresh = True
            yield self._start

    def __iter__(self):
        for fields in csv.reader(self._open_lines(), delimiter=self.delimiter, skipinitialspace=True):
            start, self._fresh = self._start, True
            if self.delimiter == " ":
                while len(fields) > 1 and not fields[-1]:
                    fields.pop()  # blanks at the end of the line
            yield start, fields


def _sequence(numbers):
    """Line numbers in little room."""
    if numbers and numbers[-1] - numbers[0] == len(numbers) - 1:
        return range(numbers[0], numbers[-1] + 1)
    return np.array(numbers, int)


class Block:
    """Some whole records as text.

    Attributes
    ----------
    text : str
    lines : sequence of int
        The line on which each record begins.
    skipped : list of (int, str)
        Comments.
    """

    def __init__(self, text, lines, skipped):
        self.text, self.lines, self.skipped = text, lines, skipped


def blocks(stream, text, layout, size):
    """Cut a stream into blocks of whole records.

    Parameters
    ----------
    stream : text stream
        What follows `text`.
    text : str
        The beginning of the text.
    layout : Layout
        Tells the delimiter, the comments, and the line of the first record.
    size : int
        Characters in a block, or more where one record is longer.
    """
    line, at = 1, 0
    for _ in range(layout.first - 1):
        at, line = text.index("\n", at) + 1, line + 1
    text, more = text[at:], True
    while more:
        more = stream.read(max(size - len(text), size // 2))
        text += more
        if more and len(text) < size:
            continue
        block, text, line = _cut(text, line, layout, last=not more)
        if block is None and more:
            size *= 2  # a record longer than the block: the time stays linear
        elif block is not None and len(block.lines):
            yield block


def _cut(text, line, layout, last):
    """The whole records at the beginning of a text, the rest, and the number of its first line."""
    if layout.delimiter == " " and "\t" in text:
        text = text.replace("\t", " ")
    if QUOTE in text:
        return _cut_quoted(text, line, layout, last)
    end = len(text) if last else text.rfind("\n") + 1
    if not end and not last:
        return None, text, line
    head, text = text[:end], text[end:]
    head = head[:-1] if head.endswith("\n") else head
    n_lines = head.count("\n") + 1 if end else 0
    numbers, skipped = range(line, line + n_lines), []
    # One character is found many times as fast as two.
    odd = any(mark in head and (head.startswith(mark) or f"\n{mark}" in head) for mark in layout.comments)
    if odd or not head.strip() or head[0].isspace() or head[-1] == "\n" or _blank_line(head):
        records = Records(head.split("\n"), ONE, layout.comments, line)
        numbers = _sequence(list(records.starts()))
        head, skipped = "\n".join(records.kept), records.skipped
    return Block(head, numbers, skipped), text, line + n_lines


def _blank_line(text):
    return any(mark in text and f"\n{mark}" in text for mark in "\n \t") and re.search(
        r"\n\s*?(?:\n|\Z)", text
    )


def _cut_quoted(text, line, layout, last):
    lines = text.split("\n")
    if last and lines and not lines[-1]:
        lines.pop()
    records = Records(lines, layout.delimiter, layout.comments, line)
    with long_fields():
        numbers = [number for number, _ in records]
    if last:
        return Block("\n".join(records.kept), _sequence(numbers), records.skipped), "", line + len(lines)
    if len(numbers) < 2:
        return None, text, line
    held = numbers.pop()  # the last record may go on
    rest = "\n".join(lines[held - line :])
    skipped = [item for item in records.skipped if item[0] < held]
    return Block("\n".join(records.kept[: records.n_before]), _sequence(numbers), skipped), rest, held
