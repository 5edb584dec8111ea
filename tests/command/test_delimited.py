"""Texts with a delimiter: what can be told from them is read, what cannot is asked; against Python's csv and float."""

import csv
import io
import itertools
import json
import math
import os
import shlex
import tempfile

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ckmeans.command import texts
from ckmeans.command.cli import cli
from ckmeans.command.delimited import Options
from ckmeans.command.tables import read_table
from ckmeans.command.texts import Text

TOLD = {
    # name: (content, options, X, columns)
    "a line break in a name": (
        '"Price\n(EUR)",Weight\n1,200\n1.5,210\n',
        {},
        [[1, 200], [1.5, 210]],
        ["Price (EUR)", "Weight"],
    ),
    "one column of decimal commas": ("size\n1,5\n40,75\n1,05\n", {}, [[1.5], [40.75], [1.05]], ["size"]),
    "signed decimal commas": ("v\n-1,5\n+2,75\n", {}, [[-1.5], [2.75]], ["v"]),
    "quoted decimal commas": ('a,b\n"1,5","2,5"\n"3,5","4,25"\n', {}, [[1.5, 2.5], [3.5, 4.25]], ["a", "b"]),
    "words and decimal commas": ("setosa;1,5\nvirginica;2,5\n", {}, [[1.5], [2.5]], ["x2"]),
    "semicolons and commas in text": ("x;a,b;1\ny;c,d;2\n", {}, [[1], [2]], ["x3"]),
    "an empty corner over names": (
        ",1990,2000\nN,10,12\nE,11,13\n",
        {},
        [[10, 12], [11, 13]],
        ["1990", "2000"],
    ),
    "numbered columns": (";0;1\nN;10.5;12.5\nE;11.5;13.5\n", {}, [[10.5, 12.5], [11.5, 13.5]], ["0", "1"]),
    "names that are numbers": (
        "Land,2018,2019\nA,1,2\nB,3,4\n",
        {"header": True},
        [[1, 2], [3, 4]],
        ["2018", "2019"],
    ),
    "data that count": ("1,2,3\n7,9,5\n", {"header": False}, [[1, 2, 3], [7, 9, 5]], ["x1", "x2", "x3"]),
    "row names, as R writes them": ("x,y\nfoo,1.5,2\nbar,3.5,4\n", {}, [[1.5, 2], [3.5, 4]], ["x", "y"]),
    "row names that are numbers": (
        "x y\n7 1 2\n9 3 5\n",
        {"header": True, "skip_columns": ["1"]},
        [[1, 2], [3, 5]],
        ["x", "y"],
    ),
    "sep=": ("sep=;\nOne;Two\n1;2\n1,5;2\n", {}, [[1, 2], [1.5, 2]], ["One", "Two"]),
    "sep= in quotes": (
        '"sep=,"\n1,2,3\n4,9,6\n',
        {"header": False},
        [[1, 2, 3], [4, 9, 6]],
        ["x1", "x2", "x3"],
    ),
    "sep= and a tab": ("sep=\t\na\tb\n1\t2\n", {}, [[1, 2]], ["a", "b"]),
    "comments before and after the names": (
        "# one, two, three\na,b\n# now\n1,2\n3,4\n",
        {},
        [[1, 2], [3, 4]],
        ["a", "b"],
    ),
    "blocks with comments": ("# x y\n1 2\n3 4\n\n\n# x y\n5 6\n", {}, [[1, 2], [3, 4], [5, 6]], ["x", "y"]),
    "percent signs": ("% 6\n% 2\n% Key\tC1\n5\t0.5\n2\t9.5\n", {}, [[5, 0.5], [2, 9.5]], ["Key", "C1"]),
    "other comments": ("// x\na,b\n1,2\n// y\n3,4\n", {"comment": "//"}, [[1, 2], [3, 4]], ["a", "b"]),
    "no comments": ("color,x\n#ff0000,1\n#00ff00,2\n", {"comment": "none"}, [[1], [2]], ["x"]),
    "a column called #": ("#,x\n1,3.5\n2,7.5\n", {}, [[3.5], [7.5]], ["x"]),
    "missing values of a spreadsheet": ("a,b\n1,2\n#N/A,3\n4,5\n", {}, [[1, 2], [4, 5]], ["a", "b"]),
    "blanks after commas, no names": ("1.5, 2\n3, 4\n", {}, [[1.5, 2], [3, 4]], ["x1", "x2"]),
    "quoted comments": ('t,x\n"a\n# b",1\n"# c",2\n', {}, [[1], [2]], ["x"]),
    "commas between thousands": (
        'n,v\na,"1,250"\nb,"85,000.5"\nc,7\n',
        {"thousands": "comma"},
        [[1250], [85000.5], [7]],
        ["v"],
    ),
    "points between thousands": (
        "n;v\na;1.250\nb;85.000,5\n",
        {"thousands": "point"},
        [[1250], [85000.5]],
        ["v"],
    ),
    "blanks between thousands": (
        "v\n1 250,5\n85\u202f000\n",
        {"thousands": "space", "decimal": "comma"},
        [[1250.5], [85000]],
        ["v"],
    ),
    "blanks, no names": ("1 250\n1 300\n", {"thousands": "space"}, [[1250], [1300]], ["x1"]),
    "no thousands": (
        "a;b\n1.234;5.678\n2.345;6.789\n",
        {"decimal": "point"},
        [[1.234, 5.678], [2.345, 6.789]],
        ["a", "b"],
    ),
    "three decimals": ("a;b\n1.234;0.678\n2.345;6.789\n", {}, [[1.234, 0.678], [2.345, 6.789]], ["a", "b"]),
    "no delimiter": ("1,5\n1,75\n2,25\n", {"delimiter": "none"}, [[1.5], [1.75], [2.25]], ["x1"]),
    "a comma that is decimal": ("1,5\n1,75\n2,25\n", {"decimal": "comma"}, [[1.5], [1.75], [2.25]], ["x1"]),
    "a comma that is none": (
        "1,5\n1,75\n2,25\n",
        {"delimiter": "comma"},
        [[1, 5], [1, 75], [2, 25]],
        ["x1", "x2"],
    ),
    "some of the blanks are tabs": ("a \tb\n1\t 2\n3 4\n", {}, [[1, 2], [3, 4]], ["a", "b"]),
    "a number and a letter": ("23,M\n41,F\n35,M\n", {}, [[23], [41], [35]], ["x1"]),
    "blanks after some names": ("a, b,c\n1, 2,3\n3, 9,5\n", {}, [[1, 2, 3], [3, 9, 5]], ["a", "b", "c"]),
    "names in a comment": ("#age,score\n23,15\n41,16\n", {}, [[23, 15], [41, 16]], ["age", "score"]),
    "years in quotes over numbers": (
        '"Land","2018","2019"\n"A",1,2\n"B",3,4\n',
        {},
        [[1, 2], [3, 4]],
        ["2018", "2019"],
    ),
    "one year in quotes": ('"2019"\n5952\n5713\n', {}, [[5952], [5713]], ["2019"]),
    "numbers in quotes": ('"19"\n"52"\n"13"\n', {}, [[19], [52], [13]], ["x1"]),
    "CR": ("a,b\r1,2\r3,4\r", {}, [[1, 2], [3, 4]], ["a", "b"]),
    "several line breaks": ("a,b\r\n1,2\n3,4\r5,6", {}, [[1, 2], [3, 4], [5, 6]], ["a", "b"]),
    "UTF-32": ("a,b\n1,2\n".encode("utf-32"), {}, [[1, 2]], ["a", "b"]),
    "Windows-1252": (
        "\u201ca\u201d;\u20ac\n1;2\n".encode("cp1252"),
        {},
        [[1, 2]],
        ["\u201ca\u201d", "\u20ac"],
    ),
    "an inch sign": ('d,n\nflat 5" pipe,1\nround 6" pipe,2\n', {}, [[1], [2]], ["n"]),
    "dates": ("day;p\n02.01.2024;1,5\n03.01.2024;2,5\n", {}, [[1.5], [2.5]], ["p"]),
    "addresses": ("ip,v\n10.0.0.1,1\n192.168.100.200,2\n10.0.0.2,3\n", {}, [[1], [2], [3]], ["v"]),
    "a row that ends early": (
        "x y code\n1 2 3\n4 6\n7 8 9\n",
        {},
        [[1, 2, 3], [7, 8, 9]],
        ["x", "y", "code"],
    ),
    "an index that is not asked for": (",a,b\n900,1,2\n17,3,4\n", {"columns": ["a"]}, [[1], [3]], ["a"]),
    "exact numbers beyond 2**53": (
        "a,b\n1152921504606846976.00,1e17\n5,2.5\n",
        {},
        [[2**60, 1e17], [5, 2.5]],
        ["a", "b"],
    ),
    "large numbers that are not asked for": (
        "a,b\n1152921504606846977,1\n5,2\n",
        {"columns": ["b"]},
        [[1], [2]],
        ["b"],
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_the_text_tells(read, name):
    content, options, X, columns = TOLD[name]
    table = read(content, **options)
    assert (table.columns, table.X.tolist()) == (columns, X)


ASKED = {
    # name: (content, words in the message)
    "one column, or two": ("1,5\n1,75\n2,25\n40,5\n", ["--delimiter comma or --delimiter none"]),
    "prices, or two columns": ("12,50\n13,75\n", ["--delimiter comma or --delimiter none"]),
    "thousands, or two columns": ("1 250\n1 300\n85 000\n", ["--delimiter whitespace or --delimiter none"]),
    "a name of two words": ("my value\n1 250\n2 300\n", ["--delimiter whitespace or --delimiter none"]),
    "a name with a comma": ("price, EUR\n1,5\n2,5\n", ["--delimiter comma or --delimiter none"]),
    "blanks before the decimal comma": ("1 250,50\n1 300,00\n", ["--delimiter"]),
    "two delimiters": ("a;b|c\n1;2|3\n4;5|6\n", ["--delimiter semicolon or --delimiter pipe"]),
    "semicolon or comma": ("1;a,5\n2;b,6\n", ["--delimiter semicolon or --delimiter comma"]),
    "1250 or 1.25": (
        "price\n1,250\n1,300\n",
        ["1,250 may be 1.250 or 1250", "--decimal comma", "--thousands comma"],
    ),
    "1250 or 1.25, counting": ("price\n1,250\n2,300\n3,000\n", ["--thousands comma"]),
    "1234 or 1.234": ("a;b\n1.234;5.678\n2.345;6.789\n", ["--decimal point or --thousands point"]),
    "850 beside 1.234": ("a\tb\nx\t1.234\ny\t850\n", ["--thousands point"]),
    "years over data": (
        "Land,2018,2019\nA,1.5,2\nB,1.6,3\n",
        ["Land, 2018, 2019", "--header", "--no-header"],
    ),
    "counting names": ("gene,1,2,3\nX,0.5,0.6,0.7\nY,0.4,0.6,0.9\n", ["--header"]),
    "names of numpy columns": ("0,1\n5,3\n7,2\n", ["--header"]),
    "an error of a spreadsheet first": ("#DIV/0!,1.5\n2,3.5\n4,5\n", ["'#DIV/0!' in line 1"]),
    "blanks after some commas": ("1,5, 2,5\n3,5, 9,5\n", ["may hold decimal commas", "--delimiter comma"]),
    "lines in quotes": (
        '"a,b"\n"1,2"\n"3,4"\n',
        ["'1,2' under 'a,b' may be one number or two", "--decimal comma"],
    ),
    "a sign before a small number": ("-0,2\n0,4\n", ["--delimiter comma or --delimiter none"]),
    "temperatures, or two columns": ("21,5\n22,1\n19,8\n", ["--delimiter comma or --delimiter none"]),
    "decades": ("2000,2010,2020\n1.5,2.5,3.5\n9,3.5,4.5\n", ["--header"]),
    "years with gaps": ("Land,1990,2000,2005\nA,100,110,120\nB,50,60,70\n", ["--header"]),
    "wavelengths": ("400.5,401.0,401.5\n0.31,0.52,0.18\n0.35,0.51,0.22\n", ["--header"]),
    "masses": ("100.2,105.7,113.4,120.1,180.5,201.3\n0.3,0.5,0.1,0.9,0.2,0.4\n", ["--header"]),
    "quantiles over counts": ("0.25,0.5,0.75\n1,9,3\n4,5,2\n", ["--header"]),
    "one year": ("2019\n1.5\n1.75\n", ["--header"]),
    "shares after an empty corner": (",0.25,0.5\nN,1.5,2\nS,3,4\n", ["--header"]),
    "row names that are numbers": ("x y\n7 1 2\n9 3 4\n", ["line 1 has 2 fields, the next 3", "--header"]),
    "row names before whole numbers": ("x,y\nfoo,1,2\nbar,3,4\n", ["line 1 has 2 fields", "--header"]),
    "names of columns that are missing": ("a,b,c\n1,2\n3,4\n", ["line 1 has 3 fields, the next 2"]),
    "an index without a name": (",a,b\n900,1,2\n17,3,4\n", ["first column has no name", "--skip-columns x1"]),
    "a comment or a colour": (
        "c,x\nred,1\n#00ff00,2\n",
        ["line 3, '#00ff00,2'", "--comment '#' or --comment none"],
    ),
    "a first comment or a colour": ("#ff0000,1\nred,2\n", ["line 1, '#ff0000,1'", "--comment"]),
    "the only odd cell": (
        "a;b\n" + "x;1,5\n" * 160 + "y;1.234,56\n",
        ["'1.234,56' in line 162", "one row", "--thousands point"],
    ),
    "a late decimal comma": ("a;b\n" + "1;2\n" * 150 + "1,5;2\n", ["column a", "'1,5' in line 152"]),
    "two decimal marks": ("a;b\n1,5;2.5\n2,5;3.5\n", ["column a", "'1,5'"]),
    "a comment at the end": ("a,b\n1,2 # x\n3,4 # y\n", ["column b", "'2 # x' in line 2"]),
    "an open quote": ("a,b\n" + "1,2\n" * 150 + '"1,2\n3,4\n', ["line 152", "never closed"]),
    "a field too many, beyond the sample": ("a,b\n" + "1,2\n" * 150 + "1,2,3\n", ["line 152: 3 fields"]),
    "a field after the last delimiter": ("a,b\n" + "1,2,\n" * 150 + "3,4,5\n", ["line 152: 3 fields"]),
    "neighbours beyond 2**53": (
        "a\n1152921504606846976.0\n1152921504606846977.0\n",
        ["1152921504606846977.0", "2**53"],
    ),
    "neighbours with exponents": ("a\n1.152921504606846977E+18\n5\n", ["1.152921504606846977E+18", "2**53"]),
    "neighbours with decimal commas": ("a;b\n1152921504606846977,0;1,5\n5;2\n", ["1152921504606846977,0"]),
    "UTF-16 cut short": (b"\xff\xfea\0,\0b", ["UTF-16"]),
    "UTF-16 without a mark": ("a,b\n1,2\n".encode("utf-16-le"), ["binary", "byte order mark"]),
    "a preamble": ("! a note of some words\n1 2\n3 4\n", ["line 1 has 6 fields, the next 2", "--comment"]),
    "errors of a spreadsheet": ("a,b\n1,2\n#DIV/0!,3\n4,5\n5,6\n", ["'#DIV/0!' in line 3"]),
    "comments only": ("# a\n% b\n", ["no row at all besides comments"]),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_the_text_does_not_tell(read, name):
    content, words = ASKED[name]
    with pytest.raises(ValueError) as error:
        read(content)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "cell",
    [
        "1 250",
        "1\u202f250",
        "1\u2019250",
        "\u22125",
        "\u20ac 5,00",
        "5,00 \u20ac",
        "5 %",
        "(5.00)",
        "\u00a55000",
        "\u00a05",
        "1.5D+02",
        "1_000",
        "0x1F",
        "5 kg",
        "<5",
    ],
)
@pytest.mark.parametrize("delimiter", ";|\t")
def test_columns_that_look_like_numbers_are_never_left_out(read, cell, delimiter):
    rows = [
        ["name", "price", "q"],
        ["a", "unknown", "1"],
        ["b", cell, "2"],
        ["c", cell, "7"],
        ["d", "n/a", "8"],
        ["e", cell, "9"],
    ]
    text = "\n".join(map(delimiter.join, rows))
    with pytest.raises(ValueError) as error:
        read(text)
    assert f"column price has {cell!r} in line 3" in str(error.value)
    assert "--skip-columns price" in str(error.value)
    assert read(text, skip_columns=["price"]).X.ravel().tolist() == [1, 2, 7, 8, 9]


@pytest.mark.parametrize("mark", [";", "|", "\t"])
@pytest.mark.parametrize("cell", ["1 250,50", "1\u00a0300,00", "\u2212250,50", "\u20ac 1250,50", "<2,5"])
def test_the_digits_after_the_comma_are_no_column(read, mark, cell):
    for header in (f"name{mark}price\n", ""):
        with pytest.raises(ValueError, match=r"column (price|x2) has|more than one way"):
            read(header + "".join(f"{name}{mark}{cell}\n" for name in "abcd"))


def test_long_fields_and_long_lines(read):
    limit = csv.field_size_limit()
    shape = ", ".join(["1.5 2.5"] * 30_000)
    table = read("name,wkt,pop\n" + "".join(f'a{i},"POLYGON (({shape}))",{i}\n' for i in range(4)))
    assert table.columns == ["pop"] and table.X.ravel().tolist() == [0, 1, 2, 3]
    assert csv.field_size_limit() == limit
    names = [f"probe{f:0210d}" for f in range(5_000)]  # more than 2**20 characters
    table = read("\n".join(",".join(row) for row in (names, ["1"] * 5_000, ["0"] * 5_000)))
    assert table.columns == names and table.X.shape == (2, 5_000)


def test_texts_of_many_lines(read):
    story = '"' + "\n".join(f"paragraph {j}, with some words; and more" for j in range(40)) + '"'
    for mark, decimal in itertools.product(",;\t", ".,"):
        rows = [[f"{7 * i + 5}", story, f'"{i * i}{decimal}5"'] for i in range(60)]
        table = read("\n".join(map(mark.join, [["id", "text", "score"], *rows])), columns=["score"])
        assert table.X.ravel().tolist() == [i * i + 0.5 for i in range(60)]
        assert list(table.lines) == [2 + 40 * i for i in range(60)]


@st.composite
def tables(draw):
    """Cells as text with their numbers, and how they are written."""
    mark = draw(st.sampled_from(",;\t|"))
    decimal = "." if mark == "," else draw(st.sampled_from(".,"))
    n_rows, n_columns = draw(st.integers(2, 12)), draw(st.integers(1, 4))
    number = st.one_of(
        st.integers(-(10**6), 10**6).map(str),
        st.floats(-1e6, 1e6).map(repr),
        st.floats(-1e3, 1e3).map("{:.3f}".format),
        st.just("NA"),
    )
    rows = draw(
        st.lists(st.lists(number, min_size=n_columns, max_size=n_columns), min_size=n_rows, max_size=n_rows)
    )
    rows = [[cell.replace(".", decimal) for cell in row] for row in rows]
    if draw(st.booleans()):
        word = st.text(st.sampled_from('ab \n"#%;,|\t\u00e9'), max_size=12).map(lambda text: "w" + text)
        rows = [[draw(word), *row] for row in rows]
    names = [f"n{f}" for f in range(len(rows[0]))] if draw(st.booleans()) else None
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    line = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(file := io.StringIO(newline=""), delimiter=mark, quoting=quoting, lineterminator=line)
    writer.writerows([names, *rows] if names else rows)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return file.getvalue().encode(encoding), mark, decimal, names is not None, encoding


def independent(content, mark, decimal, header, encoding):
    """What Python's csv and float make of it: the rows without missing values."""
    text = content.decode(encoding).removeprefix("\ufeff")
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))[header:]
    numeric = [f for f in range(len(records[0])) if not records[0][f].startswith("w")]
    numbers = [
        [math.nan if row[f] == "NA" else float(row[f].replace(decimal, ".")) for f in numeric]
        for row in records
    ]
    X = np.array(numbers).reshape(len(records), len(numeric))
    X = X[:, ~np.isnan(X).all(axis=0)]
    return X[~np.isnan(X).any(axis=1)] if X.shape[1] else X[:0]


