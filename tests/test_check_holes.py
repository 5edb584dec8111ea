"""Every line of defence in the checker: what is taken away from it is noticed by one of the files in forged.py.

`python tests/test_check_holes.py` lists the holes that would not be noticed.
"""

import ast
import types
from pathlib import Path

import forged
import pytest

from ckmeans import check

SOURCE = Path(check.__file__).read_text(encoding="utf-8")
FILES = list(forged.files())


def module_of(source):
    module = types.ModuleType("holed")
    exec(compile(source, "holed", "exec"), vars(module))
    return module


def without(node, part):
    """The text of a condition without one of its parts, or with one of two bounds."""
    kept = [value for value in node.values if value is not part]
    return ast.unparse(ast.BoolOp(node.op, kept) if len(kept) > 1 else kept[0])


def weaker(condition):
    """Conditions of which fewer things are bad."""
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


def refusals():
    """The source with each `refuse_if` and `bad_if` in turn made weaker, and what was done."""
    rows = SOURCE.splitlines(keepends=True)
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    for node in ast.walk(ast.parse(SOURCE)):
        name = isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("refuse_if", "bad_if") and not getattr(node.args[0], "id", "") == "condition":
            bad = node.args[0]
            begin, end = (
                starts[line - 1] + column
                for line, column in ((bad.lineno, bad.col_offset), (bad.end_lineno, bad.end_col_offset))
            )
            for text in weaker(bad):
                yield (
                    f"line {bad.lineno}: {SOURCE[begin:end]} -> {text}",
                    SOURCE[:begin] + text + SOURCE[end:],
                )


def patches():
    for old, new in forged.HOLES:
        assert SOURCE.count(old) == 1, (SOURCE.count(old), old)
        yield f"{old} -> {new}", SOURCE.replace(old, new)


def noticed(source):
    """The first file on which this checker says another thing, or fails."""
    module = module_of(source)
    module.LIMIT, module.STEPS_A_BYTE, module.ROOM, module.ROOM_A_BYTE = forged.LIMITS
    for name, code, content, data, weights in FILES:
        try:
            said = module.verdict(content, data, weights)
        except Exception:
            return name
        if said[0] != code or said != SAID[name]:
            return name
    return None if forged.direct(module) == forged.DIRECT else "closure"


def verdicts():
    module = module_of(SOURCE)
    module.LIMIT, module.STEPS_A_BYTE, module.ROOM, module.ROOM_A_BYTE = forged.LIMITS
    return {name: module.verdict(content, data, weights) for name, _, content, data, weights in FILES}


SAID = verdicts()


@pytest.mark.parametrize("name, code", [(name, code) for name, code, *_ in FILES])
def test_files(name, code):
    assert SAID[name][0] == code, SAID[name]


def test_closure():
    assert forged.direct(check) == forged.DIRECT


@pytest.mark.parametrize("hole", [*refusals(), *patches()], ids=lambda hole: hole[0][:60])
def test_a_hole_is_noticed(hole):
    assert noticed(hole[1]), hole[0]


if __name__ == "__main__":
    for name, code, *_ in FILES:
        if SAID[name][0] != code:
            print("WRONG CODE", name, code, SAID[name])
    for what, source in [*refusals(), *patches()]:
        if not noticed(source):
            print(what)
