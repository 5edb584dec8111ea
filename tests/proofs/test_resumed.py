"""Checkpoints that anyone may have written: refused in one line, or of no harm. No bound is above the optimum, whatever they say."""

import hashlib
import json
import re
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from ckmeans import certify, check, reference
from ckmeans.proofs import dealing, methods, portfolio
from ckmeans.proofs.checkpoint import WORD, _from_json, _to_json
from ckmeans.proofs.portfolio import prove
from ckmeans.workers import Expired

ROWS = np.random.default_rng(5).random((60, 3)).round(3)
K = 4
# Rows and clusters. Where rows spread along many axes, groups share some of them.
DATA = {"few axes": (ROWS, K), "many axes": (np.random.default_rng(5).standard_t(2, (60, 5)).round(3), 3)}
ODD = [
    None,
    True,
    -1,
    0,
    2,
    10**30,
    1e300,
    float("inf"),
    float("nan"),
    "",
    "x",
    "proof trivial",
    [],
    {},
    [[]],
    {"$fraction": ["a", "0"]},
    {"$fraction": ["fffffffff", "1"]},
    {"$fraction": ["-1", "1"]},
    {"$fraction": []},
    {"$array": "", "dtype": "<i4", "shape": [0]},
    {"$array": "x", "dtype": "<f8", "shape": [10**12]},
    {"$array": "eJwDAAAAAAE=", "dtype": "O", "shape": [1]},
    {"$array": "eJwDAAAAAAE=", "dtype": "bits", "shape": [-1, 8]},
    {"$array": None, "dtype": None, "shape": None},
]


def seal(path, found):
    body = json.dumps(found)
    path.write_text(f"{WORD}{hashlib.sha256(body.encode()).hexdigest()}\n{body}")


def content(path):
    return json.loads(path.read_text().partition("\n")[2])


@cache
def optimum(data="few axes"):
    rows, k = DATA[data]
    found = certify(rows, n_clusters=k, random_state=0)
    assert found.status == "optimal-unique"
    return found.exact_inertia


SMALL = {"UNLIMITED": 24, "UNLIMITED_FOR_EACH_CLUSTER": 1, "LEAST": 1, "FOR_EACH_CLUSTER": 1, "SHARED": 6}


def small_groups(patch):
    """Where there are many axes, three groups for 60 rows, of which they share four."""
    for name, value in SMALL.items():
        patch.setattr(dealing, name, value)


def stopped(path, methods, data="few axes"):
    """The file of a run that Ctrl-C ended while its last method was at work."""
    (rows, k), n_told = DATA[data], []

    def stop(method, inertia, lower):
        if method == methods[-1] and lower > 0:
            n_told.append(1)
            if len(n_told) == (2 if data == "many axes" else 1):
                raise KeyboardInterrupt

    found = prove(rows, k, methods=methods, rng=0, checkpoint=path, progress=stop, n_threads=1)
    assert found.stop_reason == "interrupted"
    return content(path)


def entries(node, way=()):
    """The ways to all that is in a file."""
    yield way
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in items:
        yield from entries(value, (*way, name))


def changed(found, way, value):
    found = json.loads(json.dumps(found))
    node = found
    for name in way[:-1]:
        node = node[name]
    node[way[-1]] = value
    return found


def goes_on(path, time_limit, methods=None, data="few axes"):
    """From a file that says anything; returns whether it was refused."""
    rows, k = DATA[data]
    try:
        found = prove(
            rows,
            k,
            labels=(np.arange(60) % k).astype(np.int32),
            methods=methods,
            time_limit=time_limit,
            rng=0,
            checkpoint=path,
        )
    except ValueError as error:
        assert re.match("checkpoint=.* (is no checkpoint, or was|is of other)", str(error)), error
        return True
    assert found.exact_lower_bound <= optimum(data) <= (found.better or found).exact_inertia
    if found.checked:
        assert check.verdict(found.text().encode())[0] == check.PROVED
    if (found.better or found).status != "bounded":
        assert found.better.exact_inertia == optimum(data)
    return False


