"""The command as a user meets it: results, files, proofs, and the command as a process."""

import hashlib
import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from children import PATIENCE, PRELUDE, interrupted_at_a_terminal
from command_line import put, report, run

from ckmeans import KMeans
from ckmeans.command.exhaustive import _probability
from ckmeans.command.tables import read_table
from ckmeans.words import format_count, format_duration

# Results.


def test_breaks(here):
    result = run("breaks", "iris", "petal_length_cm", "-k", 3)
    assert "1 1.9 4.9 6.9" in result.stdout and "proved optimal" in result.stdout
    told = report("breaks", "iris", 3, "-k", 3, "--choose", "--out", "labels.csv")
    assert told["command"] == "ckmeans breaks iris 3 -k 3 --choose"
    assert told["result"]["status"] == "optimal" and set(told["result"]["bic_by_n_clusters"]) == {
        "1",
        "2",
        "3",
    }
    assert len(open("labels.csv", encoding="utf-8").read().splitlines()) == 151
    assert "setosa" in run("breaks", "iris", "species", "-k", 2, code=1).stderr


def test_fit_shows_clusters_and_verdict(patient):
    assert "optimal, and the only clustering that is: proved, by" in run("fit", "iris", "-k", 3).stdout
    result = run("fit", "iris", "-k", 3, "--n-init", 8)
    assert "78.8514414261" in result.stdout
    assert "local optimum; hit by 8 of 8 restarts (no row exchange lowers it)" in result.stdout
    for words in (
        "0    50  33.3%     15.151       5.01",
        "1    62  41.3%     39.821       5.90",
        "length_cm",
    ):
        assert words in result.stdout
    assert "skipped column species" in result.stderr
    assert "species" not in result.stdout
    assert "\x1b" not in result.output
    assert run("fit", "iris", "-k", 3, "--quiet").stderr == ""


def test_report(here):
    put("a,b,c,w\n1,2,x,1\n3,,y,1\n5,7,z,2\n6,8,z,1\n", "some data.csv")
    full = report("fit", "some data.csv", "-k", 2, "--weights", "w", "--n-init", 4)
    data, result = full["data"], full["result"]
    X = np.array([[1.0, 2], [5, 7], [6, 8]])
    assert data["sha256"] == hashlib.sha256(X.tobytes() + np.array([1.0, 2, 1]).tobytes()).hexdigest()
    assert data["file_sha256"] == hashlib.sha256(open("some data.csv", "rb").read()).hexdigest()
    assert (data["columns"], data["incomplete"], data["lines"]) == (["a", "b"], [3], None)
    assert data["skipped"] == {"c": "not numeric: 'x'"}
    assert (data["n_samples"], data["n_features"], data["weights"]) == (3, 2, "w")
    assert result["inertia"] == pytest.approx(4 / 3)
    assert sum(result["within_ss"]) == pytest.approx(result["inertia"])
    assert (result["sizes"], result["centers"][0]) == ([1, 2], [1, 2])
    assert (result["status"], result["lower_bound"], result["gap"]) == ("bounded", 0, 1)
    assert (result["n_restarts"], result["hit_rate"], result["stop_reason"]) == (4, 1, "converged")
    assert full["command"] == "ckmeans fit 'some data.csv' -k 2 --weights w --n-init 4 --seed 0"
    again = report(*shlex.split(full["command"])[1:])
    assert again["result"]["centers"] == result["centers"]
    assert full["schema"] == 1 and full["parameters"]["polish"] is True


def test_labels_have_a_line_for_each_row(here):
    put("a,b\n1,2\n3,\n\n1,2.5\n9,9\n")
    run("fit", "data.csv", "-k", 2, "--out", "labels.csv")
    assert open("labels.csv").read() == "line,label\n2,0\n3,\n5,0\n6,1\n"
    assert run("fit", "data.csv", "-k", 2, "--out", "-", "-q").stdout == "line,label\n2,0\n3,\n5,0\n6,1\n"
    np.save("x.npy", np.array([[1.0], [9]]))
    assert run("fit", "x.npy", "-k", 2, "--out", "-").stdout == "row,label\n1,0\n2,1\n"


def test_labels_are_those_of_the_estimator(here):
    run("fit", "iris", "-k", 5, "--seed", 3, "--no-polish", "--n-init", 2, "--out", "labels.csv")
    kmeans = KMeans(5, random_state=3, polish=False, n_init=2).fit(read_table("iris").X)
    assert pd.read_csv("labels.csv")["label"].tolist() == kmeans.labels_.tolist()


