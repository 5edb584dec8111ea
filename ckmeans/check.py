"""Checks a proof file: python -m ckmeans.check FILE.ckc [DATA [WEIGHTS]]. Standard library only; nothing is ever rounded.

It shares no code with what finds clusterings and proofs, so nothing of that has to be trusted. What it proves: no partition
of the rows into at most k clusters has a smaller sum of weighted squared distances to the cluster means than the bound. Exit
codes: 0 proved, 1 not proved, 2 no proof file or altered, 3 for other data. docs/proofs.md describes the file.

In all proofs:
F1. SSE(A u B) >= SSE(A) + SSE(B): the mean of the union serves neither better than its own mean does.
F2. Dropping rows or conditions never raises the optimum: every partition stays one.
F3. Equal rows share a cluster in some optimum (all have the same nearest mean): they count as one row with their weights
    added. If there are k distinct rows, they do in every optimum, or moving one would pay. A row without weight is none.

Whoever wrote the file may mean ill, so time and memory have a limit that follows from its size: what takes longer than to read
the file is counted before it is done (`Reader.spend`), and what is larger than the file is before it is made (`Reader.room`).
"""

import hashlib
import re
import struct
import sys
from bisect import bisect
from collections import namedtuple
from fractions import Fraction
from itertools import accumulate, repeat
from math import ceil, isqrt
from operator import mul
from pathlib import Path

PROVED, UNPROVED, MALFORMED, OTHER_DATA = range(4)
# What a file may take, and more for each of its bytes: steps (products of small numbers, some 50 ns each), and bytes of memory.
LIMIT, STEPS_A_BYTE, ROOM, ROOM_A_BYTE = 1 << 32, 1 << 10, 1 << 28, 1 << 8
# Numbers are in units of 2**-scale with at most this scale: the scale of the data is 1074 at most.
MOST_SCALE = 1 << 14
INTEGER = re.compile(r"0|-?[1-9a-f][0-9a-f]*")
DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
LONGEST = 1 << 11  # characters of a decimal number: an exact float64 has some 1100
MISSING = {"na", "nan", "null", "none", "nil", "n/a", "nd", "missing", "inf", "infinity", "true", "false"}
NUMPY = re.compile(
    r"{'descr': '([<>|])(..)', 'fortran_order': (True|False), 'shape': \((\d+),(?: (\d+))?\), }\s*"
)
CODES = dict(zip("f8 f4 f2 i8 i4 i2 i1 u8 u4 u2 u1".split(), "dfeqihbQIHB"))

# Rows (weights W, coordinates X) are distinct. U: cost of the labels; clusters: their rows, None if equal rows part; n, d,
# weights: of the data, None or the least and the greatest; bits: of the greatest product that costs are made of.
Problem = namedtuple("Problem", "k W X U clusters distinct status value lower unit n d weights bits")
# What a proof speaks of: all partitions of items (rows that are together) with some pairs apart; whole: no row left out.
Family = namedtuple("Family", "items rows apart whole")
Item = namedtuple("Item", "rows weight sums squares cost")  # rows together; sums of w, w x, w |x|^2


class Refused(Exception):
    """An exit code and the reason."""


def refuse_if(condition, reason, code=UNPROVED):
    if condition:
        raise Refused(code, reason)


def dot(a, b):
    return sum(map(mul, a, b))


def bits_of(numbers):
    return max(map(int.bit_length, numbers), default=0)


def item_of(W, X, rows):
    if len(rows) == 1:
        (row,) = rows
        sums = [W[row] * x for x in X[row]]
        return Item(rows, W[row], sums, dot(sums, X[row]), Fraction(0))
    weight = sum(W[i] for i in rows)
    sums = [sum(column) for column in zip(*([W[i] * x for x in X[i]] for i in rows))]
    squares = sum(W[i] * dot(X[i], X[i]) for i in rows)
    return Item(rows, weight, sums, squares, squares - Fraction(dot(sums, sums), weight))


def total(fractions, reader):
    """Their sum, by halves, as its denominator may have all of theirs."""
    fractions = list(fractions) or [Fraction(0)]
    below = sum(a.denominator.bit_length() for a in fractions if a.denominator > 1)
    reader.spend(20 * len(fractions))
    reader.spend(4, below + bits_of(a.numerator for a in fractions) if below else 0)
    while len(fractions) > 1:
        odd = fractions[-1:] if len(fractions) % 2 else []
        fractions = [a + b for a, b in zip(fractions[::2], fractions[1::2])] + odd
    return fractions[0]


# ---- Reading


