"""The story of docs/command.rst: a table of customers from the first refusal to a proof, a month later, and a study."""

import re
from pathlib import Path
from runpy import run_path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
if not (DOCS / "customers.py").exists():
    pytest.skip("tested without the documentation", allow_module_level=True)
SCRIPT = run_path(str(DOCS / "customers.py"))


def test_every_step_says_what_it_has_to(here):
    SCRIPT["write"](here)
    for line, code, words in SCRIPT["STORY"]:
        ended, said = SCRIPT["tell"](line)
        assert ended == code, said
        assert [word for word in words if word not in said] == [], f"{line}\n{said}"


def test_the_page_shows_the_same_commands():
    text = (DOCS / "command.rst").read_text(encoding="utf-8")
    shown = re.findall(r"^   \$ (ckmeans (?:[^\n\\]|\\\n)*)", text, re.MULTILINE)
    assert [" ".join(line.replace("\\\n", "").split()) for line in shown] == [
        line for line, *_ in SCRIPT["STORY"]
    ]
