"""EM for spherical mixtures: against the exact reference, against k-means in the limit, against GaussianMixture."""

import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clocks import Clock
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris, make_blobs
from sklearn.mixture import GaussianMixture

from ckmeans import reference
from ckmeans.local import mixture, posteriors
from ckmeans.local.mixture import critical_variance, fit_mixture
from ckmeans.local.posteriors import Parameters, Passes, score_rows
from ckmeans.workers import Workers

IRIS = load_iris().data
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def blobs(n=60, d=3, k=3, seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(k, d)) * 4
    return centers[rng.integers(k, size=n)] + spread * rng.normal(size=(n, d))


def some_parameters(X, k, seed=0, variance=None):
    rng = np.random.default_rng(seed)
    variances = rng.uniform(0.5, 2, size=k) if variance is None else np.full(k, variance)
    weights = rng.uniform(0.2, 1, size=k)
    return Parameters(
        X[rng.choice(len(X), k, replace=False)].astype(float), variances, weights / weights.sum()
    )


def inertia(X, means):
    return ((X[:, None] - means) ** 2).sum(axis=2).min(axis=1).sum()


CASES = {
    "plain": (blobs(), None),
    "offset 1e8": (blobs() + 1e8, None),
    "float32": (blobs().astype(np.float32), None),
    "duplicates": (np.repeat(blobs(6), 5, axis=0), None),
    "integer grid": (np.random.default_rng(1).integers(0, 3, size=(40, 2)).astype(float), None),
    "large variance": (blobs(), 1e12),
    "small variance": (blobs(spread=1e-4), 1e-6),
    "far away": (np.vstack([blobs(), [[1e6, -1e6, 0], [1e9, 1e9, 1e9], [-1e150, 0, 1e150]]]), None),
    "one row": (np.array([[3.0, -2.0]]), None),
}


@pytest.mark.parametrize("name", CASES)
def test_rows_against_reference(name):
    X, variance = CASES[name]
    parameters = some_parameters(X[:60], min(4, len(X)), variance=variance)
    density, r = score_rows(X, *parameters, responsibilities=True)
    joint = reference.log_joint(X.tolist(), *(p.tolist() for p in parameters))
    # An exponent of size s is known to some units of s 2^-53, and that is what its exp is wrong by, relatively.
    size = np.array([[float(abs(v)) for v in row] for row in joint])
    exact = np.array(reference.responsibilities(X.tolist(), *(p.tolist() for p in parameters)), dtype=float)
    tolerance = 1e-13 + 4e-16 * (size + size.min(axis=1, keepdims=True))
    assert (np.abs(r - exact) <= np.minimum(tolerance, 1e300) * exact + 1e-300).all()
    assert r.sum(axis=1) == pytest.approx(1, rel=1e-14)
    exact = [reference.log_likelihood([x], *(p.tolist() for p in parameters)) for x in X.tolist()]
    assert density == pytest.approx(np.array(exact, dtype=float), rel=1e-12, abs=1e-13)
    labels = score_rows(X, *parameters)[1]
    best = [max(range(len(row)), key=lambda k: (row[k], -k)) for row in joint]
    assert labels.tolist() == best


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("variance", ["tied", "per-cluster"])
def test_one_iteration_against_exact_closed_forms(offset, variance):
    X = np.round(blobs(40) * 64) / 64 + offset
    weight = np.arange(40) % 3 / 2.0
    start = some_parameters(X, 3)
    fit = fit_mixture(
        X,
        [start.means],
        variance=variance,
        sample_weight=weight,
        variances=start.variances,
        weights=start.weights,
        max_iter=1,
    )
    r = [
        [Fraction(v) for v in row]
        for row in reference.responsibilities(X.tolist(), *(p.tolist() for p in start))
    ]
    masses, scatters = [], []
    for k in range(3):
        share = [Fraction(w) * row[k] for w, row in zip(weight, r)]
        mean = reference.mean(X.tolist(), share)
        assert fit.means[k] - offset == pytest.approx(
            [float(v - Fraction(offset)) for v in mean], abs=2e-16 * (offset + 10)
        )
        masses.append(sum(share))
        scatters.append(sum(s * reference.sq_distance(x, mean) for s, x in zip(share, X.tolist())))
    expected = (
        [sum(scatters) / sum(masses)] * 3 if variance == "tied" else [s / m for s, m in zip(scatters, masses)]
    )
    assert fit.variances == pytest.approx([float(v) / 3 for v in expected], rel=1e-12)
    assert fit.weights == pytest.approx([float(m / sum(masses)) for m in masses], rel=1e-13)
    exact = reference.log_likelihood(
        X.tolist(), fit.means.tolist(), fit.variances.tolist(), fit.weights.tolist(), weight.tolist()
    )
    assert fit.log_likelihood == pytest.approx(float(exact), rel=1e-12)


