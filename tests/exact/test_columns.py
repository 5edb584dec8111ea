"""The prover against the oracle: its bound is never above the optimum, and "optimal" is the optimum, as fractions."""

import csv
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clocks import Clock
from problems import quick_cost

from ckmeans import reference, spectrum
from ckmeans.exact import column_branch, columns
from ckmeans.exact.column_branch import Outcome
from ckmeans.exact.columns import column_generation
from ckmeans.exact.exact_cover import TooManyCovers, covers
from ckmeans.local.search import local_search

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
KNOWN = [
    ("cg_ruspini", 4),
    ("cg_ruspini", 8),
    ("hg_german", 10),
    ("hg_bavaria1", 7),
    ("tsp_eil51", 6),
    ("sos_iris", 3),
    ("sos_iris", 7),
    ("sos_wine", 4),
    ("cg_gr202", 6),
]


def instance(rng):
    n, d, kind = int(rng.integers(1, 9)), int(rng.integers(1, 4)), int(rng.integers(4))
    X = rng.random((n, d)) if kind == 3 else rng.integers(0, [3, 8, 50][kind], (n, d)).astype(float)
    weights = None
    if rng.random() < 0.4:
        weights = rng.integers(0, 4, n) * (rng.random(n) if rng.random() < 0.3 else np.ones(n))
        weights[rng.integers(n)] = 1
    heavy = np.ones(n, bool) if weights is None else weights > 0
    k = int(rng.integers(1, min(4, len(np.unique(X[heavy], axis=0))) + 1))
    return X, weights, k


def check(X, weights, k, found):
    best = reference.best_partition(X.tolist(), k, None if weights is None else weights.tolist())[1]
    assert found.exact_bound <= best <= Fraction(found.inertia)
    assert Fraction(found.lower_bound) <= found.exact_bound
    assert quick_cost(X, found.labels, weights) <= Fraction(found.inertia)
    if found.status == "optimal":
        assert quick_cost(X, found.labels, weights) == best == found.exact_bound
    return found.status == "optimal"


@pytest.mark.parametrize("seed", range(15))
def test_against_the_oracle(seed):
    """From a poor start. CKMEANS_TEST_FACTOR=50 makes it ten thousand instances and more."""
    rng = np.random.default_rng(seed)
    for _ in range(10 * int(os.environ.get("CKMEANS_TEST_FACTOR", 1))):
        X, weights, k = instance(rng)
        found = column_generation(X, k, sample_weight=weights, labels=np.arange(len(X)) % k)
        assert check(X, weights, k, found)
        assert (found.stop_reason, found.gap) == ("proved", 0.0)


def few(sets, n_clusters, check=None):
    """Covers, but only where there is little to choose from."""
    if len(sets) > 3 * n_clusters:
        raise TooManyCovers
    return covers(sets, n_clusters, check)


@pytest.mark.parametrize("seed", range(12))
def test_branching(monkeypatch, seed):
    """Where clusters within the gap are not listed, branching has to do it; what stays open is said so."""
    monkeypatch.setattr(column_branch, "covers", few)
    rng = np.random.default_rng(1000 + seed)
    for _ in range(5):
        X, weights, k = instance(rng)
        labels = np.arange(len(X)) % k
        with Clock():
            found = column_generation(X, k, sample_weight=weights, labels=labels, max_seconds=1000)
        check(X, weights, k, found)


@pytest.mark.parametrize("seed", range(12))
def test_hasty_steps(monkeypatch, seed):
    """Steps that no search of all centers has confirmed lead to no bound that is not true, and to the optimum."""
    monkeypatch.setattr(column_branch, "MANY_BOXES", 0)
    rng = np.random.default_rng(2000 + seed)
    for X, weights, k in [instance(rng) for _ in range(10)]:
        found = column_generation(X, k, sample_weight=weights, labels=np.arange(len(X)) % k)
        assert check(X, weights, k, found)


