"""How good is what `KMeans(k)` finds, and in what time? Beside scikit-learn's default and its ten restarts.

    python -m benchmarks.default_quality [--seeds 40] [--only TEXT ...] [--threads 1] [--ten SECONDS]
                                         [--json FILE [--resume]] [--page FILE]

For each data set and each seed, ckmeans `KMeans(k)`, scikit-learn `KMeans(k)` and scikit-learn `KMeans(k, n_init=10)` are
fitted one after the other in one process, so that whatever else the machine does falls on all alike. A result of ours is checked
before it counts: labels against `predict` and a search by brute force, the inertia against the one that labels and centers
make. The inertias that are compared are those of labels and centers too, in float64. n_init=10 is left out where ten of the
first fit of scikit-learn's default would take more than --ten seconds of processor time.

--only takes the data sets whose name holds one of the texts. --json keeps what was measured; with --resume only data sets that are not in it
are run. --page writes the table of what was measured. The exit code is 1 if a result of ours is wrong.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import sklearn.cluster
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_blobs
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

from benchmarks.peers import check, machine, results, workloads
from benchmarks.peers.page import markdown
from benchmarks.peers.table import significant
from ckmeans import KMeans

SAME = 1e-9  # relative difference up to which an inertia is no worse than another
REACHED = 1e-6  # and up to which it counts as the best that was found
TARGET = 0.95  # share of the seeds in which the default is meant to be no worse than ten restarts
WARM_ROWS = 2000
OURS, DEFAULT, TEN = "ours", "scikit-learn", "scikit-learn, n_init=10"

# ---- The data


def blobs(n, d, k, separation, dtype="float64"):
    """Spherical blobs, the typical distance of two centers being `separation` standard deviations."""
    return workloads.make(workloads.Workload("", n, d, k, separation), "blobs", dtype)[0]


def noise(n, d):
    return workloads.make(workloads.Workload("", n, d, 1, 1), "uniform", "float64")[0]


def covertype_like(n):
    """Ten measured features, tied together, of very different spread and partly skewed; 44 columns of two one-hot codes."""
    rng = np.random.default_rng(0)
    measured = rng.standard_normal((n, 6)) @ rng.standard_normal((6, 10)) + 0.5 * rng.standard_normal((n, 10))
    measured[:, 5:] = np.exp(0.5 * measured[:, 5:])
    measured *= [280, 112, 7.5, 212, 58, 1559, 27, 20, 38, 1325]
    soil = rng.choice(40, n, p=np.sort(rng.dirichlet(np.full(40, 0.3))))
    area = rng.choice(4, n, p=[0.45, 0.05, 0.43, 0.07])
    return np.hstack([measured, np.eye(40)[soil], np.eye(4)[area]])


def heavy_tailed(n, d):
    return np.random.default_rng(1).standard_t(2.5, (n, d))


def unequal(d):
    """Four wide clusters of 3,000 to 50,000 rows, and 40 narrow ones of 200."""
    rng = np.random.default_rng(2)
    sizes = [50_000, 20_000, 8_000, 3_000] + [200] * 40
    return np.concatenate(
        [
            rng.uniform(-10, 10, d) + rng.standard_normal((size, d)) * (1 if size > 200 else 0.3)
            for size in sizes
        ]
    )


SETS = {  # name: how it is made, number of clusters
    "iris": (lambda: load_iris().data, 3),
    "breast cancer, scaled": (lambda: scale(load_breast_cancer().data), 5),
    "digits": (lambda: load_digits().data, 10),
    "30 blobs, std 0.3": (lambda: make_blobs(3000, centers=30, cluster_std=0.3, random_state=0)[0], 30),
    "30 blobs, std 1": (lambda: make_blobs(3000, centers=30, cluster_std=1.0, random_state=0)[0], 30),
    "noise, few rows": (partial(noise, 3000, 10), 8),
    "blobs, 10,000 rows": (partial(blobs, 10_000, 2, 30, 12), 30),
    "blobs apart, d=2": (partial(blobs, 100_000, 2, 50, 80), 50),
    "blobs overlapping, d=2": (partial(blobs, 100_000, 2, 50, 10), 50),
    "blobs apart, d=10": (partial(blobs, 100_000, 10, 20, 25), 20),
    "blobs overlapping, d=10": (partial(blobs, 50_000, 10, 100, 6), 100),
    "blobs apart, d=128": (partial(blobs, 30_000, 128, 100, 20, "float32"), 100),
    "blobs overlapping, d=128": (partial(blobs, 20_000, 128, 100, 6, "float32"), 100),
    "blobs apart, d=784": (partial(blobs, 20_000, 784, 10, 20, "float32"), 10),
    "blobs overlapping, d=784": (partial(blobs, 10_000, 784, 30, 5, "float32"), 30),
    "noise, d=16": (partial(noise, 50_000, 16), 20),
    "noise, d=4": (partial(noise, 300_000, 4), 5),
    "heavy-tailed": (partial(heavy_tailed, 100_000, 8), 30),
    "unequal sizes": (partial(unequal, 5), 44),
    "two clusters": (partial(blobs, 200_000, 10, 2, 3), 2),
    "covertype-like": (partial(covertype_like, 500_000), 7),
    "covertype-like, scaled": (lambda: scale(covertype_like(50_000)), 20),
    "noise, k=1000": (partial(noise, 50_000, 2), 1000),
    "blobs, k=1000": (partial(blobs, 100_000, 16, 1000, 10, "float32"), 1000),
}

# ---- What is measured


def faults(X, model):
    """What is wrong with a fit of ours; an empty list if nothing is."""
    found = []
    if count := np.count_nonzero(model.labels_ != model.predict(X)):
        found.append(f"{count} labels are not those of predict")
    if count := check.wrong_labels(X, model.labels_, model.cluster_centers_):
        found.append(f"{count} of {min(check.SAMPLE, len(X))} labels looked at are not the nearest center")
    inertia = check.inertia(X, model.labels_, model.cluster_centers_)
    if not abs(model.inertia_ - inertia) <= 1e-10 * inertia:
        found.append(f"inertia {model.inertia_!r} where labels and centers make {inertia!r}")
    return found


def fitted(model, X):
    """Fit: seconds of the processor and of the wall clock."""
    begin, cpu = perf_counter(), process_time()
    model.fit(X)
    return process_time() - cpu, perf_counter() - begin


def measure(name, n_seeds, n_threads, most_seconds):
    """All fits of a data set: a record, in which `runs` has (processor seconds, wall seconds, inertia) for each seed."""
    make, k = SETS[name]
    X = np.ascontiguousarray(make())
    makers = {
        OURS: partial(KMeans, k, n_threads=n_threads),
        DEFAULT: partial(sklearn.cluster.KMeans, k),
        TEN: partial(sklearn.cluster.KMeans, k, n_init=10),
    }
    runs, wrong = {title: [] for title in makers}, []
    for title in (OURS, DEFAULT):
        makers[title](random_state=0).fit(X[: max(WARM_ROWS, 2 * k)])
    for seed in range(n_seeds):
        for title, make in makers.items():
            if title == TEN and 10 * runs[DEFAULT][0][0] > most_seconds:
                continue
            model = make(random_state=seed)
            seconds = fitted(model, X)
            runs[title].append((*seconds, check.inertia(X, model.labels_, model.cluster_centers_)))
            if title == OURS:
                wrong += [f"{name}, seed {seed}: {fault}" for fault in faults(X, model)]
    return {"name": name, "n": X.shape[0], "d": X.shape[1], "k": k, "runs": runs, "faults": wrong}


class Judged:
    """The numbers of a line of the table. Those beside ten restarts are None where these were left out."""

    def __init__(self, record):
        self.name, self.n, self.d, self.k = (record[key] for key in ("name", "n", "d", "k"))
        cpu, wall, inertia = {}, {}, {}
        for title, fits in record["runs"].items():
            if fits:
                cpu[title], wall[title], inertia[title] = np.array(fits).T
        ours, default, ten = inertia[OURS], inertia[DEFAULT], inertia.get(TEN)
        self.n_seeds, self.seconds = len(ours), median(cpu[OURS])
        self.time, self.wall = (median(clock[OURS]) / median(clock[DEFAULT]) for clock in (cpu, wall))
        self.ten_time = None if ten is None else median(cpu[TEN]) / median(cpu[DEFAULT])
        self.no_worse = None if ten is None else np.mean(ours <= ten * (1 + SAME))
        self.worst_ten = None if ten is None else (ours / ten).max()
        self.worst_default, self.median_default = (ours / default).max(), median(ours / default)
        best = min(values.min() for values in inertia.values())
        self.reached = {
            title: np.mean(inertia[title] <= best * (1 + REACHED)) if title in inertia else None
            for title in record["runs"]
        }

    @property
    def missed(self):
        """Whether it is worse than ten restarts more often than it is meant to be."""
        return self.no_worse is not None and self.no_worse < TARGET


# ---- What is shown

HEADER = (
    "<data", "n", "d", "k", "ours, s", "time", "wall", "time of ten", "no worse than ten", "worst / ten", "worst / default",
    "median / default", "best: ours", "default", "ten",
)  # fmt: skip


def cells(judged):
    """A line of the table as text."""
    share = lambda value: "–" if value is None else f"{value:.0%}"  # noqa: E731
    ratio = lambda value, digits: "–" if value is None else f"{value:.{digits}f}"  # noqa: E731
    return [
        judged.name, f"{judged.n}", f"{judged.d}", f"{judged.k}", significant(judged.seconds), ratio(judged.time, 2),
        ratio(judged.wall, 2), ratio(judged.ten_time, 1), share(judged.no_worse), ratio(judged.worst_ten, 5),
        ratio(judged.worst_default, 5), ratio(judged.median_default, 5),
        *(share(judged.reached[title]) for title in (OURS, DEFAULT, TEN)),
    ]  # fmt: skip


INTRODUCTION = """\
# How good is the default, and how long does it take?

