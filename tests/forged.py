"""Proof files that are not to be accepted, each for a reason of its own, and some that are: what a hole in the checker would change."""

import hashlib
import struct
from fractions import Fraction

import forged_angles
import numpy as np
from forged_left import left
from forged_tables import tables
from proofs import Small

from ckmeans.proofs import proof_lines
from ckmeans.proofs.problem import ExactProblem

FOUR = [[0], [2], [10], [13]]  # k = 2: the optimum is 2 + 9/2 = 13/2
HALVES = [0, 0, 1, 1]


def hexed(word, numbers):
    return " ".join([word, *(f"{int(v):x}" for v in numbers)])


def file(X, k, labels, claim, *proof, weights=None, with_rows=True):
    """A file of integer rows and weights, whatever they claim."""
    flat = [float(v) for row in X for v in row] + [float(w) for w in weights or ()]
    lines = [
        "CKC 1",
        f"problem sse n={len(X):x} d={len(X[0]):x} k={k:x} weights={weights is not None:d}",
        f"data sha256={hashlib.sha256(struct.pack(f'<{len(flat)}d', *flat)).hexdigest()} scale=0",
        *(hexed("X", row) for row in X if with_rows),
        *(["weights scale=0", hexed("W", weights)] if weights else []),
        hexed("labels", labels),
        f"claim {claim}",
        *proof,
    ]
    return proof_lines.sealed(lines).encode()


def changed(content, old, new):
    """The file with other words, and a last line that fits."""
    text = content.decode()
    assert text.count(old) >= 1, old
    return proof_lines.sealed(text.replace(old, new, 1).splitlines()[:-1]).encode()


def sdp(tau, mu, V, N, cuts=(), scale=0, shift=0):
    return [
        f"proof sdp scale={scale:x} shift={shift:x} tau={int(tau):x}",
        hexed("mu", mu),
        *(hexed("V", v) for v in V),
        *(hexed("N", row) for row in N),
        *(hexed("cut", cut) for cut in cuts),
    ]


def best_sdp(X, N, cuts=(), k=2, scale=40, spare=1e-6, weights=None):
    """The semidefinite proof with given multipliers, of whatever sign: mu, V and tau from the eigenvectors."""
    x, N = np.array(X, float), np.array(N, float)
    n = len(x)
    w = np.ones(n) if weights is None else np.array(weights, float)
    r = np.sqrt(w)
    x = x * w[:, None]
    K = x @ x.T + N + N.T
    for i, j, h, a in cuts:
        K[i, i] += a
        for p, q, part in ((i, j, -a / 2), (i, h, -a / 2), (j, h, a / 2))[: 1 if j == h else 3]:
            K[p, q] += part
            K[q, p] += part
    K /= np.outer(r, r)
    P = np.eye(n) - np.outer(r, r) / (r @ r)
    values, Q = np.linalg.eigh(P @ K @ P - 1e4 * (np.eye(n) - P))
    tau = values[-k]
    V = (Q[:, n - k + 1 :] * np.sqrt(np.maximum(values[n - k + 1 :] - tau, 0))).T / r
    q = K @ r / (r @ r)
    mu = (2 * q - r * (q @ r + tau) / (r @ r)) * r
    unit = 4.0**scale
    return sdp(
        round((tau + spare) * unit),
        [round(m * unit) for m in mu],
        [[round(v * 2.0**scale) for v in row] for row in V],
        [[round(v * unit) for v in row[:i]] for i, row in enumerate(N)],
        [(i, j, h, round(a * unit)) for i, j, h, a in cuts],
        scale,
    )


# Multipliers of either sign, with which the bound would be above the optimum.
MINUS = [[0, 0, 0, 0], [-64.8, 0, 0, 0], [94.9, -210.8, 0, 0], [-65.8, -125.7, -230.1, 0]]
NONE = np.zeros((4, 4))
CUTS = [(0, 2, 3, -6.0), (1, 2, 3, -6.0), (2, 0, 1, -6.0), (3, 0, 1, -6.0)]


