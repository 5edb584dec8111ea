"""Every partition against the reference: the best one, the sum, the pairs, and what happens when it is cut short."""

import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from children import interrupted, needs_signals
from clocks import Clock
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import each_instruction_set, quick_cost

import ckmeans.exact.exhaustive
from ckmeans import reference
from ckmeans._kernels import exhaustive as kernels
from ckmeans.exact import partitions
from ckmeans.exact.exhaustive import (
    count_partitions,
    exhaustive_search,
    partition_posterior,
)
from ckmeans.rationals import ExactRows, float_down, float_up

rng = np.random.default_rng(5)
cells = st.integers(-3, 3).map(float) | st.floats(-10, 10)
scales = st.sampled_from([1.0, 1.0, 1e150, 1e-150, 2.0**-1060])
offsets = st.sampled_from([0.0, 0.0, 1e8, -1e15])


any_weight = st.sampled_from([1.0, 1.0, 0.0, 0.25, 3.7, 1e-30, 1e200])


@st.composite
def problems(draw, max_rows=7, weights=any_weight):
    n, d = draw(st.integers(1, max_rows)), draw(st.integers(1, 4))
    row = st.lists(cells, min_size=d, max_size=d)
    rows = st.sampled_from(draw(st.lists(row, min_size=1, max_size=n))) if draw(st.booleans()) else row
    X = (np.array(draw(st.lists(rows, min_size=n, max_size=n))) + draw(offsets)) * draw(scales)
    w = draw(st.none() | st.lists(weights, min_size=n, max_size=n).filter(any).map(np.array))
    return X, draw(st.integers(1, min(n, 5))), w


instructions = each_instruction_set(kernels)


@pytest.fixture(params=["one block", "many blocks"])
def cut(request, monkeypatch):
    """Small problems as one block, and cut into heads, middles and low entries like large ones."""
    if request.param == "many blocks":
        monkeypatch.setattr(partitions, "MAX_ENTRIES", 4)
        monkeypatch.setattr(partitions, "BLOCK_SECONDS", 1.5e-8)


@cache  # the same rows are cut in different ways
def least_of_all(X, d, k, w):
    X = np.frombuffer(X).reshape(-1, d)
    rows = ExactRows(X, None if w is None else np.frombuffer(w))
    return min((rows.cost(row), row) for row in reference.partitions(len(X), k))


def check_best(X, k, w, solution):
    heavy = np.flatnonzero(np.ones(len(X)) if w is None else w)
    own = None if w is None else w[heavy].tolist()
    if len(heavy) <= 6:
        best, least = reference.best_partition(X[heavy].tolist(), k, own)
    else:
        least, best = least_of_all(
            X[heavy].tobytes(), X.shape[1], k, None if w is None else w[heavy].tobytes()
        )
    assert solution.labels[heavy].tolist() == best
    assert quick_cost(X, solution.labels, w) == least
    assert (solution.inertia, solution.lower_bound) == (float_up(least), float_down(least))
    assert (solution.status, solution.stop_reason, solution.gap) == ("optimal", "proved", 0.0)
    assert solution.n_partitions in (0, count_partitions(len(heavy), k))
    assert solution.labels.dtype == np.int32
    assert solution.centers.shape == (k, X.shape[1])


@settings(max_examples=100, deadline=None)
@given(problems())
def test_best_partition_is_the_reference_best(problem):
    X, k, w = problem
    check_best(X, k, w, exhaustive_search(X, k, sample_weight=w, n_threads=1))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "n, d, k", [(9, 1, 2), (9, 2, 2), (8, 2, 3), (8, 5, 3), (7, 1, 4), (7, 3, 6), (5, 2, 1), (6, 2, 6)]
)
def test_best_partition_however_the_work_is_cut(instructions, cut, n, d, k, weighted):
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, d))
    w = rng.random(n) + 0.1 if weighted else None
    check_best(X, k, w, exhaustive_search(X, k, sample_weight=w))


