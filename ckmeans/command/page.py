"""The page that --report writes, in one file: of clusters first, in plain words, how good they are, how large and what like; then
the mathematics, and how to get it all again. Of what is no clustering an answer in a sentence, the picture and the numbers.

Nothing in it comes from elsewhere: pictures and files are inside, there is no script, and the page itself forbids the
browser to fetch anything.
"""

import base64
import html
import platform
import re

import numpy as np

from ..plots.common import color, tint
from ..plots.profiles import deviations
from ..words import format_plural, printable
from .page_pictures import evidence, overview
from .page_style import STYLE
from .report import aligned

MOST_ROWS = 100_000  # up to this number the page holds the label of every row
MOST_CLUSTERS = 200  # rows of the table of clusters
MOST_CARDS = 24  # clusters that are told of in words
MOST_TOLD = 4  # features that are told of each
# From these numbers of standard deviations away from the mean of all rows, a mean is called rather high, high and very high.
LEAST, PLAINLY, VERY = 0.25, 0.75, 1.5
# The browser is not to fetch anything.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


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
    names = table.columns
    away = deviations(table.X, outcome.labels, len(centers), table.weights)
    parts = [
        f"<h1>{escaped(title)}</h1>",
        f'<p class="quiet">sorted into {escaped(format_plural(len(centers), "cluster"))} of rows that are alike</p>',
        _verdict(outcome),
        "<h2>How large they are, and what is typical of them</h2>",
        _sizes(outcome),
        _cards(outcome, away, names),
        _gallery(overview(X, outcome.labels, centers, names, table.weights, away)),
        "<h2>Their means</h2>",
        _table(outcome, names),
        "<h2>The mathematics</h2>",
        f"<p>{escaped(_capital(outcome.verdict))}.</p>",
        _facts(outcome),
        _gallery(evidence(X, outcome.labels, *proof)),
        "<h2>The same again</h2>",
        _again(origin(table, outcome.seconds, outcome.stop_reason), command, version, downloads),
    ]
    return _document(title, parts)


def answer_text(title, asked, answer, more, kind, drawn, sections, source, command, version, downloads):
    """The page of a result that is no clustering.

    Parameters
    ----------
    title, asked : str
        What it is about, and the question.
    answer, more : str
        The answer in a sentence, and what has to be known of it.
    kind : {"proved", "bounded", "open"}
        How sure the answer is: the color that it has.
    drawn : list of (svg, alternative text, caption)
    sections : dict of str to str
        HTML by its heading.
    source : dict of str to str
        What the data are, as `origin` tells it.
    command, version, downloads
        As for `page_text`.

    Returns
    -------
    str
    """
    parts = [
        f"<h1>{escaped(title)}</h1>",
        f'<p class="quiet">{escaped(asked)}</p>',
        f'<div class="verdict {kind}"><strong>{escaped(answer)}</strong><span>{escaped(more)}</span></div>',
        _gallery(drawn),
    ]
    for heading, body in sections.items():
        parts += [f"<h2>{escaped(heading)}</h2>", f'<div class="wide">{body}</div>']
    return _document(title, [*parts, "<h2>The same again</h2>", _again(source, command, version, downloads)])


def two_columns(lines):
    """Pairs of texts as a table: a name, and what is said of it."""
    cells = (f"<tr><th>{escaped(name)}</th><td>{escaped(said)}</td></tr>" for name, said in lines if said)
    return f'<table class="names"><tbody>{"".join(cells)}</tbody></table>'


def preformatted(text):
    """Lines as a terminal shows them."""
    lines = "\n".join(map(escaped, text.split("\n")))
    return f'<pre class="aligned">{lines}</pre>'


def _document(title, parts):
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


def _capital(text):
    return text.strip()[:1].upper() + text.strip()[1:]


def _verdict(outcome):
    """How good it is, for people who do not know the method: proved, proved to within a share, or not proved."""
    head, mark, rest = re.fullmatch(r"([^:;]*)([:;]?)(.*)", outcome.verdict, re.DOTALL).groups()
    n, proved = format_plural(len(outcome.centers), "cluster"), ": proved" in outcome.verdict
    checked = "A program that does nothing but check proofs has accepted this one."
    if outcome.status.startswith("optimal"):
        said = f"{'Proved: t' if proved else 'T'}here is no better way to sort these rows into {n}"
        said += ", and no other that is as good." if outcome.status == "optimal-unique" else "."
        kind, more = "proved", checked if proved else f"{_capital(head)}{mark}{rest}."
    elif proved:
        kind, said = "bounded", f"{_capital(head)}: proved."
        more = f"There may be better clusters, but none that are better by more than this. {checked}"
        if any(name == "better" for name, _ in outcome.facts):
            more = f"And there are better clusters: see the mathematics below. {checked}"
    else:
        kind, said = "open", "It is not known whether there are better clusters."
        more, n = f"{_capital(head)}{mark}{rest}.", outcome.result.get("n_restarts", 0)
        if n > 1 and outcome.stop_reason == "converged":
            hits = round(outcome.result["hit_rate"] * n)
            more = f"{hits} of {n} searches, each from another start, ended with clusters as good as these."
    more += " Better means: rows are nearer to the means of their clusters, by the sum of squared distances."
    return f'<div class="verdict {kind}"><strong>{escaped(said)}</strong><span>{escaped(more)}</span></div>'


