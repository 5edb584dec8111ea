"""What a command reads: its table, and the files that go with it, centers or labels."""

import math
import re
from dataclasses import replace

from . import terminal
from .remedies import BESIDE, ONE_COLUMN, OPTIONS

# What a column of labels is called, by `--out` and by `--out --append`.
LABELS = "label", "cluster"

# Numbers, zeros included, up to which sparse rows are made dense where a command takes no others: 1 GiB, as for `certify`.
MOST_DENSE = 1 << 27


def read(ctx, column=None, sparse=False):
    """The table of a command; what it leaves out is told.

    Parameters
    ----------
    ctx : click.Context
    column : str or None
        The one column that the command takes, where it has no --columns.
    sparse : bool
        Whether sparse rows are taken as they are; else they are made dense.
    """
    said = ctx.params
    with terminal.reading(ctx, said["data"]) as show:
        from .tables import read_table  # takes a second, as pandas does

        table = read_table(
            said["data"],
            columns=said["columns"] if column is None else [column],
            skip_columns=said.get("skip_columns"),
            weights=said["weights"],
            impute=said.get("impute"),
            remedies=OPTIONS if column is None else ONE_COLUMN,
            progress=show,
            **text_options(ctx),
        )
    table = table if sparse else in_full(table, f"`ckmeans {ctx.command.name}` with these options")
    if column is None and not table.is_sparse:
        table = _advised(ctx, table)
    for line in table.notes:
        terminal.note(ctx, line)
    return table


def _advised(ctx, table):
    """The table with the columns whose logarithms are wanted, and notes on its columns."""
    from .advice import advice
    from .logarithms import logarithms, positive

    table = replace(table, logs=positive(table, ctx.params.get("log")))
    chosen, standardized = ctx.params["columns"] is not None, ctx.params.get("standardize", False)
    X = logarithms(table.X, table.logs)
    table.notes.extend(advice(X, table.columns, table.weights, chosen=chosen, standardized=standardized))
    return table


def in_full(table, what):
    """The table with dense rows, told in its notes.

    Parameters
    ----------
    table : Table
    what : str
        What takes no others.

    Raises
    ------
    ValueError
        Where that would be too much.
    """
    if not table.is_sparse:
        return table
    shape = " x ".join(f"{n:,}" for n in table.X.shape)
    size = math.prod(table.X.shape)
    if size > MOST_DENSE:
        raise ValueError(
            f"{what} takes dense rows, and {shape} numbers would take {size / 2**27:.3g} GiB: leave features out by --columns, or"
            " rows out of the file. `ckmeans fit` and `ckmeans predict` take sparse rows as they are."
        )
    return replace(table, X=table.X.toarray(), notes=[*table.notes, f"sparse rows were made dense: {shape}"])


def with_direction(ctx, table):
    """The table without the rows that are zero, which is told: they have no direction."""
    import numpy as np

    from .tables import named_lines

    X = table.X
    kept = np.diff(X.indptr) > 0 if table.is_sparse else X.any(axis=1)
    if kept.all():
        return table
    if not kept.any():
        raise ValueError(f"all {len(kept):,} rows are zero, which has no direction: give others.")
    zero = [int(table.lines[row]) for row in table.rows[~kept]]
    note = f"left out {len(zero):,} of {len(kept):,} rows that are zero, which has no direction: {named_lines(zero, table.unit)}"
    terminal.note(ctx, note)
    table.notes.append(note)
    return table.take(np.flatnonzero(kept))


def text_options(ctx):
    """What the user says of the text of the table."""
    from dataclasses import fields

    from .delimited import Options

    return {option.name: ctx.params[option.name] for option in fields(Options)}


def _beside(ctx, path, reader="read_table", **how):
    """A file that goes with the table: read as its text tells, and where that does not tell, by the options for the table.

    The two may well be written by different programs: labels by `ckmeans fit --out`, which has commas, for a table that
    has semicolons.
    """
    from . import tables

    options = text_options(ctx)
    ways = [{"encoding": options["encoding"]}, options, {}]
    refusal = None
    for i, way in enumerate(ways):
        if way in ways[:i]:
            continue
        try:
            given = getattr(tables, reader)(path, **{**way, **how})
            return in_full(given, path) if reader == "read_table" else given
        except ValueError as error:
            refusal = refusal or error
    raise refusal


def read_centers(ctx, path, table):
    """Centers from a file, their columns in the order of the table's where they have the same names."""
    given = _beside(ctx, path, remedies=BESIDE)
    for line in given.notes:  # the options that a note names are those of the table, but for the encoding
        line = re.sub(r" \([^()]*say --(?!encoding)[^()]*\)", "", line)
        terminal.note(ctx, f"{path}: {line}")
    if set(table.columns) <= set(given.columns):
        place = {name: f for f, name in enumerate(given.columns)}
        return given.X[:, [place[name] for name in table.columns]]
    return given.X


def read_labels(ctx, path, table):
    """Labels of the rows that are used, from a file that has one for each of them, or for each row of the table's file.

    Returns
    -------
    labels : list of int or float
    names : list of str or None
        What they are called, where they are no numbers: label i is that of the i-th name.
    """
    names, *_ = read_names(ctx, path)
    n_rows, n_used = len(names), len(table.rows)
    if n_rows not in (len(table.lines), n_used):
        raise ValueError(
            f"{path} has {n_rows} labels, {ctx.params['data']} has {len(table.lines)} rows: give one label for each."
        )
    some = names if n_rows == n_used else [names[int(row)] for row in table.rows]
    if None in some:
        at = table.lines[table.rows[some.index(None)]]
        raise ValueError(f"{path} has no label for {table.unit} {at}: give one.")
    return numbered(some)


def numbered(names):
    """Labels as numbers, and what they are called, or None where they are numbers."""
    try:
        return [int(name) if name.lstrip("-").isdecimal() else float(name) for name in names], None
    except ValueError:
        called = sorted(set(names))
        number = {name: i for i, name in enumerate(called)}
        return [number[name] for name in names], called


def read_names(ctx, path, loose=False):
    """Labels of any kind as text, None where there is none, the line of each, and the name of their column.

    They are in the column of --label, or in one that is called label or cluster, or in the only one; `loose` takes these too
    where there is none of --label.
    """
    said = ctx.params["label"]
    which = {"columns": [said]} if said and not loose else {"only": [said, *LABELS] if said else LABELS}
    cells, lines = _beside(ctx, path, "read_cells", **which)
    title = cells.columns[0]
    # A first line that is a label, no name.
    if title not in (said, *LABELS) and ctx.params["header"] is None and title in set(cells[title]):
        cells, lines = _beside(ctx, path, "read_cells", **which, header=False)
    return [None if cell is None else _as_text(cell) for cell in cells.iloc[:, 0]], lines, title


def _as_text(cell):
    """A label as it is shown: 3, whether a file has 3, "3" or 3.0."""
    text = str(cell).strip()
    return text.removesuffix(".0") if re.fullmatch(r"-?[0-9]+\.0", text) else text
