"""Every sentence that says how far something is above the best, or that it is proved: the number is read out of it, and held
against fractions."""

import json
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from ckmeans import (
    Certificate,
    ExactKMeans,
    GapRecorder,
    certify,
    choose_k,
    exhaustive_search,
    landscape,
    words,
)
from ckmeans.diagnostics.choice import ChoiceOfK
from ckmeans.proofs import proof_lines
from ckmeans.proofs.problem import ExactProblem
from ckmeans.rationals import relative_gap
from ckmeans.solution import Solution
from ckmeans.words import borne

IRIS = load_iris().data
BAD = np.arange(150) % 3
SENTENCE = re.compile(r"at most (\S+) %[\s-]+above the best possible")


def assert_holds(said, share):
    """The number is not below the share, and by not more than a unit of its third digit above it."""
    shown, share = Fraction(said), 100 * Fraction(share)
    assert shown >= share
    unit = Fraction(10) ** (len(str(int(shown))) - 3 if shown >= 1 else -2 - _zeros(shown))
    assert shown - share < unit, (said, float(share))


def _zeros(value):
    """Zeros after the point."""
    n = 0
    while 0 < value * 10 < 1:
        value, n = value * 10, n + 1
    return n


def assert_says(text, inertia, bound):
    """A text has one such sentence, and it is right."""
    found = SENTENCE.findall(text)
    assert len(found) == 1, text
    assert_holds(found[0], (Fraction(inertia) - Fraction(bound)) / Fraction(bound))


def bounded(inertia, bound, checked=True, status="bounded", stop_reason="time_limit"):
    """A certificate of two rows that says so."""
    problem = ExactProblem(np.array([[0.0], [2.0]]))
    return Certificate(
        problem,
        1,
        np.zeros(2, np.int32),
        Fraction(inertia),
        Fraction(bound),
        status,
        stop_reason,
        "tree",
        proof_lines.trivial_proof(),
        {},
        None,
        checked,
    )


CASES = {
    "one part in a thousand million": (1 + Fraction(1, 10**9), Fraction(1)),
    "a third": (Fraction(4, 3), Fraction(1)),
    "a twentieth and a bit": (Fraction(21, 20) + Fraction(1, 10**30), Fraction(1)),
    "exactly ten": (Fraction(11), Fraction(10)),
    "bad labels": (Fraction(680475, 1000), Fraction(788514, 10000)),
    "of tiny numbers": (Fraction(3, 2**1060), Fraction(2, 2**1060)),
    "by far": (Fraction(2) ** 300, Fraction(1, 7)),
}


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("inertia, bound", CASES.values(), ids=CASES)
def test_certificates(inertia, bound, checked):
    found = bounded(inertia, bound, checked)
    for text in (found.verdict, str(found), found._repr_html_(), repr(found)):
        assert_says(text, inertia, bound)
        assert ("proved" in text) == checked
        assert ("the checker has not yet seen" in text) != checked
    assert Fraction(found.gap) >= (inertia - bound) / inertia
    shown = re.search(r"<th>lower bound</th><td>([^<]+)</td>", found._repr_html_())[1]
    assert bound * (1 - Fraction(1, 10**9)) <= Fraction(shown) <= bound


def test_no_bound_and_no_distance():
    for checked in (True, False):
        said = str(bounded(1, 0, checked))
        assert "above the best possible by any number" in said and "%" not in said and "proved" not in said
    assert "at most 0 % above the best possible: proved" in str(bounded(1, 1))
    assert "at most 0 % above" in bounded(0, 0, False).verdict


def test_a_loaded_proof_is_not_called_proved(tmp_path):
    certify(IRIS, n_clusters=3, random_state=0).save(tmp_path / "a.ckc")
    loaded = Certificate.load(tmp_path / "a.ckc")
    assert loaded.status == "optimal-unique" and not loaded.checked
    assert "proved" not in str(loaded) and "was not checked" in str(loaded)
    found = landscape(IRIS, 3, 50, random_state=0, certificate=loaded)
    assert not found.proved and "proved" not in str(found) and "has not yet seen" in str(found)


