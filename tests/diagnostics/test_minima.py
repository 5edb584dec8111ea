"""The fixed points of Lloyd's iteration against the oracle: all of few rows, and where many starts lead."""

import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import exact_grid, numbers
from sklearn.datasets import load_iris

from ckmeans import KMeans, certify, exhaustive_search, landscape, reference
from ckmeans.diagnostics import minima
from ckmeans.local import small
from ckmeans.workers import Workers

IRIS = load_iris().data
FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
FAST = settings(deadline=None, max_examples=30)
SEEDS = st.integers(0, 2**32 - 1)
# Three blobs, and two starts in one of them.
BLOBS = np.array([[0, 0], [0, 1], [1, 0], [10, 0], [10, 1], [11, 0], [5, 9], [5, 10], [6, 9]], float)
TRAP = [[[0, 0], [1, 0], [8, 5]]]


def canonical(labels):
    seen = {}
    return tuple(seen.setdefault(label, len(seen)) for label in map(int, labels))


def fixed_points(X, k, weights=None):
    """All partitions into as many clusters as there can be where Lloyd's iteration stays, by the oracle."""
    rows, weights = numbers(X), numbers(weights) or [1.0] * len(X)
    heavy = [i for i, w in enumerate(weights) if w]
    used = min(k, len({tuple(rows[i]) for i in heavy}))
    found = set()
    for own in reference.partitions(len(heavy), used):
        if max(own) + 1 < used:
            continue
        means = reference.update([rows[i] for i in heavy], own, used, [weights[i] for i in heavy])
        for order in permutations(range(used)):
            labels = reference.assign([rows[i] for i in heavy], [means[j] for j in order])
            if len(set(zip(own, labels))) > used:  # not even but for the names, nor for other ties
                ties = [
                    reference.sq_distance(rows[i], means[a])
                    == reference.sq_distance(rows[i], means[order[b]])
                    for i, a, b in zip(heavy, own, labels)
                ]
                if not all(ties):
                    break
            if canonical(labels) == tuple(own):
                found.add(tuple(own))
                break
    return found, heavy


def movable(X, labels, weights=None):
    """Rows whose move alone lowers the cost, by the oracle."""
    X, weights = numbers(X), numbers(weights)
    before, n = reference.cost(X, labels, weights), 0
    for i, old in enumerate(labels):
        moved = [[*labels[:i], new, *labels[i + 1 :]] for new in range(max(labels) + 1) if new != old]
        n += any(reference.cost(X, other, weights) < before for other in moved)
    return n


def everything(found):
    arrays = (
        found.labels,
        found.centers,
        found.inertia,
        found.counts,
        found.n_iter,
        found.n_movable,
        found.ends,
    )
    return [array.tobytes() for array in arrays] + [found.complete, found.stop_reason]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["normal", "grid"])
@FAST
@given(SEEDS)
def test_enumeration_is_that_of_the_oracle(kind, weighted, seed):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(1, 8), rng.integers(1, 4), rng.integers(1, 4)
    X = rng.normal(size=(n, d)) if kind == "normal" else rng.integers(0, 3, (n, d)).astype(float)
    weights = None
    if weighted:
        weights = rng.integers(0, 3, n).astype(float)
        weights[rng.integers(n)] = 1
    k = min(k, n)
    expected, heavy = fixed_points(X, k, weights)
    search = minima.FixedPointSearch(X, k, weights)
    search.run(Workers(1))
    assert {canonical(labels) for labels in search.found} == expected
    found = landscape(X, k, 5, sample_weight=weights, random_state=0)
    assert found.complete
    listed = {canonical(labels[heavy]) for labels in found.labels}
    assert listed >= expected
    if kind == "normal":  # else means that are rounded can break ties, or make them
        assert listed == expected


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_enumeration_at_any_scale(scale):
    X = np.random.default_rng(0).normal(size=(7, 2))
    found = landscape(X * scale, 3, 20, random_state=0)
    assert {tuple(labels) for labels in found.labels.tolist()} == fixed_points(X, 3)[0]


def test_enumeration_far_from_the_origin():
    X = np.random.default_rng(1).integers(-40, 40, (7, 2)) / 8 + 2.0**40
    found = landscape(X, 3, 20, random_state=0)
    assert {tuple(labels) for labels in found.labels.tolist()} == fixed_points(X, 3)[0]


