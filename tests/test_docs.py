"""The documentation has a place for every public name, and its examples are as the builder expects them."""

import ast
import re
from pathlib import Path

import pytest

import ckmeans

DOCS = Path(__file__).resolve().parents[1] / "docs"
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
