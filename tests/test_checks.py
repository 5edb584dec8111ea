"""Bad input to KMeans: refused, and the message names value, bound and remedy."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from ckmeans import KMeans, exhaustive_search

X4 = np.arange(8.0).reshape(4, 2)
NAN, INF = X4.copy(), X4.copy()
NAN[[1, 3], 1] = np.nan
INF[2, 0] = -np.inf
BIG = 2**53 + np.arange(4)

BAD_ROWS = {
    "NaN": (NAN, ["NaN", "2 of 4 rows", "1, 3", "Drop"]),
    "infinity": (INF, ["infinity", "1 of 4 rows: 2"]),
    "NaN in a frame": (pd.DataFrame(NAN), ["NaN", "1, 3"]),
    "missing": (pd.DataFrame({"a": pd.array([1, None, 3], "Int64")}), ["NaN", "1 of 3 rows: 1"]),
    "no rows": (np.empty((0, 2)), ["0 sample", "minimum of 1", "give at least one row"]),
    "no columns": (np.empty((4, 0)), ["0 feature", "minimum of 1", "one feature"]),
    "1-D": (X4[:, 0], ["1D array", "Reshape"]),
    "3-D": (X4[None], ["dim 3", "<= 2", "reshape"]),
    "complex": (X4 + 1j, ["omplex"]),
    "words": ([["a", "b"], ["c", "d"]], ["must hold numbers", "'a'", "Encode or drop"]),
    "words in a frame": (
        pd.DataFrame({"a": [1.0, 2], "b": ["x", "y"]}),
        ["must hold numbers", "'x'", "Encode or drop"],
    ),
    "digits as words": (np.array([["1"], ["2"]]), ["must hold numbers", "text, '1'"]),
    "digits as objects": (np.array([["1"], ["2"]], object), ["must hold numbers", "text, '1'"]),
    "digits in a frame": (pd.DataFrame({"a": [1, 2], "b": ["1", "2"]}), ["column 'b' holds text, '1'"]),
    "digits in a polars frame": (
        pl.DataFrame({"a": [1, 2], "b": ["1", "2"]}),
        ["column 'b' holds text, '1'"],
    ),
    "categories": (pd.DataFrame({"a": pd.Categorical(["x", "y"])}), ["column 'a' holds text, 'x'"]),
    "two columns of a name": (pd.DataFrame([[1, "x"]], columns=["a", "a"]), ["column 'a' holds text, 'x'"]),
    "dates": (np.array([["2020-01-01"], ["2020-01-02"]], dtype="M8[D]"), ["must hold numbers", "2020-01-01"]),
    "dates in a frame": (
        pd.DataFrame({"t": pd.date_range("2020-01-01", periods=2), "b": [1, 2]}),
        ["column 't' holds a date"],
    ),
    "masked": (np.ma.masked_equal(X4, 3), ["1 masked value", "fill them in"]),
    "lazy": (pl.DataFrame(X4).lazy(), ["LazyFrame", "collect()"]),
    "int64 beyond 2**53": (BIG[:, None], [str(BIG[-1]), "2**53", "subtract the minimum"]),
    "uint64 beyond 2**53": (BIG[:, None].astype(np.uint64), [str(BIG[-1]), "2**53"]),
    "int64 in a mixed frame": (pd.DataFrame({"a": BIG, "b": [0.5] * 4}), [str(BIG[-1]), "2**53"]),
    "int64 in a polars frame": (pl.DataFrame({"a": BIG, "b": [0.5] * 4}), [str(BIG[-1]), "2**53"]),
    "nullable integers": (
        pd.DataFrame({"a": pd.array(BIG, "Int64"), "b": [0.5] * 4}),
        [str(BIG[-1]), "2**53"],
    ),
    "objects": (BIG[:, None].astype(object), [str(BIG[-1]), "2**53"]),
    "lists of whole numbers": ([[2**70], [2**70 + 1]], [str(2**70 + 1), "2**53"]),
    "whole numbers beyond the floats": ([[10**5000], [1]], ["of 5001 digits", "2**53"]),
}
SHAPES = {"no rows", "no columns", "1-D", "3-D"}  # told by scikit-learn, in its words


@pytest.mark.parametrize("X, parts", BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows(X, parts):
    with pytest.raises(ValueError) as caught:
        KMeans(1).fit(X)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", sorted(BAD_ROWS.keys() - SHAPES))
def test_bad_rows_at_the_other_door(name):
    X, parts = BAD_ROWS[name]
    with pytest.raises(ValueError) as caught:
        exhaustive_search(X, 1)
    for part in parts:
        assert part in str(caught.value)


def test_masked_arrays_without_masked_values_are_taken():
    assert KMeans(4).fit(np.ma.masked_array(X4)).inertia_ == 0


def test_objects_that_are_no_numbers():
    with pytest.raises((TypeError, ValueError), match="must be a string or a real number|must hold numbers"):
        KMeans(1).fit(np.array([[1.0], [{"a": 1}]], dtype=object))


def test_whole_numbers_up_to_the_limit_are_taken():
    for X in ([[2**53], [-(2**53)]], [[2.0**60], [0.5]], np.array([[2**53], [1]], object)):
        assert KMeans(2).fit(X).inertia_ == 0


def test_sparse_data_are_refused():
    with pytest.raises(TypeError, match="dense data is required"):
        KMeans(2).fit(csr_array(X4))


BAD_WEIGHTS = {
    "negative": ([1, 1, -2.5, 1], ["sample_weight[2]", "-2.5", "at least 0"]),
    "NaN": ([1, np.nan, 1, 1], ["sample_weight[1]", "nan", "finite"]),
    "infinite": ([1, 1, 1, np.inf], ["sample_weight[3]", "inf"]),
    "all zero": ([0, 0, 0, 0], ["All 4 weights are zero", "positive"]),
    "too few": ([1, 1, 1], ["(3,)", "4 rows"]),
    "2-D": (np.ones((4, 1)), ["(4, 1)", "4 rows"]),
    "words": (["a", "b", "c", "d"], ["sample_weight must hold one number for each row"]),
    "digits as words": (["1", "2", "3", "4"], ["sample_weight", "text, '1'"]),
    "masked": (np.ma.masked_equal([1, 2, 3, 4], 3), ["sample_weight", "masked"]),
    "complex": (np.ones(4) + 1j, ["sample_weight", "omplex"]),
}


@pytest.mark.parametrize("weights, parts", BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_weights(weights, parts):
    model = KMeans(2).fit(X4)
    for call in (model.fit, model.score):
        with pytest.raises(ValueError) as caught:
            call(X4, sample_weight=weights)
        for part in parts:
            assert part in str(caught.value)


BAD_PARAMETERS = {
    "k=0": ({"n_clusters": 0}, ValueError, ["n_clusters=0", "at least 1"]),
    "k<0": ({"n_clusters": -3}, ValueError, ["n_clusters=-3", "at least 1"]),
    "k>n": (
        {"n_clusters": 5},
        ValueError,
        ["n_clusters=5 exceeds n_samples=4", "at most one cluster per sample"],
    ),
    "k float": ({"n_clusters": 2.0}, TypeError, ["n_clusters=2.0", "whole number"]),
    "k True": ({"n_clusters": True}, TypeError, ["n_clusters=True", "whole number"]),
    "k None": ({"n_clusters": None}, TypeError, ["n_clusters=None", "whole number"]),
    "k text": ({"n_clusters": "two"}, TypeError, ["n_clusters='two'", "whole number"]),
    "init": ({"init": "kmeans"}, ValueError, ["init='kmeans'", "k-means++", "random"]),
    "init shape": ({"init": X4[:3]}, ValueError, ["(3, 2)", "(2, 2)"]),
    "init NaN": ({"init": NAN[:2]}, ValueError, ["init", "NaN"]),
    "init from a callable": ({"init": lambda X, k, rng: X[:1]}, ValueError, ["(1, 2)", "(2, 2)"]),
    "init None": ({"init": None}, ValueError, ["init=None", "k-means++", "random", "array", "callable"]),
    "init words": ({"init": [["a", "b"], ["c", "d"]]}, ValueError, ["init", "text, 'a'"]),
    "init digits": ({"init": [["1", "2"], ["3", "4"]]}, ValueError, ["init", "text, '1'"]),
    "init bytes": ({"init": np.array([[1, b"2"], [3, 4]], object)}, ValueError, ["init", "text, b'2'"]),
    "init dates": ({"init": X4[:2].astype("M8[s]")}, ValueError, ["init", "a date"]),
    "init masked": ({"init": np.ma.masked_equal(X4[:2], X4[0, 0])}, ValueError, ["init", "masked"]),
    "init digits from a callable": (
        {"init": lambda X, k, rng: [["1", "2"], ["3", "4"]]},
        ValueError,
        ["init", "text, '1'"],
    ),
    "init complex": ({"init": X4[:2] + 1j}, ValueError, ["init"]),
    "n_init=0": ({"n_init": 0}, ValueError, ["n_init=0", "at least 1"]),
    "n_init text": ({"n_init": "many"}, TypeError, ["n_init='many'", "or 'auto'"]),
    "max_iter=0": ({"max_iter": 0}, ValueError, ["max_iter=0", "at least 1"]),
    "max_iter float": ({"max_iter": 1.5}, TypeError, ["max_iter=1.5"]),
    "tol<0": ({"tol": -1e-4}, ValueError, ["tol=-0.0001", "at least 0"]),
    "tol NaN": ({"tol": float("nan")}, ValueError, ["tol=nan"]),
    "tol None": ({"tol": None}, TypeError, ["tol=None"]),
    "max_seconds<0": ({"max_seconds": -1}, ValueError, ["max_seconds=-1", "at least 0"]),
    "max_seconds infinite": ({"max_seconds": np.inf}, ValueError, ["max_seconds=inf", "finite", "or None"]),
    "polish text": ({"polish": "no"}, TypeError, ["polish='no'", "True nor False"]),
    "max_seconds NaN": ({"max_seconds": float("nan")}, ValueError, ["max_seconds=nan"]),
    "n_threads=0": ({"n_threads": 0}, ValueError, ["n_threads=0", "at least 1"]),
    "random_state": ({"random_state": "x"}, ValueError, ["'x'"]),
}


@pytest.mark.parametrize("parameters, error, parts", BAD_PARAMETERS.values(), ids=BAD_PARAMETERS)
def test_bad_parameters(parameters, error, parts):
    with pytest.raises(error) as caught:
        KMeans(**{"n_clusters": 2, **parameters}).fit(X4)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("method", ["predict", "transform", "score"])
def test_after_the_fit(method):
    with pytest.raises(NotFittedError, match="not fitted"):
        getattr(KMeans(2), method)(X4)
    model = KMeans(2).fit(X4)
    with pytest.raises(
        ValueError, match="has 3 features, but KMeans is expecting 2 .*: give the features of the fit"
    ):
        getattr(model, method)(np.ones((4, 3)))
    with pytest.raises(ValueError, match="NaN.*1, 3"):
        getattr(model, method)(NAN)
