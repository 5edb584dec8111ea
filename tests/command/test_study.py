"""`ckmeans study`: all the evidence in one report."""

import json

import numpy as np
import pytest
from command_line import put, run

from ckmeans import check
from ckmeans.command.profiles import _texts, profiles

RNG = np.random.default_rng(6)


@pytest.fixture
def shop(here):
    rows = np.concatenate([RNG.normal([10 * k, 5], 1, (25, 2)) for k in range(3)])
    names = np.repeat(["a", "b", "c"], 25)
    text = "".join(f"{x:.3f},{y:.3f},{name},{i}\n" for i, ((x, y), name) in enumerate(zip(rows, names)))
    return put(f"visits,age,channel,note\n{text}", "shop.csv")


def test_the_whole_of_it(shop):
    words = [
        "study",
        shop,
        "--range",
        "2:5",
        "--columns",
        "visits,age",
        "--json",
        "study.json",
        "--report",
        "study.html",
    ]
    result = run(*words, "--proof", "shop.ckc", "--out", "labels.csv", "--model", "model.json")
    said = json.load(open("study.json", encoding="utf-8"))["result"]
    assert said["n_clusters"] == 3 and sum(k == 3 for k in said["choice"]["suggested"].values()) >= 4
    assert said["status"].startswith("optimal") and said["checked"]
    assert check.main(["shop.ckc"]) == 0
    assert min(said["stability"]["jaccard"]) > 0.9
    assert said["landscape"]["n_starts"] == 200 and 0 < said["landscape"]["n_as_low"] <= 200
    assert "how many    3, as " in result.stdout and "stable: 0, 1, 2" in result.stdout
    assert "visits +1.2 sd" in said["profiles"][2]
    assert "visits +1.2 sd" in open("study.html", encoding="utf-8").read()
    assert "no row is farther" in run("predict", "model.json", shop).stdout


def test_columns_of_text_are_told_of(shop):
    result = run("study", shop, "--range", "3", "--skip-columns", "note")
    assert "channel a 100 % (all: 33 %)" in result.stdout and "how many" not in result.stdout


def test_a_limit_of_no_time(shop):
    result = run("study", shop, "--range", "2:3", "--time-limit", 0, "--json", "-")
    said = json.loads(result.stdout)["result"]
    assert said["n_clusters"] in (2, 3) and len(said["sizes"]) == said["n_clusters"]
    assert "stability" not in said


def test_texts_that_are_as_among_all_rows():
    """Nothing is told of a text whose share in the cluster is that among all."""
    cells = np.array(["a", "b"] * 20, object)
    inside = np.arange(40) < 20
    assert _texts({"c": cells}, inside) == ""
    assert _texts({"c": np.sort(cells)}, inside) == "c a 100 % (all: 50 %)"


def test_profiles_of_extremes():
    X = np.array([[1.0, 2.0**900], [1.0, 2.0**901], [1.0, 2.0**902]])
    lines = profiles(X, ["same", "huge"], np.array([0, 0, 1]), 3)
    assert lines == ["huge -0.7 sd", "huge +1.3 sd", "like all rows"]
    weighted = profiles(
        np.array([[0.0], [1.0], [5.0]]), ["x"], np.array([0, 1, 1]), 2, np.array([1.0, 1.0, 0.0])
    )
    assert weighted == ["x -1.0 sd", "x +1.0 sd"]
    many = profiles(
        np.zeros((30, 1)), ["x"], np.repeat([0, 1], 15), 2, texts={"name": list(map(str, range(30)))}
    )
    assert many == ["like all rows", "like all rows"]
