"""Input checks that scikit-learn does not make: each message names the value, the bound and the remedy."""

import datetime
import math
import numbers
from decimal import Decimal
from fractions import Fraction

import numpy as np

from .frames import as_array, opened, parts_of

EXACT_INTEGERS = 2**53  # float64 holds every whole number up to here
NO_NUMBERS = {"U": "text", "S": "text", "T": "text", "M": "a date", "m": "a duration", "V": "a record"}
REMEDY = (
    "Encode or drop the columns that are not numbers, convert those that are written as text, and give dates as the time"
    " since the first of them."
)
WORDS = {
    (str, bytes): "text",
    (datetime.date, np.datetime64): "a date",
    (datetime.time,): "a time of day",
    (datetime.timedelta, np.timedelta64): "a duration",
    (complex, np.complexfloating): "a complex number",
}
# What is refused as ValueError, and not as TypeError.
KNOWN = (*NO_NUMBERS.values(), *WORDS.values())
RECORD = "numpy.lib.recfunctions.structured_to_unstructured(X) makes its fields columns"


class WrongTypeError(ValueError, TypeError):
    """A value of a type that is not taken: both errors, as scikit-learn's InvalidParameterError, so that either is caught."""


def check_kinds(X, name="X"):
    """Refuse what NumPy would turn into numbers unasked (text, dates), and complex numbers. X is as from `opened`.

    Returns
    -------
    long : bool
        Whether there are numbers that may have more digits than float64, apart from integers.

    Raises
    ------
    ValueError
    TypeError
        For objects that are no numbers.
    """
    long = False
    for where, part in parts_of(X, name):
        kind = getattr(getattr(part, "dtype", None), "kind", "O")
        values = part if kind in "biuf" else as_array(part, where)
        long |= values.dtype.kind == "O" or values.dtype.kind == "f" and values.dtype.itemsize > 8
        if values.dtype.kind == "c":
            raise ValueError(
                f"Complex data not supported: {where} holds {values.dtype}. Give the real parts, or real and imaginary"
                " parts as features of their own."
            )
        if found := _no_number(values):
            if not found.startswith(KNOWN):  # in the words of float
                raise WrongTypeError(
                    f"{name} must hold numbers: {where} holds {found}, where a float() argument must be a string or a real number."
                    " Give an array, a list of rows, or a frame of numbers."
                )
            raise ValueError(
                f"{name} must hold numbers: {where} holds {found}. "
                + (f"{RECORD}." if values.dtype.kind == "V" else REMEDY)
            )
    return long


def _no_number(values):
    """What NumPy would convert though it is no number, in words; None if there is nothing."""
    if values.dtype.kind in NO_NUMBERS:
        return f"{NO_NUMBERS[values.dtype.kind]}, {str(values.flat[0])!r}" if values.size else None
    if values.dtype.kind == "O":
        for value in values.flat:
            if type(value) not in (float, int) and (found := _word(value)):
                return f"{found}, {value!r}"


def _word(value):
    """What an object is, if it is neither a real number nor missing."""
    for kinds, word in WORDS.items():
        if isinstance(value, kinds):
            return word
    missing = value is None or type(value).__name__ == "NAType"
    number = hasattr(value, "__float__") and not (isinstance(value, np.ndarray) and value.ndim)
    return None if missing or number else type(value).__name__


