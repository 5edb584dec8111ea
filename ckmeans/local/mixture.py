"""EM for mixtures of spherical Gaussians: k-means with soft labels, and the path from one to the other.

Component k is a Gaussian with mean c_k and covariance v_k I, taken with probability p_k. One iteration computes the
responsibilities r_ik of the components for the rows, then moves to the closed forms that maximise the expected
log-likelihood (Dempster, Laird and Rubin 1977): means = weighted averages, variances = scatter over mass and
features, mixing weights = shares of the mass. As all variances go to zero the responsibilities become the labels of
k-means and the closed form of the means its update step; lowering the variance step by step is annealing (Rose 1998).

References
----------
.. [1] Dempster, Laird, Rubin (1977). Maximum likelihood from incomplete data via the EM algorithm. J. Royal
   Statistical Society B 39(1). doi:10.1111/j.2517-6161.1977.tb01600.x
.. [2] Celeux, Govaert (1992). A classification EM algorithm for clustering and two stochastic versions.
   Computational Statistics & Data Analysis 14(3). doi:10.1016/0167-9473(92)90042-E
.. [3] Rose (1998). Deterministic annealing for clustering, compression, classification, regression, and related
   optimization problems. Proceedings of the IEEE 86(11). doi:10.1109/5.726788
"""

import math
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigvalsh
from scipy.spatial.distance import cdist

from ..interrupts import Held
from ..scaling import unit_of
from ..workers import Expired, Workers, check_room, split
from .posteriors import Parameters, Passes

# Share of the largest sample weight: a component whose mass is less stays where it is.
DEAD_MASS = 2.0**-900
# Share of the scatter about the old means: a scatter about the new ones that is less has lost ten bits, and is summed again.
CANCELLED = 2.0**-10
# Standard deviations by which annealing shakes the means before each step, so that means at one place can part.
ANNEAL_JITTER = 0.01
# Standard deviations: means that are nearer to each other count as one that has not parted.
SAME_MEAN = 0.1
STOPPED = ("time_limit", "interrupted")


@dataclass(frozen=True, eq=False)
class Mixture:
    """A fitted mixture of spherical Gaussians.

    Attributes
    ----------
    means : ndarray of shape (n_clusters, n_features), float64
    variances : ndarray of shape (n_clusters,), float64
        Variance of each component in each feature, in squared units of X.
    weights : ndarray of shape (n_clusters,), float64
        Mixing weights; they sum to one.
    log_likelihood : float
        Sum over the rows of sample weight times log density, in nats, of exactly these parameters.
    history : tuple of float
        The log-likelihood of the start and after each iteration; never falls. After annealing: of the last step.
    n_iter : int
        Iterations, those of all annealing steps included.
    n_collapsed : int
        Components whose estimated variance lies at the floor. A likelihood that comes from such components is
        without bound (Kiefer and Wolfowitz 1956) and says nothing about the clustering.
    stop_reason : {"converged", "max_iter", "time_limit", "interrupted"}
    unit : int
        The binary exponent of the units in which extreme data were fitted; else 0.
    unit_variances : ndarray of shape (n_clusters,), float64
        The variances in these units, squared: those in units of X may be beyond the range of floats.
    """

    means: np.ndarray
    variances: np.ndarray
    weights: np.ndarray
    log_likelihood: float
    history: tuple
    n_iter: int
    n_collapsed: int
    stop_reason: str
    unit: int
    unit_variances: np.ndarray

    @property
    def converged(self):
        """Whether the last iteration gained no more than `tol`."""
        return self.stop_reason == "converged"


@dataclass
class _State:
    """What is known while EM runs, so that it can be stopped at any moment."""

    parameters: Parameters
    history: tuple = ()  # of this step; the last one belongs to `parameters`
    n_iter: int = 0

    def move(self, parameters):
        """Go on from other parameters, whose log-likelihood is not known yet."""
        self.history = ()
        self.parameters = parameters


class _Rule(NamedTuple):
    """What the M-step may change: variance "fixed", "tied" or "per-cluster", never below the floor."""

    variance: str
    estimate_weights: bool
    floor: float = 0.0


