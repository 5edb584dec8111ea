"""The characters of a text: in which encoding its bytes are, and the line of a byte that is none."""

import codecs
import io

from .cells import refuse

BLOCK = 2**20  # bytes that are read at once


def decoded(name, file, encoding, notes):
    """The text of a binary file, which has a method `read`.

    Parameters
    ----------
    name : str
        For messages.
    file : binary file
    encoding : str or None
        None where the bytes are to tell it.
    notes : list of str
        What the user should be told is added.

    Raises
    ------
    ValueError
        If it is no text, or the encoding none that Python knows.
    """
    if encoding is None:
        encoding = text_encoding(name, file, notes)
        told = None if encoding == "cp1252" else "its bytes tell"
    else:
        check_encoding(encoding)
        told = "--encoding names"
    file.seek(0)
    return _Decoded(name, file, encoding, told)


def text_encoding(name, file, notes):
    """The encoding of a text: by its first bytes, else UTF-8 if all of it is; else Windows-1252, with a note.

    Raises
    ------
    ValueError
        If it is no text.
    """
    file.seek(0)
    start = file.read(4)
    if start.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    file.seek(0)
    decoder, encoding, n_read = codecs.getincrementaldecoder("utf-8")(), "utf-8-sig", 0
    while part := file.read(BLOCK):
        if b"\0" in part:
            refuse(
                f"{name} is not a table: it holds binary data. Give CSV, Parquet or .npy, and text as UTF-8,"
                " as UTF-16 with a byte order mark, or with --encoding"
            )
        n_read += len(part)
        if encoding == "utf-8-sig":
            try:
                decoder.decode(part)
            except UnicodeDecodeError as error:
                encoding, line = "cp1252", _line_of(file, n_read - len(error.object) + error.start)
                notes.append(
                    f"the text is not UTF-8 (line {line}): read as Windows-1252, or Latin-1 (else say --encoding)"
                )
                file.seek(n_read)
    return encoding


def _line_of(file, offset):
    """The line of the byte at an offset, from the beginning of the file."""
    file.seek(0)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("latin-1")(), translate=True)
    line = 1
    while part := file.read(min(BLOCK, offset)):
        line, offset = line + decoder.decode(part).count("\n"), offset - len(part)
    return line + decoder.decode(b"", final=True).count("\n")


def check_encoding(encoding):
    """Refuse an encoding that Python does not know.

    Raises
    ------
    ValueError
    """
    try:
        known = codecs.lookup(encoding)._is_text_encoding and codecs.getincrementaldecoder(encoding)
    except LookupError:
        known = None
    if not known:
        refuse(
            f"encoding {encoding!r} is none that Python knows: give one such as utf-8, cp1252 or utf-16-le"
        )


def _line_breaks(text):
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class _Decoded:
    """The text of a binary file, any line break as one character.

    Parameters
    ----------
    name : str
        For messages.
    file : binary file
    encoding : str
    told : str or None
        What has told the encoding; None where bytes that it does not have are to be passed over.

    Attributes
    ----------
    n_bytes : int
        How much of the file has been read.
    """

    def __init__(self, name, file, encoding, told):
        decoder = codecs.getincrementaldecoder(encoding)("strict" if told else "replace")
        self.decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self.name, self.file, self.encoding, self.told, self.line = name, file, encoding, told, 1
        self.n_bytes = 0

    def read(self, size):
        """Some more text, empty at the end.

        Raises
        ------
        ValueError
            For bytes that are no text in this encoding.
        """
        try:
            while part := self.file.read(size):
                self.n_bytes += len(part)
                if text := self.decoder.decode(part):
                    break
            else:
                text = self.decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            before = codecs.decode(error.object[: error.start], error.encoding, "ignore")
            bad = " ".join(f"0x{byte:02x}" for byte in error.object[error.start : error.end][:4])
            refuse(
                f"{self.name}, line {self.line + _line_breaks(before)}: {bad} is nothing in {self.encoding}, the encoding"
                f" that {self.told}: correct it, or say another --encoding"
            )
        self.line += text.count("\n")
        return text
