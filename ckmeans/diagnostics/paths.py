"""The path of Lloyd's iteration: what it does from a start to where it is stuck, update by update."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arithmetic import usual
from ..local.lloyd import lloyd
from ..local.random_stream import RandomStream
from ..local.restarts import STARTS
from ..local.rows import Clustering, Rows
from ..notebook import as_html
from ..validation import (
    check_centers,
    check_matrix,
    check_n_clusters,
    check_seed,
    check_weights,
    check_whole,
)
from ..words import format_cost, format_plural
from ..workers import Workers


class Step(NamedTuple):
    """Rows at their nearest centers, after some updates."""

    centers: NDArray[np.float64]
    labels: NDArray[np.int32]
    inertia: float


@dataclass(frozen=True, eq=False)
class LloydPath:
    """What Lloyd's iteration went through: item 0 is the start, the last is where it ended.

    Attributes
    ----------
    centers : ndarray of shape (n_steps, n_clusters, n_features), float64
    labels : ndarray of shape (n_steps, n_samples), int32
        Of each row the nearest of these centers.
    inertia : ndarray of shape (n_steps,), float64
        The sum of squared distances to them, weighted where there are weights.
    converged : bool
        Whether no label would change any more.

    Examples
    --------
    >>> from ckmeans import lloyd_path
    >>> path = lloyd_path([[0.0, 0.0], [0.0, 2.0], [3.0, 0.0], [3.0, 2.0]], 2, init=[[0.5, 0.0], [0.5, 2.0]])
    >>> print(path)
    from 13 to 9 in 1 update: no label changes any more
    >>> path.centers[-1]
    array([[1.5, 0. ],
           [1.5, 2. ]])
    """

    centers: NDArray[np.float64]
    labels: NDArray[np.int32]
    inertia: NDArray[np.float64]
    converged: bool

    def __len__(self) -> int:
        return len(self.inertia)

    def __getitem__(self, step: int) -> Step:
        return Step(self.centers[step], self.labels[step], float(self.inertia[step]))

    def __str__(self) -> str:
        first, last = (format_cost(float(self.inertia[step])) for step in (0, -1))
        end = "no label changes any more" if self.converged else "labels would still change"
        return f"from {first} to {last} in {format_plural(len(self) - 1, 'update')}: {end}"

    def _repr_html_(self) -> str:
        columns = {"update": range(len(self)), "inertia": [format_cost(float(cost)) for cost in self.inertia]}
        return as_html(str(self), columns)


@usual
def lloyd_path(
    X: ArrayLike,
    n_clusters: int,
    *,
    init: str | ArrayLike = "k-means++",
    sample_weight: ArrayLike | None = None,
    max_iter: int = 1000,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
) -> LloydPath:
    """Follow Lloyd's iteration from one start to where it ends: for lectures, and to look into.

    Nothing helps it, no exchange of rows and no swap of centers: it ends in the trap that it falls into. `PathDisplay` draws
    it, and sets it in motion.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite real numbers.
    n_clusters : int
        1 to n_samples.
    init : {"k-means++", "plain k-means++", "k-means||", "random"} or array-like of shape (n_clusters, n_features)
        As for `KMeans`, or the centers to begin with.
    sample_weight : array-like of shape (n_samples,) or None
        Weights >= 0, not all zero.
    max_iter : int
        Most updates of the centers; all of them are kept.
    random_state : int, RandomState, Generator or None
        Seed of the start.

    Returns
    -------
    LloydPath

    Raises
    ------
    ValueError, TypeError
        For data and parameters that are not as described.

    References
    ----------
    Lloyd (1982), "Least squares quantization in PCM", IEEE Trans. Inf. Theory 28:129-137, doi:10.1109/TIT.1982.1056489.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import lloyd_path
    >>> path = lloyd_path(load_iris().data, 3, random_state=4)
    >>> len(path), path.converged, bool((path.inertia[1:] <= path.inertia[:-1]).all())
    (6, True, True)
    """
    X = check_matrix(X)
    weights = check_weights(sample_weight, len(X))
    n_clusters = check_n_clusters(n_clusters, len(X))
    max_iter = check_whole("max_iter", max_iter, 0)
    given = None
    if not isinstance(init, str):
        given = check_centers(init, n_clusters, X.shape[1])
    elif init not in STARTS:
        raise ValueError(f"init={init!r} is none of {', '.join(STARTS)}: give one of these, or centers.")
    numbers = RandomStream(np.random.default_rng() if random_state is None else check_seed(random_state))
    with Workers(1, None) as workers:
        rows = Rows(X, weights, workers)
        centers = rows.scale(given) if given is not None else STARTS[init](rows, n_clusters, numbers)
        rows.panels.pack()
        steps, reason, partition = [], "max_iter", None
        for most in [0] + [1] * max_iter:
            partition, centers, _, reason = lloyd(rows, centers, max_iter=most, partition=partition)
            cost = rows.cost(partition.labels, centers)
            steps.append(rows.unscale(Clustering(partition.labels.copy(), centers.copy(), cost)))
            if reason == "converged":
                break
    found = [np.array([getattr(step, name) for step in steps]) for name in ("centers", "labels", "inertia")]
    return LloydPath(*found, reason == "converged")
