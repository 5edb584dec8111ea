"""What is proved, and in what time: instance, n, d, k, cost, bound, gap, method, seconds, bytes of the proof, seconds of the checker.

    python benchmarks/proved.py [--limit SECONDS] [--folder FOLDER] [--json FILE [--resume]] [--page FILE] [--cpu] [NAME:K[-K] ...]

FOLDER holds best_known.csv and the instances, one text file each; default: ../shared/data from the project's root. blobs-NxD
are N rows around ten centers in D features, made here: so far apart that clusters overlap and restarts disagree. segments-NxD are
N customers of four overlapping segments, standardised. overlap-NxD are three round clusters in D features, each two of them 2.4
deviations apart, heavy-NxD five clusters 6 apart around which rows are of Student's t with 3 degrees of freedom in each feature; with
-SEED at the end other rows of the same kind. sk_NAME is shipped by scikit-learn, r_NAME by R (benchmarks/data);
NAME-scaled is the same with each feature standardised. Without names, those below are run, each with the seconds and the gap that are its goal. "above" is how much the cost is above the best
known one (below, if negative). The starting clustering is searched for too, and its time counts, as does that of the checker
where it runs inside; afterwards it is run once more, alone, and that time is told. --json keeps what was found; with --resume
only what is not in it is run. --cpu counts limits in processor time, where the machine is shared. The exit code is 1 if the checker refuses a proof.
"""

import argparse
import csv
import json
import re
import sys
import time
from concurrent import futures  # noqa: F401 with the true clock
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from sklearn import datasets

if "--cpu" in sys.argv:
    time.monotonic = process_time
from ckmeans import certify, check
from ckmeans.words import down, percent_up

FOLDER = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
TABLES = Path(__file__).resolve().parent / "data"
GOALS = [  # name and numbers of clusters, seconds, gap (0: proved optimal; None: any bound)
    ("sos_iris:2-10", 5, 0.0),
    ("cg_ruspini:2-10", 10, 0.0),
    ("hg_german:2-10", 10, 0.0),
    ("hg_bavaria1:2-10", 10, 0.0),
    ("tsp_eil51:2-10", 10, 0.0),
    ("sos_wine:2-10", 30, 0.0),
    ("cg_gr202:2-10", 60, 0.0),
    ("cg_u1060:50", 60, 0.0),
    ("cg_u1060:60", 60, 0.0),
    ("cg_u1060:80", 60, 0.0),
    ("cg_u1060:100", 60, 0.0),
    ("cg_fl417:2-10", 300, 0.001),
    ("cg_u1060:10", 300, 0.001),
    ("cg_u1060:20", 300, 0.001),
    ("cg_u1060:30", 300, 0.001),
    ("cg_u1060:40", 300, 0.001),
    ("gg_glass:2-7", 300, 0.005),
    ("hg_breast:2-5", 300, 0.005),
    ("hg_heart:2-5", 300, 0.005),
    ("hg_liver:2-6", 300, 0.005),
    ("pcsos_vertebral:2-5", 120, 0.0),
    ("r_olive:2-5", 120, 0.0),
    ("sos_wholesale:2-5", 120, 0.0),
    ("sos_rice:2-5", 120, 0.0),
    ("sos_control_chart:2-6", 120, 1e-5),
    ("sos_abalone:3", 60, 0.0),
    ("sos_abalone:2", 60, 0.001),
    ("sos_abalone:4-10", 60, 0.001),
    ("gg_g2mg_8_50:2-3", 300, 0.0005),
    ("gg_s4:15", 60, 0.0),
    ("tsp_fnl4461:5", 60, 0.0),
    ("tsp_fnl4461:10", 60, 0.0),
    ("tsp_fnl4461:20", 60, 0.0),
    ("tsp_fnl4461:50", 60, 0.0),
    ("avoc_synthetic_2_10:2-10", 60, 0.0),
    ("segments-2000x5:4", 60, 0.0005),
    ("sk_iris:3", 60, 0.0),
    ("sk_iris-scaled:3", 60, 0.0),
    ("sk_breast_cancer:2-5", 120, 0.0),
    ("sk_diabetes:2", 60, 0.0),
    ("sk_digits:10", 300, 0.007),
    ("r_faithful:2-5", 60, 0.0),
    ("r_faithful-scaled:2-3", 60, 0.0),
    ("r_quakes:2-5", 60, 0.0),
    ("r_USArrests:2-5", 60, 0.0),
    ("r_USArrests-scaled:2-5", 60, 0.0),
    ("r_mtcars:2-5", 60, 0.0),
    ("r_mtcars-scaled:2-5", 60, 0.0),
    ("tsp_pcb3038:10", 300, 0.01),
    ("blobs-10000x2:10", 300, 0.03),
    ("blobs-10000x4:10", 300, 0.03),
    ("blobs-10000x8:10", 300, 0.03),
    ("blobs-10000x16:10", 300, 0.03),
    ("overlap-10000x12:3", 300, 0.01),
    ("overlap-10000x16:3", 300, 0.01),
    ("heavy-10000x12:5", 300, 0.01),
    ("heavy-10000x16:5", 300, 0.01),
    ("blobs-100000x2:10", 60, 0.0005),
    ("blobs-100000x2:100", 300, 0.01),
]
COLUMNS = "instance n d k cost above bound gap status method seconds goal bytes check".split()


