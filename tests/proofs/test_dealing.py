"""Groups of a sum on all threads: the same proof on any number of them, and what is known when one of them fails."""

import numpy as np
import pytest
from clocks import Clock

from ckmeans import check
from ckmeans.proofs import dealing, methods
from ckmeans.proofs.dealing import FEW, LEAST, MOST, in_turn, is_one_matrix, rows_of_a_matrix
from ckmeans.proofs.instance import Deadline
from ckmeans.proofs.portfolio import prove


def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(130, 8)) + 4 * (np.arange(130) % 2)[:, None]


def test_the_same_proof_on_any_number_of_threads():
    texts = {prove(rows(), 2, methods=["search", "sum"], rng=0, n_threads=n).text() for n in (1, 2)}
    assert len(texts) == 1
    assert check.verdict(texts.pop().encode())[0] == check.PROVED


def test_no_memory_for_a_group(monkeypatch):
    plain, calls = methods._by_matrix, []

    def by_matrix(*args, **options):
        calls.append(0)
        if len(calls) == 2:
            raise MemoryError
        return plain(*args, **options)

    monkeypatch.setattr(methods, "_by_matrix", by_matrix)
    found = prove(rows(), 2, methods=["search", "sum"], rng=0, n_threads=1)
    assert len(calls) == 2 and found.stop_reason == "memory_limit"
    assert found.method == "sum" and found.lower_bound > 0 and found.checked


@pytest.mark.parametrize("reason", ["interrupted", "time_limit", "memory_limit", "unresolved"])
def test_why_it_ended(reason):
    done, told = [], []

    def work(thing, seconds, check):
        check()
        assert seconds is None
        done.append(thing)
        return reason if thing == 1 else "unresolved"

    assert in_turn([0, 1, 2], work, lambda: told.append(0), Deadline(None), 1) == reason
    assert done == ([0, 1] if reason in ("interrupted", "memory_limit") else [0, 1, 2])
    assert len(told) == len(done) + 1


def test_no_time_is_left():
    def work(thing, seconds, check):
        raise AssertionError

    assert in_turn([0], work, lambda: None, Deadline(0), 1) == "time_limit"


def test_how_long_a_step_takes_is_tried():
    with Clock(seconds=2.0):
        assert dealing.seconds_of_a_step() == 2 / (dealing.TRIED * dealing.PROBE**2)


def test_more_rows_where_there_is_more_time(monkeypatch):
    monkeypatch.setattr(dealing, "seconds_of_a_step", lambda: 1e-7)
    sizes = [rows_of_a_matrix(10_000, 3, Deadline(seconds), 1) for seconds in (0, 100, 1e9)]
    assert sizes[0] == LEAST < sizes[1] < sizes[2] <= MOST
    assert [is_one_matrix(n, 3, Deadline(0), 0.5) for n in (FEW, FEW + 1)] == [True, False]
    assert [is_one_matrix(n, 3, Deadline(None), 0.5) for n in (MOST, MOST + 1)] == [True, False]
    assert [is_one_matrix(n, 3, Deadline(60), 0.5) for n in (500, 1500)] == [True, False]
