"""The cheapest path of k steps through few nodes, exactly: long integers rule out, rational numbers decide.

Node t has the sums W_t and S_t of the weights and weighted values before it, integers or fractions; a step from i to t
gains (S_t - S_i)^2 / (W_t - W_i), and costs a penalty. Values of paths are compared as integers that are rounded down, and
where rounding might decide, which is where paths are as good as each other, as fractions.
"""

import math
from fractions import Fraction

# Gains have this many binary digits below the unit of the sums: the more, the fewer paths are left to be compared as fractions.
FINE = 64
# Paths are found without a look at the clock where the number of steps times the binary digits of the sums is no greater: they take
# some 10 ms.
SHORT = 2_000_000


def gain(weights, totals, i, j):
    """What a step from node i to node j gains."""
    return Fraction((totals[j] - totals[i]) ** 2, weights[j] - weights[i])


def total(fractions):
    """The sum, added in pairs, so that few of the sums have long denominators."""
    while len(fractions) > 1:
        fractions = [sum(fractions[i : i + 2]) for i in range(0, len(fractions), 2)]
    return fractions[0]


def best_path(weights, totals, starts, k, penalty=None, check=None):
    """The best path of k steps, where a best one of all costs no more with some penalty than those of other lengths.

    Parameters
    ----------
    weights, totals : sequence of n_nodes integers or Fractions
    starts : sequence of n_nodes sequences of int
        The nodes from which there is a step to each node.
    k : int
    penalty : Fraction or None
        Where the search for the penalty begins.
    check : callable(), optional
        Called every 20 ms or so where the numbers are many or long; what it raises ends the search.

    Returns
    -------
    path : list of k + 1 nodes
        Of several the one whose last but one node comes first, and so on.
    penalty : Fraction
        With which it is a best one of all lengths.
    """
    steps = _Steps(weights, totals, starts, check)
    if penalty is None:
        penalty = gain(weights, totals, 0, len(weights) - 1) / k**3 or Fraction(1)
    fewer, more, factor, exact = None, None, 2, False
    while True:
        chosen, counts = steps.best_paths(penalty)
        if counts[-1] >> k & 1:
            return _trace(chosen, counts, k), penalty
        count = counts[-1].bit_length() - 1  # all are on one side, or the next penalty tells more
        known = any(path is not None and len(path) == count + 1 for path in (fewer, more))
        path = _trace(chosen, counts, count)
        fewer, more = (path, more) if count < k else (fewer, path)
        if fewer and more:
            if known and exact:
                raise ArithmeticError(f"there is no best path of {k} steps among these")
            # After a short penalty that led to nothing new, the one with which both cost the same.
            exact = known
            penalty = steps.penalty_between(fewer, more, exact)
        else:
            if factor.bit_length() > 1 << 14:
                raise ArithmeticError(f"there is no best path of {k} steps among these")
            penalty = penalty / factor if count < k else penalty * factor
            factor *= factor


class _Steps:
    """The steps between nodes, each with its gain as an integer number of units, rounded down."""

    def __init__(self, weights, totals, starts, check):
        self.weights, self.totals, self.starts = weights, totals, starts
        self.n = len(weights)
        own, below_weights = _whole(weights)
        sums, below_totals = _whole(totals)
        # A gain is (difference of sums)^2 / (difference of own) of these.
        self.unit = Fraction(below_weights, below_totals**2 << FINE)
        digits = own[-1].bit_length() + max(abs(sums[-1]), 1).bit_length()
        self.check = check if check is not None and sum(map(len, starts)) * digits > SHORT else lambda: None
        self.gains = []
        for node, before in enumerate(starts):
            self.check()
            weight, value = own[node], sums[node]
            self.gains.append([((value - sums[i]) ** 2 << FINE) // (weight - own[i]) for i in before])
        first = [min(before, default=0) for before in starts] + [self.n]
        crossed = self.n  # the first node that steps to later ones come from
        self.restart = [
            False
        ] * self.n  # every path comes through this node: what lies before it is all the same
        for node in range(self.n - 1, 0, -1):
            self.restart[node] = crossed >= node
            crossed = min(crossed, first[node])

    def best_paths(self, penalty):
        """For each node the starts of the last steps of best paths to it, and the numbers of steps of these, as bits."""
        n, whole = self.n, penalty // self.unit
        value, chosen, counts = [0] * n, [[]] * n, [1] + [0] * (n - 1)
        exact = {node: Fraction(0) for node in range(n) if node == 0 or self.restart[node]}
        for node in range(1, n):
            self.check()
            reached = [
                (value[i] + own, i) for i, own in zip(self.starts[node], self.gains[node]) if counts[i]
            ]
            if not reached:
                continue
            best = max(reached)[0]
            # Of at most n steps, each gain and each penalty is off by less than one unit.
            near = [i for own, i in reached if own >= best - 2 * n]
            chosen[node] = near if len(near) == 1 else self._exactly_best(near, node, penalty, chosen, exact)
            for i in chosen[node]:
                counts[node] |= counts[i] << 1
            value[node] = 0 if self.restart[node] else best - whole
        return chosen, counts

    def _exactly_best(self, near, node, penalty, chosen, exact):
        """The starts from which a node is reached best; `exact` has the exact values of nodes, and gets the ones that are needed."""
        values = []
        for start in near:
            trail, at = [], start
            while at not in exact:
                trail.append(at)
                at = chosen[at][0]
            for at in reversed(trail):
                self.check()
                before = chosen[at][0]
                exact[at] = exact[before] + gain(self.weights, self.totals, before, at) - penalty
            values.append(exact[start] + gain(self.weights, self.totals, start, node))
        best = max(values)
        return [i for i, own in zip(near, values) if own == best]

    def penalty_between(self, fewer, more, exact):
        """The penalty with which two paths cost the same; if it need not be exact, with few digits."""
        n_more = len(more) - len(fewer)
        if exact:
            gains = [
                total([gain(self.weights, self.totals, i, j) for i, j in zip(path, path[1:])])
                for path in (fewer, more)
            ]
            return (gains[1] - gains[0]) / n_more
        gains = [
            sum(self.gains[j][self.starts[j].index(i)] for i, j in zip(path, path[1:]))
            for path in (fewer, more)
        ]
        return (gains[1] - gains[0]) // n_more * self.unit


def _whole(numbers):
    """Integers or fractions as integers over one common denominator."""
    below = math.lcm(*(number.denominator for number in numbers))
    return [number.numerator * (below // number.denominator) for number in numbers], below


def _trace(chosen, counts, k):
    path = [len(chosen) - 1]
    for left in range(k - 1, -1, -1):
        path.append(next(i for i in chosen[path[-1]] if counts[i] >> left & 1))
    return path[::-1]
