"""Ray Datasets: the bits of one array, and lazy labels. Ray takes long to begin: only with CKMEANS_TEST_RAY=1."""

import logging
import os

import chunkings
import numpy as np
import pytest
from chunkings import CUTS, KINDS

import ckmeans.blocks.sources
import ckmeans.local.rows
from ckmeans import KMeans, certify

if not os.environ.get("CKMEANS_TEST_RAY"):
    pytest.skip("takes half a minute: CKMEANS_TEST_RAY=1 runs it", allow_module_level=True)
ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")
pd = pytest.importorskip("pandas")

K = 4


@pytest.fixture(scope="module")
def cluster():
    ray.init(
        num_cpus=2,
        object_store_memory=80 << 20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    yield
    ray.shutdown()


def test_datasets(cluster, monkeypatch):
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 14)
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 15)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5200, 3)) + rng.uniform(-4, 4, (K, 3))[rng.integers(K, size=5200)]
    weights = rng.uniform(size=len(X))
    model = KMeans(K, init=X[:K])
    expected = KMeans(K, init=X[:K]).fit(X, sample_weight=weights)
    table = pd.DataFrame(X, columns=list("abc")).assign(w=weights)
    rows = ray.data.from_pandas([table[:1], table[1:1], table[1:4000], table[4000:]])
    model.fit(rows, sample_weight="w")
    assert model.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    assert (model.inertia_, model.n_iter_) == (expected.inertia_, expected.n_iter_)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    assert isinstance(model.labels_, ray.data.Dataset)
    assert np.array_equal(model.labels_.to_pandas()["label"], expected.labels_)
    arrays = ray.data.from_numpy([X[:1], X[1:1], X[1:]])
    assert model.score(arrays, sample_weight=weights) == -model.inertia_
    assert np.array_equal(model.transform(arrays).to_pandas().to_numpy(), expected.transform(X))
    bad = X.copy()
    bad[4321, 1] = np.nan
    with pytest.raises(
        ValueError, match=r"contains NaN .* in 1 of 5200 rows: 4321 \(the first is row 2321 of block 1\)\."
    ):
        model.fit(ray.data.from_numpy([bad[:2000], bad[2000:]]))
    with pytest.raises(ValueError, match="X has 0 rows in all of its blocks"):
        model.fit(ray.data.from_items([]))
    with pytest.raises(ValueError, match="sample_weight='v' is no column of X"):
        model.fit(rows, sample_weight="v")


@pytest.mark.filterwarnings("ignore:max_iter=4")  # which was asked for
@pytest.mark.parametrize("number, name", enumerate(CUTS))
def test_any_blocks_give_the_bits_of_one_array(cluster, monkeypatch, number, name):
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 13)
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 14)
    for kind in KINDS[number % 2]:
        rows, weights, expected = chunkings.array(*kind)
        found = chunkings.model().fit(ray.data.from_numpy(np.split(rows, CUTS[name])), sample_weight=weights)
        chunkings.assert_the_same(found, found.labels_.to_pandas()["label"], expected)


def test_certify(cluster, tmp_path):
    X = np.random.default_rng(0).normal(size=(3000, 1))
    model = KMeans(K, init=X[:K]).fit(X)
    rows = ray.data.from_numpy([X[:1], X[1:]])
    given = {"time_limit": None, "gap": 0.01, "n_threads": 1}
    expected, found = (
        certify(X_, model, folder=tmp_path / name, **given) for X_, name in ((X, "array"), (rows, "ray"))
    )
    assert found.exact_lower_bound == expected.exact_lower_bound > 0
