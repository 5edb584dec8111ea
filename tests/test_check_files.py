"""The proof checker: one line changed and the code that follows, the data beside the file, and the command."""

import re
import subprocess
import sys
from fractions import Fraction

import forged_angles
import numpy as np
import proofs
import pytest

from ckmeans import check
from ckmeans.proofs import proof_lines
from ckmeans.proofs.problem import ExactProblem

FINE = [
    "problem sse n=4 d=1 k=2 weights=0",
    "labels 0 0 1 1",
    "claim optimal value=d/2",
    "proof line penalty=20",
]


@pytest.mark.parametrize(
    "old, new, code",
    [
        ("k=2", "k=1", 2),  # a label above
        ("k=2", "k=0", 2),
        ("k=2", "k=-1", 2),
        ("n=4", "n=5", 3),
        ("n=4", "n=ffffffffffff", 2),
        ("n=4", "n=04", 2),
        ("d=1", "d=0", 2),
        ("weights=0", "weights=2", 2),
        ("sse", "median", 2),
        ("labels 0 0 1 1", "labels 0 0 1", 2),
        ("labels 0 0 1 1", "labels 0 0 1 1 1", 2),
        ("labels 0 0 1 1", "labels 0 0 1 -1", 2),
        ("labels 0 0 1 1", "labels 0 0 1 nan", 2),
        ("labels 0 0 1 1", "labels 0  0 1 1", 2),
        ("labels 0 0 1 1", "labels 0 0 0 1", 1),
        ("value=d/2", "value=d/0", 2),
        ("value=d/2", "value=d/-2", 2),
        ("value=d/2", "value=1a/4", 0),
        ("value=d/2", "value=c/2", 1),
        ("value=d/2", "value=inf", 2),
        ("value=d/2", "value=0xd/2", 2),
        ("value=d/2", "value=1_0/2", 2),
        ("optimal", "optimal-unique", 1),
        ("optimal", "best", 2),
        ("penalty=20", "penalty=-20", 1),
        ("penalty=20", "penalty=0", 1),
        ("penalty=20", "penalty=1e", 0),
        ("penalty=20", "penalty=+20", 2),
        ("line penalty=20", "magic", 2),
        ("proof line penalty=20", "proof", 2),
        ("proof line penalty=20", "proof sum 0", 2),
        ("proof line penalty=20", "proof sum", 2),
        ("proof line penalty=20", "proof sum 2\ngroup 0 1\ngroup 1 2 3", 2),
        ("proof line penalty=20", "proof sum 1\ngroup 0 0", 2),
        ("proof line penalty=20", "proof sum 1\ngroup", 2),
        ("proof line penalty=20", "proof sum 1\ngroup 0 4", 2),
        ("proof line penalty=20", "proof sum 1\ngroup -1 2", 2),
        ("proof line penalty=20", "proof sum 1\ngroup 3 2 1 0\nproof line penalty=20", 0),
        ("proof line penalty=20", "proof sum ffffffff\ngroup 0", 2),
        ("proof line penalty=20", "proof branch 0 4", 2),
        ("proof line penalty=20", "proof branch 0", 2),
        ("proof line penalty=20", "proof branch 0 1\nproof line penalty=20", 2),
        ("proof line penalty=20", "proof branch 0 1\nproof line penalty=20\nproof line penalty=20", 0),
        ("proof line penalty=20", "proof branch 0 0\nproof line penalty=20\nproof trivial", 0),
        ("proof line penalty=20", "proof branch 0 1\nproof trivial\nproof line penalty=20", 1),
        ("proof line penalty=20", "proof line penalty=20\nproof line penalty=20", 2),
        ("proof line penalty=20", "proof prices shift=0 m=-1\nprice 0 0 0 0", 2),
        ("proof line penalty=20", "proof prices shift=0 m=0\nprice 0 0 0", 2),
        ("proof line penalty=20", "proof prices shift=0 m=0\nprice 0 0 0 0", 0),
        ("proof line penalty=20", "proof prices shift=-1 m=0\nprice 0 0 0 0", 2),
        ("proof line penalty=20", "proof prices shift=fffffffff m=0\nprice 0 0 0 0", 2),
        ("proof line penalty=20", "proof prices shift=0 m=0\nprice -5 -5 -5 -5", 0),
        ("proof line penalty=20", "proof prices shift=0 m=100\nprice 100 100 100 100", 1),
        ("proof line penalty=20", "proof tree\norder 0 1 2 2\nsuffix 0 0 0 0", 2),
        ("proof line penalty=20", "proof tree\norder 0 1 2\nsuffix 0 0 0", 2),
        ("proof line penalty=20", "proof tree\norder 3 2 1 0\nsuffix d/2 0 0 0", 0),
        ("proof line penalty=20", "proof tree\norder 3 2 1 0\nsuffix d/2 2 0 0", 0),
        ("proof line penalty=20", "proof pca scale=0 tau=0\nV", 1),
        ("proof line penalty=20", "proof pca scale=0 tau=-fff\nV 0", 1),
        ("scale=1", "scale=2", 3),
        ("scale=1", "scale=-1", 2),
        ("X d", "X e", 3),
        ("X d", "X d d", 2),
        ("X 0", "X -0", 2),
    ],
)
def test_one_line_and_a_code(old, new, code):
    problem = ExactProblem(np.array([[0.0], [1.0], [5.0], [6.5]]))
    text = proof_lines.proof_text(problem, 2, [0, 0, 1, 1], "optimal", proof_lines.line_proof(32))
    assert all(line in text for line in FINE)
    assert check.verdict(text.encode())[0] == check.PROVED
    assert old in text
    found, said = check.verdict(proof_lines.sealed(text.replace(old, new).splitlines()[:-1]).encode())
    assert found == code, said
    assert "\n" not in said


