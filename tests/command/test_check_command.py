"""`ckmeans check`: a proof, and whether it is about a table."""

import hashlib
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
        assert "n=30, d=2" in result.stdout and result.stdout.endswith("its rows are those of data.csv\n")
        assert f"sha256 of data.csv: {digest}" in result.stderr
    run("check", "data.ckc", "data.csv", *proof[:2], code=3)
    assert "about" not in run("check", "data.ckc", "data.csv", "-q", code=3).stdout


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
    assert "data.csv is no report" in run("check", "data.ckc", "data.csv", "--as", "data.csv", code=1).stderr
    assert "are for DATA" in run("check", "data.ckc", "--rows-out", "x.npy", code=2).stderr
    assert "No such file" in run("check", "none.ckc", code=1).stderr
