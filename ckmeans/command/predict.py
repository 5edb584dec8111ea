"""`ckmeans predict`: the clusters of a model file applied to other rows, and what has changed since."""

from dataclasses import replace
from time import perf_counter

import click

from . import terminal
from .inputs import in_full, text_options, with_direction
from .job import Job
from .logarithms import positive
from .options import clusters_picture, files, page, text
from .outputs import check_outputs
from .remedies import Remedies
from .terminal import File

# Shares of clusters that differ by less than this many percentage points are not told of.
LEAST_MOVED = 1.0
# Share of a distance, or of a cosine, by which the same row may seem to be farther: products of whole blocks are rounded otherwise.
ROUNDED = 1e-12


@click.command(short_help="Apply the clusters of a model file to other rows.")
@click.argument("model", metavar="MODEL", type=File())
@click.argument("data", metavar="DATA", type=File())
@text
@page
@clusters_picture
@files
def predict(ctx, model, data, **options):
    """Apply the clusters that `ckmeans fit --model MODEL` has written to other rows, and tell what has changed since.

    Columns are found by their names; others are left alone. How the text is read is what was said to `fit`, if nothing is said
    here. Missing values are filled where `fit` had --impute, with the medians of then, and logarithms are taken where it had --log.
    Rows are told of that are farther from their center than any row of the fit was.
    """
    check_outputs(ctx)
    from .. import SphericalKMeans, SphericalMixture
    from ..estimators.model_files import centers_of, load_model, own_distances, parts
    from .tables import read_table

    fitted = load_model(model)
    scaler, estimator = parts(fitted)
    told, centers = estimator.about_, centers_of(estimator)
    about = told["about"]
    way = {name: said for name, said in text_options(ctx).items() if said is not None}
    then = about.get("text") or {}
    way = {"missing": then.get("missing"), **way} if way else then
    absent = Remedies("name another model or table", absent=f"which {model} asks for")
    if told["columns"] is None:
        raise ValueError(f"{model} has no names of columns: save_model(..., columns=[...]) writes them.")
    table = read_table(data, columns=told["columns"], remedies=absent, impute=about.get("medians"), **way)
    if scaler is not None or isinstance(estimator, SphericalMixture) or about.get("log") or options["plot"]:
        table = in_full(table, f"{model}, a model of {type(estimator).__name__},")
    for line in table.notes:
        terminal.note(ctx, line)
    table = replace(table, logs=positive(table, about.get("log"), "or leave its row out"))
    by_angle = isinstance(estimator, SphericalKMeans)
    table = with_direction(ctx, table) if by_angle and scaler is None else table
    job, start = Job(ctx, table), perf_counter()
    units, job.units = "data" if scaler is None else "standardized", "data"
    labels = fitted.predict(job.X)
    away = own_distances(fitted, job.X, labels)
    seconds = perf_counter() - start
    verdict, extra, result = _changes(labels, away[:, 0], len(centers), told["rows"], by_angle)
    units = "1 - cosine" if by_angle else "data" if scaler is None else "standardized"
    within = (
        {"within_ss": job.summed(away[:, 0], labels, len(centers)), "metric": "cosine"} if by_angle else {}
    )
    job.finish(
        labels,
        centers if scaler is None else scaler.inverse_transform(centers),
        seconds,
        verdict,
        "converged",
        "applied",
        facts=[("model", f"{model}: {about.get('verdict', 'of Python')}")],
        result={**result, "units": units, "model": model},
        extra=extra,
        by_row={"distance": away[:, 0], "next_distance": away[:, 1]},
        **within,
    )


def _changes(labels, away, n_clusters, then, by_angle):
    """What has changed since the fit: in words, as columns of the table, and for the report."""
    import numpy as np

    from ..words import format_plural

    n_rows = len(labels)
    shares = np.bincount(labels, minlength=n_clusters) / n_rows
    extra, result, words = {"share %": 100 * shares}, {}, []
    sizes, farthest = then.get("sizes"), then.get("farthest")
    if sizes is not None:
        before = sizes / max(1.0, sizes.sum())
        extra["then %"], result["shares_of_fit"] = 100 * before, before
        moved = 100 * (shares - before)
        most = int(np.abs(moved).argmax())
        if abs(moved[most]) >= LEAST_MOVED:
            words.append(
                f"cluster {most} has {100 * shares[most]:.1f} % of the rows, {100 * before[most]:.1f} % in the fit"
            )
        else:
            words.append("no share of a cluster has moved by one percentage point")
    if farthest is not None:
        beyond = away > farthest[labels] + ROUNDED * (1 if by_angle else farthest[labels])
        counts = np.bincount(labels[beyond], minlength=n_clusters)
        extra["far rows"] = result["far_rows"] = counts
        n_far = int(beyond.sum())
        share = f" ({100 * n_far / n_rows:.1f} %)" if n_far else ""
        verb = "is" if n_far == 1 else "are"
        words.append(
            f"{format_plural(n_far, 'row') if n_far else 'no row'}{share} {verb if n_far else 'is'} farther from the center"
            " than any row of its cluster in the fit"
        )
    return "; ".join([f"{format_plural(n_rows, 'row')} labelled", *words]), extra, result
