"""Hartigan's single-row exchange (Hartigan 1975, ch. 4; Telgarsky & Vattani 2010): a row moves if the inertia falls.

Row x of weight w leaves cluster a of mass A, and joins b of mass B, with the exact change
    w B / (B + w) |x - c_b|^2  -  w A / (A - w) |x - c_a|^2,
both means moving along. Where nothing is left to exchange, Lloyd's iteration is at a fixed point too.
"""

from cython cimport floating
from distances cimport ABREAST, DISTANCES, instruction_set_name, n_supported
from moves cimport better_by, move_rows

include "chosen.pxi"


def abreast():
    """Number of rows that `scan` looks at together."""
    return ABREAST


def scan(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const Py_ssize_t[::1] rows,       # IN  (n_rows,): rows that might move
    const int[::1] labels,            # IN  (n_samples,)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters), the means of the labels
    const double[::1] masses,         # IN  (n_clusters,)
    Py_ssize_t start,                 # IN  the part of `rows` to look at
    Py_ssize_t stop,
    double[:, ::1] scratch,           #     (abreast(), n_features + n_clusters)
    unsigned char[::1] movable,       # OUT (n_rows,)
):
    """Mark the rows whose move would lower the inertia, all others staying."""
    cdef Py_ssize_t first = start, r, i, f, d = X.shape[1], k = masses.shape[0]
    cdef double weight = 1
    cdef double* x = &scratch[0, 0]
    cdef double* sq_distances = x + ABREAST * d
    with nogil:
        while first < stop:
            for r in range(ABREAST):  # the last one again, where they are fewer
                i = rows[min(first + r, stop - 1)]
                for f in range(d):
                    x[r * d + f] = X[i, f]
            DISTANCES[chosen](x, d, &centers_t[0, 0], k, sq_distances)
            for r in range(first, min(first + ABREAST, stop)):
                i = rows[r]
                if sample_weight.shape[0] > 0:
                    weight = sample_weight[i]
                movable[r] = labels[i] != better_by(sq_distances + (r - first) * k, weight, labels[i], &masses[0], k)
            first += ABREAST


def exchange(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const Py_ssize_t[::1] rows,       # IN  (n_rows,): rows to try, in this order
    double[::1] scratch,              #     (n_clusters,)
    int[::1] labels,                  # INOUT (n_samples,)
    double[:, ::1] centers_t,         # INOUT (n_features, n_clusters)
    double[::1] masses,               # INOUT (n_clusters,)
):
    """Move each row that lowers the inertia, the two means following at once; returns the number of moves."""
    cdef Py_ssize_t n_moves
    with nogil:
        n_moves = move_rows(
            &X[0, 0], &sample_weight[0] if sample_weight.shape[0] > 0 else NULL, &rows[0], rows.shape[0], &labels[0],
            &centers_t[0, 0], &masses[0], X.shape[1], masses.shape[0], &scratch[0],
        )
    return n_moves
