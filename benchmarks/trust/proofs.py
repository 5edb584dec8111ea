"""Proofs: optima against enumeration, files that were changed, searches that were killed."""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from ckmeans import ExactKMeans, certify, check, exhaustive_search, natural_breaks, reference
from ckmeans.proofs.portfolio import prove
from ckmeans.proofs.proof_lines import sealed

from .rows import row


@row("optima of small problems against enumeration in fractions, by every exact solver", 100_000, 400)
def optima(tally, rng, n):
    for at in range(n):
        size, d, k = int(rng.integers(3, 8)), int(rng.integers(1, 3)), int(rng.integers(2, 4))
        X = rng.integers(0, 6, (size, d)).astype(float) if at % 2 else rng.normal(size=(size, d))
        weights = None if at % 3 else rng.integers(1, 4, size).astype(float)
        listed = None if weights is None else weights.tolist()
        best = reference.best_partition(X.tolist(), k, listed)[1]
        model = ExactKMeans(k, random_state=0).fit(X, sample_weight=weights)
        proof = certify(X, n_clusters=k, sample_weight=weights, random_state=0)
        found = {
            "ExactKMeans": reference.cost(X, model.labels_.tolist(), listed),
            "certify": proof.exact_inertia if proof.status != "bounded" else None,
            "exhaustive_search": reference.cost(
                X, exhaustive_search(X, k, sample_weight=weights).labels.tolist(), listed
            ),
        }
        if d == 1:
            labels = natural_breaks(X[:, 0], k, sample_weight=weights).labels
            found["natural_breaks"] = reference.cost(X, labels.tolist(), listed)
        for name, cost in found.items():
            tally.add(cost != best, None, f"{name}: {size} x {d}, k={k}")


def true_bound(content, best):
    """Whether what the checker says of a file is true of the problem whose optimum is known."""
    code, said = check.verdict(content)
    if code != check.PROVED:
        return True
    words = said.replace(",", " ").split()
    lower = float(words[words.index("bound") + 1])
    return Fraction(lower) <= best * (1 + Fraction(1, 10**6))


@row("proof files with a changed line: none accepted with a bound above the optimum", 100_000, 1000)
def changed_proofs(tally, rng, n):
    draw = random.Random(int(rng.integers(2**31)))
    texts = []
    for size, d, k in ((9, 2, 3), (12, 1, 3), (14, 3, 2), (10, 2, 4), (16, 2, 2)):
        X = rng.integers(0, 9, (size, d)).astype(float)
        for methods in (None, ["prices"], ["sdp"], ["pca"], ["sum"]):
            found = prove(X, k, rng=np.random.default_rng(0), time_limit=5, methods=methods)
            best = ExactKMeans(k, random_state=0).fit(X)
            cost = reference.cost(X, best.labels_.tolist())
            texts.append((found.text().splitlines()[:-1], cost))
    for _ in range(n):
        lines, best = draw.choice(texts)
        lines = list(lines)
        # The problem and its rows stay: with others, another claim may be true.
        first = next(at for at, line in enumerate(lines) if line.startswith("claim"))
        at = draw.randrange(first, len(lines))
        words = lines[at].split(" ")
        word = draw.randrange(len(words))
        change = draw.randrange(4)
        if change == 0:
            words[word] = f"{draw.randrange(-(2**40), 2**40):x}"
        elif change == 1:
            del words[word]
        elif change == 2:
            words.insert(word, draw.choice(words))
        else:
            head, sign, number = words[word].rpartition("=")
            try:
                words[word] = f"{head}{sign}{int(number, 16) + draw.choice((-1, 1, 16, 4096)):x}"
            except ValueError:
                words[word] = words[word][::-1]
        lines[at] = " ".join(words)
        tally.add(not true_bound(sealed(lines).encode(), best), None, lines[at][:60])


SEARCH = """
import json, sys
import numpy as np
from ckmeans import certify
from ckmeans.proofs import checkpoint
checkpoint.EVERY = 0.05
X = np.random.default_rng(int(sys.argv[2])).random((60, 3))
print("begins", flush=True)
found = certify(X, n_clusters=4, random_state=0, checkpoint=sys.argv[1])
print(json.dumps([found.status, str(found.exact_inertia), found.text()]), flush=True)
"""


def searched(path, seed, seconds=None):
    """What a search says at its end; it is killed after so many seconds, if any."""
    child = subprocess.Popen(
        [sys.executable, "-c", SEARCH, str(path), str(seed)], stdout=subprocess.PIPE, text=True
    )
    child.stdout.readline()
    if seconds is not None:
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
    out = child.communicate()[0].splitlines()
    return json.loads(out[0]) if out else None


@row("kill -9 at random moments, then on from the checkpoint: the same optimum, accepted", 100, 4)
def killed(tally, rng, n):
    with tempfile.TemporaryDirectory() as folder:
        for at in range(n):
            seed = at % 5
            begin = time.monotonic()
            whole = searched(Path(folder, f"whole{at}"), seed)
            seconds = time.monotonic() - begin
            path = Path(folder, f"cut{at}")
            cut = searched(path, seed, rng.uniform(0, seconds)) or searched(path, seed)
            accepted = check.verdict(cut[2].encode())[0] == check.PROVED
            tally.add(cut[:2] != whole[:2] or not accepted, None, f"{whole[:2]} became {cut[:2]}")


@row("checkpoints that were cut, flipped or of other data: refused, or the same optimum", 300, 20)
def spoiled(tally, rng, n):
    X = np.random.default_rng(5).random((40, 3))
    right = certify(X, n_clusters=4, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a")
        certify(X, n_clusters=4, random_state=0, time_limit=0.3, checkpoint=path)
        content = path.read_bytes()
        for at in range(n):
            spoiled = bytearray(content)
            if at % 3 == 0:
                del spoiled[int(rng.integers(len(spoiled))) :]
            elif at % 3 == 1:
                spoiled[int(rng.integers(len(spoiled)))] ^= 1 << int(rng.integers(8))
            path.write_bytes(bytes(spoiled))
            own = X + 1e-9 if at % 3 == 2 else X
            try:
                found = certify(own, n_clusters=4, random_state=0, checkpoint=path)
            except (ValueError, OSError):
                tally.add(False)
                continue
            same = found.exact_inertia == right.exact_inertia and found.status == right.status
            tally.add(not same, None, f"{('cut', 'flipped', 'of other data')[at % 3]}: {found.status}")


FULL = """
import resource, signal, sys
import numpy as np
from ckmeans import certify
from ckmeans.proofs import checkpoint
checkpoint.EVERY = 0.05
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
X = np.random.default_rng(int(sys.argv[2])).random((60, 3))
print(certify(X, n_clusters=4, random_state=0, checkpoint=sys.argv[1]).status)
"""


@row("the disk is full while a checkpoint is written: the search goes on", 20, 2)
def full_disk(tally, rng, n):
    with tempfile.TemporaryDirectory() as folder:
        for at in range(n):
            done = subprocess.run(
                [sys.executable, "-c", FULL, str(Path(folder, f"a{at}")), str(at)],
                capture_output=True,
                text=True,
            )
            tally.add(not done.stdout.startswith("optimal"), None, done.stderr[-100:])
