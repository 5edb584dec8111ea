"""The benchmarks: the command runs, its results have their form, and a wrong result is found out."""

import importlib.util
import io
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "benchmarks" / "peers").is_dir():
    pytest.skip("the benchmarks are not part of a source distribution", allow_module_level=True)
sys.path.append(str(ROOT))

from benchmarks import default_quality, sklearn_examples  # noqa: E402
from benchmarks.peers import __main__ as command  # noqa: E402
from benchmarks.peers import approximate, check, growth, page, results, session, table, workloads  # noqa: E402
from benchmarks.peers.cell import Cell  # noqa: E402
from benchmarks.peers.contenders import Contender, Fit, load  # noqa: E402
from ckmeans import KMeans  # noqa: E402

NAME = "1e4 x 16, k=50"
SMALL = workloads.Workload(NAME, 600, 4, 5, 4.0)


def run(*options):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", *map(str, options)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The quick run on two tiny workloads, beside scikit-learn."""
    folder = tmp_path_factory.mktemp("peers")
    options = ["--quick", "--shrink", 0.001, "--only", "scikit-learn", "--runs", 2, "--threads", 1]
    options += ["--parts", "cells", "iris", "approximate"]
    options += [
        "--workloads",
        NAME,
        "1e6 x 8, k=32",
        "--json",
        folder / "peers.json",
        "--page",
        folder / "page.md",
    ]
    return folder, options, run(*options)


def test_command(finished):
    folder, _, process = finished
    assert process.returncode == 0, process.stderr
    assert NAME in process.stdout and "iris float64" in process.stdout
    found = json.loads((folder / "peers.json").read_text())
    assert {"format", "plan", "machine", "missing", "peak", *session.PARTS} <= set(found)
    assert {found["missing"][name] for name in ("FAISS", "SuperKMeans", "fastkmeanspp")} == {"left out"}
    assert found["peak"]["1"]["float32"] > 0
    assert [cell["workload"]["name"] for cell in found["cells"]] == [NAME, "1e6 x 8, k=32"]
    for cell in found["cells"]:
        assert (
            cell["to_the_end"] and cell["converged"] and cell["short"] == 2 < cell["window"] <= cell["n_iter"]
        )
        assert 0 < cell["exactness"]["computed_share"] <= 1 and 0 <= cell["exactness"]["doubtful_share"] < 1
        entries = cell["contenders"]
        assert {
            "ckmeans",
            "ckmeans lloyd",
            "ckmeans hamerly",
            "scikit-learn lloyd",
            "scikit-learn elkan",
        } <= set(entries)
        for name in ("ckmeans", "ckmeans lloyd"):
            assert entries[name]["status"] == "same" and not entries[name]["faults"]
            assert len(entries[name]["end"]) >= 2
        assert len(entries["ckmeans lloyd"]["short"]) == len(entries["ckmeans lloyd"]["window"]) >= 2
    assert not results.faults(found)
    assert [record["workload"]["name"] for record in found["approximate"]] == [NAME, "1e6 x 8, k=32"]
    for record in found["approximate"]:
        assert set(record["contenders"]) == {"ckmeans", "ckmeans from k-means++"}
        assert all(len(entry["inertia"]) == 2 for entry in record["contenders"].values())
    for record in found["iris"]:
        assert record["contenders"]["ckmeans"]["reached"] == 1
        assert results.versus_iris(record).peer.startswith("scikit-learn")


def test_page_tells_where_from(finished):
    folder, _, _ = finished
    text = (folder / "page.md").read_text()
    assert "instruction set:" in text and "How to repeat it" in text and "A look only" in text
    assert f"| {NAME} | blobs | float32 |" in text
    widths = [
        line.count(" | ") for line in text.splitlines() if line.startswith(("| workload | data", f"| {NAME}"))
    ]
    assert len(widths) == 6 and widths[::2] == widths[1::2]  # three tables


