"""Numbers as people write them: what is a plain number, what only looks like one, and whose digits a float loses."""

import re
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from ..validation import EXACT_INTEGERS

LEAST_NORMAL = sys.float_info.min  # smaller floats have fewer digits
_TINY, _TINY_UPPER = (
    re.compile(r"e-\d{3}"),
    re.compile(r"E-\d{3}"),
)  # two, because each is searched as fast as a word
# Cells without a value, as programs and people write them.
MISSING = frozenset(
    ["", "?", ".", "-", "--", "NA", "N/A", "n/a", "na", "N.A.", "n.a.", "<NA>", "#N/A", "#NA", "#N/A N/A"]
    + ["NaN", "nan", "NAN", "-nan", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"]
    + ["NULL", "Null", "null", "None", "NONE", "none"]
)
TRUTH = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}
# The words that --decimal and --thousands take for characters.
DECIMALS = {"point": ".", "comma": ","}
SPACES = " \u00a0\u2007\u2009\u202f"
GROUPS = {"space": SPACES, "comma": ",", "point": ".", "apostrophe": "'\u2019", "underscore": "_"}


@dataclass(frozen=True)
class Notation:
    """How numbers are written: the decimal mark, and the characters that may stand between groups of three digits."""

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def _plain(self):
        mark, whole = re.escape(self.decimal), r"\d+"
        if self.thousands:
            whole = rf"(?:\d{{1,3}}(?:[{re.escape(self.thousands)}]\d{{3}})+|\d+)"
        number = rf"(?:{whole}(?:{mark}\d{'*' if self.decimal == '.' else '+'})?|{mark}\d+)(?:e[-+]?\d+)?|inf|infinity"
        return re.compile(rf"[-+]?(?:{number})", re.ASCII | re.IGNORECASE).fullmatch

    def plain(self, cell):
        """The number as Python writes it, or None where the cell is no plain number."""
        if not self._plain(cell):
            return None
        for mark in self.thousands:
            cell = cell.replace(mark, "")
        return cell.replace(",", ".")


# What a person reads as a number, though it is no plain one: the parts of a regular expression.
_SIGN = "[-+\u2212\u2012\u2013\ufe63\uff0d\uff0b\u00b1~\u2248<>\u2264\u2265='\"#]"
_CODES = (
    "USD|EUR|GBP|JPY|CNY|INR|BRL|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RUB|TRY|ZAR|MXN|KRW|SGD|HKD|ILS|THB"
)
_MONEY = f"(?:(?:US|CA|AU|NZ|HK|S|R)?[$]|[\u20a0-\u20cf\u00a2-\u00a5\u0e3f]|{_CODES}|Rs\\.?|kr\\.?|z\u0142|Kc|K\u010d|Ft)"
_MANY = "(?:[kKMGTB]|bn|mn|mio|Mio\\.?|Mrd\\.?|[%\u2030\u066a])"
_SEPARATOR = f"[.,_'\u2019\u2018\u00b4`\u00b7\u066c{SPACES}]"
_WHOLE = (
    rf"(?:\d{{1,3}}({_SEPARATOR})\d{{3}}(?:\1\d{{3}})*(?!\d)|\d{{1,2}}(?:,\d\d)+,\d{{3}}(?!\d)|\d+(?:_\d+)*)"
)
_POWER = "(?:\\s?[eEdDqQ][-+\u2212]?\\d+|\\s?[x\u00d7*\u00b7]\\s?10\\^?[-+\u2212\u207b(]*[\\d\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+\\)?)"
_NUMBER = rf"(?:0[xX][0-9a-fA-F]+|(?:{_WHOLE}(?:[.,\u066b]\d*)?|[.,]\d+){_POWER}?)"
_UNIT = r"""\s*(?:[^\W\d_]|[\u00b0"'*\u2020\u2021/?~])[^\d;]{0,30}[\d\u00b2\u00b3]?|\s?\[\w+\]"""  # some words, or a footnote
_AFTER = rf"(?:\s*(?:{_MONEY}|{_MANY}(?![^\W\d])))"
_LIKE_NUMBER = re.compile(
    rf"\s*[(\[]?\s*(?:ca\.?\s*)?(?:(?:{_SIGN}|{_MONEY})\s*){{0,4}}{_NUMBER}(?:[.,]?[-\u2013\u2014]{{1,2}})?{_AFTER}{{0,2}}"
    rf"(?P<unit>{_UNIT})?\s*[)\]]?{_AFTER}?\s*[-+]?(?:\s+(?:[#%!]|//).*)?"
).fullmatch

