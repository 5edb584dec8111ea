"""Merging of clusters two by two, always the pair that raises the inertia least (Ward 1963)."""

cdef extern from "math.h" nogil:
    double INFINITY


def merge(
    double[:, ::1] costs,             # INOUT (n_clusters, n_clusters): by how much merging a pair raises the inertia
    double[::1] masses,               # INOUT (n_clusters,), positive; 0 for a cluster that is merged into another
    int[::1] nearest,                 # INOUT (n_clusters,): the other with which merging costs least
    double[::1] least,                # INOUT (n_clusters,): that cost
    int[::1] into,                    # INOUT (n_clusters,): what each cluster is merged into, itself if it is not
    Py_ssize_t n_merges,              # IN  fewer than there are clusters with mass
):
    """Merge the cheapest pair, again and again; costs follow by the formula of Lance and Williams (1967).

    No cluster is nearer to a merged one than to the nearer of its parts (Bruynooghe 1977), so that only those whose nearest was a
    part have to look for it anew.
    """
    cdef Py_ssize_t n = masses.shape[0], i, j, a, b
    with nogil:
        for _ in range(n_merges):
            a = 0
            for i in range(1, n):
                if least[i] < least[a]:
                    a = i
            b = nearest[a]
            for i in range(n):
                if masses[i] > 0 and i != a and i != b:
                    costs[i, a] = costs[a, i] = max(0.0, (
                        (masses[i] + masses[a]) * costs[a, i] + (masses[i] + masses[b]) * costs[b, i]
                        - masses[i] * costs[a, b]
                    ) / (masses[i] + masses[a] + masses[b]))
            masses[a] += masses[b]
            masses[b], least[b], into[b] = 0, INFINITY, <int> a
            for i in range(n):
                if masses[i] == 0 or (i != a and nearest[i] != a and nearest[i] != b):
                    continue
                least[i] = INFINITY
                for j in range(n):
                    if j != i and masses[j] > 0 and costs[i, j] < least[i]:
                        least[i], nearest[i] = costs[i, j], <int> j
