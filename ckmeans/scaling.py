"""Powers of two that bring numbers to where neither their squares overflow nor all squares of their differences vanish."""

import numpy as np

# Numbers are scaled where the binary exponent of their spread is beyond this: squares are then within 2**+-600.
SAFE = 300
# Binary exponent that no scaled number exceeds.
MOST = 640


def unsafe(size):
    """Binary exponent by which a magnitude is out of the range whose squares are safe; 0 within."""
    exponent = int(np.frexp(size)[1])
    return exponent - max(-SAFE, min(exponent, SAFE)) if size else 0


def unit(low, high):
    """The binary exponent of the power of two that rows are to be divided by.

    Parameters
    ----------
    low, high : ndarray of shape (n_features,)
        Least and largest value of each feature.

    Returns
    -------
    int
        0 for all but extreme data.

    Examples
    --------
    >>> import numpy as np
    >>> unit(np.array([0.0, -1.0]), np.array([1e6, 1.0])), unit(np.array([0.0]), np.array([2.0**400]))
    (0, 100)
    """
    exponent = unsafe((high / 2 - low / 2).max())
    return max(exponent, int(np.frexp(max(high.max(), -low.min()))[1]) - MOST)


def unit_of(X):
    """The same for the rows of an array of float64."""
    return unit(X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64))
