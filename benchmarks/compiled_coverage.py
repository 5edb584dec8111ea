"""Lines of src/ that a run of the tests has reached, of a build with gcov: python benchmarks/compiled_coverage.py build/coverage

`make coverage` builds and runs. The C that Cython writes has #line directives there, so that gcov speaks of .pyx, .pxd and headers.
Of a line that several modules have compiled, it is enough that one has reached it.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path


def counted(folder):
    """For each file of src/, how often each of its lines was run."""
    lines = defaultdict(lambda: defaultdict(int))
    for notes in sorted(Path(folder).rglob("*.gcda")):
        done = subprocess.run(
            ["gcov", "--json-format", "--stdout", str(notes)], capture_output=True, text=True
        )
        for text in done.stdout.splitlines():
            for file in json.loads(text)["files"]:
                name = Path(file["file"])
                if name.suffix in (".pyx", ".pxd", ".pxi", ".h") and "src" in name.parts[:1]:
                    for line in file["lines"]:
                        lines[str(name)][line["line_number"]] += line["count"]
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