def rows_of(name, folder):
    """The rows of an instance."""
    if name.endswith("-scaled"):
        X = rows_of(name.removesuffix("-scaled"), folder)
        return (X - X.mean(axis=0)) / X.std(axis=0)
    if name.startswith("sk_"):
        return getattr(datasets, f"load_{name[3:]}")().data
    made = re.fullmatch(r"(blobs|segments|overlap|heavy)-(\d+)x(\d+)(?:-(\d+))?", name)
    if made:
        n, d = int(made[2]), int(made[3])
        rng = np.random.default_rng(n + d if made[4] is None else [n, d, int(made[4])])
        return {"blobs": blobs, "segments": segments, "overlap": overlap, "heavy": heavy}[made[1]](n, d, rng)
    table = TABLES / f"{name}.csv"
    if table.exists():
        return np.loadtxt(table, delimiter=",", skiprows=1, ndmin=2)
    return np.loadtxt(folder / f"{name}.txt", skiprows=1, ndmin=2)


def blobs(n, d, rng):
    return rng.uniform(-10, 10, (10, d))[rng.integers(10, size=n)] + rng.normal(0, 1.5 * d**0.25, (n, d))


def overlap(n, d, rng):
    return 2.4 * corners(3, d, rng)[rng.integers(3, size=n)] + rng.normal(size=(n, d))


def heavy(n, d, rng):
    return 6 * corners(5, d, rng)[rng.integers(5, size=n)] + rng.standard_t(3, (n, d))


def corners(k, d, rng):
    """So many points, each two of them 1 apart."""
    return np.linalg.qr(rng.normal(size=(d, k)))[0].T / np.sqrt(2)


def segments(n, d, rng):
    """Of every three features one is skewed, as money is, and one is counted in whole numbers."""
    X = rng.normal(0, 0.6, (4, d))[rng.choice(4, n, p=rng.dirichlet(np.full(4, 8.0)))]
    X += rng.normal(size=(n, d)) @ (np.eye(d) + 0.3 * rng.normal(size=(d, d)))
    X[:, ::3] = np.exp(0.4 * X[:, ::3])
    X[:, 1::3] = np.round(10 * X[:, 1::3])
    return (X - X.mean(axis=0)) / X.std(axis=0)


def instances(names, folder):
    """Yield name, X, k and the goal."""
    goals = {(name, k): goal for spec, *goal in GOALS for name, k in each(spec)}
    for name, k in [pair for spec in names for pair in each(spec)]:
        yield name, rows_of(name, folder), k, goals.get((name, k), (300, 0.0))


def each(spec):
    name, _, ks = spec.partition(":")
    first, _, last = ks.partition("-")
    return [(name, k) for k in range(int(first), int(last or first) + 1)]


def measured(name, X, k, goal, limit, known):
    """One line of the table."""
    begin, cpu = perf_counter(), process_time()
    found = certify(X, n_clusters=k, time_limit=limit or goal[0], random_state=0)
    seconds, cpu = perf_counter() - begin, process_time() - cpu
    text, begin = found.text().encode(), process_time()
    code, said = check.verdict(text)
    best = known.get((name, k))
    return {
        "instance": name,
        "n": len(X),
        "d": X.shape[1],
        "k": k,
        "cost": found.inertia,
        "above": None if best is None else found.inertia / best - 1,
        "bound": found.lower_bound,
        "gap": found.gap,
        "status": found.status,
        "stop_reason": found.stop_reason,
        "method": found.method,
        "seconds": round(seconds, 2),
        "cpu": round(cpu, 2),
        "goal": goal,
        "bytes": len(text),
        "check": round(process_time() - begin, 2),
        "methods": {method: round(took, 2) for method, took in found.seconds.items()},
        "accepted": code == check.PROVED,
        "said": said,
    }


