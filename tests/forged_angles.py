"""Proof files about angles that are not to be accepted, and some that are, on both sides of what is true."""

from fractions import Fraction

import numpy as np
import proofs

from ckmeans.proofs import proof_lines
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.sphere import AngleProblem

# Two clusters, and THREE; the first two TWINS are the same row on a coarse grid, of different directions.
ROWS = [[1, 0], [9, 2], [0, 2], [-1, 50], [3, 1]]
HALVES = [0, 0, 1, 1, 0]
OPPOSITE = [[4.5, 1], [-5, 0], [-3, -1.25], [0, 7]]
THREE = [
    [-40, -37, -75],
    [-73, -86, -59],
    [62, 43, 73],
    [-30, -35, -105],
    [-83, -79, -58],
    [46, 38, 87],
    [-29, -50, -103],
    [-69, -105, -59],
]
TWINS = [[1, 0], [1000, 1], [0, 2], [-1, 50]]
MASSES = [0.96875, 0.96875, 0.984375, 0.984375, 0.96875]


class Angles:
    """A problem of angles, and files about it."""

    def __init__(self, rows=ROWS, k=2, masses=None, weights=None, scale=20):
        weights = None if weights is None else np.array(weights, float)
        given = ExactProblem(np.array(rows, float), weights)
        masses = np.array(MASSES[: len(rows)] if masses is None else masses, float)
        self.problem, self.k = AngleProblem(given, masses, scale), k
        self.small = proofs.Small(self.problem, k)
        self.best, parts = self.small.optimum()
        self.labels = self.small.labels(parts)

    def cost(self, labels=None):
        return self.problem.sphere.cost(self.labels if labels is None else labels)

    def file(self, claim, proof, labels=None, closed=None):
        """Fractions in a claim count the unit of the weights."""
        word, *values = claim
        names = ("lower", "value")[2 - len(values) :]
        values = [Fraction(value) for value in values]
        said = (f"{name}={v.numerator:x}/{v.denominator:x}" for name, v in zip(names, values))
        lines = [
            *proof_lines.header(self.problem, self.k),
            " ".join(["labels", *(f"{label:x}" for label in labels or self.labels)]),
            *([] if closed is None else [" ".join(["closed", *(f"{v:x}" for v in closed)])]),
            f"claim {word} {' '.join(said)}",
            *proof,
        ]
        return proof_lines.sealed(lines).encode()

    def tree(self, level=None):
        """The proof by branch and bound, its bound raised or not."""
        kind, order, suffix = proofs.tree(self.small, np.random.default_rng(0))
        words = suffix.split(" ")
        return [kind, order, suffix if level is None else " ".join(["suffix", f"{level:x}", *words[2:]])]

    def level(self, above=None):
        """The least whole number, as a bound for the squared distances, that gives more by angle than the labels cost."""
        low, high, goal = 0, 1 << 200, self.cost() if above is None else above
        while high - low > 1:
            middle = (low + high) >> 1
            low, high = (low, middle) if self.problem.sphere.by_angle(middle) > goal else (middle, high)
        return high


HAIR = Fraction(1, 2**170)


