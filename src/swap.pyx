"""Swap of one center for a row, over a block of rows: which center to give up (Lattanzi & Sohler 2019, section 2)."""

from cython cimport floating
from rowwise cimport loss_rows, two_nearest_rows


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
    with nogil:
        two_nearest_rows(
            &X[start, 0], stop - start, X.shape[1], &centers_t[0, 0], centers_t.shape[1], &labels[start], &scratch[0],
            &first[start], &second[start],
        )


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
    with nogil:
        loss_rows(
            &X[start, 0], stop - start, X.shape[1], &sample_weight[start] if sample_weight.shape[0] > 0 else NULL,
            &labels[start], &first[start], &second[start], &candidate[0], &sums[0],
        )
