"""Small exact problems with their optimum, and a true proof of each kind for them, found the slow way."""

from copy import copy
from fractions import Fraction
from itertools import combinations

import numpy as np
from scipy.optimize import linprog

from ckmeans import check
from ckmeans.exact.semidefinite import semidefinite_bound
from ckmeans.proofs import proof_lines
from ckmeans.proofs.turned import Turning


class Small:
    """A problem of few rows with the cost of every set of items, in units of 1 / unit.

    `together`: pairs of rows; the items are what they join. `apart`: pairs of rows.
    """

    def __init__(self, problem, n_clusters, together=(), apart=(), rows=None):
        self.problem, self.k = problem, n_clusters
        self.together, self.apart = tuple(together), tuple(apart)
        self.rows = list(range(len(problem.rows))) if rows is None else rows
        leader = {row: row for row in self.rows}
        for i, j in together:
            if i in leader and j in leader:
                a, b = leader[i], leader[j]
                leader = {row: min(a, b) if own in (a, b) else own for row, own in leader.items()}
        self.items = [
            [row for row in self.rows if leader[row] == own] for own in sorted(set(leader.values()))
        ]
        self.n = len(self.items)
        own = {row: at for at, item in enumerate(self.items) for row in item}
        foes = [1 << own[i] | 1 << own[j] for i, j in apart if i in own and j in own]
        self.foes = foes
        self.empty = any(mask & (mask - 1) == 0 for mask in foes)
        W, X = problem.weights, problem.rows
        self.moments = [(0, [0] * problem.n_features, 0)]
        for mask in range(1, 1 << self.n):
            item = self.items[mask.bit_length() - 1]
            w, s, q = self.moments[mask & ~(1 << (mask.bit_length() - 1))]
            w, q = w + sum(W[i] for i in item), q + sum(W[i] * sum(x * x for x in X[i]) for i in item)
            s = [a + sum(W[i] * X[i][f] for i in item) for f, a in enumerate(s)]
            self.moments.append((w, s, q))
        self.sse = [Fraction(0)] + [q - Fraction(sum(a * a for a in s), w) for w, s, q in self.moments[1:]]
        self.allowed = [all(mask & foe != foe for foe in foes) for mask in range(1 << self.n)]

    def optimum(self, items=None, k=None):
        """Least cost of the items (a mask) in at most k clusters and a partition that has it; None if there is none."""
        full = (1 << self.n) - 1 if items is None else items
        best = {0: (Fraction(0), ())}
        for _ in range(self.k if k is None else k):
            new = dict(best)
            for mask, (cost, parts) in best.items():
                rest = full & ~mask
                if rest:
                    first, others = rest & -rest, rest & (rest - 1)
                    sub = others
                    while True:
                        c = sub | first
                        if self.allowed[c] and (mask | c not in new or cost + self.sse[c] < new[mask | c][0]):
                            new[mask | c] = cost + self.sse[c], (*parts, c)
                        if not sub:
                            break
                        sub = (sub - 1) & others
            best = new
        return best.get(full)

    def labels(self, parts):
        """Labels of the samples from sets of items."""
        of = {
            row: c
            for c, mask in enumerate(parts)
            for at in range(self.n)
            if mask >> at & 1
            for row in self.items[at]
        }
        return [0 if row is None else of[row] for row in self.problem.place]


def derived(text):
    """The lower bound and uniqueness that the checker finds in a file, whatever the claim; in units of 1 / unit."""
    reader = check.Reader(text.encode())
    problem = check.read_problem(reader, None)
    bound, unique = check.prove(problem, reader)
    return problem, bound, unique


def tree(small, rng, impossible=False):
    order = list(map(int, rng.permutation(small.n)))
    suffix = []
    for j in range(small.n):
        best = small.optimum(sum(1 << i for i in order[j:]))
        suffix.append(10**6 if best is None else best[0])
    return proof_lines.tree_proof(order, suffix)


def line(small, rng):
    optima = [small.optimum(k=k)[0] for k in range(1, small.k + 2)]
    slope = optima[-2] - optima[-1]
    return proof_lines.line_proof(slope)