class Reader:
    """The lines of a file, one after the other; each begins with the word that is expected there. And what is left of the time."""

    def __init__(self, content, beside=0):
        refuse_if(not content.startswith(b"CKC 1\n"), "this is no CKC 1 proof file", MALFORMED)
        self.stop = content.rfind(b"\n", 0, -1) + 1  # where the last line begins
        body = content[: self.stop]
        end = f"end lines={body.count(10):x} sha256={hashlib.sha256(body).hexdigest()}\n"
        whole = content.isascii() and content[self.stop :] == end.encode()
        refuse_if(not whole, "the file was truncated or altered", MALFORMED)
        self.content, self.start, self.at = content, len(b"CKC 1\n"), 1
        self.size = len(content) + beside  # and that of what is given beside the file
        self.left = LIMIT + STEPS_A_BYTE * self.size

    def spend(self, steps, bits=0):
        """Count steps before they are taken: products, or quotients, of numbers of `bits` bits."""
        self.left -= steps * (1 + (bits * bits >> 15))
        refuse_if(self.left < 0, "this takes too many steps to check")

    def each(self, things, steps=0, bits=0):
        """Things, one after the other; before each, `steps` steps are counted."""
        for thing in things:
            self.spend(steps, bits)
            yield thing

    def room(self, numbers, bits=0):
        """Refuse to hold `numbers` numbers of `bits` bits at a time, if that is more memory than allowed."""
        most = ROOM + ROOM_A_BYTE * self.size
        refuse_if(numbers * (64 + (bits >> 3)) > most, "this takes too much memory to check")

    def steps(self):
        """One for each node of a search. Who wants to count these, or to stop, gives others."""
        return repeat(None)

    def bad_if(self, condition, what):
        refuse_if(condition, f"line {self.at}: {what}", MALFORMED)

    def next_is(self, word):
        word = word.encode()
        return self.content.startswith((word + b" ", word + b"\n"), self.start, self.stop)

    def words(self, word):
        found, begin, self.at = self.next_is(word), self.start, self.at + 1
        self.bad_if(not found, f"{word!r} expected")
        self.start = self.content.index(b"\n", begin) + 1
        return self.content[begin : self.start - 1].decode().split(" ")[1:]

    def integer(self, token):
        self.bad_if(not INTEGER.fullmatch(token), f"{token[:20]!r} is no integer")
        return int(token, 16)

    def natural(self, token):
        value = self.integer(token)  # no number of rows, features or clusters is greater than this
        self.bad_if(not 0 <= value <= max(self.size, 1 << 12), f"{token[:20]!r} is out of range")
        return value

    def scale(self, token):
        value = self.natural(token)
        self.bad_if(value > MOST_SCALE, f"{token[:20]!r} is out of range")
        return value

    def ratio(self, token):
        top, below = map(self.integer, (token if "/" in token else token + "/1").split("/", 1))
        self.bad_if(below < 1, f"{token[:20]!r} is no fraction")
        self.spend(20)
        self.spend(2, bits_of((top, below)) if below > 1 else 0)
        return Fraction(top, below)

    def numbers(self, word, count=None, read=None):
        values = list(map(read or self.integer, self.words(word)))
        self.bad_if(count not in (None, len(values)), f"{len(values)} numbers, not {count}")
        return values

    def fields(self, tokens, **readers):
        given = [token.partition("=") for token in tokens[: len(readers) + 1]]
        expected = "= ".join(readers) + "=" if readers else "nothing more"
        self.bad_if([name for name, _, _ in given] != list(readers), f"{expected} expected")
        return [read(value) for (_, _, value), read in zip(given, readers.values())]


# Floats are passed on from bytes to bytes or to exact integers; nothing computes with them.
def packed(numbers):
    """Integers or fractions as the nearest float64."""
    return struct.pack(f"<{len(numbers)}d", *numbers)


def integers_of(content, scale):
    """float64 as integers in units of 2**-scale, or refuses."""
    values = []
    for (number,) in struct.iter_unpack("<d", content):
        top, below = number.as_integer_ratio()
        spare = scale + 1 - below.bit_length()
        refuse_if(spare < 0, "the proof is for other data", OTHER_DATA)
        values.append(top << spare)
    return tuple(values)


def read_table(content, n, d, scale):
    """The n rows of d features in a .npy file or a text of decimals, in units of 2**-scale."""
    if content.startswith(b"\x93NUMPY"):
        return read_numpy(content, n, d, scale)
    lines = (line.partition("#")[0] for line in content.decode("utf-8-sig", "replace").splitlines())
    lines = [line for line in lines if line.strip()]
    rows = []
    for at, line in enumerate(lines[: n + 2]):  # names, the rows, and one more
        by = next((by for by in ";,\t" if by in line), None)
        cells = [cell.strip() for cell in (line.split(by) if by or d > 1 else [line])]
        if not at and len(cells) == d and all(map(is_name, cells)):
            continue
        fine = all(len(cell) <= LONGEST and DECIMAL.fullmatch(cell) for cell in cells)
        refuse_if(not fine, f"no table of numbers (ckmeans check --rows-out): {line[:40]!r}", OTHER_DATA)
        refuse_if(len(cells) != d, "the proof is for other data", OTHER_DATA)
        rows.append(integers_of(packed(list(map(Fraction, cells))), scale))
    return rows


def is_name(cell):
    """Whether this heads a column: a word, and none that stands for a missing value or for another."""
    word = cell.strip("\"'")
    return word[:1].isalpha() and word.lower() not in MISSING


def read_numpy(content, n, d, scale):
    stop = 10 + int.from_bytes(content[8:10], "little")
    header = NUMPY.fullmatch(content[10:stop].decode("latin-1"))
    refuse_if(not header or header[2] not in CODES, "the .npy file is no table of numbers", OTHER_DATA)
    order, code, fortran, *shape = header.groups()
    code = order.replace("|", "<") + CODES[code]
    size = n * d * struct.calcsize(code)
    fits = [int(length or 1) for length in shape] == [n, d] and len(content) - stop == size
    refuse_if(not fits, "the proof is for other data", OTHER_DATA)
    values = [value for (value,) in struct.iter_unpack(code, memoryview(content)[stop:])]
    at = [slice(i, None, n) if fortran == "True" else slice(i * d, i * d + d) for i in range(n)]
    return [integers_of(packed(values[own]), scale) for own in at]


def read_rows(reader, data, weights):
    """The rows and weights in exact integers, the bytes of each row, and the scales, of the file and of what is beside it."""
    (kind, *tokens), natural = reader.words("problem") or [""], reader.natural
    n, d, k, weighted = reader.fields(tokens, n=natural, d=natural, k=natural, weights=natural)
    reader.bad_if(kind != "sse" or min(n, d, k) < 1 or weighted > 1, "no such problem")
    sha, scale = reader.fields(reader.words("data"), sha256=str, scale=reader.scale)
    rows, W, weight_scale = [], [1] * n, 0
    while reader.next_is("X"):
        rows.append(tuple(reader.numbers("X", d)))
    if weighted:
        (weight_scale,) = reader.fields(reader.words("weights"), scale=reader.scale)
        W = reader.numbers("W", n)
    reader.bad_if(min(W) < 0 or not any(W), "a negative weight, or no weight at all")
    reader.bad_if(not rows and data is None, "the rows are not in the file: give the data too")
    unknown = weighted and data is not None and weights is None
    refuse_if(unknown, "the proof is for weighted rows: give their weights after the data", OTHER_DATA)
    refuse_if(weights is not None and not weighted, "the proof is for rows without weights", OTHER_DATA)
    given = rows if data is None else read_table(data, n, d, scale)
    rows = rows or given
    own = W if weights is None else [w for (w,) in read_table(weights, n, 1, weight_scale)]
    refuse_if(given != rows or own != W or len(rows) != n, "the proof is for other data", OTHER_DATA)
    keys = [packed([Fraction(x, 1 << scale) for x in row]) for row in reader.each(rows)]
    stored = [*keys, packed([Fraction(w, 1 << weight_scale) for w in W]) if weighted else b""]
    digest = hashlib.sha256()
    for part in stored:
        digest.update(part)
    refuse_if(digest.hexdigest() != sha, "the proof is for other data", OTHER_DATA)
    exact = all(integers_of(key, scale) == row for key, row in reader.each(zip(keys, rows)))
    exact = exact and (not weighted or list(integers_of(stored[n], weight_scale)) == W)
    reader.bad_if(not exact, "these are no float64")
    return n, d, k, rows, W if weighted else None, keys, scale, weight_scale


