"""The passes over the rows that the soft side consists of: log densities, responsibilities, sums for the M-step."""

import math
from typing import NamedTuple

import numpy as np

from .._kernels import mixture as kernels
from ..workers import Workers, split

# Sets of partial sums. Part of the result: which rows go to which depends on the shape of the data alone.
N_SLABS = 32
# Rows times components times (features + 8) of a kernel call: some 5 ms, after which Ctrl-C and the time are looked at.
BLOCK_WORK = 2**22


class Parameters(NamedTuple):
    """Means (n_clusters, n_features), variances (n_clusters,) and mixing weights (n_clusters,) of a mixture."""

    means: np.ndarray
    variances: np.ndarray
    weights: np.ndarray

    def for_kernels(self):
        """half_precision, bias, and the constant that brings log densities to scale.

        What all components share stands in the constant: with equal weights and variances the biases are exactly
        zero, and the log joint densities are ordered as the squared distances are.
        """
        n_features = self.means.shape[1]
        first, top = float(self.variances[0]), float(self.weights.max())
        with np.errstate(divide="ignore"):  # a weight of 0 has the bias -inf
            bias = np.log(self.weights / top) - 0.5 * n_features * np.log(self.variances / first)
        constant = math.log(top) - 0.5 * n_features * (math.log(2 * math.pi) + math.log(first))
        return 0.5 / self.variances, bias, constant


def score_rows(X, means, variances, weights, *, responsibilities=False, n_threads=None, unit=0):
    """Log densities of the rows, with their labels or with the responsibilities of all components.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous and finite
    means : ndarray of shape (n_clusters, n_features), float64
    variances, weights : ndarray of shape (n_clusters,), float64
    responsibilities : bool
        Whether to return responsibilities in place of labels.
    n_threads : int or None
    unit : int
        Means and variances are in units of 2**unit and its square; X and the densities are not.

    Returns
    -------
    log_density : ndarray of shape (n_samples,), float64
        In nats.
    labels : ndarray of shape (n_samples,), int32, or responsibilities of shape (n_samples, n_clusters), float64
        The most likely component; among equally likely ones the nearest, then the lowest index.

    Raises
    ------
    ValueError
        If squared distances overflow, with the rows.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [4.0]])
    >>> score_rows(X, X, np.ones(2), np.full(2, 0.5))[1]
    array([0, 1], dtype=int32)
    """
    parameters = Parameters(means, variances, weights)
    half_precision, bias, constant = parameters.for_kernels()
    transposed = np.ascontiguousarray(means.T)
    if unit:
        X = np.ldexp(X.astype(np.float64, copy=False), -unit)
        constant -= X.shape[1] * unit * math.log(2)
    log_density = np.empty(len(X))
    out = np.empty((len(X), len(means))) if responsibilities else np.empty(len(X), dtype=np.int32)
    kernel = kernels.share if responsibilities else kernels.classify

    def work(start, stop):
        scratch = np.empty((2, len(means)))
        kernel(X, transposed, half_precision, bias, scratch, out, log_density, start, stop)

    with Workers(n_threads) as workers:
        workers.run(work, _blocks(X, len(means)))
    log_density += constant
    if not np.isfinite(log_density.sum()):
        rows = np.flatnonzero(~np.isfinite(log_density))
        if len(rows):
            named = ", ".join(map(str, rows[:5])) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
            raise ValueError(
                f"X has rows so far out that their squared distance to every mean, over the variance, exceeds 1e308: "
                f"{named}. Remove them, rescale X, or raise the variance."
            )
    return log_density, out


