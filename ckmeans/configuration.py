"""What this build of ckmeans runs on."""

import platform
from importlib.metadata import version

from ._kernels import panels
from .workers import available_cpus


def show_config() -> None:
    """Print the versions, the instruction set in use, those this processor supports, and the number of threads.

    Examples
    --------
    >>> from ckmeans import show_config
    >>> show_config()  # doctest: +ELLIPSIS
    ckmeans ...
    """
    *others, used = panels.instruction_sets()
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn"))
    print(
        f"ckmeans {version('certified-kmeans')} on {platform.python_implementation()} {platform.python_version()}"
    )
    print(f"with {packages}")
    print(f"instruction set: {used}" + (f" (also supported: {', '.join(others)})" if others else ""))
    print(f"threads: {available_cpus()}")