def test_hybrid(here):
    full = report("fit", "iris", "-k", 5, "--algorithm", "hybrid", "--n-init", 2)
    model = KMeans(5, algorithm="hybrid", n_init=2, random_state=0).fit(read_table("iris").X)
    assert full["result"]["inertia"] == model.inertia_ and full["result"]["n_restarts"] == 2
    assert (
        "hit by 2 of 2 populations"
        in run("fit", "iris", "-k", 5, "--algorithm", "hybrid", "--n-init", 2).stdout
    )
    assert (
        "is for the other algorithms"
        in run("fit", "iris", "-k", 5, "--algorithm", "hybrid", "--no-polish", code=1).stderr
    )
    assert (
        "excludes --prove" in run("fit", "iris", "-k", 5, "--algorithm", "hybrid", "--prove", code=2).stderr
    )


def test_estimator_tells_a_function_of_its_restarts():
    seen = []
    kmeans = KMeans(3, n_init=4, random_state=0, verbose=lambda n, inertia: seen.append((n, inertia)))
    kmeans.fit(read_table("iris").X)
    assert [n for n, _ in seen] == [1, 2, 3, 4] and seen[-1][1] == pytest.approx(kmeans.inertia_)


def test_standardize_only_when_asked(here):
    put("a,b\n" + "".join(f"{i % 3},{1000 * (i % 2)}\n" for i in range(12)))
    raw, scaled = (report("fit", "data.csv", "-k", 3, *more)["result"] for more in ([], ["--standardize"]))
    assert (raw["units"], scaled["units"]) == ("data", "standardized")
    assert sum(scaled["within_ss"]) == pytest.approx(scaled["inertia"])
    assert max(center[1] for center in scaled["centers"]) > 400
    assert "in standardized units" in run("fit", "data.csv", "-k", 3, "--standardize").stdout


def test_a_header_of_numbers_is_asked_about(here):
    put("2019,2020\n1,5\n3,9\n")
    said = run("fit", "data.csv", "-k", 1, code=1).stderr
    assert "the first line, 2019, 2020, may hold names or data: say --header" in said
    assert report("fit", "data.csv", "-k", 1, "--header")["data"]["columns"] == ["2019", "2020"]
    assert report("fit", "data.csv", "-k", 1, "--no-header")["data"]["n_samples"] == 3
    put("1,2\n3,4\n9,1\n")  # another line counts too
    assert report("fit", "data.csv", "-k", 1)["data"]["n_samples"] == 3


def test_a_row_without_weight_has_no_part_in_the_posterior(here):
    put("a,w\n1,1\n3,0\n2,1\n")
    said = run("exhaustive", "data.csv", "-k", 2, "--weights", "w", "--posterior", 1, code=1).stderr
    assert "weight 0 in line 3" in said and "take it out" in said


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "soon"])
def test_no_number_of_seconds(here, seconds):
    for command, option in (("fit", "--time-limit"), ("exhaustive", "--time-limit")):
        said = " ".join(run(command, "iris", "-k", 2, option, seconds, code=2).stderr.split())
        assert f"{seconds} is no number of seconds, 0 or more" in said


def test_verdicts(here):
    put("a\n1\n1\n3\n")
    assert "verdict     optimal: every row lies on its center" in run("fit", "data.csv", "-k", 2).stdout
    assert "verdict   optimal: one cluster" in run("fit", "data.csv", "-k", 1).stdout
    result = report("fit", "data.csv", "-k", 1)["result"]
    assert (result["status"], result["gap"]) == ("optimal", 0)
    assert result["lower_bound"] <= 8 / 3 and result["lower_bound"] == pytest.approx(8 / 3)
    np.save("x.npy", np.random.default_rng(0).normal(size=(3000, 2)))
    result = run("fit", "x.npy", "-k", 50, "--n-init", 10**6, "--time-limit", 0.3).stdout
    assert "stopped by the time limit" in result and "best so far" in result
    assert "fixed point of Lloyd's iteration" in run("fit", "iris", "-k", 3, "--no-polish").stdout


def test_wide_tables_say_what_they_leave_out(here):
    np.save("x.npy", np.random.default_rng(0).normal(size=(30, 40)))
    result = run("fit", "x.npy", "-k", 3).stdout
    assert "of 40 features; all of them with --json" in result
    assert max(map(len, result.splitlines())) <= 80
    put("a\n" + "".join(f"{i}\n" for i in range(203)))
    assert "and 2 more clusters: see --json" in run("fit", "data.csv", "-k", 202, "--n-init", 1).stdout
    put("a [b],[red]c\n1,2\n3,4\n")
    result = run("fit", "data.csv", "-k", 2).stdout
    assert "a [b]" in result and "[red]c" in result


