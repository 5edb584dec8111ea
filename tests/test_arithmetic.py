"""Floating-point modes that other libraries set: no result depends on them, and they are left as they are."""

import inspect
import platform

import numpy as np
import pytest

import ckmeans
from ckmeans import ExactKMeans, KMeans, Summary, certify, natural_breaks
from ckmeans._kernels import arithmetic as kernels

X86, ARM = platform.machine() in ("x86_64", "AMD64"), platform.machine() in ("aarch64", "arm64")
# Upwards, and without subnormal numbers.
MODES = {"up": 0x1F80 | 0x4000, "flush": 0x1F80 | 0x8040} if X86 else {"up": 1 << 22, "flush": 1 << 24}
X = np.array([[0.0, 5.0], [1.0, 5.0], [40.0, 5.0], [41.0, 5.0], [90.0, 5.0], [91.0, 7.0]])
TINY, THIRDS = X * 2.0**-1070, X / 3


def in_mode(mode, call):
    """What a call gives in a mode, and the sum that tells the mode after it."""
    before = kernels.begin()
    kernels.end(MODES[mode])
    try:
        found = call()
        after = 1.0 + float(np.float64(1e-300)) > 1.0, float(np.float64(5e-324)) * 1.0 == 0.0
    finally:
        kernels.end(before)
    return found, after


@pytest.mark.skipif(not (X86 or ARM), reason="no modes that are known here")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "call",
    [
        # Without subnormal numbers all rows were in one cluster: an inertia of 0 where it is 5e-324, and "optimal".
        lambda: ExactKMeans(3, random_state=0).fit(TINY).labels_.tolist(),
        lambda: natural_breaks(TINY[:, 0], 3).labels.tolist(),
        # Upwards this was 13.500000000000002 for 13.5.
        lambda: KMeans(3, random_state=0).fit(THIRDS).cluster_centers_.tobytes(),
        lambda: KMeans(3, n_threads=2, n_init=1, random_state=0).fit(np.tile(THIRDS, (3000, 1))).inertia_,
        # "claim optimal value=0", for rows of zeros, where the value is 7/2 of their units.
        lambda: certify(TINY, n_clusters=3, random_state=0).text(),
        lambda: Summary(seeds=TINY).partial_fit(TINY).cells.means.tobytes(),
    ],
)
def test_no_result_depends_on_the_mode(call, mode):
    found, after = in_mode(mode, call)
    assert found == call()
    assert after == (mode == "up", mode == "flush")


def test_a_silent_failure_is_one_of_memory(monkeypatch):
    """Every 30th failing allocation or so ended in a SystemError of NumPy: <ufunc 'divide'> returned NULL ..."""

    def fail(*args, **kwargs):
        raise SystemError("<ufunc 'divide'> returned NULL without setting an exception")

    monkeypatch.setattr(np, "frexp", fail)
    with pytest.raises(MemoryError):
        natural_breaks(X[:, 0], 3)


def test_every_public_function_is_in_the_usual_mode():
    """What computes, and each public method of it that is not inherited from elsewhere."""
    for name in sorted(ckmeans.__all__):
        thing = getattr(ckmeans, name)
        if inspect.isfunction(thing):
            if name not in (
                "count_partitions",
                "estimated_seconds",
                "register_onnx_converters",
                "show_config",
            ):
                assert thing.__code__.co_filename.endswith("arithmetic.py"), name
        elif inspect.isclass(thing) and not name.endswith(("Display", "Recorder")):
            for key, method in inspect.getmembers(thing, inspect.isfunction):
                ours = inspect.unwrap(method).__code__.co_filename.startswith(ckmeans.__path__[0])
                if ours and (key[0] != "_" or key in ("__call__", "__add__")):
                    assert method.__code__.co_filename.endswith("arithmetic.py"), f"{name}.{key}"
