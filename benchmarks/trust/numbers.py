"""Numbers: labels, costs and steps against exact arithmetic."""

from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array
from sklearn import cluster, mixture

from ckmeans import (
    ExactKMeans,
    KMeans,
    SphericalKMeans,
    SphericalMixture,
    certify,
    choose_k,
    exhaustive_search,
    landscape,
    natural_breaks,
    reference,
)

from .rows import given_or_refused, row, same_partition

ALGORITHMS = ("lloyd", "hamerly", "yinyang", "auto")


def wrong_labels(X, labels, centers):
    """Rows for which another center is strictly nearer than that of their label."""
    whole = [[Fraction(float(v)) for v in center] for center in centers]
    wrong = 0
    for x, label in zip(X, labels):
        own = [Fraction(float(v)) for v in x]
        sq_distances = [sum((a - b) ** 2 for a, b in zip(own, center)) for center in whole]
        wrong += min(sq_distances) < sq_distances[label]
    return wrong


def blobs(rng, n, d, k, dtype=float):
    """Rows around k centers, some of them near to each other."""
    return (rng.normal(size=(k, d))[rng.integers(k, size=n)] * 2 + rng.normal(size=(n, d))).astype(dtype)


def _labels_row(tally, X, k, what, to_rows=lambda X: X):
    """Labels of fit and of predict, ours and theirs, each with its own centers."""
    told = []
    for own in (KMeans, cluster.KMeans):
        model = own(k, n_init=1, random_state=0, max_iter=20).fit(to_rows(X))
        told.append(
            sum(
                wrong_labels(X, labels, model.cluster_centers_)
                for labels in (model.labels_, model.predict(to_rows(X)))
            )
        )
    tally.add(*told, what, cases=2 * len(X))


@row("labels are the exact nearest centers: offsets of 1e8 to 1e12, 1e4 and 1e5 in float32", 60, 5)
def offsets(tally, rng, n):
    for at in range(n):
        offset, dtype = [(1e8, float), (1e9, float), (1e12, float), (1e4, np.float32), (1e5, np.float32)][
            at % 5
        ]
        X = (blobs(rng, 300, 4, 6) + offset).astype(dtype)
        _labels_row(tally, X, 6, f"offset {offset:g} in {np.dtype(dtype)}")


@row("the same of sparse rows", 30, 3)
def offsets_of_sparse_rows(tally, rng, n):
    for at in range(n):
        X = np.where(rng.random((300, 6)) < (0.4, 1.0)[at % 2], blobs(rng, 300, 6, 5) + 1e8, 0.0)
        _labels_row(tally, X, 5, "sparse", csr_array)


@row("the same where features differ by 2**1000", 30, 3)
def features_far_apart(tally, rng, n):
    for _ in range(n):
        X = blobs(rng, 200, 3, 4) * [2.0**-500, 1.0, 2.0**500]
        _labels_row(tally, X, 4, "features of 2**-500 to 2**500")


@row("labels by angle are exact, rows of length 1e-150 to 1e150", 40, 4)
def cosine(tally, rng, n):
    for _ in range(n):
        X = blobs(rng, 150, 3, 4) * 10.0 ** rng.uniform(-150, 150, (150, 1))
        model = SphericalKMeans(4, n_init=1, random_state=0).fit(X)
        centers = [[Fraction(float(v)) for v in center] for center in model.cluster_centers_]
        wrong = 0
        for x, label in zip(X, model.labels_):
            inner = [sum(Fraction(float(a)) * b for a, b in zip(x, center)) for center in centers]
            # The cosine without its root, by sign and square.
            cosines = [v * abs(v) / sum(c * c for c in center) for v, center in zip(inner, centers)]
            wrong += max(cosines) > cosines[label]
        tally.add(wrong, None, "by angle", cases=len(X))


