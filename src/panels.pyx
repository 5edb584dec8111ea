"""Rows in panels, and their nearest centers by the register tiles of tile.h, exactly.

A panel holds a fixed number of rows, feature-major, shifted by an origin and scaled by a power of two, in the type of X or
in the other one. The tiles give each row its two least scores |c|^2/2 - x.c, which settle the nearest center unless they are closer than their error bounds;
such rows are decided by differences in double and, where these cannot tell, in exact arithmetic.
"""

from cython cimport floating
from distance_bounds cimport BATCH, bounding, settle_batch, settle_panel, still_settled
from fixed cimport add_up, cluster_means
from libc.stdint cimport int64_t
from processor cimport prefetch
from relabel cimport relabel, update_sums
from scores cimport error_bound, packing
from screen cimport fill, mark_exchange_candidates, screen_rows
from team cimport BOARD, SUMS, disband, end_step, give_back, open_step, take_share, wait_for_step
from tile cimport GROUP, TILE_KERNELS, fill_tiles, instruction_set_name, n_supported, tile_kernels

include "chosen.pxi"


def in_use():
    """Number of the instruction set in use."""
    return chosen


def panel_rows(bint double):
    """Number of rows in a panel of float or double."""
    return TILE_KERNELS[chosen].n_rows[double]


def tile_centers():
    """Number of centers in a tile."""
    return TILE_KERNELS[chosen].n_tile


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
    double[::1] max_norms,                # OUT (n_panels,): bound of the norms of the rows
):
    """Pack rows into panels."""
    cdef Py_ssize_t p, n_rows = panels.shape[2]
    with nogil:
        for p in range(start, stop):
            max_norms[p] = fill(&TILE_KERNELS[chosen], X, origin, scale, p * n_rows, &panels[p, 0, 0])


def pack_centers(
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the rows were packed
    floating[:, :, ::1] tiles,        # OUT (n_tiles, 1 + n_features, tile_centers)
    double[:, ::1] centers_t,         # OUT (n_features, n_clusters)
):
    """Pack centers into tiles, and transpose them; returns the largest norm of a center."""
    return fill_tiles(centers, origin, scale, tiles, centers_t)


def assign(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const packing[:, :, ::1] panels,  # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const double[::1] max_norms,          # IN  (n_panels,) of pack, or (0,)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the centers were packed
    const packing[:, :, ::1] tiles,   # IN  of pack_centers
    double max_center_norm,              # IN  of pack_centers
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters)
    Py_ssize_t start,                 # IN  the panels of the block
    Py_ssize_t stop,
    packing[::1] scores,              #     ((2 + n_features) * panel_rows,)
    double[::1] scratch,              #     (n_clusters,)
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    Py_ssize_t[::1] moved,            #     (at least panel_rows,)
    int[::1] left,                    #     (at least panel_rows,)
    const double[::1] units,          # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2), or (0, ...) for none
):
    """Label the rows of some panels with their exact nearest centers, ties to the lowest index; the sums follow.

    Returns the number of rows moved, the number decided by differences, and the number decided exactly.
    """
    cdef Py_ssize_t n_moved
    cdef Py_ssize_t n_close[2]
    n_close[0] = n_close[1] = 0
    with nogil:
        n_moved = relabel(
            &TILE_KERNELS[chosen], X, sample_weight, panels, max_norms, origin, scale, tiles, max_center_norm, centers, centers_t, start, stop, scores,
            scratch, labels, moved, left, units, sums, n_close,
        )
    return n_moved, n_close[0], n_close[1]