def read_problem(reader, data=None, weights=None):
    """Header, rows, labels and claim. `data`, `weights`: the content of files beside this one."""
    n, d, k, rows, given, keys, scale, weight_scale = read_rows(reader, data, weights)
    labels = reader.numbers("labels", n, reader.natural)
    reader.bad_if(max(labels) >= k, f"a label above k-1={k - 1}")
    status, *tokens = reader.words("claim") or [""]
    reader.bad_if(status not in ("bounded", "optimal", "optimal-unique"), f"{status[:20]!r} is no claim")
    lower = {"lower": reader.ratio} if status == "bounded" else {}
    *lower, value = reader.fields(tokens, **lower, value=reader.ratio)

    everyone, place, X, W, clusters = given or [1] * n, {}, [], [], {}
    for row, key, weight, label in zip(rows, keys, everyone, labels):
        if weight:  # F3
            at = place.setdefault(key, len(place))
            if at == len(X):
                X.append(row)
                W.append(0)
            W[at] += weight
            clusters.setdefault(label, set()).add(at)
    clusters = [sorted(own) for own in clusters.values()]
    bits = 2 * max(map(bits_of, X)) + 2 * sum(W).bit_length() + d.bit_length() + 1
    reader.spend(20 * n * d, bits)
    members = {}
    for i, (weight, label) in enumerate(zip(everyone, labels)):
        if weight:
            members.setdefault(label, []).append(i)
    cost = total((item_of(everyone, rows, own).cost for own in reader.each(members.values())), reader)
    split = sum(map(len, clusters)) != len(X)
    distinct = len(X) == sum(map(len, members.values()))
    known = (None if split else clusters, distinct, status, value, *(lower or [value]))
    spread = given and [Fraction(w, 1 << weight_scale) for w in (min(given), max(given))]
    return Problem(k, W, X, cost, *known, 1 << 2 * scale + weight_scale, n, d, spread, bits)


# ---- The proofs. Each returns a lower bound of the costs in a family, and whether it showed that none in it but the labels'
# costs U or less, or refuses.


def masks_of(problem, reader, family, items):
    """The clusters of the labels as sets of items, the bits of integers; None if one cuts an item, or rows are left out."""
    if problem.clusters is None or not family.whole:
        return None
    place = {row: at for at, item in enumerate(items) for row in item.rows}
    clusters = [sorted({place[row] for row in rows}) for rows in problem.clusters]
    reader.room(len(clusters), len(items))
    reader.spend(len(place) * (20 + (len(items) >> 6)))
    cut = sum(map(len, clusters)) != len(items)
    return None if cut else sorted(sum(1 << at for at in own) for own in clusters)


def trivial(problem, reader, args, family, items, foes):
    """By F1 no partition costs less than its items do, each by itself. One cluster is one partition. Anything is true of no
    partition: more than k items that are all apart do not fit into k clusters, and no item is apart from itself."""
    reader.fields(args)
    for i, own in enumerate(foes):
        clique = 1 << i
        reader.spend(len(items) * (2 + (len(items) >> 6)) if own else 0)
        for j in range(len(items) if own else 0):
            clique |= 0 if clique & ~foes[j] else 1 << j
        if clique.bit_count() > problem.k or own >> i & 1:
            return problem.U + 1, True
    if problem.k == 1:
        return item_of(problem.W, problem.X, family.rows).cost, family.whole
    return total((item.cost for item in items), reader), False


def tree(problem, reader, args, family, items, foes):
    """Repetitive branch and bound (Koontz et al. 1975; Brusco 2006): items in an order, and a bound for every suffix of it. A
    partition of a suffix costs at least what the clusters of its first items cost, and the optimum of those after them (F1,
    F2). So the last bound is checked first, each by going through the prefixes that the later ones do not rule out."""
    reader.fields(args)
    n, order = len(items), reader.numbers("order")
    reader.bad_if(sorted(order) != list(range(n)), f"no order of {n} items")
    bounds = reader.numbers("suffix", n, reader.ratio) + [Fraction(0)]
    reader.spend(10 * n * n, bits_of(v for bound in bounds for v in bound.as_integer_ratio()))
    reader.room(n * (problem.d + 8), problem.bits)
    reader.room(2 * n, n)
    wanted = masks_of(problem, reader, family, items) if bounds[0] == problem.U else None
    unique, ordered = wanted is not None, [(items[at], foes[at], 1 << at) for at in order]
    for first in reversed(range(n)):
        strict = wanted is not None and not first  # go on at equality, to see who else costs U
        # Prefixes are ruled out by their cost in units of 2**-32, rounded down for every cluster.
        needs = [ceil((bounds[first] - bound) * 2**32) + strict for bound in bounds[first:]]
        for clusters in prefixes(problem, reader, ordered[first:], needs):
            cost = total((Fraction(q * w - dot(s, s), w) for w, s, q, _, _ in clusters), reader)
            refuse_if(cost < bounds[first], f"the bound of suffix {first} is not true")
            other = cost <= problem.U and sorted(mask for *_, mask in clusters) != wanted
            unique = unique and not (strict and other)
    return bounds[0], unique


