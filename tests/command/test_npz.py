"""Sparse rows from .npz files, and clusters by angle, as the command gives them."""

import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run
from scipy import sparse

from ckmeans import KMeans, SphericalKMeans
from ckmeans.command import inputs
from ckmeans.command.arrays import _as_csr
from ckmeans.command.tables import read_table


def rows(n=60, d=30):
    """Three groups, each with a feature of its own; one row is zero."""
    rng = np.random.default_rng(0)
    X = np.round(rng.random((n, d)), 2) * (rng.random((n, d)) < 0.15)
    X[np.arange(n), np.arange(n) % 3] += 2
    X[5] = 0
    return X


@pytest.fixture
def saved(here):
    X = rows()
    sparse.save_npz("rows.npz", sparse.csr_array(X))
    np.save("rows.npy", X)
    return X


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("compressed", [False, True])
def test_every_format_is_read(here, kind, compressed):
    X = rows()
    for made in (sparse.csr_array(X).asformat(kind), sparse.csr_matrix(X.astype(np.float32)).asformat(kind)):
        sparse.save_npz("rows.npz", made, compressed=compressed)
        table = read_table("rows.npz")
        assert table.X.format == "csr" and table.X.dtype == made.dtype and table.X.has_canonical_format
        assert np.array_equal(table.X.toarray(), made.toarray())
        assert table.columns[:2] == ["x1", "x2"] and len(table.rows) == 60


def test_columns_weights_and_missing_values(here):
    X = rows()
    X[7, 3] = X[8, 29] = np.nan
    sparse.save_npz("rows.npz", sparse.csc_array(X))
    np.save("rows.npy", X)
    for options in ({}, {"columns": ["x4", "2"]}, {"skip_columns": ["x4"], "weights": "x1"}):
        found, dense = (read_table(name, **options) for name in ("rows.npz", "rows.npy"))
        assert np.array_equal(found.X.toarray(), dense.X) and found.columns == dense.columns
        assert found.rows.tolist() == dense.rows.tolist() and found.notes == dense.notes
        assert found.weights is None or found.weights.tolist() == dense.weights.tolist()
    X[9, 3] = np.inf
    sparse.save_npz("rows.npz", sparse.csr_array(X))
    with pytest.raises(ValueError, match="column x4 holds infinity in row 10"):
        read_table("rows.npz")


def test_one_array_and_several(here):
    np.savez("one.npz", X=rows())
    assert np.array_equal(read_table("one.npz").X, rows())
    np.savez_compressed("two.npz", X=rows(), y=rows())
    with pytest.raises(ValueError, match=r"two.npz holds 2 arrays \(X, y\): save the one"):
        read_table("two.npz")


def _changed(**parts):
    given = sparse.csr_array(np.eye(3))
    saved = {"data": given.data, "indices": given.indices, "indptr": given.indptr, "shape": given.shape}
    file = io.BytesIO()
    np.savez(file, **{"format": b"csr", **saved, **parts})
    return file.getvalue()


@pytest.mark.parametrize(
    "content, message",
    [
        (_changed(indices=np.array([0, 1, 9])), "no readable .npz"),
        (_changed(indptr=np.array([0, 2, 1, 3])), "no readable .npz"),
        (_changed(indices=np.array([0, -1, 2])), "no readable .npz"),
        (_changed(data=np.array([None, 1, 2], object)), "allow_pickle"),
        (_changed(data=np.array(["a", "b", "c"])), "numbers"),
        (_changed(data=np.array([2**53 + 1, 1, 2])), "beyond 2"),
        (_changed(format=b"xyz"), "no readable .npz"),
        (b"PK\x03\x04 and no more", "is no .npz file"),
        (b"nothing like it", "is no .npz file"),
    ],
)
def test_damaged_files_are_refused(here, content, message):
    (here / "rows.npz").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_table("rows.npz")


def test_a_truncated_member_is_refused(saved, here):
    with zipfile.ZipFile("rows.npz") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile("cut.npz", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[:-9] if name == "data.npy" else content)
    with pytest.raises(ValueError, match="no readable .npz"):
        read_table("cut.npz")


def test_a_header_without_its_end_is_refused(saved, here):
    """NumPy reads it as Python first, then by tokens."""
    content = io.BytesIO()
    np.save(content, rows())
    cut = content.getvalue().replace(b"30), }", b"30, )( ")
    (here / "rows.npy").write_bytes(cut)
    with zipfile.ZipFile("rows.npz", "w") as archive:
        archive.writestr("X.npy", cut)
    for name in ("rows.npy", "rows.npz"):
        with pytest.raises(ValueError, match=f"{name} is no readable"):
            read_table(name)


def test_fit_of_sparse_rows(saved):
    model = KMeans(3, random_state=0).fit(sparse.csr_array(saved))
    told = report(
        "fit", "rows.npz", "-k", 3, "--out", "labels.csv", "--distances", "--centers", "centers.csv"
    )
    result, dense = told["result"], report("fit", "rows.npy", "-k", 3)["result"]
    assert result["inertia"] == pytest.approx(model.inertia_) and result["centers"] is None
    assert result["within_ss"] == pytest.approx(dense["within_ss"]) and result["sizes"] == dense["sizes"]
    assert "fixed point of Lloyd's iteration" in result["verdict"]
    labels = pd.read_csv("labels.csv")
    assert labels.label.tolist() == model.labels_.tolist()
    assert (labels.distance**2).sum() == pytest.approx(model.inertia_)
    assert np.allclose(pd.read_csv("centers.csv"), model.cluster_centers_)
    shown = run("fit", "rows.npz", "-k", 3, "--init", "centers.csv").stdout
    assert "features; those in which they differ most" in shown and "x30" not in shown


