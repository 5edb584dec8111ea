"""Proofs of every kind with wild numbers in them, checked in a child process that may use little time and memory.

`python tests/test_check_fuzz.py SEEDS` goes on for as many seeds.
"""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import test_check

from ckmeans import check
from ckmeans.proofs import proof_lines
from ckmeans.proofs.problem import ExactProblem

CASES = 40  # for each kind and seed
CHILD = """
import json, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (300, 300))
except ImportError:  # there are no such limits
    pass
from ckmeans import check
check.LIMIT = 1 << 20
for line in sys.stdin:
    texts = [text and text.encode("latin-1") for text in json.loads(line)]
    print(json.dumps(check.verdict(*texts)), flush=True)
"""


def wild(rng):
    """Numbers that a good proof does not have."""
    digits = int(rng.choice([1, 2, 9, 16, 17, 300, 3000]))
    number = "".join(rng.choice(list("123456789abcdef"), digits))
    return str(rng.choice(["", "-"])) + str(
        rng.choice([number, "0", "1", "2", "f" * digits, "1" + "0" * digits])
    )


def spoiled(lines, rng):
    """The lines with a few numbers changed, lines repeated or left out, and cuts and scales added."""
    for _ in range(int(rng.integers(1, 4))):
        lines = test_check.mutated(lines, rng)
        if rng.random() < 0.6:
            at = int(rng.integers(1, len(lines)))
            tokens = lines[at].split(" ")
            i = int(rng.integers(len(tokens)))
            name, equals, _ = tokens[i].partition("=")
            tokens[i] = name + equals + wild(rng) if equals else tokens[i] if not i else wild(rng)
            if rng.random() < 0.1:
                tokens *= int(rng.integers(2, 50))
            lines = [*lines[:at], " ".join(tokens), *lines[at + 1 :]]
    return lines


def cases(kind, seed, count):
    rng, X, weights, small, cost, parts = test_check.instance(seed, kind)
    proof = getattr(test_check.proofs, kind)(small, rng)
    for _ in range(count):
        status = ("bounded", "optimal", "optimal-unique")[int(rng.integers(3))]
        with_rows = rng.random() < 0.8
        text = proof_lines.proof_text(
            small.problem, small.k, small.labels(parts), status, proof, cost / small.problem.unit, with_rows
        )
        text = proof_lines.sealed(spoiled(text.splitlines()[:-1], rng))
        data = None
        if not with_rows:
            data = "\n".join(",".join(map(repr, row)) for row in X.tolist())
            if rng.random() < 0.5:
                at = int(rng.integers(len(data)))
                data = data[:at] + str(rng.choice(list(',;\n\t x"#-e90'))) * int(rng.integers(3)) + data[at:]
        own = None if weights is None or with_rows else "\n".join(map(repr, weights.tolist()))
        yield text, data, own


def verdicts(texts):
    lines = "".join(json.dumps(own) + "\n" for own in texts)
    done = subprocess.run([sys.executable, "-c", CHILD], input=lines, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def survey(kind, seed, count=CASES):
    """How many were accepted; none with a bound above the optimum."""
    texts = list(cases(kind, seed, count))
    found, accepted, cache = verdicts(texts), 0, {}
    assert len(found) == len(texts)
    for (text, data, _), (code, said) in zip(texts, found):
        assert code in range(4) and said.isprintable()
        if code == check.PROVED and data is None:
            accepted += 1
            problem = check.read_problem(check.Reader(text.encode()))
            best = test_check.truth(text, cache)
            assert problem.lower <= best <= problem.U, text
            assert problem.status == "bounded" or problem.U == best, text
    return accepted


@pytest.mark.parametrize("kind", test_check.KINDS)
def test_wild_numbers(kind):
    accepted = sum(survey(kind, seed) for seed in (1, 2, 3))
    assert accepted < CASES


def test_wild_headers():
    """Data files whose header says what is not so."""
    rng, content = np.random.default_rng(0), io.BytesIO()
    np.save(content, np.zeros((2, 1)))
    good = content.getvalue().decode("latin-1")
    text = proof_lines.proof_text(
        ExactProblem(np.zeros((2, 1))), 1, [0, 0], "optimal", proof_lines.trivial_proof(), None, False
    )
    texts = [(text, good, None)]
    for _ in range(200):
        at = int(rng.integers(6, 128))
        word = str(
            rng.choice(["9" * 30, "(" * 40, "-1", "'O'", "\x00", "\xff", "1, ", "True", "[" * 99, "f4"])
        )
        texts.append((text, good[:at] + word + good[at + int(rng.integers(len(word) + 1)) :], None))
    codes = [code for code, _ in verdicts(texts)]
    assert codes[0] == check.PROVED and codes.count(check.OTHER_DATA) > 150
    assert set(codes) == {check.PROVED, check.OTHER_DATA}


if __name__ == "__main__":
    for seed in range(100, 100 + int(sys.argv[1])):
        print(seed, [survey(kind, seed) for kind in test_check.KINDS], flush=True)