def prefixes(problem, reader, ordered, needs):
    """Goes through the partitions of the first items, more and more of them, that cost less than is needed there; yields those
    of all items. A cluster is its weight, sums, squares, cost and set of items."""
    clusters, trail, cost, c = (
        [],
        [],
        0,
        0,
    )  # trail: cluster of each item, what was there before, and the cost before
    steps, n, k = reader.steps(), len(ordered), problem.k
    width, new = 4 * problem.d + 40 + (len(ordered) >> 5), (0, [0] * problem.d, 0, 0, 0)
    next(steps)
    while True:
        at = len(trail)
        if at < n and c < k and c <= len(clusters):
            reader.spend(width, problem.bits)
            item, foe, bit = ordered[at]
            before = clusters[c] if c < len(clusters) else new
            w, s, q, old, mask = before
            w, s, q = w + item.weight, [a + b for a, b in zip(s, item.sums)], q + item.squares
            own = ((q * w - dot(s, s)) << 32) // w
            if cost - old + own >= needs[at + 1] or mask & foe:
                c += 1
                continue
            next(steps)
            trail.append((c, before, cost))
            clusters[c : c + 1] = [(w, s, q, own, mask | bit)]
            cost, c = cost - old + own, 0
            if at + 1 < n:
                continue
            yield clusters
        if not trail:
            return
        c, before, cost = trail.pop()
        clusters[c : c + 1] = [before] if before[0] else []
        c += 1


