"""The greatest value of f(y) = sum_i w_i max(0, l_i - |x_i - y|^2) over all centers y, for prices l_i of the rows.

Branch and bound over boxes for y: rows inside are one quadratic, those outside are dropped, and only undecided ones are
looked at again (boxes.pxd). A box is closed where its bound is not above the threshold, where no mean of rows can be in it, or
where all rows are decided: there f is one quadratic and its greatest value is known.
"""

from boxes cimport value_at, lowest, upper_bound, shrink, classify_rows


def local_maxima(
    const double[:, ::1] X,           # IN  (n, d)
    const double[::1] weights,        # IN  (n,)
    const double[::1] prices,         # IN  (n,)
    double[:, ::1] starts,            # INOUT (n_starts, d): from here uphill
    double[::1] values,               # OUT (n_starts,)
    unsigned char[:, ::1] members,    # OUT (n_starts, n): rows that count there
):
    """Local maxima of f: each point moves to the mean of the rows that count, until they stay the same."""
    cdef Py_ssize_t s, i, f, n = X.shape[0], d = X.shape[1], n_new, round
    cdef double term, t, mass, value
    with nogil:
        for s in range(starts.shape[0]):
            for i in range(n):
                members[s, i] = 2
            for round in range(1000):
                n_new = 0
                mass = 0
                value = 0
                for i in range(n):
                    term = prices[i]
                    for f in range(d):
                        t = X[i, f] - starts[s, f]
                        term -= t * t
                    if (term > 0) != members[s, i]:
                        n_new += 1
                    members[s, i] = term > 0
                    if term > 0:
                        mass += weights[i]
                        value += weights[i] * term
                values[s] = value
                if n_new == 0 or mass <= 0:
                    break
                for f in range(d):
                    t = 0
                    for i in range(n):
                        if members[s, i]:
                            t += weights[i] * X[i, f]
                    starts[s, f] = t / mass


