"""Writes the page of the documentation from the recorded results."""

from statistics import median

from . import picture, results
from .cell import LONGEST, REPEAT, SCREEN, SHORT, SPAN
from .contenders import DEFAULT, FEW_FEATURES
from .table import approximate_texts, cell_values, significant, versus_texts
from .workloads import FULL_ITERATIONS, MOST_ITERATIONS

COMMAND = "python -m benchmarks.peers --json benchmarks/peers.json --page docs/benchmarks.md"
INTRODUCTION = """\
# Benchmarks

ckmeans beside the k-means of scikit-learn (Lloyd and Elkan), scikit-learn-intelex, FAISS and mlpack, on the same data, from
the same start, on the same threads{approximate}. This page is written by the command that measures: nothing in it is typed in.

A result is checked before its time counts. Labels of ours are compared with a search by brute force, in fractions where
float64 cannot tell, and every algorithm of ours has to give the same bits as the plain one. A peer has to end at the same
inertia and labels after as many iterations, up to rounding; one that does not is marked below and not compared with.
"""
APPROXIMATE = """; and, in a table of their own, beside programs that choose their own start, or whose labels
are not the exact nearest centers: SuperKMeans, FAISS's SuperKMeans and fastkmeanspp"""
EXPLANATION = """\
**The columns.** *Iterations*: updates of the centers that exact Lloyd makes from the start to its fixed point; a **+** says
that the runs end there without one. *Per iteration*: plain Lloyd, which keeps no bounds, ours (`algorithm="lloyd"`; with many features the bytes of
rows tell most labels) and the fastest plain peer's; the difference between a run of {short} iterations and one of {span} or more beyond, divided by their number,
so that set-up cancels. *To the end*: a whole call of `fit`, ours with the default `algorithm="auto"`, the peers with
whatever is fastest, bounds included. *Ratio*: the best peer's median time over ours, from the same process and the same
rounds, in which the contenders take turns; above 1 ours is faster. Medians are of {runs} runs or more, fewer where all together would take over {longest:.0f} s; a peer
whose first run took {repeat} times the best peer's ran once. *Computed*: share of the distances that the default did not spare by bounds. *Doubtful*: share of the labels
for which the scores could not tell, so that exact comparisons did. *GFLOP/s*: two operations for each row, center and feature
of a plain iteration; *of peak* compares it with the best rate of NumPy's matrix product of 1024 x 1024 on as many threads
({peak}).

**The data.** Blobs are spherical Gaussians of variance one and equal weight; their centers are Gaussian too, at the typical
distance {separations} standard deviations (in the order of the tables), so that they overlap and Lloyd's iteration takes some tens of
iterations. Noise is uniform on the unit cube. Colors are a generated photograph's: whole numbers from 0 to 255, some things of one
color each in light and shadow. Embeddings are of unit length, near a space of few dimensions and around some topics. These have no
fixed point within reach: all stop after {most} iterations at most, with k=4096 after 10. The start is k distinct rows drawn at random. Float32 and float64 hold the same numbers.

**The peers** get the start as `init`, `n_init=1`, `tol=0` and, as `max_iter`, the iterations that exact Lloyd makes. FAISS,
which has float32 only, is told not to subsample, and not to stop where its objective does not fall. mlpack converts float32 to float64; its trees (`dualtree`, `pelleg-moore`) are tried up to {few} features. Threads are set
by environment variables before a process starts, by `faiss.omp_set_num_threads` and by `daal4py.daalinit`.
"""


def markdown(header, rows):
    """A table; columns whose title begins with < are aligned to the left."""
    titles = [title.lstrip("<") for title in header]
    rule = ["---" if title.startswith("<") else "---:" for title in header]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (titles, rule, *rows))


