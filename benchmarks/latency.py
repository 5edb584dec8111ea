"""How late is Ctrl-C, by how much are time limits overrun, and what do calls do without memory? A table.

    python -m benchmarks.latency [--quick] [--only TEXT] [--part interrupts|limits|memory|commands] [--json FILE]

Every call runs in a process of its own, which reports when it begins and when it has returned; signals are sent to that
process alone, at random moments of the call. A part of the table is late (0.25 s for Ctrl-C, 0.2 s over a limit) or not; on
a busy machine everything is, so measure on an idle one, and look at the median too. Without memory (an address space of so
many MB above what is in use) a call may give a result or raise MemoryError; anything else is told. The exit code is 1 where
something was not as it should be.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

# Seconds that a call may take to answer Ctrl-C, and that it may overrun its time limit.
INTERRUPT, LIMIT = 0.25, 0.2
# Signals come in the first LONGEST seconds of a call; a call that goes on for HANGS seconds is taken to hang.
LONGEST, HANGS = 12.0, 60.0
# Megabytes of address space that calls are left with.
ROOM = [0, 1, 4, 16, 40, 64, 100, 160, 256, 400]
START = """
import os, random, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
from ckmeans import *
rng = np.random.default_rng(0)
{setup}
if {room} >= 0:
    import resource
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + ({room} << 20)
    resource.setrlimit(resource.RLIMIT_AS, (used, used))
begin = time.monotonic()
os.write(1, b"begins %.6f\\n" % begin)
said = "returned"
try:
    {call}
except KeyboardInterrupt:
    said = "KeyboardInterrupt"
except BaseException as error:
    said = type(error).__name__ + ": " + " ".join(str(error).split())[:100]
