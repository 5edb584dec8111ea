"""Kills workers while a clustering is under way, and compares the result with that of one array, to the bit.

    python -m benchmarks.blocks_campaign [--times 20] [--rows 200000] [--moments certify]

Each time a worker of a local Dask cluster gets signal 9, at the start, in the first, a middle or the last iteration, or while groups
are bounded by certify. Every result has to have the bits of one array, and none may take longer than --patience seconds.
"""

import argparse
import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from time import monotonic

import numpy as np

from ckmeans import KMeans, certify
from ckmeans.blocks import dask_blocks, sources

MOMENTS = ("start", "first", "middle", "last", "certify")


def data(n, d=8, k=20):
    """Blobs."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)) + rng.uniform(-2, 2, (k, d))[rng.integers(k, size=n)], k


class Killer:
    """Kills a worker once, at the question of this number of the kind that counts."""

    def __init__(self, client, moment, n_steps, which):
        client.wait_for_workers(2)
        pids = sorted(client.run(os.getpid).values())
        self.pid = pids[which % len(pids)]
        self.at = {"start": 0, "first": 0, "middle": n_steps // 2, "last": n_steps - 1}[moment]
        self.question = "survey" if moment == "start" else "step"
        self.n, self.killed = 0, False

    def __call__(self, question):
        if question.__name__ != self.question:
            return
        if self.n == self.at and not self.killed:
            self.killed = True
            os.kill(self.pid, signal.SIGKILL)
        self.n += 1


def run(client, X, k, moment, which, n_steps):
    """Cluster X while a worker is killed."""
    import dask.array as da

    killer, tasks = Killer(client, moment, n_steps, which), dask_blocks.DaskBlocks._tasks

    def killing(self, question, args, own):
        found = list(tasks(self, question, args, own))
        Timer(0.05, killer, args=(question,)).start()  # while the tasks are on their way
        return found

    dask_blocks.DaskBlocks._tasks = killing
    try:
        rows = da.from_array(X, chunks=(len(X) // 12, X.shape[1]))
        return KMeans(k, init=X[:k], polish=False).fit(rows), killer.killed
    finally:
        dask_blocks.DaskBlocks._tasks = tasks


def tell(moment, number, same, killed, seconds, patience):
    """Print a line; whether something went wrong."""
    bits = "same" if same else "OTHER"
    print(f"{moment:7} {number:3}: {bits} bits, killed: {killed}, {seconds:.1f} s", flush=True)
    return not same or not killed or seconds > patience


def certified(rows, kmeans, folder, progress=None):
    """Cost, bound and files of a certificate."""
    given = {"time_limit": None, "gap": 0.1, "n_threads": 1, "progress": progress}
    found = certify(rows, kmeans, folder=folder, **given)
    files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return found.exact_inertia, found.exact_lower_bound, files


def certify_while_one_dies(client, X, kmeans, which, expected):
    """Whether the certificate is the same, and whether a worker was killed."""
    import dask.array as da

    client.wait_for_workers(2)
    pids, told = sorted(client.run(os.getpid).values()), []

    def progress(*_):
        told.append(0)
        if len(told) == 5:
            os.kill(pids[which % 2], signal.SIGKILL)

    with TemporaryDirectory() as folder:
        rows = da.from_array(X, chunks=(len(X) // 5, X.shape[1]))
        return certified(rows, kmeans, folder, progress) == expected, len(told) >= 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--moments", nargs="*", choices=MOMENTS, default=MOMENTS)
    parser.add_argument("--patience", type=float, default=300.0)
    arguments = parser.parse_args()
    from distributed import Client, LocalCluster

    sources.PART_BYTES = dask_blocks.PART_BYTES = 1 << 19  # some parts for each worker
    X, k = data(arguments.rows)
    expected = KMeans(k, init=X[:k], polish=False).fit(X)
    some, n_wrong = X[:: len(X) // 2000].copy(), 0
    some_kmeans = KMeans(4, random_state=0).fit(some)
    with TemporaryDirectory() as folder:
        certificate = certified(some, some_kmeans, folder)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    for moment in arguments.moments:
        for number in range(arguments.times):
            # Two new workers each time: one that was killed may take long to come back.
            with LocalCluster(**options) as cluster, Client(cluster) as client:
                began = monotonic()
                if moment == "certify":
                    same, killed = certify_while_one_dies(client, some, some_kmeans, number, certificate)
                    n_wrong += tell(moment, number, same, killed, monotonic() - began, arguments.patience)
                    continue
                try:
                    found, killed = run(client, X, k, moment, number, expected.n_iter_)
                except Exception as error:
                    print(f"{moment:7} {number:3}: {type(error).__name__}: {error}", flush=True)
                    n_wrong += 1
                    continue
                seconds = monotonic() - began
                same = found.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
                same &= (found.inertia_, found.n_iter_) == (expected.inertia_, expected.n_iter_)
                same &= np.array_equal(found.labels_.compute(), expected.labels_)
            n_wrong += tell(moment, number, same, killed, seconds, arguments.patience)
    print(f"{n_wrong} of {len(arguments.moments) * arguments.times} went wrong")
    return n_wrong > 0


if __name__ == "__main__":
    raise SystemExit(main())
