"""Text with a delimiter: find out what separates the fields, whether there is a header, and on which line a row stands."""

import csv
import io
import re

import numpy as np

DELIMITERS = ("\t", ";", "|", ",", " ")  # " " is any run of white space
NAMED_DELIMITERS = {
    "tab": "\t",
    "\\t": "\t",
    "space": " ",
    "whitespace": " ",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
}
MISSING = ("", "?", ".", "-", "--", "NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "null", "None", "#N/A")
WHOLE = re.compile(r"[-+]?\d{1,300}")
EXACT_INTEGERS = 2**53  # float64 holds every whole number up to here
SNIFFED = 100  # lines looked at to find the delimiter and the header


def parse_text(name, raw, delimiter, header):
    """The fields of a text file as a frame, the line of each row, notes, and columns left out already."""
    import pandas as pd

    notes, skipped = [], {}
    text, lines = _lines(_decode(name, raw, notes))
    head = text[: 2**20].split("\n")[: SNIFFED + 1]
    first = next((i for i, line in enumerate(head) if not line.startswith("#")), len(head))
    if first == len(head):
        raise ValueError(f"{name} is empty: it holds no row at all.")
    delimiter = _checked_delimiter(delimiter) or _delimiter(head[first + 1 :] or head[first:])
    if '"' in text:
        lines = _record_lines(name, text, lines, delimiter)
    body = [_fields(line, delimiter) for line in head[first + 1 :] if line.count('"') % 2 == 0]
    top, decimal = _fields(head[first], delimiter), "."
    commas = [
        cell for row in [top, *body] for cell in row if re.fullmatch(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?", cell)
    ]
    if (
        commas
        and delimiter != ","
        and not any(re.fullmatch(r"[-+]?\d*\.\d+", cell) for row in body for cell in row)
    ):
        decimal = ","
        notes.append(f"decimal commas: {commas[0]} was read as {commas[0].replace(',', '.')}")
    names = None
    if header is None and _is_size(top, body, len(lines) - first - 1):
        notes.append(
            f"first line '{head[first].strip()}' taken as the size of the table: {top[0]} rows, {top[1]} columns"
        )
        first += 1
    elif header or (header is None and _is_header(top, body, decimal)):
        names, first = top, first + 1
    elif first and len(comment := _fields(head[first - 1].lstrip("# "), delimiter)) == len(top):
        names = comment  # as numpy.savetxt(header=...) writes it
    elif header is None and _counts(top, body):
        notes.append(
            f"the first line, {', '.join(top[:4])}{', ...' * (len(top) > 4)}, was taken for data: if it numbers the columns,"
            " say --header, else --no-header"
        )
    elif header is None and body and not all(_is_number(cell, decimal) for cell in top):
        notes.append(
            "no header: the first line has numbers where the other lines have them (else say --header)"
        )
    if first >= len(lines):
        raise ValueError(f"{name} holds a header and no rows: add at least one row of numbers.")
    recent = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)  # rounds correctly by default
    exact = {} if recent else {"float_precision": "round_trip"}

    def read(**options):
        return pd.read_csv(
            io.StringIO(text), sep=r"\s+" if delimiter == " " else delimiter, header=None, index_col=False, skiprows=first,
            skip_blank_lines=False, skipinitialspace=True, decimal=decimal, na_values=MISSING, low_memory=False,
            **exact, **options,
        )  # fmt: skip

    try:
        frame = _with_all_digits(read(), read)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise ValueError(_parser_message(name, str(error), lines)) from None
    if len(frame) != len(lines) - first:
        raise ValueError(f"{name}: {len(lines) - first} lines gave {len(frame)} rows: is a quote left open?")
    if names and len(names) == frame.shape[1] - 1 and frame.iloc[:, -1].isna().all():  # "a,b" over "1,2,"
        frame = frame.iloc[:, :-1]
    frame.columns, unnamed = _names(names, frame.shape[1], name)
    if unnamed and counts_rows(frame.iloc[:, 0]):
        skipped[frame.columns[0]] = "numbers the rows"
        frame = frame.iloc[:, 1:]
    return frame, lines[first:], notes, skipped


def _with_all_digits(frame, read):
    """Columns of floats that stand for whole numbers which floats would merge, as whole numbers again."""
    import pandas as pd

    for f in range(frame.shape[1]):
        values = frame.iloc[:, f]
        if values.dtype.kind == "f" and values.abs().max() >= EXACT_INTEGERS:
            cells = read(usecols=[f], dtype=str).iloc[:, 0]
            whole = [i for i, cell in enumerate(cells) if WHOLE.fullmatch(str(cell))]
            if any(int(cells.iloc[i]) != int(values.iloc[i]) for i in whole):
                column = values.astype(object)
                column.iloc[whole] = [int(cells.iloc[i]) for i in whole]
                frame = pd.concat([frame.iloc[:, :f], column, frame.iloc[:, f + 1 :]], axis=1)
    return frame


def _decode(name, raw, notes):
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", "replace")
    elif b"\0" in raw[:4096]:
        raise ValueError(f"{name} is not a table: it holds binary data. Give CSV, Parquet or .npy.")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
            notes.append("the text is not UTF-8: read as Latin-1")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.rstrip("\n")
    if not text.strip():
        raise ValueError(f"{name} is empty: it holds no row at all.")
    return text


def _lines(text):
    """The text without blank lines, and the numbers of the lines that stayed."""
    if not re.search(r"\n[ \t]*(?:\n|\Z)", text) and text[0] not in " \t\n":
        return text, range(1, text.count("\n") + 2)
    lines = text.split("\n")
    numbers = [i for i, line in enumerate(lines, 1) if line.strip()]
    return "\n".join(lines[i - 1] for i in numbers), numbers


def _record_lines(name, text, lines, delimiter):
    """The line on which each record begins, where quoted fields may hold line breaks."""
    reader, starts = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True), [0]
    try:
        for _ in reader:
            starts.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{name}, line {lines[starts[-1]]}: {error}. Is a quote left open?") from None
    return lines if len(starts) == len(lines) + 1 else [lines[i] for i in starts[:-1]]


