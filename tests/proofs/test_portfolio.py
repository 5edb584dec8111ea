"""Certificates against the oracle: no bound above the optimum, "optimal" is the optimum, and the checker accepts every proof.

CKMEANS_TEST_FACTOR=50 makes the random instances thousands.
"""

import csv
import math
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from children import interrupted, needs_signals
from clocks import Clock
from scipy.linalg import LinAlgError
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris, make_blobs

from ckmeans import certify, check, reference
from ckmeans.exact import column_branch, prices
from ckmeans.proofs import methods, portfolio
from ckmeans.proofs.certificate import Certificate
from ckmeans.proofs.instance import Deadline, Instance
from ckmeans.proofs.portfolio import prove

FACTOR = int(os.environ.get("CKMEANS_TEST_FACTOR", 1))
FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
KNOWN = [
    ("cg_ruspini", 4),
    ("cg_ruspini", 8),
    ("hg_german", 10),
    ("hg_bavaria1", 7),
    ("tsp_eil51", 6),
    ("sos_iris", 4),
    ("cg_gr202", 6),
]
IRIS = load_iris().data


def instance(rng):
    """Few rows, often with ties, equal rows and weights (some zero)."""
    n, d, kind = int(rng.integers(1, 10)), int(rng.integers(1, 4)), int(rng.integers(4))
    X = rng.random((n, d)) if kind == 3 else rng.integers(0, [3, 8, 50][kind], (n, d)).astype(float)
    weights = None
    if rng.random() < 0.4:
        weights = rng.integers(0, 4, n) * (rng.random(n) if rng.random() < 0.3 else np.ones(n))
        weights[rng.integers(n)] = 1
    return X, weights, int(rng.integers(1, min(4, n) + 1))


def optimum(X, k, weights=None):
    return _optimum(tuple(map(tuple, X.tolist())), k, None if weights is None else tuple(weights.tolist()))


@cache  # the methods are held against the same instances
def _optimum(X, k, weights):
    return reference.best_partition(X, k, weights)[1]


def optima(X, k, weights, best):
    """How many partitions of the rows with weight are optimal."""
    heavy = np.ones(len(X), bool) if weights is None else weights > 0
    X, own = X[heavy].tolist(), None if weights is None else weights[heavy].tolist()
    return sum(reference.cost(X, labels, own) == best for labels in reference.partitions(len(X), k))


def holds(certificate, X, weights, best, unchecked=False):
    """Nothing is claimed that is not so; returns whether the optimum was proved."""
    given = reference.cost(
        X.tolist(), certificate.labels.tolist(), None if weights is None else weights.tolist()
    )
    assert certificate.exact_inertia == given >= best >= certificate.exact_lower_bound >= 0
    code, said = check.verdict(certificate.text().encode())
    assert code == check.PROVED, said
    assert certificate.checked or unchecked
    if certificate.status != "bounded":
        assert given == best == certificate.exact_lower_bound
        assert certificate.stop_reason == "proved"
    if certificate.status == "optimal-unique":
        assert optima(X, certificate.n_clusters, weights, best) == 1
    return certificate.status != "bounded"


@pytest.mark.parametrize("seed", range(10))
def test_certify_finds_and_proves_the_optimum(seed):
    rng = np.random.default_rng(seed)
    for _ in range(3 * FACTOR):
        X, weights, k = instance(rng)
        certificate = certify(X, n_clusters=k, sample_weight=weights, random_state=0)
        assert holds(certificate, X, weights, optimum(X, k, weights))
        assert certificate.better is None


PROVING = {
    "trivial": False,
    "line": True,
    "tree": True,
    "longer tree": True,
    "prices": True,
    "sdp": False,
    "pca": False,
    "sum": False,
}


