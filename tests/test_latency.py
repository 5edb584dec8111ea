"""Answers to Ctrl-C and to time limits, and the table of them: `python -m benchmarks.latency`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from children import interrupted, interrupted_in_an_import, needs_signals

from ckmeans import certify, check, natural_breaks, reference
from ckmeans.exact import univariate
from ckmeans.exact.anticlusters import anticlusters
from ckmeans.exact.prices import PricingProblem
from ckmeans.exact.principal import principal_bound
from ckmeans.exact.semidefinite import spectral_bound
from ckmeans.proofs import methods
from ckmeans.proofs.portfolio import prove
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.proof_lines import proof_text, semidefinite_proof

ROOT = Path(__file__).resolve().parents[1]


@needs_signals
@pytest.mark.parametrize(
    "module", ["ckmeans.command.cli", "ckmeans.proofs.portfolio", "numpy", "ckmeans._kernels.lloyd"]
)
def test_an_interrupt_that_falls_into_an_import_is_not_dropped(module, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("label\n" + "0\n1\n2\n" * 50)
    ended = interrupted_in_an_import(
        ["certify", "iris", str(labels), "--out", str(tmp_path / "out.csv")], module
    )
    assert ended.returncode == 130
    assert ended.stdout == "found\n" and not (tmp_path / "out.csv").exists()
    assert ended.stderr.splitlines()[-1] == "interrupted before there was a clustering: nothing was written"
    assert "Traceback" not in ended.stderr


SORTING = """
from ckmeans import natural_breaks; from ckmeans.exact import univariate
univariate.SHORT, univariate.SLICE = 0, 1000
calls, sort_pass = [], univariate.kernels.sort_pass
class Kernels:
    def __getattr__(self, name):
        return getattr(kernels, name)
    def sort_pass(self, *args):
        sort_pass(*args)
        calls.append(args)
        here()
kernels, univariate.kernels = univariate.kernels, Kernels()
try:
    natural_breaks(np.random.default_rng(0).random(20_000), 3)
except KeyboardInterrupt:
    tell(calls=len(calls))
