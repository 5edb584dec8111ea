"""What is proved, and in what time: instance, n, d, k, cost, bound, gap, rung, seconds, bytes of the proof, seconds of the checker.

    python benchmarks/proved.py [--limit SECONDS] [--folder FOLDER] [NAME:K[-K] ...]

FOLDER holds best_known.csv and the instances, one text file each; default: ../shared/data from the project's root. Without
names, those below are run. "above" is how much the cost is above the best known one (below, if negative). The starting
clustering is the best of a default local search, and its time counts.
"""

import argparse
import csv
from pathlib import Path
from time import perf_counter

import numpy as np

from ckmeans import certify

FOLDER = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
NAMES = (
    "sos_iris:2-10 cg_ruspini:2-10 hg_german:2-10 hg_bavaria1:2-10 tsp_eil51:2-10 sos_wine:2-10 cg_gr202:2-10 cg_fl417:2-10 "
    "cg_u1060:50 cg_u1060:60 cg_u1060:80 cg_u1060:100 cg_u1060:10 cg_u1060:20 cg_u1060:30 cg_u1060:40 gg_glass:2-7 "
    "hg_breast:2-5 hg_heart:2-5 hg_liver:2-6"
).split()


def instances(names, folder):
    """Yield name, X and k."""
    for name in names:
        name, _, ks = name.partition(":")
        first, _, last = ks.partition("-")
        X = np.loadtxt(folder / f"{name}.txt", skiprows=1, ndmin=2)
        for k in range(int(first), int(last or first) + 1):
            yield name, X, k


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for each")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("names", nargs="*", default=NAMES)
    given = parser.parse_args()
    if not (given.folder / "best_known.csv").exists():
        raise SystemExit(f"{given.folder} has no instances: give --folder")
    with (given.folder / "best_known.csv").open() as table:
        known = {
            (row["instance"], int(row["n_clusters"])): float(row["best_inertia"])
            for row in csv.DictReader(table)
        }
    print(f"{'instance':12} {'n':>5} {'d':>3} {'k':>3} {'cost':>18} {'above':>8} {'bound':>18} {'gap':>8} "
          f"{'status':14} {'rung':7} {'s':>7} {'bytes':>8} {'check s':>7}")  # fmt: skip
    n_proved = n_all = 0
    for name, X, k in instances(given.names, given.folder):
        begin = perf_counter()
        found = certify(X, n_clusters=k, time_limit=given.limit, random_state=0)
        checking = found.seconds.get("check", 0.0)
        seconds = perf_counter() - begin - checking
        above = found.inertia / known.get((name, k), np.nan) - 1
        n_all, n_proved = n_all + 1, n_proved + (found.status != "bounded")
        print(f"{name:12} {len(X):5} {X.shape[1]:3} {k:3} {found.inertia:18.10g} {above:8.0e} {found.lower_bound:18.10g} "
              f"{found.gap:8.1e} {found.status:14} {found.rung:7} {seconds:7.2f} {len(found.text()):8} {checking:7.2f}", flush=True)  # fmt: skip
    print(f"{n_proved} of {n_all} proved")


if __name__ == "__main__":
    main()
