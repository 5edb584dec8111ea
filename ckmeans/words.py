"""Numbers and names as sentences have them: bounds rounded to the side on which they hold, counts, durations, printable names."""

import math
import unicodedata
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

# Characters that change the direction of writing.
TURNS = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# What proves a bound, by the name that a certificate has for it.
METHODS = {
    "trivial": "definition",
    "line": "dynamic programming",
    "tree": "branch and bound",
    "longer tree": "branch and bound",
    "branch": "branch and bound",
    "sweep": "turning a line",
    "pca": "principal axes",
    "sdp": "a semidefinite bound",
    "sum": "bounds of groups of rows",
}


def method_words(method):
    """The name of a method as a person reads it.

    Examples
    --------
    >>> method_words("sdp"), method_words("prices")
    ('a semidefinite bound', 'prices')
    """
    return METHODS.get(method, method)


def above_best(inertia, lower_bound):
    """By what share an inertia is, at most, above the best possible one: a Fraction, or None for any number.

    Parameters
    ----------
    inertia, lower_bound : float or Fraction
        No clustering costs less than the bound. A cost beyond the floats may be any number.
    """
    if inertia == math.inf:
        return None
    inertia, lower_bound = Fraction(inertia), Fraction(lower_bound)
    if inertia <= max(lower_bound, 0):
        return Fraction(0)
    return (inertia - lower_bound) / lower_bound if lower_bound > 0 else None


def at_most_above(inertia, lower_bound, digits=3):
    """The same in words: "at most 4.28 % above the best possible", never less than it may be.

    Examples
    --------
    >>> at_most_above(1.0, 0.9)
    'at most 11.2 % above the best possible'
    >>> at_most_above(1.0, 0.0)
    'above the best possible by any number: no bound above 0 is known'
    """
    share = above_best(inertia, lower_bound)
    if inertia == math.inf:
        return "above the best possible by an unknown share: the inertia is beyond the floats"
    if share is None:
        return "above the best possible by any number: no bound above 0 is known"
    return f"at most {percent_up(share, digits)} above the best possible"


def percent_up(share, digits=3):
    """A share >= 0, a float or a Fraction, as a percentage that is not below it.

    Examples
    --------
    >>> percent_up(0.0427), percent_up(Fraction(1, 3) / 10**8), percent_up(7.625), percent_up(0)
    ('4.28 %', '3.34e-7 %', '763 %', '0 %')
    """
    return f"{rounded(100 * Fraction(share), digits, ROUND_CEILING)} %"


def down(value, digits):
    """A float or a Fraction with a number of digits, not above it: a lower bound as it is shown.

    Examples
    --------
    >>> down(2 / 3, 4), down(0.0, 4), down(123456.7, 3)
    ('0.6666', '0', '123000')
    """
    return rounded(value, digits, ROUND_FLOOR)


def borne(value, error, digits):
    """A float that is known up to an error, with the digits that this bears, at most as many as asked for.

    The last digit is right up to one unit. Where none is, two numbers that the value is between.

    Examples
    --------
    >>> borne(-162.27913136, 1e-12, 10), borne(-162.27913136, 0.003, 10), borne(-162.27913136, 0.9, 10), borne(0.2, 0.3, 10)
    ('-162.2791314', '-162.28', '-1.6e+02', 'between -0.1 and 0.5')
    """
    first = Decimal(value).adjusted() if value else 0
    while digits > 0 and 2 * Fraction(error) > Fraction(10) ** (first - digits + 1):
        digits -= 1
    if digits > 0:
        return f"{value:.{digits}g}"
    low, high = Fraction(value) - Fraction(error), Fraction(value) + Fraction(error)
    return f"between {down(low, 2)} and {rounded(high, 2, ROUND_CEILING)}"


def rounded(value, digits, side):
    """A number with some significant digits, rounded to a side of the module decimal."""
    value = Fraction(value)
    top, below = Decimal(value.numerator), Decimal(value.denominator)
    shown = Context(prec=digits, rounding=side).divide(top, below).normalize()
    return f"{shown:f}" if -5 < shown.adjusted() < max(7, digits) else f"{shown:e}"


def apart(values, digits):
    """Numbers with a number of significant digits, or more where different ones would look the same.

    Examples
    --------
    >>> apart([1527007489.083, 1527007489.093, 1527007492.0], 4)
    ['1527007489.08', '1527007489.09', '1527007492']
    """
    for n_digits in range(digits, 17):
        shown = [f"{value:.{n_digits}g}" for value in values]
        if tells_apart(shown, values):
            return shown
    return [f"{value:.17g}" if value != float(f"{value:.16g}") else f"{value:.16g}" for value in values]


def tells_apart(shown, values):
    """Whether numbers that differ, by more than what rounding makes of equal ones, are shown as different ones."""
    pairs = sorted(zip(values, shown))
    return not any(a == b and y - x > 1e-15 * max(abs(x), abs(y)) for (x, a), (y, b) in zip(pairs, pairs[1:]))


def format_cost(cost):
    """An inertia, with the digits that it is shown with everywhere: 78.8514414261.

    Examples
    --------
    >>> format_cost(78.85144142614601), format_cost(math.inf)
    ('78.8514414261', 'beyond the floats')
    """
    return f"{cost:.12g}" if cost < math.inf else "beyond the floats"


def listed(items, most):
    """The first of some items, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + more


def format_plural(n, noun):
    """ "1 restart", "2 restarts" """
    return f"{n:,} {noun}{'s' * (n != 1)}"


def format_count(n):
    """A number of partitions: 16,777,216, or 7.1e44."""
    digits = str(n) if n < 10**4000 else "1" + "0" * int(n.bit_length() * math.log10(2))
    return f"{n:,}" if len(digits) <= 15 else f"{digits[0]}.{digits[1]}e{len(digits) - 1}"


def format_duration(seconds):
    """About how long: 75 seconds, 2.8 hours."""
    if seconds > 4e17:
        return "longer than the universe is old"
    for name, size in (("years", 31_557_600), ("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"about {seconds / size:.2g} {name}"
    return "less than a second" if seconds < 1 else f"about {seconds:.0f} seconds"


def printable(text):
    """Text without the characters that command a terminal, and without halves of characters: as \\x1b or \\udcff instead.

    Examples
    --------
    >>> printable("\\x1b[31mred, größe")
    '\\\\x1b[31mred, größe'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(sign) if _commands(sign) else sign for sign in text)


def _commands(sign):
    return sign in TURNS or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def _escaped(sign):
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
