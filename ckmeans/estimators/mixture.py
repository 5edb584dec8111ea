"""The scikit-learn face of the soft side: checks its input once, hands it to `mixture`, sets attributes."""

import math
import warnings
from collections.abc import Callable
from numbers import Integral
from time import monotonic
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin, DensityMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..arithmetic import usual
from ..interrupts import Held
from ..local.mixture import fit_mixture
from ..local.posteriors import score_rows
from ..local.restarts import GRACE
from ..local.search import local_search
from ..validation import (
    check_centers,
    check_fitted,
    check_flag,
    check_n_clusters,
    check_number,
    check_weights,
    check_whole,
)
from ..workers import split
from .inputs import adopt, check_rows, rows_to_fit
from .mixture_start import PARAMETERS, check_schedule, given_start, in_precision_of

LABEL_WORK = 2**24  # rows x components x (features + 8) labelled between two looks at the clock: four blocks


@usual
class SphericalMixture(ClusterMixin, DensityMixin, BaseEstimator):
    """Mixture of spherical Gaussians, fitted by EM: the probabilistic parent of k-means.

    Each component is a Gaussian whose covariance is a variance times the identity. As the variance goes to zero the
    fit becomes a fixed point of k-means; `anneal` goes there step by step and finds good ones.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of components.
    variance : float, "tied" or "per-cluster", default=1.0
        A number fixes the variance of all components, in squared units of X. "tied" estimates one for all, "per-cluster" one
        for each, as ``GaussianMixture(covariance_type="spherical")`` does. 1.0, the identity, is k-means with soft labels for
        features of about that spread within the clusters, as `StandardScaler` leaves them at most; a variance that is not
        estimated cannot collapse. Estimated variances are kept above a floor: the square of
        1e-10 standard deviations of X, or of 4 roundings of its largest value if that is more. Data whose spread is
        outside 2**-300 .. 2**300 are fitted in other units, a power of two: the result is the same.
    mixing : {"estimated", "uniform"}, default="estimated"
        Whether the mixing weights are estimated, or all are 1 / n_clusters as in k-means.
    init : {"k-means", "random"}, array-like of shape (n_clusters, n_features) or callable, default="k-means"
        The means to start from: the centers that `KMeans` finds, rows at random, given means, or ``init(X, n_clusters,
        random_state)``, which returns them.
    means_init, weights_init, precisions_init : array-like or None, default=None
        As in `GaussianMixture`: means of shape (n_clusters, n_features), which go before `init`; mixing weights and inverse
        variances of shape (n_clusters,), to start from where these are estimated.
    warm_start : bool, default=False
        Whether to start from the parameters that the last fit has found.
    n_init : int, default=1
        Number of starts. The one with the largest log-likelihood is kept, fits with fewer collapsed components first
        (one at the floor of the variance makes the likelihood arbitrarily large).
    anneal : None, int or array-like of decreasing variances, default=None
        Variances to go through before the one asked for, each step from where the one before ended. A number is that
        of geometric steps, from the critical variance (the largest eigenvalue of the covariance of X, above which
        all means coincide) down to `variance`; 20 is a good one. Made for `mixing="uniform"` and small variances.
    max_iter : int, default=1000
        EM iterations at most, in each annealing step anew. 0 keeps the start.
    tol : float, default=1e-6
        EM stops when an iteration raises the mean log-likelihood per unit of sample weight by no more, in nats.
    max_seconds : float or None, default=None
        Time after which the best so far is taken. Finding means to start from takes at most half of what is left.
    random_state : int, RandomState instance or None, default=None
    n_threads : int or None, default=None
        Threads to use; None for as many as there are processors. The result has the same bits for every number.
    verbose : int, default=0
        1 prints a line after each start.

    Attributes
    ----------
    means_ : ndarray of shape (n_clusters, n_features), float64, or float32 where X is
    variances_ : ndarray of shape (n_clusters,), float64, or float32 where X is and that does not lose them
        Variance of each component per feature, in squared units of X. `covariances_` is the same, `precisions_` and
        `precisions_cholesky_` are its inverse and the root of that, as in `GaussianMixture`.
    weights_ : ndarray of shape (n_clusters,), float64, or float32 with the variances
        Mixing weights.
    labels_ : ndarray of shape (n_samples,), int32
        Most likely component of each row; equals `predict(X)`. Of a fit that Ctrl-C has ended, -1 for the rows that there
        was no time for, which is a twentieth of a second.
    log_likelihood_ : float
        Sum over the rows of sample weight times log density, in nats.
    lower_bound_ : float
        ``log_likelihood_`` per unit of sample weight (the mean over the rows), as in GaussianMixture.
    lower_bounds_ : ndarray of shape (n + 1,)
        The same at the start and after each of the n iterations, the last annealing step's only; never falls.
    n_iter_ : int
        Iterations of the best start, those of all annealing steps included.
    n_collapsed_ : int
        Components whose estimated variance lies at the floor: their likelihood has no bound, and says nothing.
    converged_ : bool
        Whether the last iteration gained no more than `tol`.
    stop_reason_ : {"converged", "max_iter", "time_limit", "interrupted"}
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only when X has string column names.

    Raises
    ------
    KeyboardInterrupt
        From `fit`, on Ctrl-C, after the attributes have been set to the best so far (where anything is known). After an
        error the estimator is as it was before.

    References
    ----------
    .. [1] Dempster, Laird, Rubin (1977). Maximum likelihood from incomplete data via the EM algorithm. J. Royal
       Statistical Society B 39(1). doi:10.1111/j.2517-6161.1977.tb01600.x
    .. [2] Celeux, Govaert (1992). A classification EM algorithm for clustering and two stochastic versions.
       Computational Statistics & Data Analysis 14(3). doi:10.1016/0167-9473(92)90042-E
    .. [3] Rose (1998). Deterministic annealing for clustering, compression, classification, regression, and related
       optimization problems. Proceedings of the IEEE 86(11). doi:10.1109/5.726788

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> mixture = SphericalMixture(n_clusters=2, variance="tied", random_state=0).fit(X)
    >>> sorted(mixture.means_[:, 0].round(3).tolist())
    [0.5, 9.5]
    """

    means_: NDArray[np.floating]
    variances_: NDArray[np.floating]
    weights_: NDArray[np.floating]
    labels_: NDArray[np.int32]
    log_likelihood_: float
    lower_bound_: float
    lower_bounds_: NDArray[np.float64]
    n_iter_: int
    n_collapsed_: int
    converged_: bool
    stop_reason_: str
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        variance: float | Literal["tied", "per-cluster"] = 1.0,
        mixing: Literal["estimated", "uniform"] = "estimated",
        init: str | ArrayLike | Callable[..., ArrayLike] = "k-means",
        n_init: int = 1,
        anneal: int | ArrayLike | None = None,
        max_iter: int = 1000,
        tol: float = 1e-6,
        max_seconds: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
        verbose: int = 0,
        means_init: ArrayLike | None = None,
        weights_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        warm_start: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.variance = variance
        self.mixing = mixing
        self.init = init
        self.n_init = n_init
        self.anneal = anneal
        self.max_iter = max_iter
        self.tol = tol
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.n_threads = n_threads
        self.verbose = verbose
        self.means_init = means_init
        self.weights_init = weights_init
        self.precisions_init = precisions_init
        self.warm_start = warm_start

    @property
    def covariances_(self) -> NDArray[np.floating]:
        """`variances_`, by its name in GaussianMixture."""
        return self.variances_

    @property
    def precisions_(self) -> NDArray[np.floating]:
        """Inverse variances."""
        return 1 / self.variances_

    @property
    def precisions_cholesky_(self) -> NDArray[np.floating]:
        """Inverse standard deviations."""
        return 1 / np.sqrt(self.variances_)

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : Ignored
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative. A row of weight 2 counts as two equal rows.

        Returns
        -------
        self : SphericalMixture
        """
        with Held() as held:
            X, features = rows_to_fit(self, X)
            best, weight = self._fitted(X, sample_weight, held)
            # Labels are those of the parameters as they are kept.
            parameters = in_precision_of(X, best)
            hurried = best.stop_reason == "interrupted"
            labels = self._labels(X, (*parameters[:3], best.unit), held, hurried)
            used = np.unique(labels)
            if len(used) < len(best.means) and used[0] >= 0 and not hurried:
                # Components that are most likely nowhere go last.
                order = np.argsort(~np.isin(np.arange(len(best.means)), used), kind="stable")
                parameters = tuple(values[order] for values in parameters)
                labels = self._labels(X, (*parameters[:3], best.unit), held, hurried)
            means, unit_variances, weights, variances = parameters
            bounds = np.array(best.history) / (len(X) if weight is None else weight.sum())
            adopt(
                self,
                features,
                means_=means,
                variances_=variances,
                weights_=weights,
                _unit=best.unit,
                _unit_variances=unit_variances,
                labels_=labels,
                log_likelihood_=best.log_likelihood,
                lower_bound_=float(bounds[-1]),
                lower_bounds_=bounds,
                n_iter_=best.n_iter,
                n_collapsed_=best.n_collapsed,
                converged_=best.converged,
                stop_reason_=best.stop_reason,
            )
        self._warn(best)
        return self

    def _fitted(self, X, sample_weight, held):
        """Check what is left to check, and fit: a `Mixture`, and the weights of the rows."""
        anneal = self._check_parameters(len(X))
        weight = check_weights(sample_weight, len(X))
        random_state = check_random_state(self.random_state)
        shaking = np.random.RandomState(random_state.randint(2**31))  # whatever the starts draw
        deadline = math.inf if self.max_seconds is None else monotonic() + self.max_seconds
        means, start = given_start(self, X.shape[1])
        init = self.init if means is None else means
        fixed_start = not (isinstance(init, str) or callable(init)) and anneal is None
        best = fit_mixture(
            X,
            self._starts(X, weight, random_state, init, 1 if fixed_start else self.n_init, deadline, held),
            **start,
            variance=self.variance,
            mixing=self.mixing,
            sample_weight=weight,
            max_iter=self.max_iter,
            tol=self.tol,
            anneal=anneal,
            random_state=shaking,
            n_threads=self.n_threads,
            max_seconds=self.max_seconds,
            report=_print if self.verbose else None,
            held=held,
        )
        if not np.isfinite(best.variances).all():
            raise ValueError(
                f"X reaches {np.abs(X).max():.3g}, where variances exceed 1.8e308: divide X by a power of ten."
            )
        return best, weight

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """Most likely component of each row: int32 labels of shape (n_samples,).

        Among equally likely components the one with the nearest mean, then the one with the lowest index.
        """
        return self._score(self._rows(X))[1]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.floating]:
        """Posterior probability of each component for each row: ndarray of shape (n_samples, n_clusters), float32 where both X
        and the means are."""
        X = self._rows(X)
        found = self._score(X, responsibilities=True)[1]
        return found.astype(X.dtype, copy=False) if X.dtype == self.means_.dtype else found

    def responsibilities(self, X: ArrayLike) -> NDArray[np.floating]:
        """The same as `predict_proba`, under its name in EM."""
        return self.predict_proba(X)

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log density of each row, in nats: ndarray of shape (n_samples,)."""
        return self._score(self._rows(X))[0]

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean log density of the rows, weighted by sample_weight, in nats."""
        density = self.score_samples(X)
        return float(np.average(density, weights=self._weights_for(density, sample_weight)))

    def bic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Bayesian information criterion, lower is better; the sample size is the sum of the weights."""
        density = self.score_samples(X)
        weight = self._weights_for(density, sample_weight)
        return float(self._n_parameters() * math.log(weight.sum()) - 2 * (weight @ density))

    def aic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Akaike's information criterion, lower is better."""
        density = self.score_samples(X)
        return float(2 * self._n_parameters() - 2 * (self._weights_for(density, sample_weight) @ density))

    def sample(self, n_samples: int = 1) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Draw rows from the fitted mixture: X of shape (n_samples, n_features), and their components."""
        check_is_fitted(self)
        check_whole("n_samples", n_samples, 1)
        random_state = check_random_state(self.random_state)
        means, variances, weights, unit = self._parameters()
        labels = random_state.choice(len(weights), n_samples, p=weights / weights.sum()).astype(np.int32)
        noise = random_state.standard_normal((n_samples, means.shape[1]))
        return means[labels] + np.ldexp(np.sqrt(variances)[labels, None] * noise, unit), labels

    def _n_parameters(self):
        """Free parameters: means, estimated variances, estimated mixing weights less one."""
        means = self._parameters()[0]
        n_variances = {"tied": 1, "per-cluster": len(means)}.get(self.variance, 0)
        return means.size + n_variances + (len(means) - 1) * (self.mixing == "estimated")

    def _parameters(self, n_features=None):
        """Means, variances and weights, which are checked: they may have been set by hand.

        And the exponent of the units of an extreme fit: there the variances are in these, else it is 0.
        """
        means = check_fitted("means_", self.means_, (None, n_features))
        variances, weights = (
            check_fitted(name, getattr(self, name), (len(means),)) for name in PARAMETERS[1:]
        )
        unit = vars(self).get("_unit", 0)
        if unit:
            with np.errstate(over="ignore", under="ignore"):
                own = np.array_equal(np.ldexp(self._unit_variances, 2 * unit), variances)
                variances = self._unit_variances if own else np.ldexp(variances, -2 * unit)  # put there since
        if not variances.min() > 0:
            raise ValueError(f"variances_ holds {variances.min()}: fit again, or give positive numbers.")
        if not (weights.min() >= 0 and weights.max() > 0):
            raise ValueError("weights_ are not shares of a whole: fit again, or give such.")
        return means, variances, weights, unit

    def _score(self, X, parameters=None, responsibilities=False):
        means, variances, weights, unit = parameters or self._parameters(X.shape[1])
        means, variances, weights = (v.astype(np.float64, copy=False) for v in (means, variances, weights))
        means = np.ldexp(means, -unit) if unit else means
        given = {"responsibilities": responsibilities, "n_threads": self.n_threads, "unit": unit}
        return score_rows(X, means, variances, weights, **given)

    def _labels(self, X, parameters, held, hurried):
        """The most likely component of each row; after Ctrl-C, -1 for the rows that are left when GRACE is over."""
        labels, end = np.full(len(X), -1, np.int32), math.inf
        for start, stop in split(len(X), max(1, LABEL_WORK // (parameters[0].size + 8 * len(parameters[0])))):
            if end == math.inf and (hurried or held.noted):
                end = monotonic() + GRACE
            labels[start:stop] = self._score(X[start:stop], parameters)[1]
            if monotonic() >= end:
                break
        return labels

    def _weights_for(self, density, sample_weight):
        weight = check_weights(sample_weight, len(density))
        return np.ones(len(density)) if weight is None else weight

    def _rows(self, X):
        check_is_fitted(self)
        return check_rows(self, X, reset=False)

    def _check_parameters(self, n_samples):
        """Refuse what cannot be fitted; `anneal` as the solver takes it."""
        check_n_clusters(self.n_clusters, n_samples)
        check_whole("n_init", self.n_init, 1)
        check_whole("max_iter", self.max_iter, 0)
        check_flag("warm_start", self.warm_start)
        check_whole("n_threads", self.n_threads, 1, none=True)
        check_number("tol", self.tol)
        check_number("max_seconds", self.max_seconds, none=True)
        if isinstance(self.variance, str):
            if self.variance not in ("tied", "per-cluster"):
                raise ValueError(
                    f'variance={self.variance!r} is unknown: use a positive number, "tied" or "per-cluster".'
                )
        else:
            check_number("variance", self.variance, strict=True)
        if self.mixing not in ("estimated", "uniform"):
            raise ValueError(f'mixing={self.mixing!r} is unknown: use "estimated" or "uniform".')
        if self.anneal is None or isinstance(self.anneal, Integral):
            return check_whole("anneal", self.anneal, 1, none=True)
        return check_schedule(self.anneal, self.variance)

    def _starts(self, X, sample_weight, random_state, init, n_init, deadline, held):
        """The means of each start. After a search Ctrl-C is held back until the caller has the means."""
        if init is None or isinstance(init, str) and init not in ("k-means", "random"):
            raise ValueError(
                f'init={init!r} is unknown: use "k-means", "random", an array of means or a callable.'
            )
        for _ in range(n_init):
            if not isinstance(init, str):
                means = init(X, self.n_clusters, random_state) if callable(init) else init
                yield check_centers(means, self.n_clusters, X.shape[1])
                continue
            given = {} if init == "k-means" else {"init": "random", "n_init": 1, "max_iter": 1}
            solution = local_search(
                X,
                self.n_clusters,
                sample_weight=sample_weight,
                rng=random_state,
                max_seconds=None if deadline == math.inf else max(0.0, deadline - monotonic()) / 2,
                n_threads=self.n_threads,
                held=held,
                **given,
            )
            if solution.stop_reason == "interrupted":
                raise KeyboardInterrupt(solution.centers)
            yield solution.centers

    def _warn(self, best):
        if not (self.variances_ >= np.finfo(float).tiny).all():
            warnings.warn(
                f"variances_ are as small as {self.variances_.min():.3g}, where floats lose digits or are 0: labels and densities"
                " do not go by them, but whoever reads them should multiply X by a power of two first.",
                ConvergenceWarning,
                stacklevel=4,
            )
        if best.n_collapsed:
            tied = "" if self.variance == "tied" else 'variance="tied", '
            warnings.warn(
                f"{best.n_collapsed} of {self.n_clusters} variances shrank to the floor {self.variances_.min():.3g}: "
                f"the rows of these components coincide, and the likelihood has no bound. Use {tied}a fixed variance, "
                "or fewer clusters.",
                ConvergenceWarning,
                stacklevel=4,
            )
        if best.stop_reason == "max_iter":
            warnings.warn(
                f"EM still gained more than tol={self.tol} after max_iter={self.max_iter} iterations: raise one of them.",
                ConvergenceWarning,
                stacklevel=4,
            )


def _print(fit):
    print(f"log-likelihood {fit.log_likelihood:.6g} after {fit.n_iter} iterations ({fit.stop_reason})")