"""


@needs_signals
def test_sorting_is_interrupted_after_a_slice():
    assert interrupted(SORTING)["calls"] <= 2


@pytest.mark.parametrize("weighted", [False, True])
def test_sorting_in_slices(weighted, monkeypatch):
    rng = np.random.default_rng(0)
    special = [0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, 1.0, 1.0, 2.0**-1022]
    values = np.concatenate([rng.normal(size=3000), rng.integers(-3, 3, 500).astype(float), special])
    weights = rng.integers(1, 5, len(values)) / 8 if weighted else None
    rows, own = univariate._dealt(values, weights)
    assert (rows == np.sort(values)).all()
    if weighted:
        assert sorted(zip(rows + 0.0, own)) == sorted(zip(values + 0.0, weights))
    values = np.abs(values[:3500]) + 1
    expected = natural_breaks(values, 4, sample_weight=weights if weights is None else weights[:3500])
    monkeypatch.setattr(univariate, "SHORT", 100)
    monkeypatch.setattr(univariate, "SLICE", 333)
    found = natural_breaks(values, 4, sample_weight=weights if weights is None else weights[:3500])
    assert found.inertia == expected.inertia and (found.labels == expected.labels).all()


@pytest.mark.parametrize("n, d, k", [(6, 9, 3), (12, 20, 1), (8, 30, 7), (15, 40, 2)])
def test_the_matrix_of_the_rows_gives_the_same_bound(n, d, k):
    rng = np.random.default_rng(n)
    problem = ExactProblem(rng.normal(size=(n, d)), rng.random(n) + 0.1)
    found = spectral_bound(problem.rows, problem.weights, k)
    assert float(found.bound) == pytest.approx(float(principal_bound(problem.rows, problem.weights, k).bound))
    labels = (np.arange(n) % k).tolist()
    text = proof_text(
        problem, k, labels, "bounded", semidefinite_proof(*found[1:-2]), found.bound / problem.unit
    )
    assert check.verdict(text.encode())[0] == check.PROVED


def test_more_features_than_rows_make_no_matrix_of_features(monkeypatch):
    def never(*_):
        raise AssertionError("a matrix of features by features")

    monkeypatch.setattr(methods, "principal_bound", never)
    X = np.random.default_rng(0).normal(size=(14, 3000))
    found = prove(X, 3, rng=0, methods=["search", "pca"])
    assert found.method == "pca" and found.checked and 0 < found.lower_bound <= found.inertia


def test_without_time_the_labels_still_get_their_exact_cost():
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(300, 5)) * 2.0 ** rng.integers(-300, 300, 5), rng.integers(0, 4, 300)
    found = certify(X, labels, time_limit=0)
    assert found.exact_inertia == reference.cost(X.tolist(), labels.tolist(), None)
    assert found.lower_bound == 0 and found.stop_reason == "time_limit" and not found.checked
    assert set(found.seconds) <= {"trivial", "line"}


@pytest.mark.parametrize("n, d", [(10, 70), (12, 300), (80, 70)])
def test_rows_of_many_features_are_turned_without_changing_their_distances(n, d):
    X = np.random.default_rng(n).normal(size=(n, d))
    pricing = PricingProblem(X, np.ones(n))
    assert pricing.rows.shape[1] < n or n > d
    for i in range(n):
        apart = np.sqrt(((X - X[i]) ** 2).sum(axis=1))
        found = np.sqrt(((pricing.rows - pricing.rows[i]) ** 2).sum(axis=1)) * 2.0**pricing.exponent
        assert (
            np.abs(apart - found).max()
            <= 2 * pricing.projection_error * 2.0**pricing.exponent + 1e-13 * apart.max()
        )
    assert pricing.projection_error < 1e-9


def test_groups_without_time_are_as_they_were_dealt():
    X = np.random.default_rng(0).normal(size=(200, 3))
    labels, n_groups = np.zeros(200, int), 5
    quick, whole = (anticlusters(X, labels, n_groups, seconds) for seconds in (0.0, None))
    assert sorted(np.concatenate(quick)) == sorted(np.concatenate(whole)) == list(range(200))
    apart = [
        sum(((X[own].mean(axis=0) - X.mean(axis=0)) ** 2).sum() for own in groups)
        for groups in (quick, whole)
    ]
    assert apart[1] < apart[0]


# ---- The table


if (ROOT / "benchmarks" / "peers").is_dir():
    sys.path.append(str(ROOT))
    from benchmarks import latency

shipped = pytest.mark.skipif(
    not (ROOT / "benchmarks" / "peers").is_dir(),
    reason="the benchmarks are not part of a source distribution",
)
WAIT = "__import__('threading').Event().wait"
STUBBORN = f'exec("try:\\n    {WAIT}(2)\\nexcept KeyboardInterrupt:\\n    {WAIT}(0.6)")'


@pytest.fixture
def bare(monkeypatch):
    """Children without ckmeans, whose import takes longer than all that they do."""
    monkeypatch.setattr(latency, "START", latency.START.replace("from ckmeans import *\n", ""))


@shipped
@needs_signals
def test_the_table_finds_what_is_late(bare, capsys):
    late = latency.row(
        "interrupts", "stubborn", latency.interrupts((12, "", STUBBORN), 1, 1.0), latency.INTERRUPT
    )
    assert not late["ok"] and late["found"][0] >= 0.6 and "1 late" in capsys.readouterr().out
    over = latency.row(
        "limits", "over", latency.limits((12, "", WAIT + "({limit} + 0.5)"), 0.1, 1, 1.0), latency.LIMIT
    )
    assert not over["ok"] and over["found"][0] >= 0.5
    broken = latency.row(
        "limits", "broken", latency.limits((12, "", "os.abort()"), 0.1, 1, 1.0), latency.LIMIT
    )
    assert broken["found"] == ["ended by SIGABRT"] and not broken["ok"]


@shipped
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the address space is limited on Linux only"
)
def test_the_table_tells_of_missing_memory(bare):
    assert list(latency.memory((12, "", "np.ones(10**8)"), [100, 2000], 1.0)) == ["MemoryError", "returned"]


@shipped
def test_the_command(tmp_path):
    words = "-m benchmarks.latency --quick --tries 1 --part limits --only exhaustive --json".split()
    ended = subprocess.run(
        [sys.executable, *words, str(tmp_path / "found.json")], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode in (0, 1) and ended.stdout.count("exhaustive_search") == 3, ended.stderr
    assert len(json.loads((tmp_path / "found.json").read_text())) == 3