def test_scatter_survives_means_that_move_far():
    X = np.array([[0.0], [1e-3], [2e-3], [3e-3]])
    fit = fit_mixture(X, [np.array([[1e6]])], variance="tied", variances=[1.0], max_iter=1)
    assert fit.variances[0] == pytest.approx(1.25e-6, rel=1e-9)


def steps(X, parameters, variance, mixing, weight, n):
    """The log-likelihoods of n plain iterations, without the guard of the solver."""
    passes = Passes(X, weight, Workers(1))
    rule = mixture._Rule(variance, mixing == "estimated", passes.spread_and_floor()[1])
    for _ in range(n):
        log_likelihood, sums = passes.accumulate(parameters)
        yield log_likelihood, parameters
        parameters = mixture._maximise(passes, parameters, sums, rule)


weighted_rows = st.lists(
    st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 3)), min_size=4, max_size=25
).filter(lambda rows: any(w for *_, w in rows))


@settings(max_examples=400, deadline=None)
@given(
    weighted_rows,
    st.sampled_from(["fixed", "tied", "per-cluster"]),
    st.sampled_from(["uniform", "estimated"]),
    st.integers(1, 4),
    st.sampled_from([0.0, 1e8]),
    st.floats(0.01, 100),
)
def test_log_likelihood_never_falls(rows, variance, mixing, k, offset, start_variance):
    X = np.array([row[:2] for row in rows], dtype=float) + offset
    weight = np.array([row[2] for row in rows], dtype=float)
    start = Parameters(X[:k].copy(), np.full(k, start_variance), np.full(k, 1 / k))
    previous = -math.inf
    for value, parameters in steps(X, start, variance, mixing, weight, 12):
        # Logarithms of tiny variances and squares over them are what rounding can be seen against.
        size = (
            abs(value)
            + 50 * weight.sum()
            + (weight.sum() / parameters.variances.min() * (offset * 2.3e-16) ** 2) * 1e14
        )
        assert value >= previous - 1e-13 * size
        previous = value
    fit = fit_mixture(
        X,
        [X[:k]],
        variance=start_variance if variance == "fixed" else variance,
        mixing=mixing,
        sample_weight=weight,
        max_iter=30,
    )
    assert all(a <= b for a, b in pairwise(fit.history))
    assert fit.history[-1] == fit.log_likelihood
    assert len(fit.history) == fit.n_iter + 1
    if mixing == "uniform":
        assert (fit.weights == 1 / k).all()


def test_a_wrong_iteration_would_be_seen(monkeypatch):
    maximise = mixture._maximise
    monkeypatch.setattr(
        mixture, "_maximise", lambda *args: (p := maximise(*args))._replace(means=p.means + 0.1)
    )
    values = [value for value, _ in steps(IRIS, some_parameters(IRIS, 3), "tied", "estimated", None, 30)]
    assert any(b < a - 1e-9 for a, b in pairwise(values))


# ---- the point of it: k-means is the hard side and the limit


@settings(max_examples=300, deadline=None)
@given(weighted_rows, st.integers(1, 4), st.sampled_from([0.125, 1.0, 37.0]))
def test_hard_responsibilities_make_k_means_steps(rows, k, variance):
    """Classification EM with uniform mixing and one variance is Lloyd's iteration (Celeux and Govaert 1992)."""
    X = np.array([row[:2] for row in rows], dtype=float)
    weight = np.array([row[2] for row in rows], dtype=float)
    passes = Passes(X, weight, Workers(1))
    means = X[:k].copy()
    for step in range(4):
        parameters = Parameters(means, np.full(k, variance), np.full(k, 1 / k))
        soft = score_rows(X, *parameters, responsibilities=True)[1].argmax(axis=1)
        labels, exact = reference.lloyd_step(X.tolist(), means.tolist(), weight.tolist())
        if (
            step and soft.tolist() != labels
        ):  # means are fractions now: two can be equally near but for rounding
            for x, ours, theirs in zip(X.tolist(), soft, labels):
                near = [reference.sq_distance(x, means[c].tolist()) for c in (ours, theirs)]
                assert near[0] - near[1] <= 1e-15 * near[1] + variance * 1e-15
            return
        assert soft.tolist() == labels == score_rows(X, *parameters)[1].tolist()
        _, sums = passes.accumulate(parameters, hard=True)
        means = mixture._maximise(passes, parameters, sums, mixture._Rule("fixed", False)).means
        assert means == pytest.approx(np.array(exact, dtype=float), rel=1e-14, abs=1e-14)


