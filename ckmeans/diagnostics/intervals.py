"""What counts tell of chances: intervals that hold the true one with a confidence, however few the counts are."""

import math

import numpy as np
from scipy.special import betainc, betaincinv, ndtri

CONFIDENCE = 0.95  # of every interval that is shown


def clopper_pearson(hits, n, confidence=CONFIDENCE):
    """Limits of the chance of something that came so often in n independent tries (Clopper & Pearson 1934).

    Parameters
    ----------
    hits : array-like of int
        0 to n.
    n : int

    Returns
    -------
    low, high : ndarray of float
        The chance is below `low`, and above `high`, only where what was seen has a chance of at most (1 - confidence) / 2.
    """
    hits, tail = np.asarray(hits), (1 - confidence) / 2
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1), n - hits + 1, tail), 0.0)
    high = np.where(hits < n, betaincinv(hits + 1, np.maximum(n - hits, 1), 1 - tail), 1.0)
    return low, high


def seen_interval(hits, n, confidence=CONFIDENCE):
    """The same of what is only asked about because it was seen, as the best of n tries is.

    Such a one was hit at least once, whatever its chance is, so its hits are binomial given that they are not 0 (truncated
    at zero). A single hit then says nothing of how small the chance may be: `low` is 0.

    Of the best that was seen, `low` is a limit for the chance of a try that is as good or better, and `high` for that of
    one as good: with q the chance of a better one, which none was, the hits have p / (1 - q) for a chance, and
    p <= p / (1 - q) <= p + q.
    """
    hits, tail = np.asarray(hits, np.float64), (1 - confidence) / 2

    def at_least(wanted, p):
        """The chance of `wanted` hits or more, given that there is one; it grows with p."""
        n_hits = np.where(wanted > n, 0.0, betainc(np.maximum(wanted, 1), np.maximum(n - wanted + 1, 1), p))
        return n_hits / np.maximum(-np.expm1(n * np.log1p(-np.minimum(p, 1 - 1e-16))), np.finfo(float).tiny)

    low, high = clopper_pearson(hits, n, confidence)
    low = np.where(hits > 1, _crossing(lambda p: at_least(hits, p), tail, low), 0.0)
    smaller = _crossing(lambda p: at_least(hits + 1, p), 1 - tail, high)
    return low, np.where((hits > 0) & (hits < n), smaller, high)


def _crossing(grows, goal, most):
    """Where a growing function of chances comes to its goal, for chances up to `most`: halved in logarithms."""
    top = np.log(np.maximum(most, 1e-300))
    bottom = top - 80
    for _ in range(60):
        middle = (bottom + top) / 2
        less = grows(np.exp(middle)) < goal
        bottom, top = np.where(less, middle, bottom), np.where(less, top, middle)
    return np.exp(top)


def unseen_interval(ends, counts, confidence=CONFIDENCE):
    """Limits of the chance that one more try ends in something that no try has ended in.

    Parameters
    ----------
    ends : ndarray of shape (n,), int
        What each try ended in, in their order.
    counts : ndarray of int
        How often each was seen.

    Returns
    -------
    low, high : float
        `low` is the normal limit below the share of those seen once (Good 1953), with a variance of (once + 2 twice) / n**2,
        which Esty (1983) has a little lower. `high` is exact for any number of tries: the second half of them counts how often
        they end in what the first half had not seen, and the chance of that only falls with more tries.
    """
    n, once, twice = len(ends), int((counts == 1).sum()), int((counts == 2).sum())
    first, second = ends[: n // 2], ends[n // 2 :]
    n_new = int((~np.isin(second, first)).sum())
    high = float(clopper_pearson(n_new, len(second), confidence)[1])
    spread = ndtri((1 + confidence) / 2) * math.sqrt(once + 2 * twice)
    return max(0.0, float(once - spread) / n), max(high, once / n)
