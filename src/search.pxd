"""Seeding, Lloyd's iteration and exchanges over rows that fit one block, each in one go.

The same arithmetic, in the same order, as that of seeding.py, lloyd.py and exchange.py with the other kernels. Unusual runs
(centers far from all rows, iterations without end) are left to these: UNUSUAL.
"""

from cython cimport floating
from few cimport add_gains, add_up, shift
from fixed cimport cluster_mean
from libc.stdint cimport int32_t
from libc.string cimport memcpy
from metric cimport nearest_center, sq_distances
from moves cimport better_cluster, move_rows
from problem cimport Problem, Search, Settings, State, lay_out_problem, lay_out_search, pack_centers, prepare
from rowwise cimport inertia_of, removal_gain_rows
from scores cimport error_bound

cdef extern from "math.h" nogil:
    double INFINITY

cdef enum: CONVERGED, MAX_ITER, HOPELESS, UNUSUAL
# Whether a call is done, or why not: other kernels have to do it; random numbers are lacking; it has taken long; scores in single
# precision tell too little.
cdef enum: DONE, UNSUPPORTED, NEEDS_NUMBERS, PAUSED, NEEDS_DOUBLE


# ---- a search ----

cdef inline Py_ssize_t lay_out(
    Search* s, double* memory, const Settings* settings, Py_ssize_t n, Py_ssize_t d, Py_ssize_t k, bint wide
) noexcept nogil:
    """Find the places of the arrays in memory, which is not touched; returns the doubles that they take."""
    cdef Py_ssize_t size = lay_out_problem(
        &s.problem, n, d, k, settings.n_candidates, wide, <int> settings.instructions, memory
    )
    return size + lay_out_search(s, memory + size)


cdef inline Py_ssize_t room_for(
    const Settings* settings, Py_ssize_t n, Py_ssize_t d, Py_ssize_t k, bint wide
) noexcept nogil:
    """The doubles that the arrays of a search take."""
    cdef Search s
    cdef double somewhere
    return lay_out(&s, &somewhere, settings, n, d, k, wide)


cdef inline int begin(
    const floating* X, const double* weights, Search* s, double* memory, const Settings* settings, Py_ssize_t n,
    Py_ssize_t d, Py_ssize_t k, bint wide, Py_ssize_t start,
) noexcept nogil:
    """Make the rows ready for restarts from number `start` on; returns DONE, or UNSUPPORTED where they are unusual."""
    lay_out(s, memory, settings, n, d, k, wide)
    s.settings = settings[0]
    s.problem.weights = weights
    s.max_iter = settings.max_iter
    s.n_distances = s.n_labelled = s.n_recomputed = s.n_used = 0
    s.began = s.done = start
    s.budget = s.inertia = INFINITY
    s.reason = CONVERGED
    s.finished = s.weighed = False
    return UNSUPPORTED if prepare(X, &s.problem) else DONE


# ---- seeding, as in seeding.py ----

cdef inline Py_ssize_t draw(const double* cumulated, Py_ssize_t n, double number) noexcept nogil:
    """Index of a row drawn by its mass, never one without mass: the first whose cumulated mass exceeds the value drawn."""
    cdef double total = cumulated[n - 1], value = number * total
    cdef bint last = value >= total   # rounding can max_norm the total: then the first that is not below it
    cdef Py_ssize_t half
    cdef const double* low = cumulated
    while n > 1:                      # the answer is among low[0], ..., low[n - 1]
        half = n // 2
        low += half if (low[half - 1] < total if last else low[half - 1] <= value) else 0
        n -= half
    return low - cumulated


