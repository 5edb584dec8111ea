"""How long does Lloyd's iteration of a sparse table take, and how much memory, beside scikit-learn?

    python benchmarks/sparse_rows.py [--rows N] [--clusters K ...] [--updates N] [--rounds N] [--threads N]

The table is as TF-IDF of texts of 50 topics: 50,000 features, some 62 entries a row, most of them of few features. Both begin
with the same rows as centers and make the same number of updates; the labels are compared first. Then they take turns in one
process: the ratio is that of the median CPU times, since scikit-learn's threads wait by spinning where others work too. The
memory is what a fit adds at its peak (Linux).
"""

import argparse
import warnings
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
        for _ in range(given.rounds):
            for name, model in contenders.items():
                with warnings.catch_warnings(), threadpool_limits(given.threads):
                    warnings.simplefilter("ignore")
                    found[name].append(measured(model.fit, X))
        ours, theirs = (runs[0][0] for runs in found.values())
        differ = np.count_nonzero(ours.labels_ != theirs.labels_)
        print(f"k={k}: {ours.n_iter_} and {theirs.n_iter_} updates, {differ} labels differ")
        for name, runs in found.items():
            _, wall, cpu, memory = map(median, zip(*[(0, *run[1:]) for run in runs]))
            print(f"  {name:12} {wall:8.2f} s, {cpu:8.2f} s of CPU, {memory:6.0f} MB")
        ratio = median(run[2] for run in found["scikit-learn"]) / median(run[2] for run in found["ckmeans"])
        print(f"  scikit-learn takes {ratio:.1f} times as much CPU time")


if __name__ == "__main__":
    main()
