"""What the command says and writes: the table of clusters, the verdict, the labels file and the JSON report.

The JSON report (--json) has these keys; numbers are in full precision, and null stands for what there is not:

schema       1
ckmeans      version of the package
command      command line that gives the same result again
data         path, n_samples, n_features, dtype; file_sha256 of the bytes of the file; sha256 of the rows that were clustered
             and of their weights (float64, C order, little-endian), as a proof of them has it, of sparse rows of their data, indices
             and indptr in CSR, the latter two as 8 bytes each; columns; weights: name of their
             column; skipped: {column: reason}; incomplete: lines of the rows left out for missing values; medians: what these
             were filled with, by column; log: columns whose logarithms are clustered; lines: of the rows used, after --rows or
             --sample; unit: "line" of a text file, or "row"; notes: what was told about columns and rows
parameters   every option of the command with its value
result       verdict, status ("optimal", "bounded"; of `soft` "converged" or "stopped"), stop_reason, seconds,
             sizes, shares, within_ss (sums of weighted squared distances to the center, of weight * (1 - cosine) with --metric
             cosine), centers (in units of the data; null for sparse rows, for which --centers and --model write them)
  fit, certify, exhaustive   inertia, lower_bound, gap = (inertia - lower_bound) / inertia: the best possible inertia is at most this
                    share below; explained: share of the sum of squares around the mean of all rows; units of inertia, bounds
                    and within_ss: "data", "standardized", "logarithms", "standardized logarithms" or "1 - cosine"
  fit, certify      with --prove, and always: status "optimal-unique" too; method: what gave the bound; seconds_by_method; checked: whether
                    the checker accepted the proof (if not, the bound is not proved); better: inertia, status and labels of a better clustering that was found
  fit               n_restarts, hit_rate (without --prove); method and checked where it was proved nevertheless
  exhaustive        n_partitions: examined; of_partitions: all; posterior: variance, log_evidence, error: of this
                    logarithm, at most; together: probability that two rows belong together, n_samples times n_samples
  choose            instead of those above: verdict, stop_reason, seconds, units, notes; of each of n_clusters the inertia, the value of
                    each of the criteria, and the spread; suggested: number of clusters by criterion; certified: by number of
                    clusters status, inertia, lower_bound, gap, checked
  soft              log_likelihood, bic, aic, variances, weights, n_iter, n_collapsed (variances at the floor: if there
                    are any, the likelihood says nothing)
"""

import hashlib
import json
import math
import os
import re
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import issparse

from ..words import apart, printable, tells_apart

BLOCK = 2**16  # rows that are summed or hashed at a time
MOST_ENTRIES = 2**22  # of sparse rows that are summed at a time
MOST_TELLING = 200  # features of sparse rows that may be shown: more than a terminal has room for


@dataclass(eq=False)
class Outcome:
    """A result as it is shown.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int
    centers : ndarray of shape (n_clusters, n_features)
        In units of the data.
    within_ss : ndarray of shape (n_clusters,)
    within : str
        The head of their column.
    verdict : str
        One line; its words before the first colon or semicolon are the verdict proper.
    facts : list of (str, str)
        Lines shown above the verdict.
    result : dict
        What goes into the report beside these.
    extra : dict
        Columns of the table, instead of share and within SS.
    by_row : dict
        Columns of the labels file.
    metric : {"euclidean", "cosine"}
        What `within_ss` is of.
    telling : ndarray of int, or None
        The features to show first, where they are so many that the first ones tell nothing.
    """

    labels: np.ndarray
    centers: np.ndarray
    seconds: float
    verdict: str
    stop_reason: str
    status: str
    facts: list = field(default_factory=list)
    result: dict = field(default_factory=dict)
    extra: dict = field(default_factory=dict)
    by_row: dict = field(default_factory=dict)
    within_ss: np.ndarray = None
    metric: str = "euclidean"
    telling: np.ndarray = None

    def sizes(self):
        """Rows in each cluster."""
        return np.bincount(self.labels, minlength=len(self.centers))


