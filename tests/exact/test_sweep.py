"""The turning line: two clusters in the plane against the reference, and what it says of itself."""

import numpy as np
import pytest
from children import interrupted, needs_signals
from clocks import Clock

from ckmeans import check, reference
from ckmeans.exact import sweep as module
from ckmeans.exact.sweep import _Sweep, best_halves
from ckmeans.proofs import portfolio
from ckmeans.proofs.portfolio import prove

KINDS = {
    "ties": lambda rng, n: rng.integers(0, 4, (n, 2)).astype(float),
    "floats": lambda rng, n: rng.random((n, 2)),
    "tenths": lambda rng, n: rng.integers(0, 30, (n, 2)) / 10,
    "two lines": lambda rng, n: np.column_stack([np.arange(n) * 0.1, rng.integers(0, 2, n) * 0.3]),
    "one line": lambda rng, n: np.outer(rng.integers(-9, 10, n), [0.3, -0.7]),
    "vertical": lambda rng, n: np.column_stack([rng.integers(0, 2, n) + 1e6, rng.random(n)]),
    "far": lambda rng, n: rng.random((n, 2)) * 2.0**-20 + [1.0, 2.0**30],
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_halves(kind, weighted):
    rng = np.random.default_rng(3)
    for _ in range(30):
        X = np.unique(KINDS[kind](rng, int(rng.integers(2, 9))), axis=0)
        weights = rng.integers(1, 5, len(X)) / 4 if weighted else None
        if len(X) < 2:
            continue
        found = best_halves(X, weights, n_threads=1)
        own = None if weights is None else weights.tolist()
        assert found.complete and found.stop_reason == "complete"
        assert found.cost == reference.best_partition(X.tolist(), 2, own)[1]
        assert found.cost == reference.cost(X.tolist(), found.labels.tolist(), own)


def test_every_line_is_passed_by():
    """All sets that a line cuts off, not the best alone."""
    X = np.random.default_rng(0).random((9, 2))
    sweep, seen = _Sweep(X, None), set()
    for pivot in range(9):
        slopes, left, values = sweep.buffers()
        order = sweep.states(pivot, slopes, left, values)
        for state in range(9):
            for side in (False, True):
                seen.add(tuple(sweep.halves(order, left, pivot, side, state)))
    assert len(seen) == 1 + 9 * 8 // 2  # Harding 1967: in general position


def test_scale_and_threads():
    X = np.random.default_rng(1).normal(size=(300, 2))
    found = best_halves(X, n_threads=1)
    for other in (best_halves(X, n_threads=2), best_halves(np.ldexp(X, -400)), best_halves(np.ldexp(X, 900))):
        assert other.complete and np.array_equal(other.labels, found.labels)


def test_what_doubles_do_not_tell():
    """Weights so unequal that a row could be on either side for all that rounding allows."""
    X = np.random.default_rng(1).random((20, 2))
    found = best_halves(X, np.r_[2.0**60, np.ones(19)])
    assert not found.complete and found.stop_reason == "rounding"
    assert found.cost > 0


def test_limits():
    X = np.random.default_rng(1).random((2000, 2))
    found = best_halves(X, time_limit=0)
    assert found.stop_reason == "time_limit" and not found.complete
    assert set(found.labels.tolist()) <= {0, 1}
    whole = best_halves(X)
    assert whole.complete
    for options, reason in (({"time_limit": 9}, "time_limit"), ({}, "interrupted")):
        with Clock(interrupt=None if options else 9):
            found = best_halves(X, n_threads=1, **options)
        assert found.stop_reason == reason and not found.complete
        assert set(found.labels.tolist()) == {0, 1} and whole.cost <= found.cost


def test_a_wide_margin_leaves_more_to_be_compared_exactly():
    """About each pivot those near its own best are kept, and of these only those near the best of all are compared."""
    X = np.random.default_rng(1).random((12, 2))
    sweep, best = _Sweep(X, None), best_halves(X)
    sweep.margin = 0.05
    sweep.turn(0, 12)
    compared, cost = [], sweep.exact.cost
    sweep.exact.cost = lambda halves: compared.append(halves) or cost(halves)
    found = sweep.result("complete")
    assert len(compared) > 1 and found.complete and found.cost == best.cost
    values = [sweep.found[pivot][0] for pivot in range(12)]
    assert len(compared) < sum(len(sweep.found[pivot][1]) for pivot in range(12)) and min(values) < max(
        values
    )


@needs_signals
def test_ctrl_c():
    told = interrupted("""
from ckmeans.exact import sweep
sweep._Sweep.turn = held(sweep._Sweep.turn)
found = sweep.best_halves(np.random.default_rng(1).random((500, 2)), n_threads=1)
tell(reason=found.stop_reason, complete=found.complete, n=len(found.labels))
""")
    assert told == {"reason": "interrupted", "complete": False, "n": 500}


def test_certify_starts_from_it(monkeypatch):
    """It claims nothing by itself; with the prices after it the optimum is proved."""
    X = np.random.default_rng(2).random((120, 2))
    alone = prove(X, 2, methods=["sweep"])
    assert (alone.status, alone.lower_bound) == ("bounded", 0) and alone.exact_inertia == best_halves(X).cost
    proved = prove(X, 2, methods=["sweep", "prices"])
    assert proved.status == "optimal-unique" and proved.exact_inertia == alone.exact_inertia
    assert check.verdict(proved.text().encode())[0] == check.PROVED
    taken = []
    monkeypatch.setattr(portfolio.Portfolio, "take", lambda self, method: taken.append(method))
    prove(X, 2)
    prove(X, 3)
    assert taken.count("sweep") == 1


def test_more_ties_than_are_kept(monkeypatch):
    """Some of the best: they are not called complete."""
    X = np.array([[a, b] for a in range(4) for b in range(4)], float)
    whole = best_halves(X)
    monkeypatch.setattr(module, "MOST", 1)
    some = best_halves(X)
    assert (whole.stop_reason, some.stop_reason) == ("complete", "rounding") and not some.complete
    assert some.cost == whole.cost
