"""Rows of length one, in double: made as they are asked for, of the rows as they were given and how long each is."""

from threading import local

import numpy as np

from ..workers import split

# Numbers of a block of rows that are made of length one: in the cache of one core that takes half as long (50,000 x 768).
UNIT_BLOCK = 1 << 15
# Rows of which the largest number is beyond 2**-MODERATE .. 2**MODERATE are scaled before they are squared.
MODERATE = 400


class UnitRows:
    """The rows of an array divided by their lengths, with as much of an array's interface as the solvers need of one.

    Beside the rows there is one number for each. A slice of rows is computed into a buffer of the thread that asks for it, and
    is good until that thread asks for the next.

    Parameters
    ----------
    given : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous
    lengths : ndarray of shape (n_samples,)
        Of the rows; 1 for a row of zeros.
    """

    dtype = np.dtype(np.float64)

    def __init__(self, given, lengths):
        self.given, self.lengths = given, lengths
        self.shape, self.size, self.nbytes = given.shape, given.size, 8 * given.size
        self._buffers = local()

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        """Rows start:stop, in a buffer, or copies of those of the given indices."""
        some, lengths = self.given[rows], self.lengths[rows]
        if not isinstance(rows, slice):
            return some / lengths[:, None]
        buffer = getattr(self._buffers, "buffer", None)
        if buffer is None or len(buffer) < some.size:
            self._buffers.buffer = buffer = np.empty(some.size)
        out = buffer[: some.size].reshape(some.shape)
        return np.divide(some, lengths[:, None], out=out)

    def whole(self, workers):
        """All of them, in an array."""
        out = np.empty(self.shape)

        def block(start, stop):
            np.divide(self.given[start:stop], self.lengths[start:stop, None], out=out[start:stop])

        workers.run(block, in_cache(*self.shape))
        return out


def in_cache(n_samples, n_features):
    """Runs of rows that stay in the cache of a core, in double."""
    return split(n_samples, max(1, UNIT_BLOCK // n_features))


def pieces(X, start, stop):
    """Slices, in their order, in which to ask for rows start:stop: short ones where rows are made as they are asked for."""
    if not isinstance(X, UnitRows):
        return [slice(start, stop)]
    return [slice(start + first, start + last) for first, last in in_cache(stop - start, X.shape[1])]


def stored(X):
    """An array, and what its rows are to be divided by, an array of length 0 for nothing."""
    return (X.given, X.lengths) if isinstance(X, UnitRows) else (X, np.empty(0))


def make_whole(rows):
    """See to it that the rows are an array, for what goes to and fro among them."""
    if isinstance(rows.X, UnitRows):
        rows.X = rows.X.whole(rows.workers)


def directions(vectors, otherwise=None, workers=None):
    """Vectors, scaled to length one, in double; zeros become those of `otherwise`, or stay."""
    out = np.empty(vectors.shape)

    def block(start, stop):
        own = out[start:stop]
        own[:] = vectors[start:stop]
        if vectors.dtype != np.float32:  # else no square overflows or vanishes in double
            _moderate(own)
        own /= _lengths(own)[:, None]
        if otherwise is not None and not (some := own.any(axis=1)).all():
            own[~some] = otherwise[start:stop][~some]

    if workers:
        workers.run(block, in_cache(*vectors.shape))
    else:
        for some in in_cache(*vectors.shape):
            block(*some)
    return out


def with_lengths(X, workers):
    """The rows of an array, scaled to length one: `UnitRows`, or a new array where squares of their numbers leave the floats."""
    lengths, moderate = np.empty(len(X)), []

    def block(start, stop):
        own = X[start:stop].astype(np.float64)
        if X.dtype != np.float32:  # else no square overflows or vanishes in double
            moderate.append(np.abs(np.frexp(_largest(own))[1]).max() < MODERATE)
        with np.errstate(over="ignore"):
            lengths[start:stop] = _lengths(own)

    workers.run(block, in_cache(*X.shape))
    return UnitRows(X, lengths) if all(moderate) else directions(X, workers=workers)


def _lengths(vectors):
    """Lengths of vectors in double; 1 for zeros."""
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    lengths[lengths == 0] = 1
    return lengths


def _largest(vectors):
    """The largest size of a number in each vector."""
    return np.maximum(vectors.max(axis=1), -vectors.min(axis=1))


def _moderate(vectors):
    """Scale each vector by a power of two to where no square overflows, nor do all vanish."""
    largest = _largest(vectors)
    exponents = np.frexp(largest)[1]
    if exponents.min(initial=0) <= -1024:  # the power of two would overflow
        np.ldexp(vectors, -exponents[:, None], out=vectors)
    else:
        vectors *= np.ldexp(1.0, -exponents)[:, None]
