"""Checks a proof file: python -m ckmeans.check FILE.ckc [DATA]. Standard library only; nothing is ever rounded.

It shares no code with what finds clusterings and proofs, so nothing of that has to be trusted. What it proves: no partition of the rows into
at most k clusters has a smaller sum of weighted squared distances to the cluster means than the bound. Exit codes: 0 proved, 1 not proved,
2 no proof file or altered, 3 for other data. docs/proofs.md describes the file. In all proofs:
F1. SSE(A u B) >= SSE(A) + SSE(B): the mean of the union serves neither better than its own mean does.
F2. Dropping rows or conditions never raises the optimum: every partition stays one.
F3. Equal rows share a cluster in some optimum (all have the same nearest mean): they count as one row with their weights added. If there
    are k distinct rows, they do in every optimum, or moving one would pay. A row without weight is none.
"""

import hashlib
import re
import struct
import sys
from bisect import bisect
from collections import namedtuple
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import accumulate
from math import ceil, isqrt
from operator import mul
from pathlib import Path

PROVED, UNPROVED, MALFORMED, OTHER_DATA = range(4)
LIMIT = 1 << 22  # steps after which a search gives up
INTEGER = re.compile(r"0|-?[1-9a-f][0-9a-f]*")
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
NUMPY = re.compile(r"{'descr': '([<>|])(\w\d)', 'fortran_order': (\w+), 'shape': \((\d+),(?: (\d+))?\), }\s*")
CODES = dict(zip("f8 f4 f2 i8 i4 i2 i1 u8 u4 u2 u1".split(), "dfeqihbQIHB"))
# Rows (weights W, coordinates X) are distinct. U: cost of the labels; clusters: their sets of rows, None if equal rows part.
Problem = namedtuple("Problem", "k W X U clusters distinct status value lower unit")
# What a proof speaks of: all partitions of items (rows that are together) with some pairs apart; whole: no row left out.
Family = namedtuple("Family", "items rows apart whole")
Item = namedtuple("Item", "rows weight sums squares mean cost")  # rows together; sums of w, w x, w |x|^2

class Refused(Exception):
    """An exit code and the reason."""

def refuse_if(condition, reason, code=UNPROVED):
    if condition:
        raise Refused(code, reason)

def dot(a, b):
    return sum(map(mul, a, b))

def item_of(W, X, rows):
    weight, columns = sum(W[i] for i in rows), zip(*([W[i] * x for x in X[i]] for i in rows))
    sums, squares = list(map(sum, columns)), sum(W[i] * dot(X[i], X[i]) for i in rows)
    mean, cost = tuple(Fraction(s, weight) for s in sums), squares - Fraction(dot(sums, sums), weight)
    return Item(rows, weight, sums, squares, mean, cost)

class Reader:
    """The lines of a file, one after the other. Each begins with the word that is expected there."""
    def __init__(self, content):
        lines = content.split(b"\n")
        refuse_if(len(lines) < 3 or lines[0] != b"CKC 1", "this is no CKC 1 proof file", MALFORMED)
        sha = hashlib.sha256(content[: len(content) - len(lines[-2]) - 1]).hexdigest()
        whole = lines[-2:] == [f"end lines={len(lines) - 2:x} sha256={sha}".encode(), b""]
        refuse_if(not whole or not content.isascii(), "the file was truncated or altered", MALFORMED)
        self.lines, self.at, self.size = [line.decode() for line in lines[:-2]], 1, len(content)
    def bad_if(self, condition, what):
        refuse_if(condition, f"line {self.at}: {what}", MALFORMED)
    def next_is(self, word):
        return [line.split(" ", 1)[0] for line in self.lines[self.at : self.at + 1]] == [word]
    def words(self, word):
        found, self.at = self.next_is(word), self.at + 1
        self.bad_if(not found, f"{word!r} expected")
        return self.lines[self.at - 1].split(" ")[1:]
    def integer(self, token):
        self.bad_if(not INTEGER.fullmatch(token), f"{token[:20]!r} is no integer")
        return int(token, 16)
    def natural(self, token):
        value = self.integer(token)  # no row, no scale of a float64 (at most 1074) is greater than this
        self.bad_if(not 0 <= value <= max(self.size, 1 << 12), f"{token[:20]!r} is out of range")
        return value
    def ratio(self, token):
        top, below = map(self.integer, (token if "/" in token else token + "/1").split("/", 1))
        self.bad_if(below < 1, f"{token[:20]!r} is no fraction")
        return Fraction(top, below)
    def numbers(self, word, count=None, read=None):
        values = [(read or self.integer)(token) for token in self.words(word)]
        self.bad_if(count not in (None, len(values)), f"{len(values)} numbers, not {count}")
        return values
    def steps(self):  # to be taken one by one in a search
        yield from range(LIMIT)
        raise Refused(UNPROVED, "this takes too many steps to check")
    def fields(self, tokens, **readers):
        given = [token.partition("=") for token in tokens]
        self.bad_if([name for name, _, _ in given] != list(readers), f"{'= '.join(readers)}= expected")
        return [read(value) for (_, _, value), read in zip(given, readers.values())]

