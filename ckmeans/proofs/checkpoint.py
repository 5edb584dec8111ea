"""A file from which a long proof goes on, after a limit, Ctrl-C or `kill -9`: written whole or not at all, and bound to the data.

A line with the sha256 of what follows, and that as JSON: the problem it is for, and what is known. Floats keep their bits.
Nothing in it is believed that the checker would not accept: it only says where to go on.
"""

import base64
import hashlib
import json
import math
import os
import warnings
import zlib
from fractions import Fraction
from time import monotonic

import numpy as np

from ..files import write_whole

# Seconds from one writing to the next, at least: as much is done again after `kill -9`.
EVERY = 5.0
# A writing that took t seconds is followed by the next one after SHARE * t at the soonest: it takes a twentieth of the time.
SHARE = 20
WORD = "ckmeans checkpoint 1 sha256="
DTYPES = "<f8", "<i8", "<i4"
# Bytes that one compressed byte stands for in zlib, at most.
MOST_PACKED = 1032
# What is raised where a file has other things in it than a checkpoint.
ODD = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)


class Checkpoint:
    """What is known of one problem, in a file.

    Parameters
    ----------
    path : str or Path
    problem : str
        What the file is for: nothing else may go on from it.
    """

    def __init__(self, path, problem):
        self.path, self.problem = os.fspath(path), problem
        folder = os.path.dirname(self.path) or "."
        if os.path.isdir(self.path) or not os.access(folder, os.W_OK):
            raise ValueError(
                f"checkpoint={self.path!r} cannot be written: give a file in a folder that can be."
            )
        self._due, self._warned = monotonic() + EVERY, False

    def read(self, check=None):
        """What was known when the file was written; None if there is no such file.

        Parameters
        ----------
        check : callable(known), optional
            Raises one of ODD where what the file says has another form.

        Raises
        ------
        ValueError
            If it is no checkpoint, was truncated or altered, or is for another problem.
        """
        try:
            with open(self.path, encoding="ascii", errors="replace") as file:
                head, _, body = file.read().partition("\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(
                f"checkpoint={self.path!r} cannot be read ({error}): give another file."
            ) from None
        try:
            if head != WORD + _sha256(body):
                raise ValueError("the sum of its bits is another")
            found = json.loads(body, object_hook=_from_json)
            problem, known = found["problem"], found["known"]
            if problem == self.problem and check is not None:
                check(known)
        except (*ODD, zlib.error) as error:
            raise ValueError(
                f"checkpoint={self.path!r} is no checkpoint, or was truncated or altered: give another file, or delete it."
            ) from error
        if problem != self.problem:
            raise ValueError(
                f"checkpoint={self.path!r} is of other data, weights or another number of clusters: give another file,"
                " or delete it."
            )
        return known

    def write(self, known, now=False):
        """Write what is known; unless now, only if the last time is long enough ago.

        Where the disk is full, or the folder is gone, the old file stays, and a warning says so, once.

        Parameters
        ----------
        known : callable()
            Gives what is known: dicts, lists, numbers, text, arrays and fractions.
        """
        begin = monotonic()
        if begin < self._due and not now:
            return
        body = json.dumps({"problem": self.problem, "known": known()}, default=_to_json)
        try:
            write_whole(self.path, f"{WORD}{_sha256(body)}\n{body}".encode("ascii"))
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"checkpoint={self.path!r} could not be written ({error}): the search goes on, and the file is left"
                    " as it was; make room, and it will be written later.",
                    RuntimeWarning,
                    stacklevel=2,
                )
        took = monotonic() - begin
        self._due = begin + max(EVERY, SHARE * took)


def _sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _to_json(value):
    if isinstance(value, Fraction):  # in hexadecimal, which may have any number of digits
        return {"$fraction": [f"{value.numerator:x}", f"{value.denominator:x}"]}
    if isinstance(value, np.generic):
        return value.item()
    bits = value.dtype == bool
    data = np.packbits(value) if bits else np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
    data = base64.b64encode(zlib.compress(data.tobytes(), 1)).decode()
    return {
        "$array": data,
        "dtype": "bits" if bits else value.dtype.newbyteorder("<").str,
        "shape": value.shape,
    }


def _from_json(found):
    if "$fraction" in found:
        return Fraction(*(int(token, 16) for token in found["$fraction"]))
    if "$array" not in found:
        return found
    bits, shape = found["dtype"] == "bits", tuple(found["shape"])
    if (
        not bits
        and found["dtype"] not in DTYPES
        or not all(type(size) is int and size >= 0 for size in shape)
    ):
        raise ValueError("no such array")
    size, packed = math.prod(shape), base64.b64decode(found["$array"])
    n_bytes = -(-size // 8) if bits else size * np.dtype(found["dtype"]).itemsize
    if n_bytes > MOST_PACKED * len(packed):  # known without unpacking it
        raise ValueError("an array is cut off")
    data = zlib.decompressobj().decompress(packed, n_bytes + 1)
    if len(data) != n_bytes:
        raise ValueError("an array is of another size")
    if bits:
        return np.unpackbits(np.frombuffer(data, np.uint8), count=size).astype(bool).reshape(shape)
    return np.frombuffer(data, found["dtype"]).reshape(shape).copy()
