"""Rows in panels, and their nearest centers by the register tiles of tile.h, exactly.

A panel holds a fixed number of rows, feature-major, shifted by an origin and scaled by a power of two, in the type of X or
in the other one. The tiles give each row its two least scores |c|^2/2 - x.c. If these are further apart than the bounds of
their errors, the nearest center is known. Other rows are decided by differences in double and, if these are too close too, in
exact arithmetic.
"""

from cython cimport floating
from distance_bounds cimport BATCH, center_groups, group_buffers, settle_batch, settle_panel, still_settled
from fixed cimport add_up, cluster_means
from libc.stdint cimport int64_t
from processor cimport prefetch
from relabel cimport relabel, update_sums
from scores cimport packing
from screen cimport fill, mark_exchange_candidates, screen_rows
from shared cimport clear_counters, packed_centers, thread_buffers
from team cimport BOARD, SUMS, disband, end_step, give_back, open_step, take_share, wait_for_step
from tile cimport BLOCK, GROUP, TILE_KERNELS, fill_tiles, instruction_set_name, n_supported, tile_kernels

include "chosen.pxi"


# ---- the arrays that belong together ----

cdef void* first_of(array) except NULL:
    """Where the numbers of a C-contiguous array of float or double begin."""
    cdef float[::1] single
    cdef double[::1] wide
    if array.itemsize == sizeof(double):
        wide = array.reshape(-1)
        return &wide[0]
    single = array.reshape(-1)
    return &single[0]


cdef class PackedCenters:
    """Centers as the panel kernels want them: in tiles, row by row, and transposed. Keeps the arrays alive."""

    cdef packed_centers c
    cdef object arrays

    def __init__(
        self,
        const double[:, ::1] centers, #     (n_clusters, n_features); `iterate` updates them
        const double[::1] origin,     #     (n_features,)
        double scale,                 #     as the rows are packed
        tiles,                        #     room for (n_tiles, 1 + n_features, tile_centers), of the type of the panels
        double[:, ::1] centers_t,     #     room for (n_features, n_clusters)
    ):
        cdef packed_centers* c = &self.c
        self.arrays = centers, origin, tiles, centers_t
        c.n_clusters, c.n_features = centers.shape[0], centers.shape[1]
        c.n_tiles, c.n_tile = tiles.shape[0], tiles.shape[2]
        c.origin, c.scale, c.tiles = &origin[0], scale, first_of(tiles)
        c.centers, c.centers_t = <double*> &centers[0, 0], &centers_t[0, 0]
        if tiles.itemsize == sizeof(double):
            fill_tiles(c, <double*> c.tiles)
        else:
            fill_tiles(c, <float*> c.tiles)


cdef class Scratch:
    """Buffers of one thread, and the sums of what that thread has moved. Keeps the arrays alive."""

    cdef thread_buffers b
    cdef readonly object scores, distances, moved, old_labels, units, sums

    def __init__(
        self,
        scores,                       #     ((2 + n_features) * panel_rows,), of the type of the panels
        double[::1] distances,        #     (n_clusters,)
        Py_ssize_t[::1] moved,        #     (at least panel_rows, or the rows of a batch,)
        int[::1] old_labels,                #     as many
        const double[::1] units,      # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
        long long[:, :, ::1] sums,    # INOUT (n_clusters, n_features + 1, 2), or (0, ...) for none
    ):
        cdef thread_buffers* b = &self.b
        self.scores, self.distances, self.moved, self.old_labels = scores, distances, moved, old_labels
        self.units, self.sums = units, sums
        b.scores, b.distances, b.room, b.moved, b.old_labels = (
            first_of(scores), &distances[0], min(moved.shape[0], old_labels.shape[0]), &moved[0], &old_labels[0]
        )
        b.units, b.sums = &units[0], &sums[0, 0, 0] if sums.shape[0] > 0 else NULL


