"""Inputs: the same rows in other memory and other containers, copies and absent rows."""

import tempfile
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix

from ckmeans import ExactKMeans, KMeans, SphericalMixture, certify, exhaustive_search, landscape

from .rows import given_or_refused, row, same_partition

ENTRIES = {
    "KMeans": lambda X: KMeans(3, random_state=0).fit(X).labels_,
    "predict": lambda X: KMeans(3, random_state=0).fit(np.array(X)).predict(X),
    "ExactKMeans": lambda X: ExactKMeans(3, random_state=0).fit(X).labels_,
    "SphericalMixture": lambda X: SphericalMixture(3, random_state=0).fit(X).labels_,
    "certify": lambda X: certify(X, n_clusters=3, random_state=0).labels,
    "landscape": lambda X: landscape(X, 3, 20, random_state=0).labels[0],
    "exhaustive_search": lambda X: exhaustive_search(X, 3).labels,
}


def three(rng, n=15):
    """Rows of whole numbers in three groups, so that every type holds them exactly."""
    centers = rng.permutation([[0, 30], [40, 0], [90, 90]])
    return (centers[np.arange(n) % 3] + rng.integers(-4, 5, (n, 2))).astype(float)


def memory_mapped(X):
    path = Path(tempfile.mkdtemp()) / "x.npy"
    np.save(path, X)
    return np.load(path, mmap_mode="r")


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def unaligned(X):
    raw = np.zeros(X.nbytes + 1, np.uint8)
    own = raw[1:].view(X.dtype).reshape(X.shape)
    own[...] = X
    return own


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "read-only": read_only,
    "memory-mapped": memory_mapped,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every other column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "from the end": lambda X: X[::-1].copy()[::-1],
    "big-endian": lambda X: X.astype(">f8"),
    "unaligned": unaligned,
    "integers": lambda X: X.astype(np.int16),
    "lists": lambda X: X.tolist(),
    "objects": lambda X: X.astype(object),
}


@row("twelve memory layouts by every entry point: the same labels", 10, 1)
def layouts(tally, rng, n):
    for _ in range(n):
        X = three(rng)
        for name, call in ENTRIES.items():
            right = call(X)
            for layout, change in LAYOUTS.items():
                found = given_or_refused(lambda call=call, change=change, X=X: call(change(X)), (Exception,))
                wrong = isinstance(found, Exception) or not np.array_equal(found, right)
                tally.add(wrong, None, f"{name}, {layout}")


def containers():
    """Names of containers and how to fill them, of the packages that are there."""
    from importlib import import_module
    from importlib.util import find_spec

    known = {
        "csr_array": csr_array,
        "csr_matrix": csr_matrix,
        "csc_array": csc_array,
        "coo_array": coo_array,
        "masked array": np.ma.masked_array,
    }
    others = {
        "pandas": lambda own: lambda X: own.DataFrame(X, columns=["a", "b"]),
        "polars": lambda own: lambda X: own.DataFrame(X, schema=["a", "b"], orient="row"),
        "pyarrow": lambda own: lambda X: own.table({"a": X[:, 0], "b": X[:, 1]}),
        "dask.array": lambda own: lambda X: own.from_array(X, chunks=(5, 2)),
        "xarray": lambda own: lambda X: own.DataArray(X),
    }
    for name, make in others.items():
        if find_spec(name.partition(".")[0]):
            known[name] = make(import_module(name))
    if "pandas" in known:
        pandas = import_module("pandas")
        known["sparse frame"] = lambda X: pandas.DataFrame(X).astype(pandas.SparseDtype(float))
        known["frame of texts"] = lambda X: pandas.DataFrame(X).astype(str) + " EUR"
        known["frame of dates"] = lambda X: pandas.DataFrame(X).astype("datetime64[s]")
    return known


@row("containers: the labels of the array, or refused by a ValueError or TypeError", 5, 1)
def kinds_of_container(tally, rng, n):
    for _ in range(n):
        X = three(rng)
        for name, call in ENTRIES.items():
            right = call(X)
            for kind, fill in containers().items():
                try:
                    found = given_or_refused(lambda call=call, fill=fill, X=X: np.asarray(call(fill(X))))
                except Exception as error:
                    tally.add(True, None, f"{name}, {kind}: {type(error).__name__}: {error}")
                    continue
                refused = isinstance(found, Exception)
                tally.add(not refused and not np.array_equal(found, right), None, f"{name}, {kind}")


# Without `polish`: a copy moves alone, a row with all of its weight.
@row("copies of a row do what its weight does; a weight of zero does what absence does", 300, 30)
def weights(tally, rng, n):
    for _ in range(n):
        X = rng.normal(size=(20, 2)) + 3 * rng.integers(0, 2, (20, 2))
        counts = rng.integers(0, 4, 20)
        counts[:3] = 1
        copies, present = np.repeat(X, counts, axis=0), counts > 0
        for name, solve in (
            ("ExactKMeans", lambda X, w=None: ExactKMeans(3, random_state=0).fit(X, sample_weight=w)),
            (
                "KMeans",
                lambda X, w=None, c=X[:3]: KMeans(3, init=c, n_init=1, polish=False).fit(X, sample_weight=w),
            ),
        ):
            weighted, copied = solve(X, counts.astype(float)), solve(copies)
            without = solve(X[present], counts[present].astype(float))
            same = np.array_equal(weighted.labels_[present], without.labels_)
            same &= np.array_equal(np.repeat(weighted.labels_, counts), copied.labels_)
            same &= abs(weighted.inertia_ - copied.inertia_) <= 1e-12 * copied.inertia_
            tally.add(not same, None, name)


@row("more clusters than distinct rows: no crash, no empty promise", 100, 10)
def few_distinct_rows(tally, rng, n):
    for _ in range(n):
        X = np.repeat(rng.normal(size=(3, 2)), 5, axis=0)
        model = given_or_refused(lambda X=X: KMeans(5, random_state=0).fit(X))
        wrong = isinstance(model, Exception) or model.inertia_ != 0
        tally.add(wrong or not same_partition(model.labels_, np.repeat(np.arange(3), 5)), None, "KMeans")
