"""What the criteria say about the number of clusters, held against scikit-learn, their formulas, and cases that are plain."""

import json
import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner
from clocks import Clock
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from ckmeans import KMeans, SphericalMixture, certify, choose_k
from ckmeans.command.cli import cli
from ckmeans.diagnostics import choosing
from ckmeans.diagnostics.choice import CRITERIA, _above
from ckmeans.workers import split

IRIS = load_iris().data
BLOBS = make_blobs(240, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)[0]
FEW = {"n_references": 3, "n_resamples": 3, "random_state": 0}


@pytest.fixture(scope="module")
def iris():
    return choose_k(IRIS, range(1, 8), random_state=0)


def equal(one, other, names=CRITERIA):
    for name in names:
        np.testing.assert_array_equal(one.criteria[name], other.criteria[name], name)
    return one.inertia.tolist() == other.inertia.tolist()


# What the criteria are.


@pytest.mark.parametrize(
    "name, measure",
    [
        ("silhouette", silhouette_score),
        ("calinski_harabasz", calinski_harabasz_score),
        ("davies_bouldin", davies_bouldin_score),
    ],
)
def test_measures_of_scikit_learn(iris, name, measure):
    assert math.isnan(iris.criteria[name][0])
    for k, value in zip(iris.n_clusters[1:], iris.criteria[name][1:]):
        assert value == pytest.approx(measure(IRIS, iris.labels[k]), rel=1e-9)


def test_simplified_silhouette(iris):
    for k, value in zip(iris.n_clusters[1:], iris.criteria["simplified_silhouette"][1:]):
        labels = iris.labels[k]
        centers = np.array([IRIS[labels == c].mean(axis=0) for c in range(k)])
        distances = np.linalg.norm(IRIS[:, None] - centers, axis=2)
        own = distances[range(len(IRIS)), labels]
        distances[range(len(IRIS)), labels] = np.inf
        assert value == pytest.approx(
            ((distances.min(axis=1) - own) / distances.min(axis=1)).mean(), rel=1e-9
        )


def test_bic(iris):
    model = KMeans(3, random_state=0).fit(IRIS)
    mixture = SphericalMixture(3, variance="tied", init=model.cluster_centers_).fit(IRIS)
    assert iris.criteria["bic"][2] == pytest.approx(mixture.bic(IRIS), rel=1e-6)


def test_pham(iris):
    """Equations (2) and (3) of the paper, written out for four features."""
    factors, f = [1 - 3 / 16], iris.criteria["pham"]
    for _ in range(5):
        factors.append(factors[-1] + (1 - factors[-1]) / 6)
    expected = [1] + [s / (a * before) for a, (before, s) in zip(factors, pairwise(iris.inertia))]
    np.testing.assert_allclose(f, expected, rtol=1e-12)


def test_pham_of_even_numbers_is_one():
    f = choose_k(np.arange(3000.0)[:, None], range(1, 7), n_references=0, n_resamples=0).criteria["pham"]
    np.testing.assert_allclose(f, 1, rtol=1e-3)


def test_gap(monkeypatch):
    """By its definition, with the even rows that it drew."""
    seen = []
    fit = KMeans.fit

    def watched(self, X, y=None, sample_weight=None):
        fit(self, X, sample_weight=sample_weight)
        seen.append((X.copy(), self.n_clusters, self.inertia_))
        return self

    monkeypatch.setattr(KMeans, "fit", watched)
    choice = choose_k(BLOBS, [1, 2, 3, 4], n_references=5, n_resamples=0, random_state=0)
    unit = np.ptp(seen[-1][0], axis=0) / np.ptp(
        BLOBS @ np.linalg.svd(BLOBS - BLOBS.mean(axis=0))[2].T, axis=0
    )
    assert unit[0] == pytest.approx(unit[1], rel=0.05)
    for i, k in enumerate(choice.n_clusters):
        even = [np.log(cost / choosing_unit(choice, seen)) for X, n, cost in seen[4:] if n == k]
        assert len(even) == 5
        assert choice.criteria["gap"][i] == pytest.approx(np.mean(even) - np.log(choice.inertia[i]), abs=1e-9)
        assert choice.spread["gap"][i] == pytest.approx(np.std(even) * math.sqrt(1 + 1 / 5), abs=1e-12)


