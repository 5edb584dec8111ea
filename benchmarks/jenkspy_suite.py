"""jenkspy's own tests, from a checkout or an unpacked archive of its source, on `ckmeans.compat`.

    pip download --no-deps --no-binary :all: jenkspy && tar xzf jenkspy-*.tar.gz
    python -m benchmarks.jenkspy_suite jenkspy-0.4.1

Nothing of them is copied: `import jenkspy` gives our module, and their file is run where it lies. The exit code is 1 where a test
fails that no reason is known for.
"""

import argparse
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ckmeans import compat

# Why a test may fail, by its name. Of version 0.4.1 none does; four are about the matrices inside it.
ARGUED: dict[str, str] = {}


class Results:
    """A plugin of pytest that notes how each test ended, and why it failed."""

    def __init__(self):
        self.passed, self.skipped, self.failed = [], [], {}

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.rpartition("::")[2]
        if report.failed:
            self.failed[name] = report.longrepr.reprcrash.message.strip().splitlines()[0]
        elif report.when == "call":
            (self.passed if report.passed else self.skipped).append(name)


def _jenks_matrices(*arguments):
    """Theirs are inside: there are no such matrices here."""
    pytest.skip("is about the matrices inside jenkspy")


def run(folder):
    """Run the tests of a folder with our module in the place of theirs: Results."""
    module, results, before = ModuleType("jenkspy"), Results(), Path.cwd()
    module.jenks_breaks, module.JenksNaturalBreaks = compat.jenks_breaks, compat.JenksNaturalBreaks
    module._jenks_matrices = _jenks_matrices
    theirs = sys.modules.get("jenkspy")
    try:
        sys.modules["jenkspy"] = module
        os.chdir(folder)  # they read tests/test.json
        quiet = ["-q", "--no-header", "--no-summary", "--tb=short", "--show-capture=no"]
        pytest.main([*quiet, "-p", "no:cacheprovider", "--import-mode=importlib", "tests"], [results])
    finally:
        os.chdir(before)
        del sys.modules["jenkspy"]
        if theirs is not None:
            sys.modules["jenkspy"] = theirs
    return results


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the source of jenkspy, with its folder tests")
    folder = parser.parse_args(arguments).folder
    if not (folder / "tests" / "test_jenks.py").is_file():
        parser.error(f"{folder} has no tests/test_jenks.py: give the unpacked source of jenkspy")
    results = run(folder)
    print(f"jenkspy: {len(results.passed)} of {len(results.passed) + len(results.failed)} tests pass")
    print(f"  {len(results.skipped)} others are about the matrices inside jenkspy")
    for name, why in results.failed.items():
        print(f"  {name}: {ARGUED.get(name) or 'NO REASON: ' + why[:200]}")
    return bool(set(results.failed) - set(ARGUED))


if __name__ == "__main__":
    sys.exit(main())