def lower(value, *proof, X=FOUR, k=2, labels=HALVES, weights=None):
    """A file that claims a lower bound, which may be a fraction."""
    rows = ExactProblem(np.array(X, float), None if weights is None else np.array(weights, float))
    cost, value = rows.cost(labels) * rows.unit, Fraction(value)
    claim = f"bounded lower={value.numerator:x}/{value.denominator:x} value={cost.numerator:x}/{cost.denominator:x}"
    return file(X, k, labels, claim, *proof, weights=weights)


def optimal(value, *proof, X=FOUR, k=2, labels=HALVES, unique=True, weights=None):
    value = Fraction(value)
    claim = f"optimal{'-unique' if unique else ''} value={value.numerator:x}/{value.denominator:x}"
    return file(X, k, labels, claim, *proof, weights=weights)


ONE_LINE = [
    ("sse", "sse", 0),
    ("k=2", "k=0", 2),
    ("k=2", "k=1", 2),
    ("n=4", "n=0", 2),
    ("n=4", "n=3", 3),
    ("n=4", "n=5", 3),
    ("d=1", "d=0", 2),
    ("d=1", "d=2", 2),
    ("sse", "median", 2),
    ("weights=0", "weights=2", 2),
    ("n=4", "n=ffffff", 2),
    ("n=4", "n=-4", 2),
    ("n=4", "m=4", 2),
    ("n=4", "n=4 o=1", 2),
    ("scale=0", "scale=4001", 2),
    ("scale=0", "scale=-1", 2),
    ("scale=0", "scale=1", 3),
    ("X d", "X e", 3),
    ("X d", "X d d", 2),
    ("X 0\n", "X -0\n", 2),
    ("X 0\n", "", 3),
    ("X d\n", "X d\nX d\n", 3),
    ("labels", "label", 2),
    ("0 0 1 1", "0 0 1 2", 2),
    ("0 0 1 1", "0 0 1 -1", 2),
    ("0 0 1 1", "0 0 1", 2),
    ("0 0 1 1", "0 0 1 1 1", 2),
    ("0 0 1 1", "0 0 0 1", 1),
    ("optimal", "best", 2),
    ("optimal", "optimal-unique", 1),
    ("value=d/2", "value=c/2", 1),
    ("value=d/2", "value=7", 1),
    ("value=d/2", "value=d/0", 2),
    ("value=d/2", "value=d/2/2", 2),
    ("problem sse n=4 d=1 k=2 weights=0", "problem", 2),
    ("claim optimal value=d/2", "claim", 2),
    ("value=d/2", "value=-d/-2", 2),
    ("value=d/2", "lower=d/2 value=d/2", 2),
]
PROOFS = [
    ("line penalty=-20", 1),
    ("line penalty=-1", 1),
    ("line penalty=1", 1),
    ("line ", 2),
    ("line penalty=20 more=1", 2),
    ("magic", 2),
    ("line penalty=20\nproof trivial", 2),
    ("trivial", 1),
    ("trivial 1", 2),
    ("sum 0", 2),
    ("sum", 2),
    ("sum 1 0\ngroup 0 1 2 3\nproof line penalty=20", 2),
    ("sum 1\ngroup 0 0\nproof trivial", 2),
    ("sum 1\ngroup\nproof trivial", 2),
    ("sum 1\ngroup 0 4\nproof trivial", 2),
    ("sum 1\ngroup 3 2 1 0\nproof line penalty=20", 0),
    ("sum 2\ngroup 0 1 2 3\ngroup 0 1\nproof line penalty=20\nproof trivial", 2),
    ("sum 1\ngroup 0 1 2\nshared 3\nproof line penalty=20", 0),
    ("sum 1\ngroup 0 1 2 3\nshared\nproof line penalty=20", 0),
    ("sum 2\ngroup 0 1\ngroup 2\nshared 3\nproof line penalty=20\nproof line penalty=20", 1),
    ("sum 1\ngroup 0 1 2\nshared 2\nproof line penalty=20", 2),
    ("sum 1\ngroup 0 1 2\nshared 3 3\nproof line penalty=20", 2),
    ("sum 1\ngroup 0 1 2\nshared 4\nproof line penalty=20", 2),
    ("sum 1\nshared 3\ngroup 0 1 2\nproof line penalty=20", 2),
    ("sum 1\ngroup\nshared 0 1 2 3\nproof line penalty=20", 2),
    ("sum 2\ngroup 0 1\ngroup 2\nshared 3\nproof trivial\nproof sum 1\ngroup 2\nshared 3\nproof trivial", 2),
    ("sum 2\ngroup 0 1\ngroup 2\nshared 3\nproof trivial\nproof sum 1\ngroup 0\nproof trivial", 2),
    ("branch 0 4\nproof trivial\nproof trivial", 2),
    ("branch 0\nproof trivial\nproof trivial", 2),
    ("branch 0 1 2\nproof trivial\nproof trivial", 2),
    ("branch 0 1\nproof line penalty=20", 2),
    ("branch 0 1\nproof line penalty=20\nproof line penalty=20", 0),
    ("branch 0 1\nproof line penalty=20\nproof trivial", 1),
    ("branch 0 1\nproof trivial\nproof line penalty=20", 1),
    ("branch 0 0\nproof line penalty=20\nproof trivial", 0),
    ("tree 1\norder 3 2 1 0\nsuffix d/2 0 0 0", 2),
    ("tree\norder 3 2 1 0\nsuffix d/2 0 0 0", 0),
    ("tree\norder 0 1 2 2\nsuffix 0 0 0 0", 2),
    ("tree\norder 0 1 2\nsuffix 0 0 0", 2),
    ("tree\norder 3 2 1 0\nsuffix d/2 0 0", 2),
    ("tree\norder 3 2 1 0\nsuffix d/2 5 0 0", 1),
    ("prices shift=0 m=0\nprice 0 0 0", 2),
    ("prices shift=0 m=-1\nprice 0 0 0 0", 2),
    ("prices shift=4001 m=0\nprice 0 0 0 0", 2),
    ("prices shift=0 m=0\nprice 0 0 0 0", 0),
    ("prices shift=0 m=10\nprice 100 100 100 100", 1),
    ("pca scale=0 tau=0\nV", 1),
    ("pca scale=0 tau=400\nV 0\nV 0", 2),
    ("pca scale=0 tau=400", 2),
    ("pca scale=0 tau=1d4\nV", 1),
    ("pca scale=0 tau=400\nV 0\nV 0\nV 0\nV 0 0", 2),
]

