"""Semidefinite proofs with a proof of what is left: files for forged.py."""

from fractions import Fraction

import numpy as np

from ckmeans.proofs.problem import ExactProblem

MIDDLE, MIDDLE_LABELS = [[0], [2], [5], [10], [13]], [0, 0, 0, 1, 1]
ENDS = np.zeros((5, 5))
ENDS[3:, :2] = 30
CUT = np.zeros((4, 4))
CUT[2, :2], CUT[3, :2] = 20, 50
# Row 2 is in one of the clusters of 0 and 3.
INSIDE = ("proof branch 0 2", "proof trivial", "proof branch 2 3", "proof trivial", "proof trivial")
# Three clusters, of which each of the rows 2, 4 and 5 may be in two.
THREE, THREE_LABELS = [*MIDDLE, [20], [22]], [0, 0, 0, 1, 1, 2, 2]
APART = np.zeros((7, 7))
APART[3:, 0], APART[3:, 1], APART[5:, 2] = (28, 54, 111, 148), (5, 38, 68, 115), (39, 54)
APART[5:, 3] = 2, 38


def decided(rows):
    """A proof for each way in which rows are in one of two clusters, and that there is no other."""
    if not rows:
        return ("proof trivial",)
    (row, a, b), *rest = rows
    inside = decided(rest)
    return (f"proof branch {a} {row}", *inside, f"proof branch {b} {row}", *inside, "proof trivial")


def left(best_sdp, lower, optimal, changed):
    """Names, exit codes and contents, by the functions of forged.py of these names."""
    where = {"X": MIDDLE, "labels": MIDDLE_LABELS}
    cost = Fraction(103, 6)
    root = best_sdp(MIDDLE, ENDS, spare=0.01)
    for name, code, *lines in (
        ("all", 0, "seeds 0 3", "left", *INSIDE),
        ("other seeds", 0, "seeds 4 1", "left", *INSIDE),
        ("no seeds", 0, "left", *INSIDE),
        ("nothing of what is left", 1, "seeds 0 3"),
        ("seeds that are not apart", 2, "seeds 0 1", "left", *INSIDE),
        ("seeds that are not apart, and no more", 1, "seeds 0 1"),
        ("a seed twice", 2, "seeds 0 0", "left", *INSIDE),
        ("a seed that is not there", 2, "seeds 0 5", "left", *INSIDE),
        ("three seeds", 2, "seeds 0 3 4", "left", *INSIDE),
        ("words", 2, "seeds 0 3", "left 1", *INSIDE),
        ("less inside", 1, "seeds 0 3", "left", "proof trivial"),
        ("a part inside", 2, "seeds 0 3", "left", *INSIDE[:3], "proof trivial"),
        ("too much", 2, "seeds 0 3", "left", *INSIDE, "proof trivial"),
        ("a branch on what is known", 0, "seeds 0 3", "left", "proof branch 0 3", "proof trivial", *INSIDE),
        ("a tree", 0, "seeds 0 3", "left", "proof tree", "order 0 2 1", "suffix 67/6 9/2 0"),
    ):
        yield f"left: {name}", code, optimal(cost, *root, *lines, **where)
    all_lines = (*root, "seeds 0 3", "left", *INSIDE)
    yield "left: a higher claim", 1, lower(cost + Fraction(1, 100), *all_lines, **where)
    cost_of_three = ExactProblem(np.array(THREE, float)).cost(THREE_LABELS)
    yield (
        "left: three clusters",
        0,
        optimal(
            cost_of_three,
            *best_sdp(THREE, APART, k=3, spare=0.01),
            "seeds 0 3 6",
            "left",
            *decided([(2, 0, 3), (4, 3, 6), (5, 3, 6)]),
            X=THREE,
            labels=THREE_LABELS,
            k=3,
        ),
    )
    # Rows 2 and 3 together, as the labels do not have them: nothing is known of the others.
    for name, code, spare, *lines in (
        ("clusters that are cut", 1, 5),
        ("clusters that are cut, and more", 2, 5, "left"),
        ("nothing, as all cost more", 2, 0.01, "seeds 0 3", "left"),
    ):
        cut = best_sdp([[0], [2], [7.5], [13]], CUT, spare=spare, weights=[1, 1, 2, 1])
        together = "proof branch 2 3", *cut, *lines, *root, "seeds 0 3", "left", *INSIDE
        yield f"left: {name}", code, optimal(cost, *together, **where)
    parted = {"X": [*MIDDLE, MIDDLE[4]], "labels": [*MIDDLE_LABELS, 0]}
    weighed = best_sdp(MIDDLE, ENDS, spare=0.01, weights=[1, 1, 1, 1, 2])
    yield "left: equal rows that part", 2, lower(-1000, *weighed, "seeds 0 3", "left", *INSIDE, **parted)
    # Labels that are not the best ones: all that cost less than these are not known.
    yield "left: not optimal", 1, optimal(Fraction(209, 6), *all_lines, X=MIDDLE, labels=[0, 0, 1, 1, 1])
    group = "proof sum 1", "group 0 1 2 3 4"
    yield "left: of a group", 2, lower(cost, *group, *all_lines, **where)
    yield (
        "left: of fewer rows",
        2,
        lower(
            1,
            "proof sum 1",
            "group 0 1 2 3",
            *best_sdp(MIDDLE[:4], ENDS[:4, :4], spare=0.01),
            "left",
            *INSIDE,
            **where,
        ),
    )
    # A row in the middle costs as much in either cluster.
    tie = [[0], [2], [7], [12], [14]]
    cost = ExactProblem(np.array(tie, float)).cost(MIDDLE_LABELS)
    yield (
        "left: a tie",
        1,
        optimal(
            cost, *best_sdp(tie, ENDS, spare=0.01), "seeds 0 3", "left", *INSIDE, X=tie, labels=MIDDLE_LABELS
        ),
    )
    text = optimal(
        cost, *best_sdp(tie, ENDS, spare=0.01), "seeds 0 3", "left", *INSIDE, X=tie, labels=MIDDLE_LABELS
    )
    yield "left: a tie, and others", 0, changed(text, "optimal-unique", "optimal")
