"""`ckmeans compare`: what two clusterings of the same rows have in common, and which rows moved."""

import os

import click

from ..words import format_plural
from . import terminal
from .inputs import read_names
from .options import label, page, picture, shown, text
from .outputs import check_outputs, draw, write, write_frame
from .terminal import File

# Clusters of either side in the table that is printed; all are in the report.
MOST_SHOWN = 20


@click.command(short_help="What two files of labels of the same rows have in common.")
@click.argument("first", metavar="A", type=File())
@click.argument("second", metavar="B", type=File())
@label
@text
@click.option(
    "--out",
    metavar="FILE",
    type=File(),
    help="Write both labels of each row, and whether it moved; - for standard output.",
)
@page
@picture
@shown
def compare(ctx, first, second, out, json_path, **options):
    """What two clusterings of the same rows have in common: each has a label for each row, as `ckmeans fit --out` writes it.

    --label may name a column of either file, or of both. Clusters of B are matched with those of A so that as many rows as can be
    are in matched clusters; the others moved. Names of clusters, whole numbers or not, do not matter. Rows without a label in
    either file are left out.
    """
    check_outputs(ctx, ("first", "second"))
    said, page, plot = map(options.get, ("label", "page", "plot"))
    names, lines, titles = zip(*(read_names(ctx, path, loose=True) for path in (first, second)))
    if said and said not in titles:
        raise ValueError(
            f"there is no column {said!r} in {first} nor in {second}: name one of either with --label."
        )
    if len(names[0]) != len(names[1]):
        raise ValueError(
            f"{first} has {len(names[0]):,} rows, {second} has {len(names[1]):,}: give labels of the same rows."
        )
    result, moved = compared(*names)
    left_out = len(names[0]) - result["n_samples"]
    if left_out:
        terminal.note(ctx, f"left out {left_out:,} of {len(names[0]):,} rows without a label in either file")
    try:
        if out:
            write_frame(out, _moves(lines[0], names, moved))
        if json_path:
            write(json_path, _report_text(result, first, second))
        if page:
            write(page, _page(ctx, result, first, second))
        if plot:
            draw(plot, lambda: _picture(result, first, second))
    finally:
        if "-" not in (out, json_path, page):
            _print(result, first, second)


def compared(first, second):
    """Compare labels, given as text, None where there is none.

    Returns
    -------
    result : dict
    moved : list of bool or None
        Of each row.

    Raises
    ------
    ValueError
        Where no row has both labels.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score
    from sklearn.metrics.cluster import contingency_matrix

    both = np.array([a is not None and b is not None for a, b in zip(first, second)], bool)
    if not both.any():
        raise ValueError("no row has a label in both files: are they of the same rows?")
    given = [np.array([name for name, keep in zip(side, both) if keep]) for side in (first, second)]
    names, own = zip(*(_ordered(side) for side in given))
    table = contingency_matrix(*own)
    rows, columns = linear_sum_assignment(table, maximize=True)
    match = dict(zip(columns.tolist(), rows.tolist()))
    stays = np.array([match.get(b, -1) == a for a, b in zip(*map(np.ndarray.tolist, own))])
    moved = np.full(len(both), None, object)
    moved[both] = ~stays
    n_rows = len(stays)
    flows = table.copy()
    flows[rows, columns] = 0
    most = [
        {"from": names[0][a], "to": names[1][b], "rows": int(flows[a, b])}
        for a, b in (
            np.unravel_index(at, table.shape) for at in np.argsort(-flows, axis=None, kind="stable")[:5]
        )
        if flows[a, b]
    ]
    return {
        "n_samples": n_rows,
        "adjusted_rand": float(adjusted_rand_score(*own)),
        "n_moved": int(n_rows - stays.sum()),
        "matched": {names[1][b]: names[0][a] for b, a in match.items()},
        "clusters": {"first": names[0], "second": names[1]},
        "table": table.tolist(),
        "largest_moves": most,
    }, moved.tolist()


def _ordered(side):
    """The names of clusters, numbers by their size, and the index of each row's."""
    import numpy as np

    names, own = np.unique(side, return_inverse=True)

    def key(name):
        try:
            return 0, float(name), name
        except ValueError:
            return 1, 0.0, name

    order = sorted(range(len(names)), key=lambda i: key(names[i]))
    place = np.empty(len(names), int)
    place[order] = np.arange(len(names))
    return [names[i].item() for i in order], place[own]


def _moves(lines, names, moved):
    import pandas as pd

    return pd.DataFrame({"line": list(lines), "first": names[0], "second": names[1], "moved": moved})


