"""The threads that run the kernels: every block once, and nothing begun after a failure or when the time is up."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from children import PATIENCE, interrupted, needs_signals
from clocks import Clock

from ckmeans import KMeans, SphericalKMeans, workers
from ckmeans.local.mixture import critical_variance
from ckmeans.local.rows import Rows
from ckmeans.local.screen8 import Subspace
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


def in_main():
    return threading.current_thread() is threading.main_thread()


def until(event):
    assert event.wait(PATIENCE)


@pytest.mark.parametrize("failing", ["caller", "helper"])
def test_nothing_is_begun_after_a_failure(failing):
    """Both threads are in a block when one fails. The caller begins nothing more and ends the helper; or goes on alone."""
    begun, helped = [], threading.Event()

    def kernel(start, stop):
        begun.append(in_main())
        if in_main():
            until(helped)
            if failing == "caller":
                raise ZeroDivisionError(start)
            return
        helped.set()
        if failing == "helper":
            raise ZeroDivisionError(start)
        with pytest.raises(Expired):  # as soon as the caller has failed
            while not never.wait(0.001):
                workers.check_time()

    never = threading.Event()
    with Workers(2) as workers, pytest.raises(ZeroDivisionError):
        workers.run(kernel, split(50, 1))
    assert sorted(begun) == ([False, True] if failing == "caller" else [False] + [True] * 49)


@needs_signals
def test_a_handler_of_another_signal_that_raises_leaves_no_thread_in_a_block():
    """It raises while the caller waits for a helper, which is in its block for a while yet."""
    told = interrupted(
        """
import threading
from ckmeans.workers import Workers
helped, raised, left = threading.Event(), threading.Event(), []
def kernel(n):
    if threading.current_thread() is threading.main_thread():
        helped.wait()
        return
    helped.set()
    here()
    raised.wait()
    sum(range(3_000_000))
    left.append(n)
def handler(*_):
    raised.set()
    raise ZeroDivisionError
signal.signal(signal.SIGUSR1, handler)
with Workers(2) as workers:
    try:
        workers.run(kernel, [(0,), (1,)])
    except ZeroDivisionError:
        tell(n_left=len(left))