@pytest.mark.parametrize("method, data", [("prices", "few axes"), ("sum", "few axes"), ("sum", "many axes")])
def test_any_entry_may_be_another(tmp_path, monkeypatch, method, data):
    small_groups(monkeypatch)
    path, rng, methods = tmp_path / "a.ckpt", np.random.default_rng(0), ("search", "pca", method)
    whole = stopped(path, methods, data)
    assert methods[-1] in whole["known"]["inner"]
    ways = [way for way in entries(whole["known"], ("known",)) if len(way) > 1]
    n_refused = 0
    for way in [ways[i] for i in rng.permutation(len(ways))[:90]]:
        seal(path, changed(whole, way, ODD[rng.integers(len(ODD))]))
        n_refused += goes_on(path, 0, data=data)
    assert 30 < n_refused < 90
    seal(path, whole)
    assert not goes_on(path, 0, data=data)


@pytest.mark.parametrize("name, odd", [("inner", []), ("inner", ""), ("done", ""), ("done", {})])
def test_methods_of_another_form(tmp_path, name, odd):
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "pca", "prices"))
    whole["known"] |= {name: odd, "claim": LIE, "claimed by": "prices"}
    seal(path, whole)
    assert goes_on(path, 0)


def test_the_method_of_a_false_claim_is_done_again(tmp_path):
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "pca", "prices"))
    whole["known"] |= {"claim": LIE, "claimed by": "prices"}
    whole["known"]["done"] += ["prices", "sdp", "tree", "longer tree"]
    seal(path, whole)
    assert certify(ROWS, n_clusters=K, checkpoint=path, random_state=0).status == "optimal-unique"


@pytest.mark.parametrize(
    "odd",
    [
        {"prices": [-1.0] * 60},
        {"prices": [1e301] * 60},
        {"prices": [1.0] * 59},
        {"split": True, "pair": [0, 0]},
        {"split": True, "pair": [-1, 0]},
        {"split": True, "pair": [0, 60]},
    ],
)
def test_branches_of_another_form(tmp_path, odd):
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "pca", "prices"))
    whole["known"]["inner"]["prices"]["nodes"][0] |= odd
    seal(path, whole)
    assert goes_on(path, 0)


LIE = {"proof": ["proof trivial"], "lower": {"$fraction": ["fffff", "1"]}, "optimal": True}


@pytest.mark.parametrize("time_limit", [0, 60])
@pytest.mark.parametrize("where", ["best", "claim"])
def test_a_bound_that_nothing_supports(tmp_path, time_limit, where):
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "pca", "prices"))
    whole["known"] |= {where: LIE, "claimed by": "prices"}
    seal(path, whole)
    assert not goes_on(path, time_limit)
    if time_limit:  # with the time for it, what is found is no less than without the file
        found = certify(ROWS, n_clusters=K, checkpoint=path, random_state=0)
        assert found.exact_inertia == found.exact_lower_bound == optimum() and found.checked


def test_levels_that_are_too_low(tmp_path):
    """Prices say nothing without the level: it is found again."""
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "pca", "prices"))
    for node in whole["known"]["inner"]["prices"]["nodes"]:
        node["level"] *= 1e-3
    seal(path, whole)
    seen = []
    prove(ROWS, K, methods=["prices"], rng=0, checkpoint=path, progress=lambda *told: seen.append(told[2]))
    assert 0 < max(seen) and max(map(Fraction, seen)) <= optimum()