def write(found, path):
    """Write the page, and its picture beside it.

    Parameters
    ----------
    found : dict
        The results, as the command writes them.
    path : Path
        Of the page; the picture's name is the page's, with "-growth.svg".
    """
    parts = [INTRODUCTION.format(approximate=APPROXIMATE if found.get("approximate") else "")]
    if found["plan"]["shrink"] != 1:
        parts += [f"**A look only: {found['plan']['shrink']:.3g} of the rows.**"]
    parts += ["## The machine", _machine(found)]
    for n_threads in found["plan"]["threads"]:
        cells = [cell for cell in found["cells"] if cell["threads"] == n_threads]
        if cells:
            words = results.threads(n_threads).capitalize()
            parts += [f"## {words}: ckmeans and the best peer", _ratios(cells, found["peak"])]
    parts += ["## Small data", _iris(found["iris"])] if found["iris"] else []
    if found.get("approximate"):
        parts += ["## With a start of their own, or approximate labels", _approximate(found["approximate"])]
    parts += ["## What the columns mean", _explanation(found)]
    if found["growth"]:
        drawing = path.with_name(f"{path.stem}-growth.svg")
        picture.draw(found["growth"], drawing)
        text = f"Ten iterations from given centers, float32, noise, {results.threads(found['growth'][0]['threads'])}."
        parts += [
            f"## Growth\n\n{text} Both axes are logarithmic.\n\n![Time against n, d and k]({drawing.name})"
        ]
    parts += ["## Peak memory", _memory(found["memory"])] if found["memory"] else []
    for n_threads in found["plan"]["threads"]:
        cells = [cell for cell in found["cells"] if cell["threads"] == n_threads]
        if cells:
            parts += [f"## Everybody's times, {results.threads(n_threads)}", _everybody(cells)]
    if found["cells"]:
        parts += ["## Are the results the same?", _checks(found["cells"])]
    parts += ["## How to repeat it", _repeat(found)]
    path.write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")