def within_sums(X, labels, centers, weights=None):
    """Sum of weighted squared distances to the center, for each cluster."""
    sums, size = np.zeros(len(centers)), BLOCK
    if issparse(X):
        size = max(1, MOST_ENTRIES * X.shape[0] // max(1, X.nnz))
    with np.errstate(over="ignore"):
        for start in range(0, X.shape[0], size):
            own = slice(start, start + size)
            squares = _squares(X[own], labels[own], centers)
            squares = squares if weights is None else squares * weights[own]
            sums += np.bincount(labels[own], weights=squares, minlength=len(centers))
    return sums


def _squares(X, labels, centers):
    """The squared distance of each row to its center."""
    if not issparse(X):
        difference = X - centers[labels]
        return np.einsum("if,if->i", difference, difference)
    centers = centers.astype(np.float64, copy=False)
    line = np.repeat(np.arange(len(labels)), np.diff(X.indptr))
    there = centers[labels[line], X.indices]
    with np.errstate(invalid="ignore"):  # infinite less infinite: beyond the floats, too
        nearer = (X.data - there) ** 2 - there**2  # in place of the square of what the center has there
        squares = np.einsum("kf,kf->k", centers, centers)[labels] + np.bincount(line, nearer, len(labels))
    return np.where(np.isnan(squares), np.inf, np.maximum(squares, 0.0))


def telling_features(centers):
    """Some features in which the centers differ most, that first."""
    spread = centers.max(axis=0) - centers.min(axis=0)
    return np.argsort(-spread, kind="stable")[:MOST_TELLING]


# The table.


def print_table(console, outcome, columns, title):
    """Print the clusters, the facts and the verdict."""
    from rich.table import Table
    from rich.text import Text

    sizes = outcome.sizes()
    left = {
        "cluster": [str(k) for k in range(len(sizes))],
        "rows": [f"{size:,}" for size in sizes],
    }
    if outcome.extra:
        left |= {name: _column(values) for name, values in outcome.extra.items()}
    else:
        left["share"] = [f"{100 * size / max(1, sizes.sum()):.1f}%" for size in sizes]
        left["within SS" if outcome.metric == "euclidean" else "within 1-cos"] = aligned(outcome.within_ss, 4)
    centers, n_features = outcome.centers, len(columns)
    if outcome.telling is not None:
        centers, columns = centers[:, outcome.telling], [columns[f] for f in outcome.telling]
    heads = [_folded(printable(name)) for name in columns]
    heads[0] = f"center\n{heads[0]}"
    cells = [aligned(centers[:, f], 2) for f in range(len(columns))]
    widths = [max(map(len, [*head.split("\n"), *cell])) + 2 for head, cell in zip(heads, cells)]
    room = console.width - sum(max(map(len, [name, *cell])) + 2 for name, cell in left.items())
    n_shown = max(1, int(np.searchsorted(np.cumsum(widths), room, side="right")))

    console.print(Text(printable(title), style="bold"))
    table = Table(box=_box(console), padding=(0, 0, 0, 1), show_edge=False, pad_edge=False, header_style="")
    for name in left:
        table.add_column(Text(name, style="dim"), justify="right", no_wrap=True, vertical="bottom")
    for f, head in enumerate(heads[:n_shown]):
        text = Text(head, style="cyan")
        text.stylize("dim default", 0, 0 if f else len("center"))
        table.add_column(text, justify="right", no_wrap=True, vertical="bottom")
    rows = list(zip(*left.values(), *cells[:n_shown]))
    for row in rows[:200]:
        table.add_row(*map(Text, row))
    console.print(table)
    console.print()
    if len(rows) > 200:
        console.print(f"and {len(rows) - 200} more clusters: see --json", style="dim")
    if n_shown < n_features:
        where = "all of them with --json" if outcome.telling is None else "those in which they differ most"
        console.print(f"centers in {n_shown} of {n_features} features; {where}", style="dim")
    facts = [*outcome.facts, ("verdict", None)]
    pad = max(len(name) for name, _ in facts) + 3
    for name, value in facts[:-1]:
        console.print(
            Text.assemble((name.ljust(pad), "dim"), printable(value)), soft_wrap=not console.is_terminal
        )
    head, mark, rest = re.fullmatch(r"([^:;]*)([:;]?)(.*)", printable(outcome.verdict)).groups()
    style = (
        "bold green"
        if outcome.status.startswith("optimal")
        else "bold yellow"
        if re.search("stopped|interrupted|degenerate", head)
        else "bold"
    )
    line = Text.assemble(("verdict".ljust(pad), "dim"), (head, style), mark + rest)
    console.print(line, soft_wrap=not console.is_terminal)


def _column(values):
    return [f"{count:,}" for count in values] if values.dtype.kind == "i" else aligned(values, 3)


def _box(console):
    from rich import box

    return box.SIMPLE_HEAD if console.encoding.lower().startswith("utf") else box.ASCII2


def _folded(name, width=10, most=3):
    """A long column name on several lines, broken after _ . - or a blank."""
    lines = [""]
    for part in re.findall(r".+?(?:[_ .\-]+|$)", name):
        if lines[-1] and len(lines[-1]) + len(part.strip()) > width:
            lines.append("")
        lines[-1] += part
    lines = [line.strip() for line in lines]
    lines = [line if len(line) <= 20 else line[:18] + ".." for line in lines]
    return "\n".join(lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1][:10] + ".."])


