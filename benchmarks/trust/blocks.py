"""Blocks: rows in files, in Dask and seen once have the bits, the costs and the bounds of the same rows in one array."""

import tempfile
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ckmeans import KMeans, Summary, certify, check, check_summary, exhaustive_search, reference, summarize

from .numbers import blobs
from .rows import row


def sources(X, cuts, folder):
    """The same rows by every way that is there."""
    blocks = np.split(X, cuts)
    np.save(folder / "all.npy", X)
    yield "a file", str(folder / "all.npy")
    paths = [str(folder / f"part{at}.npy") for at in range(len(blocks))]
    for path, block in zip(paths, blocks):
        np.save(path, block)
    yield "files", paths
    yield "a callable", lambda: iter(blocks)
    if find_spec("dask"):
        import dask.array

        yield "Dask", dask.array.concatenate([dask.array.from_array(block) for block in blocks])
    if find_spec("pyarrow"):
        import pandas

        pandas.DataFrame(X, columns=[f"f{at}" for at in range(X.shape[1])]).to_parquet(folder / "all.parquet")
        yield "Parquet", str(folder / "all.parquet")


@row("rows in files, callables and Dask, cut anywhere: the bits of the fit of one array", 20, 1)
def rows_in_blocks(tally, rng, n):
    for at in range(n):
        X = (
            blobs(rng, int(rng.integers(200, 3000)), 4, 5, (float, np.float32)[at % 2])
            + (0.0, 1e8)[at % 4 == 0]
        )
        cuts = np.sort(rng.choice(np.arange(1, len(X)), int(rng.integers(1, 6)), replace=False))
        right = KMeans(5, random_state=0, n_init=1).fit(X)
        with tempfile.TemporaryDirectory() as folder:
            for name, source in sources(X, cuts, Path(folder)):
                model = KMeans(5, random_state=0, n_init=1).fit(source)
                same = np.array_equal(np.asarray(model.labels_), right.labels_)
                same &= model.cluster_centers_.tobytes() == right.cluster_centers_.tobytes()
                same &= model.inertia_ == right.inertia_
                tally.add(not same, None, f"{name}, {len(X)} rows in {len(cuts) + 1} blocks")


@row(
    "rows seen once: the sums and the cost of the cells are exact, for any batches and any parts added up",
    100,
    10,
)
def rows_seen_once(tally, rng, n):
    for at in range(n):
        X = rng.normal(size=(60, 2)) + (0.0, 1e9)[at % 2] * rng.choice([-1.0, 1.0], (60, 1))
        seeds, cuts = (
            X[rng.choice(60, 12, replace=False)],
            np.sort(rng.choice(np.arange(1, 60), 3, replace=False)),
        )
        batches = np.split(X, cuts)
        summary = sum((Summary(seeds=seeds).partial_fit(batch) for batch in batches), Summary(seeds=seeds))
        whole = Summary(seeds=seeds).partial_fit(X)
        model = KMeans(3, random_state=0).fit(summary)
        labels = model.labels_[summary.cells_of(X)]
        exact = reference.inertia(X, labels.tolist(), model.cluster_centers_)
        wrong = abs(Fraction(float(model.inertia_)) - exact) > exact * Fraction(1, 10**12)
        wrong |= any(a.tobytes() != b.tobytes() for a, b in zip(summary.cells, whole.cells))
        tally.add(wrong, None, f"offset {(0.0, 1e9)[at % 2]:g}")


@row("bounds of summaries are below the optimum of their rows, and the checker accepts them", 60, 6)
def bounds_of_summaries(tally, rng, n):
    for _ in range(n):
        X = rng.integers(-9, 10, (int(rng.integers(7, 11)), int(rng.integers(1, 3)))).astype(float)
        seeds = np.unique(X, axis=0)[::2]
        summary, k = summarize([X], seeds=seeds), 2
        if len(summary.cells.weights) <= k:
            continue
        found = certify(summary, KMeans(k, random_state=0).fit(summary), time_limit=5)
        best = exhaustive_search(X, k).inertia
        wrong = found.lower_bound > best * (1 + 1e-12) or found.inertia < best * (1 - 1e-12)
        if found.checked:
            wrong |= check_summary.verdict(found.text().encode())[0] != check.PROVED
        tally.add(wrong, None, f"{len(X)} rows: {found.lower_bound} for {best}")
