"""What multipliers rule out, against all partitions; and proofs with branches and with what is left, against the optimum.

CKMEANS_TEST_INSTANCES=20000 python -m pytest tests/proofs/test_closing.py is the whole campaign.
"""

import os
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from clocks import Clock
from test_random_instances import instance, optimum

from ckmeans import KMeans, check
from ckmeans.exact.branch import branch_and_bound
from ckmeans.exact.items import Items
from ckmeans.exact.semidefinite import Ascent
from ckmeans.proofs import closing
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.proof_lines import proof_text, semidefinite_proof

INSTANCES = int(os.environ.get("CKMEANS_TEST_INSTANCES", 150))


class Unlimited:
    def room(self, numbers, bits=0):
        pass

    spend = room


def taken(labels, w, N, cuts):
    """<N + cuts, Z>."""
    n = len(labels)
    Z = [
        [
            Fraction(labels[i] == labels[j], sum(v for v, c in zip(w, labels) if c == labels[i]))
            for j in range(n)
        ]
        for i in range(n)
    ]
    pairs = sum(2 * v * Z[i][j] for i, row in enumerate(N) for j, v in enumerate(row))
    return pairs + sum(a * (Z[i][i] + Z[j][h] - Z[i][j] - Z[i][h]) for i, j, h, a in cuts)


def test_no_partition_that_takes_less_is_ruled_out():
    rng, n_ruled, n_named = np.random.default_rng(5), 0, 0
    for _ in range(INSTANCES):
        n, k = int(rng.integers(3, 7)), int(rng.integers(2, 4))
        w = rng.integers(1, 4, n).tolist()
        at = rng.integers(k, size=n)
        N = [[int(rng.integers(0, 40 if at[i] != at[j] else 3)) for j in range(i)] for i in range(n)]
        cuts = [
            (*map(int, rng.integers(n, size=3)), int(rng.integers(0, 30))) for _ in range(rng.integers(6))
        ]
        cuts = [cut for cut in cuts if cut[0] not in cut[1:3]]
        foes, apart = [0] * n, [tuple(map(int, rng.choice(n, 2, False))) for _ in range(rng.integers(3))]
        for i, j in apart:
            foes[i] |= 1 << j
            foes[j] |= 1 << i
            N[max(i, j)][min(i, j)] *= int(rng.integers(-1, 2))  # these may be of either sign
        slack = int(rng.integers(1, 14))
        seeds = [[int(i)] for i in rng.choice(n, k, False)] if k <= n else []
        if len(seeds) < k:
            continue
        may = check.settled(w, seeds, foes, N, cuts, slack, Unlimited())
        if may is None:
            continue
        n_named += 1
        n_ruled += any(own != (1 << k) - 1 for i, own in enumerate(may) if [i] not in seeds)
        for labels in product(range(k), repeat=n):
            allowed = all(labels[i] != labels[j] for i, j in apart) and len(set(labels)) == k
            if not allowed or taken(labels, w, N, cuts) > slack:
                continue
            names = [labels[i] for (i,) in seeds]
            assert len(set(names)) == k
            assert all(own >> names.index(label) & 1 for own, label in zip(may, labels))
    assert n_named > INSTANCES / 20 and n_ruled > INSTANCES / 40