def bounds():
    """Bounds and costs, to a hair."""
    cases = {
        "rows": Angles(),
        "opposite": Angles(OPPOSITE, masses=[0.5, 1, 1, 0.75]),
        "weighted": Angles(weights=[1, 3, 0.5, 0, 2], masses=[1, 2.5, 0.4375, 0, 2]),
        "zeros": Angles([*ROWS[:3], [0, 0]], masses=[1, 1, 1, 0]),
        "three": Angles([[1, 0, 2], [3, 1, 1], [0, 5, 1], [1, 1, -4]], masses=[1, 0.75, 0.5, 1]),
    }
    for name, own in cases.items():
        cost, lower = own.cost(), own.problem.sphere.by_angle(own.best)
        yield f"{name}: the bound", 0, own.file(("bounded", lower, cost), own.tree())
        yield f"{name}: a hair more", 1, own.file(("bounded", lower + HAIR, cost), own.tree())
        yield f"{name}: a cost a hair less", 1, own.file(("bounded", lower, cost - HAIR), own.tree())
        yield f"{name}: a cost that is more", 0, own.file(("bounded", lower, cost + 1), own.tree())
        mixed = [0, 1, 0, 1, 0][: len(own.labels)]
        yield f"{name}: others", 0, own.file(("bounded", lower, own.cost(mixed)), own.tree(), mixed)
        yield (
            f"{name}: others less",
            1,
            own.file(("bounded", lower, own.cost(mixed) - HAIR), own.tree(), mixed),
        )
    back = Angles([[4, 1], [5, 1], [-3, 2]], k=1, masses=[1, 1, 1])
    yield "beyond a right angle", 0, back.file(("bounded", 0, back.cost()), ["proof trivial"])
    yield "beyond a right angle, less", 1, back.file(("bounded", 0, back.cost() - HAIR), ["proof trivial"])
    hardly = Angles([[1, 0], [-1, 5]], k=1, masses=[1, 1], scale=0)  # an inner product of -1 with the center
    yield "hardly beyond", 0, hardly.file(("bounded", 0, hardly.cost()), ["proof trivial"])
    yield "hardly beyond, less", 1, hardly.file(("bounded", 0, hardly.cost() - HAIR), ["proof trivial"])
    line = Angles([[1, 2], [2, 4], [-3, -6]], masses=[1, 1, 0.5])
    yield "no cost", 0, line.file(("optimal", 0), ["proof trivial"])
    yield "no cost, and none other", 1, line.file(("optimal-unique", 0), ["proof trivial"])
    yield "opposite, no cost", 1, line.file(("optimal", 0), ["proof trivial"], [0, 0, 0])
    nothing = Angles([[1, 0], [0, 1], [-1, 0], [0, -1]], k=1, masses=[1, 1, 1, 1])
    yield "no direction", 0, nothing.file(("bounded", 0, 4), ["proof trivial"])
    yield "no direction, less", 1, nothing.file(("bounded", 0, 4 - HAIR), ["proof trivial"])


