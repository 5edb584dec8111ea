"""Swap of one center for a row, over a block of rows: which center to give up (Lattanzi & Sohler 2019, section 2)."""

from cython cimport floating
from metric cimport sq_distance, sq_distances


def two_nearest(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters)
    const int[::1] labels,            # IN  (n_samples,), the nearest centers
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] scratch,              #     (n_clusters,)
    double[::1] first,                # OUT (n_samples,): squared distance to the own center
    double[::1] second,               # OUT (n_samples,): squared distance to the nearest of the others
):
    """Squared distances to the own and to the second nearest center."""
    cdef Py_ssize_t i, k, n_clusters = centers_t.shape[1]
    with nogil:
        for i in range(start, stop):
            sq_distances(&X[i, 0], &centers_t[0, 0], X.shape[1], n_clusters, &scratch[0])
            first[i] = scratch[labels[i]]
            scratch[labels[i]] = 1e308
            second[i] = scratch[0]
            for k in range(1, n_clusters):
                second[i] = min(second[i], scratch[k])


def losses(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const int[::1] labels,            # IN  (n_samples,)
    const double[::1] first,          # IN  (n_samples,)
    const double[::1] second,         # IN  (n_samples,)
    const double[::1] candidate,      # IN  (n_features,): the center that would come
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] sums,                 # INOUT (n_clusters,)
):
    """Sum, for each cluster, what giving up its center costs the rows that do not go over to the candidate.

    The inertia after the swap, all other centers staying, is this plus a term that is the same for every cluster.
    """
    cdef Py_ssize_t i
    cdef double weight = 1, sq
    with nogil:
        for i in range(start, stop):
            if sample_weight.shape[0] > 0:
                weight = sample_weight[i]
            sq = sq_distance(&X[i, 0], &candidate[0], X.shape[1])
            if sq > first[i]:
                sums[labels[i]] += weight * ((sq if sq < second[i] else second[i]) - first[i])
