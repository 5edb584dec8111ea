"""What a person should be told about the columns before they are clustered: identifiers, wild scales, columns that say nothing."""

import re

import numpy as np

from ..words import listed
from .terminal import quoted

# Names of columns that name a row or a place, and measure nothing.
NAMES = r"id|ids|no|nr|key|zip|zip_?code|plz|post_?code|postal_?code|phone|telephone|tel|index|row|uuid|guid"
IDENTIFIER = re.compile(rf"(?i)(?:.*[\W_])?(?:{NAMES}|unnamed.*)|.*[a-z](?-i:Id|ID|No|Nr|Key|Zip)")
# Numbers without such a name are taken for an identifier in at least this many rows, where this share of the numbers from the
# least to the greatest is there: 1,935 customers of a shop were numbered from 10,001 on with a few gaps.
FEWEST, DENSE = 20, 0.8
# A feature that makes more than this share of the sum of squares decides the clusters all but alone.
DOMINANT = 0.95
# Rows that are looked at together, and columns that a note names.
BLOCK, SHOWN = 2**14, 6


def advice(X, columns, weights=None, *, chosen=False, standardized=False):
    """Notes on the columns of a table.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    columns : list of str
    weights : ndarray of shape (n_samples,) or None
    chosen : bool
        Whether the user named the columns to use: identifiers among them are meant.
    standardized : bool
        Whether features will be brought to one scale.

    Returns
    -------
    list of str

    Examples
    --------
    >>> X = np.array([[17.0, 0.5], [4.0, 0.75], [99.0, 0.25]])
    >>> advice(X, ["customer_id", "score"])
    ['customer_id looks like an identifier: leave it out with --skip-columns customer_id']
    """
    if X.shape[1] < 2:
        return []
    low, high, whole = _ranges(X)
    constant = low == high
    named = [f for f in np.flatnonzero(whole & ~constant) if not chosen and _identifies(X[:, f], columns[f])]
    rest = [f for f in np.flatnonzero(~constant) if f not in set(named)]
    notes = [
        f"{columns[f]} looks like an identifier: leave it out with --skip-columns {quoted(columns[f])}"
        for f in named
    ]
    if constant.any():
        names = listed([columns[f] for f in np.flatnonzero(constant)], SHOWN)
        notes.append(f"the same number in every row, which tells none apart: {names}")
    if len(rest) < 2:
        return notes
    scatter, exponents = _scatter(X, rest, low, high, weights)
    notes += _equal(X, columns, rest, list(zip(low[rest], high[rest], scatter)))
    if not standardized and scatter.any():
        logs = np.full(len(rest), -np.inf)
        np.log2(scatter, where=scatter > 0, out=logs)
        shares = np.exp2(logs + 2.0 * exponents - (logs + 2.0 * exponents).max())
        most = shares.argmax()
        share = shares[most] / shares.sum()
        if share > DOMINANT:
            shown = f"{100 * share:.1f}" if share < 0.9995 else "more than 99.9"
            among = f" of the other {len(rest)} columns" if named else ""
            notes.append(
                f"{columns[rest[most]]} makes {shown} % of the sum of squares{among}:"
                " --standardize brings features to one scale"
            )
    return notes


def _ranges(X):
    """Least and greatest value of each column, and whether it has whole numbers only."""
    low, high = np.full(X.shape[1], np.inf), np.full(X.shape[1], -np.inf)
    whole = np.ones(X.shape[1], bool)
    for start in range(0, len(X), BLOCK):
        block = np.asarray(X[start : start + BLOCK], np.float64)
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
        whole &= (block == np.rint(block)).all(axis=0)
    return low, high, whole


def _identifies(values, name):
    """Do whole numbers name the rows, by their own name or because they count?"""
    if IDENTIFIER.fullmatch(name):
        return True
    room = float(values.max()) - float(values.min()) + 1
    if len(values) < FEWEST or len(values) < DENSE * room or len(values) > room:
        return False
    return len(np.unique(values)) == len(values)


def _scatter(X, some, low, high, weights):
    """Weighted sums of squares around the mean of some columns, each in units of 4**exponent."""
    middle = low[some] / 2 + high[some] / 2
    exponents = np.frexp(high[some] / 2 - low[some] / 2)[1]
    total, sums, squares = 0.0, np.zeros(len(some)), np.zeros(len(some))
    scale = 1.0 if weights is None else float(weights.max())
    for start in range(0, len(X), BLOCK):
        block = np.asarray(X[start : start + BLOCK], np.float64)[:, some]
        own = np.ones(len(block)) if weights is None else weights[start : start + BLOCK] / scale
        block = np.ldexp(block - middle, -exponents)
        total += own.sum()
        sums += own @ block
        squares += own @ (block * block)
    return np.maximum(squares - sums * sums / total, 0.0), exponents.astype(float)


def _equal(X, columns, some, signs):
    """Notes on columns that are equal to an earlier one; those with the same range and scatter are compared."""
    first, notes = {}, []
    for f, sign in zip(some, signs):
        twin = next((g for g in first.get(sign, ()) if np.array_equal(X[:, f], X[:, g])), None)
        if twin is None:
            first.setdefault(sign, []).append(f)
        else:
            notes.append(
                f"{columns[f]} equals {columns[twin]} and counts twice: leave it out with --skip-columns {quoted(columns[f])}"
            )
    return notes[:SHOWN]
