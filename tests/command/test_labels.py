"""What --out writes beside the labels: an identifier, all columns, distances."""

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run

from ckmeans.command.tables import read_cells, read_table

TABLE = 'id,name,x,y\n007,"Ann, B.",1,2\n08,,1,3\n9,C,,4\n10,D,50,60\n'


def test_an_identifier_as_it_stands(here):
    put(TABLE, "data.csv")
    run("fit", "data.csv", "-k", 2, "--columns", "x,y", "--id", "id", "--distances", "--out", "labels.csv")
    found = pd.read_csv("labels.csv", dtype={"id": str})
    assert list(found.columns) == ["line", "id", "label", "distance", "next_distance"]
    assert found["id"].tolist() == ["007", "08", "9", "10"]
    assert found["label"].isna().tolist() == [False, False, True, False]
    assert found["distance"].tolist()[:2] == [0.5, 0.5] and found["distance"][3] == 0.0
    assert (found["next_distance"][[0, 1, 3]] > 70).all()


@pytest.mark.parametrize("name", ["all.csv", "all.parquet"])
def test_all_columns(name, here):
    put(TABLE, "data.csv")
    run("fit", "data.csv", "-k", 2, "--columns", "x,y", "--append", "--out", name)
    found = pd.read_csv(name, dtype=str) if name.endswith("csv") else pd.read_parquet(name)
    assert list(found.columns) == ["id", "name", "x", "y", "cluster"]
    assert found["id"].tolist() == ["007", "08", "9", "10"] and found["name"][0] == "Ann, B."
    assert found["cluster"].astype("Int64").isna().tolist() == [False, False, True, False]


def test_a_column_that_is_called_cluster_stays(here):
    put("cluster,x\na,1\nb,2\nc,9\n", "data.csv")
    run("fit", "data.csv", "-k", 2, "--append", "--out", "all.csv")
    found = pd.read_csv("all.csv")
    assert found["cluster"].tolist() == ["a", "b", "c"] and list(found.columns) == [
        "cluster",
        "x",
        "cluster.1",
    ]


def test_other_files(here):
    np.save("data.npy", np.array([[1.0, 2], [1, 3], [50, 60]]))
    pd.DataFrame({"who": ["a", "b", None], "v": [[1.0, 2], [1.0, 3], [50.0, 60]]}).to_parquet("data.parquet")
    run("fit", "data.npy", "-k", 2, "--id", "x2", "--out", "npy.csv")
    assert pd.read_csv("npy.csv")["x2"].tolist() == [2, 3, 60]
    run("fit", "data.parquet", "-k", 2, "--id", "who", "--out", "parquet.csv")
    found = pd.read_csv("parquet.csv")
    assert (
        found["who"].tolist()[:2] == ["a", "b"]
        and found["label"].tolist() == pd.read_csv("npy.csv")["label"].tolist()
    )
    assert read_cells("data.parquet", ["v.1", "who"])[0].to_numpy().tolist() == [
        [2.0, "a"],
        [3.0, "b"],
        [60.0, None],
    ]


def test_comments_sizes_and_quotes(here):
    put('2 3\n1 2 "a b"\n# comment\n3 4 c\n', "data.txt")
    for columns in (["x3"], ["x3", "x1"]):
        cells, lines = read_cells("data.txt", columns)
        table = read_table("data.txt")
        assert list(lines) == list(table.lines) and len(cells) == len(table.lines) == 2
        assert cells["x3"].tolist() == ["a b", "c"] and list(cells.columns) == columns


def test_refused_before_any_work(here):
    put(TABLE, "data.csv")
    assert (
        "there is no column 'nope' in data.csv"
        in run("fit", "data.csv", "-k", 2, "--id", "nope", "--out", "l.csv", code=1).stderr
    )
    assert "--append is for --out FILE" in run("fit", "data.csv", "-k", 2, "--append", code=2).stderr
    message = run("fit", "-", "-k", 2, "--id", "id", "--out", "l.csv", code=1, input=TABLE).stderr
    assert "standard input is read once" in message


def test_names_of_clusters(here):
    put("customer,a,b\n1001,1,2\n1002,1,3\n1003,,3\n1004,50,60\n")
    put("customer,segment\n1001,silver\n1002,silver\n1003,silver\n1004,gold\n", "names.csv")
    words = ["certify", "data.csv", "names.csv", "--columns", "a,b"]
    message = run(*words, code=1).stderr
    assert "has the columns customer, segment, none of which is called label or cluster" in message
    assert "--label" in message
    told = report(*words, "--label", "segment", "--out", "l.csv")["result"]
    assert told["label_names"] == ["gold", "silver"] and told["sizes"] == [1, 2]
    assert pd.read_csv("l.csv")["label"].astype("Int64").tolist() == [1, 1, pd.NA, 0]
    assert "clusters      0 gold, 1 silver\n" in run(*words, "--label", "segment").stdout
    said = run(*words, "--label", "Segment", code=1).stderr
    assert "there is no column 'Segment' in names.csv (did you mean segment?)" in said


def test_labels_beside_all_columns(here):
    put(TABLE, "data.csv")
    words = ["data.csv", "--columns", "x,y"]
    run("fit", *words, "-k", 2, "--append", "--out", "all.csv")
    run("fit", *words, "-k", 2, "--out", "labels.csv")
    assert "optimal" in run("certify", words[0], "all.csv", *words[1:]).stdout
    assert "no row moved of 3" in run("compare", "all.csv", "labels.csv").stdout
    assert "no row moved of 3" in run("compare", "all.csv", "all.csv", "--label", "x").stdout
