"""The rules of the house that a machine can keep: who imports whom, and how long a file may get."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ckmeans

PACKAGE = Path(ckmeans.__file__).parent
SOLVERS = {
    "bounds",
    "partition",
    "rows",
    "lloyd",
    "seeding",
    "oversampling",
    "exchange",
    "swap",
    "small",
    "races",
    "many",
    "restarts",
    "verdict",
    "hybrid",
    "posteriors",
    "mixture",
    "partitions",
    "exhaustive",
    "branch",
    "sweep",
    "paths",
    "steps",
    "line",
    "univariate",
    "prices",
    "bundle",
    "nodes",
    "columns",
    "groups",
    "principal",
    "semidefinite",
    "minima",
    "landscapes",
}
INSIDE = {
    "__init__": set(),
    "__main__": {"cli"},
    "reference": set(),
    "solution": set(),
    "exact": set(),
    "check": set(),
    "certificate": {"exact"},
    "workers": set(),
    "checks": set(),
    "streaming": {"checks", "workers"},
    "configuration": {"_kernels", "workers"},
    "bounds": {"_kernels", "streaming"},
    "partition": {"_kernels", "bounds"},
    "rows": {"_kernels", "bounds", "partition", "streaming", "workers"},
    "lloyd": {"_kernels", "partition", "rows"},
    "seeding": {"_kernels"},
    "oversampling": {"_kernels", "lloyd", "rows", "seeding"},
    "exchange": {"_kernels", "lloyd"},
    "swap": {"_kernels", "seeding"},
    "rules": set(),
    "races": set(),
    "chance": set(),
    "small": {"_kernels", "rules", "seeding", "workers"},
    "restarts": {
        "small",
        "checks",
        "chance",
        "rules",
        "races",
        "rows",
        "lloyd",
        "seeding",
        "oversampling",
        "exchange",
        "swap",
        "solution",
        "verdict",
        "workers",
    },
    "verdict": {"rows", "workers"},
    "hybrid": {
        "_kernels",
        "chance",
        "exchange",
        "lloyd",
        "races",
        "restarts",
        "rows",
        "rules",
        "seeding",
        "small",
        "workers",
    },
    "posteriors": {"_kernels", "workers"},
    "mixture": {"posteriors", "workers"},
    "partitions": {"_kernels", "workers", "exact"},
    "exhaustive": {"partitions", "solution", "workers", "exact", "checks"},
    "branch": {"_kernels", "workers"},
    "sweep": {"_kernels", "exact", "workers"},
    "paths": {"_kernels"},
    "steps": set(),
    "line": {"_kernels", "paths", "steps"},
    "univariate": {"checks", "exact", "line"},
    "prices": {"_kernels"},
    "bundle": set(),
    "covers": set(),
    "nodes": set(),
    "columns": {"nodes", "prices", "bundle", "covers", "exact", "restarts", "solution", "workers"},
    "groups": set(),
    "principal": {"check"},
    "semidefinite": {"_kernels"},
    "rungs": {
        "branch",
        "certificate",
        "exact",
        "groups",
        "hybrid",
        "principal",
        "restarts",
        "semidefinite",
        "sweep",
        "univariate",
    },
    "checkpoint": set(),
    "ladder": {
        "certificate",
        "check",
        "checkpoint",
        "checks",
        "columns",
        "exact",
        "rows",
        "rungs",
        "univariate",
        "workers",
    },
    "exact_estimator": {"certificate", "checks", "estimators", "ladder", "rows", "workers"},
    "minima": {"_kernels", "exchange", "lloyd", "partitions", "restarts", "rows", "small", "workers"},
    "landscapes": {"certificate", "chance", "checks", "minima", "restarts", "rules", "workers"},
    "many": {"_kernels", "chance", "checks", "restarts", "small", "workers"},
    "estimators": {"small", "checks", "hybrid", "rows", "restarts", "streaming", "workers"},
    "mixture_estimator": {"checks", "estimators", "restarts", "mixture", "posteriors"},
    "plots": set(),
    "plots_plane": {"checks", "plots"},
    "plots_choice": {"checks", "plots"},
    "plots_search": {"plots"},
    "plots_gap": {"plots"},
    "choice": {"certificate"},
    "choosing": {"checks", "choice", "estimators", "ladder", "mixture_estimator", "workers"},
    "choose_command": {"choose_k", "job", "options", "terminal"},
    "landscape_command": {"LandscapeDisplay", "certify", "job", "landscape", "options", "terminal"},
    "options": {"terminal"},
    "cli": {
        "BreaksDisplay",
        "ExactKMeans",
        "GapRecorder",
        "KMeans",
        "SphericalMixture",
        "certify",
        "choose_command",
        "exhaustive",
        "job",
        "landscape_command",
        "options",
        "natural_breaks",
        "terminal",
    },
    "job": {"__version__", "page", "report", "tables", "terminal"},
    "page": {"page_pictures", "report"},
    "page_pictures": {"plots", "plots_choice", "plots_gap", "plots_plane"},
    "report": set(),
    "terminal": set(),
    "tables": {"delimited"},
    "delimited": set(),
}
STANDARD = set(sys.stdlib_module_names)
OUTSIDE = {
    "reference": STANDARD,
    "solution": STANDARD | {"numpy"},
    "exact": STANDARD | {"numpy"},
    "check": STANDARD,
    "certificate": STANDARD | {"numpy"},
    "workers": STANDARD,
    "checks": STANDARD | {"numpy"},
    "rules": STANDARD,
    "chance": STANDARD | {"numpy"},
    "streaming": STANDARD | {"numpy"},
    "covers": STANDARD | {"numpy"},
    "rungs": STANDARD | {"numpy"},
    "ladder": STANDARD | {"numpy"},
    **{name: STANDARD | {"numpy", "scipy"} for name in SOLVERS},
    "estimators": STANDARD | {"numpy", "scipy", "sklearn"},
    "exact_estimator": STANDARD | {"numpy", "scipy", "sklearn"},
    "choice": STANDARD | {"numpy"},
    "choosing": STANDARD | {"numpy", "sklearn"},
    "mixture_estimator": STANDARD | {"numpy", "scipy", "sklearn"},
    **{
        name: STANDARD | {"numpy", "matplotlib"}
        for name in ("plots", "plots_plane", "plots_search", "plots_gap")
    },
    "plots_choice": STANDARD | {"numpy", "matplotlib", "sklearn"},
}


def imports(path):
    inside, outside = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            inside |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            outside |= {alias.name.split(".")[0] for alias in node.names}
    return inside, outside


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_rooms(path):
    inside, outside = imports(path)
    assert inside <= INSIDE[path.stem]
    assert outside <= OUTSIDE.get(path.stem, outside)
    assert "ckmeans" not in outside


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_files_stay_short(path):
    longest = 900 if path.stem == "check" else 500  # one file, to be read by itself
    assert len(path.read_text(encoding="utf-8").splitlines()) <= longest


def test_public_names_are_no_modules():
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    assert not modules & set(ckmeans.__all__)
    for name in ckmeans.__all__:
        assert getattr(ckmeans, name) is not None


def test_import_loads_nothing_heavy():
    code = "import sys, ckmeans; print([m for m in ('numpy', 'scipy', 'sklearn', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