`KMeans(k).fit(X)` beside scikit-learn's `KMeans(k)`, which is one start from k-means++, and `KMeans(k, n_init=10)`. This page is
written by the command that measures: no figure in it is typed in.

## What the default does

- **Up to 4,096 rows.** Restarts from k-means++. Each goes to the fixed point of Lloyd's iteration, then moves single rows
  and whole centers while that helps. They end when enough of them have reached the same best inertia (eight where they are cheap,
  else three), after 20 of them, or when a modest budget of work is spent.
- **More than 4,096 rows.** One run over all rows, on a budget: what one start of scikit-learn takes, as its work is counted; how many
  iterations that start would take is told by a small sample.
  - A sample is drawn from strata, the neighbourhoods of six times as many centers as there are clusters, so that rare groups have their weight
    in it; it is the larger, the cheaper local searches are. It is searched: some clusterings of it are merged from more clusters (Ward), crossed, and
    improved by moving centers.
  - The best of them, up to eight, race over all rows: a few updates of the centers for each, then twice as many for the better half, and so on.
    Where time is left, the best runs of the race are crossed, and each child goes on for 30 updates; so it is once more after the winner has
    come to its fixed point, which tells how many updates a start of scikit-learn would have made, and what it would have taken.
  - The winner goes to a fixed point of Lloyd's iteration, with fewer than 64 features by steps beyond the means where they lower the
    inertia, and then rows move one by one as long as that gains more than 2e-6 of the inertia for each update of the centers, and the budget
    allows it. With 64 features and more there is a round of such moves before the fixed point.