FIVE, FIVE_LABELS = [[0, 1], [3, 0], [7, 2], [1, 9], [12, 4]], [0, 0, 1, 0, 1]
SEVEN, SEVEN_LABELS = [[0], [1], [3], [8], [9], [13], [20]], [0, 0, 0, 1, 1, 1, 2]
SOME = np.tril([[0, 0, 0, 0], [0, 0, 0, 0], [20, 15, 0, 0], [30, 25, 0, 0]], -1)
CUT = sdp(
    0x64,
    [-0x27C, -0xD4, 0x55C, 0x7BC],
    [[-0x19, -0x10, 0xE, 0x1B]],
    [[], [0], [0x40, 0], [0, 0x50, 0]],
    [(1, 0, 0, 0x20), (3, 2, 1, 0x30), (0, 2, 3, 0x10)],
    2,
)
HEAVY_CUT = sdp(
    0x48E,
    [-0x49CA, -0x4EC8, 0x125A1, 0x255D7],
    [[-0x89, -0x69, 0x16, 0x46]],
    [[], [0], [0x400, 0], [0, 0x500, 0]],
    [(1, 0, 0, 0x200), (3, 2, 1, 0x300), (0, 2, 3, 0x100)],
    4,
)
# A proof, the bound it gives exactly, and what it is for. Roots are coarse, so that what is left of them counts.
EXACT = [
    ("-103/5", ["proof pca scale=0 tau=200", "V 10", "V -8"], {"X": FIVE, "labels": FIVE_LABELS}),
    ("-626/5", ["proof pca scale=0 tau=200", "V 10", "V -8"], {"X": FIVE, "labels": FIVE_LABELS, "k": 3}),
    (
        "-113/3",
        ["proof pca scale=0 tau=2000", "V 10", "V -8"],
        {"X": FIVE, "labels": FIVE_LABELS, "weights": [3, 1, 2, 5, 4]},
    ),
    (
        "-130332/5",
        ["proof pca scale=0 tau=-20", "V 100 0", "V 0 100"],
        {"X": FIVE, "labels": FIVE_LABELS, "k": 3},
    ),
    ("3", ["proof line penalty=1"], {"X": SEVEN, "labels": SEVEN_LABELS, "k": 3}),
    ("65/6", ["proof line penalty=11/3"], {"X": SEVEN, "labels": SEVEN_LABELS, "k": 3}),
    (
        "77/6",
        ["proof line penalty=11/3"],
        {"X": SEVEN, "labels": SEVEN_LABELS, "k": 3, "weights": [1, 2, 3, 1, 5, 1, 2]},
    ),
    ("4", ["proof prices shift=0 m=e", "price 8 8 8 8"], {}),
    (
        "41/6",
        ["proof sum 2", "group 0 3", "group 1 4", "shared 2 5 6", *["proof line penalty=b/3"] * 2],
        {"X": SEVEN, "labels": SEVEN_LABELS, "k": 3},
    ),
    (
        "22/3",
        ["proof sum 2", "group 0 3", "group 1 4", "shared 2 5 6", *["proof line penalty=b/3"] * 2],
        {"X": SEVEN, "labels": SEVEN_LABELS, "k": 3, "weights": [1, 2, 3, 1, 5, 1, 2]},
    ),
    ("-83/8", CUT, {}),
    ("-745/128", HEAVY_CUT, {"weights": [1, 2, 3, 4]}),
    # A start that is best later on, and stays so beside others that begin before.
    (
        "299/6",
        ["proof line penalty=1c"],
        {"X": [[1], [6], [17], [18], [20], [23], [25], [26]], "labels": [0, 0, 1, 1, 1, 1, 1, 1]},
    ),
    (
        "81",
        ["proof line penalty=19"],
        {"X": [[2], [8], [11], [14], [15], [19], [22], [27]], "labels": [0, 0, 0, 0, 1, 1, 1, 1]},
    ),
    (
        "25609/390",
        ["proof line penalty=14"],
        {
            "X": [[2], [3], [7], [8], [10], [12], [13], [24]],
            "labels": [0, 0, 0, 0, 1, 1, 1, 1],
            "weights": [7, 6, 8, 2, 8, 1, 5, 3],
        },
    ),
    (
        "1031/42",
        ["proof line penalty=20"],
        {"X": SEVEN, "labels": SEVEN_LABELS, "k": 3, "weights": [1, 2, 3, 1, 5, 1, 2]},
    ),
]
LIMITS = 1 << 20, 0, 1 << 20, 0


