"""Bad input to KMeans: refused, and the message names value, bound and remedy."""

import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from ckmeans import (
    ClusterDisplay,
    ExactKMeans,
    KMeans,
    SphericalMixture,
    certify,
    choose_k,
    exhaustive_search,
    fit_many,
    landscape,
    natural_breaks,
    partition_posterior,
)
from ckmeans.frames import as_array
from ckmeans.validation import check_exact

try:
    import polars as pl
except ImportError:  # it has no wheels for free-threaded builds
    pl = None

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
    "categories": (pd.DataFrame({"a": pd.Categorical(["x", "y"])}), ["column 'a' holds text, 'x'"]),
    "two columns of a name": (pd.DataFrame([[1, "x"]], columns=["a", "a"]), ["column 'a' holds text, 'x'"]),
    "dates": (np.array([["2020-01-01"], ["2020-01-02"]], dtype="M8[D]"), ["must hold numbers", "2020-01-01"]),
    "dates in a frame": (
        pd.DataFrame({"t": pd.date_range("2020-01-01", periods=2), "b": [1, 2]}),
        ["column 't' holds a date"],
    ),
    "masked": (np.ma.masked_equal(X4, 3), ["1 masked value", "fill them in"]),
    "int64 beyond 2**53": (BIG[:, None], [str(BIG[-1]), "2**53", "subtract the minimum"]),
    "uint64 beyond 2**53": (BIG[:, None].astype(np.uint64), [str(BIG[-1]), "2**53"]),
    "int64 in a mixed frame": (pd.DataFrame({"a": BIG, "b": [0.5] * 4}), [str(BIG[-1]), "2**53"]),
    "nullable integers": (
        pd.DataFrame({"a": pd.array(BIG, "Int64"), "b": [0.5] * 4}),
        [str(BIG[-1]), "2**53"],
    ),
    "objects": (BIG[:, None].astype(object), [str(BIG[-1]), "2**53"]),
    "lists of whole numbers": ([[2**70], [2**70 + 1]], [str(2**70 + 1), "2**53"]),
    "whole numbers beyond the floats": ([[10**5000], [1]], ["of 5001 digits", "2**53"]),
}
if pl:
    BAD_ROWS |= {
        "digits in a polars frame": (
            pl.DataFrame({"a": [1, 2], "b": ["1", "2"]}),
            ["column 'b' holds text, '1'"],
        ),
        "lazy": (pl.DataFrame(X4).lazy(), ["LazyFrame", "collect()"]),
        "int64 in a polars frame": (pl.DataFrame({"a": BIG, "b": [0.5] * 4}), [str(BIG[-1]), "2**53"]),
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


@pytest.mark.parametrize(
    "model", [SphericalMixture(2), ExactKMeans(2)], ids=lambda model: type(model).__name__
)
def test_sparse_data_are_refused(model):
    with pytest.raises(TypeError, match="dense data is required"):
        model.fit(csr_array(X4))


BAD_WEIGHTS = {
    "negative": ([1, 1, -2.5, 1], ["sample_weight[2]", "-2.5", "at least 0"]),
    "NaN": ([1, np.nan, 1, 1], ["sample_weight[1]", "nan", "finite"]),
    "infinite": ([1, 1, 1, np.inf], ["sample_weight[3]", "inf"]),
    "all zero": ([0, 0, 0, 0], ["All 4 weights are zero", "positive"]),
    "too few": ([1, 1, 1], ["(3,)", "4 rows"]),
    "2-D": (np.ones((4, 1)), ["(4, 1)", "4 rows"]),
    "words": (["a", "b", "c", "d"], ["sample_weight must hold numbers", "text, 'a'"]),
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
        ["n_samples=4 should be >= n_clusters=5", "at most one cluster per sample"],
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


# ---- the same at every door ----

WIDE = [2**60, 2**60 + 1, 2**60 + 40, 2**60 + 41]
DAYS = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-20", "2024-01-21"]))
NO_COLUMNS = {  # one column of four rows, and what is said of it
    "dates": (DAYS, "a date"),
    "dates with a zone": (DAYS.dt.tz_localize("Europe/Berlin"), "a date"),
    "durations": (DAYS - DAYS[0], "a duration"),
    "Python's dates": ([dt.date(2024, 1, i) for i in (1, 2, 20, 21)], "a date, datetime.date"),
    "Python's time stamps": (
        np.array([dt.datetime(2024, 1, i, tzinfo=dt.UTC) for i in (1, 2, 3, 4)], object),
        "a date",
    ),
    "times of day": ([dt.time(i) for i in range(4)], "a time of day"),
    "Python's durations": (np.array([dt.timedelta(i) for i in range(4)], object), "a duration"),
    "NumPy's dates among objects": (np.array(list(DAYS.to_numpy()), object), "a date"),
    "periods": (pd.period_range("2024-01", periods=4, freq="M"), "Period"),
    "intervals": (pd.interval_range(0, 4), "Interval"),
    "text": (pd.Series(list("1234"), dtype="string"), "text, '1'"),
    "NumPy's text": (np.array(list("1234"), np.dtypes.StringDType()), "text, '1'"),
    "categories": (pd.Categorical(list("1234")), "text, '1'"),
    "complex objects": (np.array([1j, 2, 3, 4], object), "a complex number"),
    "dictionaries": (np.array([{}, {}, {}, {}], object), "dict"),
    "wide decimals": ([Decimal(n) for n in WIDE], str(2**60 + 1)),
    "wide fractions": ([Fraction(n) for n in WIDE], str(2**60 + 1)),
    "decimals that become one": (
        [Decimal("1"), Decimal("1.000000000000000000001"), Decimal(2), Decimal(3)],
        "one in float64, 1.0",
    ),
    "decimals out of range": ([Decimal("1e999999"), Decimal(1), Decimal(2), Decimal(3)], "out of the range"),
    "fractions out of range": (
        [Fraction(1, 10**400), Fraction(0), Fraction(1), Fraction(2)],
        "out of the range",
    ),
}
if np.finfo(np.longdouble).nmant > 60:
    NO_COLUMNS["wide long doubles"] = (np.array(WIDE, np.longdouble), str(2**60 + 1))
GIVEN = KMeans(2, random_state=0).fit(X4[:, :1])
BREAKS = natural_breaks([1.0, 2, 3, 4, 5, 6, 7, 8], 3)
DOORS = {
    "KMeans": lambda X: KMeans(2).fit(X),
    "predict": lambda X: GIVEN.predict(X),
    "transform": lambda X: GIVEN.transform(X),
    "score": lambda X: GIVEN.score(X),
    "ExactKMeans": lambda X: ExactKMeans(2).fit(X),
    "SphericalMixture": lambda X: SphericalMixture(2).fit(X),
    "certify": lambda X: certify(X, [0, 0, 1, 1]),
    "choose_k": lambda X: choose_k(X, [1, 2]),
    "landscape": lambda X: landscape(X, 2),
    "exhaustive_search": lambda X: exhaustive_search(X, 2),
    "partition_posterior": lambda X: partition_posterior(X, 2, 1.0),
    "fit_many": lambda X: fit_many([X], 2),
    "natural_breaks": lambda X: natural_breaks(X, 2),
    "classify": lambda X: BREAKS.classify(X),
    "weights": lambda X: KMeans(2).fit(X4, sample_weight=_column(X)),
    "weights of breaks": lambda X: natural_breaks([1.0, 2, 3, 4], 2, sample_weight=_column(X)),
    "init": lambda X: KMeans(4, init=X).fit(X4[:, :1]),
    "centers": lambda X: certify(X4[:, :1], centers=X),
    "starts": lambda X: landscape(X4[:, :1], 4, init=[X]),
    "display": lambda X: ClusterDisplay.from_labels(X, [0, 0, 1, 1]),
}


def _column(X):
    return X.iloc[:, 0] if hasattr(X, "iloc") else np.asarray(X)[:, 0]


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("values, word", NO_COLUMNS.values(), ids=NO_COLUMNS)
def test_what_is_no_column_of_numbers_is_refused_at_every_door(values, word, door):
    with pytest.raises((ValueError, TypeError)) as caught:
        door(
            pd.DataFrame({"b": values})
            if not isinstance(values, list)
            else np.array([[v] for v in values], object)
        )
    assert word in str(caught.value)
    if isinstance(values, np.ndarray) and values.dtype.kind == "T":
        with pytest.raises((ValueError, TypeError), match="text, '1'"):
            door(values[:, None])


@pytest.mark.parametrize("values, word", NO_COLUMNS.values(), ids=NO_COLUMNS)
def test_the_column_is_named(values, word):
    frame = pd.DataFrame({"fine": [1.0, 2, 3, 4], "when": values})
    for call in (lambda: KMeans(2).fit(frame), lambda: certify(frame, [0, 0, 1, 1]), lambda: choose_k(frame)):
        with pytest.raises((ValueError, TypeError), match="column 'when'"):
            call()


def tables():
    frame = pd.DataFrame({"a": [1.0, 1, 50, 51], "b": [2.0, 3, 60, 61]})
    found = {
        "pandas": frame,
        "nullable": frame.astype("Float64"),
        "sparse columns": frame.astype(pd.SparseDtype(float, 0)),
        "some sparse columns": frame.assign(b=pd.arrays.SparseArray(frame["b"])),
        "decimals": frame.map(Decimal),
        "long doubles": frame.to_numpy().astype(np.longdouble),
        "categories of numbers": frame.astype("category"),
    }
    if pl:
        found["polars"] = pl.DataFrame(frame.to_dict("list"))
    try:
        import pyarrow as pa

        table = pa.table({name: frame[name].to_numpy() for name in frame})
        found |= {"Arrow": table, "Arrow batch": table.to_batches()[0]}
        found["Arrow decimals"] = table.cast(pa.schema({"a": pa.decimal128(9, 2), "b": pa.decimal128(9, 2)}))
        found["pandas over Arrow"] = frame.astype("float64[pyarrow]")
    except ImportError:
        pass
    try:
        import dask.array
        import dask.dataframe

        found |= {
            "Dask": dask.dataframe.from_pandas(frame, npartitions=2),
            "Dask array": dask.array.from_array(frame.to_numpy()),
        }
    except ImportError:
        pass
    return found


@pytest.mark.parametrize("name", list(tables()))
def test_tables_of_any_library_are_taken(name):
    X = tables()[name]
    model = KMeans(2, random_state=0).fit(X)
    labels = np.asarray(model.labels_).tolist()  # which are lazy where X is
    assert labels == [0, 0, 1, 1] == np.asarray(model.predict(X)).tolist()
    if name not in ("Dask array", "long doubles", "Arrow batch"):
        assert model.feature_names_in_.tolist() == ["a", "b"]
    assert certify(X, [0, 0, 1, 1]).inertia == pytest.approx(model.inertia_)
    init = X[:2] if name == "long doubles" else "k-means++"
    assert np.asarray(KMeans(2, init=init).fit(X).labels_)[0] == 0
    assert choose_k(X, [1, 2], n_references=1, n_resamples=1).inertia[1] == pytest.approx(model.inertia_)
    assert landscape(X, 2, 3, random_state=0).inertia[0] == pytest.approx(model.inertia_)
    assert exhaustive_search(X, 2).inertia == pytest.approx(model.inertia_)
    assert SphericalMixture(2, variance="tied", random_state=0).fit(X).labels_[0] == 0


@pytest.mark.parametrize("name", [name for name in tables() if name not in ("Arrow batch",)])
def test_columns_of_any_library_are_values_weights_and_labels(name):
    X = tables()[name]
    column = X.column(0) if hasattr(X, "column_names") else X["a"] if hasattr(X, "columns") else X[:, 0]
    assert natural_breaks(column, 2).labels.tolist() == [0, 0, 1, 1]
    assert natural_breaks([1.0, 2, 3, 4], 4, sample_weight=column).counts.tolist() == [1] * 4
    assert BREAKS.classify(column).tolist() == [0, 0, 2, 2]
    if "decimals" not in name.lower():
        labels = np.asarray(column, np.float64).astype(int)
        assert certify(X4, labels).problem is not None


@pytest.mark.parametrize(
    "labels",
    [
        np.ma.masked_equal([0, 0, 1, 2], 2),
        pd.Series([0, 0, None, 1], dtype="Int64"),
        [0, 0, None, 1],
        DAYS,
        *([pl.LazyFrame({"a": [1]})] if pl else []),
    ],
    ids=["masked", "missing", "None", "dates", *(["lazy"] if pl else [])],
)
def test_labels_that_are_none(labels):
    for call in (lambda: certify(X4, labels), lambda: ClusterDisplay.from_labels(X4, labels)):
        with pytest.raises((ValueError, TypeError), match="labels"):
            call()


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
def test_a_missing_label_among_names_is_no_name(missing):
    with pytest.raises(TypeError, match="labels"):
        certify(X4, ["a", missing, "b", "b"])


@pytest.mark.parametrize(
    "X, word",
    [
        ([[1, pd.NA], [2, 3]], "fill in the missing values"),
        (pd.DataFrame({"a": [1, pd.NA]}, dtype=object), "fill in the missing values"),
        (pd.DataFrame(), "give at least one row"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), "a name of its own"),
    ],
    ids=["NA in a list", "NA among objects", "an empty frame", "two columns of a name"],
)
def test_frames_that_scikit_learn_refuses_without_a_remedy(X, word):
    with pytest.raises(ValueError, match=word):
        KMeans(2).fit(X)


def test_sparse_arrays_of_pandas_are_taken():
    zeros = pd.arrays.SparseArray([0, 0, 1, 1.0])
    assert KMeans(2, random_state=0).fit(X4, sample_weight=zeros).inertia_ >= 0
    assert natural_breaks(zeros, 2).labels.tolist() == [0, 0, 1, 1]


def test_values_that_are_in_no_class():
    for values, where in {(1.0, NAN[1, 1]): "values[1] is NaN", (NAN[1, 1],): "values[0]"}.items():
        with pytest.raises(ValueError) as caught:
            BREAKS.classify(list(values))
        assert where in str(caught.value)
    for values in (
        pd.array([1, None, 3], "Int64"),
        ["10", "1"],
        [1 + 5j],
        ["abc"],
    ):
        with pytest.raises(ValueError, match="values"):
            BREAKS.classify(values)
    assert BREAKS.classify([[-np.inf, 4], [5, np.inf]]).tolist() == [[0, 1], [1, 2]]
    assert BREAKS.classify(5.0) == 1


def test_columns_with_the_names_of_methods():
    frame = pd.DataFrame({"collect": [1.0, 2], "toPandas": [3.0, 5], "compute": [0.0, 1]})
    assert KMeans(2).fit(frame).inertia_ == 0


def test_records_are_told_how_to_become_columns():
    with pytest.raises(ValueError, match="structured_to_unstructured"):
        certify(np.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)]), [0])


