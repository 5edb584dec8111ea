"""Whole fits of small data: restarts, swaps, and the centers of the best one put in order, with given random numbers.

Bit for bit what restarts.py comes to; whatever is unusual (search.pxd) is left to it. A search lives in a workspace: a call
returns when it has taken long, and the next one goes on.
"""

from cython cimport floating
from libc.math cimport fabs
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memmove, memset
from metric cimport nearest_center, sq_distances
from problem cimport End, Problem, Report, Search, Settings, State
from rowwise cimport accumulate_rows, loss_rows, two_nearest_rows
from search cimport (
    CONVERGED, DONE, HOPELESS, MAX_ITER, NEEDS_DOUBLE, NEEDS_NUMBERS, PAUSED, UNSUPPORTED, UNUSUAL, begin, copy_state, draw,
    inertia, label, lloyd, offer, polish, room_for, seed,
)

cdef enum: SWAPPING = 100             # the reason of a restart that has not ended, beside those of search.pxd

cdef extern from "math.h" nogil:
    double INFINITY


# ---- restarts, as in restarts.py ----

cdef inline Py_ssize_t updates_left(const Search* s, Py_ssize_t n_iter) noexcept nogil:
    return -1 if s.max_iter < 0 else s.max_iter - n_iter


cdef inline double work(const Search* s) noexcept nogil:
    """Coordinate differences so far."""
    return <double> s.n_distances * s.problem.d


cdef inline void spread_out(const floating* X, Search* s) noexcept nogil:
    """The squared distances that swaps from s.state go by."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t i, k, f
    cdef double total = 0
    for k in range(p.k):
        for f in range(p.d):
            s.centers_t[f * p.k + k] = s.state.centers[k * p.d + f]
    two_nearest_rows(
        X, p.n, p.d, s.centers_t, p.k, <const int*> s.state.labels, s.scratch, s.closest, s.second
    )
    s.n_distances += p.n * p.k
    for i in range(p.n):
        total += s.closest[i] if p.weights == NULL else p.weights[i] * s.closest[i]
        s.cumulated[i] = total
    s.known = True


cdef inline void propose(const floating* X, Search* s, double number) noexcept nogil:
    """In s.trial, s.state with one center moved to a row that is drawn, as in swap.py."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t f, k, given_up = 0, row = draw(s.cumulated, p.n, number)
    cdef double* candidate = s.scratch
    for f in range(p.d):
        candidate[f] = X[row * p.d + f]
    memset(s.losses, 0, p.k * sizeof(double))
    loss_rows(
        X, p.n, p.d, p.weights, <const int*> s.state.labels, s.closest, s.second, candidate, s.losses
    )
    s.n_distances += p.n
    for k in range(1, p.k):
        if s.losses[k] < s.losses[given_up]:
            given_up = k
    copy_state(p, &s.state, &s.trial)
    memcpy(s.trial.centers + given_up * p.d, candidate, p.d * sizeof(double))


cdef inline int swap(const floating* X, Search* s, const double* numbers, Py_ssize_t n_numbers) noexcept nogil:
    """Random swaps until one leads to what is the best of all anyway, or too many in a row have failed."""
    cdef Problem* p = &s.problem
    cdef double ratio, value, same = s.settings.same
    cdef Py_ssize_t more, last
    cdef int reason
    while s.failures < max(s.settings.patience, p.k) and work(s) <= s.budget and s.n_iter != s.max_iter:
        if s.done and s.inertia * (1 - same) <= s.value <= s.inertia * (1 + same):
            break
        if s.n_distances > s.pause:
            return PAUSED
        if s.n_used == n_numbers:
            return NEEDS_NUMBERS
        if not s.known:
            spread_out(X, s)
        if s.cumulated[p.n - 1] == 0:  # every row lies on its center
            break
        propose(X, s, numbers[s.n_used])
        s.n_used += 1
        s.failures += 1
        reason = lloyd(
            X, s, &s.trial, updates_left(s, s.n_iter), s.value * (1 + s.settings.swap_reach), &more
        )
        if reason == HOPELESS:
            continue
        if reason == UNUSUAL:
            return UNSUPPORTED
        ratio = inertia(X, s, &s.trial) / s.value
        if ratio > 1 + s.settings.polish_reach or 1 - same <= ratio <= 1 + same:
            continue
        if polish(X, s, &s.trial, updates_left(s, s.n_iter + more), &last) == UNUSUAL:
            return UNSUPPORTED
        value = offer(X, s, &s.trial)
        if value < s.value * (1 - same):
            copy_state(p, &s.trial, &s.state)
            s.value = value
            s.n_iter += more + last
            s.failures = 0
            s.known = False
    return DONE


