"""Missing values: texts that mean one, medians that fill them, and how a model keeps both."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run

from ckmeans.command.gaps import Gaps, median
from ckmeans.command.tables import read_table

TABLE = 'id,age,score\n1,30,1.5\n2,unknown,2.5\n3,"-999",-999\n4,50,keine Angabe\n5,41,9.5\n6,43.0,-999.0\n'
WORDS = ["--missing", "unknown,-999,keine Angabe"]


@pytest.mark.parametrize("header", ["id,age,score\n", ""])
def test_texts_that_mean_a_gap(header, read):
    table = read(
        TABLE.replace("id,age,score\n", header),
        missing=["unknown", "-999", "keine Angabe"],
    )
    assert table.X[:, 1:].tolist() == [[30, 1.5], [41, 9.5]]
    assert len(table.incomplete) == 4 and table.X.shape[1] == 3


def test_the_remedy_is_told(here):
    put(TABLE)
    said = run("fit", "data.csv", "-k", 2, code=1).stderr
    assert (
        "'unknown' in line 3" in said and "say --missing unknown if it means that there is no value" in said
    )
    put("a,b\n1,2\n3 kg,4\n5,6\n7,8\n")
    assert "--missing" not in run("fit", "data.csv", "-k", 2, code=1).stderr
    put("a,b\n1,2\nnot known,4\n5,6\n7,8\n")
    said = run("fit", "data.csv", "-k", 2, code=1).stderr
    assert "--missing 'not known'" in said
    assert report("fit", "data.csv", "-k", 2, "--missing", "not known")["data"]["incomplete"] == [3]


def test_other_files(here):
    frame = pd.DataFrame({"a": [1, -999, 3, 4], "b": ["1", "unknown", "NA", " 2"], "c": [5.0, 6, 7, 8]})
    frame.to_parquet("data.parquet")
    table = read_table("data.parquet", missing=["unknown", "-999"])
    assert table.X.tolist() == [[1, 1, 5], [4, 2, 8]]
    X = np.array([[1.0, -999], [2, 3], [4, 5]])
    for mode in (X, X.astype(np.float32), X.astype(np.int64)):
        np.save("data.npy", mode)
        assert read_table("data.npy", missing=["-999"]).X.tolist() == [[2, 3], [4, 5]]
        assert read_table("data.npy", impute="median", missing=["-999"]).X.tolist() == [
            [1, 4],
            [2, 3],
            [4, 5],
        ]
    np.save("whole.npy", X)
    mapped = np.load("whole.npy", mmap_mode="r")
    assert np.isnan(Gaps(["-999"]).mark(mapped)[0, 1]) and mapped[0, 1] == -999
    weighted = read_table("data.npy", weights="x2", missing=["-999"])
    assert weighted.weights.tolist() == [3, 5] and weighted.incomplete == [1]


def test_medians(read):
    table = read(TABLE, missing=["unknown", "-999", "keine Angabe"], impute="median")
    assert table.X[:, 1].tolist() == [30, 42, 42, 50, 41, 43]
    assert table.X[:, 2].tolist() == [1.5, 2.5, 2.5, 2.5, 9.5, 2.5]
    assert table.medians == {"id": 3.5, "age": 42, "score": 2.5} and not table.incomplete
    assert (
        "missing values filled with medians of their columns: age 2 (with 42), score 3 (with 2.5)"
        in table.notes
    )


def test_what_medians_do_not_fill(read):
    table = read("a,b,w\n1,2,1\n3\n5,,2\n7,8,\n", weights="w", impute="median")
    assert table.incomplete == [3, 5] and table.X.tolist() == [[1, 2], [5, 5]]
    with pytest.raises(ValueError, match="every row has a missing value"):
        read("a,b\n1,\n2,\n", columns=["a", "b"], impute="median")


@pytest.mark.parametrize("values", [[1.0], [3.0, 1.0], [np.nan, 2, 7, 1], [1e308, 1.2e308], [0.1, 0.1]])
def test_the_median_is_that_of_numpy(values):
    with np.errstate(over="ignore"):
        expected = np.nanmedian(values)
    assert median(np.array(values)) == (expected if np.isfinite(expected) else 1.1e308)
    assert np.isnan(median(np.full(3, np.nan)))


def test_a_model_keeps_both(here):
    put(TABLE)
    words = ["--skip-columns", "id", *WORDS, "--impute", "median"]
    run("fit", "data.csv", "-k", 2, *words, "--model", "m.json", "--out", "first.csv")
    about = json.load(open("m.json", encoding="utf-8"))["about"]
    assert about["medians"] == {"age": 42, "score": 2.5} and about["text"]["missing"] == WORDS[1].split(",")
    assert "--missing 'unknown,-999,keine Angabe' --impute median" in about["command"]
    for more in ([], ["--delimiter", "comma"]):
        result = run("predict", "m.json", "data.csv", "--out", "again.csv", "--force", *more)
        assert "filled with medians of the fit: age 2 (with 42), score 3 (with 2.5)" in result.stderr
        assert pd.read_csv("again.csv").label.tolist() == pd.read_csv("first.csv").label.tolist()
    put("age,score\n,1\n,\n", "empty.csv")
    assert "2 rows labelled" in run("predict", "m.json", "empty.csv").stdout
    told = report("fit", "data.csv", "-k", 2, *words)
    assert told["data"]["medians"] == about["medians"] and told["parameters"]["impute"] == "median"
    run("fit", "data.csv", "-k", 2, *words, "--prove", "--proof", "p.ckc", "--json", "r.json")
    assert "its rows are those" in run("check", "p.ckc", "data.csv", "--as", "r.json").stdout