cdef class CenterGroups:
    """Centers in groups that are near each other, and how far they have moved (distance_bounds.pxd). Keeps the arrays alive."""

    cdef center_groups g
    cdef object arrays

    def __init__(
        self,
        origin,                       #     (n_features,): of `PackedCenters` where X and panels differ in type, else ...
                                      #     minus that, in packed units and the type of the panels
        groups,                       #     (n_groups, 1 + n_features, centers of a group): tiles of the centers in their places
        rows_of_centers,              #     (n_clusters, stride): in packed units; the stride a multiple of 32
        const int[::1] place,         #     (n_clusters,): place of each center in the groups ...
        const int[::1] center_at,     #     (n_clusters,): ... and the center at each place
        const double[::1] drift,      #     (n_clusters,): how far each center and any other have moved, added up
        const double[::1] own_drift,  #     (n_clusters,): how far each center has moved, added up
        const double[::1] group_drift, #    (n_groups,): how far any center of the group has moved, added up ...
        group_drift_rounded_up,       #     (n_groups + 16,): ... rounded up
    ):
        cdef center_groups* g = &self.g
        self.arrays = origin, groups, rows_of_centers, place, center_at, drift, own_drift, group_drift, group_drift_rounded_up
        g.n_groups, g.stride = groups.shape[0], rows_of_centers.shape[1]
        g.origin, g.groups, g.rows_of_centers = first_of(origin), first_of(groups), first_of(rows_of_centers)
        g.place, g.center_at = &place[0], &center_at[0]
        g.drift, g.own_drift, g.group_drift = &drift[0], &own_drift[0], &group_drift[0]
        g.group_drift_rounded_up = first_of(group_drift_rounded_up)


cdef class GroupScratch:
    """Buffers of one thread for bounds of groups. Keeps the arrays alive."""

    cdef group_buffers b
    cdef object arrays

    def __init__(
        self,
        batch,                        #     (rows of a batch, stride), of the type of the panels
        int[:, ::1] lists,            #     (n_groups + 1, max(rows of a batch + 1, n_groups))
        unsigned char[::1] needed,    #     (n_groups + 16,)
    ):
        self.arrays = batch, lists, needed
        self.b.batch, self.b.lists, self.b.n_list = first_of(batch), &lists[0, 0], lists.shape[1]
        self.b.counts, self.b.needed = &lists[lists.shape[0] - 1, 0], &needed[0]


cdef class Team:
    """What the threads of `iterate` share beside rows and centers, and what they came to."""

    cdef const long long[:, :, :, ::1] parts
    cdef long long[:, :, ::1] total
    cdef double[::1] masses
    cdef long long[::1] board
    cdef Py_ssize_t n_steps, enough
    cdef bint fresh
    cdef readonly Py_ssize_t n_iter   # updates of the centers
    cdef readonly Py_ssize_t n_changed # rows moved by the last assignment
    cdef readonly Py_ssize_t n_recomputed, n_exact # rows decided by differences, and exactly
    cdef readonly Py_ssize_t n_empty  # clusters without weight, where that ended it

    def __init__(
        self,
        const long long[:, :, :, ::1] parts, # (n_parts, n_clusters, n_features + 1, 2): the sums of each thread
        long long[:, :, ::1] total,   #     (n_clusters, n_features + 1, 2)
        double[::1] masses,           # OUT (n_clusters,)
        long long[::1] board,         #     (board(),), zeros
        Py_ssize_t n_steps,           #     most updates of the centers
        Py_ssize_t enough,            #     end where no more rows than this move
        bint fresh,                   #     whether the labels may be those of other centers
    ):
        self.parts, self.total, self.masses, self.board = parts, total, masses, board
        self.n_steps, self.enough, self.fresh = n_steps, enough, fresh


# ---- what is compiled in ----

def in_use():
    """Number of the instruction set in use."""
    return chosen


def panel_rows(bint double):
    """Number of rows in a panel of float or double."""
    return TILE_KERNELS[chosen].n_rows[double]


def tile_centers():
    """Number of centers in a tile."""
    return TILE_KERNELS[chosen].n_tile


