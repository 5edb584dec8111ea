"""
Can I cluster more rows than my memory holds?
=============================================

The rows here are made a day at a time, by two workers of a Dask cluster on this machine, each
of which may take 1 GiB. What they cannot keep they make again in each pass. The centers are
those of all rows, to the last bit what one array of them would give; the labels are lazy, in
the blocks of the rows. The start is drawn by the workers too, so that only some rows for each
cluster come here; the default would gather more of them. On another cluster, or with files in
place of ``day``, nothing changes.

``python docs/examples/13_cluster.py 120`` takes 120 days: 30 million rows, 0.48 GB, more than
these workers can keep.
"""

import sys
from time import perf_counter

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster

from ckmeans import KMeans

PLACES = np.random.default_rng(0).uniform(-10, 10, (12, 2))
ROWS = 250_000  # of a day


def day(number):
    """Rows of one day."""
    rng = np.random.default_rng(number)
    return PLACES[rng.integers(12, size=ROWS)] + rng.normal(scale=0.7, size=(ROWS, 2))


def days(n):
    """All rows, none of which is made yet."""
    numbers = da.arange(n, chunks=1)[:, None]
    chunks = (n * (ROWS,), (2,))
    return numbers.map_blocks(
        lambda block: day(block[0, 0]), chunks=chunks, dtype=float
    )


def main(n):
    X = days(n)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="1GiB") as cluster,
        Client(cluster),
    ):
        begin = perf_counter()
        kmeans = KMeans(12, init="k-means||", n_init=1, random_state=0).fit(X)
        took = perf_counter() - begin
        sizes = da.bincount(kmeans.labels_, minlength=12).compute()
    print(f"{len(X):,} rows, {X.nbytes / 1e9:.2g} GB: {took:.0f} s")
    print(f"inertia {kmeans.inertia_:.1f} after {kmeans.n_iter_} updates")
    print(f"clusters of {sizes.min():,} to {sizes.max():,} rows")
    return kmeans


def draw(kmeans):
    some = day(0)[:20_000]
    plt.scatter(*some.T, s=1, c=kmeans.predict(some), cmap="tab20")
    plt.plot(*kmeans.cluster_centers_.T, "k+", markersize=12)
    plt.title("20,000 of the rows, and the centers of all of them")
    plt.show()


if __name__ == "__main__":  # workers read this file too
    draw(main(int(sys.argv[1]) if sys.argv[1:2] and sys.argv[1].isdigit() else 4))
