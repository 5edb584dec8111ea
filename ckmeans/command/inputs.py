"""What a command reads: its table, and the files that go with it, centers or labels."""

import re

from . import terminal
from .remedies import BESIDE, ONE_COLUMN, OPTIONS


def read(ctx, column=None):
    """The table of a command; what it leaves out is told.

    Parameters
    ----------
    ctx : click.Context
    column : str or None
        The one column that the command takes, where it has no --columns.
    """
    from .tables import read_table

    said = ctx.params
    with terminal.reading(ctx, said["data"]) as show:
        table = read_table(
            said["data"],
            columns=said["columns"] if column is None else [column],
            skip_columns=said.get("skip_columns"),
            weights=said["weights"],
            remedies=OPTIONS if column is None else ONE_COLUMN,
            progress=show,
            **text_options(ctx),
        )
    if column is None:
        from .advice import advice

        chosen, standardized = said["columns"] is not None, said.get("standardize", False)
        table.notes.extend(
            advice(table.X, table.columns, table.weights, chosen=chosen, standardized=standardized)
        )
    for line in table.notes:
        terminal.note(ctx, line)
    return table


def text_options(ctx):
    """What the user says of the text of the table."""
    from dataclasses import fields

    from .delimited import Options

    return {option.name: ctx.params[option.name] for option in fields(Options)}


def _read_beside(ctx, path, only=None):
    """A file that goes with the table: read as its text tells, and where that does not tell, by the options for the table.

    The two may well be written by different programs: labels by `ckmeans fit --out`, which has commas, for a table that
    has semicolons.
    """
    from .tables import read_table

    options = text_options(ctx)
    ways = [{"encoding": options["encoding"]}, options, {}]
    refusal = None
    for i, way in enumerate(ways):
        if way in ways[:i]:
            continue
        try:
            return read_table(path, only=only, remedies=BESIDE, **way)
        except ValueError as error:
            refusal = refusal or error
    raise refusal


def read_centers(ctx, path, table):
    """Centers from a file, their columns in the order of the table's where they have the same names."""
    given = _read_beside(ctx, path)
    for line in given.notes:  # the options that a note names are those of the table, but for the encoding
        line = re.sub(r" \([^()]*say --(?!encoding)[^()]*\)", "", line)
        terminal.note(ctx, f"{path}: {line}")
    if set(table.columns) <= set(given.columns):
        return given.X[:, [given.columns.index(name) for name in table.columns]]
    return given.X


def read_labels(ctx, path, table):
    """Labels from a file that has one for each row of the table's file, or for each row that is used.

    Their notes are not told: whether a first line is a name, the number of labels decides.
    """
    try:
        given = _read_beside(ctx, path, only="label")
    except ValueError as error:
        if "no numeric column" not in str(error):
            raise
        raise ValueError(
            f"{path} holds no numbers: labels are whole numbers, one for each row; number them if they are names."
        ) from None
    columns = given.columns
    if len(columns) > 1:
        raise ValueError(
            f"{path} has the columns {', '.join(columns[:8])}, none of which is called label: leave one column, the labels."
        )
    values = given.X[:, 0]
    n_rows, n_used = len(given.lines), len(table.rows)
    if n_rows not in (len(table.lines), n_used):
        raise ValueError(
            f"{path} has {n_rows} labels, {ctx.params['data']} has {len(table.lines)} rows: give one label for each."
        )
    if n_rows == n_used == len(values):
        return values
    labels = dict(zip(map(int, given.rows), values))
    missing = [row for row in map(int, table.rows) if row not in labels]
    if missing:
        raise ValueError(f"{path} has no label for {table.unit} {table.lines[missing[0]]}: give one.")
    return [labels[int(row)] for row in table.rows]
