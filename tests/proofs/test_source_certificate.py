"""Bounds of rows in blocks: sums of proofs in a folder, which a checker accepts as it is and not forged; and bounds with a confidence."""

import hashlib
import io
import math
import pickle
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import ckmeans.blocks.parts
import ckmeans.blocks.sources
import ckmeans.local.rows
import ckmeans.proofs.source_certificate
from ckmeans import KMeans, certify, check, check_parts, natural_breaks
from ckmeans.blocks.crew import SERVE, Crew, in_order
from ckmeans.check import MALFORMED, OTHER_DATA, PROVED, UNPROVED, Refused, verdict
from ckmeans.proofs import certification, portfolio, row_batches
from ckmeans.proofs.mean_limit import mean_limit
from ckmeans.proofs.proof_lines import sealed
from ckmeans.rationals import ExactRows
from ckmeans.workers import Expired


@pytest.fixture(autouse=True)
def tiny_parts(monkeypatch):
    """Many parts, and many batches, of few rows."""
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 10)
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 10)
    monkeypatch.setattr(row_batches, "BATCH", 150)
    monkeypatch.setattr(row_batches, "BATCH_OF", 1)
    monkeypatch.setattr(row_batches, "LINE_DRAWN", (1, 200, 200))
    monkeypatch.setattr(certification, "MOST_GATHERED", 0)


def blobs(n=400, d=1, k=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 6 * rng.integers(k, size=(n, 1))


def in_blocks(X, *cuts):
    """What gives the rows in blocks."""
    return lambda: np.split(X, cuts)


def fitted(X, k=3, **options):
    return KMeans(k, n_init=1, random_state=0).fit(X, **options)


def content(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize("d", [1, 4])
def test_any_blocks_give_the_same_proofs(d, tmp_path):
    X, weights = blobs(d=d), np.random.default_rng(1).integers(0, 3, 400) / 4
    X[5] = -0.0
    kmeans = fitted(X, sample_weight=weights)
    np.save(tmp_path / "a.npy", X[:250])
    np.save(tmp_path / "b.npy", X[250:])
    np.save(tmp_path / "w.npy", weights)
    files, found, given = [tmp_path / "a.npy", tmp_path / "b.npy"], [], {"time_limit": None, "gap": 0.1}
    for X_, threads in ((X, 1), (in_blocks(X, 1, 1, 300), 1), (files, 2)):
        folder = tmp_path / f"proof{len(found)}"
        own = certify(X_, kmeans, sample_weight=weights, folder=folder, n_threads=threads, **given)
        found.append((own.exact_inertia, own.exact_lower_bound, own.n_groups, content(folder)))
    assert found[0] == found[1] == found[2] and own.status == "bounded" and own.n_bounded == own.n_groups > 1
    assert own.exact_inertia == ExactRows(X, weights).cost(kmeans.labels_) and 0 < own.gap < 0.1
    data = [*map(str, files), "-w", str(tmp_path / "w.npy")]
    said = subprocess.run(
        [sys.executable, "-m", "ckmeans.check_parts", own.folder, "-j", "2", *data],
        capture_output=True,
        text=True,
    )
    assert said.returncode == PROVED and "proved bounded: cost" in said.stdout and "these rows" in said.stdout


def test_few_rows_with_weight(tmp_path):
    X, weights = blobs(), np.zeros(400)
    weights[::40] = 1.5
    found = certify(X, fitted(X), sample_weight=weights, folder=tmp_path, n_threads=1)
    assert found.n_groups == 1 and found.gap < 1 and check_parts.verdict(tmp_path)[0] == PROVED
    sampled = certify(X, fitted(X), sample_weight=weights, confidence=0.9, gap=0.9, n_threads=1)
    assert sampled.exact_inertia == found.exact_inertia and sampled.lower_bound > 0


@pytest.fixture
def proof(tmp_path):
    """A folder and the files of its rows."""
    X = blobs()
    np.save(tmp_path / "a.npy", X)
    certify([tmp_path / "a.npy"], fitted(X), folder=tmp_path / "proof", n_threads=1)
    return tmp_path / "proof", [tmp_path / "a.npy"]


def test_what_is_forged_is_refused(proof, tmp_path):
    folder, data = proof
    index = (folder / "index.ckc").read_text().split("\n")[:-2]
    assert check_parts.verdict(folder, data)[0] == PROVED

    def judged(change, given=()):
        lines = list(index)
        change(lines)
        (folder / "index.ckc").write_text(sealed(lines))
        return check_parts.verdict(folder, given)

    def set_claim(name, value):
        def change(lines):
            words = lines[2].split(" ")
            at = 2 if name == "lower" else 3
            words[at] = f"{name}={value}"
            lines[2] = " ".join(words)

        return change

    def swap_rows(lines):
        words = lines[-1].split(" ")
        other = next(at for at, word in enumerate(words) if at and word != words[1])
        words[1], words[other] = words[other], words[1]
        lines[-1] = " ".join(words)

    def one_row_twice(lines):
        words = lines[-1].split(" ")
        lines[-1] = " ".join(
            [*words[:2], words[1], *words[3:]] if words[1] != words[2] else [*words, words[1]]
        )

    def raise_part(lines):
        words = lines[3].split(" ")
        words[2] = "lower=ffffff"
        lines[3] = " ".join(words)

    assert judged(set_claim("lower", "ffffff"))[0] == UNPROVED
    assert judged(set_claim("value", "1"))[0] == UNPROVED
    assert judged(raise_part) == (
        UNPROVED,
        "not proved: group-000000.ckc: the bound that is claimed is not reached",
    )
    assert judged(swap_rows, data)[0] == OTHER_DATA and judged(one_row_twice)[0] == MALFORMED
    # The bound holds for two clusters, too, but the cost is that of three.
    fewer = judged(lambda lines: lines.insert(1, lines.pop(1).replace("k=3", "k=2")), data)
    assert fewer == (MALFORMED, "malformed: the labels are of more than k clusters" + check_parts.MEND)
    code, said = judged(lambda lines: lines.pop())
    assert code == MALFORMED and said.startswith("malformed: index.ckc: ") and said.endswith(check_parts.MEND)
    (folder / "index.ckc").write_bytes(b"\xff" * 40)
    assert "index.ckc: " in check_parts.verdict(folder)[1]
    np.save(tmp_path / "other.npy", np.nextafter(np.load(data[0]), 9))
    assert judged(lambda lines: None, [tmp_path / "other.npy"])[0] == OTHER_DATA
    assert check_parts.verdict(folder, data + data)[0] == OTHER_DATA
    more = Path(data[0]).read_bytes()
    (tmp_path / "more.npy").write_bytes(more.replace(b"(400, 1)", b"(10000000000000000000000, 1)"))
    assert check_parts.verdict(folder, [tmp_path / "more.npy"])[1].endswith("ends before its last row")
    (folder / "group-000001.ckc").write_bytes((folder / "group-000000.ckc").read_bytes())
    assert check_parts.verdict(folder)[1].startswith("malformed: group-000001.ckc: it is another file")
    (folder / "group-000001.ckc").unlink()
    assert (
        check_parts.verdict(folder)[0] == MALFORMED
        and check_parts.main([]) == MALFORMED
        and check_parts.main(["--help"]) == 0
    )
    assert check_parts.main([str(folder), "-j", "x"]) == check_parts.main([str(tmp_path)]) == MALFORMED


def test_numbers_that_are_none_are_no_traceback(proof, tmp_path, monkeypatch):
    """Data that were cut off, a length of 5000 digits, and a row beyond the floats in one of the files."""
    folder, data = proof
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({'4' * 5000}, 1), }}".encode()
    long = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header
    for content in (data[0].read_bytes()[:-3], long):
        data[0].write_bytes(content)
        code, said = check_parts.verdict(folder, data)
        assert code == OTHER_DATA and said.startswith(("unreadable: ", "other data: "))
    path, index = folder / "group-000001.ckc", (folder / "index.ckc").read_text().splitlines()[:-1]
    lines = path.read_text().splitlines()[:-1]
    at = next(at for at, line in enumerate(lines) if line.startswith("X "))
    lines[at] = "X " + "f" * 300
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(sealed(lines), newline="")
    index = [line.replace(before, hashlib.sha256(path.read_bytes()).hexdigest()) for line in index]
    (folder / "index.ckc").write_text(sealed(index), newline="")
    code, said = check_parts.verdict(folder)
    assert code == MALFORMED and said.startswith("malformed: group-000001.ckc: unreadable: ")

    def prove(problem, reader):
        raise MemoryError

    monkeypatch.setattr(check_parts, "prove", prove)
    assert check_parts.verdict(folder) == (
        UNPROVED,
        "not proved: group-000000.ckc: there is not enough memory to check this",
    )


def test_an_index_that_takes_long_is_refused(tmp_path, monkeypatch):
    """Bounds of 2,000 groups over numbers that have nothing in common: their sum has 800,000 bits."""
    n, rng = 2000, random.Random(0)
    lines = ["CKC 1", f"problem parts n={n:x} d=1 k=1 weights=0 parts={n:x}", "claim bounded lower=0 value=0"]
    lines += [f"part n=1 lower=1/{rng.getrandbits(400) | 1:x} sha256=0" for _ in range(n)]
    (tmp_path / "index.ckc").write_text(sealed([*lines, "rows " + " ".join(f"{row:x}" for row in range(n))]))
    monkeypatch.setattr(check, "LIMIT", 0)
    monkeypatch.setattr(check, "STEPS_A_BYTE", 64)
    assert check_parts.verdict(tmp_path) == (
        UNPROVED,
        "not proved: index.ckc: this takes too many steps to check",
    )


def test_a_limit_ends_it_with_what_is_known(tmp_path):
    X = blobs(d=4)
    kmeans = fitted(X)
    found = certify(X, kmeans, folder=tmp_path, time_limit=0, n_threads=1)
    assert found.stop_reason == "time_limit" and found.inertia > 0 == found.lower_bound
    assert "proved" not in str(found) and check_parts.verdict(tmp_path)[0] == PROVED

    def interrupt(*_):
        raise KeyboardInterrupt

    found = certify(X, kmeans, folder=tmp_path, progress=interrupt, n_threads=1)
    assert found.stop_reason == "interrupted" and found.n_groups == 1 and found.folder is None
    assert found.lower_bound > 0 and check_parts.verdict(tmp_path)[0] == MALFORMED  # no index


def test_without_a_folder(tmp_path):
    """The same bound, with a limit that is far, too; and none where there is no time."""
    X = blobs(d=2)
    source, kmeans = in_blocks(X, 150), fitted(X)
    kept = certify(source, kmeans, folder=tmp_path, n_threads=1)
    for limit in (None, 1e9):
        found = certify(source, kmeans, time_limit=limit, n_threads=1)
        assert found.exact_lower_bound == kept.exact_lower_bound > 0 and found.n_groups == kept.n_groups
        assert found.folder is None and found.method == "sum" and found.stop_reason == "unresolved"
    none = certify(source, kmeans, time_limit=0, n_threads=1)
    assert (none.stop_reason, none.exact_lower_bound, none.n_groups) == ("time_limit", 0, 0)
    assert none.exact_inertia == kept.exact_inertia


def test_centers_for_labels():
    """Those of a model that was fitted to other rows, and those that are given: each row is with the nearest one."""
    X = blobs(d=2)
    source, model = in_blocks(X, 150), fitted(X[:90])
    own = certify(source, model.predict(X), n_clusters=3, n_threads=1)
    for labels, centers in ((model, None), (None, model.cluster_centers_)):
        found = certify(source, labels, centers=centers, n_threads=1)
        assert found.n_clusters == 3 and found.exact_inertia == own.exact_inertia
        assert found.exact_lower_bound == own.exact_lower_bound > 0
    with pytest.raises(ValueError, match="n_clusters=2, but there are 3 centers"):
        certify(source, centers=model.cluster_centers_, n_clusters=2)
    assert certify(source, centers=model.cluster_centers_, n_clusters=4, n_threads=1).n_clusters == 4


@pytest.mark.parametrize("kind", ["alike", "seldom all", "any"])
def test_the_mean_is_above_its_limit_seldom(kind):
    """`python benchmarks/confidence.py` asks more often."""
    rng = np.random.default_rng(0)
    draw = {
        "alike": lambda: rng.normal(0.03, 0.005, 300).clip(0, 1),
        "seldom all": lambda: rng.random(300) < 0.01,
        "any": lambda: rng.random(300),
    }[kind]
    mean = {"alike": 0.03, "seldom all": 0.01, "any": 0.5}[kind]
    missed = sum(mean_limit(draw(), 0.8) < mean for _ in range(100))
    assert missed <= 20 + 3 * 4
    assert mean < mean_limit(draw(), 0.999) < mean + 0.12


def test_a_bound_with_confidence_is_not_called_proved():
    X = blobs()
    best = natural_breaks(X[:, 0], 3)
    kmeans, least = KMeans(3, init=best.centers.reshape(-1, 1), n_init=1).fit(X), Fraction(best.inertia)
    for seed in range(3):
        found = certify(X, kmeans, confidence=0.99, gap=0.2, random_state=seed, n_threads=1)
        assert 0 < found.lower_bound <= least and found.stop_reason == "gap" and found.gap <= 0.2
    assert found.status == "bounded with confidence" and not found.checked and found.n_groups >= 64
    assert "with confidence 0.99 at most" in str(found) and "proved" not in str(found)


@pytest.mark.parametrize(
    "options, reason, n_drawn",
    [
        ({"progress": "press"}, "interrupted", 64),
        ({}, "unresolved", 200),
        ({"time_limit": 0}, "time_limit", 0),
    ],
)
def test_draws_that_end(monkeypatch, options, reason, n_drawn):
    """By Ctrl-C, by their number where no gap is enough, and without time."""
    monkeypatch.setattr(ckmeans.proofs.source_certificate, "MOST_DRAWN", 200)
    X = blobs()
    best = Fraction(natural_breaks(X[:, 0], 3).inertia)

    def press(*told):
        raise KeyboardInterrupt

    options = {name: press if value == "press" else value for name, value in options.items()}
    found = certify(X, fitted(X), confidence=0.99, random_state=0, n_threads=1, **options)
    assert (found.stop_reason, found.n_groups) == (reason, n_drawn)
    assert found.lower_bound <= best and (found.lower_bound > 0) == (n_drawn > 0)


def test_a_bound_that_there_was_no_time_to_check(monkeypatch):
    """Without that time it would be lost: the checker has it, and what it refuses is 0."""

    def late(*asked):
        raise Expired

    def refused(*asked):
        raise Refused(UNPROVED, "")

    X = blobs(60, d=4)
    labels = fitted(X).labels_
    monkeypatch.setattr(portfolio, "bound_of", late)
    for checker, least in ((row_batches.bound_of, 1), (refused, 0)):
        monkeypatch.setattr(row_batches, "bound_of", checker)
        lower, text = row_batches.bound(X, None, labels, 3, "sdp", None, 0.0, True)
        assert (lower > 0) == least and verdict(text)[0] == PROVED
        said = re.search(r"lower bound ([\d.]+)", verdict(text)[1])
        assert not least or 0 <= lower - Fraction(said[1]) < Fraction(1, 10**9)


def test_bad_blocks(tmp_path):
    X = blobs(d=2)
    kmeans, few = fitted(X), {"folder": tmp_path / "proof", "n_threads": 1}
    blocks = np.split(X.copy(), range(20, 400, 20))
    blocks[17][3] = np.nan
    with pytest.raises(ValueError, match=r"contains NaN .* in 1 of 400 rows: 343 .*row 3 of block 17"):
        certify(lambda: blocks, kmeans, **few)
    passes = []

    def changing():
        passes.append(0)
        return np.split(X + (len(passes) > 2) * 1e-9, [100, 250])

    with pytest.raises(ValueError, match="not those of the pass before"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ckmeans.blocks.parts, "available_memory", lambda: 0)
            certify(changing, kmeans, **few)
    with pytest.raises(ValueError, match=r"read only once: .* summarize\(X\)"):
        certify(iter(blocks), kmeans, **few)
    with pytest.raises(FileNotFoundError, match="No file matches"):
        certify(str(tmp_path / "none*.npy"), kmeans, **few)
    source = in_blocks(X, 100)
    for given, match in (
        ({"confidence": 1.0}, "not between 0 and 1"),
        ({"confidence": 0.9, "folder": "a"}, "give one of them"),
        ({"checkpoint": "a"}, "checkpoint is not for rows in blocks"),
        ({"labels": None}, "give the KMeans"),
        ({"labels": [0, 1]}, "labels have shape"),
        ({"centers": kmeans.cluster_centers_}, "both given"),
    ):
        labels = given.pop("labels", kmeans)
        with pytest.raises(ValueError, match=match):
            certify(source, labels, **given)


def test_what_a_process_of_a_crew_answers():
    """The result or the error of each call, until there are no more; what is printed is no answer."""
    calls = [(math.isqrt, (9,)), (math.isqrt, (-1,)), (print, ("said",))]
    words = [sys.executable, "-c", SERVE.format(path=sys.path)]
    done = subprocess.run(words, input=b"".join(map(pickle.dumps, calls)), capture_output=True)
    answers = io.BytesIO(done.stdout)
    assert pickle.load(answers) == (True, 3) and done.returncode == 0 and b"said" in done.stderr
    fine, error = pickle.load(answers)
    assert not fine and type(error) is ValueError
    assert pickle.load(answers) == (True, None) and not answers.read()


def test_a_process_that_dies_is_begun_anew():
    with Crew(2) as crew:
        dead = crew.submit(eval, "__import__('os')._exit(1)")
        calls = [(i * i,) for i in range(9)]
        assert [found for _, found in in_order(crew, math.isqrt, calls)] == list(range(9))
        with pytest.raises(RuntimeError, match="3 processes died, one after the other, in eval"):
            dead.result()
        with pytest.raises(ValueError, match="isqrt"):
            crew.submit(math.isqrt, -1).result()


def test_a_process_that_begins_while_the_crew_ends_is_ended_too():
    """Else leaving would wait for what it was asked."""
    crew = Crew(2)
    with crew:
        pass
    child = crew._child()
    assert child.wait() != 0
    child.communicate()
