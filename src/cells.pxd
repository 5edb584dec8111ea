"""Lloyd's assignment over a hierarchy of boxes: what is known to be nearest to a whole box goes there with the sums of its rows.

Rows lie along a space-filling curve, LEAF of them in a leaf; BOXES leaves that follow each other make a group, and the box around
them is one of a group a level up. From the top down, each group rules centers out, box by box (cells.h). A box with one center
left is labelled as a whole; a leaf with several goes through its rows. That is filtering over a tree (Kanungo et al. 2002,
doi:10.1109/TPAMI.2002.1017616), with the boxes of a group in the lanes of a vector.

Nodes are numbered level by level, each level filled up to whole groups. The label of a node is that of all its rows, NONE if they
have none yet, or MIXED; the nodes below one that is not mixed may have older ones, those of rows are always true.
"""

from cython cimport floating
from fixed cimport shift_rows
from libc.math cimport sqrt
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from metric cimport nearest_center, sq_distance
from processor cimport lowest_bit, prefetch
from scores cimport error_bound
from shared cimport thread_buffers

cdef extern from "cells_table.h" nogil:
    enum: LEAF
    enum: BOXES
    enum: FEW
    ctypedef struct cell_kernels:
        void (*boxes[2])(
            ptrdiff_t d, const void* boxes, const void* centers, const int32_t* list, ptrdiff_t n, double margin, void* scores,
            uint16_t* survives) noexcept nogil
        uint64_t (*rows[2])(
            ptrdiff_t d, const void* x, const void* base, double scale, const void* centers, const int32_t* list, ptrdiff_t n,
            double margin, const int32_t* labels, int32_t* nearest, uint64_t* close) noexcept nogil
        double (*near[2])(
            ptrdiff_t d, const double* centers, const int32_t* list, ptrdiff_t n, const double* middle, void* out) noexcept nogil
        void (*keys[2])(
            const void* rows, ptrdiff_t n, ptrdiff_t d, const double* origin, double scale, const float* starts,
            const float* rates, const float* steps, ptrdiff_t n_lines, int bits, uint64_t first, uint64_t* words) noexcept nogil
        double (*leaf[2])(
            const void* rows, ptrdiff_t d, const int32_t* which, ptrdiff_t n, const double* origin, double scale, int other,
            const double* units, void* out, double* ends, int64_t* sums) noexcept nogil
        void (*shift[2])(
            const void* X, ptrdiff_t n_features, const int32_t* labels, const ptrdiff_t* moved, const int32_t* old_labels,
            ptrdiff_t n_moved, const double* units, int64_t* sums) noexcept nogil
        void (*moves[2])(
            ptrdiff_t d, const void* leaf, uint64_t moved, const int32_t* old_labels, const int32_t* labels, const double* units,
            int64_t* sums) noexcept nogil
    const cell_kernels CELL_KERNELS[]

cdef enum:
    LEVELS = 10                       # as many as 2**31 rows can have, and one more
    NONE = -1
    MIXED = -2

cdef struct cell_tree:
    const cell_kernels* isa
    bint wide                         # whether leaves and boxes are of double
    Py_ssize_t n_samples, n_features, n_clusters, n_levels
    Py_ssize_t first[LEVELS]          # the first node of each level, the leaves being level 0
    Py_ssize_t n_nodes[LEVELS]
    Py_ssize_t n_leaves[LEVELS]       # leaves of a node, where all are there
    const char* leaves
    const char* bases                 # (n_leaves, n_features): middles of rows that lie in leaves as they are; NULL if packed
    bint at_once                      # whether leaves have what the sums take
    double scale
    const char* boxes
    Py_ssize_t leaf_size, group_size  # bytes
    const double* middles             # (n_leaves, n_features): subtracted from the rows of each
    const double* norms               # (n_leaves,): bound of the norms of what is left
    const int32_t* order              # (n_samples,): the rows along the curve
    const int64_t* sums               # (n_nodes, n_features + 1, 2)
    const char* packed                # (n_clusters, 1 + n_features)
    const double* centers             # (n_clusters, n_features)
    const double* shifted             # (n_clusters, n_features): less the origin, scaled
    double reach                      # longest row and center, added up
    double margin                     # of the scores of boxes
    int32_t* own                      # (n_samples,): labels along the curve
    int32_t* node_labels
    # Of one thread, which has these leaves:
    Py_ssize_t start, stop
    int32_t* lists                    # (n_levels + 1, n_clusters)
    uint16_t* survives                # (n_levels, n_clusters)
    void* scores                      # (n_clusters, BOXES)
    double* candidates                # (n_clusters, n_features)
    int32_t* new_labels               # (room for rows that are listed,)
    Py_ssize_t n_moved                # rows moved with their node


