"""KMeans on sparse arrays of every kind: taken as they are, refused by name, the same results."""

import numpy as np
import pytest
from scipy import sparse

from ckmeans import KMeans, kmeans_plusplus

X = np.round(np.random.default_rng(0).normal(size=(50, 30)), 1) * (
    np.random.default_rng(1).random((50, 30)) < 0.2
)
X[7] = 0


def bits(model):
    return model.labels_.tolist(), model.cluster_centers_.tolist(), model.inertia_, model.n_iter_


def with_zeros_and_duplicates():
    """CSR with entries out of order, in two parts, and explicit zeros."""
    coo = sparse.coo_array(X)
    rows, columns = coo.coords
    data = np.concatenate([coo.data / 2, coo.data / 2, np.zeros(50)])[::-1]
    rows = np.concatenate([rows, rows, np.arange(50)])[::-1]
    columns = np.concatenate([columns, columns, np.arange(50) % 30])[::-1]
    order = np.argsort(rows, kind="stable")
    indptr = np.append(0, np.cumsum(np.bincount(rows, minlength=50)))
    return sparse.csr_array((data[order], columns[order], indptr), shape=X.shape)


def frozen():
    csr = sparse.csr_array(X)
    for part in (csr.data, csr.indices, csr.indptr):
        part.flags.writeable = False
    return csr


def long_indices():
    csr = sparse.csr_array(X)
    csr.indices, csr.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    return csr


KINDS = {
    "matrix": lambda: sparse.csr_matrix(X),
    "int64": long_indices,
    "csc": lambda: sparse.csc_array(X),
    "coo": lambda: sparse.coo_matrix(X),
    "lil": lambda: sparse.lil_array(X),
    "dok": lambda: sparse.dok_array(X),
    "bsr": lambda: sparse.bsr_array(X),
    "read-only": frozen,
    "in disorder": with_zeros_and_duplicates,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_any_kind_gives_the_same_bits(kind):
    expected = KMeans(4, random_state=0).fit(sparse.csr_array(X))
    given = kind()
    before = given.toarray(), given.nnz
    model = KMeans(4, random_state=0, n_threads=2).fit(given, sample_weight=np.ones(50))
    assert bits(model) == bits(expected)
    assert np.array_equal(model.predict(given), model.labels_)
    assert np.array_equal(given.toarray(), before[0]) and given.nnz == before[1]


def test_the_same_bits_for_any_number_of_threads():
    rows = sparse.random_array((3000, 200), density=0.03, rng=np.random.default_rng(0), format="csr")
    found = {str(bits(KMeans(9, random_state=1, n_threads=n_threads).fit(rows))) for n_threads in (1, 2, 3)}
    assert len(found) == 1


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool, np.float32, np.longdouble])
def test_other_types_are_taken_as_numbers(dtype):
    whole = (np.abs(X) * 3).astype(dtype)
    given = {"n_clusters": 3, "init": X[:3], "n_init": 1, "polish": False}
    model, dense = KMeans(**given).fit(sparse.csr_array(whole)), KMeans(**given).fit(whole)
    assert np.array_equal(model.labels_, dense.labels_)
    assert np.allclose(model.cluster_centers_, dense.cluster_centers_, rtol=1e-14)


def test_dense_rows_and_sparse_ones_go_together():
    csr = sparse.csr_array(X)
    model = KMeans(5, random_state=0).fit(csr)
    assert np.array_equal(model.predict(X), model.labels_)
    assert np.allclose(model.transform(csr), model.transform(X), rtol=1e-12, atol=1e-150)
    assert model.score(csr) == pytest.approx(model.score(X), rel=1e-12)
    assert model.score(csr) == pytest.approx(-model.inertia_, rel=1e-12)
    dense = KMeans(5, random_state=0).fit(X)
    assert np.array_equal(dense.predict(csr), dense.labels_)


def broken(part, values):
    csr = sparse.csr_array(np.eye(3))
    setattr(csr, part, np.array(values, np.int32))
    return csr


@pytest.mark.parametrize(
    ("given", "parameters", "message"),
    [
        (sparse.csr_array([[1.0, np.nan], [2, 3]]), {}, r"NaN.*1 of 2 rows: 0"),
        (sparse.csr_array([[1.0, 0], [0, 0], [0, np.inf]]), {}, r"infinity.*1 of 3 rows: 2"),
        (sparse.csr_array([[1j, 0], [2, 3]]), {}, "Complex"),
        (sparse.csr_array(np.array([[2**53 + 1, 0], [0, 1]])), {}, "beyond 2"),
        (broken("indices", [0, 1, 3]), {}, "do not fit its shape"),
        (broken("indices", [-1, 1, 2]), {}, "do not fit its shape"),
        (broken("indptr", [0, 2, 1, 3]), {}, "do not fit its shape"),
        (broken("indptr", [0, 1, 2, 4]), {}, "do not fit its shape"),
        (sparse.csr_array(X), {"algorithm": "hybrid"}, "hybrid.*X is sparse.*toarray"),
        (sparse.csr_array([[1e300, 1e-300], [0, 1]]), {}, "too far apart"),
        (sparse.csr_array((0, 3)), {}, "at least one row"),
        (sparse.coo_array(np.arange(3.0)), {}, "2"),
    ],
)
def test_refused_by_name(given, parameters, message):
    with pytest.raises(ValueError, match=message):
        KMeans(2, **parameters).fit(given)


def test_time_limit_and_interrupt():
    """A search that is stopped at once still gives labels that belong to its centers."""
    rows = sparse.random_array((3000, 200), density=0.03, rng=np.random.default_rng(0), format="csr")
    model = KMeans(9, random_state=1, max_seconds=0.0).fit(rows)
    assert model.stop_reason_ == "time_limit"
    assert np.array_equal(model.predict(rows), model.labels_)


@pytest.mark.parametrize("max_seconds", [0.0, None])
def test_given_centers_stay_as_they_are(max_seconds):
    start = X[:4].copy()
    model = KMeans(4, init=start, n_init=1, max_seconds=max_seconds).fit(sparse.csr_array(X))
    model.cluster_centers_ += 1
    assert np.array_equal(start, X[:4])


def test_nothing_is_as_large_as_the_dense_rows():
    """A million rows of a million features."""
    n = 1 << 20
    rows = sparse.csr_array((np.ones(n), np.arange(n, dtype=np.int32) % 5, np.arange(n + 1)), shape=(n, n))
    model = KMeans(5, init=np.eye(5, n), n_init=1).fit(rows)
    assert model.inertia_ == 0 and model.status_ == "optimal"
    assert np.array_equal(model.labels_, np.arange(n) % 5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kmeans_plusplus_chooses_rows(dtype):
    rows = X.astype(dtype)
    for seed in range(5):
        centers, indices = kmeans_plusplus(sparse.csr_array(rows), 6, random_state=seed)
        assert type(centers) is np.ndarray and centers.dtype == dtype
        assert np.array_equal(centers, rows[indices]) and len(set(indices.tolist())) == 6
