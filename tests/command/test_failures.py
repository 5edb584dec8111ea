"""Bad input, wrong usage, failures and interrupts: one clear line, an exit code, and no file that is half written."""

import os
import signal
import sys
import zipfile
from types import SimpleNamespace

import pytest
from command_line import put, run

from ckmeans import __main__
from ckmeans.command import terminal
from ckmeans.command.cli import cli
from ckmeans.proofs.methods import METHODS

BAD = {
    # words on the command line: words in the message
    "fit nosuch.csv -k 3": ["nosuch.csv", "no such file"],
    "fit . -k 3": ["folder"],
    "fit empty.csv -k 3": ["empty.csv is empty"],
    "fit words.csv -k 1": ["no numeric column"],
    "fit infinite.csv -k 1": ["infinity", "line 3"],
    "fit iris -k 151": ["n_clusters=151", "n_samples=150", "at most one cluster per sample"],
    "fit iris -k 3 --columns petal": ["'petal'", "sepal_length_cm"],
    "fit iris -k 3 --columns species": ["'setosa'", "line 2"],
    "fit iris -k 3 --weights species": ["species", "'setosa'"],
    "fit bad.parquet -k 3": ["bad.parquet"],
    "fit iris -k 3 --out nosuch/labels.csv": ["nosuch", "no folder", "Create it"],
    "fit iris -k 3 --json .": ["folder"],
    "fit data.csv -k 1 --out data.csv": ["data.csv", "data file itself"],
    "fit iris -k 1 --out ./iris": ["iris", "data file itself"],
    "fit iris -k 3 --out labels.npy": ["CSV"],
    "fit iris -k 3 --json report.parquet": ["JSON"],
    "fit iris -k 3 --plot picture.txt": ["picture.txt is no name of a picture", ".png"],
    "fit blank.csv -k 1": ["blank.csv", "no rows"],
    "certify iris blank.csv --label a": ["blank.csv", "a header and no rows"],
    "exhaustive iris -k 2 --rows 151": ["151", "150"],
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_one_line_and_exit_1(here, words):
    put("", "empty.csv")
    put("a\nx\ny\n", "words.csv")
    put("a\n1\ninf\n", "infinite.csv")
    put("a\n1\n2\n")
    put("PAR1", "bad.parquet")
    put("a,b\n", "blank.csv")
    result = run(*words.split(), "--quiet", code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    for word in BAD[words]:
        assert word in result.stderr
    names = ["bad.parquet", "blank.csv", "data.csv", "empty.csv", "infinite.csv", "words.csv"]
    assert sorted(os.listdir()) == names


@pytest.mark.parametrize(
    "words",
    [
        "fit",
        "fit iris",
        "fit iris -k 0",
        "fit iris -k two",
        "fit iris -k 3 --n-init 0",
        "fit iris -k 3 --init kmeans",
        "fit iris -k 3 --time-limit -1",
        "fit iris -k 3 --out - --json -",
        "fit iris -k 3 --out a --json a",
        "soft iris -k 3 --variance 0",
        "soft iris -k 3 --variance none",
        "exhaustive iris -k 2 --rows 3 --sample 3",
        "exhaustive iris -k 2 --posterior 0",
        "choose iris --range 2-5",
        "choose iris --range 0:3",
        "choose iris --range 5:4",
        "nosuch",
    ],
)
def test_wrong_usage_is_exit_2(here, words):
    result = run(*words.split(), code=2)
    assert "Error: " in result.stderr
    assert os.listdir() == []


@pytest.mark.parametrize("words", ["fit iris -k 3 --n-init some", "soft iris -k 3 --variance TIED"])
def test_wrong_words_are_answered_with_the_right_ones(words):
    message = run(*words.split(), code=2).stderr
    assert ("neither auto nor" if "fit" in words else "nor tied or per-cluster") in message


@pytest.mark.parametrize(
    "error, words",
    [
        (MemoryError("Unable to allocate 9 TiB"), ["out of memory", "9 TiB"]),
        (OSError(28, "No space left on device"), ["No space left"]),
        (RuntimeError("broken\n  inside"), ["RuntimeError: broken inside", "bug"]),
    ],
)
def test_unforeseen_failures_are_one_line_too(monkeypatch, error, words):
    monkeypatch.setattr("ckmeans.command.tables.read_table", lambda *_, **__: (_ for _ in ()).throw(error))
    result = run("fit", "iris", "-k", 3, code=1)
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


def test_a_traceback_for_those_who_ask(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("ckmeans.command.tables.read_table", broken)
    monkeypatch.setenv("CKMEANS_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="broken"):
        cli(["fit", "iris", "-k", "3"], standalone_mode=False)


@pytest.mark.parametrize(
    "package, words, said",
    [
        ("pyarrow", "fit iris -k 3 --out labels.parquet", "pip install pyarrow"),
        ("openpyxl", "fit sheet.xlsx -k 1", "pip install openpyxl"),
    ],
)
def test_what_is_missing_is_named(here, monkeypatch, package, words, said):
    with zipfile.ZipFile("sheet.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "")
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr("ckmeans.command.outputs.find_spec", lambda name: None if name == package else True)
    assert said in run(*words.split(), code=1).stderr and sorted(os.listdir()) == ["sheet.xlsx"]


@pytest.mark.parametrize("words", ["fit iris -k 3 --prove", "certify iris labels.csv"])
def test_what_was_proved_before_the_memory_ran_out_is_shown(here, monkeypatch, words):
    def greedy(*_):
        raise MemoryError

    run("fit", "iris", "-k", 3, "--out", "labels.csv")
    monkeypatch.setitem(METHODS, "prices", greedy)
    shown = run(*words.split()).stdout
    assert "proved, by branch and bound; stopped for want of memory after" in shown and "best so far" in shown


def test_a_result_is_shown_even_if_its_picture_is_not(here, monkeypatch):
    pytest.importorskip("matplotlib")

    def fail(*_, **__):
        raise ValueError("no ink")

    for display in ("breaks.BreaksDisplay.from_breaks", "landscape.LandscapeDisplay.from_landscape"):
        monkeypatch.setattr(f"ckmeans.plots.{display}", fail)
    result = run("breaks", "iris", 3, "-k", 3, "--plot", "x.png", "--out", "labels.csv", code=1)
    assert "proved optimal" in result.stdout and "no ink" in result.stderr and os.path.exists("labels.csv")
    result = run("landscape", "iris", "-k", 3, "--starts", 20, "--plot", "x.png", "--json", "x.json", code=1)
    assert "local minima" in result.stdout and "no ink" in result.stderr and os.path.exists("x.json")


def test_failed_write_leaves_the_old_file(here, monkeypatch):
    put("old", "labels.csv")
    monkeypatch.setattr(
        "os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    result = run("fit", "iris", "-k", 3, "--out", "labels.csv", "--force", code=1)
    assert "labels.csv could not be written: No space left on device" in result.stderr
    assert os.listdir() == ["labels.csv"] and open("labels.csv").read() == "old"


@pytest.mark.parametrize("option", ["--out", "--json", "--report", "--model", "--centers", "--plot"])
def test_nothing_is_replaced_unasked(option, here):
    put("mine", path := "notes.png")
    words = ["breaks", "iris", 3, "-k", 3] if option == "--plot" else ["fit", "iris", "-k", 3]
    message = run(*words, option, path, code=1).stderr
    assert "notes.png is there already: give another name, or --force to replace it." in message
    assert open(path, encoding="utf-8").read() == "mine"
    run(*words, option, path, "--force")
    assert open(path, "rb").read() != b"mine"


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no names for open files")
def test_labels_into_a_pipe():
    """As `--out >(gzip > labels.gz)` has them."""
    reading, writing = os.pipe()
    with open(reading) as pipe:
        run("fit", "iris", "-k", 3, "--out", f"/dev/fd/{writing}")
        os.close(writing)
        assert pipe.read().splitlines()[:2] == ["line,label", "2,0"]


def test_interrupted_before_anything(here, monkeypatch):
    monkeypatch.setattr(
        "ckmeans.command.tables.read_table", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    result = run("fit", "iris", "-k", 3, "--out", "labels.csv", code=130)
    assert result.stderr.startswith("interrupted before") and os.listdir() == []


def test_interrupted_with_nothing_found(here, monkeypatch):
    """Where the search has not begun, and where what runs the command is told."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ckmeans.KMeans.fit", interrupted)
    assert run("fit", "iris", "-k", 3, "--n-init", 2, code=130).stderr.endswith(
        "interrupted before there was a result: nothing was written\n"
    )


@pytest.mark.parametrize("closed", [False, True])
def test_an_interrupt_outside_of_the_command(monkeypatch, capsys, closed):
    """It is told, and the process ends by its number; if nobody reads that any more, too."""

    def interrupted():
        raise KeyboardInterrupt

    def flush():
        raise BrokenPipeError

    ended = []
    monkeypatch.setattr(__main__, "_listen", lambda: None)
    monkeypatch.setattr(__main__, "_run", interrupted)
    monkeypatch.setattr(os, "_exit", ended.append)
    if closed:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(flush=flush))
    assert __main__.main() == 130 and ended == [130]
    assert capsys.readouterr().err == __main__.NOTHING + "\n"


def test_a_handler_that_is_there_is_left(monkeypatch):
    """Who runs the command in a process of theirs, with a handler for SIGTERM, keeps it."""
    own, kept = [lambda *_: None], {}
    monkeypatch.setattr(
        signal, "getsignal", lambda number: own[0] if number == signal.SIGTERM else signal.SIG_IGN
    )
    monkeypatch.setattr(signal, "signal", kept.__setitem__)
    __main__._listen()
    assert not kept
    own[0] = signal.SIG_DFL
    monkeypatch.setattr("ckmeans.interrupts.SIGNAL", signal.SIGINT)
    __main__._listen()
    assert kept == {signal.SIGTERM: __main__._interrupted}


@pytest.mark.parametrize("searched", [False, True])
def test_an_interrupt_within_an_import_ends_only_what_has_found_nothing(monkeypatch, searched):
    ended = []
    monkeypatch.setattr(terminal, "searched", searched)
    monkeypatch.setattr(__main__, "_end", lambda: ended.append(True))
    importing = SimpleNamespace(
        f_code=SimpleNamespace(co_filename="<frozen importlib._bootstrap>"), f_back=None
    )
    with pytest.raises(KeyboardInterrupt):
        __main__._interrupted(2, importing)
    assert ended == [True] * (not searched)
