"""Lloyd's assignment for those rows alone whose bounds do not settle it, with bounds for groups of centers.

Distances are in packed units. Every row keeps one number, its separation: by how much more the other centers are away than its
own, plus the drift of the centers until then. As long as this is more than the drift until now, the row stays where it is
(Hamerly 2010). With groups, the row also keeps for each of them a lower bound of the distances to its centers, its own center
left out, plus the drift of the group until then, and an upper bound of the distance to its own, less the drift of that. Where
these do not settle it, the distance to the own center is computed, and only groups whose bound is below it are scored (Ding
et al. 2015, "Yinyang k-means", ICML 37:579-587).
"""

from cython cimport floating
from libc.math cimport sqrt
from libc.stdint cimport int32_t
from metric cimport nearest_center, sq_distances
from rounded cimport above, below, distance
from scores cimport error_bound, packing
from shared cimport list_move, packed_centers, thread_buffers
from tile cimport GROUP, n_sums, tile_kernels

cdef enum:
    BATCH = 128  # rows that are scored together

cdef extern from "math.h" nogil:
    double INFINITY


cdef inline Py_ssize_t recomputed(
    const floating* x, const packed_centers* c, thread_buffers* b
) noexcept nogil:
    """The exact nearest center of a row whose scores are too close to tell."""
    cdef bint doubtful = False
    cdef Py_ssize_t k
    sq_distances(x, c.centers_t, c.n_features, c.n_clusters, b.distances)
    k = nearest_center(x, c.centers, c.n_features, c.n_clusters, b.distances, &doubtful)
    b.n_recomputed += 1
    b.n_exact += doubtful
    return k


# ---- one bound for each row ----

cdef inline void settle_panel(
    const tile_kernels* isa, const floating[:, ::1] X, const packed_centers* c, const double[::1] drift,
    const Py_ssize_t* rows, Py_ssize_t n, int[::1] labels, packing[::1] separation, thread_buffers* b,
) noexcept nogil:
    """Label up to a panel of rows from anywhere, and renew their bound. In X a row lies in few lines of the cache, in panels in many."""
    cdef bint wide = packing is double
    cdef Py_ssize_t n_rows = isa.n_rows[wide], d = X.shape[1], r, f, i, k
    cdef double norm_error = (d + 4) * 1.2e-16 if wide else 2.5e-7, margin, slack, low, near
    cdef packing* first = <packing*> b.scores
    cdef packing* second = first + n_rows
    cdef packing* panel = second + n_rows
    cdef const floating* x
    cdef double norms[64]
    cdef int32_t nearest[64]
    for r in range(n):
        x = &X[rows[r], 0]
        for f in range(d):
            panel[f * n_rows + r] = <packing> ((x[f] - c.origin[f]) * c.scale)
    for r in range(n_rows):
        norms[r] = 0
    for f in range(d):
        for r in range(n_rows):
            norms[r] += <double> panel[f * n_rows + r] * panel[f * n_rows + r]
    isa.panel[wide](panel, d, c.tiles, c.n_tiles, first, second, nearest, NULL, 0)
    b.n_seen += n
    for r in range(n):
        i = rows[r]
        k = nearest[r]
        low = second[r]
        margin = error_bound(sqrt(norms[r]) * (1 + norm_error), c.max_norm, n_sums(d), wide)
        if second[r] - first[r] <= margin:
            k = recomputed(&X[i, 0], c, b)
            low = first[r]
        slack = 2 * margin + norm_error * norms[r]
        near = distance(norms[r] + 2 * <double> first[r] + slack, 1 + 4e-16)
        separation[i] = <packing> below(distance(norms[r] + 2 * low - slack, 1 - 4e-16) - near + drift[k])
        if k != labels[i]:
            list_move(b, &labels[0], i, k)


# ---- bounds for groups of centers ----

cdef struct center_groups:            # those of CenterGroups (panels.pyx); in packed units
    Py_ssize_t n_groups, stride
    const void* origin                # (n_features,): as fetch (group.h) takes it
    const void* groups                # (n_groups, 1 + n_features, GROUP), like tiles
    const void* rows_of_centers       # (n_clusters, stride), zeros at the end of each
    const int* place                  # (n_clusters,): place of each center in the groups ...
    const int* center_at              # (n_groups * GROUP,): ... and the center at each place
    const double* drift               # (n_clusters,): how far each center and any other have moved so far, added up
    const double* own_drift           # (n_clusters,): how far each center has moved so far
    const double* group_drift         # (n_groups,): how far any center of the group has moved so far ...
    const void* group_drift_rounded_up # (n_groups,), and 16 more: ... rounded up

