"""The branches of column generation (columns.py), and how they are kept: rows together, rows apart, prices, clusters."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np


@dataclass(eq=False)
class Node:
    """Some rows together, some apart; prices, and what they prove."""

    groups: np.ndarray  # of each distinct row
    pairs: list  # of groups that are apart
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
    """The nodes as dicts, parents first and the last child before the others; `ends` are those that are open."""
    nodes, pending, ends = [], [root], {id(node) for node in ends}
    while pending:
        node = pending.pop()
        here, below = id(node) in ends, node.children if id(node) not in ends else []
        nodes.append({
            "groups": node.groups, "pairs": node.pairs, "prices": node.prices, "sets": node.sets if here else node.sets[:0],
            "bound": node.bound, "level": node.level, "priced": node.priced, "pair": node.pair, "n_boxes": node.n_boxes,
            "open": here, "split": bool(below),
        })  # fmt: skip
        pending += below
    return nodes


def read(entries):
    """The root, and the nodes that are open."""
    nodes, ends, left = [], [], []  # left: split nodes that lack a child
    for entry in entries:
        own = {name: value for name, value in entry.items() if name not in ("open", "split")}
        own["pairs"], own["pair"] = [tuple(pair) for pair in entry["pairs"]], tuple(entry["pair"])
        node = Node(**own)
        nodes.append(node)
        if left:
            left[-1].children.insert(0, node)
            if len(left[-1].children) == 2:
                left.pop()
        if entry["split"]:
            left.append(node)
        if entry["open"]:
            ends.append(node)
    return nodes[0], ends
