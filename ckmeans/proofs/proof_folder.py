"""A folder with the proof of each group of rows, and an index that tells which row is in which group; check_parts.py checks it."""

import hashlib
import os
from pathlib import Path

import numpy as np

from ..check_parts import INDEX, part_name
from ..files import write_whole
from .proof_lines import line_of, ratio_of, sealed

# Rows whose groups are in one line of the index.
ROWS_A_LINE = 4096


class ProofFolder:
    """Writes the folder.

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

    def begin(self, n, d, n_clusters, weighted):
        """Before the first group."""
        self._problem = f"problem parts n={n:x} d={d:x} k={n_clusters:x} weights={int(weighted):x}"
        self._group_of, self._lines = np.zeros(n, np.int32), []

    def add(self, rows, text, lower):
        """The next group: the indices of its rows, its proof file, and the bound that this has."""
        at = len(self._lines)
        self._group_of[rows] = at
        Path(self.path, part_name(at)).write_bytes(text)
        sha = hashlib.sha256(text).hexdigest()
        self._lines.append(f"part n={len(rows):x} lower={ratio_of(lower)} sha256={sha}")

    def end(self, lower, cost):
        """After the last group."""
        own = self._group_of
        rows = [
            line_of("rows", own[at : at + ROWS_A_LINE].tolist()) for at in range(0, len(own), ROWS_A_LINE)
        ]
        claim = f"claim bounded lower={ratio_of(lower)} value={ratio_of(cost)}"
        head = ["CKC 1", f"{self._problem} parts={len(self._lines):x}", claim]
        write_whole(Path(self.path, INDEX), sealed([*head, *self._lines, *rows]).encode("ascii"))
