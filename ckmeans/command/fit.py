"""`ckmeans fit`: k-means by restarts of a local search, by distances or angles; with --prove, the best clusters and the proof."""

import os
from time import perf_counter

import click

from ..words import format_cost, format_plural
from .certify import closing, finish_certified, said
from .inputs import read, read_centers, with_direction
from .job import Job
from .options import (
    SECONDS,
    STARTS,
    centers_file,
    checkpoint,
    clusters_picture,
    data,
    distances,
    metric,
    model_file,
    output,
    page,
    proof,
    seed,
    sort_by_size,
)
from .outputs import check_outputs
from .quick import OF_ONE_FEATURE, best_of_one_feature, hint, left_to_us, proved
from .terminal import Count, File, stopped

# What has no meaning for angles, or is of distances alone.
NOT_BY_ANGLE = (
    "algorithm",
    "polish",
    "prove",
    "proof",
    "checkpoint",
    "standardize",
    "page",
    "log",
    "plot",
)


@click.command()
@data
@metric
@click.option(
    "--init",
    metavar="METHOD|FILE",
    type=File(),
    default="k-means++",
    help="Starts: k-means++, 'plain k-means++', 'k-means||' or random; FILE has a center in each row.",
)
@click.option(
    "--n-init",
    type=Count("auto"),
    metavar="auto|N",
    default="auto",
    help="Restarts; auto: until enough agree, or one from a searched sample of many rows.",
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
@click.option(
    "--time-limit", **SECONDS, help="Time limit; the best so far is kept.  [default with --prove: 60]"
)
@proof
@page
@clusters_picture
@distances
@centers_file
@model_file
@checkpoint
@seed
@sort_by_size
@output
def fit(
    ctx,
    data,
    n_clusters,
    metric,
    init,
    n_init,
    algorithm,
    polish,
    prove,
    time_limit,
    proof,
    checkpoint,
    **options,
):
    """k-means by restarts of a local search; with --prove, the optimum or a bound.

    Sparse rows, .npz files of scipy.sparse.save_npz, stay sparse, but with --prove, --standardize, --log,
    --report, --plot and --algorithm hybrid.
    """
    if init not in STARTS and not os.path.isfile(init):
        raise click.UsageError(f"--init {init} is none of {', '.join(STARTS)}, nor is there such a file")
    cosine = metric == "cosine"
    _check_options(ctx, prove, cosine)
    check_outputs(ctx)
    full = prove or algorithm == "hybrid"
    full = full or any(options[name] for name in ("standardize", "page", "plot", "log"))
    table = read(ctx, sparse=not full)
    job = Job(ctx, with_direction(ctx, table) if cosine else table)
    if prove:
        return _prove(job, n_clusters, time_limit, proof, checkpoint)
    if init not in STARTS:
        init = job.scaled(read_centers(ctx, init, job.table))
    word = "population" if algorithm == "hybrid" else "restart"
    with job.progress(f"{word}s", None if n_init == "auto" else n_init) as show:
        from .. import KMeans, SphericalKMeans  # may take a second

        ours = not cosine and not job.table.is_sparse and left_to_us(ctx)
        best = best_of_one_feature(job, n_clusters) if ours else None
        own = {} if cosine else {"algorithm": algorithm, "polish": polish}
        model = (SphericalKMeans if cosine else KMeans)(
            n_clusters,
            init=init if best is None else best.centers[:, None],
            n_init=n_init if best is None else 1,
            max_seconds=time_limit,
            **job.seeded,
            **own,
            verbose=lambda n, inertia: show(n, f"{word} {n}, best inertia {inertia:.10g}"),
        )
        start, (_, stop_reason) = perf_counter(), job.run(model)
        found = proved(job, model, show) if ours and stop_reason != "interrupted" else None
    _finish(job, model, word, perf_counter() - start, stop_reason, found, best)


def _finish(job, model, word, seconds, stop_reason, found, best):
    """Show what a search came to; `found`: a proof, and `best`: the best clusters of one feature, where there are any."""
    from .. import SphericalKMeans
    from ..rationals import relative_gap
    from ..solution import same_partition

    within, inertia, cosine = {}, format_cost(model.inertia_), isinstance(model, SphericalKMeans)
    if cosine:
        from ..estimators.model_files import own_distances

        job.units, inertia = "1 - cosine", f"{inertia}, the sum of 1 - cosine"
        away = own_distances(model, job.X, model.labels_)[:, 0]
        within = {
            "within_ss": job.summed(away, model.labels_, len(model.cluster_centers_)),
            "metric": "cosine",
        }
    # Where n_init="auto" is one run from a sample, exchanges may end before none is left.
    polished = not cosine and not job.table.is_sparse and model.polish
    polished = polished and (model.n_restarts_ > 1 or model.n_init != "auto")
    gap = 0.0 if model.status_ == "optimal" else relative_gap(model.inertia_, model.lower_bound_)
    verdict, status = _verdict(model, word, stop_reason, polished, cosine), model.status_
    costs = job.costs(model.inertia_, model.lower_bound_, gap)
    if found is not None:
        verdict, status = said(found), found.status
        costs = job.costs(found.inertia, found.lower_bound, found.gap)
        costs |= {"method": found.method, "checked": found.checked}
    elif best is not None and model.status_ != "optimal" and same_partition(model.labels_, best.labels):
        verdict, status = OF_ONE_FEATURE, best.status
        costs = job.costs(best.inertia, best.lower_bound, best.gap)
    provable = not cosine and not job.table.is_sparse and found is None and model.status_ != "optimal"
    if provable and (words := hint(job, status == "optimal")):
        job.note(words)
    job.finish(
        model.labels_,
        model.cluster_centers_,
        seconds,
        verdict,
        stop_reason,
        status,
        facts=[("inertia", inertia)],
        result={**costs, "n_restarts": model.n_restarts_, "hit_rate": model.hit_rate_},
        **within,
    )


def _check_options(ctx, prove, cosine):
    """Refuse options of the search with --prove, and those of the proof without; with --metric cosine what is about distances."""
    said = {
        option.name: option.opts[0]
        for option in ctx.command.params
        if ctx.get_parameter_source(option.name) is not click.core.ParameterSource.DEFAULT
    }
    for name in NOT_BY_ANGLE if cosine else ():
        if name in said:
            raise click.UsageError(f"{said[name]} is for --metric euclidean")
    others = ("init", "n_init", "algorithm", "polish") if prove else ("proof", "checkpoint")
    for name in others:
        if name in said:
            raise click.UsageError(f"{said[name]} {'excludes' if prove else 'is for'} --prove")


def _verdict(model, word, stop_reason, polished, cosine):
    """What a search came to, in words; `polished` if no exchange of rows was left."""
    n_restarts = model.n_restarts_
    if model.status_ == "optimal":
        if model.n_clusters == 1 and model.inertia_ > 0:
            best = "the direction of the sum of the unit rows" if cosine else "the mean"
            return f"optimal: one cluster has one best center, {best}"
        return f"optimal: every row {'has the direction of' if cosine else 'lies on'} its center"
    if stop_reason in ("time_limit", "interrupted"):
        when = f"after {format_plural(n_restarts, word)}" if n_restarts else f"in the first {word}"
        return stopped(stop_reason, when)
    kind = (
        "no row exchange lowers it"
        if polished
        else "a fixed point of Lloyd's iteration" + " for angles" * cosine
    )
    if n_restarts <= 1:
        return f"local optimum; of one {word}, with none to compare ({kind})"
    n_hits = round(model.hit_rate_ * n_restarts)
    return f"local optimum; hit by {n_hits} of {format_plural(n_restarts, word)} ({kind})"


def _prove(job, n_clusters, time_limit, proof, checkpoint):
    """Find the best clusters, and prove how good they are."""
    with job.progress("proof", None) as show:
        from .. import ExactKMeans, GapRecorder  # may take a second

        recorder = GapRecorder(closing(show))
        model = ExactKMeans(
            n_clusters,
            time_limit=60.0 if time_limit is None else time_limit,
            **job.seeded,
            checkpoint=checkpoint,
            verbose=recorder,
        )
        seconds, _ = job.run(model)
    finish_certified(job, model.certificate_, model.labels_, model.cluster_centers_, seconds, proof, recorder)
