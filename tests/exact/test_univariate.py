"""One feature: every result against the enumeration of all partitions, or against a slow exact program over runs."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ckmeans import natural_breaks, reference
from ckmeans.exact import penalized_paths, univariate
from ckmeans.exact import segmentation as line
from ckmeans.exact.penalized_paths import Paths
from ckmeans.exact.univariate import collinear, penalty_proof

KINDS = ("grid", "uniform", "stamps", "even", "wide", "wild")


def instance(rng, kind, n, weighted):
    """Values with ties, large offsets or many magnitudes, and weights."""
    values = {
        "grid": lambda: rng.integers(0, 6, n).astype(float),
        "uniform": lambda: rng.random(n),
        "stamps": lambda: 1.7e9 + rng.integers(0, 12, n),
        "even": lambda: np.arange(n) * 0.1,
        "wide": lambda: rng.choice([-1, 1], n) * 10.0 ** rng.integers(-30, 3, n),
        "wild": lambda: rng.choice([-1, 1], n) * 10.0 ** rng.integers(-150, 3, n),
    }[kind]()
    if not weighted:
        return values, None
    weights = [rng.integers(0, 4, n).astype(float), rng.random(n), 10.0 ** rng.integers(-22, 1, n)]
    weights = weights[rng.integers(3)]
    weights[rng.integers(n)] = 1
    return values, weights


def least_costs(values, weights=None):
    """The least cost of each number of runs of the values that have weight, the slow way, as Fractions."""
    weights = np.ones(len(values)) if weights is None else weights
    rows = sorted((Fraction(v), Fraction(w)) for v, w in zip(values.tolist(), weights.tolist()) if w)
    n = len(rows)
    cost = {}
    for i in range(n):
        mass = total = squares = Fraction(0)
        for j in range(i, n):
            v, w = rows[j]
            mass, total, squares = mass + w, total + w * v, squares + w * v * v
            cost[i, j + 1] = squares - total * total / mass
    least = {0: Fraction(0)}
    costs = []
    for _ in range(n):
        least = {
            j: min(least[i] + cost[i, j] for i in least if i < j) for j in range(1, n + 1) if min(least) < j
        }
        costs.append(least[n])
    return costs


def exact_cost(values, labels, weights=None):
    given = None if weights is None else weights.tolist()
    return reference.cost(values[:, None].tolist(), labels.tolist(), given)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_enumeration(kind, weighted):
    rng = np.random.default_rng([KINDS.index(kind), weighted])
    for _ in range(12):
        n = int(rng.integers(1, 7))
        values, weights = instance(rng, kind, n, weighted)
        k = int(rng.integers(1, n + 1))
        proof = penalty_proof(values, k, weights)
        rows = values[:, None].tolist()
        _, best = reference.best_partition(rows, k, None if weights is None else weights.tolist())
        assert exact_cost(values, proof.labels, weights) == proof.cost == best


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_least_costs(kind, weighted):
    """Every number of clusters, and a penalty that shows each to be optimal."""
    rng = np.random.default_rng([9, KINDS.index(kind), weighted])
    for _ in range(8 if kind == "wild" else 40):
        values, weights = instance(rng, kind, int(rng.integers(1, 16)), weighted)
        least = least_costs(values, weights)
        for k in range(1, len(least) + 1):
            proof = penalty_proof(values, k, weights)
            assert exact_cost(values, proof.labels, weights) == proof.cost == least[k - 1]
            assert all(
                proof.cost + k * proof.penalty <= c + j * proof.penalty for j, c in enumerate(least, 1)
            )


def test_result():
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(size=300), 2)
    weights = rng.integers(0, 3, 300).astype(float)
    result = natural_breaks(values, 5, sample_weight=weights)
    assert result.status == "optimal" and result.stop_reason == "proved"
    assert result.labels.dtype == np.int32 and (result.labels == result.classify(values)).all()
    heavy = weights > 0
    assert result.counts.tolist() == np.bincount(result.labels[heavy]).tolist()
    assert result.sizes.tolist() == np.bincount(result.labels, weights).tolist()
    assert result.breaks[0] == values[heavy].min()
    for c in range(5):
        own = heavy & (result.labels == c)
        assert result.breaks[c + 1] == values[own].max()
        mean = reference.mean(values[own, None].tolist(), weights[own].tolist())[0]
        assert result.centers[c] == float(mean)
        cost = exact_cost(values[own], np.zeros(own.sum(), int), weights[own])
        assert result.within[c] == pytest.approx(float(cost), rel=1e-13)
    cost = exact_cost(values[heavy], result.labels[heavy], weights[heavy])
    whole = exact_cost(values[heavy], np.zeros(heavy.sum(), int), weights[heavy])
    assert Fraction(result.lower_bound) <= cost <= Fraction(result.inertia)
    assert result.inertia <= np.nextafter(result.lower_bound, np.inf)
    assert result.goodness_of_variance_fit == float(1 - cost / whole)
    assert (result.total, result.between) == (float(whole), float(whole - cost))
    with pytest.raises(AttributeError):
        result.inertia = 0.0


def test_bic():
    """By its definition: the likelihood of a mixture of normal clusters of one variance, with hard labels."""
    values = np.concatenate([np.random.default_rng(c).normal(10 * c, 1, 50 + 10 * c) for c in range(4)])
    result = natural_breaks(values, range(1, 9))
    assert result.n_clusters == 4 and list(result.tried) == list(range(1, 9))
    n, log_likelihood = len(values), 0.0
    for c, v in zip(result.labels, values):
        variance = result.inertia / n
        share = result.sizes[c] / n
        log_likelihood += (
            np.log(share) - np.log(2 * np.pi * variance) / 2 - (v - result.centers[c]) ** 2 / 2 / variance
        )
    assert result.bic == pytest.approx(8 * np.log(n) - 2 * log_likelihood)
    own = natural_breaks(values, range(1, 9), variances="unequal").tried[4]
    variances, shares = own.within / own.sizes, own.sizes / n
    log_likelihood = (own.sizes * (np.log(shares) - np.log(2 * np.pi * variances) / 2 - 0.5)).sum()
    assert own.bic == pytest.approx(11 * np.log(n) - 2 * log_likelihood)
    perfect = natural_breaks([1.0, 2.0, 5.0] * 20, range(1, 5)).tried[3]
    assert perfect.gap == 0 and perfect.inertia == 0 and np.isfinite(perfect.bic)


def test_all_numbers_of_clusters_at_once():
    rng = np.random.default_rng(1)
    for values in (rng.random(400), rng.integers(0, 60, 400), np.arange(60.0)):
        tried = natural_breaks(values, range(1, 41)).tried
        for k, breaks in tried.items():
            single = natural_breaks(values, k)
            assert breaks.breaks.tolist() == single.breaks.tolist()
            assert breaks.inertia == single.inertia and breaks.bic == single.bic


def test_shift_scale_and_order():
    """Integers take a shift, and floats a power of two, without rounding."""
    rng = np.random.default_rng(2)
    values = rng.integers(0, 10**6, 3000)
    weights = rng.integers(1, 5, 3000)
    plain = natural_breaks(values, 7, sample_weight=weights)
    for offset in (10**9, -(10**12), 2**52):
        shifted = natural_breaks(values + offset, 7, sample_weight=weights)
        assert (shifted.labels == plain.labels).all() and shifted.inertia == plain.inertia
    for exponent in (-400, -3, 300):
        scaled = natural_breaks(np.ldexp(values.astype(float), exponent), 7, sample_weight=weights * 2.0**30)
        assert (scaled.labels == plain.labels).all()
        assert scaled.inertia == np.ldexp(plain.inertia, 2 * exponent + 30)
    order = rng.permutation(3000)
    permuted = natural_breaks(values[order], 7, sample_weight=weights[order])
    assert (permuted.labels == plain.labels[order]).all() and permuted.inertia == plain.inertia
    repeated = natural_breaks(np.repeat(values, weights), 7)
    assert repeated.breaks.tolist() == plain.breaks.tolist() and repeated.inertia == plain.inertia


def test_first_of_several_best():
    """0 1 2 3 4 into 2: {0 1} {2 3 4} or {0 1 2} {3 4}; the last break comes first."""
    assert natural_breaks(np.arange(5), 2).labels.tolist() == [0, 0, 1, 1, 1]
    result = natural_breaks(
        np.arange(1000), 7
    )  # 1000 = 7 * 142 + 6: one cluster has 142, the others 143 values
    assert (
        result.sizes.tolist() == [143, 143, 143, 143, 143, 143, 142][::-1] or sorted(result.sizes)[0] == 142
    )
    assert np.cumsum(result.sizes)[-2] == 1000 - 143


def test_large_against_small():
    """The costs of runs of equal values are those of values with weights."""
    rng = np.random.default_rng(3)
    values = rng.integers(0, 40, 100_000)
    distinct, counts = np.unique(values, return_counts=True)
    least = least_costs(distinct.astype(float), counts.astype(float))
    for k in (1, 2, 5, 17, 39, 40):
        assert penalty_proof(values, k).cost == least[k - 1]


@pytest.mark.parametrize("k", [2, 9, 60])
def test_no_single_break_can_move(k):
    """On data too large for the oracle: each break is the best one between its neighbours."""
    values = np.sort(np.random.default_rng(k).lognormal(size=20_000))
    cut = line.Line(values.copy()).cut(k)
    integers = (
        np.ldexp(values, 60).astype(object).astype(int) if False else [int(v) for v in np.ldexp(values, 60)]
    )
    sums = np.concatenate(([0], np.cumsum(np.array(integers, object))))
    for a, b, c in zip(cut.ends, cut.ends[1:], cut.ends[2:]):

        def gain(m, a=a, c=c):
            return Fraction((sums[m] - sums[a]) ** 2, int(m - a)) + Fraction(
                (sums[c] - sums[m]) ** 2, int(c - m)
            )

        near = range(max(a + 1, b - 30), min(c, b + 31))
        assert max(near, key=lambda m: (gain(m), -m)) == b


@pytest.mark.parametrize("feature, equal", [(2, 6), (3, 5)])
def test_a_variance_each_finds_fewer_classes(feature, equal):
    """Those of Ckmeans.1d.dp for the petals of Iris, whose variances differ."""
    values = load_iris().data[:, feature]
    assert natural_breaks(values, range(1, 10)).n_clusters == equal
    assert natural_breaks(values, range(1, 10), variances="unequal").n_clusters == 2
    with pytest.raises(ValueError, match="variances='each' is unknown"):
        natural_breaks(values, 3, variances="each")


@pytest.mark.parametrize("exponent", [-1040, -500, 500, 1000])
def test_sums_of_squares_are_in_units_of_the_values(exponent):
    values = np.array([1.0, 2, 4, 9, 11, 20])
    one = natural_breaks(values, 3, variances="unequal")
    other = natural_breaks(np.ldexp(values, exponent), 3, variances="unequal")
    with np.errstate(over="ignore", under="ignore"):
        for name in ("within", "total", "between"):
            assert np.array_equal(np.ldexp(getattr(one, name), 2 * exponent), getattr(other, name)), name
    assert other.bic == pytest.approx(one.bic + 2 * 6 * exponent * np.log(2))


@pytest.mark.filterwarnings("ignore:n_clusters=")
def test_few_different_values():
    with pytest.warns(
        UserWarning, match="n_clusters=3, but there are 2 different values: the other classes are empty"
    ):
        result = natural_breaks([0.0, 0.0, 1.0], 3)
    assert result.counts.tolist() == result.sizes.tolist() == [2, 0, 1] and result.within.tolist() == [
        0,
        0,
        0,
    ]
    assert result.labels.tolist() == [0, 0, 2] and result.inertia == 0
    assert result.centers.tolist() == [0, 0, 1] and result.sizes.tolist() == [2, 0, 1]
    assert result.labels.tolist() == result.classify([0.0, 0.0, 1.0]).tolist()
    assert natural_breaks([7.0], 1).centers.tolist() == [7]
    assert natural_breaks([-0.0, 0.0], 2).inertia == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint64, ">f8"])
def test_kinds_of_numbers(dtype):
    values = np.array([[3], [100], [1], [90], [2]], dtype)
    values.setflags(write=False)
    before = values.copy()
    for given in (values, values[:, 0], values[:, 0].tolist(), values[::-1][::-1]):
        result = natural_breaks(given, 2)
        assert result.labels.tolist() == [0, 1, 0, 1, 0] and result.inertia == 52
    assert (values == before).all()


def test_maps_and_series(tmp_path):
    pandas = pytest.importorskip("pandas")
    values = np.random.default_rng(4).random(1000)
    np.save(tmp_path / "values.npy", values)
    expected = natural_breaks(values, 4).labels
    assert (natural_breaks(np.load(tmp_path / "values.npy", mmap_mode="r"), 4).labels == expected).all()
    assert (natural_breaks(pandas.Series(values), 4).labels == expected).all()
    assert (natural_breaks(pandas.DataFrame({"a": values}), 4).labels == expected).all()


@pytest.mark.parametrize(
    "values, k, weights, words",
    [
        ([1.0, np.nan], 1, None, "NaN"),
        ([1.0, np.inf], 1, None, "infinity"),
        ([], 1, None, "empty"),
        (["a", "b"], 1, None, "text"),
        ([1.0, 2.0], 3, None, "n_samples=2 should be >= n_clusters=3"),
        ([1.0, 2.0], 0, None, "n_clusters=0 is too small"),
        ([1.0, 2.0], range(2, 2), None, "empty"),
        ([2**60, 1], 1, None, "beyond 2"),
        ([1.0, 2.0], 1, [1.0, -1.0], "weights must be finite"),
        ([1.0, 2.0], 1, [0.0, 0.0], "zero"),
        ([1.0, 2.0], 1, [1.0], "one weight for each"),
        (np.concatenate(([1e-100], np.arange(1.0, 700.0))), 2, None, "too far apart"),
    ],
)
def test_bad_input(values, k, weights, words):
    with pytest.raises(ValueError, match=words):
        natural_breaks(values, k, sample_weight=weights)


def test_bad_number_of_clusters():
    for k in (2.0, "2", None, True):
        with pytest.raises(TypeError, match="whole number"):
            natural_breaks([1.0, 2.0, 3.0], k)


def test_a_wrong_path_is_seen(monkeypatch):
    """What is claimed does not rest on how the paths were found: a start that is not the best shows up in the bound."""
    values = np.sort(np.random.default_rng(5).random(2000))
    paths = line.Line(values)._coarse
    paths.run(1e-3 * float(paths.scatter))
    honest = paths._tolerance()
    assert 0 < honest < 100 * paths.error
    before = paths._buffers[0]
    for t in (3, 500, 1999, 2000):
        right = before[t]
        before[t] = right + 1 if right + 1 < t else right - 1
        damage = values_lost(paths.table, t, before[t], right)
        assert damage > 1e6 * honest
        assert paths._tolerance() > 0.99 * damage
        before[t] = right


def values_lost(table, t, start, best):
    """How much a step to t costs more from one start than from the best."""
    cost = [
        table[i, 2] - (table[t, 1] - table[i, 1]) ** 2 / (table[t, 0] - table[i, 0]) for i in (start, best)
    ]
    return cost[0] - cost[1]


def test_poor_floats_cost_time_not_truth(monkeypatch):
    """With a wrong penalty and few digits the sieves keep more nodes, and the result is the same."""
    values = np.random.default_rng(6).random(40)
    expected = natural_breaks(values, 6)
    monkeypatch.setattr(Paths, "_proposal", lambda self, k, turn: None if turn else self.scatter / k**3)
    monkeypatch.setattr(line, "ROUNDING", 1e-9)
    monkeypatch.setattr(line, "PAIR_ROUNDING", 1e-9)
    result = natural_breaks(values, 6)
    assert result.breaks.tolist() == expected.breaks.tolist() and result.inertia == expected.inertia
    proof = penalty_proof(values, 6)
    least = least_costs(values)
    assert proof.cost == least[5]
    assert all(proof.cost + 6 * proof.penalty <= c + j * proof.penalty for j, c in enumerate(least, 1))


def test_collinear():
    rng = np.random.default_rng(7)
    along = rng.integers(0, 50, 40).astype(float)
    X = np.column_stack([3 * along + 1, np.full(40, 7.0), -4 * along])
    feature, factor = collinear(X)
    assert feature == 2 and factor == Fraction(25, 16)
    proof = penalty_proof(X[:, feature], 5)
    assert reference.cost(X.tolist(), proof.labels.tolist()) == factor * proof.cost
    X[17, 0] = np.nextafter(X[17, 0], np.inf)
    assert collinear(X) is None
    assert collinear(np.full((3, 2), 1.5)) == (0, 1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_many_values_are_sorted_digit_by_digit(monkeypatch, kind, weighted):
    """In slices of 50: negative numbers, both zeros and the least and greatest floats in their order, weights beside them."""
    monkeypatch.setattr(univariate, "SLICE", 50)
    rng = np.random.default_rng(0)
    values, weights = instance(rng, kind, 400, weighted)
    values[:8] = [-0.0, 0.0, 5e-324, -5e-324, 1.7e308, -1.7e308, 1.0, -1.0]
    before = values.copy()
    order = np.argsort(values, kind="stable")
    rows, own = univariate._dealt(values, weights)
    assert np.array_equal(rows, values[order]) and np.array_equal(values, before)
    assert own is None if weights is None else np.array_equal(np.sort(own), np.sort(weights))
    for value in np.unique(values) if weighted else ():  # of equal values the weights may be in any order
        assert np.array_equal(np.sort(own[rows == value]), np.sort(weights[values == value]))
    values = values[8:]
    weights = None if weights is None else weights[8:]
    plain = penalty_proof(values, 3, weights)
    monkeypatch.setattr(univariate, "SHORT", 0)
    found = penalty_proof(values, 3, weights)
    assert found.cost == plain.cost and np.array_equal(found.labels, plain.labels)


def test_no_penalty_is_found_in_a_thinned_problem(monkeypatch):
    """The search in all values begins with what there is of it."""
    values = np.cumsum(np.random.default_rng(0).random(5000))
    found = penalty_proof(values, 4)
    monkeypatch.setattr(penalized_paths, "MOST_RUNS", 1)
    again = penalty_proof(values, 4)
    assert again.cost == found.cost and np.array_equal(again.labels, found.labels)


@pytest.mark.parametrize("module, name, value", [(penalized_paths, "MOST_RUNS", 1), (line, "CHUNK", 1)])
def test_the_optimum_whatever_the_search_for_a_penalty_finds(monkeypatch, module, name, value):
    """A search that ends at once, and sums that are made piece by piece: slower to prove, and the same."""
    cases = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        values, weights = instance(rng, KINDS[seed % len(KINDS)], 60, seed % 2)
        k = int(rng.integers(1, 9))
        cases.append((values, weights, k, penalty_proof(values, k, weights)))
    monkeypatch.setattr(module, name, value)
    for values, weights, k, found in cases:
        again = penalty_proof(values, k, weights)
        assert again.cost == found.cost and np.array_equal(again.labels, found.labels)


def test_clumps_that_are_too_tight(monkeypatch):
    monkeypatch.setattr(line, "MOST_STEPS", 5)
    with pytest.raises(ValueError, match="more than 5 runs of values cannot be told apart"):
        natural_breaks(np.arange(50.0), 7)
