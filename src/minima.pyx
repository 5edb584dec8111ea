"""Where Lloyd's iteration comes to rest: from many starts over few rows, and at which of all partitions."""

from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset
from moves cimport better_cluster
from problem cimport Problem, Search, Settings, State
from rowwise cimport accumulate_rows, inertia_of
from search cimport DONE, NEEDS_DOUBLE, UNUSUAL, begin, find_movable, inertia, lloyd, seed

cdef extern from "math.h" nogil:
    double INFINITY


# ---- from many starts ----

cdef inline void number(const Problem* p, const State* state, Py_ssize_t* order, int* labels, double* centers) noexcept nogil:
    """Copy labels and centers, numbered in the order in which the rows come to them; those without rows last."""
    cdef Py_ssize_t i, k, n_seen = 0
    for k in range(p.k):
        order[k] = -1
    for i in range(p.n):
        k = state.labels[i]
        if order[k] < 0:
            order[k] = n_seen
            n_seen += 1
        labels[i] = <int> order[k]
    for k in range(p.k):
        if order[k] < 0:
            order[k] = n_seen
            n_seen += 1
        memcpy(centers + order[k] * p.d, state.centers + k * p.d, p.d * sizeof(double))


def lloyd_runs(
    const double[:, ::1] X,           # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const double[:, :, ::1] init,     # IN  (n_starts, n_clusters, n_features), or (0, ...): seed by numbers
    const double[:, ::1] numbers,     # IN  (n_starts, n_numbers), in [0, 1); (n_starts, 0) where init is given
    const unsigned char[::1] settings, # IN  Settings of problem.pxd
    bint wide,                        # IN  whether to score in double from the beginning
    double[::1] memory,               #     (room,) of small.pyx
    int[:, ::1] labels,               # OUT (n_starts, n_samples): numbered in the order of their first rows
    double[:, :, ::1] centers,        # OUT (n_starts, n_clusters, n_features)
    double[:, ::1] ends,              # OUT (n_starts, 3): inertia, updates, rows whose move alone would lower it
):
    """Lloyd's iteration from each start to its fixed point.

    Returns DONE, UNSUPPORTED if other kernels have to do it, or NEEDS_DOUBLE for a call with `wide`. A single start that is left to
    other kernels has the inertia -1.
    """
    cdef Search search
    cdef Search* s = &search
    cdef const double* weights = &sample_weight[0] if sample_weight.shape[0] > 0 else NULL
    cdef Problem* p = &s.problem
    cdef Py_ssize_t j, i, n_iter
    cdef int status
    with nogil:
        status = begin(
            &X[0, 0], weights, s, &memory[0], <const Settings*> &settings[0], X.shape[0], X.shape[1], centers.shape[1],
            wide, 0,
        )
        for j in range(ends.shape[0] if status == DONE else 0):
            if init.shape[0] > 0:
                memcpy(s.state.centers, &init[j, 0, 0], p.k * p.d * sizeof(double))
            else:
                seed(s, &numbers[j, 0])
            for i in range(p.stride):
                s.state.labels[i] = -1
            memset(s.state.sums, 0, p.k * p.width * sizeof(long long))
            if lloyd(&X[0, 0], s, &s.state, -1, INFINITY, &n_iter) == UNUSUAL:
                ends[j, 0] = -1
                continue
            ends[j, 0] = inertia(&X[0, 0], s, &s.state)
            ends[j, 1] = n_iter
            ends[j, 2] = find_movable(&X[0, 0], s, &s.state)
            number(p, &s.state, s.rows, &labels[j, 0], &centers[j, 0, 0])
            if not wide and j == 0 and 8 * s.n_recomputed > s.n_labelled:
                status = NEEDS_DOUBLE
                break
    return status


# ---- all partitions ----

