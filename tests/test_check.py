"""The proof checker: true proofs of every kind are accepted, and nothing that claims more than the optimum ever is."""

import ast
import math
import random
import re
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import proofs
import pytest

from ckmeans import check, check_angles, reference
from ckmeans.proofs import proof_lines
from ckmeans.proofs.problem import ExactProblem

KINDS = ("tree", "line", "prices", "turned", "sdp", "parted", "principal", "trivial", "total", "branch")


def instance(seed, kind="any"):
    """A random small problem, often with ties, equal rows and weights (some zero), and its optimum."""
    rng = np.random.default_rng(seed)
    n, d, k = (int(rng.integers(*span)) for span in ((1, 9), (1, 4), (1, 5)))
    X = rng.integers(0, 4, (n, d)).astype(float) if seed % 4 < 2 else np.round(rng.normal(size=(n, d)), 1)
    if kind == "line" and d > 1:
        X = np.round(X[:, :1] * 64) / 64 * np.arange(1, d + 1) + 1.5
    weights = None
    if rng.random() < 0.5:
        weights = rng.integers(0, 4, n) / 4
        weights[0] = 0.5
    small = proofs.Small(ExactProblem(X, weights), k)
    return rng, X, weights, small, *small.optimum()


def text_of(small, parts, proof, status="optimal", lower=None):
    return proof_lines.proof_text(small.problem, small.k, small.labels(parts), status, proof, lower)


def optima(small, cost):
    """How many partitions of the distinct rows cost as little."""
    partitions = reference.partitions(small.n, small.k)
    masks = ([sum(1 << i for i, c in enumerate(p) if c == own) for own in set(p)] for p in partitions)
    return sum(sum(small.sse[mask] for mask in own) == cost for own in masks)


@pytest.mark.parametrize("kind", KINDS)
def test_true_proofs(kind):
    tight = 0
    for seed in range(60):
        rng, _, _, small, cost, parts = instance(seed, kind)
        proof = getattr(proofs, kind)(small, rng)
        problem, bound, unique = proofs.derived(text_of(small, parts, proof, "optimal-unique"))
        assert problem.U == cost
        assert bound <= cost
        assert not unique or optima(small, cost) == 1
        tight += bound == cost
        code, said = check.verdict(text_of(small, parts, proof).encode())
        assert code == (check.PROVED if bound == cost else check.UNPROVED), said
        bound = proofs.derived(text_of(small, parts, proof, "bounded", Fraction(0)))[1]
        bounded = text_of(small, parts, proof, "bounded", Fraction(bound, small.problem.unit))
        assert check.verdict(bounded.encode())[0] == check.PROVED
        above = text_of(
            small, parts, proof, "bounded", Fraction(bound * 2**60 + 1, small.problem.unit * 2**60)
        )
        assert check.verdict(above.encode())[0] == check.UNPROVED
    assert tight >= {"principal": 0, "trivial": 20, "total": 5, "sdp": 35, "parted": 15}.get(kind, 60)


@pytest.mark.parametrize("kind", ["tree", "prices", "branch"])
def test_uniqueness_is_decided(kind):
    for seed in range(100):
        rng, _, _, small, cost, parts = instance(seed)
        text = text_of(small, parts, getattr(proofs, kind)(small, rng), "optimal-unique")
        _, bound, unique = proofs.derived(text)
        assert bound == cost
        if kind != "branch":
            assert unique == (optima(small, cost) == 1)


def test_a_worse_clustering_is_not_optimal():
    for seed in range(40):
        rng, _, _, small, cost, parts = instance(seed)
        if small.n < 2 or small.k < 2:
            continue
        worse = [sum(parts[c] for c in range(len(parts)))]
        if small.sse[worse[0]] > cost:
            for kind in ("tree", "prices", "trivial", "line" if small.problem.n_features == 1 else "tree"):
                text = text_of(small, worse, getattr(proofs, kind)(small, rng))
                assert check.verdict(text.encode())[0] == check.UNPROVED


