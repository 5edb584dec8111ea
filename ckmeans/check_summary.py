"""Checks a proof file about a summary: python -m ckmeans.check_summary FILE.ckc [DATA [WEIGHTS]]. Standard library only; nothing is rounded.

A summary tells of rows that are gone: of each cell the sums of w, w x and w |x|^2 over its rows, and a box around them. What it proves: for
any rows that have this summary, no partition of them into at most k clusters has a smaller sum of weighted squared distances to the
cluster means than the bound; and the cells, given whole to the clusters of the labels, cost what is claimed. With DATA it is checked that the summary
is of these rows: the file has to say in which cell each of them is. Exit codes as of ckmeans.check, whose reader of files this uses.
"""

import struct
import sys
from collections import namedtuple
from fractions import Fraction
from itertools import chain
from math import isqrt

from .check import (
    MALFORMED,
    OTHER_DATA,
    PROVED,
    UNPROVED,
    Reader,
    Refused,
    bits_of,
    decimal,
    dot,
    main,
    read_table,
    refuse_if,
    total,
)

# Slopes of chords are in units of 2**-SLOPE.
SLOPE = 16
# Sums over the rows of a cell: w, w x, w |x|^2; the least and the greatest x. In units of 2**-scale, and 2**-weight_scale.
Cell = namedtuple("Cell", "W sums squares low high")
Problem = namedtuple("Problem", "n k d cells rows scale weight_scale unit value lower")


def read_problem(reader):
    (kind, *tokens), natural = reader.words("problem") or [""], reader.natural
    reader.bad_if(
        kind != "summary", "this is no proof about a summary: python -m ckmeans.check checks others"
    )
    n, d, k, size = reader.fields(tokens, n=reader.integer, d=natural, k=natural, cells=natural)
    reader.bad_if(min(n, d, k, size) < 1, "no such problem")
    scale, weight_scale = reader.fields(reader.words("data"), scale=reader.scale, weights=reader.scale)
    cells, rows = [], None
    for _ in range(size):
        W, *rest = reader.numbers("cell", 3 * d + 2)
        cells.append(Cell(W, rest[:d], rest[d], rest[d + 1 : 2 * d + 1], rest[2 * d + 1 :]))
    bits = bits_of(chain.from_iterable((c.W, c.squares, *c.sums, *c.low, *c.high) for c in cells))
    for c in reader.each(cells, 20 * d, bits):
        refuse_if(c.W < 1, "a cell has no weight")
        inside = all(c.W * low <= s <= c.W * high for s, low, high in zip(c.sums, c.low, c.high))
        spread = sum((s - c.W * low) * (c.W * high - s) for s, low, high in zip(c.sums, c.low, c.high))
        possible = inside and 0 <= c.squares * c.W - dot(c.sums, c.sums) <= spread
        refuse_if(not possible, "a cell has sums that no rows in its box have")
    if reader.next_is("rows"):
        rows = reader.numbers("rows", n, natural)
        reader.bad_if(max(rows) >= size, "a row is in no cell")
    labels = reader.numbers("labels", size, natural)
    reader.bad_if(max(labels) >= k, f"a label above k-1={k - 1}")
    status, *tokens = reader.words("claim") or [""]
    reader.bad_if(status != "bounded", f"{status[:20]!r} is no claim about a summary")
    lower, value = reader.fields(tokens, lower=reader.ratio, value=reader.ratio)
    refuse_if(value != cost(cells, labels, d, bits, reader), "the labels do not cost what is claimed")
    return Problem(n, k, d, cells, rows, scale, weight_scale, 1 << 2 * scale + weight_scale, value, lower)


def cost(cells, labels, d, bits, reader):
    """Of all rows with the means of their clusters: cells are given whole to clusters."""
    clusters = {}
    for c, label in reader.each(zip(cells, labels), 2 * d + 4):
        W, sums, squares = clusters.get(label, (0, [0] * d, 0))
        clusters[label] = W + c.W, [a + b for a, b in zip(sums, c.sums)], squares + c.squares
    reader.spend(4 * len(clusters) * d, 2 * bits)
    return total((q - Fraction(dot(s, s), W) for W, s, q in clusters.values()), reader)


def compare(problem, data, weights):
    """Refuses data of which this is not the summary."""
    refuse_if(problem.rows is None, "the file does not tell in which cell each row is", OTHER_DATA)
    n, d = problem.n, problem.d
    rows, W = read_table(data, n, d, problem.scale), [1 << problem.weight_scale] * n
    if weights is not None:
        W = [w for (w,) in read_table(weights, n, 1, problem.weight_scale)]
    refuse_if(len(rows) != n or len(W) != n or min(W) < 0, "the proof is for other data", OTHER_DATA)
    found = {}
    for row, w, at in zip(rows, W, problem.rows):
        if w:
            sums = found.setdefault(at, [0] * (d + 2))
            sums[0] += w
            sums[1] += w * dot(row, row)
            for f, x in enumerate(row, 2):
                sums[f] += w * x
            c = problem.cells[at]
            outside = any(not low <= x <= high for x, low, high in zip(row, c.low, c.high))
            refuse_if(outside, "a row is not in the box of its cell", OTHER_DATA)
    own = {at: [c.W, c.squares, *c.sums] for at, c in enumerate(problem.cells)}
    refuse_if(own != found, "the cells are not those of the data", OTHER_DATA)


