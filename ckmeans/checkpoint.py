"""A file from which a long proof goes on, after a limit, Ctrl-C or `kill -9`: written whole or not at all, and bound to the data.

A line with the sha256 of what follows, and that as JSON: the problem it is for, and what is known. Floats keep their bits.
Nothing in it is believed that the checker would not accept: it only says where to go on.
"""

import base64
import hashlib
import json
import os
import zlib
from fractions import Fraction
from time import monotonic

import numpy as np

EVERY = 5.0  # seconds between two writings
SHARE = 20  # of the time that a writing took pass before the next one
WORD = "ckmeans checkpoint 1 sha256="


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
        self._due = monotonic() + EVERY

    def read(self):
        """What was known when the file was written; None if there is no such file.

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
        if head != WORD + _sha256(body):
            raise ValueError(
                f"checkpoint={self.path!r} is no checkpoint, or was truncated or altered: give another file, or delete it."
            )
        found = json.loads(body, object_hook=_from_json)
        if found["problem"] != self.problem:
            raise ValueError(
                f"checkpoint={self.path!r} is of other data, weights or another number of clusters: give another file,"
                " or delete it."
            )
        return found["known"]

    def write(self, known, now=False):
        """Write what is known; unless now, only if the last time is long enough ago.

        Parameters
        ----------
        known : callable()
            Gives what is known: dicts, lists, numbers, text, arrays and fractions.
        """
        begin = monotonic()
        if begin < self._due and not now:
            return
        body = json.dumps({"problem": self.problem, "known": known()}, default=_to_json)
        temporary = f"{self.path}.{os.getpid()}.tmp"
        try:
            with open(temporary, "w", encoding="ascii") as file:
                file.write(f"{WORD}{_sha256(body)}\n{body}")
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except BaseException:
            if os.path.exists(temporary):
                os.remove(temporary)
            raise
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
    data, shape = zlib.decompress(base64.b64decode(found["$array"])), tuple(found["shape"])
    if found["dtype"] == "bits":
        size = int(np.prod(shape))
        return np.unpackbits(np.frombuffer(data, np.uint8), count=size).astype(bool).reshape(shape)
    return np.frombuffer(data, found["dtype"]).reshape(shape).copy()