@pytest.mark.parametrize("name", ["rows.npz", "rows.npy"])
def test_fit_by_angle(saved, name):
    kept = np.flatnonzero(saved.any(axis=1))
    model = SphericalKMeans(3, random_state=0).fit(saved[kept])
    result = run("fit", name, "-k", 3, "--metric", "cosine", "--out", "labels.csv", "--distances")
    assert "left out 1 of 60 rows that are zero, which has no direction: row 6" in result.stderr
    assert "the sum of 1 - cosine" in result.stdout and "within 1-cos" in result.stdout
    assert "(a fixed point of Lloyd's iteration for angles)" in result.stdout
    labels = pd.read_csv("labels.csv")
    assert np.isnan(labels.label[5]) and labels.label[kept].tolist() == model.labels_.tolist()
    assert labels.distance.sum() == pytest.approx(model.inertia_)
    told = report("fit", name, "-k", 3, "--metric", "cosine")["result"]
    assert told["units"] == "1 - cosine" and told["inertia"] == pytest.approx(model.inertia_)
    assert sum(told["within_ss"]) == pytest.approx(model.inertia_)
    assert "direction of the sum" in report("fit", name, "-k", 1, "--metric", "cosine")["result"]["verdict"]


@pytest.mark.parametrize(
    "option",
    [
        ["--prove"],
        ["--algorithm", "hybrid"],
        ["--no-polish"],
        ["--standardize"],
        ["--report", "page.html"],
        ["--log", "sepal_length_cm"],
        ["--checkpoint", "c"],
        ["--proof", "p"],
    ],
    ids=lambda words: words[0],
)
def test_options_that_are_not_for_angles(option):
    name = option[0].replace("--no-", "--")
    said = run("fit", "iris", "-k", 3, "--metric", "cosine", *option, code=2).stderr
    assert f"{name} is for --metric euclidean" in said


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_models_of_sparse_rows(saved, metric):
    run("fit", "rows.npz", "-k", 3, "--metric", metric, "--model", "model.json", "--out", "labels.csv")
    assert json.load(open("model.json", encoding="utf-8"))["columns"][-1] == "x30"
    for name in ("rows.npz", "rows.npy"):
        told = report("predict", "model.json", name, "--out", "again.csv", "--force")["result"]
        assert sum(told["far_rows"]) == 0 and "no share of a cluster has moved" in told["verdict"]
        assert told["units"] == {"euclidean": "data", "cosine": "1 - cosine"}[metric]
        again, first = pd.read_csv("again.csv"), pd.read_csv("labels.csv")
        assert again.label.equals(first.label)
    later = saved * 1.0
    later[9] = np.eye(1, 30, 20)
    sparse.save_npz("later.npz", sparse.csr_array(later))
    assert sum(report("predict", "model.json", "later.npz")["result"]["far_rows"]) == 1


def test_sparse_numbers_without_columns():
    with pytest.raises(ValueError, match="which has no rows and columns"):
        _as_csr(SimpleNamespace(ndim=1, shape=(3,)))


def test_rows_of_zeros_have_no_angle(here):
    put("a,b\n1,2\n2,1\n")
    put("a,b\n0,0\n0,0\n", "zeros.csv")
    words = ["-k", 1, "--metric", "cosine"]
    assert "left out" not in run("fit", "data.csv", *words).output
    assert "all 2 rows are zero, which has no direction" in run("fit", "zeros.csv", *words, code=1).stderr


def test_zeros_of_sparse_rows_are_no_gaps(saved):
    assert (
        "would make nearly all of these sparse rows gaps"
        in run("fit", "rows.npz", "-k", 2, "--missing", 0, code=1).stderr
    )
    assert (
        "takes dense rows, and these are sparse"
        in run("fit", "rows.npz", "-k", 2, "--impute", "median", code=1).stderr
    )


def test_what_takes_dense_rows_gets_them_or_is_refused(saved, monkeypatch):
    proved, dense = (
        report("fit", name, "-k", 2, "--prove", "--columns", "x1,x2") for name in ("rows.npz", "rows.npy")
    )
    assert proved["result"]["inertia"] == dense["result"]["inertia"]
    assert proved["data"]["notes"][-1].startswith("sparse rows were made dense: 60 x 2")
    labels = put("label\n" + "0\n1\n2\n" * 20, "labels.csv")
    certified = [report("certify", name, labels, "--time-limit", 3) for name in ("rows.npz", "rows.npy")]
    assert certified[0]["result"]["inertia"] == certified[1]["result"]["inertia"]
    monkeypatch.setattr(inputs, "MOST_DENSE", 100)
    for words in (
        ["fit", "rows.npz", "-k", 2, "--prove"],
        ["landscape", "rows.npz", "-k", 2],
        ["soft", "rows.npz", "-k", 2],
    ):
        said = run(*words, code=1).stderr
        assert f"`ckmeans {words[0]}` with these options takes dense rows, and 60 x 30 numbers" in said
    said = run("fit", "rows.npz", "-k", 2, "--out", "l.csv", "--append", code=1).stderr
    assert "leave out --id and --append" in said


def test_numbers_whose_squares_are_beyond_the_floats(here):
    sparse.save_npz("rows.npz", sparse.csr_array(rows() * 1e200))
    result = run("fit", "rows.npz", "-k", 2)
    assert "beyond the floats" in result.stdout and "nan" not in result.stdout and not result.stderr
