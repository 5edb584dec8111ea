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
are compiled for each instruction set (enumerate.h).

When `reduced`, the last cluster's sum is left out, P_last = total - sum of the others, which saves the columns of one
cluster; with two clusters |P_last|^2 goes the same way, and r_0 + r_1 takes the place of r_last. The rounding error then grows with the ratio of the total
weight to the least one, see `Walk._margin` in ckmeans/partitions.py.
"""

from enumeration cimport INSTRUCTION_SETS, instruction_set, n_supported
from libc.math cimport INFINITY
from libc.string cimport memcpy

cdef enum:
    WIDTH = 256   # entries in a chunk: its columns stay in the first-level cache
    MULTIPLE = 16

CHUNK = WIDTH
PADDING = MULTIPLE   # arrays over entries are filled up to a multiple of this

cdef int chosen = n_supported() - 1


def instruction_sets():
    """Names of the instruction sets this processor supports, the one in use last."""
    return [INSTRUCTION_SETS[i].name.decode() for i in range(n_supported()) if i != chosen] + [
        INSTRUCTION_SETS[chosen].name.decode()
    ]


def use(name):
    """Use the kernels of another supported instruction set from now on."""
    global chosen
    for i in range(n_supported()):
        if INSTRUCTION_SETS[i].name.decode() == name:
            chosen = i
            return
    raise ValueError(f"instruction set {name!r} is not among {instruction_sets()}, which this processor supports.")


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
        const instruction_set* isa = &INSTRUCTION_SETS[chosen]
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


cdef double fold(
    const double* values,               # IN (n_low,), in lexicographic order of the labels
    const signed char* labels, Py_ssize_t n_rows,   # IN (n_low, n_rows)
    Py_ssize_t n_stem,                  # rows of the stem; the others are the tail's
    const int* starts, Py_ssize_t n_stems,          # IN (n_stems + 1,), first entry of each stem
    const int* models,                  # IN (n_stems,), the first stem with the same tails as this one
    double* tails,                      # SCRATCH (n_low,)
    double* shares,                     # OUT (k, n_rows)
    Py_ssize_t k,
    const instruction_set* isa,
) noexcept nogil:
    """For each low row and cluster the sum of the values that put it there; returns the sum of all values.

    An entry is a stem followed by a tail. Values are first summed over the tails of each stem and over the stems of
    each tail, so that a value is touched twice, however many rows there are.
    """
    cdef:
        Py_ssize_t a, b, j, start
        double s, total = 0
        const signed char* label
    for j in range(k * n_rows):
        shares[j] = 0
    for a in range(n_stems):
        if models[a] == a:
            for b in range(starts[a], starts[a + 1]):
                tails[b] = 0
    for a in range(n_stems):
        start = starts[a]
        s = isa.gather(values + start, tails + starts[models[a]], starts[a + 1] - start)
        total += s
        label = labels + start * n_rows
        for j in range(n_stem):
            shares[label[j] * n_rows + j] += s
    for a in range(n_stems):
        if models[a] == a:
            for b in range(starts[a], starts[a + 1]):
                label = labels + b * n_rows
                for j in range(n_stem, n_rows):
                    shares[label[j] * n_rows + j] += tails[b]
    return total


def sum_scores(
    const double[:, :, ::1] sums,         # IN (n_prefixes, k, d), P, sorted by class
    const double[:, ::1] weights,         # IN (n_classes, k), V
    const int[::1] starts,                # IN (n_classes + 1,), first prefix of each class
    const double[::1] total,              # IN (d,)
    const double[:, :, ::1] low_sums,     # IN (k, d, n_low), L, filled up with zeros
    const double[:, ::1] low_weights,     # IN (k, n_low), W, likewise
    bint reduced,
    double shift, double scale,           # a partition counts exp((score - shift) * scale)
    const signed char[:, ::1] labels,     # IN (n_prefixes, n_high), labels of the prefixes
    const signed char[:, ::1] low_labels, # IN (n_entries, n_rows), labels of the entries, in lexicographic order
    Py_ssize_t n_stem,                    # the stem of an entry is its labels of the first n_stem of these rows
    const int[::1] stems,                 # IN (n_stems + 1,), first entry of each stem
    const int[::1] models,                # IN (n_stems,), the first stem with the same tails as this one
    double[:, ::1] coefs,                 # SCRATCH (n_coefs, n_prefixes)
    double[:, ::1] columns,               # SCRATCH (1 + n_coefs, n_low)
    double[::1] values,                   # SCRATCH (n_low,)
    double[::1] tails,                    # SCRATCH (n_low,)
    double[:, ::1] shares,                # SCRATCH (k, n_rows)
    double[::1] by_prefix,                # SCRATCH (n_prefixes,)
    double[::1] by_entry,                 # SCRATCH (n_low,)
    double[:, ::1] pairs,                 # IN OUT (n, n), raised at i < j by the sum over partitions with i, j together
):
    """The sum over the partitions that extend the prefixes given; the same by pairs of rows goes into `pairs`."""
    cdef:
        Py_ssize_t k = sums.shape[1], d = sums.shape[2], n_low = values.shape[0], n_prefixes = sums.shape[0]
        Py_ssize_t n_high = labels.shape[1], n_rows = low_labels.shape[1], n = pairs.shape[0]
        Py_ssize_t m = coefs.shape[0] - 1, p, c, i, j
        double result = 0
        const instruction_set* isa = &INSTRUCTION_SETS[chosen]
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
                by_prefix[p] = fold(&values[0], &low_labels[0, 0], n_rows, n_stem, &stems[0], models.shape[0],
                                    &models[0], &tails[0], &shares[0, 0], k, isa)
                result += by_prefix[p]
                for i in range(n_high):
                    for j in range(n_rows):
                        pairs[i, n_high + j] += shares[labels[p, i], j]
        if n_high:
            add_pairs(&labels[0, 0], &by_prefix[0], labels.shape[0], n_high, &pairs[0, 0], n)
        add_pairs(&low_labels[0, 0], &by_entry[0], low_labels.shape[0], n_rows, &pairs[n_high, n_high], n)
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
            INSTRUCTION_SETS[chosen].weigh(columns, MULTIPLE, 0, &zero, 1, MULTIPLE, &out[i * MULTIPLE], sums)