cdef struct Walk:
    Py_ssize_t n, d, k
    const double* X                   # (n, d)
    const double* weights             # (n,)
    double margin
    int32_t* labels                   # (n,): a restricted growth string (Knuth, TAOCP 4A, 7.2.1.5)
    double* sums                      # (n, k, 1 + d): mass and weighted sum of each cluster of the rows up to this one
    double* lines                     # (k, 1 + d): half the squared norm of each mean, and the mean
    Py_ssize_t suspect                # a row that would have moved lately


cdef inline void put(Walk* w, Py_ssize_t i, int32_t label) noexcept nogil:
    """Row i into a cluster: the sums are those up to the row before, and the row."""
    cdef Py_ssize_t f, size = w.k * (1 + w.d)
    cdef double* sums = w.sums + i * size
    cdef double* own = sums + label * (1 + w.d)
    if i:
        memcpy(sums, sums - size, size * sizeof(double))
    else:
        memset(sums, 0, size * sizeof(double))
    w.labels[i] = label
    own[0] += w.weights[i]
    for f in range(w.d):
        own[1 + f] += w.weights[i] * w.X[i * w.d + f]


cdef inline double lead(const Walk* w, Py_ssize_t i) noexcept nogil:
    """By how much the own cluster is nearer to row i than the nearest other, in half squared distances; negative if it is not."""
    cdef Py_ssize_t k, f
    cdef double score, own = 0, best = -INFINITY
    cdef const double* line = w.lines
    for k in range(w.k):
        score = -line[0]
        for f in range(w.d):
            score += line[1 + f] * w.X[i * w.d + f]
        line += 1 + w.d
        if k == w.labels[i]:
            own = score
        else:
            best = max(best, score)
    return own - best


cdef inline int verdict(Walk* w) noexcept nogil:
    """Whether all rows rest: 0 no, 1 yes, 2 some may be as near to another cluster."""
    cdef Py_ssize_t i, k, f
    cdef double gain
    cdef bint close = False
    cdef const double* sums = w.sums + (w.n - 1) * w.k * (1 + w.d)
    cdef double* line = w.lines
    for k in range(w.k):
        line[0] = 0
        for f in range(w.d):
            line[1 + f] = sums[1 + f] / sums[0]
            line[0] += line[1 + f] * line[1 + f] / 2
        line += 1 + w.d
        sums += 1 + w.d
    if lead(w, w.suspect) < -w.margin:
        return 0
    for i in range(w.n):
        gain = lead(w, i)
        if gain < -w.margin:
            w.suspect = i
            return 0
        close |= not gain > w.margin  # nor if it is not a number
    return 2 if close else 1


cdef inline void fill(Walk* w, Py_ssize_t i, int32_t top, bint ordered) noexcept nogil:
    """The first labels for the rows from i on, after rows with labels up to `top`."""
    while i < w.n:
        if w.k - 1 - top == w.n - i:  # each of them has to open a cluster
            top += 1
            put(w, i, top)
        else:
            put(w, i, top if ordered else 0)
        i += 1


cdef inline bint step(Walk* w, Py_ssize_t fixed, bint ordered) noexcept nogil:
    """Go to the next partition; returns whether there is none."""
    cdef Py_ssize_t i = w.n - 1, j
    cdef int32_t top
    while i >= fixed:
        top = 0
        for j in range(i):
            top = max(top, w.labels[j])
        if w.labels[i] <= top and w.labels[i] < w.k - 1:
            put(w, i, w.labels[i] + 1)
            fill(w, i + 1, max(top, w.labels[i]), ordered)
            return False
        i -= 1
    return True