def fractions_in(content, code="<d"):  # here and in struct.pack floats are passed on; nothing computes with them
    return [Fraction(*number.as_integer_ratio()) for (number,) in struct.iter_unpack(code, content)]

def read_rows(content):
    """The rows in a .npy file or a table of decimals (a first line of names is left out), as fractions."""
    if content.startswith(b"\x93NUMPY"):
        stop = 10 + int.from_bytes(content[8:10], "little")
        header = NUMPY.fullmatch(content[10:stop].decode("latin-1"))
        refuse_if(not header or header[2] not in CODES, "the .npy file is no table of numbers", OTHER_DATA)
        values = fractions_in(content[stop:], header[1].replace("|", "<") + CODES[header[2]])
        n, d = int(header[4]), int(header[5] or 1)  # if the file is cut off these are other data
        return [values[i::n] if header[3] == "True" else values[i * d : (i + 1) * d] for i in range(n)]
    lines = (line.partition("#")[0].strip() for line in content.decode("utf-8-sig", "replace").splitlines())
    table = [re.split(r"[\s,;]+", line) for line in lines if line]
    named = bool(table) and not all(map(DECIMAL.fullmatch, table[0]))
    fine = all(DECIMAL.fullmatch(token) for row in table[named:] for token in row)
    refuse_if(not fine, "the data are no table of numbers", OTHER_DATA)
    return [list(map(Fraction, row)) for row in table[named:]]

def read_problem(reader, data):
    """Header, rows, labels and claim. `data`: the rows that were given beside the file, or None."""
    (kind, *tokens), natural = reader.words("problem") or [""], reader.natural
    n, d, k, weighted = reader.fields(tokens, n=natural, d=natural, k=reader.integer, weights=natural)
    reader.bad_if(kind != "sse" or min(n, d, k) < 1 or weighted > 1, "no such problem")
    sha, scale = reader.fields(reader.words("data"), sha256=str, scale=natural)
    unit, weight_unit, rows, W = 1 << scale, 1, [], [1] * n
    while reader.next_is("X"):
        rows.append([Fraction(x, unit) for x in reader.numbers("X", d)])
    if weighted:
        weight_unit = 1 << reader.fields(reader.words("weights"), scale=natural)[0]
        W = reader.numbers("W", n)
    reader.bad_if(min(W) < 0 or not any(W), "a negative weight, or no weight at all")
    reader.bad_if(not rows and data is None, "the rows are not in the file: give the data too")
    data = data and [fractions_in(struct.pack(f"<{len(row)}d", *row)) for row in data]
    rows = rows or data
    stored = [*rows, [Fraction(w, weight_unit) for w in W] if weighted else []]
    packed = [struct.pack(f"<{len(row)}d", *row) for row in stored]
    fits = len(rows) == n and all(len(row) == d for row in rows) and data in (None, rows)
    fits = fits and hashlib.sha256(b"".join(packed)).hexdigest() == sha
    refuse_if(not fits, "the proof is for other data", OTHER_DATA)
    X = [tuple(int(x * unit) for x in row) for row in rows]
    reader.bad_if([[Fraction(x, unit) for x in row] for row in X] != rows or stored != list(map(fractions_in, packed)), "these are no float64")
    labels = reader.numbers("labels", n, reader.natural)
    reader.bad_if(max(labels) >= k, f"a label above k-1={k - 1}")
    status, *tokens = reader.words("claim") or [""]
    reader.bad_if(status not in ("bounded", "optimal", "optimal-unique"), f"{status[:20]!r} is no claim")
    *lower, value = reader.fields(tokens, **({"lower": reader.ratio} if status == "bounded" else {}), value=reader.ratio)
    index, members, own = {}, {}, [i for i in range(n) if W[i]]  # F3
    for i in own:
        index[X[i]] = index.get(X[i], 0) + W[i]
        members.setdefault(labels[i], []).append(i)
    cost = sum(item_of(W, X, rows).cost for rows in members.values())
    place = {x: at for at, x in enumerate(index)}
    clusters = {frozenset(place[X[i]] for i in rows) for rows in members.values()}
    split = sum(map(len, clusters)) != len(place) or len(clusters) != len(members)
    known = (None if split else clusters, len(index) == len(own), status, value, *(lower or [value]))
    return Problem(k, list(index.values()), list(index), cost, *known, unit**2 * weight_unit)

