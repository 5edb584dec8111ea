"""A part of the rows where it is at work: what is asked of it is answered the same, whatever was asked before.

Each question names the centers that it starts from. A part that remembers them, or distances to them, goes on from there; one
that does not, as on a worker that has just begun, makes them anew. So a worker may die at any time, and its parts be asked for
again somewhere else.
"""

import zlib
from hashlib import blake2b
from threading import Lock
from time import monotonic
from typing import NamedTuple

import numpy as np

from ..arithmetic import usual
from ..local.panels import Panels
from ..local.partition import Partition
from ..local.rows import Rows
from ..workers import Workers, available_memory
from .seeds import Seeds

# Multiple of the size of its rows that a part takes while they are kept: the rows, panels of them, and bounds.
TAKEN = 2.5
# Share of the room that parts may take with rows; the rest is for what they remember of rows that are not kept.
OF_ROWS = 2 / 3
# Seconds after which a source that was asked nothing is taken to be given up, where there is no room for others.
LONG = 600.0
# Share of the memory that is free, and of the addresses, that the parts of this process may take where nobody says how much.
OF_MEMORY, OF_ADDRESSES = 3 / 4, 3 / 8


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
        self.turn, self.asked = 0, 0.0  # the pass of the last question, and when that was
        self.clear()

    def clear(self):
        """Remember nothing."""
        self.X = self.weights = self.rows = None
        self.partition, self.at = None, None  # and the key of the centers whose labels it has
        self.labels = {}  # by the keys of centers, of the last two
        self.seeds = None

    def forget_what_is_over(self, at_a_start):
        """Forget the labels before a start, or the start where that is over."""
        self.labels.clear()
        if at_a_start:
            self.partition, self.at = None, None
        else:
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
            self.labels = {key: found.astype(np.int32) for key, found in self.labels.items()}
            if self.partition is not None:
                self._go_on()
            if self.seeds is not None:
                self.seeds.go_on(self.rows)

    def _go_on(self):
        """Go on with the labels and sums there are."""
        old, self.partition = self.partition, Partition(self.rows, self.partition.n_clusters)
        self.partition.labels = old.labels.astype(np.int32)
        self.partition.sums[0] = old.parts().sum(axis=0)

    def close(self):
        """Keep labels and sums, and nothing as large as the rows."""
        self.X = self.weights = self.rows = None
        if self.seeds is not None:
            self.seeds.put_aside()
        if self.partition is not None:
            self.partition.policy, self.partition.rows = None, None
            self.partition.idle.clear()
            self.partition.labels = _small(self.partition.labels)
        self.labels = {key: _small(found) for key, found in self.labels.items()}

    def size(self):
        """Bytes of what it has: the rows, a multiple of them, their weights; labels, sums and distances."""
        arrays, rows = [*self.labels.values()], 0
        if self.X is not None:
            rows = TAKEN * self.X.nbytes + (0 if self.weights is None else 2 * self.weights.nbytes)
        if self.partition is not None:
            arrays += self.partition.labels, self.partition.sums
        if self.seeds is not None:
            arrays += [
                found for found in vars(self.seeds.distances).values() if isinstance(found, np.ndarray)
            ]
        return rows + sum(found.nbytes for found in arrays)

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
        self.forget_what_is_over(False)
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
            self.forget_what_is_over(True)
            make = self.rows.follow(n_clusters) if one_by_one else self.rows.approached()
            self.seeds = Seeds(make, one_by_one)
        self.seeds.follow(batches, keys)
        return self.seeds


def _small(labels):
    """The same labels in the smallest type that holds them."""
    return labels.astype(np.min_scalar_type(labels.max()))


def fingerprint(X, weights):
    """A check sum of the numbers of a part."""
    return zlib.crc32(weights, zlib.crc32(X)) if weights is not None else zlib.crc32(X)


# ---- the parts that this process has ----

# By the token of their source and their number: the parts, the bytes that each takes, and those whose rows are kept.
_parts, _sizes, _kept, _lock = {}, {}, set(), Lock()


@usual
def perform(
    token, number, first, load, frame, question, *args, workers=None, room=None, of_rows=OF_ROWS, turn=0
):
    """Ask a part of the source of this token: question(part, *args). `load` returns its rows, and weights or None.

    What it has is kept for the next question as long as all parts take no more than `room`: its rows, up to a share `of_rows` of
    that, or what it remembers of them. `turn` counts the passes over all parts, where these may be asked elsewhere too.
    """
    arguments = load, frame, question, args, workers or Workers(1)
    try:
        return _perform(token, number, first, (room, of_rows), turn, *arguments)
    except MemoryError:  # once more with as little as can be
        _make_room()
        return _perform(token, number, first, (0, of_rows), turn, *arguments)


def _perform(token, number, first, room, turn, load, frame, question, args, workers):
    with _lock:
        part = _parts.setdefault((token, number), Part(number, first))
    with part.lock:
        part.turn, part.asked = turn, monotonic()
        try:
            part.open(load, workers, frame)
            answer = question(part, *args)
            _keep((token, number), part, *room)
        except BaseException:  # what is half done is not gone on with
            part.clear()
            with _lock:
                _drop(token, number)
            raise
        return answer


def _keep(key, part, room, of_rows):
    """Keep the rows of a part, or what it remembers of them, or nothing, as there is room."""
    with _lock:
        total = sum(_sizes.values())
        if room is None:
            room = min(OF_MEMORY * (available_memory() + total), OF_ADDRESSES * (_address_space() + total))
        if _has_place(key, part, part.size(), room if key in _kept else of_rows * room):
            _kept.add(key)
            return
        _kept.discard(key)
    if room > 0:
        part.close()
        with _lock:
            size = part.size()
            if _has_place(key, part, size, room):
                return
            _forget_stale(key[0], part)
            if _has_place(key, part, size, room):
                return
    part.clear()
    with _lock:
        _drop(*key)


def _has_place(key, part, size, room):
    """Whether a part of this size finds room beside the others, and nobody has forgotten it; if so, it has it."""
    others = sum(_sizes.values()) - _sizes.get(key, 0)
    if others + size > room or _parts.get(key) is not part:
        return False
    _sizes[key] = size
    return True


def _forget_stale(token, asked):
    """Know nothing more of parts that were asked somewhere else in the last passes, or whose source was given up."""
    for key, part in list(_parts.items()):
        stale = part.turn < asked.turn - 1 if key[0] == token else part.asked < asked.asked - LONG
        if stale and part.lock.acquire(blocking=False):
            try:
                part.clear()
                _drop(*key)
            finally:
                part.lock.release()


def _drop(*key):
    """Know nothing of a part any more."""
    _parts.pop(key, None)
    _sizes.pop(key, None)
    _kept.discard(key)


def _make_room():
    """Keep no rows of parts that are not being asked."""
    with _lock:
        for key in list(_kept):
            part = _parts.get(key)
            if part is not None and part.lock.acquire(blocking=False):
                try:
                    _kept.discard(key)
                    part.close()
                    _sizes[key] = part.size()
                except MemoryError:  # not even for small labels
                    part.clear()
                    _drop(*key)
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
        for key in [key for key in {*_parts, *_sizes} if key[0] == token]:
            _drop(*key)
