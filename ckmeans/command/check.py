"""`ckmeans check`: a proof file against the table that it is about."""

import io
import json

import click

from . import terminal
from .inputs import read
from .job import Job
from .options import force as force_option
from .options import quiet, table
from .outputs import check_writable, write


@click.command(short_help="Check a proof, and whether it is about a table.")
@click.argument("proof", metavar="PROOF")
@click.argument("data", metavar="[DATA]", required=False)
@table
@click.option(
    "--as", "report", metavar="REPORT", help="Read DATA as the run did that wrote REPORT with --json."
)
@click.option(
    "--rows-out", metavar="FILE.npy", help="Write the rows, for python -m ckmeans.check PROOF FILE.npy."
)
@force_option
@quiet
def check(ctx, proof, data, report, rows_out, force, **options):
    """Check a proof file in exact arithmetic, by the checker alone, which takes Python's standard library and nothing else.

    With DATA also that the proof is about its rows, number for number: read as the options say, or as they were said to the run
    that wrote a report (--as). Exit codes: 0 proved, 1 not proved, 2 no proof file or altered, 3 about other data.
    """
    from ..check import verdict

    with open(proof, "rb") as file:
        content = file.read()
    if data is None:
        if report or rows_out:
            raise click.UsageError("--as and --rows-out are for DATA")
        contents = []
    else:
        if rows_out:
            check_writable(rows_out, data, force, ())
        if report:
            _adopt(ctx, report)
        job = Job(ctx, read(ctx))
        contents = [_npy(rows) for rows in (job.X, job.table.weights) if rows is not None]
        if rows_out:
            write(rows_out, contents[0])
        terminal.note(ctx, f"sha256 of {data}: {_sha256(data)}")
    code, said = verdict(content, *contents)
    click.echo(f"{said}{'; its rows are those of ' + data if data and not code else ''}", err=code > 0)
    ctx.exit(code)


def _adopt(ctx, report):
    """The options of another run, where none are given here."""
    try:
        with open(report, "rb") as file:
            said = json.load(file)["parameters"]
        known = {name: said[name] for name in ctx.params if name in said}
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{report} is no report: `ckmeans fit --json` and others write them.") from None
    for name, value in known.items():
        if ctx.get_parameter_source(name) is click.core.ParameterSource.DEFAULT and name not in (
            "quiet",
            "force",
        ):
            ctx.params[name] = value


def _npy(rows):
    import numpy as np

    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


def _sha256(path):
    """Of the bytes of a file."""
    import hashlib
    import os

    if not os.path.isfile(path):
        return "none, it is no file"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