@pytest.mark.parametrize("mixing", ["uniform", "estimated"])
def test_small_variance_ends_at_a_fixed_point_of_k_means(mixing):
    X = blobs(200, 2, 5, seed=3)
    start = X[:5]
    fit = fit_mixture(X, [start], variance=1e-7, mixing=mixing)
    labels = score_rows(X, fit.means, fit.variances, fit.weights)[1]
    assert fit.converged
    assert labels.tolist() == reference.assign(X.tolist(), fit.means.tolist())
    assert fit.means == pytest.approx(np.array([X[labels == k].mean(axis=0) for k in range(5)]), rel=1e-12)
    exact_labels, exact_means = reference.lloyd(X.tolist(), start.tolist())
    assert labels.tolist() == exact_labels
    assert fit.means == pytest.approx(np.array(exact_means, dtype=float), rel=1e-12)


@pytest.mark.parametrize("mixing", ["uniform", "estimated"])
@pytest.mark.parametrize("seed", range(5))
def test_annealing_finds_the_best_k_means_of_iris(mixing, seed):
    fit = fit_mixture(
        IRIS,
        [IRIS[[0, 1, 2]]],
        variance=1e-6,
        mixing=mixing,
        anneal=20,
        random_state=np.random.RandomState(seed),
    )
    assert inertia(IRIS, fit.means) == pytest.approx(78.851441426146, rel=1e-12)
    labels = score_rows(IRIS, fit.means, fit.variances, fit.weights)[1]
    assert labels.tolist() == reference.assign(IRIS.tolist(), fit.means.tolist())
    assert fit.means == pytest.approx(np.array([IRIS[labels == k].mean(axis=0) for k in range(3)]), rel=1e-12)
    assert (fit.variances == 1e-6).all()


@pytest.mark.parametrize(
    "name, k, best",
    [("cg_ruspini", 5, 10126.7197881828), ("sos_wine", 8, 323211.552634654), ("gg_s1", 15, 8917615616867.26)],
)
def test_annealing_finds_best_known_values(name, k, best):
    path = DATA / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    X = np.loadtxt(path, skiprows=1)
    small = 1e-4 * best / X.size
    fit = fit_mixture(
        X, [X[:k]], variance=small, mixing="uniform", anneal=20, random_state=np.random.RandomState(0)
    )
    assert inertia(X, fit.means) == pytest.approx(best, rel=1e-9)


def test_above_the_critical_variance_all_means_coincide():
    critical = critical_variance(IRIS, np.ones(150))
    assert critical == pytest.approx(np.linalg.eigvalsh(np.cov(IRIS.T, bias=True))[-1])
    assert critical_variance(IRIS[:3], np.array([1.0, 2, 1])) == pytest.approx(
        np.linalg.eigvalsh(np.cov(IRIS[[0, 1, 1, 2]].T, bias=True))[-1]
    )
    for factor, together in ((1.3, True), (0.7, False)):
        fit = fit_mixture(
            IRIS, [IRIS[[0, 70, 140]]], variance=factor * critical, mixing="uniform", tol=1e-14, max_iter=5000
        )
        assert (np.ptp(fit.means, axis=0).max() < 1e-3) == together


def test_annealing_schedules():
    random = np.random.RandomState
    fit = fit_mixture(
        IRIS, [IRIS[:3]], variance=0.01, anneal=np.array([4.0, 1.0, 0.1]), random_state=random(0)
    )
    again = fit_mixture(
        IRIS, [IRIS[:3]], variance=0.01, anneal=np.array([4.0, 1.0, 0.1]), random_state=random(0)
    )
    assert (fit.means == again.means).all() and fit.log_likelihood == again.log_likelihood
    assert (fit.variances == 0.01).all()
    cold = fit_mixture(IRIS, [IRIS[:3]], variance=0.01)
    assert fit.log_likelihood > cold.log_likelihood
    tied = fit_mixture(IRIS, [IRIS[:3]], variance="tied", anneal=10, random_state=random(0))
    assert tied.log_likelihood == pytest.approx(-401.8021958398, abs=1e-3)
    assert len(tied.history) < tied.n_iter