def test_soft(here):
    result = run("soft", "iris", "-k", 3, "--variance", "tied", "--out", "labels.csv")
    assert "verdict          local maximum of the likelihood; the best of 10 starts" in result.stdout
    assert "-401.80" in result.stdout
    labels = pd.read_csv("labels.csv")
    shares = labels[["p0", "p1", "p2"]].to_numpy()
    assert np.allclose(shares.sum(axis=1), 1)
    assert (shares.argmax(axis=1) == labels["label"]).all()
    full = report("soft", "iris", "-k", 3, "--variance", 0.001, "--anneal", 20, "--mixing", "uniform")[
        "result"
    ]
    assert sum(full["within_ss"]) == pytest.approx(78.8514414)
    assert len(full["variances"]) == 3 and full["status"] == "converged" and full["n_collapsed"] == 0
    words = ["soft", "iris", "-k", 3, "--variance", "tied"]
    assert "stopped by the time limit after 0 iterations" in run(*words, "--time-limit", 0).stdout
    put("a,b\n" + "1,2\n5,6\n" * 4)
    result = run("soft", "data.csv", "-k", 2, "--variance", "tied")
    assert "degenerate: 2 of 2 variances shrank to nothing; the likelihood has no bound" in result.stdout


def test_exhaustive(here):
    result = run("exhaustive", "iris", "-k", 2, "--sample", 20, "--out", "labels.csv")
    assert "proved optimal: none of the 524,288 partitions costs less" in result.stdout
    assert "20 rows into at most 2 clusters are 524,288 partitions" in result.stderr
    labels = pd.read_csv("labels.csv")
    assert len(labels) == 150 and labels["label"].notna().sum() == 20
    full = report("exhaustive", "iris", "-k", 2, "--rows", 12)
    assert full["data"]["lines"] == list(range(2, 14))
    assert (full["result"]["status"], full["result"]["gap"], full["result"]["n_partitions"]) == (
        "optimal",
        0,
        2048,
    )
    full = report("exhaustive", "iris", "-k", 3, "--rows", 40, "--time-limit", 0.2)["result"]
    assert (full["status"], full["stop_reason"]) == ("bounded", "time_limit")
    put("a\n1\n1\n3\n")
    assert "every row lies on its center" in run("exhaustive", "data.csv", "-k", 2).stdout
    assert "only one partition into one cluster" in run("exhaustive", "data.csv", "-k", 1).stdout
    result = run("exhaustive", "iris", "-k", 2, code=1)
    assert "7.1e44 partitions" in result.stderr and "--sample" in result.stderr


def test_posterior(here):
    put("a\n0\n1\n5\n7\n")
    full = report("exhaustive", "data.csv", "-k", 2, "--posterior", 1)["result"]
    assert np.allclose(np.diag(full["posterior"]["together"]), 1)
    assert full["posterior"]["together"][0][1] == pytest.approx(0.99968, abs=1e-5)
    result = run("exhaustive", "data.csv", "-k", 2, "--posterior", 1, "--out", "labels.csv").stdout
    assert "log evidence" in result and "least sure" in result
    words = ["exhaustive", "iris", "-k", 2, "--rows", 24, "--posterior", 1, "--time-limit", 0]
    assert "log evidence  at least " in " ".join(run(*words).stdout.split()).replace(
        "evidence at", "evidence  at"
    )
    assert _probability(0.5, 0.1) == "0.45 to 0.55" and _probability(0.5, 0.0) == "0.5000"
    assert list(pd.read_csv("labels.csv").columns) == ["line", "label", "together"]


def decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


@pytest.mark.parametrize("variance", [1, 1e-2, 1e-4, 1e-6])
def test_the_evidence_has_the_digits_that_its_error_bears(here, variance):
    """Against the sum over all partitions in sixty digits."""
    rows = [Fraction(1000 + 37 * i * i) + Fraction(i, 8) for i in range(6)]
    put("a\n" + "".join(f"{float(row)!r}\n" for row in rows))
    getcontext().prec, costs = 60, []
    for bits in range(2**5):
        groups = [
            [row for i, row in enumerate(rows) if i and (bits >> (i - 1)) & 1 == side or not i and not side]
            for side in (0, 1)
        ]
        cost = sum(sum((row - sum(group) / len(group)) ** 2 for row in group) for group in groups if group)
        costs.append(cost / (2 * Fraction(variance)))
    least = min(costs)
    total = sum(decimal(least - cost).exp() for cost in costs)
    exact = (
        total.ln() - decimal(least) - Decimal(32).ln() - 3 * (2 * Decimal(math.pi) * Decimal(variance)).ln()
    )
    said = run("exhaustive", "data.csv", "-k", 2, "--posterior", variance).stdout
    shown = Decimal(re.search(r"log evidence +(\S+)", said)[1])
    told = report("exhaustive", "data.csv", "-k", 2, "--posterior", variance)["result"]["posterior"]
    n_digits = len(shown.as_tuple().digits)
    assert abs(shown - exact) <= Decimal(10) ** (exact.adjusted() - n_digits + 1) and n_digits > 2
    assert abs(Decimal(told["log_evidence"]) - exact) <= Decimal(told["error"])