def _report_text(result, first, second):
    import json

    from .. import __version__

    report = {
        "schema": 1,
        "ckmeans": __version__,
        "data": {"first": first, "second": second},
        "result": result,
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _side_by_side(result):
    """The columns of the cross table, those matched with its lines first."""
    (rows, columns), matched = result["clusters"].values(), {a: b for b, a in result["matched"].items()}
    order = [columns.index(matched[name]) for name in rows if name in matched]
    return order + [b for b in range(len(columns)) if b not in order]


def _picture(result, first, second):
    """The display of the cross table, clusters side by side that are matched."""
    import numpy as np

    from ..plots.cross_table import CrossTableDisplay

    (rows, columns), order = result["clusters"].values(), _side_by_side(result)
    columns, matched = [columns[b] for b in order], result["matched"]
    cells = [(rows.index(matched[name]), b) for b, name in enumerate(columns) if name in matched]
    titles = os.path.basename(first), os.path.basename(second)
    return CrossTableDisplay(np.array(result["table"])[:, order], (rows, columns), titles, cells).plot()


def _page(ctx, result, first, second):
    """The report page."""
    from .. import __version__
    from .job import command_line
    from .page import answer_text, two_columns
    from .page_pictures import display

    moves = [(f"{m['from']} to {m['to']}", format_plural(m["rows"], "row")) for m in result["largest_moves"]]
    matched = [(f"{a} in {first}", f"{b} in {second}") for b, a in result["matched"].items()]
    moved = _moved(result)
    return answer_text(
        f"{os.path.basename(first)} and {os.path.basename(second)}",
        "Two ways to sort the same rows: what do they have in common, and what moved?",
        f"{moved[:1].upper()}{moved[1:]} of {result['n_samples']:,}.",
        f"Clusters are matched so that as few rows as can be move ({_likeness(result)}).",
        "told",
        [
            display(
                lambda: _picture(result, first, second),
                "Rows of each cluster of one in each of the other",
                "Rows in each pair of clusters; the darker, the more of its line. A frame is around those that are taken for the same.",
            )
        ],
        {"Taken for the same": two_columns(matched)}
        | ({"What moved most": two_columns(moves)} if moves else {}),
        {"rows": f"{result['n_samples']:,}, with a label in both"},
        command_line(ctx, ctx.params),
        __version__,
        {"report.json": _report_text(result, first, second)},
    )


def _moved(result):
    """How many rows moved, in words."""
    n_rows, n_moved = result["n_samples"], result["n_moved"]
    share = f" ({100 * n_moved / n_rows:.1f} %)" if n_moved else ""
    return f"{format_plural(n_moved, 'row')}{share} moved" if n_moved else "no row moved"


def _likeness(result):
    return f"adjusted Rand index {result['adjusted_rand']:.4f}, of 1 where nothing moves"


def _print(result, first, second):
    """The cross table, matched clusters side by side, and what moved."""
    from rich.table import Table
    from rich.text import Text

    from ..words import printable

    console, table = terminal.stdout(), result["table"]
    (rows, columns), match = result["clusters"].values(), result["matched"]
    matched, order = {a: b for b, a in match.items()}, _side_by_side(result)
    console.print(
        Text(f"rows: clusters of {printable(first)}; columns: of {printable(second)}", style="bold")
    )
    grid = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="cyan")
    grid.add_column("", justify="right", style="cyan")
    for b in order[:MOST_SHOWN]:
        grid.add_column(Text(printable(columns[b])), justify="right")
    for a, name in enumerate(rows[:MOST_SHOWN]):
        cells = [
            Text(
                f"{table[a][b]:,}",
                style="bold" if matched.get(name) == columns[b] else "dim" * (not table[a][b]),
            )
            for b in order[:MOST_SHOWN]
        ]
        grid.add_row(Text(printable(name)), *cells)
    console.print(grid)
    if max(len(rows), len(columns)) > MOST_SHOWN:
        console.print(f"and more clusters, {len(rows)} and {len(columns)} in all: see --json", style="dim")
    console.print()
    for move in result["largest_moves"][:3]:
        said = f"moved     {move['from']} to {move['to']}: {format_plural(move['rows'], 'row')}"
        console.print(printable(said), soft_wrap=True, highlight=False, markup=False)
    verdict = f"verdict   {_moved(result)} of {result['n_samples']:,}; {_likeness(result)}"
    console.print(verdict, soft_wrap=True, highlight=False, markup=False)
