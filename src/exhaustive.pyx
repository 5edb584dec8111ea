"""Scores of all partitions that extend a run of prefixes, by product enumeration.

A partition is a prefix (the labels of the first rows) followed by one entry of a table of all continuations (the
labels of the last rows). Its score is

    score = sum_c |P_c + L_c|^2 / (V_c + W_c),    SSE = sum_i w_i |x_i|^2 - score,

with P_c, V_c (prefix) and L_c, W_c (entry) the sums of w x and of w over cluster c. For a given vector V this is

    score = sum_c |L_c|^2 r_c  +  sum_c |P_c|^2 r_c  +  sum_c P_c . (2 L_c r_c),    r_c = 1 / (V_c + W_c),

a product of numbers of the prefix alone (its coefficients) with columns that depend on the entry and on V alone. With
r_last > 0 taken out of the bracket, a coefficient needs no column, and the greatest score of an entry over a class of
prefixes of one V is found before r_last and the constant are applied. Prefixes come sorted by V, so the columns are made
once for a class, a chunk of entries at a time; a partition costs one multiply-add per column, and one maximum. These loops
are compiled for each instruction set (enumeration.h).

When `reduced`, the last cluster's sum is left out, P_last = total - sum of the others, which saves the columns of one
cluster; with two clusters |P_last|^2 goes the same way, and r_0 + r_1 takes the place of r_last. The rounding error then grows with the ratio of the total
weight to the least one, see `Walk._margin` in ckmeans/exact/partitions.py.
"""

from enumeration cimport ENUMERATION_KERNELS, enumeration_kernels, instruction_set_name, n_supported
from libc.math cimport INFINITY
from libc.string cimport memcpy

cdef enum:
    WIDTH = 256   # entries in a chunk: its columns stay in the first-level cache
    MULTIPLE = 16

CHUNK = WIDTH
PADDING = MULTIPLE   # arrays over entries are filled up to a multiple of this

include "chosen.pxi"


cdef void fill_coefs(
    const double* sums,          # IN (k, d), P
    Py_ssize_t k, Py_ssize_t d, bint reduced,
    double* coefs, Py_ssize_t stride,   # OUT (n_coefs, stride), one column of it
) noexcept nogil:
    """The numbers of one prefix that multiply the columns, that of the common factor first."""
    cdef:
        Py_ssize_t c, f, j = 0, n_squares = 1 if reduced and k == 2 else k
        double t
    for c in range(n_squares):
        t = 0
        for f in range(d):
            t += sums[c * d + f] * sums[c * d + f]
        coefs[(c + 1) % n_squares * stride] = t   # the last cluster's comes first
    for c in range((k - 1 if reduced else k) * d):
        coefs[(n_squares + c) * stride] = sums[c]