cdef inline void seed(Search* s, const double* numbers) noexcept nogil:
    """Greedy k-means++ with 1 + (k - 1) n_candidates given numbers; the first center fills up for distinct rows."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t n = p.n, k, c, f, row, first, best
    first = row = draw(p.cumulated, n, numbers[0])
    p.kernels.lower(p.columns, p.stride, p.d, row, NULL, s.closest)
    s.n_distances += 2 * n
    for k in range(p.k):
        if k:
            add_up(s.closest, p.weights, n, s.run)
        if k and s.run[n - 1] > 0:
            for c in range(p.n_candidates):
                s.rows[c] = draw(s.run, n, numbers[1 + (k - 1) * p.n_candidates + c])
            for c in range(p.n_candidates):
                p.kernels.lower(p.columns, p.stride, p.d, s.rows[c], s.closest, s.lowered + c * p.stride)
            add_gains(s.closest, s.lowered, p.weights, n, p.stride, p.n_candidates, s.gains)
            s.n_distances += n * (1 + p.n_candidates)
            best = 0
            for c in range(1, p.n_candidates):
                if s.gains[c] > s.gains[best]:
                    best = c
            row = s.rows[best]
            memcpy(s.closest, s.lowered + best * p.stride, n * sizeof(double))
        elif k:
            row = first
        for f in range(p.d):
            s.state.centers[k * p.d + f] = p.columns[f * p.stride + row]


# ---- Lloyd's iteration, as in panels.pyx and lloyd.py ----

cdef inline Py_ssize_t label(const floating* X, Search* s, State* state) noexcept nogil:
    """Label all rows with their exact nearest centers; the sums follow, if there are any.

    Returns the number of rows moved, negative for what is unusual: centers too far from all rows for scores.
    """
    cdef Problem* p = &s.problem
    cdef bint doubtful = False
    cdef Py_ssize_t j, i, n = p.n, n_moved = 0
    cdef double max_center_norm = pack_centers(s, state.centers)
    cdef int32_t k
    cdef int32_t* labels = state.labels
    cdef int32_t* to_relabel = s.to_relabel  # the moved rows too: no more than were looked at
    cdef int32_t* old_labels = s.old_labels
    if not max_center_norm * (max_center_norm + p.max_norm) < (1e300 if p.wide else 1e36):
        return -1
    s.margin = error_bound(p.max_norm, max_center_norm, p.d, p.wide)
    s.n_distances += p.n * p.k
    s.n_labelled += p.n
    for j in range(p.kernels.label[p.wide](
        p.panels, p.n_panels, p.d, s.packed, p.k, s.margin, s.scores, s.nearest, labels, to_relabel
    )):
        i = to_relabel[j]
        k = s.nearest[i]
        if i >= n:
            labels[i] = k
            continue
        if k < 0:
            s.n_recomputed += 1
            sq_distances(X + i * p.d, s.centers_t, p.d, p.k, s.scratch)
            k = <int32_t> nearest_center(X + i * p.d, state.centers, p.d, p.k, s.scratch, &doubtful)
            if k == labels[i]:
                continue
        to_relabel[n_moved] = <int32_t> i
        old_labels[n_moved] = labels[i]
        labels[i] = k
        n_moved += 1
    if state.sums != NULL:
        shift(p.pairs, p.width, to_relabel, old_labels, n_moved, labels, state.sums)
    return n_moved


cdef inline double inertia(const floating* X, Search* s, State* state) noexcept nogil:
    s.n_distances += s.problem.n
    return inertia_of(X, s.problem.n, s.problem.d, s.problem.weights, <const int*> state.labels, state.centers, 0)


cdef inline Py_ssize_t means(const Problem* p, const State* state, double* centers, double* masses) noexcept nogil:
    """The means of the clusters; a center without weight stays. Returns the number of those."""
    cdef Py_ssize_t k, n_empty = 0
    for k in range(p.k):
        masses[k] = cluster_mean(state.sums + k * p.width, p.units, p.d, centers + k * p.d)
        n_empty += masses[k] == 0
    return n_empty


cdef inline bint equal_rows(const Problem* p, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    cdef Py_ssize_t f
    for f in range(p.d):
        if p.columns[f * p.stride + i] != p.columns[f * p.stride + j]:
            return False
    return True


cdef inline void weigh_points(Search* s) noexcept nogil:
    """The weight of all rows equal to each row."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t i, j, n_equal
    for i in range(p.n):
        s.points[i] = -1
    for i in range(p.n):
        if s.points[i] >= 0:
            continue
        n_equal = 0
        s.points[i] = 0
        for j in range(i, p.n):
            if equal_rows(p, i, j):
                s.equal[n_equal] = <int32_t> j
                n_equal += 1
                s.points[i] += 1 if p.weights == NULL else p.weights[j]
        for j in range(1, n_equal):
            s.points[s.equal[j]] = s.points[i]
    s.weighed = True


