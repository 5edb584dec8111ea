"""What a fit keeps of the clustering that was found, as scikit-learn keeps it, and what it warns of."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..workers import split

# Rows that are counted at a time: NumPy copies them, at twice their size.
COUNTED = 1 << 16


def stored(X, solution):
    """The clustering as it is kept: centers of float32 in float32, and those that no row has last.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), or Source
    solution : LocalSolution or BlockSolution
        For float32 rows, of a search for `single` centers.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int32
    centers : ndarray of shape (n_clusters, n_features)
    n_found : int
        Centers that rows have.
    """
    labels, centers = solution.labels, solution.centers
    if X.dtype == np.float32:
        single = centers.astype(np.float32)
        centers = single if np.array_equal(single, centers) else centers
    if hasattr(solution, "counts"):  # of blocks, whose labels are those of the centers in this order
        counts = solution.counts
        return labels, centers[np.argsort(counts == 0, kind="stable")], np.count_nonzero(counts)
    counts = np.bincount(labels[:COUNTED], minlength=len(centers))
    for start, stop in split(max(0, len(labels) - COUNTED), COUNTED):
        counts += np.bincount(labels[COUNTED + start : COUNTED + stop], minlength=len(centers))
    if counts.all():
        return labels, centers, len(centers)
    order = np.argsort(counts == 0, kind="stable")
    places = np.argsort(order).astype(np.int32)
    return places[labels], centers[order], np.count_nonzero(counts)


def count_updates(solution, init, max_iter):
    """Iterations as scikit-learn counts them: the one that finds nothing left to move counts too.

    Not where the centers that were given have not moved at all.
    """
    n_iter = solution.n_iter
    if solution.stop_reason != "converged":
        return n_iter
    if n_iter == 1:
        if isinstance(init, str):
            stayed = solution.inertia == 0  # the centers were rows
        else:
            used = (
                np.flatnonzero(solution.counts) if hasattr(solution, "counts") else np.unique(solution.labels)
            )
            stayed = not callable(init) and np.array_equal(np.asarray(init)[used], solution.centers[used])
        if stayed:
            return 1
    return n_iter + 1 if max_iter is None else min(n_iter + 1, max_iter)


def warn_of(stop_reason, max_iter, n_found, n_clusters, frames=0):
    """Warn where updates ran out, and where there are fewer clusters than asked for, though there was time for them."""
    if stop_reason == "max_iter":
        warnings.warn(
            f"max_iter={max_iter} updates of the centers did not lead to a fixed point: give more, or None for no limit.",
            ConvergenceWarning,
            stacklevel=4 + frames,
        )
    if n_found < n_clusters and stop_reason != "time_limit":
        warnings.warn(
            f"Number of distinct clusters ({n_found}) found smaller than n_clusters ({n_clusters}). Possibly due to duplicate"
            " points in X.",
            ConvergenceWarning,
            stacklevel=4 + frames,
        )


class Printed:
    """Prints how a search goes: verbose=1."""

    def __init__(self, word):
        self.word = word

    def __call__(self, number, inertia):
        print(f"{self.word} {number}: best inertia {inertia:.10g}", flush=True)

    def passed(self, n_bytes, inertia, n_moved):
        """A pass over rows in blocks is over; in a start no rows move."""
        moved = "start" if n_moved is None else f"{n_moved:,} rows moved"
        print(f"{n_bytes / 1e6:,.1f} MB gone over: {moved}, inertia {inertia:.10g}", flush=True)

    def began(self):
        """The centers of a restart are chosen."""
        print("Initialization complete", flush=True)

    def ended(self, n_iter, inertia, stop_reason, tol):
        """Lloyd's iteration of a restart is at its end."""
        print(f"Iteration {n_iter}, inertia {inertia:.10g}.", flush=True)
        if stop_reason == "converged":
            print(f"Converged at iteration {n_iter}: strict convergence.", flush=True)
        elif stop_reason == "tol":
            print(f"Converged at iteration {n_iter}: center shift is within tolerance {tol:g}.", flush=True)
