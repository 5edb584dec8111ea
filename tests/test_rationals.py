"""Exact costs against the reference, and rounding against the definition."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import quick_cost

from ckmeans import rationals as exact
from ckmeans import reference

numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.data())
def test_cost_is_the_reference_cost(data):
    n, d = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    X = data.draw(st.lists(st.lists(numbers, min_size=d, max_size=d), min_size=n, max_size=n))
    labels = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    weights = data.draw(st.none() | st.lists(st.floats(0, 1e6), min_size=n, max_size=n))
    expected = reference.cost(X, labels, weights)
    assert quick_cost(X, labels, weights) == expected


@given(st.lists(st.tuples(numbers, st.integers(0, 2)), min_size=1, max_size=6))
def test_centers_are_the_nearest_floats_to_the_means(pairs):
    X, labels = [[x] for x, _ in pairs], [label for _, label in pairs]
    for label, mean in enumerate(reference.update(X, labels, 3)):
        if mean is not None:
            assert exact.ExactRows(np.array(X)).centers(labels)[label] == [
                mean[0].numerator / mean[0].denominator
            ]


@given(st.fractions() | st.builds(lambda x, y: Fraction(x) * Fraction(y), numbers, numbers))
def test_rounding_brackets(value):
    down, up = exact.float_down(value), exact.float_up(value)
    assert down == -math.inf or Fraction(down) <= value
    assert up == math.inf or value <= Fraction(up)
    assert up in (down, math.nextafter(down, math.inf))


@pytest.mark.parametrize("x", [0.0, 1.5, -(2.0**-1074), 1e308])
def test_floats_are_their_own_roundings(x):
    assert exact.float_down(Fraction(x)) == exact.float_up(Fraction(x)) == x


def test_rounding_beyond_the_floats():
    assert exact.float_up(Fraction(10) ** 400) == math.inf
    assert exact.float_down(Fraction(10) ** 400) == np.finfo(float).max
    assert exact.float_down(-(Fraction(10) ** 400)) == -math.inf
