"""Certificates of many rows, by groups: the gap, the seconds of the certificate and of its check, the bytes of its folder.

    python -m benchmarks.certify_rows [--limit SECONDS] [--gap GAP] [--jobs N] [--folder FOLDER] NAME:K ...

NAME is one that benchmarks/proved.py makes, such as blobs-1000000x8: ten overlapping clusters of 1,000,000 rows in 8 features. The
rows go into a .npy file, from which they are clustered (KMeans, by default), certified and checked, each on N processes (two). All
seconds are of the wall. The exit code is 1 if a checker refuses a proof.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from ckmeans import KMeans, certify
from ckmeans.words import above_best, percent_up

from .proved import rows_of

HEAD = ["name", "k", "inertia", "bound", "gap", "groups", "fit s", "certify s", "folder MB", "check s"]


def measured(name, k, options, work):
    """The cells of a row, and whether the checker accepts."""
    path, folder = work / f"{name}.npy", (options.folder or work) / f"{name}-{k}"
    if not path.exists():
        np.save(path, rows_of(name, None))
    begin = perf_counter()
    kmeans = KMeans(k, random_state=0, n_threads=options.jobs).fit(path)
    fitted = perf_counter()
    found = certify(
        path, kmeans, folder=folder, time_limit=options.limit, gap=options.gap, n_threads=options.jobs
    )
    certified = perf_counter()
    command = [sys.executable, "-m", "ckmeans.check_parts", folder, "-j", str(options.jobs), path]
    checked = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    done = perf_counter()
    print(found, (checked.stdout + checked.stderr).strip(), sep="\n", file=sys.stderr)
    size = sum(file.stat().st_size for file in folder.iterdir())
    above = above_best(found.inertia, found.lower_bound)
    shown = [
        name,
        k,
        f"{found.inertia:.10g}",
        f"{found.lower_bound:.10g}",
        percent_up(above) if above is not None else "any",
        sum(file.name.startswith("group-") for file in folder.iterdir()),
        f"{fitted - begin:.1f}",
        f"{certified - fitted:.1f}",
        f"{size / 1e6:.1f}",
        f"{done - certified:.1f}",
    ]
    return shown, checked.returncode == 0


def main():
    """Run the command; returns the exit code."""
    out = argparse.ArgumentParser(
        prog="python -m benchmarks.certify_rows",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    out.add_argument("names", nargs="+", metavar="NAME:K")
    out.add_argument("--limit", type=float, default=300, help="seconds of each certificate (300)")
    out.add_argument("--gap", type=float, default=0.0, help="gap of each group that is near enough (0)")
    out.add_argument("--jobs", type=int, default=2, help="processes (2)")
    out.add_argument(
        "--folder", type=Path, help="where the proofs go, and stay; default: a folder that is deleted"
    )
    options = out.parse_args()
    print(*HEAD, sep=" | ", flush=True)
    accepted = True
    with TemporaryDirectory() as work:
        for spec in options.names:
            name, k = spec.rsplit(":", 1)
            shown, right = measured(name, int(k), options, Path(work))
            accepted = accepted and right
            print(*shown, sep=" | ", flush=True)
    return 0 if accepted else 1


if __name__ == "__main__":
    sys.exit(main())