def fixed_points(
    const double[:, ::1] X,           # IN  (n_rows, n_features): distinct rows, about their middle
    const double[::1] weights,        # IN  (n_rows,), > 0
    double margin,                    # IN  no score is off by half of this
    bint ordered,                     # IN  only clusters of consecutive rows
    Py_ssize_t fixed,                 # IN  rows whose labels stay, 1 or more
    bint fresh,                       # IN  whether only those have labels yet
    Py_ssize_t most,                  # IN  partitions after which to return
    int[::1] labels,                  # INOUT (n_rows,)
    double[:, :, ::1] sums,           # INOUT (n_rows, n_clusters, 1 + n_features)
    double[:, ::1] lines,             #     (n_clusters, 1 + n_features)
    int[:, ::1] found,                # OUT (n_room, n_rows): labels of fixed points
    unsigned char[::1] ties,          # OUT (n_room,): whether some row may be as near to another cluster, or nearer
):
    """Walk over partitions into exactly n_clusters clusters; returns how many were found, and whether that is the end.

    Returns early when there is no room left.
    """
    cdef Walk w
    cdef Py_ssize_t i, n_found = 0, n_done = 0
    cdef int is_fixed
    cdef int32_t top = 0
    cdef bint finished = False
    w.n, w.d, w.k = X.shape[0], X.shape[1], lines.shape[0]
    w.X, w.weights, w.margin = &X[0, 0], &weights[0], margin
    w.labels, w.sums, w.lines = <int32_t*> &labels[0], &sums[0, 0, 0], &lines[0, 0]
    w.suspect = 0
    with nogil:
        if fresh:
            for i in range(fixed):
                put(&w, i, labels[i])
                top = max(top, labels[i])
            finished = w.k - 1 - top > w.n - fixed
            if not finished:
                fill(&w, fixed, top, ordered)
        else:
            finished = step(&w, fixed, ordered)
        while not finished:
            is_fixed = verdict(&w)
            if is_fixed:
                memcpy(&found[n_found, 0], w.labels, w.n * sizeof(int32_t))
                ties[n_found] = is_fixed == 2
                n_found += 1
            n_done += 1
            if n_done >= most or n_found == found.shape[0]:
                break
            finished = step(&w, fixed, ordered)
    return n_found, finished


def measure(
    const double[:, ::1] X,           # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const int[:, ::1] labels,         # IN  (n_partitions, n_samples)
    double[::1] scratch,              #     (n_clusters * (1 + 2 n_features),)
    double[::1] masses,               #     (n_clusters,)
    double[:, :, ::1] centers,        # OUT (n_partitions, n_clusters, n_features): the means; of no rows, the first
    double[:, ::1] ends,              # OUT (n_partitions, 2): inertia, rows whose move alone would lower it
):
    """What partitions come to."""
    cdef const double* weights = &sample_weight[0] if sample_weight.shape[0] > 0 else NULL
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], n_clusters = centers.shape[1], j, i, k, f, n_movable
    cdef double* shifts = &scratch[n_clusters]
    cdef double* centers_t = shifts + n_clusters * d
    cdef double* center
    cdef const int* own
    with nogil:
        for j in range(labels.shape[0]):
            own = &labels[j, 0]
            center = &centers[j, 0, 0]
            memset(shifts, 0, n_clusters * d * sizeof(double))
            memset(&masses[0], 0, n_clusters * sizeof(double))
            for i in range(n * d):
                k = n - 1 - i // d  # in the end the first row of each
                center[own[k] * d + i % d] = X[k, i % d]
            accumulate_rows(&X[0, 0], n, d, weights, own, center, shifts, &masses[0], 0)
            for k in range(n_clusters):
                for f in range(d):
                    if masses[k] > 0:
                        center[k * d + f] += shifts[k * d + f] / masses[k]
                    elif k:
                        center[k * d + f] = center[f]
                    centers_t[f * n_clusters + k] = center[k * d + f]
            ends[j, 0] = inertia_of(&X[0, 0], n, d, weights, own, center, 0)
            n_movable = 0
            for i in range(n):
                n_movable += own[i] != better_cluster(
                    &X[i, 0], 1 if weights == NULL else weights[i], own[i], centers_t, &masses[0], d, n_clusters, &scratch[0]
                )
            ends[j, 1] = n_movable
