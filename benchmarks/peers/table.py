"""What the command prints: a line for each cell as soon as it is measured."""

from statistics import median

from . import results

COLUMNS = (
    ("workload", 17),
    ("data", 7),
    ("dtype", 7),
    ("thr", 3),
    ("iter", 5),
    ("ms/iter", 8),
    ("best plain peer", 27),
    ("ratio", 6),
    ("s to end", 8),
    ("best peer", 27),
    ("ratio", 6),
    ("computed", 8),
    ("doubtful", 8),
    ("GFLOP/s", 7),
    ("of peak", 7),
)


def _line(values):
    left = ("workload", "data", "dtype", "best plain peer", "best peer")
    parts = (
        f"{value:{'<' if title in left else '>'}{width}}" for value, (title, width) in zip(values, COLUMNS)
    )
    print("  ".join(parts).rstrip(), flush=True)


def significant(value, digits=3):
    """A number rounded to `digits` significant digits, without an exponent."""
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{float(text):.9f}".rstrip("0").rstrip(".")


def ratio(versus):
    """The ratio to a best peer, in two digits or so."""
    return "–" if versus is None else f"{versus.ratio:.0f}" if versus.ratio >= 100 else f"{versus.ratio:.2f}"


def versus_texts(versus, unit):
    """Ours, the best peer and its time, and the ratio."""
    if versus is None:
        return "–", "–", "–"
    theirs = f"{versus.peer} {significant(versus.theirs * unit)}"
    return significant(versus.ours * unit), theirs, ratio(versus)


def cell_values(cell, peak):
    """The values of a cell, as text, in the order of COLUMNS."""
    rate, exactness = results.gflops(cell), cell["exactness"]
    ours = results.per_iteration(cell, "ckmeans lloyd"), results.to_the_end(cell, "ckmeans")
    first = versus_texts(results.versus(cell, results.per_iteration), 1e3)
    last = versus_texts(results.versus(cell, results.to_the_end), 1)
    if first[0] == "–" and ours[0]:
        first = significant(ours[0] * 1e3), "–", "–"
    if last[0] == "–" and ours[1]:
        last = significant(ours[1]), "–", "–"
    share = None if rate is None else rate / peak[str(cell["threads"])][cell["dtype"]]
    return (
        cell["workload"]["name"],
        cell["data"],
        cell["dtype"],
        str(cell["threads"]),
        str(cell["n_iter"]) + ("" if cell["converged"] else "+"),
        *first,
        *last,
        f"{exactness['computed_share']:.1%}",
        f"{exactness['doubtful_share']:.2g}",
        "–" if rate is None else f"{rate:.0f}",
        "–" if rate is None else f"{share:.0%}",
    )


def show_cell(cell, peak):
    """Print a cell, and below it who is not compared, and why."""
    if not show_cell.begun:
        _line([title for title, _ in COLUMNS])
        show_cell.begun = True
    _line(cell_values(cell, peak))
    for name, entry in cell["contenders"].items():
        status = entry.get("status", "not run")
        if status not in results.VALID and not status.startswith(("slow", "float32 only")):
            print(f"  {name}: {status} {entry.get('faults', '')}")


show_cell.begun = False


def show_iris(record):
    """Print the fits of iris."""
    versus = results.versus_iris(record)
    ours, theirs, ratio_ = versus_texts(versus, 1e6)
    print(
        f"iris {record['dtype']}, {results.threads(record['threads'])}, k=3, n_init=10: ckmeans {ours} us, "
        f"best peer {theirs} us, ratio {ratio_}",
        flush=True,
    )


def approximate_texts(record):
    """For each trainer its time, by how much ours is faster, and its inertia over ours; or why there is none.

    What has the start of k-means++ is compared with ours from that start.
    """
    entries = record["contenders"]
    ours = {entry["start"]: entry for entry in entries.values() if entry["ours"] and entry["inertia"]}
    texts = {}
    for name, entry in entries.items():
        base = ours.get(entry["start"])
        if "status" in entry or not entry["inertia"]:
            texts[name] = entry.get("status", "not run").split(":")[0]
            continue
        seconds, found = median(entry["seconds"]), median(entry["inertia"])
        texts[name] = f"{significant(seconds)} s"
        if base is not None and base is not entry:
            # Of the seeds that both have: a slow one has run once.
            n = len(entry["inertia"])
            texts[name] += (
                f" ({seconds / median(base['seconds']):.2f}), {found / median(base['inertia'][:n]):.5f}"
            )
    return texts


def show_approximate(record):
    """Print the times, ratios and inertias of the peers with a start of their own."""
    size, texts = record["workload"]["name"], approximate_texts(record)
    print(
        f"{size} {record['data']}, {record['n_iter']} iterations: time (over ours), inertia over ours",
        flush=True,
    )
    for name, text in texts.items():
        print(f"  {name}: {record['contenders'][name].get('status', text)}", flush=True)


def show_growth(records):
    """Print the median times along an axis."""
    for record in records:
        shape = ", ".join(f"{axis} = {record[axis]:,}" for axis in "ndk")
        times = (f"{name} {significant(median(seconds))} s" for name, seconds in record["seconds"].items())
        print(f"growth, {shape}: {', '.join(times)}", flush=True)


def show_memory(record):
    """Print the peak memory of a case, as a share of the data."""
    shares = (f"{name} {extra / record['data']:.2f}" for name, extra in record["extra"].items())
    print(f"memory / data, {record['workload']} {record['dtype']}: {', '.join(shares)}", flush=True)


def show(found):
    """Print all that is in a file."""
    for cell in found["cells"]:
        show_cell(cell, found["peak"])
    for record in found["iris"]:
        show_iris(record)
    for record in found.get("approximate", ()):
        show_approximate(record)
    for record in found["memory"]:
        show_memory(record)
