"""The closure of the semidefinite proof and the search over all centers, where no file is at hand: what they say of small cases."""

from fractions import Fraction

import numpy as np
from forged import FOUR, HALVES, file, optimal, sdp
from forged_angles import Angles
from forged_settled import CASES

DIRECT = [
    [1, 1, 2, 2],
    [1, 1, 2, 3],
    None,
    [1, 1, 2, 3],
    [1, 1, 2, 2],
    [1, 3, 1, 3, 2],
    None,
    [1, 2, 4],
    False,
]
DIRECT += [(10, False), (10, True), None, None, [(3, 0)], None]
DIRECT += [
    [(1, 8), (2, 8), (3, 0), (4, 8), (6, 4)],
    [(2, 13), (8, 6), (9, 5), (10, 0), (11, 1), (12, 10), (13, 7), (14, 8), (15, 7)],
    [(1, 1), (2, 1), (3, 2), (4, 1), (6, 2), (8, 1), (10, 0), (12, 0), (14, 1)],
    [(1, 0), (2, 0)],
]
DIRECT += [
    ([1, 14], [3, 12], [6, 9], [7, 8]),
    ([1, 2, 12], [1, 6, 8], [1, 14], [3, 4, 8], [3, 12], [6, 9], [7, 8]),
    ([1, 6, 8], [7, 8]),
    ([15],),
    (),
    ([1, 2, 4, 8], [1, 2, 12], [1, 6, 8], [7, 8]),
    ([1, 6, 8], [7, 8]),
]
DIRECT += [True] * 16 + [(True, True), True] + [found for *_, found in CASES]
# Rows on a line, weights, prices, the rows apart from each, m, and the slack: in all but the third some set earns more than m.
CENTERS = [
    ([91, 188, 18, 160], [2, 3, 2, 2], [34565, 2249, 5536, 37651], [0, 0, 0, 0], 139721, None),
    ([5, 0, 2], [3, 1, 1], [21, 15, 56], [4, 4, 3], 62, None),
    ([4, 3, 1], [1, 3, 3], [13, 16, 1], [0, 4, 2], 61, 6),
    ([1, 4, 2], [1, 3, 2], [5, 0, 14], [4, 0, 1], 27, None),
    # Where it is the last unit that counts.
    ([0, -1, 2], [1, 1, 1], [8, 8, 8], [4, 0, 1], 16, 8),
    ([1, -2, 2, -1], [1, 1, 1, 1], [3, 6, 0, 13], [0, 0, 0, 0], 19, 13),
    ([-2, 0, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], 2, 2),
    # No row at all earns no less than m less the slack, and is no set.
    ([0, 5], [1, 1], [1, 1], [0, 0], 1, 3),
]
# Seeds of the sets that `wild` makes, and the steps that it takes to find them.
STEPS = {13: 21112, 14: 34484, 21: 37036, 16: 23292, 20: 68200, 3: 29700, 15: 65552, 28: 31612, 19: 48492}
STEPS |= {10: 33436, 29: 40100, 5: 83192, 7: 101052, 18: 101076, 33: 42192}
# All ways to part four items into two or three of these sets, each with a slack, whose slacks are no more than so much.
SETS = [(1, 1), (2, 0), (4, 1), (8, 0), (3, 2), (6, 0), (12, 1), (9, 3), (7, 1), (14, 2), (15, 4)]
COVERS = [(2, 3), (3, 3), (3, 1), (1, 4), (1, 3), (4, 2), (4, 1)]


def centers(check, X, weights, prices, foes, most, slack, reader):
    """The sets of rows that earn m less the slack, or None where one earns more than m."""
    pieces = [(w, w * (price - x * x), [w * x]) for x, w, price in zip(X, weights, prices)]
    try:
        return sorted(check.clusters_above(pieces, foes, most, slack, reader))
    except check.Refused:
        return None


