"""Rows seen once: what a summary of them takes, what its clustering costs and what is proved of it, beside scikit-learn's MiniBatchKMeans and Birch,
and BICO where `bico` is installed.

    python benchmarks/summary.py [--rows N] [--features D] [--clusters K] [--cells N ...] [--batch N] [--only NAME ...] [--certify SECONDS]

Gaussian clusters in a square (a cube, ...), in batches, each made when it is asked for. Each way runs in a process of its own, on one thread. Seconds are
processor time, per million rows: of taking the rows in, and of what follows, without the certificate. The memory is what the process has at its peak beyond
what it had before the first batch. The cost is that of all rows with the nearest of the centers found, above that of `KMeans(K).fit` of all rows, in blocks
of a million; "known" is what the way itself says it is, likewise. The gap is that of `certify(summary, kmeans, time_limit=SECONDS)`, also processor time.
The threshold of Birch is one that leads to about as many subclusters as the largest summary has cells; these are clustered by KMeans with their weights.
"""

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import process_time

import numpy as np
import sklearn.cluster

from ckmeans import KMeans, Summary, certify

PEAK = Path("/proc/self/clear_refs")
# For some 15,000 subclusters of a million rows in the plane, 50 clusters.
THRESHOLD = 0.12


def batches(options, n_together=1):
    """All rows, in so many batches at a time: in a stream they would come from elsewhere."""
    rng = np.random.default_rng(0)
    centers = rng.uniform(-10, 10, (options.clusters, options.features)) + options.offset
    together = []
    for start in range(0, options.rows, options.batch):
        shape = min(options.batch, options.rows - start), options.features
        together.append(centers[rng.integers(options.clusters, size=shape[0])] + rng.normal(size=shape))
        if len(together) == n_together or start + options.batch >= options.rows:
            yield np.concatenate(together)
            together = []


class Timed:
    """Batches, and the processor time of everything else than making them."""

    def __init__(self, options):
        self.options, self.making = options, 0.0

    def __iter__(self):
        made = batches(self.options)
        while True:
            begin = process_time()
            batch = next(made, None)
            self.making += process_time() - begin
            if batch is None:
                return
            yield batch


def by_summary(batches, k, n_cells):
    """Summary, then KMeans of it."""
    summary = Summary(n_cells, n_threads=1)
    for batch in batches:
        summary.partial_fit(batch)
    yield len(summary.cells.weights)
    kmeans = KMeans(k, random_state=0, n_threads=1).fit(summary)
    yield kmeans.cluster_centers_, kmeans.inertia_
    yield summary, kmeans


def by_partial_fit(batches, k, n_cells):
    """KMeans.partial_fit: a clustering after every batch."""
    kmeans = KMeans(k, random_state=0, n_threads=1)
    for batch in batches:
        kmeans.partial_fit(batch)
    yield None
    yield kmeans.cluster_centers_, kmeans.inertia_


def by_mini_batches(batches, k, n_cells):
    """scikit-learn's MiniBatchKMeans.partial_fit."""
    kmeans = sklearn.cluster.MiniBatchKMeans(k, random_state=0)
    for batch in batches:
        kmeans.partial_fit(batch)
    yield None
    yield kmeans.cluster_centers_, None


def by_birch(batches, k, n_cells):
    """scikit-learn's Birch, then KMeans of its subclusters with their weights."""
    birch = sklearn.cluster.Birch(threshold=THRESHOLD, n_clusters=None)
    for batch in batches:
        birch.partial_fit(batch)
    weights = np.concatenate([leaf.n_samples_ for leaf in _leaves(birch)]).astype(float)
    yield len(weights)
    kmeans = KMeans(k, random_state=0, n_threads=1).fit(birch.subcluster_centers_, sample_weight=weights)
    yield kmeans.cluster_centers_, None


