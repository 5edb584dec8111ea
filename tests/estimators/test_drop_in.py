"""What code written for scikit-learn's KMeans meets: the same words, counts, warnings, errors and types."""

import warnings

import numpy as np
import pytest
import sklearn.cluster
from problems import consistent
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from ckmeans import KMeans, k_means, kmeans_plusplus
from ckmeans.local import search
from ckmeans.local import small as small_kernels

IRIS = load_iris().data
MIXED = np.random.default_rng(0).normal(size=(300, 3)) * [1, 2, 5]


# ---- words ----


def test_parameters_of_scikit_learn():
    given = sklearn.cluster.KMeans(3, n_init=2, random_state=0, copy_x=False).get_params()
    assert KMeans(**given).fit(IRIS).inertia_ == pytest.approx(78.8514, abs=1e-4)
    given = sklearn.cluster.KMeans(3, algorithm="elkan", init=IRIS[:3]).get_params()
    assert KMeans(**given).fit(IRIS).stop_reason_ in ("tol", "converged")


def test_words_for_the_same_iteration():
    fits = {
        word: KMeans(5, algorithm=word, random_state=0).fit(MIXED) for word in ("lloyd", "hamerly", "elkan")
    }
    with pytest.warns(FutureWarning, match="algorithm='full' is deprecated: give 'lloyd'"):
        fits["full"] = KMeans(5, algorithm="full", random_state=0).fit(MIXED)
    assert len({fit.cluster_centers_.tobytes() for fit in fits.values()}) == 1
    with pytest.warns(RuntimeWarning, match="elkan' doesn't make sense for a single cluster"):
        KMeans(1, algorithm="elkan").fit(MIXED)


def test_x_is_never_written_to():
    X = MIXED.copy()
    X.flags.writeable = False
    assert np.array_equal(
        KMeans(3, copy_x=False, random_state=0).fit(X).labels_, KMeans(3, random_state=0).fit_predict(X)
    )


