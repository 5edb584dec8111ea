"""Mutants of the checker that are right all the same, and why: `mutants.py` does not try them."""

# Calls, functions and variables (of one function, if it is named) that count what a file takes: another count is another limit on
# that, none on what is true. The limits themselves are tested.
COUNTS = {"spend", "room", "each", "bits", "words", "Reader.__init__: left", "Reader.__init__: size"}
COUNTS |= {"Sphere.__init__: size", "total: below", "prefixes: width", "line: held", "prove: depth"}
COUNTS |= {"clusters_above: held", "clusters_above: size", "check_centers: held"}
# The first of the arguments of a call that counts, where others come before it.
COUNTED_FROM = {"each": 1}

SPLIT = "chooses what is looked at next: both parts are, whatever the split"
POINT = "chooses z, of which any gives a bound on a box; and no field overflows for |z| up to 7 r"
SUMS = "sums are taken modulo 2**width - 1, whose halves may be cut anywhere: they are for speed"
SIZES = "what is added up in a field is at most |c| + 17 d w r^2, not 33, and fields may be wider than that"
MORE = "goes through more, and finds no more: what is found is held against exact costs"
EDGE = "at equality the chord cuts off nothing, or all, as the lines after it do"
LIMIT = "a limit on numbers that bounds the time, and that no true proof comes near to"
NONE = "any number does for nothing"
ONE = "all of these are the same, or there is but one"
EMPTY = "nothing adds up no fractions"
ZERO = "a whole number that is 0 adds nothing"
NAMED = "the items that name the other clusters are held by these, so that no more than that are left"
BYTES = "more bytes than are needed"
BLOCKS = "chooses when a smaller block is made of the same rows"

