"""The cheapest path of k steps through few nodes, in rational numbers.

Node t has the sums W_t and S_t of the weights and weighted values before it, integers or fractions; a step from i to t
gains (S_t - S_i)^2 / (W_t - W_i), and costs a penalty.
"""

from fractions import Fraction


def gain(weights, totals, i, j):
    """What a step from node i to node j gains."""
    return Fraction((totals[j] - totals[i]) ** 2, weights[j] - weights[i])


def total(fractions):
    """The sum, added in pairs, so that few of the sums have long denominators."""
    while len(fractions) > 1:
        fractions = [sum(fractions[i : i + 2]) for i in range(0, len(fractions), 2)]
    return fractions[0]


def best_path(weights, totals, starts, k, penalty=None):
    """The best path of k steps, where a best one of all costs no more with some penalty than those of other lengths.

    Parameters
    ----------
    weights, totals : sequence of n_nodes integers or Fractions
    starts : sequence of n_nodes sequences of int
        The nodes from which there is a step to each node.
    k : int
    penalty : Fraction or None
        Where the search for the penalty begins.

    Returns
    -------
    path : list of k + 1 nodes
        Of several the one whose last but one node comes first, and so on.
    penalty : Fraction
        With which it is a best one of all lengths.
    """
    if penalty is None:
        penalty = gain(weights, totals, 0, len(weights) - 1) / k**3 or Fraction(1)
    fewer, more, factor = None, None, 2
    while True:
        chosen, counts = _best_paths(weights, totals, starts, penalty)
        if counts[-1] >> k & 1:
            return _trace(chosen, counts, k), penalty
        count = counts[-1].bit_length() - 1  # all are on one side, or the next penalty tells more
        path = _trace(chosen, counts, count)
        found = count, total([gain(weights, totals, i, j) for i, j in zip(path, path[1:])])
        if count < k:
            fewer = found
        else:
            more = found
        if fewer and more:
            penalty = (more[1] - fewer[1]) / (more[0] - fewer[0])
        else:
            if factor.bit_length() > 1 << 14:
                raise ArithmeticError(f"there is no best path of {k} steps among these")
            penalty = penalty / factor if count < k else penalty * factor
            factor *= factor


def _best_paths(weights, totals, starts, penalty):
    """For each node the starts of the last steps of best paths to it, and the numbers of steps of these, as bits."""
    n = len(weights)
    first = [min(own, default=0) for own in starts] + [n]
    crossed = n  # the first node that steps to later ones come from
    restart = [False] * n  # every path comes through this node: what lies before it is all the same
    for node in range(n - 1, 0, -1):
        restart[node] = crossed >= node
        crossed = min(crossed, first[node])
    value, chosen, counts = [Fraction(0)] * n, [[]] * n, [1] + [0] * (n - 1)
    for node in range(1, n):
        reached = [(value[i] + gain(weights, totals, i, node), i) for i in starts[node] if counts[i]]
        if not reached:
            continue
        best = max(v for v, _ in reached)
        chosen[node] = [i for v, i in reached if v == best]
        for i in chosen[node]:
            counts[node] |= counts[i] << 1
        value[node] = Fraction(0) if restart[node] else best - penalty
    return chosen, counts


def _trace(chosen, counts, k):
    path = [len(chosen) - 1]
    for left in range(k - 1, -1, -1):
        path.append(next(i for i in chosen[path[-1]] if counts[i] >> left & 1))
    return path[::-1]
