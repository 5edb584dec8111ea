"""What a command reads beside its table, and by which options; the names of columns that it is given."""

import pytest
from command_line import put, report, run


def test_given_centers(here):
    put("a,b\n1,1\n2,2\n8,8\n9,9\n")
    put("b,a\n0,1\n5,5\n", "centers.csv")
    full = report("fit", "data.csv", "-k", 2, "--init", "centers.csv", "--no-polish")
    assert full["result"]["centers"] == [[1.5, 1.5], [8.5, 8.5]]
    assert full["result"]["n_restarts"] == 1
    put("a,b\n0,1\n5,5\n", "log.csv")
    said = run("fit", "data.csv", "-k", 2, "--init", "log.csv", "--log", "a", code=1).stderr
    assert "a center is 0 or less in a column of --log" in said
    put("x\n0\n5\n", "one.csv")
    assert "(2, 1)" in run("fit", "data.csv", "-k", 2, "--init", "one.csv", code=1).stderr
    assert "(3, 2)" in run("fit", "data.csv", "-k", 3, "--init", "centers.csv", code=1).stderr


def test_centers_are_read_as_their_text_tells_or_by_the_options_of_the_table(here):
    put("a;b\n1;1,5\n2;2\n8;8\n9;9\n")
    put("b,a\n0,1\n5,5\n", "centers.csv")
    result = run("fit", "data.csv", "-k", 2, "--init", "centers.csv", "--delimiter", ";", "--no-polish")
    assert "optimum" in result.stdout and "centers.csv" not in result.stderr
    put("a;b\n1,250;1,500\n9,125;9,125\n", "centers.csv")
    said = run("fit", "data.csv", "-k", 2, "--init", "centers.csv", code=1).stderr
    assert "say --decimal comma or --thousands comma" in said
    run("fit", "data.csv", "-k", 2, "--init", "centers.csv", "--decimal", "comma")
    with open("centers.csv", "w", encoding="cp1251") as file:
        file.write("б;а\n2;1\n9;8\n")
    with open("data.csv", "w", encoding="cp1251") as file:
        file.write("а;б\n1;1,5\n2;2\n8;8\n9;9\n")
    cyrillic = "--encoding", "cp1251", "--no-polish", "--n-init", 1
    full = report("fit", "data.csv", "-k", 2, "--init", "centers.csv", *cyrillic)
    assert full["data"]["columns"] == ["а", "б"] and full["result"]["centers"][0] == [1.5, 1.75]


def test_the_notes_on_centers_are_told(here):
    put("a\n1\n2\n8\n9\n")
    put("2\n9\n", "centers.csv")
    said = run("fit", "data.csv", "-k", 2, "--init", "centers.csv").stderr
    assert "centers.csv: the first line, 2, was read as data\n" in said
    put("a,note\n1,inf\n2,1\n", "centers.csv")
    said = run("fit", "data.csv", "-k", 2, "--init", "centers.csv", code=1).stderr
    assert (
        "column note holds infinity" in said
        and "take the column out of the file" in said
        and "--skip" not in said
    )


def test_labels_are_read_by_their_name_and_by_the_options_of_the_table(here):
    put("a;b\n1,5;2\n3;4\n9;9\n")
    put("line,label,note,p0\n2,0,1 250,inf\n3,0,x,1\n4,1,2 kg,1\n", "labels.csv")
    for options in ([], ["--delimiter", ";"], ["--decimal", "comma"], ["--encoding", "cp1251"], ["--header"]):
        assert report("certify", "data.csv", "labels.csv", *options)["result"]["inertia"] == pytest.approx(
            3.125
        )
    with open("data.csv", "w", encoding="utf-16-le") as file:
        file.write("a;b\n1,5;2\n3;4\n9;9\n")
    assert report("certify", "data.csv", "labels.csv", "--encoding", "utf-16-le")["data"]["n_samples"] == 3
    put("label\nx\ny\nx\n", "labels.csv")
    put("a\n1\n2\n3\n")
    assert report("certify", "data.csv", "labels.csv", "--delimiter", ";")["result"]["inertia"] == 2.0


@pytest.mark.parametrize(
    "column, rows, said",
    [
        ("name", "x,1\ny,2\n", "column name has 'x' in line 2, which is no plain number"),
        ("name", "inf,1\n1,2\n", "column name holds infinity in line 2"),
        ("name", ",1\n,2\n", "every row has a missing value"),
        ("w", "1,1\n2,2\n", "no column is left without w"),
    ],
)
def test_breaks_knows_no_option_for_columns(here, column, rows, said):
    put(f"name,w\n{rows}")
    told = run("breaks", "data.csv", column, "-k", 2, "--weights", "w", "-q", code=1).stderr
    assert said in told and "name another column." in told and "columns" not in told
