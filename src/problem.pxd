"""What the local search over few rows keeps, where, and the rows made ready for it; as in rows.py."""

from cython cimport floating
from few cimport FEW_KERNELS, few_kernels
from fixed cimport to_fixed
from libc.math cimport fabs, frexp, ldexp, sqrt
from libc.stdint cimport int32_t
from libc.string cimport memset

cdef extern from "math.h" nogil:
    double INFINITY

# Records that Python makes and reads by name: SETTINGS, END and REPORT of small.py. A test compares names and places.

cdef struct Settings:
    Py_ssize_t n_candidates           # of a round of seeding
    Py_ssize_t most_distances         # after which a call returns
    Py_ssize_t n_init, swapped, polished
    Py_ssize_t max_iter               # negative for no limit
    Py_ssize_t instructions           # number of the instruction set
    # of stopping.py
    Py_ssize_t enough_hits, easy_hits, patience, most_orders
    double same, easy_work, most_work, work_ratio, swap_reach, polish_reach

cdef struct End:                      # of a restart
    double inertia
    Py_ssize_t n_iter                 # updates of the centers
    Py_ssize_t at_max_iter            # whether max_iter stopped it

cdef struct Report:                   # of all restarts of an item
    Py_ssize_t status                 # DONE, or what is in the way (search.pxd)
    double inertia
    Py_ssize_t n_iter, at_max_iter    # of the best restart
    Py_ssize_t n_restarts, n_hits
    Py_ssize_t n_recomputed           # labels that differences decided ...
    Py_ssize_t n_labelled             # ... of all that were given

cdef struct Problem:
    Py_ssize_t n, d, k
    Py_ssize_t width                  # numbers in a sum: 2 (d + 1)
    Py_ssize_t n_candidates
    Py_ssize_t n_rows, n_panels       # rows of a panel
    Py_ssize_t stride                 # the rows of all panels
    bint wide                         # whether these are of double
    const few_kernels* kernels
    const double* weights             # (n,), or NULL for ones
    double scale
    double max_norm                      # largest norm of a packed row
    double* origin                    # (d,)
    double* units                     # (d + 2,), of fixed.pxd
    double* columns                   # (d, stride): the rows
    double* cumulated                 # (n,): the weights, added up
    double* norms                     # (stride,): squared, of the packed rows
    long long* pairs                  # (n, width): what each row adds to a sum
    void* panels                      # (n_panels, d, n_rows), float or double

cdef struct State:                    # of a run of Lloyd's iteration
    int32_t* labels                   # (stride,)
    double* centers                   # (k, d)
    long long* sums                   # (k, width)

cdef struct Search:
    Settings settings
    Problem problem
    State state, trial, best
    Py_ssize_t max_iter
    Py_ssize_t n_distances, n_labelled, n_recomputed
    double budget                     # of coordinate differences
    double pause                      # distances after which to return
    # the restarts
    Py_ssize_t n_used                 # numbers
    Py_ssize_t began, done, best_restart
    bint finished
    double inertia                    # of `best`
    # the one that is running
    int reason                        # SWAPPING while it is
    double value                      # its inertia
    Py_ssize_t n_iter, first          # updates, and those before any exchange
    Py_ssize_t failures               # swaps without success, one after the other
    bint known                        # whether closest, second and cumulated belong to `state`
    double* closest                   # (stride,): to the own center; in seeding to those taken so far
    double* second                    # (n,)
    double* cumulated                 # (n,): closest, weighted and added up
    # rooms
    bint relocated                    # whether some centers of the last assignment are no means
    bint weighed                      # whether `points` is known
    double* points                    # (n,): the weight of all rows equal to each row
    double margin                     # of its scores
    double* centers_t                 # (d, k)
    double* masses                    # (k,)
    double* means                     # (k, d)
    double* losses                    # (k,)
    double* scratch                   # (max(k, d),)
    double* run                       # (n,): as cumulated, in seeding
    double* gains                     # (n_candidates,)
    double* lowered                   # (n_candidates, stride)
    Py_ssize_t* rows                  # (n,)
    int32_t* nearest                  # (stride,)
    int32_t* to_relabel               # (stride + 1,): rows with another label, or none that is sure
    int32_t* old_labels               # (n,): of the rows that moved
    int32_t* equal                    # (n,): the same room, for rows that are equal
    int32_t* exchanged                # (n,)
    void* packed                      # (k, 1 + d)
    void* scores                      # (n_panels, 2, n_rows)


