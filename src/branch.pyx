"""Branch and bound over the partitions of a suffix of rows, row by row, given the optima of the suffixes after it.

Clusters open in the order of their first rows (restricted growth), so each partition is met once. A prefix is ruled out when
what its clusters cost, together with the optimum of the rows after it, is not below the limit (Koontz et al. 1975; Brusco 2006).
"""

from libc.string cimport memcpy

cdef enum: DONE, PAUSED, LEAF


def search(
    const double[:, ::1] rows,    # IN  (n, d): the weight of each row times the row
    const double[::1] weights,    # IN  (n,)
    const double[::1] base,       # IN  (n + 1,): of a prefix: what its rows cost around 0, and the optimum of the rows after it
    Py_ssize_t k,
    Py_ssize_t first,             # IN  the rows before this one take no part
    Py_ssize_t floor,             # IN  the labels of the rows before this one stay
    double limit,                 # IN  a prefix whose partitions all cost as much is ruled out
    double wanted,                # IN  partitions that cost as much are passed over
    Py_ssize_t budget,            # IN  nodes to look at before returning
    int[::1] labels,              # INOUT (n,): the path; the last entry is the label to try next
    Py_ssize_t[::1] state,        # INOUT (2,): the last row of the path, n at a leaf; nodes looked at
    double[:, ::1] clusters,      #     (k, 2 + d): weight, |sums|^2 / weight, sums
    double[:, ::1] saved,         #     (n, 2 + d): the cluster that a row joined, as it was
    double[::1] explained,        #     (n + 1,): sum over the clusters of |sums|^2 / weight
    int[::1] n_open,              #     (n + 1,): clusters open before a row
):
    """Go on with the search: 0 when it is done, 1 when the budget is spent, 2 at a partition that is wanted."""
    cdef Py_ssize_t n = rows.shape[0], d = rows.shape[1], at = state[0], t, f, size = (2 + d) * sizeof(double)
    cdef Py_ssize_t n_nodes = 0
    cdef int label, last, status = DONE
    cdef bint again = at == n
    cdef double weight, share, s, value
    cdef double* cluster
    with nogil:
        if again:                 # on from a leaf
            at -= 1
            labels[at] += 1
        for label in range(k):
            for f in range(2 + d):
                clusters[label, f] = 0
        explained[first] = 0
        n_open[first] = 0
        t = first
        while True:
            label = labels[t]
            if t >= at and (label > n_open[t] or label >= k):   # all labels were tried
                t -= 1
                at = t
                if t < floor:
                    break
                cluster = &clusters[labels[t], 0]
                memcpy(cluster, &saved[t, 0], size)
                labels[t] += 1
                continue
            cluster = &clusters[label, 0]
            weight = cluster[0] + weights[t]
            share = 0
            for f in range(d):
                s = cluster[2 + f] + rows[t, f]
                share += s * s
            share /= weight
            value = explained[t] - cluster[1] + share
            if t >= at:           # not only retracing the path
                if base[t + 1] - value >= limit:
                    labels[t] += 1
                    continue
                if n_nodes >= budget:
                    status = PAUSED
                    break
                n_nodes += 1
            memcpy(&saved[t, 0], cluster, size)
            cluster[0] = weight
            cluster[1] = share
            for f in range(d):
                cluster[2 + f] += rows[t, f]
            t += 1
            explained[t] = value
            n_open[t] = n_open[t - 1] + (label == n_open[t - 1])
            if t > at:
                at = t
                if t < n:
                    labels[t] = 0
                elif base[n] - value < wanted:
                    status = LEAF
                    break
                else:
                    at = t = n - 1
                    memcpy(cluster, &saved[t, 0], size)
                    labels[t] += 1
        state[0] = at
        state[1] += n_nodes
    return status