@row("two far groups, begun at the optimum: it stays", 40, 4)
def two_far_groups(tally, rng, n):
    for at in range(n):
        dtype, far = ((float, 1e9), (np.float32, 1e5))[at % 2]
        side = np.repeat([-far, far], 200)[:, None]
        inner = np.tile(np.repeat([-1.0, 1.0], 100), 2)[:, None]
        X = (side + inner + rng.normal(size=(400, 2)) * 0.01).astype(dtype)
        truth = np.repeat(np.arange(4), 100)
        start = np.array([X[truth == j].astype(float).mean(axis=0) for j in range(4)]).astype(dtype)
        left = [
            not same_partition(own(4, init=start, n_init=1).fit(X).labels_, truth)
            for own in (KMeans, cluster.KMeans)
        ]
        tally.add(*left, f"{np.dtype(dtype)} {far:g}")


@row("the exact objective never rises from one iteration to the next", 10_000, 300)
def never_rises(tally, rng, n):
    for _ in range(n):
        size, d, k = rng.integers(8, 30), rng.integers(1, 4), rng.integers(2, 5)
        far = rng.choice([0.0, 1.0, 1e6, 1e9])
        X = rng.normal(size=(size, d)) + far * rng.choice([-1.0, 1.0], (size, 1))
        start = X[rng.choice(size, k, replace=False)]
        rises = []
        for own in (KMeans, cluster.KMeans):
            centers, before, risen = start, None, False
            for _ in range(6):
                model = own(k, init=centers, n_init=1, max_iter=1, tol=0).fit(X)
                centers = model.cluster_centers_
                cost = reference.inertia(X, reference.assign(X, centers), centers)
                # The means are rounded to floats: by that much, and no more, a cost may seem to rise.
                slack = Fraction(float(np.abs(X).max())) ** 2 * size * d * Fraction(1, 2**100)
                risen = risen or before is not None and cost > before * (1 + Fraction(1, 2**50)) + slack
                before = cost
            rises.append(risen)
        tally.add(*rises, f"{size} x {d}, k={k}, {far:g}")


@row("inertia_ is that of labels_ and cluster_centers_, within 1e-12", 300, 30)
def inertia(tally, rng, n):
    for at in range(n):
        X = blobs(rng, 150, 3, 4) + [0.0, 1e6, 1e8][at % 3]
        off = []
        for own in (KMeans, cluster.KMeans):
            model = own(4, n_init=1, random_state=0, max_iter=3).fit(X)
            exact = reference.inertia(X, model.labels_, model.cluster_centers_)
            off.append(abs(Fraction(float(model.inertia_)) - exact) > exact * Fraction(1, 10**12))
        tally.add(*off, f"offset {[0.0, 1e6, 1e8][at % 3]:g}")


def rounded_lloyd(X, centers):
    """Lloyd's iteration with exact distances and means that are rounded to the nearest float."""
    labels = None
    while True:
        new = reference.assign(X, centers)
        if new == labels:
            return labels
        labels = new
        means = reference.update(X, labels, len(centers))
        centers = [old if own is None else [float(v) for v in own] for own, old in zip(means, centers)]


