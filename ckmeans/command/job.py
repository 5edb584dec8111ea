"""One run of the command, around the solver: progress, the time of the fit, the result shown and written."""

import math
import os
import shlex
from dataclasses import fields, replace
from time import perf_counter

import click

from ..words import format_plural, listed, printable
from . import terminal
from .logarithms import exponentials, logarithms
from .outputs import OUTPUTS, draw, write, write_frame

# Parameters that do not bear on the result, and are not told in the report.
NOT_IN_REPORT = "data", "quiet", "force", "id_column", "append", "distances", *OUTPUTS
# What is said of the units of a cost.
SCALES = {
    "data": "",
    "logarithms": ", with logarithms",
    "standardized": ", in standardized units",
    "standardized logarithms": ", in standardized units of logarithms",
    "1 - cosine": "",
}


class Job:
    """The table of a command, and what is done with it.

    Parameters
    ----------
    ctx : click.Context
    table : Table

    Attributes
    ----------
    options : dict
        All parameters of the command, as the report tells them.
    path : str
        Where the table is from.
    X : ndarray or CSR array of shape (n_samples, n_features)
        What is clustered: the rows of the table, with logarithms and standardized if wanted.
    units : {"data", "logarithms", "standardized", "standardized logarithms", "1 - cosine"}
    """

    def __init__(self, ctx, table):
        self.ctx, self.options, self.path, self.table = ctx, dict(ctx.params), ctx.params["data"], table
        self.X, self.scaler = logarithms(table.X, table.logs), None
        self.units = "logarithms" if table.logs else "data"
        self.cells = self._cells()
        if self.options.get("standardize"):
            with terminal.waiting(ctx, "standardizing"):
                from .standard import Standardizer

                self.scaler = Standardizer(self.X, table.weights)
            self.units = "standardized logarithms" if table.logs else "standardized"
            self.X = self.scaler.transform(self.X)

    def _cells(self):
        """The columns of the file that go beside the labels, for all its rows, or None."""
        name = self.options.get("id_column")
        if not name and not self.options.get("append"):
            return None
        from .inputs import text_options
        from .tables import read_cells

        return read_cells(self.path, None if self.options["append"] else [name], **text_options(self.ctx))[0]

    @property
    def seeded(self):
        """What every solver with randomness is told."""
        return {"random_state": self.options["seed"], "n_threads": self.options["threads"]}

    def scaled(self, centers):
        """Centers of the table's columns, in the units of X."""
        if centers.shape[1] != len(self.table.columns):
            return centers  # which is refused
        if (centers[:, self.table.logs] <= 0).any():
            raise ValueError("a center is 0 or less in a column of --log: give centers in units of the data.")
        centers = logarithms(centers, self.table.logs)
        return centers if self.scaler is None else self.scaler.transform(centers)

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

    def _signed(self):
        """The table with what tells its rows and its file, if anything that is written says so."""
        from .report import digest, digest_of_file

        if any(self.options.get(name) for name in ("json_path", "page", "model_path")):
            signs = digest(self.X, self.table.weights), digest_of_file(self.path)
            self.table = replace(self.table, sha256=signs[0], file_sha256=signs[1])
        return self.table

    def run(self, model):
        """Fit; the seconds it took and why it stopped. After Ctrl-C the model holds the best so far, or nothing."""
        self.model, start = model, perf_counter()
        try:
            model.fit(self.X, sample_weight=self.table.weights)
            stop_reason = model.stop_reason_
        except KeyboardInterrupt:
            if not (hasattr(model, "labels_") and hasattr(model, "stop_reason_")):
                raise
            stop_reason = "interrupted"
        if self.options.get("sort_by_size"):
            sort_by_size(model)
        return perf_counter() - start, stop_reason

    def summed(self, costs, labels, n_clusters):
        """The weighted sum of the costs of the rows, for each cluster."""
        import numpy as np

        weights = self.table.weights
        return np.bincount(labels, costs if weights is None else costs * weights, n_clusters)

    def finish(self, *outcome, proof=(), picture=None, **more):
        """Write the files, show the result (see `report.Outcome`), and exit with 130 if it was interrupted.

        The result is shown even if a file cannot be written. `picture()` is the display for --plot.
        """
        from . import report

        outcome, table = report.Outcome(*outcome, **more), self._signed()
        centers = outcome.centers
        if outcome.within_ss is None:
            outcome.within_ss = report.within_sums(self.X, outcome.labels, outcome.centers, table.weights)
        if table.is_sparse:
            outcome.telling = report.telling_features(outcome.centers)
        if self.scaler is not None:
            outcome.centers = self.scaler.inverse_transform(outcome.centers)
        outcome.centers = exponentials(outcome.centers, table.logs)
        self._explain(outcome)
        name, value = outcome.facts[0]
        outcome.facts[0] = name, f"{value}{SCALES[self.units]}   ({outcome.seconds:.2f} s)"
        if table.logs:
            logged = listed([table.columns[f] for f in table.logs], 6)
            outcome.facts.append(("logarithms", f"of {logged}; the centers there are geometric means"))
        title = self._title()
        out, json_path, page, plot = map(self.options.get, ("out", "json_path", "page", "plot"))
        try:  # files first: standard output may be a pipe that ends early
            if out:
                self._write_labels(out, outcome)
            if self.options.get("centers_path"):
                write(self.options["centers_path"], report.centers_text(table, outcome))
            if json_path:
                write(json_path, report.report_text(table, outcome, **self._origin()))
            if page:
                write(page, self._page(outcome, centers, title, proof))
            if plot:
                draw(plot, picture or (lambda: self._clusters(plot, outcome.labels, centers)))
            if self.options.get("model_path"):
                self._write_model(outcome)
        finally:
            if "-" not in (out, json_path, page):
                report.print_table(terminal.stdout(), outcome, table.columns, title)
        if outcome.stop_reason == "interrupted":
            self.ctx.exit(130)

    def _title(self):
        """The name of the table and its size."""
        table, source = self.table, "standard input" if self.path == "-" else os.path.basename(self.path)
        of = f" of {len(table.lines):,}" if len(table.rows) < len(table.lines) else ""
        return f"{source}: {len(table.rows):,}{of} rows, {format_plural(len(table.columns), 'feature')}"

    def _explain(self, outcome):
        """The share of the sum of squares around the mean of all rows that the clusters explain."""
        import numpy as np

        from .report import within_sums

        by_distance = "inertia" in outcome.result and self.units != "1 - cosine"
        if not by_distance or len(outcome.centers) < 2 or self.table.is_sparse:
            return
        weights = self.table.weights
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.average(self.X, axis=0, weights=weights)
            total = within_sums(self.X, np.zeros_like(outcome.labels), mean[None], weights)[0]
            within = outcome.within_ss.sum()
        if 0 < total < math.inf and within < math.inf:
            share = outcome.result["explained"] = max(0.0, 1 - within / total)
            outcome.facts.append(("explained", f"{math.floor(1e4 * share) / 100:.2f} % of the variance"))

    def _clusters(self, path, labels, centers):
        """The display of clusters that the name of a picture asks for."""
        import pandas as pd

        from .. import BoxDisplay, ClusterDisplay, ProfileDisplay

        stem = path.rpartition(".")[0].lower()
        own = pd.DataFrame(self.table.X, columns=self.table.columns)
        if stem.endswith("boxes"):
            return BoxDisplay.from_labels(own, labels)
        weights = self.table.weights
        if stem.endswith("profiles"):
            return ProfileDisplay.from_labels(own, labels, sample_weight=weights)
        rows = pd.DataFrame(self.X, columns=self.table.columns)
        return ClusterDisplay.from_labels(rows, labels, centers=centers, sample_weight=weights)

    def _write_labels(self, path, outcome):
        """What --out is to have, as CSV or Parquet."""
        from . import report

        if self.options.get("distances"):
            from ..estimators.model_files import own_distances

            away = own_distances(self.model, self.X, outcome.labels)
            outcome.by_row |= {"distance": away[:, 0], "next_distance": away[:, 1]}
        frame = report.labels_frame(self.table, outcome, self.cells, self.options.get("append"))
        write_frame(path, frame)

    def _write_model(self, outcome):
        """What `ckmeans predict` needs, and where it is from."""
        from ..estimators.model_files import save_model
        from .delimited import Options

        table = self.table
        about = {
            "verdict": outcome.verdict,
            "status": outcome.status,
            "command": self.command_line(),
            "data": {
                "path": None if self.path == "-" else self.path,
                "sha256": table.sha256,
                "file_sha256": table.file_sha256,
                "n_samples": table.X.shape[0],
                "weights": self.options["weights"],
            },
            "parameters": self._origin()["parameters"],
            "medians": table.medians or None,
            "log": [table.columns[f] for f in table.logs],
            "text": {option.name: self.options[option.name] for option in fields(Options)},
        }
        model = self.model if self.scaler is None else self.scaler.before(self.model)
        save_model(
            model,
            self.options["model_path"],
            logarithms(table.X, table.logs),
            columns=table.columns,
            about=about,
        )

    def _stem(self):
        """What files in a page are named after."""
        return os.path.splitext(os.path.basename(self.path))[0].strip("-") or "data"

    def _page(self, outcome, centers, title, proof):
        """The report page, with labels and report inside."""
        from . import page, report

        origin, name = self._origin(), self._stem()
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

    def show_text(self, text, seconds, stop_reason, result, picture, answer):
        """The same for a result that is no clustering, and is shown as a text; `answer` is for `_answer_page`."""
        from . import report

        n_features = len(self._signed().columns)
        json_path, page, plot = map(self.options.get, ("json_path", "page", "plot"))
        size = f"{len(self.X):,} rows, {format_plural(n_features, 'feature')}   ({seconds:.2f} s)"
        result = {"stop_reason": stop_reason, "seconds": round(seconds, 6), "units": self.units, **result}
        try:
            told = report.document(self.table, result, **self._origin()) if json_path or page else None
            if json_path:
                write(json_path, told)
            if page:
                write(page, self._answer_page(told, seconds, stop_reason, picture, answer))
            if plot:
                draw(plot, picture)
        finally:
            if "-" not in (json_path, page):
                lines = [size, "", *text.split("\n")]
                terminal.stdout().print("\n".join(map(printable, lines)), soft_wrap=True)
        if stop_reason == "interrupted":
            self.ctx.exit(130)

    def _answer_page(self, told, seconds, stop_reason, picture, answer):
        """The page of such a result: `answer` is what `page.answer_text` takes, and the words about its picture."""
        from . import page, page_pictures

        alt, caption, origin = answer.pop("alt"), answer.pop("caption"), self._origin()
        return page.answer_text(
            self._title(),
            **answer,
            drawn=[page_pictures.display(picture, alt, caption)],
            source=page.origin(self.table, seconds, stop_reason),
            command=origin["command"],
            version=origin["version"],
            downloads={f"{self._stem()}-report.json": told},
        )

    def _origin(self):
        """Where a result comes from, as the report tells it."""
        from .. import __version__

        parameters = {name: value for name, value in self.options.items() if name not in NOT_IN_REPORT}
        return {
            "path": None if self.path == "-" else self.path,
            "parameters": parameters,
            "command": self.command_line(),
            "version": __version__,
        }

    def command_line(self):
        """The command that gives this result again."""
        return command_line(self.ctx, self.options, [self.path])