def test_search_reaches_every_partition():
    # Weights that make each partition in turn the best one would be many runs: scores of a walk are compared instead.
    X, w = rng.normal(size=(8, 2)), rng.random(8) + 0.5
    for k, weights in [(2, np.ones(8)), (3, w), (4, np.ones(8))]:
        walk = partitions.Walk(X, weights, k)
        found = np.vstack([labels for block in walk.blocks() for labels in walk.near(*block, -math.inf)])
        assert sorted(found.tolist()) == list(reference.partitions(8, k))
        for block in walk.blocks():
            top = walk.best_scores(*block)
            low = walk.low(block[1].n_open).labels
            for e in rng.integers(0, len(low), 20):
                own = [
                    walk.score(np.r_[block[0].labels, middle, low[e]].astype(int))
                    for middle in block[1].labels
                ]
                assert top[e] == pytest.approx(max(own), abs=walk.margin)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_margin_bounds_the_error_and_is_not_idle(instructions, k, weighted):
    X, weights = rng.normal(size=(9, 2)) + 3, rng.random(9) + 0.1 if weighted else np.ones(9)
    walk = partitions.Walk(X, weights, k)
    worst = 0.0
    for head, middles in walk.blocks():
        top, low = walk.best_scores(head, middles), walk.low(middles.n_open).labels
        for e in range(0, len(low), 7):
            if len(middles.labels) > 40:
                continue
            total = sum(Fraction(x) ** 2 * Fraction(v) for row, v in zip(X.tolist(), weights) for x in row)
            least = min(quick_cost(X, [*head.labels, *middle, *low[e]], weights) for middle in middles.labels)
            worst = max(worst, abs(float(Fraction(top[e]) - (total - least))))
    assert 0 < worst <= walk.margin


def test_instruction_sets_are_chosen_by_name(instructions):
    assert kernels.instruction_sets()[-1] == instructions
    with pytest.raises(ValueError, match="'mmx' is not among"):
        kernels.use("mmx")


@pytest.mark.parametrize("weights", [np.ones(12), rng.random(12) + 0.5, rng.random(12) ** 9 + 1e-9])
@pytest.mark.parametrize("d, k", [(1, 2), (2, 2), (7, 2), (1, 3), (2, 3), (3, 3), (3, 4), (2, 5)])
def test_instruction_sets_agree_within_the_margin(weights, d, k):
    X = rng.normal(size=(len(weights), d))
    walk = partitions.Walk(X - weights @ X / weights.sum(), weights, k)
    blocks = list(walk.blocks())
    usual, *others = reversed(kernels.instruction_sets())
    tops = [walk.best_scores(*block) for block in blocks]
    try:
        for name in others:
            kernels.use(name)
            for block, top in zip(blocks, tops):
                assert np.max(np.abs(walk.best_scores(*block) - top)) <= 2 * walk.margin
    finally:
        kernels.use(usual)


def test_a_corrupted_score_is_noticed(monkeypatch):
    X = rng.normal(size=(9, 2))

    def corrupt(self, head, middles, honest=partitions.Walk.best_scores):
        top = honest(self, head, middles)
        top[np.argmax(top)] -= self.spread
        return top

    monkeypatch.setattr(partitions.Walk, "best_scores", corrupt)
    with pytest.raises(AssertionError):
        check_best(X, 3, None, exhaustive_search(X, 3))


def test_ties_on_a_grid_give_the_first_optimum(instructions, cut):
    X = np.array([[i, j] for i in range(3) for j in range(3)])
    for k in (2, 3, 4):
        check_best(X.astype(float), k, None, exhaustive_search(X, k))


def test_rows_alike_cost_nothing():
    solution = exhaustive_search(np.tile([[1.0, 2.0], [3.0, 4.0]], (20, 1)), 3)
    assert solution.labels.tolist() == [0, 1] * 20
    assert (solution.inertia, solution.status, solution.n_partitions) == (0.0, "optimal", 0)
    assert solution.centers.tolist() == [[1, 2], [3, 4], [1, 2]]


