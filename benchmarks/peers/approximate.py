"""Peers that choose their own start, or whose labels are not exact: the time of some iterations, and the inertia of the centers.

    python -m benchmarks.peers.approximate SETTINGS

prints a line of JSON for each workload. The inertia is computed here, in the same way for all: each row goes to the nearest of
the centers, whatever the peer made of it. Seeds are 0, 1, ..., each of them a start of the peer's own.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from .cell import PAUSE, rounded
from .check import inertia
from .workloads import MOST_ITERATIONS, WORKLOADS, make, shrunk

# A trainer whose first run takes this many times as long as ours runs only once.
PATIENCE = 4
# Runs of a workload end after about so many seconds, but not before each trainer has run once.
LONGEST = 600.0
DTYPE = "float32"
ROWS_FROM, PLUSPLUS = "rows at random", "k-means++"


@dataclass(frozen=True)
class Trainer:
    """A program that is given rows and seeds, not centers.

    Attributes
    ----------
    name : str
    train : callable(X, n_clusters, n_iter, seed) -> ndarray of shape (n_clusters, n_features)
        The centers after n_iter iterations.
    start : str
        How it chooses the centers that it starts from.
    least_features : int
        It refuses fewer.
    """

    name: str
    train: Callable
    start: str = ROWS_FROM
    least_features: int = 1

    @property
    def ours(self):
        """Whether this is ckmeans."""
        return self.name.startswith("ckmeans")


def _ckmeans(n_threads):
    from ckmeans import KMeans

    def train(init):
        def centers(X, n_clusters, n_iter, seed):
            more = dict(n_init=1, max_iter=n_iter, tol=0, polish=False, n_threads=n_threads)
            return KMeans(n_clusters, init=init, random_state=seed, **more).fit(X).cluster_centers_

        return centers

    yield Trainer("ckmeans", train("random"))
    yield Trainer("ckmeans from k-means++", train("k-means++"), PLUSPLUS)


def _faiss(n_threads):
    import faiss

    faiss.omp_set_num_threads(n_threads)

    def train(kind):
        def centers(X, n_clusters, n_iter, seed):
            everything = dict(max_points_per_centroid=2**31 - 1, min_points_per_centroid=1)  # no subsampling
            model = kind(X.shape[1], n_clusters, niter=n_iter, seed=seed + 1, **everything)
            if hasattr(model.cp, "early_stop_threshold"):
                model.cp.early_stop_threshold = -1.0
            model.train(X)
            return model.centroids

        return centers

    yield Trainer("FAISS", train(faiss.Kmeans))
    if hasattr(faiss, "SuperKmeans"):
        least = 2 * faiss.SuperKMeansParameters().d_prime_min
        yield Trainer("FAISS SuperKMeans", train(faiss.SuperKmeans), least_features=least)


def _superkmeans(n_threads):
    from superkmeans import SuperKMeans

    def train(quantizer):
        def centers(X, n_clusters, n_iter, seed):
            model = SuperKMeans(
                n_clusters,
                X.shape[1],
                hierarchical=False,
                quantizer=quantizer,
                iters=n_iter,
                sampling_fraction=1.0,
                max_points_per_cluster=len(X),  # else it takes 256 rows for each cluster
                n_threads=n_threads,
                seed=seed,
                early_termination=False,
            )
            return model.train(X)

        return centers

    yield Trainer("SuperKMeans", train("f32"))
    yield Trainer("SuperKMeans sq8", train("sq8"))


def _fastkmeanspp(n_threads):
    from fastkmeanspp import KMeans

    def centers(X, n_clusters, n_iter, seed):
        model = KMeans(n_clusters, n_iter=n_iter, random_state=seed, n_jobs=n_threads)
        return model.fit(X).cluster_centers_

    yield Trainer("fastkmeanspp", centers, PLUSPLUS)


TRAINERS = {
    "ckmeans": _ckmeans,
    "FAISS": _faiss,
    "SuperKMeans": _superkmeans,
    "fastkmeanspp": _fastkmeanspp,
}


def load(n_threads, only=None):
    """The trainers that are installed, and why others are not there, as `contenders.load` has it."""
    trainers, missing = [], {}
    for program, loader in TRAINERS.items():
        if only is not None and program not in ("ckmeans", *only):
            missing[program] = "left out"
            continue
        try:
            trainers += loader(n_threads)
        except ImportError as error:
            missing[program] = f"not installed ({error})"
    if "FAISS" not in missing and all(trainer.name != "FAISS SuperKMeans" for trainer in trainers):
        missing["FAISS SuperKMeans"] = "not in this version of FAISS"
    return trainers, missing


def inertia_of(X, centers):
    """Sum of the squared distances of the rows to the nearest center, which scikit-learn finds; NaN for centers that are none."""
    from sklearn.metrics import pairwise_distances_argmin

    if not np.isfinite(centers).all():
        return np.nan
    labels = pairwise_distances_argmin(X, np.asarray(centers, X.dtype))
    return inertia(X, labels, np.asarray(centers, np.float64))


def measure(workload, kind, trainers, runs, n_iter, crashed=(), announce=lambda name: None):
    """The record of a workload: seconds and inertia of each run; a trainer that fails, or has ended the process, says so."""
    X, _ = make(workload, kind, DTYPE)
    entries = {t.name: {"ours": t.ours, "start": t.start, "seconds": [], "inertia": []} for t in trainers}
    for t in trainers:
        if t.least_features > workload.n_features:
            entries[t.name]["status"] = f"{t.least_features} features or more"
    for name in crashed:
        entries[name]["status"] = crashed[name]
    begin = perf_counter()
    for seed in range(runs):
        for t in trainers[seed % len(trainers) :] + trainers[: seed % len(trainers)]:
            entry = entries[t.name]
            if "status" in entry or seed and _ends(entries, entry, begin):
                continue
            announce(t.name)
            if not seed:  # let it load what it loads at its first call
                _run(t, X[: max(2 * workload.n_clusters, 1000)], workload.n_clusters, 1, 0, {})
            _run(t, X, workload.n_clusters, n_iter, seed, entry)
    record = {"workload": workload._asdict(), "data": kind, "dtype": DTYPE, "n_iter": n_iter}
    return {**record, "contenders": entries}


def _ends(entries, entry, begin):
    """Whether a trainer does not run again."""
    ours = min(seconds for other in entries.values() if other["ours"] for seconds in other["seconds"][:1])
    slow = not entry["ours"] and entry["seconds"][:1] > [PATIENCE * ours]
    return slow or perf_counter() - begin > LONGEST


def _run(trainer, X, n_clusters, n_iter, seed, entry):
    """One run, noted in the entry."""
    time.sleep(PAUSE)
    begin = perf_counter()
    try:
        centers = trainer.train(X, n_clusters, n_iter, seed)
    except Exception as error:
        entry["status"] = f"failed: {type(error).__name__}: {error}"
        return
    seconds = perf_counter() - begin
    if "seconds" in entry:
        entry["seconds"].append(rounded(seconds))
        found = inertia_of(X, np.asarray(centers))
        if np.isfinite(found):
            entry["inertia"].append(float(f"{found:.10g}"))
        else:
            entry["status"] = "failed: centers that are no numbers"


def main(settings, out):
    """Measure the workloads that the settings name, a record each as soon as it is there."""

    def write(**record):
        out.write(json.dumps(record) + "\n")
        out.flush()

    trainers, missing = load(settings["threads"], settings["only"])
    write(event="loaded", missing=missing)
    workloads = {w.name: w for w in WORKLOADS}
    for key in settings["cells"]:
        name, kind = key
        write(event="cell", cell=key)
        workload = workloads[name]
        record = measure(
            shrunk(workload, settings["shrink"]),
            kind,
            trainers,
            settings["runs"],
            min(workload.most or np.inf, MOST_ITERATIONS["uniform"]),
            settings["crashed"].get("|".join(key), {}),
            lambda name: write(event="runs", contender=name),
        )
        write(event="done", cell=key, record={**record, "threads": settings["threads"]})


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a trainer prints is not ours
    main(json.loads(sys.argv[1]), channel)
