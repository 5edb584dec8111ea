"""Distances of the rows of a part to centers that come one by one, or in batches."""


class Seeds:
    """Distances to some centers, and the keys of these."""

    def __init__(self, distances, one_by_one):
        self.distances, self.one_by_one, self.keys, self.asked = distances, one_by_one, [], None
        self.dtype = distances.rows.panels.dtype

    def leads_to(self, one_by_one, keys):
        """Whether these centers come next, if any do."""
        return self.one_by_one == one_by_one and self.keys == keys[: len(self.keys)]

    def follow(self, batches, keys):
        """Take the centers that are new."""
        for batch, key in list(zip(batches, keys))[len(self.keys) :]:
            if not self.one_by_one:
                self.distances.approach(batch)
            else:
                if self.asked is None or not (self.asked == batch).all(axis=1).any():
                    self.distances.falls(batch)
                self.distances.lower(batch[0])
            self.asked = None
            self.keys.append(key)

    def falls(self, candidates):
        """By how much each slab's inertia would fall with each candidate."""
        self.asked = candidates
        return self.distances.falls(candidates)

    def put_aside(self):
        self.distances.rows = None
        self.asked = None

    def go_on(self, rows):
        """Go on with the rows, which were put aside."""
        rows.panels.dtype, self.distances.rows = self.dtype, rows
