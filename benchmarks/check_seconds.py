"""How long is a proof by prices searched for, and how long checked: instance, n, d, k, seconds of both, boxes of the checker.

    python benchmarks/check_seconds.py [--limit SECONDS] [--folder FOLDER] [NAME:K ...]

Processor seconds: of the search for the clustering and of that for prices together; and of `python -m ckmeans.check`, without
starting Python. NAME is a data set that scikit-learn brings (iris, wine, breast_cancer, diabetes), blobs-NxD (see proved.py), or
a file of FOLDER, as for proved.py. --limit: seconds for either; where the search has not closed the gap until then, what it has
is checked as a bound.
"""

import argparse
import time
from concurrent import futures  # noqa: F401 with the true clock
from pathlib import Path
from time import process_time

import numpy as np
from sklearn import datasets

time.monotonic = process_time  # for what ckmeans tells of itself
from proved import FOLDER, each, rows_of  # noqa: E402

from ckmeans import check  # noqa: E402
from ckmeans.proofs.portfolio import prove  # noqa: E402

INSTANCES = (
    "iris:3 iris:8 wine:3 wine:7 breast_cancer:3 breast_cancer:10 blobs-500x3:5 gg_glass:3 hg_liver:3 pcsos_vertebral:3 "
    "r_olive:5 hg_bavaria1:10 cg_gr202:10 cg_u1060:60 sos_abalone:3"
).split()


class Late(Exception):
    """The checker was given up."""


def checked(text, limit):
    """Exit code, seconds and boxes of the checker; the code is None where it was given up."""
    begin, boxes, least = process_time(), [], check.Block.least

    def counted(*own):
        boxes.append(1)
        if process_time() - begin > limit:
            raise Late
        return least(*own)

    check.Block.least = counted
    try:
        code = check.verdict(text.encode())[0]
    except Late:
        code = None
    finally:
        check.Block.least = least
    return code, process_time() - begin, len(boxes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("names", nargs="*", default=INSTANCES)
    given = parser.parse_args()
    print("instance | n | d | k | claim | search | check | boxes | check : search")
    late = False
    for name, k in (pair for spec in given.names for pair in each(spec)):
        load = getattr(datasets, f"load_{name}", None)
        X = np.asarray(load().data, float) if load else rows_of(name, given.folder)
        begin = process_time()
        # A quarter of the limit is for the checker inside, whose seconds are taken off.
        found = prove(X, k, methods=["search", "prices"], time_limit=given.limit, rng=0)
        search = process_time() - begin - found.seconds.get("check", 0.0)
        code, seconds, boxes = checked(found.text(), given.limit)
        late |= code != check.PROVED
        told = (
            f"{seconds:.2f}"
            if code == check.PROVED
            else "refused"
            if code is not None
            else f"> {seconds:.0f}"
        )
        print(
            f"{name} | {len(X)} | {X.shape[1]} | {k} | {found.status} | {search:.2f} | {told} | {boxes} | "
            f"{seconds / max(search, 0.01):.1f}",
            flush=True,
        )
    return 1 if late else 0


if __name__ == "__main__":
    raise SystemExit(main())