def test_numbers_for_people():
    assert [format_count(n) for n in (16_777_216, 7 * 10**44, 2**20000)] == [
        "16,777,216",
        "7.0e44",
        "1.0e6020",
    ]
    assert [format_duration(s) for s in (0.1, 75, 1e4, 1e30)] == [
        "less than a second",
        "about 75 seconds",
        "about 2.8 hours",
        "longer than the universe is old",
    ]


# The command as a process.


def process(*words, **options):
    options = {"capture_output": True, "text": True, "timeout": PATIENCE, **options}
    return subprocess.run([sys.executable, "-m", "ckmeans", *words], **options)


def test_process(here):
    assert process("--version").stdout.startswith("ckmeans, version ")
    result = process("fit", "-", "-k", "2", "--json", "-", input="1;2,5\n3;4\n8;9,5\n")
    assert result.returncode == 0 and json.loads(result.stdout)["data"]["n_samples"] == 3
    assert "decimal commas: 2,5" in result.stderr
    result = process("fit", "nosuch", "-k", "2")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_help_is_quick_and_loads_nothing_heavy():
    code = "import sys; from ckmeans.command.cli import cli; cli(['--help'], standalone_mode=False); print('HEAVY', "
    code += "[name for name in ('numpy', 'pandas', 'rich', 'sklearn') if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "HEAVY []" in output and "Exit codes" in output


def test_missing_extra():
    code = "import sys, ckmeans.__main__ as m; m.NEEDED += ('no_such_module',); sys.exit(m.main())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert 'needs no_such_module: pip install "certified-kmeans[cli]"' in result.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal to watch")
@pytest.mark.parametrize(
    "words, at, sign",
    [
        (["fit", "x.npy", "-k", "40", "--n-init", "1000"], "small.Search._restarts", b"restart 2"),
        (["exhaustive", "x.npy", "-k", "3", "--rows", "30"], "workers.Workers.run", b"partitions"),
    ],
    ids=["fit", "exhaustive"],
)
@pytest.mark.parametrize(
    "number, before",
    [
        (signal.SIGINT, ""),
        (signal.SIGTERM, ""),
        (signal.SIGTERM, "signal.signal(signal.SIGINT, signal.SIG_IGN)"),  # `ckmeans ... &` in a script
    ],
    ids=["Ctrl-C", "kill", "kill in the background"],
)
def test_interrupt_writes_what_there_is(here, words, at, sign, number, before):
    np.save("x.npy", np.random.default_rng(0).normal(size=(2000, 2)))
    code = (
        PRELUDE
        + f"""
import signal; {before}
from ckmeans.local import small; from ckmeans import workers
from ckmeans.__main__ import main
plain, calls, kept = {at}, [], held({at})
def third(*args):
    calls.append(0)
    (kept if len(calls) == 3 else plain)(*args)
{at} = third
sys.exit(main())
"""
    )
    words = [sys.executable, "-c", code, *words, "--out", "labels.csv", "--json", "report.json"]
    code, output, seen = interrupted_at_a_terminal(words, number)
    assert code == 130 and sign in seen.split(b"about")[-1]
    assert "interrupted after" in output and b"Traceback" not in seen
    full = json.load(open("report.json"))
    labels = pd.read_csv("labels.csv")
    assert full["result"]["stop_reason"] == "interrupted" and full["result"]["status"] == "bounded"
    assert len(labels) == 2000
    assert (
        np.bincount(labels["label"].dropna().astype(int), minlength=len(full["result"]["sizes"])).tolist()
        == full["result"]["sizes"]
    )
    assert sorted(os.listdir()) == ["labels.csv", "report.json", "x.npy"]


# Proofs.


