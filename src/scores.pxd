"""How far the scores |c|^2/2 - x.c of packed rows and centers may be off."""

ctypedef fused packing:  # the type of panels and scores, which need not be that of the rows
    float
    double


cdef inline double error_bound(double max_norm, double max_center_norm, Py_ssize_t n_sums, bint double_precision) noexcept nogil:
    """Twice a bound of the error of a score, with u the unit roundoff: 2 (n + 8) u (C^2/2 + R C), with some slack.

    One rounding each of the row, the center and |c|^2/2, and at most n + 1 in the sum (Higham 2002, section 3.1): n is the
    number of features, or `n_sums` of tile.pxd. A row of doubles is rounded once more in double before, which the slack covers.
    """
    cdef double u = 1.2e-16 if double_precision else 6e-8
    return 2.5 * (n_sums + 8) * u * (max_center_norm * (0.5 * max_center_norm + max_norm)) + (1e-290 if double_precision else 1e-37)