def test_more_ties_than_can_be_compared_are_no_proof():
    # Unit vectors: a partition into k clusters costs n - k, whichever it is.
    solution = exhaustive_search(np.eye(14), 3)
    assert (solution.status, solution.stop_reason) == ("bounded", "ties")
    assert solution.n_partitions == count_partitions(14, 3)
    assert solution.inertia == 11
    assert 11 - 1e-9 < solution.lower_bound < 11


@pytest.mark.parametrize("name", ["MAX_EXACT", "MAX_BLOCKS"])
def test_more_of_the_best_than_there_is_room_for_are_no_proof(monkeypatch, name):
    monkeypatch.setattr(partitions, name, 0 if name == "MAX_EXACT" else 1)
    monkeypatch.setattr(partitions, "MAX_ENTRIES", 4)
    monkeypatch.setattr(partitions, "BLOCK_SECONDS", 1.5e-8)
    X = np.array([[i, j] for i in range(3) for j in range(3)], float)
    solution = exhaustive_search(X, 3)
    assert (solution.status, solution.stop_reason) == ("bounded", "ties")
    assert solution.lower_bound < quick_cost(X, solution.labels) <= solution.inertia


def test_scores_may_be_off_by_the_margin(monkeypatch):
    """Of partitions that the kernel takes for nearly as good as the best, those that are not are let go."""
    X, least = rng.normal(size=(9, 2)), partitions.Walk.best_scores

    def off(self, head, middles):
        self.margin = 0.05 * self.spread
        top = least(self, head, middles)
        return top + self.margin * (np.arange(len(top)) % 2)

    monkeypatch.setattr(partitions.Walk, "best_scores", off)
    check_best(X, 3, None, exhaustive_search(X, 3))


def test_tight_clusters_far_apart():
    X = np.r_[rng.normal(size=(6, 2)), rng.normal(size=(6, 2)) + 1e9]
    check_best(X[::2], 3, None, exhaustive_search(X[::2], 3))
    solution = exhaustive_search(X, 3)
    assert solution.status == "optimal"
    apart = (row for row in reference.partitions(12, 3) if not {*row[:6]} & {*row[6:]})
    assert solution.inertia == float_up(min(quick_cost(X, row) for row in apart))


def test_rows_without_weight_get_the_nearest_center():
    X = np.array([[9.0], [0.0], [1.0], [8.0], [10.0], [0.4]])
    solution = exhaustive_search(X, 2, sample_weight=[0, 1, 1, 1, 1, 0])
    assert solution.labels.tolist() == [1, 0, 0, 1, 1, 0]
    assert solution.n_partitions == count_partitions(4, 2)


@pytest.mark.parametrize("kind", ["float32", "fortran", "read-only", "int", "list", "bool"])
def test_input_kinds(kind):
    X = rng.integers(0, 9, (8, 3))
    given_ = {
        "float32": lambda: X.astype(np.float32),
        "fortran": lambda: np.asfortranarray(X, float),
        "int": lambda: X,
        "read-only": lambda: np.frombuffer(X.astype(float).tobytes()).reshape(X.shape),
        "list": X.tolist,
        "bool": lambda: X > 4,
    }[kind]()
    check_best(np.array(given_, float), 3, None, exhaustive_search(given_, 3))


# The sum.


def brute(X, k, variance, w):
    rows = list(reference.partitions(len(X), k))
    exact = ExactRows(X, w)
    costs = [exact.cost(row) for row in rows]
    least = min(costs)
    powers = np.exp([-float((c - least) / (2 * Fraction(variance))) for c in costs])
    labels = np.array(rows)
    together = np.einsum("p,pij->ij", powers / powers.sum(), labels[:, :, None] == labels[:, None, :])
    return math.log(powers.sum()) - float(least / (2 * Fraction(variance))), together, len(rows)


