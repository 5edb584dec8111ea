"""`ckmeans choose`: what the criteria say about the number of clusters."""

from time import perf_counter

import click

from .inputs import read
from .job import Job
from .options import SECONDS, numbers, picture, seed, shown, source, table, threads, together
from .outputs import check_outputs


def tried_by_default(n_rows):
    """The numbers of clusters that are tried where none are said."""
    return list(range(2, min(10, n_rows) + 1)) or [1]


@click.command(short_help="What eight criteria say about the number of clusters.")
@source
@numbers
@together(
    table,
    click.option(
        "--certify",
        is_flag=True,
        help="Prove, too, how far each clustering is, at most, above the best possible one.",
    ),
    click.option("--time-limit", **SECONDS, help="Time limit; what is known until then is shown."),
    click.option(
        "--draws",
        type=click.IntRange(min=0),
        metavar="N",
        default=20,
        help="Sets of even rows, and bootstrap samples.",
    ),
    picture,
    seed,
    threads,
    shown,
)
def choose(ctx, data, n_clusters, certify, time_limit, draws, **options):
    """What eight criteria say about the number of clusters, in one table.

    They often disagree, and then the data do not decide it: what the clusters are for does.
    """
    check_outputs(ctx)
    job = Job(ctx, read(ctx))
    n_clusters = n_clusters or tried_by_default(len(job.X))
    job.options["n_clusters"] = n_clusters
    with job.progress("choice", None) as show:
        from .. import choose_k  # may take a second

        start = perf_counter()
        found = choose_k(
            job.X,
            n_clusters,
            sample_weight=job.table.weights,
            n_references=draws,
            n_resamples=draws,
            certify=certify,
            time_limit=time_limit,
            **job.seeded,
            progress=lambda text: show(0, text),
        )
        seconds = perf_counter() - start
    result = {
        "verdict": found.verdict,
        "n_clusters": found.n_clusters,
        "inertia": found.inertia,
        "criteria": found.criteria,
        "spread": found.spread,
        "suggested": found.suggested,
        "certified": {
            k: {
                "status": proof.status,
                "inertia": proof.inertia,
                "lower_bound": proof.lower_bound,
                "gap": proof.gap,
                "checked": proof.checked,
            }
            for k, proof in found.certified.items()
        },
        "notes": found.notes,
    }

    def picture():
        from .. import ChoiceDisplay

        return ChoiceDisplay.from_choice(found)

    job.show_text(str(found), seconds, found.stop_reason, result, picture)
