"""Mutants of the checker: one comparison, number, sign or condition of it is changed at a time, and its tests are to notice.

    python -m benchmarks.trust.mutants [check|check_angles|check_summary] [--n N] [--seed N] [--since COMMIT]

Prints the mutants that no test noticed, but for those that harmless.py explains; --since tries only those of lines that are newer. Each is tried in a fork, which may take SECONDS of the processor: a mutant that goes on for ever is noticed.
"""

import argparse
import ast
import os
import random
import re
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import ckmeans

from .harmless import COUNTED_FROM, COUNTS, EXPLAINED

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


# What is shown with what it is a part of.
PIECES = ast.Constant | ast.UnaryOp | ast.Subscript | ast.Tuple | ast.Slice


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


def owners(tree):
    """For each node the function that it is in, with its class; and the node that it is a part of."""
    known, pending = {}, [(tree, "", None)]
    while pending:
        node, name, above = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}".lstrip(".")
        known[id(node)] = name, above
        pending += [(own, name, node) for own in ast.iter_child_nodes(node)]
    return known


def counting(node, name):
    """The parts of a node, in a function of this name, that count what a file takes."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in COUNTS:
            yield from (*node.args[COUNTED_FROM.get(called, 0) :], *node.keywords)
    elif isinstance(node, ast.FunctionDef) and node.name in COUNTS:
        yield node
    elif isinstance(node, ast.Assign | ast.AugAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        pairs = [(target, node.value if isinstance(node, ast.Assign) else node)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts)
        for own, value in pairs:
            word = getattr(own, "attr", getattr(own, "id", ""))
            if {word, f"{name}: {word}"} & COUNTS:
                yield value


def places(source):
    """All mutants of a source: the number of a node, and that of a way to change it."""
    tree = ast.parse(source)
    known, inside = owners(tree), set()
    for node in ast.walk(tree):
        for part in counting(node, known[id(node)][0]):
            inside |= {id(own) for own in ast.walk(part)}
        if isinstance(node, ast.JoinedStr):  # how much of a word is in a message
            inside |= {
                id(own) for part in ast.walk(node) if isinstance(part, ast.Slice) for own in ast.walk(part)
            }
    for at, node in enumerate(ast.walk(tree)):
        if id(node) not in inside:
            yield from ((at, way) for way, _ in enumerate(changes(node)))


def mutant(source, at, way):
    """The function, the line, what a mutant has changed there, and its tree."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[at]
    known = owners(tree)
    name, shown = known[id(node)][0], node
    while isinstance(shown, PIECES):
        shown = known[id(shown)][1]
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        shown = node.test
    before = ast.unparse(shown)
    list(changes(node))[way](node)
    if isinstance(node, ast.BoolOp) and len(node.values) == 1:
        node.values *= 2
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        shown = node.test
    return name, node.lineno, before, ast.unparse(shown), ast.fix_missing_locations(tree)


def explained(name, before, after):
    """Why this is right all the same, if it is known to be."""
    for (function, old, new), reason in EXPLAINED.items():
        if function == name and old in before and new in after:
            return reason
    return None


# What else is to notice a mutant, beside the files of forged.py: tests that take some seconds.
TESTS = {
    "check": (
        "tests/test_check.py",
        "tests/test_check_files.py",
        "-k",
        "side_by_side or boxes or within_the_slack or decimals or million or called_help or limits or weights_are_told",
    ),
    "check_summary": ("tests/proofs/test_summary_certificate.py",),
}


def passes(name, source):
    """Whether the tests of a module pass with this in its place."""
    import pytest

    module = import_module(f"ckmeans.{name}")
    exec(compile(source, "mutant", "exec"), vars(module))
    words = [str(ROOT / word) if word.startswith("tests/") else word for word in TESTS[name]]
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", *words]) == 0


def noticed(name, source):
    """Whether a test notices, in this process, which is of no use afterwards."""
    import test_check_holes as holes

    if name == "check":
        return holes.noticed(source) is not None or not passes(name, source)
    if name == "check_angles":
        return holes.noticed(holes.SOURCE, source) is not None
    return not passes(name, source)


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


def changed_since(path, commit):
    """The numbers of the lines of a file that are not in a commit."""
    call = ["git", "diff", "-U0", commit, "--", path]
    told = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hunks = re.findall(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", told, re.MULTILINE)
    return {line for first, n in hunks for line in range(int(first), int(first) + int(n or 1))}


def tried(name, n, seed, since=None):
    """Of n mutants of a file: what each has changed, why it is harmless if that is known, and else whether it survives."""
    sys.path.append(str(ROOT / "tests"))
    import test_check_holes  # noqa: F401 once, before all forks

    path = Path(ckmeans.__path__[0], f"{name}.py")
    source = path.read_text(encoding="utf-8")
    known = list(places(source))
    if since:
        lines, nodes = changed_since(path, since), list(ast.walk(ast.parse(source)))
        known = [place for place in known if nodes[place[0]].lineno in lines]
    for place in random.Random(seed).sample(known, min(n, len(known))):
        function, line, before, after, tree = mutant(source, *place)
        reason = explained(function, before, after)
        yield f"{line}, {function}: {before} -> {after}", reason, not reason and survives(name, tree)


def main(args=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", choices=FILES)
    parser.add_argument("--n", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--since", help="a commit: only lines that are not in it")
    parser.add_argument(
        "--explained", action="store_true", help="tell of those that are not tried, too, and why"
    )
    options = parser.parse_args(args)
    for name in [options.name] if options.name else FILES:
        n = alive = right = 0
        for where, reason, lives in tried(name, options.n, options.seed, options.since):
            n, alive, right = n + 1, alive + lives, right + bool(reason)
            if lives or reason and options.explained:
                print(f"{name}.py:{where}{f'  # {reason}' if reason else ''}", flush=True)
        print(
            f"{name}.py: {n - alive - right} of {n - right} mutants were noticed; {right} more are harmless",
            flush=True,
        )


if __name__ == "__main__":
    main()