cdef struct group_buffers:            # those of GroupScratch (panels.pyx), of one thread
    void* batch                       # (BATCH, stride): the rows
    int* lists                        # (n_groups, n_list): rows of the batch that need the group
    Py_ssize_t n_list
    int* counts                       # (n_groups,): how many
    unsigned char* needed             # (n_groups,), and 16 more

cdef struct batch_scores:             # what is known of the rows of a batch
    double norms[BATCH]
    double margin[BATCH]              # of the error of the difference of two scores
    double slack[BATCH]               # of the error of a squared distance
    double own[BATCH]                 # score of the center that the row has had
    double radius[BATCH]              # bound of the distance to it
    double rest[BATCH]                # bound of the distances to the centers of groups that are not scored
    double best[BATCH]
    double second[BATCH]
    double runner_up[BATCH]           # the second score in the group of the best
    int winner[BATCH]
    int last[BATCH]                   # the group of the best; -1 for the center that the row has had


cdef inline void fetch_batch(
    const tile_kernels* isa, const floating[:, ::1] X, const packed_centers* c, const center_groups* g,
    const Py_ssize_t* rows, Py_ssize_t n, const int[::1] labels, const packing[::1] separation,
    packing[:, ::1] group_lower_bounds, group_buffers* b, batch_scores* s,
) noexcept nogil:
    """The scores of the centers that rows have had, and the groups whose bounds do not rule them out."""
    cdef bint wide = packing is double, own_type = floating is double
    cdef Py_ssize_t d = c.n_features, group_size = (1 + d) * GROUP, r, j, k, here
    cdef double near, norm_error = (d + 8) * (1.2e-16 if wide else 6e-8)  # relative error of a squared norm
    cdef const packing* groups = <const packing*> g.groups
    cdef packing* batch = <packing*> b.batch
    for j in range(g.n_groups):
        b.counts[j] = 0
    for r in range(n):
        k = max(labels[rows[r]], 0)
        here = g.place[k]
        s.own[r] = isa.fetch[wide](
            &X[rows[r], 0], wide != own_type, g.origin, c.scale, d, g.stride, batch + r * g.stride,
            <const packing*> g.rows_of_centers + k * g.stride, groups[here // GROUP * group_size + here % GROUP],
            &s.norms[r],
        )
    for r in range(n):  # without branches that could not be foretold, as what follows
        s.margin[r] = error_bound(sqrt(s.norms[r]) * (1 + norm_error), c.max_norm, d, wide)
        s.slack[r] = 2 * s.margin[r] + norm_error * s.norms[r]
        s.radius[r] = distance(s.norms[r] + 2 * s.own[r] + s.slack[r], 1 + 4e-16)
    for r in range(n):
        here = g.place[max(labels[rows[r]], 0)]
        near = s.radius[r] if labels[rows[r]] >= 0 and separation[rows[r]] > -INFINITY else INFINITY
        s.rest[r] = isa.need[wide](
            &group_lower_bounds[rows[r], 0], g.group_drift_rounded_up, g.n_groups, near, b.needed
        )
        for j in range(g.n_groups):
            b.lists[j * b.n_list + b.counts[j]] = <int> r
            b.counts[j] += b.needed[j]
        s.best[r] = INFINITY if b.needed[here // GROUP] else s.own[r]
        s.second[r] = s.runner_up[r] = INFINITY
        s.winner[r] = <int> here
        s.last[r] = -1


cdef inline Py_ssize_t score_groups(
    const tile_kernels* isa, const packed_centers* c, const center_groups* g, const Py_ssize_t* rows,
    packing[:, ::1] group_lower_bounds, group_buffers* b, batch_scores* s,
) noexcept nogil:
    """The best and second scores of the rows of a batch, group by group; returns the number of scores."""
    cdef bint wide = packing is double, better
    cdef Py_ssize_t d = c.n_features, group_size = (1 + d) * GROUP, r, j, group, n_list, n_scores = 0
    cdef double low, near, away
    cdef packing first[BATCH]
    cdef packing second[BATCH]
    cdef int32_t nearest[BATCH]
    cdef int32_t* list
    cdef const packing* groups = <const packing*> g.groups
    for group in range(g.n_groups):
        n_list = b.counts[group]
        if n_list == 0:
            continue
        list = <int32_t*> b.lists + group * b.n_list
        isa.group[wide](b.batch, g.stride, list, n_list, d, groups + group * group_size, first, second, nearest)
        n_scores += n_list * min(<Py_ssize_t> GROUP, c.n_clusters - group * GROUP)
        for j in range(n_list):
            r = list[j]
            near = first[j]
            low = second[j]
            better = near < s.best[r]
            away = s.best[r] if better else near
            s.second[r] = min(away, low if better else s.second[r])
            s.best[r] = near if better else s.best[r]
            s.runner_up[r] = low if better else s.runner_up[r]
            s.winner[r] = <int> (group * GROUP + nearest[j]) if better else s.winner[r]
            s.last[r] = <int> group if better else s.last[r]
            group_lower_bounds[rows[r], group] = <packing> below(
                distance(s.norms[r] + 2 * near - s.slack[r], 1 - 4e-16) + g.group_drift[group]
            )
    return n_scores


cdef inline void settle_batch(
    const tile_kernels* isa, const floating[:, ::1] X, const packed_centers* c, const center_groups* g,
    const Py_ssize_t* rows, Py_ssize_t n, int[::1] labels, packing[::1] separation, packing[::1] upper_bounds,
    packing[:, ::1] group_lower_bounds, thread_buffers* b, group_buffers* buffers,
) noexcept nogil:
    """Label some rows, and renew their bounds."""
    cdef Py_ssize_t r, i, k, group, home
    cdef double low, near, up = 1 + 4e-16, down = 1 - 4e-16
    cdef batch_scores s
    cdef packing* bound
    cdef packing unused
    fetch_batch(isa, X, c, g, rows, n, labels, separation, group_lower_bounds, buffers, &s)
    b.n_seen += n
    b.n_distances += n + score_groups(isa, c, g, rows, group_lower_bounds, buffers, &s)
    for r in range(n):
        i = rows[r]
        k = g.center_at[s.winner[r]]
        group = s.last[r]
        unused = 0
        bound = &unused if group < 0 else &group_lower_bounds[i, group]
        if not s.second[r] - s.best[r] > s.margin[r]:
            k = recomputed(&X[i, 0], c, b)
            s.second[r] = s.best[r]
            bound = &unused
        bound[0] = <packing> below(
            distance(s.norms[r] + 2 * s.runner_up[r] - s.slack[r], down) + g.group_drift[max(group, 0)]
        )
        near = distance(s.norms[r] + 2 * s.best[r] + s.slack[r], up)
        low = distance(s.norms[r] + 2 * s.second[r] - s.slack[r], down)
        separation[i] = <packing> below(min(low, s.rest[r]) - near + g.drift[k])
        upper_bounds[i] = <packing> above(near - g.own_drift[k])
        if k != labels[i]:
            if labels[i] >= 0:
                home = g.place[labels[i]] // GROUP
                low = distance(s.norms[r] + 2 * s.own[r] - s.slack[r], down) + g.group_drift[home]
                group_lower_bounds[i, home] = min(group_lower_bounds[i, home], <packing> below(low))
            list_move(b, &labels[0], i, k)


cdef inline bint still_settled(
    const tile_kernels* isa, const center_groups* g, Py_ssize_t i, const int[::1] labels, packing[::1] separation,
    const packing[::1] upper_bounds, const packing[:, ::1] group_lower_bounds,
) noexcept nogil:
    """Whether the bounds of the groups settle a row whose separation does not; that is renewed then."""
    cdef double near, low
    if not separation[i] > -INFINITY:
        return False
    near = (upper_bounds[i] + g.own_drift[labels[i]]) * (1 + 4e-16)
    low = isa.least[packing is double](&group_lower_bounds[i, 0], g.group_drift_rounded_up, g.n_groups)
    if not low > near:
        return False
    separation[i] = <packing> below(low - near + g.drift[labels[i]])
    return separation[i] > g.drift[labels[i]]
