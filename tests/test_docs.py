"""The documentation has a place for every public name, and its examples are as the builder expects them."""

import ast
import re
import shlex
import textwrap
from pathlib import Path

import pytest

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


def commands():
    """The lines of the pages that begin with ckmeans, with a data set for DATA."""
    for path in PAGES:
        shown = r"^ *(ckmeans (?:fit|soft|exhaustive|breaks|certify|landscape|choose) .*)$"
        for line in re.findall(shown, path.read_text(encoding="utf-8"), re.MULTILINE):
            line = line.partition("#")[0].strip()
            for word, instead in (("DATA", "iris"), ("COLUMN", "3"), ("LABELS", "labels.csv")):
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
    result = runner.invoke(cli, shlex.split(line)[1:])
    assert result.exit_code == 0, result.output
