"""One data set, all contenders: who runs how often, and what each result is worth.

They take turns, so that whatever else the machine does falls on all alike. Algorithms that compute every distance run twice in
a round, for a few iterations and for some more, from the same start: set-up cancels in the difference, which gives the time
per iteration. Those that may be the fastest to converge run to the end too. A peer far behind the best one runs less often: it
can not become the best one.
"""

import gc
import math
from time import perf_counter, process_time, sleep

import numpy as np

from . import check
from .contenders import DEFAULT, PLAIN
from .results import VALID
from .workloads import make

# Iterations of the shorter run, and how many more the longer one makes at least.
SHORT, SPAN = 2, 10
# Seconds that the additional iterations of the longer run take ours, at least.
LEAST = 0.05
# A peer whose short run takes this many times as long as the best peer's makes no longer run.
SCREEN = 4
# A contender runs only once where it takes more than CHEAP seconds and more than REPEAT times as long as the best peer.
REPEAT, CHEAP = 1.25, 0.05
# At most this many short runs come first, until they have taken CHEAP seconds together; the best one counts.
WARM = 5
# Where rounds take long, there are only as many as fit into so many seconds, or one.
LONGEST = 300.0
# Rounds are repeated for this many seconds, pauses included, but not more than MOST_ROUNDS times unless `runs` asks for it.
FILL, MOST_ROUNDS = 1.0, 15
# Seconds between two runs: idle threads of the last one may still spin.
PAUSE = 0.01


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
    """The runs on one data set.

    Parameters
    ----------
    workload, kind, dtype : Workload, str, str
    contenders : list of Contender
    runs : int
        Rounds, at least.
    patience : float
        Seconds that the best peer may take to the end; where it needs more, nobody runs to the end.
    most : int
        Iterations after which the end is declared.
    crashed : dict of str to str
        Contenders that took the process with them when this cell was tried before.
    announce : callable(name)
        Is told who runs next for the first time.
    """

    def __init__(self, workload, kind, dtype, contenders, runs, patience, most, crashed, announce):
        self.workload, self.kind, self.dtype = workload, kind, dtype
        self.runs, self.patience, self.announce = runs, patience, announce
        self.X, self.start = make(workload, kind, dtype)
        most = min(most, workload.most or most)
        self.entries, self.contenders, self.ends = {}, [], True
        for c in contenders:
            entry = {"plain": c.plain, "ours": c.ours, "short": [], "window": [], "end": [], "cores": []}
            if dtype not in c.dtypes:
                entry["status"] = f"{' and '.join(c.dtypes)} only"
            elif c.most_features is not None and workload.n_features > c.most_features:
                entry["status"] = "few features only"
            elif c.name in crashed:
                entry["status"] = crashed[c.name]
            else:
                self.contenders.append(c)
            self.entries[c.name] = entry
        plain = next(c for c in contenders if c.name == PLAIN)
        self.reference = plain.fit(self.X, self.start.copy(), most)
        self.n_iter, self.converged = self.reference.n_iter, self.reference.n_iter < most
        self.short = max(1, min(SHORT, self.n_iter - 1))
        few, more = (
            min(timed(plain, self.X, self.start, self.short + i)[1] for _ in range(3)) for i in (0, 2)
        )
        span = max(SPAN, math.ceil(LEAST / max((more - few) / 2, 1e-6)))
        self.window = min(self.short + span, self.n_iter)
        self.middle = self.reference
        if self.window < self.n_iter:
            self.middle = plain.fit(self.X, self.start.copy(), self.window)

    def measure(self):
        """All rounds, and what the results are worth; returns the record."""
        paces = {c.name: self._warm(c) for c in self.contenders}
        alive = self._near(self.contenders, paces, SCREEN)
        for c in self.contenders:
            if c not in alive:
                self.entries[c.name].setdefault("status", f"slow: {paces[c.name]:.2g} s for a short run")
        first = self._round(alive, [])
        plain = [c for c in alive if c.plain]
        windows = {c.name: max(self.entries[c.name]["window"], default=np.inf) for c in plain}
        plain = self._near(plain, windows, REPEAT, CHEAP)
        # Plain ones keep their pace to the end; the others may become faster on the way.
        best = min((windows[c.name] for c in plain if not c.ours), default=min(windows.values(), default=0))
        self.ends = best / self.window * self.n_iter <= self.patience
        ending = [c for c in alive if not c.plain or c in plain] if self.ends else []
        took = first + self._round([], ending)
        last = {c.name: max(self.entries[c.name]["end"], default=np.inf) for c in ending}
        ending = self._near(ending, last, REPEAT, CHEAP)
        wanted = min(self.runs, max(1, int(LONGEST / took)))
        n_rounds = max(wanted, min(MOST_ROUNDS, int(FILL / took)))
        for turn in range(1, n_rounds):
            self._round(plain, ending, turn)
        return {
            "workload": self.workload._asdict(),
            "data": self.kind,
            "dtype": self.dtype,
            "short": self.short,
            "window": self.window,
            "n_iter": self.n_iter,
            "converged": self.converged,
            "to_the_end": self.ends,
            "contenders": self.entries,
            "exactness": self._counters(),
        }

    def _near(self, group, times, factor, cheap=0):
        """Ours by default and plain, and contenders that are cheap or not far behind the best peer."""
        # Plain ones are held against the best plain peer: times per iteration are compared among them.
        best = {
            plain: min((times[c.name] for c in group if not c.ours and c.plain >= plain), default=np.inf)
            for plain in (False, True)
        }
        return [
            c
            for c in group
            if self._valid(c)
            and (c.name in (DEFAULT, PLAIN) or times[c.name] <= max(cheap, factor * best[c.plain]))
        ]

    def _round(self, plain, ending, turn=0):
        """A short and a longer run of the plain ones, a run to the end of the others; returns the seconds it took."""
        begin = perf_counter()
        both = list(dict.fromkeys([*plain, *ending]))
        first = turn % max(1, len(both))
        for c in both[first:] + both[:first]:
            entry = self.entries[c.name]
            if c in plain and c.plain:
                # Its memory is at hand then, for both: else the short run may take longer than the other.
                self._run(c, self.short)
                pair = self._run(c, self.short), self._run(c, self.window)
                if None not in pair:
                    entry["short"].append(rounded(pair[0][1]))
                    self._take(c, pair[1], "window", self.middle)
            if c in ending and self.window == self.n_iter and c.plain:
                entry["end"] = entry["window"]
            elif c in ending and (run := self._run(c, self.n_iter)) is not None:
                self._take(c, run, "end", self.reference)
        return perf_counter() - begin

    def _warm(self, contender):
        """Let the contender load what it loads at its first call; the best time of a few short runs."""
        self.announce(contender.name)
        times = []
        while len(times) < WARM and sum(times) < CHEAP:
            run = self._run(contender, self.short)
            if run is None:
                return np.inf
            times.append(run[1])
        return min(times)

    def _run(self, contender, n_iter):
        """(Fit, seconds, processor seconds), or None where it fails."""
        entry = self.entries[contender.name]
        if entry.get("status", "").startswith("failed"):
            return None
        try:
            return timed(contender, self.X, self.start, n_iter)
        except Exception as error:
            entry["status"] = f"failed: {type(error).__name__}: {error}"
            return None

    def _take(self, contender, run, which, reference):
        """Note a time, and look at the result of the first run of each kind."""
        fit, seconds, cpu = run
        entry = self.entries[contender.name]
        entry[which].append(rounded(seconds))
        if len(entry[which]) > 1:
            return
        verdict = check.judge(self.X, fit, reference)
        faults = check.own_faults(self.X, fit, reference) if contender.ours else []
        entry["cores"].append(round(cpu / seconds, 2))
        entry.setdefault("faults", []).extend(faults)
        status = "wrong" if faults else verdict.status
        if VERDICTS.index(status) >= VERDICTS.index(entry.get("status", "same")):
            entry["status"] = status
            entry["n_iter"] = [fit.n_iter, reference.n_iter]
            for key in ("labels_differ", "inertia_error", "reported_error"):
                value = getattr(verdict, key)
                entry[key] = value if value is not None and np.isfinite(value) else None

    def _valid(self, contender):
        return self.entries[contender.name].get("status", "same") in VALID

    def _counters(self):
        """Shares of distances computed and of labels decided by exact comparison, of the default algorithm."""
        from ckmeans.local.search import local_search

        start = self.start.astype(np.float64)
        solution = local_search(self.X, len(start), init=start, n_init=1, max_iter=self.n_iter, polish=False)
        return {key: rounded(getattr(solution, key)) for key in ("computed_share", "doubtful_share")}


VERDICTS = (*VALID, "different", "wrong")  # from good to bad


def rounded(value):
    """Five digits: more than a time deserves."""
    return float(f"{value:.5g}")