@pytest.mark.parametrize(
    "groups", [["0 1 2 3", "0 1 2 3"], ["0 1 2", "2 3 1"], ["0 0 1 2 3"], ["0 1 2 3", "3"]]
)
def test_groups_that_share_a_row(groups):
    problem = ExactProblem(np.array([[0.0], [1.0], [5.0], [6.5]]))
    proof = [f"proof sum {len(groups)}", *(f"group {rows}" for rows in groups)]
    proof += ["proof line penalty=20"] * len(groups)
    text = proof_lines.proof_text(problem, 2, [0, 0, 1, 1], "bounded", proof, Fraction(0))
    assert check.verdict(text.encode())[0] == check.MALFORMED


def test_weights_that_are_none():
    problem = ExactProblem(np.array([[0.0], [1.0], [5.0]]), np.array([1.0, 2.0, 1.0]))
    text = proof_lines.proof_text(problem, 2, [0, 0, 1], "optimal", proof_lines.line_proof(2))
    assert check.verdict(text.encode())[0] == check.PROVED
    for new in ("W 1 -2 1", "W 0 0 0", "W 1 2", "W 1 2 nan"):
        assert (
            check.verdict(proof_lines.sealed(text.replace("W 1 2 1", new).splitlines()[:-1]).encode())[0] == 2
        )
    assert (
        check.verdict(proof_lines.sealed(text.replace("W 1 2 1", "W 1 2 2").splitlines()[:-1]).encode())[0]
        == 3
    )


@pytest.fixture
def iris_like(tmp_path):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(8, 2)), 2)
    small = proofs.Small(ExactProblem(X), 2)
    cost, parts = small.optimum()
    proof = proofs.tree(small, rng)
    path = tmp_path / "a.ckc"
    text = proof_lines.proof_text(small.problem, 2, small.labels(parts), "optimal", proof, with_rows=False)
    path.write_text(text, newline="")
    return X, path


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "ckmeans.check", *map(str, arguments)], capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    assert said.count("\n") == 1, said
    return done.returncode, said


@pytest.mark.parametrize("save", ["f8", "fortran", ">f8", "csv", "names", "spaces"])
def test_data(iris_like, tmp_path, save):
    X, path = iris_like
    data = tmp_path / "data"
    with open(data, "wb") as file:
        if save in ("csv", "names", "spaces"):
            kwargs = {"delimiter": " " if save == "spaces" else ","}
            np.savetxt(file, X, "%.17g", header="a,b" if save == "names" else "", comments="", **kwargs)
        else:
            np.save(
                file,
                np.asfortranarray(X) if save == "fortran" else X.astype("f8" if save == "f8" else save[-3:]),
            )
    code, said = check.verdict(path.read_bytes(), data.read_bytes())
    assert code == check.PROVED, said


