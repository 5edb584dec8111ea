"""The times, measured in a process that was started with its number of threads: one line of JSON for each cell.

A cell is a workload, a kind of data and a dtype. Its contenders take turns, so that whatever else the machine does falls on
all alike. In a round each runs twice from the same start: for a few iterations, and on to the end. Set-up costs cancel in the
difference, which gives the time per iteration; the longer run is the time to convergence.
"""

import gc
import json
import os
import sys
import warnings
from time import perf_counter, process_time, sleep

import numpy as np

from . import check
from .contenders import PLAIN, load
from .workloads import MOST_ITERATIONS, WORKLOADS, make, shrunk

SHORT = 2  # iterations of the shorter run
WINDOW = 12  # iterations of the longer one, where convergence would take more than the user's patience
SCREEN = 6  # a peer whose short run takes this many times the best peer's is not run any longer ...
REPEAT = 1.5  # ... and one whose first longer run does is not run again, where it costs more than ...
CHEAP = 0.1  # ... so many seconds
WARM = 5  # short runs to begin with, for that, the best of which counts, where they are cheap
FILL = 1.0  # seconds of rounds, pauses included, if that makes no more than ...
MOST_ROUNDS = 15  # ... so many
PAUSE = 0.01  # seconds between two runs: idle threads of the last one may still spin


def timed(contender, X, start, n_iter):
    """(Fit, seconds, processor seconds) of one run, without the garbage collector in between."""
    centers = start.copy()  # some write into it
    sleep(PAUSE)
    gc.disable()
    try:
        cpu, begin = process_time(), perf_counter()
        fit = contender.fit(X, centers, n_iter)
        return fit, perf_counter() - begin, process_time() - cpu
    finally:
        gc.enable()


