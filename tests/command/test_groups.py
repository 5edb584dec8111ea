"""`ckmeans certify --folder` and `--confidence`, and `ckmeans check` of such a folder: what check_parts says, of tables and of many files."""

import os
from pathlib import Path

import numpy as np
import pytest
from command_line import put, report, run

from ckmeans import check_parts

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(300, 1)) + 7 * RNG.integers(2, size=(300, 1))
WEIGHTS = RNG.integers(1, 4, 300) / 2


@pytest.fixture
def proof(here):
    lines = "\n".join(f"{x!r},{w!r}" for x, w in zip(ROWS[:, 0].tolist(), WEIGHTS.tolist()))
    put(f"x,w\n{lines}\n", "data.csv")
    put("label\n" + "\n".join(f"{int(x > 3.5)}" for x in ROWS[:, 0]) + "\n", "labels.csv")
    np.save("day-1.npy", ROWS[:100])
    np.save("day-2.npy", ROWS[100:])
    return "--weights", "w"


def test_a_folder(proof):
    found = report("certify", "data.csv", "labels.csv", *proof, "--folder", "proof")["result"]
    assert found["status"] == "bounded" and found["checked"] and found["gap"] < 0.1
    assert found["n_groups"] == found["n_bounded"] == 1 and found["verdict"].endswith(
        "above the best possible: proved"
    )
    said = check_parts.verdict("proof")[1]
    assert run("check", "proof").stdout == said + "\n"
    for data in ("data.csv", *proof), ("data.csv", *proof, "-j", 2):
        assert (
            run("check", "proof", *data).stdout == said.replace("the rows in the files", "these rows") + "\n"
        )
    assert "other data" in run("check", "proof", "data.csv", code=3).stderr  # without its weights
    again = run("certify", "data.csv", "labels.csv", *proof, "--folder", "proof").stdout
    assert "1 with a bound; their proofs are in proof" in again
    os.truncate("proof/group-000000.ckc", 100)
    refused = run("certify", "data.csv", "labels.csv", *proof, "--folder", "proof", code=1).stderr
    assert "group-000000.ckc is not gone on from: the file was truncated" in refused
    assert "No such file" in run("check", "proof", code=2).stderr


def test_many_files(proof):
    shown = run("certify", "day-*.npy", "labels.csv", "--folder", "proof").stdout
    assert (
        "day-*.npy: 300 rows, 1 feature, 2 clusters" in shown and "above the best possible: proved" in shown
    )
    for data in (["day-1.npy", "day-2.npy"], ["day-*.npy"], ["day-*.npy", "-j", 2]):
        assert "for these rows, k=2, n=300" in run("check", "proof", *data).stdout
    assert "other data" in run("check", "proof", "day-2.npy", code=3).stderr
    assert (
        "--columns is not for day"
        in run("certify", "day-*.npy", "labels.csv", "--folder", "a", "--columns", "1", code=2).stderr
    )
    put("line,label\n1,0\n2,\n" + "3,1\n" * 298, "gap.csv")
    said = run("certify", "day-*.npy", "gap.csv", "--folder", "gap", code=1).stderr
    assert "gap.csv has no label for row 2: give one" in said
    assert "No file matches" in run("certify", "none-*.npy", "labels.csv", "--folder", "a", code=1).stderr
    put("label\n" + "\n".join("ba"[int(x < 3.5)] for x in ROWS[:, 0]) + "\n", "names.csv")
    named = run("certify", "day-*.npy", "names.csv", "--folder", "named").stdout
    assert "clusters     0 a, 1 b" in named  # in the order that names have everywhere
    assert "for one DATA" in run("check", "proof", "day-*.npy", "--columns", "1", code=2).stderr


def test_confidence(proof):
    words = "certify", "data.csv", "labels.csv", *proof, "--confidence", 0.9, "--time-limit", 5
    found = report(*words)["result"]
    assert (
        found["status"] == "bounded with confidence" and not found["checked"] and found["confidence"] == 0.9
    )
    assert found["verdict"].startswith("with confidence 0.9 at most") and "proved" not in found["verdict"]
    assert "give one of them" in run(*words, "--folder", "a", code=2).stderr
    assert "--proof is not for groups" in run(*words, "--proof", "a.ckc", code=2).stderr
    assert "euclidean" in run(*words, "--metric", "cosine", code=2).stderr
    assert not Path("a").exists()


def test_what_is_for_one_file(proof):
    run("certify", "data.csv", "labels.csv", "--folder", "proof")
    run("certify", "data.csv", "labels.csv", "--proof", "p.ckc")
    assert "for a FOLDER" in run("check", "p.ckc", "data.csv", "data.csv", code=2).stderr
    assert "in one file" in run("check", "proof", "data.csv", "--rows-out", "a.npy", code=2).stderr