def items_of(problem, family):
    """The items, by their first rows, and for each the bits of those apart from it."""
    place = {row: at for at, rows in enumerate(family.items) for row in rows}
    foes = [0] * len(family.items)
    for i, j in family.apart:
        if i in place and j in place:  # else the condition is dropped (F2)
            foes[place[i]] |= 1 << place[j]
            foes[place[j]] |= 1 << place[i]
    return [item_of(problem.W, problem.X, rows) for rows in family.items], foes

def masks_of(problem, family, items):
    """The clusters of the labels as sets of items, the bits of integers; None if one cuts an item, or rows are left out."""
    sizes = [[len(cluster.intersection(item.rows)) for item in items] for cluster in problem.clusters or ()]
    cut = any(0 < n < len(item.rows) for own in sizes for n, item in zip(own, items))
    masks = {sum(1 << at for at, n in enumerate(own) if n) for own in sizes}
    return masks if masks and family.whole and not cut else None

# The proofs. Each returns a lower bound of the costs in a family, and whether it showed that none in it but the labels' costs U or less, or refuses.
def trivial(problem, reader, args, family, items, foes):
    """By F1 no partition costs less than its items do, each by itself. One cluster is one partition. Anything is true of no partition:
    more than k items that are all apart do not fit into k clusters, and no item is apart from itself."""
    for i, own in enumerate(foes):
        clique = 1 << i
        for j in range(len(items) if own else 0):
            clique |= 0 if clique & ~foes[j] else 1 << j
        if clique.bit_count() > problem.k or own >> i & 1:
            return problem.U + 1, True
    if problem.k == 1:
        return item_of(problem.W, problem.X, family.rows).cost, family.whole
    return sum(item.cost for item in items), False

def tree(problem, reader, args, family, items, foes):
    """Repetitive branch and bound (Koontz et al. 1975; Brusco 2006): items in an order, and a bound for every suffix of it. A partition of
    a suffix costs at least what the clusters of its first items cost, and the optimum of those after them (F1, F2). So the last bound
    is checked first, each by going through the prefixes that the later ones do not rule out."""
    n, order = len(items), reader.numbers("order")
    reader.bad_if(sorted(order) != list(range(n)), f"no order of {n} items")
    bounds = reader.numbers("suffix", n, reader.ratio) + [Fraction(0)]
    wanted = masks_of(problem, family, items) if bounds[0] == problem.U else None
    steps, unique, new = reader.steps(), wanted is not None, (0, [0] * len(items[0].sums), 0, 0, 0)
    for first in reversed(range(n)):
        strict = wanted is not None and not first  # go on at equality, to see who else costs U
        # Prefixes are ruled out by their cost in units of 2**-32, rounded down for every cluster.
        needs = [ceil((bounds[first] - bound) * 2**32) + strict for bound in bounds]
        stack = [(first, 0, ())]
        while stack:
            at, cost, clusters = stack.pop()
            next(steps)
            if at == n:
                cost = sum(Fraction(q * w - dot(s, s), w) for w, s, q, _, _ in clusters)
                refuse_if(cost < bounds[first], f"the bound of suffix {first} is not true")
                unique &= not strict or cost > problem.U or {mask for *_, mask in clusters} == wanted
                continue
            item, foe = items[order[at]], foes[order[at]]
            for c in range(min(len(clusters) + 1, problem.k)):
                w, s, q, old, mask = (*clusters, new)[c]
                w, s, q = w + item.weight, [a + b for a, b in zip(s, item.sums)], q + item.squares
                own = ((q * w - dot(s, s)) << 32) // w
                if cost - old + own < needs[at + 1] and not mask & foe:
                    grown = (*clusters[:c], (w, s, q, own, mask | 1 << order[at]), *clusters[c + 1 :])
                    stack.append((at + 1, cost - old + own, grown))
    return bounds[0], unique