# ---- against GaussianMixture


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["iris", "blobs"])
def test_same_optimum_as_gaussian_mixture(name):
    X = (
        IRIS
        if name == "iris"
        else make_blobs(400, 6, centers=4, cluster_std=[0.5, 1, 1.5, 2], random_state=5)[0]
    )
    k = 3 if name == "iris" else 4
    start = Parameters(X[:: len(X) // k][:k].copy(), np.full(k, 2.0), np.full(k, 1 / k))
    peer = GaussianMixture(
        k,
        covariance_type="spherical",
        means_init=start.means,
        weights_init=start.weights,
        precisions_init=1 / start.variances,
        reg_covar=0,
        tol=0,
        max_iter=1500,
    ).fit(X)
    *_, (log_likelihood, end) = steps(X, start, "per-cluster", "estimated", None, 1501)
    assert log_likelihood / len(X) == pytest.approx(peer.score(X), rel=1e-12)
    assert end.means == pytest.approx(peer.means_, rel=1e-8)
    assert end.variances == pytest.approx(peer.covariances_, rel=1e-8)
    assert end.weights == pytest.approx(peer.weights_, rel=1e-8)
    assert score_rows(X, *end, responsibilities=True)[1] == pytest.approx(peer.predict_proba(X), abs=1e-8)
    # The solver stops where the likelihood rises no more; there the optimum is flat to the root of the rounding.
    fit = fit_mixture(
        X, [start.means], variance="per-cluster", variances=start.variances, tol=0, max_iter=1500
    )
    assert fit.converged and not fit.n_collapsed
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-12)
    assert fit.means == pytest.approx(end.means, rel=1e-5)


# ---- weights, bits, stopping


@pytest.mark.parametrize("variance", [1.0, "tied", "per-cluster"])
@pytest.mark.parametrize("scale", [1.0, 1e-320, 1e300])
def test_weights_are_repetitions(variance, scale):
    X = blobs(50)
    weight = np.arange(50) % 4 * scale
    start = X[1:4]
    fit = fit_mixture(X, [start], variance=variance, sample_weight=weight, max_iter=20)
    repeated = fit_mixture(np.repeat(X, np.arange(50) % 4, axis=0), [start], variance=variance, max_iter=20)
    assert fit.means == pytest.approx(repeated.means, rel=1e-10)
    assert fit.variances == pytest.approx(repeated.variances, rel=1e-10)
    assert fit.weights == pytest.approx(repeated.weights, rel=1e-10)
    if scale != 1e-320:
        assert fit.log_likelihood == pytest.approx(scale * repeated.log_likelihood, rel=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_bits_on_any_number_of_threads(dtype, monkeypatch):
    monkeypatch.setattr(posteriors, "BLOCK_WORK", 2**13)  # many blocks, on little data
    X = blobs(5000, 4, 5).astype(dtype)
    fits = [fit_mixture(X, [X[:5]], variance="per-cluster", max_iter=15, n_threads=t) for t in (1, 2, 3)]
    rows = [
        score_rows(X, *(fits[0].means, fits[0].variances, fits[0].weights), n_threads=t) for t in (1, 2, 3)
    ]
    for fit, (density, labels) in zip(fits, rows):
        assert fit.history == fits[0].history
        assert fit.means.tobytes() == fits[0].means.tobytes()
        assert fit.variances.tobytes() == fits[0].variances.tobytes()
        assert density.tobytes() == rows[0][0].tobytes() and (labels == rows[0][1]).all()


def interrupt_after(monkeypatch, n_passes, error):
    accumulate = Passes.accumulate
    left = [n_passes]

    def interrupted(self, *args, **kwargs):
        left[0] -= 1
        if left[0] == -1:
            raise error
        return accumulate(self, *args, **kwargs)

    monkeypatch.setattr(Passes, "accumulate", interrupted)


@pytest.mark.parametrize("anneal", [None, 5])
@pytest.mark.parametrize("n_passes", [*range(30), 100])
@pytest.mark.parametrize(
    "error, reason", [(KeyboardInterrupt, "interrupted"), (mixture.Expired, "time_limit")]
)
@pytest.mark.parametrize("variance", [0.1, "tied"])
def test_stopped_fits_are_whole(variance, anneal, n_passes, error, reason, monkeypatch):
    interrupt_after(monkeypatch, n_passes + (variance == "tied"), error)  # the first pass measures X itself
    fit = fit_mixture(
        IRIS, [IRIS[:3]], variance=variance, anneal=anneal, tol=0, random_state=np.random.RandomState(0)
    )
    assert fit.stop_reason in (reason, "converged") and (n_passes > 10 or fit.stop_reason == reason)
    assert fit.log_likelihood == fit.history[-1]
    assert fit.log_likelihood == pytest.approx(
        score_rows(IRIS, fit.means, fit.variances, fit.weights)[0].sum(), rel=1e-12
    )
    assert variance == "tied" or (fit.variances == 0.1).all()


@pytest.mark.parametrize("seconds", [0, 1, 5, 100])
def test_time_limit(seconds):
    X = blobs(1000, 4, 8)
    with Clock():
        starts = (X[i : i + 8] for i in range(900))
        fit = fit_mixture(X, starts, variance="tied", tol=0, max_seconds=seconds)
    assert fit.stop_reason == "time_limit" and math.isfinite(fit.log_likelihood)
    assert fit.log_likelihood == pytest.approx(
        score_rows(X, fit.means, fit.variances, fit.weights)[0].sum(), rel=1e-12
    )
    assert fit_mixture(X, [X[:8]], max_seconds=0).stop_reason == "time_limit"


def test_best_of_several_starts():
    starts = [IRIS[[0, 1, 2]], IRIS[[0, 60, 140]], IRIS[[50, 51, 52]]]
    single = [fit_mixture(IRIS, [start], variance=0.05).log_likelihood for start in starts]
    seen = []
    assert fit_mixture(IRIS, starts, variance=0.05, report=seen.append).log_likelihood == max(single)
    assert [fit.log_likelihood for fit in seen] == single


# ---- degenerate data


def test_variances_keep_a_floor():
    X = np.repeat([[0.0, 0.0], [5.0, 5.0], [9.0, 0.0]], 4, axis=0)
    for variance in ("tied", "per-cluster"):
        fit = fit_mixture(X, [X[[0, 4, 8]]], variance=variance)
        assert fit.n_collapsed == 3 and (fit.variances > 0).all()
        assert fit.means == pytest.approx(X[[0, 4, 8]]) and math.isfinite(fit.log_likelihood)
    zeros = fit_mixture(np.zeros((5, 2)), [np.zeros((2, 2))], variance="tied")
    assert (zeros.variances == 1).all() and zeros.n_collapsed == 2


def test_a_collapsed_fit_does_not_win():
    X = np.vstack([blobs(40, 2, 2), [[30.0, 30.0]]])
    spike, whole = X[[0, 40]], np.array([X[:20].mean(axis=0), X[20:40].mean(axis=0)])
    assert fit_mixture(X, [spike], variance="per-cluster").n_collapsed == 1
    fits = []
    best = fit_mixture(X, [spike, whole], variance="per-cluster", report=fits.append)
    assert [fit.n_collapsed for fit in fits] == [1, 0] or best.n_collapsed == min(
        fit.n_collapsed for fit in fits
    )


def test_two_far_groups():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(50, 2)) - 1e9, rng.normal(size=(50, 2)) + 1e9])
    fit = fit_mixture(X, [X[[0, 99]]], variance="per-cluster")
    assert fit.variances == pytest.approx([X[:50].var(axis=0).mean(), X[50:].var(axis=0).mean()], rel=1e-6)


def test_equal_means_and_components_without_rows():
    fit = fit_mixture(IRIS, [np.vstack([IRIS[[0, 0]], [[1e5] * 4]])], variance=1.0, max_iter=5)
    assert (fit.means[0] == fit.means[1]).all() and fit.weights[2] == 0
    assert fit.means[2].tolist() == [1e5] * 4


def test_overflow_names_the_rows():
    X = np.array([[0.0], [1.0], [1e200], [-1e200]])
    with pytest.raises(ValueError, match="2, 3.*rescale"):
        fit_mixture(X, [X[:2]])
    with pytest.raises(ValueError, match="2, 3.*rescale"):
        score_rows(X, X[:2], np.ones(2), np.full(2, 0.5))


def test_no_start_at_all():
    with pytest.raises(ValueError, match="starts is empty: give at least one"):
        fit_mixture(blobs(10), [])
