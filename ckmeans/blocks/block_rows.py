"""The rows of a block source, as `Rows` has those of an array: what takes rows is done where they are, and little comes back."""

from functools import cached_property

import numpy as np

from ..local.partition import Partition
from ..local.rows import MOST_SORTED, ROUNDED, Rows
from ..local.seeding import Distances
from ..scaling import unit, unsafe
from ..validation import refuse_rows
from . import questions
from .parts import Frame, LabelsOf


def check_sums(least, most, total, wrong, n_samples):
    """Refuse weights, by what is known of those of each part, in the words of `validation.check_weights`."""
    if wrong:
        row, value = wrong[0]
        raise ValueError(
            f"sample_weight[{row}] is {value}: weights must be finite and at least 0; drop the row or mend it."
        )
    if max(most) == 0:
        raise ValueError(f"All {n_samples} weights are zero: give at least one row a positive sample_weight.")
    with np.errstate(over="ignore"):
        if not np.isfinite(np.sum(total)):
            raise ValueError(
                "sample_weight sums to more than 1.8e308: divide the weights by a common factor."
            )


class BlockRows(Rows):
    """The rows of a block source.

    Sums of rows go through the slabs that `Rows` has for an array of the same shape, and are added up in the same order, or
    are integers; draws go by the same sums. So all that follows has the same bits.

    Parameters
    ----------
    source : Source
    workers : Workers
    n_clusters : int
    algorithm : str
        As in `Rows`.
    compared_with : ndarray, optional
        Centers from elsewhere.

    Raises
    ------
    ValueError
        For rows that are not finite, or far out of range.
    """

    weighted, largest_weight = False, 1.0
    listener = None  # is told of each pass, if there is one: bytes gone over so far, the inertia, and how many rows moved

    def __init__(self, source, workers, n_clusters, algorithm="auto", compared_with=None):
        self.source, self.workers, self.algorithm = source, workers, algorithm
        self.n_samples, self.n_features = source.shape
        self.width, self.X = self.n_features, source
        self.n_distances = self.n_spared = self.n_labelled = self.n_recomputed = 0
        self.streamed, self.plain, self.once, self.lossy, self.exponent = False, False, False, False, 0
        source.workers = workers
        slabs = self.slabs(n_clusters)
        source.cut(slabs[0][1] - slabs[0][0], self.slab)
        total, low, high = self._survey()
        most = np.array([low, high]) if compared_with is None else np.vstack([low, high, compared_with])
        if unit(most.min(axis=0), most.max(axis=0)):
            raise ValueError(
                f"X holds {abs(most).max():.3g} in blocks, whose squares leave the range of numbers: scale X by a power of two,"
                " or give it as one array."
            )
        self.origin = (total / self.n_samples).astype(source.dtype).astype(np.float64)
        self.origin[low == high] = low[low == high]
        self.units, self.panels = self._fixed_point(np.maximum(high, -low)), BlockPanels(self)
        self._set_frame(low, high, False)
        self.fixed_point_loses_digits = self._fixed_point_loses_digits()
        self._set_frame(low, high, self.fixed_point_loses_digits)

    def _set_frame(self, low, high, loses_digits):
        self.source.frame = Frame(
            self.slab,
            self.algorithm,
            low,
            high,
            self.origin,
            self.units,
            self.weight_exponent,
            loses_digits,
            self.weighted,
            self.prints,
        )

    def _survey(self):
        """Sum, least and largest value of each feature; what there is to know of weights; and a check sum of each part."""
        columns, bad, nan, weights, prints = [], [], False, [], []
        for own, own_bad, own_nan, own_weights, check in self.source.ask(questions.survey, self.slab):
            columns += own
            bad += own_bad
            nan |= own_nan
            weights.append(own_weights)
            prints.append(check)
        if bad:
            refuse_rows(np.array(bad), self.n_samples, nan, self.source.place(bad[0]))
        self.prints = tuple(prints)
        least, most, total, wrong = zip(*weights)
        check_sums(least, most, total, [w for w in wrong if w is not None], self.n_samples)
        self.weighted, self.weight_exponent = not min(least) == max(most) == 1, unsafe(max(most))
        self.largest_weight = np.ldexp(max(most), -self.weight_exponent)
        total, low, high = map(np.array, zip(*columns))
        return total.sum(axis=0), low.min(axis=0), high.max(axis=0)

    # ---- weights ----

    @cached_property
    def sample_weight(self):
        """All weights: only a start from rows at random needs them, and points."""
        if not self.weighted:
            return np.empty(0)
        return np.concatenate(list(self.source.ask(questions.weights_of)))

    # ---- slabs ----

    def memo(self):
        """As of Rows: nothing, since parts are elsewhere."""
        return None

    def _by_part(self, wanted):
        """What is wanted of slabs, for the part that each is in: a dict by number of the part, of dicts by slab of the part."""
        firsts = np.array([start // self.slab for start, _ in self.source.bounds])
        own = {}
        for s in sorted(wanted):
            number = int(np.searchsorted(firsts, s, side="right")) - 1
            own.setdefault(number, {})[s - int(firsts[number])] = wanted[s]
        return {number: (of_slabs,) for number, of_slabs in own.items()}

    def each_slab(self, function, *args):
        """As of Rows; function and args are sent to where the rows are."""
        return [found for own in self.source.ask(questions.each_slab, function, *args) for found in own]

    def some_slabs(self, function, wanted, *args):
        """As of Rows."""
        answers = self.source.ask(questions.some_slabs, function, *args, own=self._by_part(wanted))
        return [found for own in answers for found in own]

    def fold_slabs(self, function, total, *args):
        """As of Rows."""
        return self._folded(self.source.ask(questions.each_slab, function, *args), total)

    def _folded(self, answers, total):
        """Add up what comes for each slab, in their order."""
        for own in answers:
            for values in own:
                for i, value in enumerate(values):
                    total[i] += value
        return total

    def shifts(self, labels, centers, summed=True):
        """As of Rows; always summed."""
        total = [0.0, np.zeros(centers.shape), np.zeros(len(centers))]
        self.n_distances += self.n_samples
        return self._folded(self.source.ask(questions.shifts, labels, centers), total)

    def take(self, indices):
        """The rows of these indices, in double."""
        indices = np.asarray(indices)
        slabs = indices // self.slab
        wanted = {s: indices[slabs == s] - s * self.slab for s in np.unique(slabs).tolist()}
        out = np.empty((len(indices), self.n_features))
        for s, found in zip(sorted(wanted), self.some_slabs(questions.take, wanted)):
            out[slabs == s] = found
        return out

    # ---- labels ----

    def alike(self):
        """Labels of one cluster."""
        return LabelsOf(self.origin[None])

    def partition(self, n_clusters, summed=True, labels=None):
        """Labels, none so far or given ones, that assignments keep up to date."""
        return BlockPartition(self, n_clusters, summed, labels)

    def counts(self, labels):
        """The number of rows of each cluster."""
        return self.source.total(questions.count, labels)

    def is_on_centers(self, labels, centers):
        """Whether every row with weight lies exactly on its center."""
        return all(self.source.ask(questions.is_on_centers, labels, centers))

    def nearest(self, centers):
        """The nearest center of each row."""
        return LabelsOf(centers)

    def tell(self, inertia, n_moved=None):
        """Tell the listener, if there is one, of a pass: an inertia in the units of the kernels, which is asked for then."""
        if self.listener is not None:
            self.listener(self.source.n_bytes, float(np.ldexp(inertia(), self.weight_exponent)), n_moved)

    def _inertia(self, labels, centers, known):
        return float(np.ldexp(known, self.weight_exponent))

    # ---- starts ----

    def follow(self, n_clusters):
        """As of Rows."""
        return BlockDistances(self, True, n_clusters)

    def approached(self):
        """As of Rows."""
        return BlockDistances(self, False, 0)

    # ---- rows that are moved ----

    def movable(self, labels, means, centers_t, masses):
        """As of Rows; the rows are gathered."""
        found = self.source.ask(questions.movable, labels, means, centers_t, masses)
        X, weights, own = map(np.concatenate, zip(*found))
        return X, weights, np.arange(len(X)), own

    def most_apart(self, labels, means, masses):
        """As of Rows."""
        points, others = self.points
        arguments = labels, means, masses, others
        enough = max(self.source.ask(questions.most_apart, *arguments)) * (1 - ROUNDED)
        if enough == 0:
            return None
        found = (row for row in self.source.ask(questions.first_apart, enough, *arguments) if row is not None)
        row, x, label, weight = min(found, key=lambda row: row[0])
        same = row if points is None else np.flatnonzero(points == points[row])
        return row, x, label, weight, same

    @cached_property
    def points(self):
        """A number for each row that it shares with equal rows alone, and the weights of points that are not those of one row.

        The numbers are None where there are no equal rows, or too many rows to look for them; the weights are the indices of
        rows, and an array of weights.
        """
        nothing = np.empty(0, np.intp), np.empty(0)
        if self.n_samples > MOST_SORTED:
            return None, nothing
        odd = np.random.RandomState(0).randint(2**62, size=self.n_features, dtype=np.uint64) * 2 + 1
        _, points = np.unique(np.concatenate(list(self.source.ask(questions.keys, odd))), return_inverse=True)
        if points.max() + 1 == self.n_samples:
            return None, nothing
        weights = self.sample_weight if self.weighted else np.ones(self.n_samples)
        of_points = np.where(weights > 0, np.bincount(points, weights)[points], 0.0)
        changed = np.flatnonzero(of_points != weights)
        return points, (changed, of_points[changed])


class BlockPanels:
    """In place of `Panels`: assignments are steps of the parts."""

    def __init__(self, rows):
        self.rows = rows

    def pack(self):
        """Parts see to that themselves."""

    def assign(self, centers, partition=None):
        """As of Panels; without a partition there is nothing to do yet."""
        if partition is None:
            return LabelsOf(centers)
        rows, before = self.rows, partition.labels
        counts, sums = rows.source.total(questions.step, centers, before, partition.summed)
        partition.labels, partition.total = LabelsOf(centers), sums
        n_moved, *work = counts.tolist()
        rows.n_distances += work[0]
        rows.n_spared += work[1]
        rows.n_labelled += work[2]
        rows.n_recomputed += work[3]
        if partition.summed:
            rows.tell(lambda: partition.inertia(centers), n_moved)
        return n_moved

    def iterate(self, centers, partition, n_steps, fresh):
        """As of Panels; no updates are made."""
        return centers, 0, self.assign(centers, partition), None


class BlockPartition(Partition):
    """Labels, which nobody keeps, and the sums of the rows of each cluster."""

    def __init__(self, rows, n_clusters, summed, labels):
        self.rows, self.n_clusters, self.summed, self.labels, self.total = (
            rows,
            n_clusters,
            summed,
            labels,
            None,
        )

    def is_quick(self):
        """As of Partition: the parts remember nothing."""
        return False

    def _total(self):
        return self.total


class BlockDistances(Distances):
    """Squared distances of the rows to centers that come one by one, or in batches: the parts have them."""

    def __init__(self, rows, one_by_one, n_clusters):
        self.rows, self.slabs, self.batches = rows, rows.slabs(), []
        self.one_by_one, self.n_clusters = one_by_one, n_clusters
        self._look()

    def _look(self):
        self.masses = np.concatenate(
            list(self.rows.source.ask(questions.distances, self.one_by_one, self.n_clusters, self.batches))
        )
        if self.batches:
            self.rows.tell(self.masses.sum)

    def draw_in_slabs(self, wanted):
        """As of Distances."""
        own = self.rows._by_part(wanted)
        answers = self.rows.source.ask(
            questions.draws, self.one_by_one, self.n_clusters, self.batches, own=own
        )
        return [found for of_part in answers for found in of_part]

    def gains(self, candidates):
        """As of Screened."""
        if len(candidates) == 1:
            return np.zeros(1)
        total = [0.0, np.zeros((-(-len(candidates) // 8), 8))]
        answers = self.rows.source.ask(questions.falls, candidates, self.n_clusters, self.batches)
        return self.rows._folded(answers, total)[1].ravel()[: len(candidates)]

    def lower(self, center):
        """As of Screened."""
        self.batches = [*self.batches, center[None].copy()]
        self._look()

    def approach(self, new):
        """As of Approached."""
        self.batches = [*self.batches, new]
        self._look()

    def owned(self, n_centers):
        """As of Approached."""
        answers = self.rows.source.ask(questions.owned, n_centers, self.n_clusters, self.batches)
        return self.rows._folded(answers, [0.0, np.zeros(n_centers)])[1]