def prove(problem, reader):
    """A lower bound, from a price l for each cell. At a center y a row x earns w max(0, l - |x - y|^2), with the price of its cell; if no
    center earns more than m in all, k clusters earn k m at most, and they earn the sum of w l less what they cost."""
    kind, *args = reader.words("proof") or [""]
    reader.bad_if(kind != "prices", f"{kind[:20]!r} is no kind of proof about a summary")
    shift, most = reader.fields(args, shift=reader.scale, m=reader.integer)
    prices = reader.numbers("price", len(problem.cells))
    refuse_if(most < 0, "m is negative")
    fine = [
        Cell(
            c.W,
            *([x << shift for x in c.sums], c.squares << 2 * shift),
            *([x << shift for x in own] for own in (c.low, c.high)),
        )
        for c in problem.cells
    ]
    check_centers(fine, prices, most, reader)
    reader.bad_if(reader.start < reader.stop, "more than one proof")
    earned = sum(c.W * price for c, price in zip(fine, prices))
    return Fraction(earned - problem.k * most, 4**shift)


def check_centers(cells, prices, most, reader):
    """Refuses if some center may earn more than m. Boxes for the center y are halved until that is known of all.

    For y in a box, and x in that of a cell, q = l - |x - y|^2 is between lo and hi. The rows of the cell earn W (l - |m - y|^2) - S = W l - Q
    + 2 s.y - W |y|^2 =: f(y) if lo >= 0, nothing if hi <= 0, and else what `Spread.above` says. Where y is the best center, the sum of
    w (x - y) over the rows that earn something is 0: a box on which it cannot be is left out. A box: its corners, the cells that are cut by
    some sphere around a point of it, and A, K, S with K + 2 S.y - A |y|^2 what the cells inside earn."""
    d = len(cells[0].sums)
    low, high = ([end(own) for own in zip(*(c[at] for c in cells))] for at, end in ((3, min), (4, max)))
    bits = bits_of(chain(prices, low, high, (most,))) + sum(c.W for c in cells).bit_length() + SLOPE
    spreads = [Spread(c) for c in reader.each(cells, 20 * d, bits)]
    stack, held = [(low, high, list(zip(cells, prices, spreads)), (0, 0, [0] * d))], len(cells) + 4 * d + 8
    while stack:
        low, high, live, (A, K, S) = stack.pop()
        held -= len(live) + 4 * d + 8
        reader.spend(60 + len(live) * (20 * d + 60), bits)
        reader.spend(len(live) * 20, 5 * bits)
        still, S = [], list(S)
        slope, top, pull = 0, 0, [0] * d
        for cell, price, spread in live:
            near, far = ends_of(low, high, cell.low, cell.high)
            if far <= price:
                A += cell.W
                K += cell.W * price - cell.squares
                S = [s + own for s, own in zip(S, cell.sums)]
            elif near < price:
                t, more = spread.above(low, high, price, near, far)
                still.append((cell, price, spread))
                slope += t * cell.W
                top += t * (cell.W * price - cell.squares) + cell.W * more
                pull = [s + t * own for s, own in zip(pull, cell.sums)]
        if never_zero(low, high, still, A, S):
            continue
        slope, top = slope + (A << SLOPE), top + (K << SLOPE)
        for a, b, s, own in zip(low, high, S, pull):
            s = (s << SLOPE) + own
            if slope * a < s < slope * b:
                top -= -s * s // slope
            else:
                y = a if s <= slope * a else b
                top += y * (2 * s - slope * y)
        if top <= most << SLOPE:
            continue
        axis = max(range(d), key=lambda f: high[f] - low[f])
        middle = low[axis] + high[axis] >> 1
        refuse_if(not still or high[axis] - low[axis] < 2, "a center earns more than m, or may do so")
        for end in (low, high):
            other = [*end[:axis], middle, *end[axis + 1 :]]
            stack.append((low, other, still, (A, K, S)) if end is high else (other, high, still, (A, K, S)))
            held += len(still) + 4 * d + 8
        reader.room(held, bits)


def ends_of(low, high, lower, upper):
    """The least and the greatest squared distance of points in a box to those in another."""
    near = far = 0
    for a, b, u, v in zip(low, high, lower, upper):
        gap, reach = max(u - b, a - v, 0), max(v - a, b - u)
        near += gap * gap
        far += reach * reach
    return near, far


