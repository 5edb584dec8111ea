"""A proof goes on from its checkpoint, after `kill -9` too, to the same optimum; what is of other data is refused."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from children import PRELUDE, needs_signals, signalled

from ckmeans import ExactKMeans, certify, check
from ckmeans.exact import column_branch, columns, prices
from ckmeans.proofs import checkpoint, methods, portfolio
from ckmeans.proofs.checkpoint import WORD, Checkpoint
from ckmeans.proofs.problem import ExactProblem
from ckmeans.proofs.proof_lines import header

X = np.random.default_rng(5).random((150, 3))
K = 6
LONG = """
import os
from ckmeans import certify; from ckmeans.proofs import checkpoint
checkpoint.EVERY, checkpoint.SHARE, write = 0, 0, checkpoint.Checkpoint.write
def written(self, state, now=False):
    write(self, state, now=now)
    known = self.read()["inner"]
    root = known["prices"]["nodes"][0] if "prices" in known else None
    if root and root["prices"].sum() > 6 * root["level"]:
        if sys.argv[2] == "after a write":
            here()
        os.fsync = lambda _: here()
checkpoint.Checkpoint.write = written
X = np.random.default_rng(5).random((150, 3))
certify(X, n_clusters=6, random_state=0, time_limit=None, checkpoint=sys.argv[1])
"""


def entries(path):
    return Checkpoint(path, problem()).read()


def problem():
    return "; ".join(header(ExactProblem(X), K, with_rows=False)[1:3])


def test_any_state_comes_back(tmp_path):
    known = {
        "floats": np.array([0.1, -0.0, np.inf, 5e-324]),
        "bits": np.eye(5, dtype=bool),
        "numbers": [1, 2.5, None, "text"],
        "fraction": Fraction(-(3**5000), 7),
        "whole": np.arange(6, dtype=np.int32).reshape(2, 3),
        "none": np.empty((0, 3), bool),
    }
    scalars = {"seven": np.int64(7), "no": np.bool_(False)}
    Checkpoint(tmp_path / "a.ckpt", "p").write(lambda: known | scalars, now=True)
    found = Checkpoint(tmp_path / "a.ckpt", "p").read()
    assert found["seven"] == 7 and found["no"] is False
    assert found["fraction"] == known["fraction"] and found["numbers"] == known["numbers"]
    for name in ("floats", "bits", "whole", "none"):
        assert found[name].tobytes() == known[name].tobytes() and found[name].shape == known[name].shape
        assert found[name].dtype == known[name].dtype
    assert os.listdir(tmp_path) == ["a.ckpt"]


def test_what_cannot_be_read(tmp_path):
    """No file, a folder; and an array of more than what is packed can be, which is not unpacked to see that."""
    path = tmp_path / "a.ckpt"
    assert Checkpoint(path, "p").read() is None
    file = Checkpoint(path, "p")
    path.mkdir()
    with pytest.raises(ValueError, match="cannot be read"):
        file.read()
    path.rmdir()
    file.write(lambda: np.zeros(3), now=True)
    body = path.read_text().partition("\n")[2].replace("[3]", f"[{1 << 50}]")
    path.write_text(f"{WORD}{hashlib.sha256(body.encode()).hexdigest()}\n{body}")
    with pytest.raises(ValueError, match="truncated or altered") as error:
        file.read()
    assert "cut off" in str(error.value.__cause__)


def test_a_failed_writing_leaves_the_old_file(tmp_path, monkeypatch):
    file = Checkpoint(tmp_path / "a.ckpt", "p")
    file.write(lambda: 1, now=True)
    monkeypatch.setattr(os, "fsync", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        file.write(lambda: 2, now=True)
    assert file.read() == 1 and os.listdir(tmp_path) == ["a.ckpt"]


FULL = """
import resource, signal, sys, numpy as np
from ckmeans import certify; from ckmeans.proofs import checkpoint
checkpoint.EVERY = 0.0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
X = np.random.default_rng(5).random((60, 2)).round(3)
certify(X, n_clusters=4, random_state=0, time_limit=0, checkpoint=sys.argv[1])
before = open(sys.argv[1], "rb").read()
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
found = certify(X, n_clusters=4, random_state=0, checkpoint=sys.argv[1])
assert open(sys.argv[1], "rb").read() == before
print(found.status, found.exact_inertia == certify(X, n_clusters=4, random_state=0).exact_inertia)
"""


@pytest.mark.skipif(os.name == "nt", reason="no limit of the size of files")
def test_a_full_disk_does_not_end_the_search(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "a.ckpt")], capture_output=True, text=True
    )
    assert run.stdout.split() == ["optimal-unique", "True"], run.stderr
    assert run.stderr.count("could not be written") == 1 and "File too large" in run.stderr
    assert os.listdir(tmp_path) == ["a.ckpt"]


def test_a_folder_that_is_gone_does_not_end_the_search(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()

    def remove(method, inertia, lower):
        if folder.exists():
            shutil.rmtree(folder)

    with pytest.warns(RuntimeWarning, match="could not be written .*No such file") as caught:
        found = certify(X[:60], n_clusters=3, random_state=0, checkpoint=folder / "a.ckpt", progress=remove)
    assert len(caught) == 1 and found.status == "optimal-unique" and not folder.exists()


@needs_signals
@pytest.mark.parametrize("moment", ["after a write", "in the midst of a write"])
def test_it_goes_on_after_kill(moment, tmp_path, monkeypatch):
    path = tmp_path / "long.ckpt"
    words = [sys.executable, "-c", PRELUDE + LONG, str(path), moment]
    code, lines, errors = signalled(words, signal.SIGKILL, answer=False)
    assert (code, lines) == (-9, ["here"]), errors
    known = entries(path)
    nodes = known["inner"]["prices"]["nodes"]
    assert "search" in known["done"] and "pca" in known["done"] and "prices" not in known["done"]
    unit = 4.0 ** prices.PricingProblem(np.unique(X, axis=0), np.ones(len(X))).exponent
    reached = (nodes[0]["prices"].sum() - K * nodes[0]["level"]) * unit
    assert reached > 0 and not nodes[0]["split"] and len(nodes[0]["sets"]) > K

    def never(*args, **kwargs):
        raise AssertionError("this was done before")

    monkeypatch.setitem(portfolio.METHODS, "search", never)
    monkeypatch.setitem(portfolio.METHODS, "pca", never)
    monkeypatch.setattr(columns, "balanced_prices", never)
    seen = []
    again = certify(X, n_clusters=K, checkpoint=path, progress=lambda *told: seen.append(told))
    assert min(lower for _, _, lower in seen) >= reached * (1 - 1e-9)
    assert again.status == "optimal-unique" and check.verdict(again.text().encode())[0] == check.PROVED
    monkeypatch.undo()
    assert certify(X, n_clusters=K, random_state=0).exact_inertia == again.exact_inertia
    # The proof stays in the file: nothing is searched for any more.
    monkeypatch.setattr(prices.PricingProblem, "search", never)
    done = certify(X, n_clusters=K, checkpoint=path)
    assert done.text() == again.text() and set(done.seconds) == {"check"}


def test_it_goes_on_in_branches(tmp_path, monkeypatch):
    """Stopped after every few searches, branches open: the end is that without a stop."""

    def few(sets, n_clusters, check=None):
        if len(sets) > 3 * n_clusters:
            raise column_branch.TooManyCovers
        return covers(sets, n_clusters, check)

    covers = column_branch.covers
    monkeypatch.setattr(column_branch, "covers", few)
    rows = np.random.default_rng(51).integers(0, 12, (30, 2)).astype(float)
    whole = columns.column_generation(rows, 6)
    assert whole.status == "optimal" and whole.n_nodes > 1
    known, n_stops, most = None, 0, 0

    class Stop(Exception):
        pass

    def keep(state):
        nonlocal known, count
        count += 1
        if count == 8:
            file.write(state, now=True)
            raise Stop

    file = Checkpoint(tmp_path / "b.ckpt", "p")
    while True:
        count = 0
        try:
            found = columns.column_generation(rows, 6, known=known, keep=keep)
            break
        except Stop:
            known, n_stops = file.read(), n_stops + 1
            most = max(most, len(known["nodes"]))
            assert n_stops < 200
    assert (found.status, found.exact_bound) == ("optimal", whole.exact_bound)
    assert n_stops > 1 and most > 1


def test_a_sum_goes_on_where_it_was(tmp_path, monkeypatch):
    """Groups that are proved are not proved again."""
    path, n_done, plain = tmp_path / "sum.ckpt", 0, methods.column_generation
    rows = np.random.default_rng(0).random((450, 2)).round(3)

    def counted(*args, **kwargs):
        nonlocal n_done
        if n_done == 1 and not path.exists():
            raise KeyboardInterrupt
        n_done += 1
        return plain(*args, **kwargs)

    monkeypatch.setattr(methods, "column_generation", counted)
    first = portfolio.prove(rows, 3, methods=["search", "sum"], rng=0, checkpoint=path)
    assert first.stop_reason == "interrupted" and n_done == 1
    again = portfolio.prove(rows, 3, methods=["search", "sum"], rng=0, checkpoint=path)
    assert n_done == 2 and again.method == "sum" and again.gap < 0.05
    assert check.verdict(again.text().encode())[0] == check.PROVED
    path.unlink()
    assert portfolio.prove(rows, 3, methods=["search", "sum"], rng=0).text() == again.text()


def test_what_is_refused(tmp_path):
    path = tmp_path / "a.ckpt"
    certify(X, n_clusters=K, time_limit=0, checkpoint=path)
    other = X.copy()
    other[0, 0] += 1e-12
    for kwargs in (dict(X=other), dict(n_clusters=K + 1), dict(sample_weight=np.full(150, 2.0))):
        with pytest.raises(ValueError, match="is of other data, weights or another number of clusters"):
            certify(**{"X": X, "n_clusters": K, "checkpoint": path, **kwargs})
    whole = path.read_bytes()
    for bad in (
        b"",
        whole[:-1],
        whole[:200],
        whole.replace(b"trivial", b"trivia1"),
        b"a,b\n1,2\n",
        b"\xff\xfe",
    ):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="is no checkpoint, or was truncated or altered"):
            certify(X, n_clusters=K, checkpoint=path)
        assert path.read_bytes() == bad
    for nowhere in (tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(ValueError, match="cannot be written"):
            ExactKMeans(K, checkpoint=nowhere).fit(X)


def test_labels_given_do_not_matter(tmp_path):
    """The file is about the rows: it serves whatever clustering is certified."""
    path = tmp_path / "a.ckpt"
    certify(X[:60], n_clusters=3, random_state=0, checkpoint=path)
    found = certify(X[:60], np.arange(60) % 3, checkpoint=path)
    assert found.status == "bounded" and found.better.status == "optimal-unique"
    model = ExactKMeans(3, checkpoint=str(path)).fit(X[:60])
    assert model.status_ == "optimal-unique" and set(model.certificate_.seconds) == {"check"}
    assert checkpoint.EVERY == 5
