"""How many clusters: what eight criteria say, and where they disagree. A door like the estimators, which it calls."""

import math
import warnings
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
)
from sklearn.utils import check_random_state

from ..arithmetic import usual
from ..estimators.kmeans import KMeans
from ..estimators.mixture import SphericalMixture
from ..proofs.certification import certify as prove
from ..scaling import unit_of
from ..validation import check_flag, check_matrix, check_n_clusters, check_number, check_weights, check_whole
from ..words import format_plural
from ..workers import Expired, check_room, split
from .choice import CRITERIA, ChoiceOfK
from .silhouettes import mean_silhouettes

# The silhouette compares all pairs of rows; of more rows than this, it takes a random sample of this size.
MOST_PAIRED = 10_000
# Sets of even rows, and bootstrap samples, have no more rows than this: 40 of them for 2 to 10 clusters of 1e5 x 8 took 47 s of
# processor time with all rows, and 9 s with these; what they tell is an average, and whether it is clear of chance.
MOST_DRAWN = 10_000
# Ctrl-C has to wait for a call of NumPy, so each call gets a part of the work: PIECE numbers to sort or to draw, which takes some
# 10 ms on one core of a virtual machine, or a matrix whose rows times (features + 8) squared are DECOMPOSED, which takes 40 ms.
PIECE, DECOMPOSED = 1 << 20, 1 << 25
# The greatest number of clusters that is tried by default.
MOST_TRIED = 10


