"""Small data: `KMeans(3, n_init=10).fit(iris)` as a user would write it, seeding, restarts and validation included."""

from statistics import median
from time import perf_counter, sleep

import numpy as np
from sklearn.datasets import load_iris

from .cell import PAUSE

N_CLUSTERS, N_INIT = 3, 10
# The best known inertia of the float64 data, from best_known.py; a fit reaches it if it is off by less than this share.
BEST, SAME = 78.85144142614601, {"float32": 1e-4, "float64": 1e-9}
# In each of ROUNDS rounds, CALLS calls are made in a row, and their median counts: the first one finds cold caches.
ROUNDS, CALLS = 15, 50


def measure(contenders, dtype):
    """The record: median seconds of a fit, and the share of the fits that reached the best value known."""
    X = load_iris().data.astype(dtype)
    X.setflags(write=False)
    contenders = [c for c in contenders if c.restart is not None and dtype in c.dtypes]
    entries = {c.name: {"ours": c.ours, "seconds": []} for c in contenders}
    found = {c.name: [] for c in contenders}
    for turn in range(ROUNDS):
        first = turn % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            sleep(PAUSE)
            times = []
            for seed in range(CALLS * turn, CALLS * (turn + 1)):
                begin = perf_counter()
                inertia = contender.restart(X, N_CLUSTERS, N_INIT, seed)
                times.append(perf_counter() - begin)
                found[contender.name].append(inertia)
            entries[contender.name]["seconds"].append(float(f"{median(times):.5g}"))
    for name, entry in entries.items():
        reached = np.abs(np.array(found[name]) / BEST - 1) <= SAME[dtype]
        entry["reached"] = round(float(reached.mean()), 3)
        entry["status"] = "same" if entry["reached"] >= 0.5 else "different"
    return {"data": "iris", "dtype": dtype, "contenders": entries}