def search(
    const double[:, ::1] X,           # IN  (n, d)
    const double[::1] weights,        # IN  (n,)
    const double[::1] prices,         # IN  (n,)
    const double[::1] tops,           # IN  (n,): prices - |x|^2
    const double[::1] slacks,         # IN  (n,): a row is decided where its term is further than this from 0
    const unsigned char[::1] has_cannot_link, # IN  (n,): 1 for rows that are in a pair
    const int[:, ::1] cannot_link,    # IN  (n_pairs, 2): rows of which only one may count
    double rounding,                  # IN  no sum of w (x - y) is off by more
    double kappa,                     # IN  no value of f is off by more than this times the weight that counts
    double tiny,                      # IN  boxes no wider than this are given up
    bint best_only,                   # IN  the threshold rises with each value found
    double tolerance,                 # IN  to so much more than the value
    Py_ssize_t budget,                # IN  rows to look at before returning
    double[:, ::1] lower,             # INOUT (capacity, d): stack of boxes
    double[:, ::1] upper,             # INOUT (capacity, d)
    double[:, ::1] inside,            # INOUT (capacity, 2 + d)
    Py_ssize_t[:, ::1] lists,         # INOUT (capacity, 2): where the list of a box is in the pool
    int[::1] pool,                    # INOUT
    double[:, ::1] found,             # OUT (n_most, d): points above the threshold
    double[::1] values,               # OUT (n_most,)
    int[:, ::1] branched_rows,        # OUT (n_most, 1 + n_branched): how many rows the search decided there, and which (boxes.pxd)
    double[::1] threshold,            # INOUT (2,): the threshold; the greatest bound of the boxes given up
    Py_ssize_t[::1] state,            # INOUT (4,): boxes on the stack, points found, boxes looked at, boxes given up
    unsigned char[::1] marks,         #     (n,) zeros
    double[:, ::1] work,              #     (6, 2 + d)
):
    """Go on with the search; returns 0 when it is done, 1 when the budget is spent, 2 when a buffer is too small."""
    cdef Py_ssize_t d = X.shape[1], n = X.shape[0], top, n_kept, first, last, f, r, best, clash, p, q, e
    cdef Py_ssize_t n_undecided = 0, narrow = -1, attempt, status = 0
    cdef double bound, value, shrunk = 1, cut
    cdef bint home, gone, forked
    cdef double* low = &work[0, 0]
    cdef double* high = &work[1, 0]
    cdef double* sums = &work[2, 0]
    cdef double* cover = &work[3, 0]
    cdef double* at = &work[4, 0]
    cdef double* spread = &work[5, 0]
    cdef int* kept
    cdef const int* rows
    with nogil:
        while state[0] > 0:
            if budget <= 0:
                status = 1
                break
            top = state[0] - 1
            first = lists[top, 0]
            last = lists[top, 1]
            if top + 2 > lower.shape[0] or state[1] >= values.shape[0] or last + 3 * (last - first) > pool.shape[0]:
                status = 2
                break
            for f in range(d):
                low[f] = lower[top, f]
                high[f] = upper[top, f]
            for f in range(2 + d):
                sums[f] = inside[top, f]
            state[0] = top
            state[2] += 1
            kept = &pool[0] + last
            rows = &pool[0] + first
            n_kept = last - first
            attempt = 0
            while True:
                budget -= 20 + n_kept
                # The same function three times: with the number of features known, the compiler unrolls its loops.
                if d == 2:
                    n_kept = classify_rows(&X[0, 0], &weights[0], &tops[0], &prices[0], &slacks[0], &has_cannot_link[0], n, rows, n_kept, 2, low, high, sums, cover, spread, kept, &n_undecided, &narrow)
                elif d == 3:
                    n_kept = classify_rows(&X[0, 0], &weights[0], &tops[0], &prices[0], &slacks[0], &has_cannot_link[0], n, rows, n_kept, 3, low, high, sums, cover, spread, kept, &n_undecided, &narrow)
                else:
                    n_kept = classify_rows(&X[0, 0], &weights[0], &tops[0], &prices[0], &slacks[0], &has_cannot_link[0], n, rows, n_kept, d, low, high, sums, cover, spread, kept, &n_undecided, &narrow)
                rows = kept
                bound = upper_bound(sums, cover, d, kappa, low, high, at)
                gone = bound <= threshold[0]
                if gone or n_undecided == 0 or attempt == 4 or shrunk > 0.9 and attempt > 0:
                    break
                attempt += 1
                gone = not shrink(&X[0, 0], &weights[0], n, kept, n_kept, d, rounding, tiny, low, high, sums, &shrunk)
                if gone:
                    break
            if gone:
                continue
            clash = -1
            forked = False
            if cannot_link.shape[0] > 0:
                for r in range(n_kept):
                    e = kept[r]
                    if e < 0:
                        marks[~e] = 3
                    elif e < n and has_cannot_link[e]:
                        marks[e] = 2 if lowest(&X[e, 0], prices[e], d, low, high) >= slacks[e] else 1
                for p in range(cannot_link.shape[0]):
                    q = marks[cannot_link[p, 0]]
                    e = marks[cannot_link[p, 1]]
                    if q and e and not forked:
                        clash = p
                        forked = q > 1 and e > 1
                        if q + e == 6:
                            gone = True
                            break
                for r in range(n_kept):
                    e = kept[r]
                    if e < n:
                        marks[e if e >= 0 else ~e] = 0
            if gone:
                continue
            if n_undecided == 0 and clash < 0:
                # One set of rows: it is of interest if its mean is in this box.
                home = True
                for f in range(d):
                    value = (sums[2 + f] + cover[2 + f]) / (sums[0] + cover[0])
                    if value < low[f] - tiny or value > high[f] + tiny:
                        home = False
                if not home and not best_only:
                    continue
                if n_kept >= branched_rows.shape[1]:
                    state[3] += 1
                    if bound > threshold[1]:
                        threshold[1] = bound
                    continue
                for f in range(d):
                    found[state[1], f] = at[f]
                values[state[1]] = bound
                branched_rows[state[1], 0] = <int> n_kept
                for r in range(n_kept):
                    branched_rows[state[1], 1 + r] = kept[r]
                state[1] += 1
                if best_only and bound + tolerance > threshold[0]:
                    threshold[0] = bound + tolerance
                continue
            if best_only and clash < 0:
                value = value_at(&X[0, 0], &weights[0], &prices[0], n, kept, n_kept, d, sums, at)
                if value + tolerance > threshold[0]:
                    for f in range(d):
                        found[state[1], f] = at[f]
                    values[state[1]] = value
                    branched_rows[state[1], 0] = 0
                    state[1] += 1
                    threshold[0] = value + tolerance
                    if state[1] >= values.shape[0]:
                        state[0] = top + 1  # this box is to be looked at again
                        continue
            best = 0
            value = -1
            for f in range(d):
                if spread[f] > value and high[f] - low[f] > tiny:
                    value = spread[f]
                    best = f
            if forked or narrow >= 0:
                # Only saying so decides more: one of two rows does not count, or a row counts or not.
                for q in range(2):
                    top = state[0]
                    p = last + n_kept * (1 + q)
                    gone = False
                    lists[top, 0] = p
                    for r in range(n_kept):
                        e = kept[r]
                        if forked:
                            if e == cannot_link[clash, q]:
                                e += n
                            elif e == ~cannot_link[clash, q]:
                                gone = True
                        elif r == narrow:
                            e = ~e if q == 0 else e + n
                        pool[p] = <int> e
                        p += 1
                    lists[top, 1] = p
                    if gone:
                        continue
                    for f in range(d):
                        lower[top, f] = low[f]
                        upper[top, f] = high[f]
                    for f in range(2 + d):
                        inside[top, f] = sums[f]
                    state[0] = top + 1
                continue
            if value < 0:
                state[3] += 1
                if bound > threshold[1]:
                    threshold[1] = bound
                continue
            cut = 0.5 * (low[best] + high[best])
            # The half that holds the highest point comes first, that is last on the stack.
            for q in range(2):
                for f in range(d):
                    lower[top + q, f] = low[f]
                    upper[top + q, f] = high[f]
                for f in range(2 + d):
                    inside[top + q, f] = sums[f]
                if (at[best] < cut) == (q == 1):
                    upper[top + q, best] = cut
                else:
                    lower[top + q, best] = cut
                lists[top + q, 0] = last
                lists[top + q, 1] = last + n_kept
            state[0] = top + 2
    return status
