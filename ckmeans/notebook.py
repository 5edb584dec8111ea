"""How results look in a notebook: a verdict, a table, and facts below it."""

import html
from collections.abc import Mapping, Sequence

from .words import printable

MOST_LINES = 20  # of a table
ROW = "<tr>{}</tr>"
# Colors are left to the notebook, light or dark.
TABLE = '<table style="font-variant-numeric:tabular-nums">{}</table>'


def as_html(
    verdict: str = "",
    columns: Mapping[str, Sequence[object]] | None = None,
    facts: Mapping[str, object] | None = None,
    marked: Sequence[tuple[str, int]] = (),
) -> str:
    """HTML that `_repr_html_` returns.

    Parameters
    ----------
    verdict : str
        A sentence that comes first.
    columns : dict of str to sequence
        Of a table, by their heads.
    facts : dict of str to object
        Of a second table, by their names; those that are "" are left out.
    marked : sequence of (str, int)
        Cells of the first table that are bold: column and line.

    Examples
    --------
    >>> as_html("<good>", {"k": [2, 3]}, marked=[("k", 1)]).partition("<table")[0]
    '<p><strong>&lt;good&gt;</strong></p>'
    """
    parts = [f"<p><strong>{_escaped(verdict)}</strong></p>"] if verdict else []
    columns = columns or {}
    if columns:
        n_lines = max(map(len, columns.values()))
        lines = ["".join(f"<th>{_escaped(head)}</th>" for head in columns)]
        for i in range(min(n_lines, MOST_LINES)):
            cells = (_cell(values[i], (head, i) in marked) for head, values in columns.items())
            lines.append("".join(cells))
        if n_lines > MOST_LINES:
            lines.append(f'<td colspan="{len(columns)}">and {n_lines - MOST_LINES:,} more</td>')
        parts.append(TABLE.format("".join(map(ROW.format, lines))))
    told = {name: said for name, said in (facts or {}).items() if str(said)}
    if told:
        lines = [f"<th>{_escaped(name)}</th><td>{_escaped(said)}</td>" for name, said in told.items()]
        parts.append(TABLE.format("".join(map(ROW.format, lines))))
    return "".join(parts)


def _cell(value, bold):
    return f"<td><strong>{_escaped(value)}</strong></td>" if bold else f"<td>{_escaped(value)}</td>"


def _escaped(value):
    return html.escape(printable(str(value)))
