"""Builds each src/*.pyx into ckmeans._kernels.*; everything else stands in pyproject.toml."""

import multiprocessing
import os
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

LIMITED_API = not sysconfig.get_config_var("Py_GIL_DISABLED")  # free-threaded builds have no stable ABI
MSVC = sys.platform == "win32"
# For what is built in order to be looked at (make sanitize): more flags of the compiler, after those below, and of the linker.
FLAGS = os.environ.get("CKMEANS_FLAGS", "").split()
# Dates in the wheel, unless others are asked for: its bytes depend on the sources and the compiler alone (make reproducible).
os.environ.setdefault("SOURCE_DATE_EPOCH", "315532800")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

# Memoryviews are compiled once, into a module of their own: without it each of the others has them all.
SHARED = "ckmeans._kernels._cyutility"

HOW = {
    "define_macros": [("Py_LIMITED_API", "0x030B0000")] if LIMITED_API else [],
    "py_limited_api": LIMITED_API,
    # No contraction into fused multiply-adds: the error-free transformations need each rounding, and
    # results must not depend on the compiler.
    "extra_compile_args": [*(["/O2"] if MSVC else ["-O3", "-ffp-contract=off", "-g0"]), *FLAGS],
    "extra_link_args": FLAGS,
}
extensions = [
    Extension(SHARED, ["ckmeans/_kernels/_cyutility.c"], **HOW),
    *(
        Extension(
            f"ckmeans._kernels.{path.stem}",
            [str(path)],
            depends=[
                str(header)
                for pattern in ("*.pxd", "*.pxi", "simd/*.h")
                for header in sorted(Path("src").glob(pattern))
            ],
            include_dirs=["src", "src/simd"],
            **HOW,
        )
        # The largest first, so that no core is left alone with one of them at the end.
        for path in sorted(Path("src").glob("*.pyx"), key=lambda path: -path.stat().st_size)
    ),
]

setup(
    ext_modules=cythonize(
        extensions,
        build_dir="build/cython",
        shared_utility_qualified_name=SHARED,
        include_path=["src"],
        # Processes that start anew would run this file once more.
        nthreads=CORES if multiprocessing.get_start_method() == "fork" else 0,
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "freethreading_compatible": True,
            "embedsignature": True,
        },
    ),
    options={
        "bdist_wheel": {"py_limited_api": "cp311"} if LIMITED_API else {},
        "build_ext": {"parallel": 1 if MSVC else CORES},
    },
)
