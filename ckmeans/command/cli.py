"""The `ckmeans` command: its options, and for each solver the words in which its result is told.

Standard output is the result, standard error are notes and progress. See `ckmeans --help` for the exit codes.
"""

import os
from time import perf_counter

import click

from ..words import apart, at_most_above, down
from .choose import choose
from .job import Job
from .landscape import landscape
from .options import (
    SECONDS,
    WHOLE,
    checkpoint,
    clusters,
    data,
    files,
    layout,
    max_seconds,
    output,
    page,
    picture,
    proof,
    seed,
    source,
    table,
)
from .terminal import Command, Count, Variance, counted, duration, plural

HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}
STARTS = "k-means++", "plain k-means++", "k-means||", "random"


@click.group(cls=Command, context_settings=HELP)
@click.version_option(package_name="certified-kmeans", prog_name="ckmeans")
def cli():
    """k-means that proves how good its answer is.

    \b
      ckmeans fit iris -k 3                    three clusters of the packaged Iris data
      ckmeans fit data.csv -k 5 --standardize --out labels.csv --json report.json
      ckmeans soft data.csv -k 3 --variance tied           with probabilities instead of labels
      ckmeans exhaustive iris --sample 25 -k 2             every partition: proved optimal
      ckmeans breaks data.csv population -k 5              classes of one column: proved optimal
      ckmeans landscape iris -k 3 --plot minima.png        where plain k-means gets stuck, and how often
      ckmeans fit iris -k 3 --prove --proof iris.ckc       the best clusters, with a proof that others can check
      ckmeans certify data.csv labels.csv                  how far given labels are above the best
      ckmeans choose iris --range 2:10                     what eight criteria say about the number of clusters

    DATA is a CSV file (delimiter, header and decimal commas are detected where the text tells them, and
    asked for where it does not), a Parquet or .npy file, - for standard input, or iris. Columns that are
    not numeric are skipped, rows with missing values are left out; both are named.

    \b
    The result goes to standard output, notes and progress to standard error.
    Ctrl-C ends the search: the best so far is shown and written.

    \b
    Exit codes:  0    done, also when a time limit ended the search (the verdict says so)
                 1    bad input or failure, told in one line
                 2    wrong usage of the command
                 130  interrupted; what there was has been shown and written
    """


