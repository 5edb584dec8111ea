"""Mutants of the compiled loops: one operator or number of src/ is changed at a time, and the tests of a module are to notice.

    python -m benchmarks.trust.compiled_mutants FOLDER [--only MODULE ...] [--n N] [--seed N]

Modules take turns; a mutant is of the module's .pyx or of any header it includes, and only this module is built with it, in FOLDER,
at -O1. Prints what was not noticed. Not counted: what does not compile, and what compiles to the same code.
"""

import argparse
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path

from .harmless import COMPILED

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "src").glob("*.pyx"))
# What tests a module, where that is not the file of its name, or more than it.
TESTS = {
    "inverted": ["local/test_sparse.py", "local/test_spherical.py"],
    "lloyd": ["local/test_lloyd.py", "local/test_rows.py"],
    "minima": ["diagnostics/test_minima.py"],
    "panels": ["local/test_panels.py", "local/test_distance_bounds.py"],
    "seeding": ["local/test_seeding.py", "local/test_oversampling.py"],
}
# Of the processor, for the tests of a mutant, or TIMES what they take as it should be; and on the clock, if threads wait for each other.
SECONDS, TIMES, HANGS = 60, 3, 1800
COMMENTS = {
    True: r'/\*[\s\S]*?\*/|//[^\n]*|"[^"\n]*"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*',  # of C, with what is for the preprocessor
    False: r'"""[\s\S]*?"""|"[^"\n]*"|#[^\n]*|^cdef extern [^\n]*(?:\n    [^\n]*)*',
}
LENGTHS = r"^[ \t]*(?:cdef |const |static )*(?:REAL|VEC|char|double|float|int|(?:long )+long|u?int\d+_t|ptrdiff_t|Py_ssize_t) \w+(?:\[\w+\])+"
PAIRS = "< <=, > >=, == !=, + -, += -=, << >>, and or, && ||, & |"
SWAPPED = {a: b for pair in PAIRS.split(", ") for a, b in (pair.split(), pair.split()[::-1])} | {
    "*": "+",
    "/": "*",
}
SWAPPED |= {"MIN": "MAX", "MAX": "MIN", "break": "continue"}
OPERATOR = re.compile(
    r"(?<= )(?:[<>]=?|[=!]=|[-+*/]|[-+]=|<<|>>|&&?|\|\|?|and|or)(?= )|\b(?:MIN|MAX)(?=\()|\bbreak\b"
)
NUMBER = re.compile(r"(?<![\w.:])(?<!\de-)\d+(?![\w.])")


def included(name, known=()):
    """The files of src/ that a file takes in, itself first."""
    found = [*known, name]
    text = (ROOT / "src" / name).read_text(encoding="utf-8")
    for word in re.findall(r"^from (\w+) cimport", text, re.MULTILINE):
        found = (
            included(f"{word}.pxd", found)
            if (ROOT / "src" / f"{word}.pxd").exists() and f"{word}.pxd" not in found
            else found
        )
    for word in re.findall(r'"(\w+\.(?:h|pxi))"', text):
        own = f"simd/{word}" if word.endswith(".h") else word
        found = included(own, found) if (ROOT / "src" / own).exists() and own not in found else found
    return found


def places(name):
    """What can be changed in a file: where it begins, what it is, and what it becomes."""
    text = (ROOT / "src" / name).read_text(encoding="utf-8")
    for pattern in (COMMENTS[name.endswith(".h")], LENGTHS):
        text = re.sub(pattern, lambda own: re.sub(r"[^\n]", "_", own[0]), text, flags=re.MULTILINE)
    for own in OPERATOR.finditer(text):
        yield name, own.start(), own[0], SWAPPED[own[0]]
    for own in NUMBER.finditer(text):
        for more in (1, -1) if int(own[0]) else (1,):
            yield name, own.start(), own[0], str(int(own[0]) + more)


def mutants(only, n, seed):
    """Modules in turn, with one place each."""
    rng, known = random.Random(seed), {}
    for module in islice(cycle(rng.sample(only, len(only))), n):
        if module not in known:
            known[module] = [place for name in included(f"{module}.pyx") for place in places(name)]
        if known[module]:
            yield module, *known[module].pop(rng.randrange(len(known[module])))


