"""The rules of the house that a machine can keep: who imports whom, and how long a file may get."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ckmeans

PACKAGE = Path(ckmeans.__file__).parent
STANDARD = set(sys.stdlib_module_names)
SCIENCE = STANDARD | {"numpy", "scipy"}
# Room: the rooms it may import from beside itself, and the packages. "public" are the names of ckmeans itself.
ROOMS = {
    "ground": (set(), SCIENCE),
    "check and reference": (set(), STANDARD),
    "local": ({"ground"}, SCIENCE),
    "blocks": ({"local", "ground"}, SCIENCE | {"pandas", "pyarrow", "dask", "distributed", "ray"}),
    "exact": ({"local", "ground", "check and reference"}, SCIENCE),
    "proofs": ({"blocks", "exact", "local", "ground", "check and reference"}, SCIENCE),
    "estimators": ({"blocks", "proofs", "exact", "local", "ground"}, SCIENCE | {"sklearn", "skl2onnx"}),
    "diagnostics": ({"estimators", "proofs", "exact", "local", "ground"}, SCIENCE | {"sklearn"}),
    "compat": ({"exact"}, SCIENCE | {"mapclassify"}),
    "plots": ({"diagnostics", "ground"}, SCIENCE | {"sklearn", "matplotlib"}),
    "command": (
        {"plots", "exact", "estimators", "check and reference", "public", "ground"},
        SCIENCE | {"sklearn", "matplotlib", "click", "rich", "pandas", "pyarrow", "openpyxl"},
    ),
}
ENTRANCES = {"__init__": set(), "__main__": {"command", "ground"}}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    return str(path.relative_to(PACKAGE).with_suffix(""))


def room_of(module):
    """The room of a dotted name inside the package, given as a tuple; that of `from .. import name` is ()."""
    if not module or not (PACKAGE / module[0]).exists() and not (PACKAGE / f"{module[0]}.py").exists():
        return "public"
    if module[0] in ("check", "check_angles", "check_parts", "check_summary", "reference"):
        return "check and reference"
    return module[0] if module[0] in ROOMS else "ground"


def imports(path):
    """The rooms and the packages that a module imports from, inside its functions too."""
    rooms, outside = set(), set()
    package = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) + 1 - node.level]
            names = [node.module.split(".")] if node.module else [[alias.name] for alias in node.names]
            rooms |= {room_of((*base, *name)) for name in names}
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            outside |= {alias.name.split(".")[0] for alias in node.names}
    return rooms, outside


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_rooms(path):
    rooms, outside = imports(path)
    if name_of(path) in ENTRANCES:
        assert rooms <= ENTRANCES[name_of(path)] and outside <= STANDARD
        return
    room = room_of(path.relative_to(PACKAGE).with_suffix("").parts)
    allowed, packages = ROOMS[room]
    assert rooms <= allowed | {room} and outside <= packages


def test_every_folder_is_shipped():
    """An editable installation would not notice a folder that the wheel leaves out."""
    with open(Path(__file__).resolve().parents[1] / "pyproject.toml", "rb") as file:
        shipped = tomllib.load(file)["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("__init__.py")}
    assert sorted(shipped) == sorted(".".join(folder.parts) for folder in folders)


def test_nothing_shipped_imports_the_oracle():
    for path in MODULES:
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        found = [node for node in nodes if isinstance(node, ast.ImportFrom)]
        names = {node.module for node in found} | {alias.name for node in found for alias in node.names}
        assert "reference" not in names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_stay_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.stem == "check":  # one file, to be read by itself
        assert sum(map(bool, lines)) <= 900
    else:
        assert len(lines) <= 500


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


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.stem)
def test_no_test_depends_on_the_time(path):
    if path.stem not in MAY_KNOW_THE_TIME:
        assert not list(broken_rules(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "line",
    [
        "os.kill(os.getpid(), signal.SIGINT)",
        "signal.raise_signal(2)",
        "_thread.interrupt_main()",
        "signal.setitimer(0, 1)",
        "signal.pthread_kill(main, 2)",
        "signal.alarm(1)",
        "timer = Timer(0.3, stop)",
        "time.sleep(0.1)",
        "child.send_signal(2)",
        "assert monotonic() - begin < 2",
        "late = time.perf_counter() - sent",
        "assert time.time() < end",
        "assert threading.active_count() == before",
    ],
)
def test_what_depends_on_the_time_is_seen(line):
    assert len(list(broken_rules("import time\n\n    " + line))) == 1