def by_bico(batches, k, n_cells):
    """The coreset of BICO, then KMeans of its points with their weights."""
    from bico import BICO

    bico = BICO(k, summary_size=n_cells, random_state=0)
    for batch in batches:
        bico.partial_fit(np.ascontiguousarray(batch))
    bico.partial_fit()
    yield len(bico.coreset_weights_)
    kmeans = KMeans(k, random_state=0, n_threads=1).fit(
        bico.coreset_points_, sample_weight=bico.coreset_weights_
    )
    yield kmeans.cluster_centers_, None


def _leaves(birch):
    for leaf in birch._get_leaves():
        leaf.n_samples_ = [subcluster.n_samples_ for subcluster in leaf.subclusters_]
        yield leaf


WAYS = {"summary": by_summary, "partial_fit": by_partial_fit, "minibatch": by_mini_batches, "birch": by_birch}
if find_spec("bico"):
    WAYS["bico"] = by_bico


def peak():
    """The most memory so far in MB, where that is known."""
    if not PEAK.exists():
        return float("nan")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measured(options, name, n_cells):
    """One way, in this process."""
    timed = Timed(options)
    KMeans(2, n_threads=1).partial_fit(next(batches(options))[:100])  # modules are loaded
    if PEAK.exists():
        PEAK.write_text("5", encoding="ascii")  # the peak is what there is now
    before, begin = peak(), process_time()
    way = WAYS[name](timed, options.clusters, n_cells)
    found = next(way)
    taken = process_time() - begin - timed.making
    (centers, known), followed = next(way), process_time() - begin - timed.making - taken
    after, gap, proving = peak(), None, process_time()
    if name == "summary" and options.certify:
        certificate = certify(*next(way), time_limit=options.certify)
        gap = certificate.gap
    proving = process_time() - proving
    nearest = KMeans(len(centers), n_threads=1)
    nearest.cluster_centers_, nearest.n_features_in_ = centers, options.features
    return {
        "cells": found,
        "taken": taken * 1e6 / options.rows,
        "followed": followed,
        "memory": after - before,
        "cost": -sum(nearest.score(batch) for batch in batches(options)),
        "known": known,
        "gap": gap,
        "proving": proving,
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=2)
    parser.add_argument("--clusters", type=int, default=50)
    parser.add_argument("--cells", type=int, nargs="+", default=[1000, 5000, 20_000])
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--offset", type=float, default=0.0)
    parser.add_argument("--certify", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measured(options, options.one, options.cells[0])))
        return
    begin = process_time()
    blocks = partial(batches, options, max(1, 1_000_000 // options.batch))
    full = KMeans(options.clusters, random_state=0, n_threads=1).fit(blocks).inertia_
    print(f"KMeans.fit of all rows: {process_time() - begin:.1f} s, cost {full:.6g}")
    print(f"{'way':12} {'cells':>7} {'s/1e6 rows':>10} {'then s':>7} {'MB':>6} {'cost':>8} {'known':>8}")
    for name in options.only:
        for n_cells in options.cells if name == "summary" else options.cells[-1:]:
            words = [
                f"--{word}={getattr(options, word)}"
                for word in ("rows", "features", "clusters", "batch", "offset", "certify")
            ]
            command = [sys.executable, __file__, *words, f"--cells={n_cells}", f"--one={name}"]
            one = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            found = json.loads(
                subprocess.run(command, check=True, capture_output=True, text=True, env=one).stdout
            )
            costs = [
                "" if cost is None else f"{100 * (cost / full - 1):+.2f} %"
                for cost in (found["cost"], found["known"])
            ]
            print(
                f"{name:12} {found['cells'] or '':>7} {found['taken']:10.1f} {found['followed']:7.2f} {found['memory']:6.0f}"
                f" {costs[0]:>8} {costs[1]:>8}"
                + (
                    ""
                    if found["gap"] is None
                    else f"  gap {100 * found['gap']:.3f} % in {found['proving']:.0f} s"
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