def test_other_data(iris_like, tmp_path):
    X, path = iris_like
    assert run(path)[0] == check.MALFORMED
    for number, other in enumerate(
        [X + 1, X[:-1], X[:, :1], X.ravel(), np.nextafter(X, 9), X * np.nan, X[:0]]
    ):
        np.save(tmp_path / f"{number}.npy", other)
        assert check.verdict(path.read_bytes(), (tmp_path / f"{number}.npy").read_bytes())[0] == 3
    content = (tmp_path / "0.npy").read_bytes()
    for wrong in (
        b"",
        b"a,b\n",
        b"1,2\nx,3\n",
        b"1,2\n3\n",
        b"nan,1\n",
        b"\x93NUMPY",
        content[:-3],
        content[:40],
    ):
        assert check.verdict(path.read_bytes(), wrong)[0] == check.OTHER_DATA


def test_command(iris_like, tmp_path):
    X, path = iris_like
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", X + 1)
    code, said = run(path, tmp_path / "x.npy")
    assert code == 0 and re.fullmatch(
        r"proved optimal: cost \S+, lower bound \S+, for k=2, n=8, d=2, no weights\n", said
    )
    assert run(path, tmp_path / "y.npy") == (3, "other data: the proof is for other data\n")
    assert run(tmp_path / "none.ckc")[0] == 2
    usage = "usage: python -m ckmeans.check FILE.ckc [DATA [WEIGHTS]]; 0 is proved, 1 not proved, 2 no proof file, 3 other data\n"
    assert run() == run("a", "b", "c", "d") == (2, usage)
    assert run("--help") == (0, usage) and run("--help", tmp_path / "x.npy")[0] == 2
    assert run(path, path, path, path)[0] == 2
    assert run(tmp_path / "caf\u00e9.ckc")[0] == 2


def test_a_file_called_help_is_checked(tmp_path, monkeypatch, capsys):
    """0 is what a proof gets: a loop over all names must not give it to a file for its name."""
    monkeypatch.chdir(tmp_path)
    assert check.main(["-h"]) == 0 and capsys.readouterr().out.startswith("usage: ")
    (tmp_path / "-h").write_bytes(b"nothing")
    (tmp_path / "--help").symlink_to("nowhere")
    assert check.main(["-h"]) == check.main(["--help"]) == 2 and not capsys.readouterr().out
    for names in ([], ["none.ckc"], ["--help", "-h"], ["-h"] * 4):
        assert check.main(names) == 2 and not capsys.readouterr().out


def test_limits():
    """SECURITY.md tells them."""
    assert (check.LIMIT, check.STEPS_A_BYTE, check.ROOM, check.ROOM_A_BYTE) == (2**32, 1024, 2**28, 256)


def test_what_the_checker_does_not_have(monkeypatch):
    """Memory, or the file beside it that proofs by angle take: neither is a proof, nor a traceback."""
    angles = next(content for _, code, content in forged_angles.files() if code == check.PROVED)
    monkeypatch.setitem(sys.modules, "ckmeans.check_angles", None)
    code, said = check.verdict(angles)
    assert code == check.UNPROVED and "check_angles.py" in said

    def prove(problem, reader):
        raise MemoryError

    monkeypatch.setattr(check, "prove", prove)
    problem = ExactProblem(np.array([[0.0], [1.0]]))
    text = proof_lines.proof_text(problem, 1, [0, 0], "optimal", proof_lines.trivial_proof())
    assert check.verdict(text.encode()) == (
        check.UNPROVED,
        "not proved: there is not enough memory to check this",
    )


def test_what_fractions_cost():
    rows, weights = np.array([[0], [1], [5], [6.5]]), np.array([0.5, 1, 2, 0.25])
    for given, cost in ((None, "cost 1.625, lower bound 1.625"), (weights, "cost 0.833333333333334")):
        problem = ExactProblem(rows, given)
        proof = proof_lines.line_proof(8 * problem.unit)
        code, said = check.verdict(
            proof_lines.proof_text(problem, 2, [0, 0, 1, 1], "optimal", proof).encode()
        )
        assert code == check.PROVED and cost in said


