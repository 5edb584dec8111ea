"""scikit-learn's examples of k-means, with our classes in the place of theirs: which of them run?

    python -m benchmarks.sklearn_examples FOLDER [--only NAME] [--minutes N]

FOLDER is a checkout of scikit-learn, or its folder `examples`; of the version that is installed, best. Nothing of them is copied
or changed: the names in `sklearn.cluster` are replaced, then each file that has one of these names is run by itself, without a
window. The exit code is 1 where one fails that ran with their classes. Data that an example has to fetch may not be there.
"""

import argparse
import ast
import os
import re
import runpy
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import sklearn
import sklearn.cluster

import ckmeans

# What takes the place of theirs, as far as it is there.
NAMES = [
    name
    for name in ("KMeans", "MiniBatchKMeans", "BisectingKMeans", "k_means", "kmeans_plusplus")
    if name in ckmeans.__all__
]
# Last words of an example whose data cannot be fetched.
NO_DATA = r"URLError|HTTPError|ConnectionError|OSError: .*(download|fetch)|TimeoutError"


def uses_ours(path):
    """Whether a file takes one of these names from sklearn.cluster."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "sklearn.cluster":
            if {alias.name for alias in node.names} & set(NAMES):
                return True
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            return True
    return False


def put_in_place(counts):
    """Replace their names by ours, and count the calls."""

    def counted(function, name):
        def call(*args, **kwargs):
            counts[name] = counts.get(name, 0) + 1
            return function(*args, **kwargs)

        return call

    for name in NAMES:
        ours = getattr(ckmeans, name)
        if isinstance(ours, type):
            ours.fit = counted(ours.fit, name)
            setattr(sklearn.cluster, name, ours)
        else:
            setattr(sklearn.cluster, name, counted(ours, name))


def run_here(path, ours):
    """Run one example in this process, and print how often ours was called."""
    import matplotlib

    matplotlib.use("Agg")
    warnings.simplefilter("ignore")
    counts = {}
    if ours:
        put_in_place(counts)
    runpy.run_path(path, run_name="__main__")
    print("\nCALLS", ", ".join(f"{name} {n}" for name, n in sorted(counts.items())))


def run(path, ours, seconds):
    """Run one example in a process of its own: whether it ran, and its last words."""
    command = [sys.executable, "-m", "benchmarks.sklearn_examples", "--run", str(path.resolve())]
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with tempfile.TemporaryDirectory() as folder:  # where an example may write
        try:
            done = subprocess.run(
                [*command, *["--theirs"] * (not ours)],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return False, f"not done after {seconds:.0f} s"
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or [""]
    return done.returncode == 0, lines[-1].removeprefix("CALLS ")


def outcome(path, seconds):
    """What became of an example with our classes: a word, and why."""
    ran, words = run(path, True, seconds)
    if ran:
        return "runs", words
    if re.search(NO_DATA, words):
        return "no data", words[:100]
    return ("FAILS" if run(path, False, seconds)[0] else "fails with theirs too"), words[:200]


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="a checkout of scikit-learn, or its examples")
    parser.add_argument("--only", default="", help="run the examples whose path contains this")
    parser.add_argument("--minutes", type=float, default=10, help="time limit of an example")
    parser.add_argument("--run", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--theirs", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        return run_here(options.run, not options.theirs)
    if options.folder is None or not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder: give a checkout of scikit-learn")
    home = options.folder / "examples"
    home = home if home.is_dir() else options.folder
    found = [path for path in sorted(home.rglob("*.py")) if options.only in str(path) and uses_ours(path)]
    if not found:
        parser.error(f"{options.folder} has no such example that imports {', '.join(NAMES)}")
    print(f"scikit-learn {sklearn.__version__}, {len(found)} examples that import {', '.join(NAMES)}")
    words = []
    for path in found:
        word, why = outcome(path, 60 * options.minutes)
        words.append(word)
        print(f"{word:8} {path.relative_to(home)}: {why}", flush=True)
    print(", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)))
    return "FAILS" in words


if __name__ == "__main__":
    sys.exit(main())