class Unreadable:
    """As a tensor on another device is."""

    dtype, shape = None, (2, 2)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("use .cpu() first")


def test_what_numpy_cannot_read_is_refused_with_the_reason():
    for call in (KMeans(1).fit, lambda X: certify(X, [0, 0]), lambda X: natural_breaks(X, 1)):
        with pytest.raises(ValueError, match=r"Unreadable that NumPy cannot read \(use .cpu\(\) first\)"):
            call(Unreadable())


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_what_numpy_has_no_memory_or_no_time_for_is_no_wrong_type(monkeypatch, error):
    def fails(*given, **options):
        raise error

    monkeypatch.setattr(Unreadable, "__array__", fails)
    with pytest.raises(error):
        as_array(Unreadable(), "X")


def test_numbers_that_floats_hold():
    check_exact(
        [
            Decimal("0.1"),
            Decimal("0.10"),
            1,
            2.5,
            Fraction(1, 10) + Fraction(1, 3),
            2**60,
            Decimal(2**70),
            None,
            math.nan,
        ],
        "X",
    )
    check_exact([Decimal("NaN"), Decimal("Infinity"), -math.inf], "X")
    with pytest.raises(ValueError, match=str(2**53 + 1)):
        check_exact([2**53 + 1], "X")
    with pytest.raises(ValueError, match="one in float64"):
        check_exact([1, 0.5, Decimal("1.00000000000000000001")], "X")
    with pytest.raises(ValueError, match="of 401 digits, beyond 2"):
        check_exact([10**400], "X")


def test_one_weight_for_all_rows():
    X = np.array([[0.0], [1.0], [5.0]])
    assert KMeans(1).fit(X, sample_weight=2.0).inertia_ == 2 * KMeans(1).fit(X).inertia_


def test_seeds_and_generators():
    X = np.random.default_rng(0).normal(size=(9, 2))
    found = [certify(X, n_clusters=2, random_state=own).inertia for own in (0, np.random.default_rng(0))]
    assert found[0] == found[1]
    with pytest.raises(ValueError, match=r"random_state=4294967296 exceeds 2\*\*32 - 1, the greatest seed"):
        certify(X, n_clusters=2, random_state=2**32)


def test_columns_that_are_no_columns():
    with pytest.raises(ValueError, match=r"values is sparse: give values\.toarray\(\)\.ravel\(\)\."):
        natural_breaks(csr_array(np.eye(2)), 2)
    with pytest.raises((TypeError, ValueError), match="labels mix names and numbers"):
        certify(np.eye(3), np.array(["a", 1, 1], object))
