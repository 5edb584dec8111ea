"""k-means++ over a block of rows: what each candidate center would leave, and the distances once one is taken."""

from cython cimport floating
from metric cimport sq_distance


def potentials(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const double[::1] closest,        # IN  (n_samples,): squared distance to the nearest center taken so far
    const double[:, ::1] candidates,  # IN  (n_candidates, n_features)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] sums,                 # INOUT (n_candidates,): += weight * min(closest, squared distance)
):
    """Sum, for each candidate, what the inertia would be with that candidate as one more center."""
    cdef Py_ssize_t i, c
    cdef double weight = 1, sq
    with nogil:
        for i in range(start, stop):
            if sample_weight.shape[0] > 0:
                weight = sample_weight[i]
            for c in range(candidates.shape[0]):
                sq = sq_distance(&X[i, 0], &candidates[c, 0], X.shape[1])
                sums[c] += weight * (sq if sq < closest[i] else closest[i])


def take(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] center,         # IN  (n_features,)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] closest,              # INOUT (n_samples,): lowered to the squared distance to the new center
):
    """Lower the squared distances to the nearest center by one more center."""
    cdef Py_ssize_t i
    cdef double sq
    with nogil:
        for i in range(start, stop):
            sq = sq_distance(&X[i, 0], &center[0], X.shape[1])
            if sq < closest[i]:
                closest[i] = sq
