"""Tables that are packed, and spreadsheets, are read as the text in them is."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest
from command_line import run

from ckmeans.command.tables import read_table

TEXT = b"name,x,y\na,1,2.5\n,3,4\n\nb,5,0.1\n"


def zipped(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_dot_", "."), content)
    return file.getvalue()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "bzip2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zip": zipped(data_dot_csv=TEXT),
    "two members of gzip": gzip.compress(TEXT[:10]) + gzip.compress(TEXT[10:]),
}


@pytest.mark.parametrize("kind", PACKED)
def test_packed_text(kind, here):
    (here / "data.csv.packed").write_bytes(PACKED[kind])
    table = read_table("data.csv.packed")
    assert table.X.tolist() == [[1, 2.5], [3, 4], [5, 0.1]] and table.columns == ["x", "y"]
    assert list(table.lines) == [2, 3, 5]
    assert "3 rows, 2 features" in run("fit", "-", "-k", 2, input=PACKED[kind]).stdout


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zip"])
def test_cut_off(kind, here):
    (here / "data.csv").write_bytes(PACKED[kind][:-9])
    assert (
        "data.csv is an archive or a spreadsheet that cannot be unpacked"
        in run("fit", "data.csv", "-k", 2, code=1).stderr
    )


def test_damaged_inside(here):
    (here / "data.csv").write_bytes(PACKED["gzip"][:10] + b"\xff" * 20)
    message = run("fit", "data.csv", "-k", 2, code=1).stderr
    assert "data.csv is an archive or a spreadsheet that cannot be unpacked: Error -3" in message


def test_archives_of_other_things(here):
    for content, words in (
        (zipped(a_dot_csv="1", b_dot_csv="2"), "holds 2 files (a.csv, b.csv): unpack it"),
        (zipped(a_dot_npy="1"), "is no readable .npz file of numbers"),
        (zipped(a_dot_pq="1"), "holds a.pq, which is no text"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "save it as .xlsx or CSV"),
    ):
        (here / "data.zip").write_bytes(content)
        message = run("fit", "data.zip", "-k", 2, code=1).stderr
        assert words in message


def test_a_spreadsheet(here):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["name", "x, all", 'y "q"'], ["a", 1, 2.5], [None, 3, 4], [], ["b", 5, 0.1], ["c", None, 7]):
        book.active.append(row)
    book.create_sheet("other").append([1, 2, 3])
    book.save("data.xlsx")
    table = read_table("data.xlsx")
    assert table.X.tolist() == [[1, 2.5], [3, 4], [5, 0.1]] and table.columns == ["x, all", 'y "q"']
    assert list(table.lines) == [2, 3, 5, 6] and table.incomplete == [6]
    openpyxl.Workbook().save("empty.xlsx")
    assert "the first sheet of empty.xlsx is empty" in run("fit", "empty.xlsx", "-k", 2, code=1).stderr


def test_names_are_suggested_whatever_their_case(here):
    (here / "data.csv").write_bytes(TEXT)
    message = run("fit", "data.csv", "-k", 2, "--columns", "X", code=1).stderr
    assert "there is no column 'X' (did you mean x?): choose among name, x, y" in message
    assert "did you mean" not in run("fit", "data.csv", "-k", 2, "--columns", "weight", code=1).stderr