def choosing_unit(choice, seen):
    """Squared units of the even rows by those of the data: powers of two."""
    sizes = (
        np.abs(BLOBS).max(),
        np.abs((BLOBS - BLOBS.mean(axis=0)) / 2 ** math.frexp(np.abs(BLOBS).max())[1]).max(),
    )
    return 0.25 ** sum(math.frexp(size)[1] for size in sizes)


def test_gap_rule(iris):
    """Tibshirani et al.: the first k whose gap is at least the next one's less its standard error."""
    gap, spread = iris.criteria["gap"], iris.spread["gap"]
    first = next(i for i in range(6) if gap[i] >= gap[i + 1] - spread[i + 1])
    assert iris.suggested["gap"] == iris.n_clusters[first]
    assert gap[first] < gap[first + 1]  # that is what the standard error does here


def test_bootstrap_keeps_weights(monkeypatch):
    given, seen, fit = np.arange(1.0, 31.0), [], KMeans.fit

    def watched(self, X, y=None, sample_weight=None):
        seen.append(sample_weight)
        return fit(self, X, sample_weight=sample_weight)

    monkeypatch.setattr(KMeans, "fit", watched)
    choose_k(IRIS[:30], [2], sample_weight=given, n_references=0, n_resamples=4, random_state=0)
    for weights in seen[-4:]:
        counts = weights / given
        assert (counts == np.round(counts)).all() and counts.sum() == 30 and counts.max() > 1


def test_plain_cases():
    """Three blobs far apart are three by all criteria but the ones for more, and even rows are one cluster by the gap."""
    choice = choose_k(BLOBS, range(1, 7), random_state=0)
    assert choice.suggested == dict.fromkeys(CRITERIA, 3)
    assert choice.verdict == "All 8 criteria that suggest a number suggest 3."
    assert choice.criteria["stability"][2] == 1
    even = np.random.default_rng(0).uniform(size=(300, 2))
    assert choose_k(even, range(1, 5), **FEW).suggested["gap"] == 1


def test_disagreement_is_said(iris):
    assert len(set(iris.suggested.values())) > 1
    assert "The criteria disagree: 2 by silhouette" in str(iris)
    table = str(iris).splitlines()[2:9]
    assert [line.split()[0] for line in table] == list("1234567")
    stars = sum(line.count("*") for line in table)
    assert stars == len(iris.suggested) >= 7


def test_gap_that_still_grows_suggests_nothing():
    choice = choose_k(BLOBS, [1, 2, 3], **FEW)
    assert "gap" not in choice.suggested
    assert "gap: still grows at 3 clusters" in str(choice)


# The same whatever should not matter.


def test_seeds():
    one, same, other = (choose_k(IRIS, [1, 2], **FEW | {"random_state": seed}) for seed in (0, 0, 1))
    assert equal(one, same) and one.criteria["gap"].tolist() != other.criteria["gap"].tolist()


@pytest.mark.parametrize("scale, offset", [(2.0**-300, 0), (2.0**300, 0), (1.0, 2.0**28)])
def test_units(scale, offset):
    X = np.round(BLOBS * 1024) / 1024  # exact at the offset
    one, other = choose_k(X, range(1, 6), **FEW), choose_k(X * scale + offset, range(1, 6), **FEW)
    assert one.suggested == other.suggested
    for name in set(CRITERIA) - {"bic"}:
        np.testing.assert_allclose(
            one.criteria[name], other.criteria[name], rtol=1e-6, atol=1e-6, err_msg=name
        )


def test_weights_are_repetitions():
    X = np.random.default_rng(0).normal(size=(40, 2)) + np.repeat([[0, 0], [6, 0]], 20, axis=0)
    weights = np.arange(40) % 3
    one = choose_k(X, [1, 2, 3], sample_weight=weights, **FEW)
    other = choose_k(np.repeat(X, weights, axis=0), [1, 2, 3], **FEW)
    np.testing.assert_allclose(one.inertia, other.inertia, rtol=1e-12)
    for name in ("simplified_silhouette", "bic", "pham"):
        np.testing.assert_allclose(one.criteria[name], other.criteria[name], rtol=1e-5, err_msg=name)
    assert "Weights: silhouette" in str(one) and "Weights" not in str(other)
    assert len(one.labels[2]) == 40
    dropped = choose_k(X[weights > 0], [1, 2, 3], sample_weight=weights[weights > 0], **FEW)
    assert equal(one, dropped, ["silhouette", "calinski_harabasz", "davies_bouldin"])


