"""Rows that fit neither into memory nor into the address space: what fit takes of both, and how long it lasts.

    python benchmarks/streaming.py [GIGABYTES] [LIMIT] [FOLDER]

Writes a file of 8 GB of float32 blobs with 32 features to FOLDER (the temporary one), and fits it in a process that may have
no more than LIMIT (2) GB of address space, in which the file cannot even be mapped. The file is deleted in the end.
Linux and macOS only.
"""

import os
import resource
import subprocess
import sys
import tempfile
from time import perf_counter

import numpy as np

FEATURES, CLUSTERS = 32, 100


def write(path, gigabytes):
    """Write blobs; returns how many rows."""
    rng = np.random.default_rng(0)
    n = int(gigabytes * 1e9) // (4 * FEATURES)
    centers = rng.uniform(-10, 10, (CLUSTERS, FEATURES)).astype(np.float32)
    header = {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": (n, FEATURES)}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n, 1 << 18):
            size = min(1 << 18, n - start)
            noise = rng.standard_normal((size, FEATURES), np.float32)
            file.write((centers[rng.integers(CLUSTERS, size=size)] + 2 * noise).data)
    return n


def peak(name):
    """A peak of this process in MB, as Linux tells it."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def fit(path, limit, init, max_iter):
    """Fit under the limit, which holds for all that the process takes."""
    resource.setrlimit(resource.RLIMIT_AS, (int(limit * 1e9), int(limit * 1e9)))
    from ckmeans import KMeans

    try:
        np.load(path, mmap_mode="r")
        print("the file can be mapped: the limit says nothing")
    except OSError as error:
        print(f"mapping the file: {error}")
    begin = perf_counter()
    model = KMeans(CLUSTERS, init=init, n_init=1, max_iter=max_iter, random_state=0).fit(path)
    seconds = perf_counter() - begin
    print(
        f"init={init!r}, max_iter={max_iter}: {seconds:.0f} s, {model.n_iter_} updates, inertia {model.inertia_:.6g} of"
        f" {len(model.labels_):,} rows, {model.stop_reason_}"
    )
    if os.path.exists("/proc/self/status"):
        print(f"peak: {peak('VmHWM'):.0f} MB of memory, {peak('VmPeak'):.0f} MB of address space", flush=True)


def main(gigabytes=8.0, limit=2.0, folder=None):
    with tempfile.TemporaryDirectory(dir=folder) as folder:
        path = os.path.join(folder, "X.npy")
        begin = perf_counter()
        n = write(path, gigabytes)
        print(
            f"{path}: {os.path.getsize(path) / 1e9:.2f} GB, {n:,} rows, written in {perf_counter() - begin:.0f} s"
        )
        for init, max_iter in (("random", 5), ("k-means||", 5)):
            subprocess.run(
                [sys.executable, __file__, "--fit", path, str(limit), init, str(max_iter)], check=True
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fit"]:
        fit(sys.argv[2], float(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    else:
        main(*map(float, sys.argv[1:3]), *sys.argv[3:])
