"""Text with a delimiter: what separates the fields, which mark is decimal, which line holds names; refused where the text does not tell."""

import re
from dataclasses import dataclass, field, replace
from itertools import islice

from .cells import refuse
from .headers import Top
from .numerals import DECIMALS, GROUPS, MISSING, Notation, like_number
from .records import ONE, Records, long_fields

FIRM = ("\t", ";", "|")  # never part of a number
DELIMITERS = (*FIRM, ",", " ")  # tried where the user names none
# The words that --delimiter takes for a character, and the word by which a message calls it.
NAMED_DELIMITERS = {
    "tab": "\t",
    "\\t": "\t",
    "space": " ",
    "whitespace": " ",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "none": ONE,
}
WORDS = {mark: word for word, mark in NAMED_DELIMITERS.items() if word != "\\t"}
COMMENTS = ("#", "%")  # what lines of comment begin with, where the user does not say
SNIFFED = 100  # records from which the layout is found
SNIFFED_FIELDS = 1000  # of each of these records, the fields that are looked at
POINT, COMMA = Notation("."), Notation(",")
# A line of several numbers with decimal commas, each after a comma and a blank: 1,5, 2,5.
_PAIRS = re.compile(r"[-+]?\d+(?:,\d+)?(?:, +[-+]?\d+(?:,\d+)?)+").fullmatch


@dataclass(frozen=True)
class Options:
    """What the user says of a text; None where it is to be found out.

    Parameters
    ----------
    delimiter : str
        One character, or a word such as "tab", "whitespace" or "none".
    header : bool
        Whether the first line holds names.
    decimal : {"point", "comma"}
        The decimal mark.
    thousands : str
        The mark between groups of three digits: a character, or "space", "comma", "point", "apostrophe", "underscore".
    comment : str
        What comment lines begin with, or "none"; # and % if not given.
    encoding : str
        A name that Python knows, such as "cp1252" or "utf-16"; a byte order mark tells it as well.
    missing : list of str
        What means a missing value, beside the usual words.
    """

    delimiter: str = None
    header: bool = None
    decimal: str = None
    thousands: str = None
    comment: str = None
    encoding: str = None
    missing: list = None

    def checked(self):
        """The same with characters for words.

        Raises
        ------
        ValueError
        """
        delimiter = _character("delimiter", self.delimiter, NAMED_DELIMITERS)
        decimal, thousands = _character("decimal", self.decimal, DECIMALS), self.thousands
        if decimal not in (None, ".", ","):
            raise ValueError(f"decimal {decimal!r} is none: give point or comma.")
        if thousands is not None:
            thousands = GROUPS.get(thousands.lower(), _character("thousands", thousands, GROUPS))
            decimal = decimal or ("," if "." in thousands else ".")
            if decimal in thousands:
                raise ValueError(f"thousands {self.thousands!r} is the decimal mark as well: give two marks.")
        comment = self.comment
        if comment is not None and (not comment or comment[0] in '"\n\r \t+-.0123456789'):
            raise ValueError(f"comment {comment!r} begins no comment: give a mark such as #, or none.")
        return replace(self, delimiter=delimiter, decimal=decimal, thousands=thousands)


def _character(option, said, words):
    if said is None:
        return None
    mark = words.get(said.lower(), said)
    if len(mark) != 1 and said.lower() not in words or mark in '"\n\r':
        names = ", ".join(word for word in words if word.isalpha())
        raise ValueError(f"{option} {said!r} is not one character: give one, or {names}.")
    return mark


@dataclass(frozen=True)
class Layout:
    """How a text is read.

    Attributes
    ----------
    delimiter : str
    notation : Notation
    comments : tuple of str
    first : int
        Line of the first record that is data.
    width : int
        Number of fields.
    names : list of str or None
    ended : bool
        Whether rows end with a delimiter, which gives an empty field more.
    promised : int or None
        Number of rows, where the first line tells it; `counted` if that line is still among the data.
    notes : list of str
    missing : frozenset of str
        Cells without a value.
    """

    delimiter: str
    notation: Notation
    comments: tuple
    first: int
    width: int
    names: list = None
    ended: bool = False
    promised: int = None
    counted: bool = False
    notes: list = field(default_factory=list)
    missing: frozenset = MISSING


