"""The branches of column generation (columns.py), and how they are kept: rows together, rows apart, prices, clusters."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

# Branches in a file are no deeper than this; the ones that are written are far less deep (column_branch.MOST_DEPTH).
MOST_DEPTH = 200
# No price in a file is greater: no two rows are further apart than 4 of its unit, so that no price need be.
MOST_PRICE = 1e100


@dataclass(eq=False)
class Node:
    """Some rows together, some apart; prices, and what they prove."""

    groups: np.ndarray  # of each distinct row
    cannot_link: list  # pairs of groups that are apart
    prices: np.ndarray  # of the groups
    sets: np.ndarray  # clusters to start from, of groups
    bound: Fraction
    level: float = math.inf
    priced: Fraction = None  # what the prices themselves prove; `bound` may come from before the branch
    pair: tuple = ()
    children: list = field(default_factory=list)
    n_boxes: float = math.inf  # of the latest search

    def __lt__(self, other):
        return self.bound < other.bound


def written(root, ends):
    """The nodes as dicts, parents first and the last child before the others; `ends` are the open ones."""
    nodes, pending, ends = [], [root], {id(node) for node in ends}
    while pending:
        node = pending.pop()
        here, below = id(node) in ends, node.children if id(node) not in ends else []
        nodes.append(
            {
                "prices": node.prices,
                "sets": node.sets if here else node.sets[:0],
                "level": node.level,
                "pair": node.pair,
                "n_boxes": node.n_boxes,
                "split": bool(below),
            }
        )
        pending += below
    return nodes


def joined(n_groups, i, j):
    """The new number of each group where j joins i < j."""
    return np.array([g if g < j else i if g == j else g - 1 for g in range(n_groups)])


def read(entries, row_of):
    """The nodes, parents first, with nothing proved of them yet: a file may claim anything about their prices.

    Parameters
    ----------
    entries : list of dict
        As `written` gives them, from a file that anyone may have altered.
    row_of : ndarray of int
        Of each sample its distinct row, from 0; -1 where it has no weight.

    Raises
    ------
    ValueError, LookupError, TypeError
        For what `written` would not have given.
    """
    nodes, ahead = [], [(None, np.arange(row_of.max() + 1), [], 0)]
    for entry in entries:
        parent, groups, cannot_link, depth = ahead.pop()
        node = _node(entry, groups, cannot_link)
        nodes.append(node)
        if parent is not None:
            parent.children.insert(0, node)
        if not entry["split"]:
            continue
        a, b = node.pair = tuple(int(sample) for sample in entry["pair"])
        i, j = sorted((int(groups[row_of[a]]), int(groups[row_of[b]])))
        if min(a, b, row_of[a], row_of[b]) < 0 or i == j or (i, j) in cannot_link or depth == MOST_DEPTH:
            raise ValueError("no such branch")
        new = joined(groups.max() + 1, i, j)
        in_joined = [(int(new[p]), int(new[q])) for p, q in cannot_link]
        ahead += [
            (node, new[groups], in_joined, depth + 1),
            (node, groups, [*cannot_link, (i, j)], depth + 1),
        ]
    if ahead:
        raise ValueError("branches are missing")
    return nodes


def _node(entry, groups, cannot_link):
    n_groups, level, n_boxes = int(groups.max()) + 1, float(entry["level"]), float(entry["n_boxes"])
    prices, sets = np.asarray(entry["prices"], np.float64), np.asarray(entry["sets"])
    if prices.shape != (n_groups,) or not ((prices >= 0) & (prices <= MOST_PRICE)).all():
        raise ValueError("prices are out of range")
    if sets.dtype != bool or sets.ndim != 2 or sets.shape[1] != n_groups:
        raise ValueError("clusters are no sets of groups")
    if not 0 <= level or not 0 <= n_boxes:
        raise ValueError("a level is out of range")
    return Node(groups, cannot_link, prices, sets, Fraction(0), level=level, n_boxes=n_boxes)
