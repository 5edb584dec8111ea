"""The landscape of local minima: what follows from the counts, limits, errors and the command."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from clocks import Clock, press
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score

from ckmeans import KMeans, RestartDisplay, certify, landscape
from ckmeans.diagnostics import landscapes, minima
from ckmeans.diagnostics.landscapes import Landscape
from ckmeans.local import search, small

IRIS = load_iris().data
# Three blobs, and two starts in one of them.
BLOBS = np.array([[0, 0], [0, 1], [1, 0], [10, 0], [10, 1], [11, 0], [5, 9], [5, 10], [6, 9]], float)
TRAP = [[[0, 0], [1, 0], [8, 5]]]


# ---- what follows


def made(counts, inertia):
    counts = np.array(counts)
    n = len(counts)
    return Landscape(
        labels=np.zeros((n, 4), np.int32),
        centers=np.zeros((n, 2, 1)),
        inertia=np.array(inertia, float),
        counts=counts,
        n_iter=np.ones(n),
        n_movable=np.zeros(n, int),
        ends=np.repeat(np.arange(n), counts),
        lower_bound=8.0,
        proved=False,
        complete=False,
        stop_reason="finished",
    )


def test_restarts():
    found = made([2, 5, 1, 1, 1], [10, 12, 15, 20, 30])
    assert found.share.tolist() == [0.2, 0.5, 0.1, 0.1, 0.1] and found.hit_rate == 0.2
    assert found.excess.tolist() == pytest.approx([0, 0.2, 0.5, 1, 2])
    assert found.excess_over_bound.tolist() == pytest.approx([0.25, 0.5, 0.875, 1.5, 2.75])
    low, high = found.hit_interval
    assert 0 < low < 0.025 and 0.2 < high < 0.6
    assert found.chance([1, 2, 3]).tolist() == pytest.approx([low, 1 - (1 - low) ** 2, 1 - (1 - low) ** 3])
    assert found.unseen_mass == 0.3
    for chance in (0.1, 0.2, 0.36, 0.5, 0.9, 0.99, 0.999999):
        fewest, needed = found.restarts_interval(chance)
        assert found.restarts_needed(chance) == needed >= fewest
        for p, r in ((low, needed), (high, fewest)):
            assert 1 - (1 - p) ** r >= chance - 1e-12 and (r == 1 or 1 - (1 - p) ** (r - 1) < chance)
    for wrong in (0, 1, 2, "much"):
        with pytest.raises((ValueError, TypeError), match="chance="):
            found.restarts_needed(wrong)
    assert made([2, 3, 5], [10, 10, 11]).n_hits == 5
    assert made([1, 0, 3], [1, 2, 3]).unseen_mass == 0.25
    every = made([700], [3])
    assert every.restarts_interval() == (1, 1) and "1 find one as good" in str(every)


def test_one_hit_tells_nothing_of_restarts():
    once = made([1] + [1] * 930 + [69], np.arange(10, 942))
    assert once.restarts_needed() == np.inf and once.chance(10**9) == 0 and once.hit_interval[0] == 0
    said = str(once)
    assert "1 of 1,000 starts ended there\n" in said and "one hit does not tell" in said
    assert "chance of 99" not in said and not re.search(r"\d+ find", said)
    low, high = once.unseen_interval
    assert 0.8 < low < once.unseen_mass == 0.931 < high <= 1
    none = made([0, 5, 5], [1, 2, 3])
    assert none.restarts_needed() == np.inf and none.hit_interval[0] == 0 < none.hit_interval[1] < 0.35
    assert "no start found it: at most 30.9 % of all starts do" in str(none)
    assert "1 of 1 starts" in str(made([1], [2])) and "one hit does not tell" in str(made([1], [2]))


def test_intervals_hold_for_few_and_many():
    """Of draws whose chances are known, no more than a fortieth is missed on either side."""
    from ckmeans.diagnostics.intervals import clopper_pearson, seen_interval, unseen_interval

    rng, misses, n_draws = np.random.default_rng(0), [], 200
    for chances in (
        np.ones(1000),
        1 / np.arange(1, 3001),
        np.array([999, *[1e-3] * 1000]),
        0.7 ** np.arange(60),
        np.ones(5),
    ):
        chances = chances / chances.sum()
        order = rng.permutation(len(chances))  # the best first
        for n in (1, 20, 200):
            missed, hits, own, as_good = np.zeros(2), [], [], []
            for _ in range(n_draws):
                ends = rng.choice(len(chances), n, p=chances)
                counts = np.bincount(ends, minlength=len(chances))
                unseen, (low, high) = chances[counts == 0].sum(), unseen_interval(ends, counts)
                missed += unseen < low - 1e-12, unseen > high + 1e-12
                at = int(np.argmax(counts[order] > 0))
                hits.append(counts[order[at]])
                own.append(chances[order[at]])
                as_good.append(chances[order[: at + 1]].sum())
            low, high = seen_interval(hits, n)
            misses.append([*missed / n_draws, np.mean(as_good < low), np.mean(own > high)])
    assert np.max(misses) < 0.025 + 3 * (0.025 / n_draws) ** 0.5
    for hits, n in ((0, 10), (3, 10), (10, 10), (1, 1000), (440, 1000)):
        same = scipy.stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
        assert clopper_pearson(hits, n) == pytest.approx((same.low, same.high), abs=1e-12)


def test_the_default_stands_beside():
    found = landscape(IRIS, 5, 50, random_state=3)
    assert found.kmeans_inertia == KMeans(5, random_state=3).fit(IRIS).inertia_
    beaten = landscape(IRIS, 10, 3, init="random", random_state=0)
    share = Fraction(float(beaten.inertia[0])) / Fraction(beaten.kmeans_inertia) - 1
    said = re.search(r"KMeans .* the best of them is (\S+) % above", str(beaten))
    assert 0 < share <= Fraction(said[1]) / 100 <= share * Fraction(102, 100)
    assert "does not make it the best there is" in str(beaten)
    assert np.isnan(landscape(IRIS, 3, 10**6, max_seconds=0.01, random_state=0).kmeans_inertia)


def test_the_default_finds_a_cost_of_zero():
    """Starts whose clusters are of rows without weight: no share of 0 is said."""
    X = [[3.0, 3.0], [3.0, 0.0], [1.0, 0.0], [0.0, 3.0], [3.0, 2.0], [2.0, 3.0]]
    starts = [[[0.0, 3.0], [1.0, 0.0], [3.0, 3.0], [2.0, 3.0]]]
    weights = [1.0, 1e-300, 0.0, 1e-300, 1e-300, 0.0]
    found = landscape(X, 4, init=starts, exhaustive=False, sample_weight=weights, random_state=0)
    assert found.inertia[0] > 0 == found.kmeans_inertia
    assert str(found).count("no start came to that") == 1 and "the best of them" not in str(found)
    assert "KMeans finds a better one" in RestartDisplay.from_landscape(found).ax_.get_title()


def test_agreement():
    found = landscape(IRIS, 6, 200, random_state=0)
    table = found.adjusted_rand
    for i in range(0, len(found), 5):
        for j in range(0, len(found), 3):
            assert table[i, j] == pytest.approx(
                adjusted_rand_score(found.labels[i], found.labels[j]), abs=1e-12
            )
    assert (table == table.T).all() and (np.diag(table) == 1).all()
    assert landscape(IRIS, 1, 3).adjusted_rand.tolist() == [[1.0]]
    assert landscape(IRIS[:5], 5, 3).adjusted_rand.tolist() == [[1.0]]


def test_too_many_to_pair(monkeypatch):
    monkeypatch.setattr(landscapes, "MOST_PAIRED", 2)
    with pytest.raises(ValueError, match="agreement"):
        landscape(IRIS, 5, 200, random_state=0).adjusted_rand  # noqa: B018


def test_table():
    text = str(landscape(IRIS, 3, 100, random_state=0, lower_bound=78.0))
    assert "100 starts, 3 clusters of 150 rows" in text
    assert "78.851441" in text and " 1.1 %" in text and "none is below 78: as given" in text
    assert re.search(r"\d+ to \d+ find one as good with a chance of 99 %", text)
    assert "..." in str(landscape(IRIS, 8, 100, random_state=0))
    assert "no start found it" in str(landscape(BLOBS, 3, init=TRAP))
    assert "every partition at rest is listed" in str(landscape(BLOBS, 3, init=TRAP))


# ---- limits and errors


def test_time_limit():
    found = landscape(IRIS, 3, 10**7, max_seconds=0, random_state=0)
    assert found.n_starts == 1 and found.stop_reason == "time_limit" and "time limit" in str(found)
    with Clock():
        some = landscape(IRIS, 10, 10**6, max_seconds=20, random_state=0)
    assert 1 < some.n_starts < 10**6 and some.stop_reason == "time_limit"


@pytest.mark.parametrize("most_rows", [4096, 0])
def test_interrupted(most_rows, monkeypatch):
    monkeypatch.setattr(small, "MOST_ROWS", most_rows)

    def stop(n, inertia):
        raise KeyboardInterrupt

    found = landscape(IRIS, 3, 500, random_state=0, progress=stop)
    assert found.stop_reason == "interrupted" and found.n_starts >= 1
    monkeypatch.setattr(minima.LloydRuns, "run", lambda *_: stop(0, 0))
    with pytest.raises(KeyboardInterrupt):
        landscape(IRIS, 3, 500, random_state=0)


def test_interrupted_while_the_default_is_put_together(monkeypatch):
    def solution(**known):
        press()
        return LocalSolution(**known)

    LocalSolution = search.LocalSolution
    monkeypatch.setattr(search, "LocalSolution", solution)
    with Clock():
        found = landscape(IRIS, 3, 50, random_state=0)
    assert found.stop_reason == "interrupted" and found.n_starts == 50


@pytest.mark.parametrize(
    "change, words",
    [
        ({"n_clusters": 151}, "n_samples=150 should be >="),
        ({"n_starts": 0}, "n_starts=0 is too small"),
        ({"init": "best"}, "init='best' is none of"),
        ({"init": [[[0.0, 1.0]]]}, "shape of the initial centers"),
        ({"exhaustive": "maybe"}, "exhaustive='maybe'"),
        ({"random_state": -1}, "random_state=-1"),
        ({"lower_bound": -1.0}, "lower_bound=-1.0"),
        ({"max_seconds": -1}, "max_seconds=-1"),
    ],
)
def test_bad_input(change, words):
    with pytest.raises((ValueError, TypeError), match=words):
        landscape(**{"X": IRIS, "n_clusters": 3, "n_starts": 2} | change)


def test_certificates_of_something_else():
    own = certify(IRIS, n_clusters=3, time_limit=None, random_state=0)
    with pytest.raises(ValueError, match="other data"):
        landscape(IRIS + 0.5 * (np.arange(150) % 2)[:, None], 3, 2, certificate=own)
    with pytest.raises(ValueError, match="other data"):
        landscape(IRIS, 3, 2, certificate=own, sample_weight=np.arange(1.0, 151))
    with pytest.raises(ValueError, match="at most 3 clusters"):
        landscape(IRIS, 4, 2, certificate=own)
    with pytest.raises(ValueError, match="both given"):
        landscape(IRIS, 3, 2, certificate=own, lower_bound=1.0)
    none = certify(IRIS, n_clusters=3, time_limit=0, random_state=0)  # which says nothing
    assert none.lower_bound == 0
    found = landscape(IRIS, 3, 20, certificate=none, random_state=0)
    plain = landscape(IRIS, 3, 20, random_state=0)
    assert (found.lower_bound, found.proved) == (plain.lower_bound, plain.proved)
    with pytest.raises(ValueError, match="beyond the largest float"):
        landscape(IRIS * 2.0**700, 3, 20, random_state=0)
    fewer = landscape(IRIS, 2, 20, certificate=own, random_state=0)
    assert fewer.lower_bound == own.lower_bound and not fewer.proved


def test_a_certificate_of_a_worse_clustering():
    own = certify(IRIS, np.arange(150) % 3, random_state=0)
    assert own.better is not None
    assert landscape(IRIS, 3, 100, certificate=own, random_state=0).proved


def test_few_distinct_rows():
    found = landscape([[0.0], [0.0], [1.0]], 3, 10, random_state=0)
    assert len(found) == 1 and found.inertia[0] == 0 and found.excess.tolist() == [0.0]
    assert found.labels.tolist() == [[0, 0, 1]]


# ---- the command


def test_command(tmp_path, monkeypatch):
    runner = pytest.importorskip("click.testing").CliRunner()
    pytest.importorskip("rich")
    from ckmeans.command.cli import cli

    monkeypatch.chdir(tmp_path)
    words = ["landscape", "iris", "-k", "3", "--starts", "50", "--init", "random", "--certify"]
    result = runner.invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert "50 starts, 3 clusters of 150 rows" in result.stdout and "proved to be the best" in result.stdout
    told = json.loads(runner.invoke(cli, [*words, "--json", "-"]).stdout)
    assert told["command"] == "ckmeans landscape iris -k 3 --starts 50 --init random --certify --seed 0"
    found = landscape(IRIS, 3, 50, init="random", random_state=0)
    assert told["result"]["inertia"] == found.inertia.tolist()
    assert told["result"]["restarts_needed"] == found.restarts_needed()
    assert told["result"]["proved"] and told["result"]["lower_bound"] > 78.85


def test_command_draws(tmp_path, monkeypatch):
    runner = pytest.importorskip("click.testing").CliRunner()
    for name in ("rich", "matplotlib"):
        pytest.importorskip(name)
    from ckmeans.command.cli import cli

    monkeypatch.chdir(tmp_path)
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "PDF": b"%PDF"}
    for ending, start in starts.items():
        for words in (["landscape", "iris", "-k", "3", "--starts", "20"], ["breaks", "iris", "3", "-k", "3"]):
            result = runner.invoke(cli, [*words, "--plot", f"picture.{ending}"])
            assert result.exit_code == 0, result.output
            assert (tmp_path / f"picture.{ending}").read_bytes().startswith(start)
            (tmp_path / f"picture.{ending}").unlink()
    result = runner.invoke(cli, ["landscape", "iris", "-k", "3", "--plot", "picture.docx"])
    assert result.exit_code == 1 and "let it end in .png" in result.stderr
    result = runner.invoke(cli, ["breaks", "iris", "3", "-k", "3", "--plot", "a.svg", "--json", "a.svg"])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())
