"""The first record of a text: names, numbers that are names, the size of the table, or data."""

import re
from decimal import Decimal

from .cells import refuse
from .records import ERRORS, Records


class Top:
    """The first record beside the next ones.

    Parameters
    ----------
    reading : Reading
    """

    def __init__(self, reading):
        self.reading, self.cells, self.body = reading, reading.top, reading.body
        self.shift = (
            1
            if reading.width == reading.widths[0] + 1 and self.body and reading.shape(None) == "corner"
            else 0
        )

    def _below(self, f):
        f += self.shift
        return [row[f] for row in self.body if f < len(row) and row[f] not in self.reading.missing]

    def _over_numbers(self):
        """The fields that stand over columns of numbers."""
        number = self.reading.is_number
        return [
            f for f in range(len(self.cells)) if sum(map(number, below := self._below(f))) > len(below) / 2
        ]

    def is_header(self, notes=None):
        """Are there words over numbers, or nothing but words; or numbers that are names, beside an empty corner?

        A word above a column of words tells nothing: data without a header may have such columns too.
        """
        number, over = self.reading.is_number, self._over_numbers()
        if not self.body:
            return not any(number(cell) or cell in self.reading.missing for cell in self.cells)
        if self._alone_in_quotes(over):
            return True
        words = [f for f in over if self._is_word(self.cells[f])]
        if self.shift or words:
            numbers = [self.cells[f] for f in over if f not in words and number(self.cells[f])]
            if notes is not None and numbers and not self.shift:
                notes.append(
                    f"the first line, with {self.cells[words[0]][:30]} and {numbers[0]}, holds the names (else say --no-header)"
                )
            return True
        if all(cell == "" or cell not in self.reading.missing and not number(cell) for cell in self.cells):
            return True
        corner = (
            len(self.cells) > 1 and self.cells[0] == "" and all(row and row[0] != "" for row in self.body)
        )
        if corner and over and self._rises([self.cells[f] for f in over if f]):
            if notes is not None:
                shown = ", ".join(self.cells[1:4]) + ", ..." * (len(self.cells) > 4)
                notes.append(
                    f"the first line, with {shown} after an empty field, holds the names (else say --no-header)"
                )
            return True
        return False

    def _alone_in_quotes(self, over):
        """Are the fields over numbers in quotes, and none of the numbers, as R and spreadsheets write names and numbers?"""
        top, *texts = self.reading.texts
        quoted = [f'"{self.cells[f]}"' in top for f in over]
        return (
            bool(over)
            and all(quoted)
            and not any(
                f'"{row[f + self.shift]}"' in text
                for row, text in zip(self.body, texts)
                for f in over
                if f + self.shift < len(row) and row[f + self.shift] not in self.reading.missing
            )
        )

    def _is_word(self, cell):
        """Neither a number nor what stands for a missing one."""
        return cell not in self.reading.missing and cell not in ERRORS and not self.reading.is_number(cell)

    @staticmethod
    def _rises(cells):
        return all(re.fullmatch(r"\d{1,15}", cell) for cell in cells) and all(
            int(a) < int(b) for a, b in zip(cells, cells[1:])
        )

    def check_numbers(self, notes):
        """Refuse numbers that may be names, such as 2019, 2020 or 1, 2, 3; tell that data with words have no header."""
        over = self._over_numbers()
        top = [self.cells[f] for f in over]
        body = [[row[f] for f in over if f < len(row)] for row in self.body]
        corner = self.cells[0] == "" and self.body and all(row[0] != "" for row in self.body if row)
        shown = ", ".join(self.cells[:4]) + ", ..." * (len(self.cells) > 4)
        told = top and body and any(sign(top) and not any(map(common, body)) for sign, common in SIGNS)
        alone = len(self.cells) == 1 and bool(self.body) and _whole(top)
        if told and not corner and self._neighbours(top, body) or alone and not told:
            notes.append(f"the first line, {shown}, was read as data (else say --header)")
        elif told or corner:
            refuse(
                f"the first line, {shown}, may hold names or data: say --header if it holds names, else --no-header"
            )
        if self.body and any(
            cell not in self.reading.missing and not self.reading.is_number(cell) for cell in self.cells
        ):
            notes.append(
                "no header: the first line has numbers where the other lines have them (else say --header)"
            )

    def _neighbours(self, top, body):
        """Two whole numbers side by side, such as 1, 2, over whole numbers: few data have none; names would be 0, 1, or years."""
        return (
            len(top) == len(self.cells) == 2
            and top != ["0", "1"]
            and not _years(top)
            and all(map(_whole, body))
        )

    def names_in_comment(self):
        """Names as numpy.savetxt(header=...) writes them: a comment before the first record, of as many fields."""
        reading = self.reading
        before = [text for line, text in reading.comments if line < reading.lines[0]]
        if not before:
            return None
        mark = before[-1][0]
        text = before[-1].lstrip(f"{mark} ")
        for _, fields in Records(
            [text.replace("\t", " ") if reading.delimiter == " " else text], reading.delimiter, ()
        ):
            words = [cell.strip() for cell in fields]
            if len(words) == reading.width and not all(map(reading.is_number, words)):
                return words
        return None

    def may_be_size(self):
        """Is it "n_samples 2", over rows of two whole numbers?"""
        top = self.cells
        return (
            len(top) == 2 == self.reading.width
            and len(self.body) > 1
            and top[0].isdecimal()
            and top[1] == "2"
        )


def _whole(row):
    return bool(row) and all(re.fullmatch(r"\d{1,15}", cell) for cell in row)


def _distinct(row):
    return _whole(row) and len(set(row)) == len(row)


def _all_pointed(row):
    return len(row) > 1 and all(map(_pointed, row))


def _some_pointed(row):
    return any(map(_pointed, row))


def _pointed(cell):
    return re.fullmatch(r"\d*[.,]\d+", cell) is not None


def _steps(row):
    """The differences from cell to cell, as they are written; none where a cell is no plain number without a sign."""
    if not all(re.fullmatch(r"\d+(?:[.,]\d+)?", cell) for cell in row):
        return []
    numbers = [Decimal(cell.replace(",", ".")) for cell in row]
    return [b - a for a, b in zip(numbers, numbers[1:])]


def _even(row):
    """Counting, or going up or down by one step."""
    steps = set(_steps(row))
    return len(steps) == 1 and steps != {0} and (len(row) > 2 or _whole(row) and steps <= {1, -1})


def _ordered(row):
    """Many numbers that rise, or fall, from each to the next."""
    steps = _steps(row)
    return len(steps) > 4 and (min(steps) > 0 or max(steps) < 0)


def _years(row):
    return len(row) > 1 and _distinct(row) and all(1500 <= int(cell) <= 2100 for cell in row)


# What names are, and what no row below them is.
SIGNS = (
    (_distinct, _whole),
    (_all_pointed, _some_pointed),
    (_even, _even),
    (_ordered, _ordered),
    (_years, _years),
)
