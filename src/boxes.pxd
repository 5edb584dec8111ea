"""Boxes for a center y, and what is known on one of them about f(y) = sum_i w_i max(0, l_i - |x_i - y|^2) (prices.pyx).

A sum of rows as one quadratic of y is kept in 2 + d numbers: weight A, constant K = sum w (l - |x|^2), and S = sum w x, for
K + 2 S.y - A |y|^2.

The list of a box has i for row i undecided, ~i for a row that counts because the search said so, and n + i for one that does
not count because the search said so.
"""

from libc.math cimport fabs, sqrt


cdef inline void add_row(double* sums, const double* x, double weight, double constant, Py_ssize_t d) noexcept nogil:
    """Add weight (constant + 2 x.y - |y|^2) to a quadratic of y."""
    cdef Py_ssize_t f
    sums[0] += weight
    sums[1] += weight * constant
    for f in range(d):
        sums[2 + f] += weight * x[f]


cdef inline Py_ssize_t classify_rows(
    const double* X,                  # (n, d)
    const double* weights,            # (n,)
    const double* tops,               # (n,): l_i - |x_i|^2
    const double* prices,             # (n,): l_i
    const double* slacks,             # (n,): a term counts as decided where it is further than this from 0
    const unsigned char* has_cannot_link, # (n,): 1 for rows that must stay apart from others
    Py_ssize_t n,
    const int* rows,                  # (n_rows,): the list of the box before
    Py_ssize_t n_rows,
    Py_ssize_t d,
    const double* lower,              # (d,)
    const double* upper,              # (d,)
    double* inside,                   # INOUT (2 + d,): rows that count everywhere on the box
    double* cover,                    # OUT (2 + d,): above the terms of the rows kept
    int* kept,                        # OUT (n_rows,): the list of this box; may be `rows`
    Py_ssize_t* n_undecided,          # OUT
    Py_ssize_t* narrow,               # OUT: where in `kept` a row is undecided in all smaller boxes too; -1 if a split helps
) noexcept nogil:
    """Tell the rows of a box apart: inside, outside (dropped), and undecided; returns how many are kept.

    On the box the term p = l - |x - y|^2 of an undecided row lies in [low, high], and max(0, p) under the chord
    high (p - low) / (high - low), a quadratic of y again. (a + |a|) / 2 is max(0, a), to the bit.
    """
    cdef Py_ssize_t r, f, i, n_kept = 0, n_narrow = 0
    cdef double near, far, t, h, high, low, share
    n_undecided[0] = 0
    narrow[0] = -1
    for f in range(2 + d):
        cover[f] = 0
    for r in range(n_rows):
        i = rows[r]
        if i >= n:
            kept[n_kept] = <int> i
            n_kept += 1
            continue
        if i < 0:
            kept[n_kept] = <int> i
            n_kept += 1
            i = ~i
            add_row(cover, X + i * d, weights[i], tops[i], d)
            continue
        near = 0
        far = 0
        for f in range(d):
            h = 0.5 * (upper[f] - lower[f])
            t = fabs(X[i * d + f] - 0.5 * (upper[f] + lower[f]))
            far += (t + h) * (t + h)
            t = 0.5 * (t - h + fabs(t - h))
            near += t * t
        high = prices[i] - near
        if high <= -slacks[i]:
            continue
        low = prices[i] - far
        if low >= slacks[i]:
            if not has_cannot_link[i]:
                add_row(inside, X + i * d, weights[i], tops[i], d)
                continue
        else:
            n_undecided[0] += 1
            if 4 * (high - low) <= slacks[i]:
                n_narrow += 1
                narrow[0] = n_kept
        kept[n_kept] = <int> i
        n_kept += 1
        if high <= 0:
            share = 0
        elif low >= 0:
            share = 1
            low = 0
        else:
            share = high / (high - low)
        if share > 0:
            add_row(cover, X + i * d, weights[i] * share, tops[i] - low, d)
    if n_narrow < n_undecided[0]:
        narrow[0] = -1
    return n_kept


