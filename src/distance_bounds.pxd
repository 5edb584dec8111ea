"""Lloyd's assignment for those rows alone whose bounds do not settle it, with bounds for groups of centers.

Distances are in packed units. Every row keeps one number: by how much more the other centers are away than its own, plus
the drift of the centers until then. As long as this is more than the drift until now, the row stays where it is (Hamerly
2010). With groups, the row also keeps for each of them a lower bound of the distances to its centers, its own center left
out, plus the drift of the group until then, and an upper bound of the distance to its own, less the drift of that. Where
these do not settle it, the distance to the own center is computed, and only groups whose bound is below it are scored (Ding
et al. 2015, "Yinyang k-means", ICML 37:579-587).
"""

from cython cimport floating
from libc.math cimport fabs, sqrt
from libc.stdint cimport int32_t
from metric cimport nearest_center, sq_distances
from scores cimport error_bound, packing
from tile cimport GROUP, tile_kernels

cdef enum:
    BATCH = 128  # rows that are scored together


cdef inline double below(double value) noexcept nogil:
    """A value that is no higher in single precision either."""
    return value - min(fabs(value), 1e30) * 1.2e-7


cdef inline double above(double value) noexcept nogil:
    """A value that is no lower in single precision either."""
    return value + min(fabs(value), 1e30) * 1.2e-7


cdef inline double distance(double sq, double share) noexcept nogil:
    return sqrt(sq if sq > 0 else 0.0) * share


