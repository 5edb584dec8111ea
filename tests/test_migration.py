"""Every line of the page on moving here from other libraries: the words are ours, and they mean what is said."""

import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.cluster
import sklearn.mixture
from sklearn.datasets import load_iris

import ckmeans
from ckmeans import KMeans, SphericalMixture, natural_breaks

PAGE = Path(__file__).resolve().parents[1] / "docs" / "migration.md"
if not PAGE.exists():
    pytest.skip("tested without the documentation", allow_module_level=True)
TEXT = PAGE.read_text(encoding="utf-8")
IRIS = load_iris().data
VALUES, WEIGHTS = IRIS[:, 2], np.arange(150) % 3 + 1.0
FITTED = {
    "KMeans": KMeans(3, random_state=0).fit(pd.DataFrame(IRIS, columns=list("abcd"))),
    "SphericalMixture": SphericalMixture(3, variance="per-cluster", random_state=0).fit(IRIS),
}
# Words in tables that stand for both sides at once: "the same".
THEIRS = {
    "scikit-learn: KMeans": (sklearn.cluster.KMeans, FITTED["KMeans"]),
    "scikit-learn: GaussianMixture": (sklearn.mixture.GaussianMixture, FITTED["SphericalMixture"]),
    "k-means-constrained": (None, FITTED["KMeans"]),
}


def sections():
    """The tables of the page: title, and rows of cells."""
    for section in TEXT.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in body.splitlines() if line.startswith("| ")]
        yield title, [[cell.strip().replace("\\|", "|") for cell in row] for row in rows]


def words(cell):
    """The names in a cell: parameters, attributes and methods."""
    names = [re.sub(r"[=(].*", "", word) for word in re.findall(r"`([^`\"]+)[^`]*`", cell)]
    return [name for name in names if re.fullmatch(r"[a-z]\w*", name)]


SAME = {
    f"{title}: {name}": (name, *THEIRS[title])
    for title, rows in sections()
    if title in THEIRS
    for theirs, ours, *_ in rows
    if ours == "the same" or theirs == ours
    for name in words(theirs)
}


def test_the_page_has_all_tables():
    titles = [title for title, _ in sections()]
    for name in (
        "KMeans",
        "MiniBatchKMeans",
        "GaussianMixture",
        "jenkspy and mapclassify",
        "Ckmeans.1d.dp",
        "FAISS",
    ):
        assert any(name in title for title in titles), name
    assert len(SAME) > 40


@pytest.mark.parametrize("name, theirs, ours", SAME.values(), ids=SAME)
def test_what_is_the_same_is_there(name, theirs, ours):
    def has(model):
        return hasattr(model, name) or name in inspect.signature(type(model)).parameters

    assert has(ours)
    assert theirs is None or name.endswith("_") or has(theirs(3))


def test_every_parameter_of_theirs_is_in_the_table():
    for title, (theirs, _) in THEIRS.items():
        text = dict((t, str(rows)) for t, rows in sections())[title]
        for name in inspect.signature(theirs).parameters if theirs else ():
            if name != "verbose_interval":
                assert name in text, name


# Ours, line by line, with what it is to give.
LINES = {
    "natural_breaks(values, 5).breaks": lambda v: natural_breaks(v, 5).breaks[0] == v.min(),
    "natural_breaks(values, 5).labels": lambda v: natural_breaks(v, 5).labels.shape == v.shape,
    "natural_breaks(values, 5).classify(new)": lambda v: (
        natural_breaks(v, 5).classify([0, 9]).tolist() == [0, 4]
    ),
    "natural_breaks(values, 5).breaks[1:-1]": lambda v: len(natural_breaks(v, 5).breaks[1:-1]) == 4,
    "natural_breaks(values, 5).bins": lambda v: natural_breaks(v, 5).bins[-1] == v.max(),
    "`.labels`, `.counts`": lambda v: np.array_equal(
        natural_breaks(v, 5).counts, np.bincount(natural_breaks(v, 5).labels)
    ),
    "KMeans(k, max_seconds=10)": lambda v: KMeans(3, max_seconds=10).fit(IRIS).stop_reason_ == "converged",
}


