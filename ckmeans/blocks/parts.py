"""A part of the rows where it is at work: what is asked of it is answered the same, whatever was asked before.

Each question names the centers that it starts from. A part that remembers them, or distances to them, goes on from there; one
that does not, as on a worker that has just begun, makes them anew. So a worker may die at any time, and its parts be asked for
again somewhere else.
"""

import zlib
from hashlib import blake2b
from threading import Lock
from typing import NamedTuple

import numpy as np

from ..arithmetic import usual
from ..local.panels import Panels
from ..local.partition import Partition
from ..local.rows import Rows, whole_weights
from ..workers import Workers, available_memory, split
from .seeds import Seeds

# Multiple of the size of its rows that a part takes while it is kept: the rows, panels of them, and bounds.
TAKEN = 2.5


class Frame(NamedTuple):
    """What the parts of a source have in common: the units of the sums, and the frame that panels are in."""

    slab: int
    algorithm: str
    low: np.ndarray
    high: np.ndarray
    origin: np.ndarray
    units: np.ndarray
    weight_exponent: int
    loses_digits: bool
    weighted: bool
    prints: tuple  # a check sum of the numbers of each part


class ChangedError(ValueError):
    """A block is not what it was in the pass before."""


class LabelsOf:
    """Labels that nobody keeps: those of the nearest of some centers, but for a few rows.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features)
    others : dict, optional
        Labels of rows by their indices.
    """

    def __init__(self, centers, others=None):
        self.centers, self.others = centers, others or {}

    def astype(self, dtype, copy=True):
        """The same: arrays of labels are made smaller where they have to be kept."""
        return self

    def copy(self):
        """The same labels, to be changed."""
        return LabelsOf(self.centers, dict(self.others))

    def __setitem__(self, rows, label):
        if isinstance(rows, slice):  # all of them
            self.centers, self.others = label.centers, dict(label.others)
        else:
            self.others.update(dict.fromkeys(np.atleast_1d(rows).tolist(), int(label)))


def digest(centers):
    """A key of centers."""
    return blake2b(repr(centers.shape).encode() + centers.tobytes(), digest_size=16).digest()


class PartRows(Rows):
    """The rows of a part, in the frame of all rows; what goes through slabs is given for each slab, and not added up."""

    def __init__(self, X, sample_weight, workers, frame):
        self._begin(X, None, workers, frame.algorithm)
        self.width, self.slab, self.units = self.n_features, frame.slab, frame.units
        self.streamed = self.once = self.plain = True
        self.exponent, self.lossy, self.weight_exponent = 0, False, frame.weight_exponent
        self.fixed_point_loses_digits, self.origin = frame.loses_digits, frame.origin
        if sample_weight is not None:
            self.given_weight = sample_weight
            self.sample_weight = np.ldexp(sample_weight, -self.weight_exponent)
        self.panels = Panels(self, frame.low, frame.high)
        self.labels_of = None  # what finds the labels that LabelsOf stands for

    slab = 0

    def sum(self, kernel, n_centers, *shapes):
        """For each slab, the list of what kernel(start, stop, *outs) returns and of the outs."""
        slabs = self.slabs(max(shape[0] for shape in shapes))
        found = [None] * len(slabs)

        def slab(s, start, stop):
            outs = [np.zeros(shape) for shape in shapes]
            found[s] = [kernel(start, stop, *outs) or 0.0, *outs]

        self.workers.run(slab, [(s, *slab) for s, slab in enumerate(slabs)])
        return found

    def own(self, labels, start, stop):
        """The labels of the rows from start to stop."""
        return self.labels_of(labels)[start:stop]