def prepared(folder):
    """A copy of what is built, with the modules that are built already."""
    folder.mkdir(parents=True)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("src", "ckmeans"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyx"))


def built(folder, module, changed=None):
    """The code of a module, with one file changed; None if it does not compile."""
    for path in (folder / "src").glob("*.pyx"):
        path.unlink()
    shutil.copy2(ROOT / "src" / f"{module}.pyx", folder / "src")
    for path in [*folder.glob(f"ckmeans/_kernels/{module}.*so"), *folder.glob(f"build/lib*/**/{module}.*so")]:
        path.unlink()  # whatever the dates of its sources
    if changed:
        name, at, old, new = changed
        text = (ROOT / "src" / name).read_text(encoding="utf-8")
        (folder / "src" / name).write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")
    environment = os.environ | {"CKMEANS_FLAGS": os.environ.get("CKMEANS_FLAGS", "-O1")}
    call = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(call, cwd=folder, env=environment, capture_output=True)
    if changed:
        shutil.copy2(ROOT / "src" / changed[0], folder / "src" / changed[0])
    if changed and not changed[0].endswith(".h"):  # else what Cython has written is right for the next one
        (folder / "build" / "cython" / "src" / f"{module}.c").unlink(missing_ok=True)
    made = [*(folder / "ckmeans" / "_kernels").glob(f"{module}.*so")]
    return made[0].read_bytes() if made else None


def passes(folder, module, seconds):
    """Whether the tests of a module pass with what is built in a folder; None if they take longer than they may."""
    names = TESTS.get(
        module, [str(path.relative_to(ROOT / "tests")) for path in ROOT.glob(f"tests/**/test_{module}.py")]
    )
    call = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *(f"tests/{name}" for name in names),
    ]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    limit = partial(resource.setrlimit, resource.RLIMIT_CPU, (seconds, seconds))
    try:
        done = subprocess.run(
            call, cwd=ROOT, env=environment, capture_output=True, timeout=HANGS, preexec_fn=limit
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
        return None
    if done.returncode not in (0, 1, 2) and done.returncode >= 0:
        raise RuntimeError(done.stdout.decode() + done.stderr.decode())
    return done.returncode == 0


def restore(folder, module):
    """Put the module back as it should be."""
    for path in (ROOT / "ckmeans" / "_kernels").glob(f"{module}.*so"):
        shutil.copy2(path, folder / "ckmeans" / "_kernels")


def notices(folder, module, place):
    """Whether the tests of a module notice what is built: they fail, or take TIMES what they take else."""
    fine = passes(folder, module, SECONDS)
    if fine is None:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        restore(folder, module)
        if not passes(folder, module, 60 * SECONDS):
            raise RuntimeError(f"the tests of {module} fail as it is")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        usual = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if TIMES * usual > SECONDS:
            built(folder, module, place)
            fine = passes(folder, module, int(TIMES * usual))
    return not fine


def shown(name, at, old, new):
    """The line of a mutant, what it was, and what it is."""
    text = (ROOT / "src" / name).read_text(encoding="utf-8")
    begin, end = text.rfind("\n", 0, at) + 1, text.index("\n", at)
    return (
        text.count("\n", 0, at) + 1,
        text[begin:end].strip(),
        (text[begin:at] + new + text[at + len(old) : end]).strip(),
    )


@cache
def as_it_is(folder, module):
    """The code of a module as it should be."""
    return built(folder, module)


def judged(folder, module, place):
    """What became of a mutant, in a word, and why it is harmless if that is known."""
    _, before, after = shown(*place)
    for (name, old, new), reason in COMPILED.items():
        if name == place[0] and old in before and new in after:
            return "harmless", reason
    code = as_it_is(folder, module)
    made = built(folder, module, place)
    if made is None:
        word = "does not compile"
    elif made == code:
        word = "the same code"
    else:
        word = "noticed" if notices(folder, module, place) else "alive"
    restore(folder, module)
    return word, ""


def main(args=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="is made, and holds the builds")
    parser.add_argument("--only", nargs="+", choices=MODULES, default=MODULES)
    parser.add_argument("--n", type=int, default=len(MODULES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="tell of those that are noticed, too")
    options = parser.parse_args(args)
    prepared(options.folder.resolve())
    counts = Counter()
    for module, *place in mutants(options.only, options.n, options.seed):
        word, reason = judged(options.folder.resolve(), module, place)
        counts[word] += 1
        if options.all or word == "alive":
            line, before, after = shown(*place)
            print(
                f"{word}: {module}, {place[0]}:{line}: {before} -> {after}{reason and '  # ' + reason}",
                flush=True,
            )
    print(
        f"{counts['noticed']} of {counts['noticed'] + counts['alive']} mutants were noticed; {dict(counts)}",
        flush=True,
    )


if __name__ == "__main__":
    main()