@usual
def choose_k(
    X: ArrayLike,
    n_clusters: Iterable[int] | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    n_init: int | Literal["auto"] = "auto",
    n_references: int = 20,
    n_resamples: int = 20,
    certify: bool = False,
    time_limit: float | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_threads: int | None = None,
    progress: Callable[[str], object] | None = None,
) -> ChoiceOfK:
    """What eight criteria say about the number of clusters, side by side; they often disagree, and then there is no one answer.

    ===================== =================================================================================================
    gap                   How much less log(inertia) is than for rows spread evenly over the box of the principal components
                          [1]_. Suggested: the first k that the next does not beat by more than a standard error.
    silhouette            How much nearer rows are to their own cluster than to the next, by all pairs [2]_. The highest; from
                          2 on. Of more than 10,000 rows, 10,000 drawn at random are judged.
    simplified_silhouette The same by distances to centers [3]_. The highest; from 2 on.
    calinski_harabasz     Variance between clusters over variance within [4]_. The highest; from 2 on.
    davies_bouldin        How wide clusters are, by how far apart [5]_. The lowest; from 2 on.
    bic                   Of the mixture of spherical Gaussians of one variance, `SphericalMixture` from the centers [6]_. The
                          lowest.
    pham                  f(K): the inertia by that which k - 1 clusters lead to expect of even rows [7]_; in one feature the
                          expectation is exact. The lowest; below 0.85 it is worth a look.
    stability             Mean adjusted Rand index with the clusterings of bootstrap samples [8]_. The highest, of equal ones the
                          last; from 2 on.
    ===================== =================================================================================================

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Finite real numbers. Bring features to one scale first if they have different units.
    n_clusters : iterable of int or None, default=None
        The numbers to try, such as ``range(2, 11)``; None for 1 to 10, or to the number of rows.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights of the rows, at least 0, as in `KMeans`. They count in the clusterings and in gap, simplified_silhouette, bic
        and pham. The measures of scikit-learn (silhouette, calinski_harabasz, davies_bouldin, and the Rand index of
        stability) know no weights: they count each row of positive weight once.
    n_init : "auto" or int, default="auto"
        Restarts of each clustering, as in `KMeans`.
    n_references : int, default=20
        Sets of even rows, 10,000 at most in each, for the gap. 0 leaves it out.
    n_resamples : int, default=20
        Bootstrap samples, of 10,000 draws at most, for the stability. 0 leaves it out.
    certify : bool, default=False
        Whether to prove, too, how far each clustering can be from the best one (`ckmeans.certify`). Where the proof finds a
        better clustering, that is judged.
    time_limit : float or None, default=None
        Seconds for all. Half of what is left goes to proofs. Without a limit each proof has 60 seconds.
    random_state : int, RandomState instance or None, default=None
    n_threads : int or None, default=None
        As in `KMeans`; the result has the same bits for every number.
    progress : callable(text) or None, default=None
        Called with what is being done.

    Returns
    -------
    ChoiceOfK
        When the time is up or on Ctrl-C, which is not raised again, with what was known until then; NaN stands for the rest.

    Raises
    ------
    ValueError, TypeError
        For data and parameters that are not as described; the message tells which, and the remedy.
    KeyboardInterrupt
        On Ctrl-C before anything was known.

    See Also
    --------
    natural_breaks : Choice by BIC among optimal classes of one feature.

    References
    ----------
    .. [1] Tibshirani, Walther, Hastie (2001). Estimating the number of clusters in a data set via the gap statistic.
       J. Royal Statistical Society B 63(2). doi:10.1111/1467-9868.00293
    .. [2] Rousseeuw (1987). Silhouettes. J. Computational and Applied Mathematics 20. doi:10.1016/0377-0427(87)90125-7
    .. [3] Vendramin, Campello, Hruschka (2010). Relative clustering validity criteria. Statistical Analysis and Data Mining
       3(4). doi:10.1002/sam.10080
    .. [4] Calinski, Harabasz (1974). A dendrite method for cluster analysis. Communications in Statistics 3(1).
       doi:10.1080/03610927408827101
    .. [5] Davies, Bouldin (1979). A cluster separation measure. IEEE Transactions on Pattern Analysis and Machine
       Intelligence 1(2). doi:10.1109/TPAMI.1979.4766909
    .. [6] Schwarz (1978). Estimating the dimension of a model. Annals of Statistics 6(2). doi:10.1214/aos/1176344136
    .. [7] Pham, Dimov, Nguyen (2005). Selection of K in K-means clustering. J. Mechanical Engineering Science 219(1).
       doi:10.1243/095440605X8298
    .. [8] Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis 52(1).
       doi:10.1016/j.csda.2006.11.025

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import choose_k
    >>> choice = choose_k(load_iris().data, range(2, 7), random_state=0)
    >>> choice.suggested["silhouette"], choice.suggested["calinski_harabasz"]
    (2, 3)
    >>> print(choice)  # doctest: +SKIP
    """
    X = check_matrix(X)
    weights = check_weights(sample_weight, len(X))
    rows = slice(None) if weights is None else weights > 0
    n_rows = len(X[rows])
    study = _Study(X, rows, weights, _check_range(n_clusters, n_rows))
    study.n_init = check_whole("n_init", n_init, 1, word="auto")
    study.n_threads = check_whole("n_threads", n_threads, 1, none=True)
    study.random = check_random_state(random_state)
    study.progress = progress or (lambda text: None)
    check_number("time_limit", time_limit, none=True)
    study.deadline = math.inf if time_limit is None else monotonic() + time_limit
    n_references = check_whole("n_references", n_references, 0)
    n_resamples = check_whole("n_resamples", n_resamples, 0)
    certify = check_flag("certify", certify)
    try:
        for k in study.fitted:
            study.fit(k, certify)
        study.silhouettes()
        for draw in range(max(n_references, n_resamples)):  # by turns: both get their share of the time
            if draw < n_references:
                study.progress(f"even rows: set {draw + 1} of {n_references}")
                study.refer()
            if draw < n_resamples:
                study.progress(f"bootstrap: sample {draw + 1} of {n_resamples}")
                study.resample()
    except Expired:
        study.stop_reason = "time_limit"
    except KeyboardInterrupt:
        if not study.models:
            raise
        study.stop_reason = "interrupted"
    return study.result()


def _check_range(n_clusters, n_rows):
    if n_clusters is None:
        return list(range(1, min(MOST_TRIED, n_rows) + 1))
    if isinstance(n_clusters, (str, bytes)) or not isinstance(n_clusters, Iterable):
        raise TypeError(f"n_clusters={n_clusters!r} is no range: give several numbers, such as range(2, 11).")
    wanted = sorted({check_n_clusters(k, n_rows) for k in n_clusters})
    if not wanted:
        raise ValueError("n_clusters is empty: give several numbers, such as range(2, 11).")
    return wanted


def _power(X):
    """The power of two next to the largest magnitude."""
    return math.ldexp(1.0, math.frexp(float(np.abs(X).max()))[1])