@settings(max_examples=40, deadline=None)
@given(problems(7, st.sampled_from([1.0, 2.0, 0.3])), st.sampled_from([0.05, 1.0, 30.0]))
def test_posterior_is_the_sum_over_all_partitions(problem, spread):
    X, k, w = problem
    variance = max(float(np.var(X)), 1e-300) * spread
    log_sum, together, count = brute(X, k, variance, w)
    try:
        posterior = partition_posterior(X, k, variance, sample_weight=w, n_threads=1)
    except ValueError as error:
        assert "too small" in str(error)  # 1e15 + x: the spread is mostly rounding
        return
    assert posterior.log_sum == pytest.approx(log_sum, rel=1e-12, abs=1e-10)
    np.testing.assert_allclose(posterior.together, together, rtol=1e-9, atol=1e-12)
    assert posterior.log_sum_upper == posterior.log_sum
    total = len(X) if w is None else w.sum()
    evidence = log_sum - math.log(count) - total * X.shape[1] / 2 * math.log(2 * math.pi * variance)
    assert posterior.log_evidence == pytest.approx(evidence, rel=1e-12, abs=1e-10)
    assert (posterior.status, posterior.stop_reason, posterior.n_partitions) == (
        "complete",
        "finished",
        count,
    )


@cache
def summed(n, d, k, weighted):
    rng = np.random.default_rng(n)
    X, w = rng.normal(size=(n, d)), rng.random(n) + 0.1 if weighted else None
    return X, w, *brute(X, k, 0.5, w)[:2]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n, d, k", [(10, 1, 2), (9, 2, 3), (8, 2, 4), (7, 3, 7), (6, 2, 1)])
def test_posterior_however_the_work_is_cut(instructions, cut, n, d, k, weighted):
    X, w, log_sum, together = summed(n, d, k, weighted)
    posterior = partition_posterior(X, k, 0.5, sample_weight=w)
    assert posterior.log_sum == pytest.approx(log_sum, rel=1e-13, abs=posterior.error)
    np.testing.assert_allclose(posterior.together, together, rtol=1e-11, atol=1e-14)
    assert posterior.best.status == "optimal"


def test_posterior_of_hard_and_of_no_evidence():
    X = np.array([[0.0], [1.0], [50.0], [51.0]])
    hard = partition_posterior(X, 2, 1e-3)
    np.testing.assert_allclose(
        hard.together, [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]], atol=1e-300
    )
    flat = partition_posterior(X, 2, 1e12)
    assert flat.log_sum == pytest.approx(math.log(8))
    np.testing.assert_allclose(flat.together[0, 1:], 0.5)


def test_exponential_is_accurate(instructions):
    x = np.r_[np.linspace(-708, 709, 20_001), rng.normal(size=2000), np.zeros(15)]
    assert len(x) % kernels.PADDING == 0
    values = np.empty_like(x)
    kernels.exponentials(x, values)
    exact = np.exp(x.astype(np.longdouble))
    assert np.max(np.abs(values / exact - 1)) < 1e-15


# Threads, time and interrupts.


@pytest.mark.parametrize("weighted", [False, True])
def test_same_bits_for_every_number_of_threads(instructions, weighted):
    X = rng.normal(size=(15, 2))
    w = rng.random(15) + 0.5 if weighted else None
    results = [
        partition_posterior(X, 3, 0.3, sample_weight=w, n_threads=n_threads) for n_threads in (1, 2, 5)
    ]
    for other in results[1:]:
        assert other.log_sum == results[0].log_sum
        assert other.together.tobytes() == results[0].together.tobytes()
        assert other.best.labels.tolist() == results[0].best.labels.tolist()


def check_cut_short(X, k, solution, reason):
    assert (solution.status, solution.stop_reason, solution.lower_bound) == ("bounded", reason, 0.0)
    assert 0 <= solution.n_partitions < count_partitions(len(X), k)
    assert solution.inertia == float_up(quick_cost(X, solution.labels))
    assert solution.centers.shape == (k, X.shape[1])


