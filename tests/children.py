"""Ctrl-C for the tests: sent to a child process, never to the one that runs them, when it says where it is, never at a time."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from time import sleep

import pytest

PATIENCE = 600  # seconds after which a child that hangs is killed; no test is about time
needs_signals = pytest.mark.skipif(os.name == "nt", reason="needs a process that can be sent SIGINT")

# What the code of a child begins with.
PRELUDE = """
import json, signal, sys
import numpy as np
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background start with SIGINT ignored

def here(said=[]):  # the signal has been sent when this returns, the first time; most often it raises KeyboardInterrupt
    if not said:
        said.append(True)
        print("here", flush=True)
        sys.stdin.readline()

def held(function):  # says where it is, and does not end before the signal, which comes in the midst of it
    waits = [True]
    def again(*args, **kwargs):
        if not waits:
            return function(*args, **kwargs)
        print("here", flush=True)
        try:
            while True:
                function(*args, **kwargs)
        finally:
            waits.clear()
    return again

def tell(**found):
    print(json.dumps(found), flush=True)

class Blocks:  # how many blocks of rows the kernels have begun, and had when the signal came
    def __init__(self):
        from ckmeans.workers import Workers
        self.begun, self.before, run = [], None, Workers.run
        def counted(workers, kernel, blocks):
            run(workers, lambda *block: (self.begun.append(block), kernel(*block)), blocks)
        def come(*_):
            self.before = len(self.begun)
            raise KeyboardInterrupt
        Workers.run = counted
        signal.signal(signal.SIGINT, come)
    def late(self):
        return len(self.begun) - self.before
"""


def signalled(words, send=signal.SIGINT, answer=True):
    """The exit code of a process, the lines that it wrote, and its errors; it is sent a signal when it says "here"."""
    with tempfile.TemporaryFile("w+") as errors:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
        child = subprocess.Popen(words, text=True, bufsize=1, **pipes)
        guard, lines, sent = threading.Timer(PATIENCE, child.kill), [], False
        guard.start()
        try:
            for line in child.stdout:
                lines.append(line.rstrip("\n"))
                if line == "here\n" and not sent:
                    sent = True
                    child.send_signal(send)
                    with suppress(BrokenPipeError):  # it may have ended already
                        child.stdin.write("\n" if answer else "")
            code = child.wait()
        finally:
            guard.cancel()
            child.kill()
            child.wait()
            child.stdout.close()
            with suppress(BrokenPipeError):
                child.stdin.close()
        errors.seek(0)
        return code, lines, errors.read()


def interrupted(code, *words, send=signal.SIGINT):
    """What a child tells that runs the code, and was sent Ctrl-C, or another signal, when it said "here"."""
    ended, lines, errors = signalled([sys.executable, "-c", PRELUDE + code, *map(str, words)], send)
    assert ended == 0 and lines[:1] == ["here"] and len(lines) == 2, (ended, lines, errors)
    return json.loads(lines[1])


def interrupted_at_any_moment(code, n_rounds, seed=0):
    """What a child tells of each round, which it begins with the word "begun" for a line that it reads; Ctrl-C comes soon after."""
    rng = random.Random(seed)
    child = subprocess.Popen(
        [sys.executable, "-c", code], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    guard = threading.Timer(PATIENCE, child.kill)
    guard.start()
    try:
        for _ in range(n_rounds):
            child.stdin.write("\n")
            child.stdin.flush()
            assert child.stdout.readline() == "begun\n"
            sleep(rng.uniform(0, 0.1))  # wherever it is then
            child.send_signal(signal.SIGINT)
            yield json.loads(child.stdout.readline())
    finally:
        guard.cancel()
        child.kill()
        child.communicate()


def interrupted_at_a_terminal(words, number=signal.SIGINT):
    """The exit code of a process, its output, and its errors, which a terminal shows; Ctrl-C, or so, when that shows "here"."""
    terminal, own_end = os.openpty()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(words, stderr=own_end, stdout=output)
        os.close(own_end)
        guard, seen, sent = threading.Timer(PATIENCE, child.kill), b"", False
        guard.start()
        try:
            while more := _read(terminal):  # to the end: a process whose terminal is full would wait
                seen += more
                if not sent and b"here" in seen:
                    sent = True
                    child.send_signal(number)
            code = child.wait()
        finally:
            guard.cancel()
            child.kill()
            child.wait()
            os.close(terminal)
        output.seek(0)
        return code, output.read(), seen


def _read(terminal):
    """What there is to read; nothing when the process has gone, for which systems have their own ways."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


# Ctrl-C where Python cannot raise it: in a callback that runs while modules are imported.
DROPPED = """
import signal, sys, weakref
signal.signal(signal.SIGINT, signal.default_int_handler)
class Thing: pass
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            print("found", flush=True)
            thing = Thing()
            keep = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
            del thing
sys.meta_path.insert(0, Finder())
from ckmeans.__main__ import main
sys.argv = {words!r}
sys.exit(main())
"""


def interrupted_in_an_import(words, module):
    """The command, which gets Ctrl-C in a callback while it imports a module."""
    code = DROPPED.format(module=module, words=["ckmeans", *words])
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
