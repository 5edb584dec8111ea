"""How long do the best classes of one feature take, beside kmeans1d and ckwrap?

    python benchmarks/univariate.py [N_ROUNDS] [ROWS ...]

For each problem the results are compared first; a peer's that costs more is told. Then the contenders take turns in one
process, sorting and labels included, and the ratio is that of the median times. Peers that are not installed are left out; so
is a peer that needed more than LIMIT seconds on a problem of the same kind, from the next one on.
"""

import sys
from time import perf_counter

import numpy as np

from ckmeans import natural_breaks

LIMIT = 20
# Two inertias are the same if they differ by less than this share.
SAME = 1e-9


def contenders():
    """Name -> function of values and k that returns labels."""
    yield "ckmeans", lambda values, k: natural_breaks(values, k).labels
    try:
        import kmeans1d

        yield "kmeans1d", lambda values, k: np.asarray(kmeans1d.cluster(values, k).clusters)
    except ImportError:
        pass
    try:
        import ckwrap

        yield "ckwrap", lambda values, k: np.asarray(ckwrap.ckmeans(values, k).labels)
    except ImportError:
        pass


def draws(rows):
    """Yield the kind of the values, and the values."""
    rng = np.random.default_rng(0)
    for n in rows:
        yield "uniform", rng.random(n)
        yield "lognormal", rng.lognormal(size=n)
        yield "time stamps", 1.7e9 + rng.random(n) * 1e5


def inertia(values, labels):
    """Sums of squared distances to the means, centered first."""
    values = values - values.mean()
    sizes = np.bincount(labels)
    means = np.bincount(labels, values) / np.maximum(sizes, 1)
    return float(np.sum((values - means[labels]) ** 2))


def timed(function, *given):
    begin = perf_counter()
    result = function(*given)
    return result, perf_counter() - begin


def main(n_rounds, rows):
    functions, slow = dict(contenders()), set()
    print(
        f"{'values':12} {'rows':>10} {'k':>4} {'contender':10} {'median s':>10} {'times ours':>10}  cost above ours"
    )
    for kind, values in draws(rows):
        for k in (10, 100):
            here = [name for name in functions if (name, kind) not in slow]
            if len(values) > 1_000_000:
                here = ["ckmeans"]
            seconds, cost = {name: [] for name in here}, {}
            for turn in range(n_rounds):
                for name in here:
                    if turn and seconds[name][0] > LIMIT:
                        slow.add((name, kind))
                        continue
                    labels, taken = timed(functions[name], values, k)
                    seconds[name].append(taken)
                    if not turn:
                        cost[name] = inertia(values, labels)
            for name in here:
                median = np.median(seconds[name])
                above = cost[name] / cost["ckmeans"] - 1
                remark = "the same" if abs(above) < SAME else f"{above:+.2%}"
                ratio = median / np.median(seconds["ckmeans"])
                print(
                    f"{kind:12} {len(values):10} {k:4} {name:10} {median:10.4f} {ratio:10.2f}  {remark}",
                    flush=True,
                )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 3,
        [int(float(n)) for n in sys.argv[2:]] or [10**5, 10**6, 10**7],
    )
