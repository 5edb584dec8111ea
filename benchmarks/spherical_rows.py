"""How long does spherical k-means of rows like embeddings take, and how good is it, beside FAISS, SuperKMeans and scikit-learn?

    python benchmarks/spherical_rows.py [--rows N] [--features N] [--clusters K] [--updates N] [--rounds N] [--threads N]

Rows of length one, float32, near a space of 32 dimensions, as in `benchmarks.peers`. All begin with the same rows as centers and
make the same number of updates: FAISS with spherical=True, SuperKMeans with angular=True on all rows, scikit-learn on the rows of
length one, whose means are turned to length one in the end. The objective is the sum of 1 - cosine of each row and the nearest of
a program's centers, computed here, in float64, for all of them. They take turns in one process; the ratio is that of the medians
of processor time. A program that is not installed is left out.
"""

import argparse
import os
import sys
import warnings
from importlib import import_module
from pathlib import Path
from statistics import median
from time import process_time

options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
options.add_argument("--rows", type=int, default=50_000)
options.add_argument("--features", type=int, default=768)
options.add_argument("--clusters", type=int, default=1000)
options.add_argument("--updates", type=int, default=20)
options.add_argument("--rounds", type=int, default=3)
options.add_argument("--threads", type=int, default=1)
given = options.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before anyone reads them
    os.environ[name] = str(given.threads)
sys.path.append(str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402
import sklearn.cluster  # noqa: E402

from benchmarks.peers import workloads  # noqa: E402
from ckmeans import SphericalKMeans  # noqa: E402

BLOCK = 2000  # rows whose cosines are computed at a time


def ckmeans(X, start):
    model = SphericalKMeans(len(start), init=start, n_init=1, max_iter=given.updates, n_threads=given.threads)
    return model.fit(X).cluster_centers_


def scikit_learn(X, start):
    model = sklearn.cluster.KMeans(len(start), init=start, n_init=1, max_iter=given.updates, tol=0)
    return model.fit(X).cluster_centers_


def faiss(X, start):
    library = import_module("faiss")
    library.omp_set_num_threads(given.threads)
    # Else it stops where its objective, summed in float32, does not fall.
    further = {"early_stop_threshold": -1.0} if hasattr(library.Clustering, "early_stop_threshold") else {}
    model = library.Kmeans(
        X.shape[1],
        len(start),
        niter=given.updates,
        spherical=True,
        max_points_per_centroid=2**31 - 1,
        min_points_per_centroid=1,
        **further,
    )
    model.train(X, init_centroids=start)
    return model.centroids


def superkmeans(X, start):
    model = import_module("superkmeans").SuperKMeans(
        n_clusters=len(start),
        dimensionality=X.shape[1],
        hierarchical=False,
        max_points_per_cluster=len(X),  # else it takes 256 rows for each cluster
        iters=given.updates,
        n_threads=given.threads,
        sampling_fraction=1.0,
        early_termination=False,
        angular=True,
        verbose=False,
    )
    return model.train(X)  # it draws its own rows as centers


def objective(X, centers):
    """The sum of 1 - cosine."""
    centers = centers / np.linalg.norm(centers.astype(float), axis=1)[:, None]
    total = 0.0
    for at in range(0, len(X), BLOCK):
        rows = X[at : at + BLOCK].astype(float)
        rows /= np.linalg.norm(rows, axis=1)[:, None]
        total += (1 - (rows @ centers.T).max(axis=1)).sum()
    return total


def main():
    warnings.simplefilter("ignore")
    workload = workloads.Workload(
        "", given.rows, given.features, given.clusters, 0, ("embeddings",), ("float32",)
    )
    X, start = workloads.make(workload, "embeddings", "float32")
    seconds, ends = {}, {}
    for _ in range(given.rounds):
        for program in (ckmeans, faiss, superkmeans, scikit_learn):
            try:
                begin = process_time()
                centers = program(X, start)
            except ImportError:
                continue
            seconds.setdefault(program.__name__, []).append(process_time() - begin)
            ends[program.__name__] = objective(X, np.asarray(centers))
    ours = median(seconds["ckmeans"])
    print(
        f"{given.rows} x {given.features}, k={given.clusters}, {given.updates} updates, {given.threads} threads"
    )
    for name, took in seconds.items():
        print(
            f"{name:13} {median(took):8.2f} s  {median(took) / ours:6.2f}  {ends[name]:.6g} = {ends[name] / ends['ckmeans']:.5f}"
        )


if __name__ == "__main__":
    main()