class Reading:
    """The first records of a text, split by one delimiter."""

    def __init__(self, lines, whole, delimiter, comments, first, notation, missing):
        self.delimiter, self.given_notation, self.missing = delimiter, notation, missing
        if delimiter == " ":
            lines = [line.replace("\t", " ") for line in lines]
        records = Records(lines, delimiter, comments, first)
        with long_fields():
            found = list(islice(records, SNIFFED + 2))
        starts = [line - first for line, _ in found]
        self.texts = ["\n".join(lines[start:stop]) for start, stop in zip(starts, [*starts[1:], len(lines)])]
        self.whole = whole and len(found) < SNIFFED + 2
        if len(found) > 2 and not self.whole:
            found.pop()  # it may be cut
        self.lines = [line for line, _ in found]
        self.widths = [len(fields) for _, fields in found]
        self.rows = [[cell.strip() for cell in fields[:SNIFFED_FIELDS]] for _, fields in found]
        self.ended = [not fields[-1].strip() for _, fields in found[1:]]
        self.comments = records.skipped
        self.names = [cell.strip() for cell in found[0][1]] if found else []
        self.top, self.body = (self.rows[0], self.rows[1:]) if found else ([], [])
        body = self.widths[1:] or self.widths
        self.width = max(body, key=body.count) if body else 0

    def is_number(self, cell):
        """A plain number in some notation, or one that a person reads as such."""
        return self.plain(cell) or like_number(cell) is not None

    def plain(self, cell):
        notations = (POINT, COMMA) if self.given_notation is None else (self.given_notation,)
        return any(notation.plain(cell) is not None for notation in notations)

    @property
    def data(self):
        return self.body or self.rows

    def column(self, f):
        """The cells below each other that are given."""
        return [row[f] for row in self.data if f < len(row) and row[f] not in self.missing]

    def numeric(self):
        """Is there a column of numbers?"""
        for f in range(min(self.width, SNIFFED_FIELDS)):
            cells = self.column(f)
            if cells and sum(map(self.is_number, cells)) > len(cells) / 2:
                return True
        return False

    def all_plain(self):
        return all(cell in self.missing or self.plain(cell) for row in self.data for cell in row)

    @property
    def headed(self):
        """Does the first record hold a word above numbers?"""
        return Top(self).is_header()

    def shape(self, header):
        """ "full": all records have as many fields; "corner": the first has one less; "size": it tells the size; "ragged"; or "".

        Records with fewer fields than the first one are allowed: their rows are left out later.
        """
        top, body = self.widths[0], self.widths[1:]
        if self.width < 2:
            return ""
        if not body or top == self.width and max(body) <= top and 2 * body.count(top) >= len(body):
            return "full"
        if top == self.width - 1 and max(body) == self.width and all(self.ended):
            return "full"  # each row ends with a delimiter
        if top == 2 and self.width > 2 and all(cell.isdecimal() for cell in self.top):
            if int(self.top[1]) == self.width and header is None:
                return "size"
        if top == self.width - 1 and min(body) == max(body) == self.width:
            return "corner"
        return "ragged" if top >= self.width else ""

    def corner_holds_names(self):
        """Are the first fields names of rows, as R writes them, and can no two of the others be one number?"""
        first = [row[0] for row in self.body]
        counting = all(cell.isdecimal() for cell in first)
        if counting and any(int(b) != int(a) + 1 for a, b in zip(first, first[1:])):
            return False
        if not counting and any(map(self.is_number, first)):
            return False
        if self.delimiter not in ", " or self.given_notation is not None:
            return len(set(first)) == len(first)
        digits = r"\d+" if self.delimiter == "," else r"\d{3}"
        pairs = [
            any(
                re.fullmatch(r"[-+]?\d+", a) and re.fullmatch(digits, b)
                for a, b in zip(row[not counting :], row[1 + (not counting) :])
            )
            for row in self.body
        ]
        return len(set(first)) == len(first) and not all(pairs)


def find_layout(text, whole, options):
    """Decide how a text is read, from its beginning.

    Parameters
    ----------
    text : str
        The beginning of the text.
    whole : bool
        Whether that is all of it.
    options : Options

    Returns
    -------
    Layout, or None where more of the text is needed

    Raises
    ------
    ValueError
        Where the text allows several readings: the message names the options that decide.
    """
    lines, first, options, notes = text.split("\n"), 1, options.checked(), []
    if found := re.fullmatch(r'"?sep=(.|\\t)"?[ ,;\t]*', lines[0], re.IGNORECASE):
        mark = NAMED_DELIMITERS.get(found[1], found[1])
        options, first, lines = replace(options, delimiter=options.delimiter or mark), 2, lines[1:]
    comments = (
        COMMENTS if options.comment is None else (options.comment,) if options.comment != "none" else ()
    )
    notation = _given_notation(options)
    marks = (options.delimiter,) if options.delimiter else (*DELIMITERS, ONE)
    missing = MISSING.union(options.missing or ())
    readings = [Reading(lines, whole, mark, comments, first, notation, missing) for mark in marks]
    if not whole and all(len(reading.rows) < 3 for reading in readings):
        return None
    readings = [reading for reading in readings if reading.rows]
    if not readings:
        refuse(f"it is empty: it holds no row at all{' besides comments' * (len(text.strip()) > 0)}")
    reading = readings[0] if options.delimiter else _choose(readings, options, notes)
    reading = _check_width(reading, options)
    if options.comment is None:
        _check_comments(reading)
    return _layout(reading, comments, options, notes)


