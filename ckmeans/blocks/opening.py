"""Which block source a value stands for."""

import os
from collections.abc import Iterator
from glob import glob, has_magic

from ..local.npy_file import NpyFile
from ..validation import check_weights
from .parquet_file import ParquetFile
from .sources import Blocks, Files

SUFFIXES = (".npy", ".parquet", ".pq")


def source_of(X, sample_weight=None):
    """X as a block source that has these weights; None if X is none.

    Parameters
    ----------
    X : path of a .npy or Parquet file, list of paths, pattern such as "rows/*.parquet", callable that returns an iterable of \
arrays, dask.array.Array, dask.dataframe.DataFrame, or ray.data.Dataset
    sample_weight : array-like of shape (n_samples,), column name, or Dask array or series, optional

    Raises
    ------
    OSError
        For files that cannot be read.
    ValueError
        For blocks that do not go together, or what can be read only once.
    TypeError
        For what is no block.
    """
    source = _opened(X)
    if source is None or sample_weight is None:
        return source
    if hasattr(source, "take_weights"):
        source.take_weights(sample_weight)
    elif isinstance(sample_weight, str):
        if source.names is None:
            raise ValueError(
                f"sample_weight={sample_weight!r} is a name, and X has no names of columns: give an array of weights."
            )
        source.weigh_by(sample_weight)
    else:
        source.weights = check_weights(sample_weight, len(source))
    return source


def _opened(X):
    if isinstance(X, (str, os.PathLike)):
        return Files([_file(path) for path in _paths(X)])
    if are_paths(X):
        return Files([_file(path, some=False) for one in X for path in _paths(one)])
    if isinstance(X, Iterator):
        raise ValueError(
            f"X is a {type(X).__name__}, which can be read only once: give a callable that returns a new one each time, or"
            " summarize(X), which reads it once."
        )
    if isinstance(X, type) or not callable(X) or hasattr(X, "__array__"):
        return _of_others(X)
    return Blocks(X)


def _of_others(X):
    """What Dask and Ray have."""
    module = type(X).__module__.partition(".")[0]
    if module in ("dask", "dask_expr") and hasattr(type(X), "__dask_graph__") and getattr(X, "ndim", 0) == 2:
        from .dask_blocks import DaskBlocks

        return DaskBlocks(X)
    if module == "ray" and hasattr(X, "iter_batches"):
        from .ray_blocks import RayBlocks

        return RayBlocks(X)
    return None


def are_paths(X):
    """Whether X is a list of paths."""
    return isinstance(X, (list, tuple)) and len(X) > 0 and all(map(_is_path, X))


def _is_path(value):
    return isinstance(value, os.PathLike) or isinstance(value, str) and value.endswith(SUFFIXES)


def _paths(path):
    """The path, or those that a pattern stands for, in their order."""
    path = os.fspath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(
            f"{path} is a folder: give a pattern of the files in it, such as {os.path.join(path, '*.parquet')!r}."
        )
    if not has_magic(path) or os.path.exists(path):
        return [path]
    found = sorted(glob(path, recursive=True))
    if not found:
        raise FileNotFoundError(
            f"No file matches {path}: mend the pattern, or the folder that it is looked for in."
        )
    return found


def _file(path, some=True):
    return ParquetFile(path) if str(path).endswith(SUFFIXES[1:]) else NpyFile(path, some)
