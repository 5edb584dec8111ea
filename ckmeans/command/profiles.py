"""What a cluster is like, in words: the features in which it differs most from all rows, and the texts that are more frequent in it."""

import numpy as np

from ..plots.profiles import deviations

# Features and texts that are named for each cluster.
SHOWN = 3
# A mean that differs from that of all rows by less than this many standard deviations is not named, nor is a text whose share
# differs by less than this.
LEAST_DEVIATION, LEAST_SHARE = 0.25, 0.05
# A column with more different texts than this names rows rather than groups of them.
MOST_TEXTS = 20


def profiles(X, columns, labels, n_clusters, weights=None, texts=None):
    """A line for each cluster.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        In units of the data.
    columns : list of str
    labels : ndarray of shape (n_samples,), int
    n_clusters : int
    weights : ndarray of shape (n_samples,) or None
    texts : dict of str to sequence of str, or None
        Columns of text of the same rows, None where a value is missing.

    Returns
    -------
    list of str

    Examples
    --------
    >>> X = np.array([[1.0, 5.0], [1.0, 5.1], [9.0, 5.0], [9.0, 4.9]])
    >>> profiles(X, ["revenue", "age"], np.array([0, 0, 1, 1]), 2, texts={"newsletter": ["yes", "yes", "no", "yes"]})
    ['revenue -1.0 sd, age +0.7 sd; newsletter yes 100 % (all: 75 %)', 'revenue +1.0 sd, age -0.7 sd; newsletter no 50 % (all: 25 %)']
    """
    away, lines = np.nan_to_num(deviations(X, labels, n_clusters, weights)), []
    for k in range(n_clusters):
        order = np.argsort(-np.abs(away[k]), kind="stable")[:SHOWN]
        named = [f for f in order if abs(away[k, f]) >= LEAST_DEVIATION]
        said = ", ".join(f"{columns[f]} {away[k, f]:+.1f} sd" for f in named)
        words = _texts(texts or {}, labels == k)
        lines.append("; ".join(part for part in (said, words) if part) or "like all rows")
    return lines


def _texts(texts, inside):
    """The text of each column whose share in a cluster is most above that among all rows."""
    found = []
    for name, cells in texts.items():
        cells = np.asarray(cells, object)
        values = sorted({cell for cell in cells if cell is not None})
        if not 2 <= len(values) <= MOST_TEXTS or not inside.any():
            continue
        shares = [((cells[inside] == value).mean(), (cells == value).mean(), value) for value in values]
        share, among_all, value = max(shares, key=lambda item: (item[0] - item[1], item[2]))
        if share - among_all >= LEAST_SHARE:
            found.append(
                (among_all - share, f"{name} {value} {100 * share:.0f} % (all: {100 * among_all:.0f} %)")
            )
    return ", ".join(words for _, words in sorted(found)[:SHOWN])
