"""Rows in a file that need not fit into memory, nor into the address space: read block by block, never mapped."""

import os
from mmap import mmap
from threading import local
from tokenize import TokenError

import numpy as np
from numpy.lib import format as npy

from ..validation import refuse_rows
from ..workers import available_memory, split

# Values that are checked together for being finite.
BLOCK = 1 << 20
# Bytes that there is always room for, whatever the system says of its memory.
LITTLE = 1 << 22


class NpyFile:
    """The rows of a .npy file, with as much of an array's interface as the solvers need of one.

    A slice of rows is read into a buffer of the thread that asks for it, and is good until that thread asks for the next.

    Parameters
    ----------
    path : str or path-like
        A two-dimensional array of float32 or float64, in C order, as `numpy.save` writes it.
    some : bool, default=True
        Whether it must have rows.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds something else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/X.npy", np.arange(6.0).reshape(3, 2))
    ...     X = NpyFile(folder + "/X.npy")
    ...     X.shape, X[1:].tolist()
    ((3, 2), [[2.0, 3.0], [4.0, 5.0]])
    """

    def __init__(self, path, some=True):
        self.path = os.fspath(path)
        with open(self.path, "rb") as file:
            try:
                version = npy.read_magic(file)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                self.shape, fortran, self.dtype = read(file)
            except (ValueError, TokenError) as error:
                raise ValueError(f"{self.path} is no .npy file: {error}.") from None
            self._offset, size = file.tell(), os.fstat(file.fileno()).st_size
        if len(self.shape) != 2 or 0 in self.shape[1 - some :]:
            raise ValueError(
                f"{self.path} holds an array of shape {self.shape}: it must have rows and columns."
            )
        if self.dtype not in (np.float32, np.float64) or not self.dtype.isnative:
            raise ValueError(
                f"{self.path} holds {self.dtype}: files are taken as they are, so convert it to float32 or float64."
            )
        if fortran and 1 not in self.shape:
            raise ValueError(f"{self.path} is in Fortran order: save np.ascontiguousarray of the array.")
        if size < self._offset + self.nbytes:
            raise ValueError(
                f"{self.path} ends after {size} bytes, where {self._offset + self.nbytes} are announced: it is cut short."
            )
        self._buffers = local()

    def __len__(self):
        return self.shape[0]

    @property
    def nbytes(self):
        """Bytes of all rows."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    def __getitem__(self, rows):
        """Rows start:stop, in a buffer, or copies of those of the given indices."""
        with open(self.path, "rb", buffering=0) as file:
            if not isinstance(rows, slice):
                out = np.empty((len(rows), self.shape[1]), self.dtype)
                for i, row in zip(rows, out):
                    self._read(file, int(i), row)
                return out
            start, stop, _ = rows.indices(len(self))
            size = (stop - start) * self.shape[1]
            buffer = getattr(self._buffers, "buffer", None)
            if buffer is None or len(buffer) < size:
                self._buffers.buffer = buffer = np.empty(size, self.dtype)
            self._read(file, start, buffer[:size])
            return buffer[:size].reshape(-1, self.shape[1])

    def check_finite(self):
        """Refuse NaN and infinity, naming the rows.

        Raises
        ------
        ValueError
        """
        bad, nan = [], False
        for start, stop in split(len(self), max(1, BLOCK // self.shape[1])):
            block = self[start:stop]
            own = np.flatnonzero(~np.isfinite(block).all(axis=1))
            nan |= bool(np.isnan(block[own]).any())
            bad.append(start + own)
        bad = np.concatenate(bad)
        if len(bad):
            refuse_rows(bad, len(self), nan)

    def _read(self, file, start, out):
        file.seek(self._offset + start * self.shape[1] * self.dtype.itemsize)
        rest = memoryview(out).cast("B")
        while len(rest):
            n = file.readinto(rest)
            if not n:
                raise ValueError(f"{self.path} was cut short while it was read.")
            rest = rest[n:]


def affordable(X, size=None):
    """Whether there is room for a copy of X, or for `size` bytes.

    There is none for a file, for a large array that is mapped, or for more than half of the memory that is free.
    """
    base = X
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(X, NpyFile) or isinstance(base, mmap) and X.nbytes >= LITTLE:
        return False
    size = size or X.nbytes
    return size < 64 * LITTLE or size < available_memory() / 2
