"""What a command reads: its table, and the files that go with it, centers or labels."""

from . import terminal


def read(ctx, column=None):
    """The table of a command; what it leaves out is told.

    Parameters
    ----------
    ctx : click.Context
    column : str or None
        The one column that the command takes, where it has no --columns.
    """
    from dataclasses import fields

    from .delimited import Options
    from .tables import read_table

    said = ctx.params
    columns = said["columns"] if column is None else [column]
    how = {option.name: said[option.name] for option in fields(Options)}
    table = read_table(
        said["data"], columns=columns, skip_columns=said.get("skip_columns"), weights=said["weights"], **how
    )
    for line in table.notes:
        terminal.note(ctx, line)
    return table


def read_centers(path, table):
    """Centers from a file, their columns in the order of the table's where they have the same names."""
    from .tables import read_table

    given = read_table(path)
    if set(table.columns) <= set(given.columns):
        return given.X[:, [given.columns.index(name) for name in table.columns]]
    return given.X


def read_labels(path, table, source):
    """Labels from a file that has one for each row of the table's file, or for each row that is used.

    Parameters
    ----------
    path : str
    table : Table
    source : str
        Where the table is from.
    """
    from .tables import read_table

    try:
        given = read_table(path)
    except ValueError as error:
        if "no numeric column" not in str(error):
            raise
        raise ValueError(
            f"{path} holds no numbers: labels are whole numbers, one for each row; number them if they are names."
        ) from None
    columns = given.columns
    if "label" not in columns and len(columns) > 1:
        raise ValueError(
            f"{path} has the columns {', '.join(columns[:8])}, none of which is called label: leave one column, the labels."
        )
    values = given.X[:, columns.index("label") if "label" in columns else 0]
    n_rows, n_used = len(given.lines), len(table.rows)
    if n_rows not in (len(table.lines), n_used):
        raise ValueError(
            f"{path} has {n_rows} labels, {source} has {len(table.lines)} rows: give one label for each."
        )
    if n_rows == n_used == len(values):
        return values
    labels = dict(zip(map(int, given.rows), values))
    missing = [row for row in map(int, table.rows) if row not in labels]
    if missing:
        raise ValueError(f"{path} has no label for {table.unit} {table.lines[missing[0]]}: give one.")
    return [labels[int(row)] for row in table.rows]