def fit_mixture(
    X,
    starts,
    *,
    variance=1.0,
    mixing="estimated",
    sample_weight=None,
    variances=None,
    weights=None,
    max_iter=1000,
    tol=1e-6,
    anneal=None,
    random_state=None,
    n_threads=None,
    max_seconds=None,
    report=None,
    held=None,
):
    """Fit a mixture of spherical Gaussians from each of some starts, and keep the most likely.

    A fit in which fewer components collapsed (see `Mixture.n_collapsed`) goes before a more likely one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64, C-contiguous and finite
    starts : iterable of ndarray of shape (n_clusters, n_features)
        Means to start from. It may raise KeyboardInterrupt(means), the best it had; if they are the first, they are
        the result. It may begin `held`, which ends when the means are here.
    variance : float, "tied" or "per-cluster"
        A number fixes the variance, in squared units of X. Estimated variances are kept above a floor: the square
        of 1e-10 standard deviations of X, or of 4 roundings of its largest value if that is more.
    mixing : {"uniform", "estimated"}
    sample_weight : ndarray of shape (n_samples,), or None
        Non-negative, not all zero. A row of weight 2 counts as two equal rows.
    variances, weights : ndarray of shape (n_clusters,), or None
        Start of what is estimated: by default the mean squared distance to the nearest mean, per feature, and
        uniform weights.
    max_iter : int
        Iterations at most, in each annealing step anew.
    tol : float
        EM stops when an iteration raises the log-likelihood per unit of sample weight by no more, in nats.
    anneal : None, int or ndarray of decreasing variances
        Variances to go through before the one asked for, each from the means the one before ended with. A number
        is that of geometric steps from the critical variance, the largest eigenvalue of the covariance of X, above
        which all means coincide (Rose 1998). Before each step the means are shaken by a hundredth of a standard
        deviation, since coinciding means would never part.
    random_state : RandomState or None
        Source of the shaking; needed for annealing only.
    n_threads : int or None
    max_seconds : float or None
    report : callable or None
        Called with the `Mixture` of each start.
    held : Held, optional
        Begins when EM is over, as in `local_search`.

    Returns
    -------
    Mixture
        When the time is up or on Ctrl-C the best so far, with the `stop_reason` saying so. The bits do not depend
        on `n_threads`.

    Raises
    ------
    ValueError
        If squared distances overflow, with the rows; without any start.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> fit_mixture(X, [X[[0, 3]]], variance="tied").means.round(3)
    array([[0.5],
           [9.5]])
    """
    deadline = math.inf if max_seconds is None else monotonic() + max_seconds
    variance = variance if isinstance(variance, str) else float(variance)
    if unit := _unit(X, [variance, variances, anneal]):
        X = np.ldexp(X.astype(np.float64, copy=False), -unit)
        variance, variances, anneal = (_in_units(v, unit) for v in (variance, variances, anneal))
    with Held() as own, Workers(n_threads) as workers:
        held = held or own
        passes = Passes(X, sample_weight, workers)
        rule, spread = _Rule("fixed", mixing == "estimated"), variance
        if isinstance(variance, str):
            spread, floor = passes.spread_and_floor()
            rule = _Rule(variance, mixing == "estimated", floor)
        critical = critical_variance(X, passes.sample_weight) if isinstance(anneal, int) else None
        measure = variances is None and isinstance(variance, str)

        def fit_from(means, max_iter, anneal):
            k = len(means)
            start = Parameters(
                np.ldexp(means, -unit) if unit else np.array(means, dtype=np.float64, order="C"),
                np.array(np.full(k, spread) if variances is None else variances, dtype=np.float64),
                np.array(np.full(k, 1 / k) if weights is None else weights, dtype=np.float64),
            )
            fit = _fit(passes, start, rule, max_iter, tol, measure, anneal, critical, random_state)
            return _out_of_units(fit, unit, passes) if unit else fit

        workers.deadline = deadline
        return _most_likely(
            starts, partial(fit_from, max_iter=max_iter, anneal=anneal), workers, report, held
        )