@pytest.mark.parametrize("ulps, n", [(-2, 2), (0, 2), (2, 1)])
def test_nearly_tied(ulps, n):
    """The row near 2 is as far from 1, the mean of it and 0, as from 3, but for the last bits."""
    for X in ([[0.0], [2 + ulps * 2**-52], [3.0]], [[0.0, 0.0], [2 + ulps * 2**-52, 0.0], [3.0, 0.0]]):
        search = minima.FixedPointSearch(np.array(X), 2)
        search.run(Workers(1))
        assert len(search.found) == n
        assert {canonical(labels) for labels in search.found} == fixed_points(np.array(X), 2)[0]


def test_one_feature_at_any_size():
    x = np.random.default_rng(2).normal(size=60)
    found = landscape(x[:, None], 3, 300, init="random", random_state=0)
    assert found.complete
    assert found.counts.sum() == 300
    cuts = [(a, b) for a in range(1, 59) for b in range(a + 1, 60)]
    x, n = np.sort(x), 0
    for a, b in cuts:
        m = [x[:a].mean(), x[a:b].mean(), x[b:].mean()]
        n += x[a - 1] < (m[0] + m[1]) / 2 < x[a] and x[b - 1] < (m[1] + m[2]) / 2 < x[b]
    assert len(found) == n


@pytest.mark.parametrize("name, k, step", [("cg_ruspini", 4, 6), ("iris", 3, 12)])
def test_parts_of_the_classics_are_exact(name, k, step):
    X = IRIS if name == "iris" else _instance(name)
    X = X[::step]
    found = landscape(X, k, 500, random_state=0, certificate=certify(X, n_clusters=k, random_state=0))
    best = exhaustive_search(X, k)
    assert found.complete and found.proved
    assert found.labels[0].tolist() == best.labels.tolist()
    assert found.inertia[0] == pytest.approx(best.inertia, rel=1e-12)
    assert found.excess_over_bound[0] == pytest.approx(0, abs=1e-12)
    assert len(found) > 3 and 0 < found.hit_rate < 1
    # What is listed is a fixed point, and what starts end in is listed.
    for labels, centers in zip(found.labels.tolist(), numbers(found.centers)):
        assert reference.assign(numbers(X), centers) == labels
    again = landscape(X, k, 500, random_state=1, exhaustive=False)
    assert {row.tobytes() for row in again.labels} <= {row.tobytes() for row in found.labels}


def _instance(name):
    if not (FOLDER / f"{name}.txt").exists():
        pytest.skip(f"no ../shared/data/{name}.txt")
    return np.loadtxt(FOLDER / f"{name}.txt", skiprows=1)