def check_finite(X):
    """Refuse NaN and infinity, naming the rows.

    Raises
    ------
    ValueError
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(
            X.sum()
        ):  # NaN and infinity stay in any sum; one that overflows only takes a closer look
            return
    bad = np.flatnonzero(~np.isfinite(X).all(axis=1))
    if len(bad):
        refuse_rows(bad, len(X), np.isnan(X[bad]).any())


def check_structure(X, name="X"):
    """Refuse CSR whose index arrays point anywhere but into it.

    Raises
    ------
    ValueError
    """
    if X.ndim != 2:
        return  # refused elsewhere
    indices, indptr = X.indices, X.indptr
    fits = len(indptr) == X.shape[0] + 1 and indptr[0] == 0 and (indptr[1:] >= indptr[:-1]).all()
    fits = fits and indptr[-1] <= min(len(indices), len(X.data))
    if not fits or indptr[-1] and not 0 <= indices.min() <= indices.max() < X.shape[1]:
        raise ValueError(
            f"{name} is sparse, and its indices or indptr do not fit its shape {X.shape}: build it anew, as from"
            f" {name}.tocoo(), or look at {name}.check_format()."
        )


def refuse_rows(bad, n_samples, nan, where=""):
    """Raise the error for the rows that are not finite; `where` says in other words where the first one is."""
    shown = ", ".join(map(str, bad[:10])) + (", ..." if len(bad) > 10 else "")
    raise ValueError(
        f"X contains {'NaN' if nan else 'infinity'} (NaN and inf are not allowed) in {len(bad)} of {n_samples} rows: "
        f"{shown}{where and f' (the first is {where})'}. Drop these rows or fill in the missing values first."
    )


def check_integers(X, name="X"):
    """Refuse numbers that float64 would merge or change, in arrays, lists, or any column of a frame.

    Whole numbers of an integer type beyond 2**53; of decimals, fractions and longer floats, whole numbers beyond 2**53 that
    are no float64, numbers out of its range, and different ones that become one.

    Raises
    ------
    ValueError
    """
    for where, part in parts_of(X, name):
        values, largest = as_array(part, where, None if hasattr(part, "dtype") else object), 0
        if values.dtype.kind in "iu" and values.size:
            largest = max(abs(int(values.min())), abs(int(values.max())))
        elif values.dtype.kind == "O":
            largest = max((abs(int(v)) for v in values.flat if isinstance(v, numbers.Integral)), default=0)
        if largest > EXACT_INTEGERS:
            _refuse_whole(largest, where)
        objects = values.dtype.kind == "O" and not set(map(type, values.flat)) <= {int, float, bool}
        if values.size and (objects or values.dtype.kind == "f" and values.dtype.itemsize > 8):
            values = np.atleast_1d(values)
            for column in values.reshape(len(values), -1).T:
                check_exact(column.tolist() if objects else column, where)


def check_exact(values, where):
    """Refuse a column of numbers of any type if float64 would merge some of them, or change whole ones.

    Parameters
    ----------
    values : iterable
        What is neither a number nor finite is passed over.
    where : str
        What to call it.

    Raises
    ------
    ValueError
    """
    exact = {}
    for value in values:
        if isinstance(value, (float, bool)) or not isinstance(value, (numbers.Real, Decimal)):
            continue  # floats are what they are
        if isinstance(value, numbers.Integral):
            short = int(value)
            if abs(short) > EXACT_INTEGERS and (abs(short) >= 2**1024 or int(float(short)) != short):
                _refuse_whole(abs(short), where)
            exact.setdefault(float(short), short)
            continue
        short = _short(value)
        if not math.isfinite(short) and (value != value or abs(value) == math.inf):
            continue
        if math.isinf(short) or (short == 0 and value != 0):
            raise ValueError(
                f"{where} holds {value!s:.40}, which is out of the range of float64: give it in other units."
            )
        whole = Fraction(*value.as_integer_ratio())
        if whole.denominator == 1 and abs(whole) > EXACT_INTEGERS and whole != int(short):
            _refuse_whole(abs(int(whole)), where)
        if exact.setdefault(short, whole) != whole:
            raise ValueError(
                f"{where} holds different numbers that are one in float64, {short!r}: subtract the minimum of each column"
                " first, or round them to float64 if that is meant."
            )


def _short(value):
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _refuse_whole(largest, where):
    shown = largest if largest < 10**40 else f"of {int(math.log10(largest)) + 1} digits"
    raise ValueError(
        f"{where} contains the integer {shown}, beyond 2**53 = {EXACT_INTEGERS}, up to which float64 is"
        " exact: subtract the minimum of each column first."
    )


def check_values(values, name, n_dimensions=None):
    """Numbers of any shape as a C-contiguous float64 array, without losing digits on the way; NaN and infinity may be among them.

    Raises
    ------
    ValueError
        For anything that is no real number, or is sparse, masked or not read yet.
    """
    if hasattr(type(values), "toarray"):
        flat = ".ravel()" * (n_dimensions == 1)
        raise ValueError(f"{name} is sparse: give {name}.toarray(){flat}.")
    original = values = opened(values, name)
    check_kinds(values, name)
    try:
        values = values.to_numpy(np.float64, na_value=np.nan) if hasattr(type(values), "isna") else values
        with np.errstate(over="ignore"):
            values = np.asarray(values, dtype=np.float64, order="C")
    except OverflowError:
        check_integers(original, name)
        raise
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise ValueError(
            f"{name} holds something that is no real number ({error}): give real numbers."
        ) from None
    if values is not original:
        check_integers(original, name)
    return values


def check_matrix(X, name="X"):
    """X as a C-contiguous float64 array of finite numbers, without losing digits on the way.

    Raises
    ------
    ValueError
        For anything that is no table of real numbers.
    """
    X = check_values(X, name)
    if X.ndim != 2:
        remedy = (
            f"{name}.reshape(-1, 1) makes a list one feature" if X.ndim == 1 else "one row for each sample"
        )
        raise ValueError(f"{name} has {X.ndim} dimension(s), needs 2: {remedy}.")
    if not X.size:
        raise ValueError(f"{name} has shape {X.shape}: at least one row and one feature are needed.")
    check_finite(X)
    return X


def check_labels(labels, n_samples, n_clusters=None):
    """Labels of any library as int32 from 0, and the number of clusters: by default as many as there are different labels.

    Labels from 0 up to n_clusters stay as they are; others are numbered in their order.

    Raises
    ------
    TypeError, ValueError
        For the wrong length, missing labels, numbers that are not whole, noise (-1), and too many different labels.
    """
    listed = isinstance(labels, (list, tuple)) and any(isinstance(label, str) for label in labels)
    given = as_array(opened(labels, "labels"), "labels", object if listed else None)  # NaN stays what it is
    given = given.astype(object) if given.dtype.kind == "T" else given
    if given.shape != (n_samples,):
        raise ValueError(f"labels have shape {given.shape}; X has {n_samples} rows: give one label for each.")
    if given.dtype.kind not in "iubfUO":
        raise WrongTypeError(f"labels are {given.dtype}: give whole numbers, or names.")
    if given.dtype.kind == "O" and not all(isinstance(v, (str, numbers.Integral)) for v in given):
        raise WrongTypeError(
            "labels hold something that is neither a whole number nor a name: give one or the other."
        )
    if given.dtype.kind == "f":
        bad = np.flatnonzero(~(np.isfinite(given) & (given == np.floor(given))))
        if len(bad):
            raise ValueError(f"labels[{bad[0]}] is {given[bad[0]]}: give whole numbers, one for each row.")
    noise = 0 if given.dtype.kind == "U" else np.count_nonzero(given == -1)
    if noise:
        raise ValueError(
            f"labels are -1 (noise) in {noise} of {n_samples} rows: give these a cluster, or take them out of X."
        )
    try:
        names, own = np.unique(given, return_inverse=True)
    except TypeError:
        raise WrongTypeError("labels mix names and numbers: give one or the other.") from None
    if n_clusters is None:
        n_clusters = len(names)
    n_clusters = check_n_clusters(n_clusters, n_samples)
    if len(names) > n_clusters:
        raise ValueError(
            f"n_clusters={n_clusters}, but there are {len(names)} different labels: ask for at least as many."
        )
    fine = given.dtype.kind in "iuf" and given.min() >= 0 and given.max() < n_clusters
    return (given if fine else own.reshape(-1)).astype(np.int32), n_clusters


def check_weights(sample_weight, n_samples):
    """Weights as a float64 array, or None where all are one.

    Raises
    ------
    ValueError
        For the wrong length, text, masked values, NaN, infinity, negative weights, or no positive weight.
    """
    if sample_weight is None:
        return None
    weights = _numbers(sample_weight, "sample_weight")
    if weights.ndim == 0:
        weights = np.full(n_samples, float(weights))
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}; X has {n_samples} rows: give one weight for each."
        )
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise ValueError(
            f"sample_weight[{bad[0]}] is {weights[bad[0]]}: weights must be finite and at least 0; drop the row or mend it."
        )
    if not weights.any():
        raise ValueError(f"All {n_samples} weights are zero: give at least one row a positive sample_weight.")
    with np.errstate(over="ignore"):
        if not np.isfinite(weights.sum()):
            raise ValueError(
                "sample_weight sums to more than 1.8e308: divide the weights by a common factor."
            )
    return None if (weights == 1).all() else weights


def check_centers(centers, n_clusters, n_features, copy=True):
    """Given centers as a float64 array, a copy unless that is not wanted.

    Raises
    ------
    ValueError
        If the shape is not (n_clusters, n_features), or a value is not a finite number.
    """
    centers = _numbers(centers, "init") if copy else check_values(centers, "init")
    for axis, wanted, of in ((0, n_clusters, "clusters"), (1, n_features, "features of the data")):
        if centers.ndim != 2 or centers.shape[axis] != wanted:
            raise ValueError(
                f"The shape of the initial centers {centers.shape} does not match the number of {of} {wanted}: init must have"
                f" the shape (n_clusters, n_features), here {(n_clusters, n_features)}."
            )
    if not np.isfinite(centers).all():
        raise ValueError("init gives centers that contain NaN or infinity: give finite numbers.")
    return centers


def check_fitted(name, values, shape):
    """An attribute of a fit, which may have been set by hand since, as a C-contiguous float64 array.

    Parameters
    ----------
    shape : tuple of int or None
        None stands for any number but 0.

    Raises
    ------
    ValueError
        If it is of another shape, or holds something that is not a finite number.
    """
    try:
        found = _numbers(values, name)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something that is not a number ({error}): fit again.") from None
    if len(found.shape) != len(shape) or any(n != m if m else not n for n, m in zip(found.shape, shape)):
        wanted = (
            "(" + ", ".join(str(n) if n else "any number" for n in shape) + ("," * (len(shape) == 1) + ")")
        )
        raise ValueError(
            f"{name} has shape {found.shape}, where {wanted} is needed: fit again, or give such an array."
        )
    if not np.isfinite(found).all():
        raise ValueError(f"{name} contains NaN or infinity: fit again, or give finite numbers.")
    return found


def _numbers(values, name):
    """A copy as a C-contiguous float64 array."""
    return check_values(values, name).copy()


def check_whole(name, value, least, most=None, remedy="", none=False, word=None):
    """A whole number between bounds, as an int; None or a word too where they are allowed.

    Raises
    ------
    TypeError, ValueError
    """
    if type(value) is int and value >= least and (most is None or value <= most):
        return value
    if value is None and none or word is not None and isinstance(value, str) and value == word:
        return value
    also = " or None" * none + f" or {word!r}" * (word is not None)
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise WrongTypeError(
            f"{name}={value!r} is not a whole number: give an int of at least {least}{also}."
        )
    if value < least:
        raise ValueError(f"{name}={value} is too small: give at least {least}{also}.")
    if most is not None and value > most:
        raise ValueError(f"{name}={value} exceeds {remedy}.")
    return int(value)


def check_n_clusters(n_clusters, n_samples):
    """The number of clusters: at least 1, at most one for each row.

    Raises
    ------
    TypeError, ValueError
    """
    n_clusters = check_whole("n_clusters", n_clusters, 1)
    if n_clusters > n_samples:
        raise ValueError(
            f"n_samples={n_samples} should be >= n_clusters={n_clusters}: ask for at most one cluster per sample."
        )
    return n_clusters


def check_seed(random_state):
    """What random numbers come from: None, a generator, or the seed of one, as an int.

    Raises
    ------
    TypeError, ValueError
    """
    if hasattr(random_state, "random"):  # RandomState or Generator
        return random_state
    most = 2**32 - 1
    return check_whole("random_state", random_state, 0, most, "2**32 - 1, the greatest seed", none=True)


def check_number(name, value, least=0.0, none=False, strict=False):
    """A finite number of at least (or above) a bound, as a float; None too where it is allowed.

    Raises
    ------
    TypeError, ValueError
    """
    if value is None and none or type(value) is float and least <= value < math.inf and not strict:
        return value
    wanted = f"a finite number {'above' if strict else 'of at least'} {least:g}{' or None' * none}"
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise WrongTypeError(f"{name}={value!r} is not a number: give {wanted}.")
    if not np.isfinite(value) or value < least or (strict and value == least):
        raise ValueError(f"{name}={value} is out of range: give {wanted}.")
    return float(value)


def check_flag(name, value):
    """True or False.

    Raises
    ------
    TypeError
    """
    if not isinstance(value, (bool, np.bool_)):
        raise WrongTypeError(f"{name}={value!r} is neither True nor False: give one of them.")
    return bool(value)
