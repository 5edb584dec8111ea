"""`ckmeans soft`: a mixture of spherical Gaussians, labels with probabilities."""

import click

from ..words import format_plural
from .inputs import read
from .job import Job
from .options import (
    WHOLE,
    centers_file,
    data,
    model_file,
    output,
    page,
    picture,
    seed,
    sort_by_size,
    time_limit,
)
from .outputs import check_outputs
from .terminal import Variance, stopped


@click.command(short_help="Mixture of spherical Gaussians: labels with probabilities.")
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
@time_limit
@sort_by_size
@page
@picture
@centers_file
@model_file
@output
def soft(ctx, data, n_clusters, variance, mixing, anneal, n_init, **options):
    """Mixture of spherical Gaussians by EM: each row belongs to each cluster with a probability.

    With --out a column p0, p1, ... for each cluster is written beside the label, the most probable one.
    """
    check_outputs(ctx)
    job = Job(ctx, read(ctx))
    n_init = n_init or (1 if anneal else 10)
    with job.progress("EM", None) as show:
        from .. import SphericalMixture  # may take a second

        show(0, f"EM from {format_plural(n_init, 'start')}")
        model = SphericalMixture(
            n_clusters,
            variance=variance,
            mixing=mixing,
            anneal=anneal,
            n_init=n_init,
            max_seconds=options["time_limit"],
            **job.seeded,
        )
        seconds, stop_reason = job.run(model)
    shares = model.responsibilities(job.X)
    bic, aic = model.bic(job.X, job.table.weights), model.aic(job.X, job.table.weights)
    verdict = _verdict(model, n_init, stop_reason)
    n_in_doubt = int((shares.max(axis=1) < 0.9).sum())

    def picture():
        from .. import ResponsibilityDisplay

        return ResponsibilityDisplay.from_responsibilities(
            job.X, shares, model.means_, variances=model.variances_
        )

    job.finish(
        model.labels_,
        model.means_,
        seconds,
        verdict,
        stop_reason,
        "converged" if stop_reason == "converged" else "stopped",
        facts=[
            ("log-likelihood", f"{model.log_likelihood_:.10g}"),
            ("criteria", f"BIC {bic:.8g}, AIC {aic:.8g} (lower is better)"),
            (
                "in doubt",
                f"{n_in_doubt} of {len(shares)} rows belong to no cluster with a probability of 0.9",
            ),
        ],
        result={
            "log_likelihood": model.log_likelihood_,
            "bic": bic,
            "aic": aic,
            "n_iter": model.n_iter_,
            "n_collapsed": model.n_collapsed_,
            "variances": model.variances_,
            "weights": model.weights_,
            "units": job.units,
        },
        extra={"weight": model.weights_, "std dev": model.variances_**0.5},
        picture=picture,
        by_row={f"p{k}": shares[:, k] for k in range(n_clusters)},
    )


def _verdict(model, n_init, stop_reason):
    """What EM came to, in words."""
    if model.n_collapsed_ and stop_reason in ("converged", "max_iter"):
        many = f"{model.n_collapsed_} of {model.n_clusters}"
        return f"degenerate: {many} variances shrank to nothing; the likelihood has no bound"
    if stop_reason == "converged":
        return f"local maximum of the likelihood; the best of {format_plural(n_init, 'start')}"
    if stop_reason == "max_iter":
        return f"stopped after {model.n_iter_} iterations; the likelihood still grows"
    return stopped(stop_reason, f"after {format_plural(model.n_iter_, 'iteration')} of the best start")