def test_groups_are_proved_again(tmp_path, monkeypatch):
    """What a file says of a group is taken back where the checker does not find it, and nothing is said before it was asked."""
    path = tmp_path / "a.ckpt"
    plain, n_done = methods.column_generation, []

    def counted(*args, **kwargs):
        n_done.append(1)
        return plain(*args, **kwargs)

    monkeypatch.setattr(methods, "column_generation", counted)
    done = prove(ROWS, K, methods=["search", "sum"], rng=0)
    n_groups = len(n_done)

    def stop(method, inertia, lower):
        if method == "sum" and len(n_done) == n_groups + 1:
            raise KeyboardInterrupt

    prove(ROWS, K, methods=["search", "sum"], rng=0, checkpoint=path, progress=stop)
    whole = content(path)
    groups = whole["known"]["inner"]["sum"]["groups"]
    assert sum(proof is not None for _, proof, _, _ in groups) == 1 < n_groups
    n_done.clear()
    again = prove(ROWS, K, methods=["search", "sum"], rng=0, checkpoint=path)
    assert len(n_done) == n_groups - 1 and again.exact_lower_bound == done.exact_lower_bound and again.checked
    for group in groups:
        group[1:] = ["proof trivial"], {"$fraction": ["fffff", "1"]}, True
    seal(path, whole)
    assert prove(ROWS, K, methods=["sum"], time_limit=0, checkpoint=path).exact_lower_bound == 0
    for lines in (["proof trivial"], ["proof magic"]):  # less than it says; none
        for group in groups:
            group[1] = lines
        n_done.clear()
        seal(path, whole)
        again = prove(ROWS, K, methods=["sum"], rng=0, checkpoint=path)
        assert len(n_done) == n_groups and 0 < again.exact_lower_bound <= optimum() and again.checked


def test_no_time_to_ask_about_the_groups_of_a_file(tmp_path, monkeypatch):
    """Nothing is made of them then."""
    path = tmp_path / "a.ckpt"
    stopped(path, ("search", "sum"))

    def late(*asked):
        raise Expired

    monkeypatch.setattr(portfolio, "bounds_of", late)
    found = prove(ROWS, K, methods=["sum"], rng=0, checkpoint=path)
    assert found.stop_reason == "time_limit" and "sum" not in found.seconds


def test_a_bound_as_high_as_the_cost_is_a_claim(tmp_path):
    """A file of a run that ended before it claimed that."""
    path = tmp_path / "a.ckpt"
    done = prove(ROWS[:9], 3, methods=["search", "tree"], rng=0, checkpoint=path)
    whole = content(path)
    assert whole["known"]["claim"] is not None
    whole["known"] |= {"claim": None, "claimed by": None}
    seal(path, whole)
    found = prove(ROWS[:9], 3, methods=[], checkpoint=path)
    assert found.status == done.status == "optimal-unique" and found.text() == done.text()


def test_labels_of_the_file_cost_what_they_cost(tmp_path):
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "pca", "prices"))
    whole["known"]["labels"] = [0] * 60
    seal(path, whole)
    found = prove(ROWS, K, methods=["trivial"], checkpoint=path)
    assert found.exact_inertia == reference.cost(ROWS.tolist(), [0] * 60)


# ---- Groups that share rows


@pytest.fixture(scope="module")
def sharing(tmp_path_factory):
    """The file of a run with two of three groups proved."""
    with pytest.MonkeyPatch.context() as patch:
        small_groups(patch)
        return stopped(tmp_path_factory.mktemp("a") / "a.ckpt", ("search", "sum"), "many axes")


def of_groups(whole):
    """What a file says of its sum: the rows of the groups and what is proved of each, and those that are shared."""
    own = whole["known"]["inner"]["sum"]
    own = json.loads(json.dumps(own), object_hook=_from_json)
    return [rows for rows, *_ in own["groups"]], [tuple(more) for _, *more in own["groups"]], own["shared"]


def with_groups(whole, groups, known, shared):
    """The file with others; without what is known of them nothing is proved yet."""
    known = known or [(None, Fraction(0), False)] * len(groups)
    own = {"groups": [[rows, *more] for rows, more in zip(groups, known)], "shared": shared}
    return changed(whole, ("known", "inner", "sum"), json.loads(json.dumps(own, default=_to_json)))