def _fields(line, delimiter):
    if delimiter == " ":
        return [cell.strip('"') for cell in re.findall(r'"[^"]*"|\S+', line)]
    try:
        return [
            cell.strip()
            for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])
        ]
    except csv.Error:
        return [line]


def _checked_delimiter(delimiter):
    if delimiter is None:
        return None
    delimiter = NAMED_DELIMITERS.get(delimiter.lower(), delimiter)
    if len(delimiter) != 1 or delimiter in '"\n\r':
        raise ValueError(
            f"delimiter {delimiter!r} is not one character: give one, or tab, whitespace, comma, semicolon, pipe."
        )
    return delimiter


def _delimiter(sample):
    """The delimiter that splits (nearly) all lines into as many fields, most of them numbers."""
    best, best_share = ",", 0.0
    for delimiter in DELIMITERS:
        rows = [_fields(line, delimiter) for line in sample]
        widths = [len(row) for row in rows]
        width = max(set(widths), key=widths.count)
        if width < 2 or widths.count(width) < 0.8 * len(rows):
            continue
        cells = [cell for row in rows for cell in row]
        share = sum(_is_number(cell) or looks_numeric(cell) for cell in cells) / len(cells)
        if share > best_share:
            best, best_share = delimiter, share
    return best


def _is_number(cell, decimal="."):
    try:
        float(cell if decimal == "." else cell.replace(",", "."))
    except ValueError:
        return cell in MISSING
    return "_" not in cell


def looks_numeric(cell):
    """Would a person read a number here: 1.234,5 or 1,234.5 or 50% or $3?"""
    return re.fullmatch(r"[-+]?[$€£]?\d[\d.,']*[%$€£]?", cell) is not None


def _is_header(top, body, decimal):
    """Does the first line have words where the other lines have numbers?

    A word above a column of words tells nothing: data without a header may have such columns too.
    """
    if not body:
        return not any(_is_number(cell, decimal) for cell in top)
    shift = (
        len(body[0]) - len(top) if len(body[0]) == len(top) + 1 else 0
    )  # R leaves out the name of the row names
    for f, cell in enumerate(top):
        below = [row[f + shift] for row in body if f + shift < len(row)]
        if (
            not _is_number(cell, decimal)
            and sum(_is_number(other, decimal) for other in below) > len(below) / 2
        ):
            return True
    return all(cell == "" or not _is_number(cell, decimal) for cell in top)


def _counts(top, body):
    """Does the first line count, 0, 1, 2 or 2019, 2020, 2021, as no other line does?"""

    def counts(row):
        whole = all(re.fullmatch(r"\d{1,15}", cell) for cell in row)
        return len(row) > 1 and whole and all(int(b) == int(a) + 1 for a, b in zip(row, row[1:]))

    return bool(body) and counts(top) and not any(counts(row) for row in body)


def _is_size(top, body, n_rows):
    """Is the first line "n_samples n_features"?"""
    if len(top) != 2 or not all(cell.isdecimal() for cell in top) or len(body) < 2:
        return False
    if int(top[0]) == n_rows and int(top[1]) == len(body[0]):
        return True
    if len(body[0]) > 2 and int(top[1]) == len(body[0]):
        raise ValueError(
            f"the first line promises {top[0]} rows, and {n_rows} follow: correct the file or remove that line."
        )
    return False


def _names(names, n_columns, name):
    """A name for each column, and whether the first one had none."""
    if names is None:
        return [f"x{f}" for f in range(1, n_columns + 1)], False
    if len(names) == n_columns - 1:
        names = ["", *names]
    if len(names) != n_columns:
        raise ValueError(
            f"{name}: the first line has {len(names)} fields, the next {n_columns}. Is it a table? Correct it or give --delimiter."
        )
    return unique_names(names), not names[0]


def unique_names(names):
    """A name for each column, a second one of a name with a number."""
    unique = {}
    for f, title in enumerate(names, 1):
        name = title = title or f"x{f}"
        while name in unique:
            unique[title] += 1
            name = f"{title}.{unique[title]}"
        unique[name] = 0
    return list(unique)


def _parser_message(name, message, lines):
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if found:
        expected, line, saw = map(int, found.groups())
        line = lines[min(line, len(lines)) - 1]
        return f"{name}, line {line}: {saw} fields where the rows above have {expected}: correct it, or give --delimiter."
    found = re.search(r"EOF inside string starting at row (\d+)", message)
    if found:
        return f"{name}, line {lines[min(int(found[1]), len(lines) - 1)]}: a quote is opened here and never closed."
    return f"{name} is not a table: {message.strip().splitlines()[-1]}"


def counts_rows(values):
    return len(values) > 1 and values.dtype.kind in "iu" and bool((np.diff(values.to_numpy()) == 1).all())