def line(problem, reader, args, family, items, foes):
    """One feature, or rows on one line: a penalty s >= 0 per cluster, and the shortest paths with it. With items ordered by their means, some
    optimum has clusters of neighbours: a path from 0 to n of at most k steps. With c(i, j) the cost of items i..j-1 and p(j) = min over
    i < j of p(i) + c(i, j) + s, it costs at least p(n) - k s. As c(i, j) + c(i', j') <= c(i, j') + c(i', j) for i <= i' <= j <= j' (Monge),
    a later i that is as good at some j is so at all later j."""
    (penalty,) = reader.fields(args, penalty=reader.ratio)
    refuse_if(penalty < 0, "the penalty is negative")
    offs = {row: [a - b for a, b in zip(problem.X[row], problem.X[family.rows[0]])] for row in family.rows}
    along = next((off for off in offs.values() if any(off)), [1])
    size, n, p = dot(along, along), len(items), [Fraction(0)]
    places = {row: [dot(off, along)] for row, off in offs.items()}  # costs of these are `size` times as high
    straight = all(x * size == a * places[row][0] for row, off in offs.items() for x, a in zip(off, along))
    refuse_if(not straight, "the rows are on no line")
    parts = sorted((item_of(problem.W, places, item.rows) for item in items), key=lambda part: part.mean)
    w, s, q = ([0, *accumulate(own)] for own in zip(*((a.weight, *a.sums, a.squares) for a in parts)))
    def path(i, j):
        weight = w[j] - w[i]
        return p[i] + Fraction((q[j] - q[i]) * weight - (s[j] - s[i]) ** 2, weight)
    queue, head = [(0, 1)], 0  # (i, the first j at which it is best)
    for j in range(1, n + 1):
        while head + 1 < len(queue) and queue[head + 1][1] <= j:
            head += 1
        p.append(path(queue[head][0], j) + penalty * size)
        while queue[-1][1] > j and path(j, queue[-1][1]) <= path(*queue[-1]):
            queue.pop()
        low, last = max(queue[-1][1], j + 1), queue[-1][0]
        low += bisect(range(low, n + 1), False, key=lambda to: path(j, to) <= path(last, to))
        if low <= n:
            queue.append((j, low))
    return p[n] * Fraction(1, size) - problem.k * penalty, False

def prices(problem, reader, args, family, items, foes):
    """A price for every item, and an upper bound m of what any center earns (du Merle et al. 2000; Aloise et al. 2012). At a center y an item leaves
    f(y) = weight * price - sum of w |x - y|^2. The greatest sum_C f(y) is at the mean: v(C) = sum_C weight * price - SSE(C). If v(C) <= m for all C without
    apart pairs, the empty one too, k clusters cost at least L = sum weight * price - k m. Closure: g = U - L >= 0. In a partition that costs at most U the
    v(C) add up to at least k m - g, none exceeds m, so v(C) >= m - g for each. All these C are found, and all partitions of them: no others cost so little."""
    shift, most = reader.fields(args, shift=reader.natural, m=reader.integer)
    unit, prices = 4**shift, reader.numbers("price", len(items))  # prices and m count 1 / unit
    reader.bad_if(most < 0, "m is negative")
    earned = [item.weight * price for item, price in zip(items, prices)]
    bound = Fraction(sum(earned) - problem.k * most, unit)
    close = family.whole and problem.status != "bounded" and problem.U >= bound
    slack = ceil((problem.U - bound) * unit) if close else None
    offers = [(item.weight, own - item.squares * unit, [s << shift for s in item.sums]) for item, own in zip(items, earned)]
    pieces = [(i, *offer) for i, offer in enumerate(offers)]
    found = clusters_above(pieces, foes, most, slack, reader.steps())
    if not close:
        return bound, False
    unique = True
    for cover in covers(found, (1 << len(items)) - 1, problem.k, slack, reader.steps()):
        parts = [[row for at, a in enumerate(items) if mask >> at & 1 for row in a.rows] for mask in cover]
        cost = sum(item_of(problem.W, problem.X, rows).cost for rows in parts)
        refuse_if(cost < problem.U, "there is a better partition than that of the labels")
        unique = unique and (cost > problem.U or set(cover) == masks_of(problem, family, items))
    return problem.U, unique

