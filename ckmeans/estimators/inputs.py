"""The way into and out of a fit: rows are checked, and an estimator gets all that was found at once."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from ..blocks.opening import source_of
from ..frames import opened
from ..local import small
from ..validation import check_finite, check_integers, check_kinds, check_structure, refuse_rows
from .over_blocks import note_features

FEATURES = ("n_features_in_", "feature_names_in_")
# What `partial_fit` keeps of the rows so far; a fit begins anew.
SEEN = "_seen"
REMEDIES = {  # for what scikit-learn refuses in words that do not say what to do
    "a minimum of": "give at least one row and one feature",
    "dim <= 2": "give a row for each sample, as X.reshape(len(X), -1) does",
    "is expecting": "give the features of the fit, in their order",
    "at least one array or dtype": "X has no columns, give at least one row and one feature",
    "unique column names": "give each column a name of its own, or X.to_numpy()",
}


def check_rows(estimator, X, reset, files=False, sparse=False, sample_weight=None):
    """X as a C-contiguous float array that is finite, without losing digits on the way; if wanted, a block source.

    A block source takes the weights along. Where sparse data are taken, in CSR, indices ascending and no entry zero.

    Raises
    ------
    ValueError
        For NaN, infinity, text, dates, masked or complex data, integers beyond 2**53, or another number of features.
    TypeError
        For sparse data, and for objects that are no numbers.
    """
    if files and type(X) is not np.ndarray and (source := source_of(X, sample_weight)) is not None:
        note_features(estimator, source, reset)
        return source
    if type(X) is np.ndarray:
        X = X.view()  # keeps its shape if another thread gives X another one
        if X.dtype.kind == "f" and not X.dtype.isnative:
            X = X.astype(X.dtype.newbyteorder("="))  # stays of single precision
    if small.is_small_float_array(X) and not reset and _keeps_to(estimator, X) and small.is_finite(X):
        return X
    original = X = opened(X)
    if sparse and (sparse := issparse(X)):
        original = X = X if X.format == "csr" else X.tocsr()
        check_structure(X)
    long = check_kinds(X.data if sparse else X)
    try:
        X = validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse="csr" if sparse else False,
            dtype=[np.float64, np.float32],
            order="C",
            ensure_all_finite=False,
        )
    except OverflowError:
        check_integers(original)
        raise
    except TypeError as error:
        if "NAType" not in str(error):
            raise
        raise ValueError(
            "X contains <NA> (NaN and inf are not allowed) among objects. Drop these rows or fill in the missing values first."
        ) from None
    except ValueError as error:
        message = str(error).rstrip(".\n")
        remedies = [remedy for words, remedy in REMEDIES.items() if words in message]
        if not remedies:
            raise
        raise ValueError(f"{message}: {remedies[0]}.") from None
    if sparse:
        return _checked_entries(X, original)
    if long:
        check_integers(original)
    check_finite(X)
    converted = not isinstance(original, np.ndarray) or original.dtype != X.dtype
    if converted and X.dtype == np.float64 and max(X.max(), -X.min()) >= 2**53:
        check_integers(original)
    return X


def _checked_entries(X, original):
    """CSR as kernels take it, a copy only where it has to be one: entries finite, in order, once each, and none zero."""
    if original.dtype != X.dtype:
        check_integers(original.data)
    if not X.has_canonical_format or np.count_nonzero(X.data) < len(X.data):
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    bad = np.flatnonzero(~np.isfinite(X.data))
    if len(bad):
        rows = np.unique(np.searchsorted(X.indptr, bad, side="right") - 1)
        refuse_rows(rows, X.shape[0], np.isnan(X.data[bad]).any())
    return X


def rows_to_fit(estimator, X, files=False, sparse=False, sample_weight=None):
    """X as `check_rows` has it, and what it tells of its features, for `adopt`: the estimator stays as it is."""
    if small.is_small_float_array(X) and small.is_finite(X):
        return X.view(), {"n_features_in_": X.shape[1]}
    other = object.__new__(type(estimator))
    vars(other).update(vars(estimator))
    X = check_rows(other, X, True, files, sparse, sample_weight)
    return X, {name: vars(other)[name] for name in FEATURES if name in vars(other)}


def adopt(estimator, features, **found):
    """Give an estimator all that a fit has found, and the features it was found in, at once: it is never half fitted.

    Raises
    ------
    KeyboardInterrupt
        Afterwards, where Ctrl-C has ended the search.
    """
    others = {name: value for name, value in vars(estimator).items() if name not in (*FEATURES, SEEN)}
    estimator.__dict__ = {**others, **features, **found}
    if found["stop_reason_"] == "interrupted":
        raise KeyboardInterrupt


def _keeps_to(estimator, X):
    """Whether the fit knew no names of features, and as many features as this array has."""
    known = vars(estimator)
    return "feature_names_in_" not in known and known.get("n_features_in_") == X.shape[1]
