"""Groups of a sum on all threads: the same proof on any number of them, and what is known when one of them fails."""

from fractions import Fraction

import numpy as np
import pytest
from clocks import Clock

from ckmeans import check, reference
from ckmeans.proofs import dealing, methods
from ckmeans.proofs.asking import bound_of
from ckmeans.proofs.dealing import FEW, LEAST, MOST, Group, Groups, in_turn, is_one_matrix, rows_of_a_matrix
from ckmeans.proofs.instance import Deadline
from ckmeans.proofs.portfolio import prove
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.proof_lines import line_of, proof_text, sum_proof, trivial_proof


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


def of_all(line, rows):
    """A line of a proof for some rows, with the numbers that these have among all."""
    kind, *own = line.rsplit(" ", 2)
    return line_of(kind, rows[[int(row, 16) for row in own]]) if kind == "proof branch" else line


@pytest.mark.parametrize("method", ["tree", "pca", "sdp", "prices", "line", "trivial"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_group_is_as_if_its_rows_had_these_weights(method, weighted):
    """Of m groups with shared rows each is proved with its own weights times m; the m-th part of what they add up to is true."""
    rng, k, m = np.random.default_rng(3), 1 if method == "trivial" else 2, 3
    X = rng.permutation(80)[: 11 if method == "line" else 22].reshape(11, -1) - 40.0
    weights = rng.integers(1, 5, 11).astype(float) if weighted else np.ones(11)
    shared, groups, proofs, total = np.array([2, 6]), [[0, 3, 4], [1, 5, 8], [7, 9, 10]], [], 0
    for group in groups:
        rows = np.sort([*group, *shared])
        own = weights[rows] * np.where(np.isin(rows, shared), 1, m)
        part = prove(X[rows], k, sample_weight=own, methods=["search", method], rng=0)
        lines = part.text().splitlines()
        claim = next(at for at, line in enumerate(lines) if line.startswith("claim "))
        lines, alone = lines[claim + 1 : -1], ExactProblem(X[rows], own)
        proofs.append([of_all(line, rows) for line in lines])
        lines = sum_proof(
            [range(len(rows))], [lines]
        )  # as a part, so that no other clusterings are ruled out
        text = proof_text(alone, k, part.labels.tolist(), "bounded", lines, Fraction(0))
        total += bound_of(text, np.inf)[0] / alone.unit
    assert total > 0
    problem = ExactProblem(X, weights if weighted else None)
    labels = prove(X, k, sample_weight=weights, methods=["search"], rng=0).labels.tolist()
    text = proof_text(problem, k, labels, "bounded", sum_proof(groups, proofs, shared), total / m)
    assert bound_of(text, np.inf) == (total / m * problem.unit, False)
    assert check.verdict(text.encode())[0] == check.PROVED
    rows, own = [list(map(Fraction, row)) for row in X.tolist()], list(map(Fraction, weights.tolist()))
    assert total / m <= reference.best_partition(rows, k, own)[1]


def test_groups_of_heavy_tails_share_the_farthest_rows(monkeypatch):
    """What is far away is then in every group, as it is in the whole, and the groups add up to more."""
    monkeypatch.setattr(dealing, "UNLIMITED", 72)
    monkeypatch.setattr(dealing, "UNLIMITED_FOR_EACH_CLUSTER", 1)
    monkeypatch.setattr(dealing, "LEAST", 1)
    monkeypatch.setattr(dealing, "FOR_EACH_CLUSTER", 1)
    X = np.random.default_rng(4).standard_t(2, (300, 8))
    found = {}
    for shared in (12, 10**9):
        monkeypatch.setattr(dealing, "SHARED", shared)
        found[shared] = prove(X, 3, methods=["search", "sum"], rng=0)
        assert found[shared].checked and found[shared].method == "sum"
    assert ("\nshared " in found[12].text(), "\nshared " in found[10**9].text()) == (True, False)
    assert found[12].gap < 0.5 * found[10**9].gap


def test_shared_groups_go_on_from_a_file(tmp_path, monkeypatch):
    """Those that are proved are not proved again, and count as they did."""
    path, plain, calls = tmp_path / "a.ckpt", methods._by_matrix, []

    def counted(*args, **options):
        calls.append(0)
        return plain(*args, **options)

    monkeypatch.setattr(methods, "_by_matrix", counted)
    whole = prove(rows(), 2, methods=["search", "sum"], rng=0, n_threads=1)
    n_groups = len(calls)

    def stop(method, inertia, lower):
        if method == "sum" and len(calls) == n_groups + 1:
            raise KeyboardInterrupt

    prove(rows(), 2, methods=["search", "sum"], rng=0, n_threads=1, checkpoint=path, progress=stop)
    assert 1 < n_groups == len(calls) - 1
    again = prove(rows(), 2, methods=["search", "sum"], rng=0, n_threads=1, checkpoint=path)
    assert len(calls) == 2 * n_groups and again.text() == whole.text()
    assert "\nshared " in whole.text()


def test_what_is_asked_about_a_group_does_not_grow_with_all_rows():
    """Of other groups one row is named: else there would be as many numbers as there are rows, for each group."""
    m, size, shared = 50, 40, np.arange(20)
    parts = [Group(np.arange(at, 20 + m * size, m), trivial_proof()) for at in range(20, 20 + m)]
    dealt = Groups(parts, shared)
    for part in (parts[0], parts[-1]):
        lines = dealt.proof_of(part)
        assert lines[m] == line_of("group", part.rows) and lines[m + 1] == line_of("shared", shared)
        assert sum(len(line.split(" ")) for line in lines) < 4 * m + size + len(shared) + 10
    assert len(Groups(parts).proof_of(parts[0])) == 3


def test_the_checker_has_its_time():
    """Whatever ends before the checker begins ends early enough; half of the time is for finding in any case."""
    with Clock(seconds=0.0):
        deadline = Deadline(100)
        assert deadline.left(0.75) == 75 and deadline.left(1.0) == 100
        deadline.reserve(40)
        assert (deadline.left(0.75), deadline.left(0.5), deadline.left(1.0)) == (60, 50, 100)
        deadline.reserve(1000)
        deadline.reserve(1)
        assert deadline.left(0.75) == 50
        deadline = Deadline(None)
        deadline.reserve(40)
        assert deadline.left(0.75) == np.inf and deadline.seconds_for(0.75) is None