def clusters_above(pieces, foes, most, slack, steps):
    """Refuses if v(C) > most for some C; unless slack is None, finds all C with v(C) >= most - slack: {C: most - v(C)}. Boxes for the mean y of C, halved until
    all is known. On a box an item is outside if f < -slack, inside if f > slack, else open. C has no item outside (v would be greater without it) and all
    inside (v would be greater with it), but for those with an apart item that C may have; if slack is None (0 below) this is so for the largest C of
    greatest v. Gone is a box if the sum of w (x - y) over C, which is 0 at the mean, cannot be 0; or if sum of max(0, f) <= the sum inside + sum of t f + c
    over what is open is less than asked for, where low <= f <= high, 0 <= t <= 1, c = max(-t low, (1 - t) high): see max(0, f) <= t f + c at low, 0 and high.
    f(y + s) = f(y) + 2 D s - w |s|^2 with D = w (x - y): every box keeps f and D at its own center."""
    close, slack = slack is not None, slack or 0
    least = (most - slack << 6) + (not close)  # v is a fraction: what may go is <= most, or < most - slack
    edges = [[sums[f] // w for _, w, _, sums in pieces] for f in range(len(pieces[0][3]))]
    half = [1 << (max(edge) + 1 - min(edge)).bit_length() for edge in edges]  # min(edge) + 2 half is beyond
    center, live = [min(edge) + h for edge, h in zip(edges, half)], []
    for i, w, f, sums in pieces:
        D = [s - w * y for s, y in zip(sums, center)]
        live.append((i, w, f + dot(sums, center) + dot(D, center), D))
    found, stack = {}, [(half, 0, 0, live, (0, 0, 0, [0] * len(half)))]
    while stack:
        half, axis, step, live, (members, weight, value, pull) = stack.pop()
        next(steps)
        near = pull[axis] - weight * step
        value, pull = value + step * (pull[axis] + near), [*pull[:axis], near, *pull[axis + 1 :]]
        present, volume, still, bounds = sum(1 << piece[0] for piece in live), dot(half, half), [], []
        for i, w, f, D in live:
            near = D[axis] - w * step
            f += step * (D[axis] + near)
            D = [*D[:axis], near, *D[axis + 1 :]]
            high = low = 0
            for a, h in zip(D, half):
                a, b = abs(a) * h, w * h * h
                low += a
                high += a if a < b else 2 * a - b  # the maximum is a^2 : b <= a if a < b
            low, high = f - 2 * low - w * volume, f + high
            if low > slack and not foes[i] & present:
                members, weight, value = members | 1 << i, weight + w, value + f
                pull = [a + b for a, b in zip(pull, D)]
            elif high >= -slack:
                still.append((i, w, f, D))
                bounds.append((low, high))
        ends = [[(D[f], w * h) for _, w, _, D in still] for f, h in enumerate(half)]
        pulls = list(zip(pull, [weight * h for h in half], ends))
        forth = any(p - b + sum(min(0, D - w) for D, w in own) > 0 for p, b, own in pulls)
        if forth or any(p + b + sum(max(0, D + w) for D, w in own) < 0 for p, b, own in pulls):
            continue
        if len(still) > 3:  # else all subsets
            W, top, slope = weight << 6, value << 6, [a << 6 for a in pull]
            for (_, w, f, D), (low, high) in zip(still, bounds):
                t = 64 if low >= 0 else 0 if high <= 0 else (high << 6) // (high - low)
                W, top = W + t * w, top + t * f + max(0, -t * low, (64 - t) * high)
                slope = [a + t * b for a, b in zip(slope, D)]
            for a, h in zip(map(abs, slope), half):
                top += h * (2 * a - W * h) if a > W * h else -(-a * a // W) if W else 0
            if top < least:
                continue
            here = (members, weight, value, pull)
            axis = max(range(len(half)), key=lambda f: half[f] * sum(abs(D) + w for D, w in ends[f]))
            h = half[axis] >> 1
            held = [at for at, (low, _) in enumerate(bounds) if low > slack]  # by apart ones
            if h and not held and any(high - low > slack for low, high in bounds):
                half = [*half[:axis], h, *half[axis + 1 :]]
                stack += [(half, axis, step, still, here) for step in (-h, h)]
            else:  # smaller boxes do not help: one item is in C, or it is not
                i, w, f, D = still.pop(held[0] if held else -1)
                stack.append((half, 0, 0, still, here))
                here = (members | 1 << i, weight + w, value + f, [a + b for a, b in zip(pull, D)])
                stack.append((half, 0, 0, [piece for piece in still if not foes[i] >> piece[0] & 1], here))
            continue
        sets = [(members, weight, value, pull)]
        for i, w, f, D in still:
            free = [(m, W, v, P) for m, W, v, P in sets if not m & foes[i]]
            sets += [(m | 1 << i, W + w, v + f, [a + b for a, b in zip(P, D)]) for m, W, v, P in free]
        for mask, W, v, P in sets:
            earned = v * W + dot(P, P)  # W times v(C)
            refuse_if(earned > most * W, "a center earns more than m")
            if close and mask and earned >= (most - slack) * W:
                found[mask] = most - -(-earned // W)
    return found

def covers(found, everything, k, slack, steps):
    """All ways to part everything into at most k of the sets found, whose slacks add up to at most `slack`."""
    stack = [(everything, slack, (), list(found))]
    while stack:
        next(steps)
        rest, left, chosen, pool = stack.pop()
        if not rest:
            yield chosen
        elif len(chosen) < k:
            first = rest & -rest
            for mask in (mask for mask in pool if mask & first and found[mask] <= left):
                apart = [other for other in pool if not other & (mask | first)]
                stack.append((rest & ~mask, left - found[mask], (*chosen, mask), apart))

def shortfall(A, weights):
    """A delta for which A + delta diag(weights) has no negative eigenvalue. A has the rows of its lower half. With A = F F' + R, F rounded down,
    it is enough that no diagonal entry of R + delta diag(weights) is below what |R| adds up to in the rest of its row (Gershgorin)."""
    F, off = [], [0] * len(A)
    for i, row in enumerate(A):
        own = []
        for j, value in enumerate(row[:-1]):
            quotient, rest = divmod(value - dot(own, F[j]), F[j][j])
            own.append(quotient)
            off[i], off[j] = off[i] + rest, off[j] + rest
        square = row[-1] - dot(own, own)
        refuse_if(square < 1, "there is a negative eigenvalue")
        F.append([*own, isqrt(square)])
        off[i] += F[i][i] ** 2 - square
    return max(-(-value // weight) for value, weight in zip(off, weights))

def principal(problem, reader, args, family, items, foes):
    """Ding & He 2004: what clusters explain is the trace of the scatter matrix M projected to k - 1 dimensions. If V V' + (tau + delta) I - M has
    no negative eigenvalue, that is at most trace V V' + (k - 1) max(0, tau + delta). M, times the total weight, is of integers."""
    scale, tau = reader.fields(args, scale=reader.natural, tau=reader.integer)
    whole, d, R = item_of(problem.W, problem.X, family.rows), len(problem.X[0]), []
    V, heavy = [reader.numbers("V") for _ in range(d)], [(problem.W[i] * whole.weight, problem.X[i]) for i in family.rows]
    for f in range(d):
        M = [sum(w * x[f] * x[g] for w, x in heavy) - whole.sums[f] * whole.sums[g] for g in range(f + 1)]
        R.append([dot(V[f], V[g]) - (m << 2 * scale) + tau * (f == g) for g, m in enumerate(M)])
    most = sum(dot(v, v) for v in V) + (problem.k - 1) * max(0, tau + shortfall(R, [1] * d))
    return whole.cost - Fraction(most, whole.weight * 4**scale), False

def semidefinite(problem, reader, args, family, items, foes):
    """Peng & Wei 2007, with cuts. Let Z[i, j] = 1 / weight of the cluster of i and j, 0 if they are apart; G[i, j] = sums i . sums j. For k clusters
    (some are split until there are k: F1) cost = squares - <G, Z>; Z w = 1; <diag w, Z> = k; v' diag w Z diag w v <= sum w v^2 for all v (a
    projection, but for scale); Z >= 0; Z[i, i] >= Z[i, j]; Z[i, i] + Z[j, h] >= Z[i, j] + Z[i, h]. So for multipliers N, a >= 0 of the last three,
    and T = tau diag w + sum of diag w v v' diag w + (mu w' + w mu') : 2 - N - cuts - G, if T + delta diag w has no negative eigenvalue: cost >= L +
    <N + cuts, Z> with L = squares - sum mu - k tau - sum w v^2 - k delta. Closure (docs/proofs.md): what costs at most U has no i, j together for
    which N[i, j] alone, and i with j or h if a alone, would cost more than U - L; this may leave each item one cluster, starting at items that
    are all apart, one in each. (Partitions into fewer clusters, split up, are that one; they cost less only if two of its means are the same.)"""
    n, k, w, natural = len(items), problem.k, [item.weight for item in items], reader.natural
    scale, shift, tau = reader.fields(args, scale=natural, shift=natural, tau=reader.integer)
    mu, N, T, cuts = reader.numbers("mu", n), [], [], []  # T is twice the lower half
    V = [reader.numbers("V", n) for _ in range(k - 1)]
    tops, ends = [[a * x for x in v] for a, *v in zip(w, *V)], [[x << scale for x in a.sums] for a in items]
    for i in range(n):
        N.append([v << shift for v in reader.numbers("N", i)])
        inner = [dot(tops[i], tops[j]) - dot(ends[i], ends[j]) for j in range(i + 1)]
        T.append([2 * (a - b) + mu[i] * heavy + w[i] * m for a, b, m, heavy in zip(inner, [*N[i], -tau * w[i]], mu, w)])
    while reader.next_is("cut"):
        i, j, h, a = reader.numbers("cut", 4)
        reader.bad_if(min(i, j, h, a) < 0 or max(i, j, h) >= n or i in (j, h), "no such cut")
        cuts.append((i, j, h, a << shift))
        for p, q, times in ((i, i, -2), (i, j, 1), (i, h, 1), (j, h, -1))[: 2 if j == h else 4]:
            T[max(p, q)][min(p, q)] += times * a << shift
    refuse_if(n < k or any(v < 0 for row in N for v in row), "a negative multiplier, or too few items")
    most = 2 * (sum(mu) + k * tau + sum(a * x * x for v in V for a, x in zip(w, v))) + k * shortfall(T, w)
    bound = sum(item.squares for item in items) - Fraction(most, 2 * 4**scale)
    masks, seeds, may, before, held = list(masks_of(problem, family, items) or ()), [], [(1 << k) - 1] * n, None, None
    slack = (problem.U - bound) * 4**scale * (sum(w) - sum(sorted(w)[: k - 1])) // 1
    clash = [own | sum(1 << j for j, v in enumerate(row) if 2 * v > slack) for own, row in zip(foes, N)]
    clash = [own | sum(1 << j for j in range(i, n) if clash[j] >> i & 1) for i, own in enumerate(clash)]
    for c, mask in enumerate(masks):
        seeds += [i for i in range(n) if mask >> i & 1 and all(clash[i] >> seed & 1 for seed in seeds)][:1]
        may[seeds[-1] if seeds else 0] = 1 << c
    while len(seeds) == k and before != may:
        before, held = may, [sum(1 << i for i in range(n) if may[i] == 1 << c) for c in range(k)]
        may = [own & sum(1 << c for c in range(k) if not clash[i] & held[c]) for i, own in enumerate(may)]
        for i, j, h, _ in (cut for cut in cuts if cut[3] > slack):
            may[i] &= may[j] | may[h]
    if bound > problem.U or held != masks:
        return bound, False
    return problem.U, len({item_of(problem.W, problem.X, rows).mean for rows in problem.clusters}) == k

KINDS = {"trivial": trivial, "tree": tree, "line": line, "prices": prices, "pca": principal, "sdp": semidefinite}  # fmt: skip

def prove(problem, reader):
    """The bound of the whole proof, and whether it shows uniqueness. Branch: i and j together, or apart. Sum of groups: F2."""
    n = len(problem.X)
    pending, frames = [Family(tuple((i,) for i in range(n)), tuple(range(n)), (), True)], []
    while pending:
        family = pending.pop()
        kind, *args = reader.words("proof") or [""]
        if kind == "branch":
            pair = tuple(map(reader.natural, args))
            reader.bad_if(len(pair) != 2 or not set(pair) <= set(family.rows), "two rows expected")
            pending.append(family._replace(apart=(*family.apart, pair)))
            joined = tuple(sorted({row for rows in family.items for row in rows if set(pair) & set(rows)}))
            pending.append(family._replace(items=tuple(sorted({joined, *(rows for rows in family.items if not set(pair) & set(rows))}))))
            frames.append((2, kind, []))
        elif kind == "sum":
            groups = [tuple(reader.numbers("group")) for _ in range(sum(map(reader.natural, args)))]
            rows = [row for group in groups for row in group]
            wrong = not rows or not all(groups) or len(set(rows) & set(family.rows)) < len(rows)
            reader.bad_if(wrong, "a row twice or not there, or no rows")
            whole = {row: item for item in family.items for row in item}
            for own in map(frozenset, reversed(groups)):
                cut = {tuple(sorted(own.intersection(whole[row]))) for row in own}
                pending.append(Family(tuple(sorted(cut)), tuple(own), family.apart, False))
            frames.append((len(groups), kind, []))
        else:
            reader.bad_if(kind not in KINDS, f"{kind[:20]!r} is no kind of proof")
            bound, unique = KINDS[kind](problem, reader, args, family, *items_of(problem, family))
            while frames:
                parts, kind, done = frames[-1]
                done.append((bound, unique or bound > problem.U))
                if len(done) < parts:
                    break
                frames.pop()
                bounds, uniques = zip(*done)
                bound, unique = (min(bounds), all(uniques)) if kind == "branch" else (sum(bounds), False)
    return bound, unique or bound > problem.U

def verdict(content, data=None):
    """The exit code and one line on a proof file's content, and on that of the data if given."""
    try:
        reader = Reader(content)
        problem = read_problem(reader, None if data is None else read_rows(data))
        refuse_if(problem.value != problem.U, "the labels do not cost what is claimed")
        bound, unique = prove(problem, reader)
        reader.bad_if(reader.at < len(reader.lines), "more than one proof")
        refuse_if(bound < problem.lower, "the bound that is claimed is not reached")
        unique &= problem.distinct or len(problem.X) >= problem.k  # equal rows may part (F3)
        refuse_if(problem.status == "optimal-unique" and not unique, "others may cost as little")
    except Refused as refused:
        code, reason = refused.args
        return code, f"{('', 'not proved', 'malformed', 'other data')[code]}: {reason}"
    except (ValueError, LookupError, OverflowError, struct.error) as error:
        return MALFORMED if data is None else OTHER_DATA, f"unreadable: {error}"
    ways = (problem.U, Context(prec=15, rounding=ROUND_CEILING)), (problem.lower, Context(prec=15, rounding=ROUND_FLOOR))
    cost, lower = (way.divide(Decimal(v.numerator), Decimal(v.denominator * problem.unit)).normalize() for v, way in ways)
    return PROVED, f"proved {problem.status}: cost {cost}, lower bound {lower}"

def main(names):
    try:
        contents = [Path(name).read_bytes() for name in names]
        code, said = verdict(*contents) if len(names) in (1, 2) else (MALFORMED, "usage: FILE.ckc [DATA]")
    except OSError as error:
        code, said = MALFORMED, f"unreadable: {error}"
    print(said, file=sys.stdout if code == PROVED else sys.stderr)
    return code

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
