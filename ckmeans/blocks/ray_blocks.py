"""Rows that Ray has: the parts are at work where they are, and labels stay there."""

from math import prod

import numpy as np
import ray

from ..validation import check_weights
from . import parts
from .sources import RemoteBlocks, as_floats

# Seconds between two looks at the clock while answers are waited for.
LOOK = 0.2
# Share of the memory of a machine that the parts of all its workers may take, with what they remember.
MACHINE_SHARE = 0.25
# A worker that dies is begun anew, without end, and what it was asked is asked again; it waits for no processor to be free.
STUBBORN = {"max_restarts": -1, "max_task_retries": -1, "num_cpus": 0, "scheduling_strategy": "SPREAD"}


class RayBlocks(RemoteBlocks):
    """A Ray Dataset.

    Its rows are kept in Ray's memory, or on its disks, from the first pass on. Each part is asked on one worker for as long as that lives.

    Parameters
    ----------
    X : ray.data.Dataset
        All columns are numbers, or arrays of them.
    """

    def __init__(self, X):
        super().__init__()
        self.X, self._weights_name, self._actors = X, None, None
        schema = X.schema()
        if schema is None:  # nobody knows the columns of nothing
            raise ValueError("X has 0 rows in all of its blocks: give at least one row.")
        self.columns = list(schema.names)

    @property
    def names(self):
        """Names of the columns; None where one stands for several features."""
        self._describe()
        names = [name for name in self.columns if name != self._weights_name]
        return names if len(names) == self._shape[1] else None

    def take_weights(self, sample_weight):
        """Take weights along: the name of a column, or an array."""
        if not isinstance(sample_weight, str):
            self.weights = check_weights(sample_weight, len(self))
            return
        if sample_weight not in self.columns:
            raise ValueError(
                f"sample_weight={sample_weight!r} is no column of X, which has {', '.join(map(repr, self.columns))}."
            )
        self._weights_name = sample_weight

    def _describe(self):
        if self._shape is not None:
            return
        self.X = self.X.materialize()
        describe = ray.remote(max_retries=-1)(_description)
        self.refs = self.X.to_numpy_refs()
        seen = self._gather(
            [describe.remote(block, self._weights_name, n) for n, block in enumerate(self.refs)]
        )
        self.take_descriptions(seen)

    def cut(self, unit, slab):
        """As of Source."""
        super().cut(unit, slab)
        joined = ray.remote(max_retries=-1)(_joined)
        ends, self.data = np.cumsum([0, *self.lengths]), []
        for start, stop in self.bounds:
            first, last = np.searchsorted(ends, start, side="right") - 1, np.searchsorted(ends, stop)
            weights = None if self.weights is None else self.weights[start:stop]
            place = start - int(ends[first]), stop - int(ends[first])
            self.data.append(joined.remote(place, weights, self._weights_name, *self.refs[first:last]))
        n_actors = max(1, min(len(self.bounds), int(ray.cluster_resources().get("CPU", 1))))
        worker = ray.remote(**STUBBORN)(_Worker)
        self._actors = [worker.remote(MACHINE_SHARE / n_actors) for _ in range(n_actors)]

    def ask(self, question, *args, own=None):
        """As of Source."""
        common = ray.put((self.frame, question, args))
        asked = []
        for number in self.asked(own):
            actor, mine = self._actors[number % len(self._actors)], own[number] if own else ()
            key = self.token, number, self.bounds[number][0]
            asked.append(actor.perform.remote(key, self.data[number], common, mine))
        return self._gather(asked)

    def _gather(self, asked):
        """What was asked for. Of a time limit, and of Ctrl-C, what has not begun is told."""
        waiting = asked
        try:
            while waiting:
                _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=LOOK, fetch_local=False)
                if self.workers is not None:
                    self.workers.check_time()
            return ray.get(asked)
        except ray.exceptions.RayTaskError as error:
            raise (error.cause or error) from None
        except BaseException:
            for one in waiting:
                ray.cancel(one)
            raise

    def crew(self, n_threads=None):
        """As of Source: the workers of the cluster."""
        return _Cluster()

    def close(self):
        """As of Source: the workers end."""
        super().close()
        self.data = self._actors = None

    def labelled(self, of):
        """A Dataset of the nearest center of each row, in a column "label", lazy."""
        from .labelling import nearest

        return self.apply(nearest(of.centers), (), np.dtype(np.int32))

    def apply(self, function, shape, dtype, n_threads=None):
        """A Dataset of function(X, first, n_samples) of each block, lazy."""
        names = [f"kmeans{k}" for k in range(shape[0])] if shape else "label"
        features = self.X.drop_columns([self._weights_name]) if self._weights_name else self.X
        return features.map_batches(
            _of_batch, batch_size=None, batch_format="numpy", fn_args=(function, names)
        )


class _Cluster:
    """As Crew, of the workers of a cluster: a call that one of them has lost is made on another."""

    def __init__(self):
        self.width = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))

    def __enter__(self):
        self._asked = []
        return self

    def submit(self, function, *args):
        """As of Crew."""
        self._asked = self._asked[-self.width :]
        self._asked.append(ray.remote(max_retries=-1)(function).remote(*args))
        return self._asked[-1].future()

    def __exit__(self, *exception):
        for one in self._asked:
            ray.cancel(one)


class _Worker:
    """The parts that a worker has."""

    def __init__(self, share):
        from ..workers import available_memory

        memory = available_memory()
        self.room = share * memory if np.isfinite(memory) else None

    def perform(self, key, data, common, own):
        """Ask a part."""
        frame, question, args = common
        return parts.perform(*key, lambda: data, frame, question, *own, *args, room=self.room)


def _matrix(block, weights_name, where):
    """A block as an array, and the column of weights or None."""
    columns = block if isinstance(block, dict) else {"data": block}
    columns = {name: np.asarray(column) for name, column in columns.items()}
    weights = columns.pop(weights_name, None)
    n = len(next(iter(columns.values()), ()))
    if not n:  # of a column of arrays without rows nobody knows the length
        return np.empty((0, len(columns))), None if weights is None else np.empty(0)
    found = [
        as_floats(column.reshape(n, prod(column.shape[1:])), f"column {name!r} of {where}")
        for name, column in columns.items()
    ]
    single = all(column.dtype == np.float32 for column in found)
    X = np.concatenate(
        [column.astype(np.float32 if single else np.float64, copy=False) for column in found], axis=1
    )
    return np.ascontiguousarray(X), None if weights is None else weights.astype(np.float64)


def _description(block, weights_name, number):
    X, _ = _matrix(block, weights_name, f"block {number}")
    return len(X), X.shape[1], X.dtype.str


def _joined(place, weights, weights_name, *blocks):
    """The rows of a part, and weights or None."""
    found = [_matrix(block, weights_name, "a block") for block in blocks]
    found = [(X, own) for X, own in found if len(X)]
    own = slice(*place)
    if found[0][1] is not None:
        weights = np.concatenate([w for _, w in found])[own]
    return np.ascontiguousarray(np.concatenate([X for X, _ in found])[own]), weights


def _of_batch(batch, function, names):
    X, _ = _matrix(batch, None, "a block")
    found = function(X, 0, len(X))
    return {names: found} if isinstance(names, str) else dict(zip(names, found.T))
