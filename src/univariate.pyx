"""Partitions of sorted values into runs: least-weight paths from row 0 to row n, a run being a step.

Node t stands for the boundary before row t, so that a step from node i to node t is the cluster of the rows i..t-1. With W
and S the sums of weights and of weighted values before a node, and the sum of squares left out since it is the same for
all partitions, a step costs

    s - (S_t - S_i)^2 / (W_t - W_i),          s: the penalty for a cluster,

and the least cost of a path to t is  h_t = min over i < t of  F_i(t) + s,  F_i(t) = h_i - (S_t - S_i)^2 / (W_t - W_i).
These costs have the Monge property: for i < j the difference F_j(t) - F_i(t) never grows with t. So once a later
start is as good as an earlier one it stays so, and the starts that may still be best form a queue (Galil, Park 1992,
doi:10.1016/0304-3975(92)90135-3).

A node is (W, S, h): three doubles, or three pairs of them, (W, S, h, then their low parts), which give twice the precision.
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy
from metric cimport two_product
from pair cimport Pair, minus, plus, quotient, square, two_sum

cdef enum:
    COARSE = 3   # doubles in a node
    FINE = 6
    LONG = 64    # starts to look at again and again before a doubt is accepted
    LIMBS = 29   # of 32 bits each
    LOWEST = 832 # the lowest bit of the first limb is 2**-LOWEST

N_LIMBS = LIMBS
LOWEST_BIT = LOWEST


# ---- the path ----

cdef inline Pair part(const double* node, int which) noexcept nogil:
    cdef Pair pair
    pair.high = node[which]
    pair.low = node[which + COARSE]
    return pair


cdef inline Pair fine_value(const double* i, const double* t) noexcept nogil:
    """F_i(t) of nodes in pairs."""
    return minus(part(i, 2), quotient(square(minus(part(t, 1), part(i, 1))), minus(part(t, 0), part(i, 0))))


cdef inline double value(const double* i, const double* t) noexcept nogil:
    """F_i(t) of nodes in doubles."""
    cdef double total = t[1] - i[1]
    return i[2] - total * total / (t[0] - i[0])


cdef inline double excess(const double* i, const double* j, const double* t, bint fine) noexcept nogil:
    """F_j(t) - F_i(t)."""
    cdef Pair difference
    if fine:
        difference = minus(fine_value(j, t), fine_value(i, t))
        return difference.high + difference.low
    return value(j, t) - value(i, t)


cdef inline bint worse(const double* i, const double* j, const double* t, bint fine) noexcept nogil:
    """Whether F_j(t) >= F_i(t), or nearly: in doubles without the divisions, which take long."""
    cdef double of_i, of_j
    if fine:
        return excess(i, j, t, True) >= 0
    of_i = t[1] - i[1]
    of_j = t[1] - j[1]
    return (j[2] - i[2]) * (t[0] - i[0]) * (t[0] - j[0]) >= of_j * of_j * (t[0] - i[0]) - of_i * of_i * (t[0] - j[0])


cdef inline void advance(
    double* nodes, Py_ssize_t n, double penalty, int* before, int* queue, Py_ssize_t* state, Py_ssize_t stop, bint fine,
) noexcept nogil:
    cdef:
        Py_ssize_t width = FINE if fine else COARSE, t, j, low, high, stride, front = state[1], back = state[2]
        Pair reached, step
        const double* new
        const double* last
    step.high = penalty
    step.low = 0
    for t in range(state[0], stop):
        # Row t - 1 is a new start, in use from row t on, or from where it becomes better than the last one of the queue.
        j = t - 1
        new = nodes + j * width
        while back > front:
            last = nodes + queue[2 * back - 2] * width
            low = max(<Py_ssize_t> queue[2 * back - 1], t)
            if worse(last, new, nodes + low * width, fine):
                break
            back -= 1
        high = t
        if back > front:
            stride = 1
            high = low + 1
            while high <= n and worse(last, new, nodes + high * width, fine):
                low = high
                stride *= 2
                high = low + stride
            if high > n:
                high = n
                if low == n or worse(last, new, nodes + n * width, fine):
                    high = n + 1
            while high <= n and high - low > 1:
                stride = (low + high) // 2
                if worse(last, new, nodes + stride * width, fine):
                    low = stride
                else:
                    high = stride
        if high <= n:
            queue[2 * back] = <int> j
            queue[2 * back + 1] = <int> high
            back += 1
        while back > front + 1 and queue[2 * front + 3] <= t:
            front += 1
        j = queue[2 * front]
        before[t] = <int> j
        if fine:
            reached = plus(fine_value(nodes + j * width, nodes + t * width), step)
            nodes[t * width + 2] = reached.high
            nodes[t * width + 5] = reached.low
        else:
            nodes[t * width + 2] = value(nodes + j * width, nodes + t * width) + penalty
    state[0] = stop
    state[1] = front
    state[2] = back


def shortest(
    double[:, ::1] nodes,             # INOUT (n + 1, 3 or 6): W and S; h is filled in
    double penalty,
    int[::1] before,                  # OUT (n + 1,): the node before, on the path to each
    int[:, ::1] queue,                # SCRATCH (n + 1, 2): starts, and from which row on they are the best
    Py_ssize_t[::1] state,            # INOUT (3,): next row, first and last of the queue; 1, 0, 0 at first
    Py_ssize_t stop,
):
    """The least cost of a path to each of the nodes before `stop`, going on from where the last call ended."""
    cdef Py_ssize_t n = nodes.shape[0] - 1
    with nogil:
        if nodes.shape[1] == FINE:
            advance(&nodes[0, 0], n, penalty, &before[0], &queue[0, 0], &state[0], stop, True)
        else:
            advance(&nodes[0, 0], n, penalty, &before[0], &queue[0, 0], &state[0], stop, False)


def lags(
    const double[:, ::1] nodes,       # IN (n + 1, 6): with h
    double penalty,
    Py_ssize_t t, Py_ssize_t first,
    double[::1] lag,                  # OUT (t - first,)
):
    """How much more than h_t paths to node t cost that come there from first .. t - 1."""
    cdef Py_ssize_t i
    cdef Pair over
    over.high = penalty
    over.low = 0
    over = minus(over, part(&nodes[t, 0], 2))
    cdef Pair cost
    for i in range(first, t):
        cost = plus(fine_value(&nodes[i, 0], &nodes[t, 0]), over)
        lag[i - first] = cost.high


def thin(
    const double[:, ::1] nodes,       # IN (n + 1, 3): W and S
    Py_ssize_t size,                  # nodes to keep, about: half of them by their number, half by where the values lie
    Py_ssize_t[::1] chosen,           # OUT (2 * size + 2,): nodes to keep, the first and the last among them
):
    """A few nodes in place of all, more of them where the values are sparse; returns how many."""
    cdef:
        Py_ssize_t t, count = 1, n = nodes.shape[0] - 1, place, last = -1
        double first, reach, value, by_number = size / (2.0 * n)
    first = nodes[1, 1] / nodes[1, 0]
    reach = size / (2 * ((nodes[n, 1] - nodes[n - 1, 1]) / (nodes[n, 0] - nodes[n - 1, 0]) - first))
    chosen[0] = 0
    with nogil:
        for t in range(1, n):
            value = (nodes[t, 1] - nodes[t - 1, 1]) / (nodes[t, 0] - nodes[t - 1, 0])
            place = <Py_ssize_t> ((value - first) * reach + t * by_number)
            if place != last and count < chosen.shape[0] - 1:
                chosen[count] = t
                count += 1
                last = place
    chosen[count] = n
    return count + 1


# ---- how far from the least costs these can be ----

cdef inline double look(
    const double* nodes, const int* before, double doubt, Py_ssize_t first, Py_ssize_t stop, int direction,
    Py_ssize_t* chosen, double* lost, bint fine,
) noexcept nogil:
    """The most by which a start on one side of the chosen ones can be better than these."""
    cdef:
        Py_ssize_t width = FINE if fine else COARSE, t = first, i, a, ac = chosen[0], begin, end
        double loss = lost[0], worst = 0, least, margin, now
        bint known
    while t != stop:
        a = before[t]
        if a != ac:
            # direction 1: starts before ac are worse than ac but for `loss`, at this row and later ones.
            # direction -1: starts after ac are, at this row and earlier ones.
            known = ac < t
            begin, end = (ac, a) if direction > 0 else (a + 1, min(ac + 1, t))
            least = 0
            margin = 0
            for i in range(begin, end):
                now = excess(nodes + a * width, nodes + i * width, nodes + t * width, fine)
                least = min(least, now)
                if i == ac:
                    margin = now
            now = doubt - least
            if known:
                now = max(now, loss - margin + doubt)
            worst = max(worst, now)
            if not known or margin >= 2 * doubt or end - begin > LONG:
                ac = a
                loss = now
        else:
            worst = max(worst, loss)
        t += direction
    chosen[0] = ac
    lost[0] = loss
    return worst


def verify(
    const double[:, ::1] nodes,       # IN (n + 1, 3 or 6): with h
    const int[::1] before,            # IN (n + 1,)
    double doubt,                     # a computed F_j(t) - F_i(t) is off by at most this
    Py_ssize_t first, Py_ssize_t stop, int direction,   # rows to look at: upwards (1) or downwards (-1)
    Py_ssize_t[::1] chosen,           # INOUT (1,): 0 at first going up, n going down
    double[::1] lost,                 # INOUT (1,): 0 at first
):
    """A bound on how much better than the start that was chosen another one can be: before it (1), or after it (-1).

    Nothing is taken from how the starts were found. By the Monge property a comparison of two starts at one row holds, going
    up, for all later rows if the later start is better, and going down for all earlier rows if the earlier one is. So
    each row looks at the starts between its own and one that was settled at a row before, the checkpoint, which moves on
    where its own start is better without doubt; what doubts there are then do not add up.
    """
    cdef double worst
    with nogil:
        if nodes.shape[1] == FINE:
            worst = look(&nodes[0, 0], &before[0], doubt, first, stop, direction, &chosen[0], &lost[0], True)
        else:
            worst = look(&nodes[0, 0], &before[0], doubt, first, stop, direction, &chosen[0], &lost[0], False)
    return worst


# ---- sums ----

def accumulate(
    const double[::1] values,         # IN (n,), sorted
    const double[::1] weights,        # IN (n,), or (0,) for ones
    double origin,
    double[:, ::1] nodes,             # OUT (n + 1, 3): W and S of values - origin, each the rounded exact sum or nearly
    double[::1] sums,                 # INOUT (6,): W, S and what their rounding left out; sums of w |x| and of w x^2
    Py_ssize_t first, Py_ssize_t stop,
):
    """The sums before each of the nodes first + 1 .. stop."""
    cdef:
        Py_ssize_t i
        double w = 1, x
        double products[2]
        bint weighted = weights.shape[0] > 0
        Pair weight, total, grown
        double sizes = sums[4], squares = sums[5]
    weight.high = sums[0]
    weight.low = sums[1]
    total.high = sums[2]
    total.low = sums[3]
    with nogil:
        for i in range(first, stop):
            x = values[i] - origin
            if weighted:
                w = weights[i]
            grown = two_sum(weight.high, w)
            weight.high = grown.high
            weight.low += grown.low
            grown = two_sum(total.high, w * x)
            total.high = grown.high
            total.low += grown.low
            sizes += w * fabs(x)
            squares += w * x * x
            nodes[i + 1, 0] = weight.high + weight.low
            nodes[i + 1, 1] = total.high + total.low
    sums[0], sums[1], sums[2], sums[3] = weight.high, weight.low, total.high, total.low
    sums[4], sums[5] = sizes, squares


cdef inline void deposit(double value, int64_t* limbs) noexcept nogil:
    """Add a normal double to a fixed-point number, exactly."""
    cdef uint64_t bits, mantissa, low, high
    cdef int64_t sign
    cdef int position
    if value == 0:
        return
    memcpy(&bits, &value, 8)
    position = <int> (bits >> 52 & 2047) - 1075 + LOWEST
    mantissa = (bits & ((<uint64_t> 1 << 52) - 1)) | <uint64_t> 1 << 52
    sign = -<int64_t> (bits >> 63)        # 0 or -1: (v ^ sign) - sign is v or -v
    limbs += position >> 5
    position &= 31
    low = <uint64_t> <uint32_t> mantissa << position
    high = (mantissa >> 32) << position
    limbs[0] += (<int64_t> <uint32_t> low ^ sign) - sign
    limbs[1] += (<int64_t> ((low >> 32) + <uint32_t> high) ^ sign) - sign
    limbs[2] += (<int64_t> (high >> 32) ^ sign) - sign


cdef inline void deposit_product(double w, double a, double b, int64_t* limbs) noexcept nogil:
    """Add w * a * b to a fixed-point number, exactly."""
    cdef double parts[2]
    cdef double pieces[2]
    cdef int m
    two_product(a, b, parts)
    for m in range(2):
        if w == 1:
            deposit(parts[m], limbs)
        elif parts[m] != 0:
            two_product(w, parts[m], pieces)
            deposit(pieces[0], limbs)
            deposit(pieces[1], limbs)


def add_up(
    const double[::1] values,         # IN (n,), of magnitude 2**-200 to 1, or 0
    const double[::1] weights,        # IN (n,), of magnitude 2**-200 to 1, or (0,) for ones
    double origin,
    const Py_ssize_t[::1] nodes,      # IN (m,), increasing
    long long[:, :, ::1] limbs,       # INOUT (m, 2, N_LIMBS): W and S of the rows between a node and the next, zeros before
    long long[::1] squares,           # INOUT (N_LIMBS,): the sum of w x^2
    Py_ssize_t segment,               # the first row lies between this node and the next
    Py_ssize_t first, Py_ssize_t stop,
):
    """Exact sums, in fixed point with limbs of 32 bits, of x = values - origin; returns the segment it came to."""
    cdef:
        Py_ssize_t i, m = nodes.shape[0]
        double w = 1
        bint weighted = weights.shape[0] > 0
        Pair x
    with nogil:
        for i in range(first, stop):
            while segment + 1 < m and nodes[segment + 1] <= i:
                segment += 1
            x = two_sum(values[i], -origin)
            if weighted:
                w = weights[i]
            deposit(w, <int64_t*> &limbs[segment, 0, 0])
            deposit_product(w, x.high, 1, <int64_t*> &limbs[segment, 1, 0])
            deposit_product(w, x.high, x.high, <int64_t*> &squares[0])
            if x.low != 0:
                deposit_product(w, x.low, 1, <int64_t*> &limbs[segment, 1, 0])
                deposit_product(w, 2 * x.low, x.high, <int64_t*> &squares[0])
                deposit_product(w, x.low, x.low, <int64_t*> &squares[0])
    return segment


# Sorting by digits of eight bits, the lowest first: stable, and in blocks, between which an interrupt acts.


cdef inline uint64_t key_of(double value) noexcept nogil:
    """Whole numbers in the order of the values."""
    cdef uint64_t bits
    memcpy(&bits, &value, 8)
    return ~bits if bits >> 63 else bits | (<uint64_t> 1 << 63)


def sort_keys(
    const double[::1] values,         # IN  (n,)
    uint64_t[::1] keys,               # OUT (n,)
    Py_ssize_t[:, ::1] counts,        # INOUT (8, 256): how many have each digit
    Py_ssize_t start,                 # IN  the block
    Py_ssize_t stop,
):
    """The keys of a block, and their digits counted."""
    cdef Py_ssize_t i, digit
    with nogil:
        for i in range(start, stop):
            keys[i] = key_of(values[i])
            for digit in range(8):
                counts[digit, (keys[i] >> 8 * digit) & 255] += 1


def sort_pass(
    const uint64_t[::1] keys,         # IN  (n,)
    const double[::1] weights,        # IN  (n,): what goes with each; or (0,)
    int digit,                        # IN  by which is sorted
    Py_ssize_t[::1] places,           # INOUT (256,): where the next with each digit goes
    uint64_t[::1] sorted_keys,        # OUT (n,)
    double[::1] sorted_weights,       # OUT (n,); or (0,)
    Py_ssize_t start,                 # IN  the block
    Py_ssize_t stop,
):
    """Deal a block out by one digit."""
    cdef Py_ssize_t i, place
    cdef bint weighted = weights.shape[0] > 0
    with nogil:
        for i in range(start, stop):
            place = places[(keys[i] >> 8 * digit) & 255]
            places[(keys[i] >> 8 * digit) & 255] = place + 1
            sorted_keys[place] = keys[i]
            if weighted:
                sorted_weights[place] = weights[i]


def sort_values(
    const uint64_t[::1] keys,         # IN  (n,)
    double[::1] values,               # OUT (n,)
    Py_ssize_t start,                 # IN  the block
    Py_ssize_t stop,
):
    """The values of a block of keys."""
    cdef Py_ssize_t i
    cdef uint64_t bits
    with nogil:
        for i in range(start, stop):
            bits = keys[i] & ~(<uint64_t> 1 << 63) if keys[i] >> 63 else ~keys[i]
            memcpy(&values[i], &bits, 8)
