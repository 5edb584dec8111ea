"""Reading tables: every kind of file that people have, and one clear line for those that are none."""

import io
import os
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from command_line import run

from ckmeans.command.cli import cli
from ckmeans.command.tables import read_table

GOOD = {
    # name: (content, X, columns, lines, words in the notes)
    "commas": ("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]], ["a", "b"], [2, 3], []),
    "no header": (
        "1,2\n3,4\n",
        [[1, 2], [3, 4]],
        ["x1", "x2"],
        [1, 2],
        ["two columns of whole numbers", "--delimiter none"],
    ),
    "one row": ("1,2\n", [[1, 2]], ["x1", "x2"], [1], ["two columns of whole numbers", "--delimiter none"]),
    "small whole numbers": (
        "1,2\n1,4\n10,0\n",
        [[1, 2], [1, 4], [10, 0]],
        ["x1", "x2"],
        [1, 2, 3],
        ["10,0 was read as 10 and 0"],
    ),
    "a whole number over one column": (
        "7\n10\n5\n",
        [[7], [10], [5]],
        ["x1"],
        [1, 2, 3],
        ["the first line, 7, was read as data (else say --header)"],
    ),
    "a number over one column": ("7.5\n10\n5\n", [[7.5], [10], [5]], ["x1"], [1, 2, 3], []),
    "one number": ("7\n", [[7]], ["x1"], [1], []),
    "neighbours on the first line": (
        "1 2\n10 30\n5 7\n",
        [[1, 2], [10, 30], [5, 7]],
        ["x1", "x2"],
        [1, 2, 3],
        ["the first line, 1, 2, was read as data (else say --header)"],
    ),
    "a number among the names": (
        "n/d,5.5\n3,4.1\n",
        [[3, 4.1]],
        ["n/d", "5.5"],
        [2],
        ["with n/d and 5.5, holds the names (else say --no-header)"],
    ),
    "a missing value first": (
        "<NA>,1.5\n2,3.5\n4,5\n",
        [[2, 3.5], [4, 5]],
        ["x1", "x2"],
        [1, 2, 3],
        ["left out 1 of 3"],
    ),
    "missing values of many hands": (
        "a;b\nNAN;1\nNull;2\nnone;3\n-nan;4\nNA ;5\n6;7\n",
        [[6, 7]],
        ["a", "b"],
        [2, 3, 4, 5, 6, 7],
        ["left out 5 of 6"],
    ),
    "one column": ("v\n1\n2\n", [[1], [2]], ["v"], [2, 3], []),
    "tabs": ("a\tb c\n1\t2\n", [[1, 2]], ["a", "b c"], [2], []),
    "pipes": ("a|b\n1|2\n", [[1, 2]], ["a", "b"], [2], []),
    "white space": ("  a  b\n 1   2\n10  20\n", [[1, 2], [10, 20]], ["a", "b"], [2, 3], []),
    "blanks after commas": ("a , b\n 1 , 2 \n", [[1, 2]], ["a", "b"], [2], []),
    "semicolons": ("a;b\n1;2\n", [[1, 2]], ["a", "b"], [2], []),
    "decimal commas": (
        "a;b\n1,5;2\n3;-4,25\n",
        [[1.5, 2], [3, -4.25]],
        ["a", "b"],
        [2, 3],
        ["1,5 was read as 1.5"],
    ),
    "decimal commas, blanks": (
        "5,1 3,5\n5,2 3,6\n",
        [[5.1, 3.5], [5.2, 3.6]],
        ["x1", "x2"],
        [1, 2],
        ["decimal commas"],
    ),
    "semicolons in text": ("n,v\nA; B,1.5\nC; D,2.5\n", [[1.5], [2.5]], ["v"], [2, 3], ["skipped column n"]),
    "byte order mark, CRLF": ("\ufeffa,b\r\n1,2\r\n", [[1, 2]], ["a", "b"], [2], []),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), [[1, 2]], ["a", "b"], [2], []),
    "Latin-1": ("größe,b\n1,2\n".encode("latin-1"), [[1, 2]], ["größe", "b"], [2], ["Latin-1"]),
    "quoted names": ('"Length, cm","Width"\n1,2\n', [[1, 2]], ["Length, cm", "Width"], [2], []),
    "line breaks in quotes": (
        'n,v\n"a\nb",1\n"c",NA\n"d\n\ne",3\nf,2\n',
        [[1], [3], [2]],
        ["v"],
        [2, 4, 5, 8],
        ["line 4"],
    ),
    "blank lines": (
        "\na,b\n1,2\n\n3,4\n  \n,6\n\n",
        [[1, 2], [3, 4]],
        ["a", "b"],
        [3, 5, 7],
        ["1 of 3 rows", "line 7"],
    ),
    "missing": (
        "a,b\n1,?\n2,NA\n3,4\n5,.\n",
        [[3, 4]],
        ["a", "b"],
        [2, 3, 4, 5],
        ["3 of 4", "3 in column b", "lines 2, 3, 5"],
    ),
    "short row": ("a,b\n1,2\n3\n", [[1, 2]], ["a", "b"], [2, 3], ["line 3"]),
    "empty column": ("a,b\n1,\n2,\n", [[1], [2]], ["a"], [2, 3], ["skipped column b (no value"]),
    "delimiter at the end": ("a,b\n1,2,\n3,4,\n", [[1, 2], [3, 4]], ["a", "b"], [2, 3], []),
    "words": (
        "5.1,3.5,setosa\n4.9,3,setosa\n",
        [[5.1, 3.5], [4.9, 3]],
        ["x1", "x2"],
        [1, 2],
        ["no header", "x3 (not numeric"],
    ),
    "true and false": ("a,b\n1,True\n2,False\n", [[1], [2]], ["a"], [2, 3], ["true or false"]),
    "dates": ("t,b\n2024-01-01,1\n2024-01-02,2\n", [[1], [2]], ["b"], [2, 3], ["t (not numeric"]),
    "size line": (
        "2 3\n1 2 3\n4 5 6\n",
        [[1, 2, 3], [4, 5, 6]],
        ["x1", "x2", "x3"],
        [2, 3],
        ["2 rows, 3 columns"],
    ),
    "size line, two columns": (
        "2 2\n1 2\n3 4\n",
        [[1, 2], [3, 4]],
        ["x1", "x2"],
        [2, 3],
        ["size of the table"],
    ),
    "no size line": ("3 2\n1 2\n3 4\n", [[3, 2], [1, 2], [3, 4]], ["x1", "x2"], [1, 2, 3], []),
    "names in a comment": ("# made by hand\n# x y\n1 2\n3 4\n", [[1, 2], [3, 4]], ["x", "y"], [3, 4], []),
    "row names": (
        '"x" "y"\n"1" 1.5 2\n"2" 3 4\n',
        [[1.5, 2], [3, 4]],
        ["x", "y"],
        [2, 3],
        ["numbers the rows"],
    ),
    "index": (",x,y\n0,1.5,2\n1,3,4\n", [[1.5, 2], [3, 4]], ["x", "y"], [2, 3], ["numbers the rows"]),
    "truth with gaps": (
        "a,b\nTrue,1\n,2\nFalse,3\n",
        [[1], [2], [3]],
        ["b"],
        [2, 3, 4],
        ["a (true or false"],
    ),
    "names like those for equal names": (
        "a,a,a.1,,x4\n1,2,3,4,5\n",
        [[1, 2, 3, 4, 5]],
        ["a", "a.1", "a.1.1", "x4", "x4.1"],
        [2],
        [],
    ),
    "equal names": ("a,a\n1,2\n", [[1, 2]], ["a", "a.1"], [2], []),
    "large integers that floats hold": (
        "a\n100000000000000000000\n1.5\n",
        [[1e20], [1.5]],
        ["a"],
        [2, 3],
        [],
    ),
    "large integers only": ("a\n100000000000000000000\n1\n", [[1e20], [1]], ["a"], [2, 3], []),
    "large integers in names": (
        "n,v\nx1,1\n12345678901234567890,2\ny,3\n",
        [[1], [2], [3]],
        ["v"],
        [2, 3, 4],
        ["column n"],
    ),
    "all digits": ("a,b\n0.1,1e-300\n2,5e-324\n", [[0.1, 1e-300], [2, 5e-324]], ["a", "b"], [2, 3], []),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(content, name="data.csv"):
    with open(name, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return name


@pytest.mark.parametrize("name", GOOD)
def test_text(here, name):
    content, X, columns, lines, words = GOOD[name]
    table = read_table(put(content))
    assert table.X.tolist() == X
    assert (table.columns, list(table.lines), table.unit) == (columns, lines, "line")
    for word in words:
        assert word in " | ".join(table.notes)
    assert words or not table.notes


BAD = {
    # name: (content, options, words in the message)
    "empty": ("", {}, ["empty"]),
    "blank": ("\n \n", {}, ["empty"]),
    "header only": ("a,b\n", {}, ["header and no rows"]),
    "words only": ("a,b\nx,y\nz,w\n", {}, ["no numeric column", "'x'"]),
    "prose": ("This is a text.\nIt has, of course, commas\nand lines of any length.\n", {}, ["--delimiter"]),
    "long row": ("a,b\n1,2\n\n3,4,5\n", {}, ["line 4", "3 fields", "2"]),
    "open quote": ('a,b\n1,2\n"3,4\n5,6\n', {}, ["line 3", "quote"]),
    "one word": ("a,b\n1,2\n3,oops\n4,5\n", {}, ["column b", "'oops'", "line 3", "--skip-columns b"]),
    "thousands": ("a;b\n1.234,5;2\n2.345,6;3\n", {}, ["column a", "'1.234,5'", "line 2"]),
    "percent": ("a,b\n50%,1\n60%,2\n", {}, ["'50%'"]),
    "infinity": ("a,b\n1,2\n3,inf\n", {}, ["infinity", "line 3", "column b"]),
    "all incomplete": ("a,b\n1,?\n?,2\n", {}, ["every row has a missing value"]),
    "large integer": ("a\n1\n9007199254740993\n", {}, ["9007199254740993", "2**53"]),
    "large integer, one missing": (
        "a,b\n9007199254740993,1\n,2\n",
        {},
        ["column a", "9007199254740993", "2**53"],
    ),
    "large integer, decimals": ("a;b\n9007199254740993;1\n1,5;2\n", {}, ["9007199254740993", "2**53"]),
    "integers beyond 2**64": (
        "a,b\n1,-20000000000000000003\n2,1\n",
        {},
        ["column b", "-20000000000000000003"],
    ),
    "a number that would be 0": (
        "a,b\n1,1e-400\n2,1\n",
        {},
        ["column b", "1e-400", "out of the range of float64"],
    ),
    "a number that would be 0, among words": ("a,b\n1,1E-400\n2,1\n3,?\n4,-\n", {}, ["column b", "1E-400"]),
    "a number that would be 0, decimal comma": ("a;b\n1,5;0,1e-400\n2;1\n", {}, ["column b", "0,1e-400"]),
    "a tiny number of many digits": (
        "a,b\n1,1.2345678901e-315\n2,1\n",
        {},
        ["column b", "1.2345678901e-315"],
    ),
    "a weight that would be 0": ("a,w\n1,1e-400\n2,1\n", {"weights": "w"}, ["column w", "1e-400"]),
    "short of rows": ("150 4\n1 2 3 4\n5 6 7 8\n", {}, ["150", "2 follow"]),
    "binary": (b"\x01\x02\0\0", {}, ["binary"]),
    "spreadsheet": (b"PK\x03\x04abcdefgh", {}, ["spreadsheet"]),
    "no such column": ("a,b\n1,2\n", {"columns": ["c"]}, ["'c'", "a, b"]),
    "column of words": ("a,b\n1,x\n2,y\n", {"columns": ["a", "b"]}, ["column b", "'x'", "out of --columns"]),
    "nothing left": ("a,b\n1,2\n", {"skip_columns": ["a", "b"]}, ["no column is left"]),
    "weights of words": ("a,b\n1,x\n2,y\n", {"weights": "b"}, ["column b", "'x'", "with --weights"]),
    "negative weight": ("a,w\n1,2\n2,-3\n", {"weights": "w"}, ["-3", "line 3", "column w"]),
    "long delimiter": ("a,b\n1,2\n", {"delimiter": "::"}, ["'::'"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_text(here, name):
    content, options, words = BAD[name]
    with pytest.raises(ValueError) as error:
        read_table(put(content), **options)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("name", ["data.parquet", "data.npy"])
@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PAR1abc", b"\x93NUMPY", b"\x93NUMPY\x01\0v\0{}"])
def test_broken_files(here, name, content):
    with pytest.raises(ValueError, match="data"):
        read_table(put(content, name))


def test_no_file(here):
    with pytest.raises(ValueError, match="nosuch.csv: there is no such file"):
        read_table("nosuch.csv")
    with pytest.raises(ValueError, match="folder"):
        read_table(str(here))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(here):
    os.chmod(put("1,2\n"), 0)
    with pytest.raises(ValueError, match="Permission denied"):
        read_table("data.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe(here):
    os.mkfifo("pipe")
    writer = threading.Thread(target=put, args=("a\n1\n2\n5\n", "pipe"))
    writer.start()
    table = read_table("pipe")
    writer.join()
    assert table.X.tolist() == [[1], [2], [5]]


def test_a_disk_that_fails(here, monkeypatch):
    def fails(*given, **options):
        raise OSError(5, "Input/output error")

    put("a\n1\n")
    monkeypatch.setattr("ckmeans.command.tables.open", fails, raising=False)
    with pytest.raises(ValueError, match="data.csv cannot be read: Input/output error"):
        read_table("data.csv")
    monkeypatch.undo()
    monkeypatch.chdir(here)
    monkeypatch.setattr("ckmeans.command.outputs.tempfile.TemporaryFile", fails)
    said = run("fit", "iris", "-k", 3, "--out", "labels.csv", code=1).stderr
    assert "labels.csv cannot be written: Input/output error" in said


def test_many_missing_rows(here):
    table = read_table(put("a,b\n" + "1,\n" * 22 + "1,2\n"))
    assert table.incomplete == list(range(2, 24))
    assert "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 12 more" in table.notes[0]
    assert table.rows.tolist() == [22]


def test_choice_of_columns(here):
    put("a,b,c,w\n1,2,3,0.5\n4,5,6,\n7,8,9,2\n")
    table = read_table("data.csv", columns=["c", "1"], weights="w")
    assert table.columns == ["c", "a"]
    assert table.X.tolist() == [[3, 1], [9, 7]]
    assert table.weights.tolist() == [0.5, 2]
    assert table.incomplete == [3]
    assert read_table("data.csv", skip_columns=["a", "4"]).columns == ["b", "c"]
    assert read_table(put("a,b\n1,True\n2,False\n"), columns=["b"]).X.tolist() == [[1], [0]]


def test_iris(here):
    table = read_table("iris")
    assert table.X.shape == (150, 4)
    assert table.skipped == {"species": "not numeric: 'setosa'"}
    put("1,2\n", "iris")
    assert read_table("iris").X.shape == (1, 2)


@pytest.mark.parametrize("in_memory", [2**26, 1])
def test_standard_input(monkeypatch, in_memory):
    monkeypatch.setattr("ckmeans.command.arrays.MAPPED", in_memory)
    pd.DataFrame({"a": [1.0], "b": [2.0]}).to_parquet(parquet := io.BytesIO())
    for content in (b"a,b\n1,2\n", _npy(np.array([[1.0, 2.0]])), parquet.getvalue()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert read_table("-").X.tolist() == [[1, 2]]


def _npy(array):
    np.save(file := io.BytesIO(), array, allow_pickle=True)
    return file.getvalue()


def test_npy(here):
    X = np.arange(12.0).reshape(4, 3)
    X[2, 1] = np.nan
    table = read_table(put(_npy(X), "x.npy"))
    assert table.X.tolist() == X[[0, 1, 3]].tolist()
    assert (table.unit, table.incomplete, table.columns) == ("row", [3], ["x1", "x2", "x3"])
    assert read_table(put(_npy(X.astype(np.float32)), "x.npy")).X.dtype == np.float32
    assert read_table(put(_npy(np.arange(3)), "x.npy")).X.tolist() == [[0], [1], [2]]
    for array in (X * 1j, np.array([["a"]]), X[None], np.array([[{}]], object), np.zeros((0, 2))):
        with pytest.raises(ValueError):
            read_table(put(_npy(array), "x.npy"))


def test_npy_beyond_2_53(here):
    for dtype in (np.int64, np.uint64, np.longdouble):
        exact = np.array([[2**60], [2**60 + 256]], dtype)
        assert read_table(put(_npy(exact), "x.npy")).X.tolist() == [[2.0**60], [2.0**60 + 256]]
        if np.issubdtype(dtype, np.integer) or np.finfo(dtype).nmant > 60:
            with pytest.raises(ValueError, match=r"the array holds 1.*beyond 2\*\*53"):
                read_table(put(_npy(exact + dtype(1)), "x.npy"))


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp < 2000, reason="long double is double here")
def test_npy_beyond_the_floats(here):
    for text in ("1e-400", "1e400"):
        array = np.array([[np.longdouble(text)], [1]])
        with pytest.raises(ValueError, match=r"holds 1e[-+]400, which is out of the range of float64"):
            read_table(put(_npy(array), "x.npy"))
    infinite = np.array([[np.longdouble("inf")], [1]])
    with pytest.raises(ValueError, match="column x1 holds infinity in row 1"):
        read_table(put(_npy(infinite), "x.npy"))


def test_large_npy_is_mapped(here, monkeypatch):
    monkeypatch.setattr("ckmeans.command.arrays.MAPPED", 1000)
    table = read_table(put(_npy(np.ones((100, 2))), "x.npy"))
    assert isinstance(table.X, np.memmap)


def test_parquet(here):
    frame = pd.DataFrame(
        {"a": [1, 2, 3], "name": list("xyz"), "b": [1.5, None, 2.5], "ok": [True, False, True]}
    )
    frame["when"] = pd.Timestamp("2024-01-01")
    frame.set_index(pd.Index([7, 8, 9])).to_parquet("x.parquet")
    table = read_table("x.parquet")
    assert table.columns == ["a", "b"]
    assert table.X.tolist() == [[1, 1.5], [3, 2.5]]
    assert (table.unit, table.incomplete) == ("row", [2])
    assert set(table.skipped) == {"name", "ok", "when"}
    assert read_table("x.parquet", columns=["a", "ok"]).X.tolist() == [[1, 1], [2, 0], [3, 1]]
    frame[["b"]].astype(np.float32).to_parquet("x.parquet")
    assert read_table("x.parquet").X.dtype == np.float32


def test_parquet_of_other_hands(here):
    """Columns of one name, truth values and large whole numbers with gaps, no rows, no columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def table(*columns, names):
        pq.write_table(pa.table([pa.array(column) for column in columns], names=names), "x.parquet")
        return read_table("x.parquet")

    assert table([1, 2], [3, 4], names=["a", "a"]).columns == ["a", "a.1"]
    assert set(table([1, 2], [True, None], names=["a", "b"]).skipped) == {"b"}
    assert read_table("x.parquet", columns=["a", "b"]).X.tolist() == [[1, 1]]
    assert table([1, None, 3], names=["a"]).X.tolist() == [[1], [3]]
    with pytest.raises(ValueError, match=f"column a holds {2**60 + 1}, beyond"):
        table([2**60, None, 2**60 + 1], names=["a"])
    with pytest.raises(ValueError, match="empty: 0 rows, 1 columns"):
        table([], names=["a"])
    with pytest.raises(ValueError, match="empty: 0 rows, 0 columns"):
        table(names=[])


def test_take(here):
    table = read_table(put("a,w\n1,1\n2,2\n3,3\n4,4\n"), weights="w").take(np.array([1, 3]))
    assert (table.X.tolist(), table.weights.tolist(), table.rows.tolist()) == ([[2], [4]], [2, 4], [1, 3])
    assert len(table.lines) == 4


def test_labels_that_are_names(here):
    """The first line is one of them where it comes again, and else names the column."""
    for first in ("", "colour\n"):
        name = put(first + "red\nblue\n" * 75)
        result = CliRunner().invoke(cli, ["certify", "iris", name, "--time-limit", "0", "--json", "-"])
        assert result.exit_code == 0 and '"n_samples": 150' in result.output
    assert CliRunner().invoke(cli, ["certify", "iris", put("red\nblue\n" * 74)]).exit_code == 1
