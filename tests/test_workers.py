"""The threads that run the kernels: every block once, and nothing begun after a failure or when the time is up."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import joblib
import numpy as np
import pytest

from ckmeans import KMeans, workers
from ckmeans.workers import Expired, Workers, available_cpus, split


def test_split_covers_every_item_once():
    for n, size in [(0, 3), (1, 3), (3, 3), (10, 3), (7, 100)]:
        parts = split(n, size)
        assert [i for start, stop in parts for i in range(start, stop)] == list(range(n))
        assert all(stop - start <= size for start, stop in parts)


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_every_block_is_run_once(n_threads):
    done = []
    with Workers(n_threads) as workers:
        for n in (0, 1, 2, 50):
            workers.run(lambda *block: done.append(block), split(n, 1))
            assert sorted(done) == split(n, 1)
            done.clear()


@pytest.mark.parametrize("failing", ["caller", "helper"])
def test_nothing_is_begun_after_a_failure(failing):
    begun = []

    def kernel(start, stop):
        begun.append(start)
        sleep(0.01)
        if (threading.current_thread() is threading.main_thread()) == (failing == "caller"):
            raise ZeroDivisionError(start)

    with Workers(2) as workers, pytest.raises(ZeroDivisionError):
        workers.run(kernel, split(1000 if failing == "caller" else 50, 1))
    assert len(begun) < 10 if failing == "caller" else len(begun) == 50


@pytest.mark.parametrize("n_threads", [1, 3])
def test_time_that_is_up(n_threads):
    begun = []
    with Workers(n_threads, seconds=0.05) as workers, pytest.raises(Expired):
        workers.run(lambda *block: (begun.append(block), sleep(0.02)), split(1000, 1))
    assert 0 < len(begun) < 100


# ---- no more threads than there are processors for ----


class Crowd:
    """A kernel that notes how many threads are in it."""

    def __init__(self):
        self.inside, self.noted, self.lock = 0, [], threading.Lock()

    def __call__(self, start, stop):
        with self.lock:
            self.inside += 1
            self.noted.append(self.inside)
        sleep(0.005)
        with self.lock:
            self.inside -= 1


def crowded(n_callers, n_threads):
    """How many threads work at a time, most of the time, for calls from some threads at once."""
    kernel = Crowd()

    def call(_):
        with Workers(n_threads) as own:
            for _ in range(4):
                own.run(kernel, split(20, 1))

    with ThreadPoolExecutor(n_callers) as pool:
        list(pool.map(call, range(n_callers)))
    assert len(kernel.noted) == 80 * n_callers
    return np.quantile(kernel.noted, 0.9)


def test_calls_at_the_same_time_share_the_processors(monkeypatch):
    monkeypatch.setattr(workers, "available_cpus", lambda: 4)
    assert crowded(1, None) == 4
    assert crowded(2, None) <= 5  # a caller comes while helpers of another are in a block
    assert crowded(4, None) <= 5
    assert crowded(8, None) <= 8
    assert crowded(3, 3) >= 6  # what is asked for is what one gets
    assert not workers._running


def test_threads_are_counted_out_after_a_failure():
    with Workers(3) as own, pytest.raises(ZeroDivisionError):
        own.run(lambda start, stop: 1 / 0, split(10, 1))
    assert not workers._running


@pytest.mark.parametrize("value, most", [("1", 1), ("3,2", 3), ("", 8), ("0", 8), ("many", 8), (" 2 ", 2)])
def test_the_environment_limits_threads(value, most, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(workers, "_quota", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert available_cpus() == most == Workers().n_threads
    assert Workers(5).n_threads == 5


@pytest.mark.parametrize(
    "files, expected",
    [
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "max 100000"}, np.inf),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, np.inf),
        ({}, np.inf),
    ],
)
def test_control_groups_limit_threads(files, expected, tmp_path):
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert workers._quota(tmp_path) == expected


def _in_a_worker(seed):
    X = np.random.default_rng(0).normal(size=(300, 2))
    return available_cpus(), KMeans(3, random_state=seed).fit(X).inertia_


def test_workers_of_joblib_share_the_processors(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(_in_a_worker)(seed) for seed in range(4))
    assert {n for n, _ in found} == {max(1, joblib.cpu_count() // 2)}
    assert [inertia for _, inertia in found] == [_in_a_worker(seed)[1] for seed in range(4)]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_parts_are_added_in_order(n_threads):
    """Texts do not commute; the first block is the last to be done."""
    late = threading.Event()

    def part(n):
        if n == 0 and n_threads > 1:
            late.wait(10)
        if n == 19:
            late.set()
        return [f"{n} ", 1]

    with Workers(n_threads) as workers:
        total = workers.fold(part, [(n,) for n in range(20)], ["", 0])
    assert total == [" ".join(map(str, range(20))) + " ", 20]