@pytest.mark.parametrize(
    "given",
    [
        {"n_init": "warn"},
        {"n_init": 2.0},
        {"n_clusters": "3"},
        {"max_iter": 3.5},
        {"tol": "0"},
        {"polish": 1},
        {"copy_x": "no"},
        {"n_threads": 1.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("error", [ValueError, TypeError])
def test_wrong_types_raise_what_is_both(given, error):
    (name,) = given
    with pytest.raises(error, match=f"{name}="):
        KMeans(**given).fit(IRIS)


# ---- counts and warnings ----


def test_one_start_from_given_centers_is_told():
    with pytest.warns(
        RuntimeWarning, match="Explicit initial center .* only one init in KMeans instead of n_init=10"
    ):
        KMeans(3, init=IRIS[:3], n_init=10).fit(IRIS)
    with warnings.catch_warnings(action="error"):
        KMeans(3, init=IRIS[:3]).fit(IRIS)
        KMeans(3, init=IRIS[:3], n_init=1).fit(IRIS)
        KMeans(3, init=IRIS[:3], n_init=2, algorithm="hybrid").fit(IRIS)


@pytest.mark.parametrize("n_samples", [300, 6000])
def test_the_limit_of_updates_warns(n_samples):
    X = np.random.default_rng(0).normal(size=(n_samples, 3))
    model = KMeans(8, max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter=1 updates of the centers did not") as caught:
        model.fit(X)
    assert caught[0].filename == __file__  # where fit was called
    assert (model.n_iter_, model.stop_reason_) == (1, "max_iter")


@pytest.mark.parametrize("algorithm", ["auto", "lloyd", "yinyang", "hybrid"])
@pytest.mark.parametrize("copies", [4, 2000])
@pytest.mark.parametrize("given", [False, True])
def test_clusters_without_rows_come_last(algorithm, copies, given):
    X = np.repeat([[0.0, 0], [3, 1], [1, 1], [7, 0]], copies, axis=0)
    for seed in range(3):
        init = np.random.default_rng(seed).normal(size=(6, 2)) if given else "k-means++"
        model = KMeans(6, init=init, algorithm=algorithm, random_state=seed, n_init=1)
        with pytest.warns(ConvergenceWarning, match=r"clusters \(4\) found smaller than n_clusters \(6\)"):
            model.fit(X)
        assert set(model.labels_) == {0, 1, 2, 3} and model.inertia_ == 0
        consistent(model, X)


def test_the_count_of_updates_never_exceeds_the_limit():
    for max_iter in range(1, 12):
        theirs = sklearn.cluster.KMeans(5, init=MIXED[:5], max_iter=max_iter, tol=0, n_init=1).fit(MIXED)
        with warnings.catch_warnings(action="ignore"):
            ours = KMeans(5, init=MIXED[:5], max_iter=max_iter, polish=False).fit(MIXED)
        assert ours.n_iter_ == theirs.n_iter_ <= max_iter
    again = KMeans(5, init=KMeans(5, random_state=0).fit(MIXED).cluster_centers_).fit(MIXED)
    assert again.n_iter_ == 1


def test_what_is_printed(capsys):
    X = np.random.default_rng(0).normal(size=(5000, 3))
    KMeans(3, n_init=2, tol=1e-2, verbose=1, random_state=0).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("Initialization complete") == 2 and "center shift is within tolerance 0.01" in lines[2]
    assert [line.partition(":")[0] for line in lines if line.startswith("restart")] == [
        "restart 1",
        "restart 2",
    ]
    KMeans(3, n_init=1, tol=0, verbose=1, random_state=0).fit(X)
    assert "strict convergence" in capsys.readouterr().out


# ---- float32 ----


@pytest.mark.parametrize("algorithm", ["auto", "hybrid"])
@pytest.mark.parametrize("offset", [0, 1000, 1e6])
@pytest.mark.parametrize("n_samples, weighted", [(60, False), (60, True), (350, False), (9000, False)])
def test_single_precision_stays(n_samples, weighted, offset, algorithm):
    if algorithm == "hybrid" and n_samples > 1000:
        pytest.skip("takes long")
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n_samples, 2)) + offset).astype(np.float32)
    weights = rng.uniform(0, 2, n_samples) if weighted else None
    model = KMeans(4, random_state=0, algorithm=algorithm).fit(X, sample_weight=weights)
    assert model.cluster_centers_.dtype == model.transform(X).dtype == np.float32
    assert model.transform(X.astype(float)).dtype == np.float64
    consistent(model, X, weights)
    assert model.transform(X).tobytes() == model.transform(X.astype(float)).astype(np.float32).tobytes()
    double = KMeans(4, random_state=0, algorithm=algorithm).fit(X.astype(float), sample_weight=weights)
    assert model.inertia_ == pytest.approx(double.inertia_, rel=0.02)  # there are several minima


def test_single_precision_is_the_same_by_the_general_kernels(monkeypatch):
    X = (IRIS + 0.01 * np.random.default_rng(0).normal(size=IRIS.shape)).astype(np.float32)
    expected = KMeans(5, random_state=0).fit(X)
    monkeypatch.setattr(small_kernels, "MOST_ROWS", 0)
    other = KMeans(5, random_state=0).fit(X)
    assert other.cluster_centers_.tobytes() == expected.cluster_centers_.tobytes()
    assert np.array_equal(other.labels_, expected.labels_) and other.inertia_ == expected.inertia_
    assert search.local_search(X, 5, rng=0).centers.dtype == np.float64  # what is no estimator does not round


# ---- functions ----


def test_k_means_as_a_function():
    centers, labels, inertia = k_means(IRIS, 3, random_state=0)
    model = KMeans(3, random_state=0).fit(IRIS)
    assert np.array_equal(centers, model.cluster_centers_) and inertia == model.inertia_
    assert np.array_equal(labels, model.labels_)
    assert k_means(IRIS, 3, random_state=0, return_n_iter=True)[3] == model.n_iter_
    names = ("n_init", "max_iter", "verbose", "tol", "copy_x", "algorithm", "sample_weight", "init")
    values = (2, 100, False, 1e-4, True, "elkan", np.ones(150), "random")
    assert len(k_means(IRIS, 3, random_state=0, **dict(zip(names, values)))) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("trials", [None, 1])
def test_rows_by_k_means_plus_plus(dtype, trials):
    X = (10 * MIXED).astype(dtype)
    for seed in range(5):
        centers, indices = kmeans_plusplus(X, 7, random_state=seed, n_local_trials=trials)
        assert np.array_equal(centers, X[indices]) and len(set(indices)) == 7
        assert centers.dtype == (np.float32 if dtype == np.float32 else np.float64)
    heavy = np.arange(300) % 10 == 0
    assert heavy[kmeans_plusplus(X, 7, sample_weight=heavy, random_state=0)[1]].all()
    assert len(set(kmeans_plusplus([[1.0], [1.0], [2.0]], 3, random_state=0)[0].ravel())) == 2


@pytest.mark.parametrize(
    "given, match",
    [
        (
            {"x_squared_norms": [1, 2]},
            "length of x_squared_norms 2 should be equal to the length of n_samples 150",
        ),
        ({"n_local_trials": 0}, "n_local_trials=0"),
        ({"n_clusters": 151}, "n_samples=150 should be >= n_clusters=151"),
    ],
)
def test_bad_parameters_of_k_means_plus_plus(given, match):
    with pytest.raises(ValueError, match=match):
        kmeans_plusplus(IRIS, **{"n_clusters": 3, **given})


def test_starts_as_other_packages_ask_for_them():
    weights, random_state = np.arange(150) % 2 + 0.0, np.random.RandomState(0)
    for init in ("k-means++", "random"):
        centers = KMeans(5)._init_centroids(IRIS, None, init, random_state, weights, n_centroids=4)
        assert centers.shape == (4, 4)
        assert all((IRIS[1::2] == center).all(axis=1).any() for center in centers)
