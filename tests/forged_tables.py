"""Data beside a proof file, as text and as files of NumPy: some are its rows, most are not."""

import io

import numpy as np

# Texts, and the exit code for one beside a proof for the rows 0, 2, 10, 13.
TEXTS = [
    ("0\n2\n10\n13\n", 0),
    ("a\n0\n2\n10\n13", 0),
    ('"a b"\r\n0\r\n2\r\n10\r\n13\r\n', 0),
    ("# note\n0\n2 # here\n\n1e1\n+13.0\n", 0),
    ("\ufeffx\n0\n2\n10\n13\n", 0),
    ("NA\n0\n2\n10\n13\n", 3),
    ("nan\n0\n2\n10\n13\n", 3),
    ("?\n0\n2\n10\n13\n", 3),
    ('""\n0\n2\n10\n13\n', 3),
    ('"7"\n0\n2\n10\n13\n', 3),
    ("7,5\n0\n2\n10\n13\n", 3),
    ("a,b\n0\n2\n10\n13\n", 3),
    ("0\n2\n10\n", 3),
    ("0\n2\n10\n13\n13\n", 3),
    ("0\n2\n10\n13.5\n", 3),
    ("0\n2\n10\n13,0\n", 3),
    ("0\n2\n10\nx\n", 3),
    ("a\nb\n0\n2\n10\n13\n", 3),
    ("0\n2\n10\n1e999\n", 3),
    ("0\n2\n10\n13." + "0" * 2045, 0),
    ("0\n2\n10\n13." + "0" * 2046, 3),
    ("0\n2\n10\n13" + "0" * 5000 + "\n", 3),
    ("0\n2\n10\n13" + "0" * 1500 + "e-1500\n", 3),
    ("0\n2\n10\n" + "1" * 10**5 + "x\n", 3),
    ("", 3),
]


def tables(rows):
    """name, exit code and content: TEXTS, and files of NumPy with these rows."""
    for data, code in TEXTS:
        yield f"text {data[:30]!r} {len(data)}", code, data.encode()
    rows = np.array(rows, float)
    for dtype, code in [
        ("<f8", 0),
        (">f4", 0),
        ("u1", 0),
        ("<i8", 0),
        ("<f2", 0),
        ("<c8", 3),
        ("?", 3),
        ("U3", 3),
    ]:
        yield f"numpy {dtype}", code, numpy_file(rows.astype(dtype))
    yield "numpy, one axis", 0, numpy_file(rows.ravel())
    yield "numpy, other", 3, numpy_file(rows + 1)
    good = numpy_file(rows)
    for old, new in [
        ("4, 1", "1, 4"),
        ("4, 1", "5, 1"),
        ("4, 1", "4, -1"),
        ("4, 1", "-4, 1"),
        ("4, 1", "4, 1, 1"),
        ("4, 1", "9999999999, 1"),
        ("4, 1", "9999999999, 0"),
        ("4, 1", "9" * 40 + ", 1"),
        ("<f8", "|O8"),
        ("<f8", "=f8"),
        ("<f8", "<f4"),
        ("False", "True1"),
        ("False", "True, 'x': 1"),
    ]:
        header = good[10:128].decode().replace(old, new)
        length = len(header)
        yield f"numpy {new[:20]}", 3, good[:8] + length.to_bytes(2, "little") + header.encode() + good[128:]
    wide = good[10:127] + b" " * 390 + b"\n"
    yield "numpy, a long header", 0, good[:8] + len(wide).to_bytes(2, "little") + wide + good[128:]
    yield "numpy, cut off", 3, good[:-1]
    yield "numpy, only a header", 3, good[:40]
    yield "numpy, nan", 3, numpy_file(rows * np.nan)


def numpy_file(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
