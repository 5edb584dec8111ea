"""The greatest value of f(y) = sum_i w_i max(0, l_i - |x_i - y|^2) over all centers y, for prices l_i of the rows.

Branch and bound over boxes for y, the mean of the rows that count: rows inside are one quadratic, those outside are dropped, and
only undecided ones are looked at again (boxes.pxd). A box is closed where its bound is not above the threshold, where no mean of
rows can be in it, or where all rows are decided: there f is one quadratic and its greatest value is known.
"""

from boxes cimport add_row, lowest, upper_bound, mean_bound, shrink, classify_rows


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
                    starts[s, f] = 0
                for i in range(n):
                    if members[s, i]:
                        for f in range(d):
                            starts[s, f] += weights[i] * X[i, f]
                for f in range(d):
                    starts[s, f] /= mass


cdef enum: DONE, SPENT, FULL   # what `search` returns


cdef struct Search:
    # The problem, as `search` is given it.
    Py_ssize_t n, d, n_pairs
    const double* X
    const double* weights
    const double* prices
    const double* tops
    const double* slacks
    const unsigned char* has_cannot_link
    const int* cannot_link
    double rounding, kappa, tiny, norm, mean_error, tolerance
    bint best_only
    # Boxes still to look at, a stack: lower and upper ends and the sum of the rows inside; where the list of each is in the pool.
    Py_ssize_t n_open, capacity, pool_size
    double* boxes
    Py_ssize_t* lists
    int* pool
    # What was found, and the greatest bound of the boxes given up.
    Py_ssize_t n_found, n_most, n_branched, n_boxes, n_given_up, budget
    double* found
    int* branched_rows
    double threshold, given_up
    # The box at hand: its ends, the rows inside, what is above the others, where the bound is reached.
    double* low
    double* high
    double* inside
    double* cover
    double* at
    double* away
    double* sums
    double bound
    int* kept                     # its list, which begins in the pool at `first`
    Py_ssize_t first, n_kept, n_undecided, narrow
    Py_ssize_t clash              # a pair of rows that may both count, or -1
    bint both_count               # and do so everywhere on the box
    unsigned char* marks


cdef inline bint is_full(const Search* s) noexcept nogil:
    """Whether there may be no room for what comes of the next box."""
    cdef const Py_ssize_t* own = s.lists + 2 * (s.n_open - 1)
    return s.n_open + 1 > s.capacity or s.n_found >= s.n_most or own[1] + 3 * (own[1] - own[0]) > s.pool_size


cdef inline void take_box(Search* s) noexcept nogil:
    """The box on top of the stack becomes the one at hand; its list is that of the box it was made of."""
    cdef Py_ssize_t f
    cdef const double* box
    s.n_open -= 1
    s.n_boxes += 1
    box = s.boxes + s.n_open * (3 * s.d + 2)
    for f in range(s.d):
        s.low[f] = box[f]
        s.high[f] = box[s.d + f]
    for f in range(2 + s.d):
        s.inside[f] = box[2 * s.d + f]
    s.first = s.lists[2 * s.n_open + 1]
    s.kept = s.pool + s.first


