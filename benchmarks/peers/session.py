"""One run of the command: starts the processes that measure, and keeps what they report."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

from . import table
from .contenders import thread_environment
from .growth import SIZES
from .machine import describe, load_average
from .memory import CASES, SHOWN
from .workloads import FULL_ITERATIONS, MOST_ITERATIONS, WORKLOADS

ROOT = Path(__file__).parents[2]
FORMAT = 1
PARTS = ("cells", "iris", "approximate", "memory", "growth")
# Seconds in which the best peer has to converge on other numbers of threads than the first; else nobody runs to the end.
PATIENCE = 1.0


class Session:
    """What is to be measured, and what was.

    Parameters
    ----------
    plan : dict
    path : Path or None
        Where the results are written, after each cell.
    known : dict or None
        Results to go on from.
    """

    def __init__(self, plan, path=None, known=None):
        self.plan, self.path = plan, path
        self.workloads = {workload.name: workload for workload in WORKLOADS}
        self.results = {part: [] for part in PARTS} | (
            known or {"format": FORMAT, "plan": plan, "machine": describe(), "missing": {}, "peak": {}}
        )

    def run(self):
        """All parts of the plan; returns the results."""
        for n_threads in self.plan["threads"]:
            if {"cells", "iris"} & set(self.plan["parts"]):
                self.times(n_threads)
        if "approximate" in self.plan["parts"]:
            self.approximate()
        if "memory" in self.plan["parts"]:
            self.memory()
        if "growth" in self.plan["parts"]:
            self.growth()
        self.results["machine"]["load_at_end"] = load_average()
        self.keep()
        return self.results

    def keep(self):
        """Write what there is, so that nothing is lost when the run is cut off."""
        if self.path:
            scratch = self.path.with_name(self.path.name + ".part")
            scratch.write_text(json.dumps(self.results, indent=1) + "\n", encoding="utf-8")
            scratch.replace(self.path)

    def child(self, module, n_threads, *given):
        """A process with its number of threads: yields the records that it writes.

        Raises
        ------
        subprocess.CalledProcessError
            If it fails.
        """
        quiet = "-Wignore"  # "did not converge" is what was asked for
        command = [sys.executable, quiet, "-m", f"benchmarks.peers.{module}", *map(str, given)]
        environment = thread_environment(n_threads)
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            try:
                yield from map(json.loads, process.stdout)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)

    def left(self, n_threads):
        """Cells not measured yet: noise on the first number of threads only, unless all is asked for."""
        plan = self.plan
        everything = plan["full"] or n_threads == plan["threads"][0]
        had = [
            [cell["workload"]["name"], cell["data"], cell["dtype"]]
            for cell in self.results["cells"]
            if cell["threads"] == n_threads
        ]
        wanted = [
            [name, kind, dtype]
            for name, dtype in product(plan["workloads"], plan["dtypes"])
            for kind in self.kinds(name, everything)
            if dtype in self.workloads[name].dtypes
        ]
        return [key for key in wanted if key not in had], float("inf") if everything else PATIENCE

    def kinds(self, name, everything):
        """What data are made of the shape of a workload."""
        kinds = self.workloads[name].kinds
        return kinds if everything and not self.plan["first_kinds"] else kinds[:1]

    def times(self, n_threads):
        """The cells and iris on one number of threads. A contender that ends its process loses a cell, not the run."""
        parts, crashed = self.plan["parts"], {}
        most = FULL_ITERATIONS if self.plan["full"] else MOST_ITERATIONS
        while True:
            cells, patience = self.left(n_threads) if "cells" in parts else ([], 0)
            iris = "iris" in parts and all(r["threads"] != n_threads for r in self.results["iris"])
            if not cells and not iris:
                return
            settings = {key: self.plan[key] for key in ("only", "runs", "shrink")}
            settings |= dict(
                threads=n_threads, cells=cells, iris=iris, patience=patience, crashed=crashed, most=most
            )
            cell = running = None
            try:
                for record in self.child("measure", n_threads, json.dumps(settings)):
                    cell, running = record.get("cell", cell), record.get("contender", running)
                    self.take(record, n_threads)
            except subprocess.CalledProcessError as error:
                gone = crashed.setdefault("|".join(cell or ()), {})
                if running is None or running in gone:
                    raise
                gone[running] = f"crashed: exit code {error.returncode}"
                print(f"{running} ended the process ({error}): on without it", file=sys.stderr)

    def approximate(self):
        """Peers with a start of their own, on the first number of threads. One that ends its process loses a workload."""
        n_threads, crashed = self.plan["threads"][0], {}
        settings = {key: self.plan[key] for key in ("only", "runs", "shrink")} | {"threads": n_threads}
        while True:
            had = [[record["workload"]["name"], record["data"]] for record in self.results["approximate"]]
            wanted = [[name, self.workloads[name].kinds[0]] for name in self.plan["workloads"]]
            left = [key for key in wanted if key not in had]
            if not left:
                return
            cell = running = None
            given = json.dumps(settings | {"cells": left, "crashed": crashed})
            try:
                for record in self.child("approximate", n_threads, given):
                    cell, running = record.get("cell", cell), record.get("contender", running)
                    if record["event"] == "loaded":
                        self.results["missing"] |= record["missing"]
                    elif record["event"] == "done":
                        self.results["approximate"].append(record["record"])
                        table.show_approximate(record["record"])
                        self.keep()
            except subprocess.CalledProcessError as error:
                gone = crashed.setdefault("|".join(cell or ()), {})
                if running is None or running in gone:
                    raise
                gone[running] = f"crashed: exit code {error.returncode}"
                print(f"{running} ended the process ({error}): on without it", file=sys.stderr)

    def take(self, record, n_threads):
        """Keep a record of a process that measures."""
        match record["event"]:
            case "loaded":
                self.results["missing"] |= record["missing"]
                self.results["peak"][str(n_threads)] = record["peak"]
            case "done":
                self.results["cells"].append(record["record"])
                table.show_cell(record["record"], self.results["peak"])
                self.keep()
            case "iris":
                self.results["iris"].append(record["record"])
                table.show_iris(record["record"])
                self.keep()

    def memory(self):
        """Peak memory of each contender, in a process of its own."""
        n_threads = self.plan["threads"][0]
        for workload, dtype in CASES[len(self.results["memory"]) :]:
            record = {"workload": workload, "dtype": dtype, "data": None, "extra": {}}
            for name, program in SHOWN.items():
                if self.plan["only"] and program not in ("ckmeans", *self.plan["only"]):
                    continue
                try:
                    for line in self.child(
                        "memory", n_threads, workload, dtype, name, n_threads, self.plan["shrink"]
                    ):
                        record["extra"][name], record["data"] = line["extra"], line["data"]
                except subprocess.CalledProcessError as error:
                    print(f"{name}: no figure for its memory ({error})", file=sys.stderr)
            self.results["memory"].append(record)
            table.show_memory(record)
            self.keep()

    def growth(self):
        """Time against n, d and k: the axes of the plan that are not there yet, an axis whole or not at all."""
        n_threads, shrink = self.plan["threads"][0], self.plan["shrink"]
        for axis in self.plan["axes"]:
            had = [record for record in self.results["growth"] if record["axis"] == axis]
            if had and (shrink != 1 or had[-1][axis] == SIZES[axis][-1]):
                continue
            settings = {"threads": n_threads, "only": self.plan["only"], "axis": axis, "shrink": shrink}
            records = [r["record"] for r in self.child("growth", n_threads, json.dumps(settings))]
            kept = [record for record in self.results["growth"] if record["axis"] != axis]
            self.results["growth"] = kept + [{**record, "threads": n_threads} for record in records]
            table.show_growth(records)
            self.keep()