def _most_likely(starts, fit_from, workers, report, held):
    """The best of the fits from all starts, or from the starts made before the time was up or Ctrl-C came."""
    best, means, deadline = None, None, workers.deadline
    try:
        for means in starts:
            held.end()
            if best is not None and monotonic() >= deadline:
                best = replace(best, stop_reason="time_limit")
                break
            fit = fit_from(means)
            if best is None or _rank(fit) > _rank(best):
                best = fit
            if report is not None:
                report(fit)
            if fit.stop_reason in STOPPED:
                best = replace(best, stop_reason=fit.stop_reason)
                break
        held.begin()
    except KeyboardInterrupt as interrupt:
        held.begin()
        if isinstance(next(iter(interrupt.args), None), np.ndarray):
            means = interrupt.args[0]
        if best is None and means is None:
            raise
        workers.deadline = math.inf
        best = replace(best or fit_from(means, max_iter=0, anneal=None), stop_reason="interrupted")
    if best is None:
        raise ValueError("starts is empty: give at least one array of means.")
    return best


def _unit(X, variances):
    """The exponent of the units in which to fit X, with which given variances stay within the floats."""
    unit = unit_of(X)
    given = [v for v in variances if v is not None and not isinstance(v, (str, int))]
    if unit and given:
        sizes = np.frexp(np.concatenate([np.ravel(v) for v in given]))[1]
        unit = max(min(unit, (int(sizes.min()) + 900) // 2), (int(sizes.max()) - 900) // 2)
    return unit


def _in_units(variances, unit):
    return (
        variances
        if variances is None or isinstance(variances, (str, int))
        else np.ldexp(variances, -2 * unit)
    )


def _out_of_units(fit, unit, passes):
    """A fit in the units of X."""
    shift = np.ldexp(passes.mass, passes.exponent) * passes.X.shape[1] * unit * math.log(2)
    history = tuple(value - shift for value in fit.history)
    with np.errstate(over="ignore", under="ignore"):
        variances = np.ldexp(fit.variances, 2 * unit)
    return replace(
        fit,
        means=np.ldexp(fit.means, unit),
        variances=variances,
        log_likelihood=history[-1],
        history=history,
        unit=unit,
    )


def critical_variance(X, sample_weight):
    """The largest eigenvalue of the covariance of X: at this variance coinciding means begin to part.

    See Rose (1998) on phase transitions.

    Examples
    --------
    >>> import numpy as np
    >>> float(critical_variance(np.array([[-3.0, 0.0], [3.0, 0.0]]), np.ones(2)))
    9.0
    """
    check_room()
    n, d = X.shape
    origin = X[np.argmax(sample_weight > 0)].astype(np.float64)
    blocks = split(n, max(1, 2**18 // d))
    total = sample_weight.sum()
    mean = sum(sample_weight[start:stop] @ (X[start:stop] - origin) for start, stop in blocks) / total
    roots = np.sqrt(sample_weight)[:, None]
    if d > n:
        rows = roots * (X - origin - mean)
        gram = rows @ rows.T
    else:
        gram = np.zeros((d, d))
        for start, stop in blocks:
            rows = roots[start:stop] * (X[start:stop] - origin - mean)
            gram += rows.T @ rows
    top = len(gram) - 1
    return max(eigvalsh(gram, subset_by_index=[top, top])[0], 0.0) / total


def _rank(fit):
    return -fit.n_collapsed, fit.log_likelihood


def _fit(passes, start, rule, max_iter, tol, measure, anneal, critical, random_state):
    """EM from one start, through the annealing steps; a `Mixture` however it ends."""
    state = _State(start)
    try:
        if measure:
            start = start._replace(variances=passes.variances_of_hard_labels(start, rule.floor))
            state.move(start)
        for variance in _anneal_steps(anneal, critical, start.variances.min()):
            fixed = np.full_like(start.variances, variance)
            state.move(state.parameters._replace(variances=fixed))
            state.move(_respread(passes, state.parameters, rule.estimate_weights, random_state))
            _climb(passes, state, rule._replace(variance="fixed"), max_iter, tol)
        if rule.variance == "fixed":
            state.move(state.parameters._replace(variances=start.variances))
        stop_reason = _climb(passes, state, rule, max_iter, tol)
    except Expired:
        stop_reason = "time_limit"
    except KeyboardInterrupt:
        stop_reason = "interrupted"
    parameters, history = state.parameters, state.history
    if stop_reason in STOPPED:  # perhaps between two steps: one more pass, to tell what is returned
        passes.workers.deadline = math.inf
        if rule.variance == "fixed" and (parameters.variances != start.variances).any():
            parameters, history = parameters._replace(variances=start.variances), ()
        if not history:
            history = (passes.accumulate(parameters)[0],)
    collapsed = 0 if rule.variance == "fixed" else int((parameters.variances <= rule.floor).sum())
    history = tuple(passes.unscaled(value) for value in history)
    return Mixture(
        *parameters, history[-1], history, state.n_iter, collapsed, stop_reason, 0, parameters.variances
    )


def _climb(passes, state, rule, max_iter, tol):
    """Iterate EM from state.parameters until the log-likelihood rises no more; the reason it stopped."""
    least_gain = tol * passes.mass
    candidate, state.history = state.parameters, ()
    for n_iter in range(max_iter + 1):
        log_likelihood, sums = passes.accumulate(candidate)
        gain = log_likelihood - state.history[-1] if state.history else math.inf
        if gain < 0:  # by rounding alone: EM never lowers the likelihood (Dempster et al. 1977, theorem 1)
            return "converged"
        state.parameters, state.history = candidate, (*state.history, log_likelihood)
        state.n_iter += n_iter > 0
        if gain <= least_gain:
            return "converged"
        if n_iter < max_iter:
            candidate = _maximise(passes, candidate, sums, rule)
    return "max_iter"


def _maximise(passes, old, sums, rule):
    """The M-step: the closed-form maximum, from the sums relative to the old means."""
    n_features = old.means.shape[1]
    mass, old_scatter = sums[:, -2], sums[:, -1]
    alive = mass > DEAD_MASS
    divisor = np.where(alive, mass, 1.0)
    step = np.where(alive[:, None], sums[:, :-2] / divisor[:, None], 0.0)
    means = old.means + step
    weights = mass / mass.sum() if rule.estimate_weights else old.weights
    if rule.variance == "fixed":
        return Parameters(means, old.variances, weights)
    # About its mean the scatter is less by mass |step|^2. Where hardly anything remains the digits are gone with
    # it, and one more pass sums the squares about the new means.
    scatter = old_scatter - mass * (step * step).sum(axis=1)
    if (alive & (scatter < CANCELLED * old_scatter)).any():
        scatter = passes.scatter(old, means)
    if rule.variance == "tied":
        variances = np.full_like(old.variances, scatter.sum() / (n_features * mass.sum()))
    else:
        variances = np.where(alive, scatter / (n_features * divisor), old.variances)
    return Parameters(means, np.maximum(variances, rule.floor), weights)


def _anneal_steps(anneal, critical, target):
    if anneal is None:
        return ()
    if critical is None:
        return anneal
    return np.geomspace(critical, target, anneal + 1)[:-1] if critical > target else ()


def _respread(passes, parameters, estimate_weights, random_state):
    """Means that coincide are one mean; the spare ones become twins of the widest components, and all are shaken.

    A component can only part where two means lie, so every component should have a twin, as in the
    mass-constrained algorithm of Rose (1998). Left where they are, spare means would stay on the side of the first
    split on which they happened to be.
    """
    means, variances, weights = parameters
    deviation = math.sqrt(variances[0])
    leader = (cdist(means, means) < SAME_MEAN * deviation).argmax(axis=1)
    distinct = np.unique(leader)
    _, sums = passes.accumulate(parameters)
    mass, spread = (np.bincount(leader, column, len(means))[distinct] for column in sums.T[-2:])
    widest = distinct[np.argsort(-spread / np.maximum(mass, DEAD_MASS), kind="stable")]
    source = np.concatenate([distinct, np.resize(widest, len(means) - len(distinct))])
    share = np.bincount(leader, weights, len(means)) / np.maximum(
        np.bincount(source, minlength=len(means)), 1
    )
    noise = random_state.standard_normal(means.shape)
    weights = share[source] if estimate_weights else weights
    return Parameters(means[source] + ANNEAL_JITTER * deviation * noise, variances, weights)