def test_hasty_steps_spare_searches(monkeypatch):
    """Where a search is long there are fewer of them, and no less is proved."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 3))[rng.integers(4, size=300)] + rng.normal(size=(300, 3))
    monkeypatch.setattr(column_branch, "MANY_BOXES", 0)
    hasty = column_generation(X, 4, gap=1e-3)
    monkeypatch.setattr(column_branch, "HASTY", 0)
    careful = column_generation(X, 4, gap=1e-3)
    assert hasty.lower_bound >= (1 - 1e-3) * hasty.inertia and hasty.inertia == careful.inertia
    assert hasty.n_searches < careful.n_searches


@pytest.mark.parametrize("weighted", [False, True])
def test_first_prices_of_many_rows_are_those_of_cells(monkeypatch, weighted):
    """They leave a gap that is far smaller than that of balanced prices, and the optimum is the same."""
    rng = np.random.default_rng(4)
    X = rng.normal(0, 2, (6, 2))[rng.integers(6, size=1500)] + rng.normal(0, 1.5, (1500, 2))
    weights = rng.integers(0, 4, 1500).astype(float) if weighted else None
    labels, gaps = local_search(X, 6, sample_weight=weights, rng=0).labels, []
    monkeypatch.setattr(columns, "CELL", 3)
    for many in (1500, 500):
        monkeypatch.setattr(columns, "MANY_ROWS", many)
        search = columns._Search(X, 6, weights, None, 0.0, 0, None)
        search.begin(labels)
        level = search.pricing.search(search.root.prices).upper
        gaps.append(float(search.cost * search.unit) - (search.weights @ search.root.prices - 6 * level))
    assert 0 < gaps[1] < gaps[0] / 3


def test_no_time_for_cells(monkeypatch):
    """Then the first prices are balanced ones, as those of few rows."""
    X, prices = np.random.default_rng(0).random((300, 2)), []
    monkeypatch.setattr(columns, "CELL", 3)
    monkeypatch.setattr(columns, "CELLS_TIME", 0.0)
    for many in (300, 100):
        monkeypatch.setattr(columns, "MANY_ROWS", many)
        search = columns._Search(X, 4, None, 1e9, 0.0, 0, None)
        search.begin(np.arange(300) % 4)
        prices.append(search.root.prices)
    assert np.array_equal(*prices) and prices[0].any()


@pytest.mark.parametrize("seed", range(3))
def test_cells_of_few_rows(monkeypatch, seed):
    """From prices of cells of cells to the optimum."""
    monkeypatch.setattr(columns, "CELL", 2)
    monkeypatch.setattr(columns, "MANY_ROWS", 3)
    rng = np.random.default_rng(3000 + seed)
    for X, weights, k in [instance(rng) for _ in range(10)]:
        found = column_generation(X, k, sample_weight=weights, labels=np.arange(len(X)) % k)
        assert check(X, weights, k, found)


def test_branches_are_made(monkeypatch):
    """Two ways to the same optimum: the list of clusters within the gap, and branches without it."""
    instances = [
        (np.random.default_rng(seed).integers(0, 12, (30, 2)).astype(float), 6) for seed in range(48, 54)
    ]
    listed = [column_generation(X, k) for X, k in instances]
    monkeypatch.setattr(column_branch, "covers", few)
    with Clock():
        branched = [column_generation(X, k, max_seconds=10_000) for X, k in instances]
    assert {found.status for found in listed} == {"optimal"}
    for one, other in zip(listed, branched):
        assert other.exact_bound <= one.exact_bound
        assert other.status == "bounded" or other.exact_bound == one.exact_bound
    assert any(found.n_nodes > 1 and found.status == "optimal" for found in branched)
    assert {found.proof[0] for found in branched} == {"prices", "branch"}


def test_covers_are_all_partitions():
    n, k = 6, 3
    sets = np.array([[mask >> i & 1 for i in range(n)] for mask in range(1, 2**n)], bool)
    found = {
        frozenset(frozenset(np.flatnonzero(sets[s]).tolist()) for s in chosen) for chosen in covers(sets, k)
    }
    assert len(found) == reference.stirling(n, k)
    assert not list(covers(sets[:, :0], k))
    assert not list(covers(np.array([[True, False]]), 1))


def test_too_many_covers(monkeypatch):
    monkeypatch.setattr("ckmeans.exact.exact_cover.MOST_STEPS", 100)
    sets = np.array([[mask >> i & 1 for i in range(8)] for mask in range(1, 256)], bool)
    with pytest.raises(TooManyCovers):
        list(covers(sets, 4))


def test_covers_can_be_stopped():
    """After every thousand attempts or so, however many clusters each row is in."""
    sets = np.array([[mask >> i & 1 for i in range(8)] for mask in range(1, 256)], bool)
    looks = []
    found = list(covers(sets, 3, lambda: looks.append(None)))
    assert len(found) == reference.stirling(8, 3) and len(looks) > 10

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(covers(sets, 3, stop))


def test_prices_prove_the_bound():
    """Who takes the prices alone gets a bound that is no greater than the optimum, and near it."""
    X = np.random.default_rng(0).random((40, 2))
    found = column_generation(X, 4)
    kind, groups, prices, level = found.proof
    assert (kind, found.status) == ("prices", "optimal")
    assert sorted(groups) == list(range(40))
    bound = sum(prices) - 4 * level
    assert 0.5 * found.inertia < bound <= found.inertia * (1 + 1e-9)


def test_many_rows_are_paired_by_their_clusters(monkeypatch):
    """There is no matrix of all rows, and the branches are the same."""
    monkeypatch.setattr(column_branch, "covers", few)
    rows = np.random.default_rng(51).integers(0, 12, (30, 2)).astype(float)
    expected = columns.column_generation(rows, 6)
    assert expected.n_nodes > 1
    kept, least_decided = [], column_branch.Branch._least_decided
    monkeypatch.setattr(column_branch, "MOST_PAIRED", 0)
    monkeypatch.setattr(
        column_branch.Branch, "_least_decided", lambda self: kept.append(least_decided(self)) or kept[-1]
    )
    found = columns.column_generation(rows, 6)
    assert kept and (found.n_nodes, found.exact_bound) == (expected.n_nodes, expected.exact_bound)
    assert repr(found.proof) == repr(expected.proof)


def leaves(proof, together=(), apart=()):
    """The proofs at the leaves of a tree, with the pairs of samples that are together and apart there."""
    if proof[0] == "branch":
        _, i, j, one, other = proof
        yield from leaves(one, (*together, (i, j)), apart)
        yield from leaves(other, together, (*apart, (i, j)))
    else:
        yield proof, together, apart


@pytest.mark.parametrize("seed", range(20))
def test_leaves_hold_for_every_cluster(monkeypatch, seed):
    """No set of rows, groups whole and rows apart not both in it, earns more than the level, its own cost included."""
    monkeypatch.setattr(column_branch, "covers", few)
    rng = np.random.default_rng(seed)
    X, k = np.unique(rng.integers(0, 5, (8, 2)), axis=0).astype(float), 3
    # Splits by hand: whatever they are, what is said about each branch has to be true.
    search = columns._Search(X, k, None, None, 0.0, 0, None)
    search.begin(np.arange(len(X)) % k)
    branch = column_branch.Branch(search, search.root)
    branch.closed = lambda last=False: False
    monkeypatch.setattr(column_branch, "STALE", 1e9)
    outcome = branch.run()
    assert (outcome is Outcome.SPLIT) == bool(search.root.children) and outcome is not Outcome.GAP_REACHED
    for node in search.root.children:
        column_branch.Branch(search, node).run()
    for (kind, groups, prices, level), together, apart in leaves(search.proof(search.root)):
        assert kind == "prices"
        assert all(groups[i] == groups[j] for i, j in together)
        for mask in range(1, 2 ** len(prices)):
            rows = [i for i, g in enumerate(groups) if mask >> g & 1]
            if not any(i in rows and j in rows for i, j in apart):
                one = [0] * len(rows)
                earned = sum(Fraction(prices[groups[i]]) for i in rows)
                own = quick_cost(X[rows], groups[rows])  # of rows that are together anyway
                assert earned + own - quick_cost(X[rows], one) <= Fraction(level)


@pytest.mark.parametrize("seconds", [0, 30, 100])
def test_time_limit(seconds):
    X = np.random.default_rng(0).random((400, 5))
    with Clock():
        found = column_generation(X, 8, max_seconds=seconds)
    assert (found.status, found.stop_reason) == ("bounded", "time_limit")
    assert 0 <= found.lower_bound <= found.inertia
    assert quick_cost(X, found.labels) <= Fraction(found.inertia)


def test_interrupt():
    X = np.random.default_rng(0).random((200, 3))
    seen = []

    def progress(inertia, lower_bound):
        seen.append((inertia, lower_bound))
        if len(seen) == 2:
            raise KeyboardInterrupt

    found = column_generation(X, 10, progress=progress)
    assert (found.status, found.stop_reason) == ("bounded", "interrupted")
    assert found.inertia <= seen[0][0]
    assert found.lower_bound >= seen[0][1]


def test_rounding_that_stops_the_search(monkeypatch):
    """What is known stays true."""

    def solve(*given):
        raise columns.LinAlgError("primal weights are not finite")

    monkeypatch.setattr(column_branch.Bundle, "solve", solve)
    X = np.random.default_rng(0).random((8, 2))
    found = column_generation(X, 3, labels=np.arange(8) % 3)
    assert not check(X, None, 3, found) and found.stop_reason == "unresolved"


def test_interrupt_before_there_are_labels(monkeypatch):
    """One cluster of all rows, and what that costs."""

    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(columns, "local_search", interrupted)
    X = np.random.default_rng(0).random((8, 2))
    found = column_generation(X, 3)
    assert (found.stop_reason, found.status, found.proof) == ("interrupted", "bounded", ("open",))
    assert found.labels.tolist() == [0] * 8 and found.lower_bound == 0
    assert found.inertia == pytest.approx(((X - X.mean(axis=0)) ** 2).sum(), rel=1e-12)


def test_gap_asked_for():
    X = np.random.default_rng(0).random((300, 2))
    found = column_generation(X, 10, gap=0.05)
    assert found.gap <= 0.05
    assert (found.status, found.stop_reason) in {("bounded", "gap"), ("optimal", "proved")}


def test_far_from_the_origin_and_tiny():
    """Neither an offset nor the scale changes what is proved."""
    X = np.random.default_rng(0).integers(0, 64, (40, 2)) / 64
    for moved in (X, X + 2.0**30, X * 2.0**-300, X * 2.0**300):
        assert column_generation(moved, 4).status == "optimal"


@pytest.mark.parametrize("name, k", KNOWN)
def test_known_optima(name, k):
    if not (FOLDER / "best_known.csv").exists():
        pytest.skip(f"{FOLDER} is missing")
    table = {
        (row["instance"], int(row["n_clusters"])): float(row["best_inertia"])
        for row in csv.DictReader((FOLDER / "best_known.csv").open())
    }
    X = np.loadtxt(FOLDER / f"{name}.txt", skiprows=1, ndmin=2)
    found = column_generation(X, k)
    assert found.status == "optimal"
    assert found.inertia == pytest.approx(table[name, k], rel=1e-9)


def test_principal_axes_keep_the_time_limit(monkeypatch):
    """The time is up before the first prices, and the clustering that was given is the result."""

    def never(*args):
        raise AssertionError

    monkeypatch.setattr(spectrum, "PRODUCTS", 1000)
    monkeypatch.setattr(columns, "balanced_prices", never)
    X = np.random.default_rng(9).normal(size=(80, 70))
    with Clock():
        found = column_generation(X, 3, labels=np.arange(80) % 3, max_seconds=20)
    assert (found.stop_reason, found.lower_bound, found.proof) == ("time_limit", 0, ("open",))
    assert found.labels.tolist() == (np.arange(80) % 3).tolist()


def test_no_pricing_problem_is_made_when_the_time_is_up(monkeypatch):
    """Of 30,000 rows that took 0.3 s beyond the limit, with what follows it."""
    X = np.random.default_rng(0).normal(size=(50, 3))
    labels = np.arange(50, dtype=np.int32) % 4
    monkeypatch.setattr(columns, "PricingProblem", None)
    found = column_generation(X, 4, labels=labels, max_seconds=0)
    assert (
        found.stop_reason == "time_limit" and found.lower_bound == 0 and np.array_equal(found.labels, labels)
    )


def test_weights_of_equal_rows_add_up():
    """Without weights, as with weights of one."""
    X = np.array([[0.0], [1.0], [0.0], [2.0], [0.0]])
    for weights in (None, np.ones(5)):
        search = columns._Search(X, 2, weights, None, 0.0, None, None)
        assert search.true_weights == [3, 1, 1] and search.heaviest == 1