@row("integer grids with ties: the reference's labels, by every algorithm", 10_000, 200)
def grids(tally, rng, n):
    for _ in range(n // len(ALGORITHMS)):
        X = rng.integers(0, 8, size=(40, 2)).astype(float)
        distinct = np.unique(X, axis=0)
        start = distinct[rng.choice(len(distinct), 4, replace=False)]
        labels = rounded_lloyd(X, start.tolist())
        if len(set(labels)) < 4:  # what to do without rows is a matter of taste
            continue
        for algorithm in ALGORITHMS:
            options = {"init": start, "n_init": 1}
            own = KMeans(4, algorithm=algorithm, polish=False, **options).fit(X).labels_.tolist()
            theirs = None
            if algorithm in ("lloyd", "hamerly"):
                name = "lloyd" if algorithm == "lloyd" else "elkan"
                model = cluster.KMeans(4, algorithm=name, tol=0, **options).fit(X)
                theirs = model.labels_.tolist() != labels
            tally.add(own != labels, theirs, algorithm)


ENTRIES = {
    "KMeans": lambda X: KMeans(3, random_state=0).fit(X).labels_,
    "KMeans of many rows": lambda X: KMeans(3, random_state=0).fit(np.tile(X, (150, 1))).labels_[: len(X)],
    "ExactKMeans": lambda X: ExactKMeans(3, random_state=0, time_limit=20).fit(X).labels_,
    "SphericalMixture": lambda X: SphericalMixture(3, variance="tied", random_state=0).fit(X).labels_,
    "SphericalKMeans": lambda X: SphericalKMeans(3, random_state=0).fit(X).labels_,
    "certify": lambda X: certify(X, n_clusters=3, random_state=0, time_limit=20).labels,
    "landscape": lambda X: landscape(X, 3, 20, random_state=0).labels[0],
    "exhaustive_search": lambda X: exhaustive_search(X[:12], 3).labels,
    "natural_breaks": lambda X: natural_breaks(X[:, 0], 3).labels,
    "choose_k": lambda X: choose_k(X, [2, 3], n_references=2, n_resamples=2, random_state=0).labels[3],
}
THEIRS = {
    "KMeans": lambda X: cluster.KMeans(3, n_init=10, random_state=0).fit(X).labels_,
    "SphericalMixture": lambda X: (
        mixture.GaussianMixture(3, covariance_type="spherical", random_state=0).fit(X).predict(X)
    ),
}


@row(
    "scales of 2**-1000 to 2**1000: the clusters of scale 1, or a documented error, by every entry point",
    81,
    9,
)
def scales(tally, rng, n):
    X = np.repeat([[1.0, 5.0], [5.0, 1.0], [9.0, 9.0]], 9, axis=0) + rng.normal(size=(27, 2)) * 0.2
    right = {name: call(X) for name, call in ENTRIES.items()}
    for power in np.unique(np.linspace(-1000, 1000, n).astype(int)):
        scaled = np.ldexp(X, power)
        for name, call in ENTRIES.items():
            wrong = []
            for own in (call, THEIRS.get(name)):
                found = None if own is None else given_or_refused(lambda own=own, X=scaled: own(X))
                refused = isinstance(found, Exception)
                wrong.append(None if own is None else not refused and not same_partition(found, right[name]))
            tally.add(*wrong, f"{name}, 2**{power}")


@row("integers beyond 2**53, weights of 1e-320 and 1e300: exact or refused", 40, 5)
def beyond_floats(tally, rng, n):
    for _ in range(n):
        whole = (
            2**53 + np.array([0, 1, 2, 1000, 1001, 1002], np.int64)[:, None] + int(rng.integers(0, 100)) * 2
        )
        found = given_or_refused(lambda X=whole: KMeans(6, random_state=0).fit(X))
        theirs = given_or_refused(lambda X=whole: cluster.KMeans(6, n_init=10, random_state=0).fit(X))
        merged = [
            not isinstance(own, Exception) and len(set(own.labels_.tolist())) < 6 for own in (found, theirs)
        ]
        tally.add(*merged, "integers beyond 2**53 are one")
        X = blobs(rng, 60, 2, 3)
        for weight in (1e-320, 1e300):
            bad = []
            for own in (KMeans, cluster.KMeans):
                equal = np.full(60, weight)
                model = given_or_refused(
                    lambda own=own, X=X, w=equal: own(3, n_init=1).fit(X, sample_weight=w)
                )
                fine = isinstance(model, Exception) or np.isfinite(model.cluster_centers_).all()
                bad.append(not fine)
            tally.add(*bad, f"weights of {weight:g}")


@row("rows times clusters beyond 2**31, which 32 bits do not count: the nearest centers", 2, 1)
def beyond_32_bits(tally, rng, n):
    for at in range(n):
        k, dtype = 33_000, (float, np.float32)[at % 2]
        # Whole and even numbers: what is halfway between two is a float, and ties go to the lower one.
        centers = 2.0 * np.sort(rng.choice(2**22, k, replace=False))[:, None]
        X = rng.integers(0, 2**23, (66_000, 1)).astype(dtype)
        model = KMeans(k, init=centers, n_init=1, max_iter=1, polish=False).fit(centers.astype(dtype))
        right = np.searchsorted((centers[1:, 0] + centers[:-1, 0]) / 2, X[:, 0].astype(float))
        tally.add((model.predict(X) != right).sum(), None, f"{np.dtype(dtype)}", cases=len(X))
