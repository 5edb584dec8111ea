"""Reading a table of numbers from CSV, Parquet or .npy, and naming every column and row that is left out."""

import io
import os
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .delimited import EXACT_INTEGERS, WHOLE, counts_rows, looks_numeric, parse_text, unique_names

MAPPED = 2**26  # .npy files from this many bytes on are memory-mapped
REMEDIES = {
    "": "leave the column out with --skip-columns {}",
    "--columns": "leave the column out of --columns",
    "--weights": "name another column with --weights",
}


@dataclass(frozen=True, eq=False)
class Table:
    """The complete numeric rows of a file, and what became of the others.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
    columns : list of str
    weights : ndarray of shape (n_samples,), float64, or None
    rows : ndarray of shape (n_samples,), int
        Index of each row of X among the rows of the file.
    lines : sequence of int, of length n_rows
        Where each row of the file stands: its line in a text file, else its number, both counted from 1.
    unit : {"line", "row"}
    skipped : dict
        Name of each column that was left out -> reason.
    incomplete : list of int
        Lines of the rows left out because a value is missing.
    notes : list of str
        What the user should be told.
    """

    X: np.ndarray
    columns: list
    weights: np.ndarray
    rows: np.ndarray
    lines: object
    unit: str
    skipped: dict = field(default_factory=dict)
    incomplete: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def take(self, index):
        """The table of the given rows of X."""
        weights = None if self.weights is None else self.weights[index]
        return replace(self, X=self.X[index], rows=self.rows[index], weights=weights)


def read_table(source, *, columns=None, skip_columns=None, weights=None, delimiter=None, header=None):
    """Read the numeric columns of a file; rows with a missing value are left out.

    Parameters
    ----------
    source : str
        A path; "-" for standard input; "iris" for the packaged data, unless there is a file of that name.
    columns, skip_columns : sequence of str
        Columns to take (all numeric ones by default) and to leave out, by name or by number from 1.
    weights : str, optional
        Column that holds the weights of the rows.
    delimiter : str, optional
        One character, or a word such as "tab" or "whitespace"; detected if not given.
    header : bool, optional
        Whether the first line holds names; detected if not given.

    Returns
    -------
    Table

    Raises
    ------
    ValueError, OSError
        If there is no such file, or no table of numbers in it; the message names value, place and remedy.
    """
    name, raw = _open(source)
    start = bytes(raw[:8])
    if start.startswith(b"\x93NUMPY"):
        return _from_array(_load_npy(name, raw), columns, skip_columns, weights)
    if start.startswith(b"PAR1"):
        frame, notes = _load_parquet(name, raw), []
        return _from_frame(frame, range(1, len(frame) + 1), "row", columns, skip_columns, weights, notes, {})
    suffix = Path(name).suffix.lower()
    if suffix in (".npy", ".parquet", ".pq"):
        raise ValueError(
            f"{name} is no {suffix} file: its first bytes are {start!r}. Was it copied completely?"
        )
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"BZh", b"\xfd7zXZ")):
        raise ValueError(f"{name} is a spreadsheet or an archive: save it as CSV, Parquet or .npy first.")
    frame, lines, notes, skipped = parse_text(name, raw, delimiter, header)
    return _from_frame(frame, lines, "line", columns, skip_columns, weights, notes, skipped)


def _open(source):
    """Name to be shown, and the bytes: all of a stream or a text file; mapped if large."""
    if source == "-":
        return "standard input", sys.stdin.buffer.read()
    path = Path(source)
    if source == "iris" and not path.exists():
        path = Path(__file__).parent / "data" / "iris.csv"
    if path.is_dir():
        raise ValueError(f"{source} is a folder: give a CSV, Parquet or .npy file.")
    try:
        with open(path, "rb") as file:
            raw = file.read(8)
            if not raw.startswith(b"\x93NUMPY") or os.path.getsize(path) < MAPPED:
                raw += file.read()
    except FileNotFoundError:
        raise ValueError(
            f"{source}: there is no such file. Give a path, - for standard input, or iris."
        ) from None
    except OSError as error:
        raise ValueError(f"{source} cannot be read: {error.strerror}.") from None
    return str(path) if source != "iris" else "iris", raw


def _load_npy(name, raw):
    try:
        if len(raw) == 8:
            return np.load(name, mmap_mode="r", allow_pickle=False)
        return np.load(io.BytesIO(raw), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{name} is no readable .npy array of numbers: {error}.") from None


def _load_parquet(name, raw):
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(raw)).read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{name} is no readable Parquet file: {str(error).splitlines()[0]}") from None
    table = table.rename_columns(unique_names(table.column_names))
    for i, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type) or pa.types.is_float16(column.type):
            table = table.set_column(i, column.name, table.column(i).cast(pa.float64()))
    whole = {
        pa.int64(): pd.Int64Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
    }  # else floats where values are missing
    frame = table.to_pandas(ignore_metadata=True, types_mapper=whole.get)
    return frame[[name for name in frame.columns if not re.fullmatch(r"__index_level_\d+__", name)]]


