"""Proofs about sparse rows: those of the dense ones, or a refusal that tells the size."""

import numpy as np
import pytest
from scipy import sparse

from ckmeans import KMeans, certify

X = np.array([[0.0, 0, 1], [0, 0, 1.5], [4, 0, 0], [4, 1, 0], [0, 9, 0], [0, 0, 0]])


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_matrix, sparse.csc_array])
def test_the_proof_is_that_of_the_dense_rows(kind):
    labels = KMeans(3, random_state=0).fit_predict(kind(X))
    found, dense = certify(kind(X), labels, random_state=0), certify(X, labels, random_state=0)
    assert found.status == dense.status == "optimal-unique" and found.text() == dense.text()
    assert certify(kind(X), centers=X[[0, 2, 4]], random_state=0).inertia == dense.inertia


def test_rows_too_large_to_be_dense_are_refused_with_their_size():
    large = sparse.csr_array((np.ones(1), [3], [0, 1] + [1] * (1 << 18)), shape=((1 << 18) + 1, 1 << 12))
    with pytest.raises(ValueError, match=r"262145 x 4096 numbers would take 8 GiB.*fewer rows"):
        certify(large, n_clusters=2)
