"""What a notebook shows of each result: HTML that is well formed, and says what the result says."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from sklearn.datasets import load_iris

import ckmeans
from ckmeans import notebook

X = load_iris().data[::5]
RESULTS = {
    "Certificate": lambda: ckmeans.certify(X, n_clusters=2, random_state=0),
    "ExhaustiveSolution": lambda: ckmeans.exhaustive_search(X[::2], 2),
    "PartitionPosterior": lambda: ckmeans.partition_posterior(X[::3], 2, variance=0.1),
    "ChoiceOfK": lambda: ckmeans.choose_k(X, [2, 3], random_state=0),
    "ClusterStability": lambda: ckmeans.cluster_stability(X, 2, n_resamples=3, random_state=0),
    "Landscape": lambda: ckmeans.landscape(X, 3, 30, random_state=0),
    "LloydPath": lambda: ckmeans.lloyd_path(X, 3, random_state=0),
    "Clusterings": lambda: ckmeans.fit_many([X[:9], X[9:]], 2, random_state=0),
}


@pytest.mark.parametrize("name", RESULTS)
def test_html(name):
    found = RESULTS[name]()
    assert type(found).__name__ == name
    page = ET.fromstring(f"<div>{found._repr_html_()}</div>")
    said = " ".join(page.itertext())
    assert page.findtext("p/strong") and "<" not in said and "nan" not in said
    for line in page.iter("tr"):
        assert len(line) >= 2 or line[0].get("colspan")
    if hasattr(found, "verdict"):
        assert page.findtext("p/strong") == found.verdict


def test_solution():
    found = ckmeans.Solution(np.array([0, 1, 1]), np.zeros((2, 1)), 2.0, 1.0, "bounded", "time_limit")
    page = ET.fromstring(f"<div>{found._repr_html_()}</div>")
    assert page.findtext("p/strong") == "2 clusters of 3 rows: bounded"
    assert "bounded (time_limit)" in " ".join(page.itertext())


def test_long_tables_end_and_marks_are_bold():
    page = notebook.as_html("", {"a&b": range(100)}, {"none": "", "n": 1}, [("a&b", 3)])
    page = ET.fromstring(f"<div>{page}</div>")
    lines = [" ".join(line.itertext()) for line in page.iter("tr")]
    assert len(lines) == 23 and lines[21] == "and 80 more" and lines[22] == "n 1"
    assert [bold.text for bold in page.iter("strong")] == ["3"]
