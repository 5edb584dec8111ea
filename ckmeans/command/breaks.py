"""`ckmeans breaks`: the best classes of one column, proved."""

from time import perf_counter

import click

from ..words import apart, format_cost
from .inputs import read
from .job import Job
from .options import clusters, files, layout, picture, source
from .outputs import check_outputs


@click.command(short_help="Natural breaks: the best classes of one column, proved.")
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
    check_outputs(ctx)
    job = Job(ctx, read(ctx, column))
    from .. import natural_breaks

    start = perf_counter()
    wanted = range(1, n_clusters + 1) if choose else n_clusters
    best = natural_breaks(job.X[:, 0], wanted, sample_weight=job.table.weights)
    seconds = perf_counter() - start
    verdict = "proved optimal: no classes of these values cost less"
    if choose:
        verdict += f"; {best.n_clusters} of 1 to {n_clusters} classes have the least BIC"

    def picture():
        from .. import BreaksDisplay

        weights, name = job.table.weights, job.table.columns[0]
        return BreaksDisplay.from_breaks(best, job.X, sample_weight=weights, name=name)

    job.finish(
        best.labels,
        best.centers[:, None],
        seconds,
        verdict,
        best.stop_reason,
        best.status,
        picture=picture,
        facts=[
            ("inertia", format_cost(best.inertia)),
            ("breaks", " ".join(apart(best.breaks.tolist(), 7))),
            ("fit", f"{best.goodness_of_variance_fit:.6f} of the variance, BIC {best.bic:.8g}"),
        ],
        result={
            **job.costs(best.inertia, best.lower_bound, best.gap),
            "breaks": best.breaks,
            "goodness_of_variance_fit": best.goodness_of_variance_fit,
            "bic": best.bic,
            "bic_by_n_clusters": {k: tried.bic for k, tried in best.tried.items()},
        },
    )
