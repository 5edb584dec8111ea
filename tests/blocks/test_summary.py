"""Summaries keep the sums of all rows exactly, and the same cells for any cut of the rows into batches."""

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from summaries import KINDS, rows_of, state_of, weights_for

import ckmeans
from ckmeans import Summary, summarize
from ckmeans.blocks import cell_seeds as seeds_module
from ckmeans.blocks.cell_seeds import Seeds


def cut(X, weights, sizes):
    """A summary of the rows in batches of these sizes, over and over."""
    summary, at, turn = Summary(24, n_threads=1), 0, 0
    while at < len(X):
        some = slice(at, at + sizes[turn % len(sizes)])
        summary.partial_fit(X[some], None if weights is None else weights[some])
        at, turn = some.stop, turn + 1
    return summary


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_batches_do_not_matter(kind, weighted):
    X = rows_of(kind)
    weights = weights_for(X) if weighted else None
    whole = state_of(cut(X, weights, [len(X)]))
    assert whole == state_of(cut(X, weights, [1, 40])) == state_of(cut(X, weights, [97]))


def test_a_row_for_which_there_is_no_room_begins_a_batch():
    """Cells are merged before any of its rows is added."""
    X = rows_of("blobs", 400) * np.arange(1, 401)[:, None]
    assert state_of(cut(X, None, [1])) == state_of(cut(X, None, [400]))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6), st.sampled_from(["grid", "drift", "blobs"]))
def test_any_batches(sizes, kind):
    X = rows_of(kind, 400)
    assert state_of(cut(X, None, sizes)) == state_of(cut(X, None, [len(X)]))


@pytest.mark.parametrize("kind", KINDS)
def test_sums_are_exact(kind):
    """In all, and of each cell of seeds that are given, in fractions."""
    X = rows_of(kind, 150)
    weights = weights_for(X)
    seeds = np.unique(X[::20], axis=0)
    summary = Summary(seeds=seeds).partial_fit(X[:80], weights[:80]).partial_fit(X[80:], weights[80:])
    _, (W, sums, squares), lower, upper = state_of(summary)
    exact = [[Fraction(x) for x in row] for row in X.tolist()]
    points = [[Fraction(x) for x in row] for row in seeds.tolist()]
    off = [[sum((a - b) ** 2 for a, b in zip(x, y)) for y in points] for x in exact]
    labels = np.array([own.index(min(own)) for own in off])
    filled = [k for k in range(len(seeds)) if weights[labels == k].any()]
    assert len(W) == len(filled)
    for at, k in enumerate(filled):
        own = np.flatnonzero((labels == k) & (weights > 0)).tolist()
        w = [Fraction(weights[i]) for i in own]
        assert W[at] == sum(w)
        assert sums[at] == [sum(a * exact[i][f] for a, i in zip(w, own)) for f in range(X.shape[1])]
        assert squares[at] == sum(a * sum(x * x for x in exact[i]) for a, i in zip(w, own))
        assert lower[at] == X[own].min(axis=0).tolist() and upper[at] == X[own].max(axis=0).tolist()
    cells = summary.cells
    scatter = squares[0] - sum(s * s for s in sums[0]) / W[0]
    assert cells.weights[0] == float(W[0])
    assert cells.scatters[0] == (float(scatter) if scatter < 2**1023 else np.inf)
    assert summary.weight == float(sum(W)) and summary.n_rows == 150
    heavy = X[weights > 0]
    assert np.array_equal(summary.box, [heavy.min(axis=0), heavy.max(axis=0)])


@pytest.mark.parametrize("kind", KINDS)
def test_cost_is_that_of_the_rows(kind):
    """Whatever the cells are: with one center, and with the cells' own means, to the last bit."""
    X = rows_of(kind)
    summary = cut(X, None, [64])
    center = X[:1]
    exact = [[Fraction(x) for x in row] for row in X.tolist()]
    c = [Fraction(x) for x in center[0].tolist()]
    sums = summary.exact_cells
    labels = np.zeros(len(sums.weights), int)
    assert sums.cost(labels, center) == sum((a - b) ** 2 for row in exact for a, b in zip(row, c))
    mean = [sum(column) / len(X) for column in zip(*exact)]
    assert sums.cost(labels) == sum((a - b) ** 2 for row in exact for a, b in zip(row, mean))


