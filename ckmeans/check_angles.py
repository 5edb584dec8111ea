"""What `check.py` takes beside itself for a proof about angles. Standard library only; nothing is ever rounded to the wrong side.

A row of weight w and direction u (of length one) costs w (1 - cosine) of the angle to the center of its cluster, whose best
direction is that of S, the sum of w u: the cluster C costs w(C) - |S|.

A proof about angles is one about squared distances. Let m be any masses > 0, one for each row, and z = w u / m. As 2 |S| <= m(C) +
|S|^2 / m(C), twice the cost of C is at least 2 w(C) - m(C) - |S|^2 / m(C). The sum of squared distances of the rows z, with weights
m, to their mean is SSE(C) = sum of w^2 / m - |S|^2 / m(C). So if no partition has a lower sum of these than L, twice the costs are
at least L and the sum of 2 w - m - w^2 / m over all rows. (Nothing is lost in a cluster where m = w |S| / w(C).)

Lengths are square roots, so the proof speaks of rows y: z cut to multiples of 2**-scale. The root of what a partition costs is
the distance, with the weights m, of all rows from those that are equal in each cluster, so for z it is less by at most the root
of e >= sum m |z - y|^2, and its square by 2 root (L e). Each entry that is not zero adds at most m 4**-scale to e.
"""

from fractions import Fraction
from math import gcd, isqrt
from operator import mul

DIGITS = 160  # Cosines are rounded to multiples of 2**-DIGITS.


def dot(a, b):
    return sum(map(mul, a, b))


def way_of(row):
    """A row over the greatest common divisor: that of others in the same direction, too."""
    divisor = gcd(*row) or 1
    return [x // divisor for x in row]


def cut(way, weight, mass, shift):
    """w u / m in units of 2**-shift of w / m, towards zero: a row y."""
    top, below = (weight << shift) ** 2, dot(way, way) * mass**2 or 1
    return tuple((1 if x > 0 else -1) * isqrt(x * x * top // below) for x in way)


def read(reader, rows, weights):
    """The problem of angles of which a file tells the masses."""
    scales = reader.fields(reader.words("sphere"), scale=reader.scale, masses=reader.scale)
    masses = reader.numbers("M", len(rows))
    counts = [bool(weight and any(row)) for row, weight in zip(rows, weights)]
    fine = all(mass > 0 if count else not mass for mass, count in zip(masses, counts))
    reader.bad_if(not fine, "a mass above 0 for rows that have weight and a direction, 0 for others")
    reader.bad_if(not any(counts), "no row has weight and a direction")
    return Sphere(reader, rows, weights, masses, *scales)


class Sphere:
    """A problem of angles, and the rows y (in units of 2**-scale) and their weights m of that of squared distances.

    `weights` and `masses` are integers, these in units of 2**-finer of those; rows of zeros have no mass, and are left out.
    """

    def __init__(self, reader, rows, weights, masses, scale, finer):
        self.reader, self.scale, self.finer, self.weights, self.masses = reader, scale, finer, weights, masses
        self.size, self.n_zeros = len(rows) * len(rows[0]), sum(not any(row) for row in rows)
        self.bits = max(max(map(int.bit_length, row)) for row in (*rows, weights, masses)) + scale + finer
        reader.spend(32 * self.size, 4 * self.bits + 2 * DIGITS)  # for what the methods do, too
        reader.room(2 * self.size, 2 * self.bits)
        self.ways = [way_of(row) for row in rows]
        self.rows = [cut(*row, scale + finer) for row in zip(self.ways, weights, masses)]
        self.keys = [str([f"{y:x}" for y in row]) for row in self.rows]

    def closed(self, labels):
        """The labels that the proof is to show to be the best ones of the rows y, where there is a line for them, or the same."""
        self.labels, self.level = labels, None
        if not self.reader.next_is("closed"):
            return labels
        level, *own = self.reader.words("closed")
        self.level = self.reader.integer(level)
        self.reader.bad_if(len(own) != len(labels), "a number and a label for each row expected")
        return list(map(self.reader.natural, own))

    def raised(self, U):
        """What all other partitions of the rows y are to cost more than: what those labels do, U, or the number before them."""
        self.least = U
        return U if self.level is None else max(U, self.level)

    @property
    def words(self):
        """What the verdict adds."""
        return f", by angle{f', {self.n_zeros} rows of zeros left out' if self.n_zeros else ''}"

    def cost(self, labels=None):
        """At most so much do labels cost, those of the file if none are given: the sum of w (1 - cosine) to a center of each
        cluster, the direction of all rows in it where there is but one, and else that of sum m y. Cosines are rounded down."""
        members, most = {}, 0
        for i, label in enumerate(labels or self.labels):
            if self.masses[i]:
                members.setdefault(label, []).append(i)
        for own in members.values():
            center = self.ways[own[0]]
            if any(self.ways[i] != center for i in own):
                center = [dot(map(self.masses.__getitem__, own), column) for column in self.columns(own)]
            size = dot(center, center)
            for i in own:
                along, sizes = dot(self.ways[i], center), dot(self.ways[i], self.ways[i]) * size
                cosine = isqrt((along**2 << 2 * DIGITS) // (sizes or 1))
                most += self.weights[i] * ((1 << DIGITS) - (cosine if along >= 0 else -1 - cosine))
        return Fraction(most, 1 << DIGITS)

    def columns(self, own):
        return zip(*(self.rows[i] for i in own))

    def proved(self, problem, bound, unique):
        """What no partition costs less than, whether none costs less than the labels, and whether all others cost more; if all of
        the rows y but that of the labels in the line `closed` cost at least `bound`, and, if unique, more than U.

        If what costs more than U costs more by angle than the labels do, these are optimal. Rows that are the same y are to be of
        one direction: they share a cluster in some optimum, as the same center is the nearest to them."""
        counted = [i for i, mass in enumerate(self.masses) if mass]
        pairs = {(self.keys[i], str([f"{x:x}" for x in self.ways[i]])) for i in counted}
        optimal = unique and len(pairs) == len(problem.X) and self.by_angle(problem.U) > self.cost()
        return self.by_angle(min(bound, self.least)), optimal, optimal and problem.distinct

    def by_angle(self, bound):
        """At least so much does every partition cost, if no partition of the rows y costs less than `bound`."""
        bound, scale, finer = max(0, bound // 1), self.scale, self.finer
        e = sum(mass * (len(way) - way.count(0)) for way, mass in zip(self.ways, self.masses))
        self.reader.spend(40, (e * bound).bit_length())
        twice = bound - 1 - isqrt(4 * e * bound)  # in units of 2**-finer * 4**-scale of a weight's
        for weight, mass in zip(self.weights, self.masses):
            if mass:
                weight <<= finer
                twice += (2 * weight - mass << 2 * scale) - -(-(weight * weight << 2 * scale) // mass)
        return Fraction(max(0, twice), 2 << 2 * scale + finer)