def test_weights_are_told(tmp_path):
    """A proof for weights of its own is none for the bare data: here the labels cost 14 with weights and without, the optimum is 1.625."""
    X, weights = np.array([[0.0], [1.0], [5.0], [6.5]]), np.array([28.0, 28.0, 0.0, 2.0**20])
    problem, path = ExactProblem(X, weights), tmp_path / "a.ckc"
    proof = proof_lines.tree_proof([0, 1, 2], [Fraction(14 * problem.unit), Fraction(0), Fraction(0)])
    path.write_text(proof_lines.proof_text(problem, 2, [0, 0, 0, 1], "optimal-unique", proof), newline="")
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "w.npy", weights)
    np.savetxt(tmp_path / "w.txt", weights)
    np.savetxt(tmp_path / "ones.txt", np.ones(4))
    said = "proved optimal-unique: cost 14, lower bound 14, for k=2, n=4, d=1, weights 0 to 1048576\n"
    assert run(path) == (0, said)
    for name in ("w.npy", "w.txt"):
        assert run(path, tmp_path / "x.npy", tmp_path / name) == (0, said)
        assert check.main([path, tmp_path / "x.npy", tmp_path / name]) == 0
    code, refused = run(path, tmp_path / "x.npy")
    assert code == check.OTHER_DATA and "weights" in refused
    assert run(path, tmp_path / "x.npy", tmp_path / "ones.txt")[0] == check.OTHER_DATA


def test_decimals_are_on_the_safe_side():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        top, below = (int(rng.integers(1, 10**6)) << int(rng.integers(0, 200)) for _ in range(2))
        value = Fraction(top * int(rng.choice([-1, 1])), below)
        up, down = (Fraction(check.decimal(value, 1, way)) for way in (True, False))
        assert down <= value <= up
        assert up - down <= abs(value) * Fraction(1, 10**13)
    for value in (0, 7, 60, 1500, Fraction(-13, 2), Fraction(1, 1000), 10**30, Fraction(1, 10**20)):
        assert (
            Fraction(check.decimal(Fraction(value), 1, True))
            == Fraction(check.decimal(Fraction(value), 1, False))
            == value
        )
    for value, said in ((10**16, "1" + "0" * 16), (10**17, "1e+17")):
        assert check.decimal(Fraction(value), 1, True) == said
    for value, said in ((10**4, "0.0001"), (10**5, "1e-5")):
        assert check.decimal(Fraction(1, value), 1, True) == said
    assert check.decimal(Fraction(1, 3), 1, True) == "0.333333333333334"
    assert check.decimal(Fraction(2000), 3, False) == "666.666666666666"
    assert check.decimal(Fraction(2**80), 1, True) == "1.20892581961463e+24"


def test_numbers_of_a_million_digits():
    """Turned into decimals by the leading bits, whatever a file claims."""
    problem = ExactProblem(np.array([[0.0], [1.0], [5.0], [6.5]]))
    text = proof_lines.proof_text(
        problem, 2, [0, 0, 1, 1], "bounded", proof_lines.line_proof(32), Fraction(0)
    )
    text = (
        text.replace("lower=0/1", "lower=-" + "f" * 10**6)
        if "lower=0/1" in text
        else text.replace("lower=0", "lower=-" + "f" * 10**6)
    )
    code, said = check.verdict(proof_lines.sealed(text.splitlines()[:-1]).encode())
    assert code == check.PROVED and len(said) < 200
    number, _, power = re.search(r"lower bound (-\S+)( \* 2\*\*)?(\d+)?,", said).groups()
    assert Fraction(number) * 2 ** int(power) <= 1 - 16 ** (10**6) // problem.unit
    near = 5 << 20_000  # 5, but for one part of all its bits
    for top, below in (
        (7**40_000, 3**70_850),
        (1, 3**6000),
        (1, 10**2700 + 1),
        (1, 10**2700 - 1),
        (near + 1, 1 << 20_000),
        (near - 1, 1 << 20_000),
        (near, (1 << 20_000) + 1),
        (near, (1 << 20_000) - 1),
    ):
        for value in (Fraction(top, below), Fraction(-top, below)):
            for up in (True, False):
                shown = Fraction(check.decimal(value, 1, up))
                assert shown > value if up else shown < value
                assert abs(shown - value) < abs(value) * Fraction(1, 10**13)
