"""More files for the checker: sums whose groups share rows, with proofs of each kind, one within another."""

from fractions import Fraction

from forged import FIVE, FIVE_LABELS, SEVEN, SEVEN_LABELS, lower

LINE, ONE, FAR = (f"proof line penalty={penalty}" for penalty in ("b/3", "1", "1f"))
TRIVIAL = "proof trivial"
GROUPS = ["proof sum 2", "group 3 0", "group 4 1", "shared 6 2 5"]
DEEPER = ["proof sum 2", "group 0 1", "group 2", "shared 3 4"]
PRICES = ["proof prices shift=0 m=12", "price 5 6 8 11 8"]
TREE = ["proof tree", "order 2 4 3 0 1", "suffix 670/4d 30/7 0 0 0"]
SDP = [
    "proof sdp scale=4 shift=0 tau=64",
    "mu -b27a -2842 319e8 8fae 1f9c3",
    "V -7 -4 8 -10 -a",
    "V -6c -4c 13 52 c2",
    "N",
    "N 0",
    "N 900 800",
    "N b00 700 0",
    "N 1400 f00 400 300",
]
PCA = ["proof pca scale=0 tau=2000", "V 10", "V -8"]
HEAVY = {"X": SEVEN, "labels": SEVEN_LABELS, "k": 3, "weights": [1, 2, 3, 1, 5, 1, 2]}
# A proof, the bound it gives exactly, and what it is for.
EXACT = [
    ("3419/154", [*GROUPS, *PRICES, *TREE], HEAVY),
    ("-2931/1024", [*GROUPS, TRIVIAL, *SDP], HEAVY),
    ("898/17", [*DEEPER, *PCA, TRIVIAL], {"X": FIVE, "labels": FIVE_LABELS, "weights": [3, 1, 2, 5, 4]}),
    (
        "29533/54",
        ["proof sum 3", "group 0 3", "group 1 4", "group 2", "shared 5 6", *[TRIVIAL] * 3],
        HEAVY | {"labels": [0] * 7, "k": 1},
    ),
    # A sum and a branch in groups that share rows, groups that share rows in a group, and a decision on rows of which one is shared.
    (
        "-16/3",
        [*GROUPS, "proof sum 2", "group 0 2", "group 3 5 6", LINE, FAR, "proof branch 4 5", LINE, LINE],
        HEAVY,
    ),
    (
        "7/6",
        ["proof sum 2", "group 0 1 2", "group 3 4 5 6", ONE]
        + ["proof sum 2", "group 3 4", "group 5", "shared 6", ONE, ONE],
        HEAVY | {"labels": [0, 0, 0, 0, 1, 1, 1], "k": 2},
    ),
    ("15", ["proof branch 2 3", *GROUPS, TRIVIAL, TRIVIAL, "proof line penalty=14"], HEAVY),
]
# Shared rows in a group that shares some already.
WITHIN = ["proof sum 1", "group 0", "shared 3", TRIVIAL]
NESTED = {
    "in a branch": [*DEEPER, "proof branch 0 3", *WITHIN, TRIVIAL, TRIVIAL],
    "in a sum": [*DEEPER, "proof sum 1", "group 0 3", *WITHIN, TRIVIAL],
}


def files():
    """name, exit code, content, data and weights."""
    for at, (bound, proof, where) in enumerate(EXACT):
        bound = Fraction(bound)
        yield f"shared {at}", 0, lower(bound, *proof, **where), None, None
        yield f"shared {at}, above", 1, lower(bound + Fraction(1, 2**50), *proof, **where), None, None
    for name, proof in NESTED.items():
        yield f"shared {name}", 2, lower(0, *proof, X=FIVE, labels=FIVE_LABELS), None, None
    yield "shared by many groups", 1, many(230, 230, [[i] for i in range(460)], one), None, None
    # Each group takes twice the steps for each of its rows, as its weights have more digits than those of all rows.
    long = [[i << 70] for i in range(1, 236)]
    yield "shared by weights of more digits", 1, many(64, 171, long, lambda row: [TRIVIAL]), None, None


def one(row):
    """A proof about one row of a group."""
    return ["proof sum 1", f"group {row:x}", TRIVIAL]


def many(m, n_shared, X, proof_of):
    """A file of m groups of one row, and shared rows."""
    lines = [f"proof sum {m:x}", *(f"group {row:x}" for row in range(m))]
    lines.append(" ".join(["shared", *(f"{row:x}" for row in range(m, m + n_shared))]))
    for row in range(m):
        lines += proof_of(row)
    return lower(0, *lines, X=X, labels=[0] * len(X))