def best_scores(
    const double[:, :, ::1] sums,         # IN (n_prefixes, k, d), P, sorted by class
    const double[:, ::1] weights,         # IN (n_classes, k), V
    const int[::1] starts,                # IN (n_classes + 1,), first prefix of each class
    const double[::1] total,              # IN (d,)
    const double[:, :, ::1] low_sums,     # IN (k, d, n_low), L, filled up with zeros
    const double[:, ::1] low_weights,     # IN (k, n_low), W, likewise
    bint reduced,
    double[:, ::1] coefs,                 # SCRATCH (n_coefs, n_prefixes)
    double[:, ::1] columns,               # SCRATCH (1 + n_coefs, CHUNK)
    double[::1] top,                      # OUT (n_low,), greatest score of each entry with any of the prefixes
):
    """The greatest score of each entry of the low table over all prefixes given."""
    cdef:
        Py_ssize_t k = sums.shape[1], d = sums.shape[2], n_low = top.shape[0], n_prefixes = sums.shape[0]
        Py_ssize_t chunk, first, n, p, c, m = coefs.shape[0] - 1
        const enumeration_kernels* isa = &ENUMERATION_KERNELS[chosen]
    with nogil:
        for p in range(n_prefixes):
            fill_coefs(&sums[p, 0, 0], k, d, reduced, &coefs[0, p], n_prefixes)
        for first in range(n_low):
            top[first] = -INFINITY
        for chunk in range((n_low + WIDTH - 1) // WIDTH):
            first = chunk * WIDTH
            n = min(WIDTH, n_low - first)
            for c in range(weights.shape[0]):
                isa.fill(&low_sums[0, 0, first], &low_weights[0, first], n_low, n, &weights[c, 0], &total[0],
                         k, d, reduced, 0.0, 1.0, &columns[0, 0], WIDTH)
                isa.raise_(&columns[0, 0], WIDTH, m, &coefs[0, starts[c]], n_prefixes, starts[c + 1] - starts[c], n,
                           &top[first])


cdef void add_pairs(
    const signed char* labels, const double* values, Py_ssize_t n_entries, Py_ssize_t n_rows,
    double* pairs, Py_ssize_t stride,   # IN OUT (n_rows, stride), i < j only
) noexcept nogil:
    """Adds the value of each labelling to the pairs of rows that share a label."""
    cdef Py_ssize_t e, i, j
    for e in range(n_entries):
        for i in range(n_rows):
            for j in range(i + 1, n_rows):
                pairs[i * stride + j] += values[e] if labels[i] == labels[j] else 0.0
        labels += n_rows


def sum_scores(
    const double[:, :, ::1] sums,         # IN (n_prefixes, k, d), P, sorted by class
    const double[:, ::1] weights,         # IN (n_classes, k), V
    const int[::1] starts,                # IN (n_classes + 1,), first prefix of each class
    const double[::1] total,              # IN (d,)
    const double[:, :, ::1] low_sums,     # IN (k, d, n_low), L, filled up with zeros
    const double[:, ::1] low_weights,     # IN (k, n_low), W, likewise
    bint reduced,
    double shift, double scale,           # a partition counts exp((score - shift) * scale)
    const signed char[::1] head,          # IN (n_head,), labels of the rows that are alike in all prefixes
    const signed char[:, ::1] labels,     # IN (n_prefixes, n_middle), labels of the other rows of the prefixes
    const signed char[:, ::1] low_labels, # IN (n_entries, n_rows), labels of the entries, in lexicographic order
    Py_ssize_t n_stem,                    # the stem of an entry is its labels of the first n_stem of these rows
    const int[::1] stems,                 # IN (n_stems + 1,), first entry of each stem
    const int[::1] tails,                 # IN (n_stems,), first cell of its tails, the same for the same tails
    double[:, ::1] coefs,                 # SCRATCH (n_coefs, n_prefixes)
    double[:, ::1] columns,               # SCRATCH (1 + n_coefs, n_low)
    double[::1] values,                   # SCRATCH (n_low,)
    double[::1] cells,                    # SCRATCH (n_cells,), one cell for each stem, then one for each tail
    double[:, :, ::1] sheets,             # SCRATCH (n_middle, k, n_cells), zero on entry
    double[::1] by_prefix,                # SCRATCH (n_prefixes,)
    double[::1] by_entry,                 # SCRATCH (n_low,)
    double[:, ::1] pairs,                 # IN OUT (n, n), raised at i < j by the sum over partitions with i, j together
):
    """The sum over the partitions that extend the prefixes given; the same by pairs of rows goes into `pairs`.

    An entry is a stem followed by a tail. Values are first summed over the tails of each stem and over the stems of each
    tail; these cells are then added up for each label of each row of the prefixes, so that a value is touched twice,
    however many rows there are.
    """
    cdef:
        Py_ssize_t k = sums.shape[1], d = sums.shape[2], n_low = values.shape[0], n_prefixes = sums.shape[0]
        Py_ssize_t n_head = head.shape[0], n_middle = labels.shape[1], n_rows = low_labels.shape[1]
        Py_ssize_t n_high = n_head + n_middle, n = pairs.shape[0], m = coefs.shape[0] - 1, p, c, g, i, j, b
        double result = 0, share
        const enumeration_kernels* isa = &ENUMERATION_KERNELS[chosen]
    with nogil:
        for j in range(n_low):
            by_entry[j] = 0
        for p in range(n_prefixes):
            fill_coefs(&sums[p, 0, 0], k, d, reduced, &coefs[0, p], n_prefixes)
        for c in range(weights.shape[0]):
            isa.fill(&low_sums[0, 0, 0], &low_weights[0, 0], n_low, n_low, &weights[c, 0], &total[0], k, d, reduced,
                     shift, scale, &columns[0, 0], n_low)
            for p in range(starts[c], starts[c + 1]):
                isa.weigh(&columns[0, 0], n_low, m, &coefs[0, p], n_prefixes, n_low, &values[0], &by_entry[0])
                for b in range(cells.shape[0]):
                    cells[b] = 0
                by_prefix[p] = isa.fold(&values[0], &stems[0], &tails[0], tails.shape[0], &cells[0])
                result += by_prefix[p]
                isa.deal(&cells[0], cells.shape[0], &labels[p, 0], n_middle, k, &sheets[0, 0, 0])
        add_pairs(&low_labels[0, 0], &by_entry[0], low_labels.shape[0], n_rows, &pairs[n_high, n_high], n)
        if n_middle:
            add_pairs(&labels[0, 0], &by_prefix[0], n_prefixes, n_middle, &pairs[n_head, n_head], n)
        for g in range(n_head):
            for i in range(g + 1, n_head):
                pairs[g, i] += result if head[g] == head[i] else 0.0
            for i in range(n_middle):
                for b in range(tails.shape[0]):
                    pairs[g, n_head + i] += sheets[i, head[g], b]
            for b in range(low_labels.shape[0]):
                for j in range(n_rows):
                    pairs[g, n_high + j] += by_entry[b] if low_labels[b, j] == head[g] else 0.0
        for i in range(n_middle):
            g = -1   # the last of the places of tails seen: they grow from one kind of tails to the next
            for b in range(tails.shape[0]):
                for j in range(n_stem):
                    pairs[n_head + i, n_high + j] += sheets[i, low_labels[stems[b], j], b]
                if tails[b] > g:
                    g = tails[b]
                    for p in range(stems[b + 1] - stems[b]):
                        for j in range(n_stem, n_rows):
                            c = low_labels[stems[b] + p, j]
                            pairs[n_head + i, n_high + j] += sheets[i, c, tails[b] + p]
    return result


def exponentials(const double[::1] x, double[::1] out):
    """out = exp(x) as the sums over partitions compute it, for -708 <= x <= 709; a multiple of PADDING numbers."""
    cdef:
        Py_ssize_t i, n = x.shape[0]
        double zero = 0
        double[2 * MULTIPLE] columns
        double[MULTIPLE] sums
    for i in range(MULTIPLE):
        columns[MULTIPLE + i] = sums[i] = 0
    with nogil:
        for i in range(n // MULTIPLE):
            memcpy(columns, &x[i * MULTIPLE], MULTIPLE * sizeof(double))
            ENUMERATION_KERNELS[chosen].weigh(columns, MULTIPLE, 0, &zero, 1, MULTIPLE, &out[i * MULTIPLE], sums)
