"""The bound of a summary is below the optimum of any rows that have it; what is not true is not accepted."""

import itertools
import subprocess
import sys
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from summaries import rows_of, weights_for

from ckmeans import KMeans, Summary, certify, check_summary, exhaustive_search, summarize
from ckmeans.check import MALFORMED, OTHER_DATA, PROVED, UNPROVED, Reader, Refused
from ckmeans.exact import cell_bundle, cell_prices
from ckmeans.exact.cell_prices import CellPricing
from ckmeans.proofs import summary_certificate
from ckmeans.proofs.proof_lines import sealed


@pytest.fixture(scope="module", autouse=True)
def _little_work():
    """Searches end after so many boxes and solves, not by the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_prices, "MOST_BOXES", 400)
        patch.setattr(cell_bundle, "MOST_SOLVES", 6)
        yield


def tiny(rng):
    """A few rows with weights, the cells they are put in at random, and a price for each cell."""
    n, d = rng.integers(2, 8), rng.integers(1, 3)
    X = rng.integers(-8, 9, (n, d))
    weights = rng.integers(1, 4, n)
    labels = np.unique(rng.integers(0, rng.integers(1, n + 1), n), return_inverse=True)[1]
    prices = rng.integers(0, rng.integers(2, 200), labels.max() + 1)
    return X, weights, labels, prices


def cells_of(X, weights, labels):
    cells = []
    for label in range(labels.max() + 1):
        rows, w = X[labels == label], weights[labels == label]
        sums = (w[:, None] * rows).sum(axis=0).tolist()
        box = rows.min(axis=0).tolist(), rows.max(axis=0).tolist()
        cells.append(check_summary.Cell(int(w.sum()), sums, int((w * (rows**2).sum(axis=1)).sum()), *box))
    return cells


def most_earned(X, weights, labels, prices):
    """What the best center earns: the best of all sets of rows, at their mean."""
    best = Fraction(0)
    for size in range(1, len(X) + 1):
        for own in itertools.combinations(range(len(X)), size):
            own = list(own)
            w, rows = weights[own], X[own]
            sums = (w[:, None] * rows).sum(axis=0)
            cost = int((w * (rows**2).sum(axis=1)).sum()) - Fraction(int(sums @ sums), int(w.sum()))
            best = max(best, int((w * prices[labels[own]]).sum()) - cost)
    return best


def accepts(cells, prices, most):
    """Whether the checker takes that no center earns more; it gives up only where that is not so, or nearly not."""
    reader = Reader(sealed(["CKC 1"]).encode())
    try:
        check_summary.check_centers(cells, prices, most, reader)
    except Refused as refused:
        assert "earns more" in refused.args[1]
        return False
    return True


@pytest.mark.parametrize("seed", range(80))
def test_no_less_than_the_best_center_earns_is_accepted(seed):
    """By the checker, which takes what the search in floats finds; that finds no less either."""
    rng = np.random.default_rng(seed)
    X, weights, labels, prices = tiny(rng)
    true = most_earned(X, weights, labels, prices)
    if not true:
        return
    fine = 1 << 20  # that many squares of units in the file are one here
    scaled, whole = cells_of((1 << 10) * X, weights, labels), (fine * prices).tolist()
    assert not accepts(scaled, whole, ceil(true * fine) - 1)
    cells = cells_of(X, weights, labels)
    W = np.array([c.W for c in cells], float)
    means = np.array([c.sums for c in cells]) / W[:, None]
    scatters = np.array([c.squares for c in cells]) - W * (means**2).sum(axis=1)
    boxes = [np.array([c[at] for c in cells], float) for at in (3, 4)]
    pricing = CellPricing(W, means, np.maximum(scatters, 0), *boxes)
    found, at = pricing.greatest(prices.astype(float), 0.03 * float(true))
    assert float(true) * (1 - 1e-9) <= found
    assert pricing.earned(prices.astype(float), at) <= found * (1 + 1e-9)
    assert accepts(scaled, whole, ceil(1.02 * found * fine))
    if len(cells) == len(X):  # nothing is lost
        assert found <= 1.04 * float(true)


def test_cuts_are_below():
    rng = np.random.default_rng(0)
    summary = summarize(rng.normal(size=(400, 2)), 30)
    pricing = CellPricing(*summary.cells)
    for _ in range(200):
        prices, others, y = rng.exponential(size=30), rng.exponential(size=30), rng.normal(size=2)
        prices, others = prices[: len(pricing.weights)], others[: len(pricing.weights)]
        shares, cost = pricing.cut(prices, y)
        assert (pricing.weights * shares) @ prices - cost == pytest.approx(pricing.earned(prices, y))
        assert (pricing.weights * shares) @ others - cost <= pricing.earned(others, y) + 1e-9


@pytest.mark.parametrize("seed", range(15))
def test_bounds_are_below_the_optimum_of_the_rows(seed):
    rng = np.random.default_rng(seed)
    n, d, k = rng.integers(6, 12), rng.integers(1, 3), rng.integers(1, 4)
    X, weights = rng.normal(size=(n, d)).round(2), rng.choice([0.5, 1.0, 2.0], n)
    seeds = np.unique(X[: rng.integers(4, n)], axis=0)
    summary = Summary(seeds=seeds).partial_fit(X, weights)
    k = min(k, len(summary.cells.weights) - 1)
    certificate = certify(summary, KMeans(k, random_state=0).fit(summary), time_limit=None)
    best = exhaustive_search(X, k, sample_weight=weights).inertia
    assert certificate.lower_bound <= best * (1 + 1e-12) and best <= certificate.inertia * (1 + 1e-12)
    assert certificate.checked and certificate.status == "bounded"


def certified(kind="blobs", cells=None, k=3, weighted=True):
    X = rows_of(kind, 400)
    weights = weights_for(X) if weighted else None
    summary = Summary(seeds=Summary(cells or 40).partial_fit(X).seeds).partial_fit(X, weights)
    kmeans = KMeans(k, random_state=0).fit(summary)
    return X, weights, summary, kmeans, certify(summary, kmeans, time_limit=None)


@pytest.fixture(scope="module")
def known(_little_work):
    return certified()


def test_what_is_known(known, tmp_path):
    X, weights, summary, kmeans, certificate = known
    full = KMeans(3, random_state=0).fit(X, sample_weight=weights)
    assert 0.5 * full.inertia_ < certificate.lower_bound < full.inertia_ < certificate.inertia * 1.000001
    assert certificate.inertia == pytest.approx(kmeans.inertia_, rel=1e-9) and certificate.n_rows == 400
    assert f"{certificate}".endswith("above the best possible: proved") and 0 < certificate.gap < 0.5
    certificate.save(tmp_path / "a.ckc")
    code, said = check_summary.verdict((tmp_path / "a.ckc").read_bytes())
    assert code == PROVED and "all rows that have this summary" in said and "n=400" in said


def test_against_the_rows(known, tmp_path):
    """With the rows at hand the checker sees that the summary is of them, and of no others."""
    X, weights, summary, _, certificate = known
    certificate.save(tmp_path / "a.ckc", X, weights, summary)
    content = (tmp_path / "a.ckc").read_bytes()
    other, heavier = X.copy(), weights.copy()
    other[7, 0] = np.nextafter(other[7, 0], 9)
    heavier[3] += 1
    for name, values in (("X", X), ("W", weights), ("other", other), ("heavier", heavier), ("short", X[:-1])):
        np.save(tmp_path / f"{name}.npy", values)
    X, W, other, heavier, short = (
        (tmp_path / f"{name}.npy").read_bytes() for name in ("X", "W", "other", "heavier", "short")
    )
    code, said = check_summary.verdict(content, X, W)
    assert code == PROVED and "for these rows" in said
    for data in ((other, W), (X, heavier), (short, W), (X, None), (W, W)):
        assert check_summary.verdict(content, *data)[0] == OTHER_DATA
    assert check_summary.verdict(certificate.text().encode(), X, W)[0] == OTHER_DATA
    command = [
        sys.executable,
        "-m",
        "ckmeans.check_summary",
        *(str(tmp_path / name) for name in ("a.ckc", "X.npy", "W.npy")),
    ]
    assert subprocess.run(command, capture_output=True, text=True).stdout.startswith("proved bounded")


def test_what_cannot_be_read_or_held(known, tmp_path, monkeypatch):
    X, weights, summary, _, certificate = known
    certificate.save(tmp_path / "a.ckc", X, weights, summary)
    content = (tmp_path / "a.ckc").read_bytes()
    code, said = check_summary.verdict(content, b"1,1e999\n")
    assert code == OTHER_DATA and said.startswith("unreadable: ")

    def prove(problem, reader):
        raise MemoryError

    monkeypatch.setattr(check_summary, "prove", prove)
    code, said = check_summary.verdict(content)
    assert (code, said) == (UNPROVED, "not proved: there is not enough memory to check this")


def test_by_the_command(known, tmp_path):
    testing = pytest.importorskip("click.testing")
    pytest.importorskip("rich")
    from ckmeans.command.cli import cli

    known[-1].save(tmp_path / "a.ckc")
    found = testing.CliRunner().invoke(cli, ["check", str(tmp_path / "a.ckc")])
    assert found.exit_code == 0 and "all rows that have this summary" in found.output


def test_rows_are_for_given_seeds(known, tmp_path):
    X, weights, summary, _, certificate = known
    for rows, own in ((X, None), (X, Summary(40).partial_fit(X)), (X[:-1], summary)):
        with pytest.raises(ValueError):
            certificate.save(tmp_path / "b.ckc", rows, None if len(rows) < 400 else weights, own)
    assert not (tmp_path / "b.ckc").exists()


def forged(certificate, word, change, at=0):
    """The file with the tokens of one line changed."""
    lines = certificate.text().splitlines()[:-1]
    own = [i for i, line in enumerate(lines) if line.startswith(word)][at]
    lines[own] = " ".join(change(lines[own].split(" ")))
    return sealed(lines).encode()


def plus(position, more):
    def change(tokens):
        name, equals, value = tokens[position].rpartition("=")
        top, slash, below = value.partition("/")
        tokens[position] = f"{name}{equals}{int(top, 16) + more:x}{slash}{below}"
        return tokens

    return change


@pytest.mark.parametrize(
    ("word", "change", "code"),
    [
        ("claim", plus(2, 1 << 200), UNPROVED),  # more than is proved
        ("claim", plus(3, 1), UNPROVED),  # another cost
        ("proof", plus(3, -(1 << 120)), UNPROVED),  # a center earns more
        ("price", plus(1, 1 << 120), UNPROVED),
        ("cell", plus(1, 1 << 60), UNPROVED),
        ("cell", plus(2, 1 << 80), UNPROVED),  # a mean out of the box
        ("cell", plus(4, -(1 << 130)), UNPROVED),  # no scatter is negative
        ("labels", plus(1, 1), UNPROVED),
        ("labels", plus(1, 7), MALFORMED),
        ("problem", plus(4, 1), MALFORMED),  # k: the claim is for fewer, labels fit
        ("problem", plus(5, 1), MALFORMED),
        ("problem", plus(3, 1), MALFORMED),
        ("problem", lambda tokens: ["problem", "sse", *tokens[2:]], MALFORMED),
        ("price", lambda tokens: tokens[:-1], MALFORMED),
        ("proof", lambda tokens: ["proof", "tree"], MALFORMED),
        ("claim", lambda tokens: ["claim", "optimal", tokens[3]], MALFORMED),
        ("cell", lambda tokens: [*tokens[:1], "0", *tokens[2:]], UNPROVED),
    ],
)
def test_what_is_forged_is_refused(known, word, change, code):
    certificate = known[-1]
    found, said = check_summary.verdict(forged(certificate, word, change))
    assert found != PROVED and said
    if code != MALFORMED or "problem" not in word:
        assert found == code


def test_files_that_are_none():
    for content in (
        b"",
        b"CKC 1\n",
        sealed(["CKC 1"]).encode(),
        sealed(["CKC 1", "problem summary"]).encode(),
    ):
        assert check_summary.verdict(content)[0] == MALFORMED
    assert check_summary.main([]) == MALFORMED and check_summary.main(["none.ckc"]) == MALFORMED


def test_ways_to_ask(known):
    _, _, summary, kmeans, certificate = known
    again = certify(summary, kmeans.labels_, n_clusters=4, time_limit=None)
    assert again.n_clusters == 4 and 0 < again.lower_bound < certificate.lower_bound
    for words in ({"sample_weight": [1.0]}, {"centers": kmeans.cluster_centers_}, {"checkpoint": "x"}):
        with pytest.raises(ValueError, match="Summary"):
            certify(summary, **words)
    with pytest.raises(ValueError, match="labels"):
        certify(summary, kmeans.labels_[:-1])
    wide = summarize(rows_of("wide"), 30)
    with pytest.raises(ValueError, match="features"):
        certify(wide, KMeans(2, random_state=0).fit(wide))


def test_no_time():
    summary = summarize(rows_of("blobs"), 60)
    none = certify(summary, KMeans(3, random_state=0).fit(summary), time_limit=0)
    assert none.lower_bound == 0 and not none.checked and none.stop_reason in ("time_limit", "unchecked")
    assert "no bound above 0" in str(none)
    with pytest.raises(ValueError, match="no proof"):
        none.save("none.ckc")


@pytest.mark.parametrize(
    "paid, earned, steps, reason",
    [
        (1, 0, 1, "unresolved"),  # as they are
        (1, -3e-5, 3, "unresolved"),  # a little less than the best center earns: the third step is enough
        (1, -1, 4, "unchecked"),  # much less: the checker refuses each of them
        (0, 1, 4, "unresolved"),  # nothing is paid: no bound above 0
    ],
)
def test_what_the_checker_says_of_prices(known, monkeypatch, paid, earned, steps, reason):
    _, _, summary, kmeans, certificate = known
    plain, ask, said = summary_certificate.best_prices, summary_certificate.summary_bound_of, []

    def other(*given):
        for prices, most, *rest in plain(*given):
            yield prices * paid, most + earned * certificate.inertia / 3, *rest

    def asked(*given):
        said.append(0)
        return ask(*given)

    monkeypatch.setattr(summary_certificate, "best_prices", other)
    monkeypatch.setattr(summary_certificate, "summary_bound_of", asked)
    told = []
    found = certify(summary, kmeans, time_limit=None, progress=lambda *own: told.append(own))
    assert len(said) == steps and found.stop_reason == reason
    assert found.checked == (steps < 4) and (found.lower_bound > 0) == found.checked
    assert found.lower_bound <= certificate.inertia
    assert told and all(own[:2] == ("prices", certificate.inertia) for own in told)


@pytest.mark.parametrize("name", ["best_prices", "summary_bound_of"])
def test_ctrl_c(known, monkeypatch, name):
    """In the search for prices the best ones so far are checked; in that check nothing is known."""
    plain = getattr(summary_certificate, name)

    def some(*given):
        yield next(plain(*given))
        raise KeyboardInterrupt

    def none(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(summary_certificate, name, some if name == "best_prices" else none)
    found = certify(known[2], known[3], time_limit=None)
    assert found.stop_reason == "interrupted" and found.checked == (name == "best_prices")
    assert (found.lower_bound > 0) == found.checked


@pytest.mark.parametrize("kind", ["offset", "line", "grid", "few"])
def test_kinds_of_rows(kind):
    X, weights, _, kmeans, certificate = certified(kind, weighted=False)
    full = KMeans(3, random_state=0).fit(X)
    assert certificate.checked and 0 < certificate.lower_bound <= full.inertia_ * (1 + 1e-12)
    if kind == "few":  # each row is its cell
        assert certificate.gap < 0.02


def test_the_search_ends_where_nothing_is_found_any_more(monkeypatch):
    """13 cells of rows in space: of 200 searches of 20,000 boxes each, all but the first few found nothing new, and took minutes."""
    rng, searches = np.random.default_rng(5), []
    centers = rng.uniform(-10, 10, (12, 3))
    X = centers[rng.integers(12, size=2000)] + rng.normal(0, 0.1, (2000, 3))
    greatest = CellPricing.greatest

    def counted(self, *args):
        searches.append(len(searches))
        return greatest(self, *args)

    monkeypatch.setattr(CellPricing, "greatest", counted)
    monkeypatch.setattr(cell_bundle, "MOST_SOLVES", 200)
    summary = Summary(max_cells=16).partial_fit(X)
    found = certify(summary, KMeans(3, random_state=0).fit(summary))
    assert found.stop_reason == "unresolved" and found.checked and len(searches) < 30