class _Study:
    """The clusterings, and what is known of them."""

    def __init__(self, X, rows, weights, wanted):
        self.given, self.rows, self.weights, self.wanted = X, rows, weights, wanted
        self.unit = unit_of(X)  # of inertias that are neither infinite nor zero
        self.X = np.ldexp(X, -self.unit) if self.unit else X
        self.fitted = sorted({k - 1 for k in wanted if k > 1} | set(wanted))  # f(K) asks for the one before
        self.models, self.labels, self.certified, self.values = {}, {}, {}, {}
        self.log_references, self.likeness = [], []  # of each draw, a value for each k
        self.stop_reason, self.notes = "complete", []
        # The measures do not depend on the origin and on the scale: centered and scaled, they lose no digits.
        some, self.row_weights = self.X[rows], None if weights is None else weights[rows]
        sizes = [_power(some)]
        some = some / sizes[0]
        self.origin = np.average(some, axis=0, weights=self.row_weights)
        sizes.append(_power(some - self.origin))
        self.sizes, self.log_unit = sizes, math.log(sizes[0]) + math.log(sizes[1])
        self.scaled = self.scale(self.X)[rows]
        self.box = None
        self.judged = set()  # numbers of clusters that leave some rows together

    def scale(self, X):
        """Rows, or centers, in other units."""
        return (X / self.sizes[0] - self.origin) / self.sizes[1]

    def left(self):
        """Seconds until the time is up, None without a limit.

        Raises
        ------
        Expired
        """
        if self.deadline == math.inf:
            return None
        if (seconds := self.deadline - monotonic()) <= 0:
            raise Expired
        return seconds

    def cluster(self, k, X, weights, **given):
        """The best clustering.

        Raises
        ------
        Expired
            If it could not be finished.
        """
        given = {"n_init": self.n_init, "random_state": self.random.randint(2**31)} | given
        model = KMeans(k, n_threads=self.n_threads, max_seconds=self.left(), **given)
        with warnings.catch_warnings():  # fewer different rows than clusters: the curve shows it
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, sample_weight=weights)
        if model.stop_reason_ == "time_limit":
            raise Expired
        return model

    def fit(self, k, certify):
        """The clustering into k, the proof, and the measures."""
        self.progress(format_plural(k, "cluster"))
        check_room()
        model = self.cluster(k, self.X, self.weights)
        if certify and k in self.wanted:
            model = self.certify(k, model)
        self.models[k], self.labels[k] = model, model.labels_
        if k in self.wanted:
            self.measure(k, model)

    def certify(self, k, model):
        """The proof; the model, or the one that the proof found to be better."""
        self.progress(f"{format_plural(k, 'cluster')}: proof")
        n_left = sum(other >= k for other in self.wanted)
        limit = 60.0 if self.deadline == math.inf else self.left() / 2 / n_left
        found = prove(
            self.given,
            model.labels_,
            n_clusters=k,
            sample_weight=self.weights,
            time_limit=limit,
            random_state=self.random.randint(2**31),
            n_threads=self.n_threads,
        )
        self.certified[k] = found.better or found
        if found.stop_reason == "interrupted":
            self.models[k], self.labels[k] = model, model.labels_
            raise KeyboardInterrupt
        if found.better is None:
            return model
        means = found.better.problem.exact.centers(found.better.labels)
        some = next(iter(means.values()))
        init = np.ldexp(np.array([means.get(c, some) for c in range(k)]), -self.unit)
        return self.cluster(k, self.X, self.weights, init=init, n_init=1)

    def measure(self, k, model):
        """What a clustering tells by itself, where that is defined."""
        values, labels, n_rows = self.values.setdefault(k, {}), model.labels_[self.rows], len(self.scaled)
        if len(np.unique(labels)) < k or k == n_rows:
            return
        self.judged.add(k)
        self.left()
        perfect = model.inertia_ == 0
        values["bic"] = -math.inf if perfect else self.bic(k, model)
        if k == 1:
            return
        distances = model.transform(self.X[self.rows])
        for start, stop in split(n_rows, max(1, PIECE // k)):
            distances[start:stop].partition(1, axis=1)
        shares = 1 - distances[:, 0] / np.maximum(distances[:, 1], np.finfo(float).tiny)
        values["simplified_silhouette"] = np.average(shares, weights=self.row_weights)
        values["calinski_harabasz"] = math.inf if perfect else calinski_harabasz_score(self.scaled, labels)
        values["davies_bouldin"] = davies_bouldin_score(self.scaled, labels)

    def silhouettes(self):
        """By all pairs of the rows, or of a sample of them, whose distances are computed once for all numbers of clusters."""
        n_rows, X, labels = len(self.scaled), self.scaled, {}
        paired = slice(None)
        if n_rows > MOST_PAIRED:
            paired = np.sort(self.random.choice(n_rows, MOST_PAIRED, replace=False))
            X = X[paired]
            self.notes.append(f"silhouette: of {MOST_PAIRED:,} of the {n_rows:,} rows, drawn at random.")
        for k in sorted(self.judged - {1}):
            own = np.unique(self.labels[k][self.rows][paired], return_inverse=True)[1]
            if 1 < own.max() + 1 < len(X):
                labels[k] = own
        for k, value in mean_silhouettes(X, labels, self.left).items():
            self.values[k]["silhouette"] = value

    def bic(self, k, model):
        """Of the mixture that EM finds from the centers."""
        mixture = SphericalMixture(
            k,
            variance="tied",
            init=self.scale(model.cluster_centers_),
            max_seconds=self.left(),
            n_threads=self.n_threads,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # which changes a BIC by next to nothing
            mixture.fit(self.scaled, sample_weight=self.row_weights)
        if mixture.stop_reason_ == "time_limit":
            raise Expired
        total = len(self.scaled) if self.weights is None else self.row_weights.sum()
        in_units_of_X = 2 * total * self.X.shape[1] * (self.log_unit + self.unit * math.log(2))
        return (
            math.nan if mixture.n_collapsed_ else mixture.bic(self.scaled, self.row_weights) + in_units_of_X
        )

    def refer(self):
        """Cluster even rows in the box of the principal components, whose rotation changes no distance."""
        if self.box is None:
            self.box = self.principal_box()
        n_rows, weights, share = len(self.scaled), self.row_weights, 1.0
        even = np.empty((min(n_rows, MOST_DRAWN), len(self.box[0])))
        for start, stop in split(len(even), max(1, PIECE // even.shape[1])):
            even[start:stop] = self.random.uniform(*self.box, size=(stop - start, even.shape[1]))
        if len(even) < n_rows:
            share = len(even) / n_rows
            if weights is not None:
                weights = weights[self.random.choice(n_rows, len(even), replace=False)]
                share = weights.sum() / self.row_weights.sum()
        found = [self.cluster(k, even, weights).inertia_ for k in self.wanted]
        with np.errstate(divide="ignore"):
            self.log_references.append(np.log(found) - math.log(share))

    def principal_box(self):
        """Least and greatest coordinates of the rows along their principal axes."""
        n_rows, d = self.scaled.shape
        blocks = split(n_rows, max(2 * d, DECOMPOSED // (d + 8) ** 2))
        weighted = self.scaled if self.weights is None else self.scaled * np.sqrt(self.row_weights)[:, None]
        if len(blocks) > 1:  # the triangle that remains block after block has the same singular vectors
            triangle = weighted[:0]
            for start, stop in blocks:
                self.left()
                triangle = np.linalg.qr(np.concatenate([triangle, weighted[start:stop]]), mode="r")
            weighted = triangle
        axes = np.linalg.svd(weighted, full_matrices=False)[2].T
        turned = [self.scaled[start:stop] @ axes for start, stop in blocks]
        least, greatest = (f([f(part, axis=0) for part in turned], axis=0) for f in (np.min, np.max))
        return least, greatest

    def resample(self):
        """Cluster a bootstrap sample, and compare."""
        n_rows, X, some = len(self.scaled), self.scaled, slice(None)
        drawn = self.random.multinomial(min(n_rows, MOST_DRAWN), np.full(n_rows, 1 / n_rows)).astype(float)
        weights = drawn if self.weights is None else drawn * self.row_weights
        if n_rows > MOST_DRAWN:
            some = np.flatnonzero(drawn)
            X, weights = X[some], weights[some]
        alike = []
        for k in self.wanted:
            if k > 1 and k in self.judged:
                labels = self.cluster(k, X, weights).labels_
                alike.append(adjusted_rand_score(self.labels[k][self.rows][some], labels))
            else:
                alike.append(math.nan)
        self.likeness.append(alike)

    # ---- What it comes to

    def result(self):
        wanted = np.array(self.wanted)
        inertia = {k: model.inertia_ for k, model in self.models.items()}
        costs = np.array([inertia.get(k, math.nan) for k in self.wanted])
        gap, gap_spread = self.gap(costs)
        with np.errstate(over="ignore", under="ignore"):
            shown = np.ldexp(costs, 2 * self.unit) if self.unit else costs
        if (np.isinf(shown) | (shown == 0) & (costs > 0)).any():
            self.notes.append(
                "Some inertias are beyond the range of floats; the criteria were computed in other units."
            )
        likeness = np.array(self.likeness).reshape(-1, len(wanted))
        criteria = {
            name: np.array([self.values.get(k, {}).get(name, math.nan) for k in self.wanted], float)
            for name in CRITERIA
        } | {
            "gap": gap,
            "pham": self.pham(inertia),
            "stability": likeness.mean(axis=0) if len(likeness) else np.full(len(wanted), math.nan),
        }
        suggested = {
            name: k for name in CRITERIA if (k := self.suggest(name, criteria[name], gap_spread)) is not None
        }
        if self.weights is not None:
            self.notes.append(
                "Weights: silhouette, Calinski-Harabasz, Davies-Bouldin and stability count each row of positive weight once."
            )
        if len(self.scaled) > MOST_DRAWN and (self.log_references or self.likeness):
            self.notes.append(f"gap, stability: each draw is of {MOST_DRAWN:,} rows.")
        if np.isfinite(gap).any() and "gap" not in suggested:
            self.notes.append(f"gap: still grows at {wanted[-1]} clusters; more may be needed.")
        if len(trivial := [k for k in self.models if len(np.unique(self.labels[k])) < k]):
            self.notes.append(f"There are fewer different rows than {trivial[0]} clusters.")
        if self.stop_reason != "complete":
            why = "interrupted" if self.stop_reason == "interrupted" else "the time limit"
            self.notes.append(
                f"Not complete: {why}. What is missing, or rests on fewer draws, was not reached."
            )
        likeness_spread = likeness.std(axis=0) if len(likeness) else np.full(len(wanted), math.nan)
        return ChoiceOfK(
            n_clusters=wanted,
            inertia=shown,
            criteria=criteria,
            suggested=suggested,
            spread={"gap": gap_spread, "stability": likeness_spread},
            labels={k: self.labels[k] for k in self.wanted if k in self.labels},
            certified=self.certified,
            stop_reason=self.stop_reason,
            notes=tuple(self.notes),
        )

    def gap(self, costs):
        """The gap statistic and its standard errors; the references are clustered in other units than the rows."""
        if not self.log_references:
            return np.full((2, len(costs)), math.nan)
        references = np.array(self.log_references)
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = references.mean(axis=0) - np.log(costs) + 2 * self.log_unit
            spread = references.std(axis=0) * math.sqrt(1 + 1 / len(references))
        judged = [k in self.judged for k in self.wanted]
        return np.where(judged, gap, math.nan), np.where(judged, spread, math.nan)

    def pham(self, inertia):
        """f(K) by equations (2) and (3) of Pham et al.; of one feature ((k - 1) / k)**2, to which (3) is close, in place of (3)."""
        n_features, factor, known = self.X.shape[1], {}, {1: 1.0 if 1 in inertia else math.nan}
        for k in range(2, max(self.wanted) + 1):
            before = factor.get(k - 1)
            factor[k] = 1 - 3 / (4 * n_features) if k == 2 else before + (1 - before) / 6
            expected = inertia.get(k - 1, math.nan) * (((k - 1) / k) ** 2 if n_features == 1 else factor[k])
            few = k >= len(self.scaled) or k in self.labels and len(np.unique(self.labels[k])) < k
            known[k] = math.nan if few or k not in inertia or not expected else inertia[k] / expected
        return np.array([known[k] for k in self.wanted])

    def suggest(self, name, values, gap_spread):
        """The number of clusters that a criterion is for, None if there is none."""
        better = CRITERIA[name].better
        if better == "first":
            for i in range(len(values) - 1):
                if values[i] == math.inf or values[i] >= values[i + 1] - gap_spread[i + 1]:
                    return self.wanted[i]
            return None
        known = [(value, k) for value, k in zip(values.tolist(), self.wanted) if not math.isnan(value)]
        if not known:
            return None
        if better == "low":
            return min(known)[1]
        best = max(known)[0]
        ks = [k for value, k in known if value == best]
        return ks[-1] if name == "stability" else ks[0]
