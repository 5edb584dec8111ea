"""Every line of defence in the checker: what is taken away from it is noticed by one of the files in forged.py.

`python tests/test_check_holes.py` lists the holes that would not be noticed.
"""

import ast
import sys
import types
from pathlib import Path

import forged
import forged_edges
import forged_searches
import forged_shared
import pytest

from ckmeans import check, check_angles

SOURCE = Path(check.__file__).read_text(encoding="utf-8")
FILES = [*forged.files(), *forged_edges.files(), *forged_shared.files()]
# Lines of the checker, and what would be a hole in their place.
HOLES = [
    ("for first in reversed(range(n)):", "for first in range(n)[:1]:"),
    ("strict = wanted is not None and not first", "strict = False"),
    ("* 2**32) + strict", "* 2**31) + strict"),
    ("<< 32) // w", "<< 33) // w"),
    (" and not mask & foe:", ":"),
    ("[*clusters, new][: problem.k]", "(clusters or [new])[: problem.k]"),
    ("[*clusters, new][: problem.k]", "[*clusters, new][: problem.k - 1]"),
    ("(strict and other and cost <= problem.U)", "(strict and other and cost < problem.U)"),
    ("cut = sum(map(len, clusters)) != len(items)", "cut = True"),
    ("clique.bit_count() > problem.k or", "clique.bit_count() >= problem.k or"),
    (" or own >> i & 1:", ":"),
    ("if problem.k == 1:", "if problem.k <= 2:"),
    ("- problem.k * penalty, False", "- penalty, False"),
    ("path(queue[head][0], j) + penalty * size", "path(queue[head][0], j) + 2 * penalty * size"),
    ("queue.append((j, low))", "pass"),
    ("Fraction(dot(w, price) - problem.k * most, unit)", "Fraction(dot(w, price) - most, unit)"),
    ("N = max(sum(abs(dot(axis, other))", "N = min(sum(abs(dot(axis, other))"),
    ("N = max(sum(abs(dot(axis, other)) for other in Q)", "N = max(dot(axis, axis)"),
    ("Fraction(N + (N << fine), 1", "Fraction(N << fine, 1"),
    ("Fraction(len(Q) + (len(Q) << fine), 4)", "Fraction(len(Q), 4)"),
    ("Fraction(len(Q) + (len(Q) << fine), 4)", "Fraction(1 + (1 << fine), 4)"),
    ("// a.weight + 1) >> 1 for axis in Q", "// a.weight) >> 1 for axis in Q"),
    ("reader) - Fraction(sum(w) * loss, unit)", "reader)"),
    ("max(abs(c) + 33 * len(origin) * w * r * r for", "max(w * r for"),
    ("(2 * (len(rows) + 2) * self.most).bit_length() + 7", "self.most.bit_length() - 9"),
    ("return f - 2 * near - dot(half, half) * w, f", "return f - 2 * near, f"),
    ("f + near + far, sides", "f + near, sides"),
    ("set_of(self.chosen(there), len(foes))", "set_of(self.chosen(inside), len(foes))"),
    ("cells[i >> 3] |= 1", "cells[i >> 3] = 1"),
    ("rows = [i for i in rows if not foes[i] & members]", "rows = []"),
    ("if not any(foes[i] & members for i in block.chosen(sure)):", "if False:"),
    ("max(low - at, high - at, key=abs) ** 2", "min(low - at, high - at, key=abs) ** 2"),
    ("self.c + more * self.w)", "self.c - dot(z, z) * self.w)"),
    ("c + 2 * dot(z, sums) + more * W, []", "c + 2 * dot(z, sums) - dot(z, z) * W, []"),
    ("side.signs(values + spare)", "side.signs(values)"),
    ("side.signs(values - spare - side.ones)", "side.signs(values - side.ones)"),
    ("min(top - least, table.most)", "min(0, table.most)"),
    ("y - h - -2 * h * most[0] //", "y - h + h * most[0] //"),
    ("y + h + 2 * h * least[1] //", "y + h + h * least[1] //"),
    ("h + b + below, a - W * h + above", "h + b, a - W * h + above"),
    ("h + b + below, a - W * h + above", "h + b + below, a - W * h"),
    ("h - below, a - (W + w)", "h, a - (W + w)"),
    ("h + b - above\n", "h + b\n"),
    ("most - slack + (not close)", "most + 9 + (not close)"),
    (
        "halves = (first, first + last >> 1), (first + last >> 1, last)",
        "halves = [(first, first + last >> 1)]",
    ),
    ("(ends, taken)]", "]"),
    ("parts = [(ends, Block(table, rows, members, own)), (ends", "parts = [(ends"),
    ("slack = ceil((problem.U - bound) * unit) if close else None", "slack = 0 if close else None"),
    (
        "if close and members and value >= (most - slack) * W",
        "if close and members and value > (most - slack) * W",
    ),
    ("unique = unique and (cost > problem.U or not other)", "pass"),
    ("elif len(chosen) + 1 < k:", "elif True:"),
    ("off[i], off[j] = off[i] + rest, off[j] + rest", "off[i] += rest"),
    ("off[i], off[j] = off[i] + rest, off[j] + rest", "off[j] += rest"),
    ("off[i] += F[i][i] ** 2 - square", "pass"),
    (
        "max(-(-value // weight) for value, weight in zip(off, weights))",
        "max(value // weight for value, weight in zip(off, weights))",
    ),
    (
        "max(-(-value // weight) for value, weight in zip(off, weights))",
        "min(-(-value // weight) for value, weight in zip(off, weights))",
    ),
    ("most += (problem.k - 1) * max(0, tau +", "most += (problem.k - 1) * max(0, tau + 0 *"),
    ("most += (problem.k - 1) * max(0, tau +", "most += (problem.k - 1) * (tau +"),
    ("most += (problem.k - 1) *", "most += (problem.k - 2) *"),
    ("most = sum(dot(v, v) for v in V)", "most = 0"),
    ("most += k * shortfall", "most += 0 * shortfall"),
    ("+ sum(a * x * x for v in V for a, x in zip(w, v)))", ")"),
    (
        "((i, i, -2), (i, j, 1), (i, h, 1), (j, h, -1))[: 2 if j == h else 4]",
        "((i, i, -2), (i, j, 1), (i, h, 1), (j, h, -1))",
    ),
    ("((i, i, -2),", "((i, i, -1),"),
    ("(j, h, -1))", "(j, h, -2))"),
    ("[: n - size - k + 1]", "[: n - size - k]"),
    ("excluded(2, N[i][j] - limits[i] - limits[j], N", "excluded(2, N[i][j] - limits[i], N"),
    ("[[2 * v for v in row] + [0]", "[[3 * v for v in row] + [0]"),
    ("[2 * N[j][i] for j in", "[3 * N[j][i] for j in"),
    ("all(apart(i, j) for j in names)", "True"),
    ("if (may[j] | may[h]) & bit else a", "if may[j] & bit else a"),
    ("// 2 + sum(own[i] - limits[i]", "+ sum(own[i] - limits[i]"),
    ("sum(own[i] - limits[i] for i in held)", "sum(own[i] for i in held)"),
    ("takes + own[i] - limits[i] + along[i]", "takes + own[i] + along[i]"),
    ("takes + sum(less", "takes + 0 * sum(less"),
    ("limits = [slack * own for own in w]", "limits = [slack] * n"),
    ("(*pair, False) for pair in combinations(first, 2)", "(*pair, False) for pair in ()"),
    ("item.rows[0], known)", "item.rows[0], False)"),
    ("if own >> c & 1 == known]", "if own >> c & 1 == known == 1]"),
    ("alone |= clique.bit_count() == len(items)", "alone = True"),
    ("unique = alone and masks_of", "unique = masks_of"),
    (
        "unique = alone and masks_of(problem, reader, family, items) == [1 << at for at in range(len(items))]",
        "unique = alone",
    ),
    ("or not family.whole or problem.clusters is None", "or problem.clusters is None"),
    ("reader, rows, path, whole)\n", "reader, rows, path, True)\n"),
    ("if m else min(bounds)", "if m else max(bounds)"),
    ("not m and all(uniques)", "not m and any(uniques)"),
    ("not m and all(uniques)", "bool(m) or all(uniques)"),
    ("total(bounds, reader) * Fraction(1, m) if m", "total(bounds, reader) if m"),
    ("m = len(groups) if shared else 1", "m = 1"),
    ("{row: m * rows[row] for", "{row: rows[row] for"),
    ("| {row: rows[row] for row in shared}", "| {row: m * rows[row] for row in shared}"),
    ('times == 1 and reader.next_is("shared")', 'reader.next_is("shared")'),
    ("m = len(groups) if shared else 1", "m = len(groups)"),
    ("reader.spend(20 * m * len(shared))", "pass"),
    ("for row in sorted(chain(*some))}", "for row in chain(*some)}"),
    ("{row: m * rows[row] for", "{row: m * problem.W[row] for"),
    ("m * times, path, False)", "m, path, False)"),
    ("m * times, path, False)", "m * times, (0, None), False)"),
    ("pending += [(rows, None, times,", "pending += [(rows, None, 1,"),
    ("frames.append((len(groups), m, []))", "frames.append((len(groups), m * times, []))"),
    ("bits + 2 * (times - 1).bit_length()", "bits + (times - 1).bit_length()"),
    ("return [item_of(family.rows,", "return [item_of(problem.W,"),
    ("return item_of(family.rows,", "return item_of(problem.W,"),
    ("[item_of(family.rows, places", "[item_of(problem.W, places"),
    ("problem.d, item_of(family.rows,", "problem.d, item_of(problem.W,"),
    ("list(family.rows.values())", "[problem.W[i] for i in family.rows]"),
    ("reader.spend(path[0] * 20 +", "reader.spend("),
    ("len(set(listed)) < len(listed) or any(row", "any(row"),
    (" or any(row not in rows for row in listed)", ""),
    ("leader[max(first(i), first(j))] = min(first(i), first(j))", "pass"),
    ("unique &= problem.distinct or len(problem.X) >= problem.k", "pass"),
    ("unique &= problem.distinct or", "unique &="),
    ("min(merged, default=extra + 1) > extra", "True"),
    ("min(merged, default=extra + 1) > extra", "min(merged, default=extra + 1) >= extra"),
    ("lower = bound if optimal and problem.status", "lower = bound if problem.status"),
    (
        'lower = bound if optimal and problem.status != "bounded" else lower',
        "lower = bound if optimal else lower",
    ),
    ("1 << weight_scale + (0 if sphere else 2 * scale)", "1 << weight_scale + 2 * scale"),
    ("w[:1].isalpha() and", ""),
    (" and w.lower() not in MISSING", ""),
    ("if not at and len(words) == d and", "if len(words) == d and"),
    ("if not at and len(words) == d and", "if not at and"),
    ("len(cell) <= LONGEST and", ""),
    ("== [n, d] and len(content) - stop == size", "== [n, d]"),
    ("fits = [int(length or 1) for length in shape] == [n, d] and", "fits ="),
    ('hashlib.sha256(b"".join(stored)).hexdigest() != sha', "False"),
]
# The same for check_angles.py.
ANGLES = Path(check_angles.__file__).read_text(encoding="utf-8")
HOLES_OF_ANGLES = [
    ("(1 if x > 0 else -1) * isqrt", "isqrt"),
    ("dot(way, way) * mass**2 or 1", "dot(way, way) * mass or 1"),
    ("return [x // divisor for x in row]", "return list(row)"),
    ("max(U, self.level)", "U"),
    ("if self.masses[i]:", "if True:"),
    ("if any(self.ways[i] != center for i in own):", "if False:"),
    ("if any(self.ways[i] != center for i in own):", "if True:"),
    ("(cosine if along >= 0 else -1 - cosine)", "cosine"),
    ("(cosine if along >= 0 else -1 - cosine)", "(cosine if along >= 0 else -cosine)"),
    ("if along >= 0 else", "if along >= -1 else"),
    ("(sizes or 1)", "sizes"),
    ("self.by_angle(min(bound, self.least))", "self.by_angle(bound)"),
    ("len(pairs) == len(problem.X)", "True"),
    ("optimal = unique and", "optimal ="),
    ("self.by_angle(problem.U) > self.cost()", "self.by_angle(2 * problem.U) > self.cost()"),
    ("and self.by_angle(problem.U) > self.cost()", ""),
    ("optimal and problem.distinct", "optimal"),
    ("(len(way) - way.count(0))", "1"),
    ("bound - 1 - isqrt(4 * e * bound)", "bound - 1 - isqrt(e * bound)"),
    ("bound - 1 - isqrt(4 * e * bound)", "bound - isqrt(4 * e * bound)"),
    ("- -(-(weight * weight << 2 * scale) // mass)", "- (weight * weight << 2 * scale) // mass"),
    ("weight <<= finer", "pass"),
    ("2 << 2 * scale + finer", "1 << 2 * scale + finer"),
    ("max(0, twice)", "max(1, twice)"),
]