def test_prove(here):
    result = run("fit", "iris", "-k", 3, "--prove", "--proof", "iris.ckc", "--out", "labels.csv")
    assert "optimal, and the only clustering that is: proved, by prices" in result.stdout
    assert "78.8514414261" in result.stdout and "gap 0%" in result.stdout
    child = subprocess.run(
        [sys.executable, "-m", "ckmeans.check", "iris.ckc"], capture_output=True, text=True
    )
    assert (child.returncode, child.stdout[:22]) == (0, "proved optimal-unique:")
    told = report("certify", "iris", "labels.csv")
    assert told["command"] == "ckmeans certify iris labels.csv --seed 0"
    assert told["result"]["status"] == "optimal-unique" and told["result"]["better"] is None
    assert told["result"]["checked"] is True


def test_certify_a_worse_clustering(here):
    put("a,b\n0,0\n0,1\n5,\n5,0\n5,2\n9,9\n")
    put("label\n7\n7\n\n7\n3\n-2\n", "labels.csv")
    result = run("certify", "data.csv", "labels.csv", "--proof", "p.ckc")
    assert "above the best possible: proved" in result.stdout
    assert "there are clusters of inertia 2.5: optimal, and the only clustering that is" in result.stdout
    assert report("certify", "data.csv", "labels.csv", "-k", 4)["result"]["better"]["inertia"] < 2.5
    np.save("labels.npy", np.array([0, 0, 1, 1, 2]))  # for the rows that are used
    assert report("certify", "data.csv", "labels.npy")["result"]["inertia"] == 2.5


def test_certify_by_angle(here):
    put("a,b\n1,0\n9,1\n0,2\n0.1,5\n")
    put("label\n0\n0\n1\n1\n", "labels.csv")
    result = run("certify", "data.csv", "labels.csv", "--metric", "cosine", "--proof", "p.ckc")
    assert "optimal, and the only clustering that is: proved, by branch and bound" in result.stdout
    assert "inertia by angle" in result.stdout and "within 1-cos" in result.stdout
    assert "by angle; its rows are those of data.csv" in run("check", "p.ckc", "data.csv").stdout
    told = report("certify", "data.csv", "labels.csv", "--metric", "cosine")["result"]
    assert told["within_ss"] == pytest.approx([0.0030605, 0.0001], rel=1e-3)
    assert sum(told["within_ss"]) == pytest.approx(told["inertia"], rel=1e-9)
    assert np.linalg.norm(told["centers"], axis=1) == pytest.approx(1)
    for option in ("--standardize", "--report=page.html", "--checkpoint=c"):
        words = "certify", "data.csv", "labels.csv", "--metric", "cosine", option
        assert "is not for --metric cosine" in run(*words, code=2).stderr


@pytest.mark.parametrize(
    "words, said",
    [
        ("certify data.csv short.csv", "short.csv has 2 labels, data.csv has 3 rows"),
        ("certify data.csv gap.csv", "gap.csv has no label for line 2"),
        ("certify data.csv two.csv", "none of which is called label"),
        ("certify data.csv noise.csv", "-1 (noise) in 1 of 3 rows"),
        ("certify data.csv data.csv -k 2", "3 different labels"),
        ("certify data.csv nosuch.csv", "there is no such file"),
        ("fit data.csv -k 2 --prove --proof data.csv", "is the data file itself"),
    ],
)
def test_what_cannot_be_certified_is_one_line(here, words, said):
    put("a\n1\n2\n4\n")
    put("label\n1\n2\n", "short.csv")
    put("label,x\n,1\n2,1\n3,1\n", "gap.csv")
    put("p,q\n1,2\n2,2\n3,4\n", "two.csv")
    put("label\n1\n2\n-1\n", "noise.csv")
    result = run(*words.split(), code=1)
    assert said in result.stderr and result.stderr.count("\n") == 1 and result.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        "--proof p.ckc",
        "--prove --n-init 3",
        "--prove --no-polish",
    ],
)
def test_options_of_proofs(here, words):
    assert "--prove" in run("fit", "iris", "-k", 3, *words.split(), code=2).stderr
    assert os.listdir() == []


def test_centers_are_written_and_begun_with(here):
    run("fit", "iris", "-k", 3, "--standardize", "--centers", "centers.csv", "--out", "labels.csv")
    centers = pd.read_csv("centers.csv")
    assert list(centers.columns) == read_table("iris").columns and len(centers) == 3
    told = report("fit", "iris", "-k", 3, "--standardize", "--init", "centers.csv", "--out", "again.csv")
    assert told["result"]["centers"] == centers.to_numpy().tolist()
    assert open("labels.csv").read() == open("again.csv").read()
