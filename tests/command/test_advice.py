"""Notes on columns that a person would want to know of before they believe clusters of them."""

import json

import numpy as np
import pytest
from command_line import put, run

from ckmeans.command.advice import advice

N = 40
RNG = np.random.default_rng(0)
ONE, OTHER = RNG.normal(size=N), RNG.normal(size=N)


def told(weights=None, *, chosen=False, standardized=False, **columns):
    X = np.column_stack(list(columns.values())).astype(float)
    return advice(X, list(columns), weights, chosen=chosen, standardized=standardized)


@pytest.mark.parametrize(
    "name", ["id", "Id", "customer_id", "order no", "order_no", "sales-key", "zip", "home.zip", "customerId"]
)
def test_names_of_identifiers(name):
    numbers = RNG.integers(1, 5, N)
    assert any(f"{name} looks like an identifier" in note for note in told(**{name: numbers, "a": ONE}))


@pytest.mark.parametrize("name", ["paid", "gridno_mean", "casino", "width", "monkey", "humid", "orders"])
def test_names_of_measurements(name):
    assert told(**{name: np.round(3 * ONE), "a": ONE}, standardized=True) == []


def test_numbers_that_count():
    counting = RNG.permutation(np.r_[10_001 : 10_001 + N - 2, 10_040, 10_045])
    (note,) = told(code=counting, a=ONE, standardized=True)
    assert note == "code looks like an identifier: leave it out with --skip-columns code"
    assert told(code=counting, a=ONE, chosen=True, standardized=True) == []
    twice = counting.copy()
    twice[0] = twice[1]
    assert told(code=twice, a=ONE, standardized=True) == []
    assert told(code=3 * counting, a=ONE, standardized=True) == []
    assert told(code=counting + 0.5, a=ONE, standardized=True) == []


def test_a_name_is_quoted_as_the_option_wants_it():
    (note,) = told(**{"key, customer_id": RNG.integers(1, 5, N), "a": ONE}, standardized=True)
    assert note.endswith('--skip-columns "key, customer_id"')


@pytest.mark.parametrize("scale", [1.0, 2.0**-500, 2.0**500])
def test_one_feature_that_decides_all_but_alone(scale):
    scatter = np.array([((values - values.mean()) ** 2).sum() for values in (30 * ONE, OTHER)])
    share = f"{100 * scatter[0] / scatter.sum():.1f} %"
    (note,) = told(revenue=30 * scale * ONE + 1e3 * scale, orders=scale * OTHER)
    assert note == f"revenue makes {share} of the sum of squares: --standardize brings features to one scale"
    assert told(revenue=30 * scale * ONE, orders=scale * OTHER, standardized=True) == []
    assert told(revenue=3 * scale * ONE, orders=scale * OTHER) == []


def test_weights_count():
    weights = np.where(np.arange(N) < N // 2, 0.0, 1e300)
    wild = np.where(weights == 0, 1e6 * ONE, ONE)
    assert told(weights, revenue=wild, orders=OTHER) == []
    assert "revenue makes" in told(revenue=wild, orders=OTHER)[0]


def test_columns_that_say_nothing():
    (note,) = told(a=ONE, year=np.full(N, 2024.0), b=OTHER)
    assert note == "the same number in every row, which tells none apart: year"
    (note,) = told(a=ONE, b=OTHER, again=ONE)
    assert note == "again equals a and counts twice: leave it out with --skip-columns again"
    assert told(a=ONE, b=OTHER, mirrored=ONE[::-1]) == []


def test_they_are_in_the_report(here):
    rows = "\n".join(f"{1000 + i},{x},{1e4 * y}" for i, (x, y) in enumerate(zip(ONE, OTHER)))
    put(f"customer_id,orders,revenue\n{rows}\n", "data.csv")
    result = run("fit", "data.csv", "-k", 2, "--json", "report.json", "--report", "page.html")
    notes = json.load(open("report.json", encoding="utf-8"))["data"]["notes"]
    assert len(notes) == 2 and all(note in result.stderr for note in notes)
    assert "customer_id looks like an identifier" in open("page.html", encoding="utf-8").read()
    assert "identifier" not in run("fit", "data.csv", "-k", 2, "--skip-columns", "customer_id").stderr
    assert run("fit", "data.csv", "-k", 2, "--quiet").stderr == ""
