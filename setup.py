"""Builds each src/*.pyx into ckmeans._kernels.*; everything else stands in pyproject.toml."""

import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

LIMITED_API = not sysconfig.get_config_var("Py_GIL_DISABLED")  # free-threaded builds have no stable ABI
MSVC = sys.platform == "win32"

extensions = [
    Extension(
        f"ckmeans._kernels.{path.stem}",
        [str(path)],
        depends=[str(header) for header in Path("src").glob("*.[hp]*") if header.suffix in (".h", ".pxd")],
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED_API else [],
        include_dirs=["src"],
        py_limited_api=LIMITED_API,
        # No contraction into fused multiply-adds: the error-free transformations need each rounding, and
        # results must not depend on the compiler.
        extra_compile_args=["/O2"] if MSVC else ["-O3", "-ffp-contract=off"],
    )
    for path in sorted(Path("src").glob("*.pyx"))
]

setup(
    ext_modules=cythonize(
        extensions,
        build_dir="build/cython",
        include_path=["src"],
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
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED_API else {},
)
