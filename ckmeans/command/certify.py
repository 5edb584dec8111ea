"""`ckmeans certify`: how far given labels are, at most, above the best clusters."""

from decimal import ROUND_HALF_EVEN
from time import perf_counter

import click

from ..words import at_most_above, down, method_words, rounded
from .groups import certify_groups
from .inputs import read, read_labels
from .job import Job
from .options import (
    SECONDS,
    WHOLE,
    checkpoint,
    clusters_picture,
    label,
    metric,
    output,
    page,
    proof,
    seed,
    source,
    table,
)
from .outputs import check_outputs, write
from .terminal import File, stopped


@click.command(short_help="How far given labels are, at most, above the best clusters.")
@source
@click.argument("labels", metavar="LABELS", type=File())
@click.option("-k", "--n-clusters", **WHOLE, help="Number of clusters.  [default: that of the labels]")
@label
@table
@metric
@click.option("--time-limit", **SECONDS, default=60.0, help="Time limit; what is proved until then is told.")
@click.option(
    "--folder",
    metavar="FOLDER",
    type=File(),
    help="For many rows: write a proof for each group of them, and go on from those that are there already.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="For very many rows: a bound that holds with this confidence, such as 0.999, and is no proof.",
)
@proof
@page
@clusters_picture
@checkpoint
@seed
@output
def certify(
    ctx, data, labels, n_clusters, metric, time_limit, folder, confidence, proof, checkpoint, **options
):
    """How far labels, of any program, are at most above the best possible clusters, with a proof.

    LABELS is a file with a label for each row of DATA, those with missing values included: one column, or one that is called
    label or cluster, as `ckmeans fit --out` writes it, or named with --label. Labels are whole numbers, or names. Where its text
    does not tell how it is read, the options for that of DATA do.

    With --folder or --confidence DATA may be a pattern of .npy or Parquet files, as 'rows/*.npy', which are read block by block.
    """
    if folder and confidence:
        raise click.UsageError(
            "--folder is for proofs, --confidence for a bound that is none: give one of them"
        )
    if folder or confidence:
        check_outputs(ctx)
        return certify_groups(ctx, labels, closing)
    if metric == "cosine":
        for name, option in (
            ("standardize", "--standardize"),
            ("page", "--report"),
            ("plot", "--plot"),
            ("checkpoint", "--checkpoint"),
        ):
            if ctx.params[name]:
                raise click.UsageError(f"{option} is not for --metric cosine")
    check_outputs(ctx)
    job = Job(ctx, read(ctx))
    given, names = read_labels(ctx, labels, job.table)
    with job.progress("proof", None) as show:
        from .. import GapRecorder, certify  # may take a second

        recorder = GapRecorder(closing(show))
        start = perf_counter()
        found = certify(
            job.X,
            given,
            metric=metric,
            n_clusters=n_clusters,
            sample_weight=job.table.weights,
            time_limit=time_limit,
            **job.seeded,
            checkpoint=checkpoint,
            progress=recorder,
        )
        seconds = perf_counter() - start
    means = found.problem.centers(found.labels)
    centers = [means.get(label) or next(iter(means.values())) for label in range(found.n_clusters)]
    facts = [("clusters", ", ".join(f"{i} {name}" for i, name in enumerate(names)))] if names else []
    finish_certified(
        job, found, found.labels, centers, seconds, proof, recorder, facts, {"label_names": names}
    )


def closing(show):
    """Incumbent and bound, as a line of progress."""

    def closing(method, inertia, lower_bound):
        bound = f"lower bound {down(lower_bound, 10)}, not yet checked"
        show(
            0,
            f"{method_words(method)}: inertia {inertia:.10g}, {bound}: {at_most_above(inertia, lower_bound)}",
        )

    return closing


def said(certificate):
    """The verdict, and by what it was proved where it was."""
    proved = certificate.status != "bounded" or certificate.checked
    return certificate.verdict + f", by {method_words(certificate.method)}" * proved


def finish_certified(job, certificate, labels, centers, seconds, proof, recorder, facts=(), told=None):
    """Show a certificate, and write its proof."""
    import numpy as np

    from .report import within_sums

    if proof:
        write(proof, certificate.text())
    closed, verdict = certificate.status != "bounded", said(certificate)
    if certificate.stop_reason in ("time_limit", "memory_limit", "interrupted"):
        verdict += f"; {stopped(certificate.stop_reason, f'after {seconds:.1f} s')}"
    inertia = rounded(certificate.exact_inertia, 12, ROUND_HALF_EVEN)  # which may be beyond the floats
    bound = f"{inertia}   (gap 0%)" if closed else down(certificate.exact_lower_bound, 12)
    by_angle = {}
    if certificate.metric == "cosine":
        away = within_sums(certificate.problem.units, labels, np.array(centers), job.table.weights) / 2
        by_angle, job.units = {"within_ss": away, "metric": "cosine"}, "1 - cosine"
    facts = [("inertia by angle" if by_angle else "inertia", inertia), ("lower bound", bound), *facts]
    better = certificate.better
    if better is not None:
        least = rounded(better.exact_inertia, 12, ROUND_HALF_EVEN)
        facts.append(("better", f"there are clusters of inertia {least}: {better.verdict}"))
    job.finish(
        labels,
        np.array(centers),
        seconds,
        verdict,
        certificate.stop_reason,
        certificate.status,
        facts=facts,
        result={
            **job.costs(certificate.inertia, certificate.lower_bound, certificate.gap),
            **(told or {}),
            "method": certificate.method,
            "seconds_by_method": certificate.seconds,
            "checked": certificate.checked,
            "better": None
            if better is None
            else {"inertia": better.inertia, "status": better.status, "labels": better.labels},
        },
        proof=(recorder, certificate),
        **by_angle,
    )
