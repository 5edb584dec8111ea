"""`ckmeans check`: a proof file against the table that it is about."""

import io
import json
import os
import re
import tempfile
from glob import glob, has_magic

import click

from ..words import format_plural
from . import terminal
from .inputs import read
from .job import Job
from .options import WHOLE, quiet, table
from .options import force as force_option
from .outputs import check_writable, write
from .terminal import File

OTHER_DATA = 3  # the exit code of the checker
# Of the beginning of a proof, where its sha256 is; of the files beside it that are looked at, and of each of them.
MOST_HEAD, MOST_FILES, MOST_BYTES = 4096, 1000, 2**24


@click.command(short_help="Check a proof, and whether it is about a table.")
@click.argument("proof", metavar="PROOF|FOLDER", type=File())
@click.argument("data", metavar="[DATA]", type=File(), nargs=-1)
@table
@click.option(
    "--as",
    "report",
    metavar="REPORT",
    type=File(),
    help="Read DATA as the run did that wrote REPORT, by --json or --model.  [default: one beside PROOF]",
)
@click.option(
    "--rows-out",
    metavar="FILE.npy",
    type=File(),
    help="Write the rows, for python -m ckmeans.check PROOF FILE.npy.",
)
@click.option("-j", "processes", **WHOLE, default=1, help="Proofs of a FOLDER that are checked side by side.")
@force_option
@quiet
def check(ctx, proof, data, report, rows_out, processes, force, **options):
    """Check a proof file in exact arithmetic, by the checker alone, which takes Python's standard library and nothing else.

    With DATA also that the proof is about its rows, number for number: read as the options say, or as they were said to the run
    that wrote a report or a model (--as); without either by a report or model of these rows that is beside PROOF. The sha256 of
    the rows is the same in the proof, in the report and on its page; that of the file is in the latter two.

    A FOLDER is what `ckmeans certify --folder` writes; for it DATA may be several .npy files, or patterns of them, which are read block by block.

    Exit codes: 0 proved, 1 not proved, 2 no proof file or altered, 3 about other data.
    """
    from .. import check_summary
    from ..check import verdict

    if os.path.isdir(proof):
        return _check_folder(ctx, proof, data, processes)
    if len(data) > 1:
        raise click.UsageError("several DATA are for a FOLDER of proofs")
    data = ctx.params["data"] = data[0] if data else None
    with open(proof, "rb") as file:
        content = file.read()
    if content.partition(b"\n")[2].startswith(b"problem summary"):
        verdict = check_summary.verdict
    if data is None:
        if report or rows_out:
            raise click.UsageError("--as and --rows-out are for DATA")
        contents = []
    else:
        if rows_out:
            check_writable(rows_out, data, force, ())
        if not report and _nothing_said(ctx):
            report = _of_the_same_rows(proof, content)
        then = _adopt(ctx, report) if report else None
        job = Job(ctx, read(ctx))
        contents = [_npy(rows) for rows in (job.X, job.table.weights) if rows is not None]
        if rows_out:
            write(rows_out, contents[0])
        _tell_file(ctx, data, report, then)
    code, said = verdict(content, *contents)
    if data and not code:
        said += f"; its rows are those of {data}, sha256 {_sign(content)}"
    elif data and code == OTHER_DATA:
        said += _difference(content, job, data)
    click.echo(said, err=code > 0)
    ctx.exit(code)


def _check_folder(ctx, folder, data, processes):
    """Check a folder of proofs: `python -m ckmeans.check_parts` does the same."""
    from .. import check_parts

    if ctx.params["report"] or ctx.params["rows_out"]:
        raise click.UsageError("--as and --rows-out are for a proof in one file")
    paths = [path for one in data for path in (sorted(glob(one)) if has_magic(one) else [one]) or [one]]
    with tempfile.TemporaryDirectory() as room:
        weights = []
        if paths and (len(paths) == 1 and not paths[0].endswith(".npy") or not _nothing_said(ctx)):
            if len(paths) > 1:
                raise click.UsageError("options for the table are for one DATA: give .npy files as they are")
            ctx.params["data"], paths = paths[0], [os.path.join(room, "rows.npy")]
            job = Job(ctx, read(ctx))
            write(paths[0], _npy(job.X))
            if job.table.weights is not None:
                weights = [os.path.join(room, "weights.npy")]
                write(weights[0], _npy(job.table.weights))
        code, said = check_parts.verdict(folder, paths, weights, processes)
    click.echo(said, err=code > 0)
    ctx.exit(code)


def _nothing_said(ctx):
    default = click.core.ParameterSource.DEFAULT
    others = "proof", "data", "report", "rows_out", "processes", "force", "quiet"
    return all(ctx.get_parameter_source(name) is default for name in ctx.params if name not in others)


def _sign(content):
    """The sha256 of the rows and weights that a proof is about."""
    found = re.search(rb"\ndata sha256=([0-9a-f]{64}) ", content[:MOST_HEAD])
    return found and found[1].decode()


def _of_the_same_rows(proof, content):
    """A report or a model file beside the proof that tells of the same rows, or None."""
    sign, folder = _sign(content), os.path.dirname(proof)
    if sign is None:
        return None
    for name in sorted(os.listdir(folder or os.curdir))[:MOST_FILES]:
        path = os.path.join(folder, name)
        if name.endswith(".json") and os.path.isfile(path) and os.path.getsize(path) <= MOST_BYTES:
            try:
                if _run_of(path)[1].get("sha256") == sign:
                    return path
            except (OSError, ValueError, RecursionError):
                continue
    return None


def _run_of(path):
    """The options of a run and what it says of its data, as a report or a model file tells them."""
    try:
        with open(path, "rb") as file:
            said = json.load(file)
        said = said["about"] if "ckmeans_model" in said else said
        return dict(said["parameters"]), dict(said["data"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path} is neither a report nor a model: --json and --model of `ckmeans fit` and others write them."
        ) from None


def _adopt(ctx, path):
    """The options of another run, where none are given here; what it says of its data."""
    said, then = _run_of(path)
    for name in set(ctx.params) & set(said) - {"quiet", "force"}:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.DEFAULT:
            ctx.params[name] = said[name]
    return then


def _tell_file(ctx, data, report, then):
    """Whose options the table was read by, and whether the file is the one of that run."""
    from .report import digest_of_file

    sign = digest_of_file(data)
    terminal.note(ctx, f"sha256 of {data}: {sign or 'none, it is no file'}")
    if then is not None:
        same = {None: "", sign: ", of this very file"}.get(then.get("file_sha256"), ", of another file")
        terminal.note(ctx, f"{data} is read as it was by the run that wrote {report}{same}")


def _difference(content, job, data):
    """What tells that rows are others than those of a proof, and what to do."""
    found = re.search(rb"\nproblem sse n=([0-9a-f]{1,12}) d=([0-9a-f]{1,12}) ", content[:MOST_HEAD])
    if not found:
        return ""
    there, here = [int(number, 16) for number in found.groups()], list(job.X.shape)
    words = f"{there[0]:,} rows of {format_plural(there[1], 'column')}"
    if here != there:
        words += f", {data} as it was read {here[0]:,} of {here[1]}"
    elif job.units == "data":
        words += ", as there are here, with other numbers"
    return f". It has {words}: give the options of its run, or --as REPORT"


def _npy(rows):
    import numpy as np

    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()
