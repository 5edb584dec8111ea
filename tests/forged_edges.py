"""More files for the checker, each for a line of it that no file of forged.py needs: how it reads, and where a proof is just right."""

from fractions import Fraction

import numpy as np
from forged import FIVE, FIVE_LABELS, FOUR, NONE, best_sdp, changed, file, lower, optimal, sdp
from forged_tables import numpy_file

from ckmeans.proofs import proof_lines
from ckmeans.proofs.problem import ExactProblem

HALF = Fraction(13, 2)  # the optimum of FOUR


def files():
    """name, exit code, content, data and weights."""
    for name, code, content, *given in (
        *equal_rows(),
        *cliques(),
        *left_out(),
        *closures(),
        *sizes(),
        *slacks(),
        *beside(),
    ):
        yield name, code, content, *given, *[None] * (2 - len(given))


def equal_rows():
    """Equal rows in two clusters, or rows left out: the labels are no clusters of items then."""
    tree = "proof tree", "order 0 1", "suffix 1/2 0"
    yield "equal rows in two clusters", 1, optimal(Fraction(1, 2), *tree, X=[[0], [0], [1]], labels=[0, 1, 1])
    part = "proof tree", "order 0 1 2", "suffix d/2 0 0"
    yield "a tree of some rows", 1, lower(HALF, "proof sum 1", "group 0 1 2", *part)
    tree = "proof tree", "order 0 1", "suffix 0 0"
    yield "as many rows as clusters", 0, optimal(0, *tree, X=[[0], [0], [1]], labels=[0, 0, 1])


def cliques():
    """Rows that are apart: more than k of them, which is no partition, or not all from each other."""
    for a, b, c in ((0, 1, 2), (1, 2, 3), (0, 2, 3), (3, 1, 0)):
        pairs = (a, b), (a, c), (b, c)
        yield f"{a}, {b} and {c} are apart", 0, lower(HALF, *apart(pairs, "d/2"))
        yield f"{a} is apart from {b} and {c}", 1, lower(HALF, *apart(pairs[:2], "d/2"))
        yield f"{a}, {b} and {c} in three", 1, lower(1, *apart(pairs, "1"), k=3, labels=[0, 0, 1, 2])


def apart(pairs, suffix):
    """Branches on pairs, the last of which says that they all are apart: which is all that its proof knows."""
    tree = "proof tree", "order 0 1 2", f"suffix {suffix} 0 0"
    return [line for i, j in pairs for line in (f"proof branch {i} {j}", *tree)] + ["proof trivial"]


def left_out():
    """Pairs that are apart, in any order; of some of them one row, or the other, has been left out."""
    X, tree = [[0], [10], [13], [2]], ("proof tree", "order 0 1 2", "suffix d/2 0 0")
    for i, j in ((1, 2), (2, 1)):  # with 10 and 13 apart the best is 0 2 10 | 13
        other = "proof tree", "order 0 1 2 3", "suffix 38 0 0 0"
        yield (
            f"apart: {i} {j}",
            0,
            lower(HALF, f"proof branch {i} {j}", *tree, *other, X=X, labels=[0, 1, 1, 0]),
        )
    for i, j in ((0, 3), (3, 0)):
        parts = "proof sum 1", "group 1 2 3", "proof trivial"
        yield f"left out: {i} {j}", 0, lower(0, f"proof branch {i} {j}", "proof trivial", *parts)


def closures():
    """Proofs by semidefinite bounds: multipliers in coarser units, and one cluster, which is the only partition."""
    mu, V = [-0x27C, -0xD4, 0x55C, 0x7BC], [[-0x19, -0x10, 0xE, 0x1B]]  # as in forged.CUT
    N, cuts = [[], [0], [4, 0], [0, 5, 0]], [(1, 0, 0, 2), (3, 2, 1, 3), (0, 2, 3, 1)]
    coarse, bound = sdp(0x64, mu, V, N, cuts, scale=2, shift=4), Fraction(-83, 8)
    yield "coarser multipliers", 0, lower(bound, *coarse)
    yield "coarser multipliers, above", 1, lower(bound + Fraction(1, 2**50), *coarse)
    X, N = [[0], [2], [1000], [1003]], np.zeros((4, 4), int)
    N[2:, :2] = 10_000  # the optimum of three clusters is 2, that of two 13/2
    yield "fewer clusters than k", 1, optimal(HALF, *best_sdp(X, N, k=3, scale=30), X=X, k=3)
    N = [line.replace("N 0", "N -1") for line in best_sdp(FOUR, NONE)]
    yield "a multiplier of less than nothing", 1, lower(-99, *N)
    X = [[0], [2]]
    yield "one cluster", 0, optimal(2, *best_sdp(X, [[0, 0]] * 2, k=1, scale=20), X=X, k=1, labels=[0, 0])