def module_of(source):
    module = types.ModuleType("holed")
    module.__package__ = "ckmeans"  # where check_angles.py is
    name = check.__file__ if source == SOURCE else "holed"  # for `make coverage`, that of what has no hole
    exec(compile(source, name, "exec"), vars(module))
    return module


def without(node, part):
    """The text of a condition without one of its parts, or with one of two bounds."""
    kept = [value for value in node.values if value is not part]
    return ast.unparse(ast.BoolOp(node.op, kept) if len(kept) > 1 else kept[0])


def weaker(condition):
    """Conditions that fewer things fail."""
    yield "False"
    if isinstance(condition, ast.BoolOp):
        for part in condition.values:
            yield without(condition, part)
    inner = condition.operand if isinstance(condition, ast.UnaryOp) else condition
    if isinstance(inner, ast.Compare) and len(inner.ops) == 2:
        for cut in (slice(0, 1), slice(1, 2)):
            left = inner.left if cut.start == 0 else inner.comparators[0]
            text = ast.unparse(ast.Compare(left, inner.ops[cut], inner.comparators[cut]))
            yield f"not {text}" if inner is not condition else text


def refusals(source):
    """The source with each `refuse_if` and `bad_if` in turn made weaker, and what was done."""
    rows = source.splitlines(keepends=True)
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    for node in ast.walk(ast.parse(source)):
        name = isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("refuse_if", "bad_if") and not getattr(node.args[0], "id", "") == "condition":
            bad = node.args[0]
            begin, end = (
                starts[line - 1] + column
                for line, column in ((bad.lineno, bad.col_offset), (bad.end_lineno, bad.end_col_offset))
            )
            for text in weaker(bad):
                yield (
                    f"line {bad.lineno}: {source[begin:end]} -> {text}",
                    source[:begin] + text + source[end:],
                )


