"""The command's dealings with the terminal: failures in one line, notes and progress; and the kinds of values that options take."""

import csv
import math
import os
import sys
import warnings
from contextlib import contextmanager

import click

from ..words import printable

SHOWN = (
    2**24
)  # bytes of a file the reading of which has a bar: less takes no second, but for loading what reads
searched = False  # whether there is a result that an interrupt could lose


class Command(click.Group):
    """Turns failures into one line and an exit code."""

    def invoke(self, ctx):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = lambda message, *_: note(ctx, message)
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt:
                click.echo("interrupted before there was a result: nothing was written", err=True)
                ctx.exit(130)
            except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
                raise
            except Exception as error:
                if os.environ.get("CKMEANS_TRACEBACK"):
                    raise
                message = printable(" ".join(str(error).split()))
                if isinstance(error, MemoryError):
                    message = (
                        f"out of memory ({message}): take fewer rows or columns, or float32 data in .npy"
                    )
                elif isinstance(error, OSError) and error.strerror:
                    message = (
                        f"{printable(str(error.filename))}: {error.strerror}"
                        if error.filename
                        else error.strerror
                    )
                elif not isinstance(error, (ValueError, TypeError, OSError)):
                    message = f"{type(error).__name__}: {message} (a bug; CKMEANS_TRACEBACK=1 shows where)"
                click.echo(f"error: {message}", err=True)
                ctx.exit(1)


class Count(click.IntRange):
    """A whole number of at least 1, or one word."""

    def __init__(self, word):
        super().__init__(min=1)
        self.word = word

    def convert(self, value, param, ctx):
        if value == self.word:
            return value
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value} is neither {self.word} nor a whole number of at least 1", param, ctx)


class File(click.ParamType):
    """The name of a file, which a shell completes."""

    name = "FILE"

    def shell_complete(self, ctx, param, incomplete):
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class Seconds(click.ParamType):
    name = "SECONDS"

    def convert(self, value, param, ctx):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            self.fail(f"{value} is no number of seconds, 0 or more; without a limit leave it out", param, ctx)
        return number


class Range(click.ParamType):
    """Numbers of clusters: 2:10, with both ends, or 2,3,5."""

    name = "FIRST:LAST"

    def convert(self, value, param, ctx):
        try:
            first, colon, last = value.partition(":")
            found = (
                list(range(int(first), int(last) + 1))
                if colon
                else sorted({int(k) for k in value.split(",")})
            )
        except ValueError:
            found = []
        if not found or found[0] < 1:
            self.fail(
                f"{value} is no range of whole numbers from 1 on: give FIRST:LAST, such as 2:10", param, ctx
            )
        return found


class Variance(click.ParamType):
    name = "FLOAT|tied|per-cluster"

    def convert(self, value, param, ctx):
        if value in ("tied", "per-cluster"):
            return value
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            self.fail(f"{value} is neither a number above 0 nor tied or per-cluster", param, ctx)
        return number


def names(ctx, param, value):
    """Column names separated by commas, as a CSV line, so that a name may hold a comma in quotes."""
    return [name.strip() for name in next(csv.reader([value], skipinitialspace=True))] if value else None


def quoted(name):
    """A column name as `names` reads it."""
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"') else name


def stopped(stop_reason, when):
    """The verdict on a search that did not come to its end."""
    reasons = {"interrupted": "interrupted", "memory_limit": "stopped for want of memory"}
    return f"{reasons.get(stop_reason, 'stopped by the time limit')} {when}; best so far"


def note(ctx, message):
    """A line on standard error, unless --quiet."""
    if not (click.get_current_context(silent=True) or ctx).params.get("quiet"):
        stderr().print(printable(str(message)), style="dim", soft_wrap=True)


def stdout():
    """Where the result goes."""
    return _console(sys.stdout)


def stderr():
    """Where notes and progress go."""
    return _console(sys.stderr)


def _console(file):
    from rich.console import Console

    if getattr(file, "errors", None) == "strict" and hasattr(file, "reconfigure"):
        file.reconfigure(errors="backslashreplace")  # a name that the encoding has not is no reason to fail
    return Console(file=file, markup=False, highlight=False, emoji=False)  # brackets in names are no markup


@contextmanager
def progress(ctx, what, total):
    """A bar on a terminal; yields show(done, text). A spinner where the total is not known."""
    try:
        with _bar(ctx, what, total) as show:
            yield show
    finally:
        global searched
        searched = True


@contextmanager
def reading(ctx, path):
    """A bar while a file is read, and what reads it is loaded, a spinner for a small one; yields show(n_bytes)."""
    try:
        size = os.path.getsize(path)
    except OSError:  # standard input, or a name that is no file's
        size = 0
    with _bar(ctx, "reading", size if size >= SHOWN else None) as show:
        yield lambda n_bytes: show(n_bytes, "reading")


@contextmanager
def waiting(ctx, what):
    """A spinner while something is done that has no steps to count."""
    with _bar(ctx, what, None):
        yield


@contextmanager
def _bar(ctx, what, total):
    console = stderr()
    if ctx.params.get("quiet") or not console.is_terminal or not console.is_interactive:
        yield lambda done, text: None
        return
    from rich import progress as p

    columns = [p.SpinnerColumn(), p.TimeElapsedColumn(), p.TextColumn("{task.description}", markup=False)]
    if total:
        columns[1:2] = [p.BarColumn(), p.TaskProgressColumn(), p.TimeRemainingColumn()]
    with p.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, text: bar.update(task, completed=done, description=text)