def test_a_tree_a_hair_too_high():
    for seed in range(30):
        rng, _, _, small, cost, parts = instance(seed)
        proof = proofs.tree(small, rng)
        word, _, *rest = proof[2].split(" ")
        higher = cost + Fraction(1, 2**40)
        proof[2] = " ".join([word, f"{higher.numerator:x}/{higher.denominator:x}", *rest])
        text = text_of(small, parts, proof, "bounded", Fraction(higher, small.problem.unit))
        assert check.verdict(text.encode())[0] == check.UNPROVED


def test_any_prices_with_the_least_m():
    """Random prices in coarse and fine units, m rounded to either side of what a center can earn at most."""
    for seed in range(400):
        rng = np.random.default_rng(seed)
        n, d, shift = int(rng.integers(1, 8)), int(rng.integers(1, 3)), int(rng.choice([0, 0, 1, 8]))
        X = rng.integers(0, 4, (n, d)) * int(rng.choice([1, 1, 50]))
        small = proofs.Small(ExactProblem(X), 2)
        scale = 4**shift * max(1, round(max(small.sse) / n))
        price = rng.integers(-2, 3 * scale + 2, small.n).tolist()
        total = [
            sum(p * w for i, (p, w) in enumerate(zip(price, small.problem.weights)) if mask >> i & 1)
            for mask in range(1 << small.n)
        ]
        most = math.ceil(max(own - cost * 4**shift for own, cost in zip(total, small.sse)))
        cost, parts = small.optimum()
        for status in ("bounded", "optimal-unique"):
            text = text_of(small, parts, proof_lines.prices_proof(price, most, shift), status, Fraction(0))
            _, bound, unique = proofs.derived(text)
            assert bound <= cost
            assert unique == (optima(small, cost) == 1) or bound < cost or status == "bounded"
            if most:
                text = text_of(
                    small, parts, proof_lines.prices_proof(price, most - 1, shift), status, Fraction(0)
                )
                with pytest.raises(check.Refused, match="earns more"):
                    proofs.derived(text)


def test_the_least_m_of_more_rows():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X = np.round(rng.normal(size=(11, 1 + seed % 3)) * 8) / (1 + seed % 2)
        small = proofs.Small(ExactProblem(X), 3)
        scale = max(small.sse[-1] / small.n * Fraction(float(rng.choice([0.2, 0.5, 1, 2]))), 4)
        price = [round(scale * Fraction(rng.random() + 0.5)) for _ in range(small.n)]
        weights = small.problem.weights
        total = [
            sum(p * w for i, (p, w) in enumerate(zip(price, weights)) if mask >> i & 1)
            for mask in range(1 << small.n)
        ]
        most = math.ceil(max(own - cost for own, cost in zip(total, small.sse)))
        labels = [0] * len(X)
        text = proof_lines.proof_text(
            small.problem, 3, labels, "bounded", proof_lines.prices_proof(price, most, 0), Fraction(-(10**9))
        )
        assert check.verdict(text.encode())[0] == check.PROVED
        text = proof_lines.proof_text(
            small.problem,
            3,
            labels,
            "bounded",
            proof_lines.prices_proof(price, most - 1, 0),
            Fraction(-(10**9)),
        )
        assert check.verdict(text.encode())[0] == check.UNPROVED


def test_all_sets_within_the_slack_are_found():
    found = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n, d, slack = (
            int(rng.integers(3, 10)),
            int(rng.integers(1, 4)),
            int(rng.choice([0, 3, 50, 400, 5000])),
        )
        X = np.round(rng.normal(size=(n, d)) * float(rng.choice([2, 20])))
        small = proofs.Small(ExactProblem(X), 3)
        scale = max(1, round(small.sse[-1] / small.n))
        pieces, total = [], [0]
        for row, w in zip(small.problem.rows, small.problem.weights):
            earned = w * int(rng.integers(0, 2 * scale + 1))
            pieces.append((w, earned - w * sum(x * x for x in row), [w * x for x in row]))
            total += [earned + other for other in total]
        v = [own - cost for own, cost in zip(total, small.sse)]
        foes = [0] * small.n
        for _ in range(int(rng.integers(0, 3))):
            i, j = map(int, rng.choice(small.n, 2)) if small.n > 1 else (0, 0)
            foes[i], foes[j] = foes[i] | (i != j) << j, foes[j] | (i != j) << i
        legal = [
            m for m in range(1, 1 << small.n) if not any(m >> i & 1 and m & foes[i] for i in range(small.n))
        ]
        most = max(0, math.ceil(max(v[m] for m in legal)))
        expected = {m: most - math.ceil(v[m]) for m in legal if v[m] >= most - slack}
        reader = check.Reader(proof_lines.sealed(["CKC 1"]).encode())
        assert dict(check.clusters_above(pieces, foes, most, slack, reader)) == expected
        found += len(expected)
    assert found > 1000


