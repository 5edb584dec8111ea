"""The page of `ckmeans fit --report`: complete, of one file, and with nothing in it that a browser would fetch."""

import base64
import csv
import io
import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner

import ckmeans
from ckmeans.command import outputs
from ckmeans.command.cli import cli

VOID = {"meta", "link", "img", "br", "wbr"}
pytest.importorskip("matplotlib", reason="pictures need matplotlib")


class Page(HTMLParser):
    """Its text, its attributes and its tables; every element has to be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.said, self.rows, self.policy = [], [], [], [], None
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.attributes += [(tag, name, value) for name, value in attributes]
        if ("http-equiv", "Content-Security-Policy") in attributes:
            self.policy = dict(attributes)["content"]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        if "style" not in self.open:
            self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())

    def files(self, tag, name):
        """What is inside of the page, decoded."""
        found = [value for t, n, value in self.attributes if (t, n) == (tag, name)]
        return [base64.b64decode(value.partition("base64,")[2]).decode() for value in found]

    @property
    def pictures(self):
        return [ET.fromstring(svg.encode()) for svg in self.files("img", "src")]


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def page(*words, code=0):
        result = CliRunner().invoke(cli, [*map(str, words), "--report", "page.html", "--force"])
        assert result.exit_code == code, result.output
        return Page((tmp_path / "page.html").read_text(encoding="utf-8"))

    return page


def put(X, path="data.csv", header="a,b"):
    np.savetxt(path, X, delimiter=",", header=header, comments="")
    return path


def assert_closed(page):
    """No address but data of the page itself, no script, no import, and a policy that forbids the rest."""
    for tag, name, value in page.attributes:
        assert tag not in ("script", "iframe", "object", "embed", "form", "base")
        assert not name.startswith("on"), name
        if name in ("src", "href", "srcset", "action", "data", "poster", "background"):
            assert value.startswith("data:"), (tag, name, value[:80])
    assert page.policy.startswith("default-src 'none'")
    for picture in page.pictures:
        for element in picture.iter():
            assert not element.tag.endswith(("script", "foreignObject"))
            for name, value in element.attrib.items():
                assert not name.endswith("href") or value.startswith(("#", "data:"))
                assert "url(" not in value.replace("url(#", "")
            assert not element.tag.endswith("style") or "url(" not in element.text


def test_nothing_from_elsewhere(page):
    found = page("fit", "iris", "-k", 3)
    assert_closed(found)
    text = open("page.html", encoding="utf-8").read()
    assert "http:" not in text and "https:" not in text and "@import" not in text and "url(" not in text


def test_verdict_table_and_pictures(page):
    found = page("fit", "iris", "-k", 3, "--n-init", 8)
    assert "iris: 150 rows, 4 features" in found.text
    assert "It is not known whether there are better clusters. 8 of 8 searches" in found.text
    top, mathematics = found.text.replace("_ ", "_").split("The mathematics")
    assert "Local optimum; hit by 8 of 8 restarts" in mathematics and "78.8514414261" in mathematics
    assert not any(word in top for word in ("inertia", "optimum", "principal", "centroid", "within SS"))
    assert (
        "0: low petal_length_cm, low petal_width_cm 50 rows, 33.3 %" in top
        and "0: 33 % 1: 41 % 2: 25 %" in top
    )
    head, *rows = found.rows[:4]
    assert head == [
        "cluster",
        "rows",
        "share",
        *("sepal_length_cm sepal_width_cm petal_length_cm petal_width_cm".split()),
    ]
    assert [row[:3] for row in rows] == [["0", "50", "33.3 %"], ["1", "62", "41.3 %"], ["2", "38", "25.3 %"]]
    assert float(rows[0][3]) == pytest.approx(5.006, abs=0.01) and "15.15" in mathematics
    assert len(found.pictures) == 3
    assert all(value for tag, name, value in found.attributes if (tag, name) == ("img", "alt"))


def test_what_reproduces_it(page):
    """The command gives the same page again, and the files in it are the ones that --out and --json write."""
    found = page("fit", "iris", "-k", 3, "--seed", 5, "--out", "labels.csv", "--json", "report.json")
    assert "ckmeans fit iris -k 3 --seed 5" in found.text
    labels, report = found.files("a", "href")
    assert labels == open("labels.csv", encoding="utf-8").read()
    written = json.load(open("report.json", encoding="utf-8"))
    assert json.loads(report) == written
    assert written["data"]["sha256"] in found.text
    assert len(list(csv.reader(io.StringIO(labels)))) == 151
    again = page(*written["command"].split()[1:])
    assert again.files("img", "src") == found.files("img", "src")


def test_proof(page):
    put(
        np.vstack(
            [np.random.default_rng(0).normal(size=(30, 2)) + center for center in ([0, 0], [5, 0], [0, 4])]
        )
    )
    found = page("fit", "data.csv", "-k", 3, "--prove")
    assert "Proved: there is no better way to sort these rows into 3 clusters, and no other" in found.text
    assert "has accepted this one" in found.text and "lower bound" in found.text
    assert ("div", "class", "verdict proved") in found.attributes
    assert any("over time" in value for tag, name, value in found.attributes if name == "alt")
    assert_closed(found)
    with open("labels.csv", "w", encoding="utf-8") as file:
        file.write("label\n" + "0\n" * 45 + "1\n" * 45)
    certified = page("certify", "data.csv", "labels.csv")
    assert "above the best possible: proved. And there are better clusters" in certified.text
    assert ("div", "class", "verdict bounded") in certified.attributes


@pytest.mark.parametrize(
    "n, d, k", [(1, 1, 1), (3, 1, 3), (40, 1, 4), (5, 2, 1), (30, 2, 9), (20, 60, 3), (300, 3, 45)]
)
def test_shapes(page, n, d, k):
    X = np.random.default_rng(0).normal(size=(n, d))
    put(X, header=",".join(f"f{i}" for i in range(d)))
    found = page("fit", "data.csv", "--header", "-k", k)
    assert_closed(found)
    assert len(found.rows[1 : 1 + k]) == k and len(found.pictures) >= 1


def test_equal_rows_and_far_away(page):
    put(np.ones((9, 2)))
    assert_closed(page("fit", "data.csv", "-k", 2))
    put(1e100 * np.random.default_rng(0).normal(size=(9, 3)) + 1, header="a,b,c")
    assert_closed(page("fit", "data.csv", "-k", 2))


@pytest.mark.parametrize("n_features", [1, 2, 3])
@pytest.mark.parametrize("scale", [1.7e308, 1e-300])
def test_extreme_numbers(page, scale, n_features):
    """The page has the same pictures as of usual numbers, but for the line that leads to an infinite inertia."""
    X = np.vstack([np.random.default_rng(0).normal(size=(9, n_features)) + center for center in (-6, 0, 6)])
    X /= np.abs(X).max()
    header = ",".join("abc"[:n_features])
    put(X, header=header)
    usual = page("fit", "data.csv", "-k", 3, "--prove")
    put(scale * X, header=header)
    found = page("fit", "data.csv", "-k", 3, "--prove")
    assert_closed(found)
    assert ("div", "class", "verdict proved") in found.attributes and "Proved: there" in found.text
    assert "inf" not in found.text.split("Their means")[0].split()
    alts = [[value for _, name, value in p.attributes if name == "alt"] for p in (usual, found)]
    missing = set(alts[0]) - set(alts[1])
    assert missing <= ({"Inertia and lower bound over time"} if scale > 1 else set())
    assert found.text.count("A picture is missing here: The inertia is beyond the floats") == len(missing)


def test_a_picture_that_cannot_be_drawn_is_missed_in_words(page, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no <ink>\n left")

    monkeypatch.setattr("ckmeans.command.page_pictures._silhouettes", fail)
    found = page("fit", "iris", "-k", 3)
    assert len(found.pictures) == 2 and "A picture is missing here: no <ink> left" in found.text
    assert_closed(found)


def test_names_are_text(page):
    """Columns named like elements are told, not obeyed."""
    X = np.random.default_rng(0).normal(size=(20, 2))
    put(X, header='<script>alert(1)</script>,"<img src=http://x/y>"')
    found = page("fit", "data.csv", "-k", 2)
    assert_closed(found)
    assert "<script>alert(1)</script>" in found.text


def test_many_rows_are_sampled(page):
    """The page stays small, and says what it shows."""
    np.save("rows.npy", np.random.default_rng(0).normal(size=(90000, 2)))
    found = page("fit", "rows.npy", "-k", 2, "--n-init", 1)
    assert_closed(found)
    assert sum(map(len, found.files("img", "src"))) < 2_000_000


def test_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def refused(*words, code=1):
        result = CliRunner().invoke(cli, ["fit", "iris", "-k", "3", *words])
        assert result.exit_code == code and "inertia" not in result.output
        return result.stderr

    said = refused("--out", "l.csv", "--report", "page.html", "--json", "./page.html", "--threads", 1, code=2)
    assert "--json and --report both write to page.html" in said
    assert "there is no folder" in refused("--report", "none/page.html")
    monkeypatch.setattr(outputs, "find_spec", lambda name: None)
    assert 'pip install "certified-kmeans[plots]"' in refused("--report", "page.html")


def test_title_is_text(page):
    put(np.arange(8).reshape(4, 2), "<b>&.csv")
    assert "<b>&.csv: 4 rows" in page("fit", "<b>&.csv", "-k", 2).text


def test_pages_and_pictures_of_other_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(9 * k, 1, (8, 2)) for k in range(2)]).round(2)
    with open("data.csv", "w", encoding="utf-8") as file:
        file.write("a,b\n" + "".join(f"{a},{b}\n" for a, b in X))
    answers = {
        "choose": "How many clusters? 2 to 3 were tried. ",
        "landscape": "of 9 starts of plain k-means ended in the best clusters that there are: proved.",
        "compare": "No row moved of 16.",
    }
    for name, *words in (
        ["fit", "data.csv", "-k", 2, "--model", "m.json", "--out", "labels.csv"],
        ["soft", "data.csv", "-k", 2, "--plot", "soft.png"],
        ["exhaustive", "data.csv", "-k", 2, "--plot", "exhaustive.png"],
        ["breaks", "data.csv", "a", "-k", 2, "--plot", "breaks.png"],
        ["predict", "m.json", "data.csv", "--plot", "predict-boxes.png"],
        ["certify", "data.csv", "labels.csv", "--plot", "certify-profiles.png"],
        ["choose", "data.csv", "--range", "2:3", "--draws", 2, "--plot", "choose.png"],
        ["landscape", "data.csv", "-k", 2, "--starts", 9, "--certify", "--plot", "landscape.png"],
        ["compare", "labels.csv", "labels.csv", "--plot", "compare.png"],
    ):
        line = [name, *map(str, words), "--report", f"{name}.html"]
        done = CliRunner().invoke(cli, line)
        assert done.exit_code == 0, done.output
        text = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert text.count("<figure>") >= 1 and f"ckmeans {name}" in text
        assert_closed(Page(text))
    drawn = (
        "breaks",
        "certify-profiles",
        "choose",
        "compare",
        "exhaustive",
        "landscape",
        "predict-boxes",
        "soft",
    )
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == list(drawn)
    said = [Page((tmp_path / f"{name}.html").read_text(encoding="utf-8")).text for name in answers]
    for text, words in zip(said, answers.values()):
        assert words in text


@pytest.mark.parametrize(
    "name, drawn",
    [("a.svg", "ClusterDisplay"), ("a-profiles.svg", "ProfileDisplay"), ("a-boxes.svg", "BoxDisplay")],
)
def test_plot_draws_what_its_name_says(name, drawn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kind, seen = getattr(ckmeans, drawn), []
    plot = kind.plot
    monkeypatch.setattr(
        kind, "plot", lambda self, *words, **more: seen.append(self) or plot(self, *words, **more)
    )
    words = ["fit", "iris", "-k", "3", "--standardize", "--plot", name]
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert len(seen) == 1 and (tmp_path / name).read_text(encoding="utf-8").startswith("<?xml")
