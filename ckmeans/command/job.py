"""One run of the command, around the solver: read the table, check the outputs, time the fit, show and write the result."""

import os
import shlex
from importlib.util import find_spec
from time import perf_counter

import click

from ..words import format_plural, printable
from . import terminal

NOT_IN_REPORT = (
    "data",
    "out",
    "json_path",
    "proof",
    "page",
    "plot",
    "checkpoint",
    "quiet",
)  # options that do not bear on the result
PICTURES = ".png", ".svg", ".pdf"


class Job:
    """The table of a command.

    Attributes
    ----------
    options : dict
        All parameters of the command.
    table : Table
    X : ndarray of shape (n_samples, n_features)
        What is clustered: the rows of the table, standardized if wanted.
    units : {"data", "standardized"}
    """

    def __init__(self, ctx, rows=None, sample=None):
        from .report import check_writable
        from .tables import read_table

        self.ctx, self.options = ctx, ctx.params
        self.path, self.out, self.json_path = (ctx.params[name] for name in ("data", "out", "json_path"))
        others = map(ctx.params.get, ("proof", "page", "plot", "checkpoint"))
        targets = [path for path in (self.out, self.json_path, *others) if path]
        if len(set(map(os.path.realpath, targets))) < len(targets):
            raise click.UsageError(
                f"two of --out, --json, --proof, --report, --plot and --checkpoint write to {targets[-1]}"
            )
        drawn = [
            option for option, name in (("--report", "page"), ("--plot", "plot")) if ctx.params.get(name)
        ]
        if drawn and find_spec("matplotlib") is None:
            raise ValueError(f'{drawn[0]} draws with matplotlib: pip install "certified-kmeans[plots]"')
        if "--plot" in drawn and not ctx.params["plot"].lower().endswith(PICTURES):
            raise ValueError(
                f"{ctx.params['plot']} is no name of a picture: let it end in {', '.join(PICTURES)}."
            )
        for target in targets:
            check_writable(target, self.path)
        names = (
            "columns",
            "skip_columns",
            "weights",
            "delimiter",
            "header",
            "decimal",
            "thousands",
            "comment",
        )
        self.table = read_table(self.path, **{name: self.options[name] for name in names})
        for line in self.table.notes:
            self.note(line)
        if rows or sample:
            self.table = self._some_rows(rows, sample)
        self.X, self.scaler, self.units = self.table.X, None, "data"
        if self.options["standardize"]:
            from sklearn.preprocessing import StandardScaler

            self.scaler, self.units = (
                StandardScaler().fit(self.X, sample_weight=self.table.weights),
                "standardized",
            )
            self.X = self.scaler.transform(self.X)

    def _some_rows(self, rows, sample):
        import numpy as np

        wanted, n_rows = rows or sample, len(self.table.X)
        if wanted > n_rows:
            option = "--rows" if rows else "--sample"
            raise ValueError(
                f"{option} {wanted} exceeds the {n_rows} complete rows: ask for at most that many."
            )
        if rows:
            return self.table.take(np.arange(rows))
        return self.table.take(
            np.sort(np.random.default_rng(self.options["seed"]).choice(n_rows, sample, replace=False))
        )

    def note(self, message):
        """A line on standard error, unless --quiet."""
        terminal.note(self.ctx, message)

    def progress(self, what, total):
        """A bar, or a spinner where the total is None: with ... as show: show(done, text)."""
        return terminal.progress(self.ctx, what, total)

    def where(self, i):
        """Where row i of X stands in the file."""
        return f"{self.table.unit} {self.table.lines[self.table.rows[i]]}"

    def costs(self, inertia, lower_bound, gap):
        """What the report tells of the cost."""
        return {"inertia": inertia, "lower_bound": lower_bound, "gap": gap, "units": self.units}

    def given_centers(self, path):
        """Centers from a file, their columns in the order of the table's, in the units of X."""
        from .tables import read_table

        given = read_table(path)
        centers, columns = given.X, self.table.columns
        if set(columns) <= set(given.columns):
            centers = centers[:, [given.columns.index(name) for name in columns]]
        if self.scaler is None or centers.shape[1] != len(columns):
            return centers
        return self.scaler.transform(centers)

    def given_labels(self, path):
        """Labels from a file that has one for each row of the table's file, or for each row that is used."""
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
        n_rows, n_used = len(given.lines), len(self.table.rows)
        if n_rows not in (len(self.table.lines), n_used):
            raise ValueError(
                f"{path} has {n_rows} labels, {self.path} has {len(self.table.lines)} rows: give one label for each."
            )
        if n_rows == n_used == len(values):
            return values
        labels = dict(zip(map(int, given.rows), values))
        missing = [row for row in map(int, self.table.rows) if row not in labels]
        if missing:
            raise ValueError(
                f"{path} has no label for {self.table.unit} {self.table.lines[missing[0]]}: give one."
            )
        return [labels[int(row)] for row in self.table.rows]

    def write(self, path, text):
        """Write a file completely or not at all."""
        from .report import write

        write(path, text)

    def draw(self, path, picture):
        """Write the figure of the display that `picture()` makes, completely or not at all."""
        import io

        import matplotlib

        matplotlib.use("Agg")  # a window has nothing to show
        file = io.BytesIO()
        picture().figure_.savefig(file, format=path.rpartition(".")[2].lower(), dpi=150)
        self.write(path, file.getvalue())

    def run(self, model):
        """Fit; the seconds it took and why it stopped. After Ctrl-C the model holds the best so far, or nothing."""
        start = perf_counter()
        try:
            model.fit(self.X, sample_weight=self.table.weights)
            stop_reason = model.stop_reason_
        except KeyboardInterrupt:
            if not (hasattr(model, "labels_") and hasattr(model, "stop_reason_")):
                raise
            stop_reason = "interrupted"
        return perf_counter() - start, stop_reason

    def finish(self, *outcome, proof=(), **more):
        """Write the files, show the result (see `report.Outcome`), and exit with 130 if it was interrupted."""
        from . import report

        outcome, table, scale = report.Outcome(*outcome, **more), self.table, ""
        centers = outcome.centers
        outcome.within_ss = report.within_sums(self.X, outcome.labels, outcome.centers, table.weights)
        if self.scaler is not None:
            outcome.centers, scale = self.scaler.inverse_transform(outcome.centers), ", in standardized units"
        name, value = outcome.facts[0]
        outcome.facts[0] = name, f"{value}{scale}   ({outcome.seconds:.2f} s)"
        source = "standard input" if self.path == "-" else os.path.basename(self.path)
        of = f" of {len(table.lines):,}" if len(table.rows) < len(table.lines) else ""
        title = f"{source}: {len(table.rows):,}{of} rows, {format_plural(len(table.columns), 'feature')}"
        try:  # files first: standard output may be a pipe that ends early
            if self.out:
                report.write(self.out, report.labels_text(table, outcome))
            if self.json_path:
                report.write(self.json_path, report.report_text(table, outcome, **self._origin()))
            if self.options.get("page"):
                report.write(self.options["page"], self._page(outcome, centers, title, proof))
        finally:
            if "-" not in (self.out, self.json_path, self.options.get("page")):
                report.print_table(terminal.stdout(), outcome, table.columns, title)
        if outcome.stop_reason == "interrupted":
            self.ctx.exit(130)

    def _page(self, outcome, centers, title, proof):
        """The report page, with labels and report inside."""
        from . import page, report

        origin, name = self._origin(), os.path.splitext(os.path.basename(self.path))[0].strip("-") or "data"
        downloads = {f"{name}-report.json": report.report_text(self.table, outcome, **origin)}
        if len(self.X) <= page.MOST_ROWS:
            downloads = {f"{name}-labels.csv": report.labels_text(self.table, outcome)} | downloads
        return page.page_text(
            outcome,
            self.table,
            self.X,
            centers,
            title,
            origin["command"],
            origin["version"],
            downloads,
            proof,
        )

    def show_text(self, text, result, stop_reason):
        """Show a text and write the report of a result that is no clustering; exit with 130 if it was interrupted."""
        from . import report

        try:
            if self.json_path:
                report.write(self.json_path, report.document(self.table, result, **self._origin()))
        finally:
            if self.json_path != "-":
                terminal.stdout().print("\n".join(map(printable, text.split("\n"))), soft_wrap=True)
        if stop_reason == "interrupted":
            self.ctx.exit(130)

    def _origin(self):
        from .. import __version__

        path = None if self.path == "-" else self.path
        parameters = {name: value for name, value in self.options.items() if name not in NOT_IN_REPORT}
        return {
            "path": path,
            "parameters": parameters,
            "command": self.command_line(),
            "version": __version__,
        }

    def command_line(self):
        """The command that gives this result again: what was said, and the seed."""
        words = ["ckmeans", self.ctx.command.name, self.path]
        for option in self.ctx.command.params:
            value = self.options[option.name]
            if isinstance(option, click.Argument) and option.name not in NOT_IN_REPORT:
                words.append(value)
                continue
            said = self.ctx.get_parameter_source(option.name) is not click.core.ParameterSource.DEFAULT
            if option.name in NOT_IN_REPORT or not (said or option.name == "seed"):
                continue
            if option.is_flag:
                words.append((option.opts if value else option.secondary_opts)[0])
            else:
                words += [
                    option.opts[0],
                    ",".join(terminal.quoted(str(item)) for item in value)
                    if isinstance(value, list)
                    else str(value),
                ]
        return shlex.join(words)
