"""`ckmeans choose`: what the criteria say about the number of clusters."""

from collections import Counter
from time import perf_counter

import click

from .inputs import read
from .job import Job
from .options import SECONDS, numbers, page, picture, seed, shown, source, table, threads, together
from .outputs import check_outputs


def tried_by_default(n_rows):
    """The numbers of clusters that are tried where none are said."""
    return list(range(2, min(10, n_rows) + 1)) or [1]


def votes(suggested):
    """Numbers of clusters, and how many criteria suggest each: most first, of as many the least number."""
    return sorted(Counter(suggested.values()).items(), key=lambda vote: (-vote[1], vote[0]))


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
    page,
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

    job.show_text(str(found), seconds, found.stop_reason, result, picture, _answer(found))


def _answer(found):
    """What the page says of it, for people who do not know the criteria."""
    from ..plots.choice import CRITERIA
    from .page import two_columns

    counts, total = votes(found.suggested), len(found.suggested)
    most = [k for k, n in counts if n == counts[0][1]]
    if not counts:
        answer = "No criterion suggests a number of clusters."
    elif len(most) > 1:
        answer = f"{' or '.join(map(str, most))} clusters: {counts[0][1]} of {total} criteria suggest each of these."
    else:
        answer = f"{counts[0][1]} of {total} criteria suggest {most[0]} cluster{'s' * (most[0] > 1)}."
    others = ", ".join(f"{k} by {n}" for k, n in sorted(counts[len(most) :]))
    more = (
        f"Others: {others}. " * bool(others)
        + "Each criterion asks something else. Where they disagree, the data do"
    )
    asked = (
        (kind.title, f"{found.suggested.get(name, 'no answer')}: {kind.asks}")
        for name, kind in CRITERIA.items()
    )
    return {
        "asked": f"How many clusters? {found.n_clusters[0]} to {found.n_clusters[-1]} were tried.",
        "answer": answer,
        "more": f"{more} not decide it: what the clusters are for does.",
        "kind": "told" if len(counts) == 1 else "open",
        "alt": "Each criterion by the number of clusters, and how many suggest each number",
        "caption": "A panel for each criterion; the mark is what it suggests. The last counts them.",
        "sections": {"What each criterion asks": two_columns(asked), "The numbers": found._repr_html_()},
    }
