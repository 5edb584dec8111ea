"""Lloyd's iteration on the workers of a local Dask cluster, beside the same rows in one array, and beside dask-ml where it is installed.

    python benchmarks/dask_workers.py [--rows N] [--features D] [--clusters K] [--iterations N] [--rounds N] [--only NAME ...]

Blobs in float32 that the workers make themselves; each way runs in a process, or on a cluster, of its own: an array and one thread, one worker with
one thread, two of them. A first fit of one iteration is not timed; from the median of fits of one to that of fits of N more are the seconds of an iteration: on the wall, and of
all processors (workers, scheduler, client), of the workers alone in brackets. Inertia is the cost of the labels, and what the way says where that is another number; ours have the same bits, or the exit code is 1.
"""

import argparse
import json
import subprocess
import sys
import warnings
from functools import partial
from importlib.util import find_spec
from time import perf_counter, process_time

import numpy as np

WAYS = ["array", "one worker", "two workers", *(["dask-ml"] if find_spec("dask_ml") else [])]
# Rows of a block: 16 MB with 16 features.
BLOCK = 1 << 18


def block(number, options):
    """Some rows."""
    centers = np.random.default_rng(0).uniform(-3, 3, (options.clusters, options.features))
    rng = np.random.default_rng((1, number))
    n = min(BLOCK, options.rows - number * BLOCK)
    labels = rng.integers(options.clusters, size=n)
    return centers.astype(np.float32)[labels] + rng.standard_normal((n, options.features), np.float32)


def numbers(options):
    return range(-(-options.rows // BLOCK))


def by_array(options):
    """One array, one thread."""
    X = np.empty((options.rows, options.features), np.float32)
    for number in numbers(options):
        own = block(number, options)
        X[number * BLOCK : number * BLOCK + len(own)] = own
    return ours(X, options, n_threads=1), lambda: (process_time(), process_time()), X


def by_workers(options, n_workers, how):
    """Workers of one thread each, which have the rows."""
    import dask.array as da
    from dask import delayed
    from distributed import Client, LocalCluster, wait

    cluster = LocalCluster(
        n_workers=n_workers, threads_per_worker=1, dashboard_address=None, memory_limit="8GB"
    )
    client = Client(cluster)
    blocks = [
        da.from_delayed(
            delayed(block)(number, options),
            (min(BLOCK, options.rows - number * BLOCK), options.features),
            np.float32,
        )
        for number in numbers(options)
    ]
    X = da.concatenate(blocks).persist()
    wait(X)

    def seconds():
        workers = sum(client.run(process_time).values())
        return workers + process_time(), workers

    return how(X, options), seconds, X


def ours(X, options, **words):
    """A fit of so many iterations."""
    from ckmeans import KMeans

    init = block(0, options)[: options.clusters]

    def fit(n):
        found = KMeans(options.clusters, init=init, max_iter=n, polish=False, **words).fit(X)
        return found.n_iter_, found.inertia_, found.inertia_

    return fit


def dask_ml(X, options):
    """As dask-ml does it."""
    import dask_ml.cluster

    from ckmeans import KMeans

    init = block(0, options)[: options.clusters]

    def fit(n):
        found = dask_ml.cluster.KMeans(options.clusters, init=init, max_iter=n, tol=0.0).fit(X)
        own = KMeans(options.clusters)
        own.cluster_centers_, own.n_features_in_ = found.cluster_centers_, options.features
        return int(found.n_iter_), float(found.inertia_), own

    return fit


def measured(options):
    """One way, in this process."""
    warnings.simplefilter("ignore")  # that so few iterations lead to no fixed point
    fit, seconds, X = {
        "array": by_array,
        "one worker": partial(by_workers, n_workers=1, how=ours),
        "two workers": partial(by_workers, n_workers=2, how=ours),
        "dask-ml": partial(by_workers, n_workers=2, how=dask_ml),
    }[options.one](options)
    fit(1)
    times = []
    for n in (1, 1 + options.iterations) * options.rounds:
        before, begin = seconds(), perf_counter()
        n_iter, said, cost = fit(n)
        wall = perf_counter() - begin
        times.append((wall, *np.subtract(seconds(), before)))
    short, long = np.median(times[::2], axis=0), np.median(times[1::2], axis=0)
    steps = ((long - short) / (n_iter - 1)).tolist()
    if hasattr(cost, "score"):
        cost = -cost.score(X)
    return {
        "said": said,
        "wall": steps[0],
        "all": steps[1],
        "workers": steps[2],
        "whole": long[0],
        "inertia": cost,
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=16)
    parser.add_argument("--clusters", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measured(options)))
        return 0
    print(f"{'way':12} {'wall':>7} {'processors':>16} {'whole fit':>10}  inertia   (seconds of an iteration)")
    inertias = set()
    for name in options.only:
        words = [
            f"--{word}={getattr(options, word)}"
            for word in ("rows", "features", "clusters", "iterations", "rounds")
        ]
        command = [sys.executable, __file__, *words, f"--one={name}"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(
            f"{name:12} {found['wall']:7.3f} {found['all']:7.3f} ({found['workers']:.3f}) {found['whole']:10.1f}  {found['inertia']!r}"
            + ("" if found["said"] == found["inertia"] else f", and says {found['said']!r}"),
            flush=True,
        )
        inertias |= {found["inertia"]} if name != "dask-ml" else set()
    return len(inertias) > 1


if __name__ == "__main__":
    sys.exit(main())
