"""Rows in the order of a space-filling curve, boxes around them, and Lloyd's assignment from the top down (cells.pxd)."""

from cells cimport BOXES, CELL_KERNELS, FEW, LEAF, LEVELS, MIXED, NONE, cell_tree, descend, take_rows
from cython cimport floating
from fixed cimport to_fixed
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from processor cimport prefetch
from scores cimport error_bound, packing
from shared cimport clear_counters, thread_buffers

cdef enum:
    BITS = 10                         # of a digit of the sort
    VALUES = 1 << BITS                # of a digit

cdef extern from "math.h" nogil:
    double INFINITY


def shape():
    """Rows of a leaf, boxes of a group, the most features, and bits of a digit of the sort."""
    return LEAF, BOXES, FEW, BITS


# ---- the order of the rows ----

def keys(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  a power of two
    const float[:, ::1] starts,       # IN  (n_features, n_lines): where lines begin to rise, of rows less the origin, scaled, ...
    const float[:, ::1] rates,        # IN  (n_features, n_lines): ... how fast ...
    const float[::1] steps,           # IN  (n_lines,): ... and how far; in all less than 2**bits
    int bits,                         # IN  of each feature; no more than 32 in all
    Py_ssize_t start,                 # IN  the rows of the block
    Py_ssize_t stop,
    unsigned long long[::1] words,    # OUT (n_samples,): place on the curve, and number of the row
    int isa,                          # IN  number of the instruction set
):
    """Where rows are along a Hilbert curve."""
    cdef bint own = floating is double
    with nogil:
        while start < stop:
            CELL_KERNELS[isa].keys[own](
                &X[start, 0], min(<Py_ssize_t> LEAF, stop - start), X.shape[1], &origin[0], scale, &starts[0, 0], &rates[0, 0],
                &steps[0], starts.shape[1], bits, start, <uint64_t*> &words[start],
            )
            start += LEAF


def count(
    const unsigned long long[::1] words, # IN  (n_samples,)
    int digit,                        # IN  which digit of the place on the curve, the last being 0
    Py_ssize_t start,                 # IN  the block
    Py_ssize_t stop,
    long long[::1] counts,            # OUT (2**bits,): how often each value is that digit
):
    """Count the values of a digit."""
    cdef Py_ssize_t i
    cdef int shift = 32 + BITS * digit
    with nogil:
        for i in range(VALUES):
            counts[i] = 0
        for i in range(start, stop):
            counts[words[i] >> shift & (VALUES - 1)] += 1


def spread(
    const unsigned long long[::1] words, # IN  (n_samples,)
    int digit,                        # IN  which digit
    Py_ssize_t start,                 # IN  the block
    Py_ssize_t stop,
    long long[::1] places,            # INOUT (2**bits,): where the next word of each value goes
    unsigned long long[::1] out,      # OUT (n_samples,), or (0,)
    int[::1] order,                   # OUT (n_samples,): numbers of the rows alone, where `out` is (0,)
):
    """Put words in the order of a digit, words with the same one staying in theirs."""
    cdef Py_ssize_t i
    cdef unsigned long long word, value
    cdef int shift = 32 + BITS * digit
    cdef bint last = out.shape[0] == 0
    with nogil:
        for i in range(start, stop):
            word = words[i]
            value = word >> shift & (VALUES - 1)
            if last:
                order[places[value]] = <int> <unsigned int> word
            else:
                out[places[value]] = word
            places[value] += 1


# ---- boxes and sums ----

