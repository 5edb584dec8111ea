"""The search by populations: as good as all partitions are, on few rows; never worse than what it began with."""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from children import interrupted, needs_signals
from clocks import Clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from problems import consistent, exact_cost, numbers
from sklearn.datasets import load_iris

from ckmeans import KMeans, reference
from ckmeans.local import hybrid
from ckmeans.local.hybrid import hybrid_search
from ckmeans.local.random_stream import RandomStream
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers

FAST = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)
SEEDS = st.integers(0, 2**32 - 1)
FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
IRIS = load_iris().data


@pytest.fixture(params=["compiled", "stepwise"])
def improver(request, monkeypatch):
    """Both ways to make local searches: of few rows, and of many."""
    if request.param == "stepwise":
        monkeypatch.setattr(hybrid, "COMPILED_WORK", 0)
    return request.param


@pytest.mark.parametrize("seed", range(3))
def test_an_end_where_rounding_goes_in_circles(improver, seed):
    """Far from the origin rows of a grid are moved back and forth, each time for a gain that is none."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (50, 3)).astype(float)
    init = X[rng.choice(50, 12, replace=False)]
    near, far = (
        KMeans(12, algorithm="hybrid", n_init=1, init=init + offset, random_state=0, max_seconds=60).fit(
            X + offset
        )
        for offset in (0.0, 1e6)
    )
    assert near.stop_reason_ == far.stop_reason_ == "converged"
    assert far.inertia_ == pytest.approx(near.inertia_, rel=1e-6)
    consistent(far, X + 1e6)


def few(rng, weighted, n=7):
    """A few rows with duplicates and ties, weights, and a number of clusters."""
    X = rng.integers(0, 5, (n, int(rng.integers(1, 4)))).astype(float)
    weights = rng.integers(0, 4, n).astype(float) if weighted else None
    if weighted:
        weights[rng.integers(n)] = 1
    return X, weights, int(rng.integers(1, 5))


@pytest.mark.parametrize("weighted", [False, True])
@given(seed=SEEDS)
@FAST
def test_finds_the_optimum_of_few_rows(weighted, seed):
    X, weights, k = few(np.random.default_rng(seed), weighted)
    found = hybrid_search(X, k, sample_weight=weights, rng=seed, n_threads=1)
    optimum = reference.cost(
        numbers(X), reference.best_partition(numbers(X), k, numbers(weights))[0], numbers(weights)
    )
    assert exact_cost(X, found.labels, weights) == optimum
    assert found.inertia == pytest.approx(float(optimum), rel=1e-12, abs=1e-12)


def test_labels_centers_and_inertia_belong_together(improver):
    rng = np.random.default_rng(0)
    for dtype in (np.float64, np.float32):
        for weights in (None, rng.integers(0, 3, 150).astype(float)):
            for offset in (0, 1e4):
                X = (IRIS + offset).astype(dtype)
                model = KMeans(7, algorithm="hybrid", random_state=0, n_init=1).fit(X, sample_weight=weights)
                consistent(model, X, weights)
                assert model.stop_reason_ == "converged" and model.n_restarts_ == 1
                centers = model.cluster_centers_
                assert (np.lexsort(centers.T[::-1]) == np.arange(7)).all()


def test_no_exchange_lowers_the_inertia(improver):
    X = np.random.default_rng(1).normal(size=(60, 2))
    labels = hybrid_search(X, 6, rng=0).labels.tolist()
    cost = exact_cost(X, labels)
    for i in range(60):
        for k in range(6):
            other = labels[:i] + [k] + labels[i + 1 :]
            assert exact_cost(X, other) >= cost * (1 - Fraction(1, 10**10))


def test_better_than_restarts(improver):
    X = np.random.default_rng(0).normal(size=(600, 2))
    for seed in range(3):
        found = hybrid_search(X, 30, rng=seed, n_init=1)
        assert found.inertia < KMeans(30, n_init=10, random_state=seed).fit(X).inertia_


@pytest.mark.parametrize("share", [0, 1])
def test_children_take_after_both_parents(monkeypatch, share):
    """Each center comes from a parent, one of every matched pair; and one is a row if wanted."""
    monkeypatch.setattr(hybrid, "SWAPPED", share)
    X = np.random.default_rng(0).normal(size=(200, 2))
    with Workers(1) as workers:
        rows = Rows(X, None, workers)
        search = hybrid.Hybrid(rows, 6, "k-means++", 1, RandomStream(0))
        search.make_founders(X)
        parents = [member.centers.tolist() for member in search.members]
        assert len(parents) > 1
        mixed = 0
        for child in np.concatenate([search.children() for _ in range(10)]).tolist():
            new = [center for center in child if not any(center in parent for parent in parents)]
            from_rows = [center for center in new if center in X.tolist()]
            assert len(new) == len(from_rows) <= 1
            sources = [parent for parent in parents if any(center in parent for center in child)]
            mixed += not any(sum(center in parent for center in child) >= 5 for parent in sources)
            assert len(set(map(tuple, child))) == 6
            assert (
                share or not new or any(sum(center in parent for center in child) == 5 for parent in parents)
            )
            assert not share or len(new) == 1
        assert mixed > 10


def test_swaps_alone(monkeypatch):
    """Where there are very many clusters their centers are not matched."""
    monkeypatch.setattr(hybrid, "MOST_MATCHED", 1)
    X = np.random.default_rng(0).normal(size=(300, 2))
    founders = min(KMeans(20, n_init=1, random_state=seed).fit(X).inertia_ for seed in range(8))
    assert hybrid_search(X, 20, rng=0, n_init=1).inertia < founders


def test_the_same_bits_for_every_number_of_threads(improver, monkeypatch):
    monkeypatch.setattr(hybrid, "BLOCK_WORK", 1)  # every search is worth a thread
    X = np.random.default_rng(0).integers(0, 12, (700, 3)).astype(float)
    found = [hybrid_search(X, 20, rng=5, n_init=2, n_threads=n) for n in (1, 2, 5)]
    assert len({(each.doubtful_share, each.computed_share) for each in found}) == 1
    assert found[0].doubtful_share > 0
    for other in found[1:]:
        assert other.labels.tobytes() == found[0].labels.tobytes()
        assert other.centers.tobytes() == found[0].centers.tobytes()
        assert (other.inertia, other.n_hits, other.n_iter) == (
            found[0].inertia,
            found[0].n_hits,
            found[0].n_iter,
        )


@pytest.mark.parametrize("k", [4, 6])
def test_no_more_distinct_rows_than_clusters(improver, k):
    X = np.repeat([[0.0, 1], [3, 1], [5, 5], [9, 0]], 5, axis=0)
    model = KMeans(k, algorithm="hybrid", random_state=0).fit(X)
    consistent(model, X)
    assert (model.inertia_, model.status_) == (0, "optimal")


@pytest.mark.parametrize("value", [1e200, 1e-200, 1e95])
def test_extreme_rows(value):
    X = IRIS[::5] * value
    model = KMeans(3, algorithm="hybrid", random_state=0, n_init=1).fit(X)
    expected = KMeans(3, algorithm="hybrid", random_state=0, n_init=1).fit(IRIS[::5])
    assert model.inertia_ in (0, np.inf) or model.inertia_ == pytest.approx(expected.inertia_ * value**2)
    assert len(np.unique(model.labels_)) == 3


def test_groups_far_apart():
    """Scores in single precision tell rows of the same group apart by their rounding only: panels go on in double."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(50, 2)) + 1e6 * g for g in range(3)])
    found = hybrid_search(X, 9, rng=0, n_init=1)
    apart = sum(hybrid_search(X[50 * g :][:50], 3, rng=0, n_init=1).inertia for g in range(3))
    assert found.inertia <= apart * (1 + 1e-9)


