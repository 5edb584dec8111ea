"""Files that someone else wrote: models, checkpoints, proofs and summaries that were changed run no code, open no file, import nothing."""

import codecs
import gzip
import hashlib
import io
import json
import random
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas
from scipy import sparse

from ckmeans import (
    BisectingKMeans,
    Certificate,
    KMeans,
    SphericalMixture,
    Summary,
    certify,
    check,
    check_parts,
    check_summary,
    load_model,
    save_model,
    summarize,
)
from ckmeans.command.tables import read_table
from ckmeans.proofs import certification, checkpoint
from ckmeans.proofs.proof_lines import sealed

from .rows import row

# Events of Python that tell of code that runs, and of doors to the rest of the machine (PEP 578); "compile" is ast.literal_eval, too,
# which NumPy reads headers with.
EVENTS = {
    "exec",
    "import",
    "open",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "pickle.find_class",
}
EVENTS |= {
    "marshal.loads",
    "ctypes.dlopen",
    "socket.connect",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "shutil.rmtree",
}
_watch = {"folder": None, "seen": []}


def _hook(event, args):
    if _watch["folder"] is None or event not in EVENTS:
        return
    own = str(args[0]) if args else ""
    if event in ("open", "os.remove", "os.rename") and own.startswith((_watch["folder"], "/proc/", "/sys/")):
        return
    _watch["seen"].append(f"{event} {own[:60]}")


def watched(folder, call):
    """What a call gives, or its error, and the events meanwhile."""
    _watch.update(folder=str(folder), seen=[])
    try:
        found = call()
    except Exception as error:
        found = error
    finally:
        _watch["folder"] = None
    return found, _watch["seen"]


def read_model(path, X):
    return load_model(path).predict(X)


def read_checkpoint(path, X):
    return certify(X, n_clusters=3, random_state=0, time_limit=2, checkpoint=path)


# Steps of the checker: what it does before it refuses is not more of the kind that is tried here.
STEPS = 1 << 20


def few_steps(verdict, content):
    """A verdict for which the checker takes only so many steps."""
    before, check.LIMIT = check.LIMIT, STEPS
    try:
        return verdict(content)
    finally:
        check.LIMIT = before


def read_proof(path, X):
    code, said = few_steps(check.verdict, path.read_bytes())
    if code not in range(4):
        raise RuntimeError(said)
    return Certificate.load(path)


def read_summary(path, X):
    found = Summary.load(path)
    return KMeans(2, random_state=0).fit(found).cluster_centers_, found.partial_fit(X)


def read_summary_proof(path, X):
    code, said = few_steps(check_summary.verdict, path.read_bytes())
    if code not in range(4):
        raise RuntimeError(said)


def read_parts(path, X):
    code, said = few_steps(check_parts.verdict, path.parent)
    if code not in range(4):
        raise RuntimeError(said)


def read_compared(path, X):
    """A folder of proofs that is as it was, beside data that are not."""
    code, said = check_parts.verdict(path.parent / "parts", [path])
    if code not in range(4):
        raise RuntimeError(said)


def read_data(path, X):
    return read_table(str(path))


def read_rows(path, X):
    return KMeans(2, n_init=1, random_state=0).fit(str(path)).labels_


def tables(folder, X):
    """Data files as the command reads them."""
    text = "width;height\n" + "".join(f"{a:.4f};{b:.4f}\n" for a, b in X)
    (folder / "data.csv").write_text(text)
    (folder / "data.csv.gz").write_bytes(gzip.compress(text.encode()))
    np.save(folder / "data.npy", X)
    np.savez(folder / "data.npz", X)
    sparse.save_npz(folder / "data_sparse.npz", sparse.csr_array(np.where(X > 0, X, 0)))
    if find_spec("pyarrow"):
        pandas.DataFrame(X, columns=["width", "height"]).to_parquet(folder / "data.parquet")
    for path in sorted(folder.glob("data*")):
        yield path, read_data
        if path.suffix in (".npy", ".parquet"):
            yield path, read_rows