def test_resumed_and_rendered_runs_measure_nothing_again(finished, monkeypatch, capsys):
    folder, options, _ = finished
    options = [str(option) for option in options]

    def forbidden(*arguments):
        raise AssertionError("a process was started")

    monkeypatch.setattr(session.Session, "child", forbidden)
    before = (folder / "page.md").read_text()
    assert command.main([*options, "--resume"]) == 0
    assert command.main([*options, "--render"]) == 0
    assert (folder / "page.md").read_text().splitlines()[:20] == before.splitlines()[:20]
    with pytest.raises(SystemExit):
        command.main([*options, "--resume", "--runs", "3"])
    assert "other options" in capsys.readouterr().err


def test_a_resumed_run_may_measure_other_parts(finished, monkeypatch):
    folder, options, _ = finished
    options = [str(option) for option in options]
    asked = []

    def child(self, module, n_threads, settings):
        asked.append((module, json.loads(settings)["axis"]))
        yield {
            "event": "growth",
            "record": {"n": 100, "d": 16, "k": 32, "axis": "n", "seconds": {"ckmeans": [0.5]}},
        }

    monkeypatch.setattr(session.Session, "child", child)
    copy = folder / "more.json"
    copy.write_text((folder / "peers.json").read_text())
    options[options.index(str(folder / "peers.json"))] = str(copy)
    options = options[: options.index("--page")]
    assert command.main([*options, "--resume", "--parts", "growth", "--axes", "n"]) == 0
    assert command.main([*options, "--resume", "--parts", "growth", "--axes", "n"]) == 0  # it is there
    assert asked == [("growth", "n")]
    assert [record["axis"] for record in json.loads(copy.read_text())["growth"]] == ["n"]


def test_an_axis_of_the_growth_ends_where_a_share_of_it_ends(monkeypatch):
    sizes = []

    def measure(contenders, axis, size):
        sizes.append(size)
        return {"axis": axis, axis: size, "seconds": {c.name: [0.1] for c in contenders}}

    monkeypatch.setattr(growth, "measure", measure)
    growth.main({"threads": 1, "only": [], "axis": "n", "shrink": 0.001}, io.StringIO())
    assert sizes == [100, 1000, 10_000]
    assert growth.SIZES["n"][-1] == 10**7 and growth.SIZES["k"][-1] == 10**4 and growth.SIZES["d"][-1] >= 1000


@pytest.mark.parametrize("kind", ["colors", "embeddings"])
def test_data_are_what_they_are_said_to_be(kind):
    shape = workloads.Workload("", 3000, 3 if kind == "colors" else 64, 20, 0, (kind,))
    X, start = workloads.make(shape, kind, "float32")
    again = workloads.make(shape, kind, "float64")
    assert np.array_equal(X, again[0].astype("float32")) and len(np.unique(start, axis=0)) == 20
    if kind == "colors":
        assert np.array_equal(X, np.rint(X)) and 0 <= X.min() and X.max() <= 255 and np.ptp(X) > 150
    else:
        np.testing.assert_allclose((X**2).sum(axis=1), 1, rtol=1e-5)
        spectrum = np.linalg.svd(X, compute_uv=False) ** 2
        assert spectrum[: workloads.RANK].sum() > 0.9 * spectrum.sum()


def test_peers_with_a_start_of_their_own_are_held_against_ours(capsys):
    right = next(t for t in approximate.load(1, [])[0] if t.name == "ckmeans")
    assert all(name in approximate.load(1, [])[1] for name in ("SuperKMeans", "fastkmeanspp", "FAISS"))

    def broken(*args):
        raise RuntimeError("out of order")

    trainers = [
        *approximate.load(1, [])[0],
        approximate.Trainer("coarse", lambda X, k, n_iter, seed: X[:k] * 1.0),
        approximate.Trainer("no numbers", lambda X, k, n_iter, seed: np.full((k, X.shape[1]), np.nan)),
        approximate.Trainer("broken", broken),
        approximate.Trainer("wide", right.train, least_features=32),
        approximate.Trainer("gone", right.train),
    ]
    record = approximate.measure(SMALL, "blobs", trainers, 2, 20, {"gone": "crashed: exit code -11"})
    entries = record["contenders"]
    assert len(entries["ckmeans"]["inertia"]) == 2 and len(entries["coarse"]["inertia"]) >= 1
    X = workloads.make(SMALL, "blobs", "float32")[0]
    model = KMeans(5, init="random", n_init=1, max_iter=20, tol=0, polish=False, random_state=0).fit(X)
    assert entries["ckmeans"]["inertia"][0] == pytest.approx(model.inertia_, rel=1e-6)
    status = {name: entry.get("status") for name, entry in entries.items()}
    assert (
        status["broken"] == "failed: RuntimeError: out of order" and status["wide"] == "32 features or more"
    )
    assert status["no numbers"].startswith("failed") and status["gone"].startswith("crashed")
    texts = table.approximate_texts(record)
    assert float(texts["coarse"].split(", ")[1]) > 1 and texts["wide"] == "32 features or more"
    table.show_approximate(record)
    assert "broken: failed: RuntimeError: out of order" in capsys.readouterr().out
    assert page._approximate([{**record, "threads": 1}]).count("|") == 3 * (len(entries) + 4)


