"""Faults that are planted in the solvers, one at a time: what they find is refused or seen to be wrong, and never an accepted proof."""

import json
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec

from .rows import row

# Module, what stands there, and the fault in its place.
FAULTS = [
    (
        "exact.branch",
        "limit = self.float(cost) + self.margin",
        "limit = (self.float(cost) + self.margin) / 2",
    ),
    ("exact.branch", "squares += square", "squares += 0"),
    ("exact.branch", "return squares - explained", "return squares - 2 * explained"),
    ("exact.semidefinite", "top = rounded(V, root)", "top = rounded(2 * V, root)"),
    ("exact.branch", "Fraction(total**2, size**2 * most)", "Fraction(total**2, 9 * size**2 * most)"),
    ("exact.branch", "+= suffix[first + 1 :]", "+= 9 * suffix[first + 1 :]"),
    ("exact.branch", "[a + b for a, b in zip(held[1], values)]", "[a - b for a, b in zip(held[1], values)]"),
    ("exact.branch", "w * sum(v * v for v in x))", "sum(v * v for v in x))"),
    ("exact.partitions", "np.minimum(table.n_open + 1, k)", "np.minimum(table.n_open + 1, k - 1)"),
    ("exact.partitions", "self.top = max(self.top, score)", "self.top = min(self.top, score)"),
    ("exact.partitions", "np.maximum(table.n_open[parent], label + 1)", "label + 1"),
    ("exact.partitions", "return self.top - 2 * self.walk.margin", "return self.top + 2 * self.walk.margin"),
    ("proofs.turned", "loss = Fraction(((1 << fine) + 1) * n_axes, 4)", "loss = Fraction(0)"),
    ("exact.semidefinite", "mu = [own + (w * along", "mu = [own - (w * along"),
    ("exact.semidefinite", "mu = [round(Fraction(x) * size)", "mu = [round(Fraction(-x) * size)"),
    ("exact.semidefinite", "tau = math.ceil(Fraction(tau) * size)", "tau = -math.ceil(Fraction(tau) * size)"),
    ("exact.semidefinite", "root = math.isqrt(math.floor(size))", "root = 3 * math.isqrt(math.floor(size))"),
    ("exact.univariate", "_Table(rows, line, own, variances)", "_Table(rows[::-1], line, own, variances)"),
    ("proofs.turned", "- n_clusters * most", "- (n_clusters - 1) * most"),
    ("exact.columns", "return min([node.bound", "return max([node.bound"),
    ("exact.prices", "upper = bounds.max()", "upper = bounds.min()"),
    ("exact.univariate", "n_runs = min(k, line.n_distinct)", "n_runs = min(k - 1, line.n_distinct)"),
    (
        "exact.univariate",
        "n_runs = min(k, self.line.n_distinct)",
        "n_runs = min(k - 1, self.line.n_distinct)",
    ),
    ("proofs.problem", "self.weights[at] += weight", "self.weights[at] = weight"),
    ("proofs.turned", "weights = [sum(problem.weights[row]", "weights = [2 * sum(problem.weights[row]"),
    ("exact.univariate", "tried = {k: table.breaks(k) for", "tried = {k: table.breaks(max(1, k - 1)) for"),
    ("proofs.turned", "most = math.ceil(level * problem.unit", "most = math.ceil(level / 2 * problem.unit"),
    ("proofs.proof_lines", "*map(_ratio, suffix)]", "*map(_ratio, suffix[::-1])]"),
    ("proofs.turned", "own = [math.floor(price * 4", "own = [math.floor(2 * price * 4"),
    ("rationals", "return (self._squares - explained)", "return (self._squares - 2 * explained)"),
]
METHODS = (None, ["prices"], ["sdp"], ["pca"], ["tree"], ["line"], ["sum"])


class Planted:
    """Finds the module, and reads it with the fault."""

    def __init__(self, module, old, new):
        self.module, self.old, self.new = f"ckmeans.{module}", old, new

    def find_spec(self, name, path=None, target=None):
        if name != self.module:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        source = spec.loader.get_source(name)
        if source.count(self.old) != 1:
            raise SystemExit(f"{self.old!r} stands {source.count(self.old)} times in {name}")
        spec.loader = _Loader(name, spec.origin)
        spec.loader.text = source.replace(self.old, self.new)
        return spec


class _Loader(SourceFileLoader):
    def get_code(self, name):
        return compile(self.text, self.path, "exec")


def said(fault, n):
    """What every solver says of n problems, and what was accepted though it is wrong."""
    if fault is not None:
        sys.meta_path.insert(0, Planted(*FAULTS[fault]))
    import numpy as np

    from ckmeans import certify, check, exhaustive_search, natural_breaks, reference
    from ckmeans.proofs.portfolio import prove

    told, wrong, rng = [], [], np.random.default_rng(0)
    for at in range(n):
        size, d, k = int(rng.integers(6, 9)), int(rng.integers(1, 3)), int(rng.integers(2, 4))
        X = rng.integers(0, 9, (size, d)).astype(float) if at % 2 else rng.normal(size=(size, d))
        weights = rng.integers(1, 4, size).astype(float)
        best = reference.best_partition(X.tolist(), k, weights.tolist())[1]
        for methods in METHODS:
            proof = prove(
                X, k, sample_weight=weights, rng=np.random.default_rng(0), time_limit=5, methods=methods
            )
            accepted, words = check.verdict(proof.text().encode())
            told.append([accepted, words])
            lower = (
                float(words.replace(",", " ").split("bound ")[1].split()[0])
                if accepted == check.PROVED
                else 0.0
            )
            if accepted == check.PROVED and lower > best * (1 + 1e-6):
                wrong.append(words)
        told.append([certify(X, n_clusters=k, sample_weight=weights, random_state=0, time_limit=5).status])
        told.append(
            [float(exhaustive_search(X, k, sample_weight=weights).inertia) > float(best) * (1 + 1e-9)]
        )
        told.append([float(natural_breaks(X[:, 0], k, sample_weight=weights).inertia)])
    return told, wrong


def in_a_child(fault, n):
    """The same in a process of its own; None where an error ended it."""
    code = f"import json; from benchmarks.trust.faults import said; print(json.dumps(said({fault}, {n})))"
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        return None, "goes on for ever"
    if done.stderr.rstrip().endswith("times in ckmeans." + (FAULTS[fault][0] if fault is not None else "")):
        raise ValueError(done.stderr)
    return (json.loads(done.stdout), "") if done.returncode == 0 else (None, done.stderr[-200:])


@row("faults planted in the solvers: what they do is seen, and no wrong proof is accepted", len(FAULTS), 6)
def planted_faults(tally, rng, n):
    right = in_a_child(None, 4)[0]
    for fault in rng.permutation(len(FAULTS))[:n].tolist():
        found = in_a_child(fault, 4)[0]
        if found is None:
            tally.add(False)
        else:
            tally.add(
                bool(found[1]) or found[0] == right[0],
                None,
                f"{FAULTS[fault]}: {found[1][:1] or 'not noticed'}",
            )
