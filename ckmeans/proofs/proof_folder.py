"""A folder with the proof of each group of rows, and an index that tells which row is in which group; check_parts.py checks it.

What a run has left behind is gone on from: how rows were dealt out to groups, and the proofs of these. Nothing of it is believed. Any
dealing leads to a bound; and a proof has to be of the very rows, weights, labels and number of clusters, and is checked again.
"""

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..check import PROVED, Reader, Refused, refuse_if, verdict
from ..check_parts import INDEX, part_name
from ..files import write_whole
from .proof_lines import header, line_of, ratio_of, sealed

# Rows whose groups are in one line.
ROWS_A_LINE = 4096


class ProofFolder:
    """Writes the folder, and reads what is in it already.

    Parameters
    ----------
    path : str or Path
        Made if it is not there. An index that is there already is taken away first: the new one is written last.

    Raises
    ------
    OSError
        If it cannot be written.
    """

    def __init__(self, path):
        self.path = os.fspath(path)
        Path(path).mkdir(parents=True, exist_ok=True)
        Path(path, INDEX).unlink(missing_ok=True)
        for torn in Path(path).glob("*.ckc.*.part"):  # of a run that was killed while it wrote
            torn.unlink(missing_ok=True)

    def begin(self, n, d, n_clusters, weighted):
        """Before the first group."""
        self._problem = f"problem parts n={n:x} d={d:x} k={n_clusters:x} weights={int(weighted):x}"
        self._group_of, self._lines = np.zeros(n, np.int32), []

    def dealt(self, number):
        """The name and the content of the file that tells how a batch was dealt out; None if it is not there."""
        return self._read(f"batch-{number:06}.ckc")

    def proof(self, number):
        """The name and the content of the file of a group; None if it is not there."""
        return self._read(part_name(number))

    def _read(self, name):
        path = Path(self.path, name)
        return (str(path), path.read_bytes()) if path.exists() else None

    def keep_dealt(self, number, groups):
        """How the rows of a batch are dealt out."""
        own = np.empty(sum(map(len, groups)), np.int64)
        for at, rows in enumerate(groups):
            own[rows] = at
        self._write(f"batch-{number:06}.ckc", ["dealt", *_lines_of(own)])

    def add(self, rows, text, lower):
        """The next group: the indices of its rows, its proof file, and the bound that this has."""
        at = len(self._lines)
        self._group_of[rows] = at
        write_whole(Path(self.path, part_name(at)), text)
        sha = hashlib.sha256(text).hexdigest()
        self._lines.append(f"part n={len(rows):x} lower={ratio_of(lower)} sha256={sha}")

    def end(self, lower, cost):
        """After the last group."""
        claim = f"claim bounded lower={ratio_of(lower)} value={ratio_of(cost)}"
        head = [f"{self._problem} parts={len(self._lines):x}", claim]
        self._write(INDEX, [*head, *self._lines, *_lines_of(self._group_of)])

    def _write(self, name, lines):
        write_whole(Path(self.path, name), sealed(["CKC 1", *lines]).encode("ascii"))


def _lines_of(group_of):
    """The lines that tell the group of each row."""
    return [
        line_of("rows", group_of[at : at + ROWS_A_LINE].tolist())
        for at in range(0, len(group_of), ROWS_A_LINE)
    ]


# ---- calls (blocks/crew.py): what is in a file, of which the name and the content are given ----


@contextmanager
def _naming(name):
    """Whatever is wrong is said of the file."""
    try:
        yield
    except (Refused, ValueError, OverflowError) as error:
        why = error.args[-1]
        raise ValueError(f"{name} is not gone on from: {why}. Delete it, or give another folder.") from None


def dealt_before(name, content, heavy, n_groups):
    """The groups of the rows of a batch.

    Parameters
    ----------
    heavy : ndarray of bool
        Whether a row has weight.

    Raises
    ------
    ValueError
        If the file was truncated or altered, or is of other rows; it is named.
    """
    with _naming(name):
        reader, found = Reader(content), []
        reader.words("dealt")
        while reader.next_is("rows"):
            found += reader.numbers("rows", None, reader.natural)
        refuse_if(reader.start < reader.stop or len(found) != len(heavy), "it is of other rows")
        counts = np.bincount(np.array(found)[heavy], minlength=n_groups)
        alike = len(counts) == n_groups > max(found) and counts.max() - 1 <= counts.min() > 0
        refuse_if(not alike, "rows are not dealt out so")
    return [np.flatnonzero(np.array(found) == at) for at in range(n_groups)]


def bound_before(name, content, problem, n_clusters, labels):
    """The lower bound of a group that the checker finds proved.

    Parameters
    ----------
    problem : ExactProblem
    labels : list of int

    Raises
    ------
    ValueError
        If the file was truncated, altered or forged, or is of other rows, weights, labels or number of clusters; it is named.
    """
    with _naming(name):
        reader = Reader(content)
        lines = "\n".join([*header(problem, n_clusters), line_of("labels", labels), ""]).encode()
        other = "it is of other rows, weights, labels or another number of clusters"
        refuse_if(not content.startswith(lines), other)
        code, said = verdict(content)
        refuse_if(code != PROVED, said)
        reader.start = len(lines)
        _, value, *_ = reader.words("claim")  # the lower bound, or of what is optimal the cost
        return reader.ratio(value.partition("=")[2]) / problem.unit
