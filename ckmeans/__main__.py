"""`python -m ckmeans`, and the `ckmeans` script."""

import _thread
import os
import sys
from time import sleep

NEEDED = ("click", "rich", "pandas", "pyarrow")
SOON = 0.01  # seconds


def main():
    """Run the command; tell what to install where the extra `cli` is missing."""
    sys.unraisablehook = _deliver
    try:
        code = _run()
    except SystemExit as end:  # by which click ends
        code = end.code
    except KeyboardInterrupt:
        print("interrupted before there was a clustering: nothing was written", file=sys.stderr)
        code = 130
    if code == 130:  # Python ends otherwise where the interrupt fell into code that it was compiling
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # nobody reads it any more
                pass
        os._exit(code)
    return code


def _run():
    from importlib.util import find_spec

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        needs = ", ".join(missing)
        print(f'The ckmeans command needs {needs}: pip install "certified-kmeans[cli]"', file=sys.stderr)
        return 1
    for stream in (sys.stdout, sys.stderr):  # a column name may hold what the terminal cannot show
        stream.reconfigure(errors="backslashreplace")
    from .cli import cli

    return cli(prog_name="ckmeans")


def _deliver(unraisable):
    """An interrupt that falls into a callback, as those of Python's import locks, is dropped by Python: it comes again soon."""
    if unraisable.exc_type is KeyboardInterrupt:
        _thread.start_new_thread(_interrupt, ())
    else:
        sys.__unraisablehook__(unraisable)


def _interrupt():
    sleep(SOON)
    _thread.interrupt_main()


if __name__ == "__main__":
    sys.exit(main())