cdef inline void put_box(Search* s, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Put the box at hand on the stack, with a list in the pool."""
    cdef Py_ssize_t f
    cdef double* box = s.boxes + s.n_open * (3 * s.d + 2)
    for f in range(s.d):
        box[f] = s.low[f]
        box[s.d + f] = s.high[f]
    for f in range(2 + s.d):
        box[2 * s.d + f] = s.inside[f]
    s.lists[2 * s.n_open] = start
    s.lists[2 * s.n_open + 1] = stop
    s.n_open += 1


cdef inline Py_ssize_t classify(Search* s, const int* rows, Py_ssize_t n_rows, Py_ssize_t d) noexcept nogil:
    return classify_rows(
        s.X, s.weights, s.tops, s.prices, s.slacks, s.has_cannot_link, s.n, rows, n_rows, d, s.low, s.high, s.inside, s.cover,
        s.kept, &s.n_undecided, &s.narrow,
    )


cdef inline double by_means(Search* s, const int* rows, Py_ssize_t n_rows, Py_ssize_t d) noexcept nogil:
    return mean_bound(
        s.X, s.weights, s.prices, s.n, rows, n_rows, d, s.mean_error, s.norm, s.threshold, s.low, s.high, s.inside, s.away,
        s.sums,
    )


cdef inline bint is_ruled_out(Search* s) noexcept nogil:
    """Whether nothing on the box is above the threshold, or no mean of rows is in it; cuts off what cannot hold one on the way."""
    cdef const int* rows = s.pool + s.lists[2 * s.n_open]
    cdef Py_ssize_t attempt = 0, n_rows = s.first - s.lists[2 * s.n_open]
    cdef double shrunk = 1
    s.budget -= 2 * n_rows
    # The same functions for some numbers of features: where that is known, the compiler unrolls their loops.
    if s.d == 2:
        s.bound = by_means(s, rows, n_rows, 2)
    elif s.d == 3:
        s.bound = by_means(s, rows, n_rows, 3)
    elif s.d == 4:
        s.bound = by_means(s, rows, n_rows, 4)
    elif s.d == 5:
        s.bound = by_means(s, rows, n_rows, 5)
    else:
        s.bound = by_means(s, rows, n_rows, s.d)
    if s.bound <= s.threshold:
        return True
    while True:
        s.budget -= 20 + n_rows
        if s.d == 2:
            n_rows = classify(s, rows, n_rows, 2)
        elif s.d == 3:
            n_rows = classify(s, rows, n_rows, 3)
        elif s.d == 4:
            n_rows = classify(s, rows, n_rows, 4)
        elif s.d == 5:
            n_rows = classify(s, rows, n_rows, 5)
        else:
            n_rows = classify(s, rows, n_rows, s.d)
        rows = s.kept
        s.n_kept = n_rows
        s.bound = upper_bound(s.inside, s.cover, s.d, s.kappa, s.low, s.high, s.at)
        if s.bound <= s.threshold:
            return True
        if s.n_undecided == 0 or attempt == 4 or shrunk > 0.9 and attempt > 0:
            return False
        attempt += 1
        if not shrink(s.X, s.weights, s.n, s.kept, n_rows, s.d, s.rounding, s.tiny, s.low, s.high, s.inside, &shrunk):
            return True


cdef inline bint breaks_cannot_link(Search* s) noexcept nogil:
    """Whether two rows that must not both count have been branched to; finds a pair that may both count, which is to be split."""
    cdef Py_ssize_t r, p, one, other
    cdef int e
    cdef bint broken = False
    s.clash = -1
    s.both_count = False
    if s.n_pairs == 0:
        return False
    for r in range(s.n_kept):     # 3: branched to count, 2: counts everywhere on the box, 1: may count
        e = s.kept[r]
        if e < 0:
            s.marks[~e] = 3
        elif e < s.n and s.has_cannot_link[e]:
            s.marks[e] = 2 if lowest(s.X + e * s.d, s.prices[e], s.d, s.low, s.high) >= s.slacks[e] else 1
    for p in range(s.n_pairs):
        one = s.marks[s.cannot_link[2 * p]]
        other = s.marks[s.cannot_link[2 * p + 1]]
        if one and other and not s.both_count:
            s.clash = p
            s.both_count = one > 1 and other > 1
            if one + other == 6:
                broken = True
                break
    for r in range(s.n_kept):
        e = s.kept[r]
        if e < s.n:
            s.marks[e if e >= 0 else ~e] = 0
    return broken


cdef inline double term_at(const Search* s, Py_ssize_t i) noexcept nogil:
    """What row i earns where the bound is reached."""
    return lowest(s.X + i * s.d, s.prices[i], s.d, s.at, s.at)


cdef inline void record(Search* s, double value, Py_ssize_t n_branched) noexcept nogil:
    """Take down the point where the bound is reached."""
    cdef Py_ssize_t f, r
    cdef double* found = s.found + s.n_found * (1 + s.d)
    cdef int* branched_rows = s.branched_rows + s.n_found * s.n_branched
    found[0] = value
    for f in range(s.d):
        found[1 + f] = s.at[f]
    branched_rows[0] = <int> n_branched
    for r in range(n_branched):
        branched_rows[1 + r] = s.kept[r]
    s.n_found += 1


cdef inline void raise_threshold(Search* s, double value) noexcept nogil:
    if value + s.tolerance > s.threshold:
        s.threshold = value + s.tolerance


cdef inline void give_up(Search* s) noexcept nogil:
    """Rounding decides on this box: its bound is all that is known of it."""
    s.n_given_up += 1
    if s.bound > s.given_up:
        s.given_up = s.bound


cdef inline bint is_at_home(const Search* s) noexcept nogil:
    """Whether the mean of the rows that count is on the box."""
    cdef Py_ssize_t f
    cdef double mean
    for f in range(s.d):
        mean = (s.inside[2 + f] + s.cover[2 + f]) / (s.inside[0] + s.cover[0])
        if mean < s.low[f] - s.tiny or mean > s.high[f] + s.tiny:
            return False
    return True


cdef inline void record_set(Search* s) noexcept nogil:
    """One set of rows counts on the whole box: a list of all sets needs it only where its mean is."""
    if not s.best_only and not is_at_home(s):
        return
    if s.n_kept >= s.n_branched:
        give_up(s)
        return
    record(s, s.bound, s.n_kept)
    if s.best_only:
        raise_threshold(s, s.bound)


cdef inline void drop_one_of_pairs(Search* s) noexcept nogil:
    """Of two marked rows that must not both count, the one that earns less where the bound is reached is no longer marked."""
    cdef Py_ssize_t p, one, other
    for p in range(s.n_pairs):
        one = s.cannot_link[2 * p]
        other = s.cannot_link[2 * p + 1]
        if s.marks[one] and s.marks[other]:
            if s.marks[one] == s.marks[other]:
                if term_at(s, one) < term_at(s, other):
                    s.marks[one] = 0
                else:
                    s.marks[other] = 0
            elif s.marks[one] < s.marks[other]:
                s.marks[one] = 0
            else:
                s.marks[other] = 0


cdef inline void record_mean(Search* s) noexcept nogil:
    """Where only the greatest value is wanted: the rows that count where the bound is reached earn most at their mean."""
    cdef Py_ssize_t r, f
    cdef int e
    cdef double value
    for r in range(s.n_kept):
        e = s.kept[r]
        if e < s.n:
            s.marks[e if e >= 0 else ~e] = 2 if e < 0 else term_at(s, e) > 0
    drop_one_of_pairs(s)
    for f in range(2 + s.d):
        s.sums[f] = s.inside[f]
    for r in range(s.n_kept):
        e = s.kept[r]
        if e < s.n:
            e = ~e if e < 0 else e
            if s.marks[e]:
                add_row(s.sums, s.X + e * s.d, s.weights[e], s.tops[e], s.d)
            s.marks[e] = 0
    if not s.sums[0] > 0:
        return
    value = s.sums[1]
    for f in range(s.d):
        s.at[f] = s.sums[2 + f] / s.sums[0]
        value += s.sums[2 + f] * s.at[f]
    if value + s.tolerance > s.threshold:
        record(s, value, 0)
        raise_threshold(s, value)


cdef inline Py_ssize_t widest_axis(const Search* s) noexcept nogil:
    """The axis to cut the box along; -1 if there is none."""
    cdef Py_ssize_t f, best = -1
    cdef double most = s.tiny
    for f in range(s.d):
        if s.high[f] - s.low[f] > most:
            most = s.high[f] - s.low[f]
            best = f
    return best


cdef inline void branch_on_row(Search* s) noexcept nogil:
    """Only branching decides more: one of two rows does not count, or a row counts or not."""
    cdef Py_ssize_t side, r, start, stop
    cdef int e
    cdef bint empty
    for side in range(2):
        start = stop = s.first + s.n_kept * (1 + side)
        empty = False
        for r in range(s.n_kept):
            e = s.kept[r]
            if s.both_count:
                if e == s.cannot_link[2 * s.clash + side]:
                    e += <int> s.n
                elif e == ~s.cannot_link[2 * s.clash + side]:
                    empty = True
            elif r == s.narrow:
                e = ~e if side == 0 else e + <int> s.n
            s.pool[stop] = e
            stop += 1
        if not empty:
            put_box(s, start, stop)


cdef inline void bisect(Search* s, Py_ssize_t axis) noexcept nogil:
    """Cut the box in two; the half that holds the highest point comes first, that is last on the stack."""
    cdef double low = s.low[axis], high = s.high[axis], cut = 0.5 * (s.low[axis] + s.high[axis])
    cdef Py_ssize_t half
    for half in range(2):
        s.low[axis] = low
        s.high[axis] = high
        if (s.at[axis] < cut) == (half == 1):
            s.high[axis] = cut
        else:
            s.low[axis] = cut
        put_box(s, s.first, s.first + s.n_kept)


def search(
    const double[:, ::1] X,           # IN  (n, d)
    const double[::1] weights,        # IN  (n,)
    const double[::1] prices,         # IN  (n,)
    const double[::1] tops,           # IN  (n,): prices - |x|^2
    const double[::1] slacks,         # IN  (n,): a row is decided where its term is further than this from 0
    const unsigned char[::1] has_cannot_link, # IN  (n,): 1 for rows that are in a pair
    const int[:, ::1] cannot_link,    # IN  (n_pairs, 2): only one of the two rows may count
    double rounding,                  # IN  no sum of w (x - y) is off by more
    double kappa,                     # IN  no value of f is off by more than this times the weight that counts
    double tiny,                      # IN  boxes no wider than this are given up
    double norm,                      # IN  no row and no corner of a box is farther from 0
    double mean_error,                # IN  no bound by means is off by more
    bint best_only,                   # IN  the threshold rises with each value found
    double tolerance,                 # IN  to so much more than the value
    Py_ssize_t budget,                # IN  rows to look at before returning
    double[:, ::1] boxes,             # INOUT (capacity, 3 d + 2): stack of boxes: lower ends, upper ends, sum of the rows inside
    Py_ssize_t[:, ::1] lists,         # INOUT (capacity, 2): where the list of a box is in the pool
    int[::1] pool,                    # INOUT
    double[:, ::1] found,             # OUT (n_most, 1 + d): values above the threshold, and their points
    int[:, ::1] branched_rows,        # OUT (n_most, 1 + n_branched): how many rows the search decided there, and which (boxes.pxd)
    double[::1] bounds,               # INOUT (2,): the threshold; the greatest bound of the boxes given up
    Py_ssize_t[::1] state,            # INOUT (4,): boxes on the stack, points found, boxes looked at, boxes given up
    unsigned char[::1] marks,         #     (n,) zeros
    double[:, ::1] work,              #     (7, 2 + d)
):
    """Go on with the search; returns 0 when it is done, 1 when the budget is spent, 2 when a buffer is too small."""
    cdef Search s
    cdef int status = DONE
    s.n, s.d, s.n_pairs = X.shape[0], X.shape[1], cannot_link.shape[0]
    s.X, s.weights, s.prices, s.tops, s.slacks = &X[0, 0], &weights[0], &prices[0], &tops[0], &slacks[0]
    s.has_cannot_link = &has_cannot_link[0]
    s.cannot_link = &cannot_link[0, 0] if s.n_pairs else NULL
    s.rounding, s.kappa, s.tiny, s.norm, s.mean_error = rounding, kappa, tiny, norm, mean_error
    s.tolerance, s.best_only = tolerance, best_only
    s.capacity, s.pool_size, s.budget = boxes.shape[0], pool.shape[0], budget
    s.boxes, s.lists, s.pool, s.marks = &boxes[0, 0], &lists[0, 0], &pool[0], &marks[0]
    s.n_most, s.n_branched = found.shape[0], branched_rows.shape[1]
    s.found, s.branched_rows = &found[0, 0], &branched_rows[0, 0]
    s.threshold, s.given_up = bounds[0], bounds[1]
    s.n_open, s.n_found, s.n_boxes, s.n_given_up = state[0], state[1], state[2], state[3]
    s.low, s.high, s.inside = &work[0, 0], &work[1, 0], &work[2, 0]
    s.cover, s.at, s.away, s.sums = &work[3, 0], &work[4, 0], &work[5, 0], &work[6, 0]
    with nogil:
        status = advance(&s)
    bounds[0], bounds[1] = s.threshold, s.given_up
    state[0], state[1], state[2], state[3] = s.n_open, s.n_found, s.n_boxes, s.n_given_up
    return status


cdef inline int advance(Search* s) noexcept nogil:
    """Close one box after the other, or put parts of it on the stack."""
    cdef Py_ssize_t axis
    while s.n_open > 0:
        if s.budget <= 0:
            return SPENT
        if is_full(s):
            return FULL
        take_box(s)
        if is_ruled_out(s) or breaks_cannot_link(s):
            continue
        if s.n_undecided == 0 and s.clash < 0:
            record_set(s)
            continue
        if s.best_only:
            record_mean(s)
            if s.n_found == s.n_most:
                s.n_open += 1     # this box is to be looked at again
                continue
        axis = widest_axis(s)
        if s.both_count or s.narrow >= 0:
            branch_on_row(s)
        elif axis < 0:
            give_up(s)
        else:
            bisect(s, axis)
    return DONE
