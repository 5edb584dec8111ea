"""What is made before the pages are: proofs for the data that scikit-learn ships, their table, the pictures, what the command
prints and its help, and a page as its --report writes it.

    python docs/prepare.py FOLDER

The proofs are kept: to make them anew, delete the folder.
"""

import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from itertools import chain
from pathlib import Path

import pictures

NAMES = {"iris": "Iris, 150 x 4", "wine": "Wine, 178 x 13"}
NUMBERS = range(2, 11)
# The visit that docs/command.rst makes: one after the other, in one folder.
STORY = {
    "fit": "ckmeans fit iris -k 3",
    "prove": "ckmeans fit iris -k 3 --prove --proof iris.ckc --model model.json --out labels.csv",
    "check": "ckmeans check iris.ckc iris",
    "choose": "ckmeans choose iris --range 2:6",
    "landscape": "ckmeans landscape iris -k 3 --plot minima.png",
    "predict": "ckmeans predict model.json iris --out next.csv",
    "breaks": "ckmeans breaks iris petal_length_cm -k 3",
}
RECORDED = "benchmarks", "default", "proved"  # pages that the commands in benchmarks/ write


def everything(folder):
    """Fill the folder: files/*.ckc for the site, and *.inc for the pages."""
    files = folder / "files" / "proofs"
    files.mkdir(parents=True, exist_ok=True)
    if not (folder / "proved.inc").exists():
        write(folder / "proved.inc", "\n".join(proved(files)))
    write(folder / "help.inc", "\n".join(helped()))
    story(folder)
    numbers(folder)
    pictures.everything(folder)
    report(folder / "files" / "iris-report.html")
    recorded = [name for name in RECORDED if (folder.parent / f"{name}.md").exists()]
    said = (
        "Results that were recorded:"
        if recorded
        else "There are no recorded results in this copy of the documentation."
    )
    toctree = ["", ":::{toctree}", *(f"/{name}" for name in recorded), ":::"] if recorded else []
    write(folder / "recorded.inc", "\n".join([said, *toctree]))


def write(path, text):
    """At the end, so that what is there is complete."""
    path.write_text(text + "\n", encoding="utf-8")


def proved(files):
    """Lines of the table of proved optima; the checker accepts each of the proofs, or there is no table."""
    from sklearn import datasets

    from ckmeans import certify, check

    yield from (".. list-table::", "   :header-rows: 1", "   :widths: auto", "")
    yield from row("data", "clusters", "optimal inertia", "the only one", "proof", "size")
    for name, title in NAMES.items():
        X = getattr(datasets, f"load_{name}")().data
        for k in NUMBERS:
            path = files / f"{name}-{k}.ckc"
            certificate = certify(X, n_clusters=k, time_limit=None, random_state=0)
            certificate.save(path)
            if check.main([str(path)]) != 0 or certificate.status == "bounded":
                raise SystemExit(f"{path} does not prove it: {certificate}")
            link = f"`{path.name} <../proofs/{path.name}>`__"
            only = "yes" if certificate.status == "optimal-unique" else "not said"
            size = f"{path.stat().st_size / 1000:.0f} kB"
            yield from row(title, k, f"{certificate.inertia:.10g}", only, link, size)


def report(path):
    """A page as `ckmeans fit --report` writes it."""
    from ckmeans.command.cli import cli

    words = ["fit", "iris", "-k", "3", "--prove", "--quiet", "--report", str(path)]
    if not path.exists():
        cli.main(words, standalone_mode=False)


def story(folder):
    """What each command of the visit prints."""
    if (folder / f"story-{list(STORY)[-1]}.inc").exists():
        return
    environment = os.environ | {"COLUMNS": "88", "PYTHONIOENCODING": "utf-8"}
    with tempfile.TemporaryDirectory() as room:
        for name, line in STORY.items():
            command = [sys.executable, "-m", *shlex.split(line)]
            done = subprocess.run(command, cwd=room, env=environment, capture_output=True, encoding="utf-8")
            if done.returncode:
                raise SystemExit(f"{line}: {done.stderr}")
            shown = [f"$ {line}", *chain.from_iterable(map(folded, done.stdout.rstrip().splitlines()))]
            block = [".. code-block:: text", "", *(f"   {said}".rstrip() for said in shown)]
            write(folder / f"story-{name}.inc", "\n".join(block))


def folded(line, width=88):
    """A long line as a terminal has it: on several."""
    return textwrap.wrap(line, width) if len(line) > width else [line]


def numbers(folder):
    """Three numbers for the landing page, and a sentence, from the recorded results; nothing where there are none."""
    proofs, ratios, cells = folder.parent / "proved.md", [], []
    if proofs.exists():
        accepted = re.search(r"accepted\s+(\d+ of \d+) proofs", proofs.read_text(encoding="utf-8"))[1]
        cells.append((accepted, "proofs of recorded results accepted by the checker (:doc:`proved`)"))
    if (folder.parent / "benchmarks.md").exists():
        ratios = [ratio for _, ratio in pictures.ratios()]
        fast = f"{math.floor(10 * min(ratios)) / 10} to {math.floor(max(ratios))} times"
        of = "as fast as the fastest of four other libraries, to the same end"
        cells.append((fast, f"{of}, on {len(ratios)} workloads (:doc:`benchmarks`)"))
        write(folder / "speed.inc", f"`KMeans` is {fast} {of}, on each of {len(ratios)} workloads.")
    else:
        write(folder / "speed.inc", "")
    checks = "of Python's standard library checks a proof in whole numbers, without ckmeans (:doc:`checking`)"
    lines = [".. container:: numbers", ""]
    for number, said in [*cells, ("one file", checks)]:
        lines += ["   .. container:: number", "", f"      **{number}**", "", f"      {said}", ""]
    write(folder / "numbers.inc", "\n".join(lines))


def row(first, *others):
    yield f"   * - {first}"
    yield from (f"     - {cell}" for cell in others)


def helped():
    """The help of the command and its parts, as it is printed."""
    import click

    from ckmeans.command.cli import cli

    for name in (None, *cli.commands):
        command, title = (
            cli if name is None else cli.commands[name],
            "ckmeans" + f" {name}" * (name is not None),
        )
        with click.Context(command, info_name=title, max_content_width=88, terminal_width=88) as context:
            text = command.get_help(context)
        yield from (title, "~" * len(title), "", ".. code-block:: text", "")
        yield from (f"   {line}".rstrip() for line in text.splitlines())
        yield ""


if __name__ == "__main__":
    everything(Path(sys.argv[1]))