cdef inline void take_rows(
    cell_tree* t, const double[::1] sample_weight, const floating[:, ::1] X, int[::1] labels, thread_buffers* b
) noexcept nogil:
    """Bring labels and sums up to date with the rows that are listed as moved, by their places on the curve."""
    cdef Py_ssize_t m
    for m in range(b.n_listed):  # first all that is far is fetched
        t.new_labels[m] = t.own[b.moved[m]]
        b.moved[m] = t.order[b.moved[m]]
        prefetch(&labels[b.moved[m]])
        if not t.at_once:
            prefetch(&X[b.moved[m], 0])
    for m in range(b.n_listed):
        labels[b.moved[m]] = t.new_labels[m]
    if t.at_once or b.sums == NULL:
        pass
    elif sample_weight.shape[0] > 0:
        shift_rows(X, sample_weight, labels, b)
    else:
        t.isa.shift[floating is double](
            &X[0, 0], t.n_features, <const int32_t*> &labels[0], <const ptrdiff_t*> b.moved, <const int32_t*> b.old_labels,
            b.n_listed, b.units, <int64_t*> b.sums,
        )
    b.n_moved += b.n_listed
    b.n_listed = 0


cdef inline void list_row(cell_tree* t, Py_ssize_t place, int label, thread_buffers* b) noexcept nogil:
    """Give a row on the curve another label, and list it."""
    prefetch(&t.order[place])
    b.moved[b.n_listed] = place
    b.old_labels[b.n_listed] = t.own[place]
    t.own[place] = label
    b.n_listed += 1


cdef inline Py_ssize_t move_rows(
    cell_tree* t, Py_ssize_t leaf, uint64_t which, const int32_t* nearest, const floating[:, ::1] X,
    const double[::1] sample_weight, int[::1] labels, thread_buffers* b,
) noexcept nogil:
    """Give rows of a leaf other labels, bit r for row r, and list them; returns how many. Sums follow, at once if they can."""
    cdef Py_ssize_t first = leaf * LEAF, before, r
    if b.n_listed + LEAF > b.room:
        take_rows(t, sample_weight, X, labels, b)
    before = b.n_listed
    if t.at_once and b.sums != NULL:
        t.isa.moves[t.wide](
            t.n_features, t.leaves + leaf * t.leaf_size, which, t.own + first, nearest, b.units, <int64_t*> b.sums
        )
    while which:
        r = lowest_bit(which)
        which &= which - 1
        list_row(t, first + r, nearest[r], b)
    return b.n_listed - before


cdef inline void own_leaf(
    cell_tree* t, Py_ssize_t leaf, int label, const floating[:, ::1] X, const double[::1] sample_weight, int[::1] labels,
    thread_buffers* b,
) noexcept nogil:
    """Give the rows of a leaf that is mixed the same label."""
    cdef Py_ssize_t first = leaf * LEAF, r
    cdef int32_t nearest[LEAF]
    cdef uint64_t which = 0
    for r in range(min(<Py_ssize_t> LEAF, t.n_samples - first)):
        nearest[r] = label
        which |= <uint64_t> (t.own[first + r] != label) << r
    move_rows(t, leaf, which, nearest, X, sample_weight, labels, b)


cdef inline void own_node(
    cell_tree* t, Py_ssize_t level, Py_ssize_t node, int label, const floating[:, ::1] X, const double[::1] sample_weight,
    int[::1] labels, thread_buffers* b,
) noexcept nogil:
    """Give all rows of a node the same label; the sums follow."""
    cdef int32_t* known = &t.node_labels[t.first[level] + node]
    cdef int old = known[0]
    cdef Py_ssize_t i, j, width = 2 * (t.n_features + 1), stop
    cdef const int64_t* sums = t.sums + (t.first[level] + node) * width
    if old == label:
        return
    known[0] = label
    if old != MIXED:
        if b.sums != NULL:
            for j in range(width):
                b.sums[label * width + j] += sums[j]
            if old != NONE:
                for j in range(width):
                    b.sums[old * width + j] -= sums[j]
        i = node * t.n_leaves[level] * LEAF
        stop = min(i + t.n_leaves[level] * LEAF, t.n_samples)
        t.n_moved += stop - i
        for i in range(i, stop):
            t.own[i] = label
            labels[t.order[i]] = label
    elif level == 0:
        own_leaf(t, node, label, X, sample_weight, labels, b)
    else:
        for i in range(node * BOXES, min((node + 1) * BOXES, t.n_nodes[level - 1])):
            own_node(t, level - 1, i, label, X, sample_weight, labels, b)


