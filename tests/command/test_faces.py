"""What reaches a terminal, a pipe, a file or a picture: names of any kind, numbers far from zero, and tables of any shape."""

import io
import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from ckmeans import BreaksDisplay, ClusterDisplay, ResponsibilityDisplay, natural_breaks, words
from ckmeans.command.report import aligned

for needed in ("click", "rich"):
    pytest.importorskip(needed)
from click.testing import CliRunner  # noqa: E402

from ckmeans.command.cli import cli  # noqa: E402

ROWS = "1,2\n1,3\n50,60\n51,61\n"


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(text, path="data.csv"):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def run(*line, code=0):
    result = CliRunner().invoke(cli, [str(word) for word in line])
    assert result.exit_code == code, result.output
    return result


def process(*line, encoding="utf-8"):
    done = subprocess.run(
        [sys.executable, "-m", "ckmeans", *line],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_any_encoding_of_the_terminal(here, encoding):
    """The report is UTF-8 whatever it is; a table shows what the encoding has not by its number."""
    put(f"Größe \U0001f600 zł,b\n{ROWS}")
    report = process("fit", "data.csv", "-k", "2", "--json", "-", "-q", encoding=encoding)
    assert json.loads(report.stdout.decode("utf-8"))["data"]["columns"][0] == "Größe \U0001f600 zł"
    said = process("fit", "data.csv", "-k", "2", encoding=encoding).stdout.decode(encoding)
    assert "optimal, and the only" in said and ("Gr" in said)
    page = process("fit", "data.csv", "-k", "2", "--report", "-", "-q", encoding=encoding)
    assert "Größe \U0001f600 zł" in page.stdout.decode("utf-8")


def test_no_name_commands_the_terminal(here):
    name = "\x1b[31mred\x1b[0m", "\x1b]0;title\x07b", "\x9b2Jc", "\u202eltr"
    put(f"{','.join(name)},text,\x1bbad\n1,2,3,4,x,\n1,3,3,4,\x1b[2J,\n50,60,3,4,y,\n51,61,3,4,z,\n")
    for line in (
        ["fit", "data.csv", "-k", "2"],
        ["soft", "data.csv", "-k", "2"],
        ["fit", "data.csv", "-k", "2", "--prove"],
    ):
        done = process(*line)
        for text in (done.stdout.decode(), done.stderr.decode()):
            assert not set(text) & set("\x1b\x07\x9b\u202e"), ascii(text)
    assert "\\x1b[31mred" in done.stdout.decode() and "\\x1bbad" in done.stderr.decode()
    refused = run("fit", "data.csv", "-k", "2", "--weights", "text", code=1).stderr
    assert "\x1b" not in refused
    report = json.loads(run("fit", "data.csv", "-k", "2", "--json", "-", "-q").stdout)
    assert report["data"]["columns"][:2] == list(name[:2])


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are text there")
def test_a_file_name_that_is_no_text(here):
    pytest.importorskip("matplotlib")
    with open(b"b\xff.csv", "w") as file:
        file.write(f"a,b\n{ROWS}")
    line = [b"fit", b"b\xff.csv", b"-k", b"2"]
    done = process(*line, b"--json", b"r.json", b"--out", b"l.csv", b"--report", b"r.html")
    assert rb"b\udcff.csv: 4 rows" in done.stdout
    assert json.loads((here / "r.json").read_text(encoding="utf-8"))["data"]["path"] == "b\udcff.csv"
    assert "b\\udcff" in (here / "r.html").read_text(encoding="utf-8")
    assert json.loads(process(*line, b"--json", b"-").stdout)["result"]["inertia"] == 1.5


def test_breaks_far_from_zero(here):
    put("t\n1527007410\n1527007489.083\n1527007489.093\n1527007489.101\n1527007492.069\n1527007492.386\n")
    result = run("breaks", "data.csv", "t", "-k", "3")
    shown = next(line for line in result.stdout.splitlines() if line.startswith("breaks")).split()[1:]
    found = natural_breaks(pd.read_csv("data.csv")["t"], 3)
    assert len(set(shown)) == len(set(found.breaks.tolist())) and "e" not in "".join(shown)
    assert [float(value) for value in shown] == pytest.approx(found.breaks.tolist(), rel=1e-9)
    lines = result.stdout.split("to")[1].splitlines()[2:5]
    assert len({line.split()[-1] for line in lines}) == 3


@pytest.mark.parametrize("offset", [0.0, 1e6, 1.5e9, -3e14])
@pytest.mark.parametrize("step", [1e-3, 1.0, 4096.0])
def test_different_numbers_are_shown_as_different_ones(offset, step):
    values = [offset + step * i for i in (0, 1, 2, 1000)]
    for shown in (aligned(values, 2), aligned(values, 4), words.apart(values, 7)):
        assert len(set(shown)) == len(set(values))
        assert [float(text) for text in shown] == pytest.approx(values, rel=1e-4)


def test_equal_numbers_need_no_digits():
    noise = [0.1, 0.1 + 2**-56, 0.1]
    assert set(map(len, words.apart(noise, 3))) == {3}
    assert aligned([np.nan, 1.0], 2) and words.apart([np.inf, 2.5], 3) == ["inf", "2.5"]


@pytest.mark.parametrize("name", ["Ba$$in", "$$", "a_$b^$", "US$ per $ of GDP", r"a\$b$", "\x1b[1mx"])
def test_names_are_no_mathematics(name, here):
    pytest.importorskip("matplotlib").use("Agg")
    X = np.array([[1.0, 2], [1, 3], [50, 60], [51, 61]])
    frame = pd.DataFrame(X, columns=[name, "b"])
    shares = np.eye(2)[[0, 0, 1, 1]]
    for display in (
        ClusterDisplay.from_labels(frame, [0, 0, 1, 1]),
        ResponsibilityDisplay.from_responsibilities(frame, shares, X[[0, 2]]),
        BreaksDisplay.from_breaks(natural_breaks(X[:, 0], 2), X[:, 0], name=name),
        BreaksDisplay.from_breaks(natural_breaks(X[:, 0], 2), pd.Series(X[:, 0], name=name)),
    ):
        display.figure_.savefig(io.BytesIO(), format="png")
        drawn = display.ax_.get_xlabel()
        assert drawn.replace(r"\$", "$") == words.printable(name)
        assert drawn.count("$") == drawn.count(r"\$")
    frame.to_csv("data.csv", index=False)
    run("fit", "data.csv", "-k", 2, "--report", "page.html")
    frame[[name]].to_csv("one.csv", index=False)
    run("fit", "one.csv", "-k", 2, "--report", "page.html", "--force")


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_choose_goes_to_the_number_of_rows(n, here):
    put("a,b\n" + "".join(f"{i * i},{i}\n" for i in range(n)))
    told = json.loads(run("choose", "data.csv", "--draws", 2, "--json", "-").stdout)
    assert told["result"]["n_clusters"] == ([1] if n == 1 else list(range(2, min(n, 10) + 1)))
    assert told["parameters"]["n_clusters"] == told["result"]["n_clusters"]
    assert told["command"] == "ckmeans choose data.csv --draws 2 --seed 0"
    assert "should be >=" in run("choose", "data.csv", "--range", "2:13", code=1).stderr


def test_wide_rows_are_drawn_in_little_memory():
    """A matrix of features by features would take 1.2 GB."""
    pytest.importorskip("matplotlib").use("Agg")
    X = np.random.default_rng(0).normal(size=(20, 12_000))
    X[:, 0] += 300 * (np.arange(20) % 3)
    tracemalloc.start()
    display = ClusterDisplay.from_labels(X, np.arange(20) % 3)
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
    assert display.plane.axes[0] == pytest.approx([1, 0], abs=0.1) and 0.5 < display.plane.shown < 1


@pytest.mark.parametrize(
    "shape, weighted", [((1, 1200), True), ((2, 1200), False), ((30, 1200), True), ((1300, 1200), True)]
)
def test_the_plane_of_wide_rows_is_that_of_any(shape, weighted):
    """The same variances and axes as by the matrix of features by features."""
    from ckmeans.plots import plane as plots_plane

    rng = np.random.default_rng(1)
    X = rng.normal(size=shape) * np.linspace(3, 0.1, shape[1]) ** 2
    weights = rng.random(shape[0]) + 0.1 if weighted else np.ones(shape[0])
    plane = plots_plane.Plane.of(X, weights)
    centered = X - plane.mean
    rows = centered * np.sqrt(weights)[:, None]
    values = np.linalg.eigvalsh(rows @ rows.T)
    along = (weights[:, None] * plane.project(X) ** 2).sum(axis=0)
    expected = np.maximum(np.pad(values[::-1], (0, 2))[:2], 0)
    np.testing.assert_allclose(along, expected, rtol=1e-6, atol=1e-9 * max(values.max(), 1.0))
    total = values.clip(0).sum()
    assert plane.shown == pytest.approx(expected.sum() / total if total > 1e-9 else 0.0, abs=1e-6)