def _given_notation(options):
    if options.decimal is None and options.thousands is None:
        return None
    return Notation(options.decimal, options.thousands or "")


def _choose(readings, options, notes):
    """The one reading that holds a table; refuse if there are several."""
    by_mark = {reading.delimiter: reading for reading in readings}
    shapes = {mark: reading.shape(options.header) for mark, reading in by_mark.items()}
    one = by_mark.get(ONE, readings[-1])
    good = [r for r in readings if shapes[r.delimiter] in ("full", "size") and r.numeric()]
    if one.given_notation is not None and one.all_plain():
        marks = one.given_notation.decimal + one.given_notation.thousands
        good = [r for r in good if r.delimiter not in marks]  # the user says what these are
    firm = [r for r in good if r.delimiter in FIRM]
    loose = {r.delimiter: r for r in good if r.delimiter in ", "}
    if len(firm) > 1:
        _refuse_several(firm, one)
    if firm:
        if " " in loose and loose[" "].all_plain() and not firm[0].all_plain():
            return loose[" "]  # some of the blanks are tabs
        if "," in loose and firm[0].given_notation is None and not _commas_are_in_numbers(firm[0]):
            _refuse_several([firm[0], loose[","]], one)
        return firm[0]
    if (
        "," in loose
        and not loose[","].headed
        and all(map(_PAIRS, one.column(0)))
        and any(re.search(r",\d", c) for c in one.column(0))
    ):
        line = one.column(0)[0][:40]
        refuse(
            f"the line {line!r} may hold decimal commas: say --delimiter comma, or separate the numbers by semicolons"
        )
    if len(loose) == 2:
        comma, blank = loose[","], loose[" "]
        if comma.all_plain() != blank.all_plain() and not one.numeric():
            return comma if comma.all_plain() else blank
        _refuse_several([comma, blank], one)
    for reading in loose.values():
        _check_one_number(reading, one, notes)
        return reading
    corners = [r for r in readings if shapes[r.delimiter] == "corner" and r.numeric()]
    sure = [r for r in corners if options.header or r.corner_holds_names()]
    if len(sure) > 1 or sure and one.numeric() and not options.header:
        _refuse_several([*sure, one], one)
    if sure:
        return sure[0]
    ragged = [r for r in readings if shapes[r.delimiter] == "ragged" and r.numeric()]
    if ragged:
        return max(ragged, key=lambda r: r.widths.count(r.width))
    if one.numeric():
        return one
    if corners:
        return corners[0]  # its width is refused
    full = [r for r in readings if shapes[r.delimiter] == "full"]
    return full[0] if full else one


def _commas_are_in_numbers(reading):
    return all(reading.is_number(cell) for row in reading.data for cell in row if "," in cell)


def _check_one_number(reading, one, notes):
    """Refuse fields without names that may be the parts of one number, 1,5 or 1 250; small whole numbers are two, with a note."""
    if not all(map(one.is_number, one.column(0))):
        return
    loose = one.names[0].count(", ") > sum(name.count(", ") for name in reading.names)
    if reading.delimiter == "," and reading.headed and not loose:
        return  # names may hold blanks, and commas only in quotes
    if reading.delimiter == "," and Top(reading).names_in_comment():
        return  # they tell how many fields there are
    tails = [row[1] for row in reading.data if len(row) == 2]
    if reading.delimiter == "," and reading.width == 2 and len(tails) == len(reading.data):
        digits = {len(tail) for tail in tails}
        padded = any(tail.startswith("0") and len(tail) > 1 for tail in tails)
        whole = not padded and len(digits) > 1 and any(re.fullmatch(r"\d+0", tail) for tail in tails)
        if whole or not any(re.match(r"\d", tail) for tail in tails):
            return
        heads = [row[0] for row in reading.data]
        small = digits == {1} and all(re.fullmatch(r"\d\d?", head) for head in heads)
        small = small and not re.match("[-+]", reading.top[0])
        if small and min(map(len, heads)) == 1 and not reading.headed:
            notes.append(
                f"two columns of whole numbers: {heads[-1]},{tails[-1]} was read as {heads[-1]} and {tails[-1]}"
                " (if it is one number, say --delimiter none)"
            )
            return
    _refuse_several([reading, one], one)