@settings(max_examples=150, deadline=None)
@given(tables(), st.sampled_from([1, 40, 2**22]))
def test_against_an_independent_parser(table, size):
    """Right where all is said; right, asked about or told of where nothing is; and blocks make no difference."""
    content, mark, decimal, header, encoding = table
    wanted = independent(*table)
    said = {
        "delimiter": mark,
        "decimal": "comma" if decimal == "," else "point",
        "header": header,
        "comment": "none",
    }
    for options in (said, {}):
        block, texts.BLOCK = texts.BLOCK, size
        try:
            found = _read(content, options)
        except ValueError as error:
            assert not options or not len(wanted), error
            continue
        finally:
            texts.BLOCK = block
        if options or not any("if it is one number, say --delimiter none" in note for note in found.notes):
            assert found.X.tolist() == wanted.tolist(), options


def _read(content, options):
    handle, path = tempfile.mkstemp(suffix=".csv")
    try:
        with open(handle, "wb") as file:
            file.write(content)
        return read_table(path, **options)
    finally:
        os.unlink(path)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_lines_and_notes_do_not_depend_on_the_blocks(read, monkeypatch, size):
    rows = [f'"t\n{i}",{i}.5\n' if i % 3 else f"# comment {i}\n\nplain,{i}\n" for i in range(50)]
    whole = read("t,v\n" + "".join(rows))
    monkeypatch.setattr("ckmeans.command.texts.BLOCK", size)
    monkeypatch.setattr("ckmeans.command.texts.SAMPLE", 200)
    cut = read("t,v\n" + "".join(rows))
    assert (cut.X == whole.X).all() and list(cut.lines) == list(whole.lines) and cut.notes == whole.notes


