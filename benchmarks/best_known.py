"""Does KMeans reach the best known inertia, and how soon?

    python benchmarks/best_known.py [FOLDER] [--algorithm hybrid] [--only TEXT] [--seconds 60] [--threads N]

FOLDER holds best_known.csv and the instances, one text file each; default: ../shared/data from the project's root. Of these,
the default algorithm is tried on n <= 1,000 and k <= 10, and on scikit-learn's data sets, whose "best known" value is the best of
200 restarts of scikit-learn; "hybrid" on all n <= 3,100. --only takes those whose "name k" holds TEXT.

Each instance is fitted with seeds 0, 1, ... and the default n_init="auto" until the best known value is reached (to a
relative 1e-9), or the seconds or a number of fits are spent. "restarts" counts all restarts (or populations) of all these
fits; "s" are the seconds until the best inertia was first met, "all" those of the fits.
"""

import argparse
import csv
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


def instances(folder, hybrid, only):
    """Yield name, X, n_clusters and the best inertia known."""
    most_rows, most_clusters = (3100, np.inf) if hybrid else (1000, 10)
    table = folder / "best_known.csv"
    if table.exists():
        for row in csv.DictReader(table.open()):
            n_samples, k = int(row["n_samples"]), int(row["n_clusters"])
            if n_samples <= most_rows and k <= most_clusters and only in f"{row['instance']} {k}":
                X = np.loadtxt(folder / f"{row['instance']}.txt", skiprows=1, ndmin=2)
                assert X.shape == (n_samples, int(row["n_features"]))
                yield row["instance"], X, k, float(row["best_inertia"])
    else:
        print(f"no {table}: its instances are skipped")
    for name, load in {} if hybrid else BUNDLED.items():
        X = load().data
        for k in range(2, 11):
            if only in f"{name} {k}":
                yield name, X, k, sklearn.cluster.KMeans(k, n_init=200, random_state=0).fit(X).inertia_


def search(X, n_clusters, known, seconds, **options):
    """The best inertia, the restarts and fits it took, and the seconds: until it was met, and of all fits."""
    begin, best, restarts, met = perf_counter(), np.inf, 0, 0.0
    for seed in range(MOST_FITS):
        seen = []  # (seconds, inertia) of the better clusterings of the fit
        model = KMeans(
            n_clusters,
            random_state=seed,
            max_seconds=max(0.0, begin + seconds - perf_counter()),
            verbose=lambda _, inertia, seen=seen: seen.append((perf_counter() - begin, inertia)),
            **options,
        ).fit(X)
        restarts += model.n_restarts_
        if model.inertia_ < best * (1 - ACCURACY):
            best = model.inertia_
            met = min(
                [at for at, inertia in seen if inertia <= best * (1 + ACCURACY)],
                default=perf_counter() - begin,
            )
        if best <= known * (1 + ACCURACY) or perf_counter() >= begin + seconds:
            break
    return best, restarts, seed + 1, met, perf_counter() - begin


def main(folder, only, seconds, **options):
    reached = compared = at_once = better = 0
    total = 0.0
    size = f"{'n':>5} {'d':>3} {'k':>3}"
    print(
        f"{'instance':22} {size} {'best known':>18} {'ours':>18} {'excess':>9} {'fits':>5} {'restarts':>8} {'s':>7} {'all':>7}"
    )
    for name, X, k, known in instances(folder, options["algorithm"] == "hybrid", only):
        best, restarts, fits, met, took = search(X, k, known, seconds, **options)
        total += took
        excess = best / known - 1
        compared += 1
        reached += excess <= ACCURACY
        at_once += excess <= ACCURACY and fits == 1
        better += excess < -ACCURACY
        size = f"{X.shape[0]:5} {X.shape[1]:3} {k:3}"
        print(
            f"{name:22} {size} {known:18.12g} {best:18.12g} {excess:9.1e} {fits:5} {restarts:8} {met:7.2f} {took:7.2f}",
            flush=True,
        )
    print(
        f"\n{reached} of {compared} best known values reached, {at_once} of them by the first fit, "
        f"{better} improved on; {total:.0f} s in all"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--algorithm", default="auto")
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=None, dest="n_threads")
    main(**vars(parser.parse_args()))