cdef inline double lowest(
    const double* x, double price, Py_ssize_t d, const double* lower, const double* upper,
) noexcept nogil:
    """The least value of price - |x - y|^2 on a box."""
    cdef Py_ssize_t f
    cdef double t
    for f in range(d):
        t = x[f] - 0.5 * (upper[f] + lower[f])
        t = (t if t > 0 else -t) + 0.5 * (upper[f] - lower[f])
        price -= t * t
    return price


cdef inline void add_sides(
    const double* X,
    const double* weights,
    Py_ssize_t n,
    const int* kept,                  # (n_kept,)
    Py_ssize_t n_kept,
    Py_ssize_t d,
    Py_ssize_t first,                 # the first of the features
    Py_ssize_t m,                     # how many, at most 4
    const double* lower,              # (d,)
    const double* upper,              # (d,)
    double[4][4] sums,                # INOUT (4, m): of positive and negative w (x - lower), of positive and negative w (x - upper)
) noexcept nogil:
    """Add up on which side of the ends of a box rows are: (a + |a|) / 2 and (a - |a|) / 2, as branches would be foretold badly."""
    cdef Py_ssize_t r, f, i
    cdef double a, b, w
    for r in range(n_kept):
        i = kept[r]
        if i >= n:
            continue
        if i < 0:                     # counts in any case
            i = ~i
            for f in range(m):
                a = weights[i] * (X[i * d + first + f] - lower[first + f])
                b = weights[i] * (X[i * d + first + f] - upper[first + f])
                sums[0][f] += a
                sums[1][f] += a
                sums[2][f] += b
                sums[3][f] += b
            continue
        w = 0.5 * weights[i]
        for f in range(m):
            a = w * (X[i * d + first + f] - lower[first + f])
            b = w * (X[i * d + first + f] - upper[first + f])
            sums[0][f] += a + fabs(a)
            sums[1][f] += a - fabs(a)
            sums[2][f] += b + fabs(b)
            sums[3][f] += b - fabs(b)


cdef inline bint shrink(
    const double* X,
    const double* weights,
    Py_ssize_t n,
    const int* kept,                  # (n_kept,)
    Py_ssize_t n_kept,
    Py_ssize_t d,
    double rounding,                  # no sum of w (x - y) is off by more
    double tiny,                      # no coordinate is off by more
    double* lower,                    # INOUT (d,)
    double* upper,                    # INOUT (d,)
    const double* inside,             # (2 + d,)
    double* shrunk,                   # OUT: least ratio of a new width to the old one
) noexcept nogil:
    """Cut off where y cannot be the mean of the rows inside and some of those kept; returns whether anything is left.

    Feature by feature, such a mean has sum_inside w (x - y) + sum_kept w max(0, x - y) >= 0. That sum is convex in y and
    falls: from a negative value at the upper end, the root is at most that of the chord. The same from below.
    """
    cdef Py_ssize_t first, f, m, s
    cdef double[4][4] sums
    shrunk[0] = 1
    for first in range(0, d, 4):
        m = d - first if d - first < 4 else 4
        for f in range(m):
            for s in range(4):
                sums[s][f] = inside[2 + first + f] - inside[0] * (lower[first + f] if s < 2 else upper[first + f])
        if m == 4:                    # the compiler unrolls the loops over a known number of features
            add_sides(X, weights, n, kept, n_kept, d, first, 4, lower, upper, sums)
        elif m == 3:
            add_sides(X, weights, n, kept, n_kept, d, first, 3, lower, upper, sums)
        elif m == 2:
            add_sides(X, weights, n, kept, n_kept, d, first, 2, lower, upper, sums)
        else:
            add_sides(X, weights, n, kept, n_kept, d, first, 1, lower, upper, sums)
        for f in range(m):
            if not cut_off(sums[0][f] + rounding, sums[2][f] + rounding, sums[1][f] - rounding, sums[3][f] - rounding, tiny,
                           lower + first + f, upper + first + f, shrunk):
                return False
    return True