# The function, what stood there, and what a mutant has in its place (or a part of these): the reason.
EXPLAINED = {
    ("", "TRIES = ", ""): "another number of steps to a better bound on a box, of which each is one",
    ("", "sys.argv[1:]", ""): "of the command as a process, which another test starts",
    ("set_of", "n // 8 + 1", "n // 8 + 2"): BYTES,
    ("bits_of", "default=0", ""): "the size of no numbers at all is only counted with",
    ("total", "list(fractions) or [Fraction(0)]", "list(fractions) or list(fractions)"): EMPTY,
    ("total", "Fraction(0)", "Fraction(1)"): EMPTY,
    ("total", "Fraction(0)", "Fraction(-1)"): EMPTY,
    ("total", "return fractions[0]", ""): ONE,
    (
        "Reader.__init__",
        "content.rfind",
        "content.rfind(b'\\n', 0, -2) + 1",
    ): "the last line is longer than that",
    (
        "Reader.__init__",
        "content.rfind",
        "content.rfind(b'\\n', 1, -1) + 1",
    ): "the first line does not begin so",
    ("Reader.__init__", "beside=0", ""): LIMIT,
    ("Reader.natural", "max(self.size, 1 << 12)", ""): LIMIT,
    ("Reader.natural", "1 << 12", ""): LIMIT,
    ("Reader.fields", "len(readers) + 1", "len(readers) + 2"): "two words too many are as wrong as one",
    (
        "trivial",
        "len(items) if own else 0",
        "len(items) if own else ",
    ): "an item that is apart from none is in no other's list",
    ("trivial", "problem.U + 1", "problem.U + 2"): "any number is a bound of no partitions",
    ("trivial", "problem.U + 1", "problem.U + 0"): "any number is a bound of no partitions",
    ("tree", "[Fraction(0)]", "Fraction(-1)"): MORE,
    ("tree", "2 ** 32", "2 ** 33"): MORE,
    ("tree", "bounds[first] - bound", "bounds[first] + bound"): MORE,
    ("tree", "wanted is not None and (not first)", "not first and (not first)"): MORE,
    (
        "tree",
        "not strict or sorted",
        "!= wanted or sorted",
    ): "only where all items are parted can it be as the labels part them",
    ("prefixes", "< needs[at + 1]", "<= needs[at + 1]"): MORE,
    ("prefixes", "[(0, 0, [])]", "[(0, -1, [])]"): MORE,
    ("prefixes", "(0, [0] * problem.d, 0, 0, 0)", "(0, [0] * problem.d, 0, 1, 0)"): MORE,
    ("prefixes", "cost - old + own", "cost - old - own"): MORE,
    ("prefixes", "<< 32", "<< 31"): MORE,
    ("prefixes", "a + b", "a - b"): "all sums change their signs: their squares do not",
    ("line", "any(off)", "[2]"): "all rows are the same: any length does",
    ("line", "places[row][0]", "places[row][-1]"): ONE,
    ("line", "2 * bits_of", "3 * bits_of"): "means are told apart by more digits than they need",
    ("line", "<= path(*queue[-1])", "< path(*queue[-1])"): "where paths cost the same, either does",
    ("trivial", "1 << i", "2 << i"): "what is found from an item is found from the first of the others, too",
    ("line", "[(0, 1)], 0, 0", "[(0, 1)], -1, 0"): "is 0 before it is looked at",
    ("line", "(0, 1)", "(0, 0)"): "what is taken is the greater of this and j + 1",
    (
        "line",
        "max(queue[-1][1], j + 1)",
        "queue[-1][0]",
    ): "before that place, too, the answer is no, and so it is found as well",
    (
        "line",
        "max(queue[-1][1], j + 1)",
        "queue[-0][1]",
    ): "before that place, too, the answer is no, and so it is found as well",
    (
        "line",
        "path(j, to) <= path(last, to)",
        "path(j, to) < path(last, to)",
    ): "where paths cost the same, either does",
    (
        "prices",
        "// a.weight + 1",
        "// a.weight - 1",
    ): "all are moved by one along each axis: no distance changes",
    ("Side.__init__", "count > 8", ""): SUMS,
    ("Side.__init__", "count + 1", ""): SUMS,
    ("Table.__init__", "pieces[0][2]", "pieces[1][2]"): ONE,
    ("Table.__init__", "pieces[0][2]", "pieces[-1][2]"): ONE,
    ("Table.__init__", "2 + max", "3 + max"): SIZES,
    ("Table.__init__", "2 + max", "1 + max"): SIZES,
    ("Table.__init__", "33 * len(origin)", "32 * len(origin)"): SIZES,
    ("Table.__init__", "33 * len(origin)", "34 * len(origin)"): SIZES,
    ("Table.__init__", "+ slack + 1", "+ slack + 0"): SIZES,
    ("Table.__init__", "+ slack + 1", "+ slack + 2"): SIZES,
    ("Table.__init__", "+ slack + 1", "+ slack - 1"): SIZES,
    ("Table.__init__", ">> 3", ">> 2"): SIZES,
    ("Table.__init__", "<< 3", "<< 4"): SIZES,
    ("Table.__init__", "+ 7", "+ 8"): SIZES,
    ("Table.__init__", "2 * (len(rows) + 2)", "3 * (len(rows) + 2)"): SIZES,
    ("Table.__init__", "len(rows) + 2", "len(rows) + 3"): SIZES,
    (
        "Table.__init__",
        "len(rows) + 2",
        "len(rows) + 1",
    ): "room for the sum of one number more than there are",
    ("Table.__init__", "len(origin) + 2", "len(origin) + 3"): "a number more, which is 0",
    ("Block.least", "at > y", "at >= y"): ONE,
    ("Block.least", "top < enough", "not steep or not steep"): POINT,
    ("Block.least", "top < enough", "top <= enough"): POINT,
    ("Block.least", "4 * steep", ""): POINT,
    ("Block.least", "top - enough", ""): POINT,
    ("Block.least", "4 * low", ""): POINT,
    ("Block.least", "4 * high", ""): POINT,
    ("clusters_above", "slack + 1", "slack + 2"): MORE,
    (
        "clusters_above",
        "ends and (not rows)",
        "not rows and (not rows)",
    ): "a set is one, whatever the box that it is found in",
    (
        "clusters_above",
        "close and members and",
        "members and ",
    ): "what is found is not looked at unless close",
    ("clusters_above", "len(pieces) // 8", "len(pieces) // 7"): BYTES,
    ("clusters_above", "// 8 + 1", "// 8 + 2"): BYTES,
    ("clusters_above", "high - low - above", ""): SPLIT,
    ("clusters_above", "high - low", "high + low"): SPLIT,
    ("main", "names[0]", "names[-1]"): ONE,
    ("clusters_above", "apart or not wide", "not wide or len(rows) <= 3 or (first"): SPLIT,
    ("clusters_above", "apart or not wide", "apart or len(rows) <= 3 or (first"): SPLIT,
    ("clusters_above", "apart or not wide", "apart or not wide or (first"): SPLIT,
    ("clusters_above", "len(rows) <= 3", ""): SPLIT,
    ("clusters_above", "first + 1 >= last", "first + 2 >= last"): SPLIT,
    ("clusters_above", "4 * len(rows)", ""): BLOCKS,
    ("clusters_above", "3 * len(block.rows)", ""): BLOCKS,
    ("narrowed", "most[1] < 0 <= most[0]", "most[1] < 0 < most[0]"): EDGE,
    ("narrowed", "most[1] < 0 <= most[0]", "most[1] < 1 <= most[0]"): EDGE,
    ("narrowed", "most[1] < 0 <= most[0]", "most[1] < -1 <= most[0]"): EDGE,
    ("narrowed", "least[1] <= 0 < least[0]", "least[1] < 0 < least[0]"): EDGE,
    ("narrowed", "least[1] <= 0 < least[0]", "least[1] <= 1 < least[0]"): EDGE,
    ("narrowed", "least[1] <= 0 < least[0]", "least[1] <= -1 < least[0]"): EDGE,
    (
        "narrowed",
        "or low > high",
        "most[0] < 0 or least[1] > 0",
    ): "no mean is in a box that is empty, and no part of it has one",
    ("closure", "own >> i & 1", "own >> i | 1"): "any items that are apart give the clusters their names",
    ("closure", "item.rows[0]", "item.rows[-1]"): ONE,
    ("prove", "left[0]", "left[-1]"): ONE,
    ("settled", "(1 << k) - 1", "(1 >> k) - 1"): "clusters that are not there are in no list",
    ("settled", "(1 << k) - 1", "(1 << k) - 0"): "clusters that are not there are in no list",
    ("settled.excluded", "< 0", "<= 0"): ZERO,
    ("settled.excluded", "< 0", "< 1"): ZERO,
    ("settled", "along[h] < limits[h]", "along[h] <= limits[h]"): ZERO,
    (
        "settled",
        "along[h] < limits[h] and",
        "not against >> h & 1 and",
    ): "what takes more is passed over later, too",
    ("settled", "len(held) + 1", "len(held) + 0"): NAMED,
    ("settled", "len(held) + 1", "len(held) - 1"): NAMED,
    ("shortfall", "max(0, row[-1])", "max(1, row[-1])"): "such a row is refused below",
    ("principal", "len(V[0])", "len(V[-1])"): ONE,
    ("semidefinite", "4", "[:2 if j == h else 5]"): "there are four",
    (
        "closure",
        "default=extra + 1",
        "default=extra + 2",
    ): "any number above does where there are no pairs",
    (
        "closure",
        "bound > problem.U",
        "bound >= problem.U",
    ): "no factor has a 0 on its diagonal, so that no bound is as high as a cost",
    ("decimal", "1 << 13", ""): "more or fewer leading bits, of which all are more than are shown",
    ("decimal", "top < 0", "top <= 0"): "0 is 0 over whatever number",
    ("decimal", "top < 0", "top < 1"): "0 is 0 over whatever number",
    ("decimal", "abs(twos) <= 1 << 13", "abs(twos) < 1 << 13"): "one of two ways to write the number",
    ("verdict", "len(data or b'') + len(weights or b'')", ""): LIMIT,
    ("verdict", "data or b''", "b'' or b''"): LIMIT,
    ("verdict", "weights or b''", "b'' or b''"): LIMIT,
    ("way_of", "gcd(*row) or 1", "gcd(*row) or 2"): NONE,
    ("cut", "or 1", "or 2"): NONE,
    ("cut", "x > 0", "x > -1"): NONE,
    ("cut", "x > 0", "x >= 0"): NONE,
    ("Sphere.cost", "own[0]", "own[-1]"): ONE,
    ("Sphere.cost", "sizes or 1", "sizes or 2"): NONE,
    (
        "Sphere.by_angle",
        "max(0, bound // 1)",
        "max(1, bound // 1)",
    ): "below 1 what is left of it is less than 0, as is what is added",
}

# The same of src/, for compiled_mutants.py: the file, and parts of the line before and after.
COMPILED = {
    (
        "univariate.pyx",
        "if low == n or worse(",
        "if low == n and worse(",
    ): "how far a path is from the best is found afterwards",
    (
        "simd/instruction_sets.h",
        "__builtin_cpu_supports",
        "",
    ): "what a processor can do: one that can do it all does not tell",
    (
        "simd/cells.h",
        "ends[2 * d + f] = other ? (ends[f] + ends[d + f]) / 2",
        "",
    ): "a middle of a leaf that is farther off, of which any is right",
    (
        "simd/spectrum.h",
        "c + EIGHT_SUMS <= n",
        "c + EIGHT_SUMS < n",
    ): "the last eight are added to the same sums, one by one",
    (
        "search.pxd",
        "if n_moved < 0:",
        "< 1",
    ): "what is taken to be unusual is done by other loops, with the same bits",
    ("search.pxd", "if s.points[i] >= 0:", "> 0"): "points without weight are weighed once more",
    (
        "univariate.pyx",
        "value = (nodes[t, 1] - nodes[t - 1, 1]) / (nodes[t, 0]",
        "",
    ): "which nodes a first look takes: any will do",
}
