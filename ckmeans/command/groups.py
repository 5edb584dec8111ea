"""`ckmeans certify --folder` and `--confidence`: bounds of groups of rows, all of them or some, for a table or for many files."""

import os
from decimal import ROUND_HALF_EVEN
from glob import has_magic
from time import perf_counter

import click

from ..words import down, format_plural, rounded
from . import terminal
from .inputs import numbered, read, read_labels, read_names
from .job import Job

# Options that are not for groups; and those beside that are not for many files, which are read block by block, each as it is.
NOT_FOR_GROUPS = {"proof": "--proof", "page": "--report", "checkpoint": "--checkpoint"}
NOT_FOR_FILES = {
    "columns": "--columns",
    "skip_columns": "--skip-columns",
    "impute": "--impute",
    "log": "--log",
    "standardize": "--standardize",
    "json_path": "--json",
    "plot": "--plot",
}


def certify_groups(ctx, labels, closing):
    """Certify, and show what is known.

    Parameters
    ----------
    ctx : click.Context
    labels : str
        A file of labels.
    closing : callable(show)
        Makes a line of progress.
    """
    said = ctx.params
    many = has_magic(said["data"]) and not os.path.exists(said["data"])
    for name, option in (NOT_FOR_GROUPS | (NOT_FOR_FILES if many else {})).items():
        if said[name]:
            what = f"{said['data']}, which is many files" if many and name in NOT_FOR_FILES else "groups"
            raise click.UsageError(f"{option} is not for {what}")
    if said["metric"] == "cosine":
        raise click.UsageError("--folder and --confidence are for --metric euclidean")
    if many:
        X, weights = said["data"], said["weights"]
        called = read_names(ctx, labels)[0]
        if None in called:
            raise ValueError(f"{labels} has no label for row {called.index(None) + 1}: give one.")
        given, names = numbered(called)
        progress, seeded = (
            terminal.progress(ctx, "proof", None),
            {"random_state": said["seed"], "n_threads": said["threads"]},
        )
    else:
        job = Job(ctx, read(ctx))
        X, weights, (given, names) = job.X, job.table.weights, read_labels(ctx, labels, job.table)
        progress, seeded = job.progress("proof", None), job.seeded
    with progress as show:
        from .. import certify  # may take a second

        start, options = perf_counter(), {name: said[name] for name in ("time_limit", "folder", "confidence")}
        found = certify(
            X,
            given,
            n_clusters=said["n_clusters"],
            sample_weight=weights,
            **options,
            **seeded,
            progress=closing(show),
        )
        seconds = perf_counter() - start
    verdict = _verdict(found, seconds)
    facts = _facts(found, names)
    if not many:
        return _finish(job, found, given, seconds, verdict, facts, names)
    head = (
        f"{said['data']}: {found.n_rows:,} rows, {format_plural(found.n_features, 'feature')}, {found.n_clusters} clusters"
        f"   ({seconds:.2f} s)"
    )
    lines = [head, "", *(f"{name:12} {value}" for name, value in facts), "", verdict]
    terminal.stdout().print("\n".join(lines), soft_wrap=True)
    ctx.exit(130 if found.stop_reason == "interrupted" else 0)


def _verdict(found, seconds):
    verdict = found.verdict
    if found.stop_reason in ("time_limit", "interrupted"):
        verdict += f"; {terminal.stopped(found.stop_reason, f'after {seconds:.1f} s')}"
    return verdict


def _facts(found, names):
    """What is shown above the verdict."""
    drawn = found.confidence is not None
    groups = f"{found.n_groups:,}{' drawn at random' * drawn}, {found.n_bounded:,} with a bound"
    if found.folder is not None:
        groups += f"; their proofs are in {found.folder}"
    facts = [
        ("inertia", rounded(found.exact_inertia, 12, ROUND_HALF_EVEN)),
        ("lower bound", down(found.exact_lower_bound, 12)),
        ("groups", groups),
    ]
    return facts + ([("clusters", ", ".join(f"{i} {name}" for i, name in enumerate(names)))] if names else [])


def _finish(job, found, given, seconds, verdict, facts, names):
    import numpy as np

    from ..plots.plane import cluster_means

    own = np.unique(given, return_inverse=True)[1]
    centers = cluster_means(job.X, own, own.max() + 1, job.table.weights)
    job.finish(
        own,
        centers,
        seconds,
        verdict,
        found.stop_reason,
        found.status,
        facts=facts,
        result={
            **job.costs(found.inertia, found.lower_bound, found.gap),
            "label_names": names,
            "method": found.method,
            "checked": found.checked,
            "confidence": found.confidence,
            "n_groups": found.n_groups,
            "n_bounded": found.n_bounded,
        },
    )