def test_memory_is_bounded():
    for kind in ("drift", "extreme", "grid", "blobs"):
        X = rows_of(kind, 4000)
        summary = Summary(40, n_threads=1)
        for start in range(0, 4000, 500):
            summary.partial_fit(X[start : start + 500])
            assert len(summary.cells.weights) <= 40 and len(summary._state.held) * 500 <= 4 * 40 + 500
            assert summary.seeds is None or len(summary.seeds) <= 40
        assert summary.weight == 4000


def test_few_different_rows_are_all_kept():
    X = rows_of("few")
    summary = summarize([X, X[:5]], 24)
    assert len(summary.cells.weights) == len(np.unique(X, axis=0)) and not summary.cells.scatters.any()
    later = summary.partial_fit([[7.0, 7.0]]).partial_fit(np.array([[7.0, 7.5]]))
    assert len(later.cells.weights) == len(np.unique(X, axis=0)) + 2


def test_float32_and_containers():
    X = rows_of("blobs").astype(np.float32)
    pandas = pytest.importorskip("pandas")
    one, two, three = summarize(X, 30), summarize([X.tolist()], 30), summarize([pandas.DataFrame(X)], 30)
    assert state_of(one) == state_of(summarize(X.astype(float), 30)) == state_of(two) == state_of(three)


def test_sources(tmp_path):
    X = rows_of("blobs")
    for number, part in enumerate(np.array_split(X, 3)):
        np.save(tmp_path / f"{number}.npy", part)
    expected = state_of(summarize(X, 30))
    paths = [tmp_path / f"{number}.npy" for number in range(3)]
    for source in (paths, str(tmp_path / "*.npy"), lambda: np.array_split(X, 5), [X.tolist()]):
        assert state_of(summarize(source, 30)) == expected
    assert summarize(paths[0]).n_rows == len(np.load(paths[0]))


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        (None, TypeError, "NoneType: give an iterable of blocks, or paths"),
        (lambda: 3, TypeError, "gives a int: let it give an iterable"),
        ([np.ones((9, 2)), [[1.0, np.nan]]], ValueError, "block 1 of the source: X contains NaN"),
        ([np.ones((9, 2)), np.ones((9, 3))], ValueError, "block 1 of the source: batch has 3 features"),
        (".", OSError, "is a folder: give a pattern"),
        (["one.txt", "two.txt"], (ValueError, TypeError), "block 0 of the source: "),
    ],
)
def test_sources_that_are_none(source, error, said):
    with pytest.raises(error, match=said):
        summarize(source)


def test_the_callers_rows_may_change():
    X = rows_of("blobs", 50)
    summary = Summary().partial_fit(X)
    X[:] = 0
    assert summary.cells.means.any()


def test_weights_are_copies():
    X = rows_of("grid", 100)
    one = Summary(24).partial_fit(np.concatenate([X, X, X]))
    three = Summary(24).partial_fit(X, np.full(100, 3.0))
    assert one.weight == three.weight == 300 and one.exact_cells.cost(
        np.zeros(len(one.cells.weights), int)
    ) == three.exact_cells.cost(np.zeros(len(three.cells.weights), int))
    silent = Summary(24).partial_fit(X).partial_fit(X + 50, np.zeros(100))
    assert silent.n_rows == 200 and silent.weight == 100 and silent.box[1].max() <= 6
    with pytest.raises(ValueError, match="no rows with weight"):
        _ = Summary().partial_fit(X, 0.0).cells


@pytest.mark.parametrize("kind", KINDS)
def test_merging(kind):
    """Sums of all rows do not depend on how summaries are put together; with given seeds nothing does."""
    X, weights = rows_of(kind), weights_for(rows_of(kind))
    cuts = [slice(0, 30), slice(30, 400), slice(400, None)]
    parts = [Summary(24, random_state=i).partial_fit(X[own], weights[own]) for i, own in enumerate(cuts)]
    a, b, c = parts
    before = [state_of(part) for part in parts]
    results = [(a + b) + c, a + (b + c), c + a + b, sum(parts)]
    assert [state_of(part) for part in parts] == before
    for total in results:
        assert len(total.cells.weights) <= 24 and total.n_rows == len(X) and total.weight == weights.sum()
        cells = total.exact_cells
        assert cells.cost(np.zeros(len(cells.weights), int)) == results[0].exact_cells.cost(
            np.zeros(len(results[0].exact_cells.weights), int)
        )
        assert np.array_equal(total.box, results[0].box)
    seeds = results[0].seeds if results[0].seeds is not None else np.unique(X, axis=0)[::40]
    parts = [Summary(seeds=seeds).partial_fit(X[own], weights[own]) for own in reversed(cuts)]
    assert state_of(sum(parts)) == state_of(Summary(seeds=seeds).partial_fit(X, weights))