@pytest.mark.parametrize("method", PROVING)
def test_each_method_alone(method):
    """From a poor clustering or none: what it claims is so, and a method that can prove optima does."""
    rng, n_proved, n_bounds, n_all = np.random.default_rng(7), 0, 0, 0
    for _ in range(8 * FACTOR):
        X, weights, k = instance(rng)
        X = X[:, :1] if method == "line" else X
        labels = (np.arange(len(X)) % k).astype(np.int32) if rng.random() < 0.5 else None
        found = prove(X, k, sample_weight=weights, labels=labels, methods=[method], rng=0)
        best = optimum(X, k, weights)
        last = found if found.better is None else found.better
        assert set(found.seconds) <= {method, "check"}
        n_proved += holds(last, X, weights, best)
        holds(found, X, weights, best)
        n_bounds += last.method == method and last.exact_lower_bound > 0
        n_all += best > 0
        if PROVING[method] and best > 0:
            assert last.status != "bounded", (X, weights, k)
    assert n_bounds > (0 if method == "trivial" else n_all / 10)
    assert n_proved > 0 or method == "sum"


def test_what_is_plain_to_see():
    X = np.array([[0.0, 1.0], [0.0, 1.0], [3.0, 4.0], [5.0, 5.0]])
    for k, inertia in ((1, None), (3, 0.0), (4, 0.0)):
        found = certify(X, n_clusters=k)
        assert found.status.startswith("optimal") and found.method == "trivial"
        assert inertia is None or found.inertia == found.lower_bound == inertia
        assert list(found.seconds) == ["trivial", "check"]
    assert certify(X, n_clusters=1).status == "optimal-unique"
    assert certify(X, [1, 1, 1, 2], n_clusters=3).better.inertia == 0


def test_rows_on_a_line():
    t = np.round(np.random.default_rng(0).random(500) * 4096) / 64
    found = certify(np.column_stack([t, 3 * t + 7, -t]), n_clusters=6)
    assert (found.method, found.status) == ("line", "optimal")
    one = certify(t[:, None], n_clusters=6)
    assert found.exact_inertia == 11 * one.exact_inertia


@pytest.mark.parametrize("k", [2, 3, 5])
def test_iris(k, tmp_path):
    known = {2: 152.34795176035792, 3: 78.85144142614601, 5: 46.44618205128205}
    found = certify(IRIS, n_clusters=k, random_state=0)
    assert found.status == "optimal-unique" and found.inertia == pytest.approx(known[k], rel=1e-12)
    assert found.lower_bound == pytest.approx(found.inertia, rel=1e-15)
    found.save(tmp_path / "iris.ckc")
    run = subprocess.run(
        [sys.executable, "-m", "ckmeans.check", str(tmp_path / "iris.ckc")], capture_output=True, text=True
    )
    assert run.returncode == 0 and "proved optimal-unique" in run.stdout


def test_a_worse_clustering_is_told_how_far_it_is():
    labels = AgglomerativeClustering(3).fit_predict(IRIS)
    found = certify(IRIS, labels, random_state=0)
    assert found.status == "bounded" and np.array_equal(found.labels, labels)
    assert found.better.status == "optimal-unique" and found.better.inertia < found.inertia
    assert found.exact_lower_bound <= found.better.exact_inertia
    assert 0 < 1 - found.better.inertia / found.inertia <= found.gap + 1e-15 < 0.02
    assert check.verdict(found.text().encode())[0] == check.PROVED
    assert "a better clustering was found, inertia 78.8514: optimal" in str(found)
    assert np.array_equal(found.better_labels, found.better.labels)


def test_labels_of_any_kind_and_centers():
    labels = AgglomerativeClustering(3).fit_predict(IRIS)
    inertia = certify(IRIS, labels, time_limit=0).exact_inertia
    names = np.array(["a", "b", "c"])[labels]
    for other in (
        labels * 10 - 300,
        labels.astype(float),
        labels.tolist(),
        names,
        names.astype(object),
        labels.astype(np.int8),
    ):
        assert certify(IRIS, other, time_limit=0).exact_inertia == inertia
    model = AgglomerativeClustering(3).fit(IRIS)  # which has no centers
    assert certify(IRIS, model, time_limit=0).exact_inertia == inertia
    assert certify(IRIS, labels > 0, time_limit=0).n_clusters == 2
    assert certify(IRIS, labels, n_clusters=4, time_limit=0).n_clusters == 4
    centers = IRIS[[0, 60, 110]]
    found = certify(IRIS, centers=centers, time_limit=0)
    assert found.labels.tolist() == reference.assign(IRIS.tolist(), centers.tolist())


