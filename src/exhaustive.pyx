"""Scores of all partitions that extend a run of prefixes, by product enumeration.

A partition is a prefix (the labels of the first rows) followed by one entry of a table of all continuations (the
labels of the last rows). Its score is

    score = sum_c |P_c + L_c|^2 / (V_c + W_c),    SSE = sum_i w_i |x_i|^2 - score,

with P_c, V_c (prefix) and L_c, W_c (entry) the sums of w x and of w over cluster c. For a given vector V this is

    score = sum_c |L_c|^2 r_c  +  sum_c |P_c|^2 r_c  +  sum_c P_c . (2 L_c r_c),    r_c = 1 / (V_c + W_c),

a product of numbers of the prefix alone (its coefficients) with columns that depend on the entry and on V alone.
Prefixes come sorted by V, so the columns are made once for a class of prefixes, a chunk of entries at a time, and a
partition costs one multiplication and one addition per column.

When `reduced`, the last cluster's sum is left out, P_last = total - sum of the others, which saves the columns of one
cluster; with two clusters |P_last|^2 goes the same way. The rounding error then grows with the ratio of the total
weight to the least one, see `Walk._margin` in ckmeans/partitions.py.
"""

from libc.math cimport INFINITY

from exponential cimport exponential

cdef enum:
    WIDTH = 256   # entries in a chunk: its columns stay in the first-level cache

CHUNK = WIDTH


cdef void fill_columns(
    const double* low_sums,      # IN (k, d, n_low), from the chunk's first entry on
    const double* low_weights,   # IN (k, n_low), likewise
    Py_ssize_t n_low,
    Py_ssize_t n,                # entries in this chunk
    const double* weights,       # IN (k,), V
    const double* total,         # IN (d,), sum of w x over the rows of the prefix
    Py_ssize_t k, Py_ssize_t d, bint reduced,
    double* inverse,             # OUT (k, stride), r
    double* columns,             # OUT (1 + n_coefs, stride): the constant, then one column for each coefficient
    Py_ssize_t stride,
) noexcept nogil:
    """The columns of one chunk of entries for one class of prefixes."""
    cdef:
        Py_ssize_t c, f, b, last = k - 1, n_linear = k - 1 if reduced else k
        bint two = reduced and k == 2
        double* q = columns
        double* g = columns + stride
        double* r
        double* r_last = inverse + last * stride
        const double* s
        const double* s_last
        double t, shift
    for b in range(n):
        q[b] = 0
    for c in range(k):
        r = inverse + c * stride
        s = low_weights + c * n_low
        for b in range(n):
            t = weights[c] + s[b]
            r[b] = 1 / (t if t > 0 else 1.0)   # an empty cluster has sum 0: any divisor will do
        for f in range(d):
            s = low_sums + (c * d + f) * n_low
            shift = total[f] if reduced and c == last else 0.0
            if two:   # |P_last + L_last|^2 = |(L_last + total) - P_0|^2
                for b in range(n):
                    q[b] = q[b] + (s[b] + shift) * (s[b] + shift) * r[b]
            else:
                for b in range(n):
                    q[b] = q[b] + s[b] * (s[b] + 2 * shift) * r[b]
    if two:
        for b in range(n):
            g[b] = inverse[b] + r_last[b]
        g += stride
    else:
        for c in range(k):
            r = inverse + c * stride
            for b in range(n):
                g[b] = r[b]
            g += stride
    for c in range(n_linear):
        r = inverse + c * stride
        for f in range(d):
            s = low_sums + (c * d + f) * n_low
            s_last = low_sums + (last * d + f) * n_low
            shift = total[f] if two else 0.0
            if reduced:
                for b in range(n):
                    g[b] = 2 * (s[b] * r[b] - (s_last[b] + shift) * r_last[b])
            else:
                for b in range(n):
                    g[b] = 2 * s[b] * r[b]
            g += stride


cdef void fill_coefs(
    const double* sums,          # IN (k, d), P
    Py_ssize_t k, Py_ssize_t d, bint reduced,
    double* coefs,               # OUT (n_coefs,)
) noexcept nogil:
    """The numbers of one prefix that multiply the columns."""
    cdef:
        Py_ssize_t c, f, j = 0
        double t
    for c in range(1 if reduced and k == 2 else k):
        t = 0
        for f in range(d):
            t += sums[c * d + f] * sums[c * d + f]
        coefs[j] = t
        j += 1
    for c in range((k - 1 if reduced else k) * d):
        coefs[j] = sums[c]
        j += 1


