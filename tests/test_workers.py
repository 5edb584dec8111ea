"""The threads that run the kernels: every block once, and nothing begun after a failure or when the time is up."""

import threading
from time import sleep

import pytest

from ckmeans.workers import Expired, Workers, split


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
