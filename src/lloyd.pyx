"""Sums and distances over a block of rows, by differences in double."""

from cython cimport floating
from metric cimport sq_distances
from rowwise cimport accumulate_rows, inertia_of, removal_gain_rows


def accumulate(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const int[::1] labels,            # IN  (n_samples,)
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[:, ::1] shifts,            # INOUT (n_clusters, n_features): += weight * (row - its center); none where that is empty
    double[::1] masses,               # INOUT (n_clusters,): += weight; or (0,)
    double inertia=0,                 # IN  of the blocks before
):
    """Sum the rows of each cluster relative to its center; returns the inertia, that of the blocks before included.

    Differences to a nearby center are small, so the mean center + shift / mass keeps its digits at any offset.
    """
    cdef const double* weights = &sample_weight[start] if sample_weight.shape[0] > 0 else NULL
    cdef Py_ssize_t n = stop - start, d = X.shape[1]
    with nogil:
        if masses.shape[0] > 0:
            inertia = accumulate_rows(
                &X[start, 0], n, d, weights, &labels[start], &centers[0, 0], &shifts[0, 0], &masses[0], inertia
            )
        else:
            inertia = inertia_of(&X[start, 0], n, d, weights, &labels[start], &centers[0, 0], inertia)
    return inertia


def distances(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[:, ::1] out,               # OUT (n_samples, n_clusters)
):
    """Squared distances of rows start..stop-1 to every center."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(start, stop):
            sq_distances(&X[i, 0], &centers_t[0, 0], X.shape[1], centers_t.shape[1], &out[i, 0])


def removal_gains(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const int[::1] labels,            # IN  (n_samples,)
    const double[:, ::1] centers,     # IN  (n_clusters, n_features), the means of the labels
    const double[::1] masses,         # IN  (n_clusters,)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] gains,                # OUT (n_samples,)
):
    """How much the inertia falls when a row becomes a cluster of its own (Spaeth 1985, eq. 4.3)."""
    with nogil:
        removal_gain_rows(
            &X[start, 0], stop - start, X.shape[1], &sample_weight[start] if sample_weight.shape[0] > 0 else NULL,
            &labels[start], &centers[0, 0], &masses[0], &gains[start],
        )
