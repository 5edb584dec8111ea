"""The files that a command writes: refused before any work is done where they cannot be, and written completely or not at all."""

import os
import sys
import tempfile
from importlib.util import find_spec

import click

from ..files import is_special, write_whole

# The parameters of commands that name a file to be written.
OUTPUTS = "out", "json_path", "proof", "page", "plot", "checkpoint", "model_path", "centers_path", "legend"
# What the name of a picture may end in.
PICTURES = ".png", ".svg", ".pdf"
# Endings of files that hold data: no output is written under such a name, but for labels as Parquet.
DATA_ALONE = ".parquet", ".npy", ".npz", ".xlsx"


def check_outputs(ctx, sources=("data",)):
    """Refuse outputs that cannot be written, and two that are one file.

    Parameters
    ----------
    ctx : click.Context
    sources : tuple of str
        The parameters that name files to be read, none of which is replaced.

    Raises
    ------
    ValueError, click.UsageError
    """
    options = {option.name: option.opts[0] for option in ctx.command.params}
    targets = {name: path for name in OUTPUTS if (path := ctx.params.get(name))}
    writers = {}
    for name, path in targets.items():
        target = path if path == "-" else os.path.realpath(path)
        if first := writers.get(target):
            where = "standard output" if path == "-" else path
            raise click.UsageError(f"{first} and {options[name]} both write to {where}")
        writers[target] = options[name]
    for name in ("page", "plot"):
        if name in targets and find_spec("matplotlib") is None:
            raise ValueError(f'{options[name]} draws with matplotlib: pip install "certified-kmeans[plots]"')
    if "plot" in targets and not targets["plot"].lower().endswith(PICTURES):
        raise ValueError(f"{targets['plot']} is no name of a picture: let it end in {', '.join(PICTURES)}.")
    for name, path in targets.items():
        others = tuple(end for end in DATA_ALONE if name != "out" or end != ".parquet")
        for source in sources:
            check_writable(path, ctx.params[source], name == "checkpoint" or ctx.params["force"], others)
    for name in ("id_column", "append", "distances"):
        if ctx.params.get(name) and "out" not in targets:
            raise click.UsageError(f"{options[name]} is for --out FILE")
    if targets.get("out", "").lower().endswith(".parquet") and find_spec("pyarrow") is None:
        raise ValueError("Parquet is written by pyarrow: pip install pyarrow, or let --out end in .csv.")


def check_writable(path, source, replace=True, others=DATA_ALONE):
    """Refuse a path that cannot be written, before any work is done.

    Raises
    ------
    ValueError
    """
    if path == "-":
        return
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise ValueError(f"{path} is a folder: give the name of a file.")
    if is_special(path):  # a device or a pipe: opening it once more might end it
        return
    same = target == os.path.realpath(source)  # of the packaged data too: a file of its name would hide it
    if same or os.path.exists(target) and os.path.exists(source) and os.path.samefile(target, source):
        raise ValueError(f"{path} is the data file itself: write to another file.")
    if target.lower().endswith(others):
        raise ValueError(
            f"{path}: labels are written as CSV and reports as JSON; choose a name that says so."
        )
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise ValueError(f"{path} cannot be written: there is no folder {folder}. Create it first.")
    try:
        if os.path.exists(target):
            open(target, "ab").close()
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}.") from None
    if os.path.exists(target) and not replace:
        raise ValueError(f"{path} is there already: give another name, or --force to replace it.")


def write_frame(path, frame):
    """A frame as CSV, or as Parquet where the name of the file says so."""
    as_parquet = path.lower().endswith(".parquet")
    write(
        path, frame.to_parquet(index=False) if as_parquet else frame.to_csv(index=False, lineterminator="\n")
    )


def draw(path, picture):
    """The figure of the display that `picture()` makes, completely or not at all."""
    import io

    import matplotlib

    matplotlib.use("Agg")  # a window has nothing to show
    file = io.BytesIO()
    picture().figure_.savefig(file, format=path.rpartition(".")[2].lower(), dpi=150)
    write(path, file.getvalue())


def write(path, text):
    """Write a file, of text or of bytes, completely or not at all; "-" is standard output."""
    # UTF-8 whatever the terminal's encoding; what stands for bytes that are no text (\udcff) as JSON escapes it.
    content = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
    if path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        write_whole(path, content)
    except OSError as error:
        raise ValueError(f"{path} could not be written: {error.strerror}.") from None