cdef inline bint cut_off(
    double up_low, double up_high, double down_low, double down_high, double tiny, double* lower, double* upper, double* shrunk,
) noexcept nogil:
    """Cut off the ends of one feature, by the sums there; returns whether anything is left."""
    cdef double old = upper[0] - lower[0], new_low = lower[0], new_high = upper[0]
    if up_low < 0 or down_high > 0:
        return False
    if up_high < 0:
        new_high = lower[0] + old * (up_low / (up_low - up_high)) + tiny
    if down_low > 0:
        new_low = upper[0] - old * (down_high / (down_high - down_low)) - tiny
    if new_high < upper[0]:
        upper[0] = new_high
    if new_low > lower[0]:
        lower[0] = new_low
    if upper[0] < lower[0]:
        return False
    if old > tiny and upper[0] - lower[0] < shrunk[0] * old:
        shrunk[0] = (upper[0] - lower[0]) / old
    return True


cdef inline double upper_bound(
    const double* inside, const double* cover, Py_ssize_t d, double kappa, const double* lower, const double* upper,
    double* at,
) noexcept nogil:
    """The greatest value of the sum of two quadratics on a box, rounded up, and where it is."""
    cdef Py_ssize_t f
    cdef double a = inside[0] + cover[0], value = inside[1] + cover[1], s, y
    for f in range(d):
        s = inside[2 + f] + cover[2 + f]
        y = s / a if a > 0 else 0.5 * (lower[f] + upper[f])
        if not y > lower[f]:
            y = lower[f]
        elif y > upper[f]:
            y = upper[f]
        at[f] = y
        value += y * (2 * s - a * y)
    return value + kappa * a


cdef inline double mean_bound(
    const double* X,
    const double* weights,
    const double* prices,
    Py_ssize_t n,
    const int* rows,                  # (n_rows,): the list of the box before
    Py_ssize_t n_rows,
    Py_ssize_t d,
    double error,                     # no sum here is off by more
    double norm,                      # no row and no corner of a box is farther from 0
    double enough,
    const double* lower,
    const double* upper,
    const double* inside,             # (2 + d,)
    double* z,                        #     (d,)
    double* sums,                     #     (d,)
) noexcept nogil:
    """What no set of rows with its mean on the box earns more than, rounded up; sought until it is not above `enough`.

    For any z such a set, of weight W and with its mean at y, earns sum w (l - |x - z|^2) + W |y - z|^2, as its sum of w (x - y)
    is 0. With the farthest y of the box in place of its own that is at most the sum of the positive terms, which is convex in z:
    steps downhill from the center of the box (Polyak 1969) find a better z. The error is of second order in the size of the box.
    """
    cdef Py_ssize_t r, f, i, attempt
    cdef double far, total, mass, term, w, t, h, center, steep, step, length, best = 1e300
    for f in range(d):
        z[f] = 0.5 * (lower[f] + upper[f])
    for attempt in range(3):
        far = 0
        total = inside[1]
        mass = inside[0]
        for f in range(d):
            t = z[f] - 0.5 * (lower[f] + upper[f])
            h = (t if t > 0 else -t) + 0.5 * (upper[f] - lower[f])
            far += h * h
            total += z[f] * (2 * inside[2 + f] - mass * z[f])
            sums[f] = inside[2 + f]
        total += mass * far
        for r in range(n_rows):
            i = rows[r]
            if i >= n:
                continue
            i = ~i if i < 0 else i
            term = prices[i] + far
            for f in range(d):
                t = X[i * d + f] - z[f]
                term -= t * t
            w = weights[i] if term > 0 or rows[r] < 0 else 0
            total += w * term
            mass += w
            for f in range(d):
                sums[f] += w * X[i * d + f]
        total += error
        if total < best:
            best = total
        if attempt == 2 or best <= enough:
            break
        steep = 0
        for f in range(d):
            center = 0.5 * (lower[f] + upper[f])
            h = 0.5 * (upper[f] - lower[f]) * mass
            t = sums[f] - mass * center
            if z[f] > center or z[f] == center and t < -h:
                t += h
            elif z[f] < center or z[f] == center and t > h:
                t -= h
            else:
                t = 0
            sums[f] = t
            steep += t * t
        if not steep > 0:
            break
        step = 0.75 * (total - enough) / steep
        length = 0
        for f in range(d):
            sums[f] = z[f] - 0.5 * (lower[f] + upper[f]) - step * sums[f]
            length += sums[f] * sums[f]
        step = 1 if length <= 9 * norm * norm else 3 * norm / sqrt(length)
        for f in range(d):
            z[f] = 0.5 * (lower[f] + upper[f]) + step * sums[f]
    return best