cdef inline void relocate(const floating* X, Search* s, State* state) noexcept nogil:
    """Move each center without weight to the point whose own cluster lowers the inertia most, one after the other."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t k, f, i, row, old, other
    cdef double weight, most
    cdef double* gains = s.lowered
    cdef double* mean
    if not s.weighed:
        weigh_points(s)
    memcpy(s.exchanged, state.labels, p.n * sizeof(int32_t))
    for k in range(p.k):
        if s.masses[k] != 0:
            continue
        for i in range(p.n):  # all of a cluster, rounding or not
            weight = s.masses[s.exchanged[i]]
            s.run[i] = weight if s.points[i] >= weight * (1 - 1e-12) else s.points[i]
            if p.weights != NULL and p.weights[i] == 0:  # it is no point
                s.run[i] = 0
        removal_gain_rows(
            X, p.n, p.d, s.run, <const int*> s.exchanged, state.centers, s.masses, gains
        )
        s.n_distances += p.n
        most = gains[0]
        for i in range(1, p.n):
            most = max(most, gains[i])
        row = 0
        while gains[row] < most * (1 - 1e-12):  # the first of the rows whose gains differ by rounding alone
            row += 1
        if most == 0:  # too few distinct rows
            other = 0
            while s.masses[other] == 0:
                other += 1
            for i in range(k, p.k):
                if s.masses[i] == 0:
                    memcpy(state.centers + i * p.d, state.centers + other * p.d, p.d * sizeof(double))
            return
        old = s.exchanged[row]
        weight = s.points[row]
        mean = state.centers + old * p.d
        s.masses[old] -= weight
        for f in range(p.d):
            mean[f] -= weight / s.masses[old] * (<double> X[row * p.d + f] - mean[f])
            state.centers[k * p.d + f] = X[row * p.d + f]
        s.masses[k] = weight
        for i in range(p.n):
            if equal_rows(p, i, row):
                s.exchanged[i] = <int32_t> k


cdef inline int lloyd(
    const floating* X, Search* s, State* state, Py_ssize_t max_iter, double ceiling, Py_ssize_t* n_iter
) noexcept nogil:
    """Lloyd's iteration to the fixed point, or until 3 updates have not brought the inertia below the ceiling."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t n_moved, n_empty, k
    n_iter[0] = 0
    s.relocated = False
    while True:
        n_moved = label(X, s, state)
        if n_moved < 0:
            return UNUSUAL
        if n_moved == 0 and n_iter[0]:
            return CONVERGED
        if n_iter[0] == max_iter:
            return MAX_ITER
        if n_iter[0] == 3 and ceiling < INFINITY and inertia(X, s, state) > ceiling:
            return HOPELESS
        if n_iter[0] == 255:  # now and then lloyd.py makes sure that the inertia falls
            return UNUSUAL
        n_empty = means(p, state, state.centers, s.masses)
        n_iter[0] += 1
        s.relocated = n_empty > 0
        if n_empty:
            relocate(X, s, state)


# ---- exchanges, as in exchange.py ----

cdef inline bint may_move(
    const Problem* p, const Search* s, const State* state, Py_ssize_t i, double weight, double least, double slack,
    double norm_error,
) noexcept nogil:
    """Whether the scores of the last assignment leave it open that a row's move would lower the inertia.

    A row of weight w in a cluster of mass A gains w A / (A - w) times its least squared distance, and costs, for the least
    mass B, at least w B / (B + w) times the second least.
    """
    cdef Py_ssize_t at = i // p.n_rows * 2 * p.n_rows + i % p.n_rows
    cdef double mass = s.masses[state.labels[i]], norm = p.norms[i], first, second
    if weight <= 0 or mass <= weight:
        return False
    if p.wide:
        first = (<const double*> s.scores)[at]
        second = (<const double*> s.scores)[at + p.n_rows]
    else:
        first = (<const float*> s.scores)[at]
        second = (<const float*> s.scores)[at + p.n_rows]
    return (
        mass * (least + weight) * (norm + 2 * first + slack + norm_error * norm)
        > (mass - weight) * least * (norm + 2 * second - slack - norm_error * norm)
    )