def test_proofs_of_bounds_that_end_early(monkeypatch):
    """However few steps there were, what the checker accepts is so; and most of it is proved."""
    monkeypatch.setattr(closing, "STALE", 2)
    rng, said = np.random.default_rng(6), []
    for at in range(INSTANCES):
        X, weights, k = instance(rng)
        least, count = optimum(X, k, weights)
        rows = ExactProblem(X.astype(float), None if weights is None else weights.astype(float))
        if not 2 <= k < len(rows.rows) or not least:
            continue
        own = np.array(branch_and_bound(rows.rows, rows.weights, k).labels)
        labels = [own[place or 0] for place in rows.place]
        cost = rows.cost(np.array(labels))
        assert cost == least
        ascent = Ascent(Items.of(rows.rows, rows.weights), k, own, cost * rows.unit)
        ascent.run(0, stale=1 + at % 3)
        found = ascent.found()
        if found.bound > cost * rows.unit:
            continue
        node = closing.Node(ascent, list(range(len(rows.rows))), own)
        try:
            lines, bound = closing.Closing(k, cost * rows.unit, lambda: None, 1.0).proof(node, found)
        except closing.Stuck:
            said.append("stuck")
            continue
        assert bound <= least * rows.unit
        text = proof_text(rows, k, labels, "optimal-unique", lines).encode()
        code, words = check.verdict(text)
        assert code in (0, 1), words
        assert code or count == 1, (X.tolist(), weights, k)
        text = proof_text(rows, k, labels, "optimal", lines).encode()
        code, words = check.verdict(text)
        assert not code or bound < cost * rows.unit, words
        said.append(
            "left" if "left" in lines else "branch" if lines[0].startswith("proof branch") else "closed"
        )
    counts = {word: said.count(word) for word in set(said)}
    assert counts.get("stuck", 0) < len(said) / 2, counts
    assert counts.get("left", 0) and counts.get("branch", 0), counts


class Overlapping:
    """Rows whose clusters the bound leaves open by 7e-5; and a proof, with what is left and with a branch on an item."""

    k = 3

    def __init__(self):
        rng = np.random.default_rng(4)
        X = rng.normal(size=(24, 4)) + rng.normal(size=(3, 4))[rng.integers(3, size=24)]
        self.problem = ExactProblem(X.round(1))
        self.labels = KMeans(3, n_init=50, random_state=0).fit(X.round(1)).labels_

    def proved(self, labels=None, **options):
        labels = self.labels if labels is None else labels
        self.cost = self.problem.cost(labels) * self.problem.unit
        return closing.prove_by_matrix(
            self.problem.rows, self.problem.weights, self.k, labels, self.cost, **options
        )

    def accepted(self, lines):
        text = proof_text(self.problem, self.k, self.labels.tolist(), "optimal-unique", lines)
        return check.verdict(text.encode())[0] == check.PROVED


@pytest.fixture(scope="module")
def overlapping():
    return Overlapping()


def test_what_is_left_and_branches(overlapping):
    found, lines = overlapping.proved()
    assert found.bound < overlapping.cost and overlapping.accepted(lines)
    assert "left" in lines and any(line.startswith("proof branch") for line in lines)


@pytest.mark.parametrize(
    "name, value",
    [
        ("MOST_CHECKED", 0),  # more than the checker takes
        ("MISSING", -1),  # too many pairs of seeds that may be together
        ("DEEPEST", -1),  # branches in branches
        ("WORTH", Fraction(0)),  # a gap that is too wide
        ("settled", lambda *given: None),  # seeds that are not apart
    ],
)
def test_where_it_gives_up(overlapping, monkeypatch, name, value):
    """Then there is the bound, without a proof that the labels are optimal."""
    monkeypatch.setattr(closing, name, value)
    found, lines = overlapping.proved()
    assert lines is None and 0 < found.bound < overlapping.cost and found.stop_reason == "unresolved"


def test_too_much_is_open(overlapping):
    """After a share of the time most rows are still undecided: the bound is mended first."""
    own = overlapping
    _, lines = own.proved()
    ascent = Ascent(Items.of(own.problem.rows, own.problem.weights), 3, own.labels, own.cost)
    ascent.run(0)
    node = closing.Node(ascent, list(range(24)), own.labels)
    assert closing.Closing(3, own.cost, lambda: None, 1.0).proof(node, ascent.found())[0] == lines
    with pytest.raises(closing.Stuck):
        closing.Closing(3, own.cost, lambda: None, 0.0).proof(node, ascent.found())
    two = closing.Node(
        ascent, list(range(24)), np.minimum(own.labels, 1)
    )  # there is no seed of a third cluster
    with pytest.raises(closing.Stuck):
        closing.Closing(3, own.cost, lambda: None, 1.0).proof(two, ascent.found())


