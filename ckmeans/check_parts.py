"""Checks a folder of proofs: python -m ckmeans.check_parts FOLDER [-j N] [DATA.npy ...] [-w WEIGHTS.npy ...]. Standard library only.

The folder has a proof file for each of many groups of rows, and an index that tells the group of each row. What it proves: no partition of
all rows into at most k clusters has a smaller sum of weighted squared distances to the cluster means than the sum of the bounds of the groups. For
a partition of all rows is one of each group, and costs that no more (F2 of ckmeans.check, which checks each proof); every row is in one
group only. And the labels, which are in the files of the groups, cost what is claimed. With DATA, files one after the other, it is checked that the
groups hold these rows: each row goes to the group that the index names, and the sha256 of what each group got is that of its file. N files
are checked at a time. Exit codes as of ckmeans.check.
"""

import hashlib
import re
import signal
import struct
import sys
from collections import Counter, namedtuple
from contextlib import nullcontext
from fractions import Fraction
from itertools import chain, islice, repeat
from multiprocessing import Pool
from pathlib import Path

from .check import (
    CODES,
    MALFORMED,
    NUMPY,
    OTHER_DATA,
    PROVED,
    UNPROVED,
    Reader,
    Refused,
    decimal,
    dot,
    packed,
    prove,
    read_problem,
    read_rows,
    refuse_if,
    total,
)

INDEX = "index.ckc"
# What can be done about a file that is not as it was written.
MEND = "; copy the folder again from where it was made, or let certify make it anew"
# Rows of the data that are read at a time.
SOME = 4096
# What the index tells: of each part its rows, its bound and the sha256 of its file; and the part of each row.
Index = namedtuple("Index", "n d k weighted lower value parts rows")
# What a proof file tells: the sha256 of its rows and weights; of each cluster the weight and sums, and the sum of all squares.
Part = namedtuple("Part", "sha clusters squares")


def part_name(number):
    """The name of a group's file."""
    return f"group-{number:06}.ckc"


def read_index(reader):
    natural = reader.natural
    (kind, *tokens) = reader.words("problem") or [""]
    reader.bad_if(kind != "parts", "this is no index of a folder of proofs")
    n, d, k, weighted, size = reader.fields(
        tokens, n=natural, d=natural, k=natural, weights=natural, parts=natural
    )
    status, *tokens = reader.words("claim") or [""]
    reader.bad_if(status != "bounded" or min(n, d, k, size) < 1 or weighted > 1, "no such claim")
    lower, value = reader.fields(tokens, lower=reader.ratio, value=reader.ratio)
    readers = dict(n=natural, lower=reader.ratio, sha256=str)
    parts, rows = [reader.fields(reader.words("part"), **readers) for _ in range(size)], []
    while reader.next_is("rows"):
        rows += reader.numbers("rows", None, natural)
    reader.bad_if(reader.start < reader.stop, "more than an index")
    counts = Counter(rows)
    fits = len(rows) == n and max(rows) < size and all(counts[at] == own[0] for at, own in enumerate(parts))
    reader.bad_if(not fits, "a group has other rows than it should")
    least = total((own for _, own, _ in parts), reader)
    refuse_if(least < lower, "the bounds of the groups do not add up to what is claimed")
    return Index(n, d, k, weighted, lower, value, parts, rows)


def check_part(content, index, part):
    """What a proof file tells; refused if its proof does not reach its bound."""
    n, lower, sha = part
    refuse_if(
        hashlib.sha256(content).hexdigest() != sha, "it is another file than the index names", MALFORMED
    )
    reader = Reader(content)
    problem = read_problem(reader)
    alike = not problem.sphere and (problem.n, problem.d, bool(problem.weights)) == (
        n,
        index.d,
        bool(index.weighted),
    )
    refuse_if(not alike or problem.k < index.k, "it is for another problem")
    bound, _ = prove(problem, reader)
    refuse_if(bound < lower * problem.unit, "the bound that is claimed is not reached")
    return told(content)


def told(content):
    """What there is to be known of the rows in a proof file that was checked."""
    reader = Reader(content)
    _, n, d, _, rows, W, keys, scale, weight_scale = read_rows(reader, None, None)
    labels = reader.numbers("labels", n, reader.natural)
    sha = hashlib.sha256(b"".join(keys))
    if W:
        sha.update(packed([Fraction(w, 1 << weight_scale) for w in W]))
    clusters, squares = {}, 0
    for row, w, label in zip(rows, W or repeat(1), labels):
        sums = clusters.setdefault(label, [0] * (d + 1))
        sums[0] += w
        squares += w * dot(row, row)
        for f, x in enumerate(row, 1):
            sums[f] += w * x
    fine, finer = 1 << weight_scale, 1 << weight_scale + scale
    parts = {
        a: [Fraction(own[0], fine), *(Fraction(s, finer) for s in own[1:])] for a, own in clusters.items()
    }
    return Part(sha.hexdigest(), parts, Fraction(squares, finer << scale))


def judged(task):
    """In a process of its own: (exit code, reason), or (0, what the file tells)."""
    folder, index, number, part = task
    try:
        return PROVED, check_part(Path(folder, part_name(number)).read_bytes(), index, part)
    except Refused as refused:
        code, reason = refused.args
    except OSError as error:
        code, reason = MALFORMED, f"unreadable: {ascii(str(error))}"
    except (ValueError, OverflowError, struct.error, ImportError) as error:
        code, reason = MALFORMED, f"unreadable: {error}"
    except MemoryError:
        code, reason = UNPROVED, "there is not enough memory to check this"
    return code, f"{part_name(number)}: {reason}"


