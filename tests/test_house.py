"""The rules of the house that a machine can keep: who imports whom, and how long a file may get."""

import ast
import re
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
    "spectrum",
    "semidefinite",
    "minima",
    "intervals",
    "landscapes",
}
INSIDE = {
    "__init__": set(),
    "__main__": {"cli"},
    "reference": set(),
    "solution": {"exact"},
    "words": set(),
    "exact": set(),
    "scaling": set(),
    "check": set(),
    "certificate": {"check", "exact", "words"},
    "workers": {"interrupts"},
    "interrupts": set(),
    "frames": set(),
    "checks": {"frames"},
    "streaming": {"checks", "workers"},
    "configuration": {"_kernels", "workers"},
    "bounds": {"_kernels", "streaming"},
    "partition": {"_kernels", "bounds"},
    "rows": {"_kernels", "bounds", "exact", "partition", "scaling", "streaming", "workers"},
    "lloyd": {"_kernels", "partition", "rows"},
    "seeding": {"_kernels"},
    "oversampling": {"_kernels", "lloyd", "rows", "seeding"},
    "exchange": {"_kernels", "lloyd"},
    "swap": {"_kernels", "seeding"},
    "rules": set(),
    "races": set(),
    "chance": set(),
    "small": {"_kernels", "exact", "rules", "seeding", "workers"},
    "restarts": {
        "small",
        "exact",
        "checks",
        "chance",
        "rules",
        "races",
        "rows",
        "lloyd",
        "seeding",
        "oversampling",
        "exchange",
        "interrupts",
        "partition",
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
        "interrupts",
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
    "mixture": {"interrupts", "posteriors", "scaling", "workers"},
    "partitions": {"_kernels", "workers", "exact"},
    "exhaustive": {"partitions", "solution", "workers", "exact", "checks"},
    "branch": {"_kernels", "workers"},
    "sweep": {"_kernels", "exact", "workers"},
    "paths": {"_kernels"},
    "steps": set(),
    "line": {"_kernels", "paths", "steps"},
    "univariate": {"_kernels", "checks", "exact", "line", "paths"},
    "prices": {"_kernels", "exact", "spectrum"},
    "bundle": set(),
    "covers": set(),
    "nodes": set(),
    "columns": {"nodes", "prices", "bundle", "covers", "exact", "restarts", "solution", "workers"},
    "groups": set(),
    "spectrum": {"_kernels"},
    "principal": {"check", "spectrum"},
    "semidefinite": {"_kernels", "spectrum"},
    "rungs": {
        "branch",
        "certificate",
        "check",
        "exact",
        "groups",
        "hybrid",
        "principal",
        "restarts",
        "semidefinite",
        "spectrum",
        "sweep",
        "univariate",
    },
    "checkpoint": set(),
    "asking": {"certificate", "check", "workers"},
    "resumed": {"nodes", "rungs"},
    "ladder": {
        "asking",
        "certificate",
        "check",
        "checkpoint",
        "checks",
        "columns",
        "exact",
        "resumed",
        "rows",
        "rungs",
        "univariate",
        "workers",
    },
    "exact_estimator": {
        "certificate",
        "checks",
        "estimators",
        "interrupts",
        "ladder",
        "rows",
        "words",
        "workers",
    },
    "minima": {"_kernels", "exchange", "lloyd", "partitions", "restarts", "rows", "small", "workers"},
    "intervals": set(),
    "landscape_words": {"rules", "words"},
    "landscapes": {
        "certificate",
        "chance",
        "checks",
        "intervals",
        "landscape_words",
        "minima",
        "restarts",
        "rules",
        "workers",
    },
    "many": {"frames", "_kernels", "chance", "checks", "restarts", "small", "workers"},
    "estimators": {
        "frames",
        "checks",
        "hybrid",
        "interrupts",
        "restarts",
        "rows",
        "small",
        "streaming",
        "workers",
    },
    "mixture_estimator": {"checks", "estimators", "interrupts", "mixture", "posteriors", "restarts"},
    "plots": {"words"},
    "plots_plane": {"frames", "checks", "plots"},
    "plots_choice": {"checks", "plots", "words"},
    "plots_search": {"intervals", "landscape_words", "plots", "words"},
    "plots_gap": {"plots", "words"},
    "choice": {"certificate", "words"},
    "choosing": {"checks", "choice", "estimators", "ladder", "mixture_estimator", "scaling", "workers"},
    "choose_command": {"choose_k", "job", "options", "terminal"},
    "landscape_command": {"LandscapeDisplay", "certify", "job", "landscape", "options", "terminal"},
    "options": {"terminal"},
    "cli": {
        "BreaksDisplay",
        "ExactKMeans",
        "GapRecorder",
        "exact",
        "words",
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
    "job": {"__version__", "page", "report", "tables", "terminal", "words"},
    "page": {"page_pictures", "report", "words"},
    "page_pictures": {"plots", "plots_choice", "plots_gap", "plots_plane", "words"},
    "report": {"words"},
    "terminal": {"words"},
    "tables": {"cells", "delimited", "numerals", "parquet", "texts"},
    "texts": {"cells", "delimited", "numerals", "records"},
    "parquet": {"cells", "numerals"},
    "cells": {"numerals"},
    "delimited": {"cells", "headers", "numerals", "records"},
    "headers": {"cells", "numerals", "records"},
    "numerals": set(),
    "records": set(),
}
STANDARD = set(sys.stdlib_module_names)
OUTSIDE = {
    "reference": STANDARD,
    "solution": STANDARD | {"numpy"},
    "exact": STANDARD | {"numpy"},
    "words": STANDARD,
    "check": STANDARD,
    "certificate": STANDARD | {"numpy"},
    "interrupts": STANDARD,
    "workers": STANDARD,
    "frames": STANDARD | {"numpy"},
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
    "tables": STANDARD | {"numpy"},
    "texts": STANDARD | {"numpy", "pandas"},
    "parquet": STANDARD | {"numpy", "pyarrow"},
    **{name: STANDARD | {"numpy"} for name in ("cells", "delimited", "headers", "numerals", "records")},
    "choosing": STANDARD | {"numpy", "sklearn"},
    "mixture_estimator": STANDARD | {"numpy", "scipy", "sklearn"},
    **{name: STANDARD | {"numpy", "matplotlib"} for name in ("plots", "plots_search", "plots_gap")},
    "plots_plane": STANDARD | {"numpy", "scipy", "matplotlib"},
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


# What a test must not do, and what there is instead. A machine is as fast as it is: tests are about order, not about time.
FORBIDDEN = {
    r"os\.kill\(|\.send_signal\(|\bpthread_kill\b|\braise_signal\b|\binterrupt_main\b|\bsetitimer\b|\balarm\(": (
        "signals go to a child when it says where it is: children.interrupted, or Clock(interrupt=...) in this process"
    ),
    r"\bTimer\(|\bsleep\(": "wait for an event, a word of a child (children.py) or a look at the clock (clocks.Clock)",
    r"\b(monotonic|perf_counter|time)(_ns)?\(\)": "count looks at the clock (clocks.Clock), blocks (children.py) or steps",
    r"\bactive_count\b": "other tests leave threads: look for those named ckmeans, or count in a child (children.py)",
}
TESTS = Path(__file__).parent
# The helpers, this file, and the test of the table of late answers, whose children are late on purpose.
MAY_KNOW_THE_TIME = {"children", "clocks", "test_house", "test_latency"}


def broken_rules(text):
    """The lines of a test that depend on the time, or send signals to the process that runs the tests."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, instead in FORBIDDEN.items():
            if re.search(pattern, line):
                yield f"{number}: {line.strip()}: {instead}"


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.py")), ids=lambda path: path.stem)
def test_no_test_depends_on_the_time(path):
    if path.stem not in MAY_KNOW_THE_TIME:
        assert not list(broken_rules(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "line",
    [
        "os.kill(os.getpid(), signal.SIGINT)", "signal.raise_signal(2)", "_thread.interrupt_main()", "signal.setitimer(0, 1)",
        "signal.pthread_kill(main, 2)", "signal.alarm(1)", "timer = Timer(0.3, stop)", "time.sleep(0.1)", "child.send_signal(2)",
        "assert monotonic() - begin < 2", "late = time.perf_counter() - sent", "assert time.time() < end",
        "assert threading.active_count() == before",
    ],
)  # fmt: skip
def test_what_depends_on_the_time_is_seen(line):
    assert len(list(broken_rules("import time\n\n    " + line))) == 1
