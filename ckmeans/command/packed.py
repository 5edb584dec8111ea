"""Tables in a package: text that gzip, bzip2, xz or zip has made short, and the first sheet of a spreadsheet."""

import bz2
import csv
import gzip
import io
import lzma
import shutil
import tempfile
import zipfile
import zlib
from contextlib import contextmanager

MAPPED = 2**26  # bytes: more than that is kept on the disk, and .npy files are memory-mapped from there on
PACKERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
ZIP, OLD_SPREADSHEET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@contextmanager
def text_of(name, file, start):
    """The text that a file holds, as a binary file that can be read twice.

    Parameters
    ----------
    name : str
        For messages.
    file : binary file
        At its beginning.
    start : bytes
        Its first bytes.

    Raises
    ------
    ValueError
        For what cannot be unpacked.
    """
    pack = next((pack for magic, pack in PACKERS.items() if start.startswith(magic)), None)
    if start.startswith(OLD_SPREADSHEET):
        raise ValueError(f"{name} is a spreadsheet of an old kind: save it as .xlsx or CSV first.")
    if pack is None and not start.startswith(ZIP):
        yield file
        return
    try:
        if pack is not None:
            with pack(file) as stream:
                text = spooled(stream)
        else:
            text = _unzipped(name, file)
    except (
        OSError,
        EOFError,
        lzma.LZMAError,
        zlib.error,
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise ValueError(
            f"{name} is an archive or a spreadsheet that cannot be unpacked: {error}. Was it copied completely?"
        ) from None
    with text:
        yield text


def spooled(stream):
    """What a stream gives, as a file that can be read twice: in memory if it is small."""
    file = tempfile.SpooledTemporaryFile(max_size=MAPPED)
    shutil.copyfileobj(stream, file, 2**20)
    file.seek(0)
    return file


def _unzipped(name, file):
    """The only file of an archive, or the first sheet of a spreadsheet."""
    with zipfile.ZipFile(file) as archive:
        members = archive.namelist()
        if "xl/workbook.xml" in members:
            return _sheet(name, file)
        inside = [
            member for member in members if not member.endswith("/") and not member.startswith("__MACOSX/")
        ]
        if len(inside) != 1:
            raise ValueError(
                f"{name} holds {len(inside)} files ({', '.join(inside[:6])}): unpack it, and give the one that is meant."
            )
        if inside[0].lower().endswith((".npy", ".parquet", ".pq", ".xlsx", ".zip")):
            raise ValueError(f"{name} holds {inside[0]}, which is no text: unpack it, and give that file.")
        with archive.open(inside[0]) as stream:
            return spooled(stream)


def _sheet(name, file):
    """The cells of the first sheet as CSV: numbers with all their digits, dates as they are written there."""
    try:
        import openpyxl
    except ImportError:
        raise ValueError(
            f"{name} is a spreadsheet, which openpyxl reads: pip install openpyxl, or save it as CSV."
        ) from None
    file.seek(0)
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    try:
        rows = list(book.worksheets[0].iter_rows(values_only=True))
    finally:
        book.close()
    width = max((f + 1 for row in rows for f, cell in enumerate(row) if cell is not None), default=0)
    if not width:
        raise ValueError(f"the first sheet of {name} is empty: put the table on it.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:  # an empty one is an empty line, so that lines are rows of the sheet
        writer.writerow(row[:width] if any(cell is not None for cell in row) else [])
    return io.BytesIO(text.getvalue().encode())
