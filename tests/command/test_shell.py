"""The command within a shell: closed streams, completion, what is shown while it is loaded, and a system without pyarrow."""

import os
import shlex
import subprocess
import sys
from contextlib import contextmanager

import pytest
from command_line import put, run

from ckmeans.command import terminal

PYTHON = [sys.executable, "-m", "ckmeans"]


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(closed, here):
    line = shlex.join([*PYTHON, "fit", "iris", "-k", "3", "--out", "l.csv", "--force"])
    done = subprocess.run(f"{line} {closed}", shell=True, capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert ("verdict" in done.stdout) == (closed == "2>&-")
    assert len((here / "l.csv").read_text().splitlines()) == 151


@pytest.mark.parametrize(
    "words, wanted",
    [
        (["fit", "cus"], "file"),
        (["fit", "x.csv", "--model", "m"], "file"),
        (["certify", "x.csv", "la"], "file"),
        (["compare", "a", "b"], "file"),
        (["check", "a"], "file"),
        (["stu"], "plain"),
    ],
)
def test_completion(words, wanted):
    told = {"COMP_WORDS": " ".join(["ckmeans", *words]), "COMP_CWORD": str(len(words))}
    env = {**os.environ, **told, "_CKMEANS_COMPLETE": "bash_complete"}
    done = subprocess.run(PYTHON, capture_output=True, text=True, env=env)
    assert done.stdout.splitlines() == [f"{wanted},{'study' if wanted == 'plain' else words[-1]}"]


def test_something_moves_from_the_beginning(here, monkeypatch):
    """While tables are read, features scaled and clusters sought: what is loaded for each is loaded within."""
    shown = []

    @contextmanager
    def bar(ctx, what, total):
        shown.append(what)
        yield lambda done, text: None

    monkeypatch.setattr(terminal, "_bar", bar)
    run("fit", "iris", "-k", 3, "--standardize")
    assert shown == ["reading", "standardizing", "restarts"]


def test_without_pyarrow(here):
    """As on Windows on ARM: texts are read all the same, and of Parquet it is told what reads it."""
    put('a,b\n1,2\n2,"3"\n50,60\n')
    (here / "x.parquet").write_bytes(b"PAR1" + bytes(8))
    code = "import sys; sys.modules['pyarrow'] = None; from ckmeans.__main__ import main; sys.exit(main())"
    words = [sys.executable, "-c", code, "fit"]
    done = subprocess.run([*words, "data.csv", "-k", "2"], capture_output=True, text=True)
    assert done.returncode == 0 and "data.csv: 3 rows, 2 features" in done.stdout, done.stderr
    done = subprocess.run([*words, "x.parquet", "-k", "2"], capture_output=True, text=True)
    assert done.returncode == 1 and "x.parquet is read by pyarrow: pip install pyarrow" in done.stderr