BAD = [
    (dict(labels=[0, 1]), "labels have shape (2,); X has 150 rows"),
    (dict(labels=[0] * 149 + [-1]), "-1 (noise) in 1 of 150 rows"),
    (dict(labels=[0.5] * 150), "labels[0] is 0.5: give whole numbers"),
    (dict(labels=[np.nan] * 150), "labels[0] is nan"),
    (dict(labels=[None] * 150), "neither a whole number nor a name"),
    (dict(labels=[0, 1, 2] * 50, n_clusters=2), "n_clusters=2, but there are 3 different labels"),
    (dict(labels=[0, 1, 2] * 50, n_clusters=151), "n_samples=150 should be >= n_clusters=151"),
    (dict(), "nothing to certify"),
    (dict(labels=[0] * 150, centers=IRIS[:1]), "both given"),
    (dict(centers=IRIS[:2, :3]), "centers have 3 features, X has 4"),
    (dict(n_clusters=0), "n_clusters=0 is too small"),
    (dict(n_clusters=3, time_limit=-1), "time_limit=-1"),
    (dict(n_clusters=3, gap="no"), "gap='no'"),
    (dict(n_clusters=3, n_threads=0), "n_threads=0"),
    (dict(n_clusters=3, random_state="x"), "random_state='x' is not a whole number"),
    (dict(n_clusters=3, random_state=-1), "random_state=-1 is too small"),
    (dict(n_clusters=3, sample_weight=[1.0]), "sample_weight has shape (1,)"),
]


@pytest.mark.parametrize("kwargs, words", BAD, ids=[words for _, words in BAD])
def test_bad_input_is_one_line(kwargs, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        certify(IRIS, **kwargs)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "X, words", [([1.0, 2.0], "dimension"), ([[np.nan]], "NaN"), ([["a"]], "text"), ([[]], "shape")]
)
def test_bad_rows_are_one_line(X, words):
    with pytest.raises(ValueError, match=words):
        certify(X, n_clusters=1)


def test_a_gap_is_enough():
    X = np.random.default_rng(0).random((300, 2))
    found = certify(X, n_clusters=10, gap=0.05, random_state=0)
    assert found.gap <= 0.05 and found.stop_reason in ("gap", "proved")
    assert check.verdict(found.text().encode())[0] == check.PROVED


@pytest.mark.parametrize("limit", [0, 20, 100, 300])
def test_a_time_limit_leaves_a_true_bound(limit):
    X = np.random.default_rng(0).normal(size=(300, 3))
    with Clock() as clock:
        found = certify(X, n_clusters=3, time_limit=limit, random_state=0)
        assert clock.looks <= limit + 40
    assert (found.status, found.stop_reason) == ("bounded", "time_limit")
    assert 0 <= found.lower_bound < found.inertia and (found.lower_bound > 0 or limit < 100)
    assert check.verdict(found.text().encode())[0] == check.PROVED


@pytest.mark.parametrize("look", [2, 5, 10, 30, 60, 100, 200, 300])
def test_interrupted(look):
    """An interrupt at any moment, once there are the data: what is known until then."""
    X = np.random.default_rng(0).normal(size=(200, 3))
    with Clock(interrupt=look):
        found = certify(X, n_clusters=5, time_limit=None, random_state=0)
    assert (found.status, found.stop_reason) == ("bounded", "interrupted")
    assert check.verdict(found.text().encode())[0] == check.PROVED


@needs_signals
@pytest.mark.parametrize(
    "at", ["search", "tree", "prices", "in the midst of a search", "in the midst of prices"]
)
def test_ctrl_c(at):
    told = interrupted(f"""
from ckmeans import certify; from ckmeans import check; from ckmeans.local import hybrid; from ckmeans.exact import prices
if {at!r} == "in the midst of a search":
    hybrid.Compiled.run = held(hybrid.Compiled.run)
if {at!r} == "in the midst of prices":
    prices.PricingProblem.search = held(prices.PricingProblem.search)
def progress(method, *known):
    if method == {at!r}:
        here()
X = np.random.default_rng(0).normal(size=(200, 3))
found = certify(X, n_clusters=5, time_limit=None, random_state=0, progress=progress)
tell(status=found.status, reason=found.stop_reason, accepted=check.verdict(found.text().encode())[0] == check.PROVED)
""")
    assert told == {"status": "bounded", "reason": "interrupted", "accepted": True}