@pytest.mark.parametrize("line", LINES)
def test_lines_of_ours(line):
    assert line in TEXT and LINES[line](VALUES)


def test_breaks_as_in_r():
    result = natural_breaks(VALUES, range(1, 10), sample_weight=WEIGHTS, variances="unequal")
    labels, k = result.labels, result.n_clusters
    assert sorted(result.tried) == list(range(1, 10))
    assert np.allclose(result.sizes, np.bincount(labels, WEIGHTS))
    assert np.allclose(
        result.centers, [np.average(VALUES[labels == c], weights=WEIGHTS[labels == c]) for c in range(k)]
    )
    assert result.within.sum() == pytest.approx(result.inertia)
    assert result.total == pytest.approx(result.inertia + result.between)
    assert result.goodness_of_variance_fit == pytest.approx(result.between / result.total)


def test_breaks_of_jenkspy():
    jenkspy = pytest.importorskip("jenkspy")
    assert np.allclose(jenkspy.jenks_breaks(VALUES, n_classes=4), natural_breaks(VALUES, 4).breaks)


def test_bins_of_mapclassify():
    mapclassify = pytest.importorskip("mapclassify")
    theirs, ours = mapclassify.FisherJenks(VALUES, k=4), natural_breaks(VALUES, 4)
    assert np.allclose(theirs.bins, ours.breaks[1:]) and np.array_equal(theirs.counts, ours.counts)


def test_centroids_of_faiss():
    faiss = pytest.importorskip("faiss")
    X = IRIS.astype(np.float32)
    theirs = faiss.Kmeans(4, 3, niter=25, seed=1, gpu=False)
    theirs.train(X, init_centroids=X[[0, 60, 120]])
    ours = KMeans(3, init=X[[0, 60, 120]], max_iter=25, polish=False).fit(X)
    assert ours.cluster_centers_.dtype == theirs.centroids.dtype == np.float32
    assert np.allclose(ours.cluster_centers_, theirs.centroids, atol=1e-3)
    assert ours.inertia_ == pytest.approx(theirs.obj[-1], rel=1e-3)
    assert np.allclose(theirs.index.search(X, 1)[0][:, 0], ours.transform(X).min(axis=1) ** 2, atol=1e-3)


def test_cells_of_birch():
    summary = ckmeans.Summary(max_cells=40).partial_fit(IRIS[::2]).partial_fit(IRIS[1::2])
    birch = sklearn.cluster.Birch(threshold=0.3, n_clusters=None).partial_fit(IRIS)
    assert (
        summary.cells.means.shape[1] == birch.subcluster_centers_.shape[1] and len(summary.cells.means) <= 40
    )
    assert summary.cells.weights.sum() == len(IRIS) and KMeans(3, random_state=0).fit(summary).inertia_ < 90


def test_batches_of_mini_batch():
    theirs, ours = (
        sklearn.cluster.MiniBatchKMeans(3, random_state=0),
        ckmeans.MiniBatchKMeans(3, random_state=0),
    )
    for model in (theirs, ours):
        model.partial_fit(IRIS[::2]).partial_fit(IRIS[1::2])
        assert len(model.labels_) == len(IRIS[1::2]) and model.n_steps_ == 2
    assert ours.inertia_ == KMeans(3, random_state=0).fit(IRIS).inertia_ <= -theirs.score(IRIS)


def test_rows_of_a_file(tmp_path):
    np.save(tmp_path / "rows.npy", IRIS)
    assert KMeans(3, random_state=0).fit(tmp_path / "rows.npy").inertia_ < 80


def test_names_that_are_imported():
    (line,) = re.findall(r"^\+ from ckmeans import (.*)$", TEXT, re.MULTILINE)
    assert all(hasattr(ckmeans, name) and hasattr(sklearn.cluster, name) for name in line.split(", "))


def test_the_variance_that_is_given_stays():
    assert SphericalMixture(3).fit(IRIS).variances_.tolist() == [1.0] * 3
    assert len(set(SphericalMixture(3, variance="tied").fit(IRIS).variances_)) == 1