def command_line(ctx, options, first=()):
    """The command that gives a result again: its first words, what was said, and the seed."""
    words = ["ckmeans", ctx.command.name, *first]
    for option in ctx.command.params:
        value = options[option.name]
        if isinstance(option, click.Argument) and option.name not in NOT_IN_REPORT:
            words.append(value)
            continue
        said = ctx.get_parameter_source(option.name) is not click.core.ParameterSource.DEFAULT
        if option.name in NOT_IN_REPORT or not (said or option.name == "seed"):
            continue
        if option.is_flag:
            words.append((option.opts if value else option.secondary_opts)[0])
        elif isinstance(value, list):
            words += [option.opts[0], ",".join(terminal.quoted(str(item)) for item in value)]
        else:
            words += [option.opts[0], str(value)]
    return shlex.join(words)


def sort_by_size(model):
    """Number the clusters of a fitted model anew: most rows first, and of as many those that came first."""
    import numpy as np

    sizes = np.bincount(model.labels_, minlength=model.n_clusters)
    order = np.argsort(-sizes, kind="stable")
    for name in ("cluster_centers_", "means_", "variances_", "weights_"):
        if hasattr(model, name):
            setattr(model, name, getattr(model, name)[order])
    model.labels_ = np.argsort(order).astype(model.labels_.dtype)[model.labels_]
