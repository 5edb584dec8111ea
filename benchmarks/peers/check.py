"""Results first: is this the clustering that exact Lloyd reaches? Only then are times compared."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

# Values that are compared at a time.
CHUNK = 1 << 22
SAMPLE = 200  # rows whose labels are compared with a search by brute force
# Where rounding moves a row to another cluster the paths part, and in noise one row soon moves many: these are the differences
# that are allowed, of inertia and of the number of iterations (relative), and the share of the labels.
INERTIA = {"float32": 1e-3, "float64": 1e-9}
LABELS = {"float32": 0.25, "float64": 0.001}
ITERATIONS = 0.1
# Relative difference below which float64 may not tell which of two squared distances is smaller.
CLOSE = 1e-9


class Verdict(NamedTuple):
    """How a result compares with the reference.

    Attributes
    ----------
    status : {"same", "rounding", "different"}
        The same labels after as many iterations; the same but for rounding; or something else, which is not compared.
    labels_differ : float
        Share of the labels that are not those of the reference.
    inertia_error : float
        Relative difference of the inertia, computed here from labels and centers (those of the reference where a
        contender gives none), to that of the reference.
    reported_error : float or None
        Relative difference of the inertia that the contender reports to the one computed here.
    """

    status: str
    labels_differ: float
    inertia_error: float
    reported_error: float | None

    @property
    def valid(self):
        """Whether times may be compared."""
        return self.status != "different"


def inertia(X, labels, centers):
    """Sum of the squared distances of the rows to their centers, in float64."""
    total, step = 0.0, max(1, CHUNK // X.shape[1])
    for start in range(0, len(X), step):
        part = slice(start, start + step)
        difference = X[part].astype(np.float64) - centers[labels[part]]
        total += float(np.vdot(difference, difference))
    return total


def judge(X, fit, reference):
    """Compare a result with the reference.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    fit, reference : Fit
        The reference has everything; its inertia is taken for granted.

    Returns
    -------
    Verdict
    """
    n, k = len(X), len(reference.centers)
    labels = np.asarray(fit.labels)
    if labels.shape != (n,) or labels.min() < 0 or labels.max() >= k:
        return Verdict("different", 1.0, np.inf, None)
    differ = np.count_nonzero(labels != reference.labels) / n
    centers = np.asarray(reference.centers if fit.centers is None else fit.centers, np.float64)
    found = inertia(X, labels, centers)
    error = found / reference.inertia - 1
    reported = None if fit.inertia is None else float(fit.inertia / found - 1)
    missed = 0 if fit.n_iter is None else abs(fit.n_iter - reference.n_iter)
    # Not `error > bound`, which NaN would pass.
    close = (
        abs(error) <= INERTIA[X.dtype.name]
        and differ <= LABELS[X.dtype.name]
        and missed <= max(1, ITERATIONS * reference.n_iter)
    )
    if reported is not None and not abs(reported) <= INERTIA[X.dtype.name]:
        close = False
    status = "different" if not close else "same" if not differ and not missed else "rounding"
    return Verdict(status, differ, error, reported)


def wrong_labels(X, labels, centers, n_rows=SAMPLE):
    """How many labels in a sample of the rows are not the exact nearest center, ties to the lowest index.

    Float64 decides where it can, fractions where two centers are nearly as far.
    """
    wrong = 0
    if not np.isfinite(centers).all():
        return min(n_rows, len(X))
    for i in np.random.default_rng(1).choice(len(X), min(n_rows, len(X)), replace=False):
        sq_distances = ((X[i].astype(np.float64) - centers) ** 2).sum(axis=1)
        near = np.flatnonzero(sq_distances <= sq_distances.min() * (1 + CLOSE))
        wrong += labels[i] != (near[0] if len(near) == 1 else _nearest(X[i], centers, near))
    return int(wrong)


def _nearest(row, centers, candidates):
    """The nearest of some centers in exact arithmetic, the first one of a tie."""

    def sq_distance(k):
        return sum((Fraction(float(x)) - Fraction(float(c))) ** 2 for x, c in zip(row, centers[k]))

    return min(candidates, key=sq_distance)  # min keeps the first


def own_faults(X, fit, reference):
    """What is wrong with a result of ours, which has to be exact; an empty list if nothing is."""
    faults = []
    if count := wrong_labels(X, fit.labels, fit.centers):
        faults.append(f"{count} of {min(SAMPLE, len(X))} labels looked at are not the nearest center")
    found = inertia(X, fit.labels, fit.centers)
    if not abs(fit.inertia - found) <= 1e-10 * found:
        faults.append(f"inertia {fit.inertia!r} where the labels and centers make {found!r}")
    if not np.array_equal(fit.labels, reference.labels):
        faults.append(
            f"{np.count_nonzero(fit.labels != reference.labels)} labels are not those of algorithm='lloyd'"
        )
    elif not np.array_equal(fit.centers, reference.centers) or fit.inertia != reference.inertia:
        faults.append("centers or inertia have other bits than those of algorithm='lloyd'")
    if fit.n_iter != reference.n_iter:
        faults.append(f"{fit.n_iter} iterations where algorithm='lloyd' takes {reference.n_iter}")
    return faults
