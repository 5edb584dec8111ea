"""Checks a proof file: python -m ckmeans.check FILE.ckc [DATA [WEIGHTS]]. Standard library only; nothing is ever rounded.

It shares no code with what finds clusterings and proofs, so nothing of that has to be trusted. What it proves: no partition
of the rows into at most k clusters has a smaller sum of weighted squared distances to the cluster means than the bound. Exit
codes: 0 proved, 1 not proved, 2 no proof file or altered, 3 for other data. docs/proofs.md describes the file.

In all proofs:
F1. SSE(A u B) >= SSE(A) + SSE(B), where rows may be in both with parts of their weight: the union's mean serves neither better than its own.
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
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from importlib import import_module
from itertools import accumulate, chain, combinations, compress
from math import ceil, isqrt
from operator import mul
from pathlib import Path

PROVED, UNPROVED, MALFORMED, OTHER_DATA = range(4)
# What a file may take, and more for each of its bytes: steps (products of small numbers, some 50 ns each), and bytes of memory.
LIMIT, STEPS_A_BYTE, ROOM, ROOM_A_BYTE = 1 << 32, 1 << 10, 1 << 28, 1 << 8
# Numbers are in units of 2**-scale with at most this scale: the scale of the data is 1074 at most.
MOST_SCALE = 1 << 14
TRIES = 3  # steps to a better bound on a box
INTEGER = re.compile(r"0|-?[1-9a-f][0-9a-f]*")
DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
LONGEST = 1 << 11  # characters of a decimal number: an exact float64 has some 1100
MISSING = {"na", "nan", "null", "none", "nil", "n/a", "nd", "missing", "inf", "infinity", "true", "false"}
NUMPY = r"{'descr': '([<>|])(..)', 'fortran_order': (True|False), 'shape': \((\d+),(?: (\d+))?\), }\s*"
CODES = dict(zip("f8 f4 f2 i8 i4 i2 i1 u8 u4 u2 u1".split(), "dfeqihbQIHB"))

# Rows (weights W, coordinates X) are distinct. U: cost of the labels, or more where all others are to be shown to cost more than
# that; clusters: their rows, None if equal rows part; closed: whether U is to be shown to be least; n, d, weights: of the data, None
# or the least and the greatest; bits: of the greatest product that costs are made of; sphere: None, or of a problem of angles.
ALL = "k W X U clusters distinct closed status value lower unit n d weights bits sphere"
Problem = namedtuple("Problem", ALL)
# What a proof speaks of: all partitions of items (some of `rows`, and their weights, together) with some pairs apart; whole: no row left out.
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


def set_of(places, n):
    """Some of n places as the bits of an integer."""
    cells = bytearray(n // 8 + 1)
    for i in places:
        cells[i >> 3] |= 1 << (i & 7)
    return int.from_bytes(cells, "little")


def item_of(W, X, rows):
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
        words = [cell.strip("\"'") for cell in cells]  # names of columns, if none stands for a missing value
        if not at and len(words) == d and all(w[:1].isalpha() and w.lower() not in MISSING for w in words):
            continue
        fine = all(len(cell) <= LONGEST and DECIMAL.fullmatch(cell) for cell in cells)
        refuse_if(not fine, f"no table of numbers (ckmeans check --rows-out): {line[:40]!r}", OTHER_DATA)
        refuse_if(len(cells) != d, "the proof is for other data", OTHER_DATA)
        rows.append(integers_of(packed(list(map(Fraction, cells))), scale))
    return rows


def read_numpy(content, n, d, scale):
    stop = 10 + int.from_bytes(content[8:10], "little")
    header = re.fullmatch(NUMPY, content[10:stop].decode("latin-1"))
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
    reader.bad_if(kind not in ("sse", "cosine") or min(n, d, k) < 1 or weighted > 1, "no such problem")
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
    refuse_if(hashlib.sha256(b"".join(stored)).hexdigest() != sha, "the proof is for other data", OTHER_DATA)
    exact = all(integers_of(key, scale) == row for key, row in reader.each(zip(keys, rows)))
    exact = exact and (not weighted or list(integers_of(stored[n], weight_scale)) == W)
    reader.bad_if(not exact, "these are no float64")
    return kind, n, d, k, rows, W if weighted else None, keys, scale, weight_scale


def read_problem(reader, data=None, weights=None):
    """Header, rows, labels and claim. `data`, `weights`: the content of files beside this one."""
    kind, n, d, k, rows, given, keys, scale, weight_scale = read_rows(reader, data, weights)
    everyone, sphere = given or [1] * n, None
    if kind == "cosine":  # the only file beside this one
        angles = import_module(f"{__package__}.check_angles" if __package__ else "check_angles")
        sphere = angles.read(reader, rows, everyone)
        rows, keys, everyone = sphere.rows, sphere.keys, sphere.masses
    labels = reader.numbers("labels", n, reader.natural)
    own = sphere.closed(labels) if sphere else labels
    reader.bad_if(max(*labels, *own) >= k, f"a label above k-1={k - 1}")
    status, *tokens = reader.words("claim") or [""]
    reader.bad_if(status not in ("bounded", "optimal", "optimal-unique"), f"{status[:20]!r} is no claim")
    lower = {"lower": reader.ratio} if status == "bounded" else {}
    *lower, value = reader.fields(tokens, **lower, value=reader.ratio)

    place, X, W, clusters, members = {}, [], [], {}, {}
    for i, (row, key, weight, label) in enumerate(zip(rows, keys, everyone, own)):
        if weight:  # F3
            members.setdefault(label, []).append(i)
            at = place.setdefault(key, len(place))
            if at == len(X):
                X.append(row)
                W.append(0)
            W[at] += weight
            clusters.setdefault(label, set()).add(at)
    clusters = [sorted(own) for own in clusters.values()]
    bits = 2 * max(map(bits_of, X)) + 2 * sum(W).bit_length() + d.bit_length() + 1
    reader.spend(20 * n * d, bits)
    U = total((item_of(everyone, rows, own).cost for own in reader.each(members.values())), reader)
    U = sphere.raised(U) if sphere else U
    split = sum(map(len, clusters)) != len(X)
    distinct = len(X) == sum(map(len, members.values()))
    closed = own is not labels if sphere else status != "bounded"
    known = (None if split else clusters, distinct, closed, status, value, *(lower or [value]))
    spread = given and [Fraction(w, 1 << weight_scale) for w in (min(given), max(given))]
    unit = 1 << weight_scale + (0 if sphere else 2 * scale)
    return Problem(k, W, X, U, *known, unit, n, d, spread, bits, sphere)


# ---- The proofs. Each returns a lower bound of the costs in a family, and whether it showed that none in it but the labels'
# costs U or less, or refuses.
def masks_of(problem, reader, family, items):
    """The clusters of the labels as sets of items, the bits of integers; None if one cuts an item, or rows are left out."""
    if problem.clusters is None or not family.whole:
        return None
    place = {row: at for at, item in enumerate(items) for row in item.rows}
    clusters = [sorted({place[row] for row in rows}) for rows in problem.clusters]
    reader.room(len(clusters), len(items))
    reader.spend(20 * len(place) + len(clusters) * (len(items) >> 6))
    cut = sum(map(len, clusters)) != len(items)
    return None if cut else sorted(set_of(own, len(items)) for own in clusters)


def trivial(problem, reader, args, family, items, foes):
    """By F1 no partition costs less than its items do, each by itself. One cluster is one partition. Anything is true of no
    partition: more than k items that are all apart do not fit into k clusters, and no item is apart from itself."""
    reader.fields(args)
    alone = False  # no item is with another
    for i, own in enumerate(foes):
        clique = 1 << i
        reader.spend(len(items) * (2 + (len(items) >> 6)) if own else 0)
        for j in range(len(items) if own else 0):
            clique |= 0 if clique & ~foes[j] else 1 << j
        if clique.bit_count() > problem.k or own >> i & 1:
            return problem.U + 1, True
        alone |= clique.bit_count() == len(items)
    if problem.k == 1:
        return item_of(family.rows, problem.X, family.rows).cost, family.whole
    unique = alone and masks_of(problem, reader, family, items) == [1 << at for at in range(len(items))]
    return total((item.cost for item in items), reader), unique


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
            other = not strict or sorted(mask for *_, mask in clusters) != wanted
            refuse_if(cost < bounds[first] and other, f"the bound of suffix {first} is not true")
            unique = unique and not (strict and other and cost <= problem.U)
    return bounds[0], unique


def prefixes(problem, reader, ordered, needs):
    """Goes through the partitions of the first items, more and more of them, that cost less than is needed there; yields those
    of all items. A cluster is its weight, sums, squares, cost and set of items."""
    width, new, stack = 4 * problem.d + 40 + (len(ordered) >> 5), (0, [0] * problem.d, 0, 0, 0), [(0, 0, [])]
    while stack:
        at, cost, clusters = stack.pop()
        if at == len(ordered):
            yield clusters
            continue
        (item, foe, bit), ways = ordered[at], [*clusters, new][: problem.k]
        reader.room(len(stack) * (problem.d + 8 + len(clusters)), problem.bits + len(ordered))
        for c, (w, s, q, old, mask) in enumerate(ways):
            reader.spend(width + len(clusters), problem.bits)
            w, s, q = w + item.weight, [a + b for a, b in zip(s, item.sums)], q + item.squares
            own = ((q * w - dot(s, s)) << 32) // w
            if cost - old + own < needs[at + 1] and not mask & foe:
                one = (w, s, q, own, mask | bit)
                stack.append((at + 1, cost - old + own, [*clusters[:c], one, *clusters[c + 1 :]]))


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
    parts = [item_of(family.rows, places, item.rows) for item in reader.each(items)]
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
    exceeds m, so v(C) >= m - g for each. All these C are found, and all partitions of them: no others cost so little.

    Or items are turned, scaled and rounded. With the axes for the rows of Q, z(y) = Q y : 2**shift, and Z = z(mean of the item),
    rounded: not more than r, half the root of the number of axes, from it. N is not below the eigenvalues of Q Q' (Gershgorin). Then for
    all y and e = 2**-fine, |Z - z(y)|^2 <= (|z(mean) - z(y)| + r)^2 <= (1 + e) |z(mean) - z(y)|^2 + loss <= unit |mean - y|^2 + loss
    with loss = (1 + 1 : e) r^2, unit = (1 + e) N : 4**shift. So with prices p for the Z, and (p - loss) : unit for the means besides the
    items' own cost, no v(C) is more than v(C) : unit at the Z."""
    shift, most = reader.fields(args, shift=reader.scale, m=reader.integer)
    (fine,), Q = reader.numbers("turned", 1, reader.scale) if reader.next_is("turned") else [0], []
    while reader.next_is("axis"):
        Q.append(reader.numbers("axis", problem.d))
    price, w = reader.numbers("price", len(items)), [item.weight for item in items]
    reader.bad_if(most < 0, "m is negative")
    bits = 2 * bits_of(v for own in (*Q, price, [most]) for v in own) + problem.bits + 2 * shift + fine
    reader.room(2 * len(items) * (problem.d + len(Q) + 3) + len(Q) ** 2, bits)
    reader.spend((len(items) + len(Q)) * (len(Q) + 9) * (problem.d + 9), bits)
    if Q:
        N = max(sum(abs(dot(axis, other)) for other in Q) for axis in Q)
        refuse_if(N < 1, "the axes have no length")
        unit, loss = Fraction(N + (N << fine), 1 << 2 * shift + fine), Fraction(len(Q) + (len(Q) << fine), 4)
        Z = [[((2 * dot(axis, a.sums) >> shift) // a.weight + 1) >> 1 for axis in Q] for a in items]
        pieces = [(a, a * (p - dot(z, z)), [a * v for v in z]) for a, p, z in zip(w, price, Z)]
        own = total((item.cost for item in items), reader) - Fraction(sum(w) * loss, unit)
    else:
        unit, own, means = 4**shift, 0, zip(items, price)
        pieces = [(a.weight, a.weight * p - a.squares * unit, [s << shift for s in a.sums]) for a, p in means]
    bound = own + Fraction(dot(w, price) - problem.k * most, unit)
    close = family.whole and problem.closed and problem.U >= bound
    slack = ceil((problem.U - bound) * unit) if close else None
    found = clusters_above(pieces, foes, most, slack, reader)
    if not close:
        return bound, False
    labels, unique = masks_of(problem, reader, family, items), True
    for cover in covers(found, len(items), problem.k, slack, reader):
        reader.spend(len(items) * (10 * problem.d + len(cover)), problem.bits)
        chosen = (compress(items, map(int, f"{mask:b}"[::-1])) for mask in cover)
        parts = [[row for a in own for row in a.rows] for own in chosen]
        cost = total((item_of(problem.W, problem.X, rows).cost for rows in parts), reader)
        other = sorted(cover) != labels
        refuse_if(cost < problem.U and other, "there is a better partition than that of the labels")
        unique = unique and (cost > problem.U or not other)
    return problem.U, unique


class Side:
    """Numbers side by side in one long integer, number i times 2**(width i), so that what is done to it is done to all of them. None
    of them, and no sum of those that are >= 0, may be 2**(width - 1) or more in size."""

    def __init__(self, width, count):
        self.width, self.size, self.count = width, width >> 3, count
        self.ones = int.from_bytes((b"\1" + bytes(self.size - 1)) * count, "little")
        self.guard = self.ones << width - 1  # with it, the highest bit is 1 where a number is >= 0
        self.halves = []
        while count > 8:
            count = count + 1 >> 1
            self.halves.append((count * width, (1 << count * width) - 1))

    def parted(self, fields):
        cells, half = (fields + self.guard).to_bytes(self.size * self.count, "little"), 1 << self.width - 1
        starts = range(0, len(cells), self.size)
        return [int.from_bytes(cells[at : at + self.size], "little") - half for at in starts]

    def small(self, fields):  # numbers from 0 to 255
        return fields.to_bytes(self.size * self.count, "little")[:: self.size]

    def signs(self, fields):  # 1 for each number >= 0, 0 for the others
        return (fields + self.guard) >> self.width - 1 & self.ones

    def masks(self, signs):  # all bits but the highest where there is a 1
        return (signs << self.width - 1) - signs

    def positive(self, fields):  # max(0, number)
        fields = fields + self.guard
        signs = fields & self.guard
        return fields & (signs - (signs >> self.width - 1))

    def total(self, fields):  # of numbers >= 0, by halves; 2**width is 1 modulo 2**width - 1
        for shift, mask in self.halves:
            fields = (fields >> shift) + (fields & mask)
        return fields % ((1 << self.width) - 1)


class Table:
    """All items: f(y) = c + 2 s.y - w |y|^2 for each. A record is c, w and s side by side; those of sets of items add up.

    The origin is put into the middle of a box with the means of all sets, `ends`. With r 2 more than what any coordinate on it is
    in size, |s| <= w r, and nothing that `Block.bounds` adds up for an item is above |c| + 8 d w r^2 in size, nor, with |z| <= 4 r, anything in
    `Block.least` above |c| + 33 d w r^2. So no field overflows, and no sum of one field for each item."""

    def __init__(self, pieces, slack, reader):
        means = [[sums[f] // w for w, _, sums in pieces] for f in range(len(pieces[0][2]))]
        origin = [min(own) + max(own) >> 1 for own in means]
        self.ends = [(min(own) - o, max(own) + 1 - o) for own, o in zip(means, origin)]
        r, rows = 2 + max(max(-low, high) for low, high in self.ends), []
        for w, c, sums in pieces:
            offs = [s - w * o for s, o in zip(sums, origin)]
            rows.append((c + dot(origin, sums) + dot(origin, offs), w, *offs))
        self.most = max(abs(c) + 33 * len(origin) * w * r * r for c, w, *_ in rows) + slack + 1
        self.width = (2 * (len(rows) + 2) * self.most).bit_length() + 7 >> 3 << 3
        reader.room(3 * len(rows) * (len(origin) + 4), self.width)
        self.one, guard = Side(self.width, len(origin) + 2), 1 << self.width - 1
        self.records = [sum(v << at * self.width for at, v in enumerate(row)) for row in rows]
        self.cells = [[(v + guard).to_bytes(self.width >> 3, "little") for v in own] for own in zip(*rows)]


class Block:
    """What is known of C on a box: it has all `members`, of which `inside` is the record, and maybe some of the rows."""

    def __init__(self, table, rows, members, inside):
        self.rows, self.members, self.inside = rows, members, inside
        self.records, self.side = [table.records[i] for i in rows], Side(table.width, len(rows))
        columns = [b"".join([column[i] for i in rows]) for column in table.cells]
        self.c, self.w, *self.s = [int.from_bytes(column, "little") - self.side.guard for column in columns]

    def chosen(self, signs):
        return list(compress(self.rows, self.side.small(signs)))

    def record(self, signs):
        return sum(compress(self.records, self.side.small(signs)))

    def bounds(self, center, half):
        """The least and the greatest f of each row on a box; and for each axis how far D = w (x - y) is above 0, or below, on all of it.
        The greatest 2 D t - w t^2 for |t| <= h is |D| h + (|D| - w h) h if |D| >= w h, and else D^2 : w <= |D| h."""
        side, w, sides = self.side, self.w, []
        f, near, far = self.c - dot(center, center) * w, 0, 0
        for s, y, h in zip(self.s, center, half):
            D = s - y * w
            right = side.masks(side.signs(D))
            size = 2 * ((D + side.guard) & right) - D
            beyond = side.positive(size - h * w)
            f, near, far = f + 2 * y * s, near + h * size, far + h * beyond
            sides.append((beyond & right, beyond - (beyond & right)))
        return f - 2 * near - dot(half, half) * w, f + near + far, sides

    def open(self, inside, there, sure, foes):
        """1 for the rows not outside that are open; and for those that are since C may have one that is apart from them."""
        if not foes:
            return there ^ inside, 0
        present, size = set_of(self.chosen(there), len(foes)), self.side.size
        cells = [(foes[i] & present > 0).to_bytes(size, "little") for i in self.rows]
        apart = int.from_bytes(b"".join(cells), "little") & (inside ^ sure)
        return there ^ inside | apart, apart

    def least(self, ends, enough, table):
        """What no C on a box has more value than, once it is below `enough`, and how much each row has in that. For any z, v(C) = sum_C
        (f(z) + w |y - z|^2) at its mean y, where sum_C w (x - y) = 0. That is at most the sum for the rows inside and for others where it
        is > 0, with the farthest y of the box: convex in z. Steps downhill from the center find a better z (Polyak 1969)."""
        side, center, best = self.side, [low + high >> 1 for low, high in ends], None
        z = center
        for _ in range(TRIES):
            more = sum(max(low - at, high - at, key=abs) ** 2 for at, (low, high) in zip(z, ends)) - dot(z, z)
            values = sum((2 * at * s for at, s in zip(z, self.s)), self.c + more * self.w)
            c, W, *sums = table.one.parted(self.inside + self.record(side.signs(values)))
            top, slopes = c + 2 * dot(z, sums) + more * W, []
            best = min(best or (top, values), (top, values))
            for s, y, at, (_, high) in zip(sums, center, z, ends):
                slope, reach = s - y * W, (high - y) * W
                out = max(-reach, min(reach, -slope)) if at == y else reach if at > y else -reach
                slopes.append(slope + out)
            steep = dot(slopes, slopes)
            if top < enough or not steep:
                break
            z = [at - 3 * (top - enough + 1) * slope // (4 * steep) for at, slope in zip(z, slopes)]
            z = [min(max(at, 4 * low), 4 * high) for at, (low, high) in zip(z, table.ends)]
        return best


def clusters_above(pieces, foes, most, slack, reader):
    """Refuses if v(C) > most for some C; unless slack is None, lists all C with v(C) >= most - slack, each with most - v(C).

    Boxes for the mean y of C get smaller until all is known. On a box an item is outside if f < -slack, inside if f > slack, else
    open. C has no item outside (v would be greater without it) and all inside (v would be greater with it), but for those with
    an apart item that C may have; if slack is None (0 below) this is so for the largest C of greatest v. And C has no item without
    which, nor lacks one with which, `Block.least` would be too little."""
    close, slack, foes = slack is not None, slack or 0, foes if any(foes) else None
    least = most - slack + (not close)  # v is a fraction: what may go is <= most, or < most - slack
    table, found = Table(pieces, slack, reader), {}
    size, words = len(table.ends) + 4, len(pieces) >> 8
    stack, held = [(table.ends, Block(table, range(len(pieces)), 0, 0))], 0  # held: numbers in it, or more
    while stack:
        ends, block = stack.pop()
        held -= (len(block.rows) + 9) * size
        reader.spend(900 + 60 * size + len(block.rows) * 4 * size, table.width)
        reader.spend(words * (len(block.rows) + 1 if foes else 1))
        side, center = block.side, [low + high >> 1 for low, high in ends]
        top, values = block.least(ends, least, table)
        if top < least:
            continue
        half = [high - y for y, (_, high) in zip(center, ends)]  # center - half may be 1 below the lower end
        low, high, sides = block.bounds(center, half)
        spare = min(top - least, table.most) * side.ones
        there = side.signs(high + slack * side.ones) & side.signs(values + spare)
        sure = side.signs(values - spare - side.ones) & there
        inside = side.signs(low - (above := (slack + 1) * side.ones)) & there | sure
        still, apart = block.open(inside, there, sure, foes)
        rows, members = block.chosen(still), block.members | set_of(block.chosen(inside ^ apart), len(pieces))
        if foes and any(foes[i] & members for i in block.chosen(sure) + rows):
            rows = [i for i in rows if not foes[i] & members]
            if not any(foes[i] & members for i in block.chosen(sure)):
                block = Block(table, rows, members, block.inside + block.record(inside ^ apart))
                held += (len(rows) + 9) * size
                stack.append((ends, block))
            continue
        own, mask = block.inside + block.record(inside ^ apart), side.masks(still)
        sums, more = table.one.parted(own), table.one.parted(block.record(still))
        beyond = [[side.total(part & mask) for part in parts] for parts in sides]
        ends = narrowed(ends, center, half, sums, more, beyond)
        if ends and not rows:
            c, W, *sums = sums
            value = c * W + dot(sums, sums)  # W times v(C)
            refuse_if(value > most * W, "a center earns more than m")
            if close and members and value >= (most - slack) * W:
                found[members.to_bytes(len(pieces) // 8 + 1, "big")] = most - -(-value // W)
                reader.room(2 * len(found), len(pieces) + table.width)
        elif ends:
            wide = still & side.signs(high - low - above)
            axis = max(range(len(ends)), key=lambda f: ends[f][1] - ends[f][0])
            first, last = ends[axis]
            if apart or not wide or len(rows) <= 3 or first + 1 >= last:  # an item is in C, or it is not
                i = (block.chosen(apart) or rows)[-1]
                rows.remove(i)
                friends = [j for j in rows if not foes or not foes[i] >> j & 1]
                taken = Block(table, friends, members | 1 << i, own + table.records[i])
                parts = [(ends, Block(table, rows, members, own)), (ends, taken)]
            else:
                if 4 * len(rows) <= 3 * len(block.rows):
                    block = Block(table, rows, members, own)
                halves = (first, first + last >> 1), (first + last >> 1, last)
                parts = [([*ends[:axis], half, *ends[axis + 1 :]], block) for half in halves]
            held += sum((len(block.rows) + 9) * size for _, block in parts)
            reader.room(held >> 1, table.width)
            stack += parts
    return [(int.from_bytes(mask, "big"), short) for mask, short in found.items()]


def narrowed(ends, center, half, inside, still, beyond):
    """The part of a box that may hold the mean y of C, where D = w (x - y) adds up to 0 over C, if any. For each axis the sum is at most
    that inside and of max(0, D) for open rows, which is convex in y, and at least that with min(0, D), which is concave: where the
    chords of these, from one end to the other, say that it is not 0, it is not."""
    (_, W, *pulls), (_, w, *moves), new = inside, still, []
    for (low, high), y, h, a, b, (above, below) in zip(ends, center, half, pulls, moves, beyond):
        a, b = a - W * y, b - w * y
        most = a + (W + w) * h + b + below, a - W * h + above
        least = a + W * h - below, a - (W + w) * h + b - above
        if most[1] < 0 <= most[0]:
            high = min(high, y - h - -2 * h * most[0] // (most[0] - most[1]))
        if least[1] <= 0 < least[0]:
            low = max(low, y + h + 2 * h * least[1] // (least[0] - least[1]))
        if most[0] < 0 or least[1] > 0 or low > high:
            return None
        new.append((low, high))
    return new


def covers(found, n, k, slack, reader):
    """All ways to part n items into at most k of the sets found, whose slacks add up to at most `slack`."""
    words, stack = 1 + (n >> 8), [((1 << n) - 1, slack, [], found)]
    while stack:
        rest, left, chosen, pool = stack.pop()
        reader.spend(20 + 3 * len(pool) * words)
        pool = [own for own in pool if not own[0] & ~rest]
        reader.room((len(chosen) + 1) * (len(stack) + len(pool)))
        for mask, short in pool:
            if mask & rest & -rest and short <= left:
                if mask == rest:
                    yield [*chosen, mask]
                elif len(chosen) + 1 < k:
                    stack.append((rest & ~mask, left - short, [*chosen, mask], pool))


def shortfall(A, weights, spend):
    """A delta for which A + delta diag(weights) has no negative eigenvalue. A has the rows of its lower half. With A = F F' + R,
    F rounded down, it is enough that no diagonal entry of R + delta diag(weights) is below what |R| adds up to in the rest of
    its row (Gershgorin)."""
    F, off, bits = [], [0] * len(A), max(map(bits_of, A))
    for i, row in enumerate(A):
        own, root = [], isqrt(max(0, row[-1]))
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
    """Ding & He 2004: what clusters explain is the trace of the scatter matrix M projected to k - 1 dimensions. If A = V V' + (tau +
    delta) I - M has no negative eigenvalue, that is at most trace V V' + (k - 1) max(0, tau + delta). M, times the total
    weight, is of integers."""
    scale, tau = reader.fields(args, scale=reader.scale, tau=reader.integer)
    d, heavy = problem.d, item_of(family.rows, problem.X, family.rows)
    V = [reader.numbers("V")]
    V += [reader.numbers("V", len(V[0])) for _ in range(1, d)]
    columns, w = list(zip(*(problem.X[i] for i in family.rows))), list(family.rows.values())
    bits = problem.bits + 2 * scale + 2 * max(map(bits_of, V)) + tau.bit_length()
    reader.room(2 * d * (d + len(w)), 2 * bits)
    each, A = reader.each(enumerate(zip(V, columns, heavy.sums)), d * (len(w) + len(V[0]) + 10), 2 * bits), []
    for f, (v, column, s) in each:
        own = list(map(mul, w, column))
        before = zip(V[: f + 1], columns, heavy.sums)
        A.append([dot(v, u) - (heavy.weight * dot(own, b) - s * t << 2 * scale) for u, b, t in before])
        A[f][f] += tau
    most = sum(dot(v, v) for v in V)
    most += (problem.k - 1) * max(0, tau + shortfall(A, [1] * d, reader.spend))
    return heavy.cost - Fraction(most, heavy.weight * 4**scale), False


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
    wrong = any(v < 0 and not own >> j & 1 for own, row in zip(foes, N) for j, v in enumerate(row))
    refuse_if(wrong, "there is a negative multiplier")  # where Z[i, j] may be above 0
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
    return closure(problem, reader, family, items, foes, N, cuts, bound, 4**scale)


def closure(problem, reader, family, items, foes, N, cuts, bound, unit):
    """The bound and whether others cost more, with what `settled` says; and, where another proof is about what that leaves, the pairs
    of rows that are together or apart there."""
    n, k = len(items), problem.k
    labels = masks_of(problem, reader, family, items)
    seeds = reader.numbers("seeds", k, reader.natural) if reader.next_is("seeds") else None
    reader.bad_if(seeds and (len(set(seeds)) < k or max(seeds) >= n), f"{k} items expected")
    more = reader.next_is("left")
    reader.fields(reader.words("left") if more else [])
    among = [[i] for i in seeds] if seeds else [[i for i in range(n) if own >> i & 1] for own in labels or ()]
    if bound > problem.U or not family.whole or problem.clusters is None or len(among) != k:
        reader.bad_if(more, "there is nothing left, or nothing known of it")
        return bound, False
    slack = -((bound - problem.U) * unit // 1)
    may = settled([item.weight for item in items], among, foes, N, cuts, slack, reader)
    reader.bad_if(more and not may, "the seeds are not known to be apart")
    held = may and sorted(set_of((i for i, own in enumerate(may) if own == 1 << c), n) for c in range(k))
    if not may or held != labels and not more:
        return bound, False
    parts = [item_of(problem.W, problem.X, rows) for rows in problem.clusters]
    # Fewer clusters are some of these as one.
    extra = problem.U - total((part.cost for part in parts), reader)
    pairs = reader.each(combinations(parts, 2), 20 * problem.d * len(problem.X) // k, problem.bits)
    merged = (item_of(problem.W, problem.X, a.rows + b.rows).cost - a.cost - b.cost for a, b in pairs)
    unique = min(merged, default=extra + 1) > extra
    if not more:
        return problem.U, unique
    reader.spend(10 * n * k)
    first = [next(item.rows[0] for item, own in zip(items, may) if own == 1 << c) for c in range(k)]
    left = [(*pair, False) for pair in combinations(first, 2)]
    for item, own in zip(items, may):
        known = own.bit_count() == 1
        left += [(first[c], item.rows[0], known) for c in range(k) if own >> c & 1 == known]
    return problem.U, unique, left


def settled(w, among, foes, N, cuts, slack, reader):
    """For each item the clusters, as bits, that it may be in where a partition costs at most U; None if clusters have no names.

    In these <N + cuts, Z> <= slack, the difference between U and the bound. Let P be a part of a cluster of weight H, and A what else
    is in it. The pairs of P and those of P with A alone take 2 N[P] + 2 N[P, A] of H <N, Z>, and a cut of an item of P that is
    neither with its j nor with its h takes its multiplier. If that is above slack * H whatever A is, P is not part of a cluster: for each item
    h that may be in A what counts is 2 N[P, h] - slack * w[h] if it is negative, but for the last k - 1 of them, as each other cluster has an
    item. Let there be an item in each list of `among` that by this is not with any of the others: these give the clusters their names. What a cluster
    is known to hold is P, with one more item; or the item is not in that cluster."""
    n, k, names = len(w), len(among), []
    reader.room(2 * n * n, max(map(bits_of, N)))
    N = [[2 * v for v in row] + [0] + [2 * N[j][i] for j in range(i + 1, n)] for i, row in enumerate(N)]
    limits = [slack * own for own in w]

    def excluded(size, takes, along, own, others):
        """Whether P is no part; `takes` is what it takes less slack * w[P], and `along` and `own` add up to 2 N[P, h]."""
        reader.spend(40 + 3 * len(others))
        less = sorted(v for h in others if (v := along[h] + own[h] - limits[h]) < 0)
        return takes + sum(less[: n - size - k + 1]) > 0

    def apart(i, j):
        if foes[i] >> j & 1:
            return True
        # If i and j take too much, neither of them takes less.
        others = [h for h in range(n) if not (foes[i] | foes[j]) >> h & 1]
        return excluded(2, N[i][j] - limits[i] - limits[j], N[i], N[j], others)

    for seeds in among:
        seed = next((i for i in seeds if all(apart(i, j) for j in names)), None)
        if seed is None:
            return None
        names.append(seed)
    may, before = [1 << names.index(i) if i in names else (1 << k) - 1 for i in range(n)], None
    while before != may:  # no item loses its last cluster, which holds it then
        before = may[:]
        reader.spend(6 * n * n + 4 * len(cuts) + 2 * n * k)
        for c in range(k):
            held, bit, own = [i for i in range(n) if may[i] == 1 << c], 1 << c, [0] * n
            for i, j, h, a in cuts:
                own[i] += 0 if (may[j] | may[h]) & bit else a
            along = list(map(sum, zip(*(N[i] for i in held))))
            takes = sum(along[i] for i in held) // 2 + sum(own[i] - limits[i] for i in held)
            against, inside = 0, set(held)
            for i in held:
                against |= foes[i]
            others = [i for i in range(n) if may[i] & bit and i not in inside]
            few = [h for h in others if along[h] < limits[h] and not against >> h & 1]
            for i in others:
                rest = [h for h in few if h != i and not foes[i] >> h & 1]
                here = takes + own[i] - limits[i] + along[i]
                if against >> i & 1 or excluded(len(held) + 1, here, along, N[i], rest):
                    may[i] &= ~bit
    return may


KINDS = dict(trivial=trivial, tree=tree, line=line, prices=prices, pca=principal, sdp=semidefinite)


# ---- The whole proof
def prove(problem, reader):
    """The bound of the whole proof, and whether it shows uniqueness. Branch: i and j together, or apart. Sum of m groups: F2, and F1
    where they share rows, with an m-th of their weight in each: there the other weights, and so the costs, are m times as high."""
    # Rows and their weights, which of them if not all, how many times these are as high, decisions on pairs, no row left out.
    pending, frames = [(dict(enumerate(problem.W)), None, 1, (0, None), True)], []
    while pending:
        rows, some, times, path, whole = pending.pop()
        rows = rows if some is None else {row: rows[row] for row in sorted(chain(*some))}
        kind, *args = reader.words("proof") or [""]
        if kind == "branch":
            pair = list(map(reader.natural, args))
            reader.bad_if(len(pair) != 2 or any(row not in rows for row in pair), "two rows expected")
            pending += [(rows, None, times, (path[0] + 1, path, *pair, one), whole) for one in (False, True)]
            frames.append((2, 0, []))
        elif kind == "sum":
            reader.bad_if(len(args) != 1, "the number of groups expected")
            groups = [reader.numbers("group", None, reader.natural) for _ in range(reader.natural(args[0]))]
            more = times == 1 and reader.next_is("shared")  # none within: weights would grow and grow
            shared = reader.numbers("shared", None, reader.natural) if more else []
            listed = [*chain(*groups), *shared]
            wrong = len(set(listed)) < len(listed) or any(row not in rows for row in listed)
            reader.bad_if(wrong or not groups or not all(groups), "a row twice or not there, or no rows")
            m = len(groups) if shared else 1
            reader.spend(20 * m * len(shared))
            weights = {row: m * rows[row] for row in chain(*groups)} | {row: rows[row] for row in shared}
            pending += [(weights, (group, shared), m * times, path, False) for group in reversed(groups)]
            frames.append((len(groups), m, []))
        else:
            reader.bad_if(kind not in KINDS, f"{kind[:20]!r} is no kind of proof")
            own = problem._replace(bits=problem.bits + 2 * (times - 1).bit_length())
            family = family_of(own, reader, rows, path, whole)
            items = items_of(own, reader, family)
            bound, unique, *left = KINDS[kind](own, reader, args, family, *items)
            if left:  # partitions that cost at most U are among those that the next proof is about
                for pair in left[0]:
                    path = path[0] + 1, path, *pair
                pending.append((rows, None, times, path, whole))
                frames.append((2, 0, [(bound, unique)]))
                continue
            while frames:
                parts, m, done = frames[-1]
                reader.spend(20, bits_of(bound.as_integer_ratio()))
                done.append((bound, unique or bound > problem.U))
                if len(done) < parts:
                    break
                frames.pop()
                bounds, uniques = zip(*done)
                bound = total(bounds, reader) * Fraction(1, m) if m else min(bounds)
                unique = not m and all(uniques)
    reader.bad_if(reader.start < reader.stop, "more than one proof")
    return bound, unique or bound > problem.U


def family_of(problem, reader, rows, path, whole):
    """The partitions of some rows that the decisions on the way to a proof leave."""
    leader, apart = {}, []

    def first(row):
        while (up := leader.get(row)) is not None:
            leader[row] = leader.get(up, up)  # so that the ways get short
            row = up
        return row

    reader.spend(path[0] * 20 + len(rows) * (40 + 8 * problem.d), problem.bits)
    while path[0]:
        _, path, i, j, together = path
        if not together:
            apart.append((i, j))
        elif first(i) != first(j):
            leader[max(first(i), first(j))] = min(first(i), first(j))
    items = {}
    for row in rows:
        items.setdefault(first(row), []).append(row)
    return Family(list(items.values()), rows, apart, whole)


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
    return [item_of(family.rows, problem.X, rows) for rows in reader.each(family.items)], foes


# ---- The verdict
def decimal(value, below, up, length=15):
    """value / below with some digits, not less (up) or not greater. Of long numbers the leading bits are enough."""
    context, top, below = Context(length, ROUND_FLOOR), value.numerator, value.denominator * below
    context.rounding = ROUND_CEILING if up else ROUND_FLOOR
    cut, cut_below = (max(0, number.bit_length() - (1 << 13)) for number in (top, below))
    top = -(-top >> cut) if up else top >> cut
    below = below >> cut_below if up ^ (top < 0) else -(-below >> cut_below)
    twos = cut - cut_below
    if abs(twos) <= 1 << 13:  # else it is left as it is: no cost of floats is like that
        top, below, twos = top << max(0, twos), below << max(0, -twos), 0
    number = context.divide(Decimal(top), Decimal(below)).normalize(context)
    shown = f"{number:f}" if -5 < number.adjusted() < length + 2 else f"{number:e}"
    return shown + (f" * 2**{twos}" if twos else "")


def verdict(content, data=None, weights=None):
    """The exit code and one line on a proof file's content, and on that of the data and their weights if given."""
    beside = data is not None or weights is not None
    try:
        reader = Reader(content, len(data or b"") + len(weights or b""))
        problem = read_problem(reader, data, weights)
        cost = problem.sphere.cost() if problem.sphere else problem.U
        wrong = problem.value < cost or problem.value > cost and not problem.sphere
        refuse_if(wrong, "the labels do not cost what is claimed")
        bound, unique = prove(problem, reader)
        lower = problem.lower
        if problem.sphere:
            bound, optimal, unique = problem.sphere.proved(problem, bound, unique)
            lower = bound if optimal and problem.status != "bounded" else lower
        refuse_if(bound < lower, "the bound that is claimed is not reached")
        unique &= problem.distinct or len(problem.X) >= problem.k  # equal rows may part (F3)
        refuse_if(problem.status == "optimal-unique" and not unique, "others may cost as little")
    except Refused as refused:
        code, reason = refused.args
        return code, f"{('', 'not proved', 'malformed', 'other data')[code]}: {reason}"
    except (ValueError, OverflowError, struct.error) as error:  # of numbers that are no float64
        return OTHER_DATA if beside else MALFORMED, f"unreadable: {error}"
    except ImportError:
        return UNPROVED, "not proved: a proof by angle takes check_angles.py beside this file"
    except MemoryError:
        return UNPROVED, "not proved: there is not enough memory to check this"
    cost, lower = decimal(cost, problem.unit, True), decimal(lower, problem.unit, False)
    weights = " to ".join(decimal(w, 1, up) for w, up in zip(problem.weights or (), (False, True)))
    weights = f"weights {weights}" if weights else "no weights"
    of = f"k={problem.k}, n={problem.n}, d={problem.d}, {weights}{problem.sphere.words if problem.sphere else ''}"
    return PROVED, f"proved {problem.status}: cost {cost}, lower bound {lower}, for {of}"


def main(names, judge=verdict, module="check"):
    usage = f"usage: python -m ckmeans.{module} FILE.ckc [DATA [WEIGHTS]]; 0 is proved, 1 not proved, 2 no proof file, 3 other data"
    try:
        # No file was named, and none has this name: what is there is checked, so that 0 says of no file more than is proved.
        if names in (["-h"], ["--help"]) and not (Path(names[0]).exists() or Path(names[0]).is_symlink()):
            print(usage)
            return 0
        well = 1 <= len(names) <= 3
        code, said = judge(*(Path(name).read_bytes() for name in names)) if well else (MALFORMED, usage)
    except OSError as error:
        code, said = MALFORMED, f"unreadable: {ascii(str(error))}"
    print(said, file=sys.stdout if code == PROVED else sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
