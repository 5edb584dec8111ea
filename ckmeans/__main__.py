"""`python -m ckmeans`, and the `ckmeans` script."""

import os
import signal
import sys

from . import interrupts

NEEDED = ("click", "rich", "pandas")  # and pyarrow, without which texts are read all the same
NOTHING = "interrupted before there was a clustering: nothing was written"


def main():
    """Run the command; tell what to install where the extra `cli` is missing."""
    try:
        _listen()
        code = _run()
    except SystemExit as end:  # by which click ends
        code = end.code
    except KeyboardInterrupt:
        print(NOTHING, file=sys.stderr)
        code = 130
    if code == 130:  # Python ends otherwise where the interrupt fell into code that it was compiling
        _end()
    return code


def _listen():
    """Ctrl-C, and what `kill` and those who end jobs send, which does the same."""
    ctrl_c = signal.getsignal(signal.SIGINT)
    if ctrl_c is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupted)
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return
    if ctrl_c is signal.SIG_IGN:  # in the background of a script, which Ctrl-C is not meant for
        interrupts.SIGNAL = signal.SIGTERM
        signal.signal(signal.SIGTERM, _interrupted)
    else:
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def _run():
    from importlib.util import find_spec

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        needs = ", ".join(missing)
        print(f'The ckmeans command needs {needs}: pip install "certified-kmeans[cli]"', file=sys.stderr)
        return 1
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as by >&- in a shell: what would be said there is not
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        # A column name may hold what the terminal cannot show.
        getattr(sys, name).reconfigure(errors="backslashreplace")
    from .command.cli import cli

    return cli(prog_name="ckmeans")


def _interrupted(number, frame):
    """Ctrl-C. Python, and what is imported, drop some of the interrupts that fall into an import: before a search this is the end."""
    terminal = sys.modules.get("ckmeans.command.terminal")
    while frame is not None and not getattr(terminal, "searched", False):
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            print(NOTHING, file=sys.stderr)
            _end()
        frame = frame.f_back
    raise KeyboardInterrupt


def _end():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, AttributeError):  # nobody reads it any more
            pass
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
