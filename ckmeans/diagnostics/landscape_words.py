"""A landscape of local minima in words: a table, and what the counts tell, which is less than it seems."""

import math

from ..local.stopping import SAME
from ..notebook import as_html
from ..words import above_best, down, format_plural, percent_up

BOUNDS = {
    "caller": "as given",
    "proof": "proved",
    "unchecked proof": "by a proof that the checker has not yet seen",
}


def text_of(found):
    """What `print` shows of a `Landscape`."""
    n, hits = len(found), _hits(found)
    what = "every partition at rest is listed" if found.complete else "those that were seen"
    starts, n_rows = format_plural(found.n_starts, "start"), found.labels.shape[1]
    lines = [
        f"{starts}, {format_plural(found.n_clusters, 'cluster')} of {format_plural(n_rows, 'row')}: "
        f"{n} local {'minimum' if n == 1 else 'minima'} ({what})",
        "",
        *_table(found, min(n, 10)),
        "",
        f"best minimum   {best_of(found)}",
    ]
    if found.lower_bound > 0:
        lines.append(f"bound          none is below {down(found.lower_bound, 8)}: {BOUNDS[found.bound_from]}")
    low, high = found.unseen_interval
    lines += [
        f"KMeans         {_default(found)}",
        f"hits           {hits[0]}",
        f"restarts       {hits[1]}",
        f"not yet seen   {down(100 * low, 3)} to {percent_up(high)} of further starts end in a minimum that none has come to"
        f" (about {100 * found.unseen_mass:.3g} %)",
        "intervals      have a confidence of 95 %, for starts of this kind",
    ]
    if found.stop_reason != "finished":
        lines.append(f"stopped        {found.stop_reason.replace('_', ' ')} after {starts}")
    return "\n".join(lines)


def html_of(found):
    """The same for a notebook, shorter."""
    n = f"{len(found):,} local {'minimum' if len(found) == 1 else 'minima'} of {format_plural(found.n_clusters, 'cluster')}"
    columns = {
        "minimum": range(len(found)),
        "inertia": [f"{value:.8g}" for value in found.inertia],
        "above the best": [f"{100 * value:.3g} %" for value in found.excess],
        "share of the starts": [f"{100 * value:.3g} %" for value in found.share],
        "rows whose move would lower it": found.n_movable,
        "adjusted Rand index with the best": [f"{value:.3f}" for value in found.agreement(0)],
    }
    hits = _hits(found)
    facts = {"best": best_of(found), "KMeans": _default(found), "hits": hits[0], "restarts": hits[1]}
    return as_html(f"{format_plural(found.n_starts, 'start')} end in {n}", columns, facts)


def _table(found, shown):
    """The best minima, a line for each."""
    yield "minimum      inertia   excess  over bound   share  updates  movable rows  Rand to best"
    agreement, least = found.agreement(0), found.inertia[0] if found.proved else found.lower_bound
    for i in range(shown):
        over = f"{'-':>11}"
        if found.lower_bound > 0:
            over = f"{percent_up(above_best(found.inertia[i], least)):>11}"
        n_iter = f"{found.n_iter[i]:7.1f}" if found.counts[i] else f"{'-':>7}"
        yield (
            f"{i:7} {found.inertia[i]:12.8g} {100 * found.excess[i]:7.3g}%{over} {100 * found.share[i]:7.3g}% {n_iter}"
            f" {found.n_movable[i]:13} {agreement[i]:13.3f}"
        )
    if shown < len(found):
        yield f"    ... {len(found) - shown} more, up to an excess of {100 * found.excess[-1]:.3g}%"


def best_of(found):
    """What is known of the best minimum."""
    if found.proved:
        return "proved to be the best of all partitions"
    if found.complete:
        return "the best of all that are at rest"
    return "the best that was seen, which does not make it the best there is"


def _default(found):
    """What the default search finds beside it."""
    if math.isnan(found.kmeans_inertia):
        return "no time for its default search"
    said, best = f"its default search finds {found.kmeans_inertia:.8g}", found.inertia[0]
    if is_beaten(found):
        above = above_best(best, found.kmeans_inertia)
        by = "" if above is None else f", the best of them is {percent_up(above)} above"
        return f"{said}: no start came to that{by}"
    return f"{said}, {'as good' if found.kmeans_inertia <= best * (1 + SAME) else 'which is worse'}"


def is_beaten(found):
    """Whether the default search found something better than any start."""
    return bool(found.kmeans_inertia < found.inertia[0] * (1 - SAME))


def _hits(found):
    """What the starts that ended in the best minimum tell of the chance of one, and of restarts."""
    low, high = found.hit_interval
    said = f"{found.n_hits:,} of {found.n_starts:,} starts ended there"
    if found.n_hits == 0:
        none = f"no start found it: at most {percent_up(high)} of all starts do"
        return none, "the counts do not tell how many would find it"
    if found.n_hits == 1:
        return said, "one hit does not tell how many would find it, or one as good"
    fewest, most = found.restarts_interval()
    many = f"{most:,.0f}" if fewest == most else f"{fewest:,.0f} to {most:,.0f}"
    share = f"{down(100 * low, 3)} to {percent_up(high)} of all starts end there or in one as good"
    return f"{said}: {share}", f"{many} find one as good with a chance of 99 %"
