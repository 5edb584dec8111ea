"""Parquet files of every hand: index, vectors, decimals, categories; what is no number is named."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ckmeans.command.tables import read_table

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def read(tmp_path):
    path = str(tmp_path / "x.parquet")

    def put_and_read(data, **options):
        data.to_parquet(path) if isinstance(data, pd.DataFrame) else pq.write_table(pa.table(data), path)
        return read_table(path, **options)

    return put_and_read


def test_the_index_is_no_feature(read):
    frame = pd.DataFrame({"a": [1.0, 2], "b": [3.0, 4]}, index=pd.Index([900, 17], name="customer"))
    table = read(frame)
    assert table.columns == ["a", "b"] and "customer (the index of the table" in table.notes[0]
    assert read(frame, columns=["customer", "a"]).X.tolist() == [[900, 1], [17, 2]]
    table = read(frame, weights="customer")
    assert (table.columns, table.weights.tolist(), table.notes) == (["a", "b"], [900, 17], [])
    table = read(frame.set_index("a", append=True))
    assert table.columns == ["b"] and set(table.skipped) == {"a", "customer"}
    assert read(frame.set_axis([5, 3])).notes == []  # without a name
    with pytest.raises(ValueError, match="without the index"):
        read(frame[[]])


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32(), 2), pa.list_(pa.float64()), pa.large_list(pa.int32())]
)
def test_vectors_are_features(read, kind):
    missing = (
        [None, 5] if pa.types.is_fixed_size_list(kind) else None
    )  # old writers know no missing vector of a fixed size
    vectors = [[1, 2], [1, 3], missing, [50, 60]]
    data = {"id": list("abcd"), "emb": pa.array(vectors, kind), "v": [1, 2, 3, 4]}
    table = read(data)
    assert table.columns == ["emb.0", "emb.1", "v"]
    assert table.X.tolist() == [[1, 2, 1], [1, 3, 2], [50, 60, 4]] and table.incomplete == [3]
    assert read(data, columns=["emb"]).X.tolist() == [[1, 2], [1, 3], [50, 60]]
    assert read(data, columns=["emb.0"]).X.tolist() == [[1], [1], [50]]
    assert read(data, skip_columns=["emb"]).columns == ["v"]
    only = read({"id": list("abcd"), "emb": data["emb"]})
    assert only.X.dtype == (np.float32 if kind.value_type == pa.float32() else np.float64)


def test_vectors_of_different_lengths(read):
    data = {"emb": [[1.0, 2], [3.0]], "v": [1, 2]}
    assert "different lengths" in read(data).skipped["emb"]
    with pytest.raises(ValueError, match="column emb holds vectors of different lengths"):
        read(data, columns=["emb"])
    with pytest.raises(ValueError, match="different lengths") as error:
        read({"emb": data["emb"]})
    assert "--delimiter" not in str(error.value)


def test_decimals(read):
    values = [Decimal("0.1"), Decimal("1234.55"), None]
    assert read({"a": pa.array(values, pa.decimal128(10, 2))}).X.tolist() == [[0.1], [1234.55]]
    for kind in (pa.decimal128(25, 0), pa.decimal128(25, 2), pa.decimal256(40, 3)):
        exact = [Decimal(2**60), Decimal(2**60 + 256)]
        assert read({"a": pa.array(exact, kind)}).X.ravel().tolist() == [2**60, 2**60 + 256]
        with pytest.raises(ValueError, match=rf"column a holds {2**60 + 1}.*beyond 2\*\*53"):
            read({"a": pa.array([*exact, Decimal(2**60 + 1)], kind)})


def test_whole_numbers_beyond_2_53(read):
    assert read({"a": [2**60, -(2**60) - 256]}).X.ravel().tolist() == [2**60, -(2**60) - 256]
    for values, kind in (
        ([5, 2**53 + 1], pa.int64()),
        ([2**64 - 1, 5], pa.uint64()),
        ([None, -(2**60) - 1], pa.int64()),
    ):
        with pytest.raises(ValueError, match="beyond"):
            read({"a": pa.array(values, kind)})
    with pytest.raises(ValueError, match="emb.1 holds"):
        read({"emb": [[1, 2**60 + 1], [3, 5]]})
    assert read({"a": [2**53 + 1, 5], "b": [1, 2]}, columns=["b"]).X.tolist() == [[1], [2]]


def test_what_is_no_number_is_named(read):
    data = {
        "category": pa.array(["x", "y"]).dictionary_encode(),
        "day": [date(2024, 1, 1)] * 2,
        "nested": [{"a": 1}, {"a": 2}],
        "nothing": pa.nulls(2),
        "raw": [b"x", b"y"],
        "v": [1, 2],
    }
    table = read(data)
    assert table.columns == ["v"] and set(table.skipped) == set(data) - {"v"}
    for title in set(data) - {"v", "nothing"}:
        with pytest.raises(ValueError, match=f"column {title} holds .*, not numbers"):
            read(data, columns=[title])
    frame = pd.DataFrame({"code": pd.Categorical([1, 2]), "v": [1, 2]})
    assert read(frame).skipped == {"code": "not numeric: categories"}


def test_text_follows_the_rules_of_text(read):
    assert read({"s": ["1", "2.5"], "name": ["a", "b"]}).X.tolist() == [[1], [2.5]]
    with pytest.raises(ValueError, match="column share has '5 %' in row 2, .*2 of 3 rows"):
        read({"share": ["4", "5 %", "6 %"], "v": [1, 2, 3]})


def test_truths_of_which_some_batch_has_none(here, monkeypatch):
    monkeypatch.setattr("ckmeans.command.parquet.ROWS", 2)
    pd.DataFrame({"a": [1.0, 2, 3, 4], "t": pd.array([None, None, True, False], "boolean")}).to_parquet(
        "t.parquet"
    )
    table = read_table("t.parquet", columns=["a", "t"])
    assert table.X.tolist() == [[3, 1], [4, 0]] and len(table.incomplete) == 2


def test_pages_that_are_damaged(here):
    pd.DataFrame({"a": np.arange(5000) % 7 / 3}).to_parquet("d.parquet", compression="snappy")
    content = bytearray(open("d.parquet", "rb").read())
    content[4:80] = b"\xff" * 76
    open("d.parquet", "wb").write(content)
    with pytest.raises(ValueError, match="d.parquet is no readable Parquet file"):
        read_table("d.parquet")


def test_names(read):
    assert read({"a.b": [1, 2], "a": [3, 4]}).X.tolist() == [[1, 3], [2, 4]]
    table = read({"emb.0": [9, 9], "emb": [[1, 2], [3, 4]]})
    assert table.columns == ["emb.0", "emb.0.1", "emb.1"] and table.X.tolist() == [[9, 1, 2], [9, 3, 4]]


def test_many_batches(read, monkeypatch):
    monkeypatch.setattr("ckmeans.command.parquet.ROWS", 7)
    X = np.random.default_rng(0).random((100, 3))
    data = {f"c{f}": X[:, f] for f in range(3)} | {"emb": [list(row) for row in X]}
    assert (read(data).X == np.hstack([X, X])).all()
