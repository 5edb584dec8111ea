"""Clusters written by `ckmeans fit --model` and applied to another table."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run

from ckmeans import KMeans, save_model

RNG = np.random.default_rng(5)
ROWS = np.concatenate([RNG.normal([10 * k, 300 * k], [1, 20], (40, 2)) for k in range(3)]).round(2)


@pytest.fixture
def model(here):
    pd.DataFrame(ROWS, columns=["visits", "revenue"]).to_csv("now.csv", index=False)
    run("fit", "now.csv", "-k", 3, "--standardize", "--model", "model.json", "--out", "labels.csv")
    return "model.json"


def test_the_rows_of_the_fit(model):
    result = run("predict", model, "now.csv", "--out", "again.csv")
    assert "120 rows labelled; no share of a cluster has moved by one percentage point" in result.stdout
    assert "no row is farther from the center than any row of its cluster in the fit" in result.stdout
    first, again = pd.read_csv("labels.csv"), pd.read_csv("again.csv")
    assert (first.label == again.label).all() and list(again.columns[2:]) == ["distance", "next_distance"]
    assert (again.distance < again.next_distance).all()


def test_what_has_changed(model):
    later = np.concatenate([ROWS[:80], ROWS[:20], [[40, 300], [np.nan, 5]]])
    frame = pd.DataFrame(later, columns=["visits", "revenue"])[["revenue", "visits"]]
    frame.insert(0, "name", "x")
    frame.to_csv("later.csv", index=False, sep=";", decimal=",")
    said = report("predict", model, "later.csv", "--out", "again.csv")["result"]
    assert said["shares_of_fit"] == [1 / 3] * 3
    assert sum(said["far_rows"]) == 1 and "1 row (1.0 %) is farther" in said["verdict"]
    assert "cluster 2 has 1.0 % of the rows, 33.3 % in the fit" in said["verdict"]
    again = pd.read_csv("again.csv")
    assert len(again) == 102 and again.label.isna().tolist() == [False] * 101 + [True]
    assert again.label[:80].tolist() == pd.read_csv("labels.csv").label[:80].tolist()


def test_columns_are_found_by_name(model):
    put("visits,1,2\n3,4,5\n", "other.csv")
    assert "there is no column 'revenue', which model.json asks for; the table has visits, 1, 2." in (
        run("predict", model, "other.csv", code=1).stderr
    )
    assert "is no model file" in run("predict", "now.csv", "now.csv", code=1).stderr
    assert "no/such.json: No such file" in run("predict", "no/such.json", "now.csv", code=1).stderr


def test_a_text_is_read_as_the_first_was(here):
    put("1,5\n2,5\n8,5\n9,5\n", "now.csv")
    run(
        "fit",
        "now.csv",
        "-k",
        2,
        "--decimal",
        "comma",
        "--no-header",
        "--delimiter",
        "none",
        "--model",
        "m.json",
    )
    assert run("predict", "m.json", "now.csv").stdout.startswith("now.csv: 4 rows, 1 feature\n")
    told = json.load(open("m.json", encoding="utf-8"))["about"]
    assert told["command"].endswith("--delimiter none --no-header --decimal comma --seed 0")
    assert told["verdict"].startswith("optimal: proved")


def test_models_of_other_commands(here):
    for words in (["soft", "iris", "-k", 2], ["fit", "iris", "-k", 2, "--prove"]):
        run(*words, "--model", "m.json", "--out", "labels.csv", "--force")
        run("predict", "m.json", "iris", "--out", "again.csv", "--force")
        assert (pd.read_csv("labels.csv").label == pd.read_csv("again.csv").label).all()


def test_models_of_python(here):
    """Names of columns are asked for; what no fit tells, sizes and distances, is not told of."""
    model = KMeans(2, random_state=0).partial_fit(np.arange(8.0).reshape(4, 2))
    save_model(model, "bare.json")
    put("a,b\n0,1\n6,7\n")
    assert "bare.json has no names of columns" in run("predict", "bare.json", "data.csv", code=1).stderr
    save_model(model, "named.json", columns=["a", "b"])
    told = report("predict", "named.json", "data.csv")["result"]
    assert "shares_of_fit" not in told and "n_beyond" not in str(told)


def test_a_model_is_refused_where_it_cannot_be_written(model):
    run("fit", "now.csv", "-k", 2, "--model", "no/such/folder.json", code=1)
    assert "both write to" in run("fit", "now.csv", "-k", 2, "--model", "a", "--json", "a", code=2).stderr