def test_trees_are_spared_many_features():
    tree = Contender("tree", load(1, [])[0][0].fit, plain=False, most_features=3)
    cell = Cell(SMALL, "blobs", "float32", [*load(1, [])[0], tree], 1, np.inf, 300, {}, lambda name: None)
    assert cell.entries["tree"]["status"] == "few features only"


@pytest.fixture(params=["float32", "float64"])
def problem(request):
    """Rows, the start, and where plain Lloyd of ours leads."""
    X, start = workloads.make(SMALL, "blobs", request.param)
    ours = next(c for c in load(1, [])[0] if c.name == "ckmeans lloyd")
    return X, start, ours.fit(X, start.copy(), 300)


def test_right_result_passes(problem):
    X, _, fit = problem
    assert check.judge(X, fit, fit).status == "same"
    assert check.own_faults(X, fit, fit) == []


def corrupted(fit, how):
    labels, centers, inertia, n_iter = fit.labels.copy(), fit.centers.copy(), fit.inertia, fit.n_iter
    match how:
        case "one label":
            labels[7] = (labels[7] + 1) % len(centers)
        case "many labels":
            labels[::20] = (labels[::20] + 1) % len(centers)
        case "label out of range":
            labels[0] = len(centers)
        case "center":
            centers[0] += 0.1
        case "nan":
            centers[1] = np.nan
        case "inertia":
            inertia *= 1.01
        case "last bits":
            inertia = np.nextafter(inertia, np.inf)
        case "stopped early":
            n_iter //= 2
    return Fit(labels, centers, n_iter, inertia)


@pytest.mark.parametrize(
    "how", ["many labels", "label out of range", "center", "nan", "inertia", "stopped early"]
)
def test_wrong_result_is_refused(problem, how):
    X, _, fit = problem
    assert not check.judge(X, corrupted(fit, how), fit).valid


@pytest.mark.parametrize("how", ["one label", "center", "nan", "inertia", "last bits", "stopped early"])
def test_fault_of_ours_is_named(problem, how):
    X, _, fit = problem
    assert check.own_faults(X, corrupted(fit, how), fit)


def test_rounding_is_told_from_error(problem):
    X, _, fit = problem
    verdict = check.judge(X, fit._replace(labels=corrupted(fit, "one label").labels, inertia=None), fit)
    assert verdict.labels_differ == 1 / len(X)
    # A row in the wrong cluster costs far more than rounding does.
    assert verdict.status == "different"
    assert check.judge(X, fit._replace(n_iter=fit.n_iter + 1), fit).status == "rounding"


def test_labels_count_where_the_inertia_is_the_same():
    X, labels, centers = np.ones((10, 1)), np.zeros(10, int), np.zeros((2, 1))
    reference = Fit(labels, centers, 3, 10.0)
    assert check.judge(X, reference, reference).status == "same"
    assert check.judge(X, reference._replace(labels=labels + 1), reference).status == "different"