def cost_of(parts, reader):
    """What all rows cost with the labels, exactly."""
    clusters, squares = {}, Fraction(0)
    for part in parts:
        squares += part.squares
        for label, own in part.clusters.items():
            before = clusters.get(label)
            clusters[label] = [a + b for a, b in zip(before, own)] if before else own
    explained = (dot(own[1:], own[1:]) / own[0] for own in clusters.values() if own[0])
    return squares - total(explained, reader)


def rows_of(path, d):
    """The rows of a .npy file as bytes of float64, some at a time."""
    with open(path, "rb") as file:
        start = file.read(10)
        refuse_if(start[:6] != b"\x93NUMPY" or len(start) < 10, f"{path} is no .npy file", OTHER_DATA)
        header = re.fullmatch(NUMPY, file.read(int.from_bytes(start[8:], "little")).decode("latin-1"))
        refuse_if(not header or header[2] not in CODES, f"{path} is no table of numbers", OTHER_DATA)
        order, code, fortran, n, width = header.groups()
        fits = int(width or 1) == d and (fortran == "False" or 1 in (int(n), d))
        refuse_if(
            not fits, f"{path} has other columns, or is in Fortran order: save it in C order", OTHER_DATA
        )
        code = order.replace("|", "<") + d * CODES[code]
        for left in range(int(n), 0, -SOME):
            size = struct.calcsize(code) * min(left, SOME)
            content = file.read(size)
            refuse_if(len(content) < size, f"{path} ends before its last row", OTHER_DATA)
            for row in struct.iter_unpack(code, content):
                yield packed([x or 0 for x in row])  # a zero has no sign


def compare(index, shas, data, weights):
    """Refuses data that are not what the groups hold."""
    found, masses = [hashlib.sha256() for _ in index.parts], [[] for _ in index.parts]
    rows = chain.from_iterable(rows_of(path, index.d) for path in data)
    W = chain.from_iterable(rows_of(path, 1) for path in weights)
    for at, row in zip(index.rows, islice(rows, index.n)):
        found[at].update(row)
    refuse_if(
        bool(weights) != bool(index.weighted),
        "the proofs are for rows with weights, or for such without",
        OTHER_DATA,
    )
    for at, w in zip(index.rows, islice(W, index.n)):
        masses[at].append(w)
    more = next(rows, None) or next(W, None)
    for at, (sha, own) in enumerate(zip(found, masses)):
        sha.update(b"".join(own))
        wrong = sha.hexdigest() != shas[at] or more is not None
        refuse_if(wrong, f"the proof is for other data: {part_name(at)}", OTHER_DATA)


def verdict(folder, data=(), weights=(), processes=1):
    """The exit code and one line on a folder, and on the data and weights in .npy files, if given."""
    where = f"{INDEX}: "  # while that is read: reasons of groups begin with the name of their file
    try:
        reader = Reader(Path(folder, INDEX).read_bytes())
        index, where = read_index(reader), ""
        alone = index._replace(parts=(), rows=())
        tasks, parts = ((folder, alone, number, part) for number, part in enumerate(index.parts)), []
        ending = signal.SIGTERM, signal.SIG_DFL  # whatever the caller does then, these just end
        with Pool(processes, signal.signal, ending) if processes > 1 else nullcontext() as pool:
            for code, found in (pool.imap if pool else map)(judged, tasks):
                refuse_if(code != PROVED, found, code)
                parts.append(found)
        beyond = any(label >= index.k for part in parts for label in part.clusters)
        refuse_if(beyond, "the labels are of more than k clusters", MALFORMED)
        refuse_if(cost_of(parts, reader) != index.value, "the labels do not cost what is claimed")
        if data or weights:
            compare(index, [part.sha for part in parts], data, weights)
    except Refused as refused:
        code, reason = refused.args
        kind = ("", "not proved", "malformed", "other data")[code]
        return code, f"{kind}: {where}{reason}{MEND * (code == MALFORMED)}"
    except OSError as error:
        return MALFORMED, f"unreadable: {ascii(str(error))}{MEND}"
    except (ValueError, OverflowError, struct.error) as error:
        code = OTHER_DATA if not where and (data or weights) else MALFORMED
        return code, f"unreadable: {where}{error}{MEND * (code == MALFORMED)}"
    except MemoryError:
        return UNPROVED, "not proved: there is not enough memory to check this"
    cost, lower = decimal(index.value, 1, True), decimal(index.lower, 1, False)
    of = "these rows" if data else "the rows in the files"
    of = f"{of}, k={index.k}, n={index.n}, d={index.d}, {'' if index.weighted else 'no '}weights, {len(parts)} groups"
    return PROVED, f"proved bounded: cost {cost}, lower bound {lower}, for {of}"


USAGE = "usage: python -m ckmeans.check_parts FOLDER [-j N] [DATA.npy ...] [-w WEIGHTS.npy ...]"


def main(words):
    if words in (
        ["-h"],
        ["--help"],
    ):  # a folder of that name is not checked: its name begins like an option's
        print(USAGE)
        return 0
    processes, names, weights, own = 1, [], [], None
    words = iter(words)
    for word in words:
        if word == "-j":
            word = next(words, "")
            processes = int(word) if word.isdecimal() and len(word) < 5 else 0
        elif word == "-w":
            own = weights
        else:
            (names if own is None else own).append(word)
    well = names and processes > 0 and not names[0].startswith("-")
    code, said = verdict(names[0], names[1:], weights, processes) if well else (MALFORMED, USAGE)
    print(said, file=sys.stdout if code == PROVED else sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