def assign_hamerly(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const packing[:, :, ::1] panels,  # IN  (n_panels, n_features, panel_rows) of pack
    const packing[:, :, ::1] tiles,   # IN  of pack_centers
    double max_center_norm,              # IN  of pack_centers
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters)
    const double[::1] drift,          # IN  (n_clusters,): how far each center and any other have moved, added up
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    packing[::1] scores,              #     ((2 + n_features) * panel_rows,)
    double[::1] scratch,              #     (n_clusters,)
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    Py_ssize_t[::1] moved,            #     (at least panel_rows,)
    int[::1] left,                    #     (at least panel_rows,)
    const double[::1] units,          # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2)
    packing[::1] separation,             # INOUT (n_samples,): distance_bounds.pxd; -inf at first
):
    """As assign, but only for rows whose bound does not settle the label (distance_bounds.pxd); the labels are the same.

    Returns the number of rows moved, the number decided by differences, the number decided exactly, and
    the number looked at.
    """
    cdef const tile_kernels* isa = &TILE_KERNELS[chosen]
    cdef Py_ssize_t r, i, n, n_pending = 0, n_seen = 0, n_moved = 0, n_rows = isa.n_rows[packing is double]
    cdef packing furthest = 0
    cdef int n_low
    cdef Py_ssize_t counters[3]
    cdef Py_ssize_t pending[128]
    with nogil:
        counters[0] = counters[1] = counters[2] = 0
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
                        n_pending += labels[i] < 0 or separation[i] <= drift[max(labels[i], 0)]
                start += n
            n = min(n_rows, n_pending)
            if n == 0:
                break
            n_pending -= n
            n_seen += n
            settle_panel(
                X, panels, tiles, max_center_norm, centers, centers_t, drift, isa, pending + n_pending, n, scores, scratch,
                labels, moved, left, separation, counters,
            )
            if counters[0] + n_rows > moved.shape[0]:
                update_sums(isa, X, sample_weight, labels, moved, left, counters[0], units, sums)
                n_moved += counters[0]
                counters[0] = 0
        update_sums(isa, X, sample_weight, labels, moved, left, counters[0], units, sums)
    return n_moved + counters[0], counters[1], counters[2], n_seen


def group_shape():
    """Number of rows that assign_yinyang scores together, and of centers in a group."""
    return BATCH, GROUP


def assign_yinyang(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const double[::1] origin,         # IN  (n_features,)
    const packing[::1] shift,         # IN  (n_features,): minus the origin, in packed units
    double scale,                     # IN  as the centers were packed
    const packing[:, :, ::1] groups,  # IN  (n_groups, 1 + n_features, centers of a group) of pack_centers, in their places
    const packing[:, ::1] rows_of_centers,  # IN (n_clusters, stride): in packed units; the stride a multiple of 32
    const int[::1] place,             # IN  (n_clusters,): place of each center in the groups ...
    const int[::1] center_at,         # IN  (n_clusters,): ... and the center at each place
    double max_center_norm,              # IN  of pack_centers
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const double[:, ::1] centers_t,   # IN  (n_features, n_clusters)
    const double[::1] drift,          # IN  (n_clusters,): how far each center and any other have moved, added up
    const double[::1] own_drift,      # IN  (n_clusters,): how far each center has moved, added up
    const double[::1] group_drift,    # IN  (n_groups,): how far any center of the group has moved, added up ...
    const packing[::1] group_drift_rounded_up,          # IN  (n_groups + 16,): ... rounded up
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    packing[:, ::1] batch,            #     (rows of a batch, stride)
    int[:, ::1] lists,                #     (n_groups + 1, max(rows of a batch + 1, n_groups))
    double[::1] scratch,              #     (n_clusters,)
    int[::1] labels,                  # INOUT (n_samples,): labels before, negative for none
    Py_ssize_t[::1] moved,            #     (at least the rows of a batch,)
    int[::1] left,                    #     (at least the rows of a batch,)
    const double[::1] units,          # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2)
    packing[::1] separation,             # INOUT (n_samples,): distance_bounds.pxd; -inf at first
    packing[::1] upper_bounds,             # INOUT (n_samples,)
    packing[:, ::1] group_lower_bounds,            # INOUT (n_samples + 16, n_groups)
    unsigned char[::1] needed,        #     (n_groups + 16,)
):
    """As assign, but only for rows whose bounds do not settle the label (distance_bounds.pxd); the labels are the same.

    Returns the number of rows moved, the number decided by differences, the number decided exactly, the squared distances
    computed, and the number of rows looked at.
    """
    cdef const tile_kernels* isa = &TILE_KERNELS[chosen]
    cdef Py_ssize_t i, f, n_pending = 0, n_seen = 0, n_moved = 0, n_bytes = min(X.shape[1] * sizeof(X[0, 0]), 512)
    cdef Py_ssize_t counters[4]
    cdef Py_ssize_t pending[BATCH]
    cdef bint wide = packing is double, own_type = floating is double
    cdef bounding b
    b.n_clusters, b.n_features, b.n_groups, b.stride = centers.shape[0], X.shape[1], groups.shape[0], batch.shape[1]
    b.origin = &shift[0]
    if wide != own_type:
        b.origin = &origin[0]
    b.scale, b.groups, b.rows_of_centers = scale, &groups[0, 0, 0], &rows_of_centers[0, 0]
    b.drift, b.own_drift, b.group_drift, b.max_center_norm = &drift[0], &own_drift[0], &group_drift[0], max_center_norm
    b.place, b.center_at = &place[0], &center_at[0]
    b.batch, b.lists, b.n_list = &batch[0, 0], &lists[0, 0], lists.shape[1]
    b.counts, b.needed, b.group_drift_rounded_up = &lists[b.n_groups, 0], &needed[0], &group_drift_rounded_up[0]
    with nogil:
        counters[0] = counters[1] = counters[2] = counters[3] = 0
        for i in range(start, stop):
            if labels[i] < 0 or (
                not separation[i] > drift[labels[i]] and not still_settled(isa, &b, i, labels, separation, upper_bounds, group_lower_bounds)
            ):
                for f in range(0, n_bytes, 64):
                    prefetch(<const char*> &X[i, 0] + f)
                pending[n_pending] = i
                n_pending += 1
            if n_pending == BATCH or i == stop - 1:
                settle_batch(
                    X, centers, centers_t, isa, &b, pending, n_pending, scratch, labels, moved, left, separation, upper_bounds, group_lower_bounds, counters
                )
                n_seen += n_pending
                n_pending = 0
                if counters[0] + BATCH > moved.shape[0] or i == stop - 1:
                    update_sums(isa, X, sample_weight, labels, moved, left, counters[0], units, sums)
                    n_moved += counters[0]
                    counters[0] = 0
    return n_moved, counters[1], counters[2], counters[3], n_seen