def files():
    """name, exit code, content, data and weights."""
    fine = file(FOUR, 2, HALVES, "optimal value=d/2", "proof line penalty=20")
    for old, new, code in ONE_LINE:
        yield f"{old} for {new}", code, changed(fine, old, new), None, None
    for new, code in PROOFS:
        yield new, code, changed(fine, "line penalty=20", new), None, None
    for at, (bound, proof, where) in enumerate(EXACT):
        bound = Fraction(bound)
        yield f"exact {at}", 0, lower(bound, *proof, **where), None, None
        yield f"above {at}", 1, lower(bound + Fraction(1, 2**50), *proof, **where), None, None
    more = (
        *optima(),
        *parts(),
        *sizes(),
        *priced(),
        *semidefinite(),
        *numbers(fine),
        *left(best_sdp, lower, optimal, changed),
    )
    for name, code, content, *beside in more:
        yield name, code, content, *beside, *[None] * (2 - len(beside))
    for name, code, content in forged_angles.files():
        yield f"angles, {name}", code, content, None, None


ZEROS, THREE = "proof prices shift=0 m=0", [[0], [1], [2]]
TREE = ["proof tree", "order 0 1 2 3", "suffix d/2 0 0 0"]


def optima():
    """Costs that are said to be optimal, or of only one partition."""
    yield "suffixes on trust", 1, lower(0xFFF, "proof tree", "order 0 1 2 3", "suffix fff ffff 0 0")
    hair = "suffix d0000000001/20000000000 0 0 0"
    yield (
        "a tree a hair too high",
        1,
        lower(Fraction(13, 2) + Fraction(1, 2**40), "proof tree", "order 0 1 2 3", hair),
    )
    yield "the only optimum", 0, optimal(Fraction(13, 2), *TREE)
    yield (
        "two optima, by a tree",
        1,
        optimal(Fraction(1, 2), "proof tree", "order 0 1 2", "suffix 1/2 0 0", X=THREE, labels=[0, 0, 1]),
    )
    yield "two optima, by prices", 1, optimal(Fraction(1, 2), ZEROS, "price 0 0 0", X=THREE, labels=[0, 0, 1])
    yield (
        "one of two optima",
        0,
        optimal(Fraction(1, 2), ZEROS, "price 0 0 0", X=THREE, labels=[0, 0, 1], unique=False),
    )
    yield "two optima at the edge", 1, optimal(2, ZEROS, "price 0 0 0", X=[[0], [2], [4]], labels=[0, 0, 1])
    worse = Fraction(182, 3)
    yield (
        "worse labels",
        1,
        optimal(Fraction(194, 3), ZEROS, "price 0 0 0 0", labels=[0, 1, 1, 1], unique=False),
    )
    yield "a worse cost", 1, optimal(worse, ZEROS, "price 0 0 0 0", labels=[0, 1, 1, 1], unique=False)


