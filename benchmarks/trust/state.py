"""State: what fails leaves everything as it was, and what is set by hand is looked at before it is used."""

import pickle

import numpy as np

from ckmeans import ExactKMeans, KMeans, SphericalKMeans, SphericalMixture

from .rows import given_or_refused, row

ESTIMATORS = {
    "KMeans": lambda: KMeans(3, random_state=0),
    "ExactKMeans": lambda: ExactKMeans(3, random_state=0),
    "SphericalMixture": lambda: SphericalMixture(3, random_state=0),
    "SphericalKMeans": lambda: SphericalKMeans(3, random_state=0),
}
FAILURES = {
    "more clusters than rows": lambda model, X: model.set_params(n_clusters=10**6).fit(X),
    "negative weights": lambda model, X: model.fit(X, sample_weight=-np.ones(len(X))),
    "a gap in another width": lambda model, X: model.fit(np.full((9, 5), np.nan)),
    "infinite": lambda model, X: model.fit(np.full((9, 3), np.inf)),
    "weights of another length": lambda model, X: model.fit(X, sample_weight=np.ones(3)),
    "one dimension": lambda model, X: model.fit(X[:, 0]),
}


@row("a fit that fails leaves the estimator as it was, whole", 5, 1)
def failed_fits(tally, rng, n):
    for _ in range(n):
        X = rng.normal(size=(40, 3))
        for name, make in ESTIMATORS.items():
            for how, fail in FAILURES.items():
                model = make().fit(X)
                before = {key: pickle.dumps(value) for key, value in vars(model).items() if key.endswith("_")}
                found = given_or_refused(lambda model=model, fail=fail, X=X: fail(model, X))
                after = {key: pickle.dumps(value) for key, value in vars(model).items() if key.endswith("_")}
                if not isinstance(found, Exception):
                    if "n_clusters" in model.get_params() or how != "more clusters than rows":
                        tally.add(True, None, f"{name}, {how}: taken")
                    continue
                tally.add(before != after, None, f"{name}, {how}")


SET_BY_HAND = {
    "narrower": lambda rng: np.zeros((3, 2)),
    "wider": lambda rng: np.zeros((3, 9)),
    "none": lambda rng: np.zeros((0, 3)),
    "flat": lambda rng: np.zeros(3),
    "NaN": lambda rng: np.full((3, 3), np.nan),
    "None": lambda rng: None,
    "texts": lambda rng: np.full((3, 3), "a"),
}
TAKEN = {
    "single": lambda rng: rng.normal(size=(3, 3)).astype(np.float32),
    "Fortran": lambda rng: np.asfortranarray(rng.normal(size=(3, 3))),
    "strided": lambda rng: rng.normal(size=(3, 6))[:, ::2],
    "big-endian": lambda rng: rng.normal(size=(3, 3)).astype(">f8"),
    "read-only": lambda rng: np.broadcast_to(rng.normal(size=3), (3, 3)),
}


@row("centers that were set by hand are refused where they do not fit, and used where they do", 20, 2)
def set_by_hand(tally, rng, n):
    for _ in range(n):
        for size in (12, 40_000):
            X = rng.normal(size=(size, 3))
            for how, make in {**SET_BY_HAND, **TAKEN}.items():
                for method in ("predict", "transform", "score"):
                    model = KMeans(3, init=X[:3], n_init=1, max_iter=1).fit(X)
                    model.cluster_centers_ = make(rng)
                    found = given_or_refused(
                        lambda model=model, method=method, X=X: getattr(model, method)(X)
                    )
                    refused = isinstance(found, Exception)
                    tally.add(refused != (how in SET_BY_HAND), None, f"{how}, {method}, {size} rows")