def optima():
    """Labels that are said to be optimal."""
    rng, halves, three = np.random.default_rng(0), Angles(), Angles(THREE, 3, [1] * 8, scale=30)
    ways = {
        "tree": (halves, halves.tree(halves.level())),
        "prices": (halves, proofs.prices(halves.small, rng)),
        "sdp": (three, proofs.sdp(three.small, np.random.default_rng(0))),
    }
    for name, (own, proof) in ways.items():
        level, cost = own.level(), own.cost()
        closed, mixed = [level, *own.labels], [0, 1] * (len(own.labels) // 2) + [0] * (len(own.labels) % 2)
        yield f"{name}: the only one", 0, own.file(("optimal-unique", cost), proof, closed=closed)
        yield f"{name}: costs more", 0, own.file(("optimal-unique", cost + 1), proof, closed=closed)
        yield f"{name}: no bound", 1, own.file(("bounded", cost, cost), proof, closed=closed)
        lower = own.problem.sphere.by_angle(own.best)
        yield f"{name}: bound and labels", 0, own.file(("bounded", lower, cost), proof, closed=closed)
        yield f"{name}: a hair more", 1, own.file(("bounded", lower + HAIR, cost), proof, closed=closed)
        yield f"{name}: not closed", 1, own.file(("optimal", cost), proof)
        low = own.tree(level - 1) if name == "tree" else proof
        less = [level - 1, *own.labels]
        yield f"{name}: not enough", 1, own.file(("optimal-unique", cost), low, closed=less)
        yield f"{name}: others", 1, own.file(("optimal", own.cost(mixed)), proof, mixed, closed)
        far = [level << 9, *own.labels]
        high = own.tree(level << 9) if name == "tree" else proof
        yield f"{name}: too much", 1, own.file(("optimal", cost), high, closed=far)
        yield (
            f"{name}: not the best",
            1,
            own.file(("optimal", own.cost(mixed)), proof, mixed, [level, *mixed]),
        )
    own, level, cost = halves, halves.level(), halves.cost()
    least = own.level(cost - HAIR)
    if least < level:  # as much as the labels cost, and no more
        yield "as much", 1, own.file(("optimal-unique", cost), own.tree(least), closed=[least, *own.labels])
    # Two rows on one point of the grid. They are told apart where they are of one direction only by the claim.
    twins, same = Angles(TWINS, scale=6), Angles([[1, 0], [7, 0], [0, 2], [-1, 50]])
    for name, other, codes in (("twins", twins, (1, 1)), ("the same", same, (0, 1))):
        level = other.level()
        for word, code in zip(("optimal", "optimal-unique"), codes):
            text = other.file((word, other.cost()), other.tree(level), closed=[level, *other.labels])
            yield f"{name}: {word}", code, text
    one = Angles(k=1)
    for above, code in ((0, 0), (-1, 1)):
        closed = [one.level() + above, *one.labels]
        yield (
            f"one cluster {above}",
            code,
            one.file(("optimal-unique", one.cost()), ["proof trivial"], closed=closed),
        )


def as_little():
    """Three clusters of two directions, which cost nothing, and so do others; and a bound below 0."""
    own = Angles([[1, 0], [2, 0], [0, 1]], k=3, masses=[1, 0.5, 1])
    for name, proof in (("tree", own.tree()), ("trivial", ["proof trivial"])):
        for word, code in (("optimal", 0), ("optimal-unique", 1)):
            text = own.file((word, 0), proof, [0, 0, 1], [0, *own.labels])
            yield f"as little: {word} by {name}", code, text
    own = Angles()
    yield (
        "below 0",
        0,
        own.file(("bounded", 0, own.cost()), ["proof pca scale=0 tau=ffffffffffffffffffff", "V 0", "V 0"]),
    )


def merged():
    """Clusters that cost little more as one: not by a semidefinite proof alone, which tells k clusters apart."""
    rows = [[1, 0], [0, 1], [1000, 1000], [1000, 1001]]
    own = Angles(rows, k=3, masses=[1, 1, 1, 1])
    level, cost = own.level(), own.cost()
    proof = proofs.sdp(own.small, np.random.default_rng(0))
    for name, more in (("least", level), ("merged", int(own.small.optimum(k=2)[0]) + 2)):
        closed = [more, *own.labels]
        yield f"{name}: optimal", int(name == "merged"), own.file(("optimal", cost), proof, closed=closed)


def malformed():
    own = Angles(weights=[1, 3, 0.5, 0, 2], masses=[1, 2.5, 0.4375, 0, 2])
    text = own.file(("bounded", 0, own.cost()), ["proof trivial"], closed=[1, *own.labels]).decode()
    lines = {line.split(" ")[0]: line for line in text.splitlines()}
    masses, sphere, closed = (lines[word].split(" ") for word in ("M", "sphere", "closed"))
    changes = [
        (lines["problem"], lines["problem"].replace("cosine", "sse")),
        (lines["M"], " ".join([*masses[:4], "1", *masses[5:]])),
        (lines["M"], " ".join([masses[0], "0", *masses[2:]])),
        (lines["M"], " ".join([masses[0], "-1", *masses[2:]])),
        (lines["M"], " ".join(masses[:-1])),
        (lines["M"], "M 0 0 0 0 0"),
        (lines["sphere"], " ".join(sphere[:2])),
        (lines["sphere"], "sphere scale=4001 masses=0"),
        (lines["closed"], " ".join(closed[:-1])),
        (lines["closed"], " ".join([*closed[:-1], "-1"])),
        (lines["closed"], " ".join([*closed[:-1], "2"])),
        (lines["closed"], " ".join([closed[0], "x", *closed[2:]])),
    ]
    for old, new in changes:
        changed = text.replace(old, new).splitlines()[:-1]
        yield f"{new[:30]} for {old[:30]}", 2, proof_lines.sealed(changed).encode()
    zeros = Angles([*ROWS[:3], [0, 0]], masses=[1, 1, 1, 0])
    text = zeros.file(("bounded", 0, zeros.cost()), ["proof trivial"]).decode()
    old = next(line for line in text.splitlines() if line.startswith("M "))
    changed = text.replace(old, old[:-1] + "1").splitlines()[:-1]
    yield "a mass for zeros", 2, proof_lines.sealed(changed).encode()
    none = [proof_lines.sealed(text.replace(old, "M 0 0 0 0").splitlines()[:-1]).encode()]
    yield "no masses", 2, none[0]
    given = ExactProblem(np.zeros((2, 2)))
    head = [line.replace("sse", "cosine") for line in proof_lines.header(given, 1)]
    lines = [
        *head,
        "sphere scale=1 masses=0",
        "M 0 0",
        "labels 0 0",
        "claim optimal value=0",
        "proof trivial",
    ]
    yield "zeros alone", 2, proof_lines.sealed(lines).encode()
    empty = [line.replace("X 1 0", "X 0 0") for line in text.splitlines()[:-1]]
    yield "rows of other data", 3, proof_lines.sealed(empty).encode()
    wide = [line.replace("scale=14 masses=", "scale=fff masses=f0") for line in text.splitlines()[:-1]]
    yield "what takes long", 1, proof_lines.sealed(wide).encode()


def files():
    """name, exit code and content."""
    yield from (*bounds(), *optima(), *as_little(), *merged(), *malformed())