end = time.monotonic()
os.write(1, b"ends %.6f %s\\n" % (end, said.encode()))
os._exit(0)
"""

# Names, what comes before, and the calls; {n} is a number of rows, and {limit} seconds.
BLOBS = "X = rng.normal(size=({n}, 8)); X[:, 0] += rng.integers(0, 4, {n}) * 5"
NOISE = "X = rng.normal(size=({n}, 64))"
WIDE = "X = rng.normal(size=({n}, 3000))"
CALLS = {
    "KMeans": (50_000, BLOBS, "KMeans(50, n_init=20, random_state=0).fit(X)"),
    "KMeans, small": (300, BLOBS, "KMeans(20, n_init=100_000, random_state=0).fit(X)"),
    "KMeans, many clusters": (3 * 10**5, NOISE, "KMeans(2048, random_state=0).fit(X)"),
    "KMeans, k-means++": (
        3 * 10**5,
        NOISE,
        "KMeans(2048, init='k-means++', n_init=1, random_state=0).fit(X)",
    ),
    "KMeans, k-means||": (
        3 * 10**5,
        NOISE,
        "KMeans(2048, init='k-means||', n_init=1, random_state=0).fit(X)",
    ),
    "KMeans, hybrid": (2000, BLOBS, "KMeans(20, algorithm='hybrid', n_init=50, random_state=0).fit(X)"),
    "natural_breaks": (10**7, "X = rng.normal(size={n})", "natural_breaks(X, 10)"),
    "natural_breaks, weights": (
        3 * 10**6,
        "X = rng.normal(size={n}); w = rng.random({n})",
        "natural_breaks(X, 10, sample_weight=w)",
    ),
    "choose_k": (20_000, BLOBS, "choose_k(X, range(2, 9), random_state=0)"),
    "certify, few rows": (250, BLOBS, "certify(X, n_clusters=4, time_limit=20, random_state=0)"),
    "certify, groups": (30_000, BLOBS, "certify(X, n_clusters=4, time_limit=20, random_state=0)"),
    "certify, matrix": (
        650,
        "X = rng.normal(size=({n}, 20))",
        "certify(X, n_clusters=5, time_limit=30, random_state=0)",
    ),
    "certify, wide": (200, WIDE, "certify(X, n_clusters=3, time_limit=20, random_state=0)"),
    "ExactKMeans": (200, BLOBS, "ExactKMeans(5, time_limit=20, random_state=0).fit(X)"),
    "SphericalMixture": (50_000, BLOBS, "SphericalMixture(20, n_init=5, random_state=0).fit(X)"),
    "exhaustive_search": (24, BLOBS, "exhaustive_search(X, 4)"),
    "partition_posterior": (18, BLOBS, "partition_posterior(X, 4, 1.0)"),
    "landscape": (2000, BLOBS, "landscape(X, 12, random_state=0)"),
}
LIMITS = {
    "KMeans": (200_000, BLOBS, "KMeans(200, n_init=50, max_seconds={limit}, random_state=0).fit(X)"),
    "KMeans, small": (
        1000,
        BLOBS,
        "KMeans(20, n_init=1_000_000, max_seconds={limit}, random_state=0).fit(X)",
    ),
    "SphericalMixture": (
        200_000,
        BLOBS,
        "SphericalMixture(20, n_init=9, max_seconds={limit}, random_state=0).fit(X)",
    ),
    "choose_k": (20_000, BLOBS, "choose_k(X, range(2, 9), random_state=0, time_limit={limit})"),
    "certify, labels": (30_000, BLOBS + "; L = rng.integers(0, 8, {n})", "certify(X, L, time_limit={limit})"),
    "certify, matrix": (
        650,
        "X = rng.normal(size=({n}, 20))",
        "certify(X, n_clusters=5, time_limit={limit})",
    ),
    "certify, wide": (200, WIDE, "certify(X, n_clusters=3, time_limit={limit})"),
    "ExactKMeans": (2000, BLOBS, "ExactKMeans(5, time_limit={limit}).fit(X)"),
    "exhaustive_search": (40, BLOBS, "exhaustive_search(X, 4, time_limit={limit})"),
    "partition_posterior": (25, BLOBS, "partition_posterior(X, 4, 1.0, time_limit={limit})"),
    "landscape": (5000, BLOBS, "landscape(X, 12, random_state=0, max_seconds={limit})"),
}
COMMANDS = {
    "ckmeans fit": ["fit", "x.csv", "-k", "4", "--n-init", "200000"],
    "ckmeans certify": ["certify", "x.csv", "l.csv", "--time-limit", "20"],
    "ckmeans choose": ["choose", "x.csv"],
    "ckmeans landscape": ["landscape", "x.csv", "-k", "9"],
}


class Child:
    """A call in a process of its own."""

    def __init__(self, setup, call, room=-1):
        code = START.format(setup=setup, call=call, room=room)
        # Without a buffer: what is read ahead here would be missing in `end`.
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        begin = self.process.stdout.readline().decode().split()
        self.begin = float(begin[1]) if begin else None

    def end(self, seconds):
        """When it returned, and how; None and what became of it if it did not."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return None, "hangs"
        for line in out.decode().splitlines():
            if line.startswith("ends "):
                return float(line.split()[1]), line.split(" ", 2)[2]
        return None, f"ended by {signal_name(self.process.returncode)}"


def signal_name(code):
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def filled(entry, shrink, **more):
    """What comes before a call, and the call, for a share of the rows."""
    n, *texts = entry
    return [text.replace("{n}", str(max(12, int(n * shrink)))).format(**more) for text in texts]


def interrupts(entry, tries, shrink):
    """How late the call returns after SIGINT at random moments: seconds, or what became of it."""
    setup, call = filled(entry, shrink)
    child = Child(setup, call)
    end, said = child.end(LONGEST)
    whole = LONGEST if said == "hangs" else 0.0 if end is None else end - child.begin
    for _ in range(tries):
        child = Child(setup, call)
        if child.begin is None:
            yield "did not begin"
            continue
        wait = random.uniform(0, whole)
        try:
            child.process.wait(max(0.0, child.begin + wait - time.monotonic()))
            continue  # it was sooner this time
        except subprocess.TimeoutExpired:
            sent = time.monotonic()
            child.process.send_signal(signal.SIGINT)
        end, said = child.end(HANGS)
        fine = said in ("returned", "KeyboardInterrupt")
        yield max(0.0, end - sent) if fine else said