class Part:
    """A part of the rows, and what it remembers of the questions before.

    Parameters
    ----------
    number : int
    first : int
        Index of its first row among all.
    """

    def __init__(self, number, first):
        self.number, self.first, self.lock = number, first, Lock()
        self.clear()

    def clear(self):
        """Remember nothing."""
        self.X = self.weights = self.rows = None
        self.partition, self.at = None, None  # and the key of the centers whose labels it has
        self.labels = {}  # by the keys of centers, of the last two
        self.seeds = None

    # ---- its rows ----

    def open(self, load, workers, frame):
        """Have the rows at hand."""
        if self.X is None:
            self.X, self.weights = load()
            if frame is not None and fingerprint(self.X, self.weights) != frame.prints[self.number]:
                raise ChangedError(
                    f"The rows from {self.first} on are not those of the pass before: a source must give the same rows in"
                    " each pass; write them to files, or persist them."
                )
        if self.rows is not None:
            self.rows.workers = workers
        elif frame is not None:
            self.rows = PartRows(self.X, self.weights if frame.weighted else None, workers, frame)
            self.rows.labels_of = self.labels_as_array
            if self.partition is not None:
                self._go_on()
            if self.seeds is not None:
                self.seeds.go_on(self.rows)

    def _go_on(self):
        """Go on with the labels and sums there are."""
        old, self.partition = self.partition, Partition(self.rows, self.partition.n_clusters)
        self.partition.labels = old.labels
        self.partition.sums[0] = old.parts().sum(axis=0)

    def close(self):
        """Keep labels and sums, and nothing as large as the rows."""
        if self.partition is not None:
            self.partition.policy, self.partition.rows = None, None
            self.partition.idle.clear()
        if self.seeds is not None:
            self.seeds.put_aside()
        self.X = self.weights = self.rows = None

    # ---- its labels ----

    def labels_as_array(self, labels):
        """The labels that LabelsOf stands for."""
        found, n = self._labels_at(labels.centers), len(self.X)
        own = [(row - self.first, label) for row, label in labels.others.items() if 0 <= row - self.first < n]
        if own:
            found = found.copy()
            found[[row for row, _ in own]] = [label for _, label in own]
        return found

    def _labels_at(self, centers):
        key = digest(centers)
        if self.at == key:
            return self.partition.labels
        if key not in self.labels:
            if len(centers) == 1:
                found = np.zeros(len(self.X), np.int32)
            else:
                found = self.rows.panels.assign(centers)
            self.labels = dict([*self.labels.items()][-1:])
            self.labels[key] = found
        return self.labels[key]

    def labels_here(self, centers, before):
        """Count the labels that change from those of `before`, without sums."""
        old = self.labels_as_array(before)
        return int(np.count_nonzero(old != self._labels_at(centers)))

    def move_to(self, centers, before):
        """Have the labels of these centers, and the sums of their rows; returns how many changed from those of `before`."""
        self.labels.clear()
        key = None if before is None else digest(before)
        if before is None or self.partition is None or self.partition.n_clusters != len(centers):
            self.partition, self.at = Partition(self.rows, len(centers)), None
        if before is not None and self.at != key:
            self.rows.panels.assign(before, self.partition)
        self.at = None
        n_moved = self.rows.panels.assign(centers, self.partition)
        self.at = digest(centers)
        return len(self.X) if before is None else n_moved

    # ---- its distances to centers that come one by one, or in batches ----

    def distances_to(self, one_by_one, n_clusters, batches):
        """Distances to the centers of all batches; of which the next are screened, or drawn."""
        keys = [digest(batch) for batch in batches]
        if self.seeds is None or not self.seeds.leads_to(one_by_one, keys):
            make = self.rows.follow(n_clusters) if one_by_one else self.rows.approached()
            self.seeds = Seeds(make, one_by_one)
        self.seeds.follow(batches, keys)
        return self.seeds


def fingerprint(X, weights):
    """A check sum of the numbers of a part."""
    return zlib.crc32(weights, zlib.crc32(X)) if weights is not None else zlib.crc32(X)


# ---- the parts that this process has ----

_parts, _kept, _lock = {}, {}, Lock()