def written(folder, X):
    """Files as they are, and how each is read."""
    for at, model in enumerate((KMeans(3), BisectingKMeans(3), SphericalMixture(2))):
        save_model(model.set_params(random_state=0).fit(X), folder / f"model{at}", X)
        yield folder / f"model{at}", read_model
    before, checkpoint.EVERY = checkpoint.EVERY, 0.0
    certify(X, n_clusters=3, random_state=0, checkpoint=folder / "checkpoint", time_limit=0.05)
    checkpoint.EVERY = before
    if (folder / "checkpoint").exists():
        yield folder / "checkpoint", read_checkpoint
    certify(X, n_clusters=3, random_state=0).save(folder / "proof")
    yield folder / "proof", read_proof
    summary = summarize([X], 12)
    summary.save(folder / "summary")
    yield folder / "summary", read_summary
    summary = summarize([X[:12, :1]], 12)
    certify(summary, KMeans(2, random_state=0).fit(summary), time_limit=None).save(folder / "summary_proof")
    yield folder / "summary_proof", read_summary_proof
    yield from tables(folder, X)
    kmeans, size = KMeans(2, n_init=1, random_state=0).fit(X), certification.MOST_GATHERED
    certification.MOST_GATHERED = 0
    for name in ("parts", "changed"):
        certify([folder / "data.npy"], kmeans, folder=folder / name, n_threads=1)
    certification.MOST_GATHERED = size
    yield folder / "data.npy", read_compared
    yield folder / "changed" / check_parts.INDEX, read_parts


ODD = [
    "-1",
    "1e400",
    "NaN",
    "null",
    "[]",
    "{}",
    '"__import__"',
    str(2**63),
    "0",
    '{"float": "x"}',
    "1" * 4000,
]


def bent(content, draw):
    """The bytes with some of them changed, words exchanged, or cut."""
    content = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        at, kind = draw.randrange(len(content) + 1), draw.randrange(5)
        if kind == 0 and content:
            content[at % len(content)] = draw.randrange(256)
        elif kind == 1:
            content[at : at + draw.randrange(1, 9)] = b""
        elif kind == 2:
            content[at:at] = draw.choice(ODD).encode()
        elif kind == 3:
            other = draw.randrange(len(content) + 1)
            content[at:at] = content[other : other + draw.randrange(1, 40)]
        elif draw.random() < 0.1:
            del content[at:]
    return bytes(content)


def _bent_json(value, draw, chance):
    if draw.random() < chance:
        return json.loads(draw.choice([own for own in ODD if own != "1e400"]))
    if isinstance(value, dict):
        return {
            key: _bent_json(own, draw, chance) for key, own in value.items() if draw.random() > chance / 4
        }
    return [_bent_json(own, draw, chance) for own in value] if isinstance(value, list) else value


def changed(path, content, draw):
    """A changed file, most of them with check sums that fit, so that what is inside is read."""
    if draw.random() < 0.2 or path.name.startswith("data.") and path.suffix not in (".gz", ".npz"):
        return bent(content, draw)
    if path.suffix == ".gz":
        return gzip.compress(bent(gzip.decompress(content), draw))
    if path.name.startswith("model"):
        return (
            json.dumps(_bent_json(json.loads(content), draw, 0.02)).encode()
            if draw.random() < 0.7
            else bent(content, draw)
        )
    if path.name == "checkpoint":
        body = content.partition(b"\n")[2]
        body = (
            json.dumps(_bent_json(json.loads(body), draw, 0.02)).encode()
            if draw.random() < 0.7
            else bent(body, draw)
        )
        return checkpoint.WORD.encode() + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    if path.name == "summary" or path.suffix == ".npz":
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
            chosen = draw.choice(old.namelist())
            for name in old.namelist():
                new.writestr(name, bent(old.read(name), draw) if name == chosen else old.read(name))
        return out.getvalue()
    lines = content.decode().splitlines()[:-1]
    at = draw.randrange(1, len(lines))
    lines[at] = bent(lines[at].encode(), draw).decode("ascii", "replace").replace("\n", " ")
    return sealed(lines).encode("ascii", "replace")


@row(
    "models, checkpoints, proofs, summaries and data, changed: refused or read; nothing run, opened or imported",
    20_000,
    1000,
)
def hostile_files(tally, rng, n):
    sys.addaudithook(_hook)
    draw, X = random.Random(int(rng.integers(2**31))), rng.normal(size=(40, 2))
    with tempfile.TemporaryDirectory() as folder:
        known = [(path, path.read_bytes(), read) for path, read in written(Path(folder), X)]
        for path, _, read in known:  # what is imported when it is needed first
            read(path, X)
        for encoding in ("latin-1", "cp1252", "utf-16", "utf-32"):
            codecs.lookup(encoding)
        for at in range(n):
            path, content, read = known[at % len(known)]
            path.write_bytes(changed(path, content, draw))
            found, seen = watched(folder, lambda read=read, path=path: read(path, X))
            odd = isinstance(found, Exception) and not isinstance(found, (ValueError, OSError))
            tally.add(
                odd or bool(seen),
                None,
                f"{path.name}: {type(found).__name__}: {str(found)[:100]}; {seen[:3]}",
            )