def test_many_rows_are_sampled_for_the_silhouette(monkeypatch):
    monkeypatch.setattr(choosing, "MOST_PAIRED", 100)
    choice = choose_k(BLOBS, [2, 3], **FEW)
    assert "silhouette: of 100 of the 240 rows" in str(choice)
    for k, value in zip((2, 3), choice.criteria["silhouette"]):
        assert value != silhouette_score(BLOBS, choice.labels[k])
        assert value == pytest.approx(silhouette_score(BLOBS, choice.labels[k]), abs=0.05)


@pytest.mark.parametrize("weights", [None, np.arange(240) % 3 + 1.0])
def test_draws_of_many_rows_are_of_some(weights, monkeypatch):
    draws = {"n_references": 8, "n_resamples": 8, "random_state": 0, "sample_weight": weights}
    whole = choose_k(BLOBS, [2, 3, 4], **draws)
    fitted, fit = [], KMeans.fit
    monkeypatch.setattr(
        KMeans, "fit", lambda self, X, *a, **b: fitted.append(len(X)) or fit(self, X, *a, **b)
    )
    monkeypatch.setattr(choosing, "MOST_DRAWN", 120)
    some = choose_k(BLOBS, [2, 3, 4], **draws)
    assert max(fitted[4:]) == 120 and min(fitted[4:]) < 120  # a bootstrap sample has some rows twice
    assert "gap, stability: each draw is of 120 rows" in str(some) and "each draw" not in str(whole)
    np.testing.assert_allclose(some.criteria["gap"], whole.criteria["gap"], atol=0.1)
    assert some.suggested["gap"] == whole.suggested["gap"] == 3
    assert some.criteria["stability"][1] == whole.criteria["stability"][1] == 1