def direct(check):
    """What the closure of the semidefinite proof says of two clusters, with items 0 and 2 apart, and the search over all centers, where no
    file is at hand."""
    reader = check.Reader(file(FOUR, 2, HALVES, "optimal value=d/2", "proof trivial"))
    ones, two = [1] * 4, [[0, 1], [2, 3]]
    N, cuts = [[], [0], [26, 0], [0, 0, 0]], [(1, 0, 0, 31), (3, 2, 2, 31)]
    said = [
        check.settled(ones, two, [0] * 4, N, own, 10, reader) for own in (cuts, [*cuts[:1], (3, 2, 2, 20)])
    ]
    said.append(check.settled(ones, two, [0] * 4, [[], [0], [15, 0], [0, 0, 0]], cuts, 10, reader))
    said.append(check.settled(ones, two, [0] * 4, N, [*cuts[:1], (3, 2, 0, 31)], 10, reader))
    # Item 1 is with 0 or with 2, which are apart: that is no news.
    said.append(check.settled(ones, two, [0] * 4, N, [*cuts, (1, 0, 2, 31)], 10, reader))
    N = [[], [1], [2, 6], [8, 11, 1], [10, 5, 11, 4]]
    said.append(check.settled([1] * 5, [[0], [4]], [0] * 5, N, [], 8, reader))
    # Three items are to be apart from each other, each from both of the others.
    three = [[[], [11], [11, more]] for more in (0, 11)]
    said += [check.settled([1] * 3, [[0], [1], [2]], [0] * 3, N, [], 10, reader) for N in three]
    # Two items with the same mean: together they cost as little.
    content = optimal(10, *sdp(9, [0, 0], [[0, 0]], [[], [0]], scale=4), X=[[-1], [1], [-2], [2]])
    reader = check.Reader(content)
    problem = check.read_problem(reader)
    family = check.Family([[0, 1], [2, 3]], dict.fromkeys(range(4), 1), [(0, 2)], True)
    args = reader.words("proof")[1:]
    try:
        bound, unique = check.semidefinite(
            problem, reader, args, family, *check.items_of(problem, reader, family)
        )
        said.append(unique)
    except check.Refused as refused:
        said.append(refused.args)
    for pairs in ([], [(0, 2)]):
        own = check.Family([[0, 1], [2, 3]], dict.fromkeys(range(4), 1), pairs, True)
        said.append(check.trivial(problem, reader, [], own, *check.items_of(problem, reader, own)))
    said += [centers(check, *own, reader) for own in CENTERS]
    said += [tuple(sorted(map(sorted, check.covers(SETS, 4, k, slack, reader)))) for k, slack in COVERS]
    for (pieces, foes, most, slack, found), steps in zip(WILD, STEPS.values()):
        reader = check.Reader(content)
        before = reader.left = 1 << 20
        try:
            got = sorted(check.clusters_above(pieces, foes, most, slack, reader))
        except check.Refused:
            got = None
        said.append(got == found and before - reader.left <= steps)
    pieces = [
        (1, -4 * at * at, [2 * at]) for at in range(74)
    ]  # none of them earns anything alone, or all more with another
    alone = sorted(check.clusters_above(pieces, [0] * 74, 0, 0, check.Reader(content)))
    said.append(alone == [(1 << at, 0) for at in range(74)])
    said += [nearly_equal_means(check), another_cost(check)]
    return said + [check.settled(*own, check.Reader(content)) for *own, _ in CASES]


def nearly_equal_means(check):
    """Whether a penalty for three items on a line gives just their optimum: means that differ by 1 in 4000 are to be in order."""
    X, weights = [[-2], [3], [-1], [2], [0], [1]], [40, 27, 43, 22, 65, 1]
    reader = check.Reader(optimal(1, "proof line penalty=0", X=X, labels=[0] * 6, weights=weights))
    problem, rows = check.read_problem(reader), [[0, 1], [2, 3], [4, 5]]
    family = check.Family(rows, {row: weights[row] for row in (4, 5, 0, 1, 2, 3)}, [], True)
    items, foes = check.items_of(problem, reader, family)
    joined = [check.item_of(problem.W, problem.X, rows[a] + rows[b]).cost for a, b in ((0, 2), (1, 2))]
    costs = [two + alone.cost for two, alone in zip(joined, (items[1], items[0]))]
    penalty = costs[1] - sum(item.cost for item in items)
    words = [f"penalty={penalty.numerator:x}/{penalty.denominator:x}"]
    return costs[0] < costs[1], check.line(problem, reader, words, family, items, foes)[0] == costs[0]


def another_cost(check):
    """Whether other labels than those of the file cost more by angle."""
    own = Angles()
    reader = check.Reader(own.file(("bounded", 0, own.cost()), ["proof trivial"]))
    sphere = check.read_problem(reader).sphere
    return sphere.cost() < sphere.cost([0, 1, 0, 1, 0])


def wild(seed):
    """Rows, weights and prices, some of them apart, m and the slack; and all sets that earn m less the slack, None if one earns more."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(4, 13)), int(rng.integers(1, 4))
    X = rng.integers(-9, 10, (n, d)) * int(rng.choice([1, 1, 7, 1000])) + int(rng.choice([0, 0, 100, -3000]))
    w = (rng.integers(1, 5, n) if rng.random() < 0.5 else np.ones(n, int)).tolist()
    top = max(1, int(((X - X[0]) ** 2).sum(axis=1).max()) // 2)
    prices, foes = rng.integers(0, top + 1, n).tolist(), [0] * n
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.5 else 0):
        i, j = map(int, rng.choice(n, 2, replace=False))
        foes[i], foes[j] = foes[i] | 1 << j, foes[j] | 1 << i
    pieces = [
        (a, a * (p - sum(x * x for x in row)), [a * x for x in row])
        for a, p, row in zip(w, prices, X.tolist())
    ]
    kind, earned = rng.integers(4), {}
    for mask in range(1, 1 << n):
        own = [i for i in range(n) if mask >> i & 1]
        if not any(foes[i] & mask for i in own):
            W, c, *sums = map(sum, zip(*((a, c, *s) for a, c, s in (pieces[i] for i in own))))
            earned[mask] = c + Fraction(sum(s * s for s in sums), W)
    best = max(0, -(-max(earned.values()) // 1))
    slack = None if kind < 2 else int(rng.choice([0, top // 20, top // 4]))
    most = best - (kind == 0)
    found = (
        None
        if kind == 0
        else []
        if slack is None
        else sorted((mask, most - -(-v // 1)) for mask, v in earned.items() if v >= most - slack)
    )
    return pieces, foes, int(most), slack, found


WILD = [wild(seed) for seed in STEPS]
