"""`ckmeans breaks`: the best classes of one column, proved."""

import math
from fractions import Fraction
from time import perf_counter

import click

from ..words import apart, format_cost
from .inputs import read
from .job import Job
from .options import clusters, files, layout, page, picture, source
from .outputs import check_outputs, write
from .terminal import File


@click.command(short_help="Natural breaks: the best classes of one column, proved.")
@source
@click.argument("column", metavar="COLUMN")
@clusters
@layout
@click.option(
    "--choose", is_flag=True, help="Choose among 1 to -k classes by the Bayesian information criterion."
)
@click.option(
    "--round", "coarse", is_flag=True, help="Show the coarsest bounds that keep every value in its class."
)
@click.option(
    "--legend",
    metavar="FILE",
    type=File(),
    help="Write the classes as CSV: class, from, to, rows, mean; from is left out of all but the first.",
)
@page
@picture
@files
def breaks(ctx, data, column, n_clusters, choose, coarse, legend, plot, **options):
    """Natural breaks (Jenks): the best classes of one column, proved optimal, for any number of rows.

    COLUMN is a name, or a number from 1. A class has the values above its lower bound and up to its upper one; the first has its
    lower bound too.
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

    bounds = _coarse(best, job.X[:, 0]) if coarse else best.breaks
    legend_columns = {"from": bounds[:-1], "to": bounds[1:]}
    if legend:
        write(legend, _legend_text(best, legend_columns))
    job.finish(
        best.labels,
        best.centers[:, None],
        seconds,
        verdict,
        best.stop_reason,
        best.status,
        picture=picture,
        extra=legend_columns,
        by_row={name: bound[best.labels] for name, bound in legend_columns.items()},
        facts=[
            ("inertia", format_cost(best.inertia)),
            ("breaks", " ".join(apart(best.breaks.tolist(), 7))),
            ("fit", f"{best.goodness_of_variance_fit:.6f} of the variance, BIC {best.bic:.8g}"),
        ],
        result={
            **job.costs(best.inertia, best.lower_bound, best.gap),
            "breaks": best.breaks,
            "bounds": bounds,
            "goodness_of_variance_fit": best.goodness_of_variance_fit,
            "bic": best.bic,
            "bic_by_n_clusters": {k: tried.bic for k, tried in best.tried.items()},
        },
    )


def _legend_text(best, bounds):
    """The classes as CSV."""
    import pandas as pd

    columns = {"class": range(best.n_clusters), **bounds, "rows": best.counts, "mean": best.centers}
    return pd.DataFrame(columns).to_csv(index=False, lineterminator="\n")


def _coarse(best, values):
    """The coarsest bounds that keep every value in its class; the outer ones in the finest steps of the others."""
    import numpy as np

    least = np.full(best.n_clusters, np.inf)
    np.minimum.at(least, best.labels, values)
    bounds, steps = [], []
    for upper, following in zip(best.breaks[1:-1].tolist(), least[1:].tolist()):
        bound, step = coarsest(upper, following)
        bounds.append(bound)
        steps.append(step)
    low, high = best.breaks[0].item(), best.breaks[-1].item()
    step = min(filter(None, steps), default=None) or coarsest(low, high)[1]
    if not step:
        return np.array([low, *bounds, high])
    outer = math.floor(Fraction(low) / step) * step, math.ceil(Fraction(high) / step) * step
    return np.array([float(outer[0]), *bounds, float(outer[1])])


def coarsest(upper, following):
    """The number with the fewest digits from `upper` on and below `following`, and the step that it is a multiple of.

    Parameters
    ----------
    upper, following : float
        Where `following` is not greater it is `upper`, with a step of 0.

    Examples
    --------
    >>> coarsest(1873.2, 2417.0), coarsest(0.0312, 0.0471)
    ((2000.0, Fraction(1000, 1)), (0.04, Fraction(1, 100)))
    """
    if not -math.inf < upper < following < math.inf:
        return upper, 0
    size = math.frexp(max(abs(upper), abs(following)))[1]
    exponent = math.ceil(size * math.log10(2)) + 1
    while True:  # twenty times at most: of so many digits the nearest float is `upper`
        for step in (Fraction(10) ** exponent, Fraction(10) ** exponent / 2):
            bound = math.ceil(Fraction(upper) / step) * step
            if upper <= float(bound) < following:
                return float(bound), step
        exponent -= 1
