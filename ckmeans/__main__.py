"""`python -m ckmeans`, and the `ckmeans` script."""

import sys

NEEDED = ("click", "rich", "pandas", "pyarrow")


def main():
    """Run the command; tell what to install where the extra `cli` is missing."""
    from importlib.util import find_spec

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        needs = ", ".join(missing)
        print(f'The ckmeans command needs {needs}: pip install "certified-kmeans[cli]"', file=sys.stderr)
        return 1
    for stream in (sys.stdout, sys.stderr):  # a column name may hold what the terminal cannot show
        stream.reconfigure(errors="backslashreplace")
    try:
        from .cli import cli

        return cli(prog_name="ckmeans")
    except KeyboardInterrupt:  # before there was anything to stop
        return 130


if __name__ == "__main__":
    sys.exit(main())
