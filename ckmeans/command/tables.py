"""Reading a table of numbers from CSV, Parquet, .npy or .npz, and naming every column and row that is left out."""

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy.sparse import issparse

from ..words import listed
from .arrays import check_exact, is_npz, load_npy, load_npz
from .cells import counts_rows, refuse
from .delimited import Options
from .gaps import Gaps
from .names import meant
from .packed import ZIP, spooled, text_of
from .parquet import Parquet
from .remedies import OPTIONS, WEIGHTS
from .texts import Text


@dataclass(frozen=True, eq=False)
class Table:
    """The complete numeric rows of a file, and what became of the others.

    Attributes
    ----------
    X : ndarray or CSR array of shape (n_samples, n_features), float32 or float64
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
    medians : dict
        Name of each column -> what its missing values were filled with, if they were.
    logs : list of int
        Columns whose logarithms are clustered: X has the values themselves.
    sha256, file_sha256 : str or None
        Of what is clustered, and of the bytes of the file, where a report tells it.
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
    medians: dict = field(default_factory=dict)
    logs: list = field(default_factory=list)
    sha256: str = None
    file_sha256: str = None

    @property
    def is_sparse(self):
        """Whether X is sparse."""
        return issparse(self.X)

    def take(self, index):
        """The table of the given rows of X."""
        weights = None if self.weights is None else self.weights[index]
        return replace(self, X=self.X[index], rows=self.rows[index], weights=weights)


def read_table(
    source,
    *,
    columns=None,
    skip_columns=None,
    weights=None,
    impute=None,
    remedies=OPTIONS,
    progress=lambda n_bytes: None,
    **how,
):
    """Read the numeric columns of a file; rows with a missing value are left out, or filled.

    Parameters
    ----------
    source : str
        A path; "-" for standard input; "iris" for the packaged data, unless there is a file of that name.
    columns, skip_columns : sequence of str
        Columns to take (all numeric ones by default) and to leave out, by name or by number from 1.
    weights : str, optional
        Column that holds the weights of the rows.
    impute : "median" or dict, optional
        What missing values are filled with: medians of their columns, or a number for each column by name.
    remedies : Remedies
        What a message tells the user to do about a column.
    progress : callable(n_bytes)
        Told how much of a text or a Parquet file has been read.
    **how
        How a text is read, where that is not to be found out: see `delimited.Options`.

    Returns
    -------
    Table

    Raises
    ------
    ValueError, OSError
        If there is no such file, or no table of numbers in it, or more than one way to read it; the message names value,
        place and remedy.
    """
    gaps = Gaps(how.get("missing"), impute)
    with _opened(source, how) as found:
        if isinstance(found, np.ndarray) or issparse(found):
            return _from_array(found, columns, skip_columns, weights, remedies, gaps)
        return _from_columns(found, columns, skip_columns, weights, remedies, progress, gaps)


def read_cells(source, columns=None, only=None, **how):
    """Columns of a file as they stand there, text or not, for every row.

    Parameters
    ----------
    source : str
        A path.
    columns : sequence of str or None
        Names; None for all.
    only : sequence of str, optional
        Names of the column that is wanted: the first that is there, else the only column.
    **how
        See `read_table`.

    Returns
    -------
    cells : DataFrame
        Text, or what a Parquet file has; None where a value is missing.
    lines : sequence of int
        Where each row stands in the file.

    Raises
    ------
    ValueError, OSError
    """
    import pandas as pd

    if source == "-":
        raise ValueError("standard input is read once: write it to a file, and give that.")
    with _opened(source, how) as found:
        if issparse(found):
            raise ValueError(
                f"{source} holds sparse rows, whose columns are not written beside labels: leave out --id and --append."
            )
        array = isinstance(found, np.ndarray)
        if array:
            found = found.reshape(len(found), -1)
        names = [f"x{f}" for f in range(1, found.shape[1] + 1)] if array else list(found.names)
        wanted = names if columns is None else list(columns)
        if only is not None:
            wanted = [title for title in only if title in names][:1] or names
            if len(wanted) > 1:
                raise ValueError(
                    f"{source} has the columns {', '.join(names[:8])}, none of which is called {' or '.join(only)}: say which one"
                    f" is meant with --label{meant(only[0], names)}."
                )
        for title in wanted:
            if title not in names:
                has = ", ".join(names[:12])
                raise ValueError(
                    f"there is no column {title!r} in {source}{meant(title, names)}: it has {has}."
                )
        if not array:
            return found.cells(wanted)
        cells = pd.DataFrame(found, columns=names)[wanted].astype(object)
        return cells.where(cells.notna(), None), range(1, len(found) + 1)


@contextmanager
def _opened(source, how):
    """An array, a Parquet file or a text, as the first bytes of a file tell."""
    name, file = _open(source)
    with file:
        start = file.read(8)
        file.seek(0)
        if start.startswith(b"\x93NUMPY"):
            yield load_npy(name, file)
            return
        if start.startswith(ZIP) and is_npz(file):
            yield load_npz(name, file)
            return
        if start.startswith(b"PAR1"):
            if find_spec("pyarrow") is None:
                raise ValueError(f"{name} is read by pyarrow: pip install pyarrow, or save it as CSV.")
            yield Parquet(name, file, how.get("missing"))
            return
        suffix = Path(name).suffix.lower()
        if suffix in (".npy", ".npz", ".parquet", ".pq"):
            raise ValueError(
                f"{name} is no {suffix} file: its first bytes are {start!r}. Was it copied completely?"
            )
        with text_of(name, file, start) as file:
            yield Text(name, file, Options(**how))


def _open(source):
    """Name to be shown, and a file that can be read twice."""
    if source == "-":
        return "standard input", spooled(sys.stdin.buffer)
    path = Path(source)
    if source == "iris" and not path.exists():
        path = Path(__file__).parents[1] / "data" / "iris.csv"
    if path.is_dir():
        raise ValueError(f"{source} is a folder: give a CSV, Parquet, .npy or .npz file.")
    try:
        file = open(path, "rb")
        if not file.seekable():  # a named pipe
            file = spooled(file)
    except FileNotFoundError:
        raise ValueError(
            f"{source}: there is no such file. Give a path, - for standard input, or iris."
        ) from None
    except OSError as error:
        raise ValueError(f"{source} cannot be read: {error.strerror}.") from None
    return str(path) if source != "iris" else "iris", file


def _from_columns(source, columns, skip_columns, weights, remedies, progress, gaps):
    """Choose the columns of a text or a Parquet file, and read them."""
    if not source.names:
        refuse("the table is empty: 0 rows, 0 columns")
    named = columns is not None
    chosen, weights = _choose(
        source.names, columns, skip_columns, weights, remedies, source.hidden, source.groups
    )
    must = dict.fromkeys(chosen, remedies.asked_for) if named else {}
    if weights is not None:
        must[weights] = WEIGHTS
    wanted = [*chosen, *([weights] if weights is not None else [])]
    found, lines = source.read(wanted, must, remedies, progress)
    weight = None if weights is None else _weight(found, lines)
    skipped, used = {}, []
    if not named:
        left = set(source.hidden) - set(wanted)
        skipped = {
            title: source.hidden[title] for title in source.names if title in left and source.hidden[title]
        }
    for f, title in enumerate(found.names):
        if title == weights and f == len(found.names) - 1:
            continue
        reason = found.reason(f, lines)
        if reason is None and not named:
            reason = _row_numbers(source, found, f, remedies)
        if reason is None:
            used.append(f)
        else:
            skipped[title] = reason
    if not used:
        reasons = "; ".join(f"{title}: {reason}" for title, reason in list(skipped.items())[:3])
        remedy = "give --delimiter or another file" if found.unit == "line" else "give another file"
        refuse(f"no numeric column among the {len(source.names)} ({reasons}): {remedy}")
    X = found.take(used)
    return _complete(
        X,
        [found.names[f] for f in used],
        weight,
        weights,
        lines,
        found.unit,
        skipped,
        source.notes,
        remedies,
        gaps,
        found.short,
    )


def _weight(found, lines):
    found.reason(len(found.names) - 1, lines)
    return found.column(len(found.names) - 1)


def _row_numbers(source, found, f, remedies):
    """The reason to leave out a first column without a name that numbers the rows."""
    title = found.names[f]
    if found.unit != "line" or title != source.names[0] or not source.unnamed:
        return None
    if not counts_rows(found.column(f)):
        without = remedies.other.format(title)
        refuse(f"the first column has no name: if it only names the rows, {without}, else {remedies.choose}")
    return "numbers the rows"


def _from_array(X, columns, skip_columns, weights, remedies, gaps):
    """Choose the columns of an array, sparse or not."""
    if X.ndim == 1:
        X = X[:, None]
    if X.ndim != 2:
        raise ValueError(f"the array has shape {X.shape}: give one of shape (n_samples, n_features).")
    if X.dtype.kind not in "fiu":
        raise ValueError(f"the array holds {X.dtype}, not real numbers: convert it to float64.")
    if X.dtype.kind in "iu" or X.dtype.itemsize > 8:
        check_exact(X.data[:, None] if issparse(X) else X)
    names = [f"x{f}" for f in range(1, X.shape[1] + 1)]
    chosen, weights = _choose(names, columns, skip_columns, weights, remedies)
    place = {title: f for f, title in enumerate(names)}
    weight = None if weights is None else _column(X, place[weights]).astype(np.float64)
    if chosen != names:
        X = X[:, [place[title] for title in chosen]]
    if 0 in X.shape:
        raise ValueError(f"the table is empty: {X.shape[0]} rows, {X.shape[1]} columns.")
    if X.dtype not in (np.float32, np.float64) or not X.dtype.isnative:
        X = X.astype(np.float64)
    return _complete(X, chosen, weight, weights, range(1, X.shape[0] + 1), "row", {}, [], remedies, gaps)


def _column(X, f):
    """A column of an array, sparse or not."""
    return X[:, [f]].toarray().ravel() if issparse(X) else X[:, f]


def _choose(names, columns, skip_columns, weights, remedies, hidden=(), groups=None):
    """The columns to try, and the one with the weights, by name or number; a group stands for its columns."""

    known = set(names)

    def find(wanted):
        if wanted in known:
            return [wanted]
        if groups and wanted in groups:
            return groups[wanted]
        if not remedies.absent and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
            return [names[int(wanted) - 1]]
        shown = listed(names, 12)
        near = meant(wanted, names)
        if remedies.absent:
            raise ValueError(
                f"there is no column {wanted!r}, {remedies.absent}; the table has {shown}{near}."
            )
        raise ValueError(
            f"there is no column {wanted!r}{near}: choose among {shown}, or a number from 1 to {len(names)}."
        )

    out = {title for wanted in skip_columns or () for title in find(wanted)}
    if weights is not None:
        weights = find(weights)[0]
        out.add(weights)
    if columns is None:
        asked = [title for title in names if title not in hidden]
    else:
        asked = dict.fromkeys(title for wanted in columns for title in find(wanted))
    chosen = [title for title in asked if title not in out]
    if not chosen:
        without = ", ".join(sorted(out)) or "the index"
        refuse(
            f"no column is left without {without}: {'skip fewer, or ' * bool(skip_columns)}{remedies.choose}"
        )
    return chosen, weights


def _complete(X, names, weight, weight_name, lines, unit, skipped, notes, remedies, gaps, short=()):
    """The table of the rows without a missing value."""
    X, medians = gaps.filled(gaps.mark(X), names, short, notes)
    weight = None if weight is None else gaps.mark(weight[:, None])[:, 0]
    n_rows = X.shape[0]
    missing = np.zeros(n_rows, bool)
    missing[list(short)] = True
    # Of sparse rows only columns with an entry that is not finite are looked at.
    for f in np.unique(X.indices[~np.isfinite(X.data)]) if issparse(X) else range(X.shape[1]):
        missing |= np.isnan(_column(X, f))
        _check_infinite(_column(X, f), names[f], lines, unit, remedies)
    if weight is not None:
        missing |= np.isnan(weight)
        bad = np.flatnonzero((weight < 0) | np.isinf(weight))
        if len(bad):
            refuse(
                f"weight {weight[bad[0]]:g} in {unit} {lines[bad[0]]} of column {weight_name}: give finite weights, 0 or more"
            )
    rows = np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64)  # half the memory, for most
    if missing.any():
        rows = rows[~missing]
    if not len(rows):
        worst, n_worst = _worst(X, names)
        without = remedies.other.format(worst)
        refuse(f"every row has a missing value ({n_worst} of {n_rows} in column {worst}): {without}")
    incomplete = [int(lines[i]) for i in np.flatnonzero(missing)]
    for reason in dict.fromkeys(skipped.values()):
        titles = [title for title in skipped if skipped[title] == reason]
        notes.append(f"skipped column{'s' * (len(titles) > 1)} {listed(titles, 6)} ({reason})")
    if incomplete:
        worst, n_worst = _worst(X, names)
        where = f" ({n_worst} in column {worst})" if n_worst and X.shape[1] > 1 else ""
        notes.append(
            f"left out {len(incomplete)} of {n_rows} rows with missing values{where}: {named_lines(incomplete, unit)}"
        )
        X = _keep(X, rows)
        weight = None if weight is None else weight[rows]
    return Table(X, names, weight, rows, lines, unit, skipped, incomplete, notes, medians)


def _keep(X, rows):
    """Some rows of X: moved up within it where it is ours, so that no second copy is needed."""
    if issparse(X) or isinstance(X, np.memmap) or not X.flags.owndata:
        return X[rows]
    for start in range(0, len(rows), 4096):
        X[start : start + 4096][: len(part)] = X[part := rows[start : start + 4096]]
    return X[: len(rows)]


def _worst(X, names):
    """The column with most missing values, and their number."""
    if issparse(X):
        n_missing = np.bincount(X.indices[np.isnan(X.data)], minlength=X.shape[1]).tolist()
    else:
        n_missing = [int(np.isnan(X[:, f]).sum()) for f in range(X.shape[1])]
    worst = int(np.argmax(n_missing))
    return names[worst], n_missing[worst]


def _check_infinite(values, title, lines, unit, remedies):
    bad = np.flatnonzero(np.isinf(values))
    if len(bad):
        where = named_lines([int(lines[i]) for i in bad], unit)
        refuse(
            f"column {title} holds infinity in {where}: correct or remove these rows, or {remedies.other.format(title)}"
        )


def named_lines(numbers, unit):
    """ "lines 3, 17, 20" with at most ten numbers."""
    return f"{unit}{'s' * (len(numbers) > 1)} {listed(numbers, 10)}"
