"""Certificates and their files: what is saved is what the checker accepts and what is loaded again."""

from fractions import Fraction

import numpy as np
import proofs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckmeans import check, reference
from ckmeans.proofs import proof_lines
from ckmeans.proofs.certificate import Certificate
from ckmeans.proofs.problem import ExactProblem

floats = st.floats(allow_nan=False, allow_infinity=False)


def certificate(X, labels, k, proof, status="optimal", sample_weight=None, lower=None):
    problem = ExactProblem(np.asarray(X, float), sample_weight)
    cost = problem.cost(labels)
    lower = cost if lower is None else lower
    return Certificate(problem, k, np.array(labels, np.int32), cost, lower, status, "proved", "line", proof)


@pytest.fixture
def line():
    return certificate([[0.0], [1.0], [5.0], [6.5]], [0, 0, 1, 1], 2, proof_lines.line_proof(32))


def test_what_it_tells(line):
    assert line.inertia == line.lower_bound == 1.625
    assert line.gap == 0.0
    assert str(line) == "2 clusters of 4 rows, inertia 1.625: optimal: proved by dynamic programming"
    assert "optimal: proved" in line._repr_html_()
    bounded = certificate(
        [[0.0], [1.0], [5.0]], [0, 0, 1], 2, proof_lines.trivial_proof(), "bounded", lower=Fraction(1, 3)
    )
    assert Fraction(bounded.lower_bound) < Fraction(1, 3) < Fraction(np.nextafter(bounded.lower_bound, 1))
    assert bounded.gap >= (0.5 - 1 / 3) / 0.5
    assert "at most 50 % above the best possible, by a bound that the checker has not yet seen" in str(
        bounded
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_saved_checked_and_loaded(tmp_path, weighted):
    rng = np.random.default_rng(weighted)
    X, weights = rng.normal(size=(7, 2)), rng.random(7) if weighted else None
    small = proofs.Small(ExactProblem(X, weights), 3)
    labels = small.labels(small.optimum()[1])
    saved = certificate(X, labels, 3, proofs.tree(small, rng), "optimal-unique", weights)
    saved.save(tmp_path / "a.ckc")
    code, said = check.verdict((tmp_path / "a.ckc").read_bytes())
    assert code == check.PROVED, said
    loaded = Certificate.load(tmp_path / "a.ckc")
    assert loaded.text() == saved.text()
    assert (loaded.status, loaded.inertia, loaded.n_clusters) == (saved.status, saved.inertia, 3)
    np.testing.assert_array_equal(loaded.problem.X, X)
    saved.save(tmp_path / "b.ckc", with_rows=False)
    assert check.verdict((tmp_path / "b.ckc").read_bytes())[0] == check.MALFORMED
    with pytest.raises(ValueError, match="without the rows"):
        Certificate.load(tmp_path / "b.ckc")
    assert Certificate.load(tmp_path / "b.ckc", X, weights).text() == saved.text()
    for name, array in (("x.npy", X), ("w.npy", weights)):
        np.save(tmp_path / name, array)
    beside = ["x.npy", "w.npy"] if weighted else ["x.npy"]
    code, said = check.verdict(*((tmp_path / name).read_bytes() for name in ("b.ckc", *beside)))
    assert code == check.PROVED, said


def test_altered_files_are_not_loaded(line, tmp_path):
    text = line.text()
    for wrong in ("", text[:-9], text.replace("labels 0", "labels 1")):
        (tmp_path / "a.ckc").write_text(wrong)
        with pytest.raises(ValueError, match="no proof file"):
            Certificate.load(tmp_path / "a.ckc")


ODD = [
    "",
    "x",
    "-1",
    "0",
    "1/0",
    "ffffffffff",
    "f" * 400,
    "value=",
    "lower=0",
    "proof",
    "X 1",
    "scale=ffff",
    "n=0",
    "k=fffffff",
]


@pytest.mark.parametrize("seed", range(8))
def test_forged_files_are_refused_in_one_line(tmp_path, seed):
    """Lines altered and sealed anew: ValueError, or a certificate that costs what its labels do and is not called checked."""
    rng = np.random.default_rng(seed)
    X, own = rng.integers(0, 5, (6, 2)) / 4, rng.integers(1, 4, 6) / 2 if seed % 2 else None
    labels = [0, 1, 0, 1, 0, 1]
    lower = Fraction(0) if seed % 4 < 2 else None
    saved = certificate(
        X, labels, 3, proof_lines.trivial_proof(), "bounded" if lower is not None else "optimal", own, lower
    )
    whole, n_refused = saved.text().split("\n")[:-2], 0
    for _ in range(60):
        lines, at, kind = whole.copy(), int(rng.integers(len(whole))), rng.integers(4)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[rng.integers(len(whole))])
        else:
            words = lines[at].split(" ")
            where, odd = int(rng.integers(len(words))), ODD[rng.integers(len(ODD))]
            words[where] = (
                words[where].partition("=")[0] + "=" + odd if "=" in words[where] and kind == 2 else odd
            )
            lines[at] = " ".join(words)
        (tmp_path / "a.ckc").write_text(proof_lines.sealed(lines))
        try:
            found = Certificate.load(tmp_path / "a.ckc", *((X, own) if rng.random() < 0.3 else ()))
        except ValueError as error:
            assert "\n" not in str(error) and str(tmp_path) in str(error)
            n_refused += 1
            continue
        weights = found.problem.sample_weight
        given = None if weights is None else weights.tolist()
        assert found.exact_inertia == reference.cost(found.problem.X.tolist(), found.labels.tolist(), given)
        assert found.exact_lower_bound <= found.exact_inertia and not found.checked
        assert found.text() == proof_lines.sealed(lines) or "X 1" in lines
    assert n_refused > 30