def test_merging_first_rows_holds_them():
    X = rows_of("blobs", 90)
    parts = [Summary(24).partial_fit(X[:40]), Summary(24), Summary(24).partial_fit(X[40:])]
    assert state_of(sum(parts)) == state_of(Summary(24).partial_fit(X))
    with pytest.raises(TypeError):
        parts[0] + 3
    with pytest.raises(ValueError, match="features"):
        parts[0] + Summary().partial_fit(rows_of("line"))


@pytest.mark.parametrize("n", [2, 4])
def test_merging_what_has_no_rows_yet(n):
    """Of different seeds: they are none of the total, which goes on as if it were new. As many as there may be, or more."""
    X = rows_of("blobs")
    total = Summary(4, seeds=X[:n]) + Summary(4, seeds=X[n : 2 * n])
    assert total.n_rows == 0 and total.seeds is None
    assert state_of(total.partial_fit(X)) == state_of(Summary(4).partial_fit(X))
    some = Summary(4, seeds=X[:n]).partial_fit(X) + Summary(4, seeds=X[n : 2 * n])
    assert some.n_rows == some.weight == len(X) and len(some.cells.weights) <= 4


@pytest.mark.parametrize(
    ("batch", "weights", "said"),
    [
        ([[np.nan, 1.0]], None, "NaN"),
        ([[np.inf, 1.0]], None, "infinity"),
        ([[1.0]], None, "features"),
        ([1.0, 2.0], None, "dimension"),
        ([["a", "b"]], None, "text"),
        ([[1.0, 2.0]], [-1.0], "at least 0"),
        ([[1.0, 2.0]], [np.nan], "finite"),
        ([[1.0, 2.0]], [1.0, 2.0], "one weight for each"),
    ],
)
@pytest.mark.parametrize("n", [50, 700])
def test_a_failed_batch_changes_nothing(batch, weights, said, n):
    summary = Summary(24).partial_fit(rows_of("blobs", n))
    before = state_of(summary)
    with pytest.raises(ValueError, match=said):
        summary.partial_fit(batch, weights)
    assert state_of(summary) == before


def test_an_interrupted_batch_changes_nothing(monkeypatch):
    X = rows_of("drift")
    summary = Summary(24).partial_fit(X[:300])
    before = state_of(summary)

    def stop(self, state):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Summary, "_reduce", stop)
        with pytest.raises(KeyboardInterrupt):
            summary.partial_fit(X[300:])
    assert state_of(summary) == before
    assert state_of(summary.partial_fit(X[300:])) == state_of(Summary(24).partial_fit(X))


@pytest.mark.parametrize(
    "words", [{"max_cells": 3}, {"random_state": -1}, {"seeds": [[np.nan]]}, {"n_threads": 0}]
)
def test_parameters_are_checked(words):
    with pytest.raises(ValueError):
        Summary(**words)


def test_empty_blocks_and_rows_without_a_cell():
    X = rows_of("blobs", 300)
    whole, parts = (summarize(blocks, 40, random_state=0) for blocks in ([X], [X[:0], X, X[:0]]))
    assert np.array_equal(whole.cells.means, parts.cells.means)
    with pytest.raises(ValueError, match="still holds its first rows"):
        Summary(40).partial_fit(X[:5]).cells_of(X)


def test_copies_and_pickle():
    X = rows_of("drift")
    summary = Summary(24).partial_fit(X[:300])
    for other in (copy.deepcopy(summary), pickle.loads(pickle.dumps(summary))):
        assert state_of(other.partial_fit(X[300:])) == state_of(Summary(24).partial_fit(X))
    assert summary.n_rows == 300 and "300 rows" in repr(summary)


@pytest.mark.parametrize("kind", KINDS)
def test_the_tree_finds_the_exact_nearest(kind, monkeypatch):
    X = rows_of(kind, 300)
    points = np.unique(X[::3], axis=0)
    found = Seeds(points, 1).nearest(X)
    monkeypatch.setattr(seeds_module, "MOST_BY_TREE", 0)
    assert np.array_equal(found, Seeds(points, 1).nearest(X))


def test_public_names():
    assert {"Summary", "summarize"} <= set(ckmeans.__all__)
