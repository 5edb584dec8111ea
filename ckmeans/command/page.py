"""The page that `ckmeans fit --report` writes: verdict, tables, pictures and how to get them again, in one file.

Nothing in it comes from elsewhere: pictures and files are inside, there is no script, and the page itself forbids the
browser to fetch anything.
"""

import base64
import html
import platform

from ..words import format_plural, printable
from .page_pictures import pictures
from .report import aligned

MOST_ROWS = 100_000  # up to this number the page holds the label of every row
MOST_CLUSTERS = 200  # rows of the table of clusters
# The browser is not to fetch anything.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light; --ink: #1b1f24; --quiet: #5a6470; --line: #d9dee3; --mark: #6b7480; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.8rem 0 .8rem; }
p { margin: .4rem 0; }
.quiet { color: var(--quiet); }
.verdict { margin: 1.4rem 0; padding: .9rem 1.2rem; border-left: .4rem solid var(--mark); background: #f6f7f8; }
.verdict.proved { --mark: #00795c; }
.verdict.open { --mark: #b25e00; }
.verdict strong { display: block; font-size: 1.2rem; }
dl.facts { display: flex; flex-wrap: wrap; gap: 1.2rem 2.6rem; margin: 1.4rem 0; }
dl.facts div { min-width: 6rem; max-width: 100%; }
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .35rem .65rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; white-space: normal; border-bottom: 2px solid var(--ink); }
th:first-child, td:first-child { padding-left: 0; }
table.names th, table.names td { text-align: left; white-space: normal; overflow-wrap: anywhere; vertical-align: top;
  border-bottom: 1px solid var(--line); font-weight: normal; }
table.names th { color: var(--quiet); white-space: nowrap; }
figure { margin: 1.6rem 0; }
figure img { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--quiet); font-size: .92rem; max-width: 46rem; }
pre { background: #f6f7f8; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .92rem; margin: .6rem 0; }
a { color: #0b5cad; }
@media print { main { padding: 0; } h2, figure, tr { break-inside: avoid; } }
"""


def page_text(outcome, table, X, centers, title, command, version, downloads, proof=()):
    """The page.

    Parameters
    ----------
    outcome : report.Outcome
        Centers in units of the data.
    table : tables.Table
    X : ndarray of shape (n_samples, n_features)
        What was clustered: the rows of the table, standardized if wanted.
    centers : ndarray of shape (n_clusters, n_features)
        In units of X.
    title : str
        Name of the data and their size.
    command : str
        What gives the result again.
    downloads : dict of str to str
        Name of a file to its text.
    proof : tuple of (GapRecorder, Certificate), or empty
        How a proof went.

    Returns
    -------
    str
    """
    drawn = pictures(X, outcome.labels, centers, table.columns, table.weights, *proof)
    parts = [
        f"<h1>{escaped(title)}</h1>",
        f'<p class="quiet">{escaped(_clusters(outcome))}</p>',
        _verdict(outcome),
        _facts(outcome),
        "<h2>Clusters</h2>",
        _table(outcome, table.columns),
        "<h2>Pictures</h2>",
        *(_figure(*picture) for picture in drawn),
        "<h2>The same again</h2>",
        _again(outcome, table, command, version, downloads),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escaped(title)}</title>\n<style>{STYLE}</style>\n</head>\n'
        "<body>\n<main>\n" + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def escaped(text):
    """Text as it stands in a page."""
    return html.escape(printable(str(text)))


def _clusters(outcome):
    return f"k-means, {format_plural(len(outcome.centers), 'cluster')}"


def _verdict(outcome):
    head, rest = outcome.verdict, ""
    for mark in ";:":
        if mark in outcome.verdict:
            head, _, rest = outcome.verdict.partition(mark)
            break
    kind = "proved" if outcome.status.startswith("optimal") else "open"
    head, rest = (part.strip()[:1].upper() + part.strip()[1:] for part in (head, rest))
    more = f"<span>{escaped(rest)}</span>" if rest else ""
    return f'<div class="verdict {kind}"><strong>{escaped(head)}</strong>{more}</div>'


def _facts(outcome):
    cells = (f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in outcome.facts)
    return f'<dl class="facts">{"".join(cells)}</dl>'


def _table(outcome, columns):
    """Clusters, a row for each: as in the terminal, but with all features."""
    sizes = outcome.sizes()
    heads = ["cluster", "rows", "share", "within SS", *columns]
    n_rows = max(1, len(outcome.labels))
    cells = [
        range(len(sizes)),
        (f"{size:,}" for size in sizes),
        (f"{100 * size / n_rows:.1f} %" for size in sizes),
    ]
    cells += [aligned(outcome.within_ss, 4), *(aligned(column, 2) for column in outcome.centers.T)]
    rows = list(zip(*cells))[:MOST_CLUSTERS]
    head = "".join(f"<th>{escaped(name).replace('_', '_<wbr>')}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    more = len(sizes) - MOST_CLUSTERS
    note = "The last columns are the centers, in units of the data; within SS is the inertia of a cluster."
    note += f" {more} more clusters are in the report below." if more > 0 else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div><p class="quiet">{note}</p>'


def _figure(svg, alt, caption):
    """A picture, which is in the page itself; where there is none, the words about it."""
    if svg is None:
        return f'<p class="quiet">{escaped(caption)}</p>'
    source = base64.b64encode(svg.encode()).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{source}" alt="{escaped(alt)}">'
    return f"<figure>{image}<figcaption>{escaped(caption)}</figcaption></figure>"


def _again(outcome, table, command, version, downloads):
    rows = {
        "rows": f"{len(table.X):,} of {len(table.lines):,}"
        + (f"; {len(table.incomplete):,} with missing values were left out" if table.incomplete else ""),
        "columns": ", ".join(table.columns),
        "columns left out": "; ".join(f"{name}: {reason}" for name, reason in table.skipped.items()),
        "notes": "; ".join(table.notes),
        "sha256 of the file": table.file_sha256,
        "sha256 of the rows": table.sha256,
        "took": f"{outcome.seconds:.2f} s; {outcome.stop_reason}",
        "made by": f"ckmeans {version}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    }
    cells = "".join(
        f"<tr><th>{name}</th><td>{escaped(said)}</td></tr>" for name, said in rows.items() if said
    )
    links = []
    for name, text in downloads.items():
        kind = "text/csv" if name.endswith(".csv") else "application/json"
        data = base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")
        links.append(f'<a download="{escaped(name)}" href="data:{kind};base64,{data}">{escaped(name)}</a>')
    return (
        f"<pre>{escaped(command)}</pre>"
        f'<table class="names"><tbody>{cells}</tbody></table><p>In this page: {", ".join(links)}</p>'
    )