@settings(deadline=None)
@given(st.fractions(0, 10**6), st.integers(1, 12))
def test_percentages(share, digits):
    shown = words.percent_up(share, digits)
    assert shown.endswith(" %")
    value = Fraction(shown[:-2])
    assert value >= 100 * share and (value - 100 * share) * 10 ** (digits - 1) <= value
    low = Fraction(words.down(share, digits))
    assert low <= share and (share - low) * 10 ** (digits - 1) <= share


@settings(deadline=None)
@given(st.floats(0, 1e300), st.floats(0, 1e300))
def test_gaps(inertia, bound):
    """gap is a share of the inertia, never too small."""
    found = Solution(np.zeros(1, np.int32), np.zeros((1, 1)), inertia, bound, "bounded", "time_limit").gap
    assert found == relative_gap(inertia, bound)
    assert Fraction(found) >= (1 - Fraction(bound) / Fraction(inertia) if inertia > bound else 0)


def test_choice():
    certified = {
        2: bounded(*CASES["a third"]),
        3: bounded(*CASES["a third"], False),
        4: bounded(1, 0),
        5: bounded(1, 1, True, "optimal"),
    }
    found = ChoiceOfK(np.array([2, 3, 4, 5, 6]), np.ones(5), {}, {}, {}, {}, certified)
    rows = str(found).splitlines()[2:7]
    assert [row.split(None, 2)[2] for row in rows] == ["34 %", "34 % ?", "any number", "optimal", "-"]
    assert 'proved, but for what has a "?"' in str(found)
    real = choose_k(IRIS[::3], [2, 3], certify=True, n_references=0, n_resamples=0, random_state=0)
    assert all(proof.checked for proof in real.certified.values()) and "optimal" in str(real)


@pytest.mark.parametrize("case", ["a third", "bad labels"])
@pytest.mark.parametrize("checked", [True, False])
def test_pictures(case, checked):
    pytest.importorskip("matplotlib").use("Agg")
    from ckmeans import GapDisplay

    inertia, bound = CASES[case]
    told = GapRecorder()
    told("tree", 3 * float(inertia), 0.0)
    told("tree", float(inertia), 1.5 * float(bound))  # a bound that the checker found to be lower
    display = GapDisplay.from_recorder(told, bounded(inertia, bound, checked))
    assert_says(display.ax_.get_title(), inertia, bound)
    labels = display.ax_.get_legend_handles_labels()[1]
    assert ("lower bound, proved" in labels) == checked
    assert max(display.ax_.lines[1].get_ydata()) <= bound
    alone = GapDisplay.from_recorder(told)
    assert "lower bound, proved" not in alone.ax_.get_legend_handles_labels()[1]
    assert "any number" in GapDisplay.from_recorder(told, bounded(inertia, 0, checked)).ax_.get_title()


def test_what_is_told_on_the_way(capsys):
    ExactKMeans(3, random_state=0, time_limit=5, verbose=1).fit(IRIS)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    for line in lines:
        inertia, bound = map(Fraction, re.search(r"inertia (\S+), lower bound (\S+),", line).groups())
        if SENTENCE.search(line):  # of more digits than are shown
            assert (
                float(SENTENCE.search(line)[1]) >= float(100 * (inertia - bound) / bound) * (1 - 1e-8) - 1e-6
            )
        else:
            assert bound == 0 and "any number" in line
        assert "proved" not in line and "not yet checked" in line