cdef void score(
    const double* columns, Py_ssize_t stride, Py_ssize_t n_coefs,   # n_coefs is odd and at least 3
    const double* u,             # IN (n_coefs,)
    Py_ssize_t n,
    double* out,                 # OUT (n,)
) noexcept nogil:
    """Scores of one prefix with each entry of a chunk."""
    cdef:
        Py_ssize_t b, j
        const double* s = columns
        const double* t = columns + stride
        const double* v = t + stride
        const double* w = v + stride
        double p0 = u[0], p1 = u[1], p2 = u[2]
    for b in range(n):
        out[b] = s[b] + p0 * t[b] + p1 * v[b] + p2 * w[b]
    for j in range(3, n_coefs, 2):
        t = columns + (1 + j) * stride
        v = t + stride
        p0 = u[j]
        p1 = u[j + 1]
        for b in range(n):
            out[b] = out[b] + p0 * t[b] + p1 * v[b]


cdef void raise_pair(
    const double* columns, Py_ssize_t stride, Py_ssize_t n_coefs,
    const double* u0, const double* u1,   # IN (n_coefs,), two prefixes
    Py_ssize_t n,
    double* top,                 # IN OUT (n,)
) noexcept nogil:
    """Raises top to the greatest score of each entry with either of two prefixes: the loop where the time goes."""
    cdef:
        Py_ssize_t b, j
        const double* s = columns
        const double* t = columns + stride
        const double* v = t + stride
        const double* w = v + stride
        double p0 = u0[0], p1 = u0[1], p2 = u0[2], q0 = u1[0], q1 = u1[1], q2 = u1[2], x, y
        double[WIDTH] x_part
        double[WIDTH] y_part
    if n_coefs == 3:
        for b in range(n):
            x = s[b] + p0 * t[b] + p1 * v[b] + p2 * w[b]
            y = s[b] + q0 * t[b] + q1 * v[b] + q2 * w[b]
            x = x if x > y else y
            top[b] = x if x > top[b] else top[b]
        return
    for b in range(n):
        x_part[b] = s[b] + p0 * t[b] + p1 * v[b] + p2 * w[b]
        y_part[b] = s[b] + q0 * t[b] + q1 * v[b] + q2 * w[b]
    for j in range(3, n_coefs, 2):
        t = columns + (1 + j) * stride
        v = t + stride
        p0 = u0[j]
        p1 = u0[j + 1]
        q0 = u1[j]
        q1 = u1[j + 1]
        if j + 2 < n_coefs:
            for b in range(n):
                x_part[b] = x_part[b] + p0 * t[b] + p1 * v[b]
                y_part[b] = y_part[b] + q0 * t[b] + q1 * v[b]
        else:
            for b in range(n):
                x = x_part[b] + p0 * t[b] + p1 * v[b]
                y = y_part[b] + q0 * t[b] + q1 * v[b]
                x = x if x > y else y
                top[b] = x if x > top[b] else top[b]


