"""What certify knows is neither lost, to Ctrl-C or for want of memory, nor said to be more than the checker accepts."""

import signal
from dataclasses import replace

import numpy as np
import pytest
from clocks import press
from sklearn.datasets import make_blobs

from ckmeans import ExactKMeans, certify, check
from ckmeans.local import restarts, small
from ckmeans.proofs import methods
from ckmeans.proofs.portfolio import prove

K = 4
X = make_blobs(60, 6, centers=K, cluster_std=2.0, random_state=0)[0]


def pressed_after(function):
    """The function, with Ctrl-C when it has its result."""

    def late(*args, **kwargs):
        found = function(*args, **kwargs)
        press()
        return found

    return late


@pytest.mark.parametrize(
    "n, owner, name",
    [
        (60, restarts.Restarts, "outcome"),
        (60, methods, "hybrid_search"),
        (18, small.Search, "conclude"),
        (18, methods, "local_search"),
    ],
)
@pytest.mark.parametrize("given", [False, True])
def test_interrupt_while_the_search_is_put_together(n, owner, name, given, noted, monkeypatch):
    """Its clustering is kept, and then Ctrl-C takes effect."""
    labels = np.arange(n, dtype=np.int32) % K if given else None
    whole = prove(X[:n], K, labels=labels, methods=["search"], rng=0)
    monkeypatch.setattr(owner, name, pressed_after(getattr(owner, name)))
    found = certify(X[:n], labels, n_clusters=K, random_state=0)
    assert noted == [signal.SIGINT] and found.stop_reason == "interrupted"
    assert (found.better or found).exact_inertia == (whole.better or whole).exact_inertia
    assert (found.better is not None) == given
    with pytest.raises(KeyboardInterrupt):  # it is in force again
        press()


def test_interrupt_while_the_estimator_searches(noted, monkeypatch):
    inertia = prove(X, K, methods=["search"], rng=np.random.RandomState(0)).inertia
    monkeypatch.setattr(restarts.Restarts, "outcome", pressed_after(restarts.Restarts.outcome))
    model = ExactKMeans(K, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert (model.stop_reason_, model.inertia_) == ("interrupted", inertia)


@pytest.mark.parametrize("name", sorted(set(methods.METHODS) - {"search"}))
def test_interrupt_when_a_method_has_ended(name, noted, monkeypatch):
    """Its bound is kept, where it has one."""
    rows = X[:, : {"line": 1, "sweep": 2, "prices": 2}.get(name, 6)].copy()
    k = 2 if name == "sweep" else K
    whole = prove(rows, k, methods=["search", name], rng=0)
    plain, lower = methods.METHODS[name], [0]

    def late(instance, incumbent, run):
        found = plain(instance, incumbent, run)
        run.held.begin()
        press()
        lower.append(found.lower if found is not None else 0)
        return found

    monkeypatch.setitem(methods.METHODS, name, late)
    found = prove(rows, k, methods=["search", name], rng=0)
    assert noted == [signal.SIGINT] and found.stop_reason == "interrupted"
    assert found.exact_inertia == whole.exact_inertia
    assert found.exact_lower_bound == lower[-1]
    assert lower[-1] > 0 or name in ("trivial", "sweep")


# ---- Memory


def greedy(*_):
    raise MemoryError


ALL = ["trivial", "search", "pca", "sdp"]


@pytest.mark.parametrize("at", ["pca", "sdp"])
def test_without_memory_what_is_known_is_returned(at, monkeypatch, tmp_path):
    before = prove(X, K, methods=ALL[: ALL.index(at)], rng=0)
    monkeypatch.setitem(methods.METHODS, at, greedy)
    path = tmp_path / "a.ckpt"
    found = prove(X, K, methods=ALL, rng=0, checkpoint=path)
    assert (found.status, found.stop_reason) == ("bounded", "memory_limit")
    assert found.exact_inertia == before.exact_inertia
    assert found.exact_lower_bound == before.exact_lower_bound and found.checked
    monkeypatch.undo()
    assert prove(X, K, methods=ALL, rng=0, checkpoint=path).exact_lower_bound > before.exact_lower_bound


def test_without_memory_from_the_beginning(monkeypatch):
    monkeypatch.setitem(methods.METHODS, "search", greedy)
    with pytest.raises(MemoryError):
        prove(X, K, methods=ALL, rng=0)
    with pytest.raises(MemoryError):
        certify(X, np.arange(len(X)) % K, random_state=0)


def test_a_checker_without_memory_accepts_nothing(monkeypatch):
    monkeypatch.setattr(check, "prove", greedy)
    found = prove(X, K, methods=ALL, rng=0)
    assert (found.status, found.checked) == ("bounded", False) and found.stop_reason != "proved"
    assert found.lower_bound > 0


# ---- Why the search ended


def test_the_gap_is_closed_by_what_the_checker_accepts(monkeypatch):
    """A method that states more than its lines prove does not end the search."""
    plain = methods.METHODS["pca"]

    def more(instance, incumbent, run):
        return replace(plain(instance, incumbent, run), lower=incumbent.cost * 99 / 100)

    true = prove(X, K, methods=["search", "pca"], rng=0)
    assert true.gap > 0.1
    monkeypatch.setitem(methods.METHODS, "pca", more)
    found = prove(X, K, methods=["search", "pca"], rng=0, gap=0.1)
    assert found.stop_reason == "unresolved" and found.exact_lower_bound == true.exact_lower_bound
    found = prove(X, K, methods=["search", "pca", "sdp"], rng=0, gap=0.1)
    assert found.method == "sdp" and found.checked and found.gap <= 0.1


def test_a_gap_that_the_checker_has_not_seen_is_not_called_closed(monkeypatch):
    true = prove(X, K, methods=["search", "pca"], rng=0)
    found = prove(X, K, methods=["search", "pca"], rng=0, gap=1.01 * true.gap)
    assert (found.stop_reason, found.checked) == ("gap", True)
    monkeypatch.setattr(check, "LIMIT", 1)
    monkeypatch.setattr(check, "STEPS_A_BYTE", 0)
    found = prove(X, K, methods=["search", "pca"], rng=0, gap=1.01 * true.gap)
    assert (found.stop_reason, found.checked) == ("unchecked", False)