def _sizes(outcome):
    """A bar that is cut as the rows are."""
    from matplotlib.colors import to_hex

    sizes, parts = outcome.sizes(), []
    for k, size in enumerate(sizes.tolist()[:MOST_CLUSTERS]):
        share = 100 * size / max(1, len(outcome.labels))
        said = f"{k}: {share:.0f} %" if share >= 4 else str(k) * (share >= 2)
        look = f"flex-grow:{size};border-color:{color(k)};background:{to_hex(tint(k, 0.3))}"
        parts.append(f'<span style="{look}" title="cluster {k}: {format_plural(size, "row")}">{said}</span>')
    return f'<div class="sizes">{"".join(parts)}</div>'


def _cards(outcome, away, columns):
    """What is typical of each cluster, in words."""
    sizes, cards = outcome.sizes(), []
    shown = [aligned(column, 2) for column in outcome.centers.T]
    for k in range(min(len(sizes), MOST_CARDS)):
        order = np.argsort(-np.abs(np.nan_to_num(away[k])), kind="stable")
        told = [f for f in order if abs(away[k, f]) >= LEAST][:MOST_TOLD]
        lines = "".join(
            f"<li><span>{_breakable(columns[f])}</span><b>{_level(away[k, f])} ({escaped(shown[f][k])})</b></li>"
            for f in told
        )
        name = ", ".join(f"{_level(away[k, f])} {columns[f]}" for f in told[:2]) or "like all rows"
        share = 100 * sizes[k] / max(1, sizes.sum())
        cards.append(
            f'<div class="card" style="border-top-color:{color(k)}"><h3>{k}: {_breakable(name)}</h3>'
            f'<span class="quiet">{format_plural(int(sizes[k]), "row")}, {share:.1f} %</span><ul>{lines}</ul></div>'
        )
    more = len(sizes) - MOST_CARDS
    note = f'<p class="quiet">{more} more clusters are in the table below.</p>' if more > 0 else ""
    return f'<div class="cards">{"".join(cards)}</div>{note}'


def _breakable(name):
    """A name that may go on in the next line after each underscore."""
    return escaped(name).replace("_", "_<wbr>")


def _level(away):
    """Where a mean is among all rows, in a word or two."""
    size = abs(away)
    return ("very " if size >= VERY else "" if size >= PLAINLY else "rather ") + (
        "high" if away > 0 else "low"
    )


def _gallery(drawn):
    return f'<div class="pictures">{"".join(_figure(*picture) for picture in drawn)}</div>' if drawn else ""


def _facts(outcome):
    within = ", ".join(aligned(outcome.within_ss, 4)[:MOST_CARDS])
    facts = [
        *outcome.facts,
        ("squared distances within each cluster", within + " .." * (len(outcome.within_ss) > MOST_CARDS)),
    ]
    cells = (f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts)
    return f'<dl class="facts">{"".join(cells)}</dl>'


def _table(outcome, columns):
    """Clusters, a row for each: as in the terminal, but with all features."""
    sizes = outcome.sizes()
    heads = ["cluster", "rows", "share", *columns]
    n_rows = max(1, len(outcome.labels))
    cells = [
        range(len(sizes)),
        (f"{size:,}" for size in sizes),
        (f"{100 * size / n_rows:.1f} %" for size in sizes),
    ]
    cells += [aligned(column, 2) for column in outcome.centers.T]
    rows = list(zip(*cells))[:MOST_CLUSTERS]
    head = "".join(f"<th>{_breakable(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escaped(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    more = len(sizes) - MOST_CLUSTERS
    note = "In units of the data."
    note += f" {more} more clusters are in the report below." if more > 0 else ""
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div><p class="quiet">{note}</p>'


def _figure(svg, alt, caption):
    """A picture, which is in the page itself; where there is none, the words about it."""
    if svg is None:
        return f'<p class="quiet">{escaped(caption)}</p>'
    source = base64.b64encode(svg.encode()).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{source}" alt="{escaped(alt)}">'
    return f"<figure>{image}<figcaption>{escaped(caption)}</figcaption></figure>"


def origin(table, seconds, stop_reason):
    """What a page tells of the data and of the run."""
    return {
        "rows": f"{len(table.X):,} of {len(table.lines):,}"
        + (f"; {len(table.incomplete):,} with missing values were left out" if table.incomplete else ""),
        "columns": ", ".join(table.columns),
        "columns left out": "; ".join(f"{name}: {reason}" for name, reason in table.skipped.items()),
        "notes": "; ".join(table.notes),
        "sha256 of the file": table.file_sha256,
        "sha256 of the rows": table.sha256,
        "took": f"{seconds:.2f} s; {stop_reason.replace('_', ' ')}",
    }


def _again(source, command, version, downloads):
    made = f"ckmeans {version}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    links = []
    for name, text in downloads.items():
        kind = "text/csv" if name.endswith(".csv") else "application/json"
        data = base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")
        links.append(f'<a download="{escaped(name)}" href="data:{kind};base64,{data}">{escaped(name)}</a>')
    table = two_columns([*source.items(), ("made by", made)])
    return f"<pre>{escaped(command)}</pre>{table}<p>In this page: {', '.join(links)}</p>"