def test_partitions_that_there_are_none_of(overlapping):
    """An item that is in no cluster, or together with one that it is apart from: whatever there is costs more."""
    own = overlapping
    own.proved()
    ascent = Ascent(Items.of(own.problem.rows, own.problem.weights), 3, own.labels, own.cost)
    node = closing.Node(ascent, list(range(24)), own.labels)
    search = closing.Closing(3, own.cost, lambda: None, 1.0)
    may = [1, 2, 4, 0, *[7] * 20]
    assert search.rest(node, ["proof"], [0, 1, 2], [], may) == (["proof", "seeds 0 1 2"], own.cost)
    groups = [0, 0, *range(2, 24)]
    assert search.child(node, groups, [(0, 1)], None) == (["proof trivial"], own.cost + 1)
    lines = ["proof branch 0 1", "proof branch 0 1", *["proof trivial"] * 3]  # and the checker sees that
    text = proof_text(own.problem, 3, own.labels.tolist(), "bounded", lines, Fraction(0)).encode()
    assert check.verdict(text)[0] == check.PROVED


def test_a_clustering_that_is_not_optimal_is_not_proved(overlapping):
    """Each row in another cluster: however little worse that is, no proof says that it is optimal."""
    n_near = 0
    for i in range(24):
        for shift in (1, 2):
            labels = overlapping.labels.copy()
            labels[i] = (labels[i] + shift) % 3
            found, lines = overlapping.proved(labels)
            assert lines is None
            n_near += overlapping.cost - found.bound < closing.WORTH * overlapping.cost
    assert n_near


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97, 1.0])
def test_ctrl_c(overlapping, share):
    """In the search for the bound, and in that for the proof, in the end: the bound so far is kept."""
    looks = []

    def check_it():
        looks.append(0)
        if len(looks) == nth:
            raise KeyboardInterrupt

    nth = 0
    with Clock(
        seconds=1.0
    ):  # else the time decides how often the proof is tried, and so how many looks there are
        overlapping.proved(check=check_it)
    nth = round(share * len(looks))
    looks.clear()
    with Clock(seconds=1.0):
        found, lines = overlapping.proved(check=check_it)
    assert (found.stop_reason, lines) == ("interrupted", None) and 0 <= found.bound < overlapping.cost


@pytest.mark.parametrize("seconds", [None, 10, 1000])
def test_a_limit(overlapping, seconds):
    """For the proof there is as much time as a share of that for the bound: after each share of the limit, it is tried again."""
    with Clock(seconds=1.0 if seconds is None else 0.2):
        found, lines = overlapping.proved(max_seconds=seconds)
    assert lines is None or overlapping.accepted(lines)
    assert 0 <= found.bound < overlapping.cost
    assert found.stop_reason == ("time_limit" if seconds == 10 else "unresolved")


@pytest.mark.parametrize(
    ("X", "weights", "k"),
    [
        # Of the eigenvalues two differ by 1e-10, and LAPACK took the wrong one; its vectors were orthogonal to 1e-13 only.
        ([[0, 2], [1, 0], [2, 2], [2, 2], [1, 2], [2, 0], [2, 1], [1, 1]], None, 3),
        (
            [[7, 0, 2], [5, 4, 6], [3, 5, 7], [0, 3, 6], [1, 1, 7], [4, 4, 1], [2, 2, 7]],
            [0, 3, 3, 3, 1, 3, 1],
            3,
        ),
    ],
)
def test_no_negative_eigenvalue_is_left(X, weights, k):
    rows = ExactProblem(np.array(X, float), None if weights is None else np.array(weights, float))
    own = np.array(branch_and_bound(rows.rows, rows.weights, k).labels)
    labels = [int(own[place or 0]) for place in rows.place]
    cost = rows.cost(np.array(labels)) * rows.unit
    for stale in (1, 2, 3):
        ascent = Ascent(Items.of(rows.rows, rows.weights), k, own, cost)
        ascent.run(0, stale=stale)
        found = ascent.found()
        proof = semidefinite_proof(*found[1:-2])
        text = proof_text(rows, k, labels, "bounded", proof, found.bound / rows.unit)
        assert check.verdict(text.encode())[0] == check.PROVED