def aligned(values, digits):
    """Numbers of a column with as many decimals as tell them apart: their spread to `digits` more digits."""
    values = [float(value) for value in values]
    top = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    spread = max(values) - min(values) if digits < 3 else top
    scale = spread if spread > 1e-9 * top else top
    if not math.isfinite(scale) or top >= 1e8 or 0 < scale < 1e-4:
        return apart(values, 5)
    decimals = 0 if scale == 0 else min(8, max(0, digits - math.floor(math.log10(scale))))
    shown = [f"{value:.{decimals}f}" for value in values]
    return shown if tells_apart(shown, values) else apart(values, decimals)


# Files.


def labels_text(table, outcome):
    """The labels as CSV: one line for each row of the input, without a label where the row was left out."""
    return labels_frame(table, outcome).to_csv(index=False, lineterminator="\n")


def labels_frame(table, outcome, cells=None, append=False):
    """The same as a frame.

    Parameters
    ----------
    cells : DataFrame or None
        Columns of the file, with all its rows, that are written too: before the labels, or with `append` instead of the lines.
    """
    import pandas as pd

    from .cells import unique_names

    frame = pd.DataFrame({"label": outcome.labels, **outcome.by_row}, index=table.rows)
    frame = frame.reindex(range(len(table.lines))) if len(table.rows) < len(table.lines) else frame
    frame.insert(0, table.unit, np.asarray(table.lines))
    frame["label"] = frame["label"].astype("Int64")
    if cells is None:
        return frame
    cells = cells.reset_index(drop=True)
    if append:
        frame = frame.drop(columns=table.unit).rename(columns={"label": "cluster"})
    frame = pd.concat([cells, frame] if append else [frame.iloc[:, :1], cells, frame.iloc[:, 1:]], axis=1)
    return frame.set_axis(unique_names(list(map(str, frame.columns))), axis=1)


def centers_text(table, outcome):
    """The centers as CSV, in units of the data: each number is the shortest that gives the same float again."""
    import pandas as pd

    return pd.DataFrame(outcome.centers, columns=table.columns).to_csv(index=False, lineterminator="\n")


def report_text(table, outcome, **origin):
    """The JSON report of a clustering; see the top of this file."""
    sizes = outcome.sizes()
    result = {
        "verdict": outcome.verdict,
        "status": outcome.status,
        "stop_reason": outcome.stop_reason,
        "seconds": round(outcome.seconds, 6),
        **outcome.result,
        "sizes": sizes,
        "shares": sizes / max(1, sizes.sum()),
        "within_ss": outcome.within_ss,
        "centers": None if issparse(table.X) else outcome.centers,
    }
    return document(table, result, **origin)


def document(table, result, path, parameters, command, version):
    """The JSON report of any result; see the top of this file."""
    some = len(table.rows) + len(table.incomplete) < len(table.lines)
    report = {
        "schema": 1,
        "ckmeans": version,
        "command": command,
        "data": {
            "path": path,
            "file_sha256": table.file_sha256,
            "sha256": table.sha256,
            "dtype": str(table.X.dtype),
            "n_samples": table.X.shape[0],
            "n_features": table.X.shape[1],
            "columns": table.columns,
            "weights": parameters.get("weights"),
            "skipped": table.skipped,
            "unit": table.unit,
            "incomplete": table.incomplete,
            "medians": table.medians or None,
            "log": [table.columns[f] for f in table.logs],
            "notes": table.notes,
            "lines": [table.lines[i] for i in table.rows] if some else None,
        },
        "parameters": parameters,
        "result": result,
    }
    return json.dumps(_plain(report), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _plain(value):
    """Without NumPy, NaN and infinity."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def digest(X, weights=None):
    """The sha256 of rows as float64, then of their weights, in C order and little-endian: what a proof of them says too."""
    found = hashlib.sha256()
    if issparse(X):
        found.update(X.data.astype("<f8").tobytes())
        for part in (X.indices, X.indptr):
            found.update(part.astype("<i8").tobytes())
        X = X.data[:0]
    for part in (X, weights):
        for start in range(0, 0 if part is None else len(part), BLOCK):
            found.update((part[start : start + BLOCK].astype("<f8", order="C") + 0.0).tobytes())
    return found.hexdigest()


def digest_of_file(path):
    """The sha256 of the bytes of a file, or None where it is no file."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