def _from_frame(frame, lines, unit, columns, skip_columns, weights, notes, skipped):
    """Choose and convert the columns of a frame."""
    if not len(frame) or not len(frame.columns):
        _refuse(f"the table is empty: {frame.shape[0]} rows, {frame.shape[1]} columns")
    chosen, weights = _choose(list(frame.columns), columns, skip_columns, weights)
    named = columns is not None
    arrays, names = [], []
    for title in chosen:
        values = _numeric(frame[title], title, lines, unit, must="--columns" * named)
        if isinstance(values, str):
            skipped[title] = values
        else:
            arrays.append(values)
            names.append(title)
            if (
                not named
                and unit == "line"
                and re.fullmatch(r"(?i)id|index|row|no|nr|unnamed.*", title)
                and counts_rows(frame[title])
            ):
                notes.append(f"column {title} numbers the rows: leave it out with --skip-columns {title}")
    if not arrays:
        reasons = "; ".join(f"{title}: {reason}" for title, reason in list(skipped.items())[:3])
        raise ValueError(
            f"no numeric column among the {frame.shape[1]} ({reasons}): give --delimiter or another file."
        )
    dtype = np.float32 if all(values.dtype == np.float32 for values in arrays) else np.float64
    X = np.empty((len(frame), len(arrays)), dtype)
    for f, values in enumerate(arrays):
        X[:, f] = values
    weight = None if weights is None else _numeric(frame[weights], weights, lines, unit, must="--weights")
    return _complete(X, names, weight, weights, lines, unit, skipped, notes)


def _from_array(X, columns, skip_columns, weights):
    """Choose the columns of an array."""
    if X.ndim == 1:
        X = X[:, None]
    if X.ndim != 2:
        raise ValueError(f"the array has shape {X.shape}: give one of shape (n_samples, n_features).")
    if X.dtype.kind not in "fiu":
        raise ValueError(f"the array holds {X.dtype}, not real numbers: convert it to float64.")
    if X.dtype.kind in "iu":
        _check_integers(X, "the array")
    names = [f"x{f}" for f in range(1, X.shape[1] + 1)]
    chosen, weights = _choose(names, columns, skip_columns, weights)
    weight = None if weights is None else X[:, names.index(weights)].astype(np.float64)
    if chosen != names:
        X = X[:, [names.index(title) for title in chosen]]
    if not X.size:
        raise ValueError(f"the table is empty: {X.shape[0]} rows, {X.shape[1]} columns.")
    if X.dtype not in (np.float32, np.float64) or not X.dtype.isnative:
        X = X.astype(np.float64)
    return _complete(X, chosen, weight, weights, range(1, len(X) + 1), "row", {}, [])


def _choose(names, columns, skip_columns, weights):
    """The columns to try, and the one with the weights, by name or number."""

    def find(wanted):
        if wanted in names:
            return wanted
        if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            return names[int(wanted) - 1]
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise ValueError(
            f"there is no column {wanted!r}: choose among {shown}, or a number from 1 to {len(names)}."
        )

    out = {find(title) for title in skip_columns or ()}
    if weights is not None:
        out.add(weights := find(weights))
    chosen = [
        title
        for title in dict.fromkeys(map(find, columns) if columns is not None else names)
        if title not in out
    ]
    if not chosen:
        _refuse(f"no column is left without {', '.join(sorted(out))}: skip fewer")
    return chosen, weights


