"""The documentation has a place for every public name, and its examples are as the builder expects them."""

import ast
import re
import shlex
import textwrap
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, save_npz

import ckmeans

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
if not (DOCS / "conf.py").exists():
    pytest.skip("tested without the documentation", allow_module_level=True)
EXAMPLES = sorted((DOCS / "examples").glob("*.py"))


def test_every_public_name_has_a_page():
    listed = re.findall(
        r"^   (\w+)$", (DOCS / "reference" / "index.rst").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(listed) == sorted(set(ckmeans.__all__) - {"__version__"})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path):
    """Each begins with a question, draws a picture, and takes nothing from elsewhere."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, rule = ast.get_docstring(tree).splitlines()[:2]
    assert title.endswith("?") and rule == "=" * len(title)
    assert "plt.show()" in text
    assert re.match(r"\d\d_", path.name)
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert not {"fetch_openml", "urlopen"} & set(names) and "shared" not in text
    assert max(map(len, text.splitlines())) <= 130


def test_links_are_checked(tmp_path):
    """The checker of links sees one that leads nowhere."""
    from runpy import run_path

    broken = run_path(str(DOCS / "check_links.py"))["broken"]
    page = '<a id="here" href="#here"></a><a href="b.html#there"></a><a href="https://x.y/z"></a><img src="no.png">'
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    (tmp_path / "b.html").write_text("<p>nothing</p>", encoding="utf-8")
    assert [link for _, link in broken(tmp_path)] == ["b.html#there", "no.png"]


CLIPPED = (
    "<div style='width:300px;overflow:hidden'><table><tr><td><div style='width:2000px'>x</div></table></div>"
)
WIDE = "<p style='width:500px'>x</p>"


def test_pages_are_looked_at_in_a_browser(tmp_path):
    """What is wrong is seen: a clipped table, sideways scroll where there is, a script that fails."""
    from runpy import run_path

    look = run_path(str(DOCS / "check_pages.py"))
    if look["browser"]() is None:
        pytest.skip("looked at where there is Chromium")
    pages = {"good": "<p>x</p>", "clipped": CLIPPED, "wide": WIDE, "script": "<script>nothing()</script>"}
    for name, body in pages.items():
        head = "<!DOCTYPE html><meta charset=utf-8><link rel=icon href='data:,'>"
        (tmp_path / f"{name}.html").write_text(f"{head}<body>{body}", encoding="utf-8")
    said = "\n".join(look["wrong"](tmp_path))
    assert "clipped.html at 1400: a table is clipped" in said and "good.html" not in said
    assert "wide.html at 390: scrolls sideways" in said and "wide.html at 1400" not in said
    assert "script.html: on the console: Uncaught ReferenceError" in said
    if (DOCS / "_build" / "index.html").exists():
        assert look["wrong"](DOCS / "_build", ["index.html", "figures.html"]) == []


# ---- What is shown runs, as it stands


def blocks(path):
    """The Python of a page, block by block, but for sessions (>>>), which doctest runs."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for block in re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE):
        found.append(textwrap.dedent(block))
    return [block for block in found if ">>> " not in block]


PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.rst")), *sorted(DOCS.glob("*.md"))]
SHOWN = {f"{path.name} {n}": block for path in PAGES for n, block in enumerate(blocks(path))}


def test_blocks_are_found():
    assert {"README.md 0", "index.rst 0"} <= set(SHOWN)


@pytest.mark.parametrize("block", SHOWN.values(), ids=SHOWN)
def test_blocks_run(block, tmp_path, monkeypatch):
    """Each alone, in an empty folder: nothing is used that the reader has not."""
    if "Display" in block:
        pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "block", "exec"), {"__name__": "__main__"})


def test_the_numbers_of_the_readme_are_recorded():
    """Each line of its table says what stands in docs/proved.md and docs/benchmarks.md."""
    proved, benchmarks = DOCS / "proved.md", DOCS / "benchmarks.md"
    if not (proved.exists() and benchmarks.exists()):
        pytest.skip("tested where results are recorded")
    said = dict(
        re.findall(r"^\| (.+?) \| (.+?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    lines = [line.strip("| \n").split(" | ") for line in proved.read_text(encoding="utf-8").splitlines()]
    took = {(line[0], line[3]): line for line in lines if len(line) == 14}
    accepted = re.search(r"accepted\s+(\d+ of \d+) proofs", proved.read_text(encoding="utf-8"))[1]
    assert said["proofs that the checker accepted"] == f"{accepted} recorded ones"
    iris, pcb, blobs = took["sos_iris", "3"], took["tsp_pcb3038", "10"], took["blobs-10000x8", "10"]
    assert iris[8] == pcb[8] == "optimal-unique"
    assert said["three clusters of Iris: the best, and the only ones that are"] == f"{iris[10]} s"
    assert said["ten clusters of 3,038 points in the plane: the best"] == f"{pcb[10]} s"
    above = float(blobs[4]) / float(blobs[6]) - 1
    far, seconds = re.fullmatch(
        r"at most (.+) % above the best, in (\d+) s",
        said["ten clusters of 10,000 overlapping rows with 8 features"],
    ).groups()
    assert 0.9 * float(far) < 100 * above <= float(far) and int(seconds) >= float(blobs[10])
    ratios = re.findall(
        r"\| \*\*([\d.]+)\*\* \| [\d.]+%", benchmarks.read_text(encoding="utf-8"), re.MULTILINE
    )
    fast = f"{int(10 * min(map(float, ratios))) / 10} to {int(max(map(float, ratios)))} times as fast, on {len(ratios)} workloads"
    assert said["to the same end as the fastest of the four"] == fast


def test_the_landing_page_prints_what_it_shows(capsys):
    (block,) = blocks(DOCS / "index.rst")
    exec(compile(block, "block", "exec"), {"__name__": "__main__"})
    text = (DOCS / "index.rst").read_text(encoding="utf-8")
    shown = re.search(r"\.\. code-block:: text\n\n((?:   .*\n)+)", text)[1]
    assert capsys.readouterr().out == textwrap.dedent(shown)


def commands():
    """The lines of the pages that begin with ckmeans, with a data set for DATA."""
    for path in PAGES:
        shown = r"^ *(ckmeans (?:fit|soft|exhaustive|breaks|certify|landscape|choose) .*)$"
        for line in re.findall(shown, path.read_text(encoding="utf-8"), re.MULTILINE):
            line = line.partition("#")[0].strip()
            stand_ins = ("DATA", "iris"), ("COLUMN", "3"), ("LABELS", "labels.csv"), ("TFIDF", "tfidf")
            for word, instead in stand_ins:
                line = re.sub(rf"\b{word}\b", instead, line)
            yield line


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_commands_run(line, tmp_path, monkeypatch):
    runner = pytest.importorskip("click.testing").CliRunner()
    for name in ("rich", "matplotlib"):
        pytest.importorskip(name)
    from ckmeans.command.cli import cli

    monkeypatch.chdir(tmp_path)
    Path("labels.csv").write_text("label\n" + "0\n1\n2\n" * 50)
    X = np.arange(3600.0).reshape(90, 40)
    save_npz("tfidf.npz", csr_array(X % 7 * (X % 5 == 0)))
    result = runner.invoke(cli, shlex.split(line)[1:])
    assert result.exit_code == 0, result.output