@usual
def perform(token, number, first, load, frame, question, *args, workers=None, room=None):
    """Ask a part of the source of this token: question(part, *args). `load` returns its rows, and weights or None.

    Its rows are kept for the next question as long as they take no more than `room`, or half of the memory.
    """
    arguments = load, frame, question, args, workers or Workers(1)
    try:
        return _perform(token, number, first, room, *arguments)
    except MemoryError:  # once more with as little as can be
        _make_room()
        return _perform(token, number, first, 0, *arguments)


def _perform(token, number, first, room, load, frame, question, args, workers):
    with _lock:
        part = _parts.setdefault((token, number), Part(number, first))
    with part.lock:
        try:
            part.open(load, workers, frame)
            answer = question(part, *args)
        except BaseException:  # what is half done is not gone on with
            part.clear()
            with _lock:
                _parts.pop((token, number), None)
                _kept.pop((token, number), None)
            raise
        if not _is_kept(token, number, part, room):
            part.close()
        return answer


def _is_kept(token, number, part, room):
    """Whether there is room for one more part to be kept."""
    with _lock:
        if (token, number) not in _kept:
            size, total = TAKEN * part.X.nbytes, sum(_kept.values())
            if room is None:
                room = min((available_memory() + total) / 2, (_address_space() + total) / 4)
            if total + size > room:
                return False
            _kept[token, number] = size
        return True


def _make_room():
    """Keep no rows of parts that are not being asked."""
    with _lock:
        for key in list(_kept):
            part = _parts.get(key)
            if part is not None and part.lock.acquire(blocking=False):
                try:
                    part.close()
                    del _kept[key]
                finally:
                    part.lock.release()


def _address_space():
    """Bytes that this process may still take, where it is told of a limit."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_AS, getrlimit

        limit = getrlimit(RLIMIT_AS)[0]
        if limit == RLIM_INFINITY:
            return np.inf
        with open("/proc/self/status") as lines:
            return limit - next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmSize"))
    except (ImportError, OSError, StopIteration):
        return np.inf


def has(token, number):
    """Whether the rows of a part are here."""
    return (token, number) in _kept


def forget(token):
    """Keep nothing of a source any longer."""
    with _lock:
        for known in _parts, _kept:
            for key in [key for key in known if key[0] == token]:
                del known[key]


# ---- questions ----


def survey(part, slab):
    """Of each slab, the sum, the least and the largest value of each feature; what is bad; the weights; and a check sum."""
    from .._kernels import panels as kernels

    X, weights, columns = part.X, part.weights, []
    for start, stop in split(len(X), slab):
        total = np.zeros(X.shape[1])
        low, high = np.full_like(total, np.inf), np.full_like(total, -np.inf)
        kernels.column_extremes(X[start:stop], 0, stop - start, total, low, high)
        columns.append((total, low, high))
    bad, nan = [], False
    if not all(np.isfinite(total + low + high).all() for total, low, high in columns):
        finite = np.isfinite(X).all(axis=1)
        bad = (part.first + np.flatnonzero(~finite)).tolist()
        nan = bool(np.isnan(X[~finite]).any())
    return columns, bad, nan, _survey_of_weights(part), fingerprint(X, weights)


def _survey_of_weights(part):
    """The least, the largest and the sum of the weights; and the first that is none, with its index."""
    if part.weights is None:
        return 1.0, 1.0, float(len(part.X)), None
    bad = np.flatnonzero(~(np.isfinite(part.weights) & (part.weights >= 0)))[:1]
    first = (part.first + int(bad[0]), float(part.weights[bad[0]])) if len(bad) else None
    with np.errstate(over="ignore", invalid="ignore"):
        return part.weights.min(), part.weights.max(), part.weights.sum(), first


def step(part, centers, before, summed):
    """How many labels change from those of the centers `before`; the work; and the sums of the clusters."""
    rows = part.rows
    was = rows.n_distances, rows.n_spared, rows.n_labelled, rows.n_recomputed
    n_moved = (
        part.move_to(centers, None if before is None else before.centers)
        if summed
        else part.labels_here(centers, before)
    )
    work = rows.n_distances, rows.n_spared, rows.n_labelled, rows.n_recomputed
    counts = np.array([n_moved, *np.subtract(work, was)])
    return counts, part.partition.parts().sum(axis=0) if summed else 0


def shifts(part, labels, centers):
    """`Rows.shifts` of each slab."""
    return part.rows.shifts(part.labels_as_array(labels), centers)


def each_slab(part, function, *args):
    """`Rows.each_slab`."""
    return part.rows.each_slab(function, *args)


def some_slabs(part, wanted, function, *args):
    """`Rows.some_slabs`, of the part's own."""
    return part.rows.some_slabs(function, wanted, *args)