def parts():
    """Proofs of parts: groups of rows, and two sides of a branch."""
    yield "a sum knows no other partition", 1, optimal(Fraction(13, 2), "proof sum 1", "group 0 1 2 3", *TREE)
    sides = (["proof tree", "order 0 1", "suffix 1/2 0"], ["proof tree", "order 0 1 2", "suffix 1/2 0 0"])
    yield (
        "two optima on two sides",
        1,
        optimal(Fraction(1, 2), "proof branch 0 1", *sides[0], *sides[1], X=THREE, labels=[0, 0, 1]),
    )
    yield (
        "two optima on two sides, the other",
        1,
        optimal(Fraction(1, 2), "proof branch 0 1", *sides[0], *sides[1], X=THREE, labels=[0, 1, 1]),
    )
    # With 0 and 2 apart the best is 0 | 2 10 13.
    yield (
        "apart",
        0,
        lower(
            Fraction(13, 2),
            "proof branch 0 1",
            "proof tree",
            "order 0 1 2",
            "suffix d/2 0 0",
            "proof tree",
            "order 0 1 2 3",
            "suffix c2/3 0 0 0",
        ),
    )
    yield "joined", 0, optimal(Fraction(13, 2), "proof branch 0 3", "proof trivial", *TREE)
    yield "a row left out", 1, optimal(Fraction(13, 2), "proof sum 1", "group 0 1 2", ZEROS, "price 0 0 0")


def sizes():
    """Few rows, rows on a line or not, and numbers that are too large."""
    yield (
        "equal rows part",
        1,
        optimal(0, "proof tree", "order 0 1", "suffix 0 0", X=[[0], [0], [1]], k=3, labels=[0, 0, 1]),
    )
    yield (
        "fewer rows than clusters",
        0,
        optimal(0, "proof tree", "order 0 1", "suffix 0 0", X=[[0], [2]], k=3, labels=[0, 1]),
    )
    yield "a bound above", 1, lower(1, "proof trivial")
    yield "on no line", 1, lower(0, "proof line penalty=0", X=[[0, 0], [1, 1], [2, 3]], labels=[0, 0, 1])
    yield "on a line", 0, lower(0, "proof line penalty=0", X=[[0, 0], [1, 1], [2, 2]], labels=[0, 0, 1])
    tau, X = "proof pca scale=0 tau=6a", [[6, 2, 8], [7, 4, 0], [0, 6, 0], [5, 0, 7]]
    flat = [[x, 0] for (x,) in FOUR]
    yield "a minor of zero", 1, lower(-99999, "proof pca scale=0 tau=1d3", "V 0", "V 0", X=flat)
    yield "a negative minor", 1, lower(-99999, tau, "V 12", "V f4", "V 5", X=X, labels=[0, 0, 1, 1])
    for scale, code in ((0x4000, 1), (0x4001, 2)):  # the greatest, which takes too many steps here
        long = hexed("V", [0] * 9000)
        yield f"a great scale {scale}", code, lower(0, f"proof pca scale={scale:x} tau=0", long)
    yield "too many steps", 1, lower(0, "proof pca scale=fff tau=" + "f" * 9000, "V 0")
    yield (
        "too much memory",
        1,
        lower(
            0,
            "proof prices shift=1ff m=0",
            hexed("price", [0] * 700),
            X=[[i] for i in range(700)],
            labels=[0] * 700,
        ),
    )