def patches(source, holes):
    for old, new in holes:
        assert source.count(old) == 1, (source.count(old), old)
        yield f"{old} -> {new}", source.replace(old, new)


def noticed(source, angles=ANGLES):
    """The first file on which this checker, with check_angles.py beside it, says another thing, or fails."""
    if angles is not ANGLES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "ckmeans.check_angles", module_of(angles))
            return noticed(source)
    module = module_of(source)
    module.LIMIT, module.STEPS_A_BYTE, module.ROOM, module.ROOM_A_BYTE = forged.LIMITS
    for name, code, content, data, weights in FILES:
        try:
            said = module.verdict(content, data, weights)
        except Exception:
            return name
        if said[0] != code or said != SAID[name]:
            return name
    return None if forged_searches.direct(module) == forged_searches.DIRECT else "closure"


def verdicts():
    module = module_of(SOURCE)
    module.LIMIT, module.STEPS_A_BYTE, module.ROOM, module.ROOM_A_BYTE = forged.LIMITS
    return {name: module.verdict(content, data, weights) for name, _, content, data, weights in FILES}


SAID = verdicts()


@pytest.mark.parametrize("name, code", [(name, code) for name, code, *_ in FILES])
def test_files(name, code):
    assert SAID[name][0] == code, SAID[name]


def test_closure():
    assert forged_searches.direct(check) == forged_searches.DIRECT


def holes():
    """What was done, and the sources of check.py and check_angles.py with that."""
    for what, source in (*refusals(SOURCE), *patches(SOURCE, HOLES)):
        yield what, source, ANGLES
    for what, angles in (*refusals(ANGLES), *patches(ANGLES, HOLES_OF_ANGLES)):
        yield what, SOURCE, angles


@pytest.mark.parametrize("hole", [*holes()], ids=lambda hole: hole[0][:60])
def test_a_hole_is_noticed(hole):
    assert noticed(*hole[1:]), hole[0]


if __name__ == "__main__":
    for name, code, *_ in FILES:
        if SAID[name][0] != code:
            print("WRONG CODE", name, code, SAID[name])
    for what, *sources in holes():
        if not noticed(*sources):
            print(what)
