"""`ckmeans exhaustive`: every partition of a small table, the best one proved."""

import math
from decimal import ROUND_CEILING
from fractions import Fraction
from time import perf_counter

import click

from ..words import at_most_above, borne, down, format_cost, format_count, format_duration, rounded
from .inputs import read
from .job import Job
from .options import WHOLE, clusters_picture, data, output, page, seed
from .options import time_limit as time_limit_option
from .outputs import check_outputs
from .terminal import stopped


@click.command()
@data
@click.option("--rows", **WHOLE, help="Use the first N rows only.")
@click.option("--sample", **WHOLE, help="Use a random sample of N rows only (see --seed).")
@click.option(
    "--posterior",
    type=click.FloatRange(min=0, min_open=True),
    metavar="VARIANCE",
    help="Sum over all partitions too: which rows belong together, with this variance in clusters.",
)
@time_limit_option
@page
@clusters_picture
@seed
@output
def exhaustive(ctx, data, n_clusters, rows, sample, posterior, time_limit, **options):
    """Try every partition of a small table: the best one, proved.

    With --posterior the labels file has a column with the probability that a row belongs together with the
    others of its cluster, on average; the JSON report has it for every pair of rows.
    """
    if rows and sample:
        raise click.UsageError("--rows and --sample exclude each other")
    check_outputs(ctx)
    table = read(ctx)
    if rows or sample:
        table = some_rows(table, rows, sample, options["seed"])
    job = Job(ctx, table)
    from ..exact.exhaustive import exhaustive_search, partition_posterior

    count = _announce(job, n_clusters, posterior, time_limit)
    limits = {"sample_weight": job.table.weights, "time_limit": time_limit, "n_threads": options["threads"]}
    with job.progress("partitions", 1.0) as show:
        limits["progress"] = lambda share: show(share, f"of {format_count(count)} partitions")
        start = perf_counter()
        whole = partition_posterior(job.X, n_clusters, posterior, **limits) if posterior else None
        best = whole.best if posterior else exhaustive_search(job.X, n_clusters, **limits)
        seconds = perf_counter() - start
    stop_reason = whole.stop_reason if posterior else best.stop_reason
    if best.status == "optimal":
        verdict = f"proved optimal: none of the {format_count(count)} partitions costs less"
        if best.inertia == 0:
            verdict = "proved optimal: every row lies on its center"
        elif count == 1:
            verdict = "proved optimal: there is only one partition into one cluster"
        if stop_reason in ("time_limit", "interrupted"):
            verdict += f"; the posterior was {stopped(stop_reason, 'before it was complete').split(';')[0]}"
    elif best.stop_reason == "ties":
        verdict = f"{at_most_above(best.inertia, best.lower_bound)}: too many partitions tie to tell which is the best"
    else:
        done = f"{100 * best.n_partitions / count:.3g}% of {format_count(count)} partitions"
        verdict = stopped(best.stop_reason, f"after {done}")
    costs = job.costs(best.inertia, best.lower_bound, best.gap)
    facts, posterior_result, by_row = _posterior(job, whole, posterior) if posterior else ([], {}, {})
    job.finish(
        best.labels,
        best.centers,
        seconds,
        verdict,
        stop_reason,
        best.status,
        facts=[("inertia", format_cost(best.inertia)), *facts],
        result={**costs, "n_partitions": best.n_partitions, "of_partitions": count, **posterior_result},
        by_row=by_row,
    )


def some_rows(table, rows, sample, seed):
    """The first rows of a table, or a random sample in their order."""
    import numpy as np

    wanted, n_rows = rows or sample, len(table.X)
    if wanted > n_rows:
        option = "--rows" if rows else "--sample"
        raise ValueError(f"{option} {wanted} exceeds the {n_rows} complete rows: ask for at most that many.")
    if rows:
        return table.take(np.arange(rows))
    return table.take(np.sort(np.random.default_rng(seed).choice(n_rows, sample, replace=False)))


def _announce(job, n_clusters, posterior, time_limit):
    """Say how many partitions there are and how long they will take; refuse where that is hopeless."""
    from ..exact.exhaustive import count_partitions, estimated_seconds

    weights, (n, n_features) = job.table.weights, job.X.shape
    if weights is not None and not posterior:
        n = int((weights > 0).sum())
    elif weights is not None and not weights.all():
        raise ValueError(
            f"weight 0 in {job.where(weights.argmin())}: a row without weight has no part in the posterior; take it out."
        )
    cost = {
        "n_threads": job.options["threads"],
        "weighted": weights is not None,
        "posterior": posterior is not None,
    }
    count = count_partitions(n, n_clusters)
    seconds = estimated_seconds(n, n_features, n_clusters, **cost)
    size = f"{n} rows into at most {n_clusters} clusters are {format_count(count)} partitions, {format_duration(seconds)}"
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
    named = f"   (variance {variance:g})"
    # The sum and its difference from the evidence are rounded too.
    error = whole.error + 2**-50 * (abs(whole.log_sum) + abs(whole.log_sum - whole.log_evidence))
    result = {
        "variance": variance,
        "log_evidence": whole.log_evidence,
        "error": error,
        "together": whole.together,
        "status": whole.status,
    }
    if whole.status != "complete":
        least = down(Fraction(whole.log_evidence) - Fraction(error), 10)
        return [("log evidence", f"at least {least}{named}")], {"posterior": result}, {}
    together = _with_the_rest(whole.together, whole.best.labels)
    least = int(together.argmin())
    sure = _probability(float(together[least]), error)
    facts = [
        ("log evidence", f"{borne(whole.log_evidence, error, 10)}{named}"),
        (
            "least sure",
            f"{job.where(least)}: together with the rest of its cluster by a probability of {sure}",
        ),
    ]
    return facts, {"posterior": result}, {"together": together}


def _probability(share, error):
    """A probability in words, where the logarithms of what it is a share of are known up to an error.

    Its odds are off by a factor of exp(2 error) at most. This holds for a mean of probabilities too: the least it may be is
    a convex function of it, the greatest a concave one.
    """
    odds = math.exp(2 * error)
    low, high = share / (share + (1 - share) * odds), share * odds / (1 - share + share * odds)
    if low >= 0.9999:
        return "above 0.9999"
    if f"{low:.4f}" == f"{high:.4f}":
        return f"{share:.4f}"
    return f"{down(low, 2)} to {rounded(high, 2, ROUND_CEILING)}"


def _with_the_rest(together, labels):
    """The probability that a row belongs together with the others of its cluster, on average; 1 for a row alone."""
    mates = labels[:, None] == labels
    n_others = mates.sum(axis=1) - 1
    found = ((together * mates).sum(axis=1) - 1) / n_others.clip(1)
    found[n_others == 0] = 1.0
    return found