def line(problem, reader, args, family, items, foes):
    """One feature, or rows on one line: a penalty s >= 0 per cluster, and the shortest paths with it. With items ordered by
    their means, some optimum has clusters of neighbours: a path from 0 to n of at most k steps. With c(i, j) the cost of items
    i..j-1 and p(j) = min over i < j of p(i) + c(i, j) + s, it costs at least p(n) - k s. As c(i, j) + c(i', j') <= c(i, j') +
    c(i', j) for i <= i' <= j <= j' (Monge), a later i that is as good at some j is so at all later j."""
    (penalty,) = reader.fields(args, penalty=reader.ratio)
    refuse_if(penalty < 0, "the penalty is negative")
    origin = problem.X[next(iter(family.rows))]
    each = reader.each(family.rows, 20 * problem.d, problem.bits)
    offs = {row: [a - b for a, b in zip(problem.X[row], origin)] for row in each}
    along = next((off for off in offs.values() if any(off)), [1])
    size, n, p = dot(along, along), len(items), [Fraction(0)]
    places = {row: [dot(off, along)] for row, off in offs.items()}  # costs of these are `size` times as high
    pairs = ((x * size, a * places[row][0]) for row in reader.each(offs) for x, a in zip(offs[row], along))
    refuse_if(any(x != a for x, a in pairs), "the rows are on no line")
    parts = [item_of(problem.W, places, item.rows) for item in reader.each(items)]
    fine = 2 * bits_of(part.weight for part in parts)  # two means that differ do so by more than 2**-fine
    parts.sort(key=lambda part: (part.sums[0] << fine) // part.weight)
    w, s, q = ([0, *accumulate(own)] for own in zip(*((a.weight, *a.sums, a.squares) for a in parts)))
    bits = (q[n] * w[n]).bit_length() + bits_of(penalty.as_integer_ratio())
    reader.room(4 * n, bits)

    def path(i, j):
        reader.spend(100, bits + p[i].denominator.bit_length())
        weight = w[j] - w[i]
        return p[i] + Fraction((q[j] - q[i]) * weight - (s[j] - s[i]) ** 2, weight)

    queue, head, held = [(0, 1)], 0, 0  # (i, the first j at which it is best)
    for j in range(1, n + 1):
        while head + 1 < len(queue) and queue[head + 1][1] <= j:
            head += 1
        p.append(path(queue[head][0], j) + penalty * size)
        held += p[j].denominator.bit_length()
        reader.room(1, 2 * held)
        while queue[-1][1] > j and path(j, queue[-1][1]) <= path(*queue[-1]):
            queue.pop()
        low, last = max(queue[-1][1], j + 1), queue[-1][0]
        low += bisect(range(low, n + 1), False, key=lambda to: path(j, to) <= path(last, to))
        if low <= n:
            queue.append((j, low))
    return p[n] * Fraction(1, size) - problem.k * penalty, False


def prices(problem, reader, args, family, items, foes):
    """A price for every item, and an upper bound m of what any center earns (du Merle et al. 2000; Aloise et al. 2012). At a
    center y an item leaves f(y) = weight * price - sum of w |x - y|^2. The greatest sum_C f(y) is at the mean: v(C) = sum_C
    weight * price - SSE(C). If v(C) <= m for all C without apart pairs, the empty one too, k clusters cost at least L = sum
    weight * price - k m. Closure: g = U - L >= 0. In a partition that costs at most U the v(C) add up to at least k m - g, none
    exceeds m, so v(C) >= m - g for each. All these C are found, and all partitions of them: no others cost so little."""
    shift, most = reader.fields(args, shift=reader.scale, m=reader.integer)
    price = reader.numbers("price", len(items))  # prices and m count 1 / unit
    reader.bad_if(most < 0, "m is negative")
    bits, unit = bits_of([most, *price]) + problem.bits + 2 * shift, 4**shift
    reader.spend(10 * len(items) * problem.d, bits)
    reader.room(2 * len(items) * (problem.d + 3), bits)
    earned = [item.weight * own for item, own in zip(items, price)]
    bound = Fraction(sum(earned) - problem.k * most, unit)
    close = family.whole and problem.status != "bounded" and problem.U >= bound
    slack = ceil((problem.U - bound) * unit) if close else None
    pieces = [
        (i, item.weight, own - item.squares * unit, [s << shift for s in item.sums])
        for i, (item, own) in enumerate(zip(items, earned))
    ]
    found = clusters_above(pieces, foes, most, slack, reader)
    if not close:
        return bound, False
    labels, unique = masks_of(problem, reader, family, items), True
    for cover in covers(found, len(items), problem.k, slack, reader):
        reader.spend(len(items) * (10 * problem.d + len(cover) * (1 + (len(items) >> 6))), problem.bits)
        parts = [[row for at, a in enumerate(items) if mask >> at & 1 for row in a.rows] for mask in cover]
        cost = total((item_of(problem.W, problem.X, rows).cost for rows in parts), reader)
        refuse_if(cost < problem.U, "there is a better partition than that of the labels")
        unique = unique and (cost > problem.U or sorted(cover) == labels)
    return problem.U, unique


def clusters_above(pieces, foes, most, slack, reader):
    """Refuses if v(C) > most for some C; unless slack is None, lists all C with v(C) >= most - slack, each with most - v(C).

    Boxes for the mean y of C are halved until all is known. On a box an item is outside if f < -slack, inside if f > slack, else
    open. C has no item outside (v would be greater without it) and all inside (v would be greater with it), but for those with
    an apart item that C may have; if slack is None (0 below) this is so for the largest C of greatest v. A box is: the half of
    its sides; the axis and the step by which its center is off the one that its live pieces are for; these; what is inside.
    f(y + s) = f(y) + 2 D s - w |s|^2 with D = w (x - y): every box keeps f and D at its own center."""
    close, slack = slack is not None, slack or 0
    least = (most - slack << 6) + (not close)  # v is a fraction: what may go is <= most, or < most - slack
    edges = [[sums[f] // w for _, w, _, sums in pieces] for f in range(len(pieces[0][3]))]
    half = [1 << (max(edge) + 1 - min(edge)).bit_length() for edge in edges]  # min(edge) + 2 half is beyond
    center, live = [min(edge) + h for edge, h in zip(edges, half)], []
    for i, w, f, sums in pieces:
        D = [s - w * y for s, y in zip(sums, center)]
        live.append((i, w, f + dot(sums, center) + dot(D, center), D))
    bits = bits_of(v for _, w, f, sums in pieces for v in (most, w, f, *sums))
    bits += sum(w for _, w, _, _ in pieces).bit_length()
    width, words, apart = len(half) + 4, len(pieces) >> 6, any(foes)
    found, steps, held = {}, reader.steps(), 0  # held: numbers in the stack, where two boxes share theirs
    stack = [(half, 0, 0, live, (0, 0, 0, [0] * len(half)))]
    while stack:
        half, axis, step, live, inside = stack.pop()
        next(steps)
        held -= (len(live) + 1) * width
        reader.spend(60 + words + len(live) * (16 * width + apart * words), bits)
        still, bounds, inside = sorted_out(axis, step, half, live, inside, slack, foes, apart)
        ends = [[(D[f], w * h) for _, w, _, D in still] for f, h in enumerate(half)]
        if never_zero(half, inside, ends):
            continue
        if len(still) > 3:
            if height(half, still, bounds, inside) < least:
                continue
            parts = halved(half, still, bounds, inside, ends, slack, foes)
            held += sum((len(live) + 1) * width for _, _, _, live, _ in parts)
            reader.room(held >> 1, bits + len(pieces) // 32)
            stack += parts
            continue
        for mask, W, v, P in subsets(still, inside, foes):
            value = v * W + dot(P, P)  # W times v(C)
            refuse_if(value > most * W, "a center earns more than m")
            if close and mask and value >= (most - slack) * W:
                found[mask.to_bytes(len(pieces) // 8 + 1, "big")] = most - -(-value // W)
                reader.room(2 * len(found), len(pieces) + bits)
    return [(int.from_bytes(mask, "big"), short) for mask, short in found.items()]


def sorted_out(axis, step, half, live, inside, slack, foes, apart):
    """The pieces that are open on a box, moved to its center, their least and greatest f there, and what is inside."""
    members, weight, value, pull = inside
    near = pull[axis] - weight * step
    value, pull = value + step * (pull[axis] + near), [*pull[:axis], near, *pull[axis + 1 :]]
    present = sum(1 << piece[0] for piece in live) if apart else 0
    volume, still, bounds = dot(half, half), [], []
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
    return still, bounds, (members, weight, value, pull)


def never_zero(half, inside, ends):
    """Whether on a box the sum of w (x - y) over C, which is 0 at the mean of C, is not 0 for any C."""
    _, weight, _, pull = inside
    pulls = list(zip(pull, [weight * h for h in half], ends))
    forth = any(p - b + sum(min(0, D - w) for D, w in own) > 0 for p, b, own in pulls)
    return forth or any(p + b + sum(max(0, D + w) for D, w in own) < 0 for p, b, own in pulls)


def height(half, still, bounds, inside):
    """64 times what no center in the box earns more than: the sum inside, and that of t f + c over what is open, where low <= f <=
    high, 0 <= t <= 1, c = max(-t low, (1 - t) high): see max(0, f) <= t f + c at low, 0 and high."""
    _, weight, value, pull = inside
    W, top, slope = weight << 6, value << 6, [a << 6 for a in pull]
    for (_, w, f, D), (low, high) in zip(still, bounds):
        t = 64 if low >= 0 else 0 if high <= 0 else (high << 6) // (high - low)
        W, top = W + t * w, top + t * f + max(0, -t * low, (64 - t) * high)
        slope = [a + t * b for a, b in zip(slope, D)]
    for a, h in zip(map(abs, slope), half):
        top += h * (2 * a - W * h) if a > W * h else -(-a * a // W) if W else 0
    return top


def halved(half, still, bounds, inside, ends, slack, foes):
    """Two boxes, or, where smaller boxes do not help, the same one twice: an item is in C, or it is not."""
    axis = max(range(len(half)), key=lambda f: half[f] * sum(abs(D) + w for D, w in ends[f]))
    h = half[axis] >> 1
    held = [at for at, (low, _) in enumerate(bounds) if low > slack]  # by apart ones
    if h and not held and any(high - low > slack for low, high in bounds):
        half = [*half[:axis], h, *half[axis + 1 :]]
        return [(half, axis, step, still, inside) for step in (-h, h)]
    i, w, f, D = still.pop(held[0] if held else -1)
    members, weight, value, pull = inside
    taken = (members | 1 << i, weight + w, value + f, [a + b for a, b in zip(pull, D)])
    friends = [piece for piece in still if not foes[i] >> piece[0] & 1]
    return [(half, 0, 0, still, inside), (half, 0, 0, friends, taken)]


def subsets(still, inside, foes):
    """What is inside, with any of the few open pieces that may be together."""
    sets = [inside]
    for i, w, f, D in still:
        free = [(m, W, v, P) for m, W, v, P in sets if not m & foes[i]]
        sets += [(m | 1 << i, W + w, v + f, [a + b for a, b in zip(P, D)]) for m, W, v, P in free]
    return sets


def covers(found, n, k, slack, reader):
    """All ways to part n items into at most k of the sets found, whose slacks add up to at most `slack`."""
    words, steps, held = 1 + (n >> 6), reader.steps(), len(found)

    def frame(rest, left, pool):
        """What is still to be covered, the slack that is left, the sets that fit in, and those of these that come next."""
        first = rest & -rest
        return rest, left, pool, iter([own for own in pool if own[0] & first and own[1] <= left])

    chosen, frames = [], [frame((1 << n) - 1, slack, found)]
    while frames:
        rest, left, pool, ways = frames[-1]
        mask, short = next(ways, (0, 0))
        if not mask:
            frames.pop()
            held -= len(pool)
            chosen = chosen[:-1]
            continue
        next(steps)
        reader.spend(20 + 2 * len(pool) * words)
        if mask == rest:
            yield [*chosen, mask]
        elif len(chosen) + 1 < k:
            chosen = [*chosen, mask]
            pool = [own for own in pool if not own[0] & mask]
            held += len(pool)
            reader.room(held)
            frames.append(frame(rest & ~mask, left - short, pool))


def shortfall(A, weights, spend=None):
    """A delta for which A + delta diag(weights) has no negative eigenvalue. A has the rows of its lower half. With A = F F' + R,
    F rounded down, it is enough that no diagonal entry of R + delta diag(weights) is below what |R| adds up to in the rest of
    its row (Gershgorin)."""
    F, off, bits = [], [0] * len(A), max(map(bits_of, A))
    for i, row in enumerate(A):
        own, root = [], isqrt(max(0, row[-1]))
        if spend:
            spend((i + 10) * (i + 10), bits)
        for j, value in enumerate(row[:-1]):
            quotient, rest = divmod(value - dot(own, F[j]), F[j][j])
            refuse_if(abs(quotient) > root, "there is a negative minor")
            own.append(quotient)
            off[i], off[j] = off[i] + rest, off[j] + rest
        square = row[-1] - dot(own, own)
        refuse_if(square < 1, "there is a negative eigenvalue")
        F.append([*own, isqrt(square)])
        off[i] += F[i][i] ** 2 - square
    return max(-(-value // weight) for value, weight in zip(off, weights))


def principal(problem, reader, args, family, items, foes):
    """Ding & He 2004: what clusters explain is the trace of the scatter matrix M projected to k - 1 dimensions. If V V' + (tau +
    delta) I - M has no negative eigenvalue, that is at most trace V V' + (k - 1) max(0, tau + delta). M, times the total
    weight, is of integers. Where V has a line for each row, not each feature, M is B' B instead of B B', with the same eigenvalues
    but for zeros: times the square of the total weight, M[i, j] = r[i] r[j] a_i . a_j and V[i] = r[i] v_i, with r the roots of
    the weights and a_i = total weight * x_i - sum of w x. All is taken r[i] r[j] times, which changes no sign."""
    scale, tau = reader.fields(args, scale=reader.scale, tau=reader.integer)
    V, d, heavy = [], len(problem.X[0]), item_of(problem.W, problem.X, family.rows)
    while reader.next_is("V"):
        V.append(reader.numbers("V", len(V[0]) if V else None))
    X, w = [problem.X[i] for i in family.rows], [problem.W[i] for i in family.rows]
    reader.bad_if(len(V) not in (d, len(X)), f"{d} or {len(X)} lines of V expected")
    bits = problem.bits + 2 * scale + 2 * max(map(bits_of, V)) + tau.bit_length()
    steps = len(V) * (max(d, len(X)) + 10), 2 * bits
    reader.room(2 * len(V) ** 2 + 2 * d * len(X), 2 * bits)
    if len(V) == d:
        whole, weights, columns = heavy.weight, [1] * d, list(zip(*X))
        scaled, sums = [list(map(mul, w, column)) for column in columns], heavy.sums
        pairs = reader.each(enumerate(zip(scaled, sums)), *steps)
        M = [[whole * dot(a, b) - s * t for b, t in zip(columns[: f + 1], sums)] for f, (a, s) in pairs]
    else:
        whole, weights = heavy.weight**2, w
        offs = [[heavy.weight * x - s for x, s in zip(row, heavy.sums)] for row in X]
        M = [[dot(a, b) for b in offs[: i + 1]] for i, a in reader.each(enumerate(offs), *steps)]
    A = [
        [w * v * (dot(a, b) - (m << 2 * scale)) for b, m, v in zip(V, row, weights)]
        for a, row, w in reader.each(zip(V, M, weights), len(V) * len(V[0]), 2 * bits)
    ]
    for row, w in zip(A, weights):
        row[-1] += tau * w
    trace = sum(w * dot(v, v) for v, w in zip(V, weights))
    most = trace + (problem.k - 1) * max(0, tau + shortfall(A, weights, reader.spend))
    return heavy.cost - Fraction(most, whole * 4**scale), False


def semidefinite(problem, reader, args, family, items, foes):
    """Peng & Wei 2007, with cuts. Let Z[i, j] = 1 / weight of the cluster of i and j, 0 if they are apart; G[i, j] = sums i .
    sums j. For k clusters (some are split until there are k: F1) cost = squares - <G, Z>; Z w = 1; <diag w, Z> = k; v' diag w Z
    diag w v <= sum w v^2 for all v (a projection, but for scale); Z >= 0; Z[i, i] >= Z[i, j]; Z[i, i] + Z[j, h] >= Z[i, j] +
    Z[i, h]. So for multipliers N, a >= 0 of the last three, and T = tau diag w + sum of diag w v v' diag w + (mu w' + w mu') : 2
    - N - cuts - G, if T + delta diag w has no negative eigenvalue: cost >= L + <N + cuts, Z> with L = squares - sum mu - k tau -
    sum w v^2 - k delta."""
    n, k, w = len(items), problem.k, [item.weight for item in items]
    scale, shift, tau = reader.fields(args, scale=reader.scale, shift=reader.scale, tau=reader.integer)
    refuse_if(n < k, "there are too few items")
    mu = reader.numbers("mu", n)
    V = [reader.numbers("V", n) for _ in range(k - 1)]
    N = [reader.numbers("N", i) for i in range(n)]
    refuse_if(any(v < 0 for row in N for v in row), "there is a negative multiplier")
    cuts = []
    while reader.next_is("cut"):
        i, j, h, a = reader.numbers("cut", 4)
        reader.bad_if(min(i, j, h, a) < 0 or max(i, j, h) >= n or i in (j, h), "no such cut")
        cuts.append((i, j, h, a))
    bits = max(map(bits_of, (*N, [tau, *mu], [a for *_, a in cuts], *([2 * x] for v in V for x in v))))
    bits = 2 * (bits + problem.bits + scale + 8) + shift
    reader.room(2 * n * n + n * (problem.d + k) + len(cuts), bits)
    reader.spend(10 * len(cuts), bits)
    N, cuts = [[v << shift for v in row] for row in N], [(*cut, a << shift) for *cut, a in cuts]
    tops, ends = [[a * x for x in v] for a, *v in zip(w, *V)], [[x << scale for x in a.sums] for a in items]
    T = []  # twice the lower half
    for i in reader.each(range(n), n * (k + problem.d + 20), bits):
        inner = [dot(tops[i], tops[j]) - dot(ends[i], ends[j]) for j in range(i + 1)]
        others = zip(inner, [*N[i], -tau * w[i]], mu, w)
        T.append([2 * (a - b) + mu[i] * heavy + w[i] * m for a, b, m, heavy in others])
    for i, j, h, a in cuts:
        for p, q, times in ((i, i, -2), (i, j, 1), (i, h, 1), (j, h, -1))[: 2 if j == h else 4]:
            T[max(p, q)][min(p, q)] += times * a
    most = 2 * (sum(mu) + k * tau + sum(a * x * x for v in V for a, x in zip(w, v)))
    most += k * shortfall(T, w, reader.spend)
    bound = sum(item.squares for item in items) - Fraction(most, 2 * 4**scale)
    labels = masks_of(problem, reader, family, items)
    if bound > problem.U or not labels or len(labels) != k:
        return bound, False
    H = sum(w) - sum(sorted(w)[: k - 1])  # no cluster weighs more
    slack = (problem.U - bound) * 4**scale * H // 1
    if settled(n, labels, foes, N, cuts, slack, reader) != labels:
        return bound, False
    parts = [item_of(problem.W, problem.X, rows) for rows in problem.clusters]
    means = sorted(tuple(Fraction(s, part.weight) for s in part.sums) for part in parts)
    return problem.U, all(a != b for a, b in zip(means, means[1:]))


def settled(n, labels, foes, N, cuts, slack, reader):
    """The items that are in each cluster of the labels in all partitions that cost at most U.

    In these, no i, j are together for which N[i, j] alone would cost more than U - L, and i is with j or with h if the cut's
    multiplier alone would: 2 N > slack, a > slack. Let there be k items that are all apart, one in each cluster: these give the
    clusters their names. What is apart from all that a cluster is known to hold is not in it. (A partition into fewer clusters,
    split up, is the labels' if these are the only ones; it costs less only if two means are the same.)"""
    k, words = len(labels), 1 + (n >> 6)
    reader.room(2 * n + len(N), n + k)
    reader.spend(4 * n * n * words + n * k * words)
    clash = [own | sum(1 << j for j, v in enumerate(row) if 2 * v > slack) for own, row in zip(foes, N)]
    clash = [own | sum(1 << j for j in range(i, n) if clash[j] >> i & 1) for i, own in enumerate(clash)]
    cuts = [cut for cut in cuts if cut[3] > slack]
    may, before, held, seeds = [(1 << k) - 1] * n, None, None, 0
    for c, mask in enumerate(labels):
        seed = next((i for i in range(n) if mask >> i & 1 and not seeds & ~clash[i]), None)
        if seed is None:
            return None
        seeds, may[seed] = seeds | 1 << seed, 1 << c
    while before != may:
        reader.spend(2 * n * k * (1 + (k >> 6) + words) + 10 * len(cuts))
        before, held = may, [sum(1 << i for i in range(n) if may[i] == 1 << c) for c in range(k)]
        may = [own & sum(1 << c for c in range(k) if not clash[i] & held[c]) for i, own in enumerate(may)]
        for i, j, h, _ in cuts:
            may[i] &= may[j] | may[h]
    return held


KINDS = dict(trivial=trivial, tree=tree, line=line, prices=prices, pca=principal, sdp=semidefinite)


# ---- The whole proof


def prove(problem, reader):
    """The bound of the whole proof, and whether it shows uniqueness. Branch: i and j together, or apart. Sum of groups: F2."""
    # Rows, decisions on pairs, no row left out.
    pending, frames = [(dict.fromkeys(range(len(problem.X))), None, True)], []
    while pending:
        rows, path, whole = pending.pop()
        kind, *args = reader.words("proof") or [""]
        if kind == "branch":
            pair = list(map(reader.natural, args))
            reader.bad_if(len(pair) != 2 or any(row not in rows for row in pair), "two rows expected")
            depth = path[0] + 1 if path else 1
            pending += [(rows, (depth, path, *pair, together), whole) for together in (False, True)]
            frames.append((2, kind, []))
        elif kind == "sum":
            reader.bad_if(len(args) != 1, "the number of groups expected")
            groups = [reader.numbers("group", None, reader.natural) for _ in range(reader.natural(args[0]))]
            listed = [row for group in groups for row in group]
            wrong = len(set(listed)) < len(listed) or any(row not in rows for row in listed)
            reader.bad_if(wrong or not groups or not all(groups), "a row twice or not there, or no rows")
            pending += [(dict.fromkeys(sorted(group)), path, False) for group in reversed(groups)]
            frames.append((len(groups), kind, []))
        else:
            reader.bad_if(kind not in KINDS, f"{kind[:20]!r} is no kind of proof")
            family = family_of(problem, reader, rows, path, whole)
            bound, unique = KINDS[kind](problem, reader, args, family, *items_of(problem, reader, family))
            while frames:
                parts, kind, done = frames[-1]
                reader.spend(20, bits_of(bound.as_integer_ratio()))
                done.append((bound, unique or bound > problem.U))
                if len(done) < parts:
                    break
                frames.pop()
                bounds, uniques = zip(*done)
                split = kind == "branch"
                bound, unique = (min(bounds), all(uniques)) if split else (total(bounds, reader), False)
    return bound, unique or bound > problem.U


def family_of(problem, reader, rows, path, whole):
    """The partitions of some rows that the decisions on the way to a proof leave."""
    leader, apart = {}, []

    def first(row):
        while (up := leader.get(row)) is not None:
            leader[row] = leader.get(up, up)  # so that the ways get short
            row = up
        return row

    reader.spend((path[0] if path else 0) * 20 + len(rows) * (40 + 8 * problem.d), problem.bits)
    while path:
        _, path, i, j, together = path
        if not together:
            apart.append((i, j))
        elif first(i) != first(j):
            leader[max(first(i), first(j))] = min(first(i), first(j))
    items = {}
    for row in rows:
        items.setdefault(first(row), []).append(row)
    return Family(list(items.values()), list(rows), apart, whole)


def items_of(problem, reader, family):
    """The items, by their first rows, and for each the bits of those apart from it."""
    place = {row: at for at, rows in enumerate(family.items) for row in rows}
    foes = [0] * len(family.items)
    apart = [(i, j) for i, j in family.apart if i in place and j in place]  # others are dropped (F2)
    reader.room(min(2 * len(apart), len(foes)), len(foes))
    reader.spend(len(apart) * (2 + (len(foes) >> 6)))
    for i, j in apart:
        foes[place[i]] |= 1 << place[j]
        foes[place[j]] |= 1 << place[i]
    return [item_of(problem.W, problem.X, rows) for rows in reader.each(family.items)], foes


# ---- The verdict


def decimal(value, below, up, length=15):
    """value / below with some digits, not less (up) or not greater. Of long numbers the leading bits are enough."""
    top, below = value.numerator, value.denominator * below
    sign, up, top = "-" if top < 0 else "", up ^ (top < 0), abs(top)
    if not top:
        return "0"
    cut, cut_below = (max(0, number.bit_length() - (1 << 13)) for number in (top, below))
    top = -(-top >> cut) if up else top >> cut
    below = below >> cut_below if up else -(-below >> cut_below)
    twos = cut - cut_below
    if abs(twos) <= 1 << 13:  # else it is left as it is: no cost of floats is like that
        top, below, twos = top << max(0, twos), below << max(0, -twos), 0
    ten = length - (top.bit_length() - below.bit_length()) * 30103 // 100000
    top, below = top * 10 ** max(0, ten), below * 10 ** max(0, -ten)
    number = -(-top // below) if up else top // below
    while number >= 10**length or not number % 10:
        number, ten = -(-number // 10) if up else number // 10, ten - 1
    digits = str(number)
    point = len(digits) - ten  # the number of digits before the decimal point
    if 0 < point <= length + 2:
        digits = digits.ljust(point, "0")
        shown = f"{digits[:point]}.{digits[point:]}".rstrip(".")
    elif -4 < point <= 0:
        shown = f"0.{'0' * -point}{digits}"
    else:
        shown = f"{digits[0]}.{digits[1:]}".rstrip(".") + f"e{point - 1:+d}"
    return sign + shown + (f" * 2**{twos}" if twos else "")


def verdict(content, data=None, weights=None):
    """The exit code and one line on a proof file's content, and on that of the data and their weights if given."""
    beside = data is not None or weights is not None
    try:
        reader = Reader(content, len(data or b"") + len(weights or b""))
        problem = read_problem(reader, data, weights)
        refuse_if(problem.value != problem.U, "the labels do not cost what is claimed")
        bound, unique = prove(problem, reader)
        reader.bad_if(reader.start < reader.stop, "more than one proof")
        refuse_if(bound < problem.lower, "the bound that is claimed is not reached")
        unique &= problem.distinct or len(problem.X) >= problem.k  # equal rows may part (F3)
        refuse_if(problem.status == "optimal-unique" and not unique, "others may cost as little")
    except Refused as refused:
        code, reason = refused.args
        return code, f"{('', 'not proved', 'malformed', 'other data')[code]}: {reason}"
    except (ValueError, OverflowError, struct.error) as error:  # of numbers that are no float64
        return OTHER_DATA if beside else MALFORMED, f"unreadable: {error}"
    except MemoryError:
        return UNPROVED, "not proved: there is not enough memory to check this"
    cost, lower = decimal(problem.U, problem.unit, True), decimal(problem.lower, problem.unit, False)
    ways = zip(problem.weights or (), (False, True))
    weights = " to ".join(decimal(weight, 1, up) for weight, up in ways)
    weights = f"weights {weights}" if weights else "no weights"
    of = f"k={problem.k}, n={problem.n}, d={problem.d}, {weights}"
    return PROVED, f"proved {problem.status}: cost {cost}, lower bound {lower}, for {of}"


def main(names):
    usage = "usage: python -m ckmeans.check FILE.ckc [DATA [WEIGHTS]]; 0 is proved, 1 not proved, 2 no proof file, 3 other data"
    try:
        well = 1 <= len(names) <= 3 and names[0] not in ("-h", "--help")
        code, said = verdict(*(Path(name).read_bytes() for name in names)) if well else (MALFORMED, usage)
    except OSError as error:
        code, said = MALFORMED, f"unreadable: {ascii(str(error))}"
    print(said, file=sys.stdout if code == PROVED else sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