def test_two_optima_on_two_sides_of_a_branch():
    problem = ExactProblem(np.array([[0.0], [1.0], [2.0]]))
    sides = (["proof tree", "order 0 1", "suffix 1/2 0"], ["proof tree", "order 0 1 2", "suffix 1/2 0 0"])
    proof = proof_lines.branch_proof(0, 1, *sides)
    for labels in ([0, 0, 1], [0, 1, 1]):
        assert check.verdict(proof_lines.proof_text(problem, 2, labels, "optimal", proof).encode())[0] == 0
        assert (
            check.verdict(proof_lines.proof_text(problem, 2, labels, "optimal-unique", proof).encode())[0]
            == 1
        )


def test_cost_is_that_of_the_reference():
    for seed in range(40):
        rng, X, weights, small, _, _ = instance(seed)
        labels = rng.integers(0, small.k, len(X)).tolist()
        text = proof_lines.proof_text(
            small.problem, small.k, labels, "bounded", proof_lines.trivial_proof(), Fraction(0)
        )
        problem, _, _ = proofs.derived(text)
        expected = reference.cost(X.tolist(), labels, None if weights is None else weights.tolist())
        assert Fraction(problem.U, problem.unit) == expected


# ---- Files that say more than is true


def mutated(lines, rng):
    """The lines with one token of the proof, the claim or the header changed."""
    at = int(rng.choice([i for i, line in enumerate(lines) if i and not line.startswith("data")]))
    if rng.random() < 0.15:
        kind = rng.integers(3)
        if kind == 0:
            return [*lines[:at], *lines[at + 1 :]]
        if kind == 1:
            return [*lines[: at + 1], *lines[at:]]
        other = int(rng.integers(1, len(lines)))
        lines = list(lines)
        lines[at], lines[other] = lines[other], lines[at]
        return lines
    tokens = re.findall(r"-?[0-9a-f]+|\S+?(?=[ =/-])|.", lines[at])
    numbers = [i for i, token in enumerate(tokens) if re.fullmatch(r"-?[0-9a-f]+", token)]
    if not numbers:
        return lines
    i = int(rng.choice(numbers))
    value = int(tokens[i], 16)
    change = rng.integers(10)
    new = [
        value + 1,
        value - 1,
        -value,
        value * 2,
        value // 2,
        0,
        value ^ (1 << int(rng.integers(0, 40))),
        value + value // 16 + 1,
        value * 16,
        value - value // 64 - 1,
    ][change]
    if change == 5 and rng.random() < 0.5:
        j = int(rng.choice(numbers))
        tokens[i], tokens[j] = tokens[j], tokens[i]
    else:
        tokens[i] = f"{new:x}"
    return [*lines[:at], "".join(tokens), *lines[at + 1 :]]


def truth(text, cache):
    """Least cost of the problem of a file, as this test reads it: None where the header makes no sense."""
    reader = check.Reader(text.encode())
    try:
        problem = check.read_problem(reader, None)
    except check.Refused:
        return None
    key = (tuple(problem.X), tuple(problem.W), problem.k)
    if key not in cache:
        fake = ExactProblem(np.zeros((1, len(problem.X[0]))))
        fake.rows, fake.weights = problem.X, problem.W
        cache[key] = proofs.Small(fake, problem.k).optimum()[0]
    return cache[key]


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutation_proves_too_much(kind, monkeypatch):
    monkeypatch.setattr(check, "LIMIT", 1_000_000)
    monkeypatch.setattr(check, "STEPS_A_BYTE", 0)
    accepted = refused = 0
    for seed in range(15):
        rng, _, _, small, cost, parts = instance(seed, kind)
        proof = getattr(proofs, kind)(small, rng)
        _, bound, _ = proofs.derived(text_of(small, parts, proof, "bounded", Fraction(0)))
        cache = {}
        for status in ("bounded", "optimal-unique"):
            text = text_of(small, parts, proof, status, Fraction(bound, small.problem.unit))
            lines = text.splitlines()[:-1]
            for _ in range(30):
                changed = mutated(lines, rng)
                if rng.random() < 0.3:
                    changed = mutated(changed, rng)
                new = proof_lines.sealed(changed)
                code, said = check.verdict(new.encode())
                assert "\n" not in said
                if code:
                    refused += 1
                    continue
                accepted += 1
                problem, found, unique = proofs.derived(new)
                best = truth(new, cache)
                assert problem.lower <= best, new
                assert problem.U >= best
                if problem.status != "bounded":
                    assert problem.U == best
                else:
                    assert found <= best
    assert refused > 300
    assert accepted < refused