def test_the_trap():
    """Two starts in one of three blobs: the iteration rests where two blobs share a center, and the list says so."""
    found = landscape(BLOBS, 3, init=TRAP)
    assert found.complete and found.n_starts == 1
    assert found.labels[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    trapped = int(found.ends[0])
    assert found.labels[trapped].tolist() == [0, 0, 1, 2, 2, 2, 2, 2, 2]
    assert found.counts.tolist() == [int(i == trapped) for i in range(len(found))]
    assert found.excess[trapped] > 20
    assert {tuple(labels) for labels in found.labels.tolist()} == fixed_points(BLOBS, 3)[0]
    assert found.restarts_needed() == math.inf and found.hit_rate == 0


@pytest.mark.parametrize("name, k, cost", [("iris", 3, 78.851441426146), ("cg_ruspini", 4, 12881.0512361466)])
def test_certified_classics(name, k, cost):
    X = IRIS if name == "iris" else _instance(name)
    found = landscape(X, k, 1000, random_state=0, certificate=certify(X, n_clusters=k, random_state=0))
    assert found.proved and not found.complete
    assert found.inertia[0] == pytest.approx(cost, rel=1e-9)
    assert found.excess_over_bound[0] == pytest.approx(0, abs=1e-12)
    assert (found.excess_over_bound[1:] > 1e-6).all()


def test_too_many_fixed_points(monkeypatch):
    monkeypatch.setattr(minima, "MOST_FOUND", 10)
    X = np.eye(8)
    assert not landscape(X, 3, 10, random_state=0).complete
    with pytest.raises(ValueError, match="give exhaustive=False"):
        landscape(X, 3, 10, random_state=0, exhaustive=True)


@pytest.mark.parametrize("weighted", [False, True])
@FAST
@given(SEEDS)
def test_starts_end_where_the_oracle_does(weighted, seed):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(3, 8), rng.integers(1, 3), rng.integers(1, 4)
    X, weights, _ = exact_grid(rng, n, d, k, weighted=weighted)
    init = np.array([X[rng.choice(n, k, replace=False)] for _ in range(4)])
    found = landscape(X, k, sample_weight=weights, init=init)
    assert found.n_starts == 4
    for centers, end in zip(init, found.ends):
        labels, means, filled = None, numbers(centers), True
        while filled and (step := reference.lloyd_step(numbers(X), means, numbers(weights)))[0] != labels:
            labels, means = step
            filled = None not in reference.update(numbers(X), labels, k, numbers(weights))
        if not filled:
            continue  # there is no oracle for how an empty cluster is filled
        assert tuple(found.labels[end].tolist()) == canonical(labels)


def test_starts_are_those_of_kmeans():
    for init in ("k-means++", "plain k-means++", "random"):
        found = landscape(IRIS, 5, 40, init=init, random_state=7)
        model = KMeans(5, init=init, n_init=40, polish=False, random_state=7).fit(IRIS)
        assert found.inertia[0] == pytest.approx(model.inertia_, rel=1e-12)
        assert canonical(model.labels_) == tuple(found.labels[0].tolist())
        assert found.hit_rate == model.hit_rate_


@pytest.mark.parametrize("kind", ["normal", "grid", "far", "weighted", "denormal"])
def test_same_bits_for_any_number_of_threads(kind, monkeypatch):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 3))
    weights = rng.integers(1, 4, 300).astype(float) if kind == "weighted" else None
    if kind == "grid":
        X = rng.integers(0, 4, (300, 3)).astype(float)
    if kind == "far":
        X += 1e8 * rng.integers(0, 2, (300, 1))
    if kind == "denormal":
        X *= 1e-310
    one, two = (landscape(X, 6, 300, sample_weight=weights, random_state=5, n_threads=n) for n in (1, 3))
    assert everything(one) == everything(two)
    if kind == "denormal":
        return
    monkeypatch.setattr(small, "MOST_ROWS", 0)
    general = landscape(X, 6, 300, sample_weight=weights, random_state=5)
    assert general.labels.tobytes() == one.labels.tobytes()
    assert general.counts.tolist() == one.counts.tolist()
    np.testing.assert_allclose(general.inertia, one.inertia, rtol=1e-12)
    np.testing.assert_allclose(general.centers, one.centers, rtol=1e-12, atol=1e-12)
    assert general.n_movable.tolist() == one.n_movable.tolist()
    assert general.n_iter.tolist() == one.n_iter.tolist()


def test_a_start_that_the_quick_kernels_leave(monkeypatch):
    kernel, calls = minima.kernels.lloyd_runs, []

    def leaving(*args):
        status = kernel(*args)
        args[-1][::3, 0] = -1
        calls.append(status)
        return status

    expected = landscape(IRIS, 4, 90, random_state=0)
    monkeypatch.setattr(minima.kernels, "lloyd_runs", leaving)
    found = landscape(IRIS, 4, 90, random_state=0)
    assert calls
    assert found.labels.tobytes() == expected.labels.tobytes()
    assert found.ends.tolist() == expected.ends.tolist()


def test_large_data():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(3000, 2)) + 10 * np.array(c) for c in ([0, 0], [0, 1], [1, 0], [1, 1])])
    found = landscape(X, 4, 12, random_state=0)
    assert found.n_starts == 12 and not found.complete
    assert found.inertia[0] == pytest.approx(2 * 12000, rel=0.05)


def test_exchange_optimality_is_that_of_the_oracle():
    X = np.random.default_rng(4).normal(size=(9, 2))
    found = landscape(X, 3, 200, random_state=0)
    for labels, n in zip(found.labels.tolist(), found.n_movable):
        assert movable(X, labels) == n
    unlisted = landscape(X, 3, 200, random_state=0, exhaustive=False)
    assert set(unlisted.inertia.tolist()) <= {round(v, 20) for v in found.inertia.tolist()} | set(
        found.inertia.tolist()
    )
    for labels, n in zip(unlisted.labels.tolist(), unlisted.n_movable):
        assert movable(X, labels) == n