# ---- memory ----

cdef inline double* take(double** free, Py_ssize_t n_bytes) noexcept nogil:
    """Room for some bytes, in whole cache lines."""
    cdef double* taken = free[0]
    free[0] += (n_bytes + 63) // 64 * 8
    return taken


cdef inline Py_ssize_t lay_out_problem(
    Problem* p, Py_ssize_t n, Py_ssize_t d, Py_ssize_t k, Py_ssize_t n_candidates, bint wide, int instructions, double* room
) noexcept nogil:
    """Find places in `room` for what does not change during a search; returns the doubles that takes."""
    cdef double* free = room
    cdef Py_ssize_t size = 8 if wide else 4
    p.n, p.d, p.k, p.width, p.n_candidates, p.wide = n, d, k, 2 * (d + 1), n_candidates, wide
    p.kernels = &FEW_KERNELS[instructions]
    p.n_rows = p.kernels.n_rows[wide]
    p.n_panels = (n + p.n_rows - 1) // p.n_rows
    p.stride = p.n_panels * p.n_rows
    p.origin = take(&free, 8 * d)
    p.units = take(&free, 8 * (d + 2))
    p.columns = take(&free, 8 * d * p.stride)
    p.cumulated = take(&free, 8 * n)
    p.norms = take(&free, 8 * p.stride)
    p.pairs = <long long*> take(&free, 8 * p.width * n)
    p.panels = take(&free, size * d * p.stride)
    return free - room


cdef inline void lay_out_state(Problem* p, State* state, double** free) noexcept nogil:
    state.labels = <int32_t*> take(free, 4 * p.stride)
    state.centers = take(free, 8 * p.k * p.d)
    state.sums = <long long*> take(free, 8 * p.k * p.width)


cdef inline Py_ssize_t lay_out_search(Search* s, double* room) noexcept nogil:
    """Find places in `room` for what changes; returns the doubles that takes."""
    cdef Problem* p = &s.problem
    cdef double* free = room
    cdef Py_ssize_t size = 8 if p.wide else 4
    lay_out_state(p, &s.state, &free)
    lay_out_state(p, &s.trial, &free)
    lay_out_state(p, &s.best, &free)
    s.centers_t = take(&free, 8 * p.k * p.d)
    s.masses = take(&free, 8 * p.k)
    s.means = take(&free, 8 * p.k * p.d)
    s.losses = take(&free, 8 * p.k)
    s.scratch = take(&free, 8 * max(p.k, p.d))
    s.closest = take(&free, 8 * p.stride)
    s.second = take(&free, 8 * p.n)
    s.cumulated = take(&free, 8 * p.n)
    s.run = take(&free, 8 * p.n)
    s.points = take(&free, 8 * p.n)
    s.gains = take(&free, 8 * p.n_candidates)
    s.lowered = take(&free, 8 * p.n_candidates * p.stride)
    s.rows = <Py_ssize_t*> take(&free, 8 * p.n)
    s.nearest = <int32_t*> take(&free, 4 * p.stride)
    s.to_relabel = <int32_t*> take(&free, 4 * (p.stride + 1))
    s.old_labels = <int32_t*> take(&free, 4 * p.n)
    s.equal = s.old_labels
    s.exchanged = <int32_t*> take(&free, 4 * p.n)
    s.packed = take(&free, size * p.k * (1 + p.d))
    s.scores = take(&free, size * 2 * p.stride)
    return free - room


# ---- preparation, as in rows.py ----