cdef inline Py_ssize_t find_movable(const floating* X, Search* s, State* state) noexcept nogil:
    """List the rows whose move would lower the inertia, all others staying, at a fixed point; returns their number."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t j, i, k, f, n_movable = 0, n_rows = p.n
    cdef double least = INFINITY, smallest = INFINITY, weight = 1, norm_error = (p.d + 4) * 1.2e-16 if p.wide else 2.5e-7
    cdef bint bounded = not s.relocated, listed = bounded and p.weights == NULL
    s.n_distances += p.n * p.k
    if s.relocated:
        memcpy(s.means, state.centers, p.k * p.d * sizeof(double))
        means(p, state, s.means, s.masses)
        for k in range(p.k):
            for f in range(p.d):
                s.centers_t[f * p.k + k] = s.means[k * p.d + f]
    if bounded:
        for k in range(p.k):
            least = min(least, s.masses[k])
            if s.masses[k] > 1:  # others have nothing to move
                smallest = min(smallest, s.masses[k])
    if listed:
        n_rows = p.kernels.exchange_candidates[p.wide](
            s.scores, p.norms, p.n_panels, (1 if smallest == INFINITY else smallest / (smallest - 1)) * (least + 1) / least,
            2 * s.margin, norm_error, s.to_relabel,
        )
    for j in range(n_rows):
        i = s.to_relabel[j] if listed else j
        if i >= p.n:
            break
        if p.weights != NULL:
            weight = p.weights[i]
        if bounded and not may_move(p, s, state, i, weight, least, 2 * s.margin, norm_error):
            continue
        if state.labels[i] != better_cluster(
            X + i * p.d, weight, state.labels[i], s.centers_t, s.masses, p.d, p.k, s.scratch
        ):
            s.rows[n_movable] = i
            n_movable += 1
    return n_movable


cdef inline Py_ssize_t exchange(const floating* X, Search* s, State* state) noexcept nogil:
    """Move rows one after the other, at a fixed point whose centers are the means; returns how many were tried."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t k, f, n_movable = find_movable(X, s, state)
    if n_movable:
        memcpy(s.exchanged, state.labels, p.n * sizeof(int32_t))
        move_rows(X, p.weights, s.rows, n_movable, <int*> s.exchanged, s.centers_t, s.masses, p.d, p.k, s.scratch)
        for k in range(p.k):
            for f in range(p.d):
                state.centers[k * p.d + f] = s.centers_t[f * p.k + k]
    return n_movable


cdef inline int polish(
    const floating* X, Search* s, State* state, Py_ssize_t max_iter, Py_ssize_t* n_iter
) noexcept nogil:
    """Exchange rows at a fixed point of Lloyd's iteration, whose centers are the means, until none is left to move."""
    cdef Py_ssize_t more, n_rounds = 0
    n_iter[0] = 0
    while n_iter[0] != max_iter and exchange(X, s, state):
        if lloyd(X, s, state, -1 if max_iter < 0 else max_iter - n_iter[0], INFINITY, &more) == UNUSUAL:
            return UNUSUAL
        n_iter[0] += more
        n_rounds += 1
        if n_rounds == 64:  # now and then exchange.py makes sure that the inertia falls
            return UNUSUAL
    return CONVERGED


# ---- what is kept ----

cdef inline void copy_state(Problem* p, const State* source, State* target) noexcept nogil:
    memcpy(target.labels, source.labels, p.n * sizeof(int32_t))
    memcpy(target.centers, source.centers, p.k * p.d * sizeof(double))
    memcpy(target.sums, source.sums, p.k * p.width * sizeof(long long))


cdef inline double offer(const floating* X, Search* s, State* state) noexcept nogil:
    """Keep the clustering if it is the best so far; returns its inertia."""
    cdef double value = inertia(X, s, state)
    if value < s.inertia:
        s.inertia = value
        s.best_restart = s.done
        copy_state(&s.problem, state, &s.best)
    return value
