# A search and the memory it works in, from one call to the next: included by the modules that have such searches.

cdef class Workspace:
    """A search, and the memory it works in. A call goes on where the one before stopped."""

    cdef Search search
    cdef double[::1] memory

    def __init__(
        self,
        double[::1] memory,           #     (room(...),)
    ):
        self.memory = memory
        self.clear()

    def clear(self):
        """Make this a search in which nothing was found."""
        memset(&self.search, 0, sizeof(Search))
        self.search.inertia = INFINITY

    @property
    def inertia(self):
        """The best inertia, infinite at first."""
        return self.search.inertia

    @property
    def best_restart(self):
        """The number of the restart that reached it."""
        return self.search.best_restart

    @property
    def n_restarts(self):
        """Restarts done."""
        return self.search.done

    @property
    def finished(self):
        """Whether that is all."""
        return self.search.finished

    @property
    def n_distances(self):
        """Squared distances computed so far."""
        return self.search.n_distances

    @property
    def n_recomputed(self):
        """Labels so far that differences decided."""
        return self.search.n_recomputed
