"""Summaries in files go on as they would have; files that no rows could have led to are refused."""

import io
import zipfile

import numpy as np
import pytest
from summaries import KINDS, rows_of, state_of, weights_for

from ckmeans import Summary


@pytest.mark.parametrize("n", [60, 350])
@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_summary_goes_on(kind, n, tmp_path):
    X, weights = rows_of(kind), weights_for(rows_of(kind))
    summary = Summary(24).partial_fit(X[:n], weights[:n])
    summary.save(tmp_path / "s.npz")
    loaded = Summary.load(tmp_path / "s.npz")
    assert state_of(loaded) == state_of(summary)
    assert state_of(loaded.partial_fit(X[n:], weights[n:])) == state_of(
        summary.partial_fit(X[n:], weights[n:])
    )


def test_fixed_seeds_stay(tmp_path):
    X = rows_of("blobs")
    seeds = np.vstack([X[:7], [[1e6, 1e6]]])  # the last one has no rows, and keeps its place
    summary = Summary(seeds=seeds).partial_fit(X[:300])
    summary.save(tmp_path / "s.npz")
    loaded = Summary.load(tmp_path / "s.npz")
    assert np.array_equal(loaded.seeds, seeds)
    assert state_of(loaded + Summary(seeds=seeds).partial_fit(X[300:])) == state_of(
        Summary(seeds=seeds).partial_fit(X)
    )
    with pytest.raises(ValueError, match="no rows"):
        Summary().save(tmp_path / "empty.npz")


def arrays_of(path):
    with np.load(path) as found:
        return dict(found)


def altered(name, change):
    def alter(arrays):
        arrays[name] = change(arrays[name])

    return alter


def halved(content):
    """Half of the first whole number."""
    content = content.copy()
    flat = content.reshape(-1, content.shape[-1])
    first = int.from_bytes(flat[0].tobytes(), "little", signed=True) // 2
    flat[0] = np.frombuffer(first.to_bytes(flat.shape[1], "little", signed=True), np.uint8)
    return content


def with_number(at, value):
    def change(numbers):
        numbers = numbers.copy()
        numbers[at] = value
        return numbers

    return change


HOSTILE = {
    "version": altered("version", lambda v: v + 1),
    "objects": altered("seeds", lambda v: v.astype(object)),
    "text": altered("version", lambda v: np.array("1")),
    "missing": lambda arrays: arrays.pop("sums"),
    "more": lambda arrays: arrays.update(other=np.zeros(3)),
    "scale": altered("numbers", with_number(6, 10**9)),
    "negative": altered("numbers", with_number(3, -1)),
    "features": altered("numbers", with_number(4, 3)),
    "few cells": altered("numbers", with_number(0, 5)),
    "no cells": altered("numbers", with_number(0, 1)),
    "nan seeds": altered("seeds", lambda v: v * np.nan),
    "single seeds": altered("seeds", lambda v: v.astype(np.float32)),
    "reach": altered("reach", lambda v: np.array(np.nan)),
    "negative weight": altered("weights", lambda v: v | 128),
    "sums": altered("sums", lambda v: v[:-1]),
    "no bytes": altered("sums", lambda v: v[..., :0]),
    "less scatter": altered("squares", halved),
    "more scatter": altered("squares", lambda v: v | 64),
    "mean outside": altered("lower", lambda v: v + 1e6),
    "no box": altered("upper", lambda v: v * np.nan),
    "rows": altered("rows", lambda v: np.zeros((3, 2))),
    "row weights": altered("row_weights", lambda v: -np.ones(1)),
}


@pytest.mark.parametrize("alter", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused(alter, tmp_path):
    path = tmp_path / "s.npz"
    Summary(24).partial_fit(rows_of("blobs") * 1024).save(path)
    arrays = arrays_of(path)
    alter(arrays)
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="no summary"):
        Summary.load(path)


def test_no_file_of_numbers_is_refused(tmp_path):
    path = tmp_path / "s.npz"
    Summary(24).partial_fit(rows_of("blobs")).save(path)
    content = path.read_bytes()
    np.savez_compressed(path, **arrays_of(path))
    compressed = path.read_bytes()
    for bad in (b"", b"PK", content[: len(content) // 2], compressed, b"\x93NUMPY" + content):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="no summary"):
            Summary.load(path)
    with pytest.raises(OSError):
        Summary.load(tmp_path / "none.npz")


def test_a_header_that_announces_too_much_is_refused(tmp_path):
    path = tmp_path / "s.npz"
    Summary(24).partial_fit(rows_of("blobs")).save(path)
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "seeds.npy":
                content = content.replace(b"(", b"(9999999", 1).replace(b" " * 7, b"", 1)
            new.writestr(info.filename, content)
    path.write_bytes(out.getvalue())
    with pytest.raises(ValueError, match="no summary"):
        Summary.load(path)


def test_random_changes_never_crash(tmp_path):
    path = tmp_path / "s.npz"
    summary = Summary(8).partial_fit(rows_of("grid", 100))
    summary.save(path)
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(150):
        changed = bytearray(content)
        for at in rng.integers(len(content), size=rng.integers(1, 4)):
            changed[at] = rng.integers(256)
        path.write_bytes(changed)
        try:
            assert len(Summary.load(path).cells.weights)
        except (OSError, ValueError):
            continue