def take(rows, start, stop, indices):
    """Rows of a slab, in double."""
    return rows.X[start:stop][indices].astype(np.float64)


def weights_of(part):
    """The weights, in the units of the kernels."""
    return part.rows.sample_weight


def arrays(part):
    """The rows as they are, and their weights."""
    return part.X, part.weights


def apply(part, function, n_samples):
    """A function of the rows."""
    return function(part.X, part.first, n_samples)


def labels(part, of):
    """The labels themselves."""
    return part.labels_as_array(of)


def count(part, of):
    """Rows of each cluster."""
    return np.bincount(part.labels_as_array(of), minlength=len(of.centers))


def is_on_centers(part, of, centers):
    """Whether every row with weight lies exactly on its center."""
    away = (part.X != centers[part.labels_as_array(of)]).any(axis=1)
    return not (away if part.weights is None else away & (part.weights > 0)).any()


def distances(part, one_by_one, n_clusters, batches):
    """Weighted squared distances of each slab."""
    return part.distances_to(one_by_one, n_clusters, batches).distances.masses


def draws(part, wanted, one_by_one, n_clusters, batches):
    """Places in some slabs."""
    return part.distances_to(one_by_one, n_clusters, batches).distances.draw_in_slabs(wanted)


def falls(part, candidates, n_clusters, batches):
    """By how much the inertia would fall with each candidate, of each slab."""
    return part.distances_to(True, n_clusters, batches).falls(candidates)


def owned(part, n_centers, n_clusters, batches):
    """The weight that is nearest to each center, of each slab."""
    return part.distances_to(False, n_clusters, batches).distances.owned_sums(n_centers)


def movable(part, of, means, centers_t, masses):
    """Rows that would lower the inertia by moving, their weights, and their labels."""
    rows = part.rows
    rows.panels.pack()
    X, weights, candidates, own = rows.movable(part.labels_as_array(of), means, centers_t, masses)
    return X[candidates], weights[candidates] if len(weights) else weights, own[candidates]


def keys(part, odd):
    """A number for each row, the same for equal rows."""
    return part.rows._keys(0, len(part.X), odd)


def most_apart(part, of, means, masses, points_weight):
    """The largest gain of a row that becomes a cluster of its own."""
    return _gains_apart(part, of, means, masses, points_weight)[0].max()


def first_apart(part, enough, of, means, masses, points_weight):
    """The first row that gains enough so: its index, what it holds, its label and its weight; None if there is none."""
    gains, own, weights = _gains_apart(part, of, means, masses, points_weight)
    found = np.flatnonzero(gains >= enough)[:1]
    if not len(found):
        return None
    i = found[0]
    return part.first + int(i), part.X[i].astype(np.float64), int(own[i]), weights[i]


def _gains_apart(part, of, means, masses, points_weight):
    own, rows = part.labels_as_array(of), part.rows
    weights, (indices, others) = rows.weights(), points_weight
    here = slice(*np.searchsorted(indices, [part.first, part.first + len(own)]))
    weights = weights.copy()
    weights[indices[here] - part.first] = others[here]
    whole = whole_weights(weights, masses[own])
    known = rows.norms_of(means)
    return rows.removal_gains(known, whole, own, means, masses, 0, len(own)), own, weights
