"""Rows made into panels, and told apart by their scores."""

from cython cimport floating
from libc.math cimport sqrt
from libc.stdint cimport int32_t, uint64_t
from scores cimport error_bound, packing
from shared cimport packed_centers
from tile cimport n_sums, tile_kernels

cdef extern from "math.h" nogil:
    double INFINITY


cdef inline double fill(
    const tile_kernels* isa, const floating[:, ::1] X, const double* origin, double scale, Py_ssize_t start,
    packing* panel,
) noexcept nogil:
    """Pack the rows that begin with number `start` into a panel, zeros where X ends; returns a bound of the largest norm."""
    cdef bint wide = packing is double, own = floating is double
    cdef Py_ssize_t r, f, n_features = X.shape[1], n_rows = isa.n_rows[wide]
    cdef double value, norm, max_norm = 0
    if start + n_rows <= X.shape[0]:
        if wide == own:
            max_norm = isa.pack[wide](&X[start, 0], n_features, origin, scale, panel)
        else:
            max_norm = isa.convert[wide](&X[start, 0], n_features, origin, scale, panel)
    else:
        for r in range(n_rows):
            norm = 0
            for f in range(n_features):
                value = (<double> X[start + r, f] - origin[f]) * scale if start + r < X.shape[0] else 0
                norm += value * value
                panel[f * n_rows + r] = <packing> value
            max_norm = max(max_norm, norm)
    return sqrt(max_norm) * (1 + (n_features + 4) * (1.2e-16 if wide else 6e-8))


cdef inline void screen_rows(
    const tile_kernels* isa, const floating[:, ::1] X, const packing[:, :, ::1] panels, const packed_centers* c,
    packing[::1] scores, const packing[::1] thresholds, unsigned long long[::1] passed,
) noexcept nogil:
    """Mark the rows whose least score is below a threshold of their own. Arguments as in screen (panels.pyx)."""
    cdef bint wide = packing is double
    cdef Py_ssize_t n_rows = isa.n_rows[wide], p, r, n
    cdef const packing* panel = &scores[0] + 2 * n_rows
    cdef uint64_t bits
    cdef int32_t nearest[64]
    for p in range(passed.shape[0]):
        n = X.shape[0] - p * n_rows
        if panels.shape[0] > 0:
            panel = &panels[p, 0, 0]
        else:
            fill(isa, X, c.origin, c.scale, p * n_rows, &scores[0] + 2 * n_rows)
        isa.panel[wide](panel, X.shape[1], c.tiles, c.n_tiles, &scores[0], &scores[n_rows], nearest, NULL, 0)
        if n >= n_rows:
            bits = isa.below[wide](&scores[0], &thresholds[p * n_rows])
        else:
            bits = 0
            for r in range(n):
                bits |= <uint64_t> (scores[r] < thresholds[p * n_rows + r]) << r
        passed[p] = bits


cdef inline void mark_exchange_candidates(
    const tile_kernels* isa, const floating[:, ::1] X, const double[::1] sample_weight,
    const packing[:, :, ::1] panels, const float[::1] max_norms, const packed_centers* c, const int[::1] labels,
    const double[::1] masses, packing[::1] scores, unsigned char[::1] mask,
) noexcept nogil:
    """Mark the rows that a move may suit, by their scores. Arguments as in exchange_candidates (panels.pyx)."""
    cdef bint wide = packing is double
    cdef Py_ssize_t n_rows = isa.n_rows[wide], n_features = X.shape[1], p, r, f, i, k
    cdef double margin, norm, length, slack, weight = 1, rest, least = INFINITY
    cdef const packing* panel
    cdef double norm_error = (n_features + 4) * 1.2e-16 if wide else 2.5e-7
    cdef int32_t nearest[64]
    for k in range(masses.shape[0]):
        least = min(least, masses[k])
    for p in range((X.shape[0] + n_rows - 1) // n_rows):
        if panels.shape[0] > 0:
            panel = &panels[p, 0, 0]
            length = max_norms[p]
        else:
            panel = &scores[2 * n_rows]
            length = fill(isa, X, c.origin, c.scale, p * n_rows, &scores[2 * n_rows])
        isa.panel[wide](panel, n_features, c.tiles, c.n_tiles, &scores[0], &scores[n_rows], nearest, NULL, 0)
        margin = error_bound(length, c.max_norm, n_sums(n_features), wide)
        for r in range(min(n_rows, X.shape[0] - p * n_rows)):
            i = p * n_rows + r
            norm = 0
            for f in range(n_features):
                norm += <double> panel[f * n_rows + r] * panel[f * n_rows + r]
            slack = 2 * margin + norm_error * norm
            if sample_weight.shape[0] > 0:
                weight = sample_weight[i]
            rest = masses[labels[i]] - weight
            mask[i] = (
                weight > 0
                and rest > 0
                and masses[labels[i]] * (least + weight) * (norm + 2 * <double> scores[r] + slack)
                > rest * least * (norm + 2 * <double> scores[n_rows + r] - slack)
            )