def screen(
    const floating[:, ::1] X,         # IN  (n, n_features)
    const packing[:, :, ::1] panels,  # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the centers were packed
    const packing[:, :, ::1] tiles,   # IN  of pack_centers
    packing[::1] scores,              #     ((2 + n_features) * panel_rows,)
    const packing[::1] thresholds,    # IN  (n,)
    unsigned long long[::1] passed,   # OUT (n_panels,): bit r for row r
):
    """Mark the rows whose least score is below a threshold of their own. There must be no score that overflows."""
    with nogil:
        screen_rows(&TILE_KERNELS[chosen], X, panels, origin, scale, tiles, scores, thresholds, passed)


def means(
    const long long[:, :, ::1] sums,  # IN  (n_clusters, n_features + 1, 2)
    const double[::1] units,          # IN  (n_features + 2,)
    double[:, ::1] centers,           # INOUT (n_clusters, n_features): the means; a center without weight stays
    double[::1] masses,               # OUT (n_clusters,): the sums of the weights
):
    """The means of the clusters; returns the number of clusters without weight."""
    return cluster_means(sums, units, centers, masses)


def board():
    """Number of integers on the board through which the threads of `iterate` work together; zeros at first."""
    return BOARD


def iterate(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const packing[:, :, ::1] panels,  # IN  of pack
    const double[::1] max_norms,          # IN  of pack
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the rows were packed
    packing[:, :, ::1] tiles,         #     (n_tiles, 1 + n_features, tile_centers)
    double[:, ::1] centers,           # INOUT (n_clusters, n_features)
    double[:, ::1] centers_t,         #     (n_features, n_clusters)
    packing[::1] scores,              #     (2 * panel_rows,): of this thread, and so on
    double[::1] scratch,              #     (n_clusters,)
    Py_ssize_t[::1] moved,            #     (at least panel_rows,)
    int[::1] left,                    #     (at least panel_rows,)
    long long[:, :, ::1] sums,        # INOUT (n_clusters, n_features + 1, 2): one of parts
    int[::1] labels,                  # INOUT (n_samples,)
    const double[::1] units,          # IN  (n_features + 2,)
    const long long[:, :, :, ::1] parts, # IN  (n_parts, n_clusters, n_features + 1, 2): what the threads have added up
    long long[:, :, ::1] total,       #     (n_clusters, n_features + 1, 2)
    double[::1] masses,               # OUT (n_clusters,)
    long long[::1] found,             # INOUT (5,), zeros: updates, rows moved last, rows decided by differences and
                                      # exactly, empty clusters
    Py_ssize_t n_steps,               # IN  most updates of the centers
    Py_ssize_t enough,                # IN  end where no more rows than this move
    bint fresh,                       # IN  whether the labels may be those of other centers
    long long[::1] board,             # INOUT (board(),)
    bint leads,                       # IN  whether this thread updates the centers
):
    """Lloyd's iteration in one go, where it takes no time: assign, then update while labels change.

    Several threads may call this at once, with buffers of their own; those that do not lead only help, and go when they
    have waited for long. It stops early, before the assignment, when a cluster is left without weight.
    """
    cdef const tile_kernels* isa = &TILE_KERNELS[chosen]
    cdef Py_ssize_t n_panels = panels.shape[0], size = max(<Py_ssize_t> 1, n_panels // 32)
    cdef Py_ssize_t n_shares = (n_panels + size - 1) // size, share
    cdef int64_t seen = 0
    cdef int64_t counts[SUMS]
    cdef Py_ssize_t n_close[2]
    cdef int64_t* place = <int64_t*> &board[0]
    with nogil:
        while leads or wait_for_step(place, &seen):
            if leads:
                masses[0] = fill_tiles(centers, origin, scale, tiles, centers_t)  # for all to see until the step is done
                open_step(place)
            share = take_share(place, n_shares)
            while share >= 0:
                n_close[0] = n_close[1] = 0
                counts[0] = relabel(
                    isa, X, sample_weight, panels, max_norms, origin, scale, tiles, masses[0], centers, centers_t,
                    share * size, min((share + 1) * size, n_panels), scores, scratch, labels, moved, left, units, sums,
                    n_close,
                )
                counts[1] = n_close[0]
                counts[2] = n_close[1]
                give_back(place, counts)
                share = take_share(place, n_shares)
            if leads:
                end_step(place, n_shares, counts)
                found[1] = counts[0]
                found[2] += counts[1]
                found[3] += counts[2]
                if found[0] == n_steps or (found[1] <= enough and not fresh):
                    break
                fresh = False
                add_up(parts, total)
                found[4] = cluster_means(total, units, centers, masses)
                found[0] += 1
                if found[4]:
                    break
        if leads:
            disband(place)


def exchange_candidates(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const packing[:, :, ::1] panels,  # IN  (n_panels, n_features, panel_rows) of pack, or (0, ...): pack on the way
    const double[::1] max_norms,          # IN  (n_panels,) of pack, or (0,)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  as the centers were packed
    const packing[:, :, ::1] tiles,   # IN  of pack_centers
    double max_center_norm,              # IN  of pack_centers
    const int[::1] labels,            # IN  (n_samples,): the nearest centers
    const double[::1] masses,         # IN  (n_clusters,)
    Py_ssize_t start,                 # IN  the panels of the block
    Py_ssize_t stop,
    packing[::1] scores,              #     ((2 + n_features) * panel_rows,)
    unsigned char[::1] mask,          # OUT (n_samples,)
):
    """Mark the rows that could lower the inertia by moving to another cluster (exchange.pyx), and perhaps some more.

    Moving costs at least w B / (B + w) times the second least squared distance, for the least mass B, and gains at most
    w A / (A - w) times the least; both squared distances are bounded from the scores.
    """
    with nogil:
        mark_exchange_candidates(
            &TILE_KERNELS[chosen], X, sample_weight, panels, max_norms, origin, scale, tiles, max_center_norm, labels, masses,
            start, stop, scores, mask,
        )
