"""Local searches from many centers over the same rows (hybrid.py): Lloyd's iteration and exchanges, by search.pxd.

A search lives in a workspace: a call returns when it has taken long, and the next one goes on.
"""

from cython cimport floating
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset
from problem cimport End, Search, Settings
from search cimport DONE, HOPELESS, MAX_ITER, UNUSUAL, begin, exchange, inertia, lloyd, room_for, seed

cdef enum:
    MOST_UPDATES = 254                # in one call of lloyd, which calls 255 unusual
    CHECK = 256                       # updates after which the inertia must have fallen: rounding can go in circles

cdef extern from "math.h" nogil:
    double INFINITY


include "workspace.pxi"


def room(
    Py_ssize_t n_samples,
    Py_ssize_t n_features,
    Py_ssize_t n_clusters,
    const unsigned char[::1] settings, # IN  Settings of problem.pxd
    bint double,                      # IN  whether panels are of double
):
    """The doubles of memory that a search takes."""
    return room_for(<const Settings*> &settings[0], n_samples, n_features, n_clusters, double)


def prepare(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    Py_ssize_t n_clusters,
    const unsigned char[::1] settings, # IN  Settings of problem.pxd
    bint double,                      # IN  whether panels are of double
    Workspace workspace,              # OUT with the memory that `room` says
):
    """Make the rows ready; returns whether they are unusual, and left to others."""
    cdef const double* weights = &sample_weight[0] if sample_weight.shape[0] > 0 else NULL
    cdef bint unusual
    with nogil:
        unusual = DONE != begin(
            &X[0, 0], weights, &workspace.search, &workspace.memory[0], <const Settings*> &settings[0], X.shape[0],
            X.shape[1], n_clusters, double, 0,
        )
    return unusual


cdef inline bint improve_on(const floating* X, Search* s, double ceiling) noexcept nogil:
    """Go on from the centers in s.state; returns whether that led to an end. Its inertia is then in s.value."""
    cdef Py_ssize_t more, n_updates
    cdef int reason
    cdef double value
    while s.n_distances <= s.pause:
        n_updates = 4 + <Py_ssize_t> ((s.pause - s.n_distances) / (s.problem.n * s.problem.k))
        reason = lloyd(
            X, s, &s.state, min(n_updates, <Py_ssize_t> MOST_UPDATES), ceiling if s.n_iter == 0 else INFINITY, &more
        )
        s.n_iter += more
        if reason == UNUSUAL or reason == HOPELESS:
            s.value = INFINITY
            return True
        if s.n_iter >= s.first:
            value, s.first = inertia(X, s, &s.state), s.n_iter + CHECK
            if value >= s.value:
                s.value = value
                return True
            s.value = value
        if reason != MAX_ITER and not (s.settings.polished and exchange(X, s, &s.state)):
            s.value = inertia(X, s, &s.state)
            return True
    return False


def improve(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    Py_ssize_t start,                 # IN  the searches of the block
    Py_ssize_t stop,
    bint fresh,                       # IN  whether to begin the first of them, not to go on with what is in the workspace
    const double[:, ::1] numbers,     # IN  (n_searches, n_numbers), in [0, 1), to seed by; or (0, ...): from `centers`
    double ceiling,                   # IN  a search is given up that is above this after 3 updates
    Workspace workspace,              # INOUT of `prepare`
    double[:, :, ::1] centers,        # INOUT (n_searches, n_clusters, n_features)
    int[:, ::1] labels,               # OUT (n_searches, n_samples)
    unsigned char[::1] ends,          # OUT (n_searches,) End of problem.pxd: inertia, infinite if given up; updates
):
    """Search from each centers of the block; returns the first search that is not done, `stop` if all are."""
    cdef Search* s = &workspace.search
    cdef End* end = <End*> &ends[0]
    cdef Py_ssize_t c
    with nogil:
        s.problem.weights = &sample_weight[0] if sample_weight.shape[0] > 0 else NULL
        s.pause = s.n_distances + s.settings.most_distances
        for c in range(start, stop):
            if fresh:
                if numbers.shape[0] > 0:
                    seed(s, &numbers[c, 0])
                else:
                    memcpy(s.state.centers, &centers[c, 0, 0], s.problem.k * s.problem.d * sizeof(double))
                memset(s.state.labels, 0xFF, s.problem.stride * sizeof(int32_t))
                memset(s.state.sums, 0, s.problem.k * s.problem.width * sizeof(long long))
                s.n_iter, s.first, s.value = 0, CHECK, INFINITY  # updates; when the inertia is looked at, and what it was then
            if not improve_on(&X[0, 0], s, ceiling):
                break
            fresh = True
            memcpy(&centers[c, 0, 0], s.state.centers, s.problem.k * s.problem.d * sizeof(double))
            memcpy(&labels[c, 0], s.state.labels, s.problem.n * sizeof(int32_t))
            end[c].inertia, end[c].n_iter, end[c].at_max_iter = s.value, s.n_iter, False
        else:
            c = stop
    return c
