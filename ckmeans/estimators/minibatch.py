"""MiniBatchKMeans: scikit-learn's name and signature, for code that is written for it."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ..arithmetic import usual
from .kmeans import KMeans


@usual
class MiniBatchKMeans(KMeans):
    """`KMeans` with the parameters of scikit-learn's MiniBatchKMeans: `fit` has all rows, `partial_fit` batches of them.

    There are no mini-batches to be tuned: `fit` starts from a sample and goes on over all rows to a fixed point, and `partial_fit`
    clusters a `Summary` of all rows so far, which is the same for any cut of them into batches.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters.
    init : as for `KMeans`, default="k-means++"
    max_iter : int or None, default=None
        As for `KMeans`: most updates of the centers. There it is a number of passes, 100.
    batch_size : int, default=1024
        Without effect, as are `compute_labels`, `max_no_improvement`, `init_size` and `reassignment_ratio`: they are taken for the
        sake of code written for scikit-learn.
    verbose : int or callable, default=0
        As for `KMeans`.
    compute_labels : bool, default=True
        Without effect: there are always labels.
    random_state : int, RandomState instance or None, default=None
        Seed of the search.
    tol : float, default=0.0
        As for `KMeans`.
    max_no_improvement : int or None, default=10
        Without effect.
    init_size : int or None, default=None
        Without effect.
    n_init : "auto" or int, default="auto"
        As for `KMeans`.
    reassignment_ratio : float, default=0.01
        Without effect: no cluster is ever lost.

    Attributes
    ----------
    cluster_centers_, labels_, inertia_, n_iter_, n_features_in_, feature_names_in_
        As of `KMeans`; after `partial_fit` as it says there, with `n_steps_`.

    References
    ----------
    Sculley (2010), "Web-scale k-means clustering", WWW, 1177-1178, doi:10.1145/1772690.1772862, is what scikit-learn's is; this is not.
    See `KMeans` and `Summary` for what this is.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import MiniBatchKMeans
    >>> X, kmeans = load_iris().data, MiniBatchKMeans(3, random_state=0)
    >>> for batch in (X[::3], X[1::3], X[2::3]):
    ...     kmeans = kmeans.partial_fit(batch)
    >>> kmeans.n_steps_, round(kmeans.inertia_, 4)
    (3, 78.8514)
    """

    # What KMeans has beside that.
    polish, max_seconds, algorithm, n_threads, copy_x = True, None, "auto", None, True

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: str | ArrayLike | Callable[..., ArrayLike] = "k-means++",
        max_iter: int | None = None,
        batch_size: int = 1024,
        verbose: int | Callable[[int, float], object] = 0,
        compute_labels: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: int | Literal["auto"] = "auto",
        reassignment_ratio: float = 0.01,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio
