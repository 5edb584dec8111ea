"""A folder of proofs that a run has left behind is gone on from, to the same files; what is forged in it is refused by its name."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ckmeans.blocks.sources
import ckmeans.local.rows
from ckmeans import KMeans, certify, check_parts
from ckmeans.check import PROVED
from ckmeans.proofs import certification, row_batches
from ckmeans.proofs.proof_lines import sealed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 1)) + 6 * RNG.integers(3, size=(400, 1))
WEIGHTS = RNG.integers(0, 3, 400) / 4
KMEANS = KMeans(3, n_init=1, random_state=0).fit(X, sample_weight=WEIGHTS)


@pytest.fixture(autouse=True)
def tiny_batches(monkeypatch):
    """Three batches, each of some groups."""
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 10)
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 10)
    monkeypatch.setattr(row_batches, "BATCH", 100)
    monkeypatch.setattr(row_batches, "BATCH_OF", 1)
    monkeypatch.setattr(row_batches, "LINE", (10, 30, 30))
    monkeypatch.setattr(certification, "MOST_GATHERED", 0)


@pytest.fixture
def n_proved(monkeypatch):
    """A list that gets longer with each group that is proved, and not read again."""
    proved, before = [], row_batches.prove

    def prove(*args, **options):
        proved.append(0)
        return before(*args, **options)

    monkeypatch.setattr(row_batches, "prove", prove)
    return proved


def certified(folder, rows=X, clustering=KMEANS, weights=WEIGHTS, **options):
    given = {"time_limit": None, "n_threads": 1} | options
    return certify(rows, clustering, sample_weight=weights, folder=folder, **given)


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def in_two():
    """The rows in blocks."""
    return np.split(X, [1, 130])


def interrupted(folder, n_groups):
    """A folder that a run has left behind after so many groups."""
    told = []

    def progress(*_):
        told.append(0)
        if len(told) == n_groups:
            raise KeyboardInterrupt

    assert certified(folder, progress=progress).stop_reason == "interrupted"


def test_it_goes_on(tmp_path, n_proved):
    whole = certified(tmp_path / "whole")
    n_groups = len(n_proved)
    assert n_groups == whole.n_groups > 6
    for done in (1, 4, n_groups - 1):
        n_proved.clear()
        interrupted(tmp_path / f"{done}", done)
        assert len(n_proved) == done and "index.ckc" not in content(tmp_path / f"{done}")
        # Of a write that was cut off.
        (tmp_path / f"{done}" / "group-000009.ckc.123.part").write_bytes(b"CKC 1")
        found = certified(tmp_path / f"{done}", rows=in_two)
        assert len(n_proved) == n_groups
        assert content(tmp_path / f"{done}") == content(tmp_path / "whole")
        assert vars(found) == vars(whole) | {"folder": str(tmp_path / f"{done}")}
    n_proved.clear()
    assert certified(tmp_path / "whole").exact_lower_bound == whole.exact_lower_bound and not n_proved
    assert check_parts.verdict(tmp_path / "whole")[0] == PROVED


def test_after_a_process_was_killed(tmp_path):
    np.save(tmp_path / "rows.npy", X)
    code = """if True:
        import os, sys
        import numpy as np
        from ckmeans import certify
        from ckmeans.proofs import row_batches
        row_batches.BATCH, row_batches.BATCH_OF, row_batches.LINE = 100, 1, (10, 30, 30)
        X, told = np.load("rows.npy"), []
        def progress(*_):
            told.append(0)
            if len(told) == 3:
                os._exit(9)
        certify(X, (X[:, 0] > 3) * 1, folder="proof", time_limit=None, n_threads=1, progress=progress)
    """
    path = os.pathsep.join(sys.path)
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}
    )
    assert (
        killed.returncode == 9
        and 3 <= sum(name.startswith("group") for name in content(tmp_path / "proof")) < 12
    )
    given = {"clustering": (X[:, 0] > 3) * 1, "weights": None}
    certified(tmp_path / "proof", **given)
    certified(tmp_path / "whole", **given)
    assert content(tmp_path / "proof") == content(tmp_path / "whole")


def test_groups_for_which_there_was_no_time(tmp_path, n_proved):
    rows = np.random.default_rng(1).normal(size=(200, 4)) + 6 * np.arange(200)[:, None] % 3
    given = {"rows": rows, "clustering": np.arange(200) % 3, "weights": None, "gap": 0.1}
    assert certified(tmp_path, **given, time_limit=0).lower_bound == 0
    n_proved.clear()
    found = certified(tmp_path, **given)
    assert len(n_proved) == found.n_groups == found.n_bounded > 2 and found.stop_reason == "unresolved"
    again = certified(tmp_path, **given, time_limit=0)
    assert again.exact_lower_bound == found.exact_lower_bound and again.stop_reason == "unresolved"


def change(path, forge):
    """Alter the lines of a file, and seal it again."""
    lines = path.read_text().split("\n")[:-2]
    forge(lines)
    path.write_text(sealed(lines))


def at(lines, word):
    return next(i for i, line in enumerate(lines) if line.startswith(word + " "))


def raise_bound(lines):
    """A bound that the proof does not reach: what the labels cost."""
    claim = at(lines, "claim")
    value = lines[claim].partition("value=")[2]
    lines[claim] = f"claim bounded lower={value} value={value}"
    lines[claim + 1 :] = ["proof trivial"]


def other_label(lines):
    words = lines[at(lines, "labels")].split(" ")
    words[1] = f"{(int(words[1]) + 1) % 3:x}"
    lines[at(lines, "labels")] = " ".join(words)


def other_row(lines):
    row = at(lines, "X")
    lines[row] = f"X {int(lines[row].split()[1], 16) + 1:x}"


FORGED = {
    "bound": (raise_bound, "the bound that is claimed is not reached"),
    "label": (other_label, "it is of other rows, weights, labels"),
    "row": (other_row, "it is of other rows, weights, labels"),
    "more": (lambda lines: lines.append("proof trivial"), "more than one proof"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_part(tmp_path, name):
    interrupted(tmp_path, 4)
    forge, why = FORGED[name]
    change(tmp_path / "group-000002.ckc", forge)
    with pytest.raises(
        ValueError, match=f"group-000002.ckc is not gone on from: .*{why}.* Delete it, or give another"
    ):
        certified(tmp_path)
    assert "index.ckc" not in content(tmp_path)
    (tmp_path / "group-000002.ckc").unlink()
    assert certified(tmp_path).n_bounded > 6 and check_parts.verdict(tmp_path)[0] == PROVED


@pytest.mark.parametrize("cut", [0, 1, 40, -1, -9])
@pytest.mark.parametrize("file", ["group-000001.ckc", "batch-000001.ckc"])
def test_a_truncated_part(tmp_path, cut, file):
    interrupted(tmp_path, 6)
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes()[:cut])
    with pytest.raises(
        ValueError, match=f"{file} is not gone on from: (this is no CKC 1|the file was truncated)"
    ):
        certified(tmp_path)


def test_a_part_of_another_group_or_of_other_data(tmp_path):
    interrupted(tmp_path, 4)
    first = (tmp_path / "group-000000.ckc").read_bytes()
    refused = "group-000000.ckc is not gone on from: it is of other rows, weights, labels or another number"
    other = X.copy()
    other[np.flatnonzero(WEIGHTS)] += 0.5
    for given in (
        {"rows": other},
        {"weights": WEIGHTS * 2},
        {"clustering": (X[:, 0] > 3) * 2},
        {"n_clusters": 4},
    ):
        with pytest.raises(ValueError, match=refused):
            certified(tmp_path, **given)
    with pytest.raises(ValueError, match="000000.ckc is not gone on from"):
        certified(tmp_path, weights=None)
    (tmp_path / "group-000000.ckc").write_bytes((tmp_path / "group-000001.ckc").read_bytes())
    with pytest.raises(ValueError, match=refused):
        certified(tmp_path)
    (tmp_path / "group-000000.ckc").write_bytes(first)
    assert certified(tmp_path).n_bounded > 6


def all_in_one(lines):
    lines[2:] = ["rows" + " 0" * len(lines[2].split()[1:])]


def one_moved(lines):
    words = lines[2].split(" ")
    words[1] = "3e8"
    lines[2] = " ".join(words)


@pytest.mark.parametrize(
    "forge, why",
    [
        (all_in_one, "rows are not dealt out so"),
        (one_moved, "rows are not dealt out so"),
        (lambda lines: lines.append("rows 0"), "it is of other rows"),
        (lambda lines: lines.append("proof trivial"), "it is of other rows"),
        (lambda lines: lines.insert(2, "rows x"), "is no integer"),
    ],
)
def test_forged_groups(tmp_path, forge, why):
    interrupted(tmp_path, 2)
    change(tmp_path / "batch-000000.ckc", forge)
    with pytest.raises(ValueError, match=f"batch-000000.ckc is not gone on from: .*{why}"):
        certified(tmp_path)


def test_groups_in_another_order_are_other_groups(tmp_path):
    """Any even dealing leads to a bound; proofs of groups that are dealt out otherwise are refused."""
    interrupted(tmp_path, 2)

    def swapped(lines):
        words = lines[2].split(" ")
        lines[2] = " ".join(["rows", *({"0": "1", "1": "0"}.get(word, word) for word in words[1:])])

    change(tmp_path / "batch-000000.ckc", swapped)
    with pytest.raises(ValueError, match=r"group-000000.ckc is not gone on from"):
        certified(tmp_path)
    for path in tmp_path.glob("group-*"):
        path.unlink()
    assert certified(tmp_path).n_bounded > 6 and check_parts.verdict(tmp_path)[0] == PROVED
