"""Frames and tables of any library: their numbers in memory, and their columns one by one."""

import numpy as np

# What holds no rows yet is known by a method that reads them: its name, and what to do instead.
UNREAD = {
    "toPandas": "give X.toPandas()",
    "collect": "give X.collect()",
    "read_all": "give X.read_all()",
    "to_table": "give X.to_table()",
}


def opened(X, name="X"):
    """X with its numbers in memory: what Dask is to compute is computed, sparse columns of a frame are made dense.

    Raises
    ------
    ValueError
        For what has not read its rows yet.
    """
    if type(X) in (np.ndarray, list):
        return X
    if hasattr(type(X), "__dask_graph__"):
        X = X.compute()
    for method, remedy in UNREAD.items():
        if hasattr(type(X), method):
            raise ValueError(
                f"{name} is a {type(X).__name__}, which has no rows yet: {remedy.replace('X', name, 1)}."
            )
    if np.ma.is_masked(X):
        raise ValueError(
            f"{name} has {np.ma.count_masked(X)} masked values: drop their rows or fill them in first."
        )
    if hasattr(type(X), "to_dense") and _is_sparse(X.dtype):  # an array of pandas
        return X.to_dense()
    if hasattr(type(X), "iloc") and any(
        map(_is_sparse, getattr(X, "dtypes", []) if X.ndim == 2 else [X.dtype])
    ):
        return X.apply(_dense) if X.ndim == 2 else _dense(X)
    return X


def _is_sparse(dtype):
    return type(dtype).__name__ == "SparseDtype"


def _dense(column):
    return column.sparse.to_dense() if _is_sparse(column.dtype) else column


def parts_of(X, name="X"):
    """The columns of a frame (there may be two of a name) or of a table, or X itself, each with what to call it."""
    kind = type(X)
    if hasattr(kind, "column_names"):  # pyarrow
        return [(f"column {title!r}", X.column(f)) for f, title in enumerate(X.column_names)]
    if not hasattr(kind, "columns"):
        return [(name, X)]
    parts = [X.iloc[:, f] if hasattr(kind, "iloc") else X.to_series(f) for f in range(X.shape[1])]
    return [(f"column {part.name!r}", part) for part in parts]


def column_names(X):
    """The names of the columns of a frame or a table as text; None for what has none."""
    kind = type(X)
    if hasattr(kind, "column_names"):
        return list(map(str, X.column_names))
    return list(map(str, X.columns)) if hasattr(kind, "columns") else None


def as_array(part, where, dtype=None):
    """As NumPy reads it.

    Raises
    ------
    ValueError
    """
    try:
        return np.asarray(part, dtype=dtype)
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # of the library that part is from
        kind = type(part)
        raise ValueError(
            f"{where} is a {kind.__module__}.{kind.__qualname__} that NumPy cannot read ({error}): give an array of numbers."
        ) from None
