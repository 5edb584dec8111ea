"""`ckmeans study`: the number of clusters, the clusters, what they are like, how good, how stable and how surely: one report."""

from decimal import ROUND_HALF_EVEN
from time import monotonic

import click

from ..words import format_plural, rounded
from . import terminal
from .certify import said
from .choose import tried_by_default, votes
from .inputs import read, text_options
from .job import Job
from .options import (
    SECONDS,
    centers_file,
    clusters_picture,
    distances,
    model_file,
    numbers,
    output,
    page,
    proof,
    seed,
    sort_by_size,
    source,
    table,
)
from .outputs import check_outputs, write

# Starts of the landscape, and bootstrap samples.
STARTS, RESAMPLES = 200, 50
# What the choice of the number, the proof, the stability and the landscape may take, each a share of the time that is left by then.
CHOICE, PROOF, STABILITY, LANDSCAPE = 0.3, 0.6, 0.6, 0.9


@click.command(
    short_help="All the evidence on a clustering in one report: how many, how good, how stable, what like."
)
@source
@numbers
@table
@click.option(
    "--time-limit", **SECONDS, default=60.0, help="Time limit of all; what is known until then is told."
)
@proof
@page
@clusters_picture
@centers_file
@model_file
@distances
@sort_by_size
@seed
@output
def study(ctx, data, n_clusters, time_limit, proof, **options):
    """How many clusters, which, what they are like, where restarts end, how stable each is, and how good it is, proved.

    The number of clusters is the one given, or of several the one that most criteria suggest; where they disagree it is yours to
    choose, and the report says so.
    """
    check_outputs(ctx)
    job = Job(ctx, read(ctx))
    n_clusters = n_clusters or tried_by_default(len(job.X))
    deadline, facts, result = monotonic() + time_limit, [], {}

    def rest(share):
        return max(0.0, share * (deadline - monotonic()))

    with job.progress("study", None) as show:
        from .. import ExactKMeans  # may take a second

        k = _choice(job, n_clusters, rest(CHOICE), show, facts, result)
        show(0, f"{k} clusters, and the proof")
        model = ExactKMeans(k, time_limit=rest(PROOF), **job.seeded)
        seconds, stop_reason = job.run(model)
        certificate = model.certificate_
        if proof:
            write(proof, certificate.text())
        if stop_reason != "interrupted":
            stop_reason = _evidence(job, model, k, rest, show, facts, result) or stop_reason
    job.options["n_clusters"] = [k]
    words = _profiles(job, model.labels_, k)
    facts += [(f"cluster {c}", line) for c, line in enumerate(words)]
    job.finish(
        model.labels_,
        model.cluster_centers_,
        seconds,
        said(certificate),
        stop_reason,
        certificate.status,
        facts=[("inertia", rounded(certificate.exact_inertia, 12, ROUND_HALF_EVEN)), *facts],
        result={
            **job.costs(certificate.inertia, certificate.lower_bound, certificate.gap),
            "n_clusters": k,
            "method": certificate.method,
            "checked": certificate.checked,
            **result,
            "profiles": words,
        },
    )


def _choice(job, n_clusters, seconds, show, facts, result):
    """The number of clusters that most criteria suggest, the least of several."""
    if len(n_clusters) == 1:
        return n_clusters[0]
    from .. import choose_k

    found = choose_k(
        job.X,
        n_clusters,
        sample_weight=job.table.weights,
        time_limit=seconds,
        **job.seeded,
        progress=lambda text: show(0, text),
    )
    counts = votes(found.suggested)
    result["choice"] = {
        "suggested": found.suggested,
        "verdict": found.verdict,
        "stop_reason": found.stop_reason,
    }
    if not counts:
        facts.append(("how many", f"{n_clusters[0]}: no criterion suggests a number"))
        return n_clusters[0]
    (k, most), *rest = counts
    others = ", ".join(f"{number} by {n}" for number, n in sorted(rest))
    many = f"{k}, as {most} of the {len(found.suggested)} criteria say"
    facts.append(("how many", many + (f"; others: {others}" if others else "")))
    return k


def _evidence(job, model, k, rest, show, facts, result):
    """How stable each cluster is, and how often plain k-means ends as low: "interrupted" if Ctrl-C ended it."""
    from .. import cluster_stability, landscape

    weights = job.table.weights
    try:
        show(0, "stability of each cluster")
        stable = cluster_stability(
            job.X,
            labels=model.labels_,
            n_clusters=k,
            sample_weight=weights,
            n_resamples=RESAMPLES,
            time_limit=rest(STABILITY),
            **job.seeded,
        )
        if stable.n_resamples:
            facts.append(("stability", stable.verdict))
            result["stability"] = {
                "jaccard": stable.jaccard,
                "recovered": stable.recovered,
                "dissolved": stable.dissolved,
                "n_resamples": stable.n_resamples,
            }
        show(0, "where plain k-means ends")
        found = landscape(job.X, k, STARTS, sample_weight=weights, max_seconds=rest(LANDSCAPE), **job.seeded)
        n_as_low = int(found.counts[found.inertia <= model.inertia_ * (1 + 1e-9)].sum())
        facts.append(
            (
                "restarts",
                f"{n_as_low} of {format_plural(found.n_starts, 'start')} of plain k-means end as low",
            )
        )
        result["landscape"] = {"n_starts": found.n_starts, "n_as_low": n_as_low}
    except KeyboardInterrupt:
        return "interrupted"


def _profiles(job, labels, k):
    """What each cluster is like; columns of text count where the table can be read again."""
    from .profiles import profiles
    from .tables import read_cells

    table, texts = job.table, {}
    names = [title for title, reason in table.skipped.items() if reason.startswith("not numeric")]
    if names and job.path != "-":
        try:
            cells, _ = read_cells(job.path, names, **text_options(job.ctx))
            texts = {name: cells[name].iloc[table.rows].tolist() for name in names}
        except ValueError as error:
            terminal.note(job.ctx, f"columns of text are not told of: {error}")
    return profiles(table.X, table.columns, labels, k, table.weights, texts)