FEW = np.arange(3)
ODD_GROUPS = {
    "a row twice": (lambda groups, shared: (groups, np.append(shared, shared[-1])), True),
    "a row of a group too": (lambda groups, shared: (groups, groups[0][:1]), True),
    "out of range": (lambda groups, shared: (groups, np.array([60])), True),
    "beyond the integers": (lambda groups, shared: (groups, np.array([2**62])), True),
    "below 0": (lambda groups, shared: (groups, np.array([-1])), True),
    "out of order": (lambda groups, shared: (groups, shared[::-1]), True),
    "floats": (lambda groups, shared: (groups, shared * 1.0), True),
    "bits": (lambda groups, shared: (groups, shared > 0), True),
    "a matrix": (lambda groups, shared: (groups, shared[None]), True),
    "a list": (lambda groups, shared: (groups, [0]), True),
    "a group without rows": (lambda groups, shared: ([*groups, shared[:0]], shared), True),
    "nothing but shared rows": (lambda groups, shared: ([shared[:0]], np.arange(60)), True),
    "fewer": (lambda groups, shared: (groups, shared[1:]), False),
    "none": (lambda groups, shared: (groups, shared[:0]), False),
    "short integers": (lambda groups, shared: (groups, shared.astype(np.int32)), False),
    "one group": (lambda groups, shared: (groups[:1], shared), False),
    "all but one": (lambda groups, shared: ([FEW[:1]], np.arange(1, 60)), False),
    "groups of one row": (lambda groups, shared: (list(FEW[:2, None]), FEW[2:]), False),
    "groups of two": (lambda groups, shared: (list(np.arange(60).reshape(30, 2)), shared[:0]), False),
}


@pytest.mark.parametrize("name", ODD_GROUPS)
def test_shared_rows_of_another_form(sharing, tmp_path, name):
    path, (change, refused) = tmp_path / "a.ckpt", ODD_GROUPS[name]
    groups, _, shared = of_groups(sharing)
    assert len(groups) == 3 and len(shared) == 4
    groups, shared = change(groups, shared)
    seal(path, with_groups(sharing, groups, None, shared))
    assert goes_on(path, None, ["sum"], "many axes") == refused


def test_a_bound_of_a_group_without_a_proof(sharing, tmp_path):
    path, (groups, known, shared) = tmp_path / "a.ckpt", of_groups(sharing)
    seal(path, with_groups(sharing, groups, [(None, known[0][1], True)] * 3, shared))
    assert goes_on(path, None, ["sum"], "many axes")


def test_a_group_with_the_proofs_of_others_too(sharing, tmp_path, monkeypatch):
    """That of the second group would count twice."""
    path, (rows, k), (groups, known, shared) = tmp_path / "a.ckpt", DATA["many axes"], of_groups(sharing)
    proofs, lowers, _ = zip(*known)
    assert [proof is not None for proof in proofs] == [True, True, False]
    more = [*proofs[0], *proofs[1], "proof trivial"], lowers[0] + lowers[1], True
    seal(path, with_groups(sharing, groups, [more, *known[1:]], shared))
    monkeypatch.setattr(methods, "in_turn", lambda *work: "unresolved")  # the last group is left as it is
    monkeypatch.setattr(portfolio.Portfolio, "check_bound", lambda self: None)
    found = prove(rows, k, methods=["sum"], checkpoint=path)
    assert found.exact_lower_bound == lowers[1] > 0


def test_shared_rows_where_there_are_few_axes(tmp_path):
    """The groups are proved as they are dealt out, with rows that they share."""
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "sum"))
    groups, _, shared = of_groups(whole)
    assert not len(shared)
    seal(path, with_groups(whole, [rows[1:] for rows in groups], None, np.sort([rows[0] for rows in groups])))
    found = prove(ROWS, K, methods=["sum"], checkpoint=path)
    assert 0 < found.exact_lower_bound <= optimum() and found.checked and "\nshared " in found.text()


def test_a_proof_with_more_behind_it(tmp_path):
    """It is accepted neither by the checker nor by those who ask it."""
    path = tmp_path / "a.ckpt"
    whole = stopped(path, ("search", "pca", "prices"))
    whole["known"]["best"]["proof"].append("proof trivial")
    seal(path, whole)
    found = prove(ROWS, K, methods=[], checkpoint=path)
    assert found.exact_lower_bound == 0 and check.verdict(found.text().encode())[0] == check.PROVED
