"""The `ckmeans` command: read a table, call a solver, print the clusters and what is known about them.

Standard output is the result, standard error are notes and progress. See `ckmeans --help` for the exit codes.
"""

import math
import os
import shlex
import sys
import warnings
from contextlib import contextmanager
from time import perf_counter

import click

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


class Command(click.Group):
    """Turns failures into one line and an exit code."""

    def invoke(self, ctx):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = lambda message, *_: note(ctx, message)
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt:
                click.echo("interrupted before there was a clustering: nothing was written", err=True)
                ctx.exit(130)
            except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
                raise
            except Exception as error:
                if os.environ.get("CKMEANS_TRACEBACK"):
                    raise
                message = " ".join(str(error).split())
                if isinstance(error, MemoryError):
                    message = f"out of memory ({message or 'no more is known'}): take fewer rows or columns, or float32 data in .npy"
                elif not isinstance(error, (ValueError, TypeError, OSError)):
                    message = f"{type(error).__name__}: {message} (this is a bug; CKMEANS_TRACEBACK=1 shows where)"
                click.echo(f"error: {message}", err=True)
                ctx.exit(1)


@click.group(cls=Command, context_settings=HELP)
@click.version_option(package_name="certified-kmeans", prog_name="ckmeans")
def cli():
    """k-means that proves how good its answer is.

    \b
      ckmeans fit iris -k 3                    three clusters of the packaged Iris data
      ckmeans fit data.csv -k 5 --standardize --out labels.csv --json report.json
      ckmeans soft data.csv -k 3 --variance tied           with probabilities instead of labels
      ckmeans exhaustive iris --sample 25 -k 2             every partition: proved optimal

    DATA is a CSV file (delimiter, header and decimal commas are detected), a Parquet or .npy file, - for standard input,
    or iris. Columns that are not numeric are skipped, rows with missing values are left out; both are named.

    \b
    The result goes to standard output, notes and progress to standard error.
    Ctrl-C ends the search: the best so far is shown and written.

    \b
    Exit codes:  0    done, also when a time limit ended the search (the verdict says so)
                 1    bad input or failure, told in one line
                 2    wrong usage of the command
                 130  interrupted; what there was has been shown and written
    """


class Count(click.IntRange):
    """A whole number of at least 1, or one word."""

    def __init__(self, word):
        super().__init__(min=1)
        self.word = word

    def convert(self, value, param, ctx):
        return value if value == self.word else super().convert(value, param, ctx)


class Variance(click.ParamType):
    name = "FLOAT|tied|per-cluster"

    def convert(self, value, param, ctx):
        if value in ("tied", "per-cluster"):
            return value
        number = click.FLOAT.convert(value, param, ctx)
        return number if 0 < number < math.inf else self.fail(f"{value} is not above 0: give a positive number", param, ctx)


def names(ctx, param, value):
    """Column names separated by commas, as a CSV line, so that a name may hold a comma in quotes."""
    import csv

    return [name.strip() for name in next(csv.reader([value], skipinitialspace=True))] if value else None


def options(*which):
    def decorate(function):
        for option in reversed(which):
            function = option(function)
        return function

    return decorate


