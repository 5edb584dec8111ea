"""k-means programs side by side: a table, JSON, and the page of the documentation.

    python -m benchmarks.peers                                   the tables; hours on two cores
    python -m benchmarks.peers --quick                           a look, in less than a minute
    python -m benchmarks.peers --json FILE --page docs/benchmarks.md
    python -m benchmarks.peers --json FILE --resume --parts growth --axes k      some more, into the same file
    python -m benchmarks.peers --json FILE --render --page docs/benchmarks.md     the page again, nothing measured

Run it from the root of a checkout, on a machine that does nothing else. FILE is written after each cell, and --resume goes
on from there. Results are compared before times are; the exit code is 1 if one of ours is wrong.
"""

import argparse
import json
import sys
from pathlib import Path

from . import page, table
from .contenders import APPROXIMATE, LOADERS
from .growth import SIZES
from .machine import BUSY, load_average
from .results import faults
from .session import PARTS, Session
from .workloads import DTYPES, WORKLOADS

PEERS = [program for program in (*LOADERS, *APPROXIMATE) if program != "ckmeans"]
NAMES = [workload.name for workload in WORKLOADS]
# Share of the rows that --quick takes.
QUICK = 0.02
# Products of rows, features and clusters beyond which a workload is left out there: a small share of it takes long.
LARGE = 10**10
# What a run that is resumed may have measured other parts of.
SELECTED = ("workloads", "parts", "axes")


def parser():
    """The command line."""
    out = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = out.add_argument
    add("--quick", action="store_true", help=f"{100 * QUICK:g} %% of the rows, blobs in float32, two threads")
    add(
        "--full", action="store_true", help="all to convergence, noise too, on every number of threads: hours"
    )
    add("--only", nargs="+", choices=PEERS, help="peers to compare with (default: all that are installed)")
    add("--workloads", nargs="+", choices=NAMES, metavar="NAME", help='such as "1e6 x 2, k=16"')
    add("--threads", nargs="+", type=int, metavar="N", help="numbers of threads, the main one first (2 1)")
    add("--runs", type=int, default=5, help="interleaved runs of each contender, at least (5)")
    add("--parts", nargs="+", choices=PARTS, help="what to measure (default: all of it)")
    add("--axes", nargs="+", choices=SIZES, help="of the growth: rows n, features d, clusters k (all)")
    add("--shrink", type=float, metavar="SHARE", help="take this share of the rows of each workload")
    add("--json", type=Path, metavar="FILE", help="where the results go, and come from")
    add("--resume", action="store_true", help="keep what is in FILE already")
    add("--render", action="store_true", help="measure nothing: show what is in FILE")
    add("--page", type=Path, metavar="FILE.md", help="write the page, and its picture beside it")
    return out


def plan(given):
    """What is measured; a run can be resumed with an equal plan."""
    quick = given.quick
    return {
        "threads": given.threads or ([2] if quick else [2, 1]),
        "runs": given.runs,
        "shrink": given.shrink or (QUICK if quick else 1.0),
        "first_kinds": quick,
        "dtypes": ["float32"] if quick else list(DTYPES),
        "workloads": given.workloads or [w.name for w in WORKLOADS if not quick or _work(w) <= LARGE],
        "only": given.only,
        "parts": given.parts or (["cells", "iris"] if quick else list(PARTS)),
        "axes": given.axes or list(SIZES),
        "full": given.full,
    }


def _work(workload):
    return workload.n_samples * workload.n_features * workload.n_clusters


def _fixed(plan):
    return {key: value for key, value in plan.items() if key not in SELECTED}


def main(argv=None):
    """Run the command; returns the exit code."""
    out = parser()
    given = out.parse_args(argv)
    if given.runs < 1 or min(given.threads or [1]) < 1:
        out.error("--runs and --threads take whole numbers from 1 on")
    known = None
    if given.resume or given.render:
        if not (given.json and given.json.exists()):
            out.error("--resume and --render need --json FILE, with a file that is there")
        known = json.loads(given.json.read_text(encoding="utf-8"))
        if given.resume and _fixed(known["plan"]) != _fixed(plan(given)):
            out.error(f"{given.json} was made with other options: {known['plan']}")
    if given.render:
        table.show(known)
        found = known
    else:
        if (load := load_average()) is not None and load > BUSY:
            print(f"The machine is busy (load {load}): ratios may be off.", file=sys.stderr)
        found = Session(plan(given), given.json, known).run()
    if given.page:
        page.write(found, given.page)
    wrong = faults(found)
    for fault in wrong:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