- **A file, or centers that are given:** one start. A file is not searched by a sample, and its rows are not moved one by one.
"""
MORE = """\
## How to ask for more

- `KMeans(k, n_init=20)` makes as many restarts as that, over all rows, each polished to the end, and `hit_rate_` then says how
  many of them reached the best inertia. The default's `n_restarts_` is 1 with more than 4,096 rows, and a `hit_rate_` of 1.0 is no evidence then.
- `KMeans(k, algorithm="hybrid")` crosses clusterings of all rows, and takes seconds rather than milliseconds: the way to go where there
  are many clusters.
- `max_seconds` ends any of these, and keeps the best clustering so far: `KMeans(k, algorithm="hybrid", n_init=1000,
  max_seconds=60)` searches for a minute.
- `certify(X, labels)` says how far it can be from the best there is.
"""
COLUMNS = """\
**ours, s**: median seconds of processor time of a fit. **time**: ours as a multiple of scikit-learn's default, medians of
processor time; below 1 ours is faster. **wall**: the same by the wall clock. **time of ten**: n_init=10 as a multiple of the default.
**no worse than ten**: share of the seeds in which our inertia is at most that of n_init=10 with the same seed (to a relative 1e-9).
**worst / ten**, **worst / default**, **median / default**: our inertia over theirs of the same seed, the greatest and the
median; below 1 ours is better. **best**: share of the seeds in which the lowest inertia of all fits of the data set was reached (to a relative
1e-6); it need not be the lowest there is. **–**: n_init=10 was left out, as it would take more than {most:g} s a fit.
"""


def verdict(lines):
    """In words, where it is better and worse than ten restarts."""
    compared = [line for line in lines if line.no_worse is not None]
    missed = [line for line in compared if line.missed]
    ends = ["## Better or worse than ten restarts?", ""]
    ends += [
        f"Ten restarts were compared with on {len(compared)} of {len(lines)} data sets. The aim is to be no worse than they are in 95 %"
        f" of the seeds. It is reached on {len(compared) - len(missed)}, and **missed on {len(missed)}**"
        + (":" if missed else ".")
    ]
    if missed:
        ends.append("")
    for line in missed:
        ends.append(
            f"- {line.name} (n={line.n}, d={line.d}, k={line.k}): no worse in {line.no_worse:.0%} of the seeds; the worst"
            f" inertia is {_percent(line.worst_ten - 1)} above that of ten restarts."
        )
    better = [line for line in compared if line.worst_ten < 1 - SAME]
    if better:
        ends += ["", f"Better with every seed: {'; '.join(line.name for line in better)}."]
    slower = [line for line in lines if line.time > 1]
    times = [line.time for line in lines]
    ends += [
        "",
        f"The time is {min(times):.2f} to {max(times):.2f} times that of scikit-learn's default, {median(times):.2f} in the"
        f" median, and above it on {len(slower)} of {len(lines)} data sets"
        + (f": {'; '.join(f'{line.name} ({line.time:.2f})' for line in slower)}." if slower else "."),
    ]
    worse = [line for line in lines if line.worst_default > 1 + SAME]
    if worse:
        names = "; ".join(f"{line.name} ({_percent(line.worst_default - 1)})" for line in worse)
        ends += ["", f"Worse than scikit-learn's default with at least one seed, at most by: {names}."]
    return "\n".join(ends)


def _percent(share):
    return f"{significant(100 * share, 2)} %"


def page(found):
    """The page, as Markdown."""
    lines = [Judged(record) for record in found["records"]]
    plan, about = found["plan"], found["machine"]
    versions = f"ckmeans {about['versions']['ckmeans']}, scikit-learn {about['versions']['scikit-learn']}"
    measured = (
        f"{about['processor']}, {results.threads(plan['threads'])}, {versions}, commit {about['commit']}; {plan['seeds']} seeds for"
        f" each data set. The machine was shared with other work (load average {about['load']} at the start): times are"
        " ratios of processor time, and those of the wall clock are to be read with caution."
    )
    command = (
        f"python -m benchmarks.default_quality --seeds {plan['seeds']} --threads {plan['threads']} --ten {plan['ten']:g}"
        " --json benchmarks/default_quality.json --page docs/default.md"
    )
    parts = [
        INTRODUCTION, verdict(lines), "## The table", measured, markdown(HEADER, map(cells, lines)),
        COLUMNS.format(most=plan["ten"]), MORE, f"## How to repeat it\n\n```\n{command}\n```",
    ]  # fmt: skip
    return "\n\n".join(part.strip() for part in parts) + "\n"


def save(found, path):
    """Write what was measured: a data set in a line."""
    head = ",\n".join(f'"{key}": {json.dumps(found[key])}' for key in ("plan", "machine"))
    records = ",\n".join(map(json.dumps, found["records"]))
    path.write_text(f'{{\n{head},\n"records": [\n{records}\n]\n}}\n')


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ten", type=float, default=60.0, metavar="SECONDS", help="for a fit with n_init=10")
    parser.add_argument("--json", type=Path, help="keep what was measured in this file")
    parser.add_argument("--resume", action="store_true", help="leave out what is in the JSON file")
    parser.add_argument("--page", type=Path, help="write the table as Markdown")
    given = parser.parse_args(arguments)
    if given.resume and not given.json:
        parser.error("--resume needs --json FILE")
    plan = {"seeds": given.seeds, "threads": given.threads, "ten": given.ten}
    found = {"plan": plan, "machine": machine.describe(), "records": []}
    if given.resume and given.json.exists():
        found = json.loads(given.json.read_text())
        if found["plan"] != plan:
            parser.error("--resume: the file has what was measured with other options")
    there = {record["name"] for record in found["records"]}
    print(" | ".join(title.lstrip("<") for title in HEADER), flush=True)
    with threadpool_limits(given.threads):
        for name in SETS:
            if name in there or not any(text in name for text in given.only):
                continue
            record = measure(name, given.seeds, given.threads, given.ten)
            found["records"].append(record)
            print(" | ".join(cells(Judged(record))), flush=True)
            for fault in record["faults"]:
                print(fault, file=sys.stderr)
            if given.json:
                save(found, given.json)
    found["records"].sort(key=lambda record: list(SETS).index(record["name"]))
    if given.page and found["records"]:
        given.page.write_text(page(found), encoding="utf-8")
    return 1 if any(record["faults"] for record in found["records"]) else 0


if __name__ == "__main__":
    sys.exit(main())
