"""Input checks that scikit-learn does not make: each message names the value, the bound and the remedy."""

import math
import numbers

import numpy as np

EXACT_INTEGERS = 2**53  # float64 holds every whole number up to here
NO_NUMBERS = {"U": "text", "S": "text", "M": "a date", "m": "a duration", "V": "a record"}


def check_kinds(X):
    """Refuse what NumPy would turn into numbers unasked (text, dates, masked values), and complex numbers.

    Raises
    ------
    ValueError
    """
    if hasattr(X, "collect"):
        raise ValueError(f"X is a {type(X).__name__}, which has no rows yet: give X.collect().")
    if np.ma.is_masked(X):
        raise ValueError(
            f"X has {np.ma.count_masked(X)} masked values: drop their rows or fill them in first."
        )
    for part in _parts(X):
        where = f"column {part.name!r}" if hasattr(X, "columns") else "X"
        kind = getattr(getattr(part, "dtype", None), "kind", "O")
        values = np.asarray(part) if kind in "OcUSMmV" else np.empty(0)
        if values.dtype.kind == "c":
            raise ValueError(
                f"Complex data not supported: {where} holds {values.dtype}. Give the real parts, or real and imaginary"
                " parts as features of their own."
            )
        if found := _no_number(values):
            raise ValueError(
                f"X must hold numbers: {where} holds {found}. Encode or drop the columns that are not numbers, convert"
                " those that are written as text."
            )


def _parts(X):
    """The columns of a frame (there may be two of a name), or X itself."""
    if not hasattr(X, "columns"):
        return [X]
    return [X.iloc[:, f] if hasattr(X, "iloc") else X.to_series(f) for f in range(X.shape[1])]


def _no_number(values):
    """What NumPy would convert though it is no number, in words; None if there is nothing."""
    if values.dtype.kind in NO_NUMBERS:
        return f"{NO_NUMBERS[values.dtype.kind]}, {str(values.flat[0])!r}" if values.size else None
    if values.dtype.kind == "O":
        for value in values.flat:
            if isinstance(value, (str, bytes)):
                return f"text, {value!r}"


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


def refuse_rows(bad, n_samples, nan):
    """Raise the error for the rows that are not finite."""
    shown = ", ".join(map(str, bad[:10])) + (", ..." if len(bad) > 10 else "")
    raise ValueError(
        f"X contains {'NaN' if nan else 'infinity'} (NaN and inf are not allowed) in {len(bad)} of {n_samples} rows: "
        f"{shown}. Drop these rows or fill in the missing values first."
    )


def check_integers(X):
    """Refuse whole numbers that float64 would merge, in arrays, lists, or any column of a frame.

    Raises
    ------
    ValueError
    """
    for part in _parts(X):
        values, largest = np.asarray(part, dtype=None if hasattr(part, "dtype") else object), 0
        if values.dtype.kind in "iu" and values.size:
            largest = max(abs(int(values.min())), abs(int(values.max())))
        elif values.dtype.kind == "O":
            largest = max((abs(int(v)) for v in values.flat if isinstance(v, numbers.Integral)), default=0)
        if largest > EXACT_INTEGERS:
            shown = largest if largest < 10**40 else f"of {int(math.log10(largest)) + 1} digits"
            raise ValueError(
                f"X contains the integer {shown}, beyond 2**53 = {EXACT_INTEGERS}, up to which float64 is exact: "
                "subtract the minimum of each column first."
            )


def check_matrix(X):
    """X as a C-contiguous float64 array of finite numbers, without losing digits on the way.

    Raises
    ------
    ValueError
        For anything that is no table of real numbers.
    """
    original = X
    if hasattr(X, "toarray"):
        raise ValueError("X is sparse: give X.toarray().")
    check_kinds(X)
    try:
        X = X.to_numpy(np.float64, na_value=np.nan) if hasattr(X, "isna") else X  # pandas' own missing values
        X = np.asarray(X, dtype=np.float64, order="C")
    except OverflowError:
        check_integers(original)
        raise
    except (TypeError, ValueError) as error:
        raise ValueError(f"X holds something that is no real number ({error}): give real numbers.") from None
    if X.ndim != 2:
        remedy = "X.reshape(-1, 1) makes a list one feature" if X.ndim == 1 else "one row for each sample"
        raise ValueError(f"X has {X.ndim} dimension(s), needs 2: {remedy}.")
    if not X.size:
        raise ValueError(f"X has shape {X.shape}: at least one row and one feature are needed.")
    check_finite(X)
    check_integers(original)
    return X


def check_labels(labels, n_samples, n_clusters=None):
    """Labels of any library as int32 from 0, and the number of clusters: by default as many as there are different labels.

    Labels from 0 up to n_clusters stay as they are; others are numbered in their order.

    Raises
    ------
    TypeError, ValueError
        For the wrong length, missing labels, numbers that are not whole, noise (-1), and too many different labels.
    """
    given = np.asarray(labels)
    if given.shape != (n_samples,):
        raise ValueError(f"labels have shape {given.shape}; X has {n_samples} rows: give one label for each.")
    if given.dtype.kind not in "iubfUO":
        raise TypeError(f"labels are {given.dtype}: give whole numbers, or names.")
    if given.dtype.kind == "O" and not all(isinstance(v, (str, numbers.Integral)) for v in given):
        raise TypeError(
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
        raise TypeError("labels mix names and numbers: give one or the other.") from None
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
    if np.ma.is_masked(sample_weight):
        raise ValueError("sample_weight has masked values: drop these rows, or give them the weight 0.")
    try:
        weights = _numbers(sample_weight)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample_weight must hold one number for each row: {error}.") from None
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


def check_centers(centers, n_clusters, n_features):
    """Given centers as a float64 array.

    Raises
    ------
    ValueError
        If the shape is not (n_clusters, n_features), or a value is not a finite number.
    """
    if np.ma.is_masked(centers):
        raise ValueError("init gives centers with masked values: give finite numbers.")
    try:
        centers = _numbers(centers)
    except (TypeError, ValueError) as error:
        raise ValueError(f"init gives centers that are not rows of numbers: {error}.") from None
    if centers.shape != (n_clusters, n_features):
        raise ValueError(
            f"init gives centers of shape {centers.shape}, where (n_clusters, n_features) is {(n_clusters, n_features)}."
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
        found = _numbers(values)
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


def _numbers(values):
    """A copy as a C-contiguous float64 array."""
    given = np.asarray(values)
    if given.dtype.kind == "c":
        raise TypeError("these are complex")
    if found := _no_number(given):
        raise TypeError(f"this is {found}")
    return np.array(given, dtype=np.float64, order="C")


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
        raise TypeError(f"{name}={value!r} is not a whole number: give an int of at least {least}{also}.")
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
    remedy = f"n_samples={n_samples}: ask for at most one cluster per sample"
    return check_whole("n_clusters", n_clusters, 1, n_samples, remedy)


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
        raise TypeError(f"{name}={value!r} is not a number: give {wanted}.")
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
        raise TypeError(f"{name}={value!r} is neither True nor False: give one of them.")
    return bool(value)