cdef inline void pack_rows(Problem* p) noexcept nogil:
    """Shift and scale the rows into panels. The labels do not depend on how that is rounded."""
    cdef Py_ssize_t i, f, r
    cdef double value, most = 0
    cdef const double* column
    cdef float* single
    cdef double* panel
    memset(p.norms, 0, p.stride * sizeof(double))
    for i in range(p.n_panels):
        for f in range(p.d):
            column = p.columns + f * p.stride + i * p.n_rows
            panel = <double*> p.panels + (i * p.d + f) * p.n_rows
            single = <float*> p.panels + (i * p.d + f) * p.n_rows
            for r in range(p.n_rows):
                value = (column[r] - p.origin[f]) * p.scale
                if p.wide:
                    panel[r] = value
                else:
                    single[r] = <float> value
                    value = single[r]
                p.norms[i * p.n_rows + r] += value * value
    for i in range(p.n):
        most = max(most, p.norms[i])
    p.max_norm = sqrt(most)


cdef inline double pack_centers(Search* s, const double* centers) noexcept nogil:
    """The same for centers, which are transposed too; returns the largest norm."""
    cdef Problem* p = &s.problem
    cdef Py_ssize_t k, f
    cdef double value, norm, most = 0
    cdef float* single = <float*> s.packed
    cdef double* packed = <double*> s.packed
    for k in range(p.k):
        norm = 0
        for f in range(p.d):
            s.centers_t[f * p.k + k] = centers[k * p.d + f]
            value = (centers[k * p.d + f] - p.origin[f]) * p.scale
            if p.wide:
                packed[1 + f] = value
            else:
                single[1 + f] = <float> value
                value = single[1 + f]
            norm += value * value
        if p.wide:
            packed[0] = norm / 2
        else:
            single[0] = <float> (norm / 2)
        packed += 1 + p.d
        single += 1 + p.d
        most = max(most, norm)
    return sqrt(most)


cdef inline bint prepare(const floating* X, Problem* p) noexcept nogil:
    """Origin, scale, units, panels; returns whether the rows are unusual: of extreme size, not finite, or coarse."""
    cdef Py_ssize_t n = p.n, d = p.d, i, f, step, n_some, bits = 0
    cdef double total, low, high, spread = 0, heaviest = 1, value, least, extreme
    cdef int exponent
    cdef double* column
    if p.weights != NULL:
        heaviest = 0
        for i in range(n):
            heaviest = max(heaviest, p.weights[i])
        frexp(heaviest, &exponent)
        if exponent < -300 or exponent > 300:
            return True
    while n >> bits:
        bits += 1
    bits = min(62 - bits, 50)
    step = max(1, n // 64)
    n_some = (n + step - 1) // step
    for f in range(d):
        column = p.columns + f * p.stride
        memset(column + n, 0, (p.stride - n) * sizeof(double))
        total = 0
        low = INFINITY
        high = -INFINITY
        for i in range(n):
            column[i] = value = X[i * d + f]
            total += value
            low = min(low, value)
            high = max(high, value)
        extreme = max(high, -low)
        if not fabs(total) < INFINITY or extreme > 1e90 or 0 < extreme < 1e-90:
            return True
        p.origin[f] = total / n
        spread = max(spread, max(high - p.origin[f], p.origin[f] - low))
        frexp(heaviest * extreme, &exponent)
        p.units[f] = ldexp(1.0, <int> bits - 1 - exponent)
        # Not coarse, if all differences that rows.py takes the median of are nought or large enough.
        least = ldexp(1.0, 61 - <int> bits) / p.units[f]
        value = column[n_some // 2 * step]
        for i in range(n_some):
            if 0 < fabs(column[i * step] - value) < least:
                return True
    frexp(heaviest, &exponent)
    p.units[d] = 1.0 if p.weights == NULL else ldexp(1.0, <int> bits - 1 - exponent)
    p.units[d + 1] = ldexp(1.0, <int> bits)
    frexp(spread, &exponent)
    p.scale = ldexp(1.0, -exponent)
    pack_rows(p)
    total = 0
    for i in range(n):
        value = 1 if p.weights == NULL else p.weights[i]
        total += value
        p.cumulated[i] = total
        for f in range(d + 1):
            to_fixed(
                X[i * d + f] if f < d else 1, p.weights != NULL, value, p.units[f], p.units[d + 1],
                p.pairs + i * p.width + 2 * f,
            )
    return False
