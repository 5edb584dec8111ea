"""What the recorded runs say: medians, and ratios to the best peer whose result is right."""

from statistics import median
from typing import NamedTuple

from .contenders import DEFAULT, PLAIN

VALID = ("same", "rounding")


class Versus(NamedTuple):
    """Ours against the best peer of the same rounds; the ratio is that of their medians, above 1 where ours is faster."""

    ours: float
    peer: str
    theirs: float
    ratio: float


def per_iteration(cell, name):
    """Median seconds of an iteration, from the runs of two lengths in the same rounds; None if there is no such."""
    entry = cell["contenders"].get(name)
    span = cell["window"] - cell["short"]
    if entry is None or entry.get("status") not in VALID or not entry["window"] or span < 1:
        return None
    seconds = median((more - less) / span for less, more in zip(entry["short"], entry["window"]))
    return seconds if seconds > 0 else None  # a busy machine can make the shorter run the longer one


def to_the_end(cell, name):
    """Median seconds from the start to convergence, or to the last iteration; None if there is no such."""
    entry = cell["contenders"].get(name)
    if entry is None or entry.get("status") not in VALID or not entry["end"]:
        return None
    return median(entry["end"])


def versus(cell, measure):
    """Ours against the best peer: plain Lloyd against plain Lloyd for an iteration, the default against all to the end.

    Parameters
    ----------
    cell : dict
    measure : {per_iteration, to_the_end}

    Returns
    -------
    Versus, or None where one of the two is not there
    """
    ours = measure(cell, PLAIN if measure is per_iteration else DEFAULT)
    peers = {
        name: measure(cell, name)
        for name, entry in cell["contenders"].items()
        if not entry["ours"] and (entry["plain"] or measure is to_the_end)
    }
    return _versus(ours, peers)


def versus_iris(record):
    """The same for the fits of iris."""
    medians = {
        name: median(entry["seconds"])
        for name, entry in record["contenders"].items()
        if entry["status"] in VALID
    }
    peers = {name: seconds for name, seconds in medians.items() if not record["contenders"][name]["ours"]}
    return _versus(medians.get(DEFAULT), peers)


def _versus(ours, peers):
    peers = {name: seconds for name, seconds in peers.items() if seconds is not None}
    if ours is None or not peers:
        return None
    best = min(peers, key=peers.get)
    return Versus(ours, best, peers[best], peers[best] / ours)


def gflops(cell):
    """Rate of our plain iteration: a multiplication and an addition for each row, center and feature."""
    seconds = per_iteration(cell, PLAIN)
    size = cell["workload"]
    work = 2 * size["n_samples"] * size["n_features"] * size["n_clusters"]
    return work / seconds / 1e9 if seconds else None


def faults(results):
    """What is wrong with results of ours: there must be nothing."""
    return [
        f"{title(cell)}, {name}: {fault}"
        for cell in results["cells"]
        for name, entry in cell["contenders"].items()
        if entry["ours"]
        for fault in entry.get("faults", [])
        or [s for s in [entry["status"]] if s not in VALID and not s.startswith("slow:")]
    ]


def title(cell):
    """The cell in words."""
    return f"{cell['workload']['name']} {cell['data']} {cell['dtype']}, {threads(cell['threads'])}"


def threads(n_threads):
    """So many threads, in words."""
    return f"{n_threads} thread{'s' * (n_threads > 1)}"