def test_wide_numbers_are_read_once_more_for_all_columns(read, monkeypatch):
    """The time does not grow with the number of columns that hold large numbers."""
    calls, frame = [], Text._frame
    monkeypatch.setattr(Text, "_frame", lambda *args, **options: calls.append(1) or frame(*args, **options))
    numbers = np.random.default_rng(0).random((20, 30)) * 1e17
    text = "\n".join(",".join(f"{value:.6e}" for value in row) for row in numbers)
    assert read(text).X.tolist() == [[float(f"{value:.6e}") for value in row] for row in numbers]
    assert len(calls) == 2


def test_what_the_text_does_not_tell_can_be_said(tmp_path, monkeypatch):
    """By the options of the command, which its report repeats."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("# prices\nname;price\na;1.250\nb;1.300\nc;85.000,5\n")

    def run(*words):
        return CliRunner().invoke(cli, ["breaks", "data.csv", "price", "-k", "2", *words])

    assert "--thousands point" in run().stderr
    told = run("--thousands", "point", "--decimal", "comma", "--comment", "#", "--json", "-")
    full = json.loads(told.stdout)
    assert full["result"]["breaks"] == [1250, 1300, 85000.5]
    again = CliRunner().invoke(cli, [*shlex.split(full["command"])[1:], "--json", "-"])
    assert json.loads(again.stdout)["result"]["breaks"] == [1250, 1300, 85000.5]
    for option in ("--decimal", "--thousands", "--comment"):
        assert option in CliRunner().invoke(cli, ["fit", "--help"]).stdout
        assert f"{option[2:]} '12'" in run(option, "12").stderr


@pytest.mark.parametrize(
    "options, words",
    [
        ({"delimiter": "::"}, "delimiter '::'"),
        ({"decimal": ";"}, "decimal ';'"),
        ({"thousands": "12"}, "thousands '12'"),
        ({"thousands": "comma", "decimal": "comma"}, "decimal mark as well"),
        ({"comment": "1"}, "comment '1'"),
    ],
)
def test_options_that_say_nothing(options, words):
    with pytest.raises(ValueError, match=words):
        Options(**options).checked()


def test_quoted_text_of_several_lines_is_no_reason_for_a_header():
    table = _read(b'"w","0"\n"w\n","0"\n"w","7"\n', {})
    assert table.X.tolist() == [[0.0], [0.0], [7.0]]
