"""The process that measures, started with its number of threads: writes a line of JSON for each cell.

python -m benchmarks.peers.measure SETTINGS
"""

import json
import os
import sys
from time import perf_counter

import numpy as np

from .cell import Cell, rounded
from .contenders import load
from .iris import measure
from .workloads import DTYPES, WORKLOADS, shrunk


def peak(dtype):
    """Multiplications and additions that NumPy's matrix product does at best, in GFLOP/s."""
    size = 1024
    a = np.random.default_rng(0).random((size, size)).astype(dtype)
    times = []
    for _ in range(12):
        begin = perf_counter()
        a @ a
        times.append(perf_counter() - begin)
    return rounded(2 * size**3 / min(times) / 1e9)


def main(settings, out):
    """Measure the cells that the settings name, a record each as soon as it is there."""

    def write(**record):
        out.write(json.dumps(record) + "\n")
        out.flush()

    contenders, missing = load(settings["threads"], settings["only"])
    write(event="loaded", missing=missing, peak={dtype: peak(dtype) for dtype in DTYPES})
    workloads = {w.name: w for w in WORKLOADS}
    for key in settings["cells"]:
        name, kind, dtype = key
        write(event="cell", cell=key)
        cell = Cell(
            shrunk(workloads[name], settings["shrink"]),
            kind,
            dtype,
            contenders,
            settings["runs"],
            settings["patience"],
            settings["most"][kind],
            settings["crashed"].get("|".join(key), {}),
            lambda name: write(event="runs", contender=name),
        )
        write(event="done", cell=key, record={**cell.measure(), "threads": settings["threads"]})
    for dtype in DTYPES if settings["iris"] else ():
        write(event="iris", record={**measure(contenders, dtype), "threads": settings["threads"]})


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a contender prints is not ours
    main(json.loads(sys.argv[1]), channel)