def test_costs_beyond_the_floats(capsys):
    """Their share is unknown on the way, where there are floats alone, and exact in the end."""
    X = np.column_stack([np.array([1.7, -1.7, 1.0, 0.0, 1e-300]) * 1e308, np.arange(5.0)])
    ExactKMeans(2, random_state=0, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert lines and all("by an unknown share" in line and "%" not in line for line in lines)
    found = certify(X, [0, 0, 1, 1, 1], random_state=0)
    best = found.better.exact_inertia
    share = Fraction(SENTENCE.search(found.verdict)[1]) / 100
    assert found.inertia == np.inf and share >= (found.exact_inertia - best) / best > share * Fraction(
        99, 100
    )


def test_searches_beyond_the_floats():
    """A bound of 0 and a gap of 1, and no counts of minima that nothing tells apart."""
    X = np.column_stack([np.array([1.7, -1.7, 1.0, 0.0, 1e-300]) * 1e308, np.arange(5.0)])
    found = exhaustive_search(X, 2, time_limit=0)
    assert (found.inertia, found.lower_bound, found.gap) == (np.inf, 0.0, 1.0)
    assert exhaustive_search(X, 2).gap == 0.0
    with pytest.raises(ValueError, match="divide X by a power of ten"):
        landscape(X, 2, 20, random_state=0)


@pytest.mark.parametrize("time_limit", [0, 20])
def test_command(time_limit, tmp_path, monkeypatch):
    """Terminal, report and page say the same, and it is right."""
    runner = pytest.importorskip("click.testing").CliRunner()
    for name in ("rich", "matplotlib"):
        pytest.importorskip(name)
    from ckmeans.command.cli import cli

    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("label\n" + "".join(f"{label}\n" for label in BAD))
    line = [
        "certify",
        "iris",
        "bad.csv",
        "--time-limit",
        str(time_limit),
        "--json",
        "a.json",
        "--report",
        "a.html",
        "--proof",
        "a.ckc",
    ]
    done = runner.invoke(cli, line)
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "a.json").read_text())["result"]
    saved = Certificate.load(tmp_path / "a.ckc")
    assert float(saved.exact_inertia) == pytest.approx(680.475, rel=1e-6)
    verdict = re.search(r"^verdict +(.*)$", done.stdout, re.MULTILINE)[1]
    page = re.search(r'<div class="verdict.*?</div>', (tmp_path / "a.html").read_text())[0]
    for text in (verdict, result["verdict"], re.sub("At most", "at most", page)):
        if saved.exact_lower_bound:
            assert_says(text, saved.exact_inertia, saved.exact_lower_bound)
            assert ("roved" in text) == result["checked"]
        else:
            assert "bove the best possible by any number" in text and "roved" not in text
    assert result["gap"] == saved.gap
    shown = re.search(r"lower bound +(\S+)", done.stdout)[1]
    assert Fraction(shown) <= saved.exact_lower_bound
    assert result["checked"] or time_limit == 0


def test_nothing_is_proved_after_ctrl_c():
    """An interrupt before the checker has spoken: whatever the bound is, it is not called proved."""

    def stop(method, inertia, lower_bound):
        if lower_bound > 0:
            raise KeyboardInterrupt

    found = certify(IRIS, BAD, progress=stop, random_state=0)
    assert found.stop_reason == "interrupted" and found.status == "bounded"
    for one in (found, found.better):
        if one is not None:
            assert ("proved" in one.verdict) == one.checked


def test_one_restart_is_no_evidence():
    runner = pytest.importorskip("click.testing").CliRunner()
    pytest.importorskip("rich")
    from ckmeans.command.cli import cli

    said = runner.invoke(cli, ["fit", "iris", "-k", "3", "--n-init", "1"]).stdout
    assert "of one restart, with none to compare" in said and "hit by" not in said
    assert "hit by" in runner.invoke(cli, ["fit", "iris", "-k", "3", "--n-init", "2"]).stdout


@given(st.floats(-1e12, 1e12), st.floats(0, 10), st.integers(1, 12))
def test_digits_that_an_error_bears(value, error, digits):
    """The value, wherever it is within its error, is within one unit of the last digit that is shown."""
    shown = borne(value, error, digits)
    if shown.startswith("between"):
        low, high = map(Fraction, shown.split()[1::2])
        assert low <= Fraction(value) - Fraction(error) and Fraction(value) + Fraction(error) <= high
        return
    exact = Decimal(shown)
    assert len(exact.as_tuple().digits) <= digits
    first = Decimal(value).adjusted() if value else 0
    assert 2 * Fraction(error) <= Fraction(10) ** (first + 1)  # else it bears no digit at all
    n_digits = next(n for n in range(digits, 0, -1) if 2 * Fraction(error) <= Fraction(10) ** (first - n + 1))
    unit = Fraction(10) ** (first - n_digits + 1)
    assert abs(Fraction(exact) - Fraction(value)) + Fraction(error) <= unit
