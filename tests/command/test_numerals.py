"""Numbers as people write them, against Python's own Decimal and Fraction."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckmeans.command.numerals import Notation, Words, group_words, keeps_digits, like_number, lost_integers


@pytest.mark.parametrize(
    "notation, cell, text",
    [
        (Notation(), "1.5", "1.5"),
        (Notation(), "-.5e-3", "-.5e-3"),
        (Notation(), "5.", "5."),
        (Notation(), "1,5", None),
        (Notation(), "1_000", None),
        (Notation(), "\uff11\uff12", None),
        (Notation(), "", None),
        (Notation(), ".", None),
        (Notation(), "e5", None),
        (Notation(","), "1,5", "1.5"),
        (Notation(","), "1.5", None),
        (Notation(","), "1,", None),
        (Notation(".", ","), "1,234,567.5", "1234567.5"),
        (Notation(".", ","), "1234.5", "1234.5"),
        (Notation(".", ","), "1,23", None),
        (Notation(".", ","), "12,34,567", None),
        (Notation(",", "."), "-1.234,5", "-1234.5"),
        (Notation(",", " \u00a0"), "1\u00a0234 567,25", "1234567.25"),
    ],
)
def test_plain(notation, cell, text):
    assert notation.plain(cell) == text


LIKE = [
    "1 250",
    "1\u202f250",
    "1\u00a0250,50",
    "1\u2019250",
    "\u22125",
    "- 5",
    "\u20ac 5,00",
    "5,00 \u20ac",
    "$3",
    "R$ 5",
    "EUR 5",
    "5 %",
    "5\u2030",
    "(5.00)",
    "\u00a55000",
    "\u00a05",
    "1.5D+02",
    "1_000",
    "0x1F",
    "1.234,56",
    "1,23,456",
    "<2,5",
    "\u22653",
    "5-",
    "1.5 \u00d7 10^3",
    "5 kg",
    "5km/h",
    "20\u00b0C",
    "12 cm\u00b2",
    "5*",
    "5 [1]",
    "1.5k",
    "'5",
    "2 # note",
    "\uff11\uff12",
    "5,- \u20ac",
    "65+",
    '="5"',
    "5 pcs per box",
    "(5,00) \u20ac",
    "ca. 5",
    "5?",
    "\u0661\u0662",
]
UNLIKE = [
    "",
    "x",
    "setosa",
    "A5",
    "TP53",
    "3f2a",
    "2024-01-01",
    "12.05.2024",
    "1/2/2024",
    "10:30",
    "10:00,5",
    "192.168.0.1",
    "1.2.3",
    "555-1234",
    "+49 30 1234567",
    "5-10",
    "SW1A 1AA",
    "a;1 250",
    "B,1.5",
    "1 2",
    "1,2,3",
]


@pytest.mark.parametrize("cell", LIKE)
def test_a_person_reads_a_number(cell):
    assert like_number(cell) is not None


@pytest.mark.parametrize("cell", UNLIKE)
def test_a_person_reads_words(cell):
    assert like_number(cell) is None


def test_units_are_numbers_and_codes_are_not():
    units, codes = Words(), Words()
    for i in range(26):
        units.add(i, f"{i} kg")
        codes.add(i, f"{i}{chr(65 + i)}" if i % 2 else f"{i} {chr(65 + i)}. Street")
    assert units.n_like == 26 and codes.n_like <= 8  # K, M, G, B, T and three others


def test_the_options_for_groups():
    assert group_words("1 250", Notation()) == "--thousands space"
    assert group_words("1.234,56", Notation(",")) == "--thousands point"
    assert group_words("1.234,56", Notation()) == "--thousands point --decimal comma"
    assert group_words("5 %", Notation()) == group_words("1,5", Notation()) == ""


@given(st.integers(-(2**80), 2**80))
def test_whole_numbers_are_kept_if_they_are_exact(number):
    exact = int(float(number)) == number
    for text in (f"{number}", f"{number}.0", f"{number}.00"):
        assert keeps_digits(text, float(text)) == exact
    digits = f"{Decimal(number):E}"  # with an exponent, all its digits
    if exact:
        assert keeps_digits(digits, float(digits))


@given(st.floats(allow_nan=False))
def test_what_a_program_writes_of_a_float_is_kept(value):
    for text in (f"{value:.6e}", f"{value:.16e}", f"{value:.18e}", repr(value), f"{value:.2f}"):
        assert keeps_digits(text, float(text)) or "e" not in text and Fraction(text) != Fraction(float(text))


def test_neighbours_with_exponents_are_not_merged():
    assert not keeps_digits("1.152921504606846977e18", 2.0**60)
    assert keeps_digits("1.152921504606846976E+18", 2.0**60)
    assert not keeps_digits("9007199254740992.5", 2.0**53)
    assert keeps_digits("1e23", 1e23) and not keeps_digits("1" + "0" * 23, 1e23)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.integers(0, 2**64 - 1)))
def test_lost_integers(signed, unsigned):
    for numbers, dtype in ((signed, np.int64), (unsigned, np.uint64)):
        lost = [i for i, n in enumerate(numbers) if int(float(n)) != n]
        assert lost_integers(np.array(numbers, dtype)).tolist() == lost


def test_tiny_numbers_whose_digits_are_lost():
    for text in (
        "1e-400",
        "-1e-400",
        "0.001E-321",
        f"0.{'0' * 330}1",
        "1.2345678901e-315",
        "1e-99999999999999999999",
    ):
        assert not keeps_digits(text, float(text)), text
    for text in (
        "0",
        "-0.0",
        "0e-400",
        "5e-324",
        "4.940656458412465442e-324",
        "1.235e-315",
        "2.5e-308",
        f"0.{'0' * 310}5",
    ):
        assert keeps_digits(text, float(text)), text


@given(st.floats(-3e-308, 3e-308))
def test_tiny_floats_that_a_program_writes_are_kept(value):
    for text in (repr(value), f"{value:.16e}", f"{value:.18e}"):
        assert keeps_digits(text, float(text))