data = options(
    click.argument("data", metavar="DATA"),
    click.option("-k", "--n-clusters", type=click.IntRange(min=1), metavar="N", required=True, help="Number of clusters."),
    click.option("--columns", metavar="A,B", callback=names, help="Columns to use, by name or number from 1."),
    click.option("--skip-columns", metavar="A,B", callback=names, help="Columns to leave out."),
    click.option("--weights", metavar="COLUMN", help="Column with the weights of the rows."),
    click.option("--delimiter", metavar="CHAR", help="Character, or tab, whitespace, ...  [default: detected]"),
    click.option("--header/--no-header", default=None, help="Whether line 1 holds names.  [default: detected]"),
    click.option("--standardize", is_flag=True, help="Scale features to unit variance; centers are shown in the data's units."),
)
output = options(
    click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Number of threads, never changes the result.  [default: all]"),
    click.option("--out", metavar="FILE", help="Write the labels as CSV, a line for each row of DATA; - for standard output."),
    click.option("--json", "json_path", metavar="FILE", help="Write a report; - prints it instead of the table."),
    click.option("-q", "--quiet", is_flag=True, help="No notes and no progress on standard error."),
)
seed = click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", default=0, help="Seed: the same one, the same result.")
max_seconds = click.option("--max-seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="Time limit; the best so far is kept.")


@cli.command()
@data
@click.option("--init", metavar="k-means++|random|FILE", default="k-means++", help="Starts; FILE holds centers, one a row.")
@click.option("--n-init", type=Count("auto"), metavar="auto|N", default="auto", help="Restarts; auto stops on enough evidence.")
@click.option("--polish/--no-polish", default=True, help="Improve Lloyd's result by exchanges of single rows.")
@seed
@max_seconds
@output
@click.pass_context
def fit(ctx, data, n_clusters, init, n_init, polish, **options):
    """k-means by restarts of a local search."""
    if init not in ("k-means++", "random") and not os.path.isfile(init):
        raise click.UsageError(f"--init {init} is neither k-means++ nor random, nor is there such a file")
    table, X, scaler = load(ctx, data, options)
    if init not in ("k-means++", "random"):
        init = given_centers(init, table, scaler)
    with progress(ctx, "restarts", None if n_init == "auto" else n_init) as show:
        from . import KMeans  # may take a second

        model = KMeans(
            n_clusters, init=init, n_init=n_init, polish=polish, max_seconds=options["max_seconds"],
            random_state=options["seed"], n_threads=options["threads"],
            verbose=lambda n, inertia: show(n, f"restart {n}, best inertia {inertia:.10g}"),
        )  # fmt: skip
        seconds, stop_reason = run(model, X, table.weights)
    n_restarts, n_hits = model.n_restarts_, round(model.hit_rate_ * model.n_restarts_)
    kind = "no row exchange lowers it" if polish else "a fixed point of Lloyd's iteration"
    optimal = n_clusters == 1 or (model.inertia_ == 0 and (X == model.cluster_centers_[model.labels_]).all())
    bound = model.inertia_ if optimal else 0.0
    if optimal:
        why = "one cluster has one best center, the mean" if n_clusters == 1 else "every row lies on its center"
        verdict = f"optimal: {why}"
    elif stop_reason in ("time_limit", "interrupted"):
        verdict = stopped(stop_reason, f"after {n_restarts} restart{'s' * (n_restarts > 1)}" if n_restarts else "in the first restart")
    else:
        verdict = f"local optimum; hit by {n_hits} of {n_restarts} restart{'s' * (n_restarts != 1)} ({kind})"
    result = {
        **solution(model.inertia_, bound, options),
        "n_restarts": n_restarts,
        "hit_rate": model.hit_rate_,
    }
    found = (model.labels_, model.cluster_centers_)
    status = "optimal" if optimal else "bounded"
    finish(ctx, table, X, scaler, found, result, verdict, stop_reason, status, seconds)


@cli.command(short_help="Mixture of spherical Gaussians: labels with probabilities.")
@data
@click.option("--variance", type=Variance(), default="1.0", help="Variance of the clusters in each feature: fixed or estimated.")
@click.option("--mixing", type=click.Choice(["estimated", "uniform"]), default="estimated", help="Weights of the clusters.")
@click.option("--anneal", type=click.IntRange(min=1), metavar="N", help="Lower the variance to its value in N steps; 20 is a good number.")
@click.option("--n-init", type=click.IntRange(min=1), metavar="N", help="Number of starts.  [default: 10; 1 with --anneal]")
@seed
@max_seconds
@output
@click.pass_context
def soft(ctx, data, n_clusters, variance, mixing, anneal, n_init, **options):
    """Mixture of spherical Gaussians by EM: each row belongs to each cluster with a probability.

    With --out a column p0, p1, ... for each cluster is written beside the label, the most probable one.
    """
    table, X, scaler = load(ctx, data, options)
    n_init = n_init or (1 if anneal else 10)
    with progress(ctx, "EM", None) as show:
        from . import SphericalMixture  # may take a second

        show(0, f"EM from {n_init} start{'s' * (n_init != 1)}")
        model = SphericalMixture(
            n_clusters, variance=variance, mixing=mixing, anneal=anneal, n_init=n_init, max_seconds=options["max_seconds"],
            random_state=options["seed"], n_threads=options["threads"],
        )  # fmt: skip
        seconds, stop_reason = run(model, X, table.weights)
    shares = model.responsibilities(X)
    in_doubt = int((shares.max(axis=1) < 0.9).sum())
    if stop_reason == "converged":
        verdict = f"local maximum of the likelihood; the best of {n_init} start{'s' * (n_init != 1)}"
    elif stop_reason == "max_iter":
        verdict = f"stopped after {model.n_iter_} iterations; the likelihood still grows"
    else:
        verdict = stopped(stop_reason, f"after {model.n_iter_} iterations of the best start")
    bic, aic = model.bic(X, table.weights), model.aic(X, table.weights)
    result = {
        "log_likelihood": model.log_likelihood_, "bic": bic, "aic": aic, "n_iter": model.n_iter_,
        "variances": model.variances_, "weights": model.weights_, "units": units(options),
    }  # fmt: skip
    facts = [
        ("log-likelihood", f"{model.log_likelihood_:.10g}"),
        ("criteria", f"BIC {bic:.8g}, AIC {aic:.8g} (lower is better)"),
        ("in doubt", f"{in_doubt} of {len(X)} rows belong to no cluster with a probability of 0.9"),
    ]
    extra = {"weight": model.weights_, "std dev": model.variances_**0.5}
    by_row = {f"p{k}": shares[:, k] for k in range(n_clusters)}
    found = (model.labels_, model.means_)
    status = "converged" if stop_reason == "converged" else "stopped"
    finish(ctx, table, X, scaler, found, result, verdict, stop_reason, status, seconds, facts, extra, by_row)


@cli.command()
@data
@click.option("--rows", type=click.IntRange(min=1), metavar="N", help="Use the first N rows only.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Use a random sample of N rows only (see --seed).")
@click.option("--posterior", type=click.FloatRange(min=0, min_open=True), metavar="VARIANCE",
              help="Also sum over all partitions: which rows belong together, given the variance within clusters.")  # fmt: skip
@click.option("--time-limit", type=click.FloatRange(min=0), metavar="SECONDS", help="Then the best so far is kept.")
@seed
@output
@click.pass_context
def exhaustive(ctx, data, n_clusters, rows, sample, posterior, time_limit, **options):
    """Try every partition of a small table: the best one, proved.

    With --posterior the labels file has a column with the probability, on average, that a row belongs together with the others
    of its cluster; the JSON report has it for every pair of rows.
    """
    if rows and sample:
        raise click.UsageError("--rows and --sample exclude each other")
    table, X, scaler = load(ctx, data, options, rows, sample)
    from .exhaustive import count_partitions, estimated_seconds, exhaustive_search, partition_posterior

    n = len(X) if table.weights is None or posterior else int((table.weights > 0).sum())
    count = count_partitions(n, n_clusters)
    cost = {"n_threads": options["threads"], "weighted": table.weights is not None, "posterior": posterior is not None}
    estimate = estimated_seconds(n, X.shape[1], n_clusters, **cost)
    size = f"{n} rows into at most {n_clusters} clusters are {counted(count)} partitions, {duration(estimate)}"
    if estimate > 86_400 and time_limit is None and 1 < n_clusters < n:
        few = n_clusters
        while few < n and estimated_seconds(few + 1, X.shape[1], n_clusters, **cost) < 5:
            few += 1
        raise ValueError(f"{size}: try --sample {few}, --time-limit, or `ckmeans fit`, which does not prove.")
    if 1 < n_clusters < n:
        note(ctx, size)
    limits = {"sample_weight": table.weights, "time_limit": time_limit, "n_threads": options["threads"]}
    with progress(ctx, "partitions", 1.0) as show:
        limits["progress"] = lambda share: show(share, f"of {counted(count)} partitions")
        start = perf_counter()
        if posterior:
            whole = partition_posterior(X, n_clusters, posterior, **limits)
            best, stop_reason = whole.best, whole.stop_reason
        else:
            whole, best = None, exhaustive_search(X, n_clusters, **limits)
            stop_reason = best.stop_reason
        seconds = perf_counter() - start
    if best.status == "optimal" and best.inertia == 0:
        verdict = "proved optimal: every row lies on its center"
    elif best.status == "optimal" and count == 1:
        verdict = "proved optimal: there is only one partition into one cluster"
    elif best.status == "optimal":
        verdict = f"proved optimal: none of the {counted(count)} partitions costs less"
    elif best.stop_reason == "ties":
        verdict = f"within {best.gap:.1e} of the optimum: too many partitions tie to tell the best in exact arithmetic"
    else:
        verdict = stopped(best.stop_reason, f"after {100 * best.n_partitions / count:.3g}% of {counted(count)} partitions")
    if whole is not None and best.status == "optimal" and whole.status != "complete":
        verdict += f"; the posterior was {stopped(whole.stop_reason, 'unfinished').split(';')[0]}"
    result = {**solution(best.inertia, best.lower_bound, options, best.gap), "n_partitions": best.n_partitions, "of_partitions": count}
    facts, by_row = [], {}
    if whole is not None:
        result["posterior"] = {"variance": posterior, "log_evidence": whole.log_evidence, "together": whole.together,
                               "status": whole.status}  # fmt: skip
        mates = (best.labels[:, None] == best.labels) & ~(best.labels[:, None] < 0)
        mates[range(len(X)), range(len(X))] = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            by_row["together"] = (whole.together * mates).sum(axis=1) / mates.sum(axis=1).clip(1)
        by_row["together"][~mates.any(axis=1)] = 1.0
        facts.append(("log evidence", f"{whole.log_evidence:.10g}   (all {counted(count)} partitions, variance {posterior:g})"))
        if whole.status == "complete":
            least = int(by_row["together"].argmin())
            sure = by_row["together"][least]
            sure = f"probability {sure:.4f}" if sure < 0.9999 else "probability above 0.9999"
            facts.append(("least sure", f"{table.unit} {table.lines[table.rows[least]]}: with the rest of its cluster by {sure}"))
        else:
            facts[0] = ("log evidence", f"at least {whole.log_evidence:.10g}   (variance {posterior:g})")
    found = (best.labels, best.centers)
    finish(ctx, table, X, scaler, found, result, verdict, stop_reason, best.status, seconds, facts, None, by_row)


# What the commands share.


def load(ctx, path, options, rows=None, sample=None):
    """The table, its X as it is clustered, and the scaler or None. Outputs are checked first."""
    from .report import check_writable
    from .tables import read_table

    out, report = options["out"], options["json_path"]
    if out is not None and report is not None and (out == report or os.path.realpath(out) == os.path.realpath(report)):
        raise click.UsageError(f"--out and --json both write to {out}")
    for target in (out, report):
        check_writable(target, path)
    table = read_table(
        path, columns=options["columns"], skip_columns=options["skip_columns"] or (), weights=options["weights"],
        delimiter=options["delimiter"], header=options["header"],
    )  # fmt: skip
    for line in table.notes:
        note(ctx, line)
    wanted = rows or sample
    if wanted and wanted > len(table.X):
        raise ValueError(f"--{'rows' if rows else 'sample'} {wanted} exceeds the {len(table.X)} complete rows: ask for at most that many.")
    if wanted:
        import numpy as np

        generator = np.random.default_rng(options["seed"])
        table = table.take(np.arange(rows) if rows else np.sort(generator.choice(len(table.X), sample, replace=False)))
    if not options["standardize"]:
        return table, table.X, None
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(table.X, sample_weight=table.weights)
    return table, scaler.transform(table.X), scaler


def given_centers(path, table, scaler):
    from .tables import read_table

    centers = read_table(path)
    names = centers.columns
    X = centers.X[:, [names.index(name) for name in table.columns]] if set(table.columns) <= set(names) else centers.X
    return X if scaler is None or X.shape[1] != table.X.shape[1] else scaler.transform(X)


def run(model, X, weights):
    """Fit; the seconds it took and why it stopped. After Ctrl-C the model holds the best so far, or nothing."""
    start = perf_counter()
    try:
        model.fit(X, sample_weight=weights)
        stop_reason = model.stop_reason_
    except KeyboardInterrupt:
        if not (hasattr(model, "labels_") and hasattr(model, "stop_reason_")):
            raise
        stop_reason = "interrupted"
    return perf_counter() - start, stop_reason


def solution(inertia, lower_bound, options, gap=None):
    """The cost and what is known about it, as the report has it."""
    if gap is None:
        gap = (inertia - lower_bound) / inertia if inertia > lower_bound else 0.0
    return {"inertia": inertia, "lower_bound": lower_bound, "gap": gap, "units": units(options)}


def units(options):
    return "standardized" if options["standardize"] else "data"


def stopped(stop_reason, when):
    reason = "interrupted" if stop_reason == "interrupted" else "stopped by the time limit"
    return f"{reason} {when}; best so far"


def finish(ctx, table, X, scaler, found, result, verdict, stop_reason, status, seconds, facts=(), extra=None, by_row=None):
    """Show the result, write the files, and exit with 130 if it was interrupted."""
    from . import __version__, report

    labels, centers = found
    outcome = report.Outcome(
        labels=labels,
        centers=centers if scaler is None else scaler.inverse_transform(centers),
        within_ss=report.within_sums(X, labels, centers, table.weights),
        seconds=seconds, verdict=verdict, stop_reason=stop_reason, status=status, facts=list(facts),
        result=result, extra=extra or {}, by_row=by_row or {},
    )  # fmt: skip
    scale = ", in standardized units" if scaler is not None else ""
    if "inertia" in result:
        outcome.facts.insert(0, ("inertia", f"{result['inertia']:.12g}{scale}   ({seconds:.2f} s)"))
    else:
        outcome.facts[0] = (outcome.facts[0][0], outcome.facts[0][1] + f"{scale}   ({seconds:.2f} s)")
    options = {name: value for name, value in ctx.params.items() if name not in ("data", "out", "json_path", "quiet")}
    path = ctx.params["data"]
    if "-" not in (ctx.params["out"], ctx.params["json_path"]):
        features = "1 feature" if len(table.columns) == 1 else f"{len(table.columns)} features"
        name = "standard input" if path == "-" else os.path.basename(path)
        of = f" of {len(table.lines):,}" if len(table.rows) < len(table.lines) else ""
        report.show(stdout(), outcome, table.columns, f"{name}: {len(X):,}{of} rows, {features}")
    if ctx.params["out"]:
        report.write(ctx.params["out"], report.labels_text(table, outcome))
    if ctx.params["json_path"]:
        command = command_line(ctx)
        text = report.report_text(table, outcome, path if path != "-" else None, options, command, __version__)
        report.write(ctx.params["json_path"], text)
    if stop_reason == "interrupted":
        ctx.exit(130)


def command_line(ctx):
    """The command that gives this result again: what was said, and the seed."""
    words = ["ckmeans", ctx.command.name, ctx.params["data"]]
    for option in ctx.command.params[1:]:
        value = ctx.params[option.name]
        said = ctx.get_parameter_source(option.name) is not click.core.ParameterSource.DEFAULT
        if option.name in ("out", "json_path", "quiet") or not (said or option.name == "seed"):
            continue
        if option.is_flag:
            words.append((option.opts if value else option.secondary_opts)[0])
        else:
            words += [option.opts[0], ",".join(map(quoted, value)) if isinstance(value, list) else str(value)]
    return shlex.join(words)


def quoted(name):
    """A column name as `names` reads it."""
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"') else name


def counted(n):
    """A number of partitions: 16,777,216, or 7.1e44."""
    digits = str(n) if n < 10**4000 else "1" + "0" * int(n.bit_length() * math.log10(2))
    return f"{n:,}" if len(digits) <= 15 else f"{digits[0]}.{digits[1]}e{len(digits) - 1}"


def duration(seconds):
    for name, size in (("years", 31_557_600), ("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"about {seconds / size:.2g} {name}" if seconds < 1e18 else "longer than the universe is old"
    return "less than a second" if seconds < 1 else f"about {seconds:.0f} seconds"


def note(ctx, message):
    """A line on standard error, unless --quiet."""
    if not (click.get_current_context(silent=True) or ctx).params.get("quiet"):
        stderr().print(str(message), style="dim", soft_wrap=True)


def stdout():
    from rich.console import Console

    return Console(file=sys.stdout, markup=False, highlight=False, emoji=False)


def stderr():
    from rich.console import Console

    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


@contextmanager
def progress(ctx, what, total):
    """A bar on a terminal; yields show(done, text). A spinner where the total is not known."""
    console = stderr()
    if ctx.params.get("quiet") or not console.is_terminal or not console.is_interactive:
        yield lambda done, text: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    measured = [BarColumn(), TaskProgressColumn(), TimeRemainingColumn(elapsed_when_finished=True)] if total else [TimeElapsedColumn()]
    with Progress(SpinnerColumn(), *measured, TextColumn("{task.description}", markup=False), console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, text: bar.update(task, completed=done, description=text)