""",
        send=signal.SIGUSR1,
    )
    assert told["n_left"] == 1


@pytest.mark.parametrize("at", range(4))
def test_whatever_raises_in_the_caller_leaves_no_thread_in_a_block(at, monkeypatch):
    """As a handler may do wherever the caller waits, again and again."""

    class RLock:
        def __init__(self):
            self.lock = threading.RLock()
            self.release = self.lock.release

        def acquire(self, blocking=True):
            if in_main():
                seen.append(None)
                if len(seen) <= at:
                    ended.set()
                    raise ZeroDivisionError(len(seen))
            return self.lock.acquire(blocking)

    def kernel(n):
        if in_main():
            until(helped)
            return
        helped.set()
        if at:
            until(ended)
        left.append(n)

    seen, left, helped, ended = [], [], threading.Event(), threading.Event()
    monkeypatch.setattr(workers, "RLock", RLock)
    with Workers(2) as own:
        if at:
            with pytest.raises(ZeroDivisionError, match=str(at)):
                own.run(kernel, [(0,), (1,)])
        else:
            own.run(kernel, [(0,), (1,)])
        assert len(left) == 1 and own.deadline == np.inf and not workers._running
        done = []
        own.run(done.append, [(n,) for n in range(5)])
        assert sorted(done) == list(range(5))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_time_that_is_up(n_threads):
    begun = []
    with Clock(), Workers(n_threads, seconds=20) as workers, pytest.raises(Expired):
        workers.run(lambda *block: begun.append(block), split(1000, 1))
    assert begun == split(1000, 1)[: len(begun)] if n_threads == 1 else len(set(begun)) == len(begun)
    # A look at the clock before each block; what a helper was about to begin when the time was up is left out.
    assert 20 - n_threads <= len(begun) < 20


# ---- no more threads than there are processors for ----


def calls(kernels, n_threads=None, n_blocks=36):
    """Call each of the kernels from a thread of its own."""

    def call(kernel):
        with Workers(n_threads) as own:
            own.run(kernel, split(n_blocks, 1))

    with ThreadPoolExecutor(len(kernels)) as pool:
        for done in [pool.submit(call, kernel) for kernel in kernels]:
            done.result(PATIENCE)
    assert not workers._running


@pytest.mark.parametrize("n_callers, n_threads, n_inside", [(1, None, 4), (1, 3, 3), (3, 3, 9)])
def test_as_many_threads_as_there_are_or_are_asked_for(n_callers, n_threads, n_inside, monkeypatch):
    """No block ends before `n_inside` threads are in one."""
    monkeypatch.setattr(workers, "available_cpus", lambda: 4)
    all_of_them, threads = threading.Barrier(n_inside, timeout=PATIENCE), set()

    def kernel(start, stop):
        threads.add(threading.get_ident())
        all_of_them.wait()

    calls([kernel] * n_callers, n_threads)
    assert len(threads) == n_inside


@pytest.mark.parametrize("n_others", [1, 3, 7])
def test_calls_at_the_same_time_share_the_processors(n_others, monkeypatch):
    """Other calls come while all threads of one are in a block: its helpers leave, and the others have none."""
    monkeypatch.setattr(workers, "available_cpus", lambda: 4)
    lock, inside, most = threading.Lock(), [0], [0]
    full, over = threading.Barrier(4, timeout=PATIENCE), threading.Event()
    come = threading.Semaphore(0)
    firsts, others, done = [], [], []

    def first(start, stop):
        if len(firsts) < 4:
            with lock:
                firsts.append(threading.get_ident())
            full.wait()
            started.set()
            if threading.get_ident() == firsts[0]:
                for _ in range(n_others):
                    assert come.acquire(timeout=PATIENCE)
                shared.set()
            until(shared)
        else:
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with lock:
                inside[0] -= 1
        with lock:
            done.append(start)
            if len(done) == 36:
                over.set()

    def other(start, stop):
        with lock:
            fresh = threading.get_ident() not in others
            others.append(threading.get_ident())
        if fresh:
            come.release()
            until(over)

    started, shared = threading.Event(), threading.Event()

    def call(kernel):
        if kernel is other:
            until(started)
        with Workers() as own:
            own.run(kernel, split(36, 1))

    with ThreadPoolExecutor(1 + n_others) as pool:
        for ended in [pool.submit(call, kernel) for kernel in [first, *[other] * n_others]]:
            ended.result(PATIENCE)
    assert len(set(firsts)) == 4 and len(set(others)) == n_others
    assert 1 <= most[0] <= max(1, 4 - n_others)
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
            until(late)
        if n == 19:
            late.set()
        return [f"{n} ", 1]

    with Workers(n_threads) as workers:
        total = workers.fold(part, [(n,) for n in range(20)], ["", 0])
    assert total == [" ".join(map(str, range(20))) + " ", 20]


def test_systems_that_tell_less(monkeypatch):
    """Neither which processors a process may use, nor how much memory is free: all of them, and no limit."""

    def fails(*given, **options):
        raise OSError

    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(workers, "_quota", lambda: np.inf)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(workers, "_is_one_of_several", lambda: False)
    assert workers.available_cpus() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert workers.available_cpus() == 1
    monkeypatch.setattr(workers, "open", fails, raising=False)
    assert workers.available_memory() == np.inf


def test_no_room_for_linear_algebra(monkeypatch):
    """What has none, OpenBLAS would end the process over."""

    def fails(*given):
        raise OSError(12, "Cannot allocate memory")

    workers.check_room()
    monkeypatch.setattr(workers.mmap, "mmap", fails)
    with pytest.raises(MemoryError, match="MB of address space are left for linear algebra"):
        workers.check_room()


@pytest.mark.parametrize("call", ["annealing", "similarities", "angles", "subspace"])
def test_linear_algebra_of_fits_asks_for_room(monkeypatch, call):
    """With 4 to 40 MB of address space left, OpenBLAS ended the process."""
    X = np.random.default_rng(0).normal(size=(40, 5))
    spherical = SphericalKMeans(3, random_state=0).fit(X)
    calls = {
        "annealing": lambda: critical_variance(X, np.ones(40)),
        "similarities": lambda: spherical.transform(X),
        "angles": lambda: spherical.predict(X),
        "subspace": lambda: Subspace(Rows(X, None, workers.Workers(1))),
    }
    calls[call]()

    def fails(*given):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(workers.mmap, "mmap", fails)
    with pytest.raises(MemoryError, match="linear algebra"):
        calls[call]()
