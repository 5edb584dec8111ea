"""`ckmeans check`: a proof, and whether it is about a table."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from command_line import put, run

RNG = np.random.default_rng(8)
ROWS = np.concatenate([RNG.normal(6 * k, 1, (15, 2)) for k in range(2)]).round(2)


@pytest.fixture
def proof(here):
    rows = "".join(
        f"{1000 + i};{str(a).replace('.', ',')};{str(b).replace('.', ',')};2\n"
        for i, (a, b) in enumerate(ROWS)
    )
    put(f"id;a;b;w\n{rows}", "data.csv")
    words = ["--skip-columns", "id", "--weights", "w", "--standardize", "--decimal", "comma"]
    run("fit", "data.csv", "-k", 2, *words, "--prove", "--proof", "data.ckc", "--json", "data.json")
    return words


def test_the_table_of_a_proof(proof):
    assert run("check", "data.ckc").stdout.startswith("proved optimal")
    digest = hashlib.sha256(open("data.csv", "rb").read()).hexdigest()
    for words in (proof, ["--as", "data.json"]):
        result = run("check", "data.ckc", "data.csv", *words)
        assert "n=30, d=2" in result.stdout and "; its rows are those of data.csv, sha256 " in result.stdout
        assert f"sha256 of data.csv: {digest}" in result.stderr
    said = run("check", "data.ckc", "data.csv", *proof[:2], code=3).stderr
    assert "It has 30 rows of 2 columns, data.csv as it was read 30 of 3: give the options of its run" in said
    assert run("check", "data.ckc", "data.csv", "-q").stderr == ""


def test_other_reports_beside_the_proof(proof):
    """Those of other data, and what is none, are passed over; what is said here is not taken from a report."""
    put("{", "a.json")
    put("a\n1\n2\n4\n", "small.csv")
    run("fit", "small.csv", "-k", 2, "--json", "b.json")
    assert "read as it was by the run that wrote data.json" in run("check", "data.ckc", "data.csv").stderr
    words = ["check", "data.ckc", "data.csv", "--as", "data.json"]
    assert "there is no column 'weight'" in run(*words, "--weights", "weight", code=1).stderr


def test_how_rows_differ(here):
    """Other numbers, as many of them; and a proof by angle, of which the rows are not told."""
    put("a,b\n1,0\n9,1\n0,2\n0.1,5\n")
    put("a,b\n1,0\n9,1\n0,2\n0.1,6\n", "other.csv")
    put("label\n0\n0\n1\n1\n", "labels.csv")
    run("certify", "data.csv", "labels.csv", "--proof", "p.ckc")
    said = run("check", "p.ckc", "other.csv", code=3).stderr
    assert "It has 4 rows of 2 columns, as there are here, with other numbers: give" in said
    run("certify", "data.csv", "labels.csv", "--metric", "cosine", "--proof", "angle.ckc")
    said = run("check", "angle.ckc", "other.csv", code=3).stderr
    assert "other data" in said and "It has" not in said


def test_rows_for_the_bare_checker(proof):
    words = ["check", "data.ckc", "data.csv", "--as", "data.json", "--rows-out", "rows.npy"]
    run(*words)
    assert "is there already" in run(*words, code=1).stderr
    run(*words, "--force")
    np.save("weights.npy", np.full(30, 2.0))
    words = [sys.executable, "-m", "ckmeans.check", "data.ckc", "rows.npy", "weights.npy"]
    found = subprocess.run(words, capture_output=True, text=True)
    assert (found.returncode, found.stdout[:14]) == (0, "proved optimal")


def test_what_is_no_proof_of_it(proof):
    text = open("data.csv", encoding="utf-8").read().replace(str(ROWS[3, 1]).replace(".", ","), "0,5")
    put(text, "other.csv")
    assert "other data" in run("check", "data.ckc", "other.csv", "--as", "data.json", code=3).stderr
    assert "malformed" in run("check", "data.csv", code=2).stderr
    assert "malformed" in run("check", "data.csv", "data.csv", code=2).stderr
    assert (
        "data.csv is neither a report nor a model"
        in run("check", "data.ckc", "data.csv", "--as", "data.csv", code=1).stderr
    )
    assert "are for DATA" in run("check", "data.ckc", "--rows-out", "x.npy", code=2).stderr
    assert "No such file" in run("check", "none.ckc", code=1).stderr


def test_one_sign_of_the_rows(here):
    """The same sha256 in the proof, the report, its page, the model and what is told; and that of the file."""
    put("name,v,w,z\na,-0.0,1,2\nb,1,2,7\nc,,1,1\nd,5,1,3\ne,6,3,4\n")
    words = ["--weights", "w", "--log", "z", "--standardize"]
    written = ["--json", "r.json", "--model", "m.json", "--proof", "p.ckc"]
    page = ["--report", "page.html"] if importlib.util.find_spec("matplotlib") else []
    run("fit", "data.csv", "-k", 2, *words, "--prove", *written, *page)
    told = json.load(open("r.json", encoding="utf-8"))["data"]
    of_file = hashlib.sha256(open("data.csv", "rb").read()).hexdigest()
    assert f"data sha256={told['sha256']} " in open("p.ckc", encoding="utf-8").read()
    assert told["file_sha256"] == of_file
    about = json.load(open("m.json", encoding="utf-8"))["about"]["data"]
    assert about["sha256"] == told["sha256"] and about["file_sha256"] == of_file
    for name in ["page.html"] * len(page):
        text = open(name, encoding="utf-8").read()
        assert told["sha256"] in text and of_file in text
    for other in ("r.json", "m.json", None):
        how = ["--as", other] if other else []
        result = run("check", "p.ckc", "data.csv", *how)
        assert told["sha256"] in result.stdout and of_file in result.stderr
        by = other or "m.json"
        assert f"read as it was by the run that wrote {by}, of this very file" in result.stderr


def test_a_file_that_has_changed(proof):
    """Other bytes, the same rows: told, and proved."""
    put(open("data.csv", encoding="utf-8").read() + "\n")
    result = run("check", "data.ckc", "data.csv")
    assert "of another file" in result.stderr and result.stdout.startswith("proved optimal")
    os.remove("data.json")
    assert (
        "give the options of its run, or --as REPORT" in run("check", "data.ckc", "data.csv", code=3).stderr
    )


def test_the_bare_checker_explains_a_table_with_text(here):
    put("name,v\na,1\nb,2\nc,9\n")
    run("fit", "data.csv", "-k", 2, "--prove", "--proof", "p.ckc")
    words = [sys.executable, "-m", "ckmeans.check", "p.ckc", "data.csv"]
    found = subprocess.run(words, capture_output=True, text=True)
    assert (
        found.returncode == 3 and "no table of numbers (ckmeans check --rows-out): 'name,v'" in found.stderr
    )
