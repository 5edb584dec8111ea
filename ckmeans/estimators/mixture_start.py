"""What a mixture starts from, as the user gives it, and what is kept of it in the end."""

import math

import numpy as np

from ..validation import check_fitted, check_values

PARAMETERS = ("means_", "variances_", "weights_")


def given_start(estimator, n_features):
    """The means to start from, if they are given or known from the last fit, and the variances and weights for `fit_mixture`."""
    k, known = estimator.n_clusters, vars(estimator)
    if estimator.warm_start and "means_" in known:
        means = check_fitted("means_", known["means_"], (k, n_features))
        variances, weights = (check_fitted(name, known[name], (k,)) for name in PARAMETERS[1:])
    else:
        means = estimator.means_init
        variances, weights = estimator.precisions_init, estimator.weights_init
        if weights is not None:
            weights = check_fitted("weights_init", weights, (k,))
            if weights.min() < 0 or not math.isclose(weights.sum(), 1, abs_tol=1e-6):
                raise ValueError(f"weights_init sums to {weights.sum():g}: give shares of 1, none below 0.")
        if variances is not None:
            variances = check_fitted("precisions_init", variances, (k,))
            if not variances.min() > 0:
                raise ValueError(f"precisions_init holds {variances.min():g}: give positive numbers.")
            variances = 1 / variances
    start = {"variances": variances if isinstance(estimator.variance, str) else None}
    return means, {**start, "weights": weights if estimator.mixing == "estimated" else None}


def check_schedule(anneal, variance):
    """The variances of annealing as an array. Raises ValueError."""
    try:
        steps = check_values(anneal, "anneal")
    except (TypeError, ValueError):
        steps = np.empty(0)
    if (
        steps.ndim != 1
        or not len(steps)
        or not (np.diff(steps) < 0).all()
        or not 0 < steps[-1] <= steps[0] < math.inf
    ):
        raise ValueError(
            f"anneal={anneal!r} must be a positive integer, or positive variances that decrease."
        )
    if not isinstance(variance, str) and steps[-1] < variance:
        raise ValueError(
            f"anneal ends at {steps[-1]}, below variance={variance}: end at the variance or above it."
        )
    return steps


def in_precision_of(X, fit):
    """Means, variances in the units of the fit, weights, and variances of a `Mixture`, in float32 where X is.

    Variances that float32 does not hold stay float64, and the weights with them.
    """
    found = fit.means, fit.unit_variances, fit.weights, fit.variances
    if X.dtype != np.float32:
        return found
    with np.errstate(over="ignore", under="ignore"):
        means, *others = (values.astype(np.float32) for values in found)
    least = np.finfo(np.float32).tiny
    held = not fit.unit and np.isfinite(others[2]).all() and others[2].min() >= least
    return (means, *(others if held else found[1:]))
