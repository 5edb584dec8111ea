"""What `settled` of the checker is to find, by going through all sets: cases for forged_searches.py."""

from itertools import chain, combinations

import numpy as np

# Seeds of cases, each of which is the first to notice some mutant of the checker.
SEEDS = (2, 4, 11, 5, 23, 214, 1815, 18, 42, 108, 198, 2474, 14, 77, 695)


def subsets(items, most):
    return chain.from_iterable(combinations(items, size) for size in range(min(most, len(items)) + 1))


def settled_slowly(w, among, foes, N, cuts, slack):
    """For each item the clusters that it may be in, as bits; None if the clusters have no names, 0 if there is no partition."""
    n, k = len(w), len(among)
    value = {(i, j): 2 * v for i, row in enumerate(N) for j, v in enumerate(row)}
    value |= {(j, i): v for (i, j), v in value.items()}

    def takes(items, own):
        """What a cluster of just these items takes less slack times its weight, times their weight in all."""
        return sum(value[pair] for pair in combinations(sorted(items), 2)) + sum(
            own[i] - slack * w[i] for i in items
        )

    def possible(part, others, own):
        """Whether part may be in a cluster with some of the others, and with an item left for each other cluster; the pairs
        and the cuts of these count for nothing."""
        fine = not any(foes[i] >> j & 1 for i, j in combinations(part, 2))
        others = [h for h in others if not any(foes[i] >> h & 1 for i in part)]
        first = takes(part, own)
        more = {h: sum(value[i, h] for i in part) - slack * w[h] for h in others}
        return fine and any(
            first + sum(more[h] for h in A) <= 0 for A in subsets(others, n - len(part) - k + 1)
        )

    names = []
    for seeds in among:
        alone = [
            i
            for i in seeds
            if not any(i == j or possible((i, j), set(range(n)) - {i, j}, [0] * n) for j in names)
        ]
        if not alone:
            return None
        names.append(alone[0])
    may, before = [1 << names.index(i) if i in names else (1 << k) - 1 for i in range(n)], None
    while before != may:
        before = may[:]
        for c in range(k):
            held = {i for i in range(n) if may[i] == 1 << c}
            there = {i for i in range(n) if may[i] >> c & 1}
            own = [sum(a for p, j, h, a in cuts if p == i and not {j, h} & there) for i in range(n)]
            for i in sorted(there - held):
                if not possible((*sorted(held), i), there - held - {i}, own):
                    may[i] &= ~(1 << c)
    return may if all(may) else 0


def case(seed):
    """A case of `settled`: weights, items that give names, items apart, multipliers of pairs and cuts, and the slack."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 5))
    n = k + int(rng.integers(2, 6))
    w = rng.integers(1, 4, n).tolist() if rng.random() < 0.5 else [1] * n
    sides, slack = rng.integers(0, k, n), int(rng.integers(1, 12))
    between = rng.integers(0, rng.choice([2, 6]) * slack + 1, (n, n)) * (sides[:, None] != sides)
    N = (between + rng.integers(0, slack, (n, n)) * (rng.random((n, n)) < 0.5)).tolist()
    foes = [0] * n
    for i, j in combinations(range(n), 2):
        if rng.random() < 0.1:
            foes[i], foes[j] = foes[i] | 1 << j, foes[j] | 1 << i
            N[j][i] = int(rng.integers(-9, 9))
    among = [[i for i in range(n) if sides[i] == c] for c in range(k)]
    cuts = []
    for _ in range(int(rng.integers(0, 6))):
        i, j, h = map(int, rng.integers(0, n, 3))
        if i not in (j, h):
            cuts.append((i, j, h, int(rng.integers(1, 4 * slack))))
    return w, among, foes, [row[:i] for i, row in enumerate(N)], cuts, slack


CASES = [(*case(seed), settled_slowly(*case(seed))) for seed in SEEDS]