def block_features():
    """Most features that a panel is scored with at a time."""
    return BLOCK


def group_shape():
    """Number of rows that assign_yinyang scores together, and of centers in a group."""
    return BATCH, GROUP


def board():
    """Number of integers on the board through which the threads of `iterate` work together; zeros at first."""
    return BOARD


# ---- over the rows of a block ----

def column_extremes(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    double[::1] total,                # INOUT (n_features,): += the sum, roughly
    double[::1] low,                  # INOUT (n_features,): min with the least value
    double[::1] high,                 # INOUT (n_features,): max with the largest
):
    """Sum, least and largest value of each feature over some rows.

    Strips of 16 values, which vectorize, hold several narrow rows or part of a wide one.
    """
    cdef bint wide = floating is double
    cdef Py_ssize_t d = X.shape[1], together = max(1, 16 // d), stride = together * d, n, i, f
    with nogil:
        while (stop - start) * d - 16 >= stride:  # the last strip of a row may reach into the next one
            n = min(max(1, 32768 // stride), ((stop - start) * d - 16) // stride)
            for f in range(0, d, 16):
                TILE_KERNELS[chosen].column_extremes[wide](
                    &X[start, f], n, stride, min(16, stride - f), d, &total[f], &low[f], &high[f]
                )
            start += n * together
        for i in range(start, stop):
            for f in range(d):
                total[f] += X[i, f]
                low[f] = min(low[f], <double> X[i, f])
                high[f] = max(high[f], <double> X[i, f])


def pack(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] origin,         # IN  (n_features,), exact in the type of X
    double scale,                     # IN  a power of two
    Py_ssize_t start,                 # IN  the panels to pack
    Py_ssize_t stop,
    packing[:, :, ::1] panels,        # OUT (n_panels, n_features, panel_rows)
    float[::1] max_norms,             # OUT (n_panels,): bound of the norms of the rows, single to save memory
):
    """Pack rows into panels."""
    cdef Py_ssize_t p, n_rows = panels.shape[2]
    cdef double norm
    with nogil:
        for p in range(start, stop):
            norm = fill(&TILE_KERNELS[chosen], X, &origin[0], scale, p * n_rows, &panels[p, 0, 0])
            max_norms[p] = <float> (norm * (1 + 2.4e-7)) + <float> 1.2e-38  # rounded up, and where it underflows


def assign(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const packing[:, :, ::1] panels,  # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const float[::1] max_norms,       # IN  (n_panels,) of pack, or (0,)
    PackedCenters centers,            # IN
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    Scratch scratch,                  # INOUT its sums
):
    """Label all rows with their exact nearest centers, ties to the lowest index; the sums follow.

    Returns the number of rows moved, the number decided by differences, and the number decided exactly.
    """
    cdef const tile_kernels* isa = &TILE_KERNELS[chosen]
    cdef thread_buffers* b = &scratch.b
    cdef Py_ssize_t n_rows = isa.n_rows[packing is double]
    with nogil:
        clear_counters(b)
        relabel(
            isa, X, sample_weight, panels, max_norms, &centers.c, 0, (X.shape[0] + n_rows - 1) // n_rows, labels, b
        )
    return b.n_moved, b.n_recomputed, b.n_exact


def assign_hamerly(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    PackedCenters centers,            # IN
    const double[::1] drift,          # IN  (n_clusters,): how far each center and any other have moved, added up
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    packing[::1] separation,          # INOUT (n_samples,): distance_bounds.pxd; -inf at first
    Scratch scratch,                  # INOUT its sums
):
    """As assign, but only for rows whose bound does not settle the label (distance_bounds.pxd); the labels are the same.

    Returns the number of rows moved, the number decided by differences, the number decided exactly, and
    the number looked at.
    """
    cdef const tile_kernels* isa = &TILE_KERNELS[chosen]
    cdef thread_buffers* b = &scratch.b
    cdef Py_ssize_t r, i, f, n, n_pending = 0, n_rows = isa.n_rows[packing is double]
    cdef Py_ssize_t n_bytes = min(X.shape[1] * <Py_ssize_t> sizeof(X[0, 0]), <Py_ssize_t> 512)
    cdef packing furthest = 0
    cdef int n_low
    cdef Py_ssize_t pending[128]
    with nogil:
        clear_counters(b)
        for i in range(drift.shape[0]):
            furthest = max(furthest, <packing> (drift[i] * (1 + 1.2e-7)))
        while start < stop or n_pending > 0:
            while start < stop and n_pending < 64:
                n = min(<Py_ssize_t> 64, stop - start)
                n_low = n < 64
                if n == 64:  # counted, since that is done in vectors
                    for r in range(64):
                        n_low += separation[start + r] <= furthest
                if n_low:
                    for i in range(start, start + n):
                        pending[n_pending] = i
                        if labels[i] < 0 or separation[i] <= drift[labels[i]]:
                            n_pending += 1
                            for f in range(0, n_bytes, 64):
                                prefetch(<const char*> &X[i, 0] + f)
                start += n
            n = min(n_rows, n_pending)
            if n == 0:
                break
            n_pending -= n
            settle_panel(isa, X, &centers.c, drift, pending + n_pending, n, labels, separation, b)
            if b.n_listed + n_rows > b.room:
                update_sums(isa, X, sample_weight, labels, b)
        update_sums(isa, X, sample_weight, labels, b)
    return b.n_moved, b.n_recomputed, b.n_exact, b.n_seen


def assign_yinyang(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    PackedCenters centers,            # IN
    CenterGroups groups,              # IN
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    packing[::1] separation,          # INOUT (n_samples,): distance_bounds.pxd; -inf at first
    packing[::1] upper_bounds,        # INOUT (n_samples,)
    packing[:, ::1] group_lower_bounds, # INOUT (n_samples + 16, n_groups)
    Scratch scratch,                  # INOUT its sums
    GroupScratch group_scratch,
):
    """As assign, but only for rows whose bounds do not settle the label (distance_bounds.pxd); the labels are the same.

    Returns the number of rows moved, the number decided by differences, the number decided exactly, the squared distances
    computed, and the number of rows looked at.
    """
    cdef const tile_kernels* isa = &TILE_KERNELS[chosen]
    cdef const center_groups* g = &groups.g
    cdef thread_buffers* b = &scratch.b
    cdef Py_ssize_t i, f, n_pending = 0, n_bytes = min(X.shape[1] * <Py_ssize_t> sizeof(X[0, 0]), <Py_ssize_t> 512)
    cdef Py_ssize_t pending[BATCH]
    with nogil:
        clear_counters(b)
        for i in range(start, stop):
            if labels[i] < 0 or (
                not separation[i] > g.drift[labels[i]]
                and not still_settled(isa, g, i, labels, separation, upper_bounds, group_lower_bounds)
            ):
                for f in range(0, n_bytes, 64):
                    prefetch(<const char*> &X[i, 0] + f)
                pending[n_pending] = i
                n_pending += 1
            if n_pending == BATCH or i == stop - 1:
                settle_batch(
                    isa, X, &centers.c, g, pending, n_pending, labels, separation, upper_bounds, group_lower_bounds, b,
                    &group_scratch.b,
                )
                n_pending = 0
                if b.n_listed + BATCH > b.room or i == stop - 1:
                    update_sums(isa, X, sample_weight, labels, b)
    return b.n_moved, b.n_recomputed, b.n_exact, b.n_distances, b.n_seen


def screen(
    const floating[:, ::1] X,         # IN  (n, n_features)
    const packing[:, :, ::1] panels,  # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    PackedCenters centers,            # IN
    packing[::1] scores,              #     ((2 + n_features) * panel_rows,)
    const packing[::1] thresholds,    # IN  (n,)
    unsigned long long[::1] passed,   # OUT (n_panels,): bit r for row r
):
    """Mark the rows whose least score is below a threshold of their own. There must be no score that overflows."""
    with nogil:
        screen_rows(&TILE_KERNELS[chosen], X, panels, &centers.c, scores, thresholds, passed)


def means(
    const long long[:, :, ::1] sums,  # IN  (n_clusters, n_features + 1, 2)
    const double[::1] units,          # IN  (n_features + 2,)
    double[:, ::1] centers,           # INOUT (n_clusters, n_features): the means; a center without weight stays
    double[::1] masses,               # OUT (n_clusters,): the sums of the weights
):
    """The means of the clusters; returns the number of clusters without weight."""
    return cluster_means(
        &sums[0, 0, 0], &units[0], centers.shape[0], centers.shape[1], &centers[0, 0], &masses[0]
    )


def iterate(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const packing[:, :, ::1] panels,  # IN  of pack
    const float[::1] max_norms,       # IN  of pack
    PackedCenters centers,            # INOUT
    int[::1] labels,                  # INOUT (n_samples,)
    Scratch scratch,                  #     of this thread; its sums are among the parts of the team
    Team team,                        # INOUT
    bint leads,                       # IN  whether this thread updates the centers
):
    """Lloyd's iteration in one go, where it takes no time: assign, then update while labels change.

    Several threads may call this at once, with buffers of their own. One of them leads; the others help, and return when they
    have waited for long. It stops early, before the assignment, when a cluster is left without weight.
    """
    cdef const tile_kernels* isa = &TILE_KERNELS[chosen]
    cdef packed_centers* c = &centers.c
    cdef thread_buffers* b = &scratch.b
    cdef Py_ssize_t n_panels = panels.shape[0], size = max(<Py_ssize_t> 1, n_panels // 32)
    cdef Py_ssize_t n_shares = (n_panels + size - 1) // size, share
    cdef bint fresh = team.fresh
    cdef int64_t seen = 0
    cdef int64_t counts[SUMS]
    cdef int64_t* place = <int64_t*> &team.board[0]
    with nogil:
        while leads or wait_for_step(place, &seen):
            if leads:
                fill_tiles(c, <packing*> c.tiles)
                open_step(place)
            share = take_share(place, n_shares)
            while share >= 0:
                clear_counters(b)
                relabel(
                    isa, X, sample_weight, panels, max_norms, c, share * size, min((share + 1) * size, n_panels), labels, b
                )
                counts[0], counts[1], counts[2] = b.n_moved, b.n_recomputed, b.n_exact
                give_back(place, counts)
                share = take_share(place, n_shares)
            if leads:
                end_step(place, n_shares, counts)
                team.n_changed = counts[0]
                team.n_recomputed += counts[1]
                team.n_exact += counts[2]
                if team.n_iter == team.n_steps or (team.n_changed <= team.enough and not fresh):
                    break
                fresh = False
                add_up(team.parts, team.total)
                team.n_empty = cluster_means(
                    &team.total[0, 0, 0], b.units, c.n_clusters, c.n_features, c.centers, &team.masses[0]
                )
                team.n_iter += 1
                if team.n_empty:
                    break
        if leads:
            disband(place)


def exchange_candidates(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const packing[:, :, ::1] panels,  # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const float[::1] max_norms,       # IN  (n_panels,) of pack, or (0,)
    PackedCenters centers,            # IN
    const int[::1] labels,            # IN  (n_samples,): the nearest centers
    const double[::1] masses,         # IN  (n_clusters,)
    packing[::1] scores,              #     ((2 + n_features) * panel_rows,)
    unsigned char[::1] mask,          # OUT (n_samples,)
):
    """Mark the rows that could lower the inertia by moving to another cluster (exchange.pyx), and perhaps some more.

    Moving costs at least w B / (B + w) times the second least squared distance, for the least mass B, and gains at most
    w A / (A - w) times the least; both squared distances are bounded from the scores.
    """
    with nogil:
        mark_exchange_candidates(
            &TILE_KERNELS[chosen], X, sample_weight, panels, max_norms, &centers.c, labels, masses, scores, mask
        )