def test_progress_closes():
    seen = []
    found = certify(IRIS, n_clusters=3, random_state=0, progress=lambda *known: seen.append(known))
    assert {"search", "pca", "prices"} <= {method for method, _, _ in seen}
    assert all(lower <= inertia for _, inertia, lower in seen)
    assert seen[-1][1] == found.inertia
    with pytest.raises(ZeroDivisionError):
        certify(IRIS, n_clusters=3, progress=lambda *known: 1 / 0)


def test_branches_are_accepted(monkeypatch):
    """The checker has to accept branches, with rows together in them."""

    def few(sets, n_clusters, check=None):
        if len(sets) > 3 * n_clusters:
            raise column_branch.TooManyCovers
        return covers(sets, n_clusters, check)

    covers = column_branch.covers
    monkeypatch.setattr(column_branch, "covers", few)
    X = np.random.default_rng(51).integers(0, 12, (30, 2)).astype(float)
    found = prove(X, 6, methods=["search", "prices"], rng=0)
    assert found.status == "optimal-unique" and found.proof[0].startswith("proof branch")


def test_groups_of_many_rows():
    X, _ = make_blobs(5000, 2, centers=4, cluster_std=2.0, random_state=0)
    with Clock():
        found = prove(X, 4, time_limit=1e8, methods=["search", "sum"], rng=0)
    assert (found.method, found.status) == ("sum", "bounded")
    assert found.gap < 0.2
    assert found.exact_lower_bound > prove(X, 4, labels=found.labels, methods=["pca"]).exact_lower_bound


def test_groups_of_many_rows_and_features():
    """By the semidefinite bound of each group."""
    X, _ = make_blobs(500, 12, centers=5, cluster_std=4.0, random_state=0)
    found = prove(X, 5, gap=0.02, rng=0, methods=["search", "sum"])
    assert found.method == "sum" and found.checked and 0 < found.gap <= 0.02
    assert "proof sdp" in found.text()


def test_many_rows_in_the_plane():
    """Prices for all of them: without the time to end, and a checker that needs some too, still a true bound."""
    X = make_blobs(5000, 2, centers=4, cluster_std=2.0, random_state=0)[0].round(2)
    found = certify(X, n_clusters=4, gap=0.05, random_state=0)
    assert found.method == "prices" and found.checked and found.gap <= 0.05


def test_what_the_checker_refuses_is_not_claimed(monkeypatch):
    """A method that errs: the claim is not made, and no bound is left of it."""

    def liar(*known):
        evidence = methods.prices(*known)
        lie = [evidence.proof[0].rpartition(" ")[0] + " m=1", *evidence.proof[1:]]
        return methods.Evidence(lie, evidence.lower * 2, evidence.labels, True, "proved")

    monkeypatch.setitem(methods.METHODS, "prices", liar)
    X = np.random.default_rng(0).random((30, 2))
    found = prove(X, 3, methods=["search", "prices"], rng=0)
    assert found.status == "bounded" and found.exact_lower_bound == 0 and found.stop_reason != "proved"


@pytest.mark.parametrize("slip", ["pca", "tree", "sdp", "line", "sum"])
@pytest.mark.parametrize("given", [False, True])
def test_what_is_published_is_what_the_checker_finds(monkeypatch, slip, given):
    """A method that states twice what its lines prove: published is what they do."""
    plain = methods.METHODS[slip]

    def twice(*known):
        found = plain(*known)
        return replace(found, lower=2 * found.lower, optimal=False)

    X = np.random.default_rng(3).random((40, 1 if slip == "line" else 3)).round(3)
    labels = (np.arange(40) % 3).astype(np.int32) if given else None
    true = prove(X, 3, labels=labels, methods=["search", slip], rng=0)
    monkeypatch.setitem(methods.METHODS, slip, twice)
    found = prove(X, 3, labels=labels, methods=["search", slip], rng=0)
    assert found.checked and 0 < found.exact_lower_bound <= (true.better or true).exact_inertia
    assert found.exact_lower_bound <= true.exact_lower_bound * (1 + Fraction(1, 10**9)) or slip == "sdp"
    assert check.verdict(found.text().encode())[0] == check.PROVED


