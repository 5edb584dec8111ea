"""Mutants of the checker: one comparison, number, sign or condition of it is changed at a time, and its tests are to notice.

    python -m benchmarks.trust.mutants [check|check_angles|check_summary] [--n N] [--seed N]

Prints the mutants that no test noticed. Each is tried in a fork, which may take SECONDS of the processor: a mutant that goes on for ever is noticed.
"""

import argparse
import ast
import os
import random
import resource
import sys
import types
from pathlib import Path

import ckmeans

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20
FILES = ("check", "check_angles", "check_summary")
FLIPPED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
FLIPPED |= {ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
FLIPPED |= {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Mult: ast.Add,
}
FLIPPED |= {ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}
# Parts of the checker that a mutant may change and be right all the same, and why.
HARMLESS = {
    "spend": "counts steps: another count is another limit on what files may take, none on what is true",
    "room": "counts memory, likewise",
    "bits": "what these count by",
    "words": "likewise",
}


def changes(node):
    """Functions that change a node, a way each."""
    if isinstance(node, ast.Compare):
        for at, new in enumerate(FLIPPED.get(type(op)) for op in node.ops):
            if new:
                yield lambda own, at=at, new=new: own.ops.__setitem__(at, new())
    elif isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in FLIPPED:
        new = FLIPPED[type(node.op)]
        yield lambda own: setattr(own, "op", new())
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        for more in (1, -1):
            yield lambda own, more=more: setattr(own, "value", own.value + more)
    if isinstance(node, ast.BoolOp):
        for at in range(len(node.values)):
            yield lambda own, at=at: own.values.__delitem__(at)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield lambda own: setattr(own, "test", ast.UnaryOp(ast.Not(), own.test))


def places(source):
    """All mutants of a source: the number of a node, and that of a way to change it."""
    tree = ast.parse(source)
    inside = set()
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in HARMLESS
        counts = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in HARMLESS
        if called or counts or isinstance(node, ast.FunctionDef) and node.name in HARMLESS:
            inside |= {id(own) for own in ast.walk(node)}
    for at, node in enumerate(ast.walk(tree)):
        if id(node) not in inside:
            yield from ((at, way) for way, _ in enumerate(changes(node)))


def mutant(source, at, way):
    """Where a mutant differs, and its text."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[at]
    before = ast.unparse(node)
    list(changes(node))[way](node)
    if isinstance(node, ast.BoolOp) and len(node.values) == 1:
        node.values *= 2
    return f"{node.lineno}: {before[:70]} -> {ast.unparse(node)[:70]}", ast.unparse(tree)


def noticed(name, source):
    """Whether a test notices, in this process, which is of no use afterwards."""
    import test_check_holes as holes

    if name == "check":
        return holes.noticed(source) is not None
    if name == "check_angles":
        return holes.noticed(holes.SOURCE, source) is not None
    import pytest

    from ckmeans import check_summary

    own = types.ModuleType("ckmeans.check_summary")
    own.__package__ = "ckmeans"
    exec(compile(source, "mutant", "exec"), vars(own))
    vars(check_summary).update({key: value for key, value in vars(own).items() if key[:2] != "__"})
    return (
        pytest.main(
            ["-x", "-q", "-p", "no:cacheprovider", str(ROOT / "tests/proofs/test_summary_certificate.py")]
        )
        != 0
    )


def survives(name, source):
    """Whether no test notices, in a fork."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            code = 1 if noticed(name, source) else 7
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def tried(name, n, seed):
    """Of n mutants of a file, those that survive."""
    sys.path.append(str(ROOT / "tests"))
    import test_check_holes  # noqa: F401 once, before all forks

    source = Path(ckmeans.__path__[0], f"{name}.py").read_text(encoding="utf-8")
    known = list(places(source))
    for place in random.Random(seed).sample(known, min(n, len(known))):
        where, text = mutant(source, *place)
        yield where, survives(name, text)


def main(args=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=FILES)
    parser.add_argument("--n", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(args)
    for name in [options.name] if options.name else FILES:
        n = alive = 0
        for where, lives in tried(name, options.n, options.seed):
            n, alive = n + 1, alive + lives
            if lives:
                print(f"{name}.py:{where}", flush=True)
        print(f"{name}.py: {n - alive} of {n} mutants were noticed", flush=True)


if __name__ == "__main__":
    main()
