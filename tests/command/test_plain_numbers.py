"""Plain numbers by Arrow: the same table as by looking at each cell, or none; and no more of it than is asked for."""

import numpy as np
import pytest
from command_line import put, run
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ckmeans.command import terminal, texts
from ckmeans.command.plain_numbers import plain_numbers
from ckmeans.command.tables import read_table

pytest.importorskip("pyarrow")
FAST = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
PLAIN = ["1", "-2.5", "+3", ".5", "7.", "1e5", "2E-3", " 4", "5 ", "00012", "-0.25", '"6"', '"-1.5"', "0"]
ODD = [
    "",
    "NA",
    "nAn",
    "nan(1)",
    "inf",
    "-Infinity",
    "1e400",
    "1e-400",
    "3e-310",
    "9007199254740993",
    "1_0",
    "5%",
    "0x10",
]
ODD += ["true", "word", " NA", ' "8"', '"a,b"', '"1', 'a"b', "12345678901234567890", "1e", "1 2", "\t3"]
CELLS = st.sampled_from(PLAIN) | st.sampled_from(PLAIN) | st.sampled_from(ODD)


def outcome(path, **options):
    try:
        table = read_table(str(path), header=True, delimiter=",", **options)
    except ValueError as error:
        return str(error)
    return table.X.tolist(), table.columns, list(table.lines), table.incomplete, table.skipped, table.notes


@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=6),
    st.sampled_from([None, ["a"], ["3", "b"]]),
)
@example([["1", "1", '"1']], None)  # was read as 1
@FAST
def test_the_table_is_the_same_either_way(tmp_path, monkeypatch, rows, columns):
    path = tmp_path / "data.csv"
    path.write_text("a,b,c\n" + "\n".join(",".join(row) for row in rows) + "\n")
    found = outcome(path, columns=columns)
    with monkeypatch.context() as patch:
        patch.setattr(texts, "plain_numbers", lambda *_: None)
        assert outcome(path, columns=columns) == found


@pytest.mark.parametrize("size", [40, 2**20])
def test_blocks_with_other_cells_and_blocks_without_make_one_table(read, monkeypatch, size):
    monkeypatch.setattr(texts, "BLOCK", size)
    monkeypatch.setattr(texts, "SAMPLE", size)
    ways = []

    def seen(*args):
        ways.append(plain_numbers(*args))
        return ways[-1]

    monkeypatch.setattr(texts, "plain_numbers", seen)
    rows = [f"{i},{i}.25,w{i}" for i in range(60)] + ["60,,w"] + [f"{i},{i}.25,w{i}" for i in range(61, 90)]
    table = read("a,b,c\n" + "\n".join(rows), columns=["a", "b"])
    assert table.X[:, 1].tolist() == [i + 0.25 for i in range(90) if i != 60] and table.incomplete == [62]
    assert all(way is not None for way in ways)
    rows[70] = "70,NA ,w"  # a blank after it: Arrow knows no such missing value
    found = read("a,b,c\n" + "\n".join(rows), columns=["a", "b"])
    assert ways[-1] is None and found.incomplete == [62, 72]


def test_a_column_of_words_is_not_converted_for_another_one(read, monkeypatch):
    monkeypatch.setattr(texts.Text, "_frame", None)
    text = "name,city,x\n" + "".join(f'n{i},"a, b ""c""",{i}\n' for i in range(50))
    assert read(text, columns=["x"]).X.ravel().tolist() == list(range(50))


def test_signs_of_other_notations(read):
    assert read("a;b\n1,5;2\n,5;-3,25\n", decimal="comma").X.tolist() == [[1.5, 2], [0.5, -3.25]]
    assert read("a|b\n1|2|\n3|4|\n5|6|\n", columns=["b"], header=True).X.ravel().tolist() == [2, 4, 6]


def test_progress_is_told_up_to_the_size_of_the_file(read, monkeypatch):
    monkeypatch.setattr(texts, "BLOCK", 64)
    monkeypatch.setattr(texts, "SAMPLE", 64)
    text, told = "".join(f"{i},{i}.5\n" for i in range(200)), []
    read(text, progress=told.append)
    assert told == sorted(told) and len(told) > 5 and told[-1] == len(text)


def test_a_large_file_is_shown_while_it_is_read(here, monkeypatch):
    put("a,b\n" + "".join(f"{i % 7},{i % 5}.5\n" for i in range(100)))
    told = []

    class Bar:
        def __init__(self, ctx, what, total):
            told.append((what, total))

        def __enter__(self):
            return lambda done, text: told.append((text, done))

        def __exit__(self, *exception):
            pass

    with monkeypatch.context() as patch:
        patch.setattr(terminal, "_bar", Bar)
        patch.setattr(terminal, "SHOWN", 1)
        run("breaks", "data.csv", "b", "-k", 2)
    assert told[0] == ("reading", 604) and told[1] == ("reading", 604)
    with monkeypatch.context() as patch:
        patch.setattr(terminal, "_bar", Bar)
        told.clear()
        run("breaks", "data.csv", "b", "-k", 2)
    assert told[0] == ("reading", None)  # a spinner for a small one


def test_rows_that_are_left_over_are_their_numbers(read):
    table = read("a,b\n1,2\n,3\n4,5\n")
    assert table.rows.tolist() == [0, 2] and np.issubdtype(table.rows.dtype, np.integer)