@cli.command()
@data
@click.option(
    "--init",
    metavar="METHOD|FILE",
    default="k-means++",
    help="Starts: k-means++, 'plain k-means++', 'k-means||' or random; FILE has a center in each row.",
)
@click.option(
    "--n-init",
    type=Count("auto"),
    metavar="auto|N",
    default="auto",
    help="Restarts; auto: until enough agree.",
)
@click.option(
    "--algorithm",
    type=click.Choice(["auto", "hybrid"]),
    default="auto",
    help="hybrid: search longer, by populations.",
)
@click.option(
    "--polish/--no-polish", default=True, help="Improve Lloyd's result by exchanges of single rows."
)
@click.option(
    "--prove",
    is_flag=True,
    help="Prove that the clusters are the best, or how far above the best they can be.",
)
@click.option("--time-limit", **SECONDS, help="Time limit of --prove.  [default: 60]")
@proof
@page
@checkpoint
@seed
@max_seconds
@output
def fit(
    ctx, data, n_clusters, init, n_init, algorithm, polish, prove, time_limit, proof, checkpoint, **options
):
    """k-means by restarts of a local search; with --prove, the optimum or a bound."""
    if init not in STARTS and not os.path.isfile(init):
        raise click.UsageError(f"--init {init} is none of {', '.join(STARTS)}, nor is there such a file")
    said = {
        name
        for name in ctx.params
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    for name in (
        ("init", "n_init", "algorithm", "polish", "max_seconds")
        if prove
        else ("time_limit", "proof", "checkpoint")
    ):
        if name in said:
            word = name.replace("_", "-")
            raise click.UsageError(f"--{word} {'excludes' if prove else 'is for'} --prove")
    job = Job(ctx)
    if prove:
        return _prove(job, n_clusters, time_limit, proof, checkpoint)
    if init not in STARTS:
        init = job.given_centers(init)
    word = "population" if algorithm == "hybrid" else "restart"
    with job.progress(f"{word}s", None if n_init == "auto" else n_init) as show:
        from .. import KMeans  # may take a second
        from ..rationals import relative_gap

        model = KMeans(
            n_clusters, init=init, n_init=n_init, algorithm=algorithm, polish=polish, max_seconds=options["max_seconds"],
            random_state=options["seed"], n_threads=options["threads"],
            verbose=lambda n, inertia: show(n, f"{word} {n}, best inertia {inertia:.10g}"),
        )  # fmt: skip
        seconds, stop_reason = job.run(model)
    n_restarts, n_hits = model.n_restarts_, round(model.hit_rate_ * model.n_restarts_)
    if model.status_ == "optimal":
        one = n_clusters == 1 and model.inertia_ > 0
        verdict = f"optimal: {'one cluster has one best center, the mean' if one else 'every row lies on its center'}"
    else:
        kind = "no row exchange lowers it" if polish else "a fixed point of Lloyd's iteration"
        hits = (
            f"hit by {n_hits} of {plural(n_restarts, word)}"
            if n_restarts > 1
            else f"of one {word}, with none to compare"
        )
        verdict = f"local optimum; {hits} ({kind})"
        if stop_reason in ("time_limit", "interrupted"):
            when = f"after {plural(n_restarts, word)}" if n_restarts else f"in the first {word}"
            verdict = _stopped(stop_reason, when)
    gap = 0.0 if model.status_ == "optimal" else relative_gap(model.inertia_, model.lower_bound_)
    costs = _costs(job, model.inertia_, model.lower_bound_, gap)
    job.finish(
        model.labels_, model.cluster_centers_, seconds, verdict, stop_reason, model.status_,
        facts=[("inertia", f"{model.inertia_:.12g}")],
        result={**costs, "n_restarts": n_restarts, "hit_rate": model.hit_rate_},
    )  # fmt: skip


def _prove(job, n_clusters, time_limit, proof, checkpoint):
    """Find the best clusters, and prove how good they are."""
    options = job.options
    with job.progress("proof", None) as show:
        from .. import ExactKMeans, GapRecorder  # may take a second

        recorder = GapRecorder(_closing(show))
        model = ExactKMeans(
            n_clusters, time_limit=60.0 if time_limit is None else time_limit, random_state=options["seed"],
            n_threads=options["threads"], checkpoint=checkpoint, verbose=recorder,
        )  # fmt: skip
        seconds, _ = job.run(model)
    _certified(job, model.certificate_, model.labels_, model.cluster_centers_, seconds, proof, recorder)


@cli.command(short_help="How far given labels are, at most, above the best clusters.")
@source
@click.argument("labels", metavar="LABELS")
@click.option("-k", "--n-clusters", **WHOLE, help="Number of clusters.  [default: that of the labels]")
@table
@click.option("--time-limit", **SECONDS, default=60.0, help="Time limit; what is proved until then is told.")
@proof
@page
@checkpoint
@seed
@output
def certify(ctx, data, labels, n_clusters, time_limit, proof, checkpoint, **options):
    """How far labels, of any program, are at most above the best possible clusters, with a proof.

    LABELS is a file with a label for each row of DATA, those with missing values included: one column, or one that is called
    label, as `ckmeans fit --out` writes it. Labels are whole numbers.
    """
    job = Job(ctx)
    given = job.given_labels(labels)
    with job.progress("proof", None) as show:
        from .. import GapRecorder, certify  # may take a second

        recorder = GapRecorder(_closing(show))
        start = perf_counter()
        found = certify(
            job.X, given, n_clusters=n_clusters, sample_weight=job.table.weights, time_limit=time_limit,
            random_state=options["seed"], n_threads=options["threads"], checkpoint=checkpoint,
            progress=recorder,
        )  # fmt: skip
        seconds = perf_counter() - start
    means = found.problem.exact.centers(found.labels)
    centers = [means.get(label) or next(iter(means.values())) for label in range(found.n_clusters)]
    _certified(job, found, found.labels, centers, seconds, proof, recorder)


def _closing(show):
    """Incumbent and bound, as a line of progress."""

    def closing(method, inertia, lower_bound):
        bound = f"lower bound {down(lower_bound, 10)}, not yet checked"
        show(0, f"{method}: inertia {inertia:.10g}, {bound}: {at_most_above(inertia, lower_bound)}")

    return closing


def _certified(job, certificate, labels, centers, seconds, proof, recorder):
    """Show a certificate, and write its proof."""
    import numpy as np

    if proof:
        job.write(proof, certificate.text())
    closed = certificate.status != "bounded"
    verdict = (
        f"{certificate.verdict}, by {certificate.method}"
        if closed or certificate.checked
        else certificate.verdict
    )
    if certificate.stop_reason in ("time_limit", "interrupted"):
        verdict += f"; {_stopped(certificate.stop_reason, f'after {seconds:.1f} s')}"
    inertia = f"{certificate.inertia:.12g}"
    bound = down(certificate.exact_lower_bound, 12)
    if closed:
        bound = f"{bound if certificate.inertia == float('inf') else inertia}   (gap 0%)"
    facts = [("inertia", inertia), ("lower bound", bound)]
    better = certificate.better
    if better is not None:
        facts.append(("better", f"there are clusters of inertia {better.inertia:.12g}: {better.verdict}"))
    job.finish(
        labels, np.array(centers), seconds, verdict, certificate.stop_reason, certificate.status, facts=facts,
        result={
            **_costs(job, certificate.inertia, certificate.lower_bound, certificate.gap), "method": certificate.method,
            "seconds_by_method": certificate.seconds, "checked": certificate.checked,
            "better": None if better is None else {"inertia": better.inertia, "status": better.status, "labels": better.labels},
        },
        proof=(recorder, certificate),
    )  # fmt: skip


@cli.command(short_help="Mixture of spherical Gaussians: labels with probabilities.")
@data
@click.option(
    "--variance",
    type=Variance(),
    metavar="NUMBER|tied|per-cluster",
    default="1.0",
    help="Variance of the clusters in each feature, or estimated.",
)
@click.option(
    "--mixing",
    type=click.Choice(["estimated", "uniform"]),
    default="estimated",
    help="Weights of the clusters.",
)
@click.option("--anneal", **WHOLE, help="Go down to the variance in N steps; 20 is a good number.")
@click.option("--n-init", **WHOLE, help="Number of starts.  [default: 10; 1 with --anneal]")
@seed
@max_seconds
@output
def soft(ctx, data, n_clusters, variance, mixing, anneal, n_init, **options):
    """Mixture of spherical Gaussians by EM: each row belongs to each cluster with a probability.

    With --out a column p0, p1, ... for each cluster is written beside the label, the most probable one.
    """
    job = Job(ctx)
    n_init = n_init or (1 if anneal else 10)
    with job.progress("EM", None) as show:
        from .. import SphericalMixture  # may take a second

        show(0, f"EM from {plural(n_init, 'start')}")
        model = SphericalMixture(
            n_clusters, variance=variance, mixing=mixing, anneal=anneal, n_init=n_init,
            max_seconds=options["max_seconds"], random_state=options["seed"], n_threads=options["threads"],
        )  # fmt: skip
        seconds, stop_reason = job.run(model)
    shares = model.responsibilities(job.X)
    bic, aic = model.bic(job.X, job.table.weights), model.aic(job.X, job.table.weights)
    if model.n_collapsed_ and stop_reason in ("converged", "max_iter"):
        verdict = f"degenerate: {model.n_collapsed_} of {n_clusters} variances shrank to nothing; the likelihood has no bound"
    elif stop_reason == "converged":
        verdict = f"local maximum of the likelihood; the best of {plural(n_init, 'start')}"
    elif stop_reason == "max_iter":
        verdict = f"stopped after {model.n_iter_} iterations; the likelihood still grows"
    else:
        verdict = _stopped(stop_reason, f"after {plural(model.n_iter_, 'iteration')} of the best start")
    n_in_doubt = int((shares.max(axis=1) < 0.9).sum())
    job.finish(
        model.labels_, model.means_, seconds, verdict, stop_reason, "converged" if stop_reason == "converged" else "stopped",
        facts=[
            ("log-likelihood", f"{model.log_likelihood_:.10g}"),
            ("criteria", f"BIC {bic:.8g}, AIC {aic:.8g} (lower is better)"),
            ("in doubt", f"{n_in_doubt} of {len(shares)} rows belong to no cluster with a probability of 0.9"),
        ],
        result={
            "log_likelihood": model.log_likelihood_, "bic": bic, "aic": aic, "n_iter": model.n_iter_,
            "n_collapsed": model.n_collapsed_,
            "variances": model.variances_, "weights": model.weights_, "units": job.units,
        },
        extra={"weight": model.weights_, "std dev": model.variances_**0.5},
        by_row={f"p{k}": shares[:, k] for k in range(n_clusters)},
    )  # fmt: skip


@cli.command()
@data
@click.option("--rows", **WHOLE, help="Use the first N rows only.")
@click.option("--sample", **WHOLE, help="Use a random sample of N rows only (see --seed).")
@click.option("--posterior", type=click.FloatRange(min=0, min_open=True), metavar="VARIANCE",
              help="Sum over all partitions too: which rows belong together, with this variance in clusters.")  # fmt: skip
@click.option("--time-limit", **SECONDS, help="Time limit; the best so far is kept.")
@seed
@output
def exhaustive(ctx, data, n_clusters, rows, sample, posterior, time_limit, **options):
    """Try every partition of a small table: the best one, proved.

    With --posterior the labels file has a column with the probability that a row belongs together with the
    others of its cluster, on average; the JSON report has it for every pair of rows.
    """
    if rows and sample:
        raise click.UsageError("--rows and --sample exclude each other")
    job = Job(ctx, rows, sample)
    from ..exact.exhaustive import exhaustive_search, partition_posterior

    count = _announce(job, n_clusters, posterior, time_limit)
    limits = {"sample_weight": job.table.weights, "time_limit": time_limit, "n_threads": options["threads"]}
    with job.progress("partitions", 1.0) as show:
        limits["progress"] = lambda share: show(share, f"of {counted(count)} partitions")
        start = perf_counter()
        whole = partition_posterior(job.X, n_clusters, posterior, **limits) if posterior else None
        best = whole.best if posterior else exhaustive_search(job.X, n_clusters, **limits)
        seconds = perf_counter() - start
    stop_reason = whole.stop_reason if posterior else best.stop_reason
    if best.status == "optimal":
        verdict = f"proved optimal: none of the {counted(count)} partitions costs less"
        if best.inertia == 0:
            verdict = "proved optimal: every row lies on its center"
        elif count == 1:
            verdict = "proved optimal: there is only one partition into one cluster"
        if stop_reason in ("time_limit", "interrupted"):
            verdict += f"; the posterior was {_stopped(stop_reason, 'before it was complete').split(';')[0]}"
    elif best.stop_reason == "ties":
        verdict = f"{at_most_above(best.inertia, best.lower_bound)}: too many partitions tie to tell which is the best"
    else:
        done = f"{100 * best.n_partitions / count:.3g}% of {counted(count)} partitions"
        verdict = _stopped(best.stop_reason, f"after {done}")
    costs = _costs(job, best.inertia, best.lower_bound, best.gap)
    facts, posterior_result, by_row = _posterior(job, whole, posterior) if posterior else ([], {}, {})
    job.finish(
        best.labels, best.centers, seconds, verdict, stop_reason, best.status,
        facts=[("inertia", f"{best.inertia:.12g}"), *facts],
        result={**costs, "n_partitions": best.n_partitions, "of_partitions": count, **posterior_result},
        by_row=by_row,
    )  # fmt: skip


@cli.command(short_help="Natural breaks: the best classes of one column, proved.")
@source
@click.argument("column", metavar="COLUMN")
@clusters
@layout
@click.option(
    "--choose", is_flag=True, help="Choose among 1 to -k classes by the Bayesian information criterion."
)
@picture
@files
def breaks(ctx, data, column, n_clusters, choose, plot, **options):
    """Natural breaks (Jenks): the best classes of one column, proved optimal, for any number of rows.

    COLUMN is a name, or a number from 1.
    """
    ctx.params |= {"columns": [column], "skip_columns": None, "standardize": False}
    job = Job(ctx)
    from .. import natural_breaks

    start = perf_counter()
    wanted = range(1, n_clusters + 1) if choose else n_clusters
    best = natural_breaks(job.X[:, 0], wanted, sample_weight=job.table.weights)
    seconds = perf_counter() - start
    verdict = "proved optimal: no classes of these values cost less"
    if choose:
        verdict += f"; {best.n_clusters} of 1 to {n_clusters} classes have the least BIC"
    if plot:
        from .. import BreaksDisplay

        weights, name = job.table.weights, job.table.columns[0]
        job.draw(plot, lambda: BreaksDisplay.from_breaks(best, job.X, sample_weight=weights, name=name))
    job.finish(
        best.labels, best.centers[:, None], seconds, verdict, best.stop_reason, best.status,
        facts=[
            ("inertia", f"{best.inertia:.12g}"),
            ("breaks", " ".join(apart(best.breaks.tolist(), 7))),
            ("fit", f"{best.goodness_of_variance_fit:.6f} of the variance, BIC {best.bic:.8g}"),
        ],
        result={
            **_costs(job, best.inertia, best.lower_bound, best.gap), "breaks": best.breaks,
            "goodness_of_variance_fit": best.goodness_of_variance_fit, "bic": best.bic,
            "bic_by_n_clusters": {k: tried.bic for k, tried in best.tried.items()},
        },
    )  # fmt: skip


def _announce(job, n_clusters, posterior, time_limit):
    """Say how many partitions there are and how long they will take; refuse where that is hopeless."""
    from ..exact.exhaustive import count_partitions, estimated_seconds

    weights, (n, n_features) = job.table.weights, job.X.shape
    if weights is not None and not posterior:
        n = int((weights > 0).sum())
    elif weights is not None and not weights.all():
        raise ValueError(
            f"weight 0 in {job.place(weights.argmin())}: a row without weight has no part in the posterior; take it out."
        )
    cost = {
        "n_threads": job.options["threads"], "weighted": weights is not None, "posterior": posterior is not None,
    }  # fmt: skip
    count = count_partitions(n, n_clusters)
    seconds = estimated_seconds(n, n_features, n_clusters, **cost)
    size = f"{n} rows into at most {n_clusters} clusters are {counted(count)} partitions, {duration(seconds)}"
    if 1 < n_clusters < n and seconds > 86_400 and time_limit is None:
        few = n_clusters
        while estimated_seconds(few + 1, n_features, n_clusters, **cost) < 5:
            few += 1
        raise ValueError(f"{size}: try --sample {few}, --time-limit, or `ckmeans fit`, which does not prove.")
    if 1 < n_clusters < n:
        job.note(size)
    return count


def _posterior(job, whole, variance):
    """Facts, results and a column of the labels file."""
    result = {
        "variance": variance,
        "log_evidence": whole.log_evidence,
        "together": whole.together,
        "status": whole.status,
    }
    if whole.status != "complete":
        return (
            [
                (
                    "log evidence",
                    f"at least {down(whole.log_evidence - whole.error, 10)}   (variance {variance:g})",
                )
            ],
            {"posterior": result},
            {},
        )
    labels = whole.best.labels
    mates = labels[:, None] == labels
    together = ((whole.together * mates).sum(axis=1) - 1) / (mates.sum(axis=1) - 1).clip(1)
    together[mates.sum(axis=1) == 1] = 1.0
    least = int(together.argmin())
    sure = f"{together[least]:.4f}" if together[least] < 0.9999 else "above 0.9999"
    facts = [
        ("log evidence", f"{whole.log_evidence:.10g}   (variance {variance:g})"),
        (
            "least sure",
            f"{job.place(least)}: together with the rest of its cluster by a probability of {sure}",
        ),
    ]
    return facts, {"posterior": result}, {"together": together}


def _costs(job, inertia, lower_bound, gap):
    return {"inertia": inertia, "lower_bound": lower_bound, "gap": gap, "units": job.units}


def _stopped(stop_reason, when):
    reason = "interrupted" if stop_reason == "interrupted" else "stopped by the time limit"
    return f"{reason} {when}; best so far"


cli.add_command(choose)
cli.add_command(landscape)
