import pytest

from ckmeans.command import quick
from ckmeans.command.tables import read_table


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def patient(monkeypatch):
    """What is proved without being asked has the time that it takes, however busy the machine is."""
    monkeypatch.setattr(quick, "LIMIT", 60.0)


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "data.csv"

    def put_and_read(content, **options):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(str(path), **options)

    return put_and_read
