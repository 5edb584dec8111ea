"""Proofs about angles, against all partitions in decimals of 60 digits, and forged ones.

`python tests/proofs/test_angles.py 3000` tries as many random problems, and tells how large the gaps are; with the word prices, without
branch and bound.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from ckmeans import KMeans, SphericalKMeans, certify, check, landscape
from ckmeans.proofs import angles, portfolio, proof_lines
from ckmeans.proofs.certificate import Certificate
from ckmeans.proofs.instance import Instance

KINDS = "normal", "positive", "float32", "scales", "offset", "copies", "antipodal", "grid", "zeros", "tight"
DIGITS = 60


def problem(seed):
    """Rows, weights or None, and a number of clusters."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    n, d, k = (int(rng.integers(*ends)) for ends in ((2, 8), (1, 5), (1, 4)))
    X = rng.normal(size=(n, d))
    if kind == "positive":
        X = np.abs(X)
    if kind == "float32":
        X = X.astype(np.float32)
    if kind == "scales":
        X *= 10.0 ** rng.choice([-300, -200, 0, 200, 300], size=(n, 1))
    if kind == "offset":
        X += 10.0 ** rng.integers(1, 7)
    if kind == "copies":
        X = X[rng.integers(0, max(1, n // 2), size=n)] * rng.integers(1, 9, size=(n, 1))
    if kind == "antipodal":
        X = X[rng.integers(0, max(1, n // 2), size=n)] * rng.choice([-2, -1, 1], size=(n, 1))
    if kind == "grid":
        X = rng.integers(-2, 3, size=(n, d)).astype(float)
    if kind == "zeros":
        X[rng.random(n) < 0.3] = 0
    if kind == "tight":
        X = rng.normal(size=(k, d))[rng.integers(0, k, size=n)] + rng.normal(size=(n, d)) * 1e-6
    X[0] = X[0] if X[0].any() else 1
    weights = rng.choice([None, "whole", "real", "some", "wide"])
    if weights is not None:
        weights = {
            "whole": rng.integers(1, 5, size=n).astype(float),
            "real": rng.uniform(0.1, 3, size=n),
            "some": rng.integers(0, 2, size=n).astype(float),
            "wide": 10.0 ** rng.uniform(-12, 12, size=n),
        }[weights]
        weights[0] = max(weights[0], 1)
    return X, weights, min(k, int(np.count_nonzero(X.any(axis=1))))


class Enumerated:
    """Costs in decimals, of any set of rows and of the best partition."""

    def __init__(self, X, weights, k):
        rows = [[Decimal(float(x)) for x in row] for row in X]
        lengths = [sum(x * x for x in row).sqrt() for row in rows]
        own = [1] * len(X) if weights is None else weights.tolist()
        own = [Decimal(float(w)) if length else Decimal(0) for w, length in zip(own, lengths)]
        units = [[w * x / (length or 1) for x in row] for row, w, length in zip(rows, own, lengths)]
        self.n, self.k, self.moments = len(X), k, [(Decimal(0), [Decimal(0)] * X.shape[1])]
        for mask in range(1, 1 << self.n):
            i = mask.bit_length() - 1
            weight, sums = self.moments[mask & ~(1 << i)]
            self.moments.append((weight + own[i], [s + u for s, u in zip(sums, units[i])]))
        self.counted, self.weight = sum(1 << i for i, w in enumerate(own) if w), sum(own)
        self.costs = [w - sum(s * s for s in sums).sqrt() for w, sums in self.moments]

    def parts(self, labels):
        """The clusters of labels as sets of rows, without those that do not count."""
        masks = {
            own: sum(1 << i for i, label in enumerate(labels) if label == own) & self.counted
            for own in set(labels)
        }
        return frozenset(mask for mask in masks.values() if mask)

    def cost(self, parts):
        return sum(self.costs[mask] for mask in parts)

    def all(self):
        """All partitions of the rows that count."""
        found = [()]
        for i in range(self.n):
            if self.counted >> i & 1:
                found = [
                    (*own[:c], own[c] | 1 << i, *own[c + 1 :]) if c < len(own) else (*own, 1 << i)
                    for own in found
                    for c in range(min(len(own) + 1, self.k))
                ]
        return map(frozenset, found)


def tried(seed, given=True):
    """Certify a random problem, and see that all that is said is true.

    Returns
    -------
    gaps : tuple of float
        Of the bound to the optimum, as a share of the weight and of the optimum.
    status : str
        Of the best clustering.
    """
    X, weights, k = problem(seed)
    labels = np.random.default_rng(seed).integers(0, k, size=len(X)) if given else None
    options = {"metric": "cosine", "zero_rows": "leave out", "random_state": 0}
    found = certify(X, labels, n_clusters=k, sample_weight=weights, **options)
    with localcontext() as context:
        context.prec = DIGITS
        of = Enumerated(X, weights, k)
        costs = {parts: of.cost(parts) for parts in of.all()}
        optimum, weight = min(costs.values()), of.weight
        unit = weight * Decimal(10) ** (8 - DIGITS)
        for one in (found, found.better or found):
            code, said = check.verdict(one.text().encode())
            assert code == check.PROVED and "by angle" in said, said
            own = of.parts(one.labels.tolist())
            cost, most = costs[own], exactly(one.exact_inertia)
            assert exactly(one.exact_lower_bound) <= optimum + unit
            assert cost - unit <= most <= cost * (1 + Decimal("1e-12")) + weight * Decimal("1e-22")
            assert one.status == "bounded" or cost <= optimum + unit
            if one.status == "optimal-unique":
                assert all(other > cost for parts, other in costs.items() if parts != own)
            assert (one.labels == -1).tolist() == (~X.any(axis=1)).tolist()
        best = found.better or found
        short = optimum - exactly(best.exact_lower_bound)
        return (
            float(short / weight),
            float(short / optimum) if optimum > weight * Decimal("1e-20") else 0.0,
            best.status,
        )


def exactly(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


@pytest.mark.parametrize("seed", range(60))
def test_no_bound_is_above_the_optimum(seed):
    tried(seed, given=seed % 2 == 0)


# ---- What is asked, and how


X = np.array([[1.0, 0.1, 0], [9, 1, 0], [0, 2, 0.3], [0.1, 5, 0], [0.2, 0.3, 4], [1, 0, 7], [3, 2.5, 0]])
SPREAD = [0, 0, 1, 1, 2, 0, 0]


def test_a_spherical_model_is_certified_by_angle():
    model = SphericalKMeans(3, random_state=0).fit(X)
    found = certify(X, model, random_state=0)
    assert found.metric == "cosine" and found.status == "optimal-unique" and found.gap == 0
    assert found.inertia == pytest.approx(model.inertia_, rel=1e-12)
    assert "by angle" in str(found) and "by angle" in found._repr_html_()
    assert found.text() == certify(X, model.labels_, metric="cosine", random_state=0).text()
    centered = certify(X, centers=7 * model.cluster_centers_, metric="cosine", random_state=0)
    assert centered.labels.tolist() == model.labels_.tolist()
    assert certify(sparse.csr_array(X), model, random_state=0).text() == found.text()
    squared = certify(X, model, metric="euclidean", random_state=0)
    assert squared.metric == "euclidean" and squared.inertia > 1
    assert certify(X, KMeans(3, random_state=0).fit(X)).metric == certify(X, SPREAD).metric == "euclidean"


def test_float32_names_and_the_better_clustering():
    names = ["a", "b", "a", "b", "c", "c", "c"]
    found = certify(X.astype(np.float32), names, metric="cosine", random_state=0)
    assert found.status == "bounded" and found.better.status == "optimal-unique" and found.gap > 0.5
    assert "above the best possible: proved by" in str(found) and "a better clustering" in str(found)
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_rows_of_zeros():
    holed = np.vstack([X, np.zeros((2, 3))])
    with pytest.raises(ValueError, match="2 of 9 rows of X are zero, which has no direction: 7, 8"):
        certify(holed, n_clusters=3, metric="cosine")
    model = SphericalKMeans(3, zero_rows="leave out", random_state=0).fit(holed)
    for given in (model, model.labels_, model.labels_.tolist()):
        options = {} if given is model else {"metric": "cosine", "zero_rows": "leave out"}
        found = certify(holed, given, random_state=0, **options)
        assert found.labels.tolist() == model.labels_.tolist() and found.labels[-1] == -1
        assert found.inertia == certify(X, model.labels_[:7], metric="cosine", random_state=0).inertia
        assert "2 rows of zeros left out" in check.verdict(found.text().encode())[1]
    with pytest.raises(ValueError, match="there are 7 labels; X has 9 rows"):
        certify(holed, SPREAD, metric="cosine", zero_rows="leave out")
    with pytest.raises(ValueError, match="All 2 rows of X are zero"):
        certify(np.zeros((2, 3)), n_clusters=1, metric="cosine", zero_rows="leave out")
    with pytest.raises(ValueError, match="n_clusters=8"):
        certify(holed, n_clusters=8, metric="cosine", zero_rows="leave out")


@pytest.mark.parametrize(
    "options, said",
    [
        ({"metric": "manhattan"}, "metric='manhattan' is unknown"),
        ({"zero_rows": "leave out"}, "is for metric='cosine'"),
        ({"metric": "cosine", "zero_rows": "drop"}, "zero_rows='drop' is unknown"),
        ({"metric": "cosine", "checkpoint": "file"}, "not for metric='cosine'"),
        ({"metric": "cosine", "labels": SPREAD[1:]}, "give one label for each"),
        ({"metric": "cosine", "labels": [-1, *SPREAD[1:]]}, "noise"),
        ({"metric": "cosine", "labels": None, "centers": np.zeros((2, 3))}, "centers hold a zero"),
    ],
)
def test_refusals(options, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        certify(X, **{"labels": SPREAD, **options})


def test_limits_and_progress():
    rng = np.random.default_rng(0)
    wide, told = rng.normal(size=(310, 5)), []
    none = certify(wide, n_clusters=2, metric="cosine", time_limit=0, random_state=0)
    assert none.status == "bounded" and none.stop_reason == "time_limit"
    assert check.verdict(none.text().encode())[0] == check.PROVED
    some = certify(
        wide,
        n_clusters=2,
        metric="cosine",
        gap=0.9,
        random_state=0,
        progress=lambda method, inertia, lower: told.append((inertia, lower)),
    )
    assert some.checked and some.stop_reason == "gap" and 0 < some.gap <= 0.9
    inertias, lowers = zip(*told)
    assert min(inertias) == pytest.approx(some.inertia) and max(lowers) <= some.inertia
    assert 0 < max(lowers) <= some.lower_bound * (1 + 1e-3)


def test_ctrl_c_keeps_what_is_known(monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(angles, "local_search", interrupted)
    found = certify(X, SPREAD, metric="cosine", random_state=0)
    assert found.stop_reason == "interrupted" and found.status == "bounded"
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_ctrl_c_in_the_search_and_in_the_check_at_the_end(monkeypatch):
    """The search that was interrupted is the last one; and what the checker was not asked to the end is not claimed."""
    plain, asked = angles.spherical_search, []
    ended = {"stop_reason": "interrupted"}
    monkeypatch.setattr(angles, "spherical_search", lambda *args, **kw: replace(plain(*args, **kw), **ended))
    monkeypatch.setattr(angles, "local_search", lambda *args, **kw: asked.append(0))
    found = certify(X, n_clusters=3, metric="cosine", random_state=0)
    assert found.stop_reason == "interrupted" and found.status == "bounded" and not asked
    assert check.verdict(found.text().encode())[0] == check.PROVED
    monkeypatch.undo()

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(angles, "accepted", interrupted)
    found = certify(X, n_clusters=3, metric="cosine", random_state=0)
    assert found.stop_reason == "interrupted" and found.status == "bounded" and found.lower_bound > 0
    assert check.verdict(found.text().encode())[0] == check.PROVED


def test_a_better_clustering_has_masses_of_its_own(monkeypatch):
    """From a poor one that no search mends: the squared distances lead to a better one, whose masses tell more."""
    best = certify(X, n_clusters=3, metric="cosine", random_state=0)
    poor = np.array(SPREAD, np.int32)
    monkeypatch.setattr(angles, "STEPS", 0)
    monkeypatch.setattr(angles._Angles, "search", lambda task, labels, seconds: (poor, False))
    again = certify(X, n_clusters=3, metric="cosine", random_state=0)
    assert again.text() == best.text() and again.status == "optimal-unique"
    monkeypatch.setattr(angles, "ROUNDS", 1)
    once = certify(X, n_clusters=3, metric="cosine", random_state=0)
    assert once.inertia == pytest.approx(best.inertia) and once.status == "bounded"
    assert 0 < once.exact_lower_bound < best.exact_lower_bound
    assert check.verdict(once.text().encode())[0] == check.PROVED


def test_costs_beyond_the_floats():
    task = angles._Angles(np.array([[1.0, 0], [-1, 0]] * 2), 1, np.full(4, 1.5e308), {})
    assert task.float_cost(np.zeros(4, np.int32)) == np.inf


def test_clusters_of_one_direction_cost_nothing():
    copies = np.outer([1, 3, 7, 2, 5, 1], [1, 2]) * [[1], [1], [-1], [1], [-1], [-3]]
    found = certify(copies, n_clusters=2, metric="cosine", random_state=0)
    assert found.status == "optimal" and found.exact_inertia == found.exact_lower_bound == 0
    assert check.verdict(found.text().encode())[1].startswith("proved optimal: cost 0, lower bound 0,")
    together = certify(copies[:, :1], n_clusters=1, metric="cosine", random_state=0)
    assert together.status != "bounded" and together.inertia == pytest.approx(6)


def test_a_squared_distance_is_no_angle():
    """Nothing that takes a certificate of squared distances takes one of angles."""
    found = certify(X, SPREAD, metric="cosine", random_state=0)
    with pytest.raises(ValueError, match="other data"):
        landscape(X, 3, certificate=found, random_state=0)


def test_files(tmp_path):
    weights = np.array([1, 2, 0.5, 1, 0, 1, 3])
    for labels in (None, SPREAD):
        found = certify(X, labels, n_clusters=3, sample_weight=weights, metric="cosine", random_state=0)
        for with_rows in (True, False):
            found.save(tmp_path / "a.ckc", with_rows)
            again = Certificate.load(tmp_path / "a.ckc", None if with_rows else X)
            assert again.text() == found.text() and not again.checked and again.metric == "cosine"
            assert again.labels.tolist() == found.labels.tolist()
            assert "not checked" in str(again) or again.status != "bounded"
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "w.npy", weights)
    contents = [(tmp_path / name).read_bytes() for name in ("a.ckc", "x.npy", "w.npy")]
    assert check.verdict(*contents)[0] == check.PROVED
    np.save(tmp_path / "x.npy", 2 * X)
    assert check.verdict(contents[0], (tmp_path / "x.npy").read_bytes(), contents[2])[0] == check.OTHER_DATA
    with pytest.raises(ValueError, match="other data"):
        Certificate.load(tmp_path / "a.ckc", 2 * X)


def test_the_checker_by_itself(tmp_path):
    """Two files, copied; the one alone says what it takes."""
    certify(X, SPREAD, metric="cosine", random_state=0).save(tmp_path / "a.ckc")
    for name, code, said in (("check", 1, "takes check_angles.py"), ("check_angles", 0, "proved bounded")):
        shutil.copy(Path(check.__file__).with_stem(name), tmp_path)
        words = [sys.executable, "check.py", "a.ckc"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == code and said in done.stdout + done.stderr


# ---- Forged files


def changed(text, old, new):
    assert text.count(old) == 1, old
    return proof_lines.sealed(text.replace(old, new).splitlines()[:-1]).encode()


def line_of(text, word):
    return next(line for line in text.splitlines() if line.startswith(word + " "))


def test_forged_files_are_refused():
    bounded = certify(X, SPREAD, metric="cosine", random_state=0).text()
    text = certify(X, n_clusters=3, metric="cosine", random_state=0).text()
    claim, sphere, masses = (line_of(text, word) for word in ("claim", "sphere", "M"))
    closed, labels, rows = line_of(text, "closed"), line_of(text, "labels"), line_of(text, "X")
    assert claim.startswith("claim optimal-unique value=")
    value = claim.partition("value=")[2]
    level = closed.split(" ")[1]
    lower = re.search("lower=([^ ]*)", bounded)[1]
    mass = masses.split(" ")[1]
    other = "labels 0 0 1 1 2 2 2" if labels != "labels 0 0 1 1 2 2 2" else "labels 0 0 1 1 2 2 1"
    forged = [
        (text, claim, "claim optimal value=0", 1),
        (text, claim, f"claim bounded lower={value} value={value}", 1),
        (text, claim, "claim bounded lower=ff value=ff", 1),
        (text, claim, claim.replace("value=", "value=-"), 1),
        (text, labels, other, 1),
        (text, closed, closed.replace(level, "0"), 1),
        (text, closed, closed.replace(level, f"{int(level, 16) << 1:x}"), 1),
        (text, closed, closed + " 0", 2),
        (text, closed, f"closed {level} {other[7:]}", 1),
        (text, closed, closed.replace(level, "x"), 2),
        (text, "problem cosine", "problem sse", 2),
        (text, rows, "X 1" + rows[3:], 3),
        (text, sphere, "sphere scale=0 masses=0", 1),
        (text, sphere, "sphere scale=4001 masses=0", 2),
        (text, sphere, "sphere scale=28", 2),
        (text, masses, f"M 0{masses[2 + len(mass) :]}", 2),
        (text, masses, f"M -{mass}{masses[2 + len(mass) :]}", 2),
        (text, masses, masses[: masses.rindex(" ")], 2),
        (text, masses, "M" + " 0" * 7, 2),
        (bounded, "claim bounded", "claim optimal", 2),
        (bounded, f"lower={lower} ", f"lower=f{lower} ", 1),
        (bounded, line_of(bounded, "claim"), "claim optimal value=ff", 1),
        (bounded, line_of(bounded, "claim"), "claim optimal-unique value=ff", 1),
    ]
    for content, old, new, code in forged:
        assert check.verdict(changed(content, old, new))[0] == code, new
    # Weaker claims are true.
    for claimed in ("optimal value=ff", f"optimal value={value}", "bounded lower=0 value=ff"):
        assert check.verdict(changed(text, claim, f"claim {claimed}"))[0] == check.PROVED
    zeros = certify(np.vstack([X, 0 * X[:1]]), n_clusters=3, metric="cosine", zero_rows="leave out")
    masses = line_of(zeros.text(), "M")
    assert check.verdict(changed(zeros.text(), masses, masses[:-1] + "1"))[0] == check.MALFORMED


@pytest.mark.parametrize("seed", range(10, 40))
def test_no_bound_is_above_the_optimum_without_trees(seed, monkeypatch):
    """By prices, that is, or the semidefinite bound, or the principal components."""
    monkeypatch.setattr(portfolio, "MOST_TREE", 0)
    monkeypatch.setattr(Instance, "many_axes", seed % 2 == 0)
    tried(seed, given=seed % 4 < 2)


@pytest.mark.parametrize("seed", [*range(7), *range(8, 14)])
def test_no_change_makes_a_false_claim_true(seed, monkeypatch):
    """Numbers anywhere but in the rows and weights are changed: what the checker still accepts is true."""
    if seed % 2:
        monkeypatch.setattr(portfolio, "MOST_TREE", 0)
    rows, weights, k = problem(seed)
    found = certify(
        rows, n_clusters=k, sample_weight=weights, metric="cosine", zero_rows="leave out", random_state=0
    )
    lines, rng = found.text().splitlines()[:-1], np.random.default_rng(seed)
    free = [
        at
        for at, line in enumerate(lines)
        if line.split(" ")[0] not in ("CKC", "problem", "data", "X", "weights", "W")
    ]
    accepted = 0
    with localcontext() as context:
        context.prec = DIGITS
        of = Enumerated(rows, weights, k)
        costs = {parts: of.cost(parts) for parts in of.all()}
        unit = of.weight * Decimal(10) ** (8 - DIGITS)
        for _ in range(40):
            own = list(lines)
            for at in rng.choice(free, size=rng.integers(1, 3)):
                numbers = list(re.finditer(r"(?<=[ =/])-?[0-9a-f]+(?=[ /]|$)", own[at]))
                if numbers:
                    start, stop = numbers[rng.integers(len(numbers))].span()
                    was = int(own[at][start:stop], 16)
                    new = [was + 1, was - 1, was // 2, 2 * was, 0, -was, was + (was >> 20), was - (was >> 20)]
                    own[at] = f"{own[at][:start]}{new[rng.integers(len(new))]:x}{own[at][stop:]}"
            text = proof_lines.sealed(own).encode()
            code, _ = check.verdict(text)
            if code == check.PROVED:
                accepted += 1
                true_claim(check.read_problem(check.Reader(text)), of, costs, unit)
    assert accepted


def true_claim(claimed, of, costs, unit):
    labels = claimed.sphere.labels
    cost = costs[of.parts(labels)]
    assert exactly(Fraction(claimed.value)) / claimed.unit >= cost - unit
    if claimed.status == "bounded":
        assert exactly(Fraction(claimed.lower)) / claimed.unit <= min(costs.values()) + unit
    else:
        assert cost <= min(costs.values()) + unit
    if claimed.status == "optimal-unique":
        assert sum(other <= cost for other in costs.values()) == 1


def test_what_takes_long_is_refused():
    text = certify(X, n_clusters=3, metric="cosine", random_state=0).text()
    for name in ("scale", "masses"):
        sphere = line_of(text, "sphere")
        long = re.sub(f"{name}=[0-9a-f]+", f"{name}=fff", sphere)
        assert check.verdict(changed(text, sphere, long))[0] == check.UNPROVED
    many = np.random.default_rng(0).normal(size=(400, 60))
    lines = certify(many, n_clusters=2, metric="cosine", time_limit=0).text()
    sphere = line_of(lines, "sphere")
    code, said = check.verdict(changed(lines, sphere, "sphere scale=4000 masses=4000"))
    assert code == check.UNPROVED and "too many steps" in said


if __name__ == "__main__":
    portfolio.MOST_TREE = 0 if "prices" in sys.argv else portfolio.MOST_TREE
    found = [tried(seed, seed % 2 == 0) for seed in range(int(sys.argv[1]))]
    by_weight, by_cost, status = zip(*found)
    print(
        "the bound below the optimum, as a share of the weight: mean, greatest",
        np.mean(by_weight),
        max(by_weight),
    )
    print(
        "of the optimum: mean, greatest, share above 1e-7",
        np.mean(by_cost),
        max(by_cost),
        np.mean(np.array(by_cost) > 1e-7),
    )
    print("status", {name: status.count(name) for name in set(status)}, "worst", np.argsort(by_cost)[-5:])