@pytest.mark.parametrize("nth", [1, 2, 4])
@pytest.mark.parametrize(
    "name",
    ["open", "take", "confirm", "ask", "keep", "check_bound", "certificate", "as_certificate", "offer"],
)
def test_interrupted_in_any_step(monkeypatch, tmp_path, name, nth):
    """Ctrl-C is not raised again: what is known is returned, whatever was going on."""
    plain, n_calls, X = (
        getattr(portfolio.Portfolio, name),
        0,
        np.random.default_rng(1).random((30, 2)).round(2),
    )

    def stop(self, *args, **kwargs):
        nonlocal n_calls
        n_calls += hasattr(self, "claim")  # only when the rows are read
        if n_calls == nth:
            raise KeyboardInterrupt
        return plain(self, *args, **kwargs)

    labels = AgglomerativeClustering(3).fit_predict(X)
    best = certify(X, n_clusters=3, random_state=0).exact_inertia
    monkeypatch.setattr(portfolio.Portfolio, name, stop)
    path = tmp_path / "a.ckpt"
    found = certify(X, labels, random_state=0, checkpoint=path)
    assert (found.stop_reason == "interrupted") == (n_calls >= nth)
    assert found.exact_lower_bound <= best <= found.exact_inertia
    assert check.verdict(found.text().encode())[0] == check.PROVED
    monkeypatch.undo()
    again = certify(X, labels, random_state=0, checkpoint=path)
    assert (again.better or again).exact_inertia == best and (again.better or again).status != "bounded"


@pytest.mark.parametrize("unit", [-1e-6, -1e-2, 1e-3])
def test_wrong_margins_neither_crash_nor_lie(monkeypatch, unit):
    """Were the margins for rounding wrong, the checker would refuse: the next lower bound stays, and the search ends."""
    monkeypatch.setattr(prices, "U", unit)
    X = np.random.default_rng(3).random((40, 3))
    best = prove(X, 3, rng=0, methods=["search"]).exact_inertia
    with Clock():
        found = prove(X, 3, rng=0, time_limit=1000, methods=["search", "pca", "prices"])
    assert found.exact_lower_bound <= best and found.stop_reason != "interrupted"
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_shares_that_are_not_finite_end_the_search(monkeypatch):
    def broken(*args, **kwargs):
        raise LinAlgError

    monkeypatch.setattr("ckmeans.exact.bundle.kernels.backward", broken)
    found = prove(np.random.default_rng(3).random((150, 2)), 5, rng=0, methods=["search", "prices"])
    assert found.status == "bounded" and found.stop_reason == "unresolved"
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_a_checker_without_time_claims_nothing_optimal(monkeypatch):
    monkeypatch.setattr(check, "LIMIT", 1)
    monkeypatch.setattr(check, "STEPS_A_BYTE", 0)
    found = prove(IRIS, 3, methods=["search", "prices"], rng=0)
    assert (found.status, found.stop_reason, found.checked) == ("bounded", "unchecked", False)
    assert 0.9 < found.lower_bound / found.inertia <= 1
    none = prove(IRIS, 3, methods=["search"], rng=0)
    assert (none.exact_lower_bound, none.checked) == (0, False) and none.exact_inertia == found.exact_inertia
    monkeypatch.undo()
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_first_prices_are_not_the_last_ones(monkeypatch):
    """Prices that are only tried have a share of the time: that this is up is not why all ends, and there are prices again."""
    most = []

    def brief(instance, incumbent, run):
        most.append(run.most)
        return methods.Evidence(methods.trivial_proof(), stop_reason="time_limit")

    monkeypatch.setitem(methods.METHODS, "prices", brief)
    own = portfolio.Portfolio(Instance(np.arange(8.0)[:, None] ** 2, 2), methods.Run(Deadline(100)))
    own.take("first prices")
    assert own.stop_reason == "unresolved" and "prices" not in own.done
    own.take("prices")
    assert own.stop_reason == "time_limit" and most[0] < most[1]


