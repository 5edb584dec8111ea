"""Rows in a Parquet file, read by its groups of rows."""

import os
from threading import local

import numpy as np


class ParquetFile:
    """The numeric columns of a Parquet file.

    Parameters
    ----------
    path : str or path-like
        All columns are numbers; float32 if all are, else they are read as float64. What is missing is NaN.

    Attributes
    ----------
    shape : tuple of (n_samples, n_features)
    dtype : numpy.dtype
    names : list of str
    group : int
        Rows of the longest group.

    Raises
    ------
    ImportError
        Without pyarrow.
    OSError
        If the file cannot be read.
    ValueError
        If it is no Parquet file, or has columns that are no numbers.
    """

    def __init__(self, path):
        pq = _parquet()
        self.path, self._own = os.fspath(path), local()
        with open(self.path, "rb"):
            pass  # the words of the system where there is no such file
        try:
            found = pq.ParquetFile(self.path)
        except (ValueError, OSError) as error:  # what pyarrow raises is one of them
            raise ValueError(
                f"{self.path} is no readable Parquet file: {str(error).splitlines()[0]}"
            ) from None
        with found:
            self.types = {field.name: str(field.type) for field in found.schema_arrow}
            sizes = [found.metadata.row_group(g).num_rows for g in range(found.metadata.num_row_groups)]
            self._numbers = {field.name for field in found.schema_arrow if _is_number(field.type)}
        self.ends, self.group = np.cumsum(sizes, dtype=np.int64), max(sizes, default=1)
        index = [name for name in self.types if name.startswith("__index_level_")]
        self.names = [name for name in self.types if name not in index]
        self._column = None
        self._check()

    def _check(self):
        for name in self.names:
            if name not in self._numbers:
                raise ValueError(
                    f"{self.path}: column {name!r} holds {self.types[name]}, not numbers: leave it out of the file, or encode it."
                )
        single = {self.types[name] for name in self.names} == {"float"}
        self.dtype = np.dtype(np.float32 if single else np.float64)

    @property
    def shape(self):
        return len(self), len(self.names)

    def __len__(self):
        return int(self.ends[-1]) if len(self.ends) else 0

    def weigh_by(self, column):
        """Take a column as weights, and not as a feature."""
        if column not in self.names:
            raise ValueError(
                f"sample_weight={column!r} is no column of {self.path}: it has {', '.join(map(repr, self.names))}."
            )
        self.names = [name for name in self.names if name != column]
        self._column = column
        self._check()

    def __getitem__(self, rows):
        out = np.empty((rows.stop - rows.start, len(self.names)), self.dtype)
        for place, table in self._tables(rows.start, rows.stop, self.names):
            for f, column in enumerate(table.columns):
                _copy(column, out[place : place + len(table), f])
        return out

    def weights(self, start, stop):
        """The column of weights."""
        out = np.empty(stop - start)
        for place, table in self._tables(start, stop, [self._column]):
            _copy(table.column(0), out[place : place + len(table)])
        return out

    def _tables(self, start, stop, names):
        """The rows from start to stop, group by group, each with where it begins."""
        place, g = 0, int(np.searchsorted(self.ends, start, side="right"))
        while start < stop:
            begin, end = int(self.ends[g - 1]) if g else 0, int(self.ends[g])
            last = min(stop, end)
            try:
                with _parquet().ParquetFile(self.path) as file:
                    table = file.read_row_group(g, columns=names, use_threads=False)
                table = table.select(names).slice(start - begin, last - start)
            except FileNotFoundError:
                raise
            except (ValueError, OSError, KeyError) as error:
                raise ValueError(
                    f"{self.path} was changed while it was read: {str(error).splitlines()[0]}"
                ) from None
            yield place, table
            place += last - start
            start, g = last, g + 1


def _copy(column, out):
    """Numbers of a column; what is missing is NaN."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) and column.null_count < len(column):
        largest = abs(column.to_numpy() if not column.null_count else column.drop_null().to_numpy()).max()
        if kind.bit_width == 64 and largest > 2**53:
            raise ValueError(
                "a column holds whole numbers beyond 2**53, which float64 would change: scale or shift them."
            )
    target = pa.float32() if out.dtype == np.float32 else pa.float64()
    out[:] = column.cast(target, safe=False).to_numpy()


def _is_number(kind):
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _parquet():
    try:
        import pyarrow.parquet
    except ImportError:
        raise ImportError(
            'Parquet files are read by pyarrow, which is not installed: pip install "certified-kmeans[cli]" or pyarrow.'
        ) from None
    return pyarrow.parquet
