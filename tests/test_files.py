"""Files are written whole or not at all."""

import os

import pytest

from ckmeans import files


def test_a_failing_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"before")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_whole(path, b"after")
    assert path.read_bytes() == b"before" and os.listdir(tmp_path) == ["labels.csv"]


def test_an_interrupt_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "labels.csv"

    def pressed(source, target):
        assert (tmp_path / os.path.basename(source)).read_bytes() == b"after"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", pressed)
    with pytest.raises(KeyboardInterrupt):
        files.write_whole(str(path), b"after")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="links take a privilege there")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "first.csv").write_bytes(b"before")
    os.symlink(tmp_path / "first.csv", tmp_path / "latest.csv")
    files.write_whole(tmp_path / "latest.csv", b"after")
    assert os.path.islink(tmp_path / "latest.csv") and (tmp_path / "first.csv").read_bytes() == b"after"


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="pipes have no name there")
def test_a_pipe_is_written_to():
    reader, writer = os.pipe()
    assert files.is_special(f"/dev/fd/{writer}")
    files.write_whole(f"/dev/fd/{writer}", b"after")
    os.close(writer)
    with open(reader, "rb") as file:
        assert file.read() == b"after"
