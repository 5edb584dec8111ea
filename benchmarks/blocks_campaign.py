"""Kills workers while a clustering is under way, and compares the result with that of one array, to the bit.

    python -m benchmarks.blocks_campaign [--on dask] [--times 20] [--rows 32768] [--moments certify]

Each time a worker of a local cluster of two, of Dask or of Ray, gets signal 9: at the start, in the first, a middle or the last
iteration, or while groups are bounded by certify; or (of Dask) a third one is added in a middle iteration. Every result has to have the bits of one
array, and none may take longer than --patience seconds. `--times 1` is a short cut.
"""

import argparse
import multiprocessing
import os
import signal
import warnings
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from time import monotonic, sleep

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ckmeans import KMeans, certify
from ckmeans.blocks import sources

MOMENTS = ("start", "first", "middle", "last", "certify", "added")
# Iterations of a clustering.
MOST_STEPS = 12
# Seconds after a question was sent: its tasks are on their way, or at work.
SENT = 0.05


def data(n, d=8, k=20):
    """Blobs."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)) + rng.uniform(-2, 2, (k, d))[rng.integers(k, size=n)], k


class Dask:
    """Two workers: one that was killed is begun anew."""

    def __init__(self):
        import dask
        from distributed.utils import get_mp_context

        from ckmeans.blocks import dask_blocks

        dask_blocks.PART_BYTES = sources.PART_BYTES
        # Workers are forked from a process that has loaded what they need: they begin in a moment.
        # On a busy machine that may be long, and a local cluster gives up a worker that is away for 15 s.
        away = {"distributed.deploy.lost-worker-timeout": "1 hour"}
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver", **away})
        get_mp_context()
        modules = ["distributed", "dask.array", "ckmeans.blocks.dask_blocks", "ckmeans.proofs.certification"]
        multiprocessing.set_forkserver_preload(modules)
        self.asking = dask_blocks.DaskBlocks, "_compute"

    @contextmanager
    def cluster(self):
        """Use it for one moment."""
        from distributed import Client, LocalCluster

        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(**options) as self._cluster, Client(self._cluster) as self._client:
            yield

    def ready(self):
        """Have two workers."""
        self._cluster.scale(2)
        while len(self._client.scheduler_info(n_workers=-1)["workers"]) != 2:
            sleep(0.05)

    def pids(self):
        """The processes at work."""
        return sorted(self._client.run(os.getpid).values())

    def more(self):
        """One more worker."""
        self._cluster.scale(3)

    @staticmethod
    def rows(X, n_blocks):
        """The rows in blocks."""
        import dask.array as da

        return da.from_array(X, chunks=(len(X) // n_blocks, X.shape[1]))

    @staticmethod
    def labels(found):
        """The labels as an array."""
        return found.labels_.compute()


class Ray:
    """The workers of one cluster: Ray begins those anew that died."""

    def __init__(self):
        import logging

        import ray

        from ckmeans.blocks import ray_blocks

        quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": False}
        # Of a machine that is busy.
        patient = {"health_check_failure_threshold": 1000, "agent_register_timeout_ms": 600_000}
        ray.init(num_cpus=2, object_store_memory=200 << 20, _system_config=patient, **quiet)
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        self.asking = ray_blocks.RayBlocks, "_gather"

    @contextmanager
    def cluster(self):
        """Use it for one moment."""
        yield

    def ready(self):
        """Ray sees to that itself."""

    def pids(self):
        """The processes at work."""
        import psutil

        found = {}
        for process in psutil.Process().children(recursive=True):
            try:
                name = " ".join(process.cmdline())
            except psutil.Error:  # it has just died
                continue
            if name.startswith("ray::") and "Agent" not in name:
                found.setdefault("_Worker" in name or "bound" in name, []).append(process.pid)
        return found.get(True) or found.get(False, [])

    @staticmethod
    def rows(X, n_blocks):
        """The rows in blocks."""
        import ray

        return ray.data.from_numpy(np.array_split(X, n_blocks))

    @staticmethod
    def labels(found):
        """The labels as an array."""
        return found.labels_.to_pandas()["label"].to_numpy()


class Event:
    """What happens once: a worker is killed, or one is added, while a question of this number of the kind that counts is answered."""

    def __init__(self, way, moment, n_steps, which):
        self.way, self.moment, self.which = way, moment, which
        self.at = {"start": 0, "first": 0, "last": n_steps - 1}.get(moment, n_steps // 2)
        self.question = "survey" if moment == "start" else "step"
        self.n, self.happened = 0, False

    def asked(self, question):
        """A question is on its way."""
        if question == self.question:
            self.n += 1
            if self.n == self.at + 1:
                Timer(SENT, self.happen).start()

    def happen(self):
        """Now."""
        if self.moment == "added":
            self.way.more()
        elif pids := self.way.pids():
            os.kill(pids[self.which % len(pids)], signal.SIGKILL)
        else:
            return
        self.happened = True


@contextmanager
def watched(way, event):
    """Tell the event what is asked."""
    kind, name = way.asking
    questions = {what: getattr(kind, what) for what in ("ask", "total")}
    compute, asked = getattr(kind, name), []

    def noting(before):
        def ask(self, question, *args, **own):
            asked.append(question.__name__)
            return before(self, question, *args, **own)

        return ask

    def telling(self, tasks):
        if asked:
            event.asked(asked.pop())
            asked.clear()
        return compute(self, tasks)

    for what, before in questions.items():
        setattr(kind, what, noting(before))
    setattr(kind, name, telling)
    try:
        yield
    finally:
        for what, before in questions.items():
            setattr(kind, what, before)
        setattr(kind, name, compute)


def certified(rows, kmeans, folder, progress=None):
    """Cost, bound and files of a certificate."""
    given = {"time_limit": None, "gap": 0.1, "n_threads": 1, "progress": progress}
    found = certify(rows, kmeans, folder=folder, **given)
    files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return found.exact_inertia, found.exact_lower_bound, files


class Fit:
    """A clustering of all rows."""

    def __init__(self, n):
        self.X, self.k = data(n)
        self.expected = self.model().fit(self.X)

    def model(self):
        return KMeans(self.k, init=self.X[: self.k], polish=False, max_iter=MOST_STEPS)

    def once(self, way, moment, which):
        """Whether the bits are the same, and whether it happened."""
        event = Event(way, moment, self.expected.n_iter_, which)
        with watched(way, event):
            found = self.model().fit(way.rows(self.X, 6))
        same = found.cluster_centers_.tobytes() == self.expected.cluster_centers_.tobytes()
        same &= (found.inertia_, found.n_iter_) == (self.expected.inertia_, self.expected.n_iter_)
        return same and np.array_equal(way.labels(found), self.expected.labels_), event.happened


class Proof:
    """A certificate of some rows, while a worker dies after five groups."""

    def __init__(self, n):
        self.X = data(n)[0][:: max(1, n // 800)].copy()
        self.kmeans = KMeans(4, random_state=0).fit(self.X)
        with TemporaryDirectory() as folder:
            self.expected = certified(self.X, self.kmeans, folder)

    def once(self, way, moment, which):
        """Whether the bits are the same, and whether it happened."""
        event, told = Event(way, moment, 0, which), []

        def progress(*_):
            told.append(0)
            if len(told) == 5:
                event.happen()

        with TemporaryDirectory() as folder:
            same = certified(way.rows(self.X, 5), self.kmeans, folder, progress) == self.expected
        return same, event.happened


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", choices=("dask", "ray"), default="dask")
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--rows", type=int, default=32_768)
    parser.add_argument("--moments", nargs="*", choices=MOMENTS)
    parser.add_argument("--patience", type=float, default=300.0)
    given = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # the iterations are as many as asked for
    moments = given.moments or (MOMENTS if given.on == "dask" else MOMENTS[:-1])
    sources.PART_BYTES = 1 << 18  # some parts for each worker
    way, works, n_wrong = {"dask": Dask, "ray": Ray}[given.on](), {}, 0
    for moment in moments:
        kind = Proof if moment == "certify" else Fit
        if kind not in works:
            works[kind] = kind(given.rows)
        work = works[kind]
        with way.cluster():
            for number in range(given.times):
                way.ready()
                began = monotonic()
                try:
                    same, happened = work.once(way, moment, number)
                    said = "same bits" if same else "OTHER bits"
                except Exception as error:
                    same, happened, said = False, False, f"{type(error).__name__}: {error}"
                seconds = monotonic() - began
                n_wrong += not same or not happened or seconds > given.patience
                print(f"{moment:7} {number:3}: {said}, it happened: {happened}, {seconds:.1f} s", flush=True)
    print(f"{n_wrong} of {len(moments) * given.times} went wrong")
    return n_wrong > 0


if __name__ == "__main__":
    raise SystemExit(main())