cdef inline void settle_panel(
    const floating[:, ::1] X, const packing[:, :, ::1] panels, const packing[:, :, ::1] tiles, double max_center_norm,
    const double[:, ::1] centers, const double[:, ::1] centers_t, const double[::1] drift, const tile_kernels* isa,
    const Py_ssize_t* rows, Py_ssize_t n, packing[::1] scores, double[::1] scratch, int[::1] labels,
    Py_ssize_t[::1] moved, int[::1] left, packing[::1] separation, Py_ssize_t* counters,
) noexcept nogil:
    """Label up to a panel of rows from anywhere, and renew their bound; counters += rows moved, decided by differences, and exactly."""
    cdef bint wide = packing is double, doubtful = False
    cdef Py_ssize_t n_rows = isa.n_rows[wide], d = X.shape[1], n_clusters = centers.shape[0], r, f, i, k
    cdef double norm_error = (d + 4) * 1.2e-16 if wide else 2.5e-7, margin, slack, low, near
    cdef packing* first = &scores[0]
    cdef packing* second = first + n_rows
    cdef packing* panel = second + n_rows
    cdef const packing* source
    cdef double norms[64]
    cdef int32_t nearest[64]
    for r in range(n):
        source = &panels[rows[r] // n_rows, 0, rows[r] % n_rows]
        norms[r] = 0
        for f in range(d):
            panel[f * n_rows + r] = source[f * n_rows]
            norms[r] += <double> source[f * n_rows] * source[f * n_rows]
    isa.panel[wide](panel, d, &tiles[0, 0, 0], tiles.shape[0], first, second, nearest, NULL, 0)
    for r in range(n):
        i = rows[r]
        k = nearest[r]
        low = second[r]
        margin = error_bound(sqrt(norms[r]) * (1 + norm_error), max_center_norm, d, wide)
        if second[r] - first[r] <= margin:
            counters[1] += 1
            sq_distances(&X[i, 0], &centers_t[0, 0], d, n_clusters, &scratch[0])
            k = nearest_center(&X[i, 0], &centers[0, 0], d, n_clusters, &scratch[0], &doubtful)
            counters[2] += doubtful
            low = first[r]
        slack = 2 * margin + norm_error * norms[r]
        near = distance(norms[r] + 2 * <double> first[r] + slack, 1 + 4e-16)
        separation[i] = <packing> below(distance(norms[r] + 2 * low - slack, 1 - 4e-16) - near + drift[k])
        if k != labels[i]:
            moved[counters[0]] = i
            left[counters[0]] = labels[i]
            labels[i] = <int> k
            counters[0] += 1


cdef struct bounding:
    # The centers, in packed units.
    Py_ssize_t n_clusters, n_features, n_groups, stride
    const void* origin                # (n_features,): as fetch (group.h) takes it
    double scale
    const void* groups                # (n_groups, 1 + n_features, GROUP), as the tiles of pack_centers
    const void* rows_of_centers       # (n_clusters, stride), zeros at the end of each
    const double* drift               # (n_clusters,): how far each center and any other have moved so far, added up
    const double* own_drift           # (n_clusters,): how far each center has moved so far
    const double* group_drift         # (n_groups,): how far any center of the group has moved so far ...
    const void* group_drift_rounded_up                  # (n_groups,), and 16 more: ... rounded up
    double max_center_norm
    const int* place                  # (n_clusters,): place of each center in the groups ...
    const int* center_at              # (n_groups * GROUP,): ... and the center at each place
    # Buffers of one thread.
    void* batch                       # (BATCH, stride)
    Py_ssize_t n_list
    int* lists                        # (n_groups, n_list): rows of the batch that need the group
    int* counts                       # (n_groups,): how many
    unsigned char* needed             # (n_groups,), and 16 more


cdef inline void settle_batch(
    const floating[:, ::1] X, const double[:, ::1] centers, const double[:, ::1] centers_t, const tile_kernels* isa,
    bounding* b, const Py_ssize_t* rows, Py_ssize_t n, double[::1] scratch, int[::1] labels, Py_ssize_t[::1] moved,
    int[::1] left, packing[::1] separation, packing[::1] upper_bounds, packing[:, ::1] group_lower_bounds, Py_ssize_t* counters,
) noexcept nogil:
    """Label some rows, and renew their bounds; counters += rows moved, decided by differences, and exactly, and distances."""
    cdef bint wide = packing is double, own_type = floating is double, doubtful = False, better
    cdef Py_ssize_t d = b.n_features, group_size = (1 + d) * GROUP, r, i, j, g, n_list, home, k, here
    cdef double low, near, away, up = 1 + 4e-16, down = 1 - 4e-16
    cdef double norm_error = (d + 8) * (1.2e-16 if wide else 6e-8)  # relative error of a squared norm
    cdef double norms[BATCH]
    cdef double margin[BATCH]         # of the error of the difference of two scores
    cdef double slack[BATCH]          # of the error of a squared distance
    cdef double own[BATCH]            # score of the center that the row has had
    cdef double radius[BATCH]         # bound of the distance to it
    cdef double rest[BATCH]           # bound of the distances to the centers of groups that are not scored
    cdef double best[BATCH]
    cdef double second[BATCH]
    cdef double runner_up[BATCH]      # the second score in the group of the best
    cdef int winner[BATCH]
    cdef int last[BATCH]              # the group of the best; -1 for the center that the row has had
    cdef packing first_of[BATCH]
    cdef packing second_of[BATCH]
    cdef int32_t nearest[BATCH]
    cdef int32_t* list
    cdef packing* bounds
    cdef packing unused
    cdef const packing* groups = <const packing*> b.groups
    cdef packing* batch = <packing*> b.batch
    for g in range(b.n_groups):
        b.counts[g] = 0
    for r in range(n):
        k = max(labels[rows[r]], 0)
        here = b.place[k]
        own[r] = isa.fetch[wide](
            &X[rows[r], 0], wide != own_type, b.origin, b.scale, d, b.stride, batch + r * b.stride,
            <const packing*> b.rows_of_centers + k * b.stride, groups[here // GROUP * group_size + here % GROUP],
            &norms[r],
        )
    for r in range(n):  # no branches from here on that could not be foretold
        margin[r] = error_bound(sqrt(norms[r]) * (1 + norm_error), b.max_center_norm, d, wide)
        slack[r] = 2 * margin[r] + norm_error * norms[r]
        radius[r] = distance(norms[r] + 2 * own[r] + slack[r], up)
    for r in range(n):
        here = b.place[max(labels[rows[r]], 0)]
        bounds = &group_lower_bounds[rows[r], 0]
        near = radius[r] if labels[rows[r]] >= 0 and separation[rows[r]] > -INFINITY else INFINITY
        rest[r] = isa.need[wide](bounds, b.group_drift_rounded_up, b.n_groups, near, b.needed)
        for g in range(b.n_groups):
            b.lists[g * b.n_list + b.counts[g]] = <int> r
            b.counts[g] += b.needed[g]
        best[r] = INFINITY if b.needed[here // GROUP] else own[r]
        second[r] = runner_up[r] = INFINITY
        winner[r] = <int> here
        last[r] = -1
    counters[3] += n
    for g in range(b.n_groups):
        n_list = b.counts[g]
        if n_list == 0:
            continue
        list = <int32_t*> b.lists + g * b.n_list
        isa.group[wide](batch, b.stride, list, n_list, d, groups + g * group_size, first_of, second_of, nearest)
        counters[3] += n_list * min(<Py_ssize_t> GROUP, b.n_clusters - g * GROUP)
        for j in range(n_list):
            r = list[j]
            near = first_of[j]
            low = second_of[j]
            better = near < best[r]
            away = best[r] if better else near
            second[r] = min(away, low if better else second[r])
            best[r] = near if better else best[r]
            runner_up[r] = low if better else runner_up[r]
            winner[r] = <int> (g * GROUP + nearest[j]) if better else winner[r]
            last[r] = <int> g if better else last[r]
            group_lower_bounds[rows[r], g] = <packing> below(distance(norms[r] + 2 * near - slack[r], down) + b.group_drift[g])
    for r in range(n):
        i = rows[r]
        k = b.center_at[winner[r]]
        g = last[r]
        unused = 0
        bounds = &unused if g < 0 else &group_lower_bounds[i, g]
        if not second[r] - best[r] > margin[r]:
            counters[1] += 1
            sq_distances(&X[i, 0], &centers_t[0, 0], d, b.n_clusters, &scratch[0])
            k = nearest_center(&X[i, 0], &centers[0, 0], d, b.n_clusters, &scratch[0], &doubtful)
            counters[2] += doubtful
            second[r] = best[r]
            bounds = &unused
        bounds[0] = <packing> below(distance(norms[r] + 2 * runner_up[r] - slack[r], down) + b.group_drift[max(g, 0)])
        near = distance(norms[r] + 2 * best[r] + slack[r], up)
        low = distance(norms[r] + 2 * second[r] - slack[r], down)
        separation[i] = <packing> below(min(low, rest[r]) - near + b.drift[k])
        upper_bounds[i] = <packing> above(near - b.own_drift[k])
        if k != labels[i]:
            if labels[i] >= 0:
                home = b.place[labels[i]] // GROUP
                low = distance(norms[r] + 2 * own[r] - slack[r], down) + b.group_drift[home]
                group_lower_bounds[i, home] = min(group_lower_bounds[i, home], <packing> below(low))
            moved[counters[0]] = i
            left[counters[0]] = labels[i]
            labels[i] = <int> k
            counters[0] += 1


cdef inline bint still_settled(
    const tile_kernels* isa, bounding* b, Py_ssize_t i, const int[::1] labels, packing[::1] separation,
    const packing[::1] upper_bounds, const packing[:, ::1] group_lower_bounds,
) noexcept nogil:
    """Whether the bounds of the groups settle a row whose own number does not; that is renewed then."""
    cdef double near, low
    if not separation[i] > -INFINITY:
        return False
    near = (upper_bounds[i] + b.own_drift[labels[i]]) * (1 + 4e-16)
    low = isa.least[packing is double](&group_lower_bounds[i, 0], b.group_drift_rounded_up, b.n_groups)
    if not low > near:
        return False
    separation[i] = <packing> below(low - near + b.drift[labels[i]])
    return separation[i] > b.drift[labels[i]]


cdef extern from "math.h" nogil:
    double INFINITY