cdef inline Py_ssize_t nearest_of(
    cell_tree* t, const floating* x, const int32_t* list, Py_ssize_t n, bint fresh, thread_buffers* b
) noexcept nogil:
    """The exact nearest center of those on a list, for a row whose scores are too close to tell. `fresh`: the list is new."""
    cdef Py_ssize_t j, f, d = t.n_features
    cdef bint doubtful = False
    for j in range(n):
        if fresh:
            for f in range(d):
                t.candidates[j * d + f] = t.centers[list[j] * d + f]
        b.distances[j] = sq_distance(x, t.candidates + j * d, d)
    j = nearest_center(x, t.candidates, d, n, b.distances, &doubtful)
    b.n_recomputed += 1
    b.n_exact += doubtful
    return list[j]


cdef inline void label_leaf(
    cell_tree* t, Py_ssize_t leaf, const int32_t* list, Py_ssize_t n, const floating[:, ::1] X,
    const double[::1] sample_weight, int[::1] labels, thread_buffers* b,
) noexcept nogil:
    """Label the rows of a leaf, each with the nearest center of the list."""
    cdef Py_ssize_t first = leaf * LEAF, n_rows = min(<Py_ssize_t> LEAF, t.n_samples - first), r
    cdef double norm = sqrt(t.isa.near[t.wide](t.n_features, t.shifted, list, n, t.middles + leaf * t.n_features, t.scores))
    # Rows and centers are rounded in double before they get short.
    cdef double margin = error_bound(t.norms[leaf], norm, t.n_features, t.wide) + 1e-15 * t.reach * (t.norms[leaf] + norm)
    cdef int32_t nearest[LEAF]
    cdef uint64_t close = 0, bits, some = (~(<uint64_t> 0)) >> (64 - n_rows)
    cdef bint fresh = True, unlabelled = t.node_labels[leaf] == NONE
    cdef Py_ssize_t n_moved
    bits = t.isa.rows[t.wide](
        t.n_features, t.leaves + leaf * t.leaf_size, NULL if t.bases == NULL else t.bases + leaf * (t.leaf_size // LEAF), t.scale,
        t.scores, list, n, margin, t.own + first, nearest, &close,
    )
    if unlabelled:  # most of them at once
        own_node(t, 0, leaf, nearest[n_rows // 2], X, sample_weight, labels, b)
        bits = ~(<uint64_t> 0)
    t.node_labels[leaf] = MIXED
    b.n_distances += n * n_rows
    b.n_seen += n_rows
    close &= some
    bits = (bits & some) | close
    for r in range(n_rows if unlabelled or close else 0):
        if close >> r & 1:
            nearest[r] = <int32_t> nearest_of(t, &X[t.order[first + r], 0], list, n, fresh, b)
            fresh = False
        if nearest[r] == t.own[first + r]:
            bits &= ~(<uint64_t> 1 << r)
    if bits:
        n_moved = move_rows(t, leaf, bits, nearest, X, sample_weight, labels, b)
        if unlabelled:
            t.n_moved -= n_moved  # they have been counted


cdef inline void descend(
    cell_tree* t, Py_ssize_t level, Py_ssize_t group, const int32_t* list, Py_ssize_t n, const floating[:, ::1] X,
    const double[::1] sample_weight, int[::1] labels, thread_buffers* b,
) noexcept nogil:
    """Label what is in the boxes of a group with the nearest centers of a list, which has all that may be."""
    cdef Py_ssize_t box, node, j, m, start, stop, child
    cdef int32_t* some = t.lists + (t.n_levels - level) * t.n_clusters
    cdef uint16_t* survives = t.survives + level * t.n_clusters
    cdef int32_t* known
    cdef bint inside
    t.isa.boxes[t.wide](
        t.n_features, t.boxes + (t.first[level] // BOXES + group) * t.group_size, t.packed, list, n, t.margin, t.scores,
        survives,
    )
    b.n_distances += n * BOXES
    for box in range(min(<Py_ssize_t> BOXES, t.n_nodes[level] - group * BOXES)):
        node = group * BOXES + box
        start = node * t.n_leaves[level]
        stop = min(start + t.n_leaves[level], t.n_nodes[0])
        if stop <= t.start or start >= t.stop:
            continue
        inside = t.start <= start and stop <= t.stop
        m = 0
        for j in range(n):
            some[m] = list[j]
            m += survives[j] >> box & 1
        if m == 1 and inside:
            own_node(t, level, node, some[0], X, sample_weight, labels, b)
        elif level == 0:
            label_leaf(t, node, some, m, X, sample_weight, labels, b)
        else:
            known = &t.node_labels[t.first[level] + node]
            if inside and known[0] != MIXED:
                for child in range(node * BOXES, min((node + 1) * BOXES, t.n_nodes[level - 1])):
                    t.node_labels[t.first[level - 1] + child] = known[0]
                known[0] = MIXED
            descend(t, level - 1, node, some, m, X, sample_weight, labels, b)
