"""The scikit-learn face of `certify`: the best clustering that is found, and how far it can be from the optimum."""

import os
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from ..arithmetic import usual
from ..interrupts import Held
from ..local.rows import Rows
from ..proofs.certificate import Certificate
from ..proofs.portfolio import prove
from ..validation import check_n_clusters, check_number, check_weights, check_whole
from ..words import at_most_above, down
from ..workers import Workers
from .inputs import adopt, rows_to_fit
from .kmeans import Centers


@usual
class ExactKMeans(Centers):
    """k-means with a proof: the optimum where it can be proved, and a bound where not.

    For small and medium data, up to some thousand rows where there are few features. See `certify` for what is tried.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    time_limit : float or None, default=60
        Seconds, a quarter of them for the checker if it needs that; None for no limit.
    gap : float, default=0.0
        Stop when (inertia - lower bound) / inertia is not above this.
    random_state : int, RandomState instance or None, default=None
        Seed of the search for a clustering.
    n_threads : int or None, default=None
        As for `KMeans`.
    checkpoint : str, Path or None, default=None
        A file that is written every few seconds, and from which a later fit of the same data goes on.
    verbose : int or callable, default=0
        1 prints inertia and lower bound now and then; ``verbose(method, inertia, lower_bound)`` is called instead if
        callable.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features), float64
        The means of the clusters, in lexicographic order; those of clusters without rows, where there are fewer different
        rows than clusters, repeat the last.
    labels_ : ndarray of shape (n_samples,), int32
        Index of the nearest center of each row; equal to ``predict(X)``.
    inertia_ : float
        Sum of the weighted squared distances of the rows to the means of their clusters, rounded up.
    lower_bound_ : float
        No clustering into as many clusters has a lower inertia: proved, where ``certificate_.checked``.
    gap_ : float
        ``(inertia_ - lower_bound_) / inertia_``, rounded up: the best inertia is at most this share of it below.
    status_ : {"optimal-unique", "optimal", "bounded"}
        The first two only where the checker has accepted the proof; "optimal-unique" if every other partition costs more.
    stop_reason_ : {"proved", "gap", "time_limit", "memory_limit", "interrupted", "unresolved", "unchecked"}
        Why the search ended. "unresolved": no way was left to try; "unchecked": a proof was found that the checker could not
        go through.
    certificate_ : Certificate
        The clustering with its proof: ``certificate_.save("iris.ckc")``.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Where the column names of X are strings.

    See Also
    --------
    certify : the same for a clustering that is there already.
    KMeans : the search without a proof, for data of any size.

    References
    ----------
    Aloise, Hansen & Liberti (2012), "An improved column generation algorithm for minimum sum-of-squares clustering",
    Mathematical Programming 131:195-220, doi:10.1007/s10107-010-0349-7. More in `certify`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import ExactKMeans
    >>> model = ExactKMeans(3, random_state=0).fit(load_iris().data)
    >>> round(model.inertia_, 4), model.gap_, model.status_
    (78.8514, 0.0, 'optimal-unique')
    """

    _kept_types = ("float64",)

    cluster_centers_: NDArray[np.float64]
    labels_: NDArray[np.int32]
    inertia_: float
    lower_bound_: float
    gap_: float
    status_: str
    stop_reason_: str
    certificate_: Certificate
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        time_limit: float | None = 60,
        gap: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
        n_threads: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        verbose: int | Callable[[str, float, float], object] = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.time_limit = time_limit
        self.gap = gap
        self.random_state = random_state
        self.n_threads = n_threads
        self.checkpoint = checkpoint
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Search for the best clustering, and prove how good it is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows, at least 0.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For data or parameters out of their range; the message tells which, and the remedy.
        KeyboardInterrupt
            On Ctrl-C, after the attributes were set to the best clustering so far. After an error the estimator is as it was
            before.
        """
        with Held() as held:
            X, features = rows_to_fit(self, X)
            X = X.astype(np.float64, copy=False)
            weights = check_weights(sample_weight, len(X))
            n_threads = check_whole("n_threads", self.n_threads, 1, none=True)
            certificate = late = None
            try:
                certificate = self._certify(X, weights, n_threads)
                held.begin()
            except KeyboardInterrupt as interrupt:
                held.begin()
                if certificate is None:
                    raise
                late = interrupt
            means = sorted(certificate.problem.exact.centers(certificate.labels).values())
            centers = np.array(means + means[-1:] * (certificate.n_clusters - len(means)))
            with Workers(n_threads) as workers:
                labels = Rows(X, weights, workers, compared_with=centers).nearest(centers)
            adopt(
                self,
                features,
                cluster_centers_=centers,
                labels_=labels,
                inertia_=certificate.inertia,
                lower_bound_=certificate.lower_bound,
                gap_=certificate.gap,
                status_=certificate.status,
                stop_reason_=certificate.stop_reason,
                certificate_=certificate,
            )
            if late is not None:
                raise late
        return self

    def _certify(self, X, weights, n_threads):
        """Check what is left to check, and search for a clustering and a proof: a Certificate."""
        progress = _print_progress if self.verbose else None
        return prove(
            X,
            check_n_clusters(self.n_clusters, len(X)),
            sample_weight=weights,
            time_limit=check_number("time_limit", self.time_limit, none=True),
            gap=check_number("gap", self.gap),
            rng=check_random_state(self.random_state),
            n_threads=n_threads,
            checkpoint=self.checkpoint,
            progress=self.verbose if callable(self.verbose) else progress,
        )


def _print_progress(method, inertia, lower_bound):
    bound = f"lower bound {down(lower_bound, 10)}, not yet checked"
    print(f"{method}: inertia {inertia:.10g}, {bound}: {at_most_above(inertia, lower_bound)}", flush=True)