def _refuse_several(readings, one):
    """Several readings of one line."""
    row = next((row for row in one.body or one.rows if row[0]), [""])
    words = [f"--delimiter {WORDS.get(r.delimiter, r.delimiter)}" for r in readings]
    number = ", or none where it is one number" * (one not in readings and one.numeric())
    refuse(
        f"the line {row[0][:40]!r} can be split in more than one way: say {' or '.join(words)}{number}"
        if len(words) > 1
        else f"the line {row[0][:40]!r} can be read in more than one way: say {words[0]}"
    )


def _check_width(reading, options):
    """Refuse a first record of another width, except for row names and sizes."""
    top, shape = reading.widths[0], reading.shape(options.header)
    if top == reading.width or shape in ("full", "size") or not reading.body:
        return reading
    if shape == "corner" and (options.header or options.header is None and reading.corner_holds_names()):
        return reading
    if max(top, reading.width) <= 1 or options.header is False:
        return reading
    remedy = "if the others begin with the name of a row, say --header; " * (top == reading.width - 1)
    refuse(
        f"line {reading.lines[0]} has {top} fields, the next {reading.width}: {remedy}correct it, or give --delimiter or --comment"
    )


def _check_comments(reading):
    """Refuse comments that may be rows of a table that begins with words: as many fields, and numbers where numbers are."""
    if reading.width < 2 or reading.body and all(map(reading.is_number, reading.column(0))):
        return
    for line, text in reading.comments:
        fields = next(iter(Records([text], reading.delimiter, ())))[1]
        inside = line > reading.lines[0]
        if len(fields) == reading.width and (
            inside or any(reading.is_number(cell.strip()) for cell in fields[1:])
        ):
            refuse(
                f"line {line}, {text[:30]!r}, may be a comment or a row: say --comment {text[0]!r} or --comment none"
            )


def _layout(reading, comments, options, notes):
    top = Top(reading)
    first, names, promised, counted = reading.lines[0], None, None, False
    notation = _notation(reading, options, notes)
    if options.header is None and reading.shape(None) == "size":
        promised, first = int(reading.top[0]), reading.lines[1]
    elif options.header is None and top.may_be_size():
        counted = not reading.whole or int(reading.top[0]) == len(reading.body)
        promised = int(reading.top[0]) if counted else None
    if promised is None and (options.header or options.header is None and top.is_header(notes)):
        names = reading.names
        if not reading.body:
            refuse("it holds a header and no rows: add at least one row of numbers")
        first = reading.lines[1]
    else:
        names = top.names_in_comment()
        if names is None and promised is None and options.header is None:
            top.check_numbers(notes)
    ended = names is not None and len(names) == reading.width - 1 and all(reading.ended)
    found = names, ended, promised, counted, notes, reading.missing
    return Layout(reading.delimiter, notation, comments, first, reading.width, *found)


def _notation(reading, options, notes):
    """The decimal mark, where the cells tell it."""
    if reading.given_notation is not None:
        return reading.given_notation
    rows = reading.rows
    commas = [cell for row in rows for cell in row if "," in cell and COMMA.plain(cell)]
    points = [cell for row in rows for cell in row if "." in cell and POINT.plain(cell)]
    if commas and not points:
        if all(re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", cell) for cell in commas):
            refuse(
                f"{commas[0]} may be {commas[0].replace(',', '.')} or {commas[0].replace(',', '')}:"
                " say --decimal comma or --thousands comma"
            )
        if options.delimiter is None and reading.delimiter == ONE and _two_names(reading):
            refuse(
                f"{commas[0]!r} under {reading.names[0][:30]!r} may be one number or two: say --decimal comma if it is one,"
                " else take away the quotes around the lines"
            )
        notes.append(f"decimal commas: {commas[0]} was read as {commas[0].replace(',', '.')}")
        return COMMA
    if points and not commas:
        _check_points(reading, points)
    return POINT


def _two_names(reading):
    """Is the name over the one column, as in "a,b", two of them?"""
    name = reading.names[0]
    return re.search(r"\w,\w", name) is not None and not reading.is_number(name)


def _check_points(reading, points):
    """Refuse 1.234 where it may be 1234: beside 850 in a column, or wherever semicolons show a file of decimal commas."""
    grouped = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}").fullmatch
    if not all(map(grouped, points)):
        return
    for f in range(min(reading.width, SNIFFED_FIELDS)):
        cells = reading.column(f)
        pointed = [cell for cell in cells if "." in cell and grouped(cell)]
        small = [cell for cell in cells if re.fullmatch(r"[-+]?\d{1,3}", cell)]
        mixed = len(small) and len(small) + len(pointed) == len(cells)
        if pointed and (mixed or reading.delimiter == ";" and len(pointed) == len(cells)):
            shown = pointed[0].replace(".", "")
            refuse(
                f"{pointed[0]} may be {shown} with a point between its thousands: say --decimal point or --thousands point"
            )