def test_interrupt_returns_the_best_so_far():
    X = rng.normal(size=(26, 2))
    fractions = []

    def progress(fraction):
        fractions.append(fraction)
        raise KeyboardInterrupt

    solution = exhaustive_search(X, 3, time_limit=60, progress=progress)
    check_cut_short(X, 3, solution, "interrupted")
    assert fractions == [solution.n_partitions / count_partitions(26, 3)]
    posterior = partition_posterior(X, 3, 1.0, time_limit=60, progress=progress)
    assert (posterior.status, posterior.stop_reason) == ("bounded", "interrupted")


@needs_signals
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_stops_within_a_round(n_threads):
    """In the midst of the kernels: no other round is begun, and no thread is left behind."""
    told = interrupted(f"""
import threading
from ckmeans.exact.exhaustive import exhaustive_search
from ckmeans.workers import Workers
blocks = Blocks()
Workers.run = held(Workers.run)
solution = exhaustive_search(np.random.default_rng(5).normal(size=(30, 2)), 3, n_threads={n_threads})
threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("ckmeans")]
tell(reason=solution.stop_reason, late=blocks.late(), threads=threads)
""")
    assert told["reason"] == "interrupted" and told["threads"] == []
    assert told["late"] <= partitions.ROUND * n_threads


@pytest.mark.parametrize("n, k", [(26, 3), (60, 4), (30, 30)])
def test_time_limit_returns_the_best_so_far(n, k):
    X = rng.normal(size=(n, 2))
    with Clock():
        solution = exhaustive_search(X, k, time_limit=9)
    if n == k:
        assert solution.status == "optimal"
    else:
        check_cut_short(X, k, solution, "time_limit")
        assert solution.n_partitions > 0
    check_cut_short(X[:25], 3, exhaustive_search(X[:25], 3, time_limit=0), "time_limit")


def test_the_best_so_far_is_the_best_of_those_examined(monkeypatch):
    monkeypatch.setattr(partitions, "MAX_ENTRIES", 4)
    monkeypatch.setattr(partitions, "BLOCK_SECONDS", 1.5e-8)
    X = rng.normal(size=(8, 2))
    calls = []

    class Impatient(ckmeans.exact.exhaustive.Workers):
        def run(self, kernel, blocks):
            if len(calls) == 5:
                raise KeyboardInterrupt
            calls.append(len(blocks))
            super().run(kernel, blocks[: len(blocks) // 2] if len(calls) == 5 else blocks)

    monkeypatch.setattr(ckmeans.exact.exhaustive, "Workers", Impatient)
    solution = exhaustive_search(X, 4)
    walk = partitions.Walk(X, np.ones(8), 4)
    blocks = list(walk.blocks())[: sum(calls)]
    del blocks[sum(calls[:4]) + calls[4] // 2 :]
    seen = np.vstack([labels for block in blocks for labels in walk.near(*block, -math.inf)])
    assert solution.n_partitions == len(seen)
    assert solution.inertia == min(float_up(quick_cost(X, row)) for row in seen)


def test_a_partial_sum_brackets_the_whole(monkeypatch):
    monkeypatch.setattr(partitions, "BLOCK_SECONDS", 0.0005)
    X = rng.normal(size=(18, 2))
    whole = partition_posterior(X, 3, 2.0)

    def progress(fraction):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with Clock():  # progress is told at each look
        part = partition_posterior(X, 3, 2.0, progress=progress)
    assert (part.status, part.stop_reason) == ("bounded", "interrupted")
    assert 0 < part.n_partitions < whole.n_partitions
    assert part.log_sum < whole.log_sum < part.log_sum_upper
    assert part.log_evidence < whole.log_evidence
    assert np.isnan(part.together).all()
    none = partition_posterior(X, 3, 2.0, time_limit=0)
    assert (none.stop_reason, none.n_partitions) == ("time_limit", 0)
    assert none.log_sum < whole.log_sum < none.log_sum_upper


def test_progress_is_true_and_ends_at_one():
    fractions = []
    exhaustive_search(rng.normal(size=(29, 2)), 2, n_threads=1, progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    partition_posterior(rng.normal(size=(16, 2)), 3, 1.0, progress=fractions.append)
    assert fractions[-1] == 1.0
    assert max(fractions) == 1.0