def _machine(found):
    machine = found["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    rows = [
        ("processor", f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"),
        ("system", f"{machine['system']}, {machine['python']}"),
        ("`ckmeans.show_config()`", "<br>".join(machine["config"])),
        ("commit", machine["commit"]),
        ("versions", packages),
        *((f"{program}", f"– {reason}") for program, reason in found["missing"].items()),
        ("load average", f"{machine['load']} before, {machine.get('load_at_end')} after"),
    ]
    return markdown(("<", "<"), rows)


def _ratios(cells, peak):
    header = (
        "<workload",
        "<data",
        "<dtype",
        "iterations",
        "ours, ms per iteration",
        "<best plain peer",
        "ratio",
        "ours, s to the end",
        "<best peer",
        "ratio",
        "computed",
        "doubtful",
        "GFLOP/s",
        "of peak",
    )
    rows = []
    for cell in cells:
        values = list(cell_values(cell, peak))
        del values[3]  # threads
        values[6], values[9] = (f"**{values[at]}**" if values[at] != "–" else "–" for at in (6, 9))
        rows.append(values)
    return markdown(header, rows)


def _iris(records):
    rows = []
    for record in records:
        ours, theirs, ratio = versus_texts(results.versus_iris(record), 1e6)
        others = ", ".join(
            f"{name} {significant(median(entry['seconds']) * 1e6)}"
            + ("" if entry["reached"] == 1 else f" (best value in {entry['reached']:.0%} of the fits)")
            for name, entry in record["contenders"].items()
            if name != DEFAULT
        )
        rows.append((record["dtype"], record["threads"], ours, theirs, f"**{ratio}**", others))
    header = ("<dtype", "threads", "ours, us", "<best peer, us", "ratio", "<everybody, us")
    return (
        "`KMeans(3, n_init=10).fit(iris)`, seeding, restarts and validation included, for seeds 0, 1, ... Ours goes on from "
        "each fixed point by exchanges of single rows, as it does by default; `ckmeans lloyd` does not.\n\n"
        + markdown(header, rows)
    )


def _approximate(records):
    names = list(dict.fromkeys(name for record in records for name in record["contenders"]))
    rows = [
        (
            record["workload"]["name"],
            record["data"],
            record["n_iter"],
            *(approximate_texts(record).get(name, "–") for name in names),
        )
        for record in records
    ]
    return (
        f"A whole call each, float32, {results.threads(records[0]['threads'])}: so many iterations from a start that the program "
        "chooses, rows at random, or k-means++ where ours says so and in fastkmeanspp; medians over seeds. SuperKMeans is told not to sample, "
        "not to stop early and not to work in levels; sq8 is its 8-bit form. FAISS is told not to sample and not to stop early. Each entry "
        "is the time, *(that time over ours)*, and the inertia over ours, from the same kind of start: a ratio of times above 1 says that "
        "ours is faster, one of inertias above 1 that ours is better. The inertia is that of the centers, each row counted with the "
        "nearest one, computed here for all alike.\n\n"
        + markdown(("<workload", "<data", "iterations", *(f"<{name}" for name in names)), rows)
    )


def _explanation(found):
    peaks = "; ".join(
        f"{results.threads(int(n_threads))}: {peak['float32']:.0f} in float32, {peak['float64']:.0f} in float64"
        for n_threads, peak in found["peak"].items()
    )
    separations = {
        cell["workload"]["name"]: cell["workload"]["separation"]
        for cell in found["cells"]
        if cell["data"] == "blobs"
    }
    return EXPLANATION.format(
        short=SHORT,
        span=SPAN,
        runs=found["plan"]["runs"],
        repeat=REPEAT,
        longest=LONGEST,
        few=FEW_FEATURES,
        peak=peaks,
        separations=", ".join(f"{separation:g}" for separation in separations.values()),
        most=(FULL_ITERATIONS if found["plan"]["full"] else MOST_ITERATIONS)["uniform"],
    )


def _memory(records):
    names = [name for name in records[0]["extra"] if any(name in record["extra"] for record in records)]
    rows = [
        (
            record["workload"],
            record["dtype"],
            f"{record['data'] / 1e6:.0f}",
            *(
                f"{record['extra'][name] / record['data']:.2f}" if name in record["extra"] else "–"
                for name in names
            ),
        )
        for record in records
    ]
    return (
        "What a fit of 20 iterations takes at its peak beyond the data and the libraries, as a share of the data; each in a "
        "fresh process.\n\n" + markdown(("<workload", "<dtype", "data, MB", *names), rows)
    )


def _everybody(cells):
    names = list(dict.fromkeys(name for cell in cells for name in cell["contenders"]))
    rows = []
    for cell in cells:
        values = []
        for name in names:
            entry = cell["contenders"].get(name, {})
            iteration = results.per_iteration(cell, name) if entry.get("plain") else None
            end = results.to_the_end(cell, name)
            each = [] if iteration is None else [f"{significant(iteration * 1e3)} ms"]
            each += [] if end is None else [f"{significant(end)} s"]
            values.append(" / ".join(each) or _excuse(entry))
        rows.append((cell["workload"]["name"], cell["data"], cell["dtype"], *values))
    return (
        "Per iteration (plain algorithms) / to the end.\n\n"
        + markdown(("<workload", "<data", "<dtype", *names), rows)
        + f"\n\n*slow*: took over {SCREEN} times the best peer's time for the first iterations, and ran no further."
    )


def _excuse(entry):
    """Why there is no time, in a word or two."""
    status = entry.get("status", "–")
    return status.split(":")[0] if status.startswith(("slow", "crashed", "failed")) else status


def _checks(cells):
    names = list(dict.fromkeys(name for cell in cells for name in cell["contenders"]))
    rows = []
    for name in names:
        entries = [cell["contenders"][name] for cell in cells if name in cell["contenders"]]
        count = [
            sum(entry.get("status") == word for entry in entries)
            for word in ("same", "rounding", "different")
        ]
        judged = [entry for entry in entries if entry.get("inertia_error") is not None]
        numbers = [
            max((abs(entry[key]) for entry in judged if entry[key] is not None), default=None)
            for key in ("labels_differ", "inertia_error", "reported_error")
        ]
        rows.append((name, *count, *("–" if number is None else f"{number:.1g}" for number in numbers)))
    header = (
        "<",
        "same labels",
        "same but for rounding",
        "another result",
        "labels that differ, at most",
        "inertia off by, at most",
        "inertia reported off by, at most",
    )
    return (
        "Cells in which a contender ended with the labels of exact Lloyd after as many iterations; with others, as its rounding "
        "led it elsewhere on the way; or with something else. The last columns are shares: of labels; of the inertia that its "
        "labels and centers make, computed here in float64, against that of exact Lloyd; and of the inertia it reports against "
        "the one its labels and centers make.\n\n" + markdown(header, rows)
    )


def _repeat(found):
    return f"""\
```
pip install -e . --group bench     # the peers, each of which may be missing
{COMMAND}
```

`--quick` gives a look in less than a minute, `--full` runs everything to convergence on one thread too, and `--help` tells the
rest. The figures of this page are in `benchmarks/peers.json`; `--render` writes the page from them again. Rates of a machine
that does something else meanwhile mean little: look at the load average before the run, above."""
