"""Lines of src/ that a run of the tests has reached, of a build with gcov: python benchmarks/compiled_coverage.py build/coverage

`make coverage` builds and runs. Comments in the C that Cython writes say which line of a .pyx, .pxd or .pxi the next lines are of; headers
gcov knows itself. Of a line that several modules have compiled, it is enough that one has reached it.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

MARK = re.compile(r' */\* "(src/[^"]+)":(\d+)$')
# Where what Cython adds to a function begins.
OWN = re.compile(r"  /\* function exit code \*/|static |/\*---|  /\*---")


def origins(c):
    """For each line of a file of C, the file and the line that it was made from."""
    found, own = {}, None
    for number, text in enumerate(c.read_text(encoding="utf-8").splitlines(), 1):
        mark = MARK.match(text)
        if mark:
            own = mark[1], int(mark[2])
        elif OWN.match(text):
            own = None
        elif own:
            found[number] = own
    return found


def counted(folder):
    """For each file of src/, how often each of its lines was run."""
    lines = defaultdict(lambda: defaultdict(int))
    for notes in sorted(Path(folder).rglob("*.gcno")):  # of what was never loaded, too
        done = subprocess.run(["gcov", "--json-format", "--stdout", notes], capture_output=True, text=True)
        for file in (file for text in done.stdout.splitlines() for file in json.loads(text)["files"]):
            made = origins(Path(file["file"])) if file["file"].endswith(".c") else None
            for line in file["lines"]:
                number = line["line_number"]
                name, number = (file["file"], number) if made is None else made.get(number, ("", 0))
                if name.startswith("src/"):
                    lines[name][number] += line["count"]
    return lines


def ranges(numbers):
    """Numbers in words: 3-5, 9."""
    runs = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def main(folder):
    n = missed = 0
    for name, lines in sorted(counted(folder).items()):
        left = [number for number, count in lines.items() if not count]
        n, missed = n + len(lines), missed + len(left)
        print(f"{name:28} {len(lines):5} lines {100 * (1 - len(left) / len(lines)):6.1f} %  {ranges(left)}")
    print(f"{'src':28} {n:5} lines {100 * (1 - missed / max(n, 1)):6.1f} %")


if __name__ == "__main__":
    main(*sys.argv[1:])