def priced(seeds=(*range(16), 31)):
    """Prices with the least m, and with less; of rows as they are, and of rows turned by coarse axes."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        n, d, k, shift = 5 + seed % 4, 1 + seed % 3, 2, 0
        X = (rng.integers(0, 9, (n, d)) * (1 + 3 * (seed % 2))).astype(float)
        weights = rng.integers(1, 4, n).tolist() if seed % 4 > 1 else None
        labels = [0, *rng.integers(0, k, n - 2).tolist(), 1]
        small = Small(ExactProblem(X, weights), k)
        w, rows, turned, unit, lost = small.problem.weights, small.problem.rows, [], 1, 0
        price = rng.integers(0, 3 * max(4, round(max(small.sse) / sum(w))), small.n).tolist()
        if seed > 7:
            Q, shift = rng.integers(-9, 10, (1 + seed % 3, d)).tolist(), int(rng.integers(3))
            Q[0][0] = 9
            turned = ["turned 4", *(hexed("axis", axis) for axis in Q)]
            N = max(sum(abs(sum(map(int.__mul__, a, b))) for b in Q) for a in Q)
            unit, lost = Fraction(17 * N, 16 * 4**shift), sum(w) * Fraction(17 * len(Q), 4)
            price = [81 * p >> 2 * shift for p in price]
            long = [[sum(map(int.__mul__, axis, row)) for axis in Q] for row in rows]
            rows = [[((2 * v >> shift) + 1) // 2 for v in row] for row in long]
        most = Fraction(0)
        for mask in range(1, 1 << small.n):
            own = [i for i in range(small.n) if mask >> i & 1]
            paid = sum(w[i] * (price[i] - sum(x * x for x in rows[i])) for i in own)
            sums = [sum(w[i] * rows[i][f] for i in own) for f in range(len(rows[0]))]
            most = max(most, paid + Fraction(sum(s * s for s in sums), sum(w[i] for i in own)))
        where = {"X": X.astype(int).tolist(), "k": k, "labels": labels, "weights": weights}
        for less, above in ((0, 0), (0, 1), (1, 0)):
            m = max(0, -(-most.numerator // most.denominator) - less)
            bound = (sum(map(int.__mul__, w, price)) - lost - k * m) / Fraction(unit)
            lines = f"proof prices shift={shift:x} m={m:x}", *turned, hexed("price", price)
            text = lower(bound + Fraction(above, 1 << 40), *lines, **where)
            yield f"prices {seed} {less} {above}", int(less + above > 0), text
    few = "proof prices shift=0 m=0", "turned 1"
    yield "axes without length", 1, lower(-9, *few, "axis 0", "price 0 0 0 0")
    yield "axes of other features", 2, lower(-9, *few, "axis 1 1", "price 0 0 0 0")


def semidefinite():
    yield "negative multipliers", 1, lower(7, *best_sdp(FOUR, MINUS))
    yield "negative cuts", 2, lower(7, *best_sdp(FOUR, NONE, CUTS))
    for cut in ("0 2 4 1", "0 4 2 1", "4 2 0 1", "0 0 2 1", "0 2 0 1", "0 2 3 -1", "0 2 3", "-1 2 3 1"):
        yield f"cut {cut}", 2, lower(-99, *best_sdp(FOUR, NONE), f"cut {cut}")
    few = sdp(-0x999900, [0, 0], [[0x1000, 0], [0, 0x1000]], [[], [0]])
    yield "fewer items than clusters", 1, lower(0xFF, *few, X=[[0], [2]], k=3, labels=[0, 0])
    # Beyond such a tau the bound is too far from U for the multipliers to show who is apart.
    for spare, code in ((8.8761, 0), (8.8763, 1)):
        yield f"closure {spare}", code, optimal(Fraction(13, 2), *best_sdp(FOUR, SOME, scale=20, spare=spare))
    weights = [1, 2, 3, 4]
    for spare, code in ((16.0589, 0), (16.0591, 1)):
        proof = best_sdp(FOUR, 6 * SOME, scale=20, spare=spare, weights=weights)
        cost = ExactProblem(np.array(FOUR, float), np.array(weights, float)).cost(HALVES)
        yield f"weighted closure {spare}", code, optimal(cost, *proof, weights=weights)
    minus = best_sdp(FOUR, np.tril([[0] * 4, [0] * 4, [0, -3, 0, 0], [0] * 4]))
    yield "negative multipliers of what is apart", 0, lower(-999, "proof branch 1 2", "proof trivial", *minus)
    yield "negative multipliers elsewhere", 1, lower(-999, "proof branch 0 2", "proof trivial", *minus)
    # Together, and then apart: there is no such partition.
    twice = (
        "proof branch 2 3",
        "proof branch 2 3",
        "proof line penalty=20",
        "proof trivial",
        "proof line penalty=20",
    )
    yield "together and apart", 0, optimal(Fraction(13, 2), *twice, unique=False)
    alone = "proof branch 0 2", "proof branch 1 2", *3 * ["proof trivial"]
    yield "together or apart", 1, lower(Fraction(13, 2), *alone)


def numbers(fine):
    """Damaged files, numbers that are no float64, weights, and data beside the file."""
    yield "another word", 2, fine.replace(b"CKC 1", b"CKC 2")
    yield "altered", 2, fine.replace(b"X 2", b"X 3")
    yield "cut off", 2, fine[:-1]
    yield "not ASCII", 2, changed(fine, "labels", "l\u00e4bels")
    yield "no float64", 2, file([[0], [2**53 + 1]], 1, [0, 0], "bounded lower=0 value=1", "proof trivial")
    weighted = {"weights": [1, 2, 1], "X": [[0], [1], [5]], "labels": [0, 0, 1]}
    cost = Fraction(2, 3)
    good = optimal(cost, "proof line penalty=2", unique=False, **weighted)
    yield "weights", 0, good
    yield "other weights", 3, changed(good, "W 1 2 1", "W 1 2 2")
    for new in ("W 1 -2 1", "W 1 -1 1", "W 0 0 0", "W 1 2", "W 1 2 1 1"):
        yield new, 2, changed(good, "W 1 2 1", new)
    yield (
        "weights that are no float64",
        2,
        optimal(
            Fraction(2**54 + 2, 2**53 + 2),
            "proof trivial",
            X=[[0], [1]],
            labels=[0, 0],
            k=1,
            weights=[2**53 + 1, 1],
        ),
    )
    yield "rows and weights beside", 0, good, b"0\n1\n5\n", b"1\n2\n1\n"
    yield "rows beside, weights not", 3, good, b"0\n1\n5\n"
    yield "other weights beside", 3, good, b"0\n1\n5\n", b"1\n1\n1\n"
    yield "weights for none", 3, fine, b"0\n2\na\n", b"1\n1\n1\n1\n"
    yield "no rows", 2, file(FOUR, 2, HALVES, "optimal value=d/2", "proof line penalty=20", with_rows=False)
    two = file([[0, 1], [2, 3]], 1, [0, 0], "bounded lower=0 value=4", "proof trivial", with_rows=False)
    yield "rows", 0, two, b"0,1\n2,3\n"
    yield "rows cut elsewhere", 3, two, b"0\n1,2,3\n"
    for name, code, data in tables(FOUR):
        yield name, code, fine, data
        yield (
            f"{name}, without rows",
            code,
            file(FOUR, 2, HALVES, "optimal value=d/2", "proof line penalty=20", with_rows=False),
            data,
        )