def best_scores(
    const double[:, :, ::1] sums,         # IN (n_prefixes, k, d), P, sorted by class
    const double[:, ::1] weights,         # IN (n_classes, k), V
    const int[::1] starts,                # IN (n_classes + 1,), first prefix of each class
    const double[::1] total,              # IN (d,)
    const double[:, :, ::1] low_sums,     # IN (k, d, n_low), L
    const double[:, ::1] low_weights,     # IN (k, n_low), W
    bint reduced,
    double[:, ::1] coefs,                 # SCRATCH (n_prefixes, n_coefs), zero on entry
    double[:, ::1] columns,               # SCRATCH (k + 1 + n_coefs, CHUNK), zero on entry
    double[::1] top,                      # OUT (n_low,), greatest score of each entry with any of the prefixes
):
    """The greatest score of each entry of the low table over all prefixes given."""
    cdef:
        Py_ssize_t k = sums.shape[1], d = sums.shape[2], n_low = top.shape[0], n_coefs = coefs.shape[1]
        Py_ssize_t chunk, first, n, p, c
        double* fresh = &columns[k, 0]
    with nogil:
        for p in range(sums.shape[0]):
            fill_coefs(&sums[p, 0, 0], k, d, reduced, &coefs[p, 0])
        for first in range(n_low):
            top[first] = -INFINITY
        for chunk in range((n_low + WIDTH - 1) // WIDTH):
            first = chunk * WIDTH
            n = min(WIDTH, n_low - first)
            for c in range(weights.shape[0]):
                fill_columns(&low_sums[0, 0, first], &low_weights[0, first], n_low, n, &weights[c, 0], &total[0],
                             k, d, reduced, &columns[0, 0], fresh, WIDTH)
                for p in range(starts[c], starts[c + 1], 2):
                    raise_pair(fresh, WIDTH, n_coefs, &coefs[p, 0], &coefs[min(p + 1, starts[c + 1] - 1), 0], n,
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
) noexcept nogil:
    """For each low row and cluster the sum of the values that put it there; returns the sum of all values.

    An entry is a stem followed by a tail. Values are first summed over the tails of each stem and over the stems of
    each tail, so that a value is touched twice, however many rows there are.
    """
    cdef:
        Py_ssize_t a, b, j, start, n
        double s, t, total = 0
        const double* v
        double* tail
        const signed char* label
    for j in range(k * n_rows):
        shares[j] = 0
    for a in range(n_stems):
        if models[a] == a:
            for b in range(starts[a], starts[a + 1]):
                tails[b] = 0
    for a in range(n_stems):
        start = starts[a]
        n = starts[a + 1] - start
        v = values + start
        tail = tails + starts[models[a]]
        for b in range(n):
            tail[b] = tail[b] + v[b]
        s = t = 0
        for b in range(n // 2):
            s += v[2 * b]
            t += v[2 * b + 1]
        if n % 2:
            s += v[n - 1]
        s += t
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


cdef void exponentiate(
    double* values,              # IN OUT (n,)
    Py_ssize_t n, double shift, double scale,
    double* sums,                # IN OUT (n,), raised by the values
) noexcept nogil:
    """values = exp((values - shift) * scale), but never below exp(-708) = 3.3e-308."""
    cdef:
        Py_ssize_t b
        double t
    for b in range(n):
        t = (values[b] - shift) * scale
        values[b] = t if t > -708.0 else -708.0
    for b in range(n):
        values[b] = exponential(values[b])
    for b in range(n):
        sums[b] = sums[b] + values[b]


def sum_scores(
    const double[:, :, ::1] sums,         # IN (n_prefixes, k, d), P, sorted by class
    const double[:, ::1] weights,         # IN (n_classes, k), V
    const int[::1] starts,                # IN (n_classes + 1,), first prefix of each class
    const double[::1] total,              # IN (d,)
    const double[:, :, ::1] low_sums,     # IN (k, d, n_low), L
    const double[:, ::1] low_weights,     # IN (k, n_low), W
    bint reduced,
    double shift, double scale,           # a partition counts exp((score - shift) * scale)
    const signed char[:, ::1] labels,     # IN (n_prefixes, n_high), labels of the prefixes
    const signed char[:, ::1] low_labels, # IN (n_low, n_rows), labels of the entries, in lexicographic order
    Py_ssize_t n_stem,                    # the stem of an entry is its labels of the first n_stem of these rows
    const int[::1] stems,                 # IN (n_stems + 1,), first entry of each stem
    const int[::1] models,                # IN (n_stems,), the first stem with the same tails as this one
    double[:, ::1] coefs,                 # SCRATCH (n_prefixes, n_coefs), zero on entry
    double[:, ::1] columns,               # SCRATCH (k + 1 + n_coefs, n_low), zero on entry
    double[::1] values,                   # SCRATCH (n_low,)
    double[::1] tails,                    # SCRATCH (n_low,)
    double[:, ::1] shares,                # SCRATCH (k, n_rows)
    double[::1] by_prefix,                # SCRATCH (n_prefixes,)
    double[::1] by_entry,                 # SCRATCH (n_low,)
    double[:, ::1] pairs,                 # IN OUT (n, n), raised at i < j by the sum over partitions with i, j together
):
    """The sum over the partitions that extend the prefixes given; the same by pairs of rows goes into `pairs`."""
    cdef:
        Py_ssize_t k = sums.shape[1], d = sums.shape[2], n_low = values.shape[0], n_coefs = coefs.shape[1]
        Py_ssize_t n_high = labels.shape[1], n_rows = low_labels.shape[1], n = pairs.shape[0], p, c, i, j
        double* fresh = &columns[k, 0]
        double result = 0
    with nogil:
        for j in range(n_low):
            by_entry[j] = 0
        for c in range(weights.shape[0]):
            fill_columns(&low_sums[0, 0, 0], &low_weights[0, 0], n_low, n_low, &weights[c, 0], &total[0], k, d, reduced,
                         &columns[0, 0], fresh, n_low)
            for p in range(starts[c], starts[c + 1]):
                fill_coefs(&sums[p, 0, 0], k, d, reduced, &coefs[p, 0])
                score(fresh, n_low, n_coefs, &coefs[p, 0], n_low, &values[0])
                exponentiate(&values[0], n_low, shift, scale, &by_entry[0])
                by_prefix[p] = fold(&values[0], &low_labels[0, 0], n_rows, n_stem, &stems[0], models.shape[0],
                                    &models[0], &tails[0], &shares[0, 0], k)
                result += by_prefix[p]
                for i in range(n_high):
                    for j in range(n_rows):
                        pairs[i, n_high + j] += shares[labels[p, i], j]
        if n_high:
            add_pairs(&labels[0, 0], &by_prefix[0], labels.shape[0], n_high, &pairs[0, 0], n)
        add_pairs(&low_labels[0, 0], &by_entry[0], n_low, n_rows, &pairs[n_high, n_high], n)
    return result


def exponentials(const double[::1] x, double[::1] out):
    """out = exp(x) as the sums over partitions compute it, for -708 <= x <= 709."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(x.shape[0]):
            out[i] = exponential(x[i])
