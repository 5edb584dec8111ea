"""`ckmeans landscape`: where plain k-means gets stuck, how often, and what that tells about restarts."""

from time import perf_counter

import click

from ..words import format_plural
from .inputs import read
from .job import Job
from .options import (
    STARTS,
    WHOLE,
    clusters,
    page,
    picture,
    seed,
    shown,
    source,
    table,
    threads,
    time_limit,
    together,
)
from .outputs import check_outputs


@click.command(short_help="Where plain k-means gets stuck, how often, and what that tells about restarts.")
@source
@clusters
@together(
    table,
    click.option("--starts", **WHOLE, default=1000, help="Number of starts."),
    click.option("--init", type=click.Choice(STARTS), default="k-means++", help="How they begin."),
    click.option(
        "--certify",
        is_flag=True,
        help="Prove, too, how far the best is, at most, above the best possible: a minute at most.",
    ),
    page,
    picture,
    seed,
    time_limit,
    threads,
    shown,
)
def landscape(ctx, data, n_clusters, starts, init, certify, plot, **options):
    """The local minima that Lloyd's iteration ends in: how good each is, how often starts end there, how alike they are.

    Without exchanges or swaps, that is: what a plain k-means program comes to. Of few rows every one is listed.
    """
    check_outputs(ctx)
    job = Job(ctx, read(ctx))
    with job.progress("starts", starts) as show:
        from .. import landscape  # may take a second

        start, proof = perf_counter(), None
        if certify:
            from .. import certify as prove

            show(0, "proof")
            proof = prove(
                job.X,
                n_clusters=n_clusters,
                sample_weight=job.table.weights,
                **job.seeded,
            )
        found = landscape(
            job.X,
            n_clusters,
            starts,
            sample_weight=job.table.weights,
            init=init,
            certificate=proof,
            max_seconds=options["time_limit"],
            **job.seeded,
            progress=lambda n, inertia: show(n, f"start {n}, best inertia {inertia:.10g}"),
        )
        seconds = perf_counter() - start

    def picture():
        from .. import LandscapeDisplay

        return LandscapeDisplay.from_landscape(found)

    job.show_text(str(found), seconds, found.stop_reason, _result(found), picture, _answer(found))


def _answer(found):
    """What the page says of it, for people who do not know the method."""
    from ..plots.common import percent
    from ..plots.landscape import is_beaten
    from .page import preformatted

    starts, n, beaten = format_plural(found.n_starts, "start"), found.n_hits, is_beaten(found)
    best = "there are: proved" if found.proved else "were seen"
    answer = f"{n:,} of {starts} of plain k-means ended in the best clusters that {best}."
    if beaten:
        answer = (
            f"None of {starts} of plain k-means found the best clusters: `ckmeans fit` finds better ones."
        )
    far = float(found.excess[found.counts > 0].max(initial=0.0))
    stuck = f"The others got stuck, up to {percent(far)} above. " * (n < found.n_starts)
    return {
        "asked": f"Where does plain k-means end, with {format_plural(found.n_clusters, 'cluster')}?",
        "answer": answer,
        "more": f"{stuck}Less is better: rows are nearer to the means of their clusters, by the sum of squared distances.",
        "kind": "proved" if found.proved and not beaten else "open",
        "alt": "Local minima by how far they are above the best, and how often starts end there",
        "caption": "To the right is worse, higher up is more often. The dashed line, where there is one, is what no clustering is below.",
        "sections": {"Where they ended": found._repr_html_(), "In full": preformatted(str(found))},
    }


def _result(found):
    """What the report tells of a landscape."""
    return {
        "n_starts": found.n_starts,
        "complete": found.complete,
        "proved": found.proved,
        "lower_bound": found.lower_bound,
        "bound_from": found.bound_from,
        "kmeans_inertia": found.kmeans_inertia,
        "n_hits": found.n_hits,
        "hit_rate": found.hit_rate,
        "hit_interval": found.hit_interval,
        "restarts_needed": found.restarts_needed(),
        "unseen_mass": found.unseen_mass,
        "unseen_interval": found.unseen_interval,
        "inertia": found.inertia,
        "excess": found.excess,
        "share": found.share,
        "n_iter": found.n_iter,
        "n_movable": found.n_movable,
        "rand_to_best": found.agreement(0),
    }
