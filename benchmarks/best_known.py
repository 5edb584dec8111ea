"""Does KMeans reach the best known inertia? Instances with n <= 1,000 and k <= 10, and scikit-learn's data sets.

    python benchmarks/best_known.py [FOLDER]

FOLDER holds best_known.csv and the instances, one text file each; default: ../shared/data from the project's root.
Each instance is fitted with seeds 0, 1, ... and the default n_init="auto" until the best known value is reached (to a
relative 1e-9) or a budget of fits is spent. "restarts" counts all restarts of all these fits. For scikit-learn's data sets
"best known" is the best of 200 restarts of scikit-learn.
"""

import csv
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import sklearn.cluster
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from ckmeans import KMeans

FOLDER = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
MOST_FITS = 50
ACCURACY = 1e-9
BUNDLED = {"sklearn iris": load_iris, "sklearn wine": load_wine, "sklearn breast cancer": load_breast_cancer}


def instances(folder):
    """Yield name, X, n_clusters and the best inertia known."""
    table = folder / "best_known.csv"
    if table.exists():
        for row in csv.DictReader(table.open()):
            if int(row["n_samples"]) <= 1000 and int(row["n_clusters"]) <= 10:
                X = np.loadtxt(folder / f"{row['instance']}.txt", skiprows=1, ndmin=2)
                assert X.shape == (int(row["n_samples"]), int(row["n_features"]))
                yield row["instance"], X, int(row["n_clusters"]), float(row["best_inertia"])
    else:
        print(f"no {table}: its instances are skipped")
    for name, load in BUNDLED.items():
        X = load().data
        for k in range(2, 11):
            yield name, X, k, sklearn.cluster.KMeans(k, n_init=200, random_state=0).fit(X).inertia_


def search(X, n_clusters, known):
    """The best inertia, the restarts it took and the seconds."""
    begin, best, restarts = perf_counter(), np.inf, 0
    for seed in range(MOST_FITS):
        model = KMeans(n_clusters, random_state=seed).fit(X)
        best, restarts = min(best, model.inertia_), restarts + model.n_restarts_
        if best <= known * (1 + ACCURACY):
            break
    return best, restarts, seed + 1, perf_counter() - begin


def main(folder):
    reached = compared = at_once = better = 0
    seconds = 0.0
    size = f"{'n':>5} {'d':>3} {'k':>3}"
    print(
        f"{'instance':22} {size} {'best known':>18} {'ours':>18} {'excess':>9} {'fits':>5} {'restarts':>8} {'s':>7}"
    )
    for name, X, k, known in instances(folder):
        best, restarts, fits, took = search(X, k, known)
        seconds += took
        excess = best / known - 1
        compared += 1
        reached += excess <= ACCURACY
        at_once += excess <= ACCURACY and fits == 1
        better += excess < -ACCURACY
        size = f"{X.shape[0]:5} {X.shape[1]:3} {k:3}"
        print(
            f"{name:22} {size} {known:18.10g} {best:18.10g} {excess:9.1e} {fits:5} {restarts:8} {took:7.2f}",
            flush=True,
        )
    print(
        f"\n{reached} of {compared} best known values reached, {at_once} of them by the first fit, "
        f"{better} improved on; {seconds:.0f} s in all"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
