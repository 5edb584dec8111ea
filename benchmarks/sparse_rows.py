"""How long does Lloyd's iteration of a sparse table take, and how much memory, beside scikit-learn?

    python benchmarks/sparse_rows.py [--rows N] [--clusters K ...] [--updates N] [--rounds N] [--threads N]

The table is as TF-IDF of texts of 50 topics: 50,000 features, some 62 entries a row, most of them of few features. Both begin
with the same rows as centers and make the same number of updates. Results are looked at first, and the command ends with an error
where they are wrong: the labels of a sample of the rows, in fractions; updates and inertia beside scikit-learn's. Then they take
turns in one process: the ratio is that of the median CPU times, since scikit-learn's threads wait by spinning where others work
too. The memory is what a fit adds at its peak (Linux).
"""

import argparse
import warnings
from fractions import Fraction
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import sklearn.cluster
from scipy import sparse
from threadpoolctl import threadpool_limits

from ckmeans import KMeans

N_FEATURES = 50_000
WORDS = 71  # of a row, of which some are the same
TOPICS = 50
SAMPLE = 100  # rows whose labels are checked in fractions
NEAR = 1e-9  # difference of squared distances by which floats do not tell centers apart for sure
SAME = 1e-6  # share of the inertia by which two runs may differ that rounding has led apart
PEAK = Path("/proc/self/clear_refs")


def table(n_rows):
    """Rows of length one, in CSR."""
    rng = np.random.default_rng(0)
    share = np.cumsum(1 / np.arange(1, N_FEATURES + 1))
    words = np.searchsorted(share / share[-1], rng.random((n_rows, WORDS))).clip(max=N_FEATURES - 1)
    own, topics = (
        np.array([rng.permutation(N_FEATURES) for _ in range(TOPICS)]),
        rng.integers(TOPICS, size=n_rows),
    )
    words = np.where(rng.random(words.shape) < 0.5, own[topics[:, None], words], words)
    starts = np.arange(0, words.size + 1, WORDS, dtype=np.int32)  # scikit-learn takes no others
    X = sparse.csr_array(
        (np.ones(words.size), words.ravel().astype(np.int32), starts), shape=(n_rows, N_FEATURES)
    )
    X.sum_duplicates()
    frequency = np.bincount(X.indices, minlength=N_FEATURES)
    X.data = (1 + np.log(X.data)) * np.log(n_rows / np.maximum(1, frequency))[X.indices]
    X.data /= np.repeat(np.sqrt(np.asarray((X * X).sum(axis=1)).ravel()), np.diff(X.indptr))
    return X


def exact_label(row, centers, sq_norms):
    """The nearest center of a row of length one, in fractions; floats pass over those that are much farther."""
    scores = sq_norms - 2 * (
        centers[:, row.indices] @ row.data
    )  # squared distances, less that of the row to zero
    near = np.flatnonzero(scores <= scores.min() + NEAR)
    if len(near) == 1:
        return near[0]
    x = row.toarray()[0]
    exact = [
        sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x.tolist(), centers[k].tolist())) for k in near
    ]
    return near[exact.index(min(exact))]


def refuse_wrong(X, ours, theirs):
    """End with an error where labels, updates or inertia are wrong; returns how many labels differ."""
    some = np.random.default_rng(2).choice(X.shape[0], min(SAMPLE, X.shape[0]), replace=False)
    centers = ours.cluster_centers_
    sq_norms = np.einsum("kf,kf->k", centers, centers)
    right = [exact_label(X[i : i + 1], centers, sq_norms) for i in some]
    if not np.array_equal(ours.labels_[some], right):
        raise SystemExit("WRONG: a label is not that of the nearest center")
    if ours.n_iter_ != theirs.n_iter_ or abs(ours.inertia_ / theirs.inertia_ - 1) > SAME:
        raise SystemExit(
            f"WRONG: inertia {ours.inertia_} after {ours.n_iter_} updates, theirs {theirs.inertia_} after {theirs.n_iter_}"
        )
    return np.count_nonzero(ours.labels_ != theirs.labels_)


def peak():
    """The most memory so far in MB, where that is known."""
    if not PEAK.exists():
        return float("nan")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measured(fit, X):
    """The fitted model, seconds, seconds of CPU, and megabytes."""
    if PEAK.exists():
        PEAK.write_text("5", encoding="ascii")
    before, begin, cpu = peak(), perf_counter(), process_time()
    model = fit(X)
    return model, perf_counter() - begin, process_time() - cpu, peak() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--clusters", type=int, nargs="+", default=[20, 100, 1000])
    parser.add_argument("--updates", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    X = table(given.rows)
    print(f"{X.shape[0]} x {X.shape[1]}, {X.nnz / X.shape[0]:.0f} entries a row")
    for k in given.clusters:
        start = X[np.random.default_rng(1).choice(X.shape[0], k, replace=False)].toarray()
        options = {"n_clusters": k, "init": start, "n_init": 1, "max_iter": given.updates}
        contenders = {
            "ckmeans": KMeans(**options, n_threads=given.threads),
            "scikit-learn": sklearn.cluster.KMeans(**options, tol=0, algorithm="lloyd"),
        }
        found = {name: [] for name in contenders}
        for turn in range(given.rounds):
            for name, model in contenders.items():
                with warnings.catch_warnings(), threadpool_limits(given.threads):
                    warnings.simplefilter("ignore")
                    found[name].append(measured(model.fit, X))
            if turn == 0:
                differ = refuse_wrong(X, *contenders.values())
                print(f"k={k}: {contenders['ckmeans'].n_iter_} updates, {differ} labels differ", flush=True)
        for name, runs in found.items():
            _, wall, cpu, memory = map(median, zip(*[(0, *run[1:]) for run in runs]))
            print(f"  {name:12} {wall:8.2f} s, {cpu:8.2f} s of CPU, {memory:6.0f} MB")
        ratio = median(run[2] for run in found["scikit-learn"]) / median(run[2] for run in found["ckmeans"])
        print(f"  scikit-learn takes {ratio:.1f} times as much CPU time")


if __name__ == "__main__":
    main()