def prices(small, rng, shift=20):
    """Prices from the LP over all sets, rounded; then the exact maximum."""
    masks = [mask for mask in range(1, 1 << small.n) if small.allowed[mask]]
    member = np.array([[mask >> i & 1 for i in range(small.n)] for mask in masks], float)
    costs = np.array([float(small.sse[mask]) for mask in masks])
    size = max(costs.max(), 1)
    # max sum p - k m, sum_C p - m <= cost(C)
    A = np.hstack([member, -np.ones((len(masks), 1))])
    c = np.append(-np.ones(small.n), small.k)
    found = linprog(c, A, costs / size, bounds=[(None, None)] * small.n + [(0, None)], method="highs")
    weights = [small.moments[1 << i][0] for i in range(small.n)]
    price = [round(Fraction(p) * Fraction(size) * 4**shift / w) for p, w in zip(found.x[:-1], weights)]
    most = max(
        sum(price[i] * weights[i] for i in range(small.n) if mask >> i & 1) - small.sse[mask] * 4**shift
        for mask in masks
    )
    return proof_lines.prices_proof(price, max(0, -(-most.numerator // most.denominator)), shift)


def turned(small, rng, shift=20):
    """The same prices, of items on their principal axes."""
    line, own = prices(small, rng, shift)
    level = Fraction(int(line.rpartition("=")[2], 16), 4**shift)
    paid = [Fraction(int(word, 16), 4**shift) for word in own.split(" ")[1:]]
    paid = [price - small.problem.own_price(rows) for price, rows in zip(paid, small.items)]
    paid = [price / 4**small.problem.scale for price in paid]
    return Turning(small.problem).proof(small.k, small.items, paid, level / small.problem.unit)[0]


def principal(small, rng, scale=None):
    """From the eigenvalues of the scatter matrix."""
    rows = small.rows
    W, X = [small.problem.weights[i] for i in rows], [small.problem.rows[i] for i in rows]
    total, d = sum(W), small.problem.n_features
    sums = [sum(w * x[f] for w, x in zip(W, X)) for f in range(d)]
    M = np.array(
        [
            [float(total * sum(w * x[f] * x[g] for w, x in zip(W, X)) - sums[f] * sums[g]) for g in range(d)]
            for f in range(d)
        ]
    )
    values, Q = np.linalg.eigh(M)
    values, Q = values[::-1], Q[:, ::-1]
    r = min(small.k - 1, d)
    tau = max(values[r], 0) if r < d else 0.0
    scale = 40 if scale is None else scale
    V = Q[:, :r] * np.sqrt(np.maximum(values[:r] - tau, 0))
    top = [[round(float(v) * 2**scale) for v in row] for row in V]
    spare = 2.0**-30 * max(1.0, float(values[0]))
    return proof_lines.principal_proof(scale, round((float(tau) + spare) * 4**scale), top)


def sdp(small, rng, scale=30):
    """From the solver where it can be, else from random multipliers: any of them give a bound."""
    w, sums, _ = zip(*(small.moments[1 << i] for i in range(small.n)))
    if small.n <= small.k or small.k < 2:
        return proof_lines.trivial_proof()
    best = small.optimum()
    plain = not small.apart and all(len(item) == 1 for item in small.items)
    if plain and best[0] and rng.random() < 0.8:
        rows = [small.problem.rows[item[0]] for item in small.items]
        labels = np.array([next(c for c, own in enumerate(best[1]) if own >> i & 1) for i in range(small.n)])
        found = semidefinite_bound(rows, w, small.k, labels, best[0])
        return proof_lines.semidefinite_proof(*found[1:-2])
    n, k, r = small.n, small.k, np.sqrt(np.array(w, float))
    unit = 4**scale
    N = np.tril(rng.integers(0, 1 << 10, (n, n)) * (rng.random((n, n)) < 0.3), -1)
    cuts = [(*map(int, rng.choice(n, 3, n < 3)), int(rng.integers(0, 200))) for _ in range(5)]
    cuts = [(i, *sorted((j, h)), a) for i, j, h, a in cuts if i not in (j, h)]
    K = np.array([[float(sum(a * b for a, b in zip(p, q))) for q in sums] for p in sums]) + N + N.T
    for i, j, h, a in cuts:
        K[i, i] += a
        for p, q, part in ((i, j, -a / 2), (i, h, -a / 2), (j, h, a / 2))[: 1 if j == h else 3]:
            K[p, q] += part
            K[q, p] += part
    K /= np.outer(r, r)
    P = np.eye(n) - np.outer(r, r) / (r @ r)
    values, Q = np.linalg.eigh(P @ K @ P - 1e6 * (1 + np.abs(K).max()) * (np.eye(n) - P))
    tau = values[-k]
    V = (Q[:, n - k + 1 :] * np.sqrt(np.maximum(values[n - k + 1 :] - tau, 0))).T / r
    q = K @ r / (r @ r)
    mu = (2 * q - r * (q @ r + tau) / (r @ r)) * r
    tau += 1e-9 * np.abs(K).max() + 1e-6
    return proof_lines.semidefinite_proof(
        scale,
        2 * scale,
        round(Fraction(tau) * unit),
        [round(Fraction(x) * unit) for x in mu.tolist()],
        [[round(Fraction(x) * 2**scale) for x in v] for v in V.tolist()],
        [row[:i] for i, row in enumerate(N.tolist())],
        cuts,
    )


def parted(small, rng):
    """Semidefinite bounds with rows that are together or apart."""
    if small.n < 2 or small.empty:
        return proof_lines.trivial_proof()
    i, j = map(int, rng.choice(small.rows, 2, replace=False))
    sides = [
        Small(small.problem, small.k, (*small.together, (i, j)), small.apart, small.rows),
        Small(small.problem, small.k, small.together, (*small.apart, (i, j)), small.rows),
    ]
    possible = [not side.empty and side.optimum() is not None for side in sides]
    return proof_lines.branch_proof(
        i,
        j,
        *(sdp(side, rng) if fine else proof_lines.trivial_proof() for side, fine in zip(sides, possible)),
    )


def trivial(small, rng):
    return proof_lines.trivial_proof()


def total(small, rng):
    """A sum over groups, each with a proof of a kind of its own; there may be rows that all of them share."""
    groups = [[] for _ in range(int(rng.integers(1, 4)))]
    for row in rng.permutation(small.n):
        groups[int(rng.integers(len(groups)))].append(int(row))
    groups = [sorted(rows) for rows in groups if rows]
    shared = groups.pop() if len(groups) > 1 and rng.random() < 0.5 else []
    proofs = [leaf(part_of(small, rows, shared, len(groups)), rng, with_branch=True) for rows in groups]
    return proof_lines.sum_proof(groups, proofs, shared)


def part_of(small, rows, shared, n_groups):
    """The problem of a group: where rows are shared, the others weigh as many times as much as there are groups."""
    problem, times = copy(small.problem), n_groups if shared else 1
    problem.weights = [times * w if row in rows else w for row, w in enumerate(problem.weights)]
    return Small(problem, small.k, small.together, small.apart, sorted([*rows, *shared]))


def leaf(small, rng, with_branch=False):
    """Any kind of proof, mostly tight."""
    if small.empty or small.optimum() is None:
        return proof_lines.trivial_proof() if clique(small) else tree(small, rng, impossible=True)
    if with_branch and small.n > 2 and rng.random() < 0.5:
        return branch(small, rng)
    kinds = [tree, prices] + [line] * (small.problem.n_features == 1 and not small.apart)
    return kinds[int(rng.integers(len(kinds)))](small, rng)


def clique(small):
    """Whether the checker sees by itself that there is no partition."""
    if small.empty:
        return True
    apart = {frozenset(i for i in range(small.n) if foe >> i & 1) for foe in small.foes}
    return any(
        all(frozenset(pair) in apart for pair in combinations(items, 2))
        for items in combinations(range(small.n), small.k + 1)
    )


def branch(small, rng, depth=0):
    """Together or apart, on random pairs, down to proofs of any kind."""
    if small.n < 2 or small.empty or depth == 3 or (depth and rng.random() < 0.4):
        return leaf(small, rng)
    i, j = map(int, rng.choice(small.rows, 2, replace=False))
    sides = [
        Small(small.problem, small.k, (*small.together, (i, j)), small.apart, small.rows),
        Small(small.problem, small.k, small.together, (*small.apart, (i, j)), small.rows),
    ]
    return proof_lines.branch_proof(i, j, *(branch(side, rng, depth + 1) for side in sides))


def searched(small, rng, depth=0):
    """A branching search by prices, as a nested tuple of floats; the levels are fractions, exact for these floats."""
    if depth < 2 and small.n > 1 and rng.random() < 0.5:
        i, j = map(int, rng.choice(small.rows, 2, replace=False))
        sides = [
            Small(small.problem, small.k, (*small.together, (i, j)), small.apart),
            Small(small.problem, small.k, small.together, (*small.apart, (i, j))),
        ]
        if not any(side.empty or side.optimum() is None for side in sides):
            return ("branch", i, j, *(searched(side, rng, depth + 1) for side in sides))
    groups = [next(at for at, item in enumerate(small.items) if row in item) for row in small.rows]
    lines = prices(small, rng)
    rounded = [int(token, 16) for token in lines[1].split(" ")[1:]]
    unit = 4 ** (20 + small.problem.scale)
    own = [small.problem.own_price(item) * 4**20 for item in small.items]
    paid = [float((price - cost) / unit) for price, cost in zip(rounded, own)]
    weights = [Fraction(small.moments[1 << i][0], 2**small.problem.weight_scale) for i in range(small.n)]
    total = [
        Fraction(price) * weight + small.sse[1 << i] / small.problem.unit
        for i, (price, weight) in enumerate(zip(paid, weights))
    ]
    left = [
        sum(total[i] for i in range(small.n) if mask >> i & 1) - small.sse[mask] / small.problem.unit
        for mask in range(1 << small.n)
        if small.allowed[mask]
    ]
    return ("prices", groups, paid, max(left))