@pytest.mark.parametrize("weights", [None, np.arange(240) % 3 + 1.0])
def test_many_rows_are_measured_block_by_block(weights, monkeypatch):
    def choose():
        return choose_k(BLOBS, [2, 3], sample_weight=weights, n_references=1, n_resamples=0, random_state=0)

    principal_box, boxes = choosing._Study.principal_box, []
    monkeypatch.setattr(
        choosing._Study, "principal_box", lambda study: boxes.append(principal_box(study)) or boxes[-1]
    )
    whole = choose()
    monkeypatch.setattr(choosing, "PIECE", 100)
    assert equal(whole, choose())
    monkeypatch.setattr(choosing, "DECOMPOSED", 1000)
    assert len(split(240, 1000 // 10**2)) == 24
    choose()
    one, same, other = (np.sort(np.abs(box), axis=0) for box in boxes)  # an axis may point either way
    assert np.array_equal(one, same)
    np.testing.assert_allclose(one, other, rtol=1e-12)


# What is hardly a choice.


def test_one_row():
    choice = choose_k([[1.0, 2.0]])
    assert choice.n_clusters.tolist() == [1] and choice.inertia.tolist() == [0]
    assert not choice.suggested.keys() - {"pham"}
    assert str(choice)


def test_as_many_clusters_as_rows():
    choice = choose_k([[0.0], [1.0], [5.0], [6.0], [20.0]], random_state=0)
    assert choice.n_clusters.tolist() == [1, 2, 3, 4, 5]
    assert all(math.isnan(values[-1]) for values in choice.criteria.values())
    assert choice.suggested["silhouette"] in (2, 3)


def test_duplicates():
    """Three different rows, many times each: nothing is left to explain with three clusters, and more there are not."""
    X = np.repeat([[0.0, 0.0], [1.0, 5.0], [7.0, 1.0]], 30, axis=0)
    choice = choose_k(X, range(1, 6), **FEW)
    assert choice.suggested == dict.fromkeys(CRITERIA, 3)
    assert choice.criteria["gap"][2] == choice.criteria["calinski_harabasz"][2] == math.inf
    assert choice.criteria["bic"][2] == -math.inf
    assert all(math.isnan(value) for values in choice.criteria.values() for value in values[3:])
    assert "fewer different rows than 4 clusters" in str(choice)


def test_equal_rows():
    choice = choose_k(np.ones((9, 2)), [1, 2, 3], **FEW)
    assert choice.suggested.keys() <= {"bic", "pham"} and not choice.inertia.any()


@pytest.mark.parametrize("columns", [[2], [0, 2]])
def test_few_features_and_steps(columns):
    choice = choose_k(IRIS[:, columns], [2, 5, 9], **FEW)
    assert all(np.isfinite(values).all() for values in choice.criteria.values())


# Limits.


def test_time_limit():
    choice = choose_k(IRIS, [2, 3], time_limit=0)
    assert choice.stop_reason == "time_limit" and not choice.suggested and "Not complete" in str(choice)
    with pytest.raises(AttributeError):
        choice.notes = ()


@pytest.mark.parametrize("seconds", [1, 3, 6, 10, 15, 20, 25, 30, 35, 40, 80])
def test_a_time_limit_at_any_moment(seconds):
    """What was computed until then is told, and is that without a limit."""
    whole = choose_k(IRIS[::3], [2, 3], n_references=3, n_resamples=3, random_state=0)
    with Clock():
        some = choose_k(IRIS[::3], [2, 3], n_references=3, n_resamples=3, random_state=0, time_limit=seconds)
    assert some.stop_reason == ("time_limit" if seconds <= 40 else "complete")
    for name, values in some.criteria.items():
        known = np.isfinite(values)
        assert np.allclose(values[known], whole.criteria[name][known]) or name in ("gap", "stability")


def test_a_clustering_that_was_cut_off_is_not_judged(monkeypatch):
    class CutOff(KMeans):
        def fit(self, X, y=None, sample_weight=None):
            super().fit(X, sample_weight=sample_weight)
            self.stop_reason_ = "time_limit"
            return self

    monkeypatch.setattr(choosing, "KMeans", CutOff)
    choice = choose_k(IRIS, [2, 3], time_limit=1000, random_state=0)
    assert choice.stop_reason == "time_limit" and np.isnan(choice.inertia).all() and not choice.suggested


def test_rows_drawn_of_one_cluster_have_no_silhouette(monkeypatch):
    monkeypatch.setattr(choosing, "MOST_PAIRED", 2)
    choice = choose_k(IRIS, [2, 3], n_references=0, n_resamples=0, random_state=0)
    assert np.isnan(choice.criteria["silhouette"]).all() and "silhouette" not in choice.suggested


@pytest.mark.parametrize("scale", [2.0**-600, 2.0**600])
def test_costs_beyond_the_floats_are_noted(scale):
    choice = choose_k(IRIS * scale, [2, 3], n_references=0, n_resamples=0, random_state=0)
    plain = choose_k(IRIS, [2, 3], n_references=0, n_resamples=0, random_state=0)
    assert any("beyond the range of floats" in note for note in choice.notes) and not plain.notes
    assert choice.suggested == plain.suggested and repr(choice) == f"<ChoiceOfK: {choice.verdict}>"


def test_what_a_table_says_of_a_proof():
    proofs = [
        certify(IRIS, n_clusters=3, random_state=0, **how) for how in ({}, {"time_limit": 0}, {"gap": 0.5})
    ]
    assert [_above(proof) for proof in (None, *proofs[:2])] == ["-", "optimal", "any number"]
    assert re.fullmatch(r"[\d.]+ ?%", _above(proofs[2]))
    assert _above(replace(proofs[2], checked=False)) == f"{_above(proofs[2])} ?"


def test_interrupted():
    def at(word):
        def progress(text):
            if text.startswith(word):
                raise KeyboardInterrupt

        return progress

    choice = choose_k(IRIS, [2, 3, 4], random_state=0, progress=at("even rows: set 3"))
    assert choice.stop_reason == "interrupted"
    assert np.isfinite(choice.criteria["gap"]).all() and np.isfinite(choice.criteria["bic"]).all()
    choice = choose_k(IRIS, [2, 3, 4], random_state=0, progress=at("4 clusters"))
    assert (
        choice.suggested["simplified_silhouette"] == 2
        and math.isnan(choice.inertia[2])
        and 4 not in choice.labels
    )
    with pytest.raises(KeyboardInterrupt):
        choose_k(IRIS, [2, 3], progress=at("1 cluster"))


# Proofs.


def test_certified():
    choice = choose_k(IRIS[::3], [2, 3], certify=True, **FEW)
    assert choice.certified.keys() == {2, 3}
    for k, inertia in zip((2, 3), choice.inertia):
        proof = choice.certified[k]
        assert proof.status == "optimal-unique" and proof.n_clusters == k
        assert proof.inertia == pytest.approx(inertia, rel=1e-12)
    assert str(choice).count("optimal") == 2
    page = choice._repr_html_()
    assert "above the best, at most" in page and page.count("optimal") == 2
    assert not choose_k(IRIS[::3], [2], **FEW).certified


def test_better_clustering_is_judged(monkeypatch):
    """Where the search was bad, the one of the proof counts."""
    good, X = KMeans(4, random_state=0).fit(IRIS[::3]), IRIS[::3]
    fit = KMeans.fit

    def trapped(self, X, y=None, sample_weight=None):
        if isinstance(self.init, str) and self.n_clusters == 4:
            bad = np.vstack([X[:3], X.mean(axis=0)])
            self.set_params(init=bad, n_init=1, polish=False, max_iter=1)
        return fit(self, X, sample_weight=sample_weight)

    monkeypatch.setattr(KMeans, "fit", trapped)
    options = {"n_references": 0, "n_resamples": 0, "random_state": 0}
    assert choose_k(X, [4], **options).inertia[0] > good.inertia_ * 1.01
    choice = choose_k(X, [4], certify=True, **options)
    assert choice.inertia[0] == pytest.approx(good.inertia_) == pytest.approx(choice.certified[4].inertia)


def test_proofs_share_the_time_and_can_be_interrupted(monkeypatch):
    limits, prove = [], choosing.prove

    def watched(*given, time_limit, **options):
        limits.append(time_limit)
        found = prove(*given, time_limit=time_limit, **options)
        return replace(found, stop_reason="interrupted") if len(limits) == 3 else found

    monkeypatch.setattr(choosing, "prove", watched)
    with Clock():
        choice = choose_k(IRIS[::5], [2, 3, 4, 5], certify=True, time_limit=1e6, **FEW)
    assert 1e5 < limits[0] <= 1e6 / 2 / 4 and limits[0] < limits[1] <= 1e6 / 2 / 3
    assert choice.stop_reason == "interrupted" and choice.certified.keys() == {2, 3, 4}
    assert np.isfinite(choice.inertia[2]) and math.isnan(choice.inertia[3])


# Bad input.


@pytest.mark.parametrize(
    "X, n_clusters, options, words",
    [
        (IRIS, 3, {}, "n_clusters=3 is no range: give several numbers, such as range"),
        (IRIS, [], {}, "n_clusters is empty: give several numbers"),
        (IRIS, [0, 1], {}, "n_clusters=0 is too small"),
        (IRIS[:4], range(2, 9), {}, "n_samples=4 should be >= n_clusters=5"),
        (IRIS[:4], [2, 3], {"sample_weight": [1, 1, 0, 0]}, "n_samples=2 should be >= n_clusters=3"),
        (IRIS, [2], {"n_references": -1}, "n_references=-1 is too small"),
        (IRIS, [2], {"n_resamples": 1.5}, "n_resamples=1.5 is not a whole number"),
        (IRIS, [2], {"certify": "yes"}, "certify='yes' is neither True nor False"),
        (IRIS, [2], {"time_limit": -1}, "time_limit=-1 is out of range"),
        (IRIS, [2], {"n_init": "many"}, "n_init='many' is not a whole number"),
        (IRIS * np.nan, [2], {}, "X contains NaN"),
    ],
)
def test_bad_input(X, n_clusters, options, words):
    with pytest.raises((ValueError, TypeError)) as error:
        choose_k(X, n_clusters, **options)
    assert words in str(error.value)


# The command.


def run(*words, code=0):
    result = CliRunner().invoke(cli, ["choose", *words])
    assert result.exit_code == code, result.output
    return result


def test_command(tmp_path):
    path = tmp_path / "report.json"
    shown = run("iris", "--range", "2:5", "--draws", "4", "--json", str(path)).stdout
    assert shown.startswith("150 rows, 4 features") and "The criteria disagree" in shown
    told = json.loads(path.read_text())
    found = choose_k(IRIS, range(2, 6), n_references=4, n_resamples=4, random_state=0)
    assert told["result"]["suggested"] == found.suggested
    assert told["result"]["criteria"]["gap"] == found.criteria["gap"].tolist()
    assert told["command"] == "ckmeans choose iris --range 2,3,4,5 --draws 4 --seed 0"
    again = json.loads(run(*told["command"].split()[2:], "--json", "-").stdout)
    assert again["result"] | {"seconds": 0} == told["result"] | {"seconds": 0}


def test_command_proves_and_refuses():
    shown = run("iris", "--range", "2,3", "--draws", "0", "--certify").stdout
    assert shown.count("optimal") == 2
    for wrong in ("5:2", "0:3", "two", ""):
        assert "is no range of whole numbers" in run("iris", "--range", wrong, code=2).stderr
    assert "n_samples=150 should be >= n_clusters=200" in run("iris", "--range", "200:201", code=1).stderr
