"""Columns whose logarithms are clustered: centers in units of the data, and the same for other rows later."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run

from ckmeans import KMeans
from ckmeans.command.logarithms import exponentials, logarithms

RNG = np.random.default_rng(3)
ROWS = np.column_stack([np.exp(RNG.normal(np.repeat([3, 6, 9], 30), 0.3)), RNG.normal(50, 9, 90)]).round(3)


@pytest.fixture
def data(here):
    pd.DataFrame(ROWS, columns=["revenue", "age"]).to_csv("data.csv", index=False)
    return "data.csv"


@pytest.mark.parametrize("standardize", [[], ["--standardize"]])
def test_what_is_clustered(standardize, data):
    told = report("fit", data, "-k", 3, "--log", "revenue", *standardize)
    X = np.column_stack([np.log(ROWS[:, 0]), ROWS[:, 1]])
    if standardize:
        X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = KMeans(3, random_state=0).fit(X)
    assert told["result"]["inertia"] == pytest.approx(model.inertia_)
    geometric = [np.exp(np.log(ROWS[model.labels_ == k, 0]).mean()) for k in range(3)]
    assert np.array(told["result"]["centers"])[:, 0] == pytest.approx(geometric)
    assert told["result"]["units"] == ("standardized logarithms" if standardize else "logarithms")
    assert told["data"]["log"] == ["revenue"]
    said = run("fit", data, "-k", 3, "--log", "revenue", *standardize).stdout
    assert "of revenue; the centers there are geometric means" in said and "logarithms   (" in said


@pytest.mark.parametrize("standardize", [[], ["--standardize"]])
def test_a_model_takes_them_too(standardize, data):
    words = ["--log", "revenue", *standardize]
    run("fit", data, "-k", 3, *words, "--model", "m.json", "--out", "first.csv", "--centers", "centers.csv")
    assert json.load(open("m.json", encoding="utf-8"))["about"]["log"] == ["revenue"]
    result = run("predict", "m.json", data, "--out", "again.csv")
    assert "no row is farther" in result.stdout
    first, again = pd.read_csv("first.csv"), pd.read_csv("again.csv")
    assert first.label.tolist() == again.label.tolist() and (again.distance < again.next_distance).all()
    centers = pd.read_csv("centers.csv")
    predicted = report("predict", "m.json", data)["result"]["centers"]
    np.testing.assert_allclose(predicted, centers, rtol=1e-12)
    told = report("fit", data, "-k", 3, *words, "--init", "centers.csv")
    np.testing.assert_allclose(told["result"]["centers"], centers, rtol=1e-12)
    put("revenue,age\n-3,40\n5,50\n", "next.csv")
    said = run("predict", "m.json", "next.csv", code=1).stderr
    assert "column revenue has -3 in line 2, which has no logarithm" in said and "leave its row out" in said


def test_what_has_no_logarithm(here):
    put("Revenue,b\n1,1\n0,2\n5,2\n-4.5,7\n3,3\n")
    said = run("fit", "data.csv", "-k", 2, "--log", "Revenue", code=1).stderr
    assert "column Revenue has 0 in line 3, which has no logarithm (so in 2 of 5 rows)" in said
    assert "correct it or take Revenue out of --log" in said
    assert (
        report("fit", "data.csv", "-k", 2, "--log", "Revenue", "--missing", "0,-4.5")["data"]["n_samples"]
        == 3
    )
    said = run("fit", "data.csv", "-k", 2, "--log", "revenue", code=1).stderr
    assert "no column 'revenue' to take logarithms of (did you mean Revenue?)" in said


@pytest.mark.parametrize("command", ["choose", "landscape", "soft", "study", "exhaustive"])
def test_other_commands(command, here):
    put("a,b\n" + "".join(f"{2.0**i},{i % 3}\n" for i in range(12)))
    more = {"choose": ["--draws", 2], "study": ["--range", 2, "--time-limit", 3]}.get(command, ["-k", 2])
    assert report(command, "data.csv", *more, "--log", "a")["result"]["units"] == "logarithms"


def test_a_proof_of_logarithms(data):
    words = ["--log", "revenue", "--impute", "median"]
    run("fit", data, "-k", 2, *words, "--prove", "--proof", "p.ckc", "--json", "r.json", "--report", "r.html")
    assert "its rows are those" in run("check", "p.ckc", data, "--as", "r.json").stdout
    assert "--log revenue" in json.load(open("r.json", encoding="utf-8"))["command"]
    run("check", "p.ckc", data, "--standardize", code=3)


def test_there_and_back():
    X = np.array([[1e300, -2.0], [1.7976931348623157e308, 0.0], [5e-324, 1.0]])
    there = logarithms(X, [0])
    assert np.isfinite(there).all() and (there[:, 1] == X[:, 1]).all()
    back = exponentials(there, [0])
    assert np.isfinite(back).all()
    np.testing.assert_allclose(back, X, rtol=1e-12)
    assert logarithms(X, []) is X and exponentials(X, []) is X


def test_names_in_any_case(here):
    put("Id,x\na,1\nb,2\nc,9\n")
    said = run("fit", "data.csv", "-k", 2, "--id", "ID", "--out", "l.csv", code=1).stderr
    assert "there is no column 'ID' in data.csv (did you mean Id?): it has Id, x." in said
    assert "did you mean x?" in run("fit", "data.csv", "-k", 2, "--columns", "X", code=1).stderr
    assert "did you mean x?" in run("breaks", "data.csv", "X", "-k", 2, code=1).stderr