def _blocks(X, n_clusters):
    return split(len(X), max(1, BLOCK_WORK // (n_clusters * (X.shape[1] + 8))))


class Passes:
    """The passes over the rows that EM consists of. Sample weights are scaled so that the largest is about one."""

    def __init__(self, X, sample_weight, workers):
        self.X, self.workers, self.exponent = X, workers, 0
        if sample_weight is None:
            self.sample_weight = np.ones(len(X))
        else:
            self.exponent = int(np.frexp(sample_weight.max())[1])
            self.sample_weight = np.ldexp(np.asarray(sample_weight, dtype=np.float64), -self.exponent)
        self.mass = float(self.sample_weight.sum())

    def unscaled(self, log_likelihood):
        with np.errstate(over="ignore"):  # infinite beyond the floats
            return float(np.ldexp(log_likelihood, self.exponent))

    def accumulate(self, parameters, hard=False):
        """Log-likelihood, and per component the sums w r (x - mean), w r and w r |x - mean|^2."""
        half_precision, bias, constant = parameters.for_kernels()
        means, transposed = parameters.means, np.ascontiguousarray(parameters.means.T)
        blocks = _blocks(self.X, len(means))
        sums = np.zeros((min(N_SLABS, len(blocks)), len(means), means.shape[1] + 2))
        log_likelihood = np.zeros((len(sums), 1))

        def work(slab, block):
            scratch = np.empty((2, len(means)))
            kernels.accumulate(
                self.X,
                self.sample_weight,
                transposed,
                means,
                half_precision,
                bias,
                hard,
                scratch,
                sums[slab],
                log_likelihood[slab],
                *block,
            )

        self._in_rounds(work, blocks)
        total = float(log_likelihood.sum()) + constant * self.mass
        if not math.isfinite(total):
            score_rows(self.X, *parameters)  # names the rows
            raise ValueError("The log-likelihood overflows: rescale X, or raise the variance.")
        return total, sums.sum(axis=0)

    def scatter(self, parameters, new_means):
        """Per component the sum w r |x - new mean|^2, r by the old parameters."""
        half_precision, bias, _ = parameters.for_kernels()
        transposed, new_transposed = (
            np.ascontiguousarray(parameters.means.T),
            np.ascontiguousarray(new_means.T),
        )
        blocks = _blocks(self.X, 2 * len(new_means))
        sums = np.zeros((min(N_SLABS, len(blocks)), len(new_means)))

        def work(slab, block):
            scratch = np.empty((2, len(new_means)))
            kernels.scatter(
                self.X,
                self.sample_weight,
                transposed,
                new_transposed,
                half_precision,
                bias,
                scratch,
                sums[slab],
                *block,
            )

        self._in_rounds(work, blocks)
        return sums.sum(axis=0)

    def variances_of_hard_labels(self, start, floor):
        """One variance for all: the mean squared distance to the nearest mean, per feature."""
        unit = start._replace(variances=np.ones_like(start.variances), weights=np.ones_like(start.weights))
        _, sums = self.accumulate(unit, hard=True)
        variance = sums[:, -1].sum() / (start.means.shape[1] * self.mass)
        return np.full_like(start.variances, max(variance, floor))

    def spread_and_floor(self):
        """Variance of X per feature, and the least variance a component may have (1 where X is all zero)."""
        row = self.X[np.argmax(self.sample_weight > 0)]
        one = Parameters(row[None].astype(np.float64), np.ones(1), np.ones(1))
        _, sums = self.accumulate(one)
        mean = one.means + sums[:, :-2] / self.mass
        spread = self.scatter(one, mean)[0] / (self.mass * self.X.shape[1])
        largest = max(float(self.X.max()), -float(self.X.min()))
        rounding = 4 * float(np.finfo(np.float64).eps) * largest
        if rounding > 1e154:
            raise ValueError(
                f"X reaches {largest:.3g}, where the square of a rounding exceeds 1e308: divide X by a power of ten."
            )
        floor = max(1e-10 * math.sqrt(spread), rounding) ** 2 or 1.0
        return max(spread, floor), floor

    def _in_rounds(self, work, blocks):
        """Block b goes to slab b modulo N_SLABS, in order, one block of each slab at a time."""
        for first in range(0, len(blocks), N_SLABS):
            self.workers.run(work, enumerate(blocks[first : first + N_SLABS]))
