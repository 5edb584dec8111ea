"""What a command reads: its table, and the files that go with it, centers or labels."""

import re
from dataclasses import replace

from . import terminal
from .remedies import BESIDE, ONE_COLUMN, OPTIONS

# What a column of labels is called, by `--out` and by `--out --append`.
LABELS = "label", "cluster"


def read(ctx, column=None):
    """The table of a command; what it leaves out is told.

    Parameters
    ----------
    ctx : click.Context
    column : str or None
        The one column that the command takes, where it has no --columns.
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
    if column is None:
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
            return getattr(tables, reader)(path, **{**way, **how})
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
        return given.X[:, [given.columns.index(name) for name in table.columns]]
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
    try:
        return [int(name) if name.lstrip("-").isdecimal() else float(name) for name in some], None
    except ValueError:
        called = sorted(set(some))
        number = {name: i for i, name in enumerate(called)}
        return [number[name] for name in some], called


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