def damaged(text):
    """Files that were cut off or altered after they were written."""
    content = text.encode()
    yield b""
    yield b"\n" * 5
    yield content[:-1]
    yield content + b"\n"
    yield content.replace(b"labels", b"Labels")
    yield content.replace(b"\n", b"\r\n")
    yield content + content
    for at in range(0, len(content), 7):
        yield content[:at]
        yield content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_damaged_files():
    _, _, _, small, _, parts = instance(6)
    text = text_of(small, parts, proofs.tree(small, np.random.default_rng(0)))
    for content in damaged(text):
        code, said = check.verdict(content)
        assert code == check.MALFORMED, said
        assert "\n" not in said


# ---- Many numbers in one


def test_numbers_side_by_side_are_those_numbers():
    """Up to the largest that a field may hold, of either sign, next to each other."""
    for seed in range(40):
        rng = random.Random(seed)
        width, count = rng.choice([8, 16, 64, 96, 200]), rng.randrange(0, 12)
        side, most = check.Side(width, count), (1 << width - 1) - 1
        pick = [0, 1, -1, most, -most, most // 2, -most // 2]
        numbers = [rng.choice([*pick, rng.randint(-most, most)]) for _ in range(count)]
        joined = sum(v << at * width for at, v in enumerate(numbers))
        assert side.parted(joined) == numbers
        signs = side.signs(joined)
        assert list(side.small(signs)) == [int(v >= 0) for v in numbers]
        assert side.parted(side.positive(joined)) == [max(0, v) for v in numbers]
        chosen = side.positive(joined) & side.masks(signs)
        assert side.parted(chosen) == [v if v >= 0 else 0 for v in numbers]
        few = [v // (2 * count) for v in numbers]
        small = sum(v << at * width for at, v in enumerate(few))
        assert side.total(side.positive(small)) == sum(max(0, v) for v in few)
        assert side.parted(3 * small - 2 * small) == few
        assert side.total(side.ones) == count


def test_boxes_in_plain_fractions():
    """What is known of rows on a box, in one long integer, is what plain numbers give, and right; no field is near its limit."""
    for seed in range(60):
        rng = random.Random(seed)
        size, d, n = rng.choice([3, 2**31, 2**53, 10**40]), rng.randrange(1, 5), rng.randrange(1, 9)
        pieces = []
        for _ in range(n):
            w, x = rng.choice([1, 1, 7, 2**52 - 1]), [rng.randrange(-size, size + 1) for _ in range(d)]
            pieces.append(
                (w, w * (rng.randrange(4 * d * size * size) - sum(v * v for v in x)), [w * v for v in x])
            )
        reader = check.Reader(proof_lines.sealed(["CKC 1"]).encode())
        slack = rng.choice([0, size])
        table = check.Table(pieces, slack, reader)
        block, limit = check.Block(table, range(n), 0, 0), 1 << table.width - 1
        rows = [table.one.parted(record) for record in table.records]
        ends = [sorted(rng.randint(low, high) for _ in range(2)) for low, high in table.ends]
        ends = rng.choice([table.ends, ends])
        center = [low + high >> 1 for low, high in ends]
        half = [high - y for y, (_, high) in zip(center, ends)]
        low, high, sides = block.bounds(center, half)
        lows, highs = block.side.parted(low), block.side.parted(high)
        f = lambda row, y: row[0] + 2 * check.dot(row[2:], y) - row[1] * check.dot(y, y)  # noqa: E731
        some = [
            [rng.choice([a, b, Fraction(a + b, 2), a + (b - a) * Fraction(rng.random())]) for a, b in ends]
            for _ in range(8)
        ]
        for row, below, above in zip(rows, lows, highs):
            assert all(below <= f(row, y) <= above for y in some)
            assert f(row, center) - below == sum(
                2 * abs(s - row[1] * y) * h + row[1] * h * h for s, y, h in zip(row[2:], center, half)
            )
        top, values = block.least(ends, rng.choice([0, -(size**4)]), table)
        values = block.side.parted(values)
        for mask in range(
            1, 1 << n
        ):  # no set with its mean in the box has more value, nor as much with other rows
            c, W, *sums = map(sum, zip(*(row for at, row in enumerate(rows) if mask >> at & 1)))
            if all(low * W <= s <= high * W for s, (low, high) in zip(sums, ends)):
                lost = sum(max(0, -v if mask >> at & 1 else v) for at, v in enumerate(values))
                assert (c - top + lost) * W + check.dot(sums, sums) <= 0
        for axis, (above, below) in enumerate(sides):
            D = [(row[2 + axis] - row[1] * center[axis], row[1] * half[axis]) for row in rows]
            assert block.side.parted(above) == [max(0, a - b) for a, b in D]
            assert block.side.parted(below) == [max(0, -a - b) for a, b in D]
        worst = max(map(abs, [*lows, *highs, *values, *(v for row in rows for v in row)])) + slack + 1
        assert worst <= table.most and (n + 1) * table.most < limit


# ---- What the checker is made of


@pytest.mark.parametrize("module", [check, check_angles])
def test_the_checker_is_short_and_exact(module):
    path = Path(module.__file__)
    source = path.read_text(encoding="utf-8")
    assert sum(map(bool, source.splitlines())) <= 900
    nodes = list(ast.walk(ast.parse(source)))
    for node in nodes:
        assert not isinstance(node, ast.Div | ast.Assert | ast.MatMult)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        assert not (isinstance(node, ast.Name) and node.id in ("float", "eval", "exec", "math", "__import__"))
    imported = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
    assert all(name.split(".")[0] in sys.stdlib_module_names for name in imported)
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in nodes)


@pytest.mark.parametrize("module", [check, check_angles])
def test_no_function_calls_itself(module):
    """Not even by way of others: the functions that call each other, by name, form no circle."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    names = {
        name: {
            called
            for node in ast.walk(function)
            if isinstance(node, ast.Name | ast.Attribute)
            for called in [node.id if isinstance(node, ast.Name) else node.attr]
            if called in functions and called != "prices"  # a variable too
        }
        for name, function in functions.items()
    }
    if "prices" in names:
        names["prices"] -= {"line", "tree"}
    while names:
        leaves = {name for name, called in names.items() if not called & set(names)}
        assert leaves, names
        names = {name: called for name, called in names.items() if name not in leaves}


def test_deep_branches_do_not_recurse():
    _, _, _, small, cost, parts = instance(6)
    proof = proofs.tree(small, np.random.default_rng(0))
    for _ in range(3000):
        proof = proof_lines.branch_proof(0, 0, proof, proof_lines.trivial_proof())
    assert check.verdict(text_of(small, parts, proof).encode())[0] == check.PROVED


@pytest.mark.parametrize("status", ["bounded", "optimal"])
def test_the_steps_of_a_search_are_in_proportion_to_the_rows(status):
    """Sets of rows were counted as n / 64 steps for each row of a box: 3,500 a row here, and 100,000 rows were too many to be checked."""
    square = np.stack(np.meshgrid(np.arange(100.0), np.arange(100.0)), axis=-1).reshape(-1, 2)
    problem = ExactProblem(np.concatenate([square, square + [1000, 0]]))
    labels, price = np.repeat([0, 1], len(square)).tolist(), 30_000
    cost = problem.cost(np.array(labels))
    lines = proof_lines.prices_proof([price] * 2 * len(square), len(square) * price - int(cost / 2), 0)
    reader = check.Reader(proof_lines.proof_text(problem, 2, labels, status, lines, cost).encode())
    before = reader.left
    bound, unique = check.prove(check.read_problem(reader), reader)
    assert bound == cost and unique == (status == "optimal")
    assert before - reader.left < 800 * 2 * len(square)