class Cell:
    """The runs of all contenders on one data set.

    Parameters
    ----------
    workload, kind, dtype : Workload, str, str
    contenders : list of Contender
    runs : int
        Rounds, at least.
    patience : float
        Seconds that the best peer may take to convergence; beyond that nobody is run further than WINDOW iterations.
    crashed : dict of str to str
        Contenders that took the process with them when this cell was tried before.
    announce : callable(name)
        Is told who runs next for the first time.
    """

    def __init__(self, workload, kind, dtype, contenders, runs, patience, crashed, announce):
        self.workload, self.kind, self.dtype = workload, kind, dtype
        self.runs, self.announce = runs, announce
        self.X, self.start = make(workload, kind, dtype)
        self.entries = {
            c.name: {"plain": c.plain, "ours": c.ours, "short": [], "long": [], "cores": []}
            for c in contenders
        }
        for name, reason in crashed.items():
            self.entries[name]["status"] = reason
        self.contenders = [c for c in contenders if c.name not in crashed and dtype in c.dtypes]
        for c in contenders:
            if dtype not in c.dtypes:
                self.entries[c.name]["status"] = f"{' and '.join(c.dtypes)} only"
        self.reference = self._reference()
        converged = self.reference.n_iter < MOST_ITERATIONS[kind]
        self.to_the_end = self._affordable(patience)
        self.n_iter = self.reference.n_iter if self.to_the_end else min(WINDOW, self.reference.n_iter)
        if not self.to_the_end:
            self.reference = self._plain().fit(self.X, self.start.copy(), self.n_iter)
        self.short = max(1, min(SHORT, self.n_iter - 1))
        self.head = {
            "workload": workload._asdict(),
            "data": kind,
            "dtype": dtype,
            "short": self.short,
            "n_iter": self.n_iter,
            "to_the_end": self.to_the_end,
            "converged": converged and self.to_the_end,
        }

    def _plain(self):
        return next(c for c in self.contenders if c.name == PLAIN)

    def _reference(self):
        """Plain Lloyd of ours, whose labels are looked at by brute force."""
        return self._plain().fit(self.X, self.start.copy(), MOST_ITERATIONS[self.kind])

    def _affordable(self, patience):
        """Whether the fastest peer gets to the end in that time, at the pace of a short run (or of ours, alone)."""
        if patience == np.inf:
            return True
        quick = [c for c in self.contenders if not c.ours and not c.name.startswith("mlpack")]
        paces = []
        for contender in quick or [self._plain()]:
            self.announce(contender.name)
            paces.append(min(timed(contender, self.X, self.start, SHORT)[1] for _ in range(2)) / (SHORT + 1))
        return min(paces) * self.reference.n_iter <= patience

    def measure(self):
        """All rounds, and what the results are worth; returns the record."""
        paces = {c.name: self._warm(c) for c in self.contenders}
        alive = self._worthwhile(paces, SCREEN)
        for c in alive:
            self._round(c)
        first = {c.name: max(self.entries[c.name]["long"], default=np.inf) for c in alive}
        alive = self._worthwhile(first, REPEAT, CHEAP)
        used = sum(
            2 * PAUSE + sum(self.entries[c.name]["short"] + self.entries[c.name]["long"]) for c in alive
        )
        n_rounds = max(self.runs, min(MOST_ROUNDS, int(FILL / used))) if alive else 0
        for turn in range(1, n_rounds):
            begin = turn % len(alive)
            for c in alive[begin:] + alive[:begin]:
                self._round(c)
        return {**self.head, "contenders": self.entries, "exactness": self._counters()}

    def _warm(self, contender):
        """Let the contender load what it loads at its first call; the best time of a few short runs."""
        self.announce(contender.name)
        times = []
        while len(times) < WARM and sum(times) < CHEAP:
            took = self._run(contender, self.short)
            if took is None:
                return np.inf
            times.append(took[1])
        return min(times)

    def _round(self, contender):
        """A short run and a long one."""
        entry = self.entries[contender.name]
        short, long = self._run(contender, self.short), self._run(contender, self.n_iter)
        if short is None or long is None:
            return
        fit, seconds, cpu = long
        entry["short"].append(_rounded(short[1]))
        entry["long"].append(_rounded(seconds))
        entry["cores"].append(round(cpu / seconds, 2))
        if len(entry["long"]) == 1:
            self._judge(contender, fit, entry)

    def _run(self, contender, n_iter):
        """(Fit, seconds, processor seconds), or None where it fails."""
        entry = self.entries[contender.name]
        if entry.get("status", "").startswith("failed"):
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "did not converge" is what was asked for
                return timed(contender, self.X, self.start, n_iter)
        except Exception as error:
            entry["status"] = f"failed: {type(error).__name__}: {error}"
            return None

    def _judge(self, contender, fit, entry):
        """Look at the result, of the first run of each contender; runs of ours must have the bits of the reference."""
        verdict = check.judge(self.X, fit, self.reference)
        entry["status"] = verdict.status
        entry["n_iter"] = fit.n_iter
        entry["labels_differ"] = verdict.labels_differ
        entry["inertia_error"] = verdict.inertia_error
        entry["reported_error"] = verdict.reported_error
        if contender.ours:
            entry["faults"] = check.own_faults(self.X, fit, self.reference)
            if entry["faults"]:
                entry["status"] = "wrong"

    def _worthwhile(self, times, factor, cheap=0):
        """Those who go on: ours, and the peers that are not far behind the best peer, or cheap."""
        # Plain ones are measured against the best plain peer, with which times per iteration are compared.
        best = {
            plain: min(
                (
                    times[c.name]
                    for c in self.contenders
                    if c.name in times and not c.ours and c.plain >= plain and self._valid(c)
                ),
                default=np.inf,
            )
            for plain in (False, True)
        }
        alive = []
        for c in self.contenders:
            took = times.get(c.name, np.inf)
            if c.ours or took <= max(cheap, factor * best[c.plain]):
                alive.append(c)
            elif took < np.inf:
                self.entries[c.name].setdefault("status", f"slow: {took / best[c.plain]:.1f} x the best peer")
        return [c for c in alive if self._valid(c)]

    def _valid(self, contender):
        return self.entries[contender.name].get("status", "same") in ("same", "rounding")

    def _counters(self):
        """Shares of distances computed and of labels decided by exact comparison, of the default algorithm."""
        from ckmeans.restarts import local_search

        solution = local_search(
            self.X,
            len(self.start),
            init=self.start.astype(np.float64),
            n_init=1,
            max_iter=self.n_iter,
            polish=False,
        )
        return {
            "computed_share": _rounded(solution.computed_share),
            "doubtful_share": _rounded(solution.doubtful_share),
        }


def _rounded(value):
    return float(f"{value:.5g}")


def peak(dtype):
    """Multiply-adds that NumPy's matrix product does at best, in GFLOP/s: two operations each."""
    size = 1024
    a = np.random.default_rng(0).random((size, size)).astype(dtype)
    a @ a
    times = []
    for _ in range(10):
        begin = perf_counter()
        a @ a
        times.append(perf_counter() - begin)
    return _rounded(2 * size**3 / min(times) / 1e9)


def main(settings, out):
    """Measure the cells that the settings name, a record each as soon as it is there."""

    def write(**record):
        out.write(json.dumps(record) + "\n")
        out.flush()

    contenders, missing = load(settings["threads"], settings["only"])
    write(event="loaded", missing=missing, peak={dtype: peak(dtype) for dtype in ("float32", "float64")})
    workloads = {w.name: w for w in WORKLOADS}
    for key in settings["cells"]:
        name, kind, dtype = key
        write(event="cell", cell=key)
        cell = Cell(
            shrunk(workloads[name], settings["shrink"]), kind, dtype, contenders, settings["runs"],
            settings["patience"], settings["crashed"].get("|".join(key), {}),
            lambda name: write(event="runs", contender=name),
        )  # fmt: skip
        write(event="done", cell=key, record={**cell.measure(), "threads": settings["threads"]})
    if settings["iris"]:
        from .iris import measure

        for dtype in ("float32", "float64"):
            write(event="iris", record={**measure(contenders, dtype), "threads": settings["threads"]})


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a contender prints is not ours
    main(json.loads(sys.argv[1]), channel)
