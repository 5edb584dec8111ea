"""Rows that Dask has: the parts are at work where they are, and labels stay there."""

import pickle
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from uuid import uuid4

import dask
import numpy as np
from dask.delayed import Delayed

from ..validation import check_weights
from ..workers import Expired, available_cpus, available_memory
from . import parts
from .sources import PART_BYTES, RemoteBlocks, added, as_floats

# Share of the memory limit of a worker that it may come to: beyond 0.7 Dask writes to its disk, beyond 0.8 it lets the worker wait.
FULL = 0.7
# Bytes of a worker before it has any rows.
PROCESS = 300 << 20
# Share of that which is taken to be left in any case: what a worker has may be the very rows, which take no more memory then.
LEAST = 1 / 8
# Share of what is left that the rows may take to be kept there from the first pass on; and that the parts may take with panels and
# what they remember. The rest is for parts at work.
KEPT, REMEMBERED = 0.4, 0.35
# Share of what is left that one part of the rows may take for each thread: at work it takes several times as much.
AT_WORK = 1 / 32
# Answers that are added up in one task.
BRANCHES = 8
# Parts of the rows for each thread of the workers, about. A task takes some 2 ms of a worker, and as much of the scheduler and the client:
# of a million rows, 16 features and 100 clusters, which take 33 ms, ten parts took 75 and 36 ms, and four take 45 and 14.
PARTS = 4
# Bytes of a question that goes along with each task; one of more is a task of its own, and goes to each worker once.
SMALL = 1 << 17
# Seconds between two looks at the clock while answers are waited for.
LOOK = 0.2