def test_other_data_are_not_loaded(line, tmp_path):
    X = np.array([[0.0], [1.0], [5.0], [6.5]])
    line.save(tmp_path / "a.ckc", with_rows=False)
    assert Certificate.load(tmp_path / "a.ckc", X).text() == line.text()
    for other in (X + 1, X[:3], X * 3, np.hstack([X, X]), [["a"]] * 4):
        with pytest.raises(ValueError, match="a.ckc"):
            Certificate.load(tmp_path / "a.ckc", other)
    line.save(tmp_path / "b.ckc")
    with pytest.raises(ValueError, match="other weights"):
        Certificate.load(tmp_path / "b.ckc", None, np.ones(4))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_floats_are_exact(data):
    n, d = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 3))
    X = np.array(data.draw(st.lists(st.lists(floats, min_size=d, max_size=d), min_size=n, max_size=n)))
    weights = np.array(data.draw(st.lists(st.floats(0, 1e300), min_size=n, max_size=n)))
    weights[0] = 1.0
    labels = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    saved = certificate(X, labels, 3, proof_lines.trivial_proof(), "bounded", weights, lower=Fraction(0))
    problem, bound, _ = proofs.derived(saved.text())
    assert Fraction(problem.U, problem.unit) == reference.cost(X.tolist(), labels, weights.tolist())
    assert bound >= 0
    assert check.verdict(saved.text().encode())[0] == check.PROVED


def test_equal_rows_and_rows_without_weight():
    X = np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [-0.0, 0.0], [3.0, 4.0]])
    problem = ExactProblem(X, np.array([1.0, 2.0, 0.5, 1.0, 0.0]))
    assert problem.place == [0, 1, 0, 1, None]
    assert problem.rows == [(1, 2), (0, 0)]
    assert problem.weights == [3, 6]
    assert problem.unit == 2


def test_a_search_by_prices_is_written():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n, d = int(rng.integers(2, 8)), int(rng.integers(1, 3))
        X = rng.integers(0, 9, (n, d)) / 2 if seed % 2 else rng.normal(size=(n, d))
        weights = rng.integers(1, 4, n) / 4 if rng.random() < 0.5 else None
        problem = ExactProblem(X, weights)
        order = rng.permutation(len(problem.rows))  # the rows as a search may number them
        small = proofs.Small(problem, 2)
        cost, parts = small.optimum()
        node = renumbered(proofs.searched(small, rng), np.argsort(order))
        text = proof_lines.proof_text(
            problem, 2, small.labels(parts), "optimal", proof_lines.columns_proof(problem, node, order)
        )
        code, said = check.verdict(text.encode())
        assert code == check.PROVED, (seed, said)


def renumbered(node, numbers):
    """The node as of a search that has other numbers for the rows."""
    if node[0] == "branch":
        return (
            "branch",
            int(numbers[node[1]]),
            int(numbers[node[2]]),
            *(renumbered(side, numbers) for side in node[3:]),
        )
    groups = np.empty(len(numbers), int)
    groups[numbers] = node[1]
    return ("prices", groups, *node[2:])
