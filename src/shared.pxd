"""What the panel kernels hand on to each other: packed centers, and the buffers and counters of one thread."""

cdef struct packed_centers:           # those of PackedCenters (panels.pyx)
    Py_ssize_t n_clusters, n_features, n_tiles
    Py_ssize_t n_tile                 # centers of a tile
    const double* origin              # (n_features,): subtracted from rows and centers ...
    double scale                      # ... which are multiplied by this power of two then
    void* tiles                       # (n_tiles, 1 + n_features, n_tile), of the type of the panels
    double* centers                   # (n_clusters, n_features)
    double* centers_t                 # (n_features, n_clusters)
    double max_norm                   # largest norm of a packed center

cdef struct thread_buffers:           # those of Scratch (panels.pyx)
    void* scores                      # ((2 + n_features) * panel_rows,), of the type of the panels
    double* distances                 # (n_clusters,)
    Py_ssize_t room                   # rows that can be listed as moved
    Py_ssize_t* moved                 # (room,): rows with another label, not in the sums yet
    int* old_labels                         # (room,): their labels before, negative for none
    const double* units               # (n_features + 2,) of the fixed-point sums (fixed.pxd)
    long long* sums                   # (n_clusters, n_features + 1, 2), or NULL for none
    # Counted since the kernel was called.
    Py_ssize_t n_listed               # rows that are listed
    Py_ssize_t n_moved                # rows that have been listed
    Py_ssize_t n_recomputed           # rows whose scores were too close to tell: differences decided ...
    Py_ssize_t n_exact                # ... unless these were too close too
    Py_ssize_t n_distances            # squared distances computed, where bounds spare some
    Py_ssize_t n_seen                 # rows looked at, where bounds spare some


cdef inline void clear_counters(thread_buffers* b) noexcept nogil:
    b.n_listed = b.n_moved = b.n_recomputed = b.n_exact = b.n_distances = b.n_seen = 0


cdef inline void list_move(thread_buffers* b, int* labels, Py_ssize_t row, Py_ssize_t label) noexcept nogil:
    """Give a row another label, and list it for the sums."""
    b.moved[b.n_listed] = row
    b.old_labels[b.n_listed] = labels[row]
    labels[row] = <int> label
    b.n_listed += 1
