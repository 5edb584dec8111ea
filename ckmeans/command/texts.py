"""Reading text with a delimiter, block by block: Arrow reads plain numbers; where there are other cells too, pandas does."""

import io
import re

import numpy as np

from ..validation import EXACT_INTEGERS
from .cells import Columns, refuse, room, unique_names
from .decoding import decoded
from .delimited import find_layout
from .numerals import LEAST_NORMAL, may_be_tiny
from .plain_numbers import plain_numbers
from .records import QUOTE, Records, blocks, long_fields

BLOCK = 2**20  # characters that are read at once
SAMPLE = 2**20  # the layout is found from this number of characters, and from twenty lines at least


def size_note(n_rows, width):
    return f"first line '{n_rows} {width}' taken as the size of the table: {n_rows} rows, {width} columns"


class Text:
    """A text file whose layout is known.

    Parameters
    ----------
    name : str
        For messages.
    file : binary file
        From the beginning to the end, more than once.
    options : Options

    Attributes
    ----------
    names : list of str
        A name for each column.
    unnamed : bool
        Whether the first column has no name of its own.
    hidden : dict
        Columns that are taken only if they are asked for -> why, or None where that is not told.
    notes : list of str
        What the user should be told.
    """

    groups = {}

    def __init__(self, name, file, options):
        self.name, self.notes = name, []
        self.stream = decoded(name, file, options.encoding, self.notes)
        self.layout = self._find_layout(options)
        self.names, self.unnamed = self._names()
        self.hidden = {self.names[-1]: None} if self.layout.ended else {}  # an empty column
        self.notes += self.layout.notes

    def _find_layout(self, options):
        self.start, size, more = "", SAMPLE, True
        while more:
            more = self.stream.read(size)
            self.start = self.start + more if self.start else more.removeprefix("\ufeff")
            size = len(self.start)
            if more and self.start.count("\n") < 20:
                continue
            if not self.start.strip():
                refuse(f"{self.name} is empty: it holds no row at all")
            try:
                layout = find_layout(self.start, not more, options)
            except ValueError as error:
                raise ValueError(f"{self.name}: {error}") from None
            if layout is not None:
                return layout

    def _names(self):
        names, width = self.layout.names, self.layout.width
        if names is None:
            return [f"x{f}" for f in range(1, width + 1)], False
        if self.layout.ended:
            names = [*names, ""]
        elif len(names) == width - 1:
            names = ["", *names]
        return unique_names(names), not names[0]

    def read(self, wanted, must, remedies, progress):
        """Read the rows.

        Parameters
        ----------
        wanted : list of str
            The columns.
        must : dict
        remedies : Remedies
            See `Columns`.
        progress : callable(n_bytes)
            Told how much of the file has been read.

        Returns
        -------
        columns : Columns
        lines : sequence of int
            Line of each row.
        """
        layout = self.layout
        columns = Columns(wanted, must, remedies, "line", layout.notation, layout.missing)
        index = {title: f for f, title in enumerate(self.names)}
        wanted = [index[title] for title in wanted]
        n_skipped, first_skipped, self.plain = 0, None, True
        for block in self._blocks():
            self._add(columns, block, wanted)
            progress(self.stream.n_bytes)
            inside = [line for line, _ in block.skipped if line > layout.first]
            n_skipped += len(inside)
            first_skipped = first_skipped or next(iter(inside), None)
        if n_skipped:
            more = f" and {n_skipped - 1:,} more" * (n_skipped > 1)
            self.notes.append(f"skipped comments among the rows: line {first_skipped}{more}")
        lines = self._joined_lines(columns.lines)
        if layout.promised is not None:
            lines = self._check_promise(columns, lines)
        return columns, lines

    def _blocks(self):
        n_records = max(1, self.start.count("\n"))
        size = max(BLOCK, min(128, n_records) * len(self.start) // n_records)
        text, self.start = self.start, ""
        return blocks(self.stream, text, self.layout, size)

    def cells(self, wanted):
        """The text of some columns of every row as it stands, instead of `read`.

        Parameters
        ----------
        wanted : list of str
            The columns.

        Returns
        -------
        cells : DataFrame of str, None where a value is missing
        lines : list of int
            Line of each row.
        """
        import pandas as pd

        index = {title: f for f, title in enumerate(self.names)}
        places, frames, lines = [index[title] for title in wanted], [], []
        for block in self._blocks():
            frames.append(self._frame(block, dtype=str)[places])
            lines.extend(map(int, block.lines))
        if not lines:
            refuse(f"{self.name} holds no rows")
        cells = pd.concat(frames, ignore_index=True).set_axis(wanted, axis=1)
        if self.layout.counted and self.layout.promised == len(cells) - 1:
            cells, lines = cells[1:], lines[1:]
        return cells.astype(object).where(cells.notna(), None), lines

    def _check_promise(self, columns, lines):
        """The number of rows that the first line tells."""
        promised, n_rows = self.layout.promised, columns.n_rows
        if self.layout.counted:
            if promised != n_rows - 1:
                return lines  # a row like others
            columns.drop_first()
            self.notes.append(size_note(promised, self.layout.width))
            return lines[1:]
        if promised != n_rows:
            refuse(
                f"the first line promises {promised} rows, and {n_rows} follow: correct the file or remove that line"
            )
        self.notes.append(size_note(promised, self.layout.width))
        return lines

    def _joined_lines(self, parts):
        if not parts:
            refuse(f"{self.name} holds no rows: add at least one row of numbers")
        if all(isinstance(part, range) for part in parts) and len(parts) == parts[-1].stop - parts[0].start:
            return range(parts[0].start, parts[-1].stop)
        if sum(map(len, parts)) == parts[-1][-1] - parts[0][0] + 1:
            return range(parts[0][0], parts[-1][-1] + 1)
        return np.concatenate([np.asarray(part, int) for part in parts])

    def _add(self, columns, block, wanted):
        # Where one block has other cells, the next ones will have them too.
        numbers = plain_numbers(block, self.layout, wanted) if self.plain else None
        self.plain = numbers is not None
        if self.plain:
            columns.lines.append(block.lines)
            columns.add(numbers)
        else:
            self._add_cells(columns, block, wanted)

    def _add_cells(self, columns, block, wanted):
        """The rows of a block in which any cell may be in any field."""
        frame = self._frame(block)
        if self.layout.ended and len(bad := np.flatnonzero(frame.iloc[:, -1].notna())):
            width = self.layout.width
            refuse(
                f"{self.name}, line {block.lines[bad[0]]}: {width} fields where the first line has {width - 1}"
            )
        columns.lines.append(block.lines)
        numbers = room(len(frame), len(wanted))
        kinds = [dtype.kind if isinstance(dtype, np.dtype) else "O" for dtype in frame.dtypes]
        by_kind = {kind: [i for i, f in enumerate(wanted) if kinds[f] == kind] for kind in set(kinds)}
        for kind in set(by_kind) & set("iuf"):
            at = by_kind[kind]
            part = frame if len(at) == frame.shape[1] else frame.iloc[:, [wanted[i] for i in at]]
            numbers[:, at if len(at) < len(wanted) else slice(None)] = part.to_numpy(np.float64)
        self._check_digits(columns, block, frame, wanted, kinds, numbers)
        for i, f in enumerate(wanted):
            if kinds[f] == "b":
                columns.truths(i, frame.iloc[:, f].to_numpy(), numbers[:, i])
            elif kinds[f] not in "iuf":
                columns.texts(i, frame.iloc[:, f].tolist(), numbers[:, i])
        self._find_short(columns, block, frame)
        columns.add(numbers)

    def _check_digits(self, columns, block, frame, wanted, kinds, numbers):
        """Numbers beyond 2**53, and tiny ones, are looked at once more: all columns of the block at a time."""
        with np.errstate(invalid="ignore"):
            size = np.abs(numbers)
            large = np.flatnonzero((size >= EXACT_INTEGERS).any(axis=0))
            small = np.flatnonzero((size < LEAST_NORMAL).any(axis=0))
        tiny = len(small) > 0 and may_be_tiny(block.text)
        small = small if tiny else ()
        floats = [i for i in {*large, *small} if kinds[wanted[i]] == "f"]
        for i in set(large) - set(floats):
            if kinds[wanted[i]] in "iu":
                columns.integers(i, frame.iloc[:, wanted[i]].to_numpy(), numbers[:, i])
        if floats:
            cells = self._frame(block, usecols=[wanted[i] for i in floats], dtype=object)
            for i in floats:
                columns.digits(i, cells[wanted[i]].to_numpy(), numbers[:, i], tiny)

    def _find_short(self, columns, block, frame):
        """Rows with fewer fields than the others are left out as a whole: which field is missing cannot be told."""
        ends = frame.iloc[:, -1].isna().to_numpy()
        if self.layout.width < 2 or not ends.any() or self.layout.ended:
            return
        mark, width = self.layout.delimiter, self.layout.width
        lines = block.text.split("\n")
        if QUOTE in block.text:
            with long_fields():
                found = [len(fields) for _, fields in Records(lines, mark, ())]
        else:
            found = [
                len(line.split()) if mark == " " else line.count(mark) + 1 if end else width
                for line, end in zip(lines, ends)
            ]
        columns.short += [columns.n_rows + int(i) for i in np.flatnonzero(ends) if found[i] < width]

    def _frame(self, block, **options):
        """The fields of a block."""
        import pandas as pd

        mark, width = self.layout.delimiter, self.layout.width
        recent = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)  # rounds correctly by default
        exact = {} if recent else {"float_precision": "round_trip"}
        end = block.text.find("\n")
        if QUOTE in block.text[: end if end >= 0 else None]:
            end = len(block.text)
        with long_fields():
            lines = block.text[: end if end >= 0 else None].split("\n")
            n_first = len(next(iter(Records(lines, mark, ())))[1])
        if n_first > width:
            self._refuse_long(block.lines[0], n_first)
        try:
            frame = pd.read_csv(
                io.BytesIO(block.text.encode()),
                sep=r"\s+" if mark == " " else mark,
                header=None,
                names=range(width),
                index_col=False,
                skip_blank_lines=False,
                skipinitialspace=True,
                decimal=self.layout.notation.decimal,
                na_values=self.layout.missing,
                keep_default_na=False,
                low_memory=False,
                **exact,
                **options,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise ValueError(self._parser_message(str(error), block.lines)) from None
        if len(frame) != len(block.lines):
            refuse(
                f"{self.name}, from line {block.lines[0]} on: {len(block.lines)} records gave {len(frame)} rows:"
                " is a quote left open?"
            )
        return frame

    def _refuse_long(self, line, n_fields):
        expected = self.layout.width
        option = " or --comment" * (self.layout.comments == ("#", "%"))
        refuse(
            f"{self.name}, line {line}: {n_fields} fields where the rows above have {expected}: correct it, or give --delimiter{option}"
        )

    def _parser_message(self, message, lines):
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
        if found:
            self._refuse_long(lines[min(int(found[2]), len(lines)) - 1], int(found[3]))
        found = re.search(r"EOF inside string starting at row (\d+)", message)
        if found:
            line = lines[min(int(found[1]), len(lines) - 1)]
            return f"{self.name}, line {line}: a quote is opened here and never closed."
        return f"{self.name} is not a table: {message.strip().splitlines()[-1]}"
