"""Reading the numeric columns of a Parquet file, batch by batch."""

import json
import re

import numpy as np

from .cells import Columns, refuse, room, unique_names
from .numerals import MISSING, Notation

ROWS = 2**16  # rows that are read at once


class Parquet:
    """A Parquet file; a column of vectors is a column for each of their entries.

    Parameters
    ----------
    name : str
        For messages.
    file : binary file
    missing : list of str, optional
        Texts that mean a missing value, beside the usual ones.

    Attributes
    ----------
    names : list of str
    groups : dict
        Name of a column of vectors -> the names of its entries.
    hidden : dict
        Columns that are taken only if they are asked for, the index of a pandas frame -> why, or None.
    notes : list of str
    """

    unnamed = False

    def __init__(self, name, file, missing=()):
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.name, self.notes, self.missing = name, [], MISSING.union(missing or ())
        self.size = file.seek(0, 2)
        file.seek(0)
        try:
            self.file = pq.ParquetFile(file)
            self.schema = self.file.schema_arrow
            self.titles = unique_names(self.schema.names)
            sizes = {f: self._size(f) for f, kind in enumerate(self.schema.types) if _is_vector(pa, kind)}
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{name} is no readable Parquet file: {str(error).splitlines()[0]}") from None
        self.parts = []  # of each column: which one of the file, and which entry
        names = []
        for f, title in enumerate(self.titles):
            size = sizes.get(f) or 0
            self.parts += [(f, e) for e in range(size)] or [(f, None)]
            names += [f"{title}.{e}" for e in range(size)] or [title]
        self.names = unique_names(names)
        self.groups = {
            title: [name for name, (g, _) in zip(self.names, self.parts) if g == f]
            for f, title in enumerate(self.titles)
        }
        self.hidden = {}
        self._find_hidden()

    def _size(self, f):
        """The length that all vectors of a column have, or None."""
        kind, lengths = self.schema.types[f], set()
        if getattr(kind, "list_size", None):
            return kind.list_size
        import pyarrow.compute as pc

        for batch in self._batches([f]):
            lengths |= set(pc.unique(pc.list_value_length(batch.column(0))).to_pylist()) - {None}
            if len(lengths) > 1:
                return None
        return lengths.pop() if lengths else None

    def _batches(self, wanted):
        names = [self.schema.names[f] for f in wanted]
        once = all(self.schema.names.count(name) == 1 for name in names)
        for batch in self.file.iter_batches(ROWS, columns=names if once else None):
            yield batch if once else batch.select(wanted)

    def _find_hidden(self):
        """The index that pandas marks, with the words to tell it; one without a name is told of nowhere."""
        said = json.loads((self.schema.metadata or {}).get(b"pandas", b"{}"))
        index = {title for title in said.get("index_columns", ()) if isinstance(title, str)}
        self.categories = {
            column.get("field_name")
            for column in said.get("columns", ())
            if column.get("pandas_type") == "categorical"
        }
        for name, (f, _) in zip(self.names, self.parts):
            title = self.schema.names[f]
            if re.fullmatch(r"__index_level_\d+__", title):
                self.hidden[name] = None
            elif title in index:
                self.hidden[name] = "the index of the table; name it with --columns to take it"

    def read(self, wanted, must, remedies, progress):
        """The rows, see `texts.Text.read`."""
        import pyarrow as pa

        index = dict(zip(self.names, self.parts))
        parts = [index[title] for title in wanted]
        fields = sorted({f for f, _ in parts})
        columns = Columns(wanted, must, remedies, "row", Notation(), self.missing)
        for i, ((f, entry), title) in enumerate(zip(parts, wanted)):
            if reason := self._reason(pa, f, entry):
                columns.fixed[i] = reason
                if title in must:
                    refuse(f"column {title} holds {reason.removeprefix('not numeric: ')}, not numbers")
            if _value_type(pa, self.schema.types[f]) == pa.float32():
                columns.float32.add(i)
        alike = columns.float32.issuperset(set(range(len(parts))) - set(columns.fixed))
        try:
            for batch in self._batches(fields):
                numbers = room(batch.num_rows, len(parts), np.float32 if alike else np.float64)
                for i, (f, entry) in enumerate(parts):
                    if i not in columns.fixed:
                        _convert(pa, columns, i, batch.column(fields.index(f)), entry, numbers[:, i])
                columns.add(numbers)
                progress(self.size * columns.n_rows // self.file.metadata.num_rows)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                f"{self.name} is no readable Parquet file: {str(error).splitlines()[0]}"
            ) from None
        if not columns.n_rows:
            refuse(f"the table is empty: 0 rows, {len(self.names)} columns")
        return columns, range(1, columns.n_rows + 1)

    def cells(self, wanted):
        """Some columns as they are, see `texts.Text.cells`."""
        import pandas as pd

        parts = dict(zip(self.names, self.parts))
        fields = sorted({parts[title][0] for title in wanted})
        columns = {title: [] for title in wanted}
        for batch in self._batches(fields):
            for title in wanted:
                f, entry = parts[title]
                values = batch.column(fields.index(f)).to_pylist()
                columns[title] += values if entry is None else [v and v[entry] for v in values]
        cells = pd.DataFrame(columns, dtype=object)
        return cells, list(range(1, len(cells) + 1))

    def _reason(self, pa, f, entry):
        """Why a column cannot be one of numbers, or None."""
        types, kind = pa.types, self.schema.types[f]
        if self.schema.names[f] in self.categories:
            return "not numeric: categories"
        if entry is not None or types.is_boolean(kind) or types.is_null(kind) or _is_number(pa, kind):
            return None
        if types.is_string(kind) or types.is_large_string(kind) or kind == _view(pa):
            return None
        if _is_vector(pa, kind):
            return f"not numeric: vectors of different lengths, {kind}"
        return f"not numeric: {kind}"


def _view(pa):
    return pa.string_view() if hasattr(pa, "string_view") else pa.string()


def _is_number(pa, kind):
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _is_vector(pa, kind):
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return lists and _is_number(pa, kind.value_type)


def _value_type(pa, kind):
    return kind.value_type if _is_vector(pa, kind) else kind


def _convert(pa, columns, i, values, entry, numbers):
    """Write a column of a batch, or one entry of its vectors, as numbers."""
    import pyarrow.compute as pc

    if entry is not None:
        values = pc.list_element(values, entry)
    kind, given = values.type, ~values.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_decimal(kind):  # by way of text, which rounds correctly
        text = values.cast(pa.string())
        numbers[:] = text.cast(pa.float64()).to_numpy(zero_copy_only=False)
        columns.digits(i, text, numbers)
    elif pa.types.is_boolean(kind):
        if given.any():
            truths = values.drop_null().to_numpy(zero_copy_only=False)
            columns.truths(i, truths, part := np.empty(len(truths)))
            numbers[given] = part
    elif pa.types.is_integer(kind):
        whole = values.drop_null().to_numpy(zero_copy_only=False)
        numbers[given] = whole
        columns.integers(i, whole, numbers[given])
    elif pa.types.is_floating(kind):
        numbers[:] = values.to_numpy(zero_copy_only=False)
    elif not pa.types.is_null(kind):
        columns.texts(i, values.to_pylist(), numbers)