cdef inline int improve(const floating* X, Search* s) noexcept nogil:
    """From the centers in s.state to where neither Lloyd's iteration nor exchanges lead on."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t i, more
    for i in range(p.stride):
        s.state.labels[i] = -1
    memset(s.state.sums, 0, p.k * p.width * sizeof(long long))
    s.reason = lloyd(X, s, &s.state, s.max_iter, INFINITY, &s.n_iter)
    if s.reason == UNUSUAL:
        return UNSUPPORTED
    if s.budget == INFINITY:
        s.budget = max(s.settings.most_work, s.settings.work_ratio * work(s))
    s.first = s.n_iter
    if s.reason == CONVERGED and s.settings.polished:
        if polish(X, s, &s.state, updates_left(s, s.n_iter), &more) == UNUSUAL:
            return UNSUPPORTED
        s.n_iter += more
    s.value = offer(X, s, &s.state)
    if s.reason == CONVERGED and s.settings.polished and s.settings.swapped:
        s.reason = SWAPPING
        s.failures = 0
        s.known = False
    return DONE


cdef inline int go_on(
    const floating* X, Search* s, const double* init, const double* numbers, Py_ssize_t n_numbers, Py_ssize_t stop,
    End* ends,
) noexcept nogil:
    """Restarts up to number `stop`; what each came to goes into ends."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t i, n_hits, n_seeds = 0 if init != NULL else 1 + (p.k - 1) * p.n_candidates
    cdef int status
    while s.done < stop and not s.finished:
        if s.reason != SWAPPING:
            if s.n_distances > s.pause:
                return PAUSED
            if not s.settings.swapped:
                s.n_used = s.done * n_seeds
            if s.n_used + n_seeds > n_numbers:
                return NEEDS_NUMBERS
            if init != NULL:
                memcpy(s.state.centers, init, p.k * p.d * sizeof(double))
            else:
                seed(s, numbers + s.n_used)
            s.n_used += n_seeds
            if improve(X, s) != DONE:
                return UNSUPPORTED
        if s.reason == SWAPPING:
            status = swap(X, s, numbers, n_numbers)
            if status != DONE:
                return status
            s.reason = CONVERGED
        if s.reason == CONVERGED and s.first < s.n_iter == s.max_iter:
            s.reason = MAX_ITER
        ends[s.done].inertia, ends[s.done].n_iter, ends[s.done].at_max_iter = s.value, s.n_iter, s.reason == MAX_ITER
        s.done += 1
        s.finished = s.inertia == 0 or s.done == s.settings.n_init
        if s.settings.swapped:
            n_hits = hits(s, ends, s.done)
            s.finished |= work(s) > s.budget or n_hits >= (
                s.settings.easy_hits if work(s) <= s.settings.easy_work else s.settings.enough_hits
            )
        if floating is double and not p.wide and s.done == s.began + 1 and 8 * s.n_recomputed > s.n_labelled:
            return NEEDS_DOUBLE
    return DONE


cdef inline Py_ssize_t hits(const Search* s, const End* ends, Py_ssize_t n) noexcept nogil:
    """How many restarts have reached the best inertia."""
    cdef Py_ssize_t i, n_hits = 0
    for i in range(n):
        n_hits += ends[i].inertia <= s.inertia * (1 + s.settings.same)
    return n_hits


# ---- the result, in order ----

cdef inline bint before(const double* a, const double* b, Py_ssize_t d) noexcept nogil:
    """Whether a comes before b in lexicographic order."""
    cdef Py_ssize_t f
    for f in range(d):
        if a[f] != b[f]:
            return a[f] < b[f]
    return False