def test_loaded_again(tmp_path):
    found = certify(IRIS, n_clusters=2, random_state=0)
    found.save(tmp_path / "a.ckc", with_rows=False)
    again = Certificate.load(tmp_path / "a.ckc", IRIS)
    assert again.text() == found.text() and again.status == found.status
    assert repr(found).startswith("<Certificate: 2 clusters of 150 rows, inertia 152.348: optimal")


@pytest.mark.parametrize("name, k", KNOWN)
def test_known_optima(name, k):
    if not (FOLDER / "best_known.csv").exists():
        pytest.skip(f"{FOLDER} is missing")
    with (FOLDER / "best_known.csv").open() as table:
        known = {
            (row["instance"], int(row["n_clusters"])): float(row["best_inertia"])
            for row in csv.DictReader(table)
        }
    X = np.loadtxt(FOLDER / f"{name}.txt", skiprows=1, ndmin=2)
    found = certify(X, n_clusters=k, random_state=0)
    assert found.lower_bound <= known[name, k] * (1 + 1e-9) and found.inertia >= known[name, k] * (1 - 1e-9)
    assert Fraction(found.lower_bound) <= found.exact_lower_bound
    assert check.verdict(found.text().encode())[0] == check.PROVED
    assert found.status.startswith("optimal")


def test_no_method_is_left_out():
    assert set(PROVING) | {"search", "sweep"} == set(methods.METHODS)
    assert portfolio.METHODS is methods.METHODS


@pytest.mark.parametrize(
    "told, ahead",
    [
        (
            [(1, 0.08), (5, 0.04), (10, 0.01)],
            0.01 * 0.25 ** (0.5 * 65 / 5),
        ),  # as fast as in the second half, halved
        ([(1, 0.08), (5, 0.01)], 0.01),  # nothing since then
        ([(8, 0.01)], 0.01 * 1.0),  # nothing to compare it with
        ([], 0.01),
    ],
)
def test_the_gap_ahead(monkeypatch, told, ahead):
    """What a method that was cut off would leave, by how fast its gap fell of late."""
    own = portfolio.Portfolio(Instance(np.arange(8.0)[:, None] ** 2, 2), methods.Run(Deadline(100)))
    own.deadline.start, own.gaps = 0.0, told
    monkeypatch.setattr(portfolio, "monotonic", lambda: 10.0)
    monkeypatch.setattr("ckmeans.proofs.instance.monotonic", lambda: 10.0)
    own.accept("prices", methods.Evidence([], own.incumbent.cost * Fraction(99, 100)))
    assert own.gap_ahead() == pytest.approx(ahead)


def test_short_prices_before_a_matrix(monkeypatch):
    """Where few axes matter prices are tried first, for a time that one matrix would take half of, and go on after it."""
    X = np.random.default_rng(0).normal(size=(290, 6)) * [8, 5, 4, 1, 1, 1]
    for d, first in ((6, ["short prices", "sdp", "prices"]), (9, ["sdp", "prices"])):
        given = X if d == 6 else np.random.default_rng(1).normal(size=(290, d))  # along nine axes
        own = portfolio.Portfolio(Instance(given, 3), methods.Run(Deadline(60)))
        assert [name for name in own.suitable() if name in ("short prices", "sdp", "prices")] == first
    taken = []

    def prices(instance, incumbent, run):
        taken.append(run.most)
        return methods.Evidence([], Fraction(0), stop_reason="time_limit")

    monkeypatch.setitem(methods.METHODS, "prices", prices)
    own = portfolio.Portfolio(Instance(X, 3), methods.Run(Deadline(60)))
    own.take("short prices")
    assert own.stop_reason == "unresolved" and "prices" not in own.done
    own.take("prices")
    assert taken == [pytest.approx(1.5e-5 * 290**2), math.inf] and own.stop_reason == "time_limit"
