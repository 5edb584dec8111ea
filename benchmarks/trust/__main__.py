"""What can be relied on, tried: a table of what went wrong here, and in scikit-learn.

    python -m benchmarks.trust [--quick] [--only TEXT] [--seed N] [--json FILE]

Each row runs in a process of its own, so that a crash or a hang is counted and nothing else is lost. A whole campaign takes
an hour or more, --quick ten minutes. "ours" and "theirs" are the cases that went wrong; scikit-learn has no number where it
has nothing of the kind. On a busy machine time limits and signals are late: what these rows say then is of the machine. The exit code is 1
where something of ours went wrong.
"""

import argparse
import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from . import allocations, blocks, faults, hostile, inputs, modes, numbers, process, proofs, state  # noqa: F401 fill the table
from .rows import ROWS, Tally

# Seconds after which a row is taken to hang.
HANGS = 7200


def tried(name, n, seed):
    """Run a row in this process."""
    tally = Tally()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what does not converge, or divides by zero, is tried on purpose
        ROWS[name].run(tally, np.random.default_rng(seed), n)
    return vars(tally)


def in_a_child(row, n, seed):
    """Run a row in a process of its own."""
    call = [
        sys.executable,
        "-m",
        "benchmarks.trust",
        "--row",
        row.name,
        "--cases",
        str(n),
        "--seed",
        str(seed),
    ]
    root = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(call, cwd=root, capture_output=True, text=True, timeout=HANGS)
    except subprocess.TimeoutExpired:
        return vars(Tally(1, 1, None, ["hangs"]))
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return vars(Tally(1, 1, None, [f"exit code {done.returncode}: {done.stderr[-300:]}"]))


def line(row, found):
    """A line of the table, and below it what went wrong."""
    theirs = "-" if found["theirs"] is None else found["theirs"]
    text = f"{row.part:8} {row.words:102.102} {found['tried']:>9} {found['ours']:>6} {theirs:>7}"
    return "\n".join([text, *(f"{'':9}{told}" for told in found["told"])])


def main(args=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="ten minutes of it")
    parser.add_argument("--only", default="", help="only rows whose part, name or words have this in them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", help="a file for what was found")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(args)
    if options.row:
        print(json.dumps(tried(options.row, options.cases, options.seed)))
        return 0
    chosen = [row for row in ROWS.values() if options.only in f"{row.part} {row.name} {row.words}"]
    print(f"{'':8} {'':102} {'tried':>9} {'ours':>6} {'theirs':>7}", flush=True)
    rows = {}
    for row in sorted(chosen, key=lambda own: list(ROWS).index(own.name)):
        rows[row.name] = in_a_child(row, row.quick if options.quick else row.n, options.seed)
        print(line(row, rows[row.name]), flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    return int(any(found["ours"] for found in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
