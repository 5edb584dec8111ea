"""The table of what can be relied on: `python -m benchmarks.trust`. Each row that needs no clock is run, and finds what is wrong."""

import ast
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "benchmarks" / "trust").is_dir():
    pytest.skip("the benchmarks are not part of a source distribution", allow_module_level=True)
sys.path.append(str(ROOT))

from sklearn import cluster  # noqa: E402

import ckmeans  # noqa: E402
from benchmarks.trust import __main__ as command  # noqa: E402
from benchmarks.trust import allocations, compiled_mutants, harmless, mutants, numbers, proofs  # noqa: E402
from benchmarks.trust.rows import ROWS, Tally  # noqa: E402

# Rows whose children wait for clocks and signals, or take more than some seconds however few their cases.
LONG = {"interrupts", "time_limits", "memory", "threads", "at_once", "killed", "full_disk", "another_mode"}
LONG |= {"allocations", "planted_faults", "beyond_32_bits", "rows_in_blocks"}
CASES = {
    "hostile_files": 28,
    "bounds_of_summaries": 3,
    "rows_seen_once": 3,
    "grids": 40,
    "never_rises": 10,
    "optima": 10,
    "changed_proofs": 30,
    "scales": 3,
    "offsets": 2,
}


@pytest.mark.parametrize("name", sorted(set(ROWS) - LONG))
def test_nothing_goes_wrong(name):
    found = command.tried(name, CASES.get(name, 1), 1)
    assert found["tried"] > 0 and found["ours"] == 0, found["told"]


def test_wrong_labels_are_counted(monkeypatch):
    monkeypatch.setattr(numbers, "KMeans", cluster.KMeans)
    for name in ("offsets", "two_far_groups"):
        found = command.tried(name, 2, 0)
        assert found["ours"] == found["theirs"] > 0 and found["told"]


def test_bounds_above_the_optimum_are_counted():
    X = np.arange(12.0).reshape(6, 2) ** 2
    found = proofs.prove(X, 2, rng=np.random.default_rng(0))
    content = found.text().encode()
    assert proofs.true_bound(content, found.exact_inertia)
    assert not proofs.true_bound(content, found.exact_inertia * 9 / 10)


def test_what_is_explained_of_the_checker_is_there():
    texts = [
        ast.unparse(ast.parse(Path(ckmeans.__path__[0], f"{name}.py").read_text(encoding="utf-8")))
        for name in mutants.FILES
    ]
    for _, old, _ in harmless.EXPLAINED:
        assert any(old in text for text in texts), old


def test_what_is_explained_of_the_compiled_code_is_there():
    for name, old, _ in harmless.COMPILED:
        assert old in (compiled_mutants.ROOT / "src" / name).read_text(encoding="utf-8"), old


def test_mutants_of_the_compiled_code():
    names = {
        name for module in compiled_mutants.MODULES for name in compiled_mutants.included(f"{module}.pyx")
    }
    assert {"panels.pyx", "search.pxd", "workspace.pxi", "simd/tile.h", "simd/instruction_sets.h"} <= names
    found = [*compiled_mutants.mutants(compiled_mutants.MODULES, 200, 0)]
    assert found == [*compiled_mutants.mutants(compiled_mutants.MODULES, 200, 0)]
    for module, name, at, old, new in found:
        _, before, after = compiled_mutants.shown(name, at, old, new)
        assert name in compiled_mutants.included(f"{module}.pyx") and before != after
        assert not before.startswith(("#", "/*", "* "))


def test_a_proof_of_less_is_a_result():
    X = np.arange(8.0)[:, None] ** 2
    text = ckmeans.certify(X, n_clusters=2, random_state=0).text()
    assert allocations.as_good(text, "another") and not allocations.as_good(
        text.replace("X ", "X 1"), "another"
    )
    assert allocations.as_good([1], "[1]") and not allocations.as_good([2], "[1]")


def test_a_crash_is_counted(monkeypatch, capsys):
    monkeypatch.setitem(ROWS, "no_such_row", ROWS["offsets"].__class__("no_such_row", "", "", None, 1, 1))
    assert command.in_a_child(ROWS["no_such_row"], 1, 0)["ours"] == 1
    tally = Tally()
    tally.add(True, False, "so it was")
    assert "so it was" in command.line(ROWS["offsets"], vars(tally))


def test_the_command(capsys, tmp_path):
    path = tmp_path / "found.json"
    assert command.main(["--quick", "--only", "two_far_groups", "--json", str(path)]) == 0
    found = json.loads(path.read_text())["two_far_groups"]
    assert found["ours"] == 0 and found["theirs"] > 0
    assert "two far groups" in capsys.readouterr().out
