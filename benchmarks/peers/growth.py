"""Growth: the time of a fit of ten iterations against n, d and k, each contender at each size in turn.

    python -m benchmarks.peers.growth SETTINGS

prints a line of JSON for each size.
"""

import json
import os
import sys
from time import perf_counter

from .cell import timed
from .contenders import DEFAULT, load
from .workloads import Workload, make

N_ITER = 10
ROUNDS = 5
# Rounds end after so many seconds, but not before the second one.
LONGEST = 20.0
# A contender that is bound to take longer than this, in seconds, is left out.
TOO_LONG = 8.0
BASE = {"n": 20_000, "d": 16, "k": 32}
SIZES = {
    "n": (100, 1000, 10_000, 100_000, 1_000_000, 10_000_000),
    "d": (1, 4, 16, 64, 256, 1024),
    "k": (2, 8, 32, 128, 512, 2048, 10_000),
}
SHOWN = (DEFAULT, "scikit-learn lloyd", "scikit-learn elkan", "scikit-learn-intelex", "FAISS", "mlpack naive")


def measure(contenders, axis, size):
    """Seconds of each contender at one size: all rounds."""
    shape = {**BASE, axis: size}
    X, start = make(Workload("", shape["n"], shape["d"], shape["k"], 0), "uniform", "float32")
    seconds, begin = {c.name: [] for c in contenders}, perf_counter()
    for turn in range(ROUNDS + 1):
        if turn > 1 and perf_counter() - begin > LONGEST:
            break
        first = turn % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            took = timed(contender, X, start, N_ITER)[1]
            if turn:  # not the first one
                seconds[contender.name].append(float(f"{took:.5g}"))
    return {**shape, "axis": axis, "seconds": seconds}


def main(settings, out):
    """Walk along an axis, from the smallest size on, or along the beginning of it that a share leaves."""
    alive = [c for c in load(settings["threads"], settings["only"])[0] if c.name in SHOWN]
    axis = settings["axis"]
    sizes = [
        size for size in SIZES[axis] if size <= max(SIZES[axis][0], SIZES[axis][-1] * settings["shrink"])
    ]
    for size, larger in zip(sizes, (*sizes[1:], 0)):
        record = measure(alive, axis, size)
        out.write(json.dumps({"event": "growth", "record": record}) + "\n")
        out.flush()
        alive = [c for c in alive if min(record["seconds"][c.name]) * larger / size <= TOO_LONG]


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a contender prints is not ours
    main(json.loads(sys.argv[1]), channel)