class DaskBlocks(RemoteBlocks):
    """A Dask array or frame.

    Its tasks name no worker and wait for none: what was on a worker that died is made again somewhere else.

    Parameters
    ----------
    X : dask.array.Array of shape (n_samples, n_features), or dask.dataframe.DataFrame of numbers
    """

    room = {}  # `room` and `of_rows` of `parts.perform`; nothing where the process sees to that itself
    turn = 0  # passes over all parts so far

    def __init__(self, X):
        super().__init__()
        self.X, self.own_weights, self._client = X, None, _client()
        self._weights_name = None
        self.is_frame = hasattr(X, "npartitions") and hasattr(X, "columns")

    # ---- what there is ----

    @property
    def names(self):
        """Names of the columns of a frame."""
        return list(self.features.columns) if self.is_frame else None

    @property
    def features(self):
        """X without the column of weights."""
        if self._weights_name is None:
            return self.X
        return self.X.drop(columns=[self._weights_name])

    def take_weights(self, sample_weight):
        """Take weights along: an array, a column of a frame, or a Dask array or series in as many blocks as X."""
        if isinstance(sample_weight, str):
            if not self.is_frame or sample_weight not in self.X.columns:
                known = f"has {', '.join(map(repr, self.X.columns))}" if self.is_frame else "is no frame"
                raise ValueError(f"sample_weight={sample_weight!r} is no column of X, which {known}.")
            self._weights_name = sample_weight
            self.own_weights = self.X[sample_weight].to_delayed()
        elif hasattr(type(sample_weight), "__dask_graph__"):
            if hasattr(sample_weight, "chunks") and not self.is_frame and sample_weight.ndim == 1:
                if sample_weight.shape[0] == self.X.shape[0]:  # what is not known, NaN, equals nothing
                    sample_weight = sample_weight.rechunk((self.X.chunks[0],))
            self.own_weights = np.ravel(sample_weight.to_delayed()).tolist()
            n_blocks = len(self._blocks())
            if len(self.own_weights) != n_blocks:
                raise ValueError(
                    f"sample_weight has {len(self.own_weights)} blocks, X has {n_blocks}: give weights in the"
                    " blocks of X."
                )
        else:
            self.weights = check_weights(sample_weight, len(self))

    def _blocks(self):
        if self.is_frame:
            return list(self.features.to_delayed())
        return np.ravel(self.X.rechunk({1: -1}).to_delayed()).tolist()

    def _describe(self):
        """Lengths, columns and types of the blocks: one pass, which reads them."""
        if self._shape is not None:
            return
        blocks = self._blocks()
        weights = self.own_weights or [None] * len(blocks)
        seen = self._compute(
            [dask.delayed(_description)(*both, n) for n, both in enumerate(zip(blocks, weights))]
        )
        self.take_descriptions(seen)

    # ---- parts ----

    def cut(self, unit, slab):
        """As of Source: near where blocks end, so that few rows travel."""
        workers = self._memory_left()
        left = [some for some, _ in workers]
        n, mosts = len(self), [AT_WORK * some / n_threads for some, n_threads in workers]
        most = min([4 * PART_BYTES, *mosts])
        weighted = self.weights is not None or self.own_weights is not None
        row_bytes = self.row_bytes + 8 * weighted
        share = n * row_bytes // (PARTS * self._n_threads())
        least = max(1, int(min(max(share, PART_BYTES // 4), most) // row_bytes))
        ends = [0]
        for end in np.cumsum(self.lengths):
            end = min(n, round(end / unit) * unit)
            if end - ends[-1] >= least:
                ends.append(int(end))
        ends = [*(ends if len(ends) == 1 or n - ends[-1] >= least or ends[-1] == n else ends[:-1]), n]
        ends = sorted(set(ends))
        self.bounds = list(zip(ends, ends[1:]))
        blocks = self._blocks()
        data = [self._assembled(blocks, start, stop) for start, stop in self.bounds]
        kept = n * row_bytes <= KEPT * sum(left)
        if self._client is not None and left:
            self.room = {"room": min(left) * (REMEMBERED if kept else KEPT + REMEMBERED)}
            if not kept:  # rows that are made anew in each pass anyway
                self.room["of_rows"] = 0
        data = dask.persist(*data) if kept else [dask.optimize(own)[0] for own in data]
        self.data = [(own.key, dict(own.dask)) for own in data]

    def _assembled(self, blocks, start, stop):
        weights, pieces, begin = self.own_weights, [], 0
        for number, length in enumerate(self.lengths):
            a, b = max(start, begin), min(stop, begin + length)
            if a < b:
                own = None if weights is None else weights[number]
                whole = a == begin and b == begin + length
                pieces.append(dask.delayed(_piece)(blocks[number], own, a - begin, b - begin, whole, number))
            begin += length
        weights = None if self.weights is None else self.weights[start:stop]
        return dask.delayed(_joined)(pieces, dask.delayed(weights, traverse=False))

    def _n_threads(self):
        return 1 if self._client is None else max(1, sum(self._client.nthreads().values()))

    def _memory_left(self):
        """The bytes that each worker with a limit may still take, and its threads."""
        if self._client is None:
            return [(available_memory(), available_cpus())]
        return self._client.run_on_scheduler(_memory_left)

    # ---- questions ----

    def _tasks(self, question, args, own):
        """The keys of the tasks that ask parts, and the graph of these tasks: made here, which takes a tenth of what `delayed` takes."""
        self.turn += own is None
        room = {**self.room, "turn": self.turn}
        name, graph, common, more = uuid4().hex, {}, (self.frame, question, args, room), ()
        if len(pickle.dumps(common)) > SMALL:
            more = (f"question-{name}",)
            graph[more[0]], common = (partial(_itself, common),), None
        keys = []
        for number in self.asked(own):
            place, mine = (self.token, number, self.bounds[number][0]), own[number] if own else ()
            key, of_data = self.data[number]
            graph.update(of_data)
            keys.append(f"ask-{number}-{name}")
            graph[keys[-1]] = partial(_ask, place, mine, common), key, *more
        return keys, graph

    def ask(self, question, *args, own=None):
        """As of Source."""
        keys, graph = self._tasks(question, args, own)
        return self._compute([Delayed(key, graph) for key in keys])

    def total(self, question, *args):
        """As of Source, in a tree of tasks: few answers come here."""
        keys, graph = self._tasks(question, args, None)
        while len(keys) > BRANCHES:
            some = [keys[i : i + BRANCHES] for i in range(0, len(keys), BRANCHES)]
            keys = [f"sum-{i}-{own[0]}" for i, own in enumerate(some)]
            graph.update((key, (_added, own)) for key, own in zip(keys, some))
        return _added(self._compute([Delayed(key, graph) for key in keys]))

    def _compute(self, tasks):
        """What tasks return. Of a time limit, and of Ctrl-C, those not yet begun are told."""
        if self._client is None:
            if self.workers is not None:
                self.workers.check_time()
            return list(dask.compute(*tasks))
        futures, answer = self._client.compute(tasks, optimize_graph=False), _Gathered(self._client)
        try:
            answer.begin(futures)
            while not answer.came.wait(LOOK):
                if self.workers is not None:
                    self.workers.check_time()
            return answer.taken()
        except (KeyboardInterrupt, Expired):
            self._client.cancel(futures)
            raise

    def crew(self, n_threads=None):
        """As of Source: the workers of the cluster."""
        return super().crew(n_threads) if self._client is None else _Cluster(self._client)

    def close(self):
        """As of Source, on all workers."""
        super().close()
        self.data = None
        if self._client is not None:
            # On a thread of its own: a worker that has just begun may take its time to answer.
            Thread(target=_forget_everywhere, args=(self._client, self.token), daemon=True).start()

    # ---- what stays lazy ----

    def labelled(self, of):
        """The nearest center of each row, lazy, in the blocks of X."""
        from .labelling import nearest

        return self.apply(nearest(of.centers), (), np.dtype(np.int32))

    def apply(self, function, shape, dtype, n_threads=None):
        """function(X, first, n_samples) of each block when it is computed: in the blocks of X, and with its index."""
        X = self.features
        if self.is_frame:
            return self._apply_to_frame(function, shape, dtype)
        chunks = (X.chunks[0], shape) if shape else (X.chunks[0],)
        return X.rechunk({1: -1}).map_blocks(
            _of_block,
            function,
            dtype=dtype,
            chunks=chunks,
            drop_axis=None if shape else 1,
            meta=np.empty((0,) * (1 + len(shape)), dtype),
        )

    def _apply_to_frame(self, function, shape, dtype):
        import pandas as pd

        if shape:
            meta = pd.DataFrame({f"kmeans{k}": np.empty(0, dtype) for k in range(shape[0])})
        else:
            meta = pd.Series(np.empty(0, dtype), name="label")
        return self.features.map_partitions(_of_partition, function, meta, meta=meta)


class _Gathered:
    """What futures hold, waited for on a thread of its own: a worker that dies before it has sent an answer may take long to be missed."""

    def __init__(self, client):
        self._client, self.came = client, Event()
        self._found = self._error = None

    def begin(self, futures):
        """Wait for these."""
        Thread(target=self._wait, args=(futures,), name="ckmeans-dask", daemon=True).start()

    def _wait(self, futures):
        try:
            self._found = self._client.gather(futures)
        except BaseException as error:
            self._error = error
        finally:
            self.came.set()

    def taken(self):
        """The answers, once they came."""
        if self._error is not None:
            raise self._error
        return self._found


class _Cluster:
    """As Crew, of the workers of a cluster: a call that one of them has lost is made on another."""

    def __init__(self, client):
        self._client, self.width = client, 2 * max(1, sum(client.nthreads().values()))

    def __enter__(self):
        self._futures = []
        return self

    def submit(self, function, *args):
        """As of Crew."""
        self._futures = [future for future in self._futures if not future.done()]
        self._futures.append(self._client.submit(function, *args, pure=False))
        return self._futures[-1]

    def __exit__(self, *exception):
        self._client.cancel([future for future in self._futures if not future.done()])


def _client():
    """The client of the cluster that is in use, or None."""
    try:
        from distributed import get_client
    except ImportError:
        return None
    try:
        return get_client()
    except ValueError:
        return None


# ---- tasks ----


def _description(block, weights, number):
    X = _block(block, f"block {number}")
    if weights is not None and len(weights) != len(X):
        raise ValueError(
            f"block {number} has {len(X)} rows and {len(weights)} weights: give one weight for each row."
        )
    return len(X), X.shape[1], X.dtype.str


def _block(block, where):
    """A block of an array, or of a frame."""
    if hasattr(block, "columns"):
        kinds = {str(kind) for kind in block.dtypes}
        for name, kind in block.dtypes.items():
            if kind.kind not in "biuf":
                raise ValueError(f"column {name!r} holds {kind}, not numbers: drop it, or encode it.")
        block = block.to_numpy(dtype=np.float32 if kinds == {"float32"} else np.float64, na_value=np.nan)
    return as_floats(block, where)


def _piece(block, weights, start, stop, whole, number):
    X = _block(block, f"block {number}")
    weights = None if weights is None else np.asarray(weights, dtype=np.float64)
    if whole and len(X) != stop - start or len(X) < stop:
        raise parts.ChangedError(
            f"block {number} has {len(X)} rows, and had others before: X must give the same rows in each pass; persist it."
        )
    return X[start:stop], None if weights is None else np.ascontiguousarray(weights[start:stop])


def _joined(pieces, weights):
    """The rows of a part, and weights or None."""
    X = pieces[0][0] if len(pieces) == 1 else np.concatenate([X for X, _ in pieces])
    if pieces[0][1] is not None:
        weights = np.concatenate([own for _, own in pieces])
    return np.ascontiguousarray(X), weights


def _itself(question):
    return question


def _ask(place, own, common, data, question=None):
    frame, question, args, room = common or question
    return parts.perform(*place, lambda: data, frame, question, *own, *args, **room)


def _memory_left(dask_scheduler):
    left = []
    for worker in dask_scheduler.workers.values():
        if worker.memory_limit:
            most = max(0, FULL * worker.memory_limit - PROCESS)
            left.append((max(most * LEAST, most - worker.nbytes), worker.nthreads))
    return left


def _forget_everywhere(client, token):
    with suppress(Exception):  # the cluster may be gone by now, and what is kept with it
        client.run(_forget, token, wait=False, on_error="ignore")


async def _forget(token):
    parts.forget(token)


def _added(answers):
    total = answers[0]
    for answer in answers[1:]:
        total = added(total, answer)
    return total


def _of_block(X, function):
    return function(as_floats(X, "a block"), 0, len(X))


def _of_partition(frame, function, meta):
    import pandas as pd

    found = function(_block(frame, "a partition"), 0, len(frame))
    if found.ndim == 2:
        return pd.DataFrame(found, columns=meta.columns, index=frame.index)
    return pd.Series(found, name=meta.name, index=frame.index)