cdef inline bint sort_rows(double* rows, Py_ssize_t n, Py_ssize_t d, double* scratch) noexcept nogil:
    """Insertion sort, copies of a row replaced by copies of the last; returns whether anything changed."""
    cdef Py_ssize_t i, j, n_kept = 1
    cdef bint moved = False
    for i in range(1, n):
        j = i
        while j and before(rows + i * d, rows + (j - 1) * d, d):
            j -= 1
        if j < i:
            moved = True
            memcpy(scratch, rows + i * d, d * sizeof(double))
            memmove(rows + (j + 1) * d, rows + j * d, (i - j) * d * sizeof(double))
            memcpy(rows + j * d, scratch, d * sizeof(double))
    for i in range(1, n):
        if before(rows + (n_kept - 1) * d, rows + i * d, d):
            if n_kept < i:
                moved = True
                memcpy(rows + n_kept * d, rows + i * d, d * sizeof(double))
            n_kept += 1
    for i in range(n_kept, n):
        memcpy(rows + i * d, rows + (n_kept - 1) * d, d * sizeof(double))
    return moved


cdef inline int finish(const floating* X, Search* s, bint ordered, bint converged) noexcept nogil:
    """Put the centers of s.best in order, with labels made for just these; as Restarts.finish and round_off."""
    cdef Problem* p = &s.problem
    cdef State best = s.best, means = s.trial
    cdef double* shifts = <double*> s.trial.sums
    cdef Py_ssize_t size = p.k * p.d, attempt, i, c, n_moved
    cdef bint same
    best.sums = means.sums = NULL
    if ordered:
        sort_rows(best.centers, p.k, p.d, s.scratch)
    for attempt in range(s.settings.most_orders):
        if ordered:
            for i in range(p.n):
                best.labels[i] = -1
            if label(X, s, &best) < 0:
                return UNUSUAL
            s.inertia = inertia(X, s, &best)
        for i in range(3 if converged else 0):
            memset(shifts, 0, size * sizeof(double))
            memset(s.masses, 0, p.k * sizeof(double))
            s.inertia = accumulate_rows(X, p.n, p.d, p.weights, <const int*> best.labels, best.centers, shifts, s.masses, 0)
            same = True
            for c in range(size):
                means.centers[c] = best.centers[c] + shifts[c] / (s.masses[c // p.d] if s.masses[c // p.d] > 0 else 1)
                same &= means.centers[c] == best.centers[c]
            if same:
                break
            memcpy(means.labels, best.labels, p.n * sizeof(int32_t))
            n_moved = label(X, s, &means)
            if n_moved < 0:
                return UNUSUAL
            if n_moved:
                break
            memcpy(best.centers, means.centers, size * sizeof(double))
            s.inertia = inertia(X, s, &best)
        if not ordered or not sort_rows(best.centers, p.k, p.d, s.scratch):
            break
    return CONVERGED


cdef inline bint ended_better(const End* a, const End* b) noexcept nogil:
    """Whether a restart is to be reported before another: the lower inertia, then fewer updates."""
    if a.inertia != b.inertia:
        return a.inertia < b.inertia
    if a.n_iter != b.n_iter:
        return a.n_iter < b.n_iter
    return a.at_max_iter < b.at_max_iter


cdef inline int report_on(
    const floating* X, Search* s, bint ordered, Py_ssize_t n_restarts, const End* ends, int32_t* labels,
    double* centers, Report* report,
) noexcept nogil:
    """The result of n_restarts restarts, or of a first one that was cut off if that is 0: what KMeans would say."""
    cdef Problem* p = &s.problem
    cdef const End* end = ends
    cdef Py_ssize_t i
    report.n_hits = hits(s, ends, n_restarts)
    for i in range(1, n_restarts):
        if ended_better(ends + i, end):
            end = ends + i
    if finish(X, s, ordered, n_restarts > 0 and not end.at_max_iter) == UNUSUAL:
        return UNSUPPORTED
    report.status = DONE
    report.inertia, report.n_restarts = s.inertia, n_restarts
    report.n_iter = end.n_iter if n_restarts else 0
    report.at_max_iter = end.at_max_iter if n_restarts else 0
    report.n_recomputed, report.n_labelled = s.n_recomputed, s.n_labelled
    memcpy(labels, s.best.labels, p.n * sizeof(int32_t))
    memcpy(centers, s.best.centers, p.k * p.d * sizeof(double))
    return DONE


# ---- the calls ----

include "workspace.pxi"


def statuses():
    """What calls return, and the status of reports, by the names of C."""
    return {
        "DONE": DONE, "UNSUPPORTED": UNSUPPORTED, "NEEDS_NUMBERS": NEEDS_NUMBERS, "PAUSED": PAUSED, "NEEDS_DOUBLE": NEEDS_DOUBLE,
    }


def records(
    const Settings[::1] settings,     # IN  (1,)
    const End[::1] ends,              # IN  (1,)
    const Report[::1] reports,        # IN  (1,)
):
    """Records as the kernels see them, by the names of C: a test compares them with those of Python."""
    return settings[0], ends[0], reports[0]


def room(
    Py_ssize_t n_samples,
    Py_ssize_t n_features,
    Py_ssize_t n_clusters,
    const unsigned char[::1] settings, # IN  Settings of problem.pxd
    bint double,                      # IN  whether X is of double
):
    """The doubles of memory that a search over n_samples rows takes."""
    cdef Py_ssize_t size = 0
    cdef int wide
    for wide in range(1 + double):
        size = max(size, room_for(<const Settings*> &settings[0], n_samples, n_features, n_clusters, wide))
    return size


def fits(
    const floating[:, ::1] X,         # IN  (n_rows, n_features): the rows of all items, one after the other
    const double[::1] sample_weight,  # IN  (n_rows,), or (0,) for ones
    const Py_ssize_t[::1] offsets,    # IN  (n_items + 1,): where the rows of each begin
    Py_ssize_t start,                 # IN  the items of the block
    Py_ssize_t stop,
    const double[:, ::1] init,        # IN  (n_clusters, n_features), or (0, ...): seed by numbers
    const double[:, ::1] numbers,     # IN  (stop - start, n_numbers), in [0, 1)
    const unsigned char[::1] settings, # IN  Settings of problem.pxd
    Workspace workspace,              # INOUT for `restarts` if there is one item
    unsigned char[::1] ends,          # OUT (n_init,) End of problem.pxd, likewise
    int[::1] labels,                  # OUT (n_rows,)
    double[:, :, ::1] centers,        # OUT (n_items, n_clusters, n_features)
    unsigned char[::1] reports,       # OUT (n_items,) Report of problem.pxd
):
    """Fit the items of a block; returns whether any is left out. Its status then tells what is in the way."""
    cdef Search* s = &workspace.search
    cdef const Settings* given = <const Settings*> &settings[0]
    cdef End* end = <End*> &ends[0]
    cdef Report* report = <Report*> &reports[0]
    cdef const double* weights = NULL
    cdef const double* first = &init[0, 0] if init.shape[0] > 0 else NULL
    cdef Py_ssize_t item, row
    cdef int status, wide
    cdef bint incomplete = False
    with nogil:
        for item in range(start, stop):
            row = offsets[item]
            if sample_weight.shape[0] > 0:
                weights = &sample_weight[row]
            status = NEEDS_DOUBLE
            for wide in range(1 if floating is float else 2):
                if status == NEEDS_DOUBLE:
                    status = begin(
                        &X[row, 0], weights, s, &workspace.memory[0], given, offsets[item + 1] - row, X.shape[1],
                        centers.shape[1], wide, 0,
                    )
                    s.pause = given.most_distances
                    if status == DONE:
                        status = go_on(
                            &X[row, 0], s, first, &numbers[item - start, 0], numbers.shape[1], given.n_init, end
                        )
            if status == DONE:
                status = report_on(
                    &X[row, 0], s, first == NULL, s.done, end, <int32_t*> &labels[row], &centers[item, 0, 0], report + item
                )
            report[item].status = status
            incomplete |= status != DONE
    return incomplete


def restarts(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    Py_ssize_t start,                 # IN  the first restart of a new search; negative: go on with that in the workspace
    Py_ssize_t stop,                  # IN  up to which restart
    Py_ssize_t n_clusters,
    const double[:, ::1] init,        # IN  (n_clusters, n_features), or (0, n_features): seed by numbers
    const double[::1] numbers,        # IN  (n_numbers,)
    const unsigned char[::1] settings, # IN  Settings of problem.pxd
    Workspace workspace,              # INOUT
    unsigned char[::1] ends,          # OUT (n_init,) End of problem.pxd
):
    """Restarts of one item; returns DONE, or what is in the way."""
    cdef Search* s = &workspace.search
    cdef const Settings* given = <const Settings*> &settings[0]
    cdef End* end = <End*> &ends[0]
    cdef const double* weights = &sample_weight[0] if sample_weight.shape[0] > 0 else NULL
    cdef const double* first = &init[0, 0] if init.shape[0] > 0 else NULL
    cdef double* memory = &workspace.memory[0]
    cdef int status = DONE
    with nogil:
        if start >= 0:
            status = begin(
                &X[0, 0], weights, s, memory, given, X.shape[0], X.shape[1], n_clusters, False, start
            )
        s.problem.weights = weights
        s.pause = s.n_distances + given.most_distances
        if status == DONE:
            status = go_on(&X[0, 0], s, first, &numbers[0], numbers.shape[0], stop, end)
        if status == NEEDS_DOUBLE:
            status = begin(
                &X[0, 0], weights, s, memory, given, X.shape[0], X.shape[1], n_clusters, True, s.began
            )
            s.pause = given.most_distances
            if status == DONE:
                status = go_on(&X[0, 0], s, first, &numbers[0], numbers.shape[0], stop, end)
    return status


def conclude(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    bint ordered,                     # IN  whether to put the centers in order
    Py_ssize_t n_restarts,            # IN  how many count
    const unsigned char[::1] ends,    # IN  (n_init,) End of problem.pxd: what these came to
    Workspace workspace,              # INOUT of `restarts`, with the best of them
    int[::1] labels,                  # OUT (n_samples,)
    double[:, ::1] centers,           # OUT (n_clusters, n_features)
    unsigned char[::1] report,        # OUT (1,) Report of problem.pxd
):
    """The result of some restarts; returns whether there is none, or it is unusual and left out."""
    cdef Search* s = &workspace.search
    cdef int status
    if not s.inertia < INFINITY:
        return True
    with nogil:
        s.problem.weights = &sample_weight[0] if sample_weight.shape[0] > 0 else NULL
        status = report_on(
            &X[0, 0], s, ordered, n_restarts, <const End*> &ends[0], <int32_t*> &labels[0], &centers[0, 0],
            <Report*> &report[0],
        )
    return status != DONE


def extent(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
):
    """The largest magnitude; infinity if any number is not finite."""
    cdef const floating* x = &X[0, 0]
    cdef Py_ssize_t i, n = X.shape[0] * X.shape[1]
    cdef floating most = 0
    cdef int n_bad = 0
    with nogil:
        for i in range(n):
            most = max(most, <floating> fabs(x[i]))
            n_bad |= not fabs(x[i]) < INFINITY
    return INFINITY if n_bad else <double> most


def label_rows(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    double[::1] scratch,              #     (n_clusters * (1 + n_features),)
    int[::1] labels,                  # OUT (n_samples,)
):
    """The exact nearest centers of a few rows, by differences."""
    cdef Py_ssize_t i, f, k, n_clusters = centers.shape[0], n_features = X.shape[1]
    cdef double* centers_t = &scratch[0]
    cdef double* distances = centers_t + n_features * n_clusters
    cdef bint doubtful = False
    with nogil:
        for k in range(n_clusters):
            for f in range(n_features):
                centers_t[f * n_clusters + k] = centers[k, f]
        for i in range(X.shape[0]):
            sq_distances(&X[i, 0], centers_t, n_features, n_clusters, distances)
            labels[i] = <int> nearest_center(
                &X[i, 0], &centers[0, 0], n_features, n_clusters, distances, &doubtful
            )
