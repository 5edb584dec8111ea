"""`ckmeans compare`: clusters matched, rows that moved, whatever the clusters are called."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run
from sklearn.metrics import adjusted_rand_score

from ckmeans.command.compare import compared

RNG = np.random.default_rng(4)


def labels(values, name):
    return put("label\n" + "".join(f"{value}\n" for value in values), name)


def test_names_of_clusters_do_not_matter(here):
    first = RNG.integers(0, 3, 50)
    labels(first, "a.csv")
    labels(np.array(["new", "gold", "x y"])[first], "b.csv")
    told = report("compare", "a.csv", "b.csv")["result"]
    assert told["n_moved"] == 0 and told["adjusted_rand"] == 1.0 and told["largest_moves"] == []
    assert told["matched"] == {"new": "0", "gold": "1", "x y": "2"}
    assert "no row moved of 50" in run("compare", "a.csv", "b.csv").stdout


def test_many_clusters_are_not_all_shown(here):
    labels(np.arange(80) % 40, "a.csv")
    labels(np.arange(80) % 4, "b.csv")
    assert "and more clusters, 40 and 4 in all: see --json" in run("compare", "a.csv", "b.csv").stdout


@pytest.mark.parametrize("seed", range(10))
def test_as_many_rows_as_can_be_are_in_matched_clusters(seed):
    from itertools import permutations

    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 3, 30), rng.integers(0, 4, 30)
    result, moved = compared(list(map(str, first)), list(map(str, second)))
    best = max(sum(p[a] == b for a, b in zip(first, second)) for p in permutations(range(4), 3))
    assert result["n_moved"] == 30 - best == sum(moved)
    assert result["adjusted_rand"] == adjusted_rand_score(first, second)
    assert np.array(result["table"]).sum() == 30
    flows = [move["rows"] for move in result["largest_moves"]]
    assert flows == sorted(flows, reverse=True)


def test_rows_without_a_label_and_ten_after_nine(here):
    put("line,label\n2,9\n3,10\n4,\n5,9\n6,2\n", "a.csv")
    put("label\n0\n1\n1\n0\n.\n", "c.csv")
    result = run("compare", "a.csv", "c.csv", "--out", "moves.csv", "--json", "report.json")
    told = json.load(open("report.json", encoding="utf-8"))["result"]
    assert told["clusters"] == {"first": ["9", "10"], "second": ["0", "1"]} and told["n_samples"] == 3
    moves = pd.read_csv("moves.csv")
    assert moves["line"].tolist() == [2, 3, 4, 5, 6] and moves["first"].tolist()[:2] == [9, 10]
    assert moves["moved"].isna().tolist() == [False, False, True, False, True]
    assert "left out 2 of 5 rows without a label in either file" in result.stderr


def test_what_is_wrong(here):
    labels([0, 1], "a.csv")
    labels([0, 1, 1], "b.csv")
    put("x,y\n1,2\n3,4\n", "c.csv")
    said = run("compare", "a.csv", "a.csv", "--label", "nothing", code=1).stderr
    assert "there is no column 'nothing' in a.csv nor in a.csv" in said
    assert "a.csv has 2 rows, b.csv has 3" in run("compare", "a.csv", "b.csv", code=1).stderr
    assert "none of which is called label" in run("compare", "a.csv", "c.csv", code=1).stderr
    assert (
        "a.csv is the data file itself" in run("compare", "a.csv", "a.csv", "--out", "a.csv", code=1).stderr
    )
    with pytest.raises(ValueError, match="no row has a label in both"):
        compared(["a", None], [None, "b"])


def test_names_are_labels_to_certify_too(here):
    put("x\n0\n1\n10\n11\n", "data.csv")
    labels(["low", "low", "high", "high"], "names.csv")
    labels([1, 1, 0, 0], "numbers.csv")
    ways = [report("certify", "data.csv", name)["result"] for name in ("names.csv", "numbers.csv")]
    assert ways[0]["inertia"] == ways[1]["inertia"] == 1.0 and ways[0]["status"] == ways[1]["status"]
    labels(["low", "low", "high"], "short.csv")
    assert "has 3 labels, data.csv has 4 rows" in run("certify", "data.csv", "short.csv", code=1).stderr