def sizes():
    """Clusters that cost something each, rows and weights in fractions, and roots that are just large enough."""
    X = [[v] for v in (0, 1, 10, 12, 30, 33, 60, 64, 100, 105)]
    labels = [at // 2 for at in range(10)]
    yield (
        "five clusters",
        0,
        optimal(Fraction(55, 2), "proof line penalty=32", X=X, k=5, labels=labels, unique=False),
    )
    for weights in (None, [0.5, 1, 2, 0.25]):
        rows = np.array([[0], [1], [5], [6.5]])
        problem = ExactProblem(rows, None if weights is None else np.array(weights))
        text = proof_lines.proof_text(
            problem, 2, [0, 0, 1, 1], "optimal", proof_lines.line_proof(8 * problem.unit)
        )
        yield f"fractions, {weights}", 0, text.encode()
    yield "a root of one", 0, lower(Fraction(-1, 4), "proof pca scale=0 tau=1d4", "V")
    finer, where = ["proof pca scale=2 tau=2000", "V 40", "V -20"], {"X": FIVE, "labels": FIVE_LABELS}
    bound = Fraction(-187, 10)
    yield "finer roots", 0, lower(bound, *finer, **where)
    yield "finer roots, above", 1, lower(bound + Fraction(1, 2**50), *finer, **where)
    yield "no kind", 2, lower(0, "proof")
    X = [[1, 2], [2, 3], [3, 4]]
    yield "on a line beside the origin", 0, lower(0, "proof line penalty=0", X=X, labels=[0, 0, 1])
    coarse = "proof prices shift=0 m=0", "axis 1", "price 0 0 0 0"
    yield "axes and no fineness", 0, lower(-1, *coarse)
    short = "proof prices shift=0 m=0", "turned 1", "axis 1", "price 0 0 0 0"
    yield "an axis of length one", 0, lower(-99, *short)
    deep = ["proof branch 0 1", "proof trivial"] * 330
    yield "more and more decisions", 1, lower(0, *deep, "proof trivial")


def slacks():
    """How far from a bound the partitions are that are looked at: by prices, and in a tree, where costs are cut to 2**-32."""
    worse, low = {"labels": [0, 1, 1, 1], "unique": False}, "proof prices shift=0 m=1e"
    yield "a bound below 0", 1, optimal(Fraction(194, 3), low, "price 0 0 0 0", **worse)
    X = [[0], [1], [2]]
    other = optimal(
        Fraction(1, 2), "proof prices shift=0 m=0", "price 0 0 0", X=X, labels=[0, 0, 1], weights=[1, 1, 2]
    )
    yield "another within the slack costs more", 0, other
    X, suffix = [[0], [1], [2], [50]], "suffix 3 0 0 0"  # the optimum is 2
    yield "three in a cluster", 1, lower(3, "proof tree", "order 0 1 2 3", suffix, X=X, labels=[0, 0, 0, 1])
    M = 1 << 17
    for labels, cost, code in (([0, 0, 1], Fraction(M, M + 1), 0), ([0, 1, 1], Fraction(M + 1, M + 2), 1)):
        suffix = f"suffix {cost.numerator:x}/{cost.denominator:x} 0 0"
        X, weights = [[0], [1], [2]], [M, 1, M + 1]
        tree = optimal(cost, "proof tree", "order 0 1 2", suffix, X=X, labels=labels, weights=weights)
        yield f"nearly as little {code}", code, tree
    # All ways to part these rows would be too many to be gone through.
    X, suffix = (
        [[v + 100 * c] for v in (0, 1, 3, 7) for c in range(3)],
        "159/4 1c9/6 319/c 38 88/3 68/3 18 10 8 0 0 0",
    )
    tree = "proof tree", "order 0 1 2 3 4 5 6 7 8 9 a b", f"suffix {suffix}"
    yield "a tree that is cut", 0, optimal(Fraction(345, 4), *tree, X=X, k=3, labels=[0, 1, 2] * 4)


def beside():
    """Two columns beside the file, by rows and by columns."""
    rows = np.array([[0, 1], [2, 3], [5, 4]], float)
    text = file(rows.tolist(), 1, [0] * 3, "bounded lower=0 value=34/3", "proof trivial", with_rows=False)
    for order in "CF":
        yield f"order {order}", 0, text, numpy_file(np.array(rows, order=order))
    yield "between spaces", 0, text, b"0 1\n2\t3\n5 4\n"
    fine = optimal(HALF, "proof line penalty=20", unique=False)
    yield "other rows in the file", 3, changed(fine, "X d", "X e"), b"0\n2\n10\n13\n"
    yield "beyond the floats", 2, changed(fine, "X d", "X " + "f" * 300)
    X = [[0], [1], [5]]
    text = optimal(
        Fraction(2, 3), "proof line penalty=2", X=X, labels=[0, 0, 1], weights=[1, 2, 1], unique=False
    )
    yield "weights beyond the floats", 3, text, None, b"1\n1e999\n1\n"