class Spread:
    """What is known of how the rows of a cell spread: their mean, between two whole numbers for each feature; T = S / W, the mean of |x - m|^2,
    between two as well; and `rest`, not below the root of R^2 - T, where no row is farther than R from the mean."""

    def __init__(self, cell):
        self.low, self.high = [s // cell.W for s in cell.sums], [-(-s // cell.W) for s in cell.sums]
        scatter = cell.squares * cell.W - dot(cell.sums, cell.sums)
        self.least, self.most = scatter // cell.W**2, -(-scatter // cell.W**2)
        farthest = ends_of(self.low, self.high, cell.low, cell.high)[1]
        self.rest = isqrt(max(0, farthest - self.least)) + 1

    def above(self, low, high, price, near, far):
        """t and c, of which t f(y) + W c is at least 2**SLOPE times what the rows of a cell that is cut earn at any y in the box.

        Over the rows q = l - |x - y|^2 has the mean v = f(y) / W, which is between `one` and `two`. Its variance is at most V = T (2 |m - y| +
        rest)^2: in q = l - |m - y|^2 - |x - m|^2 - 2 (x - m).(m - y) that of |x - m|^2, which is between 0 and R^2 with mean T, is at most
        T (R^2 - T), and that of the last term at most 4 |m - y|^2 T. Each of these is nowhere from lo to hi below max(0, q):
        - the chord hi (q - lo) / (hi - lo);
        - the parabola h (q + b)^2 / (h + b)^2 where h = b > 0, or h = hi <= b: it is 0 at -b, h at h, and its slope there is at most 1;
        - q and that of -q, where h = b > 0, or h = -lo <= b, as max(0, q) = q + max(0, -q).
        The mean of (q + b)^2 is at most (v + b)^2 + V. Less t v that is greatest for the least or the greatest v, as it is convex in v."""
        least, most = ends_of(low, high, self.low, self.high)
        one, two = price - most - self.most, price - least - self.least
        V = self.most * (2 * isqrt(most) + 2 + self.rest) ** 2
        rise, fall, whole = price - near, far - price, 1 << SLOPE
        t = (rise << SLOPE) // (rise + fall)
        chord = t, max(t * fall, (whole - t) * rise)
        # The best parabola for the v in the middle.
        sign, h = (-1, fall) if fall < rise else (1, rise)
        mean = one + two >> 1
        root, v = isqrt(mean * mean + V) + 1, sign * mean
        h, b = (root, root) if root <= h else (h, max(h, V // max(1, h - v) - v))
        below = (h + b) ** 2
        t = (h * (sign * (one + two) + 2 * b) << SLOPE) // below
        t = max(0, min(whole, t if sign > 0 else whole - t))
        parabolas = [-(-(h * ((sign * v + b) ** 2 + V) << SLOPE) // below) for v in (one, two)]
        more = max(own + ((sign < 0) * whole - t) * v for own, v in zip(parabolas, (one, two)))
        return min(chord, (t, more), key=lambda own: own[0] * mean + own[1])


def never_zero(low, high, still, A, S):
    """Whether on a box the sum of w (x - y) over what is inside and some rows of the cells that are cut is never 0."""
    for f, (a, b, s) in enumerate(zip(low, high, S)):
        if s - A * a + sum(c.W * (c.high[f] - a) for c, *_ in still if c.high[f] > a) < 0:
            return True
        if s - A * b + sum(c.W * (c.low[f] - b) for c, *_ in still if c.low[f] < b) > 0:
            return True
    return False


def verdict(content, data=None, weights=None):
    """The exit code and one line on a proof file's content, and on that of the data and their weights if given."""
    try:
        reader = Reader(content, len(data or b"") + len(weights or b""))
        problem = read_problem(reader)
        if data is not None:
            compare(problem, data, weights)
        bound = prove(problem, reader)
        refuse_if(bound < problem.lower, "the bound that is claimed is not reached")
    except Refused as refused:
        code, reason = refused.args
        return code, f"{('', 'not proved', 'malformed', 'other data')[code]}: {reason}"
    except (ValueError, OverflowError, struct.error) as error:
        return MALFORMED if data is None else OTHER_DATA, f"unreadable: {error}"
    except MemoryError:
        return UNPROVED, "not proved: there is not enough memory to check this"
    shown, lower = decimal(problem.value, problem.unit, True), decimal(problem.lower, problem.unit, False)
    weight = decimal(sum(c.W for c in problem.cells), 1 << problem.weight_scale, True)
    of = "these rows" if data is not None else "all rows that have this summary"
    of = f"{of}, k={problem.k}, n={problem.n}, d={problem.d}, weight {weight}, {len(problem.cells)} cells"
    return PROVED, f"proved bounded: cost {shown}, lower bound {lower}, for {of}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], verdict, "check_summary"))
