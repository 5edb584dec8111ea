"""Exact covers: partitions of the rows into clusters of a list."""

import numpy as np

# This many attempts to add a cluster to a partial cover are made before the search gives up, and the branch is split instead.
MOST_STEPS = 200_000
# Attempts between two looks at the clock.
LOOK = 1024


class TooManyCovers(Exception):
    """There is more to look at than is reasonable."""


def covers(sets, n_clusters, check=None):
    """Every way to choose n_clusters of the sets so that each row is in exactly one.

    Parameters
    ----------
    sets : ndarray of shape (n_sets, n_samples), bool
    check : callable(), optional
        Called from time to time.

    Yields
    ------
    list of n_clusters indices of sets

    Raises
    ------
    TooManyCovers
    """
    if not len(sets) or not sets.any(axis=0).all():
        return
    masks = [int.from_bytes(bytes(row), "little") for row in np.packbits(sets, axis=1, bitorder="little")]
    whole = (1 << sets.shape[1]) - 1
    containing = [np.flatnonzero(column).tolist() for column in sets.T]
    order = np.argsort([len(some) for some in containing], kind="stable").tolist()
    steps, look = 0, LOOK
    stack = [(0, (), 0)]
    while stack:
        covered, chosen, place = stack.pop()
        if covered == whole:
            if len(chosen) == n_clusters:
                yield list(chosen)
            continue
        if len(chosen) == n_clusters:
            continue
        while covered >> order[place] & 1:
            place += 1
        for s in containing[order[place]]:
            steps += 1
            if not masks[s] & covered:
                stack.append((covered | masks[s], (*chosen, s), place + 1))
        if steps > MOST_STEPS:
            raise TooManyCovers
        if check is not None and steps >= look:
            check()
            look = steps + LOOK
