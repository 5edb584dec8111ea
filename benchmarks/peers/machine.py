"""What the figures were measured on."""

import contextlib
import io
import os
import platform
import subprocess
import sys
from pathlib import Path

from .contenders import versions

# A greater load average than this deserves a warning: the figures may be too high.
BUSY = 0.5


def describe():
    """Processor, cores, memory, system, what ckmeans runs on, and the versions of all contenders."""
    import numpy
    import scipy

    from ckmeans import show_config

    config = io.StringIO()
    with contextlib.redirect_stdout(config):
        show_config()
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory(),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}".rstrip(", "),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "commit": _commit(),
        "config": config.getvalue().strip().splitlines(),
        "versions": {**versions(), "numpy": numpy.__version__, "scipy": scipy.__version__},
        "load": load_average(),
    }


def load_average():
    """Processes that wanted to run in the last minute, on average; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _processor():
    """The processor's own name."""
    try:
        if sys.platform == "darwin":
            return subprocess.run(
                ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True
            ).stdout.strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory():
    """Gigabytes of memory, or None."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


def _commit():
    """The commit that was measured, with a + if files were changed since; None outside a repository."""
    root = Path(__file__).parents[2]

    def git(*arguments):
        return subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "ckmeans", "src")
        return (git("rev-parse", "--short", "HEAD") or None) and git(
            "rev-parse", "--short", "HEAD"
        ) + "+" * bool(changed)
    except OSError:
        return None