def _numeric(values, title, lines, unit, must):
    """The column as numbers with NaN where there is none, or the reason why it is left out.

    `must` is the option that asks for the column; where there is none, it is empty.
    """
    import pandas as pd

    kind = pd.api.types
    if kind.is_bool_dtype(values.dtype) or _true_or_false(values):
        return (
            values.astype("boolean").to_numpy(np.float64, na_value=np.nan)
            if must
            else "true or false; name it with --columns to take it as 1 and 0"
        )
    if kind.is_numeric_dtype(values.dtype) and not kind.is_complex_dtype(values.dtype):
        if kind.is_integer_dtype(values.dtype):
            _check_integers(values, f"column {title}")
        array = (
            values.to_numpy()
            if values.dtype in (np.float32, np.float64)
            else values.to_numpy(np.float64, na_value=np.nan)
        )
        return array if must or not np.isnan(array).all() else "no value in any row"
    if not (kind.is_string_dtype(values.dtype) or kind.is_object_dtype(values.dtype)):
        return (
            _refuse(f"column {title} holds {values.dtype}, not numbers")
            if must
            else f"not numeric: {values.dtype}"
        )
    array = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    words = np.flatnonzero(np.isnan(array) & values.notna().to_numpy())
    if not len(words):
        _check_digits(values, f"column {title}")
        return array if must or not np.isnan(array).all() else "no value in any row"
    word = str(values.iloc[words[0]])[:30]
    if (
        must
        or len(words) < 0.5 * values.notna().sum()
        or all(looks_numeric(str(values.iloc[i])) for i in words[:20])
    ):
        count = f"{len(words)} of {len(values)} rows" if len(words) > 1 else "one row"
        _refuse(
            f"column {title} has {word!r} in {unit} {lines[words[0]]}, which is no plain number (so in {count}): "
            f"correct it, or {REMEDIES[must].format(title)}"
        )
    return f"not numeric: {word!r}"


def _true_or_false(values):
    """Truth values with some missing, which pandas keeps as objects."""
    if values.dtype != object:
        return False
    given = values.dropna()
    return len(given) > 0 and all(isinstance(value, bool) for value in given)


def _refuse(message):
    raise ValueError(f"{message}.")


def _check_integers(values, where):
    values = values.dropna() if hasattr(values, "dropna") else values
    if len(values):
        largest = max(int(values.max()), int(values.min()), key=abs)
        if abs(largest) > EXACT_INTEGERS:
            _refuse_integer(largest, where)


def _check_digits(values, where):
    """The same for a column that holds text, or numbers of several kinds; what floats hold exactly may pass."""
    for value in values:
        if WHOLE.fullmatch(str(value)) and int(value) != int(float(value)):
            _refuse_integer(int(value), where)


def _refuse_integer(number, where):
    shown = str(number) if abs(number) < 10**40 else f"{str(number)[:20]}..."
    _refuse(f"{where} holds {shown}, beyond 2**53, up to which float64 is exact: subtract the minimum first")


def _complete(X, names, weight, weight_name, lines, unit, skipped, notes):
    """The table of the rows without a missing value."""
    missing = np.zeros(len(X), bool)
    for f in range(X.shape[1]):
        missing |= np.isnan(X[:, f])
        _check_infinite(X[:, f], names[f], lines, unit)
    if weight is not None:
        missing |= np.isnan(weight)
        bad = np.flatnonzero((weight < 0) | np.isinf(weight))
        if len(bad):
            _refuse(
                f"weight {weight[bad[0]]:g} in {unit} {lines[bad[0]]} of column {weight_name}: give finite weights, 0 or more"
            )
    rows = np.flatnonzero(~missing)
    if not len(rows):
        worst, n_worst = _worst(X, names)
        _refuse(
            f"every row has a missing value ({n_worst} of {len(X)} in column {worst}): use --skip-columns"
        )
    incomplete = [int(lines[i]) for i in np.flatnonzero(missing)]
    for reason in dict.fromkeys(skipped.values()):
        titles = [title for title in skipped if skipped[title] == reason]
        shown = ", ".join(titles[:6]) + (f" and {len(titles) - 6} more" if len(titles) > 6 else "")
        notes.append(f"skipped column{'s' * (len(titles) > 1)} {shown} ({reason})")
    if incomplete:
        worst, n_worst = _worst(X, names)
        where = f" ({n_worst} in column {worst})" if n_worst and X.shape[1] > 1 else ""
        notes.append(
            f"left out {len(incomplete)} of {len(X)} rows with missing values{where}: {named_lines(incomplete, unit)}"
        )
        X = X[rows]
        weight = None if weight is None else weight[rows]
    return Table(X, names, weight, rows, lines, unit, skipped, incomplete, notes)


def _worst(X, names):
    """The column with most missing values, and their number."""
    n_missing = [int(np.isnan(X[:, f]).sum()) for f in range(X.shape[1])]
    worst = int(np.argmax(n_missing))
    return names[worst], n_missing[worst]


def _check_infinite(values, title, lines, unit):
    bad = np.flatnonzero(np.isinf(values))
    if len(bad):
        where = named_lines([int(lines[i]) for i in bad], unit)
        _refuse(
            f"column {title} holds infinity in {where}: correct or remove these rows, or use --skip-columns {title}"
        )


def named_lines(numbers, unit):
    """ "lines 3, 17, 20" with at most ten numbers."""
    shown = ", ".join(map(str, numbers[:10])) + (
        f" and {len(numbers) - 10} more" if len(numbers) > 10 else ""
    )
    return f"{unit}{'s' * (len(numbers) > 1)} {shown}"
