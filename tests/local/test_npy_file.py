"""Rows that stay in their file: the same bits as from memory, and the files that are refused."""

import io
from itertools import product

import numpy as np
import pytest
from problems import in_turn

import ckmeans.blocks.parts
import ckmeans.blocks.sources
import ckmeans.local.panels
import ckmeans.local.rows
from ckmeans import KMeans, SphericalMixture
from ckmeans.local.npy_file import NpyFile
from ckmeans.local.rows import Rows
from ckmeans.workers import Workers


@pytest.fixture
def path(tmp_path):
    return tmp_path / "X.npy"


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Many blocks for little data; the slabs, which the sums depend on, are smaller for both then."""
    monkeypatch.setattr(ckmeans.local.rows, "BLOCK_WORK", 1 << 9)
    monkeypatch.setattr(ckmeans.local.panels, "BLOCK_WORK", 1 << 15)
    monkeypatch.setattr(ckmeans.local.rows, "SLAB_WORK", 1 << 13)
    monkeypatch.setattr(ckmeans.local.panels, "SHARED_WORK", 1 << 12)


def blobs(dtype, n=6_001, d=3, k=5):
    rng = np.random.default_rng(0)
    return (rng.normal(size=(n, d)) + rng.uniform(-6, 6, (k, d))[rng.integers(k, size=n)]).astype(dtype)


STARTS = "k-means++", "plain k-means++", "k-means||", "random", "rows", "far"


@pytest.mark.parametrize(
    "init, weighted, dtype", in_turn(product(STARTS), [*product([False, True], [np.float64, np.float32])])
)
def test_the_same_bits_as_from_memory(path, tiny_blocks, monkeypatch, dtype, init, weighted):
    X, sizes = blobs(dtype), []
    np.save(path, X)
    weights = np.random.default_rng(1).integers(0, 3, len(X)) if weighted else None
    start = {"rows": X[:7], "far": X[:7] + 1000 * (np.arange(7)[:, None] == 3)}.get(init, init)
    n_init = 2 if isinstance(start, str) else 1
    model = KMeans(7, init=start, n_init=n_init, random_state=0)
    expected = (
        model.fit(X, sample_weight=weights).labels_,
        model.cluster_centers_,
        model.inertia_,
        model.n_iter_,
    )
    read = NpyFile._read
    monkeypatch.setattr(
        NpyFile, "_read", lambda self, *args: sizes.append(args[-1].size) or read(self, *args)
    )
    monkeypatch.setattr(ckmeans.blocks.sources, "PART_BYTES", 1 << 13)
    for n_threads, taken in ((1, 2.5), (3, 1e18)):  # parts are kept, and read again for each question
        monkeypatch.setattr(ckmeans.blocks.parts, "TAKEN", taken)
        model.set_params(n_threads=n_threads).fit(path, sample_weight=weights)
        assert np.array_equal(model.labels_, expected[0])
        assert model.cluster_centers_.tobytes() == expected[1].tobytes()
        assert (model.inertia_, model.n_iter_) == expected[2:]
    assert np.array_equal(model.predict(str(path)), expected[0])
    assert model.score(path, sample_weight=weights) == -model.inertia_
    assert model.transform(path).tobytes() == model.transform(X).tobytes()
    assert len(sizes) > 100 and max(sizes) <= 2**13


def test_limits(path):
    np.save(path, blobs(np.float64))
    model = KMeans(7, random_state=0).fit(path)
    assert model.n_restarts_ == 1 and model.hit_rate_ == 1 and model.n_features_in_ == 3
    assert model.stop_reason_ == "converged"
    assert KMeans(7, max_seconds=0).fit(path).stop_reason_ == "time_limit"


def test_slices_and_rows(path):
    X = blobs(np.float32)
    np.save(path, X)
    file = NpyFile(path)
    assert (len(file), file.shape, file.dtype, file.nbytes) == (len(X), X.shape, X.dtype, X.nbytes)
    for rows in (slice(0, 5), slice(5990, 7000), slice(3, 3), slice(None), [5, 0, 6000, 5], np.array([7])):
        assert np.array_equal(file[rows], X[rows])
    first, again = file[:10], file[10:15]
    assert np.shares_memory(first, again)  # the buffer of this thread


def npy(X):
    file = io.BytesIO()
    np.save(file, X)
    return file.getvalue()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"1,2\n3,4\n", "is no .npy file"),
        (b"", "is no .npy file"),
        (npy(np.zeros((3, 2))).replace(b"2), }", b"2, ( "), "is no .npy file"),
        (npy(np.zeros(3)), r"holds an array of shape \(3,\)"),
        (npy(np.zeros((0, 3))), r"holds an array of shape \(0, 3\)"),
        (npy(np.zeros((3, 2), np.int64)), "holds int64: files are taken as they are"),
        (npy(np.zeros((3, 2), ">f8" if np.little_endian else "<f8")), "files are taken as they are"),
        (npy(np.zeros((3, 2), order="F")), "is in Fortran order"),
        (npy(np.zeros((3, 2)))[:-1], "ends after 175 bytes, where 176 are announced"),
        (npy([[1, 2], [np.nan, 3], [4.0, 5]]), r"contains NaN .* in 1 of 3 rows: 1 .*row 1 of .*X.npy"),
        (
            npy(np.array([[1, np.inf], [np.nan, 3], [-np.inf, 5]])),
            r"contains NaN .* in 3 of 3 rows: 0, 1, 2 .*row 0 of .*X.npy",
        ),
        (
            npy(np.array([[1, np.inf], [2.0, 3]])),
            r"contains infinity .* in 1 of 2 rows: 0 .*row 0 of .*X.npy",
        ),
        (npy(np.array([[1e200, 1], [2, 3]])), r"X holds 1e\+200 in blocks"),
        (npy(np.array([[1e308, 1], [1e308, 3]])), r"X holds 1e\+308 in blocks"),
    ],
)
def test_files_that_are_refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        KMeans(1).fit(path)


def test_other_refusals(path):
    with pytest.raises(ValueError, match="X must hold numbers"):
        SphericalMixture(2).fit(str(path))
    with pytest.raises(FileNotFoundError):
        KMeans(2).fit(path)
    np.save(path, blobs(np.float64))
    with pytest.raises(ValueError, match="init is a callable"):
        KMeans(2, init=lambda X, k, rng: X[:k]).fit(path)
    model = KMeans(2).fit(path)
    np.save(path, np.zeros((5, 2)))
    with pytest.raises(ValueError, match="X has 2 features"):
        model.predict(path)


def test_cut_short_while_read(path):
    np.save(path, blobs(np.float64))
    file = NpyFile(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match="was cut short while it was read"):
        Rows(file, None, Workers(1))
