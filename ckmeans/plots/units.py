"""Powers of ten in whose units numbers are drawn that no axis can hold as they are: 1.7e308 beside -1.7e308, or 1e-300."""

import math

import numpy as np

# Numbers from 10**-140 to 10**140 have squares, and sums of squares, that are neither infinite nor 0.
SAFE = 140


def exponent_of(*arrays) -> int:
    """The power of ten in whose units numbers are drawn: 0 for all but extreme ones.

    Examples
    --------
    >>> import numpy as np
    >>> exponent_of(np.array([1e6, np.inf])), exponent_of(np.array([-1.7e308]), np.array([1.0])), exponent_of(np.array([2e-300]))
    (0, 308, -300)
    """
    top = max((float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) for values in arrays), default=0.0)
    exponent = math.floor(math.log10(top)) if top else 0
    return exponent if abs(exponent) > SAFE else 0


def in_units(values, exponent: int):
    """Numbers in units of a power of ten; unchanged where that is 1."""
    while exponent:  # in steps, since the power itself may be no float, or one of few digits
        step = max(-150, min(exponent, 150))
        values, exponent = values / 10.0**step, exponent - step
    return values


def unit_words(exponent: int) -> str:
    """The unit as a label has it after the name of what is drawn.

    Examples
    --------
    >>> unit_words(308), unit_words(0)
    (', in units of 1e+308', '')
    """
    return f", in units of 1e{exponent:+d}" if exponent else ""


def bin_edges(values, n_bins: int):
    """Edges of bins of equal width: `n_bins` of them, or fewer where there are too few floats between the values.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Not extreme: see `in_units`.
    n_bins : int
    """
    low, high = float(values.min()), float(values.max())
    least = 4 * float(np.spacing(max(abs(low), abs(high))))
    if low == high:
        low, high = low - max(0.5, least), high + max(0.5, least)
    return np.linspace(low, high, max(1, min(n_bins, int((high - low) / least))) + 1)
