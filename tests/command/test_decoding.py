"""Bytes and the characters that they stand for: encodings that are told, seen or wrong."""

import pytest

from ckmeans.command import decoding, texts

ROWS_ABROAD = "größe,вес\n1,2\n3,4\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "UTF-16", "utf-16-le", "utf-16-be", "utf-32-le", "UTF8"]
)
def test_encodings(read, encoding):
    table = read(ROWS_ABROAD.encode(encoding), encoding=encoding)
    assert (table.columns, table.X.tolist(), table.notes) == (["größe", "вес"], [[1, 2], [3, 4]], [])


def test_encodings_that_no_byte_tells(read):
    assert read("вес\n1\n2\n".encode("cp1251"), encoding="cp1251").columns == ["вес"]
    assert read("重さ,b\n1,2\n".encode("shift_jis"), encoding="shift_jis").columns[0] == "重さ"
    assert read("\ufeffa,b\n1,2\n".encode("utf-16-be"), encoding="utf-16-be").columns == ["a", "b"]
    told = read("a,größe\r\n1,2\r\n".encode("cp1252"))
    assert (
        told.columns == ["a", "größe"]
        and "not UTF-8 (line 1)" in told.notes[0]
        and "--encoding" in told.notes[0]
    )
    assert "(line 3)" in read("a;b\r1;x\r2;ö\r".encode("cp1252")).notes[0]


@pytest.mark.parametrize(
    "content, encoding, words",
    [
        (
            "a,b\n1,2\nö,3\n".encode("cp1252"),
            "utf-8",
            ["line 3: 0xf6 is nothing in utf-8", "--encoding names"],
        ),
        ("a,b\r\n1,2\r\nö,3\r\n".encode("cp1252"), "ascii", ["line 3: 0xf6 is nothing in ascii"]),
        (b"a,b\n1,2\n\x81,3\n", "cp1252", ["line 3: 0x81 is nothing in cp1252"]),
        ("a,b\n1,2\n".encode("utf-16")[:-1], None, ["line 2", "is nothing in UTF-16", "its bytes tell"]),
        ("a,b\n1,2\n".encode("utf-16-le"), None, ["binary data", "--encoding"]),
        (b"a,b\n1,2\n", "nosuch", ["'nosuch' is none that Python knows", "utf-8"]),
        (b"a,b\n1,2\n", "base64", ["'base64' is none that Python knows"]),
    ],
)
def test_bytes_that_are_no_text(read, content, encoding, words):
    with pytest.raises(ValueError) as error:
        read(content, encoding=encoding)
    for word in words:
        assert word in str(error.value)


def test_bytes_that_are_no_text_far_down(read, monkeypatch):
    """The line is right after many blocks, with line breaks of two characters."""
    monkeypatch.setattr(decoding, "BLOCK", 64)
    monkeypatch.setattr(texts, "BLOCK", 64)
    monkeypatch.setattr(texts, "SAMPLE", 64)
    content = b"a,b\r\n" + b"x,2\r\n" * 500 + b"\xff,2\r\n"
    with pytest.raises(ValueError, match="line 502: 0xff is nothing in utf-8"):
        read(content, encoding="utf-8")
    assert "not UTF-8 (line 502)" in read(content).notes[0]