def limits(entry, limit, tries, shrink):
    """By how much the call overruns its limit: seconds, or what became of it."""
    for _ in range(tries):
        child = Child(*filled(entry, shrink, limit=limit))
        end, said = child.end(limit + HANGS)
        yield max(0.0, end - child.begin - limit) if said == "returned" else said


def memory(entry, rooms, shrink):
    """What the call does with so little address space: "returned", "MemoryError", or something worse, for each."""
    for room in rooms:
        said = Child(*filled(entry, shrink), room=room).end(HANGS)[1]
        yield "MemoryError" if said.startswith(("MemoryError", "_ArrayMemoryError")) else said


def commands(args, tries, folder):
    """How late the command ends after SIGINT at random moments from its start on, imports and reading included."""
    for _ in range(tries):
        process = subprocess.Popen(
            [sys.executable, "-m", "ckmeans", *args],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        time.sleep(random.uniform(0.3, 2.0))  # the first of these are Python's own
        if process.poll() is not None:
            process.communicate()
            continue
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            _, error = process.communicate(timeout=HANGS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            yield "runs on"
            continue
        late = time.monotonic() - sent
        yield (
            late
            if process.returncode == 130 and "Traceback" not in error
            else signal_name(process.returncode)
        )


def row(part, name, found, allowed):
    """A line of the table: the median and the worst of what was measured, and how often it was not as it should be."""
    found = list(found)
    seconds = [value for value in found if not isinstance(value, str)]
    words = [value for value in found if isinstance(value, str) and value not in ("returned", "MemoryError")]
    late = sum(value > allowed for value in seconds)
    line = f"{part:11} {name:30} {len(found):4}"
    line += f" {statistics.median(seconds):8.3f} {max(seconds):8.3f}" if seconds else f" {'':8} {'':8}"
    told = [f"{late} late"] * (late > 0)
    told += [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    print(f"{line}  {'ok' if not told else '; '.join(told)}", flush=True)
    return {"part": part, "name": name, "found": found, "ok": not told}


def table(parts, only, tries, shrink, rooms):
    """Measure and print it all; the rows."""
    rows = []
    print(f"{'':11} {'':30} {'n':>4} {'median s':>8} {'worst s':>8}", flush=True)
    for part, calls in (("interrupts", CALLS), ("limits", LIMITS), ("memory", CALLS), ("commands", COMMANDS)):
        if part not in parts:
            continue
        for name, entry in calls.items():
            if only not in name:
                continue
            if part == "interrupts":
                rows.append(row(part, name, interrupts(entry, tries, shrink), INTERRUPT))
            elif part == "limits":
                for limit in (0.0, 0.5, 2.0):
                    rows.append(
                        row(
                            part,
                            f"{name}: {limit} s",
                            limits(entry, limit, max(1, tries // 5), shrink),
                            LIMIT,
                        )
                    )
            elif part == "memory":
                rows.append(row(part, name, memory(entry, rooms, min(shrink, 0.1)), 0.0))
            else:
                with TemporaryDirectory() as folder:
                    lines = [f"{random.gauss(0, 1)},{random.gauss(0, 1)}" for _ in range(3000)]
                    Path(folder, "x.csv").write_text("a,b\n" + "\n".join(lines) + "\n")
                    Path(folder, "l.csv").write_text(
                        "label\n" + "\n".join(str(i % 4) for i in range(3000)) + "\n"
                    )
                    rows.append(row(part, name, commands(entry, tries, folder), INTERRUPT))
    return rows


def main(args=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, and few tries")
    parser.add_argument(
        "--part", choices=("interrupts", "limits", "memory", "commands"), help="only this part"
    )
    parser.add_argument("--only", default="", help="only calls whose names have this in them")
    parser.add_argument("--tries", type=int, help="signals into each call")
    parser.add_argument("--json", help="a file for what was measured")
    options = parser.parse_args(args)
    parts = [options.part] if options.part else ["interrupts", "limits", "memory", "commands"]
    tries = options.tries or (3 if options.quick else 20)
    rooms = ROOM[2::4] if options.quick else ROOM
    rows = table(parts, options.only, tries, 0.1 if options.quick else 1.0, rooms)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(found["ok"] for found in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