def test_one_cluster(improver):
    model = KMeans(1, algorithm="hybrid", random_state=0).fit(IRIS)
    consistent(model, IRIS)
    assert (model.status_, model.n_restarts_) == ("optimal", 1)


@pytest.mark.parametrize(
    "init",
    [
        "random",
        "k-means||",
        "plain k-means++",
        IRIS[:5],
        lambda X, k, rng: X[rng.choice(len(X), k, replace=False)],
    ],
)
def test_starts(improver, init):
    model = KMeans(5, init=init, algorithm="hybrid", random_state=3).fit(IRIS)
    consistent(model, IRIS)
    assert model.inertia_ == pytest.approx(46.4461820512821, rel=1e-9)


def test_given_centers_are_among_the_founders(improver):
    X = np.random.default_rng(2).normal(size=(300, 2))
    good = hybrid_search(X, 25, rng=0).centers
    seen = []
    hybrid_search(X, 25, init=good, rng=1, n_init=1, progress=lambda n, inertia: seen.append((n, inertia)))
    first = KMeans(25, init=good, n_init=1).fit(X).inertia_
    assert min(inertia for _, inertia in seen) <= first * (1 + 1e-12)
    assert seen == sorted(seen, key=lambda pair: -pair[1]) and {n for n, _ in seen} == {1}


