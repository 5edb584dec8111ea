"""What `ckmeans fit` says of its clusters without being asked: what is proved, what they explain, and in which order they are."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run

from ckmeans import natural_breaks, reference
from ckmeans.command import quick

RNG = np.random.default_rng(11)


def write(X, name="data.csv"):
    X = np.asarray(X)
    pd.DataFrame(X, columns=[f"c{f}" for f in range(X.shape[1])]).to_csv(name, index=False)


def test_small_tables_are_proved(here, patient):
    X = RNG.integers(0, 9, (8, 3))
    write(X)
    result = report("fit", "data.csv", "-k", 3)["result"]
    best = reference.best_partition(X.tolist(), 3)[1]
    assert result["status"].startswith("optimal") and result["checked"] and "proved" in result["verdict"]
    assert result["lower_bound"] <= best <= result["inertia"] and result["gap"] == 0


@pytest.mark.parametrize(
    "words", [["--n-init", 3], ["--no-polish"], ["--init", "random"], ["--time-limit", 9]]
)
def test_what_is_asked_for_is_done(words, here):
    write(RNG.normal(size=(20, 2)))
    result = report("fit", "data.csv", "-k", 3, *words)["result"]
    assert result["status"] == "bounded" and "local optimum" in result["verdict"]


def test_a_better_clustering_is_taken_over(here, patient, monkeypatch):
    """The search is made to end badly: the proof finds what is better, and that is what is shown, written and kept."""
    X = np.concatenate([RNG.normal(10 * k, 1, (9, 2)) for k in range(3)])
    write(X)
    from ckmeans import KMeans

    fit = KMeans.fit

    def badly(self, X, y=None, sample_weight=None):
        if isinstance(self.init, str):
            self.set_params(init=np.array([X[0], X[1], X[2:].mean(axis=0)]), n_init=1, polish=False)
        return fit(self, X, y, sample_weight=sample_weight)

    with monkeypatch.context() as patch:
        patch.setattr(KMeans, "fit", badly)
        told = report("fit", "data.csv", "-k", 3, "--sort-by-size", "--out", "l.csv", "--model", "m.json")
    told = told["result"]
    assert told["status"] == "optimal-unique" and told["sizes"] == [9, 9, 9]
    assert len(set(pd.read_csv("l.csv").label[:9])) == 1
    assert told["inertia"] == pytest.approx(sum(told["within_ss"]))
    assert "no row is farther" in run("predict", "m.json", "data.csv").stdout


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("n", [40, quick.ONE + 1])
def test_one_feature(n, weights, here, patient):
    """The best clusters at any size; "proved" only where the checker has seen them."""
    values = RNG.gamma(0.5, 100, n).round(1)
    w = RNG.integers(1, 5, n)
    pd.DataFrame({"v": values, "w": w}).to_csv("data.csv", index=False)
    words = ["--weights", "w"] if weights else ["--columns", "v"]
    result = report("fit", "data.csv", "-k", 9, *words)["result"]
    best = natural_breaks(values, 9, sample_weight=w if weights else None)
    assert result["inertia"] == pytest.approx(best.inertia, rel=1e-12)
    assert result["status"] == "optimal" and result["gap"] == 0
    assert result["lower_bound"] <= best.inertia
    assert ("proved" in result["verdict"]) == (n <= quick.ONE) == ("checked" in result)
    if n > quick.ONE:
        assert "the checker has not seen it" in result["verdict"]
        said = run("fit", "data.csv", "-k", 9, *words).stderr
        assert "--prove has the checker see that: likely in about 2 seconds" in said


def test_no_promise_where_it_is_not_likely(here):
    np.save("data.npy", RNG.normal(size=(5000, 4)))
    assert "--prove" not in run("fit", "data.npy", "-k", 3).stderr
    write(RNG.normal(size=(190, 4)))
    assert "likely in less than 10 s" in run("fit", "data.csv", "-k", 3).stderr
    assert "--prove" not in run("fit", "data.csv", "-k", 3, "-q").stderr


@pytest.mark.parametrize("weights", [False, True])
def test_explained(weights, here):
    X, w = RNG.integers(-9, 9, (30, 2)) * 1.5 + 1e6, RNG.integers(1, 4, 30)
    write(np.column_stack([X, w]))
    words = ["--weights", "c2"] if weights else ["--skip-columns", "c2"]
    for command in (["fit"], ["fit", "--prove"], ["exhaustive", "--rows", 9], ["study", "--range", 3]):
        name, *more = command
        k = [] if name == "study" else ["-k", 3]
        told = report(name, "data.csv", *k, *words, *more)
        n = told["data"]["n_samples"]
        own = w[:n].tolist() if weights else None
        total = reference.cost(X[:n].tolist(), [0] * n, own)
        assert told["result"]["explained"] == pytest.approx(1 - told["result"]["inertia"] / float(total))
    said = run("fit", "data.csv", "-k", 3, *words).stdout
    shown = Fraction(said.split("explained ")[1].split(" %")[0].strip())
    told = report("fit", "data.csv", "-k", 3, *words)["result"]["explained"]
    assert 0 <= 100 * told - shown < 0.01


def test_nothing_explained(here):
    put("a,b\n1,2\n1,2\n1,2\n")
    assert "explained" not in run("fit", "data.csv", "-k", 1).stdout
    put("a,b\n1e200,2\n-1e200,2\n1,2\n")
    assert "explained" not in run("fit", "data.csv", "-k", 2).output.replace("unexplained", "")


@pytest.mark.parametrize("words", [["fit"], ["fit", "--prove"], ["soft", "--variance", "tied"], ["study"]])
def test_sorted_by_size(words, here):
    write(np.concatenate([RNG.normal(20 * k, 1, (n, 2)) for k, n in enumerate((5, 12, 8))]))
    name, *more = words
    more += ["--range", 3] if name == "study" else ["-k", 3]
    written = ["--out", "l.csv", "--centers", "c.csv", "--model", "m.json", "--force"]
    told = report(name, "data.csv", *more, "--sort-by-size", *written)["result"]
    assert told["sizes"] == [12, 8, 5]
    frame, centers = pd.read_csv("l.csv"), pd.read_csv("c.csv").to_numpy()
    assert frame.label.value_counts().tolist() == [12, 8, 5]
    X = pd.read_csv("data.csv").to_numpy()
    for k in range(3):
        np.testing.assert_allclose(centers[k], X[frame.label == k].mean(axis=0), rtol=1e-6)
    if "p0" in frame:
        assert (frame[["p0", "p1", "p2"]].to_numpy().argmax(axis=1) == frame.label).all()
    run("predict", "m.json", "data.csv", "--out", "again.csv")
    assert (pd.read_csv("again.csv").label == frame.label).all()
