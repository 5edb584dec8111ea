"""Arrays that NumPy and SciPy have written: .npy, and .npz of one array or of sparse rows. Nothing is unpickled."""

import os
import struct
import tempfile
import tokenize
import zipfile
import zlib

import numpy as np
from scipy import sparse

from ..validation import EXACT_INTEGERS
from .cells import refuse
from .numerals import lost_integers
from .packed import MAPPED

# What reading a file that is damaged, or made to harm, ends in.
DAMAGED = ValueError, TypeError, LookupError, AttributeError, EOFError, OSError, NotImplementedError
DAMAGED += zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, OverflowError, RuntimeError


def load_npy(name, file):
    """The array of a .npy file, mapped from the disk where it is large."""
    try:
        if isinstance(file, tempfile.SpooledTemporaryFile) or os.path.getsize(name) < MAPPED:
            return np.load(file, allow_pickle=False)
        return np.load(name, mmap_mode="r", allow_pickle=False)
    except DAMAGED as error:
        raise ValueError(f"{name} is no readable .npy array of numbers: {error}.") from None


def is_npz(file):
    """Whether a zip archive holds arrays and nothing else; the file is at its beginning then."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        members = []
    file.seek(0)
    return bool(members) and all(member.endswith(".npy") for member in members)


def load_npz(name, file):
    """The one array of a .npz file, or the sparse rows of `scipy.sparse.save_npz`: CSR, each entry once, and none zero."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            names = archive.files
            if len(names) == 1:
                X = archive[names[0]]
                if not isinstance(X, np.ndarray):
                    raise ValueError(f"{names[0]} is no array")
                return X
        if "format" in names:
            file.seek(0)
            return _as_csr(sparse.load_npz(file))
    except DAMAGED as error:
        raise ValueError(f"{name} is no readable .npz file of numbers: {error}.") from None
    raise ValueError(
        f"{name} holds {len(names)} arrays ({', '.join(names[:6])}): save the one that is meant by itself, with np.save."
    )


def _as_csr(X):
    if X.ndim != 2:
        raise ValueError(f"its shape is {X.shape}, which has no rows and columns")
    if hasattr(X, "check_format"):  # of CSR, CSC and BSR: indices within the shape
        X.check_format(full_check=True)
    X = sparse.csr_array(X)
    X.sum_duplicates()
    X.eliminate_zeros()
    return X


def check_exact(X):
    """Refuse numbers beyond 2**53 that no float64 equals, and numbers that are 0 or infinite only in float64."""
    for f in range(X.shape[1]):
        values = X[:, f]
        if X.dtype.kind == "f":
            with np.errstate(over="ignore", under="ignore"):
                short = values.astype(np.float64)
            beyond = np.flatnonzero((short == 0) & (values != 0) | np.isinf(short) & ~np.isinf(values))
            if len(beyond):
                refuse(
                    f"the array holds {values[beyond[0]]!s}, which is out of the range of float64: give it in other units"
                )
            lost = np.flatnonzero((np.abs(values) >= EXACT_INTEGERS) & (short != values))
        else:
            lost = lost_integers(values)
        if len(lost):
            refuse(
                f"the array holds {values[lost[0]]!s}, beyond 2**53, up to which float64 is exact: subtract the minimum first"
            )