def fill(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const int[::1] order,             # IN  (n_samples,)
    const double[::1] origin,         # IN  (n_features,)
    double scale,                     # IN  a power of two
    const double[::1] units,          # IN  (n_features + 2,) of the fixed-point sums (fixed.pxd)
    Py_ssize_t start,                 # IN  the leaves of the block
    Py_ssize_t stop,
    packing[:, :, ::1] leaves,        # OUT (n_leaves, n_features, LEAF)
    packing[:, ::1] bases,            # OUT (n_leaves, n_features): middles of the rows, which stay as they are; (0, ...) to pack
    double[:, ::1] middles,           # OUT (n_leaves, n_features): the same, less the origin and scaled
    double[::1] norms,                # OUT (n_leaves,): bound of the norms of what is left
    packing[:, :, :, ::1] boxes,      # OUT (n_groups, 2, n_features, BOXES): of the leaves
    long long[:, :, ::1] sums,        # OUT (n_nodes, n_features + 1, 2): of the leaves
    int isa,                          # IN  number of the instruction set
):
    """The leaves of rows along the curve."""
    cdef Py_ssize_t leaf, r, f, n, d = X.shape[1]
    cdef bint weighted = sample_weight.shape[0] > 0, wide = packing is double, own = floating is double
    cdef long long pair[2]
    cdef double ends[4 * FEW]
    with nogil:
        for leaf in range(start, stop):
            n = min(<Py_ssize_t> LEAF, X.shape[0] - leaf * LEAF)
            for r in range((leaf + 1) * LEAF, min((leaf + 2) * LEAF, X.shape[0])):
                prefetch(&X[order[r], 0])
                prefetch(&X[order[r], d - 1])  # may be in the next line
            norms[leaf] = sqrt(CELL_KERNELS[isa].leaf[own](
                &X[0, 0], d, <const int32_t*> &order[leaf * LEAF], n, &origin[0], scale,
                wide != own, &units[0], &leaves[leaf, 0, 0], ends,
                NULL if weighted else <int64_t*> &sums[leaf, 0, 0],
            )) * (1 + (d + 4) * (1.2e-16 if wide else 6e-8))
            for f in range(d):
                boxes[leaf // BOXES, 0, f, leaf % BOXES] = <packing> ends[f]
                boxes[leaf // BOXES, 1, f, leaf % BOXES] = <packing> ends[d + f]
                middles[leaf, f] = ends[2 * d + f]
                if bases.shape[0] > 0:
                    bases[leaf, f] = <packing> ends[3 * d + f]
            if weighted:
                for f in range(d + 1):
                    sums[leaf, f, 0] = sums[leaf, f, 1] = 0
                    for r in range(leaf * LEAF, leaf * LEAF + n):
                        to_fixed(
                            X[order[r], f] if f < d else 1, True, sample_weight[order[r]], units[f], units[d + 1], pair
                        )
                        sums[leaf, f, 0] += pair[0]
                        sums[leaf, f, 1] += pair[1]


def join(
    Py_ssize_t n_below,               # IN  nodes of the level below
    Py_ssize_t first_below,           # IN  the first of them
    Py_ssize_t first,                 # IN  the first node of the level
    Py_ssize_t start,                 # IN  the nodes of the block, numbered in the level
    Py_ssize_t stop,
    packing[:, :, :, ::1] boxes,      # INOUT (n_groups, 2, n_features, BOXES)
    long long[:, :, ::1] sums,        # INOUT (n_nodes, n_features + 1, 2)
):
    """Boxes and sums of a level from those of the level below."""
    cdef Py_ssize_t node, child, f, place, d = boxes.shape[2]
    cdef packing low, high
    with nogil:
        for node in range(start, stop):
            place = first_below // BOXES + node
            for f in range(d + 1):
                sums[first + node, f, 0] = sums[first + node, f, 1] = 0
            for child in range(min(<Py_ssize_t> BOXES, n_below - node * BOXES)):
                for f in range(d + 1):
                    sums[first + node, f, 0] += sums[place * BOXES + child, f, 0]
                    sums[first + node, f, 1] += sums[place * BOXES + child, f, 1]
            for f in range(d):
                low, high = boxes[place, 0, f, 0], boxes[place, 1, f, 0]
                for child in range(1, min(<Py_ssize_t> BOXES, n_below - node * BOXES)):
                    low = min(low, boxes[place, 0, f, child])
                    high = max(high, boxes[place, 1, f, child])
                boxes[(first + node) // BOXES, 0, f, node % BOXES] = low
                boxes[(first + node) // BOXES, 1, f, node % BOXES] = high


# ---- labels ----

def take_labels(
    const int[::1] labels,            # IN  (n_samples,): negative for none
    const int[::1] order,             # IN  (n_samples,)
    Py_ssize_t start,                 # IN  the leaves of the block
    Py_ssize_t stop,
    int[::1] own,                     # OUT (n_samples + LEAF,): labels along the curve
    int[::1] node_labels,             # OUT (n_nodes,): of leaves
):
    """Labels of rows as those of leaves."""
    cdef Py_ssize_t leaf, i
    cdef int label
    with nogil:
        for leaf in range(start, stop):
            label = max(labels[order[leaf * LEAF]], NONE)
            node_labels[leaf] = label
            for i in range(leaf * LEAF, min((leaf + 1) * LEAF, labels.shape[0])):
                own[i] = max(labels[order[i]], NONE)
                if own[i] != label:
                    node_labels[leaf] = MIXED


def assign(
    const floating[:, ::1] X,         # IN  (n_samples, n_features)
    const double[::1] sample_weight,  # IN  (n_samples,), or (0,) for ones
    const int[::1] order,             # IN  (n_samples,)
    const long long[:, ::1] levels,   # IN  (n_levels, 3): first node, number of nodes, leaves of each; the leaves first
    const packing[:, :, ::1] leaves,  # IN  of fill
    const packing[:, ::1] bases,      # IN  of fill
    double scale,                     # IN  a power of two
    const double[:, ::1] middles,     # IN  of fill
    const double[::1] norms,          # IN  of fill
    const packing[:, :, :, ::1] boxes, # IN of fill and join
    const long long[:, :, ::1] sums,  # IN  of fill and join
    double max_norm,                  # IN  no row is longer, nor a corner of a box
    const double[:, ::1] centers,     # IN  (n_clusters, n_features)
    const packing[:, ::1] packed,     # IN  (n_clusters, 1 + n_features): |c|^2/2 and c, less the origin, scaled
    const double[:, ::1] shifted,     # IN  (n_clusters, n_features): the same in double
    double max_center_norm,           # IN  no packed center is longer
    Py_ssize_t start,                 # IN  the leaves of the block
    Py_ssize_t stop,
    int[::1] labels,                  # INOUT (n_samples,)
    int[::1] own,                     # INOUT (n_samples + LEAF,): the same along the curve
    int[::1] node_labels,             # INOUT (n_nodes,)
    double[::1] distances,            #     (n_clusters,)
    Py_ssize_t[::1] moved,            #     (at least LEAF,)
    int[::1] old_labels,              #     as many
    const double[::1] units,          # IN  (n_features + 2,)
    long long[:, :, ::1] cluster_sums, # INOUT (n_clusters, n_features + 1, 2), or (0, ...) for none
    int[:, ::1] lists,                #     (n_levels + 1, n_clusters): in the first, all centers
    unsigned short[:, ::1] survives,  #     (n_levels, n_clusters)
    packing[::1] scores,              #     (n_clusters * BOXES,)
    double[:, ::1] candidates,        #     (n_clusters, n_features)
    int[::1] new_labels,              #     as many as `moved`
    int isa,                          # IN  number of the instruction set
):
    """As assign of panels.pyx, for the rows of some leaves.

    Returns the number of rows moved, the number decided by differences, the number decided exactly, the squared distances
    computed, those of boxes included, and the number of rows looked at.
    """
    cdef cell_tree t
    cdef thread_buffers b
    cdef Py_ssize_t level
    with nogil:
        t.isa, t.wide = &CELL_KERNELS[isa], packing is double
        t.n_samples, t.n_features, t.n_clusters, t.n_levels = X.shape[0], X.shape[1], centers.shape[0], levels.shape[0]
        for level in range(t.n_levels):
            t.first[level], t.n_nodes[level], t.n_leaves[level] = levels[level, 0], levels[level, 1], levels[level, 2]
        t.leaves, t.leaf_size = <const char*> &leaves[0, 0, 0], t.n_features * LEAF * sizeof(packing)
        t.bases = NULL if bases.shape[0] == 0 else <const char*> &bases[0, 0]
        t.scale, t.at_once = scale, t.bases != NULL and sample_weight.shape[0] == 0
        t.boxes, t.group_size = <const char*> &boxes[0, 0, 0, 0], 2 * t.n_features * BOXES * sizeof(packing)
        t.norms, t.order, t.sums = &norms[0], <const int32_t*> &order[0], <const int64_t*> &sums[0, 0, 0]
        t.middles, t.shifted, t.reach = &middles[0, 0], &shifted[0, 0], max_norm + max_center_norm
        t.packed, t.centers = <const char*> &packed[0, 0], &centers[0, 0]
        # The score of a middle and half of a width have errors like that of a score each: three times its bound covers all.
        t.margin = 3 * error_bound(max_norm, max_center_norm, t.n_features, t.wide)
        t.own, t.node_labels = <int32_t*> &own[0], <int32_t*> &node_labels[0]
        t.start, t.stop, t.n_moved = start, stop, 0
        t.lists, t.survives, t.scores = <int32_t*> &lists[0, 0], <uint16_t*> &survives[0, 0], &scores[0]
        t.candidates, t.new_labels = &candidates[0, 0], <int32_t*> &new_labels[0]
        b.distances, b.room, b.moved, b.old_labels = (
            &distances[0], min(moved.shape[0], new_labels.shape[0]), &moved[0], &old_labels[0]
        )
        b.units, b.sums = &units[0], &cluster_sums[0, 0, 0] if cluster_sums.shape[0] > 0 else NULL
        clear_counters(&b)
        descend(&t, t.n_levels - 1, 0, t.lists, t.n_clusters, X, sample_weight, labels, &b)
        take_rows(&t, sample_weight, X, labels, &b)
    return b.n_moved + t.n_moved, b.n_recomputed, b.n_exact, b.n_distances, b.n_seen