def test_easy_data_end_after_one_population():
    X = np.concatenate([np.random.default_rng(g).normal(scale=0.1, size=(40, 2)) + 10 * g for g in range(4)])
    model = KMeans(4, algorithm="hybrid", random_state=0).fit(X)
    assert (model.n_restarts_, model.hit_rate_) == (1, 1.0)


@pytest.mark.parametrize("seconds", [0, 3, 40, 150])
def test_time_limit(improver, seconds):
    X = np.random.default_rng(0).normal(size=(1000, 4))
    with Clock():
        model = KMeans(30, algorithm="hybrid", random_state=0, n_init=1000, max_seconds=seconds).fit(X)
    assert model.stop_reason_ == "time_limit"
    consistent(model, X)


@pytest.mark.parametrize("look", [3, 40, 150, 600])
def test_an_interrupt_leaves_the_best_so_far(improver, look):
    X = np.random.default_rng(0).normal(size=(1000, 4))
    seen = []
    model = KMeans(
        30, algorithm="hybrid", random_state=0, n_init=1000, verbose=lambda n, inertia: seen.append(inertia)
    )
    with Clock(interrupt=look):
        with pytest.raises(KeyboardInterrupt):
            model.fit(X)
    assert model.stop_reason_ == "interrupted"
    consistent(model, X)
    assert (seen or look < 600) and model.inertia_ <= min(seen, default=np.inf) * (1 + 1e-9)


@needs_signals
@pytest.mark.parametrize("kind", ["Compiled", "Stepwise"])
def test_ctrl_c_leaves_the_best_so_far(kind):
    """In the midst of the local searches of a generation."""
    told = interrupted(f"""
from ckmeans import KMeans
from ckmeans.local import hybrid
X, seen = np.random.default_rng(0).normal(size=(1000, 4)), []
if "{kind}" == "Stepwise":
    hybrid.Compiled.suits = lambda *_: False
def progress(n, inertia):
    if not seen:
        hybrid.{kind}.run = held(hybrid.{kind}.run)
    seen.append(inertia)
model = KMeans(30, algorithm="hybrid", random_state=0, n_init=1000, verbose=progress)
try:
    model.fit(X)
except KeyboardInterrupt:
    same = bool((model.predict(X) == model.labels_).all())
    tell(reason=model.stop_reason_, same=same, best=min(seen), inertia=model.inertia_)
""")
    assert told["reason"] == "interrupted" and told["same"]
    assert told["inertia"] <= told["best"] * (1 + 1e-9)


@pytest.mark.parametrize(
    "kwargs, word",
    [({"max_iter": 5}, "max_iter=5"), ({"tol": 0.1}, "tol=0.1"), ({"polish": False}, "polish=False")],
)
def test_what_it_has_no_use_for(kwargs, word):
    with pytest.raises(ValueError, match=f"{word} is for the other algorithms.*max_seconds"):
        KMeans(3, algorithm="hybrid", **kwargs).fit(IRIS)


def test_files_are_refused(tmp_path):
    np.save(tmp_path / "rows.npy", IRIS)
    with pytest.raises(ValueError, match="X comes in blocks: give it as one array"):
        KMeans(3, algorithm="hybrid").fit(tmp_path / "rows.npy")


@pytest.mark.parametrize(
    "name, k",
    [
        ("cg_ruspini", 8),
        ("sos_iris", 10),
        ("sos_wine", 10),
        ("cg_gr202", 10),
        ("hg_liver", 15),
        ("cg_u1060", 30),
    ],
)
def test_best_known(name, k):
    if not (FOLDER / "best_known.csv").exists():
        pytest.skip(f"no {FOLDER}")
    rows = csv.DictReader((FOLDER / "best_known.csv").open())
    known = next(
        float(row["best_inertia"]) for row in rows if row["instance"] == name and int(row["n_clusters"]) == k
    )
    X = np.loadtxt(FOLDER / f"{name}.txt", skiprows=1, ndmin=2)
    assert KMeans(k, algorithm="hybrid", random_state=0).fit(X).inertia_ <= known * (1 + 1e-9)