# A quick look that most words do not pass: at most three letters before the first digit, or one of the words for values.
may_be_number = re.compile(
    r"[\W_]*(?:(?:[^\W\d_]{1,3}[\W_]*)?\d|inf|\Z)|\s*(?:true|false)\s*\Z", re.IGNORECASE
).match


def like_number(cell):
    """Does a person read a number here: 1 234,5 or $3 or (5.00)? Its unit, empty where it has none; None for words.

    Dates, times, ranges and codes that begin with letters are words.
    """
    found = _LIKE_NUMBER(cell)
    return None if not found else (found["unit"] or "").strip()


class Words:
    """What the cells of a column are that are no plain numbers, counted block by block.

    Attributes
    ----------
    n_words, n_truths : int
        Cells that are no plain numbers; among them the ones that say true or false.
    first, first_like : tuple of int and str, or None
        Row and text of the first such cell, and of the first one that a person reads as a number.
    """

    def __init__(self):
        self.n_words = self.n_truths = self._n_bare = 0
        self.first = self.first_like = None
        self._units = Counter()

    def add(self, row, cell):
        """Count a cell."""
        self.n_words += 1
        if self.first is None:
            self.first = row, cell
        unit = like_number(cell)
        if unit is None:
            self.n_truths += cell in TRUTH
            return
        if self.first_like is None:
            self.first_like = row, cell
        if unit:
            self._units[unit] += 1
        else:
            self._n_bare += 1

    @property
    def n_like(self):
        """Cells that are read as numbers; of those with a unit, the three most common units: 5A, 5B, 5C, 5D are codes."""
        return self._n_bare + sum(count for _, count in self._units.most_common(3))


def group_words(cell, notation):
    """The options that read a cell with groups of digits, such as --thousands space; empty where there are none."""
    for decimal, mark in DECIMALS.items():
        for thousands, marks in GROUPS.items():
            if mark not in marks and re.search(f"[{re.escape(marks)}]", cell):
                if Notation(mark, marks).plain(cell):
                    said = "" if mark == notation.decimal else f" --decimal {decimal}"
                    return f"--thousands {thousands}{said}"
    return ""


def may_be_tiny(text):
    """Could one of the numbers in a text be too small for all its digits? A quick look: exponents of three digits, many zeros."""
    return bool(_TINY.search(text) or _TINY_UPPER.search(text) or "0" * 300 in text)


def keeps_digits(text, value):
    """Is the float the number that is written, if it is beyond 2**53, or below the least normal float?

    A large number without an exponent has to be exactly the float; of others the same digits have to come back, as they do
    for any float that a program has written.
    """
    tiny = abs(value) < LEAST_NORMAL
    if not tiny and not EXACT_INTEGERS <= abs(value) < float("inf"):
        return True
    digits, exponent, _ = text.upper().partition("E")
    digits = re.sub(r"\D", "", digits).strip("0")
    if value == 0:
        return not digits
    if len(digits) <= 15 and exponent and not tiny:
        return True
    exact = Decimal(text)
    if exponent or tiny:
        return Decimal(f"{value:.{len(digits) - 1}e}") == exact
    return Decimal(value) == exact


def lost_integers(values):
    """Index of the whole numbers in an array that no float64 equals."""
    size = values.astype(np.uint64)
    if values.dtype.kind == "i":
        size = np.where(values < 0, np.uint64(0) - size, size)
    beyond = np.flatnonzero(size > EXACT_INTEGERS)
    if not len(beyond):
        return beyond
    size = size[beyond]
    odd = size // (size & (np.uint64(0) - size))  # without its factors of two
    return beyond[odd > EXACT_INTEGERS]