def test_ties_are_decided_exactly():
    centers = np.array([[1.0], [-1.0], [1.0 + 2**-52]])
    X = np.array([[0.0], [3.0], [-5.0], [1e-30]])
    labels = np.array([0, 2, 1, 0])
    assert check.wrong_labels(X, labels, centers) == 0
    for i, other in enumerate([1, 0, 0, 1]):
        wrong = labels.copy()
        wrong[i] = other
        assert check.wrong_labels(X, wrong, centers) == 1
    brute = [min(range(3), key=lambda k: (Fraction(x[0]) - Fraction(centers[k, 0])) ** 2) for x in X]
    assert brute == labels.tolist()


def test_cell_marks_what_is_wrong(problem):
    X, _, _ = problem

    def early(X, centers, n_iter):
        return good.fit(X, centers, max(1, n_iter // 4))._replace(n_iter=None, inertia=None)

    def broken(X, centers, n_iter):
        raise RuntimeError("out of order")

    good = next(c for c in load(1, [])[0] if c.name == "ckmeans lloyd")
    contenders = [
        *load(1, [])[0],
        Contender("right", good.fit),
        Contender("early", early),
        Contender("broken", broken),
        Contender("gone", good.fit),
        Contender("other dtype", good.fit, dtypes=("float16",)),
        Contender("ckmeans spoilt", lambda *args: corrupted(good.fit(*args), "last bits")),
    ]
    told = []
    crashed = {"gone": "crashed: exit code -11"}
    cell = Cell(SMALL, "blobs", X.dtype.name, contenders, 3, np.inf, 300, crashed, told.append)
    record = {**cell.measure(), "threads": 1}
    status = {name: entry.get("status") for name, entry in record["contenders"].items()}
    assert status["right"] == "same" and status["early"] == "different" and "gone" not in told
    assert status["broken"] == "failed: RuntimeError: out of order"
    assert status["gone"] == "crashed: exit code -11" and status["other dtype"] == "float16 only"
    # The wrong one ran once, and however fast it is, it is not compared with.
    assert len(record["contenders"]["early"]["window"]) == 1 and not record["contenders"]["early"]["end"][1:]
    record["contenders"]["early"].update(short=[0.0], window=[1e-9], end=[1e-9])
    assert results.versus(record, results.to_the_end).peer == "right"
    (fault,) = results.faults({"cells": [record]})
    assert "ckmeans spoilt" in fault and status["ckmeans spoilt"] == "wrong"


def test_patience_shortens_runs():
    cell = Cell(SMALL, "uniform", "float64", load(1, ["scikit-learn"])[0], 2, 0.0, 20, {}, lambda name: None)
    record = {**cell.measure(), "threads": 1}
    assert not record["to_the_end"] and record["contenders"]["ckmeans lloyd"]["status"] == "same"
    assert results.versus(record, results.to_the_end) is None


def test_crash_costs_a_cell_not_the_run(monkeypatch, capsys):
    plan = command.plan(command.parser().parse_args(["--quick", "--workloads", NAME, "--parts", "cells"]))
    tried = []

    def child(self, module, n_threads, settings):
        tried.append(json.loads(settings))
        key = tried[-1]["cells"][0]
        yield {"event": "cell", "cell": key}
        yield {"event": "runs", "contender": "rude"}
        if len(tried) == 1:
            raise subprocess.CalledProcessError(-11, "rude")
        record = {"workload": {"name": NAME}, "data": "blobs", "dtype": "float32", "threads": n_threads}
        yield {"event": "done", "cell": key, "record": record}

    monkeypatch.setattr(session.Session, "child", child)
    monkeypatch.setattr(session.table, "show_cell", lambda *arguments: None)
    found = session.Session(plan).run()
    assert len(found["cells"]) == 1
    assert tried[1]["crashed"] == {f"{NAME}|blobs|float32": {"rude": "crashed: exit code -11"}}
    assert "rude ended the process (Command 'rude' died with" in capsys.readouterr().err


def test_memory_and_growth(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from benchmarks.peers import memory

    monkeypatch.setattr(growth, "BASE", {"n": 200, "d": 2, "k": 3})
    contenders = load(1, ["scikit-learn"])[0]
    grown = [
        growth.measure([c for c in contenders if c.name in growth.SHOWN], axis, size)
        for axis, sizes in (("n", (100, 200)), ("d", (2,)), ("k", (2, 4)))
        for size in sizes
    ]
    taken = memory.measure(SMALL, "float32", contenders[0])
    assert taken["data"] == SMALL.n_samples * SMALL.n_features * 4 and taken["extra"] >= 0
    plan = command.plan(command.parser().parse_args([]))
    found = session.Session(plan).results
    found["growth"] = [{**record, "threads": 1} for record in grown]
    found["memory"] = [{"workload": NAME, "dtype": "float32", "data": 100, "extra": {"ckmeans": 120}}]
    page.write(found, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text()
    assert "| 1.20 |" in text and "![Time against n, d and k](page-growth.svg)" in text
    assert (tmp_path / "page-growth.svg").read_text().startswith("<?xml")


def test_workloads():
    for kind in workloads.MOST_ITERATIONS:
        single, start = workloads.make(SMALL, kind, "float32")
        double, _ = workloads.make(SMALL, kind, "float64")
        assert single.dtype == start.dtype == np.float32 and not single.flags.writeable
        assert np.array_equal(single, double.astype(np.float32))
        assert len(np.unique(start, axis=0)) == SMALL.n_clusters
    assert workloads.shrunk(workloads.WORKLOADS[0], 0.5).n_samples == 500_000
    assert workloads.shrunk(SMALL, 1e-9).n_samples == 10 * SMALL.n_clusters


def test_default_quality(tmp_path, monkeypatch, capsys):
    kept, text = tmp_path / "default.json", tmp_path / "default.md"
    options = ["--seeds", "2", "--only", "iris", "--json", str(kept), "--page", str(text)]
    assert default_quality.main(options) == 0
    (record,) = json.loads(kept.read_text())["records"]
    assert [len(fits) for fits in record["runs"].values()] == [2, 2, 2] and not record["faults"]
    page = text.read_text(encoding="utf-8")
    assert "| iris | 150 | 4 | 3 |" in page and "--seeds 2 " in page and "2 seeds for each" in page

    # A fault is told by the exit code, also of what was measured before; nothing is measured again.
    monkeypatch.setattr(default_quality, "measure", None)
    assert default_quality.main([*options, "--resume"]) == 0 and text.read_text(encoding="utf-8") == page
    found = json.loads(kept.read_text())
    found["records"][0]["faults"] = ["iris, seed 0: wrong"]
    default_quality.save(found, kept)
    assert default_quality.main([*options, "--resume"]) == 1
    with pytest.raises(SystemExit):
        default_quality.main([*options, "--resume", "--ten", "1"])
    assert "other options" in capsys.readouterr().err


def test_ten_restarts_are_left_out_where_they_take_long():
    record = default_quality.measure("iris", 2, 1, 0.0)
    assert [len(fits) for fits in record["runs"].values()] == [2, 2, 0]
    judged = default_quality.Judged(record)
    assert not judged.missed and default_quality.cells(judged)[7:10] == ["–"] * 3


@pytest.mark.parametrize("how", ["labels", "inertia", "centers"])
def test_default_quality_refuses_a_wrong_result(how):
    X = np.random.default_rng(0).normal(size=(300, 3))
    model = KMeans(4, random_state=0).fit(X)
    assert not default_quality.faults(X, model)
    if how == "labels":
        model.labels_[5] = (model.labels_[5] + 1) % 4
    elif how == "inertia":
        model.inertia_ *= 1 + 1e-8
    else:  # predict goes by them too
        model.cluster_centers_ = model.cluster_centers_[::-1].copy()
    assert default_quality.faults(X, model)


def test_default_quality_judges():
    """Ours is worse than ten restarts with one seed of four, and worse than the default with none."""
    inertia = {
        default_quality.OURS: (2, 2, 3, 2),
        default_quality.DEFAULT: (4, 4, 3, 4),
        default_quality.TEN: (2, 3, 2, 2),
    }
    seconds = {default_quality.OURS: 3.0, default_quality.DEFAULT: 2.0, default_quality.TEN: 20.0}
    runs = {title: [(seconds[title], 1.0, value) for value in values] for title, values in inertia.items()}
    record = {"name": "made up", "n": 9, "d": 1, "k": 2, "runs": runs, "faults": []}
    judged = default_quality.Judged(record)
    assert (judged.time, judged.wall, judged.ten_time) == (1.5, 1, 10)
    assert (judged.no_worse, judged.worst_ten, judged.worst_default) == (0.75, 1.5, 1)
    assert list(judged.reached.values()) == [0.75, 0, 0.75]
    said = default_quality.verdict([judged])
    assert "reached on 0, and **missed on 1**" in said and "in 75% of the seeds" in said
    assert "is 50 % above" in said and "made up (1.50)" in said and "Worse than" not in said


@pytest.mark.parametrize("stem", ["local_search", "exhaustive"])
def test_asv_benchmarks_run(stem, monkeypatch):
    configuration = json.loads((ROOT / "asv.conf.json").read_text())
    path = ROOT / configuration["benchmark_dir"] / f"{stem}.py"
    spec = importlib.util.spec_from_file_location(stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for cls in (
        thing for thing in list(vars(module).values()) if isinstance(thing, type) and thing.__module__ == stem
    ):
        params = [values[0] for values in getattr(cls, "params", [])]
        if params and not isinstance(cls.params[0], list):
            params = [cls.params[0]]
        benchmark = cls()
        benchmark.setup(*params)
        for name in dir(cls):
            if name.startswith(("time_", "track_", "peakmem_")):
                getattr(benchmark, name)(*params)


def test_the_tests_of_scikit_learn_run():
    """Theirs of our class; one of them, since all take a minute."""
    arguments = [sys.executable, "-m", "benchmarks.sklearn_suite", "--suite", "k-means", "--only", "copyx"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "k-means: 1 of 1 tests of the class pass" in done.stdout, done.stderr


def test_the_tests_of_jenkspy_run_from_a_folder(tmp_path):
    """Some that ask for what theirs do: one passes, one is about what is inside, and one fails for no reason that is known."""
    (tmp_path / "tests").mkdir()
    lines = [
        "import jenkspy",
        "def test_breaks():",
        "    assert jenkspy.jenks_breaks([1, 2, 9], 2) == [1, 2, 9]",
    ]
    lines += ["def test_inside():", "    jenkspy._jenks_matrices([1, 2], 1)"]
    path, words = (
        tmp_path / "tests" / "test_jenks.py",
        [sys.executable, "-m", "benchmarks.jenkspy_suite", tmp_path],
    )
    for more, code, said in (
        ([], 0, "1 of 1 tests pass"),
        (["def test_no():", "    assert 0"], 1, "NO REASON"),
    ):
        path.write_text("\n".join(lines + more) + "\n", encoding="utf-8")
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == code and said in done.stdout, done.stdout + done.stderr


def test_the_examples_of_scikit_learn_run(tmp_path):
    """Files like theirs: one that takes our class, and one that does not."""
    text = "from sklearn.cluster import KMeans\nmodel = KMeans(2, n_init=1).fit([[0.0], [1.0], [5.0]])\n"
    text += "import matplotlib.pyplot as plt\nplt.plot(model.labels_)\nplt.show()\n"
    (tmp_path / "plot_one.py").write_text(text, encoding="utf-8")
    (tmp_path / "plot_two.py").write_text(
        "KMeans = 'KMeans in words'\nraise SystemExit(9)\n", encoding="utf-8"
    )
    arguments = [sys.executable, "-m", "benchmarks.sklearn_examples", str(tmp_path)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.splitlines()[1:] == [
        "runs     plot_one.py: KMeans 1",
        "1 runs",
    ]


@pytest.mark.parametrize(
    "runs, word",
    [
        ([(True, "KMeans 1")], "runs"),
        ([(False, "urllib.error.URLError: no network")], "no data"),
        ([(False, "AttributeError: _n_threads"), (True, "")], "FAILS"),
        ([(False, "ValueError: no"), (False, "ValueError: no")], "fails with theirs too"),
    ],
)
def test_what_becomes_of_an_example(runs, word, monkeypatch):
    monkeypatch.setattr(sklearn_examples, "run", lambda path, ours, seconds: runs.pop(0))
    assert sklearn_examples.outcome("plot.py", 1)[0] == word and not runs