def reached(row):
    """Whether a line reaches its goal."""
    seconds, gap = row["goal"]
    enough = row["status"] != "bounded" if gap == 0 else row["bound"] > 0 if gap is None else row["gap"] < gap
    return row["accepted"] and enough and row["cpu"] <= seconds * 1.02


def cells(row):
    """A line of the table as text."""
    seconds, gap = row["goal"]
    goal = f"{'any bound' if gap is None else f'gap < {100 * gap:g} %' if gap else 'optimal'} in {seconds} s"
    above = "" if row["above"] is None else f"{row['above']:.0e}"
    return [
        row["instance"],
        *(f"{row[name]}" for name in "ndk"),
        f"{row['cost']:.10g}",
        above,
        down(row["bound"], 10) if row["status"] == "bounded" else f"{row['cost']:.10g}",
        percent_up(row["gap"], 2) if row["gap"] else "0",
        row["status"],
        row["method"],
        f"{row['cpu']:.1f}",
        goal + ("" if reached(row) else ": missed"),
        f"{row['bytes']}",
        f"{row['check']:.1f}",
    ]


def page(rows):
    """The table as a page."""
    accepted = [row for row in rows if row["accepted"]]
    missed, there = [row for row in rows if not reached(row)], {(row["instance"], row["k"]) for row in rows}
    absent = [f"{name} k={k}" for spec, *_ in GOALS for name, k in each(spec) if (name, k) not in there]
    lines = [
        "# What is proved, and in what time",
        "",
        "Made by `python benchmarks/proved.py --json benchmarks/proved.json --page docs/proved.md`. Seconds are processor time, of",
        "the search for the clustering, of the proof, and of the checker where it runs inside `certify`; check is the time of",
        "`python -m ckmeans.check` alone. above: how much the cost is above the best known one, below if negative. gap: how much, at",
        "most, the best possible cost is below this one, as a share of it, rounded up; the bound is rounded down. The checker accepted",
        f"{len(accepted)} of {len(rows)} proofs. {len(rows) - len(missed)} of {len(rows)} goals are reached."
        + (f" Goals without a row: {', '.join(absent)}." if absent else ""),
        "",
        "sk_ are tables that scikit-learn ships, r_ those of R; -scaled: with each feature standardised. segments-, blobs-, overlap- and heavy- are",
        "made by the benchmark.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "---|" * len(COLUMNS),
    ]
    lines += [f"| {' | '.join(cells(row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, help="seconds for each, instead of the goal of the instance")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--json", type=Path, help="keep the results in this file")
    parser.add_argument("--resume", action="store_true", help="leave out what is in the JSON file")
    parser.add_argument("--cpu", action="store_true", help="count limits in processor time")
    parser.add_argument("--page", type=Path, help="write the table of what the JSON file has, as Markdown")
    parser.add_argument("names", nargs="*", default=[spec for spec, *_ in GOALS])
    given = parser.parse_args()
    if (given.resume or given.page) and not given.json:
        parser.error("--resume and --page need --json FILE")
    if not (given.folder / "best_known.csv").exists():
        raise SystemExit(f"{given.folder} has no instances: give --folder")
    with (given.folder / "best_known.csv").open() as table:
        known = {
            (row["instance"], int(row["n_clusters"])): float(row["best_inertia"])
            for row in csv.DictReader(table)
        }
    rows = json.loads(given.json.read_text()) if given.json and given.json.exists() else []
    there = {(row["instance"], row["k"]) for row in rows if given.resume}
    print(" | ".join(COLUMNS), flush=True)
    for name, X, k, goal in instances(given.names, given.folder):
        if (name, k) in there:
            continue
        row = measured(name, X, k, goal, given.limit, known)
        rows = [other for other in rows if (other["instance"], other["k"]) != (name, k)] + [row]
        print(" | ".join(cells(row)), flush=True)
        if given.json:
            given.json.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    order = {pair: at for at, pair in enumerate(pair for spec, *_ in GOALS for pair in each(spec))}
    rows.sort(key=lambda row: order.get((row["instance"], row["k"]), len(order)))
    print(f"{sum(map(reached, rows))} of {len(rows)} goals reached")
    if given.page:
        given.page.write_text(page(rows))
    return 0 if all(row["accepted"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
